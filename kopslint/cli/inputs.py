"""From the words of the command line to the engine's request."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from kopslint.cli.options import StdinAs
from kopslint.errors import InputError, UsageError
from kopslint.source.collect import STDIN, collect
from kopslint.source.decode import MAX_BYTES, decode
from kopslint.source.text import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.engine import Request

SPEC_SUFFIXES = (".yaml", ".yml", ".json")
# The name tells how a list is written, and the standard input has none of its own.
_STDIN_NAMES = {StdinAs.MARKDOWN: f"{STDIN}.md", StdinAs.SHELL: f"{STDIN}.sh"}
COMMAND_SUFFIXES = (".sh", ".bash", ".md", ".markdown", ".txt", ".yaml", ".yml")


def read_request(
    before: Sequence[str],
    after: Sequence[str],
    commands: Sequence[str],
    stdin_as: StdinAs | None = None,
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
    request = Request(
        before=tuple(map(_past, specs(before))) if before else None,
        after=tuple(specs(after)) if after else None,
        commands=read_commands(commands, stdin_as),
    )
    if not request.commands:
        return request
    from kopslint.source.at_hand import files_at_hand

    known = (*(request.before or ()), *(request.after or ()))
    return request._replace(at_hand=files_at_hand(request.commands, known))


def read_commands(
    commands: Sequence[str], stdin_as: StdinAs | None = None
) -> tuple[Source, ...]:
    """The command lists that were named.

    ``stdin_as`` is how the standard input is written; None leaves that to be
    guessed. Raises ``InputError`` as ``collect``, and ``UsageError`` for a
    ``stdin_as`` without ``-``.
    """
    if stdin_as is not None and "-" not in commands:
        raise UsageError(
            "--stdin-as says how commands on the standard input are written, and"
            " none are read from there",
            hint="name - as the commands, or leave out --stdin-as",
        )
    sources = collect(commands, suffixes=COMMAND_SUFFIXES, stdin=_stdin)
    if stdin_as is None:
        return tuple(sources)
    name = _STDIN_NAMES[stdin_as]
    return tuple(Source(name, s.text) if s.path == STDIN else s for s in sources)


def _past(source: Source) -> Source:
    """A text of the state before; on the disk it is still there all the same."""
    revision = source.revision
    return Source(source.path, source.text, revision, past=revision is not None)


def _stdin() -> str:
    if sys.stdin is None:
        raise InputError("the standard input is closed", hint="name a file")
    return decode(STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)).text
