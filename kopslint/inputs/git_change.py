"""Which files differ between two states of a repository.

The states are found the way people mean them: against the default branch, and from
where both parted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.inputs.git import REGULAR_FILES, Git, Snapshot, WorkTree, lacks_history
from kopslint.records import Record
from kopslint.text import INDEX

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUBMODULE, _FILE, _LINK = "160000", "100644", "120000"
# By SHA-1 and by SHA-256.
_EMPTY_TREES = (
    "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
)
_DEFAULT_BRANCHES = (
    *("refs/remotes/origin/HEAD", "refs/remotes/origin/main"),
    *("refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"),
)
# What people may set about differences does not count for these.
_DIFF = (
    *("--raw", "-z", "--no-abbrev", "--no-color", "--find-renames", "-l1000"),
    *("--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"),
)


class ChangedFile(Record):
    """A regular file before and after; one of both is None if it is not there."""

    old: str | None
    new: str | None


class Change(Record):
    """The files that differ between two states, renames followed.

    ``submodules`` are those that differ too; nobody looked into them. ``links`` are
    those of after that differ. ``base`` is the state that was named to compare with: it
    may have gone on since the change parted from it in ``before``.
    """

    before: Snapshot
    after: Snapshot
    files: tuple[ChangedFile, ...]
    base: Snapshot
    submodules: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def find_change(
    base: str | None = None, head: str | None = None, *, staged: bool = False
) -> Change:
    """The change of the repository that the current folder lies in.

    From where ``base``, by default the default branch, and ``head`` parted, to
    ``head``, by default to the work tree with the files that git does not know
    yet. ``staged`` is what the next commit would change and uses neither. Before
    the first commit there is the empty tree.

    Raises InputError if git, the repository or a revision is missing, if git does
    not trust the repository, and for a conflict that is not resolved.
    """
    git = Git(own_index=True)
    git.refuse_folder_of_another(*filter(None, (base, "HEAD", *_DEFAULT_BRANCHES)))
    parted, named = _base(git, base, head or "HEAD", staged=staged)
    before = Snapshot(git, _title(parted), parted, past=True)
    tip = before if named == parted else Snapshot(git, _title(named), named, past=True)
    after = _after(git, head, staged=staged)
    files: list[ChangedFile] = []
    submodules, links = [], []
    for old_mode, new_mode, file in _differences(git, before, after):
        if _SUBMODULE in (old_mode, new_mode):
            submodules.append(file.new or file.old or "")
        if new_mode == _LINK:
            links.append(file.new or "")
        old = file.old if old_mode in REGULAR_FILES else None
        new = file.new if new_mode in REGULAR_FILES else None
        if old or new:
            files.append(ChangedFile(old, new))
    if isinstance(after, WorkTree):
        files += [ChangedFile(None, path) for path in after.new]
    files.sort(key=lambda file: (file.new or file.old or "", file.old or ""))
    return Change(
        before,
        after,
        tuple(files),
        base=tip,
        submodules=tuple(sorted(submodules)),
        links=tuple(sorted(links)),
    )


def default_branch(git: Git) -> str | None:
    """The branch that work parts from: the remote's own one, or one with its name."""
    return next(iter(git.commits(_DEFAULT_BRANCHES)), None)


def _after(git: Git, head: str | None, *, staged: bool) -> Snapshot:
    if staged:
        return Snapshot(git, INDEX, None)
    if head is None:
        return WorkTree(git)
    commit = _commit(git, head)
    return Snapshot(git, commit[:7], commit)


def _base(git: Git, base: str | None, head: str, *, staged: bool) -> tuple[str, str]:
    """The tree to compare with, and the one that was named: where that has got to."""
    known = git.commits(("HEAD", *_DEFAULT_BRANCHES))
    here = known.pop("HEAD", None)
    start = here if head == "HEAD" else _object(git, f"{head}^{{commit}}")
    if start is None and (staged or head == "HEAD"):
        return _empty_tree(git), _empty_tree(git)
    start = start or _commit(git, head)
    if staged:
        return start, start
    other = None
    if base is None:
        base, other = next(iter(known.items()), (None, None))
        if base is None and git.is_shallow():
            raise lacks_history("the default branch")
        if base is None:
            raise InputError(
                "there is no default branch to compare with",
                hint="name a base: --base REV",
            )
    elif {*base} == {"0"} or _object(git, base) == _empty_tree(git):
        # Forges call the state before a new branch's first commit all zeros.
        return _empty_tree(git), _empty_tree(git)
    other = other or _commit(git, base)
    if other == start:
        return start, start
    parted = git.ask("merge-base", other, start)
    if parted.returncode == 0:
        commit = parted.stdout.decode().split()[0]
        return commit, other
    if git.is_shallow():
        raise lacks_history(f"the merge base of {base} and {head}")
    return other, other


def _commit(git: Git, revision: str) -> str:
    """The full name of the commit that ``revision`` means."""
    found = _object(git, f"{revision}^{{commit}}")
    if found is not None:
        return found
    if git.is_shallow():
        raise lacks_history(revision)
    raise InputError(
        f"there is no revision {revision}",
        hint="check the name, or fetch it first; a remote branch is origin/NAME, and"
        " before a first commit there is 0000000",
    )


def _object(git: Git, name: str) -> str | None:
    if name.startswith("-"):
        return None
    result = git.ask("rev-parse", "--verify", "--quiet", name)
    return result.stdout.decode().strip() if result.returncode == 0 else None


def _empty_tree(git: Git) -> str:
    """Git knows this object in every repository, and its name by the hash in use."""
    return git.read("hash-object", "-t", "tree", "--stdin").decode().strip()


def _title(tree: str) -> str:
    """What people call a state."""
    return "the empty tree" if tree in _EMPTY_TREES else tree[:7]


def _differences(
    git: Git, before: Snapshot, after: Snapshot
) -> Iterator[tuple[str, str, ChangedFile]]:
    """Mode before, mode after, and the paths of everything that differs."""
    assert before.tree is not None  # noqa: S101 (a base is always a tree)
    if after.tree is not None:
        listed = git.fields("diff-tree", "-r", *_DIFF, before.tree, after.tree, "--")
    else:
        cached = ("diff-index", "--cached", "--ita-invisible-in-index")
        listed = git.fields(*cached, *_DIFF, before.tree, "--")
    on_disk = dict(after.differing) if isinstance(after, WorkTree) else {}
    fields = iter(listed)
    for about in fields:
        old_mode, new_mode, blob, _, status = about.removeprefix(":").split()
        path = next(fields)
        if status == "U" and isinstance(after, WorkTree):
            # The marks of the conflict are on the disk, and whoever reads them says so.
            on_disk.setdefault(path, after.files.get(path))
            continue
        if status == "U":
            raise InputError(
                f"{after.called(path)} has an unresolved conflict",
                hint="resolve it and git add the file",
            )
        new = next(fields) if status.startswith("R") else path
        if new not in on_disk:
            yield old_mode, new_mode, ChangedFile(path, new)
        elif (found := on_disk.pop(new)) is None:
            # It is in the index, and no such file is on the disk.
            yield old_mode, "0", ChangedFile(path, new)
        elif found != blob or path != new:
            yield old_mode, new_mode, ChangedFile(path, new)
    # What is as before in the index, or was only announced to it.
    for path, found in on_disk.items():
        is_known = path in before.files
        if is_known or found is not None:
            modes = (_FILE if is_known else "0", "0" if found is None else _FILE)
            yield *modes, ChangedFile(path, path)
