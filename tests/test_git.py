"""A change taken from git: which clusters it touches, and what both sides hold."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.program import run
from kopslint.config.changed_clusters import TouchedCluster, touched_clusters
from kopslint.config.patterns import Layout, Patterns
from kopslint.errors import InputError
from kopslint.inputs.decode import MAX_BYTES, decode
from kopslint.inputs.git import read_revision
from kopslint.inputs.git_change import ChangedFile, find_change

if TYPE_CHECKING:
    from pathlib import Path

    from kopslint.text import Source


def group(name: str, cluster: str | None, role: str = "Master") -> str:
    labels = f"\n  labels: {{kops.k8s.io/cluster: {cluster}}}" if cluster else ""
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  name: {name}{labels}\nspec: {{role: {role}, minSize: 1, maxSize: 1,"
        " subnets: [a]}\n"
    )


def cluster(name: str, *members: str) -> str:
    """A cluster with its control-plane groups in one file."""
    listed = "".join(
        f"    - {{name: {m}, instanceGroup: cp-{m}}}\n" for m in members or ("a",)
    )
    groups = [group(f"cp-{m}", name) for m in members or ("a",)]
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n"
        f"  name: {name}\nspec:\n  etcdClusters:\n  - name: main\n    etcdMembers:\n"
        f"{listed}---\n" + "---\n".join(groups)
    )


@dataclass
class Repository:
    """A repository in the making."""

    root: Path

    def git(self, *arguments: str, check: bool = True) -> str:
        options = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        done = subprocess.run(
            ["git", *options, "-c", "init.defaultBranch=main", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=check,
        )
        return done.stdout.strip()

    def write(self, files: dict[str, str | None]) -> None:
        """Writes files, and removes those whose text is None."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, files: dict[str, str | None]) -> str:
        """The full name of a commit with these files written or removed."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository that is the current folder, away from anybody's own git."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    made = Repository(root)
    made.git("init", "--quiet")
    return made


def touched(
    layout: Layout | None = None,
    base: str | None = None,
    head: str | None = None,
    *,
    staged: bool = False,
    within: tuple[str, ...] = (),
) -> list[TouchedCluster]:
    change = find_change(base, head, staged=staged)
    return touched_clusters(change, layout or Layout(os.getcwd()), within)  # noqa: PTH109


def paths(sources: tuple[Source, ...]) -> list[str]:
    return [source.path for source in sources]


def sides(found: list[TouchedCluster]) -> dict[str, tuple[list[str], list[str]]]:
    return {each.title: (paths(each.before or ()), paths(each.after)) for each in found}


A, B, C = cluster("a.example.com"), cluster("b.example.com"), cluster("c.example.com")
A3 = cluster("a.example.com", "a", "b", "c")


def test_the_work_tree_is_compared_with_where_the_branch_parted_from_main(
    repository: Repository,
) -> None:
    """Neither what main did meanwhile nor what is committed already gets lost."""
    parted = repository.commit({"a.yaml": A, "b.yaml": B, "c.yaml": C})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({"a.yaml": A3})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"b.yaml": B + "# on main\n"})
    repository.git("checkout", "--quiet", "work")
    repository.write({"c.yaml": C + "# not committed\n"})

    found = touched()

    assert sides(found) == {
        "a.example.com": (["a.yaml"], ["a.yaml"]),
        "c.example.com": (["c.yaml"], ["c.yaml"]),
    }
    assert [s.text for each in found for s in each.before or ()] == [A, C]
    assert [s.text for each in found for s in each.after] == [
        A3,
        C + "# not committed\n",
    ]
    assert {s.revision for each in found for s in each.before or ()} == {parted[:7]}
    assert {s.revision for each in found for s in each.after} == {None}


@pytest.mark.parametrize("branch", ["main", "master"])
@pytest.mark.parametrize("remote", [True, False])
def test_the_default_branch_is_found(
    repository: Repository, branch: str, remote: bool
) -> None:
    """The remote's, if there is a remote, and otherwise the one with a usual name."""
    repository.git("checkout", "--quiet", "-b", branch)
    first = repository.commit({"a.yaml": A})
    if remote:
        repository.git("update-ref", f"refs/remotes/origin/{branch}", first)
        repository.commit({"a.yaml": A3})

    assert find_change().before.tree == first


def test_origin_head_says_which_branch_is_the_default(repository: Repository) -> None:
    first = repository.commit({"a.yaml": A})
    repository.git("update-ref", "refs/remotes/origin/trunk", first)
    origin = "refs/remotes/origin/HEAD"
    repository.git("symbolic-ref", origin, "refs/remotes/origin/trunk")
    repository.commit({"a.yaml": A3})

    assert find_change().before.tree == first


