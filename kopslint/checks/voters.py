"""How many of the old voters a change leaves in an etcd cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.members import membership_changes
from kopslint.checks import kept
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember


def every_voter_replaced(context: Context) -> Iterator[Draft]:
    """No member of before is left in an etcd cluster, in no group of before."""
    if context.before is None:
        return
    replaced = {
        new.name
        for old, new in kept.etcd_clusters(context)
        if not any(new.member(member.name) for member in old.members)
    }
    found = [
        change
        for change in membership_changes(context.before, context.after)
        if change.etcd_cluster in replaced
        if change.removed and change.added and not change.renamed
    ]
    for same in alike(found, lambda c: _names(c.removed) + _names(c.added)):
        first = same[0]
        names = [change.etcd_cluster for change in same]
        old, new = _names(first.removed), _names(first.added)
        yield Draft(
            message=f"no old member is left in etcd {listed(names)}: {listed(old)} "
            f"{'is' if len(old) == 1 else 'are all'} replaced",
            why="The data is on the volumes of the old members and nowhere else. New "
            "members get it from a quorum of old ones, one member at a time; here "
            "there is nobody to get it from.",
            locations=(
                *(
                    Location(change.added[0].at("name"), f"the first new one of {name}")
                    for name, change in zip(names, same, strict=True)
                ),
                Location(
                    first.removed[0].at("name"), f"{listed(old)} held the data here"
                ),
            ),
            subject=f"{','.join(names)}/{','.join(old)}",
            etcd_cluster=only(names),
            fix=(
                f"# grow to three members with {old[0]} first, then take it out"
                if len(old) == 1
                else f"# a change for each: first {new[0]} for {old[0]}, then the next",
            ),
        )


def _names(members: tuple[EtcdMember, ...]) -> tuple[str, ...]:
    return tuple(member.name for member in members)
