"""The volumes that etcd members live on: what of them cannot be changed.

Growing a volume and changing its type or speed is done in place and is no finding.
Source: kops upup/pkg/fi/cloudup/awstasks/ebsvolume.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed, meanwhile, only, sure
from kopslint.commands import model
from kopslint.commands.cloud_table import TAGS_OF_VOLUMES
from kopslint.commands.etcd import etcd_cluster_in
from kopslint.commands.kops import DeleteCluster, DeleteInstance
from kopslint.findings import Certainty, Location, Severity
from kopslint.model.properties.recovery import is_mended
from kopslint.syntax.yaml import Scalar, find, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import EtcdMember
    from kopslint.model.scenario import Scenario
    from kopslint.model.simulation import Step
    from kopslint.text import Span


# Source: kops pkg/model/master_volumes.go, DefaultEtcdVolumeSize.
_DEFAULT_SIZE = 20


def etcd_volume_shrunk(context: Context) -> Iterator[Draft]:
    """A volume that exists is to become smaller."""
    found = [
        (name, old, new, _size(old), _size(new))
        for name, old, new in pairs.members(context)
        if _size(new) < _size(old)
    ]
    for same in alike(found, lambda f: (f[3], f[4])):
        _, old, _, before, after = same[0]
        said = "" if find(old.node, "volumeSize") else " (the default)"
        changed = [(name, old, new) for name, old, new, _, _ in same]
        yield _of_members(
            context,
            changed,
            "volumeSize",
            message=f"{_volumes(changed)} cannot shrink from {before} to {after} GB",
            why="No cloud can shrink a disk. kops shows the change at every update"
            " and can never make it; the update may fail because of it.",
            labels=(f"{after} GB", f"{before} GB{said}"),
            subject=f"{before}/{after}",
            fix=(f"# leave volumeSize at {before} or more",),
        )


def etcd_volume_encryption_changed(context: Context) -> Iterator[Draft]:
    """The encryption of a volume that exists, or its key, is to change."""
    found = [
        (name, old, new, key, _value(old, key), _value(new, key))
        for name, old, new in pairs.members(context)
        for key in ("encryptedVolume", "kmsKeyId")
        if _value(old, key) != _value(new, key)
    ]
    # A key that comes or goes together with encryption is the same mistake.
    toggled = {(f[0], f[2].name) for f in found if f[3] == "encryptedVolume"}
    found = [
        f
        for f in found
        if f[3] == "encryptedVolume" or (f[0], f[2].name) not in toggled
    ]
    for same in alike(found, lambda f: f[3:]):
        _, _, _, key, before, after = same[0]
        changed = [(name, old, new) for name, old, new, *_ in same]
        what = "encryption" if key == "encryptedVolume" else "key"
        yield _of_members(
            context,
            changed,
            key,
            message=f"the {what} of {_volumes(changed)} cannot be changed: the "
            f"{'volume exists' if len(changed) == 1 else 'volumes exist'}",
            why="kops refuses it: 'Field cannot be changed'. Every update retries for"
            " ten minutes and fails; with terraform the volume is replaced by an"
            " empty one, and the member's data is lost.",
            labels=(f"{key}: {after}", f"{key}: {before}"),
            subject=f"{key}/{before}/{after}",
            fix=(f"# put {key} back; only a new member can have another value",),
        )


def _of_members(
    context: Context,
    changed: list[tuple[str, EtcdMember, EtcdMember]],
    key: str,
    *,
    message: str,
    why: str,
    labels: tuple[str, str],
    subject: str,
    fix: tuple[str, ...],
) -> Draft:
    name, old, new = changed[0]
    names = ",".join(sorted({f"{name}/{new.name}" for name, _, new in changed}))
    return Draft(
        message=message,
        why=why,
        locations=(
            Location(_place(new, key), f"{labels[0]} for {new.name} of {name}"),
            Location(_place(old, key), f"before: {labels[1]}"),
        ),
        subject=f"{names}/{subject}",
        certainty=sure(pairs.is_sure(context, [(n, m.name) for n, _, m in changed])),
        etcd_cluster=only(name for name, _, _ in changed),
        fix=fix,
    )


def _volumes(changed: list[tuple[str, EtcdMember, EtcdMember]]) -> str:
    members = list(dict.fromkeys(new.name for _, _, new in changed))
    clusters = list(dict.fromkeys(name for name, _, _ in changed))
    volumes = "volume" if len(changed) == 1 else "volumes"
    return f"the etcd {volumes} of {listed(members)} in {listed(clusters)}"


def _size(member: EtcdMember) -> int:
    node = find(member.node, "volumeSize")
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and value > 0 else _DEFAULT_SIZE


def _value(member: EtcdMember, key: str) -> str:
    """The value as kops takes it: without a value a volume is not encrypted."""
    said = text_at(member.node, _spelled(member, key))
    if key == "encryptedVolume":
        return "true" if said == "true" else "false"
    return said or "none"


def _place(member: EtcdMember, key: str) -> Span:
    """Where a field is, or else the name of the member that lacks it."""
    key = _spelled(member, key)
    return member.at("name" if find(member.node, key) is None else key)


def _spelled(member: EtcdMember, key: str) -> str:
    """The name of a field in v1alpha2, or in v1alpha3 where that one is used."""
    alpha3 = {"kmsKeyId": "kmsKeyID"}.get(key, key)
    return alpha3 if find(member.node, alpha3) is not None else key


# ------------------------------------------------------------------------------------
# The volumes that etcd members live on: what must not be deleted under them

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
    """The numbers of the steps that the rule about deleted volumes reports."""
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
            case model.MemberRemove(etcd_cluster=etcd_cluster) if (
                step.status != "refused"
            ):
                removed.add(etcd_cluster)
            case DeleteCluster(yes=True) | model.Terraform(verb="destroy"):
                # Nothing is left that a volume could be missed by.
                break
            case model.DeleteVolumes(verb="delete" | "retag") as command:
                says = _says_etcd(command, context)
                about_etcd = says or _may_be(command, step, context)
                if _was_no_member(command, step, context):
                    continue
                if about_etcd and not _is_free(command, removed):
                    yield step, command, says


def _says_etcd(command: model.DeleteVolumes, context: Context) -> bool:
    """Whether the words say that a volume is etcd's, and that it is lost to it."""
    if command.verb == "retag" and not re.search(TAGS_OF_VOLUMES, command.text):
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
    plan = context.simulation.plan
    told = plan.told_machines(command.volumes)
    called = any(group.name in told for group in context.after.control_plane)
    return (
        called
        or _is_any(command, plan)
        or _etcd_cluster(command) == "events"
        or _lost_its_machine(step, context)
    )


