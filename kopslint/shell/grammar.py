"""The syntax tree of shell text, and where there is none.

tree-sitter recovers from errors by guessing; here only what parses cleanly on its
own is handed on, and each line that does not is a ``Fault`` with a plain reason.
Precedence of ``&&``, ``|`` and ``!``, which the grammar gets wrong in places, is
put right by flattening.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.records import Record
from kopslint.shell.ast import Assignment, Redirect, Word
from kopslint.shell.bash import (
    too_slow,
    tree,
    with_plain_starts,
    without_bare_heredocs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from kopslint.shell.expansion import WordReader
    from kopslint.shell.text import ShellText
    from kopslint.text import Span


# Each fault costs one more parse of what follows, and parsing errors is slow.
MOST_FAULTS = 25
MOST_PARSED = 1_000_000
# A fault deeper inside than this is shown where its surroundings start: the tree
# may be deeper than the machine's stack.
MOST_LEVELS = 500
_OPENERS = {
    "if": "fi",
    "for": "done",
    "while": "done",
    "until": "done",
    "select": "done",
    "case": "esac",
    "{": "}",
    "(": ")",
    "$(": ")",
    "((": "))",
    "[[": "]]",
    "[": "]",
}
_BLANKS = re.compile(r"\s*")
RESERVED = frozenset(
    {"then", "else", "elif", "fi", "do", "done", "esac", "in", "}", ")", ";;"}
    | {"if", "for", "while", "until", "case"}
)
# What may stand at the top of a script.
_STATEMENTS = frozenset(
    {
        *("command", "list", "pipeline", "negated_command", "redirected_statement"),
        *("test_command", "variable_assignment", "variable_assignments"),
        *("declaration_command", "unset_command", "function_definition"),
        *("compound_statement", "subshell", "if_statement", "while_statement"),
        *("for_statement", "c_style_for_statement", "case_statement"),
        *("file_redirect", "herestring_redirect", "comment", ";", "&", "\n"),
    }
)


class Fault(Record):
    """A stretch of text that bash could not read either, and why."""

    start: int
    end: int
    reason: str


def parse(text: ShellText) -> Iterator[Node | Fault]:
    """The top-level nodes of a text in order, faults in their places.

    A fault takes its whole line with it, for bash reads a line before it runs any
    of it; the lines after it are read on their own. After ``MOST_FAULTS`` the rest
    is one fault.
    """
    code = with_plain_starts(text.ascii)
    reason = too_slow(code)
    if reason is not None:
        yield Fault(0, len(text.text), reason)
        return
    start = parsed = 0
    blanked = False
    for _ in range(MOST_FAULTS):
        if start and (parsed > MOST_PARSED or not code[start:].strip()):
            break
        parsed += len(code) - start
        # Blanks in place of what is done keep all offsets as they are.
        root, code = tree(b" " * start + code[start:])
        fault = None
        nodes: list[Node] = []
        for node in _top_level(root):
            fault = _fault(node, text, start)
            if fault is not None:
                break
            nodes.append(node)
        if fault is None:
            yield from nodes
            return
        if not blanked:
            blanked = True
            without = without_bare_heredocs(code)
            if without != code:
                code = without
                continue
        line = text.text.rfind("\n", 0, fault.start) + 1
        yield from (node for node in nodes if node.end_byte <= line)
        yield fault
        start = fault.end
    start = _skip_blanks(text.text, start)
    if start < len(text.text):
        reason = "there are too many syntax errors before this to read the rest"
        yield Fault(start, len(text.text.rstrip()), reason)


def _skip_blanks(text: str, start: int) -> int:
    blank = _BLANKS.match(text, start)
    return blank.end() if blank else start


def _top_level(root: Node) -> Iterator[Node]:
    """The nodes at the top, those that an error swallowed included.

    An error may begin with statements that are complete; the first node in it
    that is no statement is where it went wrong.
    """
    for node in [root] if root.is_error else root.children:
        whole = [child.type in _STATEMENTS for child in node.children]
        if node.is_error and not all(whole):
            yield from node.children[: whole.index(False) + 1]
        else:
            yield node


def _fault(node: Node, text: ShellText, begin: int) -> Fault | None:
    """What is wrong with a top-level node of the text behind ``begin``."""
    if not node.has_error and node.type in _STATEMENTS:
        return None
    place = node
    for _ in range(MOST_LEVELS):
        if place.is_error or place.is_missing:
            break
        inner = next((c for c in place.children if c.has_error or c.is_missing), None)
        if inner is None:
            break
        place = inner
    if place.is_missing and place.parent is not None:
        place = place.parent
    # What is wrong at a line end is shown on what follows it, or else before it.
    start = _skip_blanks(text.text, max(place.start_byte, begin))
    start = min(start, len(text.text.rstrip()) - 1)
    end = text.text.find("\n", start)
    end = len(text.text) if end < 0 else end
    line = text.text.rfind("\n", 0, start) + 1
    opener = re.match(r"\s*(if|for|while|until|select|case)\b", text.text[line:end])
    if opener and not re.search(rf"\b{_OPENERS[opener[1]]}\b", text.text[line:end]):
        # The parser stumbles further on, but what is missing is the other end.
        start = line + opener.start(1)
    return Fault(start, end, _reason(text.text[start:end]))


def _reason(line: str) -> str:
    """Why bash cannot read a line, as far as its start tells."""
    if line[:1] in {'"', "'", "`"}:
        return f"this {line[0]} is never closed"
    match = re.match(r"\$\(|\(\(|\[\[|[({\[]|[a-z]+\b", line)
    if match and match[0] in _OPENERS:
        return f"`{match[0]}` is not closed by `{_OPENERS[match[0]]}`"
    if match and match[0] in RESERVED:
        return f"`{match[0]}` is out of place"
    return "bash cannot read this line"


class Operand(Record):
    """One command of a chain with the redirections around it."""

    node: Node
    redirects: tuple[Node, ...] = ()


def chain(node: Node) -> list[Operand | str]:
    """A node as commands and the operators between them (``&& || | !``)."""
    tokens: list[Operand | str] = []
    waiting: list[Node] = [node]
    while waiting:
        node = waiting.pop()
        if node.type in {"list", "pipeline", "negated_command"}:
            waiting.extend(reversed(node.children))
        elif node.type == "redirected_statement":
            tokens += _redirected(node)
        elif not node.is_named:
            tokens.append("|" if node.type == "|&" else node.type)
        elif node.type != "comment":
            tokens.append(Operand(node))
    return tokens


def _redirected(node: Node) -> list[Operand | str]:
    body = node.child_by_field_name("body")
    redirects = tuple(node.children_by_field_name("redirect"))
    tokens: list[Operand | str] = chain(body) if body is not None else [Operand(node)]
    last = tokens[-1]
    if body is not None and isinstance(last, Operand):
        tokens[-1] = Operand(last.node, (*last.redirects, *redirects))
    # ``cat <<EOF | kops create -f -``: the grammar hangs the rest of the first
    # line into the here-document.
    for redirect in redirects:
        if redirect.type != "heredoc_redirect":
            continue
        operator = ""
        for child in redirect.children:
            if child.type == "pipeline":
                tokens += chain(child)
            elif child.type in {"&&", "||"}:
                operator = child.type
            elif operator and child.is_named:
                tokens += [operator, *chain(child)]
                operator = ""
    return tokens


# ------------------------------------------------------------------------------------
# One simple command: which stretches of the text are words, and which are not
#
# The grammar loses a lone ``-`` before a here-document and splits words such as
# ``{a,b}c``, so words are not taken from single nodes: whatever stands between the
# redirections and assignments and touches belongs together.

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
