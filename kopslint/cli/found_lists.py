"""The command lists of a repository, found by the commands of kops in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.discovery.calls import CALL
from kopslint.errors import InputError
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command
    from kopslint.discovery.renderings import Files
    from kopslint.text import Source

_CHANGES = re.compile(
    rb"\bkops\b[^\n]*\b(?:update|rolling-update|rollingupdate|delete|replace|edit"
    rb"|upgrade|reconcile|apply|create|promote)\b"
)
_NAMES = re.compile(
    r"(?i)(?:\.(?:sh|bash|zsh|mk|md|markdown|groovy)"
    r"|(?:^|/)(?:gnu)?makefile|(?:^|/)jenkinsfile[^/]*"
    r"|(?:^|/)\.gitlab-ci\.ya?ml|(?:^|/)\.github/workflows/[^/]+\.ya?ml"
    r"|(?:^|/)(?:azure-pipelines|buildspec|cloudbuild|bitbucket-pipelines)\.ya?ml"
    r"|(?:^|/)\.circleci/[^/]+\.ya?ml|(?:^|/)[^/.]+)$"
)
_MOST = 100
_SIZE = 300_000


class FoundList(Record):
    """A list, the clusters that its commands of kops name, and what it is for.

    ``only_builds`` is whether it creates the cluster or deletes it as a whole, so that
    it is no order of a change.
    """

    source: Source
    clusters: tuple[str, ...]
    only_builds: bool


def lists_in(state: Files, below: str = "") -> Iterator[FoundList]:
    """The lists with commands of kops that change something, below a folder."""
    prefix = f"{below}/" if below not in ("", ".") else ""
    paths = [p for p in state.files if p.startswith(prefix) and _NAMES.search(p)]
    try:
        texts = state.read(paths, _perhaps)
    except InputError:
        return
    for path in sorted(texts)[:_MOST]:
        found = _found(texts[path])
        if found is not None:
            yield found


def _perhaps(data: bytes) -> bool:
    return (
        len(data) < _SIZE
        and b"\0" not in data
        and (_CHANGES.search(data) is not None or CALL.search(data) is not None)
    )


def _found(source: Source) -> FoundList | None:
    commands = [c for c in _commands(source) if c.kops and c.meaning.planes]
    if not commands:
        return None
    named = (c.cluster.text for c in commands if c.cluster is not None)
    verbs = {c.kops.split()[0] for c in commands}
    whole = any(c.kops in ("create cluster", "delete cluster") for c in commands)
    return FoundList(
        source,
        tuple(dict.fromkeys(name for name in named if name)),
        only_builds=whole or (verbs <= {"create", "update"} and "create" in verbs),
    )


def _commands(source: Source) -> Iterator[Command]:
    from kopslint.commands.parse import recognise
    from kopslint.notations.command_list import read_commands, simple_commands

    try:
        script = read_commands(source)
    except InputError:
        return
    for call in simple_commands(script.body):
        yield from recognise(call)
