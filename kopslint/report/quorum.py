"""Quorum as a picture: a row of members, and the list of steps with such rows.

A member is one symbol; the numbers beside it say what the row means for writes.
Everything is computed from an ``EtcdView``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.findings import TAKEN_FOR_GRANTED, Severity
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

# The least room a command keeps beside notes, and however many columns there are.
_COMMAND_ROOM = 24
_LEAST_ROOM = 7
# Longer names of etcd clusters are cut.
_NAME_ROOM = 24


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


def words(view: EtcdView, style: Style, back: Collection[str] = ()) -> str:
    """What a view means: who is alive, the quorum, and how many more may fail.

    ``back`` are those that are away and come back.
    """
    gone = [m for m in view.members if m not in view.alive and m not in view.joining]
    dead = [member for member in gone if member not in back]
    away = [member for member in gone if member in back]
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
        (away, "away"),
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
        name, note = _name(line.etcd_cluster, style), style.safe(line.note)
        rows.append((name, picture, painted, _join("; ", text, note)))
    name_width = max((display.width(name) for name, *_ in rows), default=0)
    picture_width = max((display.width(picture) for _, picture, *_ in rows), default=0)
    indent = 3 + name_width + 2 + picture_width + 3
    for name, picture, painted, text in rows:
        gap = " " * (picture_width - display.width(picture) + 3)
        first, *rest = display.wrap(text, style.width - indent, broken=True)
        yield f"   {display.pad(name, name_width)}  {painted}{gap}{first}".rstrip()
        for more in rest:
            yield " " * indent + more


def timeline(report: Report, style: Style, *, every_step: bool = True) -> Iterator[str]:
    """The table of steps, one for each cluster, and what its symbols mean.

    A step has one row, and under it what did not fit: its note, and the rules that
    have a finding there. Without ``every_step`` those that change nothing in etcd and
    about which there is nothing to say are counted, and a table of nothing else is
    left out, or is one line.
    """
    clusters = list(dict.fromkeys(entry.cluster for entry in report.timeline))
    shown: list[TimelineEntry] = []
    for cluster in clusters:
        entries = [entry for entry in report.timeline if entry.cluster == cluster]
        found = [f for f in report.findings if f.cluster in (cluster, None)]
        if not every_step and len(entries) == 1 and _is_well(entries[0]):
            continue
        if len(clusters) > 1:
            if shown:
                yield ""
            name = f"cluster {style.safe(cluster)}"
            yield style.paint(display.cut(name, style.width, style.ellipsis), "bold")
        shown += entries
        if every_step:
            yield from _table([Steps((entry,)) for entry in entries], found, style)
        elif _is_quiet(entries, found):
            yield from _one_line(entries, style)
        else:
            yield from _table(pieces(entries, found), found, style)
    yield from _legend(shown, style)


def _name(text: str, style: Style) -> str:
    return display.cut(style.safe(text), _NAME_ROOM, style.ellipsis)


class Steps(Record):
    """Steps that are told in one row: one, or several that change nothing."""

    entries: tuple[TimelineEntry, ...]

    @property
    def first(self) -> TimelineEntry:
        """The first of them, which stands for all."""
        return self.entries[0]

    @property
    def number(self) -> str:
        """The number of the only step, or of the first and the last."""
        last = self.entries[-1].step
        return f"{self.first.step}" + (f"-{last}" if len(self.entries) > 1 else "")


def _is_well(entry: TimelineEntry) -> bool:
    return all(view.writable == "yes" for view in entry.etcd.values())


def _is_quiet(entries: Sequence[TimelineEntry], findings: Sequence[Finding]) -> bool:
    """Whether no step does anything to etcd, and findings say what is to be said."""
    told = {finding.step for finding in findings}
    return all(
        entry.etcd == entries[0].etcd
        and len(rows(entry)) == 1
        and (not entry.note or entry.step in told)
        for entry in entries
    )


def pieces(
    entries: Sequence[TimelineEntry], findings: Sequence[Finding]
) -> list[Steps]:
    """The rows of a table in which steps that change nothing have one together."""
    telling = {f.step for f in findings if f.severity is not Severity.INFO}
    found: list[list[TimelineEntry]] = []
    was_quiet = False
    for number, entry in enumerate(entries):
        is_quiet = (
            number > 0
            and entry.status == "applied"
            and not entry.note
            and entry.step not in telling
            and entry.etcd == entries[number - 1].etcd
            and len(rows(entry)) == 1
        )
        if is_quiet and (was_quiet or number == 1):
            found[-1].append(entry)
        else:
            found.append([entry])
        was_quiet = is_quiet
    return [Steps(tuple(piece)) for piece in found]


def _one_line(entries: Sequence[TimelineEntry], style: Style) -> Iterator[str]:
    """What a list looks like that does nothing to etcd."""
    same: dict[str, list[str]] = {}
    for name, view in entries[0].etcd.items():
        same.setdefault(_state(view, style), []).append(_name(name, style))
    said = [f"{state} in {' and '.join(names)}" for state, names in same.items()]
    if not said:
        return
    text = f"{', '.join(said)}, before and after every step"
    for status, word in _STATUS.items():
        steps = [str(entry.step) for entry in entries if entry.status == status]
        if word and steps:
            text += f"; {word}: step {', '.join(steps)}"
    yield from display.folded(text, style.width, hang=2)


def _table(pieces: list[Steps], findings: list[Finding], style: Style) -> Iterator[str]:
    told = [(steps, row) for steps in pieces for row in rows(steps.first)]
    names = list(dict.fromkeys(name for steps in pieces for name in steps.first.etcd))
    columns = columns_of(names, [row for _, row in told])
    heads = [_name(", ".join(column), style) for column in columns]
    firsts = [column[0] for column in columns]
    grid = [_states(row, firsts, style) for _, row in told]
    widths = [
        max(map(display.width, column)) for column in zip(heads, *grid, strict=True)
    ]
    commands = [_command(steps, row, style) for steps, row in told]
    notes = [
        _note(steps.first, findings, style) if row.leads else ("", "")
        for steps, row in told
    ]
    margin = max(len(steps.number) for steps in pieces) + 2
    beside = margin + sum(2 + column for column in widths)
    free = style.width - beside
    # A note that leaves a command too little room goes below.
    most = free - 2 - _COMMAND_ROOM
    aside = [display.width(note) for note, _ in notes if note]
    reserved = max((2 + width for width in aside if width <= most), default=0)
    longest = max(map(display.width, ["command", *commands]))
    room = max(min(longest, free - reserved), _LEAST_ROOM)
    padded = [display.pad(*column) for column in zip(heads, widths, strict=True)]
    head = f"{'#':{margin}}" + "  ".join([display.pad("command", room), *padded])
    yield style.paint(display.cut(head.rstrip(), style.width, style.ellipsis), "bold")
    title = None
    told_with = zip(told, commands, grid, notes, strict=True)
    for (steps, moment), command, states, (note, look) in told_with:
        entry = steps.first
        if entry.title and entry.title != title:
            title = entry.title
            yield style.paint(_beside(margin, style.safe(title), style), "dim")
        if moment.label and moment.leads:
            text = _beside(margin, _command(steps, Row("", {}), style), style)
            yield f"{steps.number:{margin}}{text[margin:]}"
        number = "" if moment.label else steps.number
        fitted = display.pad(_fitted(command, room, style), room)
        row = f"{number:{margin}}{fitted}"
        for name, state, column in zip(firsts, states, widths, strict=True):
            painted = _look(moment.etcd[name]) if state else ""
            row += f"  {style.paint(state, painted)}"
            row += " " * (column - display.width(state))
        if note and beside + room + 2 + display.width(note) <= style.width:
            yield f"{row}  {style.paint(note, look)}"
            continue
        yield from display.folded(row.rstrip(), style.width, hang=margin)
        space = margin + 2
        for text in (
            display.wrap(note, style.width - space, broken=True) if note else ()
        ):
            yield f"{'':{space}}{style.paint(text, look)}"


def _fitted(command: str, room: int, style: Style) -> str:
    """As much of a command as there is room for, with what it does to a member.

    What stands before that only says where etcd is.
    """
    member = command.find(" member ")
    if display.width(command) > room and "etcdctl" in command[: max(member, 0)]:
        command = f"etcdctl {style.ellipsis}{command[member:]}"
    return display.cut(command, room, style.ellipsis)


def _beside(margin: int, text: str, style: Style) -> str:
    shown = display.cut(text, style.width - margin, style.ellipsis)
    return " " * margin + shown


def _command(steps: Steps, row: Row, style: Style) -> str:
    """What the table says of steps in its second column."""
    if row.label:
        return style.safe(f"  {row.label}")
    if len(steps.entries) == 1 or steps.first.step == 0:
        # Every other word of a list says it, and the room is small.
        return style.safe(steps.first.command.removeprefix("kops "))
    return f"({len(steps.entries)} steps change nothing in etcd)"


def columns_of(names: Sequence[str], told: Sequence[Row]) -> list[list[str]]:
    """The etcd clusters by column; those that are alike in every row share one."""
    columns: list[list[str]] = []
    for name in names:
        for column in columns:
            if all(_alike(row, name, column[0]) for row in told):
                column.append(name)
                break
        else:
            columns.append([name])
    return columns


def _alike(row: Row, name: str, other: str) -> bool:
    """Whether two etcd clusters look the same in a row."""
    if (row.etcd.get(name) is None) != (row.etcd.get(other) is None):
        return False
    return row.etcd.get(name) == row.etcd.get(other) and row.back.get(
        name
    ) == row.back.get(other)


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
    here = [
        finding
        for finding in findings
        if finding.step is not None
        and finding.step == entry.step
        and (finding.rule, finding.severity) != (TAKEN_FOR_GRANTED, Severity.INFO)
    ]
    rules = " ".join(sorted({finding.rule for finding in here}))
    said = style.safe(entry.note)
    if here and entry.status == "refused":
        # The finding says it.
        said = ""
    separator = "; " if said else " "
    text = _join(separator, _join(": ", _STATUS[entry.status], said), rules)
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
    known = [f"{s} {meanings[s]}" for s in meanings if s in shown]
    if len(known) > 1 or style.votes not in shown:
        for line in display.wrap("  ".join(known), style.width) if known else ():
            yield style.paint(line, "dim")


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
