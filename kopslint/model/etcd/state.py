"""One possible state of one etcd cluster, and the arithmetic on it.

A state has a ``MemberState`` for every member name that occurs before or after the
change, in a fixed order, and three small values about what the etcd-manager leader
knows. Who leads is not part of it: what leadership decides (when the control spec
is read again) is carried by ``due``.

Sources of the behaviour, here and in the sibling modules: kubernetes-sigs/
etcd-manager pkg/controller/controller.go (``run``, ``removeNodeFromCluster``,
``addNodeToCluster``) and replacement.go, etcd server/etcdserver/server.go
(``IsReadyToRemoveVotingMember`` and its callers), held to the recorded runs of
both by the conformance test.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, Self

from kopslint.records import Record

Disk = Literal["empty", "its own", "of a removed member"]
"""What is on the disk of a member name: nothing (or there is no disk), the data of
the member that is listed, or that of a member that was removed."""


class MemberState(Enum):
    """What there is of one member name: four facts, and what follows from them.

    ``up`` is whether an instance runs, ``disk`` what its disk holds, ``listed``
    whether it is in etcd's member list, ``started`` whether that member has ever
    started. Its value is a sign, one letter: states are sorted by it, and tests write
    them so.
    """

    # fmt: off
    # state            sign  up     disk                    listed started
    ABSENT            = (".", False, "empty",                False, False)
    """No instance, and no disk with data."""
    IDLE              = ("I", True,  "empty",                False, False)
    """An instance with an empty disk, not a member."""
    VOTING            = ("L", True,  "its own",              True,  True)
    """A member that is up and votes."""
    JOINING           = ("J", True,  "its own",              True,  False)
    """A member that is up, is to join, and has not started yet."""
    DOWN              = ("D", False, "its own",              True,  True)
    """A member whose instance is gone; its disk has the data."""
    UNSTARTED         = ("W", False, "its own",              True,  False)
    """A member that never started and whose instance is gone."""
    EXPELLED          = ("E", True,  "of a removed member",  False, False)
    """An instance that runs with the data of a member that was removed."""
    LEFT              = ("x", False, "of a removed member",  False, False)
    """A disk with the data of a removed member, without an instance."""
    WIPED             = ("r", False, "empty",                True,  True)
    """A member whose instance and disk are gone. Whether it had ever started is not
    kept: it counts as started."""
    REPLACED          = ("R", True,  "empty",                True,  True)
    """A member whose instance came back under the old name with an empty disk."""
    LISTED            = ("w", False, "empty",                True,  False)
    """A member that was added by hand and has neither an instance nor a disk yet."""
    LISTED_AGAIN      = ("A", True,  "of a removed member",  True,  False)
    """A removed member that was added again and runs with its old data: it never
    votes, since etcd knows that data as removed for good."""
    LISTED_AGAIN_DOWN = ("a", False, "of a removed member",  True,  False)
    """The same without an instance."""
    # fmt: on

    sign: str
    up: bool
    disk: Disk
    listed: bool
    started: bool

    takes_part: bool
    """Votes, or will as soon as it has started."""
    votes: bool
    """Counts as a voter: a started member that is up with its data."""
    joining: bool
    """Up and not started yet: starts as soon as there is quorum with it."""
    unhealthy: bool
    """Listed, and does not vote: what etcd-manager removes first."""
    dead: bool
    """Listed without an instance."""
    idle: bool
    """An instance that etcd-manager may add."""
    counts_as_peer: bool
    """A live peer with etcd data: etcd-manager compares their number with the count."""
    removed: bool
    """Not listed, with the data of a member that was removed."""

    def __new__(
        cls, sign: str, up: bool, disk: Disk, listed: bool, started: bool
    ) -> Self:
        """The state with these facts; what follows from them is worked out once."""
        self = object.__new__(cls)
        self._value_ = self.sign = sign
        self.up, self.disk, self.listed, self.started = up, disk, listed, started
        self.takes_part = up and listed and disk == "its own"
        self.votes = self.takes_part and started
        self.joining = self.takes_part and not started
        self.unhealthy = listed and not self.votes
        self.dead = listed and not up
        self.idle = up and not listed and disk == "empty"
        self.counts_as_peer = up and disk != "empty"
        self.removed = not listed and disk == "of a removed member"
        return self

    # There is one object for each, and a set of states hashes them by the thousand.
    __hash__ = object.__hash__


WHEN_REMOVED = {
    MemberState.VOTING: MemberState.EXPELLED,
    MemberState.JOINING: MemberState.EXPELLED,
    MemberState.LISTED_AGAIN: MemberState.EXPELLED,
    MemberState.DOWN: MemberState.LEFT,
    MemberState.UNSTARTED: MemberState.LEFT,
    MemberState.LISTED_AGAIN_DOWN: MemberState.LEFT,
    MemberState.WIPED: MemberState.ABSENT,
    MemberState.LISTED: MemberState.ABSENT,
    MemberState.REPLACED: MemberState.IDLE,
}
"""What becomes of a member that leaves the member list; every listed one may."""

WHEN_ADDED = {
    MemberState.IDLE: MemberState.JOINING,
    MemberState.ABSENT: MemberState.LISTED,
    MemberState.EXPELLED: MemberState.LISTED_AGAIN,
    MemberState.LEFT: MemberState.LISTED_AGAIN_DOWN,
}
"""What becomes of a name that is added to the member list by hand."""

WHEN_STOPPED = {
    MemberState.VOTING: MemberState.DOWN,
    MemberState.JOINING: MemberState.UNSTARTED,
    MemberState.IDLE: MemberState.ABSENT,
    MemberState.EXPELLED: MemberState.LEFT,
    MemberState.REPLACED: MemberState.WIPED,
    MemberState.LISTED_AGAIN: MemberState.LISTED_AGAIN_DOWN,
}
"""What becomes of a name whose instance stops."""

WHEN_STARTED = {
    MemberState.DOWN: MemberState.VOTING,
    MemberState.UNSTARTED: MemberState.JOINING,
    MemberState.LEFT: MemberState.EXPELLED,
    MemberState.ABSENT: MemberState.IDLE,
    MemberState.WIPED: MemberState.REPLACED,
    MemberState.LISTED: MemberState.JOINING,
    MemberState.LISTED_AGAIN_DOWN: MemberState.LISTED_AGAIN,
}
"""What becomes of a name whose instance starts, with the disk that it has."""

WHEN_WIPED = {
    MemberState.DOWN: MemberState.WIPED,
    MemberState.UNSTARTED: MemberState.WIPED,
    MemberState.LEFT: MemberState.ABSENT,
    MemberState.LISTED_AGAIN_DOWN: MemberState.LISTED,
}
"""What becomes of a stopped name whose disk is deleted; others have none."""


def quorum(members: int) -> int:
    """The voters that a cluster with ``members`` registered members needs."""
    return members // 2 + 1


def spare(members: int) -> int:
    """How many of ``members`` voters may fail without quorum being lost."""
    return members - quorum(members)


class EtcdState(Record):
    """One possible state.

    ``names`` holds the state of every member name. ``read`` is the member count
    that the leader last read from the control spec, ``due`` whether it will read
    again as soon as it runs, ``restore`` the member count of a restore command
    that waits for that moment.
    """

    names: tuple[MemberState, ...]
    read: int
    due: bool = False
    restore: int | None = None

    @property
    def members(self) -> int:
        """How many members are registered, dead ones included."""
        return sum([name.listed for name in self.names])

    @property
    def voting(self) -> int:
        """How many members are up and vote."""
        return sum([name.votes for name in self.names])

    @property
    def quorum(self) -> int:
        """How many voters this member list needs."""
        return quorum(self.members)

    @property
    def writable(self) -> bool:
        """Whether etcd accepts writes."""
        members = self.members
        return members > 0 and self.voting >= quorum(members)

    @property
    def reachable_quorum(self) -> bool:
        """Whether quorum is held once every joining member has started."""
        members = self.members
        joining = sum([name.joining for name in self.names])
        return members > 0 and self.voting + joining >= quorum(members)

    @property
    def tolerance(self) -> int:
        """How many more members may fail before writes stop; negative: already."""
        return self.voting - self.quorum

    @property
    def any_up(self) -> bool:
        """Whether an instance runs: without one there is no etcd-manager."""
        return any(name.up for name in self.names)

    @property
    def signs(self) -> str:
        """The sign of every member name, in order: what states are sorted by."""
        return "".join([name.sign for name in self.names])

    def put(self, index: int, name: MemberState) -> EtcdState:
        """Return this state with another one for the member name at ``index``."""
        names = self.names
        return self._replace(names=(*names[:index], name, *names[index + 1 :]))


def initial(names: int, members: frozenset[int], published: int) -> EtcdState:
    """The state of a healthy cluster: every member votes, nothing else exists.

    Whether the cluster really is healthy cannot be seen in any file; reports say
    that it is assumed.
    """
    voting, absent = MemberState.VOTING, MemberState.ABSENT
    order = (voting if index in members else absent for index in range(names))
    return EtcdState(tuple(order), published)
