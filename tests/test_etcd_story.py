"""The shortest course of events that leads to one possible world, in words."""

from __future__ import annotations

import pytest

from kopslint.model.etcd.explore import StateSet
from kopslint.model.etcd.trace import trace_to

FIVE = StateSet.healthy("abcde", "abcde")


def told(worlds: StateSet, names: str) -> tuple[str, ...]:
    """The shortest story to any of the worlds with these letters, else the first."""
    stories = [
        trace_to(worlds, world) for world in worlds.states if world.signs == names
    ]
    return min(sorted(stories), key=len)


def test_nothing_has_to_happen_for_the_world_at_the_start() -> None:
    (world,) = FIVE.states

    assert trace_to(FIVE, world) == ()


def test_what_people_do_is_told_in_order() -> None:
    worlds = FIVE.stop("e").remove(["e"]).publish(3)

    assert told(worlds, "LLLLx") == (
        "e goes down",
        "e is removed from the member list by hand",
    )


def test_what_etcd_manager_does_by_itself_is_told_in_between() -> None:
    worlds = FIVE.publish(3).stop("a")

    assert told(worlds, "xLLLE") == (
        "a goes down",
        "the leader reads the control spec: 3 members",
        "etcd-manager removes a",
        "etcd-manager removes e",
    )


def test_a_machine_of_the_cloud_comes_back_by_itself() -> None:
    """The publication is told only where a world depends on it: when it is read."""
    worlds = FIVE.publish(3).stop("b")

    assert told(worlds, "LLLLL") == ("b goes down", "b comes back up")


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
    worlds = StateSet.healthy("abc", "abc").returning([]).stop("c").wipe("c").start("c")

    assert told(worlds, "LLL") == (
        "c goes down",
        "the disk of c is deleted",
        "c comes up",
        "etcd-manager removes c, whose disk is empty, to add it again",
        "etcd-manager adds c",
        "c joins",
    )


def test_a_restore_is_told_with_what_came_before() -> None:
    lost = StateSet.healthy("abc", "abc").returning(["a"]).stop("b").stop("c")

    assert told(lost.publish(1).restore(1), "Lxx") == (
        "b goes down",
        "c goes down",
        "a restore is queued",
        "the leader restores the backup",
    )


def test_narrowing_the_worlds_adds_nothing_to_a_story() -> None:
    """Waiting and validating only rule worlds out."""
    worlds = FIVE.publish(3).stop("a")
    kept = worlds.where(lambda world: world.signs == "LLEEE")

    assert told(kept, "LLEEE") == told(worlds, "LLEEE")


def test_of_two_courses_the_shorter_one_is_told() -> None:
    """Whichever of them was followed first."""
    short = FIVE.stop("d")
    long = FIVE.stop("c").start("c").stop("c")

    assert told(short.joined(long), "LLLLL") == ("d goes down", "d comes back up")
    assert told(long.joined(short), "LLLLL") == ("d goes down", "d comes back up")


@pytest.mark.parametrize("count", [1, 3])
def test_every_possible_world_has_a_story(count: int) -> None:
    """It starts with the first thing that people did and that changed something."""
    worlds = FIVE.publish(count).stop("c").start("c").stop("d")

    stories = [trace_to(worlds, world) for world in worlds.states]

    assert {events[0] for events in stories} == {"c goes down"}
    assert all("d goes down" in events for events in stories)
