"""What running one command in one situation comes to.

This is all that commands' effects hand back; who records it and what it means for
people is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kopslint.findings import Status
    from kopslint.kops.refusals import Refusal
    from kopslint.simulate.situation import Situation


@dataclass(frozen=True, slots=True)
class Result:
    """One way a command may end: the situation after it, and what was done.

    ``status`` is "no-op" where the command by itself changes nothing (no ``--yes``)
    and "unknown" where it cannot be read. ``undecided`` says what had to be left
    open; ``assumed`` what was taken for granted instead.
    """

    situation: Situation
    status: Status = "applied"
    refusals: tuple[Refusal, ...] = ()
    undecided: str | None = None
    assumed: str | None = None


def applied(situation: Situation, assumed: str | None = None) -> Result:
    """The command took effect."""
    return Result(replace(situation, ok=True), assumed=assumed)


def nothing(situation: Situation) -> Result:
    """The command ran and by itself changes nothing."""
    return Result(replace(situation, ok=True), "no-op")


def refused(situation: Situation, *refusals: Refusal) -> Result:
    """The command refuses to run, or stops where the situation is now."""
    return Result(replace(situation, ok=False), "refused", refusals)


def undecided(situation: Situation, why: str) -> Result:
    """What the command does cannot be told; it is taken to change nothing."""
    return Result(replace(situation, ok=True), "unknown", undecided=why)
