"""A configuration file as plain values, each with the place where it is written.

YAML has exact places; of TOML the line is looked for. This module must not know
what any setting means.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.records import Record
from kopslint.syntax.yaml_reader import read_yaml
from kopslint.syntax.yaml_tree import Mapping, find, span_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.source.text import Source, Span

Place = tuple[str | int, ...]

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Written(Record):
    """The values of a file, and where they are.

    ``at`` is the span of the value at a place, or of its key if the value is no
    scalar; ``key_at`` is always the key's.
    """

    values: dict[str, object]
    at: Callable[[Place], Span]
    key_at: Callable[[Place], Span]


def read_written(source: Source) -> Written | None:
    """The configuration in a YAML file, or in ``tool.kopslint`` of a TOML file.

    None if a TOML file has no such table. Raises InputError for what is neither.
    """
    if source.path.endswith(".toml"):
        return _toml(source)
    documents = read_yaml(source)
    if len(documents) > 1:
        raise InputError(
            "a configuration is one document",
            span=documents[1].span,
            hint="remove what stands behind ---",
        )
    root = documents[0].root if documents else None
    if root is None or not root.plain:
        return Written({}, lambda _: source.whole(), lambda _: source.whole())
    if not isinstance(root, Mapping):
        raise InputError(
            "a configuration is a mapping of settings",
            span=root.span,
            hint="write it as 'setting: value'",
        )
    for again, _ in root.duplicates:
        raise InputError(
            f"{again.key.text} is set twice", span=again.key.span, hint="remove one"
        )
    values: dict[str, object] = {
        entry.key.text: entry.value.plain for entry in root.entries
    }
    return Written(
        values, lambda place: span_of(root, *place), partial(_key_span, root)
    )


def _key_span(root: Mapping, place: Place) -> Span:
    """The key at a place, or what is there if that has none."""
    holder = find(root, *place[:-1])
    if isinstance(holder, Mapping) and isinstance(place[-1], str):
        entry = holder.entry(place[-1])
        if entry is not None:
            return entry.key.span
    return span_of(root, *place)


def _toml(source: Source) -> Written | None:
    import tomllib

    try:
        tool = tomllib.loads(source.text).get("tool")
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line, column = map(int, (found and found[1] and found.groups()) or (1, 1))
        raise InputError(
            f"not valid TOML: {_TOML_PLACE.sub('', str(error))}",
            span=source.span(line, column, line, column + 1),
            hint="correct it",
        ) from None
    table = tool.get("kopslint") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise InputError(
            "tool.kopslint is not a table",
            span=source.whole(),
            hint="write [tool.kopslint]",
        )
    find_line = partial(_toml_span, source)
    return Written(table, find_line, find_line)


def _toml_span(source: Source, place: Place) -> Span:
    """The line of the last key of a place that can be found below the table's head.

    A table may be written in several ways, so that this is no proof; it is where a
    person would look.
    """
    line = next(
        (n for n, text in enumerate(source.lines, 1) if "tool.kopslint" in text), 1
    )
    span = _words(source, line, "tool.kopslint")
    for key in place:
        pattern = re.compile(
            rf"""(?:^|[\[{{,.\s"'])({re.escape(str(key))})["']?\s*(?:=|\]|\.)"""
        )
        for number in range(line, len(source.lines) + 1):
            found = pattern.search(source.line(number))
            if isinstance(key, str) and found:
                line = number
                start, end = found.start(1) + 1, found.end(1) + 1
                span = source.span(line, start, line, end)
                break
    return span


def _words(source: Source, line: int, words: str) -> Span:
    column = source.line(line).find(words) + 1
    return source.span(line, max(column, 1), line, max(column, 1) + len(words))
