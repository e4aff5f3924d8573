"""All specs of one state of a repository that come out of templates.

A template is rendered as the calls of the repository say. One that no call names is
rendered with the values beside it that have what it asks for, and otherwise with none:
then all that it asks for is unknown.
"""

from __future__ import annotations

import os
import posixpath
import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kopslint.discovery.block_templates import marked
from kopslint.discovery.calls import CALL, MOST_CALLS, Call, call_given, calls_in
from kopslint.discovery.content import may_be_spec, may_give_values, template_kind
from kopslint.discovery.toolbox import Arguments, keys_of, render, root_fields
from kopslint.errors import InputError
from kopslint.gotemplate.output import Rendered, with_blocks
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from kopslint.discovery.calls import Given
    from kopslint.gotemplate.run import Assumed
    from kopslint.text import Span

_VALUES = re.compile(
    r"(?i)(?:value|var|env|config|param|setting)[^/]*\.(?:ya?ml|json)$"
)
_DATA = (".yaml", ".yml", ".json")
MOST_VALUES = 20
"""Files of values that are tried for one template that no call names."""

_LIST_SIZE = 300_000


class Files(Protocol):
    """The files of a state of a repository, in git or on the disk."""

    @property
    def files(self) -> Mapping[str, str | None]:
        """All of them by path."""

    def read(
        self, paths: Iterable[str], wanted: Callable[[bytes], bool]
    ) -> dict[str, Source]:
        """Those whose bytes are wanted."""


class Rendering(Record):
    """A spec that came out of templates, or why none came.

    ``key`` tells it from the others of its state and is the same before and after a
    change. ``inputs`` are the paths of what it is made of. ``guessed`` is whether its
    values were only found beside it. ``other`` is the spec where conditions on unknown
    values do not hold, if that is another one.
    """

    key: str
    inputs: frozenset[str]
    path: str
    source: Rendered | None
    error: InputError | None = None
    template: Source | None = None
    guessed: bool = False
    other: Rendered | None = None

    @property
    def spec(self) -> Source | None:
        """The spec, or the template of which is known why it cannot be read."""
        if self.source is not None or self.template is None:
            return self.source
        raw = self.template
        unread = Source(raw.path, raw.text, raw.revision, past=raw.past)
        unread.unread = self.error
        return unread


