"""Files that command lists name: found by their names, and only where they may be."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from kopslint.inputs import named_files
from kopslint.inputs.decode import MAX_BYTES
from kopslint.inputs.named_files import MOST_FILES, files_at_hand, names_in
from kopslint.text import Source

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    ("kops replace -f step-1.yaml", ["step-1.yaml"]),
    ("kops replace --filename=a.yml,b.json", ["a.yml", "b.json"]),
    ("kops replace -f 'specs/a.yaml' -f \"./b.yaml\"", ["specs/a.yaml", "./b.yaml"]),
    ("source lib", ["lib"]),
    ("set -e; . ./env\n", ["./env"]),
    ("./deploy prod.env", ["./deploy", "prod.env"]),
    ("if true; then source x.inc; fi", ["x.inc"]),
    ('source "$(dirname "$0")/lib.sh"', ["lib.sh"]),
    ('. "$(cd "$(dirname "$0")" && pwd)/lib.bash"', ["lib.bash"]),
    ('source "${BASH_SOURCE%/*}/lib.sh"', ["lib.sh"]),
    ('DIR="$(dirname "$0")/lib"\nsource "$DIR/a.sh"', ["lib/a.sh"]),
    ("DIR=specs; kops replace -f $DIR/a.yaml", ["specs/a.yaml"]),
    ("DIR=specs; kops replace -f ${DIR}/a.yaml", ["specs/a.yaml"]),
    ('kops replace -f "${1:-cluster.yaml}"', ["cluster.yaml"]),
    ("run: kops replace -f ${{ matrix.folder }}/a.yaml", ["a.yaml"]),
    ("Then store `step-1.yaml`, and step-2.yaml.", ["step-1.yaml", "step-2.yaml"]),
    ("kops replace -f a.yaml && kops replace -f a.yaml", ["a.yaml"]),
    ("kops replace -f /etc/a.yaml -f ~/b.yaml -f s3://x/c.yaml", []),
    ("kops replace -f step-$N.yaml", []),
    ("source $/ . $X ./", ["./"]),
    ("kops update cluster --yes", []),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_a_name_is_told_from_the_text_alone(text: str, names: list[str] | None) -> None:
    wanted = ["specs/a.yaml", "specs/b.yaml"] if names is None else names
    assert list(names_in(text)) == wanted


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with another one beside it."""
    here = tmp_path / "here"
    here.mkdir()
    write(tmp_path, {"outside/secret.sh": "secret\n", "secret.yaml": "secret\n"})
    monkeypatch.chdir(here)
    return here


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def found(text: str, path: str = "plan.sh") -> dict[str, str]:
    return {file.path: file.text for file in files_at_hand([Source(path, text)])}


def test_a_file_beside_its_list_comes_before_one_of_the_current_folder(
    folder: Path,
) -> None:
    write(folder, {"a.yaml": "here", "b.yaml": "here", "plans/a.yaml": "beside"})

    assert found("kops replace -f a.yaml -f b.yaml", "plans/plan.sh") == {
        "plans/a.yaml": "beside",
        "b.yaml": "here",
    }


def test_a_file_in_a_folder_that_the_list_goes_to_is_at_hand(folder: Path) -> None:
    write(folder, {"kops/make.sh": "", "docs/kops/other.sh": "", "deep/x.sh": ""})
    text = "cd kops\n./make.sh\n./other.sh\n(pushd 'deep' && ./x.sh)\n"

    assert {*found(text, "docs/a.md")} == {
        "kops/make.sh",
        "docs/kops/other.sh",
        "deep/x.sh",
    }


def test_no_folder_outside_is_gone_to() -> None:
    assert found("cd ../outside\n./secret.sh\n") == {}


def test_what_a_script_names_is_at_hand_too(folder: Path) -> None:
    """A spec names nothing, whatever is written in it."""
    write(
        folder,
        {
            "lib/a.sh": "source b.sh\n",
            "lib/b.sh": "source lib/a.sh\nkops replace -f c.yaml\n",
            "c.yaml": "# see d.yaml",
            "d.yaml": "",
        },
    )

    assert list(found("source lib/a.sh")) == ["lib/a.sh", "lib/b.sh", "c.yaml"]


