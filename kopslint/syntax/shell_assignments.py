"""Where a script gives variables their values: ``x=1``, ``export``, ``unset``.

Also where it may do so at a time that cannot be told: what a loop assigns is
unknown in every turn but the first, so it is forgotten before the loop.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from kopslint.syntax.script import Word
from kopslint.syntax.shell_calls import ASSIGNMENT
from kopslint.syntax.shell_values import (
    ARGUMENTS,
    UNSET,
    Scope,
    Variable,
    items_of,
    joined,
    not_set,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

    from kopslint.syntax.shell_reader import ScriptReader

_ASSIGNED = r"""(?x)
      (?<![\w$-])(?P<name>[A-Za-z_]\w*)(?:\[[^\]\n]*\])?(?:[-+*/%&|]?=(?!=)|\+\+|--)
    | (?:\+\+|--)(?P<counted>[A-Za-z_]\w*)
    | \$\{(?P<defaulted>[A-Za-z_]\w*):?=
    | \b(?:read|mapfile|readarray|getopts|unset|for|select)\b(?P<names>[^;&|\n<>]*)
    | \bprintf\s+-v\s+(?P<printed>[A-Za-z_]\w*)
    | \b(?P<arguments>shift\b|set\s+--)
    """
_ENTRY = re.compile(r"\[([^\]\n]*)\]=")


@lru_cache(maxsize=64)
def assigned(code: str) -> Mapping[str, None]:
    """Every variable that a stretch of code may assign, in order."""
    found: dict[str, None] = {}
    for match in re.finditer(_ASSIGNED, code):
        names = [match["name"], match["counted"], match["defaulted"], match["printed"]]
        names += re.findall(r"(?<![-\w$])[A-Za-z_]\w*", match["names"] or "")
        names += [ARGUMENTS] if match["arguments"] else []
        found |= dict.fromkeys(name for name in names if name)
    return found


def forget_assigned(scope: Scope, *codes: str) -> None:
    """Make every variable unknown that stretches of code may assign."""
    for name in dict.fromkeys(name for code in codes for name in assigned(code)):
        held = scope.get(name)
        word = held.word if held is not None else None
        scope.forget(name, f"${name} changes while the script runs", word)


def assign(reader: ScriptReader, node: Node) -> bool:
    """Carry out ``NAME=value``; False if the node is no assignment to bash."""
    start, end = node.start_byte, node.end_byte
    match = ASSIGNMENT.match(reader.text.text, start, end)
    if match is None:
        return False
    name, index, operator = match.groups()
    held = reader.scope.get(name)
    words = reader.words(node)
    value = node.child_by_field_name("value")
    if value is not None and value.type == "array":
        if operator != "+=" and held is not None and held.keys is not None:
            held = Variable(None, (), keys=())
            reader.scope.set(name, held)
        elif operator != "+=":
            held = None
        _assign_array(reader, name, value, held)
        return True
    word = words.word(match.end(), end)
    if index is not None:
        key = words.value(match.start(2) + 1, match.end(2) - 1)
        _assign_element(reader.scope, name, text_of(key), word)
        return True
    pieces = word.pieces
    if operator == "+=":
        before = held.scalar if held is not None else None
        if before is None:
            before = () if held is not None else (not_set(name),)
        pieces = joined([before, pieces])
    word = Word(pieces, word.raw, word.span)
    reader.scope.set(name, Variable(pieces, word=word))
    return True


def _assign_array(
    reader: ScriptReader, name: str, value: Node, held: Variable | None
) -> None:
    items = list(items_of(held)) if held is not None else []
    words = reader.words(value)
    for child in value.children[1:-1]:
        start, end = child.start_byte, child.end_byte
        entry = _ENTRY.match(reader.text.text, start, end)
        keys = held.keys if held is not None else None
        if entry and keys is not None:
            key = text_of(words.value(*entry.span(1)))
            _assign_element(reader.scope, name, key, words.word(entry.end(), end))
            held = reader.scope.get(name)
            continue
        found, open_ended = words.words(start, end)
        if open_ended is not None or entry or keys is not None:
            reader.scope.forget(name, _reason(name))
            return
        items += [word.pieces for word in found]
    if held is None or held.keys is None:
        reader.scope.set(name, Variable(None, tuple(items)))


def _assign_element(scope: Scope, name: str, index: str | None, word: Word) -> None:
    held = scope.get(name)
    items = list(items_of(held)) if held is not None else []
    keys = held.keys if held is not None else None
    if keys is not None and index is not None:
        place = keys.index(index) if index in keys else len(keys)
        keys = keys if index in keys else (*keys, index)
    elif index is not None and index.isdigit() and int(index[:9]) <= len(items):
        place = int(index)
    else:
        scope.forget(name, _reason(name))
        return
    items[place : place + 1] = [word.pieces]
    scope.set(name, Variable(None, tuple(items), keys=keys))


def _reason(name: str) -> str:
    return f"the items of ${name} are only known at run time"


def declare(reader: ScriptReader, node: Node) -> None:
    """``export``, ``local``, ``declare``, ``readonly``, ``typeset`` and ``unset``."""
    keyword = node.children[0].type
    words = reader.words(node)
    exports = keyword == "export"
    keyed = False
    for child in node.children[1:]:
        start, end = child.start_byte, child.end_byte
        raw = reader.text.text[start:end]
        if raw.startswith(("-", "+")):
            exports = exports or (
                keyword != "unset" and raw.startswith("-") and "x" in raw
            )
            keyed = keyed or (raw.startswith("-") and "A" in raw)
            continue
        match = ASSIGNMENT.match(raw)
        name = match[1] if match else raw
        if not match and raw[:1] in {'"', "'", "$"}:
            # ``export "NAME=$value"``: the whole word is quoted.
            for word in words.words(start, end)[0]:
                _assign_text(reader.scope, word, exports)
            continue
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            continue
        if keyword == "unset":
            element = reader.text.text[end : end + 1] == "["
            if element:
                reader.scope.forget(name, _reason(name))
            else:
                reader.scope.set(name, UNSET)
            continue
        if reader.locals and keyword in {"local", "declare", "typeset"}:
            reader.locals[-1].setdefault(name, reader.scope.get(name))
        if keyed:
            reader.scope.set(name, Variable(None, (), keys=()))
        if match:
            assign(reader, child)
        if exports:
            reader.scope.export(name)


def _assign_text(scope: Scope, word: Word, exports: bool) -> None:
    first = word.pieces[0] if word.pieces else ""
    match = ASSIGNMENT.match(first) if isinstance(first, str) else None
    if match is None or not isinstance(first, str):
        return
    value = joined([(first[match.end() :],), word.pieces[1:]])
    scope.set(match[1], Variable(value, word=Word(value, word.raw, word.span)))
    if exports:
        scope.export(match[1])
