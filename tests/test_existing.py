"""Only what a change brings fails; what stood before it is told apart."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from kopslint.cli.program import run
from kopslint.findings import Finding, Report, Severity, Summary, Verdict
from kopslint.report.gitlab import render_gitlab
from kopslint.report.markdown import render_markdown
from kopslint.report.places import Repository as Place

if TYPE_CHECKING:
    from pathlib import Path

NAME = "a.example.com"
FOUND = "--select=KL103,KL301,KL401,KL403,KL901"


def group(name: str, size: int = 1, role: str = "Master") -> str:
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  name: {name}\n  labels:\n    kops.k8s.io/cluster: {NAME}\nspec:\n"
        f"  role: {role}\n  minSize: {size}\n  maxSize: {size}\n  subnets: [a]\n"
    )


def spec(members: str, *more: str, extra: str = "") -> str:
    """A cluster of these members, a letter each; an even number is an error."""
    listed = "".join(f"    - name: {m}\n      instanceGroup: cp-{m}\n" for m in members)
    whole = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n"
        f"  name: {NAME}\nspec:\n{extra}  etcdClusters:\n  - name: main\n"
        f"    etcdMembers:\n{listed}"
    )
    return "---\n".join([whole, *(group(f"cp-{m}") for m in members), *more])


NODES = group("nodes", 2, "Node")
MORE_NODES = group("nodes", 4, "Node")
CONFIGURATION = "specs: ['*.yaml', 'clusters/*.yaml']\ncommands: ['*.sh']\n"


class Repository:
    """A repository that is the current folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("-c", "init.defaultBranch=main", "init", "--quiet")

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.root, check=True)

    def write(self, files: dict[str, str | None]) -> None:
        """Write files, and remove those whose text is None."""
        for name, text in files.items():
            path = self.root / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")

    def commit(self, files: dict[str, str | None]) -> None:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "x")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    return Repository(root)


class Checked:
    """A check of the change: its status, and its findings by rule."""

    def __init__(self, root: Path, *arguments: str) -> None:
        report = root.parent / "report.json"
        given = arguments or ("--changed",)
        self.status = run(["check", FOUND, f"--format=json={report}", "-q", *given])
        self.data: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        self.verdict = self.data["summary"]["verdict"]
        self.new = self._rules(existing=False)
        self.existing = self._rules(existing=True)

    def _rules(self, *, existing: bool) -> list[str]:
        found = self.data["findings"]
        return [f["rule"] for f in found if f["existing"] is existing]


