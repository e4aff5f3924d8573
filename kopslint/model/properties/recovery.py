"""What a list harms and then fixes: from which step, and which step ends it.

A hazard that a later step of the same list ends weighs less than one that stays, but
only where that is sure: in every possible state the list ends with the control plane
that it is for, and nothing goes wrong between the two steps. How much less it weighs
is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands.model import RestoreBackup
from kopslint.model.etcd.state import MemberState
from kopslint.model.properties.facts import (
    Hazard,
    etcd_clusters,
    remembered,
    settled,
    state_sets_of,
    where,
)
from kopslint.model.properties.membership import deleted_groups, stale
from kopslint.model.properties.quorum import outages
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember, Manifest
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.simulation import Simulation, Step


class Absence(Hazard):
    """A member that is registered and dead from ``step`` on, until ``by`` fixes it.

    ``back`` is whether its machine is back then; else it is out of etcd.
    """

    by: Step
    back: bool


class MendedDeletion(Record):
    """A group deleted while the spec lists its members, fixed later in the list.

    ``members`` has the member of each etcd cluster concerned, and its absence.
    """

    step: Step
    group: str
    members: tuple[tuple[EtcdMember, Absence], ...]


def is_mended(simulation: Simulation, first: Step, last: Step) -> bool:
    """Whether what ``first`` harms and ``last`` ends is past and has cost nothing.

    In every possible state the list ends with the control plane of the after spec and
    all its members voting; and from ``first`` to ``last`` no command is refused or
    undecided, no backup is restored, and quorum is not lost.
    """
    return _ends_whole(simulation) and _goes_well(simulation, first, last)


def _ends_whole(simulation: Simulation) -> bool:
    after = simulation.plan.after
    return not simulation.truncated and all(
        (state.ended is None or not state.ended.failed)
        and _groups(state.registry) == _groups(after)
        and _members(state.registry) == _members(after)
        and _members(state.applied) == _members(after)
        and state.etcd.keys() == simulation.start.etcd.keys()
        and all(
            _all_vote(state_set, _members(after).get(name, set()))
            for name, state_set in state.etcd.items()
        )
        for state in simulation.final
        if not state.failing
    )


def _groups(manifest: Manifest) -> set[tuple[str, bool]]:
    return {(group.name, group.size > 0) for group in manifest.control_plane}


def _members(manifest: Manifest) -> dict[str, set[str]]:
    return {e.name: {m.name for m in e.members} for e in manifest.etcd_clusters}


def _all_vote(state_set: StateSet, members: set[str]) -> bool:
    """Whether it comes to this in every state: ``members`` vote, and no one else."""
    whole = {(name, MemberState.VOTING) for name in members}
    return all(
        {
            (name, member)
            for name, member in zip(state_set.names, state.names, strict=True)
            if member.listed
        }
        == whole
        for state in state_set.settled
    )


def _goes_well(simulation: Simulation, first: Step, last: Step) -> bool:
    numbers = range(first.number, last.number + 1)
    between = [step for step in simulation.steps if step.number in numbers]
    return not (
        any(step.refusals or step.status == "unknown" for step in between)
        or any(isinstance(step.command, RestoreBackup) for step in between)
        # What never became a step may stand anywhere in the list.
        or any(
            item.step is None or item.step in numbers for item in simulation.undecided
        )
        or any(
            number in numbers
            for outage in outages(simulation)
            for number in (outage.step.number, *outage.again)
        )
    )


@remembered
def absences(simulation: Simulation) -> Iterator[Absence]:
    """Members that were dead for some steps, with no machine to come back by itself."""
    if not _ends_whole(simulation):
        return
    for name in etcd_clusters(simulation):
        since: dict[str, Step] = {}
        for step in simulation.steps:
            dead = _dead_after(step, name)
            for member in [member for member in since if member not in dead]:
                first = since.pop(member)
                if _goes_well(simulation, first, step):
                    yield from _absence(name, member, first, step)
            for member in dead:
                since.setdefault(member, step)


def _dead_after(step: Step, name: str) -> list[str]:
    """Those that are dead for good in some state, in a fixed order."""
    return sorted(
        {
            member
            for state_set in state_sets_of(step.after, name)
            for state in state_set.settled
            for member in stale(state, state_set)
        }
    )


def _absence(name: str, member: str, first: Step, by: Step) -> Iterator[Absence]:
    found = where(
        state_sets_of(first.after, name),
        settled,
        lambda state, state_set: member in stale(state, state_set),
    )
    if found is not None:
        back = any(
            after.names[each.index(member)].votes
            for each in state_sets_of(by.after, name)
            for after in each.settled
        )
        yield Absence.at(first, name, (member,), found, by=by, back=back)


@remembered
def mended_deletions(simulation: Simulation) -> Iterator[MendedDeletion]:
    """Groups deleted while the state store lists their members, and fixed later."""
    found = absences(simulation)
    for step in simulation.steps if found else ():
        for group, (state, *_) in deleted_groups(step).items():
            members = tuple(
                (member, absence)
                for etcd in state.registry.etcd_clusters
                for absence in found
                if absence.step is step
                and absence.etcd_cluster == etcd.name
                and (member := etcd.member_of(group)) is not None
                and absence.members == (member.name,)
            )
            if members:
                yield MendedDeletion(step, group, members)
