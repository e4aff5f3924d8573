"""The one word about a report: what each of the five stands for."""

from __future__ import annotations

from typing import Any

import pytest

from kopslint.findings import (
    Certainty,
    Finding,
    Location,
    Report,
    Severity,
    Summary,
    Suppression,
    Verdict,
)
from kopslint.report.display import Style
from kopslint.report.json_report import render_json, report_object
from kopslint.report.verdict import block
from kopslint.text import Source

CHECKED = Summary(clusters=("prod.example.com",), specs=2)


def finding(severity: str, rule: str = "KL301") -> Finding:
    return Finding(
        rule=rule,
        name="a-rule",
        severity=Severity(severity),
        certainty=Certainty.CERTAIN,
        message="assumed: $ID is d",
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
    assert summary["assumptions"] == [{"text": "$ID is d", "locations": []}]


LIST = Source("run.sh", "kops update cluster --yes\nkops rolling-update cluster\n")


def block_of(report: Report, *, width: int = 80, mended: bool = False) -> list[str]:
    style = Style(color=False, unicode=True, width=width)
    return list(block(report, style, mended=mended))


def on_line(line: int, severity: str = "error", **changes: Any) -> Finding:
    place = Location(LIST.span(line, 1, line, 5), "")
    return finding(severity)._replace(**{"locations": (place,), **changes})


OF_A_LIST = CHECKED._replace(before=5, after=3, lists=("run.sh",))


def test_the_first_lines_say_what_is_wrong_where_and_what_to_do() -> None:
    """What is only worth knowing is not among them; several places are one line."""
    report = Report(
        (
            on_line(2, "info", rule="KL405", message="never stored"),
            on_line(2, message="b is deleted"),
            on_line(1, message="a is deleted", fix=("# first", "kops validate")),
            on_line(2, "warning", rule="KL302", message="quorum is lost"),
        ),
        summary=OF_A_LIST,
    )

    assert block_of(report) == [
        "UNSAFE  prod.example.com  control plane 5 -> 3  run.sh",
        "  lines 1, 2  a is deleted (likewise b)",
        "  line 2      quorum is lost",
        "  instead     kops validate",
    ]
    assert block_of(report, mended=True)[-1] == (
        "  instead     the corrected list: --diff prints it, --fix writes it"
    )


def test_they_are_at_most_six_lines_and_no_sentence_is_cut() -> None:
    """A second sentence that has no room is counted; commands stay as they are."""
    command = (
        "kops update cluster --name prod.example.com --yes --lifecycle-overrides all"
    )
    report = Report(
        tuple(
            on_line(1, rule=f"KL30{number}", message="long " * 20, fix=(command,))
            for number in range(9)
        ),
        summary=OF_A_LIST,
    )

    lines = block_of(report)

    assert lines[1:] == [
        f"  line 1   {' '.join(['long'] * 14)}",
        "           long long long long long long",
        "           and 8 more",
        f"  instead  {command}",
    ]


def test_one_sentence_is_said_in_full_however_long_it_is() -> None:
    report = Report((on_line(1, message="long " * 200),), summary=OF_A_LIST)

    assert " ".join(block_of(report)).count("long") == 200


def test_what_is_safe_says_on_what_that_rests() -> None:
    """The assumptions with their places; without any there is nothing to add."""
    assumed = [
        on_line(1, "info", rule="KL902", message=f"assumed: ${n} is a")
        for n in range(6)
    ]

    assert block_of(Report((), summary=OF_A_LIST)) == [
        "SAFE  prod.example.com  control plane 5 -> 3  run.sh"
    ]
    assert block_of(Report(tuple(assumed), summary=OF_A_LIST)) == [
        "SAFE  prod.example.com  control plane 5 -> 3  run.sh",
        "  assumes  $0 is a (run.sh:1)",
        "  assumes  $1 is a (run.sh:1)",
        "  assumes  $2 is a (run.sh:1)",
        "  assumes  $3 is a (run.sh:1)",
        "           and 2 more",
    ]


def test_what_is_not_checked_says_why() -> None:
    unread = Report((), summary=OF_A_LIST._replace(unread=("run.sh",)))

    assert block_of(unread)[1:] == ["  no command could be read from run.sh"]
    assert block_of(Report(())) == ["NOT CHECKED", "  no kops cluster was found"]
