"""One simple command: which stretches of the text are words, and which are not.

The grammar loses a lone ``-`` before a here-document and splits words such as
``{a,b}c``, so words are not taken from single nodes: whatever stands between the
redirections and assignments and touches belongs together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.records import Record
from kopslint.syntax.script import Assignment, Redirect, Word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tree_sitter import Node

    from kopslint.source.text import Span
    from kopslint.syntax.shell_text import ShellText
    from kopslint.syntax.shell_tree import Operand
    from kopslint.syntax.shell_words import WordReader

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]\n]*\])?(\+?=)")
_WORD = r"(?:[^\s\\]|\\[^\n])+"
# Compiled at its first use, and kept by ``re``: most runs meet none.
_REDIRECT = r"(?:\d+|\{\w+\})?(&>>|&>|<<<|<<-|<<|<>|>>|>\||>&|<&|<|>)[ \t]*"
_BROKEN_CONTINUATION = re.compile(r"[ \t]*\\[ \t]+(?=\n|\Z)")


class Item(Record):
    """A stretch of a command and what it is."""

    start: int
    end: int
    kind: Literal["word", "assignment", "redirect", "heredoc"]
    node: Node


class Call(Record):
    """A simple command as read.

    ``broken`` is the span of a backslash that should have continued the line and
    does not, for blanks follow it.
    """

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...]
    redirects: tuple[Redirect, ...]
    stdin: Word | None
    span: Span
    broken: Span | None = None


def read_call(operand: Operand, text: ShellText, reader: WordReader) -> Call:
    """The words, assignments in front, and redirections of a command node."""
    items = sorted(_items(operand, text))
    words: list[Word] = []
    for start, end in segments(items, text):
        words += reader.words(start, end)[0]
    assignments = [
        assignment_word(item.start, item.end, text, reader)
        for item in items
        if item.kind == "assignment"
    ]
    redirects: list[Redirect] = []
    stdin: Word | None = None
    for item in items:
        if item.kind not in {"redirect", "heredoc"}:
            continue
        redirect, given = _redirect(item, text, reader)
        redirects.append(redirect)
        stdin = given if given is not None else stdin
    start, end = items[0].start, max(item.end for item in items)
    broken = None
    if match := _BROKEN_CONTINUATION.match(text.text, end):
        backslash = text.text.index("\\", end)
        broken = text.span(backslash, match.end())
        # The escaped blank is an argument of its own.
        blank = text.span(backslash, backslash + 2)
        words.append(Word((" ",), text.text[backslash : backslash + 2], blank))
    return Call(
        tuple(words),
        tuple(assignments),
        tuple(redirects),
        stdin,
        text.span(start, end),
        broken,
    )


def given_input(
    redirects: Iterable[Node], text: ShellText, reader: WordReader
) -> Word | None:
    """What here-documents and here-strings give; the last one counts."""
    stdin: Word | None = None
    for redirect in redirects:
        if text.text.startswith("<<", redirect.start_byte):
            for item in _item(redirect, text):
                stdin = _redirect(item, text, reader)[1] or stdin
    return stdin


def assignment_word(
    start: int, end: int, text: ShellText, reader: WordReader
) -> Assignment:
    """``NAME=value`` at ``text[start:end]`` as a name and a word."""
    match = ASSIGNMENT.match(text.text, start, end)
    name, value = (match[1], match.end()) if match else ("", start)
    return Assignment(name, reader.word(value, end))


def segments(items: Iterable[Item], text: ShellText) -> list[tuple[int, int]]:
    """The stretches that are one word each, from ordered items and their gaps."""
    found: list[tuple[int, int]] = []
    done: int | None = None
    for item in items:
        gap = text.text[done : item.start] if done is not None else ""
        for match in re.finditer(_WORD, gap) if gap.strip() else ():
            _add(found, (done or 0) + match.start(), (done or 0) + match.end())
        if item.kind == "word":
            if found and gap and not gap.replace("\\\n", ""):
                # A word may go on in the next line.
                found[-1] = (found[-1][0], item.start)
            _add(found, item.start, item.end)
        done = max(done or 0, item.end)
    return found


def _add(found: list[tuple[int, int]], start: int, end: int) -> None:
    if found and found[-1][1] == start:
        found[-1] = (found[-1][0], end)
    else:
        found.append((start, end))


def _items(operand: Operand, text: ShellText) -> Iterable[Item]:
    node = operand.node
    if node.type in {"command", "redirected_statement"}:
        for child in node.children:
            yield from _item(child, text)
    elif node.type == "test_command":
        yield from _test(node)
    else:
        yield Item(node.start_byte, node.end_byte, "word", node)
    for redirect in operand.redirects:
        yield from _item(redirect, text)


def _item(node: Node, text: ShellText) -> Iterable[Item]:
    start, end = node.start_byte, node.end_byte
    if node.type == "variable_assignment" and ASSIGNMENT.match(text.text, start, end):
        yield Item(start, end, "assignment", node)
    elif node.type in {"file_redirect", "herestring_redirect"}:
        yield from _file_redirect(node)
    elif node.type == "heredoc_redirect":
        for child in node.children:
            if child.type == "heredoc_start":
                yield Item(start, child.end_byte, "heredoc", node)
            elif child.type == "file_redirect":
                yield from _file_redirect(child)
            elif child.type in {"&&", "||", "pipeline", "heredoc_body"}:
                break
            elif child.is_named and child.type != "file_descriptor":
                yield Item(child.start_byte, child.end_byte, "word", child)
    elif node.type != "comment":
        # The grammar counts blanks before a backtick as part of the node.
        while start < end and text.text[start].isspace():
            start += 1
        yield Item(start, end, "word", node)


def _test(node: Node) -> Iterable[Item]:
    """The words of ``[ ... ]`` and ``[[ ... ]]``, operators included."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.type.endswith("_expression") or part is node:
            waiting.extend(reversed(part.children))
        else:
            yield Item(part.start_byte, part.end_byte, "word", part)


