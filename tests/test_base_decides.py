"""A change is checked by the settings, rules and baseline of its base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_git import Repository, cluster, repository

from kopslint.cli.options import Format
from kopslint.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[..., "Checked"]

__all__ = ["repository"]

NAME = "a.example.com"
SPEC, LIST, SETTINGS = "prod/a.yaml", "prod/list.sh", ".kopslint.yaml"
RULE_FILE = "ours/ACME01-no-such-group/rule.yaml"
THREE, ONE = cluster(NAME, "a", "b", "c"), cluster(NAME, "a")
LOSES = (
    f"kops delete ig cp-b --name {NAME} --yes\n"
    f"kops delete ig cp-c --name {NAME} --yes\n"
    f"kops replace -f {SPEC}\nkops update cluster {NAME} --yes\n"
)
USUAL = "commands: ['prod/*.sh']\nspecs: ['prod/*.yaml']\n"
RULE = """\
id: ACME01
name: no-such-group
summary: A group is called cp-a
severity: error
for: group
when: group.metadata.name == "cp-a"
message: this group is called cp-a
why: It is not to be.
ignorable: false
"""


class Checked:
    """What a check of a change told."""

    def __init__(self, status: int, told: str, said: str) -> None:
        self.status = status
        self.told = json.loads(told) if told else {}
        self.said = said

    @property
    def rules(self) -> set[str]:
        return {finding["rule"] for finding in self.told["findings"]}

    def about_itself(self) -> list[str]:
        found = (f for f in self.told["findings"] if f["rule"] == "KL916")
        return [each["message"] for each in found]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    def checked(*words: str) -> Checked:
        given = words or ("--base", "main")
        status = run(["check", "--format", "json", *given])
        printed = capsys.readouterr()
        return Checked(status, printed.out, printed.err)

    return checked


@pytest.fixture
def harmful(repository: Repository) -> Repository:
    """A branch whose list loses the quorum, on a base that has settings."""
    repository.commit({SPEC: THREE, SETTINGS: USUAL, LIST: "# nothing yet\n"})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({SPEC: ONE, LIST: LOSES})
    return repository


def test_it_is_a_harmful_change(harmful: Repository, check: Check) -> None:  # noqa: ARG001
    found = check()

    assert found.status == 1
    assert "KL301" in found.rules
    assert "KL916" not in found.rules


OFF = {
    "everything ignored": USUAL + "ignore: [all]\n",
    "overrides": USUAL + "overrides: [{files: ['**'], ignore: [all]}]\n",
    "specs taken back": "commands: ['prod/*.sh']\nspecs: ['**', '!prod/**']\n",
    "never fails": USUAL + "fail-on: never\n",
    "nothing is bad": USUAL + "severity: {all: info}\n",
    "no lists": "specs: ['prod/*.yaml']\n",
    "other lists": "commands: ['none/*']\nspecs: ['prod/*.yaml']\n",
    "one rule": USUAL + "select: [KL107]\n",
    "not YAML": "specs: [\n",
    "no setting": "off: true\n",
    "empty": "",
    "gone": None,
}


@pytest.mark.parametrize("text", OFF.values(), ids=OFF)
def test_a_change_of_the_settings_switches_nothing_off(
    text: str | None,
    harmful: Repository,
    check: Check,
) -> None:
    harmful.commit({SETTINGS: text})

    found = check()

    assert found.status == 1
    assert {"KL301", "KL916"} <= found.rules
    does = "takes away" if text is None else "changes"
    assert found.about_itself() == [
        f"this change also {does} the settings of the check: {SETTINGS}"
    ]


NEARER = {
    "deeper": ("prod/.kopslint.yaml", "ignore: [all]\n"),
    "a project": ("pyproject.toml", "[tool.kopslint]\nignore = ['all']\n"),
    "a deeper project": ("prod/pyproject.toml", "[tool.kopslint]\nignore = ['all']\n"),
}


@pytest.mark.parametrize(("name", "text"), NEARER.values(), ids=NEARER)
def test_settings_that_a_change_brings_do_not_count(
    name: str,
    text: str,
    harmful: Repository,
    check: Check,
) -> None:
    harmful.commit({name: text})

    for words in ((), ("--base=main", "prod"), ("--base=main", SPEC)):
        found = check(*words)

        assert found.status == 1
        assert "KL301" in found.rules
        assert found.about_itself() == [
            f"this change also brings the settings of the check: {name}"
        ]


def test_settings_of_a_repository_that_has_none_yet_do_not_count(
    repository: Repository,
    check: Check,
) -> None:
    repository.commit({SPEC: THREE})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({SPEC: ONE, SETTINGS: "specs: [none]\nignore: [all]\n"})

    found = check()

    assert len(found.rules) > 1
    assert found.about_itself() == [
        f"this change also brings the settings of the check: {SETTINGS}"
    ]
    assert check("--base=main", "--config-from=head").rules == {"KL916"}


def test_settings_behind_a_link_are_those_of_the_base(
    harmful: Repository,
    check: Check,
) -> None:
    harmful.git("checkout", "--quiet", "main")
    harmful.commit({SETTINGS: None, "ci/usual.yaml": USUAL})
    Path(SETTINGS).symlink_to("ci/usual.yaml")
    harmful.commit({})
    harmful.git("checkout", "--quiet", "work")
    harmful.git("-c", "user.name=A", "rebase", "--quiet", "main")
    assert "KL301" in check().rules

    harmful.commit({"ci/usual.yaml": "ignore: [all]\n"})
    found = check()
    assert "KL301" in found.rules
    assert found.about_itself() == [
        "this change also changes the settings of the check: ci/usual.yaml"
    ]

    harmful.git("revert", "--no-edit", "HEAD")
    Path(SETTINGS).unlink()
    Path("off.yaml").write_text("ignore: [all]\n", encoding="utf-8")
    Path(SETTINGS).symlink_to("off.yaml")
    harmful.commit({})
    found = check()
    assert {"KL301", "KL916"} <= found.rules


def test_a_link_in_the_place_of_settings_is_told(
    harmful: Repository,
    check: Check,
) -> None:
    Path("off").write_text("ignore: [all]\n", encoding="utf-8")
    Path("prod/.kopslint.yaml").symlink_to("../off")
    harmful.commit({})

    assert {"KL301", "KL916"} <= check("--base=main", "prod").rules


def test_a_branch_cannot_part_from_where_there_were_no_settings_yet(
    repository: Repository,
    check: Check,
) -> None:
    """The state that was named decides, and not the one that the branch chose."""
    repository.commit({SPEC: THREE, LIST: "# nothing yet\n"})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({SPEC: ONE, LIST: LOSES})
    repository.git("checkout", "--quiet", "main")
    repository.commit({SETTINGS: USUAL})
    repository.git("checkout", "--quiet", "work")

    found = check()

    assert "KL301" in found.rules
    assert found.about_itself() == []


def test_a_named_configuration_is_that_of_the_base(
    harmful: Repository,
    check: Check,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harmful.git("checkout", "--quiet", "main")
    harmful.commit({"ci/strict.yaml": USUAL, SETTINGS: None})
    harmful.git("checkout", "--quiet", "work")
    harmful.git("rebase", "--quiet", "main")
    harmful.commit({"ci/strict.yaml": "ignore: [all]\n"})

    for words in (("--config=ci/strict.yaml",), ()):
        if not words:
            monkeypatch.setenv("KOPSLINT_CONFIG", "ci/strict.yaml")
        found = check("--base=main", *words)
        assert {"KL301", "KL916"} <= found.rules


def test_a_named_configuration_that_a_change_brings_does_not_count(
    harmful: Repository,
    check: Check,
) -> None:
    harmful.commit({"ci/off.yaml": "ignore: [all]\n", LIST: LOSES + "# more\n"})

    found = check("--base=main", "--config=ci/off.yaml", f"--commands={LIST}")

    assert {"KL301", "KL916"} <= found.rules


def test_whoever_calls_may_choose(
    harmful: Repository,
    check: Check,
    tmp_path: Path,
) -> None:
    harmful.commit({SETTINGS: "ignore: [all]\n"})
    ours = tmp_path / "ours.yaml"
    ours.write_text(USUAL + "severity: {KL301: warning}\n", encoding="utf-8")

    assert check("--base=main", "--config-from=head").rules == {"KL916"}
    of_file = check("--base=main", f"--config-from={ours}")
    found = [f for f in of_file.told["findings"] if f["rule"] == "KL301"]
    assert {each["severity"] for each in found} == {"warning"}
    assert check("--base=main", "--no-config", f"--commands={LIST}").rules >= {"KL301"}


@pytest.mark.parametrize(
    "words",
    [
        ("--config-from=base", SPEC),
        ("--base=main", "--config-from=x.yaml", "--config=y.yaml"),
        ("--base=main", "--config-from=x.yaml", "--no-config"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    words: tuple[str, ...],
    harmful: Repository,  # noqa: ARG001
    check: Check,
) -> None:
    found = check(*words)

    assert found.status == 2
    assert "--config-from" in found.said


@pytest.fixture
def ruled(repository: Repository) -> Repository:
    """A branch that breaks a rule of the team's own."""
    pytest.importorskip("cel_expr_python")
    repository.commit(
        {
            SPEC: THREE.replace("maxSize: 1", "maxSize: 2"),
            SETTINGS: "rule-paths: [ours]\n",
            RULE_FILE: RULE,
        }
    )
    repository.git("checkout", "--quiet", "-b", "work")
    # What stands on the base as well would be existing.
    repository.commit({SPEC: THREE + "# more\n"})
    return repository


