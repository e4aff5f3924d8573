"""One printed script held against faults: what must be so, whatever fails.

No group is deleted whose member is listed, no machine mounts the disk of a member that
has left, quorum is as promised, nothing is run behind a failure, and once the fault is
gone the script arrives at the spec after.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

from kopslint.cli.plan import make_plan
from kopslint.cli.plan_options import PlanOptions, Target
from kopslint.cli.plan_script import script
from kopslint.kops.decode import read_fleet
from kopslint.planner.runbook import NoWay
from kopslint.report.display import Style
from kopslint.text import Source
from verify.runbooks.faults import ENDS_SCRIPT, FOR_EVER, KINDS, Fault
from verify.runbooks.programs import VERSIONS, Programs
from verify.runbooks.shells import Shell
from verify.runbooks.world import World

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from verify.runbooks.shells import Ran
    from verify.runbooks.transitions import Transition

AGAIN = 3
"""How often a script is run again, from the step that it names, before it arrives."""

STYLE = Style(color=False, unicode=True, width=100)


class Trial(NamedTuple):
    """A fault that is tried, and in which form the script is run."""

    fault: Fault | None
    pasted: bool = False
    etcd: str = VERSIONS[1]

    @property
    def shown(self) -> str:
        """The trial in words."""
        how = "pasted" if self.pasted else "run"
        if self.fault is None:
            return f"{how}, etcd {self.etcd}"
        since = "from" if self.fault.last == FOR_EVER else "at"
        return f"{self.fault.kind!r} {since} call {self.fault.first}, {how}"


class Runbook:
    """The script of a transition in a folder of its own; None if there is no plan."""

    def __init__(self, transition: Transition, folder: Path, bash: str) -> None:
        self.transition = transition
        (before,) = read_fleet(
            (Source("before.yaml", transition.before),)
        ).manifests.values()
        (after,) = read_fleet(
            (Source("after.yaml", transition.after),)
        ).manifests.values()
        target = Target.TERRAFORM if transition.terraform else Target.DIRECT
        options = PlanOptions(before=(), after=(), target=target)
        planned = make_plan(before, after, options)
        self.planned = planned
        self.folder = folder
        if isinstance(planned, NoWay) or not planned.steps:
            self.script = ""
            return
        self.script = script(planned, STYLE)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        specs = {"before.yaml": transition.before, "after.yaml": transition.after}
        specs |= {spec.files[0]: spec.text or "" for spec in planned.written}
        for name, text in specs.items():
            (folder / name).write_text(text, encoding="utf-8")
        spare = None if planned.outage else planned.tolerance
        self.world = World(specs, transition.cluster, transition.cloud, spare)
        self.shell = Shell(folder, Programs(self.world, VERSIONS[1]), bash)

    def start(self, trial: Trial) -> None:
        """The cluster as before, with the fault of a trial."""
        self.world.reset()
        self.world.initialised = self.transition.terraform
        self.shell.programs.etcd = trial.etcd
        self.shell.fault = trial.fault

    def once(self, trial: Trial, step: str = "") -> Ran:
        """Run the script, or paste it; from a step on, if one is named.

        Where it asks for another kops, that is installed, and it goes on.
        """
        calls = 0
        while True:
            ran = self._run(trial, step)
            calls += ran.calls
            asked = re.search(r"this step is for kops 1\.(\d+) to", ran.output)
            if asked is None or int(asked[1]) == self.shell.programs.kops:
                return ran._replace(calls=calls)
            self.shell.programs.kops = int(asked[1])
            step = _told_step(ran)

    def _run(self, trial: Trial, step: str) -> Ran:
        if trial.pasted:
            return self.shell.paste(self.script.replace('"${1:-1}"', step or "1"))
        return self.shell.run(self.script, *filter(None, [step]))

    def held(self, trial: Trial) -> str | None:
        """What goes wrong in a trial, if anything does."""
        self.start(trial)
        first = self.once(trial)
        said = [*self.shell.said]
        if self.world.wrong:
            return self._told(trial, first, said, self.world.wrong)
        missing = self.world.missing()
        fault = trial.fault
        if fault is None or (not trial.pasted and first.status == 0):
            if first.status or missing:
                return self._told(trial, first, said, missing or ["it stopped"])
            return None
        self.shell.fault = None
        # Whoever lost the terminal knows no number, and is told one.
        step = "" if fault.kind in ENDS_SCRIPT else _told_step(first)
        ran = first
        for _ in range(AGAIN):
            ran = self.once(trial, step)
            said += ["again", *self.shell.said]
            step = _told_step(ran)
            if self.world.wrong or not (self.world.missing() or step):
                break
        wrong = self.world.wrong or self.world.missing()
        if not trial.pasted and ran.status:
            wrong = [*wrong, f"run again, it ends with {ran.status}"]
        if wrong:
            both = first._replace(output=f"{first.output}\n--- again\n{ran.output}")
            return self._told(trial, both, said, wrong)
        return None

    def _told(self, trial: Trial, ran: Ran, said: list[str], wrong: list[str]) -> str:
        calls = "\n".join(said[-40:])
        return (
            f"{self.transition.name}\n{trial.shown}\n{'; '.join(wrong)}\n"
            f"{ran.output[-3000:]}\n{calls}"
        )

    def trials(self, chance: random.Random, many: int) -> list[Trial]:
        """Faults at calls that the script makes, drawn by chance."""
        self.start(Trial(None))
        calls = self.once(Trial(None)).calls
        kinds = [*KINDS]
        found = []
        for _ in range(many):
            kind = chance.choice(kinds)
            first = chance.randint(1, max(calls, 1))
            last = chance.choice((first, first, FOR_EVER))
            if kind in ENDS_SCRIPT:
                last = first
            fault = Fault(kind, first, last)
            etcd = chance.choice(VERSIONS)
            found.append(Trial(fault, chance.random() < 0.3, etcd))
        return found


def _told_step(ran: Ran) -> str:
    """From which step a script says that it goes on; a terminal echoes its text too."""
    told = r"^(?:Fix|All steps are done)\b.*: bash plan\.sh (\d+)"
    steps = re.findall(told, ran.output, re.MULTILINE)
    return str(steps[-1]) if steps else ""
