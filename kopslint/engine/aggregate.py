"""One report of all clusters: what takes every finding together.

A finding that several clusters share is reported once, comments silence findings where
they stand, and only then is it known which comments silence nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.engine.examine import ask, loaded
from kopslint.errors import NothingCheckedError
from kopslint.findings import Finding, Observed, Report, Summary, in_order, order
from kopslint.rulebook.loader import load_rules
from kopslint.suppress.silence import Texts, silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.config.own_change import OwnChange
    from kopslint.config.settings import Settings
    from kopslint.engine.examine import Examination, Request
    from kopslint.errors import InputError


def conclude(request: Request, settings: Settings, examination: Examination) -> Report:
    """The report of everything in ``request``, of which every cluster was examined.

    Raises ``NothingCheckedError`` if there is no cluster at all.
    """
    if not examination.sources:
        raise NothingCheckedError(
            "no kops cluster was found in the input, so nothing was checked",
            hint="name files that hold kind: Cluster or kind: InstanceGroup",
        )
    rules = load_rules() if settings.rules is None else settings.rules
    clusters = examination.clusters
    outcome = silence(
        once(f for cluster in clusters.values() for f in cluster.findings),
        _texts(request, settings, examination) if settings.ignores else Texts(()),
        rules,
        known=load_rules() if settings.known is None else settings.known,
        today=settings.today,
    )
    comments = loaded(rule for rule in rules if rule.judges_comments)
    complaints = dict.fromkeys(ask(comments, lambda _: (outcome,), None, settings))
    return Report(
        findings=in_order((*outcome.kept, *complaints)),
        timeline=tuple(e for cluster in clusters.values() for e in cluster.timeline),
        summary=total(cluster.summary for cluster in clusters.values())._replace(
            specs=sum(1 for _ in request.specs),
            rules=len(rules),
            paths=tuple(sorted({s.path for s in (*request.specs, *request.commands)})),
            skipped=tuple(sorted({source.path for source in examination.skipped})),
            lists=tuple(sorted({source.path for source in request.commands})),
            observed=tuple(_observed(request)),
        ),
        suppressed=tuple(sorted(outcome.suppressed, key=lambda pair: order(pair[0]))),
    )


def together(reports: Sequence[Report], rules: int) -> Report:
    """One report of several, that were made with so many rules."""
    suppressed = dict.fromkeys(pair for each in reports for pair in each.suppressed)
    return Report(
        findings=in_order(once(f for each in reports for f in each.findings)),
        existing=in_order(once(f for each in reports for f in each.existing)),
        suppressed=tuple(sorted(suppressed, key=lambda pair: order(pair[0]))),
        timeline=tuple(entry for each in reports for entry in each.timeline),
        summary=total(each.summary for each in reports)._replace(rules=rules),
    )


def about_unread(error: InputError, settings: Settings) -> Report:
    """A report that says only why a file cannot be read."""
    from kopslint.checks.context import Context
    from kopslint.engine.examine import NO_CLUSTER
    from kopslint.kops.decode import unreadable
    from kopslint.kops.spec import Manifest
    from kopslint.text import Source

    source = error.span.source if error.span is not None else Source("", "")
    flaw = unreadable(source, error)
    nothing = Manifest(name=NO_CLUSTER, cluster=None, groups={}, flaws=(flaw,))
    rules = load_rules() if settings.rules is None else settings.rules
    asked = loaded(
        rule for rule in rules if rule.check == "spec_files:malformed_object"
    )
    context = Context(after=nothing, before=None)
    found = ask(asked, lambda _: (context,), None, settings)
    return Report(findings=in_order(found))


def with_own_changes(
    report: Report, changes: Sequence[OwnChange], settings: Settings
) -> Report:
    """The report with what its change says about the check itself."""
    if not changes:
        return report
    rules = load_rules() if settings.rules is None else settings.rules
    asked = loaded(rule for rule in rules if rule.judges_settings)
    found = ask(asked, lambda _: (changes,), None, settings)
    return report._replace(findings=in_order((*report.findings, *found)))


def total(parts: Iterable[Summary]) -> Summary:
    """What was looked at in all parts."""
    parts = tuple(parts)
    changes = [(s.before, s.after) for s in parts if None not in (s.before, s.after)]
    return Summary(
        clusters=tuple(sorted({name for s in parts for name in s.clusters})),
        specs=sum(s.specs for s in parts),
        commands=max((s.commands for s in parts), default=0),
        worlds=max((s.worlds for s in parts), default=0),
        paths=tuple(sorted({path for s in parts for path in s.paths})),
        skipped=tuple(sorted({path for s in parts for path in s.skipped})),
        lists=tuple(sorted({path for s in parts for path in s.lists})),
        unread=tuple(sorted({path for s in parts for path in s.unread})),
        observed=tuple(dict.fromkeys(one for s in parts for one in s.observed)),
        ambient=next((s.ambient for s in parts if s.ambient is not None), None),
        rotated=next((s.rotated for s in parts if s.rotated is not None), None),
        before=sum(before or 0 for before, _ in changes) if changes else None,
        after=sum(after or 0 for _, after in changes) if changes else None,
    )


def _observed(request: Request) -> Iterator[Observed]:
    """The outputs that were read of the cluster itself."""
    for one in request.observed.readings if request.observed is not None else ():
        yield Observed(
            command=one.command,
            form=one.form,
            path=one.span.source.path,
            etcd_cluster=one.etcd_cluster,
            node=one.node,
            taken=one.taken.isoformat() if one.taken is not None else None,
        )


def once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; one that is the same word for word in several clusters is one.

    Such a finding is about the command list, and so about no cluster in particular.
    """
    same: dict[Finding, dict[Finding, None]] = {}
    for finding in findings:
        about_none = finding._replace(cluster=None)
        same.setdefault(about_none, {})[finding] = None
    for about_none, found in same.items():
        yield next(iter(found)) if len(found) == 1 else about_none


def _texts(request: Request, settings: Settings, examination: Examination) -> Texts:
    """The inputs as far as comments in them count.

    To a shard that is not what is about clusters of others alone.
    """
    texts = Texts(
        (request.before or ()) if request.after is None else request.after,
        request.commands,
        past=None if request.after is None else request.before,
        alone=not request.partial,
        at_hand=request.at_hand,
    )
    shard = settings.shard
    if shard is None:
        return texts
    ours: set[str] = set()
    others = {source.path for source in request.commands}
    for name, sources in examination.sources.items():
        paths = ours if shard.holds(name) else others
        paths.update(source.path for source in sources)
    return texts._replace(
        specs=tuple(s for s in texts.specs if s.path in ours or s.path not in others),
        shared=frozenset(others),
    )
