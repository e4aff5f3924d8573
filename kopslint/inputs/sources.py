"""From what people write on the command line to the texts that it names.

A SRC is a file, a folder, a glob, ``-`` for the standard input, or ``git:REV:PATH``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kopslint.errors import InputError
from kopslint.inputs.boundary import boundary_here
from kopslint.inputs.decode import MAX_BYTES, decode, shown
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STDIN = "<stdin>"


def collect(
    specs: Sequence[str],
    *,
    suffixes: Sequence[str],
    stdin: Callable[[], str],
    forgiving: bool = False,
) -> list[Source]:
    """The texts that ``specs`` name, in that order and each file only once.

    Folders are searched below for files with one of ``suffixes``, sorted, hidden
    ones left out; so are globs, unless the pattern ends in a suffix of its own. A
    file that is named is read whatever it is called. ``stdin`` is called for
    ``-``, and its text is a source called ``<stdin>``. If it is ``forgiving``, a file
    that is no text, and that nobody has named by itself, is a source that says so.

    Raises InputError for what is missing, unreadable or no text, for a folder or a
    glob without any such file, for a second ``-``, and for a link in the repository of
    the current folder that leads out of it.
    """
    sources: list[Source] = []
    seen: set[object] = set()
    boundary = boundary_here()
    for spec in specs:
        if not spec or "\0" in spec:
            raise InputError(
                f"{spec!r} is not the name of an input", hint="name a file or a folder"
            )
        if spec == "-":
            if STDIN in seen:
                raise InputError(
                    "standard input is named twice", hint="name `-` only once"
                )
            seen.add(STDIN)
            sources.append(Source(STDIN, stdin().removeprefix("\ufeff")))
        elif spec.startswith("git:"):
            from kopslint.inputs.git import read_revision

            for source in read_revision(spec, suffixes):
                key = (source.revision, source.path)
                if key not in seen:
                    seen.add(key)
                    sources.append(source)
        else:
            for path in _files(spec, tuple(suffixes)):
                place = os.path.realpath(path)
                if place not in seen:
                    seen.add(place)
                    boundary.refuse_what_leads_out(path, place)
                    named = not forgiving or path == Path(spec)
                    sources.append(_read(path) if named else _read_if_text(path))
    return sources


def _files(spec: str, suffixes: tuple[str, ...]) -> list[Path]:
    """The files that a path or a glob names."""
    path = Path(spec)
    if os.path.isdir(spec):  # noqa: PTH112 - Path.is_dir raises where it may not look.
        files = sorted(_below(path, suffixes))
        if not files:
            raise InputError(
                f"the folder {shown(path)} contains no {_one_of(suffixes)} file",
                hint="name the file directly if it has another ending",
            )
        return files
    if os.path.lexists(spec) or not _is_wild(spec):
        return [path]
    files = sorted(_matching(path, suffixes))
    if not files:
        raise InputError(
            f"the pattern {spec} matches no {_one_of(suffixes)} file",
            hint="check the pattern and the folder you are in",
        )
    return files


def _below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files below ``folder``, through symbolic links but never in circles."""
    visited = {os.path.realpath(folder)}
    for name, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        here = Path(name)
        new = {
            place: child
            for child in sorted(folders, reverse=True)
            if (place := os.path.realpath(here / child)) not in visited
            and not _is_hidden(child)
        }
        visited.update(new)
        folders[:] = sorted(new.values())
        for file in files:
            path = here / file
            if file.endswith(suffixes) and not _is_hidden(file) and _is_file(path):
                yield path


def _matching(pattern: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files that a glob matches; one with its own suffix needs no other.

    The part before the first wildcard is taken as it is. ``**`` does not go
    through symbolic links, which could lead in circles.
    """
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if _is_wild(part))
    folder, wild = Path(*parts[:first]), parts[first:]
    wild = (*wild, "*") if wild[-1] == "**" else wild
    has_suffix = pattern.suffix and not _is_wild(pattern.suffix)
    if any("**" in part and part != "**" for part in wild):
        # Python takes it for one star from 3.13 on.
        raise InputError(
            f"the pattern {pattern} cannot be used: ** stands for whole folders",
            hint="write ** between slashes, as in **/*.yaml",
        )
    try:
        for path in folder.glob("/".join(wild)):
            hidden = any(map(_is_hidden, path.relative_to(folder).parts))
            if hidden and not any(map(_is_hidden, wild)):
                continue
            if (has_suffix or path.name.endswith(suffixes)) and _is_file(path):
                yield path
    except ValueError as error:
        raise InputError(
            f"the pattern {pattern} cannot be used: {error}",
            hint="write ** between slashes",
        ) from None


def _is_file(path: Path) -> bool:
    """Whether a path is a regular file; InputError where one may not look."""
    try:
        return path.is_file()
    except OSError as error:
        _refuse(error)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name != ".."


def _refuse(error: OSError) -> NoReturn:
    path = shown(Path(os.fsdecode(error.filename)))
    raise InputError(
        f"{path} cannot be read: {error.strerror}",
        hint="make it readable, or name another file",
    )


def _read(path: Path) -> Source:
    try:
        # A pipe or a device may never end, or never begin.
        if path.exists() and not path.is_file():
            raise InputError(
                f"{shown(path)} is neither a file nor a folder",
                hint="name a file, or - for standard input",
            )
        with path.open("rb") as file:
            return decode(shown(path), file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        raise InputError(
            f"there is no file or folder {shown(path)}",
            hint="check the name and the folder you are in",
        ) from None
    except OSError as error:
        _refuse(error)


def _read_if_text(path: Path) -> Source:
    try:
        return _read(path)
    except InputError as error:
        source = Source(shown(path), "")
        source.unread = error
        return source


def _one_of(suffixes: tuple[str, ...]) -> str:
    *most, last = suffixes
    return f"{', '.join(most)} or {last}" if most else last


def _is_wild(text: str) -> bool:
    return any(sign in text for sign in "*?[")
