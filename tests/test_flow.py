"""Which commands of a list run: what a failure stops, and what it does not.

The lists are made of three commands that do not exist. ``works NAME`` succeeds,
``fails NAME`` fails, and ``varies NAME`` may do either. A course is written as the
names that ran on it, in order, and how it ended early, if it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.commands.kops import DeleteInstanceGroup, Validate
from kopslint.commands.model import Foreign, Reach, Unreadable
from kopslint.kops.spec import Manifest
from kopslint.model.interpreter import MAX_COURSES, Flow
from kopslint.model.state import ClusterState, Machines, Result, applied, refused
from kopslint.notations.command_list import read_commands
from kopslint.shell.ast import Unknown
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.commands.model import Command
    from kopslint.model.actions.machines import Watch
    from kopslint.shell.ast import SimpleCommand

EMPTY = Manifest(name="demo.example.com", cluster=None, groups={})
ANSWERS = {"true": True, "false": False}


def recognise(call: SimpleCommand) -> tuple[Command, ...]:
    program, *arguments = [word.shown for word in call.words]
    if program in ("works", "fails", "varies"):
        return (Validate(text=f"{program} {arguments[0]}", span=call.span),)
    if program == "deletes":
        name = f"{program} {arguments[0]}"
        return (DeleteInstanceGroup(text=name, span=call.span, yes=True),)
    if program == "opaque":
        reason = Unknown("opaque", "nobody knows what this does")
        return (Unreadable(text=program, span=call.span, reason=reason),)
    answer = ANSWERS.get(program)
    return (Foreign(text=program, span=call.span, program=program, status=answer),)


def effect(command: Command, state: ClusterState, _: Watch) -> list[Result]:
    """Notes that the command ran, in the sizes of the cloud, and ends as it says."""
    program, name = command.text.split()
    then = state._replace(cloud={**state.cloud, name: 1})
    results = {"fails": [refused(then)], "varies": [applied(then), refused(then)]}
    return results.get(program, [applied(then)])


def replay(script: str, path: str = "list.sh") -> tuple[Flow, set[str]]:
    """The flow through a script, and every course that it may take."""
    flow = Flow(recognise, effect)
    start = ClusterState(EMPTY, EMPTY, cloud={}, machines=Machines({}), etcd={})
    read = read_commands(Source(path, script))
    return flow, {course(end) for end in flow.run(read.body, [start])}


def course(state: ClusterState) -> str:
    names = " ".join(state.cloud)
    if state.ended is None:
        return names
    return f"{names} | {'stops' if state.ended.failed else 'exits'}"


COURSES = {
    # One after the other.
    "a sequence": ("works a; works b", {"a b"}),
    "a failure stops nothing by itself": ("fails a\nworks b", {"a b"}),
    "set -e stops at a failure": ("set -e\nfails a\nworks b", {"a | stops"}),
    "set -e stops where it may fail": (
        "set -euo pipefail\nvaries a\nworks b",
        {"a b", "a | stops"},
    ),
    "set +e ends that": ("set -e; set +e; fails a; works b", {"a b"}),
    "a failure before set -e is forgotten": ("fails a; set -e; works b", {"a b"}),
    # && and ||.
    "&& goes on after success": ("works a && works b", {"a b"}),
    "&& ends after failure": ("fails a && works b; works c", {"a c"}),
    "&& both ways": ("varies a && works b && works c", {"a", "a b c"}),
    "|| skips after success": ("works a || works b", {"a"}),
    "|| goes on after failure": ("fails a || works b", {"a b"}),
    "|| true forgives under set -e": ("set -e; fails a || true; works b", {"a b"}),
    "exit in a pipe ends its part of it": ("echo x | exit 0; works a", {"a"}),
    "return in a pipe of a function": (
        "f() { echo x | return 1; works a; }; f; works b",
        {"a b"},
    ),
    "set -e in a pipe is for its part": ("true | set -e; fails a; works b", {"a b"}),
    "a loop in a pipe is left by exit": (
        "echo x | while read l; do works a; exit 1; done; works b",
        {"a b"},
    ),
    "|| exit stops": ("fails a || exit 1; works b", {"a | stops"}),
    "the left of && may fail under set -e": (
        "set -e; fails a && works b; works c",
        {"a c"},
    ),
    "the last of && may not": ("set -e; works a && fails b; works c", {"a b | stops"}),
    # Several loops at once, shells of their own, and what runs at the end.
    "break 2 leaves both loops": (
        "for i in 1 2; do for j in 3; do works $i; break 2; done; done; works c",
        {"1 c"},
    ),
    "continue 2 goes on in the outer loop": (
        "for i in 1 2; do for j in 3; do works $i; continue 2; done; done; works c",
        {"1 2 c"},
    ),
    "break 2 out of a loop that nobody knows": (
        "for i in 1 2; do while varies a$i; do works b; break 2; done; done; works c",
        {"a1 b c", "a1 a2 b c", "a1 a2 c"},
    ),
    "set -e does not reach a shell that is started": (
        "set -e; bash -c 'fails a; works b'; works c",
        {"a b c"},
    ),
    "but its failure does": (
        "set -e; bash -ec 'fails a; works b'; works c",
        {"a | stops"},
    ),
    "a trap runs at the end": ("trap 'works z' EXIT; works a", {"a z"}),
    "a trap runs before an early end, and once": (
        "trap 'works z' EXIT; varies a && exit 0; works b",
        {"a z | exits", "a b z"},
    ),
    "a trap for an event that may come": ("trap 'works z' INT; works a", {"a", "a z"}),
    # Conditions.
    "if, then": ("if works a; then works b; else works c; fi", {"a b"}),
    "if, else": ("if fails a; then works b; else works c; fi", {"a c"}),
    "if, both ways": (
        "if varies a; then works b; else works c; fi; works d",
        {"a b d", "a c d"},
    ),
    "elif": (
        "if fails a; then works b; elif works c; then works d; else works e; fi",
        {"a c d"},
    ),
    "a test may fail under set -e": (
        "set -e; if fails a; then works b; fi; works c",
        {"a c"},
    ),
    "a branch may not": (
        "set -e; if works a; then fails b; fi; works c",
        {"a b | stops"},
    ),
    "a test of the shell goes both ways": (
        '[ -n "$X" ] && works a; works b',
        {"a b", "b"},
    ),
    "if not": ("if ! works a; then works b; fi; works c", {"a c"}),
    "! never stops under set -e": ("set -e; ! works a; works b", {"a b"}),
    "true and false are known": ("true && works a; false && works b", {"a"}),
    "one of some cases, or none": (
        'case "$X" in one) works a;; two) works b;; esac; works c',
        {"a c", "b c", "c"},
    ),
    "one of all cases": (
        'case "$X" in one) works a;; *) works b;; esac; works c',
        {"a c", "b c"},
    ),
    # Loops.
    "until it works at once": ("until works a; do works b; done; works c", {"a c"}),
    "while not, until it works": (
        "while ! varies a; do works b; done; works c",
        {"a c", "a b c", "a b | stops"},
    ),
    "while there are lines, which come to an end": (
        "ls | while read x; do works a; done; works b",
        {"b", "a b"},
    ),
    "a for over known words": ("for x in a b; do works $x; done; works c", {"a b c"}),
    "set -e inside a for": (
        "set -e; for x in a b; do fails $x; done; works c",
        {"a | stops"},
    ),
    "a for over the members of etcd runs": (
        "for x in $(etcdctl member list | cut -d, -f1); do works a; done; works b",
        {"a b"},
    ),
    "a for over unknown words may run or not": (
        "for x in $(names); do works a; done; works b",
        {"a b", "b"},
    ),
    "break leaves the loop and not the list": (
        "for x in a b; do works $x; break; done; works c",
        {"a c"},
    ),
    "break leaves while true": (
        "while true; do works a; break; done; works b",
        {"a b"},
    ),
    "a loop that retries": (
        "for x in 1 2; do varies a && break; works b; done; works c",
        {"a c", "a b c"},
    ),
    "continue leaves the turn": (
        "for x in a b; do works $x; continue; works z; done; works c",
        {"a b c"},
    ),
    # Ends.
    "exit": ("works a; exit; works b", {"a | exits"}),
    "exit 0": ("works a; exit 0; works b", {"a | exits"}),
    "exit 1": ("works a; exit 1; works b", {"a | stops"}),
    "return leaves the function and not the list": (
        "f() { works a; return 0; works z; }\nf\nworks b",
        {"a b"},
    ),
    "exit in a function leaves the list": (
        "f() { works a; exit 1; }\nf\nworks b",
        {"a | stops"},
    ),
    # Groups.
    "exit in a subshell leaves only it": (
        "(works a; exit 1; works z); works b",
        {"a b"},
    ),
    "a subshell that fails stops under set -e": (
        "set -e; (fails a; works z); works b",
        {"a | stops"},
    ),
    "set -e in a subshell stays there": (
        "(set -e; fails a; works z); fails b; works c",
        {"a b c"},
    ),
    "exit in braces leaves the list": ("{ works a; exit 1; }; works b", {"a | stops"}),
    "a background job fails unseen": ("set -e; fails a & works b", {"a b"}),
    "the last of a pipe counts": ("set -e; fails a | works b; works c", {"a b c"}),
    "with pipefail all of it do": (
        "set -eo pipefail; fails a | true; works c",
        {"a | stops"},
    ),
    # What cannot be read.
    "an unreadable command is taken to succeed": ("set -e; opaque; works a", {"a"}),
    "what is no shell is taken to succeed": ("set -e\ndone\nworks a", {"a"}),
}


@pytest.mark.parametrize(("script", "courses"), COURSES.values(), ids=COURSES)
def test_a_list_takes_exactly_these_courses(script: str, courses: set[str]) -> None:
    _, found = replay(script)

    assert found == courses


TYPED = {
    "a failure under set -e ends its block": (
        "```sh\nset -e\nfails a\nworks b\n```\n```sh\nworks c\n```\n",
        {"a c"},
    ),
    "set -e goes on in the shell that it is set in": (
        "```sh\nset -e\n```\n```sh\nfails a\nworks b\n```\n```sh\nworks c\n```\n",
        {"a c"},
    ),
    "exit behind a failure ends its block": (
        "```sh\nfails a || exit 1\nworks b\n```\n```sh\nworks c\n```\n",
        {"a c"},
    ),
    "exit alone leaves a shell and ends nothing": (
        "```sh\nworks a\nexit 1\nworks b\nreturn\n```\n```sh\nworks c\n```\n",
        {"a b c"},
    ),
    "exit in a subshell ends that": (
        "```sh\n(works a; exit 1; works b)\nworks c\n```\n",
        {"a c"},
    ),
}


@pytest.mark.parametrize(("text", "courses"), TYPED.values(), ids=TYPED)
def test_blocks_of_a_runbook_are_typed_one_by_one(text: str, courses: set[str]) -> None:
    _, found = replay(text, "runbook.md")

    assert found == courses


JOBS = {
    "jobs are each a shell, and all run": (
        """jobs:
  a: {steps: [{run: works a}, {run: works b}]}
  c: {steps: [{run: works c}]}
