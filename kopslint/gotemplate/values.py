"""Values as a Go template has them, and one more: what nobody here knows.

nil, bool, int, float64, string, []interface{} and map[string]interface{} are None,
bool, int, float, str, list and dict. Source: Go src/fmt/print.go and
src/text/template/exec.go.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.text import Span


class Int64(int):
    """An int64, which Go takes for no int."""


class Unknown(Record):
    """A value that is known only where the template is rendered.

    ``name`` is what it is called in the template, ``reason`` why it is not known.
    """

    name: str
    reason: str

    @property
    def mark(self) -> str:
        """What stands in the text instead of the value; it breaks no YAML around it."""
        kept = "".join(c if c.isalnum() or c in "._$-/" else " " for c in self.name)
        return f"\u2039{' '.join(kept.split())[:80] or 'value'}\u203a"


class Table(dict[str, object]):
    """A map that knows where each of its values is written."""

    def __init__(self) -> None:
        super().__init__()
        self.origins: dict[str, Span] = {}


class Listing(list[object]):
    """A list that knows where each of its values is written."""

    def __init__(self) -> None:
        super().__init__()
        self.origins: list[Span] = []


class Unordered(list[object]):
    """A list of which the order changes from run to run, as of the keys of a map."""

    @property
    def unknown(self) -> Unknown:
        """What stands for it wherever the order counts."""
        return Unknown("keys", "the order of keys changes from run to run")


class Refused(Exception):  # noqa: N818 - Not an error of this program.
    """Go would stop here; the words are its own, or nearly."""


class TooMuch(Exception):  # noqa: N818 - Not an error of this program.
    """More would come out of a template than anybody wants to read."""


def type_name(value: object) -> str:
    """The type of a value, as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64" if isinstance(value, Int64) else "int"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, list):
        return "[]interface {}"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "string"


def truth(value: object) -> bool:
    """Whether a value counts as true: no zero, nothing empty."""
    return bool(value)


def holds_unknown(value: object) -> Unknown | None:
    """The first unknown value in a value, however deep."""
    return next(_unknowns(value), None)


def _unknowns(value: object) -> Iterator[Unknown]:
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _unknowns(each)
    elif isinstance(value, Unordered):
        yield value.unknown
    elif isinstance(value, list):
        for each in value:
            yield from _unknowns(each)


def size_of(value: object, most: int) -> int:
    """How many values a value holds. Raises ``TooMuch`` for more than ``most``.

    A list may hold another one many times, and then is larger than it looks.
    """
    size, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        size += 1
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        if size + len(waiting) > most:
            raise TooMuch("its values")
    return size


def printed(value: object, *, inner: bool = False) -> str:
    """A value as ``fmt.Print`` prints it; an unknown one as its mark."""
    if value is None:
        return "<nil>" if inner else "<no value>"
    if isinstance(value, Unknown):
        return value.mark
    if isinstance(value, Unordered):
        return value.unknown.mark
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, list):
        return f"[{' '.join(printed(each, inner=True) for each in value)}]"
    if isinstance(value, dict):
        pairs = (f"{k}:{printed(value[k], inner=True)}" for k in sorted(value))
        return f"map[{' '.join(pairs)}]"
    return str(value)


def float_text(value: float, form: str = "g", precision: int = -1) -> str:
    """A number as ``strconv.FormatFloat`` writes it; -1 is as short as exact."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if precision >= 0:
        text = f"{value:.{min(precision, 400)}{form}}"
        return _exponent(text)
    digits, exponent = _shortest(value)
    sign = "-" if math.copysign(1, value) < 0 else ""
    if form == "e" or (form == "g" and not -4 <= exponent < 6):
        head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return _exponent(f"{sign}{head}e{exponent:+d}")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, rest = (
        digits[: exponent + 1].ljust(exponent + 1, "0"),
        digits[exponent + 1 :],
    )
    return sign + whole + (f".{rest}" if rest else "")


def _shortest(value: float) -> tuple[str, int]:
    """The digits that tell a number from all others, and its exponent."""
    head, _, exponent = f"{abs(value):.17e}".partition("e")
    for precision in range(17):
        text = f"{abs(value):.{precision}e}"
        if float(text) == abs(value):
            head, _, exponent = text.partition("e")
            break
    return head.replace(".", "").rstrip("0") or "0", int(exponent)


def _exponent(text: str) -> str:
    """An exponent has two digits at least in both languages."""
    head, sign, exponent = text.partition("e")
    if not sign:
        return text
    return f"{head}e{exponent[0]}{exponent[1:].zfill(2)}"


def compared(left: object, right: object) -> int:
    """Below, at, or above zero, as ``lt`` has it. Raises ``Refused`` as Go does."""
    kinds = {_kind(left), _kind(right)}
    if len(kinds) > 1:
        raise Refused("incompatible types for comparison")
    if kinds & {"nil", "bool", "slice", "map"}:
        raise Refused("invalid type for comparison")
    assert isinstance(left, (int, float, str))  # noqa: S101
    assert isinstance(right, (int, float, str))  # noqa: S101
    if isinstance(left, str) or isinstance(right, str):
        a, b = str(left).encode(), str(right).encode()
        return (a > b) - (a < b)
    return (left > right) - (left < right)


def are_equal(left: object, right: object) -> bool:
    """Whether ``eq`` takes two values for equal. Raises ``Refused`` as Go does."""
    kinds = {_kind(left), _kind(right)}
    if "slice" in kinds or "map" in kinds:
        if None in (left, right):
            return left is right
        raise Refused("error calling eq: non-comparable type")
    if "nil" in kinds:
        return left is right
    if len(kinds) > 1:
        raise Refused("error calling eq: incompatible types for comparison")
    return left == right


def _kind(value: object) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        return "slice"
    return "map" if isinstance(value, dict) else "string"
