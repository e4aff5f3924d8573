"""Makefiles: the recipes that a plain ``make`` runs.

Make expands ``$(NAME)`` before a shell sees the line, each line of a recipe has a
shell of its own, and the first failure ends it all. ``make`` makes the first
target, what it needs first; if it needs no target of the file, nobody knows which
ones are meant, and all count in the order written, those that end the cluster last.
"""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.notations.pipeline_jobs import Job, arranged
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
from kopslint.shell.environment import Pieces, joined, text_of
from kopslint.shell.output import NOTHING, sequence
from kopslint.shell.read import read_texts
from kopslint.shell.text import Anchor, Hole, ShellText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kopslint.text import Source

_VARIABLE = re.compile(
    r"(?P<export>export\s+)?(?P<name>[\w.-]+)\s*(?P<operator>::?=|\?=|\+=|=)\s*"
)
_EXPORT = re.compile(r"export\s+(?P<names>[\w.\s-]+)$")
_RULE = re.compile(
    r"(?P<targets>[^\s:#=][^:#=]*)::?(?!=)(?P<needs>[^=;#]*)(?:;(?P<recipe>.*)|#.*)?$"
)
_INCLUDES = re.compile(r"(?:-|s)?include\s+(?P<names>\S.*)$")
_CONDITIONAL = re.compile(r" *(?:ifn?eq|ifn?def|else|endif)\b")
_MAKES = re.compile(
    r"\s*[@+-]*\s*(?:\$\(MAKE\)|\$\{MAKE\}|g?make)"
    r"(?P<options>(?:\s+-[\w-]+(?:[= ]?\d+)?)*)(?P<targets>(?:\s+[\w./%-]+)*)\s*$"
)
_AT_ONCE = re.compile(r"(?:^|\s)(?:-\w*j(?!\s*1\b)|--jobs(?!=1\b))")
_DEEPEST = 10
_LONGEST = 100_000


