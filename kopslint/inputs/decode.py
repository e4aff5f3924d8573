"""Bytes to text, or one sentence why these bytes are no text."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.text import Source

if TYPE_CHECKING:
    from pathlib import PurePath

MAX_BYTES = 8 * 1024 * 1024
_LONGEST_NUMBER = 1_000
_NUMBER = b"[0-9]{%d}" % _LONGEST_NUMBER
_BOM = b"\xef\xbb\xbf"
_GIT_CRYPT = b"\0GITCRYPT\0"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def decode(
    path: str, data: bytes, revision: str | None = None, *, past: bool = False
) -> Source:
    """The source called ``path`` that holds ``data``, without a byte order mark.

    Raises InputError for data that is longer than ``MAX_BYTES``, binary, UTF-16,
    or not UTF-8; the last with the place of the first wrong byte.
    """
    if len(data) > MAX_BYTES:
        raise too_large(path)
    if data.startswith(_GIT_CRYPT):
        raise InputError(
            f"{path} is encrypted by git-crypt",
            hint="run git-crypt unlock, or leave the file out",
        )
    if data.startswith(_UTF16_BOMS) or b"\0" in data[:2]:
        raise InputError(f"{path} is UTF-16", hint="convert it to UTF-8")
    if b"\0" in data:
        raise InputError(f"{path} is binary", hint="name a text file")
    data = data.removeprefix(_BOM)
    try:
        if len(data) > _LONGEST_NUMBER and (number := re.search(_NUMBER, data)):
            raise _long_number(path, data, number.start())
        return Source(path, data.decode(), revision, past=past)
    except UnicodeDecodeError as error:
        source = Source(path, data.decode(errors="replace"), revision)
        before = Source(path, data[: error.start].decode()).lines
        line, column = len(before), len(before[-1]) + 1
        raise InputError(
            f"the byte 0x{data[error.start]:02X} is not UTF-8",
            span=source.span(line, column, line, column + 1),
            hint="convert the file to UTF-8",
        ) from None


def _long_number(path: str, data: bytes, start: int) -> InputError:
    """Python takes quadratic time for a long number, and refuses longer ones."""
    source = Source(path, data.decode())
    before = data[:start].decode().split("\n")
    line, column = len(before), len(before[-1]) + 1
    return InputError(
        f"a number of more than {_LONGEST_NUMBER:,} digits",
        span=source.span(line, column, line, column + 1),
        hint="write a smaller number",
    )


def shown(path: PurePath) -> str:
    """The path as people name it: forward slashes, and only bytes that are text."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def too_large(path: str) -> InputError:
    """The error to raise for an input longer than ``MAX_BYTES``."""
    return InputError(
        f"{path} is larger than {MAX_BYTES // 1024**2} MiB",
        hint="name the spec itself, not an archive or a dump",
    )
