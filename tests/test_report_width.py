"""How long and how wide the report is on everything that is at hand.

Every bad example of the rulebook, and the cases outside the repository if
KOPSLINT_CORPUS names their folder.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.test_rules import report_on
from kopslint.engine import Request, check
from kopslint.report import display
from kopslint.report.text import render_findings, render_text
from kopslint.rulebook.loader import load_rules
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Report

CORPUS = Path(os.environ.get("KOPSLINT_CORPUS", "/nonexistent"))
CASES = sorted(folder.parent for folder in CORPUS.glob("*/*/case.yaml"))


@cache
def examples() -> dict[str, Report]:
    """The reports about the bad examples of all rules."""
    return {
        f"{rule.id} {example.name}": report_on(example)
        for rule in load_rules()
        for example in rule.examples()
        if example.bad
    }


@cache
def cases() -> dict[str, Report]:
    return {folder.name: reported(folder) for folder in CASES}


def reported(folder: Path) -> Report:
    def sources(pattern: str) -> tuple[Source, ...]:
        return tuple(
            Source(path.name, path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob(pattern))[:1]
        )

    return check(
        Request(sources("before.yaml"), sources("after.yaml"), sources("commands*"))
    )


def text(report: Report, *, width: int = 80, full: bool = False) -> str:
    return render_text(report, color=False, width=width, unicode=True, full=full)


def too_wide(report: Report, width: int) -> list[str]:
    """The lines that are wider than asked for and not a command to paste."""
    every = (*report.findings, *report.existing)
    commands = {
        part
        for finding in every
        for line in map(display.visible, finding.fix)
        for part in (line.strip(), line.partition("  # ")[0].strip())
    }
    told = (
        text(report, width=width),
        text(report, width=width, full=True),
        render_findings(report, color=False, width=width, unicode=True),
    )
    return [
        line
        for lines in map(str.splitlines, told)
        for line in lines
        if display.width(line) > width
        and re.sub(r"^ +(fix|instead)? *", "", line) not in commands
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_asked_for_but_commands_to_paste(width: int) -> None:
    wide = {
        name: lines
        for name, report in examples().items()
        if (lines := too_wide(report, width))
    }

    assert wide == {}


def test_a_report_is_half_as_long_as_one_with_every_finding_in_full() -> None:
    """And what is left out is to be had: nothing but repetition and side remarks."""
    lengths = [
        (text(report).count("\n"), text(report, full=True).count("\n"))
        for report in examples().values()
    ]

    assert median(short for short, _ in lengths) <= 20
    assert all(short <= full for short, full in lengths)


@pytest.mark.skipif(not CASES, reason="KOPSLINT_CORPUS names no folder with cases")
def test_the_cases_are_reported_in_the_width_and_in_half_of_the_lines() -> None:
    lengths = [
        (text(report).count("\n"), text(report, full=True).count("\n"))
        for report in cases().values()
    ]
    short, full = (median(numbers) for numbers in zip(*lengths, strict=True))

    print(f"median lines of {len(lengths)} cases: {short}, in full {full}")  # noqa: T201
    assert {n: w for n, r in cases().items() if (w := too_wide(r, 80))} == {}
    assert short <= 20
    assert 2 * short <= full + 4
