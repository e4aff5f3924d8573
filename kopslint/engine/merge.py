"""The reports of all shards of a fleet as the one report about the fleet.

Every shard looked at the same inputs and told of its own clusters. This module must not
know where the reports come from.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kopslint.engine.conclude import in_order, once
from kopslint.errors import InputError
from kopslint.findings import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.findings import Part, Summary

_HINT = "merge the reports of one run of the job, one of each shard"


def merge(reports: Sequence[Report]) -> Report:
    """The report that a check without shards gives, from those of all its shards.

    Raises ``InputError`` if one of them is missing or there twice, or if they are not
    about the same inputs and rules.
    """
    doubtful = [frozenset(part.doubtful) for part in _parts(reports)]
    found = [finding for report in reports for finding in report.findings]
    silenced = dict(pair for report in reports for pair in report.suppressed)
    reasons = {f._replace(cluster=None): why for f, why in silenced.items()}
    return Report(
        findings=in_order(once([*found, *frozenset.intersection(*doubtful)])),
        timeline=tuple(
            sorted(
                (entry for report in reports for entry in report.timeline),
                key=lambda entry: entry.cluster,
            )
        ),
        summary=_summary([report.summary for report in reports]),
        suppressed=tuple(
            (finding, reasons[finding._replace(cluster=None)])
            for finding in in_order(once(silenced))
        ),
    )


def _parts(reports: Sequence[Report]) -> list[Part]:
    """What the reports are parts of; raises ``InputError`` if that is not one whole."""
    parts = [report.part for report in reports if report.part is not None]
    shares = {part.of for part in parts}
    if len(shares) != 1:
        counts = " and ".join(map(str, sorted(shares))) or "no"
        raise InputError(f"these are reports of {counts} shards", hint=_HINT)
    (of,) = shares
    numbers = Counter(part.number for part in parts)
    twice = [f"{n}/{of}" for n, times in sorted(numbers.items()) if times > 1]
    if twice:
        raise InputError(
            f"there are several reports of shard {', '.join(twice)}", hint=_HINT
        )
    missing = [f"{n}/{of}" for n in range(1, of + 1) if n not in numbers]
    if missing:
        raise InputError(
            f"the report of shard {', '.join(missing)} is missing", hint=_HINT
        )
    inputs = {(r.summary.paths, r.summary.specs, r.summary.rules) for r in reports}
    if len(inputs) != 1:
        raise InputError(
            "these reports are about different inputs or rules",
            hint="give all shards the same options",
        )
    return parts


def _summary(summaries: Sequence[Summary]) -> Summary:
    is_change = summaries[0].before is not None
    clusters = sorted({name for each in summaries for name in each.clusters})
    return summaries[0]._replace(
        clusters=tuple(clusters),
        skipped=tuple(sorted({path for each in summaries for path in each.skipped})),
        commands=max(each.commands for each in summaries),
        worlds=max(each.worlds for each in summaries),
        before=sum(each.before or 0 for each in summaries) if is_change else None,
        after=sum(each.after or 0 for each in summaries) if is_change else None,
    )
