"""The report for people: findings with frames, the timeline, and one last line.

The first line of a finding is for ``grep`` and editors, and everything below it
is for whoever has to act on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Certainty, Severity
from kopslint.report import cells
from kopslint.report.identity import ordered
from kopslint.report.quorum import timeline as render_timeline
from kopslint.report.quorum import trace
from kopslint.report.sentences import uncounted
from kopslint.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.findings import Finding, Report

# Sections are indented so that their bodies line up: "   why   text".
_INDENT = 9

# So many skipped files are named; the rest is counted.
_NAMED = 3


def render_text(
    report: Report,
    *,
    color: bool,
    width: int,
    unicode: bool,
    timeline: bool = True,
    mended: Sequence[str] = (),
) -> str:
    """The whole report as text that ends with a line end.

    ``mended`` is what the list of commands should be instead: a heading, then lines.
    ``width`` is in cells; commands to paste and the first line of a finding are
    never broken to keep to it. Without ``unicode`` the result is pure ASCII. With
    and without ``color`` the text is the same but for the escapes.
    """
    style = Style(color=color, unicode=unicode, width=width)
    lines: list[str] = []
    for finding in ordered(report.findings):
        lines += [*_finding(finding, style), ""]
    if timeline and report.timeline:
        lines += [*render_timeline(report, style), ""]
    if mended:
        heading, *rest = map(style.safe, mended)
        lines += [style.paint(heading, "bold"), *(f"  {line}" for line in rest), ""]
    lines += _summary(report, style)
    return "\n".join(lines) + "\n"


def render_findings(report: Report, *, color: bool, width: int, unicode: bool) -> str:
    """Only the findings, a blank line between them; empty if there are none."""
    style = Style(color=color, unicode=unicode, width=width)
    blocks = ("\n".join(_finding(f, style)) for f in ordered(report.findings))
    return "\n\n".join(blocks) + "\n" if report.findings else ""


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    where = style.safe(str(finding.locations[0].span) if finding.locations else "-")
    kind = style.severity(f"{finding.severity}[{finding.rule}]", finding.severity)
    doubt = "" if finding.certainty is Certainty.CERTAIN else "in some runs: "
    message = style.paint(style.safe(doubt + finding.message), "bold")
    yield f"{where}: {kind}: {message}"
    from kopslint.report.frames import frames

    yield from frames(finding, style)
    if finding.trace:
        yield ""
        yield from trace(finding.trace, style)
    yield ""
    if finding.story:
        told = [
            f"{number}. {event}" for number, event in enumerate(finding.story, start=1)
        ]
        yield from _section("how", told, style, hang=3)
    yield from _section("why", finding.why.split("\n"), style)
    if finding.fix:
        yield from _section("fix", finding.fix, style, wrapped=False)
    yield from _section("more", [f"kopslint explain {finding.rule}"], style)


def _section(
    title: str,
    items: Sequence[str],
    style: Style,
    *,
    wrapped: bool = True,
    hang: int = 0,
) -> Iterator[str]:
    """A titled block; further lines of an item are indented by ``hang`` more."""
    head = f"   {style.paint(title, 'cyan')}{'':{_INDENT - 3 - len(title)}}"
    for item in items:
        text = style.safe(item)
        room = style.width - _INDENT - hang
        first, *rest = cells.wrap(text, room) if wrapped else [text]
        yield f"{head}{first}".rstrip()
        head = " " * _INDENT
        for line in rest:
            yield f"{head}{'':{hang}}{line}"


def _summary(report: Report, style: Style) -> Iterator[str]:
    """What was found, and what was looked at so that nothing found means something."""
    summary = report.summary
    if summary.skipped:
        names = [style.safe(path) for path in summary.skipped]
        text = ", ".join(names[:_NAMED])
        if len(names) > _NAMED:
            text += f" and {len(names) - _NAMED} more"
        yield style.paint(f"skipped, no kops object in it: {text}", "dim")
    counts = [
        (_count(number, severity), severity)
        for severity in Severity
        if (number := report.count(severity))
    ]
    looked = [
        _count(number, noun)
        for number, noun in ((summary.commands, "command"), (summary.specs, "spec"))
        if number
    ]
    checked = f" in {', '.join(looked)}" if looked else ""
    if len(summary.clusters) > 1:
        checked += f" of {len(summary.clusters)} clusters"
    if summary.before is not None and summary.after is not None:
        checked += f" (control plane {summary.before} -> {summary.after})"
    effort = "; ".join([*uncounted(report), _count(summary.rules, "rule")])
    if summary.worlds:
        effort += f"; up to {_count(summary.worlds, 'world')}"
    plain = ", ".join(text for text, _ in counts) or "no findings"
    painted = ", ".join(style.severity(*count) for count in counts)
    line = (painted or style.paint(plain, "green")) + checked
    if len(plain + checked) + 2 + len(effort) <= style.width:
        yield f"{line}; {effort}"
    else:
        yield f"{line};"
        yield f"  {effort}"


def _count(number: int, noun: str) -> str:
    plural = "" if number == 1 or noun == Severity.INFO else "s"
    return f"{number} {noun}{plural}"
