"""The shortest trace to one possible state: what happens, in order, in words.

A hazard that exists in some states only is believed when one can read how it comes
about. The recorded events are followed from the start, with every transition in
between, and the shortest trace to each state is kept.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from kopslint.model.etcd.transitions import Kind, Transition

if TYPE_CHECKING:
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState

Trace = tuple[int, tuple["Trace", str] | None]
"""How many events there are, and the last of them after the trace before it."""


def trace_to(reached: StateSet, target: EtcdState) -> tuple[str, ...]:
    """The events of the shortest trace from the start to ``target``, in order.

    ``target`` must be one of ``reached.states``. What people do and what etcd does
    by itself both count; an event that leaves the state as it was is left out.
    """
    best: dict[int, dict[EtcdState, Trace]] = {}
    for stage in _in_order(reached):
        best[id(stage)] = _shortest(stage, best)
    events: list[str] = []
    trace: Trace | None = best[id(reached)].get(target)
    while trace is not None and trace[1] is not None:
        trace, label = trace[1]
        events.append(label)
    return tuple(reversed(events))


def _in_order(reached: StateSet) -> list[StateSet]:
    """Every state set that ``reached`` came from, each after those before it."""
    order: list[StateSet] = []
    visited: set[int] = set()
    waiting: list[tuple[StateSet, bool]] = [(reached, False)]
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


def _shortest(
    stage: StateSet, best: dict[int, dict[EtcdState, Trace]]
) -> dict[EtcdState, Trace]:
    """The shortest trace to every state of one state set."""
    if stage.event is None:
        return dict.fromkeys(stage.states, (0, None))
    queue: list[tuple[int, int, EtcdState, Trace]] = []
    for before in stage.event.before:
        for state, trace in best[id(before)].items():
            for result in stage.event.step(state):
                longer = _longer(trace, stage.event.label, changed=result != state)
                heappush(queue, (longer[0], len(queue), result, longer))
    found: dict[EtcdState, Trace] = {}
    count = len(queue)
    while queue:
        _, _, state, trace = heappop(queue)
        if state in found or state not in stage.states:
            continue
        found[state] = trace
        for transition in stage.transitions(state):
            if transition.state not in found:
                count += 1
                longer = _longer(trace, _in_words(transition, stage), changed=True)
                heappush(queue, (longer[0], count, transition.state, longer))
    return found


def _longer(trace: Trace, label: str, *, changed: bool) -> Trace:
    return (trace[0] + 1, (trace, label)) if changed and label else trace


def _in_words(transition: Transition, stage: StateSet) -> str:
    """One transition, as a trace says it."""
    name = stage.names[transition.who] if transition.who >= 0 else ""
    match transition.kind:
        case Kind.JOINS:
            return f"{name} joins"
        case Kind.READS:
            return f"the leader reads the control spec: {transition.state.read} members"
        case Kind.RESTORES:
            return "the leader restores the backup"
        case Kind.ADDS:
            return f"etcd-manager adds {name}"
        case Kind.REMOVES | Kind.FREES:
            return f"etcd-manager removes {name}"
        case Kind.REPLACES:
            return f"etcd-manager removes {name}, whose disk is empty, to add it again"
        case Kind.OVERWRITES:
            return "the leader writes the backup over the keys of the running cluster"
        case Kind.UPGRADES:
            return "etcd-manager upgrades the members"
        case Kind.RETURNS:
            return f"{name} comes back up"
