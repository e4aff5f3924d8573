"""How far a name in a repository may lead: not out of it.

A pull request can commit a link to anywhere. What is named inside the repository of the
current folder must lie there, links followed, and not among what git keeps; what is
named outside of it, whoever calls kopslint has named. This module must not know what is
read or written.
"""

from __future__ import annotations

import os
from pathlib import Path

from kopslint.errors import InputError
from kopslint.inputs.decode import shown
from kopslint.records import Record

_GIT = ".git"


class Boundary(Record):
    """The top folder of a repository, a real path; None where there is none."""

    root: Path | None

    def refuse_what_leads_out(self, path: Path, place: str | None = None) -> None:
        """Raise InputError for a name in the repository of something that is outside.

        ``place`` is where the name leads, if that is known already.
        """
        if self.root is None:
            return
        place = os.path.realpath(path) if place is None else place
        named = Path(os.path.abspath(path))  # noqa: PTH100 - Keeps symbolic links.
        if Path(place).is_relative_to(self.root):
            kept = _GIT in Path(place).relative_to(self.root).parts
            if not kept or _GIT in named.parts:
                return
        elif not any(
            os.path.realpath(each) == str(self.root) for each in (named, *named.parents)
        ):
            return
        raise InputError(
            f"{shown(path)} is a link that leads out of the repository",
            hint="put the file there, or name the target",
        )


def boundary_here(*, without_git: bool = False) -> Boundary:
    """The repository that the current folder lies in.

    ``without_git`` takes the current folder itself where it lies in none.
    """
    here = Path(os.path.realpath(Path.cwd()))
    folders = (here, *here.parents)
    # Path.exists raises where one may not look.
    found = (each for each in folders if os.path.lexists(each / _GIT))
    return Boundary(next(found, here if without_git else None))
