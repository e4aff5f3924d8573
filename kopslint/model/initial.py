"""The state before the first command: a healthy cluster as ``before`` has it.

Files rarely hold everything. What they imply is filled in here: a Cluster without
its groups has the groups its members name, groups without their Cluster have one
member each. Whether the cluster really is healthy is in no file; it is assumed.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.kops.decode import with_same_objects
from kopslint.kops.spec import (
    Cluster,
    EtcdCluster,
    EtcdMember,
    InstanceGroup,
    Manifest,
    Role,
)
from kopslint.model.etcd.explore import StateSet
from kopslint.model.software import software_of
from kopslint.model.state import ClusterState, Machines
from kopslint.syntax.yaml import YamlMapping, text_at

if TYPE_CHECKING:
    from kopslint.model.scenario import Scenario
    from kopslint.syntax.yaml import Node


def aligned(before: Manifest, after: Manifest) -> tuple[Manifest, Manifest]:
    """Both sides, complete enough to simulate, with equal objects made the same one.

    Objects that the change does not touch become identical, so that storing them
    again changes nothing.
    """
    before, after = completed(before, after), completed(after, before)
    return before, with_same_objects(after, (before,))


def completed(manifest: Manifest, other: Manifest) -> Manifest:
    """``manifest`` with what it implies: missing groups, or a missing Cluster.

    What the other side of the change declares is taken from there.
    """
    cluster = manifest.cluster or other.cluster
    groups = dict(manifest.groups)
    if not groups:
        groups = dict(other.groups)
    if cluster is None:
        cluster = _implied_cluster(manifest)
    if not any(group.is_control_plane for group in groups.values()):
        for group in _implied_groups(cluster):
            groups.setdefault(group.name, group)
    return manifest.replaced(cluster=cluster, groups=MappingProxyType(groups))


def in_files(manifest: Manifest) -> Manifest:
    """``manifest`` without objects that no file has and others only imply."""
    cluster = manifest.cluster
    if cluster is not None and text_at(cluster.node, "kind") != "Cluster":
        cluster = None
    groups = {
        name: group
        for name, group in manifest.groups.items()
        if text_at(group.node, "kind") == "InstanceGroup"
    }
    return Manifest(
        name=manifest.name, cluster=cluster, groups=MappingProxyType(groups)
    )


def _implied_cluster(manifest: Manifest) -> Cluster | None:
    """A Cluster whose etcd has one member, called like it, for every group."""
    groups = manifest.control_plane
    if not groups:
        return None
    members = tuple(EtcdMember(group.name, group.name, group.node) for group in groups)
    etcd = EtcdCluster("main", members, None, groups[0].node)
    return Cluster(
        manifest.name, groups[0].version, None, None, (etcd,), (), groups[0].node
    )


def _implied_groups(cluster: Cluster | None) -> list[InstanceGroup]:
    """One control-plane group for every group that a member names."""
    if cluster is None:
        return []
    return [
        InstanceGroup(
            name=member.group,
            cluster=cluster.name,
            version=cluster.version,
            role=Role.CONTROL_PLANE,
            min_size=1,
            max_size=1,
            subnets=(),
            zones=(),
            node=_mapping(member.node),
        )
        for etcd in cluster.etcd_clusters
        for member in etcd.members
        if member.group
    ]


def _mapping(node: Node) -> YamlMapping:
    return node if isinstance(node, YamlMapping) else YamlMapping((), node.span)


def healthy(plan: Scenario) -> ClusterState:
    """The state before the list: all members vote and the cloud is up to date."""
    before = plan.before
    state = ClusterState(
        registry=before,
        applied=before,
        cloud={},
        machines=Machines({}).with_spec(plan.after).with_spec(before),
        etcd={},
    )
    etcd = {}
    for cluster in before.etcd_clusters:
        names = plan.members[cluster.name]
        members = {
            m.name for m in cluster.members if m.name and _has_machine(before, m.group)
        }
        if members:
            sides = (before, plan.after)
            software = software_of(sides, cluster.name, names, plan.kops_version)
            etcd[cluster.name] = StateSet.healthy(names, sorted(members), software)
    sizes = {name: max(group.size, 0) for name, group in before.groups.items()}
    return state.with_etcd(etcd).with_cloud(sizes)


def _has_machine(manifest: Manifest, group: str) -> bool:
    found = manifest.groups.get(group)
    return found is not None and found.size > 0
