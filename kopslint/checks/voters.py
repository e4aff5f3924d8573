"""How many voters an etcd cluster has, and how many of the old ones a change leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.members import membership_changes
from kopslint.checks import kept
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember


def every_voter_replaced(context: Context) -> Iterator[Draft]:
    """No member of before is left in an etcd cluster, in no group of before."""
    if context.before is None:
        return
    replaced = {
        new.name
        for old, new in kept.etcd_clusters(context)
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
            message=f"no old member is left in etcd {listed(names)}: {listed(old)} "
            f"{'is' if len(old) == 1 else 'are all'} replaced",
            why="The data is on the volumes of the old members and nowhere else. New "
            "members get it from a quorum of old ones, one member at a time; here "
            "there is nobody to get it from.",
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
                f"# grow to three members with {old[0]} first, then take it out"
                if len(old) == 1
                else f"# a change for each: first {new[0]} for {old[0]}, then the next",
            ),
        )


# As many zones as a control plane needs to outlive one of them.
_ENOUGH_ZONES = 3


def single_member(context: Context) -> Iterator[Draft]:
    """An etcd cluster has one member only: since the change, or in spite of its zones.

    A small cluster in one zone is meant to be one, and is not told so at every check.
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
        why="While its machine is rolled, rebooted or lost there is no API, and none "
        "while its zone is down; without its volume, only a backup helps.",
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
