"""In which order findings are shown, and how one is recognised again later.

Both must stay the same for the same input: people compare reports, and baselines
and code-scanning services match findings by fingerprint. A fingerprint therefore
holds what the finding is about and never where it stands.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kopslint.findings import order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.findings import Finding, Report, Suppression


def identified(
    report: Report,
) -> Iterator[tuple[Finding, str, Suppression | None]]:
    """All findings, ordered, each with its fingerprint and what suppresses it.

    The suppressed ones are numbered with the others: a finding must not become
    another one because its neighbour was silenced.
    """
    pairs = [*((each, None) for each in report.findings), *report.suppressed]
    pairs.sort(key=lambda pair: order(pair[0]))
    marks = fingerprints(finding for finding, _ in pairs)
    for (finding, suppression), mark in zip(pairs, marks, strict=True):
        yield finding, mark, suppression


def fingerprints(findings: Iterable[Finding]) -> tuple[str, ...]:
    """A fingerprint for each of the findings, which must be ``in_order``.

    It is a hash of rule, cluster, etcd cluster and subject; what has the same four
    is told apart by its number: the second one ends in ``-2``.
    """
    seen: Counter[str] = Counter()
    # The text for people has none, and most runs print nothing else.
    from hashlib import sha256

    result = []
    for finding in findings:
        parts = (
            finding.rule,
            finding.cluster or "",
            finding.etcd_cluster or "",
            finding.subject,
        )
        text = "\0".join(parts).encode("utf-8", "backslashreplace")
        digest = sha256(text).hexdigest()[:20]
        seen[digest] += 1
        number = seen[digest]
        result.append(digest if number == 1 else f"{digest}-{number}")
    return tuple(result)
