r"""From the text of a shell word to the arguments that the program sees.

Quotes, escapes, parameters, arithmetic, braces and word splitting happen here, in
bash's order. Where a substitution ends is taken from the syntax tree; what it
prints is asked of the script reader, which alone can run statements.
"""

from __future__ import annotations

import operator
import posixpath
import re
from fnmatch import translate
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from kopslint.records import Record
from kopslint.shell.ast import Unknown, Word
from kopslint.shell.environment import (
    ARGUMENTS,
    UNSET,
    Pieces,
    Scope,
    Variable,
    items_of,
    joined,
    not_set,
    path_of,
    text_of,
)
from kopslint.shell.text import REMARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from tree_sitter import Node

    from kopslint.shell.text import ShellText


# ------------------------------------------------------------------------------------
# Word splitting: the arguments that one word becomes once its values are put in
#
# Bash splits values at the characters of ``$IFS``, and never what was written or
# quoted. This module knows nothing of the script around the word.

_BLANKS = re.compile(r"[ \t\n]+")


def fields(atoms: list[Atom], separators: str | None) -> list[Pieces]:
    """The arguments of a word whose braces are expanded.

    ``separators`` is what ``$IFS`` holds, or None if it was never set.
    """
    if all(atom.kind in {"text", "quoted"} and atom.pieces for atom in atoms):
        return [joined([atom.pieces for atom in atoms])] if atoms else []
    found: list[Pieces] = []
    current: list[Pieces] = []
    for value in [*_parts(atoms, separators), None]:
        if value is not None:
            current.append(value)
        elif current:
            found.append(joined(current))
            current = []
    return found


def _parts(atoms: list[Atom], separators: str | None) -> Iterator[Pieces | None]:
    """The parts of the arguments; None is the end of one, if there is one to end."""
    split = _BLANKS
    if separators is not None:
        split = re.compile(f"[{re.escape(separators)}]+" if separators else r"(?!)")
    for atom in atoms:
        if atom.kind == "items":
            for number, item in enumerate(atom.items):
                if number:
                    yield None
                yield item
            continue
        if atom.kind == "quoted" and not atom.pieces:
            yield ()
        for piece in atom.pieces:
            if atom.kind != "value" or isinstance(piece, Unknown):
                yield (piece,)
                continue
            for number, part in enumerate(split.split(piece)):
                if number:
                    yield None
                if part:
                    yield (part,)


# ------------------------------------------------------------------------------------
# The text rules of bash: ``${x%-old}``, ``{1..3}``, names in ``$((x+1))``
#
# All functions here take known values and give a known value, or None where bash
# would do something that is not modelled; the caller then says "unknown".

MOST_WORDS = 1_000
MOST_NESTED = 50
# Every place in a value may have to be tried.
_LONGEST = 500

_RANGE = r"(?:(-?\d+)\.\.(-?\d+)|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d+))?"
_NAME = r"\$\{(\w+)\}|\$?([A-Za-z_]\w*|(?<=\$)\d+)"
_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}


def brace_range(text: str) -> list[str] | None:
    """The words of ``1..3`` or ``a..e``, or None if it is not a range."""
    match = re.fullmatch(_RANGE, text)
    if match is None:
        return None
    low, high, first, last, step = match.groups()
    pace = abs(int(step)) if step and int(step) else 1
    if first is not None:
        letters = _steps(ord(first), ord(last), pace)
        return None if letters is None else [chr(letter) for letter in letters]
    numbers = _steps(int(low), int(high), pace)
    if numbers is None:
        return None
    padded = any(re.match(r"-?0\d", end) for end in (low, high))
    width = max(len(low), len(high)) if padded else 0
    return [f"{number:0{width}d}" if width else str(number) for number in numbers]


def _steps(start: int, end: int, pace: int) -> range | None:
    numbers = (
        range(start, end + 1, pace) if start <= end else range(start, end - 1, -pace)
    )
    # The difference is looked at first because len() fails on huge ranges.
    return numbers if abs(end - start) // pace < MOST_WORDS else None


