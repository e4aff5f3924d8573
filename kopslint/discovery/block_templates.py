"""Templates whose values nobody here knows: Terraform's and Jinja's.

What stands for a value becomes a mark. Of a condition the first branch is taken, and
the body of a loop once; both are said. Sources: Terraform's documentation of string
templates, Jinja's template designer documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.gotemplate.output import Output, Piece
from kopslint.gotemplate.parse import TemplateError, span_of
from kopslint.gotemplate.run import Assumed
from kopslint.gotemplate.tree import Place
from kopslint.gotemplate.values import Unknown
from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.discovery.content import Kind
    from kopslint.text import Source

_TERRAFORM = re.compile(
    r"""
      (?P<escape>%%\{|\$\$\{)
    | %\{(?P<before>~?)\s*(?P<word>if|else|endif|for|endfor)\b
        (?P<about>(?:[^}"]|"(?:[^"\\\n]|\\.)*")*?)(?P<after>~?)\}
    | \$\{~?(?P<value>(?:[^{}"]|"(?:[^"\\\n]|\\.)*"|\{[^{}\n]*\})*)~?\}
    """,
    re.VERBOSE,
)
_JINJA = re.compile(
    r"""
      (?P<escape>\{\#(?:(?!\#\}).)*\#\})
    | \{%(?P<before>[-+]?)\s*(?P<word>\w+)(?P<about>(?:(?!%\}).)*?)(?P<after>[-+]?)%\}
    | \{\{-?(?P<value>(?:(?!\}\}).)*?)-?\}\}
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST_LINE_END = re.compile(r"\A[ \t]*(?:\r?\n|\Z)|\A[ \t]+")
_OPENS = {"if": "condition", "for": "range"}
_ELSE = ("else", "elif", "elseif")
_CLOSES = ("endif", "endfor")
_NOT_HERE = "its value is only known when the template is rendered"


class _Block(Record):
    """A condition or loop that is open, and whether its text was left out before it."""

    word: str
    skips: bool


def marked(source: Source, kind: Kind) -> tuple[Output, tuple[Assumed, ...]]:
    """The text with marks for its values, and what was taken to be so.

    Raises ``TemplateError`` for blocks that do not fit together.
    """
    return _Marking(source, kind).run()


class _Marking:
    """One text on its way; ``_skips`` is whether what stands there is left out."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self._source = source
        self._jinja = kind == "jinja"
        self._pattern = _JINJA if self._jinja else _TERRAFORM
        self._texts: list[str] = []
        self._pieces: list[Piece] = []
        self._length = 0
        self._assumed: dict[Assumed, None] = {}
        self._blocks: list[_Block] = []
        self._skips = False

    def run(self) -> tuple[Output, tuple[Assumed, ...]]:
        text, at, strips = self._source.text, 0, False
        for match in self._pattern.finditer(text):
            end = match.start()
            if match["word"] and match["before"] in ("~", "-"):
                end = at + len(self._stripped_end(text[at:end]))
            self._copy(at, end, strips=strips)
            at, strips = match.end(), False
            if match["word"]:
                self._block(match)
                strips = match["after"] in ("~", "-")
                # Jinja is mostly set up to leave out the line end behind a block, and
                # is not where that in front of it is left out by hand.
                by_hand = strips or match["before"] == "-"
                if self._jinja and not by_hand and text.startswith("\n", at):
                    at += self._is_alone(match)
            elif match["escape"]:
                if not self._jinja:
                    self._put(match[0][1:], match)
            elif match["value"].strip():
                self._put(Unknown(match["value"].strip(), _NOT_HERE).mark, match)
        self._copy(at, len(text), strips=strips)
        if self._blocks:
            raise TemplateError(
                f"a {self._blocks[-1].word} of this template is not closed",
                span=self._source.whole(),
                hint="correct the template",
            )
        return Output("".join(self._texts), tuple(self._pieces)), (*self._assumed,)

    def _stripped_end(self, text: str) -> str:
        """Without the blanks at the end; Terraform reads a text line by line."""
        if self._jinja:
            return text.rstrip()
        line = text.rstrip(" \t")
        return line if line != text else text.rstrip()

    def _is_alone(self, match: re.Match[str]) -> bool:
        before = match.string.rfind("\n", 0, match.start()) + 1
        return not match.string[before : match.start()].strip()

    def _copy(self, start: int, end: int, *, strips: bool) -> None:
        text = self._source.text[start:end]
        if strips:
            rest = text.lstrip() if self._jinja else _FIRST_LINE_END.sub("", text)
            start += len(text) - len(rest)
            text = rest
        if text and not self._skips:
            self._add(text, Place(start, start + len(text)), copied=True)

    def _put(self, text: str, match: re.Match[str]) -> None:
        if not self._skips:
            self._add(text, Place(match.start(), match.end()), copied=False)

    def _add(self, text: str, place: Place, *, copied: bool) -> None:
        self._pieces.append(
            Piece(self._length, len(text), self._source, place, copied, None)
        )
        self._texts.append(text)
        self._length += len(text)

    def _block(self, match: re.Match[str]) -> None:
        word = match["word"]
        place = Place(match.start(), match.end())
        if word == "include":
            self._put(Unknown(f"include{match['about']}", _NOT_HERE).mark, match)
        elif word in _OPENS:
            self._blocks.append(_Block(word, self._skips))
            if not self._skips:
                span = span_of(self._source, place)
                name = " ".join(match["about"].split())
                self._assumed[Assumed(_OPENS[word], name, _NOT_HERE, span)] = None
        elif word in _ELSE or word in _CLOSES:
            if not self._blocks:
                raise TemplateError(
                    f"this {word} has no opening block",
                    span=span_of(self._source, place),
                    hint="correct the template",
                )
            if word in _ELSE:
                self._skips = True
            else:
                self._skips = self._blocks.pop().skips
