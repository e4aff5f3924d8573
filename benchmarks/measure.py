"""How things are measured: alternating runs, and the median of each.

The memory of a program that starts others is that of all of them together, each page
that they share counted once; only Linux tells, in ``/proc``.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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


def megabytes_of_all(command: Sequence[str], folder: Path) -> float:
    """The most memory that a command and all that it starts had at a time."""
    most = 0.0
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    ) as process:
        while process.poll() is None:
            most = max(most, sum(map(_proportional_megabytes, _family(process.pid))))
            time.sleep(0.005)
    return most


def _family(pid: int) -> Iterator[int]:
    """A process and all that it started, and that they started."""
    yield pid
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return
    for child in text.split():
        yield from _family(int(child))


def _proportional_megabytes(pid: int) -> float:
    """The memory of a process, shared pages divided by those who share them."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    fields = (line.split() for line in text.splitlines())
    return next((int(f[1]) / 1024 for f in fields if f[0] == "Pss:"), 0.0)


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
