"""The control plane as units: a group with its machine and its etcd members.

A change takes some units away and brings others. A unit is the same on both sides only
if its volumes are: a group that moves to another zone, or a member with another name,
is a new unit in the place of an old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from kopslint.kops.spec import EtcdMember, InstanceGroup, Manifest


class Unit(Record):
    """One control-plane group and its member of every etcd cluster."""

    group: InstanceGroup
    members: tuple[tuple[str, EtcdMember], ...]

    @property
    def name(self) -> str:
        """The name of the group."""
        return self.group.name

    def member(self, etcd_cluster: str) -> EtcdMember | None:
        """The member of one etcd cluster, if the unit has one."""
        return dict(self.members).get(etcd_cluster)

    def collides(self, other: Unit) -> bool:
        """Whether both claim one group, or one member name: never both at once."""
        mine = {(etcd, member.name) for etcd, member in self.members}
        theirs = {(etcd, member.name) for etcd, member in other.members}
        return self.name == other.name or bool(mine & theirs)


class Turnover(Record):
    """Which units a change keeps, takes away and brings, the latter two in order."""

    staying: tuple[Unit, ...]
    leaving: tuple[Unit, ...]
    joining: tuple[Unit, ...]

    @property
    def colliding(self) -> tuple[Unit, ...]:
        """The leaving units whose name or group a joining one takes over."""
        return tuple(
            old
            for old in self.leaving
            if any(old.collides(new) for new in self.joining)
        )


def units(manifest: Manifest) -> tuple[Unit, ...]:
    """The units of a spec, by the order of the members in its first etcd cluster."""
    found = {
        group.name: Unit(
            group,
            tuple(
                (etcd.name, member)
                for etcd in manifest.etcd_clusters
                for member in etcd.members
                if member.group == group.name
            ),
        )
        for group in manifest.control_plane
    }
    first = manifest.etcd_clusters[0].members if manifest.etcd_clusters else ()
    order = [member.group for member in first if member.group in found]
    return tuple(found[name] for name in dict.fromkeys([*order, *sorted(found)]))


def turnover(before: Manifest, after: Manifest) -> Turnover:
    """What becomes of the units of ``before``; the last listed leave first."""
    shared = {e.name for e in before.etcd_clusters} & {
        e.name for e in after.etcd_clusters
    }
    old = {_identity(unit, before, shared): unit for unit in units(before)}
    new = {_identity(unit, after, shared): unit for unit in units(after)}
    return Turnover(
        staying=tuple(unit for key, unit in new.items() if key in old),
        leaving=tuple(unit for key, unit in reversed(old.items()) if key not in new),
        joining=tuple(unit for key, unit in new.items() if key not in old),
    )


def _identity(unit: Unit, manifest: Manifest, shared: set[str]) -> object:
    """What must not change for the volumes to stay in use.

    Source: kops upup/pkg/fi/cloudup/awstasks/ebsvolume.go, whose zone, encryption
    and key cannot be changed.
    """
    return (
        unit.name,
        manifest.zones_of(unit.group),
        tuple(
            (
                etcd,
                member.name,
                text_at(member.node, "encryptedVolume") or "false",
                text_at(member.node, "kmsKeyId") or text_at(member.node, "kmsKeyID"),
            )
            for etcd, member in sorted(unit.members, key=lambda pair: pair[0])
            if etcd in shared
        ),
    )
