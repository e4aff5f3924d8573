"""One possible state of one etcd cluster, and the arithmetic on it.

A state has a ``MemberState`` for every member name that occurs before or after the
change, in a fixed order, and small values about what the etcd-manager leader knows,
what became of the data, and what is left of an older cluster. Who leads is part of it
only where that is known (``Lead``): elsewhere what leadership decides (when the control
spec is read again) is carried by ``due`` alone.

Sources of the behaviour, here and in the sibling modules: kubernetes-sigs/
etcd-manager pkg/controller/controller.go (``run``, ``removeNodeFromCluster``,
``addNodeToCluster``), newcluster.go, restore.go and replacement.go, etcd
server/etcdserver/server.go (``IsReadyToRemoveVotingMember`` and its callers), held to
the recorded runs of both by the conformance test.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, Self

from kopslint.records import Record

Disk = Literal["empty", "its own", "of a removed member", "of an older cluster"]
"""What is on the disk of a member name: nothing (or there is no disk), the data of
the member that is listed, that of a member that was removed, or that of a member of
the cluster that there was before a backup was restored into a new one."""


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
    LISTED_IDLE       = ("i", True,  "empty",                True,  False)
    """A member that was added by hand, and whose instance is up with an empty disk:
    etcd-manager did not add it, and never starts it."""
    LISTED_AGAIN      = ("A", True,  "of a removed member",  True,  False)
    """A member that runs with data that its etcd refuses, and so never votes: a removed
    one that was added again, or one that was being added with a member list that
    changed meanwhile ("member count is unequal")."""
    LISTED_AGAIN_DOWN = ("a", False, "of a removed member",  True,  False)
    """The same without an instance."""
    OLDER             = ("O", True,  "of an older cluster",  False, False)
    """An instance that runs with the data of the cluster before a restore: with enough
    of its kind it serves that one again."""
    OLDER_DOWN        = ("o", False, "of an older cluster",  False, False)
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
    older: bool
    """With the data of the cluster before a restore."""

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
        self.older = disk == "of an older cluster"
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
    MemberState.LISTED_IDLE: MemberState.IDLE,
}
"""What becomes of a member that leaves the member list; every listed one may."""

WHEN_ADDED = {
    MemberState.IDLE: MemberState.LISTED_IDLE,
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
    MemberState.LISTED_IDLE: MemberState.LISTED,
    MemberState.OLDER: MemberState.OLDER_DOWN,
}
"""What becomes of a name whose instance stops."""

WHEN_STARTED = {
    MemberState.DOWN: MemberState.VOTING,
    MemberState.UNSTARTED: MemberState.JOINING,
    MemberState.LEFT: MemberState.EXPELLED,
    MemberState.ABSENT: MemberState.IDLE,
    MemberState.WIPED: MemberState.REPLACED,
    MemberState.LISTED: MemberState.LISTED_IDLE,
    MemberState.LISTED_AGAIN_DOWN: MemberState.LISTED_AGAIN,
    MemberState.OLDER_DOWN: MemberState.OLDER,
}
"""What becomes of a name whose instance starts, with the disk that it has."""

WHEN_WIPED = {
    MemberState.DOWN: MemberState.WIPED,
    MemberState.UNSTARTED: MemberState.WIPED,
    MemberState.LEFT: MemberState.ABSENT,
    MemberState.LISTED_AGAIN_DOWN: MemberState.LISTED,
    MemberState.OLDER_DOWN: MemberState.ABSENT,
}
"""What becomes of a stopped name whose disk is deleted; others have none."""


def quorum(members: int) -> int:
    """The voters that a cluster with ``members`` registered members needs."""
    return members // 2 + 1


def spare(members: int) -> int:
    """How many of ``members`` voters may fail without quorum being lost."""
    return members - quorum(members)


class Data(Enum):
    """What became of what was written to etcd."""

    KEPT = "kept"
    """All of it is there."""
    ROLLED_BACK = "rolled back"
    """A backup was restored into a new cluster: what was written since is lost."""
    OVERWRITTEN = "overwritten"
    """The keys of a backup were put over those of the cluster that runs: keys that were
    changed since are back, and keys that were written since are still there."""
    FORCED = "forced"
    """One member was made the only one by an etcd that does so wrongly: whoever joins
    it lacks keys."""
    DIVERGED = "diverged"
    """Members hold different keys."""

    __hash__ = object.__hash__


class Upgrade(Enum):
    """Whether another etcd version is published, and what the leader makes of it."""

    NONE = "none"
    PUBLISHED = "published"
    """Nobody has read it yet."""
    UNKNOWN = "unknown"
    """Published, and this etcd-manager has no program of that version."""
    PENDING = "pending"
    """Read: members are upgraded as soon as all of them are healthy."""
    STUCK = "stuck"
    """The leader has read a version that it has no program of, and does nothing."""

    __hash__ = object.__hash__


class View(Record):
    """What an etcd-manager knows that has led since it started, and does not lead now.

    ``acked`` are the names, as bits, that were up when it last became the leader;
    ``read`` is the member count that it read then, ``held`` the restore command.
    ``sure`` is False where it may as well never have led.
    """

    who: int
    acked: int
    read: int
    held: int | None = None
    sure: bool = True


class Lead(Record):
    """Who leads, where the lowest living peer is known to.

    ``leader`` is -1 if nobody is up. ``acked`` are the names, as bits, that were up
    when it became the leader: another one makes it read the control spec again.
    ``past`` are those that have led before; they do not read when they lead again.
    Source: controller.go (``leadership``) and pkg/privateapi/leadership.go.
    """

    leader: int
    acked: int
    past: tuple[View, ...] = ()


class Software(Record):
    """What differs between releases of etcd-manager and etcd, and between clouds.

    - ``replaces``: etcd-manager replaces a member whose disk is empty.
    - ``adds_beside_dead``: etcd takes a new member while another is dead, if quorum
      holds with it, as from 3.5.30 and 3.6.11 on. Source: etcd
      server/etcdserver/util.go, ``isConnectedToQuorumAfterAddingNewMemberSince``.
    - ``forces_cleanly``: ``--force-new-cluster`` keeps what was removed out of the data
      that new members get, as from 3.5.22 and 3.6.1 on.
    - ``ranks``: the place of each name in the order in which they lead; None where the
      order is not known, and any may lead.

    None is whatever is not known.
    """

    replaces: bool | None = True
    adds_beside_dead: bool | None = False
    forces_cleanly: bool | None = True
    ranks: tuple[int, ...] | None = None


USUAL = Software()


class EtcdState(Record):
    """One possible state.

    ``names`` holds the state of every member name. ``read`` is the member count
    that the leader last read from the control spec, ``due`` whether it will read
    again as soon as it runs, ``restore`` the member count of a restore command
    that is queued, and ``held`` that of one which the leader has read.

    ``wrote`` is the member count that a restore has put into the control spec since the
    last publication. ``ghosts`` are the members of the cluster before a restore of
    which no disk is left. ``lead`` is who leads, where that is known.
    """

    names: tuple[MemberState, ...]
    read: int
    due: bool = False
    restore: int | None = None
    held: int | None = None
    wrote: int | None = None
    ghosts: int = 0
    data: Data = Data.KEPT
    upgrade: Upgrade = Upgrade.NONE
    lead: Lead | None = None

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
    def older_members(self) -> int:
        """How many members the cluster before a restore has registered."""
        return self.ghosts + sum([name.older for name in self.names])

    @property
    def older_voting(self) -> int:
        """How many of them are up."""
        return sum([name.older and name.up for name in self.names])

    @property
    def older_writable(self) -> bool:
        """Whether the cluster before a restore serves again."""
        voting = self.older_voting
        return voting > 0 and voting >= quorum(self.older_members)

    @property
    def split(self) -> bool:
        """Whether two clusters accept writes at once."""
        return self.older_writable and self.writable

    @property
    def up(self) -> int:
        """The names whose instance runs, as bits."""
        return sum([1 << i for i, name in enumerate(self.names) if name.up])

    @property
    def signs(self) -> str:
        """The sign of every member name, in order: what states are sorted by."""
        return "".join([name.sign for name in self.names])

    def put(self, index: int, name: MemberState) -> EtcdState:
        """Return this state with another one for the member name at ``index``."""
        names = self.names
        return self._replace(names=(*names[:index], name, *names[index + 1 :]))


def initial(
    names: int, members: frozenset[int], published: int, software: Software = USUAL
) -> EtcdState:
    """The state of a healthy cluster: every member votes, nothing else exists.

    Whether the cluster really is healthy cannot be seen in any file; reports say
    that it is assumed. Nor can it be seen who else has led before.
    """
    voting, absent = MemberState.VOTING, MemberState.ABSENT
    order = tuple([voting if index in members else absent for index in range(names)])
    state = EtcdState(order, published)
    return state._replace(lead=lead_of(state, software))


def lead_of(state: EtcdState, software: Software) -> Lead | None:
    """Who leads a cluster that has run for a while, where the order is known.

    Each of the others may have led before.
    """
    if software.ranks is None:
        return None
    up = [index for index, name in enumerate(state.names) if name.up]
    leader = min(up, key=software.ranks.__getitem__, default=-1)
    others = tuple(
        View(index, state.up, state.read, sure=False) for index in up if index != leader
    )
    return Lead(leader, state.up, others)
