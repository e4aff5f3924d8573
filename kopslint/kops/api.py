"""The kops API as a table: which fields there are, where, and of what type.

The table is data (``api-fields.json``), made from the Go types of kops, so that no
field is named in this module. A type is written as in the table: ``string``, ``bool``,
``int32`` and the like, ``duration``, ``quantity``, ``time``, ``int-or-string``,
``any``, ``[]T`` for a list, ``{}T`` for a map, or the name of a struct.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSIONS = ("v1alpha2", "v1alpha3")
KINDS = ("Cluster", "InstanceGroup")


class Api(Record):
    """One version of the API.

    ``structs`` holds the fields of every struct, by JSON name; ``removed`` those that
    some release no longer has, with the minor of the last kops that had them.
    """

    structs: Mapping[str, Mapping[str, str]]
    removed: Mapping[str, Mapping[str, int]]


@cache
def api(version: str) -> Api:
    """The API of ``v1alpha2`` or ``v1alpha3``.

    Source: kops pkg/apis/kops/v1alpha2 and v1alpha3, and ObjectMeta of apimachinery.
    """
    table = _table()[version]
    removed = {
        struct: {name: int(minor) for name, minor in fields.items()}
        for struct, fields in table["removed"].items()
    }
    return Api(table["types"], removed)


def paths_of(version: str, kind: str, name: str) -> tuple[str, ...]:
    """The paths of a kind that end in the field ``name``, the shortest first."""
    return _paths_by_name(version, kind).get(name, ())


@cache
def _paths_by_name(version: str, kind: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for path in sorted(_paths(version, kind), key=lambda path: (path.count("."), path)):
        found.setdefault(path.rpartition(".")[2], []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


@cache
def by_letters(version: str, struct: str) -> Mapping[str, str]:
    """The fields of a struct by their names in lower case."""
    return {name.lower(): name for name in api(version).structs[struct]}


def has_path(version: str, kind: str, path: str) -> bool:
    """Whether the API has a field at ``path``, such as ``spec.subnets[].cidr``."""
    structs = api(version).structs
    expression = kind
    for step in re.findall(r"[^.\[\]{}]+|\[\]|\{\}", path):
        if step in ("[]", "{}"):
            if not expression.startswith(step):
                return False
            expression = expression[2:]
        elif step not in structs.get(expression, {}):
            return False
        else:
            expression = structs[expression][step]
    return True


@cache
def _paths(version: str, kind: str) -> tuple[str, ...]:
    return tuple(_below(api(version), kind, "", ()))


def _below(table: Api, struct: str, path: str, above: tuple[str, ...]) -> Iterator[str]:
    for name, expression in table.structs[struct].items():
        here = f"{path}.{name}" if path else name
        yield here
        marks = "".join("[]" for _ in range(expression.count("[]")))
        inner = expression.replace("[]", "").replace("{}", "")
        if inner in table.structs and inner not in above and "{}" not in expression:
            yield from _below(table, inner, here + marks, (*above, inner))


@cache
def _table() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    path = Path(__file__).with_name("api-fields.json")
    table: dict[str, dict[str, dict[str, dict[str, str]]]] = json.loads(
        path.read_bytes()
    )
    return table
