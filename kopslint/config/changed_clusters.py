"""The clusters that a change touches, each with all the files that it is made of.

A cluster may be spread over files of which only one changed, and kops cannot be
asked about half a cluster. Files belong together if the configuration's
``{cluster}`` says so, or if they lie in one folder and name the same cluster. This
module knows how kops marks its objects and nothing else about them.
"""

from __future__ import annotations

import os
import posixpath
import re
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING

from kopslint.config.patterns import Match
from kopslint.discovery.content import (
    PLAIN,
    is_kops_text,
    is_plain_spec,
    looks_like_kops,
    may_be_spec,
    may_give_values,
    unescaped,
)
from kopslint.errors import InputError
from kopslint.inputs.decode import too_large
from kopslint.inputs.git_change import ChangedFile
from kopslint.inputs.named_files import files_in_snapshot
from kopslint.records import Record
from kopslint.syntax.yaml import read_yaml, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.config.patterns import Layout
    from kopslint.discovery.renderings import Rendering, Renderings
    from kopslint.inputs.git import Snapshot
    from kopslint.inputs.git_change import Change
    from kopslint.text import Source


# ------------------------------------------------------------------------------------
# By what a file is known to be about kops, and about which clusters
#
# Only these marks are looked at here, so that a file of somebody else's costs next to
# nothing.

_APIS = ("kops.k8s.io/", "kops/")
_LABEL = "kops.k8s.io/cluster"
_NAMED = _LABEL.encode()


def naming(names: set[str]) -> Callable[[bytes], bool]:
    """Which files may hold kops objects of clusters with these names."""
    each = "|".join(map(re.escape, sorted(names)))
    pattern = re.compile(rf"(?<![\w.-])(?:{each})(?![\w.-])".encode())
    known = [name.encode() for name in names]

    def named(data: bytes) -> bool:
        data = unescaped(data)
        # Looking for the bytes alone first is many times faster.
        found = any(name in data for name in known)
        return found and looks_like_kops(data) and pattern.search(data) is not None

    return named


def named_clusters(source: Source) -> set[str] | None:
    """The clusters that the objects of a file name; None if it cannot be read.

    A template that was not rendered, for one, cannot be read.
    """
    try:
        documents = read_yaml(source)
    except InputError:
        return None
    found = set()
    for root in (document.root for document in documents):
        if not (text_at(root, "apiVersion") or "").startswith(_APIS):
            continue
        is_cluster = text_at(root, "kind") == "Cluster"
        place = ("name",) if is_cluster else ("labels", _LABEL)
        found.add(text_at(root, "metadata", *place))
    return {name for name in found if name}


# ------------------------------------------------------------------------------------
# The files of a change, on both sides of it: each is read once, and only if wanted


class Texts:
    """What was read so far of a change."""

    def __init__(self, change: Change) -> None:
        self._before, self._after = change.before, change.after
        self._changed = {path for file in change.files for path in file if path}
        self._kept: dict[tuple[Snapshot, str], Source] = {}

    def read(
        self, files: Iterable[ChangedFile], wanted: Callable[[bytes], bool]
    ) -> list[ChangedFile]:
        """The files of which at least one side is wanted, read and kept.

        What did not change is the same on both sides, and is not read again if it is
        not wanted. Raises InputError as ``Snapshot.read``.
        """
        files = list(files)
        self._keep(self._after, (file.new for file in files), wanted)
        perhaps = (
            file.old
            for file in files
            if not self._is_same(file) or (self._after, file.new or "") in self._kept
        )
        self._keep(self._before, perhaps, wanted)
        return [file for file in files if any(self.of(file))]

    def of(self, file: ChangedFile) -> tuple[Source | None, Source | None]:
        """What was read of both sides of a file."""
        return (
            self._kept.get((self._before, file.old or "")),
            self._kept.get((self._after, file.new or "")),
        )

    def _keep(
        self,
        side: Snapshot,
        paths: Iterable[str | None],
        wanted: Callable[[bytes], bool],
    ) -> None:
        new = {path for path in paths if path and (side, path) not in self._kept}
        for path, source in side.read(new, wanted).items():
            self._kept[side, path] = source

    def keep(self, side: Snapshot, path: str, source: Source) -> None:
        """Keep a text that no file of this side holds as it is."""
        self._kept[side, path] = source

    def forget(self, side: Snapshot, path: str) -> None:
        """Take a text for none that was wanted."""
        self._kept.pop((side, path), None)

    def _is_same(self, file: ChangedFile) -> bool:
        return file.old == file.new and file.new not in self._changed


