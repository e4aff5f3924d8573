"""Broken clusters: how each comes about, and what is promised of its way back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from verify.rescue.machines import TURN
from verify.servers import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify.rescue.machines import Machines, Side

BACKUP = "2026-01-02T03:04:05Z-000001"
OLD = {"k1": "old"}
"""What the backup has."""
NEW = {"k1": "new", "k2": "new"}
"""What was written until the cluster broke."""


class Broken(NamedTuple):
    """A state: members before, those of the spec, and what goes wrong.

    ``keeps`` is whether nothing may be lost; ``forces`` whether the way back makes
    one survivor the only member, which is for an etcd that does it cleanly.
    """

    about: str
    names: str
    goes_wrong: Callable[[Machines], None]
    spec: str = ""
    keeps: bool = True
    forces: bool = False

    @property
    def wanted(self) -> str:
        """The members of the spec."""
        return self.spec or self.names


def _lost(machines: Machines, names: str, *, disks: bool) -> None:
    """Machines end and nobody starts them; ``disks`` is whether theirs go, too."""
    for name in names:
        machines.stop(name)
        for etcd in machines.sides:
            if disks:
                machines.wipe(etcd, name)


def _gone(names: str, *, disks: bool = True) -> Callable[[Machines], None]:
    return lambda machines: _lost(machines, names, disks=disks)


def _empty(names: str) -> Callable[[Machines], None]:
    """Their machines are back with empty disks."""

    def goes_wrong(machines: Machines) -> None:
        _lost(machines, names, disks=True)
        for name in names:
            machines.start(name)

    return goes_wrong


def _removed(machines: Machines, name: str, through: str) -> None:
    for side in machines.sides.values():
        _agreed(machines, partial(_taken_out, machines, side, name, through))


def _taken_out(machines: Machines, side: Side, name: str, through: str) -> None:
    called = side.called(name)
    with machines.lock:
        side.servers.remove(called, side.called(through), 5)
        side.servers.ended(called, 10)
        side.retired.add(name)


def _agreed(machines: Machines, deed: Callable[[], None]) -> None:
    """Until etcd agrees: members have to be connected for a while."""

    def is_done() -> bool:
        try:
            deed()
        except RefusedError:
            return False
        return True

    if not machines.wait(is_done, 30):
        machines.wrong.append("etcd does not agree to what breaks it")


def _over_removed(machines: Machines) -> None:
    """A living member is taken out beside a dead one."""
    _removed(machines, "b", "a")


def _unstarted(machines: Machines) -> None:
    """A member is added by hand, and nothing starts it."""
    for side in machines.sides.values():
        add = partial(side.servers.add, side.called("d"), side.called("a"), 5)
        _agreed(machines, add)


def _queued(machines: Machines) -> None:
    """A restore waits that nobody reads while the cluster serves."""
    machines.reads_commands = False
    for side in machines.sides.values():
        side.store.queue.append(BACKUP)


STATES = {
    each.about: each
    for each in (
        Broken("one of three dead, its disk lost", "abc", _gone("c")),
        Broken(
            "two dead members of five that nobody wants", "abcde", _gone("de"), "abc"
        ),
        Broken("two of three dead, their disks there", "abc", _gone("bc", disks=False)),
        Broken(
            "three of five dead, their disks there", "abcde", _gone("cde", disks=False)
        ),
        Broken("the only machine gone, its disk there", "a", _gone("a", disks=False)),
        Broken("a living member of three removed", "abc", _over_removed),
        Broken("a member that never starts", "abc", _unstarted),
        Broken("a restore that waits", "abc", _queued),
        Broken("two of three come back empty", "abc", _empty("bc"), forces=True),
        Broken("three of five come back empty", "abcde", _empty("cde"), forces=True),
        Broken("all disks lost", "abc", _gone("abc"), keeps=False),
    )
}

SHORT = ("the only machine gone, its disk there", "a member that never starts")
"""Those that the tests bring about."""

QUIET = 3 * TURN
"""How long nobody does anything before a cluster is looked at."""
