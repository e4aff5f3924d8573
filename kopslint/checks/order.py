"""Instance groups and their etcd members, deleted in the wrong order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.alike import only
from kopslint.checks.context import Context, Draft, listed, removals, sure
from kopslint.findings import Location
from kopslint.simulate.membership import deletions
from kopslint.simulate.views import trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember


def group_deleted_before_member(context: Context) -> Iterator[Draft]:
    """A control-plane group is deleted while the spec still lists its members."""
    if context.simulation is None:
        return
    for deletion in deletions(context.simulation):
        step = deletion.step
        clusters = tuple(name for name, _, _ in deletion.members)
        certain = all(sure_ for _, _, sure_ in deletion.members)
        names = tuple(dict.fromkeys(m.name for _, m, _ in deletion.members))
        command = Location(
            step.command.span, "the machine is terminated at once, without a drain"
        )
        yield Draft(
            message=f"{deletion.group} is deleted while etcd still counts on its "
            f"member {listed(names)}",
            why="etcd-manager removes only members that it can reach. One whose "
            f"machine is gone stays: {listed(names)} counts against quorum in "
            f"{listed(clusters)} from here on.",
            locations=(command, *_places(deletion.members)),
            subject=f"{deletion.group}/{','.join(names)}",
            certainty=sure(certain),
            step=step.number,
            etcd_cluster=only(clusters),
            fix=(
                *removals(
                    ((member.name, name) for name, member, _ in deletion.members),
                    f", before line {step.command.span.line}",
                ),
                *context.planning,
            ),
            trace=trace(step, clusters),
        )


def _places(members: tuple[tuple[str, EtcdMember, bool], ...]) -> list[Location]:
    return [
        Location(member.at("instanceGroup"), f"{member.name} of {name} runs here")
        for name, member, _ in members
    ]
