"""What a Go template says, as a tree; every node knows where it stands in the text.

The words are those of Go's text/template/parse: actions, pipelines, commands, operands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.text import Source


class Place(Record):
    """A stretch of a template, by offsets; ``end`` is the first one behind it."""

    start: int
    end: int


class Literal(Record):
    """A number, a string, a boolean, or nil."""

    value: bool | int | float | str | None
    place: Place


class Dot(Record):
    """``.``, what the template stands at."""

    place: Place


class Variable(Record):
    """``$`` or ``$name``."""

    name: str
    place: Place


class Function(Record):
    """A function by its name, where it is called or named."""

    name: str
    place: Place


class Chain(Record):
    """Fields of an operand: ``.a.b`` is two fields of the dot."""

    operand: Operand
    fields: tuple[str, ...]
    place: Place


class Command(Record):
    """An operand with its arguments; only a function can have some."""

    operands: tuple[Operand, ...]
    place: Place


class Pipeline(Record):
    """Commands, each of which gets what the one before gave as its last argument.

    ``declared`` are the variables that get the result, ``assigns`` whether they were
    declared before.
    """

    commands: tuple[Command, ...]
    declared: tuple[str, ...]
    assigns: bool
    place: Place


Operand = Literal | Dot | Variable | Function | Chain | Pipeline


class Text(Record):
    """Text that is copied; ``place`` is what is left of it after trimming."""

    text: str
    place: Place


class Action(Record):
    """A pipeline whose result is printed, unless it is given to a variable."""

    pipeline: Pipeline
    place: Place


class If(Record):
    """``if`` or, as ``rebinds``, ``with``."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    rebinds: bool
    place: Place


class Range(Record):
    """``range``, with what there is instead where nothing is to be ranged over."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    place: Place


class Jump(Record):
    """``break`` or ``continue``."""

    word: str
    place: Place


class Call(Record):
    """``template``, and ``block`` where it stands."""

    name: str
    pipeline: Pipeline | None
    place: Place


Node = Text | Action | If | Range | Jump | Call


class Template(Record):
    """A parsed text: its own nodes, and the templates that it defines."""

    source: Source
    nodes: tuple[Node, ...]
    defined: Mapping[str, tuple[Node, ...]]
