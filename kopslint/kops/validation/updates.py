"""What kops refuses to make of a Cluster that it already has.

Removed etcd clusters and moved members stand in ``kopslint.kops.refusals``. Source:
kops pkg/apis/kops/validation/cluster.go, ValidateClusterUpdate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.validation.declared import Declared

_SOURCE = "cluster.go, validateEtcdClusterUpdate"


# The releases of kops that keep the members of an etcd cluster as they were made, and
# the kind of their volumes, which it has replaced in place since.
_FIXED_SINCE, _MEMBERS_UNTIL, _VOLUMES_UNTIL = 8, 18, 20
_VOLUME = ("volumeType", "volumeIops")


def member_updates(
    before: Declared, after: Declared, *, kops_is_known: bool
) -> Iterator[Rejection]:
    """What kops allows of members since 1.18, and of their volumes since 1.20.

    If nobody says which kops it is, one that fits the Kubernetes of the cluster
    refuses it, and a newer one, which may run the cluster as well, does not.
    """
    if after.kops < _FIXED_SINCE:
        return
    old = {before.text(f"{e}.name"): e for e in before.each("etcdClusters")}
    for path in after.each("etcdClusters"):
        previous = old.get(after.text(f"{path}.name"))
        if previous is None:
            continue
        sides = (before, previous), (after, path)
        were, are = (
            {spec.text(f"{m}.name"): m for m in spec.each(f"{etcd}.etcdMembers")}
            for spec, etcd in sides
        )
        found = list(_renamed(f"{path}.etcdMembers", set(were), set(are)))
        for name in were.keys() & are.keys():
            found += _volume(before, were[name], after, are[name])
        for place, problem, until in found:
            if after.since(until):
                continue
            refused = after.refuse(
                "update",
                place,
                f"cannot change before kops 1.{until}{problem}",
                _SOURCE,
                at="replace",
                hint=f"use kops 1.{until} or newer for this change",
            )
            yield refused._replace(outgrown=not kops_is_known)


_Change = tuple[str, str, int]
"""Where, what more there is to say, and the kops that allows it."""


def _renamed(place: str, were: set[str], are: set[str]) -> Iterator[_Change]:
    changed = [
        f"{how}: {', '.join(sorted(members))}"
        for how, members in (("added", are - were), ("removed", were - are))
        if members
    ]
    if changed:
        yield place, f" ({'; '.join(changed)})", _MEMBERS_UNTIL


def _volume(before: Declared, was: str, after: Declared, now: str) -> Iterator[_Change]:
    for field in _VOLUME:
        old, new = before.text(f"{was}.{field}"), after.text(f"{now}.{field}")
        if old != new:
            place = f"{now}.{field}" if new else now
            yield place, "" if new else f" ({field})", _VOLUMES_UNTIL


def etcd_updates(before: Declared, after: Declared) -> Iterator[Rejection]:
    """Images and versions of etcd clusters whose volumes exist."""
    if not after.since(37):
        return
    old = {before.text(f"{e}.name"): e for e in before.each("etcdClusters")}
    for path in after.each("etcdClusters"):
        previous = old.get(after.text(f"{path}.name"))
        if previous is None:
            continue
        image = after.text(f"{path}.image")
        if image != before.text(f"{previous}.image"):
            problem = "can be set only when the etcd cluster is created"
            yield after.refuse(
                "update", f"{path}.image", problem, _SOURCE, at="replace"
            )
        version = after.text(f"{path}.version")
        if image and version != before.text(f"{previous}.version"):
            problem = "cannot be changed while an image is set"
            yield after.refuse(
                "update", f"{path}.version", problem, _SOURCE, at="replace"
            )
