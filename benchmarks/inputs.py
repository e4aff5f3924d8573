"""What is measured: specs, command lists and fleets of any size."""

from __future__ import annotations

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: {name}
spec:
  cloudProvider: aws
  configBase: s3://state-store/{name}
  kubernetesVersion: 1.31.4
  networkCIDR: 10.0.0.0/16
  etcdClusters:
{etcd}  subnets:
{subnets}"""
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: {group}
  labels:
    kops.k8s.io/cluster: {name}
spec:
  image: ubuntu/images/hvm-ssd/ubuntu-noble-24.04-amd64-server-20250101
  machineType: m5.large
  maxSize: {most}
  minSize: {least}
  role: {role}
  subnets:
  - zone-{zone}
"""
STEPS = (
    "kops update cluster --name {name} --yes",
    "kops validate cluster --name {name} --wait 10m",
    "kops rolling-update cluster --name {name} --instance-group master-0 --yes",
    "kops rolling-update cluster --name {name} --instance-group nodes-0 --yes",
    "kops get instancegroups --name {name}",
)
"""What a list of commands without a hazard repeats."""


def spec(members: int, nodes: int, name: str = "c.example.com") -> str:
    """A cluster with ``members`` in two etcd clusters, and a document a group."""
    lists = "".join(
        f"    - name: etcd-{n}\n      instanceGroup: master-{n}\n"
        for n in range(members)
    )
    etcd = "".join(
        f"  - name: {each}\n    etcdMembers:\n{lists}" for each in ("main", "events")
    )
    subnets = "".join(
        f"  - {{name: zone-{n}, zone: us-east-1{'abcde'[n]}, type: Private, "
        f"cidr: 10.0.{n}.0/24}}\n"
        for n in range(5)
    )
    masters = "".join(
        GROUP.format(
            group=f"master-{n}", name=name, role="Master", least=1, most=1, zone=n % 5
        )
        for n in range(members)
    )
    workers = "".join(
        GROUP.format(
            group=f"nodes-{n}", name=name, role="Node", least=2, most=9, zone=n % 5
        )
        for n in range(nodes)
    )
    cluster = CLUSTER.format(name=name, etcd=etcd, subnets=subnets)
    return cluster + masters + workers


def commands(steps: int, name: str = "c.example.com") -> str:
    """A list of ``steps`` commands, one a line."""
    lines = [STEPS[n % len(STEPS)].format(name=name) for n in range(steps)]
    return "\n".join(lines) + "\n"


def scale_down() -> str:
    """Twenty commands that take five members to three, one at a time, and roll."""
    lines = []
    for n in (4, 3):
        lines += [
            f"kops delete instancegroup master-{n} --yes",
            f"etcdctl member remove etcd-{n}  # in main",
            f"etcdctl member remove etcd-{n}  # in events",
            "etcdctl endpoint health",
        ]
    lines += ["kops replace -f after.yaml", "kops update cluster --yes"]
    for n in range(3):
        lines += [
            f"kops rolling-update cluster --instance-group master-{n} --yes",
            "kops validate cluster --wait 10m",
            "etcdctl member list",
        ]
    return "\n".join([*lines, "kops get instancegroups"]) + "\n"
