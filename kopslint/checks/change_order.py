"""A change of the control plane without its commands: what kind of order it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.members import membership_changes
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.change.members import MembershipChange
    from kopslint.kops.spec import EtcdMember


def order_needed(context: Context) -> Iterator[Draft]:
    """The members of etcd change and no command list says how."""
    before, after = context.before, context.after
    if before is None or context.simulation is not None:
        return
    changes = [c for c in membership_changes(before, after) if c.added or c.removed]
    for same in alike(changes, lambda c: (_names(c.added), _names(c.removed))):
        change = same[0]
        etcd = after.cluster and after.cluster.etcd_cluster(change.etcd_cluster)
        if not etcd:
            continue
        names = tuple(c.etcd_cluster for c in same)
        old = len(etcd.members) - len(change.added) + len(change.removed)
        yield Draft(
            message=f"etcd {listed(names)} {_verb(names)} from {old} to "
            f"{len(etcd.members)} members, and the order of the commands decides "
            "whether quorum holds",
            why=_kind(change),
            locations=(Location(etcd.at("etcdMembers"), _difference(change)),),
            subject=f"{','.join(names)}/{_difference(change)}",
            etcd_cluster=only(names),
            fix=context.planning,
        )


def _names(members: tuple[EtcdMember, ...]) -> tuple[str, ...]:
    return tuple(member.name for member in members)


def _verb(names: tuple[str, ...]) -> str:
    return "goes" if len(names) == 1 else "go"


def _difference(change: MembershipChange) -> str:
    parts = []
    if change.added:
        parts.append(f"new: {', '.join(_names(change.added))}")
    if change.removed:
        parts.append(f"gone: {', '.join(_names(change.removed))}")
    return "; ".join(parts)


def _kind(change: MembershipChange) -> str:
    """What an order must do, for members that leave, that come, or both."""
    if not change.removed:
        return (
            "New members join one at a time, and only while every member is healthy: "
            "replace, update, and validate before any machine is rolled or deleted."
        )
    leave = (
        "A member that leaves must be taken out of etcd by name, in every etcd "
        "cluster, beside the deletion of its group; kops and etcd-manager do not."
    )
    if not change.added:
        return f"{leave} The lower count comes last."
    return f"{leave} Only then can the new one join."
