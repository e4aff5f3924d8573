"""A large fleet cut into portions, and what came of them put together again.

Which clusters a file is about is known only when it has been read, and reading is half
of the work. So files are cut by the names that their text shows at first sight. Whoever
puts the portions together sees from what was read where a text did not show everything;
then the fleet is checked in one piece.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kopslint import engine
from kopslint.config.settings import DEFAULT
from kopslint.engine.aggregate import conclude
from kopslint.engine.examine import Examination, Examiner
from kopslint.engine.written import as_written
from kopslint.errors import InputError
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import ProcessPoolExecutor

    from kopslint.config.settings import Settings
    from kopslint.engine.examine import Examined, Request
    from kopslint.findings import Report


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


# ------------------------------------------------------------------------------------
# Many clusters over several processes, and in each of them a few at a time
#
# The engine is pure and knows nothing of processes. Here a fleet that is large enough
# is handed to workers in portions, so that it takes all the cores there are and no
# more memory than a few portions. The report and every error are those of one
# process.

_MOST_JOBS = 8
"""More workers than this only if they are asked for: each takes memory."""


def check(
    request: Request,
    settings: Settings = DEFAULT,
    jobs: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Report:
    """The same report, and the same errors, as ``engine.check``.

    ``jobs`` is how many processes work on it, by default as many as there are cores.
    ``progress`` is told how many of all portions are done.
    """
    if not request.is_fleet or request.is_one_file:
        return engine.check(request, settings)
    whole = cut(request)
    if len(whole.portions) < 2:
        return engine.check(request, settings)
    task = _Task(request, settings, whole.names, whole.portions)

    def parts() -> Iterator[Examination | None]:
        for number, part in enumerate(_examined(task, jobs or _cores()), 1):
            progress(number, len(whole.portions))
            yield part

    examination = whole.together(parts())
    if examination is None:
        return engine.check(request, settings)
    return as_written(conclude(request, settings, examination), request)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _MOST_JOBS)
    return min(os.cpu_count() or 1, _MOST_JOBS)


class _Task(Record):
    """Everything that a worker has to know."""

    request: Request
    settings: Settings
    names: frozenset[str]
    portions: tuple[Request, ...]

    def sources(self) -> tuple[Source, ...]:
        """The sources that both sides of a process boundary have."""
        request = self.request
        return (*request.specs, *request.commands, *request.at_hand)


def _examined(task: _Task, jobs: int) -> Iterator[Examination | None]:
    """What comes of each portion, in their order; None where it cannot be read."""
    done = 0
    if jobs > 1:
        from concurrent.futures.process import BrokenProcessPool

        try:
            for part in _by_workers(task, min(jobs, len(task.portions))):
                yield part
                done += 1
        except BrokenProcessPool:
            # Examining is pure, so what is left gives the same here.
            pass
    yield from _here(task, done)


def _here(task: _Task, done: int) -> Iterator[Examination | None]:
    """The portions after the first ones, in this process."""
    if done == len(task.portions):
        return
    worker = _Worker(task)
    _collect_by_portions()
    try:
        for number in range(done, len(task.portions)):
            yield worker.examine(number)
            gc.collect()
            # What is left now is what was found, and is not looked at again.
            gc.freeze()
    finally:
        gc.unfreeze()
        gc.enable()


def _collect_by_portions() -> None:
    """Look for cycles after each portion and not within: there are next to none.

    What is there before the first portion stays, and is not looked at again.
    """
    gc.freeze()
    gc.disable()


def _by_workers(task: _Task, jobs: int) -> Iterator[Examination | None]:
    """The portions by ``jobs`` processes, in the order of the portions.

    Raises ``BrokenProcessPool`` if one of them was killed or could not begin, and what
    examining raises.
    """
    from concurrent.futures.process import BrokenProcessPool

    sources = task.sources()
    try:
        pool = _pool(task, jobs)
        with _no_interruption():
            done = pool.map(_examine, range(len(task.portions)))
    except (ImportError, NotImplementedError, OSError) as error:
        raise BrokenProcessPool("this machine has no processes to share") from error
    try:
        for data in done:
            yield _Unpickler(io.BytesIO(data), sources).load()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Lets processes start for which an interruption from the keyboard is not meant.

    They inherit that it is held back; here it comes as soon as they have started.
    """
    import signal

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _pool(task: _Task, jobs: int) -> ProcessPoolExecutor:
    import multiprocessing
    import threading
    from concurrent.futures import ProcessPoolExecutor

    # A fork shares what is loaded already, and is safe where there is one thread.
    forks = sys.platform == "linux" and threading.active_count() == 1
    return ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("fork" if forks else "spawn"),
        initializer=_begin,
        initargs=(task,),
    )


class _Worker:
    """What a process keeps from one portion to the next."""

    def __init__(self, task: _Task) -> None:
        self._portions = task.portions
        self._examiner = Examiner(task.request, task.settings, task.names)
        self.numbers = {source: n for n, source in enumerate(task.sources())}

    def examine(self, number: int) -> Examination | None:
        """Examine a portion; None if it cannot be read.

        Which of all files that cannot be read is the first one is seen elsewhere.
        """
        try:
            return self._examiner.examine(self._portions[number])
        except InputError:
            return None


_worker: _Worker | None = None


def _begin(task: _Task) -> None:
    """Prepare a worker process."""
    import signal
    from threading import Thread

    global _worker  # noqa: PLW0603 - a pool hands its workers nothing but this.
    # Whoever is interrupted from the keyboard ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    _worker = _Worker(task)
    _collect_by_portions()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _examine(number: int) -> bytes:
    """Examine a portion in a worker process."""
    assert _worker is not None  # noqa: S101 (every worker has begun)
    examination = _worker.examine(number)
    data = io.BytesIO()
    _Pickler(data, _worker.numbers).dump(examination)
    gc.collect()
    return data.getvalue()


class _Pickler(pickle.Pickler):
    """Writes sources as their numbers.

    The other side has the sources, and findings point into them by identity.
    """

    def __init__(self, file: io.BytesIO, numbers: dict[Source, int]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = numbers

    def persistent_id(self, value: object) -> int | None:
        return self._numbers.get(value) if isinstance(value, Source) else None


class _Unpickler(pickle.Unpickler):
    """Reads what a worker of this very program wrote."""

    def __init__(self, file: io.BytesIO, sources: Sequence[Source]) -> None:
        super().__init__(file)
        self._sources = sources

    def persistent_load(self, number: int) -> Source:
        return self._sources[number]
