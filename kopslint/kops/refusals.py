"""What kops itself refuses about the control plane, command by command.

Each function answers for one path through kops: the state store's objects go in,
the refusals come out, in kops's own words. Only what decides whether a command
of a change plan takes effect is here; field-by-field validation of a file is not.

Sources, all in kubernetes/kops: pkg/apis/kops/validation (validation.go, legacy.go,
instancegroup.go, cluster.go), upup/pkg/fi/cloudup/populate_cluster_spec.go,
pkg/model/master_volumes.go, cmd/kops/delete_instancegroup.go.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kopslint.kops.rejection import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, EtcdCluster, InstanceGroup, Manifest


def of_cluster(cluster: Cluster) -> Iterator[Rejection]:
    """What every path that writes or applies a Cluster refuses about its etcd.

    Source: validation.go, validateEtcdClusterSpec.
    """
    for etcd in cluster.etcd_clusters:
        count = len(etcd.members)
        if count == 0:
            yield Rejection(
                "no-members",
                f'no members defined in etcd cluster "{etcd.name}"',
                etcd.name,
                ((etcd.at("etcdMembers"), "no members"),),
                path="spec.etcdClusters[].etcdMembers",
                at_command="update",
            )
        elif count % 2 == 0:
            yield Rejection(
                "even-members",
                f'etcd cluster "{etcd.name}" has {count} members: should be an odd '
                "number of control-plane-zones for quorum",
                etcd.name,
                ((etcd.at("etcdMembers"), f"{count} members"),),
                path="spec.etcdClusters[].etcdMembers",
                at_command="update",
            )


def of_cluster_change(old: Cluster, new: Cluster) -> Iterator[Rejection]:
    """What replacing ``old`` by ``new`` in the state store is refused for.

    The volumes of ``old`` are taken to exist, as they do on a running cluster.
    Source: cluster.go, ValidateClusterUpdate and validateEtcdMemberUpdate.
    """
    for etcd in old.etcd_clusters:
        successor = new.etcd_cluster(etcd.name)
        if successor is None:
            yield Rejection(
                "etcd-cluster-removed",
                f"spec.etcdClusters[{etcd.name}]: EtcdClusters cannot be removed",
                etcd.name,
                (
                    (new.at("spec", "etcdClusters"), f"{etcd.name} is missing"),
                    (etcd.at("name"), "it was here"),
                ),
                path="spec.etcdClusters",
                at_command="update",
            )
            continue
        for member in etcd.members:
            again = successor.member(member.name)
            if again is not None and again.group != member.group:
                yield Rejection(
                    "member-moved",
                    f"spec.etcdClusters[{etcd.name}].etcdMembers[{member.name}]"
                    ".instanceGroup: instanceGroup cannot be changed",
                    member.name,
                    (
                        (again.at("instanceGroup"), "another group than before"),
                        (member.at("instanceGroup"), "the group before"),
                    ),
                    path="spec.etcdClusters[].etcdMembers[].instanceGroup",
                    at_command="update",
                )


def of_group(group: InstanceGroup) -> Iterator[Rejection]:
    """What writing a control-plane group is refused for, since kops 1.26.

    Source: instancegroup.go, ValidateInstanceGroup.
    """
    if not group.is_control_plane:
        return
    for field, size in (("minSize", group.min_size), ("maxSize", group.max_size)):
        if size is not None and size > 1:
            yield Rejection(
                "control-plane-size",
                f"spec.{field}: {size}: controlPlane InstanceGroup must have {field} "
                "set to 1, add more InstanceGroups instead",
                group.name,
                ((group.at("spec", field), f"{size}, and 1 is the most"),),
                path=f"spec.{field}",
                at_command="update",
            )


def members_of_groups(manifest: Manifest) -> Iterator[Rejection]:
    """Every control-plane group must have a member in every etcd cluster.

    Asked by ``edit cluster``, ``upgrade`` and ``update``, never by ``replace -f``.
    Source: instancegroup.go, ValidateControlPlaneInstanceGroup.
    """
    for group in manifest.control_plane:
        for etcd in manifest.etcd_clusters:
            if etcd.members and etcd.member_of(group.name) is None:
                yield Rejection(
                    "group-without-member",
                    f'InstanceGroup "{group.name}" with role ControlPlane must have a '
                    f'member in etcd cluster "{etcd.name}"',
                    group.name,
                    (
                        (group.at("metadata", "name"), "this group runs no member"),
                        (etcd.at("name"), f"of {etcd.name}"),
                    ),
                    path="metadata.name",
                    at_command="update",
                )


def of_edit(old: Manifest, new: Manifest) -> tuple[Rejection, ...]:
    """Why ``kops edit cluster`` or ``upgrade`` does not store ``new`` over ``old``."""
    found = list(_of_state(new))
    if old.cluster is not None and new.cluster is not None:
        found.extend(of_cluster_change(old.cluster, new.cluster))
    return tuple(found)


def of_update(manifest: Manifest) -> tuple[Rejection, ...]:
    """Why ``kops update cluster`` applies nothing of ``manifest``, dry run or not.

    Source: populate_cluster_spec.go, legacy.go (DeepValidate), master_volumes.go.
    """
    found = list(_of_state(manifest))
    for etcd in manifest.etcd_clusters:
        found.extend(_groups_of(etcd, manifest))
    return tuple(found)


def _of_state(manifest: Manifest) -> Iterator[Rejection]:
    if manifest.cluster is not None:
        yield from of_cluster(manifest.cluster)
    for group in manifest.control_plane:
        yield from of_group(group)
    yield from members_of_groups(manifest)


def _groups_of(etcd: EtcdCluster, manifest: Manifest) -> Iterator[Rejection]:
    names: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    for member in etcd.members:
        names[member.name] += bool(member.name)
        groups[member.group] += bool(member.group)
        if names[member.name] == 2:  # Reported once for each name.
            yield Rejection(
                "duplicate-member",
                f'EtcdMembers found with same name "{member.name}" in etcd-cluster '
                f'"{etcd.name}"',
                member.name,
                ((member.at("name"), "this name is taken"),),
                path="spec.etcdClusters[].etcdMembers[].name",
                at_command="update",
            )
        if groups[member.group] == 2:  # And once for each group.
            yield Rejection(
                "shared-group",
                f'EtcdMembers are in the same InstanceGroup "{member.group}" in '
                f'etcd-cluster "{etcd.name}": found duplicate tasks',
                member.group,
                ((member.at("instanceGroup"), "this group has a member already"),),
                path="spec.etcdClusters[].etcdMembers[].instanceGroup",
                at_command="update",
            )
        group = manifest.groups.get(member.group)
        if group is None:
            yield Rejection(
                "missing-group",
                f"InstanceGroup not found (for etcd {member.name}/{etcd.name}): "
                f'"{member.group}"',
                member.group,
                ((member.at("instanceGroup"), "no such group in the state store"),),
                path="spec.etcdClusters[].etcdMembers[].instanceGroup",
                at_command="update",
            )
            continue
        zones = manifest.zones_of(group)
        if zones is not None and len(zones) > 1:
            yield Rejection(
                "zones",
                f'must specify a unique zone for instancegroup "{group.name}" used by '
                f"etcd {member.name}/{etcd.name}",
                group.name,
                ((group.at("spec", "subnets"), f"zones {', '.join(zones)}"),),
                path="spec.subnets",
                at_command="update",
            )


def of_deleting(group: str, manifest: Manifest) -> Rejection | None:
    """Why ``kops delete ig`` refuses: no such group, or the only control plane.

    It looks at nothing else: not at etcd members, quorum, or the machine.
    Source: cmd/kops/delete_instancegroup.go.
    """
    found = manifest.groups.get(group)
    if found is None:
        return Rejection("unknown-group", f'InstanceGroup "{group}" not found', group)
    if found.is_control_plane and len(manifest.control_plane) == 1:
        return Rejection(
            "only-control-plane",
            "cannot delete the only control plane instance group",
            group,
            ((found.at("metadata", "name"), "the only control-plane group"),),
        )
    return None
