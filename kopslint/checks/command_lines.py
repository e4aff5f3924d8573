"""Single command lines that do not do what they look like, or not all of it.

What kops refuses is no business of this module: the simulation says that.
"""

from __future__ import annotations

import re
from itertools import dropwhile
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, listed
from kopslint.checks.teardown import deletes_cluster
from kopslint.commands import model
from kopslint.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.command import Command, Problem
    from kopslint.simulate.record import Simulation
    from kopslint.simulate.situation import Situation
    from kopslint.syntax.script import Word


def delete_is_no_preview(context: Context) -> Iterator[Draft]:
    """``delete ig`` without ``--yes`` is taken for the preview that it is not."""
    for step in context.simulation.steps if context.simulation is not None else ():
        command = step.command
        if not isinstance(command, model.DeleteInstanceGroup) or command.yes:
            continue
        if step.status == "refused" or _is_of_this_list(command.group, context):
            continue
        name = command.group.shown if command.group is not None else "the group"
        yield Draft(
            message=f"this asks once and then deletes {name} at once: it is no preview",
            why="Unlike update and rolling-update, 'delete ig' shows nothing first. "
            "Whoever answers yes loses the machines at once and without a drain; in a "
            "script nobody answers, and nothing is deleted.",
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
    model.CreateFromFile,
    model.CreateInstanceGroup,
    model.EditCluster,
    model.EditInstanceGroup,
    model.Replace,
    model.UpgradeCluster,
)
"""The commands that write a spec to the state store."""

