"""Tables as programs print them: in boxes, or in columns below their headings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.observed.lines import command_in
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.observed.lines import Line
    from kopslint.text import Span

_BORDER = frozenset("+|-=: ─═┌┬┐├┼┤└┴┘╭╮╰╯│")
_CORNERS = "+┌├└╭╰"
_BARS = "|│┃"
_HEADING = re.compile(r"NOMINATED NODE|READINESS GATES|\S+")


class Cell(Record):
    """The text of one cell and its place."""

    text: str
    span: Span


Row = dict[str, Cell]
"""The cells of one row by their headings, in capitals and single blanks."""


class Table(Record):
    """A table: its headings, its rows, the lines that fit no row, and where it ends.

    ``head`` is the place of the headings, ``next`` the index of the first line behind.
    """

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    broken: tuple[Line, ...]
    next: int
    head: Span


def is_border(line: Line) -> bool:
    """Whether a line is the border of a box."""
    text = line.bare
    if len(text) < 5 or not _BORDER.issuperset(text):
        return False
    # A table of Markdown has such a line below its headings only.
    return text[0] in _CORNERS or text.startswith(("|-", "|:", "| -", "| :"))


def _is_row(line: Line) -> bool:
    return line.bare[:1] in _BARS and len(line.bare) > 1


def boxed(lines: Sequence[Line], start: int) -> Table | None:
    """The table in a box that begins at a line; None if none does.

    A cell that was folded goes on in the next row, whose first cell is empty.
    """
    index = start
    while index < len(lines) and (is_border(lines[index]) or _is_row(lines[index])):
        index += 1
    body = lines[start:index]
    if not any(map(_is_row, body)):
        return None
    groups: list[list[list[Cell]]] = [[]]
    broken: list[Line] = []
    for line in body:
        if is_border(line):
            groups.append([])
        elif line.bare[-1] not in _BARS:
            broken.append(line)
        else:
            groups[-1].append(_cells(line))
    filled = [group for group in groups if group]
    if not filled:
        return Table((), (), tuple(broken), index, lines[start].span())
    head = filled[0]
    headings = tuple(
        " ".join(" ".join(cell.text for cell in column).split()).upper()
        for column in zip(*head, strict=False)
    )
    rows: list[list[Cell]] = []
    for row in (row for group in filled[1:] for row in group):
        if len(row) != len(headings):
            line = next(one for one in body if one.number == row[0].span.line)
            broken.append(line)
        elif rows and not row[0].text:
            rows[-1] = [
                _joined(above, below)
                for above, below in zip(rows[-1], row, strict=True)
            ]
        else:
            rows.append(row)
    told = tuple(dict(zip(headings, row, strict=True)) for row in rows)
    return Table(headings, told, tuple(broken), index, lines[start].span())


def _joined(above: Cell, below: Cell) -> Cell:
    if not below.text:
        return above
    return Cell(f"{above.text} {below.text}".strip(), above.span)


def _cells(line: Line) -> list[Cell]:
    cells = []
    at = line.indent + 1
    for text in re.split(f"[{_BARS}]", line.bare[1:-1]):
        inner = text.strip()
        start = at + (len(text) - len(text.lstrip()) if inner else 0)
        cells.append(Cell(inner, line.span(start, start + len(inner))))
        at += len(text) + 1
    return cells


def columns(lines: Sequence[Line], start: int, width: int = 8) -> Table:
    """The table whose headings stand on a line, up to the first line that is empty.

    Cells begin below their headings, tabs being as wide as in a terminal. A row that
    does not fit, because a cell goes on below the next heading, is broken.
    """
    head = lines[start]
    found = [*_HEADING.finditer(_wide(head.text, width))]
    starts = [match.start() for match in found]
    headings = tuple(match[0] for match in found)
    rows: list[Row] = []
    broken: list[Line] = []
    index = start + 1
    while index < len(lines):
        line = lines[index]
        text = _wide(line.text, width)
        if not line.bare or len(text) - len(text.lstrip()) < starts[0]:
            break
        if (
            line.bare.startswith(("```", "~~~", "# exit "))
            or command_in(line) is not None
        ):
            break
        row = _row(line, text, headings, starts)
        if row is None:
            broken.append(line)
        else:
            rows.append(row)
        index += 1
    return Table(headings, tuple(rows), tuple(broken), index, head.span())


def _row(
    line: Line, text: str, headings: tuple[str, ...], starts: list[int]
) -> Row | None:
    row: Row = {}
    ends = [*starts[1:], max(len(text), starts[-1] + 1)]
    for heading, begin, end in zip(headings, starts, ends, strict=True):
        if begin and text[begin - 1 : begin].strip():
            return None
        inner = text[begin:end].strip()
        row[heading] = Cell(inner, line.part(inner) if inner else line.span())
    return row


def _wide(text: str, width: int) -> str:
    return text.expandtabs(width)
