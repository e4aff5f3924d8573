"""Traps on the way back of a broken cluster: they look like a rescue and are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, listed, sure
from kopslint.findings import Location
from kopslint.model.properties.traps import cut_off, restore_harms
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Said(Record):
    """What is said of a harm."""

    message: str
    why: str
    label: str
    fix: tuple[str, ...]


_SAID = {
    "split": _Said(
        "two etcd {etcd} clusters serve at once, the restored one and the old one",
        "The restore created a new cluster, and old members came back with their"
        " disks: a majority of them serves again with the old data. Writes to one are"
        " not in the other. Seen in 7 of 7 runs.",
        "old members serve again",
        (
            "# stop the old members and delete their etcd volumes before the restore,",
            "# and give their groups no machine until it is done",
        ),
    ),
    "overwritten": _Said(
        (
            "the backup is written over the running etcd {etcd}: old and new keys are"
            " mixed"
        ),
        "Fewer peers are alive than the restore's member count needs, so no new"
        " cluster is created; the backup's keys are written into the running one, and"
        " the command is gone. Nothing reports this. Seen in 3 of 3 runs.",
        "written over the live cluster",
        (
            "# quorum holds: remove the dead members instead, nothing is lost",
            "kopslint plan --before SPEC --after SPEC --observed OUTPUTS",
        ),
    ),
    "rolled back": _Said(
        "a queued restore rolls back etcd {etcd} although quorum is back",
        "A restore stays queued until enough peers are alive. When a lost member"
        " returns with its disk, quorum is back with all data, and then the restore"
        " runs: everything written since the backup is lost for nothing. Seen in 3 of"
        " 3 runs.",
        "runs although quorum holds",
        (
            "# before a machine comes back, cancel the restore, then restart",
            "# etcd-manager on every machine, as its leader may have read it:",
            "etcd-manager-ctl --backup-store=STORE delete-command BACKUP",
        ),
    ),
    "waits": _Said(
        "the restore of etcd {etcd} never runs: too few machines are alive for its"
        " member count",
        "A restore keeps the member count that was published when it was queued."
        " While it waits, the leader reads nothing else, so a lower count published"
        " later does not help, nor does a second restore. Measured.",
        "waits, and never runs",
        (
            "etcd-manager-ctl --backup-store=STORE delete-command BACKUP",
            "# publish a count that the live members can reach, restart etcd-manager,",
            "# and queue the restore then",
        ),
    ),
}


def restore_destroys(context: Context) -> Iterator[Draft]:
    """A restore makes a second cluster, mixes data, rolls back, or waits for ever."""
    simulation = context.simulation
    for harm in restore_harms(simulation) if simulation is not None else ():
        said = _SAID[harm.harm]
        yield Draft(
            message=said.message.format(etcd=harm.etcd_cluster),
            why=said.why,
            locations=(Location(harm.step.command.span, said.label),),
            subject=f"{harm.harm}/{harm.etcd_cluster}",
            step=harm.step.number,
            etcd_cluster=harm.etcd_cluster,
            certainty=sure(harm.certain),
            fix=said.fix,
        )


def member_cut_off(context: Context) -> Iterator[Draft]:
    """A member is listed and never starts: added by hand, or cut off while added."""
    simulation = context.simulation
    for hazard in cut_off(simulation) if simulation is not None else ():
        who = listed(list(hazard.members))
        if hazard.by_hand:
            message = (
                f"{who} is added to etcd {hazard.etcd_cluster} by hand and never starts"
            )
            why = (
                "etcd-manager starts only members that it added itself. A member"
                " added by hand counts towards quorum at once, its machine stays"
                " idle, and no other member can be added. Measured with etcd 3.5 and"
                " 3.6."
            )
            fix = ("# etcd-manager adds it by itself once it is off the member list",)
        else:
            message = (
                f"{who} may get stuck while etcd-manager adds it to etcd"
                f" {hazard.etcd_cluster}, and never start"
            )
            why = (
                "etcd-manager has been trying to add it, and etcd was waiting for the "
                "removal: the addition in progress uses the old member list, so the "
                'new member fails with "member count is unequal" forever. Seen in 2 of '
                "4 runs."
            )
            fix = (
                "# stop the machines that wait to join, remove it, start them again",
            )
        yield Draft(
            message=message,
            why=why,
            locations=(Location(hazard.step.command.span, "stuck from here on"),),
            subject=f"{who}/{hazard.etcd_cluster}",
            step=hazard.step.number,
            etcd_cluster=hazard.etcd_cluster,
            certainty=sure(hazard.certain),
            fix=fix,
        )
