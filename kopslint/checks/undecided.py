"""What kopslint could not read, what it took for granted, what it did not follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft
from kopslint.etcd.explore import MAX_WORLDS
from kopslint.findings import Certainty, Location

if TYPE_CHECKING:
    from collections.abc import Iterator


def cannot_be_decided(context: Context) -> Iterator[Draft]:
    """Something in the list is known only at run time."""
    if context.simulation is None:
        return
    for item in context.simulation.undecided:
        if item.assumed is None:
            yield Draft(
                message=f"this cannot be decided from the text: {item.reason}",
                why="Everything else is checked as if it changed nothing; what it "
                "really does is up to you.",
                locations=(Location(item.span, "not followed"),),
                subject=item.reason,
                certainty=Certainty.POSSIBLE,
                step=item.step,
            )


def taken_for_granted(context: Context) -> Iterator[Draft]:
    """An argument known only at run time was taken to mean something."""
    if context.simulation is None:
        return
    for item in context.simulation.undecided:
        if item.assumed is not None:
            yield Draft(
                message=f"assumed: {item.assumed}",
                why="The text does not say; the verdict holds if this is what it is.",
                locations=(Location(item.span, "only known at run time"),),
                subject=item.assumed,
                step=item.step,
            )


def too_much_to_follow(context: Context) -> Iterator[Draft]:
    """More could happen than was followed, so silence proves nothing."""
    simulation = context.simulation
    if simulation is None or not simulation.truncated or not simulation.steps:
        return
    yield Draft(
        message=f"more than {MAX_WORLDS} states are possible; not all were followed",
        why="What was found is real; what was not found may still be there. Put "
        "'kops validate cluster --wait 10m' between the steps, or check the list in "
        "parts.",
        locations=(Location(simulation.steps[-1].command.span, "up to here"),),
        subject="too-many-worlds",
        certainty=Certainty.POSSIBLE,
    )
