"""The way back from every broken state that a few failures lead to.

An exhaustive search has the last word: no way is offered that loses what another order
would keep, and none that may end anywhere else than whole.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from kopslint.model.etcd import transitions
from kopslint.model.etcd.explore import StateSet
from kopslint.model.etcd.state import Data, Software
from kopslint.planner.rescue import Way, best, carried_out, condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.model.etcd.state import EtcdState

NAMES = "abcde"
RELEASES = {
    "new": Software(replaces=True, adds_beside_dead=True, ranks=(0, 1, 2, 3, 4)),
    "old": Software(replaces=False, adds_beside_dead=False, forces_cleanly=False),
}
FAILURES = 3
SIZES = [1, 3, 5]


def failures(state: EtcdState, software: Software) -> Iterator[EtcdState]:
    """One thing that goes wrong: a machine, its disk, or a hand at the member list."""
    for index, name in enumerate(state.names):
        if name.up:
            yield from transitions.stop(state, index, software)
            for down in transitions.stop(state, index, software):
                yield from transitions.wipe(down, index, software)
        elif name.disk != "empty":
            yield from transitions.wipe(state, index, software)
            yield from transitions.start(state, index, software)
        else:
            yield from transitions.start(state, index, software)
        left = transitions.remove(state, index)
        if left is not None:
            yield left


def settled(state: EtcdState, software: Software, size: int) -> frozenset[EtcdState]:
    return _set(state, software, size).followed().settled


def _set(state: EtcdState, software: Software, size: int) -> StateSet:
    whole = StateSet.healthy(NAMES[:size], NAMES[:size], software)
    return whole.replaced(states=frozenset({state}), returns=frozenset(), event=None)


@cache
def broken(release: str, size: int) -> tuple[StateSet, ...]:
    """Every state that at most ``FAILURES`` failures lead to, one for each look."""
    software = RELEASES[release]
    start = StateSet.healthy(NAMES[:size], NAMES[:size], software)
    seen = set(start.states)
    latest = set(seen)
    for _ in range(FAILURES):
        found = {
            after
            for state in latest
            for failed in failures(state, software)
            for after in settled(failed, software, size)
        }
        latest = found - seen
        seen |= latest
    looks: dict[object, EtcdState] = {}
    for state in sorted(seen, key=lambda state: (state.signs, state.read, state.due)):
        looks.setdefault((state.signs, state.read), state)
    return tuple(_set(state, software, size) for state in looks.values())


def keeps_everything(state_set: StateSet) -> bool:
    """Whether some order of operations leads to writes with all of the data.

    Every order of machines that start, members that are removed, and one that is made
    the only one where that is clean: whatever may happen between is followed.
    """
    seen: set[frozenset[EtcdState]] = set()
    waiting = [state_set.followed()]
    while waiting:
        at = waiting.pop()
        if any(s.writable and s.data is Data.KEPT for s in at.states):
            return True
        if at.states in seen:
            continue
        seen.add(at.states)
        for index, name in enumerate(at.names):
            if any(not state.names[index].up for state in at.states):
                waiting.append(at.start(name))
            if at.software.forces_cleanly and any(
                s.names[index].votes for s in at.states
            ):
                waiting.append(at.force(name))
    return False


def cases() -> Iterator[tuple[str, int]]:
    for release in RELEASES:
        for size in SIZES:
            yield release, size


@pytest.mark.parametrize(("release", "size"), list(cases()))
def test_nothing_is_lost_that_another_order_would_keep(release: str, size: int) -> None:
    wanted = NAMES[:size]
    for state_set in broken(release, size):
        way = best(state_set, wanted)
        signs = sorted(state.signs for state in state_set.states)
        if way is None or way is Way.RESTORE:
            lossless = keeps_everything(state_set)
            assert way is None or not lossless, signs
        if way not in (None, Way.RETURN, Way.NOTHING):
            done = carried_out(way, state_set, wanted)
            assert done.settled, signs
            for state in done.settled:
                assert not state.split, signs
                assert state.data is (
                    Data.ROLLED_BACK if way is Way.RESTORE else Data.KEPT
                )
                assert [name.votes for name in state.names] == [True] * size, signs


@pytest.mark.parametrize(("release", "size"), list(cases()))
def test_what_can_be_told_has_a_way(release: str, size: int) -> None:
    """Where one state is all that may be, and no stranger runs, one way is named."""
    wanted = NAMES[:size]
    for state_set in broken(release, size):
        now = condition(state_set, wanted)
        if not now.split and not now.strangers:
            assert best(state_set, wanted) is not None, now.names
