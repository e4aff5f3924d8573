"""The volumes that etcd members live on: what must not be deleted under them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, meanwhile
from kopslint.commands import model
from kopslint.commands.etcd import etcd_cluster_in
from kopslint.findings import Certainty, Location, Severity
from kopslint.simulate.repair import is_mended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.command import Command
    from kopslint.simulate.record import Step

# The tags by which kops finds a volume and etcd-manager mounts it. Source:
# kops upup/pkg/fi/cloudup/awstasks/ebsvolume.go, etcd-manager pkg/volumes/aws.
_TAGS = r"\bName\b|k8s\.io/(etcd|role)/|kubernetes\.io/cluster/|KubernetesCluster"
_ETCD_VOLUME = r"(?i)etcd|master|control[-_]?plane"


def volume_deleted_under_member(context: Context) -> Iterator[Draft]:
    """An etcd volume is deleted or re-tagged while its member is registered."""
    found = list(_deleted(context))
    for same in alike(found, lambda f: (f[1].verb, f[2])):
        _, command, says = same[0]
        gone = _volume_gone(context, [step for step, _, _ in same], command.verb)
        if not says:
            gone = gone._replace(
                message=f"perhaps {gone.message}",
                severity=Severity.WARNING,
                certainty=Certainty.POSSIBLE,
            )
        yield gone


def told_of(context: Context) -> frozenset[int]:
    """The numbers of the steps that the rule about deleted volumes tells."""
    return frozenset(step.number for step, _, _ in _deleted(context))


def _deleted(context: Context) -> Iterator[tuple[Step, model.DeleteVolumes, bool]]:
    """The steps that delete or re-tag an etcd volume too early.

    With each, its command, and whether that says that the volume is etcd's.
    """
    if context.simulation is None:
        return
    removed: set[str | None] = set()
    for step in context.simulation.steps:
        match step.command:
            case model.MemberRemove(etcd_cluster=etcd_cluster):
                removed.add(etcd_cluster)
            case model.DeleteCluster(yes=True) | model.Terraform(verb="destroy"):
                # Nothing is left that a volume could be missed by.
                break
            case model.DeleteVolumes(verb="delete" | "retag") as command:
                says = _says_etcd(command, context)
                about_etcd = says or _may_be(command, step, context)
                if about_etcd and not _is_free(command, removed):
                    yield step, command, says


def _says_etcd(command: model.DeleteVolumes, context: Context) -> bool:
    """Whether the words say that a volume is etcd's, and that it is lost to it."""
    if command.verb == "retag" and not re.search(_TAGS, command.text):
        return False
    said = " ".join([command.text, command.note, *(w.shown for w in command.volumes)])
    groups = (group.name for group in context.after.control_plane)
    if re.search(_ETCD_VOLUME, said) or any(name in said for name in groups):
        return True
    # A volume called main may be anybody's; a pair of main and events is etcd's.
    return _etcd_cluster(command) in _PAIR and _pair_is_deleted(context)


_PAIR = {"main", "events"}


def _pair_is_deleted(context: Context) -> bool:
    """Whether the list deletes volumes that are called main, and such as events."""
    steps = context.simulation.steps if context.simulation is not None else ()
    called = {
        _etcd_cluster(step.command)
        for step in steps
        if isinstance(step.command, model.DeleteVolumes)
        and step.command.verb == "delete"
    }
    return called >= _PAIR


def _may_be(command: model.DeleteVolumes, step: Step, context: Context) -> bool:
    """Whether a volume to delete is called like what stays, or goes with a machine."""
    if context.simulation is None or command.verb != "delete":
        return False
    told = context.simulation.plan.told_machines(command.volumes)
    called = any(group.name in told for group in context.after.control_plane)
    return (
        called or _etcd_cluster(command) == "events" or _lost_its_machine(step, context)
    )


# A volume's id, or a variable that is called like one and says no more.
_NAMELESS = r"(?i)\W*(vol|volume|disk|ebs)[\W\d_]*(ids?)?\W*|vol-[0-9a-f]+"


def _lost_its_machine(step: Step, context: Context) -> bool:
    """Whether volumes without a name are deleted beside a machine that ran etcd."""
    command = step.command
    if not isinstance(command, model.DeleteVolumes) or not all(
        re.fullmatch(_NAMELESS, word.shown) for word in command.volumes
    ):
        return False
    earlier = context.simulation.steps[: step.number - 1] if context.simulation else ()
    return any(
        isinstance(other.command, model.StopInstances | model.DeleteInstance)
        and re.search(_ETCD_VOLUME, other.command.text)
        for other in earlier
    ) or any(
        situation.cloud.get(group.name) == 0
        for situation in step.before
        for group in situation.registry.control_plane
    )


def _etcd_cluster(command: Command) -> str | None:
    """The etcd cluster that a volume is of, if the command or its comment says so."""
    note = command.note if isinstance(command, model.DeleteVolumes) else ""
    return etcd_cluster_in(command.text) or etcd_cluster_in(note)


def _is_free(command: Command, removed: set[str | None]) -> bool:
    """Whether a member of the etcd cluster in question was removed before."""
    about = _etcd_cluster(command)
    return None in removed or (bool(removed) if about is None else about in removed)


def _volume_gone(context: Context, steps: list[Step], verb: str) -> Draft:
    first = steps[0].command
    restores = context.simulation is not None and any(
        isinstance(step.command, model.RestoreBackup)
        for step in context.simulation.steps
        if step.number > steps[0].number
    )
    some = "an etcd volume is" if len(steps) == 1 else "etcd volumes are"
    if verb == "retag":
        message = f"{some} re-tagged while the member is still registered in etcd"
        why = (
            "kops finds a volume by its Name and etcd-manager by its other tags. The "
            "next update creates a second, empty volume beside it, and the machine "
            "may mount either."
        )
        fix: tuple[str, ...] = ("# leave the tags of etcd volumes to kops",)
    else:
        message = f"{some} deleted while the member is still registered in etcd"
        why = (
            "The machine comes back with an empty disk under a name that etcd already "
            "has, and etcd does not let it in; only from kops 1.36 on, and in a "
            "healthy cluster of three or more, etcd-manager replaces it by itself."
        )
        fix = (
            "etcdctl member list  # in main and in events: the id of the member",
            "etcdctl member remove ID  # before its volume goes, in both",
        )
    places = [Location(step.command.span, "and this one") for step in steps[1:]]
    removal = _removal_that_mends(context, steps) if verb == "delete" else None
    if removal is not None:
        message += f", {meanwhile(steps[0], removal)}"
        why += f" Step {removal.number} removes the member, and it joins as a new one."
        places.append(Location(removal.command.span, "mended here"))
    return Draft(
        severity=Severity.WARNING if restores or removal is not None else None,
        message=message,
        why=why,
        locations=(Location(first.span, "no member was removed before this"), *places),
        subject=f"{verb}/{first.text}",
        etcd_cluster=only(_etcd_cluster(step.command) or "" for step in steps) or None,
        step=steps[0].number,
        fix=fix,
    )


def _removal_that_mends(context: Context, steps: list[Step]) -> Step | None:
    """The last removal of a member after ``steps``, if all is well in the end."""
    simulation = context.simulation
    for step in reversed(simulation.steps if simulation is not None else ()):
        if step.number < steps[-1].number:
            return None
        if isinstance(step.command, model.MemberRemove):
            mended = simulation is not None and is_mended(simulation, steps[0], step)
            return step if mended else None
    return None
