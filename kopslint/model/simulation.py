"""What a simulation leaves behind: every step, every moment in between, the end.

Checks read this; nothing here judges.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.commands.model import Reach
from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.commands.model import Command
    from kopslint.findings import Status
    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import Manifest
    from kopslint.model.assumptions import Assumption
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState, Result
    from kopslint.text import Span


class Moment(Record):
    """A moment inside a step: ``group``'s machine is down in a rolling update."""

    group: str
    etcd: Mapping[str, StateSet]


class Step(Frozen):
    """One command of the list as it ran: from which states into which.

    A command in a loop or in both branches of a condition is one step; all its
    runs are here together. ``runs`` says of each how many of ``before`` and of
    ``results`` are its own.
    """

    number: int
    command: Command
    before: tuple[ClusterState, ...]
    results: tuple[Result, ...]
    moments: tuple[Moment, ...] = ()
    title: str | None = None
    runs: tuple[tuple[int, int], ...] = ()

    @cached_property
    def after(self) -> tuple[ClusterState, ...]:
        """The states that the step leads to."""
        return tuple(result.state for result in self.results)

    @cached_property
    def refusals(self) -> tuple[Rejection, ...]:
        """Why it is refused, wherever it is, each reason once."""
        return tuple(dict.fromkeys(r for x in self.expected for r in x.refusals))

    @property
    def expected(self) -> tuple[Result, ...]:
        """What it comes to where no removal of a member has failed before it.

        What kops refuses after that keeps the list from harm.
        """
        working = tuple(r for r in self.results if not r.state.failing)
        return working or self.results

    @cached_property
    def way(self) -> str:
        """The value of a word that it takes for the step to run, in words; or none."""
        ways = dict(self.before[0].chosen) if self.before else {}
        for state in self.before[1:]:
            ways = {k: way for k, way in ways.items() if state.chosen.get(k) == way}
        return " and ".join(said for _, said in ways.values())

    @cached_property
    def status(self) -> Status:
        """What happened: the same in every run, or "unknown"."""
        found = {result.status for result in self.expected}
        return found.pop() if len(found) == 1 else "unknown"


class Undecided(Record):
    """Something that could not be read statically, and is taken to change nothing.

    ``step`` is None if it never became a step; ``reach`` is what it is handed, and
    ``behind`` the number of the last step before it.
    """

    span: Span
    reason: str
    step: int | None = None
    reach: Reach = Reach.MACHINE
    behind: int = 0


class Simulation(Frozen):
    """A whole command list replayed on one cluster.

    ``undecided`` is what could not be followed, ``assumptions`` what was taken for
    granted. ``skipped`` are commands of the list that no course reaches. ``passed`` are
    specs of files at hand, or made by ``--set``, that the list applies on its way, in
    order; ``goes_on`` is whether it may apply something else after the last of them.
    ``truncated`` says that more was possible than was followed; ``unfollowed`` is the
    first command that was not, where the budget ended;
    ``final`` is then what was reached by there.
    """

    plan: Scenario
    start: ClusterState
    steps: tuple[Step, ...]
    final: tuple[ClusterState, ...]
    undecided: tuple[Undecided, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    skipped: tuple[Command, ...] = ()
    passed: tuple[Manifest, ...] = ()
    goes_on: bool = False
    truncated: bool = False
    unfollowed: Command | None = None

    @cached_property
    def known(self) -> dict[object, tuple[object, ...]]:
        """The properties that were asked for, for ``facts.remembered``."""
        return {}
