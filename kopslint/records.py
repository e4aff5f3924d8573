"""Immutable records that cost next to nothing to define.

A run defines some two hundred classes of records before it reads a byte, and a hook
runs at every commit. ``typing.NamedTuple`` compiles every annotation and a constructor
for each class, ``dataclasses`` five methods, and importing it takes as long as a check.
Nothing is compiled here: what records have in common is written once. To mypy they are
a NamedTuple and a frozen dataclass, and tests hold them to behave so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn, dataclass_transform

MOST_FIELDS = 24
"""A record that needs more is several."""

if TYPE_CHECKING:
    from typing import NamedTuple as Record
    from typing import Self
    from typing import TypedDict as Keyed
else:
    from collections import namedtuple

    # What reads a field of a named tuple by its number reads that of every tuple.
    _numbered = namedtuple("_numbered", [f"field{n}" for n in range(MOST_FIELDS)])  # noqa: PYI024
    _getters = [getattr(_numbered, field) for field in _numbered._fields]

    _new = tuple.__new__

    class _Fields(tuple):
        """What all tuples with names have in common."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012 - as named tuples call it, and never changed

        def __new__(cls, *values, **named):
            """The record of these values, by place or by name."""
            if len(values) == len(cls._fields) and not named:
                return _new(cls, values)
            missing = cls._fields[len(values) :]
            if missing:
                given = {**cls._field_defaults, **named}
                try:
                    values += tuple([given[field] for field in missing])
                except KeyError as error:
                    raise TypeError(f"{cls.__name__} needs {error}") from None
            if len(values) != len(cls._fields):
                raise TypeError(f"{cls.__name__} got {len(values)} values")
            for field in named:
                if field not in missing:
                    raise TypeError(f"{cls.__name__} cannot take {field!r}")
            return _new(cls, values)

        @classmethod
        def _make(cls, values):
            """The record of all its values, in order."""
            made = _new(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"{cls.__name__} got {len(made)} values")
            return made

        def _replace(self, **changes):
            """The same record with other values for some fields."""
            made = _new(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"{type(self).__name__} has no {[*changes]}")
            return made

        def __repr__(self):
            told = map("{}={!r}".format, self._fields, self)
            return f"{type(self).__name__}({', '.join(told)})"

        def __getnewargs__(self):
            return tuple(self)

    class _RecordType(type):
        """Makes a tuple of a class whose body names fields and their defaults."""

        def __new__(cls, name, _bases, members):
            fields = tuple(members.get("__annotations__", ()))
            if len(fields) > MOST_FIELDS:
                raise TypeError(f"{name} has more than {MOST_FIELDS} fields")
            members["_field_defaults"] = {f: members[f] for f in fields if f in members}
            members.update(zip(fields, _getters, strict=False))
            members["_fields"] = members["__match_args__"] = fields
            members["__slots__"] = ()
            return type(name, (_Fields,), members)

    Record = type.__new__(_RecordType, "Record", (), {})

    class Keyed(dict):
        """A dict of which mypy knows the keys, as of a TypedDict.

        Making one of those loads ``ast`` from Python 3.14 on.
        """

        def __init_subclass__(cls, **_):
            """Take what a TypedDict is told about its keys."""


__all__ = ["Frozen", "Keyed", "Record"]


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Frozen:
    """A record that may inherit fields and remember what it has worked out.

    Annotations are its fields, with defaults as in a dataclass. All are given by
    keyword, none can be changed, and records of one class are equal if all that they
    are ``compared`` by is.
    """

    fields: ClassVar[tuple[str, ...]] = ()
    compared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, uncompared: tuple[str, ...] = ()) -> None:
        """Take up the fields of a new class; ``uncompared`` ones do not tell apart."""
        cls.fields = (*cls.fields, *cls.__annotations__)
        own = (name for name in cls.__annotations__ if name not in uncompared)
        cls.compared = (*cls.compared, *own)

    def __init__(self, **values: object) -> None:
        kind = type(self)
        for name in kind.fields:
            # A default is an attribute of the class.
            if name not in values and not hasattr(kind, name):
                raise TypeError(f"{kind.__name__} needs {name}")
        if unknown := values.keys() - set(kind.fields):
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    def replaced(self, **changes: object) -> Self:
        """The same record with other values for some fields."""
        given = {name: getattr(self, name) for name in self.fields}
        return type(self)(**{**given, **changes})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _identity(other) == _identity(self)

    def __hash__(self) -> int:
        return hash((type(self), _identity(self)))

    def __repr__(self) -> str:
        pairs = zip(self.compared, _identity(self), strict=True)
        given = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return f"{type(self).__name__}({given})"


def _identity(record: Frozen) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in record.compared)
