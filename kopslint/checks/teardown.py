"""A list that deletes the whole cluster, with its volumes or its state store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.backups import state_store_reused
from kopslint.checks.context import Context, Draft
from kopslint.commands.kops import CreateCluster, DeleteCluster
from kopslint.findings import Location
from kopslint.model.properties.teardown import destroys_cluster, ends_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command


def cluster_deleted(context: Context) -> Iterator[Draft]:
    """The whole cluster is deleted, with its volumes or its state store.

    One that the list itself has created is cleaned up and no loss. A cluster that
    stands before the change is not created by it: kops refuses that, and the list goes
    on to the deletion. Source: kops cmd/kops/create_cluster.go, RunCreateCluster.
    """
    simulation = context.simulation
    if simulation is None:
        return
    for step in simulation.steps:
        command = step.command
        makes = isinstance(command, CreateCluster) and not command.dry_run
        if makes and context.before is None:
            return
        destroyed = destroys_cluster(command)
        if not ends_cluster(command, simulation.plan) or (
            destroyed and _is_rebuilt(context)
        ):
            continue
        yield Draft(
            message=f"cluster {context.cluster} is destroyed with its etcd volumes"
            if destroyed
            else f"cluster {context.cluster} is deleted with its etcd backups",
            why="Terraform destroys every machine and volume that kops has rendered;"
            " only the state store remains, with the backups."
            if destroyed
            else "kops deletes every machine and volume, and the state store with the"
            " keys and etcd's backups: there is nothing to restore from.",
            locations=(Location(command.span, "cannot be undone"),),
            subject=context.cluster,
            step=step.number,
            fix=_with_care(command, context),
        )
        return


def _is_rebuilt(context: Context) -> bool:
    """Whether the finding is that the list builds the cluster again."""
    return next(state_store_reused(context), None) is not None


def _with_care(command: Command, context: Context) -> tuple[str, ...]:
    copied = "# copy the backups first"
    if isinstance(command, DeleteCluster) and context.cluster in command.text:
        return (copied,)
    named = f"kops delete cluster {context.cluster} --yes"
    return (f"{copied}, and name the cluster in the command:", named)
