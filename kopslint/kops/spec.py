"""The objects of a kops cluster, as typed values that know their place in the file.

Only what a rule or the simulation needs is typed; everything else stays reachable
through ``node``. Whatever is missing or malformed is None here: saying so is the
job of the checks, not of this module.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.records import Frozen, Record
from kopslint.syntax.yaml import Node, Step, YamlMapping, find, span_of

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from kopslint.kops.rejection import Rejection
    from kopslint.text import Source, Span

CLUSTER_LABEL = "kops.k8s.io/cluster"


class Role(StrEnum):
    """What the machines of an instance group are for."""

    CONTROL_PLANE = "ControlPlane"
    API_SERVER = "APIServer"
    NODE = "Node"
    BASTION = "Bastion"


def parse_role(text: str) -> Role | None:
    """The role that a command-line argument names, or None.

    Lenient as kops is: any case, with or without a plural s, ``master`` for the
    control plane. Source: kops pkg/apis/kops/parse.go, ParseInstanceGroupRole.
    """
    word = text.lower().removesuffix("s").replace("-", "")
    if word in ("master", "controlplane"):
        return Role.CONTROL_PLANE
    return next((role for role in Role if role.value.lower() == word), None)


class EtcdMember(Record):
    """One member of an etcd cluster: its name and the group whose machine runs it.

    ``name`` and ``group`` are empty strings when the spec leaves them out.
    """

    name: str
    group: str
    node: Node

    def at(self, *path: Step) -> Span:
        """The narrowest span for a field of this member."""
        return span_of(self.node, *path)


class EtcdCluster(Record):
    """One etcd cluster of the spec: ``main``, ``events``, ``cilium`` or ``leases``."""

    name: str
    members: tuple[EtcdMember, ...]
    version: str | None
    node: Node

    def at(self, *path: Step) -> Span:
        """The narrowest span for a field of this etcd cluster."""
        return span_of(self.node, *path)

    def member_of(self, group: str) -> EtcdMember | None:
        """The first member that runs in ``group``, if any."""
        return next((m for m in self.members if m.group == group), None)

    def member(self, name: str) -> EtcdMember | None:
        """The first member called ``name``, if any."""
        return next((m for m in self.members if m.name == name), None)


class Subnet(Record):
    """One subnet of the cluster."""

    name: str
    zone: str | None
    cidr: str | None
    type: str | None
    node: Node


class Cluster(Record):
    """The Cluster object. ``version`` is the API version after the slash."""

    name: str
    version: str
    kubernetes_version: str | None
    cloud: str | None
    etcd_clusters: tuple[EtcdCluster, ...]
    subnets: tuple[Subnet, ...]
    node: YamlMapping

    def at(self, *path: Step) -> Span:
        """The narrowest span for a field of the object (``spec`` included)."""
        return span_of(self.node, *path)

    def get(self, *path: Step) -> Node | None:
        """The node of a field of the object, or None."""
        return find(self.node, *path)

    @property
    def membership(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """Every etcd cluster with its members and their groups, for comparing."""
        return tuple(
            (etcd.name, tuple((m.name, m.group) for m in etcd.members))
            for etcd in self.etcd_clusters
        )

    def etcd_cluster(self, name: str) -> EtcdCluster | None:
        """The first etcd cluster called ``name``, if any."""
        return next((e for e in self.etcd_clusters if e.name == name), None)

    def subnet(self, name: str) -> Subnet | None:
        """The first subnet called ``name``, if any."""
        return next((s for s in self.subnets if s.name == name), None)


class InstanceGroup(Record):
    """An InstanceGroup object.

    ``role`` is None if it is missing or not a role kops knows; sizes are None if
    they are missing or not whole numbers.
    """

    name: str
    cluster: str | None
    version: str
    role: Role | None
    min_size: int | None
    max_size: int | None
    subnets: tuple[str, ...]
    zones: tuple[str, ...]
    node: YamlMapping

    def at(self, *path: Step) -> Span:
        """The narrowest span for a field of the object (``spec`` included)."""
        return span_of(self.node, *path)

    def get(self, *path: Step) -> Node | None:
        """The node of a field of the object, or None."""
        return find(self.node, *path)

    @property
    def is_control_plane(self) -> bool:
        """Whether its machines run etcd."""
        return self.role is Role.CONTROL_PLANE

    @property
    def size(self) -> int:
        """How many machines kops asks the cloud for: ``minSize``, by default one.

        Source: kops pkg/model/awsmodel/autoscalinggroup.go takes minSize, and
        upup/pkg/fi/cloudup/populate_instancegroup_spec.go fills in the default.
        """
        return 1 if self.min_size is None else self.min_size


class Manifest(Frozen):
    """The objects of one cluster as one side of a change declares them.

    A manifest may hold only the Cluster or only groups. ``repeated`` holds objects
    whose name was already taken; kops uses the last one of a file, and so do
    ``cluster`` and ``groups``. ``filled`` are the places of values that are left to be
    filled in, where that of the other side of a change was taken.
    """

    name: str
    cluster: Cluster | None
    groups: MappingType[str, InstanceGroup]
    repeated: tuple[Cluster | InstanceGroup, ...] = ()
    flaws: tuple[Rejection, ...] = ()
    sources: tuple[Source, ...] = ()
    filled: tuple[Span, ...] = ()

    @cached_property
    def control_plane(self) -> tuple[InstanceGroup, ...]:
        """The control-plane groups, by name."""
        return tuple(
            self.groups[name]
            for name in sorted(self.groups)
            if self.groups[name].is_control_plane
        )

    @property
    def cloud(self) -> str | None:
        """The cloud that the Cluster names, by its name in v1alpha2."""
        return self.cluster.cloud if self.cluster is not None else None

    @property
    def etcd_clusters(self) -> tuple[EtcdCluster, ...]:
        """The etcd clusters, in the order of the spec."""
        return self.cluster.etcd_clusters if self.cluster is not None else ()

    @cached_property
    def members_by_group(self) -> MappingType[tuple[str, str], tuple[str, ...]]:
        """The members that each etcd cluster has for each group, by their names."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for etcd in self.etcd_clusters:
            for member in etcd.members:
                key = (etcd.name, member.group)
                found[key] = (*found.get(key, ()), member.name)
        return found

    def zones_of(self, group: InstanceGroup) -> tuple[str, ...] | None:
        """The zones of a group: its own and those of its subnets, sorted.

        None if a subnet is not known here. Source: kops pkg/model/context.go,
        FindZonesForInstanceGroup.
        """
        zones = set(group.zones)
        for name in group.subnets:
            subnet = self.cluster.subnet(name) if self.cluster is not None else None
            if subnet is None:
                return None
            if subnet.zone is not None:
                zones.add(subnet.zone)
        return tuple(sorted(zones))