HARMLESS = RULE.replace('"cp-a"', '"cp-z"')
RULES = {
    "another expression": {RULE_FILE: HARMLESS},
    "info": {RULE_FILE: RULE.replace("error", "info")},
    "one that may be ignored": {
        RULE_FILE: RULE.replace("ignorable: false\n", ""),
        SPEC: THREE.replace("name: cp-a", "name: cp-a # kopslint: ignore[ACME01] x"),
    },
    "no rule": {RULE_FILE: "no: rule\n"},
    "gone": {RULE_FILE: None},
    "moved": {
        RULE_FILE: None,
        "ours/ACME01-no-such-group/rule.yml": RULE,
    },
}


@pytest.mark.parametrize("files", RULES.values(), ids=RULES)
def test_rules_of_a_teams_own_are_those_of_the_base(
    files: dict[str, str | None],
    ruled: Repository,
    check: Check,
) -> None:
    ruled.commit(files)

    for words in ((), ("--no-config", "--rules=ours")):
        found = check("--base=main", "--all", *words)

        assert found.status == 1
        severity = {
            f["severity"] for f in found.told["findings"] if f["rule"] == "ACME01"
        }
        assert severity == {"error"}
        does = "takes away" if None in files.values() else "changes"
        (said,) = found.about_itself()
        assert said == f"this change also {does} a custom rule: {RULE_FILE}"


