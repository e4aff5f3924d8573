"""What running one command in one situation comes to.

This is all that commands' effects hand back; who records it and what it means for
people is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.commands.model import Reach
    from kopslint.findings import Status
    from kopslint.kops.refusals import Refusal
    from kopslint.simulate.assumptions import Assumption
    from kopslint.simulate.situation import Situation


class Result(Record):
    """One way a command may end: the situation after it, and what was done.

    ``status`` is "no-op" where the command by itself changes nothing (no ``--yes``)
    and "unknown" where it cannot be read. ``undecided`` says what had to be left
    open; ``assumed`` what was taken for granted where the text allows more. ``reach``
    is what was left open reaches, where that is not what such a command always does.
    """

    situation: Situation
    status: Status = "applied"
    refusals: tuple[Refusal, ...] = ()
    undecided: str | None = None
    assumed: tuple[Assumption, ...] = ()
    reach: Reach | None = None


def applied(situation: Situation, *assumed: Assumption) -> Result:
    """The command took effect, as far as what was assumed holds."""
    return Result(situation._replace(ok=True), assumed=assumed)


def nothing(situation: Situation) -> Result:
    """The command ran and by itself changes nothing."""
    return Result(situation._replace(ok=True), "no-op")


def refused(
    situation: Situation, *refusals: Refusal, assumed: tuple[Assumption, ...] = ()
) -> Result:
    """The command refuses to run, or stops where the situation is now."""
    return Result(situation._replace(ok=False), "refused", refusals, assumed=assumed)


def noted_by_job(result: Result) -> Result:
    """The same; a job in the background remembers that it replaced machines."""
    if result.situation.job is None:
        return result
    return result._replace(situation=result.situation._replace(job="replaced"))


def undecided(situation: Situation, why: str, reach: Reach | None = None) -> Result:
    """What the command does cannot be told; it is taken to change nothing."""
    return Result(situation._replace(ok=True), "unknown", undecided=why, reach=reach)
