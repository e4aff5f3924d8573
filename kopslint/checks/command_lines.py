"""Single command lines that do not do what they look like, or not all of it.

Commands that kops refuses are found by the simulation.
"""

from __future__ import annotations

import re
from itertools import dropwhile
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, alike, listed, sure
from kopslint.commands import model
from kopslint.commands.kops import (
    CreateCluster,
    CreateFromFile,
    CreateInstanceGroup,
    DeleteCluster,
    DeleteFromFile,
    DeleteInstance,
    DeleteInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    Reconcile,
    Replace,
    RollingUpdate,
    UpdateCluster,
    UpgradeCluster,
    Validate,
)
from kopslint.findings import Location, Severity
from kopslint.kops.clouds import cloud_named
from kopslint.model.properties.teardown import deletes_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.rejection import Rejection
    from kopslint.model.addresses import Misnamed
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState
    from kopslint.shell.ast import Word
    from kopslint.text import Span


def delete_is_no_preview(context: Context) -> Iterator[Draft]:
    """``delete ig`` without ``--yes`` is taken for the preview that it is not."""
    for step in context.simulation.steps if context.simulation is not None else ():
        command = step.command
        if not isinstance(command, DeleteInstanceGroup) or command.yes:
            continue
        if step.status == "refused" or _is_of_this_list(command.group, context):
            continue
        name = command.group.shown if command.group is not None else "the group"
        yield Draft(
            message=f"this is no preview: kops asks once, then deletes {name} at once",
            why="Unlike update and rolling-update, 'delete ig' shows nothing first."
            " Answer yes, and the machines are terminated at once, without a"
            " drain; in a script nobody answers, and nothing is deleted.",
            locations=(Location(command.span, "a question, not a dry run"),),
            subject=name,
            step=step.number,
            fix=(
                (
                    "kubectl drain NODE --ignore-daemonsets --delete-emptydir-data"
                    f"  # every node of {name}"
                ),
                f"kops delete ig {name} --name {context.cluster} --yes",
            ),
        )


def _is_of_this_list(group: Word | None, context: Context) -> bool:
    """Whether a group is made by the list itself, so that nobody misses it."""
    simulation = context.simulation
    return (
        simulation is not None
        and group is not None
        and group.text is not None
        and group.text not in simulation.start.registry.groups
    )


STORES = (
    CreateFromFile,
    CreateInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    Replace,
    UpgradeCluster,
)
"""The commands that write a spec to the state store."""

_APPLIES = (
    CreateCluster,
    DeleteCluster,
    Reconcile,
    model.Terraform,
    model.Unreadable,
)


def stored_never_applied(context: Context) -> Iterator[Draft]:
    """The list stores a change, and no command after it applies anything."""
    simulation = context.simulation
    if simulation is None:
        return
    wrote = [
        step
        for step in simulation.steps
        if isinstance(step.command, STORES) and step.status == "applied"
    ]
    if not wrote or not simulation.final:
        return
    last = wrote[-1]
    # What cannot be read, such as a script of one's own, may be what applies it.
    rest = dropwhile(lambda c: c is not last.command, simulation.plan.commands)
    later = list(rest)
    if any(isinstance(c, _APPLIES) or _may_apply(c) for c in later):
        return
    if any(deletes_cluster(c, simulation.plan) for c in later):
        return
    pending = set.intersection(*(_never_applied(final) for final in simulation.final))
    if not pending:
        return
    what = f"{listed(sorted(pending))} {'is' if len(pending) == 1 else 'are'}"
    subject = ",".join(sorted(pending))
    partly = [c for c in later if isinstance(c, UpdateCluster) and c.leaves_machines]
    while later and not _writes_terraform(later[0]):
        later.pop(0)
    if later:
        # Terraform is often run elsewhere; not if the list counts on what it did.
        counts = (RollingUpdate, Validate)
        elsewhere = not any(isinstance(command, counts) for command in later)
        yield Draft(
            severity=Severity.INFO if elsewhere else None,
            message=f"{what} written for terraform but never applied",
            why="kops only writes files for terraform; until they are applied, the"
            " cloud and etcd-manager see none of it.",
            locations=(
                Location(later[0].span, "no terraform apply comes after this"),
                Location(last.command.span, "stored here"),
            ),
            subject=subject,
            step=last.number,
            fix=("terraform plan", "terraform apply"),
        )
        return
    yield Draft(
        message=f"{what} stored but never applied",
        why="This only writes to the state store. The cloud and etcd-manager see"
        " nothing of it until an update, and the next update applies it, whoever"
        " runs it.",
        locations=(
            Location(
                last.command.span,
                f"no {'whole ' if partly else ''}update comes after this",
            ),
            *(
                Location(c.span, "this phase does not touch machines or etcd")
                for c in partly
            ),
        ),
        subject=subject,
        step=last.number,
        fix=(
            f"kops update cluster {context.cluster}",
            f"kops update cluster {context.cluster} --yes",
        ),
    )


