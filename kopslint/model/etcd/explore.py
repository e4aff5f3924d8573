"""All states of one etcd cluster that are possible at one moment.

``StateSet`` is the immutable value that a simulation carries from command to
command. It holds all reachable states, what they share (the published count, who
comes back by itself) and how it came about, so that the shortest trace to any one
state can be found afterwards.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from kopslint.budget import spend
from kopslint.model.etcd import transitions
from kopslint.model.etcd.state import USUAL, EtcdState, Upgrade, initial
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

    from kopslint.model.etcd.state import Software


# ------------------------------------------------------------------------------------
# Following every transition: what may be reached, and what it settles into
#
# Two notions of time are all that a list of commands needs. Between two commands any
# number of transitions may have happened, none included (``reachable``). Left alone
# for long enough, every transition has happened (``settled``).

MAX_STATES = 20_000
"""How many states of one etcd cluster are followed. Reaching it is reported.
Ordinary lists need fewer than a hundred."""


class TooManyStatesError(Exception):
    """More states are possible than are followed; carries those that were."""

    def __init__(self, states: frozenset[EtcdState]) -> None:
        super().__init__(f"more than {MAX_STATES} possible states")
        self.states = states


@lru_cache(maxsize=1 << 14)
def successors(
    state: EtcdState,
    published: int,
    returns: frozenset[int],
    software: Software = USUAL,
    stuck: frozenset[int] = frozenset(),
) -> tuple[Transition, ...]:
    """Every transition from ``state``, the cloud's included.

    ``returns`` are the names whose instance comes back by itself when it is gone,
    because a group in the cloud asks for it. Those that are ``stuck`` were gone
    already, and may as well stay away.
    """
    found = list(enabled_transitions(state, published, software))
    for index in sorted(returns):
        if not state.names[index].up:
            found.extend(
                Transition(
                    Kind.RETURNS,
                    index,
                    Pace.PERHAPS if index in stuck else Pace.MEDIUM,
                    back,
                )
                for back in start(state, index, software)
            )
    return tuple(found)


def reachable(
    states: Iterable[EtcdState],
    published: int,
    returns: frozenset[int],
    software: Software = USUAL,
) -> frozenset[EtcdState]:
    """Every state that any number of transitions leads to, none included.

    Raises ``TooManyStatesError`` at the bound.
    """
    return _closure(frozenset(states), published, returns, software, MAX_STATES)


# The etcd clusters of one control plane mostly go through the same states.
@lru_cache(maxsize=128)
def _closure(
    states: frozenset[EtcdState],
    published: int,
    returns: frozenset[int],
    software: Software,
    most: int,
) -> frozenset[EtcdState]:
    seen = set(states)
    waiting = list(seen)
    while waiting:
        for transition in successors(waiting.pop(), published, returns, software):
            if transition.state not in seen:
                seen.add(transition.state)
                waiting.append(transition.state)
        if len(seen) > most:
            raise TooManyStatesError(frozenset(seen))
    return frozenset(seen)


def settled(
    states: Iterable[EtcdState],
    published: int,
    returns: frozenset[int],
    software: Software = USUAL,
    stuck: frozenset[int] = frozenset(),
) -> frozenset[EtcdState]:
    """Those of ``states`` (all reachable ones) in which nothing more must happen."""
    return frozenset(
        state
        for state in states
        if all(
            transition.pace is Pace.PERHAPS
            for transition in successors(state, published, returns, software, stuck)
        )
    )


class Event(Record):
    """How states came about: from which ones, and by which function on one state.

    ``label`` is what a trace says; empty for what only limits or merges states.
    """

    label: str
    step: Callable[[EtcdState], Iterable[EtcdState]]
    before: tuple[StateSet, ...]


class StateSet(Frozen, uncompared=("event",)):
    """All states of one etcd cluster that are possible now.

    ``names`` are all member names, in a fixed order; ``published`` is the count in
    the control spec; ``returns`` are the indexes whose instance comes back by
    itself; ``unrestarted`` those whose instance runs since before the last
    publication; ``known`` those that have ever run; ``stuck`` those that were seen to
    be gone, and may stay so. ``software`` is what this etcd-manager and etcd do.
    ``truncated`` says that there were too many states to follow them all.
    """

    names: tuple[str, ...]
    states: frozenset[EtcdState]
    published: int
    returns: frozenset[int]
    unrestarted: frozenset[int]
    known: frozenset[int]
    software: Software = USUAL
    stuck: frozenset[int] = frozenset()
    truncated: bool = False
    event: Event | None = None

    @classmethod
    def healthy(
        cls,
        names: Iterable[str],
        members: Iterable[str],
        software: Software = USUAL,
    ) -> StateSet:
        """A cluster in which every one of ``members`` votes, and nothing else is up."""
        order = tuple(names)
        present = frozenset(order.index(member) for member in members)
        state = initial(len(order), present, len(present), software)
        return cls(
            names=order,
            states=frozenset({state}),
            published=len(present),
            returns=present,
            unrestarted=present,
            known=present,
            software=software,
        )

    def index(self, name: str) -> int:
        """The index of a member name."""
        return self.names.index(name)

    @cached_property
    def settled(self) -> frozenset[EtcdState]:
        """The states this comes to if it is left alone for long enough."""
        return settled(
            self.states, self.published, self.returns, self.software, self.stuck
        )

    def transitions(self, state: EtcdState) -> tuple[Transition, ...]:
        """Every transition from one of the states, the cloud's included."""
        return successors(
            state, self.published, self.returns, self.software, self.stuck
        )

    def followed(self) -> StateSet:
        """The same with all that may happen from its states by itself."""
        return self._after("", lambda state: (state,))

    # What people and the cloud do. Each gives the states reachable afterwards.

    def stop(self, name: str) -> StateSet:
        """The instance of ``name`` stops."""
        index = self.index(name)
        return self._restarted(
            f"{name} goes down",
            index,
            lambda w: transitions.stop(w, index, self.software),
        )

    def start(self, name: str) -> StateSet:
        """The instance of ``name`` starts, with the disk that it has."""
        index = self.index(name)
        fresh = index not in self.known
        after = self._restarted(
            f"{name} comes up",
            index,
            lambda w: transitions.start(w, index, self.software, fresh=fresh),
        )
        return after.replaced(known=self.known | {index}, stuck=self.stuck - {index})

    def wipe(self, name: str) -> StateSet:
        """The disk of ``name`` is deleted."""
        index = self.index(name)
        return self._restarted(
            f"the disk of {name} is deleted",
            index,
            lambda w: transitions.wipe(w, index, self.software),
        )

    def publish(self, count: int, upgrade: Upgrade | None = None) -> StateSet:
        """A member count is written to the control spec; nobody reads it yet.

        With ``upgrade`` another etcd version is written with it.
        """
        running = frozenset(
            index
            for state in self.states
            for index, member in enumerate(state.names)
            if member.up
        )
        shared = self.replaced(published=count, unrestarted=running)
        label = f"member count {count} is published"

        def step(state: EtcdState) -> tuple[EtcdState, ...]:
            return (state._replace(wrote=None, upgrade=upgrade or state.upgrade),)

        return self._after(label, step, shared)

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

        def step(state: EtcdState) -> tuple[EtcdState, ...]:
            return tuple(
                after
                for index in _targets(state, indexes)
                for after in transitions.removals(state, index, self.software)
                or (state,)
            ) or (state,)

        who = " or ".join(self.names[index] for index in indexes)
        return self._after(f"{who} is removed from the member list by hand", step)

    def removal_refusals(self, names: Iterable[str]) -> frozenset[str | None]:
        """Why etcd refuses such a removal, over all states; None where it agrees."""
        indexes = tuple(self.index(name) for name in names)
        answers: set[str | None] = set()
        gone = "it is no member any more" if len(indexes) == 1 else "none is a member"
        for state in self.states:
            targets = _targets(state, indexes)
            if not targets:
                answers.add(gone)
            for index in targets:
                why = refusal(state, index)
                answers.add(why.value if why is not None else None)
        return frozenset(answers)

    def add(self, name: str) -> StateSet:
        """``etcdctl member add`` of ``name``; where refused, nothing changes."""
        index = self.index(name)

        def step(state: EtcdState) -> tuple[EtcdState, ...]:
            return (transitions.add(state, index, self.software) or state,)

        return self._after(f"{name} is added to the member list", step)

    def restore(self, count: int | None = None) -> StateSet:
        """A restore command is queued, with the published count unless one is given.

        It runs when the leader reads it and can; another one waits behind it.
        """

        def step(state: EtcdState) -> tuple[EtcdState, ...]:
            published = self.published if state.wrote is None else state.wrote
            wanted = published if count is None else count
            return (
                (state,)
                if state.restore is not None
                else (state._replace(restore=wanted),)
            )

        return self._after("a restore is queued", step)

    def forget_restore(self) -> StateSet:
        """Queued restore commands are deleted; one that the leader holds stays."""
        return self._after(
            "the queued restore is deleted", lambda w: (w._replace(restore=None),)
        )

    def force(self, name: str) -> StateSet:
        """``--force-new-cluster`` on the data of ``name``; its manager restarts."""
        index = self.index(name)
        return self._after(
            f"{name} is made the only member",
            lambda w: transitions.force(w, index, self.software),
        )

    def restart_managers(self, names: Iterable[str] | None = None) -> StateSet:
        """The etcd-managers of ``names`` restart, of everyone without.

        Of everyone: whoever restarts them does so to have the control spec read, and
        looks whether it was.
        """
        if names is not None:
            return self._some_restart(tuple(self.index(name) for name in names))
        everyone = range(len(self.names))

        def step(state: EtcdState) -> tuple[EtcdState, ...]:
            if state.lead is not None:
                return transitions.restart(state, everyone)
            return (state._replace(due=state.any_up),)

        restarted = self._after("the etcd-managers restart", step)
        return restarted.where(lambda state: not state.due)

    def _some_restart(self, indexes: tuple[int, ...]) -> StateSet:
        """Sooner than anybody misses them, or so late that another one leads."""
        who = " and ".join(self.names[index] for index in indexes)

        def step(state: EtcdState) -> tuple[EtcdState, ...]:
            software = self.software
            up = [index for index in indexes if state.names[index].up]
            late: tuple[EtcdState, ...] = (state,)
            for index in up:
                late = tuple(
                    back
                    for each in late
                    for down in transitions.stop(each, index, software)
                    for back in transitions.start(down, index, software)
                )
            return tuple({*transitions.restart(state, up), *late})

        return self._after(f"the etcd-manager of {who} restarts", step)

    def where(self, holds: Callable[[EtcdState], bool]) -> StateSet:
        """Only the states in which ``holds`` is true; may be none."""
        return self._narrowed(frozenset(w for w in self.states if holds(w)))

    def wait(self) -> StateSet:
        """Enough time passes for everything that can happen by itself."""
        return self._narrowed(self.settled)

    def joined(self, other: StateSet) -> StateSet:
        """The states of both; published count and returning instances must agree."""
        if self.states >= other.states and self.unrestarted >= other.unrestarted:
            return self
        return self.replaced(
            states=self.states | other.states,
            unrestarted=self.unrestarted | other.unrestarted,
            known=self.known & other.known,
            stuck=self.stuck | other.stuck,
            truncated=self.truncated or other.truncated,
            event=Event("", lambda state: (state,), (self, other)),
        )

    def _restarted(
        self, label: str, index: int, step: Callable[[EtcdState], Iterable[EtcdState]]
    ) -> StateSet:
        unrestarted = self.unrestarted - {index}
        published = self.published

        def after(state: EtcdState) -> tuple[EtcdState, ...]:
            return tuple(
                transitions.reread_if_all_restarted(result, published, unrestarted)
                for result in step(state)
            )

        return self._after(label, after, self.replaced(unrestarted=unrestarted))

    def _after(
        self,
        label: str,
        step: Callable[[EtcdState], Iterable[EtcdState]],
        shared: StateSet | None = None,
    ) -> StateSet:
        """The states reachable after ``step``; ``shared`` has what they share then."""
        then = shared or self
        states = frozenset(result for state in self.states for result in step(state))
        truncated = self.truncated
        try:
            states = reachable(states, then.published, then.returns, then.software)
        except TooManyStatesError as error:
            states, truncated = error.states, True
        # Whether a closure was remembered must not show, so each costs its size.
        # A state of many members costs more, to make and to look at.
        spend(len(states) * (1 + len(self.names) // 8))
        event = Event(label, step, (self,))
        return then.replaced(states=states, truncated=truncated, event=event)

    def _narrowed(self, states: frozenset[EtcdState]) -> StateSet:
        if states == self.states:
            return self
        event = Event("", lambda w: (w,) if w in states else (), (self,))
        return self.replaced(states=states, event=event)


def _targets(state: EtcdState, indexes: tuple[int, ...]) -> tuple[int, ...]:
    """Which of ``indexes`` a person would remove: the dead members, else any."""
    listed = tuple(i for i in indexes if state.names[i].listed)
    dead = tuple(i for i in listed if not state.names[i].up)
    return dead or listed