_APPLIES = (
    model.CreateCluster,
    model.DeleteCluster,
    model.Reconcile,
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
    pending = set.intersection(*(_pending(final) for final in simulation.final))
    if not pending:
        return
    what = f"{listed(sorted(pending))} {'is' if len(pending) == 1 else 'are'}"
    subject = ",".join(sorted(pending))
    partly = [
        c for c in later if isinstance(c, model.UpdateCluster) and c.leaves_machines
    ]
    while later and not _writes_terraform(later[0]):
        later.pop(0)
    if later:
        # Terraform is often run elsewhere; not if the list counts on what it did.
        counts = (model.RollingUpdate, model.Validate)
        elsewhere = not any(isinstance(command, counts) for command in later)
        yield Draft(
            severity=Severity.INFO if elsewhere else None,
            message=f"{what} written for terraform and never applied",
            why="kops only writes files for terraform; until they are applied, neither "
            "the cloud nor etcd-manager sees any of it.",
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
        message=f"{what} stored and never applied",
        why="This only writes to the state store. Neither the cloud nor etcd-manager "
        "sees it before an update, and the next update, whoever runs it, applies it.",
        locations=(
            Location(
                last.command.span,
                f"no {'whole ' if partly else ''}update comes after this",
            ),
            *(
                Location(c.span, "this phase leaves machines and etcd alone")
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
        isinstance(command, model.UpdateCluster)
        and command.target is not None
        and command.target.shown == "terraform"
    )


def _may_apply(command: Command) -> bool:
    """Whether it is an update of the machines, or the preview of one."""
    return (
        isinstance(command, model.UpdateCluster)
        and not _writes_terraform(command)
        and not command.leaves_machines
    )


def _pending(situation: Situation) -> set[str]:
    """What the state store has and the cloud was not brought to."""
    registry, applied = situation.registry, situation.applied
    found = {
        f"group {name}"
        for name, group in registry.groups.items()
        if applied.groups.get(name) is not group
    }
    if registry.cluster is not applied.cluster:
        found.add("the Cluster")
    return found


def faulty_command_line(context: Context) -> Iterator[Draft]:
    """A command line does nothing, or something else than it says.

    Where a step of the simulation is refused, the rule about refusals tells it.
    """
    simulation = context.simulation
    if simulation is None:
        return
    yield from _completed_spec_stored(simulation)
    numbers = {id(step.command): step.number for step in simulation.steps}
    unreached = {id(command) for command in simulation.skipped}
    for command in simulation.plan.commands:
        for problem in command.problems if id(command) not in unreached else ():
            if problem.refused and id(command) in numbers:
                continue
            lost = problem.refused and problem.kind in _NO_COMMAND
            yield Draft(
                severity=Severity.ERROR if lost else None,
                message=problem.message,
                why=_why(problem),
                locations=(Location(problem.span, "nothing is done"),),
                subject=f"{problem.kind}/{command.text}",
                step=numbers.get(id(command)),
                fix=_instead(command, problem),
            )


# A field of an object, as kops set takes it.
_FIELD = r"['\"]?(\w+\.)?(spec|metadata)\."


def _instead(command: Command, problem: Problem) -> tuple[str, ...]:
    """What to run instead; of ``kops set`` with all that it was given.

    Source: kops docs/cli/kops_edit_cluster.md, where every item of a list is ``[*]``.
    """
    words = command.text.split()
    if problem.suggestion is None:
        return ()
    fields = [word for word in words if re.match(_FIELD, word)]
    if words[:2] != ["kops", "set"] or not fields:
        return (problem.suggestion,)
    edit = [problem.suggestion.removesuffix(" --set")]
    edit += [word for word in words[3:] if word not in fields]
    for field in fields:
        path = field.strip("'\"").replace("[]", "[*]")
        edit.append(f"--set '{path}'" if "[" in path else f"--set {path}")
    return (" ".join(edit),)


_FULL = r"^kops get\b.*\s--full(?:=true)?(?:\s|$)"
_INTO = r"--full[^>|;&]*(?:\|\s*tee|>)\s*[\"']?(?P<file>[^\s;|&\"']+)|\|.*\bkops\s"


def _completed_spec_stored(simulation: Simulation) -> Iterator[Draft]:
    """What ``kops get --full`` prints is stored as if somebody had asked for it."""
    printed: dict[str, Command] = {}
    for command in simulation.plan.commands:
        span = command.span
        if isinstance(command, model.Reads) and re.search(_FULL, command.text):
            written = span.source.line(span.line)[span.column - 1 :]
            if into := re.search(_INTO, written):
                printed[into["file"] or "-"] = command
        elif isinstance(command, model.Replace | model.CreateFromFile):
            for word in command.files:
                source = printed.pop(word.shown, None)
                if source is None:
                    continue
                yield Draft(
                    message="the completed spec is stored as if it were what is wanted",
                    why="With --full kops prints every value that it has worked out "
                    "itself. Stored, they are taken for wishes, and a later release "
                    "no longer chooses its own.",
                    locations=(
                        Location(span, "stored here"),
                        Location(source.span, "printed here"),
                    ),
                    subject=f"full/{word.shown}",
                    fix=(source.text.replace(" --full", ""),),
                )


_EDITOR = r"\b(KUBE_)?EDITOR="


def editor_without_terminal(context: Context) -> Iterator[Draft]:
    """A pipeline opens an editor, and nobody is there to type."""
    if context.simulation is None:
        return
    from kopslint.syntax.command_list import notation_of

    for step in context.simulation.steps:
        command, source = step.command, step.command.span.source
        if notation_of(source) not in ("workflow", "jenkins"):
            continue
        match command:
            case model.EditCluster(sets=(), unsets=()):
                pass
            case model.EditInstanceGroup(sets=(), unsets=()):
                pass
            case model.CreateInstanceGroup(edit=True, dry_run=False):
                pass
            case _:
                continue
        if re.search(_EDITOR, source.text):
            continue
        creates = isinstance(command, model.CreateInstanceGroup)
        yield Draft(
            message="this opens an editor, and a pipeline has no terminal",
            why="kops starts $EDITOR, by default vi, and stores what comes out of it. "
            "In a job it fails, waits for ever, or stores the object as it was.",
            locations=(Location(command.span, "nobody types here"),),
            subject=command.text,
            step=step.number,
            fix=(f"{command.text} --edit=false",)
            if creates
            else (
                "kops replace -f FILE  # the spec from the repository, instead",
                f"{command.text} --set PATH=VALUE  # or each field by name",
            ),
        )


_NO_COMMAND = ("unknown-command", "missing-argument")


def _why(problem: Problem) -> str:
    if problem.kind == "removed-command":
        return (
            "Current releases of kops answer with an error. Older ones have the "
            "command; their 'set' leaves lists such as etcdClusters as they are."
        )
    if problem.refused:
        return "kops ends with an error, and what this was to do is not done."
    return (
        "kops prints its help and exits with 0, so a script goes on as if it were done."
    )
