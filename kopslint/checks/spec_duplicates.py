"""One spec: the same thing written twice, or differently in two etcd clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.correspondence import correspondence, members_are_readable
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed
from kopslint.findings import Location
from kopslint.kops.spec import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.change.correspondence import Misplaced
    from kopslint.kops.spec import EtcdCluster, EtcdMember, InstanceGroup


def duplicates(context: Context) -> Iterator[Draft]:
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
            why="kops replace stores one after the other, so that only the last one "
            "counts, and kops create stops at the second one.",
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
                why="Both would keep their backups and their control spec in the same "
                "place, and kops refuses that.",
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
            why="A member is known by its name, to etcd as to its volume, and kops "
            "refuses to have two of one name."
            if by_name
            else "A machine runs one member of an etcd cluster. kops replace takes the "
            "spec, and kops update stops with found duplicate tasks.",
            locations=(
                Location(second.at(field), f"the second one in {etcd.name}"),
                Location(first.at(field), "the first one"),
                *(
                    Location(again.at(field), f"the same in {each.name}")
                    for each, _, again in same[1:]
                ),
                *_meant(meant),
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


def _meant(misplaced: Misplaced | None) -> Iterator[Location]:
    if misplaced is not None and misplaced.meant is not None:
        yield Location(
            misplaced.meant.at("metadata", "name"), "this group has no member"
        )


def _advice(misplaced: Misplaced | None, by_name: bool) -> str:
    if misplaced is not None and misplaced.meant is not None:
        name = " and another name" if by_name else ""
        return f"# write instanceGroup: {misplaced.meant.name}{name}"
    return (
        "# give the second one another name" if by_name else "# one group, one member"
    )


def etcd_clusters_diverge(context: Context) -> Iterator[Draft]:
    """Two etcd clusters do not have the same members in the same groups.

    Members that do not fit the groups, even numbers and duplicates make them diverge
    too, and are told by the rules about those.
    """
    clusters = [e for e in context.after.etcd_clusters if _is_sound(e)]
    if len(clusters) < 2 or not correspondence(context.after).fits:
        return
    first, *others = clusters
    for other in others:
        if places := (*_alone(other, first), *_alone(first, other)):
            yield Draft(
                message=f"{first.name} and {other.name} do not run in the same groups",
                why="Each control-plane group runs one member of every etcd cluster. "
                "Where one has none, kops refuses to update the cluster.",
                locations=places,
                subject=f"{first.name}/{other.name}",
                fix=(f"# list the same groups in {first.name} and {other.name}",),
            )
        elif places := tuple(_called_otherwise(other, first)):
            yield Draft(
                message=f"{first.name} and {other.name} call the members of one group "
                "by different names",
                why="Members are added and removed by name. Who takes one out of "
                f"{first.name} and {other.name} alike takes out two machines' members.",
                locations=places,
                subject=f"{first.name}/{other.name}",
                fix=("# name them alike now; on a running cluster names must stay",),
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
