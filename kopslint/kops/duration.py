"""The durations of kops's flags, which are Go's: ``10m``, ``1h30m``, ``500ms``."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_WHOLE = rf"([+-]?)((?:{_PART})+)"


def go_seconds(text: str) -> float | None:
    """The seconds of a Go duration, or None if Go would refuse it.

    A number without a unit is refused, except zero. Source: time.ParseDuration.
    """
    if text in ("0", "+0", "-0"):
        return 0.0
    whole = re.fullmatch(_WHOLE, text)
    if whole is None:
        return None
    parts = re.findall(_PART, whole[2])
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return -seconds if whole[1] == "-" else seconds
