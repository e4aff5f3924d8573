"""Situations on the courses of a list: who succeeded, who has left, who answers what.

Pure questions about situations that the walk through a list asks at every turn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from kopslint.commands.model import Foreign, MemberList, Reads, Unreadable

if TYPE_CHECKING:
    from kopslint.commands.command import Command
    from kopslint.simulate.situation import Situation

Asked = Literal["no", "or", "yes"]
"""Who looks at a command's status: nobody, an ``||`` or ``&&``, or a condition."""

ASKING = frozenset({"[", "[[", "((", "test", "grep", "egrep", "diff", "cmp", "read"})
"""Programs that people run for their exit status."""


def is_step(command: Command) -> bool:
    """Whether a command can change what is simulated, and so is a step."""
    return not isinstance(command, Foreign | Reads | MemberList | Unreadable)


def split(
    situations: list[Situation],
) -> tuple[list[Situation], list[Situation]]:
    """Those whose last command succeeded, or that have ended, and the others."""
    good = [s for s in situations if s.ok or s.ended is not None]
    bad = [s for s in situations if not s.ok and s.ended is None]
    return good, bad


def past(situation: Situation, scope: str | None) -> Situation:
    """A situation behind the end of a scope, if that is what it has left."""
    ended = situation.ended
    if ended is None or scope is None or ended.leaves != scope:
        return situation
    return replace(situation, ended=None, ok=not ended.failed)


def turned(
    situations: list[Situation],
) -> tuple[list[Situation], list[Situation], list[Situation]]:
    """After one turn of a loop: those that go on, that left it, and that ended."""
    going, broken, ended = [], [], []
    for situation in (past(s, "turn") for s in situations):
        if situation.ended is None:
            going.append(situation)
        elif situation.ended.leaves == "loop":
            broken.append(past(situation, "loop"))
        else:
            ended.append(situation)
    return going, broken, ended


def answers(
    command: Foreign | Reads | MemberList, going: list[Situation], asked: Asked
) -> list[Situation]:
    """The exit status of a program that changes nothing.

    Where somebody asks for it, both answers are followed; where nobody does, the
    program is taken to succeed.
    """
    if isinstance(command, Foreign) and command.status is not None:
        return [replace(s, ok=command.status) for s in going]
    good = [replace(s, ok=True) for s in going]
    program = command.program if isinstance(command, Foreign) else ""
    if asked == "yes" or (asked == "or" and program in ASKING):
        return [*good, *(replace(s, ok=False) for s in going)]
    return good
