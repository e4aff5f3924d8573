"""What is not known is never another value than before.

Where one side of a change leaves a value to be filled in, and the value of the other
side fits there, both are taken to be the same, and that is said.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.kops.decode import make_cluster, make_group
from kopslint.kops.placeholders import may_become, may_hold_placeholders
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence, text_at

if TYPE_CHECKING:
    from kopslint.kops.spec import Manifest
    from kopslint.syntax.yaml import Node
    from kopslint.text import Span


def taken_for_the_same(before: Manifest, after: Manifest) -> tuple[Manifest, Manifest]:
    """Both sides, what is left to be filled in on one with the value of the other."""
    sources = (*before.sources, *after.sources)
    if not any(map(may_hold_placeholders, sources)):
        return before, after
    after = _filled(after, before)
    return _filled(before, after), after


def _filled(manifest: Manifest, other: Manifest) -> Manifest:
    found: list[Span] = []
    cluster = manifest.cluster
    if cluster is not None and other.cluster is not None:
        node = _with_values(cluster.node, other.cluster.node, found)
        if node is not cluster.node and isinstance(node, YamlMapping):
            cluster = make_cluster(node, cluster.version)[0] or cluster
    groups = dict(manifest.groups)
    for name in groups.keys() & other.groups.keys():
        group = groups[name]
        node = _with_values(group.node, other.groups[name].node, found)
        if node is not group.node and isinstance(node, YamlMapping):
            groups[name] = make_group(node, group.version)[0] or group
    if not found:
        return manifest
    return manifest.replaced(
        cluster=cluster, groups=MappingProxyType(groups), filled=tuple(found)
    )


def _with_values(node: Node, other: Node, found: list[Span]) -> Node:
    """The node, placeholders in it replaced by what stands there in the other one."""
    if isinstance(node, Scalar):
        if (
            isinstance(other, Scalar)
            and node.text != other.text
            and may_become(node.text, other.text)
        ):
            found.append(node.span)
            return other._replace(span=node.span, anchor=node.anchor)
        return node
    if isinstance(node, YamlMapping) and isinstance(other, YamlMapping):
        theirs = {entry.key.text: entry.value for entry in other.entries}
        entries = tuple(
            entry._replace(value=_with_values(entry.value, theirs[name], found))
            if (name := entry.key.text) in theirs
            else entry
            for entry in node.entries
        )
        same = all(
            a.value is b.value for a, b in zip(entries, node.entries, strict=True)
        )
        return node if same else node._replace(entries=entries)
    if isinstance(node, YamlSequence) and isinstance(other, YamlSequence):
        items = tuple(
            item if match is None else _with_values(item, match, found)
            for item, match in zip(node.items, _matches(node, other), strict=True)
        )
        same = all(a is b for a, b in zip(items, node.items, strict=True))
        return node if same else node._replace(items=items)
    return node


def _matches(node: YamlSequence, other: YamlSequence) -> list[Node | None]:
    """The item of the other list for each: of the same name, or in the same place."""
    named = {name: item for item in other.items if (name := text_at(item, "name"))}
    if named:
        return [
            named.get(text_at(item, "name") or "") or _only(item, other, node)
            for item in node.items
        ]
    if len(node.items) == len(other.items):
        return [*other.items]
    return [None for _ in node.items]


def _only(item: Node, other: YamlSequence, node: YamlSequence) -> Node | None:
    """The item in the same place, if lists of one length differ in names to fill in."""
    if len(node.items) != len(other.items):
        return None
    match = other.items[node.items.index(item)]
    mine, theirs = text_at(item, "name") or "", text_at(match, "name") or ""
    return match if may_become(mine, theirs) or may_become(theirs, mine) else None
