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

from kopslint.model.etcd.state import Data, MemberState, Upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.model.etcd.state import Disk, EtcdState


@dataclass(frozen=True)
class Release:
    """What etcd and etcd-manager can do, and in which order they lead, if known."""

    swaps: bool = True
    beside_dead: bool = False
    clean_force: bool = True
    order: tuple[int, ...] | None = None


OLD = Release()


@dataclass(frozen=True)
class Mind:
    """What a process knows that has led: the peers it counted, and what it read."""

    peers: frozenset[int]
    read: int
    held: int | None = None
    perhaps: bool = False


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
        return self.up and self.listed and self.started and self.disk == "empty"

    @property
    def without_a_cluster(self) -> bool:
        return self.up and self.disk == "empty"

    @property
    def of_before(self) -> bool:
        return self.disk == "of an older cluster"

    @property
    def peer_with_state(self) -> bool:
        return self.up and self.disk != "empty"

    def out_of_the_list(self) -> Name:
        disk = self.disk if self.disk == "empty" else "of a removed member"
        return Name(up=self.up, disk=disk)

    def stopped(self) -> Name:
        return replace(self, up=False)

    def booted(self) -> Name:
        return replace(self, up=True)

    def wiped(self) -> Name:
        """A member keeps its entry. One that only a removed disk stood for is new."""
        was_own = self.disk == "its own"
        started = self.started or (self.listed and was_own)
        return replace(self, disk="empty", started=started)

    def told_to_join(self) -> Name:
        """By etcd-manager, which starts it with the list of members."""
        return replace(self, listed=True, disk="its own", started=False)

    def written_down(self) -> Name:
        """By hand: an entry in the list, and nobody starts anything."""
        return replace(self, listed=True, started=False)


@dataclass(frozen=True)
class State:
    """One possible state of the etcd cluster."""

    names: tuple[Name, ...]
    read: int
    due: bool = False
    restore: int | None = None
    held: int | None = None
    wrote: int | None = None
    ghosts: int = 0
    data: Data = Data.KEPT
    upgrade: Upgrade = Upgrade.NONE
    minds: tuple[Mind | None, ...] | None = None
    """Of every process, where the order in which they lead is known."""
    leader: int = -1

    def count(self, holds: Callable[[Name], bool]) -> int:
        return sum(map(holds, self.names))

    @property
    def members(self) -> int:
        return self.count(lambda name: name.listed)

    @property
    def works(self) -> bool:
        return 2 * self.count(lambda name: name.votes) > self.members

    @property
    def up(self) -> frozenset[int]:
        return frozenset(self.places(lambda name: name.up))

    @property
    def before(self) -> tuple[int, int]:
        """Of the cluster before a restore: its members, and those that vote."""
        listed = self.ghosts + self.count(lambda name: name.of_before)
        return listed, self.count(lambda name: name.of_before and name.up)

    @property
    def before_works(self) -> bool:
        listed, votes = self.before
        return votes > 0 and 2 * votes > listed

    def takes_one_more(self, release: Release) -> bool:
        """Whether etcd agrees to another member."""
        listed = [name for name in self.names if name.listed]
        votes = sum(name.votes for name in listed)
        if not self.works:
            return False
        if votes == len(listed):
            return True
        with_it = (len(listed) + 1) // 2 + 1
        started = sum(name.started for name in listed)
        return release.beside_dead and min(votes, started) >= with_it

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


def next_states(
    state: State, published: int, returns: frozenset[int], release: Release = OLD
) -> set[State]:
    """Whatever may happen next by itself."""
    found = {
        state_after
        for place in returns
        if not state.names[place].up
        for state_after in started(state, place, fresh=False, release=release)
    }
    if not state.up:
        return found
    votes, joining = (
        state.count(lambda name: name.votes),
        state.places(lambda name: name.joining),
    )
    if 2 * (votes + len(joining)) > state.members:
        for place in joining:
            joined = replace(state.names[place], started=True)
            then = state.put(place, joined)
            spoilt = state.data is Data.FORCED
            found.add(replace(then, data=Data.DIVERGED) if spoilt else then)
    sees_nobody = not state.works and not state.before_works
    count = published if state.wrote is None else state.wrote
    unread = state.upgrade in (Upgrade.PUBLISHED, Upgrade.UNKNOWN)
    news = state.read != count or state.restore is not None or unread
    if state.due or (sees_nobody and news and state.held is None):
        found.add(read_again(state, count))
    if state.due and state.minds is not None:
        return found - {state}
    if state.held is not None:
        found |= set(carried_out(state))
    elif state.upgrade is not Upgrade.STUCK:
        if state.works:
            found |= set(controlled(state, release))
        if state.before_works:
            found |= set(controlled_before(state))
    return found - {state}


