"""From the words of the command line to the engine's request."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from kopslint.errors import InputError, UsageError
from kopslint.source.collect import STDIN, collect
from kopslint.source.decode import MAX_BYTES, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.engine import Request
    from kopslint.source.text import Source

SPEC_SUFFIXES = (".yaml", ".yml", ".json")
COMMAND_SUFFIXES = (".sh", ".bash", ".md", ".markdown", ".txt", ".yaml", ".yml")


def read_request(
    before: Sequence[str], after: Sequence[str], commands: Sequence[str]
) -> Request:
    """Read what the options name.

    Raises ``UsageError`` if they name nothing to check, or ``-`` more than once,
    and ``InputError`` for what cannot be read.
    """
    from kopslint.engine import Request

    if not after and not commands:
        raise UsageError(
            "there is nothing to check yet",
            hint="name the spec after the change (kopslint check after.yaml"
            " --before before.yaml), the commands (--commands plan.sh), or both, or"
            " take the change from git (--changed)",
        )
    if [*before, *after, *commands].count("-") > 1:
        raise UsageError(
            "the standard input can be read only once",
            hint="put all inputs but one into files",
        )
    specs = partial(collect, suffixes=SPEC_SUFFIXES, stdin=_stdin)
    return Request(
        before=tuple(specs(before)) if before else None,
        after=tuple(specs(after)) if after else None,
        commands=read_commands(commands),
    )


def read_commands(commands: Sequence[str]) -> tuple[Source, ...]:
    """The command lists that were named. Raises ``InputError`` as ``collect``."""
    return tuple(collect(commands, suffixes=COMMAND_SUFFIXES, stdin=_stdin))


def _stdin() -> str:
    if sys.stdin is None:
        raise InputError("the standard input is closed", hint="name a file")
    return decode(STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)).text
