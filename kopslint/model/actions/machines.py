"""What happens to machines: an update applied, a group deleted, a node rolled.

These are the building blocks that commands are made of. Each takes one state
and gives the states that may follow; which command asks for what is not known
here. Sources: kops upup/pkg/fi/cloudup/apply_cluster.go (the order inside an
update: the control spec first), pkg/instancegroups/rollingupdate.go and
pkg/validation/validate_cluster.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops import refusals
from kopslint.kops.clouds import cloud_named
from kopslint.kops.etcd_manager import is_managed
from kopslint.kops.rejection import Rejection
from kopslint.kops.spec import Manifest, Role, parse_role
from kopslint.kops.state_store import is_in_store
from kopslint.model import validated
from kopslint.model.actions.store import unknown_group
from kopslint.model.assumptions import Kind, assume, taken
from kopslint.model.etcd.state import Upgrade
from kopslint.model.software import changed_versions
from kopslint.model.state import (
    ClusterState,
    Result,
    applied,
    merged,
    noted_by_job,
    nothing,
    refused,
    undecided,
    with_groups,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    Watch = Callable[[ClusterState, str], None]
    from collections.abc import Callable

    from kopslint.commands.kops import (
        DeleteCluster,
        DeleteFromFile,
        DeleteInstance,
        DeleteInstanceGroup,
        Reconcile,
        RollingUpdate,
        UpdateCluster,
    )
    from kopslint.commands.model import StopInstances, Unreplayed
    from kopslint.model.assumptions import Assumption
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.scenario import Scenario
    from kopslint.shell.ast import Word


def apply(
    state: ClusterState,
    manifest: Manifest,
    *,
    groups: Collection[str] | None = None,
    publish: bool = True,
) -> ClusterState:
    """The cloud is brought to ``manifest``: counts published, groups sized.

    ``groups`` limits which groups are touched; the counts are published all the
    same, as kops does, where an etcd-manager reads them. Groups that ``manifest`` does
    not have stay as they are.
    """
    counts = {
        etcd.name: len(etcd.members)
        for etcd in manifest.etcd_clusters
        if is_managed(etcd)
    }
    upgraded = changed_versions(state.applied, manifest) if publish else ()
    before = state.cloud
    sizes = dict(before)
    for name, group in manifest.groups.items():
        if groups is None or name in groups:
            sizes[name] = max(group.size, 0)
    emptied = [n for n, size in sizes.items() if not size and before.get(n, 0)]
    filled = [n for n, size in sizes.items() if size and not before.get(n, 0)]
    # New nodes run no etcd, though a control-plane group may have had their name.
    others = [n for n in filled if not manifest.groups[n].is_control_plane]
    state = state._replace(
        applied=manifest,
        machines=state.machines.with_spec(manifest).without(others),
    )
    if publish:
        state = state.each(
            lambda name, state_set: (
                state_set.publish(
                    counts[name], Upgrade.PUBLISHED if name in upgraded else None
                )
                if name in counts
                else state_set
            )
        )
    state = state.with_cloud(sizes)
    for name in emptied:
        state = stop(state, name)
    return boot(state, filled)


def boot(state: ClusterState, groups: Iterable[str]) -> ClusterState:
    """Members that never ran start on the machines of ``groups``.

    Members that ran before need no help: their machine comes back with its disk.
    """
    wanted = set(groups)

    def start(name: str, state_set: StateSet) -> StateSet:
        for group in sorted(wanted):
            for member in state.listed(name, group):
                if state_set.index(member) not in state_set.known:
                    state_set = state_set.start(member)
        return state_set

    return state.each(start).with_cloud(state.cloud)


def stop(state: ClusterState, group: str) -> ClusterState:
    """The machine of ``group`` stops, and with it its member of every etcd cluster."""

    def down(name: str, state_set: StateSet) -> StateSet:
        for member in state.machines.on(name, group):
            state_set = state_set.stop(member)
        return state_set

    return state.each(down)


def drop(state: ClusterState, group: str) -> ClusterState:
    """``group`` disappears from the cloud, its machine at once and for good."""
    sizes = {name: size for name, size in state.cloud.items() if name != group}
    return stop(state.with_cloud(sizes), group)


def wipe(state: ClusterState, etcd_cluster: str, member: str) -> ClusterState:
    """The disk of a member is deleted."""
    return state.each(
        lambda name, state_set: (
            state_set.wipe(member) if name == etcd_cluster else state_set
        )
    )


def missing_groups(state: ClusterState) -> list[str]:
    """The groups of the state store that ask for machines and are not in the cloud."""
    return [
        name
        for name, group in state.registry.groups.items()
        if group.size > 0 and name not in state.cloud
    ]


class Validated(Record):
    """How ``kops validate cluster`` may end; either part may be empty."""

    passed: ClusterState | None
    failed: tuple[ClusterState, ...]


def validate(state: ClusterState) -> Validated:
    """Validation by kops: it returns at its first success, or fails in the end.

    It needs a writable etcd and, for every control-plane group, a machine with a
    working local member. Dead members in the list are no concern of it.
    """
    if missing_groups(state):
        return Validated(None, (state._replace(ok=False),))
    healthy = {
        name: _healthy(state, name, state_set) for name, state_set in state.etcd.items()
    }
    passed = state.each(lambda name, state_set: state_set.where(healthy[name]))
    settled = state.each(lambda _, state_set: state_set.wait())
    failed = []
    for name, state_set in settled.etcd.items():
        broken = state_set.where(_not(healthy[name]))
        if broken.states:
            failing = settled.with_etcd({**settled.etcd, name: broken})
            failed.append(failing._replace(ok=False))
    return Validated(
        passed._replace(ok=True) if passed.possible else None, tuple(merged(failed))
    )


def _healthy(
    state: ClusterState, etcd_cluster: str, state_set: StateSet
) -> Callable[[EtcdState], bool]:
    needed = [
        state_set.index(member)
        for group in state.registry.control_plane
        if group.size > 0
        for member in state.listed(etcd_cluster, group.name)
    ]
    return lambda possible: (
        possible.writable and all(possible.names[index].votes for index in needed)
    )


def _not(holds: Callable[[EtcdState], bool]) -> Callable[[EtcdState], bool]:
    return lambda state: not holds(state)


class Rolling(Record):
    """How a rolling update goes about it.

    ``validates`` is False for ``--cloudonly``; ``insists`` is False where a failed
    validation does not stop it; ``rechecks`` is False for ``--validate-count=0``;
    ``publishes`` on clouds where every replacement applies the state store again;
    ``awaited`` is False where what follows may come at any moment of the roll.
    """

    force: bool = False
    validates: bool = True
    insists: bool = True
    rechecks: bool = True
    publishes: bool = False
    awaited: bool = True


def roll(
    state: ClusterState, groups: Iterable[str], how: Rolling, watch: Watch
) -> list[ClusterState]:
    """The machines of the control-plane ``groups`` are replaced one by one.

    Gives the courses on which the roll came to its end (``ok``) and those on which
    a failed validation stopped it. ``watch`` is shown every moment in which a
    machine is away.
    Without ``force`` any node may also be up to date and left alone. That a command
    before has failed is none of it.
    """
    state = state._replace(ok=True)
    going = [state]
    stopped: list[ClusterState] = []
    early = [] if how.awaited else [state]
    for group in sorted(groups):
        rolled: list[ClusterState] = []
        for current in going:
            ready = _checked(current, how, stopped)
            if ready is None:
                continue
            if not how.force:
                rolled.append(ready)
            watch(drop(ready, group), group)
            down = stop(ready, group)
            if how.publishes:
                down = apply(down, down.registry)
            back = boot(down, [group])
            if not how.awaited:
                early.append(back)
            if not how.rechecks:
                rolled.append(back)
                continue
            checked = _checked(back, how, stopped)
            if checked is not None:
                rolled.append(checked)
        going = merged(rolled)
    return [*merged([*going, *early]), *merged(stopped)]


def _checked(
    state: ClusterState, how: Rolling, stopped: list[ClusterState]
) -> ClusterState | None:
    """The state after one validation; failures end up in ``stopped``."""
    if not how.validates:
        return state
    result = validate(state)
    if not how.insists:
        return state
    stopped.extend(result.failed)
    return result.passed


# ------------------------------------------------------------------------------------
# Commands that touch machines: update, roll, delete, terraform, the cloud's own
#
# Sources: kops cmd/kops/update_cluster.go, rolling-update_cluster.go,
# reconcile_cluster.go, delete_instancegroup.go, pkg/instancegroups.


def run_delete_group(
    command: DeleteInstanceGroup, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops delete ig``: the machine goes at once, then the object.

    Not on every cloud: it fails at the machine, or finds none and deletes the object.
    A group known only at run time is every group that it may be, each a course of
    its own. Without ``--yes`` kops asks, and whoever put it in the list says yes.
    """
    word = command.group
    name = word.text if word is not None else None
    if name is not None:
        return [_deleted(state, plan, name)]
    existing = tuple(sorted(state.registry.groups))
    if word is None or not existing:
        return [undecided(state, "the group to delete is not given")]
    candidates = plan.meant_groups(word, existing)
    assumed = taken(Kind.GROUP, word.shown, candidates)
    return [
        _deleted(state, plan, name)._replace(assumed=(assumed,)) for name in candidates
    ]


