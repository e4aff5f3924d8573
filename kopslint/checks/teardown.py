"""The end of a cluster: by its name, by a file that holds it, or by terraform.

Sources: kops cmd/kops/delete_cluster.go and cmd/kops/delete.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft
from kopslint.commands import model
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.command import Command
    from kopslint.simulate.plan import Plan


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
    from kopslint.checks.etcd_store import state_store_reused

    return next(state_store_reused(context), None) is not None


def _with_care(command: Command, context: Context) -> tuple[str, ...]:
    copied = "# copy the backups first"
    if isinstance(command, model.DeleteCluster) and context.cluster in command.text:
        return (copied,)
    named = f"kops delete cluster {context.cluster} --yes"
    return (f"{copied}, and name the cluster in the command:", named)


def ends_cluster(command: Command, plan: Plan) -> bool:
    """Whether no machine and no volume of the cluster is left after a command."""
    return _is_destroyed(command) or deletes_cluster(command, plan)


def _is_destroyed(command: Command) -> bool:
    match command:
        case model.Terraform(verb="destroy", targets=()):
            return True
        case _:
            return False


def deletes_cluster(command: Command, plan: Plan) -> bool:
    """Whether a command deletes the cluster, by its name or by a file that has it."""
    match command:
        case model.DeleteCluster(yes=True, unregister=False):
            return True
        case model.DeleteFromFile(yes=True, files=files):
            held = (plan.objects_of(word) for word in files)
            return any(objects and objects.cluster for objects in held)
        case _:
            return False
