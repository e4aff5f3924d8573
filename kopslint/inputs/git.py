"""The git program: how it is called, and what its refusals mean to people.

There is one way to call it. It is called without a shell, locks nothing, configures
nothing and fetches nothing, in the repository of the current folder and in no other,
and nothing that a tree or a configuration names is started: no hook, filter, monitor,
pager, helper or driver of differences. It is never asked to compare files on the disk,
for which it would run filters.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import subprocess
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.inputs.decode import MAX_BYTES, decode, shown, too_large
from kopslint.inputs.repository import is_enclosed, repository_here, without_work_tree
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.text import Source


# A missing object must be an error here and never a download, a path is never a
# pattern, an object is never another one that replaces it, and messages are compared
# with words below.
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_TRACE2": "0",
    "GIT_TRACE2_EVENT": "0",
    "GIT_TRACE2_PERF": "0",
    "LC_ALL": "C",
}
# Of its own variables git sees none but those that say where a person's configuration
# is: whom they trust stands there. A hook inherits others, about another repository.
_KEPT_VARIABLES = ("GIT_CONFIG", "GIT_EXEC_PATH", "GIT_TEST_ASSUME_DIFFERENT_OWNER")
# What a configuration may have git start, or read from the tree. The repository's own
# may include a file of the tree; what is said here counts more than any file.
_OFF = {
    "core.alternateRefsCommand": "",
    "core.askPass": "",
    "core.attributesFile": os.devnull,
    "core.editor": "false",
    "core.fsmonitor": "false",
    "core.gitProxy": "",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.sshCommand": "false",
    "core.useReplaceRefs": "false",
    "credential.helper": "",
    "diff.external": "",
    "gc.auto": "0",
    "gpg.program": "false",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
}
_OPTIONS = (
    *("--no-pager", "--no-replace-objects", "--no-optional-locks"),
    *(word for name, value in _OFF.items() for word in ("-c", f"{name}={value}")),
)
_IN_A_PIPE = 4096


class Git:
    """The git program in the repository of the current folder.

    With ``own_index`` the index is the one that the environment names: in a hook, the
    one that is about to be committed. Or it is the repository of another ``folder``.

    Raises InputError outside a repository, for one that git does not trust, and if git
    is not installed.
    """

    def __init__(self, *, own_index: bool = False, folder: Path | None = None) -> None:
        environment = dict(os.environ)
        self._program = _program()
        self._environment = {
            **{
                name: value
                for name, value in environment.items()
                if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
            },
            **_SET,
        }
        if not own_index:
            environment.pop("GIT_DIR", None)
        self._repository = repository_here(environment, folder)
        self._where: tuple[str, ...] = ()
        self._refuse_what_git_does_not_trust()
        self._where = (
            f"--git-dir={self._repository.git_folder}",
            f"--work-tree={self.root}",
        )
        index = environment.get("GIT_INDEX_FILE")
        if own_index and index:
            self._environment["GIT_INDEX_FILE"] = str(self.root / index)

    @property
    def root(self) -> Path:
        """The top folder of the work tree."""
        return self._repository.root

    @property
    def index(self) -> Path:
        """The file of the index."""
        index = self._environment.get("GIT_INDEX_FILE")
        return Path(index) if index else self._repository.git_folder / "index"

    def _refuse_what_git_does_not_trust(self) -> None:
        """Raise InputError for a repository of somebody else.

        Git asks whose it is only where it finds the repository by itself, and in a
        folder that has ``.git`` it looks at nothing else.
        """
        told = self.read("rev-parse", "--absolute-git-dir", "--show-toplevel")
        found = (self._repository.git_folder, self._repository.root)
        if os.fsdecode(told) != "".join(f"{path.as_posix()}\n" for path in found):
            raise InputError(
                f"for git, {shown(self.root)} is not the work tree of this repository",
                hint="check git rev-parse --show-toplevel",
            )

    def refuse_folder_of_another(self, *revisions: str) -> None:
        """Raise InputError if this was a folder of the repository around it.

        A change that makes a submodule of the folder that a check starts in brings a
        history of its own to be compared with. ``revisions`` are those that are asked.
        """
        if not is_enclosed(self.root):
            return
        try:
            outer = Git(folder=self.root.parent)
        except InputError:
            # Whoever may not look at it is told so where it is checked.
            return
        path = self.root.relative_to(outer.root).as_posix()
        for revision in (name for name in revisions if not name.startswith("-")):
            asked = outer.ask("ls-tree", "-z", "--full-tree", revision, "--", path)
            if asked.stdout.split()[1:2] == [b"tree"]:
                raise InputError(
                    f"{shown(self.root)} is a separate repository, but a folder in"
                    f" {revision} of the repository around it",
                    hint=f"to check that repository, run it in {shown(outer.root)}",
                )

    def ask(
        self, *arguments: str, told: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """The result of a command that is ``told`` this, whatever its status."""
        return subprocess.run(  # noqa: S603 - No shell, and callers check names.
            self._call(arguments),
            # Git never waits for anybody at the keyboard.
            input=told or None,
            stdin=None if told else subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd=self.root,
            env=self._environment,
        )

    def _call(self, arguments: Iterable[str]) -> list[str]:
        return [self._program, *_OPTIONS, *self._where, *arguments]

    def read(self, *arguments: str) -> bytes:
        """The output of a command that must succeed. Raises InputError otherwise."""
        result = self.ask(*arguments)
        if result.returncode != 0:
            raise refusal(result)
        return result.stdout

    def fields(self, *arguments: str) -> list[str]:
        """The output of a command with ``-z``, field by field. Raises as ``read``."""
        return os.fsdecode(self.read(*arguments)).split("\0")[:-1]

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
        return subprocess.Popen(  # noqa: S603 - No shell, and nobody's words.
            self._call(["cat-file", "--batch"]),
            stdin=names,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.root,
            env=self._environment,
        )


def git_version() -> str:
    """What git calls itself. Raises InputError if it is not installed."""
    called = [_program(), "--version"]
    told = subprocess.run(called, capture_output=True, check=False)  # noqa: S603
    return told.stdout.decode(errors="replace").strip()


def _program() -> str:
    """The git program: where a folder counts from the current one, none is looked for.

    Raises InputError if it is not installed.
    """
    names = ("git.exe",) if os.name == "nt" else ("git",)
    for folder in filter(os.path.isabs, os.get_exec_path()):
        for name in names:
            place = os.path.join(folder, name)  # noqa: PTH118
            if os.path.isfile(place) and os.access(place, os.X_OK):  # noqa: PTH113
                return place
    raise InputError(
        "reading a revision needs the git program, which is not installed",
        hint="install git, or name files instead",
    )


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
        return without_work_tree()
    elif "not a git repository" in said:
        hint = "run it inside a clone of the repository"
    else:
        hint = "check git status"
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


# ------------------------------------------------------------------------------------
# All files of a repository at one moment: in a commit, in the index, on the disk
#
# Names are listed first and contents are read only for the files that are asked for.

REGULAR_FILES = frozenset({"100644", "100755"})
_LINKS = frozenset({"120000"})
_MOST_LINKS = 40
# How ``git ls-files -t`` marks what it keeps (and skips on the disk, or cannot merge),
# and what it does not know.
_KEPT, _SKIPPED, _UNKNOWN = "HSM", "S", "?"
_NOTES = re.compile(
    r"  ctime: \d+:\d+\n  mtime: (\d+):(\d+)\n  dev: .*\n  uid: .*\n"
    r"  size: (\d+)\tflags: .*\n"
)
_SHA1 = 40
_SECOND = 1_000_000_000
# A link is never followed, and what is no file never waits for somebody to write.
_AS_IT_IS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Snapshot:
    """A state of the repository that git keeps: a tree, or without one the index.

    ``root`` is the top folder of the repository, to which all paths are relative.
    ``title`` is what people call this state, and ``past`` says that a change leaves
    it behind. ``too_large`` are the files of more than ``MAX_BYTES`` that somebody has
    asked for.
    """

    def __init__(
        self, git: Git, title: str, tree: str | None, *, past: bool = False
    ) -> None:
        self._git = git
        self._past = past
        self.root = git.root
        self.title = title
        self.tree = tree
        self.too_large: set[str] = set()

    @cached_property
    def files(self) -> Mapping[str, str | None]:
        """The regular files, each with the name of its blob if git has one."""
        return dict(_entries(self._listing))

    @cached_property
    def _links(self) -> Mapping[str, str]:
        """The links, each with the name of its blob."""
        return dict(_entries(self._listing, _LINKS))

    @cached_property
    def _listing(self) -> list[str]:
        if self.tree is None:
            return self._git.fields("ls-files", "--stage", "-z")
        return self._git.fields("ls-tree", "-r", "-z", "--full-tree", self.tree)

    def followed(self, path: str) -> str | None:
        """Where a path leads if links of this state are followed; None if out of it.

        The path that comes of it need not be there.
        """
        for _ in range(_MOST_LINKS):
            parts = path.split("/")
            each = ("/".join(parts[:n]) for n in range(1, len(parts) + 1))
            link = next((name for name in each if name in self._links), None)
            if link is None:
                return path
            (_, data), *_ = self._git.blobs([self._links[link]])
            target = os.fsdecode(data or b"")
            folder = posixpath.dirname(link)
            rest = path[len(link) + 1 :]
            path = posixpath.normpath(posixpath.join(folder, target, rest))
            if path.startswith(("/", "../")) or path == "..":
                return None
        return None

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
    """The files on the disk, new ones too, unless git is told to ignore them.

    Which of them differ from what git keeps is known by their bytes, read as they are:
    git would run filters for it. Links are files of their own and never followed.
    """

    def __init__(self, git: Git) -> None:
        super().__init__(git, "the work tree", None)

    @cached_property
    def files(self) -> Mapping[str, str | None]:
        """The regular files, each with the name of its blob if git has one."""
        gone = {path for path, file in self.differing.items() if file is None}
        kept = {path: blob for path, blob in self._kept.items() if path not in gone}
        return {**kept, **dict.fromkeys(self.new)}

    @cached_property
    def new(self) -> tuple[str, ...]:
        """The regular files that git does not know yet."""
        others = (each.line[2:] for each in self._all if each.line[0] == _UNKNOWN)
        return tuple(path for path in others if self._state(path) is not None)

    @cached_property
    def differing(self) -> Mapping[str, str | None]:
        """The files that are on the disk otherwise than in the index.

        Each with the name that its bytes would have as a blob; None if there is no such
        regular file any more. What is left out of the disk on purpose does not differ.
        """
        try:
            written = self._git.index.stat().st_mtime_ns
        except OSError:
            written = 0
        found: dict[str, str | None] = {}
        for listed in self._all:
            path = listed.line.partition("\t")[2]
            if listed.line[0] not in _KEPT or path not in self._kept:
                continue
            state = self._state(path)
            if state is None:
                if listed.line[0] != _SKIPPED or self._lies_there(path):
                    found[path] = None
            elif not listed.is_as_noted(state, written):
                blob = self._kept[path]
                name = self._blob_name(path, blob)
                if name != blob:
                    found[path] = name
        return found

    @cached_property
    def _kept(self) -> Mapping[str, str]:
        """The regular files of the index, each with the name of its blob."""
        lines = (each.line for each in self._all if each.line[0] in _KEPT)
        return dict(_entries(line[2:] for line in lines))

    @cached_property
    def _all(self) -> list[_Listed]:
        """Everything at once, because starting git takes longer than its answer."""
        what = ("--cached", "--others", "--exclude-standard", "--debug")
        told = os.fsdecode(self._git.read("ls-files", "-t", "-z", "-s", *what))
        return [*_listed(told)]

    def _state(self, path: str) -> os.stat_result | None:
        """What the disk says about a regular file; None if it is none, or not here.

        A folder on the way that is a link leads to other files than those of git.
        """
        if not self._is_own_folder(os.path.dirname(path)):  # noqa: PTH120
            return None
        try:
            state = os.lstat(self._place(path))
        except OSError:
            return None
        return state if stat.S_ISREG(state.st_mode) else None

    def _lies_there(self, path: str) -> bool:
        """Whether something else lies where a file was."""
        return os.path.lexists(self._place(path))

    def _place(self, path: str) -> str:
        # A path object takes longer than asking the disk, and there are thousands.
        return os.path.join(self.root, path)  # noqa: PTH118

    def _is_own_folder(self, folder: str) -> bool:
        """Whether a folder of the work tree is really there, and not through a link."""
        known = self._own_folders.get(folder)
        if known is None:
            place = self._place(folder).rstrip("/")
            known = os.path.realpath(place) == place
            self._own_folders[folder] = known
        return known

    @cached_property
    def _own_folders(self) -> dict[str, bool]:
        return {}

    def _blob_name(self, path: str, kept: str) -> str:
        """What git would call the bytes of a file; ``kept`` if only line ends differ.

        Git may write other line ends to the disk than it keeps.
        """
        from hashlib import new

        algorithm = "sha1" if len(kept) == _SHA1 else "sha256"

        def called(data: bytes) -> str:
            return new(algorithm, b"blob %d\0%b" % (len(data), data)).hexdigest()

        data = self._bytes_of(path)
        if data is None:
            # Too large to be read, and so it must not look as if nothing had changed.
            return "too large"
        name = called(data)
        if name != kept and b"\r\n" in data:
            plain = called(data.replace(b"\r\n", b"\n"))
            return plain if plain == kept else name
        return name

    def _bytes_of(self, path: str) -> bytes | None:
        """The bytes of a file on the disk; None if there are more than ``MAX_BYTES``.

        Raises FileNotFoundError, and InputError for what cannot be read.
        """
        try:
            # Hundreds are read to find those of one cluster, and a buffer and room for
            # the largest file each take longer than reading.
            descriptor = os.open(self._place(path), _AS_IT_IS)
            with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123
                is_small = os.fstat(file.fileno()).st_size <= MAX_BYTES
                return file.read() if is_small else None
        except FileNotFoundError:
            raise
        except OSError as error:
            raise InputError(
                f"{self.called(path)} cannot be read: {error.strerror}",
                hint="make it readable",
            ) from None

    @property
    def _revision(self) -> str | None:
        return None

    def _contents(self, paths: list[str]) -> Iterator[tuple[str, bytes | None]]:
        absent = []
        for path in paths:
            if not self._is_own_folder(os.path.dirname(path)):  # noqa: PTH120
                absent.append(path)
                continue
            try:
                data = self._bytes_of(path)
            except FileNotFoundError:
                absent.append(path)
            else:
                yield path, data
        # A sparse checkout has files that are only in the index.
        yield from super()._contents(absent)


class _Listed(Record):
    """A line of ``git ls-files -t --debug``, and what the index notes about the disk.

    ``noted`` is the time of the last change in seconds and nanoseconds, and the size.
    """

    line: str
    noted: tuple[int, int, int] | None

    def is_as_noted(self, state: os.stat_result, written: int) -> bool:
        """Whether the disk says what the index notes, which then need not be read.

        As git, which does not believe it of a file that is as young as the index.
        """
        if self.noted is None:
            return False
        seconds, nanoseconds, size = self.noted
        whole, rest = divmod(state.st_mtime_ns, _SECOND)
        is_older = (
            state.st_mtime_ns < written if nanoseconds else whole < written // _SECOND
        )
        same = (whole, state.st_size) == (seconds, size) and nanoseconds in (0, rest)
        return same and is_older


def _listed(told: str) -> Iterator[_Listed]:
    """What ``git ls-files -z --debug`` tells; notes about a file stand behind its name.

    Git does not promise how they are written. What is not understood is not believed.
    """
    line = None
    for field in told.split("\0"):
        notes = _NOTES.match(field)
        if line is not None:
            noted = (int(notes[1]), int(notes[2]), int(notes[3])) if notes else None
            yield _Listed(line, noted)
        line = field[notes.end() :] if notes else field


def _entries(
    listed: Iterable[str], modes: frozenset[str] = REGULAR_FILES
) -> Iterator[tuple[str, str]]:
    """Path and blob of every regular file in a listing of a tree or the index.

    Or of everything else that has one of these ``modes``.

    A tree's line is ``mode type name``, the index's ``mode name stage``.
    """
    for line in listed:
        about, _, path = line.partition("\t")
        mode, second, third = about.split()
        if mode in modes:
            yield path, third if second == "blob" else second


# ------------------------------------------------------------------------------------
# Files as they were at a revision, read through the git program
#
# Nothing is checked out, locked, configured or fetched, and no hook or filter runs:
# only objects that are already here are read.

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
    repository = _Repository(spec)
    repository.git.refuse_folder_of_another(revision, "HEAD")
    path = Path(os.path.abspath(written or "."))  # noqa: PTH100 - Keeps symbolic links.
    folder = _existing_folder(path)
    place = Path(folder.resolve(), path.relative_to(folder))
    below = PurePosixPath(os.path.relpath(place, repository.git.root))
    if ".." in below.parts:
        raise InputError(
            f"{spec} is outside the repository of the current folder",
            hint="run it in the repository that the path is in",
        )
    commit = repository.commit(revision)
    blobs = [
        blob
        for blob in repository.blobs(commit, below)
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
        sources.append(decode(called, repository.read(blob), revision))
    return sources


def snapshot_of(revision: str) -> Snapshot:
    """All files at a revision of the repository that the current folder lies in.

    Raises InputError as ``read_revision``.
    """
    repository = _Repository(f"git:{revision}:")
    return Snapshot(repository.git, revision, repository.commit(revision))


def _existing_folder(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if os.path.isdir(p))  # noqa: PTH112


def _wanted(path: PurePosixPath, suffixes: Sequence[str]) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.name.endswith(tuple(suffixes))


class _Repository:
    """The repository of the current folder, for whoever asked for ``spec``."""

    def __init__(self, spec: str) -> None:
        self._spec = spec
        try:
            self.git = Git()
        except InputError as error:
            raise InputError(
                f"{spec} cannot be read: {error.message}", hint=error.hint
            ) from None

    def commit(self, revision: str) -> str:
        """The full name of the commit that ``revision`` means."""
        result = self.git.ask("rev-parse", "--verify", f"{revision}^{{commit}}")
        if result.returncode == 0:
            return result.stdout.decode().strip()
        if self.git.is_shallow():
            raise _about(self._spec, lacks_history(revision))
        raise InputError(
            f"{self._spec}: there is no revision {revision}",
            hint="check the name, or fetch it first; a remote branch is origin/NAME",
        )

    def blobs(self, commit: str, path: PurePosixPath) -> list[_Blob]:
        """The regular files at or below ``path``, sorted."""
        where = () if path == PurePosixPath() else (str(path),)
        result = self.git.ask(
            "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *where
        )
        if result.returncode != 0:
            raise _about(self._spec, lacks_content())
        found = []
        for line in result.stdout.split(b"\0")[:-1]:
            about, _, name = line.partition(b"\t")
            mode, _, blob, size = about.decode().split()
            if mode not in _REGULAR_FILES:
                continue
            if not size.isdigit():
                # Newer releases of git say "BAD" of what is not here, and go on.
                raise _about(self._spec, lacks_content())
            found.append(_Blob(PurePosixPath(os.fsdecode(name)), blob, int(size)))
        return sorted(found)

    def read(self, blob: _Blob) -> bytes:
        """The bytes of a file."""
        result = self.git.ask("cat-file", "blob", blob.name)
        if result.returncode != 0:
            raise _about(self._spec, lacks_content())
        return result.stdout


def _about(spec: str, error: InputError) -> InputError:
    """The same error for whoever asked for ``spec``."""
    return InputError(f"{spec}: {error.message}", hint=error.hint)