def test_an_old_error_does_not_fail_an_unrelated_change(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    repository.write({"a.yaml": spec("ab", MORE_NODES)})

    checked = Checked(repository.root)
    assert run(["check", FOUND, "--changed"]) == 0
    text = capsys.readouterr().out

    assert (checked.status, checked.verdict) == (0, "SAFE")
    assert (checked.new, checked.existing) == ([], ["KL103"])
    summary = checked.data["summary"]
    assert (summary["errors"], summary["existing"]) == (0, 1)
    assert "1 error from before this change, not counted (--all):" in text
    assert "  a.yaml:8:5: error[KL103]: etcd main has 2 members" in text


def test_all_makes_it_count(repository: Repository) -> None:
    """It is still said to be an old one."""
    repository.commit({"a.yaml": spec("ab", NODES)})
    repository.write({"a.yaml": spec("ab", MORE_NODES)})

    checked = Checked(repository.root, "--changed", "--all")

    assert (checked.status, checked.verdict) == (1, "UNSAFE")
    assert checked.existing == ["KL103"]
    summary = checked.data["summary"]
    assert (summary["errors"], summary["existing"]) == (1, 0)


@pytest.mark.parametrize("option", ["--staged", "--base=HEAD", "--base=main"])
def test_it_is_so_in_every_check_of_git(repository: Repository, option: str) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    repository.write({"a.yaml": spec("ab", MORE_NODES)})
    repository.git("add", "--all")

    checked = Checked(repository.root, option)

    assert (checked.status, checked.existing) == (0, ["KL103"])


MOVED: dict[str, dict[str, str | None]] = {
    "another name": {"a.yaml": None, "b.yaml": spec("ab", NODES)},
    "another folder": {"a.yaml": None, "clusters/a.yaml": spec("ab", MORE_NODES)},
    "other lines": {"a.yaml": "# one\n# two\n# three\n" + spec("ab", NODES)},
    "two files": {
        "a.yaml": spec("ab"),
        "nodes.yaml": NODES,
    },
}


@pytest.mark.parametrize("files", MOVED.values(), ids=MOVED)
def test_what_moves_is_not_new(
    repository: Repository, files: dict[str, str | None]
) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    repository.write(files)

    checked = Checked(repository.root)

    assert (checked.status, checked.new, checked.existing) == (0, [], ["KL103"])


def test_a_new_error_of_the_same_cluster_fails(repository: Repository) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    wrong = NODES.replace("minSize: 2", "minSize: 3")
    repository.write({"a.yaml": spec("ab", wrong)})

    checked = Checked(repository.root, "--changed", "--select=KL103,KL127")

    assert (checked.status, checked.verdict) == (1, "UNSAFE")
    assert (checked.new, checked.existing) == (["KL127"], ["KL103", "KL127"])


def test_a_new_cluster_has_nothing_old(repository: Repository) -> None:
    repository.commit({"x": ""})
    repository.write({"a.yaml": spec("ab")})

    assert Checked(repository.root).new == ["KL103"]


def test_what_is_mended_is_gone(repository: Repository) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    repository.write({"a.yaml": spec("abc", NODES)})

    checked = Checked(repository.root)

    assert (checked.new, checked.existing) == ([], [])


def test_of_one_error_about_several_objects_some_may_be_mended(
    repository: Repository,
) -> None:
    """No subnet is called so; whoever mends one group has not brought the others."""
    n1, n2, n3 = (group(name, 2, "Node") for name in ("n1", "n2", "n3"))
    repository.commit({"a.yaml": spec("abc", n1, n2)})

    def after(*groups: str) -> Checked:
        repository.write({"a.yaml": spec("abc", *groups)})
        return Checked(repository.root, "--changed", "--select=KL127")

    mended, more, other = after(n1), after(n1, n2, n3), after(n1, n3)

    assert (mended.status, mended.new, mended.existing) == (0, [], ["KL127"])
    assert (more.status, more.new, more.existing) == (1, ["KL127"], [])
    assert (other.status, other.new, other.existing) == (1, ["KL127"], [])


# A list deletes a group whose member is still registered.
LIST = f"kops delete ig cp-c --name {NAME} --yes\n"


def test_an_old_error_of_a_list_that_nobody_touched_does_not_fail(
    repository: Repository,
) -> None:
    repository.commit(
        {".kopslint.yaml": CONFIGURATION, "a.yaml": spec("abc", NODES), "run.sh": LIST}
    )
    repository.write({"a.yaml": spec("abc", MORE_NODES)})

    checked = Checked(repository.root)

    assert (checked.status, checked.new) == (0, [])
    assert "KL301" in checked.existing


CHANGES: dict[str, dict[str, str | None]] = {
    "the list": {"run.sh": f"{LIST}echo done\n"},
    "a list of the same words elsewhere": {"more.sh": LIST},
    "the group that it names": {
        "a.yaml": spec("abc", NODES).replace(
            group("cp-c"), group("cp-c").replace("[a]", "[b]")
        )
    },
    "the members": {"a.yaml": spec("ab", NODES, group("cp-c"))},
}


@pytest.mark.parametrize("files", CHANGES.values(), ids=CHANGES)
def test_it_counts_once_the_list_or_what_it_names_changes(
    repository: Repository, files: dict[str, str | None]
) -> None:
    repository.commit(
        {".kopslint.yaml": CONFIGURATION, "a.yaml": spec("abc", NODES), "run.sh": LIST}
    )
    repository.write(files)

    checked = Checked(repository.root)

    assert (checked.status, "KL301" in checked.new) == (1, True)


def test_an_old_list_may_be_called_otherwise(repository: Repository) -> None:
    repository.commit(
        {".kopslint.yaml": CONFIGURATION, "a.yaml": spec("abc", NODES), "run.sh": LIST}
    )
    repository.write({"run.sh": None, "again.sh": LIST})
    repository.git("add", "--all")

    checked = Checked(repository.root)

    assert (checked.status, checked.new) == (0, [])
    assert "KL301" in checked.existing


def test_a_list_that_is_named_counts_unless_git_has_it_from_before(
    repository: Repository,
) -> None:
    repository.commit({"a.yaml": spec("abc", NODES), "run.sh": LIST})
    repository.write({"a.yaml": spec("abc", MORE_NODES), "new.sh": LIST})

    old = Checked(repository.root, "--changed", "--commands=run.sh")
    new = Checked(repository.root, "--changed", "--commands=new.sh")

    assert (old.status, "KL301" in old.existing) == (0, True)
    assert (new.status, "KL301" in new.new) == (1, True)


def test_what_cannot_be_followed_counts_once_etcd_rests_on_what_changed(
    repository: Repository,
) -> None:
    """Nobody knows what it does, so it may well be about what changed."""
    opaque = f'kops rolling-update cluster --name {NAME} --yes\neval "$(cat x)"\n'
    files = {".kopslint.yaml": CONFIGURATION, "run.sh": opaque}
    repository.commit({**files, "a.yaml": spec("abc", NODES)})
    repository.write({"a.yaml": spec("abc", MORE_NODES)})
    nodes = Checked(repository.root)
    repository.write({"a.yaml": spec("abc", NODES, extra="  sshKeyName: x\n")})
    control_plane = Checked(repository.root)

    assert ("KL901" in nodes.new, "KL901" in nodes.existing) == (False, True)
    assert "KL901" in control_plane.new


def test_a_comment_that_goes_brings_back_what_it_silenced(
    repository: Repository,
) -> None:
    def silenced(text: str) -> str:
        comment = "# kopslint: ignore[KL103] known"
        return text.replace("etcdMembers:", f"etcdMembers:  {comment}")

    repository.commit({"a.yaml": silenced(spec("ab", NODES))})
    repository.write({"a.yaml": silenced(spec("ab", MORE_NODES))})
    kept = Checked(repository.root)
    repository.write({"a.yaml": spec("ab", NODES)})
    gone = Checked(repository.root)

    assert (kept.status, kept.new, kept.existing) == (0, [], [])
    assert kept.data["summary"]["suppressed"] == 1
    assert (gone.status, gone.new) == (1, ["KL103"])


def test_what_a_baseline_holds_is_not_counted_twice(repository: Repository) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    run(["check", FOUND, "a.yaml", "--write-baseline=known.json", "-q"])
    repository.commit({"known.json": (repository.root / "known.json").read_text()})
    repository.write({"a.yaml": spec("ab", MORE_NODES)})

    checked = Checked(repository.root, "--changed", "--baseline=known.json")

    summary = checked.data["summary"]
    assert (checked.status, checked.data["findings"]) == (0, [])
    assert (summary["baselined"], summary["existing"]) == (1, 0)


OLD = Finding(
    rule="KL103",
    name="even-member-count",
    severity=Severity.ERROR,
    certainty="certain",  # type: ignore[arg-type]
    message="etcd main has 2 members",
    why="",
    locations=(),
    subject="main",
    cluster=NAME,
    existing=True,
)
REPORT = Report((), summary=Summary(clusters=(NAME,)), existing=(OLD,))


def test_the_verdict_is_about_what_counts() -> None:
    assert REPORT.verdict is Verdict.SAFE
    assert REPORT.counting_all().verdict is Verdict.UNSAFE


def test_a_comment_on_a_pull_request_folds_it() -> None:
    text = render_markdown(REPORT, unicode=True)

    assert "SAFE" in text.splitlines()[2]
    _, _, folded = text.partition("<details>")
    assert "1 error from before this change" in folded
    assert "KL103" in folded.partition("</details>")[0]


def test_gitlab_keeps_it_and_calls_it_no_failure() -> None:
    """What is left out of a report GitLab takes for fixed."""
    here = Place(root="/x", folder="/x")
    counted, stood = (
        json.loads(render_gitlab(report, here))[0]
        for report in (REPORT.counting_all(), REPORT)
    )

    assert (counted["severity"], stood["severity"]) == ("critical", "info")
    assert counted["fingerprint"] == stood["fingerprint"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("github", "::notice title=kopslint::no findings in 2 specs"),
        ("junit", 'failures="0"'),
        ("sarif", '"baselineState": "unchanged"'),
    ],
)
def test_a_service_gets_no_failure_of_it(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    form: str,
    said: str,
) -> None:
    repository.commit({"a.yaml": spec("ab", NODES)})
    repository.write({"a.yaml": spec("ab", MORE_NODES)})

    assert run(["check", FOUND, "--changed", f"--format={form}"]) == 0

    out = capsys.readouterr().out
    assert said in out
    assert "::error" not in out
    assert "<failure" not in out


