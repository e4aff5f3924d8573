"""The Kubernetes version: steps that are not supported, and in what order they go.

Sources: https://kubernetes.io/releases/version-skew-policy/ and kops
docs/operations/updates_and_upgrades.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, listed
from kopslint.checks.rolls import covers_control_plane, is_control_plane
from kopslint.checks.versions import Release, release
from kopslint.commands import model
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.clouds import group_at, is_object
from kopslint.kops.spec import Role, parse_role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster
    from kopslint.model.simulation import Step
    from kopslint.shell.ast import Word

    # The Cluster that is there, and the one that takes its place.
    Change = tuple[Cluster, Cluster]

_FIELD = ("spec", "kubernetesVersion")

# From this release on a kubelet that is newer than the API server does not start.
_STRICT = Release(1, 31, 0)
_TARGET = r"(?i)master|control[-_]?plane|api-?server"


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
        locations=_places(pairs.cluster(context)),
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
        locations=_places(pairs.cluster(context)),
        subject=f"{old.series}/{new.series}",
        fix=(f"# stay on {old.series}, or restore an etcd backup from before it",),
    )


def kubelet_newer_than_control_plane(context: Context) -> Iterator[Draft]:
    """Worker nodes get a new Kubernetes before the control plane runs it.

    Older kubelets bear it; that a list rolls the workers first is told all the same.
    """
    if context.simulation is None or not _has_workers(context):
        return
    for change, steps in _rises(context, context.simulation.steps):
        old, new = map(_version, change)
        if old is None or new is None or new[:2] <= old[:2]:
            continue
        if new < _STRICT:
            step = _workers_rolled_first(context, steps)
            if step is not None:
                yield _older_api_server(step, change, old, new, context)
                return
            continue
        step = _workers_first(context, steps)
        if step is not None:
            yield _newer_kubelet(step, change, old, new, context)
            return


def _newer_kubelet(
    step: Step,
    change: Change,
    old: Release,
    new: Release,
    context: Context,
) -> Draft:
    return Draft(
        message=f"worker nodes start with Kubernetes {new.series} while the control "
        f"plane still runs {old.series}",
        why=f"From {_STRICT.series} on a kubelet that is newer than the API server "
        "crashes. From here every node that the cloud adds or replaces is such a one, "
        "until the control plane is rolled.",
        locations=(
            Location(step.command.span, "all groups at once, the workers too"),
            *_places(change),
        ),
        subject=f"{old.series}/{new.series}",
        certainty=Certainty.POSSIBLE,
        step=step.number,
        fix=_control_plane_first(step, context),
    )


def _older_api_server(
    step: Step,
    change: Change,
    old: Release,
    new: Release,
    context: Context,
) -> Draft:
    roll = f"kops rolling-update cluster {context.cluster}"
    return Draft(
        severity=Severity.WARNING,
        message=f"the workers are rolled to Kubernetes {new.series} before the "
        f"control plane, which still runs {old.series}",
        why="A kubelet must not be newer than the API server that it talks to. Left "
        "to itself kops rolls the control plane first.",
        locations=(Location(step.command.span, "workers first"), *_places(change)),
        subject=f"rolled/{old.series}/{new.series}",
        step=step.number,
        fix=(
            "# before this:",
            f"{roll} --instance-group-roles control-plane,apiserver --yes",
        ),
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
    pair = pairs.cluster(context)
    if pair is None:
        return None
    old, new = map(_version, pair)
    return None if old is None or new is None else (old, new)


def _version(cluster: Cluster) -> Release | None:
    return release(cluster.kubernetes_version)


def _places(pair: Change | None) -> tuple[Location, ...]:
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


def _rises(
    context: Context, steps: tuple[Step, ...]
) -> Iterator[tuple[Change, tuple[Step, ...]]]:
    """Every rise of the version in the state store, and the steps from it to the next.

    Where no step stores another version, the change is taken to come with the first
    that may.
    """
    pair = pairs.cluster(context)
    if pair is None:
        return
    here = pair[0]
    rises: list[tuple[Change, int]] = []
    for step in steps:
        stored = (situation.registry.cluster for situation in step.after)
        higher = next((c for c in stored if c is not None and _above(c, here)), None)
        if higher is not None:
            rises.append(((here, higher), step.number))
            here = higher
    rises = rises or [(pair, _first_edit(steps))]
    ends = [start - 1 for _, start in rises[1:]]
    for (change, start), end in zip(rises, [*ends, len(steps)], strict=True):
        yield change, steps[start:end]


def _above(one: Cluster, other: Cluster) -> bool:
    new, old = _version(one), _version(other)
    return new is not None and old is not None and new[:2] > old[:2]


def _first_edit(steps: tuple[Step, ...]) -> int:
    """The number of the first step that may store another version, or else 0."""
    edits = (
        step.number
        for step in steps
        if isinstance(step.command, model.EditCluster | model.Replace)
        or (isinstance(step.command, model.UpgradeCluster) and step.command.yes)
    )
    return next(edits, 0)


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
                if not targets or any(_holds_workers(t, step) for t in targets):
                    return step
                applied = True
            case model.RollingUpdate(yes=True) as command if applied:
                if covers_control_plane(command, context):
                    return None
            case _:
                pass
    return None


def _holds_workers(target: Word, step: Step) -> bool:
    """Whether workers are at an address, unless it tells that they are not."""
    address = target.shown
    if is_object(address):
        return False
    roles = {
        group.role
        for situation in step.before
        if (spec := situation.rendered) is not None
        and (group := group_at(address, spec)) is not None
    }
    return Role.NODE in roles if roles else re.search(_TARGET, address) is None


def _workers_rolled_first(context: Context, steps: tuple[Step, ...]) -> Step | None:
    """The step that replaces workers, and only them, before the control plane.

    The list must roll the control plane afterwards; else it may be another part of
    an upgrade that began before.
    """
    applied, first = False, None
    for step in steps:
        match step.command:
            case model.Reconcile(yes=True):
                return None
            case model.UpdateCluster(yes=True) as command if not _to_terraform(command):
                applied = applied or _touches_workers(command, context)
            case model.Terraform(verb="apply"):
                applied = True
            case model.RollingUpdate(yes=True) as command if applied:
                if covers_control_plane(command, context):
                    return first
                first = first or (step if _touches_workers(command, context) else None)
            case _:
                pass
    return None


def _to_terraform(command: model.UpdateCluster) -> bool:
    return command.target is not None and command.target.shown == "terraform"


def _phase(command: model.UpdateCluster) -> str:
    return command.phase.shown if command.phase is not None else ""


def _touches_workers(
    command: model.UpdateCluster | model.RollingUpdate, context: Context
) -> bool:
    if command.groups:
        return not all(is_control_plane(w.shown, context) for w in command.groups)
    roles = [parse_role(word.shown) for word in command.roles]
    return not roles or Role.NODE in roles
