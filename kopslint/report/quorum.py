"""Quorum as a picture: a row of members, and the list of steps with such rows.

A member is one symbol; the numbers beside it say what the row means for writes.
The module knows what an ``EtcdView`` says and not how it came about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.report import display

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.findings import (
        EtcdView,
        Finding,
        Report,
        Status,
        TimelineEntry,
        TraceLine,
    )
    from kopslint.report.display import Style

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven")

# What a step's status says about it; an applied step needs no word.
_STATUS: dict[Status, str] = {
    "applied": "",
    "refused": "refused",
    "no-op": "no effect",
    "unknown": "not decided",
}

# The least room a command keeps in the timeline, however many columns there are.
_COMMAND_ROOM = 24


def members(view: EtcdView, style: Style) -> str:
    """One symbol for each registered member in order, then the expelled ones."""
    symbols = []
    for name in view.members:
        if name in view.alive:
            symbols.append(style.votes)
        elif name in view.joining:
            symbols.append(style.joining)
        else:
            symbols.append(style.dead)
    return "".join(symbols) + style.expelled * len(view.expelled)


def words(view: EtcdView, style: Style) -> str:
    """What a view means: who is alive, the quorum, and how many more may fail."""
    dead = [m for m in view.members if m not in view.alive and m not in view.joining]
    parts = [f"{len(view.alive)} of {len(view.members)} alive", f"quorum {view.quorum}"]
    if view.writable == "no":
        parts.append("no writes")
    elif view.writable == "maybe":
        parts.append("writes may stop")
    elif view.tolerance > 0:
        parts.append(f"{_number(view.tolerance)} more may fail")
    else:
        parts.append("none may fail")
    for names, what in (
        (dead, "dead"),
        (view.joining, "joining"),
        (view.expelled, "no longer a member"),
    ):
        if names:
            parts.append(f"{what}: {style.safe(' '.join(names))}")
    return ", ".join(parts)


def trace(lines: tuple[TraceLine, ...], style: Style) -> Iterator[str]:
    """The etcd clusters of a finding, each before and after its step."""
    rows = []
    for line in lines:
        views = [view for view in (line.before, line.after) if view is not None]
        picture = " -> ".join(members(view, style) for view in views)
        painted = style.paint(" -> ", "dim").join(_members(v, style) for v in views)
        text = words(views[-1], style) if views else ""
        name, note = style.safe(line.etcd_cluster), style.safe(line.note)
        rows.append((name, picture, painted, _join("; ", text, note)))
    name_width = max((display.width(name) for name, *_ in rows), default=0)
    picture_width = max((display.width(picture) for _, picture, *_ in rows), default=0)
    indent = 3 + name_width + 2 + picture_width + 3
    for name, picture, painted, text in rows:
        gap = " " * (picture_width - display.width(picture) + 3)
        first, *rest = display.wrap(text, style.width - indent)
        yield f"   {display.pad(name, name_width)}  {painted}{gap}{first}".rstrip()
        for more in rest:
            yield " " * indent + more


def timeline(report: Report, style: Style) -> Iterator[str]:
    """The table of steps, one for each cluster, and what its symbols mean.

    A step has one row, and under it what did not fit: its note, and the rules that
    have a finding there.
    """
    clusters = list(dict.fromkeys(entry.cluster for entry in report.timeline))
    for cluster in clusters:
        if len(clusters) > 1:
            name = style.safe(cluster)
            yield style.paint(f"cluster {name}", "bold")
        entries = [entry for entry in report.timeline if entry.cluster == cluster]
        found = [f for f in report.findings if f.cluster in (cluster, None)]
        yield from _table(entries, found, style)
        if cluster != clusters[-1]:
            yield ""
    yield from _legend(report.timeline, style)


def _table(
    entries: list[TimelineEntry], findings: list[Finding], style: Style
) -> Iterator[str]:
    names = list(dict.fromkeys(name for entry in entries for name in entry.etcd))
    heads = [style.safe(name) for name in names]
    grid = [
        [_state(e.etcd[name], style) if name in e.etcd else "" for name in names]
        for e in entries
    ]
    widths = [
        max(map(display.width, column)) for column in zip(heads, *grid, strict=True)
    ]
    commands = [style.safe(entry.command) for entry in entries]
    beside = len("step  ") + sum(2 + column for column in widths)
    room = min(
        max(map(display.width, ["command", *commands])),
        max(style.width - beside, _COMMAND_ROOM),
    )
    padded = [display.pad(*column) for column in zip(heads, widths, strict=True)]
    head = "  ".join(["step", display.pad("command", room), *padded])
    yield style.paint(head.rstrip(), "bold")
    title = None
    for entry, command, states in zip(entries, commands, grid, strict=True):
        if entry.title and entry.title != title:
            title = entry.title
            shown = display.cut(style.safe(title), style.width - 6, style.ellipsis)
            yield style.paint(f"{'':6}{shown}", "dim")
        fitted = display.pad(display.cut(command, room, style.ellipsis), room)
        row = f"{entry.step:<4}  {fitted}"
        for name, state, column in zip(names, states, widths, strict=True):
            look = _look(entry.etcd[name]) if state else ""
            row += f"  {style.paint(state, look)}{'':{column - display.width(state)}}"
        note, look = _note(entry, findings, style)
        if note and beside + room + 2 + display.width(note) <= style.width:
            yield f"{row}  {style.paint(note, look)}"
            continue
        yield row.rstrip()
        for text in display.wrap(note, style.width - 8) if note else ():
            yield f"{'':8}{style.paint(text, look)}"


def _note(
    entry: TimelineEntry, findings: list[Finding], style: Style
) -> tuple[str, str]:
    """What is to be said about a step, and how it looks."""
    here = [f for f in findings if f.step is not None and f.step == entry.step]
    rules = " ".join(sorted({finding.rule for finding in here}))
    said = style.safe(entry.note)
    text = _join("; ", _join(": ", _STATUS[entry.status], said), rules)
    if any(finding.severity is Severity.ERROR for finding in here):
        return text, "red"
    return text, "yellow" if here or entry.status != "applied" else ""


def _state(view: EtcdView, style: Style) -> str:
    alive = f"{len(view.alive)}/{len(view.members)}"
    return f"{members(view, style)} {alive} q{view.quorum}"


def _legend(entries: Iterable[TimelineEntry], style: Style) -> Iterator[str]:
    """The meaning of the symbols that occur, if any does."""
    shown = "".join(members(v, style) for entry in entries for v in entry.etcd.values())
    meanings = {
        style.votes: "votes",
        style.joining: "joins",
        style.dead: "dead, still registered",
        style.expelled: "runs, no longer a member",
    }
    text = "  ".join(f"{s} {meanings[s]}" for s in meanings if s in shown)
    if text:
        yield style.paint(f"{text}  q quorum", "dim")


def _members(view: EtcdView, style: Style) -> str:
    return style.paint(members(view, style), _look(view))


def _look(view: EtcdView) -> str:
    if view.writable == "no":
        return "red"
    if view.writable == "maybe" or view.tolerance <= 0:
        return "yellow"
    return "green"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _join(separator: str, *parts: str) -> str:
    return separator.join(part for part in parts if part)
