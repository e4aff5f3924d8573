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
from kopslint.commands import model
from kopslint.commands.kops import (
    EditCluster,
    Reconcile,
    Replace,
    RollingUpdate,
    UpdateCluster,
    UpgradeCluster,
)
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.clouds import group_at, is_object
from kopslint.kops.spec import Role, parse_role
from kopslint.kops.versions import Release, release

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
# From this release on kops holds the workers' kubelet back. Source: kops
# cmd/kops/update_cluster.go on the release branches.
_HOLDS = Release(1, 31, 0)
_SKEW = re.compile(r"--ignore-kubelet-version-skew(?!=false)")
_KUBECONFIG = re.compile(
    r"export kube(config|cfg)\b|--admin\b|--kubeconfig\b|^(\S*/)?kubectl\b"
)
_KUBECTL = re.compile(r"(\S*/)?kubectl\b")


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
        why="API servers may differ by only one minor release, and old and new ones"
        " run side by side while the control plane is rolled. Objects stored in a"
        " version that only the skipped releases convert may be lost.",
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
        why="An older API server cannot read everything that a newer one stored in"
        " etcd, and kubelets must not be newer than it. Kubernetes supports no way"
        " back except a restore.",
        locations=_places(pairs.cluster(context)),
        subject=f"{old.series}/{new.series}",
        fix=(f"# stay on {old.series}, or restore an etcd backup from before it",),
    )


def kubelet_newer_than_control_plane(context: Context) -> Iterator[Draft]:
    """Workers get a new Kubernetes before the control plane runs it, or not at all.

    Older kubelets bear it; that a list rolls the workers first is reported all the
    same. From 1.31 on kops itself holds the workers back where it reaches the API, and
    then they need another update after the control plane's roll.
    """
    if context.simulation is None or not _has_workers(context):
        return
    for change, steps in _rises(context, context.simulation.steps):
        old, new = map(_version, change)
        if old is None or new is None or new[:2] <= old[:2]:
            continue
        step = _workers_first(context, steps)
        holds = step is not None and _may_hold(step, steps, new, context)
        if step is not None and holds:
            draft = _held_back(step, steps, change, context)
            if draft is not None:
                yield draft
                return
        elif new < _STRICT:
            step = _workers_rolled_first(context, steps)
            if step is not None:
                yield _older_api_server(step, change, old, new, context)
                return
        elif step is not None:
            yield _newer_kubelet(step, change, "", context)
            return


def _may_hold(
    step: Step, steps: tuple[Step, ...], new: Release, context: Context
) -> bool:
    """Whether this kops holds workers back at a step if it reaches the API.

    Source: kops cmd/kops/update_cluster.go, checkControlPlaneRunningVersion.
    """
    known = release(context.kops_version)
    if (known or new)[:2] < _HOLDS[:2]:
        return False
    updates = [s for s in steps if isinstance(s.command, UpdateCluster)]
    return not any(
        _SKEW.search(s.command.text) for s in updates if s.number <= step.number
    )


def _held_back(
    step: Step, steps: tuple[Step, ...], change: Change, context: Context
) -> Draft | None:
    """What comes of a kops that holds the workers back where it reaches the API.

    It asks the context of the kubeconfig that is called like the cluster, and goes on
    in silence where it gets no answer. A list that shows no kubeconfig and updates once
    more after the roll may well be typed where there is one, but no job has any.
    """
    again = _updated_again(step, steps, context)
    if _has_kubeconfig(step, context):
        return None if again else _left_behind(step, change, context)
    new = _version(change[1])
    if new is None or new < _STRICT:
        return None
    draft = _newer_kubelet(step, change, _NO_KUBECONFIG, context)
    mild = again and not _in_pipeline(step)
    return draft._replace(severity=Severity.WARNING) if mild else draft


_NO_KUBECONFIG = (
    f" kops {_HOLDS.series} and later hold the workers back, but only if a kubeconfig"
    " gives them access to the API, and this list sets none up."
)


def _in_pipeline(step: Step) -> bool:
    """Whether a step runs in a job, which has nothing but what the list gives it."""
    from kopslint.notations.command_list import notation_of

    return notation_of(step.command.span.source) in ("workflow", "jenkins")


def _has_kubeconfig(step: Step, context: Context) -> bool:
    """Whether the list shows that there is a kubeconfig at a step.

    Who uses kubectl later on has one already, unless it is a job.
    """
    assert context.simulation is not None  # noqa: S101 (there is a step)
    commands = context.simulation.plan.commands
    until = next((n for n, c in enumerate(commands) if c is step.command), 0)
    if any(_KUBECONFIG.search(command.text) for command in commands[:until]):
        return True
    later = () if _in_pipeline(step) else commands[until:]
    if any(_KUBECTL.match(command.text) for command in later):
        return True
    lines = step.command.span.source.lines[: step.command.span.line]
    return any(
        "KUBECONFIG" in line for line in lines if not line.lstrip().startswith("#")
    )


