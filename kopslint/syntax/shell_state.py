"""Where a reader is in a script, and what it knows there.

The limits that keep reading finite are here too: how deep statements may nest and
how often loops and functions are copied out.
"""

from __future__ import annotations

import posixpath
import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from kopslint.syntax.script import Opaque, Unknown
from kopslint.syntax.shell_comments import Comments
from kopslint.syntax.shell_files import start
from kopslint.syntax.shell_values import (
    LONGEST_ENVIRONMENT,
    PIPEFAIL,
    Pieces,
    Scope,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from kopslint.source.text import Source, Span
    from kopslint.syntax.script import Assignment, Statement, Word
    from kopslint.syntax.shell_text import ShellText

DEEPEST = 25
# Unrolled loops and inlined functions multiply; beyond this they stay folded.
MOST_COPIES = 5_000
# So do braces and arrays, which may stand for many words each.
MOST_EXPANDED = 100_000
_NAME = r"[^\s;&|<>()$`'\"{}/]+"


@lru_cache(maxsize=64)
def words_in(code: str) -> frozenset[str]:
    """Everything in a stretch of code that may name a function or a file."""
    return frozenset(re.findall(_NAME, code))


class ReaderState:
    """The place in the script and what is known there.

    ``scope`` holds the variables at the point reached, ``locals`` what each
    function on the way there has to put back, ``calling`` their names; ``files`` are
    the scripts on the way there and ``at_hand`` those that may be read; ``loops`` is
    how many loops of the same function are around; ``piped`` is what comes out of the
    pipe to the command at hand, if that is known; ``aliases`` stand for words and
    ``traps`` are what runs at some event, such as the end; ``effects``
    are the statements that substitutions run before the command at hand;
    ``unread`` collects what could not be read.
    """

    def __init__(
        self,
        text: ShellText,
        environment: Iterable[Assignment] = (),
        *,
        pipefail: bool = False,
        at_hand: Iterable[Source] = (),
        folder: str | None = "",
    ) -> None:
        self.text = text
        self.at_hand: dict[str, Source] = {}
        for source in at_hand:
            self.at_hand.setdefault(posixpath.normpath(source.path), source)
        self.files = [text.source]
        self.scope = Scope()
        start(self.scope, text.source, folder)
        for assignment in list(environment)[-LONGEST_ENVIRONMENT:]:
            self.assign(assignment.name, assignment.value)
            self.scope.export(assignment.name)
        if pipefail:
            self.scope.set(PIPEFAIL, Variable(("on",)))
        self.functions: dict[str, tuple[ShellText, Node]] = {}
        self.locals: list[dict[str, Variable | None]] = []
        self.unread: dict[Opaque, None] = {}
        self.calling: list[str] = []
        self.comments = Comments()
        self.effects: list[Statement] = []
        self.aliases: dict[str, tuple[Word, ...]] = {}
        self.traps: dict[str, Word] = {}
        self.piped: Pieces | None = None
        self.upstream = ""
        self.loops = 0
        self._depth = 0
        self._copying = False
        self._copies = 0
        self._expanded = 0

    def opaque(self, written: str, reason: str, span: Span) -> Opaque:
        """Something that could run anything; noted as unread."""
        statement = Opaque(Unknown(" ".join(written.split())[:80], reason), span)
        self.unread[statement] = None
        return statement

    @contextmanager
    def inside(self, text: ShellText) -> Iterator[None]:
        """Read another text."""
        before, self.text = self.text, text
        yield
        self.text = before

    @contextmanager
    def branch(self, scope: Scope | None = None) -> Iterator[Scope]:
        """Read with other variables: of a branch, of a subshell, or ``scope``."""
        before = self.scope
        self.scope = scope if scope is not None else before.branch()
        yield self.scope
        self.scope = before

    @contextmanager
    def copying(self, commands: int = 0) -> Iterator[None]:
        """Read something that is read several times, and as long as some commands."""
        before, self._copying = self._copying, True
        self._copies += commands
        yield
        self._copying = before

    def take_piped(self) -> Pieces | None:
        """What comes in through the pipe; only the first that reads it gets it."""
        piped, self.piped = self.piped, None
        return piped

    @contextmanager
    def looping(self) -> Iterator[None]:
        """Read the body of a loop, which ``break`` can leave."""
        self.loops += 1
        yield
        self.loops -= 1

    @contextmanager
    def shell(self, scope: Scope) -> Iterator[None]:
        """Read what runs in a process of its own: a script knows no functions."""
        before = self.functions, self.locals, self.calling, self.loops, self.traps
        self.functions, self.locals, self.calling = {}, [], []
        self.loops, self.traps = 0, {}
        with self.branch(scope):
            yield
        self.functions, self.locals, self.calling, self.loops, self.traps = before

    @property
    def too_many_copies(self) -> bool:
        """Whether loops and functions are no longer to be copied out."""
        return self._copies > MOST_COPIES

    def afford(self, words: int) -> bool:
        """Note that a word became several; False if there are too many of them."""
        self._expanded += words
        return self._expanded <= MOST_EXPANDED

    @contextmanager
    def nested(self, node: Node, levels: int = 1) -> Iterator[Opaque | None]:
        """Go deeper; gives what to say instead if that is too deep."""
        self._depth += levels
        if self._depth > DEEPEST:
            reason = "this is nested too deeply to follow"
            yield self.opaque(self.written(node), reason, self.span(node))
        else:
            yield None
        self._depth -= levels

    def assign(self, name: str, word: Word) -> None:
        """Give a variable the value of a word."""
        self.scope.set(name, Variable(word.pieces, word=word))

    def count_copy(self) -> None:
        """Note that one more command was read, if it is a copy."""
        self._copies += self._copying

    @property
    def in_function(self) -> bool:
        """Whether a ``return`` leaves a function and not the script."""
        return bool(self.calling)

    def written(self, node: Node) -> str:
        """The text of a node."""
        return self.text.text[node.start_byte : node.end_byte]

    def span(self, node: Node) -> Span:
        """The place of a node."""
        return self.text.span(node.start_byte, node.end_byte)

    def reach(self, node: Node) -> list[str]:
        """The code that may run in a node: its own, of functions and of scripts."""
        reached = [self.written(node)]
        files = {posixpath.basename(path): s.text for path, s in self.at_hand.items()}
        seen: set[str] = set()
        # The list grows while it is walked: functions call others.
        for code in reached:
            new = words_in(code) - seen
            seen |= new
            for name in sorted(new & (self.functions.keys() | files.keys())):
                reached += [files[name]] if name in files else []
                if name in self.functions:
                    text, body = self.functions[name]
                    reached.append(text.text[body.start_byte : body.end_byte])
        return reached