class _Rule:
    """A target, what it needs, and the lines of its recipe."""

    def __init__(self, target: str, stem: Pieces = ("",)) -> None:
        self.target = target
        self.stem = stem
        self.needs: tuple[str, ...] = ()
        self.lines: list[tuple[int, str]] = []

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for targets of any name that fits."""
        return "%" in self.target

    def of(self, target: str) -> _Rule | None:
        """The rule that a pattern is for one target, if it fits."""
        before, _, after = self.target.partition("%")
        size = len(before) + len(after)
        if len(target) <= size or not (
            target.startswith(before) and target.endswith(after)
        ):
            return None
        stem = target[len(before) : len(target) - len(after)]
        rule = _Rule(target, (stem,))
        rule.needs = tuple(need.replace("%", stem) for need in self.needs)
        rule.lines = self.lines
        return rule

    def automatic(self, name: str) -> Pieces | None:
        """``$@``, ``$<``, ``$^`` and ``$*``; None for any other variable."""
        part = name[1:] if name[:1] in set("@<^*+?") else ""
        values: dict[str, tuple[str, ...]] = {
            "@": (self.target,),
            "<": self.needs[:1],
            "^": self.needs,
            "+": self.needs,
        }
        if name[:1] not in {*values, "*"} or part not in {"", "D", "F"}:
            return None
        if name[0] == "*":
            return self.stem
        words = values[name[0]]
        if any("%" in word or "$" in word for word in words) or (
            self.is_pattern and not words
        ):
            reason = f"${name} is only known when make runs"
            return (Unknown(f"${name}", reason),)
        if part:
            words = tuple(
                posixpath.basename(w) if part == "F" else posixpath.dirname(w) or "."
                for w in words
            )
        return (" ".join(words),)


_END = re.compile(
    r"^[^#]*(?:\bkops\b[^#]*\bdelete\s+cluster\b"
    r"|\b(?:terraform|tofu|terragrunt)\b[^#]*\bdestroy\b)"
)
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
    reached = makefile.in_order()
    # One after the other, unless it is started with -j somewhere.
    jobs = [
        Job(
            rule.target,
            frozenset(rule.needs),
            sequence(makefile.shell(rule, recipe) for recipe in _recipes(rule)),
            "" if makefile.at_once else "make",
        )
        for rule in reached
    ]
    makefile.leave_out(reached)
    commands = sequence([arranged(jobs, source.whole())])
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


def _ends(rule: _Rule) -> bool:
    """Whether a recipe takes the whole cluster away: no other is made after it."""
    return any(_END.search(line) for _, line in rule.lines)


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
        self.patterns: list[_Rule] = []
        self.at_once = False
        self._values: dict[tuple[str, str, int], Pieces] = {}
        self._one_at_a_time = False
        self._read()
        self._look_for_jobs()

    def _look_for_jobs(self) -> None:
        """Whether the file is made with several jobs: so it says, or so it is started.

        A recipe that starts ``make -j2 all`` tells how ``all`` is meant to be made.
        """
        started = [self.variables.get("MAKEFLAGS", ("", 0, 0))[0]]
        for rule in self.rules.values():
            started += [
                m["options"] for _, line in rule.lines if (m := _MAKES.match(line))
            ]
        found = any(map(_AT_ONCE.search, started))
        self.at_once = found and not self._one_at_a_time

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
            if re.match(r"\.NOTPARALLEL\s*:\s*$", line):
                self._one_at_a_time = True
            if match := _VARIABLE.match(line):
                self._assign(match, line, number)
                current = []
            elif match := _INCLUDES.match(line):
                self._include(match, number)
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

    def _include(self, match: re.Match[str], number: int) -> None:
        """Say that another makefile is read in, unless it holds settings alone."""
        names = match["names"].split()
        if all(
            posixpath.basename(name).endswith((".env", ".env.mk")) for name in names
        ):
            return
        line = self.source.line(number)
        span = self.source.span(number, 1, number, len(line) + 1)
        reason = "what this file includes is not read"
        self.unread.append(Opaque(Unknown(names[0], reason), span, runs=False))

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
        static, _, needed = match["needs"].rpartition(":")
        needs = tuple(self._text(needed).replace("|", " ").split())
        rules = []
        for target in self._text(match["targets"]).split():
            if target.startswith(".") and "/" not in target:
                continue
            if static and "%" in static:
                # ``a.o b.o: %.o: %.c``
                pattern = _Rule(static.strip())
                pattern.needs = needs
                rule = pattern.of(target) or _Rule(target)
                self.rules.setdefault(target, rule)
                rules.append(self.rules[target])
                continue
            if "%" in target:
                rule = _Rule(
                    target, (Unknown("$*", "it is only known when make runs"),)
                )
                self.patterns.append(rule)
            else:
                rule = self.rules.setdefault(target, _Rule(target))
            rule.needs += needs
            rules.append(rule)
        return rules

    def _text(self, written: str) -> str:
        """A text with make's references replaced as far as they are known."""
        pieces = self.expand(written)
        return "".join(p if isinstance(p, str) else p.name for p in pieces)

    def _made(self, target: str) -> _Rule | None:
        """The rule for a target: its own, or that of a pattern that fits."""
        own = self.rules.get(target)
        if own is not None and own.lines:
            return own
        found = next(filter(None, (p.of(target) for p in self.patterns)), None)
        if found is not None and own is not None:
            found.needs += own.needs
        return found or own

    def in_order(self) -> list[_Rule]:
        """The rules in the order in which make would run them."""
        if not self.rules:
            return self.patterns
        first = next(iter(self.rules.values()))
        called = _called(first)
        if not any(map(self._made, first.needs)) and not any(map(self._made, called)):
            every = [*self.rules.values(), *self.patterns]
            written = (rule for rule in every if rule.lines)
            return sorted(written, key=lambda r: (_ends(r), r.lines[0][0]))
        done: dict[str, _Rule] = {}
        waiting = [(first.target, False)]
        started: set[str] = set()
        while waiting:
            target, ready = waiting.pop()
            rule = self._made(target)
            if ready and rule is not None:
                done[target] = rule
            elif rule is not None and target not in started:
                started.add(target)
                waiting.append((target, True))
                # What a recipe calls with make is made before its last line.
                rule.needs += tuple(_called(rule))
                waiting.extend((need, False) for need in reversed(rule.needs))
        return list(done.values())

    def leave_out(self, reached: list[_Rule]) -> None:
        """Say which rules run only when somebody asks for them."""
        targets = {rule.target for rule in reached}
        for rule in [*self.rules.values(), *self.patterns]:
            telling = (n for n, line in rule.lines if _TELLING.search(line))
            number = next(telling, None)
            used = rule.is_pattern and any(map(rule.of, targets))
            if rule.target in targets or number is None or used:
                continue
            line = self.source.line(number)
            start = len(line) - len(line.lstrip()) + 1
            span = self.source.span(number, start, number, len(line) + 1)
            reason = "the first target does not need this one, so it is not checked"
            unread = Opaque(Unknown(rule.target, reason), span, runs=False)
            self.unread.append(unread)

    def shell(self, rule: _Rule, recipe: list[tuple[int, str]]) -> Statement:
        """One recipe line as make hands it to a shell."""
        if len(recipe) == 1 and (made := _MAKES.match(recipe[0][1])):
            names = made["targets"].split()
            if names and all(map(self._made, names)):
                return NOTHING
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

    def expand(self, text: str, rule: _Rule | None = None, depth: int = 0) -> Pieces:
        """A text with make's references replaced."""
        pieces: list[Pieces] = []
        done = 0
        for start, end in references(text):
            pieces.append((text[done:start],))
            pieces.append(self.reference(text[start:end], rule, depth))
            done = end
        return joined([*pieces, (text[done:],)])

    def reference(
        self, written: str, rule: _Rule | None = None, depth: int = 0
    ) -> Pieces:
        """What one reference gives."""
        if written == "$$":
            return ("$",)
        name = written[2:-1] if written[1] in "({" else written[1:]
        if rule is not None and (own := rule.automatic(name)) is not None:
            return own
        if name in self.overridable:
            reason = f"{written} may be set outside this file"
        elif name in self.variables and depth < _DEEPEST:
            # References double from variable to variable, so each is done once.
            place = name, rule.target if rule is not None else "", depth
            if place not in self._values:
                value = self.variables[name][0]
                self._values[place] = self.expand(value, rule, depth + 1)
            return self._values[place]
        elif re.fullmatch(r"[\w.-]+", name):
            reason = f"{written} is not set in this file"
        else:
            known = self._function(name, rule, depth)
            if known is not None:
                return known
            reason = f"{written} is only known when make runs"
            return (self._either(Unknown(written, reason), name, rule, depth),)
        return (Unknown(written, reason),)

    def _either(
        self, unknown: Unknown, call: str, rule: _Rule | None, depth: int
    ) -> Unknown:
        """``$(if CONDITION,--yes)``: one of two texts, where both are known."""
        name, _, rest = call.partition(" ")
        if name != "if" or depth >= _DEEPEST:
            return unknown
        condition, then, otherwise, *_ = [*_arguments(rest, 3), "", "", ""]
        ways = [
            text_of(self.expand(part.strip(), rule, depth + 1))
            for part in (otherwise, then)
        ]
        known = tuple((way,) for way in ways if way is not None)
        if len(known) < len(ways):
            return unknown
        return unknown._replace(choice=condition, ways=known)

    def _function(self, call: str, rule: _Rule | None, depth: int) -> Pieces | None:
        """``$(subst a,b,text)`` and others of make that only need text."""
        name, blank, rest = call.partition(" ")
        if not blank or name not in FUNCTIONS or depth >= _DEEPEST:
            return None
        many, work = FUNCTIONS[name]
        arguments: list[str] = []
        for written in _arguments(rest, many):
            pieces = self.expand(written, rule, depth + 1)
            if not all(isinstance(piece, str) for piece in pieces):
                return None
            arguments.append("".join(p for p in pieces if isinstance(p, str)))
        if len(arguments) != many or sum(map(len, arguments)) > _LONGEST:
            return None
        return (work(*arguments),)


