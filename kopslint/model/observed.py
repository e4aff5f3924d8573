"""The state before the first command as it was observed: every one that fits.

An output says a part. What it says is believed; what it does not say stays open, and
every state that fits is followed. Of an etcd cluster that was not seen at all only its
machines are known, if those were; for the rest it is taken to be healthy.
"""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING

from kopslint.kops.etcd_manager import member_name
from kopslint.model.etcd.explore import MAX_STATES, StateSet
from kopslint.model.etcd.state import EtcdState, MemberState, Upgrade, lead_of
from kopslint.model.etcd.transitions import Pace
from kopslint.model.software import software_of
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState
    from kopslint.observed.observation import Answer, EtcdSeen, Member, Observation

_UP_LISTED = (MemberState.VOTING,)
_DEAD = (MemberState.DOWN, MemberState.WIPED)
_NEVER_STARTED_UP = (MemberState.LISTED_AGAIN, MemberState.LISTED_IDLE)
_NEVER_STARTED_DOWN = (MemberState.LISTED, MemberState.LISTED_AGAIN_DOWN)
_OUTSIDE_UP = (MemberState.IDLE, MemberState.EXPELLED)
_OUTSIDE_DOWN = (MemberState.ABSENT, MemberState.LEFT)


def observed(
    healthy: ClusterState, plan: Scenario, observation: Observation
) -> ClusterState:
    """``healthy`` with etcd as it was seen, and machines that were seen to be gone."""
    etcd = {}
    for name, state_set in healthy.etcd.items():
        seen = observation.etcd_cluster(name)
        etcd[name] = _Seen(healthy, plan, observation, name, seen).state_set(state_set)
    return healthy.with_etcd(etcd).with_cloud(healthy.cloud)


def quiet(state_set: StateSet) -> StateSet:
    """Without states in which something was about to happen, if any other one fits.

    Nobody looks in the seconds in which a member joins.
    """
    states = frozenset(
        state
        for state in state_set.states
        if all(move.pace is not Pace.FAST for move in state_set.transitions(state))
    )
    return state_set.replaced(states=states or state_set.states)


def ids_of(
    observation: Observation, names: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, str]]:
    """What the members of each etcd cluster are called here, by their ids.

    ``names`` are those that the specs know.
    """
    found: dict[str, dict[str, str]] = {}
    for seen in observation.etcd:
        if seen.name in names:
            found[seen.name] = {
                member.id: _called(seen.name, member, names[seen.name])
                for member in seen.members
                if member.id is not None
            }
    return found


def _called(etcd_cluster: str, member: Member, names: tuple[str, ...]) -> str:
    """The spec's name of a member, or what etcd calls it, or its id."""
    if member.spec_name is not None:
        return member.spec_name
    bare = (member.name or "").removeprefix(member_name(etcd_cluster, ""))
    return bare if bare and bare not in names else f"id {member.id}"


class _Name(Record):
    """A member name, what was said of the member, and of its machine."""

    name: str
    member: Member | None
    machine: Answer


