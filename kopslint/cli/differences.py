"""The glue between ``kopslint diff`` and the room that compares specs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.cli.options import Format


def render_differences(
    before: Sequence[str], after: Sequence[str], form: Format
) -> str:
    """What changes from the specs ``before`` to the specs ``after``."""
    raise UsageError(
        f"comparing {', '.join(before)} with {', '.join(after)} as {form}"
        " is not possible in this version"
    )
