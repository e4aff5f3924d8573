"""Jenkinsfiles: the shell in ``sh`` steps.

Groovy is not parsed; only its comments and strings are, which is enough to find
``sh '...'``. Each step is a shell of its own that stops at the first failure.
"""

from __future__ import annotations

import re
from itertools import islice, product
from typing import TYPE_CHECKING

from kopslint.shell.ast import (
    Assignment,
    ErrExit,
    Group,
    Opaque,
    Script,
    Statement,
    Unknown,
    Word,
)
from kopslint.shell.output import at_once, sequence
from kopslint.shell.read import read_texts
from kopslint.shell.text import Anchor, Hole, ShellText

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.text import Source, Span

_TOKEN = re.compile(
    r"""
      //[^\n]* | /\*(?:[^*]|\*(?!/))*\*/
    | (?:
        (?<![\w.$])(?P<step>sh|bat|powershell|pwsh)\b\s*+\(?\s*+
        (?:(?!script\b)\w++\s*+:\s*+(?:\w++|'[^'\n]*'|"[^"\n]*")\s*+,\s*+)*
        (?:script\s*+:\s*+)?
      )?
      (?P<quote>'''|\"\"\"|'|")
    | (?<![\w.$])sh[ (]\s*+(?:script\s*+:\s*+)?(?P<value>[A-Za-z_][\w.]*+)(?!\s*:)
    | \bstage\s*\(\s*['"](?P<stage>[^'"\n]*)['"]
    | \benvironment\s*\{(?P<environment>[^{}]*)\}
    | (?P<open>\{) | (?P<close>\})
    """,
    re.VERBOSE,
)
_PART = {
    quote: re.compile(
        rf"\\.|\$\{{[^{{}}]*\}}|\$[A-Za-z_][\w.]*|{quote}|[^\\$'\"\n]+|.", re.DOTALL
    )
    for quote in ("'''", '"""', "'", '"')
}
_ENTRY = re.compile(
    r"""^[ \t]*(\w+)\s*=\s*(?:'([^'\n]*)'|"([^"$\n]*)")[ \t]*$""", re.MULTILINE
)
_PLUS = re.compile(r"[ \t]*\+")
_DEEPEST = 60
_MOST_CELLS = 64
_NAME = r"""(?:'[^'\n]*'|"[^"\n]*"|[\w-]+)"""
_NAMED_FIRST = rf"\bparallel\s*\(?\s*(?:failFast\s*:\s*\w+\s*,\s*)?{_NAME}\s*:\s*$"
_NAMED_NEXT = rf"\}}\s*,\s*{_NAME}\s*:\s*$"
_PARALLEL_MAP = r"\bparallel\s*\(?\s*[A-Za-z_]\w*\s*\)?\s*(?:$|[;\n}])"
_AXIS = r"""(?x)\baxis\s*\{\s*name\s+['"](?P<name>\w+)['"]\s*
    values\s+(?P<values>['"][^{}]*)\}"""
_BY_GROOVY = "Groovy builds what this step runs"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