def test_rules_behind_a_link_out_of_the_repository_are_not_read(
    ruled: Repository,
    check: Check,
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside" / "ACME02-other"
    outside.mkdir(parents=True)
    (outside / "rule.yaml").write_text("secret: hunter2\n", encoding="utf-8")
    Path("theirs").symlink_to(outside.parent)
    ruled.commit({SETTINGS: "rule-paths: [theirs]\n"})

    for words in (("--base=main", "--config-from=head"), (SPEC,)):
        found = check(*words)
        assert found.status == 2
        assert "is a link that leads out" in found.said
        assert "hunter2" not in found.said
    assert "ACME01" in check("--base=main", "--all").rules


@pytest.mark.parametrize("known", [True, False], ids=["changed", "brought"])
def test_a_baseline_is_that_of_the_base(
    harmful: Repository,
    check: Check,
    *,
    known: bool,
) -> None:
    if known:
        harmful.git("checkout", "--quiet", "main")
        nothing = '{"schema": "kopslint-baseline/v1", "findings": []}\n'
        harmful.commit({"known.json": nothing})
        harmful.git("checkout", "--quiet", "work")
        harmful.git("rebase", "--quiet", "main")
    sides = ("--before=git:main:prod", f"--after={SPEC}", f"--commands={LIST}")
    assert run(["check", *sides, "--write-baseline=known.json", "--quiet"]) == 0
    harmful.commit({})

    found = check("--base=main", "--baseline=known.json")

    assert found.status == 1
    assert "KL301" in found.rules
    does = "changes" if known else "brings"
    assert found.about_itself() == [f"this change also {does} the baseline: known.json"]
    mended = check("--base=main", "--baseline=known.json", "--config-from=head")
    assert mended.rules == {"KL916"}


def test_a_list_that_a_change_takes_away_is_told_without_any_other_change(
    repository: Repository,
    check: Check,
) -> None:
    repository.commit({SPEC: THREE, SETTINGS: USUAL, LIST: LOSES})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.git("mv", LIST, "prod/list.txt")
    repository.commit({})

    assert check().about_itself() == [
        f"this change also takes away a command list: {LIST}"
    ]


NOTHING_LEFT = {
    "true": "true\n",
    "a colon": ":\n",
    "comments": "".join(f"# {line}\n" for line in LOSES.splitlines()),
    "a branch that is never taken": f"if false; then\n{LOSES}fi\n",
    "an end ahead of all": f"exit 0\n{LOSES}",
    "texts": "".join(f"echo {line}\n" for line in LOSES.splitlines()),
    "a function that nobody calls": f"run() {{\n{LOSES}}}\n",
    "a document for nobody": f": <<'END'\n{LOSES}END\n",
    "a variable": f"RUN='{LOSES}'\n",
    "questions": "kops get ig\nkops validate cluster\n",
    "previews": f"kops update cluster {NAME}\nkops rolling-update cluster {NAME}\n",
    "another cluster": f"kops delete ig cp-b --name b{NAME} --yes\n",
    "a program of one's own": "deploy --all\n",
}


@pytest.mark.parametrize("text", NOTHING_LEFT.values(), ids=NOTHING_LEFT)
@pytest.mark.parametrize("named", [True, False], ids=["named", "configured"])
def test_a_list_that_does_nothing_any_more_is_no_pass(
    text: str, repository: Repository, check: Check, *, named: bool
) -> None:
    """What it says would pass, and so would the spec without it."""
    settings = "specs: ['prod/*.yaml']\n" if named else USUAL
    words = ("--base=main", *([f"--commands={LIST}"] if named else []))
    repository.commit({SPEC: THREE, SETTINGS: settings, LIST: LOSES})
    repository.git("checkout", "--quiet", "-b", "work")
    silent = "# kopslint: ignore-file[KL232] we want it so\n"
    repository.commit({LIST: silent + text})
    alone = check(*words)
    repository.commit({SPEC: ONE})
    both = check(*words, "--ignore=all")

    assert _said(both, "KL232") == ["error"]
    assert both.status == 1
    if not named:
        assert _said(alone, "KL232") == ["warning"] or alone.about_itself()


def test_a_script_that_a_list_reads_in_may_not_end_it_unseen(
    repository: Repository, check: Check
) -> None:
    repository.commit(
        {
            SPEC: THREE,
            SETTINGS: USUAL,
            LIST: f"source prod/usual\n{LOSES}",
            "prod/usual": "set -e\n",
        }
    )
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({SPEC: ONE, "prod/usual": "exit 0\n"})

    assert _said(check(), "KL232") == ["error"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("true\n", "true\n# still\n"),
        (f"exit 0\n{LOSES}", f"exit 0\n{LOSES}# not yet\n"),
        (LOSES, "kops rolling-update cluster --yes\n"),
        (LOSES, "kops update cluster --target=terraform --yes\n"),
        (LOSES, "bash ./elsewhere.sh\n"),
    ],
)
def test_a_list_that_was_idle_or_still_acts_is_not_told(
    before: str, after: str, repository: Repository, check: Check
) -> None:
    repository.commit({SPEC: THREE, SETTINGS: USUAL, LIST: before})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({SPEC: ONE, LIST: after})

    assert "KL232" not in check().rules