def count(
    first: int, relation: str, last: int, pace: int, most: int
) -> list[int] | None:
    """The numbers from ``first`` on while one compares so to ``last``, and the next.

    None if there are more than ``most``.
    """
    numbers = [first]
    while _RELATIONS[relation](numbers[-1], last):
        if len(numbers) > most:
            return None
        numbers.append(numbers[-1] + pace)
    return numbers


def arithmetic(text: str, value_of: Callable[[str], str | None]) -> int | None:
    """The value of an arithmetic expression over whole numbers and known names."""
    known = True

    def substitute(match: re.Match[str]) -> str:
        nonlocal known
        value = value_of(match[1] or match[2])
        if value is None or not re.fullmatch(r"-?\d{1,9}", value):
            known = False
            return "0"
        return f"({int(value)})"

    expression = re.sub(_NAME, substitute, text).strip()
    if not known or not re.fullmatch(r"[\d\s()+*/%-]{1,80}", expression):
        return None
    from kopslint.shell.arithmetic import evaluate

    return evaluate(expression)


def matches(value: str, pattern: str) -> bool | None:
    """Whether a glob pattern matches all of a value."""
    glob = _glob(pattern)
    return glob.match(value) is not None if glob is not None else None


def _glob(pattern: str) -> re.Pattern[str] | None:
    if re.search(r"[@?!+*]\(|\[:", pattern):
        return None
    return re.compile(translate(pattern.replace("[^", "[!")))


def trim(value: str, kind: str, pattern: str) -> str | None:
    """``${x#p}``, ``${x##p}``, ``${x%p}`` and ``${x%%p}``."""
    glob = _glob(pattern)
    if glob is None or len(value) > _LONGEST:
        return None
    cuts: list[int] = list(range(len(value) + 1))
    prefix = kind[0] == "#"
    if prefix == (len(kind) == 2):
        cuts.reverse()
    for cut in cuts:
        if glob.match(value[:cut] if prefix else value[cut:]):
            return value[cut:] if prefix else value[:cut]
    return value


def substitute(value: str, kind: str, pattern: str, new: str) -> str | None:
    """``${x/p/n}``, ``${x//p/n}``, ``${x/#p/n}`` and ``${x/%p/n}``.

    Only patterns without wildcards are modelled.
    """
    if re.search(r"[*?\[(]", pattern) or not pattern:
        return value if not pattern else None
    if kind == "//":
        return value.replace(pattern, new)
    if kind == "/#":
        return new + value[len(pattern) :] if value.startswith(pattern) else value
    if kind == "/%":
        return value[: -len(pattern)] + new if value.endswith(pattern) else value
    return value.replace(pattern, new, 1)


def recase(value: str, kind: str) -> str:
    """``${x^}``, ``${x^^}``, ``${x,}`` and ``${x,,}``."""
    change = str.upper if kind[0] == "^" else str.lower
    return change(value) if len(kind) == 2 else change(value[:1]) + value[1:]


# ------------------------------------------------------------------------------------
# ``$x``, ``${x:-d}``, ``${x[@]}``: what a parameter gives in a scope
#
# The operand and the pattern of an operator arrive here already expanded; this module
# only knows what the operators do, and when the result is unknown.

# Compiled at its first use, and kept by ``re``: most runs meet none.
_SHAPE = (
    r"(?P<prefix>[#!](?=[\w@*]))?"
    r"(?P<name>[A-Za-z_]\w*|\d+|[@*#?$!-])"
    r"(?:\[(?P<subscript>[^\]\n]*)\])?"
    r"(?P<operator>:?[-=?+]|##?|%%?|/[/#%]?|\^\^?|,,?|:|@)?"
)
# The names of what stands for any number of words even in quotes.
LIST = r"\$@|\$\{(?:@|!?\w+\[@\])"
_NAMED = r"\$\{?(\w+)\}?"


