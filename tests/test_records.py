"""Records behave as the named tuples and frozen dataclasses that they stand for."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from collections.abc import Callable


class Place(Record):
    """A record of our own."""

    path: str
    line: int
    column: int = 1
    label: str | None = None

    @property
    def end(self) -> int:
        return self.column + 1


class Model(NamedTuple):
    """What the standard library makes of the same words."""

    path: str
    line: int
    column: int = 1
    label: str | None = None


VALUES = st.lists(st.sampled_from(["a", 2, None]), max_size=5)
NAMED = st.dictionaries(
    st.sampled_from(["path", "line", "column", "label", "else"]),
    st.sampled_from(["b", 3]),
)


def tried(make: Callable[[], Any]) -> object:
    """The values that come of it, or the kind of its failure."""
    try:
        return tuple(make())
    except (TypeError, ValueError) as error:
        return type(error)


@given(VALUES, NAMED)
def test_a_record_takes_and_refuses_what_a_named_tuple_does(
    values: list[Any], named: dict[str, Any]
) -> None:
    assert tried(lambda: Place(*values, **named)) == tried(
        lambda: Model(*values, **named)
    )
    assert tried(lambda: Place._make(values)) == tried(lambda: Model._make(values))
    # Before Python 3.13 a named tuple called a wrong name a wrong value.
    replaced = tried(lambda: Model("a", 2)._replace(**named))
    replaced = TypeError if replaced is ValueError else replaced
    assert tried(lambda: Place("a", 2)._replace(**named)) == replaced


def test_a_record_is_a_tuple_with_names() -> None:
    place = Place("a.yaml", 3, label="here")
    path, line, *_ = place

    assert (path, line, place.column, place.end) == ("a.yaml", 3, 1, 2)
    assert place == ("a.yaml", 3, 1, "here")
    assert repr(place) == "Place(path='a.yaml', line=3, column=1, label='here')"
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - our own bytes.
    assert not hasattr(place, "__dict__")
    with pytest.raises(AttributeError):
        Place("a.yaml", 3).line = 4  # type: ignore[misc]
    match place:
        case Place("a.yaml", number):
            assert number == 3
        case _:
            pytest.fail("a record has no places to match")


class Base(Frozen):
    """A record that others inherit from."""

    name: str
    size: int = 1


class Derived(Base, uncompared=("cause",)):
    """It adds fields, and remembers."""

    parts: tuple[int, ...]
    cause: str | None = None

    @cached_property
    def total(self) -> int:
        return self.size + sum(self.parts)


@dataclass(frozen=True, kw_only=True)
class ModelBase:
    name: str
    size: int = 1


@dataclass(frozen=True, kw_only=True)
class ModelDerived(ModelBase):
    parts: tuple[int, ...]
    cause: str | None = field(default=None, compare=False, repr=False)


FIELDS = st.dictionaries(
    st.sampled_from(["name", "size", "parts", "cause", "else"]),
    st.sampled_from([0, 1]),
)


@given(FIELDS, FIELDS)
def test_a_frozen_record_is_equal_when_a_dataclass_is(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    def outcome(kind: Any) -> object:
        try:
            first, second = kind(**one), kind(**two)
        except TypeError:
            return TypeError
        told = repr(first).partition("(")[2]
        return first == second, hash(first) == hash(second), told

    assert outcome(Derived) == outcome(ModelDerived)


def test_a_frozen_record_is_replaced_and_never_changed() -> None:
    one = Derived(name="a", parts=(2, 3), cause="x")

    two = one.replaced(size=5)

    assert (one.total, two.total) == (6, 10)
    model = replace(ModelDerived(name="a", parts=(2, 3), cause="x"), size=5)
    assert vars(model) == {name: getattr(two, name) for name in two.fields}
    with pytest.raises(AttributeError, match="size cannot be changed"):
        one.size = 2  # type: ignore[misc]
