"""The command line's contract: options, exit statuses, and who gets which output."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pytest

from kopslint import __version__
from kopslint.cli import app as application
from kopslint.cli.console import style_for
from kopslint.cli.explain import explanation, prose
from kopslint.cli.options import ColorWhen
from kopslint.cli.program import run
from kopslint.errors import InputError, NothingCheckedError
from kopslint.findings import (
    Certainty,
    Finding,
    Location,
    Report,
    Severity,
    Summary,
    TimelineEntry,
)
from kopslint.report.display import Style
from kopslint.rulebook.loader import load_rule, load_rules
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

ONE_MEMBER = Path(__file__).parent / "specs/one-member.yaml"
SOURCE = Source("run.sh", "kops delete ig b --yes\n")
ERROR = Finding(
    rule="KL301",
    name="a-rule",
    severity=Severity.ERROR,
    certainty=Certainty.CERTAIN,
    message="b is deleted",
    why="It is gone.",
    locations=(Location(SOURCE.span(1, 1, 1, 5), "here"),),
    subject="b",
)
WARNING = ERROR._replace(severity=Severity.WARNING)
INFO = ERROR._replace(severity=Severity.INFO)
STEP = TimelineEntry(1, "kops get ig", None, "no-op", {}, "c")


class FakeRequest(NamedTuple):
    """What the command line hands to the engine."""

    before: tuple[Source, ...] | None
    after: tuple[Source, ...] | None
    commands: tuple[Source, ...]
    at_hand: tuple[Source, ...] = ()
    is_fleet: bool = False
    observed: object = None


class Engine:
    """An engine whose answer the test decides, and which remembers the question."""

    def __init__(self) -> None:
        self.answer: Report | Exception = Report((), (), Summary(specs=1, rules=9))
        self.request: FakeRequest | None = None

    def check(self, request: FakeRequest, _settings: object = None) -> Report:
        self.request = request
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def asked(self) -> FakeRequest:
        assert self.request is not None
        return self.request


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()
    module = ModuleType("kopslint.engine")
    monkeypatch.setattr(module, "Request", FakeRequest, raising=False)
    monkeypatch.setattr(module, "check", fake.check, raising=False)
    monkeypatch.setitem(sys.modules, "kopslint.engine", module)
    return fake


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, with a spec and a script in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before.yaml").write_text("kind: Before\n", encoding="utf-8")
    (tmp_path / "after.yaml").write_text("kind: After\n", encoding="utf-8")
    (tmp_path / "run.sh").write_text("kops get ig\n", encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "before", "after", "commands"),
    [
        ("check after.yaml", None, ["after.yaml"], []),
        ("check --after after.yaml", None, ["after.yaml"], []),
        (
            "check after.yaml --before before.yaml --commands run.sh",
            ["before.yaml"],
            ["after.yaml"],
            ["run.sh"],
        ),
        ("check --commands run.sh", None, None, ["run.sh"]),
        (
            "check --before before.yaml --commands run.sh",
            ["before.yaml"],
            None,
            ["run.sh"],
        ),
        (
            "check before.yaml after.yaml",
            None,
            ["before.yaml", "after.yaml"],
            [],
        ),
    ],
)
def test_check_asks_the_engine_about_what_the_options_name(
    engine: Engine,
    arguments: str,
    before: list[str] | None,
    after: list[str] | None,
    commands: list[str],
) -> None:
    assert run(arguments.split()) == 0

    def paths(sources: tuple[Source, ...] | None) -> list[str] | None:
        return None if sources is None else [source.path for source in sources]

    assert paths(engine.asked.before) == before
    assert paths(engine.asked.after) == after
    assert paths(engine.asked.commands) == commands


@pytest.mark.usefixtures("folder")
def test_a_spec_can_come_from_the_standard_input(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.TextIOWrapper(io.BytesIO("kind: É\n".encode()))
    monkeypatch.setattr(sys, "stdin", data)

    assert run(["check", "-"]) == 0
    assert engine.asked.after is not None
    assert [source.text for source in engine.asked.after] == ["kind: É\n"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("findings", "fail_on", "status"),
    [
        ((), "info", 0),
        ((INFO,), "info", 1),
        ((INFO,), "warning", 0),
        ((WARNING,), "warning", 1),
        ((WARNING, INFO), "error", 0),
        ((ERROR,), "warning", 1),
        ((ERROR,), "error", 1),
        ((ERROR,), "never", 0),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "json=report.json"])
def test_the_status_is_one_if_a_finding_is_as_bad_as_fail_on(
    engine: Engine,
    findings: tuple[Finding, ...],
    fail_on: str,
    status: int,
    form: str,
) -> None:
    """The form of the report never changes it."""
    engine.answer = Report(findings)

    assert (
        run(["check", "after.yaml", "--fail-on", fail_on, "--format", form]) == status
    )


@pytest.mark.usefixtures("folder", "engine")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("check", "kopslint: there is nothing to check yet\n  hint: name the spec"),
        ("check --before before.yaml", "kopslint: there is nothing to check yet\n"),
        ("check - --commands -", "kopslint: standard input can be read only once"),
        ("check after.yaml --format xml", "--format xml: unknown format xml"),
        ("check after.yaml --format json=", "--format json=: the file is missing"),
        (
            "check after.yaml --format json --format text",
            "two reports would go to the standard output",
        ),
        ("check after.yaml --format json=no/where.json", "no/where.json: cannot be"),
        ("check after.yaml --fail-on all", "Invalid value for '--fail-on'"),
        ("check missing.yaml", "missing.yaml\n  hint: "),
        ("explain KL000", "kopslint: unknown rule KL000"),
        ("nonsense", "No such command 'nonsense'"),
        ("check --nonsense", "No such option"),
    ],
)
def test_wrong_options_and_inputs_give_status_two_and_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: str, complaint: str
) -> None:
    assert run(arguments.split()) == 2

    out, err = capsys.readouterr()
    assert complaint in err
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.usefixtures("folder")
def test_nothing_checked_gives_status_three(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = NothingCheckedError("no kops object", hint="name a kops spec")

    assert run(["check", "after.yaml"]) == 3
    assert capsys.readouterr() == (
        "",
        "kopslint: no kops object\n  hint: name a kops spec\n",
    )


@pytest.mark.usefixtures("folder")
def test_an_error_says_where_and_shows_no_control_characters(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = InputError("\x1b[31m is odd", span=SOURCE.span(1, 6, 1, 7))

    assert run(["check", "after.yaml"]) == 2
    assert capsys.readouterr().err == "kopslint: run.sh:1:6: \\x1b[31m is odd\n"


@pytest.mark.usefixtures("folder")
def test_a_defect_gives_status_four_and_a_traceback_only_if_wanted(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = ZeroDivisionError("oops")

    assert run(["check", "after.yaml"]) == 4
    brief = capsys.readouterr().err
    assert run(["check", "after.yaml", "--verbose"]) == 4
    verbose = capsys.readouterr().err

    assert brief.startswith("kopslint: ZeroDivisionError: oops\n")
    assert f"This is a bug in kopslint {__version__}" in brief
    assert "--verbose" in brief
    assert "Traceback" not in brief
    assert verbose.startswith("Traceback")


@pytest.mark.usefixtures("folder")
def test_reports_go_to_files_and_one_to_the_standard_output(
    engine: Engine, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    engine.answer = Report((ERROR,), (STEP,))

    forms = ["--format", "text", "--format", "json=r.json", "--format", "text=r.txt"]
    run(["check", "after.yaml", *forms])

    out = capsys.readouterr().out
    assert "\nrun.sh:1:1: error[KL301]: b is deleted\n" in out
    assert (folder / "r.txt").read_text(encoding="utf-8") == out
    report = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    assert report["findings"][0]["rule"] == "KL301"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("after.yaml", "before.yaml", "r.json", "r.txt", "run.sh")
    ]


@pytest.mark.usefixtures("engine")
def test_a_report_replaces_a_file_only_when_it_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader never sees half a report, and a failure leaves the old one."""
    report = folder / "r.json"
    report.write_text("old", encoding="utf-8")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", fails)
        assert run(["check", "after.yaml", "--format", "json=r.json"]) == 2

    assert report.read_text(encoding="utf-8") == "old"
    assert len(list(folder.iterdir())) == 4
    assert run(["check", "after.yaml", "--format", "json=r.json"]) == 0
    assert report.read_text(encoding="utf-8").startswith("{")