_ANYTHING = Match()

# What files have in common: the cluster that their paths or their objects name, or
# the folder that they lie in.
_Tie = tuple[str, str]


class TouchedCluster(Record):
    """One cluster, or several in the same files, before and after a change.

    ``before`` is None if it cannot be read: a change may be what fixes it. ``alone``
    says that the repository is not known to hold any other cluster. ``at_hand`` are
    the files that the command lists name, as they are after the change. ``lost_lists``
    are the command lists of before that the change deletes, empties or moves away.
    ``commands_before`` are all lists of before, ``at_hand_before`` the files that they
    name, as they are there.
    """

    title: str
    before: tuple[Source, ...] | None
    after: tuple[Source, ...]
    commands: tuple[Source, ...]
    alone: bool
    at_hand: tuple[Source, ...] = ()
    lost_lists: tuple[Source, ...] = ()
    commands_before: tuple[Source, ...] = ()
    at_hand_before: tuple[Source, ...] = ()


def touched_clusters(
    change: Change, layout: Layout, within: Sequence[str] = ()
) -> list[TouchedCluster]:
    """What ``change`` touches, by title; empty if it touches no spec or commands.

    ``within`` are files and folders, relative to the current folder, outside of
    which changes do not count. A command list that changed, or that names a file that
    did, touches the cluster that its path names, or else, if no spec changed, every
    cluster. Only files of touched clusters are returned, and no others are decoded.

    Raises InputError for files of these clusters that are no text or became too large,
    and for a name in ``within`` that neither state has.
    """
    return _Search(change, layout).run(within)


def lists_taken_away(
    change: Change, layout: Layout, touched: Iterable[TouchedCluster]
) -> tuple[Source, ...]:
    """The command lists that a change takes away and no touched cluster tells of."""
    if not layout.commands:
        return ()
    told = {source.path for cluster in touched for source in cluster.lost_lists}
    lost = _Search(change, layout).lost_lists(None)
    return tuple(source for source in lost if source.path not in told)


