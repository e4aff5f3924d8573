"""Questions about statements that are already read.

Whether a statement ends the script, which loop or function it may leave, and what
it prints if that is certain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.shell.ast import (
    AndOr,
    Choice,
    Condition,
    ErrExit,
    Exit,
    Group,
    Loop,
    Parallel,
    Pipeline,
    Repeat,
    SimpleCommand,
    Statement,
    Statements,
)
from kopslint.shell.environment import Pieces, joined, text_of
from kopslint.shell.expansion import MOST_WORDS, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.text import Span

NOTHING = Statements(())
_DECODERS = {"base64", "rev", "tee", "tr", "xxd"}
"""What is put in front of ``sh`` to hide what it runs, or to keep a copy of it."""


def sequence(statements: Iterable[Statement]) -> Statements:
    """The statements as one flat sequence, without those that do nothing."""
    items: list[Statement] = []
    for statement in statements:
        items += statement.items if isinstance(statement, Statements) else [statement]
    return Statements(tuple(items))


def at_once(jobs: Iterable[Statement], span: Span) -> Statement:
    """Jobs that may run at the same time, without those that do nothing."""
    kept = tuple(job for job in jobs if job != NOTHING)
    if len(kept) > 1:
        return Parallel(kept, span)
    return kept[0] if kept else NOTHING


def parts(statement: Statement) -> Iterator[Statement]:
    """The statements directly inside one, in the order they would run."""
    match statement:
        case Statements(items) | Pipeline(items):
            yield from items
        case AndOr(left=left, right=right):
            yield from (left, right)
        case Condition(test, then, otherwise):
            yield from (test, then)
            if otherwise is not None:
                yield otherwise
        case Choice(branches=branches):
            yield from branches
        case Parallel(jobs=jobs):
            yield from jobs
        case Loop(test=test, body=body):
            yield from (test, body)
        case Repeat(body=body) | Group(body=body):
            yield body


def ends(statement: Statement) -> bool:
    """Whether nothing behind this statement runs, whatever happens in it."""
    match statement:
        case Exit():
            return True
        case Statements(items):
            return any(ends(item) for item in items)
        case Group(body=body, subshell=False, scope=None):
            return ends(body)
        case Condition(then=then, otherwise=otherwise):
            return otherwise is not None and ends(then) and ends(otherwise)
        case Choice(branches=branches, exhaustive=True):
            return all(ends(branch) for branch in branches)
    return False


def may_end(statement: Statement) -> bool:
    """Whether a statement may end the shell, by itself or by ``set -e``."""
    match statement:
        case ErrExit(on=on):
            return on
        case Exit():
            return statement.leaves == "script"
        case Group(subshell=True) | Parallel():
            return False
    return any(may_end(part) for part in parts(statement))


def ends_a_shell(statement: Statement) -> bool:
    """Whether a statement may end the shell that it runs in, or change its options."""
    return may_end(statement) or any(
        leaves(statement, scope) for scope in ("function", "loop", "turn")
    )


def leaves(statement: Statement, scope: str, within: int = 0) -> bool:
    """Whether an ``Exit`` in it may leave a scope around it, ``within`` loops of it."""
    match statement:
        case Exit():
            return statement.leaves == scope and statement.levels > within
        case Group(subshell=True) | Parallel():
            return False
        case Group(scope="function") if scope == "function":
            return False
        case Loop() | Repeat() | Group(scope="loop") if scope != "function":
            within += 1
    return any(leaves(part, scope, within) for part in parts(statement))


def told_apart(statement: Statement) -> bool | None:
    """How ``[ a = b ]`` comes out for two known texts; None for any other test.

    It decides what variables hold behind it. Both ways are followed all the same.
    """
    if not isinstance(statement, SimpleCommand):
        return None
    words = [word.text for word in statement.words]
    if words[0] in ("[", "[["):
        words = words[:-1]
    elif words[0] != "test":
        return None
    if len(words) != 4 or words[2] not in ("=", "==", "!="):
        return None
    left, operator, right = words[1:]
    if left is None or right is None or re.search(r"[*?\[]", right):
        return None
    return (left == right) is (operator != "!=")


def printed(statement: Statement) -> Pieces | None:
    """What a command substitution gives, or None if that takes running it.

    Only ``echo``, ``printf`` with plain formats and ``cat`` of a here-document
    print something that is known beforehand.
    """
    output = _printed(statement)
    if output is None or not output or not isinstance(output[-1], str):
        return output
    return joined([*[(piece,) for piece in output[:-1]], (output[-1].rstrip("\n"),)])


def _printed(statement: Statement) -> Pieces | None:
    match statement:
        case SimpleCommand():
            return _of_command(statement)
        case Group(body=body, background=False):
            return _printed(body)
        case Pipeline(items=(*_, SimpleCommand() as last), negated=False):
            # What comes through the pipe is its input, where that is known.
            return _of_command(last) if last.words[0].text in _DECODERS else None
        case ErrExit():
            return ()
        case AndOr(left=left, right=right) if right == NOTHING:
            # A test, behind which only a variable may be set.
            return () if told_apart(left) is not None else None
        case Statements(items):
            outputs = [_printed(item) for item in items]
            known = [output for output in outputs if output is not None]
            return joined(known) if len(known) == len(outputs) else None
    return None


def _of_command(command: SimpleCommand) -> Pieces | None:
    if command.redirects and command.stdin is None:
        return None
    name = command.words[0].text
    arguments = [word.pieces for word in command.words[1:]]
    if name == "seq":
        return _seq([text_of(argument) or "" for argument in arguments])
    if name in _DECODERS and command.stdin is not None:
        from kopslint.shell.text_filters import filtered

        given = command.stdin.text
        plain = command._replace(redirects=(), stdin=None)
        text = filtered(plain, given) if given is not None else None
        return (text,) if text is not None else None
    if name == "cat" and not arguments and command.stdin is not None:
        return command.stdin.pieces
    if name == "echo":
        options = [text_of(argument) for argument in arguments[:1]]
        if options == ["-n"]:
            return joined(arguments[1:], " ")
        if options and (options[0] or "").startswith("-"):
            return None
        return joined([joined(arguments, " "), ("\n",)])
    if name == "printf" and arguments:
        return _printf(text_of(arguments[0]), arguments[1:])
    return None


def _seq(arguments: list[str]) -> Pieces | None:
    if not 1 <= len(arguments) <= 3:
        return None
    if not all(re.fullmatch(r"-?\d{1,9}", argument) for argument in arguments):
        return None
    first, pace, last = 1, 1, int(arguments[-1])
    if len(arguments) > 1:
        first = int(arguments[0])
    if len(arguments) > 2:
        pace = int(arguments[1])
    numbers = count(first, "<=" if pace > 0 else ">=", last, pace, MOST_WORDS)
    if numbers is None:
        return None
    return ("".join(f"{number}\n" for number in numbers[:-1]),)


def _printf(form: str | None, arguments: list[Pieces]) -> Pieces | None:
    if form is None or re.search(r"%(?!s|%)|\\[^n]", form):
        return None
    fields = form.count("%s")
    if len(arguments) > max(fields, 0) and (fields == 0 or len(arguments) % fields):
        return None
    pieces: list[Pieces] = []
    queue = list(arguments)
    while True:
        for part in re.split(r"(%s|%%|\\n)", form):
            if part == "%s":
                pieces.append(queue.pop(0) if queue else ())
            else:
                pieces.append(({"%%": "%", r"\n": "\n"}.get(part, part),))
        if not queue:
            return joined(pieces)
