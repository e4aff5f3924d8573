"""What becomes of single commands: which kops refuses, and which change nothing.

Each list is replayed on three control-plane nodes, of which the change takes two away,
and ends in one status a step: A applied, R refused, N no-op, U unknown. Two letters
stand for a step that may end in either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.engine import Request, check
from kopslint.findings import Severity, Verdict
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Report

NAME = "demo.example.com"
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: {name}, labels: {{kops.k8s.io/cluster: demo.example.com}}}}
spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [a]}}
"""


def spec(members: str) -> str:
    """A Cluster with ``members`` in main and events, their groups, and one of nodes."""
    lists = ", ".join(f"{{name: {m}, instanceGroup: master-{m}}}" for m in members)
    groups = "".join(GROUP.format(name=f"master-{m}", role="Master") for m in members)
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  etcdClusters:\n"
        f"  - {{name: main, etcdMembers: [{lists}]}}\n"
        f"  - {{name: events, etcdMembers: [{lists}]}}\n"
        "  subnets: [{name: a, zone: eu-west-1a}]\n"
        f"{groups}{GROUP.format(name='nodes', role='Node')}"
    )


def replayed(commands: str, before: str = "abc", after: str = "a") -> Report:
    sources = [
        Source(path, text)
        for path, text in (
            ("before.yaml", spec(before)),
            ("after.yaml", spec(after)),
            ("commands.sh", commands),
        )
    ]
    first, second, third = ((source,) for source in sources)
    return check(Request(before=first, after=second, commands=third))


def resized(group: str, size: str) -> str:
    """A group of the cloud, sized by the command line of the cloud."""
    program = "aws autoscaling set-desired-capacity"
    return f"{program} --auto-scaling-group-name {group} --desired-capacity {size}"


LETTERS = {"applied": "A", "refused": "R", "no-op": "N", "unknown": "U"}
STEPS: dict[str, tuple[str, str]] = {
    "a group that is there already": ("kops create ig master-a --role master", "R"),
    "a group that is only tried out": ("kops create ig x --role node --dry-run", "N"),
    "a group with a name from elsewhere": ("kops create ig $X --role node", "U"),
    "a group of the flags": (
        "kops create ig x --role node\nkops delete ig x --yes",
        "AA",
    ),
    "a group of a role that there is not": (
        "kops create ig x --role masster --dry-run",
        "R",
    ),
    "a group of a role that few use": ("kops create ig x --role etcd", "A"),
    "a group of a role from elsewhere": ("kops create ig x --role $ROLE", "A"),
    "a file of what is there already": (
        "kops create -f before.yaml\nkops delete ig nodes --yes",
        "RA",
    ),
    "a replacement of what is there not": (
        "kops delete ig nodes --yes\nkops replace -f before.yaml",
        "AR",
    ),
    "the same by force": (
        "kops delete ig nodes --yes\nkops replace --force -f before.yaml",
        "AA",
    ),
    "an upgrade that is only shown": ("kops upgrade cluster", "N"),
    "an upgrade": ("kops upgrade cluster --yes", "A"),
    "a file without a Cluster in a cluster": ("kops create -f nodes.yaml", "A"),
    "an edit of no group": ("kops edit ig master-x", "R"),
    "an edit of a group from elsewhere": ("kops edit ig $X", "A"),
    "a field of a group from elsewhere": ("kops edit ig $X --set spec.maxSize=0", "U"),
    "two machines of the control plane in a group": (
        "kops edit ig master-a --set spec.maxSize=2 --set spec.minSize=2",
        "R",
    ),
    "more nodes": ("kops edit ig nodes --set spec.maxSize=5", "A"),
    "another setting": ("kops edit ig nodes --set spec.image=x", "A"),
    "a group of no name is deleted": ("kops delete ig --yes", "R"),
    "groups of a file are deleted in a preview": ("kops delete -f before.yaml", "N"),
    # Source: kops cmd/kops/delete.go, which skips the groups of a deleted cluster.
    "a file with the Cluster deletes the cluster": (
        "kops delete -f before.yaml --yes",
        "A",
    ),
    "a roll of no group": (
        "kops rolling-update cluster --instance-group x --yes",
        "R",
    ),
    "a phase that has no machines": (
        "kops update cluster --phase network --yes",
        "A",
    ),
    "a reconciliation that is only shown": ("kops reconcile cluster", "N"),
    "a reconciliation": ("kops reconcile cluster --yes", "A"),
    "a reconciliation that an update would refuse": (
        "kops delete ig master-c --yes\nkops reconcile cluster --yes",
        "AR",
    ),
    "an instance that stays": ("kops delete instance master-a", "N"),
    "an instance that goes": ("kops delete instance master-a --yes", "A"),
    "a member of another etcd": ("etcdctl member add x", "A"),
    "a member with its address, as of etcd 2": (
        "etcdctl member add d http://d.internal:2380",
        "A",
    ),
    "the same to etcd 3": (
        "ETCDCTL_API=3 etcdctl member add d http://d.internal:2380",
        "R",
    ),
    "a nap": ("sleep 1", "A"),
    "a rest": ("sleep 10m", "A"),
    "a cloud group of another name": (resized("web", "0"), "N"),
    "a cloud group of a size from elsewhere": (
        resized(f"master-a.masters.{NAME}", "$N"),
        "U",
    ),
    "a cloud group of no size": (resized(f"master-c.masters.{NAME}", "0"), "A"),
}