class _Search:
    """One search; every file is read and parsed once."""

    def __init__(self, change: Change, layout: Layout) -> None:
        self._before, self._after = change.before, change.after
        self._changed = change.files
        self._links = change.links
        self._root = os.path.realpath(change.before.root)
        # A change may make a link of any folder.
        own = layout.folder
        if own != self._root and not own.startswith(f"{self._root}/"):
            own = os.path.realpath(own)
        base = os.path.relpath(own, self._root)
        self._prefix = "" if base == "." else f"{base}/"
        self._specs = layout.specs
        self._commands = layout.commands
        self._templates = layout.templates
        texts = Texts(change)
        self._read, self._sources = texts.read, texts.of
        self._texts = texts
        self._named = cache(named_clusters)
        self._made: set[str] = set()
        self._others: dict[ChangedFile, ChangedFile] = {}

    def run(self, within: Sequence[str]) -> list[TouchedCluster]:
        """All touched clusters."""
        limits = [self._limit(name) for name in within]
        changed = [
            file
            for file in self._changed
            if not limits or any(map(_at_or_below(limits), filter(None, file)))
        ]
        touched = self._changed_specs(changed)
        touched += self._rendered(changed, {*touched})
        touched += self._specs_of_commands(changed, any_spec=bool(touched))
        beside = self._neighbours(touched)
        files = dict.fromkeys([*touched, *beside])
        found = [
            self._cluster(part)
            for group in self._groups(files)
            if not group.isdisjoint(touched)
            for way in self._ways(group)
            for part in self._alternatives(way, {*touched})
        ]
        return sorted(found, key=lambda cluster: cluster.title)

    def _limit(self, name: str) -> str:
        """A file or folder as a path from the root of the repository."""
        limit = os.path.relpath(os.path.realpath(name), self._root)
        known = _at_or_below([limit])
        if not any(map(known, chain(self._before.files, self._after.files))):
            raise InputError(
                f"{name} is not a file or folder in {self._before.title} or"
                f" {self._after.title}",
                hint=(
                    "check the name; a change can be limited only by files and folders"
                ),
            )
        return limit

    def _spec(self, path: str) -> Match | None:
        if path in self._made:
            path = path.partition("\0")[0]
        if self._specs is None:
            return _ANYTHING if may_be_spec(path) else None
        if not path.startswith(self._prefix):
            return None
        return self._specs.match(path.removeprefix(self._prefix))

    def _keys(self, file: ChangedFile) -> set[str]:
        """The clusters that the paths of a spec name."""
        matches = [self._spec(path) for path in file if path]
        return {match.cluster for match in matches if match and match.cluster}

    @cached_property
    def _lists(self) -> Mapping[str, set[str | None]]:
        """The command lists and for whom each is: a cluster's name, or None for all."""
        return self._lists_among(self._after.files)

    def _lists_among(self, paths: Iterable[str]) -> dict[str, set[str | None]]:
        found: dict[str, set[str | None]] = {}
        if not self._commands:
            return found
        for path in paths:
            inner = path.removeprefix(self._prefix)
            for cluster, patterns in self._commands:
                match = patterns.match(inner) if path.startswith(self._prefix) else None
                if match is not None:
                    found.setdefault(path, set()).add(cluster or match.cluster)
        return found

    def _unchanged(self, path: str) -> ChangedFile:
        return ChangedFile(
            path if path in self._before.files else None,
            path if path in self._after.files else None,
        )

    def _changed_specs(self, changed: list[ChangedFile]) -> list[ChangedFile]:
        specs = [f for f in changed if any(self._spec(path) for path in f if path)]
        plain = [f for f in specs if any(p.lower().endswith(PLAIN) for p in f if p)]
        others = [f for f in specs if f not in plain]
        read = self._read(plain, looks_like_kops) + self._read(others, is_kops_text)
        return self._plain(read)

    def _plain(self, files: Iterable[ChangedFile]) -> list[ChangedFile]:
        """These files without those sides that are templates, or no spec after all.

        A template becomes a spec with its values: it is read as what comes out of it.
        """
        found = []
        for file in files:
            for side, path, source in zip(
                (self._before, self._after), file, self._sources(file), strict=True
            ):
                if source is None or path is None or path in self._made:
                    continue
                if not is_plain_spec(path, source):
                    self._texts.forget(side, path)
            if any(self._sources(file)):
                found.append(file)
        return found

    def _rendered(
        self, changed: list[ChangedFile], plain: set[ChangedFile]
    ) -> list[ChangedFile]:
        """The specs that are made with the files that changed, as files of their own.

        Only where some of them are no specs themselves, or no longer.
        """
        perhaps = [f for f in changed if f not in plain or None in self._sources(f)]
        if not any(may_give_values(path) for file in perhaps for path in file if path):
            return []
        return self._made_of(
            {file.old for file in perhaps if file.old},
            {file.new for file in perhaps if file.new},
        )

    def _made_of(self, old: set[str], new: set[str]) -> list[ChangedFile]:
        """The specs that come out of templates with one of these files."""
        before, after = self._renderings
        now = {each.key: each for each in after.touching(new)}
        then = {each.key: each for each in before.touching(old)}
        # What made the other side a spec may be the same there.
        for key in now.keys() - then.keys():
            then.update((each.key, each) for each in before.called(key))
        for key in then.keys() - now.keys():
            now.update((each.key, each) for each in after.called(key))
        found = []
        for key in sorted({*now, *then}):
            both = then.get(key), now.get(key)
            main = self._kept(both, key)
            if main is None:
                continue
            found.append(main)
            if any(each is not None and each.other is not None for each in both):
                # The same cluster where conditions on unknown values do not hold.
                other = self._kept(
                    [e and e._replace(source=e.other or e.source) for e in both],
                    f"{key}\0otherwise",
                )
                if other is not None:
                    self._others[other] = main
                    found.append(other)
        return found

    def _kept(self, both: Sequence[Rendering | None], key: str) -> ChangedFile | None:
        """What came out of a template on both sides, kept as a file of its own."""
        sides: list[str | None] = []
        for state, each in zip((self._before, self._after), both, strict=True):
            source = each.spec if each is not None else None
            if (
                each is None
                or source is None
                or not looks_like_kops(source.text.encode())
            ):
                sides.append(None)
            else:
                path = f"{each.path}\0{key}"
                self._made.add(path)
                self._texts.keep(state, path, source)
                sides.append(path)
        return ChangedFile(*sides) if any(sides) else None

    @cached_property
    def _renderings(self) -> tuple[Renderings, Renderings]:
        from kopslint.discovery.renderings import Renderings

        given = self._templates
        return Renderings(self._before, given), Renderings(self._after, given)

    def _specs_of_commands(
        self, changed: list[ChangedFile], *, any_spec: bool
    ) -> list[ChangedFile]:
        """The specs of clusters of which the command lists changed."""
        lists = self._changed_lists(changed) if self._lists else ()
        concerned = {name for path in lists for name in self._lists[path]}
        names = {name for name in concerned if name}
        everything = None in concerned and not any_spec
        if not (names or everything):
            return []
        whole, perhaps = [], []
        for path in self._after.files:
            if (match := self._spec(path)) is None:
                continue
            if everything or match.cluster in names:
                whole.append(self._unchanged(path))
            else:
                perhaps.append(self._unchanged(path))
        found = self._read(whole, looks_like_kops)
        return found + (self._read(perhaps, naming(names)) if names else [])

    def _changed_lists(self, changed: list[ChangedFile]) -> set[str]:
        """The command lists that changed, or that name a file that did."""
        paths = {file.new for file in changed if file.new}
        names = [os.fsencode(posixpath.basename(path)) for path in paths]
        called = {self._after.called(path) for path in paths}
        unchanged = self._after.read(
            self._lists.keys() - paths, lambda data: any(name in data for name in names)
        )
        return (paths & self._lists.keys()) | {
            path
            for path, source in unchanged.items()
            for file in files_in_snapshot([source], (), self._after)
            if file.path in called
        }

    def _neighbours(self, touched: list[ChangedFile]) -> list[ChangedFile]:
        """Unchanged files that may belong to the same clusters."""
        seen = {path for file in touched for path in file if path}
        keys = {key for file in touched for key in self._keys(file)}
        loose = [file for file in touched if not self._keys(file)]
        folders = {posixpath.dirname(path) for file in loose for path in file if path}
        names = [self._names(file) for file in loose]
        whole, perhaps = [], []
        for path in sorted({*self._before.files, *self._after.files} - seen):
            if (match := self._spec(path)) is None:
                continue
            if match.cluster is not None and match.cluster in keys:
                whole.append(self._unchanged(path))
            elif match.cluster is None and posixpath.dirname(path) in folders:
                perhaps.append(self._unchanged(path))
        named = naming({*chain(*names)})

        def wanted(data: bytes) -> bool:
            if not all(names) or named(data):
                return looks_like_kops(data)
            # A group that names no cluster belongs to the one beside it.
            return (
                b"InstanceGroup" in data and is_kops_text(data) and _NAMED not in data
            )

        read = self._read(whole, looks_like_kops) + self._read(perhaps, wanted)
        left = self._plain(read)
        templates = {path for file in read if file not in left for path in file if path}
        if templates:
            left += self._made_of(templates, templates)
        kept = {*whole}
        return [
            file
            for file in left
            if file in kept
            or all(
                self._named(source) is not None
                for source in self._sources(file)
                if source
            )
        ]

    def _names(self, file: ChangedFile) -> set[str]:
        """The clusters that the objects of a file name."""
        return {
            name
            for source in self._sources(file)
            if source is not None
            for name in self._named(source) or ()
        }

    def _groups(self, files: Iterable[ChangedFile]) -> Iterator[set[ChangedFile]]:
        """The files that have a tie in common, or are joined by others' ties."""
        ties: dict[ChangedFile, set[_Tie]] = {
            file: {("name", name) for name in self._names(file)}
            | {("key", key) for key in self._keys(file)}
            for file in files
        }
        # Objects that do not say whose they are belong to those beside them.
        nameless = {_folder(file) for file, own in ties.items() if not own}
        groups: list[tuple[set[_Tie], set[ChangedFile]]] = []
        for file, own in ties.items():
            beside = {("folder", _folder(file))} if _folder(file) in nameless else set()
            group = (own | beside, {file})
            for other in [each for each in groups if each[0] & group[0]]:
                groups.remove(other)
                group = (group[0] | other[0], group[1] | other[1])
            groups.append(group)
        return (members for _, members in groups)

    def _ways(self, group: set[ChangedFile]) -> list[set[ChangedFile]]:
        """The group as it is where conditions on unknown values hold, and where not."""
        others = {file for file in group if file in self._others}
        mains = {self._others[file] for file in others}
        return [group - others, group - mains] if others else [group]

    def _alternatives(
        self, group: set[ChangedFile], touched: set[ChangedFile]
    ) -> list[set[ChangedFile]]:
        """The group, or its parts where several files have one and the same Cluster.

        They are ways to write it, of which one is applied: each is looked at with the
        files that have no Cluster. Only those that changed are, unless none did.
        """
        all_new = all(file.old is None for file in group)
        if not (all_new or all(map(_is_steady, group))):
            return [group]
        owners: dict[str, list[ChangedFile]] = {}
        for file in sorted(group, key=lambda f: f.new or f.old or ""):
            for source in self._sources(file)[1:]:
                for name in cluster_objects(source) if source is not None else ():
                    owners.setdefault(name, []).append(file)
        several = {f for files in owners.values() if len(files) > 1 for f in files}
        if not several:
            return [group]
        changed = [file for file in several if file in touched] or [*several]
        rest = group - several
        return [{file, *rest} for file in sorted(changed, key=lambda f: f.new or "")]

    def _refuse_unreadable(self, lists: Iterable[str]) -> None:
        """Raise InputError for a list that is too large, or has become a link.

        Nobody would see what it holds, and whoever runs it runs it all the same.
        """
        for path in lists:
            if path in self._after.too_large:
                raise too_large(self._after.called(path))
        linked = (path for path in self._links if path in self._before.files)
        for path in self._lists_among(linked):
            raise InputError(
                (
                    f"{self._after.called(path)} has become a link, which kopslint"
                    " does not follow"
                ),
                hint="put the list there, not a link",
            )

    def lost_lists(self, whose: set[str | None] | None) -> tuple[Source, ...]:
        """The lists of these clusters, or of all, that hold no command any more."""
        known = self._lists_among(file.old for file in self._changed if file.old)
        perhaps = [
            file
            for file in self._changed
            if file.old in known
            and (whose is None or not whose.isdisjoint(known[file.old]))
        ]
        self._read(perhaps, lambda _: True)
        lost = []
        for file in perhaps:
            old, new = self._sources(file)
            stays = new is not None and file.new in self._lists and _says_much(new)
            if old is not None and _says_much(old) and not stays:
                lost.append(old)
        return _in_order(lost)

    def _lists_before(
        self, whose: set[str | None], before: tuple[Source, ...]
    ) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
        """The lists of these clusters before the change, and the files they name."""
        changed = [file for file in self._changed if file.old]
        known = self._lists_among(file.old for file in changed if file.old)
        new = {file.new for file in self._changed}
        same = (path for path in self._lists.keys() - new if path in self._before.files)
        files = [
            *(
                ChangedFile(None, p)
                for p in same
                if not whose.isdisjoint(self._lists[p])
            ),
            *(
                ChangedFile(file.old, None)
                for file in changed
                if file.old and not whose.isdisjoint(known.get(file.old, ()))
            ),
        ]
        if not files:
            return (), ()
        self._read(files, lambda _: True)
        lists = _in_order(side for file in files for side in self._sources(file))
        return lists, files_in_snapshot(lists, (*lists, *before), self._before)

    def _is_alone(self, group: set[ChangedFile]) -> bool:
        """Whether the configuration knows no spec besides these."""
        own = {file.new for file in group}
        others = (path for path in self._after.files if path not in own)
        return self._specs is None or not any(map(self._spec, others))

    def _cluster(self, group: set[ChangedFile]) -> TouchedCluster:
        changed = {*self._changed}
        keys = {key for file in group for key in self._keys(file)}
        names = {name for file in group for name in self._names(file)}
        whose = {None, *keys, *names}
        lists = [
            ChangedFile(None, path)
            for path, whom in self._lists.items()
            if not whose.isdisjoint(whom)
        ]
        self._read(lists, lambda _: True)
        self._refuse_unreadable(path for file in lists for path in file[1:] if path)
        before = _in_order(self._sources(file)[0] for file in group)
        for file in group:
            if file.new in self._after.too_large and self._sources(file)[0]:
                raise too_large(self._after.called(file.new))
        # A file that is called otherwise now is no spec to any later check.
        after = _in_order(
            self._sources(file)[1]
            for file in group
            if file.new is not None and self._spec(file.new)
        )
        commands = _in_order(self._sources(file)[1] for file in lists)
        readable = all(self._named(source) is not None for source in before)
        commands_before, at_hand_before = self._lists_before(whose, before)
        return TouchedCluster(
            title=", ".join(sorted(names or keys or map(_folder, group))),
            before=before if readable else None,
            after=after,
            commands=commands,
            alone=self._is_alone(group),
            at_hand=files_in_snapshot(commands, (*commands, *after), self._after),
            lost_lists=self.lost_lists(whose) if changed & group else (),
            commands_before=commands_before,
            at_hand_before=at_hand_before,
        )