def test_a_list_that_the_change_makes_readable_is_no_obstacle(
    repository: Repository,
) -> None:
    broken = "jobs: [\n"
    mended = "jobs:\n  a:\n    steps:\n    - run: kops get ig\n"
    configuration = "specs: ['*.yaml']\ncommands: ['ci/*.yml']\n"
    repository.commit(
        {".kopslint.yaml": configuration, "a.yaml": spec("ab"), "ci/x.yml": broken}
    )
    repository.write({"ci/x.yml": mended})

    checked = Checked(repository.root)

    assert (checked.status, checked.existing) == (0, ["KL103"])


def test_a_script_that_a_list_runs_is_read_as_it_was(repository: Repository) -> None:
    """The list is the same; what it does is not."""
    files = {".kopslint.yaml": CONFIGURATION, "a.yaml": spec("abc", NODES)}
    runs = {"run.sh": "source lib/steps\n", "lib/steps": "kops get ig\n"}
    repository.commit({**files, **runs})
    repository.write({"lib/steps": LIST})
    new = Checked(repository.root)
    repository.commit({})
    repository.write({"a.yaml": spec("abc", MORE_NODES)})
    old = Checked(repository.root, "--base=HEAD")

    assert (new.status, "KL301" in new.new) == (1, True)
    assert (old.status, "KL301" in old.existing) == (0, True)


