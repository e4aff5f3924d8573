"""Fields of an API object, read as the types they should have.

Whatever does not fit becomes a flaw with its place and an absent value; reading
goes on. The types are those that kops decodes JSON into, so a number where text
belongs is a flaw: kops refuses the file (kops pkg/kopscodecs/codecs.go, Decode).
This module must not know which fields there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.spec import Flaw
from kopslint.syntax.yaml_tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from kopslint.source.text import Span
    from kopslint.syntax.yaml_tree import Node

_INT32 = range(-(2**31), 2**31)


class Fields:
    """The fields of one mapping, and the flaws found while reading them.

    ``path`` is how people name the mapping (``spec.etcdClusters[0]``); ``where``
    shows it. A field that is absent or null has no value and is no flaw, unless
    it is asked for as required. All Fields below one object share one ``flaws``.
    """

    def __init__(
        self, node: Mapping | None, path: str, where: Span, flaws: list[Flaw]
    ) -> None:
        self.node = node
        self.where = where
        self._path = path
        self._flaws = flaws

    def text(self, key: str, *, required: bool = False) -> str | None:
        """The text of ``key``.

        A number or boolean is a flaw and still gives its text, so that what
        refers to it by name is found.
        """
        node = self._value(key)
        if node is None:
            if required:
                self._missing(key)
            return None
        text = self._text_of(node, self._name(key))
        if required and text == "":
            self._missing(key)
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """The items of the list ``key``, each as text."""
        return tuple(
            text
            for node, name in self._items(key)
            if (text := self._text_of(node, name)) is not None
        )

    def whole_number(self, key: str) -> int | None:
        """The whole number of ``key``; text is a flaw, even if it looks like one."""
        node = self._value(key)
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong_type(node, self._name(key), "a whole number")
            return None
        if value not in _INT32:
            self._wrong_type(node, self._name(key), "a whole number of 32 bits")
            return None
        return value

    def below(self, key: str, *, required: bool = False) -> Fields:
        """The fields of the mapping ``key``; none if it is absent or no mapping."""
        node = self._value(key)
        if node is None and required:
            self._missing(key)
        if node is not None and not isinstance(node, Mapping):
            self._wrong_type(node, self._name(key), "a mapping")
        entry = self.node.entry(key) if self.node is not None else None
        return Fields(
            node if isinstance(node, Mapping) else None,
            self._name(key),
            entry.key.span if entry is not None else self.where,
            self._flaws,
        )

    def each(self, key: str) -> tuple[tuple[Mapping, Fields], ...]:
        """The mappings in the list ``key``, each with its fields."""
        found = []
        for node, name in self._items(key):
            if isinstance(node, Mapping):
                found.append((node, Fields(node, name, node.span, self._flaws)))
            else:
                self._wrong_type(node, name, "a mapping")
        return tuple(found)

    def raw(self, key: str) -> Node | None:
        """The node of ``key``, whatever it is; None if it is absent or null."""
        return self._value(key)

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _value(self, key: str) -> Node | None:
        node = self.node.get(key) if self.node is not None else None
        is_null = isinstance(node, Scalar) and node.value is None
        return None if is_null else node

    def _items(self, key: str) -> tuple[tuple[Node, str], ...]:
        node, name = self._value(key), self._name(key)
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self._wrong_type(node, name, "a list")
            return ()
        return tuple(
            (item, f"{name}[{index}]") for index, item in enumerate(node.items)
        )

    def _text_of(self, node: Node, name: str) -> str | None:
        if not isinstance(node, Scalar):
            self._wrong_type(node, name, "text")
            return None
        if node.value is not None and not isinstance(node.value, str):
            self._wrong_type(node, name, "text")
        return node.text

    def _missing(self, key: str) -> None:
        self._flaws.append(
            Flaw(
                "missing",
                f"{self._name(key)} is missing",
                ((self.where, f"there is no {key} here"),),
                f"add {key}",
            )
        )

    def _wrong_type(self, node: Node, name: str, expected: str) -> None:
        hint = f"write {expected}"
        if isinstance(node, Scalar) and expected == "text":
            hint = "put quotes around it"
        elif isinstance(node, Scalar) and node.quoted:
            hint = f"write {expected}, without quotes"
        self._flaws.append(
            Flaw(
                "wrong-type",
                f"{name} must be {expected}, and this is {_kind_of(node)}",
                ((node.span, f"this is {_kind_of(node)}"),),
                hint,
            )
        )


def _kind_of(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return kinds.get(type(node.value), "nothing")
