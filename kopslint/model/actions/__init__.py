"""Which effect belongs to which command: one flat dispatch over the command types.

A new command is one type, in ``kopslint.commands.kops`` or beside those of other
programs in ``kopslint.commands.model``, one function in a sibling module, and one line
here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands import model
from kopslint.commands.kops import (
    CreateFromFile,
    CreateInstanceGroup,
    DeleteCluster,
    DeleteFromFile,
    DeleteInstance,
    DeleteInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    EncryptionConfig,
    Reconcile,
    Replace,
    RollingUpdate,
    UpdateCluster,
    UpgradeCluster,
    Validate,
)
from kopslint.kops.rejection import Rejection
from kopslint.model.actions import etcd, machines, member_removal, store
from kopslint.model.state import Result, applied, refused

if TYPE_CHECKING:
    from kopslint.commands.model import Command
    from kopslint.model.actions.machines import Watch
    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState


def effect(
    command: Command, state: ClusterState, watch: Watch, plan: Scenario
) -> list[Result]:
    """Every way in which ``command`` may end in ``state``; at least one.

    A command line that the program itself rejects does nothing. ``watch`` is shown
    the moments inside a rolling update.
    """
    rejected = [problem for problem in command.problems if not problem.harmless]
    if rejected:
        return [refused(state, rejected[0]._replace(about=command.text))]
    missing = _missing(command, plan)
    if missing is not None:
        return [refused(state, missing)]
    match command:
        case Replace():
            return store.run_replace(command, state, plan)
        case CreateFromFile():
            return store.run_create(command, state, plan)
        case CreateInstanceGroup():
            return store.run_create_group(command, state, plan)
        case EditCluster():
            return store.run_edit_cluster(command, state, plan)
        case EditInstanceGroup():
            return store.run_edit_group(command, state, plan)
        case UpgradeCluster():
            return store.run_upgrade(command, state, plan)
        case DeleteInstanceGroup():
            return machines.run_delete_group(command, state, plan)
        case DeleteFromFile():
            return machines.run_delete_file(command, state, plan)
        case DeleteInstance():
            return machines.run_delete_instance(command, state, plan)
        case DeleteCluster():
            return [machines.run_delete_cluster(command, state)]
        case UpdateCluster():
            return machines.run_update(command, state, plan)
        case RollingUpdate():
            return machines.run_roll(command, state, plan, watch)
        case Reconcile():
            return machines.run_reconcile(command, state, plan, watch)
        case Validate():
            return machines.run_validate(state)
        case model.MemberRemove():
            return member_removal.run_remove(command, state, plan)
        case model.MemberAdd():
            return etcd.run_add(command, state)
        case model.RestoreBackup():
            return etcd.run_restore(command, state)
        case model.DeleteRestore():
            return etcd.run_delete_restore(command, state)
        case model.ForceNewCluster():
            return etcd.run_force(command, state, plan)
        case model.RestartManagers():
            return etcd.run_restart_managers(command, state, plan)
        case model.StopInstances():
            return machines.run_stop(command, state, plan)
        case model.DeleteVolumes():
            return etcd.run_volumes(command, state, plan)
        case model.ResizeCloudGroup():
            return etcd.run_resize(command, state, plan)
        case model.Terraform():
            return etcd.run_terraform(command, state)
        case model.Sleep():
            return etcd.run_sleep(command, state)
        case model.DeleteBackups():
            return store.run_delete_backups(command, state, plan)
        case EncryptionConfig():
            return [store.run_encryption_config(command, state, plan)]
        case model.Unreplayed():
            return machines.run_unreplayed(command, state, plan)
        case _:
            # Drains, snapshots and the like matter to people and to no plane here.
            return [applied(state)]


def _missing(command: Command, plan: Scenario) -> Rejection | None:
    """What the kops that runs the list does not know yet, if it is known which."""
    if plan.kops_version is None or not command.kops:
        return None
    from kopslint.kops.command_line import lacking
    from kopslint.kops.validation import kops_minor

    kops = kops_minor(plan.kops_version, plan.before)
    why = lacking(command.kops, command.flags, kops)
    if why is None:
        return None
    place = ((command.span, f"not in kops 1.{kops}"),)
    return Rejection("not-in-release", why, command.text, place, by="command line")
