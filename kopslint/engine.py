"""The whole tool as one pure call: sources in, report out.

``check`` reads both sides of a change and the commands, replays the commands on
every cluster, asks every rule, and hands back what was found. It opens no file,
runs no program and prints nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kopslint.checks.context import Context
from kopslint.config.settings import DEFAULT
from kopslint.errors import NothingCheckedError
from kopslint.findings import Finding, Report, Summary
from kopslint.kops.fleet import Fleet, read_fleet
from kopslint.kops.spec import Manifest
from kopslint.rulebook.loader import load_rules
from kopslint.simulate.lists import CommandLists
from kopslint.suppress.silence import Texts, silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.checks.house import HouseRule
    from kopslint.config.settings import Settings
    from kopslint.findings import Draft, Severity, TimelineEntry
    from kopslint.rulebook.model import Rule
    from kopslint.simulate.record import Simulation
    from kopslint.source.text import Source
    from kopslint.suppress.silence import Outcome


NO_CLUSTER = "(no cluster)"
"""Stands for the cluster of objects that do not say whose they are."""


@dataclass(frozen=True)
class Request:
    """What to check.

    ``before`` is None if there is no change, only a state; ``after`` is None if the
    state before is all there is, as when a list of commands is tried on it.
    ``partial`` says that there are other clusters besides these, so that a command
    that names another one means that one and is no mistake.
    """

    before: tuple[Source, ...] | None = None
    after: tuple[Source, ...] | None = None
    commands: tuple[Source, ...] = ()
    partial: bool = False


def check(request: Request, settings: Settings = DEFAULT) -> Report:
    """Check everything in ``request`` as ``settings`` say, by default as the rulebook.

    Raises ``InputError`` for sources that cannot be read as what they are, and
    ``NothingCheckedError`` if no source holds a kops cluster.
    """
    rules = load_rules() if settings.rules is None else settings.rules
    hazards = [rule for rule in rules if not rule.judges_comments]
    house = _house_rules(rules)
    before, after = _sides(request)
    names = sorted({*before.manifests, *after.manifests})
    if not names:
        raise NothingCheckedError(
            "no kops cluster was found in the inputs, so nothing was checked",
            hint="name files that hold kind: Cluster or kind: InstanceGroup",
        )
    lists = CommandLists(
        request.commands, {*names} - {NO_CLUSTER}, partial=request.partial
    )
    findings: dict[Finding, None] = {}
    timeline: list[TimelineEntry] = []
    worlds = commands = 0
    for name in names:
        context = replace(
            _context(name, before, after, request, lists),
            house=house,
            kops_version=settings.kops_version,
            etcd_volumes=settings.etcd_volumes,
        )
        findings.update(dict.fromkeys(_ask(hazards, context, name, settings)))
        simulation = context.simulation
        if simulation is not None:
            from kopslint.simulate.views import timeline as timeline_of

            timeline.extend(timeline_of(simulation))
            worlds = max(worlds, _most_worlds(simulation))
            commands = max(commands, len(simulation.steps))
    outcome = silence(
        _once(findings),
        _texts(request) if settings.ignores else Texts(()),
        rules,
        known=load_rules() if settings.known is None else settings.known,
        today=settings.today,
    )
    comments = [rule for rule in rules if rule.judges_comments]
    complaints = _ask(comments, outcome, None, settings)
    return Report(
        findings=tuple(sorted((*outcome.kept, *complaints), key=_order)),
        timeline=tuple(timeline),
        summary=Summary(
            clusters=tuple(names),
            specs=_count(request.before) + _count(request.after),
            commands=commands,
            rules=len(rules),
            worlds=worlds,
            paths=_paths(request),
            skipped=_skipped(before, after),
            before=_control_plane(before) if request.before is not None else None,
            after=_control_plane(after) if request.before is not None else None,
        ),
        suppressed=outcome.suppressed,
    )


def _sides(request: Request) -> tuple[Fleet, Fleet]:
    """Both sides; where only one is given, it is the state to check."""
    before = _with_strays(read_fleet(request.before or ()))
    if request.after is None:
        return before, before
    return before, _with_strays(read_fleet(request.after))


def _with_strays(fleet: Fleet) -> Fleet:
    """The same with one nameless manifest for what is wrong outside all clusters."""
    if not fleet.flaws:
        return fleet
    stray = Manifest(NO_CLUSTER, None, {}, flaws=fleet.flaws)
    return Fleet({**fleet.manifests, NO_CLUSTER: stray}, fleet.skipped)


def _context(
    name: str, before: Fleet, after: Fleet, request: Request, lists: CommandLists
) -> Context:
    old, new = before.manifests.get(name), after.manifests.get(name)
    state = new or old
    assert state is not None  # noqa: S101 (the name came from one of the two)
    is_change = old is not None and new is not None and request.after is not None
    simulation = None
    known = name != NO_CLUSTER and (old is not None or request.before is None)
    if lists.scripts and known:
        simulation = lists.replay(old or state, state)
    return Context(
        after=state,
        before=old if is_change else None,
        simulation=simulation,
        misnamed=lists.misnamed,
    )


def _ask(
    rules: Iterable[Rule],
    about: Context | Outcome,
    cluster: str | None,
    settings: Settings,
) -> Iterator[Finding]:
    for rule in rules:
        for draft in rule.load_check()(about):
            severity = settings.severity(rule, draft)
            if severity is not None:
                yield _finding(rule, draft, cluster, severity)


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, with one that is word for word that of several clusters told once.

    Such a finding is about the command list, and so about no cluster in particular.
    """
    same: dict[Finding, list[Finding]] = {}
    for finding in findings:
        same.setdefault(replace(finding, cluster=None), []).append(finding)
    for about_none, found in same.items():
        yield found[0] if len(found) == 1 else about_none


