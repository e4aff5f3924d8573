"""A baseline: the findings that were there when a team began, in a file to review.

A finding is recognised by its fingerprint, which holds no line; rule, path and message
stand beside it for whoever reads the file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.findings import Suppression
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.findings import Finding, Report
    from kopslint.text import Source

SCHEMA = "kopslint-baseline/v1"

_FIELDS = ("path", "rule", "message", "cluster", "fingerprint")


class Entry(Record):
    """One finding of a baseline; the order is that of the file."""

    path: str
    rule: str
    message: str
    cluster: str
    fingerprint: str


class Baseline(Record):
    """The entries of a baseline and the name of its file."""

    name: str
    entries: tuple[Entry, ...]


def entry_of(finding: Finding, fingerprint: str) -> Entry:
    """What a baseline says of a finding."""
    return Entry(
        path=finding.locations[0].span.source.path if finding.locations else "",
        rule=finding.rule,
        message=finding.message,
        cluster=finding.cluster or "",
        fingerprint=fingerprint,
    )


def render_baseline(entries: Iterable[Entry]) -> str:
    """The text of a baseline, ASCII that ends with a line end."""
    found = [
        {field: getattr(entry, field) for field in _FIELDS} for entry in sorted(entries)
    ]
    return json.dumps({"schema": SCHEMA, "findings": found}, indent=2) + "\n"


def read_baseline(source: Source) -> Baseline:
    """The baseline in a text.

    Raises ``InputError``, with the place if there is one, for a text that is none.
    """
    hint = "write it again with --write-baseline"
    try:
        data = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"this baseline is not JSON: {error.msg}",
            span=source.span(error.lineno, error.colno, error.lineno, error.colno + 1),
            hint=hint,
        ) from None
    except RecursionError:
        raise InputError(f"{source.path} is not a baseline", hint=hint) from None
    items = data.get("findings") if isinstance(data, dict) else None
    if not isinstance(items, list) or data.get("schema") != SCHEMA:
        raise InputError(
            f"{source.path} is not a baseline: it does not say schema: {SCHEMA}",
            hint=hint,
        )
    entries = []
    for number, item in enumerate(items, 1):
        texts = [
            item.get(field) if isinstance(item, dict) else None for field in _FIELDS
        ]
        if not all(isinstance(text, str) for text in texts):
            raise InputError(
                f"{source.path}: finding {number} of this baseline lacks one of"
                f" {', '.join(_FIELDS)}",
                hint=hint,
            )
        entries.append(Entry(*map(str, texts)))
    return Baseline(source.path, tuple(entries))


def without_baselined(
    report: Report,
    identified: Iterable[tuple[Finding, str, Suppression | None]],
    baseline: Baseline,
    always: frozenset[str],
) -> Report:
    """The report with the findings of a baseline suppressed.

    ``identified`` are all findings of the report with their fingerprints; rules in
    ``always`` are reported whatever a baseline says.
    """
    known = {entry.fingerprint for entry in baseline.entries}
    why = Suppression("baseline", f"in the baseline {baseline.name}")
    apart = {*report.existing}
    kept: list[Finding] = []
    suppressed: list[tuple[Finding, Suppression]] = []
    for finding, fingerprint, suppression in identified:
        if suppression is not None:
            suppressed.append((finding, suppression))
        elif fingerprint in known and finding.rule not in always:
            suppressed.append((finding, why))
        else:
            kept.append(finding)
    return report._replace(
        findings=tuple(each for each in kept if each not in apart),
        existing=tuple(each for each in kept if each in apart),
        suppressed=tuple(suppressed),
    )


def fixed(
    baseline: Baseline,
    found: Iterable[str],
    *,
    rules: frozenset[str],
    clusters: frozenset[str],
    paths: frozenset[str],
) -> tuple[Entry, ...]:
    """The entries that a check should have found again and did not.

    ``found`` are the fingerprints of all its findings. What it did not look at is not
    fixed: its ``rules``, ``clusters`` and ``paths`` are those that it looked at.
    """
    here = frozenset(found)
    return tuple(
        entry
        for entry in baseline.entries
        if entry.fingerprint not in here
        and entry.rule in rules
        and entry.cluster in clusters | {""}
        and entry.path in paths | {""}
    )
