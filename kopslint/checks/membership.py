"""The member list: dead members kept, living ones expelled, new ones never let in."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, alike, listed, meanwhile, only, sure
from kopslint.checks.quorum import line_of, mending, story_of
from kopslint.checks.removals import removals
from kopslint.commands.kops import DeleteFromFile, DeleteInstanceGroup
from kopslint.commands.model import MemberRemove
from kopslint.findings import Location, Severity
from kopslint.model.etcd.state import MemberState
from kopslint.model.properties import membership, quorum, recovery
from kopslint.model.properties.facts import state_sets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.model.properties.facts import Hazard
    from kopslint.model.simulation import Simulation


def dead_member_left(context: Context) -> Iterator[Draft]:
    """A member whose machine is gone stays registered to the end of the list."""
    if context.simulation is None:
        return
    blamed = {
        (name, member.name)
        for deletion in membership.deletions(context.simulation)
        for name, member, _ in deletion.members
    }
    found = [
        hazard
        for hazard in membership.stale_members(context.simulation)
        if not all((hazard.etcd_cluster, m) in blamed for m in hazard.members)
    ]
    for hazards in _together(found):
        first, names = hazards[0], [hazard.etcd_cluster for hazard in hazards]
        state = first.state
        are = "is" if len(first.members) == 1 else "are"
        yield Draft(
            message=f"{listed(first.members)} {are} left in etcd {listed(names)} as "
            f"{'dead members' if len(first.members) > 1 else 'a dead member'}",
            why="etcd-manager removes only members that it can reach, so a lower"
            " count does not remove a dead one; `etcdctl member remove` does. Quorum"
            f" stays {state.quorum} of {state.members}.",
            locations=_losses(first, context.simulation),
            subject=f"{','.join(names)}/{','.join(first.members)}",
            certainty=sure(first.certain),
            step=first.step.number,
            etcd_cluster=only(names),
            fix=mending(hazards, context.simulation),
            trace=tuple(line_of(hazard) for hazard in hazards),
            story=story_of(first),
        )
    yield from _dead_for_a_while(context.simulation)


def _losses(hazard: Hazard, simulation: Simulation) -> tuple[Location, ...]:
    """Where the machines of members go: first of all at the step of the hazard."""
    group_of = simulation.plan.group_of
    groups = {group_of(hazard.etcd_cluster, member) for member in hazard.members}
    first = hazard.step.command.span
    more = [
        step.command.span
        for step in simulation.steps
        if step.command.span != first
        and isinstance(step.command, DeleteInstanceGroup | DeleteFromFile)
        and groups & membership.deleted_groups(step).keys()
    ]
    return (
        Location(first, "the machine is terminated here"),
        *(Location(span, "and here") for span in more),
    )


def _dead_for_a_while(simulation: Simulation) -> Iterator[Draft]:
    """Dead members that a later step of the list takes out or brings back.

    Where the spec still lists one when its group is deleted, or no other member may
    fail meanwhile, that is the finding to act upon.
    """
    blamed = {
        (absence.etcd_cluster, *absence.members)
        for deletion in recovery.mended_deletions(simulation)
        for _, absence in deletion.members
    }
    blamed |= {
        (window.etcd_cluster, member)
        for window in quorum.intolerances(simulation)
        for member in window.members
    }
    found = [
        absence
        for absence in recovery.absences(simulation)
        if (absence.etcd_cluster, *absence.members) not in blamed
    ]
    for same in alike(found, lambda a: (a.step.number, a.members, a.certain, a.back)):
        first, names = same[0], [absence.etcd_cluster for absence in same]
        last = max(same, key=lambda absence: absence.by.number).by
        state = first.state
        yield Draft(
            severity=Severity.INFO,
            message=f"{listed(first.members)} is dead in etcd {listed(names)} "
            f"{meanwhile(first.step, last)}",
            why=f"In between it counts against quorum: {state.voting} of"
            f" {state.members} members vote, {state.quorum} needed. Step {last.number}"
            " "
            + ("brings its machine back." if first.back else "removes it from etcd."),
            locations=(
                Location(first.step.command.span, "the machine is terminated here"),
                Location(last.command.span, "fixed here"),
            ),
            subject=f"{','.join(names)}/{','.join(first.members)}/mended",
            certainty=sure(first.certain),
            step=first.step.number,
            etcd_cluster=only(names),
            fix=()
            if first.back
            else removals(
                Context(simulation.plan.after, simulation.plan.before),
                ((member, name) for name in names for member in first.members),
                f", before line {first.step.command.span.line}",
            ),
            trace=tuple(line_of(absence) for absence in same),
        )


def living_member_expelled(context: Context) -> Iterator[Draft]:
    """A lower count meets more living peers, and etcd-manager picks victims itself."""
    if context.simulation is None:
        return
    for hazards in _together(membership.expulsions(context.simulation)):
        yield _expulsion(hazards, context)
    for hazards in _together(membership.armed(context.simulation)):
        first, names = hazards[0], [hazard.etcd_cluster for hazard in hazards]
        yield Draft(
            severity=Severity.WARNING,
            message=f"a count of {first.state_set.published} is published for etcd"
            f" {listed(names)} while {first.state.voting} members run: the next leader"
            " change expels some of them",
            why="The leader reads the count when leadership changes, and then removes"
            " arbitrary members until one fewer than the count is left.",
            locations=(Location(first.step.command.span, "the list ends like this"),),
            subject=f"armed/{','.join(names)}",
            certainty=sure(first.certain),
            step=first.step.number,
            etcd_cluster=only(names),
            fix=(
                "# publish the old count again before any control-plane machine stops:",
                f"{context.storing(context.before)}  # the spec before",
                "kops update cluster --yes",
            ),
            trace=tuple(line_of(hazard) for hazard in hazards),
        )


def _expulsion(hazards: list[Hazard], context: Context) -> Draft:
    first, names = hazards[0], [hazard.etcd_cluster for hazard in hazards]
    count = first.state_set.published
    return Draft(
        message=f"etcd-manager expels members of etcd {listed(names)} that nobody "
        f"chose: any of {listed(first.members)}",
        why=f"The control spec holds a count of {count} and no names. With more live"
        " peers than that, the leader removes an unhealthy member if there is one,"
        f" otherwise an arbitrary one, down to {max(count - 1, 1)}; an expelled member"
        " never comes back by itself.",
        locations=(Location(first.step.command.span, "the count is read here"),),
        subject=f"{','.join(names)}/{','.join(first.members)}",
        certainty=sure(first.certain),
        step=first.step.number,
        etcd_cluster=only(names),
        fix=(*_before_expulsion(hazards), *context.planning),
        trace=tuple(line_of(hazard) for hazard in hazards),
        story=story_of(first),
    )


def _before_expulsion(hazards: list[Hazard]) -> tuple[str, ...]:
    """What keeps etcd-manager from choosing, to be done before the count is read.

    Machines of removed members count as live peers as long as they run.
    """
    line = hazards[0].step.command.span.line
    running = {
        name
        for hazard in hazards
        for state_set in state_sets_of(hazard.step.before, hazard.etcd_cluster)
        for name in state_set.names
        if all(
            state.names[state_set.index(name)] is MemberState.EXPELLED
            for state in state_set.states
        )
    }
    if running:
        return (
            f"# removed, but still counted as live peers: {listed(sorted(running))}",
            f"# stop these machines, or delete their etcd volumes, before line {line}",
        )
    return (
        "# remove the leaving members by name and stop their machines,",
        "# before the lower count is published",
    )


def member_never_joins(context: Context) -> Iterator[Draft]:
    """A machine runs at the end that etcd will not take in."""
    if context.simulation is None:
        return
    for hazards in _together(membership.never_joining(context.simulation)):
        first, names = hazards[0], [hazard.etcd_cluster for hazard in hazards]
        states = {
            first.state.names[first.state_set.index(name)] for name in first.members
        }
        dead = membership.not_voting(first.state, first.state_set)
        repaired = states == {MemberState.EXPELLED} and _is_repair(context.simulation)
        yield Draft(
            severity=Severity.WARNING if repaired else None,
            message=f"{listed(first.members)} can never join etcd {listed(names)}",
            why=_why_not(states, dead, first.members),
            locations=(Location(first.step.command.span, "waits from here on"),),
            subject=f"{','.join(names)}/{','.join(first.members)}",
            certainty=sure(first.certain),
            step=first.step.number,
            etcd_cluster=only(names),
            fix=_mending(states, dead, hazards, context),
            trace=tuple(line_of(hazard) for hazard in hazards),
            story=story_of(first),
        )


def _is_repair(simulation: Simulation) -> bool:
    """Whether members that the spec keeps are removed by an id known at run time.

    People do that to a member that is broken already, with its disk lost or about
    to be: whether it comes back is then not for this list to say.
    """
    plan = simulation.plan
    return not any(plan.leaving.values()) and not any(
        plan.names_member(name, step.command.member)
        for step in simulation.steps
        if isinstance(step.command, MemberRemove)
        for name in plan.members
    )


def _why_not(
    states: set[MemberState], dead: tuple[str, ...], members: tuple[str, ...]
) -> str:
    who = listed(members)
    if MemberState.EXPELLED in states:
        return (
            f"The member list no longer has {who}, but the disk still holds the old"
            " membership: etcd-manager never takes such a machine back, whatever the"
            " count."
        )
    if MemberState.LISTED_AGAIN in states:
        return (
            f"The member list has {who} again, but the disk still holds the data of"
            " the member that was removed: etcd never starts with that, but the new"
            " member still counts towards quorum."
        )
    if MemberState.REPLACED in states:
        return (
            f"The disk of {who} is empty, but the member of that name is still"
            " registered; etcd-manager replaces such a member only from kops 1.36 on,"
            " and only if it is the only one in a cluster of three or more."
        )
    if dead:
        stay = "stays" if len(dead) == 1 else "stay"
        return (
            f"etcd adds no member while one is down, and {listed(dead)} {stay}"
            " registered: etcd-manager does not replace a dead member by one with"
            " another name."
        )
    return "The published count leaves no room for it."


def _mending(
    states: set[MemberState],
    dead: tuple[str, ...],
    hazards: list[Hazard],
    context: Context,
) -> tuple[str, ...]:
    if MemberState.EXPELLED in states:
        return ("# delete its etcd volumes, so that it comes back as a new member",)
    if MemberState.LISTED_AGAIN in states:
        again = ((name, hazard.etcd_cluster) for name in dead for hazard in hazards)
        last = "# then delete its etcd volumes: it joins as new"
        return (*removals(context, again), last)
    if MemberState.REPLACED in states:
        dead = hazards[0].members
    pairs = ((name, hazard.etcd_cluster) for name in dead for hazard in hazards)
    return removals(context, pairs)


def _together(hazards: Iterable[Hazard]) -> Iterator[list[Hazard]]:
    """The same hazard in several etcd clusters is one finding."""

    def alike(hazard: Hazard) -> tuple[int, tuple[str, ...], bool, int]:
        return (
            hazard.step.number,
            hazard.members,
            hazard.certain,
            hazard.state_set.published,
        )

    for _, group in groupby(sorted(hazards, key=alike), key=alike):
        yield list(group)
