"""One possible state of one etcd cluster, and the arithmetic on it.

A world gives one ``Condition`` to every member name that occurs before or after
the change, in a fixed order, and three small values about what the etcd-manager
leader knows. Who leads is not part of it: what leadership decides (when the
control spec is read again) is carried by ``due``.

Sources of the behaviour, here and in the sibling modules: kubernetes-sigs/
etcd-manager pkg/controller/controller.go (``run``, ``removeNodeFromCluster``,
``addNodeToCluster``) and replacement.go, etcd server/etcdserver/server.go
(``IsReadyToRemoveVotingMember`` and its callers), held to the recorded runs of
both by the conformance test.
"""

from __future__ import annotations

from enum import StrEnum

from kopslint.records import Record


class Condition(StrEnum):
    """What a member name stands for: an instance, a disk, a membership, or none.

    The values are single letters because a world keeps them as one string, which
    is what makes tens of thousands of worlds cheap.
    """

    ABSENT = "."
    """No instance, and no disk with data."""
    IDLE = "I"
    """An instance with an empty disk, not a member."""
    VOTING = "L"
    """A member that is up and votes."""
    JOINING = "J"
    """A member whose etcd has been told to join and has not started yet."""
    DOWN = "D"
    """A member whose instance is gone; its disk has the data."""
    UNSTARTED = "W"
    """A member that never started and whose instance is gone."""
    EXPELLED = "E"
    """An instance that runs with the data of a member that was removed."""
    LEFT = "x"
    """A disk with the data of a removed member, without an instance."""
    WIPED = "r"
    """A member whose instance and disk are gone."""
    REPLACED = "R"
    """A member whose instance came back under the old name with an empty disk."""
    LISTED = "w"
    """A member that was added by hand and has neither an instance nor a disk yet."""
    LISTED_AGAIN = "A"
    """A removed member that was added again and runs with its old data: it never
    votes, since etcd knows that data as removed for good."""
    LISTED_AGAIN_DOWN = "a"
    """The same without an instance."""


MEMBERS = frozenset("LJDWrRwAa")
"""Conditions that count in the member list, and so towards quorum."""

CONFIGURED = frozenset("LJEA")
"""Live peers with etcd state: what etcd-manager compares with the count."""

UP = frozenset("ILJERA")
"""Conditions with a running instance."""

DEAD = MEMBERS - UP
"""Conditions of a member without one."""

LEAVES = {
    "L": "E",
    "J": "E",
    "A": "E",
    "D": "x",
    "W": "x",
    "a": "x",
    "r": ".",
    "R": "I",
    "w": ".",
}
"""What becomes of a name whose member leaves the list."""

STOPS = {"L": "D", "J": "W", "I": ".", "E": "x", "R": "r", "A": "a"}
"""What becomes of a name whose instance stops."""

STARTS = {"D": "L", "W": "J", "x": "E", ".": "I", "r": "R", "w": "J", "a": "A"}
"""What becomes of a name whose instance starts."""

WIPES = {"D": "r", "W": "r", "x": ".", "a": "w"}
"""What becomes of a stopped name whose disk is deleted."""

ADDED = {"I": "J", ".": "w", "E": "A", "x": "a"}
"""What becomes of a name that is added to the list by hand."""


def quorum(members: int) -> int:
    """The voters that a cluster with ``members`` registered members needs."""
    return members // 2 + 1


def spare(members: int) -> int:
    """How many of ``members`` voters may fail without quorum being lost."""
    return members - quorum(members)


class EtcdState(Record):
    """One possible state.

    ``names`` holds a ``Condition`` letter per member name. ``read`` is the member
    count that the leader last read from the control spec, ``due`` whether it will
    read again as soon as it runs, ``restore`` the member count of a restore
    command that waits for that moment.
    """

    names: str
    read: int
    due: bool = False
    restore: int | None = None

    @property
    def members(self) -> int:
        """How many members are registered, dead ones included."""
        return sum(letter in MEMBERS for letter in self.names)

    @property
    def voting(self) -> int:
        """How many members are up and vote."""
        return self.names.count("L")

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
        joining = self.names.count("J")
        return members > 0 and self.voting + joining >= quorum(members)

    @property
    def tolerance(self) -> int:
        """How many more members may fail before writes stop; negative: already."""
        return self.voting - self.quorum

    def put(self, index: int, letter: str) -> EtcdState:
        """Return this world with another condition for one name."""
        names = self.names
        return self._replace(names=names[:index] + letter + names[index + 1 :])


def initial(names: int, members: frozenset[int], published: int) -> EtcdState:
    """The world of a healthy cluster: every member votes, nothing else exists.

    Whether the cluster really is healthy cannot be seen in any file; reports say
    that it is assumed.
    """
    letters = "".join("L" if index in members else "." for index in range(names))
    return EtcdState(letters, published)