def _said(checked: Checked, rule: str) -> list[str]:
    found = checked.told["findings"]
    return [each["severity"] for each in found if each["rule"] == rule]


def test_a_cluster_leaves_by_the_settings_of_the_base_alone(
    repository: Repository,
    check: Check,
) -> None:
    repository.commit({SPEC: THREE})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({SPEC: None, SETTINGS: f"retired: [{NAME}]\n"})

    found = check()
    assert found.status == 1
    assert found.rules == {"KL232", "KL916"}

    repository.git("checkout", "--quiet", "main")
    repository.commit({SETTINGS: f"retired: [{NAME}]\n"})
    repository.git("checkout", "--quiet", "work")
    repository.git("rebase", "--quiet", "main")
    assert check().rules == set()


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("touched", [True, False], ids=["clusters", "no cluster"])
def test_it_is_told_in_every_format_and_nothing_silences_it(
    form: Format,
    harmful: Repository,
    capsys: pytest.CaptureFixture[str],
    *,
    touched: bool,
) -> None:
    if not touched:
        harmful.git("checkout", "--quiet", "-B", "work", "main")
    silent = "# kopslint: ignore-file[KL916] we want it so\n"
    harmful.commit({SETTINGS: f"{silent}ignore: [all]  {silent}"})

    words = ("--base=main", f"--format={form}", "--fail-on=warning")
    assert run(["check", *words, "--config-from=head"]) == 1
    assert "KL916" in capsys.readouterr().out
    assert run(["check", *words, "--ignore=KL1,KL3"]) == 1
    assert "KL916" in capsys.readouterr().out


