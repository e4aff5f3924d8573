"""A change: what it does to the instance groups that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.correspondence import may_hide_groups
from kopslint.change.members import groups_removed, membership_changes
from kopslint.checks import kept
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed, sure
from kopslint.checks.placeholders import holds_placeholder
from kopslint.checks.removals import removals
from kopslint.commands.model import (
    DeleteCluster,
    DeleteFromFile,
    DeleteInstanceGroup,
    Unreadable,
)
from kopslint.findings import Location
from kopslint.syntax.yaml_tree import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import InstanceGroup, Manifest
    from kopslint.source.text import Span


def control_plane_zone_changed(context: Context) -> Iterator[Draft]:
    """The group of a member that stays is in another zone than before.

    Where the whole cluster is another one, that is the finding to act upon.
    """
    before, after = context.before, context.after
    if before is None or kept.is_another(context):
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
            why=f"The volumes of {listed(tuple(members))} are in {was} and cannot be "
            f"attached in {now}: kops update retries for minutes and fails, and a "
            "machine that starts in the other zone has no data.",
            locations=(
                Location(_place(new, after, before), f"zone {now} after"),
                Location(_place(old, before, after), f"zone {was} before"),
            ),
            subject=f"{','.join(groups)}/{was}/{now}",
            certainty=sure(kept.is_sure(context, staying)),
            fix=(f"# leave {listed(groups)} in {was}; a new group goes to {now}",),
        )


def _members_staying(
    context: Context, before: Manifest, group: InstanceGroup
) -> list[tuple[str, str]]:
    """The members that ``group`` runs on both sides under one name, on one disk.

    Each with its etcd cluster.
    """
    anew = kept.made_anew(context)
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
            why="kops replace never deletes what a file leaves out: the group stays in "
            "the state store, and its machines keep running."
            + (
                " As a control-plane group without an etcd member it makes kops refuse "
                "every update."
                if refused
                else ""
            ),
            locations=tuple(
                Location(group.at("metadata", "name"), "only in the spec before")
                for group in same
            ),
            subject=",".join(names),
            certainty=sure(not _may_be_deleted(context)),
            fix=tuple(line for group in same for line in _deletion(group, context)),
        )


def _deletion(group: InstanceGroup, context: Context) -> tuple[str, ...]:
    """The commands that delete the group, its members taken out of etcd first."""
    before = context.before
    return (
        *removals(
            context.specs,
            (
                (member.name, etcd.name)
                for etcd in (before.etcd_clusters if before is not None else ())
                for member in etcd.members
                if member.group == group.name
            ),
        ),
        f"kops delete ig {group.name} --name {context.cluster} --yes",
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
