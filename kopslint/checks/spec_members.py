"""One spec: etcd members and the control-plane groups that run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.membership import correspondence, members_are_readable
from kopslint.checks.context import Context, Draft, alike, listed, only
from kopslint.findings import Location
from kopslint.kops.placeholders import is_open_ended
from kopslint.kops.spec import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.change.membership import Misplaced
    from kopslint.kops.spec import EtcdCluster, EtcdMember, InstanceGroup


def etcd_member_without_group(context: Context) -> Iterator[Draft]:
    """A member's instance group is not among the groups of the spec."""
    for same in _misplaced(context, "no-group"):
        first = same[0]
        member, meant = first.member, first.meant
        names = _clusters(same)
        yield Draft(
            message=f"member {member.name} of {listed(names)} runs in instance group "
            f"{member.group}, which does not exist",
            why="While a member's group is missing, kops update cluster fails as a"
            " whole and applies nothing.",
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


def member_on_non_control_plane_group(context: Context) -> Iterator[Draft]:
    """A member's instance group is there and is no control plane."""
    for same in _misplaced(context, "other-role"):
        first = same[0]
        member, meant = first.member, first.meant
        names = _clusters(same)
        group = context.after.groups[member.group]
        yield Draft(
            message=f"member {member.name} of {listed(names)} runs in {group.name}, "
            f"whose role is {group.role}",
            why="kops does not check the role and creates the member's volume, but"
            " only control-plane machines run etcd: the member never starts, and etcd"
            " stays one member short.",
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
                else "# name a control-plane group",
            ),
        )


def control_plane_group_without_member(context: Context) -> Iterator[Draft]:
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
            why="Every control-plane machine runs a member of every etcd cluster."
            " Until this group has one, kops refuses to edit, upgrade or update the"
            " cluster; only kops replace accepts the spec, and then nothing can be"
            " applied.",
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
    even = [
        etcd
        for etcd in context.after.etcd_clusters
        if _is_even(etcd)
        and not any(is_open_ended(each.name + each.group) for each in etcd.members)
    ]
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
            why=f"{count} members tolerate no more failures than {count - 1}, with one"
            " more machine that can fail. kops refuses to store or apply an even"
            " number."
            if count
            else "Without members there is no etcd, and kops refuses the spec.",
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
                else ("# list 1, 3 or 5 members, each in its own group",)
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
            f"did you mean this one? It has no member in {listed(names)}",
        )


def _is_even(etcd: EtcdCluster) -> bool:
    """Whether the number of members is even and that is a mistake of its own.

    A member that is listed twice is reported as such.
    """
    names = {member.name for member in etcd.members if member.name}
    groups = {member.group for member in etcd.members if member.group}
    count = len(etcd.members)
    unique = len(names) == count == len(groups)
    return members_are_readable(etcd) and count % 2 == 0 and (unique or not count)


# ------------------------------------------------------------------------------------
# One spec: the same thing written twice, or differently in two etcd clusters


def duplicate_member_or_group(context: Context) -> Iterator[Draft]:
    """A member, an etcd cluster or an object is there twice, or two share a group."""
    yield from _repeated_objects(context)
    yield from _repeated_etcd_clusters(context)
    yield from _repeated_members(context)


def _repeated_objects(context: Context) -> Iterator[Draft]:
    manifest = context.after
    for same in alike(manifest.repeated, lambda each: (type(each), each.name)):
        name = same[0].name
        last: Cluster | InstanceGroup | None
        if isinstance(same[0], Cluster):
            kind, last = "Cluster", manifest.cluster
        else:
            kind, last = "InstanceGroup", manifest.groups.get(name)
        if last is None:
            continue
        times = "twice" if len(same) == 1 else f"{len(same) + 1} times"
        yield Draft(
            message=f"{kind} {name} is written {times}",
            why="kops replace stores one after the other, so only the last one"
            " counts; kops create stops at the second.",
            locations=(
                Location(last.at("metadata", "name"), "this one counts"),
                *(
                    Location(each.at("metadata", "name"), "this one is overwritten")
                    for each in same
                ),
            ),
            subject=f"{kind}/{name}",
            fix=("# keep one of them",),
        )


def _repeated_etcd_clusters(context: Context) -> Iterator[Draft]:
    named = [etcd for etcd in context.after.etcd_clusters if etcd.name]
    for first, *others in alike(named, lambda etcd: etcd.name):
        if others:
            yield Draft(
                message=f"etcd cluster {first.name} is listed twice",
                why="Both would keep backups and control spec in the same place, so"
                " kops refuses this.",
                locations=(
                    *(Location(e.at("name"), "the same name again") for e in others),
                    Location(first.at("name"), "the first one"),
                ),
                subject=f"etcd/{first.name}",
                etcd_cluster=first.name,
                fix=("# keep one of them",),
            )


