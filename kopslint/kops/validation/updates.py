"""What kops refuses to make of a Cluster that it already has.

Removed etcd clusters and moved members stand in ``kopslint.kops.refusals``. Source:
kops pkg/apis/kops/validation/cluster.go, ValidateClusterUpdate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Violation

_SOURCE = "cluster.go, validateEtcdClusterUpdate"


# The releases of kops that keep the members of an etcd cluster as they were made.
_FIXED_SINCE, _FIXED_UNTIL = 8, 18


def member_updates(
    before: Declared, after: Declared, *, kops_is_known: bool
) -> Iterator[Violation]:
    """Members that come or go, which kops has allowed since 1.18.

    If nobody says which kops it is, one that fits the Kubernetes of the cluster
    refuses it, and a newer one, which may run the cluster as well, does not.
    """
    if not _FIXED_SINCE <= after.kops < _FIXED_UNTIL:
        return
    old = {before.text(f"{e}.name"): e for e in before.each("etcdClusters")}
    for path in after.each("etcdClusters"):
        previous = old.get(after.text(f"{path}.name"))
        if previous is None:
            continue
        names = [
            {spec.text(f"{m}.name") for m in spec.each(f"{etcd}.etcdMembers")}
            for spec, etcd in ((before, previous), (after, path))
        ]
        changed = [
            f"{how}: {', '.join(sorted(members))}"
            for how, members in (
                ("added", names[1] - names[0]),
                ("removed", names[0] - names[1]),
            )
            if members
        ]
        if changed:
            problem = f"cannot change before kops 1.18 ({'; '.join(changed)})"
            refused = after.refuse(
                "update",
                f"{path}.etcdMembers",
                problem,
                _SOURCE,
                at="replace",
                hint="take kops 1.18 or newer for this change",
            )
            yield refused._replace(harmless=not kops_is_known)


def etcd_updates(before: Declared, after: Declared) -> Iterator[Violation]:
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
            problem = "cannot be changed where an image is set"
            yield after.refuse(
                "update", f"{path}.version", problem, _SOURCE, at="replace"
            )
