"""The order of findings, which of them belong together, and their fingerprints.

Both must stay the same for the same input: people compare reports, and baselines
and code-scanning services match findings by fingerprint. A fingerprint therefore
holds what the finding is about and never where it stands.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kopslint.findings import in_order, order
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.findings import Finding, Report, Severity, Suppression


def identified(
    report: Report,
) -> Iterator[tuple[Finding, str, Suppression | None]]:
    """All findings, ordered, each with its fingerprint and what suppresses it.

    The suppressed and existing ones are numbered with the others: a finding must not
    become another one because its neighbour was silenced.
    """
    shown = (*report.findings, *report.existing)
    pairs = [*((each, None) for each in shown), *report.suppressed]
    pairs.sort(key=lambda pair: order(pair[0]))
    marks = fingerprints(finding for finding, _ in pairs)
    for (finding, suppression), mark in zip(pairs, marks, strict=True):
        yield finding, mark, suppression


class Told(Record):
    """What is reported together: one mistake, and what it leads to.

    ``findings`` are its places, the worst first, ``leads_to`` what follows from it in
    the order of the steps.
    """

    findings: tuple[Finding, ...]
    leads_to: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that speaks for all of them."""
        return self.findings[0]

    @property
    def worst(self) -> Severity:
        """How bad the worst of all of them is."""
        every = (*self.findings, *self.leads_to)
        return min((f.severity for f in every), key=lambda severity: severity.rank)


def told(findings: Iterable[Finding]) -> list[Told]:
    """The findings as people read them: the worst first, and each under its cause.

    Findings of one rule about one cluster are places of one mistake.
    """
    found = worst_first(findings)
    cause_of = causes(found)
    places: dict[tuple[object, ...], list[Finding]] = {}
    for finding in found:
        if finding not in cause_of:
            places.setdefault(_mistake(finding), []).append(finding)
    follow: dict[tuple[object, ...], list[Finding]] = {}
    for finding, cause in cause_of.items():
        follow.setdefault(_mistake(cause), []).append(finding)
    groups = [
        Told(tuple(same), tuple(sorted(follow.get(mistake, ()), key=_by_step)))
        for mistake, same in places.items()
    ]
    return sorted(groups, key=lambda group: group.worst.rank)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by severity, then in order."""
    return sorted(in_order(findings), key=lambda finding: finding.severity.rank)


def _mistake(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.severity, finding.certainty, finding.cluster


def others(messages: Sequence[str]) -> list[str]:
    """What the other messages name where they differ from the first one.

    ``b`` if they say ``a is gone`` and ``b is gone``; nothing where they are not made
    of the same words, or are all the same.
    """
    split = [message.split(" ") for message in messages]
    if any(len(words) != len(split[0]) for words in split):
        return []
    place = next(
        (n for n, words in enumerate(zip(*split, strict=True)) if len({*words}) > 1),
        None,
    )
    if place is None:
        return []
    return [*dict.fromkeys(words[place] for words in split[1:])]


def alike(labels: Sequence[str]) -> str:
    """Several labels in one: words in which they differ stand side by side.

    The first one if they are not made of the same words.
    """
    split = [label.split(" ") for label in labels]
    if any(len(words) != len(split[0]) for words in split):
        return labels[0]
    columns = zip(*split, strict=True)
    return " ".join("/".join(dict.fromkeys(column)) for column in columns)


def _by_step(finding: Finding) -> tuple[int, int]:
    return finding.step or 0, finding.severity.rank


def causes(findings: Iterable[Finding]) -> dict[Finding, Finding]:
    """What each finding that follows from another one goes back to in the end.

    It follows from one of a rule that it ``follows``, of the same cluster and no later,
    if both are about one step, show one place, or have a dead member in common.
    """
    found = in_order(findings)
    known: dict[tuple[str | None, str], list[Finding]] = {}
    for finding in found:
        known.setdefault((finding.cluster, finding.rule), []).append(finding)
    nearest: dict[Finding, Finding] = {}
    for finding in found:
        candidates = [
            other
            for rule in finding.follows
            for other in known.get((finding.cluster, rule), ())
            if other is not finding and _leads_to(other, finding)
        ]
        if candidates:
            nearest[finding] = min(
                candidates, key=lambda each: (each.severity.rank, each.step or 0)
            )
    return {finding: _root(finding, nearest) for finding in nearest}


def _root(finding: Finding, nearest: dict[Finding, Finding]) -> Finding:
    seen = [finding]
    while (cause := nearest.get(seen[-1])) is not None and cause not in seen:
        seen.append(cause)
    return seen[-1]


def _leads_to(cause: Finding, finding: Finding) -> bool:
    if cause.step is not None and finding.step is not None:
        if cause.step > finding.step:
            return False
        if cause.step == finding.step:
            return True
    places = {place.span for place in cause.locations}
    return not (
        _dead(cause).isdisjoint(_dead(finding))
        and places.isdisjoint(place.span for place in finding.locations)
    )


def _dead(finding: Finding) -> set[tuple[str, str]]:
    """The members that are registered and do not vote after the step of a finding."""
    return {
        (line.etcd_cluster, member)
        for line in finding.trace
        for member in line.after.members
        if member not in line.after.alive and member not in line.after.joining
    }


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
        text = "\0".join(finding.identity).encode("utf-8", "backslashreplace")
        digest = sha256(text).hexdigest()[:20]
        seen[digest] += 1
        number = seen[digest]
        result.append(digest if number == 1 else f"{digest}-{number}")
    return tuple(result)