class Parameter(Record):
    """One parameter expansion.

    ``raw`` is the expression as written, ``pattern`` is None if it is not known,
    ``end`` is where the operand starts in the text.
    """

    name: str
    prefix: str = ""
    subscript: str | None = None
    operator: str | None = None
    pattern: str | None = None
    operand: Pieces = ()
    raw: str = ""
    end: int = 0

    @classmethod
    def parse(cls, text: str, start: int, end: int) -> Self | None:
        """The parameter in ``text[start:end]`` (the inside of ``${...}``)."""
        match = re.compile(_SHAPE).match(text, start, end)
        if match is None or (match["operator"] is None and match.end() < end):
            return None
        return cls(
            match["name"],
            match["prefix"] or "",
            match["subscript"],
            match["operator"],
            raw="${" + text[start:end] + "}",
            end=match.end(),
        )

    def with_pattern(self, pattern: str | None) -> Self:
        """The same with its pattern."""
        return self._replace(pattern=pattern)

    def with_operand(self, operand: Pieces) -> Self:
        """The same with its operand."""
        return self._replace(operand=operand)

    @property
    def shown(self) -> str:
        """The expression; ``${x}`` and ``$x`` are the same expression."""
        plain = self.operator is None and not self.prefix and self.subscript is None
        return f"${self.name}" if plain or not self.raw else self.raw


def lookup(parameter: Parameter, scope: Scope) -> Pieces | list[Pieces]:
    """The value of a parameter; a list if it stands for any number of words."""
    name = parameter.name
    if parameter.prefix == "!":
        return _indirect(parameter, scope)
    if name in {"@", "*"} or parameter.subscript in {"@", "*"}:
        return _all_items(parameter, scope)
    if name == "#":
        arguments = scope.get(ARGUMENTS)
        if arguments is None or arguments.items is None:
            return (_of_script("$#"),)
        return (str(len(items_of(arguments))),)
    variable = _element(parameter, scope)
    if isinstance(variable, Unknown):
        return (variable._replace(default=_number(parameter)),)
    if parameter.operator is not None:
        return _operate(parameter, variable, scope)
    if variable is None:
        return (not_set(name),)
    value = variable.scalar
    if parameter.prefix == "#":
        text = text_of(value or ())
        return (str(len(text)) if text is not None else _run_time(parameter),)
    return value if value is not None else ()


def _element(parameter: Parameter, scope: Scope) -> Variable | Unknown | None:
    """The variable, positional parameter or array element that is meant."""
    name = parameter.name
    if name == "0":
        return scope.get(name)
    if name.isdigit():
        arguments = scope.get(ARGUMENTS)
        if arguments is None:
            return _of_script(f"${name}")
        if arguments.items is None:
            return _run_time(parameter)
        items = items_of(arguments)
        number = int(name[:9])
        if any(map(_is_list, items[:number])):
            return _run_time(parameter)
        return Variable(items[number - 1] if number <= len(items) else None)
    if not re.match(r"[A-Za-z_]", name):
        return _run_time(parameter)
    variable = scope.get(name)
    if parameter.subscript is None or variable is None:
        return variable
    items = items_of(variable)
    if variable.keys is not None:
        key = _key(parameter.subscript, scope)
        if key is None:
            return _run_time(parameter)
        by_key = dict(zip(variable.keys, items, strict=True))
        return Variable(by_key[key]) if key in by_key else UNSET
    place = arithmetic(parameter.subscript, lambda name: value_in(name, scope))
    if place is None or not -len(items) <= place < len(items):
        return _run_time(parameter)
    if any(map(_is_list, items[: place + 1] if place >= 0 else items)):
        return _run_time(parameter)
    return Variable(items[place])