def _file_redirect(node: Node) -> Iterable[Item]:
    """The redirection, and words that the grammar takes for more targets."""
    targets = node.children_by_field_name("destination")
    end = targets[0].end_byte if targets else node.end_byte
    yield Item(node.start_byte, end, "redirect", node)
    for extra in targets[1:]:
        yield Item(extra.start_byte, extra.end_byte, "word", extra)


def _redirect(
    item: Item, text: ShellText, reader: WordReader
) -> tuple[Redirect, Word | None]:
    match = re.compile(_REDIRECT).match(text.text, item.start, item.end)
    operator = match[1] if match else ""
    target_start = match.end() if match else item.start
    if item.kind == "heredoc":
        return Redirect(operator, None), _heredoc(item.node, operator, text, reader)
    target = reader.word(target_start, item.end)
    if operator == "<<<":
        return Redirect(operator, None), target
    return Redirect(operator, target), None


def _heredoc(
    node: Node, operator: str, text: ShellText, reader: WordReader
) -> Word | None:
    ends = {child.type: child for child in node.children}
    delimiter, body = ends.get("heredoc_start"), ends.get("heredoc_body")
    if delimiter is None or body is None:
        return None
    last = ends.get("heredoc_end")
    start = body.start_byte
    end = last.start_byte if last is not None else body.end_byte
    start = text.text.rfind("\n", 0, start) + 1
    raw = text.text[start:end]
    if operator == "<<-":
        end = start + len(raw.rstrip("\t"))
        raw = text.text[start:end]
    quoted = any(
        char in text.text[delimiter.start_byte : delimiter.end_byte] for char in "'\"\\"
    )
    pieces = (raw,) if quoted else reader.heredoc(start, end)
    if operator == "<<-":
        pieces = tuple(
            re.sub(r"^\t+", "", piece, flags=re.MULTILINE)
            if isinstance(piece, str)
            else piece
            for piece in pieces
        )
    return Word(pieces, raw, text.span(start, end))
