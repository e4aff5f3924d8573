"""``kopslint test-rules``: whether a team's own rules find what their examples say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from kopslint.config.own_change import SETTINGS, OwnChange, same_settings
from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.engine.aggregate import with_own_changes
from kopslint.errors import KopslintError
from kopslint.inputs.decode import decode
from kopslint.report.display import visible
from kopslint.report.sentences import count
from kopslint.report.text import render_findings
from kopslint.rulebook.loader import load_check, load_house_rules, load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kopslint.findings import Report
    from kopslint.observed.observation import Observation
    from kopslint.rulebook.model import Example, Rule
    from kopslint.text import Source

TODAY = date(2030, 1, 1)
"""The day of every example, so that none of them ever expires by itself."""

_SETTINGS = ("settings-before.yaml", "settings-after.yaml")


NOW = datetime(2030, 1, 1, 3, 0, tzinfo=UTC)
"""The moment of every example: what was observed in the hour before is not old."""


def examine(folder: Path) -> tuple[str, bool]:
    """A line for every example of the rules of a folder, and whether all are right.

    A bad example gives a finding of its rule, and exactly ``expected.txt`` if there is
    one; a good example gives none. A rule has at least one of both.

    Raises ``RuleError`` for a rule that cannot be loaded, and ``InputError`` for an
    example that cannot be read.
    """
    lines: list[str] = []
    failed = number = 0
    rules = load_house_rules(folder)
    for rule in rules:
        load_check(rule)
        examples = rule.examples()
        for kind, bad in (("bad", True), ("good", False)):
            if not any(example.bad is bad for example in examples):
                failed += 1
                lines.append(f"FAILED  {rule.id}  there is no examples/{kind}-...")
        for example in examples:
            number += 1
            wrong = list(_wrong(rule, example))
            failed += bool(wrong)
            lines.append(f"{'FAILED' if wrong else 'ok':<6}  {rule.id}  {example.name}")
            lines += [f"        {line}".rstrip() for line in wrong]
    asked = f"{count(len(rules), 'rule')}, {count(number, 'example')}"
    lines.append(f"{asked}, {failed} failed")
    return "".join(f"{visible(line)}\n" for line in lines), not failed


def report_on(example: Example, rules: Sequence[Rule] | None = None) -> Report:
    """The report on an example as if its folder were the working directory.

    Other specs and scripts in it are at hand for its commands.
    An example may have a folder ``rules`` with rules of its own, which are asked with
    the rest; without ``rules`` the rest is the whole rulebook. It may also have the
    settings before and after a change in git.
    """
    own = example.folder / "rules"
    asked = [*(load_rules() if rules is None else rules)]
    if own.is_dir():
        asked += load_house_rules(own)
    settings = Settings(rules=tuple(asked), known=tuple(asked), today=TODAY, now=NOW)
    report = check(
        Request(
            before=_side(example.before),
            after=_side(example.after),
            commands=_side(example.commands) or (),
            at_hand=tuple(_at_hand(example)),
            observed=_observed(example),
        ),
        settings,
    )
    return with_own_changes(report, tuple(_own_changes(example)), settings)


def _own_changes(example: Example) -> Iterator[OwnChange]:
    """How the settings of an example change, if it has any."""
    before, after = (
        decode(".kopslint.yaml", path.read_bytes()) if path.is_file() else None
        for path in (example.folder / name for name in _SETTINGS)
    )
    if not same_settings(before, after):
        counts = "This check used the settings of the base."
        yield OwnChange(SETTINGS, ".kopslint.yaml", before, after, counts)


def _at_hand(example: Example) -> Iterator[Source]:
    named = (
        *(example.before, example.after, example.commands),
        *(example.folder / name for name in _SETTINGS),
    )
    for path in sorted(example.folder.iterdir()):
        if path.suffix in (".sh", ".yaml") and path not in named:
            yield decode(path.name, path.read_bytes())


def _observed(example: Example) -> Observation | None:
    """What the example observed, called as from its folder."""
    if example.observed is None:
        return None
    from kopslint.observed.reader import Named, read_observation

    paths = [example.observed]
    if example.observed.is_dir():
        paths = sorted(path for path in example.observed.rglob("*") if path.is_file())
    observation = read_observation(
        Named(decode(path.relative_to(example.folder).as_posix(), path.read_bytes()))
        for path in paths
    )
    return observation._replace(given=(example.observed.name,))


def _side(path: Path | None) -> tuple[Source, ...] | None:
    return None if path is None else (decode(path.name, path.read_bytes()),)


def _wrong(rule: Rule, example: Example) -> Iterator[str]:
    """What an example shows to be wrong with its rule, as lines."""
    # A rule that cannot be decided says so by another one.
    asked = [rule, *(each for each in load_rules() if each.name == "rule-undecided")]
    try:
        report = report_on(example, asked)
    except KopslintError as error:
        yield str(error)
        return
    told = render_findings(report, color=False, width=80, unicode=True, wrapped=False)
    undecided = [f for f in report.findings if f.rule != rule.id]
    if undecided or (not example.bad and report.findings):
        yield "expected no finding, but got" if not example.bad else "got"
        yield from told.splitlines()
    elif example.bad and not report.findings:
        yield f"expected a finding of {rule.id}, but got none"
    elif example.bad and example.expected is not None and told != example.expected:
        from difflib import unified_diff

        yield "the output differs from expected.txt:"
        yield from unified_diff(
            example.expected.splitlines(),
            told.splitlines(),
            "expected",
            "got",
            n=1,
            lineterm="",
        )
