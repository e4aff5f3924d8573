"""The lines of a text with outputs in it, and what stands around an output.

Outputs are pasted among prose, prompts and code fences. A line knows its place; what is
said before an output, such as the command that made it, is its ``Setting``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from kopslint.observed.statements import ETCD_CLUSTERS, cluster_at
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.text import Source, Span

_QUOTE = re.compile(r"(?:>[ \t]?)+(?=\S)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Line(Record):
    """A line of a text without the marks of a quotation; ``offset`` is their length."""

    source: Source
    number: int
    text: str
    offset: int = 0

    @property
    def bare(self) -> str:
        """The text without space around it."""
        return self.text.strip()

    @property
    def indent(self) -> int:
        """How many blanks it starts with."""
        return len(self.text) - len(self.text.lstrip())

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """The place of a part of the text, by default of all of it but outer blanks."""
        if end is None:
            start, end = self.indent, len(self.text.rstrip())
        first, last = start + self.offset + 1, max(end, start + 1) + self.offset + 1
        return self.source.span(self.number, first, self.number, last)

    def part(self, text: str) -> Span:
        """The place where a text stands in it; all of it if it does not."""
        at = self.text.find(text) if text else -1
        return self.span(at, at + len(text)) if at >= 0 else self.span()


def lines_of(source: Source) -> list[Line]:
    """The lines of a source, without marks of a quotation and without colours."""
    lines = []
    for number, written in enumerate(source.lines, 1):
        text = _COLOUR.sub("", written)
        # A prompt may be such a sign as well; a command behind it is read either way.
        mark = _QUOTE.match(text)
        offset = len(mark[0]) if mark is not None else 0
        lines.append(Line(source, number, text[offset:], offset))
    return lines


# ------------------------------------------------------------------------------------
# Who was asked: the command that stands before an output

_PROGRAM = re.compile(
    r"(?:^|[$#%>]\s+|\]\$ ?|[\w.~-]+[$#%]\s?)"
    r"(?P<call>(?:sudo\s+|time\s+|timeout\s+\S+\s+|[A-Z_]+=\S+\s+)*"
    r"(?:\S*/)?(?:kubectl|etcdctl|kops|etcd-manager-ctl|crictl|date|aws|gsutil|gcloud)"
    r"(?:\s.*)?|(?:alias|export)\s+.*ETCDCTL.*|(?:alias)\s+.*etcdctl.*|exit)$"
)
_POD = re.compile(r"etcd-manager-(main|events|cilium|leases)(?:-([\w.-]+))?")
_STORE = re.compile(r"backups/etcd/(main|events|cilium|leases)\b")
_ADDRESS = re.compile(r"[\w.\[\]:*-]*:\d{4}\b")
_WORD = re.compile(r"[^a-z0-9]+")


LONGEST_COMMAND = 4000
"""A longer line is data, such as JSON, and looking for a prompt in it takes long."""


class Setting(Record):
    """What is known of an output before it begins.

    ``command`` is the line that made it, empty where none stands before it.
    """

    command: str = ""
    etcd_cluster: str | None = None
    node: str | None = None

    @property
    def asks(self) -> str:
        """The command in one line of single blanks."""
        return " ".join(self.command.split())


def command_in(line: Line) -> str | None:
    """The command on a line with or without a prompt; None if there is none."""
    if len(line.text) > LONGEST_COMMAND:
        return None
    found = _PROGRAM.search(line.bare)
    return found["call"] if found is not None else None


def setting_of(command: str) -> Setting:
    """What a command says about whom it asks."""
    pod = _POD.search(command)
    store = _STORE.search(command)
    etcd_cluster = cluster_at(_ADDRESS.findall(command))
    if pod is not None:
        etcd_cluster = pod[1]
    elif store is not None:
        etcd_cluster = store[1]
    node = pod[2] if pod is not None else None
    return Setting(command, etcd_cluster, node)


def is_session(command: str) -> bool:
    """Whether it opens a shell, or sets what later commands ask."""
    opens = re.search(r"\bexec\b", command) and "etcdctl" not in command
    return bool(opens) or command.startswith(("alias", "export"))


def named_after(path: str) -> str | None:
    """The etcd cluster that a file, or else its nearest folder, is named after."""
    for part in reversed(path.lower().split("/")):
        found = {*_WORD.split(part)} & {*ETCD_CLUSTERS}
        if len(found) == 1:
            return found.pop()
    return None


# ------------------------------------------------------------------------------------
# When it was taken: lines that are nothing but a time, and those of etcdctl's own log

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?\s*"
    r"(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)"
)
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+"
    r"(?:(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2})|(?P<day2>\d{1,2})\s+(?P<month2>[A-Z][a-z]{2}))"
    r"(?:\s+(?P<year2>\d{4}))?,?\s+(?P<time>\d\d:\d\d:\d\d)(?:\s+(?P<half>AM|PM))?\s+"
    r"(?P<zone>[A-Z]{1,5}|[+-]\d{4})(?:\s+(?P<year>\d{4}))?"
)
_LABEL = re.compile(
    r"^(?:[#*_\s>-]*)(?:(?:taken|date|time|collected|as of|observed)\b"
    r"[\s:*_]*(?:at|on)?[\s:*_]*)?",
    re.IGNORECASE,
)
_LOGGED = re.compile(r'^\{"level":"\w+","ts":"(?P<ts>[^"]+)"')
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
# Only abbreviations that mean one thing: CST and IST are the time of several places.
_ZONES = {
    **dict.fromkeys(("Z", "UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("CET", "WEST"), 60),
    **dict.fromkeys(("CEST", "EET"), 120),
    "EEST": 180,
    "JST": 540,
    "EST": -300,
    "EDT": -240,
    "CDT": -300,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
}


def time_on(line: Line) -> datetime | None:
    """The time that a line says and says nothing else; in UTC.

    So is what ``date`` prints, a time behind ``taken``, or a line of the log that
    etcdctl writes. A time without a zone, or in one that is ambiguous, is none.
    """
    logged = _LOGGED.match(line.bare)
    if logged is not None:
        found = _ISO.match(logged["ts"])
        return _from_iso(found) if found is not None else None
    rest = _LABEL.sub("", line.bare, count=1).strip("`*_. ")
    if (found := _ISO.fullmatch(rest)) is not None:
        return _from_iso(found)
    if (found := _DATE.fullmatch(rest)) is not None:
        return _from_date(found)
    return None


def _from_iso(found: re.Match[str]) -> datetime | None:
    return _moment(found["date"], found["time"], found["zone"])


def _from_date(found: re.Match[str]) -> datetime | None:
    month, year = found["month"] or found["month2"], found["year"] or found["year2"]
    if month not in _MONTHS or year is None:
        return None
    day = int(found["day"] or found["day2"])
    date = f"{year}-{_MONTHS.index(month) + 1:02}-{day:02}"
    moment = _moment(date, found["time"], found["zone"])
    if moment is None or found["half"] is None:
        return moment
    hour = int(found["time"][:2])
    if not 1 <= hour <= 12:
        return None
    wanted = hour % 12 + (12 if found["half"] == "PM" else 0)
    return moment + timedelta(hours=wanted - hour)


def _moment(date: str, time: str, zone: str) -> datetime | None:
    if zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        minutes = -minutes if zone[0] == "-" else minutes
    elif zone in _ZONES:
        minutes = _ZONES[zone]
    else:
        return None
    try:
        there = datetime.fromisoformat(f"{date}T{time}")
        zoned = there.replace(tzinfo=timezone(timedelta(minutes=minutes)))
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def nearest(times: Iterable[tuple[int, datetime]], number: int) -> datetime | None:
    """The last time at or before a line, or else the first one behind it."""
    before = after = None
    for at, moment in times:
        if at <= number:
            before = moment
        elif after is None:
            after = moment
    return before or after
