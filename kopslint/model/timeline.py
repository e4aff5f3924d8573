"""Many states as one picture: what a person is shown of an etcd cluster at a step.

Where the states differ, the worst one that lasts is shown: what one has to reckon
with. Whether all of them agree is said beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import EtcdView, Meanwhile, TimelineEntry, TraceLine
from kopslint.model.etcd.state import MemberState
from kopslint.model.properties.facts import state_sets_of, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.findings import Writable
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState


def view_of_state(
    state: EtcdState, state_set: StateSet, writable: Writable
) -> EtcdView:
    """One state as a picture."""
    names = tuple(zip(state_set.names, state.names, strict=True))
    return EtcdView(
        members=tuple(name for name, member in names if member.listed),
        alive=tuple(name for name, member in names if member.votes),
        quorum=state.quorum,
        tolerance=max(state.tolerance, 0),
        published=state_set.published,
        writable=writable,
        joining=tuple(name for name, member in names if member.joining),
        expelled=tuple(
            name for name, member in names if member is MemberState.EXPELLED
        ),
    )


def picture(state: EtcdState, state_set: StateSet) -> EtcdView:
    """One state as a picture, by itself."""
    return view_of_state(state, state_set, "yes" if state.writable else "no")


def view(candidates: Iterable[StateSet]) -> EtcdView | None:
    """The worst state that lasts, over all courses; None if there is no state."""
    pairs = [
        (state, state_set) for state_set in candidates for state in state_set.settled
    ]
    return _worst(pairs, {state.writable for state, _ in pairs})


def passing(candidates: Iterable[StateSet]) -> EtcdView | None:
    """The worst state of a moment that does not last; None if there is no state.

    Members that only have to start count as voting, as they do for an outage.
    """
    pairs = [
        (state, state_set) for state_set in candidates for state in state_set.states
    ]
    return _worst(pairs, {state.reachable_quorum for state, _ in pairs})


def _worst(
    pairs: list[tuple[EtcdState, StateSet]], answers: set[bool]
) -> EtcdView | None:
    if not pairs:
        return None
    writable: Writable = (
        "maybe" if len(answers) > 1 else "yes" if True in answers else "no"
    )
    state, state_set = min(pairs, key=lambda pair: worst_first(pair[0]))
    return view_of_state(state, state_set, writable)


def views(states: Iterable[ClusterState], names: Iterable[str]) -> dict[str, EtcdView]:
    """The picture of every etcd cluster in some states."""
    kept = tuple(states)
    shown = {name: view(state_sets_of(kept, name)) for name in names}
    return {name: seen for name, seen in shown.items() if seen is not None}


def trace(step: Step, etcd_clusters: Iterable[str]) -> tuple[TraceLine, ...]:
    """Etcd before and after a step, for the clusters named."""
    names = tuple(etcd_clusters)
    before, after = views(step.before, names), views(step.after, names)
    return tuple(
        TraceLine(name, before.get(name), after[name], "")
        for name in names
        if name in after
    )


def during(step: Step, etcd_clusters: Iterable[str]) -> tuple[Meanwhile, ...]:
    """The moments inside a step, one for each group that is away for a while."""
    names = tuple(etcd_clusters)
    found: dict[str, dict[str, list[StateSet]]] = {}
    for moment in step.moments:
        for name in names:
            if name in moment.etcd:
                away = found.setdefault(moment.group, {})
                away.setdefault(name, []).append(moment.etcd[name])
    seen = {
        group: {name: passing(moments) for name, moments in away.items()}
        for group, away in found.items()
    }
    return tuple(
        Meanwhile(
            group, {name: view for name, view in away.items() if view is not None}
        )
        for group, away in seen.items()
    )


def timeline(simulation: Simulation) -> Iterator[TimelineEntry]:
    """The state before the list and after each of its steps."""
    names = {name for s in simulation.final for name in s.etcd} | set(
        simulation.start.etcd
    )
    order = sorted(names, key=lambda name: (name != "main", name != "events", name))
    cluster = simulation.plan.before.name
    yield TimelineEntry(
        step=0,
        command="(before)",
        span=None,
        status="applied",
        etcd=views([simulation.start], order),
        cluster=cluster,
    )
    for step in simulation.steps:
        note = "; ".join(refusal.message for refusal in step.refusals)
        yield TimelineEntry(
            step=step.number,
            command=step.command.text,
            span=step.command.span,
            status=step.status,
            etcd=views(step.after, order),
            cluster=cluster,
            note=note,
            title=step.title,
            during=during(step, order),
        )
