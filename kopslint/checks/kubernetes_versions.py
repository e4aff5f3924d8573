"""The Kubernetes version: steps that are not supported, and in what order they go.

Sources: https://kubernetes.io/releases/version-skew-policy/ and kops
docs/operations/updates_and_upgrades.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import kept
from kopslint.checks.context import Context, Draft, listed
from kopslint.checks.rolls import covers_control_plane, is_control_plane
from kopslint.checks.versions import Release, release
from kopslint.commands import model
from kopslint.findings import Certainty, Location
from kopslint.kops.spec import Role, parse_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.simulate.record import Step

_FIELD = ("spec", "kubernetesVersion")

# From this release on a kubelet that is newer than the API server does not start.
_STRICT = Release(1, 31, 0)
_TARGET = re.compile(r"master|control[-_]?plane|api-?server", re.IGNORECASE)


def kubernetes_minor_skipped(context: Context) -> Iterator[Draft]:
    """The Kubernetes version goes up by more than one minor release."""
    versions = _versions(context)
    if versions is None:
        return
    old, new = versions
    if old.major != new.major or new.minor - old.minor < 2:
        return
    between = [f"{old.major}.{n}" for n in range(old.minor + 1, new.minor)]
    yield Draft(
        message=f"Kubernetes goes from {old.series} to {new.series} and skips "
        f"{listed(between)}",
        why="API servers may differ by one minor release only, and while the control "
        "plane is rolled old and new ones run side by side. Objects stored in a form "
        "that only the skipped releases convert may be lost.",
        locations=_places(context),
        subject=f"{old.series}/{new.series}",
        fix=(
            (
                f"# one release at a time, each updated and rolled: "
                f"{', '.join([*between, new.series])}"
            ),
        ),
    )


def kubernetes_downgraded(context: Context) -> Iterator[Draft]:
    """The Kubernetes version goes back to an older minor release."""
    versions = _versions(context)
    if versions is None or versions[1][:2] >= versions[0][:2]:
        return
    old, new = versions
    yield Draft(
        message=f"Kubernetes is downgraded from {old.series} to {new.series}",
        why="The API server of an older minor release does not read everything that a "
        "newer one stored in etcd, and kubelets must not be newer than it. Kubernetes "
        "supports no way back but a restore.",
        locations=_places(context),
        subject=f"{old.series}/{new.series}",
        fix=(f"# stay on {old.series}, or restore an etcd backup from before it",),
    )


def kubelet_newer_than_control_plane(context: Context) -> Iterator[Draft]:
    """Worker nodes get a new Kubernetes before the control plane runs it."""
    versions = _versions(context)
    if versions is None or context.simulation is None or not _has_workers(context):
        return
    old, new = versions
    if new[:2] <= old[:2] or new < _STRICT:
        return
    step = _workers_first(context, _from_the_change_on(context.simulation.steps))
    if step is None:
        return
    yield Draft(
        message=f"worker nodes may start with Kubernetes {new.series} while the "
        f"control plane still runs {old.series}",
        why=f"From {_STRICT.series} on a kubelet that is newer than the API server "
        "crashes. From here every node that the cloud adds or replaces is such a one, "
        "until the control plane is rolled.",
        locations=(
            Location(step.command.span, "all groups at once, the workers too"),
            *_places(context),
        ),
        subject=f"{old.series}/{new.series}",
        certainty=Certainty.POSSIBLE,
        step=step.number,
        fix=_control_plane_first(step, context),
    )


def _control_plane_first(step: Step, context: Context) -> tuple[str, ...]:
    roll = f"kops rolling-update cluster {context.cluster}"
    if isinstance(step.command, model.Terraform):
        return (
            "# before this, only the control plane; name its groups:",
            "terraform apply -target aws_autoscaling_group.CONTROL-PLANE-GROUP",
            f"{roll} --instance-group-roles control-plane,apiserver --yes",
        )
    return (
        "# instead of update and rolling-update:",
        f"kops reconcile cluster {context.cluster} --yes",
    )


def _versions(context: Context) -> tuple[Release, Release] | None:
    pair = kept.cluster(context)
    if pair is None:
        return None
    old, new = (release(cluster.kubernetes_version) for cluster in pair)
    return None if old is None or new is None else (old, new)


def _places(context: Context) -> tuple[Location, ...]:
    pair = kept.cluster(context)
    if pair is None:
        return ()
    old, new = pair
    return (
        Location(new.at(*_FIELD), f"after: {new.kubernetes_version}"),
        Location(old.at(*_FIELD), f"before: {old.kubernetes_version}"),
    )


def _has_workers(context: Context) -> bool:
    """Whether there are workers; a file without groups says nothing about them."""
    groups = context.after.groups.values()
    return not groups or any(group.role is Role.NODE for group in groups)


def _from_the_change_on(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps after the first that may store the new version, or else all."""
    for step in steps:
        match step.command:
            case model.EditCluster() | model.Replace() | model.UpgradeCluster(yes=True):
                return steps[step.number :]
    return steps


def _workers_first(context: Context, steps: tuple[Step, ...]) -> Step | None:
    """The step that gives workers the new version before the control plane has it."""
    rendered = applied = False
    for step in steps:
        match step.command:
            case model.Reconcile(yes=True):
                return None
            case model.UpdateCluster() as command if _to_terraform(command):
                rendered = True
            case model.UpdateCluster(yes=True) as command:
                if _phase(command) in ("network", "security"):
                    continue
                if _touches_workers(command, context):
                    return step
                applied = applied or covers_control_plane(command, context)
            case model.Terraform(verb="apply", targets=targets) if rendered:
                if not targets or not all(_TARGET.search(t.shown) for t in targets):
                    return step
                applied = True
            case model.RollingUpdate(yes=True) as command if applied:
                if covers_control_plane(command, context):
                    return None
            case _:
                pass
    return None


def _to_terraform(command: model.UpdateCluster) -> bool:
    return command.target is not None and command.target.shown == "terraform"


def _phase(command: model.UpdateCluster) -> str:
    return command.phase.shown if command.phase is not None else ""


def _touches_workers(command: model.UpdateCluster, context: Context) -> bool:
    if command.groups:
        return not all(is_control_plane(w.shown, context) for w in command.groups)
    roles = [parse_role(word.shown) for word in command.roles]
    return not roles or Role.NODE in roles
