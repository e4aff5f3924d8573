"""Typed Cluster and InstanceGroup objects from YAML mappings.

Both API versions become the same types here: v1alpha2 keeps subnets under spec
and the cloud provider as text, v1alpha3 keeps them under spec.networking and as a
mapping with one key (kops pkg/apis/kops/v1alpha2 and v1alpha3, cluster.go and
instancegroup.go). This module must not know files, or which cluster a group with
no label belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.fields import Fields
from kopslint.kops.spec import (
    CLUSTER_LABEL,
    Cluster,
    EtcdCluster,
    EtcdMember,
    Flaw,
    InstanceGroup,
    Role,
    Subnet,
    parse_role,
)
from kopslint.syntax.yaml_tree import Mapping, Scalar

if TYPE_CHECKING:
    from kopslint.syntax.yaml_tree import Node


_ROLES = {role.value: role for role in Role}


def make_cluster(node: Mapping, version: str) -> tuple[Cluster | None, list[Flaw]]:
    """The Cluster that ``node`` describes, and its flaws; None if it has no name."""
    flaws: list[Flaw] = []
    top = _top(node, flaws)
    name = top.below("metadata", required=True).text("name", required=True)
    spec = top.below("spec", required=True)
    networking = spec.below("networking") if version == "v1alpha3" else spec
    cluster = Cluster(
        name=name or "",
        version=version,
        kubernetes_version=spec.text("kubernetesVersion"),
        cloud=_cloud(spec, version),
        etcd_clusters=tuple(
            _etcd_cluster(item, fields) for item, fields in spec.each("etcdClusters")
        ),
        subnets=tuple(
            _subnet(item, fields) for item, fields in networking.each("subnets")
        ),
        node=node,
    )
    return (cluster if name else None), flaws


def make_group(node: Mapping, version: str) -> tuple[InstanceGroup | None, list[Flaw]]:
    """The InstanceGroup that ``node`` describes, and its flaws; None without a name.

    The cluster label is read and not asked for: what a group without it belongs
    to depends on the rest of the input.
    """
    flaws: list[Flaw] = []
    top = _top(node, flaws)
    metadata = top.below("metadata", required=True)
    name = metadata.text("name", required=True)
    spec = top.below("spec", required=True)
    group = InstanceGroup(
        name=name or "",
        cluster=metadata.below("labels").text(CLUSTER_LABEL) or None,
        version=version,
        role=_role(spec, version, flaws),
        min_size=spec.whole_number("minSize"),
        max_size=spec.whole_number("maxSize"),
        subnets=spec.texts("subnets"),
        zones=spec.texts("zones"),
        node=node,
    )
    return (group if name else None), flaws


def _top(node: Mapping, flaws: list[Flaw]) -> Fields:
    where = node.entries[0].key.span if node.entries else node.span
    kind = node.entry("kind")
    return Fields(node, "", kind.value.span if kind else where, flaws)


def _cloud(spec: Fields, version: str) -> str | None:
    """The cloud by its name in v1alpha2, whichever version says it."""
    if version != "v1alpha3":
        return spec.text("cloudProvider")
    provider = spec.below("cloudProvider").node
    names = tuple(provider.keys()) if provider is not None else ()
    cloud = names[0] if len(names) == 1 else None
    return "digitalocean" if cloud == "do" else cloud


def _etcd_cluster(node: Node, fields: Fields) -> EtcdCluster:
    return EtcdCluster(
        name=fields.text("name", required=True) or "",
        members=tuple(
            EtcdMember(
                name=member.text("name", required=True) or "",
                group=member.text("instanceGroup", required=True) or "",
                node=item,
            )
            for item, member in fields.each("etcdMembers")
        ),
        version=fields.text("version"),
        node=node,
    )


def _subnet(node: Node, fields: Fields) -> Subnet:
    return Subnet(
        name=fields.text("name", required=True) or "",
        zone=fields.text("zone"),
        cidr=fields.text("cidr"),
        type=fields.text("type"),
        node=node,
    )


def _role(spec: Fields, version: str, flaws: list[Flaw]) -> Role | None:
    """The role as kops reads it: to the letter, and ``Master`` only in v1alpha2.

    Source: kops pkg/apis/kops/v1alpha2/conversion.go.
    """
    text = spec.text("role", required=spec.node is not None)
    if not text:
        return None
    if text == "Master" and version == "v1alpha2":
        return Role.CONTROL_PLANE
    if text in _ROLES:
        return _ROLES[text]
    node = spec.raw("role")
    span = node.span if isinstance(node, Scalar) else spec.where
    meant = parse_role(text)
    hint = f"write {meant}" if meant else f"write one of {', '.join(_ROLES)}"
    message = f"spec.role {text} is not a role that kops knows"
    flaws.append(
        Flaw("unknown-role", message, ((span, "kops does not know this role"),), hint)
    )
    return None