def _is_any(command: model.DeleteVolumes, plan: Scenario) -> bool:
    """Whether a volume may be anybody's, and so one of etcd."""
    if plan.meant_machines(command.volumes):
        return False
    workers = [g.name for g in plan.before.groups.values() if not g.is_control_plane]
    if any(
        re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", command.note) for w in workers
    ):
        return False
    return any(
        re.fullmatch(f"{_NAMELESS}|{_ONE_OF_MANY}", word.shown, re.DOTALL)
        and not plan.names_other_disks(word)
        for word in command.volumes
    )


# What a loop, `xargs` or a look-up gives.
_ONE_OF_MANY = r"\$\{?(?:[a-z]|id|line|item|REPLY)\}?|\{\}|standard input|\$\(.*|`.*"
# A volume's id, or a variable that is called like one and says no more.
_NAMELESS = r"(?i:\W*(vol|volume|disk|ebs)[\W\d_]*(ids?)?\W*)|vol-[0-9a-f]+"


def _lost_its_machine(step: Step, context: Context) -> bool:
    """Whether volumes without a name are deleted beside a machine that ran etcd."""
    command = step.command
    if not isinstance(command, model.DeleteVolumes) or not all(
        re.fullmatch(_NAMELESS, word.shown) for word in command.volumes
    ):
        return False
    earlier = context.simulation.steps[: step.number - 1] if context.simulation else ()
    return any(
        isinstance(other.command, model.StopInstances | DeleteInstance)
        and re.search(_ETCD_VOLUME, other.command.text)
        for other in earlier
    ) or any(
        state.cloud.get(group.name) == 0
        for state in step.before
        for group in state.registry.control_plane
    )


def _etcd_cluster(command: Command) -> str | None:
    """The etcd cluster that a volume is of, if the command or its comment says so."""
    note = command.note if isinstance(command, model.DeleteVolumes) else ""
    return etcd_cluster_in(command.text) or etcd_cluster_in(note)


def _is_free(command: Command, removed: set[str | None]) -> bool:
    """Whether a member of the etcd cluster in question was removed before."""
    about = _etcd_cluster(command)
    return None in removed or (bool(removed) if about is None else about in removed)


def _was_no_member(command: model.DeleteVolumes, step: Step, context: Context) -> bool:
    """Whether nobody who was seen registered has the volume, expelled as they are.

    Measured: machines of expelled members come back empty, and are added anew.
    """
    plan = context.simulation.plan if context.simulation is not None else None
    groups = plan.told_machines(command.volumes) if plan is not None else ()
    if context.observed is None or not groups:
        return False
    about = _etcd_cluster(command)
    return not any(
        each.names[state_set.index(member)].listed
        for state in step.before
        for name, state_set in state.etcd.items()
        if about in (None, name)
        for group in groups
        for member in state.machines.on(name, group)
        for each in state_set.states
    )


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
            "kops finds a volume by its Name tag, etcd-manager by the other tags. The"
            " next update creates a second, empty volume, and the machine may mount"
            " either."
        )
        fix: tuple[str, ...] = ("# leave the tags of etcd volumes alone",)
    else:
        message = f"{some} deleted while the member is still registered in etcd"
        why = (
            "The machine comes back with an empty disk under a name that etcd already"
            " knows, and etcd does not let it join; only from kops 1.36 on, in a"
            " healthy cluster of three or more, etcd-manager replaces it by itself."
        )
        fix = (
            "etcdctl member list  # in main and in events: shows the member's id",
            "etcdctl member remove ID  # in both, before its volume is deleted",
        )
    places = [Location(step.command.span, "and this one") for step in steps[1:]]
    removal = _removal_that_mends(context, steps) if verb == "delete" else None
    if removal is not None:
        message += f", {meanwhile(steps[0], removal)}"
        why += f" Step {removal.number} removes the member, and it joins as a new one."
        places.append(Location(removal.command.span, "fixed here"))
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
