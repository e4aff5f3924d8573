"""A command list as lines that may trade places: what moves, and with what.

A command moves with the comments right above it, and with the lines behind it that
only look or tell. Whatever later lines may depend on (a variable, a folder, a written
file, a branch) is a wall: it stays, and nothing moves past it. This module must not
know what any order of the lines does.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from kopslint.commands.model import (
    Foreign,
    MemberList,
    NodeCommand,
    Reads,
    Sleep,
    SnapshotSave,
    Unreadable,
    Validate,
)
from kopslint.commands.recognise import recognise
from kopslint.records import Record
from kopslint.syntax.command_list import notation_of, read_commands, simple_commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.commands.command import Command
    from kopslint.source.text import Source
    from kopslint.syntax.script import SimpleCommand

Role = Literal["gap", "first", "step", "after", "wall"]

_LOOKS = (Foreign, MemberList, Reads, Sleep, Validate)
_SIMPLE = ("command", "redirected_statement")
"""What tree-sitter calls one program with its arguments."""

# Of the programs that have no business with the cluster, those that leave nothing
# behind; any other one may make what the lines below need.
_TALKS = frozenset({":", "date", "echo", "printf", "true"})


class Piece(Record):
    """Lines that stay together, without their ends.

    A "step" is a command that changes something; what is "first" goes with the step
    below it and what is "after" with the one above. A "gap" is blank or a comment by
    itself. ``commands`` are those of a piece that is no wall.
    """

    lines: tuple[str, ...]
    role: Role
    commands: tuple[Command, ...] = ()

    def under(self, lines: Iterable[str]) -> Piece:
        """The same piece with some lines more on top."""
        return self._replace(lines=(*lines, *self.lines))


class Listing(Record):
    """A list of commands in pieces; ``end`` ends its lines, the last only if ``ended``.

    Every piece but one that was put in is made of lines that were read.
    """

    pieces: tuple[Piece, ...]
    end: str
    ended: bool

    @property
    def text(self) -> str:
        """The whole list."""
        lines = [line for piece in self.pieces for line in piece.lines]
        return self.end.join(lines) + (self.end if self.ended else "")

    def at(self, line: int) -> int:
        """The index of the piece that has a line of the text, counted from 1."""
        ends = accumulate(len(piece.lines) for piece in self.pieces)
        return next(index for index, end in enumerate(ends) if line <= end)


class NoListing(Record):
    """That the lines of a source cannot be moved about, and why."""

    reason: str


def read_listing(source: Source) -> Listing | NoListing:
    """The pieces of a shell script or a plain list of commands."""
    if (notation := notation_of(source)) != "shell":
        return NoListing(f"it is written as {notation}, and only shell is mended")
    script = read_commands(source)
    if script.unread:
        place, reason = script.unread[0].span, script.unread[0].reason
        return NoListing(f"line {place.line} cannot be read: {reason.reason}")
    ends = set(re.findall(r"\r\n|\r|\n", source.text))
    if len(ends) > 1:
        return NoListing("its lines do not all end in the same way")
    ended = source.text.endswith(tuple(ends))
    lines = source.lines[:-1] if ended else source.lines
    calls: dict[int, list[SimpleCommand]] = {}
    for call in simple_commands(script.body):
        if call.span.source is source:
            calls.setdefault(call.span.line - 1, []).append(call)
    pieces: list[Piece] = []
    done = 0
    for start, end, simple in _statements(source):
        own = [c for line in range(start, end) for c in calls.get(line, ()) if simple]
        top = _comments_above(lines, start, done)
        pieces.extend(_gaps(lines[done:top]))
        pieces.append(_piece(tuple(lines[top:end]), own))
        done = end
    pieces.extend(_gaps(lines[done:]))
    return Listing(tuple(pieces), "".join(ends) or "\n", ended)


def _statements(source: Source) -> Iterator[tuple[int, int, bool]]:
    """The lines of every statement, from and up to; and whether it is simple.

    Statements that share a line are one.
    """
    from kopslint.syntax.shell_text import whole_text
    from kopslint.syntax.shell_tree import Fault, parse

    text = whole_text(source)
    found: list[tuple[int, int, bool]] = []
    for node in parse(text):
        if isinstance(node, Fault) or not node.is_named or node.type == "comment":
            continue
        span = text.span(node.start_byte, node.end_byte)
        start, end, simple = span.line - 1, span.end_line, node.type in _SIMPLE
        if found and found[-1][1] > start:
            last = found.pop()
            start, end, simple = last[0], max(end, last[1]), simple and last[2]
        found.append((start, end, simple))
    yield from found


def _piece(lines: tuple[str, ...], calls: Sequence[SimpleCommand]) -> Piece:
    commands = tuple(command for call in calls for command in recognise(call))
    if not commands or any(map(_leaves_traces, _outermost(calls))):
        return Piece(lines, "wall")
    if all(isinstance(c, _LOOKS) for c in commands):
        return Piece(lines, "after", commands)
    if all(isinstance(c, NodeCommand | SnapshotSave) for c in commands):
        return Piece(lines, "first", commands)
    return Piece(lines, "step", commands)


def _outermost(calls: Sequence[SimpleCommand]) -> Iterator[SimpleCommand]:
    """The calls that are not in the arguments of another one."""
    spans = [(c.span.order[:3], c.span.order[3:]) for c in calls]
    for call, (start, end) in zip(calls, spans, strict=True):
        if not any(
            s <= start and end <= e and (s, e) != (start, end) for s, e in spans
        ):
            yield call


def _leaves_traces(call: SimpleCommand) -> bool:
    """Whether later lines may need what a call leaves: a job, a file, a folder."""
    writes = any(
        redirect.operator.endswith(">") and redirect.target.shown != "/dev/null"
        for redirect in call.redirects
        if redirect.target is not None
    )
    return call.background or writes or any(map(_may_do_more, recognise(call)))


def _may_do_more(command: Command) -> bool:
    """Whether a command may do something that is not known here."""
    talks = not isinstance(command, Foreign) or command.program in _TALKS
    return isinstance(command, Unreadable) or not talks


def _comments_above(lines: Sequence[str], start: int, done: int) -> int:
    """Where the comments right above a line begin; the first line's ``#!`` is none."""
    while start > done and lines[start - 1].lstrip().startswith("#"):
        if lines[start - 1].startswith("#!"):
            break
        start -= 1
    return start


def _gaps(lines: Iterable[str]) -> Iterator[Piece]:
    return (Piece((line,), "gap") for line in lines)
