"""Hundreds of transitions: each plan is read back by the check, and arrives.

Every pair of one, three and five members, with members kept, replaced, renamed and
moved. One in thirteen is tried by default, all with ``KOPSLINT_SWEEP=1`` in the
environment. Real cases are tried if ``KOPSLINT_CORPUS`` names the folder of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from copy import deepcopy
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kopslint.cli.plan import make_plan, read_back
from kopslint.cli.plan_options import PlanOptions
from kopslint.cli.plan_script import script
from kopslint.commands.parse import recognise
from kopslint.engine import check
from kopslint.findings import Severity
from kopslint.inputs.sources import collect
from kopslint.kops.decode import read_fleet
from kopslint.model.initial import aligned, healthy
from kopslint.model.replay import simulate
from kopslint.model.scenario import Scenario
from kopslint.model.spec_files import SpecFiles, SpecsAtHand
from kopslint.notations.command_list import read_commands
from kopslint.planner.control_plane import units
from kopslint.planner.execute import arrived, perform
from kopslint.planner.intermediate_specs import Spec
from kopslint.planner.milestones import Stages
from kopslint.planner.plan import plan_route
from kopslint.planner.runbook import NoWay, Runbook
from kopslint.planner.steps import PlannedSteps
from kopslint.report.display import Style
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Manifest
    from kopslint.model.state import ClusterState
    from kopslint.planner.steps import PlannedStep

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three" / "before.yaml"
EVERYTHING = bool(os.environ.get("KOPSLINT_SWEEP"))
CORPUS = os.environ.get("KOPSLINT_CORPUS", "")
BASH, SHELLCHECK = shutil.which("bash"), shutil.which("shellcheck")
STYLE = Style(color=False, unicode=True, width=100)

Place = tuple[str, str, int]
"""A member, its group, and the number of its zone."""

KINDS = {
    "new": ("new{n}", "group-new{n}", 0),
    "group renamed": ("etcd-{n}", "control-plane-{n}", 0),
    "renamed in place": ("other{n}", "master-{n}", 0),
    "zone": ("etcd-{n}", "master-{n}", 1),
}
"""What comes in the place of a member: its name, its group, and how far it moves."""


def place(kind: str, n: int) -> Place:
    member, group, further = KINDS[kind]
    return member.format(n=n), group.format(n=n), (n + further) % 5


@cache
def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(FIXTURE.read_text(encoding="utf-8")))


def spec(side: str, places: list[Place], etcd: tuple[str, ...] | None = None) -> Source:
    """The fixture's cluster with other control-plane groups."""
    cluster, group, *_, nodes = deepcopy(documents())
    clusters = cluster["spec"]["etcdClusters"]
    clusters[:] = [each for each in clusters if not etcd or each["name"] in etcd]
    groups = []
    for each in clusters:
        each["etcdMembers"] = [
            {"instanceGroup": name, "name": member} for member, name, _ in places
        ]
    for _, name, zone in places:
        groups.append(deepcopy(group))
        groups[-1]["metadata"]["name"] = name
        groups[-1]["spec"]["subnets"] = [f"us-east-1{'abcde'[zone]}"]
    text = yaml.safe_dump_all([cluster, *groups, nodes], sort_keys=False)
    return Source(f"{side}.yaml", text)


def read(source: Source) -> Manifest:
    (manifest,) = read_fleet([source]).manifests.values()
    return manifest


def transitions() -> Iterator[tuple[str, list[Place], list[Place]]]:
    """Both sides of every change: who stays, and what comes instead of the others."""
    for size in (1, 3, 5):
        before = [(f"etcd-{n}", f"master-{n}", n) for n in range(size)]
        for then in (1, 3, 5):
            for kept in range(min(size, then) + 1):
                for staying in combinations(range(size), kept):
                    others = [n for n in range(size) if n not in staying]
                    slots = [*others, *range(size, 9)][: then - kept]
                    for kind in KINDS:
                        after = [before[n] for n in staying] + [
                            place(kind if n in others else "new", n) for n in slots
                        ]
                        name = f"{size} to {then}, {kind}, kept {staying}"
                        yield name, before, after


ALL = list({str(after): (n, b, after) for n, b, after in transitions()}.values())
CHOSEN = ALL if EVERYTHING else ALL[::13]


