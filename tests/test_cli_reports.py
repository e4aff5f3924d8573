"""Formats on the command line: several in one run, and a job's summary on GitHub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from kopslint.cli.options import Format
from kopslint.cli.output import repository_of
from kopslint.cli.program import run
from kopslint.rulebook.loader import load_rules

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  etcdClusters:
  - name: main
    etcdMembers:
    - name: a
      instanceGroup: {group}
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: control-plane-a
  labels:
    kops.k8s.io/cluster: demo.example.com
spec:
  role: Master
  minSize: 1
  maxSize: 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below the root of a repository; its spec names a missing group."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "ops"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (folder / "after.yaml").write_text(SPEC.format(group="gone"), encoding="utf-8")
    return folder


def test_one_run_writes_every_format(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them show the same finding; paths start at the repository's root."""
    names = [form.value for form in Format]
    options = [f"--format={name}=report.{name}" for name in names]

    assert run(["check", "after.yaml", "--format", "text", *options]) == 1

    def written(name: str) -> str:
        return (folder / f"report.{name}").read_text(encoding="utf-8")

    [sarif] = json.loads(written("sarif"))["runs"]
    ids = [rule["id"] for rule in sarif["tool"]["driver"]["rules"]]
    [gitlab, *_] = json.loads(written("gitlab"))
    junit = ET.fromstring(written("junit"))  # noqa: S314 - our own output
    assert capsys.readouterr().out == written("text")
    assert all("KL101" in written(name) for name in names)
    assert ids == [rule.id for rule in load_rules()]
    assert gitlab["location"]["path"] == "ops/after.yaml"
    assert "::error file=ops/after.yaml,line=" in written("github")
    assert junit[0].get("name") == "demo.example.com"
    assert written("markdown").startswith("<!-- kopslint/demo.example.com/ -->\n")


@pytest.mark.parametrize(
    ("forms", "appended"),
    [
        (["github"], 1),
        (["github", "markdown=x.md"], 1),
        (["text", "sarif=x.sarif"], 0),
    ],
)
def test_a_job_s_summary_gets_the_comment_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, forms: list[str], appended: int
) -> None:
    summary = folder / "summary.md"
    summary.write_text("earlier\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    run(["check", "after.yaml", *(f"--format={form}" for form in forms)])

    text = summary.read_text(encoding="utf-8")
    assert text.startswith("earlier\n")
    assert text.count("### kopslint: ") == appended


def test_a_summary_that_cannot_be_written_changes_no_verdict(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "missing" / "summary.md"))

    assert run(["check", "after.yaml", "--format", "github"]) == 1
    assert capsys.readouterr().err.startswith(
        "kopslint: the job summary cannot be written: "
    )


@pytest.mark.usefixtures("folder")
def test_an_unknown_format_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["check", "after.yaml", "--format", "xml"]) == 2
    assert capsys.readouterr().err == (
        "kopslint: --format xml: unknown format xml\n  hint: the formats are"
        " text, concise, json, sarif, github, gitlab, junit, markdown, html\n"
    )


def test_what_is_no_report_has_no_report_s_formats() -> None:
    assert run(["rules", "--format", "sarif"]) == 2


@pytest.mark.parametrize("git", ["folder", "file"])
def test_the_repository_is_the_nearest_folder_above_with_git_s_own(
    tmp_path: Path, git: str
) -> None:
    """In a work tree or a submodule, ``.git`` is a file."""
    inner = tmp_path / "outer" / "inner"
    (inner / "ops").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    if git == "folder":
        (inner / ".git").mkdir()
    else:
        (inner / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")

    here = repository_of(inner / "ops")

    assert (here.root, here.folder) == (inner.as_posix(), (inner / "ops").as_posix())
