"""The verdict and the few lines that people read first, the same in every form.

Whether to run it, what is wrong and where, what to do: at most six lines. Everything
else in a report is there to be looked up.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from kopslint.findings import Certainty, Severity, Verdict
from kopslint.records import Record
from kopslint.report import display, sentences
from kopslint.report.order import told, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.findings import Finding, Report
    from kopslint.report.display import Style

MOST_POINTS = 4
"""With the first line and what is left out these are six lines."""

_LOOKS = {
    Verdict.SAFE: "bold green",
    Verdict.CAUTION: "bold yellow",
    Verdict.UNSAFE: "bold red",
    Verdict.NOT_PROVEN: "bold yellow",
    Verdict.NOT_CHECKED: "bold yellow",
}


class Point(Record):
    """One line below the verdict: ``label`` says where, or what kind of line it is."""

    label: str
    text: str


def subject(report: Report) -> list[str]:
    """What the verdict is about: cluster, size of its control plane, command list."""
    summary = report.summary
    parts = []
    if summary.clusters:
        several = sentences.count(len(summary.clusters), "cluster")
        parts.append(summary.clusters[0] if len(summary.clusters) == 1 else several)
    if summary.before is not None and summary.after is not None:
        sizes = f"{summary.before} -> {summary.after}"
        parts.append(f"control plane {sizes}")
    if summary.lists:
        several = sentences.count(len(summary.lists), "list")
        parts.append(summary.lists[0] if len(summary.lists) == 1 else several)
    return parts


def points(report: Report, *, mended: bool = False) -> list[Point]:
    """What there is to say below the verdict, the worst first.

    ``mended`` is whether there is a list that is in order.
    """
    if report.existing:
        stood = Point("", f"{sentences.existing(report)}: listed apart, not counted")
        return [*_points(report, MOST_POINTS - 1, mended=mended), stood]
    return _points(report, MOST_POINTS, mended=mended)


def _points(report: Report, most: int, *, mended: bool) -> list[Point]:
    match report.verdict:
        case Verdict.NOT_CHECKED:
            return [Point("", _why_not_checked(report))]
        case Verdict.SAFE:
            assumed = [
                Point("assumes", f"{sentences.assumption(each)}{_at(each)}")
                for each in report.assumptions
            ]
            return _first(assumed, most)
    hazards = [*_hazards(report)]
    remedy = _remedy(report, mended=mended)
    if remedy is None:
        return _first(hazards, most)
    return [*_first(hazards, most - 1), remedy]


def block(report: Report, style: Style, *, mended: bool = False) -> Iterator[str]:
    """The verdict as lines of a terminal; what is too long for a line is cut."""
    word = style.paint(report.verdict.value, _LOOKS[report.verdict])
    about = "  ".join(style.safe(part) for part in subject(report))
    yield f"{word}  {about}".rstrip()
    said = points(report, mended=mended)
    room = max((display.width(style.safe(point.label)) for point in said), default=0)
    for point in said:
        label = display.pad(style.safe(point.label), room)
        gap = f"  {label}  " if room else "  "
        left = style.width - display.width(gap)
        yield gap + display.cut(style.safe(point.text), left, style.ellipsis)


def _first(told: list[Point], most: int) -> list[Point]:
    """The first of some points, and how many more there are."""
    shown = list(islice(told, most))
    left = len(told) - len(shown)
    return [*shown, Point("", f"and {left} more")] if left else shown


def _hazards(report: Report) -> Iterator[Point]:
    """What was found, the worst first, each mistake with what it leads to."""
    for group in told(report.findings):
        for same in (group.findings, *_by_rule(group.leads_to)):
            first = same[0]
            if first.severity is Severity.INFO:
                continue
            more = f" (and {len(same) - 1} more like it)" if len(same) > 1 else ""
            doubt = "possible: " if first.certainty is Certainty.POSSIBLE else ""
            text = sentences.in_short(first)
            yield Point(_where(same, report), f"{doubt}{text}{more}")


def _by_rule(findings: Iterable[Finding]) -> Iterable[tuple[Finding, ...]]:
    """What follows, the worst first; what follows at several places once."""
    alike: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in sorted(findings, key=lambda each: each.severity.rank):
        alike.setdefault((finding.rule, finding.severity), []).append(finding)
    return map(tuple, alike.values())


def _where(same: tuple[Finding, ...], report: Report) -> str:
    """Where findings stand: the lines of the only list, else the first place."""
    places = [f.locations[0].span for f in same if f.locations]
    if not places:
        return ""
    paths = {span.source.path for span in places}
    if len(paths) == 1 and tuple(paths) == report.summary.lists:
        lines = sorted({span.line for span in places})
        if len(lines) == 1:
            return f"line {lines[0]}"
        return f"lines {', '.join(map(str, lines[:3]))}{', ...' if lines[3:] else ''}"
    first = places[0]
    return f"{first.source.path}:{first.line}"


def _at(finding: Finding) -> str:
    if not finding.locations:
        return ""
    span = finding.locations[0].span
    return f" ({span.source.path}:{span.line})"


def _remedy(report: Report, *, mended: bool) -> Point | None:
    """What to do: take the corrected list, or what the worst finding says."""
    if mended:
        return Point("instead", "the corrected list: --diff prints it, --fix writes it")
    if report.verdict is Verdict.NOT_PROVEN:
        return Point("instead", "write out what is not followed, and check again")
    for finding in worst_first(report.findings):
        commands = [line for line in finding.fix if not line.startswith("#")]
        whole = next((line for line in commands if line.startswith("kopslint ")), None)
        if finding.severity is not Severity.INFO and commands:
            return Point("instead", (whole or commands[0]).partition("  #")[0])
    return None


def _why_not_checked(report: Report) -> str:
    unread = report.summary.unread
    if unread:
        return f"no command could be read from {', '.join(unread)}"
    return "no kops cluster was found"
