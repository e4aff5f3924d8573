"""The model of one etcd cluster held to a second one, by random operations.

Both are led through the same operations, and must hold the same states possible after
each of them. That single steps are alike in every state is tested exhaustively; here
are whole sets of states, whose instances come back and whose count was published.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from kopslint.model.etcd.explore import StateSet

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from second_model import (  # noqa: E402
    Name,
    State,
    added,
    emptied,
    next_states,
    removed,
    started,
    state_of,
    stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = "abcdef"
VERBS = (
    *("stop", "stop", "start", "start", "returns", "wait"),
    *("remove", "add", "wipe", "publish", "restore"),
)
LENGTH = 8
SEQUENCES = 300
"""For each size; thousands more were compared when this was written."""


class Second:
    """All states that are possible, as the second model has it."""

    def __init__(self, size: int, names: int) -> None:
        members = frozenset(range(size))
        member = Name(up=True, disk="its own", listed=True, started=True)
        first = tuple(member if n in members else Name() for n in range(names))
        self.states = {State(first, size)}
        self.published = size
        self.returns = self.known = self.since_before = members

    def each(self, step: Callable[[State], set[State]]) -> None:
        after = {then for state in self.states for then in step(state)}
        waiting = list(after)
        while waiting:
            news = next_states(waiting.pop(), self.published, self.returns) - after
            after |= news
            waiting.extend(news)
        self.states = after

    def restarting(self, step: Callable[[State], set[State]], place: int) -> None:
        """A step that restarts one: if it was the last old one, all have read since."""
        self.since_before -= {place}

        def then(state: State) -> set[State]:
            return {self._all_have_read(after) for after in step(state)}

        self.each(then)

    def _all_have_read(self, state: State) -> State:
        old = [p for p in self.since_before if state.names[p].up]
        behind = state.read != self.published
        return replace(state, due=True) if behind and not old else state

    def publish(self, count: int) -> None:
        self.published = count
        self.since_before = frozenset(
            place
            for state in self.states
            for place, name in enumerate(state.names)
            if name.up
        )
        self.each(lambda state: {state})

    def wait(self) -> None:
        self.states = {
            state
            for state in self.states
            if not next_states(state, self.published, self.returns)
        }


def both_do(random: Random, first: StateSet, second: Second) -> tuple[str, StateSet]:
    """One random operation on both models: its name, and the first one's result."""
    place = random.randrange(len(first.names))
    name = first.names[place]
    verb = random.choice(VERBS)
    match verb:
        case "stop":
            after = first.stop(name)
            second.restarting(lambda state: stopped(state, place), place)
        case "start":
            fresh = place not in second.known
            after = first.start(name)
            second.restarting(lambda s: started(s, place, fresh=fresh), place)
            second.known |= {place}
        case "wipe":
            after = first.wipe(name)
            second.restarting(lambda state: emptied(state, place), place)
        case "remove":
            after = first.remove([name])
            second.each(lambda state: removed(state, place))
        case "add":
            after = first.add(name)
            second.each(lambda state: added(state, place))
        case "publish":
            count = random.choice((1, 3, 5))
            after = first.publish(count)
            second.publish(count)
        case "restore":
            count = random.choice((1, 3, 5))
            after = first.restore(count)
            second.each(lambda state: {replace(state, restore=count)})
        case "returns":
            back = frozenset(p for p in second.known if random.random() < 0.5)
            after = first.returning(first.names[p] for p in sorted(back))
            second.returns = back
            second.each(lambda state: {state})
        case _:
            after = first.wait()
            second.wait()
    return f"{verb} {name}", after


@pytest.mark.parametrize("size", [1, 3, 5])
def test_two_models_hold_the_same_states_possible(size: int) -> None:
    for seed in range(SEQUENCES):
        random = Random(seed)  # noqa: S311 (nothing secret is made here)
        names = NAMES[: min(size + random.randrange(1, 3), 6)]
        first = StateSet.healthy(names, names[:size])
        second = Second(size, len(names))
        done: list[str] = []
        for _ in range(random.randint(1, LENGTH)):
            told, first = both_do(random, first, second)
            done.append(told)
            assert not first.truncated
            found = {state_of(world) for world in first.states}
            assert found == second.states, (seed, done)