def references(text: str) -> Iterator[tuple[int, int]]:
    """Where make's references are in a text, each with what it has inside."""
    index = text.find("$")
    while 0 <= index < len(text) - 1:
        opening = text[index + 1]
        end = index + 2
        if opening in "({":
            closing = ")" if opening == "(" else "}"
            level = 1
            while level and end < len(text):
                level += (text[end] == opening) - (text[end] == closing)
                end += 1
            if level:
                return
        yield index, end
        index = text.find("$", end)


def _arguments(text: str, most: int) -> list[str]:
    """The arguments of a function, split at commas outside of references."""
    inside = [range(start, end) for start, end in references(text)]
    found = [""]
    for place, char in enumerate(text):
        if char == "," and len(found) < most and not any(place in r for r in inside):
            found.append("")
        else:
            found[-1] += char
    return found


def _patsubst(pattern: str, into: str, text: str) -> str:
    before, many, after = pattern.partition("%")
    words = []
    for word in text.split():
        fits = word.startswith(before) and word.endswith(after)
        if many and fits and len(word) >= len(before) + len(after):
            stem = word[len(before) : len(word) - len(after)]
            words.append(into.replace("%", stem, 1))
        else:
            words.append(into if word == pattern else word)
    return " ".join(words)


def _filter(patterns: str, text: str, *, keep: bool = True) -> str:
    fits = [
        re.compile(".*".join(map(re.escape, pattern.split("%", 1))), re.DOTALL)
        for pattern in patterns.split()
    ]
    words = text.split()
    return " ".join(w for w in words if any(f.fullmatch(w) for f in fits) == keep)


