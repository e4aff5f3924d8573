"""Keys and values to a mapping: which duplicate wins, what ``<<`` brings in.

The rules are those of kops's YAML library and not those of the YAML standard:
keys are set one after another, so the last one wins, and a ``<<`` overrides the
keys above it as any other key would (sigs.k8s.io/yaml, goyaml.v2/decode.go,
mapping and merge). This module must not know the parser.
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.syntax.yaml_tree import Entry, Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.source.text import Span
    from kopslint.syntax.yaml_tree import Node


def make_mapping(items: list[Node], span: Span) -> Mapping:
    """The mapping of ``items``, in which keys and values alternate.

    Raises InputError for a key that is a list or a mapping, and for a ``<<`` whose
    value is neither a mapping nor a list of mappings.
    """
    keys = [_key(node) for node in items[::2]]
    # With all its values a record is made in half of the time.
    entries = list(map(Entry, keys, items[1::2], repeat(None)))
    names = {key.text for key in keys}
    if len(names) == len(entries) and "<<" not in names:
        return Mapping(tuple(entries), span, (), None)
    return _settle(entries, span)


def _key(node: Node) -> Scalar:
    if isinstance(node, Scalar):
        return node
    from kopslint.syntax.yaml_problems import bad_key

    raise bad_key(node.span)


def _settle(written: list[Entry], span: Span) -> Mapping:
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
    return Mapping(tuple(winners.values()), span, duplicates)


def _expanded(entry: Entry) -> Iterable[Entry]:
    """The entries that an entry stands for: those of the merge, or only itself."""
    if entry.key.text != "<<" or entry.key.quoted:
        return (entry,)
    value = entry.value
    parts = value.items if isinstance(value, Sequence) else (value,)
    merged: dict[str, Entry] = {}
    # The first mapping of a merged list takes precedence over those behind it.
    for part in reversed(parts):
        if not isinstance(part, Mapping):
            raise InputError(
                "a `<<` merges something that is not a mapping",
                span=part.span,
                hint="merge a mapping or a list of mappings",
            )
        for inner in part.entries:
            merged[inner.key.text] = Entry(inner.key, inner.value, value.span)
    return merged.values()