""",
        {"a b c"},
    ),
    "a job that fails ends itself, and what waits for it": (
        """jobs:
  a: {steps: [{run: fails a}, {run: works b}]}
  c: {steps: [{run: works c}]}
  d: {needs: [a, c], steps: [{run: works d}]}
""",
        {"a c | stops"},
    ),
    "a job that may fail": (
        """jobs:
  a: {steps: [{run: varies a}]}
  c: {steps: [{run: works c}]}
  d: {needs: [a, c], steps: [{run: works d}]}
""",
        {"a c d", "a c | stops"},
    ),
}


@pytest.mark.parametrize(("text", "courses"), JOBS.values(), ids=JOBS)
def test_jobs_beside_each_other_take_these_courses(
    text: str, courses: set[str]
) -> None:
    _, found = replay(text, "ci.yml")

    assert found == courses


def test_steps_are_numbered_as_they_first_run() -> None:
    """A command in a loop is one step, however often it runs."""
    flow, _ = replay("works a; while ! varies b; do works c; done; works d")

    steps = [(step.number, step.command.text) for step in flow.steps]
    assert steps == [(1, "works a"), (2, "varies b"), (3, "works c"), (4, "works d")]


def test_a_step_remembers_every_way_it_ended() -> None:
    flow, _ = replay("set -e; works a; varies b; works c")

    assert [step.status for step in flow.steps] == ["applied", "unknown", "applied"]
    assert [len(step.results) for step in flow.steps] == [1, 2, 1]


def test_an_early_end_names_its_step_and_place() -> None:
    flow = Flow(recognise, effect)
    start = ClusterState(EMPTY, EMPTY, cloud={}, machines=Machines({}), etcd={})
    read = read_commands(Source("list.sh", "set -e\nworks a\nfails b\nworks c\n"))

    (end,) = flow.run(read.body, [start])

    assert end.ended is not None
    assert (end.ended.step, str(end.ended.span)) == (2, "list.sh:3:1")


@pytest.mark.parametrize(
    ("script", "place", "reason"),
    [
        ("works a\nopaque\n", "list.sh:2:1", "nobody knows what this does"),
        ("works a\ndone\n", "list.sh:2:1", "`done` is out of place"),
    ],
)
def test_what_cannot_be_read_is_noted_with_its_place(
    script: str, place: str, reason: str
) -> None:
    flow, _ = replay(script)

    (noted,) = flow.undecided.values()
    assert (str(noted.span), noted.reason) == (place, reason)
    assert not flow.assumptions


def test_too_many_courses_are_said_and_not_followed() -> None:
    """Ten switches make a thousand courses."""
    script = "".join(f'[ -n "${name}" ] && works {name}\n' for name in "abcdefghij")

    flow, courses = replay(script)

    assert flow.truncated
    assert len(courses) == MAX_COURSES


def test_few_courses_are_all_followed() -> None:
    script = "".join(f'[ -n "${name}" ] && works {name}\n' for name in "abc")

    flow, courses = replay(script)

    assert not flow.truncated
    assert courses == {"", "a", "b", "c", "a b", "a c", "b c", "a b c"}


@pytest.mark.parametrize("head", ["for x in $(some); do", "while [ $X ]; do"])
def test_loops_in_loops_cost_no_power_of_their_depth(head: str) -> None:
    """Sixteen of them with three turns each would be forty million turns."""
    ran = 0

    def counted(command: Command, state: ClusterState, watch: Watch) -> list[Result]:
        nonlocal ran
        ran += 1
        return effect(command, state, watch)

    script = f"{head} " * 16 + "works a" + "; done" * 16
    start = ClusterState(EMPTY, EMPTY, cloud={}, machines=Machines({}), etcd={})
    Flow(recognise, counted).run(read_commands(Source("a.sh", script)).body, [start])

    assert 0 < ran < 200


def test_what_is_too_deep_to_be_read_may_reach_the_cluster() -> None:
    """A deletion behind forty functions is no clean list."""
    calls = "".join(f"f{n}() {{ f{n - 1}; }}\n" for n in range(1, 40))
    flow, courses = replay(f"f0() {{ works a; }}\n{calls}f39\n")

    reaches = {noted.reach for noted in flow.undecided.values()}
    assert (courses, reaches) == ({""}, {Reach.MACHINE})


def test_validation_may_fail_ahead_of_a_loop_that_deletes() -> None:
    """It looks at nodes and pods too, which no file shows."""
    _, courses = replay("while ! works v; do deletes gone; done\n")

    assert courses == {"v", "v gone"}
