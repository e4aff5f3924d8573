"""Branches and loops: ``if``, ``case``, ``while``, ``for``.

A branch has variables of its own and what branches do not agree on is unknown
afterwards. A loop over known items becomes one copy of its body for each item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.syntax.script import (
    Choice,
    Condition,
    Group,
    Loop,
    Repeat,
    Statement,
    Unknown,
    Word,
)
from kopslint.syntax.shell_assignments import forget_assigned
from kopslint.syntax.shell_calls import Item, segments
from kopslint.syntax.shell_expansion import matches
from kopslint.syntax.shell_output import NOTHING, ends, leaves, sequence
from kopslint.syntax.shell_values import ARGUMENTS, Pieces, Scope, Variable, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from kopslint.syntax.shell_reader import ScriptReader

MOST_TURNS = 256


def compound(reader: ScriptReader, node: Node) -> Statement:
    """A compound command; anything else cannot be read."""
    match node.type:
        case "if_statement":
            return _if(reader, node.children)
        case "while_statement":
            return _while(reader, node)
        case "for_statement":
            return _for(reader, node)
        case "c_style_for_statement":
            reason = "how often this loop runs is not worked out"
            return _repeat(reader, node, None, Unknown("((...))", reason))
        case "case_statement":
            return _case(reader, node)
    reason = "bash cannot read this here"
    return reader.opaque(reader.written(node), reason, reader.span(node))


def _if(reader: ScriptReader, children: list[Node]) -> Statement:
    """``if`` or ``elif``: its test, its body, and the clauses that follow."""
    bounds = [child.type for child in children]
    then = bounds.index("then")
    rest = next(
        (i for i, kind in enumerate(bounds) if kind in {"elif_clause", "else_clause"}),
        len(children),
    )
    test = reader.block(children[1:then])
    with reader.branch() as taken:
        body = reader.block([c for c in children[then + 1 : rest] if c.type != "fi"])
    otherwise: Statement | None = None
    with reader.branch() as other:
        if rest < len(children) and children[rest].type == "else_clause":
            otherwise = reader.block(children[rest].children[1:])
        elif rest < len(children):
            # An ``elif`` is an ``if`` to which the clauses behind it belong.
            clause = children[rest]
            clauses = [*clause.children, *children[rest + 1 :]]
            with reader.nested(clause) as too_deep:
                otherwise = too_deep or _if(reader, clauses)
    _merge(reader, [(taken, body), (other, otherwise or NOTHING)])
    return Condition(test, body, otherwise)


def _merge(reader: ScriptReader, branches: list[tuple[Scope, Statement]]) -> None:
    """Take over the variables of the branches that the script goes on from."""
    reader.scope.merge([scope for scope, branch in branches if not ends(branch)])


def _case(reader: ScriptReader, node: Node) -> Statement:
    subject = node.child_by_field_name("value")
    value: Pieces = ()
    if subject is not None:
        value = reader.words(node).value(subject.start_byte, subject.end_byte)
    chosen, exhaustive = _chosen(reader, node, text_of(value))
    if exhaustive and len(chosen) == 1:
        return _case_body(reader, chosen[0])
    branches: list[tuple[Scope, Statement]] = []
    for item in chosen:
        with reader.branch() as scope:
            branches.append((scope, _case_body(reader, item)))
    if not branches:
        return NOTHING
    nothing = [] if exhaustive else [(reader.scope.branch(), NOTHING)]
    _merge(reader, [*branches, *nothing])
    written = reader.written(subject) if subject is not None else ""
    reason = next((p for p in value if isinstance(p, Unknown)), None)
    reason = reason or Unknown(written, "which branch is taken is not known")
    return Choice(tuple(body for _, body in branches), exhaustive, reason)


def _chosen(
    reader: ScriptReader, node: Node, literal: str | None
) -> tuple[list[Node], bool]:
    """The branches that may be taken, and whether one of them certainly is."""
    chosen: list[Node] = []
    for item in node.children:
        if item.type != "case_item":
            continue
        matched = _matches(reader, item, literal)
        falls_through = any(child.type in {";&", ";;&"} for child in item.children)
        if matched is not False or falls_through:
            chosen.append(item)
        if matched is True and not falls_through:
            return chosen, True
    return chosen, False


def _matches(reader: ScriptReader, item: Node, literal: str | None) -> bool | None:
    """Whether a branch of a ``case`` is taken; None if that is not known."""
    answers: set[bool | None] = set()
    words = reader.words(item)
    for value in item.children_by_field_name("value"):
        pattern = words.pattern(value.start_byte, value.end_byte)
        if pattern == "*":
            return True
        known = literal is not None and pattern is not None
        answers.add(matches(literal or "", pattern or "") if known else None)
    if True in answers:
        return True
    return None if None in answers else False


def _case_body(reader: ScriptReader, item: Node) -> Statement:
    close = next((i for i, c in enumerate(item.children) if c.type == ")"), 0)
    ends_of_branch = {";;", ";&", ";;&"}
    statements = item.children[close + 1 :]
    return reader.block([c for c in statements if c.type not in ends_of_branch])


def _while(reader: ScriptReader, node: Node) -> Statement:
    forget_assigned(reader.scope, reader.reach(node))
    test = reader.block([c for c in node.children[1:] if c.type != "do_group"])
    with reader.branch() as scope:
        body = reader.block(_body(node))
    reader.scope.merge([scope, reader.scope.branch()])
    if node.children[0].type == "until":
        return Loop("until", test, body)
    return Loop("while", test, body)


def _for(reader: ScriptReader, node: Node) -> Statement:
    variable = node.child_by_field_name("variable")
    name = reader.written(variable) if variable is not None else ""
    items, unknown = _items(reader, node)
    if node.children[0].type == "select":
        unknown = Unknown(f"${name}", "the choice is made at run time")
    elif len(items) > MOST_TURNS or reader.too_many_copies:
        unknown = Unknown(f"${name}", "this loop has too many turns to follow")
    if unknown is not None:
        return _repeat(reader, node, name, unknown)
    turns: list[Statement] = []
    with reader.copying():
        for item in items:
            reader.scope.set(name, Variable(item.pieces, word=item))
            turns.append(reader.block(_body(node)))
    if any(leaves(turn, "loop") or leaves(turn, "turn") for turn in turns):
        scoped = [Group(turn, subshell=False, scope="turn") for turn in turns]
        return Group(sequence(scoped), subshell=False, scope="loop")
    return sequence(turns)


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
        unknown = unknown or open_ended
    return found, unknown


def _repeat(
    reader: ScriptReader, node: Node, name: str | None, unknown: Unknown
) -> Statement:
    """A loop whose turns are not known: its body once, its variable unknown."""
    forget_assigned(reader.scope, reader.reach(node))
    with reader.branch() as scope:
        if name is not None:
            reason = f"${name} takes values that are only known at run time"
            scope.forget(name, reason)
        body = reader.block(_body(node))
    reader.scope.merge([scope, reader.scope.branch()])
    return Repeat(unknown, body, reader.span(node))


def _body(node: Node) -> list[Node]:
    """The statements between ``do`` and ``done`` (or braces)."""
    body = node.child_by_field_name("body")
    return body.children[1:-1] if body is not None else []