@pytest.mark.parametrize(
    ("before", "after"), [c[1:] for c in CHOSEN], ids=[c[0] for c in CHOSEN]
)
def test_every_plan_is_accepted_and_arrives(
    before: list[Place], after: list[Place]
) -> None:
    """No error in the whole list; in the end all planes are at the spec after."""
    old, new = read(spec("before", before)), read(spec("after", after))

    runbook = make_plan(old, new, PlanOptions(before=(), after=()))

    assert isinstance(runbook, Runbook), runbook.reasons
    assert not runbook.cut
    assert_accepted(runbook, old, new)


def planes(state: ClusterState) -> tuple[object, ...]:
    """What is stored, what is applied, and what runs."""
    return id(state.registry), id(state.applied), frozenset(state.cloud.items())


def assert_accepted(runbook: Runbook, before: Manifest, after: Manifest) -> None:
    if BASH is not None:
        text = script(runbook, STYLE)
        subprocess.run([BASH, "-n"], input=text, text=True, check=True)
        if SHELLCHECK is not None:
            subprocess.run([SHELLCHECK, "-"], input=text, text=True, check=True)
    request = read_back(before, after, runbook)
    errors = [
        finding.message
        for finding in check(request).findings
        if finding.severity is Severity.ERROR
    ]
    assert errors == []
    scripts = [read_commands(source) for source in request.commands]
    held = SpecsAtHand(request.at_hand)
    replayed = simulate(before, after, scripts, recognise, at_hand=held)
    assert all(state.ended is None for state in replayed.final)
    # Where another kops is found than a step needs, the step says so and does nothing.
    there = [each for each in replayed.final if arrived(each, replayed.plan.after)]
    assert there
    for state in there:
        assert set(state.registry.groups) == set(replayed.plan.after.groups)
    # Any other course has met another kops than a step needs, and stands before a step.
    ahead = {planes(each) for step in replayed.steps for each in step.before}
    assert {planes(each) for each in replayed.final if each not in there} <= ahead


ONE, TWO = ("main",), ("main", "events")
SMALL = [
    ("a", "abc", TWO),
    ("abc", "a", TWO),
    ("abc", "abd", TWO),
    ("abc", "ade", ONE),
    ("abc", "d", ONE),
    ("a", "bcd", ONE),
    ("a", "b", TWO),
]


def letters(members: str) -> list[Place]:
    """A member and a group of its own for each letter; in capitals, another group."""
    return [(m.lower(), f"group-{m}", "abcdefgh".index(m.lower()) % 5) for m in members]


def pair(
    before: list[Place],
    after: list[Place],
    etcd: tuple[str, ...],
    cloud: str = "aws",
) -> tuple[Manifest, Manifest]:
    sides = (spec("before", before, etcd), spec("after", after, etcd))
    texts = (
        Source(s.path, s.text.replace("cloudProvider: aws", f"cloudProvider: {cloud}"))
        for s in sides
    )
    old, new = map(read, texts)
    return aligned(old, new)


@pytest.mark.parametrize(("before", "after", "etcd"), SMALL)
def test_the_plan_is_the_best_of_all_orders(
    before: str, after: str, etcd: tuple[str, ...]
) -> None:
    """A search of every order of single commands, without heuristics, agrees.

    It uses any odd set of the members of both sides and of the stand-ins in between,
    and no order of members among themselves.
    """
    old, new = pair(letters(before), letters(after), etcd)

    planned = plan_route(old, new, ("after.yaml",))

    assert isinstance(planned, Runbook)
    ours = (planned.outage, planned.tolerance, len(all_commands(planned)))
    assert ours == exhaustive(old, new)


TAKEN_OVER = [("a", "A"), ("abC", "abc")]


@pytest.mark.parametrize(
    ("before", "after"), TAKEN_OVER if EVERYTHING else TAKEN_OVER[:1]
)
def test_the_plan_is_the_best_where_a_name_is_taken_over(
    before: str, after: str
) -> None:
    """Where machines look for the volumes of their own group alone.

    On other clouds a plan also deletes those that any machine of the zone would find.
    """
    old, new = pair(letters(before), letters(after), ONE, "hetzner")

    planned = plan_route(old, new, ("after.yaml",))

    assert isinstance(planned, Runbook)
    ours = (planned.outage, planned.tolerance, len(all_commands(planned)))
    assert ours == exhaustive(old, new, "hetzner")


