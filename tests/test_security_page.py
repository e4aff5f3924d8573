"""What is promised about security names the tests that hold it, and they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "security.md"]
TESTS = {
    path.name: {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for path in (ROOT / "tests").glob("test_*.py")
}


def named(text: str) -> tuple[set[str], set[str]]:
    """The files and the tests that a text names."""
    words = set(re.findall(r"`(test_\w+(?:\.py)?)`", text))
    files = {word for word in words if word.endswith(".py")}
    return files, words - files


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    files, tests = named(page.read_text("utf-8"))

    assert tests
    assert files <= TESTS.keys()
    assert tests <= {name for names in TESTS.values() for name in names}


def test_every_promise_names_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    promises = re.findall(r"(?ms)^- \*\*.+?(?=^- \*\*|^\n|\Z)", text)

    assert len(promises) > 5
    assert [each for each in promises if not any(named(each))] == []


def test_every_row_of_what_was_tried_names_a_test_of_its_file() -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| (?!Promise|-)(.+) \|$", text, re.MULTILINE)

    assert len(rows) > 10
    for row in rows:
        files, tests = named(row.rpartition(" | ")[2])
        assert files, row
        assert tests <= {name for file in files for name in TESTS[file]}, row
