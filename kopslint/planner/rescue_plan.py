"""The way back as steps: what is run, what must hold before, and what is lost.

Where nothing is lost and kops can do it, it is a runbook like any other. What takes
somebody on a machine, or loses what was written, is a procedure in words.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.commands import model
from kopslint.commands.kops import DeleteInstanceGroup, Replace, Validate
from kopslint.kops.clouds import cloud_named
from kopslint.kops.etcd_manager import member_name
from kopslint.kops.state_store import backups_of
from kopslint.model.actions import effect
from kopslint.model.initial import aligned, healthy
from kopslint.model.observed import observed
from kopslint.model.replay import observed_ids
from kopslint.model.scenario import Scenario
from kopslint.model.spec_files import SpecFiles
from kopslint.model.state import merged
from kopslint.model.timeline import views
from kopslint.planner.control_plane import units
from kopslint.planner.intermediate_specs import Spec
from kopslint.planner.rescue import (
    Way,
    best,
    condition,
    leads_back,
    removals_in_order,
    seen,
)
from kopslint.planner.runbook import NoWay, Runbook, Step
from kopslint.planner.steps import PlannedStep, PlannedSteps, file_key
from kopslint.records import Record
from kopslint.shell.ast import Word
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kopslint.kops.spec import Manifest
    from kopslint.model.state import ClusterState
    from kopslint.observed.observation import Observation
    from kopslint.planner.control_plane import Unit
    from kopslint.planner.rescue import Condition


def plan_rescue(
    manifest: Manifest,
    files: tuple[str, ...],
    observation: Observation,
    store: str | None,
    kops_version: str | None = None,
) -> Runbook | NoWay | None:
    """The way back to a healthy cluster of ``manifest``; None if nothing is amiss.

    ``files`` are those of the spec, as the commands are to name them.
    """
    manifest, _ = aligned(manifest, manifest)
    spec = Spec(files, manifest, manifest.sources)
    plan = Scenario(
        before=manifest,
        after=manifest,
        files=SpecFiles({file_key(file): manifest for file in files}),
        kops_version=kops_version,
        ids=observed_ids(observation, (manifest,)),
    )
    state = observed(healthy(plan), plan, observation)
    return _Rescue(plan, state, observation, spec, store).plan()


class _Etcd(Record):
    """One etcd cluster: what was seen, and the first way that leads back."""

    name: str
    condition: Condition
    way: Way | None
    also: tuple[Way, ...]


class _Rescue:
    def __init__(
        self,
        plan: Scenario,
        state: ClusterState,
        observation: Observation,
        spec: Spec,
        store: str | None,
    ) -> None:
        self._plan = plan
        self._state = state
        self._observation = observation
        self._spec = spec
        self._store = store
        self._cluster = plan.before.name
        self._deeds = PlannedSteps(self._cluster, plan.before.cloud)
        self._units = units(plan.before)
        self._etcd = tuple(self._of(name) for name in state.etcd)

    def _of(self, name: str) -> _Etcd:
        wanted = tuple(
            member.name
            for etcd in self._plan.before.etcd_clusters
            if etcd.name == name
            for member in etcd.members
        )
        state_set = self._state.etcd[name]
        also = tuple(
            way
            for way in (Way.FORCE, Way.RESTORE)
            if leads_back(way, state_set, wanted)
        )
        now = condition(state_set, wanted)
        return _Etcd(name, now, best(state_set, wanted), also)

    def plan(self) -> Runbook | NoWay | None:
        """The way that all etcd clusters can take: they share their machines."""
        ways = {etcd.way for etcd in self._etcd}
        if ways <= {Way.NOTHING}:
            return None
        if None in ways:
            return self._no_way([*self._unclear()])
        if ways <= {Way.NOTHING, Way.MEND}:
            return self._mended()
        if Way.RESTORE not in ways and Way.FORCE not in ways:
            return self._returned()
        return self._by_hand()

    def _unclear(self) -> Iterator[str]:
        for etcd in self._etcd:
            now = etcd.condition
            if etcd.way is not None:
                continue
            if now.split:
                yield (
                    f"two etcd {etcd.name} clusters serve at once. Choose one: what"
                    " was written to the other is lost. Stop the machines of the"
                    " other one and empty their disks, then observe and plan again"
                )
            elif now.quorum is None:
                yield (
                    f"the observation does not show whether etcd {etcd.name} has"
                    " quorum: `kopslint observe` prints what to collect"
                )
            elif nameless := [n for n in now.strangers if n.startswith("id ")]:
                yield (
                    f"which member of the spec runs in etcd {etcd.name} as "
                    f"{', '.join(nameless)} was not told: `kopslint observe` prints "
                    "what to collect"
                )
            elif now.strangers:
                who = ", ".join(now.strangers)
                yield (
                    f"{who} runs in etcd {etcd.name} but is not in the spec: add it to"
                    " the spec if it should stay, then plan again"
                )
            else:
                yield (
                    "the observation leaves too many possibilities for etcd"
                    f" {etcd.name}: `kopslint observe` prints what to collect"
                )

    def _no_way(self, reasons: list[str], lines: Iterator[str] | None = None) -> NoWay:
        return NoWay(
            self._cluster,
            self._store,
            tuple(reasons),
            files=self._spec.files,
            rescue=tuple(lines) if lines is not None else (),
        )

    # --- quorum holds ------------------------------------------------------------

    def _mended(self) -> Runbook | NoWay:
        """Dead members leave the list, and those that are wanted start empty."""
        conditions = {etcd.name: etcd.condition for etcd in self._etcd}
        rebuilt = [unit for unit in self._units if self._is_lost(unit, conditions)]
        if rebuilt and (why := self._cannot_delete(rebuilt)):
            return self._no_way([why])
        stopped = [unit for unit in rebuilt if self._waits(unit, conditions)]
        steps: list[PlannedStep] = []
        for etcd in self._etcd:
            steps += self._forget(etcd.name)
        steps += [self._stopped(unit) for unit in stopped]
        steps += [
            self._remove(etcd.name, name)
            for etcd in self._etcd
            for name in removals_in_order(etcd.condition)
        ]
        steps += self._out_of_the_rest(rebuilt, conditions)
        steps += [self._emptied(unit, gone=unit in stopped) for unit in rebuilt]
        if rebuilt:
            names = ", ".join(unit.name for unit in rebuilt)
            reason = (
                f"The machines of {names} start with empty disks; etcd-manager adds"
                " them one by one. Nothing is lost: they copy the data from the"
                " others."
            )
            last = self._deeds.apply(self._spec, reason)
            steps.append(last._replace(rescues=True))
        if any(etcd.condition.queued for etcd in self._etcd):
            steps.append(self._restarted())
        return self._runbook(steps)

    def _is_lost(self, unit: Unit, conditions: Mapping[str, Condition]) -> bool:
        return any(
            member.name in conditions[etcd].to_rebuild
            for etcd, member in unit.members
            if etcd in conditions
        )

    def _waits(self, unit: Unit, conditions: Mapping[str, Condition]) -> bool:
        """Whether its machine runs, and votes nowhere."""
        members = [(conditions[e], m.name) for e, m in unit.members if e in conditions]
        return all(name in now.to_stop for now, name in members)

    def _out_of_the_rest(
        self, rebuilt: list[Unit], conditions: Mapping[str, Condition]
    ) -> Iterator[PlannedStep]:
        """Members that vote in another etcd cluster of a machine that starts anew."""
        for unit in rebuilt:
            for etcd, member in unit.members:
                now = conditions.get(etcd)
                if now is None or member.name in removals_in_order(now):
                    continue
                if any(kind.listed for kind in now.names[member.name]):
                    yield self._remove(etcd, member.name)

    def _remove(self, etcd_cluster: str, name: str) -> PlannedStep:
        """By its name, or by its id where it has none yet."""
        if not name.startswith("id "):
            step = self._deeds.remove(etcd_cluster, name)
            return step._replace(rescues=True)
        number = name.removeprefix("id ")
        text = f"etcd {quote(etcd_cluster)} member remove {quote(number)}"
        span = Source("(plan)", text).whole()
        command = model.MemberRemove(
            text=text,
            span=span,
            member=Word((number,), number, span),
            etcd_cluster=etcd_cluster,
        )
        reason = (
            f"The member with the id {number} never started, and nothing will start"
            f" it: remove it from etcd {etcd_cluster}."
        )
        return PlannedStep(
            "remove", name, reason, (command,), etcd_cluster, rescues=True
        )

    def _emptied(self, unit: Unit, *, gone: bool) -> PlannedStep:
        step = self._deeds.delete(unit, wipe=True)
        reason = (
            f"Delete the etcd volumes of {unit.name}: a machine with the data of a"
            " removed member cannot join. First check that the member is no longer"
            " listed; if it is, stop here."
        )
        step = step.without(Validate, *([DeleteInstanceGroup] if gone else []))
        return step._replace(reason=reason, rescues=True)

    def _stopped(self, unit: Unit) -> PlannedStep:
        """Its machine ends; a cluster with other broken machines does not validate."""
        step = self._deeds.delete(unit)
        return step.without(Validate)._replace(rescues=True)

    def _forget(self, etcd_cluster: str) -> Iterator[PlannedStep]:
        """Every restore that waits leaves the queue: one that is done lets in the next.

        After a restore the leader reads again at once.
        """
        seen = self._observation.etcd_cluster(etcd_cluster)
        backups = self._backups(etcd_cluster)
        for queued in seen.queued or () if seen is not None else ():
            text = (
                f"etcd-manager-ctl --backup-store={backups} delete-command "
                f"{quote(queued.backup)}"
            )
            span = Source("(plan)", text).whole()
            command = model.DeleteRestore(
                text=text, span=span, etcd_cluster=etcd_cluster
            )
            reason = (
                f"The queued restore of {queued.backup} would roll back etcd "
                f"{etcd_cluster}, which works. A leader that has read it holds it "
                "until its etcd-manager restarts."
            )
            yield PlannedStep("remove", "", reason, (command,), rescues=True)

    def _restarted(self) -> PlannedStep:
        """Whoever leads then has read the store since."""
        reason = (
            "Every control-plane machine is replaced, one after the other, with its "
            "disks: whichever etcd-manager leads has read the state store anew then."
        )
        return self._deeds.restart(reason)._replace(rescues=True)

    def _cannot_delete(self, rebuilt: list[Unit]) -> str | None:
        cloud = cloud_named(self._plan.before.cloud)
        names = ", ".join(unit.name for unit in rebuilt)
        if cloud is None or cloud.delete_volume is None:
            return f"kopslint does not know how to delete the volumes of {names} here"
        if cloud.delete_group_does is not None:
            return (
                f"{names} would have to be deleted on {cloud.name}, and `kops delete "
                f"ig` does not do that: {cloud.delete_group_does}"
            )
        return None

    # --- quorum is lost ----------------------------------------------------------

    def _returned(self) -> Runbook:
        """The machines of lost members come back with the disks that they had."""
        lost = self._lost_groups()
        names = ", ".join(lost)
        reason = (
            f"Bring back the machines of {names}, with their old disks: etcd has"
            " quorum again in seconds, and nothing is lost. If a disk is gone, this"
            " step fails and nothing changes."
        )
        update = self._deeds.apply(self._spec, reason)
        # The state store has this spec already.
        step = update.without(Replace)._replace(about=names, spec=None, rescues=True)
        runbook = self._runbook([step])
        notes = [
            *runbook.notes,
            "If it fails because disks are lost, these options remain:",
            *self._last_resort(),
        ]
        return runbook._replace(notes=tuple(notes))

    def _lost_groups(self) -> tuple[str, ...]:
        return tuple(
            unit.name
            for unit in self._units
            if any(
                not any(kind.up for kind in etcd.condition.names[member.name])
                for etcd in self._etcd
                for name, member in unit.members
                if name == etcd.name
            )
        )

    def _by_hand(self) -> NoWay:
        without_loss = all(
            etcd.way in (Way.NOTHING, Way.MEND) or Way.FORCE in etcd.also
            for etcd in self._etcd
        )
        lost = ", ".join(e.name for e in self._etcd if e.condition.quorum is False)
        what = (
            "nothing is lost, but somebody has to log in to a machine"
            if without_loss
            else "everything written since the last backup is lost"
        )
        reason = f"etcd {lost} has no quorum, and no disk can bring it back: {what}"
        return self._no_way([reason], self._last_resort())

    def _last_resort(self) -> Iterator[str]:
        broken = [e for e in self._etcd if e.way not in (Way.NOTHING, Way.MEND)]
        if all(Way.FORCE in etcd.also for etcd in broken):
            yield from self._forced(broken)
        else:
            yield from self._restored()

    def _forced(self, broken: list[_Etcd]) -> Iterator[str]:
        """One survivor for all etcd clusters, if there is one."""
        (survivor, *_) = broken[0].condition.survivors
        unit = next(
            u
            for u in self._units
            if (m := u.member(broken[0].name)) and m.name == survivor
        )
        yield (
            "One survivor becomes the only member and keeps all its data: of several"
            " survivors use the one with the highest RAFT INDEX in `etcdctl endpoint"
            f" status`, here {unit.name}."
        )
        yield from self._others_stopped(keep=(unit.name,))
        yield (
            f"2. On the machine of {unit.name} stop etcd-manager, run etcd once with"
            " its data, and stop it as soon as it logs that it serves:"
        )
        for etcd in broken:
            member = unit.member(etcd.name)
            name = member_name(etcd.name, member.name if member is not None else "")
            manifest = f"etcd-{etcd.name}.manifest"
            yield f"  mv /etc/kubernetes/manifests/{manifest} /root/"
            yield f"  etcd --force-new-cluster --name {name} --data-dir DATA_DIR"
            yield f"  mv /root/{manifest} /etc/kubernetes/manifests/"
        yield (
            "3. Look whether it serves, and has the data. Go on only then; until then "
            "the disks of the others are a way back:"
        )
        yield f"  kubectl --context {quote(self._cluster)} get nodes"
        yield (
            "4. Delete the etcd volumes of the others in the cloud: with the data of a "
            "member that is no more a machine is not let in."
        )
        yield from self._all_back(number=5)

    def _restored(self) -> Iterator[str]:
        yield (
            "Only a backup is left: every write since it was taken is lost. Keep this"
            " order: a restore that is queued while old disks can still come back"
            " rolls back a working cluster, or creates a second one."
        )
        keep = tuple(
            unit.name
            for unit in self._units
            if any(
                (m := unit.member(etcd.name)) and m.name in etcd.condition.survivors
                for etcd in self._etcd
            )
        )
        yield from self._others_gone(keep=keep)
        yield from self._all_back(number=2, wait=False)
        yield (
            "3. When all machines run, queue the restore. Before it, `list-commands` "
            "must show nothing, or that runs as well; and etcd must still be without "
            "quorum, or the backup is mixed with what is there:"
        )
        for etcd in self._etcd:
            if etcd.way in (Way.NOTHING, Way.MEND):
                continue
            backups = self._backups(etcd.name)
            yield f"  etcd-manager-ctl --backup-store={backups} list-commands"
            yield f"  etcd-manager-ctl --backup-store={backups} list-backups"
            yield f"  etcd-manager-ctl --backup-store={backups} restore-backup BACKUP"
        yield (
            "4. Restart etcd-manager on every control-plane machine if nothing"
            " happens within three minutes, and check that the cluster is healthy:"
        )
        yield f"  kops validate cluster --name {quote(self._cluster)} --wait 30m"

    def _others_stopped(self, keep: tuple[str, ...]) -> Iterator[str]:
        yield (
            "1. Nobody else may run meanwhile: delete the groups of all others, and "
            "keep their etcd volumes."
        )
        for unit in self._units:
            if unit.name not in keep:
                name = quote(self._cluster)
                yield f"  kops delete ig {quote(unit.name)} --name {name} --yes"

    def _others_gone(self, keep: tuple[str, ...]) -> Iterator[str]:
        others = [unit for unit in self._units if unit.name not in keep]
        if not others:
            yield (
                "1. No old disk may come back, and the observation does not show"
                " which could: check the groups and their etcd volumes before you"
                " continue."
            )
            return
        yield (
            "1. No old disk may come back: delete the groups of all others, and then "
            "their etcd volumes in the cloud:"
        )
        for unit in others:
            name = quote(self._cluster)
            yield f"  kops delete ig {quote(unit.name)} --name {name} --yes"

    def _all_back(self, number: int = 3, *, wait: bool = True) -> Iterator[str]:
        files = " ".join(f"-f {quote(file)}" for file in self._spec.files)
        yield f"{number}. Bring the others back with empty disks:"
        yield f"  kops replace --force {files}"
        name = quote(self._cluster)
        yield f"  kops update cluster --name {name} --yes"
        if wait:
            yield f"  kops validate cluster --name {name} --wait 30m"

    def _backups(self, etcd_cluster: str) -> str:
        spec = self._plan.before
        (etcd,) = (e for e in spec.etcd_clusters if e.name == etcd_cluster)
        return quote(backups_of(spec, etcd))

    # --- as a runbook ------------------------------------------------------------

    def _runbook(self, steps: list[PlannedStep]) -> Runbook:
        names = tuple(self._state.etcd)
        etcd = {name: seen(each) for name, each in self._state.etcd.items()}
        states = [self._state.with_etcd(etcd)]
        done: list[Step] = []
        for step in steps:
            before = views(states, names)
            after = [*states]
            for command in step.commands:
                after = self._after(command, after)
            tolerance = min(v.tolerance for v in views(after, names).values())
            done.append(
                Step(
                    step,
                    before,
                    views(after, names),
                    tolerance,
                    any(view.writable != "yes" for view in before.values()),
                    tuple(self._via()),
                    next(iter(self._via()), ""),
                )
            )
            states = after
        return Runbook(
            self._cluster,
            self._store,
            tuple(done),
            cloud=self._plan.before.cloud,
            rescue=True,
        )

    def _after(
        self, command: model.Command, states: list[ClusterState]
    ) -> list[ClusterState]:
        results = [
            result
            for state in states
            for result in effect(command, state, lambda *_: None, self._plan)
        ]
        good = [result for result in results if not result.refusals]
        return merged(result.state for result in good or results)

    def _via(self) -> Iterator[str]:
        """The groups whose machines vote in every etcd cluster, to ask it through."""
        for unit in self._units:
            members = {etcd: member.name for etcd, member in unit.members}
            if all(
                members.get(etcd.name) in etcd.condition.survivors
                for etcd in self._etcd
            ):
                yield unit.name
