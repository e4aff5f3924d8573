"""How things are measured: alternating runs, and the median of each."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

MEGABYTE = 1024 if sys.platform == "linux" else 1024 * 1024


class Cost(NamedTuple):
    """The medians of what a whole process took.

    ``megabytes`` are its peak, but never less than the peak of the process that
    started it, which Linux counts in.
    """

    seconds: float
    cpu: float
    megabytes: float


def processes(
    commands: Mapping[str, Sequence[str]], runs: int, folder: Path
) -> dict[str, Cost]:
    """What each command costs, the commands taking turns ``runs`` times.

    A run may end with status 0 or 1, which is a linter's way to say that it found
    something; any other ends the benchmark.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(_run(command, folder))
    return {
        name: Cost(*map(median, zip(*of, strict=True))) for name, of in costs.items()
    }


def _run(command: Sequence[str], folder: Path) -> Cost:
    started = time.perf_counter()
    with (folder / "output").open("w+b") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            output.seek(0)
            raise SystemExit(output.read().decode())
    cpu = used.ru_utime + used.ru_stime
    return Cost(seconds, cpu, used.ru_maxrss / MEGABYTE)


def cpu_seconds(work: Callable[[], object], runs: int = 3) -> float:
    """The median processor time of a call, after one that does not count."""
    work()
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return median(times)


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """The power of size that cost grows with, between the two largest sizes."""
    return math.log(costs[-1] / costs[-2]) / math.log(sizes[-1] / sizes[-2])
