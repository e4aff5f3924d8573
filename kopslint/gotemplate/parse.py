"""The text of a Go template to its tree, as text/template/parse reads it.

Source: Go src/text/template/parse, lex.go and parse.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from kopslint.errors import InputError
from kopslint.gotemplate.tree import (
    Action,
    Call,
    Chain,
    Command,
    Dot,
    Function,
    If,
    Jump,
    Literal,
    Node,
    Operand,
    Pipeline,
    Place,
    Range,
    Template,
    Text,
    Variable,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection

    from kopslint.text import Source, Span

MOST_NESTED = 50
"""Levels of ``if`` and parentheses: nobody writes so many."""

_OPEN, _CLOSE = "{{", "}}"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE = " \t\r\n"
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<raw>`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\.[^']*)')
    | (?P<declare>:=)
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
        |(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?))
    | (?P<field>\.[^\W\d]\w*)
    | (?P<dot>\.)
    | (?P<variable>\$\w*)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>[()|=,])
    """,
    re.VERBOSE,
)
_KEYWORDS = frozenset(
    {
        *("block", "break", "continue", "define", "else", "end", "if", "range"),
        *("template", "with"),
    }
)
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_ESCAPED = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})"
    r"|U([0-9a-fA-F]{8})|([0-7]{3})|(.)|$)",
    re.DOTALL,
)
_HIGHEST = 0x10FFFF


class TemplateError(InputError):
    """A text that Go refuses as a template, when it reads or when it executes it."""


class _Token(Record):
    kind: str
    text: str
    place: Place


class _Tag(Record):
    """What stands between two braces, comments left out."""

    tokens: tuple[_Token, ...]
    place: Place


def span_of(source: Source, place: Place) -> Span:
    """A place of a template as lines and columns."""
    line, column = _position(source, place.start)
    end_line, end_column = _position(source, place.end)
    return source.span(line, column, end_line, end_column)


def _position(source: Source, offset: int) -> tuple[int, int]:
    before = source.text[:offset]
    start = max(before.rfind("\n"), before.rfind("\r")) + 1
    line = before.count("\n") + before.count("\r") - before.count("\r\n") + 1
    return line, offset - start + 1


def parse(source: Source, functions: Collection[str]) -> Template:
    """The tree of a template that may call these functions.

    Raises ``TemplateError``, with the place, for what Go refuses to read.
    """
    return _Parser(source, functions).template()


def _pieces(source: Source) -> list[Text | _Tag]:
    """Texts, trimmed as their neighbours want it, and what stands in braces."""
    text, at = source.text, 0
    found: list[Text | _Tag] = []
    trims = False
    while True:
        start = text.find(_OPEN, at)
        end = len(text) if start < 0 else start
        inside = start + len(_OPEN)
        dashed = start >= 0 and text[inside : inside + 1] == "-"
        trims_before = dashed and text[inside + 1 : inside + 2] in tuple(_SPACE)
        found += _text(text, at, end, trims_before=trims_before, trims_after=trims)
        if start < 0:
            return found
        tag, at, trims = _tag(source, start, inside + 2 * trims_before)
        if tag is not None:
            found.append(tag)


def _text(
    text: str, start: int, end: int, *, trims_before: bool, trims_after: bool
) -> list[Text]:
    written = text[start:end]
    if trims_after:
        rest = written.lstrip(_SPACE)
        start += len(written) - len(rest)
        written = rest
    if trims_before:
        written = written.rstrip(_SPACE)
    place = Place(start, start + len(written))
    return [Text(written, place)] if written else []


