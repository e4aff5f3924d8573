"""Places in rendered texts as places in the files that people have written.

Everything is checked as kops would read it. Only the report speaks of templates and of
the values that they are filled with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Finding, Location, Report, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.engine.examine import Request

VALUE = "the value comes from here"


def as_written(report: Report, request: Request) -> Report:
    """The report with every place where it is written."""
    if not any(source.is_rendered for source in (*request.specs, *request.at_hand)):
        return report
    return report._replace(
        findings=in_order(_once(map(_written, report.findings))),
        existing=in_order(_once(map(_written, report.existing))),
        suppressed=tuple((_written(f), why) for f, why in report.suppressed),
        timeline=tuple(
            entry._replace(span=entry.span.source.written_at(entry.span)[0])
            if entry.span is not None
            else entry
            for entry in report.timeline
        ),
    )


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What is wrong with a template itself is said once for all that it renders."""
    seen = set()
    for finding in findings:
        key = (finding.rule, finding.message, finding.locations)
        if key not in seen:
            seen.add(key)
            yield finding


def _written(finding: Finding) -> Finding:
    if not any(place.span.source.is_rendered for place in finding.locations):
        return finding
    return finding._replace(locations=tuple(dict.fromkeys(_places(finding.locations))))


def _places(locations: Iterable[Location]) -> Iterator[Location]:
    """Each in the template, and then where its value is: that is what to change."""
    for span, label in locations:
        template, *values = span.source.written_at(span)
        yield Location(template, label)
        yield from (Location(value, VALUE) for value in values)