def _house_rules(rules: Iterable[Rule]) -> tuple[HouseRule, ...]:
    """The rules of a team's own, for the rule that tells which cannot be decided."""
    if not any(rule.house for rule in rules):
        return ()
    from kopslint.rulebook.expressions import house_rule

    return tuple(house_rule(rule) for rule in rules if rule.house)


def _texts(request: Request) -> Texts:
    """The inputs as far as comments in them count."""
    if request.after is None:
        return Texts(request.before or (), request.commands, alone=not request.partial)
    return Texts(
        request.after,
        request.commands,
        past=request.before,
        alone=not request.partial,
    )


def _finding(
    rule: Rule, draft: Draft, cluster: str | None, severity: Severity
) -> Finding:
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=severity,
        certainty=draft.certainty,
        message=draft.message,
        why=draft.why,
        locations=draft.locations,
        subject=draft.subject,
        fix=draft.fix,
        step=draft.step,
        cluster=cluster,
        etcd_cluster=draft.etcd_cluster,
        trace=draft.trace,
        story=draft.story,
    )


def _order(finding: Finding) -> tuple[object, ...]:
    """By place, then the worse first; the same input always gives the same order."""
    where = finding.locations[0].span.order if finding.locations else ("", 0, 0, 0, 0)
    return (
        where,
        finding.severity.rank,
        finding.rule,
        finding.cluster or "",
        finding.subject,
        finding.message,
    )


def _most_worlds(simulation: Simulation) -> int:
    return max(
        (
            len(worlds.worlds)
            for step in simulation.steps
            for situation in step.after
            for worlds in situation.etcd.values()
        ),
        default=1,
    )


def _count(sources: tuple[Source, ...] | None) -> int:
    return len(sources or ())


def _paths(request: Request) -> tuple[str, ...]:
    inputs = (*(request.before or ()), *(request.after or ()), *request.commands)
    return tuple(sorted({source.path for source in inputs}))


def _control_plane(fleet: Fleet) -> int:
    return sum(len(m.control_plane) for m in fleet.manifests.values())


def _skipped(*fleets: Fleet) -> tuple[str, ...]:
    return tuple(sorted({s.path for fleet in fleets for s in fleet.skipped}))
