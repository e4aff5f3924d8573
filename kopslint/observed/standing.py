"""Who lives, who is dead and whether there is quorum, as far as it was seen.

This counts what an observation says, and no more: a member of which nobody asked
anything is neither alive nor dead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.kops.spec import EtcdCluster
    from kopslint.observed.observation import (
        Answer,
        EtcdSeen,
        Machine,
        Member,
        Observation,
    )


class Standing(Record):
    """One etcd cluster as it stands.

    ``voters`` are the registered members that count for quorum, which learners do not.
    Each is ``alive`` (it answered), ``dead`` (it did not, or its machine is gone),
    ``unstarted`` (it never ran) or ``unknown``. ``has_quorum`` is "not seen" where it
    follows from nothing that was seen. ``spec`` is the etcd cluster of the spec, None
    where it has none of that name.
    """

    seen: EtcdSeen
    spec: EtcdCluster | None
    voters: tuple[Member, ...]
    alive: tuple[Member, ...]
    dead: tuple[Member, ...]
    unstarted: tuple[Member, ...]
    unknown: tuple[Member, ...]
    has_quorum: Answer

    @property
    def name(self) -> str:
        """Which etcd cluster it is."""
        return self.seen.name

    @property
    def quorum(self) -> int:
        """How many voters are needed."""
        return len(self.voters) // 2 + 1

    @property
    def tolerance(self) -> int:
        """How many more may fail at best, all of whom nothing is known being alive."""
        return len(self.alive) + len(self.unknown) - self.quorum


def standing(
    seen: EtcdSeen, observation: Observation, spec: EtcdCluster | None
) -> Standing:
    """How an etcd cluster of an observation that was matched to the spec stands."""
    voters = tuple(one for one in seen.registered if one.learner != "yes")
    alive = tuple(one for one in voters if one.answered == "yes")
    unstarted = tuple(one for one in voters if one.started == "no")
    rest = [one for one in voters if one not in alive and one not in unstarted]
    dead = tuple(
        one
        for one in rest
        if one.answered == "no" or gone_machine(one, observation, spec) is not None
    )
    unknown = tuple(one for one in rest if one not in dead)
    able = len(alive) + len(unknown)
    answer: Answer = "not seen"
    if any(one.healthy == "yes" for one in seen.members):
        answer = "yes"
    elif (
        any("no leader" in one.reason for one in seen.members)
        and not any(one.leader == "yes" for one in seen.members)
    ) or (seen.is_listed and able < len(voters) // 2 + 1):
        answer = "no"
    elif any(one.leader == "yes" for one in alive):
        answer = "yes"
    return Standing(seen, spec, voters, alive, dead, unstarted, unknown, answer)


def gone_machine(
    member: Member, observation: Observation, spec: EtcdCluster | None
) -> Machine | None:
    """What says that the group of a member has no machine; None if nothing does."""
    named = spec.member(member.spec_name) if spec and member.spec_name else None
    if named is None:
        return None
    machines = observation.machines_of(named.group)
    if not machines or any(machine.exists != "no" for machine in machines):
        return None
    return machines[0]


def group_of(member: Member, spec: EtcdCluster | None) -> str | None:
    """The instance group of a member by the spec; None if the spec does not know it."""
    named = spec.member(member.spec_name) if spec and member.spec_name else None
    return named.group if named is not None else None
