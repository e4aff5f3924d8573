"""Facts about a simulation: which step, which members, how surely.

What is asked of every possible world is asked here, so that "certain" and
"possible" mean the same everywhere: certain is what holds in every world of every
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

    ``members`` are those concerned. ``world`` is an example, one of ``worlds``.
    ``certain`` is whether every possible world shows it.
    """

    step: Step
    etcd_cluster: str
    members: tuple[str, ...]
    certain: bool
    world: EtcdState
    worlds: StateSet

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
        world, worlds, certain = found
        return cls(
            step=step,
            etcd_cluster=etcd_cluster,
            members=members,
            certain=certain,
            world=world,
            worlds=worlds,
            **more,
        )


def etcd_clusters(simulation: Simulation) -> tuple[str, ...]:
    """The names of the etcd clusters that were simulated."""
    return tuple(simulation.start.etcd)


def worlds_of(situations: Iterable[ClusterState], etcd_cluster: str) -> list[StateSet]:
    """What is possible for one etcd cluster in each of some situations."""
    return [s.etcd[etcd_cluster] for s in situations if etcd_cluster in s.etcd]


def where(
    candidates: Iterable[StateSet],
    pick: Callable[[StateSet], Iterable[EtcdState]],
    holds: Callable[[EtcdState, StateSet], bool],
) -> tuple[EtcdState, StateSet, bool] | None:
    """An example world in which ``holds``, and whether it does in every world.

    The example is the first in a fixed order, so that output is stable.
    """
    found: list[tuple[EtcdState, StateSet]] = []
    everywhere = True
    for worlds in candidates:
        for world in pick(worlds):
            if holds(world, worlds):
                found.append((world, worlds))
            else:
                everywhere = False
    if not found:
        return None
    world, worlds = min(found, key=lambda pair: worst_first(pair[0]))
    return world, worlds, everywhere


def worst_first(world: EtcdState) -> tuple[int, int, str, int, bool]:
    """Worse worlds first, then any fixed order."""
    return world.tolerance, -world.members, world.signs, world.read, world.due


def settled(worlds: StateSet) -> Iterable[EtcdState]:
    """What it comes to if nothing more is done: for ``where``."""
    return worlds.settled


def reached(worlds: StateSet) -> Iterable[EtcdState]:
    """All that may be on the way there: for ``where``."""
    return worlds.states


def dead_members(world: EtcdState, worlds: StateSet) -> tuple[str, ...]:
    """Registered members without a running instance."""
    return tuple(
        name
        for name, member in zip(worlds.names, world.names, strict=True)
        if member.dead
    )
