"""From the words of the command line to the engine's request."""

from __future__ import annotations

import os
import posixpath
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.options import StdinAs
from kopslint.errors import InputError, UsageError
from kopslint.inputs.decode import MAX_BYTES, decode
from kopslint.inputs.sources import STDIN, collect
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.config.changed_clusters import TouchedCluster
    from kopslint.config.patterns import Layout
    from kopslint.discovery.calls import Given
    from kopslint.discovery.found import Found
    from kopslint.discovery.renderings import Files
    from kopslint.engine import Base, Request
    from kopslint.inputs.git_change import Change
    from kopslint.model.idle_lists import ChangedList
    from kopslint.observed.observation import Observation


SPEC_SUFFIXES = (".yaml", ".yml", ".json")
# The name tells how a list is written, and the standard input has none of its own.
_STDIN_NAMES = {StdinAs.MARKDOWN: f"{STDIN}.md", StdinAs.SHELL: f"{STDIN}.sh"}
COMMAND_SUFFIXES = (".sh", ".bash", ".md", ".markdown", ".txt", ".yaml", ".yml")


OBSERVED_SUFFIXES = (
    *(".txt", ".md", ".markdown", ".json", ".yaml", ".yml", ".log", ".out"),
)


def read_request(
    before: Sequence[str],
    after: Sequence[str],
    commands: Sequence[str],
    stdin_as: StdinAs | None = None,
    observed: Sequence[str] = (),
    given: Sequence[Given] = (),
) -> Request:
    """Read what the options name; ``given`` says how templates get their values.

    Raises ``UsageError`` if they name nothing to check, or ``-`` more than once,
    and ``InputError`` for what cannot be read.
    """
    from kopslint.engine import Request

    if not after and not commands:
        raise UsageError(
            "there is nothing to check yet",
            hint="name the spec after the change (kopslint check after.yaml"
            " --before before.yaml), the commands (--commands plan.sh), or both, or"
            " take the change from git (--changed)",
        )
    if [*before, *after, *commands, *observed].count("-") > 1:
        raise UsageError(
            "standard input can be read only once",
            hint="use files for all inputs but one",
        )
    specs = partial(_specs, given=given)
    request = Request(
        before=tuple(map(_past, specs(before))) if before else None,
        after=tuple(specs(after)) if after else None,
        commands=read_commands(commands, stdin_as),
        observed=read_observed(observed),
    )
    if not request.commands:
        return request
    from kopslint.inputs.named_files import files_at_hand

    known = (*(request.before or ()), *(request.after or ()))
    return request._replace(at_hand=files_at_hand(request.commands, known))


def both_sides(
    named: Sequence[str],
    before: Sequence[str],
    after: Sequence[str],
    base: str | None = None,
) -> tuple[list[str], list[str]]:
    """The sources of both sides: BEFORE AFTER, or as the options name them.

    With ``base`` every name is of the spec after, and what git had there where ``base``
    and the current state parted is the spec before. Raises ``UsageError`` if a side is
    missing, and ``InputError`` if git cannot say what it had.
    """
    if base is not None:
        if before:
            raise UsageError(
                "the state before is taken from git, so --before cannot name it",
                hint="remove --before or --base",
            )
        names = [*named, *after]
        if not names or any(name == "-" or ":" in name for name in names):
            raise UsageError(
                "--base needs the files or folders of the spec",
                hint=f"name them: --base {base} clusters/prod/",
            )
        from kopslint.inputs.git_change import find_change

        state = find_change(base).before
        revision = state.tree or state.title
        return [f"git:{revision}:{name}" for name in names], names
    if named and (before or after or len(named) != 2):
        raise UsageError(
            "both sides are needed: BEFORE and AFTER",
            hint="name one source for each, or several with --before and --after",
        )
    old, new = [*before, *named[:1]], [*after, *named[1:]]
    if not old or not new:
        side = "after" if old else "before"
        raise UsageError(
            f"the spec {side} the change is missing",
            hint="name both: BEFORE AFTER, or --before SRC --after SRC, or take the one"
            " before from git (--base REV)",
        )
    return old, new