def _operate(parameter: Parameter, variable: Variable | None, scope: Scope) -> Pieces:
    operator = parameter.operator or ""
    value = variable.scalar if variable is not None else None
    text = text_of(value) if value is not None else None
    if operator[-1] in "-=?+":
        return _default(parameter, variable, scope)
    if text is None:
        if variable is None:
            return (Unknown(parameter.raw, not_set(parameter.name).reason),)
        if value is None:
            return ()
        path = path_of(value) if (operator, parameter.pattern) == ("%", "/*") else None
        folder = (posixpath.dirname(path) or ".") if path else None
        return (_run_time(parameter)._replace(path=folder),)
    result: str | None = None
    if operator[0] in "#%" and parameter.pattern is not None:
        result = trim(text, operator, parameter.pattern)
    elif operator[0] == "/" and parameter.pattern is not None:
        new = text_of(parameter.operand)
        if new is not None:
            result = substitute(text, operator, parameter.pattern, new)
    elif operator[0] in "^," and not parameter.operand:
        result = recase(text, operator)
    elif operator == ":":
        cut = re.fullmatch(r"\s*(\d{1,9})(?::\s*(\d{1,9}))?", _literal(parameter))
        if cut is not None:
            start = int(cut[1])
            result = text[start : start + int(cut[2])] if cut[2] else text[start:]
    return (result if result is not None else _run_time(parameter),)


def _default(parameter: Parameter, variable: Variable | None, scope: Scope) -> Pieces:
    """``-``, ``=``, ``?`` and ``+``, with or without the colon."""
    operator = parameter.operator or ""
    kind = operator[-1]
    if variable is None:
        if kind == "?":
            return (not_set(parameter.name),)
        reason = f"${parameter.name} may be set outside this file"
        unknown = Unknown(parameter.raw, reason)
        return (_optional(unknown, parameter),)
    value = variable.scalar
    if value is not None and operator[0] == ":" and text_of(value) is None:
        # A path is never empty, wherever it leads.
        known = path_of(value) or any(isinstance(p, str) and p for p in value)
        if not known and kind != "?":
            return (_run_time(parameter),)
    empty = value is None or (operator[0] == ":" and text_of(value) == "")
    if kind == "+":
        return () if empty else parameter.operand
    if not empty:
        return value or ()
    if kind == "=":
        scope.set(parameter.name, Variable(parameter.operand))
    return parameter.operand if kind != "?" else (_run_time(parameter),)


def _optional(unknown: Unknown, parameter: Parameter) -> Unknown:
    """``${APPROVE:+--yes}`` and ``${DRY_RUN:---yes}``: the option, or none.

    The first way is that of a variable that nobody sets.
    """
    text = text_of(parameter.operand)
    if text is None or not text.startswith("-"):
        return unknown
    kind = (parameter.operator or "")[-1]
    ways = (("",), (text,)) if kind == "+" else ((text,), ("",))
    return unknown._replace(option=True, choice=f"${parameter.name}", ways=ways)


def _all_items(parameter: Parameter, scope: Scope) -> Pieces | list[Pieces]:
    """``$@``, ``$*``, ``${x[@]}``, their lengths and slices."""
    arguments = parameter.name in {"@", "*"}
    variable = scope.get(ARGUMENTS if arguments else parameter.name)
    if variable is None:
        if arguments:
            return (_of_script(f"${parameter.name}"),)
        return (Unknown(parameter.raw, not_set(parameter.name).reason),)
    items = list(items_of(variable))
    whole = variable.items is not None and not any(map(_is_list, items))
    if not whole and parameter.operator is not None:
        return (_run_time(parameter),)
    if parameter.prefix == "#":
        # A variable with an unknown value may be an array of any length.
        return (str(len(items)) if whole else _run_time(parameter),)
    if parameter.operator == ":":
        cut = re.fullmatch(r"\s*(\d{1,9})(?::\s*(\d{1,9}))?", _literal(parameter))
        if cut is None:
            return (_run_time(parameter),)
        start = int(cut[1])
        if arguments:
            start = max(0, start - 1)
        items = items[start : start + int(cut[2])] if cut[2] else items[start:]
    elif parameter.operator is not None:
        return (_run_time(parameter),)
    if variable.items is None:
        value = items[0] if items else ()
        if len(value) == 1 and isinstance(value[0], Unknown):
            # It may have been any number of words.
            return (value[0]._replace(name=parameter.shown),)
        return value
    star = "*" in (parameter.name, parameter.subscript)
    return joined(items, " ") if star else items


def _is_list(item: Pieces) -> bool:
    """Whether an item stands for any number of items."""
    piece = item[0] if item else ""
    return isinstance(piece, Unknown) and re.match(LIST, piece.name) is not None


