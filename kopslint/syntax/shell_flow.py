"""Branches: ``if`` and ``case``.

A branch has variables of its own and what branches do not agree on is unknown
afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.syntax.script import Choice, Condition, Statement, Unknown
from kopslint.syntax.shell_expansion import matches
from kopslint.syntax.shell_loops import read_counted, read_for, read_while
from kopslint.syntax.shell_output import NOTHING, ends, sequence
from kopslint.syntax.shell_scripts import is_there
from kopslint.syntax.shell_values import Pieces, Scope, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from kopslint.syntax.shell_reader import ScriptReader
    from kopslint.syntax.shell_tree import Operand


def compound(reader: ScriptReader, operand: Operand) -> Statement:
    """A compound command; anything else cannot be read."""
    node = operand.node
    match node.type:
        case "if_statement":
            return _if(reader, node.children)
        case "while_statement":
            return read_while(reader, operand)
        case "for_statement":
            return read_for(reader, node)
        case "c_style_for_statement":
            return read_counted(reader, node)
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
    nodes = [child for child in children[then + 1 : rest] if child.type != "fi"]
    if is_there(reader, test):
        return sequence([test, reader.block(nodes)])
    with reader.branch() as taken:
        body = reader.block(nodes)
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
