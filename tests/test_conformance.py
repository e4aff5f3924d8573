"""The model of etcd-manager is held to recorded runs of the real one.

Every observation of every run must be among the worlds that the model holds
possible at that second (soundness), and where all runs of a scenario agree on
whether writes succeed, the model must mostly be certain too (precision).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from kopslint.kops.etcd_releases import adds_beside_dead, forces_cleanly
from kopslint.model.etcd.explore import reachable, successors
from kopslint.model.etcd.state import (
    WHEN_REMOVED,
    Data,
    EtcdState,
    Software,
    Upgrade,
    initial,
)
from kopslint.model.etcd.transitions import (
    Kind,
    Pace,
    add,
    force,
    removals,
    reread_if_all_restarted,
    restart,
    start,
    stop,
    wipe,
)

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

import recorded_runs  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

OPERATIONS = recorded_runs.recorded("runs.json")
RESCUES = recorded_runs.recorded("rescues.json", "leaders.json")
FURTHER = recorded_runs.further()
RUNS: list[dict[str, Any]] = [*OPERATIONS, *RESCUES, *FURTHER]
BY_NAME = tuple(range(6))
"""The order in which peers lead: the harness gives them ids as the clouds do."""
NAMES = "abcdef"
NOWHERE: frozenset[int] = frozenset()


class Timing(NamedTuple):
    """After how many seconds moves of each pace have certainly happened."""

    fast: float
    medium: float
    slow: float
    late: float
    frozen: float

    def done(self, seconds: float) -> set[Pace]:
        paces = (Pace.FAST, Pace.MEDIUM, Pace.SLOW, Pace.LATE)
        times = (self.fast, self.medium, self.slow, self.late)
        limits = zip(paces, times, strict=True)
        return {pace for pace, limit in limits if seconds >= limit}


TIMINGS = {
    "fast": Timing(16, 35, 75, 140, frozen=5),
    "production": Timing(45, 100, 150, 280, frozen=60),
}
LONGEST_WAIT = 60.0
"""How long the harness waits for something before it goes on without it."""
IN_FLIGHT = 12.0
"""A forced re-read hits a loop that may have counted live peers this long ago."""


class Checkpoint(NamedTuple):
    """One observation and the worlds that were possible when it was made."""

    run: str
    scenario: str
    after: str
    seen: dict[str, Any]
    worlds: frozenset[EtcdState]


def software(run: dict[str, Any], *, known: bool) -> Software:
    """What ran; ``known`` is whether the order of leading is taken into account."""
    return Software(
        adds_beside_dead=adds_beside_dead(run["etcd"]),
        forces_cleanly=forces_cleanly(run["etcd"]),
        ranks=BY_NAME if known else None,
    )


def elapse(
    worlds: Iterable[EtcdState],
    published: int,
    seconds: float,
    timing: Timing,
    what: Software,
) -> frozenset[EtcdState]:
    done = timing.done(seconds)
    return frozenset(
        world
        for world in reachable(worlds, published, NOWHERE, what)
        if not any(m.pace in done for m in successors(world, published, NOWHERE, what))
    )


def only_joins(
    worlds: Iterable[EtcdState], published: int, what: Software
) -> frozenset[EtcdState]:
    seen = set(worlds)
    waiting = list(seen)
    while waiting:
        for move in successors(waiting.pop(), published, NOWHERE, what):
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
    pending = {Upgrade.PUBLISHED: Upgrade.PENDING}
    for world in worlds:
        count = published if world.wrote is None else world.wrote
        read = world._replace(
            read=count,
            due=False,
            held=world.restore,
            upgrade=pending.get(world.upgrade, world.upgrade),
        )
        results.add(read)
        live = sum(name.counts_as_peer for name in world.names) + in_flight
        if in_flight and read.writable and live > count <= read.members:
            results.update(
                read.put(index, WHEN_REMOVED[name])
                for index, name in enumerate(read.names)
                if name.unhealthy
            )
    return frozenset(results)


def replay(
    run: dict[str, Any], *, filtered: bool, known: bool = True
) -> Iterator[Checkpoint]:
    replayed = _Replay(run, software(run, known=known))
    for second, operation, *arguments in run["steps"]:
        if operation in ("started", "written", "leads"):
            replayed.wait(second, getattr(replayed, operation)(*arguments))
            continue
        replayed.until(second)
        if operation != "saw":
            getattr(replayed, operation)(*arguments)
            continue
        seen = arguments[0]
        yield Checkpoint(
            run["run"], run["scenario"], seen["after"], seen, replayed.worlds
        )
        if filtered:
            replayed.worlds = frozenset(w for w in replayed.worlds if explains(w, seen))


class _Replay:
    """The worlds that are possible while a run goes on: a method for each operation."""

    def __init__(self, run: dict[str, Any], what: Software) -> None:
        members = frozenset(NAMES.index(name) for name in run["members"])
        self._timing = TIMINGS[run["timing"]]
        self._what = what
        self._published = len(members)
        world = initial(len(NAMES), members, len(members), what)
        if world.lead is not None:
            # All started at once, and the lowest has led ever since.
            world = world._replace(lead=world.lead._replace(past=()))
        self.worlds = frozenset({world})
        self._known = set(members)
        self._unrestarted = set(members)
        self._now = 0.0
        self._frozen: dict[int, float] = {}
        self._stops: list[float] = []

    def until(self, second: float) -> None:
        """Time passes; after a stop nothing happens for a while but joins.

        Unless the machine is back before it is missed.
        """
        published, what = self._published, self._what
        thaw = max(self._frozen.values(), default=0.0)
        if self._now < thaw:
            self.worlds = only_joins(self.worlds, published, what)
        if second > thaw:
            idle = second - max(self._now, thaw)
            self.worlds = elapse(self.worlds, published, idle, self._timing, what)
        self._now = second

    def wait(self, second: float, holds: Callable[[EtcdState], bool]) -> None:
        """The harness waits until something holds, and goes on without it at last."""
        published, what = self._published, self._what
        sooner = reachable(self.worlds, published, NOWHERE, what)
        later = elapse(self.worlds, published, LONGEST_WAIT, self._timing, what)
        self.worlds = frozenset(w for w in sooner if holds(w)) | frozenset(
            w for w in later if not holds(w)
        )
        self._now = second

    def started(self, count: int) -> Callable[[EtcdState], bool]:
        return lambda world: sum(name.started for name in world.names) >= count

    def written(self) -> Callable[[EtcdState], bool]:
        return lambda world: world.writable

    def leads(self, name: str) -> Callable[[EtcdState], bool]:
        """Who leads reads at once; where it is not known who leads, nothing is."""
        index = NAMES.index(name)
        return lambda world: (
            world.lead is None or (world.lead.leader == index and not world.due)
        )

    def publish(self, count: int) -> None:
        self._published = count
        self._unrestarted = {
            i for w in self.worlds for i, name in enumerate(w.names) if name.up
        }
        self.worlds = frozenset(w._replace(wrote=None) for w in self.worlds)

    def version(self, version: str) -> None:
        known = int(version.split(".")[2]) < recorded_runs.NO_SUCH_VERSION
        upgrade = Upgrade.PUBLISHED if known else Upgrade.UNKNOWN
        self.worlds = frozenset(w._replace(upgrade=upgrade) for w in self.worlds)

    def read(self) -> None:
        recent = sum(self._now - at <= IN_FLIGHT for at in self._stops)
        self.worlds = forced_read(self.worlds, self._published, recent)

    def restore(self, count: int) -> None:
        self.worlds = frozenset(
            w if w.restore is not None else w._replace(restore=count)
            for w in self.worlds
        )

    def forget(self) -> None:
        self.worlds = frozenset(w._replace(restore=None) for w in self.worlds)

    def stop(self, name: str) -> None:
        index = NAMES.index(name)
        self.worlds = each(self.worlds, partial(stop, index=index, software=self._what))
        self._stops.append(self._now)
        self._frozen[index] = self._now + self._timing.frozen
        self._restarted({index})

    def start(self, name: str) -> None:
        index = NAMES.index(name)
        fresh = index not in self._known
        self.worlds = each(
            self.worlds, partial(start, index=index, software=self._what, fresh=fresh)
        )
        self._known.add(index)
        self._frozen.pop(index, None)
        self._restarted({index})

    def restart(self, names: str) -> None:
        indexes = {NAMES.index(name) for name in names}
        self.worlds = each(self.worlds, partial(restart, indexes=indexes))
        self._restarted(indexes)

    def wipe(self, name: str) -> None:
        index = NAMES.index(name)
        self.worlds = each(self.worlds, partial(wipe, index=index, software=self._what))

    def empty(self, name: str) -> None:
        """The disk of a machine that is stopped for it, if it is not stopped yet."""
        index = NAMES.index(name)
        if any(world.names[index].up for world in self.worlds):
            self.stop(name)
        self.worlds = each(self.worlds, partial(wipe, index=index, software=self._what))

    def force(self, name: str) -> None:
        index = NAMES.index(name)
        self.worlds = each(
            self.worlds, partial(force, index=index, software=self._what)
        )

    def remove(self, name: str, error: str | None) -> None:
        index = NAMES.index(name)
        self._asked(lambda w: removals(w, index, self._what), error)

    def add(self, name: str, error: str | None) -> None:
        index = NAMES.index(name)
        what = self._what
        self._asked(lambda w: tuple(filter(None, [add(w, index, what)])), error)

    def _asked(
        self, operation: Callable[[EtcdState], tuple[EtcdState, ...]], error: str | None
    ) -> None:
        """What etcd was asked for, and whether it agreed."""
        tried = {world: operation(world) for world in self.worlds}
        self.worlds = frozenset(
            then
            for world, after in tried.items()
            for then in (after if error is None else () if after else (world,))
        )

    def _restarted(self, indexes: set[int]) -> None:
        self._unrestarted -= indexes
        still = frozenset(self._unrestarted)
        self.worlds = frozenset(
            reread_if_all_restarted(world, self._published, still)
            for world in self.worlds
        )


def explains(world: EtcdState, seen: dict[str, Any]) -> bool:
    """Whether an observation is what one would see in this world."""
    return all(
        said == seen[what] for what, said in shown(world).items() if what in seen
    ) and listed(world, seen)


DATA = {data: data.value for data in Data} | {Data.FORCED: "kept"}
"""What one sees of the data; a member that was made the only one has all of it."""


def shown(world: EtcdState) -> dict[str, Any]:
    """What is seen of a world, but for the member list."""
    serving = "".join(
        name
        for name, member in zip(NAMES, world.names, strict=True)
        if (member.votes and world.writable)
        or (member.older and member.up and world.older_writable)
    )
    return {
        "writes": world.writable or world.older_writable,
        "serving": serving,
        "data": DATA[world.data],
        "split": world.split,
    }


def listed(world: EtcdState, seen: dict[str, Any]) -> bool:
    """Whether the member list is that of a world, where it could be read."""
    if not seen["members"] or not (world.writable or not world.older_writable):
        return True
    if "unstarted" not in seen:
        names = sorted(
            name if member.started or member.disk != "its own" else "?"
            for name, member in zip(NAMES, world.names, strict=True)
            if member.listed
        )
        return names == sorted(seen["members"])
    return members_of(world) == (seen["members"], seen["unstarted"])


def members_of(world: EtcdState) -> tuple[str, str]:
    """The members that are listed: those that have started, and the others."""
    both = [
        (name, member.started)
        for name, member in zip(NAMES, world.names, strict=True)
        if member.listed
    ]
    return (
        "".join(name for name, started in both if started),
        "".join(name for name, started in both if not started),
    )


@pytest.mark.parametrize("known", [True, False], ids=["leader", "leaderless"])
@pytest.mark.parametrize("filtered", [False, True], ids=["free", "trace-inclusion"])
@pytest.mark.parametrize("run", RUNS, ids=[run["run"] for run in RUNS])
def test_every_observation_is_a_possible_world(
    run: dict[str, Any], *, filtered: bool, known: bool
) -> None:
    """What the real etcd showed is among the worlds the model holds possible."""
    unexplained = [
        (point.after, point.seen, sorted(w.signs for w in point.worlds))
        for point in replay(run, filtered=filtered, known=known)
        if not any(explains(world, point.seen) for world in point.worlds)
    ]

    assert unexplained == []


class Agreement(NamedTuple):
    """How often all runs of a scenario agree on something, and the model is certain."""

    checkpoints: int
    agreed: int
    certain: int

    def __str__(self) -> str:
        share = self.certain / self.agreed if self.agreed else 1
        return f"{self.certain} of {self.agreed} ({share:.0%})"


ASPECTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "writes": lambda seen: seen["writes"],
    "members": lambda seen: (seen["members"], seen.get("unstarted")),
    "data": lambda seen: seen.get("data"),
    "split": lambda seen: seen.get("split"),
}


def same_in_every_world(worlds: frozenset[EtcdState], what: str) -> set[Any]:
    if what == "members":
        return {members_of(world) for world in worlds}
    return {shown(world)[what] for world in worlds}


@cache
def agreement(runs: str, what: str, *, known: bool) -> Agreement:
    """Over all runs of some files, for one thing that is seen."""
    chosen = {"operations": OPERATIONS, "rescues": RESCUES, "further": FURTHER}[runs]
    seen: dict[tuple[str, str, int], set[Any]] = defaultdict(set)
    model: dict[tuple[str, str, int], set[Any]] = defaultdict(set)
    checkpoints = 0
    for run in chosen:
        for number, point in enumerate(replay(run, filtered=False, known=known)):
            checkpoints += 1
            told = ASPECTS[what](point.seen)
            if told is None or (what == "members" and not point.seen["members"]):
                continue
            key = point.scenario, point.after, number
            seen[key].add(told)
            model[key] |= same_in_every_world(point.worlds, what)
    agreed = [key for key, told in seen.items() if len(told) == 1]
    certain = [key for key in agreed if len(model[key]) == 1]
    return Agreement(checkpoints, len(agreed), len(certain))


def test_the_model_is_certain_where_all_runs_agree() -> None:
    """Agreement of all runs on writes is one verdict of the model, mostly."""
    without = agreement("operations", "writes", known=False)
    leading = agreement("operations", "writes", known=True)

    assert without.checkpoints == 237
    assert without.agreed == 107
    assert without.certain >= 93
    assert leading.certain >= 97


@pytest.mark.parametrize("runs", ["rescues", *(["further"] if FURTHER else [])])
def test_it_is_certain_of_what_becomes_of_a_broken_cluster(
    runs: str, record_property: Callable[[str, object], None]
) -> None:
    """Of members, writes, data and whether two clusters serve; figures are printed."""
    found = {what: agreement(runs, what, known=True) for what in ASPECTS}
    for what, figures in found.items():
        print(f"{runs}, {what}: {figures}")  # noqa: T201
        record_property(what, str(figures))
    agreed = sum(each.agreed for each in found.values())
    certain = sum(each.certain for each in found.values())

    assert certain >= 0.85 * agreed
    for what, figures in found.items():
        assert figures.certain >= 0.85 * figures.agreed, what
