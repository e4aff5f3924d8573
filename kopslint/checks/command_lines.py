"""Single command lines that do not do what they look like, or not all of it.

What kops refuses is no business of this module: the simulation says that.
"""

from __future__ import annotations

from itertools import dropwhile
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, listed
from kopslint.commands import model
from kopslint.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.command import Problem
    from kopslint.simulate.situation import Situation


def delete_is_no_preview(context: Context) -> Iterator[Draft]:
    """``delete ig`` without ``--yes`` is taken for the preview that it is not."""
    for step in context.simulation.steps if context.simulation is not None else ():
        command = step.command
        if not isinstance(command, model.DeleteInstanceGroup) or command.yes:
            continue
        if step.status == "refused":
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


def cluster_deleted(context: Context) -> Iterator[Draft]:
    """The whole cluster is deleted, with its state store and its backups."""
    for step in context.simulation.steps if context.simulation is not None else ():
        command = step.command
        if not isinstance(command, model.DeleteCluster) or not command.yes:
            continue
        if command.unregister:
            continue
        yield Draft(
            message=f"cluster {context.cluster} is deleted with its etcd backups",
            why="kops deletes every machine and volume, and the state store with the "
            "keys and the backups of etcd in it: there is nothing to restore from.",
            locations=(Location(command.span, "there is no way back"),),
            subject=context.cluster,
            step=step.number,
            fix=(
                "# copy the backups first, and name the cluster in the command:",
                f"kops delete cluster {context.cluster} --yes",
            ),
        )


_WRITES = (
    model.CreateFromFile,
    model.CreateInstanceGroup,
    model.EditCluster,
    model.EditInstanceGroup,
    model.Replace,
    model.UpgradeCluster,
)
_APPLIES = (
    model.CreateCluster,
    model.DeleteCluster,
    model.Reconcile,
    model.Terraform,
    model.Unreadable,
    model.UpdateCluster,
)


def stored_never_applied(context: Context) -> Iterator[Draft]:
    """The list stores a change, and no command after it applies anything."""
    simulation = context.simulation
    if simulation is None:
        return
    wrote = [
        step
        for step in simulation.steps
        if isinstance(step.command, _WRITES) and step.status == "applied"
    ]
    if not wrote or not simulation.final:
        return
    last = wrote[-1]
    # What cannot be read, such as a script of one's own, may be what applies it.
    rest = dropwhile(lambda c: c is not last.command, simulation.plan.commands)
    if any(isinstance(command, _APPLIES) for command in rest):
        return
    pending = set.intersection(*(_pending(final) for final in simulation.final))
    if not pending:
        return
    yield Draft(
        message=f"{listed(sorted(pending))} {'is' if len(pending) == 1 else 'are'} "
        "stored and never applied",
        why="This only writes to the state store. Neither the cloud nor etcd-manager "
        "sees it before an update, and the next update, whoever runs it, applies it.",
        locations=(Location(last.command.span, "no update comes after this"),),
        subject=",".join(sorted(pending)),
        step=last.number,
        fix=(
            f"kops update cluster {context.cluster}",
            f"kops update cluster {context.cluster} --yes",
        ),
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
                fix=(problem.suggestion,) if problem.suggestion else (),
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
