"""``printf`` with Go's verbs. Source: Go src/fmt/doc.go and print.go."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from kopslint.gotemplate.values import TooMuch, float_text, printed, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST = 10_000
_VERB = re.compile(r"%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(\[\d+\])?(.|$)", re.DOTALL)
_INTEGER = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}


def formatted(form: str, arguments: Sequence[object]) -> str:
    """What ``fmt.Sprintf`` makes of a format and its arguments."""
    left = list(arguments)
    used = 0

    def taken() -> object:
        nonlocal used
        used += 1
        return left[used - 1]

    def put(verb: re.Match[str]) -> str:
        flags, width, precision, _, letter = verb.groups()
        if letter == "":
            return "%!(NOVERB)"
        if letter == "%":
            return "%"
        numbers: list[int | None] = []
        for text, given in ((width, width), (precision, "." in verb[0])):
            if text == "*" and used < len(left):
                star = taken()
                numbers.append(star if isinstance(star, int) else None)
            elif text is not None and text != "*":
                numbers.append(int(text))
            else:
                numbers.append(0 if given and text is None else None)
        if any(n is not None and n > WIDEST for n in numbers):
            raise TooMuch("a width in printf")
        if used >= len(left):
            return f"%!{letter}(MISSING)"
        return _one(taken(), letter, flags, numbers[0], numbers[1])

    text = _VERB.sub(put, form)
    extra = [
        "<nil>" if each is None else f"{type_name(each)}={printed(each, inner=True)}"
        for each in left[used:]
    ]
    return f"{text}%!(EXTRA {', '.join(extra)})" if extra else text


def _one(
    value: object, letter: str, flags: str, width: int | None, precision: int | None
) -> str:
    if letter == "T":
        return _padded(type_name(value), flags, width)
    if value is None:
        return _padded("<nil>" if letter == "v" else f"%!{letter}(<nil>)", flags, width)
    if isinstance(value, list) and letter != "v":
        inner = " ".join(_one(v, letter, flags, width, precision) for v in value)
        return f"[{inner}]"
    text = _shown(value, letter, flags, precision)
    if text is None:
        bad = f"%!{letter}({type_name(value)}={printed(value, inner=True)})"
        return _padded(bad, flags, None)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and letter != "q":
        if "+" in flags and not text.startswith("-"):
            text = f"+{text}"
        elif " " in flags and not text.startswith("-"):
            text = f" {text}"
        if "0" in flags and "-" not in flags and width is not None:
            sign = text[0] if text[:1] in ("+", "-", " ") else ""
            return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return _padded(text, flags, width)


def _shown(value: object, letter: str, flags: str, precision: int | None) -> str | None:
    """The value by its verb; None where Go says that the verb does not fit."""
    if letter == "v":
        return printed(value, inner=True)
    if isinstance(value, bool):
        return printed(value) if letter == "t" else None
    if isinstance(value, int):
        if letter in _INTEGER:
            sharp = "#" if "#" in flags else ""
            return f"{value:{sharp}{_INTEGER[letter]}}"
        if letter == "c":
            return chr(value) if 0 <= value < 0x110000 else "\ufffd"
        if letter == "q":
            return f"'{chr(value)}'"
        return f"U+{value:04X}" if letter == "U" else None
    if isinstance(value, float):
        form = {"F": "f"}.get(letter, letter)
        if form not in ("e", "f", "g"):
            return None
        default = -1 if form == "g" else 6
        return float_text(value, form, default if precision is None else precision)
    if isinstance(value, str):
        return _string(value, letter, precision)
    return printed(value) if letter == "s" else None


def _string(value: str, letter: str, precision: int | None) -> str | None:
    cut = value if precision is None else value[:precision]
    if letter == "s":
        return cut
    if letter == "q":
        return quoted(cut)
    if letter in "xX":
        digits = cut.encode().hex()
        return digits.upper() if letter == "X" else digits
    return None


def quoted(text: str) -> str:
    """A string as ``%q`` writes it."""
    plain = json.dumps(text, ensure_ascii=False)
    named = {"\\u0007": "\\a", "\\u000b": "\\v"}
    return re.sub(
        r"\\\\|\\u00([01][0-9a-f])|\x7f",
        lambda m: (
            m[0]
            if m[0] == "\\\\"
            else named.get(m[0], f"\\x{m[1]}" if m[1] else "\\x7f")
        ),
        plain,
    )


def _padded(text: str, flags: str, width: int | None) -> str:
    if width is None:
        return text
    return text.ljust(width) if "-" in flags else text.rjust(width)
