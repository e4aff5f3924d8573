"""``--timeout``: the last resort against a check that does not end.

Work is counted (``kopslint.budget``), so that the same input ends at the same place. A
limit of seconds depends on the machine, and is there for pipelines that must go on.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from kopslint import budget
from kopslint.errors import InputError

if TYPE_CHECKING:
    from types import FrameType


def limit(seconds: int) -> None:
    """End this check after ``seconds``, with what is known by then.

    Replays stop at the next command, which is a finding. What goes on for as long again
    all the same, such as reading, is ended with ``InputError``.
    """
    if not hasattr(signal, "setitimer"):
        return

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise InputError(
            f"the check was stopped after {2 * seconds} seconds",
            hint="check less at once, or allow more time with --timeout",
        )

    def hurry(_signal: int, _frame: FrameType | None) -> None:
        budget.end()
        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    signal.signal(signal.SIGALRM, hurry)
    signal.setitimer(signal.ITIMER_REAL, seconds)
