"""Rolling updates of the control plane, and those that do not look where they go.

Source: kops pkg/instancegroups/rollingupdate.go and instancegroups.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import kept
from kopslint.checks.context import Context, Draft, listed
from kopslint.checks.versions import release
from kopslint.commands import model
from kopslint.findings import Location, Severity
from kopslint.kops.duration import go_seconds
from kopslint.kops.spec import Role, parse_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.simulate.record import Step

_CONTROL_PLANE = re.compile(r"master|control[-_]?plane", re.IGNORECASE)

# Where --control-plane-interval is not given, kops waits so many seconds.
_INTERVAL = 15.0

# Up to this minor release of Kubernetes kops documented forced outages: to adopt
# etcd-manager (1.11, 1.12), and for expired certificates of etcd-manager (1.15).
_LAST_OUTAGE = 15


def control_plane_rolls(context: Context) -> list[tuple[Step, model.RollingUpdate]]:
    """The rolling updates of the list that replace control-plane machines."""
    if context.simulation is None:
        return []
    return [
        (step, step.command)
        for step in context.simulation.steps
        if isinstance(step.command, model.RollingUpdate)
        and step.command.yes
        and covers_control_plane(step.command, context)
    ]


def covers_control_plane(
    command: model.RollingUpdate | model.UpdateCluster, context: Context
) -> bool:
    """Whether the filters of a command let control-plane groups through.

    A group that neither side of the change has is told by its name.
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
    return bool(_CONTROL_PLANE.search(group))


def rolls_at_once(context: Context) -> bool:
    """Whether the control plane is first rolled with ``--cloudonly``: an outage."""
    rolls = control_plane_rolls(context)
    return bool(rolls) and rolls[0][1].cloudonly


def roll_without_validation(context: Context) -> Iterator[Draft]:
    """Control-plane machines are replaced without a look at those before."""
    for step, command in control_plane_rolls(context):
        flags = _blind(command)
        if not flags:
            continue
        aggravating = _aggravating(command, context) if command.cloudonly else None
        yield Draft(
            severity=Severity.ERROR if aggravating else None,
            message="the control plane is replaced without validation"
            f"{f', {aggravating}' if aggravating else ''}",
            why=_why(command)
            + " What is wrong with the first machine is then wrong with all of them, "
            "and none is left to fall back to.",
            locations=(Location(command.span, f"because of {listed(flags)}"),),
            subject=command.text,
            step=step.number,
            fix=(_validating(command, context),),
        )


def _blind(command: model.RollingUpdate) -> list[str]:
    """The flags that keep a roll from looking."""
    count = command.validate_count.text if command.validate_count is not None else None
    flags = {
        "--cloudonly": command.cloudonly,
        "--fail-on-validate-error=false": not command.fail_on_validate_error,
        "--validate-count=0": count == "0",
    }
    return [flag for flag, on in flags.items() if on]


def _why(command: model.RollingUpdate) -> str:
    if command.cloudonly:
        return (
            "With --cloudonly kops asks neither the API nor etcd: it terminates one "
            "machine after another as soon as the interval is over, drains nothing, "
            "and etcd has no quorum until they are back."
        )
    if not command.fail_on_validate_error:
        return (
            "kops goes on to the next machine although the cluster has not become "
            "healthy after the one before."
        )
    return "kops does not look whether a machine is back before it takes the next."


def _aggravating(command: model.RollingUpdate, context: Context) -> str | None:
    """What makes a roll with ``--cloudonly`` more than the outage that it is."""
    if _is_documented(context):
        return None
    if _changes_kubernetes(context):
        return "and with another Kubernetes version"
    if _members(context) < 2:
        return None
    seconds = _seconds(command)
    if seconds is not None and seconds < _INTERVAL:
        return f"its machines {seconds:g}s apart"
    return "even machines that are up to date" if command.force else None


def _is_documented(context: Context) -> bool:
    """Whether the cluster is from the days when kops's documents asked for outages."""
    cluster = context.after.cluster
    running = release(cluster.kubernetes_version) if cluster is not None else None
    return running is not None and running.minor <= _LAST_OUTAGE


def _changes_kubernetes(context: Context) -> bool:
    """Whether the machines come back with another minor release, or may do so."""
    pair = kept.cluster(context)
    if pair is not None:
        old, new = (release(side.kubernetes_version) for side in pair)
        if old is not None and new is not None and old[:2] != new[:2]:
            return True
    return context.simulation is not None and any(
        isinstance(step.command, model.UpgradeCluster) and step.command.yes
        for step in context.simulation.steps
    )


def _members(context: Context) -> int:
    state = context.before or context.after
    return max((len(etcd.members) for etcd in state.etcd_clusters), default=0)


def _seconds(command: model.RollingUpdate) -> float | None:
    word = command.control_plane_interval
    if word is None:
        return _INTERVAL
    return go_seconds(word.text) if word.text is not None else None


def _validating(command: model.RollingUpdate, context: Context) -> str:
    groups = "".join(f" --instance-group {word.shown}" for word in command.groups)
    roles = "" if groups else " --instance-group-roles control-plane"
    return f"kops rolling-update cluster {context.cluster}{groups or roles} --yes"
