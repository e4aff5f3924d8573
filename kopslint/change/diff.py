"""Everything that differs between two states of a cluster, for people to read.

Objects and list items are compared with those of the same name, wherever they are
written. This module is not for checks: the library that it uses is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.change.correspondence import Correspondence, correspondence
from kopslint.change.plain import plain
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.change.plain import Path, Plain, Tree
    from kopslint.kops.spec import Manifest
    from kopslint.source.text import Span

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