@pytest.mark.usefixtures("folder")
def test_quiet_prints_findings_and_nothing_else(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = Report((), (STEP,))
    run(["check", "after.yaml", "--quiet"])
    clean = capsys.readouterr().out
    engine.answer = Report((INFO,), (STEP,))
    run(["check", "after.yaml", "-q"])
    found = capsys.readouterr().out

    assert clean == ""
    assert found.splitlines()[0] == "run.sh:1:1: info[KL301]: b is deleted"
    assert found.splitlines()[-1] == "   more  kopslint explain KL301"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("option", "shown"), [([], True), (["--no-timeline"], False)], ids=["on", "off"]
)
def test_the_timeline_can_be_left_out(
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
    option: list[str],
    shown: bool,
) -> None:
    engine.answer = Report((), (STEP, STEP._replace(step=2, note="nothing to see")))

    run(["check", "after.yaml", *option])

    assert ("nothing to see" in capsys.readouterr().out) is shown


class Screen(io.StringIO):
    """A stream that says it is a terminal, or not."""

    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self.terminal = terminal
        self.charset = encoding

    def isatty(self) -> bool:
        return self.terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.charset


@pytest.mark.parametrize(
    ("terminal", "when", "environment", "color"),
    [
        (True, "auto", {}, True),
        (False, "auto", {}, False),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"NO_COLOR": ""}, True),
        (True, "auto", {"TERM": "dumb"}, False),
        (False, "auto", {"FORCE_COLOR": "1"}, True),
        (False, "auto", {"CLICOLOR_FORCE": "1"}, True),
        (False, "auto", {"FORCE_COLOR": "0"}, False),
        (False, "auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, "never", {"FORCE_COLOR": "1"}, False),
        (False, "always", {"NO_COLOR": "1"}, True),
    ],
)
def test_colour_is_for_terminals_unless_somebody_says_otherwise(
    terminal: bool, when: str, environment: dict[str, str], color: bool
) -> None:
    style = style_for(Screen(terminal), ColorWhen(when), environment)

    assert style.color is color


