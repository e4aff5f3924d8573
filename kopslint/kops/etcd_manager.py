"""Whether a cluster has an etcd-manager, and what it can do, by the kops release.

Every kops release bundles one etcd-manager. Which kops runs is seldom written down;
a spec tells the oldest one that fits its Kubernetes. What etcd-manager does is not
known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.releases import NEWEST, release
from kopslint.kops.versions import minor_of
from kopslint.syntax.yaml import find, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import Cluster, EtcdCluster, Manifest

# Source: kops pkg/model/components/etcdmanager/model.go names v3.0.20260531 or later,
# which has replacement.go, from 1.35.2 and 1.36.0 on; no 1.34 does.
_NONE_REPLACES, _ALL_REPLACE = 34, 36
# Source: kops upup/pkg/fi/cloudup/apply_cluster.go, OldestSupportedKubernetesVersion
# of kops 1.35.
_OLDEST_KUBERNETES = 29
# The first kops whose etcd-manager has a date for its version.
_FIRST_KNOWN = 21

# Kubernetes from this minor on has etcd-manager unless the spec says Legacy, and kops
# runs it without one only below the second. Sources: kops docs/etcd3-migration.md, and
# pkg/apis/kops/validation/legacy.go of release 1.18.
_BY_DEFAULT, _ALWAYS = 12, 18


def is_managed(etcd: EtcdCluster) -> bool:
    """Whether etcd-manager may run an etcd cluster.

    With ``provider: Legacy`` protokube starts etcd with the members of the spec, and
    nobody adds a member to a cluster that runs, nor removes one.
    """
    return text_at(etcd.node, "provider") != "Legacy"


def is_old(etcd: EtcdCluster, cluster: Cluster | None) -> bool:
    """Whether an etcd cluster that names no provider may be without etcd-manager.

    Its Kubernetes is older than what has one by default; a kops that runs it may.
    """
    minor = _kubernetes_minor(cluster)
    unsaid = not text_at(etcd.node, "provider")
    return unsaid and minor is not None and minor < _BY_DEFAULT


def runs_without(cluster: Cluster | None) -> bool:
    """Whether some kops runs this Kubernetes without etcd-manager."""
    minor = _kubernetes_minor(cluster)
    return minor is None or minor < _ALWAYS


def _kubernetes_minor(cluster: Cluster | None) -> int | None:
    said = cluster.kubernetes_version if cluster is not None else None
    return minor_of(said)


def bundled(manifest: Manifest, kops_version: str | None = None) -> str | None:
    """The date of an etcd-manager that is at most as new as the one that kops brings.

    Releases of one minor differ, so it is that of the minor before. Without
    ``kops_version`` it is the oldest kops that takes this Kubernetes; None if that is
    not known.
    """
    kubernetes = manifest.cluster.kubernetes_version if manifest.cluster else None
    found = minor_of(kops_version or kubernetes)
    if found is None:
        return None
    minor = min(found - 1, NEWEST)
    version = release(minor).etcd_manager if minor >= _FIRST_KNOWN else ""
    return version.rpartition(".")[2] or None


def member_name(etcd_cluster: str, name: str) -> str:
    """What etcd calls a member that the spec calls ``name``.

    Not so in clouds where etcd calls it by its volume. Sources: kops
    pkg/model/components/etcdmanager/model.go, which calls the etcd clusters etcd,
    etcd-events and so on, and etcd-manager pkg/volumes/aws/volumes.go, which puts that
    and a hyphen before the member's name.
    """
    return f"etcd-{name}" if etcd_cluster == "main" else f"etcd-{etcd_cluster}-{name}"


def replaces_empty_disks(
    sides: Iterable[Manifest], etcd_cluster: str, kops_version: str | None = None
) -> bool | None:
    """Whether etcd-manager replaces a member that comes back with an empty disk.

    None if that cannot be known: ``kops_version`` is not given and a newer kops may
    run this Kubernetes, some releases of it do and others do not, the ``sides`` of a
    change differ, or the spec names an image of its own.
    """
    answers = {_replaces(side, etcd_cluster, kops_version) for side in sides}
    return answers.pop() if len(answers) == 1 else None


def _replaces(
    manifest: Manifest, etcd_cluster: str, kops_version: str | None
) -> bool | None:
    if any(
        etcd.name == etcd_cluster and _has_own_image(etcd)
        for etcd in manifest.etcd_clusters
    ):
        return None
    kubernetes = manifest.cluster.kubernetes_version if manifest.cluster else None
    minor = minor_of(kops_version or kubernetes)
    if minor is None:
        return None
    if minor >= _ALL_REPLACE:
        return True
    oldest = _NONE_REPLACES if kops_version else _OLDEST_KUBERNETES - 1
    return False if minor <= oldest else None


def _has_own_image(etcd: EtcdCluster) -> bool:
    return find(etcd.node, "manager", "image") is not None