def read_jenkinsfile(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of all ``sh`` steps in the order written, or at the same time.

    What stands in ``parallel`` runs beside each other, and so do the cells of a
    ``matrix``.
    """
    reader = _Jenkinsfile(source, at_hand)
    statements, index = reader.block(0, ())
    while index < len(reader.text):
        # A brace too many, as in a text that Groovy would not read either.
        more, index = reader.block(index, ())
        statements += more
    if statements:
        statements.insert(0, ErrExit(on=True, span=source.whole()))
    return Script(sequence(statements), tuple(reader.unread))


class _Jenkinsfile:
    """Walks through the blocks of one file."""

    def __init__(self, source: Source, at_hand: Sequence[Source]) -> None:
        self.text = "\n".join(source.lines)
        self.places = Places(source, self.text)
        self.at_hand = at_hand
        self.unread: list[Opaque] = []
        self.stage: str | None = None
        self._depth = 0
        # How many cells of a matrix may still be read: they may be in each other.
        self._cells = _MOST_CELLS
        # Closures that are kept under a name and started together later.
        self._together = re.search(_PARALLEL_MAP, self.text) is not None

    def block(
        self, index: int, around: Iterable[Assignment], *, parallel: bool = False
    ) -> tuple[list[Statement], int]:
        """The statements up to the end of a block, and where that is.

        In a ``parallel`` one each block inside is a job of its own.
        """
        environment = list(around)
        statements: list[Statement] = []
        # What ``parallel a: { }, b: { }`` has had so far.
        beside: list[Statement] = []
        start = index
        while match := _TOKEN.search(self.text, index):
            before, index = (
                self.text[max(start, match.start() - 80) : match.start()],
                (match.end()),
            )
            if match["open"] and self._depth < _DEEPEST:
                found, index = self._inner(match, before, environment)
                if re.search(_NAMED_FIRST, before) or (
                    beside and re.search(_NAMED_NEXT, before)
                ):
                    beside.append(sequence(found))
                    continue
                statements += self._at_once(beside, start)
                beside = []
                statements += [sequence(found)] if parallel else found
            elif match["close"]:
                if self._depth:
                    break
            elif match["stage"] is not None:
                self.stage = match["stage"]
            elif match["environment"] is not None:
                environment += _environment(self.places, match)
            elif match["quote"] or match["value"]:
                found, index = self._step(match, environment)
                if found:
                    statements += self._at_once(beside, start)
                    beside = []
                statements += found
        else:
            index = len(self.text)
        statements += self._at_once(beside, start)
        if parallel:
            return self._at_once(statements, start), index
        return statements, index

    def _inner(
        self, match: re.Match[str], before: str, environment: Sequence[Assignment]
    ) -> tuple[list[Statement], int]:
        """What a block inside another runs, by the word in front of it."""
        self._depth += 1
        start = match.end()
        if self._cells and re.search(r"\bmatrix\s*$", before):
            found, index = self._matrix(start, environment)
        else:
            parallel = re.search(r"\bparallel\s*$", before) is not None
            found, index = self.block(start, environment, parallel=parallel)
        if found and self._together and re.search(r"\]\s*=\s*$", before):
            # Nobody knows how many of them there are.
            found = self._at_once([sequence(found)] * 2, start)
        self._depth -= 1
        return found, index

    def _matrix(
        self, start: int, environment: Sequence[Assignment]
    ) -> tuple[list[Statement], int]:
        """The cells of a matrix: each has the value of every axis as a variable."""
        left, self._cells = self._cells, 0
        known = len(self.unread)
        _, index = self.block(start, environment)
        del self.unread[known:]
        axes = []
        for axis in re.finditer(_AXIS, self.text[start:index]):
            values = re.findall(r"""['"]([^'"\n]*)['"]""", axis["values"])
            span = self.places.span(start + axis.start(), start + axis.end())
            axes.append([Assignment(axis["name"], Word((v,), v, span)) for v in values])
        cells = list(islice(product(*axes), left))
        self._cells = left - len(cells)
        found = [
            sequence(self.block(start, [*environment, *cell])[0]) for cell in cells
        ]
        return self._at_once(found, start), index

    def _at_once(self, jobs: Sequence[Statement], start: int) -> list[Statement]:
        span = self.places.span(start, start)
        return [sequence([at_once(jobs, span)])] if jobs else []

    def _step(
        self, match: re.Match[str], environment: Sequence[Assignment]
    ) -> tuple[list[Statement], int]:
        """A step, or a string that is none, and where it ends."""
        index = match.end()
        if match["value"]:
            span = self.places.span(match.start(), match.end())
            self.unread.append(Opaque(Unknown(match["value"], _BY_GROOVY), span))
            return [self.unread[-1]], index
        script, index = _string(self.places, index, match["quote"], self.stage)
        if match["step"] is None:
            return [], index
        reason = None
        if match["step"] != "sh":
            reason = f"this step runs in {match['step']}, which is not read"
        elif _PLUS.match(self.text, index):
            reason = _BY_GROOVY
        if reason is not None:
            span = self.places.span(match.start(), index)
            self.unread.append(Opaque(Unknown(match["step"], reason), span))
            return [self.unread[-1]], index
        read = read_texts([script], environment, at_hand=self.at_hand)
        self.unread += read.unread
        if not read.body.items:
            return [], index
        span = self.places.span(match.start(), match.end())
        errexit = ErrExit(on=True, span=span)
        return [Group(sequence([errexit, read.body]), subshell=True)], index


class Places:
    """The text and the line and column of each offset in it."""

    def __init__(self, source: Source, text: str) -> None:
        self.source = source
        self.text = text
        self._whole = ShellText(source, text, tuple(_line_anchors(text)))

    def anchor(self, offset: int, place: int) -> Anchor:
        """An anchor at ``offset`` of a script for ``place`` in the file."""
        return Anchor(offset, *self._whole.position(place))

    def span(self, start: int, end: int) -> Span:
        """The span of a stretch of the file."""
        return self._whole.span(start, end)


def _line_anchors(text: str) -> list[Anchor]:
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    return [Anchor(start, line, 1) for line, start in enumerate(starts, 1)]


def _environment(places: Places, match: re.Match[str]) -> list[Assignment]:
    found = []
    base = match.start("environment")
    for entry in _ENTRY.finditer(match["environment"]):
        group = 2 if entry[2] is not None else 3
        span = places.span(base + entry.start(group), base + entry.end(group))
        word = Word((entry[group],), entry[group], span)
        found.append(Assignment(entry[1], word))
    return found


def _string(
    places: Places, start: int, quote: str, title: str | None
) -> tuple[ShellText, int]:
    """The value of a Groovy string, and where it ends.

    Only double quotes interpolate, and what Groovy puts in is unknown.
    """
    value = ""
    anchors: list[Anchor] = [places.anchor(0, start)]
    holes: list[Hole] = []
    interpolates = quote[0] == '"'
    index = start
    while match := _PART[quote].match(places.text, index):
        part = match[0]
        if part == quote or (len(quote) == 1 and part == "\n"):
            index = match.end()
            break
        anchors.append(places.anchor(len(value), index))
        index = match.end()
        if part.startswith("\\") and len(part) == 2:
            value += _ESCAPES.get(part[1], part[1])
        elif interpolates and part.startswith("$") and len(part) > 1:
            reason = f"{part} is filled in by Groovy when the pipeline runs"
            end = len(value) + len(part)
            holes.append(Hole(len(value), end, Unknown(part, reason)))
            value += part
        else:
            value += part
    script = ShellText(
        places.source, value, tuple(anchors), given_holes=tuple(holes), title=title
    )
    return script, index
