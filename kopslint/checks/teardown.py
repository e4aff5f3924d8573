"""What a change leaves standing: the same object before and after, by its name.

Rules about changed fields ask here for pairs; new and removed objects are no
business of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.identity import move
from kopslint.checks.context import Context, Draft
from kopslint.commands import model
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import (
        Cluster,
        EtcdCluster,
        EtcdMember,
        InstanceGroup,
        Subnet,
    )
    from kopslint.model.scenario import Scenario


def cluster(context: Context) -> tuple[Cluster, Cluster] | None:
    """The Cluster before and after; None unless both sides have it, as one cluster.

    That a cluster is elsewhere is the finding to act upon: what else is different is
    different because it is another one. So it is with one that is deleted first.
    """
    return None if is_another(context) else both(context)


def both(context: Context) -> tuple[Cluster, Cluster] | None:
    """The Cluster before and after, wherever it is; None unless both sides have it."""
    before = context.before.cluster if context.before is not None else None
    after = context.after.cluster
    return None if before is None or after is None else (before, after)


def is_another(context: Context) -> bool:
    """Whether the cluster after is in another place, or the list deletes it first."""
    pair = both(context)
    return pair is not None and (move(*pair) is not None or deleted_first(context))


def deleted_first(context: Context) -> bool:
    """Whether the list surely deletes the whole cluster before it applies the change.

    Nothing is left then that the change could be too much for: what comes after it is
    a new cluster.
    """
    simulation = context.simulation
    if simulation is None or context.before is None:
        return False

    for number, step in enumerate(simulation.steps, 1):
        if ends_cluster(step.command, simulation.plan) and step.status == "applied":
            return all(
                situation.applied.cluster is context.before.cluster
                for earlier in simulation.steps[:number]
                for situation in earlier.before
            )
    return False


def etcd_clusters(context: Context) -> Iterator[tuple[EtcdCluster, EtcdCluster]]:
    """The etcd clusters of both sides, before and after."""
    pair = cluster(context)
    if pair is None:
        return
    before, after = pair
    for new in after.etcd_clusters:
        old = before.etcd_cluster(new.name)
        if old is not None:
            yield old, new


def members(context: Context) -> Iterator[tuple[str, EtcdMember, EtcdMember]]:
    """The members of both sides: the etcd cluster's name, before, after.

    One that the list takes out and lets in anew is not the same member.
    """
    anew = made_anew(context)
    for etcd, after in etcd_clusters(context):
        for new in after.members:
            old = etcd.member(new.name) if new.name else None
            if old is not None and (after.name, new.name) not in anew:
                yield after.name, old, new


def made_anew(context: Context, *, perhaps: bool = False) -> frozenset[tuple[str, str]]:
    """The members, each with its etcd cluster, that the list lets in anew.

    ``perhaps``: those instead that it lets in anew in some runs only.
    """
    if context.simulation is None:
        return frozenset()
    from kopslint.model.properties.membership import let_in_anew

    return frozenset(
        (etcd_cluster, name)
        for etcd_cluster, name, certain in let_in_anew(context.simulation)
        if certain is not perhaps
    )


def is_sure(context: Context, members: Iterable[tuple[str, str]]) -> bool:
    """Whether one of some members, given with its etcd cluster, surely is the old one.

    A fact about its disk is certain then, and otherwise holds in some runs.
    """
    return not made_anew(context, perhaps=True).issuperset(members)


def subnets(context: Context) -> Iterator[tuple[Subnet, Subnet]]:
    """The subnets of both sides, before and after."""
    pair = cluster(context)
    if pair is None:
        return
    before, after = pair
    for new in after.subnets:
        old = before.subnet(new.name)
        if old is not None:
            yield old, new


def groups(context: Context) -> Iterator[tuple[InstanceGroup, InstanceGroup]]:
    """The instance groups of both sides, before and after."""
    if context.before is None or deleted_first(context):
        return
    for name, new in context.after.groups.items():
        old = context.before.groups.get(name)
        if old is not None:
            yield old, new


# ------------------------------------------------------------------------------------
# The end of a cluster: by its name, by a file that holds it, or by terraform
#
# Sources: kops cmd/kops/delete_cluster.go and cmd/kops/delete.go.


def cluster_deleted(context: Context) -> Iterator[Draft]:
    """The whole cluster is deleted, with its volumes or its state store.

    One that the list itself has created is cleaned up and no loss.
    """
    simulation = context.simulation
    if simulation is None:
        return
    for step in simulation.steps:
        command = step.command
        if isinstance(command, model.CreateCluster) and not command.dry_run:
            return
        destroyed = _is_destroyed(command)
        if not ends_cluster(command, simulation.plan) or (
            destroyed and _is_rebuilt(context)
        ):
            continue
        yield Draft(
            message=f"cluster {context.cluster} is destroyed with its etcd volumes"
            if destroyed
            else f"cluster {context.cluster} is deleted with its etcd backups",
            why="Terraform destroys every machine and volume that kops has rendered; "
            "only the state store is left, and the backups in it."
            if destroyed
            else "kops deletes every machine and volume, and the state store with the "
            "keys and the backups of etcd in it: there is nothing to restore from.",
            locations=(Location(command.span, "there is no way back"),),
            subject=context.cluster,
            step=step.number,
            fix=_with_care(command, context),
        )
        return


def _is_rebuilt(context: Context) -> bool:
    """Whether the finding is that the list builds the cluster again."""
    from kopslint.checks.backups import state_store_reused

    return next(state_store_reused(context), None) is not None


def _with_care(command: Command, context: Context) -> tuple[str, ...]:
    copied = "# copy the backups first"
    if isinstance(command, model.DeleteCluster) and context.cluster in command.text:
        return (copied,)
    named = f"kops delete cluster {context.cluster} --yes"
    return (f"{copied}, and name the cluster in the command:", named)


def ends_cluster(command: Command, plan: Scenario) -> bool:
    """Whether no machine and no volume of the cluster is left after a command."""
    return _is_destroyed(command) or deletes_cluster(command, plan)


def _is_destroyed(command: Command) -> bool:
    match command:
        case model.Terraform(verb="destroy", targets=()):
            return True
        case _:
            return False


def deletes_cluster(command: Command, plan: Scenario) -> bool:
    """Whether a command deletes the cluster, by its name or by a file that has it."""
    match command:
        case model.DeleteCluster(yes=True, unregister=False):
            return True
        case model.DeleteFromFile(yes=True, files=files):
            held = (plan.objects_of(word) for word in files)
            return any(objects and objects.cluster for objects in held)
        case _:
            return False
