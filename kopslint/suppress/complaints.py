"""What is wrong with the comments themselves: a function for each rule about them.

They are asked once for a whole check, after everything else: only then is it known
what a comment silenced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.findings import Draft, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.suppress.directives import Comment
    from kopslint.suppress.silence import Outcome


def unused_suppression(outcome: Outcome) -> Iterator[Draft]:
    """A comment silences nothing, although its rule was asked."""
    for judged in outcome.judged:
        if not judged.directive.reason or judged.expired or not judged.everywhere:
            continue
        for rule in judged.rules:
            if (
                rule.ignorable
                and rule.id in outcome.tested
                and rule.id not in judged.silenced
            ):
                yield _about(
                    judged.directive.comment,
                    message=f"ignore[{rule.id}] silences nothing here",
                    why=f"An unneeded comment would silence the next {rule.name} here.",
                    subject=rule.id,
                    fix="# remove the comment, or the rule from it; a comment applies"
                    " to the line that the finding names first",
                )


def suppression_without_reason(outcome: Outcome) -> Iterator[Draft]:
    """A comment does not say why."""
    for judged in outcome.judged:
        if not judged.directive.reason:
            yield _about(
                judged.directive.comment,
                message="nothing is ignored here, because the comment gives no reason",
                why="The next reader has to know why it was safe, and for how long.",
                subject=",".join(judged.directive.rules),
                fix=f"# kopslint: ignore[{','.join(judged.directive.rules)}] REASON",
            )


def unknown_rule_in_suppression(outcome: Outcome) -> Iterator[Draft]:
    """A comment names a rule that does not exist."""
    for judged in outcome.judged:
        for name in judged.unknown:
            yield _about(
                judged.directive.comment,
                message=f"there is no rule {name} to ignore{_guess(name, outcome)}",
                why="A comment silences only the rules that it names by id or name;"
                " prefixes and categories work only in the configuration.",
                subject=name,
                fix="# kopslint rules",
            )


def _guess(name: str, outcome: Outcome) -> str:
    """The rule that may have been meant; the start of ids means none in particular."""
    if any(known.startswith(name.lower()) for known in outcome.known):
        return ""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), outcome.known, n=1)
    rule = outcome.known[near[0]] if near else None
    return f", did you mean {rule.id} ({rule.name})?" if rule else ""


def expired_suppression(outcome: Outcome) -> Iterator[Draft]:
    """The last day of a comment is over."""
    for judged in outcome.judged:
        if judged.expired:
            yield _about(
                judged.directive.comment,
                message=f"this was ignored until {judged.directive.until}",
                why="That day has passed, so what it silenced counts again. The"
                f" reason was: {judged.directive.reason or 'none'}.",
                subject=",".join(judged.directive.rules),
                fix="# fix what it silenced and remove the comment, or set a new date",
            )


def suppression_not_allowed(outcome: Outcome) -> Iterator[Draft]:
    """A comment names a rule that no comment can silence."""
    for judged in outcome.judged:
        for rule in judged.rules:
            if not rule.ignorable:
                yield _about(
                    judged.directive.comment,
                    message=f"{rule.id} ({rule.name}) cannot be ignored",
                    why="Its rule says so with ignorable: false, and it is reported"
                    " whatever the comment says.",
                    subject=rule.id,
                    fix="# fix the finding, and remove the rule from the comment",
                )


def malformed_suppression(outcome: Outcome) -> Iterator[Draft]:
    """A comment is addressed to kopslint and not understood."""
    for problem in outcome.malformed:
        yield _about(
            problem.comment,
            message=problem.message,
            why="A malformed comment silences nothing, so that a typo cannot hide"
            " more than intended.",
            subject=problem.comment.words,
            fix=f"# {problem.hint}",
        )


def _about(
    comment: Comment, *, message: str, why: str, subject: str, fix: str
) -> Draft:
    return Draft(
        message=message,
        why=why,
        locations=(Location(comment.span, ""),),
        subject=subject,
        fix=(fix,),
    )