def _deleted(state: ClusterState, plan: Scenario, group: str) -> Result:
    if group not in state.registry.groups:
        return unknown_group(state, plan, group)
    problem = refusals.of_deleting(group, state.registry)
    if problem is not None:
        return refused(state, problem)
    cloud = cloud_named(state.registry.cloud)
    listed = state.cloud.get(group, 0) > 0 or (
        cloud is not None and cloud.lists_empty_groups
    )
    if listed and cloud is not None and cloud.delete_group_fails is not None:
        said = (
            "error deleting cloud resources for InstanceGroup: "
            f"{cloud.delete_group_fails}"
        )
        return refused(state, Rejection("no-group-deletion", said, group))
    registry = with_groups(state.registry, (), removed=[group])
    state = state._replace(registry=registry)
    if cloud is not None and cloud.leaves_machines:
        return applied(state)
    return applied(drop(state, group))


def run_delete_file(
    command: DeleteFromFile, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops delete -f``: with ``--yes`` every group of the files goes.

    With the Cluster among them it is the whole cluster. A file that nobody knows is
    taken to hold the group that it is called like, or else those that the change
    removes, if there are any.
    """
    if not command.yes:
        return [nothing(state)]
    assumed = plan.assumed_of(command.files, "the groups that the change removes")
    state = state.guessing(assumed)
    for word in command.files:
        known, called = plan.objects_of(word), plan.group_called(word)
        if known is not None and known.cluster is not None:
            return [applied(_without_cluster(state), *assumed)]
        if known is not None:
            names = list(known.groups)
        elif called is not None:
            names = [called]
        else:
            names = sorted(state.registry.groups.keys() - plan.after.groups.keys())
            if not names:
                return [undecided(state, f"what {word.shown} holds")]
        for name in names:
            result = _deleted(state, plan, name)
            if result.refusals:
                return [result._replace(assumed=assumed)]
            state = result.state
    return [applied(state, *assumed)]


def run_delete_cluster(command: DeleteCluster, state: ClusterState) -> Result:
    """``kops delete cluster``: nothing is left to simulate, which is the point.

    With ``--unregister`` only the state store forgets it, its keys and backups too.
    """
    if not command.yes:
        return nothing(state)
    if command.unregister:
        return applied(_forgotten(state))
    return applied(_without_cluster(state))


def _without_cluster(state: ClusterState) -> ClusterState:
    """No machine, disk or etcd is left, and nothing in the state store."""
    return _forgotten(state)._replace(cloud={}).with_etcd({})


def _forgotten(state: ClusterState) -> ClusterState:
    empty = Manifest(name=state.registry.name, cluster=None, groups={})
    return state._replace(registry=empty)


def run_update(
    command: UpdateCluster, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops update cluster``: refused as a whole, or published and applied.

    A dry run asks the same questions. A terraform target writes files; the rest
    happens when terraform applies them.
    """
    problem = update_refusals(state.registry, plan)
    if problem:
        return [refused(state, *problem)]
    target = command.target.text if command.target is not None else "direct"
    results = _rendered(state) if target in ("terraform", None) else []
    if target != "terraform":
        results += _updated(command, state)
    return results


def _rendered(state: ClusterState) -> list[Result]:
    """The objects become files of terraform, where kops renders any."""
    cloud = cloud_named(state.registry.cloud)
    if cloud is not None and cloud.terraform is None:
        said = f"cloud provider {cloud.name} does not support the terraform target"
        return [refused(state, Rejection("no-terraform", said, cloud.name))]
    return [applied(state._replace(rendered=state.registry))]


def _updated(command: UpdateCluster, state: ClusterState) -> list[Result]:
    """The objects are brought to the cloud, as far as the command line lets them.

    A phase and a lifecycle that only run time knows are followed both ways.
    """
    if not command.yes:
        return [nothing(state)]
    if command.leaves_machines:
        return [applied(state)]
    only = _selected(state.registry, command.groups, command.roles)
    overrides = command.lifecycle_overrides
    keeps_spec = any("ManagedFile=Ignore" in word.shown for word in overrides)
    unsure = not keeps_spec and any(word.text is None for word in overrides)
    results = [
        applied(
            apply(state, state.registry, groups=only.groups, publish=publish),
            *only.assumed,
        )
        for publish in ((True, False) if unsure else (not keeps_spec,))
    ]
    if command.phase is not None and command.phase.text is None:
        results.append(applied(state))
    return results


def update_refusals(registry: Manifest, plan: Scenario) -> tuple[Rejection, ...]:
    """Why an update of ``registry`` is refused; groups nobody showed are not missed.

    A specification without a single group of a role says nothing about that role.
    """
    found = refusals.of_update(registry)
    workers = [g for g in plan.before.groups.values() if not g.is_control_plane]
    left = [g for g in registry.groups.values() if not g.is_control_plane]
    if workers and not left:
        none = "must configure at least one Node InstanceGroup"
        found += (Rejection("no-nodes", none, registry.name),)
    return found + validated.of_applied(plan, registry)


class Selected(Record):
    """The groups that the filters of a command select; None: it has no filters.

    ``assumed`` is what is taken for granted where a filter is known at run time only.
    """

    groups: frozenset[str] | None
    assumed: tuple[Assumption, ...] = ()


def _selected(
    registry: Manifest, named: tuple[Word, ...], roles: tuple[Word, ...]
) -> Selected:
    """The groups that ``--instance-group`` or else the roles select.

    What only run time knows is taken to be every group that it fits.
    """
    groups: set[str] = set()
    assumed: list[Assumption] = []
    for word in named or roles:
        if word.text is None:
            found = _fitting(word, registry.groups if named else _ROLES)
            assumed.append(taken(Kind.GROUP, word.shown, found, joined="and"))
        else:
            found = [word.text]
        if roles and not named:
            wanted = {parse_role(name) for name in found}
            found = [n for n, g in registry.groups.items() if g.role in wanted]
        groups.update(found)
    filters = named or roles
    return Selected(frozenset(groups) if filters else None, tuple(assumed))


_ROLES = ("control-plane", *(role.value.lower() for role in list(Role)[1:]))


def _fitting(word: Word, names: Iterable[str]) -> list[str]:
    """The names that a word may be, by what of it is known; all if it fits none."""
    known = (re.escape(p) if isinstance(p, str) else ".*" for p in word.pieces)
    pattern = re.compile("".join(known))
    return [name for name in names if pattern.fullmatch(name)] or list(names)


def run_roll(
    command: RollingUpdate, state: ClusterState, plan: Scenario, watch: Watch
) -> list[Result]:
    """``kops rolling-update cluster``: one control-plane machine after another.

    Where another one runs at the same time, both find the cluster healthy before
    either has taken a machine: its validation is as good as none.
    """
    registry = state.registry
    for word in command.groups:
        if word.text is not None and word.text not in registry.groups:
            return [unknown_group(state, plan, word.text)]
    if not command.yes:
        return [nothing(state)]
    only = _selected(registry, command.groups, command.roles)
    selected = [
        group.name
        for group in registry.control_plane
        if state.cloud.get(group.name, 0) > 0
        and (only.groups is None or group.name in only.groups)
    ]
    count = command.validate_count.text if command.validate_count is not None else "2"
    after = [
        rolled
        for rechecks in ((True, False) if count is None else (count != "0",))
        for rolled in roll(
            state, selected, _rolling(command, state, plan, rechecks), watch
        )
    ]
    results = [result._replace(assumed=only.assumed) for result in _ended(state, after)]
    return [noted_by_job(result) for result in results] if selected else results


def _rolling(
    command: RollingUpdate, state: ClusterState, plan: Scenario, rechecks: bool
) -> Rolling:
    """How the machines are replaced."""
    return Rolling(
        force=command.force,
        validates=not command.cloudonly and not _is_beside_another(command, state),
        awaited=state.job is None,
        insists=command.fail_on_validate_error,
        rechecks=rechecks,
        publishes=_publishes(state.registry, plan),
    )


def _is_beside_another(command: RollingUpdate, state: ClusterState) -> bool:
    """Whether another command may be replacing control-plane machines meanwhile."""
    return bool(command.at_once) or state.replacing


def _publishes(registry: Manifest, plan: Scenario) -> bool:
    cloud = cloud_named(registry.cloud)
    applies = cloud is not None and cloud.rolls_apply
    return applies and not update_refusals(registry, plan)


def _ended(before: ClusterState, after: list[ClusterState]) -> list[Result]:
    """Results of a roll: where validation stopped it, kops fails."""
    results = []
    for state in after:
        if state.ok:
            results.append(applied(state))
            continue
        missing = missing_groups(before)
        why = (
            f'InstanceGroup "{missing[0]}" is missing from the cloud provider'
            if missing
            else "the cluster does not validate, so the roll stops"
        )
        about = missing[0] if missing else before.registry.name
        results.append(refused(state, Rejection("not-in-cloud", why, about)))
    return results


def run_reconcile(
    command: Reconcile, state: ClusterState, plan: Scenario, watch: Watch
) -> list[Result]:
    """``kops reconcile cluster``: update, validate and roll, control plane first."""
    problem = update_refusals(state.registry, plan)
    if problem:
        return [refused(state, *problem)]
    if not command.yes:
        return [nothing(state)]
    then = apply(state, state.registry)
    checked = validate(then)
    results = _ended(state, list(checked.failed))
    if checked.passed is not None:
        selected = [g.name for g in then.registry.control_plane if g.size > 0]
        rolled = roll(checked.passed, selected, Rolling(), watch)
        results.extend(_ended(then, rolled))
    return results


def run_validate(state: ClusterState) -> list[Result]:
    """``kops validate cluster``: changes nothing, and fails or not."""
    checked = validate(state)
    results = [applied(checked.passed)] if checked.passed is not None else []
    failed = Rejection(
        "not-in-cloud", "the cluster does not validate", state.registry.name
    )
    results.extend(refused(failure, failed) for failure in checked.failed)
    return results


# ------------------------------------------------------------------------------------
# Commands that stop single machines, which their groups then bring back
#
# They go by ids, and only the cloud knows whose id it is: what an argument may mean
# is followed, that it is no machine of the control plane too. Sources: kops
# cmd/kops/delete_instance.go and the clouds' own command lines.

_MANY = (
    r"\$\(|`|\$[@*]|\[[@*]\]|\{\}|standard input"
    r"|\$\{?\w*(?:IDS|[Ii]ds|INSTANCES|instances|LIST|list|NODES|nodes)\}?$"
)
"""Expressions for any number of words, or for one after another.

A variable without quotes that is called like many may be split into many.
"""


def run_delete_instance(
    command: DeleteInstance, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops delete instance``: one machine is replaced and nothing is validated."""
    if not command.yes:
        return [nothing(state)]
    words = (command.instance,) if command.instance is not None else ()
    return [noted_by_job(result) for result in restarted(state, plan, words)]


def run_stop(
    command: StopInstances, state: ClusterState, plan: Scenario
) -> list[Result]:
    """Machines are started, stopped, rebooted or terminated past kops."""
    words, many = command.instances, command.many
    if command.verb == "start":
        return [applied(_started(state, plan, words))]
    if _stays_away(command, state):
        return _stopped(state, plan, words, many=many)
    return restarted(state, plan, words, many=many)


def _stays_away(command: StopInstances, state: ClusterState) -> bool:
    """Whether the cloud leaves a machine away until somebody brings it back.

    A group of AWS or GCE makes a machine anew that was stopped or terminated under
    it, unless it is told to ask for one less. Elsewhere the machines of kops are in
    no such group, or it counts one less: Microsoft's reference of ``az vmss
    delete-instances``.
    """
    if command.verb == "reboot":
        return False
    cloud = cloud_named(state.registry.cloud)
    return command.for_good or (cloud is not None and not cloud.remakes_machines)


def _started(
    state: ClusterState, plan: Scenario, words: tuple[Word, ...]
) -> ClusterState:
    """Machines that were stopped run again: those that are named, or else all."""
    named = plan.told_machines(words)
    down = [name for name, size in state.cloud.items() if size < 1]
    wanted = [n for n in down if n in state.registry.groups]
    groups = [name for name in wanted if not named or name in named]
    sizes = {name: state.registry.groups[name].size for name in groups}
    return boot(state.with_cloud({**state.cloud, **sizes}), groups)


def _stopped(
    state: ClusterState, plan: Scenario, words: tuple[Word, ...], *, many: bool
) -> list[Result]:
    """The machines that ``words`` name stop, and stay away."""
    return _each_away(state, plan, words, _gone, many=many)


def _gone(state: ClusterState, group: str) -> ClusterState:
    return stop(state.with_cloud({**state.cloud, group: 0}), group)


def restarted(
    state: ClusterState,
    plan: Scenario,
    words: tuple[Word, ...],
    *,
    many: bool = False,
) -> list[Result]:
    """The machines that ``words`` name stop; those of a group come back.

    An id that could be any machine may be any control-plane machine, or none; what
    may be many ids may be all of them.
    """
    return _each_away(state, plan, words, stop, many=many)


def _each_away(
    state: ClusterState,
    plan: Scenario,
    words: tuple[Word, ...],
    away: Callable[[ClusterState, str], ClusterState],
    *,
    many: bool,
) -> list[Result]:
    if words and all(plan.names_workers(word) for word in words):
        return [applied(state)]
    # `master-[a-c]` and `master*` name more than they spell out.
    pattern = many and any(re.search(r"[\[*?{]", word.shown) for word in words)
    named = () if pattern else plan.meant_machines(words)
    candidates = named or tuple(g.name for g in state.registry.control_plane)
    sure = bool(named) and len(named) == len(words)
    if sure:
        for group in named:
            state = away(state, group)
            if state.cloud.get(group, 0) > 0:
                state = boot(state, [group])
        return [applied(state, *plan.assumed_machines(words, named))]
    several = many or any(_may_be_many(word) for word in words)
    most = len(candidates) if several else min(len(words), len(candidates))
    outcomes = [state]
    for _ in range(most):
        stopped = (away(s, group) for s in outcomes for group in candidates)
        outcomes = merged([*outcomes, *stopped])
    who = " or ".join(candidates)
    text = (
        f"the machine is that of {who}, or another"
        if most < 2
        else f"up to {most} machines are those of {who}, or others"
    )
    assumed = assume(Kind.MACHINE, " ".join(word.shown for word in words), text)
    return [applied(outcome, assumed) for outcome in outcomes]


def _may_be_many(word: Word) -> bool:
    return word.unknown is not None and bool(re.search(_MANY, word.unknown.name))


def run_unreplayed(
    command: Unreplayed, state: ClusterState, plan: Scenario
) -> list[Result]:
    """What there is no move for; nothing where it meets no control plane.

    That is so where all that it names are workers, and after the cluster is deleted.
    """
    if command.reach == "state-store" and command.about:
        cluster, name = plan.before.cluster, plan.before.name
        if not any(is_in_store(word, cluster, name) for word in command.about):
            return [applied(state)]
    workers = bool(command.about) and all(map(plan.names_workers, command.about))
    if workers or not state.cloud:
        return [applied(state)]
    return [undecided(state, command.reason, command.reach)]
