"""A cluster, or a list of its commands, that is there before a change and not after.

What is not there is not checked, so it must not look as if it were in order: a file
that renders to nothing reads like one that somebody deleted on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft
from kopslint.findings import Location, Severity
from kopslint.kops.decode import with_same_objects
from kopslint.kops.placeholders import holds_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Manifest


def cluster_vanished(context: Context) -> Iterator[Draft]:
    """A cluster, its Cluster object or its list of commands is gone after a change.

    A list that deletes the cluster, and a configuration that names it as retired, are
    how somebody says that this is meant.
    """
    if context.retired or _is_deleted(context):
        return
    gone = context.gone or context.before
    if gone is not None and holds_placeholder(gone.name):
        # A template: which clusters came out of it, nobody knows here.
        return
    before, after = context.before, context.after
    if context.gone is not None:
        yield _without_files(context.gone)
    elif before is not None and before.cluster and after.cluster is None:
        yield _without_cluster(before, after)
    if context.gone is None:
        yield from _without_lists(context)
        yield from _with_idle_lists(context)


def _without_files(gone: Manifest) -> Draft:
    groups = len(gone.control_plane)
    place = (
        gone.cluster.at("metadata", "name")
        if gone.cluster is not None
        else next(iter(gone.groups.values())).at("metadata", "name")
    )
    return Draft(
        message=f"cluster {gone.name} is in no file after the change",
        why="Nothing deletes it, so its machines keep running, and the change is not"
        f" checked{f' for its {groups} control-plane groups' if groups else ''}. A"
        " cluster also vanishes if its file is now empty, all comments, a link, has"
        " another ending or an unknown apiVersion.",
        locations=(Location(place, "it was here"),),
        subject=gone.name,
        fix=_back(gone.name),
    )


def _without_cluster(before: Manifest, after: Manifest) -> Draft:
    cluster = before.cluster
    assert cluster is not None  # noqa: S101 (asked for by whoever calls)
    first = next(iter(after.groups.values()), None)
    return Draft(
        message=f"the Cluster object of {before.name} is in no file after the change",
        why="Only its instance groups remain; without the Cluster neither etcd"
        " members nor what kops refuses can be checked.",
        locations=(
            *(
                [Location(first.at("metadata", "name"), "groups remain")]
                if first is not None
                else []
            ),
            Location(cluster.at("metadata", "name"), "it was here"),
        ),
        subject=f"{before.name}/Cluster",
        fix=_back(before.name),
    )


def _without_lists(context: Context) -> Iterator[Draft]:
    for source in context.lost_lists:
        yield Draft(
            message=f"the commands for {context.cluster} in {source.path} are gone "
            "while its spec changes",
            why="They were replayed at every change. Without them the order of this"
            " change cannot be checked.",
            locations=(
                Location(source.span(1, 1, 1, len(source.line(1)) + 1), "it was here"),
            ),
            subject=source.path,
            fix=("# put the list back, or delete it in a separate change",),
        )


def _with_idle_lists(context: Context) -> Iterator[Draft]:
    """Lists that say nothing any more; without a change of the spec that only warns."""
    told = {source.path for source in context.lost_lists}
    changes = _spec_changes(context)
    for idle in context.idle_lists:
        source = idle.source
        if source.path in told:
            continue
        yield Draft(
            message=f"the commands for {context.cluster} in {source.path} do nothing"
            f" any more{' while its spec changes' if changes else ''}",
            why="They were replayed at every change. What is left of them changes "
            "nothing, or is never reached, so no order can be checked.",
            locations=(
                Location(
                    source.span(1, 1, 1, len(source.line(1)) + 1), "nothing here acts"
                ),
                Location(idle.did.span, "it did"),
            ),
            subject=source.path,
            severity=None if changes else Severity.WARNING,
            fix=(
                "# write the commands of this change, or take the list away in a",
                "# change of its own",
            ),
        )


def _spec_changes(context: Context) -> bool:
    """Whether anything but places and comments differs between both sides."""
    plan = context.simulation.plan if context.simulation is not None else context
    before, after = plan.before, plan.after
    if before is None:
        return False
    same = with_same_objects(after, (before,))
    return same.cluster is not before.cluster or same.groups != before.groups


def _back(name: str) -> tuple[str, ...]:
    return (
        f"# put it back. If it should go: kops delete cluster {name} --yes",
        f"# in the list, or retired: [{name}] in the configuration before",
    )


def _is_deleted(context: Context) -> bool:
    """Whether the list ends the cluster."""
    simulation = context.simulation
    if simulation is None:
        return False
    from kopslint.model.properties.teardown import ends_cluster

    return any(
        step.status == "applied" and ends_cluster(step.command, simulation.plan)
        for step in simulation.steps
    )
