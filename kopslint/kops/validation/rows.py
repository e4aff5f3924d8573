"""A rule about one field as a row of a table, and what reads such tables.

Most of what kops validates has one shape: at this field, this test, since this release.
A row says that in one line. Tables are indexed by the first step of the path when they
are first used, so that a field that a file does not have costs nothing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from kopslint.kops.api import has_path
from kopslint.kops.validation.declared import in_file, named
from kopslint.kops.validation.values import one_of
from kopslint.syntax.yaml import Scalar, YamlMapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.kops.rejection import AtCommand, FieldKind, Rejection
    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.values import Test

    When = Callable[[Declared], bool]

# A rule that the newest kops still has.
STILL = 99


class Row:
    """One rule about one field.

    ``path`` names the field as kops does inside, below ``spec``; ``[]`` and ``{}``
    stand for all items and all keys. ``test`` sees every value that is set. The row
    holds from kops 1.``since`` to 1.``until``, where ``when`` holds for the object.
    ``source`` is the file under pkg/apis/kops/validation and the function, or the whole
    path of the file. ``at`` is the first command that refuses; ``values`` are those
    that the test takes, for suggestions. Each row is itself alone, so that tables are
    found fast.
    """

    __slots__ = (
        "at",
        "kind",
        "path",
        "since",
        "source",
        "test",
        "until",
        "values",
        "when",
    )

    def __init__(
        self,
        kind: FieldKind,
        path: str,
        test: Test,
        source: str,
        since: int = 10,
        when: When | None = None,
        at: AtCommand = "create",
        values: tuple[str, ...] = (),
        until: int = STILL,
    ) -> None:
        self.kind = kind
        self.path = path
        self.test = test
        self.source = source
        self.since = since
        self.when = when
        self.at = at
        self.values = values
        self.until = until


def gone(kubernetes: int, kops: int) -> When:
    """Holds where Kubernetes is 1.``kubernetes`` or newer, and any from 1.``kops`` on.

    kops minds which Kubernetes runs as long as it runs some that still have the field.
    """
    return lambda declared: declared.since(kops) or declared.runs(kubernetes)


def check_rows(table: tuple[Row, ...], declared: Declared) -> Iterator[Rejection]:
    """What the rows of ``table`` find in an object."""
    spec = declared.root.get("spec")
    if not isinstance(spec, YamlMapping):
        return
    kind = "Cluster" if declared.cluster is declared else "InstanceGroup"
    index = _by_first_step(table, declared.version, kind)
    for entry in spec.entries:
        for row in index.get(entry.key.text, ()):
            if row.since > declared.kops or not declared.until(row.until):
                continue
            if row.when is not None and not row.when(declared):
                continue
            for path in _places(row.path, declared):
                yield from _check(row, path, declared)


def _check(row: Row, path: str, declared: Declared) -> Iterator[Rejection]:
    node = declared.node(path)
    if node is None:
        return
    problem = row.test(node.plain)
    if problem is not None:
        near: list[str] = []
        if row.values and isinstance(node, Scalar):
            folded = {value.lower(): value for value in row.values}
            from difflib import get_close_matches

            near = get_close_matches(node.text.lower(), folded, n=1)
            near = [folded[match] for match in near]
        hint = f"write {near[0]}" if near else ""
        yield declared.refuse(row.kind, path, problem, row.source, at=row.at, hint=hint)


def _places(path: str, declared: Declared) -> Iterator[str]:
    """The concrete paths that ``path`` stands for in this object."""
    for mark in ("[]", "{}"):
        before, found, after = path.partition(mark)
        if found and not any(m in before for m in ("[]", "{}")):
            for item in declared.each(before):
                yield from _places(item + after, declared)
            return
    yield path


@cache
def _by_first_step(
    table: tuple[Row, ...], version: str, kind: str
) -> dict[str, tuple[Row, ...]]:
    """The rows about fields that this version of the API has."""
    index: dict[str, list[Row]] = {}
    for row in table:
        steps = in_file(row.path, version)
        if has_path(version, kind, named(("spec", *steps))):
            index.setdefault(str(steps[0]), []).append(row)
    return {step: tuple(rows) for step, rows in index.items()}


# ------------------------------------------------------------------------------------
# Rows for fields that take one of a few texts, written in one line


def enum(
    path: str,
    source: str,
    *values: str,
    since: int = 10,
    empty: bool = False,
    when: When | None = None,
    at: AtCommand = "create",
    until: int = STILL,
) -> Row:
    """A row that takes ``values`` alone; ``empty`` if an empty text is none.

    Source of the shape: kops pkg/apis/kops/validation/helpers.go, IsValidValue.
    """
    test = one_of(*values, empty=empty)
    return Row("unsupported-value", path, test, source, since, when, at, values, until)
