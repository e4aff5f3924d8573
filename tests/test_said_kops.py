"""Which kops a repository says it uses is used, and said with its place."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from kopslint.cli.program import run

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {name: demo.example.com}
spec:
  kubernetesVersion: 1.28.3
  etcdClusters: [{name: main, version: 3.2.24, etcdMembers: []}]
"""
LIST = "kops update cluster --name demo.example.com --yes\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a spec in a folder of its own."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "cluster.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> list[dict[str, Any]]:
    run(["check", "specs/cluster.yaml", "--format", "json", *arguments])
    findings: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return findings


def assumed(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What KL902 says of kops, and where."""
    return [
        (f["message"], f"{f['locations'][0]['path']}:{f['locations'][0]['line']}")
        for f in findings
        if f["rule"] == "KL902" and "kops" in f["message"]
    ]


def takes_old_etcd(findings: list[dict[str, Any]]) -> bool:
    """Whether etcd 3.2.24 is taken, which kops 1.28 does no longer."""
    return not any("3.2.24" in f["message"] for f in findings)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (".kops-version", "v1.27.3\n", 1),
        (".tool-versions", "terraform 1.5.0\nkops 1.27.3\n", 2),
        ("mise.toml", '[tools]\nkops = "1.27"\n', 2),
        (".mise.toml", '[tools]\n"aqua:kubernetes/kops" = "1.27.3"\n', 2),
        ("Makefile", "KOPS_VERSION ?= 1.27.3\n", 1),
        ("Dockerfile", "FROM alpine\nARG KOPS_VERSION=v1.27.3\n", 2),
        (".github/workflows/plan.yml", "env:\n  KOPS_VERSION: '1.27.3'\n", 2),
        ("specs/.kops-version", "1.27.3", 1),
    ],
)
def test_the_version_that_a_file_says_is_used_and_said(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    line: int,
) -> None:
    assert not takes_old_etcd(checked(capsys))
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

    findings = checked(capsys)

    said = "assumed: kops 1.27 is used, as named here"
    assert assumed(findings) == [(said, f"{name}:{line}")]
    assert takes_old_etcd(findings)


@pytest.mark.parametrize(
    "text",
    [
        "kops-1.27 get cluster\n",
        "docker run registry.k8s.io/kops:1.27.3 get cluster\n",
        "export KOPS_VERSION=1.27.3\n",
    ],
)
def test_a_list_says_which_kops_it_calls(
    repository: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (repository / "list.sh").write_text(text + LIST, encoding="utf-8")

    findings = checked(
        capsys, "--before", "specs/cluster.yaml", "--commands", "list.sh"
    )

    said = "assumed: kops 1.27 is used, as named here"
    assert (said, "list.sh:1") in assumed(findings)


def test_what_is_asked_for_counts_more_than_what_is_found(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".kops-version").write_text("1.27.3\n", encoding="utf-8")

    findings = checked(capsys, "--kops-version", "1.28")

    assert not assumed(findings)
    assert not takes_old_etcd(findings)


def test_two_versions_are_said_and_neither_is_taken(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".kops-version").write_text("1.27.3\n", encoding="utf-8")
    (repository / "Makefile").write_text("KOPS_VERSION = 1.31.0\n", encoding="utf-8")

    findings = checked(capsys)

    said = "kops 1.27 and 1.31 are named here, but only one can run"
    assert assumed(findings) == [(said, ".kops-version:1")]


@pytest.mark.parametrize("text", ["# KOPS_VERSION = 1.27.3\n", "KOPS_VERSION = $(V)\n"])
def test_a_comment_and_a_variable_say_nothing(
    repository: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (repository / "Makefile").write_text(text, encoding="utf-8")

    assert not assumed(checked(capsys))


def test_no_link_is_followed_out_of_the_repository(
    repository: Path, capsys: pytest.CaptureFixture[str], tmp_path_factory: Any
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "version"
    outside.write_text("1.27.3\n", encoding="utf-8")
    (repository / ".kops-version").symlink_to(outside)

    assert not assumed(checked(capsys))


EXCERPT = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {name: demo.example.com}
spec: {authentication: {aws: {}}}
"""


@pytest.mark.parametrize(
    ("arguments", "refused"), [((), False), (("--kops-version", "1.31"), True)]
)
def test_an_excerpt_is_refused_where_somebody_asks_what_kops_does_with_it(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    *,
    refused: bool,
) -> None:
    """Documentation shows excerpts; kops takes none."""
    path = repository / "specs" / "cluster.yaml"
    path.write_text(EXCERPT, encoding="utf-8")

    findings = checked(capsys, *arguments)

    missing = [f for f in findings if "kubernetesVersion" in f["message"]]
    assert bool(missing) is refused


GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {name: nodes, labels: {kops.k8s.io/cluster: demo.example.com}}
spec: {role: Node, minSize: 1, maxSize: 1}
"""


def git(*arguments: str) -> None:
    name = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(("git", *name, *arguments), check=True, capture_output=True)


@pytest.mark.parametrize(
    ("base", "after", "head", "used"),
    [
        ("1.27.3", "1.27.3", (), True),
        ("1.28.7", "1.27.3", (), True),
        ("1.27.3", "1.28.7", (), False),
        ("1.27.3", None, (), False),
        (None, "1.27.3", ("--head", "HEAD"), False),
        ("1.27.3", "1.28.7", ("--head", "HEAD"), True),
    ],
)
def test_a_change_in_git_is_checked_with_the_kops_of_the_state_after(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    base: str | None,
    after: str | None,
    head: tuple[str, ...],
    used: bool,
) -> None:
    """With ``--head`` that is a commit, and the disk says nothing."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    (tmp_path / "specs").mkdir()
    spec, kops = tmp_path / "specs" / "cluster.yaml", tmp_path / ".kops-version"

    def say(version: str | None) -> None:
        kops.unlink(missing_ok=True)
        if version is not None:
            kops.write_text(version, encoding="utf-8")

    say(base)
    (tmp_path / "other").write_text("", encoding="utf-8")
    spec.write_text(SPEC.replace("1.28.3", "1.28.1"), encoding="utf-8")
    git("add", ".")
    git("commit", "-qm", "one")
    spec.write_text(SPEC + GROUP, encoding="utf-8")
    git("commit", "-qam", "two")
    say(after)

    run(["check", "--base", "HEAD~1", "--format", "json", *head])
    findings = json.loads(capsys.readouterr().out)["findings"]

    assert takes_old_etcd(findings) == used
    said = ("assumed: kops 1.27 is used, as named here", ".kops-version:1")
    assert (said in assumed(findings)) == used
