"""What etcd-manager and etcd of a cluster do, as far as specs and observations tell.

Which kops brought a cluster to where it is, is seldom written down. So each is what
every release does that may have, and unknown where they differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.clouds import leading_order
from kopslint.kops.etcd_manager import replaces_empty_disks
from kopslint.kops.etcd_releases import adds_beside_dead, forces_cleanly
from kopslint.kops.running_etcd import kubernetes_of, may_run
from kopslint.kops.versions import minor_of
from kopslint.model.etcd.state import Software

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.kops.spec import Manifest


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
    """The versions of etcd that may run where a spec is applied; empty if not known."""
    cluster = manifest.cluster
    etcd = cluster.etcd_cluster(etcd_cluster) if cluster is not None else None
    if cluster is None or etcd is None:
        return frozenset()
    kops = minor_of(kops_version)
    if kops is None and kubernetes_of(cluster) is None:
        return frozenset()
    found = may_run(etcd, cluster, None if kops is None else (kops,))
    return frozenset(".".join(map(str, each)) for each in found)


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
