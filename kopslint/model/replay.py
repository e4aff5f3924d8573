"""A command list replayed on one cluster: the entry to this room."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.budget import RUN, BudgetSpentError, limited
from kopslint.commands.model import Foreign, Reach, Unreadable
from kopslint.commands.wrappers import is_known_tool
from kopslint.model.actions import effect
from kopslint.model.guards import unguarded
from kopslint.model.initial import aligned, healthy, in_files
from kopslint.model.interpreter import Flow, is_step
from kopslint.model.scenario import Scenario
from kopslint.model.simulation import Simulation
from kopslint.model.spec_files import SpecsAtHand, spec_files
from kopslint.notations.command_list import simple_commands
from kopslint.records import Record
from kopslint.shell.ast import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.model.simulation import Step
    from kopslint.model.state import ClusterState
    from kopslint.observed.observation import Observation
    from kopslint.shell.ast import Script, SimpleCommand


# ------------------------------------------------------------------------------------
# The specs that a list applies between before and after
#
# A change that goes by way of other specs is several changes, and each of them has to
# be judged by itself: one minor release after another is no jump.


class Passed(Record):
    """The specs that the cloud is brought to on the way, in order.

    ``goes_on`` is whether some course ends with another spec applied than those.
    """

    specs: tuple[Manifest, ...] = ()
    goes_on: bool = False


def passed(
    plan: Scenario,
    steps: Iterable[Step],
    final: Iterable[ClusterState],
    declared: Manifest,
) -> Passed:
    """What a list applies on its way.

    Only states with an object of a file at hand that neither before nor after has, or
    with one that the list made by ``--set`` or ``--unset``. What both sides have stands
    where ``declared``, the side after as it was read, has it.
    """
    ends = {id(each) for side in (plan.before, plan.after) for each in _objects(side)}
    known = plan.files.objects.values()
    between = {id(each) for held in known for each in _objects(held)} - ends
    made = plan.memory.get("objects", {}).values()
    between |= {id(each) for each in made} - ends
    if not between:
        return Passed()
    found: dict[tuple[int, ...], Manifest] = {}
    for step in steps:
        for state in step.after:
            ids = _ids(state.applied)
            if not between.isdisjoint(ids):
                found.setdefault(ids, _alone(state.applied, plan.after, declared))
    last = {_ids(each.applied) for each in final}
    return Passed(tuple(found.values()), goes_on=not last <= found.keys())


def _ids(manifest: Manifest) -> tuple[int, ...]:
    return tuple(id(each) for each in _objects(manifest))


def _handed(command: Command, groups: Collection[str]) -> Command:
    """A command; one of an unknown program that is handed the control plane is opaque.

    ``scale_in control-plane-b`` may be a function of a file that is not at hand, and
    ``./scale-in.sh control-plane-b`` is a script that is not.
    """
    given: list[str | None]
    match command:
        case Foreign(program=program, handed=handed) if program:
            if is_known_tool(program):
                return command
            given = [word.text for word in handed]
        case Unreadable(reach=Reach.SHELL_TEXT, reason=reason):
            program = reason.name.split(maxsplit=1)[0]
            given = [*command.text.split()[1:]]
        case _:
            return command
    parts = (part for text in given if text for part in re.split(r"[=,\s\"']+", text))
    group = next((part for part in parts if part in groups), None)
    if group is None:
        return command
    return Unreadable(
        text=command.text,
        span=command.span,
        reason=Unknown(
            program, f"the list does not show what `{program}` does to {group}"
        ),
        reach=Reach.MACHINE,
    )


def _objects(manifest: Manifest) -> Iterator[Cluster | InstanceGroup]:
    if manifest.cluster is not None:
        yield manifest.cluster
    for name in sorted(manifest.groups):
        yield manifest.groups[name]


def _alone(state: Manifest, after: Manifest, declared: Manifest) -> Manifest:
    """A state as if it had been read from the files that its objects stand in.

    Objects that no file has, and that others only imply, are left out.
    """
    cluster = state.cluster
    if cluster is after.cluster and declared.cluster is not None:
        cluster = declared.cluster
    groups = {
        name: declared.groups[name]
        if group is after.groups.get(name) and name in declared.groups
        else group
        for name, group in state.groups.items()
    }
    state = in_files(state.replaced(cluster=cluster, groups=MappingProxyType(groups)))
    sources = dict.fromkeys(each.node.span.source for each in _objects(state))
    return state.replaced(repeated=(), flaws=(), sources=tuple(sources))


def simulate(
    before: Manifest,
    after: Manifest,
    scripts: Iterable[Script],
    recognise: Callable[[SimpleCommand], tuple[Command, ...]],
    concerns: Callable[[Command], bool] = lambda _: True,
    at_hand: SpecsAtHand | None = None,
    kops_version: str | None = None,
    observation: Observation | None = None,
) -> Simulation:
    """Replay ``scripts``, one after another, on the cluster of ``before``.

    ``recognise`` turns a program call into commands; it is asked once per call.
    ``concerns`` says which of them are about this cluster. ``at_hand`` are the spec
    files that they may name besides those of both sides. ``kops_version`` is the kops
    that runs them, None if nobody said. With an ``observation`` the list starts from
    what was seen.
    """
    declared = before, after
    before, after = aligned(before, after)
    scripts = tuple(scripts)
    known: dict[int, tuple[Command, ...]] = {}
    groups = {group.name for side in (before, after) for group in side.control_plane}

    def commands_of(call: SimpleCommand) -> tuple[Command, ...]:
        found = known.get(id(call))
        if found is None:
            found = tuple(_handed(c, groups) for c in recognise(call) if concerns(c))
            known[id(call)] = found
        return found

    calls = [
        (call, commands_of(call))
        for script in scripts
        for call in simple_commands(script.body)
    ]
    everything = tuple(command for _, commands in calls for command in commands)
    files = spec_files(calls, declared, (before, after), at_hand or SpecsAtHand())
    plan = Scenario(
        before=before,
        after=after,
        commands=everything,
        files=files,
        kops_version=kops_version,
        ids=observed_ids(observation, (before, after)),
    )
    start = healthy(plan)
    if observation is not None:
        from kopslint.model.observed import observed

        start = observed(start, plan, observation)
    flow = Flow(commands_of, partial(effect, plan=plan))
    states = [start]
    unfollowed = None
    try:
        with limited(RUN):
            for script in scripts:
                states = flow.run(script.body, states)
    except BudgetSpentError:
        states, unfollowed = _so_far(flow, start), flow.running
    for unread in chain.from_iterable(script.unread for script in scripts):
        flow.note_beside(unread)
    on_the_way = passed(plan, flow.steps, states, declared[1])
    ran = {id(step.command) for step in flow.steps}
    return Simulation(
        plan=plan,
        start=start,
        steps=flow.steps,
        final=_followed(states),
        undecided=tuple(flow.undecided.values()),
        assumptions=(*flow.assumptions, *unguarded(flow.relied_on, flow.steps)),
        skipped=tuple(c for c in everything if is_step(c) and id(c) not in ran)
        if unfollowed is None
        else (),
        passed=on_the_way.specs,
        goes_on=on_the_way.goes_on,
        truncated=flow.truncated
        or unfollowed is not None
        or any(w.truncated for s in states for w in s.etcd.values()),
        unfollowed=unfollowed,
    )


def observed_ids(
    observation: Observation | None, sides: Iterable[Manifest]
) -> Mapping[str, Mapping[str, str]]:
    """What members are called by their ids, where they were observed."""
    if observation is None:
        return {}
    from kopslint.model.observed import ids_of

    names: dict[str, tuple[str, ...]] = {}
    for side in sides:
        for etcd in side.etcd_clusters:
            listed = (member.name for member in etcd.members)
            names[etcd.name] = (*names.get(etcd.name, ()), *listed)
    return ids_of(observation, names)


def _so_far(flow: Flow, start: ClusterState) -> list[ClusterState]:
    """The states behind the last step that was followed."""
    return list(flow.steps[-1].after) if flow.steps else [start]


def _followed(states: list[ClusterState]) -> tuple[ClusterState, ...]:
    """The ends of all courses; not of those that stop where a removal has failed.

    Whoever runs the list notices it there, as ``set -e`` tells them.
    """
    going_on = tuple(s for s in states if not (s.failing and s.ended))
    return going_on or tuple(states)