def test_a_file_that_is_an_input_is_that_very_source(folder: Path) -> None:
    write(folder, {"lib.sh": "", "after.yaml": ""})
    plan = Source("plan.sh", "source ./lib.sh; kops replace -f after.yaml")
    library, after = Source("lib.sh", ""), Source("after.yaml", "")

    held = files_at_hand([plan, library], [after])

    assert [held[0] is library, held[1] is after, len(held)] == [True, True, 2]


OUTSIDE = [
    "../secret.yaml",
    "sub/../../secret.yaml",
    "../here/../secret.yaml",
    "link.yaml",
    "linked/secret.sh",
    ".git/config.env",
    "sub/.GIT/config.env",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_both_folders_is_read(name: str, folder: Path) -> None:
    """Neither by ``..``, nor by a link, nor what git keeps to itself."""
    write(folder, {"sub/a.yaml": "", ".git/config.env": "", "sub/.GIT/config.env": ""})
    (folder / "link.yaml").symlink_to(folder.parent / "secret.yaml")
    (folder / "linked").symlink_to(folder.parent / "outside")

    assert found(f"source {name}\nkops replace -f {name}\n") == {}


def test_an_absolute_name_is_not_looked_for(folder: Path) -> None:
    write(folder, {"a.yaml": ""})

    assert found(f"kops replace -f {folder}/a.yaml") == {}


def test_a_list_from_elsewhere_may_name_what_lies_beside_it(folder: Path) -> None:
    """But nothing above its own folder."""
    names = "source secret.sh; source ../secret.yaml"

    assert list(found(names, "../outside/plan.sh")) == ["../outside/secret.sh"]
    assert list(found(names, f"{folder.parent}/outside/plan.sh")) == [
        f"{folder.parent}/outside/secret.sh"
    ]


def test_links_and_dots_that_stay_inside_are_followed(folder: Path) -> None:
    write(folder, {"a.yaml": "spec", "plans/b.sh": ""})
    (folder / "plans/c.yaml").symlink_to("../a.yaml")

    assert found("kops replace -f ../a.yaml -f c.yaml", "plans/plan.sh") == {
        "a.yaml": "spec",
        "plans/c.yaml": "spec",
    }


def test_what_is_no_text_or_no_file_is_not_at_hand(folder: Path) -> None:
    (folder / "latin.sh").write_bytes(b"echo \xe9\n")
    (folder / "binary.yaml").write_bytes(b"a: b\0")
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    with (folder / "large.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (folder / "hidden.yaml").write_text("")
    (folder / "hidden.yaml").chmod(0)
    names = ["latin.sh", "binary.yaml", "folder.yaml", "pipe.yaml", "large.yaml"]
    # Whoever may do everything can read this too.
    names += ["hidden.yaml"] if os.getuid() else []

    assert found(" ".join([*names, "missing.yaml"])) == {}


def test_only_so_many_files_are_read(folder: Path) -> None:
    names = [f"{number}.yaml" for number in range(MOST_FILES + 1)]
    write(folder, dict.fromkeys(names, ""))

    assert list(found(" ".join(names))) == names[:MOST_FILES]


def test_only_so_many_names_are_looked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_files, "MOST_NAMES", 2)
    write(folder, {"c.yaml": ""})

    assert found("a.yaml b.yaml c.yaml") == {}


def test_the_files_of_a_list_at_a_revision_are_of_that_revision(folder: Path) -> None:
    """Whatever the disk has now; a link is no file there."""

    def git(*arguments: str) -> None:
        options = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *options, *arguments], cwd=folder, check=True)

    write(folder, {"plans/lib.sh": "old", "a.yaml": "old"})
    (folder / "link.yaml").symlink_to("a.yaml")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "old")
    write(folder, {"plans/lib.sh": "new", "a.yaml": "new", "b.yaml": "new"})
    names = "source lib.sh; kops replace -f a.yaml -f b.yaml -f link.yaml ../secret.sh"

    held = files_at_hand([Source("plans/plan.sh", names, "HEAD")])

    assert [(file.path, file.text, file.revision) for file in held] == [
        ("plans/lib.sh", "old", "HEAD"),
        ("a.yaml", "old", "HEAD"),
    ]
    assert files_at_hand([Source("plans/plan.sh", names, "no-such-revision")]) == ()
