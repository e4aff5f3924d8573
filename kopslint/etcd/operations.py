"""What people and the cloud do to one etcd cluster: one world in, its results out.

Every function is a pure map from one world to the worlds that may follow, before
etcd or etcd-manager react. ``due`` is where leadership hides: an instance that
stops or starts may be, or may become, the leader, and a leader that is new reads
the control spec again.
"""

from __future__ import annotations

from kopslint.etcd.moves import refusal
from kopslint.etcd.world import ADDED, LEAVES, STARTS, STOPS, UP, WIPES, World


def stop(world: World, index: int) -> tuple[World, ...]:
    """The instance of a name stops: killed, terminated, or taken down in a roll.

    If it led, its successor reads the control spec; nobody knows whether it did.
    """
    letter = STOPS.get(world.names[index])
    if letter is None:
        return (world,)
    down = world.put(index, letter)
    if not any(other in UP for other in down.names):
        return (down._replace(due=False),)
    return _maybe_due(down)


def start(world: World, index: int, *, fresh: bool = False) -> tuple[World, ...]:
    """The instance of a name starts, with whatever its disk holds.

    ``fresh`` says that the name was never seen before: a new peer makes the leader
    resign, so the control spec is certainly read again. So it is when nobody else
    is up.
    """
    letter = STARTS.get(world.names[index])
    if letter is None:
        return (world,)
    up = world.put(index, letter)
    alone = sum(other in UP for other in up.names) == 1
    if alone or (fresh and letter == "I"):
        return (up._replace(due=True),)
    return _maybe_due(up)


def wipe(world: World, index: int) -> tuple[World, ...]:
    """The disk of a name is deleted; a running instance is replaced with it."""
    letter = world.names[index]
    if letter not in UP:
        return (world.put(index, WIPES.get(letter, letter)),)
    results: dict[World, None] = {}
    for down in stop(world, index):
        gone = down.put(index, WIPES.get(down.names[index], down.names[index]))
        results.update(dict.fromkeys(start(gone, index)))
    return tuple(results)


def remove(world: World, index: int) -> World | None:
    """``etcdctl member remove`` of a name: the world after it, or None if refused.

    A name that is not in the member list is refused too: etcd knows no such member.
    """
    letter = LEAVES.get(world.names[index])
    if letter is None or refusal(world, index) is not None:
        return None
    return world.put(index, letter)


def add(world: World, index: int) -> World | None:
    """``etcdctl member add`` of a name, or None if etcd refuses it.

    Quorum rises at once, whether or not an instance is there to join. The data of
    a removed member does not make one of it again: only an empty disk joins.
    """
    joined = ADDED.get(world.names[index])
    listed = [letter for letter in world.names if letter in LEAVES]
    if joined is None or not world.writable or any(c != "L" for c in listed):
        return None
    return world.put(index, joined)


def _maybe_due(world: World) -> tuple[World, ...]:
    if world.due:
        return (world,)
    return (world, world._replace(due=True))


def reread_if_all_restarted(
    world: World, published: int, unrestarted: frozenset[int]
) -> World:
    """Make a re-read due once nobody runs who has not started since publication.

    ``unrestarted`` are the names whose instances have been running since before
    the last publication. Whoever leads now has read the control spec since.
    """
    if world.due or world.read == published:
        return world
    running = (i for i, letter in enumerate(world.names) if letter in UP)
    if any(index in unrestarted for index in running):
        return world
    return world._replace(due=True)
