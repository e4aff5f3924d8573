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