def _writes_terraform(command: Command) -> bool:
    return (
        isinstance(command, UpdateCluster)
        and command.target is not None
        and command.target.shown == "terraform"
    )


def _may_apply(command: Command) -> bool:
    """Whether it is an update of the machines, or the preview of one."""
    return (
        isinstance(command, UpdateCluster)
        and not _writes_terraform(command)
        and not command.leaves_machines
    )


def _never_applied(state: ClusterState) -> set[str]:
    """What the state store has and the cloud was not brought to."""
    registry, applied = state.registry, state.applied
    found = {
        f"group {name}"
        for name, group in registry.groups.items()
        if applied.groups.get(name) is not group
    }
    if registry.cluster is not applied.cluster:
        found.add("the Cluster")
    return found


def command_does_nothing(context: Context) -> Iterator[Draft]:
    """A command line does nothing, or something else than it says.

    Where a step of the simulation is refused, the rule about refusals reports it.
    """
    simulation = context.simulation
    if simulation is None:
        return
    yield from _completed_spec_stored(simulation)
    yield from _machines_left(simulation)
    numbers = {id(step.command): step.number for step in simulation.steps}
    unreached = {id(command) for command in simulation.skipped}
    for command in simulation.plan.commands:
        for problem in command.problems if id(command) not in unreached else ():
            if not problem.harmless and id(command) in numbers:
                continue
            lost = not problem.harmless and problem.kind in _NO_COMMAND
            yield Draft(
                severity=Severity.ERROR if lost else None,
                message=problem.message,
                why=_why(problem),
                locations=(Location(problem.span, "nothing is done"),),
                subject=f"{problem.kind}/{command.text}",
                step=numbers.get(id(command)),
                fix=_instead(command, problem),
            )


def _machines_left(simulation: Simulation) -> Iterator[Draft]:
    """``delete ig`` where kops finds no machines: only the object goes.

    Source: kops upup/pkg/fi/cloudup/linode/cloud.go, ``GetCloudGroups`` is empty.
    """
    for step in simulation.steps:
        if not isinstance(step.command, DeleteInstanceGroup):
            continue
        cloud = cloud_named(next((s.registry.cloud for s in step.before), None))
        if cloud is None or not cloud.leaves_machines or step.status == "refused":
            continue
        gone = [
            {name for name in state.registry.groups if state.cloud.get(name, 0) > 0}
            - {name for after in step.after for name in after.registry.groups}
            for state in step.before
        ]
        for name in sorted(set.union(*gone)):
            yield Draft(
                message=f"this deletes only the object {name}: on {cloud.name} kops"
                " does not find a group's machines, and its machine keeps running",
                why="kops lists no groups in this cloud, deletes the object in the"
                " state store and exits with 0. The machine keeps running with"
                " its kubelet and, on a control plane, its etcd and etcd-manager,"
                " which joins again after its member is removed.",
                locations=(Location(step.command.span, "its machine keeps running"),),
                subject=f"machine/{name}",
                step=step.number,
                fix=(f"# first delete the machine of {name} with {cloud.program}",),
            )


