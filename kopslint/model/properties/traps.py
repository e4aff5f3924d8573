"""Orders that turn a broken cluster into lost data: what a restore or a hand does.

Each was seen in recorded runs, again and again. What starts from a healthy cluster
seldom comes near them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.model.etcd.state import Data, MemberState
from kopslint.model.etcd.transitions import Kind
from kopslint.model.properties.facts import (
    Hazard,
    at_start,
    etcd_clusters,
    reached,
    remembered,
    settled,
    state_sets_of,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step


Harm = Literal["split", "overwritten", "rolled back", "waits"]


class RestoreHarm(Hazard):
    """What a restore does that it should not: ``harm`` says which of four."""

    harm: Harm


class CutOff(Hazard):
    """A member that is listed, never started, and is started by nobody.

    ``by_hand`` is whether somebody added it; else a removal cut off its addition.
    """

    by_hand: bool


@remembered
def restore_harms(simulation: Simulation) -> Iterator[RestoreHarm]:
    """The first harm that a restore does to each etcd cluster."""
    if not _restores(simulation):
        return
    for name in etcd_clusters(simulation):
        found = _first(simulation, name)
        if found is not None:
            yield found


def _restores(simulation: Simulation) -> bool:
    from kopslint.commands.model import RestoreBackup

    queued = any(
        state.restore is not None
        for state_set in simulation.start.etcd.values()
        for state in state_set.states
    )
    return queued or any(isinstance(s.command, RestoreBackup) for s in simulation.steps)


def _first(simulation: Simulation, name: str) -> RestoreHarm | None:
    """The worst harm, where it first happens: one command may do several."""
    for harm, holds in _HARMS.items():
        for step in simulation.steps:
            found = where(state_sets_of(step.after, name), reached, holds)
            if found is not None and not _was(simulation, name, holds):
                members = tuple(
                    each
                    for each, kind in zip(found[1].names, found[0].names, strict=True)
                    if kind.older and kind.up
                )
                return RestoreHarm.at(step, name, members, found, harm=harm)
    last = simulation.steps[-1] if simulation.steps else None
    found = where(state_sets_of(simulation.final, name), settled, _waits)
    if last is None or found is None or at_start(simulation, name, _waits):
        return None
    step = _queued_at(simulation, name) or last
    return RestoreHarm.at(step, name, (), found, harm="waits")


def _was(
    simulation: Simulation, name: str, holds: Callable[[EtcdState, StateSet], bool]
) -> bool:
    return where([simulation.start.etcd[name]], reached, holds) is not None


def _rolls_back(state: EtcdState, state_set: StateSet) -> bool:
    """Whether a restore is carried out though quorum holds beside a dead member.

    Without the restore nothing would be lost. Of a whole cluster it is deliberate.
    """
    if state.held is None or not state.writable or state.data is not Data.KEPT:
        return False
    away = any(
        kind.dead and (i not in state_set.returns or i in state_set.stuck)
        for i, kind in enumerate(state.names)
    )
    runs = (move.kind for move in state_set.transitions(state))
    return away and Kind.RESTORES in runs


_HARMS: dict[Harm, Callable[[EtcdState, StateSet], bool]] = {
    "split": lambda state, _: state.split,
    "overwritten": lambda state, _: state.data is Data.OVERWRITTEN,
    "rolled back": _rolls_back,
}


def _waits(state: EtcdState, state_set: StateSet) -> bool:
    """Whether a restore that the leader has read can never be carried out."""
    return state.held is not None and not any(
        move.kind in (Kind.RESTORES, Kind.OVERWRITES)
        for move in state_set.transitions(state)
    )


def _queued_at(simulation: Simulation, name: str) -> Step | None:
    from kopslint.commands.model import RestoreBackup

    return next(
        (
            step
            for step in simulation.steps
            if isinstance(step.command, RestoreBackup)
            and step.command.etcd_cluster in (None, name)
        ),
        None,
    )


@remembered
def cut_off(simulation: Simulation) -> Iterator[CutOff]:
    """Members that a step leaves listed and that nobody starts, to the end."""
    for name in etcd_clusters(simulation):
        for kinds, by_hand in (
            ((MemberState.LISTED_IDLE, MemberState.LISTED), True),
            ((MemberState.LISTED_AGAIN,), False),
        ):
            stuck = _has(kinds)
            if where(state_sets_of(simulation.final, name), settled, stuck) is None:
                continue
            if _was(simulation, name, stuck):
                continue
            for step in simulation.steps:
                found = where(state_sets_of(step.after, name), reached, stuck)
                if found is not None:
                    members = tuple(
                        each
                        for each, kind in zip(
                            found[1].names, found[0].names, strict=True
                        )
                        if kind in kinds
                    )
                    yield CutOff.at(step, name, members, found, by_hand=by_hand)
                    break


def _has(kinds: tuple[MemberState, ...]) -> Callable[[EtcdState, StateSet], bool]:
    return lambda state, _: any(kind in kinds for kind in state.names)
