"""YAML text to a tree with places, in one pass over the parser's events.

A loader forgets places and duplicate keys, and walking its nodes a second time
would double the cost of every run, so the tree is made straight from libyaml's
events. JSON is read as the YAML that it is. This module must not know what any
key means.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import yaml

from kopslint.errors import InputError
from kopslint.records import Record
from kopslint.source.text import Span
from kopslint.syntax.yaml_mapping import make_mapping
from kopslint.syntax.yaml_scalars import resolve
from kopslint.syntax.yaml_tree import Document, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.source.text import Source
    from kopslint.syntax.yaml_tree import Node

# PyYAML describes its events too loosely to be checked: here the typed part begins.
_Event: TypeAlias = Any

MAX_DEPTH = 200
MAX_NODES = 1_000_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# libyaml ends a line at these three and editors do not. The parser is shown
# stand-ins, so that lines are counted as people count them.
_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")
_HIDE = str.maketrans("\x85\u2028\u2029", "\uf8fd\uf8fe\uf8ff")
_SHOW = {stand_in: odd for odd, stand_in in _HIDE.items()}
# Compiled at its first use, and kept by ``re``: most runs meet none.
_ANCHOR_AND_TAG = r"(?x)(?: (?: &[\w-]+ | !<[^>]*> | !\S* ) (?: \s | \#[^\r\n]* )*+ )++"
_RESOLVED_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")
)


def read_yaml(source: Source) -> tuple[Document, ...]:
    """The documents of ``source``, every key and value with its exact place.

    Scalars, duplicate keys and ``<<`` mean what they mean to kops. An alias shares
    the nodes below its original and has a span of its own. A span covers the value
    alone: no anchor, no tag, no line ends behind it.

    Raises InputError, with the place, for text that is not YAML, for a template
    that was not rendered, for nesting deeper than ``MAX_DEPTH``, and for aliases
    that expand to more than ``MAX_NODES`` nodes.
    """
    hidden_breaks = _ODD_BREAKS.search(source.text) is not None
    text = source.text.translate(_HIDE) if hidden_breaks else source.text
    composer = _Composer(source, hidden_breaks)
    try:
        # yaml.parse asks twice for every event: whether there is one, and for it.
        return tuple(composer.documents(iter(_LOADER(text).get_event, None)))
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        from kopslint.syntax.yaml_problems import bad_yaml

        raise bad_yaml(source, error) from None


class _Open:
    """A document, list or mapping that has not ended yet.

    ``items`` holds what was read of it; in a mapping keys and values alternate.
    ``height`` counts the levels of collections below it, and ``nodes_before`` the
    nodes read before it began.
    """

    __slots__ = ("event", "height", "items", "nodes_before")

    def __init__(self, event: _Event, nodes_before: int) -> None:
        self.event = event
        self.items: list[Node] = []
        self.height = 0
        self.nodes_before = nodes_before


class _Anchored(Record):
    """What an alias may stand for, and what it costs to expand it."""

    node: Node
    nodes: int
    height: int


class _Composer:
    """Makes the documents of one source from its events."""

    def __init__(self, source: Source, hidden_breaks: bool) -> None:
        self._source = source
        self._hidden_breaks = hidden_breaks
        self._nodes = 0
        # None stands for a node that has not ended: an alias cannot mean it yet.
        self._anchors: dict[str, _Anchored | None] = {}

    def documents(self, events: Iterable[_Event]) -> Iterator[Document]:
        """The documents that ``events`` describe, in order."""
        source = self._source
        stack: list[_Open] = []
        items: list[Node] = []
        index = 0
        # What a record's constructor comes to, in half of the time.
        made = tuple.__new__
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._nodes += 1
                # Nearly everything in a file comes through here: the ordinary
                # plain scalar is made on the spot, and the rest has a method.
                text = event.value
                if (
                    not text
                    or event.style
                    or event.tag
                    or event.anchor
                    or self._hidden_breaks
                ):
                    items.append(self._scalar(event))
                    continue
                start, end = event.start_mark, event.end_mark
                span = made(
                    Span,
                    (
                        source,
                        start.line + 1,
                        start.column + 1,
                        end.line + 1,
                        end.column + 1,
                    ),
                )
                items.append(made(Scalar, (resolve(text), text, False, span, None)))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._nodes += 1
                if len(stack) > MAX_DEPTH:
                    self._refuse_depth(event)
                if event.anchor:
                    self._anchors[event.anchor] = None
                stack.append(_Open(event, self._nodes))
                items = stack[-1].items
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                closed = stack.pop()
                node = self._collection(closed, event)
                parent = stack[-1]
                parent.height = max(parent.height, closed.height + 1)
                items = parent.items
                items.append(node)
            elif kind is yaml.AliasEvent:
                items.append(self._alias(event, stack))
            elif kind is yaml.DocumentStartEvent:
                self._anchors.clear()
                stack.append(_Open(event, self._nodes))
                items = stack[-1].items
            elif kind is yaml.DocumentEndEvent:
                yield self._document(stack.pop(), index)
                index += 1

    def _document(self, closed: _Open, index: int) -> Document:
        start = self._span(closed.event, closed.event)
        root = closed.items[0]
        if isinstance(root, Scalar) and not root.text and not root.quoted:
            return Document(None, start, index)
        return Document(root, start.to(root.span), index)

    def _collection(self, closed: _Open, end: _Event) -> Node:
        start, items = closed.event, closed.items
        span = self._value_span(start, end)
        if items and not start.flow_style:
            # The parser ends a block where it meets something else, often lines
            # below; people see it end with its last value.
            span = span.to(items[-1].span)
        node: Node
        if type(start) is yaml.MappingStartEvent:
            node = make_mapping(items, span)
        else:
            node = Sequence(tuple(items), span, None)
        if start.anchor:
            nodes = self._nodes - closed.nodes_before + 1
            self._anchors[start.anchor] = _Anchored(node, nodes, closed.height + 1)
        return node

    def _scalar(self, event: _Event) -> Scalar:
        text: str = event.value
        if self._hidden_breaks:
            text = text.translate(_SHOW)
        span = self._value_span(event, event)
        if event.style == "|" or event.style == ">":
            span = _without_blank_end(span)
        elif span.line > len(self._source.lines):
            # A value that is missing at the very end is placed behind the text.
            from kopslint.syntax.yaml_problems import end_of

            span = end_of(self._source)
        known = event.implicit[0] or event.tag in _RESOLVED_TAGS
        value = resolve(text) if known else text
        scalar = Scalar(value, text, bool(event.style), span)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(scalar, 1, 0)
        return scalar

    def _alias(self, event: _Event, stack: list[_Open]) -> Node:
        name, span = event.anchor, self._span(event, event)
        if name not in self._anchors:
            raise InputError(
                f"the alias *{name} stands for nothing",
                span=span,
                hint=f"put the anchor &{name} on an earlier value of this document",
            )
        anchored = self._anchors[name]
        if anchored is None:
            raise InputError(
                f"the alias *{name} stands for a value that contains it",
                span=span,
                hint="write the value out",
            )
        self._nodes += anchored.nodes
        if self._nodes > MAX_NODES:
            raise InputError(
                f"the aliases expand to more than {MAX_NODES:,} values",
                span=span,
                hint="write the values out, or split the file",
            )
        if len(stack) - 1 + anchored.height > MAX_DEPTH:
            self._refuse_depth(event)
        parent = stack[-1]
        parent.height = max(parent.height, anchored.height)
        return _moved(anchored.node, span)

    def _refuse_depth(self, event: _Event) -> NoReturn:
        raise InputError(
            f"lists and mappings are nested more than {MAX_DEPTH} levels deep",
            span=self._span(event, event),
            hint="check the brackets",
        )

    def _span(self, first: _Event, last: _Event) -> Span:
        start, end = first.start_mark, last.end_mark
        return Span(
            self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1
        )

    def _value_span(self, first: _Event, last: _Event) -> Span:
        """As ``_span``, without the anchor and the tag in front of the value."""
        span = self._span(first, last)
        if not (first.anchor or first.tag):
            return span
        begin, text = first.start_mark.index, self._source.text
        match = re.compile(_ANCHOR_AND_TAG).match(text, begin, last.end_mark.index)
        if match is None:
            return span
        *above, rest = re.split(r"\r\n|[\r\n]", match[0])
        column = len(rest) + (1 if above else span.column)
        return span._replace(line=span.line + len(above), column=column)


def _moved(node: Node, span: Span) -> Node:
    """An anchored node as it is where an alias to it stands."""
    if isinstance(node, Scalar):
        return node._replace(span=span, anchor=node.span)
    return node._replace(span=span, anchor=node.span)


def _without_blank_end(span: Span) -> Span:
    """The span of a block scalar without the line ends that follow its text."""
    line = span.end_line
    end = span.source.line(line)[: span.end_column - 1].rstrip()
    while not end and line > span.line:
        line -= 1
        end = span.source.line(line).rstrip()
    return span._replace(end_line=line, end_column=len(end) + 1)
