"""A command list replayed on one cluster: the entry to this room."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kopslint.simulate.courses import is_step
from kopslint.simulate.effects import effect
from kopslint.simulate.files import SpecsAtHand, spec_files
from kopslint.simulate.flow import Flow
from kopslint.simulate.passed import passed
from kopslint.simulate.plan import Plan
from kopslint.simulate.record import Simulation
from kopslint.simulate.start import aligned, healthy
from kopslint.syntax.command_list import simple_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kopslint.commands.command import Command
    from kopslint.kops.spec import Manifest
    from kopslint.syntax.script import Script, SimpleCommand


def simulate(
    before: Manifest,
    after: Manifest,
    scripts: Iterable[Script],
    recognise: Callable[[SimpleCommand], tuple[Command, ...]],
    concerns: Callable[[Command], bool] = lambda _: True,
    at_hand: SpecsAtHand | None = None,
    kops_version: str | None = None,
) -> Simulation:
    """Replay ``scripts``, one after another, on the cluster of ``before``.

    ``recognise`` turns a program call into commands; it is asked once per call.
    ``concerns`` says which of them are about this cluster. ``at_hand`` are the spec
    files that they may name besides those of both sides. ``kops_version`` is the kops
    that runs them, None if nobody said.
    """
    declared = before, after
    before, after = aligned(before, after)
    scripts = tuple(scripts)
    known: dict[int, tuple[Command, ...]] = {}

    def commands_of(call: SimpleCommand) -> tuple[Command, ...]:
        found = known.get(id(call))
        if found is None:
            found = tuple(c for c in recognise(call) if concerns(c))
            known[id(call)] = found
        return found

    calls = [
        (call, commands_of(call))
        for script in scripts
        for call in simple_commands(script.body)
    ]
    everything = tuple(command for _, commands in calls for command in commands)
    files = spec_files(calls, declared, (before, after), at_hand or SpecsAtHand())
    plan = Plan(
        before=before,
        after=after,
        commands=everything,
        files=files,
        kops_version=kops_version,
    )
    start = healthy(plan)
    flow = Flow(commands_of, partial(effect, plan=plan))
    situations = [start]
    for script in scripts:
        situations = flow.run(script.body, situations)
        for unread in script.unread:
            flow.note_beside(unread)
    ran = {id(step.command) for step in flow.steps}
    return Simulation(
        plan=plan,
        start=start,
        steps=flow.steps,
        final=tuple(situations),
        undecided=tuple(flow.undecided.values()),
        assumptions=tuple(flow.assumptions),
        skipped=tuple(c for c in everything if is_step(c) and id(c) not in ran),
        passed=passed(plan, flow.steps),
        truncated=flow.truncated
        or any(w.truncated for s in situations for w in s.etcd.values()),
    )
