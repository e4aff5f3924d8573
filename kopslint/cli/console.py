"""Where output goes: what the standard output can show, and files written whole."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.options import ColorWhen
from kopslint.errors import UsageError
from kopslint.records import Record
from kopslint.report.display import Style, visible
from kopslint.report.job_log import Written, inert

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


# Lines longer than this are hard to read, and shorter ones cannot hold a timeline.
_WIDEST = 120
_NARROWEST = 80
_PIPED = 80


def style_for(stream: TextIO, when: ColorWhen, environment: Mapping[str, str]) -> Style:
    """What may be printed to a stream.

    An explicit ``when`` decides about colour, then ``NO_COLOR``, then
    ``FORCE_COLOR`` and ``CLICOLOR_FORCE``, then whether it is a terminal.
    """
    terminal = stream.isatty()
    width = _PIPED
    if terminal:
        from shutil import get_terminal_size

        columns = get_terminal_size().columns
        width = max(_NARROWEST, min(columns, _WIDEST))
    encoding = (stream.encoding or "ascii").lower().replace("_", "-")
    return Style(
        color=_color(terminal, when, environment),
        unicode=encoding.startswith("utf"),
        width=width,
    )


def follows_links(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether links may be written to a stream (OSC 8).

    A terminal that knows none shows their text alone, and a dumb one shows all of it.
    """
    return stream.isatty() and environment.get("TERM", "dumb") != "dumb"


def file_style(when: ColorWhen) -> Style:
    """What may be written to a file; colour only if it was asked for."""
    return Style(color=when is ColorWhen.ALWAYS, unicode=True, width=_PIPED)


def write_output(text: str, written: Written = Written.TEXT) -> None:
    """Write to the standard output; a reader that has left early is no error.

    Nothing in it is a command to whoever runs the job.

    Raises ``UsageError`` if it cannot be written for another reason.
    """
    try:
        sys.stdout.write(inert(text, written))
        sys.stdout.flush()
    except BrokenPipeError:
        _write_nothing_more()
    except OSError as error:
        _write_nothing_more()
        raise UsageError(
            f"standard output cannot be written: {error.strerror}"
        ) from error


def _write_nothing_more() -> None:
    """The interpreter flushes once more at exit, and would complain then."""
    try:
        place = sys.stdout.fileno()
    except OSError:
        # It is no file, and nothing of it is left for the exit.
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, place)
    os.close(null)


def write_file(path: Path, text: str, mode: int | None = None) -> None:
    """Write a file whole or not at all, by default as readable as any other file.

    Raises ``UsageError`` if that fails, and ``InputError`` for a name in the
    repository, or without one in the current folder, of something outside of it.
    """
    from tempfile import mkstemp

    from kopslint.inputs.boundary import boundary_here

    boundary_here(without_git=True).refuse_what_leads_out(path)

    temporary = None
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            # A pipe or a device can only be written to, never replaced.
            path.write_text(text, encoding="utf-8")
            return
        descriptor, temporary = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # Temporary files are private, and what is written here is not.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask if mode is None else mode)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}",
            hint="name a file in an existing folder that you can write to",
        ) from error


def _color(terminal: bool, when: ColorWhen, environment: Mapping[str, str]) -> bool:
    if when is not ColorWhen.AUTO:
        return when is ColorWhen.ALWAYS
    if environment.get("NO_COLOR"):
        return False
    forced = [environment.get(name) for name in ("FORCE_COLOR", "CLICOLOR_FORCE")]
    if any(value not in (None, "", "0") for value in forced):
        return True
    return terminal and environment.get("TERM") != "dumb"


# ------------------------------------------------------------------------------------
# What is said while kopslint works
#
# It goes to the standard error: the standard output is the report's.


def write_aside(line: str) -> None:
    """Write a line to the standard error; nothing in it is a command to anybody."""
    sys.stderr.write(inert(visible(line)) + "\n")


class Voice(Record):
    """How much is said on the standard error besides errors."""

    quiet: bool = False
    verbose: bool = False

    def remark(self, sentence: str) -> None:
        """Says what a person should know unless only findings were asked for."""
        if not self.quiet:
            write_aside(f"kopslint: {sentence}")

    def detail(self, sentence: str) -> None:
        """Says what only matters to somebody who wonders what is going on."""
        if self.verbose:
            write_aside(f"kopslint: {sentence}")

    def progress(self, sentence: str) -> None:
        """Replaces the line at the end of a terminal; an empty one removes it."""
        if not self.quiet and sys.stderr.isatty():
            sys.stderr.write(f"\r{inert(visible(sentence))}\x1b[K")
            sys.stderr.flush()
