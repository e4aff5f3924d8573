"""Everything that kops would refuse about a cluster, found before kops sees it.

Rules about one field are rows (``cluster_rows``, ``group_rows``); rules about several
are functions, one module per subject; fields and types are one walk beside the table of
the API (``fields``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.decode import KopsObject, kops_objects
from kopslint.kops.placeholders import holds_placeholder
from kopslint.kops.refusals import of_cluster, of_cluster_change, of_group, of_update
from kopslint.kops.rejection import FIELD_KINDS
from kopslint.kops.releases import NEWEST, OLDEST
from kopslint.kops.spec import CLUSTER_LABEL, Cluster, InstanceGroup
from kopslint.kops.validation import (
    clouds,
    completed,
    components,
    ended,
    endpoints,
    etcd,
    groups,
    identity,
    networking,
    updates,
)
from kopslint.kops.validation import (
    components as addons,
)
from kopslint.kops.validation import (
    groups as machines,
)
from kopslint.kops.validation.cluster_rows import CLUSTER_ROWS
from kopslint.kops.validation.declared import Declared
from kopslint.kops.validation.fields import FieldWalk
from kopslint.kops.validation.rows import check_rows
from kopslint.kops.validation.values import kubernetes_version
from kopslint.syntax.yaml import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import Manifest

_VERSION = r"v?1\.(\d+)(\..*)?"

_OF_CLUSTER: tuple[Callable[[Declared], Iterator[Rejection]], ...] = (
    identity.api_version,
    identity.cluster_name,
    identity.metadata,
    identity.required,
    identity.versions,
    identity.labels,
    clouds.cloud,
    clouds.iam,
    networking.networks,
    networking.subnets,
    endpoints.dns,
    endpoints.load_balancer,
    endpoints.issuer_discovery,
    networking.networking,
    components.api_server,
    components.cloud_flags,
    components.kubelets,
    components.kube_dns,
    machines.hooks,
    machines.containerd,
    machines.assets,
    addons.addons,
    etcd.etcd_clusters,
    completed.completed,
    ended.ended,
)


def kops_minor(kops_version: str | None, manifest: Manifest) -> int:
    """The minor of the kops version that validates ``manifest``.

    None stands for the oldest kops that can run the cluster, which is of the minor of
    its Kubernetes, or for the newest release if that is not known.
    """
    if kops_version is not None:
        match = re.fullmatch(_VERSION, kops_version)
        return int(match[1]) if match else NEWEST
    text = manifest.cluster.kubernetes_version if manifest.cluster else None
    version = kubernetes_version(text) if text else None
    if _is_open(manifest):
        return OLDEST
    if version is None or version[0] != 1:
        return NEWEST
    return min(version[1], NEWEST)


def _is_open(manifest: Manifest) -> bool:
    """Whether any version may come to stand there, and with it any kops."""
    text = manifest.cluster.kubernetes_version if manifest.cluster else None
    return (
        bool(text)
        and kubernetes_version(text or "") is None
        and holds_placeholder(text or "")
    )


def rejections(
    manifest: Manifest,
    *,
    kops_version: str | None = None,
    asked: bool = False,
    types: bool = True,
) -> tuple[Rejection, ...]:
    """Every reason why kops refuses the objects of ``manifest``, once, by place.

    ``kops_version`` is like ``1.37``; by default the minor of the cluster's Kubernetes
    is taken, so that rules which came later keep silent, and versions that a later kops
    accepts, which may be in use, are ``outgrown``. An excerpt of a spec is one no more
    where somebody ``asked`` what this kops does with the file. Without ``types``
    fields that are unknown or of a wrong type are left out. What is no mistake of a
    field alone has a kind that is none of ``FIELD_KINDS``. Rules that need the cloud
    itself are not here.

    Source: kops pkg/apis/kops/validation (ValidateCluster, ValidateInstanceGroup,
    CrossValidateInstanceGroup, DeepValidate).
    """
    kops = kops_minor(kops_version, manifest)
    newest = kops if kops_version is not None else identity.newest_for(kops)
    if kops_version is None and _is_open(manifest):
        newest = NEWEST
    found = tuple(_rejections(manifest, kops, newest, asked=asked, types=types))
    doubtful = {v.span for v in found if v.kind == "version"}
    if not doubtful or newest == kops:
        return found
    always = set(doubtful)
    for later in range(kops + 1, newest + 1):
        refused = _rejections(manifest, later, newest)
        always &= {v.span for v in refused if v.kind == "version"}
    outgrown = doubtful - always
    return tuple(v._replace(outgrown=v.span in outgrown) for v in found)


def _rejections(
    manifest: Manifest,
    kops: int,
    newest: int,
    *,
    asked: bool = False,
    types: bool = True,
) -> Iterator[Rejection]:
    found = list(manifest.flaws)
    cluster = None
    if manifest.cluster is not None:
        node, version = manifest.cluster.node, manifest.cluster.version
        cluster = Declared(
            node, version, kops, is_cluster=True, newest=newest, asked=asked
        )
        found.extend(_of_cluster(cluster, types=types))
    declared_groups = []
    for group in manifest.groups.values():
        declared = Declared(group.node, group.version, kops, cluster, newest=newest)
        declared_groups.append(declared)
        found.extend(identity.api_version(declared))
        if types:
            found.extend(FieldWalk(declared, "InstanceGroup").rejections())
        members = (etcd_.member_of(group.name) for etcd_ in manifest.etcd_clusters)
        found.extend(groups.group(declared, has_member=any(members)))
    if cluster is None:
        found.extend(_of_strangers(manifest, kops))
    elif identity.is_complete(cluster):
        found.extend(groups.together(manifest, cluster))
        found.extend(groups.instance_profiles(declared_groups, cluster))
        found.extend(groups.bastions(manifest, cluster))
        found.extend(groups.filled_in_load_balancer(manifest, cluster))
    found.extend(_of_control_plane(manifest, kops))
    yield from _once(found)


def update_rejections(
    before: Manifest,
    after: Manifest,
    *,
    kops_version: str | None = None,
    etcd_volumes_exist: bool = True,
) -> Iterator[Rejection]:
    """Every reason why kops does not put ``after`` in the place of ``before``.

    Only what the change itself is refused for; ``rejections`` of ``after`` are asked
    beside it. Without existing etcd volumes kops asks less, as on clouds where it
    cannot find them. Source: cluster.go, ValidateClusterUpdate.
    """
    if before.cluster is None or after.cluster is None:
        return
    kops = kops_minor(kops_version, after)
    old, new = (
        Declared(c.node, c.version, kops, is_cluster=True)
        for c in (before.cluster, after.cluster)
    )
    if before.name != after.name:
        problem = f"is {after.name}, and kops has no such cluster to replace"
        source = "cmd/kops/replace.go"
        yield new.refuse("update", "metadata.name", problem, source, at="replace")
        return
    refused = [
        refusal
        for refusal in of_cluster_change(before.cluster, after.cluster)
        if etcd_volumes_exist or refusal.kind == "etcd-cluster-removed"
    ]
    found = list(refused)
    if etcd_volumes_exist:
        found.extend(updates.etcd_updates(old, new))
        known = kops_version is not None
        found.extend(updates.member_updates(old, new, kops_is_known=known))
    yield from _once(found)


def is_of_field(rejection: Rejection) -> bool:
    """Whether kops refuses one field, or a few of one object, for what it holds.

    Rules about etcd, its groups and how objects are written report the others.
    """
    return rejection.by == "validation" and rejection.kind in FIELD_KINDS


def _of_control_plane(manifest: Manifest, kops: int) -> Iterator[Rejection]:
    """What kops refuses of etcd and its groups, of as much as is declared."""
    if manifest.cluster is None:
        for group in manifest.groups.values():
            yield from of_group(group)
    elif not manifest.control_plane:
        yield from of_cluster(manifest.cluster)
    else:
        yield from (
            each
            for each in of_update(manifest)
            if each.kind != "control-plane-size" or kops >= 26
        )


def _of_cluster(cluster: Declared, *, types: bool) -> Iterator[Rejection]:
    if types:
        yield from FieldWalk(cluster, "Cluster").rejections()
    yield from check_rows(CLUSTER_ROWS, cluster)
    for function in _OF_CLUSTER:
        yield from function(cluster)
    yield from machines.rolling_update(cluster, control_plane=False)


def _of_strangers(manifest: Manifest, kops: int) -> Iterator[Rejection]:
    """Groups of a cluster that is not here, in a file that has another Cluster.

    Source: cmd/kops/create.go and replace.go, which look the cluster up by the label.
    """
    for source in manifest.sources:
        if "kind: Cluster" not in source.text:
            continue
        objects = kops_objects(source, read_yaml(source))
        for group in manifest.groups.values():
            if group.cluster is not None and _is_beside_cluster(group, objects):
                declared = Declared(group.node, group.version, kops)
                problem = (
                    f"names {group.cluster}, but the Cluster in this file has another"
                    " name"
                )
                place = f"metadata.labels.{{{CLUSTER_LABEL}}}"
                yield declared.refuse("group", place, problem, "cmd/kops/create.go")


def _is_beside_cluster(group: InstanceGroup, objects: list[KopsObject]) -> bool:
    """Whether the objects hold this group and a Cluster."""
    values = [each.value for each in objects]
    places = {v.node.span for v in values if isinstance(v, InstanceGroup)}
    return group.node.span in places and any(isinstance(v, Cluster) for v in values)


def _once(found: list[Rejection]) -> Iterator[Rejection]:
    """By place; of what is said at one place about one field, the covered one first.

    kops asks no more about a value of a type that it cannot read.
    """
    taken: set[object] = set()
    unread = [rejection for rejection in found if rejection.kind == "wrong-type"]
    mistyped = {rejection.span for rejection in unread}
    covered = {rejection.span for rejection in unread if rejection.by == "decoder"}
    for rejection in sorted(found, key=lambda v: v.order):
        told = covered if rejection.kind == "wrong-type" else mistyped
        if is_of_field(rejection) and rejection.span in told:
            continue
        key = (rejection.span, rejection.message)
        if key not in taken:
            taken.add(key)
            yield rejection


__all__ = ["NEWEST", "is_of_field", "kops_minor", "rejections", "update_rejections"]
