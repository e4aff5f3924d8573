"""How a repository calls a file, which need not be how a person called it.

Services that show findings beside the code know a file by its path from the root
of the repository; people name it from the folder that they are in. This module
computes with names and looks at no disk.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.source.collect import STDIN

if TYPE_CHECKING:
    from kopslint.source.text import Source


class Repository(Record):
    """Where a run takes place; both folders are absolute, with forward slashes."""

    root: str
    folder: str

    def path(self, source: Source) -> str:
        """The path of a source from the root, without ``.`` and ``..``.

        What lies elsewhere has its absolute path, and the standard input keeps the
        name that it has.
        """
        if source.path == STDIN:
            return STDIN
        full = posixpath.normpath(posixpath.join(self.folder, source.path))
        return full.removeprefix(self.root.rstrip("/") + "/")
