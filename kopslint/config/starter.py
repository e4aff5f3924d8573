"""The configuration that ``kopslint init`` writes: what was found, filled in.

The text is ``starter.yaml``, in which everything is explained and nothing is set. A
setting of it that something was found for is set instead.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST = 60
"""More paths than these are no list that somebody keeps."""


class Findings(Record):
    """What a repository holds, by paths from the folder of the configuration.

    ``templates`` are those with the files of values beside them that no command line
    names. ``commands`` are lists for one cluster, or for all of them (None).
    """

    specs: tuple[str, ...] = ()
    templates: tuple[tuple[str, tuple[str, ...]], ...] = ()
    commands: tuple[tuple[str | None, str], ...] = ()
    kops_version: str | None = None


def starter_text(found: Findings) -> str:
    """The starter with what was found filled in."""
    text = Path(__file__).with_name("starter.yaml").read_text(encoding="utf-8")
    for setting, lines in _blocks(found):
        block = re.search(rf"(?m)^#{setting}:[^\n]*\n(?:#(?! \S)[^\n]*\n)*", text)
        if block is not None:
            filled = "\n".join(lines) + "\n"
            text = text[: block.start()] + filled + text[block.end() :]
    return text


def _blocks(found: Findings) -> Iterator[tuple[str, list[str]]]:
    specs = _patterns(found.specs)
    if specs and len(specs) <= MOST:
        yield "specs", ["specs:", *(f"  - {_quoted(path)}" for path in specs)]
    if found.templates and len(found.templates) <= MOST:
        yield "templates", ["templates:", *_templates(found.templates)]
    if found.commands and len(found.commands) <= MOST:
        yield "commands", ["commands:", *_commands(found.commands)]
    if found.kops_version is not None:
        yield "kops-version", [f'kops-version: "{found.kops_version}"']


def _templates(found: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    for template, values in found:
        yield f"  - template: [{_quoted(template)}]"
        yield f"    values: [{', '.join(map(_quoted, values))}]"


def _commands(found: Sequence[tuple[str | None, str]]) -> Iterator[str]:
    if all(cluster is None for cluster, _ in found):
        yield from (f"  - {_quoted(_escaped(path))}" for _, path in found)
        return
    by_cluster: dict[str, list[str]] = {}
    for cluster, path in found:
        by_cluster.setdefault(cluster or "*", []).append(_quoted(_escaped(path)))
    for cluster, paths in sorted(by_cluster.items()):
        yield f"  {json.dumps(cluster)}: [{', '.join(paths)}]"


def _patterns(paths: Sequence[str]) -> list[str]:
    """The paths, those of one kind in one folder as a pattern if they are many."""
    kinds = Counter(map(_kind, paths))
    found = (_kind(p) if kinds[_kind(p)] > 4 else _escaped(p) for p in paths)
    return list(dict.fromkeys(found))


def _kind(path: str) -> str:
    folder, name = posixpath.split(path)
    end = posixpath.splitext(name)[1]
    return posixpath.join(_escaped(folder), f"*{end}")


def _escaped(path: str) -> str:
    """The pattern of one path: what has a meaning in it matches any character."""
    return re.sub(r"[*?\[\]{}!]", "?", path)


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[\w./][\w./-]*", text)
    return text if plain else json.dumps(text, ensure_ascii=False)
