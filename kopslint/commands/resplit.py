"""A command line inside a word: what ``sh -c``, ``ssh`` and ``eval`` are given.

The text is split into words and commands once more. What a second shell would
expand (``$NAME``, ``$(...)``) is unknown. Control flow inside is not read: its
commands count one after another.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from kopslint.syntax.script import Unknown, Word

if TYPE_CHECKING:
    from kopslint.commands.invocation import Invocation
    from kopslint.source.text import Span

_EXPANDS = re.compile(r"\$\([^()]*\)|`[^`]*`|\$\{[^}]*\}|\$[A-Za-z_]\w*|\$[0-9@*#?!$-]")
_DUPLICATES = re.compile(r"\d*>&\d")
_OPERATORS = re.compile(r"[();<>|&\n]+")
_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}"}
)
# Unknown pieces travel through shlex as characters for private use.
_MARK = 0xF0000
_MARKS = re.compile("[\U000f0000-\U000ffffd]")
_COMMENT = re.compile(r"(^|[\s;&|])#[^\n]*")
_SPECIAL = re.compile(r"[\s;&|<>$`]")


def resplit(
    command: Invocation, words: tuple[Word, ...]
) -> tuple[Invocation, ...] | None:
    """The commands in words that a second shell joins and reads again.

    Words in which that shell finds nothing to do keep their own places.
    """
    literals = (p for word in words for p in word.pieces if isinstance(p, str))
    if any(_SPECIAL.search(literal) for literal in literals):
        return commands_in(command, *words)
    return (replace(command, words=words),)


def commands_in(command: Invocation, *words: Word) -> tuple[Invocation, ...] | None:
    """The commands in the text that the words make, joined by blanks.

    Every word in them has the span of the whole text. None if the text is known only
    at run time or cannot be split.
    """
    literals = (p for word in words for p in word.pieces if isinstance(p, str))
    literal = "".join(literals)
    if not literal.strip() or _MARKS.search(literal):
        return None
    unknowns: list[Unknown] = []
    text = " ".join(_marked(word, unknowns) for word in words)
    # shlex would take `a#b` for a comment, and the line's end along with it.
    text = _COMMENT.sub(r"\1", text.replace("\\\n", " "))
    text = _DUPLICATES.sub("", text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.commenters = ""
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError:
        return None
    parts: list[list[Word]] = [[]]
    span, skip = words[0].span.to(words[-1].span), False
    for token in tokens:
        if _OPERATORS.fullmatch(token):
            skip = "<" in token or ">" in token
            if not skip:
                parts.append([])
        elif skip:
            # The target of a redirection is no argument.
            skip = False
        elif token not in _KEYWORDS or parts[-1]:
            parts[-1].append(_unmarked(token, unknowns, span))
    return tuple(
        replace(command, words=tuple(part), stdin=None) for part in parts if part
    )


def _marked(word: Word, unknowns: list[Unknown]) -> str:
    text = ""
    for piece in word.pieces:
        if isinstance(piece, str):
            text += _EXPANDS.sub(lambda m: _mark(_expanded(m[0]), unknowns), piece)
        else:
            text += _mark(piece, unknowns)
    return text


def _expanded(name: str) -> Unknown:
    return Unknown(name, "the shell that runs this command line expands it")


def _mark(unknown: Unknown, unknowns: list[Unknown]) -> str:
    unknowns.append(unknown)
    return chr(_MARK + len(unknowns) - 1)


def _unmarked(token: str, unknowns: list[Unknown], span: Span) -> Word:
    pieces: list[str | Unknown] = []
    for part in re.split(f"({_MARKS.pattern})", token):
        if _MARKS.match(part):
            pieces.append(unknowns[ord(part) - _MARK])
        elif part:
            pieces.append(part)
    shown = "".join(p if isinstance(p, str) else p.name for p in pieces)
    return Word(tuple(pieces), shown, span)
