"""``$x``, ``${x:-d}``, ``${x[@]}``: what a parameter gives in a scope.

The operand and the pattern of an operator arrive here already expanded; this
module only knows what the operators do, and when the result is unknown.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.syntax.script import Unknown
from kopslint.syntax.shell_expansion import arithmetic, recase, substitute, trim
from kopslint.syntax.shell_files import path_of
from kopslint.syntax.shell_values import (
    ARGUMENTS,
    UNSET,
    Pieces,
    Scope,
    Variable,
    items_of,
    joined,
    not_set,
    text_of,
)

if TYPE_CHECKING:
    from typing import Self

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
        return (variable,)
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
        return (Unknown(parameter.raw, reason),)
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


def _literal(parameter: Parameter) -> str:
    return text_of(parameter.operand) or ""


def _of_script(shown: str) -> Unknown:
    return Unknown(shown, f"{shown} is given to the script when it is started")


def _run_time(parameter: Parameter) -> Unknown:
    return Unknown(parameter.shown, f"{parameter.shown} is only known at run time")