def _tag(source: Source, start: int, at: int) -> tuple[_Tag | None, int, bool]:
    """What begins at ``start``, where the text goes on, and whether it is trimmed."""
    text = source.text
    if text.startswith("/*", at):
        comment = _COMMENT.match(text, at)
        if comment is None:
            _refuse(source, start, at + 2, "unclosed comment")
        at = comment.end()
        trims = at < len(text) and text[at] in _SPACE and text[at + 1 : at + 2] == "-"
        at += 2 * trims
        if not text.startswith(_CLOSE, at):
            _refuse(source, start, at, "comment ends before closing delimiter")
        return None, at + len(_CLOSE), trims
    tokens: list[_Token] = []
    while True:
        for trims, close in ((False, _CLOSE), (True, "-" + _CLOSE)):
            spaced = not trims or (bool(tokens) and tokens[-1].kind == "space")
            spaced = spaced or (trims and text[at - 1] in _SPACE)
            if spaced and text.startswith(close, at):
                end = at + len(close)
                return _Tag(tuple(tokens), Place(start, end)), end, trims
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            if at >= len(text):
                _refuse(source, start, start + len(_OPEN), "unclosed action")
            what = "unterminated quoted string" if text[at] in "\"'`" else ""
            what = what or f"unexpected {text[at]!r} in action"
            _refuse(source, at, at + 1, what)
        tokens.append(
            _Token(match.lastgroup, match[0], Place(match.start(), match.end()))
        )
        at = match.end()


def _refuse(source: Source, start: int, end: int, words: str) -> NoReturn:
    span = span_of(source, Place(start, max(end, start + 1)))
    raise TemplateError(
        f"Go refuses this template: {words}", span=span, hint="correct the template"
    )


