"""What ``kops edit --set`` and ``--unset`` make of a stored object, field by field.

The flags name fields as kops' internal type does, which has nearly the names of
v1alpha3; an object of either version is changed at the place where it keeps them.
Sources: kops util/pkg/reflectutils (access.go, walk.go, field_path.go),
pkg/commands/set_cluster.go, unset_cluster.go, set_instancegroups.go,
pkg/apis/kops/fieldmap.go.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Literal

from kopslint.kops.api import api, has_path
from kopslint.kops.duration import go_seconds
from kopslint.kops.rejection import Rejection
from kopslint.records import Record
from kopslint.shell.ast import cut, head
from kopslint.syntax.yaml import Entry, Scalar, YamlMapping, YamlSequence, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.shell.ast import Word
    from kopslint.syntax.yaml import Node, Step
    from kopslint.text import Span

Kind = Literal["Cluster", "InstanceGroup"]

_ALL = "[*]"
_TOKEN = re.compile(r"([A-Za-z_]\w*)|\[(\*|\d+)\]|[./]")
_QUANTITY = r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_BITS = {"int16": 16, "int32": 32, "int64": 64, "uint8": 64, "uint32": 64}

# Fields that files of v1alpha3 do not have and the internal type has.
_INTERNAL = {
    ("EtcdClusterSpec", "provider"): "string",
    ("EtcdClusterSpec", "heartbeatInterval"): "duration",
    ("EtcdClusterSpec", "leaderElectionTimeout"): "duration",
    ("IAMSpec", "legacy"): "bool",
    ("KarpenterConfig", "logFormat"): "string",
}

# The last kops that knew fields by their name in v1alpha2, where it is not 1.25.
# Source: the JSON names of the types in pkg/apis/kops, release by release.
_OLD_NAMES_UNTIL = {
    "configBase": 27,
    "keyStore": 27,
    "secretStore": 27,
    "networking.gce": 27,
    "containerRuntime": 28,
    "docker": 28,
    "cloudConfig": 26,
    "kubeAPIServer.oidc": 26,
    "rootVolume": 26,
}

# Names of v1alpha2 that --set translates, with the first kops that does.
# Source: pkg/apis/kops/fieldmap.go.
_TRANSLATED_SINCE = {
    "spec.masterPublicName": 31,
    "spec.topology.dns.type": 31,
    "spec.externalDns.provider": 31,
    "spec.externalDns.priorityClassName": 34,
    "spec.topology.bastion.loadBalancer.type": 35,
}
_GROWS_SINCE = 36
"""The first kops in which the index behind the last item of a list adds one."""


class Releases(Record):
    """The kops minors that may run the command: the oldest, and the newest one."""

    oldest: int
    newest: int


class Edited(Record):
    """What the flags make of an object.

    ``node`` is the object after it, ``refusal`` why kops does not even get there.
    ``open`` are flags of which only run time knows the field or the value; they were
    taken to be what the object meant has there. ``lost`` are flags about a field that
    the version of the file has no place for; they are left out.
    """

    node: YamlMapping
    refusal: Rejection | None = None
    open: tuple[Word, ...] = ()
    lost: tuple[Word, ...] = ()


class _RefusedError(Exception):
    """kops ends with an error at a flag."""

    def __init__(self, message: str, span: Span, label: str) -> None:
        super().__init__(message)
        self.refusal = Rejection("edit", message, message, ((span, label),))


def edited(
    node: YamlMapping,
    kind: Kind,
    version: str,
    flags: tuple[Iterable[Word], Iterable[Word]],
    releases: Releases,
    meant: YamlMapping | None = None,
) -> Edited:
    """``node`` after ``flags``, the values of ``--unset`` and then those of ``--set``.

    ``meant`` is the object that it is taken to become where a flag does not say.
    """
    edit = _Edit(node, kind, version, releases, meant)
    try:
        for word in flags[0]:
            for item in _items(word):
                edit.unset(item)
        for word in flags[1]:
            for item in _items(word):
                edit.set(item)
    except _RefusedError as error:
        return Edited(node, error.refusal)
    return Edited(edit.node, None, tuple(edit.open), tuple(edit.lost))


def _items(word: Word) -> Iterator[Word]:
    """The values of one flag: a line of CSV, if there are double quotes in it.

    Source: kops cmd/kops/flags_stringslice_lazyquotes.go; the rest is cut already.
    """
    if word.text is None or '"' not in word.text:
        yield word
        return
    for item in next(csv.reader([word.text]), []):
        yield word._replace(pieces=(item,))


class _Edit:
    """One object being edited."""

    def __init__(
        self,
        node: YamlMapping,
        kind: Kind,
        version: str,
        releases: Releases,
        meant: YamlMapping | None,
    ) -> None:
        self.node = node
        self.open: list[Word] = []
        self.lost: list[Word] = []
        self._kind: Kind = kind
        self._version = version
        self._releases = releases
        self._meant = meant

    def unset(self, word: Word) -> None:
        """``--unset PATH``: what is there gets the zero value of its type."""
        if word.text is None:
            self._take(word, None)
            return
        place = self._place(word.text, word, translates=False)
        if place is None:
            self.lost.append(word)
            return
        steps, expression = place
        for path in self._each(steps, word.text, word):
            self.node = _as_mapping(_without(self.node, path, expression, word.span))

    def set(self, word: Word) -> None:
        """``--set PATH=VALUE``."""
        known = head(word)
        path, equals, _ = known.partition("=")
        if not equals:
            if word.text is not None:
                said = f'unhandled field: "{word.text}"'
                raise _RefusedError(said, word.span, "no field and value")
            self._take(word, None)
            return
        value = cut(word, len(path) + 1)
        place = self._place(path, word, translates=True)
        if place is None:
            self.lost.append(word)
            return
        if value.text is None and value.pieces:
            self._take(word, place[0])
            return
        for steps in self._each(place[0], path, word, grows=True):
            old = _found(self.node, steps)
            new = _value(old, value, place[1], path)
            if new is not None:
                self.node = _as_mapping(_with(self.node, steps, new, word.span))

    def _take(self, word: Word, steps: tuple[Step, ...] | None) -> None:
        """Take a field, or the whole object, to be what it is meant to become."""
        self.open.append(word)
        if self._meant is None:
            return
        if steps is None:
            self.node = self._meant
            return
        for path in _expanded(self.node, steps):
            new = find(self._meant, *path)
            if new is not None:
                self.node = _as_mapping(_with(self.node, path, new, word.span))
            elif find(self.node, *path) is not None:
                self.node = _as_mapping(_without(self.node, path, "string", word.span))

    def _place(
        self, path: str, word: Word, *, translates: bool
    ) -> tuple[tuple[Step, ...], str] | None:
        """Where the file keeps the field of a path, and its type.

        None if this version of the API has no place for it.
        """
        prefix = f"{self._kind.lower()}."
        path = path.removeprefix(prefix)
        steps = _parsed(path, word)
        general = _general(steps)
        expression = _type_of(self._kind, steps)
        if expression is not None:
            kept = _in_file(steps, self._version)
            fits = has_path(self._version, self._kind, _general(kept))
            return (kept, expression) if fits else None
        old = _type_in("v1alpha2", self._kind, steps)
        if old is None or self._forgot(general, translates=translates):
            said = f"field {path} not found in *{self._kind}"
            label = "kops knows no such field"
            if old is not None and (named := _internal_name(general)):
                label = f"kops calls it {named}"
            raise _RefusedError(said, word.span, label)
        return (steps, old) if self._version == "v1alpha2" else None

    def _forgot(self, general: str, *, translates: bool) -> bool:
        """Whether every kops that may run knows a name of v1alpha2 no longer."""
        since = _TRANSLATED_SINCE.get(general)
        if translates and since is not None and since <= self._releases.newest:
            return False
        below = general.removeprefix("spec.")
        names = (n for n in _OLD_NAMES_UNTIL if below.startswith(n))
        until = max((_OLD_NAMES_UNTIL[name] for name in names), default=25)
        return self._releases.oldest > until

    def _each(
        self, steps: tuple[Step, ...], path: str, word: Word, *, grows: bool = False
    ) -> list[tuple[Step, ...]]:
        """The places that a path means, one for every item where it says ``[*]``."""
        grows = grows and self._releases.newest >= _GROWS_SINCE
        found = [
            each
            for each in _expanded(self.node, steps)
            if _is_reachable(self.node, each, grows=grows)
        ]
        if not found:
            said = f"field {path} not found in *{self._kind}"
            raise _RefusedError(said, word.span, "there is no such item")
        return found


def _parsed(path: str, word: Word) -> tuple[Step, ...]:
    """The steps of a path. Source: field_path.go, ParseFieldPath."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _TOKEN.match(path, at)
        if match is None:
            said = f'cannot parse field path "{path}": unexpected token ({path[at]})'
            raise _RefusedError(said, word.span, "kops cannot read this path")
        at = match.end()
        name, index = match.groups()
        if name is not None:
            steps.append(name)
        elif index is not None:
            steps.append(_ALL if index == "*" else int(index))
    return tuple(steps)


