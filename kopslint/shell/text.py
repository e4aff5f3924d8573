"""Shell text with a place for every character of it.

What a shell reads is often not a file but a stretch of one: a Markdown block, a
``run:`` value, the argument of ``eval``. A ``ShellText`` is that stretch, the
positions of its characters in the original file, and those parts of it that
stand for a value nobody knows (``<cluster>``, ``${{ inputs.name }}``). This
module knows no grammar.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.shell.ast import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kopslint.text import Source, Span


class Anchor(Record):
    """From ``offset`` of the text on, characters are at ``line``, ``column`` on.

    A ``still`` anchor holds all its characters at one place: they were put in.
    """

    offset: int
    line: int
    column: int
    still: bool = False


class Hole(Record):
    """A stretch of the text that stands for an unknown value.

    ``bare`` holes are ordinary text inside quotes (``'{print}'``).
    """

    start: int
    end: int
    unknown: Unknown
    bare: bool = False


# Blog posts and runbooks write arguments to fill in as <name>, <<name>>, {name},
# [name], {{ name }} and "..."; bash would see redirections and globs there. The mark
# of a here-document is hardly ever in small letters with a >> that ends a word.
_PLACEHOLDER = re.compile(
    r"""
      (?<![^\s='"/.,:@-])<[A-Za-z](?:[\w.:/@-]|[ ](?![>\d]))*>(?=[\s'"/.,:;)@-]|$)
    | (?<![^\s='"/.,:@-])<<[ ]?[a-z][\w-]*(?:[ ][\w-]+)*>>(?=[\s'"/.,:;)-]|$)
    | (?P<expression>\$\{\{(?:[^\n}$]|\}(?!\})|\$(?!\{\{))*\}\})
    | (?<![$\\]){{[^{}\n]*}}
    | (?P<bare>
        (?<![$\\{])\{[A-Za-z][\w-]*\}(?!\})
      | (?<!\S)\[[A-Za-z][\w.-]*(?:[ ][\w.-]+)*\](?!\S)
      | (?<![^\s/=.:,@-])\[[A-Za-z][\w.-]*(?:[ ][\w.-]+)+\](?=[/.:,@-])
      | (?<!\S)\[(?:\.\.\.|…)[^\[\]\n$]*\](?!\S)
      | (?<!\S)(?:\.\.\.|…)(?!\S)
      )
    """,
    re.VERBOSE,
)
_EXPRESSION_REASON = "this expression is only evaluated when the workflow runs"
_TIME = re.compile(
    r"(?:(?<![^\n;&|({!])|(?<=[\n;&|({!] ))time(?: -p)?(?=[ \t]+[^\s|;&)])"
)
_FOR_DO = re.compile(r"(\bfor [A-Za-z_]\w*)[ \t\n](?=\s*do\s)")
# Assignments that fill a line: to the grammar, what follows an array is the command
# that they are for, even in the next line.
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\$?\([^()\n]*\)|[^\s"'()`;&|<>])*+"""
_ASSIGNMENT = rf"[A-Za-z_]\w*(?:\[[^\]\n]*\])?\+?={_VALUE}"
_ASSIGNMENTS = rf"(?m)^[ \t]*(?:{_ASSIGNMENT}[ \t]+)+{_ASSIGNMENT}[ \t]*$"
_BETWEEN = rf"({_ASSIGNMENT})[ \t](?=[ \t]*[A-Za-z_])"
# Nothing follows it, so there is nothing that it could join. It is looked for among
# the last characters only.
_LAST_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*(\\(?:\n\s*)?)\Z")
_LAST_BLANKS = 1000
_PLAIN_DOLLAR = re.compile(r"(?<!\$)\$(?![\w({'\"@*#?$!-])")
# A comment between arguments: a substitution that runs nothing.
REMARK = re.compile(r"`[ \t]*#[^`\n]*`")
_UNPARSABLE = re.compile(r"[^\t\n -~]")


# ``${{ inputs.apply && '--yes' || '' }}`` of GitHub, ``${params.APPLY ? '--yes' : ''}``
# of Groovy and Terraform: one of two texts, as a condition decides.
_EITHER = re.compile(
    r"""\$\{\{?\s*(?P<condition>[^'"?&|{}]+(?:(?:==|!=)\s*['"][^'"]*['"])?)\s*
    (?:&&|\?)\s*(?P<one>'[^'"]*'|"[^'"]*")\s*(?:\|\||:)\s*(?P<other>'[^'"]*'|"[^'"]*")
    \s*\}\}?""",
    re.VERBOSE,
)


def _either(unknown: Unknown) -> Unknown:
    """An expression of a pipeline, with the two texts that it may give."""
    match = _EITHER.fullmatch(unknown.name)
    if match is None or unknown.ways:
        return unknown
    ways = ((match["other"][1:-1],), (match["one"][1:-1],))
    return unknown._replace(choice=match["condition"].strip(), ways=ways)


class ShellText:
    r"""A stretch of shell and where its characters are.

    ``anchors`` are ordered and the first has offset 0; a text that has no places
    of its own (the argument of ``eval``) has ``fixed``, one span for all of it.
    ``title`` introduces its commands. Line ends are ``\n``.
    """

    def __init__(
        self,
        source: Source,
        text: str,
        anchors: tuple[Anchor, ...] = (),
        fixed: Span | None = None,
        given_holes: tuple[Hole, ...] = (),
        title: str | None = None,
    ) -> None:
        self.source = source
        self.text = text
        self.anchors = anchors
        self.fixed = fixed
        self.given_holes = given_holes
        self.title = title

    @cached_property
    def holes(self) -> list[Hole]:
        """The given holes and the placeholders outside them, in order."""
        found = list(self.given_holes)
        starts = [hole.start for hole in found]
        for match in _PLACEHOLDER.finditer(self.text):
            place = bisect_right(starts, match.start())
            if place and found[place - 1].end > match.start():
                continue
            if place < len(starts) and starts[place] < match.end():
                continue
            reason = _EXPRESSION_REASON if match["expression"] else "placeholder"
            unknown = Unknown(match[0], reason)
            found.append(Hole(*match.span(), unknown, match["bare"] is not None))
        return sorted(hole._replace(unknown=_either(hole.unknown)) for hole in found)

    @cached_property
    def _hole_starts(self) -> list[int]:
        return [hole.start for hole in self.holes]

    def hole_from(self, offset: int) -> Hole | None:
        """The first hole that starts at or after ``offset``."""
        index = bisect_left(self._hole_starts, offset)
        return self.holes[index] if index < len(self.holes) else None

    def has_hole(self, start: int, end: int) -> bool:
        """Whether a part of ``text[start:end]`` stands for an unknown value."""
        index = bisect_left(self._hole_starts, end)
        return index > 0 and self.holes[index - 1].end > start

    @cached_property
    def ascii(self) -> bytes:
        """The text for a parser: one byte for each character, so offsets agree.

        Holes and characters beyond ASCII become ``.``, which is part of a word
        and of nothing else. ``<<<`` and ``>>`` become ``<`` and ``>``: the grammar
        does not accept them everywhere, and the text still tells them apart. The
        keyword ``time`` is left out: to the grammar it is a program. ``for x do``
        gets the semicolon that the grammar insists on, and so do assignments in
        one line with an array. A ``$`` that starts nothing is a character like any
        other, and a backslash at the very end is none.
        """
        parts = []
        done = 0
        for hole in self.holes:
            parts.append(_UNPARSABLE.sub(".", self.text[done : hole.start]))
            parts.append("." * (hole.end - hole.start))
            done = hole.end
        parts.append(_UNPARSABLE.sub(".", self.text[done:]))
        code = "".join(parts).replace("<<<", "<  ").replace(">>", "> ")
        code = _TIME.sub(lambda match: " " * len(match[0]), code)
        code = _PLAIN_DOLLAR.sub(".", code)
        # To the grammar, a comment in backticks goes on behind them.
        code = REMARK.sub(lambda match: "." * len(match[0]), code)
        if "=(" in code:
            code = re.sub(_ASSIGNMENTS, _separated, code)
        if last := _LAST_BACKSLASH.search(code, max(0, len(code) - _LAST_BLANKS)):
            code = code[: last.start(1)] + " " * (len(code) - last.start(1))
        return _FOR_DO.sub(r"\1;", code).encode("ascii")

    @cached_property
    def _offsets(self) -> list[int]:
        return [anchor.offset for anchor in self.anchors]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of the character at ``offset``."""
        anchor = self.anchors[max(0, bisect_right(self._offsets, offset) - 1)]
        if anchor.still:
            return anchor.line, anchor.column
        return anchor.line, anchor.column + offset - anchor.offset

    def span(self, start: int, end: int) -> Span:
        """The span of ``text[start:end]`` in the source."""
        if self.fixed is not None:
            return self.fixed
        line, column = self.position(start)
        if end <= start:
            return self.source.span(line, column, line, column)
        # The end is measured from the last character, for the next one may
        # already be elsewhere in the file.
        end_line, end_column = self.position(end - 1)
        return self.source.span(line, column, end_line, end_column + 1)


def _separated(line: re.Match[str]) -> str:
    return re.sub(_BETWEEN, r"\1;", line[0]) if "=(" in line[0] else line[0]


def whole_text(source: Source, title: str | None = None) -> ShellText:
    """All of a source as shell."""
    lines = source.lines
    return lines_text(source, ((n, 1, line) for n, line in enumerate(lines, 1)), title)


def lines_text(
    source: Source, lines: Iterable[tuple[int, int, str]], title: str | None = None
) -> ShellText:
    """Shell made of lines, each given as its line, first column and text."""
    anchors: list[Anchor] = []
    texts: list[str] = []
    offset = 0
    for number, column, text in lines:
        anchors.append(Anchor(offset, number, column))
        texts.append(text)
        offset += len(text) + 1
    anchors = anchors or [Anchor(0, 1, 1)]
    return ShellText(source, "\n".join(texts), tuple(anchors), title=title)


def put_in(text: ShellText, values: Mapping[str, str]) -> ShellText:
    """The text with values in the places of what stands for them, as a matrix does it.

    ``values`` are by the pattern that stands for each. What is put in is where its
    pattern is.
    """
    if not values or text.fixed is not None:
        return text
    parts: list[str] = []
    anchors: list[Anchor] = []
    done = size = 0

    def keep(start: int, end: int) -> None:
        nonlocal size
        anchors.append(Anchor(size, *text.position(start)))
        anchors.extend(
            anchor._replace(offset=size + anchor.offset - start)
            for anchor in text.anchors
            if start < anchor.offset < end
        )
        parts.append(text.text[start:end])
        size += end - start

    every = "|".join(f"(?:{pattern})" for pattern in values)
    for match in re.finditer(every, text.text):
        keep(done, match.start())
        anchors.append(Anchor(size, *text.position(match.start()), still=True))
        value = next(v for p, v in values.items() if re.fullmatch(p, match[0]))
        parts.append(value)
        size += len(value)
        done = match.end()
    keep(done, len(text.text))
    return ShellText(text.source, "".join(parts), tuple(anchors), title=text.title)


def pieces_text(
    pieces: Iterable[str | Unknown], span: Span, title: str | None = None
) -> ShellText:
    """Shell held in a word: all of it is where the word is."""
    text, holes = "", []
    for piece in pieces:
        if isinstance(piece, Unknown):
            holes.append(Hole(len(text), len(text) + len(piece.name), piece))
        text += piece if isinstance(piece, str) else piece.name
    return ShellText(
        span.source, text, fixed=span, given_holes=tuple(holes), title=title
    )


def pieces_of(value: str) -> tuple[str | Unknown, ...]:
    """A value from around a script as pieces: ``${{ ... }}`` is not known."""
    pieces: list[str | Unknown] = []
    done = 0
    for match in _PLACEHOLDER.finditer(value):
        if match["expression"]:
            unknown = Unknown(match[0], _EXPRESSION_REASON)
            pieces += [value[done : match.start()], unknown]
            done = match.end()
    return tuple(piece for piece in [*pieces, value[done:]] if piece) or ("",)