# A field of an object, as kops set takes it.
_FIELD = r"['\"]?(\w+\.)?(spec|metadata)\."


def _instead(command: Command, problem: Rejection) -> tuple[str, ...]:
    """What to run instead; of ``kops set`` with all that it was given.

    Source: kops docs/cli/kops_edit_cluster.md, where every item of a list is ``[*]``.
    """
    words = command.text.split()
    if not problem.hint:
        return ()
    fields = [word for word in words if re.match(_FIELD, word)]
    if words[:2] != ["kops", "set"] or not fields:
        return (problem.hint,)
    edit = [problem.hint.removesuffix(" --set")]
    edit += [word for word in words[3:] if word not in fields]
    for field in fields:
        path = field.strip("'\"").replace("[]", "[*]")
        edit.append(f"--set '{path}'" if "[" in path else f"--set {path}")
    return (" ".join(edit),)


_FULL = r"\bget\b.*\s--full(?:=true)?(?:\s|$)"
_INTO = r"--full[^>|;&]*(?:\|\s*tee|>)\s*[\"']?(?P<file>[^\s;|&\"']+)|\|.*\bkops\s"


def _completed_spec_stored(simulation: Simulation) -> Iterator[Draft]:
    """What ``kops get --full`` prints is stored as if somebody had asked for it."""
    printed: dict[str, Command] = {}
    for command in simulation.plan.commands:
        span = command.span
        if isinstance(command, model.Reads) and re.search(_FULL, command.text):
            if into := re.search(_INTO, _logical_line(span)):
                printed[into["file"] or "-"] = command
        elif isinstance(command, Replace | CreateFromFile):
            for word in command.files:
                source = printed.pop(word.shown, None)
                if source is None:
                    continue
                yield Draft(
                    message="a spec with all defaults filled in is stored",
                    why="With --full kops prints every value that it worked out"
                    " itself. Once stored they count as your choice, and a later"
                    " release no longer picks its own defaults.",
                    locations=(
                        Location(span, "stored here"),
                        Location(source.span, "printed here"),
                    ),
                    subject=f"full/{word.shown}",
                    fix=(source.text.replace(" --full", ""),),
                )


def _logical_line(span: Span) -> str:
    """What is written from a place on, with the lines in which the line goes on."""
    number = span.line
    line = span.source.line(number)[span.column - 1 :]
    while line.endswith("\\"):
        number += 1
        line = f"{line[:-1]} {span.source.line(number)}"
    return line


_EDITOR = r"\b(KUBE_)?EDITOR="


def editor_without_terminal(context: Context) -> Iterator[Draft]:
    """A pipeline opens an editor, and nobody is there to type."""
    if context.simulation is None:
        return
    from kopslint.notations.command_list import notation_of

    for step in context.simulation.steps:
        command, source = step.command, step.command.span.source
        if notation_of(source) not in ("workflow", "jenkins"):
            continue
        match command:
            case EditCluster(sets=(), unsets=()):
                pass
            case EditInstanceGroup(sets=(), unsets=()):
                pass
            case CreateInstanceGroup(edit=True, dry_run=False):
                pass
            case _:
                continue
        if re.search(_EDITOR, source.text):
            continue
        creates = isinstance(command, CreateInstanceGroup)
        yield Draft(
            message="this opens an editor, but a pipeline has no terminal",
            why="kops starts $EDITOR (vi by default) and stores the result. In a job"
            " it fails, waits forever, or stores the object unchanged.",
            locations=(Location(command.span, "nobody types here"),),
            subject=command.text,
            step=step.number,
            fix=(f"{command.text} --edit=false",)
            if creates
            else (
                "kops replace -f FILE  # instead: the spec from the repository",
                f"{command.text} --set PATH=VALUE  # or each field by name",
            ),
        )


