"""Spec files that commands name, each with the objects of one cluster in it.

``kops -f`` stores what stands in a file and nothing else: a side of a change may be
spread over files, and a list may store a spec that is neither side. What a file holds
that nobody has is not known here.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.commands.kops import (
    CreateFromFile,
    DeleteFromFile,
    EncryptionConfig,
    Replace,
)
from kopslint.errors import InputError
from kopslint.kops.decode import read_fleet, with_same_objects
from kopslint.kops.spec import Manifest
from kopslint.model.written_files import MOST_TEXTS, Written, given_text, said
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kopslint.commands.model import Command
    from kopslint.kops.decode import Fleet
    from kopslint.kops.spec import Cluster, InstanceGroup
    from kopslint.model.written_files import Content
    from kopslint.shell.ast import SimpleCommand, Word


# ------------------------------------------------------------------------------------
# Specs that a list brings along: here-documents, and files that it writes itself
#
# ``kops replace -f - <<EOF`` and ``cat > ig.yaml <<EOF`` have the objects in the text
# of the list. What a program makes of a text on its way to kops is not known here,
# nor what is in a text with a variable that the list does not set.

STDIN = ("-", "/dev/stdin")
"""What ``-f`` calls the standard input."""


def from_input(
    calls: Iterable[tuple[SimpleCommand, tuple[Command, ...]]],
) -> dict[Word, Source]:
    """The text that each ``-f -`` reads, by its word; a loop may give it several.

    Those are left out, for one word stands for all turns.
    """
    found: dict[Word, Source] = {}
    several: set[Word] = set()
    for call, commands in calls:
        words = [word for word in object_files(commands) if word.text in STDIN]
        text = given_text(call) if words and len(found) < MOST_TEXTS else None
        for word in words:
            old = found.setdefault(word, text or Source("", ""))
            if text is None or old.text != text.text:
                several.add(word)
    return {word: text for word, text in found.items() if word not in several}


def object_files(commands: Iterable[Command]) -> Iterator[Word]:
    """The files that kops reads objects from."""
    for command in commands:
        if isinstance(command, Replace | CreateFromFile | DeleteFromFile):
            yield from command.files


class SpecFiles(Record):
    """What is known of the files that commands name, by ``key``.

    ``objects`` are those of the cluster at hand, if any. ``unread`` says why a file
    that is there cannot be read as a spec, ``doubted`` why one may hold something else
    by the time it is used. ``reshaped`` are those that are written by what speaks of
    members or of groups of the control plane. ``secrets`` are the texts of files that
    are stored as secrets, as far as they are known.
    """

    objects: Mapping[str, Manifest] = {}
    unread: Mapping[str, str] = {}
    doubted: Mapping[str, str] = {}
    reshaped: frozenset[str] = frozenset()
    secrets: Mapping[str, Source] = {}


class SpecsAtHand:
    """Files that are neither side of the change, read once, if a command names them."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._sources = tuple(sources)
        self.read: Callable[[Source], Fleet | str] = cache(_read)

    def exactly(self, name: str, word: Word) -> Source | None:
        """The file of that name beside the list of ``word``, or from here."""
        paths = [posixpath.normpath(posixpath.join(_folder(word), name)), name]
        return next((s for p in paths for s in self._sources if s.path == p), None)

    def called(self, name: str, word: Word) -> Source | None:
        """The same, or any of that name: a list may change its folder."""
        ending = next(iter(_called(self._sources, name)), None)
        return self.exactly(name, word) or ending


def key(word: Word) -> str:
    """What identifies a file argument: what is in a file may change."""
    return f"{word.span}: {posixpath.join(_folder(word), word.shown)}"


def _folder(word: Word) -> str:
    return posixpath.dirname(word.span.source.path)


