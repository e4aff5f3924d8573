"""A large fleet cut into portions, and what came of them put together again.

Which clusters a file is about is known only when it has been read, and reading is half
of the work. So files are cut by the names that their text shows at first sight. Whoever
puts the portions together sees from what was read where a text did not show everything;
then the fleet is checked in one piece.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.engine.examine import Examination
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.engine.examine import Examined
    from kopslint.engine.request import Request
    from kopslint.source.text import Source

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
    """A request in ``portions``; ``shown`` are the clusters that each file names."""

    request: Request
    portions: tuple[Request, ...]
    shown: Mapping[Source, frozenset[str]]

    @property
    def names(self) -> frozenset[str]:
        """The clusters that there seem to be."""
        return frozenset(name for names in self.shown.values() for name in names)

    def together(self, parts: Iterable[Examination | None]) -> Examination | None:
        """What came of all portions: exactly what comes of the request in one piece.

        None if a portion could not be read, or if a file is about another cluster
        than it shows, so that clusters were cut in two or commands taken to be about
        a cluster that is not there.
        """
        clusters: dict[str, Examined] = {}
        sources: dict[str, tuple[Source, ...]] = {}
        skipped: list[Source] = []
        for part in parts:
            if part is None:
                return None
            for name, found in part.sources.items():
                if any(name not in self.shown[source] for source in found):
                    return None
            clusters.update(part.clusters)
            sources.update(part.sources)
            skipped += part.skipped
        if self.request.commands and sources.keys() != self.names:
            return None
        return Examination(
            dict(sorted(clusters.items())), dict(sorted(sources.items())), (*skipped,)
        )


def cut(request: Request, size: int = SIZE) -> Cut:
    """Cut a request by clusters, each side of a change in the same way.

    Clusters stay together if they are in the same file or, on the two sides, in files
    of the same path: one may be the other under a new name.
    """
    shown = {source: _names_shown(source) for source in request.specs}
    home: dict[str, str] = {}

    def leader(name: str) -> str:
        """The name that stands for all those that this one stays together with."""
        while home.setdefault(name, name) != name:
            home[name] = name = home[home[name]]
        return name

    for source, names in shown.items():
        for name in names:
            # No name of a cluster holds such a character.
            home[leader(name)] = leader(f"\n{source.path}")
    number: dict[str, int] = {}
    place: dict[Source, int] = {}
    last = 0
    for source, names in shown.items():
        for name in names:
            last = number.setdefault(leader(name), len(number) // size)
        place[source] = last
    return Cut(request, tuple(_portions(request, place)), shown)


def _names_shown(source: Source) -> frozenset[str]:
    """The clusters that a file seems to be about, without reading it.

    Every label shows one, and so does every Cluster.
    """
    names = _LABEL.findall(source.text)
    for document in source.text.split("\n---"):
        if _CLUSTER.search(document) and (match := _NAME.search(document)):
            names.append(match[2])
    return frozenset(names)


def _portions(request: Request, place: dict[Source, int]) -> Iterator[Request]:
    """The request with those sources only that are in each place."""

    def cut_up(sources: tuple[Source, ...] | None) -> dict[int, list[Source]]:
        found: dict[int, list[Source]] = {}
        for source in sources or ():
            found.setdefault(place[source], []).append(source)
        return found

    before, after = cut_up(request.before), cut_up(request.after)
    for number in sorted({*before, *after}):
        yield request._replace(
            before=None if request.before is None else tuple(before.get(number, ())),
            after=None if request.after is None else tuple(after.get(number, ())),
        )
