"""What `pip install` gives: a working kopslint with its rulebook inside the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kopslint import __version__
from kopslint.rulebook.loader import load_rules

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            f"--outdir={folder}",
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("kopslint-*.whl"))


def test_the_wheel_carries_every_file_of_the_rulebook(wheel: Path) -> None:
    """Prose and examples are read at run time, so they travel too."""
    rules = ROOT / "rules"
    expected = {
        f"kopslint/_rules/{path.relative_to(rules).as_posix()}"
        for path in rules.rglob("*")
        if path.is_file()
    }

    assert expected <= set(zipfile.ZipFile(wheel).namelist())


def test_an_installed_kopslint_has_as_many_rules_as_the_repository(
    wheel: Path, tmp_path: Path
) -> None:
    """Installed into an empty folder and run from elsewhere, it finds its rules."""
    site = tmp_path / "site"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            f"--target={site}",
            str(wheel),
        ],
        check=True,
        capture_output=True,
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    ran = subprocess.run(
        [sys.executable, "-m", "kopslint", "rules", "--format", "json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    where = subprocess.run(
        [sys.executable, "-c", "import kopslint; print(kopslint.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )

    assert Path(where.stdout.strip()).is_relative_to(site)
    assert len(json.loads(ran.stdout)) == len(load_rules())


def test_the_version_is_one(wheel: Path) -> None:
    """The package and its metadata never disagree about the version."""
    assert wheel.name.startswith(f"kopslint-{__version__}-")
