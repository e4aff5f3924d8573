"""The report as JUnit XML: a test for each rule and cluster, green if it is silent.

It keeps to what the schema of Jenkins's xunit plug-in allows, the strictest of the
readers, and is ASCII with character references, so that no encoding matters. The
place of a finding is the first line of its failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kopslint.findings import Report, Severity, in_order
from kopslint.report import sentences
from kopslint.report.display import Style
from kopslint.report.text import render_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.findings import Finding, RuleInfo

# Escapes stand for all characters that XML cannot hold.
_STYLE = Style(color=False, unicode=True, width=100)

# What is found outside of any cluster.
_NOWHERE = "kopslint"


def render_junit(report: Report, rules: Sequence[RuleInfo]) -> str:
    """The report as an XML document in ASCII that ends with a line end.

    ``rules`` are all rules that were asked. A suite is a cluster. Errors and
    warnings are failures; information, and what stands before the change as well, is
    printed by a test that passes.
    """
    stood = {*report.existing}
    found: dict[str, list[Finding]] = {name: [] for name in report.summary.clusters}
    for finding in in_order((*report.findings, *report.existing)):
        found.setdefault(finding.cluster or _NOWHERE, []).append(finding)
    root = Element("testsuites", name="kopslint")
    for cluster, findings in found.items():
        _suite(root, _STYLE.safe(cluster), findings, rules, stood)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    indent(root)
    body = tostring(root, encoding="us-ascii").decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(
    root: Element,
    cluster: str,
    findings: list[Finding],
    rules: Sequence[RuleInfo],
    stood: set[Finding],
) -> None:
    suite = SubElement(root, "testsuite", name=cluster)
    for finding in findings:
        test = _test(suite, cluster, finding.name)
        text = sentences.headline(finding, _STYLE)
        test.set("name", f"{finding.rule}: {text}")
        body = render_findings(Report((finding,)), color=False, width=100, unicode=True)
        if finding.severity is Severity.INFO or finding in stood:
            SubElement(test, "system-out").text = body
        else:
            failure = SubElement(
                test, "failure", message=text, type=finding.severity.value
            )
            failure.text = body
    silent = [rule for rule in rules if rule.id not in {f.rule for f in findings}]
    for rule in silent:
        _test(suite, cluster, rule.name).set("name", rule.id)
    failures = len(suite.findall("testcase/failure"))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")


def _test(suite: Element, cluster: str, rule: str) -> Element:
    """A test whose class is the rule, in a package that is the cluster."""
    return SubElement(suite, "testcase", classname=f"{cluster}.{_STYLE.safe(rule)}")
