"""The engine as one call: which clusters are checked, by which commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from kopslint.config.settings import DEFAULT
from kopslint.engine import NO_CLUSTER, Request, check
from kopslint.errors import NothingCheckedError
from kopslint.findings import Severity
from kopslint.text import Source

DEMO = Path(__file__).parents[1] / "fixtures/five-to-three"
BEFORE = (DEMO / "before.yaml").read_text(encoding="utf-8")
AFTER = (DEMO / "after.yaml").read_text(encoding="utf-8")
COMMANDS = (DEMO / "commands.sh").read_text(encoding="utf-8")


def source(path: str, text: str) -> tuple[Source, ...]:
    return (Source(path, text),)


def renamed(text: str, name: str) -> str:
    return text.replace("prod.example.com", name)


def errors(request: Request) -> list[tuple[str, str | None, int | None]]:
    """Rule, cluster and step of every error."""
    return [
        (finding.rule, finding.cluster, finding.step)
        for finding in check(request).findings
        if finding.severity is Severity.ERROR
    ]


def test_a_list_is_replayed_on_the_cluster_it_names() -> None:
    """Of two clusters in the inputs only the one that is named is touched."""
    both_before = (
        *source("a.yaml", BEFORE),
        *source("b.yaml", renamed(BEFORE, "b.io")),
    )
    both_after = (*source("a.yaml", AFTER), *source("b.yaml", renamed(AFTER, "b.io")))
    script = "kops delete ig master-3 --name b.io --yes\n"

    found = errors(Request(both_before, both_after, source("c.sh", script)))

    assert found == [("KL301", "b.io", 1)]


def test_a_list_without_a_name_is_replayed_on_every_cluster() -> None:
    """The cluster is then whichever is current, so all of them are checked."""
    both = (*source("a.yaml", BEFORE), *source("b.yaml", renamed(BEFORE, "b.io")))
    script = "kops delete ig master-3 --yes\n"

    found = errors(Request(both, None, source("c.sh", script)))

    assert found == [("KL301", "b.io", 1), ("KL301", "prod.example.com", 1)]


def test_a_list_of_another_cluster_is_about_that_one() -> None:
    """It changes nothing here, and that is said: a runbook copied with its name."""
    script = COMMANDS.replace("--yes", "--yes --name other.example.com")

    report = check(
        Request(source("a", BEFORE), source("b", AFTER), source("c.sh", script))
    )
    found = {finding.rule for finding in report.findings}

    assert "KL301" not in found
    assert "KL403" in found


def test_a_wrong_name_among_right_ones_touches_nothing() -> None:
    """One command that names another cluster is about another cluster."""
    script = (
        "kops delete ig master-3 --name other.example.com --yes\n"
        "kops validate cluster --name prod.example.com\n"
    )

    report = check(Request(source("a", BEFORE), None, source("c.sh", script)))

    assert [finding.rule for finding in report.findings] == ["KL403"]
    assert [entry.command for entry in report.timeline[1:]] == [
        "kops validate cluster --name prod.example.com"
    ]


def test_inputs_without_a_cluster_are_never_a_pass() -> None:
    """Nothing checked has an error, and an exit status, of its own."""
    with pytest.raises(NothingCheckedError, match="nothing was checked"):
        check(Request(None, source("values.yaml", "replicas: 3\n"), ()))


def test_an_object_of_no_cluster_is_reported() -> None:
    """A group that names no cluster is an error rather than left out in silence."""
    group = (
        AFTER.split("---\n")[1]
        .replace("  labels:\n", "")
        .replace("    kops.k8s.io/cluster: prod.example.com\n", "")
    )

    report = check(Request(None, source("group.yaml", group), ()))

    assert report.summary.clusters == (NO_CLUSTER,)
    assert {finding.severity for finding in report.findings} == {Severity.ERROR}


def test_the_report_counts_what_was_looked_at() -> None:
    """A clean result can be believed only if it says what it is about."""
    other = Source("values.yaml", "replicas: 3\n")

    summary = check(
        Request(
            source("before.yaml", BEFORE),
            (*source("after.yaml", AFTER), other),
            source("commands.sh", COMMANDS),
        )
    ).summary

    assert summary.clusters == ("prod.example.com",)
    assert (summary.specs, summary.commands) == (3, 5)
    assert (summary.before, summary.after) == (5, 3)
    assert summary.skipped == ("values.yaml",)
    assert summary.rules > 20


def test_the_timeline_has_the_state_before_and_one_entry_a_step() -> None:
    """Quorum is told for every etcd cluster at every step."""
    report = check(
        Request(source("b", BEFORE), source("a", AFTER), source("c.sh", COMMANDS))
    )

    assert [entry.step for entry in report.timeline] == [0, 1, 2, 3, 4, 5]
    assert [
        (len(e.etcd["main"].alive), len(e.etcd["main"].members), e.etcd["main"].quorum)
        for e in report.timeline
    ] == [(5, 5, 3), (4, 5, 3), (3, 5, 3), (3, 5, 3), (3, 5, 3), (3, 5, 3)]
    assert all(entry.etcd["main"] == entry.etcd["events"] for entry in report.timeline)
    assert report.timeline[4].etcd["main"].published == 3


def test_what_is_wrong_with_the_list_is_told_once_for_all_clusters() -> None:
    """A fault of the command list is no fault of each cluster it may be about."""
    both = (*source("a.yaml", BEFORE), *source("b.yaml", renamed(BEFORE, "b.io")))

    report = check(Request(both, None, source("c.sh", "./deploy.sh\n")))

    assert [(f.rule, f.cluster) for f in report.findings] == [("KL901", None)]


def test_the_kops_version_decides_which_of_its_rules_hold() -> None:
    """A cluster that an older kops runs is not held to rules that came later."""
    spec = BEFORE.replace("class: Network", "class: Classic")

    def told(kops_version: str | None) -> list[str]:
        settings = DEFAULT._replace(kops_version=kops_version)
        findings = check(Request(None, source("a.yaml", spec)), settings).findings
        return [finding.rule for finding in findings]

    assert told("1.34") == []
    assert told("1.37") == ["KL124"]


def test_a_cluster_without_volumes_may_still_move_its_members() -> None:
    """The cloud is asked for volumes; before the first update there are none."""
    moved = AFTER.replace("instanceGroup: master-2", "instanceGroup: master-9").replace(
        "name: master-2", "name: master-9"
    )

    def told(*, etcd_volumes: bool) -> set[str]:
        settings = DEFAULT._replace(etcd_volumes=etcd_volumes)
        request = Request(source("a.yaml", AFTER), source("b.yaml", moved))
        return {finding.rule for finding in check(request, settings).findings}

    assert "KL202" in told(etcd_volumes=True)
    assert "KL202" not in told(etcd_volumes=False)