IMPOSSIBLE = {
    "an even count": (letters("abc"), letters("ab")),
    "two members of one group": (
        letters("a"),
        [*letters("ab"), ("c", "group-b", 1)],
    ),
    "a name twice": (letters("a"), [*letters("ab"), ("a", "group-c", 2)]),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_where_there_is_no_plan_there_is_no_order(case: str) -> None:
    """Whatever leads there, kops applies no such spec."""
    before, after = IMPOSSIBLE[case]
    old, new = pair(before, after, ONE)

    planned = plan_route(old, new, ("after.yaml",))

    assert isinstance(planned, NoWay)
    assert exhaustive(old, new) is None


def all_commands(runbook: Runbook) -> list[object]:
    return [command for step in runbook.steps for command in step.deed.commands]


def exhaustive(
    before: Manifest, after: Manifest, cloud: str = "aws"
) -> tuple[bool, int, int] | None:
    """Outage, tolerance and number of commands of the best order, if there is one."""
    deeds = PlannedSteps(before.name, cloud)
    legs = Stages(before, Spec(("after.yaml",), after, after.sources), deeds)
    plan = Scenario(before=before, after=after, files=SpecFiles(legs.objects))
    spares = [legs.interim(), legs.reserve()]
    helpers = (u for spec in spares if spec for u in units(spec.manifest))
    everyone = {u.name: u for u in (*helpers, *units(after), *units(before))}
    target = {unit.name for unit in units(after)}
    between = [
        legs.with_units(after, chosen)
        for size in (1, 3, 5)
        for chosen in combinations(everyone.values(), size)
        if {unit.name for unit in chosen} != target
        and not any(one.collides(other) for one, other in combinations(chosen, 2))
    ]
    specs = [legs.final, *between]

    def choices(state: ClusterState) -> Iterator[PlannedStep]:
        for name, worlds in state.etcd.items():
            yield from (deeds.remove(name, m) for m in worlds.names)
        for group in state.registry.control_plane:
            yield deeds.delete(everyone[group.name])
            yield deeds.delete(everyone[group.name], wipe=True)
        yield from (deeds.apply(each, "") for each in specs)

    for tolerance in (1, 0):
        reached: dict[object, int] = {}
        costs: dict[int, list[ClusterState]] = {0: [healthy(plan)]}
        while costs:
            cost = min(costs)
            for state in costs.pop(cost):
                key = situation_key(state)
                if reached.get(key, 99) <= cost:
                    continue
                reached[key] = cost
                if arrived(state, after):
                    return False, tolerance, cost
                for deed in choices(state):
                    done = perform(deed.commands, state, plan)
                    if done and not done.outage and done.tolerance >= tolerance:
                        then = cost + len(deed.commands)
                        costs.setdefault(then, []).append(done.state)
    return None


def situation_key(state: ClusterState) -> object:
    return (
        id(state.registry.cluster),
        frozenset(state.registry.groups),
        id(state.applied.cluster),
        frozenset(state.cloud.items()),
        *((e.states, e.published, e.returns, e.known) for e in state.etcd.values()),
    )


CASES = sorted(Path(CORPUS).glob("*/*/before.yaml")) if CORPUS else []


@pytest.mark.skipif(not CASES, reason="KOPSLINT_CORPUS names no folder of cases")
@pytest.mark.parametrize("before", CASES, ids=lambda path: path.parent.name)
def test_real_changes_get_an_order_or_the_reason_why_not(before: Path) -> None:
    after = before.with_name("after.yaml")
    if not after.exists():
        pytest.skip("the case has no spec after")
    sides = [
        read_fleet(collect([str(path)], suffixes=(".yaml",), stdin=str)).manifests
        for path in (before, after)
    ]
    if len(sides[0]) != 1 or list(sides[0]) != list(sides[1]):
        pytest.skip("the case is not about one cluster")
    old, new = (next(iter(side.values())) for side in sides)
    if not all(side.cluster and side.control_plane for side in (old, new)):
        pytest.skip("the case has no whole specs")

    result = make_plan(old, new, PlanOptions(before=(), after=()))

    if isinstance(result, NoWay):
        assert result.reasons
    elif result.steps:
        assert_accepted(result, old, new)
