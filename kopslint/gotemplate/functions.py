"""The functions of a Go template: those of the language, and how any is called.

A function says what it takes as Go does: a value of another type is refused and never
made to fit. Source: Go src/text/template/funcs.go and exec.go (validateType).
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from kopslint.gotemplate.printf import formatted
from kopslint.gotemplate.values import (
    Refused,
    Unknown,
    are_equal,
    compared,
    holds_unknown,
    printed,
    truth,
    type_name,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class GoFunction(Record):
    """A function with the types that it takes.

    ``takes`` has a letter for each argument: s(tring), i(nt), f(loat64), b(ool), m(ap),
    a(ny); a star behind the last one says that there may be any number of it. A
    function that ``weighs`` unknown values decides itself what comes of them; of any
    other the result is unknown if an argument is.
    """

    run: Callable[..., object]
    takes: str
    weighs: bool = False

    def called(self, name: str, arguments: Sequence[object]) -> object:
        """The result. Raises ``Refused`` for arguments that Go would not take."""
        fixed = self.takes.removesuffix("*")
        many = fixed != self.takes
        least = len(fixed) - many
        if len(arguments) < least or (not many and len(arguments) > len(fixed)):
            wanted = f"want at least {least}" if many else f"want {len(fixed)}"
            raise Refused(
                f"wrong number of args for {name}: {wanted} got {len(arguments)}"
            )
        letters = fixed + fixed[-1:] * (len(arguments) - len(fixed))
        given = [
            _fitting(letter, argument)
            for letter, argument in zip(letters, arguments, strict=False)
        ]
        if not self.weighs:
            unknown = holds_unknown(given)
            if unknown is not None:
                return unknown
        return self.run(*given)


_EXPECTED = {
    "s": "string",
    "i": "int",
    "f": "float64",
    "b": "bool",
    "m": "map[string]interface {}",
}
_FITS: Mapping[str, Callable[[object], bool]] = {
    "s": lambda value: isinstance(value, str),
    "i": lambda value: type_name(value) == "int",
    "f": lambda value: isinstance(value, float),
    "b": lambda value: isinstance(value, bool),
    "m": lambda value: isinstance(value, dict),
    "a": lambda value: True,  # noqa: ARG005 - It takes anything.
}


def _fitting(letter: str, value: object) -> object:
    if isinstance(value, Unknown) or _FITS[letter](value):
        return value
    if value is None and letter == "m":
        return {}
    if value is None:
        raise Refused(f"invalid value; expected {_EXPECTED[letter]}")
    raise Refused(
        f"wrong type for value; expected {_EXPECTED[letter]}; got {type_name(value)}"
    )


def _equal(first: object, *others: object) -> object:
    unknown = holds_unknown([first, *others])
    if not others:
        raise Refused("missing argument for comparison")
    for other in others:
        if not holds_unknown([first, other]) and are_equal(first, other):
            return True
    return unknown or False


def _not_equal(first: object, second: object) -> object:
    same = _equal(first, second)
    return same if isinstance(same, Unknown) else not same


def _not(value: object) -> object:
    return not truth(value)


def _length(value: object) -> object:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (list, dict)):
        return len(value)
    raise Refused(f"len of type {type_name(value)}")


def _index(value: object, *keys: object) -> object:
    for key in keys:
        if isinstance(value, Unknown):
            return value
        if isinstance(key, Unknown):
            return key
        if isinstance(value, dict):
            if not isinstance(key, str):
                raise Refused(f"value has type {type_name(key)}; should be string")
            value = value.get(key)
        elif isinstance(value, (list, str)):
            held: list[object] = [*value.encode()] if isinstance(value, str) else value
            if isinstance(key, bool) or not isinstance(key, int):
                raise Refused(f"cannot index slice/array with type {type_name(key)}")
            if not 0 <= key < len(held):
                raise Refused(f"index out of range: {key}")
            value = held[key]
        elif value is None:
            raise Refused("index of untyped nil")
        else:
            raise Refused(f"can't index item of type {type_name(value)}")
    return value


def _slice(value: object, *bounds: object) -> object:
    if not isinstance(value, (list, str)):
        raise Refused(f"can't slice item of type {type_name(value)}")
    held = value.encode() if isinstance(value, str) else value
    places = [0, len(held)]
    if len(bounds) > 2 + isinstance(value, list):
        raise Refused(f"too many slice indexes: {len(bounds)}")
    for n, bound in enumerate(bounds[:2]):
        if isinstance(bound, bool) or not isinstance(bound, int):
            raise Refused(f"cannot index slice/array with type {type_name(bound)}")
        if not 0 <= bound <= len(held):
            raise Refused(f"index out of range: {bound}")
        places[n] = bound
    if places[0] > places[1]:
        raise Refused(f"invalid slice index: {places[0]} > {places[1]}")
    cut = held[places[0] : places[1]]
    return cut.decode(errors="replace") if isinstance(cut, bytes) else cut


def _print(*values: object) -> str:
    """Between two values that are no strings there is a space."""
    text = ""
    for n, value in enumerate(values):
        if n and not (isinstance(value, str) or isinstance(values[n - 1], str)):
            text += " "
        text += printed(value, inner=True)
    return text


def _println(*values: object) -> str:
    return " ".join(printed(value, inner=True) for value in values) + "\n"


def _html(*values: object) -> str:
    text = html.escape(_print(*values), quote=False)
    return text.replace('"', "&#34;").replace("'", "&#39;").replace("\0", "\ufffd")


_JS = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def _js(*values: object) -> str:
    return "".join(
        _JS.get(c) or (f"\\u{ord(c):04X}" if ord(c) < 0x20 else c)
        for c in _print(*values)
    )


def _urlquery(*values: object) -> str:
    return quote(_print(*values), safe="-_.~ ").replace(" ", "+")


def _printf(form: str, *values: object) -> object:
    """A text with marks in it is better than one mark: the rest of it is known."""
    if isinstance(form, Unknown):
        return form
    if all(not isinstance(v, Unknown) for v in values):
        return holds_unknown(list(values)) or formatted(form, values)
    return formatted(form.replace("%d", "%v"), values)


def _call(*_: object) -> object:
    raise Refused("error calling call: non-function")


BUILTINS: Mapping[str, GoFunction] = {
    "and": GoFunction(lambda *values: values[-1], "a*", weighs=True),
    "or": GoFunction(lambda *values: values[-1], "a*", weighs=True),
    "not": GoFunction(_not, "a"),
    "eq": GoFunction(_equal, "aa*", weighs=True),
    "ne": GoFunction(_not_equal, "aa", weighs=True),
    "lt": GoFunction(lambda a, b: compared(a, b) < 0, "aa"),
    "le": GoFunction(lambda a, b: compared(a, b) <= 0, "aa"),
    "gt": GoFunction(lambda a, b: compared(a, b) > 0, "aa"),
    "ge": GoFunction(lambda a, b: compared(a, b) >= 0, "aa"),
    "len": GoFunction(_length, "a"),
    "index": GoFunction(_index, "aa*", weighs=True),
    "slice": GoFunction(_slice, "aa*"),
    "print": GoFunction(_print, "a*", weighs=True),
    "println": GoFunction(_println, "a*", weighs=True),
    "printf": GoFunction(_printf, "sa*", weighs=True),
    "html": GoFunction(_html, "a*"),
    "js": GoFunction(_js, "a*"),
    "urlquery": GoFunction(_urlquery, "a*"),
    "call": GoFunction(_call, "aa*"),
}
"""``and`` and ``or`` are called by whoever evaluates: they stop where it is decided."""
