"""Makefiles: the recipes that a plain ``make`` runs.

Make expands ``$(NAME)`` before a shell sees the line, each line of a recipe has a
shell of its own, and the first failure ends it all. ``make`` makes the first
target, what it needs first; if it needs no target of the file, nobody knows which
ones are meant, and all count in the order written.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.shell.ast import (
    AndOr,
    Assignment,
    ErrExit,
    Group,
    Opaque,
    Script,
    Statement,
    Unknown,
    Word,
)
from kopslint.shell.environment import Pieces, joined
from kopslint.shell.output import NOTHING, sequence
from kopslint.shell.read import read_texts
from kopslint.shell.text import Anchor, Hole, ShellText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.text import Source

_VARIABLE = re.compile(
    r"(?P<export>export\s+)?(?P<name>[\w.-]+)\s*(?P<operator>::?=|\?=|\+=|=)\s*"
)
_EXPORT = re.compile(r"export\s+(?P<names>[\w.\s-]+)$")
_RULE = re.compile(
    r"(?P<targets>[^\s:#=][^:#=]*)::?(?!=)(?P<needs>[^=;#]*)(?:;(?P<recipe>.*)|#.*)?$"
)
_CONDITIONAL = re.compile(r" *(?:ifn?eq|ifn?def|else|endif)\b")
_REFERENCE = re.compile(
    r"\$(?:\$|\((?P<paren>[^()]*(?:\([^()]*\)[^()]*)*)\)|\{(?P<brace>[^{}]*)\}|(?P<one>.))"
)
_DEEPEST = 10


class _Rule:
    """A target, what it needs, and the lines of its recipe."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.needs: tuple[str, ...] = ()
        self.lines: list[tuple[int, str]] = []


# A recipe that may change a cluster; a comment does not.
_TELLING = re.compile(
    r"^[^#]*(?:kops|KOPS|etcdctl)\b[^#]*"
    r"\b(?:add|create|delete|edit|reconcile|remove|replace|update|upgrade)\b"
)


