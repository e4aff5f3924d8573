"""What a template gives: a text of which every character knows where it comes from.

A rendered text is read like any other file. Only when something is said about a place
in it, the place is looked up in the template, and in the values where one came from.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.gotemplate.parse import span_of
from kopslint.gotemplate.tree import Place
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.text import Span

_LINE_END = re.compile(r"\r\n|\r|\n")


class Piece(Record):
    """A stretch of the output and the place that it comes from.

    What is ``copied`` has its characters one by one in the template; anything else
    comes from the whole place. ``origin`` is where a value is written.
    """

    start: int
    length: int
    source: Source
    place: Place
    copied: bool
    origin: Span | None


class Traced(str):
    """A text that knows its pieces, for as long as functions only move it."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]


class Output(Record):
    """A text with the pieces that it is made of, in order."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def traced(self) -> Traced:
        """The text as a value."""
        made = Traced(self.text)
        made.pieces = self.pieces
        return made


def retraced(text: str, before: Traced) -> str:
    """The text with the pieces that it had before a function moved it.

    Lines that end as they did are the same lines, whatever was put in front of them.
    Where lines were lost or changed nothing is known, and it is plain text again.
    """
    new, old = text.split("\n"), before.split("\n")
    blank = 0
    while len(new) > len(old) and blank < len(new) and not new[blank].strip():
        new, blank = new[1:], blank + 1
    if len(new) != len(old):
        return text
    offset = len(text) - len("\n".join(new))
    at = 0
    found: list[Piece] = []
    for line, was in zip(new, old, strict=True):
        if not line.endswith(was):
            return text
        shift = offset + len(line) - len(was)
        found += _cut(before.pieces, at, at + len(was) + 1, shift)
        at += len(was) + 1
        offset += len(line) + 1
    made = Traced(text)
    made.pieces = tuple(found)
    return made


def _cut(
    pieces: tuple[Piece, ...], start: int, end: int, shift: int
) -> Iterator[Piece]:
    """The pieces of a stretch, moved to where it begins now."""
    starts = [piece.start for piece in pieces]
    for piece in pieces[max(bisect_right(starts, start) - 1, 0) :]:
        if piece.start >= end:
            return
        first = max(piece.start, start)
        last = min(piece.start + piece.length, end)
        if first >= last:
            continue
        place = piece.place
        if piece.copied:
            skipped = first - piece.start
            place = Place(place.start + skipped, place.start + skipped + last - first)
        yield piece._replace(
            start=first - start + shift, length=last - first, place=place
        )


_MARK_ALONE = re.compile(r"[ \t]*((?:\u2039[^\u2039\u203a\n]*\u203a[ \t]*)+)\r?")


_LITERAL = re.compile(r"[|>][-+0-9]*\s*$")


def with_blocks(output: Output) -> Output:
    """The text in which a mark that has a line for itself breaks no YAML around it.

    There it stands for lines that nobody knows: it becomes the value of the key above,
    if that has none, and a comment otherwise.
    """
    if "\u2039" not in output.text:
        return output
    lines = output.text.split("\n")
    at = 0
    edits: list[tuple[int, int, str]] = []
    for n, line in enumerate(lines):
        match = _MARK_ALONE.fullmatch(line)
        if match is not None:
            new = _block(lines, n, match[1].strip())
            edits.append((at, at + len(line), new))
        at += len(line) + 1
    return _edited(output, edits) if edits else output


def _block(lines: list[str], number: int, mark: str) -> str:
    above = next((x for x in reversed(lines[:number]) if _says(x)), "")
    below = next((x for x in lines[number + 1 :] if _says(x)), "")
    indent = len(above) - len(above.lstrip(" -"))
    if _LITERAL.search(above):
        return " " * (indent + 2) + mark
    is_key = above.rstrip().endswith(":")
    deeper = len(below) - len(below.lstrip(" ")) > indent
    listed = below.lstrip().startswith("- ") and (
        len(below) - len(below.lstrip(" ")) >= indent
    )
    if is_key and not deeper and not listed:
        return " " * (indent + 2) + mark
    return f"# {mark}"


def _says(line: str) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith(("#", "\u2039"))


def _edited(output: Output, edits: list[tuple[int, int, str]]) -> Output:
    """The text with other lines in some places, made of what the old ones were."""
    text, pieces, shift = "", list[Piece](), 0
    last = 0
    for start, end, new in edits:
        pieces += _cut(output.pieces, last, start, last + shift)
        text += output.text[last:start]
        inside = [p for p in _cut(output.pieces, start, end, 0) if not p.copied]
        if inside:
            pieces.append(inside[-1]._replace(start=len(text), length=len(new)))
        text += new
        shift += len(new) - (end - start)
        last = end
    pieces += _cut(output.pieces, last, len(output.text), last + shift)
    return Output(text + output.text[last:], tuple(pieces))


class Rendered(Source):
    """A text that came out of a template; it is called as the template is.

    ``inputs`` are all texts that it was made from, the template first; ``written_to``
    is the file that whoever renders it writes, if that is known.
    """

    is_rendered = True

    def __init__(
        self,
        output: Output,
        inputs: tuple[Source, ...],
        written_to: str | None = None,
        *,
        assumed: tuple[tuple[str, str, Span], ...] = (),
    ) -> None:
        first = inputs[0]
        super().__init__(first.path, output.text, first.revision, past=first.past)
        self.inputs = inputs
        self.written_to = written_to
        self.assumed = assumed
        self._pieces = output.pieces

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @cached_property
    def _piece_starts(self) -> list[int]:
        return [piece.start for piece in self._pieces]

    def _offset(self, line: int, column: int) -> int:
        starts = self._line_starts
        return starts[min(line, len(starts)) - 1] + column - 1

    def _piece(self, offset: int) -> Piece | None:
        """The piece of a character, or the last one before it."""
        number = bisect_right(self._piece_starts, offset) - 1
        return self._pieces[max(number, 0)] if self._pieces else None

    def written_at(self, span: Span) -> tuple[Span, ...]:
        """Where a place of this text is written: in the template, and in the values."""
        start = self._offset(span.line, span.column)
        end = max(self._offset(span.end_line, span.end_column), start + 1)
        first, last = self._piece(start), self._piece(end - 1)
        if first is None or last is None:
            return (self.inputs[0].whole(),)
        begin = _place_in(first, start, start + 1)
        place = begin
        if last.source is first.source:
            stop = _place_in(last, end - 1, end)
            if stop.end > begin.start:
                place = Place(begin.start, stop.end)
        found = [span_of(first.source, place)]
        origin = first.origin or (last.origin if last is not first else None)
        if origin is None and first is not last:
            between = self._pieces[
                self._pieces.index(first) : self._pieces.index(last) + 1
            ]
            origins = [p.origin for p in between if p.origin is not None]
            origin = origins[0] if len(origins) == 1 else None
        if origin is not None:
            found.append(origin)
        return tuple(found)


def _place_in(piece: Piece, start: int, end: int) -> Place:
    if not piece.copied:
        return piece.place
    first = piece.place.start + min(start - piece.start, piece.length)
    return Place(first, min(first + end - start, max(piece.place.end, first)))
