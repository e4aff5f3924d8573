"""``make new-rule`` lays out a rule whose tests fail until it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copy_of_the_repository(tmp_path: Path) -> Path:
    for name in ("tools", "rules"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "kopslint").mkdir()
    shutil.copy(ROOT / "kopslint" / "__init__.py", tmp_path / "kopslint")
    return tmp_path


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "tools" / "new_rule.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_rule_is_laid_out_and_says_what_is_missing(tmp_path: Path) -> None:
    """The function has the rule's name, and no example is written."""
    root = copy_of_the_repository(tmp_path)

    done = run(root, "KL398", "two-moons", "quorum")

    folder = root / "rules" / "KL398-two-moons"
    assert done.returncode == 0, done.stderr
    assert "two_moons()" in done.stdout
    assert "check: quorum:two_moons" in (folder / "rule.yaml").read_text("utf-8")
    names = sorted(path.name for path in (folder / "examples").iterdir())
    assert [name.split("-")[0] for name in names] == ["bad", "bad", "good", "good"]


def test_what_is_there_or_cannot_be_is_refused(tmp_path: Path) -> None:
    """Nothing is written over, and the sentence says what to do."""
    root = copy_of_the_repository(tmp_path)

    for arguments, said in (
        (("KL303", "two-moons"), "KL303-no-failure-tolerated is there already"),
        (("KL398", "no-failure-tolerated"), "is there already"),
        (("KL9", "two-moons"), "KL9 is no id"),
        (("KL398", "Two Moons"), "is no name"),
    ):
        done = run(root, *arguments)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr
