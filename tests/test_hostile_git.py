"""What a pull request can do to the git that checks it: nothing.

Every repository here would start a program, the canary, or show other files than those
that are there. Where git itself falls for it, a test says so first, so that none of
them passes because the trap is not set.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import kopslint
from kopslint.cli.program import run
from kopslint.errors import InputError
from kopslint.inputs.git import Git, read_revision
from kopslint.inputs.git_change import ChangedFile, find_change

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: a.example.com
spec:
  etcdClusters:
  - name: main
    etcdMembers:
{members}"""
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: cp-{name}
  labels: {{kops.k8s.io/cluster: a.example.com}}
spec: {{role: Master, minSize: 1, maxSize: 1, subnets: [a]}}
"""


def cluster(*members: str) -> str:
    listed = "".join(
        f"    - {{name: {name}, instanceGroup: cp-{name}}}\n" for name in members
    )
    groups = "".join(GROUP.format(name=name) for name in members)
    return CLUSTER.format(members=listed) + groups


THREE, TWO = cluster("a", "b", "c"), cluster("a", "b")


class Hostile:
    """A repository, and a program that leaves a trace when it is started."""

    def __init__(self, root: Path, trace: Path) -> None:
        self.root = root
        self.trace = trace
        self.canary = root.parent / "canary"
        self.canary.write_text(f"#!/bin/sh\necho ran >> {trace}\n")
        self.canary.chmod(0o755)

    def git(self, *arguments: str, told: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            input=told,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "-m", "x")

    def configure(self, settings: dict[str, str]) -> None:
        """As one who has the repository's configuration include a file of the tree."""
        for name, value in settings.items():
            self.git("config", "--file", ".gitconfig", name, value)
        self.git("config", "include.path", "../.gitconfig")

    def ran(self) -> bool:
        """Whether the canary was started, and from now on not any more."""
        found = self.trace.exists()
        self.trace.unlink(missing_ok=True)
        return found


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hostile:
    """A repository with a cluster of three members on main and of two on a branch."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "global").write_text("[user]\nname = A\nemail = a@example.com\n")
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    made = Hostile(root, tmp_path / "trace")
    made.git("init", "--quiet", "--initial-branch=main")
    made.write("a.yaml", THREE)
    made.write("b.yaml", "other: file\n")
    made.commit()
    made.git("checkout", "--quiet", "-b", "work")
    return made


# Every way in which kopslint asks git for something.
CHECKS = (
    ("check", "--base=main"),
    ("check", "--changed"),
    ("check", "--base=main", "--head=HEAD"),
    ("check", "--staged"),
    ("check", "--before", "git:main:a.yaml", "--after", "a.yaml"),
)


def checked(capsys: pytest.CaptureFixture[str]) -> list[set[str]]:
    """The rules that every check reports."""
    found = []
    for arguments in CHECKS:
        capsys.readouterr()
        assert run([*arguments, "--format=json"]) in (0, 1), capsys.readouterr().err
        report = json.loads(capsys.readouterr().out)
        found.append({finding["rule"] for finding in report["findings"]})
    return found


# What starts a program, and how git is made to fall for it.
TRAPS: dict[str, tuple[dict[str, str], str, tuple[str, ...] | None]] = {
    "clean": ({"filter.e.clean": "CANARY"}, "*.yaml filter=e", ("diff", "HEAD")),
    "smudge": (
        {"filter.e.smudge": "CANARY", "filter.e.required": "true"},
        "*.yaml filter=e",
        ("checkout", "--force", "main", "--", "a.yaml"),
    ),
    "process": ({"filter.e.process": "CANARY"}, "*.yaml filter=e", ("diff", "HEAD")),
    "textconv": ({"diff.e.textconv": "CANARY"}, "*.yaml diff=e", ("diff", "main")),
    "driver": ({"diff.e.command": "CANARY"}, "*.yaml diff=e", ("diff", "main")),
    "external": ({"diff.external": "CANARY"}, "", ("diff", "main")),
    "monitor": ({"core.fsmonitor": "CANARY"}, "", ("status",)),
    "hooks": ({"core.hooksPath": "hooks"}, "", ("checkout", "--force", "HEAD")),
    "pager": (
        {"core.pager": "CANARY", "pager.diff": "CANARY"},
        "",
        # Git starts it at a terminal only.
        None,
    ),
    "editor": ({"core.editor": "CANARY"}, "", ("commit", "--allow-empty")),
    "alternates": ({"core.alternateRefsCommand": "CANARY"}, "", None),
    "credentials": ({"credential.helper": "!CANARY"}, "", ("credential", "fill")),
    "ssh": (
        {"core.sshCommand": "CANARY", "remote.origin.url": "git@example.invalid:x"},
        "",
        ("ls-remote", "origin"),
    ),
    "protocol": (
        {"protocol.allow": "always", "remote.origin.url": "ext::CANARY"},
        "",
        ("ls-remote", "origin"),
    ),
    "signature": ({"gpg.program": "CANARY", "log.showSignature": "true"}, "", None),
    "alias": (
        {"alias.diff-index": "!CANARY", "alias.up": "!CANARY"},
        "",
        ("up",),
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_that_a_tree_or_a_configuration_names_is_started(
    trap: str, hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, attributes, falls_for_it = TRAPS[trap]
    canary = str(hostile.canary)
    hostile.write("a.yaml", TWO)
    hostile.write("b.yaml", "other: text\n")
    hostile.commit()
    hostile.write(".gitattributes", attributes + "\n")
    hook = hostile.root / "hooks" / "post-checkout"
    hostile.write("hooks/post-checkout", hostile.canary.read_text())
    hook.chmod(0o755)
    hostile.configure(
        {name: value.replace("CANARY", canary) for name, value in settings.items()}
    )
    hostile.write("b.yaml", "other: words\n")
    # So that git has to read what it would otherwise believe.
    os.utime(hostile.root / "a.yaml", (1, 1))

    *of_changes, _, between = checked(capsys)
    assert not hostile.ran()
    assert all("KL202" in rules or rules for rules in of_changes)
    assert between

    if falls_for_it is not None:
        hostile.git(*falls_for_it, told="protocol=https\nhost=example.invalid\n\n")
        assert hostile.ran(), "git itself does not start it: this trap is not set"


def bare(hostile: Hostile, folder: str, worktree: str) -> None:
    """Commit a folder that git takes for a repository, with a filter of its own."""
    place = hostile.root / folder
    hostile.git("init", "--quiet", "--bare", str(place))
    config = f'[core]\nbare = false\nworktree = {worktree}\n[filter "e"]\n'
    (place / "config").write_text(f"{config}clean = {hostile.canary}\n")
    (place / "refs" / "keep").write_text("")
    (place / "objects" / "keep").write_text("")
    environment = ("-C", folder, "--git-dir=.", "--work-tree=.")
    hostile.write(f"{folder}/.gitattributes", "*.yaml filter=e\n")
    hostile.write(f"{folder}/a.yaml", THREE)
    hostile.git(*environment, "add", "a.yaml")
    hostile.git(*environment, "commit", "--quiet", "--no-verify", "-m", "x")
    hostile.git(*environment, "branch", "--force", "main")
    hostile.write(f"{folder}/a.yaml", TWO)
    hostile.ran()


def test_a_repository_in_the_tree_is_a_folder_like_any_other(
    hostile: Hostile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The folder of the check says which repository it is about, and ``.git`` alone."""
    hostile.write("a.yaml", TWO)
    bare(hostile, "clusters", ".")
    hostile.git("add", "--all", "--force")
    hostile.commit()
    monkeypatch.chdir(hostile.root / "clusters")
    found = hostile.git("-C", "clusters", "rev-parse", "--git-dir")
    assert found == ".", "git itself does not take it for a repository"

    assert Git().root == hostile.root
    assert run(["check", "--base=main", "--format=json"]) == 1
    assert not hostile.ran()
    told = json.loads(capsys.readouterr().out)
    assert told["summary"]["clusters"] == ["a.example.com"]


