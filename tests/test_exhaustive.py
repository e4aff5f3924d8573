"""Every sequence of operations on one etcd cluster up to a length, not a sample.

There are one, three or five healthy members and a spare name (five have none where
sets of worlds are followed), and six operations: a machine stops, starts or gets a new
disk, a member is removed or added by hand, a count is published. Whatever happens by
itself may happen between any two.

Nothing in etcd or etcd-manager looks at a name, so two cuts lose nothing: of names that
may be swapped without a change an operation is tried on the first only, and states
that differ by the order of their names are one. That they may be swapped is tested.

In every world so reached, each step of the model is that of a second one, written from
its description; steps that are alike everywhere are sequences that are alike.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.model.etcd import transitions
from kopslint.model.etcd.explore import StateSet, reachable, successors
from kopslint.model.etcd.state import EtcdState, MemberState, initial
from kopslint.model.etcd.transitions import Kind, enabled_transitions, refusal

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

import second_model  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMES = "abcdef"
NOBODY: frozenset[int] = frozenset()
SIZES = [1, 3, 5]
LENGTH = 6
COUNTS = (1, 3, 5)
BY_HAND: list[Callable[[EtcdState, int], tuple[EtcdState, ...]]] = [
    transitions.stop,
    transitions.start,
    transitions.wipe,
    lambda world, index: (transitions.remove(world, index) or world,),
    lambda world, index: (transitions.add(world, index) or world,),
]


def ordered(names: Iterable[MemberState]) -> tuple[MemberState, ...]:
    return tuple(sorted(names, key=lambda name: name.sign))


def by_name(world: EtcdState) -> EtcdState:
    """The world with its names in the one order that stands for all."""
    return world._replace(names=ordered(world.names))


def step(world: EtcdState) -> Iterator[tuple[EtcdState, int]]:
    """Every world after one operation, and whom it concerned."""
    for operation in BY_HAND:
        for index in range(len(world.names)):
            for after in operation(world, index):
                yield after, index


@cache
def all_worlds(size: int) -> frozenset[tuple[EtcdState, int]]:
    """Every world, with the published count, within ``LENGTH`` operations.

    Whatever happens by itself may happen between any two of them.
    """
    start = initial(min(size + 1, 6), frozenset(range(size)), size)
    seen = {(start, size)}
    latest = set(seen)
    for _ in range(LENGTH):
        found = set()
        for world, published in latest:
            found |= {(world, count) for count in COUNTS}
            found |= {(by_name(after), published) for after, _ in step(world)}
        for world, published in tuple(found):
            moved = reachable({world}, published, NOBODY)
            found |= {(by_name(each), published) for each in moved}
        latest = found - seen
        seen |= latest
    return frozenset(seen)


@pytest.mark.parametrize("size", [1, 3])
def test_which_name_it_is_makes_no_difference(size: int) -> None:
    """Swapped names do what the others did, swapped: the ground for both cuts."""

    def outcomes(world: EtcdState, published: int) -> Counter[EtcdState]:
        done = [after for after, _ in step(world)]
        done += [move.state for move in enabled_transitions(world, published)]
        return Counter(by_name(each) for each in done)

    for world, published in all_worlds(size):
        turned = world._replace(names=world.names[::-1])
        assert outcomes(turned, published) == outcomes(world, published)


@pytest.mark.parametrize("size", SIZES)
def test_writes_need_more_than_half_of_the_members_registered(size: int) -> None:
    """And as many voters as are tolerated may stop, one more may not."""
    for world, _ in all_worlds(size):
        listed = sum(name.listed for name in world.names)
        voters = [i for i, name in enumerate(world.names) if name.votes]
        assert world.writable is (2 * len(voters) > listed)
        if not world.writable:
            continue
        for lost in range(len(voters) + 1):
            left = world
            for index in voters[:lost]:
                left = transitions.stop(left, index)[0]
            assert left.members == listed
            assert left.writable is (lost <= world.tolerance)


@pytest.mark.parametrize("size", SIZES)
def test_the_member_list_changes_by_one_name_at_a_time(size: int) -> None:
    """And only while writes are agreed on; restoring a backup is another matter."""

    def listed(world: EtcdState) -> set[int]:
        return {i for i, name in enumerate(world.names) if name.listed}

    for world, published in all_worlds(size):
        after = [each for each, _ in step(world)]
        after += [
            move.state
            for move in enabled_transitions(world, published)
            if move.kind is not Kind.RESTORES
        ]
        for each in after:
            changed = listed(world) ^ listed(each)
            assert len(changed) <= int(world.writable)


@pytest.mark.parametrize("size", SIZES)
def test_an_expelled_member_never_votes_with_the_disk_it_has(size: int) -> None:
    """Added to the list again by hand, it counts there and still does not vote."""
    keeping = [operation for operation in BY_HAND if operation is not transitions.wipe]
    for world, published in all_worlds(size):
        expelled = [
            index
            for index, name in enumerate(world.names)
            if name.disk == "of a removed member"
        ]
        after = [
            each
            for operation in keeping
            for index in range(len(world.names))
            for each in operation(world, index)
        ]
        after += [move.state for move in enabled_transitions(world, published)]
        for each in after:
            assert not any(each.names[index].takes_part for index in expelled)


@pytest.mark.parametrize("size", SIZES)
def test_a_removal_that_etcd_agrees_to_never_costs_quorum(size: int) -> None:
    """An addition may: the second member counts before it is there."""
    for world, _ in all_worlds(size):
        for index, name in enumerate(world.names):
            removed = transitions.remove(world, index)
            assert (removed is not None) is (
                name.listed and refusal(world, index) is None
            )
            assert removed is None or removed.writable
            added = transitions.add(world, index)
            assert added is None or added.writable is (world.members > 1)


@pytest.mark.parametrize("size", SIZES)
def test_reachable_is_every_path_and_nothing_else(size: int) -> None:
    """Written as its definition: a world, and all that its next worlds lead to."""

    @cache
    def ends(
        world: EtcdState, published: int, returns: frozenset[int]
    ) -> frozenset[EtcdState]:
        after = [move.state for move in enabled_transitions(world, published)]
        for index in returns:
            if not world.names[index].up:
                after += transitions.start(world, index)
        return frozenset({world}).union(
            *(ends(each, published, returns) for each in after)
        )

    for world, published in all_worlds(size):
        for returns in (NOBODY, frozenset({0})):
            expected = ends(world, published, returns)
            assert reachable({world}, published, returns) == expected


Step = Callable[[EtcdState, int], tuple[EtcdState, ...]]
SecondStep = Callable[[second_model.State, int], set[second_model.State]]
STEPS: list[tuple[Step, SecondStep]] = [
    (BY_HAND[0], second_model.stopped),
    (BY_HAND[1], partial(second_model.started, fresh=False)),
    (BY_HAND[2], second_model.emptied),
    (
        lambda world, index: transitions.removals(world, index) or (world,),
        second_model.removed,
    ),
    (BY_HAND[4], second_model.added),
    (transitions.force, second_model.forced),
    (partial(transitions.start, fresh=True), partial(second_model.started, fresh=True)),
]
"""Every operation as both models have it."""


@pytest.mark.parametrize("size", SIZES)
def test_every_step_is_that_of_a_second_model(size: int) -> None:
    """In every world: what one may do and what happens by itself, restores too."""
    stepped: set[EtcdState] = set()
    for world, published in all_worlds(size):
        state = second_model.state_of(world)
        cases: list[tuple[int | None, frozenset[int]]] = [
            (None, NOBODY),
            (None, frozenset({0})),
        ]
        if world.due or not world.writable:  # A restore waits for a read.
            cases += [(1, NOBODY), (3, NOBODY)]
        for waiting, returns in cases:
            queued = world._replace(restore=waiting)
            also = replace(state, restore=waiting)
            found = {
                second_model.state_of(move.state)
                for move in successors(queued, published, returns)
            }
            after = second_model.next_states(also, published, returns)
            assert found == after
        # What people do does not depend on the published count.
        alike = () if world in stepped else set(world.names)
        stepped.add(world)
        for index in map(world.names.index, alike):
            for one, other in STEPS:
                done = {second_model.state_of(each) for each in one(world, index)}
                assert done == other(state, index)


def in_order(worlds: StateSet) -> StateSet:
    """The same with its names in an order that many such states share."""
    columns = [
        (
            sorted(Counter(world.names[i].sign for world in worlds.states).items()),
            i in worlds.unrestarted,
            i in worlds.known,
        )
        for i in range(len(worlds.names))
    ]
    order = sorted(range(len(columns)), key=columns.__getitem__)
    place = {old: new for new, old in enumerate(order)}
    return worlds.replaced(
        states=frozenset(
            world._replace(names=tuple(world.names[i] for i in order))
            for world in worlds.states
        ),
        unrestarted=frozenset(place[i] for i in worlds.unrestarted),
        known=frozenset(place[i] for i in worlds.known),
        event=None,
    )


def distinct(worlds: StateSet) -> list[int]:
    """One name of each kind of names that may be swapped without a change."""
    firsts: list[int] = []
    for index in range(len(worlds.names)):
        if not any(_alike(worlds, index, first) for first in firsts):
            firsts.append(index)
    return firsts


def _alike(worlds: StateSet, one: int, other: int) -> bool:
    for shared in (worlds.unrestarted, worlds.known):
        if (one in shared) is not (other in shared):
            return False
    swapped = set()
    for world in worlds.states:
        names = list(world.names)
        names[one], names[other] = names[other], names[one]
        swapped.add(world._replace(names=tuple(names)))
    return swapped == worlds.states


def following(worlds: StateSet, *, everything: bool) -> Iterator[StateSet]:
    """What a person may do next, each with everything that may come of it.

    Without ``everything`` only what an ordinary list does: machines go and come,
    members are removed, counts are published, somebody waits.
    """
    for index in distinct(worlds):
        name = worlds.names[index]
        yield worlds.stop(name)
        yield worlds.start(name)
        yield worlds.remove([name])
    for count in COUNTS:
        if count != worlds.published:
            yield worlds.publish(count)
    yield worlds.wait()
    if everything:
        for index in distinct(worlds):
            yield worlds.add(worlds.names[index])
            yield worlds.wipe(worlds.names[index])
        yield worlds.restore(1)
        yield worlds.restore(3)
        yield worlds.restart_managers()


@pytest.mark.parametrize(
    ("size", "length", "everything"),
    [
        *((size, LENGTH, False) for size in SIZES),
        # Every further step makes ten times as many states.
        *((1, 5, True), (3, 4, True), (5, 3, True)),
    ],
)
def test_certain_is_possible_after_every_sequence(
    size: int, length: int, *, everything: bool
) -> None:
    """There is always a world, and a settled one; a wait only ever rules worlds out.

    So what holds in all of them holds in one, and what is certain now is certain
    when everything has settled. Here a step goes from a set of worlds to a set.
    """
    names = NAMES[: min(size + 1, 5)]
    start = StateSet.healthy(names, names[:size]).replaced(returns=NOBODY)
    seen = {in_order(start)}
    latest = set(seen)
    for _ in range(length):
        found = {
            in_order(after)
            for each in latest
            for after in following(each, everything=everything)
        }
        latest = found - seen
        seen |= latest
    for worlds in seen:
        assert not worlds.truncated
        assert worlds.states
        assert worlds.settled
        assert worlds.settled <= worlds.states
        assert worlds.wait().states == worlds.settled
        for name in worlds.names:
            answers = worlds.removal_refusals([name])
            after = worlds.remove([name])
            assert answers
            assert (None in answers) or after.states == worlds.states
