"""Terraform files: the shell that provisioners run.

HCL is not parsed; blocks, attributes and strings are told apart, which is enough to
find what ``local-exec`` and ``remote-exec`` are given. Each provisioner is a shell of
its own, and the first one that fails ends the apply. In which order terraform runs
them is not known here: they count in the order written.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Literal

from kopslint.notations.jenkinsfile import Places
from kopslint.records import Record
from kopslint.shell.ast import (
    AndOr,
    Assignment,
    Choice,
    ErrExit,
    Group,
    Opaque,
    Script,
    Statement,
    Unknown,
    Word,
)
from kopslint.shell.output import NOTHING, sequence
from kopslint.shell.read import read_texts
from kopslint.shell.text import Hole, ShellText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.text import Source

_TOKEN = re.compile(
    r"""
      (?:\#|//)[^\n]* | /\*(?:[^*]|\*(?!/))*\*/
    | <<-?(?P<mark>\w+)[ \t]*\n
    | (?P<quote>")
    | (?P<name>[A-Za-z_][\w.-]*)
    | (?P<sign>[{}()=\[\]\n])
    """,
    re.VERBOSE,
)
_PART = re.compile(r"\\.|[$%][$%]\{|[$%]\{[^{}\n]*\}|[^\\$%\n\"]+|.", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_FOLDERS = {"${path.module}", "${path.root}"}
_RUNS = ("command", "inline", "script", "scripts")
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|k|z)?sh")


class _Value(Record):
    """A part of an attribute's value by its place in the text."""

    kind: Literal["string", "heredoc", "name"]
    start: int
    end: int


class _Block:
    """A block or object: what stands before its brace, and what is in it."""

    def __init__(self, header: tuple[str, ...]) -> None:
        self.header = header
        self.attributes: dict[str, list[_Value]] = {}
        self.blocks: dict[tuple[str, ...], _Block] = {}


def read_terraform(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of all provisioners in the order written.

    What a provisioner runs when its resource is destroyed may not run.
    """
    terraform = _Terraform(source, at_hand)
    statements = [
        terraform.provisioner(block, title) for block, title in terraform.blocks()
    ]
    commands = sequence(statements)
    if not commands.items:
        return Script(NOTHING, tuple(terraform.unread))
    errexit = ErrExit(on=True, span=source.whole())
    return Script(sequence([errexit, commands]), tuple(terraform.unread))


class _Terraform:
    """Reads the provisioners of one file."""

    def __init__(self, source: Source, at_hand: Sequence[Source]) -> None:
        self.source = source
        self.at_hand = at_hand
        self.text = "\n".join(source.lines)
        self.places = Places(source, self.text)
        self.unread: list[Opaque] = []
        self._folder = posixpath.dirname(source.path) or "."

    def blocks(self) -> Iterator[tuple[_Block, str | None]]:
        """The provisioners in order, each with the resource that it is in."""
        text, index, brackets = self.text, 0, 0
        stack = [_Block(())]
        words: list[str] = []
        attribute: str | None = None
        while match := _TOKEN.search(text, index):
            index = match.end()
            value: _Value | None = None
            if match["name"]:
                value = _Value("name", match.start(), index)
            elif match["quote"]:
                value = _Value("string", index, _end_of_string(text, index))
                # The quote at its end must not be taken for the next one.
                index = value.end + 1
            elif match["mark"]:
                last = re.compile(rf"^[ \t]*{match['mark']}[ \t]*$", re.MULTILINE)
                close = last.search(text, index)
                end, index = close.span() if close else (len(text), len(text))
                value = _Value("heredoc", match.end(), end)
            if value is not None and attribute is not None:
                stack[-1].attributes.setdefault(attribute, []).append(value)
            elif value is not None:
                words.append(self._written(value))
            match match["sign"]:
                case "=" if words:
                    attribute, words = words[-1], []
                case "{":
                    stack.append(_Block((attribute,) if attribute else tuple(words)))
                    attribute, words = None, []
                case "}" if len(stack) > 1:
                    yield from _close(stack)
                    attribute, words = None, []
                case "(" | "[":
                    brackets += 1
                case ")" | "]":
                    brackets -= 1
                case "\n" if brackets <= 0 or attribute is None:
                    attribute, words, brackets = None, [], 0
        while len(stack) > 1:
            yield from _close(stack)

    def provisioner(self, block: _Block, title: str | None) -> Statement:
        """What a provisioner runs, in a shell of its own."""
        values = [v for name in _RUNS for v in block.attributes.get(name, [])]
        if not values:
            return NOTHING
        statement = self._runs(block, values, title)
        if self._said(block, "on_failure") == "continue":
            statement = AndOr(statement, "||", NOTHING)
        if self._said(block, "when") == "destroy":
            reason = "this only runs when terraform destroys the resource"
            unknown = Unknown("when = destroy", reason)
            statement = Choice((statement,), exhaustive=False, reason=unknown)
        return statement

    def _runs(
        self, block: _Block, values: Sequence[_Value], title: str | None
    ) -> Statement:
        through = [self._written(v) for v in block.attributes.get("interpreter", [])]
        if through and not any(map(_SHELL.fullmatch, through)):
            return self._opaque(values, f"it runs in {through[0]}, which is not read")
        # Only lists of strings can be read; functions may do anything to them.
        names = [value for value in values if value.kind == "name"]
        if names or ("command" in block.attributes and len(values) > 1):
            return self._opaque(values, "terraform builds it when it runs")
        files = {"script", "scripts"} & block.attributes.keys()
        texts = [self._shell(v, title, "sh " if files else "") for v in values]
        script = read_texts(
            texts,
            self._environment(block.blocks.get(("environment",))),
            at_hand=self.at_hand,
            folder=self._said(block, "working_dir"),
        )
        self.unread += script.unread
        if not script.body.items:
            return NOTHING
        stops = any(re.fullmatch(r"-\w*e\w*", option) for option in through)
        errexit = ErrExit(stops, texts[0].span(0, 1))
        return Group(sequence([errexit, script.body]), subshell=True)

    def _opaque(self, values: Sequence[_Value], reason: str) -> Opaque:
        span = self.places.span(values[0].start, values[-1].end)
        written = " ".join(self.text[values[0].start : values[-1].end].split())[:80]
        opaque = Opaque(Unknown(written, reason), span)
        self.unread.append(opaque)
        return opaque

    def _written(self, value: _Value) -> str:
        return self.text[value.start : value.end]

    def _said(self, block: _Block, name: str) -> str:
        values = block.attributes.get(name, [])
        return self._written(values[0]) if values else ""

    def _environment(self, block: _Block | None) -> Iterator[Assignment]:
        for name, values in block.attributes.items() if block is not None else ():
            text = self._shell(values[0], None)
            written = self._written(values[0])
            known = [v.kind for v in values] == ["string"] and not text.given_holes
            unknown = Unknown(written, f"{written} is filled in by terraform")
            span = self.places.span(values[0].start, values[0].end)
            yield Assignment(
                name, Word((text.text if known else unknown,), written, span)
            )

    def _shell(self, value: _Value, title: str | None, prefix: str = "") -> ShellText:
        """The value of a string; what terraform puts into it is unknown."""
        text = prefix
        anchors = [self.places.anchor(0, value.start)._replace(still=bool(prefix))]
        holes: list[Hole] = []
        index = value.start
        while index < value.end and (match := _PART.match(self.text, index, value.end)):
            part = match[0]
            anchors.append(self.places.anchor(len(text), index))
            index = match.end()
            if part in {"$${", "%%{"}:
                part = part[1:]
            elif part.startswith(("${", "%{")):
                place = self._folder if part in _FOLDERS else None
                unknown = Unknown(part, f"{part} is filled in by terraform", place)
                holes.append(Hole(len(text), len(text) + len(part), unknown))
            elif value.kind == "string" and part.startswith("\\") and len(part) == 2:
                part = _ESCAPES.get(part[1], part[1])
            text += part
        return ShellText(
            self.source, text, tuple(anchors), given_holes=tuple(holes), title=title
        )


def _close(stack: list[_Block]) -> Iterator[tuple[_Block, str | None]]:
    """Take the last block off; gives it and its resource if it is a provisioner."""
    block = stack.pop()
    stack[-1].blocks[block.header] = block
    if block.header[:1] == ("provisioner",):
        yield block, ".".join(stack[-1].header[1:]) or None


def _end_of_string(text: str, start: int) -> int:
    index = start
    while (match := _PART.match(text, index)) and match[0] not in ('"', "\n"):
        index = match.end()
    return index
