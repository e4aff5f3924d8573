"""The rulebook's examples: a bad one is told exactly as it says, a good one not at all.

After a change of wording on purpose, ``KOPSLINT_UPDATE_EXPECTED=1 pytest
tests/test_rules.py`` writes every ``expected.txt`` anew and fails where it did; look
at the difference and run the tests again without it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.test_rules import report_on
from kopslint.report.text import render_findings
from kopslint.rulebook.loader import load_rules

if TYPE_CHECKING:
    from kopslint.rulebook.model import Example, Rule

UPDATING = bool(os.environ.get("KOPSLINT_UPDATE_EXPECTED"))

EXAMPLES = [(rule, example) for rule in load_rules() for example in rule.examples()]
BAD = [(rule, example) for rule, example in EXAMPLES if example.bad]
GOOD = [(rule, example) for rule, example in EXAMPLES if not example.bad]


def named(pairs: list[tuple[Rule, Example]]) -> list[str]:
    return [f"{rule.id}-{example.name}" for rule, example in pairs]


def also(example: Example) -> list[str]:
    """The other rules that the hazard always breaks: the words of ``also.txt``."""
    path = example.folder / "also.txt"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


@pytest.mark.parametrize(("rule", "example"), BAD, ids=named(BAD))
def test_a_bad_example_is_told_exactly_as_expected(
    rule: Rule, example: Example
) -> None:
    """Nothing but the findings of the rule, and of those it always brings along."""
    report = report_on(example)
    told = render_findings(report, color=False, width=80, unicode=True, wrapped=False)

    if UPDATING and told != example.expected:
        (example.folder / "expected.txt").write_text(told, encoding="utf-8")
        pytest.fail(f"{example.folder / 'expected.txt'} was written anew")
    assert told == example.expected
    assert {finding.rule for finding in report.findings} == {rule.id, *also(example)}


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=named(GOOD))
def test_a_good_example_is_no_finding_of_any_rule(rule: Rule, example: Example) -> None:
    """What a rule recommends must not run into another one."""
    report = report_on(example)
    told = render_findings(report, color=False, width=80, unicode=True, wrapped=False)

    assert told == "", f"{rule.id} recommends what is told"
