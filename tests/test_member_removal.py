"""The printed removal of a member means that member, to etcd and to kopslint."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from kopslint.checks.context import removals
from kopslint.engine import Request, check
from kopslint.source.text import Source

MEMBERS = ("a", "new-a", "a.b", "a-b", "events-b")


def member_list(etcd_cluster: str) -> str:
    """What etcdctl prints where kops named the members: ids are 1a, 2a and so on."""
    front = "etcd-" if etcd_cluster == "main" else f"etcd-{etcd_cluster}-"
    return "".join(
        f"{number}a, started, {front}{name}, https://{name}.internal:2380, "
        f"https://{name}.internal:4001, false\n"
        for number, name in enumerate(MEMBERS, 1)
    )


@pytest.mark.skipif(shutil.which("awk") is None, reason="there is no awk here")
@pytest.mark.parametrize("etcd_cluster", ["main", "events", "cilium"])
@pytest.mark.parametrize("member", MEMBERS)
def test_only_the_member_itself_is_taken_out(member: str, etcd_cluster: str) -> None:
    _, alone = removals([(member, etcd_cluster)])
    _, together = removals([(member, name) for name in ("main", "events", "cilium")])
    ids = [f"{MEMBERS.index(member) + 1}a"]

    for command in (alone, together):
        script = command.replace("etcdctl member list", "cat")
        script = script.replace("etcdctl member remove", "echo")
        done = subprocess.run(
            ["sh", "-c", script],
            input=member_list(etcd_cluster),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == ids


def spec(*names: str) -> Source:
    """A cluster with one control-plane group for each member."""
    members = "".join(f"\n    - {{name: {n}, instanceGroup: cp-{n}}}" for n in names)
    groups = "".join(
        f"""---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: cp-{name}
  labels: {{kops.k8s.io/cluster: c.example.com}}
spec: {{role: Master, minSize: 1, maxSize: 1, subnets: [{zone}]}}
"""
        for name, zone in zip(names, "abc", strict=False)
    )
    return Source(
        f"{len(names)}.yaml",
        f"""apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {{name: c.example.com}}
spec:
  cloudProvider: aws
  subnets:
  - {{name: a, zone: eu-west-1a, type: Public}}
  - {{name: b, zone: eu-west-1b, type: Public}}
  - {{name: c, zone: eu-west-1c, type: Public}}
  etcdClusters:
  - name: main
    etcdMembers:{members}
  - name: events
    etcdMembers:{members}
{groups}""",
    )


@pytest.mark.parametrize("member", ["a", "new-a"])
def test_a_printed_removal_is_read_as_it_is_meant(member: str) -> None:
    _, command = removals([(member, "main"), (member, "events")])
    names = ("a", "new-a", "b")
    left = [name for name in names if name != member]

    report = check(
        Request((spec(*names),), (spec(*names),), (Source("steps.sh", f"{command}\n"),))
    )

    for view in report.timeline[-1].etcd.values():
        assert [*view.members] == left
    assert [f.rule for f in report.findings if f.rule.startswith("KL9")] == []
