"""Files as they were at a revision, read through the git program.

Nothing is checked out, locked, configured or fetched, and no hook or filter runs:
only objects that are already here are read. This module must not know what the
files hold.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.records import Record
from kopslint.source.decode import MAX_BYTES, decode, shown, too_large
from kopslint.source.git_program import Git, lacks_content, lacks_history
from kopslint.source.git_snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.source.text import Source

# A hook inherits the first three from git and they would point it elsewhere.
_UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
_REGULAR_FILES = frozenset({"100644", "100755"})


class _Blob(Record):
    """A file of a revision; ``path`` is relative to the root of the repository."""

    path: PurePosixPath
    name: str
    size: int


def read_revision(spec: str, suffixes: Sequence[str]) -> list[Source]:
    """The files that ``git:REV:PATH`` names, sorted by path.

    PATH is a file or a folder, relative to the current folder as any other input;
    in a folder only files with one of ``suffixes`` count, and hidden ones do not.
    The sources are called as the same files on the disk would be, with REV as
    their revision.

    Raises InputError if git, the repository, the revision or the path is missing,
    and for files that are no text.
    """
    revision, colon, written = spec.removeprefix("git:").partition(":")
    if not colon or not revision or revision.startswith("-"):
        raise InputError(
            f"{spec} does not name a revision and a path",
            hint="write git:REV:PATH, for example git:main:cluster.yaml",
        )
    path = Path(os.path.abspath(written or "."))  # noqa: PTH100 - Keeps symbolic links.
    folder = _existing_folder(path)
    repository = _Repository(folder)
    root = repository.root(spec)
    below = PurePosixPath(
        os.path.relpath(Path(folder.resolve(), path.relative_to(folder)), root)
    )
    commit = repository.commit(spec, revision)
    blobs = [
        blob
        for blob in repository.blobs(spec, commit, below)
        if blob.path == below or _wanted(blob.path.relative_to(below), suffixes)
    ]
    if not blobs:
        raise InputError(
            f"{revision} has no file or folder to read at {shown(Path(written))}",
            hint="check the path; it is relative to the current folder",
        )
    sources = []
    for blob in blobs:
        called = shown(Path(written, blob.path.relative_to(below)))
        if blob.size > MAX_BYTES:
            raise too_large(called)
        sources.append(decode(called, repository.read(spec, blob), revision))
    return sources


def snapshot_of(revision: str, path: str) -> Snapshot:
    """All files at a revision, in the repository that ``path`` lies in.

    ``path`` need not exist now. Raises InputError as ``read_revision``.
    """
    repository = _Repository(_existing_folder(Path(os.path.abspath(path))))  # noqa: PTH100
    spec = f"git:{revision}:{path}"
    root, commit = repository.root(spec), repository.commit(spec, revision)
    return Snapshot(repository.git, root, revision, commit)


def _existing_folder(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if os.path.isdir(p))  # noqa: PTH112


def _wanted(path: PurePosixPath, suffixes: Sequence[str]) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.name.endswith(tuple(suffixes))


class _Repository:
    """The repository that a folder lies in."""

    def __init__(self, folder: Path) -> None:
        inherited = {k: v for k, v in os.environ.items() if k not in _UNSET}
        self.git = Git(folder, inherited)

    def root(self, spec: str) -> Path:
        """The top folder of the work tree."""
        try:
            return self.git.root()
        except InputError as error:
            raise InputError(
                f"{spec} cannot be read: {error.message}", hint=error.hint
            ) from None

    def commit(self, spec: str, revision: str) -> str:
        """The full name of the commit that ``revision`` means."""
        result = self.git.ask("rev-parse", "--verify", f"{revision}^{{commit}}")
        if result.returncode == 0:
            return result.stdout.decode().strip()
        if self.git.is_shallow():
            raise _about(spec, lacks_history(revision))
        raise InputError(
            f"{spec}: there is no revision {revision}",
            hint="check the name, or fetch it first; a remote branch is origin/NAME",
        )

    def blobs(self, spec: str, commit: str, path: PurePosixPath) -> list[_Blob]:
        """The regular files at or below ``path``, sorted."""
        where = () if path == PurePosixPath() else (str(path),)
        result = self.git.ask(
            "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *where
        )
        if result.returncode != 0:
            raise _about(spec, lacks_content())
        found = []
        for line in result.stdout.split(b"\0")[:-1]:
            about, _, name = line.partition(b"\t")
            mode, _, blob, size = about.decode().split()
            if mode in _REGULAR_FILES:
                found.append(_Blob(PurePosixPath(os.fsdecode(name)), blob, int(size)))
        return sorted(found)

    def read(self, spec: str, blob: _Blob) -> bytes:
        """The bytes of a file."""
        result = self.git.ask("cat-file", "blob", blob.name)
        if result.returncode != 0:
            raise _about(spec, lacks_content())
        return result.stdout


def _about(spec: str, error: InputError) -> InputError:
    """The same error for whoever asked for ``spec``."""
    return InputError(f"{spec}: {error.message}", hint=error.hint)