def _updated_again(step: Step, steps: tuple[Step, ...], context: Context) -> bool:
    """Whether workers are updated once more after the control plane's roll."""
    rolled = False
    for later in steps:
        if later.number <= step.number:
            continue
        match later.command:
            case Reconcile(yes=True):
                return True
            case RollingUpdate(yes=True) as command:
                rolled = rolled or covers_control_plane(command, context)
            case UpdateCluster() as command if rolled:
                if (command.yes or _to_terraform(command)) and _touches_workers(
                    command, context
                ):
                    return True
            case _:
                pass
    return False


def _left_behind(step: Step, change: Change, context: Context) -> Draft:
    old, new = (_series(cluster) for cluster in change)
    name = context.cluster
    return Draft(
        severity=Severity.WARNING,
        message=f"the workers stay on Kubernetes {old} after the control plane "
        f"has {new}",
        why=f"kops {_HOLDS.series} and later give the workers the version that the"
        " control plane runs at the time of the update, which is still the old one."
        f" Another update after the roll gives them {new}.",
        locations=(
            Location(step.command.span, "before the control plane is rolled"),
            *_places(change),
        ),
        subject=f"behind/{old}/{new}",
        certainty=Certainty.POSSIBLE,
        step=step.number,
        fix=(
            "# instead of update and rolling-update:",
            f"kops reconcile cluster {name} --yes",
        )
        if not isinstance(step.command, model.Terraform)
        else (
            "# after the control plane is rolled, once more:",
            f"kops update cluster {name} --target terraform --out .",
            "terraform apply",
            f"kops rolling-update cluster {name} --yes",
        ),
    )


def _newer_kubelet(
    step: Step,
    change: Change,
    reason: str,
    context: Context,
) -> Draft:
    old, new = (_series(cluster) for cluster in change)
    return Draft(
        message=f"worker nodes start with Kubernetes {new} while the control "
        f"plane still runs {old}",
        why=f"From {_STRICT.series} on, a kubelet that is newer than the API server"
        f" crashes.{reason} From here until the control plane is rolled, every node"
        " that the cloud adds or replaces crashes like this.",
        locations=(
            Location(step.command.span, "all groups at once, the workers too"),
            *_places(change),
        ),
        subject=f"{old}/{new}",
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
        why="A kubelet must not be newer than the API server that it talks to. By"
        " default kops rolls the control plane first.",
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
            "# first only the control plane; name its groups:",
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


def _series(cluster: Cluster) -> str:
    version = _version(cluster)
    return version.series if version is not None else "?"


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
        stored = (state.registry.cluster for state in step.after)
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
        if isinstance(step.command, EditCluster | Replace)
        or (isinstance(step.command, UpgradeCluster) and step.command.yes)
    )
    return next(edits, 0)


def _workers_first(context: Context, steps: tuple[Step, ...]) -> Step | None:
    """The step that gives workers the new version before the control plane has it."""
    rendered = applied = False
    for step in steps:
        match step.command:
            case Reconcile(yes=True):
                return None
            case UpdateCluster() as command if _to_terraform(command):
                rendered = True
            case UpdateCluster(yes=True) as command:
                if _phase(command) in ("network", "security"):
                    continue
                if _touches_workers(command, context):
                    return step
                applied = applied or covers_control_plane(command, context)
            case model.Terraform(verb="apply", targets=targets) if rendered:
                if not targets or any(_holds_workers(t, step) for t in targets):
                    return step
                applied = True
            case RollingUpdate(yes=True) as command if applied:
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
        for state in step.before
        if (spec := state.rendered) is not None
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
            case Reconcile(yes=True):
                return None
            case UpdateCluster(yes=True) as command if not _to_terraform(command):
                applied = applied or _touches_workers(command, context)
            case model.Terraform(verb="apply"):
                applied = True
            case RollingUpdate(yes=True) as command if applied:
                if covers_control_plane(command, context):
                    return first
                first = first or (step if _touches_workers(command, context) else None)
            case _:
                pass
    return None


def _to_terraform(command: UpdateCluster) -> bool:
    return command.target is not None and command.target.shown == "terraform"


def _phase(command: UpdateCluster) -> str:
    return command.phase.shown if command.phase is not None else ""


def _touches_workers(command: UpdateCluster | RollingUpdate, context: Context) -> bool:
    if command.groups:
        return not all(is_control_plane(w.shown, context) for w in command.groups)
    roles = [parse_role(word.shown) for word in command.roles]
    return not roles or Role.NODE in roles