def read_again(state: State, count: int) -> State:
    seen = {
        Upgrade.PUBLISHED: Upgrade.PENDING,
        Upgrade.UNKNOWN: Upgrade.STUCK,
    }
    read = replace(
        state,
        read=count,
        due=False,
        held=state.restore,
        upgrade=seen.get(state.upgrade, state.upgrade),
    )
    return remembered(read, state.up) if state.due else remembered(read)


def remembered(state: State, peers: frozenset[int] | None = None) -> State:
    """The same, with what its leader knows kept in the leader's mind.

    ``peers`` are those that it counts, without them those that it counted.
    """
    if state.minds is None or state.leader < 0:
        return state
    minds = list(state.minds)
    before = minds[state.leader]
    if peers is None:
        peers = before.peers if before is not None else frozenset()
    minds[state.leader] = Mind(peers, state.read, state.held)
    return replace(state, minds=tuple(minds))


def carried_out(state: State) -> Iterator[State]:
    """What a restore command comes to that the leader has read."""
    wanted = state.held
    peers = sorted(state.up)
    if wanted is None or 2 * len(peers) <= state.read - state.read % 2:
        return
    done = replace(state, read=wanted, wrote=wanted, restore=None, held=None)
    done = remembered(done)
    taken = min(wanted, len(peers))
    if len(peers) < wanted and taken // 2 != wanted // 2:
        if state.works or state.before_works:
            mixed = state.data is Data.KEPT
            yield replace(done, data=Data.OVERWRITTEN) if mixed else done
        return
    downs = [n for n in state.names if n.listed and n.started and not n.up]
    left_behind = any(n.disk == "its own" for n in downs)
    for chosen in combinations(peers, taken):
        names = []
        gone = 0
        for place, name in enumerate(state.names):
            has_data = name.listed and name.started and name.disk == "its own"
            if place in chosen:
                names.append(Name(up=True, disk="its own", listed=True, started=True))
            elif name.up:
                names.append(Name(up=True))
            elif has_data:
                names.append(Name(disk="of an older cluster"))
            elif name.of_before:
                still = "of a removed member" if left_behind else name.disk
                names.append(Name(disk=still))
            else:
                names.append(name.out_of_the_list() if name.listed else name)
            gone += name.listed and (name.up or not has_data)
        if not left_behind:
            gone = state.before[0] - sum(name.of_before for name in names)
        if not any(name.of_before for name in names):
            gone = 0
        yield replace(done, names=tuple(names), ghosts=gone, data=Data.ROLLED_BACK)


def controlled(state: State, release: Release) -> Iterator[State]:
    """One turn of etcd-manager's loop: the first of its branches that applies."""
    sick = state.places(lambda name: name.listed and not name.votes)
    idle = state.places(lambda name: name.idle)
    if state.members < state.read:
        for place in idle if state.takes_one_more(release) else []:
            yield state.put(place, state.names[place].told_to_join())
        return
    if state.count(lambda name: name.peer_with_state) > state.read:
        victims = sick or state.places(lambda name: name.votes)
        yield from state.without([p for p in victims if state.may_lose(p)])
        return
    empty = state.places(lambda name: name.back_empty)
    swaps = release.swaps and state.upgrade is not Upgrade.PENDING
    whole = state.members == state.read
    if swaps and len(empty) == 1 and state.read >= 3 and whole:
        yield from state.without(empty)
    waiting = state.count(lambda name: name.without_a_cluster) > 0
    if waiting and state.members > 2 and state.members > state.read:
        yield from state.without(sick)
    if state.upgrade is Upgrade.PENDING and whole and not sick:
        yield replace(state, upgrade=Upgrade.NONE)


def controlled_before(state: State) -> Iterator[State]:
    """The same loop where a peer of the cluster before a restore answers."""
    listed, votes = state.before
    if listed < state.read:
        if 2 * votes > listed + 1:
            for place in state.places(lambda name: name.idle):
                then = Name(up=True, disk="of an older cluster")
                yield state.put(place, then)
        return
    too_many = state.count(lambda name: name.peer_with_state) > state.read
    waiting = state.count(lambda name: name.without_a_cluster) > 0
    if not too_many and not (waiting and listed > state.read):
        return
    removed_disk = Name(disk="of a removed member")
    sick = state.places(lambda name: name.of_before and not name.up)
    if state.ghosts:
        yield replace(state, ghosts=state.ghosts - 1)
    for place in sick:
        yield state.put(place, removed_disk)
    if too_many and not sick and not state.ghosts and listed > 1:
        for place in state.places(lambda name: name.of_before):
            if 2 * (votes - 1) > listed - 1:
                yield state.put(place, replace(removed_disk, up=True))


def lead_may_change(state: State) -> set[State]:
    return {state, replace(state, due=True)}


