"""Where the way from before to after has to pass: specs that one edit cannot skip.

Members come first, at the releases of before; then one minor release of Kubernetes
or etcd after another. Sources: kops docs/operations/updates_and_upgrades.md (one
minor release at a time), docs/networking/cilium.md (the etcd cluster before cilium
uses it), etcd-manager pkg/controller/upgrade.go (one minor release in place).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.etcd_versions import runtime_change
from kopslint.checks.versions import Release, release
from kopslint.plan.specs import Versions
from kopslint.plan.units import turnover
from kopslint.records import Record
from kopslint.syntax.yaml_tree import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest

# The last patch releases that etcd-manager carries. Source: kops
# pkg/model/components/etcd.go and etcd-manager's list of bundled versions.
_ETCD_RELEASES = {"3.3": "3.3.17", "3.4": "3.4.13", "3.5": "3.5.21", "3.6": "3.6.6"}

_RECONCILES = Release(1, 31, 0)
"""From here on control plane and nodes are upgraded by ``kops reconcile``."""


class Waypoint(Record):
    """A spec to pass: the documents of after, held at some versions, and why.

    ``reconcile`` and ``force`` say how machines are replaced; ``retires`` that the
    groups of nodes that go are deleted here, since after has no subnet for them.
    """

    versions: Versions
    reason: str
    reconcile: bool = False
    force: bool = False
    retires: bool = False


def members_first(before: Manifest, after: Manifest) -> bool:
    """Whether members change together with something that takes its own step."""
    change = turnover(before, after)
    moves = bool(change.leaving or change.joining)
    return moves and (_versions_change(before, after) or _cilium_starts(before, after))


def waypoints(before: Manifest, after: Manifest) -> Iterator[Waypoint]:
    """The specs between before and after, members aside; after itself is not one."""
    old, new = _kubernetes(before), _kubernetes(after)
    start = before.cluster.kubernetes_version if before.cluster is not None else None
    etcd_old, etcd_new = _etcd(before), _etcd(after)
    held = etcd_old[1] if etcd_old and etcd_new and etcd_old != etcd_new else None
    if _cilium_starts(before, after):
        yield Waypoint(
            Versions(start, held, cilium_in_etcd=False),
            "an etcd cluster for cilium, which does not use it yet",
            force=True,
        )
    if old is not None and new is not None:
        for minor in range(old.minor + 1, new.minor):
            yield Waypoint(
                Versions(f"{new.major}.{minor}.0", held),
                f"Kubernetes {new.major}.{minor}, one minor release at a time; "
                "its last patch release is the best to take",
                reconcile=Release(new.major, minor, 0) >= _RECONCILES,
            )
    if etcd_old is not None and etcd_new is not None:
        for minor in range(etcd_old[0].minor + 1, etcd_new[0].minor):
            series = f"{etcd_new[0].major}.{minor}"
            yield Waypoint(
                Versions(None, _ETCD_RELEASES.get(series, f"{series}.0")),
                f"etcd {series}, one minor release at a time",
            )
    if _subnets_go_with_nodes(before, after):
        yield Waypoint(
            Versions(),
            "the subnets stay until the groups in them are deleted",
            retires=True,
        )


def retiring(before: Manifest, after: Manifest) -> tuple[InstanceGroup, ...]:
    """The groups of ``before`` without etcd that ``after`` no longer has."""
    return tuple(
        group
        for name, group in sorted(before.groups.items())
        if name not in after.groups and not group.is_control_plane
    )


def promoted(before: Manifest, after: Manifest) -> tuple[InstanceGroup, ...]:
    """The groups of ``before`` without etcd whose names control planes take over.

    In the cloud a group of another role is another group: kops pkg/model/names.go,
    ``AutoscalingGroupName``.
    """
    control_plane = {group.name for group in after.control_plane}
    return tuple(
        group
        for name, group in sorted(before.groups.items())
        if name in control_plane and not group.is_control_plane
    )


def _subnets_go_with_nodes(before: Manifest, after: Manifest) -> bool:
    kept = {s.name for s in after.cluster.subnets} if after.cluster else set()
    return any(
        name not in kept for group in retiring(before, after) for name in group.subnets
    )


def reconciles(before: Manifest, after: Manifest) -> bool:
    """Whether going to ``after`` changes a Kubernetes release that is reconciled."""
    old, new = _kubernetes(before), _kubernetes(after)
    return new is not None and old != new and new >= _RECONCILES


def restarts_etcd(before: Manifest, after: Manifest) -> bool:
    """Whether members of the old and of the new kind cannot form a quorum together.

    Source: kops docs/etcd3-migration.md, which replaces all of them at once.
    """
    if before.cluster is None or after.cluster is None:
        return False
    pair = before.cluster, after.cluster
    new = {etcd.name: etcd for etcd in after.etcd_clusters}
    return any(
        len(etcd.members) > 1
        and etcd.name in new
        and runtime_change(etcd, new[etcd.name], pair) is not None
        for etcd in before.etcd_clusters
    )


def backward(before: Manifest, after: Manifest) -> str | None:
    """Which release would have to go back, which no order of commands can do.

    Patch releases are free to: etcd-manager pkg/etcdversions/mappings.go compares
    minor releases alone.
    """
    old, new = _kubernetes(before), _kubernetes(after)
    if old is not None and new is not None and new[:2] < old[:2]:
        return f"Kubernetes does not go back from {old.series} to {new.series}"
    etcd_old, etcd_new = _etcd(before), _etcd(after)
    if etcd_old is None or etcd_new is None:
        return None
    if etcd_new[0].major != etcd_old[0].major or etcd_new[0][:2] < etcd_old[0][:2]:
        return (
            f"etcd does not go from {etcd_old[1]} to {etcd_new[1]} in place: "
            "etcd-manager stops every member and restores a backup"
        )
    return None


def needs_roll(before: Manifest, after: Manifest) -> bool:
    """Whether machines that stay get another configuration.

    A lower or higher member count alone changes none: their launch templates name
    etcd clusters and no members.
    """
    for name, group in after.groups.items():
        old = before.groups.get(name)
        if old is None or old.is_control_plane is not group.is_control_plane:
            # A group of another role is a new one.
            continue
        if old is not group and not _only_resized(old, group):
            return True
    if before.cluster is None or after.cluster is None:
        return False
    return _configuration(before.cluster) != _configuration(after.cluster)


def _only_resized(old: InstanceGroup, new: InstanceGroup) -> bool:
    def rest(group: InstanceGroup) -> object:
        document = group.node.plain
        spec = document.get("spec") if isinstance(document, dict) else None
        if isinstance(spec, dict):
            return {k: v for k, v in spec.items() if k not in ("minSize", "maxSize")}
        return document

    return rest(old) == rest(new)


def _configuration(cluster: Cluster) -> object:
    """What of a Cluster reaches machines: all but subnets and lists of members."""
    document = cluster.node.plain
    spec = document.get("spec") if isinstance(document, dict) else None
    if not isinstance(spec, dict):
        return document
    etcd_clusters = [
        {key: value for key, value in etcd.items() if key != "etcdMembers"}
        for etcd in _dicts(spec.get("etcdClusters"))
    ]
    networking = spec.get("networking")
    if isinstance(networking, dict):
        networking = {k: v for k, v in networking.items() if k != "subnets"}
    rest = {
        key: value
        for key, value in spec.items()
        if key not in ("subnets", "etcdClusters", "networking")
    }
    return rest, networking, etcd_clusters


def _dicts(value: object) -> list[dict[str, object]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _versions_change(before: Manifest, after: Manifest) -> bool:
    return _kubernetes(before) != _kubernetes(after) or _etcd(before) != _etcd(after)


def _kubernetes(manifest: Manifest) -> Release | None:
    cluster = manifest.cluster
    return release(cluster.kubernetes_version if cluster is not None else None)


def _etcd(manifest: Manifest) -> tuple[Release, str] | None:
    """The release of etcd, where the spec sets one."""
    for etcd in manifest.etcd_clusters:
        found = release(etcd.version)
        if found is not None and etcd.version is not None:
            return found, etcd.version
    return None


def _cilium_starts(before: Manifest, after: Manifest) -> bool:
    """Whether cilium gets an etcd cluster of its own and is to use it at once."""

    def managed(manifest: Manifest) -> bool:
        path = ("spec", "networking", "cilium", "etcdManaged")
        node = manifest.cluster.node if manifest.cluster is not None else None
        return text_at(node, *path) == "true"

    def has(manifest: Manifest) -> bool:
        return any(etcd.name == "cilium" for etcd in manifest.etcd_clusters)

    return has(after) and managed(after) and not has(before)
