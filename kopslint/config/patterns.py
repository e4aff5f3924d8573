"""Patterns for paths, as a configuration writes them.

``*`` and ``?`` stay inside a folder, ``**`` does not, ``{cluster}`` is the part of
the path that names a cluster, a pattern that begins with ``!`` takes back what
those before it matched, and nothing but a dot matches a leading dot. This module
knows strings only, never files.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.discovery.calls import Given


CLUSTER = "{cluster}"

EVERY_CLUSTER = "*"
"""Stands for all clusters where command lists are given without naming any."""

_PARTS = r"(?s)\*\*/|\*\*|\*|\?|\[!?\]?[^]/]*\]|\{cluster\}|."
_NOT_HIDDEN = r"(?!\.)"


class Match(Record):
    """That a path matches; ``cluster`` is what stands for ``{cluster}``, if it does."""

    cluster: str | None = None


class Patterns:
    """Several patterns; the last one that has something to say about a path decides."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Raises ValueError, with a sentence, for a text that is no pattern."""
        self.texts = tuple(texts)
        self._compiled = tuple(
            (text.startswith("!"), _compile(text.removeprefix("!")))
            for text in self.texts
        )

    def match(self, path: str) -> Match | None:
        """Whether ``path``, relative and with forward slashes, is meant."""
        for taken_back, pattern in reversed(self._compiled):
            found = pattern.fullmatch(path)
            if found is not None:
                return None if taken_back else Match(found.groupdict().get("cluster"))
        return None


class Layout(Record):
    """Which files of a repository are specs and commands, relative to ``folder``.

    Without ``specs`` every YAML or JSON file may be one. ``commands`` are patterns,
    each with the cluster that they are for, if they do not name it themselves.
    ``templates`` are those with their values.
    """

    folder: str
    specs: Patterns | None = None
    commands: tuple[tuple[str | None, Patterns], ...] = ()
    templates: tuple[Given, ...] = ()


MOST_STARS = 4
"""How many ``*`` one part of a path may have, and how many ``**`` a pattern: with each
the time to match it grows by a power."""


def _compile(text: str) -> re.Pattern[str]:
    """A folder, named with a slash behind it, means everything below."""
    text = text.removeprefix("./")
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise ValueError(f"{text!r} is not a path below the configuration's folder")
    if text.endswith("/"):
        text += "**"
    parts = [part for part in text.split("/") if part != "**"]
    if text.count("**") > MOST_STARS or any(p.count("*") > MOST_STARS for p in parts):
        raise ValueError(f"{text!r} has more than {MOST_STARS} stars in one part")
    pieces: list[str] = []
    named = False
    for token in re.findall(_PARTS, text):
        start = not pieces or pieces[-1].endswith("/")
        if token == CLUSTER:
            pieces.append("(?P=cluster)" if named else "(?P<cluster>[^/]+)")
            named = True
        else:
            pieces.append(_expression(token))
        if start and token in ("*", "?", CLUSTER):
            pieces[-1] = _NOT_HIDDEN + pieces[-1]
    try:
        return re.compile("".join(pieces))
    except re.error as error:
        raise ValueError(f"{text} is not a pattern: {error}") from None


def _expression(token: str) -> str:
    match token:
        case "**/":
            return rf"(?:{_NOT_HIDDEN}[^/]+/)*"
        case "**":
            return rf"(?:{_NOT_HIDDEN}[^/]+/)*{_NOT_HIDDEN}[^/]+"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if len(token) > 1:
        return "[" + token[1:-1].replace("\\", r"\\").replace("!", "^", 1) + "]"
    return re.escape(token)


# ------------------------------------------------------------------------------------
# The files on the disk that a configuration's patterns mean


def spec_files(layout: Layout) -> list[Path]:
    """The configured specs, sorted; none if the configuration names none."""
    return _files(Path(layout.folder), [layout.specs] if layout.specs else [])


def command_files(layout: Layout) -> list[Path]:
    """The configured command lists, sorted."""
    return _files(Path(layout.folder), [patterns for _, patterns in layout.commands])


def _files(folder: Path, several: Iterable[Patterns]) -> list[Path]:
    """Every pattern is first made wider than it is, and then asked itself."""
    return sorted(
        {
            path
            for patterns in several
            for text in patterns.texts
            if not text.startswith("!")
            for path in folder.glob(_glob(text))
            if patterns.match(path.relative_to(folder).as_posix())
            # Path.is_file raises where one may not look.
            and os.path.isfile(path)  # noqa: PTH113
        }
    )


def _glob(text: str) -> str:
    glob = text.removeprefix("./").replace(CLUSTER, "*")
    if glob.endswith("/"):
        glob += "**"
    return f"{glob}/*" if glob.endswith("**") else glob