class _Seen:
    """One etcd cluster as it was seen."""

    def __init__(
        self,
        start: ClusterState,
        plan: Scenario,
        observation: Observation,
        name: str,
        seen: EtcdSeen | None,
    ) -> None:
        self._start = start
        self._plan = plan
        self._observation = observation
        self._name = name
        self._seen = seen

    def state_set(self, healthy: StateSet) -> StateSet:
        """Every state that fits, with what they share."""
        names = healthy.names
        found = [self._of(name) for name in names]
        versions = [m.version for m in self._seen.members] if self._seen else []
        software = software_of(
            (self._plan.before, self._plan.after),
            self._name,
            names,
            self._plan.kops_version,
            versions,
        )
        published = self._published(healthy.published)
        states = frozenset(islice(self._states(found, published, healthy), MAX_STATES))
        states = frozenset(s._replace(lead=lead_of(s, software)) for s in states)
        gone = frozenset(
            i
            for i in range(len(names))
            if all(not state.names[i].up for state in states)
        )
        known = frozenset(
            index
            for index, one in enumerate(found)
            if one.member is not None or index in healthy.known
        )
        seen = healthy.replaced(
            names=names,
            states=states,
            published=published,
            unrestarted=known - gone,
            known=known,
            stuck=gone,
            software=software,
        )
        return quiet(seen).followed()

    def _of(self, name: str) -> _Name:
        member = None
        if self._seen is not None:
            ids = self._plan.ids.get(self._name, {})
            member = self._seen.member(name) or next(
                (m for m in self._seen.members if m.id and ids.get(m.id) == name), None
            )
        return _Name(name, member, self._machine(name, member))

    def _machine(self, name: str, member: Member | None) -> Answer:
        """Whether the machine of a member name runs."""
        group = self._start.machines.group_of(self._name, name)
        nodes = {member.node} if member is not None and member.node else set()
        for machine in self._observation.machines or ():
            if (group is not None and machine.group == group) or machine.node in nodes:
                if (
                    machine.node
                    and self._observation.runs(self._name, machine.node) == "yes"
                    and machine.ready != "no"
                ):
                    return "yes"
                if machine.exists == "no" or machine.ready == "no":
                    return "no"
                if machine.ready == "yes":
                    return "yes"
        if group is not None and self._start.cloud.get(group, 0) < 1:
            return "no"
        # Where machines were seen, a member that no group has any more is on none.
        seen = bool(self._observation.machines)
        return "no" if group is None and seen and not nodes else "not seen"

    def _published(self, assumed: int) -> int:
        seen = self._seen.published if self._seen is not None else None
        return seen.member_count if seen is not None else assumed

    def _states(
        self, found: list[_Name], published: int, healthy: StateSet
    ) -> Iterator[EtcdState]:
        choices = [self._choices(one, healthy) for one in found]
        every = [EtcdState(tuple(names), published) for names in product(*choices)]
        fitting = [state for state in every if not self._contradicts(state, found)]
        # What contradicts itself is a finding of its own.
        for state in fitting or every:
            for count in self._read(state, published):
                for queued, held in self._restores(published):
                    yield state._replace(
                        read=count,
                        restore=queued,
                        held=held,
                        ghosts=self._ghosts(state),
                        upgrade=self._upgrade(),
                    )

    def _choices(self, one: _Name, healthy: StateSet) -> tuple[MemberState, ...]:
        """What there may be of a name."""
        member, machine = one.member, one.machine
        if self._seen is None or (not self._seen.is_listed and member is None):
            return self._unseen(one, healthy)
        listed = member.listed if member is not None else "no"
        if member is None or listed == "no":
            return self._outside(one)
        if member.started == "no":
            if machine == "not seen":
                return (*_NEVER_STARTED_UP, *_NEVER_STARTED_DOWN)
            return _NEVER_STARTED_UP if machine == "yes" else _NEVER_STARTED_DOWN
        if member.answered == "yes" or member.healthy == "yes":
            return _UP_LISTED
        silent = member.answered == "no" or (
            member.healthy == "no" and self._anybody_healthy
        )
        if machine == "no":
            return _DEAD
        if silent:
            if machine == "yes":
                return (MemberState.REPLACED,)
            return (*_DEAD, MemberState.REPLACED)
        if machine == "yes":
            unasked = member.healthy == "not seen"
            return _UP_LISTED if unasked else (*_UP_LISTED, MemberState.REPLACED)
        return (*_UP_LISTED, *_DEAD)

    @property
    def _anybody_healthy(self) -> bool:
        members = self._seen.members if self._seen is not None else ()
        return any(member.healthy == "yes" for member in members)

    def _unseen(self, one: _Name, healthy: StateSet) -> tuple[MemberState, ...]:
        """Of an etcd cluster that nobody asked: as its machine is, healthy else."""
        index = healthy.names.index(one.name) if one.name in healthy.names else -1
        if index not in healthy.known:
            return (MemberState.ABSENT,)
        return _DEAD if one.machine == "no" else _UP_LISTED

    def _outside(self, one: _Name) -> tuple[MemberState, ...]:
        """A name that is in no member list."""
        member = one.member
        if member is not None and member.answered == "yes":
            older = self._is_of_another(member)
            return (MemberState.OLDER if older else MemberState.EXPELLED,)
        group = self._start.machines.group_of(self._name, one.name)
        is_new = group is None or group not in self._start.cloud
        if one.machine == "yes":
            return _OUTSIDE_UP
        if is_new:
            return (MemberState.ABSENT,)
        if one.machine == "no":
            return _OUTSIDE_DOWN
        return (*_OUTSIDE_UP, *_OUTSIDE_DOWN)

    def _is_of_another(self, member: Member) -> bool:
        """Whether it answered as a member of another cluster than the list's."""
        seen = self._seen
        if seen is None or member.cluster_id is None:
            return False
        own = {one.cluster_id for one in seen.registered if one.cluster_id}
        return bool(own) and member.cluster_id not in own

    def _ghosts(self, state: EtcdState) -> int:
        """How many members an older cluster has of which nothing was seen."""
        older = sum(name.older for name in state.names)
        if not older or self._seen is None:
            return 0
        sizes = [
            len(listed.members)
            for listed in self._seen.lists
            if listed.cluster_id is not None
        ]
        return max(max(sizes, default=0) - older, 0)

    def _contradicts(self, state: EtcdState, found: list[_Name]) -> bool:
        """Whether somebody was healthy without quorum, or nobody was with it."""
        members = [one.member for one in found if one.member is not None]
        if any(member.healthy == "yes" for member in members):
            return not state.writable
        asked = [m for m in members if m.listed == "yes" and m.healthy == "no"]
        whole = len(asked) == sum(m.listed == "yes" for m in members)
        return bool(asked) and whole and state.writable and not _has_alarm(asked)

    def _read(self, state: EtcdState, published: int) -> tuple[int, ...]:
        """The counts that the leader may have read last."""
        members = state.members
        odd = members if members % 2 else members + 1
        return tuple(dict.fromkeys((published, odd)))

    def _restores(self, published: int) -> tuple[tuple[int | None, int | None], ...]:
        queued = self._seen.queued if self._seen is not None else None
        if not queued:
            return ((None, None),)
        count = queued[0].member_count or published
        return ((count, None), (count, count))

    def _upgrade(self) -> Upgrade:
        """Whether members run another version than is published."""
        seen = self._seen
        wanted = seen.published.version if seen is not None and seen.published else None
        running = {m.version for m in seen.members if m.version} if seen else set()
        if wanted is None or not running or running == {wanted}:
            return Upgrade.NONE
        return Upgrade.PENDING


def _has_alarm(members: list[Member]) -> bool:
    """An alarm makes a member unhealthy that runs."""
    return any(member.alarms or "alarm" in member.reason.lower() for member in members)
