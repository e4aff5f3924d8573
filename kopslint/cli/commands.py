"""``kopslint commands``: what was understood of a command list, for whoever wrote it.

No spec is needed and nothing is judged: every command is described in a few words, with
the planes that it changes and what could not be read.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kopslint.cli.common import TextOrJson  # noqa: TC001 - typer reads the annotations.
from kopslint.cli.console import style_for, write_output
from kopslint.cli.options import ColorWhen, Form, StdinAs
from kopslint.errors import NothingCheckedError
from kopslint.records import Record
from kopslint.report.job_log import Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.commands.model import Command
    from kopslint.shell.ast import Opaque, SimpleCommand, Unknown
    from kopslint.text import Source, Span

SCHEMA = "kopslint-commands/v1"


class Understood(Record):
    """One command, and the parts of it that are known only at run time."""

    command: Command
    unknowns: tuple[Unknown, ...]


def commands(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SRC", help="Scripts, runbooks, workflows, or -."),
    ],
    *,
    form: TextOrJson = Form.TEXT,
    stdin_as: Annotated[
        StdinAs | None,
        typer.Option(help="The format of standard input, instead of guessing."),
    ] = None,
) -> None:
    """Show how command lists are understood, one line for each command.

    A line is path:line:column, what the command will do, in brackets what it changes
    (registry, cloud, control spec, nodes, etcd, nothing, or unknown), and the command.
    Below it stand parts known only at run time (?) and faults (!). Nothing is run.

    With --format json: an object with "schema", "commands" and "unread". A command has
    "path", "line", "column", "end_line", "end_column", "command", "kind", "does",
    "changes" (a list, or null if that is unknown), "cluster" (or null), "unknown" (a
    list of "name" and "reason") and "problems" (a list of "kind", "message", "line",
    "column", "refused" and "suggestion"). What could not be read has its place, its
    "text" and the "reason".

    Exit status: 0 shown, 2 the inputs are wrong, 3 there was no command, 4 kopslint
    failed.
    """
    from kopslint.cli.inputs import read_commands

    understood, unread = _understood(read_commands(sources, stdin_as))
    if not understood and not unread:
        raise NothingCheckedError(
            "there is no command in the input",
            hint="commands are read from shell scripts, Markdown code blocks,"
            " pipelines, Makefiles, Jenkinsfiles and Terraform provisioners",
        )
    if form is Form.JSON:
        write_output(_json(understood, unread), Written.JSON)
    else:
        style = style_for(sys.stdout, ColorWhen.NEVER, os.environ)
        lines = map(style.safe, _text(understood, unread))
        write_output("\n".join(lines) + "\n")


def _understood(sources: Sequence[Source]) -> tuple[list[Understood], list[Opaque]]:
    """The commands of the sources and what could not be read, each in order."""
    from kopslint.commands.parse import recognise
    from kopslint.inputs.named_files import files_at_hand
    from kopslint.notations.command_list import read_commands, simple_commands

    at_hand = files_at_hand(sources)
    understood: list[Understood] = []
    unread: list[Opaque] = []
    for source in sources:
        script = read_commands(source, at_hand=at_hand)
        unread += sorted(script.unread, key=lambda opaque: opaque.span.order)
        for call in simple_commands(script.body):
            understood += [Understood(c, _unknowns(call, c)) for c in recognise(call)]
    return understood, unread


def _unknowns(call: SimpleCommand, command: Command) -> tuple[Unknown, ...]:
    """The unknown parts of a command line, those of tools like ``grep`` left out."""
    from kopslint.commands.model import Foreign
    from kopslint.shell.ast import Unknown

    if isinstance(command, Foreign):
        return ()
    pieces = (piece for word in call.words for piece in word.pieces)
    return tuple(dict.fromkeys(p for p in pieces if isinstance(p, Unknown)))


def _text(understood: Sequence[Understood], unread: Sequence[Opaque]) -> Iterator[str]:
    for each in understood:
        yield from _lines(each)
    for opaque in unread:
        written, reason = opaque.reason.name, opaque.reason.reason
        yield f"{opaque.span}: cannot be read: {reason} <- {written}"
    count = f"{len(understood)} command{'s' * (len(understood) != 1)}"
    if unread:
        count += f", {len(unread)} part{'s' * (len(unread) != 1)} cannot be read"
    yield from ("", count)


def _lines(understood: Understood) -> Iterator[str]:
    command = understood.command
    told = command.meaning
    changes = ", ".join(told.planes or ["nothing"])
    changes = "unknown" if told.planes is None else changes
    yield f"{command.span}: {told.words} [{changes}] <- {command.text}"
    for unknown in understood.unknowns:
        yield f"  ? {unknown.name}: {unknown.reason}"
    for problem in command.problems:
        meant = f"; perhaps {problem.hint}" if problem.hint else ""
        yield f"  ! {problem.message}{meant}"


def _json(understood: Sequence[Understood], unread: Sequence[Opaque]) -> str:
    told = {
        "schema": SCHEMA,
        "commands": [_command(each) for each in understood],
        "unread": [
            {**_place(o.span), "text": o.reason.name, "reason": o.reason.reason}
            for o in unread
        ],
    }
    return json.dumps(told, indent=2) + "\n"


def _command(understood: Understood) -> dict[str, object]:
    command = understood.command
    told = command.meaning
    return {
        **_place(command.span),
        "command": command.text,
        "kind": type(command).__name__,
        "does": told.words,
        "changes": list(told.planes) if told.planes is not None else None,
        "cluster": command.cluster.shown if command.cluster is not None else None,
        "unknown": [
            {"name": unknown.name, "reason": unknown.reason}
            for unknown in understood.unknowns
        ],
        "problems": [
            {
                "kind": problem.kind,
                "message": problem.message,
                "line": problem.span.line,
                "column": problem.span.column,
                "refused": not problem.harmless,
                "suggestion": problem.hint or None,
            }
            for problem in command.problems
        ],
    }


def _place(span: Span) -> dict[str, object]:
    return {
        "path": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
