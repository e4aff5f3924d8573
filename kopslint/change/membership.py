"""Etcd members against instance groups, within one state of a cluster.

Every control-plane group runs one member of every etcd cluster, and nothing else does.
One typing mistake breaks that twice: a member names a wrong group, and the group that
it was meant for has no member. Here the two are matched, so that they are one finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.kops.placeholders import is_open_ended
from kopslint.kops.spec import Role
from kopslint.records import Record
from kopslint.syntax.yaml import YamlSequence, find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdCluster, EtcdMember, InstanceGroup, Manifest


Reason = Literal["unnamed", "no-group", "other-role", "taken"]

_LOSING = frozenset({"missing", "unknown-kind", "unsupported-version"})


class Misplaced(Record):
    """A member that its group cannot run, and why.

    ``reason`` tells whether the member names no group, a group that is not there, a
    group that is no control plane, or one that has a member already. ``meant`` is
    the group without a member that its name suggests, if there is one.
    """

    etcd: EtcdCluster
    member: EtcdMember
    reason: Reason
    meant: InstanceGroup | None


class Vacancy(Record):
    """A control-plane group that an etcd cluster has no member for.

    ``explained`` is whether a misplaced member of that etcd cluster accounts for it.
    """

    etcd: EtcdCluster
    group: InstanceGroup
    explained: bool


class Correspondence(Record):
    """All that does not fit between the etcd clusters and the groups of a state."""

    misplaced: tuple[Misplaced, ...] = ()
    vacancies: tuple[Vacancy, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether every member has its group and every group its members."""
        return not self.misplaced and not self.vacancies


def correspondence(manifest: Manifest) -> Correspondence:
    """What does not fit in ``manifest``.

    A group counts as missing only if the manifest has a control plane at all and
    every object could be read: a file with the Cluster alone says nothing about
    groups. Etcd clusters whose members cannot all be read are passed over.
    """
    misplaced: list[Misplaced] = []
    vacancies: list[Vacancy] = []
    for etcd in manifest.etcd_clusters:
        if members_are_readable(etcd) and not _is_open_ended(etcd, manifest):
            wrong = list(_wrong_groups(etcd, manifest))
            used = {member.group for member in etcd.members}
            empty = [g for g in manifest.control_plane if g.name not in used]
            if not wrong and not empty:
                continue
            meant = _meant([member.group for member, _ in wrong], empty)
            misplaced.extend(
                Misplaced(etcd, member, reason, group)
                for (member, reason), group in zip(wrong, meant, strict=True)
            )
            # With as many misplaced members as empty groups, one accounts for the
            # other even where the names say nothing.
            enough = len(empty) <= len(wrong)
            vacancies.extend(
                Vacancy(etcd, group, enough or group in meant) for group in empty
            )
    return Correspondence(tuple(misplaced), tuple(vacancies))


def _is_open_ended(etcd: EtcdCluster, manifest: Manifest) -> bool:
    """Whether its members or the groups for them come out of a loop of a template."""
    names = [text for each in etcd.members for text in (each.name, each.group)]
    names += (group.name for group in manifest.control_plane)
    return any(map(is_open_ended, names))


def members_are_readable(etcd: EtcdCluster) -> bool:
    """Whether every item that the spec lists as a member could be read as one."""
    listed = find(etcd.node, "etcdMembers")
    count = len(listed.items) if isinstance(listed, YamlSequence) else 0
    return count == len(etcd.members) and (
        listed is None or isinstance(listed, YamlSequence) or listed.plain is None
    )


def may_hide_groups(manifest: Manifest) -> bool:
    """Whether an object that could not be read may be a group that seems missing.

    A key of an object itself that is there twice is the trace of a whole object.
    """
    return any(
        flaw.kind in _LOSING
        or (flaw.kind == "duplicate-key" and flaw.places[0][0].column == 1)
        for flaw in manifest.flaws
    )


def _wrong_groups(
    etcd: EtcdCluster, manifest: Manifest
) -> Iterator[tuple[EtcdMember, Reason]]:
    knows_groups = bool(manifest.control_plane) and not may_hide_groups(manifest)
    taken: set[str] = set()
    for member in etcd.members:
        group = manifest.groups.get(member.group)
        if not member.group:
            yield member, "unnamed"
        elif member.group in taken:
            yield member, "taken"
        elif group is None and knows_groups:
            yield member, "no-group"
        elif group is not None and group.role not in (Role.CONTROL_PLANE, None):
            yield member, "other-role"
        taken.add(member.group)


def _meant(names: list[str], empty: list[InstanceGroup]) -> list[InstanceGroup | None]:
    """For each wrong group name, the empty group that was meant; each only once."""
    left = {group.name: group for group in empty}
    meant: list[InstanceGroup | None] = []
    for name in names:
        from difflib import get_close_matches

        near = get_close_matches(name, left, n=1)
        meant.append(left.pop(near[0]) if near else None)
    if len(left) == 1 and meant.count(None) == 1:
        meant[meant.index(None)] = left.popitem()[1]
    return meant


# ------------------------------------------------------------------------------------
# What a change does to etcd members and to the groups they run in
#
# The comparison is by name and cheap, because the checks ask for it at every run;
# comparing everything else in the specs is not done here.


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


class ControlPlaneGroups(Record):
    """The control-plane groups that a change adds and takes away, and nothing of etcd.

    ``old`` is how many there are before, ``new`` how many after.
    """

    old: int
    new: int
    added: tuple[InstanceGroup, ...]
    gone: tuple[InstanceGroup, ...]


def groups_without_etcd(before: Manifest, after: Manifest) -> ControlPlaneGroups | None:
    """What changes in a control plane whose Cluster no file has on either side.

    None if nothing does. A side without a control plane before the change, or without
    any group after it, is taken for files that keep it elsewhere.
    """
    if before.cluster is not None or after.cluster is not None:
        return None
    old = {group.name: group for group in before.control_plane}
    new = {group.name: group for group in after.control_plane}
    if not old or not after.groups or may_hide_groups(after):
        return None
    added = tuple(group for name, group in new.items() if name not in old)
    gone = tuple(group for name, group in old.items() if name not in new)
    if (not added and not gone) or any(is_open_ended(n) for n in {*old, *new}):
        return None
    return ControlPlaneGroups(len(old), len(new), added, gone)


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
