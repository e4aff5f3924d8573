"""The rotation of keypairs: machines must trust a new one before it signs.

Each step of a rotation reaches the machines by an update and a roll, and the next step
counts on that. Source: kops docs/operations/rotate-secrets.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, sure
from kopslint.checks.rolls import covers_control_plane
from kopslint.commands import model
from kopslint.commands.kops import (
    DeleteInstance,
    Keypair,
    Reconcile,
    RollingUpdate,
    UpdateCluster,
)
from kopslint.findings import Location
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command


class _UnderWay(Record):
    """A step of a rotation that machines have not got; an update may have taken it."""

    command: Keypair
    updated: bool = False


def keypair_step_too_early(context: Context) -> Iterator[Draft]:
    """A keypair is promoted or distrusted before machines have what that counts on."""
    simulation = context.simulation
    if simulation is None:
        return
    numbers = {id(step.command): step.number for step in simulation.steps}
    under_way: list[_UnderWay] = []
    for command in simulation.plan.commands:
        if isinstance(command, Keypair):
            for earlier in under_way:
                if _counts_on(command, earlier.command):
                    number = numbers.get(id(command))
                    yield _too_early(command, earlier.command, number, context)
                    break
            under_way.append(_UnderWay(command))
        elif _updates(command, context):
            under_way = [one._replace(updated=True) for one in under_way]
        elif _replaces_machines(command, context):
            under_way = [one for one in under_way if not one.updated]
        elif isinstance(command, Reconcile | model.Unreadable):
            # What cannot be read, such as a script of one's own, may do it all.
            under_way = []


def _counts_on(command: Keypair, earlier: Keypair) -> bool:
    """Whether a step needs an earlier one of the same keyset to be on the machines."""
    keysets = {one.keyset.shown for one in (command, earlier) if one.keyset is not None}
    if len(keysets) > 1 and "all" not in keysets:
        return False
    if command.verb == "promote":
        return earlier.verb == "create" and not earlier.primary
    promotes = earlier.verb == "promote" or earlier.primary
    return command.verb == "distrust" and promotes


def _updates(command: Command, context: Context) -> bool:
    match command:
        case UpdateCluster(yes=True) as update:
            direct = update.target is None or update.target.text == "direct"
            reaches = direct and not update.leaves_machines
            return reaches and covers_control_plane(update, context)
        case model.Terraform(verb="apply"):
            return True
        case _:
            return False


def _replaces_machines(command: Command, context: Context) -> bool:
    match command:
        case RollingUpdate(yes=True) as roll:
            return covers_control_plane(roll, context)
        case DeleteInstance(yes=True) | model.StopInstances():
            return True
        case _:
            return False


def _too_early(
    command: Keypair,
    earlier: Keypair,
    number: int | None,
    context: Context,
) -> Draft:
    shown = command.keyset.shown if command.keyset is not None else "a keyset"
    keyset = "every keyset" if shown == "all" else shown
    if command.verb == "promote":
        message = f"a new keypair of {keyset} is promoted before any machine trusts it"
        why = (
            "The next update issues certificates with it. Running machines trust only"
            " the old keypair and reject replaced ones: kubelets, API servers or etcd"
            " peers, depending on the keyset."
        )
    else:
        message = (
            f"old keypairs of {keyset} are distrusted while machines still use them"
        )
        why = (
            "Running machines have only certificates of the old keypair, and replaced"
            " ones no longer trust those: kubelets, API servers or etcd peers,"
            " depending on the keyset, reject each other."
        )
    line = command.span.line
    return Draft(
        message=message,
        why=why,
        locations=(
            Location(command.span, "run an update and a roll before this"),
            Location(earlier.span, "not on the machines yet"),
        ),
        subject=f"{command.verb}/{shown}",
        certainty=sure(not command.ids),
        step=number,
        fix=(
            f"kops update cluster {context.cluster} --yes  # before line {line}",
            f"kops rolling-update cluster {context.cluster} --yes",
        ),
    )
