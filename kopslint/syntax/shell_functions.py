"""Functions: the body is read again at each call, with the arguments given there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.syntax.script import Group, Statement
from kopslint.syntax.shell_files import FILE, enter
from kopslint.syntax.shell_output import NOTHING, leaves
from kopslint.syntax.shell_tree import Operand
from kopslint.syntax.shell_values import ARGUMENTS, Variable

if TYPE_CHECKING:
    from kopslint.syntax.shell_calls import Call
    from kopslint.syntax.shell_reader import ScriptReader


def inline(reader: ScriptReader, name: str, call: Call) -> Statement:
    """The body of a function with the arguments of this call.

    A function that calls itself, or that would be copied out too often, cannot be
    followed.
    """
    if name in reader.calling or reader.too_many_copies:
        reason = f"the function `{name}` calls itself, or is called too often"
        return reader.opaque(name, reason, call.span)
    text, node = reader.functions[name]
    body = node.child_by_field_name("body")
    if body is None:
        return NOTHING
    temporary = [ARGUMENTS, FILE, *(a.name for a in call.assignments)]
    reader.locals.append({one: reader.scope.get(one) for one in temporary})
    for assignment in call.assignments:
        reader.assign(assignment.name, assignment.value)
    arguments = tuple(word.pieces for word in call.words[1:])
    reader.scope.set(ARGUMENTS, Variable(None, arguments))
    enter(reader.scope, text.source)
    reader.calling.append(name)
    loops, reader.loops = reader.loops, 0
    with reader.inside(text), reader.copying():
        statement = reader.operand(Operand(body))
    reader.loops = loops
    reader.calling.pop()
    for variable, value in reader.locals.pop().items():
        reader.scope.restore(variable, value)
    # A body in braces is no group of its own where it is called.
    if isinstance(statement, Group) and not statement.subshell:
        statement = statement.body
    if leaves(statement, "function"):
        return Group(statement, subshell=False, scope="function")
    return statement
