"""From a command list with hazards to the same list without: the smallest edit found.

An edit is kept only if the check says so: the search proposes, and ``judge`` reads
every proposal like anybody else's list. Nothing is run, no file is opened, and how
the result is shown is not known here.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import chain
from typing import TYPE_CHECKING

from kopslint.commands.model import DeleteVolumes
from kopslint.plan.mend_edits import exchanges, insertions, with_removals
from kopslint.plan.mend_lines import NoListing, read_listing
from kopslint.plan.mend_try import MENDED, Change, Try, errors, is_about
from kopslint.plan.units import turnover
from kopslint.records import Record
from kopslint.source.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kopslint.findings import Report, Severity
    from kopslint.plan.mend_lines import Listing
    from kopslint.simulate.record import Simulation

    Judge = Callable[[Source], Report]


_WRITABLE = re.compile(r"[A-Za-z0-9._-]+")

MOST_LINES = 1_000
"""Longer lists are no lists of steps that somebody wrote."""

MOST_TRIES = 50
"""How many lists are judged at most."""

MOST_EFFORT = 700_000
"""How much is read again for that at most, in characters; a world is some of them."""


class Mended(Record):
    """A list that the check accepts, made of the same lines and some more.

    ``added`` counts the lines put in, ``moved`` those in another place.
    """

    text: str
    added: int
    moved: int


class NotMended(Record):
    """That no edit was found, and why, as the end of a sentence with "because"."""

    reason: str


def mend(change: Change, source: Source, judge: Judge) -> Mended | NotMended:
    """The list of ``source`` with the fewest lines moved and added that make it safe.

    Safe means that ``judge`` finds no error in it, no warning of a kind that the list
    did not have, and that it brings the cluster as far as before. A list without
    errors is mended of its warnings, as far as possible. The result depends on
    nothing but the arguments.
    """
    report = judge(source)
    elsewhere = next((f for f in errors(report) if not is_about(f, source)), None)
    if elsewhere is not None:
        place = elsewhere.locations[0].span.source.path if elsewhere.locations else "-"
        return NotMended(
            f"{elsewhere.rule} is about {place}, and no order of these commands mends "
            f"that: {elsewhere.message}"
        )
    if len(source.lines) > MOST_LINES:
        return NotMended(f"it has more than {MOST_LINES:,} lines")
    listing = read_listing(source)
    if isinstance(listing, NoListing):
        return NotMended(listing.reason)
    start = Try(listing=listing, source=source, report=report, change=change)
    goal = next((severity for severity in MENDED if start.told(severity)), None)
    if goal is None:
        return NotMended("there is nothing to mend in it")
    reason = _hopeless(start.simulation)
    if reason is not None:
        return NotMended(reason)
    found = _Search(start, judge, goal).run()
    if found.accepted(start) and found.harm < start.harm:
        return _mended(source, found.source)
    left = (found.told(goal) or start.told(goal))[0]
    return NotMended(f"no order that was tried mends {left.rule}: {left.message}")


def _mended(original: Source, result: Source) -> Mended:
    """The result, and what became of the lines of the original."""
    old, new = original.lines, result.lines
    matcher = SequenceMatcher(None, old, new)
    moved = len(old) - sum(block.size for block in matcher.get_matching_blocks())
    return Mended(result.text, len(new) - len(old), moved)


def _hopeless(simulation: Simulation) -> str | None:
    """Why no order of the commands can be told to be safe, if that is known at once."""
    plan = simulation.plan
    if simulation.truncated:
        return "more can come of it than is followed"
    for name in (plan.after.name, *plan.members, *chain(*plan.members.values())):
        if not _WRITABLE.fullmatch(name):
            return f"{name!r} is no name to write into a script"
    for command in plan.commands:
        refused = next((p for p in command.problems if p.refused), None)
        if refused is not None:
            return f"line {refused.span.line} is refused anywhere: {refused.message}"
    if any(isinstance(command, DeleteVolumes) for command in plan.commands):
        return None
    moves = turnover(plan.before, plan.after)
    for old in moves.leaving:
        for new in moves.joining:
            zones = plan.before.zones_of(old.group), plan.after.zones_of(new.group)
            if zones[0] == zones[1] or old.collides(new):
                return (
                    f"the machine of {new.name} would mount the etcd volumes of"
                    f" {old.name}, which have to be deleted in between"
                )
    return None


class _Search:
    """Climbs from one list to a better one, edit by edit, within a fixed effort."""

    def __init__(self, start: Try, judge: Judge, goal: Severity) -> None:
        self._start = start
        self._judge = judge
        self._goal = goal
        self._tries = MOST_TRIES
        self._effort = MOST_EFFORT

    def run(self) -> Try:
        """The best list found; the first one if there is no better."""
        best = self._start
        while (better := self._better(best)) is not None:
            best = better
        return best

    def _better(self, best: Try) -> Try | None:
        if self._is_done(best):
            if not best.lacks or not any(best.harm):
                return None
            # What is stored and never applied is a step that is missing.
            kinds = [insertions(best.listing, best.simulation.plan)]
        else:
            kinds = [
                with_removals(best.listing, best.source, best.simulation),
                exchanges(best.listing),
                insertions(best.listing, best.simulation.plan),
            ]
        for kind in kinds:
            found = self._least(kind, best)
            if found is not None:
                return found
        return None

    def _least(self, listings: Iterable[Listing], best: Try) -> Try | None:
        """The best of some lists, if it is better than ``best``; the first of equals.

        The lists come with the smallest edits first, so one without fault is enough.
        """
        least = best
        for listing in listings:
            if self._tries < 1 or self._effort < 1:
                break
            source = Source(self._start.source.path, listing.text)
            tried = Try(
                listing=listing,
                source=source,
                report=self._judge(source),
                change=best.change,
            )
            self._tries -= 1
            self._effort -= tried.effort
            if tried.beats(least):
                least = tried
                if self._is_done(least):
                    break
        return None if least is best else least

    def _is_done(self, tried: Try) -> bool:
        """Whether nothing is left of what is to be mended."""
        accepted = tried.accepted(self._start)
        return accepted and not tried.told(self._goal)
