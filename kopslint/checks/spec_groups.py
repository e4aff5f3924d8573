"""One spec: the control-plane groups themselves, their sizes and zones."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed
from kopslint.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdCluster, EtcdMember, InstanceGroup, Manifest


def control_plane_size(context: Context) -> Iterator[Draft]:
    """A control-plane group does not have the size of one machine."""
    for group in context.after.control_plane:
        low, high = group.min_size, group.max_size
        sizes = [("minSize", low), ("maxSize", high)]
        negative = [(field, n) for field, n in sizes if n is not None and n < 0]
        big = [(field, n) for field, n in sizes if n is not None and n > 1]
        zero = [(field, n) for field, n in sizes if n == 0]
        if negative:
            yield _size(
                group,
                negative,
                f"has the size {negative[0][1]}",
                "There is no group of fewer than no machines, and kops refuses it.",
            )
        elif big:
            yield _size(
                group,
                big,
                f"asks for {max(n for _, n in big)} machines, and one is the most",
                "The group's etcd members are one volume each, and a second machine "
                "would find none. kops refuses it since release 1.26; three members "
                "take three groups.",
            )
        elif low is not None and high is not None and low > high:
            yield _size(
                group,
                [("minSize", low), ("maxSize", high)],
                f"has a minSize of {low} above its maxSize of {high}",
                "kops refuses a group whose smallest size is above its largest.",
            )
        elif zero:
            yield _size(
                group,
                zero,
                "has no machine",
                "kops accepts the size 0 and terminates the machine; its etcd members "
                "stay registered and count against quorum as dead ones.",
                Severity.WARNING,
            )


def _size(
    group: InstanceGroup,
    fields: list[tuple[str, int]],
    problem: str,
    why: str,
    severity: Severity | None = None,
) -> Draft:
    return Draft(
        message=f"control-plane group {group.name} {problem}",
        why=why,
        locations=tuple(
            Location(group.at("spec", field), f"{field} is {size}")
            for field, size in fields
        ),
        subject=group.name,
        severity=severity,
        fix=("# write minSize: 1 and maxSize: 1",),
    )


def control_plane_zones(context: Context) -> Iterator[Draft]:
    """A group that runs a member is in no zone, or in more than one."""
    manifest = context.after
    for group in manifest.control_plane:
        zones = manifest.zones_of(group)
        members = _members_of(group, manifest)
        if not members or zones is None or len(zones) == 1:
            continue
        field = "zones" if group.zones and not group.subnets else "subnets"
        yield Draft(
            message=f"control-plane group {group.name} "
            + (f"spans the zones {listed(zones)}" if zones else "is in no zone"),
            why="An etcd volume is in one zone and cannot be attached from another, "
            "so kops update refuses a member's group unless it has exactly one zone.",
            locations=(
                Location(
                    group.at("spec", field),
                    f"zones {listed(zones)}" if zones else "no zone",
                ),
                *(
                    Location(member.at("instanceGroup"), f"{member.name} of {name}")
                    for name, member in members
                ),
            ),
            subject=group.name,
            fix=(
                "# keep one subnet; a member in another zone takes a group of its own"
                if zones
                else "# name one subnet of the cluster",
            ),
        )


def members_share_zone(context: Context) -> Iterator[Draft]:
    """Two members of three or more are in one zone, or even most of them.

    Two in a zone is the best that can be done where the cluster has fewer zones
    than members, and is no finding there unless it makes a majority.
    """
    manifest = context.after
    found: list[tuple[EtcdCluster, str, list[EtcdMember]]] = []
    for etcd in manifest.etcd_clusters:
        count = len(etcd.members)
        if count < 3:
            continue
        by_zone: dict[str, list[EtcdMember]] = {}
        for member in etcd.members:
            zone = _zone_of(member, manifest)
            if zone is not None:
                by_zone.setdefault(zone, []).append(member)
        if not by_zone:
            continue
        zone, members = max(by_zone.items(), key=lambda item: len(item[1]))
        if len(members) > count // 2 or not _is_even_spread(by_zone, count, manifest):
            found.append((etcd, zone, members))
    for same in alike(
        found, lambda f: (len(f[0].members), f[1], tuple(m.group for m in f[2]))
    ):
        yield _shared_zone(same)


def _is_even_spread(
    by_zone: dict[str, list[EtcdMember]], count: int, manifest: Manifest
) -> bool:
    """Whether no zone has more members than it must, as far as zones are known."""
    subnets = manifest.cluster.subnets if manifest.cluster is not None else ()
    zones = {subnet.zone for subnet in subnets if subnet.zone} | set(by_zone)
    most = -(-count // len(zones))
    return max(Counter({z: len(m) for z, m in by_zone.items()}).values()) <= most


def _shared_zone(same: list[tuple[EtcdCluster, str, list[EtcdMember]]]) -> Draft:
    etcd, zone, members = same[0]
    count, here = len(etcd.members), len(members)
    names = tuple(dict.fromkeys(each.name for each, _, _ in same))
    tells = "loses" if len(names) == 1 else "lose"
    majority = here > count // 2
    share = "all" if here == count else str(here)
    return Draft(
        message=f"{share} {count} members of {listed(names)} are in zone {zone}"
        if here == count
        else f"{share} of {count} members of {listed(names)} are in zone {zone}",
        why=f"Without zone {zone}, {listed(names)} {tells} quorum: it takes "
        f"{count // 2 + 1} of {count} members."
        if majority
        else f"Without zone {zone}, {here} members fail at once, and the cluster has "
        "zones with fewer. On AWS a machine may also mount the other member's volume.",
        locations=tuple(
            Location(member.at("instanceGroup"), f"{member.name} is in {zone}")
            for member in members
        ),
        subject=f"{','.join(names)}/{zone}",
        etcd_cluster=only(names),
        fix=("# put each member's group into a zone of its own",),
    )


def _zone_of(member: EtcdMember, manifest: Manifest) -> str | None:
    """The zone of a member, if it is known and only one."""
    group = manifest.groups.get(member.group)
    zones = manifest.zones_of(group) if group is not None else None
    return only(zones) if zones else None


def _members_of(
    group: InstanceGroup, manifest: Manifest
) -> list[tuple[str, EtcdMember]]:
    return [
        (etcd.name, member)
        for etcd in manifest.etcd_clusters
        if (member := etcd.member_of(group.name)) is not None
    ]
