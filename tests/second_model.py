"""A second model of one etcd cluster, written from its description and not its code.

Both say of a member name what there is of it: a machine, a disk with some membership
or none, an entry in the member list, and whether that member ever started. Here all
that happens is worked out from these facts, where the first model has a name for each
combination and tables between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from kopslint.model.etcd.state import MemberState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.model.etcd.state import Disk, EtcdState


@dataclass(frozen=True)
class Name:
    """What there is of one member name."""

    up: bool = False
    disk: Disk = "empty"
    listed: bool = False
    started: bool = False

    @property
    def votes(self) -> bool:
        return self.up and self.listed and self.started and self.disk == "its own"

    @property
    def joining(self) -> bool:
        return self.up and self.listed and not self.started and self.disk == "its own"

    @property
    def idle(self) -> bool:
        return self.up and not self.listed and self.disk == "empty"

    @property
    def back_empty(self) -> bool:
        return self.up and self.listed and self.disk == "empty"

    @property
    def peer_with_state(self) -> bool:
        return self.up and self.disk != "empty"

    def out_of_the_list(self) -> Name:
        disk = self.disk if self.disk == "empty" else "of a removed member"
        return Name(up=self.up, disk=disk)

    def stopped(self) -> Name:
        return replace(self, up=False)

    def booted(self) -> Name:
        """One listed by hand, which has no data yet, is told to join at once."""
        told = self.listed and not self.started and self.disk == "empty"
        return replace(self, up=True, disk="its own" if told else self.disk)

    def wiped(self) -> Name:
        """A member keeps its entry. One that only a removed disk stood for is new."""
        was_own = self.disk == "its own"
        started = self.started or (self.listed and was_own)
        return replace(self, disk="empty", started=started)

    def added(self) -> Name:
        """A machine with an empty disk joins; without one there is an entry only."""
        joins = self.up and self.disk == "empty"
        disk = "its own" if joins else self.disk
        return replace(self, listed=True, disk=disk, started=False)


@dataclass(frozen=True)
class State:
    """One possible state of the etcd cluster."""

    names: tuple[Name, ...]
    read: int
    due: bool = False
    restore: int | None = None

    def count(self, holds: Callable[[Name], bool]) -> int:
        return sum(map(holds, self.names))

    @property
    def members(self) -> int:
        return self.count(lambda name: name.listed)

    @property
    def works(self) -> bool:
        return 2 * self.count(lambda name: name.votes) > self.members

    def put(self, place: int, name: Name) -> State:
        return replace(
            self, names=(*self.names[:place], name, *self.names[place + 1 :])
        )

    def may_lose(self, place: int) -> bool:
        """Whether etcd lets a member go: enough must be left, and healthy ones."""
        name, left = self.names[place], self.members - 1
        others = [n for i, n in enumerate(self.names) if i != place and n.listed]
        enough = left // 2 + 1
        return (
            self.works
            and name.listed
            and left > 0
            and sum(n.started for n in others) >= enough
            and (not name.votes or sum(n.votes for n in others) >= enough)
        )

    def without(self, places: list[int]) -> Iterator[State]:
        for place in places:
            yield self.put(place, self.names[place].out_of_the_list())

    def places(self, holds: Callable[[Name], bool]) -> list[int]:
        return [place for place, name in enumerate(self.names) if holds(name)]


def next_states(state: State, published: int, returns: frozenset[int]) -> set[State]:
    """Whatever may happen next by itself."""
    found = {
        state_after
        for place in returns
        if not state.names[place].up
        for state_after in started(state, place, fresh=False)
    }
    if state.count(lambda name: name.up) == 0:
        return found
    votes, joining = (
        state.count(lambda name: name.votes),
        state.places(lambda name: name.joining),
    )
    if 2 * (votes + len(joining)) > state.members:
        for place in joining:
            joined = replace(state.names[place], started=True)
            found.add(state.put(place, joined))
    sees_nobody = not state.works
    news = state.read != published or state.restore is not None
    if state.due or (sees_nobody and news):
        found |= set(read_again(state, published))
    if state.works:
        found |= set(controlled(state))
    return found - {state}


def read_again(state: State, published: int) -> Iterator[State]:
    seen = replace(state, read=published, due=False)
    if state.restore is None:
        yield seen
        return
    wanted = state.restore
    peers = state.places(lambda name: name.peer_with_state)
    taken = min(wanted, len(peers))
    if not taken or taken // 2 != wanted // 2:
        yield seen
        return
    for chosen in combinations(peers, taken):
        yield replace(
            seen,
            restore=None,
            names=tuple(
                Name(up=True, disk="its own", listed=True, started=True)
                if place in chosen
                else name.out_of_the_list()
                if name.listed
                else name
                for place, name in enumerate(state.names)
            ),
        )


def controlled(state: State) -> Iterator[State]:
    """One turn of etcd-manager's loop: the first of its branches that applies."""
    sick = state.places(lambda name: name.listed and not name.votes)
    idle = state.places(lambda name: name.idle)
    if state.members < state.read:
        for place in idle if not sick else []:
            yield state.put(place, state.names[place].added())
        return
    if state.count(lambda name: name.peer_with_state) > state.read:
        victims = sick or state.places(lambda name: name.votes)
        yield from state.without([p for p in victims if state.may_lose(p)])
        return
    empty = state.places(lambda name: name.back_empty)
    if len(empty) == 1 and state.read >= 3 and state.members == state.read:
        yield from state.without(empty)
    if (idle or empty) and state.members > 2 and state.members > state.read:
        yield from state.without(sick)


def lead_may_change(state: State) -> set[State]:
    return {state, replace(state, due=True)}


def stopped(state: State, place: int) -> set[State]:
    if not state.names[place].up:
        return {state}
    then = state.put(place, state.names[place].stopped())
    if then.count(lambda name: name.up) == 0:
        return {replace(then, due=False)}
    return lead_may_change(then)


def started(state: State, place: int, *, fresh: bool) -> set[State]:
    if state.names[place].up:
        return {state}
    then = state.put(place, state.names[place].booted())
    alone = then.count(lambda name: name.up) == 1
    if alone or (fresh and then.names[place].idle):
        return {replace(then, due=True)}
    return lead_may_change(then)


def removed(state: State, place: int) -> set[State]:
    return set(state.without([place])) if state.may_lose(place) else {state}


def added(state: State, place: int) -> set[State]:
    name = state.names[place]
    healthy = state.works and all(n.votes for n in state.names if n.listed)
    return {state.put(place, name.added())} if healthy and not name.listed else {state}


def emptied(state: State, place: int) -> set[State]:
    """The disk goes: beside the machine, or with it and back."""
    name = state.names[place]
    if not name.up:
        return {state.put(place, name.wiped())}
    return {
        back
        for down in stopped(state, place)
        for back in started(
            down.put(place, down.names[place].wiped()), place, fresh=False
        )
    }


NAMES = {
    member: Name(member.up, member.disk, member.listed, member.started)
    for member in MemberState
}
"""What the first model has a name for, by the same facts."""


def state_of(world: EtcdState) -> State:
    """The state of the second model that one of the first model is."""
    names = tuple(NAMES[member] for member in world.names)
    return State(names, world.read, world.due, world.restore)
