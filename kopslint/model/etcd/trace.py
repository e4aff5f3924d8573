"""The shortest course of events that leads to one possible world.

A hazard that exists in some worlds only is believed when one can read how it
comes about. This walks the recorded events forward, with every move in between,
and keeps the shortest way to each world.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from kopslint.model.etcd.transitions import Kind, Transition

if TYPE_CHECKING:
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState

Chain = tuple[int, tuple["Chain", str] | None]
"""How many things happened, and the last of them after the chain before it."""


def story(worlds: StateSet, target: EtcdState) -> tuple[str, ...]:
    """What happens, in order, on the shortest way from the start to ``target``.

    ``target`` must be one of ``worlds.worlds``. What people do and what etcd does
    by itself are told alike; events that leave the world as it was are left out.
    """
    best: dict[int, dict[EtcdState, Chain]] = {}
    for stage in _in_order(worlds):
        best[id(stage)] = _ways(stage, best)
    told: list[str] = []
    chain: Chain | None = best[id(worlds)].get(target)
    while chain is not None and chain[1] is not None:
        chain, label = chain[1]
        told.append(label)
    return tuple(reversed(told))


def _in_order(worlds: StateSet) -> list[StateSet]:
    """Every stage that ``worlds`` came from, each after those before it."""
    order: list[StateSet] = []
    visited: set[int] = set()
    waiting: list[tuple[StateSet, bool]] = [(worlds, False)]
    while waiting:
        stage, ready = waiting.pop()
        if ready:
            order.append(stage)
        elif id(stage) not in visited:
            visited.add(id(stage))
            waiting.append((stage, True))
            if stage.event is not None:
                waiting.extend((before, False) for before in stage.event.before)
    return order


def _ways(
    stage: StateSet, best: dict[int, dict[EtcdState, Chain]]
) -> dict[EtcdState, Chain]:
    """The shortest chain to every world of one stage."""
    if stage.event is None:
        return dict.fromkeys(stage.worlds, (0, None))
    queue: list[tuple[int, int, EtcdState, Chain]] = []
    for before in stage.event.before:
        for world, chain in best[id(before)].items():
            for result in stage.event.step(world):
                longer = _longer(chain, stage.event.label, changed=result != world)
                heappush(queue, (longer[0], len(queue), result, longer))
    found: dict[EtcdState, Chain] = {}
    count = len(queue)
    while queue:
        _, _, world, chain = heappop(queue)
        if world in found or world not in stage.worlds:
            continue
        found[world] = chain
        for move in stage.moves(world):
            if move.world not in found:
                count += 1
                longer = _longer(chain, _told(move, stage), changed=True)
                heappush(queue, (longer[0], count, move.world, longer))
    return found


def _longer(chain: Chain, label: str, *, changed: bool) -> Chain:
    return (chain[0] + 1, (chain, label)) if changed and label else chain


def _told(move: Transition, stage: StateSet) -> str:
    """One move in words."""
    name = stage.names[move.who] if move.who >= 0 else ""
    match move.kind:
        case Kind.JOINS:
            return f"{name} joins"
        case Kind.READS:
            return f"the leader reads the control spec: {stage.published} members"
        case Kind.RESTORES:
            return "the leader restores the backup"
        case Kind.ADDS:
            return f"etcd-manager adds {name}"
        case Kind.REMOVES | Kind.FREES:
            return f"etcd-manager removes {name}"
        case Kind.REPLACES:
            return f"etcd-manager removes {name}, whose disk is empty, to add it again"
        case Kind.RETURNS:
            return f"{name} comes back up"
