"""Loops: one copy of the body for each turn, if all turns are known.

That is so for ``for`` over known items, for counting between known bounds, and for
``while read`` of a text that is in the script. The body of any other loop is read
once, with what it changes unknown.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from kopslint.syntax.script import Group, Loop, Repeat, Statement, Unknown, Word
from kopslint.syntax.shell_assignments import assigned, forget_assigned
from kopslint.syntax.shell_calls import Call, Item, given_input, read_call, segments
from kopslint.syntax.shell_expansion import arithmetic, count
from kopslint.syntax.shell_input import is_plain_read, lines_of, read_line
from kopslint.syntax.shell_output import leaves, sequence
from kopslint.syntax.shell_parameters import LIST, value_in
from kopslint.syntax.shell_tree import Operand
from kopslint.syntax.shell_values import ARGUMENTS, Variable, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

    from kopslint.syntax.shell_reader import ScriptReader

MOST_TURNS = 256

_KEYED = r"\$\{!?([A-Za-z_]\w*)\[[@*]\]\}"
_STEP = (
    r"(?:(?P<op>\+\+|--)(?P<a>\w+)|(?P<b>\w+)(?P<after>\+\+|--)"
    r"|(?P<c>\w+)(?P<by>[+-])=(?P<much>.+)|(?P<d>\w+)=(?P=d)(?P<sign>[+-])(?P<more>.+))"
)
_BOUND = r"(?P<name>\w+)(?P<operator><=?|>=?|!=)(?P<bound>[^<>=].*)"


def read_while(reader: ScriptReader, operand: Operand) -> Statement:
    """``while`` and ``until``, with the redirections behind ``done``."""
    node = operand.node
    test_nodes = [c for c in node.children[1:] if c.type != "do_group"]
    until = node.children[0].type == "until"
    lines = None if until else _lines(reader, operand, test_nodes)
    if lines is not None:
        call, given = lines
        turns = [partial(read_line, reader.scope, call, line) for line in given]
        statement = _unrolled(reader, node, turns)
        # At the end of its input ``read`` empties its variables.
        read_line(reader.scope, call, "")
        return statement
    forget_assigned(reader.scope, *reader.reach(node))
    outer = reader.upstream
    reader.upstream = " ".join(map(reader.written, operand.redirects)) or outer
    with reader.looping():
        test = reader.block(test_nodes)
        with reader.branch() as scope:
            body = reader.block(_body(node))
    reader.upstream = outer
    reader.scope.merge([scope, reader.scope.branch()])
    return Loop("until" if until else "while", test, body)


def _lines(
    reader: ScriptReader, operand: Operand, test: list[Node]
) -> tuple[Call, list[str]] | None:
    """The lines that ``while read`` goes through, if they are in the script."""
    commands = [node for node in test if node.is_named and node.type != "comment"]
    if [node.type for node in commands] != ["command"]:
        return None
    if not re.match(r"(?:IFS=\S* +)?read\b", reader.written(commands[0])):
        return None
    words = reader.words(operand.node.parent or operand.node)
    call = read_call(Operand(commands[0]), reader.text, words)
    pieces = reader.take_piped()
    if operand.redirects:
        # What the input takes to make has been noted before.
        effects, reader.effects = reader.effects, []
        stdin = given_input(operand.redirects, reader.text, words)
        reader.effects = effects
        pieces = stdin.pieces if stdin is not None else None
    text = text_of(pieces) if pieces is not None else None
    body = "\n".join(reader.written(node) for node in _body(operand.node))
    # Another reader of the same input takes lines away.
    if text is None or not is_plain_read(call) or re.search(r"\bread\b", body):
        return None
    lines = lines_of(text)
    return (call, lines) if _can_copy(reader, lines) else None


def read_counted(reader: ScriptReader, node: Node) -> Statement:
    """``for ((i = 0; i < 3; i++))``."""
    counted = _count(reader, node)
    if counted is None:
        reason = "how often this loop runs is not worked out"
        return _repeat(reader, node, None, Unknown("((...))", reason))
    name, numbers = counted
    *turns, over = [
        partial(reader.scope.set, name, Variable((str(number),))) for number in numbers
    ]
    statement = _unrolled(reader, node, turns)
    over()
    return statement


def _count(reader: ScriptReader, node: Node) -> tuple[str, list[int]] | None:
    """The variable of a counting loop and its values, the one that ends it last."""
    head = re.match(
        r"for\s*\(\((.*?)\)\)\s*;?\s*(?:do\b|\{)", reader.written(node), re.DOTALL
    )
    if head is None:
        return None
    offset = node.start_byte
    pieces = reader.words(node).heredoc(offset + head.start(1), offset + head.end(1))
    parts = re.sub(r"\s+", "", text_of(pieces) or "").split(";")
    if len(parts) != 3:
        return None
    name, equals, start = parts[0].partition("=")
    bound, step = re.fullmatch(_BOUND, parts[1]), re.fullmatch(_STEP, parts[2])
    if not equals or bound is None or step is None:
        return None
    stepped = step["a"] or step["b"] or step["c"] or step["d"]
    body = "\n".join(reader.written(part) for part in _body(node))
    if not name == bound["name"] == stepped or name in assigned(body):
        return None

    def number(text: str) -> int | None:
        return arithmetic(text, lambda name: value_in(name, reader.scope))

    sign = step["op"] or step["after"] or step["by"] or step["sign"]
    first, last = number(start), number(bound["bound"])
    pace = number(step["much"] or step["more"] or "1")
    if first is None or last is None or pace is None:
        return None
    pace = -pace if sign[0] == "-" else pace
    numbers = count(first, bound["operator"], last, pace, MOST_TURNS)
    if numbers is None or not _can_copy(reader, numbers):
        return None
    return name, numbers


def read_for(reader: ScriptReader, node: Node) -> Statement:
    """``for`` over items, and ``select``."""
    variable = node.child_by_field_name("variable")
    name = reader.written(variable) if variable is not None else ""
    items, unknown = _items(reader, node)
    if node.children[0].type == "select":
        unknown = Unknown(f"${name}", "the choice is made at run time")
    elif not _can_copy(reader, items):
        unknown = Unknown(f"${name}", "this loop has too many turns to follow")
    if unknown is not None:
        return _repeat(reader, node, name, unknown)
    turns = [
        partial(reader.scope.set, name, Variable(item.pieces, word=item))
        for item in items
    ]
    return _unrolled(reader, node, turns)


def _items(reader: ScriptReader, node: Node) -> tuple[list[Word], Unknown | None]:
    """The items of a ``for``, and an unknown if there may be any number of them."""
    values = node.children_by_field_name("value")
    if not any(child.type == "in" for child in node.children):
        arguments = reader.scope.get(ARGUMENTS)
        if arguments is None or arguments.items is None:
            reason = "$@ is given to the script when it is started"
            return [], Unknown("$@", reason)
        span = reader.span(node)
        return [Word(pieces, "$@", span) for pieces in arguments.items], None
    found: list[Word] = []
    unknown: Unknown | None = None
    items = [Item(v.start_byte, v.end_byte, "word", v) for v in values]
    for start, end in segments(items, reader.text):
        words, open_ended = reader.words(node).words(start, end)
        found += words
        many = (p for word in words for p in word.pieces if isinstance(p, Unknown))
        listed = (piece for piece in many if re.match(LIST, piece.name))
        unknown = unknown or open_ended or next(listed, None)
        for name in re.findall(_KEYED, reader.text.text[start:end]):
            held = reader.scope.get(name)
            if held is not None and len(held.keys or ()) > 1:
                reason = f"in which order bash goes through the keys of {name} is open"
                reader.opaque(f"${{!{name}[@]}}", reason, reader.text.span(start, end))
    return found, unknown


def _can_copy(reader: ScriptReader, turns: list[Word] | list[str] | list[int]) -> bool:
    return len(turns) <= MOST_TURNS and not reader.too_many_copies


def _unrolled(
    reader: ScriptReader, node: Node, turns: Iterable[Callable[[], None]]
) -> Statement:
    """The body of a loop once for each turn, each with what is done before it."""
    read: list[Statement] = []
    with reader.copying(), reader.looping():
        for begin in turns:
            begin()
            read.append(reader.block(_body(node)))
    if any(leaves(one, "loop") or leaves(one, "turn") for one in read):
        scoped = [Group(one, subshell=False, scope="turn") for one in read]
        return Group(sequence(scoped), subshell=False, scope="loop")
    return sequence(read)


def _repeat(
    reader: ScriptReader, node: Node, name: str | None, unknown: Unknown
) -> Statement:
    """A loop whose turns are not known: its body once, its variable unknown."""
    forget_assigned(reader.scope, *reader.reach(node))
    with reader.branch() as scope, reader.looping():
        if name is not None:
            reason = f"${name} takes values that are only known at run time"
            scope.forget(name, reason, of=unknown.of or unknown.name)
        body = reader.block(_body(node))
    reader.scope.merge([scope, reader.scope.branch()])
    return Repeat(unknown, body, reader.span(node))


def _body(node: Node) -> list[Node]:
    """The statements between ``do`` and ``done`` (or braces)."""
    body = node.child_by_field_name("body")
    return body.children[1:-1] if body is not None else []
