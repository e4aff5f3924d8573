"""What a change does to etcd members and to the groups they run in.

The comparison is by name and cheap, because the checks ask for it at every run;
comparing everything else in the specs is not done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.kops.spec import EtcdCluster, EtcdMember, InstanceGroup, Manifest


class MembershipChange(Record):
    """The members of one etcd cluster that a change does not leave as they are.

    ``moved`` members keep their name and run in another group; ``renamed`` ones
    keep their group and get another name. Both are pairs of before and after, and
    are neither ``added`` nor ``removed``.
    """

    etcd_cluster: str
    added: tuple[EtcdMember, ...] = ()
    removed: tuple[EtcdMember, ...] = ()
    moved: tuple[tuple[EtcdMember, EtcdMember], ...] = ()
    renamed: tuple[tuple[EtcdMember, EtcdMember], ...] = ()


def membership_changes(
    before: Manifest, after: Manifest
) -> tuple[MembershipChange, ...]:
    """One entry for each etcd cluster that is on both sides, in the order of before.

    Members without a name are left out.
    """
    return tuple(
        _membership_change(old, new)
        for old in before.etcd_clusters
        for new in after.etcd_clusters
        if old.name == new.name
    )


def groups_removed(before: Manifest, after: Manifest) -> tuple[InstanceGroup, ...]:
    """The groups that only ``before`` has, by name; none if ``after`` has no group.

    A side without any group is taken for a file that holds only the Cluster.
    """
    if not after.groups:
        return ()
    return tuple(
        before.groups[name] for name in sorted(set(before.groups) - set(after.groups))
    )


def _membership_change(before: EtcdCluster, after: EtcdCluster) -> MembershipChange:
    old = {member.name: member for member in before.members if member.name}
    new = {member.name: member for member in after.members if member.name}
    gone = {m.group: m for name, m in old.items() if name not in new}
    come = {m.group: m for name, m in new.items() if name not in old}
    renamed = {group for group in gone if group and group in come}
    return MembershipChange(
        before.name,
        added=tuple(m for g, m in come.items() if g not in renamed),
        removed=tuple(m for g, m in gone.items() if g not in renamed),
        moved=tuple(
            (old[name], member)
            for name, member in new.items()
            if name in old
            and member.group
            and old[name].group not in ("", member.group)
        ),
        renamed=tuple((gone[g], m) for g, m in come.items() if g in renamed),
    )
