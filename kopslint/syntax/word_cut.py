"""Parts of a word that keep their place: the value of ``--flag=value``, list items.

A part of a word is a word again, with its own raw text and span, so that whoever
complains about a value can point at the value alone. Knows nothing of programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.syntax.script import Unknown, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTES = ("'", '"')


def head(word: Word) -> str:
    """The literal text that the word starts with, up to its first unknown piece."""
    known: list[str] = []
    for piece in word.pieces:
        if isinstance(piece, Unknown):
            break
        known.append(piece)
    return "".join(known)


def is_quoted(word: Word) -> bool:
    """Whether the word starts with a quote: it is one argument whatever it holds."""
    return word.raw.startswith(_QUOTES)


def cut(word: Word, start: int, end: int | None = None) -> Word:
    """The part of a word between two offsets in ``word.shown``.

    The offsets must not fall inside an unknown piece. Where quotes inside the word
    hide which characters the part was written with, the part keeps the whole
    word's raw text and span.
    """
    shown = word.shown
    end = len(shown) if end is None else end
    pieces = tuple(_pieces(word, start, end))
    at = _written_at(word, start, end)
    if at is None:
        return Word(pieces, word.raw, word.span)
    first, last = at
    span = word.span
    if span.line != span.end_line:
        return Word(pieces, word.raw[first:last], span)
    return Word(
        pieces,
        word.raw[first:last],
        span.source.span(span.line, span.column + first, span.line, span.column + last),
    )


def split_commas(word: Word) -> tuple[Word, ...]:
    """The items of a comma-separated list, each a word.

    A list with double quotes in it is left whole: those protect commas from pflag,
    which reads such a list as a line of CSV.
    """
    if any(isinstance(p, str) and '"' in p for p in word.pieces):
        return (word,)
    commas: list[int] = []
    offset = 0
    for piece in word.pieces:
        text = piece if isinstance(piece, str) else piece.name
        if isinstance(piece, str):
            commas += [offset + i for i, char in enumerate(text) if char == ","]
        offset += len(text)
    if not commas:
        return (word,)
    starts = [0, *(comma + 1 for comma in commas)]
    ends = [*commas, offset]
    return tuple(cut(word, start, end) for start, end in zip(starts, ends, strict=True))


def _pieces(word: Word, start: int, end: int) -> Iterator[str | Unknown]:
    offset = 0
    for piece in word.pieces:
        if isinstance(piece, Unknown):
            if start <= offset < end:
                yield piece
            offset += len(piece.name)
            continue
        part = piece[max(start - offset, 0) : max(end - offset, 0)]
        if part:
            yield part
        offset += len(piece)


def _written_at(word: Word, start: int, end: int) -> tuple[int, int] | None:
    """Where in ``word.raw`` the part stands, if its spelling leaves no doubt."""
    shown, raw = word.shown, word.raw
    quoted = len(raw) > 1 and raw[0] in _QUOTES and raw[0] == raw[-1]
    body, offset = (raw[1:-1], 1) if quoted else (raw, 0)
    if body == shown:
        return start + offset, end + offset
    if end == len(shown) and body.startswith(shown[:start]):
        return start + offset, len(body) + offset
    return None