class Renderings:
    """What the templates of one state give, each rendered at most once.

    ``given`` are the calls of the settings: for their templates no others count.
    """

    def __init__(self, state: Files, given: Iterable[Given] = ()) -> None:
        self._state = state
        self._given = tuple(given)
        self._texts: dict[str, Source] = {}
        self._made: dict[tuple[str, Call | None], Rendering] = {}

    def touching(self, paths: Collection[str]) -> list[Rendering]:
        """The renderings that are made from one of these files, by key."""
        here = [path for path in paths if path in self._state.files]
        if not here:
            return []
        found: dict[str, Rendering] = {}
        named: set[str] = set()
        for key, call in self._calls:
            named.update(call.templates)
            if not {*call.inputs, call.span.source.path}.isdisjoint(here):
                found[key] = self._called(key, call)
        for path in self._left_alone(here, named):
            for each in self._alone(path):
                found[each.key] = each
        return [found[key] for key in sorted(found)]

    def named(self, prefix: str) -> list[Rendering]:
        """What the calls of the lists render from templates below a folder."""
        return [
            self._called(key, call)
            for key, call in self._calls
            if any(path.startswith(prefix) for path in call.templates)
        ]

    def called(self, key: str) -> list[Rendering]:
        """The rendering of this key, if there is one."""
        found = [self._called(key, call) for known, call in self._calls if known == key]
        if not found:
            path = key.partition(" with ")[0]
            self._read([path] if path in self._state.files else [])
            source = self._texts.get(path)
            if source is not None and template_kind(source) is not None:
                found = [each for each in self._alone(path) if each.key == key]
        return found

    def path_of(self, source: Source) -> str | None:
        """The path of a text that is called as from the current folder, if known."""
        root = getattr(self._state, "root", None)
        if root is None:
            return None
        place = os.path.abspath(source.path)  # noqa: PTH100 - Links stay as they are.
        path = Path(os.path.relpath(place, os.path.realpath(root))).as_posix()
        return path if path in self._state.files else None

    # Calls

    @cached_property
    def _calls(self) -> list[tuple[str, Call]]:
        """All calls of the lists, each with a key of its own."""
        files = self._state.files
        lists = self._state.read(
            filter(may_give_values, files),
            lambda data: len(data) < _LIST_SIZE and CALL.search(data) is not None,
        )
        calls: dict[Call, None] = dict.fromkeys(self._of_settings())
        told = {path for call in calls for path in call.templates}
        for path in sorted(lists):
            # A spec is no list, whatever its comments say.
            for call in calls_in(lists[path], posixpath.dirname(path), files):
                if told.isdisjoint(call.templates):
                    calls[call] = None
                if len(calls) == MOST_CALLS:
                    break
        by_template: dict[tuple[str, ...], list[Call]] = {}
        for call in calls:
            same = by_template.setdefault(call.templates, [])
            if not any(_gives_the_same(call, other) for other in same):
                same.append(call)
        return [
            (_key(call, same), call) for same in by_template.values() for call in same
        ]

    def _of_settings(self) -> Iterator[Call]:
        root = os.path.realpath(getattr(self._state, "root", "."))
        for given in self._given:
            folder = os.path.relpath(os.path.realpath(given.folder), root)
            inner = "" if folder == "." else Path(folder).as_posix()
            call = call_given(given, inner, self._state.files)
            if call is not None:
                yield call

    def _called(self, key: str, call: Call) -> Rendering:
        known = self._made.get((key, call))
        if known is None:
            known = self._made[key, call] = self._render(key, call)
        return known

    def _render(self, key: str, call: Call) -> Rendering:
        inputs = frozenset(call.inputs)
        self._read(call.inputs)
        templates = [self._texts.get(path) for path in call.templates]
        values = [self._texts.get(path) for path in call.values]
        try:
            arguments = Arguments(
                templates=tuple(s for s in templates if s is not None),
                values=tuple(s for s in values if s is not None),
                snippets=tuple(
                    (posixpath.basename(path), source)
                    for path in call.snippets
                    if (source := self._texts.get(path)) is not None
                ),
                sets=call.sets,
                set_strings=call.set_strings,
                name=call.name,
                complete=call.complete and None not in values,
                fails_on_missing=call.fails_on_missing,
            )
            made = self._made_of(arguments, call.output)
        except InputError as error:
            template = templates[0] if templates else None
            return Rendering(key, inputs, call.templates[0], None, error, template)
        other = self._other_of(arguments, made, call.output)
        return Rendering(key, inputs, call.templates[0], made, other=other)

    def _made_of(self, arguments: Arguments, output: str | None = None) -> Rendered:
        """The spec; where a template refuses one way, that of the other way."""
        try:
            return self._one_way(arguments, output)
        except InputError:
            with suppress(InputError):
                made = self._one_way(arguments._replace(holds=False), output)
                if _has_ways(made):
                    return made
            raise

    def _other_of(
        self, arguments: Arguments, made: Rendered, output: str | None = None
    ) -> Rendered | None:
        """The spec of the other way; a template may well refuse to go that one."""
        if _has_ways(made):
            with suppress(InputError):
                other = self._one_way(arguments._replace(holds=False), output)
                if other.text != made.text:
                    return other
        return None

    def _one_way(self, arguments: Arguments, output: str | None) -> Rendered:
        result = render(arguments)
        inputs = (
            *arguments.templates,
            *arguments.values,
            *(source for _, source in arguments.snippets),
        )
        return Rendered(
            with_blocks(result.output), inputs, output, assumed=said_of(result.assumed)
        )

    # Templates that no call names

    def _left_alone(self, paths: list[str], named: Collection[str]) -> list[str]:
        """The templates among these files, and those that others give values to."""
        own = [path for path in paths if path not in named and may_be_spec(path)]
        data = [path for path in own if path.endswith(_DATA)]
        folders = {posixpath.dirname(path) for path in data}
        folders |= {posixpath.dirname(folder) for folder in folders}
        near = [
            path
            for path in self._state.files
            if path not in named
            and may_be_spec(path)
            and posixpath.dirname(path) in folders
        ]
        self._read(dict.fromkeys([*own, *near]), _is_perhaps_template)
        found = []
        for path in dict.fromkeys([*own, *near]):
            source = self._texts.get(path)
            if source is None or template_kind(source) is None:
                continue
            if path in own or not {*data}.isdisjoint(self._values_for(path, source)):
                found.append(path)
        return found

    def _values_for(self, path: str, source: Source) -> list[str]:
        """The files beside a template that have what it asks for."""
        if template_kind(source) != "go":
            return []
        wanted = root_fields(source)
        folder = posixpath.dirname(path)
        around = {folder, posixpath.dirname(folder)}
        perhaps = [
            each
            for each in self._state.files
            if each != path
            and each.endswith(_DATA)
            and may_be_spec(each)
            and (
                posixpath.dirname(each) in around
                or posixpath.dirname(posixpath.dirname(each)) == folder
            )
        ]
        if not wanted or len(perhaps) > 10 * MOST_VALUES:
            return []
        self._read(perhaps)
        scored = []
        for each in perhaps:
            values = self._texts.get(each)
            keys = keys_of(values) if values is not None else frozenset()
            shared = len(keys & wanted)
            if shared and (2 * shared >= len(wanted) or _VALUES.search(each)):
                scored.append(each)
        return scored[:MOST_VALUES]

    def _alone(self, path: str) -> list[Rendering]:
        source = self._texts[path]
        kind = template_kind(source)
        if kind != "go":
            assert kind is not None  # noqa: S101
            return [self._marked(path, source, kind)]
        beside = self._values_for(path, source)
        choices: list[tuple[str, ...]] = [(each,) for each in beside] or [()]
        found = []
        for choice in choices:
            key = path if len(choices) == 1 else f"{path} with {choice[0]}"
            inputs = frozenset((path, *choice))
            values = tuple(s for each in choice if (s := self._texts.get(each)))
            try:
                arguments = Arguments(templates=(source,), values=values)
                made = self._made_of(arguments)
            except InputError as error:
                again = self._marked(path, source, "jinja")
                # What Go cannot read may be written for another program.
                made_again = again.source if not values else None
                wrong = None if made_again is not None else error
                found.append(Rendering(key, inputs, path, made_again, wrong, source))
                continue
            other = self._other_of(arguments, made)
            found.append(Rendering(key, inputs, path, made, guessed=True, other=other))
        return found

    def _marked(self, path: str, source: Source, kind: str) -> Rendering:
        try:
            assert kind != "go"  # noqa: S101
            output, assumed = marked(
                source, "jinja" if kind == "jinja" else "terraform"
            )
        except InputError as error:
            return Rendering(path, frozenset({path}), path, None, error, source)
        made = Rendered(with_blocks(output), (source,), assumed=said_of(assumed))
        # Such a template may be put into another one.
        made.is_part = True
        return Rendering(path, frozenset({path}), path, made)

    def _read(
        self,
        paths: Iterable[str],
        wanted: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        new = [path for path in paths if path not in self._texts]
        try:
            self._texts.update(self._state.read(new, wanted))
        except InputError:
            for path in new:
                # Of all of them one is no text, and the others are.
                with suppress(InputError):
                    self._texts.update(self._state.read([path], wanted))


def _is_perhaps_template(data: bytes) -> bool:
    return b"kops" in data and any(sign in data for sign in (b"{{", b"%{", b"{%", b"$"))


def _has_ways(made: Rendered) -> bool:
    """Whether there was a condition on a value that is not known."""
    return any(kind in ("condition", "otherwise") for kind, _, _ in made.assumed)


def _gives_the_same(one: Call, other: Call) -> bool:
    return one._replace(span=other.span, output=other.output) == other or (
        one.inputs == other.inputs
        and [t for t, _ in one.sets] == [t for t, _ in other.sets]
    )


def _key(call: Call, same: list[Call]) -> str:
    """The templates, and what tells this call from others of the same templates."""
    key = ", ".join(call.templates)
    if len(same) > 1:
        shared = {*same[0].inputs}.intersection(*(each.inputs for each in same))
        own = [path for path in call.inputs if path not in shared]
        told = own or [value for _, value in call.bound] or [t for t, _ in call.sets]
        key += f" with {', '.join(told)}" if told else ""
    return key


def said_of(assumed: Iterable[Assumed]) -> tuple[tuple[str, str, Span], ...]:
    """What was assumed, as kind, name and place."""
    return tuple((each.kind, each.name, each.span) for each in assumed)