def led(state: State, release: Release, gone: int = -1) -> set[State]:
    """Who leads now, and with what in mind: the first in the order that is up."""
    assert state.minds is not None
    assert release.order is not None
    minds = [
        None if place == gone or not state.names[place].up else mind
        for place, mind in enumerate(state.minds)
    ]
    if not state.up:
        nobody = replace(state, due=False, held=None, leader=-1)
        return {replace(nobody, minds=tuple(minds))}
    first = min(state.up, key=release.order.__getitem__)
    then = replace(state, minds=tuple(minds), leader=first)
    mind = minds[first]
    if first == state.leader and first != gone:
        stranger = mind is not None and not state.up <= mind.peers
        return {replace(then, due=state.due or stranger)}
    minds[first] = None
    new = replace(then, due=True, held=None, minds=tuple(minds))
    if mind is None:
        return {new}
    minds[first] = replace(mind, perhaps=False)
    again = replace(
        then,
        read=mind.read,
        held=mind.held,
        due=not state.up <= mind.peers,
        minds=tuple(minds),
    )
    return {again, new} if mind.perhaps else {again}


def stopped(state: State, place: int, release: Release = OLD) -> set[State]:
    if not state.names[place].up:
        return {state}
    then = state.put(place, state.names[place].stopped())
    if state.minds is not None:
        return led(then, release, gone=place)
    if not then.up:
        return {replace(then, due=False, held=None)}
    return lead_may_change(then)


def started(
    state: State, place: int, *, fresh: bool, release: Release = OLD
) -> set[State]:
    if state.names[place].up:
        return {state}
    then = state.put(place, state.names[place].booted())
    if state.minds is not None:
        return led(then, release)
    if len(then.up) == 1 or (fresh and then.names[place].idle):
        return {replace(then, due=True)}
    return lead_may_change(then)


def restarted(state: State, places: frozenset[int]) -> set[State]:
    """Processes restart at once, and nobody misses them meanwhile."""
    if state.minds is None:
        everybody = state.up <= places
        due = replace(state, due=bool(state.up))
        return {due} if everybody else lead_may_change(state)
    minds = tuple(None if p in places else mind for p, mind in enumerate(state.minds))
    if state.leader not in places:
        return {replace(state, minds=minds)}
    return {replace(state, minds=minds, due=True, held=None)}


def removed(state: State, place: int, release: Release = OLD) -> set[State]:
    if not state.may_lose(place):
        return {state}
    (left,) = state.without([place])
    tries = state.members < state.read and not state.takes_one_more(release)
    if not tries or state.held is not None or not left.takes_one_more(release):
        return {left}
    unusable = Name(up=True, disk="of a removed member", listed=True)
    return {left} | {
        left.put(index, unusable)
        for index in left.places(lambda name: name.idle)
        if state.names[index].without_a_cluster
    }


def added(state: State, place: int, release: Release = OLD) -> set[State]:
    name = state.names[place]
    addable = not name.listed and not name.of_before
    if not addable or not state.takes_one_more(release):
        return {state}
    return {state.put(place, name.written_down())}


def forced(state: State, place: int, release: Release = OLD) -> set[State]:
    """One member is all that is left of the list; its process restarts."""
    name = state.names[place]
    if not (name.listed and name.started and name.disk == "its own"):
        return {state}
    names = (
        each if at == place or not each.listed else each.out_of_the_list()
        for at, each in enumerate(state.names)
    )
    spoilt = not release.clean_force and state.data is Data.KEPT
    data = Data.FORCED if spoilt else state.data
    alone = replace(state, names=tuple(names), data=data)
    return restarted(alone, frozenset({place})) if name.up else {alone}


def emptied(state: State, place: int, release: Release = OLD) -> set[State]:
    """The disk goes: beside the machine, or with it and back."""
    name = state.names[place]
    if not name.up:
        then = state.put(place, name.wiped())
        nobody = then.count(lambda name: name.of_before) == 0
        return {replace(then, ghosts=0) if nobody else then}
    return {
        back
        for down in stopped(state, place, release)
        for gone in emptied(down, place, release)
        for back in started(gone, place, fresh=False, release=release)
    }


NAMES = {
    member: Name(member.up, member.disk, member.listed, member.started)
    for member in MemberState
}
"""What the first model has a name for, by the same facts."""


def state_of(world: EtcdState) -> State:
    """The state of the second model that one of the first model is."""
    minds: list[Mind | None] | None = None
    leader = -1
    if world.lead is not None:
        places = range(len(world.names))
        minds = [None for _ in places]
        leader = world.lead.leader

        def peers(bits: int) -> frozenset[int]:
            return frozenset(place for place in places if bits >> place & 1)

        for view in world.lead.past:
            minds[view.who] = Mind(
                peers(view.acked), view.read, view.held, not view.sure
            )
        if world.lead.acked:
            minds[leader] = Mind(peers(world.lead.acked), world.read, world.held)
    return State(
        names=tuple(NAMES[member] for member in world.names),
        read=world.read,
        due=world.due,
        restore=world.restore,
        held=world.held,
        wrote=world.wrote,
        ghosts=world.ghosts,
        data=world.data,
        upgrade=world.upgrade,
        minds=tuple(minds) if minds is not None else None,
        leader=leader,
    )