def test_old_errors_of_one_cluster_are_told_apart_from_new_ones_of_another(
    repository: Repository,
) -> None:
    def named_b(text: str) -> str:
        return text.replace(NAME, "b.example.com")

    repository.commit({"a.yaml": spec("ab", NODES), "b.yaml": named_b(spec("abc"))})
    repository.write({"a.yaml": spec("ab", MORE_NODES), "b.yaml": named_b(spec("ab"))})

    checked = Checked(repository.root)

    counted = [f["cluster"] for f in checked.data["findings"] if not f["existing"]]
    assert (checked.status, checked.existing) == (1, ["KL103"])
    assert "b.example.com" in counted
    assert NAME not in counted


def test_what_got_worse_is_new(repository: Repository) -> None:
    """A group of one member may have no machine, and then it has two."""
    empty = spec("abc").replace("minSize: 1", "minSize: 0", 1)
    repository.commit({"a.yaml": f"{empty}---\n{NODES}"})
    select = ("--changed", "--select=KL108")
    repository.write({"a.yaml": f"{empty}---\n{MORE_NODES}"})
    old = Checked(repository.root, *select, "--fail-on=warning")
    repository.write({"a.yaml": empty.replace("Size: 0", "Size: 2")})
    worse = Checked(repository.root, *select)

    assert (old.status, old.existing) == (0, ["KL108"])
    assert (worse.status, worse.new) == (1, ["KL108"])
