"""The functions of sprig that templates of clusters use.

What depends on the time, on chance, on the machine or on the network is unknown:
nothing is asked here. Source: github.com/Masterminds/sprig, the file of each section.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import posixpath
import re
from typing import TYPE_CHECKING

from kopslint.gotemplate.functions import GoFunction
from kopslint.gotemplate.printf import quoted
from kopslint.gotemplate.values import (
    Int64,
    Refused,
    TooMuch,
    Unknown,
    Unordered,
    float_text,
    holds_unknown,
    printed,
    truth,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LONGEST = 1_000_000
"""Characters that one call may give."""

MOST_ITEMS = 10_000
"""Numbers that one call may count up."""


def _shown(value: object) -> str:
    return printed(value, inner=True)


def _whole(value: object) -> int:
    """As ``cast.ToInt64``: what is no number is zero."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value) if math.isfinite(value) else 0
    text = value if isinstance(value, str) else ""
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else 0


def _real(value: object) -> float:
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else 0.0
    except ValueError:
        return 0.0


def _bounded(size: int) -> None:
    if size > LONGEST:
        raise TooMuch("the result of a function")


# ------------------------------------------------------------------------------------
# strings.go


def _repeat(count: int, text: str) -> str:
    if count < 0:
        raise Refused("strings: negative Repeat count")
    _bounded(count * len(text))
    return text * count


def indent(spaces: int, text: str) -> str:
    """Every line further in, the first one too."""
    pad = " " * max(spaces, 0)
    _bounded(len(text) + len(pad) * (text.count("\n") + 1))
    return pad + text.replace("\n", "\n" + pad)


def _nindent(spaces: int, text: str) -> str:
    return "\n" + indent(spaces, text)


def _replace(old: str, new: str, text: str) -> str:
    _bounded(len(text) + len(new) * (text.count(old) if old else len(text) + 1))
    return text.replace(old, new)


def _trunc(count: int, text: str) -> str:
    data = text.encode()
    if count < 0 < len(data) + count:
        data = data[len(data) + count :]
    elif 0 <= count < len(data):
        data = data[:count]
    return data.decode(errors="replace")


def _substr(start: int, end: int, text: str) -> str:
    data = text.encode()
    if start < 0:
        start = 0
    elif end < 0 or end > len(data):
        end = len(data)
    if not 0 <= start <= end <= len(data):
        raise Refused("slice bounds out of range")
    return data[start:end].decode(errors="replace")


def _quote(*values: object) -> str:
    return " ".join(quoted(_shown(v)) for v in values if v is not None)


def _squote(*values: object) -> str:
    return " ".join(f"'{_shown(v)}'" for v in values if v is not None)


def _cat(*values: object) -> str:
    return " ".join(_shown(v) for v in values if v is not None)


def _title(text: str) -> str:
    return re.sub(r"(?<![\w'])\w", lambda m: m[0].upper(), text)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [_shown(each) for each in value if each is not None]
    return [_shown(value)]


def _sorted(value: object) -> object:
    """Sorted, it is no matter in which order the keys of a map came."""
    unknown = holds_unknown(list(value) if isinstance(value, list) else value)
    return unknown or sorted(_texts(value), key=str.encode)