def _specs(words: Sequence[str], given: Sequence[Given]) -> tuple[Source, ...]:
    """The specs that are named, those that come out of templates among them."""
    folders = [word for word in words if os.path.isdir(word)]  # noqa: PTH112
    sources = _called_as_specs(words, folders)
    signs = ("{{", "%{", "{%", "\n$", " $")
    perhaps = any(sign in source.text for source in sources for sign in signs)
    if not folders and not perhaps:
        return tuple(sources)
    from kopslint.discovery.found import called_otherwise, with_templates

    known = {os.path.realpath(source.path) for source in sources}
    more = [
        str(path)
        for folder in folders
        for path in called_otherwise(folder)
        if os.path.realpath(path) not in known
    ]
    if more:
        sources += collect(more, suffixes=SPEC_SUFFIXES, stdin=_stdin)
    return with_templates(sources, _files_around, given)


def _called_as_specs(words: Sequence[str], folders: Sequence[str]) -> list[Source]:
    """What is named, and in folders what is called as a spec.

    A folder may hold nothing of that name, and specs that are called otherwise.
    """

    def read(some: Sequence[str]) -> list[Source]:
        return collect(some, suffixes=SPEC_SUFFIXES, stdin=_stdin, forgiving=True)

    try:
        return read(words)
    except InputError:
        from kopslint.discovery.found import called_otherwise

        rest = [w for w in words if w not in folders or not called_otherwise(w)]
        if len(rest) == len(words):
            raise
        # Of a folder with some of both kinds the first reading did not fail.
        return read(rest) if rest else []


def _files_around(revision: str | None) -> Files:
    """The files among which the values of a template are looked for."""
    if revision is None:
        from kopslint.discovery.found import state_here

        return state_here()
    from kopslint.inputs.git import snapshot_of

    return snapshot_of(revision)


MOST_TOLD_APART = 300
"""Files found of which those are told apart that are ways to write one cluster."""


def found_here(given: Sequence[Given] = ()) -> list[Request]:
    """All specs below the current folder, found by what files hold; none without any.

    In a repository only files that git does not ignore count. Files with one and the
    same Cluster are ways to write it: each of them is looked at by itself, with what
    has no Cluster in its folder.
    """
    from kopslint.discovery.found import found_in, state_here

    state = state_here()
    root = os.path.realpath(getattr(state, "root", "."))
    below = Path(os.path.relpath(os.path.realpath("."), root)).as_posix()
    found = found_in(state, below, given=given)
    if not any(map(_is_read, found.specs)):
        return []
    other = found.otherwise
    return [*_requests(found), *(_requests(other) if other is not None else ())]


def _requests(found: Found) -> list[Request]:
    """One for what has one way to be written, and one for each other way."""
    from kopslint.engine import Request

    owners = owners_of(found)
    several = {s for sources in owners.values() if len(sources) > 1 for s in sources}
    rest = found.without(several)
    folders = {posixpath.dirname(source.path) for source in several}
    beside = {s for s in rest if posixpath.dirname(s.path) in folders}
    whole = tuple(source for source in rest if source not in beside)
    requests = [Request(after=whole)] if any(map(_is_read, whole)) else []
    for source in sorted(several, key=lambda s: s.path):
        folder = posixpath.dirname(source.path)
        own = tuple(s for s in rest if posixpath.dirname(s.path) == folder)
        requests.append(Request(after=(source, *own)))
    return requests


def owners_of(found: Found) -> dict[str, list[Source]]:
    """The clusters, each with the specs that have its Cluster object."""
    from kopslint.config.changed_clusters import cluster_objects

    owners: dict[str, list[Source]] = {}
    for source in found.specs if len(found.specs) <= MOST_TOLD_APART else ():
        for name in cluster_objects(source) if source.unread is None else ():
            owners.setdefault(name, []).append(source)
    return owners


