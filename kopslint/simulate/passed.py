"""The specs that a list applies between before and after.

A change that goes by way of other specs is several changes, and each of them has to be
judged by itself: one minor release after another is no jump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.simulate.plan import Plan
    from kopslint.simulate.record import Step


def passed(plan: Plan, steps: Iterable[Step]) -> tuple[Manifest, ...]:
    """What the cloud is brought to on the way, in the order of the first time.

    Only states with an object of a file at hand that neither before nor after has, or
    with a Cluster that the list made by ``--set``.
    """
    steps = tuple(steps)
    ends = {id(each) for side in (plan.before, plan.after) for each in _objects(side)}
    known = plan.files.objects.values()
    between = {id(each) for held in known for each in _objects(held)} - ends
    made = (s.applied.cluster for step in steps for s in step.after)
    between |= {id(each) for each in made if each is not None} - ends
    if not between:
        return ()
    found: dict[tuple[int, ...], Manifest] = {}
    for step in steps:
        for situation in step.after:
            ids = tuple(id(each) for each in _objects(situation.applied))
            if not between.isdisjoint(ids):
                found.setdefault(ids, _alone(situation.applied))
    return tuple(found.values())


def _objects(manifest: Manifest) -> Iterator[Cluster | InstanceGroup]:
    if manifest.cluster is not None:
        yield manifest.cluster
    for name in sorted(manifest.groups):
        yield manifest.groups[name]


def _alone(manifest: Manifest) -> Manifest:
    """A state as if it had been read from the files that its objects stand in."""
    sources = dict.fromkeys(each.node.span.source for each in _objects(manifest))
    return manifest.replaced(repeated=(), flaws=(), sources=tuple(sources))
