"""A link in the repository leads to nothing outside of it, neither read nor written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kopslint.cli.program import run

DEMO = Path(__file__).parents[1] / "fixtures" / "five-to-three"
OUTSIDE = "hunter2-and-more"


@pytest.fixture(params=["git", "no git"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with a change and its list, and beside it one that is not its own."""
    inside = tmp_path / "inside"
    inside.mkdir()
    for name in ("before.yaml", "after.yaml", "commands.sh"):
        (inside / name).write_bytes((DEMO / name).read_bytes())
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text(f"{OUTSIDE}: 1\n")
    monkeypatch.chdir(inside)
    if request.param == "git":
        subprocess.run(["git", "init", "--quiet"], check=True)
    return inside


def untouched(place: Path) -> bool:
    outside = place.parent / "outside"
    (file,) = outside.iterdir()
    return file.name == "file" and file.read_text() == f"{OUTSIDE}: 1\n"


CHANGE = ("--before=before.yaml", "--after=after.yaml")
WRITES: tuple[tuple[str, ...], ...] = (
    ("check", *CHANGE, "--commands=commands.sh", "--format=json=LINK"),
    ("check", *CHANGE, "--format=sarif=folder/new.sarif"),
    ("check", *CHANGE, "--write-baseline=LINK"),
    ("check", *CHANGE, "--write-baseline=folder/new.json"),
    ("plan", *CHANGE, "--out=folder"),
    ("plan", *CHANGE, "--out=folder/deeper"),
)


@pytest.mark.parametrize("words", WRITES, ids=" ".join)
def test_nothing_is_written_through_a_link(
    words: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("LINK").symlink_to(place.parent / "outside" / "file")
    Path("folder").symlink_to(place.parent / "outside")

    assert run(words) == 2
    assert "is a link that leads out" in capsys.readouterr().err
    assert untouched(place)


def test_a_list_behind_a_link_is_not_mended(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = place.parent / "outside" / "file"
    text = (place / "commands.sh").read_text()
    target.write_text(text)
    Path("list.sh").symlink_to(target)

    assert run(["check", *CHANGE, "--commands=list.sh", "--fix"]) == 2
    assert "is a link that leads out" in capsys.readouterr().err
    assert target.read_text() == text


@pytest.mark.parametrize("name", ["link", "file"])
def test_a_target_that_is_named_outside_is_written(name: str, place: Path) -> None:
    """Whoever names it has meant it: a runner's own folder, for one."""
    target = place.parent / "reports" / "r.json"
    target.parent.mkdir()
    if name == "link":
        (target.parent / "real").mkdir()
        target.symlink_to(target.parent / "real" / "r.json")

    for named in (str(target), os.path.relpath(target)):
        assert run(["check", *CHANGE, f"--format=json={named}"]) in (0, 1)
        assert target.read_text().startswith("{")


@pytest.mark.parametrize("place", ["git"], indirect=True)
@pytest.mark.parametrize(
    "words",
    [
        ("check", "LINK.yaml"),
        ("check", "folder"),
        ("check", *CHANGE, "--commands=LINK.yaml"),
        ("check", *CHANGE, "--commands=folder/file.sh"),
        ("check", *CHANGE, "--config=LINK.yaml"),
        ("check", *CHANGE, "--baseline=LINK.yaml"),
        ("commands", "LINK.yaml"),
        ("check", *CHANGE),
    ],
    ids=" ".join,
)
def test_nothing_is_read_through_a_link(
    words: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = place.parent / "outside"
    for name in ("file.yaml", "file.sh"):
        (outside / name).write_text(f"{OUTSIDE}: 1\n")
    Path("LINK.yaml").symlink_to(outside / "file")
    Path("folder").symlink_to(outside)
    if words == ("check", *CHANGE):
        Path(".kopslint.yaml").symlink_to(outside / "file")

    assert run(words) == 2
    printed = capsys.readouterr()
    assert "is a link that leads out" in printed.err
    assert OUTSIDE not in printed.out + printed.err


@pytest.mark.parametrize("place", ["git"], indirect=True)
def test_nothing_of_git_is_written_through_a_link(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("report.json").symlink_to(".git/hooks/pre-commit")

    assert run(["check", *CHANGE, "--format=json=report.json"]) == 2
    assert not (place / ".git" / "hooks" / "pre-commit").exists()
    assert "is a link that leads out" in capsys.readouterr().err


def test_a_link_inside_is_followed(place: Path) -> None:
    Path("same.yaml").symlink_to("after.yaml")
    Path("report.json").symlink_to("real.json")

    words = ("--before=before.yaml", "--after=same.yaml", "--format=json=report.json")
    assert run(["check", *words]) in (0, 1)
    assert (place / "real.json").is_file()
