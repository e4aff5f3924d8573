"""How a repository calls a place, which need not be how a person called it.

Services that show findings beside the code know a file by its path from the root
of the repository, and only as it is after the change; people name it from the folder
that they are in. This module computes with names and looks at no disk.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kopslint.inputs.sources import STDIN
from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.findings import Finding
    from kopslint.text import Source, Span


class Repository(Record):
    """Where a run takes place; both folders are absolute, with forward slashes.

    ``kept`` says that ``root`` is a repository indeed, and not only a folder.
    """

    root: str
    folder: str
    kept: bool = False

    def path(self, source: Source) -> str:
        """The path of a source from the root, without ``.`` and ``..``.

        What lies elsewhere has its absolute path, and the standard input keeps the
        name that it has.
        """
        if source.path == STDIN:
            return STDIN
        full = posixpath.normpath(posixpath.join(self.folder, source.path))
        return full.removeprefix(self.root.rstrip("/") + "/")

    def holds(self, source: Source) -> bool:
        """Whether a service that shows the repository may know the path of a source.

        Where there is no repository, whoever reads the report has the same disk.
        """
        return not (self.kept and self.path(source).startswith("/"))

    def anchor(self, finding: Finding) -> Anchor:
        """Where a service shows a finding: at its primary place, if that can be.

        A line of the state before the change would be another line after it, and
        what lies outside the repository is rejected. Then it is the next place of
        the finding that can be shown, or a file without a line, or none.
        """
        spans = [place.span for place in finding.locations]
        known = [n for n, span in enumerate(spans) if self.holds(span.source)]
        now = [n for n in known if not spans[n].source.past]
        elsewhere = _told(spans[0]) if spans and now[:1] != [0] else ""
        if not known:
            return Anchor(None, None, None, elsewhere)
        number = (now or known)[0]
        path = self.path(spans[number].source)
        if not now:
            return Anchor(path, None, None, elsewhere)
        return Anchor(path, spans[number], number, elsewhere)


class Anchor(Record):
    """Where a finding is shown.

    ``path`` is that of the repository, None if the finding is about no file there;
    ``span`` is None if it is about the file and no line of it, and otherwise that of
    location ``number`` of the finding. ``elsewhere`` is the primary place of the
    finding, as people name it, if that is another one.
    """

    path: str | None
    span: Span | None
    number: int | None
    elsewhere: str


def _told(span: Span) -> str:
    revision = span.source.revision
    return f"{span} at {revision}" if revision else str(span)
