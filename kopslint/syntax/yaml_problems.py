"""Bad YAML in plain words: what is wrong, where, and what to do about it.

The parser's own words are kept where they are clear and replaced where they speak of
its inner life. A template that nobody rendered is by far the most frequent cause, so it
is looked for first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml import MarkedYAMLError

from kopslint.errors import InputError

if TYPE_CHECKING:
    from yaml import Mark, YAMLError
    from yaml._yaml import Mark as CMark

    from kopslint.text import Source, Span

# A marker counts only where a plain value can start: inside quotes, behind ``#``
# and in the middle of a word it is ordinary text.
_TEMPLATE = r"""(?x)^(?: \s* | [^"'\#]*? [:\-\[,]\s* )
        (?P<marker> \{\{ | \{% | \{\# | <% | \$\{ )"""
_TEMPLATE_KINDS = {
    "{{": "a Go or Jinja template",
    "{%": "a Jinja template",
    "{#": "a Jinja template",
    "<%": "an ERB template",
    "${": "a template with ${...} variables",
}
# What the YAML grammar allows in a file; everything else is refused by the reader.
_NOT_ALLOWED = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_PLAIN_WORDS = {
    "mapping values are not allowed in this context": (
        "a second `:` or a deeper line is where no `key: value` can be",
        "check the indentation, or put quotes around the value",
    ),
    "could not find expected ':'": (
        "a line is where a `key:` is expected",
        "check the indentation and add the missing `:`",
    ),
    "did not find expected key": (
        "a line does not match the indentation of the mapping around it",
        "align it with the keys above, or close the bracket or quote before it",
    ),
    "did not find expected '-' indicator": (
        "a line does not match the indentation of the list around it",
        "align it with the `-` above",
    ),
    "did not find expected <document start>": (
        "there is text after the end of the document",
        "check the indentation, or put a line `---` before the next document",
    ),
    "did not find expected ',' or ']'": (
        "a `[` is not closed before the next value",
        "add the missing `,` or `]`",
    ),
    "did not find expected ',' or '}'": (
        "a `{` is not closed before the next key",
        "add the missing `,` or `}`",
    ),
    "did not find expected node content": (
        "a value is missing here",
        "write the value, or put quotes around text that starts with a symbol",
    ),
    "found unexpected end of stream": (
        "a quote is opened here but never closed",
        "add the closing quote",
    ),
    "block sequence entries are not allowed in this context": (
        "a `-` is where no list can start",
        "put the list on its own lines under the key",
    ),
    "exceeded maximum nesting depth": (
        "lists and mappings are nested too deep",
        "check the brackets",
    ),
    "found character that cannot start any token": (
        "no value can start with this character",
        "put quotes around the value",
    ),
}
# These are noticed late; what to fix is where the unfinished thing begins.
_PLACED_AT_THEIR_START = frozenset(
    {
        "could not find expected ':'",
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "found unexpected end of stream",
    }
)
_TAB = ("a tab is where YAML allows only spaces", "indent with spaces")


def bad_yaml(source: Source, error: YAMLError | UnicodeError) -> InputError:
    """The error to raise when the YAML parser gave up with ``error``."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return _bad_character(source)
    problem = error.problem or "it cannot be read"
    span = _character_at(source, error.problem_mark)
    known = _conflict_before(span) or _template_before(span)
    if known is not None:
        return known
    if problem in _PLACED_AT_THEIR_START and error.context_mark is not None:
        span = _character_at(source, error.context_mark)
    is_tab = source.line(span.line)[span.column - 1 : span.column] == "\t"
    words, hint = _TAB if is_tab else _PLAIN_WORDS.get(problem, (problem, None))
    return InputError(f"this is not valid YAML: {words}", span=span, hint=hint)


def bad_key(span: Span) -> InputError:
    """The error to raise when a list or a mapping is used as a key at ``span``."""
    return _template_before(span) or InputError(
        "a list or a mapping is used as a key",
        span=span,
        hint="kops reads only keys that are text; put quotes around it",
    )


def end_of(source: Source) -> Span:
    """The place behind the last character.

    The parser itself counts one line too many if the text has no last line end.
    """
    line = len(source.lines)
    column = len(source.line(line)) + 1
    return source.span(line, column, line, column)


def _character_at(source: Source, mark: Mark | CMark) -> Span:
    line, column = mark.line + 1, mark.column + 1
    if line > len(source.lines):
        return end_of(source)
    width = 1 if column <= len(source.line(line)) else 0
    return source.span(line, column, line, column + width)


def _bad_character(source: Source) -> InputError:
    for number, line in enumerate(source.lines, start=1):
        match = re.search(_NOT_ALLOWED, line)
        if match is not None:
            column = match.start() + 1
            return InputError(
                f"the character U+{ord(match[0]):04X} is not allowed in YAML",
                span=source.span(number, column, number, column + 1),
                hint="remove it",
            )
    return InputError("this is not valid YAML", span=source.whole())


def _conflict_before(span: Span) -> InputError | None:
    """The error for the conflict that git left at or before ``span``, if any."""
    source = span.source
    for number in range(1, span.line + 1):
        if source.line(number).startswith("<<<<<<< "):
            return InputError(
                "this conflict is not resolved",
                span=source.span(number, 1, number, 8),
                hint="resolve it, and remove the lines of <, = and >",
            )
    return None


def _template_before(span: Span) -> InputError | None:
    """The error for the nearest template marker at or before ``span``, if any.

    A marker breaks the line it is on or leaves the parser lost on a later one.
    ``${`` is harmless in most values, so it is blamed only for its own line.
    """
    source = span.source
    for number in range(span.line, 0, -1):
        match = re.match(_TEMPLATE, source.line(number))
        if match is None:
            continue
        marker = match["marker"]
        if marker == "${" and number != span.line:
            continue
        column = match.start("marker") + 1
        return InputError(
            f"this looks like {_TEMPLATE_KINDS[marker]} that was not rendered",
            span=source.span(number, column, number, column + len(marker)),
            hint="render it first and check the result",
        )
    return None
