"""The hooks that pre-commit finds in this repository, and one run of them for real."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from kopslint.cli.inputs import COMMAND_SUFFIXES, SPEC_SUFFIXES
from kopslint.cli.program import run

ROOT = Path(__file__).parents[1]
HOOKS = {
    hook["id"]: hook
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
}
DEMO = ROOT / "fixtures/five-to-three"

# What pip says if it cannot reach a package index.
OFFLINE = ("No matching distribution", "Connection", "Temporary failure in name")


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_calls_a_command_that_exists(
    hook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every option of an entry is one that the command's help describes."""
    program, command, *options = HOOKS[hook]["entry"].split()

    assert program == "kopslint"
    assert run([command, "--help"]) == 0
    told = capsys.readouterr().out.split()
    assert [option for option in options if option not in told] == []


@pytest.mark.skipif(find_spec("pre_commit") is None, reason="pre-commit is missing")
def test_pre_commit_accepts_the_manifest() -> None:
    manifest = ROOT / ".pre-commit-hooks.yaml"
    ran = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", manifest],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_looks_at_the_whole_repository_once(hook: str) -> None:
    """Names in batches and in parallel would cut a cluster into pieces."""
    assert HOOKS[hook]["pass_filenames"] is False
    assert HOOKS[hook]["require_serial"] is True
    assert HOOKS[hook]["stages"] == ["pre-commit", "pre-merge-commit", "manual"]


def test_the_check_of_a_commit_is_never_skipped() -> None:
    """A deleted file has no name that a pattern could match."""
    assert HOOKS["kopslint"]["always_run"] is True
    assert "files" not in HOOKS["kopslint"]


def test_a_commit_that_passes_still_says_which_order_to_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five to three without a list: pre-commit shows it, and what prints the order."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    for side in ("before", "after"):
        shutil.copy(DEMO / f"{side}.yaml", "prod.yaml")
        subprocess.run([*git, "add", "prod.yaml"], check=True)
        if side == "before":
            subprocess.run([*git, "commit", "--quiet", "-m", "five"], check=True)

    assert run(HOOKS["kopslint"]["entry"].split()[1:]) == 0

    assert HOOKS["kopslint"]["verbose"] is True
    told = capsys.readouterr().out
    assert "control plane 5 -> 3" in told
    assert re.search(
        r"kopslint plan --before git:\w+:prod.yaml --after prod.yaml", told
    )


GOOD = {
    "kopslint-commands": [
        *(f"ops/scale-down{suffix}" for suffix in COMMAND_SUFFIXES),
        *(f"clusters/prod{suffix}" for suffix in SPEC_SUFFIXES),
        "README.md",
        ".github/workflows/deploy.yml",
        "Makefile",
        "ops/GNUmakefile",
        "ops/kops.mk",
        "Jenkinsfile",
        ".kopslint.yaml",
    ],
    "kopslint-rules": [
        "lint/rules/ACME001-no-spot/rule.yaml",
        "ACME001-no-spot/examples/bad-spot/after.yaml",
        "lint/ACME001-no-spot/examples/good-on-demand/commands.sh",
        "lint/ACME001-no-spot/examples/bad-spot/expected.txt",
    ],
}
BAD = {
    "kopslint-commands": [
        "main.go",
        "ops/run.py",
        "ops/shell",
        "ops/notes.md.orig",
        "ops/makefile-notes",
        "ops/MyJenkinsfile",
        "terraform/main.tf",
    ],
    "kopslint-rules": [
        "clusters/prod.yaml",
        "lint/my-rule.yaml",
        "lint/ACME001-no-spot/examples/notes.md",
        "docs/examples/after.yaml",
        "myexamples/bad-spot/after.yaml",
    ],
}


@pytest.mark.parametrize("hook", GOOD)
def test_a_hook_runs_when_one_of_its_files_changes(hook: str) -> None:
    pattern = re.compile(HOOKS[hook]["files"])

    assert [path for path in GOOD[hook] if not pattern.search(path)] == []
    assert [path for path in BAD[hook] if pattern.search(path)] == []


def git(folder: Path, *arguments: str) -> str:
    """What git answers in a folder, away from anybody's own configuration."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git and pre-commit know nobody and keep nothing outside this test."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.com")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))


def published(folder: Path) -> str:
    """A repository of kopslint as it is now, as its one commit; the commit's name."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("kopslint", "rules"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "kopslint")
    return git(folder, "rev-parse", "HEAD")


def team_with_hooks(folder: Path, source: Path) -> None:
    """A repository with five control-plane nodes, a file each, and the hooks of it.

    Skips the test if nothing can be installed here.
    """
    hooks = [
        {"id": "kopslint"},
        {
            "id": "kopslint-commands",
            "args": ["clusters/", "--commands", "runbooks/"],
        },
    ]
    repo = {"repo": str(source), "rev": published(source), "hooks": hooks}
    write(folder / ".pre-commit-config.yaml", yaml.safe_dump({"repos": [repo]}))
    for document in (DEMO / "before.yaml").read_text("utf-8").split("---\n"):
        name = yaml.safe_load(document)["metadata"]["name"]
        write(folder / f"clusters/{name}.yaml", document)
    write(folder / "runbooks/roll.sh", "kops rolling-update cluster --yes\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "five control-plane nodes")
    installed = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install", "--install-hooks"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode and any(each in installed.stdout for each in OFFLINE):
        pytest.skip("hooks cannot be installed without a package index")
    assert installed.returncode == 0, installed.stdout + installed.stderr


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str) -> list[tuple[str, str]] | None:
    """The errors of an attempt to commit everything, or None if it is committed."""
    git(folder, "add", "--all")
    done = subprocess.run(
        ["git", "commit", "-m", message],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    return re.findall(r"^(\S+): error\[(KL\d+)\]", done.stderr, re.MULTILINE)


@pytest.mark.skipif(find_spec("pre_commit") is None, reason="pre-commit is missing")
@pytest.mark.usefixtures("alone")
def test_a_commit_that_harms_etcd_is_stopped_and_others_are_not(tmp_path: Path) -> None:
    """pre-commit installs the hooks from a clone, and git runs them at every commit."""
    source, team = tmp_path / "kopslint", tmp_path / "team"
    source.mkdir()
    team_with_hooks(team, source)

    nodes = team / "clusters/nodes.yaml"
    write(nodes, nodes.read_text("utf-8").replace("Size: 6", "Size: 7"))
    more_nodes = commit(team, "more nodes")
    (team / "clusters/master-4.yaml").unlink()
    only_a_deletion = commit(team, "a control-plane node less")
    git(team, "reset", "--quiet", "--hard")
    write(team / "runbooks/less.md", "```bash\nkops delete ig master-4 --yes\n```\n")
    runbook = commit(team, "a runbook that says so")

    assert more_nodes is None
    assert only_a_deletion == [("clusters/prod.example.com.yaml:26:22", "KL101")]
    assert runbook == [("runbooks/less.md:2:1", "KL301")]
    assert git(team, "log", "-1", "--format=%s") == "more nodes"
