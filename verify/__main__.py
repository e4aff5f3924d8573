"""The command: ``python -m verify [--count N] [--seconds N] [--first SEED]``.

Exit status 0 if everything is alike, 1 at a difference that comes again, 2 if there
is no etcd and none can be installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from verify.replay import DifferenceError, prepare, replay, shrunk
from verify.sequences import generate
from verify.servers import ETCD, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify.sequences import Sequence

PACKAGES = ("etcd-server", "etcd-client")


class Tally:
    """What all workers together have replayed, up to a number and a time."""

    def __init__(self, first: int, most: int, seconds: float) -> None:
        self._lock = Lock()
        self._seeds = iter(range(first, first + most))
        self._until = time.monotonic() + seconds
        self.sequences = self.operations = self.passing = 0
        self.differing: list[str] = []

    def seeds(self) -> Iterator[int]:
        """The next seeds, each given to one worker, while there is time."""
        while time.monotonic() < self._until:
            with self._lock:
                seed = next(self._seeds, None)
            if seed is None:
                return
            yield seed

    def stop(self, *_: object) -> None:
        """Give out no more seeds; what is being replayed still ends in order."""
        self._until = 0.0

    def alike(self, seed: int, sequence: Sequence, operations: int) -> None:
        """Count a sequence in which model and etcd are alike."""
        with self._lock:
            self.sequences += 1
            self.operations += operations
            say(f"seed {seed}: alike, {sequence}")

    def differs(self, seed: int, sequence: Sequence, told: str) -> None:
        """Shrink and count a sequence in which they are not."""
        found = shrunk(sequence)
        with self._lock:
            self.sequences += 1
            if found is None:
                self.passing += 1
                say(f"seed {seed}: differed once, not again: {sequence}: {told}")
                return
            smallest, told = found
            self.differing.append(f"seed {seed}: {smallest}: {told}")
            say(f"DIFFERENT {self.differing[-1]}")


def work(tally: Tally) -> None:
    """Replay seed after seed, the next servers coming up meanwhile."""
    seeds = tally.seeds()
    seed = next(seeds, None)
    servers = prepare(generate(seed)) if seed is not None else None
    try:
        while seed is not None and servers is not None:
            sequence, present = generate(seed), servers
            following = next(seeds, None)
            servers = None
            with present:
                if following is not None:
                    servers = prepare(generate(following))
                told = None
                try:
                    tally.alike(seed, sequence, replay(sequence, present))
                except (DifferenceError, RefusedError) as error:
                    told = str(error)
            if told is not None:
                tally.differs(seed, sequence, told)
            seed = following
    finally:
        if servers is not None:
            servers.close()


def installed() -> bool:
    """Whether there is an etcd, once Debian's was installed where it can be."""
    if Path(ETCD).exists():
        return True
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say(f"installing {' and '.join(PACKAGES)} with apt-get")
    # Debian would start an etcd of its own as a service; none is wanted.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
    subprocess.run(  # noqa: S603 (a fixed command)
        command, check=False, env=environment, stdout=subprocess.DEVNULL
    )
    return Path(ETCD).exists()


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Replay as many sequences as there is time for, and say what came of it."""
    parser = argparse.ArgumentParser(prog="verify", description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--parallel", type=int, choices=(1, 2), default=2)
    options = parser.parse_args()
    if not installed():
        say(f"no {ETCD}: install {' and '.join(PACKAGES)} as root")
        return 2
    version = subprocess.run([ETCD, "--version"], check=True, capture_output=True)  # noqa: S603
    say(version.stdout.decode().partition("\n")[0])
    tally = Tally(options.first, options.count, options.seconds)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, tally.stop)
    began = time.monotonic()
    with ThreadPoolExecutor(options.parallel) as pool:
        workers = [pool.submit(work, tally) for _ in range(options.parallel)]
    for worker in workers:
        worker.result()
    say(
        f"{tally.sequences} sequences with {tally.operations} operations in "
        f"{time.monotonic() - began:.0f} s: {len(tally.differing)} differ, "
        f"{tally.passing} differed once and not again"
    )
    for told in tally.differing:
        say(told)
    return 1 if tally.differing or not tally.sequences else 0


if __name__ == "__main__":
    sys.exit(main())
