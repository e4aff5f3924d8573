"""The transitions of one etcd cluster: what may happen next in a state.

``enabled_transitions`` yields what etcd and etcd-manager may do by themselves, given
a state and the published member count: what etcd-manager's control loop does, in its
order. Adding a member, removing one, replacing a disk and freeing a slot exclude each
other, and all need quorum. No transition ever undoes another (nothing leaves EXPELLED
by itself), so following them always ends. What people and the cloud do stands below.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import combinations
from typing import TYPE_CHECKING

from kopslint.model.etcd.state import (
    WHEN_ADDED,
    WHEN_REMOVED,
    WHEN_STARTED,
    WHEN_STOPPED,
    WHEN_WIPED,
    EtcdState,
    MemberState,
    quorum,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pace(Enum):
    """How soon a transition that can happen has certainly happened."""

    FAST = auto()
    MEDIUM = auto()
    SLOW = auto()
    PERHAPS = auto()
    """It may as well never happen: not every etcd-manager makes it."""


class Kind(Enum):
    """What happens by itself: by etcd, by etcd-manager, or by the cloud."""

    JOINS = auto()
    READS = auto()
    RESTORES = auto()
    ADDS = auto()
    REMOVES = auto()
    REPLACES = auto()
    FREES = auto()
    RETURNS = auto()


class Transition(Record):
    """What happens (``kind``), to whom, and the state after it.

    ``who`` is the index of a member name, -1 for nobody.
    """

    kind: Kind
    who: int
    pace: Pace
    state: EtcdState


def enabled_transitions(
    state: EtcdState, published: int, *, replaces: bool | None = True
) -> Iterator[Transition]:
    """Every transition that etcd or etcd-manager may make next in ``state``.

    ``published`` is the member count in the control spec. ``replaces`` is whether
    this etcd-manager replaces a member whose disk is empty, None if that is not
    known. Yields nothing if no instance is up.
    """
    if not state.any_up:
        return
    names = state.names
    members = state.members
    voting = state.voting
    needed = quorum(members)
    writable = members > 0 and voting >= needed

    joining = [index for index, name in enumerate(names) if name.joining]
    if joining and voting + len(joining) >= needed:
        for index in joining:
            voter = state.put(index, MemberState.VOTING)
            yield Transition(Kind.JOINS, index, Pace.FAST, voter)

    yield from _reads(state, published, writable=writable)

    if not writable:
        return
    if members < state.read:
        yield from _adds(state)
    elif sum([name.counts_as_peer for name in names]) > state.read:
        yield from _removes(state)
    else:
        if replaces is not False:
            yield from _replaces(state, Pace.SLOW if replaces else Pace.PERHAPS)
        yield from _frees(state)


def _reads(state: EtcdState, published: int, *, writable: bool) -> Iterator[Transition]:
    """The leader reads the control store: when due, or when it sees no member.

    Source: controller.go refreshes on a leadership change (``due``) and when etcd
    has no members it can see; ControlRefreshInterval is ten years.
    """
    pending = state.restore is not None
    blind = not writable and (state.read != published or pending)
    if not (state.due or blind):
        return
    seen = state._replace(read=published, due=False, restore=None)
    if state.restore is None:
        yield Transition(Kind.READS, -1, Pace.FAST, seen)
        return
    restored = False
    for result in _restored(seen, state.restore):
        restored = True
        yield Transition(Kind.RESTORES, -1, Pace.FAST, result)
    if not restored and (state.due or state.read != published):
        waiting = seen._replace(restore=state.restore)
        yield Transition(Kind.READS, -1, Pace.FAST, waiting)


def _restored(state: EtcdState, count: int) -> Iterator[EtcdState]:
    """The states after a restore with ``count`` members.

    Any live peers with etcd state may be chosen; one fewer than asked for will do
    if that has the same quorum. Members that are down leave the list.
    """
    live = [i for i, name in enumerate(state.names) if name.counts_as_peer]
    chosen = min(count, len(live))
    if chosen == 0 or quorum(chosen) != quorum(count):
        return
    for group in combinations(live, chosen):
        names = [
            (MemberState.VOTING if index in group else WHEN_REMOVED.get(name, name))
            for index, name in enumerate(state.names)
        ]
        yield state._replace(names=tuple(names))


def _adds(state: EtcdState) -> Iterator[Transition]:
    """One idle peer is added, but only while every member is up and votes.

    Source: etcd's strict reconfiguration check refuses an addition while a member
    is not connected.
    """
    names = state.names
    if any(name.unhealthy for name in names):
        return
    for index, name in enumerate(names):
        if name.idle:
            joining = state.put(index, MemberState.JOINING)
            yield Transition(Kind.ADDS, index, Pace.FAST, joining)


def _removes(state: EtcdState) -> Iterator[Transition]:
    """One member is removed: an unhealthy one if there is any, else an arbitrary one.

    Source: controller.go, removeNodeFromCluster. Live expelled peers go on
    counting as configured, which is why removal ends one below the count.
    """
    names = state.names
    unhealthy = [index for index, name in enumerate(names) if name.unhealthy]
    victims = unhealthy or [index for index, name in enumerate(names) if name.votes]
    for index in victims:
        if refusal(state, index) is None:
            left = state.put(index, WHEN_REMOVED[names[index]])
            yield Transition(Kind.REMOVES, index, Pace.MEDIUM, left)


def _replaces(state: EtcdState, pace: Pace) -> Iterator[Transition]:
    """A member back with an empty disk is taken out, to be added again as new.

    Source: replacement.go, which older releases of etcd-manager do not have.
    """
    names = state.names
    if state.read < 3 or state.members != state.read:
        return
    empty = [i for i, name in enumerate(names) if name is MemberState.REPLACED]
    if len(empty) == 1:
        idle = state.put(empty[0], MemberState.IDLE)
        yield Transition(Kind.REPLACES, empty[0], pace, idle)


def _frees(state: EtcdState) -> Iterator[Transition]:
    """An unhealthy member leaves because an idle peer waits for its slot.

    Source: controller.go, the branch behind "has unhealthy members".
    """
    names = state.names
    members = state.members
    waiting = MemberState.IDLE in names or MemberState.REPLACED in names
    if not waiting or members <= 2 or members <= state.read:
        return
    for index, name in enumerate(names):
        if name.unhealthy:
            left = state.put(index, WHEN_REMOVED[name])
            yield Transition(Kind.FREES, index, Pace.SLOW, left)


class RemovalRefusal(Enum):
    """Why etcd refuses to remove a member."""

    NO_QUORUM = "there is no quorum to agree on it, so the request times out"
    LAST = "it is the only member"
    NOT_ENOUGH_STARTED = "too few started members would be left"
    UNHEALTHY = "removing a healthy member would leave no quorum of healthy ones"


def refusal(state: EtcdState, index: int) -> RemovalRefusal | None:
    """Why etcd refuses to remove the member at ``index``, or None if it does not.

    Source: etcd server.go, mayRemoveMember, with strict reconfiguration as
    etcd-manager starts it. The name must be in the member list.
    """
    if not state.writable:
        return RemovalRefusal.NO_QUORUM
    names = state.names
    members = state.members
    if members == 1:
        return RemovalRefusal.LAST
    others = names[:index] + names[index + 1 :]
    needed = quorum(members - 1)
    if sum([name.started for name in others]) < needed:
        return RemovalRefusal.NOT_ENOUGH_STARTED
    if names[index].votes and state.voting - 1 < needed:
        return RemovalRefusal.UNHEALTHY
    return None


# ------------------------------------------------------------------------------------
# What people and the cloud do to one etcd cluster: one state in, its results out
#
# Every function is a pure map from one state to the states that may follow, before
# etcd or etcd-manager react. ``due`` is where leadership hides: an instance that
# stops or starts may be, or may become, the leader, and a leader that is new reads
# the control spec again.


def stop(state: EtcdState, index: int) -> tuple[EtcdState, ...]:
    """The instance of a name stops: killed, terminated, or taken down in a roll.

    If it led, its successor reads the control spec; nobody knows whether it did.
    """
    stopped = WHEN_STOPPED.get(state.names[index])
    if stopped is None:
        return (state,)
    down = state.put(index, stopped)
    if not down.any_up:
        return (down._replace(due=False),)
    return _maybe_due(down)


def start(
    state: EtcdState, index: int, *, fresh: bool = False
) -> tuple[EtcdState, ...]:
    """The instance of a name starts, with whatever its disk holds.

    ``fresh`` says that the name was never seen before: a new peer makes the leader
    resign, so the control spec is certainly read again. So it is when nobody else
    is up.
    """
    started = WHEN_STARTED.get(state.names[index])
    if started is None:
        return (state,)
    up = state.put(index, started)
    alone = sum([name.up for name in up.names]) == 1
    if alone or (fresh and started.idle):
        return (up._replace(due=True),)
    return _maybe_due(up)


def wipe(state: EtcdState, index: int) -> tuple[EtcdState, ...]:
    """The disk of a name is deleted; a running instance is replaced with it."""
    name = state.names[index]
    if not name.up:
        return (state.put(index, WHEN_WIPED.get(name, name)),)
    results: dict[EtcdState, None] = {}
    for down in stop(state, index):
        name = down.names[index]
        gone = down.put(index, WHEN_WIPED.get(name, name))
        results.update(dict.fromkeys(start(gone, index)))
    return tuple(results)


def remove(state: EtcdState, index: int) -> EtcdState | None:
    """``etcdctl member remove`` of a name: the state after it, or None if refused.

    A name that is not in the member list is refused too: etcd knows no such member.
    """
    left = WHEN_REMOVED.get(state.names[index])
    if left is None or refusal(state, index) is not None:
        return None
    return state.put(index, left)


def add(state: EtcdState, index: int) -> EtcdState | None:
    """``etcdctl member add`` of a name, or None if etcd refuses it.

    Quorum rises at once, whether or not an instance is there to join. The data of
    a removed member does not make one of it again: only an empty disk joins.
    """
    added = WHEN_ADDED.get(state.names[index])
    whole = state.writable and not any(name.unhealthy for name in state.names)
    return state.put(index, added) if added is not None and whole else None


def _maybe_due(state: EtcdState) -> tuple[EtcdState, ...]:
    if state.due:
        return (state,)
    return (state, state._replace(due=True))


def reread_if_all_restarted(
    state: EtcdState, published: int, unrestarted: frozenset[int]
) -> EtcdState:
    """Make a re-read due once nobody runs who has not started since publication.

    ``unrestarted`` are the names whose instances have been running since before
    the last publication. Whoever leads now has read the control spec since.
    """
    if state.due or state.read == published:
        return state
    running = (index for index, name in enumerate(state.names) if name.up)
    if any(index in unrestarted for index in running):
        return state
    return state._replace(due=True)
