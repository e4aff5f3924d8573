"""A hook runs kopslint at every commit, so it imports only what a run needs."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kopslint.cli import check_command
from kopslint.cli.app import app
from kopslint.cli.check_options import CheckOptions

SPEC = Path(__file__).parent / "specs" / "one-member.yaml"

DEMO = Path(__file__).parents[1] / "fixtures" / "five-to-three"

# What only some runs need: those with commands, those that are not plain checks, those
# with some option, and those that find what can be mended.
SHELL = {"tree_sitter", "kopslint.shell.ast"}
REPLAY = {
    "kopslint.commands.parse",
    "kopslint.model.etcd",
    "kopslint.model.interpreter",
}
TYPER = {"typer", "pydantic", "pydantic_core"}
COSTLY = {
    *("cel_expr_python", "deepdiff", "jinja2", "jsonschema", "markdown_it", "rich"),
}
COSTLY |= {"ast", "dataclasses", "inspect", "tempfile", "tree_sitter_bash"}
COSTLY |= {"difflib", "hashlib", "importlib.metadata", "multiprocessing", "traceback"}
COSTLY |= {"kopslint.planner", "kopslint.report.sarif", "kopslint.inputs.git"}


def imports_of(*arguments: str) -> set[str]:
    """The modules that ``python -m kopslint`` imports, standard library included.

    Nobody measures coverage there, which would import modules of its own.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kopslint", *arguments],
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    names = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    return {*names}


def test_the_version_is_printed_without_importing_anything() -> None:
    """Installers and hooks ask for the version often; it must not load typer."""
    loaded = imports_of("--version")

    assert "kopslint" in loaded
    assert loaded & {*COSTLY, *TYPER, "yaml"} == set()


def test_checking_specs_loads_what_reads_yaml_and_nothing_else(tmp_path: Path) -> None:
    """The most frequent run reads no commands, and no configuration."""
    spec = tmp_path / "after.yaml"
    spec.write_bytes(SPEC.read_bytes())

    loaded = imports_of("check", str(spec))

    assert "yaml" in loaded
    assert loaded & {*COSTLY, *TYPER, *SHELL, *REPLAY} == set()


def test_checking_commands_loads_what_reads_and_replays_them_besides() -> None:
    sides = ("--before", str(DEMO / "before.yaml"), "--after", str(DEMO / "after.yaml"))

    loaded = imports_of("check", *sides, "--commands", str(DEMO / "fixed.sh"))

    assert loaded >= {*SHELL, *REPLAY}
    assert loaded & {*COSTLY, *TYPER} == set()


def test_listing_the_rules_does_not_load_the_engine() -> None:
    """The rulebook is data: reading it needs no simulation."""
    assert imports_of("rules") & {*SHELL, *REPLAY, "kopslint.engine"} == set()


def by_typer(words: list[str]) -> CheckOptions:
    """What typer makes of the words behind ``kopslint check``."""
    read: list[CheckOptions] = []

    def note(options: CheckOptions) -> bool:
        read.append(options)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_command, "run_check", note)
        app(["check", *words], standalone_mode=False)
    return read[0]


TABLE = CheckOptions.table().values()
SWITCHES = [name for option in TABLE if option.kind is bool for name in option.names]
NAMES = [name for option in TABLE if option.kind is not bool for name in option.names]
VALUES = ["a.yaml", "text", "json=r.json", "error", "always", "shell", "1.34", "-", ""]
VALUES += ["2", "0", "999", "1/2", "3/2"]
WORDS = st.one_of(
    st.sampled_from(VALUES).map(lambda value: [value]),
    st.sampled_from(SWITCHES).map(lambda name: [name]),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(list),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(
        lambda pair: ["=".join(pair)]
    ),
)


@given(st.lists(WORDS, max_size=5).map(lambda parts: [*chain.from_iterable(parts)]))
def test_a_line_that_is_read_without_typer_means_what_typer_says(
    words: list[str],
) -> None:
    read = CheckOptions.of_line(words)

    assert read is None or read == by_typer(words)


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--befor a.yaml",
        "--before",
        "--before --after",
        "--base a --base b",
        "--changed=yes",
        "--fail-on fatal",
        "-- a.yaml",
        "-qq",
    ],
)
def test_a_line_that_is_not_plain_is_left_to_typer(line: str) -> None:
    """It has the words for what is wrong, and for help."""
    assert CheckOptions.of_line(line.split()) is None