def _is_read(source: Source) -> bool:
    return source.unread is None or bool(source.text)


def read_commands(
    commands: Sequence[str], stdin_as: StdinAs | None = None
) -> tuple[Source, ...]:
    """The command lists that were named.

    ``stdin_as`` is how the standard input is written; None leaves that to be
    guessed. Raises ``InputError`` as ``collect``, and ``UsageError`` for a
    ``stdin_as`` without ``-``.
    """
    if stdin_as is not None and "-" not in commands:
        raise UsageError(
            "--stdin-as gives the format of commands on standard input, but none are"
            " read from there",
            hint="use - as the commands, or remove --stdin-as",
        )
    sources = collect(commands, suffixes=COMMAND_SUFFIXES, stdin=_stdin)
    if stdin_as is None:
        return tuple(sources)
    name = _STDIN_NAMES[stdin_as]
    return tuple(Source(name, s.text) if s.path == STDIN else s for s in sources)


def read_observed(given: Sequence[str]) -> Observation | None:
    """What was seen on the cluster, by the outputs that were named; None without any.

    ``main=FILE`` says that a file is of etcd main, and so for the others. Raises
    ``InputError`` as ``collect``, and where nothing could be read of any of them.
    """
    if not given:
        return None
    from kopslint.observed.reader import Named, read_observation
    from kopslint.observed.statements import ETCD_CLUSTERS

    texts: list[Named] = []
    for name in given:
        etcd_cluster, equals, rest = name.partition("=")
        of_one = bool(equals) and etcd_cluster in ETCD_CLUSTERS
        sources = collect(
            [rest if of_one else name], suffixes=OBSERVED_SUFFIXES, stdin=_stdin
        )
        texts += [Named(one, etcd_cluster if of_one else None) for one in sources]
    observation = read_observation(texts)
    if not observation.readings:
        first = observation.unread[0]
        raise InputError(
            f"the observation could not be read: {first.message}",
            span=first.span,
            hint="'kopslint observe' prints a script that collects it",
        )
    return observation._replace(given=tuple(given))


def _past(source: Source) -> Source:
    """A text of the state before; on the disk it is still there all the same."""
    revision = source.revision
    return Source(source.path, source.text, revision, past=revision is not None)


def _stdin() -> str:
    if sys.stdin is None:
        raise InputError("standard input is closed", hint="name a file")
    return decode(STDIN, sys.stdin.buffer.read(MAX_BYTES + 1)).text


# ------------------------------------------------------------------------------------
# From a change in git to the engine's requests, a request for every cluster


class GitOptions(Record):
    """Which change to check, as ``find_change`` understands it.

    ``changed`` asks for the default: from the default branch to the work tree.
    """

    base: str | None = None
    head: str | None = None
    staged: bool = False
    changed: bool = False

    @property
    def wanted(self) -> bool:
        """Whether a change is to be taken from git at all."""
        revisions = self.base is not None or self.head is not None
        return self.changed or self.staged or revisions


class ChangedInputs(Record):
    """What a change gives to check.

    ``requests`` are by title and may be none: that a change touches no spec is an
    answer too, and ``summary`` says so. ``remarks`` are about what was left out.
    ``lost_lists`` are those that no request tells of.
    """

    requests: tuple[tuple[str, Request], ...]
    summary: str
    remarks: tuple[str, ...]
    lost_lists: tuple[Source, ...] = ()


def change_of(options: GitOptions) -> Change:
    """The change in git that the options name.

    Raises ``UsageError`` for options that exclude each other, and ``InputError`` if
    git cannot say what changed.
    """
    if options.staged and (options.base is not None or options.head is not None):
        raise UsageError(
            "--staged compares the index with HEAD and takes no other revision",
            hint="remove --base and --head, or --staged",
        )
    from kopslint.inputs.git_change import find_change

    return find_change(options.base, options.head, staged=options.staged)


