"""Commands on etcd itself and on its disks, and what other tools do to groups.

Sources: etcd's own checks (kopslint.etcd.moves.refusal), etcd-manager's
restore command, and for terraform kops's rendering of managed files: a volume
that is no longer rendered is destroyed at the next apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.clouds import group_at
from kopslint.kops.etcd_manager import member_name
from kopslint.model.actions import machines
from kopslint.model.assumptions import Kind, assume, taken
from kopslint.model.state import Result, applied, merged, nothing, undecided

if TYPE_CHECKING:
    from kopslint.commands.model import (
        DeleteRestore,
        DeleteVolumes,
        ForceNewCluster,
        MemberAdd,
        ResizeCloudGroup,
        RestartManagers,
        RestoreBackup,
        Sleep,
        Terraform,
    )
    from kopslint.model.assumptions import Assumption
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState
    from kopslint.shell.ast import Word

SETTLING_SECONDS = 150
"""After this long every move of etcd-manager with its default timing is over."""


def run_add(command: MemberAdd, state: ClusterState) -> list[Result]:
    """``etcdctl member add``: quorum rises at once.

    etcd knows a member by the name of the spec behind ``etcd-``, or behind that and
    the name of its etcd cluster. Source: kops pkg/model/pki.go of 1.11.
    """
    name = (command.member.text if command.member is not None else None) or ""
    chosen = set(_etcd_clusters(state, command.etcd_cluster))

    def add(etcd: str, state_set: StateSet) -> StateSet:
        bare = name.removeprefix("etcd-").removeprefix(f"{etcd}-")
        known = next((n for n in (name, bare) if n in state_set.names), None)
        return (
            state_set.add(known) if known is not None and etcd in chosen else state_set
        )

    return [applied(state.each(add))]


def run_restore(command: RestoreBackup, state: ClusterState) -> list[Result]:
    """``restore-backup``: queued until a leader reads the control store again."""
    chosen = _etcd_clusters(state, command.etcd_cluster)
    then = state.each(
        lambda name, state_set: state_set.restore() if name in chosen else state_set
    )
    return [applied(then, *_of_all(chosen, command))]


def _of_all(chosen: list[str], command: RestoreBackup) -> list[Assumption]:
    """That a command which names no etcd cluster is given in each of several."""
    if command.etcd_cluster is not None or len(chosen) < 2:
        return []
    text = f"this is done in {' and '.join(chosen)}, each of them"
    return [assume(Kind.ETCD, command.text, text)]


def run_delete_restore(command: DeleteRestore, state: ClusterState) -> list[Result]:
    """``delete-command``: the queue is emptied, and not the leader's memory."""
    chosen = _etcd_clusters(state, command.etcd_cluster)
    then = state.each(
        lambda name, state_set: (
            state_set.forget_restore() if name in chosen else state_set
        )
    )
    return [applied(then)]


