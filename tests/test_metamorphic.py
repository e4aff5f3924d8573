"""Notation changes no verdict: a case in other words has the same findings.

By default a sample of all pairs runs, drawn anew for every day's seed in
``KOPSLINT_SEED`` (0 where it is not set). ``KOPSLINT_METAMORPHIC=all`` runs them all.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.engine import Request, check
from kopslint.errors import KopslintError
from kopslint.findings import Report, Severity
from kopslint.text import Source

sys.path.insert(0, str(Path(__file__).parent))
from metamorphic import TRANSFORMATIONS, Case, sampled

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
CORPUS = Path(os.environ.get("KOPSLINT_CORPUS", "/nonexistent"))
SEED = int(os.environ.get("KOPSLINT_SEED", "0"))
SAMPLE = 700

# Findings about how a text is written, or about more clusters than one.
ABOUT_THE_TEXT = {"KL109", "KL403", "KL902", "KL903"}


def read(folder: Path) -> Case | None:
    """The case in a folder, as the rules' examples and the corpus keep it."""

    def side(name: str) -> tuple[tuple[str, str], ...] | None:
        path = folder / name
        return ((name, path.read_text("utf-8")),) if path.is_file() else None

    after = side("after.yaml")
    if after is None:
        return None
    lists = sorted(p for p in folder.glob("commands.*") if p.is_file())
    known = {"before.yaml", "after.yaml", "case.yaml", "expected.txt", "also.txt"}
    at_hand = tuple(
        (str(p.relative_to(folder)), p.read_text("utf-8"))
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name not in known and p not in lists
    )
    return Case(
        name=f"{folder.parents[1].name if 'examples' in folder.parts else ''}"
        f"/{folder.parent.name}/{folder.name}",
        before=side("before.yaml"),
        after=after,
        commands=(lists[0].name, lists[0].read_text("utf-8")) if lists else None,
        at_hand=at_hand,
    )


def cases() -> dict[str, Case]:
    folders = [ROOT / "fixtures" / "five-to-three"]
    folders += (ROOT / "rules").glob("*/examples/*/")
    for kind in ("adversarial", "incidents", "orders", "reports"):
        folders += (CORPUS / kind).glob("*/")
    found = filter(None, map(read, sorted(folders)))
    # A comment to kopslint is about the line it stands on.
    return {case.name: case for case in found if "kopslint:" not in str(case)}


CASES = cases()
PAIRS = [(name, how) for name in CASES for how in TRANSFORMATIONS]
CHOSEN = (
    PAIRS
    if os.environ.get("KOPSLINT_METAMORPHIC") == "all"
    else sampled(PAIRS, SAMPLE, SEED)
)


def report(case: Case) -> Report | str:
    """What the check says, or the sentence with which it declines."""

    def sources(files: tuple[tuple[str, str], ...] | None) -> tuple[Source, ...] | None:
        return None if files is None else tuple(Source(n, t) for n, t in files)

    try:
        return check(
            Request(
                before=sources(case.before),
                after=sources(case.after),
                commands=sources(None if case.commands is None else (case.commands,))
                or (),
                at_hand=sources((*case.at_hand, *(case.before or ()), *case.after))
                or (),
            )
        )
    except KopslintError as error:
        return type(error).__name__


def verdict(case: Case) -> tuple[str, frozenset[str]]:
    """The worst severity, and the rules of errors and warnings."""
    found = report(case)
    if isinstance(found, str):
        return found, frozenset()
    counted = [
        finding
        for finding in found.findings
        if finding.severity is not Severity.INFO
        and finding.rule not in ABOUT_THE_TEXT
        and finding.cluster != "quiet.example.net"
    ]
    worst = min((f.severity.rank for f in counted), default=2)
    return str(worst), frozenset(finding.rule for finding in counted)


@cache
def plain_verdict(name: str) -> tuple[str, frozenset[str]]:
    return verdict(CASES[name])


def test_there_are_at_least_25_transformations() -> None:
    """And each applies to some case."""
    names = [*CASES]
    idle = {
        how
        for how, transform in TRANSFORMATIONS.items()
        if all(transform(CASES[name]) is None for name in names)
    }

    assert len(TRANSFORMATIONS) >= 25
    assert idle == set()


@pytest.mark.parametrize(
    ("name", "how"), CHOSEN, ids=[f"{how}-{name}" for name, how in CHOSEN]
)
def test_other_words_give_the_same_verdict(
    name: str, how: str, record_property: Callable[[str, object], None]
) -> None:
    """The worst severity and the rules are those of the case as it was."""
    record_property("transformation", how)
    changed = TRANSFORMATIONS[how](CASES[name])
    if changed is None:
        pytest.skip("this case cannot be written in that way")

    assert verdict(changed) == plain_verdict(name)
