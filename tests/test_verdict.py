"""The one word about a report: what each of the five stands for."""

from __future__ import annotations

import pytest

from kopslint.findings import (
    Certainty,
    Finding,
    Report,
    Severity,
    Summary,
    Suppression,
    Verdict,
)
from kopslint.report.json_report import render_json, report_object

CHECKED = Summary(clusters=("prod.example.com",), specs=2)


def finding(severity: str, rule: str = "KL301") -> Finding:
    return Finding(
        rule=rule,
        name="a-rule",
        severity=Severity(severity),
        certainty=Certainty.CERTAIN,
        message="assumed: $ID is taken to be d",
        why="",
        locations=(),
        subject="d",
    )


def found(*findings: Finding) -> Report:
    return Report(findings, summary=CHECKED)


VERDICTS = {
    "nothing found": (found(), Verdict.SAFE),
    "only worth knowing": (found(finding("info")), Verdict.SAFE),
    "an assumption": (found(finding("info", "KL902")), Verdict.SAFE),
    "an assumption that nothing guards": (
        found(finding("warning", "KL902")),
        Verdict.CAUTION,
    ),
    "a warning": (found(finding("warning")), Verdict.CAUTION),
    "an error": (found(finding("warning"), finding("error")), Verdict.UNSAFE),
    "not followed, elsewhere": (found(finding("warning", "KL901")), Verdict.CAUTION),
    "not followed": (found(finding("error", "KL901")), Verdict.NOT_PROVEN),
    "not followed, and a warning": (
        found(finding("error", "KL901"), finding("warning")),
        Verdict.NOT_PROVEN,
    ),
    "not followed, and an error": (
        found(finding("error", "KL901"), finding("error")),
        Verdict.UNSAFE,
    ),
    "no cluster": (Report(()), Verdict.NOT_CHECKED),
    "no command in the list": (
        Report((finding("warning"),), summary=CHECKED._replace(unread=("list.md",))),
        Verdict.NOT_CHECKED,
    ),
    "an error, and no command in the list": (
        Report((finding("error"),), summary=CHECKED._replace(unread=("list.md",))),
        Verdict.UNSAFE,
    ),
    "an error that is silenced": (
        Report(
            (),
            summary=CHECKED,
            suppressed=((finding("error"), Suppression("comment", "known")),),
        ),
        Verdict.SAFE,
    ),
}


@pytest.mark.parametrize(("report", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_the_verdict_is_that_of_the_contract(report: Report, verdict: Verdict) -> None:
    """Found for certain goes before not followed, and both before a warning."""
    assert report.verdict is verdict
    assert f'"verdict": "{verdict}"' in render_json(report)


def test_the_assumptions_are_told_with_their_places() -> None:
    """A program finds them in one place, without knowing rules."""
    summary = report_object(found(finding("info", "KL902"), finding("info")))["summary"]

    assert isinstance(summary, dict)
    assert summary["assumptions"] == [{"text": "$ID is taken to be d", "locations": []}]