def _repeated_members(context: Context) -> Iterator[Draft]:
    pairs = [
        (etcd, *pair)
        for etcd in context.after.etcd_clusters
        for pair in _pairs(etcd.members)
    ]
    taken = [m for m in correspondence(context.after).misplaced if m.reason == "taken"]
    for same in alike(pairs, lambda p: (p[1].name, p[2].name, p[2].group)):
        etcd, first, second = same[0]
        names = tuple(dict.fromkeys(each.name for each, _, _ in same))
        by_name = first.name == second.name
        field = "name" if by_name else "instanceGroup"
        meant = next((m for m in taken if m.member is second), None)
        yield Draft(
            message=f"member {second.name} of {listed(names)} is listed twice"
            if by_name
            else f"members {first.name} and {second.name} of {listed(names)} share "
            f"instance group {second.group}",
            why="A member is known by its name, in etcd and on its volume, and kops"
            " refuses two with one name."
            if by_name
            else "A machine runs one member of an etcd cluster. kops replace accepts"
            " the spec, but kops update fails with 'found duplicate tasks'.",
            locations=(
                Location(second.at(field), f"the second one in {etcd.name}"),
                Location(first.at(field), "the first one"),
                *(
                    Location(again.at(field), f"the same in {each.name}")
                    for each, _, again in same[1:]
                ),
                *_meant_member(meant),
            ),
            subject=f"{first.name}/{second.name}/{second.group}",
            etcd_cluster=only(names),
            fix=(_advice(meant, by_name),),
        )


def _pairs(
    members: tuple[EtcdMember, ...],
) -> Iterator[tuple[EtcdMember, EtcdMember]]:
    """Members with the same name or group, each with the first of them."""
    names: dict[str, EtcdMember] = {}
    groups: dict[str, EtcdMember] = {}
    for member in members:
        twin = names.get(member.name) or groups.get(member.group)
        if twin is not None:
            yield twin, member
        if member.name:
            names.setdefault(member.name, member)
        if member.group:
            groups.setdefault(member.group, member)


def _meant_member(misplaced: Misplaced | None) -> Iterator[Location]:
    if misplaced is not None and misplaced.meant is not None:
        yield Location(
            misplaced.meant.at("metadata", "name"), "this group has no member"
        )


def _advice(misplaced: Misplaced | None, by_name: bool) -> str:
    if misplaced is not None and misplaced.meant is not None:
        name = " and another name" if by_name else ""
        return f"# write instanceGroup: {misplaced.meant.name}{name}"
    return "# give the second one another name" if by_name else "# one member per group"


def etcd_clusters_diverge(context: Context) -> Iterator[Draft]:
    """Two etcd clusters do not have the same members in the same groups.

    Members that do not fit the groups, even numbers and duplicates make them diverge
    too, and are reported by the rules about those.
    """
    clusters = [e for e in context.after.etcd_clusters if _is_sound(e)]
    if len(clusters) < 2 or not correspondence(context.after).fits:
        return
    first, *others = clusters
    for other in others:
        if places := (*_alone(other, first), *_alone(first, other)):
            yield Draft(
                message=f"{first.name} and {other.name} do not run in the same groups",
                why="Each control-plane group runs one member of every etcd cluster."
                " If one has none, kops refuses to update the cluster.",
                locations=places,
                subject=f"{first.name}/{other.name}",
                fix=(f"# list the same groups in {first.name} and {other.name}",),
            )
        elif places := tuple(_called_otherwise(other, first)):
            yield Draft(
                message=f"{first.name} and {other.name} use different member names for"
                " the same group",
                why="Members are added and removed by name. Removing the same name"
                f" from {first.name} and {other.name} removes members on two different"
                " machines.",
                locations=places,
                subject=f"{first.name}/{other.name}",
                fix=(
                    (
                        "# use the same names now; on a running cluster names must not"
                        " change"
                    ),
                ),
            )


def _is_sound(etcd: EtcdCluster) -> bool:
    return (
        bool(etcd.name)
        and members_are_readable(etcd)
        and all(member.name and member.group for member in etcd.members)
        and len(etcd.members) % 2 == 1
        and not any(_pairs(etcd.members))
    )


def _alone(one: EtcdCluster, other: EtcdCluster) -> tuple[Location, ...]:
    """The members of ``one`` in whose group ``other`` has none."""
    return tuple(
        Location(member.at("instanceGroup"), f"{other.name} has no member here")
        for member in one.members
        if other.member_of(member.group) is None
    )


def _called_otherwise(one: EtcdCluster, other: EtcdCluster) -> Iterator[Location]:
    for member in one.members:
        twin = other.member_of(member.group)
        if twin is not None and twin.name != member.name:
            yield Location(member.at("name"), f"{member.group} in {one.name}")
            yield Location(twin.at("name"), f"{twin.group} in {other.name}")
