"""The report as a comment on a pull request, or as a job's summary.

What is read at once comes first: the verdict, the worst mistake with what to run
instead, and the quorum after each step. The rest is folded. Names come from files that
a stranger may have written: none of them can become markup, call a person or link
anywhere.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from kopslint.findings import Certainty, Severity
from kopslint.report import display, sentences, verdict
from kopslint.report.display import Style
from kopslint.report.order import told, worst_first
from kopslint.report.quorum import columns_of, members, pieces, rows, trace
from kopslint.report.text import fix_of, frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kopslint.findings import EtcdView, Finding, Report, TimelineEntry
    from kopslint.report.order import Told
    from kopslint.report.quorum import Steps

# GitHub refuses comments of more than 65,536 characters. The table of steps leaves
# most of them to the findings.
_LIMIT = 60_000
_TABLE_LIMIT = 20_000
_POINT_LIMIT = 300
_MOST_PLACES = 10
# What is longer is folded away, so that the verdict and the table are seen at once.
_MOST_ROWS = 16
_MOST_FIX = 8

# What Markdown, HTML, mathematics, addresses and emoji names are made of; and what
# would start a heading, a list or a block of code at the start of a line.
_MARKUP = re.compile(r"[\\`*_\[\]<>|~&$]|:(?=[\w/+-])|^[-+=#\s]|(?<=\d)[.)](?=\s|$)")
# What GitHub and GitLab make a link of after they have read the Markdown: people,
# issues and the like, and addresses. A space of no width tells it apart.
_REFERENCE = re.compile(r"(?<=@)(?=\w)|(?<=[#!$%~&])(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)")
_NO_WIDTH = "\N{ZERO WIDTH SPACE}"


def render_markdown(
    report: Report,
    *,
    unicode: bool,
    link: Callable[[str], str | None] | None = None,
) -> str:
    """The report in GitHub's Markdown, short enough for a comment.

    The first line is a comment that a bot can find its own comment by; it is the
    same for all reports about the same cluster. Without ``unicode`` the result is
    pure ASCII. ``link`` gives the address of a rule's page.
    """
    style = Style(color=False, unicode=unicode, width=100, pages=link)
    about = ", ".join(_short(part, style) for part in verdict.subject(report))
    blocks = [
        f"<!-- {sentences.subject(report)} -->",
        f"### kopslint: {report.verdict.value}{f' ({about})' if about else ''}",
        *([_points(report, style)] if report.findings or report.summary.unread else []),
    ]
    groups = told(report.findings)
    steps = list(_timeline(report, style))
    if _length(steps) > 2 * _TABLE_LIMIT:
        steps = ["The steps are not shown: there are too many."]
    room = _LIMIT - _length(blocks) - _length(steps)
    cause: list[str] = []
    if groups and groups[0].worst is not Severity.INFO:
        cause = [*_cause(groups[0], style)]
        cause = cause if _length(cause) <= room else []
    room -= _length(cause)
    blocks += [*cause, *steps]
    left_out: list[Finding] = []
    for number, group in enumerate(groups):
        block = _told(group, style, said=bool(cause) and number == 0)
        if _length([block]) > room:
            left_out += [*group.findings, *group.leads_to]
        else:
            blocks.append(block)
            room -= _length([block])
    if left_out:
        blocks.append(f"Not shown, for lack of room: {_counts(left_out)}.")
    elif report.existing:
        blocks.append(_existing(report, style, room))
    if report.summary.observed:
        blocks.append(_text(sentences.observed(report), style))
    blocks.append(_text(sentences.counted(report), style))
    return "\n\n".join(blocks) + "\n"


def _points(report: Report, style: Style) -> str:
    """The few lines below the verdict."""
    return "\n".join(
        f"- {f'**{_short(point.label, style)}** ' if point.label else ''}"
        f"{_short(point.text, style)}"
        for point in verdict.points(report)
    )


def _existing(report: Report, style: Style, room: int) -> str:
    """What stands before the change as well, folded, the worst first."""
    lines: list[str] = []
    heading = f"{sentences.existing(report)}, not counted"
    room -= 2 * len(heading)
    for finding in worst_first(report.existing):
        places = [f"{_code(str(each.span), style)} " for each in finding.locations[:1]]
        line = (
            f"- {''.join(places)}**{finding.severity}** {finding.rule}:"
            f" {_text(finding.message, style)}"
        )
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- and {len(report.existing) - len(lines)} more")
            break
        lines.append(line)
    shown = "\n".join(lines)
    summary = f"<summary>{heading}</summary>"
    return f"<details>{summary}\n\n{shown}\n\n</details>"


def _short(text: str, style: Style) -> str:
    """A text that leaves room for others."""
    return _text(display.cut(text, _POINT_LIMIT, style.ellipsis), style)


def _length(blocks: list[str]) -> int:
    """How much room blocks take, with the blank lines after them."""
    return sum(len(block) + 2 for block in blocks)


def _counts(findings: list[Finding]) -> str:
    numbers = ((s, sum(f.severity is s for f in findings)) for s in Severity)
    return " and ".join(sentences.count(n, severity) for severity, n in numbers if n)


def _cause(group: Told, style: Style) -> Iterator[str]:
    """The worst mistake in a few lines: what, why, and what to run instead."""
    first = group.first
    yield f"#### {_title(group, style)}"
    yield from (_text(reason, style) for reason in first.why.split("\n") if reason)
    if fix := _shown_fix(group, style):
        yield fix


def _shown_fix(group: Told, style: Style) -> str:
    fix = [style.safe(line) for line in fix_of(group)]
    return _fenced("sh", fix) if 0 < len(fix) <= _MOST_FIX else ""


def _title(group: Told, style: Style) -> str:
    """What a mistake is, in Markdown and in HTML alike."""
    first = group.first
    doubt = "" if first.certainty is Certainty.CERTAIN else " (possible)"
    many = f" ({len(group.findings)} places)" if len(group.findings) > 1 else ""
    return (
        f"<b>{first.severity}</b> {_rule(first.rule, style)}:"
        f" {_text(first.message, style)}{doubt}{many}"
    )


def _rule(rule: str, style: Style) -> str:
    """The id of a rule, with a link to its page if it has one."""
    address = style.pages(rule) if style.pages else None
    return f'<a href="{escape(address)}">{rule}</a>' if address else rule


def _told(group: Told, style: Style, *, said: bool) -> str:
    """One mistake with its places, what it leads to, and what to run instead; folded.

    Unless that was ``said`` already.
    """
    first = group.first
    places = [str(f.locations[0].span) if f.locations else "-" for f in group.findings]
    shown = [_code(place, style) for place in places[:_MOST_PLACES]]
    title = "Where, and what it does to etcd" if said else _title(group, style)
    reasons = [] if said else [reason for reason in first.why.split("\n") if reason]
    blocks = [
        f"<details><summary>{title}</summary>",
        ", ".join([*shown, *(["..."] if places[_MOST_PLACES:] else [])]),
        *(_text(reason, style) for reason in reasons),
    ]
    if group.leads_to:
        blocks.append("\n".join(_consequence(each, style) for each in group.leads_to))
    fix = fix_of(group)
    if fix and not (said and _shown_fix(group, style)):
        blocks.append(_fenced("sh", [style.safe(line) for line in fix]))
    for finding in (*group.findings, *group.leads_to):
        blocks += _details(finding, style)
    rules = dict.fromkeys(f.rule for f in (*group.findings, *group.leads_to))
    known = ", ".join(f"<code>kopslint explain {rule}</code>" for rule in rules)
    return "\n\n".join([*blocks, f"More: {known}", "</details>"])


def _consequence(finding: Finding, style: Style) -> str:
    line = f"line {finding.locations[0].span.line}: " if finding.locations else ""
    rule = _rule(finding.rule, style)
    return (
        f"- then {line}**{finding.severity}** {rule}: {_text(finding.message, style)}"
    )


def _details(finding: Finding, style: Style) -> Iterator[str]:
    """How a finding comes about, and its places and etcd clusters as pictures."""
    told = [
        f"{number}. {_text(event, style)}"
        for number, event in enumerate(finding.story, 1)
    ]
    if told:
        yield "\n".join(told)
    picture = [
        *frames(finding, style),
        *([""] if finding.trace else []),
        *trace(finding.trace, style),
    ]
    if picture:
        yield _fenced("text", picture)


def _timeline(report: Report, style: Style) -> Iterator[str]:
    """A table of steps for each cluster, and what its symbols mean.

    Steps that change nothing in etcd are counted; a table that is long is folded.
    """
    clusters = list(dict.fromkeys(entry.cluster for entry in report.timeline))
    for cluster in clusters:
        entries = [entry for entry in report.timeline if entry.cluster == cluster]
        found = [f for f in report.findings if f.cluster in (cluster, None)]
        room = _TABLE_LIMIT // len(clusters)
        table = [*_table(pieces(entries, found), found, style, room)]
        title = _text(cluster, style) if len(clusters) > 1 else "Steps"
        if len(table) > _MOST_ROWS + 2:
            yield f"<details><summary>{title}</summary>"
        elif len(clusters) > 1:
            yield f"#### {title}"
        yield "\n".join(table)
        if len(table) > _MOST_ROWS + 2:
            yield "</details>"
    if clusters:
        yield _entities(
            f"{style.votes} votes, {style.away} away and comes back, {style.joining}"
            f" joins, {style.dead} dead but still registered, {style.expelled} runs"
            " but is no longer a member"
        )


def _table(
    steps: list[Steps], findings: list[Finding], style: Style, room: int
) -> Iterator[str]:
    every = list(dict.fromkeys(name for each in steps for name in each.first.etcd))
    columns = columns_of(every, [row for each in steps for row in rows(each.first)])
    heads = [_text(", ".join(column), style) for column in columns]
    names = [column[0] for column in columns]
    yield _row("step", "command", *heads, "note")
    yield _row(*["---"] * (len(names) + 3))
    for number, each in enumerate(steps):
        told = [*_rows(each, names, findings, style)]
        room -= sum(len(row) + 1 for row in told)
        if room < 0:
            left = sum(len(step.entries) for step in steps[number:])
            rest = sentences.count(left, "step")
            yield _row("", f"and {rest} more", *[""] * (len(names) + 1))
            return
        yield from told


def _rows(
    steps: Steps, names: list[str], findings: list[Finding], style: Style
) -> Iterator[str]:
    """A step as one row, or as two if it is worse inside than behind it."""
    entry = steps.first
    several = f"{len(steps.entries)} steps change nothing in etcd"
    command = _code(entry.command, style)
    if len(steps.entries) > 1 and entry.step:
        command = several
    for moment in rows(entry):
        told = [
            *([command] if moment.leads else []),
            *([_text(moment.label, style)] if moment.label else []),
        ]
        yield _row(
            steps.number if moment.leads else "",
            ", ".join(told),
            *(
                _state(moment.etcd[name], style, moment.back.get(name, ()))
                if name in moment.etcd
                else ""
                for name in names
            ),
            _note(entry, findings, style) if moment.leads else "",
        )


def _state(view: EtcdView, style: Style, back: tuple[str, ...] = ()) -> str:
    alive = f"{len(view.alive)}/{len(view.members)}, quorum {view.quorum}"
    writes = {"yes": "", "no": ", **NO QUORUM**", "maybe": ", quorum at risk"}
    picture = _entities(members(view, style, back))
    return f"{picture} {alive}{writes[view.writable]}"


def _note(entry: TimelineEntry, findings: Iterable[Finding], style: Style) -> str:
    """What became of a step, and the rules that have a finding there."""
    rules = sorted({f.rule for f in findings if f.step == entry.step})
    status = "" if entry.status == "applied" else entry.status
    return "; ".join(filter(None, (status, _text(entry.note, style), *rules)))


def _row(*columns: str) -> str:
    return f"| {' | '.join(columns)} |"


def _text(text: str, style: Style) -> str:
    """Text that is shown as it is, wherever in Markdown it stands."""
    space = _NO_WIDTH if style.unicode else "&#8203;"
    parts = _REFERENCE.split(style.safe(text))
    return space.join(_entities(part) for part in parts)


def _code(text: str, style: Style) -> str:
    """Text as code; nothing in it is a reference, and it can be copied."""
    return f"<code>{_entities(style.safe(text))}</code>"


def _entities(text: str) -> str:
    """Text with a character reference for everything that could be markup.

    A reference is never markup, and unlike a backslash it means the same in tables,
    in code and in HTML.
    """
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def _fenced(language: str, lines: Iterable[str]) -> str:
    """A block of code, its fence longer than any in it."""
    text = "\n".join(lines)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{text}\n{fence}"
