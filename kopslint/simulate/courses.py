"""Situations on the courses of a list: who succeeded, who has left, who answers what.

Pure questions about situations that the walk through a list asks at every turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.commands.model import (
    DeleteInstance,
    Foreign,
    MemberList,
    Reads,
    ResizeCloudGroup,
    StopInstances,
    Unreadable,
    Unreplayed,
    Validate,
)
from kopslint.simulate.assumptions import Kind, assume

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.commands.command import Command
    from kopslint.simulate.assumptions import Assumption
    from kopslint.simulate.situation import Situation
    from kopslint.syntax.script import Group, Repeat

Asked = Literal["no", "or", "yes"]
"""Who looks at a command's status: nobody, an ``||`` or ``&&``, or a condition."""

ASKING = frozenset({"[", "[[", "((", "test", "grep", "egrep", "diff", "cmp", "read"})
"""Programs that people run for their exit status."""


def is_step(command: Command) -> bool:
    """Whether a command can change what is simulated, and so is a step."""
    return not isinstance(command, Foreign | Reads | MemberList | Unreadable)


def lists_members(commands: Iterable[Command]) -> bool:
    """Whether one of them prints a member list of etcd, which is never empty."""
    return any(isinstance(command, MemberList) for command in commands)


def other_way(
    here: list[Situation], asks: Iterable[Command], then: Iterable[Command]
) -> list[Situation]:
    """The same situations had a test come out otherwise, where that is to be followed.

    Validation looks at nodes and pods too, which no file shows, so it may fail, or
    succeed, where etcd gives no reason. That matters where something is changed then,
    and not where the list ends, waits or prints.
    """
    if not any(isinstance(command, Validate) for command in asks):
        return []
    follow = acts(then)
    return [s._replace(ok=not s.ok) for s in here if follow and s.ended is None]


def acts(commands: Iterable[Command]) -> bool:
    """Whether one of them may change the cluster, as far as anybody can read it."""
    from kopslint.commands.meaning import meaning

    return any(meaning(command).planes for command in commands)


def has_turns(loop: Repeat) -> bool:
    """Whether a loop is taken to have a turn: what it goes through is there.

    An etcd cluster always has members, and a list that deletes the disks it looks up
    by their tags means some that are there.
    """
    return "member list" in loop.items.name or _looks_up_disks(loop)


def is_open(loop: Repeat, commands: Iterable[Command]) -> bool:
    """Whether something is to be said of what a loop goes through.

    Not if nothing in it can change anything, and of members and machines not either:
    which they are taken to be is said where they are used.
    """
    changing = [command for command in commands if acts([command])]
    if "member list" in loop.items.name:
        return False
    return not all(isinstance(command, _BY_NAME) for command in changing)


def found_by(loop: Repeat) -> Assumption | None:
    """What is taken for granted of what a loop goes through, if anything is."""
    if not _looks_up_disks(loop):
        return None
    text = "the loop finds the disks that it looks for"
    return assume(Kind.DISK, loop.items.name, text, span=loop.span)


_BY_NAME = (DeleteInstance, ResizeCloudGroup, StopInstances, Unreplayed)
"""What is followed for any machine or group, where only run time knows which."""


def _looks_up_disks(loop: Repeat) -> bool:
    return "describe-volumes" in loop.items.name and "tag" in loop.items.name


def reads_lines(commands: Iterable[Command]) -> bool:
    """Whether a loop that asks them goes through lines, and so comes to its end."""
    return any(isinstance(c, Foreign) and c.program == "read" for c in commands)


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
    if ended is None or scope is None:
        return situation
    if ended.levels > 1 and scope == "loop":
        # What leaves several loops, or a turn of an outer one, leaves this loop.
        return situation._replace(ended=ended._replace(levels=ended.levels - 1))
    if ended.leaves != scope or ended.levels > 1:
        return situation
    return situation._replace(ended=None, ok=not ended.failed)


def in_background(situation: Situation) -> Situation:
    """A situation inside a job in the background that starts there."""
    return situation._replace(job=situation.job or "nothing")


def beside(situation: Situation, before: Situation) -> Situation:
    """A situation beside a job in the background, which was started in ``before``."""
    job = situation.job if before.job is not None else None
    replacing = situation.replacing or situation.job == "replaced"
    return situation._replace(job=job, replacing=replacing)


def turned(
    situations: list[Situation],
) -> tuple[list[Situation], list[Situation], list[Situation]]:
    """After one turn of a loop: those that go on, that left it, and that ended."""
    going, broken, ended = [], [], []
    for situation in (past(s, "turn") for s in situations):
        behind = past(situation, "loop")
        if situation.ended is None:
            going.append(situation)
        elif behind.ended is None:
            broken.append(behind)
        else:
            ended.append(behind)
    return going, broken, ended


def answers(
    command: Foreign | Reads | MemberList, going: list[Situation], asked: Asked
) -> list[Situation]:
    """The exit status of a program that changes nothing.

    Where somebody asks for it, both answers are followed; where nobody does, the
    program is taken to succeed.
    """
    if isinstance(command, Foreign) and command.program == "wait":
        # `wait -n` is for one job of several.
        one = "-n" in command.text.split()
        return [s._replace(ok=True, replacing=s.replacing and one) for s in going]
    if isinstance(command, Foreign) and command.status is not None:
        return [s._replace(ok=command.status) for s in going]
    good = [s._replace(ok=True) for s in going]
    program = command.program if isinstance(command, Foreign) else ""
    if asked == "yes" or (asked == "or" and program in ASKING):
        return [*good, *(s._replace(ok=False) for s in going)]
    return good


def alone(situation: Situation, errexit: bool) -> Situation:
    """A situation behind a shell of its own, whose end ends nothing else."""
    ok = situation.ok if situation.ended is None else not situation.ended.failed
    return situation._replace(ended=None, ok=ok, errexit=errexit)


def rejoined(
    situation: Situation, group: Group, errexit: bool, asked: Asked
) -> Situation:
    """A situation back in the shell that started ``group``, which had ``errexit``."""
    outside = alone(situation, errexit)
    stops = not outside.ok and errexit and asked == "no" and not group.background
    return outside._replace(
        ended=situation.ended if stops else None, ok=outside.ok or group.background
    )
