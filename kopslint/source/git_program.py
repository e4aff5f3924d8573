"""The git program: how it is called, and what its refusals mean to people.

It is called without a shell, locks nothing, configures nothing and fetches
nothing. This module must not know what is asked of git.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from kopslint.errors import InputError
from kopslint.source.decode import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
