"""Whether a list makes sure that a removal of a member worked before it goes on.

A removal may fail: etcdctl without its certificates, a pod that is gone, a wrong id.
A list that stops then, or that asks etcd before it goes on, does not rely on it. ``kops
validate cluster`` does not look at etcd, and a printed member list stops nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands.model import Foreign, MemberList, MemberRemove
from kopslint.findings import Severity
from kopslint.model.assumptions import Kind, assume
from kopslint.notations.command_list import simple_commands
from kopslint.shell.ast import (
    AndOr,
    Group,
    Pipeline,
    SimpleCommand,
    Statements,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kopslint.commands.model import Command
    from kopslint.model.assumptions import Assumption
    from kopslint.model.simulation import Step
    from kopslint.model.state import ClusterState, Result
    from kopslint.shell.ast import Statement

    Recognise = Callable[[SimpleCommand], tuple[Command, ...]]

ASKING = frozenset({"[", "[[", "((", "test", "grep", "egrep", "diff", "cmp", "read"})
"""Programs that people run for their exit status."""

_DEEPEST = 5
_COMPARES = ASKING | {"awk", "jq", "wc"}


def asks_etcd(statement: Statement, recognise: Recognise) -> bool:
    """Whether the status of a statement tells what etcd's members are.

    A test of a member list does, and so does ``endpoint health``.
    """
    match statement:
        case Statements(items=items):
            return bool(items) and asks_etcd(items[-1], recognise)
        case Group(body=body):
            return asks_etcd(body, recognise)
        case AndOr(left=left, right=right):
            return asks_etcd(left, recognise) or asks_etcd(right, recognise)
        case Pipeline(items=(*first, last)):
            looks = any(_looks(one, recognise) for one in first)
            if not looks:
                return False
            calls = [*simple_commands(last)]
            return bool(calls) and _compares(calls[-1], recognise)
        case SimpleCommand():
            commands = recognise(statement)
            if any(isinstance(c, MemberList) and not c.printed_as for c in commands):
                return True
            return _compares(statement, recognise) and _looks(statement, recognise)
    return False


def _looks(statement: Statement, recognise: Recognise, depth: int = 0) -> bool:
    """Whether a statement, or what a word of it holds, comes from a look at etcd."""
    for call in simple_commands(statement):
        if any(isinstance(command, MemberList) for command in recognise(call)):
            return True
        for word in call.words if depth < _DEEPEST else ():
            for piece in word.pieces:
                inner = piece.printed_by if isinstance(piece, Unknown) else None
                if inner is not None and _looks(inner, recognise, depth + 1):
                    return True
    return False


def _compares(call: SimpleCommand, recognise: Recognise) -> bool:
    return any(
        isinstance(command, Foreign) and command.program in _COMPARES
        for command in recognise(call)
    )


def relies(command: Command) -> bool:
    """Whether a step is only safe after the removals before it: it takes machines."""
    planes = command.meaning.planes or ()
    return not isinstance(command, MemberRemove) and bool(
        {"cloud", "nodes"} & {*planes}
    )


def failing(
    before: ClusterState, results: Iterable[Result], *, chained: bool
) -> list[ClusterState]:
    """Where it stands if a removal fails for a reason that nobody sees here.

    Not where it is ``chained`` to what follows by ``&&`` and its member is taken for
    one of several: then the next call of the list would be taken for any of them.
    """
    worked = [result for result in results if result.status == "applied"]
    if not worked:
        return []
    if chained and any(a.kind is Kind.MEMBER for r in worked for a in r.assumed):
        return []
    return [before._replace(ok=False, failing=True)]


def relying(result: Result, number: int) -> Result:
    """A removal whose status nobody asks for: without ``set -e`` the list goes on."""
    then = result.state
    if then.errexit or result.status != "applied":
        return result
    unproven = then.unproven | {number}
    return result._replace(state=then._replace(unproven=unproven))


def unguarded(relied_on: Mapping[int, int], steps: Iterable[Step]) -> list[Assumption]:
    """That removals succeed which nothing makes sure of, said once for a list.

    ``relied_on`` has the number of each such step, and of the first that relies on it.
    """
    by_number = {step.number: step for step in steps}
    removals = [by_number[number] for number in sorted(relied_on)]
    if not removals:
        return []
    lines = sorted({step.command.span.line for step in removals})
    first = by_number[min(relied_on.values())].command.span.line
    shown = ", ".join(map(str, lines[:-1]))
    where = f"lines {shown} and {lines[-1]}" if shown else f"line {lines[-1]}"
    what = "the removals" if len(removals) > 1 else "the removal"
    verb = "succeed" if len(removals) > 1 else "succeeds"
    text = (
        f"{what} of members in {where} {verb}: if not, nothing stops the list, and"
        f" line {first} relies on it"
    )
    span = removals[0].command.span
    return [
        assume(Kind.SUCCESS, "removals", text, severity=Severity.WARNING, span=span)
    ]