def _join(separator: str, value: object) -> object:
    """A text with marks in it is better than one mark: the rest of it is known."""
    if isinstance(value, Unknown):
        return value
    texts = _texts(value)
    _bounded(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _split(separator: str, text: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if most < 0 else [*parts[: most - 1], "".join(parts[most - 1 :])]
    return text.split(separator, most - 1 if most > 0 else -1)


def _numbered(parts: list[str]) -> dict[str, object]:
    return {f"_{n}": part for n, part in enumerate(parts)}


def _abbrev(width: int, text: str) -> str:
    if width < 4 or len(text) <= width:
        return text
    return text[: width - 3] + "..."


def _sha(name: str) -> Callable[[str], str]:
    def digest(text: str) -> str:
        import hashlib

        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    return digest


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+", text)


def _joined_by(sign: str) -> Callable[[str], object]:
    """Only what is written in the plain way: the rules for the rest are many."""

    def join(text: str) -> object:
        if re.fullmatch(r"[a-z]*(?:[A-Z][a-z]+)*|[a-z]+(?:[ _-][a-z]+)*", text):
            return sign.join(_words(text)).lower()
        return Unknown(text, "kopslint does not know how sprig splits this into words")

    return join


def _camel(text: str) -> object:
    if re.fullmatch(r"[a-z]+(?:[ _-][a-z]+)*", text):
        return "".join(word.capitalize() for word in re.split("[ _-]", text))
    return Unknown(text, "kopslint does not know how sprig splits this into words")


def _trimmed(signs: str, text: str) -> str:
    return text.strip(signs) if signs else text


def _decoded(decode: Callable[[str], bytes]) -> Callable[[str], object]:
    def decoded(text: str) -> object:
        try:
            return decode(text).decode(errors="replace")
        except (binascii.Error, ValueError):
            return Unknown("decoded", "this is not encoded, and sprig prints an error")

    return decoded


_GO_SPACE = " \t\n\v\f\r\x85\xa0"

_STRINGS: dict[str, GoFunction] = {
    "abbrev": GoFunction(_abbrev, "is"),
    "trunc": GoFunction(_trunc, "is"),
    "trim": GoFunction(lambda s: s.strip(_GO_SPACE), "s"),
    "upper": GoFunction(str.upper, "s"),
    "lower": GoFunction(str.lower, "s"),
    "title": GoFunction(_title, "s"),
    "untitle": GoFunction(
        lambda s: re.sub(r"(?<!\S)\S", lambda m: m[0].lower(), s), "s"
    ),
    "substr": GoFunction(_substr, "iis"),
    "repeat": GoFunction(_repeat, "is"),
    "trimAll": GoFunction(_trimmed, "ss"),
    "trimall": GoFunction(_trimmed, "ss"),
    "trimSuffix": GoFunction(lambda a, s: s.removesuffix(a), "ss"),
    "trimPrefix": GoFunction(lambda a, s: s.removeprefix(a), "ss"),
    "nospace": GoFunction(lambda s: "".join(s.split()), "s"),
    "initials": GoFunction(lambda s: "".join(w[0] for w in s.split()), "s"),
    "swapcase": GoFunction(str.swapcase, "s"),
    "snakecase": GoFunction(_joined_by("_"), "s"),
    "kebabcase": GoFunction(_joined_by("-"), "s"),
    "camelcase": GoFunction(_camel, "s"),
    "contains": GoFunction(lambda a, s: a in s, "ss"),
    "hasPrefix": GoFunction(lambda a, s: s.startswith(a), "ss"),
    "hasSuffix": GoFunction(lambda a, s: s.endswith(a), "ss"),
    "quote": GoFunction(_quote, "a*", weighs=True),
    "squote": GoFunction(_squote, "a*", weighs=True),
    "cat": GoFunction(_cat, "a*", weighs=True),
    "indent": GoFunction(indent, "is"),
    "nindent": GoFunction(_nindent, "is"),
    "replace": GoFunction(_replace, "sss"),
    "plural": GoFunction(lambda one, many, n: one if n == 1 else many, "ssi"),
    "sha1sum": GoFunction(_sha("sha1"), "s"),
    "sha256sum": GoFunction(_sha("sha256"), "s"),
    "adler32sum": GoFunction(
        lambda s: str(__import__("zlib").adler32(s.encode())), "s"
    ),
    "toString": GoFunction(_shown, "a", weighs=True),
    "toStrings": GoFunction(_texts, "a"),
    "join": GoFunction(_join, "sa", weighs=True),
    "split": GoFunction(lambda by, s: _numbered(_split(by, s)), "ss"),
    "splitn": GoFunction(lambda by, n, s: _numbered(_split(by, s, n)), "sis"),
    "splitList": GoFunction(_split, "ss"),
    "sortAlpha": GoFunction(_sorted, "a", weighs=True),
    "b64enc": GoFunction(lambda s: base64.b64encode(s.encode()).decode(), "s"),
    "b64dec": GoFunction(_decoded(lambda s: base64.b64decode(s, validate=True)), "s"),
    "b32enc": GoFunction(lambda s: base64.b32encode(s.encode()).decode(), "s"),
    "b32dec": GoFunction(_decoded(base64.b32decode), "s"),
}


# ------------------------------------------------------------------------------------
# numeric.go


def _int64(value: object) -> Int64:
    number = _whole(value)
    return Int64((number + 2**63) % 2**64 - 2**63)


def _product(first: object, *others: object) -> Int64:
    number = _whole(first)
    for each in others:
        number = _int64(number * _whole(each))
    return Int64(number)


def _div(left: object, right: object) -> Int64:
    a, b = _whole(left), _whole(right)
    if b == 0:
        raise Refused("integer divide by zero")
    return _int64(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))


def _mod(left: object, right: object) -> Int64:
    a, b = _whole(left), _whole(right)
    if b == 0:
        raise Refused("integer divide by zero")
    return Int64(int(math.fmod(a, b)) if abs(a) < 2**52 else a - b * int(_div(a, b)))


def _until_step(start: int, stop: int, step: int) -> list[object]:
    if step == 0 or (stop < start) != (step < 0):
        return []
    if abs(stop - start) // abs(step) > MOST_ITEMS:
        raise TooMuch("a list of numbers")
    return list(range(start, stop, step))


def _seq(*numbers: int) -> str:
    if not numbers or len(numbers) > 3:
        return ""
    start, end = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1])
    direction = -1 if end < start else 1
    step = numbers[1] if len(numbers) == 3 else direction
    if len(numbers) == 3 and direction < 0 < step:
        return ""
    return " ".join(map(str, _until_step(start, end + direction, step)))


