"""The shortest trace to one possible state, in words."""

from __future__ import annotations

import pytest

from kopslint.model.etcd.explore import StateSet
from kopslint.model.etcd.trace import trace_to

FIVE = StateSet.healthy("abcde", "abcde")


def told(states: StateSet, names: str) -> tuple[str, ...]:
    """The shortest trace to any of the states with these signs, else the first."""
    traces = [
        trace_to(states, state) for state in states.states if state.signs == names
    ]
    return min(sorted(traces), key=len)


def test_nothing_has_to_happen_for_the_state_at_the_start() -> None:
    (state,) = FIVE.states

    assert trace_to(FIVE, state) == ()


def test_what_people_do_is_told_in_order() -> None:
    states = FIVE.stop("e").remove(["e"]).publish(3)

    assert told(states, "LLLLx") == (
        "e goes down",
        "e is removed from the member list by hand",
    )


def test_what_etcd_manager_does_by_itself_is_told_in_between() -> None:
    states = FIVE.publish(3).stop("a")

    assert told(states, "xLLLE") == (
        "a goes down",
        "the leader reads the control spec: 3 members",
        "etcd-manager removes a",
        "etcd-manager removes e",
    )


def test_a_machine_of_the_cloud_comes_back_by_itself() -> None:
    """The publication is told only where a state depends on it: when it is read."""
    states = FIVE.publish(3).stop("b")

    assert told(states, "LLLLL") == ("b goes down", "b comes back up")


def test_the_growth_from_one_member_is_told_step_by_step() -> None:
    one = StateSet.healthy("abc", "a").publish(3).start("b").start("c")

    assert told(one, "LLJ") == (
        "b comes up",
        "c comes up",
        "the leader reads the control spec: 3 members",
        "etcd-manager adds b",
        "b joins",
        "etcd-manager adds c",
    )


def test_an_empty_disk_is_told_as_what_it_is() -> None:
    states = StateSet.healthy("abc", "abc").returning([]).stop("c").wipe("c").start("c")

    assert told(states, "LLL") == (
        "c goes down",
        "the disk of c is deleted",
        "c comes up",
        "etcd-manager removes c, whose disk is empty, to add it again",
        "etcd-manager adds c",
        "c joins",
    )


def test_a_restore_is_told_with_what_came_before() -> None:
    lost = StateSet.healthy("abc", "abc").returning(["a"]).stop("b").stop("c")

    assert told(lost.publish(1).restore(1), "Loo") == (
        "b goes down",
        "c goes down",
        "a restore is queued",
        "the leader reads the control spec: 1 members",
        "the leader restores the backup",
    )


def test_narrowing_the_states_adds_nothing_to_a_trace() -> None:
    """Waiting and validating only rule states out."""
    states = FIVE.publish(3).stop("a")
    kept = states.where(lambda state: state.signs == "LLEEE")

    assert told(kept, "LLEEE") == told(states, "LLEEE")


def test_of_two_courses_the_shorter_one_is_told() -> None:
    """Whichever of them was followed first."""
    short = FIVE.stop("d")
    long = FIVE.stop("c").start("c").stop("c")

    assert told(short.joined(long), "LLLLL") == ("d goes down", "d comes back up")
    assert told(long.joined(short), "LLLLL") == ("d goes down", "d comes back up")


@pytest.mark.parametrize("count", [1, 3])
def test_every_possible_state_has_a_trace(count: int) -> None:
    """It starts with the first thing that people did and that changed something."""
    states = FIVE.publish(count).stop("c").start("c").stop("d")

    traces = [trace_to(states, state) for state in states.states]

    assert {events[0] for events in traces} == {"c goes down"}
    assert all("d goes down" in events for events in traces)
