"""GitLab Code Quality: one entry a finding, recognised again in the next pipeline."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kopslint.findings import Certainty, Finding, Location, Report, Severity
from kopslint.report.gitlab import render_gitlab
from kopslint.report.places import Repository
from kopslint.text import Source

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

HERE = Repository(root="/checkout", folder="/checkout/ops")
COMMANDS = Source("./run.sh", "\nkops delete ig é --yes\n")
FINDING = Finding(
    rule="KL301",
    name="a-rule",
    severity=Severity.ERROR,
    certainty=Certainty.POSSIBLE,
    message="é is deleted",
    why="It is gone.",
    locations=(Location(COMMANDS.span(2, 1, 3, 1), "here"),),
    subject="é",
)


@cache
def validator() -> Validator:
    from jsonschema import Draft202012Validator

    path = Path(__file__).parent / "schemas" / "gitlab-code-quality.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def entries(*findings: Finding) -> list[dict[str, Any]]:
    report = json.loads(render_gitlab(Report(findings), HERE))
    validator().validate(report)
    assert isinstance(report, list)
    return report


def test_a_clean_report_is_an_empty_array() -> None:
    assert render_gitlab(Report(()), HERE) == "[]\n"


def test_a_finding_is_an_entry_with_a_path_from_the_root_and_lines_from_one() -> None:
    [entry] = entries(FINDING)

    assert entry == {
        "description": "KL301: possible: é is deleted",
        "check_name": "KL301",
        "fingerprint": entry["fingerprint"],
        "severity": "critical",
        "location": {"path": "ops/run.sh", "lines": {"begin": 2, "end": 3}},
    }


@pytest.mark.parametrize(
    ("severity", "shown"),
    [
        (Severity.ERROR, "critical"),
        (Severity.WARNING, "major"),
        (Severity.INFO, "info"),
    ],
)
def test_severities_are_gitlab_s(severity: Severity, shown: str) -> None:
    [entry] = entries(FINDING._replace(severity=severity))

    assert entry["severity"] == shown


def test_the_fingerprint_does_not_change_when_lines_move() -> None:
    moved = FINDING._replace(
        locations=(Location(COMMANDS.span(70, 1, 70, 5), "there"),)
    )

    assert entries(moved)[0]["fingerprint"] == entries(FINDING)[0]["fingerprint"]


def test_findings_that_are_alike_are_not_merged() -> None:
    """GitLab shows only one of several entries with the same fingerprint."""
    prints = {entry["fingerprint"] for entry in entries(FINDING, FINDING, FINDING)}

    assert len(prints) == 3


def test_a_finding_about_no_file_is_about_the_folder() -> None:
    [entry] = entries(FINDING._replace(locations=()))

    assert entry["location"] == {"path": ".", "lines": {"begin": 1, "end": 1}}


def test_the_report_is_ascii_without_control_characters() -> None:
    [entry] = entries(FINDING._replace(message="a\x1b\udcff\n|"))

    assert entry["description"] == "KL301: possible: a\\x1b\\udcff\\n|"
    assert render_gitlab(Report((FINDING,)), HERE).isascii()
