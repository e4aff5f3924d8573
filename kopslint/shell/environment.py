"""What variables hold while a script is read, and what ``${x%y}`` makes of it.

Values are chains of known text and unknowns; a variable is a value or an array
of values. Nothing here parses: the pieces come from the word reader.
"""

from __future__ import annotations

import posixpath
import re
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.shell.ast import (
    AndOr,
    Assignment,
    Exit,
    Opaque,
    SimpleCommand,
    Statements,
    Unknown,
    Word,
)
from kopslint.shell.sessions import LEAVES, OUTSIDE, Opened, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tree_sitter import Node

    from kopslint.shell.ast import Statement
    from kopslint.shell.text import ShellText
    from kopslint.text import Source, Span


Pieces = tuple[str | Unknown, ...]
Ways = tuple[tuple[str, ...], ...]

# A word with more values than these is one that only run time knows.
MOST_WAYS = 4

# A value that doubles in each turn of a loop must not fill the memory.
LONGEST_VALUE = 100_000
MOST_PIECES = 100
# A program's environment is kept with every call, so it has to stay short.
LONGEST_ENVIRONMENT = 200

# Positional parameters and options live beside the variables, under names that
# no variable can have, so that branches and subshells treat them alike.
ARGUMENTS = "@"
PIPEFAIL = "-o pipefail"


def text_of(pieces: Pieces) -> str | None:
    """The text of a fully known value, otherwise None."""
    known = [piece for piece in pieces if isinstance(piece, str)]
    return "".join(known) if len(known) == len(pieces) else None


def joined(values: Sequence[Pieces], separator: str = "") -> Pieces:
    """The values as one: neighbouring texts merged, empty ones left out."""
    pieces: list[str | Unknown] = []
    for number, value in enumerate(values):
        for piece in (separator, *value) if number and separator else value:
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            elif piece != "":
                pieces.append(piece)
    length = sum(len(piece) for piece in pieces if isinstance(piece, str))
    if length > LONGEST_VALUE or len(pieces) > MOST_PIECES:
        return (Unknown("...", "the value is too long to follow"),)
    return tuple(pieces)


class Variable(Record):
    """A variable: its value, or its items if it is an array.

    ``items`` None with ``value`` None is a variable that was unset. ``word`` is
    the word it was assigned from. ``keys`` are those of an associative array, one for
    each item. ``refers`` is the variable that it is another name of (``declare -n``).
    """

    value: Pieces | None
    items: tuple[Pieces, ...] | None = None
    word: Word | None = None
    keys: tuple[str, ...] | None = None
    refers: str | None = None

    @property
    def scalar(self) -> Pieces | None:
        """What ``$x`` gives: of an array, the first item."""
        if self.items is not None:
            return self.items[0] if self.items else ()
        return self.value

    def agrees(self, other: Variable | None) -> bool:
        """Whether both hold the same, wherever it was assigned."""
        return other is not None and (
            (self.value, self.items, self.keys, self.refers)
            == (other.value, other.items, other.keys, other.refers)
        )


UNSET = Variable(None)
# So many names may stand for one another: bash warns of circles (bash(1), PARAMETERS).
_MOST_NAMES = 8