def _general(steps: Iterable[Step]) -> str:
    """Steps as a path that stands for every item of a list."""
    text = ""
    for step in steps:
        if isinstance(step, int) or step == _ALL:
            text += "[]"
        else:
            text += f".{step}" if text else step
    return text


def _type_of(kind: Kind, steps: tuple[Step, ...]) -> str | None:
    """The type of the field in kops' internal type; None if it has no such field."""
    return _type_in("v1alpha3", kind, steps, _INTERNAL)


def _type_in(
    version: str,
    kind: Kind,
    steps: tuple[Step, ...],
    more: dict[tuple[str, str], str] | None = None,
) -> str | None:
    structs = api(version).structs
    expression = str(kind)
    for step in steps:
        if isinstance(step, int) or step == _ALL:
            if not expression.startswith("[]"):
                return None
            expression = expression[2:]
            continue
        known = structs.get(expression, {}).get(step)
        known = known or (more or {}).get((expression, step))
        if known is None:
            return None
        expression = known
    return expression


def _in_file(steps: tuple[Step, ...], version: str) -> tuple[Step, ...]:
    """The steps of an internal field as a file of ``version`` has them."""
    from kopslint.kops.validation.declared import in_file

    if not steps or steps[0] != "spec" or len(steps) == 1:
        return steps
    path = ""
    for step in steps[1:]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step == _ALL:
            path += "[]"
        else:
            path += f".{step}" if path else step
    kept = in_file(path, version)
    return ("spec", *(_ALL if step == "[]" else step for step in kept))


