"""The report as commands to a GitHub Actions runner, which shows them on the code.

The runner takes every line that starts with ``::`` for a command, so nothing here
is printed that is not one, and no text of the input can end or start a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.report import sentences
from kopslint.report.display import Style
from kopslint.report.order import worst_first

if TYPE_CHECKING:
    from kopslint.findings import Finding, Report
    from kopslint.report.places import Repository

_COMMAND = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}

# GitHub shows ten annotations of a step; one of them is the summary.
_MOST = 9
# GitHub drops an annotation whose message has more than 64 KiB.
_LONGEST = 4000


def render_github(report: Report, repository: Repository, *, unicode: bool) -> str:
    """The worst findings as annotations and a notice that sums up, a line each.

    Without ``unicode`` the result is pure ASCII.
    """
    style = Style(color=False, unicode=unicode, width=100)
    findings = worst_first(report.findings)
    lines = [_annotation(finding, repository, style) for finding in findings[:_MOST]]
    summary = sentences.counted(report)
    if len(findings) > _MOST:
        summary += f"; only the {_MOST} worst findings are annotated"
    lines.append(f"::notice title=kopslint::{_data(summary)}")
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding, repository: Repository, style: Style) -> str:
    properties: dict[str, str] = {}
    anchor = repository.anchor(finding)
    if anchor.path is not None:
        properties["file"] = style.safe(anchor.path)
    span = anchor.span
    if span is not None:
        properties["line"] = str(span.line)
        properties["endLine"] = str(span.end_line)
        if span.line == span.end_line:
            # The runner refuses columns where there is more than one line.
            properties["col"] = str(span.column)
            properties["endColumn"] = str(span.end_column)
    properties["title"] = f"{finding.rule} {style.safe(finding.name)}"
    lines = [sentences.headline(finding, style), *sentences.reasons(finding, style)]
    if anchor.elsewhere:
        lines.append(f"Found at {style.safe(anchor.elsewhere)}")
    if finding.fix:
        lines += ["Instead:", *sentences.fix(finding, style)]
    lines.append(f"More: kopslint explain {finding.rule}")
    head = ",".join(f"{key}={_property(text)}" for key, text in properties.items())
    message = _data("\n".join(lines)[:_LONGEST])
    return f"::{_COMMAND[finding.severity]} {head}::{message}"


def _data(text: str) -> str:
    """A message as ``actions/toolkit`` escapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property as ``actions/toolkit`` escapes it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
