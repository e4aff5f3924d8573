"""The command: ``python -m verify.rescue [--seconds N] [--only WORDS] [FOLDER ...]``.

Every broken state is mended with the etcd of the machine, and with that of each folder
that has an ``etcd`` and an ``etcdctl``. Exit status 0 if all ended as promised, 1 if
one did not, 2 if there is no etcd and none can be installed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from verify.__main__ import PACKAGES, installed, say
from verify.rescue.states import STATES
from verify.rescue.trial import Release, tried
from verify.servers import ETCD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def releases(folders: Sequence[str]) -> Iterator[Release]:
    """The etcd of the machine, and one for every folder."""
    for folder in (str(Path(ETCD).parent), *folders):
        etcd, etcdctl = Path(folder) / "etcd", Path(folder) / "etcdctl"
        if not (etcd.exists() and etcdctl.exists()):
            say(f"skipped: {folder} has no etcd with its etcdctl")
            continue
        told = subprocess.run(  # noqa: S603 (the programs that were named)
            [str(etcd), "--version"], check=True, capture_output=True, text=True
        )
        version = re.search(r"etcd Version: (\S+)", told.stdout)
        yield Release(str(etcd), str(etcdctl), version[1] if version else "")


def main() -> int:
    """Mend every state with every etcd, as long as there is time."""
    parser = argparse.ArgumentParser(prog="python -m verify.rescue")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--only", default="", help="states with these words")
    parser.add_argument("folders", nargs="*", help="with etcd and etcdctl")
    wanted = parser.parse_args()
    if not installed():
        say(f"skipped: no {ETCD}, and {' and '.join(PACKAGES)} cannot be installed")
        return 2
    until = time.monotonic() + wanted.seconds
    done = 0
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for release in releases(wanted.folders):
            for broken in STATES.values():
                if wanted.only not in broken.about:
                    continue
                name = f"etcd {release.version}: {broken.about}"
                if time.monotonic() > until:
                    say(f"{name}: skipped, the time is over")
                    continue
                began = time.monotonic()
                outcome = tried(broken, release, Path(folder) / "trial")
                done += 1
                took = f"{time.monotonic() - began:.0f} s"
                if not outcome.wrong:
                    say(f"{name}: as promised, {outcome.told}, {took}")
                    continue
                failed.append(name)
                say(f"{name}: NOT AS PROMISED, {took}: {'; '.join(outcome.wrong)}")
                say(f"{outcome.printed[-6000:]}\n--------\n{outcome.said[-3000:]}")
    say(f"{done} clusters mended, {len(failed)} not as promised")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
