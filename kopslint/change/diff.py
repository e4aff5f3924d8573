"""Everything that differs between two states of a cluster, for people to read.

Objects and list items are compared with those of the same name, wherever they are
written. This module is not for checks: the library that it uses is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.change.membership import Correspondence, correspondence
from kopslint.kops.spec import CLUSTER_LABEL
from kopslint.records import Record
from kopslint.syntax.yaml import (
    Scalar,
    YamlMapping,
    YamlSequence,
    find,
    span_of,
    text_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.syntax.yaml import Entry, Node
    from kopslint.text import Span


# ------------------------------------------------------------------------------------
# A cluster as plain data keyed by identity, and where each value is written
#
# Lists become mappings from what an item is called, so that the order in which people
# write groups, members or subnets makes no difference.

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
        if isinstance(node, YamlMapping):
            return self.of_entries(node.entries, path)
        return self.of_items(node.items, path)

    def of_items(self, items: Iterable[Node], path: Path) -> dict[str, Tree]:
        """The values of a list's items, by name, or else by everything they say."""
        tree: dict[str, Tree] = {}
        for item in items:
            name = text_at(item, "name")
            key = _free(name or _text(item), tree)
            if name and isinstance(item, YamlMapping):
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
    node: YamlMapping, path: Path, result: Plain, without: Iterable[str] = ()
) -> dict[str, Tree]:
    """The API version and the fields of the spec, with the labels beside them."""
    tree: dict[str, Tree] = {}
    version, spec = node.entry("apiVersion"), node.get("spec")
    if version is not None:
        tree.update(result.of_entries((version,), path))
    for part in ("labels", "annotations"):
        inner = find(node, "metadata", part)
        if isinstance(inner, YamlMapping):
            said = result.of_entries(inner.entries, (*path, part), (CLUSTER_LABEL,))
            if said:
                tree[part] = said
                result.spans[(*path, part)] = span_of(node, "metadata", part)
    if isinstance(spec, YamlMapping):
        tree.update(result.of_entries(spec.entries, path, without))
    return tree


def _subnets(cluster: Cluster | None) -> Path:
    if cluster is not None and cluster.version == "v1alpha3":
        return ("spec", "networking", "subnets")
    return ("spec", "subnets")


def _list(cluster: Cluster | None, place: Path, path: Path, result: Plain) -> Tree:
    node = cluster.get(*place) if cluster is not None else None
    if not isinstance(node, YamlSequence):
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
    if isinstance(node, YamlSequence):
        return f"[{', '.join(map(_text, node.items))}]"
    entries = sorted((e.key.text, _text(e.value)) for e in node.entries)
    return f"{{{', '.join(f'{key}: {value}' for key, value in entries)}}}"


Kind = Literal["added", "removed", "changed"]

SECTIONS = ("cluster", "subnet", "etcd", "group")

_KINDS: dict[str, Kind] = {
    "dictionary_item_added": "added",
    "dictionary_item_removed": "removed",
    "values_changed": "changed",
    "type_changes": "changed",
}


class Difference(Record):
    """One value, object or list item that is not the same on both sides.

    ``path`` begins with the section (``cluster``, ``subnet``, ``etcd`` or ``group``)
    and the object's name, but for the Cluster, which is the only one. ``old`` and
    ``span_before`` are None for what was added, ``new`` and ``span_after`` for what
    was removed. An object that is added or removed as a whole is one difference.
    """

    kind: Kind
    path: Path
    old: Tree
    new: Tree
    span_before: Span | None
    span_after: Span | None


class Comparison(Record):
    """Two states of one cluster side by side.

    ``only_before`` and ``only_after`` name the sections that one side says nothing
    about, a file with the Cluster alone for example; they are not compared.
    """

    cluster: str
    differences: tuple[Difference, ...]
    members: dict[str, tuple[int, int]]
    before: Correspondence
    after: Correspondence
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()


def compare(before: Manifest, after: Manifest) -> Comparison:
    """What differs between two states of one cluster, in a stable order.

    ``members`` holds how many members each etcd cluster has before and after, where
    that is not the same.
    """
    old, new = plain(before), plain(after)
    only_before = tuple(s for s in SECTIONS if old.tree[s] and not new.tree[s])
    only_after = tuple(s for s in SECTIONS if new.tree[s] and not old.tree[s])
    for section in (*only_before, *only_after):
        old.tree[section] = new.tree[section] = {}
    counts = {
        etcd.name: (_members(before, etcd.name), _members(after, etcd.name))
        for etcd in (*before.etcd_clusters, *after.etcd_clusters)
    }
    return Comparison(
        cluster=before.name,
        differences=tuple(sorted(_differences(old, new), key=_order)),
        members={n: (a, b) for n, (a, b) in counts.items() if a != b},
        before=correspondence(before),
        after=correspondence(after),
        only_before=only_before,
        only_after=only_after,
    )


def _differences(old: Plain, new: Plain) -> Iterator[Difference]:
    from deepdiff import DeepDiff

    found = DeepDiff(
        old.tree,
        new.tree,
        view="tree",
        # Without this, two objects with little in common would be one difference.
        threshold_to_diff_deeper=0,
        # Keys are whatever people write, and none of them is private.
        ignore_private_variables=False,
    )
    for category, differences in found.items():
        kind = _KINDS[category]
        for difference in differences:
            path = tuple(map(str, difference.path(output_format="list")))
            yield Difference(
                kind=kind,
                path=path,
                old=None if kind == "added" else difference.t1,
                new=None if kind == "removed" else difference.t2,
                span_before=old.spans.get(path) if kind != "added" else None,
                span_after=new.spans.get(path) if kind != "removed" else None,
            )


def _order(difference: Difference) -> tuple[int, bool, Path]:
    """Sections in their order, the main etcd cluster before the others."""
    section, name = difference.path[:2]
    return SECTIONS.index(section), name != "main", difference.path


def _members(manifest: Manifest, etcd_cluster: str) -> int:
    cluster = manifest.cluster
    etcd = cluster.etcd_cluster(etcd_cluster) if cluster is not None else None
    return len(etcd.members) if etcd is not None else 0
