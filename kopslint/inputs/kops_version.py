"""Which kops a repository says it uses: in files for tools, and where lists name it.

Nothing is run, and a comment is no evidence. A file is looked for beside the inputs and
above them, as far as the repository goes.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.inputs.boundary import Boundary, boundary_here
from kopslint.inputs.decode import decode, shown
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.inputs.git import Snapshot
    from kopslint.text import Source, Span

# Compiled where one is asked, and kept by ``re``: most folders have no such file.
_VERSION = r"v?(?P<version>1\.\d+(?:\.\d+)?)(?![\w.])"
_ASSIGNED = r"\bKOPS_VERSION\s*(?:\?=|:=|=|:)\s*[\"']?" + _VERSION
# The names of files for tools, and how they say it.
_FOR_TOOLS = {
    ".kops-version": r"^\s*" + _VERSION,
    ".tool-versions": r"^\s*kops\s+" + _VERSION,
    "mise.toml": (
        _MISE := r"^\s*[\"']?(?:\w+:)?(?:[\w.-]+/)*kops[\"']?\s*="
        r"\s*(?:\{\s*version\s*=\s*)?[\"']" + _VERSION
    ),
    ".mise.toml": _MISE,
    "Makefile": _ASSIGNED,
    "Dockerfile": _ASSIGNED,
    ".gitlab-ci.yml": _ASSIGNED,
}
_WORKFLOWS = Path(".github", "workflows")
_IN_LISTS = (
    _ASSIGNED,
    r"(?:^|[\s/;&|(])kops-" + _VERSION + r"(?=\s)",
    r"[\w.-]+/kops(?:-\w+)*:" + _VERSION,
)
_MOST_BYTES = 65_536
_MOST_WORKFLOWS = 50


class SaidVersion(Record):
    """A version of kops and where it is said."""

    version: str
    span: Span

    @property
    def minor(self) -> int:
        """The minor release: 28 of 1.28.7."""
        return int(self.version.split(".")[1])


def said_versions(
    inputs: Iterable[str], lists: Iterable[Source]
) -> tuple[SaidVersion, ...]:
    """The versions that the lists name and, around the inputs, the repository.

    The nearest file of a name counts. What cannot be read says nothing.
    """
    found = [said for each in lists for said in _in(each, _IN_LISTS)]
    names = [text for text in inputs if text and not text.startswith(("-", "git:"))]
    boundary = boundary_here()
    for folder in _folders(names[0] if names else ".", boundary):
        found += [
            said
            for name, pattern in _FOR_TOOLS.items()
            for source in _read(folder / name, boundary)
            for said in _in(source, (pattern,))
        ]
        found += [
            said
            for path in _workflows(folder)
            for source in _read(path, boundary)
            for said in _in(source, (_ASSIGNED,))
        ]
    return tuple(dict.fromkeys(found))


def said_in_snapshot(
    paths: Iterable[str], lists: Iterable[Source], state: Snapshot
) -> tuple[SaidVersion, ...]:
    """The same of a state that git keeps: beside files of it, and above them.

    ``paths`` are those of the files, from the top folder of the repository.
    """
    above = {str(each) for path in paths for each in PurePosixPath(path).parents}
    wanted = {
        path: _FOR_TOOLS.get(posixpath.basename(path), _ASSIGNED)
        for path in state.files
        if (
            (posixpath.dirname(path) or ".") in above
            and posixpath.basename(path) in _FOR_TOOLS
        )
        or _is_workflow(path, above)
    }
    read = state.read(wanted, lambda data: len(data) <= _MOST_BYTES)
    deepest = sorted(read, key=lambda path: (-path.count("/"), path))
    found = [said for each in lists for said in _in(each, _IN_LISTS)]
    found += [said for path in deepest for said in _in(read[path], (wanted[path],))]
    return tuple(dict.fromkeys(found))


def _is_workflow(path: str, above: Iterable[str]) -> bool:
    folder, _, name = path.rpartition("/")
    top = folder.removesuffix(_WORKFLOWS.as_posix()).rstrip("/") or "."
    is_there = folder.endswith(_WORKFLOWS.as_posix()) and top in above
    return is_there and name.endswith((".yml", ".yaml"))


def _folders(first: str, boundary: Boundary) -> Iterator[Path]:
    """The folder of the first input, and those above it in the repository."""
    path = Path(os.path.realpath(first))
    folder = path if path.is_dir() else path.parent
    yield Path(os.path.relpath(folder))
    if boundary.root is not None and folder.is_relative_to(boundary.root):
        while folder != boundary.root:
            folder = folder.parent
            yield Path(os.path.relpath(folder))


def _workflows(folder: Path) -> list[Path]:
    try:
        files = sorted((folder / _WORKFLOWS).iterdir())
    except OSError:
        return []
    return [f for f in files if f.suffix in (".yml", ".yaml")][:_MOST_WORKFLOWS]


def _read(path: Path, boundary: Boundary) -> Iterator[Source]:
    """A file as text; nothing if there is none, or it is not one to be read."""
    try:
        if not path.is_file():
            return
        boundary.refuse_what_leads_out(path)
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) <= _MOST_BYTES:
            yield decode(shown(path), content)
    except (OSError, InputError):
        return


def _in(source: Source, patterns: Iterable[str]) -> Iterator[SaidVersion]:
    if "kops" not in source.text.lower() and not source.path.endswith(".kops-version"):
        return
    for number, line in enumerate(source.lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for pattern in patterns:
            for match in re.finditer(pattern, line):
                first, last = match.span("version")
                span = source.span(number, first + 1, number, last + 1)
                yield SaidVersion(match["version"], span)
