"""The verdict and the few lines that people read first, the same in every form.

Whether to run it, what is wrong and where, what to do: at most six lines, in which
sentences are whole. Everything else in a report is there to be looked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Certainty, Severity, Verdict
from kopslint.records import Record
from kopslint.report import display, sentences
from kopslint.report.order import others, told, worst_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kopslint.findings import Finding, Report
    from kopslint.report.display import Style

MOST_LINES = 6
"""Only one sentence that is longer than that by itself makes it more."""

# A longer label stands before its text and not in a column of its own.
_LABEL = 24
# So many places of one mistake are named.
_MOST_NAMES = 5

_LOOKS = {
    Verdict.SAFE: "bold green",
    Verdict.CAUTION: "bold yellow",
    Verdict.UNSAFE: "bold red",
    Verdict.NOT_PROVEN: "bold yellow",
    Verdict.NOT_CHECKED: "bold yellow",
}


class Point(Record):
    """One thing below the verdict: ``label`` says where, or what kind of thing it is.

    ``findings`` are those that it says in full. ``paste`` is whether it is a command.
    """

    label: str
    text: str
    findings: tuple[Finding, ...] = ()
    paste: bool = False


class Opening(Record):
    """The first lines of a report, and what need not be said again below them."""

    lines: tuple[str, ...]
    findings: frozenset[Finding]
    commands: frozenset[str]


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


def points(
    report: Report,
    *,
    mended: bool = False,
    lines: Callable[[Point], int] | None = None,
) -> list[Point]:
    """What there is to say below the verdict, the worst first.

    ``mended`` is whether there is a list that is in order, ``lines`` how many lines a
    point takes, by default one.
    """
    told, last = _every_point(report, mended=mended)
    if report.existing:
        stood = f"{sentences.existing(report)}: shown separately, not counted"
        last = [*last, Point("", stood)]
    size = lines or (lambda _: 1)
    room = MOST_LINES - 1 - sum(map(size, last))
    shown: list[Point] = []
    for number, point in enumerate(told):
        # The line that says how many are left out needs one as well.
        needed = size(point) + (number < len(told) - 1)
        if shown and needed > room:
            break
        shown.append(point)
        room -= size(point)
    if len(shown) < len(told):
        shown.append(Point("", f"and {len(told) - len(shown)} more"))
    return [*shown, *last]


def _every_point(report: Report, *, mended: bool) -> tuple[list[Point], list[Point]]:
    """All that there is to say, and what comes last and is never left out."""
    match report.verdict:
        case Verdict.NOT_CHECKED:
            return [Point("", _why_not_checked(report))], []
        case Verdict.SAFE:
            return [
                Point("assumes", f"{sentences.assumption(each)}{_at(each)}", (each,))
                for each in report.assumptions
            ], []
    remedy = _remedy(report, mended=mended)
    return [*_hazards(report)], [remedy] if remedy else []


def block(report: Report, style: Style, *, mended: bool = False) -> Iterator[str]:
    """The verdict as lines of a terminal; what is too long for a line is wrapped."""
    yield from opening(report, style, mended=mended).lines


def opening(report: Report, style: Style, *, mended: bool = False) -> Opening:
    """The verdict as lines of a terminal, and what they say in full."""
    word = style.paint(report.verdict.value, _LOOKS[report.verdict])
    about = "  ".join(style.safe(part) for part in subject(report))
    lines = [*display.folded(f"{word}  {about}".rstrip(), style.width, hang=2)]
    told, last = _every_point(report, mended=mended)
    labels = [style.safe(point.label) for point in (*told[:MOST_LINES], *last)]
    room = max(
        (w for each in labels if (w := display.width(each)) <= _LABEL), default=0
    )
    said = points(report, mended=mended, lines=lambda p: len(_lines(p, room, style)))
    for point in said:
        lines += _lines(point, room, style)
    known = frozenset(finding for point in said for finding in point.findings)
    commands = frozenset(point.text for point in said if point.paste)
    return Opening(tuple(lines), known, commands)


def _lines(point: Point, room: int, style: Style) -> list[str]:
    """A point, its text beside its label or, if that is long, after it."""
    label, text = style.safe(point.label), style.safe(point.text)
    if display.width(label) > room:
        return [*display.folded(f"{label}: {text}", style.width, indent=2, hang=2)]
    gap = f"  {display.pad(label, room)}  " if room else "  "
    left = style.width - display.width(gap)
    wrapped = [text] if point.paste else display.wrap(text, left, broken=True)
    return [f"{gap if n == 0 else ' ' * len(gap)}{t}" for n, t in enumerate(wrapped)]


def _hazards(report: Report) -> Iterator[Point]:
    """What was found, the worst first, each mistake with what it leads to."""
    for group in told(report.findings):
        for same in (group.findings, *_by_rule(group.leads_to)):
            first = same[0]
            if first.severity is Severity.INFO:
                continue
            doubt = "possible: " if first.certainty is Certainty.POSSIBLE else ""
            text = f"{doubt}{sentences.in_short(first)}{_likewise(same)}"
            yield Point(_where(same, report), text, same)


def _likewise(same: tuple[Finding, ...]) -> str:
    """What else is in the same case, by name where the words have one."""
    if len(same) == 1:
        return ""
    names = others([finding.message for finding in same])
    if not names or len(names) > _MOST_NAMES:
        return f" (and {len(same) - 1} more like it)"
    return f" (likewise {', '.join(names)})"


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
    if report.verdict is Verdict.NOT_PROVEN and report.summary.lists:
        return Point("instead", "write out what could not be checked, and check again")
    for finding in worst_first(report.findings):
        commands = [line for line in finding.fix if not line.startswith("#")]
        whole = next((line for line in commands if line.startswith("kopslint ")), None)
        if finding.severity is not Severity.INFO and commands:
            command = (whole or commands[0]).partition("  #")[0]
            return Point("instead", command, paste=True)
    return None


def _why_not_checked(report: Report) -> str:
    unread = report.summary.unread
    if unread:
        return f"no command could be read from {', '.join(unread)}"
    return "no kops cluster was found"