def run_force(
    command: ForceNewCluster, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``--force-new-cluster`` on the data of one member, which nobody else knows of.

    Where the list does not say on whose data, it is that of any member that is up.
    """
    chosen = _etcd_clusters(state, command.etcd_cluster)
    outcomes: list[ClusterState] = []
    sure = True
    if why := _harms(state, chosen):
        return [undecided(state, why)]
    for name in chosen:
        state_set = state.etcd[name]
        said = {word.text for word in filter(None, (command.member, *command.places))}
        groups = plan.told_machines(command.places)
        members = [
            each
            for each in state_set.names
            if {each, member_name(name, each)} & said
            or state.machines.group_of(name, each) in groups
        ]
        if not members:
            sure = False
            members = [
                each
                for index, each in enumerate(state_set.names)
                if any(w.names[index].votes for w in state_set.states)
            ]
        outcomes.extend(
            state.with_etcd({**state.etcd, name: state_set.force(each)})
            for each in members
        )
    if not outcomes:
        return [applied(state)]
    assumed = () if sure and len(chosen) == 1 else (_of_any_member(command),)
    return [applied(outcome, *assumed) for outcome in merged(outcomes)]


def _harms(state: ClusterState, etcd_clusters: list[str]) -> str | None:
    """Why it is no rescue: a quorum that it breaks up, or an etcd that does it badly.

    Measured: members that join a 3.5.1 after it lack keys.
    """
    for name in etcd_clusters:
        state_set = state.etcd[name]
        if any(each.writable for each in state_set.states):
            return f"etcd {name} has quorum, and this removes its other members"
        if state_set.software.forces_cleanly is not True:
            return (
                f"etcd {name} may be older than 3.5.22 or 3.6.1; then members that"
                " join after this lack keys"
            )
    return None


def _of_any_member(command: ForceNewCluster) -> Assumption:
    text = "this uses the data of any running member"
    return assume(Kind.ETCD, command.text, text)


def run_restart_managers(
    command: RestartManagers, state: ClusterState, plan: Scenario
) -> list[Result]:
    """The etcd-managers restart; whoever leads then reads the control spec."""
    chosen = set(_etcd_clusters(state, command.etcd_cluster))
    groups = plan.told_machines(command.places)

    def restart(name: str, state_set: StateSet) -> StateSet:
        if name not in chosen:
            return state_set
        if not groups:
            return state_set.restart_managers()
        on_them = [m for group in groups for m in state.machines.on(name, group)]
        known = [member for member in on_them if member in state_set.names]
        return state_set.restart_managers(known)

    assumed = []
    if command.places and not groups:
        shown = " ".join(word.shown for word in command.places)
        text = "etcd-manager is restarted on all machines"
        assumed.append(assume(Kind.MACHINE, shown, text))
    return [applied(state.each(restart), *assumed)]


def _etcd_clusters(state: ClusterState, named: str | None) -> list[str]:
    return [name for name in state.etcd if named in (None, name)]


def run_sleep(command: Sleep, state: ClusterState) -> list[Result]:
    """``sleep``: long enough, and everything that happens by itself has happened."""
    if command.seconds is None or command.seconds < SETTLING_SECONDS:
        return [applied(state)]
    return [applied(state.each(lambda _, state_set: state_set.wait()))]


def run_volumes(
    command: DeleteVolumes, state: ClusterState, plan: Scenario
) -> list[Result]:
    """Disks are deleted by hand: those of machines that are down.

    The cloud does not delete a disk in use; where nobody can tell whether it is,
    both are possible. A disk that only run time knows may be any of etcd's, or none.
    """
    words = command.volumes
    if words and all(plan.names_other_disks(word) for word in words):
        return [applied(state)]
    if command.verb != "delete":
        return [undecided(state, "kopslint does not know what this does to the disks")]
    groups = plan.meant_machines(words)
    if not groups:
        return _any_disk(command, state)
    outcomes = [state]
    for group in groups:
        then = state
        for name in state.etcd:
            if _about(command.volumes, name, state):
                for member in state.machines.on(name, group):
                    then = machines.wipe(then, name, member)
        outcomes.append(then)
    if all(_is_down(state, group) for group in groups):
        outcomes = outcomes[1:]
    sure = len(groups) == 1 and plan.named_machines(command.volumes) == groups
    shown = " ".join(word.shown for word in command.volumes)
    text = f"the disks are those of {' or '.join(groups)}"
    assumed = () if sure else (assume(Kind.DISK, shown, text),)
    return [applied(outcome, *assumed) for outcome in merged(outcomes)]


def _any_disk(command: DeleteVolumes, state: ClusterState) -> list[Result]:
    """The disk of any control-plane machine that is down is deleted, or none is."""
    groups = [group.name for group in state.registry.control_plane]
    outcomes = [state]
    for group in (g for g in groups if _is_down(state, g)):
        then = state
        for name in state.etcd:
            for member in state.machines.on(name, group):
                then = machines.wipe(then, name, member)
        outcomes.append(then)
    shown = " ".join(word.shown for word in command.volumes)
    text = f"the disks are those of {' or '.join(groups)}, or others"
    assumed = assume(Kind.DISK, shown, text)
    return [applied(outcome, assumed) for outcome in merged(outcomes)]


def _about(words: tuple[Word, ...], etcd_cluster: str, state: ClusterState) -> bool:
    """Whether the words are about this etcd cluster, as far as they say."""
    said = " ".join(word.shown.lower() for word in words)
    exactly = [n for n in state.etcd if any(n == word.text for word in words)]
    named = exactly or [name for name in state.etcd if name in said]
    return etcd_cluster in named or not named


def _is_down(state: ClusterState, group: str) -> bool:
    return state.cloud.get(group, 0) < 1


def run_resize(
    command: ResizeCloudGroup, state: ClusterState, plan: Scenario
) -> list[Result]:
    """The cloud's own command line sizes or deletes the group behind kops's back.

    A group that only run time knows may be any of the control plane, or none. What
    is only planned happens at some moment, or has not happened yet.
    """
    word = command.group
    if word is None or plan.names_workers(word):
        return [nothing(state)]
    groups = [
        name
        for name in plan.meant_machines((word,))
        if name in state.cloud and name in word.shown
    ]
    if not groups and word.text is not None:
        return [nothing(state)]
    size = 0 if command.deletes else _number(command.size)
    if size is None:
        return [undecided(state, "the new size is only known at run time")]
    if groups:
        then = state
        for name in groups:
            then = _sized(then, name, size)
        return [applied(then), *([applied(state)] if command.later else [])]
    some = [g.name for g in state.registry.control_plane]
    some = [name for name in some if name in state.cloud]
    if not some or size >= 1:
        return [nothing(state)]
    assumed = taken(Kind.GROUP, word.shown, [*some, "another"])
    outcomes = [_sized(state, name, size) for name in some]
    return [applied(one, assumed) for one in merged([state, *outcomes])]


def _sized(state: ClusterState, group: str, size: int) -> ClusterState:
    then = state.with_cloud({**state.cloud, group: size})
    if size < 1:
        return machines.stop(then, group)
    return machines.boot(then, [group])


def _number(word: Word | None) -> int | None:
    text = word.text if word is not None else None
    return int(text) if text is not None and text.isdigit() else None


def run_terraform(command: Terraform, state: ClusterState) -> list[Result]:
    """``terraform apply`` of what kops rendered, or ``destroy`` of everything."""
    if command.verb == "destroy":
        if command.targets:
            return [undecided(state, "kopslint does not follow a targeted destroy")]
        return [applied(_destroyed(state))]
    rendered = state.rendered or state.applied
    if command.targets:
        named = (group_at(word.shown, rendered) for word in command.targets)
        chosen = {group.name for group in named if group is not None}
        return [applied(machines.apply(state, rendered, groups=chosen, publish=False))]
    then = machines.apply(state, rendered)
    for name, state_set in then.etcd.items():
        listed = {
            member.name
            for etcd in rendered.etcd_clusters
            if etcd.name == name
            for member in etcd.members
        }
        for index, member in enumerate(state_set.names):
            if member not in listed and index in state_set.known:
                then = machines.wipe(then, name, member)
    return [applied(then._replace(rendered=None))]


def _destroyed(state: ClusterState) -> ClusterState:
    """No machine and no disk is left; the backups and the control spec are."""
    for group in list(state.cloud):
        state = machines.drop(state, group)
    for name, state_set in state.etcd.items():
        for member in state_set.names:
            state = machines.wipe(state, name, member)
    return state
