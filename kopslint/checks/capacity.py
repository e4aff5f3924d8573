"""Machines that may go away: spot instances under etcd, workers without a drain.

Sources: kops pkg/model/awsmodel/autoscalinggroup.go, docs/instance_groups.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed
from kopslint.commands import model
from kopslint.commands.kops import DeleteInstanceGroup
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.spec import Role
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import InstanceGroup
    from kopslint.model.simulation import Step

_ENABLED = ("spec", "clusterAutoscaler", "enabled")
_AUTOSCALER = "k8s.io/cluster-autoscaler"
_NO_TIME = re.compile(r"(0[a-z]*)+")


def control_plane_on_spot(context: Context) -> Iterator[Draft]:
    """Control-plane machines are bought so that the cloud may take them back."""
    found = [
        (group, field)
        for group in context.after.control_plane
        if (field := _spot_field(group)) is not None
    ]
    for same in alike(found, lambda f: f[1]):
        field, groups = same[0][1], [group for group, _ in same]
        names = [group.name for group in groups]
        yield Draft(
            message=f"{listed(names)} {'runs' if len(names) == 1 else 'run'} etcd on "
            "spot instances",
            why="The cloud reclaims spot instances at short notice, several at once"
            " when capacity is short, and then new ones are hard to get: one too"
            " many, and etcd has no quorum.",
            locations=tuple(
                Location(group.at("spec", *field), "a spot instance")
                for group in groups
            ),
            subject=",".join(names),
            fix=(f"# remove {'.'.join(field)} from {listed(names)}",),
        )


def _spot_field(group: InstanceGroup) -> tuple[str, ...] | None:
    """The field that makes the machine of a control-plane group a spot instance.

    A mixed policy buys on demand unless its share above the base is set lower.
    """
    for field in ("maxPrice", "spotDurationInMinutes"):
        if text_at(group.node, "spec", field):
            return (field,)
    if text_at(group.node, "spec", "gcpProvisioningModel") == "SPOT":
        return ("gcpProvisioningModel",)
    base = group.get("spec", "mixedInstancesPolicy", "onDemandBase")
    above = group.get("spec", "mixedInstancesPolicy", "onDemandAboveBase")
    if _number(base, 0) < 1 and _number(above, 100) < 100:
        return ("mixedInstancesPolicy", "onDemandAboveBase")
    return None


def _number(node: object, default: int) -> int:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) else default


def control_plane_expires(context: Context) -> Iterator[Draft]:
    """The cloud ends control-plane machines when they are old enough.

    Source: kops pkg/model/awsmodel/autoscalinggroup.go hands it to the auto-scaling
    group, which knows neither etcd nor the groups of the other members.
    """
    found = [
        (group, life)
        for group in context.after.control_plane
        if context.after.cloud in (None, "aws")
        and (life := text_at(group.node, "spec", "maxInstanceLifetime"))
        and not _NO_TIME.fullmatch(life)
    ]
    for same in alike(found, lambda f: f[1]):
        life, names = same[0][1], [group.name for group, _ in same]
        yield Draft(
            message=f"AWS terminates the machines of {listed(names)} when they are"
            f" {life} old",
            why="Each auto-scaling group replaces its machine on its own, without a"
            " drain and without checking etcd. "
            + (
                "Machines that were rolled together reach that age together, and"
                " losing two at once costs quorum."
                if len(context.after.control_plane) > 1
                else "The API is down until the new machine has the volume."
            ),
            locations=tuple(
                Location(group.at("spec", "maxInstanceLifetime"), f"of {group.name}")
                for group, _ in same
            ),
            subject=",".join(names),
            certainty=Certainty.POSSIBLE,
            fix=(
                f"# remove maxInstanceLifetime from {listed(names)}, and replace the",
                f"# machines with kops rolling-update cluster {context.cluster}",
                "# --instance-group-roles control-plane --force --yes",
            ),
        )


def launch_suspended(context: Context) -> Iterator[Draft]:
    """The auto-scaling group of a control-plane group starts no machines.

    Source: Amazon EC2 Auto Scaling, Suspend and resume processes.
    """
    found = [
        (group, word)
        for group in context.after.control_plane
        if context.after.cloud in (None, "aws")
        and (word := _suspended(group, "Launch")) is not None
    ]
    if not found:
        return
    names = [group.name for group, _ in found]
    yield Draft(
        message=f"AWS starts no machine in {listed(names)}: Launch is suspended",
        why="A machine that dies or that a rolling update terminates is not replaced,"
        " so its etcd member stays dead.",
        locations=tuple(
            Location(word.span, f"no machine for {group.name}") for group, word in found
        ),
        subject=",".join(names),
        fix=(
            f"# remove Launch from suspendProcesses of {listed(names)} and publish it",
            "# before a machine of the control plane is replaced",
        ),
    )


def _suspended(group: InstanceGroup, process: str) -> Scalar | None:
    """Where a group suspends a process of its auto-scaling group."""
    listed_there = group.get("spec", "suspendProcesses")
    items = listed_there.items if isinstance(listed_there, YamlSequence) else ()
    words = (item for item in items if isinstance(item, Scalar))
    return next((word for word in words if word.text == process), None)


def workers_shrunk_without_drain(context: Context) -> Iterator[Draft]:
    """A worker group gets smaller and the list drains nothing."""
    if _drains(context):
        return
    for old, new in pairs.groups(context):
        if old.role is not Role.NODE or new.role is not Role.NODE:
            continue
        # An autoscaler drains what it takes away between the bounds, and only what
        # is above the upper one is taken from it.
        field, before, after = "minSize", old.size, new.size
        if _is_autoscaled(new, context):
            field = "maxSize"
            before, after = old.max_size or before, new.max_size or after
        if after >= before:
            continue
        yield Draft(
            message=f"group {new.name} shrinks from {before} to {after} machines "
            "without a drain",
            why="At the next update the cloud picks machines and terminates them"
            " together, with everything that runs on them.",
            locations=(
                Location(new.at("spec", field), f"{field} {after}"),
                Location(old.at("spec", field), f"{field} {before}"),
            ),
            subject=new.name,
            certainty=Certainty.POSSIBLE,
            fix=(
                (
                    "kubectl drain NODE --ignore-daemonsets --delete-emptydir-data"
                    f"  # {before - after} of {new.name}, before the update"
                ),
            ),
        )


def node_group_deleted_without_drain(context: Context) -> Iterator[Draft]:
    """A group of workers is deleted and the list drains nothing before it.

    In a cluster that was never applied there is nothing to drain.
    """
    simulation = context.simulation if context.etcd_volumes else None
    for step in simulation.steps if simulation is not None else ():
        command = step.command
        if isinstance(command, model.NodeCommand) and command.verb != "uncordon":
            return
        if not isinstance(command, DeleteInstanceGroup) or not command.yes:
            continue
        name = command.group.text if command.group is not None else None
        group = (context.before or context.after).groups.get(name or "")
        if step.status == "refused" or group is None or group.role is not Role.NODE:
            continue
        last = _no_worker_is_left(step)
        yield Draft(
            severity=Severity.WARNING if last else None,
            message=f"{group.name} is deleted with all its machines, without a drain"
            + (", and no worker is left" if last else ""),
            why="'delete ig' terminates every machine of the group at once. Pods stop"
            " without notice, and PodDisruptionBudgets are ignored."
            + (
                " Nothing runs until another group has machines: create that one first."
                if last
                else ""
            ),
            locations=(Location(command.span, "at once, and for good"),),
            subject=group.name,
            step=step.number,
            fix=(
                (
                    f"kubectl drain -l kops.k8s.io/instancegroup={group.name} "
                    "--ignore-daemonsets --delete-emptydir-data  # before this"
                ),
                *([_NEVER_APPLIED] if last else []),
            ),
        )


_NEVER_APPLIED = "# if the cluster was never applied: kopslint check --no-etcd-volumes"


def _no_worker_is_left(step: Step) -> bool:
    """Whether no other group of workers has a machine, whatever the course."""
    return all(
        not any(
            group.role is Role.NODE and state.cloud.get(name, 0) > 0
            for name, group in state.registry.groups.items()
        )
        for state in step.after
    )


def _drains(context: Context) -> bool:
    return context.simulation is not None and any(
        isinstance(step.command, model.NodeCommand) and step.command.verb != "uncordon"
        for step in context.simulation.steps
    )


def _is_autoscaled(group: InstanceGroup, context: Context) -> bool:
    """Whether an autoscaler looks after the group, kops's own or another one."""
    if text_at(group.node, "spec", "manager") == "Karpenter":
        return True
    cluster = context.after.cluster
    if cluster is not None and text_at(cluster.node, *_ENABLED) == "true":
        return text_at(group.node, "spec", "autoscale") != "false"
    labels = group.get("spec", "cloudLabels")
    keys = list(labels.keys()) if isinstance(labels, YamlMapping) else []
    return any(key.startswith(_AUTOSCALER) for key in keys)
