"""Files that command lists name without anybody having named them as an input.

A script sources another one, a runbook stores a spec on the way from before to after.
Both are looked for by their names alone, before any list is read: beside the list and
in the current folder. A list may come from a stranger, so nothing outside these two
folders is ever opened.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import deque
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.inputs.decode import MAX_BYTES, decode, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kopslint.inputs.git import Snapshot
    from kopslint.text import Source

    # By its path from the current folder, if it lies in one of the folders.
    Read = Callable[[str, tuple[str, ...]], Source | None]

MOST_FILES = 64
MOST_NAMES = 1_000
_LONGEST_NAME = 1_000

_DATA = (".yaml", ".yml", ".json")
_SCRIPTS = (".sh", ".bash", ".env", ".inc")
# None gives back what it has matched: a hostile line must not cost its square.
_OUTPUT = re.compile(r"\$\([^()\n]*+\)|\$\{\{[^{}\n]*+\}\}")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w*+)[^{}\n]*+\})")
_ASSIGNED = re.compile(r"(?:^|(?<=[\s;]))(\w{1,99})=([\w./$-]{1,200})(?![^\s;])")
_SOURCED = re.compile(r"(?:^|(?<=[\s;&|({]))(?:source|\.)[ \t]++([^\s;|&<>()]++)")
_WORD = re.compile(r"[^\s'\"`;|&<>(){}=,:\[\]\\]+")
_GONE_TO = re.compile(
    r"(?:^|(?<=[\s;&|({`]))(?:cd|pushd)[ \t]++[\"']?([\w.][\w./-]*+)", re.MULTILINE
)
_MOST_FOLDERS = 8


def files_at_hand(
    lists: Iterable[Source], known: Iterable[Source] = ()
) -> tuple[Source, ...]:
    """The files that ``lists`` name, and those that the scripts among them name.

    A name is looked up beside the file that has it, beside its list, and then from
    the current folder, then in the folders that the text changes to from these, on the
    disk or at the revision of its list. Only relative names
    count, and only regular files that lie, links followed, below the folder of the
    list or the current folder, not in ``.git``; at most ``MOST_FILES`` of them. What is
    missing, unreadable, too large or no text is not at hand. A file that is one of
    ``lists`` or ``known`` is that very source.
    """
    lists = tuple(lists)
    known = (*lists, *known)
    found: list[Source] = []
    for revision in dict.fromkeys(source.revision for source in lists):
        here = tuple(source for source in lists if source.revision == revision)
        if revision is None:
            found.extend(_found(here, known, _from_disk))
            continue
        from kopslint.inputs.git import snapshot_of

        try:
            snapshot = snapshot_of(revision)
            found.extend(files_in_snapshot(here, known, snapshot))
        except InputError:
            continue
    return tuple(found)


def files_in_snapshot(
    lists: Iterable[Source], known: Iterable[Source], snapshot: Snapshot
) -> tuple[Source, ...]:
    """As ``files_at_hand``, but all of it as ``snapshot`` has it.

    Raises InputError if git cannot list its files.
    """

    def read(path: str, folders: tuple[str, ...]) -> Source | None:
        place = os.path.abspath(path)  # noqa: PTH100 - a tree has no links to follow.
        kept = Path(os.path.relpath(place, snapshot.root)).as_posix()
        inside = _is_inside(place, map(os.path.abspath, folders))
        if not inside or kept not in snapshot.files:
            return None
        try:
            return snapshot.read([kept], lambda _: True).get(kept)
        except InputError:
            return None

    return _found(tuple(lists), known, read)


def _from_disk(path: str, folders: tuple[str, ...]) -> Source | None:
    try:
        place = Path(os.path.realpath(path))
        # A pipe or a device may never end.
        if _is_inside(place, map(os.path.realpath, folders)) and place.is_file():
            with place.open("rb") as file:
                return decode(shown(Path(path)), file.read(MAX_BYTES + 1))
    except (OSError, ValueError, InputError):
        # A ValueError is for a name that no file can have.
        pass
    return None


def _is_inside(place: str | Path, folders: Iterable[str]) -> bool:
    """Whether a place lies below one of the folders, and not in what git keeps."""
    below = (
        Path(place).relative_to(folder)
        for folder in folders
        if Path(place).is_relative_to(folder)
    )
    return any(".git" not in map(str.lower, path.parts) for path in below)


def _found(
    lists: tuple[Source, ...], known: Iterable[Source], read: Read
) -> tuple[Source, ...]:
    inputs = {(source.path, source.revision): source for source in known}
    tried: dict[tuple[str, tuple[str, ...]], Source | None] = {}
    found: dict[Source, None] = {}
    waiting = deque((text, (_folder(text), "")) for text in lists)
    while waiting:
        text, folders = waiting.popleft()
        starts = dict.fromkeys((_folder(text), *folders))
        entered = islice(dict.fromkeys(_GONE_TO.findall(text.text)), _MOST_FOLDERS)
        moved = (posixpath.join(start, to) for to in entered for start in starts)
        places = dict.fromkeys((*starts, *moved))
        for name in islice(names_in(text.text), MOST_NAMES):
            for folder in places:
                path = posixpath.normpath(posixpath.join(folder, name))
                if (path, folders) not in tried:
                    tried[path, folders] = read(path, folders)
                source = tried[path, folders]
                if source is None:
                    continue
                source = inputs.get((source.path, source.revision), source)
                if source not in found:
                    found[source] = None
                    if len(found) == MOST_FILES:
                        return tuple(found)
                    if not path.endswith(_DATA):
                        waiting.append((source, folders))
                break
    return tuple(found)


def _folder(source: Source) -> str:
    return posixpath.dirname(source.path)


def names_in(text: str) -> Iterator[str]:
    """What looks like the relative name of a file in a command list, each name once.

    That is a word that ends as specs and scripts do, what is sourced, and what is
    started by its path. A folder that only a program prints, or a variable that nothing
    sets, stands for the folder of the list: ``"$(dirname "$0")/lib.sh"`` is ``lib.sh``.
    """
    flat = text.replace('"', "").replace("'", "")
    for _ in range(3):
        flat = _OUTPUT.sub("$", flat)
    values = dict(_ASSIGNED.findall(flat))
    # Variables that hold variables could make any text explode.
    left = iter(range(MOST_NAMES))

    def value(variable: re.Match[str]) -> str:
        known = values.get(variable[1] or variable[2])
        return known if known is not None and next(left, None) is not None else "$"

    for _ in range(2):
        flat = _VARIABLE.sub(value, flat)
    # What stands behind ``:-`` in a variable is a name too.
    written = (flat, text.replace(":-", " "))
    words = (word.rstrip(".") for part in written for word in _WORD.findall(part))
    named = (w for w in words if w.startswith("./") or w.endswith(_DATA + _SCRIPTS))
    for word in dict.fromkeys((*_SOURCED.findall(flat), *named)):
        name = word.removeprefix("$/")
        known = name and "$" not in name and len(name) <= _LONGEST_NAME
        if known and not name.startswith(("/", "~")):
            yield name