def spec_files(
    calls: Iterable[tuple[SimpleCommand, tuple[Command, ...]]],
    declared: tuple[Manifest, Manifest],
    aligned: tuple[Manifest, Manifest],
    at_hand: SpecsAtHand,
) -> SpecFiles:
    """The files that some commands name: of the side after, of before, or at hand.

    ``declared`` are both sides as their files have them, ``aligned`` as they are
    simulated. A file at hand that is about other clusters holds nothing of this one.
    What the list itself writes before is worked out, or else doubted.
    """
    calls = tuple(calls)
    objects: dict[str, Manifest] = {}
    unread: dict[str, str] = {}
    before, after = declared
    sides = ((after, before, aligned[1]), (before, after, aligned[0]))
    own = {*before.sources, *after.sources}
    inputs = from_input(calls)
    doubted: dict[str, str] = {}
    reshaped: set[str] = set()
    of_members = about_members((*declared, *aligned))

    def look(name: str, word: Word) -> Source | None:
        for side in declared[::-1]:
            if sources := _called(side.sources, name):
                return sources[0] if len(sources) == 1 else None
        return at_hand.called(name, word)

    def held_in(source: Source) -> Manifest | str:
        for side, other, whole in sides:
            if source in side.sources:
                return _declared_in((source,), side, other, whole)
        held = at_hand.read(source)
        if isinstance(held, str):
            return held
        empty = Manifest(name=after.name, cluster=None, groups={})
        manifest = held.manifests.get(after.name, empty)
        return with_same_objects(manifest, (*aligned, *objects.values()))

    def as_it_is(name: str, word: Word) -> Manifest | str | None:
        exactly = at_hand.exactly(name, word)
        if exactly is not None and exactly not in own:
            held = at_hand.read(exactly)
            if not isinstance(held, str) and after.name not in held.manifests:
                return Manifest(name=after.name, cluster=None, groups={})
        for side, other, whole in sides:
            if sources := _called(side.sources, name):
                return _declared_in(sources, side, other, whole)
        source = at_hand.called(name, word)
        return held_in(source) if source is not None else None

    def find(name: str, word: Word, content: Content | None) -> Manifest | str | None:
        if word.text in STDIN:
            given = held_in(inputs[word]) if word in inputs else None
            return given if isinstance(given, Manifest) else as_it_is(name, word)
        if content is None:
            return as_it_is(name, word)
        source = content.read()
        if source is not None:
            return held_in(source)
        doubted[key(word)] = content.why
        if of_members.search(content.said):
            reshaped.add(key(word))
        is_own = any(_called(side.sources, name) for side in declared)
        return as_it_is(name, word) if is_own or not content.named else None

    def text_of(word: Word, call: SimpleCommand) -> Source | None:
        if word.text in STDIN:
            return given_text(call)
        name = file_name(word)
        content = files.content(name) if name else None
        if content is not None:
            return content.read()
        return look(name, word) if name else None

    secrets: dict[str, Source] = {}
    files = Written(look)
    for call, commands in calls:
        for command in commands:
            if isinstance(command, EncryptionConfig) and command.file is not None:
                text = text_of(command.file, call)
                if text is not None:
                    secrets[key(command.file)] = text
        for word in object_files(commands):
            name = file_name(word)
            if not name or key(word) in objects or key(word) in unread:
                continue
            if word.text == "-" and of_members.search(said(call._replace(words=()))):
                reshaped.add(key(word))
            found = find(name, word, files.content(name))
            if isinstance(found, Manifest):
                objects[key(word)] = found
            elif found is not None:
                unread[key(word)] = found
        files.run(call, commands)
    return SpecFiles(
        MappingProxyType(objects),
        MappingProxyType(unread),
        MappingProxyType(doubted),
        frozenset(reshaped),
        MappingProxyType(secrets),
    )


def about_members(specs: Iterable[Manifest]) -> re.Pattern[str]:
    """What a program is told if it is about members or groups of the control plane."""
    names = {g.name for spec in specs for g in spec.control_plane}
    listed = "|".join(re.escape(name) for name in sorted(names) if len(name) > 2)
    fields = r"etcd_?(?:Members|Clusters)\b|\bmemberCount\b"
    return re.compile(
        rf"{fields}|(?<![\w-])(?:{listed})(?![\w-])" if listed else fields
    )


def file_name(word: Word) -> str | None:
    """The name of a file as far as it is known: below a folder that may be unknown."""
    if word.text is not None:
        return posixpath.normpath(word.text) if word.text else None
    last = word.pieces[-1]
    known = isinstance(last, str) and last.startswith("/")
    return last.lstrip("/") if isinstance(last, str) and known else None


def _called(sources: Iterable[Source], name: str) -> tuple[Source, ...]:
    """The sources that are called ``name``, or else those whose path ends in it."""
    sources = tuple(sources)
    exactly = tuple(source for source in sources if source.path == name)
    return exactly or tuple(s for s in sources if s.path.endswith(f"/{name}"))


def _declared_in(
    sources: tuple[Source, ...], side: Manifest, other: Manifest, whole: Manifest
) -> Manifest:
    """The objects of a side that some of its files declare.

    What neither side declares, and ``whole`` only implies, comes with any of them.
    """

    def holds(
        mine: Cluster | InstanceGroup | None, theirs: Cluster | InstanceGroup | None
    ) -> bool:
        return theirs is None if mine is None else mine.node.span.source in sources

    groups = {
        name: group
        for name, group in whole.groups.items()
        if holds(side.groups.get(name), other.groups.get(name))
    }
    return whole.replaced(
        cluster=whole.cluster if holds(side.cluster, other.cluster) else None,
        groups=MappingProxyType(groups),
    )


def _read(source: Source) -> Fleet | str:
    """The objects of a file, or why they cannot be known."""
    try:
        fleet = read_fleet([source])
    except InputError as error:
        return error.message
    if fleet.flaws:
        return fleet.flaws[0].message
    return fleet if fleet.manifests else "it holds no object of kops"