def test_what_is_no_setting_of_the_check_is_not_told(
    harmful: Repository,
    check: Check,
) -> None:
    harmful.commit(
        {
            "pyproject.toml": "[project]\nname = 'x'\n",
            SETTINGS: "# why\nspecs:\n- prod/*.yaml\ncommands: ['prod/*.sh']\n",
            "rules/rule.yaml": "a: 1\n",
            "notes/.kopslint.yaml.md": "x\n",
        }
    )

    assert check().about_itself() == []


def test_the_next_commit_is_checked_by_the_settings_of_the_last(
    harmful: Repository,
    check: Check,
) -> None:
    harmful.git("checkout", "--quiet", "main")
    harmful.write({SPEC: ONE, LIST: LOSES, SETTINGS: "ignore: [all]\n"})
    harmful.git("add", "--all")

    found = check("--staged")

    assert found.status == 1
    assert {"KL301", "KL916"} <= found.rules


def test_a_list_that_nobody_can_read_any_more_is_no_pass(
    harmful: Repository, check: Check
) -> None:
    """Whoever runs it runs it all the same."""
    Path(LIST).write_text(LOSES + "# x\n" * 6_000_000, encoding="utf-8")
    harmful.commit({})
    large = check()
    Path("plain.sh").write_text("true\n", encoding="utf-8")
    Path(LIST).unlink()
    Path(LIST).symlink_to("../plain.sh")
    harmful.commit({})
    link = check()

    assert (large.status, link.status) == (2, 2)
    assert f"{LIST} is larger than" in large.said
    assert f"{LIST} has become a link" in link.said


@pytest.mark.parametrize("value", ["[" * 20_000 + "]" * 20_000, "9" * 20_000])
def test_settings_that_cannot_be_read_are_told(
    value: str, harmful: Repository, check: Check
) -> None:
    harmful.commit({"pyproject.toml": f"[tool.kopslint]\nignore = {value}\n"})

    assert {"KL301", "KL916"} <= check().rules