class _Parser:
    """Reads one text; a tag is read token by token."""

    def __init__(self, source: Source, functions: Collection[str]) -> None:
        self._source = source
        self._functions = functions
        self._pieces = _pieces(source)
        self._next = 0
        self._defined: dict[str, tuple[Node, ...]] = {}
        self._variables = ["$"]
        self._depth = 0
        self._ranges = 0

    def template(self) -> Template:
        nodes, tag = self._nodes()
        if tag is not None:
            self.refuse(tag.place, f"unexpected {{{{{tag.word}}}}}")
        return Template(self._source, nodes, self._defined)

    def refuse(self, place: Place, words: str) -> NoReturn:
        """Raise the error about a place."""
        _refuse(self._source, place.start, place.end, words)

    def _nodes(self) -> tuple[tuple[Node, ...], _Reader | None]:
        """What follows, up to an ``end`` or ``else``, which is returned unread."""
        found: list[Node] = []
        while self._next < len(self._pieces):
            piece = self._pieces[self._next]
            self._next += 1
            if isinstance(piece, Text):
                found.append(piece)
                continue
            reader = _Reader(self, piece)
            word = reader.keyword()
            if word in ("end", "else"):
                return tuple(found), reader
            found += self._node(word, reader)
        return tuple(found), None

    def _node(self, word: str | None, reader: _Reader) -> list[Node]:
        place = reader.place
        if word is None:
            pipeline = self._pipeline(reader)
            return [Action(pipeline, place)]
        if word in ("if", "with", "range"):
            return [self._control(word, reader)]
        if word in ("break", "continue"):
            if not self._ranges:
                self.refuse(place, f"{{{{{word}}}}} outside {{{{range}}}}")
            reader.expect_end()
            return [Jump(word, place)]
        name = self._name(reader, word)
        if word == "template":
            argument = None if reader.is_done() else self._pipeline(reader)
            return [Call(name, argument, place)]
        if word == "define":
            if self._depth:
                self.refuse(place, "unexpected {{define}}")
            reader.expect_end()
            self._define(name, place)
            return []
        pipeline = self._pipeline(reader)
        self._define(name, place)
        return [Call(name, pipeline, place)]

    def _name(self, reader: _Reader, word: str) -> str:
        token = reader.take()
        if token is None or token.kind not in ("string", "raw"):
            self.refuse(reader.place, f"missing name in {{{{{word}}}}}")
        return str(self._unquoted(token))

    def _define(self, name: str, place: Place) -> None:
        outer, self._variables = self._variables, ["$"]
        ranges, self._ranges = self._ranges, 0
        self._define_body(name, place)
        self._variables, self._ranges = outer, ranges

    def _define_body(self, name: str, place: Place) -> None:
        self._deeper(place)
        nodes, tag = self._nodes()
        self._depth -= 1
        if tag is None or tag.word != "end":
            self.refuse(place, "unexpected EOF, a {{end}} is missing")
        if name not in self._defined or _says_something(nodes):
            self._defined[name] = nodes

    def _deeper(self, place: Place) -> None:
        self._depth += 1
        if self._depth > MOST_NESTED:
            self.refuse(place, f"nested more than {MOST_NESTED} levels deep")

    def _control(self, word: str, reader: _Reader) -> If | Range:
        known = len(self._variables)
        self._deeper(reader.place)
        pipeline = self._pipeline(reader, most=2 if word == "range" else 1)
        self._ranges += word == "range"
        body, tag = self._nodes()
        self._ranges -= word == "range"
        otherwise: tuple[Node, ...] = ()
        if tag is not None and tag.word == "else":
            if tag.is_done():
                otherwise, tag = self._nodes()
            else:
                chained = tag.keyword()
                if chained not in ("if", "with") or word == "range":
                    self.refuse(tag.place, "unexpected text in {{else}}")
                # The end of what is chained is the end of both.
                otherwise = (self._control(chained, tag),)
                tag = self._ended
        if tag is None or tag.word != "end":
            self.refuse(reader.place, "unexpected EOF, a {{end}} is missing")
        self._ended = tag
        self._depth -= 1
        del self._variables[known:]
        if word == "range":
            return Range(pipeline, body, otherwise, reader.place)
        return If(pipeline, body, otherwise, word == "with", reader.place)

    _ended: _Reader | None = None

    def _pipeline(
        self, reader: _Reader, most: int = 1, close: str | None = None
    ) -> Pipeline:
        """The pipeline that is left in a tag, or up to a closing parenthesis."""
        start = reader.at
        declared, assigns = (
            self._declared(reader, most) if close is None else ((), False)
        )
        commands: list[Command] = []
        while True:
            token = reader.peek()
            if token is None or token.text == close:
                break
            if token.text == "|":
                self.refuse(token.place, "missing value for command")
            commands.append(self._command(reader, close))
            token = reader.peek()
            if token is not None and token.text == "|":
                reader.take()
                after = reader.peek()
                if after is None or after.text == close:
                    self.refuse(token.place, "missing value for command")
        if close is not None and reader.take() is None:
            self.refuse(reader.place, "unclosed left paren")
        place = Place(start, reader.at)
        if not commands:
            self.refuse(reader.place, "missing value")
        for command in commands[1:]:
            if isinstance(command.operands[0], (Literal, Dot)):
                self.refuse(command.place, "non executable command in pipeline")
        self._variables += declared if not assigns else ()
        return Pipeline(tuple(commands), declared, assigns, place)

    def _declared(self, reader: _Reader, most: int) -> tuple[tuple[str, ...], bool]:
        """The variables that a pipeline begins with, if it gives them its result."""
        tokens = reader.ahead(2 * most)
        texts = [token.text for token in tokens]
        names = [t.text for t in tokens if t.kind == "variable"]
        for count in range(1, most + 1):
            wanted = [part for name in names[:count] for part in (name, ",")][:-1]
            signs = texts[2 * count - 1 : 2 * count]
            begins = len(names) >= count and texts[: 2 * count - 1] == wanted
            if begins and signs in ([":="], ["="]):
                reader.skip(2 * count)
                if signs == ["="]:
                    for name in names[:count]:
                        self._known(name, tokens[0].place)
                return tuple(names[:count]), signs == ["="]
        return (), False

    def _known(self, name: str, place: Place) -> None:
        if name not in self._variables:
            self.refuse(place, f'undefined variable "{name}"')

    def _command(self, reader: _Reader, close: str | None) -> Command:
        start = reader.at
        operands: list[Operand] = []
        while True:
            token = reader.peek()
            if token is None or token.text in ("|", close):
                break
            if operands and not reader.is_spaced():
                self.refuse(token.place, f"unexpected {token.text!r} in operand")
            operands.append(self._operand(reader))
        return Command(tuple(operands), Place(start, reader.at))

    def _operand(self, reader: _Reader) -> Operand:
        token = reader.take()
        assert token is not None  # noqa: S101 (looked at before)
        base = self._term(token, reader)
        fields = []
        if isinstance(base, Chain):
            fields, base = list(base.fields), base.operand
        while (
            (after := reader.peek())
            and after.kind == "field"
            and not reader.is_spaced()
        ):
            reader.take()
            fields.append(after.text[1:])
        if not fields:
            return base
        if isinstance(base, Literal):
            self.refuse(token.place, f"unexpected . after term {token.text}")
        return Chain(base, tuple(fields), Place(token.place.start, reader.at))

    def _term(self, token: _Token, reader: _Reader) -> Operand:
        place = token.place
        match token.kind:
            case "field":
                return Chain(Dot(place), (token.text[1:],), place)
            case "dot":
                return Dot(place)
            case "variable":
                self._known(token.text, place)
                return Variable(token.text, place)
            case "string" | "raw" | "char":
                return Literal(self._unquoted(token), place)
            case "number":
                return Literal(self._number(token), place)
            case "word":
                return self._word(token)
        if token.text == "(":
            self._deeper(place)
            pipeline = self._pipeline(reader, close=")")
            self._depth -= 1
            return pipeline
        self.refuse(place, f"unexpected {token.text!r} in operand")
        return None

    def _word(self, token: _Token) -> Operand:
        constants: dict[str, bool | None] = {"true": True, "false": False, "nil": None}
        if token.text in constants:
            return Literal(constants[token.text], token.place)
        if token.text in _KEYWORDS or token.text not in self._functions:
            self.refuse(token.place, f'function "{token.text}" not defined')
        return Function(token.text, token.place)

    def _number(self, token: _Token) -> int | float:
        text = token.text.replace("_", "")
        try:
            digits = text.lstrip("+-")
            octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
            return int(text, 8) if octal else int(text, 0)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            self.refuse(token.place, f"bad number syntax: {token.text!r}")

    def _unquoted(self, token: _Token) -> str | int:
        inner = token.text[1:-1]
        if token.kind == "raw":
            return inner.replace("\r", "")

        def written(escape: re.Match[str]) -> str:
            if escape[1]:
                return _ESCAPES[escape[1]]
            digits, base = (escape[2] or escape[3] or escape[4], 16)
            if escape[5]:
                digits, base = escape[5], 8
            number = int(digits, base) if digits else _HIGHEST + 1
            if number > _HIGHEST:
                self.refuse(token.place, "invalid syntax in a quoted string")
            return chr(number)

        text = _ESCAPED.sub(written, inner)
        if token.kind == "char":
            if len(text) != 1:
                self.refuse(token.place, "malformed character constant")
            return ord(text)
        return text


