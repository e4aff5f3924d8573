"""What a comment to kopslint asks for, or what is wrong with it.

A comment that is not exactly right silences nothing: a typing mistake must never hide
more than was meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from datetime import date

    from kopslint.text import Span

MARK = "kopslint:"
"""What a comment to kopslint begins with."""

_FORM = r"(?P<verb>ignore(?:-file)?)\[(?P<rules>[^][]*)\](?P<rest>.*)"
_VERBS = ("ignore", "ignore-file", "skip")
_OPTION = r"(?:^|[\s,])[\s,]*(?P<name>[A-Za-z][\w-]*)=(?P<value>\S*)$"
_DATE = r"\d{4}-\d{2}-\d{2}"
# A last day that is not written as one must not become a part of the reason.
_STRAY_DATE = r"(?i)\b(?:until|expires?)\b\s*[:=]|\buntil\s+\d"


class Directive(Record):
    """``rules`` are not to count where ``comment`` says, or in the whole file.

    ``rules`` are ids or names as written; ``reason`` is empty if there is none;
    ``until`` is the last day on which it holds.
    """

    comment: Comment
    rules: tuple[str, ...]
    reason: str
    until: date | None = None
    whole_file: bool = False


class Malformed(Record):
    """A comment to kopslint that it does not understand; ``hint`` says what it does."""

    comment: Comment
    message: str
    hint: str


def read_directive(comment: Comment) -> Directive | Malformed | None:
    """What a comment asks for.

    None for ``skip`` in an HTML comment, which is for the reader of runbooks.
    """
    if comment.words == "skip" and comment.is_html:
        return None
    match = re.fullmatch(_FORM, comment.words)
    names = _names(match["rules"]) if match else ()
    if match is None or not names:
        return Malformed(
            comment, _misunderstood(comment.words), "write ignore[KL303] REASON"
        )
    if match["verb"] == "ignore-file" and not comment.at_top:
        return Malformed(
            comment,
            "ignore-file works only at the top of a file",
            "move it above everything that is not a comment, or write ignore",
        )
    rest = match["rest"].strip(" \t:")
    until = None
    option = re.search(_OPTION, rest)
    if option and _is_until(option["name"], option["value"]):
        try:
            until = _day(option["name"], option["value"])
        except ValueError as error:
            return Malformed(comment, str(error), "write until=2027-01-31")
        rest = rest[: option.start()]
    if re.search(_STRAY_DATE, rest):
        return Malformed(
            comment,
            "until= is not at the end of the comment, or has no date",
            "end the comment with until=2027-01-31",
        )
    return Directive(
        comment,
        names,
        reason=rest.strip(" \t,-\N{EN DASH}\N{EM DASH}"),
        until=until,
        whole_file=match["verb"] == "ignore-file",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _misunderstood(words: str) -> str:
    from difflib import get_close_matches

    verb = re.match(r"[\w-]+", words)
    word = verb[0] if verb else words
    if word in _VERBS:
        return f"'{words}' does not say which rules to ignore"
    near = get_close_matches(word.lower(), _VERBS, n=1)
    guess = f", did you mean {near[0]}?" if near else ""
    return f"kopslint does not know '{word}'{guess}"


def _is_until(name: str, value: str) -> bool:
    """Whether an option is the last day or a misspelling of it."""
    from difflib import get_close_matches

    return re.fullmatch(_DATE, value) is not None or bool(
        get_close_matches(name.lower(), ["until", "expires"], n=1)
    )


def _day(name: str, value: str) -> date:
    """The last day. Raises ``ValueError`` with a sentence if it is none."""
    from datetime import date

    if name != "until":
        raise ValueError(f"there is no {name}=, only until=")
    if not re.fullmatch(_DATE, value):
        raise ValueError(f"'{value}' is not a date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"the date {value} does not exist") from None


class Comment(Record):
    """One comment to kopslint.

    ``words`` is what follows ``kopslint:``. ``lines`` are the lines of the file
    that it is about: its own if something stands before it; otherwise the first
    below it that is not itself a comment, or in Markdown the code block below.
    ``at_top`` says that nothing but comments is above it.
    """

    span: Span
    words: str
    lines: range
    at_top: bool

    @property
    def is_html(self) -> bool:
        """Whether it stands in the prose of a Markdown file."""
        line = self.span.source.line(self.span.line)
        return line.startswith("<", self.span.column - 1)
