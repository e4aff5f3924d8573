"""What every command has, and what can be wrong with a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from kopslint.source.text import Span
    from kopslint.syntax.script import Word


class Problem(Record):
    """Something wrong with the command line itself.

    ``kind`` is a stable name that a rule can look for; ``message`` says it to
    people; ``refused`` tells whether the program will refuse to run because of
    it; ``suggestion`` is the nearest thing that exists.
    """

    kind: Literal[
        "unknown-command",
        "unknown-flag",
        "removed-command",
        "bad-value",
        "missing-argument",
        "extra-argument",
        "name-twice",
        "bool-needs-equals",
    ]
    message: str
    span: Span
    refused: bool = True
    suggestion: str | None = None


class Command(Frozen):
    """What all commands have.

    ``text`` is the command on one line, for people, wrappers included; ``span``
    is its place; ``cluster`` is the cluster it names (None: not named, so the one
    at hand). ``problems`` are faults of the command line.
    """

    text: str
    span: Span
    cluster: Word | None = None
    problems: tuple[Problem, ...] = ()
