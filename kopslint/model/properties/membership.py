"""Who is in the member list and should not be, or should be and is not."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kopslint.commands.model import DeleteFromFile, DeleteInstanceGroup, MemberRemove
from kopslint.model.etcd.state import MemberState
from kopslint.model.etcd.transitions import Kind
from kopslint.model.properties.facts import (
    Hazard,
    etcd_clusters,
    reached,
    remembered,
    settled,
    where,
    worlds_of,
    worst_first,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kopslint.kops.spec import EtcdMember
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState


class Deletion(Record):
    """A group deleted while the spec lists its members and etcd keeps them.

    ``members`` has the member of each etcd cluster concerned, with whether it is
    certain that the step deletes the group, and that the member stays registered and
    dead to the end.
    """

    step: Step
    group: str
    members: tuple[tuple[str, EtcdMember, bool], ...]


@remembered
def let_in_anew(simulation: Simulation) -> Iterator[tuple[str, str, bool]]:
    """The members of both sides, each with its etcd cluster, that start from nothing.

    When the cloud is first brought to their group as the spec after has it, no machine,
    disk or membership of that name is left: in every possible world, or in some.
    """
    for etcd in simulation.plan.before.etcd_clusters:
        for member in etcd.members:
            arriving = _first_applied(simulation, member.group)
            possible = worlds_of(arriving.before, etcd.name) if arriving else []
            found = where(possible, reached, _is_absent(member.name))
            if found is not None:
                yield etcd.name, member.name, found[2]


def _is_absent(name: str) -> Callable[[EtcdState, StateSet], bool]:
    return lambda world, worlds: world.names[worlds.index(name)] is MemberState.ABSENT


def _first_applied(simulation: Simulation, group: str) -> Step | None:
    """The step that first brings the cloud to a group as the spec after has it."""
    after = simulation.plan.after
    for step in simulation.steps:
        for situation in step.after:
            applied = situation.applied
            if applied.cluster is after.cluster and applied.groups.get(
                group
            ) is after.groups.get(group):
                return step
    return None


@remembered
def expulsions(simulation: Simulation) -> Iterator[Hazard]:
    """Where etcd-manager may remove a living member that nobody chose."""
    for name in etcd_clusters(simulation):
        chosen = _removed_by_hand(simulation, name)
        for step in simulation.steps:
            found = _expelling(step, name)
            if found is None:
                continue
            world, worlds, members = found
            everywhere = where(
                worlds_of(simulation.final, name), settled, _expelled_beyond(chosen)
            )
            certain = everywhere is not None and everywhere[2]
            yield Hazard.at(step, name, members, (world, worlds, certain))
            break


def _expelling(
    step: Step, name: str
) -> tuple[EtcdState, StateSet, tuple[str, ...]] | None:
    """The world after the first such removal of a step, and everyone it may hit."""
    results: list[tuple[EtcdState, StateSet]] = []
    victims: set[str] = set()
    moments = (m.etcd[name] for m in step.moments if name in m.etcd)
    for worlds in chain(moments, worlds_of(step.after, name)):
        for world in worlds.states:
            for move in worlds.transitions(world):
                if move.kind is Kind.REMOVES and world.names[move.who].takes_part:
                    results.append((move.state, worlds))
                    victims.add(worlds.names[move.who])
    if not results:
        return None
    world, worlds = min(
        results, key=lambda pair: (-pair[0].members, worst_first(pair[0]))
    )
    return world, worlds, tuple(sorted(victims))


def _expelled_beyond(chosen: set[str]) -> Callable[[EtcdState, StateSet], bool]:
    return lambda world, worlds: bool(_outside(world, worlds) - chosen)


def not_voting(world: EtcdState, worlds: StateSet) -> tuple[str, ...]:
    """Registered members that do not vote."""
    return tuple(
        name
        for name, member in zip(worlds.names, world.names, strict=True)
        if member.unhealthy
    )


def _outside(world: EtcdState, worlds: StateSet) -> set[str]:
    """Names with member data that are not in the member list."""
    return {
        name
        for name, member in zip(worlds.names, world.names, strict=True)
        if member.removed
    }


def _removed_by_hand(simulation: Simulation, name: str) -> set[str]:
    return {
        member
        for step in simulation.steps
        if isinstance(step.command, MemberRemove)
        and not step.command.problems
        and step.command.etcd_cluster in (None, name)
        for member in simulation.plan.meant_members(name, step.command.member)
    }


@remembered
def never_joining(simulation: Simulation) -> Iterator[Hazard]:
    """Members whose machine runs at the end and that etcd never takes in.

    Only asked at the end of the list: until then a later command may mend it.
    """
    for name in etcd_clusters(simulation):
        wanted = {
            member.name
            for etcd in simulation.plan.after.etcd_clusters
            if etcd.name == name
            for member in etcd.members
        }
        chosen = _removed_by_hand(simulation, name) & wanted

        def stuck(
            world: EtcdState, worlds: StateSet, chosen: set[str] = chosen
        ) -> bool:
            return world.writable and bool(_stuck(world, worlds, chosen))

        found = where(worlds_of(simulation.final, name), settled, stuck)
        if found is not None and simulation.steps:
            members = _stuck(found[0], found[1], chosen)
            step = _first_running(simulation, name, members)
            yield Hazard.at(step, name, members, found)


_WAITING = frozenset(
    {
        MemberState.IDLE,
        MemberState.JOINING,
        MemberState.UNSTARTED,
        MemberState.REPLACED,
        MemberState.LISTED_AGAIN,
    }
)
"""Of a name whose machine runs or comes back: etcd has not taken it in."""


def _stuck(world: EtcdState, worlds: StateSet, chosen: set[str]) -> tuple[str, ...]:
    return tuple(
        worlds.names[index]
        for index in sorted(worlds.returns)
        if world.names[index] in _WAITING
        or (
            world.names[index] is MemberState.EXPELLED and worlds.names[index] in chosen
        )
    )


def _first_running(simulation: Simulation, name: str, members: tuple[str, ...]) -> Step:
    """The last step before which one of ``members`` was not yet stuck."""
    for step in reversed(simulation.steps):
        for worlds in worlds_of(step.before, name):
            seen = {
                world.names[worlds.index(member)]
                for world in worlds.settled
                for member in members
            }
            if not seen & {*_WAITING, MemberState.EXPELLED}:
                return step
    return simulation.steps[0]


@remembered
def stale_members(simulation: Simulation) -> Iterator[Hazard]:
    """Dead members that stay registered at the end, with no machine to come back."""
    for name in etcd_clusters(simulation):
        found = where(
            worlds_of(simulation.final, name),
            settled,
            lambda world, worlds: world.writable and bool(stale(world, worlds)),
        )
        if found is None:
            continue
        members = stale(found[0], found[1])
        step = next(
            (s for s in simulation.steps if _stale_after(s, name, members)), None
        )
        if step is not None:
            yield Hazard.at(step, name, members, found)


def stale(world: EtcdState, worlds: StateSet) -> tuple[str, ...]:
    """Members that are registered and dead, and whose machine does not come back."""
    return tuple(
        name
        for index, name in enumerate(worlds.names)
        if world.names[index].dead and index not in worlds.returns
    )


def _stale_after(step: Step, name: str, members: tuple[str, ...]) -> bool:
    return any(
        set(members) & set(stale(world, worlds))
        for worlds in worlds_of(step.after, name)
        for world in worlds.settled
    )


@remembered
def armed(simulation: Simulation) -> Iterator[Hazard]:
    """A lower count lies unread at the end; the next re-read expels living members."""
    expelling = {hazard.etcd_cluster for hazard in expulsions(simulation)}
    for name in etcd_clusters(simulation):
        if name in expelling:
            continue
        found = where(
            worlds_of(simulation.final, name),
            settled,
            lambda world, worlds: (
                world.read != worlds.published
                and sum(name.counts_as_peer for name in world.names) > worlds.published
            ),
        )
        if found is not None and simulation.steps:
            yield Hazard.at(simulation.steps[-1], name, (), found)


@remembered
def deletions(simulation: Simulation) -> Iterator[Deletion]:
    """Groups deleted while the state store lists their members, never mended.

    Mended means that at the end the member is out of etcd or alive again.
    """
    for step in simulation.steps:
        if isinstance(step.command, DeleteInstanceGroup | DeleteFromFile):
            for group, situations in deleted_groups(step).items():
                surely = all(group in s.registry.groups for s in step.before)
                surely &= not any(group in s.registry.groups for s in step.after)
                members = tuple(
                    (name, member, surely and dead)
                    for name, member, dead in _left_dead(simulation, situations, group)
                )
                if members:
                    yield Deletion(step, group, members)


def deleted_groups(step: Step) -> dict[str, tuple[ClusterState, ...]]:
    """The control-plane groups that a step deletes, each with the situations before."""
    kept = [set(situation.registry.groups) for situation in step.after]
    found: dict[str, tuple[ClusterState, ...]] = {}
    for situation in step.before:
        for group in situation.registry.control_plane:
            if not all(group.name in names for names in kept):
                found[group.name] = (*found.get(group.name, ()), situation)
    return found


def _left_dead(
    simulation: Simulation, situations: Sequence[ClusterState], group: str
) -> Iterator[tuple[str, EtcdMember, bool]]:
    seen: set[tuple[str, str]] = set()
    for situation in situations:
        for etcd in situation.registry.etcd_clusters:
            member = etcd.member_of(group)
            worlds = situation.etcd.get(etcd.name)
            if member is None or worlds is None or member.name not in worlds.names:
                continue
            index = worlds.index(member.name)
            if not any(world.names[index].listed for world in worlds.states):
                continue
            if (etcd.name, member.name) in seen:
                continue
            seen.add((etcd.name, member.name))
            found = where(
                worlds_of(simulation.final, etcd.name), settled, _dead_for_good(index)
            )
            if found is not None:
                yield etcd.name, member, found[2]


def _dead_for_good(index: int) -> Callable[[EtcdState, StateSet], bool]:
    return lambda world, worlds: world.names[index].dead and index not in worlds.returns
