"""What a scalar written without quotes means to the YAML library of kops.

kops reads its files with sigs.k8s.io/yaml, which resolves scalars by goyaml.v2:
neither YAML 1.2 nor what PyYAML does. ``y`` and ``off`` are booleans, ``0777`` is
octal and ``08`` is a float, ``1e3`` needs no dot, and nothing is counted in base
60. This module must not know documents or positions.
"""

from __future__ import annotations

import math
import re

_WORDS: dict[str, bool | float | None] = {
    "": None,
    "~": None,
    ".nan": math.nan,
    ".NaN": math.nan,
    ".NAN": math.nan,
    **{
        form: value
        for value, words in (
            (None, ("null",)),
            (True, ("y", "yes", "true", "on")),
            (False, ("n", "no", "false", "off")),
        )
        for word in words
        for form in (word, word.capitalize(), word.upper())
    },
    **{
        sign + word: float(sign + "inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
}
_NUMBER_STARTS = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"""(?P<sign>[-+]?)
        (?: 0[xX](?P<hex>[0-9a-fA-F]+)
          | 0[bB](?P<binary>[01]+)
          | 0[oO]?(?P<octal>[0-7]+)
          | (?P<decimal>0|[1-9][0-9]*)
        )""",
    re.VERBOSE,
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
# Python refuses to convert longer decimal numbers; a number of this length is far
# outside the 64 bits that kops can hold in any case.
_LONGEST_INTEGER = 100


def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar; anything that is no other value is its text.

    Dates and times stay text, as they do in kops. Source: sigs.k8s.io/yaml,
    goyaml.v2/resolve.go, resolve.
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_STARTS else text


def _number(text: str) -> int | float | str:
    # A number that starts with a dot may hold no underscores: goyaml.v2 removes
    # them only on its way to an integer.
    digits = text if text[0] == "." else text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match is not None and match.lastgroup and len(digits) <= _LONGEST_INTEGER:
        number = int(match[match.lastgroup], _BASES[match.lastgroup])
        if match["sign"] == "-":
            number = -number
        if match.lastgroup != "decimal" or -(2**63) <= number < 2**64:
            return number
    if _FLOAT.fullmatch(digits) is None:
        return text
    number_or_infinity = float(digits)
    return text if math.isinf(number_or_infinity) else number_or_infinity
