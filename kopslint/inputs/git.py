"""The git program: how it is called, and what its refusals mean to people.

It is called without a shell, locks nothing, configures nothing and fetches
nothing. This module must not know what is asked of git.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NoReturn

from kopslint.errors import InputError
from kopslint.inputs.decode import MAX_BYTES, decode, shown, too_large
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.text import Source


# A missing object must be an error here and never a download, a path is never a
# pattern, and messages are compared with words below.
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_IN_A_PIPE = 4096
# A monitor is a program that the repository's configuration names.
_OPTIONS = ("--no-optional-locks", "-c", "core.fsmonitor=false")


class Git:
    """The git program in one folder and environment, the own ones by default.

    A hook must keep the environment: git tells it there which index is about to
    be committed.
    """

    def __init__(
        self, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._environment = {**(environment or os.environ), **_SET}

    def ask(
        self, *arguments: str, told: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """The result of a command that is ``told`` this, whatever its status.

        Raises InputError if git is not installed.
        """
        try:
            return subprocess.run(  # noqa: S603 - No shell, and callers check names.
                ["git", *_OPTIONS, *arguments],  # noqa: S607
                # Git never waits for anybody at the keyboard.
                input=told or None,
                stdin=None if told else subprocess.DEVNULL,
                capture_output=True,
                check=False,
                cwd=self._folder,
                env=self._environment,
            )
        except FileNotFoundError:
            _not_installed()

    def read(self, *arguments: str) -> bytes:
        """The output of a command that must succeed. Raises InputError otherwise."""
        result = self.ask(*arguments)
        if result.returncode != 0:
            raise refusal(result)
        return result.stdout

    def fields(self, *arguments: str) -> list[str]:
        """The output of a command with ``-z``, field by field. Raises as ``read``."""
        return os.fsdecode(self.read(*arguments)).split("\0")[:-1]

    def root(self) -> Path:
        """The top folder of the work tree.

        Raises InputError outside a repository and for one that git does not trust.
        """
        return self.root_and_index()[0]

    def root_and_index(self) -> tuple[Path, Path]:
        """The top folder of the work tree, and the file of the index.

        Raises as ``root``.
        """
        output = self.read("rev-parse", "--show-toplevel", "--git-path", "index")
        root, _, index = os.fsdecode(output.removesuffix(b"\n")).rpartition("\n")
        return Path(root), (self._folder or Path()) / index

    def commits(self, names: Sequence[str]) -> dict[str, str]:
        """The commits that ``names`` mean, of those that mean one, by one process.

        The names are known words: no line end is in them.
        """
        asked = "".join(f"{name}^{{commit}}\n" for name in names).encode()
        told = self.ask("cat-file", "--batch-check", told=asked).stdout.decode()
        answers = zip(names, map(str.split, told.splitlines()), strict=False)
        return {name: about[0] for name, about in answers if about[1:2] == ["commit"]}

    def is_shallow(self) -> bool:
        """Whether the history was cut off when the repository was cloned."""
        return self.ask("rev-parse", "--is-shallow-repository").stdout == b"true\n"

    @contextmanager
    def with_own_index(self, index: Path) -> Iterator[Git]:
        """The same with a copy of the index, which git may refresh as it likes."""
        import shutil
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, "index")
            # There is none before the first git add. Its time tells git which files
            # may have changed unnoticed.
            with suppress(FileNotFoundError):
                shutil.copy2(index, copy)
            variables = {**self._environment, "GIT_INDEX_FILE": str(copy)}
            yield Git(self._folder, variables)

    def blobs(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Every blob with its bytes, read by one process in the order asked.

        The bytes are None if there are more than ``MAX_BYTES``. Raises InputError
        for a blob that a partial clone does not have.
        """
        asked = "".join(f"{name}\n" for name in names).encode()
        with _readable(asked) as wanted, self._batch(wanted.fileno()) as process:
            assert process.stdout is not None  # noqa: S101 (it was asked for)
            while header := process.stdout.readline().decode().split():
                name, *about = header
                if about[-1:] == ["missing"]:
                    process.kill()
                    raise lacks_content()
                size = int(about[1])
                yield name, _bytes(process.stdout, size)
            # Git that may not fetch gives up at the first blob that is missing.
            if process.wait() != 0:
                raise lacks_content()

    def _batch(self, names: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - No shell and no argument.
                ["git", *_OPTIONS, "cat-file", "--batch"],  # noqa: S607
                stdin=names,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environment,
            )
        except FileNotFoundError:
            _not_installed()


