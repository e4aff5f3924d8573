"""Jenkinsfiles: the shell in ``sh`` steps.

Groovy is not parsed; only its comments and strings are, which is enough to find
``sh '...'``. Each step is a shell of its own that stops at the first failure.
"""

from __future__ import annotations

import re
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
from kopslint.shell.output import sequence
from kopslint.shell.read import read_texts
from kopslint.shell.text import Anchor, Hole, ShellText

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_BY_GROOVY = "what this step runs is put together by Groovy"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


def read_jenkinsfile(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of all ``sh`` steps in the order written."""
    text = "\n".join(source.lines)
    places = Places(source, text)
    statements: list[Statement] = []
    unread: list[Opaque] = []
    environment: list[Assignment] = []
    stage: str | None = None
    index = 0
    while match := _TOKEN.search(text, index):
        index = match.end()
        if match["stage"] is not None:
            stage = match["stage"]
        elif match["environment"] is not None:
            environment += _environment(places, match)
        elif match["quote"]:
            script, index = _string(places, index, match["quote"], stage)
            if match["step"] is None:
                continue
            reason = None
            if match["step"] != "sh":
                reason = f"this step runs in {match['step']}, which is not read"
            elif _PLUS.match(text, index):
                reason = _BY_GROOVY
            if reason is not None:
                span = places.span(match.start(), index)
                unread.append(Opaque(Unknown(match["step"], reason), span))
                statements.append(unread[-1])
                continue
            read = read_texts([script], environment, at_hand=at_hand)
            unread += read.unread
            if read.body.items:
                errexit = ErrExit(on=True, span=places.span(match.start(), match.end()))
                statements.append(Group(sequence([errexit, read.body]), subshell=True))
        elif match["value"]:
            span = places.span(match.start(), match.end())
            unread.append(Opaque(Unknown(match["value"], _BY_GROOVY), span))
            statements.append(unread[-1])
    if statements:
        statements.insert(0, ErrExit(on=True, span=source.whole()))
    return Script(sequence(statements), tuple(unread))


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
