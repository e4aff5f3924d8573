"""One list of commands on trial: what it does, and what the check says of it.

How such lists are come by, and in which words a refusal is told, is not known here.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from kopslint.checks.context import Context
from kopslint.findings import Severity
from kopslint.records import Frozen, Record
from kopslint.simulate.lists import CommandLists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.findings import Finding, Report
    from kopslint.kops.spec import Manifest
    from kopslint.plan.mend_lines import Listing
    from kopslint.simulate.record import Simulation
    from kopslint.simulate.situation import Situation
    from kopslint.source.text import Source

MENDED = (Severity.ERROR, Severity.WARNING)
"""How bad the findings are that a list may be rid of, the worst first."""

# What judging costs besides reading, in characters that are read in the same time.
_PER_WORLD = 25
_PER_COMMAND = 300
_PER_TRY = 6_000


class Change(Record):
    """Both sides of one cluster, and the files that its commands name besides."""

    before: Manifest
    after: Manifest
    at_hand: tuple[Source, ...] = ()

    def replay(self, source: Source) -> Simulation:
        """What a list of commands does to the cluster."""
        lists = CommandLists(
            (source,), {self.after.name}, partial=False, at_hand=self.at_hand
        )
        return lists.replay(self.before, self.after)

    @property
    def planning(self) -> tuple[str, ...]:
        """The kopslint call that prints a whole safe order, if there may be one."""
        return Context(self.after, self.before).planning

    def chars(self, source: Source) -> int:
        """How much has to be read to judge a list."""
        sources = (*self.before.sources, *self.after.sources, *self.at_hand, source)
        return sum(len(each.text) for each in sources)


class Try(Frozen):
    """One list and what the check says of it."""

    listing: Listing
    source: Source
    report: Report
    change: Change

    @cached_property
    def simulation(self) -> Simulation:
        """What the list does."""
        return self.change.replay(self.source)

    def told(self, severity: Severity) -> list[Finding]:
        """The findings about the list."""
        findings = self.report.findings
        return [
            f for f in findings if f.severity is severity and is_about(f, self.source)
        ]

    @property
    def harm(self) -> tuple[int, ...]:
        """How many findings there are, the worst first."""
        return tuple(self.report.count(severity) for severity in MENDED)

    @property
    def effort(self) -> int:
        """About how much it took to judge, in characters read."""
        looked = self.report.summary
        replay = looked.commands * (_PER_COMMAND + looked.worlds * _PER_WORLD)
        return _PER_TRY + self.change.chars(self.source) + replay

    def beats(self, other: Try) -> bool:
        """Whether this list is less harmful, or as much so and comes further."""
        if self.harm != other.harm:
            return self.harm < other.harm
        return self.lacks < other.lacks

    @cached_property
    def commands(self) -> Counter[str]:
        """Every command that is about the cluster."""
        return Counter(command.text for command in self.simulation.plan.commands)

    @cached_property
    def lacks(self) -> frozenset[str]:
        """What of the new spec is not reached at the end, in any possible course."""
        final = self.simulation.final
        after = self.simulation.plan.after
        return frozenset(lack for s in final for lack in _lacking(s, after))

    def accepted(self, start: Try) -> bool:
        """Whether this list may take the place of the one at the start."""
        known = {f.rule for f in start.report.findings if f.severity in MENDED}
        found = {f.rule for f in self.report.findings if f.severity in MENDED}
        return (
            not errors(self.report)
            and found <= known
            and self.lacks <= start.lacks
            and self.commands >= start.commands
        )


def errors(report: Report) -> list[Finding]:
    """The findings that make a list unfit to be run."""
    return [f for f in report.findings if f.severity is Severity.ERROR]


def is_about(finding: Finding, source: Source) -> bool:
    """Whether the first place of a finding is in a list."""
    return bool(finding.locations) and finding.locations[0].span.source is source


def _lacking(situation: Situation, after: Manifest) -> Iterator[str]:
    """What of a spec a situation has not reached, in words that tell things apart."""
    registry, applied = situation.registry, situation.applied
    if registry.cluster is not after.cluster:
        yield "the Cluster in the state store"
    if applied.cluster is not after.cluster:
        yield "the Cluster in the cloud"
    for name in {*registry.groups, *after.groups}:
        if registry.groups.get(name) is not after.groups.get(name):
            yield f"group {name} in the state store"
    for name in {*situation.cloud, *after.groups}:
        group = after.groups.get(name)
        if situation.cloud.get(name, 0) != (group.size if group else 0):
            yield f"group {name} in the cloud"
    for etcd in after.etcd_clusters:
        worlds = situation.etcd.get(etcd.name)
        letters = zip(*(w.names for w in worlds.settled), strict=True) if worlds else ()
        names = worlds.names if worlds else ()
        votes = {n for n, seen in zip(names, letters, strict=False) if {*seen} == {"L"}}
        for member in etcd.members:
            if member.name not in votes:
                yield f"member {member.name} of {etcd.name}"
