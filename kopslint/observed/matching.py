"""An observation matched to the spec: which member is which, and which is a stranger.

etcd calls a member by the spec's name for it, or by its volume, as the cloud has it.
Source: etcd-manager pkg/volumes, ``EtcdName`` of each cloud.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.clouds import called_in_cloud, cloud_named
from kopslint.kops.etcd_manager import member_name
from kopslint.observed.observation import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.kops.spec import EtcdCluster, Manifest
    from kopslint.observed.observation import EtcdSeen, Member, Observation

_HOST = re.compile(r"https?://(?P<name>[\w-]+)\.internal\.")


def matched(observation: Observation, sides: Sequence[Manifest]) -> Observation:
    """The observation with its members and machines named as these specs name them.

    ``sides`` are specs of one cluster, such as before and after a change: a member is
    known if any of them has it, and the first that has it names it.
    """
    named = observation._replace(machines=_machines(observation, sides))
    etcd = tuple(
        seen._replace(
            members=tuple(
                _matched(member, seen, named, sides) for member in seen.members
            )
        )
        for seen in observation.etcd
    )
    return named._replace(etcd=etcd)


def _machines(
    observation: Observation, sides: Sequence[Manifest]
) -> tuple[Machine, ...] | None:
    """The machines, with one that does not exist for each group that has none."""
    place, machines = observation.all_machines, observation.machines
    if machines is None:
        return None
    names = {
        name: group.name
        for side in sides
        for group in side.groups.values()
        for name in called_in_cloud(group, side)
    }
    machines = tuple(
        machine._replace(
            group=names.get(machine.group.replace(".", "-"), machine.group)
        )
        if machine.group is not None
        else machine
        for machine in machines
    )
    if place is None:
        return machines
    there = {machine.group for machine in machines}
    groups = dict.fromkeys(g.name for side in sides for g in side.control_plane)
    if not there & {name for side in sides for name in side.groups}:
        # Where kops finds no machine at all, it cannot list those of this cloud.
        return machines
    missing = (
        Machine(place, group=group, exists="no")
        for group in groups
        if group not in there
    )
    return (*machines, *missing)


def _matched(
    member: Member, seen: EtcdSeen, observation: Observation, sides: Sequence[Manifest]
) -> Member:
    called = _called(member)
    may_be_known = False
    for side in sides:
        etcd = _cluster_of(side, seen.name)
        if etcd is None:
            continue
        names = _names(side, etcd, observation)
        found = names.get(called) if called is not None else None
        found = found or _by_node(member, side, etcd, observation)
        if found is not None:
            return member._replace(spec_name=found, known="yes")
        may_be_known |= called is None or {*names.values()} < {
            member.name for member in etcd.members
        }
    return member if may_be_known or not sides else member._replace(known="no")


def _called(member: Member) -> str | None:
    """What etcd calls a member; one that never started has its name in its address."""
    if member.name:
        return member.name
    for url in (*(member.peer_urls or ()), *(member.client_urls or ())):
        host = _HOST.match(url)
        if host is not None:
            return host["name"]
    return None


def _cluster_of(side: Manifest, name: str) -> EtcdCluster | None:
    return next((etcd for etcd in side.etcd_clusters if etcd.name == name), None)


def _names(
    side: Manifest, etcd: EtcdCluster, observation: Observation
) -> dict[str, str]:
    """The spec's names of the members by what etcd calls them, as far as known."""
    cloud = cloud_named(side.cloud)
    kind = cloud.members_are if cloud is not None else "names"
    if side.cloud == "metal":
        # Its volumes are folders, called as whoever made the machine likes.
        return {}
    if kind == "volume ids":
        return {
            f"vol-{volume.id}": volume.member
            for volume in observation.volumes
            if volume.etcd_cluster == etcd.name and etcd.member(volume.member)
        }
    if kind == "volume names":
        return {_on_digitalocean(side, etcd, m.name): m.name for m in etcd.members}
    return {member_name(etcd.name, m.name): m.name for m in etcd.members}


def _on_digitalocean(side: Manifest, etcd: EtcdCluster, name: str) -> str:
    """The name of a volume there, which is cut.

    Source: kops pkg/model/master_volumes.go, ``addDOVolume``, and
    upup/pkg/fi/cloudup/do/utils.go.
    """
    return f"kops-{name}.etcd-{etcd.name}.{side.name}".replace(".", "-")[:64]


def _by_node(
    member: Member, side: Manifest, etcd: EtcdCluster, observation: Observation
) -> str | None:
    """The member by the machine on which it answered, where that mounts no other."""
    if member.node is None:
        return None
    group = next(
        (one.group for one in observation.machines or () if one.node == member.node),
        None,
    )
    if group is None or not _mounts_its_own(group, side):
        return None
    found = etcd.member_of(group)
    return found.name if found is not None else None


def _mounts_its_own(group: str, side: Manifest) -> bool:
    """Whether a machine of a group mounts no volumes of another group's member.

    Elsewhere it takes any volume of its zone, where there may be no other group.
    """
    cloud = cloud_named(side.cloud)
    if cloud is None or cloud.mounts_by_group:
        return cloud is not None
    zones = {g.name: side.zones_of(g) for g in side.control_plane}
    own = zones.get(group)
    return bool(own) and all(
        name == group or (other is not None and {*other}.isdisjoint(own or ()))
        for name, other in zones.items()
    )