def _says_something(nodes: tuple[Node, ...]) -> bool:
    return any(not isinstance(n, Text) or n.text.strip(_SPACE) for n in nodes)


class _Reader:
    """The tokens of one tag, read from the left; spaces are only asked about."""

    def __init__(self, parser: _Parser, tag: _Tag) -> None:
        self._parser = parser
        self._tokens = tag.tokens
        self.place = tag.place
        self._next = 0
        self.word: str | None = None
        self.at = tag.place.start + len(_OPEN)
        token = self.peek()
        if token is not None:
            self.at = token.place.start

    def peek(self) -> _Token | None:
        ahead = self.ahead(1)
        return ahead[0] if ahead else None

    def ahead(self, count: int) -> list[_Token]:
        left = (t for t in self._tokens[self._next :] if t.kind != "space")
        return [token for _, token in zip(range(count), left, strict=False)]

    def take(self) -> _Token | None:
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            self._next += 1
            if token.kind != "space":
                self.at = token.place.end
                return token
        return None

    def skip(self, count: int) -> None:
        for _ in range(count):
            self.take()

    def is_spaced(self) -> bool:
        """Whether the next token has a space in front of it."""
        return (
            self._next < len(self._tokens) and self._tokens[self._next].kind == "space"
        )

    def is_done(self) -> bool:
        return self.peek() is None

    def expect_end(self) -> None:
        token = self.peek()
        if token is not None:
            self._parser.refuse(token.place, f"unexpected {token.text!r}")

    def keyword(self) -> str | None:
        """The keyword that comes next, which is then read."""
        token = self.peek()
        if token is None or token.kind != "word" or token.text not in _KEYWORDS:
            return None
        self.take()
        self.word = token.text
        after = self.peek()
        if after is not None:
            self.at = after.place.start
        return token.text
