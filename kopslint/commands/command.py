"""What every command has, and what can be wrong with a command line.

Commands are like frozen dataclasses, and ``Record`` makes them so:
there are more than thirty kinds, and generating methods for each of them took
longer than checking a small change.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    ClassVar,
    Literal,
    NamedTuple,
    NoReturn,
    dataclass_transform,
)

if TYPE_CHECKING:
    from kopslint.source.text import Span
    from kopslint.syntax.script import Word


class Problem(NamedTuple):
    """Something wrong with the command line itself.

    ``kind`` is a stable name that a rule can look for; ``message`` says it to
    people; ``refused`` tells whether the program will refuse to run because of
    it; ``suggestion`` is the nearest thing that exists.
    """

    kind: Literal[
        "unknown-command",
        "unknown-flag",
        "removed-command",
        "bad-value",
        "missing-argument",
        "extra-argument",
        "name-twice",
        "bool-needs-equals",
    ]
    message: str
    span: Span
    refused: bool = True
    suggestion: str | None = None


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """A class whose annotations are its fields, with defaults as in a dataclass.

    All fields are given by keyword, none can be changed, and records of one class
    with equal fields are equal.
    """

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.fields = (*cls.fields, *cls.__annotations__)

    def __init__(self, **values: object) -> None:
        kind = type(self)
        for name in kind.fields:
            # A default is an attribute of the class.
            if name not in values and not hasattr(kind, name):
                raise TypeError(f"{kind.__name__} needs {name}")
        if unknown := values.keys() - set(kind.fields):
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _values(other) == _values(self)

    def __hash__(self) -> int:
        return hash((type(self), _values(self)))

    def __repr__(self) -> str:
        pairs = zip(self.fields, _values(self), strict=True)
        given = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"{type(self).__name__}({given})"


def _values(record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in record.fields)


class Command(Record):
    """What all commands have.

    ``text`` is the command on one line, for people, wrappers included; ``span``
    is its place; ``cluster`` is the cluster it names (None: not named, so the one
    at hand). ``problems`` are faults of the command line.
    """

    text: str
    span: Span
    cluster: Word | None = None
    problems: tuple[Problem, ...] = ()
