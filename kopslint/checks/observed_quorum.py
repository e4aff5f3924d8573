"""Quorum as it was seen: lost, without a spare, or held by two clusters at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, alike, listed, only, sure
from kopslint.checks.observed import at_start, names, pictures, spec_now, standings
from kopslint.findings import Location
from kopslint.observed.standing import group_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.observed.standing import Standing


def no_spare_member(context: Context) -> Iterator[Draft]:
    """Etcd works, and the next failure stops it."""
    found = [
        one
        for one in standings(context)
        if one.has_quorum != "no"
        and one.voters
        and one.tolerance == 0
        and _matters(one)
    ]
    for same in alike(found, lambda one: (len(one.voters), names(one.dead))):
        first = same[0]
        clusters = [one.name for one in same]
        able = len(first.alive) + len(first.unknown)
        yield Draft(
            severity=at_start(context),
            message=f"etcd {listed(clusters)} {_has(clusters)} no member to spare:"
            f" {able} of {len(first.voters)} can vote, {first.quorum} needed",
            why=_why_no_spare(first),
            locations=tuple(
                Location(one.seen.lists[0].span, f"members of etcd {one.name}")
                for one in same
            ),
            subject=",".join(clusters),
            etcd_cluster=only(clusters),
            trace=pictures(same),
            fix=(
                "# do not restart, roll or remove a live member until this is repaired",
                *context.way_back,
            ),
        )


def _matters(one: Standing) -> bool:
    """Not so for a single member of a spec that has one."""
    wanted = len(one.spec.members) if one.spec is not None else len(one.voters)
    return len(one.voters) > 1 or wanted > 1


def _why_no_spare(one: Standing) -> str:
    if one.dead or one.unstarted:
        return (
            "Quorum counts registered members, not running ones. If one more machine"
            " restarts, all writes stop, and the API with them."
        )
    if len(one.voters) == 1:
        return "There is one member, but the spec has more: all data is on one disk."
    return (
        "An even number tolerates no more failures than one fewer: of two members"
        " both have to vote."
    )


def _has(clusters: Sequence[str]) -> str:
    return "has" if len(clusters) == 1 else "have"


def quorum_is_lost(context: Context) -> Iterator[Draft]:
    """Etcd takes no writes."""
    found = [
        (one, one.has_quorum == "no")
        for one in standings(context)
        if one.has_quorum == "no" or _nobody_healthy(one)
    ]
    for same in alike(found, lambda pair: (pair[1], names(pair[0].dead))):
        first, certain = same[0]
        clusters = [one.name for one, _ in same]
        able = len(first.alive) + len(first.unknown)
        counted = first.seen.is_listed and able < first.quorum
        told = (
            f": {able} of {len(first.voters)} can vote, {first.quorum} needed"
            if counted
            else ""
        )
        yield Draft(
            severity=at_start(context),
            message=f"etcd {listed(clusters)} {_has(clusters)} no quorum{told}",
            why="etcd accepts no writes, members can be neither added nor removed,"
            " and restarting etcd-manager does not help. Try in this order: the disks"
            " of the lost members (nothing is lost), a new cluster from one survivor"
            " (nothing is lost, from etcd 3.5.22 or 3.6.1 on), a backup (everything"
            " written since is lost).",
            locations=tuple(_places([one for one, _ in same])),
            subject=",".join(clusters),
            certainty=sure(certain),
            etcd_cluster=only(clusters),
            trace=pictures([one for one, _ in same]),
            fix=(*context.way_back, *_rescue(context, first)),
        )


def _nobody_healthy(one: Standing) -> bool:
    """Whether all that were asked were without quorum, though all may run."""
    asked = [m for m in one.seen.registered if m.healthy != "not seen"]
    return (
        one.has_quorum == "not seen"
        and len(asked) >= one.quorum
        and all(m.healthy == "no" and "Alarm" not in m.reason for m in asked)
    )


def _places(found: Sequence[Standing]) -> Iterator[Location]:
    for one in found:
        for member in one.dead:
            place = member.at("answered")
            yield Location(place, f"{names([member])[0]} of etcd {one.name} is dead")
        for member in one.seen.members:
            if "no leader" in member.reason:
                yield Location(member.span, "reports that there is no leader")
        if one.seen.lists:
            yield Location(one.seen.lists[0].span, f"members of etcd {one.name}")
        else:
            for member in one.seen.members[:1]:
                yield Location(member.at("healthy"), "not healthy")


def _rescue(context: Context, one: Standing) -> Iterator[str]:
    """The order in which to try, the first of which can be pasted."""
    spec = spec_now(context)
    groups = [group_of(member, one.spec) for member in one.dead]
    back = [group for group in groups if group in spec.groups]
    # A count lower than the members that come back expels some of them.
    wanted = len(one.spec.members) if one.spec is not None else 0
    if len(back) == len(one.dead) and wanted >= len(one.voters):
        yield "# 1. new machines for the lost members, with their old disks:"
        yield f"kops update cluster --name {context.cluster} --yes"
        yield f"kops validate cluster --name {context.cluster} --wait 15m"
    else:
        yield "# 1. store a spec that lists every registered member and"
        yield "#    its group, and let kops update bring their machines back"
    yield "# 2. only if those disks are gone for good, follow"
    yield "#    kopslint explain KL507; never restore first,"
    yield "#    and never wipe a disk that is left"


def two_clusters_serve(context: Context) -> Iterator[Draft]:
    """Two etcd clusters answer under one name."""
    for one in standings(context):
        ids = one.seen.cluster_ids
        if len(ids) < 2:
            continue
        sides = {
            id_: [m for m in one.seen.members if m.cluster_id == id_] for id_ in ids
        }
        listing = {each.cluster_id: each for each in one.seen.lists}
        told = "; ".join(
            f"{id_} with {listed(names(side))}" if side else id_
            for id_, side in sides.items()
        )
        yield Draft(
            message=f"etcd {one.name} is split into two clusters: {told}",
            why="Members with different cluster ids never vote together. After a"
            " restore, the old members serve a second cluster as soon as a majority"
            " of them runs again with its old disks: API servers write to either one,"
            " and writes to the wrong one are lost.",
            locations=tuple(
                Location(
                    side[0].span if side else listing[id_].span, f"cluster id {id_}"
                )
                for id_, side in sides.items()
                if side or id_ in listing
            ),
            subject=f"{one.name}/{','.join(sorted(ids))}",
            etcd_cluster=one.name,
            fix=(
                "# first stop writes: scale down whatever changes the API",
                "# decide by the data which cluster to keep: the restored one, if",
                "# anything has been written since; then stop the machines of the",
                "# other one and empty their etcd disks, all of them",
            ),
        )
