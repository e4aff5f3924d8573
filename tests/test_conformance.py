"""The model of etcd-manager is held to recorded runs of the real one.

Every observation of every run must be among the worlds that the model holds
possible at that second (soundness), and where all runs of a scenario agree on
whether writes succeed, the model must mostly be certain too (precision).
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kopslint.model.etcd.explore import reachable, successors
from kopslint.model.etcd.state import WHEN_REMOVED, EtcdState, initial
from kopslint.model.etcd.transitions import (
    Kind,
    Pace,
    remove,
    reread_if_all_restarted,
    start,
    stop,
    wipe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

RUNS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "fixtures/etcd/runs.json").read_text()
)
NAMES = "abcdef"
NOWHERE: frozenset[int] = frozenset()


class Timing(NamedTuple):
    """After how many seconds moves of each pace have certainly happened."""

    fast: float
    medium: float
    slow: float
    frozen: float

    def done(self, seconds: float) -> set[Pace]:
        paces = (Pace.FAST, Pace.MEDIUM, Pace.SLOW)
        limits = zip(paces, (self.fast, self.medium, self.slow), strict=True)
        return {pace for pace, limit in limits if seconds >= limit}


TIMINGS = {
    "fast": Timing(16, 35, 75, frozen=5),
    "production": Timing(45, 100, 150, frozen=60),
}
IN_FLIGHT = 12.0
"""A forced re-read hits a loop that may have counted live peers this long ago."""


class Checkpoint(NamedTuple):
    """One observation and the worlds that were possible when it was made."""

    run: str
    scenario: str
    after: str
    seen: dict[str, Any]
    worlds: frozenset[EtcdState]


def elapse(
    worlds: Iterable[EtcdState], published: int, seconds: float, timing: Timing
) -> frozenset[EtcdState]:
    done = timing.done(seconds)
    return frozenset(
        world
        for world in reachable(worlds, published, NOWHERE)
        if not any(m.pace in done for m in successors(world, published, NOWHERE))
    )


def only_joins(worlds: Iterable[EtcdState], published: int) -> frozenset[EtcdState]:
    seen = set(worlds)
    waiting = list(seen)
    while waiting:
        for move in successors(waiting.pop(), published, NOWHERE):
            if move.kind is Kind.JOINS and move.state not in seen:
                seen.add(move.state)
                waiting.append(move.state)
    return frozenset(seen)


def each(
    worlds: Iterable[EtcdState], operation: Callable[[EtcdState], Iterable[EtcdState]]
) -> frozenset[EtcdState]:
    return frozenset(result for world in worlds for result in operation(world))


def forced_read(
    worlds: frozenset[EtcdState], published: int, in_flight: int
) -> frozenset[EtcdState]:
    """The harness makes the leader read; a loop under way may act on old counts."""
    results = set()
    for world in worlds:
        read = world._replace(read=published, due=False, restore=None)
        if world.restore is not None:
            waiting = world._replace(read=published, due=True)
            restored = [
                move.state
                for move in successors(waiting, published, NOWHERE)
                if move.kind is Kind.RESTORES
            ]
            results.update(restored or [read._replace(restore=world.restore)])
            continue
        results.add(read)
        live = sum(name.counts_as_peer for name in world.names) + in_flight
        if in_flight and read.writable and live > published <= read.members:
            results.update(
                read.put(index, WHEN_REMOVED[name])
                for index, name in enumerate(read.names)
                if name.unhealthy
            )
    return frozenset(results)


def replay(run: dict[str, Any], *, filtered: bool) -> Iterator[Checkpoint]:
    timing = TIMINGS[run["timing"]]
    members = frozenset(NAMES.index(name) for name in run["members"])
    published = len(members)
    worlds = frozenset({initial(len(NAMES), members, published)})
    seen_before = set(members)
    unrestarted = set(members)
    now, thaw = 0.0, 0.0
    stops: list[float] = []
    for second, operation, *arguments in run["steps"]:
        if now < thaw:
            worlds = only_joins(worlds, published)
        if second > thaw:
            idle = second - max(now, thaw)
            worlds = elapse(worlds, published, idle, timing)
        now = second
        if operation == "saw":
            seen = arguments[0]
            yield Checkpoint(run["run"], run["scenario"], seen["after"], seen, worlds)
            if filtered:
                worlds = frozenset(w for w in worlds if explains(w, seen))
            continue
        if operation == "publish":
            published = arguments[0]
            unrestarted = {
                i for w in worlds for i, name in enumerate(w.names) if name.up
            }
        elif operation == "read":
            recent = sum(second - at <= IN_FLIGHT for at in stops)
            worlds = forced_read(worlds, published, recent)
        elif operation == "restore":
            worlds = frozenset(w._replace(restore=arguments[0]) for w in worlds)
        else:
            index = NAMES.index(arguments[0])
            if operation == "stop":
                worlds = each(worlds, partial(stop, index=index))
                stops.append(second)
                thaw = second + timing.frozen
            elif operation == "wipe":
                worlds = each(worlds, partial(wipe, index=index))
            elif operation == "start":
                fresh = index not in seen_before
                worlds = each(worlds, partial(start, index=index, fresh=fresh))
                seen_before.add(index)
            elif operation == "remove":
                tried = {w: remove(w, index) for w in worlds}
                if arguments[1] is None:
                    worlds = frozenset(r for r in tried.values() if r is not None)
                else:
                    worlds = frozenset(w for w, r in tried.items() if r is None)
            if operation in ("start", "stop"):
                unrestarted.discard(index)
                still = frozenset(unrestarted)
                worlds = frozenset(
                    reread_if_all_restarted(w, published, still) for w in worlds
                )


def explains(world: EtcdState, seen: dict[str, Any]) -> bool:
    """Whether an observation is what one would see in this world."""
    if world.writable != seen["writes"]:
        return False
    serving = "".join(
        name
        for name, member in zip(NAMES, world.names, strict=True)
        if member.votes and world.writable
    )
    if serving != seen["serving"]:
        return False
    if not seen["members"]:
        return True
    listed = sorted(
        name if member.started or member.disk != "its own" else "?"
        for name, member in zip(NAMES, world.names, strict=True)
        if member.listed
    )
    return listed == sorted(seen["members"])


@pytest.mark.parametrize("filtered", [False, True], ids=["free", "trace-inclusion"])
@pytest.mark.parametrize("run", RUNS, ids=[run["run"] for run in RUNS])
def test_every_observation_is_a_possible_world(
    run: dict[str, Any], *, filtered: bool
) -> None:
    """What the real etcd showed is among the worlds the model holds possible."""
    unexplained = [
        (point.after, point.seen, sorted(w.signs for w in point.worlds))
        for point in replay(run, filtered=filtered)
        if not any(explains(world, point.seen) for world in point.worlds)
    ]

    assert unexplained == []


def test_the_model_is_certain_where_all_runs_agree() -> None:
    """Agreement of all runs on writes is one verdict of the model, mostly."""
    verdicts: dict[tuple[str, str], set[bool]] = defaultdict(set)
    model: dict[tuple[str, str], set[bool]] = defaultdict(set)
    checkpoints = 0
    for run in RUNS:
        for point in replay(run, filtered=False):
            checkpoints += 1
            verdicts[point.scenario, point.after].add(point.seen["writes"])
            model[point.scenario, point.after] |= {w.writable for w in point.worlds}
    agreed = [key for key, writes in verdicts.items() if len(writes) == 1]
    certain = [key for key in agreed if len(model[key]) == 1]

    assert checkpoints == 237
    assert len(agreed) == 107
    assert len(certain) >= 94
    assert all(model[key] == verdicts[key] for key in certain)
