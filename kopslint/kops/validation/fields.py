"""Fields that kops does not know, and values that it cannot decode.

One walk over an object beside the table of the API. What kops makes of a value
belongs to the rules; this module must not know any field by name.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kopslint.kops.api import KINDS, VERSIONS, api, paths_of
from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.declared import named
from kopslint.kops.validation.violation import Violation
from kopslint.syntax.yaml_tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.api import Api
    from kopslint.kops.validation.declared import Declared
    from kopslint.syntax.yaml_tree import Entry, Node, Step

_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_RANGES = {
    "uint8": range(2**8),
    "int16": range(-(2**15), 2**15),
    "int32": range(-(2**31), 2**31),
    "uint32": range(2**32),
    "int64": range(-(2**63), 2**63),
}
_DECODE = "kubernetes/kops pkg/kopscodecs/codecs.go, Decode"
_EXTRA = "kubernetes/kops pkg/edit/edit.go, HasExtraFields"


class FieldWalk:
    """The walk over one object of ``kind``, a struct of the API."""

    def __init__(self, declared: Declared, kind: str) -> None:
        self._api: Api = api(declared.version)
        self._version = declared.version
        self._kops = declared.kops
        self._kind = kind
        self._root = declared.root

    def violations(self) -> Iterator[Violation]:
        """Every unknown field and every value of a wrong type, in no order."""
        yield from self._value(self._root, self._kind, ())

    def _value(
        self, node: Node, expected: str, path: tuple[Step, ...]
    ) -> Iterator[Violation]:
        if expected == "any" or (isinstance(node, Scalar) and node.value is None):
            return
        if expected.startswith("[]"):
            if isinstance(node, Sequence):
                for index, item in enumerate(node.items):
                    yield from self._value(item, expected[2:], (*path, index))
            else:
                yield _wrong_type(node, "a list", path)
        elif expected.startswith("{}"):
            if isinstance(node, Mapping):
                for entry in node.entries:
                    here = (*path, entry.key.text)
                    yield from self._value(entry.value, expected[2:], here)
            else:
                yield _wrong_type(node, "a mapping", path)
        elif (fields := self._api.structs.get(expected)) is not None:
            if not isinstance(node, Mapping):
                yield _wrong_type(node, "a mapping", path)
                return
            for entry in node.entries:
                name = entry.key.text
                inner = fields.get(name)
                if inner is not None:
                    yield from self._value(entry.value, inner, (*path, name))
                elif not self._was_known(expected, name):
                    yield self._unknown(entry, expected, path)
        else:
            yield from _scalar(node, expected, path)

    def _was_known(self, struct: str, name: str) -> bool:
        last = self._api.removed.get(struct, {}).get(name)
        return last is not None and self._kops <= last

    def _unknown(self, entry: Entry, struct: str, path: tuple[Step, ...]) -> Violation:
        name = entry.key.text
        here = named((*path, name))
        last = self._api.removed.get(struct, {}).get(name)
        known = f"no longer knows it since 1.{last + 1}" if last else "does not know it"
        return Violation(
            kind="unknown-field",
            message=f"kops {known}: the field {here}",
            path=here,
            span=entry.key.span,
            at_command="edit",
            source=_EXTRA,
            label=f"kops {known}, and -f drops it without a word",
            hint=self._instead(name, struct, path),
        )

    def _instead(self, name: str, struct: str, path: tuple[Step, ...]) -> str:
        """Where the field that is meant may be."""
        fields = self._api.structs[struct]
        same = next((f for f in fields if f.lower() == name.lower()), None)
        if same is not None:
            return f"write {same}: names are case-sensitive"
        here = paths_of(self._version, self._kind, name)
        if here:
            near = max(here, key=lambda found: _shared(found, named(path)))
            return f"move it to {near}"
        for kind in KINDS:
            if kind != self._kind and paths_of(self._version, kind, name):
                return f"it is a field of {kind}, not of {self._kind}"
        close = get_close_matches(name, fields, n=1, cutoff=0.75)
        if close:
            return f"write {close[0]}"
        for version in VERSIONS:
            found = paths_of(version, self._kind, name)
            if version != self._version and found:
                return (
                    f"it is a field of {version} ({found[0]}), not of {self._version}"
                )
        return "remove it"


def _shared(one: str, other: str) -> int:
    """How many leading characters two paths share."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _scalar(node: Node, expected: str, path: tuple[Step, ...]) -> Iterator[Violation]:
    value = node.value if isinstance(node, Scalar) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if expected == "string":
        if not isinstance(value, str):
            yield _wrong_type(node, "text", path)
    elif expected == "bool":
        if not isinstance(value, bool):
            yield _wrong_type(node, "true or false", path)
    elif expected == "duration":
        if not isinstance(value, str) or go_seconds(value) is None:
            yield _wrong_type(node, "a duration such as 10m or 1h30m", path)
    elif expected == "quantity":
        if not is_number and not (
            isinstance(value, str) and _QUANTITY.fullmatch(value)
        ):
            yield _wrong_type(node, "a quantity such as 100m or 2Gi", path)
    elif expected == "number":
        if not is_number:
            yield _wrong_type(node, "a number", path)
    elif expected == "int-or-string":
        if not isinstance(value, str) and (
            not is_number or int(float(value or 0)) != value
        ):
            yield _wrong_type(node, "a whole number or a percentage", path)
    elif not is_number or value not in _RANGES[expected]:
        wanted = "a whole number"
        if is_number and float(value or 0).is_integer():
            wanted += f" from {_RANGES[expected][0]} to {_RANGES[expected][-1]}"
        yield _wrong_type(node, wanted, path)


def _wrong_type(node: Node, expected: str, path: tuple[Step, ...]) -> Violation:
    here = named(path)
    kind = _kind_of(node)
    hint = f"write {expected}"
    if isinstance(node, Scalar):
        if expected == "text":
            hint = f'put quotes around it: "{node.text}"'
        elif node.quoted and _would_fit(node.text, expected):
            hint = f"remove the quotes: {node.text}"
    return Violation(
        kind="wrong-type",
        message=f"{here} must be {expected}, and this is {kind}",
        path=here,
        span=node.span,
        at_command="create",
        source=_DECODE,
        label=f"this is {kind}",
        hint=hint,
    )


def _would_fit(text: str, expected: str) -> bool:
    if expected == "true or false":
        return text in ("true", "false")
    return expected.startswith("a whole number") and text.isdigit()


def _kind_of(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node.value, bool):
        return "true or false"
    return "text" if isinstance(node.value, str) else "a number"
