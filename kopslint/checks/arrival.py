"""Whether a list of commands ends at the spec after, and the machines too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.command_lines import STORES
from kopslint.checks.context import Context, Draft, listed
from kopslint.commands import model
from kopslint.commands.kops import (
    CreateCluster,
    DeleteCluster,
    DeleteInstance,
    EditCluster,
    EditInstanceGroup,
    Reconcile,
    RollingUpdate,
    UpdateCluster,
)
from kopslint.findings import Location, Severity
from kopslint.kops.versions import release
from kopslint.model.properties.membership import deletions
from kopslint.model.properties.teardown import deletes_cluster
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Manifest
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState
    from kopslint.text import Span


def after_spec_never_stored(context: Context) -> Iterator[Draft]:
    """The list ends and the state store has not got the spec after.

    Where a command is refused, a group stays that nobody deletes, or one is deleted
    under its member, that is the finding to act upon. A list that only applies is often
    preceded by one that stores.
    """
    simulation = context.simulation
    if simulation is None or context.before is None or not _can_tell(simulation):
        return
    missing = set.intersection(
        *(set(_missing(final, simulation)) for final in simulation.final)
    )
    missing -= {f"group {deletion.group}" for deletion in deletions(simulation)}
    if not missing:
        return
    names = sorted(missing)
    places = [
        Location(span, "not in the state store") for span in _places(names, context)
    ]
    elsewhere = _may_be_stored_elsewhere(context.before, simulation)
    yield Draft(
        severity=Severity.INFO if elsewhere else None,
        message=f"the list never stores {listed(names)} of the spec after",
        why="The list stores no spec. If somebody stored it before, by hand or in"
        " another job, nothing is missing; otherwise this applies what was there"
        " already."
        if elsewhere
        else "An update applies what is in the state store. No command of this list"
        " stores this part of the spec after, so this update and later ones apply"
        " the old one.",
        locations=(
            Location(simulation.steps[-1].command.span, "the list ends here"),
            *places[:3],
        ),
        subject=",".join(names),
        step=simulation.steps[-1].number,
        fix=(f"{context.storing(context.after)}  # before any update",),
    )


def _may_be_stored_elsewhere(before: Manifest, simulation: Simulation) -> bool:
    """Whether the list leaves storing to others, and no etcd member is at stake."""
    after = simulation.plan.after
    return control_plane_of(before) == control_plane_of(after) and not any(
        isinstance(command, STORES) for command in simulation.plan.commands
    )


def control_plane_of(manifest: Manifest) -> object:
    """Which etcd members a manifest has, and which groups with how many machines."""
    groups = {group.name: group.size for group in manifest.control_plane}
    cluster = manifest.cluster
    return groups, cluster.membership if cluster is not None else None


def _can_tell(simulation: Simulation) -> bool:
    """Whether the end of the list is known, and nothing else says why it is so."""
    return (
        bool(simulation.steps and simulation.final)
        and not simulation.truncated
        and not any(step.refusals for step in simulation.steps)
        and not simulation.undecided
        and not any(
            isinstance(command, CreateCluster | DeleteCluster)
            or deletes_cluster(command, simulation.plan)
            for command in simulation.plan.commands
        )
    )


def _missing(final: ClusterState, simulation: Simulation) -> Iterator[str]:
    """The objects of the spec after that the state store has not, or has otherwise.

    What ``--set`` writes is not followed, so objects edited like that are left out.
    """
    registry, after = final.registry, simulation.plan.after
    edited = {name for step in simulation.steps for name in _set_by_flags(step)}
    if registry.cluster is not after.cluster and "the Cluster" not in edited:
        yield "the Cluster"
    for name, group in after.groups.items():
        if registry.groups.get(name) is not group and f"group {name}" not in edited:
            yield f"group {name}"


def _set_by_flags(step: Step) -> Iterator[str]:
    match step.command:
        case EditCluster() as command if command.sets or command.unsets:
            yield "the Cluster"
        case EditInstanceGroup() as command if command.sets or command.unsets:
            if command.group is not None:
                yield f"group {command.group.shown}"


def _places(names: list[str], context: Context) -> Iterator[Span]:
    after = context.after
    if "the Cluster" in names and after.cluster is not None:
        yield after.cluster.at("metadata", "name")
    for name, group in after.groups.items():
        if f"group {name}" in names:
            yield group.at("metadata", "name")


def applied_never_rolled_out(context: Context) -> Iterator[Draft]:
    """What only a new machine gets is applied, and no machine is replaced after it."""
    simulation = context.simulation
    if simulation is None:
        return
    changes = list(_needing_machines(context))
    applies = [step for step in simulation.steps if _applies(step)]
    if not changes or not applies or not simulation.final:
        return
    last = applies[-1]
    # What cannot be read, such as a script of one's own, may be what rolls.
    if any(isinstance(command, _REPLACES) for command in simulation.plan.commands):
        return
    if not all(
        final.registry.cluster is simulation.plan.after.cluster
        for final in simulation.final
    ):
        return
    what = [name for name, _ in changes]
    yield Draft(
        message=f"{listed(what)} {'is' if len(what) == 1 else 'are'} applied, but no"
        " machine is replaced to get it",
        why="An update changes what the next machine starts with. Running machines"
        " keep the old configuration until they are replaced, each at some"
        " unplanned moment.",
        locations=(
            Location(last.command.span, "applied here"),
            *(Location(span, "waits for a roll") for _, span in changes[:3]),
        ),
        subject=",".join(what),
        step=last.number,
        severity=Severity.WARNING if _is_upgrade(context) else None,
        fix=(f"kops rolling-update cluster {context.cluster} --yes",),
    )


def _is_upgrade(context: Context) -> bool:
    """Whether Kubernetes goes to another minor release.

    Machines of two of them are what whoever replaces one by chance then has. A patch
    release may wait for the next roll.
    """
    pair = pairs.cluster(context)
    if pair is None:
        return False
    old, new = (release(side.kubernetes_version) for side in pair)
    return old is not None and new is not None and old.series != new.series


_REPLACES = (
    DeleteInstance,
    Reconcile,
    RollingUpdate,
    model.StopInstances,
    model.Unreadable,
)


def _applies(step: Step) -> bool:
    match step.command:
        case UpdateCluster(yes=True) as command:
            direct = command.target is None or command.target.text == "direct"
            return direct and not command.leaves_machines
        case model.Terraform(verb="apply"):
            return True
        case _:
            return False


def _needing_machines(context: Context) -> Iterator[tuple[str, Span]]:
    """The changes that reach a machine only when it starts, each with its place."""
    pair = pairs.cluster(context)
    if pair is not None:
        old, new = pair
        if old.kubernetes_version != new.kubernetes_version:
            yield (
                f"Kubernetes {new.kubernetes_version}",
                new.at("spec", "kubernetesVersion"),
            )
    for etcd, now in pairs.etcd_clusters(context):
        if now.version and etcd.version != now.version:
            yield f"etcd {now.version} of {now.name}", now.at("version")
    for was, group in pairs.groups(context):
        if was.role is not group.role:
            # With another role it is a new group, and so are its machines.
            continue
        for field in ("image", "machineType"):
            value = text_at(group.node, "spec", field)
            if value and value != text_at(was.node, "spec", field):
                yield f"the {field} of {group.name}", group.at("spec", field)
