"""What holds for every command list, whatever is in it.

The lists are made at random from commands that people really use, on a cluster of
three or five control-plane machines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from removal_lines import removal

from kopslint.commands.parse import recognise
from kopslint.engine import Request, check
from kopslint.findings import Certainty, EtcdView, Severity
from kopslint.kops.decode import read_fleet
from kopslint.model.replay import simulate
from kopslint.notations.command_list import read_commands
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.findings import Report
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation

NAME = "demo.example.com"
quick = settings(deadline=None, max_examples=50)


def spec(members: str, name: str = NAME) -> str:
    """A Cluster with ``members`` in main and events, and a group for each of them."""
    lists = "".join(
        f"    - {{name: {m}, instanceGroup: master-{m}}}\n" for m in members
    )
    subnets = "".join(f"  - {{name: zone-{m}, zone: zone-{m}}}\n" for m in members)
    cluster = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {name}}}\n"
        "spec:\n  etcdClusters:\n"
        f"  - name: main\n    etcdMembers:\n{lists}"
        f"  - name: events\n    etcdMembers:\n{lists}"
        f"  subnets:\n{subnets}"
    )
    groups = [
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\n"
        f"metadata: {{name: master-{m}, labels: {{kops.k8s.io/cluster: {name}}}}}\n"
        f"spec: {{role: Master, minSize: 1, maxSize: 1, subnets: [zone-{m}]}}\n"
        for m in members
    ]
    return "---\n".join([cluster, *groups])


class Case(NamedTuple):
    """The members before and after, and a list of commands."""

    before: str
    after: str
    commands: tuple[str, ...]

    def inserting(self, place: int, command: str) -> Case:
        place = min(place, len(self.commands))
        before, after = self.commands[:place], self.commands[place:]
        return self._replace(commands=(*before, command, *after))

    def sources(self) -> tuple[Source, Source, Source]:
        return (
            Source("before.yaml", spec(self.before)),
            Source("after.yaml", spec(self.after)),
            Source("commands.sh", "\n".join(self.commands) + "\n"),
        )

    def report(self) -> Report:
        before, after, commands = self.sources()
        return check(Request((before,), (after,), (commands,)))

    def simulation(self) -> Simulation:
        before, after, commands = self.sources()
        return simulate(
            read_fleet([before]).manifests[NAME],
            read_fleet([after]).manifests[NAME],
            [read_commands(commands)],
            recognise,
        )


PER_MEMBER = (
    "kops delete ig master-{} --yes",
    removal("main", "{}", "").rstrip("\n"),
    removal("events", "{}").rstrip("\n"),
    "etcdctl member remove $ID_{}",
    "kops delete instance master-{} --yes",
    "kops edit ig master-{} --set spec.minSize=0 --set spec.maxSize=0",
    "kops edit ig master-{} --set spec.minSize=1 --set spec.maxSize=1",
    "aws ec2 delete-volume --volume-id $VOLUME_{}",
)
FOR_ALL = (
    "set -e",
    "kops replace -f after.yaml",
    "kops replace --force -f after.yaml",
    "kops replace --force -f before.yaml",
    "kops update cluster --yes",
    "kops update cluster",
    "kops rolling-update cluster --yes",
    "kops rolling-update cluster --yes --force",
    "kops validate cluster --wait 10m",
    "kops update cluster --yes && kops rolling-update cluster --yes",
    "crictl stop $(crictl ps -q --name etcd-manager)",
    "etcd-manager-ctl restore-backup 2026-01-01T00:00:00Z-000001",
    "sleep 300",
    "if kops validate cluster; then kops update cluster --yes; fi",
)
NO_OPS = ("kops get ig", "kops update cluster", "echo done", "kubectl get nodes")
CHANGES = (("abc", "abc"), ("abc", "a"), ("a", "abc"), ("abcde", "abc"), ("abc", "abd"))


def cases_of(before: str, after: str) -> st.SearchStrategy[Case]:
    """Lists of commands for one change."""
    names = sorted({*before, *after})
    of_member = [text.format(name) for text in PER_MEMBER for name in names]
    command = st.sampled_from(of_member) | st.sampled_from(FOR_ALL)
    commands = st.lists(command, max_size=6).map(tuple)
    return st.builds(Case, st.just(before), st.just(after), commands)


cases = st.one_of([cases_of(before, after) for before, after in CHANGES])


def hazards(report: Report) -> set[tuple[str, Severity]]:
    """What the list does to etcd; refusals and the like are left out."""
    etcd = {f"KL30{number}" for number in range(1, 7)}
    return {(f.rule, f.severity) for f in report.findings if f.rule in etcd}


def views(report: Report) -> Iterator[EtcdView]:
    for entry in report.timeline:
        yield from entry.etcd.values()
    for finding in report.findings:
        for line in finding.trace:
            yield line.after
            if line.before is not None:
                yield line.before


@quick
@given(cases)
def test_every_list_gives_a_report_and_the_same_one_again(case: Case) -> None:
    first, second = case.report(), case.report()

    assert [str(f.locations[0].span) for f in first.findings] == [
        str(f.locations[0].span) for f in second.findings
    ]
    assert [(f.rule, f.message, f.fix, f.story, f.trace) for f in first.findings] == [
        (f.rule, f.message, f.fix, f.story, f.trace) for f in second.findings
    ]
    assert [(e.command, e.status, dict(e.etcd)) for e in first.timeline] == [
        (e.command, e.status, dict(e.etcd)) for e in second.timeline
    ]


@quick
@given(cases)
def test_nobody_is_counted_twice(case: Case) -> None:
    """Who votes or joins is registered, once, and who is expelled is not."""
    for view in views(case.report()):
        members = set(view.members)
        assert len(members) == len(view.members)
        assert {*view.alive, *view.joining} <= members
        assert not set(view.alive) & set(view.joining)
        assert not members & set(view.expelled)
        assert view.quorum == len(members) // 2 + 1
        assert view.tolerance == max(len(view.alive) - view.quorum, 0)


@quick
@given(cases)
def test_some_world_is_always_left(case: Case) -> None:
    simulation = case.simulation()
    states = [s for step in simulation.steps for s in (*step.before, *step.after)]

    assert simulation.final
    for state in (*states, *simulation.final):
        assert state.possible
        assert all(worlds.settled for worlds in state.etcd.values())


@quick
@given(cases)
def test_lost_for_good_is_said_exactly_where_the_list_ends_without_quorum(
    case: Case,
) -> None:
    """Certain where every world ends so, possible where some do, silent where none."""
    if any("restore-backup" in command for command in case.commands):
        return
    said = {
        (etcd, finding.certainty)
        for finding in case.report().findings
        if (finding.rule, finding.severity) == ("KL302", Severity.ERROR)
        for etcd in (line.etcd_cluster for line in finding.trace)
    }
    expected = set()
    for etcd in ("main", "events"):
        ends = [s.etcd[etcd].settled for s in case.simulation().final]
        lost = {not world.writable for worlds in ends for world in worlds}
        if True in lost:
            sure = Certainty.POSSIBLE if False in lost else Certainty.CERTAIN
            expected.add((etcd, sure))

    assert said == expected


@quick
@given(cases, st.integers(0, 6))
def test_validating_anywhere_never_adds_a_hazard(case: Case, place: int) -> None:
    """It may only rule worlds out, and costs nothing but time: no rule says worse."""
    validated = case.inserting(place, "kops validate cluster --wait 10m || true")

    found, before = hazards(validated.report()), hazards(case.report())
    assert all(
        any(rule == other and severity.rank >= worse.rank for other, worse in before)
        for rule, severity in found
    )


@quick
@given(cases, st.sampled_from(NO_OPS))
def test_a_command_that_does_nothing_changes_nothing(case: Case, no_op: str) -> None:
    longer = case._replace(commands=(*case.commands, no_op))

    assert hazards(longer.report()) == hazards(case.report())
    assert ends(longer.simulation()) == ends(case.simulation())


def ends(simulation: Simulation) -> set[tuple[str, EtcdState]]:
    """Every world that a list may end in."""
    return {
        (name, world)
        for state in simulation.final
        for name, worlds in state.etcd.items()
        for world in worlds.states
    }


@quick
@given(cases)
def test_the_timeline_has_the_state_before_and_every_step(case: Case) -> None:
    report = case.report()

    numbers = [entry.step for entry in report.timeline]
    assert numbers == list(range(len(case.simulation().steps) + 1))
    assert report.summary.commands == len(numbers) - 1


NAMED = (
    "kops delete ig master-{} --name {} --yes",
    "kops delete instance master-{} --name {} --yes",
    "kops update cluster --name {1} --yes",
    "kops rolling-update cluster --name {1} --yes --force",
    "kops validate cluster --name {1}",
)
TWO = ("one.example.com", "two.example.com")
named_lists = st.lists(
    st.builds(
        str.format, st.sampled_from(NAMED), st.sampled_from("abc"), st.sampled_from(TWO)
    ),
    max_size=6,
)


@quick
@given(named_lists, st.booleans())
def test_clusters_side_by_side_do_not_touch_each_other(
    commands: list[str],
    swapped: bool,
) -> None:
    """The findings on each are those on it alone, in whatever order they are given."""
    specs = {name: Source(f"{name}.yaml", spec("abc", name)) for name in TWO}
    order = list(reversed(TWO)) if swapped else list(TWO)
    both = tuple(specs[name] for name in order)
    together = check(Request(both, both, (listing(commands),)))

    for name in TWO:
        mine = [command if name in command else "" for command in commands]
        alone = check(Request((specs[name],), (specs[name],), (listing(mine),)))
        assert told(together, name) == told(alone, name)


def listing(commands: list[str]) -> Source:
    return Source("commands.sh", "\n".join(commands) + "\n")


def told(report: Report, cluster: str) -> list[tuple[object, ...]]:
    """The findings on one cluster; step numbers count those of every cluster."""
    return [
        (f.rule, f.severity, f.certainty, f.message, str(f.locations[0].span), f.story)
        for f in report.findings
        if f.cluster == cluster
    ]


TWENTY = (
    "kops get ig",
    "kops validate cluster",
    removal("main", "e") + removal("events", "e"),
    "kops delete ig master-e --yes",
    "kops validate cluster --wait 10m || true",
    removal("main", "d") + removal("events", "d"),
    "kops delete ig master-d --yes",
    "kops replace -f after.yaml",
    "kops update cluster",
    "kops update cluster --yes",
    "kops rolling-update cluster",
    "kops rolling-update cluster --yes",
    "kops validate cluster --wait 15m",
    "kops delete instance master-a --yes",
    "kops validate cluster --wait 15m",
    "kops delete instance master-b --yes",
    "sleep 300",
    "kops rolling-update cluster --yes --force",
    "kops update cluster --yes",
    "kops validate cluster",
)


def test_twenty_ordinary_commands_are_few_worlds() -> None:
    report = Case("abcde", "abc", TWENTY).report()

    assert report.summary.worlds < 100
    assert not hazards(report)
