"""The report for programs: one JSON object in the shape of ``report.schema``.

It is built from plain values, because printing must not fail on a text that is
merely odd; tests hold it to the published schema. Everything in it is ASCII, so
that it survives every pipe and every terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.report import sentences
from kopslint.report.order import causes, identified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.findings import EtcdView, Finding, Observed, Report, TimelineEntry
    from kopslint.text import Span

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
    known, cause_of = dict(found), causes(finding for finding, _ in found)
    return {
        "schema": SCHEMA,
        "summary": {
            "verdict": report.verdict.value,
            "assumptions": [_assumption(each) for each in report.assumptions],
            "errors": report.count(Severity.ERROR),
            "warnings": report.count(Severity.WARNING),
            "infos": report.count(Severity.INFO),
            "clusters": list(summary.clusters),
            "specs": summary.specs,
            "commands": summary.commands,
            "rules": summary.rules,
            "worlds": summary.worlds,
            "skipped": list(summary.skipped),
            "unread": list(summary.unread),
            "observed": [_observed(one) for one in summary.observed],
            "existing": len(report.existing),
            "suppressed": report.suppressed_by("comment"),
            "baselined": report.suppressed_by("baseline"),
        },
        "findings": [
            {
                **_finding(finding),
                "fingerprint": fingerprint,
                "cause": known[cause_of[finding]] if finding in cause_of else None,
                "existing": finding.existing,
            }
            for finding, fingerprint in found
        ],
        "timeline": [_entry(entry) for entry in report.timeline],
    }


def _observed(one: Observed) -> dict[str, object]:
    return {
        "command": one.command,
        "format": one.form,
        "path": one.path,
        "etcd_cluster": one.etcd_cluster,
        "node": one.node,
        "taken": one.taken,
    }


def _finding(finding: Finding) -> dict[str, object]:
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
            {**_place(place.span), "label": place.label} for place in finding.locations
        ],
    }


def _assumption(finding: Finding) -> dict[str, object]:
    return {
        "text": sentences.assumption(finding),
        "locations": [
            {**_place(place.span), "label": place.label} for place in finding.locations
        ],
    }


def _entry(entry: TimelineEntry) -> dict[str, object]:
    return {
        "step": entry.step,
        "command": entry.command,
        "location": None if entry.span is None else _place(entry.span),
        "status": entry.status,
        "cluster": entry.cluster,
        "etcd": _etcd_clusters(entry.etcd),
        "during": [
            {"group": moment.group, "etcd": _etcd_clusters(moment.etcd)}
            for moment in entry.during
        ],
    }


def _etcd_clusters(views: Mapping[str, EtcdView]) -> dict[str, object]:
    return {name: _etcd(view) for name, view in views.items()}


def _etcd(view: EtcdView) -> dict[str, object]:
    return {
        "members": list(view.members),
        "alive": list(view.alive),
        "quorum": view.quorum,
        "tolerance": view.tolerance,
        "published": view.published,
        "writable": view.writable,
    }


def _place(span: Span) -> dict[str, object]:
    return {
        "path": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
