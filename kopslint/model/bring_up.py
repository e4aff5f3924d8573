"""Lists that made the cluster: they were run once, and change it no more.

``kops create -f cluster.yaml`` is refused as soon as the cluster is in the state store.
A repository keeps such a list for the day when it builds the cluster anew; it says
nothing about how a later change is applied.
Source: kops cmd/kops/create.go, RunCreate.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from kopslint.commands.kops import (
    CreateCluster,
    CreateFromFile,
    CreateInstanceGroup,
    UpdateCluster,
    Validate,
)
from kopslint.commands.model import Foreign, Reach, Reads, Sleep, Terraform, Unreadable

if TYPE_CHECKING:
    from collections.abc import Collection

    from kopslint.commands.model import Command
    from kopslint.model.simulation import Simulation
    from kopslint.text import Source


def made_by(simulation: Simulation, unread: Collection[Source]) -> tuple[Command, ...]:
    """The commands of the lists that made the cluster which both sides have.

    Only of lists that build a cluster and do nothing to one that stands: what mixes
    both is refused at its first line, and whoever runs it has to know. Of a list in
    ``unread`` only a part could be read, so it is none.
    """
    found: dict[Source, tuple[Command, ...]] = {}
    name = simulation.plan.after.name
    for step in simulation.steps:
        source = step.command.span.source
        if not isinstance(step.command, CreateFromFile) or source in unread:
            continue
        if step.status != "refused" or source in found:
            continue
        if any(r.kind == "exists" and r.about == name for r in step.refusals):
            commands = simulation.plan.commands
            own = tuple(c for c in commands if c.span.source is source)
            if all(map(_builds, own)):
                found[source] = own
    return tuple(chain.from_iterable(found.values()))


def _builds(command: Command) -> bool:
    """Whether a command belongs to the making of a cluster, and is no mistake."""
    match command:
        case _ if command.problems:
            return False
        case Terraform(verb="apply", targets=(), recreated=()):
            return True
        case Unreadable(reach=Reach.ELSEWHERE | Reach.SHELL_TEXT):
            return True
        case _:
            return isinstance(command, _BUILDING)


_BUILDING = (
    CreateCluster,
    CreateFromFile,
    CreateInstanceGroup,
    Foreign,
    Reads,
    Sleep,
    UpdateCluster,
    Validate,
)
