"""Rolling updates that skip validation, and what makes one worse.

Source: kops pkg/instancegroups/rollingupdate.go and instancegroups.go.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, listed, meanwhile
from kopslint.checks.rolls import control_plane_rolls, covers_control_plane
from kopslint.commands import model
from kopslint.commands.kops import (
    DeleteInstance,
    DeleteInstanceGroup,
    Reconcile,
    RollingUpdate,
    UpdateCluster,
    UpgradeCluster,
    Validate,
)
from kopslint.findings import Location, Severity
from kopslint.kops.duration import go_seconds
from kopslint.kops.versions import release
from kopslint.model.properties.recovery import is_mended
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Cluster
    from kopslint.model.simulation import Step

# Where --control-plane-interval is not given, kops waits so many seconds.
_INTERVAL = 15.0

# Up to this minor release of Kubernetes kops documented forced outages: to adopt
# etcd-manager (1.11, 1.12), and for expired certificates of etcd-manager (1.15).
_LAST_OUTAGE = 15

# What keeps the API out of reach until every machine is new, so that kops asks for
# --cloudonly --force: its load balancer is deleted, or all keypairs are. Sources: kops
# docs/topology.md and docs/operations/rotate-secrets.md.
_UNREACHABLE = r"delete-load-balancer|kops delete secrets?\b"


def roll_without_validation(context: Context) -> Iterator[Draft]:
    """Control-plane machines are replaced without a look at those before."""
    for step, command in control_plane_rolls(context):
        flags = _blind(command)
        if not flags:
            continue
        aggravating = _aggravating(step, command, context)
        looks = None if aggravating else _looked_at_by(step, context)
        severity, more = None, ""
        if aggravating:
            severity, more = Severity.ERROR, f", {aggravating}"
        elif looks is not None:
            severity, more = Severity.INFO, f", {meanwhile(step, looks)}"
        yield Draft(
            severity=severity,
            message=f"the control plane is replaced without validation{more}",
            why=_why(command)
            + " If the first new machine is broken, all of them will be, and no"
            " good one is left."
            if looks is None
            else "kops does not check that a replaced machine comes back. Quorum holds"
            f" meanwhile, and step {looks.number} checks.",
            locations=(
                Location(command.span, f"because of {listed(flags)}"),
                *([] if looks is None else [Location(looks.command.span, "it looks")]),
            ),
            subject=command.text,
            step=step.number,
            fix=_with_a_look(command, context),
        )
    yield from _beside_another(context)


def _looked_at_by(blind: Step, context: Context) -> Step | None:
    """The step that validates what a blind roll did, before another machine goes.

    None too if more went wrong than that nobody looked.
    """
    simulation = context.simulation
    for step in simulation.steps[blind.number :] if simulation is not None else ():
        match step.command:
            case Validate() | Reconcile(yes=True):
                looks = True
            case RollingUpdate(yes=True) as roll:
                if not covers_control_plane(roll, context):
                    continue
                looks = not _blind(roll) and _beside(step, roll) is None
            case DeleteInstanceGroup() | DeleteInstance(yes=True):
                looks = False
            case model.StopInstances() | UpdateCluster(yes=True):
                looks = False
            case _:
                continue
        if looks and simulation is not None and is_mended(simulation, blind, step):
            return step
        return None
    return None


def _blind(command: RollingUpdate) -> list[str]:
    """The flags that keep a roll from looking."""
    count = command.validate_count.text if command.validate_count is not None else None
    flags = {
        "--cloudonly": command.cloudonly,
        "--fail-on-validate-error=false": not command.fail_on_validate_error,
        "--validate-count=0": count == "0",
    }
    return [flag for flag, on in flags.items() if on]


def _beside_another(context: Context) -> Iterator[Draft]:
    """Rolls that run at the same time as others: their validation is worth nothing."""
    found = [
        (step, step.command, cause)
        for step in (context.simulation.steps if context.simulation else ())
        if isinstance(step.command, RollingUpdate)
        and step.moments
        and (cause := _beside(step, step.command)) is not None
    ]
    if not found:
        return
    step, _, cause = found[0]
    places = {command.span: f"because of {cause}" for _, command, cause in found}
    yield Draft(
        message="several commands replace control-plane machines at the same time",
        why="Each kops validates the cluster before it takes a machine and does not"
        " know of the others: all of them find it healthy, and each takes a"
        " machine.",
        locations=tuple(Location(span, label) for span, label in places.items()),
        subject=f"at once/{cause}",
        step=step.number,
        fix=(
            "# one after another, each waiting for the one before:",
            *dict.fromkeys(_validating(command, context) for _, command, _ in found),
        ),
    )


def _beside(step: Step, command: RollingUpdate) -> str | None:
    """What makes another command replace machines at the same time, if anything."""
    if command.at_once:
        return command.at_once
    beside = any(before.replacing for before in step.before)
    return "the job beside it" if beside else None


def _why(command: RollingUpdate) -> str:
    if command.cloudonly:
        return (
            "With --cloudonly kops asks neither the API nor etcd: it terminates"
            " machine after machine, waiting only for the interval, without a drain,"
            " and etcd has no quorum until they are back."
        )
    if not command.fail_on_validate_error:
        return (
            "kops continues with the next machine even if the cluster did not become"
            " healthy after the last one."
        )
    return "kops does not check that a machine is back before it takes the next one."


def _aggravating(step: Step, command: RollingUpdate, context: Context) -> str | None:
    """What makes a roll with ``--cloudonly`` more than the outage that it is.

    Nothing does after a restore, which takes effect once all masters are restarted.
    Source: kops docs/operations/etcd_backup_restore_encryption.md.
    """
    before = context.simulation.steps[: step.number - 1] if context.simulation else ()
    if not command.cloudonly or _is_documented(context):
        return None
    if any(isinstance(earlier.command, model.RestoreBackup) for earlier in before):
        return None
    if _changes_kubernetes(context) and not _came_back(before, context):
        return "and with another Kubernetes version"
    if _members(context) < 2:
        return None
    seconds = _seconds(command)
    if seconds is not None and seconds < _INTERVAL:
        return f"its machines {seconds:g}s apart"
    if not command.force or _is_out_of_reach(command, context):
        return None
    several = len(_replaced(command, context)) > 1
    return "also machines that are up to date" if several else None


def _replaced(command: RollingUpdate, context: Context) -> list[str]:
    """The control-plane groups that a roll may replace machines of."""
    if command.groups:
        return list({word.shown for word in command.groups})
    return [group.name for group in (context.before or context.after).control_plane]


def _is_out_of_reach(roll: Command, context: Context) -> bool:
    """Whether the API cannot be asked until its machines are replaced.

    Its load balancer becomes another one, or the list has deleted it, or the keys.
    """
    pair = pairs.cluster(context)
    if pair is not None:
        old, new = (_load_balancer(cluster) for cluster in pair)
        if old != new:
            return True
    commands = context.simulation.plan.commands if context.simulation else ()
    return any(
        isinstance(command, model.Reads | model.Unreplayed)
        and re.search(_UNREACHABLE, command.text)
        for command in takewhile(lambda command: command is not roll, commands)
    )


def _load_balancer(cluster: Cluster) -> tuple[str | None, ...]:
    """What the API cannot be reached by any more where one of it changes.

    Source: kops docs/topology.md and permalinks/acm_nlb.md.
    """
    fields = ("type", "class", "sslCertificate")
    return tuple(
        text_at(cluster.node, "spec", "api", "loadBalancer", field) for field in fields
    )


def _came_back(before: tuple[Step, ...], context: Context) -> bool:
    """Whether a machine with what was last applied has come back and was validated."""
    for step in reversed(before):
        match step.command:
            case RollingUpdate(yes=True) as roll:
                seen = not _blind(roll) and _beside(step, roll) is None
                if seen and covers_control_plane(roll, context):
                    return step.status == "applied"
            case Reconcile(yes=True):
                return step.status == "applied"
            case UpdateCluster(yes=True) | model.Terraform(verb="apply"):
                return False
            case _:
                pass
    return False


def _is_documented(context: Context) -> bool:
    """Whether kops's documents ask for an outage, one machine right after the other.

    They did in their early days, and do so to adopt etcd-manager.
    """
    cluster = context.after.cluster
    running = release(cluster.kubernetes_version) if cluster is not None else None
    early = running is not None and running.minor <= _LAST_OUTAGE
    return early or _adopts(context)


def _adopts(context: Context) -> bool:
    """Whether members of a new kind come, which do not talk to those of the old one.

    Source: kops docs/etcd3-migration.md.
    """
    pair = pairs.cluster(context)
    if pair is None:
        return False
    from kopslint.checks.etcd_versions import runtime_change

    changes = (runtime_change(*both, pair) for both in pairs.etcd_clusters(context))
    return any(change is not None and change[2] != "Legacy" for change in changes)


def _changes_kubernetes(context: Context) -> bool:
    """Whether the machines come back with another minor release, or may do so."""
    pair = pairs.cluster(context)
    if pair is not None:
        old, new = (release(side.kubernetes_version) for side in pair)
        if old is not None and new is not None and old[:2] != new[:2]:
            return True
    return context.simulation is not None and any(
        isinstance(step.command, UpgradeCluster) and step.command.yes
        for step in context.simulation.steps
    )


def _members(context: Context) -> int:
    state = context.before or context.after
    return max((len(etcd.members) for etcd in state.etcd_clusters), default=0)


def _seconds(command: RollingUpdate) -> float | None:
    word = command.control_plane_interval
    if word is None:
        return _INTERVAL
    return go_seconds(word.text) if word.text is not None else None


def _with_a_look(command: RollingUpdate, context: Context) -> tuple[str, ...]:
    """The same roll with validation, or in parts where validation cannot succeed."""
    if command.cloudonly and _adopts(context):
        return ("# kops documents this outage: plan it, with backups at hand",)
    if not command.cloudonly or not _is_out_of_reach(command, context):
        return (_validating(command, context),)
    forced = " --force" if command.force else ""
    first = min(_replaced(command, context), default="GROUP")
    group = f"{context.cluster} --instance-group {first}"
    return (
        "# one group at a time, and the next one only when etcd is healthy again:",
        f"kops rolling-update cluster {group} --cloudonly{forced} --yes",
        "etcdctl endpoint health --cluster  # on a control-plane machine",
    )


def _validating(command: RollingUpdate, context: Context) -> str:
    known = [word.text for word in command.groups if word.text]
    groups = "".join(f" --instance-group {group}" for group in known)
    roles = "" if groups else " --instance-group-roles control-plane"
    return f"kops rolling-update cluster {context.cluster}{groups or roles} --yes"