def _internal_name(general: str) -> str:
    """What kops calls a field of v1alpha2 inside, as far as it is known."""
    from kopslint.kops.validation.declared import internal_name

    name = internal_name(general.removeprefix("spec."))
    return f"spec.{name}" if name else ""


def _expanded(node: Node, steps: tuple[Step, ...]) -> list[tuple[Step, ...]]:
    """``steps`` once for every item that ``[*]`` stands for."""
    if _ALL not in steps:
        return [steps]
    at = steps.index(_ALL)
    items = _found(node, steps[:at])
    count = len(items.items) if isinstance(items, YamlSequence) else 0
    found = []
    for index in range(count):
        found += _expanded(node, (*steps[:at], index, *steps[at + 1 :]))
    return found


def _is_reachable(node: Node, steps: tuple[Step, ...], *, grows: bool) -> bool:
    """Whether every item of a list on the way is there, or may be added."""
    for at, step in enumerate(steps):
        if isinstance(step, int):
            items = _found(node, steps[:at])
            count = len(items.items) if isinstance(items, YamlSequence) else 0
            if step > count or (step == count and not grows):
                return False
            if step == count:
                return True
    return True


def _found(node: Node, steps: tuple[Step, ...]) -> Node | None:
    """The node at a place, None for null."""
    found = find(node, *steps)
    is_null = isinstance(found, Scalar) and found.value is None
    return None if is_null else found


def _value(old: Node | None, value: Word, expression: str, path: str) -> Node | None:
    """The node that a value of a flag becomes; None if it changes nothing.

    Source: access.go, setType: a list gets more items, a map one more key.
    """
    text = value.text or ""
    if expression.startswith("[]"):
        items = old.items if isinstance(old, YamlSequence) else ()
        made = tuple(
            _item(token, value, expression[2:], path) for token in text.split(",")
        )
        return YamlSequence((*items, *made), value.span)
    if expression.startswith("{}"):
        if not text:
            return None
        key, _, inner = text.partition("=")
        kept = old.entries if isinstance(old, YamlMapping) else ()
        entry = Entry(
            _text(key, value.span), _entry(inner, value, expression[2:], path)
        )
        others = tuple(each for each in kept if each.key.text != key)
        return YamlMapping((*others, entry), value.span)
    return _item(text, value, expression, path)


