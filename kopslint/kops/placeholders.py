"""Values that a file leaves to be filled in: ``${NAME}``, ``$NAME``, ``<your-bucket>``.

kops itself knows no such thing; whoever writes it has envsubst, terraform, sed or the
like fill it in before kops reads the file, and until then nobody can say whether the
value is right, or is another one than before. What a template was rendered with and
nobody here knows stands in the text as such a value, too. An encrypted value is one: of
SOPS, or the bare blob of a key management service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.text import Source, Span

_PLACEHOLDER = (
    r"\$\{[^{}\n]*\}|\$[A-Za-z_]\w*|<[A-Za-z][^<>\n]*>|\u2039[^\u2039\u203a\n]*\u203a"
    r"|\{\{[^\n]*?\}\}|%\{[^{}\n]*\}|\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b"
    r"|\bENC\[AES256_GCM,[^\]\n]*\]?|\bAQ(?:EC|IC)AH[\w+/]{64,}=*"
)
_SIGNS = re.compile(r"[$<%\u2039]|\{\{|[A-Z]_[A-Z]|ENC\[|AQ[EI]CAH")
_LONGEST = 500
"""A longer text is a program or a file in itself, and compared as it is."""


def holds_placeholder(text: str) -> bool:
    """Whether a text is not yet what kops will read."""
    return bool(re.search(_PLACEHOLDER, text))


def is_open_ended(text: str) -> bool:
    """Whether a text may stand for several: what is made in a loop nobody can count."""
    return "\u2039" in text


def may_be_among(text: str, others: Iterable[str]) -> bool:
    """Whether a name is one of these, or may be once all is filled in."""
    return any(
        text == other or may_become(text, other) or may_become(other, text)
        for other in others
    )


def may_hold_placeholders(source: Source) -> bool:
    """Whether it is worth looking for one in a file."""
    return _SIGNS.search(source.text) is not None


def may_become(text: str, other: str) -> bool:
    """Whether a text with placeholders may be another one once they are filled in."""
    if len(text) > _LONGEST or len(other) > _LONGEST or "\n" in text:
        return False
    known = re.split(_PLACEHOLDER, text)
    if len(known) == 1:
        return False
    at = 0
    for n, part in enumerate(known):
        if n == len(known) - 1:
            return other.endswith(part) and len(other) - len(part) >= at
        found = other.find(part, at)
        if found < 0 or (n == 0 and found > 0):
            return False
        at = found + len(part)
    return True


def is_filled_in_later(span: Span) -> bool:
    """Whether the value at a place, on its first line, is still to be filled in."""
    return bool(names_left_open(span))


def names_left_open(span: Span) -> tuple[str, ...]:
    """What is to be filled in at a place, on its first line, as it is written there."""
    line = span.source.line(span.line)
    end = span.end_column - 1 if span.end_line == span.line else None
    named = re.findall(_PLACEHOLDER, line[span.column - 1 : end])
    if named:
        return (*dict.fromkeys(named),)
    # A block of lines that is nothing but a placeholder.
    inner = span.source.lines[span.line : min(span.end_line, span.line + 3)]
    body = " ".join(inner).strip()
    return (body,) if body and re.fullmatch(_PLACEHOLDER, body) else ()


_LEFT = re.compile(
    r"<[A-Za-z][^<>]*>|\$\{[^{}]*\}|\{\{.*?\}\}|\b(?i:change|replace|fill)_?(?i:me)\b"
)


def left_for_people(text: str) -> list[str]:
    """What a value surely leaves to be filled in by hand, as it is written there.

    That is less than a placeholder may be: a script stops while one of these is left,
    and ``$NAME`` or ``MY_NAME`` may be what somebody means.
    """
    return _LEFT.findall(text)
