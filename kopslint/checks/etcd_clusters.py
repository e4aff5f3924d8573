"""A change: what it does to the etcd clusters and members that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.membership import correspondence, membership_changes
from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed, only, sure
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember


def etcd_cluster_removed(context: Context) -> Iterator[Draft]:
    """An etcd cluster is no longer in the spec."""
    before, after = context.before, context.after
    if before is None or after.cluster is None or pairs.deleted_first(context):
        return
    gone = [e for e in before.etcd_clusters if not after.cluster.etcd_cluster(e.name)]
    if not gone:
        return
    names = tuple(dict.fromkeys(etcd.name for etcd in gone))
    yield Draft(
        message=f"etcd {'cluster' if len(names) == 1 else 'clusters'} {listed(names)} "
        f"{'is' if len(names) == 1 else 'are'} removed from the spec",
        why="An etcd cluster cannot be removed from a running cluster: kops refuses"
        " to store such a spec, and no order of commands gets around that.",
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


def member_moved_to_another_group(context: Context) -> Iterator[Draft]:
    """A member runs in another group than before; before it has a disk, it may.

    Where the whole cluster is another one, that is the finding to act upon.
    """
    before, after = context.before, context.after
    if before is None or not context.etcd_volumes or pairs.is_another(context):
        return
    # A member that its group cannot run is the mistake to report; and one that leaves
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
            why="A member's data is on its volume, and the volume stays with its"
            " first group: kops refuses to store the spec once the volume exists.",
            locations=_places(same, "instanceGroup"),
            subject=f"{new.name}/{old.group}/{new.group}",
            etcd_cluster=only(names),
            fix=(
                (
                    f"# leave {new.name} in {old.group}, and add a new member in"
                    f" {new.group}"
                ),
            ),
        )


def member_renamed(context: Context) -> Iterator[Draft]:
    """A group runs a member under another name than before.

    Where the list takes the old one out first, with its disk, the new one is added.
    """
    if context.before is None or pairs.deleted_first(context):
        return
    anew = pairs.made_anew(context)
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
            why="kops knows a member by its name: it creates an empty volume for"
            f" {new.name} and leaves the volume of {old.name} in the same zone, so"
            f" the machine may mount either. {old.name} stays registered and"
            f" counts against quorum, and {new.name} cannot join until {old.name}"
            " is removed by hand.",
            locations=_places(same, "name"),
            subject=f"{old.name}/{new.name}/{new.group}",
            certainty=sure(pairs.is_sure(context, [(n, o.name) for n, o, _ in same])),
            etcd_cluster=only(names),
            fix=(f"# keep the name {old.name}; the name has no meaning",),
        )


def _places(
    same: list[tuple[str, EtcdMember, EtcdMember]], field: str
) -> tuple[Location, ...]:
    return (
        *(Location(new.at(field), f"in {name} after") for name, _, new in same),
        *(Location(old.at(field), f"in {name} before") for name, old, _ in same),
    )


# ------------------------------------------------------------------------------------
# How many voters an etcd cluster has, and how many of the old ones a change leaves


def every_voter_replaced(context: Context) -> Iterator[Draft]:
    """No member of before is left in an etcd cluster, in no group of before."""
    if context.before is None:
        return
    replaced = {
        new.name
        for old, new in pairs.etcd_clusters(context)
        if not any(new.member(member.name) for member in old.members)
    }
    found = [
        change
        for change in membership_changes(context.before, context.after)
        if change.etcd_cluster in replaced
        if change.removed and change.added and not change.renamed
    ]
    for same in alike(found, lambda c: _names(c.removed) + _names(c.added)):
        first = same[0]
        names = [change.etcd_cluster for change in same]
        old, new = _names(first.removed), _names(first.added)
        yield Draft(
            message=f"no old member stays in etcd {listed(names)}: {listed(old)}"
            f" {'is' if len(old) == 1 else 'are all'} replaced",
            why="The data is only on the volumes of the old members. New members copy"
            " it from a quorum of old ones, one member at a time; here no old"
            " member is left to copy from.",
            locations=(
                *(
                    Location(change.added[0].at("name"), f"the first new one of {name}")
                    for name, change in zip(names, same, strict=True)
                ),
                Location(
                    first.removed[0].at("name"), f"{listed(old)} held the data here"
                ),
            ),
            subject=f"{','.join(names)}/{','.join(old)}",
            etcd_cluster=only(names),
            fix=(
                f"# grow to three members with {old[0]} first, then remove it"
                if len(old) == 1
                else (
                    f"# one change for each: first {new[0]} for {old[0]}, then the next"
                ),
            ),
        )


# As many zones as a control plane needs to outlive one of them.
_ENOUGH_ZONES = 3


def single_etcd_member(context: Context) -> Iterator[Draft]:
    """An etcd cluster has one member only: since the change, or in spite of its zones.

    A small cluster in one zone is meant to be one, and is not reported at every check.
    """
    cluster = context.after.cluster
    if cluster is None:
        return
    zones = {subnet.zone for subnet in cluster.subnets if subnet.zone}
    before = context.before.cluster if context.before is not None else None
    found = []
    for etcd in cluster.etcd_clusters:
        if len(etcd.members) != 1:
            return
        old = before.etcd_cluster(etcd.name) if before is not None else None
        if len(zones) >= _ENOUGH_ZONES if old is None else len(old.members) > 1:
            found.append(etcd)
    if not found:
        return
    names = [etcd.name for etcd in found]
    has = "has" if len(names) == 1 else "have"
    yield Draft(
        message=f"etcd {listed(names)} {has} one member",
        why="The API is down whenever its machine is rolled, rebooted or lost, or its"
        " zone is down. If its volume is lost, only a backup helps.",
        locations=tuple(
            Location(etcd.members[0].at("name"), f"the only one of {etcd.name}")
            for etcd in found
        ),
        subject=",".join(names),
        etcd_cluster=only(names),
        fix=(
            "# three groups in three zones, each with a member of every etcd cluster",
        ),
    )


def _names(members: tuple[EtcdMember, ...]) -> tuple[str, ...]:
    return tuple(member.name for member in members)
