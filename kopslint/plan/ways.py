"""The whole way, leg after leg: directly, or by way of a spec with stand-ins.

Which way is the better one is decided here; how a leg is searched is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.etcd.world import spare
from kopslint.plan.course import perform
from kopslint.plan.search import search
from kopslint.plan.units import turnover
from kopslint.plan.waypoints import promoted, retiring
from kopslint.records import Record
from kopslint.simulate.files import SpecFiles
from kopslint.simulate.plan import Plan
from kopslint.simulate.start import healthy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import InstanceGroup
    from kopslint.plan.deeds import Deed
    from kopslint.plan.legs import Legs
    from kopslint.plan.specs import Spec


class Way(Record):
    """The deeds of the whole way; ``worst``: its outage, and the least to spare."""

    deeds: list[Deed]
    worst: tuple[bool, int]


def _attempt(legs: Legs, interim: Spec | None = None) -> tuple[Way | None, bool]:
    """The whole way, if there is one; and whether a search was cut."""
    plan = Plan(
        before=legs.before, after=legs.final.manifest, files=SpecFiles(legs.objects)
    )
    situation = healthy(plan)
    deeds: list[Deed] = []
    worst = (False, -len(legs.before.groups))
    cut = False

    def retire(groups: Iterable[InstanceGroup]) -> bool:
        nonlocal situation
        for group in groups:
            if group.name not in situation.registry.groups:
                continue
            deed = legs.deeds.retire(group.name)
            performed = perform(deed.commands, situation, plan)
            if performed is None:
                return False
            deeds.append(deed)
            situation = performed.situation
        return True

    if not retire(promoted(legs.before, legs.final.manifest)):
        return None, cut
    for leg in legs.legs(interim):
        found = search(leg, situation, plan)
        cut = cut or found.cut
        if found.way is None:
            return None, cut
        deeds.extend(done.deed for done in found.way)
        for done in found.way:
            outage, tolerance = done.performed.outage, done.performed.tolerance
            worst = max(worst[0], outage), max(worst[1], -tolerance)
        if found.way:
            situation = found.way[-1].performed.situation
        if leg.retires and not retire(retiring(legs.before, legs.final.manifest)):
            return None, cut
    return Way(deeds, worst), cut


def best_way(legs: Legs) -> tuple[Way | None, bool]:
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
