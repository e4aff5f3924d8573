"""The options of ``kopslint plan``, apart so that ``--help`` loads nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class PlanFormat(StrEnum):
    """The forms of a plan."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class Target(StrEnum):
    """Who changes the cloud."""

    DIRECT = "direct"
    TERRAFORM = "terraform"


class PlanOptions(Record):
    """The options of one plan, as they were given."""

    before: Sequence[str]
    after: Sequence[str]
    form: PlanFormat = PlanFormat.TEXT
    target: Target = Target.DIRECT
    out: Path | None = None
