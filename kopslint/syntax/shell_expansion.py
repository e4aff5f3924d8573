"""The text rules of bash: ``${x%-old}``, ``{1..3}``, names in ``$((x+1))``.

All functions here take known values and give a known value, or None where bash
would do something that is not modelled; the caller then says "unknown".
"""

from __future__ import annotations

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
    from kopslint.syntax.shell_arithmetic import evaluate

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
