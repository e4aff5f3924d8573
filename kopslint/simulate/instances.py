"""Commands that stop single machines, which their groups then bring back.

They go by ids, and only the cloud knows whose id it is: what an argument may mean is
followed, that it is no machine of the control plane too. Sources: kops
cmd/kops/delete_instance.go and the clouds' own command lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.simulate import machines
from kopslint.simulate.assumptions import Kind, assume
from kopslint.simulate.result import (
    Result,
    applied,
    noted_by_job,
    nothing,
    undecided,
)
from kopslint.simulate.situation import Situation, merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.commands.model import DeleteInstance, StopInstances, Unreplayed
    from kopslint.simulate.plan import Plan
    from kopslint.syntax.script import Word

_MANY = r"\$\(|`|\$[@*]|\[[@*]\]|\{\}|standard input"
"""Expressions for any number of words, or for one after another."""


def run_delete_instance(
    command: DeleteInstance, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops delete instance``: one machine is replaced and nothing is validated."""
    if not command.yes:
        return [nothing(situation)]
    words = (command.instance,) if command.instance is not None else ()
    return [noted_by_job(result) for result in restarted(situation, plan, words)]


def run_stop(command: StopInstances, situation: Situation, plan: Plan) -> list[Result]:
    """Machines are started, stopped, rebooted or terminated past kops."""
    words, many = command.instances, command.many
    if command.verb == "start":
        return [applied(_started(situation, plan, words))]
    if _stays_away(command, situation):
        return _stopped(situation, plan, words, many=many)
    return restarted(situation, plan, words, many=many)


def _stays_away(command: StopInstances, situation: Situation) -> bool:
    """Whether the cloud leaves a machine away until somebody brings it back.

    A group of AWS or GCE makes a machine anew that was stopped or terminated under
    it, unless it is told to ask for one less. Elsewhere the machines of kops are in
    no such group, or it counts one less. Source: kops pkg/model/*model/*.go: the
    tasks AutoscalingGroup and InstanceGroupManager there, a server or droplet each on
    the other clouds; Microsoft's reference of ``az vmss delete-instances``.
    """
    if command.verb == "reboot":
        return False
    cloud = situation.registry.cloud
    return command.for_good or cloud not in (*_REPLACED_BY_GROUP, None)


_REPLACED_BY_GROUP = ("aws", "gce")


def _started(situation: Situation, plan: Plan, words: tuple[Word, ...]) -> Situation:
    """Machines that were stopped run again: those that are named, or else all."""
    named = plan.told_machines(words)
    down = [name for name, size in situation.cloud.items() if size < 1]
    wanted = [n for n in down if n in situation.registry.groups]
    groups = [name for name in wanted if not named or name in named]
    sizes = {name: situation.registry.groups[name].size for name in groups}
    return machines.boot(situation.with_cloud({**situation.cloud, **sizes}), groups)


def _stopped(
    situation: Situation, plan: Plan, words: tuple[Word, ...], *, many: bool
) -> list[Result]:
    """The machines that ``words`` name stop, and stay away."""
    return _each_away(situation, plan, words, _gone, many=many)


def _gone(situation: Situation, group: str) -> Situation:
    return machines.stop(situation.with_cloud({**situation.cloud, group: 0}), group)


def restarted(
    situation: Situation, plan: Plan, words: tuple[Word, ...], *, many: bool = False
) -> list[Result]:
    """The machines that ``words`` name stop; those of a group come back.

    An id that could be any machine may be any control-plane machine, or none; what
    may be many ids may be all of them.
    """
    return _each_away(situation, plan, words, machines.stop, many=many)


def _each_away(
    situation: Situation,
    plan: Plan,
    words: tuple[Word, ...],
    away: Callable[[Situation, str], Situation],
    *,
    many: bool,
) -> list[Result]:
    if words and all(plan.names_workers(word) for word in words):
        return [applied(situation)]
    named = plan.meant_machines(words)
    candidates = named or tuple(g.name for g in situation.registry.control_plane)
    sure = bool(named) and len(named) == len(words)
    if sure:
        for group in named:
            situation = away(situation, group)
            if situation.cloud.get(group, 0) > 0:
                situation = machines.boot(situation, [group])
        return [applied(situation, *plan.assumed_machines(words, named))]
    several = many or any(_may_be_many(word) for word in words)
    most = len(candidates) if several else min(len(words), len(candidates))
    outcomes = [situation]
    for _ in range(most):
        stopped = (away(s, group) for s in outcomes for group in candidates)
        outcomes = merged([*outcomes, *stopped])
    who = " or ".join(candidates)
    text = (
        f"the machine is taken to be that of {who}, or another"
        if most < 2
        else f"up to {most} machines are taken to be those of {who}, or others"
    )
    assumed = assume(Kind.MACHINE, " ".join(word.shown for word in words), text)
    return [applied(outcome, assumed) for outcome in outcomes]


def _may_be_many(word: Word) -> bool:
    return word.unknown is not None and bool(re.search(_MANY, word.unknown.name))


def run_unreplayed(
    command: Unreplayed, situation: Situation, plan: Plan
) -> list[Result]:
    """What there is no move for; nothing where it meets no control plane.

    That is so where all that it names are workers, and after the cluster is deleted.
    """
    workers = bool(command.about) and all(map(plan.names_workers, command.about))
    if workers or not situation.cloud:
        return [applied(situation)]
    return [undecided(situation, command.reason, command.reach)]