def read_changed(
    change: Change,
    layout: Layout,
    within: Sequence[str],
    commands: tuple[Source, ...],
) -> ChangedInputs:
    """Read what a change touches, before and after it.

    ``within`` limits it to files and folders. ``commands`` are replayed on every
    touched cluster, and without them those that the configuration names. Raises
    ``InputError`` if a file cannot be read.
    """
    from kopslint.config.changed_clusters import lists_taken_away, touched_clusters

    touched = touched_clusters(change, layout, within)
    remarks = [
        f"{path} is a submodule and was not read: run kopslint check --base REV in it"
        for path in change.submodules
    ]
    requests = []
    for cluster in touched:
        if cluster.before is None:
            remarks.append(
                f"{cluster.title} could not be read before the change, so only the"
                " state after it was checked"
            )
        request = _request(cluster, commands, alone=len(touched) == 1)
        if cluster.before is not None:
            base = _base_of(cluster, commands, change)
            changed = _changed_lists(request, base, change)
            request = request._replace(base=base, changed_lists=changed)
        requests.append((cluster.title, request))
    return ChangedInputs(
        tuple(requests),
        _summary(change, touched),
        tuple(remarks),
        lists_taken_away(change, layout, touched),
    )


def _request(
    cluster: TouchedCluster, commands: tuple[Source, ...], *, alone: bool
) -> Request:
    from kopslint.engine import Request

    request = Request(
        before=cluster.before,
        after=cluster.after,
        commands=commands or cluster.commands,
        partial=not (alone and cluster.alone),
        at_hand=cluster.at_hand,
        lost_lists=cluster.lost_lists,
    )
    if not commands:
        return request
    from kopslint.inputs.named_files import files_at_hand

    return request._replace(at_hand=files_at_hand(commands, cluster.after))


def _base_of(
    cluster: TouchedCluster, commands: tuple[Source, ...], change: Change
) -> Base:
    """The lists before the change; of those that were named, what git has of them."""
    from kopslint.engine import Base

    if not commands:
        return Base(cluster.commands_before, cluster.at_hand_before)
    from kopslint.inputs.named_files import files_in_snapshot

    root = os.path.realpath(change.before.root)
    named = {
        Path(os.path.relpath(os.path.realpath(source.path), root)).as_posix()
        for source in commands
        if source.revision is None
    }
    found = change.before.read(named, lambda _: True)
    lists = tuple(found[path] for path in sorted(found))
    known = (*lists, *(cluster.before or ()))
    return Base(lists, files_in_snapshot(lists, known, change.before))


def _changed_lists(
    request: Request, base: Base, change: Change
) -> tuple[ChangedList, ...]:
    """The lists of both sides that say something else now, or name a file that does."""
    from kopslint.model.idle_lists import ChangedList

    then = {os.path.realpath(source.path): source for source in base.commands}
    moved = {
        os.path.realpath(change.after.called(file.new)): change.before.called(file.old)
        for file in change.files
        if file.old and file.new and file.old != file.new
    }
    beside = {(s.path, s.text) for s in base.at_hand} != {
        (s.path, s.text) for s in request.at_hand
    }
    pairs = []
    for source in request.commands:
        place = os.path.realpath(source.path)
        old = then.get(os.path.realpath(moved.get(place, place)))
        if old is not None and (beside or old.text != source.text):
            pairs.append(ChangedList(old, source, base.at_hand))
    return tuple(pairs)


def _summary(change: Change, touched: Sequence[TouchedCluster]) -> str:
    between = f"between {change.before.title} and {change.after.title}"
    if not touched:
        return f"nothing to check: no kops spec changed {between}"
    clusters = "1 cluster" if len(touched) == 1 else f"{len(touched)} clusters"
    return f"{clusters} changed {between}"
