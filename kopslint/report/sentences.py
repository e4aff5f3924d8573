"""Findings and whole reports in sentences, for forms that cannot hold a picture.

Every sentence is one line without unsafe characters. Each form escapes and joins
them in its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kopslint.findings import Certainty, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.findings import Finding, Report
    from kopslint.report.display import Style

# A DNS name is no longer; whatever is would only be in the way.
_LONGEST_NAME = 253


def headline(finding: Finding, style: Style) -> str:
    """What a finding says, marked if it is possible and not certain."""
    doubt = "" if finding.certainty is Certainty.CERTAIN else "possible: "
    return style.safe(doubt + finding.message)


def reasons(finding: Finding, style: Style) -> list[str]:
    """Why it matters, then the numbered course of events that leads there."""
    told = [f"{number}. {event}" for number, event in enumerate(finding.story, 1)]
    return [style.safe(line) for line in (*finding.why.split("\n"), *told) if line]


def assumption(finding: Finding) -> str:
    """What a finding says that is taken for granted, without saying that it is."""
    return finding.message.removeprefix("assumed: ")


def in_short(finding: Finding) -> str:
    """What a finding says, where there is one line for it."""
    message = finding.message
    for words, fewer in _IN_SHORT:
        message = message.replace(words, fewer, 1)
    return message


_IN_SHORT = (
    ("from here to the end of the list ", ""),
    (" members vote, ", " vote, "),
)


def fix(finding: Finding, style: Style) -> list[str]:
    """The lines to paste."""
    return [style.safe(line) for line in finding.fix]


def observed(report: Report) -> str:
    """What was read of the cluster itself, and when the oldest of it was taken."""
    outputs = report.summary.observed
    names = dict.fromkeys(o.etcd_cluster for o in outputs if o.etcd_cluster is not None)
    of = f" of etcd {', '.join(names)}" if names else ""
    times = sorted(o.taken for o in outputs if o.taken is not None)
    when = f", the oldest of {times[0][:16].replace('T', ' ')} UTC" if times else ""
    return f"observed: {count(len(outputs), 'output')}{of}{when}"


def counted(report: Report) -> str:
    """How much was found, and in how much; one sentence without a full stop."""
    summary = report.summary
    found = [
        count(number, severity)
        for severity in Severity
        if (number := report.count(severity))
    ]
    looked = [
        count(number, noun)
        for number, noun in ((summary.commands, "command"), (summary.specs, "spec"))
        if number
    ]
    checked = ", ".join(found) or "no findings"
    if looked:
        checked += f" in {', '.join(looked)}"
    if len(summary.clusters) > 1:
        checked += f" of {len(summary.clusters)} clusters"
    if summary.before is not None and summary.after is not None:
        checked += f" (control plane {summary.before} -> {summary.after})"
    return "; ".join([checked, *uncounted(report)])


def uncounted(report: Report) -> list[str]:
    """How many findings stood before, or are suppressed by comments or a baseline."""
    numbers = (
        (len(report.existing), "existing"),
        (report.suppressed_by("comment"), "suppressed"),
        (report.suppressed_by("baseline"), "baselined"),
    )
    return [f"{number} {word}" for number, word in numbers if number]


def existing(report: Report) -> str:
    """How much stands before the change as well, and that it does not count."""
    return f"{counts(report.existing)} from before this change"


def counts(findings: Iterable[Finding]) -> str:
    """How many findings there are of each severity, the worst first."""
    found = [*findings]
    numbers = ((s, sum(f.severity is s for f in found)) for s in Severity)
    return ", ".join(count(n, severity) for severity, n in numbers if n)


def count(number: int, noun: str) -> str:
    """A number of things, such as ``2 warnings``."""
    plural = "" if number == 1 or noun == Severity.INFO else "s"
    return f"{number} {noun}{plural}"


def subject(report: Report) -> str:
    """What a report is about, as a path: a later one with the same replaces it.

    It names the cluster if there is only one, so that reports about several
    clusters of one repository can stand side by side.
    """
    clusters = report.summary.clusters
    if len(clusters) != 1:
        return "kopslint/"
    cluster = quote(clusters[0], safe="", errors="backslashreplace")
    return f"kopslint/{cluster[:_LONGEST_NAME]}/"
