"""Many worlds as one picture: what a person is shown of an etcd cluster at a step.

Where the worlds differ, the worst one that lasts is shown: what one has to reckon
with. Whether all of them agree is said beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import EtcdView, Meanwhile, TimelineEntry, TraceLine
from kopslint.model.etcd.state import MemberState
from kopslint.model.properties.facts import worlds_of, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.findings import Writable
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState


def view_of_world(world: EtcdState, worlds: StateSet, writable: Writable) -> EtcdView:
    """One world as a picture."""
    names = tuple(zip(worlds.names, world.names, strict=True))
    return EtcdView(
        members=tuple(name for name, member in names if member.listed),
        alive=tuple(name for name, member in names if member.votes),
        quorum=world.quorum,
        tolerance=max(world.tolerance, 0),
        published=worlds.published,
        writable=writable,
        joining=tuple(name for name, member in names if member.joining),
        expelled=tuple(
            name for name, member in names if member is MemberState.EXPELLED
        ),
    )


def picture(world: EtcdState, worlds: StateSet) -> EtcdView:
    """One world as a picture, by itself."""
    return view_of_world(world, worlds, "yes" if world.writable else "no")


def view(candidates: Iterable[StateSet]) -> EtcdView | None:
    """The worst world that lasts, over all courses; None if there is no world."""
    pairs = [(world, worlds) for worlds in candidates for world in worlds.settled]
    return _worst(pairs, {world.writable for world, _ in pairs})


def passing(candidates: Iterable[StateSet]) -> EtcdView | None:
    """The worst world of a moment that does not last; None if there is no world.

    Members that only have to start count as voting, as they do for an outage.
    """
    pairs = [(world, worlds) for worlds in candidates for world in worlds.states]
    return _worst(pairs, {world.reachable_quorum for world, _ in pairs})


def _worst(
    pairs: list[tuple[EtcdState, StateSet]], answers: set[bool]
) -> EtcdView | None:
    if not pairs:
        return None
    writable: Writable = (
        "maybe" if len(answers) > 1 else "yes" if True in answers else "no"
    )
    world, worlds = min(pairs, key=lambda pair: worst_first(pair[0]))
    return view_of_world(world, worlds, writable)


def views(
    situations: Iterable[ClusterState], names: Iterable[str]
) -> dict[str, EtcdView]:
    """The picture of every etcd cluster in some situations."""
    kept = tuple(situations)
    shown = {name: view(worlds_of(kept, name)) for name in names}
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
        group: {name: passing(worlds) for name, worlds in away.items()}
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
