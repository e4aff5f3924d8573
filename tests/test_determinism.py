"""The same input prints the same bytes, in whatever order Python keeps its sets."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kopslint.rulebook.loader import find_rule, load_rules


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("KL301", "bad-seven-to-five"),
        ("KL302", "bad-one-after-the-other"),
        ("KL302", "bad-roll-over-dead-members"),
        ("KL305", "bad-nodes-become-workers"),
    ],
    ids=["two groups", "two courses", "three rules", "many worlds"],
)
def test_the_hash_seed_changes_no_byte(rule: str, name: str) -> None:
    """Report and timeline, for lists that many worlds come of."""
    examples = find_rule(load_rules(), rule).examples()
    (example,) = (example for example in examples if example.name == name)
    assert example.commands is not None
    words = ["after.yaml", "--before", "before.yaml"]
    words += ["--commands", example.commands.name, "--format", "json"]

    printed = {
        subprocess.run(
            [sys.executable, "-m", "kopslint", "check", *words],
            cwd=example.folder,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=False,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1
    assert rule.encode() in printed.pop()
