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
        "two clusters serve as etcd {etcd} at once, the restored one and the old one",
        "The restore made a new cluster, and old members came back with their disks: a "
        "majority of them serves again with the data of before. What is written to one "
        "is not in the other. Seen in 7 of 7 runs.",
        "old members serve again",
        (
            "# stop the old members and delete their etcd volumes before the restore,",
            "# and let no group of theirs have a machine until it is done",
        ),
    ),
    "overwritten": _Said(
        "the backup is put over etcd {etcd} while it runs: old keys and new ones mixed",
        "Fewer peers live than the restore's member count needs, so no new cluster "
        "is made; the keys of the backup are put into the one that serves, and the "
        "command is gone. Nothing says so. Seen in 3 of 3 runs.",
        "put over the living cluster",
        (
            "# quorum holds: take the dead members out instead, nothing is lost",
            "kopslint plan --before SPEC --after SPEC --observed OUTPUTS",
        ),
    ),
    "rolled back": _Said(
        "a queued restore rolls back etcd {etcd} although it has quorum again",
        "A restore stays queued until enough peers live. When a lost member is back "
        "with its disk, quorum is there with all data, and then the command runs: what "
        "was written since the backup is lost for nothing. Seen in 3 of 3 runs.",
        "carried out though quorum holds",
        (
            "# before a machine comes back, take the restore back, then restart",
            "# etcd-manager on every machine, since its leader may hold it:",
            "etcd-manager-ctl --backup-store=STORE delete-command BACKUP",
        ),
    ),
    "waits": _Said(
        "the restore of etcd {etcd} is never carried out: too few machines live for "
        "its member count",
        "A restore holds the member count that was published when it was queued. While "
        "it waits the leader reads nothing else, so that a lower count published later "
        "does not help; nor does a second command. Measured.",
        "held, and never carried out",
        (
            "etcd-manager-ctl --backup-store=STORE delete-command BACKUP",
            "# publish a count that the living can fill, restart etcd-manager, and",
            "# queue the restore then",
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
                f"{who} is added to etcd {hazard.etcd_cluster} by hand, and never "
                "starts"
            )
            why = (
                "etcd-manager starts only members that it has added itself. The one "
                "that was added by hand counts for quorum at once, its machine stays "
                "idle, and nothing moves any more. Measured with etcd 3.5 and 3.6."
            )
            fix = ("# etcd-manager adds it by itself once it is out of the list",)
        else:
            message = (
                f"{who} may be cut off while etcd-manager adds it to etcd "
                f"{hazard.etcd_cluster}, and never starts"
            )
            why = (
                "etcd-manager has been trying to add it, and the removal is what etcd "
                "waited for: the addition under way has the old member list, so the "
                'new member ends with "member count is unequal" for ever. Seen in 2 of '
                "4 runs."
            )
            fix = (
                "# stop the machines that wait to be added, remove, start them again",
            )
        yield Draft(
            message=message,
            why=why,
            locations=(Location(hazard.step.command.span, "from here on it is stuck"),),
            subject=f"{who}/{hazard.etcd_cluster}",
            step=hazard.step.number,
            etcd_cluster=hazard.etcd_cluster,
            certainty=sure(hazard.certain),
            fix=fix,
        )
