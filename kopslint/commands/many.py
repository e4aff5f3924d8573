"""Programs that run a command for each of several items: xargs, parallel, find.

Items that are in the text are put in; any other is known only at run time. What the
command does is for the programs' own modules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.invocation import (
    Invocation,
    arguments,
    skip_options,
    unknown_word,
)
from kopslint.commands.resplit import resplit
from kopslint.syntax.script import Unknown, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_XARGS = "n P I L d s E a max-args max-procs replace arg-file delimiter"
_MOST = 256
_PARALLEL = "j jobs I a arg-file delay timeout retries S sshlogin C colsep N n joblog"
_EXECUTES = ("-exec", "-execdir", "-ok", "-okdir")


def _parallel(command: Invocation) -> tuple[Invocation, ...] | None:
    """``parallel COMMAND {} ::: ITEM...``: the command once for each item."""
    rest = command.words[1:]
    at = skip_options(rest, _PARALLEL)
    jobs = arguments(rest[:at], _PARALLEL).value("j", "jobs")
    at_once = "parallel" if jobs is None or jobs.text != "1" else ""
    rest = rest[at:]
    texts = [word.text for word in rest]
    at = texts.index(":::") if ":::" in texts else len(rest)
    inner, items = rest[:at], rest[at + 1 :]
    if not inner:
        return None
    if not items:
        reason = "parallel takes it from its standard input"
        items = (unknown_word("{}", reason, command.words[0], command.upstream),)
    found: list[Invocation] = []
    for item in items:
        if any("{}" in word.shown for word in inner):
            words = tuple(_filled(word, "{}", item) for word in inner)
        else:
            words = (*inner, item)
        found += resplit(command, words) or (command._replace(words=words),)
    return _at_once(found, at_once)


def _filled(word: Word, marker: str, value: Word) -> Word:
    """A word with a value in the place of a marker."""
    pieces: list[str | Unknown] = []
    for piece in word.pieces:
        if isinstance(piece, Unknown):
            pieces.append(piece)
            continue
        first, *more = piece.split(marker)
        pieces.append(first)
        for part in more:
            pieces += [*value.pieces, part]
    return Word(tuple(p for p in pieces if p != "") or ("",), word.raw, word.span)


def _xargs(command: Invocation) -> tuple[Invocation, ...] | None:
    rest = command.words[1:]
    at = skip_options(rest, _XARGS)
    inner = rest[at:]
    if not inner:
        return None
    reason = "xargs takes it from its standard input"
    given = arguments(rest[:at], _XARGS)
    jobs = given.value("P", "max-procs")
    at_once = f"xargs -P{jobs.shown}" if jobs and jobs.text != "1" else ""
    marker = given.value("I", "replace")
    items = _items(command.stdin, lines=marker is not None)
    if not items or given.has("0", "null", "d", "delimiter", "a", "arg-file"):
        name = (marker.text if marker is not None else None) or "standard input"
        items = (unknown_word(name, reason, command.words[0], command.upstream),)
    most = given.value("n", "max-args", "L")
    size = most.text if most is not None and marker is None else None
    step = int(size) if size and re.fullmatch(r"[1-9]\d{0,8}", size) else len(items)
    found = [(*inner, *items[at : at + step]) for at in range(0, len(items), step)]
    if marker is not None and marker.text:
        found = [tuple(_filled(w, marker.text, i) for w in inner) for i in items]
    runs = [command._replace(words=words, stdin=None) for words in found]
    return _at_once(runs, at_once)


def _at_once(commands: list[Invocation], cause: str) -> tuple[Invocation, ...]:
    """The commands, with what runs them at the same time if there are several.

    One that takes unknown items may be run for any number of them.
    """
    known = all(word.text is not None for one in commands for word in one.words)
    if not cause or (len(commands) == 1 and known):
        return tuple(commands)
    return tuple(one._replace(at_once=cause) for one in commands)


def _items(stdin: Word | None, *, lines: bool) -> tuple[Word, ...]:
    """The arguments that come in through a pipe, if they are known and plain."""
    text = stdin.text if stdin is not None else None
    if stdin is None or text is None or re.search(r"['\"\\]", text):
        return ()
    parts = [part.strip() for part in text.split("\n")] if lines else text.split()
    items = tuple(Word((part,), part, stdin.span) for part in parts if part)
    return items if len(items) <= _MOST else ()


def _find(command: Invocation) -> tuple[Invocation, ...] | None:
    r"""``find . -exec COMMAND {} \;``: the files are only known when it runs."""
    texts = [word.text for word in command.words]
    at = next((i for i, text in enumerate(texts) if text in _EXECUTES), len(texts))
    ends = (i for i in range(at + 1, len(texts)) if texts[i] in (";", "+"))
    inner = command.words[at + 1 : next(ends, len(texts))]
    if not inner:
        return None
    file = unknown_word("{}", "find looks for the files", command.words[0])
    return (command._replace(words=tuple(_filled(w, "{}", file) for w in inner)),)


MANY: Mapping[str, Callable[[Invocation], tuple[Invocation, ...] | None]] = {
    "find": _find,
    "parallel": _parallel,
    "xargs": _xargs,
}
