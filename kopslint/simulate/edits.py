"""What ``kops edit cluster --set`` writes, as far as a change goes by way of it.

A list may raise a version step by step, and each step is a change of its own. Only
versions between those of both sides are followed: any other field is taken to be what
the change under review says. How a step is judged is not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.objects import make_cluster
from kopslint.syntax.yaml_tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import Cluster
    from kopslint.simulate.plan import Plan
    from kopslint.syntax.script import Word
    from kopslint.syntax.yaml_tree import Node

_ETCD = "etcdClusters"
_SET = re.compile(
    r"(?:cluster\.)?spec\.(?:kubernetesVersion"
    rf"|{_ETCD}\[(?P<etcd>\*|\d+)\]\.version)=v?(?P<version>\d+\.\d+\.\d+)"
)


def on_the_way(cluster: Cluster, sets: Iterable[Word], plan: Plan) -> Cluster | None:
    """The Cluster that ``--set`` makes of ``cluster`` between before and after.

    The one of after, if these are its versions and others were before; None for
    whatever is no step from one to the other.
    """
    before, after = plan.before.cluster, plan.after.cluster
    if before is None or after is None or cluster.membership != after.membership:
        return None
    node: Node = cluster.node
    for word in sets:
        match = _SET.fullmatch(word.text or "")
        if match is None:
            return None
        version, which = match["version"], match["etcd"]
        value = Scalar(version, version, quoted=False, span=word.span)
        path = ("kubernetesVersion",) if which is None else (_ETCD, which, "version")
        node = _with(node, ("spec", *path), value)
    if not isinstance(node, Mapping):
        return None
    made, flaws = make_cluster(node, cluster.version)
    if made is None or flaws:
        return None
    ours, first, last = (_versions(each) for each in (made, before, after))
    if ours == last:
        return after if cluster is not before else None
    between = all(a <= b <= c for a, b, c in zip(first, ours, last, strict=False))
    return made if between and ours != first else None


def _with(node: Node, path: tuple[str, ...], value: Scalar) -> Node:
    """A copy of ``node`` with the value at a path that is there already."""
    if not path:
        return value
    if isinstance(node, Mapping):
        return node._replace(
            entries=tuple(
                entry._replace(value=_with(entry.value, path[1:], value))
                if entry.key.text == path[0]
                else entry
                for entry in node.entries
            )
        )
    if isinstance(node, Sequence):
        return node._replace(
            items=tuple(
                _with(item, path[1:], value) if path[0] in ("*", str(i)) else item
                for i, item in enumerate(node.items)
            )
        )
    return node


def _versions(cluster: Cluster) -> list[tuple[int, ...]]:
    """The versions that may be set, of Kubernetes and of each etcd, to compare."""
    every = (cluster.kubernetes_version, *(e.version for e in cluster.etcd_clusters))
    return [tuple(map(int, re.findall(r"\d+", version or ""))) for version in every]
