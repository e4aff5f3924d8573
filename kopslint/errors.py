"""Every way kopslint can decline to answer, and the exit status of each.

An error is one sentence for a person: what is wrong, where, and what to do.
Findings are not errors; they are results. This module knows no other room.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.text import Span


class KopslintError(Exception):
    """The root of all errors that kopslint raises on purpose.

    ``message`` is one sentence without a trailing newline; ``span`` is where in
    the input it went wrong, if the input has such a place; ``hint`` says what to
    do about it, in the imperative.
    """

    exit_status = 4

    def __init__(
        self, message: str, *, span: Span | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.span}: " if self.span is not None else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"


class InputError(KopslintError):
    """A named input is missing, unreadable, or not what it should be."""

    exit_status = 2


class UsageError(KopslintError):
    """The options do not fit together."""

    exit_status = 2


class RuleError(KopslintError):
    """A rule folder does not hold what a rule folder must hold."""

    exit_status = 2


class NothingCheckedError(KopslintError):
    """The inputs were readable and held nothing to check.

    This is never a pass: a gate that silently checked nothing is worse than no
    gate.
    """

    exit_status = 3


class DefectError(Exception):
    """Something broke that should not; says while kopslint was about what."""


@contextmanager
def defects_name(what: str) -> Iterator[None]:
    """Let what breaks inside name the cluster or the file that it broke at."""
    try:
        yield
    except (KopslintError, DefectError, MemoryError, OSError):
        raise
    except Exception as error:
        name = type(error).__name__
        raise DefectError(f"{what}: {name}: {error}") from error
