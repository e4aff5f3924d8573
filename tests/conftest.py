"""How property tests run, here and wherever else.

A busy machine is no defect: no example is timed, and slow generation is no failure.
Where ``CI`` is set the examples are the same at every run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "kopslint",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kopslint")
