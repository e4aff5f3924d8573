"""A large fleet cut into portions, and what came of them put together again.

Which clusters a file is about is known only when it has been read, and reading is half
of the work. So files are cut by the names that their text shows at first sight, and
whoever puts the portions together sees from what was really read where that was wrong:
a cluster that turns up in several portions is examined again, as a whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.engine.examine import Examination
from kopslint.engine.request import NO_CLUSTER
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.engine.examine import Examined
    from kopslint.engine.request import Request
    from kopslint.source.text import Source

    Work = Callable[[Sequence[Request], frozenset[str]], Iterable[Examination]]
    """Examines portions; the names are those of all clusters there are."""

SIZE = 16
"""How many clusters make a portion, if they can be told apart."""

_LABEL = re.compile(r"""kops\.k8s\.io/cluster["']?[ ]*:[ ]*["']?([^\s"',}\]]+)""")
_CLUSTER = re.compile(r"""kind["']?[ ]*:[ ]*["']?Cluster\b""")
# The name among the keys of metadata, whatever stands below the keys before it.
_NAME = re.compile(
    r"""^metadata:[ ]*\n([ ]+)(?:(?!name:)\S.*\n(?:\1[ ]+.*\n)*\1)*"""
    r"""name:[ ]*["']?([^\s"']+)""",
    re.MULTILINE,
)


class Cut(Record):
    """A request in ``portions``, by the names that its clusters seem to have.

    ``shown`` are those of each file.
    """

    request: Request
    portions: tuple[Request, ...]
    shown: Mapping[Source, tuple[str, ...]]

    @property
    def names(self) -> frozenset[str]:
        """All names that are shown."""
        return frozenset(name for names in self.shown.values() for name in names)


def cut(request: Request, size: int = SIZE) -> Cut:
    """Cut a request by clusters, each side of a change in the same way."""
    shown = {source: _names_shown(source) for source in request.specs}
    home: dict[str, str] = {}

    def leader(name: str) -> str:
        """The name that stands for all those that share files with this one."""
        while home.setdefault(name, name) != name:
            home[name] = name = home[home[name]]
        return name

    for names in shown.values():
        for name in names:
            home[leader(name)] = leader(names[0])
    number: dict[str, int] = {}
    place: dict[Source, int] = {}
    last = 0
    for source, names in shown.items():
        if names:
            last = number.setdefault(leader(names[0]), len(number) // size)
        place[source] = last
    return Cut(request, tuple(_portions(request, place)), shown)


def examine_portions(whole: Cut, work: Work) -> Examination | None:
    """What comes of all portions; exactly what comes of the request in one piece.

    None if a side turns out to hold a single cluster: what names no cluster belongs to
    the only one there is, and no portion can know that.
    """
    request = whole.request
    parts = list(work(whole.portions, whole.names))
    sides = [_names_in(side, parts) for side in (request.before, request.after)]
    if any(len(names) == 1 for names in sides):
        return None
    names = frozenset.union(*sides)
    if names != whole.names and request.commands:
        # Commands were taken to be about clusters that are not there, or about none.
        parts = list(work(whole.portions, names))
    clusters: dict[str, Examined] = {}
    sources: dict[str, dict[Source, None]] = {}
    torn: set[str] = set()
    for part in parts:
        torn.update(name for name in part.sources if name in sources)
        clusters.update(part.clusters)
        for name, found in part.sources.items():
            sources.setdefault(name, {}).update(dict.fromkeys(found))
    torn |= _perhaps_renamed(request, sources)
    if torn:
        wanted = _connected(torn, sources)
        place = {source: 0 for source in request.specs if source in wanted}
        for part in work(tuple(_portions(request, place)), names):
            clusters.update({n: c for n, c in part.clusters.items() if n in torn})
    return Examination(
        clusters=dict(sorted(clusters.items())),
        sources={name: tuple(sources[name]) for name in sorted(sources)},
        skipped=tuple(source for part in parts for source in part.skipped),
    )


def _perhaps_renamed(
    request: Request, sources: Mapping[str, Iterable[Source]]
) -> set[str]:
    """Clusters that are new, and those that they may have been called before.

    Only who sees them all together can tell.
    """
    before = frozenset(request.before or ())
    new = {name for name, found in sources.items() if before.isdisjoint(found)}
    paths = {source.path for name in new for source in sources[name]}
    old = {
        name
        for name, found in sources.items()
        for source in found
        if source in before and (request.is_one_file or source.path in paths)
    }
    return new | old if new and old else set()


def _connected(
    names: Iterable[str], sources: Mapping[str, Iterable[Source]]
) -> set[Source]:
    """The sources of some clusters, and of all that share sources with these."""
    inside: dict[Source, list[str]] = {}
    for name, found in sources.items():
        for source in found:
            inside.setdefault(source, []).append(name)
    seen = set(names)
    waiting = list(seen)
    wanted: set[Source] = set()
    while waiting:
        new = set(sources[waiting.pop()]) - wanted
        wanted |= new
        others = {name for source in new for name in inside[source]} - seen
        seen |= others
        waiting.extend(others)
    return wanted


def _names_in(
    side: tuple[Source, ...] | None, parts: Iterable[Examination]
) -> frozenset[str]:
    """The clusters that the sources of a side are about."""
    here = frozenset(side or ())
    return frozenset(
        name
        for part in parts
        for name, sources in part.sources.items()
        if name != NO_CLUSTER and not here.isdisjoint(sources)
    )


def _names_shown(source: Source) -> tuple[str, ...]:
    """The clusters that a file seems to be about, without reading it.

    Every label shows one, and so does every Cluster.
    """
    names = _LABEL.findall(source.text)
    for document in source.text.split("\n---"):
        if _CLUSTER.search(document) and (match := _NAME.search(document)):
            names.append(match[2])
    return tuple(names)


def _portions(request: Request, place: dict[Source, int]) -> Iterator[Request]:
    """The request with those sources only that are in each place."""

    def cut_up(sources: tuple[Source, ...] | None) -> dict[int, list[Source]]:
        found: dict[int, list[Source]] = {}
        for source in sources or ():
            if source in place:
                found.setdefault(place[source], []).append(source)
        return found

    before, after = cut_up(request.before), cut_up(request.after)
    for number in sorted({*before, *after}):
        yield request._replace(
            before=None if request.before is None else tuple(before.get(number, ())),
            after=None if request.after is None else tuple(after.get(number, ())),
        )