@pytest.mark.parametrize(("commands", "ends"), STEPS.values(), ids=STEPS)
def test_a_step_ends(commands: str, ends: str) -> None:
    _, *steps = replayed(commands).timeline

    assert "".join(LETTERS[step.status] for step in steps) == ends


@pytest.mark.parametrize("name", ["d", "etcd-d", "etcd-main-d"])
def test_a_member_that_is_added_by_hand_counts_at_once(name: str) -> None:
    """Nothing runs yet under its name, and quorum is over all that are registered."""
    report = replayed(f"etcdctl member add {name}\n", after="abcde")

    views = [entry.etcd["main"] for entry in report.timeline]
    assert [(view.members, view.alive, view.quorum) for view in views] == [
        (("a", "b", "c"), ("a", "b", "c"), 2),
        (("a", "b", "c", "d"), ("a", "b", "c"), 3),
    ]


def test_more_worlds_than_are_followed_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reaching the bound is a finding and never a silent pass."""
    monkeypatch.setattr("kopslint.model.etcd.explore.MAX_STATES", 2)

    report = replayed("kops rolling-update cluster --yes\n")

    assert "KL903" in {finding.rule for finding in report.findings}


def test_a_list_that_takes_too_long_is_followed_up_to_a_line_and_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Work is counted, so that the same list ends at the same line on any machine."""
    monkeypatch.setattr("kopslint.budget.RUN", 100)
    monkeypatch.setattr("kopslint.budget.LEAST", 100)
    rolls = "kops rolling-update cluster --yes\n" * 9

    first, again = (replayed(rolls, after="abc") for _ in range(2))

    (found,) = [each for each in first.findings if each.rule == "KL903"]
    assert found.severity is Severity.ERROR
    assert 1 < found.locations[0].span.line < 9
    assert len(first.timeline) == found.locations[0].span.line
    said = [(each.rule, each.message) for each in first.findings]
    assert said == [(each.rule, each.message) for each in again.findings]
    assert first._replace(findings=(found,)).verdict is Verdict.NOT_PROVEN


def test_a_danger_ahead_of_the_end_of_the_budget_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kopslint.budget.RUN", 100)
    monkeypatch.setattr("kopslint.budget.LEAST", 100)
    rolls = "kops rolling-update cluster --yes\n" * 50

    report = replayed(f"kops delete ig master-b --yes\n{rolls}")

    assert report.verdict is Verdict.UNSAFE
    assert {"KL301", "KL903"} <= {finding.rule for finding in report.findings}


def test_a_roll_without_validation_is_not_stopped_by_what_failed_before() -> None:
    """Whatever failed in a list that goes on, ``--cloudonly`` asks nobody."""
    failed = "kops delete ig elsewhere --yes"
    rolled = "kops rolling-update cluster --cloudonly --yes"

    *_, last = replayed(f"{failed}\n{rolled}\n").timeline

    assert last.status == "applied"