def _key(index: str, scope: Scope) -> str | None:
    """The key that is written between brackets, or None if it is not known."""
    values = [value_in(match[1], scope) for match in re.finditer(_NAMED, index)]
    if None in values:
        return None
    known = iter(values)
    return re.sub(_NAMED, lambda _: next(known) or "", index).strip("'\"")


def _indirect(parameter: Parameter, scope: Scope) -> Pieces | list[Pieces]:
    """``${!x}``, and the keys of an array: ``${!x[@]}``."""
    if parameter.subscript in {"@", "*"}:
        variable = scope.get(parameter.name)
        if variable is None or variable.items is None:
            return (_run_time(parameter),)
        keys = variable.keys
        numbers = (str(number) for number in range(len(variable.items)))
        return [(key,) for key in (numbers if keys is None else keys)]
    name = value_in(parameter.name, scope)
    if name is None or not re.fullmatch(r"[A-Za-z_]\w*", name) or parameter.operator:
        return (_run_time(parameter),)
    return lookup(Parameter(name), scope)


def value_in(name: str, scope: Scope) -> str | None:
    """The value of a variable, or None if it is not known."""
    value = lookup(Parameter(name), scope)
    return text_of(value) if isinstance(value, tuple) else None


def _number(parameter: Parameter) -> str | None:
    """The number that ``${1:-1}`` is without an argument."""
    literal = _literal(parameter)
    given = parameter.operator in {"-", ":-"} and parameter.name.isdigit()
    return literal if given and re.fullmatch(r"\d{1,9}", literal) else None


def _literal(parameter: Parameter) -> str:
    return text_of(parameter.operand) or ""


def _of_script(shown: str) -> Unknown:
    return Unknown(shown, f"{shown} is given to the script when it is started")


def _run_time(parameter: Parameter) -> Unknown:
    return Unknown(parameter.shown, f"{parameter.shown} is only known at run time")


# ------------------------------------------------------------------------------------
# The parts of a word, and the words that ``a{b,c}d`` stands for
#
# Brace expansion comes first in bash: it works on what was written, before any value
# is put in, so it needs to know which part of a word was quoted.

# Every brace may multiply the words, and each is looked for to the end.
MOST_BRACES = 50


class Atom(Record):
    """A part of a word, by what still has to happen to it.

    "text" is subject to braces, "quoted" to nothing, a "value" to splitting;
    "items" are the words of ``"$@"``.
    """

    kind: Literal["text", "quoted", "value", "items"]
    pieces: Pieces = ()
    items: tuple[Pieces, ...] = ()


def flat(atoms: list[Atom]) -> Pieces:
    """The atoms as one value, not split."""
    return joined(
        [joined(a.items, " ") if a.kind == "items" else a.pieces for a in atoms]
    )


def braces(atoms: list[Atom]) -> list[list[Atom]]:
    """The words that ``a{b,c}d`` stands for."""
    if not any(a.kind == "text" and "{" in str(a.pieces) for a in atoms):
        return [atoms]
    tokens: list[Atom] = []
    for atom in atoms:
        if atom.kind == "text" and atom.pieces:
            parts = re.split(r"([{},])", str(atom.pieces[0]))
            tokens += [Atom("text", (part,)) for part in parts if part]
        else:
            tokens.append(atom)
    opening = sum(_is(token, "{") for token in tokens)
    if not 0 < opening <= MOST_BRACES:
        return [atoms]
    expanded = _expand(tokens)
    return expanded if expanded is not None else [atoms]


def _is(atom: Atom, char: str) -> bool:
    return atom.kind == "text" and atom.pieces == (char,)


