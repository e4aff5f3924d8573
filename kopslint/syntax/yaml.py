"""A YAML (or JSON) document as a tree in which every key and value has a place.

The tree keeps what a loader throws away and a linter needs: the span of every
key, duplicate keys, where an alias stands beside what it stands for, and the
text of a scalar beside its value.
"""

from __future__ import annotations

import math
import re
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import yaml

from kopslint.errors import InputError
from kopslint.records import Record
from kopslint.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.text import Source


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


class YamlSequence(Record):
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


class YamlMapping(Record):
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


Node = Scalar | YamlSequence | YamlMapping


def find(node: Node | None, *path: Step) -> Node | None:
    """The node at ``path`` (keys and 0-based indexes), or None."""
    for step in path:
        if isinstance(node, YamlMapping) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, YamlSequence) and isinstance(step, int):
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
        if isinstance(node, YamlMapping) and isinstance(step, str):
            entry = node.entry(step)
            if entry is None:
                return span
            span, node = entry.key.span, entry.value
        elif isinstance(node, YamlSequence) and isinstance(step, int):
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


# ------------------------------------------------------------------------------------
# What a scalar written without quotes means to the YAML library of kops
#
# kops reads its files with sigs.k8s.io/yaml, which resolves scalars by goyaml.v2:
# neither YAML 1.2 nor what PyYAML does. ``y`` and ``off`` are booleans, ``0777`` is
# octal and ``08`` is a float, ``1e3`` needs no dot, and nothing is counted in base 60.

