"""A YAML (or JSON) document as a tree in which every key and value has a place.

The tree keeps what a loader throws away and a linter needs: the span of every
key, duplicate keys, where an alias stands beside what it stands for, and the
text of a scalar beside its value. How the tree is made is the reader's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.source.text import Span

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
Step = str | int


class Scalar(Record):
    """A single value.

    ``value`` is resolved as kops's own YAML library resolves it; ``text`` is what
    was written; ``quoted`` tells ``"1.30"`` from ``1.30``. ``anchor`` is the span
    of the anchored original if this occurrence is an alias.
    """

    value: bool | int | float | str | None
    text: str
    quoted: bool
    span: Span
    anchor: Span | None = None

    @property
    def plain(self) -> Plain:
        """The value."""
        return self.value


class Sequence(Record):
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span
    anchor: Span | None = None

    @property
    def plain(self) -> Plain:
        """The values as a list."""
        return [item.plain for item in self.items]


class Entry(Record):
    """One ``key: value`` of a mapping.

    ``merged`` is the span of the ``<<`` value if the entry came in by a merge.
    """

    key: Scalar
    value: Node
    merged: Span | None = None


class Mapping(Record):
    """Keys and values in the order written.

    ``entries`` holds each key once, with the value that wins (the last one, as in
    kops); ``duplicates`` holds the entries that lost, each with the winner.
    """

    entries: tuple[Entry, ...]
    span: Span
    duplicates: tuple[tuple[Entry, Entry], ...] = ()
    anchor: Span | None = None

    @property
    def plain(self) -> Plain:
        """The values as a dict; keys become text."""
        return {entry.key.text: entry.value.plain for entry in self.entries}

    def entry(self, key: str) -> Entry | None:
        """The entry of ``key``, if there is one."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry
        return None

    def get(self, key: str) -> Node | None:
        """The value of ``key``, if there is one."""
        entry = self.entry(key)
        return entry.value if entry is not None else None

    def keys(self) -> Iterator[str]:
        """The keys as text, in the order written."""
        return (entry.key.text for entry in self.entries)


Node = Scalar | Sequence | Mapping


def find(node: Node | None, *path: Step) -> Node | None:
    """The node at ``path`` (keys and 0-based indexes), or None."""
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int):
            node = node.items[step] if step < len(node.items) else None
        else:
            return None
    return node


def span_of(node: Node, *path: Step) -> Span:
    """The span of the value at ``path``, or of the nearest thing that exists.

    A key without a value, or a path that leads nowhere, gives the span of the
    last key that was found, so that a missing field is shown where it belongs.
    """
    span = node.span
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str):
            entry = node.entry(step)
            if entry is None:
                return span
            span, node = entry.key.span, entry.value
        elif isinstance(node, Sequence) and isinstance(step, int):
            if step >= len(node.items):
                return span
            node = node.items[step]
            span = node.span
        else:
            return span
    return node.span if isinstance(node, Scalar) and node.text else span


def text_at(node: Node | None, *path: Step) -> str | None:
    """The text of the scalar at ``path``, or None if there is no scalar there."""
    found = find(node, *path)
    if isinstance(found, Scalar) and found.value is not None:
        return found.text
    return None


class Document(Record):
    """One document of a file, counted from 0; ``root`` is None if it is empty."""

    root: Node | None
    span: Span
    number: int