def _each(work: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: " ".join(map(work, text.split()))


FUNCTIONS: Mapping[str, tuple[int, Callable[..., str]]] = {
    "addprefix": (2, lambda a, text: _each(lambda w: a + w)(text)),
    "addsuffix": (2, lambda a, text: _each(lambda w: w + a)(text)),
    "basename": (1, _each(lambda w: posixpath.splitext(w)[0])),
    "dir": (1, _each(lambda w: posixpath.dirname(w) + "/" if "/" in w else "./")),
    "filter": (2, _filter),
    "filter-out": (2, lambda p, text: _filter(p, text, keep=False)),
    "firstword": (1, lambda text: " ".join(text.split()[:1])),
    "lastword": (1, lambda text: " ".join(text.split()[-1:])),
    "notdir": (1, _each(posixpath.basename)),
    "patsubst": (3, _patsubst),
    "sort": (1, lambda text: " ".join(sorted(set(text.split())))),
    "strip": (1, lambda text: " ".join(text.split())),
    "subst": (3, lambda a, b, text: text.replace(a, b) if a else text),
    "suffix": (1, _each(lambda w: posixpath.splitext(w)[1])),
}
"""Functions that make works out from their arguments: how many, and what they give."""


def _called(rule: _Rule) -> list[str]:
    """The targets that a recipe makes with a make of its own."""
    found = (_MAKES.match(line) for _, line in rule.lines)
    return [name for match in found if match for name in match["targets"].split()]


class _Builder:
    """Puts together what the shell sees, with the place of each character."""

    def __init__(self, makefile: _Makefile, rule: _Rule) -> None:
        self._makefile = makefile
        self._rule = rule
        self._text = ""
        self._anchors: list[Anchor] = []
        self._holes: list[Hole] = []

    def line(self, number: int, column: int, line: str) -> None:
        """Add one line of the recipe, which starts at ``column``."""
        if self._text:
            self._text += "\n"
        done = 0
        for start, end in references(line):
            self._plain(number, column + done, line[done:start])
            self._anchors.append(
                Anchor(len(self._text), number, column + start, still=True)
            )
            for piece in self._makefile.reference(line[start:end], self._rule):
                shown = piece if isinstance(piece, str) else piece.name
                if isinstance(piece, Unknown):
                    hole = len(self._text), len(self._text) + len(shown)
                    self._holes.append(Hole(*hole, piece))
                self._text += shown
            done = end
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
            title=self._rule.target,
        )
