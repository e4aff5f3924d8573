"""Facts about a simulation: which step, which members, how surely.

What is asked of every possible state is asked here, so that "certain" and
"possible" mean the same everywhere: certain is what holds in every state of every
course, possible what holds in some. Nothing here has words for people or knows how
bad anything is.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar, cast

from kopslint.records import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState

T = TypeVar("T")


def remembered(
    find: Callable[[Simulation], Iterator[T]],
) -> Callable[[Simulation], tuple[T, ...]]:
    """A property of a simulation, worked out the first time that it is asked for.

    Several rules ask for the same one. What it finds is kept on the simulation.
    """

    def asked(simulation: Simulation) -> tuple[T, ...]:
        known = cast("dict[object, tuple[T, ...]]", simulation.known)
        if find not in known:
            known[find] = tuple(find(simulation))
        return known[find]

    return wraps(find)(asked)


class Hazard(Frozen):
    """A fact about one etcd cluster at one step.

    ``members`` are those concerned. ``state`` is an example, one of ``state_set``.
    ``certain`` is whether every possible state shows it.
    """

    step: Step
    etcd_cluster: str
    members: tuple[str, ...]
    certain: bool
    state: EtcdState
    state_set: StateSet

    @classmethod
    def at(
        cls,
        step: Step,
        etcd_cluster: str,
        members: tuple[str, ...],
        found: tuple[EtcdState, StateSet, bool],
        **more: object,
    ) -> Self:
        """The hazard that ``where`` found; ``more`` are the fields of its kind."""
        state, state_set, certain = found
        return cls(
            step=step,
            etcd_cluster=etcd_cluster,
            members=members,
            certain=certain,
            state=state,
            state_set=state_set,
            **more,
        )


def etcd_clusters(simulation: Simulation) -> tuple[str, ...]:
    """The names of the etcd clusters that were simulated."""
    return tuple(simulation.start.etcd)


def state_sets_of(states: Iterable[ClusterState], etcd_cluster: str) -> list[StateSet]:
    """What is possible for one etcd cluster in each of some states."""
    return [s.etcd[etcd_cluster] for s in states if etcd_cluster in s.etcd]


def where(
    candidates: Iterable[StateSet],
    pick: Callable[[StateSet], Iterable[EtcdState]],
    holds: Callable[[EtcdState, StateSet], bool],
) -> tuple[EtcdState, StateSet, bool] | None:
    """An example state in which ``holds``, and whether it does in every state.

    The example is the first in a fixed order, so that output is stable.
    """
    found: list[tuple[EtcdState, StateSet]] = []
    everywhere = True
    for state_set in candidates:
        for state in pick(state_set):
            if holds(state, state_set):
                found.append((state, state_set))
            else:
                everywhere = False
    if not found:
        return None
    state, state_set = min(found, key=lambda pair: worst_first(pair[0]))
    return state, state_set, everywhere


def at_start(
    simulation: Simulation,
    etcd_cluster: str,
    holds: Callable[[EtcdState, StateSet], bool],
) -> bool:
    """Whether something may be so before the list, and is none of its doing.

    A list may start from a cluster that was seen to be broken.
    """
    start = [simulation.start.etcd[etcd_cluster]]
    return where(start, settled, holds) is not None


def worst_first(state: EtcdState) -> tuple[int, int, str, int, bool, int, str]:
    """Worse states first, then any fixed order, in which all of a state counts.

    A leader that has seen more of the others comes first: fewer events lead there.
    """
    acked = -state.lead.acked if state.lead else 0
    rest = f"{state.lead} {state.restore} {state.held} {state.wrote} {state.ghosts}"
    others = f"{rest} {state.data} {state.upgrade}"
    signs = state.signs
    return state.tolerance, -state.members, signs, state.read, state.due, acked, others


def settled(state_set: StateSet) -> Iterable[EtcdState]:
    """What it comes to if nothing more is done: for ``where``."""
    return state_set.settled


def reached(state_set: StateSet) -> Iterable[EtcdState]:
    """All that may be on the way there: for ``where``."""
    return state_set.states


def dead_members(state: EtcdState, state_set: StateSet) -> tuple[str, ...]:
    """Registered members without a running instance."""
    return tuple(
        name
        for name, member in zip(state_set.names, state.names, strict=True)
        if member.dead
    )
