"""Where the repository of the current folder is, found without asking git.

Git takes any folder that looks like a repository for one, and a pull request can commit
such a folder, with a configuration that starts programs. Here only ``.git`` of the
current folder or of one above it counts, which no tree of git can hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.inputs.decode import shown
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINK = "gitdir: "
_LONGEST_LINK = 4096


class Repository(Record):
    """A work tree and what git keeps about it; both are real paths."""

    root: Path
    git_folder: Path


def repository_here(
    environment: Mapping[str, str], folder: Path | None = None
) -> Repository:
    """The repository that a folder lies in, by default the current one.

    Raises InputError if there is none, if the current folder has no work tree, and for
    a ``.git`` that is no folder of git, that lies in the work tree, or that belongs to
    another work tree. A variable that names another repository is refused too.
    """
    here = Path(os.path.realpath(folder or Path.cwd()))
    root = next((each for each in (here, *here.parents) if _has_git(each)), None)
    if root is None:
        raise InputError(
            "not a git repository (or any of the parent directories): .git",
            hint="run it inside a clone of the repository",
        )
    repository = Repository(root, _git_folder(root / ".git"))
    if here.is_relative_to(repository.git_folder):
        raise without_work_tree()
    named = environment.get("GIT_DIR")
    if named and Path(os.path.realpath(named)) != repository.git_folder:
        raise InputError(
            f"GIT_DIR names {shown(Path(named))}, but the repository of the current"
            f" folder is {shown(repository.git_folder)}",
            hint="unset GIT_DIR, or run it in the work tree of that repository",
        )
    return repository


def is_enclosed(root: Path) -> bool:
    """Whether a work tree lies in that of another repository."""
    return any(map(_has_git, root.parents))


def without_work_tree() -> InputError:
    """The error to raise where git keeps its own files and nobody else's."""
    return InputError(
        "this repository has no work tree here",
        hint="run it inside a clone that has files, not in a bare one or in .git",
    )


def _has_git(folder: Path) -> bool:
    """Whether git would take ``.git`` in a folder for a repository, or for its name.

    It passes by an empty folder that is called so.
    """
    place = folder / ".git"
    # The methods of Path raise where one may not look.
    return os.path.isfile(place) or _is_git_folder(place)  # noqa: PTH113


def _is_git_folder(place: Path) -> bool:
    """Whether a folder is what git keeps: of a clone, or of a further work tree."""
    own = all(os.path.isdir(place / name) for name in ("objects", "refs"))  # noqa: PTH112
    shared = os.path.isfile(place / "commondir")  # noqa: PTH113
    return os.path.lexists(place / "HEAD") and (own or shared)


def _git_folder(place: Path) -> Path:
    """The folder that ``.git`` is or names."""
    folder = _named_in(place) if os.path.isfile(place) else place  # noqa: PTH113
    folder = Path(os.path.realpath(folder))
    if not _is_git_folder(folder):
        raise InputError(
            f"{shown(place)} names {shown(folder)}, which is not a repository",
            hint="check git status; git worktree repair fixes a moved one",
        )
    inside = folder.is_relative_to(place.parent)
    if inside and folder != Path(os.path.realpath(place.parent), ".git"):
        raise InputError(
            f"{shown(place)} names a repository inside its own work tree",
            hint="a work tree cannot contain its own repository",
        )
    back = folder / "gitdir"
    if os.path.isfile(back):  # noqa: PTH113
        # Of a further work tree git notes where that is. A moved one is fixed first.
        noted = folder / _text(back).strip()
        if os.path.realpath(noted) != os.path.realpath(place):
            raise InputError(
                f"{shown(place)} names the repository of another work tree,"
                f" {shown(noted.parent)}",
                hint="if it was moved here: git worktree repair",
            )
    return folder


def _named_in(place: Path) -> Path:
    text = _text(place)
    if not text.startswith(_LINK):
        raise InputError(
            f"{shown(place)} does not name a repository",
            hint="check git status",
        )
    return place.parent / text.removeprefix(_LINK).rstrip("\r\n")


def _text(place: Path) -> str:
    try:
        with place.open("rb") as file:
            return os.fsdecode(file.read(_LONGEST_LINK))
    except OSError as error:
        raise InputError(
            f"{shown(place)} cannot be read: {error.strerror}", hint="make it readable"
        ) from None
