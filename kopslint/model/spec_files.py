"""Spec files that commands name, each with the objects of one cluster in it.

``kops -f`` stores what stands in a file and nothing else: a side of a change may be
spread over files, and a list may store a spec that is neither side. What a file holds
that nobody has is not known here.
"""

from __future__ import annotations

import posixpath
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.commands.model import (
    CreateFromFile,
    DeleteFromFile,
    Foreign,
    Reads,
    Replace,
    Unreadable,
)
from kopslint.errors import InputError
from kopslint.kops.decode import read_fleet, with_same_objects
from kopslint.kops.spec import Manifest
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.commands.model import Command
    from kopslint.kops.decode import Fleet
    from kopslint.kops.spec import Cluster, InstanceGroup
    from kopslint.shell.ast import SimpleCommand, Word


# ------------------------------------------------------------------------------------
# Specs that a list brings along: here-documents, and files that it writes itself
#
# ``kops replace -f - <<EOF`` and ``cat > ig.yaml <<EOF`` have the objects in the text
# of the list. What a program makes of a text on its way to kops is not known here,
# nor what is in a text with a variable that the list does not set.

STDIN = ("-", "/dev/stdin")
"""What ``-f`` calls the standard input."""

MOST_TEXTS = 64
"""More than so many are no list that anybody wrote; the others are not known."""


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
        text = _given(call) if words and len(found) < MOST_TEXTS else None
        for word in words:
            old = found.setdefault(word, text or Source("", ""))
            if text is None or old.text != text.text:
                several.add(word)
    return {word: text for word, text in found.items() if word not in several}


def written_out(
    calls: Sequence[tuple[SimpleCommand, tuple[Command, ...]]],
) -> dict[str, Source]:
    """The files that the list writes from a text of its own, by name as written.

    One that it reads before is another file then.
    """
    wanted = {word.text for _, commands in calls for word in object_files(commands)}
    found: dict[str, Source] = {}
    read: set[str | None] = set()
    for call, commands in calls:
        name = _target(call)
        wanted_yet = name in wanted and name not in read
        if name is not None and wanted_yet and len(found) < MOST_TEXTS:
            text = _given(call)
            if text is not None:
                found[name] = text
        read.update(word.text for word in object_files(commands))
    return found


def object_files(commands: Iterable[Command]) -> Iterator[Word]:
    """The files that kops reads objects from."""
    for command in commands:
        if isinstance(command, Replace | CreateFromFile | DeleteFromFile):
            yield from command.files


def _target(call: SimpleCommand) -> str | None:
    """The one file that a call fills with its standard input, and does not add to."""
    words = [word.text for word in call.words]
    files = [r for r in call.redirects if r.target is not None]
    if words in (["cat"], ["cat", "-"]) and len(files) == 1:
        target = files[0].target
        plain = files[0].operator in (">", ">|", "1>")
        return target.text if plain and target is not None else None
    return words[1] if len(words) == 2 and words[0] == "tee" else None


def _given(call: SimpleCommand) -> Source | None:
    """The standard input of a call, in its place in the list as far as that goes.

    Lines are those of the list where the text stands there as it is.
    """
    if call.stdin is None or call.stdin.text is None:
        return None
    text, span = call.stdin.text, call.stdin.span
    source = span.source
    verbatim = source.text.find(text) if text.strip() else -1
    first = source.text.count("\n", 0, verbatim) if verbatim >= 0 else span.line - 1
    return Source(source.path, "\n" * first + text, source.revision)


_READERS = frozenset(
    {"[", "[[", "cat", "cmp", "diff", "echo", "file", "git", "grep", "head", "kopslint"}
    | {"less", "ls", "printf", "stat", "tail", "test", "wc", "yamllint"}
)
"""Programs that leave a file as it is; any other one may write what it names."""

_COPIERS = ("aws ", "az ", "gcloud ", "gsutil ", "kops toolbox", "openstack ")
"""What changes no plane and may write a file all the same."""


class SpecFiles(Record):
    """What is known of the files that commands name, by ``key``.

    ``objects`` are those of the cluster at hand, if any. ``unread`` says why a file
    that is there cannot be read as a spec.
    """

    objects: Mapping[str, Manifest] = {}
    unread: Mapping[str, str] = {}


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
    """A file argument as it is told from others, by the folder of its list.

    The standard input is another one at every place.
    """
    if word.text in STDIN:
        return f"{word.span}: {word.text}"
    return posixpath.join(_folder(word), word.shown)


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
    simulated. A file at hand that is about other clusters holds nothing of this one,
    and one that the list itself may write is not known by what it holds now.
    """
    calls = tuple(calls)
    objects: dict[str, Manifest] = {}
    unread: dict[str, str] = {}
    before, after = declared
    sides = ((after, before, aligned[1]), (before, after, aligned[0]))
    own = {*before.sources, *after.sources}
    writers = [name for call, commands in calls for name in _written(call, commands)]
    written = set(writers)
    inputs, own_files = from_input(calls), written_out(calls)

    def held_in(source: Source) -> Manifest | str:
        held = at_hand.read(source)
        if isinstance(held, str):
            return held
        empty = Manifest(name=after.name, cluster=None, groups={})
        manifest = held.manifests.get(after.name, empty)
        return with_same_objects(manifest, (*aligned, *objects.values()))

    def brought_along(name: str, word: Word) -> Source | None:
        if word in inputs or name not in own_files:
            return inputs.get(word)
        return own_files[name] if writers.count(name) == 1 else None

    def find(name: str, word: Word) -> Manifest | str | None:
        text = brought_along(name, word)
        if text is not None and isinstance(given := held_in(text), Manifest):
            return given
        exactly = at_hand.exactly(name, word) if name not in written else None
        if exactly is not None and exactly not in own:
            held = at_hand.read(exactly)
            if not isinstance(held, str) and after.name not in held.manifests:
                return Manifest(name=after.name, cluster=None, groups={})
        for side, other, whole in sides:
            if sources := _called(side.sources, name):
                return _declared_in(sources, side, other, whole)
        source = at_hand.called(name, word)
        if source is None or name in written:
            return None
        return held_in(source)

    for word in _named(calls):
        name = file_name(word)
        found = find(name, word) if name and key(word) not in objects else None
        if isinstance(found, Manifest):
            objects[key(word)] = found
        elif found is not None:
            unread[key(word)] = found
    return SpecFiles(MappingProxyType(objects), MappingProxyType(unread))


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


def _named(
    calls: Iterable[tuple[SimpleCommand, tuple[Command, ...]]],
) -> Iterator[Word]:
    for _, commands in calls:
        yield from object_files(commands)


def _written(call: SimpleCommand, commands: tuple[Command, ...]) -> Iterator[str]:
    """The names of files that a call may write."""
    for redirect in call.redirects:
        if ">" in redirect.operator and redirect.target is not None:
            yield file_name(redirect.target) or ""
    for command in commands:
        match command:
            case Foreign(program=program) if program in _READERS:
                pass
            case Reads(verb=verb) if not verb.startswith(_COPIERS):
                pass
            case Foreign() | Reads() | Unreadable():
                yield from (file_name(word) or "" for word in call.words)


def _read(source: Source) -> Fleet | str:
    """The objects of a file, or why they cannot be known."""
    try:
        fleet = read_fleet([source])
    except InputError as error:
        return error.message
    if fleet.flaws:
        return fleet.flaws[0].message
    return fleet if fleet.manifests else "it holds no object of kops"
