"""Day-2 work by the book is called neither wrong nor unproven.

Each list in ``fixtures/safe`` is what someone does on a healthy cluster without putting
etcd at risk. It names the cluster, what the change makes of it, the file that the list
stands in, the verdict and why it is that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest
import yaml

from kopslint.cli.program import run
from kopslint.engine import Request, check
from kopslint.findings import Severity, Verdict
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kopslint.findings import Report

FOLDER = Path(__file__).parents[1] / "fixtures" / "safe"
LETTERS = "abcdef"
IMAGE = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-"
UBUNTU = f"099720109477/{IMAGE}20250610"

Document: TypeAlias = dict[str, Any]
Documents: TypeAlias = list[Document]


@dataclass(frozen=True)
class Kind:
    """A small cluster: its cloud, how many members, and what is its own."""

    members: int = 3
    name: str = "prod.example.com"
    cloud: str = "aws"
    networking: str = "cilium"
    own_etcd: bool = False
    """Whether cilium has an etcd of its own."""

    @property
    def region(self) -> str:
        return "us-east-1" if self.cloud == "aws" else "europe-west4-"

    @property
    def etcd_clusters(self) -> tuple[str, ...]:
        return ("main", "events", "cilium") if self.own_etcd else ("main", "events")


KINDS = {
    "aws1": Kind(members=1),
    "aws3": Kind(),
    "aws5": Kind(members=5),
    "gce3": Kind(cloud="gce"),
    "cilium3": Kind(own_etcd=True),
    "calico3": Kind(networking="calico"),
    "gossip3": Kind(name="prod.k8s.local"),
    "gossip1": Kind(members=1, name="dev.k8s.local"),
}


def spec(kind: Kind) -> Documents:
    """The documents of a healthy cluster: control planes, and a group of workers."""
    letters = LETTERS[: kind.members]
    return [
        cluster(kind),
        *(
            group(kind, f"control-plane-{letter}", "ControlPlane", 1, letter)
            for letter in letters
        ),
        group(kind, "nodes", "Node", 3, "abc"),
    ]


def cluster(kind: Kind) -> Document:
    gce = kind.cloud == "gce"
    inner: Document = {
        "api": {
            "loadBalancer": {"type": "Public"} | ({} if gce else {"class": "Network"})
        },
        "channel": "stable",
        "cloudProvider": kind.cloud,
        "configBase": f"{'gs' if gce else 's3'}://example-kops-state/{kind.name}",
        "etcdClusters": [
            {
                "name": name,
                "etcdMembers": [
                    {"instanceGroup": f"control-plane-{letter}", "name": letter}
                    for letter in LETTERS[: kind.members]
                ],
            }
            for name in kind.etcd_clusters
        ],
        "iam": {"allowContainerRegistry": True, "legacy": False},
        "kubernetesApiAccess": ["203.0.113.0/24"],
        "kubernetesVersion": "1.34.2",
        "networking": {kind.networking: {"etcdManaged": True} if kind.own_etcd else {}},
        "sshAccess": ["203.0.113.0/24"],
        "subnets": [subnet(kind, number) for number in range(1 if gce else 5)],
        "topology": {"dns": {"type": "None" if "local" in kind.name else "Public"}},
    }
    if gce:
        inner["project"] = "example-project"
    else:
        inner["api"]["loadBalancer"]["class"] = "Network"
        inner["networkCIDR"] = "172.20.0.0/16"
        inner["nonMasqueradeCIDR"] = "100.64.0.0/10"
    return {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "Cluster",
        "metadata": {"name": kind.name},
        "spec": inner,
    }


def subnet(kind: Kind, number: int) -> Document:
    if kind.cloud == "gce":
        return {
            "name": "europe-west4",
            "region": "europe-west4",
            "cidr": "10.0.16.0/20",
            "type": "Public",
        }
    zone = f"{kind.region}{LETTERS[number]}"
    return {
        "name": zone,
        "zone": zone,
        "cidr": f"172.20.{(number + 1) * 32}.0/19",
        "type": "Public",
    }


def group(kind: Kind, name: str, role: str, size: int, letters: str) -> Document:
    gce = kind.cloud == "gce"
    zones = [f"{kind.region}{letter}" for letter in letters]
    inner: Document = {
        "image": "ubuntu-os-cloud/ubuntu-2404-noble-amd64-v20250610" if gce else UBUNTU,
        "machineType": "e2-standard-4" if gce else "m6i.large",
        "maxSize": size,
        "minSize": size,
        "role": role,
        "subnets": ["europe-west4"] if gce else zones,
    }
    if gce:
        inner["zones"] = zones
    return {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "InstanceGroup",
        "metadata": {"labels": {"kops.k8s.io/cluster": kind.name}, "name": name},
        "spec": inner,
    }


def in_cluster(**fields: Any) -> Callable[[Kind, Documents], Documents]:
    """Set fields of the cluster."""

    def change(_: Kind, documents: Documents) -> Documents:
        documents[0]["spec"].update(fields)
        return documents

    return change


def in_groups(role: str, **fields: Any) -> Callable[[Kind, Documents], Documents]:
    """Set fields of every group with a role."""

    def change(_: Kind, documents: Documents) -> Documents:
        for document in documents[1:]:
            if document["spec"]["role"] == role:
                document["spec"].update(fields)
        return documents

    return change


def one_more(name: str, size: int = 2) -> Callable[[Kind, Documents], Documents]:
    """Add a group of workers."""
    return lambda kind, documents: [*documents, group(kind, name, "Node", size, "abc")]


def without(name: str) -> Callable[[Kind, Documents], Documents]:
    """Take a group away."""
    return lambda _, documents: [d for d in documents if d["metadata"]["name"] != name]


def members(count: int) -> Callable[[Kind, Documents], Documents]:
    """Another number of members, each with its group; the rest stays."""

    def change(kind: Kind, documents: Documents) -> Documents:
        other = spec(Kind(**{**vars(kind), "members": count}))
        documents[0]["spec"]["etcdClusters"] = other[0]["spec"]["etcdClusters"]
        workers = [d for d in documents[1:] if d["spec"]["role"] == "Node"]
        planes = [d for d in other[1:] if d["spec"]["role"] == "ControlPlane"]
        return [documents[0], *planes, *workers]

    return change


def etcd_version(version: str) -> Callable[[Kind, Documents], Documents]:
    """The version of every etcd cluster."""

    def change(_: Kind, documents: Documents) -> Documents:
        for etcd in documents[0]["spec"]["etcdClusters"]:
            etcd["version"] = version
        return documents

    return change


NEW_IMAGE = {"image": f"099720109477/{IMAGE}20260115"}
CHANGES: dict[str, Callable[[Kind, Documents], Documents]] = {
    "patched": in_cluster(kubernetesVersion="1.34.5"),
    "upgraded": in_cluster(kubernetesVersion="1.35.1"),
    "larger-control-planes": in_groups("ControlPlane", machineType="m6i.xlarge"),
    "larger-workers": in_groups("Node", machineType="m6i.2xlarge"),
    "new-image": lambda kind, documents: in_groups("Node", **NEW_IMAGE)(
        kind, in_groups("ControlPlane", **NEW_IMAGE)(kind, documents)
    ),
    "new-image-of-workers": in_groups("Node", **NEW_IMAGE),
    "more-workers": in_groups("Node", minSize=5, maxSize=5),
    "room-for-workers": in_groups("Node", maxSize=9),
    "fewer-workers": in_groups("Node", minSize=2, maxSize=2),
    "labelled": in_groups("Node", nodeLabels={"team": "payments"}),
    "tainted": in_groups("Node", taints=["dedicated=batch:NoSchedule"]),
    "bigger-disks": in_groups("Node", rootVolumeSize=200),
    "batch": one_more("batch"),
    "nodes-v2": one_more("nodes-v2", 3),
    "no-nodes": without("nodes"),
    "no-batch": without("batch"),
    "one-member": members(1),
    "three-members": members(3),
    "five-members": members(5),
    "api-for-office": in_cluster(
        kubernetesApiAccess=["203.0.113.0/24", "198.51.100.0/24"]
    ),
    "ssh-closed": in_cluster(sshAccess=["198.51.100.7/32"]),
    "audit-log": in_cluster(
        kubeAPIServer={
            "auditLogPath": "/var/log/kube-apiserver-audit.log",
            "auditLogMaxAge": 10,
            "auditLogMaxBackups": 1,
            "auditLogMaxSize": 100,
            "auditPolicyFile": "/srv/kubernetes/kube-apiserver/audit.yaml",
        }
    ),
    "metrics-server": in_cluster(metricsServer={"enabled": True, "insecure": True}),
    "autoscaler": in_cluster(clusterAutoscaler={"enabled": True}),
    "maxpods": in_cluster(kubelet={"maxPods": 150}),
    "etcd-3.5": etcd_version("3.5.21"),
    "etcd-3.6": etcd_version("3.6.6"),
    "policies": in_cluster(
        additionalPolicies={
            "node": '[{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]'
        }
    ),
}
"""What a change makes of a cluster."""


class Case(NamedTuple):
    """A list, the change that it is for, and what is to be said of it."""

    topic: str
    name: str
    kind: str
    verdict: str
    why: str
    text: str
    before: str = ""
    after: str = ""
    path: str = "run.sh"

    @property
    def sides(self) -> tuple[Source, Source]:
        """The spec before, and what the change makes of it."""
        stored = self.before.split()
        return (
            self.side("before.yaml", stored),
            self.side("after.yaml", [*stored, *self.after.split()]),
        )

    def side(self, path: str, changes: Sequence[str]) -> Source:
        kind = KINDS[self.kind]
        documents = spec(kind)
        for change in changes:
            documents = CHANGES[change](kind, documents)
        return Source(path, yaml.safe_dump_all(documents, sort_keys=False))

    @property
    def report(self) -> Report:
        before, after = self.sides
        return check(Request((before,), (after,), (Source(self.path, self.text),)))


CASES = [
    Case(topic=file.stem, **each)
    for file in sorted(FOLDER.glob("*.yaml"))
    for each in yaml.safe_load(file.read_text("utf-8"))
]


def told(report: Report) -> str:
    return "\n".join(
        f"{finding.severity} {finding.rule} {finding.message}"
        for finding in report.findings
        if finding.severity is not Severity.INFO
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.topic}: {case.name}")
def test_safe_work_has_the_verdict_that_it_deserves(case: Case) -> None:
    report = case.report

    assert not report.count(Severity.ERROR), told(report)
    assert report.verdict == case.verdict, told(report)


@pytest.mark.parametrize("kind", KINDS)
def test_the_clusters_that_the_lists_are_for_are_in_order(kind: str) -> None:
    """Else a list would be called something for what is none of its work."""
    case = Case("", "", kind, "", "", "")
    report = check(Request((), (case.side("after.yaml", ()),)))

    assert not report.count(Severity.ERROR), told(report)
    assert not report.count(Severity.WARNING) or KINDS[kind].members == 1, told(report)


PLANNED = {
    "one to three": ("aws1", "", "three-members"),
    "three to five": ("aws3", "", "five-members"),
    "five to three": ("aws5", "", "three-members"),
    "three to one": ("aws3", "", "one-member"),
    "three to five on GCE": ("gce3", "", "five-members"),
    "five to three with cilium's etcd": ("cilium3", "five-members", "three-members"),
    "one to three of gossip": ("gossip1", "", "three-members"),
    "other machines": ("aws3", "", "larger-control-planes"),
    "a patch": ("aws3", "", "patched"),
    "a new group of workers": ("aws3", "", "batch"),
}
"""Changes whose plan is checked as it is printed."""


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("planned", PLANNED.values(), ids=PLANNED)
def test_what_the_plan_prints_is_no_error(
    planned: tuple[str, str, str],
    form: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kind, before, after = planned
    monkeypatch.chdir(tmp_path)
    case = Case("", "", kind, "", "", "", before, after)
    for source in case.sides:
        Path(source.path).write_text(source.text, encoding="utf-8")
    sides = ["--before", "before.yaml", "--after", "after.yaml"]
    assert run(["plan", *sides, "--format", form]) == 0
    text = capsys.readouterr().out
    path = {"text": "plan.sh", "markdown": "plan.md"}[form]
    report = case._replace(text=text, path=path).report

    assert not report.count(Severity.ERROR), told(report)
    assert report.verdict in (Verdict.SAFE, Verdict.CAUTION), told(report)
