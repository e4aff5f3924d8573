"""How a runbook turns out: its steps run in the simulation, one after another.

A step counts only if nothing about it is left to chance: every command takes
effect in every possible state, nothing had to be assumed, and nobody is expelled
whom nobody chose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.model.actions import effect
from kopslint.model.etcd.transitions import Kind
from kopslint.model.state import merged
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Manifest
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState


class Performed(Record):
    """What a step came to: the state after its last command.

    ``outage`` is whether quorum may be away for a while; ``tolerance`` is how many
    more members may fail once everything has settled, in the worst etcd cluster.
    """

    state: ClusterState
    outage: bool
    tolerance: int


def perform(
    commands: Iterable[Command], state: ClusterState, plan: Scenario
) -> Performed | None:
    """Run ``commands``; None if one of them may not do what it says."""
    reached: list[ClusterState] = []
    seen: list[Mapping[str, StateSet]] = []

    def watch(moment: ClusterState, _group: str) -> None:
        seen.append(moment.etcd)

    for command in commands:
        results = effect(command, state, watch, plan)
        sure = all(r.status == "applied" and not r.refusals for r in results)
        after = merged(result.state for result in results)
        assumed = any(result.assumed for result in results)
        if not sure or assumed or len(after) != 1:
            return None
        (state,) = after
        reached.append(state)
        seen.append(state.etcd)
        if any(_expels(state_set) for state_set in state.etcd.values()):
            return None
    if not all(w.writable for w in _settled([state])):
        return None
    outage = any(
        not possible.reachable_quorum
        for etcd in seen
        for state_set in etcd.values()
        for possible in state_set.states
    )
    tolerance = min((w.tolerance for w in _settled(reached)), default=0)
    return Performed(state, outage, tolerance)


def _settled(states: Sequence[ClusterState]) -> Iterable[EtcdState]:
    return (
        possible
        for state in states
        for state_set in state.etcd.values()
        for possible in state_set.settled
    )


def _expels(state_set: StateSet) -> bool:
    return state_set.truncated or any(
        move.kind is Kind.REMOVES and state.names[move.who].takes_part
        for state in state_set.states
        for move in state_set.transitions(state)
    )


def is_applied(state: ClusterState, manifest: Manifest) -> bool:
    """Whether an update has brought the cloud to exactly these objects already."""
    applied = state.applied
    return applied.cluster is manifest.cluster and all(
        applied.groups.get(name) is group for name, group in manifest.groups.items()
    )


def arrived(state: ClusterState, target: Manifest) -> bool:
    """Whether every plane is at ``target``, nodes' groups to be deleted excepted.

    In etcd that means: exactly its members, all of them voting, and nobody who
    runs on outside the member list.
    """
    registry = state.registry
    control_plane = {group.name for group in registry.control_plane}
    return (
        registry.cluster is target.cluster
        and is_applied(state, target)
        and control_plane == {group.name for group in target.control_plane}
        and all(
            registry.groups.get(name) is group
            and state.cloud.get(name) == max(group.size, 0)
            for name, group in target.groups.items()
        )
        and all(
            _has_members(
                state_set,
                {
                    member.name
                    for etcd in target.etcd_clusters
                    if etcd.name == name
                    for member in etcd.members
                },
            )
            for name, state_set in state.etcd.items()
        )
    )


def _has_members(state_set: StateSet, members: set[str]) -> bool:
    return state_set.published == len(members) and all(
        member.votes if name in members else not (member.up or member.listed)
        for state in state_set.settled
        for name, member in zip(state_set.names, state.names, strict=True)
    )
