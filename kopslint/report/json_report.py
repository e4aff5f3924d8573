"""The report for programs: one JSON object in the shape of ``report.schema``.

It is built from plain values, because printing must not fail on a text that is
merely odd; tests hold it to the published schema. Everything in it is ASCII, so
that it survives every pipe and every terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.report.identity import identified

if TYPE_CHECKING:
    from kopslint.findings import EtcdView, Finding, Report, TimelineEntry
    from kopslint.source.text import Span

SCHEMA = "kopslint/v1"


def render_json(report: Report) -> str:
    """The report as a JSON object that ends with a line end."""
    return json.dumps(report_object(report), indent=2) + "\n"


def render_schema() -> str:
    """The JSON Schema of what ``render_json`` returns."""
    from kopslint.report.schema import json_schema

    return json.dumps(json_schema(), indent=2) + "\n"


def report_object(report: Report) -> dict[str, object]:
    """The report as the values that ``kopslint/v1`` is made of."""
    summary = report.summary
    found = [
        (finding, fingerprint)
        for finding, fingerprint, suppression in identified(report)
        if suppression is None
    ]
    values: dict[str, object] = {
        "schema": SCHEMA,
        "summary": {
            "errors": report.count(Severity.ERROR),
            "warnings": report.count(Severity.WARNING),
            "infos": report.count(Severity.INFO),
            "clusters": list(summary.clusters),
            "specs": summary.specs,
            "commands": summary.commands,
            "rules": summary.rules,
            "worlds": summary.worlds,
            "skipped": list(summary.skipped),
            "suppressed": report.suppressed_by("comment"),
            "baselined": report.suppressed_by("baseline"),
        },
        "findings": [
            {**finding_object(finding), "fingerprint": fingerprint}
            for finding, fingerprint in found
        ],
        "timeline": [_entry(entry) for entry in report.timeline],
    }
    if report.part is not None:
        from kopslint.report.part import part_object

        findings = [finding for finding, _ in found]
        values["shard"] = part_object(report, report.part, findings)
    return values


def finding_object(finding: Finding) -> dict[str, object]:
    """What ``kopslint/v1`` says of a finding, but for its fingerprint."""
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "certainty": finding.certainty.value,
        "message": finding.message,
        "why": finding.why,
        "fix": list(finding.fix),
        "step": finding.step,
        "cluster": finding.cluster,
        "etcd_cluster": finding.etcd_cluster,
        "locations": [
            {**place_object(place.span), "label": place.label}
            for place in finding.locations
        ],
    }


def _entry(entry: TimelineEntry) -> dict[str, object]:
    return {
        "step": entry.step,
        "command": entry.command,
        "location": None if entry.span is None else place_object(entry.span),
        "status": entry.status,
        "cluster": entry.cluster,
        "etcd": {name: etcd_object(view) for name, view in entry.etcd.items()},
    }


def etcd_object(view: EtcdView) -> dict[str, object]:
    """What ``kopslint/v1`` says of an etcd cluster."""
    return {
        "members": list(view.members),
        "alive": list(view.alive),
        "quorum": view.quorum,
        "tolerance": view.tolerance,
        "published": view.published,
        "writable": view.writable,
    }


def place_object(span: Span) -> dict[str, object]:
    """What ``kopslint/v1`` says of a place."""
    return {
        "path": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
