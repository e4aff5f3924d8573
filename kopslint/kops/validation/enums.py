"""Rows for fields that take one of a few texts, written in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.rows import Row
from kopslint.kops.validation.values import one_of

if TYPE_CHECKING:
    from kopslint.kops.validation.rows import When
    from kopslint.kops.validation.violation import AtCommand


def enum(
    path: str,
    source: str,
    *values: str,
    since: int = 10,
    empty: bool = False,
    when: When | None = None,
    at: AtCommand = "create",
) -> Row:
    """A row that takes ``values`` alone; ``empty`` if an empty text is none.

    Source of the shape: kops pkg/apis/kops/validation/helpers.go, IsValidValue.
    """
    test = one_of(*values, empty=empty)
    return Row("unsupported-value", path, test, source, since, when, at, values)
