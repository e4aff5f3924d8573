"""The report for people: findings with frames, the timeline, and one last line.

The first line of a finding is for ``grep`` and editors, and everything below it
is for whoever has to act on it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from kopslint.findings import TAKEN_FOR_GRANTED, Certainty, Severity
from kopslint.records import Record
from kopslint.report import display, sentences, verdict
from kopslint.report.display import Style
from kopslint.report.order import alike, others, told, worst_first
from kopslint.report.quorum import timeline as render_timeline
from kopslint.report.quorum import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kopslint.findings import Finding, Location, Report
    from kopslint.report.order import Told
    from kopslint.report.verdict import Opening
    from kopslint.text import Source


# Sections are indented so that their bodies line up: "   why   text".
_INDENT = 9

# So many skipped files are named; the rest is counted.
_NAMED = 3
# So many findings that stood before the change are named; the rest is counted.
_MOST_EXISTING = 10
# So many of the worst mistakes are shown with their places and the reason.
_MOST_WHOLE = 3
# Further lines of a heading and of a place stand below its text.
_HANG = 4


def render_text(
    report: Report,
    *,
    color: bool,
    width: int,
    unicode: bool,
    timeline: bool = True,
    mended: Sequence[str] = (),
    full: bool = False,
    link: Callable[[str], str | None] | None = None,
) -> str:
    """The whole report as text that ends with a line end.

    ``mended`` is what the list of commands should be instead: a heading, then lines.
    ``width`` is in cells; only commands to paste are longer than that. Without
    ``unicode`` the result is pure ASCII. With and without ``color`` the text is the
    same but for the escapes. Unless it is the ``full`` one, each mistake is reported
    once with what it leads to, the worst ones whole and the others in short, and what
    the verdict and the table of steps show is not repeated. With ``link``, which gives
    the address of a rule's page, the rules of findings are links of a terminal.
    """
    style = Style(color=color, unicode=unicode, width=width, pages=link)
    has_table = timeline and bool(report.timeline)
    said = verdict.opening(report, style, mended=bool(mended))
    lines = [*said.lines, ""]
    if full:
        for finding in worst_first(report.findings):
            lines += [*_finding(finding, style), ""]
    else:
        lines += _groups(report, said, style, has_table=has_table)
    lines += _existing(report, style)
    if has_table:
        table = [*render_timeline(report, style, every_step=full)]
        if len(table) > 1 and lines[-1]:
            lines.append("")
        lines += [*table, *([""] if table and full else [])]
    if mended and full:
        heading, *rest = map(style.safe, mended)
        lines += [style.paint(heading, "bold"), *(f"  {line}" for line in rest), ""]
    lines += _summary(report, style)
    return "\n".join(lines) + "\n"


def _groups(
    report: Report, said: Opening, style: Style, *, has_table: bool
) -> Iterator[str]:
    """The mistakes, the worst first, and then what is only worth knowing.

    What the verdict rests on is not repeated where that has just been ``said``.
    """
    in_whole = _in_whole(report.findings)
    known: list[str] = []
    for group in _to_tell(report, said):
        whole = group in in_whole
        block = [*_told(group, said, style, has_table=has_table, whole=whole)]
        if group.worst is Severity.INFO:
            known += block
        else:
            yield from [*block, ""]
    yield from known


def _to_tell(report: Report, said: Opening) -> list[Told]:
    return [
        group
        for group in told(report.findings)
        if not (
            _is_assumption(group.first) and said.findings.issuperset(group.findings)
        )
    ]


def _in_whole(findings: Sequence[Finding]) -> list[Told]:
    """The mistakes that decide the verdict, but not more than anybody reads."""
    groups = told(findings)
    worst = [group for group in groups if group.worst is groups[0].worst]
    return [g for g in worst[:_MOST_WHOLE] if g.worst is not Severity.INFO]


def _is_assumption(finding: Finding) -> bool:
    return finding.rule == TAKEN_FOR_GRANTED and finding.severity is Severity.INFO


def _existing(report: Report, style: Style) -> Iterator[str]:
    """What stands before the change as well, a line each, the worst first."""
    if not report.existing:
        return
    yield style.paint(f"{sentences.existing(report)}, not counted (--all):", "bold")
    for finding in worst_first(report.existing)[:_MOST_EXISTING]:
        yield from _headed(finding, style, indent=2)
    if len(report.existing) > _MOST_EXISTING:
        yield f"  and {len(report.existing) - _MOST_EXISTING} more"
    yield ""


def render_findings(
    report: Report,
    *,
    color: bool,
    width: int,
    unicode: bool,
    wrapped: bool = True,
    link: Callable[[str], str | None] | None = None,
) -> str:
    """Only the findings, a blank line between them; empty if there are none.

    Unless it is ``wrapped``, the first line of each is one line however long it is.
    """
    style = Style(color=color, unicode=unicode, width=width, pages=link)
    blocks = (
        "\n".join(_finding(finding, style, wrapped=wrapped))
        for finding in worst_first(report.findings)
    )
    return "\n\n".join(blocks) + "\n" if report.findings else ""


def render_concise(report: Report, *, color: bool, unicode: bool) -> str:
    """Only the first line of each finding, the worst first."""
    style = Style(color=color, unicode=unicode, width=0)
    heads = [_head(finding, style) for finding in worst_first(report.findings)]
    return "".join(f"{head}\n" for head in heads)


def _head(finding: Finding, style: Style, *, places: int = 1) -> str:
    """The line that ``grep`` and editors find a finding by."""
    where = style.safe(str(finding.locations[0].span) if finding.locations else "-")
    kind = style.severity(f"{finding.severity}[{finding.rule}]", finding.severity)
    kind = style.linked(kind, finding.rule)
    doubt = "" if finding.certainty is Certainty.CERTAIN else "possible: "
    message = style.paint(style.safe(doubt + finding.message), "bold")
    return f"{where}: {kind}: {message}{f' ({places} places)' if places > 1 else ''}"


def _headed(
    finding: Finding, style: Style, *, places: int = 1, indent: int = 0
) -> Iterator[str]:
    """The same in lines that keep to the width."""
    return display.folded(
        _head(finding, style, places=places), style.width, indent=indent, hang=_HANG
    )


def _finding(finding: Finding, style: Style, *, wrapped: bool = True) -> Iterator[str]:
    """A finding with all that there is to say about it."""
    yield from _headed(finding, style) if wrapped else [_head(finding, style)]
    yield from frames(finding, style)
    if finding.trace:
        yield ""
        yield from trace(finding.trace, style)
    yield ""
    yield from _story(finding, style)
    yield from _section("why", finding.why.split("\n"), style)
    if finding.fix:
        yield from _fix(finding.fix, style)
    yield from _section("more", [f"kopslint explain {finding.rule}"], style)


def _told(
    group: Told,
    said: Opening,
    style: Style,
    *,
    has_table: bool,
    whole: bool,
) -> Iterator[str]:
    """One mistake: its places in one frame for each file, and what it leads to."""
    first = group.first
    yield from _headed(first, style, places=len(group.findings))
    if _is_assumption(first):
        # Why it matters is the same for every assumption: --full says it.
        return
    if whole:
        yield from places_of(group, style)
        if first.trace and not (has_table and first.step is not None):
            yield from trace(first.trace, style)
        yield from _story(first, style)
    yield from _section("then", [*_consequences(group, said)], style, hang=2)
    if whole:
        yield from _section("why", first.why.split("\n"), style)
    fix = fix_of(group)
    if not {line.partition("  #")[0] for line in fix}.issubset(said.commands):
        yield from _fix(fix, style)


def places_of(group: Told, style: Style) -> Iterator[str]:
    """The places of one mistake, those in further files by their numbers only."""
    shown, beside = _places(group)
    yield from frames(group.first._replace(locations=shown), style, tight=True)
    for source, places in beside.items():
        numbers = sorted({place.span.line for place in places})
        label = alike([place.label for place in places])
        where = f"{source.path}:{', '.join(map(str, numbers))}"
        painted = style.paint(style.safe(f"--> {where}: {label}"), "cyan")
        yield from display.folded(painted, style.width, indent=2, hang=_HANG)


def _places(
    group: Told,
) -> tuple[tuple[Location, ...], dict[Source, list[Location]]]:
    """The places that are shown in frames, and those of other files that are named.

    It is the first one that matters; of what it meets elsewhere the line numbers do.
    """
    first = group.first
    shown: list[Location] = []
    beside: dict[Source, list[Location]] = {}
    for finding in group.findings:
        for number, place in enumerate(finding.locations):
            source = finding.locations[0].span.source
            if number == 0 and finding is not first:
                shown.append(place._replace(label=_likewise(first, finding)))
            elif place.span.source is source and (number == 0 or finding is first):
                shown.append(place)
            elif place.span.source is not source:
                beside.setdefault(place.span.source, []).append(place)
    return tuple(shown), beside


def _consequences(group: Told, said: Opening) -> Iterator[str]:
    """What a mistake leads to; what the verdict has ``said`` just by its name."""
    known = [finding for finding in group.leads_to if finding in said.findings]
    if known:
        yield ", ".join(dict.fromkeys(_named(finding) for finding in known))
    for finding in group.leads_to:
        if finding not in said.findings:
            yield f"{_named(finding)}: {sentences.in_short(finding)}"


def _named(finding: Finding) -> str:
    line = f" in line {finding.locations[0].span.line}" if finding.locations else ""
    return f"{finding.severity}[{finding.rule}]{line}"


def fix_of(group: Told) -> list[str]:
    """What to paste, once; a whole order stands for all single lines."""
    lines = dict.fromkeys(line for finding in group.findings for line in finding.fix)
    whole = [line for line in lines if line.startswith("kopslint plan ")]
    return whole[:1] or [*lines]


def _likewise(first: Finding, finding: Finding) -> str:
    """What is to be said beside a further place of a mistake."""
    other = others([first.message, finding.message])
    if finding.message == first.message:
        return "and here"
    return f"likewise {other[0]}" if other else finding.message


def _story(finding: Finding, style: Style) -> Iterator[str]:
    """The course of events that leads to what is only possible."""
    told = [f"{number}. {event}" for number, event in enumerate(finding.story, 1)]
    if told:
        yield from _section("how", told, style, hang=3)


def _section(
    title: str, items: Sequence[str], style: Style, *, hang: int = 0
) -> Iterator[str]:
    """A titled block; further lines of an item are indented by ``hang`` more."""
    head = f"   {style.paint(title, 'cyan')}{'':{_INDENT - 3 - len(title)}}"
    for item in items:
        room = style.width - _INDENT - hang
        first, *rest = display.wrap(style.safe(item), room, broken=True)
        yield f"{head}{first}".rstrip()
        head = " " * _INDENT
        for line in rest:
            yield f"{head}{'':{hang}}{line}"


def _fix(lines: Sequence[str], style: Style) -> Iterator[str]:
    """What to paste, each command in one line however long; remarks are wrapped."""
    head = f"   {style.paint('fix', 'cyan')}{'':{_INDENT - 6}}"
    room = style.width - _INDENT
    for line in lines:
        command, remark = _parts(style.safe(line), room)
        wrapped = display.wrap(remark, room - 2, broken=True) if remark else []
        for part in (*(f"# {part}" for part in wrapped), *([command] * bool(command))):
            yield f"{head}{part}".rstrip()
            head = " " * _INDENT


def _parts(line: str, room: int) -> tuple[str, str]:
    """A command, and a remark that has no room beside it."""
    if line.startswith("# "):
        return "", line[2:]
    command, mark, remark = line.partition("  # ")
    if not mark or display.width(line) <= room:
        return line, ""
    return command, remark


def _summary(report: Report, style: Style) -> Iterator[str]:
    """What was found, and what was looked at so that nothing found means something."""
    summary = report.summary
    if summary.skipped:
        names = [style.safe(path) for path in summary.skipped]
        text = ", ".join(names[:_NAMED])
        if len(names) > _NAMED:
            text += f" and {len(names) - _NAMED} more"
        painted = style.paint(f"skipped, no kops object in it: {text}", "dim")
        yield from display.folded(painted, style.width, hang=2)
    if summary.observed:
        seen = style.paint(style.safe(sentences.observed(report)), "dim")
        yield from display.folded(seen, style.width, hang=2)
    counts = [
        (_count(number, severity), severity)
        for severity in Severity
        if (number := report.count(severity))
    ]
    looked = [
        _count(number, noun)
        for number, noun in ((summary.commands, "command"), (summary.specs, "spec"))
        if number
    ]
    checked = f" in {', '.join(looked)}" if looked else ""
    if len(summary.clusters) > 1:
        checked += f" of {len(summary.clusters)} clusters"
    if summary.before is not None and summary.after is not None:
        checked += f" (control plane {summary.before} -> {summary.after})"
    plain = ", ".join(text for text, _ in counts) or "no findings"
    painted = ", ".join(style.severity(*count) for count in counts)
    uncounted = "".join(f"; {text}" for text in sentences.uncounted(report))
    line = f"{painted or style.paint(plain, 'green')}{checked}{uncounted}"
    yield from display.folded(line, style.width, hang=2)


def _count(number: int, noun: str) -> str:
    plural = "" if number == 1 or noun == Severity.INFO else "s"
    return f"{number} {noun}{plural}"


# ------------------------------------------------------------------------------------
# The places of a finding as pictures: the lines of the input, marked and labelled
#
# One frame for each file, in the order in which the finding names the files. The
# primary place is underlined with ``^`` and the others with ``-``. Lines come from
# the spans' own sources; nothing is read from disk here.

# A label needs this much room beside or below its mark to be worth wrapping there.
_LABEL_ROOM = 24
# How much of a long line stays in front of the first mark when its start is cut off.
_CONTEXT = 16


def frames(finding: Finding, style: Style, *, tight: bool = False) -> Iterator[str]:
    """The lines of all frames of a finding, without line ends.

    Each begins with an empty line unless they are ``tight``.
    """
    last = max((place.span.line for place in finding.locations), default=1)
    picture = _Picture(finding, style, gutter=max(len(str(last)), 2))
    by_source: dict[Source, list[Location]] = {}
    for place in finding.locations:
        by_source.setdefault(place.span.source, []).append(place)
    for number, (source, places) in enumerate(by_source.items()):
        # The first frame stands under the finding's own heading, which is for
        # editors and therefore does not name a revision.
        if number or source.revision:
            yield from picture.heading(places[0])
        if not tight:
            yield picture.row("")
        yield from picture.frame(source, places)


class _Mark(Record):
    """A stretch of one drawn line, in cells, half open."""

    start: int
    end: int
    label: str
    sign: str


class _Picture(Record):
    finding: Finding
    style: Style
    gutter: int

    @property
    def room(self) -> int:
        """The cells that a line of input has, beside the gutter."""
        return self.style.width - self.gutter - 3

    def heading(self, place: Location) -> Iterator[str]:
        revision = place.span.source.revision
        text = str(place.span) + (f" ({revision})" if revision else "")
        arrow = " " * (self.gutter - 1) + "-->"
        shown = self.style.safe(text)
        line = f"{self.style.paint(arrow, 'cyan')} {shown}"
        return display.folded(line, self.style.width, hang=len(arrow) + 1)

    def row(self, text: str, line: int | None = None) -> str:
        number = "" if line is None else str(line)
        margin = self.style.paint(f"{number:>{self.gutter}} |", "cyan")
        return f"{margin} {text}".rstrip() if text else margin

    def frame(self, source: Source, places: list[Location]) -> Iterator[str]:
        by_line: dict[int, list[Location]] = {}
        for place in places:
            by_line.setdefault(place.span.line, []).append(place)
        reached = None
        for line in sorted(by_line):
            if reached is not None and line == reached + 2:
                # One more line takes no more room than the dots in its place.
                between, _ = self.window(source.line(line - 1), [])
                yield self.row(between, line - 1)
            elif reached is not None and line > reached + 1:
                yield self.style.paint("...", "cyan")
            shown, marks = self.window(source.line(line), by_line[line])
            yield self.row(shown, line)
            for text in self.annotations(marks):
                yield self.row(text)
            reached = line
        if max(place.span.end_line for place in by_line[line]) > line:
            yield self.style.paint("...", "cyan")

    def window(self, line: str, places: list[Location]) -> tuple[str, list[_Mark]]:
        """A line as drawn, cut to the width around its marks, and the marks."""
        text, starts = display.drawn(line, unicode=self.style.unicode)
        marks = sorted(
            (self.mark(place, starts) for place in places),
            key=lambda mark: (mark.start, mark.end),
        )
        if max([starts[-1], *(mark.end for mark in marks)]) <= self.room:
            return text, marks
        dots = self.style.ellipsis
        dropped = 0
        if marks and max(mark.end for mark in marks) > self.room - len(dots):
            head = display.take(text, marks[0].start - _CONTEXT)
            if head:
                text = dots + text[len(head) :]
                dropped = display.width(head) - len(dots)
        text = display.cut(text, self.room, dots)
        end = display.width(text)
        return text, [
            _Mark(
                min(mark.start - dropped, end - 1),
                min(mark.end - dropped, end),
                mark.label,
                mark.sign,
            )
            for mark in marks
        ]

    def mark(self, place: Location, starts: list[int]) -> _Mark:
        """Where a place is on its first line, at least one cell wide."""
        span = place.span
        last = len(starts) - 1
        start = starts[min(span.column - 1, last)]
        end = starts[
            last if span.end_line > span.line else min(span.end_column - 1, last)
        ]
        return _Mark(
            start,
            max(end, start + 1),
            self.style.safe(place.label),
            "^" if place is self.finding.locations[0] else "-",
        )

    def annotations(self, marks: list[_Mark]) -> Iterator[str]:
        """The rows under a line: its marks, the last label beside, the rest below."""
        row = [" "] * max(mark.end for mark in marks)
        for mark in sorted(marks, key=lambda mark: mark.sign == "^"):
            row[mark.start : mark.end] = mark.sign * (mark.end - mark.start)
        drawn = "".join(
            self.paint("".join(stretch), sign) for sign, stretch in groupby(row)
        )
        waiting = [mark for mark in marks if mark.label]
        beside: list[str] = []
        if waiting and waiting[-1].end == len(row):
            free = self.room - len(row) - 1
            fits = display.width(waiting[-1].label) <= free
            if fits or (free >= _LABEL_ROOM and len(waiting) == 1):
                mark = waiting.pop()
                beside = [
                    self.paint(text, mark.sign)
                    for text in display.wrap(mark.label, free, broken=True)
                ]
        yield " ".join([drawn, *beside[:1]])
        for text in beside[1:]:
            yield " " * (len(row) + 1) + text
        while waiting:
            mark = waiting.pop()
            indent = mark.start
            if self.room - indent < _LABEL_ROOM:
                indent = min(indent, max(self.room - display.width(mark.label), 0))
            for text in display.wrap(mark.label, self.room - indent, broken=True):
                yield self.bars(waiting, indent) + self.paint(text, mark.sign)

    def bars(self, waiting: list[_Mark], indent: int) -> str:
        """The way to a label: a bar for each mark whose label is still to come."""
        row = [" "] * indent
        for mark in waiting:
            if mark.start < indent:
                row[mark.start] = "|"
        return "".join(row)

    def paint(self, text: str, sign: str) -> str:
        if sign == " ":
            return text
        if sign == "^":
            return self.style.severity(text, self.finding.severity)
        return self.style.paint(text, "cyan")