def _entry(text: str, value: Word, expression: str, path: str) -> Node:
    """The value of one key of a map."""
    if expression == "[]string":
        return YamlSequence(
            tuple(_text(each, value.span) for each in text.split(",")), value.span
        )
    if expression not in ("string", "int-or-string", "quantity"):
        raise _unhandled(path, value, f"map[string]{expression}")
    return _item(text, value, expression, path)


def _item(text: str, value: Word, expression: str, path: str) -> Node:
    """A single value of a type."""
    span = value.span
    if expression == "EnvVar":
        name, _, inner = text.partition("=")
        pairs = (("name", name), ("value", inner)) if inner else (("name", name),)
        entries = (Entry(_text(k, span), _text(v, span)) for k, v in pairs)
        return YamlMapping(tuple(entries), span)
    if expression in api("v1alpha3").structs or expression in api("v1alpha2").structs:
        if not text:
            return YamlMapping((), span)
        raise _unhandled(path, value, expression)
    if expression == "bool":
        if text not in (*_TRUE, *_FALSE):
            raise _misread(path, value, "bool")
        return Scalar(text in _TRUE, text, quoted=False, span=span)
    if expression in _BITS:
        bits = _BITS[expression]
        if not re.fullmatch(r"[+-]?\d+", text) or not (
            -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1)
        ):
            raise _misread(path, value, "integer")
        return Scalar(int(text), text, quoted=False, span=span)
    if expression == "int-or-string" and re.fullmatch(r"-?\d+", text):
        return Scalar(int(text), text, quoted=False, span=span)
    if expression == "duration" and go_seconds(text) is None:
        raise _misread(path, value, "v1.Duration")
    if expression == "quantity" and not re.fullmatch(_QUANTITY, text):
        raise _misread(path, value, "resource.Quantity")
    return _text(text, span)


def _text(text: str, span: Span) -> Scalar:
    return Scalar(text, text, quoted=True, span=span)


def _misread(path: str, value: Word, wanted: str) -> _RefusedError:
    said = f'cannot set field "{path}": cannot interpret "{value.text}" value as'
    return _RefusedError(f"{said} {wanted}", value.span, f"this is no {wanted}")


def _unhandled(path: str, value: Word, kind: str) -> _RefusedError:
    said = f'cannot set field "{path}": unhandled type "{kind}"'
    return _RefusedError(said, value.span, "set one of its fields instead")


def _as_mapping(node: Node) -> YamlMapping:
    assert isinstance(node, YamlMapping)  # noqa: S101 (an object stays one)
    return node


def _with(node: Node | None, steps: tuple[Step, ...], value: Node, span: Span) -> Node:
    """``node`` with a value at a place, made on the way where nothing is there."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        items = node.items if isinstance(node, YamlSequence) else ()
        old = items[step] if step < len(items) else None
        new = _with(old, rest, value, span)
        where = node.span if isinstance(node, YamlSequence) else span
        return YamlSequence((*items[:step], new, *items[step + 1 :]), where)
    entries = node.entries if isinstance(node, YamlMapping) else ()
    where = node.span if isinstance(node, YamlMapping) else span
    if any(entry.key.text == step for entry in entries):
        return YamlMapping(
            tuple(
                entry._replace(value=_with(entry.value, rest, value, span))
                if entry.key.text == step
                else entry
                for entry in entries
            ),
            where,
        )
    made = Entry(_text(step, span), _with(None, rest, value, span))
    return YamlMapping((*entries, made), where)


def _without(node: Node, steps: tuple[Step, ...], expression: str, span: Span) -> Node:
    """``node`` with the zero value at a place: no field, or an item with nothing."""
    step, rest = steps[0], steps[1:]
    if isinstance(node, YamlSequence) and isinstance(step, int):
        zero: Node = YamlMapping((), span)
        if expression not in api("v1alpha3").structs:
            zero = _text("", span)
        item = node.items[step]
        new = _without(item, rest, expression, span) if rest else zero
        items = (*node.items[:step], new, *node.items[step + 1 :])
        return node._replace(items=items)
    if not isinstance(node, YamlMapping):
        return node
    return node._replace(
        entries=tuple(
            entry._replace(value=_without(entry.value, rest, expression, span))
            if rest and entry.key.text == step
            else entry
            for entry in node.entries
            if rest or entry.key.text != step
        )
    )
