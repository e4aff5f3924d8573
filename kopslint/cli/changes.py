"""From a change in git to the engine's requests, a request for every cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.errors import UsageError
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.config.patterns import Layout
    from kopslint.config.touched import TouchedCluster
    from kopslint.engine import Request
    from kopslint.source.git_change import Change
    from kopslint.source.text import Source


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
    """

    requests: tuple[tuple[str, Request], ...]
    summary: str
    remarks: tuple[str, ...]


def read_changed(
    options: GitOptions,
    layout: Layout,
    within: Sequence[str],
    commands: tuple[Source, ...],
) -> ChangedInputs:
    """Read what a change touches, before and after it.

    ``within`` limits it to files and folders. ``commands`` are replayed on every
    touched cluster, and without them those that the configuration names.

    Raises ``UsageError`` for options that exclude each other, and ``InputError`` if
    git cannot say what changed or a file cannot be read.
    """
    if options.staged and (options.base is not None or options.head is not None):
        raise UsageError(
            "--staged is the index against HEAD and takes no other revision",
            hint="leave out --base and --head, or --staged",
        )
    from kopslint.config.touched import touched_clusters
    from kopslint.source.git_change import find_change

    change = find_change(options.base, options.head, staged=options.staged)
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
        if cluster.after or cluster.commands or commands:
            request = _request(cluster, commands, alone=len(touched) == 1)
            requests.append((cluster.title, request))
        else:
            remarks.append(f"{cluster.title} was removed, so it was not checked")
    return ChangedInputs(tuple(requests), _summary(change, touched), tuple(remarks))


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
    )
    if not commands:
        return request
    from kopslint.source.at_hand import files_at_hand

    return request._replace(at_hand=files_at_hand(commands, cluster.after))


def _summary(change: Change, touched: Sequence[TouchedCluster]) -> str:
    between = f"between {change.before.title} and {change.after.title}"
    if not touched:
        return f"nothing to check: no kops spec changed {between}"
    clusters = "1 cluster" if len(touched) == 1 else f"{len(touched)} clusters"
    return f"{clusters} changed {between}"
