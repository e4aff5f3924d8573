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
from kopslint.model.etcd.state import Software, Upgrade

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from second_model import (  # noqa: E402
    Release,
    State,
    added,
    emptied,
    forced,
    next_states,
    removed,
    restarted,
    started,
    state_of,
    stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = "abcdef"
VERBS = (
    *("stop", "stop", "start", "start", "returns", "wait"),
    *("remove", "add", "wipe", "publish", "restore", "force"),
    *("restart", "forget", "upgrade"),
)
LENGTH = 8
SEQUENCES = 300
"""For each size; thousands more were compared when this was written."""


class Second:
    """All states that are possible, as the second model has it."""

    def __init__(self, first: StateSet, release: Release) -> None:
        members = first.known
        self.states = {state_of(world) for world in first.states}
        self.published = first.published
        self.release = release
        self.returns = self.known = self.since_before = members

    def each(self, step: Callable[[State], set[State]]) -> None:
        after = {then for state in self.states for then in step(state)}
        waiting = list(after)
        while waiting:
            found = next_states(
                waiting.pop(), self.published, self.returns, self.release
            )
            news = found - after
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
        behind = state.read != self.published and state.minds is None
        return replace(state, due=True) if behind and not old else state

    def publish(self, count: int, upgrade: Upgrade | None = None) -> None:
        self.published = count
        self.since_before = frozenset(
            place
            for state in self.states
            for place, name in enumerate(state.names)
            if name.up
        )
        self.each(
            lambda state: {replace(state, wrote=None, upgrade=upgrade or state.upgrade)}
        )

    def queue(self, state: State, count: int) -> set[State]:
        return {state if state.restore is not None else replace(state, restore=count)}

    def wait(self) -> None:
        self.states = {
            state
            for state in self.states
            if not next_states(state, self.published, self.returns, self.release)
        }


def both_do(random: Random, first: StateSet, second: Second) -> tuple[str, StateSet]:
    """One random operation on both models: its name, and the first one's result."""
    place = random.randrange(len(first.names))
    name = first.names[place]
    verb = random.choice(VERBS)
    release = second.release
    match verb:
        case "stop":
            after = first.stop(name)
            second.restarting(lambda state: stopped(state, place, release), place)
        case "start":
            fresh = place not in second.known
            after = first.start(name)
            second.restarting(
                lambda s: started(s, place, fresh=fresh, release=release), place
            )
            second.known |= {place}
        case "wipe":
            after = first.wipe(name)
            second.restarting(lambda state: emptied(state, place, release), place)
        case "remove":
            after = first.remove([name])
            second.each(lambda state: removed(state, place, release))
        case "add":
            after = first.add(name)
            second.each(lambda state: added(state, place, release))
        case "publish":
            count = random.choice((1, 3, 5))
            after = first.publish(count)
            second.publish(count)
        case "restore":
            count = random.choice((1, 3, 5))
            after = first.restore(count)
            second.each(lambda state: second.queue(state, count))
        case "forget":
            after = first.forget_restore()
            second.each(lambda state: {replace(state, restore=None)})
        case "force":
            after = first.force(name)
            second.each(lambda state: forced(state, place, release))
        case "restart":
            after = first.restart_managers([name])
            second.each(lambda state: restarts(state, place, release))
        case "upgrade":
            known = random.random() < 0.7
            upgrade = Upgrade.PUBLISHED if known else Upgrade.UNKNOWN
            after = first.publish(second.published, upgrade)
            second.publish(second.published, upgrade)
        case "returns":
            back = frozenset(p for p in second.known if random.random() < 0.5)
            after = first.returning(first.names[p] for p in sorted(back))
            second.returns = back
            second.each(lambda state: {state})
        case _:
            after = first.wait()
            second.wait()
    return f"{verb} {name}", after


def restarts(state: State, place: int, release: Release) -> set[State]:
    """At once, or so late that it was missed."""
    late = {
        back
        for down in stopped(state, place, release)
        for back in started(down, place, fresh=False, release=release)
    }
    up = state.names[place].up
    return restarted(state, frozenset({place} if up else ())) | (
        late if up else {state}
    )


RELEASES = {
    "old etcd": (Software(), Release()),
    "new etcd": (Software(adds_beside_dead=True), Release(beside_dead=True)),
    "corrupting etcd, old etcd-manager": (
        Software(replaces=False, forces_cleanly=False),
        Release(swaps=False, clean_force=False),
    ),
    "known leader": (
        Software(adds_beside_dead=True, ranks=(1, 0, 2, 5, 3, 4)),
        Release(beside_dead=True, order=(1, 0, 2, 5, 3, 4)),
    ),
}


@pytest.mark.parametrize("which", RELEASES)
@pytest.mark.parametrize("size", [1, 3, 5])
def test_two_models_hold_the_same_states_possible(size: int, which: str) -> None:
    software, release = RELEASES[which]
    for seed in range(SEQUENCES // 3):
        random = Random(seed)  # noqa: S311 (nothing secret is made here)
        names = NAMES[: min(size + random.randrange(1, 3), 6)]
        first = StateSet.healthy(names, names[:size], software)
        second = Second(first, release)
        done: list[str] = []
        for _ in range(random.randint(1, LENGTH)):
            told, first = both_do(random, first, second)
            done.append(told)
            assert not first.truncated
            found = {state_of(world) for world in first.states}
            assert found == second.states, (seed, done)
