"""The options of a command as the fields of a record, said once.

A class says with ``argument``, ``switch``, ``value`` and ``values`` what its command
takes. The types of its fields, the command of typer and the reader of a plain line all
come from that. typer is not imported here: a plain line is read without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from kopslint.records import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Self

T = TypeVar("T")


class Option:
    """One option, or the argument if it has no ``names``; as a field, its default.

    A word becomes a value of its ``kind``. A switch is a bool: given, it is what its
    ``default`` is not. ``many`` may be given several times, and ``required`` must be.
    ``about`` is what only typer has to know, but for the ``min`` and ``max`` of a
    number.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        default: object,
        kind: type,
        *,
        many: bool = False,
        required: bool = False,
        **about: Any,
    ) -> None:
        self.names = names
        self.default = default
        self.kind = kind
        self.many = many
        self.required = required
        self.about = about

    def __get__(self, record: object, _: type) -> object:
        return self if record is None else self.default

    def value(self, given: Sequence[str]) -> object:
        """What the words that were given for it mean.

        Raises ``ValueError`` for what is none of its values.
        """
        if self.kind is bool:
            return not self.default
        found: tuple[Any, ...] = tuple(map(self.kind, given))
        if any(
            not self.about.get("min", n) <= n <= self.about.get("max", n) for n in found
        ):
            raise ValueError(f"{self.names[0]} is out of range")
        return found if self.many else found[-1]


class Options(Frozen):
    """The options of a command, as they were given."""

    @classmethod
    def table(cls) -> dict[str, Option]:
        """The options by field, in the order in which help shows them."""
        return {name: vars(cls)[name] for name in cls.fields}

    @classmethod
    def of(cls, given: Mapping[str, Sequence[str]]) -> Self:
        """The record of the words that were given for each field."""
        table = cls.table()
        return cls(**{name: table[name].value(words) for name, words in given.items()})

    @classmethod
    def of_line(cls, words: Iterable[str]) -> Self | None:
        """The record of a line; None if it is not plain, so that typer reads it.

        What is read here means what typer makes of it, and typer has the words for
        what is wrong.
        """
        table = cls.table()
        fields = {name: field for field, o in table.items() for name in o.names}
        nameless = next((field for field, o in table.items() if not o.names), None)
        given: dict[str, list[str]] = {}
        rest = iter(words)
        for word in rest:
            name, equals, value = word.partition("=")
            if word == "-" or not word.startswith("-"):
                field, value = nameless, word
            else:
                field = fields.get(name)
                if field is not None and table[field].kind is bool:
                    if equals:
                        return None
                    given[field] = []
                    continue
                if not equals:
                    # Nothing is as little a value as the next option.
                    value = next(rest, "--")
                    if value != "-" and value.startswith("-"):
                        return None
            if field is None or (field in given and not table[field].many):
                return None
            given.setdefault(field, []).append(value)
        try:
            return cls.of(given)
        except ValueError:
            return None


def argument(metavar: str, help: str) -> tuple[str, ...]:  # noqa: A002
    """What is given without a name, as often as one likes."""
    option = Option((), (), str, many=True, metavar=metavar, help=help)
    return cast("tuple[str, ...]", option)


def switch(*names: str, help: str, default: bool = False) -> bool:  # noqa: A002
    """Something to turn on or, if it is on by ``default``, to turn off."""
    return cast("bool", Option(names, default, bool, help=help))


def value(name: str, of: type[T], **about: Any) -> T | None:
    """Something that is given once, as ``of`` reads it."""
    return cast("T | None", Option((name,), None, of, **about))


def choice(name: str, default: T, **about: Any) -> T:
    """One of the values of an enumeration, of which one is the ``default``."""
    return cast("T", Option((name,), default, type(default), **about))


def values(name: str, of: type[T], **about: Any) -> tuple[T, ...]:
    """Something that may be given several times, as ``of`` reads each."""
    return cast("tuple[T, ...]", Option((name,), (), of, many=True, **about))


def verbosity() -> bool:
    """The switch that every command has; it is read where failures are reported."""
    return switch("--verbose", help="Print progress, and a traceback on failure.")
