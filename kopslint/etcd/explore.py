"""Following every move: what may be reached, and what it settles into.

Two notions of time are all that a list of commands needs. Between two commands
any number of moves may have happened, none included (``reachable``). Left alone
for long enough, every move has happened (``settled``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kopslint.etcd.moves import Kind, Move, Pace, moves
from kopslint.etcd.operations import start
from kopslint.etcd.world import STARTS, World

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_WORLDS = 20_000
"""How many worlds of one etcd cluster are followed; more is said, never dropped
silently. Ordinary lists need fewer than a hundred."""


class TooManyWorldsError(Exception):
    """More worlds are possible than are followed; carries those that were."""

    def __init__(self, worlds: frozenset[World]) -> None:
        super().__init__(f"more than {MAX_WORLDS} possible worlds")
        self.worlds = worlds


@lru_cache(maxsize=1 << 16)
def successors(
    world: World,
    published: int,
    returns: frozenset[int],
    replaces: bool | None = True,
) -> tuple[Move, ...]:
    """Every move from ``world``, the cloud's included.

    ``returns`` are the names whose instance comes back by itself when it is gone,
    because a group in the cloud asks for it. ``replaces`` is as for ``moves``.
    """
    found = list(moves(world, published, replaces=replaces))
    for index in sorted(returns):
        if world.names[index] in STARTS:
            found.extend(
                Move(Kind.RETURNS, index, Pace.MEDIUM, back)
                for back in start(world, index)
            )
    return tuple(found)


def reachable(
    worlds: Iterable[World],
    published: int,
    returns: frozenset[int],
    *,
    replaces: bool | None = True,
) -> frozenset[World]:
    """Every world that any number of moves leads to, none included.

    Raises ``TooManyWorldsError`` at the bound.
    """
    return _closure(frozenset(worlds), published, returns, replaces, MAX_WORLDS)


# The etcd clusters of one control plane mostly go through the same states.
@lru_cache(maxsize=128)
def _closure(
    worlds: frozenset[World],
    published: int,
    returns: frozenset[int],
    replaces: bool | None,
    most: int,
) -> frozenset[World]:
    seen = set(worlds)
    waiting = list(seen)
    while waiting:
        for move in successors(waiting.pop(), published, returns, replaces):
            if move.world not in seen:
                seen.add(move.world)
                waiting.append(move.world)
        if len(seen) > most:
            raise TooManyWorldsError(frozenset(seen))
    return frozenset(seen)


def settled(
    worlds: Iterable[World],
    published: int,
    returns: frozenset[int],
    *,
    replaces: bool | None = True,
) -> frozenset[World]:
    """Those of ``worlds`` (all reachable ones) in which nothing more must happen."""
    return frozenset(
        world
        for world in worlds
        if all(
            move.pace is Pace.PERHAPS
            for move in successors(world, published, returns, replaces)
        )
    )