def _expand(tokens: list[Atom]) -> list[list[Atom]] | None:
    """The words of a tokenised word; None if there are too many."""
    for start, token in enumerate(tokens):
        if not _is(token, "{"):
            continue
        depth, cuts = 0, [start]
        for index in range(start, len(tokens)):
            if _is(tokens[index], ","):
                cuts += [index] if depth == 1 else []
                continue
            depth += _is(tokens[index], "{") - _is(tokens[index], "}")
            if depth == 0:
                cuts.append(index)
                break
        if depth != 0:
            continue
        inside = tokens[start + 1 : cuts[-1]]
        choices: list[list[Atom]]
        if len(cuts) > 2:
            choices = [tokens[a + 1 : b] for a, b in pairwise(cuts)]
        else:
            literal = text_of(flat(inside)) or ""
            words = (
                brace_range(literal) if all(a.kind == "text" for a in inside) else None
            )
            if words is None:
                continue
            choices = [[Atom("text", (word,))] for word in words]
        tails = _expand(tokens[cuts[-1] + 1 :])
        middles = [_expand(choice) for choice in choices]
        if tails is None or None in middles:
            return None
        heads = [m for middle in middles if middle is not None for m in middle]
        if len(heads) * len(tails) > MOST_WORDS:
            return None
        before = tokens[:start]
        return [[*before, *head, *tail] for head in heads for tail in tails]
    return [tokens]


Quoting = Literal["bare", "quotes", "heredoc"]