class Scope:
    """The variables at one point of a script; branches get a scope of their own.

    ``changes`` are the variables set here and ``exported`` those exported here; the
    rest is looked up in ``parent``, which does not change while a branch is read.
    """

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.root: Scope = parent.root if parent is not None else self
        self.merges = 0
        self.changes: dict[str, Variable] = {}
        self.exported: dict[str, None] = {}
        self._environment = parent.environment() if parent is not None else None

    def branch(self) -> Scope:
        """A scope that sees this one and does not change it."""
        return Scope(self)

    def get(self, name: str) -> Variable | None:
        """The variable, or None if this file never sets it."""
        found = self.own(name)
        for _ in range(_MOST_NAMES):
            if found is None or found.refers is None:
                return found
            found = self.own(found.refers)
        return UNSET

    def own(self, name: str) -> Variable | None:
        """What goes by a name itself, even if it is another name of a variable."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.changes:
                return scope.changes[name]
            scope = scope.parent
        return None

    def set(self, name: str, variable: Variable) -> None:
        """Assign a variable here, by its own name or by another one."""
        for _ in range(_MOST_NAMES):
            held = self.own(name)
            if held is None or held.refers is None:
                break
            name = held.refers
        self._put(name, variable)

    def _put(self, name: str, variable: Variable) -> None:
        self.changes[name] = variable
        if self._environment is not None and self._is_exported(name):
            self._update_environment(name, new=False)

    def restore(self, name: str, variable: Variable | None) -> None:
        """Put back what ``own`` gave before; None if it was not set."""
        if variable is None:
            self.changes.pop(name, None)
            self._environment = None
        else:
            self._put(name, variable)

    def refer(self, name: str, other: str) -> None:
        """Make ``name`` another name of a variable."""
        self._put(name, Variable(None, refers=other))

    def export(self, name: str) -> None:
        """Let the programs called from here on see a variable."""
        new = not self._is_exported(name)
        self.exported[name] = None
        if self._environment is not None:
            self._update_environment(name, new=new)

    def forget(
        self,
        name: str,
        reason: str,
        word: Word | None = None,
        *,
        option: bool = False,
        of: str = "",
        ways: Ways = (),
        choice: str = "",
    ) -> None:
        """Make a variable unknown; ``option`` is whether it may hold an option.

        ``of`` is what it is taken from, if that is written; ``ways`` are the values
        of which it has one, as ``choice`` decides.
        """
        unknown = Unknown(f"${name}", reason, option=option, of=of)
        if ways:
            unknown = unknown._replace(ways=ways, choice=choice)
        if word is not None:
            word = word._replace(pieces=(unknown,))
        self.set(name, Variable((unknown,), word=word))

    def environment(self) -> tuple[Assignment, ...]:
        """The exported variables that have a value, the latest ones."""
        if self._environment is None:
            found: dict[str, Assignment] = {}
            for name in islice(self._exports(), LONGEST_ENVIRONMENT):
                variable = self.get(name)
                if variable is not None and variable.word is not None:
                    found.setdefault(name, Assignment(name, variable.word))
            self._environment = tuple(reversed(found.values()))
        return self._environment

    def _update_environment(self, name: str, *, new: bool) -> None:
        """Put one variable right; to find all of them again takes much longer."""
        variable, held = self.get(name), self._environment or ()
        place = next((i for i, a in enumerate(held) if a.name == name), None)
        if new and place is None and variable is not None and variable.word is not None:
            added = Assignment(name, variable.word)
            self._environment = (*held[1 - LONGEST_ENVIRONMENT :], added)
        elif place is not None and variable is not None and variable.word is not None:
            same = Assignment(name, variable.word)
            self._environment = (*held[:place], same, *held[place + 1 :])
        else:
            self._environment = None

    def _exports(self) -> Iterator[str]:
        """The names of the exported variables, the latest first."""
        scope: Scope | None = self
        while scope is not None:
            yield from reversed(scope.exported)
            scope = scope.parent

    def _is_exported(self, name: str) -> bool:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.exported:
                return True
            scope = scope.parent
        return False

    def merge(self, branches: Sequence[Scope]) -> None:
        """Take over what the branches (of this scope) agree on.

        Exactly one of them was taken. What they do not agree on is unknown.
        """
        names = {name for branch in branches for name in branch.changes}
        for name in sorted(names):
            held = [branch.get(name) for branch in branches]
            first = held[0]
            if first is not None and all(first.agrees(other) for other in held[1:]):
                self.set(name, first)
                continue
            word = next((v.word for v in held if v is not None and v.word), None)
            reason = f"${name} is set differently, or not at all, in another branch"
            self.root.merges += 1
            choice = f"${name} {self.root.merges}"
            if shared := _common_items(held):
                rest = Unknown(f"${{{name}[@]}}", reason)
                ways = _ways(held, beyond=len(shared))
                rest = rest._replace(ways=ways, choice=choice if ways else "")
                self.set(name, Variable(None, (*shared, (rest,))))
                continue
            self.forget(
                name,
                reason,
                word,
                option=any(map(_starts_option, held)),
                ways=_ways(held),
                choice=choice,
            )
        for branch in branches:
            for name in branch.exported:
                self.export(name)


def _ways(held: Sequence[Variable | None], beyond: int = 0) -> Ways:
    """The values that a variable has in one branch or another, if all are known.

    Of arrays they are the items ``beyond`` those that all of them start with.

    One that a branch leaves alone and the file never sets is taken to be empty there
    if it holds options elsewhere: that is how an option is left out.
    """
    found: dict[tuple[str, ...], None] = {}
    for variable in held:
        value = variable.scalar if variable is not None and not beyond else ()
        unknown = value[0] if value and len(value) == 1 else None
        if isinstance(unknown, Unknown) and unknown.ways:
            found |= dict.fromkeys(unknown.ways)
            continue
        items = items_of(variable) if variable is not None else ((),)
        texts = [text_of(item) for item in items[beyond:]]
        known = tuple(text for text in texts if text is not None)
        if len(known) < len(texts):
            return ()
        found[known] = None
    if None in held and not any(map(_starts_option, held)):
        return ()
    return tuple(found) if 1 < len(found) <= MOST_WAYS else ()


def _common_items(held: Sequence[Variable | None]) -> tuple[Pieces, ...]:
    """The items that arrays start with alike, whatever follows in each of them."""
    lists = [v.items if v is not None and v.keys is None else None for v in held]
    known = [items for items in lists if items is not None]
    if len(known) < len(lists):
        return ()
    alike = takewhile(lambda items: len(set(items)) == 1, zip(*known, strict=False))
    return tuple(items[0] for items in alike)


def _starts_option(variable: Variable | None) -> bool:
    value = variable.scalar if variable is not None else None
    first = value[0] if value else ""
    if isinstance(first, Unknown):
        return first.option
    return first.startswith("-")


def items_of(variable: Variable) -> tuple[Pieces, ...]:
    """What ``${x[@]}`` gives."""
    if variable.items is not None:
        return variable.items
    return () if variable.value is None else (variable.value,)


def not_set(name: str) -> Unknown:
    """The value of a variable that this file never sets."""
    return Unknown(f"${name}", f"${name} is not set in this file")


# ------------------------------------------------------------------------------------
# Where a name in a script leads: its own folder, the current one, a file at hand
#
# A script says where it lies in a few well-known ways (``$0``, ``$BASH_SOURCE``,
# ``$(cd "$(dirname "$0")" && pwd)``). Their values are unknown, but where they lead
# is not; it travels with them as ``Unknown.path``. Only names are compared here, and
# no file is looked for.

# These live beside the variables, so that functions and subshells treat them alike.
SCRIPT, FILE, FOLDER, FOLDER_BEFORE = "0", "BASH_SOURCE", "PWD", "OLDPWD"

# What a pipeline checks out is what lies before kopslint, too.
_CHECKOUT = (
    r"\$\{?(?:GITHUB_WORKSPACE|CI_PROJECT_DIR|WORKSPACE|BITBUCKET_CLONE_DIR)\}?"
    r"|\$\{\{ *github\.workspace *\}\}"
    r"|[$`]\(?git rev-parse --show-toplevel[)`]"
)


def start_file(scope: Scope, source: Source, folder: str | None = "") -> None:
    """Let a scope be that of a script that is started in a folder.

    The folder is empty if it is not named, and None if it is not known.
    """
    scope.set(SCRIPT, _place("$0", source.path))
    enter(scope, source)
    scope.set(FOLDER, _place("$PWD", folder))


def _place(name: str, path: str | None) -> Variable:
    reason = f"{name} depends on how the script is started"
    return Variable((Unknown(name, reason, path),))


def enter(scope: Scope, source: Source) -> None:
    """Let ``$BASH_SOURCE`` be a file that is read in."""
    scope.set(FILE, _place("$BASH_SOURCE", source.path))


def path_of(pieces: Pieces) -> str | None:
    """The path that a value spells, if it is known beside others."""
    if pieces and isinstance(pieces[0], Unknown):
        rest = text_of(pieces[1:])
        path = "." if re.fullmatch(_CHECKOUT, pieces[0].name) else pieces[0].path
        if path is None or rest is None:
            return None
        return path + rest if path else rest.lstrip("/")
    return text_of(pieces)


def found(
    word: Word, scope: Scope, beside: Source, at_hand: Mapping[str, Source]
) -> Source | None:
    """The source at hand that a word names.

    It is looked for beside the file that names it, then in the current folder; where
    that was changed by ``cd``, in both from there. Each block of a runbook may start
    the first did, so there a later ``cd`` alone counts, too. ``at_hand`` has normal
    paths.
    """
    path = path_of(word.pieces) if at_hand else None
    if not path:
        return None
    folders = [""]
    if _from_current(word.pieces):
        current = _current(scope)
        if current is None:
            return None
        folders = [posixpath.join(posixpath.dirname(beside.path), current), current]
        if beside.path.endswith((".md", ".markdown")):
            parts = [*current.split("/"), ""]
            folders += ["/".join(parts[n:]) for n in range(1, len(parts))]
    for folder in folders:
        name = posixpath.normpath(posixpath.join(folder, path))
        if name in at_hand:
            return at_hand[name]
    return None


def change_folder(scope: Scope, name: str, words: Iterable[Word]) -> None:
    """``cd``, ``pushd`` and ``popd`` with their arguments."""
    arguments = _arguments(words)
    if name == "popd" or [word.text for word in arguments] == ["-"]:
        scope.set(FOLDER, scope.get(FOLDER_BEFORE) or _place("$PWD", None))
        scope.set(FOLDER_BEFORE, _place("$OLDPWD", None))
        return
    scope.set(FOLDER_BEFORE, scope.get(FOLDER) or _place("$OLDPWD", None))
    path = path_of(arguments[0].pieces) if arguments else None
    if arguments and path is not None and _from_current(arguments[0].pieces):
        current = _current(scope)
        path = posixpath.join(current, path) if current is not None else None
    scope.set(FOLDER, _place("$PWD", path))


def printed_path(body: Statement, scope: Scope) -> str | None:
    """The path that a substitution prints: ``$(cd "$(dirname "$0")/.." && pwd)``."""
    place = scope.branch()
    path = None
    for command in _commands(body):
        name, words = command.words[0].text, command.words[1:]
        arguments = _arguments(words)
        match name:
            case "cd":
                change_folder(place, name, words)
            case "pwd":
                path = _current(place)
            case "dirname" if arguments:
                path = path_of(arguments[0].pieces)
                path = (posixpath.dirname(path) or ".") if path else None
            case "readlink" | "realpath" if arguments:
                path = path_of(arguments[0].pieces)
            case _:
                return None
    return path


def _commands(body: Statement) -> Iterator[SimpleCommand]:
    """The commands of a plain list; what their substitutions run is left out."""
    match body:
        case SimpleCommand(words=words) if words:
            yield body
        case Statements(items):
            for item in items:
                yield from _commands(item)
        case AndOr(left, "&&", right):
            yield from _commands(left)
            yield from _commands(right)


def _current(scope: Scope) -> str | None:
    held = scope.get(FOLDER)
    return path_of(held.scalar or ()) if held is not None else None


def _from_current(pieces: Pieces) -> bool:
    """Whether a path goes on from the current folder, and not from a known one."""
    first = pieces[0] if pieces else ""
    return isinstance(first, str) or first.path == ""


def _arguments(words: Iterable[Word]) -> list[Word]:
    return [w for w in words if w.text == "-" or not (w.text or "").startswith("-")]


# ------------------------------------------------------------------------------------
# Comments beside commands: ``kops edit cluster  # remove member d``


class Comments:
    """The comments met so far, by the file and line they are on.

    ``behind`` are those behind a command, ``above`` those that fill a line.
    """

    def __init__(self) -> None:
        self.behind: dict[tuple[Source, int], str] = {}
        self.above: dict[tuple[Source, int], str] = {}

    def note(self, text: ShellText, start: int, end: int) -> None:
        """Take up the comment at ``text[start:end]``."""
        written = text.text[start:end]
        if written.startswith("#!") or text.fixed is not None:
            return
        line_start = text.text.rfind("\n", 0, start) + 1
        alone = not text.text[line_start:start].strip()
        line, _ = text.position(start)
        comments = self.above if alone else self.behind
        comments[text.source, line] = written.lstrip("#").strip()

    def of(self, span: Span) -> str | None:
        """The comment behind a command, otherwise the lines right above it."""
        if behind := self.behind.get((span.source, span.end_line)):
            return behind
        lines: list[str] = []
        line = span.line - 1
        while (span.source, line) in self.above:
            lines.append(self.above[span.source, line])
            line -= 1
        return " ".join(reversed([part for part in lines if part])) or None


# ------------------------------------------------------------------------------------
# Where a reader is in a script, and what it knows there
#
# The limits that keep reading finite are here too: how deep statements may nest and
# how often loops and functions are copied out.

DEEPEST = 32
# Unrolled loops and inlined functions multiply; beyond this they stay folded.
MOST_COPIES = 24_000
# So do braces and arrays, which may stand for many words each.
MOST_EXPANDED = 100_000
# Nobody is in more shells at once.
MOST_SESSIONS = 10
_NAME = r"[^\s;&|<>()$`'\"{}/]+"


@lru_cache(maxsize=64)
def words_in(code: str) -> frozenset[str]:
    """Everything in a stretch of code that may name a function or a file."""
    return frozenset(re.findall(_NAME, code))


class Session(Record):
    """A shell that was opened, and the words that run a program in it, if any do."""

    opened: Opened
    words: tuple[Word, ...]


class ReaderState:
    """The place in the script and what is known there.

    ``scope`` holds the variables at the point reached, ``locals`` what each
    function on the way there has to put back, ``calling`` their names; ``files`` are
    the scripts on the way there and ``at_hand`` those that may be read; ``loops`` is
    how many loops of the same function are around; ``piped`` is what comes out of the
    pipe to the command at hand, if that is known, and ``feeding`` what prints it;
    ``aliases`` stand for words and ``traps`` are what runs at some event, such as the
    end; ``effects`` are the statements that substitutions run before the command at
    hand; ``unread`` collects what could not be read. What is ``typed`` may open shells
    elsewhere, which ``sessions`` are until they are left.
    """

    def __init__(
        self,
        text: ShellText,
        environment: Iterable[Assignment] = (),
        *,
        pipefail: bool = False,
        at_hand: Iterable[Source] = (),
        folder: str | None = "",
        typed: bool = False,
    ) -> None:
        self.text = text
        self.typed = typed
        self.sessions: list[Session] = []
        self.at_hand: dict[str, Source] = {}
        for source in at_hand:
            self.at_hand.setdefault(posixpath.normpath(source.path), source)
        self.files = [text.source]
        self.scope = Scope()
        start_file(self.scope, text.source, folder)
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
        self.expands_aliases = False
        self.traps: dict[str, Word] = {}
        self.written_files: dict[Pieces, Word] = {}
        self.reading: list[Word] = []
        self.piped: Pieces | None = None
        self.upstream = ""
        self.feeding: Statement | None = None
        self.loops = 0
        self._depth = 0
        self._copying = False
        self._copies = 0
        self._expanded = 0

    def opaque(
        self, written: str, reason: str, span: Span, *, reaches: bool = False
    ) -> Opaque:
        """Something that could run anything; noted as unread."""
        unknown = Unknown(" ".join(written.split())[:80], reason)
        statement = Opaque(unknown, span, reaches=reaches)
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

    def take_feeding(self) -> Pieces | None:
        """What the pipe gives where only run time knows it, with what prints it."""
        if self.feeding is None:
            return None
        reason = "what comes through the pipe is only known at run time"
        return (Unknown("standard input", reason, printed_by=self.feeding),)

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
            # What is so deep that nobody reads it may be anything.
            yield self.opaque(self.written(node), reason, self.span(node), reaches=True)
        else:
            yield None
        self._depth -= levels

    @property
    def is_typing(self) -> bool:
        """Whether what is read now is typed by itself, and not in a loop or so."""
        return self.typed and self._depth == 0

    @property
    def before_words(self) -> tuple[Word, ...]:
        """The words that run a program in the pod that one types into now."""
        return next((s.words for s in reversed(self.sessions) if s.words), ())

    @property
    def places(self) -> tuple[str, ...]:
        """The machines and pods that one has gone to, the last one first."""
        places = (s.opened.place for s in reversed(self.sessions))
        return tuple(place for place in places if place)

    def leave_pod_for(self, node: Node) -> None:
        """Leave the pod if what is typed is a program that no pod of etcd has."""
        words = self.written(node).split(maxsplit=1)
        while self.sessions and self.sessions[-1].opened.pod and words[0] in OUTSIDE:
            self.sessions.pop()

    def goes_on(self, statement: Statement) -> Statement | None:
        """What a typed statement does, and where one types next; None: nothing.

        ``exit`` leaves the shell that was opened last, and ends nothing.
        """
        last = statement
        if isinstance(statement, Statements) and statement.items:
            last = statement.items[-1]
        if isinstance(last, Exit) and last.leaves == "script":
            del self.sessions[-1:]
            return None
        if isinstance(statement, SimpleCommand) and not statement.background:
            if statement.words[0].text in LEAVES:
                del self.sessions[-1:]
                return None
            found = opened([word.shown for word in statement.words])
            if found is not None:
                words = statement.words[: found.size]
                self.sessions.append(Session(found, words))
                del self.sessions[:-MOST_SESSIONS]
                # A shell in a shell does nothing by itself.
                return statement if words or found.place else None
        return statement

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
