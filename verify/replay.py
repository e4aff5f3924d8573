"""One sequence on real servers, compared with the model after every operation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kopslint.model.etcd.state import MemberState
from verify.sequences import (
    Operation,
    Outcome,
    Sequence,
    Verb,
    apply,
    listed,
    name_of,
    possible,
    running,
)
from verify.servers import RefusedError, Servers, eventually

if TYPE_CHECKING:
    from kopslint.model.etcd.state import EtcdState

PATIENCE = 20.0
"""Seconds in which what must come true has to."""
SILENCE = 1.5
"""Seconds for a request that must not be agreed on: five election timeouts."""
HEALTHY = 6.0
"""Seconds after its start in which a member becomes healthy: etcd wants five of
connection."""
MOST_REPLAYS = 15

REASONS = {
    "LAST": ("not enough started members",),
    "NOT_ENOUGH_STARTED": ("not enough started members",),
    "UNHEALTHY": ("unhealthy cluster",),
    # Without quorum the checks come before the attempt, and may speak first.
    "NO_QUORUM": (
        "no answer",
        "timed out",
        "no leader",
        "unhealthy cluster",
        "not enough started members",
    ),
}


PASSING = ("unhealthy", "member not found")
"""Refusals that pass: servers not connected long enough, and a member added in the
second in which one of that address was removed, which gets the same ID."""


class DifferenceError(Exception):
    """etcd shows something else than the model says."""


def prepare(sequence: Sequence) -> Servers:
    """Start the servers of a sequence; they come up while others are replayed."""
    servers = Servers(name_of(i) for i in range(len(sequence.start.names)))
    try:
        servers.bootstrap(name_of(i) for i in range(sequence.size))
    except BaseException:
        servers.close()
        raise
    return servers


def replay(sequence: Sequence, servers: Servers) -> int:
    """Replay a sequence and return how many operations were compared.

    Raises DifferenceError, with the operations so far, at the first difference.
    """
    world = sequence.start
    _compare(world, servers, "at the start")
    for number, operation in enumerate(sequence.operations, 1):
        outcome = apply(world, operation)
        told = f"after operation {number}, {operation}, in {world.signs}"
        if world.writable and not outcome.agreed:
            # Beside an etcd that has just started, any change would be refused.
            time.sleep(max(0.0, servers.started + HEALTHY - time.monotonic()))
        _perform(world, operation, outcome, servers, told)
        world = outcome.world
        _compare(world, servers, told)
    return len(sequence.operations)


def difference(sequence: Sequence) -> str | None:
    """What differs in a sequence on servers of its own, or None."""
    try:
        with prepare(sequence) as servers:
            replay(sequence, servers)
    except (DifferenceError, RefusedError) as error:
        return str(error)
    return None


def shrunk(sequence: Sequence) -> tuple[Sequence, str] | None:
    """The smallest sequence found that still differs, and how.

    Operations are left out one by one, then two by two: a start cannot be left without
    the stop before it. None if not even the whole sequence differs again: then it was
    the machine.
    """
    found = difference(sequence)
    if found is None:
        return None
    replays = 0
    for count in (1, 2):
        for place in reversed(range(len(sequence.operations) - count + 1)):
            smaller = sequence.without(place, count)
            if replays == MOST_REPLAYS or not possible(smaller):
                continue
            replays += 1
            still = difference(smaller)
            if still is not None:
                sequence, found = smaller, still
    return sequence, found


def _perform(
    world: EtcdState,
    operation: Operation,
    outcome: Outcome,
    servers: Servers,
    told: str,
) -> None:
    verb, index = operation
    name = name_of(index)
    match verb:
        case Verb.KILL | Verb.WIPE | Verb.ROLL:
            servers.kill(name)
        case Verb.ADD | Verb.REMOVE:
            _reconfigure(world, operation, outcome, servers, told)
    if verb is Verb.WIPE:
        servers.wipe(name)
    if verb in {Verb.RESTART, Verb.ROLL}:
        servers.start(name, sorted(listed(world)))
    if outcome.world.names[index] is MemberState.LISTED_AGAIN:
        _old_data(outcome.world, index, servers, told)


def _old_data(world: EtcdState, index: int, servers: Servers, told: str) -> None:
    """Start a removed member that is listed again on its old data: it must end.

    Only another member tells it that it was removed.
    """
    name = name_of(index)
    servers.kill(name)
    servers.start(name, sorted(listed(world)))
    if not servers.ended(name, PATIENCE if world.voting else SILENCE) and world.voting:
        raise DifferenceError(f"{told}: {name} runs with the data of a removed member")


def _reconfigure(
    world: EtcdState,
    operation: Operation,
    outcome: Outcome,
    servers: Servers,
    told: str,
) -> None:
    """Ask for a change of the member list, and compare the answer.

    What must be agreed on is asked for until the servers are connected long
    enough; what must be refused is asked for once.
    """
    verb, index = operation
    name = name_of(index)
    voters = [i for i in running(world) if world.names[i].votes]
    if not voters:
        return
    through = name_of(next((i for i in voters if i != index), voters[0]))
    ask = servers.add if verb is Verb.ADD else servers.remove
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            ask(name, through, PATIENCE if outcome.agreed else SILENCE)
        except RefusedError as error:
            passing = outcome.agreed and any(why in str(error) for why in PASSING)
            if passing and eventually(deadline):
                continue
            if outcome.agreed:
                raise DifferenceError(f"{told}: etcd refuses it: {error}") from error
            if not _fits(outcome.why, str(error)):
                reason = f"the model's reason is {outcome.why}"
                raise DifferenceError(f"{told}: {reason}, etcd's {error}") from error
            return
        break
    if not outcome.agreed:
        raise DifferenceError(f"{told}: etcd agrees, the model refuses it")
    if verb is Verb.REMOVE and not servers.ended(name, PATIENCE):
        raise DifferenceError(f"{told}: the removed member goes on running")


def _fits(why: str, error: str) -> bool:
    return not why or any(words in error for words in REASONS[why])


def _compare(world: EtcdState, servers: Servers, told: str) -> None:
    """Member list, linearizable read and write, against what the model says."""
    voters = [name_of(i) for i in running(world) if world.names[i].votes]
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = _seen(world, voters, servers)
        if seen is None:
            return
        if not eventually(deadline):
            raise DifferenceError(f"{told}: {seen}")
        servers.tend()


def _seen(world: EtcdState, voters: list[str], servers: Servers) -> str | None:
    """What etcd shows that the model does not say, or None."""
    expected = listed(world)
    for name in voters:
        try:
            shown = frozenset(servers.members(name))
        except RefusedError as error:
            if not world.writable:
                # One that started without quorum serves nobody until there is one.
                continue
            return f"{name} shows no member list: {error}"
        if shown != expected:
            return f"{name} lists {sorted(shown)}, the model {sorted(expected)}"
    seconds = PATIENCE if world.writable else SILENCE
    for name in voters if world.writable else voters[:1]:
        for what in (servers.read, servers.write):
            try:
                what(name, min(seconds, 3.0))
            except RefusedError as error:
                if world.writable:
                    return f"no {what.__name__} through {name}: {error}"
            else:
                if not world.writable:
                    raise DifferenceError(
                        f"{what.__name__} through {name} without the model's quorum, "
                        f"{world.quorum} of {world.members}"
                    )
    return None
