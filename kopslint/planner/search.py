"""The best order of steps from one spec to the next.

Best is, in this order: quorum is never lost; most failures tolerated at the worst
moment; fewest steps during which none is; fewest steps. For every bound on the
first two, the cheapest way is searched, the strictest bound first, so the first way
found is the best one. Units that leave are alike, and so are those that join, and so
are the etcd clusters on their machines: all of them take their turns in one fixed
order, which leaves nothing out that matters to etcd.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from kopslint.model.etcd.state import spare
from kopslint.planner.execute import arrived, is_applied, perform
from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState
    from kopslint.planner.control_plane import Turnover, Unit
    from kopslint.planner.execute import Performed
    from kopslint.planner.intermediate_specs import Spec
    from kopslint.planner.steps import PlannedStep, PlannedSteps

MAX_POSITIONS = 20_000
"""How many positions of one stage are looked at; more is said, never hidden."""


class Stage(Record):
    """What one stage is about.

    ``spec`` gives the spec that lists the staying units, the leaving ones from an
    index on, and the joining ones up to another. ``last`` is the step that stores
    the target, where machines may have to be replaced as well, ``between`` the one
    that stores any other. ``follows`` says whether the machine of a joining unit
    could find the volumes of a leaving one; ``later`` are those that join in other
    stages, or get another machine. ``retires`` says that groups of nodes are deleted
    once the target is reached; ``nodes`` are those that it has.
    """

    turnover: Turnover
    spec: Callable[[int, int], Spec]
    deeds: PlannedSteps
    last: Callable[[Spec], PlannedStep]
    between: Callable[[Spec], PlannedStep]
    follows: Callable[[Unit, Unit], bool]
    retires: bool = False
    later: tuple[Unit, ...] = ()
    nodes: frozenset[str] = frozenset()

    def leaving_members(self, etcd_cluster: str) -> tuple[str, ...]:
        """The members of one etcd cluster that leave, in order."""
        return tuple(
            member.name
            for unit in self.turnover.leaving
            if (member := unit.member(etcd_cluster)) is not None
        )


class Done(Record):
    """A step and how it turned out."""

    deed: PlannedStep
    performed: Performed


class Found(Record):
    """The steps of one stage; ``cut`` is whether not everything could be looked at.

    ``way`` is None if there is none.
    """

    way: tuple[Done, ...] | None
    cut: bool = False


class _Position(Frozen, uncompared=("done", "before")):
    """Where a way has come to; ``removed`` counts by etcd cluster, in its order."""

    state: ClusterState
    removed: tuple[int, ...]
    deleted: int = 0
    joined: int = 0
    done: Done | None = None
    before: _Position | None = None

    @property
    def key(self) -> object:
        """What two positions must agree on to be one."""
        state = self.state
        return (
            self.removed,
            self.deleted,
            self.joined,
            id(state.registry.cluster),
            tuple(sorted((n, id(g)) for n, g in state.registry.groups.items())),
            id(state.applied.cluster),
            tuple(sorted(state.cloud.items())),
            tuple(
                (
                    name,
                    state_set.states,
                    state_set.published,
                    state_set.returns,
                    state_set.known,
                )
                for name, state_set in sorted(state.etcd.items())
            ),
        )


def search(leg: Stage, start: ClusterState, plan: Scenario) -> Found:
    """The best way from ``start`` to the target of ``leg``."""
    cut = False
    most = _most_tolerance(leg, start)
    bounds = [(False, tolerance) for tolerance in range(most, -1, -1)]
    for outage, tolerance in (*bounds, (True, -1)):
        way, was_cut = _cheapest(leg, start, plan, outage=outage, tolerance=tolerance)
        cut = cut or was_cut
        if way is not None:
            return Found(way, cut)
    return Found(None, cut)


def _most_tolerance(leg: Stage, start: ClusterState) -> int:
    """What no way can exceed: the lesser of both ends."""
    sizes = [
        state.members
        for state_set in start.etcd.values()
        for state in state_set.settled
    ]
    size = len(leg.turnover.staying) + len(leg.turnover.joining)
    return min(map(spare, (*sizes, size)))


def _cheapest(
    leg: Stage, start: ClusterState, plan: Scenario, *, outage: bool, tolerance: int
) -> tuple[tuple[Done, ...] | None, bool]:
    """The cheapest way within the bounds, by A*; and whether the search was cut."""
    first = _Position(state=start, removed=(0,) * len(start.etcd))
    tie = count()
    waiting = [(0, _ahead(leg, first), next(tie), 0, first)]
    settled: set[object] = set()
    while waiting:
        exposed, _, _, steps, position = heappop(waiting)
        key = position.key
        if key in settled:
            continue
        settled.add(key)
        if _is_target(leg, position):
            return _way(position), False
        if len(settled) > MAX_POSITIONS:
            return None, True
        for then in _next(leg, position, plan):
            assert then.done is not None  # noqa: S101 (made with it)
            performed = then.done.performed
            if (performed.outage and not outage) or performed.tolerance < tolerance:
                continue
            cost = steps + len(then.done.deed.commands)
            heappush(
                waiting,
                (
                    exposed + (performed.tolerance < 1),
                    cost + _ahead(leg, then),
                    next(tie),
                    cost,
                    then,
                ),
            )
    return None, False


def _ahead(leg: Stage, position: _Position) -> int:
    """At least so many commands are still to come."""
    members = (leg.leaving_members(etcd) for etcd in position.state.etcd)
    removals = sum(
        len(names) - removed
        for names, removed in zip(members, position.removed, strict=True)
    )
    return removals + len(leg.turnover.leaving) - position.deleted


def _is_target(leg: Stage, position: _Position) -> bool:
    turnover = leg.turnover
    leaving, joining = len(turnover.leaving), len(turnover.joining)
    if position.deleted < leaving or position.joined < joining:
        return False
    return arrived(position.state, leg.spec(leaving, joining).manifest)


def _next(leg: Stage, position: _Position, plan: Scenario) -> Iterator[_Position]:
    for deed, removed, deleted, joined in _choices(leg, position):
        performed = perform(deed.commands, position.state, plan)
        if performed is not None:
            yield _Position(
                state=performed.state,
                removed=removed,
                deleted=deleted,
                joined=joined,
                done=Done(deed, performed),
                before=position,
            )


def _choices(
    leg: Stage, position: _Position
) -> Iterator[tuple[PlannedStep, tuple[int, ...], int, int]]:
    """Every step that may come next, and the counts after it."""
    turnover = leg.turnover
    removed, deleted, joined = position.removed, position.deleted, position.joined
    names = [leg.leaving_members(etcd) for etcd in position.state.etcd]
    left_over = [i for i, gone in enumerate(removed) if gone < len(names[i])]
    if left_over:
        # Etcd clusters share nothing but machines: they take turns, in their order.
        # Main is the last: without its member there, an API server has no data.
        clusters = tuple(position.state.etcd)
        index = min(left_over, key=lambda i: (removed[i], clusters[i] == "main"))
        etcd = clusters[index]
        then = (*removed[:index], removed[index] + 1, *removed[index + 1 :])
        yield (
            leg.deeds.remove(etcd, names[index][removed[index]]),
            then,
            deleted,
            joined,
        )
    if deleted < len(turnover.leaving):
        unit = turnover.leaving[deleted]
        to_come = (*turnover.joining[joined:], *leg.later)
        followed = any(leg.follows(unit, new) for new in to_come)
        deed = leg.deeds.delete(unit, wipe=followed, nodes=unit.name in leg.nodes)
        yield deed, removed, deleted + 1, joined
    left = turnover.leaving[deleted:]
    for more in range(joined, len(turnover.joining) + 1):
        if more > joined and any(turnover.joining[more - 1].collides(u) for u in left):
            break
        if (len(turnover.staying) + len(left) + more) % 2 == 0:
            continue
        spec = leg.spec(deleted, more)
        if is_applied(position.state, spec.manifest):
            continue
        final = not left and more == len(turnover.joining)
        deed = leg.last(spec) if final else leg.between(spec)
        yield deed, removed, deleted, more


def _way(position: _Position) -> tuple[Done, ...]:
    way = []
    at: _Position | None = position
    while at is not None and at.done is not None:
        way.append(at.done)
        at = at.before
    return tuple(reversed(way))
