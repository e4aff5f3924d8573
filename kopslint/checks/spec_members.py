"""One spec: etcd members and the control-plane groups that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.correspondence import correspondence, members_are_readable
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.change.correspondence import Misplaced
    from kopslint.kops.spec import EtcdCluster


def member_without_group(context: Context) -> Iterator[Draft]:
    """A member's instance group is not among the groups of the spec."""
    for same in _misplaced(context, "no-group"):
        first = same[0]
        member, meant = first.member, first.meant
        names = _clusters(same)
        yield Draft(
            message=f"member {member.name} of {listed(names)} runs in instance group "
            f"{member.group}, which does not exist",
            why="As long as the group of one member is missing, kops update cluster "
            "is refused as a whole, and nothing of the spec is applied.",
            locations=(
                Location(member.at("instanceGroup"), "no such instance group"),
                *_also(same[1:]),
                *_meant(first, names),
            ),
            subject=f"{member.group}/{member.name}",
            etcd_cluster=only(names),
            fix=(
                f"# write instanceGroup: {meant.name}"
                if meant is not None
                else f"# add the InstanceGroup {member.group}, or name one that exists",
            ),
        )


def member_on_other_role(context: Context) -> Iterator[Draft]:
    """A member's instance group is there and is no control plane."""
    for same in _misplaced(context, "other-role"):
        first = same[0]
        member, meant = first.member, first.meant
        names = _clusters(same)
        group = context.after.groups[member.group]
        yield Draft(
            message=f"member {member.name} of {listed(names)} runs in {group.name}, "
            f"whose role is {group.role}",
            why="kops does not look at the role and creates the member's volume, but "
            "only control-plane machines run etcd: the member never starts, and etcd "
            "stays one member short.",
            locations=(
                Location(member.at("instanceGroup"), "not a control-plane group"),
                *_also(same[1:]),
                Location(group.at("spec", "role"), f"the role of {group.name}"),
                *_meant(first, names),
            ),
            subject=f"{member.group}/{member.name}",
            etcd_cluster=only(names),
            fix=(
                f"# write instanceGroup: {meant.name}"
                if meant is not None
                else "# name a group with the role of the control plane",
            ),
        )


def group_without_member(context: Context) -> Iterator[Draft]:
    """A control-plane group runs no member of some etcd cluster."""
    found = [
        vacancy
        for vacancy in correspondence(context.after).vacancies
        if not vacancy.explained and not _is_even(vacancy.etcd)
    ]
    for same in alike(found, lambda vacancy: vacancy.group.name):
        group = same[0].group
        names = tuple(dict.fromkeys(vacancy.etcd.name for vacancy in same))
        yield Draft(
            message=f"control-plane group {group.name} has no member in "
            f"{listed(names)}",
            why="Every control-plane machine runs a member of every etcd cluster. "
            "Until this one does, kops refuses to edit, upgrade or update the whole "
            "cluster; only kops replace takes the spec, and then nothing can be "
            "applied.",
            locations=(
                Location(group.at("metadata", "name"), "this group runs no member"),
                *(
                    Location(v.etcd.at("etcdMembers"), f"of {v.etcd.name}")
                    for v in same
                ),
            ),
            subject=group.name,
            etcd_cluster=only(names),
            fix=(
                f"# add a member with instanceGroup: {group.name} to {listed(names)}",
                "# or delete the group, once its members have left etcd",
            ),
        )


def even_member_count(context: Context) -> Iterator[Draft]:
    """An etcd cluster has an even number of members, or none."""
    vacancies = correspondence(context.after).vacancies
    even = [etcd for etcd in context.after.etcd_clusters if _is_even(etcd)]
    for same in alike(even, lambda etcd: len(etcd.members)):
        count = len(same[0].members)
        names = tuple(dict.fromkeys(etcd.name for etcd in same))
        lonely = {
            vacancy.group.name: vacancy.group
            for vacancy in vacancies
            if any(vacancy.etcd is etcd for etcd in same) and not vacancy.explained
        }
        yield Draft(
            message=f"etcd {listed(names)} {'has' if len(names) == 1 else 'have'} "
            + (f"{count} members, an even number" if count else "no members"),
            why=f"{count} members tolerate no more failures than {count - 1}, and one "
            "more machine can fail. kops refuses to store or to apply an even number."
            if count
            else "Without a member there is no etcd, and kops refuses the spec.",
            locations=(
                *(
                    Location(
                        etcd.at("etcdMembers" if count else "name"),
                        f"{count or 'no'} members",
                    )
                    for etcd in same
                ),
                *(
                    Location(
                        group.at("metadata", "name"),
                        f"no member of {listed(names)} runs here",
                    )
                    for group in lonely.values()
                ),
            ),
            subject=",".join(names),
            etcd_cluster=only(names),
            fix=(
                tuple(f"# add a member with instanceGroup: {name}" for name in lonely)
                if count and lonely
                else ("# list 1, 3 or 5 members, each in a group of its own",)
            ),
        )


def _misplaced(context: Context, reason: str) -> list[list[Misplaced]]:
    """The members misplaced for ``reason``, those of several etcd clusters together."""
    return alike(
        (m for m in correspondence(context.after).misplaced if m.reason == reason),
        lambda misplaced: (misplaced.member.name, misplaced.member.group),
    )


def _clusters(same: list[Misplaced]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(misplaced.etcd.name for misplaced in same))


def _also(others: list[Misplaced]) -> Iterator[Location]:
    for other in others:
        yield Location(
            other.member.at("instanceGroup"), f"the same in {other.etcd.name}"
        )


def _meant(misplaced: Misplaced, names: tuple[str, ...]) -> Iterator[Location]:
    if misplaced.meant is not None:
        yield Location(
            misplaced.meant.at("metadata", "name"),
            f"is this one meant? It has no member in {listed(names)}",
        )


def _is_even(etcd: EtcdCluster) -> bool:
    """Whether the number of members is even and that is a mistake of its own.

    A member that is listed twice is told as such.
    """
    names = {member.name for member in etcd.members if member.name}
    groups = {member.group for member in etcd.members if member.group}
    count = len(etcd.members)
    unique = len(names) == count == len(groups)
    return members_are_readable(etcd) and count % 2 == 0 and (unique or not count)
