"""The report for GitLab Code Quality, which compares it with the target branch's.

GitLab takes findings with the same fingerprint for one, and a finding for new if
its fingerprint is; so they are unique and hold no positions. What stands on the target
branch as well is there too, as information: GitLab calls fixed what is left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.report import sentences
from kopslint.report.display import Style
from kopslint.report.order import identified

if TYPE_CHECKING:
    from kopslint.findings import Finding, Report
    from kopslint.report.places import Repository

_SEVERITY = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFO: "info",
}

# The text becomes JSON in ASCII, which holds every character.
_STYLE = Style(color=False, unicode=True, width=100)


def render_gitlab(report: Report, repository: Repository) -> str:
    """The findings as a JSON array in ASCII that ends with a line end."""
    stood = {*report.existing}
    entries = [
        _entry(finding, fingerprint, repository, stood=finding in stood)
        for finding, fingerprint, suppression in identified(report)
        if suppression is None
    ]
    return json.dumps(entries, indent=2) + "\n"


def _entry(
    finding: Finding, fingerprint: str, repository: Repository, *, stood: bool
) -> dict[str, object]:
    # GitLab asks for a file and a line, even if a finding is about none.
    anchor = repository.anchor(finding)
    path = "." if anchor.path is None else _STYLE.safe(anchor.path)
    line, end = (anchor.span.line, anchor.span.end_line) if anchor.span else (1, 1)
    told = f"{finding.rule}: {sentences.headline(finding, _STYLE)}"
    if anchor.elsewhere:
        told += f" ({_STYLE.safe(anchor.elsewhere)})"
    return {
        "description": told,
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITY[Severity.INFO if stood else finding.severity],
        "location": {"path": path, "lines": {"begin": line, "end": end}},
    }