def _round(value: object, places: int, at: float = 0.5) -> float:
    power = 10.0**places
    digits = power * _real(value)
    return (math.ceil if math.modf(digits)[0] >= at else math.floor)(digits) / power


def _decimal(operate: str) -> Callable[..., object]:
    def operated(*values: object) -> object:
        from decimal import Decimal, DivisionByZero, InvalidOperation

        numbers = [Decimal(repr(_real(value))) for value in values]
        if not all(map(Decimal.is_finite, numbers)):
            return Unknown(operate, "a number that is none")
        total = numbers[0]
        try:
            for number in numbers[1:]:
                total = getattr(total, operate)(number)
        except (DivisionByZero, InvalidOperation):
            raise Refused("decimal division by 0") from None
        return float(total)

    return operated


_NUMBERS: dict[str, GoFunction] = {
    "atoi": GoFunction(_whole, "s"),
    "int": GoFunction(_whole, "a"),
    "int64": GoFunction(_int64, "a"),
    "float64": GoFunction(_real, "a"),
    "toDecimal": GoFunction(
        lambda a: Int64(
            int(_shown(a), 8) if re.fullmatch("-?[0-7]+", _shown(a)) else 0
        ),
        "a",
    ),
    "seq": GoFunction(_seq, "i*"),
    "until": GoFunction(lambda n: _until_step(0, n, -1 if n < 0 else 1), "i"),
    "untilStep": GoFunction(_until_step, "iii"),
    "add1": GoFunction(lambda a: _int64(_whole(a) + 1), "a"),
    "add": GoFunction(lambda *a: _int64(sum(map(_whole, a))), "a*"),
    "sub": GoFunction(lambda a, b: _int64(_whole(a) - _whole(b)), "aa"),
    "mul": GoFunction(_product, "aa*"),
    "div": GoFunction(_div, "aa"),
    "mod": GoFunction(_mod, "aa"),
    "max": GoFunction(lambda *a: Int64(max(map(_whole, a))), "aa*"),
    "biggest": GoFunction(lambda *a: Int64(max(map(_whole, a))), "aa*"),
    "min": GoFunction(lambda *a: Int64(min(map(_whole, a))), "aa*"),
    "maxf": GoFunction(lambda *a: max(map(_real, a)), "aa*"),
    "minf": GoFunction(lambda *a: min(map(_real, a)), "aa*"),
    "ceil": GoFunction(lambda a: float(math.ceil(_real(a))), "a"),
    "floor": GoFunction(lambda a: float(math.floor(_real(a))), "a"),
    "round": GoFunction(_round, "aif*"),
    "add1f": GoFunction(lambda a: _decimal("__add__")(a, 1), "a"),
    "addf": GoFunction(_decimal("__add__"), "a*"),
    "subf": GoFunction(_decimal("__sub__"), "aa*"),
    "mulf": GoFunction(_decimal("__mul__"), "aa*"),
    "divf": GoFunction(_decimal("__truediv__"), "aa*"),
}


