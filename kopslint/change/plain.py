"""A cluster as plain data keyed by identity, and where each value is written.

Lists become mappings from what an item is called, so that the order in which
people write groups, members or subnets makes no difference. This module must not
know what is compared with what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.spec import CLUSTER_LABEL
from kopslint.syntax.yaml_tree import Mapping, Scalar, Sequence, find, span_of, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.source.text import Span
    from kopslint.syntax.yaml_tree import Entry, Node

Tree = None | bool | int | float | str | dict[str, "Tree"]
Path = tuple[str, ...]


class Plain:
    """``tree`` has the values; ``spans`` the place of each, by its path in the tree.

    The top level of the tree is always ``cluster``, ``subnet``, ``etcd`` and
    ``group``; below the last three are the objects by name.
    """

    def __init__(self) -> None:
        self.tree: dict[str, Tree] = {}
        self.spans: dict[Path, Span] = {}

    def of(self, node: Node, path: Path, span: Span) -> Tree:
        """The values of a node; null is as good as absent, as it is for kops."""
        self.spans[path] = span
        if isinstance(node, Scalar):
            return node.value
        if isinstance(node, Mapping):
            return self.of_entries(node.entries, path)
        return self.of_items(node.items, path)

    def of_items(self, items: Iterable[Node], path: Path) -> dict[str, Tree]:
        """The values of a list's items, by name, or else by everything they say."""
        tree: dict[str, Tree] = {}
        for item in items:
            name = text_at(item, "name")
            key = _free(name or _text(item), tree)
            if name and isinstance(item, Mapping):
                self.spans[(*path, key)] = span_of(item, "name")
                tree[key] = self.of_entries(item.entries, (*path, key), ("name",))
            else:
                tree[key] = self.of(item, (*path, key), item.span)
        return tree

    def of_entries(
        self,
        entries: Iterable[Entry],
        path: Path,
        without: Iterable[str] = (),
    ) -> dict[str, Tree]:
        """The values of a mapping's entries, by key."""
        return {
            entry.key.text: self.of(
                entry.value,
                (*path, entry.key.text),
                entry.value.span if isinstance(entry.value, Scalar) else entry.key.span,
            )
            for entry in entries
            if entry.key.text not in without
            and not (isinstance(entry.value, Scalar) and entry.value.value is None)
        }


def plain(manifest: Manifest) -> Plain:
    """The objects of a manifest as plain data.

    Roles are as kopslint reads them, since v1alpha2 has two words for one role.
    """
    result = Plain()
    cluster = manifest.cluster
    result.tree = {
        "cluster": _cluster(cluster, result) if cluster is not None else {},
        "subnet": _list(cluster, _subnets(cluster), ("subnet",), result),
        "etcd": _list(cluster, ("spec", "etcdClusters"), ("etcd",), result),
        "group": {
            name: _group(group, result)
            for name, group in sorted(manifest.groups.items())
        },
    }
    return result


def _cluster(cluster: Cluster, result: Plain) -> Tree:
    elsewhere = ("etcdClusters", "subnets")
    tree = _fields(cluster.node, ("cluster",), result, elsewhere)
    networking = tree.get("networking")
    if cluster.version == "v1alpha3" and isinstance(networking, dict):
        networking.pop("subnets", None)
    return tree


def _group(group: InstanceGroup, result: Plain) -> Tree:
    path = ("group", group.name)
    tree = _fields(group.node, path, result)
    result.spans[path] = group.at("metadata", "name")
    if group.role is not None:
        tree["role"] = group.role.value
    return tree


def _fields(
    node: Mapping, path: Path, result: Plain, without: Iterable[str] = ()
) -> dict[str, Tree]:
    """The API version and the fields of the spec, with the labels beside them."""
    tree: dict[str, Tree] = {}
    version, spec = node.entry("apiVersion"), node.get("spec")
    if version is not None:
        tree.update(result.of_entries((version,), path))
    for part in ("labels", "annotations"):
        inner = find(node, "metadata", part)
        if isinstance(inner, Mapping):
            said = result.of_entries(inner.entries, (*path, part), (CLUSTER_LABEL,))
            if said:
                tree[part] = said
                result.spans[(*path, part)] = span_of(node, "metadata", part)
    if isinstance(spec, Mapping):
        tree.update(result.of_entries(spec.entries, path, without))
    return tree


def _subnets(cluster: Cluster | None) -> Path:
    if cluster is not None and cluster.version == "v1alpha3":
        return ("spec", "networking", "subnets")
    return ("spec", "subnets")


def _list(cluster: Cluster | None, place: Path, path: Path, result: Plain) -> Tree:
    node = cluster.get(*place) if cluster is not None else None
    if not isinstance(node, Sequence):
        return {}
    return result.of(node, path, node.span)


def _free(name: str, taken: dict[str, Tree]) -> str:
    """The name, numbered if it is taken."""
    number = 1
    key = name
    while key in taken:
        number += 1
        key = f"{name} ({number})"
    return key


def _text(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return f"[{', '.join(map(_text, node.items))}]"
    entries = sorted((e.key.text, _text(e.value)) for e in node.entries)
    return f"{{{', '.join(f'{key}: {value}' for key, value in entries)}}}"
