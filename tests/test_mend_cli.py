"""``kopslint check --fix`` and ``--diff``: what is printed, written and returned."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint import engine
from kopslint.cli import fix
from kopslint.cli.program import run
from kopslint.commands.etcd_functions import context_lines, etcd_functions

if TYPE_CHECKING:
    from kopslint.config.settings import Settings
    from kopslint.engine import Request
    from kopslint.findings import Report

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three"
SIDES = ["--before", "before.yaml", "--after", "after.yaml"]
LIST = "commands.sh"

git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
patch = pytest.mark.skipif(shutil.which("patch") is None, reason="no patch program")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the demonstration, in which everything happens."""
    for name in ("before.yaml", "after.yaml", LIST):
        shutil.copy(FIXTURE / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(
    capsys: pytest.CaptureFixture[str], *arguments: str, commands: str = LIST
) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of ``kopslint check``."""
    status = run(["check", *SIDES, "--commands", commands, *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def text(name: str = LIST) -> str:
    return Path(name).read_bytes().decode()


FUNCTIONS = [
    *context_lines("prod.example.com"),
    "",
    *etcd_functions("prod.example.com", "aws"),
    "",
]
STAY = "etcd-0 etcd-1 etcd-2"
ADDED = (
    "".join(f"+{line}\n" for line in FUNCTIONS)
    + f"""\
+via master-0 && remove events etcd-3 {STAY} && remove main etcd-3 {STAY} &&
 kops delete instancegroup master-3 --yes
+via master-0 && remove events etcd-4 {STAY} && remove main etcd-4 {STAY} &&
 kops delete instancegroup master-4 --yes
 kops edit cluster  # take etcd-3 and etcd-4 out of main and events
 kops update cluster --yes
"""
)
MORE = len(FUNCTIONS) + 2
PATCH = f"--- a/commands.sh\n+++ b/commands.sh\n@@ -1,4 +1,{MORE + 4} @@\n{ADDED}"


def test_a_full_report_with_errors_ends_with_the_mended_list(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It stands between the table and the last line."""
    status, out, err = check(capsys, "--full")

    line = (
        f"commands.sh can be corrected, {MORE} lines added: --diff prints it, "
        "--fix writes it"
    )
    assert (status, err) == (1, "")
    shown = "".join(f"  {added}".rstrip() + "\n" for added in ADDED.splitlines())
    counted = "2 errors, 2 warnings, 1 info in 5 commands"
    assert f"\n\n{line}\n{shown}\n{counted}" in out


@pytest.mark.parametrize("arguments", [["-q"], ["--format", "json"]])
def test_programs_and_the_quiet_are_not_shown_a_mended_list(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    """Where nobody reads it, no time is spent on it."""
    monkeypatch.setattr(fix, "mend", None)

    status, out, err = check(capsys, *arguments)

    assert (status, err) == (1, "")
    assert "mended" not in out


def test_without_errors_no_time_is_spent_on_mending(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list with warnings at most is not touched unless it is asked for."""
    monkeypatch.setattr(fix, "mend", None)
    Path(LIST).write_text("kops rolling-update cluster\n", encoding="utf-8")

    status, out, err = check(capsys)

    assert (status, err) == (0, "")
    assert "warning[KL405]" in out


def test_diff_prints_the_patch_behind_the_report_and_writes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The report is the same but for the list, which is the patch."""
    before = text()

    status, out, err = check(capsys, "--diff")

    assert (status, err) == (1, "")
    assert out.endswith(f"(control plane 5 -> 3)\n{PATCH}")
    assert "mended" not in out
    assert text() == before


def test_fix_and_diff_together_write_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A look at what would be written."""
    before = text()

    assert check(capsys, "--fix", "--diff")[1].endswith(PATCH)
    assert text() == before


def test_fix_writes_the_list_and_reports_what_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit status is that of the mended list."""
    status, out, err = check(capsys, "--fix")

    assert status == 0
    assert "1 info in 9 commands" in out
    assert err == f"kopslint: commands.sh is corrected: {MORE} lines added\n"
    assert text().startswith("".join(f"{line}\n" for line in FUNCTIONS))


def test_what_was_fixed_is_not_fixed_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A second run finds nothing to do and says so."""
    check(capsys, "--fix")
    once = text()

    status, _, err = check(capsys, "--fix")

    assert status == 0
    assert err == (
        "kopslint: commands.sh is not corrected: there is nothing to correct in it\n"
    )
    assert text() == once


def test_fix_keeps_permissions_line_ends_and_the_byte_order_mark(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """Only lines are added; a link stays a link, and nothing else is left behind."""
    real = folder / "real.sh"
    real.write_bytes(b"\xef\xbb\xbf" + text().replace("\n", "\r\n").encode())
    real.chmod(0o750)
    Path("link.sh").symlink_to("real.sh")
    names = {path.name for path in folder.iterdir()}

    status, _, _ = check(capsys, "--fix", commands="link.sh")
    data = real.read_bytes()

    assert status == 0
    assert data.startswith(b"\xef\xbb\xbf# The context")
    assert data.count(b"\r\n") == data.count(b"\n") == MORE + 5
    assert stat.S_IMODE(real.stat().st_mode) == 0o750
    assert Path("link.sh").is_symlink()
    assert {path.name for path in folder.iterdir()} == names


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_a_list_that_cannot_be_mended_is_left_and_reported(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """The reason and the way to a whole order are on the standard error."""
    Path(LIST).write_text("kops delete ig master-33 --yes\n", encoding="utf-8")
    before = text()

    status, out, err = check(capsys, option)

    assert status == 1
    assert "error[KL307]" in out
    assert "@@" not in out
    assert err.startswith(
        "kopslint: commands.sh is not corrected: no order that was tried fixes KL307: "
    )
    assert err.endswith(
        "; for a whole order: kopslint plan --before before.yaml --after after.yaml\n"
    )
    assert text() == before


@git
def test_git_applies_what_was_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole output can be given to git; the report before the patch is skipped."""
    Path("run list.sh").write_bytes(text().rstrip("\n").encode())
    _, out, _ = check(capsys, "--diff", commands="run list.sh")
    Path("out").write_text(out, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], check=True)

    subprocess.run(["git", "apply", "out"], check=True)

    assert check(capsys, "-q", commands="run list.sh")[0] == 0
    assert not text("run list.sh").endswith("\n")


@patch
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_patch_applies_what_was_printed(
    capsys: pytest.CaptureFixture[str], end: str
) -> None:
    """Also where a line was moved to the end of a file that does not end in one."""
    lines = text("commands.sh").splitlines()
    mended = [*PATCHED, lines[0], lines[1], lines[3], lines[2]]
    Path(LIST).write_bytes(end.join(mended).encode())
    _, out, _ = check(capsys, "--diff")

    done = subprocess.run(
        ["patch", "-p1", "--binary"],
        input=out.encode(),
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"patching file commands.sh\n"
    assert text() == end.join([*PATCHED, lines[0], lines[1], lines[2], lines[3]])


PATCHED = [
    line.removeprefix("+") for line in ADDED.splitlines() if line.startswith("+")
]

MISUSES = {
    "a list from the standard input": (
        ["--commands", "-", "--fix"],
        "--fix needs a file to write to, and <stdin> is not a file",
    ),
    "two lists": (
        ["--commands", LIST, "--commands", "other.sh", "--fix"],
        "--fix and --diff correct one list of commands, and there are 2",
    ),
    "no list": (
        ["--diff"],
        "--fix and --diff correct one list of commands, and there is none",
    ),
    "a report for programs in the same place": (
        ["--commands", LIST, "--diff", "--format", "sarif"],
        "the patch and the sarif report would both go to standard output",
    ),
    "a change from git": (
        ["--commands", LIST, "--fix", "--changed"],
        "--fix and --diff correct one list, not whatever changed in git",
    ),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISUSES.values(), ids=list(MISUSES))
def test_what_cannot_be_mended_at_all_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    """Nothing is written, and the status is 2."""
    shutil.copy(LIST, "other.sh")
    before = text()
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(before.encode()), "utf-8")
    )

    status = run(["check", *SIDES, *arguments])

    assert status == 2
    assert capsys.readouterr().err.startswith(f"kopslint: {sentence}\n")
    assert text() == before


def test_a_list_from_a_revision_is_not_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The past cannot be mended; its patch can be printed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", LIST], [*author, "commit", "-qm", "a"]):
        subprocess.run(["git", *command], check=True)
    old = f"git:HEAD:{LIST}"

    assert check(capsys, "--fix", commands=old)[0] == 2
    assert check(capsys, "--diff", commands=old)[1].endswith(PATCH)


def test_a_patch_goes_beside_a_report_in_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The standard output is the patch alone then."""
    status, out, _ = check(capsys, "--diff", "--format", "sarif=report.sarif")

    assert (status, out) == (1, PATCH)
    assert Path("report.sarif").is_file()


def test_a_terminal_is_not_shown_what_it_would_obey(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe the patch has every byte of the list; a terminal gets escapes."""
    odd = text().replace("kops edit", "# \x1b]\nkops edit")
    Path(LIST).write_text(odd, encoding="utf-8")
    piped = check(capsys, "--diff", "--color", "never")[1].partition("--- a/")[2]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    shown = check(capsys, "--diff", "--color", "never")[1].partition("--- a/")[2]

    assert " # \x1b]\n" in piped
    assert shown == piped.replace("\x1b", "\\x1b")


def test_a_list_that_changed_while_it_was_checked_is_left_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's edit is never lost."""

    def edited(request: Request, settings: Settings) -> Report:
        Path(LIST).write_text("kops get ig\n", encoding="utf-8")
        return engine.check(request, settings)

    monkeypatch.setattr(fix, "check", edited)

    status, _, err = check(capsys, "--fix")

    assert status == 2
    assert err.startswith("kopslint: commands.sh changed while it was checked")
    assert text() == "kops get ig\n"


def test_a_list_about_two_clusters_is_not_mended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is good for one may harm the other."""
    for name in ("before.yaml", "after.yaml"):
        other = text(name).replace("prod.example.com", "dev.example.com")
        Path(name).write_text(f"{text(name)}---\n{other}", encoding="utf-8")

    _, _, err = check(capsys, "--fix")

    assert "not corrected: the specs are about 2 clusters, not one\n" in err