_WORDS: dict[str, bool | float | None] = {
    "": None,
    "~": None,
    ".nan": math.nan,
    ".NaN": math.nan,
    ".NAN": math.nan,
    **{
        form: value
        for value, words in (
            (None, ("null",)),
            (True, ("y", "yes", "true", "on")),
            (False, ("n", "no", "false", "off")),
        )
        for word in words
        for form in (word, word.capitalize(), word.upper())
    },
    **{
        sign + word: float(sign + "inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"""(?P<sign>[-+]?)
        (?: 0[xX](?P<hex>[0-9a-fA-F]+)
          | 0[bB](?P<binary>[01]+)
          | 0[oO]?(?P<octal>[0-7]+)
          | (?P<decimal>0|[1-9][0-9]*)
        )""",
    re.VERBOSE,
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
# Python refuses to convert longer decimal numbers; a number of this length is far
# outside the 64 bits that kops can hold in any case.
_LONGEST_INTEGER = 100


def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar; anything that is no other value is its text.

    Dates and times stay text, as they do in kops. Source: sigs.k8s.io/yaml,
    goyaml.v2/resolve.go, resolve.
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_STARTS else text


def _number(text: str) -> int | float | str:
    # A number that starts with a dot may hold no underscores: goyaml.v2 removes
    # them only on its way to an integer.
    digits = text if text[0] == "." else text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match is not None and match.lastgroup and len(digits) <= _LONGEST_INTEGER:
        number = int(match[match.lastgroup], _BASES[match.lastgroup])
        if match["sign"] == "-":
            number = -number
        if match.lastgroup != "decimal" or -(2**63) <= number < 2**64:
            return number
    if _FLOAT.fullmatch(digits) is None:
        return text
    number_or_infinity = float(digits)
    return text if math.isinf(number_or_infinity) else number_or_infinity


# ------------------------------------------------------------------------------------
# Keys and values to a mapping: which duplicate wins, what ``<<`` brings in
#
# The rules are those of kops's YAML library and not those of the YAML standard: keys
# are set one after another, so the last one wins, and a ``<<`` overrides the keys above
# it as any other key would (sigs.k8s.io/yaml, goyaml.v2/decode.go, mapping and merge).


def make_mapping(items: list[Node], span: Span) -> YamlMapping:
    """The mapping of ``items``, in which keys and values alternate.

    Raises InputError for a key that is a list or a mapping, and for a ``<<`` whose
    value is neither a mapping nor a list of mappings.
    """
    keys = [_key(node) for node in items[::2]]
    # With all its values a record is made in half of the time.
    entries = list(map(Entry, keys, items[1::2], repeat(None)))
    names = {key.text for key in keys}
    if len(names) == len(entries) and "<<" not in names:
        return YamlMapping(tuple(entries), span, (), None)
    return _settle(entries, span)


def _key(node: Node) -> Scalar:
    if isinstance(node, Scalar):
        return node
    from kopslint.syntax.yaml_problems import bad_key

    raise bad_key(node.span)


def _settle(written: list[Entry], span: Span) -> YamlMapping:
    """The mapping in which the last of several entries of one key wins.

    An entry that came in by a merge loses without a trace, because overriding it
    is what merges are for.
    """
    winners: dict[str, Entry] = {}
    losers: list[Entry] = []
    for entry in chain.from_iterable(map(_expanded, written)):
        loser = winners.pop(entry.key.text, None)
        if loser is not None and loser.merged is None:
            losers.append(loser)
        winners[entry.key.text] = entry
    duplicates = tuple((loser, winners[loser.key.text]) for loser in losers)
    return YamlMapping(tuple(winners.values()), span, duplicates)


def _expanded(entry: Entry) -> Iterable[Entry]:
    """The entries that an entry stands for: those of the merge, or only itself."""
    if entry.key.text != "<<" or entry.key.quoted:
        return (entry,)
    value = entry.value
    parts = value.items if isinstance(value, YamlSequence) else (value,)
    merged: dict[str, Entry] = {}
    # The first mapping of a merged list takes precedence over those behind it.
    for part in reversed(parts):
        if not isinstance(part, YamlMapping):
            raise InputError(
                "a `<<` merges something that is not a mapping",
                span=part.span,
                hint="merge a mapping or a list of mappings",
            )
        for inner in part.entries:
            merged[inner.key.text] = Entry(inner.key, inner.value, value.span)
    return merged.values()


# ------------------------------------------------------------------------------------
# YAML text to a tree with places, in one pass over the parser's events
#
# A loader forgets places and duplicate keys, and walking its nodes a second time would
# double the cost of every run, so the tree is made straight from libyaml's events. JSON
# is read as the YAML that it is.

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
_BINARY = "tag:yaml.org,2002:binary"


def read_yaml(source: Source) -> tuple[Document, ...]:
    """The documents of ``source``, every key and value with its exact place.

    Scalars, duplicate keys and ``<<`` mean what they mean to kops. An alias shares
    the nodes below its original and has a span of its own. A span covers the value
    alone: no anchor, no tag, no line ends behind it.

    Raises InputError, with the place, for text that is not YAML, for a template
    that was not rendered, for nesting deeper than ``MAX_DEPTH``, and for aliases
    that expand to more than ``MAX_NODES`` nodes, as for a text with more of them.
    """
    return tuple(each_document(source))


def each_document(source: Source) -> Iterator[Document]:
    """The same, one after the other: those that nobody keeps take no memory."""
    hidden_breaks = _ODD_BREAKS.search(source.text) is not None
    text = source.text.translate(_HIDE) if hidden_breaks else source.text
    composer = _Composer(source, hidden_breaks)
    try:
        # yaml.parse asks twice for every event: whether there is one, and for it.
        yield from composer.documents(iter(_LOADER(text).get_event, None))
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
        # Names of fields come again and again: one text of each is kept.
        known: dict[str, str] = {}
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
                line = start.line + 1
                last = line if end.line == start.line else end.line + 1
                span = made(
                    Span, (source, line, start.column + 1, last, end.column + 1)
                )
                text = known.setdefault(text, text)
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
                if self._nodes > MAX_NODES:
                    self._refuse_size(event)
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
            node = YamlSequence(tuple(items), span, None)
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
        if event.tag == _BINARY:
            text = self._decoded(text, span)
        known = event.implicit[0] or event.tag in _RESOLVED_TAGS
        value = resolve(text) if known else text
        scalar = Scalar(value, text, bool(event.style), span)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(scalar, 1, 0)
        return scalar

    def _decoded(self, text: str, span: Span) -> str:
        """What ``!!binary`` stands for, which kops reads as any other text."""
        from base64 import b64decode

        try:
            return b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode()
        except ValueError:
            raise InputError(
                "this !!binary value is not valid Base64",
                span=span,
                hint="write the text itself",
            ) from None

    def _alias(self, event: _Event, stack: list[_Open]) -> Node:
        name, span = event.anchor, self._span(event, event)
        if name not in self._anchors:
            raise InputError(
                f"the alias *{name} has no anchor",
                span=span,
                hint=f"put the anchor &{name} on an earlier value of this document",
            )
        anchored = self._anchors[name]
        if anchored is None:
            raise InputError(
                f"the alias *{name} refers to a value that contains it",
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

    def _refuse_size(self, event: _Event) -> NoReturn:
        raise InputError(
            f"this file has more than {MAX_NODES:,} keys and values",
            span=self._span(event, event),
            hint="split the file",
        )

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
