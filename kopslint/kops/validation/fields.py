"""Fields that kops does not know, and values that it cannot decode.

One walk over an object beside the table of the API. Which values a field may have is
for the rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.api import KINDS, VERSIONS, api, by_letters, paths_of
from kopslint.kops.duration import go_seconds
from kopslint.kops.rejection import Rejection
from kopslint.kops.releases import NEWEST, field_since, type_then
from kopslint.kops.validation.declared import named
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.api import Api
    from kopslint.kops.validation.declared import Declared
    from kopslint.syntax.yaml import Entry, Node, Step

_QUANTITY = r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)"
_RANGES = {
    "uint8": range(2**8),
    "int16": range(-(2**15), 2**15),
    "int32": range(-(2**31), 2**31),
    "uint32": range(2**32),
    "int64": range(-(2**63), 2**63),
}
# What clouds and other tools call what kops has another word for.
_ALSO_CALLED = {
    "instanceType": "machineType",
    "onDemandBaseCapacity": "onDemandBase",
    "onDemandPercentageAboveBaseCapacity": "onDemandAboveBase",
}
# Looking for the nearest name is slow, and nobody reads so many findings one by one.
_MOST_GUESSED = 100
_WHOLE = "a whole number"
_DECODE = "kubernetes/kops pkg/kopscodecs/codecs.go, Decode"
_EXTRA = "kubernetes/kops pkg/edit/edit.go, HasExtraFields"


class FieldWalk:
    """The walk over one object of ``kind``, a struct of the API."""

    def __init__(self, declared: Declared, kind: str) -> None:
        self._api: Api = api(declared.version)
        self._version = declared.version
        self._kops = declared.kops
        # Of a release before the newest, the table tells what its API lacks.
        self._is_older = declared.kops < NEWEST
        self._is_known = declared.newest == declared.kops
        self._kind = kind
        self._root = declared.root
        self._about = declared.about
        self._found: list[Rejection] = []

    def rejections(self) -> list[Rejection]:
        """Every unknown field and every value of a wrong type, in no order."""
        self._found = []
        self._value(self._root, self._kind, ())
        return self._found

    def _wrong_type(self, node: Node, expected: str, path: tuple[Step, ...]) -> None:
        here, kind = named(path), _kind_of(node)
        self._found.append(
            Rejection(
                kind="wrong-type",
                about=self._about,
                message=f"{here} must be {expected}, but is {kind}",
                places=((node.span, f"this is {kind}"),),
                by="validation",
                path=here,
                source=_DECODE,
                hint=_rewritten(node, expected),
            )
        )

    def _value(self, node: Node, expected: str, path: tuple[Step, ...]) -> None:
        if expected == "any" or (isinstance(node, Scalar) and node.value is None):
            return
        if expected.startswith("[]"):
            if isinstance(node, YamlSequence):
                for index, item in enumerate(node.items):
                    self._value(item, expected[2:], (*path, index))
            else:
                self._wrong_type(node, "a list", path)
        elif expected.startswith("{}"):
            if isinstance(node, YamlMapping):
                for entry in node.entries:
                    here = (*path, entry.key.text)
                    self._value(entry.value, expected[2:], here)
            else:
                self._wrong_type(node, "a mapping", path)
        elif (fields := self._api.structs.get(expected)) is not None:
            if not isinstance(node, YamlMapping):
                self._wrong_type(node, "a mapping", path)
                return
            for entry in node.entries:
                name = entry.key.text
                inner = fields.get(name)
                if inner is not None and self._comes_later((*path, name)):
                    self._found.append(self._later(entry, (*path, name)))
                elif inner is not None:
                    self._value(entry.value, inner, (*path, name))
                elif not self._was_known(expected, name):
                    self._found.append(self._unknown(entry, expected, path))
        else:
            wanted = self._wanted(node, expected, path)
            if wanted is not None:
                self._wrong_type(node, wanted, path)

    def _wanted(self, node: Node, expected: str, path: tuple[Step, ...]) -> str | None:
        """What kops takes instead of a scalar; a field may have had another type.

        Where nobody says which kops runs, one that takes the value is enough.
        """
        wanted = _wanted(node, expected)
        if not self._is_older:
            return wanted
        then = type_then(self._version, self._in_table(path), self._kops)
        if then is None or (wanted is None and not self._is_known):
            return wanted
        return _wanted(node, then)

    def _in_table(self, path: tuple[Step, ...]) -> str:
        return ".".join((self._kind, *(s for s in path if isinstance(s, str))))

    def _comes_later(self, path: tuple[Step, ...]) -> bool:
        """Whether the kops that runs has no such field yet."""
        if not self._is_older or not self._is_known:
            return False
        return field_since(self._version, self._in_table(path)) > self._kops

    def _later(self, entry: Entry, path: tuple[Step, ...]) -> Rejection:
        here = named(path)
        since = field_since(self._version, self._in_table(path))
        return Rejection(
            kind="unknown-field",
            about=self._about,
            message=f"kops 1.{self._kops} has no field {here}: it came with 1.{since}",
            places=((entry.key.span, "kops -f drops this without a word"),),
            by="validation",
            path=here,
            at_command="edit",
            source=_EXTRA,
            hint=f"remove it, or use kops 1.{since} or newer",
            harmless=True,
        )

    def _was_known(self, struct: str, name: str) -> bool:
        last = self._api.removed.get(struct, {}).get(name)
        return last is not None and self._kops <= last

    def _unknown(self, entry: Entry, struct: str, path: tuple[Step, ...]) -> Rejection:
        name = entry.key.text
        here = named((*path, name))
        last = self._api.removed.get(struct, {}).get(name)
        message = f"kops knows no field {here}"
        if last is not None:
            message = f"the field {here} was removed in kops 1.{last + 1}"
        elsewhere = self._elsewhere(name, path)
        slip = self._slip(name, struct, certain=bool(elsewhere))
        return Rejection(
            kind="unknown-field",
            about=self._about,
            message=message,
            places=((entry.key.span, "kops -f drops this without a word"),),
            by="validation",
            path=here,
            at_command="edit",
            source=_EXTRA,
            hint=slip or elsewhere or "remove it",
            harmless=not slip,
        )

    def _slip(self, name: str, struct: str, *, certain: bool) -> str:
        """What to write if the name is a slip of the pen, and otherwise nothing.

        ``certain`` asks for more than a likeness, as for a name that exists elsewhere.
        """
        fields = self._api.structs[struct]
        same = by_letters(self._version, struct).get(name.lower())
        if same is not None:
            return f"write {same}: names are case-sensitive"
        if len(self._found) > _MOST_GUESSED:
            return ""
        meant = _ALSO_CALLED.get(name) or _begun(name, fields)
        if meant in fields:
            return f"write {meant}"
        if certain:
            return ""
        from difflib import get_close_matches

        close = get_close_matches(name, fields, n=1, cutoff=0.75)
        return f"write {close[0]}" if close else ""

    def _elsewhere(self, name: str, path: tuple[Step, ...]) -> str:
        """Where else a field of this name is: at another level, kind or version."""
        here = paths_of(self._version, self._kind, name)
        if here:
            nearest = sorted(here, key=lambda found: -_shared(found, named(path)))
            return f"move it to {' or '.join(nearest[:3])}"
        for kind in KINDS:
            if kind != self._kind and paths_of(self._version, kind, name):
                return f"it is a field of {kind}, not of {self._kind}"
        for version in VERSIONS:
            found = paths_of(version, self._kind, name)
            if version != self._version and found:
                return (
                    f"it is a field of {version} ({found[0]}), not of {self._version}"
                )
        return ""


def _begun(name: str, fields: Iterable[str]) -> str:
    """The only field that starts with ``name``, if there is one."""
    longer = [field for field in fields if field.startswith(name)]
    return longer[0] if len(longer) == 1 else ""


def _shared(one: str, other: str) -> int:
    """How many leading characters two paths share."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _wanted(node: Node, expected: str) -> str | None:
    """What a value of the scalar type ``expected`` is, if this is none."""
    value = node.value if isinstance(node, Scalar) else None
    text = value if isinstance(value, str) else None
    if expected == "string":
        return None if text is not None else "text"
    number = value if isinstance(value, int | float) else None
    if isinstance(value, bool):
        number = None
    is_whole = number is not None and float(number).is_integer()
    if expected == "bool":
        return None if isinstance(value, bool) else "true or false"
    if expected == "duration":
        fits = text is not None and go_seconds(text) is not None
        return None if fits else "a duration such as 10m or 1h30m"
    if expected == "time":
        fits = text is not None and re.fullmatch(_TIME, text) is not None
        return None if fits else "a time such as 2026-01-31T12:00:00Z"
    if expected == "quantity":
        fits = text is not None and re.fullmatch(_QUANTITY, text) is not None
        return None if fits or number is not None else "a quantity such as 100m or 2Gi"
    if expected == "number":
        return None if number is not None else "a number"
    if expected == "int-or-string":
        fits = text is not None or is_whole
        return None if fits else "a whole number or a percentage"
    # A float is looked for in a range one number after the other, an int is not.
    range_ = _RANGES[expected]
    if number is not None and is_whole and int(number) in range_:
        return None
    return f"a whole number from {range_[0]} to {range_[-1]}" if is_whole else _WHOLE


def _rewritten(node: Node, expected: str) -> str:
    """How the value may have been meant."""
    if isinstance(node, Scalar):
        if expected == "text":
            return f'put quotes around it: "{node.text}"'
        if node.quoted and _would_fit(node.text, expected):
            return f"remove the quotes: {node.text}"
    return f"write {expected}"


def _would_fit(text: str, expected: str) -> bool:
    if expected == "true or false":
        return text in ("true", "false")
    return expected.startswith(_WHOLE) and text.isdigit()


def _kind_of(node: Node) -> str:
    if isinstance(node, YamlMapping):
        return "a mapping"
    if isinstance(node, YamlSequence):
        return "a list"
    if isinstance(node.value, bool):
        return "true or false"
    return "text" if isinstance(node.value, str) else "a number"
