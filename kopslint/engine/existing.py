"""What stands before a change as well: not what the change brings, so it does not fail.

The base is checked by itself, with its own command lists, by the rules that found
something. A finding is known again by what it is about and never by its place, so
lines and files may move. What a change brings counts even where the same was said
before: a finding about a change or an order is existing only if neither its list nor
an object that it names has changed.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from kopslint.engine.aggregate import conclude
from kopslint.errors import InputError, NothingCheckedError
from kopslint.findings import Certainty
from kopslint.kops.decode import with_same_objects
from kopslint.records import Record
from kopslint.rulebook.loader import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kopslint.config.settings import Settings
    from kopslint.engine.examine import Examiner, Request
    from kopslint.findings import Finding, Report
    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.rulebook.model import Rule
    from kopslint.text import Source, Span


def told_apart(
    report: Report, request: Request, settings: Settings, examiner: Examiner
) -> Report:
    """The report with what stands before the change as well moved to ``existing``.

    ``examiner`` is the one that has read both sides of ``request``.
    """
    rules = load_rules() if settings.rules is None else settings.rules
    change = _Change(request, examiner, {rule.id: rule for rule in rules})
    perhaps = [each for each in report.findings if not change.concerns(each)]
    if not perhaps:
        return report
    stands = _base_findings(perhaps, request, settings, rules, examiner)
    existing = {*_matched(perhaps, stands, change)}
    return report._replace(
        findings=tuple(each for each in report.findings if each not in existing),
        existing=tuple(
            each._replace(existing=True) for each in report.findings if each in existing
        ),
    )


def _base_findings(
    perhaps: Iterable[Finding],
    request: Request,
    settings: Settings,
    rules: Sequence[Rule],
    examiner: Examiner,
) -> tuple[Finding, ...]:
    """What the rules of these findings say of the base, as if nothing had changed."""
    assert request.base is not None  # noqa: S101 (nothing else is told apart)
    wanted = {finding.rule for finding in perhaps}
    asked = tuple(rule for rule in rules if rule.id in wanted or rule.house)
    if any(rule.judges_comments for rule in asked if rule.id in wanted):
        # What a comment silences, the other rules must have found.
        asked = tuple(rules)
    known = load_rules() if settings.known is None else settings.known
    settings = settings._replace(rules=asked, known=known)
    base = request._replace(
        after=request.before,
        commands=request.base.commands,
        at_hand=request.base.at_hand,
        lost_lists=(),
        changed_lists=(),
        base=None,
    )
    try:
        return _concluded(base, settings, examiner)
    except InputError:
        # A change may be what mends a list that could not be read.
        alone = base._replace(commands=(), at_hand=())
        return _concluded(alone, settings, examiner)


def _concluded(
    base: Request, settings: Settings, examiner: Examiner
) -> tuple[Finding, ...]:
    examination = examiner.of_base(base, settings).examine(base)
    try:
        return conclude(base, settings, examination).findings
    except NothingCheckedError:
        return ()


def _matched(
    findings: Sequence[Finding], stands: Iterable[Finding], change: _Change
) -> Iterator[Finding]:
    """Those of the findings that stand: each of the base's stands for one at most.

    One that says the very same comes first. What got worse or certain is new. A finding
    about several objects goes on standing when some of them are fixed.
    """
    left: dict[object, list[Finding]] = {}
    alike: dict[object, list[Finding]] = {}
    for old in stands:
        left.setdefault(old.identity, []).append(old)
        alike.setdefault((old.identity[:-1], old.message), []).append(old)
    waiting = []
    for finding in findings:
        olds = left.get(finding.identity, [])
        same = [o for o in olds if o.message == finding.message]
        if match := next((o for o in same if _is_no_worse(finding, o)), None):
            olds.remove(match)
            yield finding
        else:
            waiting.append(finding)
    for finding in waiting:
        olds = left.get(finding.identity, [])
        if match := next((o for o in olds if _is_no_worse(finding, o)), None):
            olds.remove(match)
            yield finding
        elif any(
            _is_no_worse(finding, old) and change.is_part(finding, old)
            for old in alike.get((finding.identity[:-1], finding.message), ())
        ):
            yield finding


def _is_no_worse(new: Finding, old: Finding) -> bool:
    if new.severity.rank < old.severity.rank:
        return False
    return new.certainty is old.certainty or new.certainty is Certainty.POSSIBLE


class _Objects(Record):
    """The objects of a cluster that differ between both sides, as each side has them.

    ``added`` are those that are only in the side after, ``groups`` and ``cluster`` the
    names of all that differ. ``membership`` and ``control_plane`` say whether members
    of etcd differ, and anything that etcd rests on.
    """

    changed: tuple[Cluster | InstanceGroup, ...]
    added: tuple[Cluster | InstanceGroup, ...]
    groups: frozenset[str]
    cluster: str | None
    membership: bool
    control_plane: bool


def _lies_in(span: Span, objects: Iterable[Cluster | InstanceGroup]) -> bool:
    return any(
        each.node.span.source is span.source
        and each.node.span.line <= span.line <= each.node.span.end_line
        for each in objects
    )


def _objects(before: Manifest | None, after: Manifest | None) -> _Objects:
    old = [before.cluster] if before and before.cluster else []
    new = [after.cluster] if after and after.cluster else []
    old_groups = dict(before.groups) if before else {}
    new_groups = dict(after.groups) if after else {}
    if before is not None and after is not None:
        # What is equal is the same object then.
        same = with_same_objects(after, (before,))
        if old and same.cluster is old[0]:
            old = new = []
        kept = {
            name for name, group in same.groups.items() if group is old_groups.get(name)
        }
        old_groups = {n: g for n, g in old_groups.items() if n not in kept}
        new_groups = {n: g for n, g in new_groups.items() if n not in kept}
    groups = (*old_groups.values(), *new_groups.values())
    name = next((each.name for each in (*old, *new)), None)
    return _Objects(
        changed=(*old, *new, *groups),
        added=(
            *(new if not old else ()),
            *(group for name, group in new_groups.items() if name not in old_groups),
        ),
        groups=frozenset(each.name for each in groups),
        cluster=name,
        membership=[each.membership for each in old]
        != [each.membership for each in new],
        control_plane=name is not None or any(g.is_control_plane for g in groups),
    )


class _Change:
    """What a change has to do with a finding."""

    def __init__(
        self, request: Request, examiner: Examiner, rules: Mapping[str, Rule]
    ) -> None:
        assert request.base is not None  # noqa: S101 (nothing else is told apart)
        self._rules = rules
        self._specs = {*request.specs}
        old = examiner.fleet(request.before or ()).manifests
        new = examiner.fleet(request.after or ()).manifests
        self._objects = {
            name: _objects(old.get(name), new.get(name)) for name in {*old, *new}
        }
        texts = (*request.commands, *request.at_hand, *request.lost_lists)
        self._lists = {*texts} - self._specs
        before = (*request.base.commands, *request.base.at_hand)
        self._changed_lists = {*_changed_texts(before, self._lists)}

    def concerns(self, finding: Finding) -> bool:
        """Whether a finding is about something that changed, and so counts.

        What is wrong with one spec is not, whatever changed in that spec.
        """
        rule = self._rules[finding.rule]
        places = {place.span.source for place in finding.locations}
        is_ordered = finding.step is not None or not places.isdisjoint(self._lists)
        if rule.category in ("spec", "house") and not is_ordered:
            return False
        if not places.isdisjoint(self._changed_lists):
            return True
        # What cannot be followed may mean anything that etcd rests on.
        anything = rule.category == "undecided"
        return any(
            objects.membership
            or (anything and objects.control_plane)
            or _names(finding, objects, self._lists)
            for name, objects in self._objects.items()
            if finding.cluster in (name, None)
        )

    def is_part(self, finding: Finding, old: Finding) -> bool:
        """Whether a finding points at nothing that an old one did not point at."""
        places = [place.span for place in finding.locations]
        added = [each for found in self._objects.values() for each in found.added]
        if not places or any(_lies_in(span, added) for span in places):
            return False
        return _lines(finding) <= _lines(old)


def _changed_texts(
    before: Iterable[Source], after: Iterable[Source]
) -> Iterator[Source]:
    """The texts that are not as before, whether in the same place or moved away."""
    after = tuple(after)
    kept = {(source.path, source.text) for source in before}
    moved = Counter(text for path, text in kept if path not in {s.path for s in after})
    for source in after:
        if (source.path, source.text) in kept:
            continue
        if moved[source.text]:
            moved[source.text] -= 1
        else:
            yield source


def _lines(finding: Finding) -> Counter[str]:
    """The lines that a finding points at, as they are written."""
    spans = (place.span for place in finding.locations)
    return Counter(span.source.line(span.line).strip() for span in spans)


def _names(finding: Finding, objects: _Objects, lists: set[Source]) -> bool:
    """Whether a finding names one of the objects, in a place or in words.

    A command that is addressed to a cluster says nothing of its Cluster object.
    """
    places = [place.span for place in finding.locations]
    if any(_lies_in(span, objects.changed) for span in places):
        return True
    said = [finding.message, *(place.label for place in finding.locations)]
    if objects.cluster is not None and _word(objects.cluster, said):
        return True
    lines = (
        span.source.line(number)
        for span in places
        if span.source in lists
        for number in range(span.line, span.end_line + 1)
    )
    said += [finding.subject, *lines]
    return any(_word(name, said) for name in objects.groups)


def _word(name: str, texts: Iterable[str]) -> bool:
    """Whether a name stands in one of the texts as a word of its own."""
    pattern = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)")
    return any(name in text and pattern.search(text) for text in texts)
