"""How long a command waits: Go's durations and those of ``sleep``."""

from __future__ import annotations

import re

from kopslint.kops.duration import go_seconds

_SLEEP = re.compile(r"(\d+\.?\d*|\.\d+)([smhd]?)")
_SLEEP_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float | None:
    """The seconds of ``1h30m`` (Go) or ``30``, ``1d`` (``sleep``), or None."""
    known = go_seconds(text)
    if known is not None:
        return known
    match = _SLEEP.fullmatch(text)
    return float(match[1]) * _SLEEP_UNITS[match[2]] if match else None
