"""Which releases of kops run a step, and which etcd is passed on the way.

A release of kops takes the Kubernetes that it was made for and a few before it, and
brings its own list of etcd. So a long upgrade has no single kops that runs it, and a
spec that names no version of etcd changes it all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.releases import NEWEST
from kopslint.kops.releases import release as release_of
from kopslint.kops.running_etcd import (
    REPAIRED,
    kops_for,
    kubernetes_of,
    may_run,
    may_run_at,
    needs_repair,
    runs,
)
from kopslint.kops.validation import rejections
from kopslint.kops.versions import Release, release
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.spec import EtcdCluster, Manifest

Kops = tuple[int, ...]
"""Releases of kops, by their minors; none where that is not known."""

_REPAIRS = (
    "etcd {version}, which repairs the member list before 3.6: from 3.5.25 or older,"
    " members removed long ago would come back"
)
# Before it kops is not in the table, or nearly.
_OLDEST_KNOWN = 20


def kops_of(manifest: Manifest) -> Kops:
    """The releases of kops that take the versions of a spec."""
    found = kubernetes_of(manifest.cluster)
    if found is None or found.minor < _OLDEST_KNOWN:
        return ()
    return tuple(
        minor
        for minor in kops_for(found)
        if release_of(minor).oldest <= found.minor
        and all(runs(etcd.version, found, minor) for etcd in manifest.etcd_clusters)
    )


class Ends(Record):
    """Which releases of kops take the specs at both ends, versions aside."""

    before: Kops
    after: Kops


def ends(before: Manifest, after: Manifest) -> Ends:
    """The releases that take both specs, of those that are for their versions."""
    first, last = kops_of(before), kops_of(after)
    minors = range(
        min((*first, *last), default=0), max((*first, *last), default=-1) + 1
    )
    return Ends(_accepting(before, minors), _accepting(after, minors))


def _accepting(manifest: Manifest, minors: Iterable[int]) -> Kops:
    """The releases of kops that refuse no more of a spec than any other.

    What every one of them refuses, or what a newer Kubernetes alone is refused for, is
    not theirs to tell apart.
    """
    refused = {
        minor: {
            (v.kind, v.path)
            for v in rejections(manifest, kops_version=f"1.{minor}")
            if v.kind not in ("version", "feature-flag") and not v.harmless
        }
        for minor in minors
    }
    common = set.intersection(*refused.values()) if refused else set()
    return tuple(minor for minor, found in refused.items() if not found - common)


def kops_for_step(here: Manifest, there: Manifest, ends: Ends) -> Kops:
    """The releases of kops for the step from one spec to another.

    Empty where nothing about the step depends on it: no version changes, and the same
    releases take the specs at both ends.
    """
    changes = kops_of(here) != kops_of(there) or _versions(here) != _versions(there)
    if not changes and ends.before == ends.after:
        return ()
    found = kops_of(there)
    last = tuple(m for m in found if m in ends.after) or found
    both = tuple(m for m in last if m in ends.before) or last
    keeps = tuple(m for m in both if not _goes_back(here, there, m))
    return keeps or both


def _versions(manifest: Manifest) -> object:
    kubernetes = kubernetes_of(manifest.cluster)
    return kubernetes and kubernetes[:2], {
        e.name: e.version for e in manifest.etcd_clusters
    }


def _goes_back(here: Manifest, there: Manifest, kops: int) -> bool:
    """Whether this kops would run an older series of etcd than runs already."""
    kubernetes = kubernetes_of(there.cluster)
    return any(
        (then := runs(new.version, kubernetes, kops)) is not None
        and then[:2] < now[0][:2]
        for _, now, new in _pairs(here, there)
        if now
    )


def etcd_goes_back(before: Manifest, after: Manifest) -> tuple[str, str] | None:
    """From and to which etcd a change goes back, whichever kops runs it."""
    if after.cluster is None:
        return None
    for old, now, new in _pairs(before, after):
        then = may_run(new, after.cluster)
        if now and then and then[-1][:2] < now[0][:2]:
            return _text(now[0], old), _text(then[-1], new.version)
    return None


def _text(running: Release, named: str | None) -> str:
    return named or ".".join(map(str, running))


def _pairs(
    before: Manifest, after: Manifest
) -> Iterator[tuple[str | None, tuple[Release, ...], EtcdCluster]]:
    """Each etcd cluster that stays: the version named, what may run, and it after."""
    old = {etcd.name: etcd for etcd in before.etcd_clusters}
    for etcd in after.etcd_clusters:
        if etcd.name in old and before.cluster is not None:
            named = old[etcd.name].version
            yield named, may_run(old[etcd.name], before.cluster), etcd


def etcd_before(here: Manifest, there: Manifest, kops: Kops) -> dict[str, str]:
    """What every member of an etcd cluster has to run before a step, at the least.

    Only where the step brings a newer series. A member that is behind would make
    etcd-manager skip a series, which it does with all of them stopped; one older than
    the repair would bring removed members back. Source: etcd-manager
    pkg/controller/upgrade.go.
    """
    kubernetes = kubernetes_of(there.cluster)
    found = {}
    for _, now, new in _pairs(here, there):
        then = may_run_at(new.version, kubernetes, kops or None)
        if not now or not then or then[-1][:2] <= now[0][:2] or then[-1].major != 3:
            continue
        was = here.cluster.etcd_cluster(new.name) if here.cluster is not None else None
        alone = was is not None and len(was.members) < 2
        least = Release(3, then[-1].minor - 1, 0)
        if least.series == REPAIRED.series and not alone:
            least = REPAIRED
        found[new.name] = ".".join(map(str, least))
    return found


def etcd_between(
    now: tuple[Release, ...],
    then: tuple[Release, ...],
    kubernetes: Release | None,
    *,
    alone: bool,
) -> Iterator[tuple[str, str]]:
    """The versions of etcd to pass, each with its reason, before ``then`` is reached.

    ``kubernetes`` is the one that runs meanwhile; kops takes what its release brings.
    A member that was always ``alone`` has removed nobody who could come back.
    """
    if not now or not then or now[0].major != 3 or then[0].major != 3:
        return
    here, there = now[0], then[-1]
    for minor in range(here.minor, there.minor):
        series = f"3.{minor}"
        is_next = minor > here.minor
        repair = minor == REPAIRED.minor and (is_next or needs_repair(here))
        repair = repair and not alone
        if not is_next and not repair:
            continue
        version = _newest(series, kubernetes, at_least=REPAIRED if repair else None)
        if repair and there[:2] > REPAIRED[:2]:
            yield version, _REPAIRS.format(version=version)
        elif is_next:
            yield version, f"etcd {series}, one minor release at a time"


def _newest(
    series: str, kubernetes: Release | None, at_least: Release | None = None
) -> str:
    """A version of a series that kops takes with this Kubernetes.

    The oldest kops that brings one decides, so that later ones take it as well.
    """
    oldest = kubernetes.minor if kubernetes is not None else NEWEST
    for minor in range(max(oldest, _OLDEST_KNOWN), NEWEST + 1):
        fits = [
            found
            for text in release_of(minor).etcd.supported
            if (found := release(text)) is not None
            and found.series == series
            and (at_least is None or found >= at_least)
        ]
        if fits:
            return ".".join(map(str, max(fits)))
    return f"{series}.0"


def said(kops: Iterable[int]) -> str:
    """Releases of kops in words: ``kops 1.34``, or ``kops 1.34 to 1.36``."""
    minors = sorted(kops)
    first, last = minors[0], minors[-1]
    return f"kops 1.{first}" if first == last else f"kops 1.{first} to 1.{last}"