_NO_COMMAND = ("unknown-command", "missing-argument")


def _why(problem: Rejection) -> str:
    if problem.kind == "removed-command":
        return (
            "Current releases of kops answer with an error. Older ones have the"
            " command, but their 'set' does not change lists such as etcdClusters."
        )
    if not problem.harmless:
        return "kops exits with an error and does nothing."
    return (
        "kops prints its help and exits with 0, so a script continues as if it had"
        " worked."
    )


# ------------------------------------------------------------------------------------
# The command list itself: what kops refuses, and what does nothing


def refused_command(context: Context) -> Iterator[Draft]:
    """A command that kops, etcd or its tool refuses to run; each reason once."""
    yield from _refused(context, lambda refusal: refusal.kind != "missing-object")


def replace_without_force(context: Context) -> Iterator[Draft]:
    """``replace`` of an object that is not in the state store yet."""
    yield from _refused(context, lambda refusal: refusal.kind == "missing-object")


def _refused(context: Context, wanted: Callable[[Rejection], bool]) -> Iterator[Draft]:
    if context.simulation is None:
        return
    seen: set[tuple[str, str]] = set()
    for step in context.simulation.steps:
        new = [
            r
            for r in step.refusals
            if wanted(r) and _matters(r, step) and not _is_of_after(r, context)
        ]
        new = [r for r in new if _reason(r) not in seen]
        seen.update(map(_reason, new))
        if new:
            yield _refusal(context, context.simulation, step, new)


def _is_of_after(refusal: Rejection, context: Context) -> bool:
    """Whether a refusal is reported at the object: it is of the spec after itself."""
    if not refusal.is_of_spec:
        return False
    from kopslint.checks.validation import places_refused

    return any(span in places_refused(context) for span, _ in refusal.places[:1])


def _reason(refusal: Rejection) -> tuple[str, str]:
    """What makes two refusals the same: groups of one wrong size are one mistake."""
    if refusal.kind == "control-plane-size":
        return refusal.kind, ""
    return _subject(refusal)


# What a finding about a rejection is known by: baselines keep it.
_SUBJECTS = {
    "command line": "command-line",
    "decoder": "spec",
    "validation": "spec",
    "etcd": "etcd",
}


def _subject(refusal: Rejection) -> tuple[str, str]:
    what = {"validation": refusal.path, "decoder": refusal.message}.get(refusal.by)
    about = f"{refusal.about}/{what}" if what else refusal.about
    return _SUBJECTS.get(refusal.by, refusal.kind), about


def _matters(refusal: Rejection, step: Step) -> bool:
    """Whether a refusal is news: a failed validation is, if it must fail."""
    if refusal.kind != "not-in-cloud":
        return True
    return step.status == "refused"


def _refusal(
    context: Context, simulation: Simulation, step: Step, refusals: list[Rejection]
) -> Draft:
    first = refusals[0]
    who = "etcd" if first.by == "etcd" else _program(step.command)
    certain = (
        all(
            any(again.kind == first.kind for again in result.refusals)
            for result in step.expected
        )
        and step.status == "refused"
        and not _is_guessed(first, step)
    )
    stops = [
        s.ended for s in simulation.final if s.ended and s.ended.step == step.number
    ]
    places = [
        Location(span, label)
        for refusal in refusals[:1]
        for span, label in refusal.places
        if span != step.command.span
    ]
    if first.kind == "control-plane-size":
        again = [s for s in simulation.steps[step.number :] if _is_refused(s, first)]
        places += [Location(other.command.span, "refused too") for other in again[:3]]
    if stops and simulation.skipped:
        unreached, *others = simulation.skipped
        more = f", nor do {len(others)} more" if others else ""
        places.append(Location(unreached.span, f"never runs{more}"))
    says = "this fails" if first.kind == "not-in-cloud" else f"{who} refuses this"
    severity = None
    weak = who == "etcd" or first.kind in ("unknown-group", "no-group-deletion")
    if first.kind == "not-in-cloud" or (weak and not certain):
        severity = Severity.WARNING
    after = (
        "it has no effect, and the list stops here"
        if stops
        else "it has no effect, and the commands after it still run"
    )
    return Draft(
        severity=severity,
        message=f"{says}: {first.message}",
        why=_REASONS.get(first.kind, "") or f"The command ends with an error: {after}.",
        locations=(Location(step.command.span, "refused"), *places),
        subject="/".join(_subject(first)),
        certainty=sure(certain),
        step=step.number,
        fix=_repair(first, step, context),
    )


