"""The places of a finding as pictures: the lines of the input, marked and labelled.

One frame for each file, in the order in which the finding names the files. The
primary place is underlined with ``^`` and the others with ``-``. Lines come from
the spans' own sources; nothing is read from disk here.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.report import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.findings import Finding, Location
    from kopslint.report.style import Style
    from kopslint.source.text import Source

# A label needs this much room beside or below its mark to be worth wrapping there.
_LABEL_ROOM = 24
# How much of a long line stays in front of the first mark when its start is cut off.
_CONTEXT = 16


def frames(finding: Finding, style: Style) -> Iterator[str]:
    """The lines of all frames of a finding, without line ends."""
    last = max((place.span.line for place in finding.locations), default=1)
    picture = _Picture(finding, style, gutter=max(len(str(last)), 2))
    by_source: dict[Source, list[Location]] = {}
    for place in finding.locations:
        by_source.setdefault(place.span.source, []).append(place)
    for number, (source, places) in enumerate(by_source.items()):
        # The first frame stands under the finding's own heading, which is for
        # editors and therefore does not name a revision.
        if number or source.revision:
            yield picture.heading(places[0])
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

    def heading(self, place: Location) -> str:
        revision = place.span.source.revision
        text = str(place.span) + (f" ({revision})" if revision else "")
        arrow = " " * (self.gutter - 1) + "-->"
        shown = self.style.safe(text)
        return f"{self.style.paint(arrow, 'cyan')} {shown}"

    def row(self, text: str, line: int | None = None) -> str:
        number = "" if line is None else str(line)
        margin = self.style.paint(f"{number:>{self.gutter}} |", "cyan")
        return f"{margin} {text}".rstrip() if text else margin

    def frame(self, source: Source, places: list[Location]) -> Iterator[str]:
        by_line: dict[int, list[Location]] = {}
        for place in places:
            by_line.setdefault(place.span.line, []).append(place)
        yield self.row("")
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
        text, starts = cells.drawn(line, unicode=self.style.unicode)
        marks = sorted(
            (self.mark(place, starts) for place in places),
            key=lambda mark: (mark.start, mark.end),
        )
        if max([starts[-1], *(mark.end for mark in marks)]) <= self.room:
            return text, marks
        dots = self.style.ellipsis
        dropped = 0
        if marks and max(mark.end for mark in marks) > self.room - len(dots):
            head = cells.take(text, marks[0].start - _CONTEXT)
            if head:
                text = dots + text[len(head) :]
                dropped = cells.width(head) - len(dots)
        text = cells.cut(text, self.room, dots)
        end = cells.width(text)
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
            fits = cells.width(waiting[-1].label) <= free
            if fits or (free >= _LABEL_ROOM and len(waiting) == 1):
                mark = waiting.pop()
                beside = [
                    self.paint(text, mark.sign) for text in cells.wrap(mark.label, free)
                ]
        yield " ".join([drawn, *beside[:1]])
        for text in beside[1:]:
            yield " " * (len(row) + 1) + text
        while waiting:
            mark = waiting.pop()
            indent = mark.start
            if self.room - indent < _LABEL_ROOM:
                indent = min(indent, max(self.room - cells.width(mark.label), 0))
            for text in cells.wrap(mark.label, self.room - indent):
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
