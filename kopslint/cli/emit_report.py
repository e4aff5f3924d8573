"""The last steps of a report: known findings removed, formats written, exit status."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from kopslint.cli.console import write_aside, write_output
from kopslint.cli.output import write_reports
from kopslint.errors import NothingCheckedError
from kopslint.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kopslint.cli.check_options import CheckOptions
    from kopslint.cli.options import FailOn, Output
    from kopslint.config.settings import Settings
    from kopslint.findings import Report
    from kopslint.report.html import Instead
    from kopslint.text import Source


def told(
    report: Report,
    options: CheckOptions,
    settings: Settings,
    fail_on: FailOn,
    outputs: Sequence[Output],
    *,
    mended: Sequence[str] = (),
    patch: str = "",
    instead: Callable[[], Instead | None] | None = None,
    baseline: Source | None = None,
) -> bool:
    """Write a report to ``outputs``, and say whether it is in order.

    What a baseline holds does not count; ``baseline`` is its text if not the disk's.
    Raises ``NothingCheckedError`` for a list from which no command could be read,
    unless the specs alone are out of order, and another ``KopslintError`` if something
    cannot be read or written.
    """
    report = _baselined(report, options, settings, baseline)
    write_reports(
        report,
        outputs,
        os.environ,
        color=options.color,
        quiet=options.quiet,
        timeline=options.timeline,
        full=options.full,
        rules=settings.known,
        # What is known already needs no fix.
        mended=mended if report.count(Severity.ERROR) else (),
        instead=instead,
        documentation=settings.documentation,
    )
    if patch:
        write_output(patch)
    if options.statistics:
        for line in statistics(report).splitlines():
            write_aside(line)
    if any(fail_on.met(finding.severity) for finding in report.findings):
        return False
    if report.summary.unread:
        raise NothingCheckedError(
            f"no command could be read from {', '.join(report.summary.unread)}, so no"
            " order was checked",
            hint="'kopslint commands FILE' shows what is read",
        )
    return True


def _baselined(
    report: Report, options: CheckOptions, settings: Settings, baseline: Source | None
) -> Report:
    """The report without what a baseline holds; it may be written now."""
    if options.baseline is None and options.write_baseline is None:
        return report
    from kopslint.cli.baselines import with_all_known, without_known

    rules, voice = settings.rules or (), options.voice
    if options.write_baseline is not None:
        return with_all_known(report, options.write_baseline, rules, voice)
    assert options.baseline is not None  # noqa: S101 (one of the two is given)
    return without_known(
        report,
        options.baseline,
        rules,
        voice,
        whole=options.shard is None,
        source=baseline,
    )


def statistics(report: Report) -> str:
    """How often each rule found something, the most frequent first."""
    counts = Counter((f.rule, f.severity, f.name) for f in report.findings)
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return "".join(
        f"{count:5}  {rule}  {severity:<7}  {name}\n"
        for (rule, severity, name), count in ranked
    )
