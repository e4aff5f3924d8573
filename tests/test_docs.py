"""The documentation: it shows what is true now, and names nothing that is not there."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from kopslint.cli.options import Format
from kopslint.config.schema import ConfigModel, OverrideModel, TemplateModel
from kopslint.rulebook.loader import load_rules

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
RULES = load_rules()


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The script that makes what is not written by hand."""
    spec = importlib.util.spec_from_file_location("build", DOCS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_has_a_page_and_a_row(build: ModuleType) -> None:
    """A rule of a category that the list leaves out would be found by nobody."""
    pages = build.rule_pages()

    assert set(pages) == {"rules/index.md", *(f"rules/{rule.id}.md" for rule in RULES)}
    rows = re.findall(
        r"^\| \[(KL\d+)\]\(\1\.md\) \|", pages["rules/index.md"], re.MULTILINE
    )
    assert sorted(rows) == [rule.id for rule in RULES]


def test_the_page_of_a_rule_has_its_prose_its_example_and_its_sources(
    build: ModuleType,
) -> None:
    rule = next(rule for rule in RULES if rule.id == "KL301")
    example = next(each for each in rule.examples() if each.bad)
    page = build.rule_pages()["rules/KL301.md"]

    assert page.startswith("# KL301: ")
    assert "**error** · `ig-deleted-before-etcd-member` · since 0.1.0\n" in page
    assert "\n## Why it breaks\n" in page
    assert example.expected is not None
    assert f"```text\n{example.expected.rstrip()}\n```\n" in page
    assert example.commands is not None
    for line in example.commands.read_text("utf-8").splitlines():
        assert f"    {line}".rstrip() in page.splitlines()
    assert [source for source in rule.sources if f"- {source}\n" not in page] == []


def test_every_setting_is_in_the_reference(build: ModuleType) -> None:
    keys = [
        str(field.alias)
        for model in (ConfigModel, OverrideModel, TemplateModel)
        for field in model.model_fields.values()
    ]

    rows = re.findall(
        r"^\| `([a-z-]+)` \| (.+?) \| (.+) \|$", build.settings(), re.MULTILINE
    )

    assert [key for key, _, _ in rows] == keys
    kinds = {key: kind for key, kind, _ in rows}
    assert kinds["rule-paths"] == "list of texts"
    assert kinds["fail-on"] == "`error`, `warning`, `info`, `never`"
    assert kinds["overrides"] == "list of mappings"
    assert kinds["commands"] == (
        "text or list of texts or mapping to text or list of texts"
    )


def test_an_example_is_shown_with_what_it_prints(build: ModuleType) -> None:
    page = "A\n\n```console folder=.\n$ kopslint --version\n```\n\nB\n"

    shown = build.with_output(page)

    assert re.fullmatch(
        r"A\n\n```console\n\$ kopslint --version\n```\n\n```text\nkopslint \S+\n```\n\n"
        r"Exit status 0\.\n\nB\n",
        shown,
    )


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("rm -rf .", "an example of another program: rm"),
        ("kopslint check missing.yaml", "an example fails: kopslint check missing"),
    ],
)
def test_an_example_that_cannot_be_shown_fails_the_build(
    build: ModuleType, command: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        build.with_output(f"```console folder=.\n$ {command}\n```")


@pytest.mark.parametrize(
    ("page", "written", "fitted"),
    [
        (
            "house-rules/README.md",
            "../../rules/KL920-x-y/README.md",
            "../rules/KL920.md",
        ),
        ("index.md", "../rules/KL301-x", "rules/KL301.md"),
        ("house-rules/README.md", "../limits.md", "../limits.md"),
        ("index.md", "../tests/test_docs.py", None),
    ],
    ids=["rule", "rule's folder", "page", "no page"],
)
def test_links_fit_the_site(
    build: ModuleType, page: str, written: str, fitted: str | None
) -> None:
    expected = "words" if fitted is None else f"[words]({fitted})"

    assert build.with_site_links(f"[words]({written})", page) == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_to_files_that_exist(page: Path) -> None:
    """As they are read beside the code; rules have their pages on the site only."""
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text("utf-8"))
    made = re.compile(r"rules/(KL\d+|index)\.md")
    ids = {"index", *(rule.id for rule in RULES)}

    missing = [
        target
        for target in targets
        if not (page.parent / target).exists()
        and not ((rule := made.fullmatch(target)) and rule[1] in ids)
    ]
    assert missing == []


def test_evidence_names_tests_that_exist() -> None:
    """Words in quotes are a case; the others are the name of a test."""
    text = (DOCS / "evidence.md").read_text("utf-8")
    held = re.findall(r"\| (?:run|read) \| `([^`]+)`(?: (.+))? \|$", text, re.MULTILINE)

    assert len(held) == len(re.findall(r"\| (?:run|read) \|", text))
    for path, words in held:
        assert (ROOT / path).exists(), path
        if words:
            code = (ROOT / path).read_text("utf-8")
            name = f"def test_{words.replace(' ', '_')}("
            assert f'"{words}"' in code or name in code, words


def test_every_format_is_described() -> None:
    page = (DOCS / "reports.md").read_text("utf-8")
    table = page.partition("\n## ")[0]

    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == [*Format]


def test_every_input_of_the_action_is_described() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    github = (DOCS / "index.md").read_text("utf-8").split("\n## ")

    (section,) = (each for each in github if each.startswith("GitHub\n"))
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == [
        *action["inputs"]
    ]


def test_every_hook_is_described() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    sections = (DOCS / "index.md").read_text("utf-8").split("\n## ")

    (section,) = (each for each in sections if each.startswith("pre-commit\n"))
    described = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert described == [hook["id"] for hook in hooks]


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="no schemas")
def test_the_workflow_for_github_is_one(tmp_path: Path) -> None:
    text = (DOCS / "index.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.+?)^```", text, re.MULTILINE | re.DOTALL)
    (workflow,) = (block for block in blocks if "\njobs:\n" in block)
    path = tmp_path / "kopslint.yml"
    path.write_text(workflow, "utf-8")

    ran = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.github-workflows", path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.skipif(find_spec("material") is None, reason="mkdocs-material is missing")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"),
            *("--site-dir", str(tmp_path)),
        ],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")
    assert (tmp_path / "rules/KL301/index.html").exists()
    assert not (tmp_path / "build.py").exists()