def test_without_a_default_branch_the_base_must_be_named(
    repository: Repository,
) -> None:
    repository.git("checkout", "--quiet", "-b", "trunk")
    repository.commit({"a.yaml": A})

    with pytest.raises(InputError, match="no default branch") as refused:
        find_change()
    assert refused.value.hint == "name a base: --base REV"
    assert find_change("trunk").files == ()


def test_two_revisions_are_compared_without_the_work_tree(
    repository: Repository,
) -> None:
    """As in CI on a merge commit with a detached head."""
    repository.commit({"a.yaml": A, "b.yaml": B})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({"a.yaml": A3})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"b.yaml": B + "# on main\n"})
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "work")
    merge = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "--detach", merge)
    repository.write({"b.yaml": "broken: [", "new.yaml": C})

    found = touched(base="HEAD^1", head="HEAD")

    assert sides(found) == {"a.example.com": (["a.yaml"], ["a.yaml"])}
    assert found[0].after[0].revision == merge[:7]


def test_staged_is_the_index_and_not_the_work_tree(repository: Repository) -> None:
    head = repository.commit({"a.yaml": A, "b.yaml": B})
    repository.write({"a.yaml": A3})
    repository.git("add", "a.yaml")
    repository.write({"a.yaml": "later: [", "b.yaml": B + "# not staged\n"})

    (found,) = touched(staged=True)

    assert found.before is not None
    assert (found.before[0].text, found.after[0].text) == (A, A3)
    assert (found.before[0].revision, found.after[0].revision) == (
        head[:7],
        "the index",
    )


def test_a_hook_sees_the_index_that_git_is_about_to_commit(
    repository: Repository,
) -> None:
    """``git commit FILE`` uses an index of its own, which only a variable names."""
    repository.commit({"a.yaml": A, "b.yaml": B})
    hook = repository.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    program = "from kopslint.inputs.git_change import find_change as f"
    hook.write_text(
        "#!/bin/sh\n"
        f"{sys.executable} -c '{program}; print(f(staged=True).files)' > .git/seen\n",
        encoding="utf-8",
    )
    hook.chmod(0o755)
    repository.write({"a.yaml": A3, "b.yaml": B + "# staged\n"})
    repository.git("add", "b.yaml")
    repository.git("commit", "--quiet", "-m", "x", "a.yaml")

    seen = (repository.root / ".git" / "seen").read_text(encoding="utf-8")
    assert seen == "(ChangedFile(old='a.yaml', new='a.yaml'),)\n"


def test_before_the_first_commit_there_is_nothing(repository: Repository) -> None:
    """A hook of a new repository sees a new cluster."""
    repository.write({"a.yaml": A})
    repository.git("add", "a.yaml")

    assert sides(touched(staged=True)) == {"a.example.com": ([], ["a.yaml"])}
    assert find_change().before.title == "the empty tree"


