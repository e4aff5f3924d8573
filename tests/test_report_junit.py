"""JUnit XML: a test for each rule and cluster, readable by the strictest reader."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from kopslint.findings import (
    Certainty,
    Finding,
    Location,
    Report,
    RuleInfo,
    Severity,
    Summary,
)
from kopslint.report.junit import render_junit
from kopslint.report.text import render_findings
from kopslint.text import Source

CLUSTER = "prod.example.com"
COMMANDS = Source("run.sh", "kops delete ig é --yes\n")
FINDING = Finding(
    rule="KL301",
    name="a-rule",
    severity=Severity.ERROR,
    certainty=Certainty.POSSIBLE,
    message="é is deleted",
    why="It is gone.",
    locations=(Location(COMMANDS.span(1, 1, 1, 23), "here"),),
    subject="é",
    cluster=CLUSTER,
)
RULES = (
    RuleInfo("KL101", "quiet", "Nothing", "spec", Severity.INFO, ""),
    RuleInfo("KL301", "a-rule", "A group is deleted", "order", Severity.ERROR, ""),
)
SUMMARY = Summary((CLUSTER,))


def parsed(*findings: Finding, summary: Summary = SUMMARY) -> ET.Element:
    text = render_junit(Report(findings, (), summary), RULES)
    assert text.isascii()
    return ET.fromstring(text)  # noqa: S314 - our own output


def test_a_finding_is_a_failed_test_and_a_silent_rule_a_passed_one() -> None:
    root = parsed(FINDING)

    [suite] = root
    loud, quiet = suite
    [failure] = loud
    assert root.attrib == {
        "name": "kopslint",
        "tests": "2",
        "failures": "1",
        "errors": "0",
    }
    assert suite.attrib == {**root.attrib, "name": CLUSTER}
    assert loud.attrib == {
        "classname": "prod.example.com.a-rule",
        "name": "KL301: possible: é is deleted",
    }
    assert failure.attrib == {
        "message": "possible: é is deleted",
        "type": "error",
    }
    assert failure.text == render_findings(
        Report((FINDING,)), color=False, width=100, unicode=True
    )
    assert quiet.attrib == {"classname": "prod.example.com.quiet", "name": "KL101"}
    assert list(quiet) == []


@pytest.mark.parametrize(
    ("severity", "element", "failures"),
    [
        (Severity.ERROR, "failure", "1"),
        (Severity.WARNING, "failure", "1"),
        (Severity.INFO, "system-out", "0"),
    ],
)
def test_information_is_printed_by_a_test_that_passes(
    severity: Severity, element: str, failures: str
) -> None:
    [suite] = parsed(FINDING._replace(severity=severity))

    assert [child.tag for child in suite[0]] == [element]
    assert suite.get("failures") == failures


def test_each_cluster_is_a_suite_that_asks_every_rule() -> None:
    root = parsed(FINDING, summary=Summary(("a", CLUSTER)))

    assert [(s.get("name"), s.get("tests"), s.get("failures")) for s in root] == [
        ("a", "2", "0"),
        (CLUSTER, "2", "1"),
    ]


def test_what_is_about_no_cluster_has_a_suite_of_its_own() -> None:
    root = parsed(FINDING._replace(cluster=None))

    assert [suite.get("name") for suite in root] == [CLUSTER, "kopslint"]


def test_characters_that_xml_cannot_hold_are_spelled_out() -> None:
    """Markup and the end of a CDATA section are only text."""
    name = "<b>&\"' ]]> </failure>\n\t\0\x1b\ufffe\udcff😀"

    finding = FINDING._replace(message=name, name=name, cluster=name)

    [suite] = parsed(finding, summary=Summary())

    spelled = "<b>&\"' ]]> </failure>\\n\\t\\x00\\x1b\\ufffe\\udcff😀"
    [failure] = suite[0]
    assert suite.get("name") == spelled
    assert suite[0].get("classname") == f"{spelled}.{spelled}"
    assert failure.get("message") == f"possible: {spelled}"
    assert f"error[KL301]: possible: {spelled}\n" in (failure.text or "")
