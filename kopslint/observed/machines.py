"""What kops and kubectl print in columns: machines, nodes and pods.

Sources: kops cmd/kops/validate_cluster.go, cmd/kops/get_instances.go and
pkg/validation/validate_cluster.go; kubectl's printers of nodes and pods,
kubernetes pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.observed.etcdctl import unread
from kopslint.observed.observation import Answer, Machine, Pod, Volume
from kopslint.observed.statements import (
    ETCD_CLUSTERS,
    MachinesTold,
    PodsTold,
    Statement,
    VolumesTold,
)
from kopslint.observed.tables import Cell, columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kopslint.observed.etcdctl import Reader
    from kopslint.observed.lines import Line, Setting
    from kopslint.observed.tables import Row, Table
    from kopslint.text import Span

VALIDATE = "kops validate cluster"
INSTANCES = "kops get instances"
NODES = "kubectl get nodes"
PODS = "kubectl get pods"

_PODS = re.compile(
    r"(?:\S+\s+)?etcd-manager-(?:main|events|cilium|leases)-\S+\s+\d+/\d+\s"
)
_POD = re.compile(r"etcd-manager-(?P<etcd>main|events|cilium|leases)-(?P<node>.+)")
_TOO_FEW = re.compile(
    r'InstanceGroup "(?P<group>[^"]+)" did not have enough nodes (?P<has>\d+) vs'
)
_NOT_JOINED = re.compile(r'machine "(?P<machine>[^"]+)" has not yet joined cluster')
_NOT_READY = re.compile(r'node "(?P<node>[^"]+)".*is not ready')


def columned(
    lines: Sequence[Line], start: int, setting: Setting, read: Reader
) -> tuple[list[Statement], int] | None:
    """What is told by a table that begins at a line, and where that ends.

    None if no table of kops or kubectl that is known here begins there.
    """
    if _PODS.match(lines[start].bare) is not None:
        return _headless_pods(lines, start, read)
    head = set(lines[start].bare.split())
    made: Callable[[Table, Setting, Reader], Iterator[Statement]]
    if {"ID", "NODE-NAME", "STATUS", "INSTANCE-GROUP"} <= head:
        made = _instances
    elif {"NAME", "STATUS", "ROLES", "VERSION"} <= head:
        made = _nodes
    elif {"NAME", "READY", "STATUS", "RESTARTS"} <= head:
        made = _pods
    elif head == {"NAME", "ROLE", "READY"}:
        made = _validated
    elif head == {"KIND", "NAME", "MESSAGE"}:
        made = _failures
    elif head == {"ETCD", "MEMBER", "VOLUME-ID"}:
        made = _volumes
    elif {"NAME", "ROLE", "MACHINETYPE"} <= head:
        made = _nothing
    else:
        return None
    found = columns(lines, start)
    if found.headings[0] not in lines[start].bare.split()[0]:
        return None
    told: list[Statement] = []
    if made not in (_failures, _nothing):
        told += [
            unread(
                "this line does not match the columns of the table above it: were"
                " blanks lost, or was it wrapped?",
                line.span(),
            )
            for line in found.broken
        ]
    return [*told, *made(found, setting, read)], found.next


def _nothing(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:  # noqa: ARG001
    """Instance groups are those of the spec: nothing that was seen."""
    return iter(())


def _span(found: Table) -> Span:
    cells = [cell for row in found.rows for cell in row.values()]
    return cells[0].span.to(cells[-1].span)


def _row_span(row: Row) -> Span:
    cells = [*row.values()]
    return cells[0].span.to(cells[-1].span)


def _text(cell: Cell | None) -> str | None:
    """The text of a cell; None where kubectl prints that there is none."""
    return cell.text if cell is not None and cell.text not in ("", "<none>") else None


def is_whole(setting: Setting) -> bool:
    """Whether a command, as far as it is known, lists all there is of a kind."""
    words = setting.asks.split()
    if "get" not in words:
        return True
    rest = words[words.index("get") + 2 :]
    narrowed = ("-l", "--selector", "--field-selector")
    if any(word.startswith(narrowed) for word in rest):
        return False
    values = {"-o", "--output", "-n", "--namespace", "--context", "--name", "--state"}
    for before, word in zip(["", *rest], rest, strict=False):
        if word in ("|", ">", "&&", ";", "2>&1"):
            break
        if not word.startswith("-") and before not in values:
            return False
    return True


# ------------------------------------------------------------------------------------
# kops


def _instances(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:
    machines = []
    for row in found.rows:
        id_, node = row["ID"], _text(row["NODE-NAME"])
        if not id_.text or not _text(row["INSTANCE-GROUP"]):
            yield unread("this row has no id or no instance group", _row_span(row))
            continue
        group = row["INSTANCE-GROUP"]
        machines.append(
            Machine(
                _row_span(row),
                group=group.text,
                node=node,
                instance=id_.text,
                role=(_text(row.get("ROLES")) or "").lower() or None,
                exists="yes",
                addresses=_addresses(row),
                places=(("group", group.span), ("instance", id_.span)),
            )
        )
    if machines or not (found.rows or found.broken):
        span = _span(found) if machines else found.head
        reading = read(INSTANCES, "table", span, None)
        whole = is_whole(setting) and len(machines) == len(found.rows)
        yield MachinesTold(reading, tuple(machines), whole and not found.broken)


def _addresses(row: Row) -> tuple[str, ...]:
    told = (_text(row.get("INTERNAL-IP")), _text(row.get("EXTERNAL-IP")))
    return tuple(one for one in told if one is not None)


def _validated(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:  # noqa: ARG001
    machines = []
    for row in found.rows:
        ready = condition(row["READY"].text)
        if ready == "not seen" or not row["NAME"].text:
            yield unread("this row does not belong to a node's status", _row_span(row))
            continue
        machines.append(
            Machine(
                _row_span(row),
                node=row["NAME"].text,
                role=row["ROLE"].text.lower() or None,
                ready=ready,
                places=(("ready", row["READY"].span),),
            )
        )
    if machines:
        yield MachinesTold(
            read(VALIDATE, "table", _span(found), None), tuple(machines), complete=False
        )


def condition(text: str) -> Answer:
    """Whether a node is ready, by the status of that condition."""
    return {"True": "yes", "False": "no", "Unknown": "no"}.get(text, "not seen")  # type: ignore[return-value]


def _failures(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:  # noqa: ARG001
    machines = []
    for row in found.rows:
        told = machine_failure(row["MESSAGE"].text, _row_span(row))
        if told is not None:
            machines.append(told)
    if machines:
        yield MachinesTold(
            read(VALIDATE, "table", _span(found), None), tuple(machines), complete=False
        )


def machine_failure(message: str, span: Span) -> Machine | None:
    """What a failure of the validation says of a machine or a group, if anything."""
    if (found := _TOO_FEW.search(message)) is not None:
        exists: Answer = "no" if found["has"] == "0" else "not seen"
        return Machine(span, group=found["group"], exists=exists)
    if (found := _NOT_JOINED.search(message)) is not None:
        return Machine(span, instance=found["machine"], exists="yes", ready="no")
    if (found := _NOT_READY.search(message)) is not None:
        return Machine(span, node=found["node"], ready="no")
    return None


# ------------------------------------------------------------------------------------
# kubectl


def _nodes(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:
    machines = []
    for row in found.rows:
        status = row["STATUS"]
        ready = node_status(status.text)
        if ready == "not seen":
            yield unread(
                f"{status.text or 'nothing'} is not a node status", _row_span(row)
            )
            continue
        group = re.search(
            r"kops\.k8s\.io/instancegroup=([\w.-]+)",
            row["LABELS"].text if "LABELS" in row else "",
        )
        machines.append(
            Machine(
                _row_span(row),
                group=group[1] if group is not None else None,
                node=row["NAME"].text,
                role=_text(row["ROLES"]),
                ready=ready,
                addresses=_addresses(row),
                places=(("ready", status.span),),
            )
        )
    if machines:
        form = "wide" if "INTERNAL-IP" in found.headings else "table"
        reading = read(NODES, form, _span(found), None)
        yield MachinesTold(reading, tuple(machines), is_whole(setting))


def node_status(text: str) -> Answer:
    """Whether a node is ready, by the status that kubectl prints."""
    words = text.split(",")
    if "Ready" in words:
        return "yes"
    return "no" if {"NotReady", "Unknown"} & {*words} else "not seen"


def _pods(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:
    pods = [
        one
        for row in found.rows
        if (one := _pod_of(row["NAME"], row["READY"].text, row["STATUS"])) is not None
    ]
    if found.rows:
        form = "wide" if "NODE" in found.headings else "table"
        reading = read(PODS, form, _span(found), None)
        whole = is_whole(setting) and not found.broken
        yield PodsTold(reading, tuple(pods), whole)


def _pod_of(name: Cell, ready: str, status: Cell) -> Pod | None:
    has, _, of = ready.partition("/")
    whole = has == of and has.isdigit() and int(has) > 0
    running: Answer = "yes" if whole and status.text == "Running" else "no"
    return pod(name.text, running, name.span.to(status.span))


def pod(name: str, running: Answer, span: Span, node: str | None = None) -> Pod | None:
    """A pod of etcd-manager by its name; None if it is no such pod.

    The name of a static pod ends with that of its node. Source: kops
    pkg/model/components/etcdmanager/model.go, and the kubelet.
    """
    found = _POD.fullmatch(name)
    if found is None:
        return None
    return Pod(found["etcd"], node or found["node"], name, running, span)


def _headless_pods(
    lines: Sequence[Line], start: int, read: Reader
) -> tuple[list[Statement], int]:
    """Rows of pods without their headings, as ``grep`` leaves them."""
    index, pods = start, []
    while index < len(lines) and _PODS.match(lines[index].bare) is not None:
        line = lines[index]
        words = line.bare.split()
        at = 0 if words[0].startswith("etcd-manager-") else 1
        if len(words) > at + 2:
            name, ready, status = words[at : at + 3]
            one = _pod_of(
                Cell(name, line.part(name)), ready, Cell(status, line.part(status))
            )
            pods += [one] if one is not None else []
        index += 1
    span = lines[start].span().to(lines[index - 1].span())
    return [PodsTold(read(PODS, "table", span, None), tuple(pods), True)], index


# ------------------------------------------------------------------------------------
# volumes, as the script of ``kopslint observe`` prints them


def _volumes(found: Table, setting: Setting, read: Reader) -> Iterator[Statement]:  # noqa: ARG001
    volumes = []
    for row in found.rows:
        etcd, member, id_ = (row[name].text for name in ("ETCD", "MEMBER", "VOLUME-ID"))
        if etcd not in ETCD_CLUSTERS or not member or not id_:
            yield unread("this row names no member's volume", _row_span(row))
            continue
        volumes.append(Volume(etcd, member, id_, _row_span(row)))
    if volumes:
        yield VolumesTold(read("volumes", "table", _span(found), None), tuple(volumes))
