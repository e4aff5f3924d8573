"""Everything that may be true of one etcd cluster at one moment.

``Worlds`` is the immutable value that a simulation carries from command to
command. It holds all reachable worlds, what they share (the published count, who
comes back by itself) and how it came about, so that the shortest course of events
to any one world can be told afterwards.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.etcd import operations
from kopslint.etcd.explore import (
    TooManyWorldsError,
    reachable,
    settled,
    successors,
)
from kopslint.etcd.moves import refusal
from kopslint.etcd.world import MEMBERS, UP, World, initial
from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kopslint.etcd.moves import Move


class Event(Record):
    """How worlds came about: from which ones, and by which function on one world.

    ``label`` is empty for bookkeeping that people need not hear of.
    """

    label: str
    step: Callable[[World], Iterable[World]]
    before: tuple[Worlds, ...]


class Worlds(Frozen, uncompared=("event",)):
    """All worlds of one etcd cluster that are possible now.

    ``names`` are all member names, in a fixed order; ``published`` is the count in
    the control spec; ``returns`` are the indexes whose instance comes back by
    itself; ``unrestarted`` those whose instance runs since before the last
    publication; ``known`` those that have ever run. ``replaces`` is whether this
    etcd-manager replaces a member whose disk is empty, None if that is not known.
    ``truncated`` says that there were too many worlds to follow them all.
    """

    names: tuple[str, ...]
    worlds: frozenset[World]
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
    ) -> Worlds:
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
    def settled(self) -> frozenset[World]:
        """The worlds this comes to if it is left alone for long enough."""
        return settled(
            self.worlds, self.published, self.returns, replaces=self.replaces
        )

    def moves(self, world: World) -> tuple[Move, ...]:
        """Every move that may come next in one of the worlds, the cloud's included."""
        return successors(world, self.published, self.returns, self.replaces)

    # What people and the cloud do. Each gives the worlds reachable afterwards.

    def stop(self, name: str) -> Worlds:
        """The instance of ``name`` stops."""
        index = self.index(name)
        return self._restarted(
            f"{name} goes down", index, lambda w: operations.stop(w, index)
        )

    def start(self, name: str) -> Worlds:
        """The instance of ``name`` starts, with the disk that it has."""
        index = self.index(name)
        fresh = index not in self.known
        after = self._restarted(
            f"{name} comes up", index, lambda w: operations.start(w, index, fresh=fresh)
        )
        return after.replaced(known=self.known | {index})

    def wipe(self, name: str) -> Worlds:
        """The disk of ``name`` is deleted."""
        index = self.index(name)
        return self._restarted(
            f"the disk of {name} is deleted",
            index,
            lambda w: operations.wipe(w, index),
        )

    def publish(self, count: int) -> Worlds:
        """A member count is written to the control spec; nobody reads it yet."""
        running = frozenset(
            index
            for world in self.worlds
            for index, letter in enumerate(world.names)
            if letter in UP
        )
        shared = self.replaced(published=count, unrestarted=running)
        label = f"member count {count} is published"
        return self._after(label, lambda world: (world,), shared)

    def returning(self, names: Iterable[str]) -> Worlds:
        """From now on exactly the instances of ``names`` come back by themselves."""
        returns = frozenset(self.index(name) for name in names)
        if returns == self.returns:
            return self
        return self._after("", lambda w: (w,), self.replaced(returns=returns))

    def remove(self, names: Iterable[str]) -> Worlds:
        """``etcdctl member remove`` of one of ``names``: a dead one if there is one.

        Where etcd refuses it, or none of them is a member, nothing changes.
        """
        indexes = tuple(self.index(name) for name in names)

        def step(world: World) -> tuple[World, ...]:
            return tuple(
                operations.remove(world, index) or world
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

    def add(self, name: str) -> Worlds:
        """``etcdctl member add`` of ``name``; where refused, nothing changes."""
        index = self.index(name)

        def step(world: World) -> tuple[World, ...]:
            return (operations.add(world, index) or world,)

        return self._after(f"{name} is added to the member list", step)

    def restore(self, count: int) -> Worlds:
        """A restore command is queued; it runs at the next re-read."""
        return self._after(
            "a restore is queued", lambda w: (w._replace(restore=count),)
        )

    def restart_managers(self) -> Worlds:
        """Every etcd-manager restarts, and the leader has read the control spec.

        Whoever restarts them does so to have it read, and looks whether it was.
        """
        restarted = self._after(
            "the etcd-managers restart",
            lambda w: (w._replace(due=any(c in UP for c in w.names)),),
        )
        return restarted.where(lambda world: not world.due)

    def where(self, holds: Callable[[World], bool]) -> Worlds:
        """Only the worlds in which ``holds`` is true; may be none."""
        return self._narrowed(frozenset(w for w in self.worlds if holds(w)))

    def wait(self) -> Worlds:
        """Enough time passes for everything that can happen by itself."""
        return self._narrowed(self.settled)

    def joined(self, other: Worlds) -> Worlds:
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
        self, label: str, index: int, step: Callable[[World], Iterable[World]]
    ) -> Worlds:
        unrestarted = self.unrestarted - {index}
        published = self.published

        def after(world: World) -> tuple[World, ...]:
            return tuple(
                operations.reread_if_all_restarted(result, published, unrestarted)
                for result in step(world)
            )

        return self._after(label, after, self.replaced(unrestarted=unrestarted))

    def _after(
        self,
        label: str,
        step: Callable[[World], Iterable[World]],
        shared: Worlds | None = None,
    ) -> Worlds:
        """The worlds reachable after ``step``; ``shared`` has what they share then."""
        then = shared or self
        worlds = frozenset(result for world in self.worlds for result in step(world))
        truncated = self.truncated
        try:
            worlds = reachable(
                worlds, then.published, then.returns, replaces=then.replaces
            )
        except TooManyWorldsError as error:
            worlds, truncated = error.worlds, True
        event = Event(label, step, (self,))
        return then.replaced(worlds=worlds, truncated=truncated, event=event)

    def _narrowed(self, worlds: frozenset[World]) -> Worlds:
        if worlds == self.worlds:
            return self
        event = Event("", lambda w: (w,) if w in worlds else (), (self,))
        return self.replaced(worlds=worlds, event=event)


def _targets(world: World, indexes: tuple[int, ...]) -> tuple[int, ...]:
    """Which of ``indexes`` a person would remove: the dead members, else any."""
    listed = tuple(i for i in indexes if world.names[i] in MEMBERS)
    dead = tuple(i for i in listed if world.names[i] not in UP)
    return dead or listed
