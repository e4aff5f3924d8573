"""Broken clusters for stories: specs of members a to e, and what one sees of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTER = "rescue.example.com"
PORTS = {"main": 4001, "events": 4002}
IDS = {
    etcd: {n: f"{number:016x}" for number, n in enumerate("abcdefgh", first)}
    for etcd, first in (("main", 0x8E9E05C52164694D), ("events", 0xB71F75320DC06A6C))
}


def spec(
    members: str, *, kubernetes: str = "1.34.1", etcd: str = "", cloud: str = "aws"
) -> str:
    """A cluster with these members, each in a group of its own."""
    version = f"    version: {etcd}\n" if etcd else ""
    clusters = "".join(
        f"  - name: {name}\n{version}    etcdMembers:\n"
        + "".join(
            f"    - name: {member}\n      instanceGroup: control-plane-{member}\n"
            for member in members
        )
        for name in PORTS
    )
    groups = "".join(
        f"""\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: control-plane-{member}
  labels:
    kops.k8s.io/cluster: {CLUSTER}
spec:
  role: Master
  image: ubuntu-2404
  machineType: m6i.large
  minSize: 1
  maxSize: 1
  subnets: [zone-{member}]
"""
        for member in members
    )
    groups += f"""\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: nodes
  labels:
    kops.k8s.io/cluster: {CLUSTER}
spec:
  role: Node
  image: ubuntu-2404
  machineType: m6i.large
  minSize: 2
  maxSize: 2
  subnets: [zone-a]
"""
    subnets = "".join(
        f"""\
  - name: zone-{member}
    type: Public
    zone: eu-west-1{member}
    cidr: 172.20.{32 * (number + 1)}.0/19
"""
        for number, member in enumerate(members)
    )
    return f"""\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: {CLUSTER}
spec:
  api:
    dns: {{}}
  authorization:
    rbac: {{}}
  channel: stable
  cloudProvider: {cloud}
  configBase: s3://state/{CLUSTER}
  etcdClusters:
{clusters}\
  kubernetesApiAccess: [10.0.0.0/8]
  kubernetesVersion: {kubernetes}
  networkCIDR: 172.20.0.0/16
  networking:
    calico: {{}}
  nonMasqueradeCIDR: 100.64.0.0/10
  sshAccess: [10.0.0.0/8]
  subnets:
{subnets}\
  topology:
    dns:
      type: Public
{groups}"""


class Broken(NamedTuple):
    """What there is of a cluster.

    ``registered`` are the members that etcd lists, ``unstarted`` those of them that
    never started; ``up`` are those that answer. ``machines`` are machines that run,
    without it those of members that answer. ``published`` is the count in the control
    spec.
    """

    registered: str
    up: str
    published: int
    unstarted: str = ""
    machines: str | None = None
    etcd: str = "3.5.30"
    queued: tuple[int, ...] = ()

    @property
    def quorum(self) -> bool:
        """Whether it takes writes."""
        voting = set(self.registered) & set(self.up) - set(self.unstarted)
        return 2 * len(voting) > len(self.registered)

    def seen(self, spec_members: str, etcd_cluster: str = "main") -> str:
        """What the outputs of kubectl and etcdctl say of it."""
        parts = [self._members(etcd_cluster), self._health(etcd_cluster)]
        parts += [self._status(etcd_cluster), self._nodes(spec_members)]
        return "\n".join(parts)

    def everything(self, spec_members: str) -> str:
        """The same of every etcd cluster, as one pasted text."""
        return "\n".join(self.seen(spec_members, name) for name in PORTS)

    def _called(self, etcd_cluster: str, name: str) -> str:
        return f"etcd-{name}" if etcd_cluster == "main" else f"etcd-events-{name}"

    def _url(self, etcd_cluster: str, name: str, port: int) -> str:
        return f"https://{self._called(etcd_cluster, name)}.internal.{CLUSTER}:{port}"

    def _asked(self, etcd_cluster: str, command: str) -> str:
        asked = next(iter(self.up or "a"))
        return (
            f"$ kubectl -n kube-system exec etcd-manager-{etcd_cluster}-node-{asked} "
            f"-- etcdctl --endpoints https://127.0.0.1:{PORTS[etcd_cluster]} {command}"
        )

    def _members(self, etcd_cluster: str) -> str:
        port = PORTS[etcd_cluster]
        lines = []
        for name in self.registered:
            own = self._url(etcd_cluster, name, port)
            peer = self._url(etcd_cluster, name, port - 1621)
            if name in self.unstarted:
                lines.append(f"{IDS[etcd_cluster][name]}, unstarted, , {peer}, , false")
            else:
                called = self._called(etcd_cluster, name)
                lines.append(
                    f"{IDS[etcd_cluster][name]}, started, {called}, {peer}, {own}, "
                    "false"
                )
        return "\n".join([self._asked(etcd_cluster, "member list"), *lines, ""])

    def _health(self, etcd_cluster: str) -> str:
        port = PORTS[etcd_cluster]
        lines = []
        for name in self.registered:
            if name in self.unstarted:
                continue
            url = self._url(etcd_cluster, name, port)
            if name in self.up and self.quorum:
                lines.append(
                    f"{url} is healthy: successfully committed proposal: took = 9.8ms"
                )
            else:
                lines.append(
                    f"{url} is unhealthy: failed to commit proposal: "
                    "context deadline exceeded"
                )
        asked = self._asked(etcd_cluster, "endpoint health --cluster")
        return "\n".join([asked, *lines, ""])

    def _status(self, etcd_cluster: str) -> str:
        port = PORTS[etcd_cluster]
        lines = [
            f"{self._url(etcd_cluster, name, port)}, {IDS[etcd_cluster][name]}, "
            f"{self.etcd}, 25 MB, {self._leads(name)}, false, 7, 4821, 4821, "
            for name in self.up
            if name in self.registered and name not in self.unstarted
        ]
        asked = self._asked(etcd_cluster, "endpoint status --cluster")
        return "\n".join([asked, *lines, *self._expelled(etcd_cluster), ""])

    def _expelled(self, etcd_cluster: str) -> Iterator[str]:
        """Those that answer for themselves, and that no list has."""
        url = f"https://127.0.0.1:{PORTS[etcd_cluster]}"
        for name in self.up:
            if name not in self.registered:
                yield (
                    f"$ kubectl -n kube-system exec etcd-manager-{etcd_cluster}-node-"
                    f"{name} -- etcdctl --endpoints {url} endpoint status\n"
                    f"{url}, {IDS[etcd_cluster][name]}, {self.etcd}, 25 MB, false, "
                    "false, 7, 4790, 4790, "
                )

    def _leads(self, name: str) -> str:
        return "true" if name == self.up[0] and self.quorum else "false"

    def _nodes(self, spec_members: str) -> str:
        running = self.up if self.machines is None else self.machines
        rows = [("NAME", "STATUS", "ROLES", "AGE", "VERSION", "LABELS")]
        for name in sorted({*spec_members, *running}):
            status = "Ready" if name in running else "NotReady"
            group = f"kops.k8s.io/instancegroup=control-plane-{name}"
            node = f"node-{name}"
            rows.append((node, status, "control-plane", "12d", "v1.34.1", group))
        lines = ["".join(cell.ljust(16) for cell in row).rstrip() for row in rows]
        asked = "$ kubectl get nodes --show-labels"
        return "\n".join([asked, *lines, ""])
