"""Slips at the keyboard: each is understood, or said in a sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kopslint.cli.completion import complete_rules
from kopslint.cli.program import run

DEMO = Path(__file__).parents[1] / "fixtures/five-to-three"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The incident in a folder of its own."""
    for name in ("before.yaml", "after.yaml", "commands.sh"):
        (tmp_path / name).write_bytes((DEMO / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sides_that_are_exchanged_are_recognised(
    capsys: pytest.CaptureFixture[str],
) -> None:
    right = ["--before=before.yaml", "--after=after.yaml", "--commands=commands.sh"]
    wrong = ["--before=after.yaml", "--after=before.yaml", "--commands=commands.sh"]

    run(["check", *wrong])
    assert capsys.readouterr().err == (
        "kopslint: are before and after swapped? The list deletes master-3, which only"
        " the spec after has; --before is the spec of today\n"
    )
    run(["check", *right])
    assert capsys.readouterr().err == ""


def test_a_named_file_that_is_no_yaml_is_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Beside a good one, too; in a folder it may be anything."""
    Path("broken.yaml").write_text("a: [\n")

    assert run(["check", "before.yaml", "broken.yaml"]) == 2
    assert capsys.readouterr().err.startswith("kopslint: broken.yaml:2:1: this is not")
    Path("folder").mkdir()
    Path("broken.yaml").rename("folder/broken.yaml")
    Path("before.yaml").rename("folder/before.yaml")
    assert run(["check", "folder"]) == 0


def test_a_list_that_does_nothing_to_the_cluster_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("ls.sh").write_text("ls -la\n")

    run(["check", "--before=before.yaml", "--after=after.yaml", "--commands=ls.sh"])

    assert capsys.readouterr().err == (
        "kopslint: ls.sh: no command there changes the cluster; 'kopslint"
        " commands FILE' shows what is read\n"
    )


@pytest.mark.parametrize("command", ["plan", "diff"])
def test_both_sides_may_be_given_without_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "before.yaml", "after.yaml"]) == 0
    short = capsys.readouterr().out
    assert run([command, "--before=before.yaml", "--after=after.yaml"]) == 0
    assert capsys.readouterr().out == short


WRONG = {
    "one side": (["before.yaml"], "both sides are needed: BEFORE and AFTER"),
    "three": (["a", "b", "c"], "both sides are needed: BEFORE and AFTER"),
    "none": ([], "the spec before the change is missing"),
    "only before": (["--before=before.yaml"], "the spec after the change is missing"),
    "both ways": (["a", "b", "--after=c"], "both sides are needed: BEFORE and AFTER"),
    "a base and a side before": (
        ["--base=HEAD", "--before=a", "b"],
        "the state before is taken from git, so --before cannot name it",
    ),
    "a base alone": (["--base=HEAD"], "--base needs the files or folders of the spec"),
    "a base and a pipe": (
        ["--base=HEAD", "-"],
        "--base needs the files or folders of the spec",
    ),
}


@pytest.mark.parametrize("command", ["plan", "diff"])
@pytest.mark.parametrize(("words", "says"), WRONG.values(), ids=WRONG)
def test_a_side_that_is_missing_is_said(
    command: str, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, *words]) == 2
    assert capsys.readouterr().err.startswith(f"kopslint: {says}\n  hint: ")


@pytest.mark.parametrize("command", ["plan", "diff"])
def test_the_side_before_may_be_that_of_git(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """From where the revision and the work tree parted, as for a check."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    Path("prod.yaml").write_bytes(Path("before.yaml").read_bytes())
    subprocess.run([*git, "add", "prod.yaml"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "five"], check=True)
    Path("prod.yaml").write_bytes(Path("after.yaml").read_bytes())

    assert run([command, "--base=HEAD", "prod.yaml"]) == 0

    assert "master-3" in capsys.readouterr().out


def test_a_plan_is_for_the_kops_that_runs_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Kops 1.31 cannot run a Kubernetes of 1.34."""
    assert run(["plan", "before.yaml", "after.yaml", "--kops-version=1.31"]) == 1
    assert "needs a newer kops than 1.31" in capsys.readouterr().out
    assert run(["plan", "before.yaml", "after.yaml", "--kops-version=1.36"]) == 0
    capsys.readouterr()
    assert run(["plan", "before.yaml", "after.yaml", "--kops-version=new"]) == 2


FOUND = {
    "KL31": {"KL310", "KL318", "KL319"},
    "kl301": set(),
    "quorum": {"KL302", "KL507"},
    "expire control": {"KL231"},
    "order": {"KL301", "KL310"},
}


@pytest.mark.parametrize(("word", "some"), FOUND.items())
def test_a_rule_is_explained_by_a_part_of_its_id_or_a_word(
    word: str, some: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Several are listed; one is explained; and an id or a name is always one."""
    assert run(["explain", word]) == 0
    told = capsys.readouterr().out
    listed = {line.split()[0] for line in told.splitlines() if line.startswith("KL")}
    assert some <= listed or "[KL" in told.splitlines()[0]


def test_what_is_in_no_rule_is_not_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["explain", "xyzzy"]) == 2
    assert "unknown rule xyzzy" in capsys.readouterr().err


def test_rules_are_completed_by_id_and_by_name() -> None:
    assert [key for key, _ in complete_rules("kl30")][:2] == ["KL301", "KL302"]
    assert ("no-failure-tolerated",) in [(k,) for k, _ in complete_rules("no-f")]
    assert all(key.startswith("KL") for key, _ in complete_rules(""))
    assert complete_rules("xyzzy") == []


@pytest.mark.parametrize(
    "line", [["rules", "--format", "sarif"], ["check", "a", "--fail-on", "bad"]]
)
def test_a_value_that_is_none_is_said_without_the_words_of_a_parser(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line) == 2

    told = capsys.readouterr().err
    assert f"'{line[-1]}' is not one of" in told
    assert "Value error" not in told
