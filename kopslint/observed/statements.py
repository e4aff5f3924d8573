"""What single outputs say, before it is put together: one record for each kind.

Each names the ``Reading`` it is from. Members are told as ``Member`` with the fields
that this output fills; addresses are as they were printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.observed.observation import (
        Machine,
        Member,
        Pod,
        Published,
        QueuedRestore,
        Reading,
        Unread,
        Volume,
    )
    from kopslint.text import Span


class ListTold(Record):
    """An answer to ``etcdctl member list``; ``asked`` is the id of who answered."""

    reading: Reading
    members: tuple[Member, ...]
    asked: str | None = None
    cluster_id: str | None = None
    raft_term: int | None = None


class StatusTold(Record):
    """A line of ``etcdctl endpoint status``: who answered at an address."""

    reading: Reading
    endpoint: str
    member: Member


class SilenceTold(Record):
    """An address that was asked and did not answer."""

    reading: Reading
    endpoint: str
    reason: str
    span: Span


class HealthTold(Record):
    """A line of ``etcdctl endpoint health``."""

    reading: Reading
    endpoint: str
    healthy: bool
    reason: str
    span: Span


class AlarmsTold(Record):
    """An answer to ``etcdctl alarm list``: pairs of a member's id and its alarm."""

    reading: Reading
    alarms: tuple[tuple[str, str, Span], ...]


class MachinesTold(Record):
    """Machines that kops or kubectl listed.

    ``complete`` is whether every machine there is would have been among them.
    """

    reading: Reading
    machines: tuple[Machine, ...]
    complete: bool


class PodsTold(Record):
    """Pods of etcd-manager that kubectl listed; ``complete`` as for machines."""

    reading: Reading
    pods: tuple[Pod, ...]
    complete: bool


class PublishedTold(Record):
    """The control spec of an etcd cluster."""

    reading: Reading
    published: Published


class QueueTold(Record):
    """The commands that wait for etcd-manager; none if it said that there are none."""

    reading: Reading
    queued: tuple[QueuedRestore, ...]


class VolumesTold(Record):
    """Ids of the volumes of members of the spec."""

    reading: Reading
    volumes: tuple[Volume, ...]


class UnreadTold(Record):
    """What could not be read, of an output or of something that looks like one."""

    unread: Unread


Statement = (
    ListTold
    | StatusTold
    | SilenceTold
    | HealthTold
    | AlarmsTold
    | MachinesTold
    | PodsTold
    | PublishedTold
    | QueueTold
    | VolumesTold
    | UnreadTold
)


def etcd_id(text: str | int) -> str | None:
    """An id of etcd as ``member list`` prints it; None for what is none.

    A number, or its digits where an output prints decimals, is turned into hexadecimal.
    """
    number = int(text)
    return f"{number:x}" if 0 < number < 2**64 else None


def hex_id(text: str) -> str:
    """A hexadecimal id without leading zeros, in lower case."""
    return text.lower().lstrip("0") or "0"


PORTS = {
    "4001": "main",
    "4002": "events",
    "4003": "cilium",
    "4004": "leases",
    "2380": "main",
    "2381": "events",
    "2382": "cilium",
    "2383": "leases",
}
"""The client and peer ports of each etcd cluster: kops
pkg/wellknownports/wellknownports.go."""

ETCD_CLUSTERS = ("main", "events", "cilium", "leases")


def cluster_at(addresses: Iterable[str]) -> str | None:
    """The etcd cluster whose ports these addresses have; None if none or several."""
    found = {
        PORTS[port]
        for address in addresses
        if (port := address.rstrip("/").rpartition(":")[2]) in PORTS
    }
    return found.pop() if len(found) == 1 else None


_UNITS = {"b": 0, "kb": 1, "mb": 2, "gb": 3, "tb": 4}


def size_in_bytes(text: str) -> int | None:
    """Bytes of a size as etcdctl prints one: ``20 kB`` is 20,000.

    It prints at most two digits behind the point, so this is about the size. Source:
    etcdctl/ctlv3/command/printer.go, humanize.Bytes.
    """
    number, _, unit = text.strip().partition(" ")
    if unit.lower() not in _UNITS:
        return None
    try:
        return int(float(number) * 1000 ** _UNITS[unit.lower()])
    except ValueError:
        return None