def read_makefile(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The recipes that a plain ``make`` runs, or all of them.

    Rules that it leaves out and that may change a cluster are in ``Script.unread``.
    Conditionals are not evaluated; the last assignment of a variable counts, as
    it does in make.
    """
    makefile = _Makefile(source, at_hand)
    statements: list[Statement] = []
    reached = makefile.in_order()
    for rule in reached:
        statements += [makefile.shell(rule, recipe) for recipe in _recipes(rule)]
    makefile.leave_out(reached)
    commands = sequence(statements)
    if not commands.items:
        return Script(NOTHING, tuple(makefile.unread))
    errexit = ErrExit(on=True, span=source.whole())
    return Script(sequence([errexit, commands]), tuple(makefile.unread))


def _behind(parts: list[tuple[int, str]], offset: int) -> Iterator[tuple[int, str]]:
    """What is behind an offset of lines that belong together, columns kept."""
    for number, line in parts:
        if offset < len(line):
            yield number, " " * offset + line[offset:]
        offset = max(0, offset - len(line))


def _recipes(rule: _Rule) -> Iterator[list[tuple[int, str]]]:
    """The lines of a recipe, those that a backslash continues together."""
    recipe: list[tuple[int, str]] = []
    for number, line in rule.lines:
        recipe.append((number, line))
        if not line.endswith("\\"):
            yield recipe
            recipe = []
    if recipe:
        yield recipe


class _Makefile:
    """The variables and rules of one makefile."""

    def __init__(self, source: Source, at_hand: Sequence[Source]) -> None:
        self.source = source
        self.at_hand = at_hand
        self.unread: list[Opaque] = []
        self.variables: dict[str, tuple[str, int, int]] = {}
        self.overridable: set[str] = set()
        self.exported: set[str] = set()
        self.rules: dict[str, _Rule] = {}
        self._values: dict[tuple[str, str, int], Pieces] = {}
        self._read()

    def _read(self) -> None:
        current: list[_Rule] = []
        waiting: list[tuple[int, str]] = []
        lines = self.source.lines
        for number, written in enumerate(lines, 1):
            if written.startswith("\t") and not waiting:
                for rule in current:
                    rule.lines.append((number, written))
                continue
            # A rule or an assignment may go on in the next line.
            waiting.append((number, written))
            if written.endswith("\\") and number < len(lines):
                continue
            parts, waiting = waiting, []
            line = "".join(re.sub(r"\\$", " ", part) for _, part in parts)
            if _CONDITIONAL.match(line):
                # What is between is a part of the recipe around it.
                continue
            if match := _VARIABLE.match(line):
                self._assign(match, line, number)
                current = []
            elif match := _EXPORT.match(line):
                self.exported |= set(match["names"].split())
            elif match := _RULE.match(line):
                current = self._rule(match)
                if match["recipe"]:
                    recipe = list(_behind(parts, match.start("recipe")))
                    for rule in current:
                        rule.lines += recipe
            elif line.strip() and not line.startswith("#"):
                current = [] if not line.startswith(" ") else current

    def _assign(self, match: re.Match[str], line: str, number: int) -> None:
        name = match["name"]
        value = re.sub(r"\s+#.*", "", line[match.end() :]).rstrip()
        if match["operator"] == "+=" and name in self.variables:
            value = f"{self.variables[name][0]} {value}"
        if match["operator"] == "?=":
            if name in self.variables:
                return
            self.overridable.add(name)
        self.variables[name] = (value, number, match.end() + 1)
        if match["export"]:
            self.exported.add(name)

    def _rule(self, match: re.Match[str]) -> list[_Rule]:
        needs = tuple(match["needs"].replace("|", " ").split())
        rules = []
        for target in match["targets"].split():
            if target.startswith(".") or "%" in target:
                continue
            rule = self.rules.setdefault(target, _Rule(target))
            rule.needs += needs
            rules.append(rule)
        return rules

    def in_order(self) -> list[_Rule]:
        """The rules in the order in which make would run them."""
        if not self.rules:
            return []
        first = next(iter(self.rules.values()))
        if not any(need in self.rules for need in first.needs):
            return list(self.rules.values())
        done: dict[str, None] = {}
        waiting = [(first.target, False)]
        started: set[str] = set()
        while waiting:
            target, ready = waiting.pop()
            if ready:
                done[target] = None
            elif target in self.rules and target not in started:
                started.add(target)
                waiting.append((target, True))
                needs = reversed(self.rules[target].needs)
                waiting.extend((need, False) for need in needs)
        return [self.rules[target] for target in done]

    def leave_out(self, reached: list[_Rule]) -> None:
        """Say which rules run only when somebody asks for them."""
        targets = {rule.target for rule in reached}
        for rule in self.rules.values():
            telling = (n for n, line in rule.lines if _TELLING.search(line))
            number = next(telling, None)
            if rule.target in targets or number is None:
                continue
            line = self.source.line(number)
            start = len(line) - len(line.lstrip()) + 1
            span = self.source.span(number, start, number, len(line) + 1)
            reason = "the first target does not need this one, so it is not followed"
            unread = Opaque(Unknown(rule.target, reason), span, runs=False)
            self.unread.append(unread)

    def shell(self, rule: _Rule, recipe: list[tuple[int, str]]) -> Statement:
        """One recipe line as make hands it to a shell."""
        prefix = re.match(r"[ \t]*(?P<marks>[@+-][@+ -]*)?", recipe[0][1])
        marks = (prefix["marks"] or "") if prefix else ""
        builder = _Builder(self, rule)
        for index, (number, line) in enumerate(recipe):
            skip = prefix.end() if prefix and index == 0 else line.startswith("\t")
            builder.line(number, skip + 1, line[skip:])
        script = read_texts([builder.text()], self._environment, at_hand=self.at_hand)
        self.unread.extend(script.unread)
        if not script.body.items:
            return NOTHING
        group = Group(script.body, subshell=True)
        return AndOr(group, "||", NOTHING) if "-" in marks else group

    @cached_property
    def _environment(self) -> list[Assignment]:
        found = []
        for name in sorted(self.exported & self.variables.keys()):
            value, line, column = self.variables[name]
            span = self.source.span(line, column, line, column + len(value))
            found.append(Assignment(name, Word(self.expand(value), value, span)))
        return found

    def expand(self, text: str, target: str = "", depth: int = 0) -> Pieces:
        """A text with make's references replaced."""
        pieces: list[Pieces] = []
        done = 0
        for match in _REFERENCE.finditer(text):
            pieces.append((text[done : match.start()],))
            pieces.append(self.reference(match, target, depth))
            done = match.end()
        return joined([*pieces, (text[done:],)])

    def reference(
        self, match: re.Match[str], target: str = "", depth: int = 0
    ) -> Pieces:
        """What one reference gives."""
        written = match[0]
        if written == "$$":
            return ("$",)
        name = match["paren"] or match["brace"] or match["one"] or ""
        if name == "@" and target:
            return (target,)
        if name in self.overridable:
            reason = f"{written} may be set outside this file"
        elif name in self.variables and depth < _DEEPEST:
            # References double from variable to variable, so each is done once.
            place = name, target, depth
            if place not in self._values:
                value = self.variables[name][0]
                self._values[place] = self.expand(value, target, depth + 1)
            return self._values[place]
        elif re.fullmatch(r"[\w.-]+", name):
            reason = f"{written} is not set in this file"
        else:
            reason = f"{written} is only known when make runs"
        return (Unknown(written, reason),)


class _Builder:
    """Puts together what the shell sees, with the place of each character."""

    def __init__(self, makefile: _Makefile, rule: _Rule) -> None:
        self._makefile = makefile
        self._target = rule.target
        self._text = ""
        self._anchors: list[Anchor] = []
        self._holes: list[Hole] = []

    def line(self, number: int, column: int, line: str) -> None:
        """Add one line of the recipe, which starts at ``column``."""
        if self._text:
            self._text += "\n"
        done = 0
        for match in _REFERENCE.finditer(line):
            self._plain(number, column + done, line[done : match.start()])
            self._anchors.append(
                Anchor(len(self._text), number, column + match.start(), still=True)
            )
            for piece in self._makefile.reference(match, self._target):
                shown = piece if isinstance(piece, str) else piece.name
                if isinstance(piece, Unknown):
                    end = len(self._text) + len(shown)
                    self._holes.append(Hole(len(self._text), end, piece))
                self._text += shown
            done = match.end()
        self._plain(number, column + done, line[done:])

    def _plain(self, number: int, column: int, text: str) -> None:
        self._anchors.append(Anchor(len(self._text), number, column))
        self._text += text

    def text(self) -> ShellText:
        """The recipe line as shell; its target is its title."""
        return ShellText(
            self._makefile.source,
            self._text,
            tuple(self._anchors),
            given_holes=tuple(self._holes),
            title=self._target,
        )
