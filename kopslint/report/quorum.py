"""Quorum as a picture: a row of members, and the list of steps with such rows.

A member is one symbol; the numbers beside it say what the row means for writes.
Everything is computed from an ``EtcdView``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.records import Record
from kopslint.report import display

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from kopslint.findings import (
        EtcdView,
        Finding,
        Meanwhile,
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
    "unknown": "unknown",
}

# The least room a command keeps in the timeline, however many columns there are.
_COMMAND_ROOM = 24


class Row(Record):
    """What the table of steps shows of one moment; ``label`` says which, if of several.

    ``leads`` is whether it is the first of its step. ``back`` are the members of each
    etcd cluster that are away and come back.
    """

    label: str
    etcd: Mapping[str, EtcdView]
    leads: bool = True
    back: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def rows(entry: TimelineEntry) -> list[Row]:
    """A step as it is behind it, and before that as it is inside, if that is worse."""
    worse = [m for m in entry.during if any(_is_worse(m, entry, n) for n in m.etcd)]
    if not worse:
        return [Row("", entry.etcd)]
    lost = min(worse, key=_writes)
    back = {
        name: tuple(m for m in entry.etcd[name].alive if m not in view.alive)
        for name, view in lost.etcd.items()
        if name in entry.etcd
    }
    return [
        Row(f"while {lost.group} is away", lost.etcd, back=back),
        Row("after it", entry.etcd, leads=False),
    ]


def _writes(moment: Meanwhile) -> int:
    """How far writes go on, in the etcd cluster where they do least."""
    return min(_WRITES.index(view.writable) for view in moment.etcd.values())


_WRITES = ("no", "maybe", "yes")


def _is_worse(moment: Meanwhile, entry: TimelineEntry, name: str) -> bool:
    behind = entry.etcd.get(name)
    inside = _WRITES.index(moment.etcd[name].writable)
    return behind is not None and inside < _WRITES.index(behind.writable)


def members(view: EtcdView, style: Style, back: Collection[str] = ()) -> str:
    """One symbol for each registered member in order, then the expelled ones.

    ``back`` are those that are away and come back.
    """
    symbols = []
    for name in view.members:
        if name in view.alive:
            symbols.append(style.votes)
        elif name in view.joining:
            symbols.append(style.joining)
        elif name in back:
            symbols.append(style.away)
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
    told = [(entry, row) for entry in entries for row in rows(entry)]
    grid = [_states(row, names, style) for _, row in told]
    widths = [
        max(map(display.width, column)) for column in zip(heads, *grid, strict=True)
    ]
    commands = [
        style.safe(f"  {row.label}" if row.label else entry.command)
        for entry, row in told
    ]
    beside = len("step  ") + sum(2 + column for column in widths)
    room = min(
        max(map(display.width, ["command", *commands])),
        max(style.width - beside, _COMMAND_ROOM),
    )
    padded = [display.pad(*column) for column in zip(heads, widths, strict=True)]
    head = "  ".join(["step", display.pad("command", room), *padded])
    yield style.paint(head.rstrip(), "bold")
    title = None
    for (entry, moment), command, states in zip(told, commands, grid, strict=True):
        if entry.title and entry.title != title:
            title = entry.title
            shown = display.cut(style.safe(title), style.width - 6, style.ellipsis)
            yield style.paint(f"{'':6}{shown}", "dim")
        if moment.label and moment.leads:
            text = style.safe(entry.command)
            shown = display.cut(text, style.width - 6, style.ellipsis)
            yield f"{entry.step:<4}  {shown}"
        number = "" if moment.label else str(entry.step)
        fitted = display.pad(display.cut(command, room, style.ellipsis), room)
        row = f"{number:<4}  {fitted}"
        for name, state, column in zip(names, states, widths, strict=True):
            look = _look(moment.etcd[name]) if state else ""
            row += f"  {style.paint(state, look)}{'':{column - display.width(state)}}"
        note, look = _note(entry, findings, style) if moment.leads else ("", "")
        if note and beside + room + 2 + display.width(note) <= style.width:
            yield f"{row}  {style.paint(note, look)}"
            continue
        yield row.rstrip()
        for text in display.wrap(note, style.width - 8) if note else ():
            yield f"{'':8}{style.paint(text, look)}"


def _states(row: Row, names: Sequence[str], style: Style) -> list[str]:
    """The etcd clusters of a row; one that is like the first says only that."""
    views = ((row.etcd.get(name), row.back.get(name, ())) for name in names)
    shown = [_state(view, style, back) if view else "" for view, back in views]
    return [
        "=" if number and state and state == shown[0] else state
        for number, state in enumerate(shown)
    ]


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


def _state(view: EtcdView, style: Style, back: Collection[str] = ()) -> str:
    """Who votes, in a picture, in figures, and in words where it matters."""
    alive = f"{len(view.alive)}/{len(view.members)}"
    said = _SAID[view.writable]
    if not said and view.tolerance <= 0 and len(view.members) > 1:
        said = "0 spare"
    return _join(" ", members(view, style, back), alive, said)


_SAID = {"yes": "", "no": "NO QUORUM", "maybe": "quorum at risk"}


def _legend(entries: Iterable[TimelineEntry], style: Style) -> Iterator[str]:
    """The meaning of the symbols that occur, if any does."""
    shown = "".join(
        members(view, style, row.back.get(name, ()))
        for entry in entries
        for row in rows(entry)
        for name, view in row.etcd.items()
    )
    meanings = {
        style.votes: "votes",
        style.away: "away, comes back",
        style.joining: "joins",
        style.dead: "dead, still registered",
        style.expelled: "runs, no longer a member",
    }
    text = "  ".join(f"{s} {meanings[s]}" for s in meanings if s in shown)
    if text:
        yield style.paint(text, "dim")


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
