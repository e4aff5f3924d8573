"""What the report of a shard says besides, so that the reports can be merged.

The JSON report leaves out what programs do not need and other forms do: the quorum
trace, the lines that are shown, what is suppressed. That stands beside it in the same
file, in the same order. This module must not know how it is read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint import __version__
from kopslint.report.json_report import etcd_object, finding_object, place_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.findings import (
        EtcdView,
        Finding,
        Part,
        Report,
        Suppression,
        TimelineEntry,
    )
    from kopslint.source.text import Source, Span


def part_object(
    report: Report, part: Part, findings: Sequence[Finding]
) -> dict[str, object]:
    """The value of ``shard`` in a report that has its ``findings`` in this order."""
    texts = _Texts()
    return {
        "number": part.number,
        "of": part.of,
        "version": __version__,
        "before": report.summary.before,
        "after": report.summary.after,
        "paths": list(report.summary.paths),
        "findings": [_rest(finding, texts) for finding in findings],
        "doubtful": [_whole(finding, texts) for finding in part.doubtful],
        "suppressed": [
            {**_whole(finding, texts), **_why(suppression, texts)}
            for finding, suppression in report.suppressed
        ],
        "timeline": [_step(entry, texts) for entry in report.timeline],
        # This comes last: all that stands above has said which lines are shown.
        "texts": texts.listed(),
    }


class _Texts:
    """The sources that anything points into, by number, with the lines shown."""

    def __init__(self) -> None:
        self._lines: dict[Source, dict[int, str]] = {}
        self._numbers: dict[Source, int] = {}

    def number(self, span: Span) -> int:
        """The number of the source of a place that may be shown."""
        source = span.source
        lines = self._lines.setdefault(source, {})
        # A frame shows the line of a place, and perhaps the one above it.
        for line in (span.line - 1, span.line):
            if 0 < line <= len(source.lines):
                lines[line] = source.line(line)
        return self._numbers.setdefault(source, len(self._numbers))

    def listed(self) -> list[dict[str, object]]:
        return [
            {
                "path": source.path,
                "revision": source.revision,
                "past": source.past,
                "lines": {str(n): text for n, text in sorted(lines.items())},
            }
            for source, lines in self._lines.items()
        ]


def _whole(finding: Finding, texts: _Texts) -> dict[str, object]:
    return {"finding": finding_object(finding), "rest": _rest(finding, texts)}


def _rest(finding: Finding, texts: _Texts) -> dict[str, object]:
    return {
        "subject": finding.subject,
        "story": list(finding.story),
        "trace": [
            {
                "etcd_cluster": line.etcd_cluster,
                "before": _etcd(line.before) if line.before is not None else None,
                "after": _etcd(line.after),
                "note": line.note,
            }
            for line in finding.trace
        ],
        "texts": [texts.number(place.span) for place in finding.locations],
    }


def _why(suppression: Suppression, texts: _Texts) -> dict[str, object]:
    span = suppression.span
    return {
        "kind": suppression.kind,
        "reason": suppression.reason,
        "comment": place_object(span) if span is not None else None,
        "text": texts.number(span) if span is not None else None,
    }


def _step(entry: TimelineEntry, texts: _Texts) -> dict[str, object]:
    return {
        "note": entry.note,
        "title": entry.title,
        "text": texts.number(entry.span) if entry.span is not None else None,
        "etcd": {name: _etcd_rest(view) for name, view in entry.etcd.items()},
    }


def _etcd(view: EtcdView) -> dict[str, object]:
    return {**etcd_object(view), **_etcd_rest(view)}


def _etcd_rest(view: EtcdView) -> dict[str, object]:
    return {"joining": list(view.joining), "expelled": list(view.expelled)}
