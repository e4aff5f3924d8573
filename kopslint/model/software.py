"""What etcd-manager and etcd of a cluster do, as far as specs and observations tell.

Which kops brought a cluster to where it is, is seldom written down. So each is what
every release does that may have, and unknown where they differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.clouds import leading_order
from kopslint.kops.etcd_manager import replaces_empty_disks
from kopslint.kops.etcd_releases import adds_beside_dead, forces_cleanly
from kopslint.kops.versions import minor_of
from kopslint.model.etcd.state import Software

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.kops.spec import EtcdCluster, Manifest

# Source: kops docs/welcome/releases.md: a kops takes Kubernetes back to six minors.
_TAKES_BACK_TO = 6


def software_of(
    sides: tuple[Manifest, ...],
    etcd_cluster: str,
    names: Sequence[str],
    kops_version: str | None,
    seen: Iterable[str | None] = (),
) -> Software:
    """What runs an etcd cluster with these member names.

    ``seen`` are versions of etcd that were seen to run: they are believed. ``sides``
    are the specs of the change, the one that runs first.
    """
    before = sides[0]
    observed = {version for version in seen if version is not None}
    versions = observed or running_versions(before, etcd_cluster, kops_version)
    return Software(
        replaces=replaces_empty_disks(sides, etcd_cluster, kops_version),
        adds_beside_dead=_agreed(adds_beside_dead(one) for one in versions),
        forces_cleanly=_agreed(forces_cleanly(one) for one in versions),
        ranks=leading_order(before.cloud, before.name, etcd_cluster, names),
    )


def _agreed(answers: Iterable[bool | None]) -> bool | None:
    told = {*answers}
    return told.pop() if len(told) == 1 else None


def running_versions(
    manifest: Manifest, etcd_cluster: str, kops_version: str | None
) -> frozenset[str]:
    """The versions of etcd that may run where a spec is applied; empty if not known.

    A kops may run another patch release than the spec names.
    """
    from kopslint.kops.releases import NEWEST, release

    cluster = manifest.cluster
    etcd = cluster.etcd_cluster(etcd_cluster) if cluster is not None else None
    if cluster is None or etcd is None:
        return frozenset()
    kubernetes = minor_of(cluster.kubernetes_version)
    kops = minor_of(kops_version)
    if kops is None and kubernetes is None:
        return frozenset()
    oldest = kops if kops is not None else kubernetes or 0
    newest = oldest if kops is not None else min(oldest + _TAKES_BACK_TO, NEWEST)
    if newest < oldest:
        newest = oldest
    found = set()
    for minor in range(oldest, newest + 1):
        brings = release(minor).etcd
        named = _named(etcd)
        if named:
            found.add(brings.runs(named))
        elif kubernetes is not None:
            found.add(brings.default_for(kubernetes))
    return frozenset(found)


def changed_versions(applied: Manifest, manifest: Manifest) -> tuple[str, ...]:
    """The etcd clusters for which ``manifest`` certainly publishes another version."""
    names = [etcd.name for etcd in manifest.etcd_clusters]
    if applied.cluster is manifest.cluster:
        return ()
    versions = {
        name: [running_versions(side, name, None) for side in (applied, manifest)]
        for name in names
    }
    return tuple(
        name
        for name, (old, new) in versions.items()
        if old and new and old.isdisjoint(new)
    )


def _named(etcd: EtcdCluster) -> str:
    return (etcd.version or "").removeprefix("v")
