"""Commands that a finding prints are pasted into a shell, names of a spec included.

A spec comes from a pull request, and a shell would run what a name holds. Which
commands mend what is not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.findings import Finding
    from kopslint.kops.spec import Manifest

_PLAIN = re.compile(r"[\w.:/@-]*")
_UNSAFE = "# a name in this command is none: a shell would run a part of it"


def unsafe_names(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """The names in ``manifests`` that mean more than a word to a shell."""
    found = dict.fromkeys(name for each in manifests for name in _names(each))
    return tuple(name for name in found if not _PLAIN.fullmatch(name))


def pastable(finding: Finding, unsafe: tuple[str, ...]) -> Finding:
    """The finding without commands that hold one of these names."""
    lines = (
        _UNSAFE if not _is_comment(line) and any(n in line for n in unsafe) else line
        for line in finding.fix
    )
    return finding._replace(fix=tuple(dict.fromkeys(lines)))


def _is_comment(line: str) -> bool:
    return line.startswith("#") and "\n" not in line


def _names(manifest: Manifest) -> Iterator[str]:
    yield manifest.name
    yield from manifest.groups
    for etcd in manifest.etcd_clusters:
        yield etcd.name
        for member in etcd.members:
            yield from (member.name, member.group)
