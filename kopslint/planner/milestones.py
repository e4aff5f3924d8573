"""All stages of a change: directly, or by way of a spec with stand-in members.

The better way is chosen here; ``search`` finds the order within each stage.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from kopslint.checks.etcd_versions import runtime_change
from kopslint.kops.clouds import cloud_named
from kopslint.kops.running_etcd import may_run_at
from kopslint.kops.versions import Release, release
from kopslint.model.etcd.state import spare
from kopslint.model.initial import healthy
from kopslint.model.scenario import Scenario
from kopslint.model.spec_files import SpecFiles
from kopslint.planner.control_plane import turnover, units
from kopslint.planner.execute import perform
from kopslint.planner.intermediate_specs import (
    Versions,
    cluster_document,
    group_document,
    interim,
    with_members,
    written,
)
from kopslint.planner.releases import etcd_between, etcd_goes_back
from kopslint.planner.search import Stage, search
from kopslint.planner.steps import file_key
from kopslint.records import Record
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.planner.control_plane import Turnover, Unit
    from kopslint.planner.intermediate_specs import Spec
    from kopslint.planner.steps import PlannedStep, PlannedSteps


# ------------------------------------------------------------------------------------
# Where the way from before to after has to pass: specs that one edit cannot skip
#
# Members come first, at the releases of before; then one minor release of Kubernetes
# or etcd after another. Sources: kops docs/operations/updates_and_upgrades.md (one
# minor release at a time), docs/networking/cilium.md (the etcd cluster before cilium
# uses it), etcd-manager pkg/controller/upgrade.go (one minor release in place).

_RECONCILES = Release(1, 31, 0)
"""From here on control plane and nodes are upgraded by ``kops reconcile``."""


class Milestone(Record):
    """A spec to pass: the documents of after, held at some versions, and why.

    ``reconcile`` and ``force`` say how machines are replaced; ``retires`` that the
    groups of nodes that go are deleted here, since after has no subnet for them.
    """

    versions: Versions
    reason: str
    reconcile: bool = False
    force: bool = False
    retires: bool = False


def members_first(before: Manifest, after: Manifest) -> bool:
    """Whether members change together with something that takes its own step."""
    change = turnover(before, after)
    moves = bool(change.leaving or change.joining)
    return moves and (_versions_change(before, after) or _cilium_starts(before, after))


def waypoints(before: Manifest, after: Manifest) -> Iterator[Milestone]:
    """The specs between before and after, members aside; after itself is not one."""
    start = before.cluster.kubernetes_version if before.cluster is not None else None
    etcd_old, etcd_new = _etcd(before), _etcd(after)
    held = etcd_old[1] if etcd_old and etcd_new and etcd_old != etcd_new else None
    if _cilium_starts(before, after):
        yield Milestone(
            Versions(start, held, cilium_in_etcd=False),
            "an etcd cluster for cilium, which does not use it yet",
            force=True,
        )
    yield from _released(before, after, held)
    if _subnets_go_with_nodes(before, after):
        yield Milestone(
            Versions(),
            "the subnets stay until the groups in them are deleted",
            retires=True,
        )


def _released(
    before: Manifest, after: Manifest, held: str | None
) -> Iterator[Milestone]:
    """One minor release of Kubernetes after another, and of etcd where it is due.

    Etcd moves before the first Kubernetes whose kops takes the old one no longer, or
    that comes with a newer one; a version that both specs name is ``held`` till then.
    """
    if before.cluster is None or after.cluster is None:
        return
    old, new = _kubernetes(before), _kubernetes(after)
    minors = range(old.minor + 1, new.minor) if old and new else range(0)
    kubernetes = [Release(1, minor, 0) for minor in minors]
    here, running = old, _running(before, old, None)
    at = before.cluster.kubernetes_version
    alone = all(len(etcd.members) < 2 for etcd in before.etcd_clusters)
    for there in [*kubernetes, new]:
        named = held if there is not new else None
        then = _running(after, there, named)
        if named is not None and not then:
            # No kops that takes this Kubernetes takes the version that was held.
            named = held = None
            then = _running(after, there, None)
        for version, reason in etcd_between(running, then, here, alone=alone):
            yield Milestone(Versions(at, version), reason)
            held = version if held is not None else None
        running = then or running
        if there is not new and there is not None:
            at = f"{there.major}.{there.minor}.0"
            yield Milestone(
                Versions(at, named),
                f"Kubernetes {there.series}, one minor release at a time; use its last"
                " patch release",
                reconcile=there >= _RECONCILES,
            )
        here = there


def _running(
    manifest: Manifest, kubernetes: Release | None, version: str | None
) -> tuple[Release, ...]:
    """The etcd that may run of a spec with another Kubernetes, or with ``version``."""
    if kubernetes is None:
        return ()
    found = {
        each
        for etcd in manifest.etcd_clusters
        for each in may_run_at(version or etcd.version, kubernetes)
    }
    return tuple(sorted(found))


def retiring(before: Manifest, after: Manifest) -> tuple[InstanceGroup, ...]:
    """The groups of ``before`` without etcd that ``after`` no longer has."""
    return tuple(
        group
        for name, group in sorted(before.groups.items())
        if name not in after.groups and not group.is_control_plane
    )


def promoted(before: Manifest, after: Manifest) -> tuple[InstanceGroup, ...]:
    """The groups of ``before`` without etcd whose names control planes take over.

    In the cloud a group of another role is another group: kops pkg/model/names.go,
    ``AutoscalingGroupName``.
    """
    control_plane = {group.name for group in after.control_plane}
    return tuple(
        group
        for name, group in sorted(before.groups.items())
        if name in control_plane and not group.is_control_plane
    )


def _subnets_go_with_nodes(before: Manifest, after: Manifest) -> bool:
    kept = {s.name for s in after.cluster.subnets} if after.cluster else set()
    return any(
        name not in kept for group in retiring(before, after) for name in group.subnets
    )


def reconciles(before: Manifest, after: Manifest) -> bool:
    """Whether going to ``after`` changes a Kubernetes release that is reconciled."""
    old, new = _kubernetes(before), _kubernetes(after)
    return new is not None and old != new and new >= _RECONCILES


def restarts_etcd(before: Manifest, after: Manifest) -> bool:
    """Whether members of the old and of the new kind cannot form a quorum together.

    Source: kops docs/etcd3-migration.md, which replaces all of them at once.
    """
    if before.cluster is None or after.cluster is None:
        return False
    pair = before.cluster, after.cluster
    new = {etcd.name: etcd for etcd in after.etcd_clusters}
    return any(
        len(etcd.members) > 1
        and etcd.name in new
        and runtime_change(etcd, new[etcd.name], pair) is not None
        for etcd in before.etcd_clusters
    )


def backward(before: Manifest, after: Manifest) -> str | None:
    """Which release would have to go back, which no order of commands can do.

    Patch releases are free to: etcd-manager pkg/etcdversions/mappings.go compares
    minor releases alone.
    """
    old, new = _kubernetes(before), _kubernetes(after)
    if old is not None and new is not None and new[:2] < old[:2]:
        return f"Kubernetes cannot be downgraded from {old.series} to {new.series}"
    etcd_old, etcd_new = _etcd(before), _etcd(after)
    back = etcd_goes_back(before, after)
    if etcd_old is not None and etcd_new is not None:
        older = etcd_new[0][:2] < etcd_old[0][:2]
        if older or etcd_new[0].major != etcd_old[0].major:
            back = etcd_old[1], etcd_new[1]
    if back is None:
        return None
    return (
        f"etcd cannot go from {back[0]} to {back[1]} in place: etcd-manager stops"
        " every member and restores a backup"
    )


def copied_back(before: Manifest, after: Manifest) -> bool:
    """Whether all that goes back is etcd, from 3.6 to 3.5, and no write is lost.

    etcd-manager stops every member, saves what they hold and copies it key by key into
    a new cluster: no loss in any of the recorded runs of that step. Other steps back
    were not run.
    """
    old, new = _kubernetes(before), _kubernetes(after)
    if old is not None and new is not None and new[:2] < old[:2]:
        return False
    etcd_old, etcd_new = _etcd(before), _etcd(after)
    back = etcd_goes_back(before, after)
    if etcd_old is not None and etcd_new is not None and back is None:
        back = etcd_old[1], etcd_new[1]
    if back is None:
        return False
    series = [found.series for text in back if (found := release(text)) is not None]
    return series == ["3.6", "3.5"]


def needs_roll(before: Manifest, after: Manifest) -> bool:
    """Whether machines that stay get another configuration.

    A lower or higher member count alone changes none: their launch templates name
    etcd clusters and no members.
    """
    for name, group in after.groups.items():
        old = before.groups.get(name)
        if old is None or old.is_control_plane is not group.is_control_plane:
            # A group of another role is a new one.
            continue
        if old is not group and not _only_resized(old, group):
            return True
    if before.cluster is None or after.cluster is None:
        return False
    return _configuration(before.cluster) != _configuration(after.cluster)


def _only_resized(old: InstanceGroup, new: InstanceGroup) -> bool:
    def rest(group: InstanceGroup) -> object:
        document = group.node.plain
        spec = document.get("spec") if isinstance(document, dict) else None
        if isinstance(spec, dict):
            return {k: v for k, v in spec.items() if k not in ("minSize", "maxSize")}
        return document

    return rest(old) == rest(new)


def _configuration(cluster: Cluster) -> object:
    """What of a Cluster reaches machines: all but subnets and lists of members."""
    document = cluster.node.plain
    spec = document.get("spec") if isinstance(document, dict) else None
    if not isinstance(spec, dict):
        return document
    etcd_clusters = [
        {key: value for key, value in etcd.items() if key != "etcdMembers"}
        for etcd in _dicts(spec.get("etcdClusters"))
    ]
    networking = spec.get("networking")
    if isinstance(networking, dict):
        networking = {k: v for k, v in networking.items() if k != "subnets"}
    rest = {
        key: value
        for key, value in spec.items()
        if key not in ("subnets", "etcdClusters", "networking")
    }
    return rest, networking, etcd_clusters


def _dicts(value: object) -> list[dict[str, object]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _versions_change(before: Manifest, after: Manifest) -> bool:
    return _kubernetes(before) != _kubernetes(after) or _etcd(before) != _etcd(after)


def _kubernetes(manifest: Manifest) -> Release | None:
    cluster = manifest.cluster
    return release(cluster.kubernetes_version if cluster is not None else None)


def _etcd(manifest: Manifest) -> tuple[Release, str] | None:
    """The release of etcd, where the spec sets one."""
    for etcd in manifest.etcd_clusters:
        found = release(etcd.version)
        if found is not None and etcd.version is not None:
            return found, etcd.version
    return None


def _cilium_starts(before: Manifest, after: Manifest) -> bool:
    """Whether cilium gets an etcd cluster of its own and is to use it at once."""

    def managed(manifest: Manifest) -> bool:
        path = ("spec", "networking", "cilium", "etcdManaged")
        node = manifest.cluster.node if manifest.cluster is not None else None
        return text_at(node, *path) == "true"

    def has(manifest: Manifest) -> bool:
        return any(etcd.name == "cilium" for etcd in manifest.etcd_clusters)

    return has(after) and managed(after) and not has(before)


class Way(Record):
    """The steps of the whole plan; ``worst``: its outage, and the least to spare."""

    deeds: list[PlannedStep]
    worst: tuple[bool, int]


def _attempt(legs: Stages, interim: Spec | None = None) -> tuple[Way | None, bool]:
    """The whole way, if there is one; and whether a search was cut."""
    plan = Scenario(
        before=legs.before, after=legs.final.manifest, files=SpecFiles(legs.objects)
    )
    state = healthy(plan)
    deeds: list[PlannedStep] = []
    worst = (False, -len(legs.before.groups))
    cut = False

    def retire(groups: Iterable[InstanceGroup]) -> bool:
        nonlocal state
        for group in groups:
            if group.name not in state.registry.groups:
                continue
            deed = legs.deeds.retire(group.name)
            performed = perform(deed.commands, state, plan)
            if performed is None:
                return False
            deeds.append(deed)
            state = performed.state
        return True

    if not retire(promoted(legs.before, legs.final.manifest)):
        return None, cut
    for leg in legs.legs(interim):
        found = search(leg, state, plan)
        cut = cut or found.cut
        if found.way is None:
            return None, cut
        deeds.extend(done.deed for done in found.way)
        for done in found.way:
            outage, tolerance = done.performed.outage, done.performed.tolerance
            worst = max(worst[0], outage), max(worst[1], -tolerance)
        if found.way:
            state = found.way[-1].performed.state
        if leg.retires and not retire(retiring(legs.before, legs.final.manifest)):
            return None, cut
    return Way(deeds, worst), cut


def best_way(legs: Stages) -> tuple[Way | None, bool]:
    """The way with the most members to spare, if there is any; and whether it was cut.

    Stand-ins cost machines and steps, so they are tried only where names are taken
    over, or where more members could fail with them.
    """
    found, cut = None, False
    ends = (legs.before, legs.final.manifest)
    best = False, -spare(min(len(end.control_plane) for end in ends))
    # Where a name is taken over, both volumes of that name must never meet.
    if not turnover(legs.before, legs.final.manifest).colliding:
        found, cut = _attempt(legs)
    if found is None and (interim := legs.interim()) is not None:
        found, again = _attempt(legs, interim)
        cut = cut or again
    if (found is None or found.worst > best) and (more := legs.reserve()):
        better, again = _attempt(legs, more)
        cut = cut or again
        if better is not None and (found is None or better.worst < found.worst):
            found = better
    return found, cut


# ------------------------------------------------------------------------------------
# A change divided into stages: which spec each one ends at, and the specs it may use
#
# A stage changes members or one release, never both.


class Stages:
    """Makes the stages from ``before`` to ``final``, and the specs on the way.

    ``objects`` has what each file of a spec holds; it grows while stages are searched.
    """

    def __init__(self, before: Manifest, final: Spec, deeds: PlannedSteps) -> None:
        self.before = before
        self.final = final
        self.deeds = deeds
        self.objects: dict[str, Manifest] = {}
        self._made: dict[object, Spec] = {}
        self._register(final)

    def legs(self, interim: Spec | None = None) -> Iterator[Stage]:
        """The stages in order; by way of ``interim`` if it is given."""
        after = self.final.manifest
        here = self.before
        if interim is not None:
            later = turnover(here, after).joining
            leg = self._leg(here, interim.manifest, here, interim)
            yield leg._replace(later=(*leg.later, *later))
            here = interim.manifest
        wanted = units(after)
        change = turnover(here, after)
        # One member alone cannot be replaced without an outage, so machines are
        # replaced while there are others.
        alone = len(wanted) == 1 and not change.joining and bool(change.leaving)
        if alone:
            wanted = (*change.staying, *reversed(change.leaving))
        elif members_first(here, after):
            target = self._members(here, after)
            yield self._leg(here, target.manifest, here, target)
            here = target.manifest
        for waypoint in waypoints(self.before, after):
            target = self._held(waypoint, wanted)
            yield self._leg(here, target.manifest, here, target, waypoint)
            here = target.manifest
        if alone and needs_roll(here, after):
            target = self.with_units(after, wanted)
            yield self._leg(here, target.manifest, after, target)
            here = target.manifest
        yield self._leg(here, after, after, self.final)

    def interim(self) -> Spec | None:
        """A spec in which other groups stand in for those whose names are reused.

        Also where one member is to follow another alone: a third one has to help.
        None if that would change nothing.
        """
        change = turnover(self.before, self.final.manifest)
        replaced = change.colliding
        copied = replaced
        added: tuple[Unit, ...] = ()
        if not replaced:
            if len(units(self.before)) != 1 or len(units(self.final.manifest)) != 1:
                return None
            copied, added = change.leaving, (*change.leaving, *change.joining)
        elif len(units(self.before)) == 1:
            # One member never follows another: three of them take over.
            copied = replaced * 3
        kept = [u for u in units(self.before) if u not in (*replaced, *added)]
        return self._with_stand_ins([*kept, *added], copied)

    def reserve(self) -> Spec | None:
        """A spec with two members more than before, so that there are some to spare.

        New members come first, as far as their names are free, and stand-ins for the
        rest and for those whose names are reused. None if nobody is to be replaced, or
        no stand-in is needed.
        """
        change = turnover(self.before, self.final.manifest)
        old = units(self.before)
        if min(len(old), len(units(self.final.manifest))) < 3 or not change.leaving:
            return None
        free = [new for new in change.joining if not any(map(new.collides, old))][:2]
        kept = [unit for unit in old if unit not in change.colliding]
        wanted = [*kept, *free]
        missing = len(old) + 2 - len(wanted)
        copied = (change.leaving * missing)[:missing]
        return self._with_stand_ins(wanted, copied) if copied else None

    def _with_stand_ins(self, wanted: Sequence[Unit], copied: Sequence[Unit]) -> Spec:
        """The spec before with ``wanted`` and a stand-in for each of ``copied``."""
        names = self._free_names()
        stand_ins = [interim(unit, next(names)) for unit in copied]
        groups = [unit.group for unit in wanted]
        donors = (self.before, self.final.manifest)
        needing = [*groups, *(unit.group for unit in copied)]
        document = cluster_document(self.before, wanted, needing, donors, Versions())
        for _, members in stand_ins:
            with_members(document, members)
        documents = [
            document,
            *map(group_document, groups),
            *(group for group, _ in stand_ins),
            *map(group_document, self._workers(self.before)),
        ]
        return self._register(written("interim.yaml", documents, donors))

    def _free_names(self) -> Iterator[str]:
        """Names of one word each that no group and no member has."""
        taken = {
            name
            for side in (self.before, self.final.manifest)
            for etcd in side.etcd_clusters
            for member in etcd.members
            for name in (member.name, *side.groups)
        }
        return (name for n in count(1) if (name := f"interim{n}") not in taken)

    def _leg(
        self,
        here: Manifest,
        there: Manifest,
        base: Manifest,
        target: Spec,
        waypoint: Milestone | None = None,
    ) -> Stage:
        change = turnover(here, there)
        own = {unit.name: unit for unit in units(base)}

        def spec(gone: int, come: int) -> Spec:
            if gone == len(change.leaving) and come == len(change.joining):
                return target
            staying = [own.get(unit.name, unit) for unit in change.staying]
            left = reversed(change.leaving[gone:])
            wanted = [*staying, *left, *change.joining[:come]]
            return self.with_units(base, wanted)

        def last(spec: Spec) -> PlannedStep:
            reason = _reason(spec, change)
            force = again = False
            if waypoint is not None:
                reason = f"{waypoint.reason[0].upper()}{waypoint.reason[1:]}."
                again, force = waypoint.reconcile, waypoint.force
            if restarts_etcd(here, spec.manifest):
                return self.deeds.apply_at_once(spec, reason)
            if not force and not needs_roll(here, spec.manifest):
                return self.deeds.apply(spec, reason)
            again = again or reconciles(here, spec.manifest)
            return self.deeds.apply_and_roll(
                spec,
                f"{reason} Machines whose configuration changes are replaced.",
                reconcile=again,
                force=force,
            )

        def follows(old: Unit, new: Unit) -> bool:
            cloud = cloud_named(self.deeds.cloud)
            by_group = cloud is not None and cloud.mounts_by_group
            if by_group and old.name != new.name:
                return old.collides(new)
            same_zone = here.zones_of(old.group) == self._zones(new)
            return same_zone or old.collides(new)

        def between(spec: Spec) -> PlannedStep:
            return self.deeds.apply(spec, _reason(spec, change))

        # A machine that is replaced looks for its volumes anew, too.
        replaced = needs_roll(here, self.final.manifest)
        retires = target is self.final or bool(waypoint and waypoint.retires)
        nodes = frozenset(g.name for g in self._workers(target.manifest))
        return Stage(
            change,
            spec,
            self.deeds,
            last,
            between,
            follows,
            retires=retires,
            later=change.staying if replaced else (),
            nodes=nodes,
        )

    def _zones(self, unit: Unit) -> tuple[str, ...] | None:
        """The zones of a unit, by whichever side has its subnets."""
        sides = (self.final.manifest, self.before)
        return next((z for s in sides if (z := s.zones_of(unit.group))), None)

    def _members(self, here: Manifest, after: Manifest) -> Spec:
        """The members of ``after`` at the releases of ``here``."""
        change = turnover(here, after)
        own = {unit.name: unit for unit in units(here)}
        staying = [own.get(unit.name, unit) for unit in change.staying]
        return self.with_units(here, [*staying, *change.joining])

    def _held(self, waypoint: Milestone, wanted: Sequence[Unit]) -> Spec:
        after = self.final.manifest
        return self.with_units(
            after,
            wanted,
            waypoint.versions,
            retiring(self.before, after) if waypoint.retires else (),
        )

    def with_units(
        self,
        base: Manifest,
        wanted: Sequence[Unit],
        versions: Versions = Versions(),  # noqa: B008 - it is immutable
        also_needing: Sequence[InstanceGroup] = (),
    ) -> Spec:
        """The spec of ``base`` with ``wanted`` as its control plane; made once.

        ``also_needing`` are groups that are not in it and need their subnets.
        """
        who = tuple((id(u.group), *(id(m) for _, m in u.members)) for u in wanted)
        key = (id(base), versions, who, len(also_needing))
        if key not in self._made:
            groups = [unit.group for unit in wanted]
            names = {group.name for group in groups}
            # A group whose role changes is the control plane's as long as there is one.
            workers = [g for g in self._workers(base) if g.name not in names]
            donors = (self.before, self.final.manifest)
            needing = [*groups, *also_needing]
            documents = [
                cluster_document(base, wanted, needing, donors, versions),
                *map(group_document, [*groups, *workers]),
            ]
            name = f"between-{len(self._made) + 1}.yaml"
            self._made[key] = self._register(written(name, documents, donors))
        return self._made[key]

    def _workers(self, manifest: Manifest) -> list[InstanceGroup]:
        """Its groups without etcd, those that make way for a control plane excepted."""
        gone = {g.name for g in promoted(self.before, self.final.manifest)}
        return [
            group
            for group in manifest.groups.values()
            if not group.is_control_plane and group.name not in gone
        ]

    def _register(self, spec: Spec) -> Spec:
        self.objects.update({file_key(f): spec.manifest for f in spec.files})
        return spec


def _reason(spec: Spec, change: Turnover) -> str:
    if not change.leaving and not change.joining:
        return "Store and apply the new spec; the members stay as they are."
    names = " ".join(unit.name for unit in units(spec.manifest))
    return f"Store and apply the spec with {names}; kops publishes only their number."
