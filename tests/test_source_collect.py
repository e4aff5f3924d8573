"""What a SRC on the command line names, and the sentence when it names nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.errors import InputError
from kopslint.inputs.decode import MAX_BYTES
from kopslint.inputs.sources import collect

if TYPE_CHECKING:
    from kopslint.text import Source

SUFFIXES = (".yaml", ".yml", ".json")


def named(*specs: str, stdin: str = "") -> list[Source]:
    return collect(specs, suffixes=SUFFIXES, stdin=lambda: stdin)


def paths(*specs: str) -> list[str]:
    return [source.path for source in named(*specs)]


def refused(*specs: str) -> InputError:
    with pytest.raises(InputError) as caught:
        named(*specs)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


def write(name: str, content: bytes = b"a: 1\n") -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with some files in it."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "specs/b.yaml",
        "specs/a.yml",
        "specs/c.json",
        "specs/notes.md",
        "specs/sub/d.yaml",
        "specs/.hidden/e.yaml",
        "specs/.f.yaml",
        "top.yaml",
    ):
        write(name)
    return tmp_path


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        (["top.yaml"], ["top.yaml"]),
        (["./top.yaml"], ["top.yaml"]),
        (["specs/notes.md"], ["specs/notes.md"]),
        (["specs/../top.yaml"], ["specs/../top.yaml"]),
        (
            ["specs"],
            ["specs/a.yml", "specs/b.yaml", "specs/c.json", "specs/sub/d.yaml"],
        ),
        (["specs/sub/"], ["specs/sub/d.yaml"]),
        (["specs/.hidden"], ["specs/.hidden/e.yaml"]),
        (["specs/*"], ["specs/a.yml", "specs/b.yaml", "specs/c.json"]),
        (["specs/*.md"], ["specs/notes.md"]),
        (["**/*.yaml"], ["specs/b.yaml", "specs/sub/d.yaml", "top.yaml"]),
        (["specs/**/d.yaml"], ["specs/sub/d.yaml"]),
        (["specs/sub/**"], ["specs/sub/d.yaml"]),
        (["specs/.h*/*"], ["specs/.hidden/e.yaml"]),
        (["specs/[ab].y*ml"], ["specs/a.yml", "specs/b.yaml"]),
        (["top.yaml", "specs/sub"], ["top.yaml", "specs/sub/d.yaml"]),
        (["top.yaml", "./top.yaml", "t*.yaml"], ["top.yaml"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_files_folders_and_globs_name_files(
    specs: list[str], expected: list[str]
) -> None:
    """In the order named, sorted below that, each once, and called as written."""
    assert paths(*specs) == expected


def test_an_absolute_path_stays_absolute(folder: Path) -> None:
    assert paths(str(folder / "top.yaml")) == [(folder / "top.yaml").as_posix()]


@pytest.mark.usefixtures("folder")
def test_a_file_whose_name_looks_like_a_glob_is_that_file() -> None:
    write("specs/[ab].yaml")
    assert paths("specs/[ab].yaml") == ["specs/[ab].yaml"]


@pytest.mark.usefixtures("folder")
def test_symbolic_links_are_followed_and_never_in_circles() -> None:
    Path("specs/sub/up").symlink_to("..", target_is_directory=True)
    Path("elsewhere").symlink_to("specs/sub", target_is_directory=True)
    Path("specs/sub/dangling.yaml").symlink_to("nowhere.yaml")
    assert paths("elsewhere") == [
        "elsewhere/d.yaml",
        "elsewhere/up/a.yml",
        "elsewhere/up/b.yaml",
        "elsewhere/up/c.json",
    ]
    assert paths("specs/**/d.yaml") == ["specs/sub/d.yaml"]


def test_the_standard_input_is_called_stdin() -> None:
    (source,) = named("-", stdin="\ufeffa: 1\n")
    assert (source.path, source.text, source.revision) == ("<stdin>", "a: 1\n", None)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfa: 1\n", "a: 1\n"),
        ("é: 😀\r\n".encode(), "é: 😀\r\n"),
        (b"", ""),
        (b"# " + b"x" * (MAX_BYTES - 2), "# " + "x" * (MAX_BYTES - 2)),
    ],
    ids=["byte order mark", "unicode and line ends", "empty", "largest"],
)
def test_the_text_of_a_file_is_kept_but_for_a_byte_order_mark(
    content: bytes, text: str
) -> None:
    write("x.yaml", content)
    assert named("x.yaml")[0].text == text


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("content", "message", "where"),
    [
        ("a: 1".encode("utf-16"), "x.yaml is UTF-16", None),
        ("a: 1".encode("utf-16-le"), "x.yaml is UTF-16", None),
        ("a: 1".encode("utf-16-be"), "x.yaml is UTF-16", None),
        (b"a: 1\n\x00\x01", "x.yaml is binary", None),
        (b"a: 1\r\nb: \xc3\xa9\xe9", "the byte 0xE9 is not UTF-8", (2, 5)),
        (b"\xef\xbb\xbf\xff", "the byte 0xFF is not UTF-8", (1, 1)),
        (b"x" * (MAX_BYTES + 1), "x.yaml is larger than 8 MiB", None),
    ],
    ids=["utf-16", "little endian", "big endian", "nul", "latin", "first", "large"],
)
def test_what_is_no_text_is_refused(
    content: bytes, message: str, where: tuple[int, int] | None
) -> None:
    write("x.yaml", content)
    error = refused("x.yaml")
    assert error.message == message
    assert (error.span and (error.span.line, error.span.column)) == where


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["nowhere.yaml"], "there is no file or folder nowhere.yaml"),
        (["n*.yaml"], "the pattern n*.yaml matches no .yaml, .yml or .json file"),
        (["**.yaml"], "the pattern **.yaml cannot be used"),
        (["empty"], "the folder empty contains no .yaml, .yml or .json file"),
        (["top.yaml/x"], "top.yaml/x cannot be read: Not a directory"),
        (["x" * 300], "cannot be read: File name too long"),
        (["loop.yaml"], "loop.yaml cannot be read: Too many levels"),
        ([""], "'' is not the name of an input"),
        (["a\0b"], "is not the name of an input"),
        (["-", "-"], "standard input is named twice"),
    ],
)
def test_what_names_nothing_is_refused_in_one_sentence(
    specs: list[str], message: str
) -> None:
    Path("empty").mkdir()
    Path("loop.yaml").symlink_to("loop.yaml")
    assert message in refused(*specs).message


@pytest.mark.usefixtures("folder")
def test_a_file_name_that_is_no_text_can_still_be_printed() -> None:
    name = os.fsdecode(b"x\xe9.yaml")
    write(name)
    assert paths(name) == ["x\ufffd.yaml"]


# --- revisions -------------------------------------------------------------------


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(
        ["git", *identity, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )


@pytest.fixture
def repository(folder: Path) -> Path:
    """The current folder as a repository whose first commit is tagged ``v1``."""
    Path("specs/link.yaml").symlink_to("b.yaml")
    git("init", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--message=one")
    git("tag", "-a", "v1", "--message=one")
    write("specs/b.yaml", b"a: 2\n")
    git("rm", "-r", "--quiet", "specs/sub")
    git("commit", "--all", "--message=two")
    write("specs/b.yaml", b"a: 3\n")
    return folder


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("git:HEAD:specs/b.yaml", [("specs/b.yaml", "a: 2\n")]),
        ("git:v1:specs/b.yaml", [("specs/b.yaml", "a: 1\n")]),
        ("git:HEAD~1:./specs/sub", [("specs/sub/d.yaml", "a: 1\n")]),
        ("git:v1:specs/notes.md", [("specs/notes.md", "a: 1\n")]),
        (
            "git:main:",
            [
                ("specs/a.yml", "a: 1\n"),
                ("specs/b.yaml", "a: 2\n"),
                ("specs/c.json", "a: 1\n"),
                ("top.yaml", "a: 1\n"),
            ],
        ),
    ],
)
def test_a_revision_is_read_as_it_was(
    spec: str, expected: list[tuple[str, str]]
) -> None:
    """Files are called as on the disk, hidden ones and links are left out."""
    sources = named(spec)
    assert [(source.path, source.text) for source in sources] == expected
    assert {source.revision for source in sources} == {spec.split(":")[1]}


@pytest.mark.usefixtures("repository")
def test_a_file_can_be_read_from_the_disk_and_from_a_revision() -> None:
    sources = named("specs/b.yaml", "git:v1:specs/b.yaml", "git:v1:./specs/b.yaml")
    assert [(source.revision, source.text) for source in sources] == [
        (None, "a: 3\n"),
        ("v1", "a: 1\n"),
    ]


def test_the_path_of_a_revision_is_relative_to_the_current_folder(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "specs")
    assert paths("git:v1:b.yaml") == ["b.yaml"]
    assert paths("git:v1:../top.yaml") == ["../top.yaml"]
    assert paths("git:v1:sub") == ["sub/d.yaml"]


def test_the_variables_that_git_gives_to_its_hooks_do_no_harm(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "specs")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert paths("git:v1:b.yaml") == ["b.yaml"]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("git:main", "git:main does not name a revision and a path"),
        ("git::x.yaml", "git::x.yaml does not name a revision and a path"),
        ("git:--all:x", "git:--all:x does not name a revision and a path"),
        ("git:nope:top.yaml", "git:nope:top.yaml: there is no revision nope"),
        ("git:main:nope", "main has no file or folder to read at nope"),
        ("git:main:specs/sub", "main has no file or folder to read at specs/sub"),
        ("git:main:specs/*", "main has no file or folder to read at specs/*"),
        ("git:main:/", "git:main:/ is outside the repository of the current"),
    ],
)
def test_what_a_revision_does_not_have_is_refused(spec: str, message: str) -> None:
    assert message in refused(spec).message


def test_a_shallow_clone_is_told_from_a_wrong_name(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("clone", "--depth=1", repository.as_uri(), "clone")
    monkeypatch.chdir("clone")
    error = refused("git:HEAD~1:top.yaml")
    assert "this clone is shallow and does not have HEAD~1" in error.message
    assert error.hint is not None
    assert "fetch-depth: 0" in error.hint


def test_a_partial_clone_is_not_completed_over_the_network(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "uploadpack.allowFilter", "true")
    origin = repository.as_uri()
    git("clone", "--filter=blob:none", "--no-checkout", origin, "clone")
    monkeypatch.chdir("clone")
    error = refused("git:HEAD:top.yaml")
    assert "this clone is partial and lacks the content" in error.message


@pytest.mark.usefixtures("repository")
def test_a_missing_git_program_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "needs the git program" in refused("git:main:top.yaml").message