@pytest.mark.parametrize(
    "base",
    ["0" * 40, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"],
    ids=["zeros", "tree"],
)
def test_the_empty_tree_can_be_named(repository: Repository, base: str) -> None:
    """Forges give zeros as the state before the first push of a branch."""
    repository.commit({"a.yaml": A})

    assert sides(touched(base=base, head="HEAD")) == {"a.example.com": ([], ["a.yaml"])}


def test_a_file_that_git_does_not_know_yet_is_a_change(repository: Repository) -> None:
    repository.commit({"a.yaml": A, ".gitignore": "/ignored.yaml\n"})
    repository.write({"b.yaml": B, "ignored.yaml": C})

    assert sides(touched()) == {"b.example.com": ([], ["b.yaml"])}


def test_a_removed_cluster_has_only_a_before(repository: Repository) -> None:
    repository.commit({"a.yaml": A, "b.yaml": B})
    repository.write({"a.yaml": None})

    assert sides(touched()) == {"a.example.com": (["a.yaml"], [])}


@pytest.mark.parametrize("text", [A, A + "# changed\n"], ids=["same", "changed"])
def test_a_renamed_file_is_one_change(repository: Repository, text: str) -> None:
    base = repository.commit({"clusters/a.yaml": A})
    repository.commit({"clusters/a.yaml": None, "clusters/b.yaml": text})
    layout = Layout(str(repository.root), Patterns(["clusters/*.yaml"]))

    assert find_change(base).files == (
        ChangedFile("clusters/a.yaml", "clusters/b.yaml"),
    )
    assert sides(touched(layout, base)) == {
        "a.example.com": (["clusters/a.yaml"], ["clusters/b.yaml"])
    }


def test_a_file_that_leaves_the_patterns_is_no_spec_any_more(
    repository: Repository,
) -> None:
    """No later check would read it."""
    base = repository.commit({"clusters/a.yaml": A})
    repository.commit({"clusters/a.yaml": None, "old/a.yaml": A})
    layout = Layout(str(repository.root), Patterns(["clusters/*.yaml"]))

    assert sides(touched(layout, base)) == {"a.example.com": (["clusters/a.yaml"], [])}


def test_odd_names_are_read_as_they_are(repository: Repository) -> None:
    name = 'with "quotes", ümlaut\n and\ttab.yaml'
    repository.commit({name: A})
    repository.write({name: A3})

    assert sides(touched()) == {"a.example.com": ([name], [name])}


def test_links_and_submodules_are_not_followed(repository: Repository) -> None:
    repository.commit({"a.yaml": A})
    inner = repository.root / "inner"
    inner.mkdir()
    Repository(inner).git("init", "--quiet")
    Repository(inner).commit({"b.yaml": B})
    (repository.root / "link.yaml").symlink_to("a.yaml")
    repository.git("-c", "advice.addEmbeddedRepo=false", "add", "--all")
    change = find_change(staged=True)

    assert change.files == ()
    assert change.submodules == ("inner",)


def test_a_change_may_mend_a_spec_that_could_not_be_read(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hook must let the cure pass, and still look at the state after it."""
    repository.commit({"a.yaml": A.replace("spec:", "spec: {", 1)})
    repository.write({"a.yaml": cluster("a.example.com", "a", "b")})

    assert check("--changed", "--format=json") == 1

    out, err = capsys.readouterr()
    assert rules_found(out) == {("a.example.com", "KL103")}
    assert err == (
        "kopslint: a.example.com could not be read before the change, so only the state"
        " after it was checked\n"
    )


def test_a_spec_that_a_change_breaks_is_an_error_with_its_place(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": A})
    repository.write({"a.yaml": A.replace("  name: a", "\tname: a", 1)})

    assert check("--changed") == 2
    assert capsys.readouterr().err.startswith("kopslint: a.yaml:4:1: ")


def test_a_pipeline_for_all_clusters_is_read_once(repository: Repository) -> None:
    files: dict[str, str | None] = {"a.yaml": A, "b.yaml": B, "run.sh": "kops get ig\n"}
    repository.commit({"x": ""})
    repository.write(files)
    layout = Layout(str(repository.root), None, ((None, Patterns(["run.sh"])),))

    first, second = touched(layout)

    assert paths(first.commands) == ["run.sh"]
    assert first.commands[0] is second.commands[0]


def test_a_conflict_must_be_resolved_first(repository: Repository) -> None:
    repository.commit({"a.yaml": A})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({"a.yaml": A + "# work\n"})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"a.yaml": A + "# main\n"})
    repository.git("merge", "--quiet", "work", check=False)

    with pytest.raises(InputError, match=r"a\.yaml has an unresolved conflict"):
        find_change(staged=True)


def test_a_conflict_in_the_work_tree_is_called_one(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": A})
    repository.git("checkout", "--quiet", "-b", "work")
    repository.commit({"a.yaml": A.replace("name: main", "name: events")})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"a.yaml": A.replace("name: main", "name: cilium")})
    repository.git("merge", "--quiet", "work", check=False)
    line = 1 + (repository.root / "a.yaml").read_text().splitlines().index(
        "<<<<<<< HEAD"
    )

    assert check("--changed") == 2
    assert capsys.readouterr().err == (
        f"kopslint: a.yaml:{line}:1: this conflict is not resolved\n"
        "  hint: resolve it, and remove the lines of <, = and >\n"
    )


def test_what_is_to_be_pasted_names_a_staged_file_as_it_lies_there(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """The index has no name on the command line."""
    repository.commit({"a b.yaml": cluster("a.example.com", *"abcde")})
    repository.write({"a b.yaml": A3})
    repository.git("add", "--all")

    check("--staged", "--select=KL213", "--format=json")

    fixes = [
        command
        for finding in json.loads(capsys.readouterr().out)["findings"]
        for command in finding["fix"]
        if command.startswith("kopslint plan")
    ]
    assert fixes
    assert all(" --after 'a b.yaml'" in command for command in fixes)


def test_a_line_of_the_state_before_is_never_shown_in_the_file_after_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """The group is gone, and what has its line now is something else."""
    repository.commit({"a.yaml": cluster("a.example.com", *"abcde")})
    repository.write({"a.yaml": A3})

    check("--changed", "--select=KL205", "--format=github")

    gone = [line for line in capsys.readouterr().out.splitlines() if "KL205" in line]
    assert len(gone) == 2
    assert all(line.startswith("::warning file=a.yaml,title=KL205 ") for line in gone)


def test_a_repository_without_files_is_said_to_have_none(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(repository.root / ".git")

    assert check("--changed") == 2
    assert capsys.readouterr().err.startswith(
        "kopslint: this repository has no work tree here\n"
    )


def test_a_sparse_checkout_has_its_hidden_files_too(repository: Repository) -> None:
    """A file that is not on the disk on purpose was not removed."""
    nodes = group("nodes", "a.example.com", "Node")
    repository.commit({"a.yaml": A, "nodes.yaml": nodes})
    repository.git("update-index", "--skip-worktree", "nodes.yaml")
    repository.write({"a.yaml": A3, "nodes.yaml": None})

    assert sides(touched()) == {
        "a.example.com": (["a.yaml", "nodes.yaml"], ["a.yaml", "nodes.yaml"])
    }


def test_a_shallow_clone_asks_for_its_history(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": A})
    repository.commit({"a.yaml": A3})
    repository.git("clone", "--quiet", "--depth=1", repository.root.as_uri(), "clone")
    monkeypatch.chdir(repository.root / "clone")

    with pytest.raises(InputError, match="shallow and does not have HEAD~1") as refused:
        find_change("HEAD~1")
    assert "fetch-depth: 0" in (refused.value.hint or "")


def test_a_shallow_clone_of_a_pull_request_asks_for_the_default_branch(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As actions/checkout makes it: one commit, a detached head, and no branch."""
    repository.commit({"a.yaml": A})
    repository.commit({"a.yaml": A3})
    repository.git("clone", "--quiet", "--depth=1", repository.root.as_uri(), "clone")
    clone = Repository(repository.root / "clone")
    clone.git("checkout", "--quiet", "--detach")
    clone.git("branch", "--quiet", "-D", "main")
    clone.git("remote", "remove", "origin")
    monkeypatch.chdir(clone.root)

    with pytest.raises(InputError, match="shallow and does not have the default"):
        find_change()


def test_a_partial_clone_asks_for_what_it_lacks(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fetched for a check, not even by git itself."""
    repository.commit({"a.yaml": A})
    repository.commit({"a.yaml": A3})
    repository.git("config", "uploadpack.allowFilter", "true")
    address = repository.root.as_uri()
    options = ("--quiet", "--filter=blob:none", "--no-checkout")
    repository.git("clone", *options, address, "clone")
    monkeypatch.chdir(repository.root / "clone")

    with pytest.raises(InputError, match="partial and lacks the content") as refused:
        touched(base="HEAD~1", head="HEAD")
    assert "without --filter" in (refused.value.hint or "")
    with pytest.raises(InputError, match="partial and lacks the content"):
        read_revision("git:HEAD:a.yaml", [".yaml"])


def test_histories_that_never_parted_are_compared_as_they_are(
    repository: Repository,
) -> None:
    first = repository.commit({"a.yaml": A})
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit({"a.yaml": A3})

    change = find_change(first)

    assert change.files == (ChangedFile("a.yaml", "a.yaml"),)
    assert change.before.title == first[:7]


def test_a_file_in_git_that_no_spec_is_as_large_as_is_left_out(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = A + f"# {'x' * 100_000}\n"
    repository.commit({"a.yaml": A, "large.yaml": large})
    repository.commit({"a.yaml": A3, "large.yaml": large + "#\n"})
    monkeypatch.setattr("kopslint.inputs.git.MAX_BYTES", 10_000)

    assert sides(touched(base="HEAD~1", head="HEAD")) == {
        "a.example.com": (["a.yaml"], ["a.yaml"])
    }


def test_without_git_only_files_can_be_read(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository.write({"a.yaml": A})
    monkeypatch.setenv("PATH", "")

    assert run(["check", "--before", "git:HEAD:a.yaml", "--after", "a.yaml"]) == 2
    assert "needs the git program, which is not installed" in capsys.readouterr().err
    assert run(["doctor"]) == 0
    assert "not installed, so only files can be read" in capsys.readouterr().out


def test_a_file_in_git_may_be_as_large_as_one_on_the_disk(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kopslint.inputs.git.MAX_BYTES", 10)
    repository.commit({"a.yaml": A})

    with pytest.raises(InputError, match=r"^a\.yaml"):
        read_revision("git:HEAD:a.yaml", [".yaml"])


def test_a_repository_of_somebody_else_is_refused_with_what_to_do(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.yaml": A})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(InputError, match="dubious ownership") as refused:
        find_change()
    assert refused.value.hint == (
        f"if you trust it: git config --global --add safe.directory '{repository.root}'"
    )


@pytest.mark.parametrize("revision", ["nope", "-h", "--all", "HEAD~9", ""])
def test_a_wrong_revision_is_said(repository: Repository, revision: str) -> None:
    repository.commit({"a.yaml": A})

    with pytest.raises(InputError, match=f"there is no revision {revision}"):
        find_change(revision)
    with pytest.raises(InputError, match=f"there is no revision {revision}"):
        find_change("HEAD", revision)


def test_outside_a_repository_git_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match="not a git repository"):
        find_change()


def test_the_repository_is_left_as_it_was(repository: Repository) -> None:
    """Nothing is locked or refreshed, even where git would like to."""
    repository.commit({"a.yaml": A})
    os.utime(repository.root / "a.yaml", (1, 1))
    index = (repository.root / ".git" / "index").read_bytes()

    assert touched() == []
    assert (repository.root / ".git" / "index").read_bytes() == index


def test_files_beside_a_changed_one_belong_to_it_if_they_name_its_cluster(
    repository: Repository,
) -> None:
    """And a template among them, as what comes out of it."""
    nodes = group("nodes", "a.example.com", "Node")
    repository.commit(
        {
            "kops/a.yaml": A,
            "kops/nodes.yaml": nodes,
            "kops/b.yaml": B,
            "kops/aa.yaml": cluster("a.example.com.org"),
            "kops/template.yaml": "{{ range .z }}\n" + nodes,
            "kops/values.yaml": "cluster: a.example.com\n",
            "other/a.yaml": group("far", "a.example.com"),
        }
    )
    repository.write({"kops/a.yaml": A3})
    own = ["kops/a.yaml", "kops/nodes.yaml", "kops/template.yaml"]

    assert sides(touched()) == {"a.example.com": (own, own)}


def test_objects_that_name_no_cluster_belong_to_those_beside_them(
    repository: Repository,
) -> None:
    repository.commit({"a/c.yaml": A, "a/nodes.yaml": group("n", None), "b/c.yaml": B})
    repository.write({"a/nodes.yaml": group("n", None, "Node")})

    assert sides(touched()) == {
        "a.example.com": (["a/c.yaml", "a/nodes.yaml"], ["a/c.yaml", "a/nodes.yaml"])
    }


def test_a_cluster_that_moves_between_files_is_one_cluster(
    repository: Repository,
) -> None:
    repository.commit({"one/all.yaml": A})
    spec, separator, groups = A3.partition("---\n")
    repository.write(
        {"one/all.yaml": None, "two/cluster.yaml": spec, "three/groups.yaml": groups}
    )
    assert separator

    assert sides(touched()) == {
        "a.example.com": (
            ["one/all.yaml"],
            ["three/groups.yaml", "two/cluster.yaml"],
        )
    }


def test_the_configuration_says_which_files_are_specs_and_belong_together(
    repository: Repository,
) -> None:
    files: dict[str, str | None] = {
        "clusters/a/spec.yaml": A,
        "groups/a/nodes.yaml": group("nodes", "a.example.com", "Node"),
        "groups/b/nodes.yaml": group("nodes", "b.example.com", "Node"),
        "drafts/a.yaml": A,
    }
    repository.commit(files)
    repository.write({"clusters/a/spec.yaml": A3, "drafts/a.yaml": B})
    patterns = ["clusters/{cluster}/*.yaml", "groups/{cluster}/"]
    layout = Layout(str(repository.root), Patterns(patterns))

    own = ["clusters/a/spec.yaml", "groups/a/nodes.yaml"]
    assert sides(touched(layout)) == {"a.example.com": (own, own)}


def test_one_of_two_hundred_clusters_is_read_alone(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one folder, where only the names tell which files belong together."""
    repository.commit(
        {f"clusters/c{n}.yaml": cluster(f"c{n}.example.com") for n in range(200)}
    )
    repository.write({"clusters/c7.yaml": cluster("c7.example.com", "a", "b", "c")})
    read: list[str] = []

    def counted(path: str, data: bytes, revision: str | None, *, past: bool) -> Source:
        read.append(path)
        return decode(path, data, revision, past=past)

    monkeypatch.setattr("kopslint.inputs.git.decode", counted)

    assert list(sides(touched())) == ["c7.example.com"]
    assert read == ["clusters/c7.yaml", "clusters/c7.yaml"]


COMMANDS = (
    (None, Patterns(["runbooks/{cluster}.md", ".github/workflows/deploy.yml"])),
    ("b.example.com", Patterns(["b.sh"])),
)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("clusters/a.yaml", {"a.example.com": [".github/workflows/deploy.yml"]}),
        (
            "clusters/b.yaml",
            {"b.example.com": [".github/workflows/deploy.yml", "b.sh"]},
        ),
        (
            "runbooks/c.md",
            {"c.example.com": [".github/workflows/deploy.yml", "runbooks/c.md"]},
        ),
        (
            ".github/workflows/deploy.yml",
            {
                "a.example.com": [".github/workflows/deploy.yml"],
                "b.example.com": [".github/workflows/deploy.yml", "b.sh"],
                "c.example.com": [".github/workflows/deploy.yml", "runbooks/c.md"],
            },
        ),
        ("other.sh", {}),
    ],
)
def test_command_lists_belong_to_the_clusters_that_the_configuration_says(
    repository: Repository, changed: str, expected: dict[str, list[str]]
) -> None:
    """A list that changed touches its cluster as its spec does."""
    files = {
        "clusters/a.yaml": A,
        "clusters/b.yaml": B,
        "clusters/c.yaml": C,
        ".github/workflows/deploy.yml": "on: push\n",
        "runbooks/c.md": "# c\n",
        "b.sh": "kops get ig\n",
        "other.sh": "ls\n",
    }
    repository.commit({**files})
    repository.write({changed: files[changed] + "# changed\n"})
    specs = Patterns(["clusters/{cluster}.yaml"])

    found = touched(Layout(str(repository.root), specs, COMMANDS))

    assert {each.title: paths(each.commands) for each in found} == expected


def test_a_configuration_below_the_root_is_about_its_own_folder(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are shown from the current folder, as for any other input."""
    repository.commit({"ops/a.yaml": A, "b.yaml": B})
    repository.write({"ops/a.yaml": A3, "b.yaml": B + "# changed\n"})
    monkeypatch.chdir(repository.root / "ops")
    layout = Layout(str(repository.root / "ops"), Patterns(["*.yaml"]))

    assert sides(touched(layout)) == {"a.example.com": (["a.yaml"], ["a.yaml"])}
    assert list(sides(touched())) == ["a.example.com", "b.example.com"]
    assert sides(touched())["b.example.com"] == (["../b.yaml"], ["../b.yaml"])


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        (("one",), ["a.example.com"]),
        (("two/b.yaml",), ["b.example.com"]),
        (("one", "two"), ["a.example.com", "b.example.com"]),
        (("same",), []),
        (("gone.yaml",), ["c.example.com"]),
        ((".",), ["a.example.com", "b.example.com", "c.example.com"]),
    ],
)
def test_a_check_can_be_limited_to_files_and_folders(
    repository: Repository, within: tuple[str, ...], expected: list[str]
) -> None:
    repository.commit(
        {"one/a.yaml": A, "two/b.yaml": B, "gone.yaml": C, "same/x.yaml": "x: 1\n"}
    )
    repository.write(
        {"one/a.yaml": A3, "two/b.yaml": B + "# changed\n", "gone.yaml": None}
    )

    assert list(sides(touched(within=within))) == expected


@pytest.mark.parametrize("name", ["on", "*.yaml", "git:main:a.yaml", "-", "/etc"])
def test_a_limit_that_is_not_in_the_repository_is_no_empty_answer(
    repository: Repository, name: str
) -> None:
    """A misspelt name must not look like a change that touches nothing."""
    repository.commit({"one/a.yaml": A})

    with pytest.raises(InputError, match=r"is not a file or folder in [0-9a-f]{7} or"):
        touched(within=(name,))


def check(*arguments: str) -> int:
    """Run a check with only the rules that these tests are about."""
    rules = "--select=even-member-count,ig-deleted-before-etcd-member,KL403"
    return run(["check", "--no-timeline", rules, *arguments])


def rules_found(out: str) -> set[tuple[str, str]]:
    return {
        (finding["cluster"], finding["rule"])
        for finding in json.loads(out)["findings"]
        if finding["severity"] == "error"
    }


@pytest.mark.parametrize(
    "arguments", [["--changed"], ["--staged"], ["--base=HEAD"], ["--head=HEAD"]]
)
def test_that_no_spec_changed_is_an_answer(
    repository: Repository, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """A hook must not fail for it, and must not call it a clean spec either."""
    head = repository.commit({"a.yaml": A, "README.md": "x\n"})
    repository.write({"README.md": "y\n"})

    assert check(*arguments) == 0

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"kopslint: nothing to check: no kops spec changed between {head[:7]} and "
    )


def test_a_program_gets_its_empty_report(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later step that uploads it must find it."""
    repository.commit({"a.yaml": A})

    assert check("--changed", "--format=text", "--format=json=r.json", "-q") == 0

    assert capsys.readouterr() == ("", "")
    report = json.loads((repository.root / "r.json").read_text(encoding="utf-8"))
    assert (report["findings"], report["summary"]["clusters"]) == ([], [])


def test_a_change_is_checked_with_the_commands_that_the_repository_has_for_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """And other clusters, with whatever is wrong with them, are not."""
    b5 = cluster("b.example.com", "a", "b", "c", "d", "e")
    b3 = cluster("b.example.com", "a", "b", "c")
    repository.commit(
        {
            ".kopslint.yaml": "specs: ['clusters/{cluster}.yaml']\n"
            "commands: ['runbooks/{cluster}.sh']\n",
            "clusters/a.yaml": cluster("a.example.com", "a", "b"),
            "clusters/b.yaml": b5,
            "runbooks/a.sh": "kops delete ig cp-a --name a.example.com --yes\n",
            "runbooks/b.sh": "kops delete ig cp-e --name b.example.com --yes\n",
        }
    )
    repository.write({"clusters/b.yaml": b3})

    assert check("--changed", "--format=json") == 1

    assert rules_found(capsys.readouterr().out) == {("b.example.com", "KL301")}


def test_a_command_about_another_cluster_of_the_repository_is_no_mistake(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline names many clusters, of which a change touches one."""
    pipeline = "kops delete ig cp-a --name b.example.com --yes\n"
    repository.commit(
        {
            ".kopslint.yaml": "specs: ['*.example.yaml']\ncommands: pipeline.sh\n",
            "a.example.yaml": A,
            "b.example.yaml": B,
            "pipeline.sh": pipeline,
        }
    )
    repository.write({"a.example.yaml": A + "# changed\n"})
    check("--changed", "--format=json", "--fail-on=never")
    several = {rule for _, rule in rules_found(capsys.readouterr().out)}
    repository.commit({"b.example.yaml": None})
    repository.write({"a.example.yaml": A + "# changed again\n"})
    check("--changed", "--format=json", "--fail-on=never")
    alone = json.loads(capsys.readouterr().out)["findings"]

    assert several == set()
    assert "KL403" in {finding["rule"] for finding in alone}


def test_commands_can_be_tried_on_what_changed(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": A3})
    repository.write({"a.yaml": A, "plan.sh": "kops delete ig cp-c --yes\n"})

    assert check("--changed", "--commands=plan.sh", "--format=json") == 1
    assert ("a.example.com", "KL301") in rules_found(capsys.readouterr().out)


def test_every_cluster_of_a_change_is_in_one_report(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": A, "b.yaml": B})
    repository.write(
        {
            "a.yaml": cluster("a.example.com", "a", "b"),
            "b.yaml": cluster("b.example.com", "a", "b"),
        }
    )

    assert check("--changed", "--format=json") == 1

    report = json.loads(capsys.readouterr().out)
    assert report["summary"]["clusters"] == ["a.example.com", "b.example.com"]
    assert report["summary"]["specs"] == 4
    assert {(f["cluster"], f["rule"]) for f in report["findings"]} >= {
        ("a.example.com", "KL103"),
        ("b.example.com", "KL103"),
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--staged", "--base=HEAD"], "takes no other revision"),
        (["--staged", "--head=HEAD"], "takes no other revision"),
        (["--changed", "--before=a.yaml"], "the state before is taken from git"),
        (["--base=nope"], "there is no revision nope"),
    ],
)
def test_options_about_git_that_cannot_be_are_refused(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    repository.commit({"a.yaml": A})

    assert check(*arguments) == 2
    assert sentence in capsys.readouterr().err


class Screen(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_leaves_no_trace(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"x": ""})
    repository.write({"a.yaml": A, "b.yaml": B})
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)

    check("--changed", "--fail-on=never")
    assert screen.getvalue() == (
        "\rchecking 1 of 2: a.example.com\x1b[K\rchecking 2 of 2: b.example.com\x1b[K"
        "\r\x1b[K"
    )
    screen.truncate(0)
    check("--changed", "--fail-on=never", "--quiet")
    assert screen.getvalue() == ""


def test_there_is_no_progress_in_a_pipe(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"x": ""})
    repository.write({"a.yaml": A, "b.yaml": B})

    check("--changed", "--fail-on=never")

    assert capsys.readouterr().err == ""


def test_verbose_says_what_is_read(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    head = repository.commit({"a.yaml": A})
    repository.write({"a.yaml": A3})

    check("--changed", "--verbose")

    assert capsys.readouterr().err.splitlines() == [
        f"kopslint: 1 cluster changed between {head[:7]} and the work tree",
        "kopslint: a.example.com: files before: 1, after: 1; command lists: 0",
    ]


# What was there before a change and is not after it never passes for checked.

NAME = "a.example.com"
WHOLE = cluster(NAME, "a", "b", "c")
BOTH = f"{WHOLE}---\n{cluster('b.example.com')}"
COMMENTED = "".join(f"# {line}\n" for line in WHOLE.splitlines())

GUTTED = {
    "an empty file": "",
    "a file that is all comments": COMMENTED,
    "an API that is not kops's": WHOLE.replace("kops.k8s.io/v1", "kops.example.com/v1"),
    "a list that holds nothing": "apiVersion: v1\nkind: List\nitems: []\n",
}
UNKNOWN = WHOLE.replace("kops.k8s.io/v1alpha2", "kops.k8s.io/v1beta1")
GROUPS_ALONE = "---\n".join(group(f"cp-{m}", NAME) for m in "abc")


def told_gone(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, bool]:
    """The exit status, and whether it is told that something is gone."""
    capsys.readouterr()
    status = run(["check", *arguments, "--format=json"])
    out = capsys.readouterr().out
    found = json.loads(out)["findings"] if out else []
    return status, ("KL232", "error") in {(f["rule"], f["severity"]) for f in found}


@pytest.mark.parametrize("text", GUTTED.values(), ids=GUTTED)
def test_a_side_after_without_any_object_is_nothing_checked(
    repository: Repository, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    repository.write({"before.yaml": WHOLE, "after.yaml": text})

    assert run(["check", "--before=before.yaml", "--after=after.yaml"]) == 3

    assert "no kops object was found after the change" in capsys.readouterr().err


@pytest.mark.parametrize("text", [*GUTTED.values(), UNKNOWN, GROUPS_ALONE])
@pytest.mark.parametrize("how", ["--staged", "--changed", "--base=HEAD~1"])
def test_a_gutted_spec_fails_in_a_check_of_git(
    repository: Repository, capsys: pytest.CaptureFixture[str], text: str, how: str
) -> None:
    repository.commit({"a.yaml": WHOLE})
    repository.write({"a.yaml": text})
    repository.git("add", "--all")
    if how.startswith("--base"):
        repository.commit({})

    assert told_gone(how, capsys=capsys) == (1, True)


@pytest.mark.parametrize(
    "after",
    [UNKNOWN, GROUPS_ALONE, cluster("b.example.com")],
    ids=["an API version that kops does not know", "groups alone", "the other one"],
)
def test_a_gutted_spec_fails_between_two_files(
    repository: Repository, capsys: pytest.CaptureFixture[str], after: str
) -> None:
    repository.write({"before.yaml": BOTH, "after.yaml": after})

    sides = ("--before=before.yaml", "--after=after.yaml")
    assert told_gone(*sides, capsys=capsys) == (1, True)


def test_a_deleted_spec_fails(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": WHOLE})
    repository.commit({"a.yaml": None})

    assert told_gone("--base=HEAD~1", capsys=capsys) == (1, True)


def test_a_spec_that_became_a_link_fails(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": WHOLE})
    (repository.root / "a.yaml").unlink()
    (repository.root / "a.yaml").symlink_to("/dev/null")

    assert told_gone("--changed", capsys=capsys) == (1, True)


def test_a_spec_with_another_ending_fails(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": WHOLE})
    repository.git("mv", "a.yaml", "a.yaml.off")

    assert told_gone("--staged", capsys=capsys) == (1, True)


def test_a_spec_that_became_too_large_cannot_be_read(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": WHOLE})
    large = WHOLE + f"# {'x' * 1000}\n" * (MAX_BYTES // 1000)
    repository.commit({"a.yaml": large})

    assert run(["check", "--base=HEAD~1"]) == 2
    assert "a.yaml is larger than" in capsys.readouterr().err

    repository.write({"before.yaml": WHOLE})
    assert run(["check", "--before=before.yaml", "--after=a.yaml"]) == 2


def test_no_comment_silences_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": f"# kopslint ignore-file KL232: it is fine\n{WHOLE}"})
    repository.commit({"a.yaml": "# kopslint ignore-file KL232: it is fine\n"})

    assert told_gone("--base=HEAD~1", "--ignore=KL2", capsys=capsys) == (1, True)


def test_a_list_that_deletes_the_cluster_lets_it_go(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """Deleting a cluster is told, and that it is gone from the files is not."""
    repository.write({"before.yaml": WHOLE, "after.yaml": "", "all.yaml": BOTH})
    repository.write({"list.sh": f"kops delete cluster --name {NAME} --yes\n"})
    repository.write({"rest.yaml": cluster("b.example.com")})
    lists = "--commands=list.sh"

    assert run(["check", "--before=before.yaml", "--after=after.yaml", lists]) != 3
    sides = ("--before=all.yaml", "--after=rest.yaml")
    assert not told_gone(*sides, lists, capsys=capsys)[1]


def test_a_retired_cluster_may_go(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": WHOLE, ".kopslint.yaml": f"retired: [{NAME}]\n"})
    repository.commit({"a.yaml": None})

    assert told_gone("--base=HEAD~1", capsys=capsys)[0] == 0


SETTINGS = "specs: ['*.yaml']\ncommands: ['*.sh']\n"
LOST = {
    "deleted": None,
    "emptied": "",
    "all comments": "# kops update cluster --yes\n",
}


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_a_list_that_is_lost_while_its_spec_changes_fails(
    repository: Repository, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    listed = f"kops replace -f a.yaml\nkops update cluster {NAME} --yes\n"
    repository.commit({"a.yaml": WHOLE, "go.sh": listed, ".kopslint.yaml": SETTINGS})
    repository.commit({"a.yaml": f"{WHOLE}# changed\n", "go.sh": text})

    assert told_gone("--base=HEAD~1", capsys=capsys) == (1, True)


def test_a_list_may_go_when_nothing_else_changes(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": WHOLE, "go.sh": "true\n", ".kopslint.yaml": SETTINGS})
    repository.commit({"go.sh": None})

    assert told_gone("--base=HEAD~1", capsys=capsys)[0] == 0
