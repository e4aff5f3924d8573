"""What etcdctl prints: members, statuses, health and alarms, as text.

Each format is that of etcd 3.4, 3.5 and 3.6. Sources: etcdctl/ctlv3/command/printer.go,
printer_simple.go, printer_table.go and printer_fields.go of each release. What it
prints as JSON is read where documents are.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from kopslint.observed.observation import Answer, Member, Reading, Unread
from kopslint.observed.statements import (
    AlarmsTold,
    HealthTold,
    ListTold,
    SilenceTold,
    Statement,
    StatusTold,
    UnreadTold,
    cluster_at,
    etcd_id,
    hex_id,
    size_in_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kopslint.observed.lines import Line
    from kopslint.observed.tables import Row, Table
    from kopslint.text import Span

    Reader = Callable[[str, str, Span, str | None], Reading]
    """Makes the reading of a command, its format, its place and its etcd cluster."""

_NOT_WHOLE = "; without it this list is not used"
"""Who is not in a list is not a member, so half a list says what is not so."""

MEMBER_LIST = "etcdctl member list"
STATUS = "etcdctl endpoint status"
HEALTH = "etcdctl endpoint health"
ALARMS = "etcdctl alarm list"

_URL = r"(?:https?://|unixs?://)?[\w.\[\]:*-]+:\d+/?"
_MEMBER = re.compile(r"[0-9a-f]{1,16}, (?:started|unstarted)\b")
_CUT_MEMBER = re.compile(r"[0-9a-f]{8,16}(?:, ?[a-z]*)?$")
_STATUS = re.compile(rf"(?P<endpoint>{_URL}), (?P<id>[0-9a-f]{{1,16}}), (?P<rest>\d.*)")
_HEALTHY = re.compile(
    rf"(?P<endpoint>{_URL}) is (?P<word>healthy|unhealthy):\s*(?P<reason>.*)"
)
_SILENT = re.compile(
    rf"Failed to get the status of endpoint (?P<endpoint>{_URL}) \((?P<reason>.*)\)"
)
_ALARM = re.compile(r"memberID:(?P<id>\d+)\s+alarm:(?P<alarm>[A-Z]+)")
_FIELD = re.compile(r'"(?P<key>[A-Za-z]+)" :\s?(?P<value>.*)')
_FAILED = re.compile(
    r"(?:Error:\s*)?(?P<reason>(?:context deadline exceeded|etcdserver: \S.*|"
    r"failed to fetch endpoints from etcd cluster member list: .*|"
    r"rpc error: code = \w+ desc = .*|curl: \(\d+\) .*))"
)

_STATUS_COLUMNS = {
    7: ("version", "db size", "is leader", "raft term", "raft index"),
    10: (
        *("version", "db size", "is leader", "is learner", "raft term"),
        *("raft index", "raft applied index", "errors"),
    ),
    16: (
        *("version", "storage version", "db size", "in use", "percentage not in use"),
        *("quota", "is leader", "is learner", "raft term", "raft index"),
        *("raft applied index", "errors", "downgrade target version"),
        "downgrade enabled",
    ),
}
"""What stands behind the endpoint and the id, by how many columns there are: etcd 3.3,
etcd 3.4 and 3.5, etcd 3.6."""


def yes_or_no(text: str) -> Answer:
    """The answer that a printed bool is."""
    word = text.strip().lower()
    return "yes" if word == "true" else "no" if word == "false" else "not seen"


def unread(message: str, span: Span, *, silent: bool = False) -> UnreadTold:
    """A sentence about something that could not be read, or that is no answer."""
    return UnreadTold(Unread(message, span, silent))


# ------------------------------------------------------------------------------------
# simple


def simple(
    lines: Sequence[Line], start: int, read: Reader
) -> tuple[list[Statement], int] | None:
    """What is told in the simple format from a line on, and where that ends.

    None if the line is none of it.
    """
    if _is_member(lines, start):
        end = start
        while end < len(lines) and _is_member(lines, end):
            end += 1
        return [*_simple_members(lines[start:end], read)], end
    for pattern, made in (
        (_STATUS, _simple_statuses),
        (_HEALTHY, _simple_health),
        (_SILENT, _simple_silence),
        (_ALARM, _simple_alarms),
    ):
        if pattern.match(lines[start].bare) is None:
            continue
        end = start
        while end < len(lines) and pattern.match(lines[end].bare) is not None:
            end += 1
        return [*made(lines[start:end], read)], end
    return None


def _is_member(lines: Sequence[Line], index: int) -> bool:
    """Whether a line is one of a member list, or what is left of one beside another."""
    if _MEMBER.match(lines[index].bare) is not None:
        return True
    beside = (lines[at] for at in (index - 1, index + 1) if 0 <= at < len(lines))
    return _CUT_MEMBER.match(lines[index].bare) is not None and any(
        _MEMBER.match(line.bare) is not None for line in beside
    )


def _simple_members(lines: Sequence[Line], read: Reader) -> Iterator[Statement]:
    members, is_whole = [], True
    for line in lines:
        columns = _columns(line)
        learner = columns[5:] or ["false"]
        if len(columns) not in (5, 6) or learner[0] not in ("true", "false"):
            yield unread(
                "this line of a member list is truncated or edited: id, status, name,"
                " peer and client addresses and learner are expected, but there are"
                f" {len(columns)} parts{_NOT_WHOLE}",
                line.span(),
            )
            is_whole = False
            continue
        names = ("ID", "STATUS", "NAME", "PEER ADDRS", "CLIENT ADDRS", "IS LEARNER")
        cells = dict(zip(names, columns, strict=False))
        members.append(_member(cells, line.span(), line.part))
    # Two lists may have been pasted one right behind the other.
    for _, same in groupby(members if is_whole else (), key=_cluster_of):
        those = list(same)
        yield _list(those, "simple", those[0].span.to(those[-1].span), read)


def _columns(line: Line) -> list[str]:
    """The columns of a line; a last one that is empty may have lost its blank."""
    return re.split(r",(?: |$)", line.bare)


def _list(
    members: Sequence[Member], form: str, span: Span, read: Reader, **header: object
) -> ListTold:
    addresses = [url for member in members for url in _urls(member)]
    reading = read(MEMBER_LIST, form, span, cluster_at(addresses))
    return ListTold(reading, tuple(members), **header)  # type: ignore[arg-type]


def _urls(member: Member) -> tuple[str, ...]:
    return (*(member.peer_urls or ()), *(member.client_urls or ()))


def _cluster_of(member: Member) -> str | None:
    """The etcd cluster of one member, by its ports."""
    return cluster_at(_urls(member))


def _member(cells: Mapping[str, str], span: Span, at: Callable[[str], Span]) -> Member:
    """A member by the columns of the member list; ``at`` places a text of its row."""
    name, status = cells["NAME"].strip(), cells["STATUS"].strip()
    places = [("started", at(status))]
    if name:
        places.append(("name", at(name)))
    return Member(
        span,
        id=hex_id(cells["ID"].strip()),
        name=name,
        listed="yes",
        started="no" if status == "unstarted" else "yes",
        learner=yes_or_no(cells.get("IS LEARNER", "")),
        peer_urls=_addresses(cells["PEER ADDRS"]),
        client_urls=_addresses(cells["CLIENT ADDRS"]),
        places=tuple(places),
    )


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _simple_statuses(lines: Sequence[Line], read: Reader) -> Iterator[Statement]:
    for line in lines:
        columns = _columns(line)
        # Errors hold the same sign, and the last columns of 3.6 come behind them.
        names = _status_columns(columns)
        if names is None:
            yield unread(
                f"this line of an endpoint status has {len(columns)} parts, but etcd"
                " 3.4 and 3.5 print 10 and etcd 3.6 prints 16",
                line.span(),
            )
            continue
        cells = dict(zip(names, columns[2:], strict=False))
        yield from _status(columns[0], columns[1], cells, "simple", line.span(), read)


def _status_columns(columns: list[str]) -> tuple[str, ...] | None:
    exact = _STATUS_COLUMNS.get(len(columns))
    if exact is not None:
        return exact
    if len(columns) > 10 and columns[4] in ("true", "false"):
        return _STATUS_COLUMNS[10]
    return None


def _status(
    endpoint: str,
    id_: str,
    cells: Mapping[str, str],
    form: str,
    span: Span,
    read: Reader,
) -> Iterator[Statement]:
    def number(name: str) -> int | None:
        text = cells.get(name, "").strip()
        return int(text) if text.isdigit() else None

    reading = read(STATUS, form, span, cluster_at([endpoint]))
    member = Member(
        span,
        id=hex_id(id_.strip()),
        version=cells.get("version", "").strip() or None,
        db_size=size_in_bytes(cells.get("db size", "")),
        db_in_use=size_in_bytes(cells.get("in use", "")),
        quota=size_in_bytes(cells.get("quota", "")) or None,
        leader=yes_or_no(cells.get("is leader", "")),
        learner=yes_or_no(cells.get("is learner", "")),
        answered="yes",
        reason=cells.get("errors", "").strip(),
        raft_term=number("raft term"),
        raft_index=number("raft index"),
    )
    yield StatusTold(reading, endpoint, member)
    yield from raised(member.reason, span, reading)


def raised(errors: str, span: Span, reading: Reading) -> Iterator[Statement]:
    """The alarms among the errors of a status, which repeats those of all members."""
    alarms = [
        (id_, found["alarm"], span)
        for found in _ALARM.finditer(errors)
        if (id_ := etcd_id(found["id"])) is not None
    ]
    if alarms:
        yield AlarmsTold(reading, tuple(alarms))


def _simple_health(lines: Sequence[Line], read: Reader) -> Iterator[Statement]:
    for line in lines:
        found = _HEALTHY.match(line.bare)
        assert found is not None  # noqa: S101 (the line was matched before)
        reading = read(HEALTH, "simple", line.span(), cluster_at([found["endpoint"]]))
        healthy = found["word"] == "healthy"
        reason = "" if healthy else found["reason"]
        yield HealthTold(reading, found["endpoint"], healthy, reason, line.span())


def _simple_silence(lines: Sequence[Line], read: Reader) -> Iterator[Statement]:
    for line in lines:
        found = _SILENT.match(line.bare)
        assert found is not None  # noqa: S101 (the line was matched before)
        reading = read(STATUS, "simple", line.span(), cluster_at([found["endpoint"]]))
        yield SilenceTold(reading, found["endpoint"], found["reason"], line.span())


def _simple_alarms(lines: Sequence[Line], read: Reader) -> Iterator[Statement]:
    alarms = []
    for line in lines:
        for found in _ALARM.finditer(line.bare):
            id_ = etcd_id(found["id"])
            if id_ is not None:
                alarms.append((id_, found["alarm"], line.part(found[0])))
    span = lines[0].span().to(lines[-1].span())
    yield AlarmsTold(read(ALARMS, "simple", span, None), tuple(alarms))


def failure(line: Line) -> str | None:
    """The reason on a line on which etcdctl gave up; None if it is none."""
    found = _FAILED.fullmatch(line.bare)
    return found["reason"] if found is not None else None


# ------------------------------------------------------------------------------------
# table


def table(found: Table, read: Reader) -> Iterator[Statement]:
    """What is told by a table in a box; nothing if it is none of etcdctl."""
    headings = {*found.headings}
    made: Callable[[Table, Reader], Iterator[Statement]]
    if {"ID", "STATUS", "NAME", "PEER ADDRS", "CLIENT ADDRS"} <= headings:
        made = _table_members
    elif {"ENDPOINT", "ID", "VERSION", "RAFT TERM"} <= headings:
        made = _table_statuses
    elif {"ENDPOINT", "HEALTH"} <= headings:
        made = _table_health
    else:
        return
    is_list = made is _table_members
    for line in found.broken:
        yield unread(
            f"this row of a table does not have its {len(found.headings)} columns;"
            " perhaps a terminal truncated or wrapped"
            f" it{_NOT_WHOLE if is_list else ''}",
            line.span(),
        )
    if not (is_list and found.broken):
        yield from made(found, read)


def _row_span(row: Row) -> Span:
    cells = [*row.values()]
    return cells[0].span.to(cells[-1].span)


def _table_members(found: Table, read: Reader) -> Iterator[Statement]:
    members, is_whole = [], True
    for row in found.rows:
        cells = {name: cell.text.replace(" ", "") for name, cell in row.items()}
        if not re.fullmatch(r"[0-9a-f]{1,16}", cells["ID"]) or cells["STATUS"] not in (
            *("started", "unstarted"),
        ):
            yield unread(
                f"this row does not belong to a member list{_NOT_WHOLE}", _row_span(row)
            )
            is_whole = False
            continue

        def at(text: str, row: Row = row) -> Span:
            texts = (cell.span for cell in row.values() if cell.text == text)
            return next(texts, _row_span(row))

        members.append(_member(cells, _row_span(row), at))
    if members and is_whole:
        yield _list(members, "table", members[0].span.to(members[-1].span), read)


def _table_statuses(found: Table, read: Reader) -> Iterator[Statement]:
    for row in found.rows:
        cells = {name.lower(): cell.text for name, cell in row.items()}
        if not re.fullmatch(r"[0-9a-f]{1,16}", cells["id"]):
            yield unread(
                "this row does not belong to an endpoint status", _row_span(row)
            )
            continue
        endpoint = cells["endpoint"].replace(" ", "")
        yield from _status(endpoint, cells["id"], cells, "table", _row_span(row), read)


def _table_health(found: Table, read: Reader) -> Iterator[Statement]:
    for row in found.rows:
        endpoint = row["ENDPOINT"].text.replace(" ", "")
        answer = yes_or_no(row["HEALTH"].text)
        if answer == "not seen":
            yield unread(
                "this row does not belong to an endpoint health", _row_span(row)
            )
            continue
        reading = read(HEALTH, "table", _row_span(row), cluster_at([endpoint]))
        reason = row["ERROR"].text if "ERROR" in row else ""
        yield HealthTold(reading, endpoint, answer == "yes", reason, _row_span(row))


# ------------------------------------------------------------------------------------
# fields


Field = tuple[str, str, "Span"]
"""A key, its value without quotes, and the place of the line."""


def fields(
    lines: Sequence[Line], start: int, read: Reader
) -> tuple[list[Statement], int] | None:
    """What is told in the fields format from a line on, and where that ends."""
    if _FIELD.fullmatch(lines[start].bare) is None:
        return None
    index, found = start, []
    while index < len(lines):
        match = _FIELD.fullmatch(lines[index].bare)
        if match is not None:
            value = match["value"].strip()
            value = value[1:-1] if value[:1] == value[-1:] == '"' else value
            found.append((match["key"], value, lines[index].span()))
        elif lines[index].bare:
            break
        index += 1
    return [*_told_by(found, read)], index


def _told_by(found: Sequence[Field], read: Reader) -> Iterator[Statement]:
    keys = {key for key, _, _ in found}
    span = found[0][2].to(found[-1][2])
    if {"ID", "PeerURL"} & keys:
        yield from _field_members(found, span, read)
    elif "DBSize" in keys:
        yield from _field_statuses(found, read)
    elif "Health" in keys:
        yield from _field_health(found, read)
    elif "AlarmType" in keys or {"ClusterID", "MemberID", "RaftTerm"} == keys:
        yield from _field_alarms(found, span, read)
    else:
        yield unread("these fields belong to no known output", span)


def _any_id(text: str) -> str | None:
    """An id that is printed in decimals, or in hexadecimal with ``--hex``."""
    if text.isdigit():
        return etcd_id(text)
    return hex_id(text) if re.fullmatch(r"[0-9a-f]{1,16}", text) else None


def _field_members(
    found: Sequence[Field], span: Span, read: Reader
) -> Iterator[Statement]:
    header: dict[str, str] = {}
    blocks: list[list[Field]] = []
    for field in found:
        if field[0] == "ID":
            blocks.append([])
        if blocks:
            blocks[-1].append(field)
        else:
            header[field[0]] = field[1]
    members, is_whole = [], True
    for block in blocks:
        values = {key: value for key, value, _ in block}
        id_ = _any_id(values["ID"])
        if id_ is None or "Name" not in values:
            yield unread(
                f"this member has no id or no name field{_NOT_WHOLE}", block[0][2]
            )
            is_whole = False
            continue
        places = tuple(
            ("name", place) for key, value, place in block if key == "Name" and value
        )
        learner = values.get("IsLearner", values.get("IsLeaner", ""))
        members.append(
            Member(
                block[0][2].to(block[-1][2]),
                id=id_,
                name=values["Name"],
                listed="yes",
                started="yes" if values["Name"] else "no",
                learner=yes_or_no(learner),
                peer_urls=tuple(v for k, v, _ in block if k == "PeerURL"),
                client_urls=tuple(v for k, v, _ in block if k == "ClientURL"),
                places=places,
            )
        )
    if not is_whole:
        return
    term = header.get("RaftTerm", "")
    yield _list(
        members,
        "fields",
        span,
        read,
        asked=_any_id(header.get("MemberID", "")),
        cluster_id=_any_id(header.get("ClusterID", "")),
        raft_term=int(term) if term.isdigit() else None,
    )


def _blocks(found: Sequence[Field], last: str) -> Iterator[list[Field]]:
    """The fields cut behind each that is the last of its block, and what follows it."""
    block: list[Field] = []
    for field in found:
        if block and field[0] == last:
            yield block
            block = []
        block.append(field)
    if block:
        yield block


def _field_statuses(found: Sequence[Field], read: Reader) -> Iterator[Statement]:
    for block in _blocks(found, "ClusterID"):
        values = {key: value for key, value, _ in block}
        span = block[0][2].to(block[-1][2])
        id_ = _any_id(values.get("MemberID", ""))
        endpoint = values.get("Endpoint", "")
        if id_ is None or not endpoint:
            yield unread(
                (
                    "this endpoint status has no MemberID or no Endpoint: is it"
                    " truncated?"
                ),
                span,
            )
            continue

        def number(key: str, values: dict[str, str] = values) -> int | None:
            text = values.get(key, "")
            return int(text) if text.isdigit() else None

        member = Member(
            span,
            id=id_,
            version=values.get("Version") or None,
            db_size=number("DBSize"),
            db_in_use=number("DBSizeInUse"),
            quota=number("DBSizeQuota") or None,
            leader="yes" if _any_id(values.get("Leader", "")) == id_ else "no",
            learner=yes_or_no(values.get("IsLearner", "")),
            answered="yes",
            cluster_id=_any_id(values.get("ClusterID", "")),
            raft_term=number("RaftTerm"),
            reason=_errors(values.get("Errors", ""), values.get("Leader", "")),
            raft_index=number("RaftIndex"),
        )
        reading = read(STATUS, "fields", span, cluster_at([endpoint]))
        yield StatusTold(reading, endpoint, member)
        yield from raised(member.reason, span, reading)


NO_LEADER = "etcdserver: no leader"
"""What etcd says of itself where no quorum elects one: etcd
server/etcdserver/api/v3rpc/maintenance.go, Status."""


def _errors(written: str, leader: str) -> str:
    told = written.strip("[]")
    return told or (NO_LEADER if leader == "0" else "")


def _field_health(found: Sequence[Field], read: Reader) -> Iterator[Statement]:
    for block in _blocks(found, "Endpoint"):
        values = {key: value for key, value, _ in block}
        span = block[0][2].to(block[-1][2])
        answer = yes_or_no(values.get("Health", ""))
        endpoint = values.get("Endpoint", "")
        if answer == "not seen" or not endpoint:
            yield unread("this endpoint health has no Endpoint or no Health", span)
            continue
        reading = read(HEALTH, "fields", span, cluster_at([endpoint]))
        reason = values.get("Error", "")
        yield HealthTold(reading, endpoint, answer == "yes", reason, span)


def _field_alarms(
    found: Sequence[Field], span: Span, read: Reader
) -> Iterator[Statement]:
    alarms = []
    for (key, value, place), following in zip(found, [*found[1:], None], strict=False):
        if key != "MemberID" or following is None or following[0] != "AlarmType":
            continue
        id_ = _any_id(value)
        if id_ is not None:
            alarms.append((id_, following[1], place.to(following[2])))
    yield AlarmsTold(read(ALARMS, "fields", span, None), tuple(alarms))