def test_the_path_that_is_checked_names_no_repository(hostile: Hostile) -> None:
    hostile.write("clusters/a.yaml", THREE)
    hostile.commit()
    hostile.git("branch", "--force", "main")
    bare(hostile, "clusters", "..")

    (source,) = read_revision("git:main:clusters/a.yaml", [".yaml"])
    assert source.text == THREE
    assert not hostile.ran()


def test_a_bare_repository_is_refused_even_from_inside(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.git("clone", "--quiet", "--bare", str(hostile.root), str(tmp_path / "b"))
    monkeypatch.chdir(tmp_path / "b")

    with pytest.raises(InputError, match="not a git repository"):
        find_change("main")


def test_a_replaced_commit_is_still_the_one_that_was_named(hostile: Hostile) -> None:
    """Else main would be whatever the pull request says that it is."""
    hostile.write("a.yaml", TWO)
    hostile.commit()
    hostile.git("replace", "main", "work")
    assert "cp-c" not in hostile.git("show", "main:a.yaml")

    change = find_change("main", "work")
    assert change.files == (ChangedFile("a.yaml", "a.yaml"),)
    (source,) = read_revision("git:main:a.yaml", [".yaml"])
    assert source.text == THREE


def test_a_submodule_is_neither_entered_nor_updated(
    hostile: Hostile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git asks a submodule what it changed, with that one's own configuration."""
    inner = hostile.root / "inner"
    hostile.git("init", "--quiet", str(inner))
    hostile.write("inner/x.yaml", "x: 1\n")
    for words in (("add", "--all"), ("commit", "--quiet", "-m", "x")):
        hostile.git("-C", "inner", *words)
    hostile.git("-C", "inner", "config", "core.fsmonitor", str(hostile.canary))
    hostile.write(
        ".gitmodules",
        f'[submodule "inner"]\npath = inner\nurl = {tmp_path}\n'
        f"update = !{hostile.canary}\nignore = all\n",
    )
    hostile.write("a.yaml", TWO)
    hostile.commit()
    hostile.write("inner/x.yaml", "x: 2\n")
    hostile.ran()
    hostile.git("status")
    hostile.git("diff", "--ignore-submodules=none", "main")
    is_set = hostile.ran()

    change = find_change("main")
    assert change.submodules == ("inner",)
    assert run(["check", "--base=main"]) == 1
    assert not hostile.ran()
    assert "inner is a submodule and was not read" in capsys.readouterr().err
    assert is_set


def test_git_is_not_taken_from_the_tree(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the current folder is searched for programs, it holds a stranger's."""
    hostile.write("git", hostile.canary.read_text())
    (hostile.root / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.pathsep}{os.environ['PATH']}")

    find_change("main")
    assert not hostile.ran()


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("gitdir: inside\n", "inside its own work tree"),
        ("gitdir: nowhere\n", "which is not a repository"),
        ("something else\n", "does not name a repository"),
    ],
)
def test_a_link_to_a_repository_is_looked_at(
    link: str, message: str, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = hostile.root / "unpacked"
    hostile.git("init", "--quiet", "--bare", str(work / "inside"))
    (work / ".git").write_text(link)
    monkeypatch.chdir(work)

    with pytest.raises(InputError, match=message):
        Git()


def test_further_work_trees_and_submodules_are_repositories(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.git("worktree", "add", "--quiet", str(tmp_path / "second"), "main")
    hostile.git("clone", "--quiet", str(hostile.root), str(tmp_path / "third"))
    add = ("-c", "protocol.file.allow=always", "submodule", "add", "--quiet")
    hostile.git(*add, str(tmp_path / "third"), "sub")
    for place in (tmp_path / "second", hostile.root / "sub"):
        assert (place / ".git").is_file()
        monkeypatch.chdir(place)
        assert Git().root == place
        (place / "a.yaml").write_text(TWO)
        assert find_change("HEAD").files == (ChangedFile("a.yaml", "a.yaml"),)


def test_the_repository_of_another_work_tree_is_refused(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.git("worktree", "add", "--quiet", str(tmp_path / "second"), "main")
    (tmp_path / "copy").mkdir()
    link = (tmp_path / "second" / ".git").read_text()
    (tmp_path / "copy" / ".git").write_text(link)
    monkeypatch.chdir(tmp_path / "copy")

    with pytest.raises(InputError, match="of another work tree"):
        Git()


def test_a_hook_of_another_repository_is_told_apart(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.git("clone", "--quiet", str(hostile.root), str(tmp_path / "third"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "third" / ".git"))

    with pytest.raises(InputError, match="GIT_DIR names"):
        find_change("main")


def submodule(hostile: Hostile, path: str) -> None:
    """Put a repository of its own there, which is another's to show."""
    hostile.git("init", "--quiet", path)
    empty = ("commit", "--quiet", "--no-verify", "--allow-empty", "-m", "x")
    hostile.git("-C", path, *empty)


@pytest.mark.parametrize("path", ["clusters/list.sh", ".kopslint.yaml", "clusters"])
def test_what_becomes_a_submodule_is_gone_and_no_pass(
    path: str, hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = "specs: ['clusters/*.yaml']\ncommands: ['clusters/*.sh']\n"
    hostile.write(".kopslint.yaml", settings)
    hostile.write("clusters/a.yaml", THREE)
    hostile.write("clusters/list.sh", "kops rolling-update cluster --yes\n")
    hostile.commit()
    hostile.git("branch", "--force", "main")
    place = hostile.root / path
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    submodule(hostile, path)
    if path != "clusters":
        hostile.write("clusters/a.yaml", TWO)
    hostile.commit()

    assert run(["check", "--base=main", "--fail-on=warning", "--format=json"]) == 1
    told = json.loads(capsys.readouterr().out)
    rules = {finding["rule"] for finding in told["findings"]}
    assert rules >= {"KL916" if path == ".kopslint.yaml" else "KL232"}


@pytest.mark.parametrize(
    "words",
    [
        ["--base=main"],
        ["--changed"],
        ["--staged"],
        ["--before=git:main:a.yaml", "--after=a.yaml"],
    ],
)
def test_a_folder_that_becomes_a_submodule_brings_no_history_of_its_own(
    words: list[str],
    hostile: Hostile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The job starts in that folder, and a stranger's repository has a main as well."""
    hostile.write("clusters/a.yaml", THREE)
    hostile.commit()
    hostile.git("branch", "--force", "main")
    shutil.rmtree(hostile.root / "clusters")
    hostile.git("init", "--quiet", "--initial-branch=main", "clusters")
    hostile.write("clusters/a.yaml", TWO)
    for words_of_git in (("add", "--all"), ("commit", "--quiet", "-m", "x")):
        hostile.git("-C", "clusters", *words_of_git)
    hostile.commit()
    monkeypatch.chdir(hostile.root / "clusters")

    assert run(["check", *words]) == 2
    assert "a folder in" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.yaml", "folder/a.yaml"])
def test_what_lies_behind_a_link_is_not_the_file_of_git(
    name: str, hostile: Hostile, tmp_path: Path
) -> None:
    """A link in the work tree may lead anywhere; git keeps it as a link."""
    hostile.write(name, THREE)
    hostile.commit()
    hostile.git("branch", "--force", "main")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text(TWO)
    (hostile.root / name).unlink()
    if name == "a.yaml":
        (hostile.root / name).symlink_to(outside / "a.yaml")
    else:
        (hostile.root / "folder").rmdir()
        (hostile.root / "folder").symlink_to(outside)

    change = find_change("main")
    assert ChangedFile(name, None) in change.files
    assert name not in change.after.files


def test_a_file_is_compared_by_its_bytes(hostile: Hostile) -> None:
    """Same size and same time: what the index notes is believed only of old files."""
    hostile.write("a.yaml", THREE.replace("cp-c", "cp-d"))
    assert find_change("main").files == (ChangedFile("a.yaml", "a.yaml"),)
    hostile.write("a.yaml", THREE)
    assert find_change("main").files == ()
    hostile.write("a.yaml", THREE.replace("\n", "\r\n"))
    assert find_change("main").files == ()


def test_what_is_staged_and_taken_back_on_the_disk_is_no_change(
    hostile: Hostile,
) -> None:
    hostile.write("a.yaml", TWO)
    hostile.git("add", "a.yaml")
    hostile.write("a.yaml", THREE)
    hostile.git("add", "--intent-to-add", "b.yaml")
    assert find_change("main").files == ()
    hostile.write("new.yaml", TWO)
    hostile.git("add", "--intent-to-add", "new.yaml")
    assert find_change("main").files == (ChangedFile("new.yaml", "new.yaml"),) or (
        find_change("main").files == (ChangedFile(None, "new.yaml"),)
    )


def test_git_is_called_in_one_place_only() -> None:
    """A second way of calling it would have none of this switched off."""
    package = Path(kopslint.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "subprocess" in path.read_text(encoding="utf-8")
    }
    assert callers == {"inputs/git.py"}


# ------------------------------------------------------------------------------------
# A change must not make a cluster look as if it were none

ESCAPED = {
    "a dot": ("kops.k8s.io/", '"kops.k8s\\x2eio/', "v1alpha2", 'v1alpha2"'),
    "a slash": ("kops.k8s.io/", '"kops.k8s.io\\/', "v1alpha2", 'v1alpha2"'),
    "four digits": ("kops.k8s.io/", '"k\\u006fps.k8s.io/', "v1alpha2", 'v1alpha2"'),
    "eight": ("kops.k8s.io/", '"kops\\U0000002Ek8s.io/', "v1alpha2", 'v1alpha2"'),
    "a line that goes on": (
        "kops.k8s.io/",
        '"kops.\\\n    k8s.io/',
        "v1alpha2",
        'v1alpha2"',
    ),
    **{
        called: ("kops.k8s.io/", f"{tag} a29wcy5rOHMuaW8v", "v1alpha2", "djFhbHBoYTI=")
        for called, tag in {
            "Base64": "!!binary",
            "Base64, escaped": "!!bin%61ry",
            "Base64, in full": "!<tag:yaml.org,2002:binary>",
        }.items()
    },
}


@pytest.mark.parametrize("how", ["--staged", "--changed", "--base=main"])
@pytest.mark.parametrize("written", ESCAPED)
def test_a_cluster_is_found_however_its_version_is_written(
    written: str, how: str, hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files are chosen by what a parser finds in them, and not by their bytes."""
    old, new, end, closed = ESCAPED[written]
    text = TWO.replace("kops.k8s.io/cluster", "CLUSTER").replace(
        f"{old}{end}", f"{new}{closed}"
    )
    hostile.write("a.yaml", text.replace("CLUSTER", '"kops.k8s\\x2eio/cluster"'))
    hostile.git("add", "--all")

    run(["check", how, "--format=json"])
    report = json.loads(capsys.readouterr().out)
    assert report["summary"]["clusters"] == ["a.example.com"]
    rules = {finding["rule"] for finding in report["findings"]}
    assert "KL232" not in rules
    assert rules


def test_a_new_cluster_with_its_version_in_escapes_is_a_cluster(
    hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "Cluster",
        "metadata": {"name": "new.example.com"},
        "spec": {},
    }
    hostile.write("new.json", json.dumps(spec).replace("/", "\\/"))

    run(["check", "--changed", "--format=json"])
    report = json.loads(capsys.readouterr().out)
    assert report["summary"]["clusters"] == ["new.example.com"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_spec_in_another_encoding_is_refused(
    encoding: str, hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    (hostile.root / "new.yaml").write_bytes(TWO.encode(encoding))

    assert run(["check", "--changed"]) == 2
    assert "new.yaml is UTF-16" in capsys.readouterr().err


VANISHED = {
    "deleted": None,
    "emptied": "",
    "all comments": "".join(f"# {line}\n" for line in THREE.splitlines()),
    "another API": THREE.replace("kops.k8s.io/v1", "kops.example.com/v1"),
}
SILENCERS = (
    (),
    ("--ignore=all",),
    ("--ignore=KL2",),
)


SHAPES = ("a link", "another ending", "a folder", "a submodule")


@pytest.mark.parametrize("shape", [*VANISHED, *SHAPES])
@pytest.mark.parametrize("options", SILENCERS, ids=" ".join)
@pytest.mark.parametrize("how", ["--staged", "--changed", "--base=main", "--head=HEAD"])
def test_a_cluster_that_a_change_hides_is_an_error_that_nothing_silences(
    shape: str,
    options: tuple[str, ...],
    how: str,
    hostile: Hostile,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = hostile.root / "a.yaml"
    path.unlink()
    if shape == "a link":
        path.symlink_to("/dev/null")
    elif shape == "another ending":
        hostile.write("a.md", THREE)
    elif shape == "a folder":
        hostile.write("a.yaml/x", "x")
    elif shape == "a submodule":
        submodule(hostile, "a.yaml")
    elif (text := VANISHED[shape]) is not None:
        hostile.write("a.yaml", f"# kopslint ignore-file KL232: fine\n{text}")
    hostile.git("add", "--all")
    if how in ("--base=main", "--head=HEAD"):
        hostile.commit()
    words = [how, "--base=main"] if how == "--head=HEAD" else [how]

    assert run(["check", *words, *options, "--format=json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert ("KL232", "error") in {(f["rule"], f["severity"]) for f in found}


@pytest.mark.parametrize("how", ["--staged", "--changed", "--base=main"])
def test_a_spec_that_grows_too_large_is_refused(
    how: str,
    hostile: Hostile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("kopslint.inputs.git.MAX_BYTES", 10_000)
    hostile.write("a.yaml", TWO + "# x\n" * 10_000)
    hostile.git("add", "--all")
    if how == "--base=main":
        hostile.commit()

    assert run(["check", how]) == 2
    assert "a.yaml is larger than" in capsys.readouterr().err
