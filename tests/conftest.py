"""How property tests run, here and wherever else.

A busy machine is no defect: no example is timed, and slow generation is no failure.
Where ``CI`` is set the examples are the same at every run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

settings.register_profile(
    "kopslint",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kopslint")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many pairs of a case and a transformation were compared."""
    stats = terminalreporter.stats
    hows = {
        outcome: [
            how
            for report in stats.get(outcome, ())
            for name, how in getattr(report, "user_properties", ())
            if name == "transformation"
        ]
        for outcome in ("passed", "failed")
    }
    compared = hows["passed"] + hows["failed"]
    if compared:
        terminalreporter.write_line(
            f"metamorphic: {len(compared)} pairs, {len(set(compared))} ways to write, "
            f"{len(hows['failed'])} disagreements"
        )
