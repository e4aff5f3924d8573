"""The way cut into legs: which spec each one ends at, and the specs it may use.

A leg changes members or one release, never both. This module must not know how a
leg is searched.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from kopslint.kops.clouds import MOUNTED_BY_GROUP
from kopslint.plan.search import Leg
from kopslint.plan.specs import (
    Versions,
    cluster_document,
    group_document,
    interim,
    with_members,
    written,
)
from kopslint.plan.units import turnover, units
from kopslint.plan.waypoints import (
    members_first,
    needs_roll,
    promoted,
    reconciles,
    restarts_etcd,
    retiring,
    waypoints,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.kops.spec import InstanceGroup, Manifest
    from kopslint.plan.deeds import Deed, Deeds
    from kopslint.plan.specs import Spec
    from kopslint.plan.units import Turnover, Unit
    from kopslint.plan.waypoints import Waypoint


class Legs:
    """Makes the legs from ``before`` to ``final``, and the specs on the way.

    ``objects`` has what each file of a spec holds; it grows while legs are searched.
    """

    def __init__(self, before: Manifest, final: Spec, deeds: Deeds) -> None:
        self.before = before
        self.final = final
        self.deeds = deeds
        self.objects: dict[str, Manifest] = {}
        self._made: dict[object, Spec] = {}
        self._register(final)

    def legs(self, interim: Spec | None = None) -> Iterator[Leg]:
        """The legs in order; by way of ``interim`` if it is given."""
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
        waypoint: Waypoint | None = None,
    ) -> Leg:
        change = turnover(here, there)
        own = {unit.name: unit for unit in units(base)}

        def spec(gone: int, come: int) -> Spec:
            if gone == len(change.leaving) and come == len(change.joining):
                return target
            staying = [own.get(unit.name, unit) for unit in change.staying]
            left = reversed(change.leaving[gone:])
            wanted = [*staying, *left, *change.joining[:come]]
            return self.with_units(base, wanted)

        def last(spec: Spec) -> Deed:
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
            if self.deeds.cloud in MOUNTED_BY_GROUP and old.name != new.name:
                return old.collides(new)
            same_zone = here.zones_of(old.group) == self._zones(new)
            return same_zone or old.collides(new)

        def between(spec: Spec) -> Deed:
            return self.deeds.apply(spec, _reason(spec, change))

        # A machine that is replaced looks for its volumes anew, too.
        replaced = needs_roll(here, self.final.manifest)
        retires = target is self.final or bool(waypoint and waypoint.retires)
        nodes = frozenset(g.name for g in self._workers(target.manifest))
        return Leg(
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

    def _held(self, waypoint: Waypoint, wanted: Sequence[Unit]) -> Spec:
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
        self.objects.update(dict.fromkeys(spec.files, spec.manifest))
        return spec


def _reason(spec: Spec, change: Turnover) -> str:
    if not change.leaving and not change.joining:
        return "The new spec is stored and applied; the members stay as they are."
    names = " ".join(unit.name for unit in units(spec.manifest))
    return f"The control plane becomes {names}; kops publishes only how many they are."