# ------------------------------------------------------------------------------------
# defaults.go, reflect.go


def _default(fallback: object, *given: object) -> object:
    if not given:
        return fallback
    value = given[0]
    return value if isinstance(value, Unknown) or truth(value) else fallback


def _coalesce(*values: object) -> object:
    return next((v for v in values if isinstance(v, Unknown) or truth(v)), None)


def _all(*values: object) -> object:
    if any(not isinstance(v, Unknown) and not truth(v) for v in values):
        return False
    return next((v for v in values if isinstance(v, Unknown)), True)


def _any(*values: object) -> object:
    if any(not isinstance(v, Unknown) and truth(v) for v in values):
        return True
    return next((v for v in values if isinstance(v, Unknown)), False)


def _ternary(yes: object, no: object, which: object) -> object:
    if isinstance(which, Unknown):
        return yes if type(yes) is type(no) and yes == no else which
    return yes if which else no


def _to_json(value: object, *, escaped: bool = True, pretty: bool = False) -> str:
    text = json.dumps(
        _plain(value),
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ": ") if pretty else (",", ":"),
        indent=2 if pretty else None,
    )
    # An empty one is written in one line by both languages.
    if escaped:
        for sign in "<>&\u2028\u2029":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


class _Number(float):
    """A number that JSON holds as Go writes it."""

    def __repr__(self) -> str:
        value = float(self)
        is_small = value != 0 and (abs(value) < 1e-6 or abs(value) >= 1e21)
        return float_text(value, "e" if is_small else "f")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e21:
            return int(value)
        return _Number(value)
    return value


def _from_json(text: str) -> object:
    if len(text) > LONGEST or text.count("[") + text.count("{") > 10_000:
        raise TooMuch("fromJson")
    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None


def _must_from_json(text: str) -> object:
    found = _from_json(text)
    if found is None and text.strip() != "null":
        raise Refused("error calling mustFromJson: invalid JSON")
    return found


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value


_KINDS = {
    "nil": "invalid",
    "[]interface {}": "slice",
    "map[string]interface {}": "map",
    "<nil>": "invalid",
}


def _kind(value: object) -> str:
    name = type_name(value)
    return _KINDS.get(name, name)


_DEFAULTS: dict[str, GoFunction] = {
    "default": GoFunction(_default, "aa*", weighs=True),
    "empty": GoFunction(lambda a: not truth(a), "a"),
    "coalesce": GoFunction(_coalesce, "a*", weighs=True),
    "all": GoFunction(_all, "a*", weighs=True),
    "any": GoFunction(_any, "a*", weighs=True),
    "ternary": GoFunction(_ternary, "aab", weighs=True),
    "fromJson": GoFunction(_from_json, "s"),
    "mustFromJson": GoFunction(_must_from_json, "s"),
    "toJson": GoFunction(_to_json, "a"),
    "mustToJson": GoFunction(_to_json, "a"),
    "toRawJson": GoFunction(lambda a: _to_json(a, escaped=False), "a"),
    "mustToRawJson": GoFunction(lambda a: _to_json(a, escaped=False), "a"),
    "toPrettyJson": GoFunction(lambda a: _to_json(a, pretty=True), "a"),
    "mustToPrettyJson": GoFunction(lambda a: _to_json(a, pretty=True), "a"),
    "deepCopy": GoFunction(_copy, "a", weighs=True),
    "mustDeepCopy": GoFunction(_copy, "a", weighs=True),
    "typeOf": GoFunction(type_name, "a"),
    "typeIs": GoFunction(lambda name, a: name == type_name(a), "sa"),
    "typeIsLike": GoFunction(lambda name, a: type_name(a) in (name, f"*{name}"), "sa"),
    "kindOf": GoFunction(_kind, "a"),
    "kindIs": GoFunction(lambda name, a: name == _kind(a), "sa"),
    "deepEqual": GoFunction(lambda a, b: type_name(a) == type_name(b) and a == b, "aa"),
}


