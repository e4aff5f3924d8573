"""Everything that may be true of one etcd cluster at one moment.

``StateSet`` is the immutable value that a simulation carries from command to
command. It holds all reachable worlds, what they share (the published count, who
comes back by itself) and how it came about, so that the shortest course of events
to any one world can be told afterwards.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from kopslint.model.etcd import transitions
from kopslint.model.etcd.state import EtcdState, initial
from kopslint.model.etcd.transitions import (
    Kind,
    Pace,
    Transition,
    enabled_transitions,
    refusal,
    start,
)
from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# ------------------------------------------------------------------------------------
# Following every move: what may be reached, and what it settles into
#
# Two notions of time are all that a list of commands needs. Between two commands any
# number of moves may have happened, none included (``reachable``). Left alone for
# long enough, every move has happened (``settled``).

MAX_WORLDS = 20_000
"""How many worlds of one etcd cluster are followed; more is said, never dropped
silently. Ordinary lists need fewer than a hundred."""


class TooManyStatesError(Exception):
    """More worlds are possible than are followed; carries those that were."""

    def __init__(self, worlds: frozenset[EtcdState]) -> None:
        super().__init__(f"more than {MAX_WORLDS} possible states")
        self.worlds = worlds


@lru_cache(maxsize=1 << 16)
def successors(
    world: EtcdState,
    published: int,
    returns: frozenset[int],
    replaces: bool | None = True,
) -> tuple[Transition, ...]:
    """Every move from ``world``, the cloud's included.

    ``returns`` are the names whose instance comes back by itself when it is gone,
    because a group in the cloud asks for it. ``replaces`` is as for ``moves``.
    """
    found = list(enabled_transitions(world, published, replaces=replaces))
    for index in sorted(returns):
        if not world.names[index].up:
            found.extend(
                Transition(Kind.RETURNS, index, Pace.MEDIUM, back)
                for back in start(world, index)
            )
    return tuple(found)


def reachable(
    worlds: Iterable[EtcdState],
    published: int,
    returns: frozenset[int],
    *,
    replaces: bool | None = True,
) -> frozenset[EtcdState]:
    """Every world that any number of moves leads to, none included.

    Raises ``TooManyWorldsError`` at the bound.
    """
    return _closure(frozenset(worlds), published, returns, replaces, MAX_WORLDS)


# The etcd clusters of one control plane mostly go through the same states.
@lru_cache(maxsize=128)
def _closure(
    worlds: frozenset[EtcdState],
    published: int,
    returns: frozenset[int],
    replaces: bool | None,
    most: int,
) -> frozenset[EtcdState]:
    seen = set(worlds)
    waiting = list(seen)
    while waiting:
        for move in successors(waiting.pop(), published, returns, replaces):
            if move.world not in seen:
                seen.add(move.world)
                waiting.append(move.world)
        if len(seen) > most:
            raise TooManyStatesError(frozenset(seen))
    return frozenset(seen)


def settled(
    worlds: Iterable[EtcdState],
    published: int,
    returns: frozenset[int],
    *,
    replaces: bool | None = True,
) -> frozenset[EtcdState]:
    """Those of ``worlds`` (all reachable ones) in which nothing more must happen."""
    return frozenset(
        world
        for world in worlds
        if all(
            move.pace is Pace.PERHAPS
            for move in successors(world, published, returns, replaces)
        )
    )


class Event(Record):
    """How worlds came about: from which ones, and by which function on one world.

    ``label`` is empty for bookkeeping that people need not hear of.
    """

    label: str
    step: Callable[[EtcdState], Iterable[EtcdState]]
    before: tuple[StateSet, ...]


class StateSet(Frozen, uncompared=("event",)):
    """All worlds of one etcd cluster that are possible now.

    ``names`` are all member names, in a fixed order; ``published`` is the count in
    the control spec; ``returns`` are the indexes whose instance comes back by
    itself; ``unrestarted`` those whose instance runs since before the last
    publication; ``known`` those that have ever run. ``replaces`` is whether this
    etcd-manager replaces a member whose disk is empty, None if that is not known.
    ``truncated`` says that there were too many worlds to follow them all.
    """

    names: tuple[str, ...]
    worlds: frozenset[EtcdState]
    published: int
    returns: frozenset[int]
    unrestarted: frozenset[int]
    known: frozenset[int]
    replaces: bool | None = True
    truncated: bool = False
    event: Event | None = None

    @classmethod
    def healthy(
        cls,
        names: Iterable[str],
        members: Iterable[str],
        *,
        replaces: bool | None = True,
    ) -> StateSet:
        """A cluster in which every one of ``members`` votes, and nothing else is up."""
        order = tuple(names)
        present = frozenset(order.index(member) for member in members)
        world = initial(len(order), present, len(present))
        return cls(
            names=order,
            worlds=frozenset({world}),
            published=len(present),
            returns=present,
            unrestarted=present,
            known=present,
            replaces=replaces,
        )

    def index(self, name: str) -> int:
        """The index of a member name."""
        return self.names.index(name)

    @cached_property
    def settled(self) -> frozenset[EtcdState]:
        """The worlds this comes to if it is left alone for long enough."""
        return settled(
            self.worlds, self.published, self.returns, replaces=self.replaces
        )

    def moves(self, world: EtcdState) -> tuple[Transition, ...]:
        """Every move that may come next in one of the worlds, the cloud's included."""
        return successors(world, self.published, self.returns, self.replaces)

    # What people and the cloud do. Each gives the worlds reachable afterwards.

    def stop(self, name: str) -> StateSet:
        """The instance of ``name`` stops."""
        index = self.index(name)
        return self._restarted(
            f"{name} goes down", index, lambda w: transitions.stop(w, index)
        )

    def start(self, name: str) -> StateSet:
        """The instance of ``name`` starts, with the disk that it has."""
        index = self.index(name)
        fresh = index not in self.known
        after = self._restarted(
            f"{name} comes up",
            index,
            lambda w: transitions.start(w, index, fresh=fresh),
        )
        return after.replaced(known=self.known | {index})

    def wipe(self, name: str) -> StateSet:
        """The disk of ``name`` is deleted."""
        index = self.index(name)
        return self._restarted(
            f"the disk of {name} is deleted",
            index,
            lambda w: transitions.wipe(w, index),
        )

    def publish(self, count: int) -> StateSet:
        """A member count is written to the control spec; nobody reads it yet."""
        running = frozenset(
            index
            for world in self.worlds
            for index, member in enumerate(world.names)
            if member.up
        )
        shared = self.replaced(published=count, unrestarted=running)
        label = f"member count {count} is published"
        return self._after(label, lambda world: (world,), shared)

    def returning(self, names: Iterable[str]) -> StateSet:
        """From now on exactly the instances of ``names`` come back by themselves."""
        returns = frozenset(self.index(name) for name in names)
        if returns == self.returns:
            return self
        return self._after("", lambda w: (w,), self.replaced(returns=returns))

    def remove(self, names: Iterable[str]) -> StateSet:
        """``etcdctl member remove`` of one of ``names``: a dead one if there is one.

        Where etcd refuses it, or none of them is a member, nothing changes.
        """
        indexes = tuple(self.index(name) for name in names)

        def step(world: EtcdState) -> tuple[EtcdState, ...]:
            return tuple(
                transitions.remove(world, index) or world
                for index in _targets(world, indexes)
            ) or (world,)

        who = " or ".join(self.names[index] for index in indexes)
        return self._after(f"{who} is removed from the member list by hand", step)

    def removal_refusals(self, names: Iterable[str]) -> frozenset[str | None]:
        """Why etcd refuses such a removal, over all worlds; None where it agrees."""
        indexes = tuple(self.index(name) for name in names)
        answers: set[str | None] = set()
        gone = "it is no member any more" if len(indexes) == 1 else "none is a member"
        for world in self.worlds:
            targets = _targets(world, indexes)
            if not targets:
                answers.add(gone)
            for index in targets:
                why = refusal(world, index)
                answers.add(why.value if why is not None else None)
        return frozenset(answers)

    def add(self, name: str) -> StateSet:
        """``etcdctl member add`` of ``name``; where refused, nothing changes."""
        index = self.index(name)

        def step(world: EtcdState) -> tuple[EtcdState, ...]:
            return (transitions.add(world, index) or world,)

        return self._after(f"{name} is added to the member list", step)

    def restore(self, count: int) -> StateSet:
        """A restore command is queued; it runs at the next re-read."""
        return self._after(
            "a restore is queued", lambda w: (w._replace(restore=count),)
        )

    def restart_managers(self) -> StateSet:
        """Every etcd-manager restarts, and the leader has read the control spec.

        Whoever restarts them does so to have it read, and looks whether it was.
        """
        restarted = self._after(
            "the etcd-managers restart",
            lambda w: (w._replace(due=w.any_up),),
        )
        return restarted.where(lambda world: not world.due)

    def where(self, holds: Callable[[EtcdState], bool]) -> StateSet:
        """Only the worlds in which ``holds`` is true; may be none."""
        return self._narrowed(frozenset(w for w in self.worlds if holds(w)))

    def wait(self) -> StateSet:
        """Enough time passes for everything that can happen by itself."""
        return self._narrowed(self.settled)

    def joined(self, other: StateSet) -> StateSet:
        """The worlds of both; published count and returning instances must agree."""
        if self.worlds >= other.worlds and self.unrestarted >= other.unrestarted:
            return self
        return self.replaced(
            worlds=self.worlds | other.worlds,
            unrestarted=self.unrestarted | other.unrestarted,
            known=self.known & other.known,
            truncated=self.truncated or other.truncated,
            event=Event("", lambda world: (world,), (self, other)),
        )

    def _restarted(
        self, label: str, index: int, step: Callable[[EtcdState], Iterable[EtcdState]]
    ) -> StateSet:
        unrestarted = self.unrestarted - {index}
        published = self.published

        def after(world: EtcdState) -> tuple[EtcdState, ...]:
            return tuple(
                transitions.reread_if_all_restarted(result, published, unrestarted)
                for result in step(world)
            )

        return self._after(label, after, self.replaced(unrestarted=unrestarted))

    def _after(
        self,
        label: str,
        step: Callable[[EtcdState], Iterable[EtcdState]],
        shared: StateSet | None = None,
    ) -> StateSet:
        """The worlds reachable after ``step``; ``shared`` has what they share then."""
        then = shared or self
        worlds = frozenset(result for world in self.worlds for result in step(world))
        truncated = self.truncated
        try:
            worlds = reachable(
                worlds, then.published, then.returns, replaces=then.replaces
            )
        except TooManyStatesError as error:
            worlds, truncated = error.worlds, True
        event = Event(label, step, (self,))
        return then.replaced(worlds=worlds, truncated=truncated, event=event)

    def _narrowed(self, worlds: frozenset[EtcdState]) -> StateSet:
        if worlds == self.worlds:
            return self
        event = Event("", lambda w: (w,) if w in worlds else (), (self,))
        return self.replaced(worlds=worlds, event=event)


def _targets(world: EtcdState, indexes: tuple[int, ...]) -> tuple[int, ...]:
    """Which of ``indexes`` a person would remove: the dead members, else any."""
    listed = tuple(i for i in indexes if world.names[i].listed)
    dead = tuple(i for i in listed if not world.names[i].up)
    return dead or listed
