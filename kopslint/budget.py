"""How much work a part of a run may do, counted so that the same input gives the same.

A unit is what one state of an etcd cluster costs: up to a hundred microseconds. Loops
that input can lengthen spend it; whoever gave the budget says what was left undone.
Seconds would depend on the machine, and a report must not.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = 300_000
"""Units for all clusters of a run: less than a minute on a common machine."""

LEAST = 30_000
"""Units for one cluster, however many there are. Real lists need some thousands."""


class BudgetSpentError(Exception):
    """The work that was allowed is done, and more would be needed."""


class _Left:
    """What is left of the budget in force; None where nobody has set one."""

    units: int | None = None
    ended = False


def spend(units: int = 1) -> None:
    """Count work. Raises ``BudgetSpentError`` once more was done than is allowed."""
    if _Left.units is None:
        return
    _Left.units -= units
    if _Left.units < 0:
        raise BudgetSpentError


@contextmanager
def limited(units: int) -> Iterator[None]:
    """Allow at most ``units`` of work inside, and no more than is left outside."""
    outside = _Left.units
    inside = units if outside is None else min(units, outside)
    if _Left.ended:
        inside = 0
    _Left.units = inside
    try:
        yield
    finally:
        used = inside - (_Left.units or 0)
        _Left.units = None if outside is None else outside - used


def end() -> None:
    """Let nothing more be done, whatever was allowed."""
    _Left.ended = True
    if _Left.units is not None:
        _Left.units = 0


def share(clusters: int) -> int:
    """The units for each of so many clusters, the same in one process or in several."""
    return max(RUN // max(clusters, 1), LEAST)
