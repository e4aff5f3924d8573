"""The two commands and the output that the README promises a newcomer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "fixtures/five-to-three"


def demonstration(
    *options: str, commands: str = "commands.sh", width: int = 80
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "kopslint",
            "check",
            "--before=before.yaml",
            "--after=after.yaml",
            f"--commands={commands}",
            *options,
        ],
        capture_output=True,
        text=True,
        cwd=DEMO,
        env={**os.environ, "COLUMNS": str(width)},
        check=False,
    )


def test_the_readme_shows_what_the_demonstration_prints() -> None:
    """The output in the README is the real one, to the letter.

    KOPSLINT_UPDATE_EXPECTED=1 writes it there; the test fails that one time.
    """
    ran = demonstration()
    path = ROOT / "README.md"
    readme = path.read_text(encoding="utf-8")
    if os.environ.get("KOPSLINT_UPDATE_EXPECTED"):
        head, _, rest = readme.partition("```text\nUNSAFE")
        path.write_text(f"{head}```text\n{ran.stdout}```{rest.partition('```')[2]}")

    assert ran.returncode == 1
    assert ran.stderr == ""
    assert f"```text\n{ran.stdout}```" in readme


def test_the_demonstration_is_read_at_a_glance() -> None:
    """One page of a terminal, in which nothing is cut off and all of it is said."""
    lines = demonstration().stdout.splitlines()
    text = " ".join(" ".join(lines).split())

    assert len(lines) <= 35
    assert max(map(len, lines)) <= 80
    for fact in (
        "UNSAFE prod.example.com control plane 5 -> 3 commands.sh",
        "master-3 is deleted while etcd still counts on its member etcd-3",
        "likewise master-4",
        "etcd main and events tolerate no failure: 3 of 5 vote, 3 needed",
        "etcd main and events have no quorum while master-0 is replaced",
        "--diff prints it, --fix writes it",
        "before.yaml:24, 26, 36, 38: etcd-3/etcd-4 of main/events runs here",
        "etcd-manager removes only members that it can reach",
        "kopslint plan --before before.yaml --after after.yaml",
        "assumed: the edit stores the spec after",
        "while master-0 is away ◍●●✗✗ 2/5 NO QUORUM",
        "2 errors, 2 warnings, 1 info in 5 commands, 2 specs",
    ):
        assert fact in text


def test_the_demonstration_finds_what_broke_the_cluster() -> None:
    """Both deletions are errors, and the roll is the outage that was reported."""
    heads = demonstration("--format=concise").stdout.splitlines()

    assert [line.split(": ")[:2] for line in heads] == [
        ["commands.sh:1:1", "error[KL301]"],
        ["commands.sh:2:1", "error[KL301]"],
        ["commands.sh:2:1", "warning[KL303]"],
        ["commands.sh:5:1", "warning[KL302]"],
        ["commands.sh:3:1", "info[KL902]"],
    ]


def test_the_fix_that_is_printed_mends_the_list() -> None:
    """The fixed list has the lines of the report where it says, and nothing else."""
    broken = demonstration("--full").stdout
    fixed = (DEMO / "fixed.sh").read_text(encoding="utf-8").splitlines()
    original = (DEMO / "commands.sh").read_text(encoding="utf-8").splitlines()
    ran = demonstration(commands="fixed.sh")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    verdict = ran.stdout.splitlines()[-1]

    assert all(line in broken for line in fixed if line not in original)
    assert [line for line in fixed if line in original] == original
    assert ran.returncode == 0
    # What is typed in the editor is taken on trust, and nothing else.
    assert verdict.startswith("1 info in 9 commands")
    assert "assumes  the edit stores the spec after" in ran.stdout
    assert verdict.partition(";")[0] in readme
