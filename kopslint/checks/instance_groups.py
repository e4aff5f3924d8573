"""A change: what it does to the instance groups that exist."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.change.membership import (
    groups_removed,
    groups_without_etcd,
    may_hide_groups,
    membership_changes,
)
from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed, only, sure
from kopslint.checks.removals import removals
from kopslint.commands.kops import DeleteCluster, DeleteFromFile, DeleteInstanceGroup
from kopslint.commands.model import Unreadable
from kopslint.findings import Location, Severity
from kopslint.kops.placeholders import holds_placeholder
from kopslint.syntax.yaml import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.change.membership import MembershipChange
    from kopslint.kops.spec import EtcdMember, InstanceGroup, Manifest
    from kopslint.text import Span


def control_plane_zone_changed(context: Context) -> Iterator[Draft]:
    """The group of a member that stays is in another zone than before.

    Where the whole cluster is another one, that is the finding to act upon.
    """
    before, after = context.before, context.after
    if before is None or pairs.is_another(context):
        return
    found = [
        (old, new, was, now)
        for new in after.control_plane
        if (old := before.groups.get(new.name)) is not None
        and (was := only(before.zones_of(old) or ())) is not None
        and (now := only(after.zones_of(new) or ())) is not None
        and was != now
        and not holds_placeholder(was + now)
        and _members_staying(context, before, new)
    ]
    # Groups that share a subnet move together when the subnet does.
    for same in alike(found, lambda f: _cause(f[1], after, before)):
        old, new, was, now = same[0]
        groups = tuple(group.name for _, group, _, _ in same)
        staying = [
            member
            for _, group, _, _ in same
            for member in _members_staying(context, before, group)
        ]
        members = dict.fromkeys(name for _, name in staying)
        yield Draft(
            message=f"control-plane {'group' if len(groups) == 1 else 'groups'} "
            f"{listed(groups)} {'moves' if len(groups) == 1 else 'move'} from zone "
            f"{was} to {now}",
            why=f"The volumes of {listed(tuple(members))} are in {was} and cannot be"
            f" attached in {now}: kops update retries for minutes and fails, and a"
            f" machine that starts in {now} has no data.",
            locations=(
                Location(_place(new, after, before), f"zone {now} after"),
                Location(_place(old, before, after), f"zone {was} before"),
            ),
            subject=f"{','.join(groups)}/{was}/{now}",
            certainty=sure(pairs.is_sure(context, staying)),
            fix=(f"# leave {listed(groups)} in {was}; a new group goes to {now}",),
        )


def _members_staying(
    context: Context, before: Manifest, group: InstanceGroup
) -> list[tuple[str, str]]:
    """The members that ``group`` runs on both sides under one name, on one disk.

    Each with its etcd cluster.
    """
    anew = pairs.made_anew(context)
    return [
        (new.name, now.name)
        for old in before.etcd_clusters
        for new in context.after.etcd_clusters
        if old.name == new.name
        and (was := old.member_of(group.name)) is not None
        and (now := new.member_of(group.name)) is not None
        and was.name == now.name
        and (new.name, now.name) not in anew
    ]


def _cause(group: InstanceGroup, here: Manifest, there: Manifest) -> tuple[str, str]:
    subnet = _moved_subnet(group, here, there)
    return ("subnet", subnet) if subnet is not None else ("group", group.name)


def _moved_subnet(group: InstanceGroup, here: Manifest, there: Manifest) -> str | None:
    """The subnet of ``group`` whose own zone is not the same on both sides."""
    if here.cluster is None or there.cluster is None:
        return None
    for name in group.subnets:
        one, other = here.cluster.subnet(name), there.cluster.subnet(name)
        if one is not None and other is not None and one.zone != other.zone:
            return name
    return None


def _place(group: InstanceGroup, here: Manifest, there: Manifest) -> Span:
    """Where the zone of a group is written: in its moved subnet, or in the group."""
    name = _moved_subnet(group, here, there)
    if name is not None and here.cluster is not None:
        subnet = here.cluster.subnet(name)
        if subnet is not None:
            return span_of(subnet.node, "zone")
    other = there.groups.get(group.name)
    if group.zones and (other is None or other.zones != group.zones):
        return group.at("spec", "zones", 0)
    return group.at("spec", "subnets", 0)


def group_removed_from_file(context: Context) -> Iterator[Draft]:
    """A group is no longer in the files, and no command deletes it.

    Where a member is left behind or moved away, or the group is there and cannot be
    read, that is the finding to act upon.
    """
    before, after = context.before, context.after
    if before is None or may_hide_groups(after):
        return
    left = {member.group for etcd in after.etcd_clusters for member in etcd.members}
    moved = {
        old.group
        for change in membership_changes(before, after)
        for old, _ in change.moved
    }
    gone = [
        group
        for group in groups_removed(before, after)
        if group.name not in left | moved and not _is_deleted(group.name, context)
    ]
    # A control-plane group is a case of its own; workers go by the dozen.
    for same in alike(gone, lambda g: g.name if g.is_control_plane else ""):
        first, names = same[0], tuple(group.name for group in same)
        one = len(names) == 1
        refused = first.is_control_plane and bool(after.etcd_clusters)
        yield Draft(
            message=f"{'control-plane' if first.is_control_plane else 'instance'} "
            f"{'group' if one else 'groups'} {listed(names)} {'is' if one else 'are'} "
            f"gone from the files and {'stays' if one else 'stay'} in the cluster",
            why="kops replace never deletes what a file no longer has: the group"
            " stays in the state store, and its machines keep running."
            + (
                " A control-plane group without an etcd member makes kops refuse"
                " every update."
                if refused
                else ""
            ),
            locations=tuple(
                Location(group.at("metadata", "name"), "only in the spec before")
                for group in same
            ),
            subject=",".join(names),
            certainty=sure(not _may_be_deleted(context)),
            fix=_deletion(same, context),
        )


def _deletion(groups: Sequence[InstanceGroup], context: Context) -> tuple[str, ...]:
    """The commands that delete the groups, their members taken out of etcd first."""
    before = context.before
    names = [group.name for group in groups]
    deletions = [
        f"kops delete ig {quote(name)} --name {quote(context.cluster)} --yes"
        for name in names
    ]
    pairs = [
        (member.name, etcd.name)
        for etcd in (before.etcd_clusters if before is not None else ())
        for member in etcd.members
        if member.group in names
    ]
    if not pairs and context.after.cluster is None and groups[0].is_control_plane:
        # Which members go with them only the Cluster says; a deletion is no first step.
        return cluster_from_store(context)
    if not pairs:
        return tuple(deletions)
    return removals(context, pairs, then=" && ".join(deletions))


def cluster_from_store(context: Context) -> tuple[str, ...]:
    """What puts the Cluster beside its groups, so that its members can be checked."""
    name = context.cluster if "." in context.cluster else "NAME"
    return (
        f"kops get cluster {quote(name)} -o yaml > cluster.yaml",
        "# then check the change with cluster.yaml on both sides",
    )


def _is_deleted(group: str, context: Context) -> bool:
    """Whether a command deletes the group, or one of those that nobody can name."""
    for step in context.simulation.steps if context.simulation is not None else ():
        command = step.command
        if isinstance(command, DeleteCluster | DeleteFromFile):
            return True
        if isinstance(command, DeleteInstanceGroup) and (
            command.group is None or command.group.text in (None, group)
        ):
            return True
    return False


def _may_be_deleted(context: Context) -> bool:
    """Whether something in the list cannot be read and so may delete anything."""
    simulation = context.simulation
    return simulation is not None and any(
        isinstance(step.command, Unreadable) for step in simulation.steps
    )


# ------------------------------------------------------------------------------------
# A change of the control plane without its commands: what kind of order it needs


def order_decides(context: Context) -> Iterator[Draft]:
    """The members of etcd change and no command list says how."""
    before, after = context.before, context.after
    if before is None or context.simulation is not None:
        return
    yield from _more_groups(context, before)
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


def _more_groups(context: Context, before: Manifest) -> Iterator[Draft]:
    """Control-plane groups that come, where no file has the Cluster with its etcd.

    Where some go as well, another rule says that nothing is proven.
    """
    change = groups_without_etcd(before, context.after)
    if change is None or change.gone:
        return
    names = listed([group.name for group in change.added])
    yield Draft(
        message=f"the control plane goes from {change.old} to {change.new} groups, and "
        "the Cluster with its etcdClusters is not here",
        why=f"Whether etcd gets a member for {names} is not known. kops refuses every "
        "update while a control-plane group has no member, and new members join one "
        "at a time, only while every member is healthy.",
        locations=tuple(
            Location(group.at("metadata", "name"), "new") for group in change.added
        ),
        subject=f"groups/{names}",
        severity=Severity.WARNING,
        fix=cluster_from_store(context),
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
            "New members join one at a time, and only while every member is healthy:"
            " replace, update and validate before any machine is rolled or deleted."
        )
    leave = (
        "A leaving member has to be removed from etcd by name, in every etcd cluster,"
        " besides deleting its group; neither kops nor etcd-manager does that."
    )
    if not change.added:
        return f"{leave} The lower count comes last."
    return f"{leave} Only then can the new one join."
