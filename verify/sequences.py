"""Sequences of operations, made from a seed, and what the model says they do.

This module must not know that there are real servers.
"""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import NamedTuple

from kopslint.model.etcd import transitions
from kopslint.model.etcd.state import EtcdState, MemberState, initial
from kopslint.model.etcd.transitions import Kind, enabled_transitions, refusal

SIZES = (1, 3, 5)
SPARE = 2
"""How many names beyond the first members there are, to be added."""


class Verb(StrEnum):
    """What is done to one member."""

    KILL = "kill"
    RESTART = "restart"
    ROLL = "roll"
    ADD = "add"
    REMOVE = "remove"
    WIPE = "wipe"


LIKELIHOOD = {
    Verb.KILL: 6,
    Verb.RESTART: 5,
    Verb.ROLL: 2,
    Verb.ADD: 4,
    Verb.REMOVE: 6,
    Verb.WIPE: 1,
}


class Operation(NamedTuple):
    """One operation on the member name with this index."""

    verb: Verb
    member: int

    def __str__(self) -> str:
        return f"{self.verb} {name_of(self.member)}"


class Sequence(NamedTuple):
    """How many members a healthy cluster starts with, and what is done to it."""

    size: int
    operations: tuple[Operation, ...]

    def __str__(self) -> str:
        return f"{self.size} members: {', '.join(map(str, self.operations))}"

    @property
    def start(self) -> EtcdState:
        """The model's world before the first operation."""
        members = frozenset(range(self.size))
        return initial(self.size + SPARE, members, self.size)

    def without(self, place: int, count: int = 1) -> Sequence:
        """The same without one operation, or so many from there on."""
        kept = self.operations[:place] + self.operations[place + count :]
        return self._replace(operations=kept)


class Outcome(NamedTuple):
    """What the model says: the world afterwards, and whether etcd agrees to it.

    ``why`` is the reason for a refusal, empty where the model gives none.
    """

    world: EtcdState
    agreed: bool = True
    why: str = ""


def name_of(index: int) -> str:
    """The member name with this index: a, b, c and so on."""
    return "abcdefgh"[index]


def generate(seed: int, *, longest: int = 6) -> Sequence:
    """The sequence of a seed: one to ``longest`` operations that can be asked for."""
    random = Random(seed)  # noqa: S311 (nothing secret is made here)
    sequence = Sequence(random.choice(SIZES), ())
    world = sequence.start
    for _ in range(random.randint(1, longest)):
        able = {verb: _able(world, verb) for verb in Verb}
        verbs = [verb for verb in Verb if able[verb]]
        weights = [LIKELIHOOD[verb] for verb in verbs]
        (verb,) = random.choices(verbs, weights)
        operation = Operation(verb, random.choice(able[verb]))
        sequence = sequence._replace(operations=(*sequence.operations, operation))
        world = apply(world, operation).world
    return sequence


def possible(sequence: Sequence) -> bool:
    """Whether each operation can be asked for when its turn comes."""
    world = sequence.start
    for operation in sequence.operations:
        if operation.member not in _able(world, operation.verb):
            return False
        world = apply(world, operation).world
    return True


def apply(world: EtcdState, operation: Operation) -> Outcome:
    """What the model says that ``operation`` does, members that can join included."""
    verb, index = operation
    agreed, why = True, ""
    match verb:
        case Verb.KILL:
            after = _stopped(world, index)
        case Verb.RESTART:
            after = _started(world, index)
        case Verb.ROLL:
            after = _started(_stopped(world, index), index)
        case Verb.WIPE:
            after = transitions.wipe(world, index)[0]
        case Verb.ADD:
            added = transitions.add(world, index)
            after, agreed = added or world, added is not None
        case Verb.REMOVE:
            removed = transitions.remove(world, index)
            after, agreed = removed or world, removed is not None
            reason = refusal(world, index)
            why = reason.name if reason is not None else ""
    return Outcome(_joined(after), agreed, why)


def _able(world: EtcdState, verb: Verb) -> list[int]:
    """The names that it makes sense to ask this of, refused or not."""
    return [i for i, name in enumerate(world.names) if _makes_sense(verb, name)]


def _makes_sense(verb: Verb, name: MemberState) -> bool:
    match verb:
        case Verb.KILL | Verb.ROLL:
            return name.listed and name.up and name.disk != "empty"
        case Verb.RESTART:
            # One whose disk was lost needs an etcd-manager to come back.
            return name.dead and name is not MemberState.WIPED
        case Verb.ADD:
            return not name.listed
        case Verb.REMOVE:
            return name.listed
        case Verb.WIPE:
            return name.dead and name.disk != "empty"


def _stopped(world: EtcdState, index: int) -> EtcdState:
    return transitions.stop(world, index)[0]._replace(due=False)


def _started(world: EtcdState, index: int) -> EtcdState:
    """A member that is listed and has no data is started with the list, by hand."""
    then = transitions.start(world, index)[0]._replace(due=False)
    if then.names[index] is MemberState.LISTED_IDLE:
        return then.put(index, MemberState.JOINING)
    return then


def _joined(world: EtcdState) -> EtcdState:
    """The world once every member that can join has joined."""
    world = world._replace(due=False)
    for move in enabled_transitions(world, world.read):
        if move.kind is Kind.JOINS:
            return _joined(move.state)
    return world


def listed(world: EtcdState) -> frozenset[str]:
    """The names in the member list."""
    return frozenset(name_of(i) for i, c in enumerate(world.names) if c.listed)


def running(world: EtcdState) -> tuple[int, ...]:
    """The indexes of the members that have an etcd process.

    A machine without a member, or with the data of a removed one, has none: that
    is for an etcd-manager to start.
    """
    return tuple(i for i, c in enumerate(world.names) if c.takes_part)
