"""``--baseline`` and ``--write-baseline``: the files, and what is said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.cli.console import write_file
from kopslint.errors import InputError
from kopslint.inputs.boundary import boundary_here
from kopslint.inputs.decode import MAX_BYTES, decode, shown
from kopslint.report.order import identified
from kopslint.suppress.baseline import (
    Baseline,
    entry_of,
    fixed,
    read_baseline,
    render_baseline,
    without_baselined,
)
from kopslint.suppress.silence import tested

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kopslint.cli.console import Voice
    from kopslint.findings import Report
    from kopslint.rulebook.model import Rule
    from kopslint.text import Source


def without_known(
    report: Report,
    file: Path,
    rules: Sequence[Rule],
    voice: Voice,
    *,
    whole: bool,
    source: Source | None = None,
) -> Report:
    """The report without the findings of a baseline, by default as the disk has it.

    A ``whole`` report, one that is not a shard's, also tells which of them are gone.
    Raises ``InputError`` for a file that is no baseline.
    """
    baseline = _read(file) if source is None else read_baseline(source)
    summary = report.summary
    gone = fixed(
        baseline,
        (fingerprint for _, fingerprint, _ in identified(report)),
        rules=tested(
            rules,
            change=summary.before is not None and summary.after is not None,
            commands=summary.commands > 0,
        ),
        clusters=frozenset(summary.clusters),
        paths=frozenset(summary.paths),
    )
    if gone and whole:
        what = "1 finding" if len(gone) == 1 else f"{len(gone)} findings"
        verb, them = ("is", "it") if len(gone) == 1 else ("are", "them")
        voice.remark(
            f"{what} of {shown(file)} {verb} fixed: remove {them} with"
            f" --write-baseline {shown(file)}"
        )
    return without_baselined(report, identified(report), baseline, _always(rules))


def with_all_known(
    report: Report, file: Path, rules: Sequence[Rule], voice: Voice
) -> Report:
    """Write a baseline of all findings that count, and the report without them.

    Findings of rules that cannot be ignored stay. Raises ``UsageError`` if the file
    cannot be written.
    """
    always = _always(rules)
    baseline = Baseline(
        shown(file),
        tuple(
            entry_of(finding, fingerprint)
            for finding, fingerprint, suppression in identified(report)
            if suppression is None and finding.rule not in always
        ),
    )
    write_file(file, render_baseline(baseline.entries))
    number = len(baseline.entries)
    voice.remark(f"wrote {number} finding{'s' * (number != 1)} to {shown(file)}")
    return without_baselined(report, identified(report), baseline, always)


def _read(file: Path) -> Baseline:
    boundary_here().refuse_what_leads_out(file)
    try:
        with file.open("rb") as stream:
            return read_baseline(decode(shown(file), stream.read(MAX_BYTES + 1)))
    except OSError as error:
        raise InputError(
            f"the baseline {shown(file)} cannot be read: {error.strerror}",
            hint="write one with --write-baseline",
        ) from None


def _always(rules: Sequence[Rule]) -> frozenset[str]:
    return frozenset(rule.id for rule in rules if not rule.ignorable)