def _readable(content: bytes) -> IO[bytes]:
    """A file that a process can read ``content`` from, all of which is there already.

    A pipe takes as much as this without a reader, by POSIX; what makes files for the
    rest takes long to start.
    """
    if len(content) <= _IN_A_PIPE:
        reading, writing = os.pipe()
        with open(writing, "wb") as pipe:  # noqa: PTH123 - It has no name.
            pipe.write(content)
        return open(reading, "rb")  # noqa: PTH123 - The caller closes it.
    from tempfile import TemporaryFile

    file = TemporaryFile()  # noqa: SIM115 - The caller closes it.
    file.write(content)
    file.seek(0)
    return file


def refusal(result: subprocess.CompletedProcess[bytes]) -> InputError:
    """What git said when it refused, and what to do about it."""
    lines = result.stderr.decode(errors="replace").strip().splitlines()
    said = lines[0].removeprefix("fatal: ") if lines else "git failed"
    _, distrusts, owned = said.partition("dubious ownership in repository at ")
    if distrusts:
        hint = f"if you trust it: git config --global --add safe.directory {owned}"
    elif "work tree" in said:
        said = "this repository has no work tree here"
        hint = "run it inside a clone that has files, not in a bare one or in .git"
    elif "not a git repository" in said:
        hint = "run it inside a clone of the repository"
    else:
        hint = "see what git status says"
    return InputError(said, hint=hint)


def lacks_content() -> InputError:
    """The error to raise for an object that is not in this clone."""
    return InputError(
        "this clone is partial and lacks the content of the files",
        hint="fetch it first, for example with git checkout, or clone without --filter",
    )


def lacks_history(revision: str) -> InputError:
    """The error to raise for a revision that a shallow clone does not have."""
    return InputError(
        f"this clone is shallow and does not have {revision}",
        hint="fetch it first: git fetch --unshallow, or fetch-depth: 0 in"
        " actions/checkout",
    )


def _bytes(stream: IO[bytes], size: int) -> bytes | None:
    """The next ``size`` bytes and the line end behind them, or None if too many."""
    if size <= MAX_BYTES:
        return stream.read(size + 1)[:-1]
    left = size + 1
    while left and (piece := stream.read(min(left, MAX_BYTES))):
        left -= len(piece)
    return None


def _not_installed() -> NoReturn:
    raise InputError(
        "reading a revision needs the git program, which is not installed",
        hint="install git, or name files instead",
    ) from None


# ------------------------------------------------------------------------------------
# All files of a repository at one moment: in a commit, in the index, on the disk
#
# Names are listed first and contents are read only for the files that are asked for.
# This module must not know what the files hold, nor what changed.

REGULAR_FILES = frozenset({"100644", "100755"})
# How ``git ls-files -t`` marks what it keeps (and skips on the disk, or cannot merge),
# what is no longer on the disk, and what it does not know.
_KEPT, _DELETED, _UNKNOWN = "HSM", "R", "?"


class Snapshot:
    """A state of the repository that git keeps: a tree, or without one the index.

    ``root`` is the top folder of the repository, to which all paths are relative.
    ``title`` is what people call this state, and ``past`` says that a change leaves
    it behind. ``too_large`` are the files of more than ``MAX_BYTES`` that somebody has
    asked for.
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
        self.too_large: set[str] = set()

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
        found = {}
        for path, data in self._contents(sorted({*paths} & {*self.files})):
            if data is None:
                self.too_large.add(path)
            elif wanted(data):
                called = self.called(path)
                found[path] = decode(called, data, self._revision, past=self._past)
        return found

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


# ------------------------------------------------------------------------------------
# Files as they were at a revision, read through the git program
#
# Nothing is checked out, locked, configured or fetched, and no hook or filter runs:
# only objects that are already here are read. This module must not know what the
# files hold.

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
