"""One spec: the control-plane groups themselves, their sizes and zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.membership import correspondence
from kopslint.checks.context import Context, Draft, alike, listed, only
from kopslint.findings import Location, Severity
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.kops.spec import EtcdCluster, EtcdMember, InstanceGroup, Manifest


def control_plane_group_size(context: Context) -> Iterator[Draft]:
    """A control-plane group does not have the size of one machine."""
    found = [
        (group, misfit)
        for group in context.after.control_plane
        if (misfit := _misfit(group, context)) is not None
    ]
    for same in alike(found, lambda f: f[1]):
        misfit, groups = same[0][1], [group for group, _ in same]
        names = [group.name for group in groups]
        one = len(names) == 1
        yield Draft(
            message=f"control-plane {'group' if one else 'groups'} {listed(names)} "
            f"{misfit.problem[0 if one else 1]}",
            why=misfit.why,
            locations=tuple(
                Location(group.at("spec", field), f"{field} is {size}")
                for group in groups
                for field, size in misfit.sizes
            ),
            subject=",".join(names),
            severity=misfit.severity,
            fix=("# write minSize: 1 and maxSize: 1",),
        )


class _Misfit(Record):
    """What is wrong with the size of a group; ``problem`` for one and for several."""

    sizes: tuple[tuple[str, int], ...]
    problem: tuple[str, str]
    why: str
    severity: Severity | None = None


# Source: kops docs/releases/1.26-NOTES.md.
_REFUSES_SIZES = 26


def _misfit(group: InstanceGroup, context: Context) -> _Misfit | None:
    low, high = group.min_size, group.max_size
    sizes = [(f, n) for f, n in (("minSize", low), ("maxSize", high)) if n is not None]
    negative = tuple((field, n) for field, n in sizes if n < 0)
    big = tuple((field, n) for field, n in sizes if n > 1)
    zero = tuple((field, n) for field, n in sizes if n == 0)
    if negative:
        size = f"the size {negative[0][1]}"
        why = "A group cannot have fewer than zero machines: kops refuses it."
        return _Misfit(negative, (f"has {size}", f"have {size}"), why)
    if big:
        many = f"{max(n for _, n in big)} machines"
        each = f"ask for {many} each, but may have only one"
        problem = (f"asks for {many}, but may have only one", each)
        why = (
            "The group has one etcd volume per etcd cluster, and a second machine"
            " would find none. "
        )
        if _has_stood(group, context):
            why += "It was like this before the change; kops 1.26 and later refuse it."
            return _Misfit(big, problem, why, Severity.WARNING)
        why += "kops 1.26 and later refuse it; three members need three groups."
        return _Misfit(big, problem, why)
    if low is not None and high is not None and low > high:
        above = f"a minSize of {low} above {{}} maxSize of {high}"
        problem = (f"has {above.format('its')}", f"have {above.format('their')}")
        why = "kops refuses a group whose smallest size is above its largest."
        return _Misfit((("minSize", low), ("maxSize", high)), problem, why)
    if zero:
        no = "no machine"
        problem = (
            (f"has {no}", f"have {no}")
            if high == 0
            else (f"may have {no}", f"may have {no}")
        )
        why = (
            "kops accepts size 0 and terminates the machine; its etcd members stay"
            " registered as dead members and count against quorum."
        )
        return _Misfit(zero, problem, why, Severity.WARNING)
    return None


def _has_stood(group: InstanceGroup, context: Context) -> bool:
    """Whether a group was as large before, under a kops that accepts that."""
    old = context.before.groups.get(group.name) if context.before is not None else None
    if old is None or (old.min_size, old.max_size) != (group.min_size, group.max_size):
        return False
    # What kops refuses is only known where a change is judged, and loaded there.
    from kopslint.kops.validation import kops_minor

    return kops_minor(context.kops_version, context.after) < _REFUSES_SIZES


def control_plane_group_zones(context: Context) -> Iterator[Draft]:
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
            why="An etcd volume exists in one zone and cannot be attached in another,"
            " so kops update refuses a member's group unless it has exactly one zone.",
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
                "# keep one subnet; a member in another zone needs its own group"
                if zones
                else "# name one subnet of the cluster",
            ),
        )


def members_share_a_zone(context: Context) -> Iterator[Draft]:
    """The loss of one zone costs quorum, or a zone has more members than it must.

    Five members in three zones are 2, 2 and 1, and no zone is missed too much. On AWS
    it is reported all the same, once: there a machine takes any free etcd volume of its
    zone (etcd-manager pkg/volumes/aws/volumes.go).
    """
    manifest = context.after
    on_aws = manifest.cloud == "aws"
    fit = correspondence(manifest)
    found: list[tuple[EtcdCluster, dict[str, list[EtcdMember]]]] = []
    for etcd in manifest.etcd_clusters:
        count = len(etcd.members)
        if count >= 3 and not any(m.etcd is etcd for m in fit.misplaced):
            zones = _members_by_zone(etcd, manifest)
            even = -(-count // max(len(_zones(manifest, zones)), 1))
            most = 1 if on_aws else min((count - 1) // 2, even)
            crowds = {z: here for z, here in zones.items() if len(here) > most}
            if crowds:
                found.append((etcd, crowds))
    for same in alike(found, lambda f: (len(f[0].members), _by_group(f[1]))):
        yield _shared_zones([etcd for etcd, _ in same], same[0][1], on_aws=on_aws)


def _by_group(crowds: Mapping[str, list[EtcdMember]]) -> object:
    return tuple((z, tuple(m.group for m in here)) for z, here in crowds.items())


def _members_by_zone(
    etcd: EtcdCluster, manifest: Manifest
) -> dict[str, list[EtcdMember]]:
    """The members by their zone; those whose zone is unknown are left out."""
    found: dict[str, list[EtcdMember]] = {}
    for member in etcd.members:
        group = manifest.groups.get(member.group)
        zone = only(manifest.zones_of(group) or ()) if group is not None else None
        if zone is not None:
            found.setdefault(zone, []).append(member)
    return found


def _zones(manifest: Manifest, used: Iterable[str]) -> set[str]:
    """The zones that the cluster has: those of its subnets and those in use."""
    subnets = manifest.cluster.subnets if manifest.cluster is not None else ()
    return {subnet.zone for subnet in subnets if subnet.zone} | set(used)


def _shared_zones(
    etcds: list[EtcdCluster], crowds: Mapping[str, list[EtcdMember]], *, on_aws: bool
) -> Draft:
    """The findings on etcd clusters that have the same crowds, the largest first."""
    count = len(etcds[0].members)
    zones = sorted(crowds, key=lambda zone: -len(crowds[zone]))
    most = len(crowds[zones[0]])
    names = listed(tuple(dict.fromkeys(etcd.name for etcd in etcds)))
    share = f"all {count}" if most == count else f"{most} of {count}"
    where = [f"zone {zones[0]}", *(f"{len(crowds[z])} in zone {z}" for z in zones[1:])]
    fatal = [zone for zone in zones if len(crowds[zone]) > (count - 1) // 2]
    loses = "loses" if len(etcds) == 1 else "lose"
    return Draft(
        message=f"{share} members of {names} are in {listed(where)}",
        why=f"Without zone {' or '.join(fatal)}, etcd {names} {loses} quorum: "
        f"{count // 2 + 1} of {count} members must vote."
        if fatal
        else f"Without zone {zones[0]}, {most} members fail at once. "
        + (
            "A new machine there may also mount the volume of the other member."
            if on_aws
            else "Other zones have fewer."
        ),
        locations=tuple(
            Location(member.at("instanceGroup"), f"{member.name} is in {zone}")
            for zone in zones
            for member in crowds[zone]
        ),
        subject=f"{','.join(dict.fromkeys(e.name for e in etcds))}/{','.join(zones)}",
        etcd_cluster=only(etcd.name for etcd in etcds),
        fix=("# put each member's group into its own zone",),
    )


def _members_of(
    group: InstanceGroup, manifest: Manifest
) -> list[tuple[str, EtcdMember]]:
    return [
        (etcd.name, member)
        for etcd in manifest.etcd_clusters
        if (member := etcd.member_of(group.name)) is not None
    ]
