"""What looks like a slip in how kopslint was called, said beside the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.engine import Request
    from kopslint.findings import Report

BRING_UP = "bring-up/"
"""How the subject of a finding begins that says of a list that it made the cluster."""
_REFUSED = {"KL307", "KL402"}


def remarks_on(request: Request, report: Report) -> Iterator[str]:
    """What to say about a request beside its report."""
    told = any(
        found.subject.startswith(BRING_UP)
        for found in (*report.findings, *report.existing)
    )
    followed = report.summary.commands or report.summary.unread or told
    if request.commands and not followed:
        lists = ", ".join(report.summary.lists) or "the list"
        yield (
            f"{lists}: no command there changes the cluster; 'kopslint commands FILE'"
            " shows what is read"
        )
    if request.before and request.after and request.commands:
        yield from _exchanged(request, report)


def _exchanged(request: Request, report: Report) -> Iterator[str]:
    """That the list deletes what only the spec after has: the sides are exchanged."""
    if not any(finding.rule in _REFUSED for finding in report.findings):
        return
    from kopslint.kops.decode import read_fleet

    before, after = (
        {name for m in read_fleet(side or ()).manifests.values() for name in m.groups}
        for side in (request.before, request.after)
    )
    for entry in report.timeline:
        words = entry.command.replace("=", " ").replace(",", " ").split()
        gone = sorted((after - before) & {*words})
        if gone and "delete" in words:
            yield (
                f"are before and after swapped? The list deletes {', '.join(gone)},"
                " which only the spec after has; --before is the spec of today"
            )
            return
