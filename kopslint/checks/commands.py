"""The command list itself: what kops refuses, and what does nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, sure
from kopslint.commands import model
from kopslint.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.commands.command import Command
    from kopslint.kops.refusals import Refusal
    from kopslint.simulate.record import Simulation, Step


def refused_command(context: Context) -> Iterator[Draft]:
    """A command that kops, etcd or its tool refuses to run; each reason once."""
    yield from _refused(context, lambda refusal: refusal.kind != "missing-object")


def replace_without_force(context: Context) -> Iterator[Draft]:
    """``replace`` of an object that is not in the state store yet."""
    yield from _refused(context, lambda refusal: refusal.kind == "missing-object")


def _refused(context: Context, wanted: Callable[[Refusal], bool]) -> Iterator[Draft]:
    if context.simulation is None:
        return
    seen: set[tuple[str, str]] = set()
    for step in context.simulation.steps:
        new = [r for r in step.refusals if wanted(r) and _matters(r, step)]
        new = [r for r in new if _reason(r) not in seen]
        seen.update(map(_reason, new))
        if new:
            yield _refusal(context, context.simulation, step, new)


def _reason(refusal: Refusal) -> tuple[str, str]:
    """What makes two refusals the same: groups of one wrong size are one mistake."""
    one = refusal.kind == "control-plane-size"
    return refusal.kind, "" if one else refusal.about


def _matters(refusal: Refusal, step: Step) -> bool:
    """Whether a refusal is news: a failed validation is, if it must fail."""
    if refusal.kind != "not-in-cloud":
        return True
    return step.status == "refused"


def _refusal(
    context: Context, simulation: Simulation, step: Step, refusals: list[Refusal]
) -> Draft:
    first = refusals[0]
    who = "etcd" if first.kind == "etcd" else _program(step.command)
    certain = (
        all(
            any(again.kind == first.kind for again in result.refusals)
            for result in step.results
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
    weak = who == "etcd" or first.kind == "unknown-group"
    if first.kind == "not-in-cloud" or (weak and not certain):
        severity = Severity.WARNING
    after = (
        "nothing of it takes effect, and the list stops here"
        if stops
        else ("nothing of it takes effect, and the list goes on as if it had")
    )
    return Draft(
        severity=severity,
        message=f"{says}: {first.message}",
        why=_REASONS.get(first.kind, "") or f"The command ends with an error: {after}.",
        locations=(Location(step.command.span, "refused"), *places),
        subject=f"{first.kind}/{first.about}",
        certainty=sure(certain),
        step=step.number,
        fix=_repair(first, step, context),
    )


def _is_refused(step: Step, refusal: Refusal) -> bool:
    return any(_reason(again) == _reason(refusal) for again in step.refusals)


def _program(command: Command) -> str:
    """The program that reads the command line, and refuses one that it cannot read."""
    if isinstance(command, model.MemberAdd | model.MemberRemove):
        return "etcdctl"
    return "etcd-manager-ctl" if isinstance(command, model.RestoreBackup) else "kops"


def _is_guessed(refusal: Refusal, step: Step) -> bool:
    """Whether a refusal rests on what files that nobody has were taken to hold."""
    of_registry = refusal.kind not in ("command-line", "etcd")
    return of_registry and any(after.guessed for after in step.after)


_REASONS = {
    "group-without-member": "kops compares control-plane groups with etcd members "
    "whenever it validates the whole cluster. While the group exists its member "
    "cannot leave the spec this way; only 'replace -f' does not ask.",
    "missing-group": "The spec in the state store lists a member whose group is not "
    "there. Every update fails, dry run or not, until the member is out of the spec or "
    "the group is in the state store.",
    "missing-object": "'kops replace' overwrites what the state store has; it creates "
    "what is new only with --force, and keeps what it has stored before the error.",
    "even-members": "kops takes an odd number of members only. Add or remove two in "
    "one edit.",
    "not-in-cloud": "As long as the cluster does not validate, a roll does not start, "
    "or stops half-way.",
}


def _repair(refusal: Refusal, step: Step, context: Context) -> tuple[str, ...]:
    """What makes kops accept the command, as far as the spec after does."""
    storing = context.storing(context.after)
    kept = refusal.about in context.after.groups
    listed = [etcd.member_of(refusal.about) for etcd in context.after.etcd_clusters]
    match refusal.kind:
        case "missing-object":
            return (f"{step.command.text} --force",)
        case "missing-group" if kept:
            return (f"{storing}  # creates {refusal.about}, before this",)
        case "missing-group" if not any(listed):
            return (f"{storing}  # the spec without the member, before this",)
        case "group-without-member" if kept and all(listed):
            return (f"{storing}  # lists its member, before this",)
        case "group-without-member" if not kept:
            return context.planning
    return ()


def forgotten_yes(context: Context) -> Iterator[Draft]:
    """A command that only previews, and nothing in the list does it for real."""
    simulation = context.simulation
    if simulation is None:
        return
    for step in simulation.steps:
        command = step.command
        if _previews(command) and not _done_later(simulation, step):
            if not _pending(step) or step.status == "refused":
                continue
            later = [s for s in simulation.steps if s.number > step.number]
            relying = [s for s in later if isinstance(s.command, _relies_on(command))]
            places = [Location(s.command.span, "relies on it") for s in relying[:1]]
            yield Draft(
                message=f"without --yes this changes nothing: {command.text}",
                why="kops prints what it would do and exits with 0, so a script goes "
                "on as if it were done.",
                locations=(Location(command.span, "a preview"), *places),
                subject=command.text,
                step=step.number,
                fix=(f"{command.text} {_earnestly(command)}",),
            )


def _earnestly(command: Command) -> str:
    """What is missing: where files are to be written, they are for terraform."""
    files = isinstance(command, model.UpdateCluster) and command.target is None
    if files and re.search(r"\s--out\b", command.text):
        return "--target terraform"
    return "--yes"


_YES = (
    model.UpdateCluster,
    model.RollingUpdate,
    model.Reconcile,
    model.UpgradeCluster,
    model.DeleteFromFile,
    model.DeleteInstance,
    model.DeleteCluster,
)


def _previews(command: Command) -> bool:
    if isinstance(command, model.UpdateCluster) and command.target is not None:
        return not command.yes and command.target.text == "direct"
    return isinstance(command, _YES) and not command.yes


def _done_later(simulation: Simulation, step: Step) -> bool:
    """Whether the list goes on to do what was previewed."""
    kinds: tuple[type[Command], ...] = (type(step.command),)
    if isinstance(step.command, model.UpdateCluster | model.RollingUpdate):
        kinds = (*kinds, model.Reconcile)
    return any(
        isinstance(other.command, kinds) and not _previews(other.command)
        for other in simulation.steps[step.number :]
    )


def _relies_on(command: Command) -> tuple[type[Command], ...]:
    if isinstance(command, model.UpdateCluster):
        return (model.RollingUpdate, model.Validate, model.Terraform)
    if isinstance(command, model.UpgradeCluster):
        return (model.UpdateCluster, model.Reconcile)
    return ()


def _pending(step: Step) -> bool:
    """Whether there is anything that the command would have done."""
    return any(
        situation.registry is not situation.applied for situation in step.before
    ) or not isinstance(step.command, model.UpdateCluster)


def other_cluster_named(context: Context) -> Iterator[Draft]:
    """A command names a cluster that is none of those in the inputs."""
    followed = {
        id(s.command) for s in (context.simulation.steps if context.simulation else ())
    }
    for command in context.misnamed:
        if command.cluster is None:
            continue
        taken = id(command) in followed
        yield Draft(
            message=f"this is about cluster {command.cluster.text}, and the spec is "
            f"about {context.cluster}",
            why="Taken to mean the cluster of the spec, since no other is named."
            if taken
            else "The rest of the list names the cluster of the spec, so this command "
            "is taken to be about another one and changes nothing here.",
            locations=(
                Location(command.cluster.span, "another name"),
                Location(
                    context.after.cluster.at("metadata", "name"), "the spec's name"
                ),
            )
            if context.after.cluster is not None
            else (Location(command.cluster.span, "another name"),),
            subject=f"{command.cluster.text}/{command.text}",
        )
        if taken:
            return
