"""The arithmetic and text rules of bash: ``$((2+1))``, ``${x%-old}``, ``{1..3}``.

All functions here take known values and give a known value, or None where bash
would do something that is not modelled; the caller then says "unknown".
"""

from __future__ import annotations

import ast
import operator
import re
from fnmatch import translate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WORDS = 1_000
# Every place in a value may have to be tried.
_LONGEST = 500

_RANGE = r"(?:(-?\d+)\.\.(-?\d+)|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d+))?"
_NAME = r"\$\{(\w+)\}|\$?([A-Za-z_]\w*|(?<=\$)\d+)"
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
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
    try:
        return _evaluate(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ZeroDivisionError):
        return None


def _evaluate(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _evaluate(operand)
            return -number if number and isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left_node, op=op, right=right_node):
            left, right = _evaluate(left_node), _evaluate(right_node)
            if left is None or right is None:
                return None
            if isinstance(op, ast.Div | ast.Mod):
                # Bash rounds towards zero and Python downwards.
                quotient = abs(left) // abs(right) * (1 if left * right >= 0 else -1)
                return quotient if isinstance(op, ast.Div) else left - quotient * right
            apply = _OPERATORS.get(type(op))
            return apply(left, right) if apply is not None else None
    return None


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
