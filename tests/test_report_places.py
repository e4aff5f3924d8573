"""Where services show a finding: never at a line that another state has."""

from __future__ import annotations

import json

from kopslint.findings import Certainty, Finding, Location, Report, Severity
from kopslint.report.github import render_github
from kopslint.report.gitlab import render_gitlab
from kopslint.report.places import Anchor, Repository
from kopslint.report.sarif import render_sarif
from kopslint.text import Source, Span

HERE = Repository(root="/checkout", folder="/checkout/ops", kept=True)
TEXT = "a: 1\nb: 2\nc: 3\n"
BEFORE = Source("../c.yaml", TEXT, "4ad41b9", past=True).span(3, 1, 3, 2)
AFTER = Source("../c.yaml", TEXT).span(2, 1, 2, 2)
ELSEWHERE = Source("/elsewhere/pull-request.md", TEXT).span(1, 1, 1, 2)


def finding(*spans: Span) -> Finding:
    return Finding(
        rule="KL205",
        name="a-rule",
        severity=Severity.ERROR,
        certainty=Certainty.CERTAIN,
        message="it is gone",
        why="",
        locations=tuple(Location(span, "") for span in spans),
        subject="it",
    )


def result_of(found: Finding) -> dict[str, object]:
    log = json.loads(render_sarif(Report((found,)), [], HERE))
    result: dict[str, object] = log["runs"][0]["results"][0]
    return result


def test_a_place_of_the_repository_as_it_is_is_shown_itself() -> None:
    anchor = Anchor("c.yaml", AFTER, 0, "")

    assert HERE.anchor(finding(AFTER, BEFORE)) == anchor


def test_a_line_of_the_state_before_is_no_line_of_the_file_now() -> None:
    found = finding(BEFORE)
    anchor = Anchor("c.yaml", None, None, "../c.yaml:3:1 at 4ad41b9")
    annotation = render_github(Report((found,)), HERE, unicode=True).splitlines()[0]
    [entry] = json.loads(render_gitlab(Report((found,)), HERE))

    assert HERE.anchor(found) == anchor
    assert annotation.startswith("::error file=c.yaml,title=KL205 a-rule::it is gone")
    assert "%0AFound at ../c.yaml:3:1 at 4ad41b9%0A" in annotation
    assert entry["location"] == {"path": "c.yaml", "lines": {"begin": 1, "end": 1}}
    assert entry["description"] == "KL205: it is gone (../c.yaml:3:1 at 4ad41b9)"
    assert result_of(found)["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "c.yaml"}}}
    ]


def test_another_place_that_can_be_shown_stands_for_one_that_cannot() -> None:
    found = finding(ELSEWHERE, BEFORE, AFTER)

    assert HERE.anchor(found) == Anchor(
        "c.yaml", AFTER, 2, "/elsewhere/pull-request.md:1:1"
    )


def test_what_lies_outside_the_repository_is_named_and_never_a_uri() -> None:
    """GitHub rejects a whole log for one such address."""
    found = finding(ELSEWHERE, BEFORE)
    result = result_of(found)

    assert "file://" not in json.dumps(result)
    assert [r["message"] for r in result["relatedLocations"]] == [  # type: ignore[attr-defined]
        {"text": "line 3 at 4ad41b9"}
    ]
    assert HERE.anchor(finding(ELSEWHERE)) == Anchor(
        None, None, None, "/elsewhere/pull-request.md:1:1"
    )


def test_without_a_repository_a_file_elsewhere_is_one_on_the_same_disk() -> None:
    folder = Repository(root="/checkout", folder="/checkout")
    anchor = Anchor("/elsewhere/pull-request.md", ELSEWHERE, 0, "")

    assert folder.anchor(finding(ELSEWHERE)) == anchor


def test_a_finding_about_no_file_is_at_none() -> None:
    assert HERE.anchor(finding()) == Anchor(None, None, None, "")
