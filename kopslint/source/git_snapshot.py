"""All files of a repository at one moment: in a commit, in the index, on the disk.

Names are listed first and contents are read only for the files that are asked for.
This module must not know what the files hold, nor what changed.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.source.decode import MAX_BYTES, decode, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kopslint.source.git_program import Git
    from kopslint.source.text import Source

REGULAR_FILES = frozenset({"100644", "100755"})
# How ``git ls-files -t`` marks what it keeps (and skips on the disk, or cannot merge),
# what is no longer on the disk, and what it does not know.
_KEPT, _DELETED, _UNKNOWN = "HSM", "R", "?"


class Snapshot:
    """A state of the repository that git keeps: a tree, or without one the index.

    ``root`` is the top folder of the repository, to which all paths are relative.
    ``title`` is what people call this state, and ``past`` says that a change leaves
    it behind.
    """

    def __init__(
        self,
        git: Git,
        root: Path,
        title: str,
        tree: str | None,
        *,
        past: bool = False,
    ) -> None:
        self._git = git
        self._past = past
        self.root = root
        self.title = title
        self.tree = tree

    @cached_property
    def files(self) -> Mapping[str, str | None]:
        """The regular files, each with the name of its blob if git has one."""
        if self.tree is None:
            listed = self._git.fields("ls-files", "--stage", "-z")
        else:
            listed = self._git.fields("ls-tree", "-r", "-z", "--full-tree", self.tree)
        return dict(_entries(listed))

    def read(
        self, paths: Iterable[str], wanted: Callable[[bytes], bool]
    ) -> dict[str, Source]:
        """The files among ``paths`` whose bytes are wanted, by path.

        They are called as the same files on the disk would be. Paths that this
        state does not have, and files larger than ``MAX_BYTES``, are left out.

        Raises InputError for wanted files that are no text or not in this clone.
        """
        return {
            path: decode(self.called(path), data, self._revision, past=self._past)
            for path, data in self._contents(sorted({*paths} & {*self.files}))
            if data is not None and wanted(data)
        }

    def called(self, path: str) -> str:
        """The path as people name it from the current folder."""
        return shown(Path(os.path.relpath(self.root / path)))

    @property
    def _revision(self) -> str | None:
        return self.title

    def _contents(self, paths: list[str]) -> Iterator[tuple[str, bytes | None]]:
        names = [name for path in paths if (name := self.files[path])]
        if not names:
            return
        # Both are in the same order, and two paths may have the same blob.
        for path, (_, data) in zip(paths, self._git.blobs(names), strict=True):
            yield path, data


class WorkTree(Snapshot):
    """The files on the disk, new ones too, unless git is told to ignore them."""

    def __init__(self, git: Git, root: Path) -> None:
        super().__init__(git, root, "the work tree", None)

    @cached_property
    def files(self) -> Mapping[str, str | None]:
        """The regular files, each with the name of its blob if git has one."""
        kept = dict(_entries(self._listed(_KEPT)))
        for line in self._listed(_DELETED):
            kept.pop(line.partition("\t")[2], None)
        return {**kept, **dict.fromkeys(self.new)}

    @cached_property
    def new(self) -> tuple[str, ...]:
        """The regular files that git does not know yet."""
        others = self._listed(_UNKNOWN)
        return tuple(path for path in others if _is_regular(self.root / path))

    def _listed(self, tags: str) -> Iterator[str]:
        """What git lists with one of ``tags``, without it."""
        return (line[2:] for line in self._all if line[0] in tags)

    @cached_property
    def _all(self) -> list[str]:
        """Everything at once, because starting git takes longer than its answer."""
        what = ("--cached", "--deleted", "--others", "--exclude-standard")
        return self._git.fields("ls-files", "-t", "--stage", *what, "-z")

    @property
    def _revision(self) -> str | None:
        return None

    def _contents(self, paths: list[str]) -> Iterator[tuple[str, bytes | None]]:
        absent = []
        for path in paths:
            try:
                # Hundreds are read to find those of one cluster, and a path object, a
                # buffer, and room for the largest file each take longer than reading.
                name = os.path.join(self.root, path)  # noqa: PTH118
                with open(name, "rb", buffering=0) as file:  # noqa: PTH123
                    is_small = os.fstat(file.fileno()).st_size <= MAX_BYTES
                    data = file.read() if is_small else None
            except FileNotFoundError:
                absent.append(path)
            except OSError as error:
                raise InputError(
                    f"{self.called(path)} cannot be read: {error.strerror}",
                    hint="make it readable",
                ) from None
            else:
                yield path, data
        # A sparse checkout has files that are only in the index.
        yield from super()._contents(absent)


def _entries(listed: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Path and blob of every regular file in a listing of a tree or the index.

    A tree's line is ``mode type name``, the index's ``mode name stage``.
    """
    for line in listed:
        about, _, path = line.partition("\t")
        mode, second, third = about.split()
        if mode in REGULAR_FILES:
            yield path, third if second == "blob" else second


def _is_regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
