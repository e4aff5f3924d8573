"""What variables hold while a script is read, and what ``${x%y}`` makes of it.

Values are chains of known text and unknowns; a variable is a value or an array
of values. Nothing here parses: the pieces come from the word reader.
"""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.syntax.script import Assignment, Unknown, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Pieces = tuple[str | Unknown, ...]

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
    each item.
    """

    value: Pieces | None
    items: tuple[Pieces, ...] | None = None
    word: Word | None = None
    keys: tuple[str, ...] | None = None

    @property
    def scalar(self) -> Pieces | None:
        """What ``$x`` gives: of an array, the first item."""
        if self.items is not None:
            return self.items[0] if self.items else ()
        return self.value

    def agrees(self, other: Variable | None) -> bool:
        """Whether both hold the same, wherever it was assigned."""
        return other is not None and (
            (self.value, self.items, self.keys)
            == (other.value, other.items, other.keys)
        )


UNSET = Variable(None)


class Scope:
    """The variables at one point of a script; branches get a scope of their own.

    ``changes`` are the variables set here and ``exported`` those exported here; the
    rest is looked up in ``parent``, which does not change while a branch is read.
    """

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.changes: dict[str, Variable] = {}
        self.exported: dict[str, None] = {}
        self._environment = parent.environment() if parent is not None else None

    def branch(self) -> Scope:
        """A scope that sees this one and does not change it."""
        return Scope(self)

    def get(self, name: str) -> Variable | None:
        """The variable, or None if this file never sets it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.changes:
                return scope.changes[name]
            scope = scope.parent
        return None

    def set(self, name: str, variable: Variable) -> None:
        """Assign a variable here."""
        self.changes[name] = variable
        if self._environment is not None and self._is_exported(name):
            self._update_environment(name, new=False)

    def restore(self, name: str, variable: Variable | None) -> None:
        """Put back what ``get`` gave before; None if it was not set."""
        if variable is None:
            self.changes.pop(name, None)
            self._environment = None
        else:
            self.set(name, variable)

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
    ) -> None:
        """Make a variable unknown; ``option`` is whether it may hold an option.

        ``of`` is what it is taken from, if that is written.
        """
        unknown = Unknown(f"${name}", reason, option=option, of=of)
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
            if shared := _common_items(held):
                rest = Unknown(f"${{{name}[@]}}", reason)
                self.set(name, Variable(None, (*shared, (rest,))))
                continue
            self.forget(name, reason, word, option=any(map(_starts_option, held)))
        for branch in branches:
            for name in branch.exported:
                self.export(name)


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
