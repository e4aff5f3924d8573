"""The command: ``python -m verify.runbooks [--seconds N] [--seed N] [--bash PATH]``.

Exit status 0 if everything held, 1 with the trials that did not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from verify.runbooks.transitions import drawn
from verify.runbooks.trial import Runbook, Trial


def main() -> int:
    """Try plans under faults until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m verify.runbooks")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6)
    )
    parser.add_argument("--bash", default="bash")
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--most", type=int, default=10)
    wanted = parser.parse_args()
    until = time.monotonic() + wanted.seconds
    say = sys.stdout.write
    say(f"seed {wanted.seed}\n")
    plans = trials = 0
    failed: list[str] = []
    seed = wanted.seed
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < until and len(failed) < wanted.most:
            runbook = Runbook(drawn(seed), Path(folder) / "run", wanted.bash)
            seed += 1
            if not runbook.script:
                continue
            plans += 1
            chance = random.Random(seed)  # noqa: S311 (nothing is kept secret)
            first = [Trial(None), Trial(None, pasted=True)]
            for trial in [*first, *runbook.trials(chance, wanted.faults)]:
                trials += 1
                if told := runbook.held(trial):
                    failed.append(told)
                    say(f"--------\n{told}\n")
                    if trial.fault is None:
                        break
                if time.monotonic() > until or len(failed) >= wanted.most:
                    break
            runbook.shell.close()
    say(f"{plans} plans, {trials} runs, {len(failed)} did not hold\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
