"""What etcd and etcd-manager do next in a world, and what people's operations do.

A state is written as one sign per member name, as ``MemberState`` has them: I idle,
L votes, J joins, D down, W never started, E expelled, x left, r wiped, R replaced,
w and i listed by hand, without a machine and with one, A and a listed with data that
etcd refuses, up and down, O and o with the data of an older cluster, up and down.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.model.etcd import transitions
from kopslint.model.etcd.explore import StateSet, successors
from kopslint.model.etcd.state import EtcdState, MemberState, Software, Upgrade
from kopslint.model.etcd.transitions import (
    Kind,
    RemovalRefusal,
    enabled_transitions,
    refusal,
)

BY_SIGN = {member.sign: member for member in MemberState}


def state(
    signs: str,
    read: int,
    *,
    due: bool = False,
    restore: int | None = None,
    held: int | None = None,
    ghosts: int = 0,
) -> EtcdState:
    """The state in which every member name is as its sign says."""
    names = tuple(BY_SIGN[sign] for sign in signs)
    return EtcdState(names, read, due, restore, held, ghosts=ghosts)


class Next(NamedTuple):
    """A world, the published count, and everything that may come next."""

    world: EtcdState
    published: int
    then: set[tuple[Kind, str]]


NOTHING: set[tuple[Kind, str]] = set()

NEXT = {
    # A member that was told to join.
    "a joining member starts once quorum is there with it": Next(
        state("LJ", 2), 2, {(Kind.JOINS, "LL")}
    ),
    "a joining member starts beside one that never did": Next(
        state("LJW", 3), 3, {(Kind.JOINS, "LLW")}
    ),
    "a joining member waits while quorum is not there even with it": Next(
        state("LJWWW", 5), 5, NOTHING
    ),
    "two joining members start one by one": Next(
        state("LLJJ", 4), 4, {(Kind.JOINS, "LLLJ"), (Kind.JOINS, "LLJL")}
    ),
    # The control spec.
    "a read that is due happens": Next(
        state("LLL", 3, due=True), 5, {(Kind.READS, "LLL")}
    ),
    "nobody reads a count because it was published": Next(state("LLL", 3), 5, NOTHING),
    "a leader that sees no members reads a new count": Next(
        state("LDD", 3), 1, {(Kind.READS, "LDD")}
    ),
    "a leader that sees no members has nothing new to read": Next(
        state("LDD", 3), 3, NOTHING
    ),
    "nobody reads while no machine is up": Next(state("DDx", 3, due=True), 1, NOTHING),
    # Restoring a backup.
    "a restore is read before it runs": Next(
        state("LDD", 3, restore=1), 1, {(Kind.READS, "LDD")}
    ),
    "a restore takes the living peers, and the dead keep the data of before": Next(
        state("LDD", 1, held=1), 1, {(Kind.RESTORES, "Loo")}
    ),
    "a restore may choose an expelled peer, and empties who is not chosen": Next(
        state("LDE", 1, held=1), 1, {(Kind.RESTORES, "LoI"), (Kind.RESTORES, "IoL")}
    ),
    "a restore does with one peer less of the same quorum": Next(
        state("LLD", 3, held=3), 3, {(Kind.RESTORES, "LLo")}
    ),
    "a restore waits for enough living peers, and nothing is read meanwhile": Next(
        state("LDD", 3, held=3), 1, NOTHING
    ),
    "with too few peers for its count a restore is put over what serves": Next(
        state("LLLDD", 5, held=5), 5, {(Kind.OVERWRITES, "LLLDD")}
    ),
    # The cluster before a restore.
    "a majority of its members serves again, and the leader takes out its dead": Next(
        state("LLOOO", 3, ghosts=2), 3, {(Kind.REMOVES, "LLOOO")}
    ),
    "and then its living ones": Next(
        state("LLOOO", 3),
        3,
        {(Kind.REMOVES, f"LL{left}") for left in ("EOO", "OEO", "OOE")},
    ),
    "a minority of its members only counts": Next(
        state("LLLO", 3, ghosts=2),
        3,
        {(Kind.REMOVES, "ELLO"), (Kind.REMOVES, "LELO"), (Kind.REMOVES, "LLEO")},
    ),
    # Adding a member.
    "an idle machine is added below the count": Next(
        state("LI", 3), 3, {(Kind.ADDS, "LJ")}
    ),
    "any of two idle machines is added first": Next(
        state("LII", 3), 3, {(Kind.ADDS, "LJI"), (Kind.ADDS, "LIJ")}
    ),
    "nobody is added at the count": Next(state("LLLI", 3), 3, NOTHING),
    "a dead member blocks every addition": Next(state("LLDI", 5), 5, NOTHING),
    "a member that never started blocks every addition": Next(
        state("LLWI", 5), 5, NOTHING
    ),
    "below the count an expelled machine is not taken back": Next(
        state("LLE", 3), 3, NOTHING
    ),
    # Removing a member.
    "above the count any living member goes": Next(
        state("LLL", 1),
        1,
        {(Kind.REMOVES, "ELL"), (Kind.REMOVES, "LEL"), (Kind.REMOVES, "LLE")},
    ),
    "above the count an unhealthy member goes first": Next(
        state("LLLLD", 3), 3, {(Kind.REMOVES, "LLLLx")}
    ),
    "dead members alone do not exceed the count": Next(state("LLLDD", 3), 3, NOTHING),
    "expelled machines go on counting": Next(
        state("LLLEE", 3),
        3,
        {(Kind.REMOVES, "ELLEE"), (Kind.REMOVES, "LELEE"), (Kind.REMOVES, "LLEEE")},
    ),
    "removal ends one below the count": Next(state("LLEEE", 3), 3, NOTHING),
    "the last member is never removed": Next(state("LEE", 1), 1, NOTHING),
    "nobody is removed without quorum": Next(state("LDDEE", 1), 1, NOTHING),
    # An empty disk under a known name.
    "a member back with an empty disk becomes idle": Next(
        state("LLR", 3), 3, {(Kind.REPLACES, "LLI")}
    ),
    "two of them are not swapped": Next(state("LLLRR", 5), 5, NOTHING),
    "one beside a missing member is not swapped": Next(state("LLLR", 5), 5, NOTHING),
    # A removed member that is listed again, with its old data.
    "a member listed again does not start with its old data": Next(
        state("LLA", 3), 3, NOTHING
    ),
    "one listed again blocks every addition": Next(state("LLAI", 5), 5, NOTHING),
    "one listed again counts as living, and goes first": Next(
        state("LLA", 1), 1, {(Kind.REMOVES, "LLE")}
    ),
    # A slot for an idle machine.
    "a dead member makes room for an idle machine above the count": Next(
        state("LLLDI", 3), 3, {(Kind.FREES, "LLLxI")}
    ),
    "any of two dead members makes room": Next(
        state("LLLDDI", 3), 3, {(Kind.FREES, "LLLxDI"), (Kind.FREES, "LLLDxI")}
    ),
    "a dead member makes no room at the count": Next(state("LLDI", 3), 3, NOTHING),
    "a dead member makes no room for nobody": Next(state("LLLD", 3), 3, NOTHING),
    # Moves that do not exclude each other.
    "a join and a read may come in any order": Next(
        state("LLJ", 3, due=True), 5, {(Kind.JOINS, "LLL"), (Kind.READS, "LLJ")}
    ),
}


@pytest.mark.parametrize("case", NEXT.values(), ids=NEXT)
def test_exactly_these_moves_may_come_next(case: Next) -> None:
    found = list(enabled_transitions(case.world, case.published))

    assert {(move.kind, move.state.signs) for move in found} == case.then
    assert len(found) == len(case.then)


@pytest.mark.parametrize(
    ("replaces", "replaced", "stays"),
    [(True, True, False), (False, False, True), (None, True, True)],
    ids=["replacing", "not replacing", "not known"],
)
def test_an_empty_disk_is_replaced_by_an_etcd_manager_that_can(
    *, replaces: bool | None, replaced: bool, stays: bool
) -> None:
    """Where nobody knows which one runs, both may be how it ends."""
    healthy = StateSet.healthy("abc", "abc", Software(replaces=replaces))
    worlds = healthy.returning(["a", "b"]).stop("c").wipe("c").start("c")

    assert any(world.signs == "LLL" for world in worlds.settled) is replaced
    assert any(world.signs == "LLR" for world in worlds.settled) is stays


def test_a_read_leaves_nothing_due_and_the_count_known() -> None:
    (move,) = enabled_transitions(state("LLL", 3, due=True), 5)

    assert move.state == state("LLL", 5)


def test_a_restore_that_waits_stays_queued_after_a_read() -> None:
    (move,) = enabled_transitions(state("LDD", 3, due=True, restore=3), 1)

    assert move.state == state("LDD", 1, restore=3, held=3)


REFUSALS = {
    "a dead member of three": ("LLD", 2, None),
    "a healthy member of three healthy ones": ("LLL", 0, None),
    "one of two healthy members": ("LL", 0, None),
    "a healthy member of three with one dead": ("LLD", 0, RemovalRefusal.UNHEALTHY),
    "a healthy member of five with two dead": ("LLLDD", 0, RemovalRefusal.UNHEALTHY),
    "a healthy member of five with one dead": ("LLLLD", 0, None),
    "a started member beside one that joins": (
        "LLJ",
        0,
        RemovalRefusal.NOT_ENOUGH_STARTED,
    ),
    "the member that joins": ("LLJ", 2, None),
    "the only member": ("L", 0, RemovalRefusal.LAST),
    "a dead member without quorum": ("LDD", 1, RemovalRefusal.NO_QUORUM),
}


@pytest.mark.parametrize(("names", "index", "why"), REFUSALS.values(), ids=REFUSALS)
def test_etcd_refuses_to_remove(
    names: str, index: int, why: RemovalRefusal | None
) -> None:
    """By hand and by etcd-manager alike."""
    world = state(names, len(names))

    assert refusal(world, index) == why
    assert (transitions.remove(world, index) is None) == (why is not None)


def test_a_removed_member_leaves_with_its_disk() -> None:
    """A living one runs on as a stranger, a dead one leaves its disk behind."""
    assert transitions.remove(state("LLL", 3), 2) == state("LLE", 3)
    assert transitions.remove(state("LLD", 3), 2) == state("LLx", 3)
    assert transitions.remove(state("LLE", 3), 2) is None


@pytest.mark.parametrize(
    ("names", "index", "after"),
    [
        ("LLI", 2, "LLi"),
        ("LL.", 2, "LLw"),
        ("LDI", 2, None),
        ("LLDI", 3, None),
        ("LLE", 2, "LLA"),
        ("LLx", 2, "LLa"),
        ("LLA", 2, None),
        ("LLL", 2, None),
    ],
)
def test_a_member_is_added_by_hand_only_while_all_vote(
    names: str, index: int, after: str | None
) -> None:
    """Quorum rises at once, whether or not a machine is there."""
    added = transitions.add(state(names, 3), index)

    assert (added.signs if added else None) == after


@pytest.mark.parametrize(
    ("names", "after", "due"),
    [
        ("LLL", "LLD", {False, True}),
        ("LLJ", "LLW", {False, True}),
        ("LLI", "LL.", {False, True}),
        ("LLE", "LLx", {False, True}),
        ("LLR", "LLr", {False, True}),
        ("LLA", "LLa", {False, True}),
        ("DDL", "DDD", {False}),
        ("LLD", "LLD", {False}),
    ],
)
def test_a_machine_that_stops_may_have_led(
    names: str, after: str, due: set[bool]
) -> None:
    """Its successor reads the count; nobody knows whether it led."""
    results = transitions.stop(state(names, 3), 2)

    assert {world.signs for world in results} == {after}
    assert {world.due for world in results} == due


@pytest.mark.parametrize(
    ("names", "fresh", "after", "due"),
    [
        ("LLD", False, "LLL", {False, True}),
        ("LLW", False, "LLJ", {False, True}),
        ("LLx", False, "LLE", {False, True}),
        ("LLr", False, "LLR", {False, True}),
        ("LLa", False, "LLA", {False, True}),
        ("LLw", False, "LLi", {False, True}),
        ("LLo", False, "LLO", {False, True}),
        ("LL.", False, "LLI", {False, True}),
        ("LL.", True, "LLI", {True}),
        ("DDD", False, "DDL", {True}),
        ("LLL", False, "LLL", {False}),
    ],
)
def test_a_machine_that_starts_may_come_to_lead(
    names: str, after: str, due: set[bool], *, fresh: bool
) -> None:
    """It certainly has the count read if it is a stranger, or alone."""
    results = transitions.start(state(names, 3), 2, fresh=fresh)

    assert {world.signs for world in results} == {after}
    assert {world.due for world in results} == due


@pytest.mark.parametrize(
    ("names", "after"),
    [
        ("LLD", "LLr"),
        ("LLW", "LLr"),
        ("LLx", "LL."),
        ("LLL", "LLR"),
        ("LLE", "LLI"),
        ("LLA", "LLi"),
        ("LLO", "LLI"),
        ("LLo", "LL."),
        ("LLa", "LLw"),
        ("LL.", "LL."),
    ],
)
def test_a_disk_that_is_deleted_takes_its_data_along(names: str, after: str) -> None:
    """Under a running machine the name comes back empty."""
    results = transitions.wipe(state(names, 3), 2)

    assert {world.signs for world in results} == {after}


@pytest.mark.parametrize(
    ("world", "published", "unrestarted", "due"),
    [
        (state("LLL", 5), 3, frozenset[int](), True),
        (state("LLL", 5), 3, frozenset({0}), False),
        (state("DLL", 5), 3, frozenset({0}), True),
        (state("LLL", 3), 3, frozenset[int](), False),
    ],
    ids=["all restarted", "one runs on", "the one that ran on is down", "known"],
)
def test_once_all_restarted_the_count_is_read(
    world: EtcdState, published: int, unrestarted: frozenset[int], *, due: bool
) -> None:
    """Whoever leads then has started after the publication."""
    after = transitions.reread_if_all_restarted(world, published, unrestarted)

    assert after.due is due


any_names = st.lists(st.sampled_from(MemberState), min_size=1, max_size=5)
any_world = st.builds(
    EtcdState,
    any_names.map(tuple),
    read=st.integers(1, 5),
    due=st.booleans(),
    restore=st.none() | st.integers(1, 5),
    held=st.none() | st.integers(1, 5),
    ghosts=st.integers(0, 3),
    upgrade=st.sampled_from(Upgrade),
    lead=st.none(),
)


@settings(deadline=None, max_examples=150)
@given(any_world, st.integers(1, 5))
def test_left_alone_etcd_always_comes_to_rest(world: EtcdState, published: int) -> None:
    """No course of moves leads back to a world that it came from."""
    finished: set[EtcdState] = set()
    course: dict[EtcdState, list[EtcdState]] = {world: following(world, published)}
    while course:
        current = next(reversed(course))
        if course[current]:
            then = course[current].pop()
            assert then not in course
            if then not in finished:
                course[then] = following(then, published)
        else:
            finished.add(current)
            del course[current]


def following(world: EtcdState, published: int) -> list[EtcdState]:
    return [move.state for move in successors(world, published, frozenset())]
