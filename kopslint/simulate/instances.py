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
from kopslint.simulate.result import Result, applied, noted_by_job, nothing
from kopslint.simulate.situation import Situation, merged

if TYPE_CHECKING:
    from kopslint.commands.model import DeleteInstance
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


def restarted(
    situation: Situation, plan: Plan, words: tuple[Word, ...]
) -> list[Result]:
    """The machines that ``words`` name stop; those of a group come back.

    An id that could be any machine may be any control-plane machine, or none; what
    may be many ids may be all of them.
    """
    if words and all(plan.names_workers(word) for word in words):
        return [applied(situation)]
    named = plan.meant_machines(words)
    candidates = named or tuple(g.name for g in situation.registry.control_plane)
    sure = bool(named) and len(named) == len(words)
    if sure:
        for group in named:
            situation = machines.boot(machines.stop(situation, group), [group])
        return [applied(situation, *plan.assumed_machines(words, named))]
    several = any(_may_be_many(word) for word in words)
    most = len(candidates) if several else min(len(words), len(candidates))
    outcomes = [situation]
    for _ in range(most):
        stopped = (machines.stop(s, group) for s in outcomes for group in candidates)
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
