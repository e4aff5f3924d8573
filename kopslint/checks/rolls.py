"""Rolling updates of the control plane: how to recognise one, and what it replaces.

Source: kops pkg/instancegroups/rollingupdate.go and instancegroups.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.kops import (
    EditCluster,
    Reconcile,
    Replace,
    RollingUpdate,
    UpdateCluster,
)
from kopslint.kops.spec import Role, parse_role

if TYPE_CHECKING:
    from kopslint.checks.context import Context
    from kopslint.model.simulation import Step

CONTROL_PLANE = r"(?i)master|control[-_]?plane"
"""What the name of a group that runs etcd has in it, if nothing else tells it."""


def control_plane_rolls(context: Context) -> list[tuple[Step, RollingUpdate]]:
    """The rolling updates of the list that replace control-plane machines."""
    if context.simulation is None:
        return []
    return [
        (step, step.command)
        for step in context.simulation.steps
        if isinstance(step.command, RollingUpdate)
        and step.command.yes
        and covers_control_plane(step.command, context)
    ]


def stored_in_stages(context: Context) -> bool:
    """Whether the list stores a spec, rolls the control plane, and stores another one.

    What the first one holds is not at hand: a change that kops documents as several
    steps is then taken to be made in them.
    """
    if context.simulation is None or context.simulation.passed:
        return False
    stored = rolled = False
    for step in context.simulation.steps:
        match step.command:
            case EditCluster() | Replace():
                if rolled:
                    return True
                stored = True
            case Reconcile(yes=True):
                rolled = stored
            case RollingUpdate(yes=True) as command if stored:
                rolled = rolled or covers_control_plane(command, context)
            case _:
                pass
    return False


def covers_control_plane(
    command: RollingUpdate | UpdateCluster, context: Context
) -> bool:
    """Whether the filters of a command let control-plane groups through.

    A group that neither side of the change has is known by its name.
    """
    if command.groups:
        return any(is_control_plane(word.shown, context) for word in command.groups)
    roles = [parse_role(word.shown) for word in command.roles]
    return not roles or Role.CONTROL_PLANE in roles


def is_control_plane(group: str, context: Context) -> bool:
    """Whether a group's machines run etcd, by its role or else by its name."""
    for side in (context.after, context.before):
        found = side.groups.get(group) if side is not None else None
        if found is not None:
            return found.is_control_plane
    return bool(re.search(CONTROL_PLANE, group))


def rolls_at_once(context: Context) -> bool:
    """Whether the control plane is first rolled with ``--cloudonly``: an outage."""
    rolls = control_plane_rolls(context)
    return bool(rolls) and rolls[0][1].cloudonly
