"""A change: what it does to the etcd clusters and members that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.correspondence import correspondence
from kopslint.change.members import membership_changes
from kopslint.checks import kept
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed, sure
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember


def etcd_cluster_removed(context: Context) -> Iterator[Draft]:
    """An etcd cluster is no longer in the spec."""
    before, after = context.before, context.after
    if before is None or after.cluster is None or kept.deleted_first(context):
        return
    gone = [e for e in before.etcd_clusters if not after.cluster.etcd_cluster(e.name)]
    if not gone:
        return
    names = tuple(dict.fromkeys(etcd.name for etcd in gone))
    yield Draft(
        message=f"etcd {'cluster' if len(names) == 1 else 'clusters'} {listed(names)} "
        f"{'is' if len(names) == 1 else 'are'} removed from the spec",
        why="An etcd cluster cannot be taken away from a cluster that has it: kops "
        "refuses to store such a spec, and no order of commands gets around that.",
        locations=(
            Location(
                after.cluster.at("spec", "etcdClusters"),
                f"{listed(names)} {'is' if len(names) == 1 else 'are'} missing",
            ),
            *(Location(etcd.at("name"), "it was here") for etcd in gone),
        ),
        subject=",".join(names),
        etcd_cluster=only(names),
        fix=(f"# put {listed(names)} back into etcdClusters",),
    )


def member_moved(context: Context) -> Iterator[Draft]:
    """A member runs in another group than before; before it has a disk, it may.

    Where the whole cluster is another one, that is the finding to act upon.
    """
    before, after = context.before, context.after
    if before is None or not context.etcd_volumes or kept.is_another(context):
        return
    # A member that its group cannot run is the mistake to tell; and one that leaves
    # such a group puts it right, since it never had a volume.
    misplaced = [
        each.member
        for side in (before, after)
        for each in correspondence(side).misplaced
    ]
    found = [
        (change.etcd_cluster, old, new)
        for change in membership_changes(before, after)
        for old, new in change.moved
        if not any(member is old or member is new for member in misplaced)
    ]
    for same in alike(found, lambda f: (f[2].name, f[1].group, f[2].group)):
        _, old, new = same[0]
        names = tuple(dict.fromkeys(name for name, _, _ in same))
        yield Draft(
            message=f"member {new.name} of {listed(names)} moves from {old.group} to "
            f"{new.group}",
            why="A member is its volume, and the volume stays with its first group: "
            "kops refuses to store the spec once the volume exists.",
            locations=_places(same, "instanceGroup"),
            subject=f"{new.name}/{old.group}/{new.group}",
            etcd_cluster=only(names),
            fix=(
                f"# leave {new.name} in {old.group}, and give {new.group} a new member",
            ),
        )


def member_renamed(context: Context) -> Iterator[Draft]:
    """A group runs a member under another name than before.

    Where the list takes the old one out first, with its disk, the new one is added.
    """
    if context.before is None or kept.deleted_first(context):
        return
    anew = kept.made_anew(context)
    found = [
        (change.etcd_cluster, old, new)
        for change in membership_changes(context.before, context.after)
        for old, new in change.renamed
        if (change.etcd_cluster, old.name) not in anew
    ]
    for same in alike(found, lambda f: (f[1].name, f[2].name, f[2].group)):
        _, old, new = same[0]
        names = tuple(dict.fromkeys(name for name, _, _ in same))
        yield Draft(
            message=f"member {old.name} of {listed(names)} is renamed to {new.name}",
            why=f"A member is its name: kops creates an empty volume for {new.name} "
            f"and leaves that of {old.name} in the same zone, where the machine may "
            f"mount either. {old.name} stays registered and counts against quorum, and "
            f"{new.name} cannot join until it is removed by hand.",
            locations=_places(same, "name"),
            subject=f"{old.name}/{new.name}/{new.group}",
            certainty=sure(kept.is_sure(context, [(n, o.name) for n, o, _ in same])),
            etcd_cluster=only(names),
            fix=(f"# keep the name {old.name}; nothing depends on what it is",),
        )


def _places(
    same: list[tuple[str, EtcdMember, EtcdMember]], field: str
) -> tuple[Location, ...]:
    return (
        *(Location(new.at(field), f"in {name} after") for name, _, new in same),
        *(Location(old.at(field), f"in {name} before") for name, old, _ in same),
    )