# ------------------------------------------------------------------------------------
# list.go


def _list_of(deed: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise Refused(f"Cannot {deed} type {_kind(value)}")
    return value


def _on_list(
    deed: str, run: Callable[[list[object]], object], takes: str = "a"
) -> GoFunction:
    """A function of a list of which the items may be unknown."""

    def called(value: object) -> object:
        return value if isinstance(value, Unknown) else run(_list_of(deed, value))

    return GoFunction(called, takes, weighs=True)


def _unique(values: list[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if not _is_in(value, found):
            found.append(value)
    return found


def _is_in(value: object, values: Iterable[object]) -> bool:
    return any(type_name(value) == type_name(v) and value == v for v in values)


def _has(value: object, values: object) -> object:
    if values is None:
        return False
    return _is_in(value, _list_of("find has on", values))


def _without(values: object, *others: object) -> object:
    left = _list_of("find without on", values)
    return [value for value in left if not _is_in(value, others)]


def _chunk(size: int, values: object) -> object:
    held = _list_of("chunk", values)
    if size < 1:
        raise Refused("integer divide by zero")
    return [held[n : n + size] for n in range(0, len(held), size)]


def _slice(values: object, *bounds: object) -> object:
    held = _list_of("slice", values)
    if not held:
        return None
    start, end = [*map(_whole, bounds[:2]), *(0, len(held))[len(bounds[:2]) :]]
    if not 0 <= start <= end <= len(held):
        raise Refused("reflect.Value.Slice: slice index out of bounds")
    return held[start:end]


def _pushed(values: object, value: object) -> object:
    if isinstance(values, Unknown):
        return values
    return [*_list_of("push on", values), value]


def _prepended(values: object, value: object) -> object:
    if isinstance(values, Unknown):
        return values
    return [value, *_list_of("prepend on", values)]


def _concat(*several: object) -> object:
    unknown = next((each for each in several if isinstance(each, Unknown)), None)
    if unknown is not None:
        return unknown
    return [v for each in several for v in _list_of("concat", each)]


_LISTS: dict[str, GoFunction] = {
    "list": GoFunction(lambda *values: list(values), "a*", weighs=True),
    "tuple": GoFunction(lambda *values: list(values), "a*", weighs=True),
    "first": _on_list("find first on", lambda v: v[0] if v else None),
    "last": _on_list("find last on", lambda v: v[-1] if v else None),
    "rest": _on_list("find rest on", lambda v: v[1:]),
    "initial": _on_list("find initial on", lambda v: v[:-1]),
    "reverse": _on_list("find reverse on", lambda v: v[::-1]),
    "uniq": GoFunction(lambda v: _unique(_list_of("find uniq on", v)), "a"),
    "compact": GoFunction(
        lambda v: [each for each in _list_of("compact on", v) if truth(each)], "a"
    ),
    "without": GoFunction(_without, "aa*"),
    "has": GoFunction(_has, "aa"),
    "slice": GoFunction(_slice, "aa*"),
    "append": GoFunction(_pushed, "aa", weighs=True),
    "push": GoFunction(_pushed, "aa", weighs=True),
    "prepend": GoFunction(_prepended, "aa", weighs=True),
    "concat": GoFunction(_concat, "a*", weighs=True),
    "chunk": GoFunction(_chunk, "ia"),
}
_MUST = (
    *("first", "last", "rest", "initial", "reverse", "uniq", "compact", "without"),
    *("has", "slice", "append", "push", "prepend", "chunk"),
)
_LISTS |= {f"must{name[0].upper()}{name[1:]}": _LISTS[name] for name in _MUST}


# ------------------------------------------------------------------------------------
# dict.go


def _on_map(run: Callable[..., object], takes: str) -> GoFunction:
    """A function of a map of which the values may be unknown."""

    def called(*values: object) -> object:
        return next((v for v in values if isinstance(v, Unknown)), None) or run(*values)

    return GoFunction(called, takes, weighs=True)


def _dict(*pairs: object) -> dict[str, object]:
    keys = [_shown(key) for key in pairs[::2]]
    return dict(zip(keys, [*pairs[1::2], ""], strict=False))


def _set(held: object, key: object, value: object) -> object:
    if not isinstance(held, dict) or not isinstance(key, str):
        return held
    held[key] = value
    return held


def _unset(held: dict[str, object], key: str) -> object:
    held.pop(key, None)
    return held


def _merged(first: object, *others: object, over: bool = False) -> object:
    assert isinstance(first, dict)  # noqa: S101 (the call has seen to it)
    for other in others:
        assert isinstance(other, dict)  # noqa: S101
        for key, value in other.items():
            mine = first.get(key)
            if isinstance(mine, dict) and isinstance(value, dict):
                _merged(mine, value, over=over)
            elif not truth(mine) or (over and truth(value)):
                first[key] = value
    return first


def _keys(*several: dict[str, object]) -> object:
    found: list[object] = [key for each in several for key in each]
    return Unordered(found) if len(found) > 1 else found


def _values(held: dict[str, object]) -> object:
    return Unordered(held.values()) if len(held) > 1 else list(held.values())


def _dig(*arguments: object) -> object:
    if len(arguments) < 3:
        raise Refused("dig needs at least three arguments")
    *keys, fallback, value = arguments
    for key in keys:
        if isinstance(value, Unknown):
            return value
        if not isinstance(value, dict) or not isinstance(key, str):
            raise Refused("interface conversion: interface {} is no map")
        if key not in value:
            return fallback
        value = value[key]
    return value


_MAPS: dict[str, GoFunction] = {
    "dict": GoFunction(_dict, "a*", weighs=True),
    "get": _on_map(lambda d, key: d.get(key, ""), "ms"),
    "set": GoFunction(_set, "msa", weighs=True),
    "unset": _on_map(_unset, "ms"),
    "hasKey": _on_map(lambda d, key: key in d, "ms"),
    "pluck": _on_map(lambda key, *ds: [d[key] for d in ds if key in d], "sm*"),
    "keys": _on_map(_keys, "m*"),
    "values": _on_map(_values, "m"),
    "pick": _on_map(lambda d, *keys: {k: d[k] for k in keys if k in d}, "ms*"),
    "omit": _on_map(
        lambda d, *keys: {k: v for k, v in d.items() if k not in keys}, "ms*"
    ),
    "merge": _on_map(_merged, "mm*"),
    "mustMerge": _on_map(_merged, "mm*"),
    "mergeOverwrite": _on_map(lambda *d: _merged(*d, over=True), "mm*"),
    "mustMergeOverwrite": _on_map(lambda *d: _merged(*d, over=True), "mm*"),
    "dig": GoFunction(_dig, "a*", weighs=True),
}


# ------------------------------------------------------------------------------------
# regex.go, semver.go, and paths
#
# Go's expressions take time in proportion to the text, whatever they are. Python's do
# not, so only those are followed of which it is known that they take little.

MOST_WORK = 1_000_000
_NOT_SHARED = re.compile(
    r"\\[zZQEpPCGkKRXA]|\[\[:|\(\?[^:i)]|\(\?i?[^:)]*[msUx]|\\[0-9]"
)
_REPEATS = re.compile(r"(?<!\\)(?:[*+]|\{\d*,?\d*\})")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{)")


def _expression(pattern: str, text: str) -> re.Pattern[str] | Unknown:
    """The expression, or why nothing is said of it."""
    repeats = len(_REPEATS.findall(pattern))
    work = (len(text) + 1) ** (repeats + 1) * (len(pattern) + 1)
    if _NOT_SHARED.search(pattern):
        return Unknown("regex", "Go and Python read this expression differently")
    if _REPEATED_GROUP.search(pattern) or work > MOST_WORK:
        return Unknown("regex", "this expression may take too long")
    try:
        # In Go a dollar is the very end.
        return re.compile(re.sub(r"(?<!\\)\$(?=\)|$)", r"\\Z", pattern), re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise Refused("error parsing regexp") from None


def _regex(
    run: Callable[..., object], takes: str, *, pattern: int = 0, text: int = 1
) -> GoFunction:
    def called(*arguments: object) -> object:
        found = _expression(str(arguments[pattern]), str(arguments[text]))
        if isinstance(found, Unknown):
            return found
        rest = [a for n, a in enumerate(arguments) if n != pattern]
        return run(found, *rest)

    return GoFunction(called, takes)


def _matches(pattern: str, text: str) -> object:
    """An expression that is none matches nothing."""
    try:
        found = _expression(pattern, text)
    except Refused:
        return False
    return found if isinstance(found, Unknown) else found.search(text) is not None


def _find_all(found: re.Pattern[str], text: str, most: int) -> list[object]:
    every: list[object] = [match[0] for match in found.finditer(text)]
    return every if most < 0 else every[:most]


def _substituted(found: re.Pattern[str], text: str, by: str) -> str:
    def put(match: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name == "$":
                return "$"
            try:
                return match[int(name) if name.isdigit() else name] or ""
            except (IndexError, re.error):
                return ""

        return re.sub(r"\$(?:\{(\w+)\}|(\w+|\$))", group, by)

    _bounded((len(text) + 1) * (len(by) + 1))
    return found.sub(put, text)


def _regex_split(found: re.Pattern[str], text: str, most: int) -> object:
    if found.groups:
        return Unknown("regexSplit", "an expression with groups")
    if most == 0:
        return None
    return found.split(text, most - 1 if most > 0 else 0) if most != 1 else [text]


_VERSION = re.compile(
    r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(-[\w.-]+)?(\+[\w.-]+)?", re.ASCII
)


def _version(text: str) -> tuple[tuple[int, int, int], str] | None:
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch = (int(found[n] or 0) for n in (1, 2, 3))
    return (major, minor, patch), found[4] or ""


def _semver_compare(constraint: str, version: str) -> object:
    """Plain constraints on plain versions; the rest of them has many rules."""
    have = _version(version)
    if have is None:
        raise Refused("Invalid Semantic Version")
    if have[1]:
        return Unknown("semverCompare", "a version with a suffix")
    for part in (p.strip() for p in constraint.split(",")):
        found = re.fullmatch(r"(=|!=|>|<|>=|=>|<=|=<|~|\^|)\s*(v?[\d.]+(?:-0)?)", part)
        wanted = _version(found[2].removesuffix("-0")) if found else None
        if found is None or wanted is None:
            return Unknown(
                "semverCompare", "kopslint does not evaluate this constraint"
            )
        if not _satisfies(have[0], found[1], wanted[0], found[2].count(".")):
            return False
    return True


def _satisfies(
    have: tuple[int, int, int], sign: str, wanted: tuple[int, int, int], dots: int
) -> bool:
    # What is left out of a constraint may be anything.
    same = have[: min(dots, 2) + 1] == wanted[: min(dots, 2) + 1]
    match sign:
        case "=" | "":
            return same
        case "!=":
            return not same
        case ">":
            return have > wanted and not same
        case "<":
            return have < wanted
        case ">=" | "=>":
            return have >= wanted
        case "<=" | "=<":
            return have <= wanted or same
        case "~":
            return (
                have >= wanted
                and have[: 2 if dots else 1] == wanted[: 2 if dots else 1]
            )
    leading = next((n for n, part in enumerate(wanted) if part), min(dots, 2)) + 1
    return have >= wanted and have[:leading] == wanted[:leading]


def _semver(version: str) -> object:
    have = _version(version)
    if have is None:
        raise Refused("Invalid Semantic Version")
    (major, minor, patch), suffix = have
    return {
        "Major": Int64(major),
        "Minor": Int64(minor),
        "Patch": Int64(patch),
        "Prerelease": suffix[1:],
        "Original": version,
    }


def _base(path: str) -> str:
    if not path:
        return "."
    return posixpath.basename(path.rstrip("/")) or "/"


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


def _ext(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rfind(".") :] if "." in name else ""


def _fail(message: str) -> object:
    raise Refused(f"error calling fail: {message}")


_OTHERS: dict[str, GoFunction] = {
    "regexMatch": GoFunction(_matches, "ss"),
    "regexFind": _regex(lambda r, s: (r.search(s) or [""])[0], "ss"),
    "regexFindAll": _regex(_find_all, "ssi"),
    "regexReplaceAll": _regex(_substituted, "sss"),
    "regexReplaceAllLiteral": _regex(lambda r, s, by: r.sub(lambda _: by, s), "sss"),
    "regexSplit": _regex(_regex_split, "ssi"),
    "regexQuoteMeta": GoFunction(
        lambda s: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", s), "s"
    ),
    "semver": GoFunction(_semver, "s"),
    "semverCompare": GoFunction(_semver_compare, "ss"),
    "base": GoFunction(_base, "s"),
    "dir": GoFunction(
        lambda s: _clean(s.rpartition("/")[0] or ("/" if s[:1] == "/" else ".")), "s"
    ),
    "clean": GoFunction(_clean, "s"),
    "ext": GoFunction(_ext, "s"),
    "isAbs": GoFunction(lambda s: s.startswith("/"), "s"),
    "fail": GoFunction(_fail, "s"),
    "hello": GoFunction(lambda: "Hello!", ""),
}
_OTHERS["mustRegexMatch"] = _regex(lambda r, s: r.search(s) is not None, "ss")
_OTHERS |= {
    f"mustRegex{name.removeprefix('regex')}": function
    for name, function in _OTHERS.items()
    if name.startswith("regex") and name not in ("regexQuoteMeta", "regexMatch")
}
_OTHERS |= {
    f"os{name[0].upper()}{name[1:]}": _OTHERS[name]
    for name in ("base", "dir", "clean", "ext", "isAbs")
}

_REASONS = {
    "the time when it runs": "ago date date_in_zone date_modify dateInZone dateModify"
    " duration durationRound htmlDate htmlDateInZone must_date_modify mustDateModify"
    " mustToDate now toDate unixEpoch",
    "chance": "randAlphaNum randAlpha randAscii randNumeric randInt randBytes shuffle"
    " uuidv4 bcrypt htpasswd genPrivateKey buildCustomCert genCA genCAWithKey"
    " genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey"
    " encryptAES",
    "the environment of whoever runs it": "env expandenv",
    "the network": "getHostByName",
    (
        "a function that kopslint does not evaluate"
    ): "abbrevboth wrap wrapWith derivePassword decryptAES urlParse urlJoin",
}


def _depends(name: str, reason: str) -> GoFunction:
    def unknown(*arguments: object) -> object:
        shown = " ".join(a for a in arguments if isinstance(a, str))
        return Unknown(f"{name} {shown}".strip(), f"it depends on {reason}")

    return GoFunction(unknown, "a*", weighs=True)


SPRIG: Mapping[str, GoFunction] = {
    **_STRINGS,
    **_NUMBERS,
    **_DEFAULTS,
    **_LISTS,
    **_MAPS,
    **_OTHERS,
    **{
        name: _depends(name, reason)
        for reason, names in _REASONS.items()
        for name in names.split()
    },
}
"""sprig's functions by name, those that are unknown by their nature among them."""
