"""Which findings the comments silence, and which comments silence what.

A comment speaks about the line that a report names first: the primary location of
a finding. A file of the state before a change lies in the past; its comments still
count, but nobody can change them, so only those of today are judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Suppression
from kopslint.records import Record
from kopslint.suppress.directives import (
    MARK,
    Directive,
    Malformed,
    read_directive,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from kopslint.findings import Finding
    from kopslint.rulebook.model import Rule
    from kopslint.suppress.directives import Comment
    from kopslint.text import Source


class Texts(Record):
    """The inputs of a check.

    ``past`` are the specs that a change leaves behind, None if there is no change.
    ``at_hand`` are files that the commands name: others use them too, so comments in
    them count and are not judged.
    Without ``alone`` there are other clusters whose rules are not asked here.
    Files called ``shared`` are also about clusters that are not checked here, so a
    comment in them may silence something there.
    """

    specs: tuple[Source, ...]
    commands: tuple[Source, ...] = ()
    past: tuple[Source, ...] | None = None
    alone: bool = True
    shared: frozenset[str] = frozenset()
    at_hand: tuple[Source, ...] = ()


class Judged(Record):
    """A directive of today and what became of it.

    ``rules`` are those that it names, ``unknown`` the words that name none;
    ``silenced`` are the ids of the rules that it silenced a finding of, and
    ``everywhere`` says that all clusters that it may be about were checked.
    """

    directive: Directive
    rules: tuple[Rule, ...]
    unknown: tuple[str, ...]
    silenced: frozenset[str]
    expired: bool
    everywhere: bool


class Outcome(Record):
    """Findings with and without a suppression, and what there is to say about it.

    ``tested`` are the ids of the rules that could have found something in this
    check, ``known`` all that there are, by id and name.
    """

    kept: tuple[Finding, ...]
    suppressed: tuple[tuple[Finding, Suppression], ...]
    judged: tuple[Judged, ...]
    malformed: tuple[Malformed, ...]
    known: Mapping[str, Rule]
    tested: frozenset[str]


def silence(
    findings: Iterable[Finding],
    texts: Texts,
    rules: Iterable[Rule],
    *,
    known: Iterable[Rule],
    today: date | None,
) -> Outcome:
    """Take out the findings that comments in ``texts`` silence.

    ``rules`` were asked, and ``known`` are all that a comment may name. Without
    ``today`` nothing expires.
    """
    by_name = {key.lower(): rule for rule in known for key in (rule.id, rule.name)}
    read = [*map(read_directive, _comments(texts.specs, texts.commands))]
    present = [each for each in read if isinstance(each, Directive)]
    past = [
        each
        for each in map(read_directive, _comments(texts.past or (), texts.at_hand))
        if isinstance(each, Directive)
    ]
    active = [
        (each, {rule.id for rule in _named(each, by_name) if rule.ignorable})
        for each in (*present, *past)
        if each.reason and not _is_expired(each, today)
    ]
    kept: list[Finding] = []
    suppressed: list[tuple[Finding, Suppression]] = []
    used: set[tuple[Directive, str]] = set()
    for finding in findings:
        by = [
            each
            for each, ids in active
            if finding.rule in ids and _covers(each, finding)
        ]
        used.update((each, finding.rule) for each in by)
        if by:
            comment = Suppression("comment", by[0].reason, by[0].comment.span)
            suppressed.append((finding, comment))
        else:
            kept.append(finding)
    return Outcome(
        kept=tuple(kept),
        suppressed=tuple(suppressed),
        judged=tuple(
            Judged(
                directive=each,
                rules=_named(each, by_name),
                unknown=tuple(n for n in each.rules if n.lower() not in by_name),
                silenced=frozenset(
                    rule for other, rule in used if other == each or _same(other, each)
                ),
                expired=_is_expired(each, today),
                everywhere=each.comment.span.source.path not in texts.shared,
            )
            for each in present
        ),
        malformed=tuple(each for each in read if isinstance(each, Malformed)),
        known=by_name,
        tested=tested(
            rules if texts.alone else (),
            change=texts.past is not None,
            commands=bool(texts.commands),
        ),
    )


def tested(rules: Iterable[Rule], *, change: bool, commands: bool) -> frozenset[str]:
    """The ids of those rules that would have spoken, had there been anything to find.

    Rules about a change or about commands are silent where there is none.
    """
    categories = {"spec", "house", "suppression"}
    if change:
        categories.add("change")
    if commands:
        categories |= {"order", "commands", "undecided"}
    return frozenset(rule.id for rule in rules if rule.category in categories)


def _comments(
    specs: Sequence[Source], commands: Sequence[Source] = ()
) -> Iterator[Comment]:
    if not any(MARK in source.text for source in (*specs, *commands)):
        return
    # This reads every notation of commands, and most inputs have no such comment.
    from kopslint.suppress.comments import comments_in_commands, comments_in_spec

    for source in specs:
        yield from comments_in_spec(source)
    for source in commands:
        yield from comments_in_commands(source)


def _named(directive: Directive, by_name: Mapping[str, Rule]) -> tuple[Rule, ...]:
    found = (by_name.get(name.lower()) for name in directive.rules)
    return tuple(dict.fromkeys(rule for rule in found if rule is not None))


def _is_expired(directive: Directive, today: date | None) -> bool:
    return bool(today and directive.until and directive.until < today)


def _covers(directive: Directive, finding: Finding) -> bool:
    """Whether the line that a report names first for a finding is meant.

    For a whole file it is enough that it is called the same: a finding about what
    was removed lies in the text before the change, where no comment can be added.
    """
    if not finding.locations:
        return False
    place, comment = finding.locations[0].span, directive.comment.span
    if directive.whole_file:
        return place.source.path == comment.source.path
    return place.source is comment.source and place.line in directive.comment.lines


def _same(one: Directive, other: Directive) -> bool:
    """Whether one is the other as it stood before the change."""
    here, there = one.comment, other.comment
    return (
        here.words == there.words
        and here.span.source is not there.span.source
        and here.span.source.path == there.span.source.path
    )
