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
    USUAL,
    WHEN_ADDED,
    WHEN_REMOVED,
    WHEN_STARTED,
    WHEN_STOPPED,
    WHEN_WIPED,
    Data,
    EtcdState,
    Lead,
    MemberState,
    Upgrade,
    View,
    quorum,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.model.etcd.state import Software


class Pace(Enum):
    """How soon a transition that can happen has certainly happened."""

    FAST = auto()
    MEDIUM = auto()
    SLOW = auto()
    LATE = auto()
    PERHAPS = auto()
    """It may as well never happen: not every etcd-manager makes it."""


class Kind(Enum):
    """What happens by itself: by etcd, by etcd-manager, or by the cloud."""

    JOINS = auto()
    READS = auto()
    RESTORES = auto()
    OVERWRITES = auto()
    ADDS = auto()
    REMOVES = auto()
    REPLACES = auto()
    FREES = auto()
    UPGRADES = auto()
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
    state: EtcdState, published: int, software: Software = USUAL
) -> Iterator[Transition]:
    """Every transition that etcd or etcd-manager may make next in ``state``.

    ``published`` is the member count in the control spec, as people have published it.
    Yields nothing if no instance is up.
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
            if state.data is Data.FORCED:
                voter = voter._replace(data=Data.DIVERGED)
            yield Transition(Kind.JOINS, index, Pace.FAST, voter)

    older = state.older_writable
    serves = writable or older
    yield from _reads(state, published, serves=serves)
    if state.due and state.lead is not None:
        # Whoever is to lead does nothing before it has read.
        return
    if state.held is not None:
        yield from _obeys(state, serves=serves)
        return
    if state.upgrade is Upgrade.STUCK:
        return
    # The leader asks peers for the member list until one answers. Where two clusters
    # serve at once it may be a peer of either.
    if writable:
        yield from _controls(state, software)
    if older:
        yield from _controls_older(state)


def _controls(state: EtcdState, software: Software) -> Iterator[Transition]:
    """What the leader does to the members: the first of its branches that applies."""
    members = state.members
    peers = sum([name.counts_as_peer for name in state.names])
    if members < state.read:
        yield from _adds(state, software)
    elif peers > state.read:
        yield from _removes(state)
    else:
        if software.replaces is not False and state.upgrade is not Upgrade.PENDING:
            pace = Pace.SLOW if software.replaces else Pace.PERHAPS
            yield from _replaces(state, pace)
        yield from _frees(state)
        yield from _upgrades(state)


def _reads(state: EtcdState, published: int, *, serves: bool) -> Iterator[Transition]:
    """The leader reads the control store: when due, or when it sees no member.

    Source: controller.go refreshes on a leadership change (``due``) and when etcd
    has no members it can see, unless a command waits; ControlRefreshInterval is ten
    years.
    """
    count = published if state.wrote is None else state.wrote
    news = (
        state.read != count
        or state.restore is not None
        or state.upgrade in (Upgrade.PUBLISHED, Upgrade.UNKNOWN)
    )
    if state.due or (not serves and news and state.held is None):
        yield Transition(Kind.READS, -1, Pace.FAST, read(state, count))


_WHEN_READ = {
    Upgrade.PUBLISHED: Upgrade.PENDING,
    Upgrade.UNKNOWN: Upgrade.STUCK,
}


def read(state: EtcdState, published: int) -> EtcdState:
    """The state in which the leader has read the control store.

    Only who leads anew counts its peers anew.
    """
    lead = state.lead
    return state._replace(
        read=published,
        due=False,
        held=state.restore,
        upgrade=_WHEN_READ.get(state.upgrade, state.upgrade),
        lead=lead._replace(acked=state.up) if lead and state.due else lead,
    )


def _obeys(state: EtcdState, *, serves: bool) -> Iterator[Transition]:
    """The leader carries out a restore command, or waits until it can.

    While one waits it does nothing else. With too few peers for the count of the
    command there is no new cluster, and the keys of the backup are put into the one
    that serves. Source: controller.go, newcluster.go and restore.go.
    """
    count = state.held
    live = [index for index, name in enumerate(state.names) if name.up]
    if count is None or len(live) < quorum(state.read):
        return
    done = state._replace(read=count, wrote=count, restore=None, held=None)
    # Each of its turns waits for every member that does not answer.
    slow = serves and any(name.dead for name in state.names)
    pace = Pace.SLOW if slow else Pace.MEDIUM
    if len(live) >= count or quorum(len(live)) == quorum(count):
        for chosen in combinations(live, min(count, len(live))):
            anew = renewed(done, chosen)
            yield Transition(Kind.RESTORES, -1, pace, anew)
    elif serves:
        data = Data.OVERWRITTEN if state.data is Data.KEPT else state.data
        put = done._replace(data=data)
        yield Transition(Kind.OVERWRITES, -1, pace, put)


def renewed(state: EtcdState, chosen: Iterable[int]) -> EtcdState:
    """A new cluster of ``chosen`` names with the data of a backup.

    Other live peers lose theirs and are idle. Members that are down keep the disk of
    the cluster that was.
    """
    chosen = frozenset(chosen)
    names: list[MemberState] = []
    ghosts = 0
    orphans = any(name is MemberState.DOWN for name in state.names)
    for index, name in enumerate(state.names):
        ghosts += name.listed and name is not MemberState.DOWN
        if index in chosen:
            names.append(MemberState.VOTING)
        elif name.up:
            names.append(MemberState.IDLE)
        elif name is MemberState.DOWN:
            names.append(MemberState.OLDER_DOWN)
        elif name is MemberState.OLDER_DOWN:
            names.append(MemberState.LEFT if orphans else name)
        else:
            names.append(WHEN_REMOVED.get(name, name))
    if not orphans:
        ghosts = state.older_members - sum([name.older for name in names])
    if not any(name.older for name in names):
        ghosts = 0
    return state._replace(names=tuple(names), ghosts=ghosts, data=Data.ROLLED_BACK)


def may_add(state: EtcdState, software: Software) -> bool | None:
    """Whether etcd takes one more member; None if that depends on its version.

    Source: etcd's strict reconfiguration check. It refuses an addition while a member
    is not connected; newer ones while there would be no quorum with the new one, or
    while too few members have started (``IsReadyToAddVotingMember``).
    """
    if not state.writable:
        return False
    if not any(name.unhealthy for name in state.names):
        return True
    if software.adds_beside_dead is False:
        return False
    needed = quorum(state.members + 1)
    started = sum([name.started for name in state.names])
    if started < needed or state.voting < needed:
        return False
    return software.adds_beside_dead


def _adds(state: EtcdState, software: Software) -> Iterator[Transition]:
    """One idle peer is added, where etcd takes one."""
    allowed = may_add(state, software)
    if allowed is False:
        return
    names = state.names
    pace = Pace.SLOW if any(name.unhealthy for name in names) else Pace.FAST
    for index, name in enumerate(names):
        if name.idle:
            joining = state.put(index, MemberState.JOINING)
            yield Transition(
                Kind.ADDS, index, pace if allowed else Pace.PERHAPS, joining
            )


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

    Source: replacement.go, which older releases of etcd-manager do not have. It does
    nothing while etcd is to be upgraded.
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
    if not any(map(_has_no_cluster, names)):
        return
    if members <= 2 or members <= state.read:
        return
    for index, name in enumerate(names):
        if name.unhealthy:
            left = state.put(index, WHEN_REMOVED[name])
            yield Transition(Kind.FREES, index, Pace.LATE, left)


def _has_no_cluster(name: MemberState) -> bool:
    return name.up and name.disk == "empty"


def _upgrades(state: EtcdState) -> Iterator[Transition]:
    """Every member is upgraded, once all are healthy and as many as they should be.

    Source: upgrade.go, prepareForUpgrade.
    """
    if state.upgrade is not Upgrade.PENDING or state.members != state.read:
        return
    if not any(name.unhealthy for name in state.names):
        upgraded = state._replace(upgrade=Upgrade.NONE)
        yield Transition(Kind.UPGRADES, -1, Pace.MEDIUM, upgraded)


def _controls_older(state: EtcdState) -> Iterator[Transition]:
    """What the leader does to the members of the cluster before a restore.

    It serves again, and nothing tells the leader that it is another one.
    """
    names = state.names
    members, voting = state.older_members, state.older_voting
    peers = sum([name.counts_as_peer for name in names])
    if members < state.read:
        for index, name in enumerate(names):
            if name.idle and voting >= quorum(members + 1):
                joined = state.put(index, MemberState.OLDER)
                yield Transition(Kind.ADDS, index, Pace.SLOW, joined)
        return
    frees = members > state.read and any(map(_has_no_cluster, names))
    if peers <= state.read and not frees:
        return
    kind = Kind.REMOVES if peers > state.read else Kind.FREES
    pace = Pace.MEDIUM if peers > state.read else Pace.LATE
    down = [i for i, name in enumerate(names) if name is MemberState.OLDER_DOWN]
    if state.ghosts:
        yield Transition(kind, -1, pace, state._replace(ghosts=state.ghosts - 1))
    for index in down:
        yield Transition(kind, index, pace, state.put(index, MemberState.LEFT))
    if state.ghosts or down or kind is Kind.FREES or members == 1:
        return
    if voting - 1 >= quorum(members - 1):
        for index, name in enumerate(names):
            if name is MemberState.OLDER:
                left = state.put(index, MemberState.EXPELLED)
                yield Transition(kind, index, pace, left)


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
# the control spec again. Where the order of leading is known, so is who does.


def stop(
    state: EtcdState, index: int, software: Software = USUAL
) -> tuple[EtcdState, ...]:
    """The instance of a name stops: killed, terminated, or taken down in a roll.

    If it led, its successor reads the control spec; where the order in which they lead
    is not known, nobody knows whether it did.
    """
    stopped = WHEN_STOPPED.get(state.names[index])
    if stopped is None:
        return (state,)
    down = state.put(index, stopped)
    if state.lead is not None:
        return _led(down, software, gone=index)
    if not down.any_up:
        return (down._replace(due=False, held=None),)
    return _maybe_due(down)


def start(
    state: EtcdState, index: int, software: Software = USUAL, *, fresh: bool = False
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
    if state.lead is not None:
        return _led(up, software)
    alone = sum([name.up for name in up.names]) == 1
    if alone or (fresh and started.idle):
        return (up._replace(due=True),)
    return _maybe_due(up)


def wipe(
    state: EtcdState, index: int, software: Software = USUAL
) -> tuple[EtcdState, ...]:
    """The disk of a name is deleted; a running instance is replaced with it."""
    name = state.names[index]
    if not name.up:
        gone = state.put(index, WHEN_WIPED.get(name, name))
        return (gone if any(n.older for n in gone.names) else gone._replace(ghosts=0),)
    results: dict[EtcdState, None] = {}
    for down in stop(state, index, software):
        for gone in wipe(down, index):
            results.update(dict.fromkeys(start(gone, index, software)))
    return tuple(results)


def restart(state: EtcdState, indexes: Iterable[int]) -> tuple[EtcdState, ...]:
    """The etcd-managers of names restart at once, sooner than anybody misses them.

    One that was the leader, and is again, reads the control spec.
    """
    lead, again = state.lead, frozenset(indexes)
    if lead is None:
        everyone = all(i in again for i, name in enumerate(state.names) if name.up)
        due = state._replace(due=state.any_up)
        return (due,) if everyone else _maybe_due(state)
    past = tuple(view for view in lead.past if view.who not in again)
    if lead.leader not in again:
        return (state._replace(lead=lead._replace(past=past)),)
    anew = lead._replace(acked=0, past=past)
    return (state._replace(due=True, held=None, lead=anew),)


def remove(state: EtcdState, index: int) -> EtcdState | None:
    """``etcdctl member remove`` of a name: the state after it, or None if refused.

    A name that is not in the member list is refused too: etcd knows no such member.
    """
    left = WHEN_REMOVED.get(state.names[index])
    if left is None or refusal(state, index) is not None:
        return None
    return state.put(index, left)


def removals(
    state: EtcdState, index: int, software: Software = USUAL
) -> tuple[EtcdState, ...]:
    """Every state that may follow ``etcdctl member remove``; none if it is refused.

    Where etcd-manager has been trying to add a peer, and the removal is what etcd was
    waiting for, the addition may be under way with the list as it was: the new member
    then refuses to start for good. Measured: two of four times.
    """
    left = remove(state, index)
    if left is None:
        return ()
    return (left, *_cut_off(state, left, software))


def _cut_off(
    state: EtcdState, left: EtcdState, software: Software
) -> Iterator[EtcdState]:
    trying = state.members < state.read and may_add(state, software) is not True
    if not trying or state.held is not None or may_add(left, software) is False:
        return
    for index, name in enumerate(left.names):
        if name.idle and _has_no_cluster(state.names[index]):
            yield left.put(index, MemberState.LISTED_AGAIN)


def add(state: EtcdState, index: int, software: Software = USUAL) -> EtcdState | None:
    """``etcdctl member add`` of a name, or None if etcd refuses it.

    Quorum rises at once. etcd-manager starts no member that it has not added itself,
    and the data of a removed member does not make one of it again.
    """
    added = WHEN_ADDED.get(state.names[index])
    if added is None or may_add(state, software) is False:
        return None
    return state.put(index, added)


def force(
    state: EtcdState, index: int, software: Software = USUAL
) -> tuple[EtcdState, ...]:
    """``etcd --force-new-cluster`` is run on the data of one member.

    It is the only member from then on, and nothing is lost; all others are told that
    they were removed for good. Its etcd-manager was stopped for it, and starts again.
    """
    name = state.names[index]
    if not (name.listed and name.started and name.disk == "its own"):
        return (state,)
    names = [
        each if at == index else WHEN_REMOVED.get(each, each)
        for at, each in enumerate(state.names)
    ]
    alone = state._replace(names=tuple(names))
    outcomes: list[EtcdState] = []
    for data in _forced(state.data, software):
        forced = alone._replace(data=data)
        outcomes.extend(restart(forced, (index,)) if name.up else (forced,))
    return tuple(outcomes)


def _forced(data: Data, software: Software) -> tuple[Data, ...]:
    if data is not Data.KEPT or software.forces_cleanly is True:
        return (data,)
    return (Data.FORCED,) if software.forces_cleanly is False else (data, Data.FORCED)


def _maybe_due(state: EtcdState) -> tuple[EtcdState, ...]:
    if state.due:
        return (state,)
    return (state, state._replace(due=True))


def _led(state: EtcdState, software: Software, gone: int = -1) -> tuple[EtcdState, ...]:
    """The states after an instance came or went, where the order of leading is known.

    ``gone`` is the name whose instance went; what its etcd-manager knew is gone too.
    """
    lead, ranks = state.lead, software.ranks
    up = [index for index, name in enumerate(state.names) if name.up]
    if lead is None or ranks is None:
        return (state,)
    if not up:
        nobody = Lead(-1, 0)
        return (state._replace(due=False, held=None, lead=nobody),)
    leader = min(up, key=ranks.__getitem__)
    past = {view.who: view for view in lead.past if view.who != gone}
    if leader == lead.leader and leader != gone:
        unknown = state.up & ~lead.acked != 0
        then = lead._replace(past=_sorted(past))
        return (state._replace(due=state.due or unknown, lead=then),)
    before = lead.leader
    if before not in (-1, gone) and not (state.due and lead.acked == 0):
        past[before] = View(before, lead.acked, state.read, state.held)
    view = past.pop(leader, None)
    new = Lead(leader, 0, _sorted(past))
    first = state._replace(due=True, held=None, lead=new)
    if view is None:
        return (first,)
    unknown = state.up & ~view.acked != 0
    again = state._replace(
        read=view.read,
        held=view.held,
        due=unknown,
        lead=new._replace(acked=view.acked),
    )
    return (again,) if view.sure else (again, first)


def _sorted(past: dict[int, View]) -> tuple[View, ...]:
    return tuple(past[who] for who in sorted(past))


def reread_if_all_restarted(
    state: EtcdState, published: int, unrestarted: frozenset[int]
) -> EtcdState:
    """Make a re-read due once nobody runs who has not started since publication.

    ``unrestarted`` are the names whose instances have been running since before
    the last publication. Whoever leads now has read the control spec since.
    """
    if state.lead is not None or state.due or state.read == published:
        return state
    running = (index for index, name in enumerate(state.names) if name.up)
    if any(index in unrestarted for index in running):
        return state
    return state._replace(due=True)
