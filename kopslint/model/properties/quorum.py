"""When etcd stops accepting writes, and when it is one failure away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands.model import RestoreBackup
from kopslint.model.properties.facts import (
    Hazard,
    at_start,
    dead_members,
    etcd_clusters,
    reached,
    remembered,
    settled,
    state_sets_of,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step


class Outage(Hazard):
    """Quorum is lost.

    ``forever`` says that nothing in the list brings it back. ``rolled`` are the
    groups whose replacement alone loses it, in a rolling update; ``again`` the later
    steps at which it is lost anew.
    """

    forever: bool
    rolled: tuple[str, ...] = ()
    again: tuple[int, ...] = ()


class Window(Hazard):
    """Something that holds from ``step`` on, until ``until`` ends it.

    None: it holds to the end of the list.
    """

    until: Step | None = None


def _lost(state: EtcdState, _: StateSet) -> bool:
    return not state.reachable_quorum


def _unwritable(state: EtcdState, _: StateSet) -> bool:
    return not state.writable


@remembered
def outages(simulation: Simulation) -> Iterator[Outage]:
    """Where quorum is lost: for good at most once, for a while at most once each."""
    for name in etcd_clusters(simulation):
        final = where(state_sets_of(simulation.final, name), settled, _unwritable)
        restored = any(isinstance(s.command, RestoreBackup) for s in simulation.steps)
        forever = _lasting_outage(simulation, name, final, restored=restored)
        if forever is not None:
            yield forever
        transient = _passing_outage(simulation, name, forever)
        if transient is not None:
            yield transient


def _lasting_outage(
    simulation: Simulation,
    name: str,
    final: tuple[EtcdState, StateSet, bool] | None,
    *,
    restored: bool,
) -> Outage | None:
    """The step that loses quorum with nothing left in the list to bring it back.

    A restore in the list does bring it back, at the price of data: what came before
    it still was a loss for good.
    """
    if final is None and not restored:
        return None
    certain = final[2] if final is not None else True
    was_lost = at_start(simulation, name, _unwritable)
    for step in simulation.steps:
        if isinstance(step.command, RestoreBackup):
            return None
        found = where(state_sets_of(step.after, name), settled, _unwritable)
        if was_lost and where(state_sets_of(step.before, name), settled, _unwritable):
            continue
        if found is not None and (found[2] or not certain):
            outage = _outage(step, name, found)
            return outage.replaced(certain=certain, forever=True)
    return None


def _passing_outage(
    simulation: Simulation, name: str, forever: Outage | None
) -> Outage | None:
    """The first outage that passes, a certain one if there is one."""
    found = [
        outage
        for step in simulation.steps
        if forever is None or step.number < forever.step.number
        for outage in [_outage_at(step, name)]
        if outage is not None
    ]
    if not found:
        return None
    first = next((outage for outage in found if outage.certain), found[0])
    again = tuple(outage.step.number for outage in found if outage is not first)
    return first.replaced(again=again)


def _outage_at(step: Step, name: str) -> Outage | None:
    """Quorum newly lost at a step: in the end of it, or while a machine is away."""
    before = where(state_sets_of(step.before, name), reached, _lost)
    if before is not None and before[2]:
        return None
    away: dict[str, Outage] = {}
    for moment in step.moments:
        found = (
            where([moment.etcd[name]], reached, _lost) if name in moment.etcd else None
        )
        if found is not None:
            away.setdefault(moment.group, _outage(step, name, found))
    if away:
        return next(iter(away.values())).replaced(rolled=tuple(away))
    found = _newly_lost(step, name)
    return _outage(step, name, found) if found is not None else None


def _newly_lost(step: Step, name: str) -> tuple[EtcdState, StateSet, bool] | None:
    """A state without quorum after a run of a step that had it before that run."""
    began = ended = 0
    for before, results in step.runs:
        earlier = state_sets_of(step.before[began : began + before], name)
        later = state_sets_of(step.after[ended : ended + results], name)
        began, ended = began + before, ended + results
        found = where(later, reached, _lost)
        if found is not None and where(earlier, reached, _lost) is None:
            return found
    return None


def _outage(step: Step, name: str, found: tuple[EtcdState, StateSet, bool]) -> Outage:
    dead = dead_members(found[0], found[1])
    return Outage.at(step, name, dead, found, forever=False)


@remembered
def intolerances(simulation: Simulation) -> Iterator[Window]:
    """Stretches of steps after which etcd works and not one more failure may come."""

    def bare(state: EtcdState, _: StateSet) -> bool:
        return state.writable and state.members > 1 and state.tolerance < 1

    for name in etcd_clusters(simulation):
        start = where([simulation.start.etcd[name]], settled, bare)
        opened: Window | None = None
        for step in simulation.steps if start is None else ():
            found = where(state_sets_of(step.after, name), settled, bare)
            if found is not None:
                if opened is None:
                    dead = dead_members(found[0], found[1])
                    opened = Window.at(step, name, dead, found)
            elif opened is not None:
                yield opened.replaced(until=step)
                opened = None
        if opened is not None:
            yield opened
