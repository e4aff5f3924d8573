"""The files of a change, on both sides of it: each is read once, and only if wanted.

This module must not know which files belong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kopslint.source.git_change import Change, ChangedFile
    from kopslint.source.git_snapshot import Snapshot
    from kopslint.source.text import Source


class Texts:
    """What was read so far of a change."""

    def __init__(self, change: Change) -> None:
        self._before, self._after = change.before, change.after
        self._changed = {path for file in change.files for path in file if path}
        self._kept: dict[tuple[Snapshot, str], Source] = {}

    def read(
        self, files: Iterable[ChangedFile], wanted: Callable[[bytes], bool]
    ) -> list[ChangedFile]:
        """The files of which at least one side is wanted, read and kept.

        What did not change is the same on both sides, and is not read again if it is
        not wanted. Raises InputError as ``Snapshot.read``.
        """
        files = list(files)
        self._keep(self._after, (file.new for file in files), wanted)
        perhaps = (
            file.old
            for file in files
            if not self._is_same(file) or (self._after, file.new or "") in self._kept
        )
        self._keep(self._before, perhaps, wanted)
        return [file for file in files if any(self.of(file))]

    def of(self, file: ChangedFile) -> tuple[Source | None, Source | None]:
        """What was read of both sides of a file."""
        return (
            self._kept.get((self._before, file.old or "")),
            self._kept.get((self._after, file.new or "")),
        )

    def _keep(
        self,
        side: Snapshot,
        paths: Iterable[str | None],
        wanted: Callable[[bytes], bool],
    ) -> None:
        new = {path for path in paths if path and (side, path) not in self._kept}
        for path, source in side.read(new, wanted).items():
            self._kept[side, path] = source

    def _is_same(self, file: ChangedFile) -> bool:
        return file.old == file.new and file.new not in self._changed
