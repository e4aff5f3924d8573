"""Instance groups and their etcd members, deleted in the wrong order."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, listed, meanwhile, only, sure
from kopslint.checks.removals import removals
from kopslint.checks.rolls import CONTROL_PLANE
from kopslint.commands.kops import CreateCluster
from kopslint.commands.model import Foreign, Reads, Sleep
from kopslint.findings import Location, Severity
from kopslint.model.properties.membership import deletions
from kopslint.model.properties.recovery import mended_deletions
from kopslint.model.timeline import trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.spec import EtcdMember
    from kopslint.model.properties.membership import Deletion
    from kopslint.model.properties.recovery import MendedDeletion
    from kopslint.model.simulation import Simulation, Step


def ig_deleted_before_etcd_member(context: Context) -> Iterator[Draft]:
    """A control-plane group is deleted while the spec still lists its members."""
    if context.simulation is None:
        return
    for step, found in groupby(deletions(context.simulation), lambda d: d.step):
        if _is_before_the_cluster(step, context):
            continue
        if _may_be_of_nodes(step):
            yield _of_any(step, list(found), context.simulation)
        else:
            yield from _of_each(found, context)
    for mended in mended_deletions(context.simulation):
        yield _for_a_while(mended, context)


def _is_before_the_cluster(step: Step, context: Context) -> bool:
    """Whether the list has made the cluster's objects before, and no machine yet.

    Who builds a cluster takes out groups that ``kops create cluster`` made, to store
    others. Of a cluster that is there before the change nothing is made.
    """
    if context.before is not None or context.simulation is None:
        return False
    made = False
    for earlier in context.simulation.steps:
        if earlier.number >= step.number:
            return made
        match earlier.command:
            case CreateCluster(yes=False, dry_run=False):
                made = True
            case Reads() | Foreign() | Sleep():
                pass
            case command if command.meaning.planes != ("registry",):
                made = False
    return False


def _may_be_of_nodes(step: Step) -> bool:
    """Whether the group that a step deletes may as well be one without etcd."""
    had = {
        name: group
        for state in step.before
        for name, group in state.registry.groups.items()
    }
    left = (set(result.state.registry.groups) for result in step.results)
    gone = [set(had) - names for names in left]
    return any(
        names and not any(had[name].is_control_plane for name in names)
        for names in gone
    )


def _of_any(step: Step, found: list[Deletion], simulation: Simulation) -> Draft:
    """A group that nobody can name, which may be any of those that run etcd."""
    groups = sorted(deletion.group for deletion in found)
    clusters = tuple(dict.fromkeys(name for d in found for name, _, _ in d.members))
    one_of = " or ".join(filter(None, (", ".join(groups[:-1]), groups[-1])))
    return Draft(
        severity=None if _says_control_plane(step, simulation) else Severity.WARNING,
        message=f"{one_of} is deleted while etcd still counts on its member",
        why="Which group this deletes is only known when it runs. If it is a"
        " control-plane group, etcd keeps its member, which then counts against"
        " quorum.",
        locations=(
            Location(step.command.span, "any group: not known from the text"),
            *(
                Location(deletion.members[0][1].at("instanceGroup"), "one of them")
                for deletion in found
            ),
        ),
        subject=",".join(groups),
        certainty=sure(False),
        step=step.number,
        etcd_cluster=only(clusters),
        fix=("# name the group here; its member has to leave etcd first",),
        trace=trace(step, clusters),
    )


def _says_control_plane(step: Step, simulation: Simulation) -> bool:
    """Whether what stands around an unknown name says that the group runs etcd.

    Its line does, or what a loop goes through that it stands in.
    """
    span = step.command.span
    around = [
        item.reason
        for item in simulation.undecided
        if item.span.source is span.source
        and item.span.line <= span.line <= item.span.end_line
    ]
    said = " ".join([span.source.line(span.line), step.command.text, *around])
    return re.search(CONTROL_PLANE, said) is not None


def _of_each(found: Iterable[Deletion], context: Context) -> Iterator[Draft]:
    """The groups that a step deletes, each of which runs etcd."""
    for deletion in found:
        step = deletion.step
        clusters = tuple(name for name, _, _ in deletion.members)
        certain = all(sure_ for _, _, sure_ in deletion.members)
        names = tuple(dict.fromkeys(m.name for _, m, _ in deletion.members))
        command = Location(
            step.command.span, "the machine is terminated at once, without a drain"
        )
        yield Draft(
            message=f"{deletion.group} is deleted while etcd still counts on its "
            f"member {listed(names)}",
            why="etcd-manager removes only members that it can reach. One whose "
            f"machine is gone stays: {listed(names)} counts against quorum in "
            f"{listed(clusters)} from here on.",
            locations=(command, *_places((n, m) for n, m, _ in deletion.members)),
            subject=f"{deletion.group}/{','.join(names)}",
            certainty=sure(certain),
            step=step.number,
            etcd_cluster=only(clusters),
            fix=_instead(deletion, context),
            trace=trace(_where_deleted(deletion), clusters),
        )


def _where_deleted(deletion: Deletion) -> Step:
    """The step as far as it deletes this group: of an unknown one, each may be."""
    step = deletion.step
    gone = tuple(
        result
        for result in step.results
        if deletion.group not in result.state.registry.groups
    )
    return step.replaced(results=gone or step.results)


def _instead(deletion: Deletion, context: Context) -> tuple[str, ...]:
    """What to run instead: the member out first, if it is to leave at all.

    One that the spec after keeps must not be removed: its group would come back with
    the disk of a removed member, which never joins.
    """
    if deletion.group in context.after.groups:
        line = deletion.step.command.span.line
        return (
            f"# the spec after keeps {deletion.group}: leave line {line} out; or take",
            "# its member out of the spec, and out of etcd before its machine goes",
            _new_machine(deletion.group, context),
        )
    where = f", before line {deletion.step.command.span.line}"
    pairs = ((member.name, name) for name, member, _ in deletion.members)
    return removals(context, pairs, where)


def _new_machine(group: str, context: Context) -> str:
    return (
        f"kops delete instance NODE --name {context.cluster} --yes"
        f"  # instead: a new machine for {group}, with its volumes"
    )


def _for_a_while(deletion: MendedDeletion, context: Context) -> Draft:
    """The same where a later step of the list fixes it.

    A group that comes back does so only if the cloud has a machine, and the machine
    finds its volumes. As long as others may fail this is a warning; where none may,
    all that etcd has hangs on it (kubernetes/kops#7215: it did not come back).
    """
    step = deletion.step
    members = [(absence.etcd_cluster, m) for m, absence in deletion.members]
    names = tuple(dict.fromkeys(member.name for _, member in members))
    clusters = tuple(name for name, _ in members)
    last = max((absence for _, absence in deletion.members), key=lambda a: a.by.number)
    before = f", before line {step.command.span.line}"
    bare = any(absence.state.tolerance < 1 for _, absence in deletion.members)
    return Draft(
        severity=None if last.back and bare else Severity.WARNING,
        message=f"{deletion.group} is deleted while etcd still counts on its member "
        f"{listed(names)}, {meanwhile(step, last.by)}",
        why=f"In between {listed(names)} is dead and counts against quorum in "
        f"{listed(clusters)}. Step {last.by.number} "
        + ("brings its machine back." if last.back else "removes it from etcd.")
        + (" Until then no other member may fail." if last.back and bare else ""),
        locations=(
            Location(step.command.span, "the machine is terminated here"),
            Location(last.by.command.span, "fixed here"),
            *_places(members),
        ),
        subject=f"{deletion.group}/{','.join(names)}/mended",
        certainty=sure(all(absence.certain for _, absence in deletion.members)),
        step=step.number,
        etcd_cluster=only(clusters),
        fix=(_new_machine(deletion.group, context),)
        if last.back
        else removals(
            context, ((member.name, name) for name, member in members), before
        ),
        trace=trace(step, clusters),
    )


def _places(members: Iterable[tuple[str, EtcdMember]]) -> list[Location]:
    return [
        Location(member.at("instanceGroup"), f"{member.name} of {name} runs here")
        for name, member in members
    ]