@pytest.mark.parametrize(
    ("terminal", "columns", "width"),
    [(True, 40, 80), (True, 93, 93), (True, 300, 120), (False, 140, 80)],
)
def test_the_width_is_the_terminal_s_within_reason(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, columns: int, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    assert style_for(Screen(terminal), ColorWhen.AUTO, {}).width == width


@pytest.mark.parametrize(
    ("encoding", "unicode"),
    [("UTF-8", True), ("utf_8", True), ("ascii", False), ("iso-8859-1", False)],
)
def test_symbols_are_ascii_where_the_encoding_has_no_others(
    encoding: str, unicode: bool
) -> None:
    style = style_for(Screen(False, encoding), ColorWhen.AUTO, {})

    assert style.unicode is unicode


def kopslint(
    *arguments: str,
    stdout: int = subprocess.PIPE,
    prepare: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own, warnings being errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "kopslint", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        preexec_fn=prepare,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """As in ``kopslint schema report | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = kopslint("schema", "report", stdout=writing)
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_no_pass() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = kopslint("schema", "report", stdout=full.fileno())

    assert done.returncode == 2
    assert done.stderr.startswith(b"kopslint: standard output cannot be written: ")


def test_an_interrupted_check_ends_as_a_shell_expects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kopslint.cli.checking.run_check", interrupt)

    assert run(["check", "a.yaml"]) == 130


def test_a_closed_standard_output_is_no_defect() -> None:
    done = kopslint("schema", "report", prepare=lambda: os.close(1))

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_version_is_the_same_on_the_fast_path_and_on_the_slow_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["--version"]) == 0

    assert capsys.readouterr().out == f"kopslint {__version__}\n"
    assert kopslint("--version").stdout.decode() == f"kopslint {__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    listing = capsys.readouterr().out.partition("Commands:\n")[2]
    assert [line.split()[0] for line in listing.splitlines() if line.strip()] == [
        command.name or getattr(command.callback, "__name__", "")
        for command in application.app.registered_commands
    ]


def test_rules_are_listed_for_people_and_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["rules"]) == 0
    text = capsys.readouterr().out
    assert run(["rules", "--format", "json"]) == 0
    manifests = json.loads(capsys.readouterr().out)

    assert [rule["id"] for rule in manifests] == [rule.id for rule in load_rules()]
    assert [line[:5] for line in text.splitlines() if line.startswith("KL")] == [
        rule.id for rule in load_rules()
    ]


def test_a_rule_is_explained_with_what_it_prints(tmp_path: Path) -> None:
    folder = tmp_path / "KL301-a-rule"
    (folder / "examples" / "bad-one").mkdir(parents=True)
    (folder / "rule.yaml").write_text(
        "{id: KL301, name: a-rule, summary: A group is deleted, category: order,"
        " hazard: dead-member,"
        " severity: error, since: 0.1.0, sources: [kops delete.go], check: 'a:b'}"
    )
    (folder / "README.md").write_text("# A rule\n\n## Why it breaks\n\nBecause.\n")
    (folder / "examples" / "bad-one" / "expected.txt").write_text("run.sh:1:1: x\n")

    text = explanation(load_rule(folder), Style(False, True, 80))

    assert text.splitlines() == [
        "error[KL301] a-rule",
        "A group is deleted",
        "",
        "Why it breaks",
        "",
        "  Because.",
        "",
        "Example",
        "",
        "run.sh:1:1: x",
        "",
        "Sources",
        "",
        "  - kops delete.go",
        "",
        "order rule, since kopslint 0.1.0",
    ]


README = """\
# Title

## What it finds

A group is deleted while `etcd` counts
on its [member](https://example.com/m). **Bad.**

- one item that is long enough to need a second line of its own
- two
  1. nested

```sh
kops get ig

kops validate
```

See <https://example.com>.
"""


def test_prose_is_wrapped_and_code_is_left_alone() -> None:
    style = Style(color=False, unicode=True, width=40)

    assert list(prose(README, style)) == [
        "",
        "What it finds",
        "",
        "  A group is deleted while `etcd` counts",
        "  on its member (https://example.com/m).",
        "  Bad.",
        "",
        "  -  one item that is long enough to",
        "     need a second line of its own",
        "  -  two",
        "     1. nested",
        "",
        "    kops get ig",
        "",
        "    kops validate",
        "",
        "  See https://example.com.",
    ]


def test_a_list_without_a_command_is_no_order_that_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A runbook whose blocks are for no shell would otherwise look replayed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.md").write_text("```python\nkops\n```\n", "utf-8")
    (tmp_path / "get.sh").write_text("kops get ig\n", "utf-8")
    check = ["check", str(ONE_MEMBER), "--ignore", "KL111", "--format", "json"]

    assert run([*check, "--commands", "talk.md"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["summary"]["verdict"] == "NOT CHECKED"
    assert told.err == (
        "kopslint: no command could be read from talk.md, so no order was checked\n"
        "  hint: 'kopslint commands FILE' shows what is read\n"
    )

    assert run([*check, "--commands", "get.sh"]) == 0
    assert run([*check, "--commands", "get.sh", "--commands", "talk.md"]) == 0


def test_what_the_system_refuses_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("kopslint.cli.checking.run_check", refuse)

    assert run(["check", "after.yaml"]) == 2
    assert capsys.readouterr().err == (
        "kopslint: somewhere cannot be used: Permission denied\n  hint: make it"
        " readable, or name another file\n"
    )


def test_a_current_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert run(["check", "after.yaml"]) == 2
    assert "the current folder cannot be used" in capsys.readouterr().err