def _is_refused(step: Step, refusal: Rejection) -> bool:
    return any(_reason(again) == _reason(refusal) for again in step.refusals)


def _program(command: Command) -> str:
    """The program that reads the command line, and refuses one that it cannot read."""
    if isinstance(command, model.MemberAdd | model.MemberRemove):
        return "etcdctl"
    return "etcd-manager-ctl" if isinstance(command, model.RestoreBackup) else "kops"


def _is_guessed(refusal: Rejection, step: Step) -> bool:
    """Whether a refusal rests on what files that nobody has were taken to hold."""
    of_registry = refusal.by not in ("command line", "etcd")
    return of_registry and any(after.guessed for after in step.after)


_REASONS = {
    "group-without-member": "kops compares control-plane groups with etcd members"
    " whenever it validates the whole cluster. While the group exists its member"
    " cannot leave the spec this way; only 'replace -f' does not check this.",
    "missing-group": "The spec in the state store lists a member whose group does not"
    " exist. Every update fails, dry run or not, until the member is out of the spec"
    " or the group is in the state store.",
    "missing-object": "'kops replace' overwrites objects that exist and creates new"
    " ones only with --force; what it stored before the error stays stored.",
    "even-members": "kops accepts only an odd number of members. Add or remove two in"
    " one edit.",
    "no-group-deletion": "kops cannot do this in this cloud and fails before anything"
    " is deleted: the machine keeps running, the object stays in the state store, and"
    " a member that was already removed from etcd is missing, or joins again.",
    "not-in-cloud": "While the cluster does not validate, a roll does not start, or"
    " stops half-way.",
}


def _repair(refusal: Rejection, step: Step, context: Context) -> tuple[str, ...]:
    """What makes kops accept the command, as far as the spec after does."""
    storing = context.storing(context.after)
    kept = refusal.about in context.after.groups
    listed = [etcd.member_of(refusal.about) for etcd in context.after.etcd_clusters]
    match refusal.kind:
        case "missing-object":
            return (f"{step.command.text} --force",)
        case "no-group-deletion":
            return _group_by_hand(refusal.about, context)
        case "missing-group" if kept:
            return (f"{storing}  # creates {refusal.about}, before this",)
        case "missing-group" if not any(listed):
            return (f"{storing}  # the spec without the member, before this",)
        case "group-without-member" if kept and all(listed):
            return (f"{storing}  # lists its member, before this",)
        case "group-without-member" if not kept:
            return context.planning
    return ()


def _group_by_hand(group: str, context: Context) -> tuple[str, ...]:
    """What takes a group away where kops cannot: its machines first, by the cloud."""
    cloud = cloud_named((context.before or context.after).cloud)
    if cloud is None or cloud.program is None or cloud.lists_empty_groups:
        return (f"# kops cannot delete {group} here: keep the group",)
    return (
        f"# delete the machines of {group} with {cloud.program} first:",
        "# when kops finds none, it deletes only the object",
    )