def _at_or_below(limits: Sequence[str]) -> Callable[[str], bool]:
    """Which paths are one of these files or lie in one of these folders."""
    folders = tuple(f"{limit}/" for limit in limits)
    return lambda path: "." in limits or path in limits or path.startswith(folders)


def _is_steady(file: ChangedFile) -> bool:
    """Whether a file is there on both sides, and not moved or new."""
    return file.old is not None and file.new is not None


def cluster_objects(source: Source) -> set[str]:
    """The names of the Cluster objects in a file; none if it cannot be read."""
    if "Cluster" not in source.text:
        return set()
    try:
        documents = read_yaml(source)
    except InputError:
        return set()
    roots = [document.root for document in documents]
    return {
        name
        for root in roots
        if (text_at(root, "apiVersion") or "").startswith(_APIS)
        and text_at(root, "kind") == "Cluster"
        and (name := text_at(root, "metadata", "name"))
    }


def _says_much(source: Source) -> bool:
    """Whether a list holds more than comments and empty lines."""
    lines = (line.strip() for line in source.lines)
    return any(line and not line.startswith("#") for line in lines)


def _folder(file: ChangedFile) -> str:
    path = file.new or file.old or ""
    return posixpath.dirname(path.partition("\0")[0])


def _in_order(sources: Iterable[Source | None]) -> tuple[Source, ...]:
    found = dict.fromkeys(source for source in sources if source is not None)
    return tuple(sorted(found, key=lambda source: source.path))