_ORDINARY = re.compile(r"[^\\'\"$`<>]+")
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*|[0-9@*#?$!-])")
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_ESCAPED = {
    "bare": None,
    "quotes": frozenset('$`"\\'),
    "heredoc": frozenset("$`\\"),
}
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b"}
_ANSI |= {"f": "\f", "v": "\v"}
_GLOB = re.compile(r"[^*?\[]*(?:[*?]|\[.+\])", re.DOTALL)
# A word of these alone stands for itself: nothing in it is special to bash.
_PLAIN = re.compile(r"[\w./:=@%+,-]+")


class WordReader:
    """Reads words of one text in one scope.

    ``tree`` is a node that contains them; ``run`` gives what a substitution
    prints; ``afford`` is told how many words one became, and says whether that is
    not too many.
    """

    def __init__(
        self,
        text: ShellText,
        scope: Scope,
        tree: Node,
        run: Callable[[Node], Pieces],
        afford: Callable[[int], bool],
    ) -> None:
        self.text = text
        self.scope = scope
        self.tree = tree
        self.run = run
        self.afford = afford
        self._nested = 0

    def words(self, start: int, end: int) -> tuple[list[Word], Unknown | None]:
        """The arguments that ``text[start:end]`` becomes.

        The second part is set if their number is unknown: then a part of them
        stands for any number of arguments.
        """
        text = self.text
        if REMARK.fullmatch(text.text, start, end):
            return [], None
        if _PLAIN.fullmatch(text.text, start, end) and not text.has_hole(start, end):
            raw = text.text[start:end]
            return [Word((raw,), raw, text.span(start, end))], None
        if not self.afford(0):
            raw = text.text[start:end]
            unknown = Unknown(raw, "this list has too many words to follow")
            return [Word((unknown,), raw, text.span(start, end))], unknown
        atoms = self._atoms(start, end)
        open_ended = next(
            (
                piece
                for atom in atoms
                if atom.kind == "value"
                for piece in atom.pieces
                if isinstance(piece, Unknown)
            ),
            None,
        )
        literal = "".join(
            piece
            for atom in atoms
            if atom.kind == "text"
            for piece in atom.pieces
            if isinstance(piece, str)
        )
        raw = text.text[start:end]
        if open_ended is None and _GLOB.match(literal):
            open_ended = Unknown(
                raw, f"which files match `{raw}` depends on where it runs"
            )
        span = text.span(start, end)
        values = [f for word in braces(atoms) for f in self._fields(word)]
        if len(values) > 1:
            self.afford(len(values))
        return [Word(value, raw, span) for value in values], open_ended

    def value(self, start: int, end: int) -> Pieces:
        """One value, not split: of an assignment, a redirection, a ``case``."""
        return flat(self._atoms(start, end))

    def word(self, start: int, end: int) -> Word:
        """``value`` as a word."""
        return Word(
            self.value(start, end),
            self.text.text[start:end],
            self.text.span(start, end),
        )

    def heredoc(self, start: int, end: int) -> Pieces:
        """The text of a here-document whose delimiter is not quoted."""
        return flat(self._scan(start, end, "heredoc")[0])

    def pattern(self, start: int, end: int, quoting: Quoting = "bare") -> str | None:
        """A glob pattern, its quoted parts escaped, or None if it is not known."""
        pattern = ""
        for atom in self._scan(start, end, quoting)[0]:
            text = text_of(flat([atom]))
            if text is None:
                return None
            if atom.kind == "quoted":
                text = re.sub(r"([*?[])", r"[\1]", text)
            pattern += text
        return pattern

    def _atoms(self, start: int, end: int) -> list[Atom]:
        return self._scan(start, end, "bare")[0]

    def _scan(
        self, start: int, end: int, quoting: Quoting, stop: str = ""
    ) -> tuple[list[Atom], int]:
        """The atoms from ``start`` up to ``stop`` or ``end``, and where that is."""
        text = self.text.text
        atoms: list[Atom] = []
        plain: Literal["text", "quoted"] = "text" if quoting == "bare" else "quoted"
        index = start
        while index < end:
            hole = self.text.hole_from(index)
            if hole is not None and hole.bare and quoting != "bare":
                hole = None
            if hole is not None and hole.start == index:
                atoms.append(Atom("quoted", (hole.unknown,)))
                index = hole.end
                continue
            limit = min(end, hole.start) if hole is not None else end
            char = text[index]
            if char == stop:
                break
            if char == "\\":
                atoms.append(self._escape(index, end, quoting))
                index += 2
            elif char == "'" and quoting == "bare":
                atom, index = self._raw_string(index + 1, end)
                atoms.append(atom)
            elif char == '"' and quoting != "heredoc":
                inner, index = self._scan(index + 1, end, "quotes", '"')
                # Quotes make an argument even if empty, but for ``"$@"``.
                if not inner or any(atom.kind != "items" for atom in inner):
                    atoms.append(Atom("quoted", ("",)))
                atoms += inner
                index += 1
            elif char in "$`" or text.startswith(("<(", ">("), index):
                found, index = self._dollar(index, end, quoting)
                atoms += found
            else:
                match = _ORDINARY.match(text, index, limit)
                stretch = match[0] if match else char
                if stop and stop in stretch:
                    stretch = stretch[: stretch.index(stop)]
                atoms.append(Atom(plain, (stretch,)))
                index += len(stretch)
        return atoms, index

    def _escape(self, index: int, end: int, quoting: Quoting) -> Atom:
        escaped = self.text.text[index + 1] if index + 1 < end else ""
        if escaped == "\n":
            return Atom("text")
        special = _ESCAPED[quoting]
        if special is None:
            return Atom("quoted", (escaped or "\\",))
        return Atom("quoted", (escaped if escaped in special else "\\" + escaped,))

    def _raw_string(self, start: int, end: int) -> tuple[Atom, int]:
        close = self.text.text.find("'", start, end)
        close = end if close < 0 else close
        pieces: list[str | Unknown] = []
        index = start
        while (hole := self.text.hole_from(index)) and hole.end <= close:
            if not hole.bare:
                pieces += [self.text.text[index : hole.start], hole.unknown]
                index = hole.end
            else:
                pieces.append(self.text.text[index : hole.end])
                index = hole.end
        pieces.append(self.text.text[index:close])
        return Atom("quoted", joined([(p,) for p in pieces])), close + 1

    def _dollar(self, index: int, end: int, quoting: Quoting) -> tuple[list[Atom], int]:
        """What begins with ``$``, a backtick, ``<(`` or ``>(``, and where it ends."""
        text = self.text.text
        kind: Literal["value", "quoted"] = "value" if quoting == "bare" else "quoted"
        if quoting == "bare" and text.startswith("$'", index):
            return self._ansi_string(index + 2, end)
        if quoting == "bare" and text.startswith('$"', index):
            return [], index + 1
        if match := _PARAMETER.match(text, index, end):
            return [self._parameter(Parameter(match[1]), quoting)], match.end()
        if text.startswith("${", index):
            node = self._node(index, frozenset({"expansion"}))
            stop = node.end_byte if node is not None else end
            return [self._expansion(index + 2, stop - 1, quoting)], stop
        if text.startswith("$((", index):
            node = self._node(index, frozenset({"arithmetic_expansion"}))
            if node is not None:
                raw = text[index : node.end_byte]
                number = arithmetic(raw[3:-2], self._number)
                value: str | Unknown = (
                    str(number)
                    if number is not None
                    else Unknown(raw, "this is calculated at run time")
                )
                return [Atom(kind, (value,))], node.end_byte
        if text[index] != "$" or text.startswith("$(", index):
            node = self._node(index, _SUBSTITUTIONS)
            if node is not None:
                return [Atom(kind, self.run(node))], node.end_byte
            if text[index] != "$":
                return [Atom("text", (text[index],))], index + 1
            unknown = Unknown(text[index:end], "this substitution cannot be read")
            return [Atom(kind, (unknown,))], end
        return [Atom("quoted", ("$",))], index + 1

    def _node(self, start: int, kinds: frozenset[str]) -> Node | None:
        """The innermost node of one of these kinds that starts at ``start``."""
        node = self.tree.descendant_for_byte_range(start, start + 1)
        while node is not None and node.type not in kinds:
            node = node.parent
        if node is None:
            return None
        # The grammar counts blanks before a backtick as part of the node.
        blank = self.text.text[node.start_byte : start].strip(" \t\n")
        return None if blank or node.end_byte <= start else node

    def _ansi_string(self, start: int, end: int) -> tuple[list[Atom], int]:
        match = re.compile(r"((?:[^\\']|\\.)*)'?", re.DOTALL).match(
            self.text.text, start, end
        )
        if match is None:
            return [], end
        value = re.sub(
            r"\\(?:x([0-9a-fA-F]{1,2})|(.))",
            lambda m: chr(int(m[1], 16)) if m[1] else _ANSI.get(m[2], m[2]),
            match[1],
            flags=re.DOTALL,
        )
        return [Atom("quoted", (value,))], match.end()

    def _number(self, name: str) -> str | None:
        return text_of(flat([self._parameter(Parameter(name), "quotes")]))

    def _parameter(self, parameter: Parameter, quoting: Quoting) -> Atom:
        found = lookup(parameter, self.scope)
        if isinstance(found, list):
            if quoting == "bare":
                # Unquoted items are split again.
                split = [f for i in found for f in self._fields([Atom("value", i)])]
                return Atom("items", items=tuple(split))
            return Atom("items", items=tuple(found))
        return Atom("value" if quoting == "bare" else "quoted", found)

    def _expansion(self, start: int, end: int, quoting: Quoting) -> Atom:
        """``${...}``, given without the braces."""
        self._nested += 1
        try:
            return self._expanded(start, end, quoting)
        finally:
            self._nested -= 1

    def _expanded(self, start: int, end: int, quoting: Quoting) -> Atom:
        parameter = Parameter.parse(self.text.text, start, end)
        if self._nested > MOST_NESTED:
            parameter = None
        if parameter is None or parameter.operator is None:
            parameter = parameter or Parameter("?", raw=self.text.text[start:end])
            return self._parameter(parameter, quoting)
        inner: Quoting = "bare" if quoting == "bare" else "quotes"
        operand: Pieces = ()
        operator = parameter.operator
        if operator[0] in "#%":
            pattern = self.pattern(parameter.end, end)
            parameter = parameter.with_pattern(pattern)
        elif operator[0] == "/":
            _, middle = self._scan(parameter.end, end, "bare", "/")
            parameter = parameter.with_pattern(self.pattern(parameter.end, middle))
            operand = flat(self._scan(min(middle + 1, end), end, inner)[0])
        else:
            operand = flat(self._scan(parameter.end, end, inner)[0])
        return self._parameter(parameter.with_operand(operand), quoting)

    def _fields(self, atoms: list[Atom]) -> list[Pieces]:
        """The arguments of one word after its braces are expanded."""
        held = self.scope.get("IFS")
        separators = text_of(held.scalar or ()) if held is not None else None
        return fields(atoms, separators)
