"""Who is in the member list and should not be, or should be and is not."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kopslint.commands.kops import DeleteFromFile, DeleteInstanceGroup
from kopslint.commands.model import MemberRemove
from kopslint.model.etcd.state import MemberState
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
    worst_first,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

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
    disk or membership of that name is left: in every possible state, or in some.
    """
    for etcd in simulation.plan.before.etcd_clusters:
        for member in etcd.members:
            arriving = _first_applied(simulation, member.group)
            possible = state_sets_of(arriving.before, etcd.name) if arriving else []
            found = where(possible, reached, _is_absent(member.name))
            if found is not None:
                yield etcd.name, member.name, found[2]


def _is_absent(name: str) -> Callable[[EtcdState, StateSet], bool]:
    return lambda state, state_set: (
        state.names[state_set.index(name)] is MemberState.ABSENT
    )


def _first_applied(simulation: Simulation, group: str) -> Step | None:
    """The step that first brings the cloud to a group as the spec after has it."""
    after = simulation.plan.after
    for step in simulation.steps:
        for state in step.after:
            applied = state.applied
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
        start = simulation.start.etcd[name]
        for step in () if _may_expel([start]) else simulation.steps:
            found = _expelling(step, name)
            if found is None:
                continue
            state, state_set, members = found
            everywhere = where(
                state_sets_of(simulation.final, name), settled, _expelled_beyond(chosen)
            )
            certain = everywhere is not None and everywhere[2]
            yield Hazard.at(step, name, members, (state, state_set, certain))
            break


def _expelling(
    step: Step, name: str
) -> tuple[EtcdState, StateSet, tuple[str, ...]] | None:
    """The state after the first such removal of a step, and everyone it may hit."""
    moments = (m.etcd[name] for m in step.moments if name in m.etcd)
    return _may_expel(chain(moments, state_sets_of(step.after, name)))


def _may_expel(
    state_sets: Iterable[StateSet],
) -> tuple[EtcdState, StateSet, tuple[str, ...]] | None:
    results: list[tuple[EtcdState, StateSet]] = []
    victims: set[str] = set()
    for state_set in state_sets:
        for state in state_set.states:
            for move in state_set.transitions(state):
                if move.kind is Kind.REMOVES and state.names[move.who].takes_part:
                    results.append((move.state, state_set))
                    victims.add(state_set.names[move.who])
    if not results:
        return None
    state, state_set = min(
        results, key=lambda pair: (-pair[0].members, worst_first(pair[0]))
    )
    return state, state_set, tuple(sorted(victims))


def _expelled_beyond(chosen: set[str]) -> Callable[[EtcdState, StateSet], bool]:
    return lambda state, state_set: bool(_outside(state, state_set) - chosen)


def not_voting(state: EtcdState, state_set: StateSet) -> tuple[str, ...]:
    """Registered members that do not vote."""
    return tuple(
        name
        for name, member in zip(state_set.names, state.names, strict=True)
        if member.unhealthy
    )