def forgotten_yes(context: Context) -> Iterator[Draft]:
    """A command that only previews, and nothing in the list does it for real."""
    simulation = context.simulation
    if simulation is None:
        return
    for step in simulation.steps:
        command = step.command
        if _previews(command) and not _done_later(simulation, step):
            if not _asks_for_yes(step, simulation) or step.status == "refused":
                continue
            later = [s for s in simulation.steps if s.number > step.number]
            relying = [s for s in later if isinstance(s.command, _relies_on(command))]
            places = [Location(s.command.span, "relies on it") for s in relying[:1]]
            yield Draft(
                message=f"without --yes this changes nothing: {command.text}",
                why="kops prints what it would do and exits with 0, so a script"
                " continues as if it had worked.",
                locations=(Location(command.span, "a preview"), *places),
                subject=command.text,
                step=step.number,
                fix=(f"{command.text} {_earnestly(command)}",),
            )


def _earnestly(command: Command) -> str:
    """What is missing: where files are to be written, they are for terraform."""
    files = isinstance(command, UpdateCluster) and command.target is None
    if files and re.search(r"\s--out\b", command.text):
        return "--target terraform"
    return "--yes"


_YES = (
    UpdateCluster,
    RollingUpdate,
    Reconcile,
    UpgradeCluster,
    DeleteFromFile,
    DeleteInstance,
    DeleteCluster,
)


def _previews(command: Command) -> bool:
    if isinstance(command, UpdateCluster) and command.target is not None:
        return not command.yes and command.target.text == "direct"
    return isinstance(command, _YES) and not command.yes


def _done_later(simulation: Simulation, step: Step) -> bool:
    """Whether the list goes on to do what was previewed, on whichever branch."""
    kinds: tuple[type[Command], ...] = (type(step.command),)
    if isinstance(step.command, UpdateCluster | RollingUpdate):
        kinds = (*kinds, Reconcile)
    return any(
        isinstance(other.command, kinds)
        and not _previews(other.command)
        and (other.number > step.number or _stands_from(other, step))
        for other in simulation.steps
    )


def _stands_from(step: Step, other: Step) -> bool:
    """Whether a step is written below another in one file, or is it with other words.

    A switch that leaves ``--yes`` out is there to look first.
    """
    mine, its = step.command.span, other.command.span
    return mine.source is its.source and mine.order >= its.order


def _relies_on(command: Command) -> tuple[type[Command], ...]:
    if isinstance(command, UpdateCluster):
        return (RollingUpdate, Validate, model.Terraform)
    if isinstance(command, UpgradeCluster):
        return (UpdateCluster, Reconcile)
    return ()


def _asks_for_yes(step: Step, simulation: Simulation) -> bool:
    """Whether there is anything that the command would have done.

    A list that changes nothing at all and looks at what a roll would do is a look.
    """
    if isinstance(step.command, RollingUpdate) and not any(
        other.command.meaning.planes and not _previews(other.command)
        for other in simulation.steps
    ):
        return False
    return any(
        state.registry is not state.applied for state in step.before
    ) or not isinstance(step.command, UpdateCluster)


def _by_word(found: Misnamed) -> object:
    """A context is reported once, however often it stands in a list."""
    named = found.command.cluster is not None
    return found.word.span if named else found.word.shown


def other_cluster_named(context: Context) -> Iterator[Draft]:
    """A command is about a cluster that is none of those in the inputs."""
    spec = context.after.cluster
    for same in alike(context.misnamed, _by_word):
        found = same[0]
        named = found.command.cluster is not None
        places = [Location(found.word.span, "another name")]
        if spec is not None:
            places.append(Location(spec.at("metadata", "name"), "the spec's name"))
        yield Draft(
            message=f"this is about cluster {found.cluster}, but the spec is about"
            f" {context.cluster}"
            if named
            else f"{found.word.shown} is not cluster {context.cluster}",
            why="kops accepts no name without a dot, so this is assumed to mean this"
            " cluster."
            if named and "." not in found.cluster
            else "It affects only that cluster, so the rest of the list is checked"
            " without it."
            if named
            else "kops names the kubectl context after the cluster, and this name"
            " looks different. It is assumed to change nothing here; if it is"
            " this cluster, name the context after it.",
            locations=tuple(places),
            subject=f"{found.cluster}/{found.command.text}",
        )
