"""The way back of a cluster that was seen broken: the best order that is left.

Nothing that loses data comes before what loses none. The order is that of 109 recorded
runs: the disks of lost members, the removal of dead members while quorum holds, one
survivor that is made the only member, and a backup at last. Each way is followed in the
model from every state that fits what was seen, and none is offered that may end
anywhere else than whole. What is printed of it is not known here.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from kopslint.model.etcd.state import Data, EtcdState, MemberState
from kopslint.model.observed import quiet
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kopslint.model.etcd.explore import StateSet


class Way(Enum):
    """What is left to do, in the order in which it is to be tried."""

    NOTHING = "nothing"
    """Every member votes, and nobody else is there."""
    RETURN = "return"
    """The machines of lost members come back with the disks that they had."""
    MEND = "mend"
    """Dead members leave the list; those that are wanted come back with empty disks."""
    FORCE = "force"
    """One survivor becomes the only member with its data; all others start empty."""
    RESTORE = "restore"
    """A backup is restored: what was written since is lost."""


_READY = (MemberState.VOTING, MemberState.REPLACED, MemberState.IDLE)


def seen(state_set: StateSet) -> StateSet:
    """The states that were seen, before anything may have happened since."""
    while state_set.event is not None:
        (state_set, *_) = state_set.event.before
    return quiet(state_set)


class Condition(Record):
    """What an etcd cluster is like, over all states that fit what was seen.

    ``names`` has what there may be of each member name. ``quorum`` is None where it may
    hold or not. ``wanted`` are the members that the spec has.
    """

    names: Mapping[str, frozenset[MemberState]]
    quorum: bool | None
    wanted: tuple[str, ...]
    queued: bool = False
    split: bool = False

    def surely(self, name: str, *kinds: MemberState) -> bool:
        """Whether a name is one of ``kinds`` in every state."""
        return self.names[name] <= {*kinds}

    @property
    def whole(self) -> bool:
        """Whether exactly the wanted members vote, and nobody else is there."""
        return not self.queued and all(
            self.surely(name, MemberState.VOTING)
            if name in self.wanted
            else not any(kind.listed or kind.up for kind in kinds)
            for name, kinds in self.names.items()
        )

    @property
    def to_remove(self) -> tuple[str, ...]:
        """Members that may be listed and never vote: dead, or not to be started."""
        return tuple(
            name
            for name, kinds in self.names.items()
            if any(kind.listed for kind in kinds)
            and not any(kind.votes for kind in kinds)
        )

    @property
    def to_rebuild(self) -> tuple[str, ...]:
        """Wanted members that have to start anew with an empty disk.

        An empty machine that waits is one of them where several things are amiss:
        etcd-manager may be adding it, and it must not while a member is removed.
        """
        lost = [n for n in self.wanted if not self.surely(n, *_READY)]
        waiting = [n for n in self.wanted if self._waits(n)]
        if len({*waiting, *self.to_remove, *lost}) > 1:
            lost += [name for name in waiting if name not in lost]
        return tuple(name for name in self.wanted if name in lost)

    def _waits(self, name: str) -> bool:
        return any(kind.up and kind.disk == "empty" for kind in self.names[name])

    @property
    def to_stop(self) -> tuple[str, ...]:
        """Those whose machine runs without a vote: it stops before a removal."""
        return tuple(
            name
            for name in self.to_rebuild
            if any(kind.up for kind in self.names[name])
            and not any(kind.votes for kind in self.names[name])
        )

    @property
    def strangers(self) -> tuple[str, ...]:
        """Members that vote, or run, and that the spec does not have."""
        return tuple(
            name
            for name, kinds in self.names.items()
            if name not in self.wanted and any(kind.up for kind in kinds)
        )

    @property
    def survivors(self) -> tuple[str, ...]:
        """Members whose data is there for certain: those that run, or else others."""
        run = tuple(n for n in self.names if self.surely(n, MemberState.VOTING))
        there = tuple(n for n in self.wanted if self.surely(n, MemberState.DOWN))
        return run or there


def condition(state_set: StateSet, wanted: Iterable[str]) -> Condition:
    """What was seen of an etcd cluster, put together."""
    first = seen(state_set)
    writable = {state.writable for state in first.states}
    return Condition(
        {
            name: frozenset(state.names[index] for state in first.states)
            for index, name in enumerate(first.names)
        },
        writable.pop() if len(writable) == 1 else None,
        tuple(wanted),
        any(state.restore is not None for state in first.states),
        any(state.older_writable for state in first.states),
    )


def best(state_set: StateSet, wanted: Collection[str]) -> Way | None:
    """The first way that surely leads back; None where what was seen does not tell.

    A way by lost disks is tried though they may be gone, since it harms nothing.
    """
    now = condition(state_set, wanted)
    if now.whole:
        return Way.NOTHING
    if now.quorum is None or now.split:
        return None
    if now.quorum:
        mends = not now.strangers and leads_back(Way.MEND, state_set, wanted)
        return Way.MEND if mends else None
    for way in (Way.RETURN, Way.FORCE, Way.RESTORE):
        if leads_back(way, state_set, wanted):
            return way
    return None


def leads_back(way: Way, state_set: StateSet, wanted: Collection[str]) -> bool:
    """Whether a way may be tried: in every state, or for lost disks in some."""
    now = condition(state_set, wanted)
    if way is Way.RETURN:
        return _may_return(state_set, now)
    if way is Way.FORCE and (
        state_set.software.forces_cleanly is not True or not now.survivors
    ):
        return False
    done = carried_out(way, state_set, wanted)
    return all(_is_whole(state, done, wanted) for state in done.settled)


def _may_return(state_set: StateSet, now: Condition) -> bool:
    """Whether lost disks, if they are there, bring quorum back and expel nobody.

    No more may return than are published: the others would be expelled.
    """
    coming = [
        index
        for index, name in enumerate(state_set.names)
        if name in now.wanted and MemberState.DOWN in now.names[name]
    ]
    first = seen(state_set)
    for state in first.states:
        back = _with_disks(state, coming)
        peers = sum(name.counts_as_peer for name in back.names)
        count = first.published if state.wrote is None else state.wrote
        waits = state.restore is not None or state.held is not None
        if not waits and back.writable and peers <= count:
            return True
    return False


def _with_disks(state: EtcdState, indexes: Iterable[int]) -> EtcdState:
    for index in indexes:
        if state.names[index] is MemberState.DOWN:
            state = state.put(index, MemberState.VOTING)
    return state


def _is_whole(state: EtcdState, state_set: StateSet, wanted: Collection[str]) -> bool:
    return (
        state.data in (Data.KEPT, Data.ROLLED_BACK)
        and not state.older_writable
        and all(
            member.votes if name in wanted else not member.listed
            for name, member in zip(state_set.names, state.names, strict=True)
        )
    )


def carried_out(way: Way, state_set: StateSet, wanted: Collection[str]) -> StateSet:
    """The states that a way leads to, from those that were seen.

    Nobody's machine comes back by itself meanwhile: the way says who does, and when.
    Whoever takes it sees first that all is still as it was seen.
    """
    now = condition(state_set, wanted)
    at = seen(state_set).replaced(returns=frozenset(), stuck=frozenset())
    match way:
        case Way.NOTHING:
            return at
        case Way.RETURN:
            for name in wanted:
                if any(not kind.up for kind in now.names[name]):
                    at = at.start(name)
            return at.where(lambda state: state.writable)
        case Way.MEND:
            if now.queued:
                at = at.forget_restore()
            for name in now.to_stop:
                at = at.stop(name)
            for name in removals_in_order(now):
                at = at.remove([name])
            return _rebuilt(at, now.to_rebuild)
        case Way.FORCE:
            (survivor, *_) = now.survivors
            others = [name for name in at.names if name != survivor]
            for name in others:
                at = at.stop(name).wipe(name)
            at = at.start(survivor).force(survivor)
            for name in wanted:
                if name != survivor:
                    at = at.start(name)
            return at
        case Way.RESTORE:
            kept = {*now.survivors}
            for name in at.names:
                if name not in kept:
                    at = at.stop(name).wipe(name)
            for name in wanted:
                at = at.start(name)
            return at.restore(len(wanted))


def removals_in_order(now: Condition) -> tuple[str, ...]:
    """Whom to take out by hand: those that are gone for good first."""
    rebuilt = [n for n in now.to_rebuild if n not in now.to_remove and _listed(now, n)]
    return (*now.to_remove, *rebuilt)


def _listed(now: Condition, name: str) -> bool:
    return any(kind.listed for kind in now.names[name])


def _rebuilt(at: StateSet, names: Iterable[str]) -> StateSet:
    """Machines go, their disks with them, and come back empty."""
    for name in names:
        at = at.stop(name).wipe(name)
    for name in names:
        at = at.start(name)
    return at
