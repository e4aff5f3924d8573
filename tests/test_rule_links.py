"""Where the page of a rule is, in every form that can lead there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kopslint.cli.console import follows_links
from kopslint.cli.program import run
from kopslint.cli.rule_links import PAGES, SOURCE, links
from kopslint.report.display import Style
from kopslint.rulebook.loader import load_rules

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "fixtures/five-to-three"
HERE = f"{SOURCE}/blob/main/rules/KL301-ig-deleted-before-etcd-member/README.md"
WHERE = {
    "a site": ("https://docs.example/kops/", "https://docs.example/kops/rules/KL301/"),
    "an address with a place for the rule": (
        "https://docs.example/{rule}-{name}.html",
        "https://docs.example/KL301-ig-deleted-before-etcd-member.html",
    ),
    "the repository, unless somebody says otherwise": (None, HERE),
}


@pytest.mark.parametrize(("setting", "address"), WHERE.values(), ids=WHERE)
def test_one_setting_says_where_the_pages_are(
    setting: str | None, address: str
) -> None:
    link = links(None, setting)

    assert link("KL301") == address
    assert link("ACME1") is None


def test_the_repository_s_own_paths_are_there() -> None:
    for rule in load_rules():
        path = PAGES.removeprefix(f"{SOURCE}/blob/main/")
        assert (ROOT / path.format(rule=rule.id, name=rule.name)).is_file()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The incident in a folder whose configuration names the documentation."""
    for path in DEMO.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / ".kopslint.yaml").write_text("documentation: https://docs.example\n")
    monkeypatch.chdir(tmp_path)


CHECK = (
    "check",
    "--before=before.yaml",
    "--after=after.yaml",
    "--commands=commands.sh",
)


@pytest.mark.usefixtures("configured")
def test_every_rule_has_its_page_in_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    run([*CHECK, "--format=sarif"])

    (driver,) = (
        r["tool"]["driver"] for r in json.loads(capsys.readouterr().out)["runs"]
    )
    assert {rule["helpUri"] for rule in driver["rules"]} == {
        f"https://docs.example/rules/{rule.id}/" for rule in load_rules()
    }


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("form", ["markdown", "html"])
def test_rules_are_links_in_what_can_be_clicked(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    run([*CHECK, f"--format={form}"])

    told = set(re.findall(r'href="(https:[^"]*)"', capsys.readouterr().out))
    assert told == {
        f"https://docs.example/rules/{rule}/"
        for rule in ("KL301", "KL302", "KL303", "KL902")
    }


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_rules_are_links_in_a_terminal_only(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    terminal: bool,
) -> None:
    monkeypatch.setattr("kopslint.cli.output.follows_links", lambda *_: terminal)

    run([*CHECK, "--color=never"])

    out = capsys.readouterr().out
    link = "\x1b]8;;https://docs.example/rules/KL301/\x1b\\error[KL301]\x1b]8;;\x1b\\"
    assert (link in out) is terminal
    assert ("\x1b" in out) is terminal
    plain = re.sub(r"\x1b\]8;;[^\x1b]*\x1b\\", "", out)
    assert "commands.sh:1:1: error[KL301]: master-3 is deleted" in plain


class Screen:
    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "follows"),
    [
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {}, False),
        (False, {"TERM": "xterm-256color"}, False),
    ],
)
def test_a_terminal_follows_links_unless_it_is_dumb(
    *, terminal: bool, environment: dict[str, str], follows: bool
) -> None:
    assert follows_links(Screen(terminal=terminal), environment) is follows  # type: ignore[arg-type]


def test_an_address_cannot_leave_its_link() -> None:
    style = Style(False, True, 80, pages=lambda _: "https://x/\x1b\\\x07\n")

    assert style.linked("a", "KL1").count("\x1b") == 4
    assert "\x07" not in style.linked("a", "KL1")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a b", 'https://a"onclick', "https://a>"]
)
def test_only_an_address_of_the_web_is_one(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".kopslint.yaml").write_text(f"documentation: {json.dumps(address)}\n")

    assert run(["check", str(DEMO / "after.yaml"), "--config=.kopslint.yaml"]) == 2
    assert "documentation" in capsys.readouterr().err
