"""What of a change is about the check itself: its settings, rules, baseline, lists.

Whoever writes a change could switch off its check with them, so those of the base count
(``cli/settings_source.py``), and that they change is a finding of its own. It is asked
about once for a whole check, after the comments: none can silence it.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kopslint.config.load import NAME, read_written
from kopslint.errors import InputError
from kopslint.findings import Draft, Location
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.inputs.git import Snapshot
    from kopslint.inputs.git_change import Change, ChangedFile
    from kopslint.text import Source, Span

SETTINGS = "the settings of the check"
RULE = "a custom rule"
BASELINE = "the baseline"
LIST = "a command list"
_MANIFEST = "rule.yaml"
_PROJECT = "pyproject.toml"


class Places(Record):
    """Where files that say how is checked lie, from the top folder of the repository.

    ``settings`` and ``baseline`` are files that are named, ``rules`` folders.
    Without ``any_settings`` no file is taken for settings by its name alone.
    """

    settings: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    baseline: frozenset[str] = frozenset()
    any_settings: bool = True

    def holds(self, path: str | None) -> str | None:
        """What a file at this path says about the check, or None."""
        if path is None:
            return None
        folder, name = posixpath.split(path)
        if path in self.settings or (self.any_settings and name in (NAME, _PROJECT)):
            return SETTINGS
        if path in self.baseline:
            return BASELINE
        own = {folder, posixpath.dirname(folder)}
        if name == _MANIFEST and not own.isdisjoint(self.rules):
            return RULE
        return None


class OwnChange(Record):
    """A file that says how is checked, on both sides of the change.

    ``what`` is what it holds, ``counts`` a sentence about what the check went by.
    """

    what: str
    path: str
    before: Source | None
    after: Source | None
    counts: str


def own_changes(change: Change, places: Places, counts: str) -> Iterator[OwnChange]:
    """The files of a change that say how is checked, by path."""
    files = [
        (file, old, new)
        for file in change.files
        for old, new in [[places.holds(path) for path in file]]
        if old or new
    ]
    befores = _texts(change.before, (file.old for file, old, _ in files if old))
    afters = _texts(change.after, (file.new for file, _, new in files if new))
    told = set()
    for file, old, new in files:
        before = befores.get(file.old or "") if old else None
        after = afters.get(file.new or "") if new else None
        path = (file.new if new else file.old) or ""
        if _is_same(file, before, after):
            continue
        told.add(path)
        called = change.after.called(path)
        yield OwnChange(old or new or "", called, before, after, counts)
    for path in change.links:
        # What a link leads to may be anything.
        what = places.holds(path)
        if what is not None and path not in told:
            yield OwnChange(what, change.after.called(path), None, None, counts)


def lost_lists(lists: Iterable[Source]) -> Iterator[OwnChange]:
    """Lists of commands that the settings name and that a change takes away."""
    for source in lists:
        counts = "It was replayed at every change of its clusters, and now it is not."
        yield OwnChange(LIST, source.path, source, None, counts)


def _texts(state: Snapshot, paths: Iterable[str | None]) -> dict[str, Source]:
    """The files of one side, without those that are not there, too large, or no text.

    All at once, if that is possible: each reading may start a process.
    """
    wanted = [path for path in paths if path]
    try:
        return state.read(wanted, lambda _: True)
    except InputError:
        if len(wanted) < 2:
            return {}
    middle = len(wanted) // 2
    return _texts(state, wanted[:middle]) | _texts(state, wanted[middle:])


def _is_same(file: ChangedFile, before: Source | None, after: Source | None) -> bool:
    """Whether a file says of the check what it said, whatever else is in it."""
    if file.old is not None and file.new is not None and file.old != file.new:
        return False
    is_project = posixpath.basename(file.new or file.old or "") == _PROJECT
    if is_project and not any("kopslint" in s.text for s in (before, after) if s):
        # Most projects have one; what cannot be read may hold anything.
        gone = (file.old and before is None) or (file.new and after is None)
        return not gone
    return same_settings(before, after)


def same_settings(before: Source | None, after: Source | None) -> bool:
    """Whether two texts of settings say the same."""
    try:
        old, new = (source and read_written(source) for source in (before, after))
    except InputError:
        return before is not None and after is not None and before.text == after.text
    if (before is None or after is None) and (old or new):
        return False
    return (old and old.values) == (new and new.values)


# ------------------------------------------------------------------------------------
# What the rule says


def check_changed(changes: Iterable[OwnChange]) -> Iterator[Draft]:
    """A change is about its own check."""
    for each in changes:
        does, label = _does(each)
        span = _first_difference(each)
        yield Draft(
            message=f"this change also {does} {each.what}: {each.path}",
            why=f"In this way a change could switch off its own check. {each.counts}",
            locations=(Location(span, label),) if span is not None else (),
            subject=each.path,
            fix=("# review it as carefully as the clusters",),
        )


def _does(change: OwnChange) -> tuple[str, str]:
    if change.after is not None:
        return ("changes", "changed") if change.before else ("brings", "new")
    if change.before is not None:
        return "takes away", "it was here"
    return "changes", ""


def _first_difference(change: OwnChange) -> Span | None:
    """The first line that a side has of its own, of after if there is one."""
    source = change.after or change.before
    if source is None:
        return None
    other = change.before.lines if change.before and change.after else []
    lines = enumerate(source.lines, 1)
    written = [(n, each) for n, each in lines if each.strip("\t ")[:1] not in ("", "#")]
    own = (n for n, each in written if other[n - 1 : n] != [each])
    number = next(own, written[0][0] if written else 1)
    line = source.line(number)
    start = len(line) - len(line.lstrip()) + 1
    return source.span(number, start, number, max(len(line.rstrip()), start) + 1)
