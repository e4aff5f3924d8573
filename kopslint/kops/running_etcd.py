"""Which etcd really runs: by the release of kops, Kubernetes and the spec together.

A spec that names no version gets the one that its kops takes for its Kubernetes, and a
version that is named may be run as a later patch release. Sources: kops
pkg/model/components/etcd.go and pkg/model/components/etcdmanager/options.go.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from kopslint.kops.releases import NEWEST
from kopslint.kops.releases import release as release_of
from kopslint.kops.validation.identity import newest_for
from kopslint.kops.versions import Release, release

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import Cluster, EtcdCluster

REPAIRED = Release(3, 5, 26)
"""From here on etcd 3.5 puts right which members it has, when it starts."""


def kops_for(kubernetes: Release | None) -> range:
    """The releases of kops that update a Kubernetes, by their minors.

    The newest one where that is not known.
    """
    if kubernetes is None or kubernetes.major != 1:
        return range(NEWEST, NEWEST + 1)
    oldest = min(kubernetes.minor, NEWEST)
    return range(oldest, newest_for(oldest) + 1)


@cache
def runs(version: str | None, kubernetes: Release | None, kops: int) -> Release | None:
    """The etcd that kops 1.``kops`` runs for a ``version``, or where there is none.

    None if it takes none of this version, or if nothing decides.
    """
    brings = release_of(kops).etcd
    text = (version or "").removeprefix("v")
    if text:
        return release(brings.runs(text)) if text in brings.supported else None
    return release(brings.default_for(kubernetes.minor)) if kubernetes else None


def kubernetes_of(cluster: Cluster | None) -> Release | None:
    """The Kubernetes of a cluster, if the spec says it."""
    return release(cluster.kubernetes_version) if cluster is not None else None


def may_run(
    etcd: EtcdCluster, cluster: Cluster, kops: Iterable[int] | None = None
) -> tuple[Release, ...]:
    """Every etcd that may run, the oldest first: by each of these releases of kops."""
    return may_run_at(etcd.version, kubernetes_of(cluster), kops)


def may_run_at(
    version: str | None, kubernetes: Release | None, kops: Iterable[int] | None = None
) -> tuple[Release, ...]:
    """The same of a ``version`` and a Kubernetes that no spec need have together."""
    minors = kops_for(kubernetes) if kops is None else kops
    found = {runs(version, kubernetes, minor) for minor in minors}
    return tuple(sorted(each for each in found if each is not None))


def needs_repair(running: Release) -> bool:
    """Whether members that were removed may come back with etcd 3.6 from here.

    Source: https://etcd.io/blog/2025/zombie_members_upgrade/.
    """
    return running.series == REPAIRED.series and running < REPAIRED
