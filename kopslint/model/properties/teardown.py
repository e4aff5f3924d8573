"""Which commands are the end of a cluster: by its name, by a file, or by terraform.

Sources: kops cmd/kops/delete_cluster.go and cmd/kops/delete.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands import model
from kopslint.commands.kops import DeleteCluster, DeleteFromFile

if TYPE_CHECKING:
    from kopslint.commands.model import Command
    from kopslint.model.scenario import Scenario


def ends_cluster(command: Command, plan: Scenario) -> bool:
    """Whether no machine and no volume of the cluster is left after a command."""
    return destroys_cluster(command) or deletes_cluster(command, plan)


def destroys_cluster(command: Command) -> bool:
    """Whether terraform destroys everything that kops has rendered for the cluster."""
    match command:
        case model.Terraform(verb="destroy", targets=()):
            return True
        case _:
            return False


def deletes_cluster(command: Command, plan: Scenario) -> bool:
    """Whether a command deletes the cluster, by its name or by a file that has it."""
    match command:
        case DeleteCluster(yes=True, unregister=False):
            return True
        case DeleteFromFile(yes=True, files=files):
            held = (plan.objects_of(word) for word in files)
            return any(objects and objects.cluster for objects in held)
        case _:
            return False