def _outside(state: EtcdState, state_set: StateSet) -> set[str]:
    """Names with member data that are not in the member list."""
    return {
        name
        for name, member in zip(state_set.names, state.names, strict=True)
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

    Only asked at the end of the list: until then a later command may fix it.
    """
    for name in etcd_clusters(simulation):
        wanted = {
            member.name
            for etcd in simulation.plan.after.etcd_clusters
            if etcd.name == name
            for member in etcd.members
        }
        chosen = _removed_by_hand(simulation, name) & wanted
        start = simulation.start.etcd[name]
        before = {m for s in start.settled for m in _stuck(s, start, set())}

        def stuck(
            state: EtcdState,
            state_set: StateSet,
            chosen: set[str] = chosen,
            before: set[str] = before,
        ) -> bool:
            found = _stuck(state, state_set, chosen)
            return state.writable and bool({*found} - before)

        found = where(state_sets_of(simulation.final, name), settled, stuck)
        if found is not None and simulation.steps:
            those = _stuck(found[0], found[1], chosen)
            members = tuple(member for member in those if member not in before)
            step = _first_running(simulation, name, members)
            yield Hazard.at(step, name, members, found)


_WAITING = frozenset(
    {
        MemberState.IDLE,
        MemberState.JOINING,
        MemberState.UNSTARTED,
        MemberState.REPLACED,
        MemberState.LISTED_AGAIN,
        MemberState.LISTED_IDLE,
    }
)
"""Of a name whose machine runs or comes back: etcd has not taken it in."""


def _stuck(state: EtcdState, state_set: StateSet, chosen: set[str]) -> tuple[str, ...]:
    return tuple(
        state_set.names[index]
        for index in sorted(state_set.returns)
        if state.names[index] in _WAITING
        or (
            state.names[index] is MemberState.EXPELLED
            and state_set.names[index] in chosen
        )
    )


def _first_running(simulation: Simulation, name: str, members: tuple[str, ...]) -> Step:
    """The last step before which one of ``members`` was not yet stuck."""
    for step in reversed(simulation.steps):
        for state_set in state_sets_of(step.before, name):
            seen = {
                state.names[state_set.index(member)]
                for state in state_set.settled
                for member in members
            }
            if not seen & {*_WAITING, MemberState.EXPELLED}:
                return step
    return simulation.steps[0]


@remembered
def stale_members(simulation: Simulation) -> Iterator[Hazard]:
    """Dead members that stay registered at the end, with no machine to come back."""
    for name in etcd_clusters(simulation):
        start = simulation.start.etcd[name]
        before = {m for s in start.settled for m in stale(s, start)}
        found = where(
            state_sets_of(simulation.final, name),
            settled,
            _stale_but_for(before),
        )
        if found is None:
            continue
        members = tuple(m for m in stale(found[0], found[1]) if m not in before)
        step = next(
            (s for s in simulation.steps if _stale_after(s, name, members)), None
        )
        if step is not None:
            yield Hazard.at(step, name, members, found)


def _stale_but_for(before: set[str]) -> Callable[[EtcdState, StateSet], bool]:
    return lambda state, state_set: (
        state.writable and bool({*stale(state, state_set)} - before)
    )


def stale(state: EtcdState, state_set: StateSet) -> tuple[str, ...]:
    """Members that are registered and dead, and whose machine does not come back."""
    return tuple(
        name
        for index, name in enumerate(state_set.names)
        if state.names[index].dead and index not in state_set.returns
    )


def _stale_after(step: Step, name: str, members: tuple[str, ...]) -> bool:
    return any(
        set(members) & set(stale(state, state_set))
        for state_set in state_sets_of(step.after, name)
        for state in state_set.settled
    )


@remembered
def armed(simulation: Simulation) -> Iterator[Hazard]:
    """A lower count lies unread at the end; the next re-read expels living members."""
    expelling = {hazard.etcd_cluster for hazard in expulsions(simulation)}
    for name in etcd_clusters(simulation):
        if name in expelling:
            continue
        found = where(state_sets_of(simulation.final, name), settled, _lies_unread)
        if found is None or at_start(simulation, name, _lies_unread):
            continue
        if simulation.steps:
            yield Hazard.at(simulation.steps[-1], name, (), found)


def _lies_unread(state: EtcdState, state_set: StateSet) -> bool:
    peers = sum(name.counts_as_peer for name in state.names)
    return state.read != state_set.published and peers > state_set.published


@remembered
def deletions(simulation: Simulation) -> Iterator[Deletion]:
    """Groups deleted while the state store lists their members, never fixed.

    Fixed means that at the end the member is out of etcd or alive again.
    """
    for step in simulation.steps:
        if isinstance(step.command, DeleteInstanceGroup | DeleteFromFile):
            for group, states in deleted_groups(step).items():
                surely = all(group in s.registry.groups for s in step.before)
                surely &= not any(group in s.registry.groups for s in step.after)
                members = tuple(
                    (name, member, surely and dead)
                    for name, member, dead in _left_dead(simulation, states, group)
                )
                if members:
                    yield Deletion(step, group, members)


def deleted_groups(step: Step) -> dict[str, tuple[ClusterState, ...]]:
    """The control-plane groups that a step deletes, each with the states before."""
    kept = [set(state.registry.groups) for state in step.after]
    found: dict[str, tuple[ClusterState, ...]] = {}
    for state in step.before:
        for group in state.registry.control_plane:
            if not all(group.name in names for names in kept):
                found[group.name] = (*found.get(group.name, ()), state)
    return found


def _left_dead(
    simulation: Simulation, states: Sequence[ClusterState], group: str
) -> Iterator[tuple[str, EtcdMember, bool]]:
    seen: set[tuple[str, str]] = set()
    for state in states:
        for etcd in state.registry.etcd_clusters:
            member = etcd.member_of(group)
            state_set = state.etcd.get(etcd.name)
            if (
                member is None
                or state_set is None
                or member.name not in state_set.names
            ):
                continue
            index = state_set.index(member.name)
            if not any(possible.names[index].listed for possible in state_set.states):
                continue
            if (etcd.name, member.name) in seen:
                continue
            seen.add((etcd.name, member.name))
            found = where(
                state_sets_of(simulation.final, etcd.name),
                settled,
                _dead_for_good(index),
            )
            if found is not None:
                yield etcd.name, member, found[2]


def _dead_for_good(index: int) -> Callable[[EtcdState, StateSet], bool]:
    return lambda state, state_set: (
        state.names[index].dead and index not in state_set.returns
    )
