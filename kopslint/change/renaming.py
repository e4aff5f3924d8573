"""A cluster that has another name after a change: to kops two clusters, to people one.

Objects are matched by name everywhere else; this is for the one name that all the
others hang on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.kops.spec import Manifest


def renamed(
    before: Mapping[str, Manifest], after: Mapping[str, Manifest], *, anywhere: bool
) -> dict[str, Manifest]:
    """The clusters of before that seem to have another name now, by the new name.

    The old name is gone, the new one is new, and of both kinds there is but one in the
    file that had the old one: the file of the same path, or ``anywhere`` if it may be
    called differently on the two sides.
    """
    gone = _only_here(before, after)
    new = _only_here(after, before)
    gone_at, new_at = _by_path(gone, anywhere), _by_path(new, anywhere)
    found = {}
    for manifest in new:
        paths = _paths(manifest, anywhere)
        old = {m.name: m for path in paths for m in gone_at.get(path, ())}
        others = {m.name for path in paths for m in new_at[path]}
        if len(old) == len(others) == 1:
            found[manifest.name] = old.popitem()[1]
    return found


def _only_here(
    manifests: Mapping[str, Manifest], others: Mapping[str, Manifest]
) -> list[Manifest]:
    """The clusters of one side whose names are not on the other."""
    return [
        manifest
        for name, manifest in manifests.items()
        if name not in others and (manifest.cluster is not None or manifest.groups)
    ]


def _by_path(manifests: list[Manifest], anywhere: bool) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        for path in _paths(manifest, anywhere):
            found.setdefault(path, []).append(manifest)
    return found


def _paths(manifest: Manifest, anywhere: bool) -> set[str]:
    """The paths of a cluster; all clusters are in one place if they may be anywhere."""
    return {""} if anywhere else {source.path for source in manifest.sources}
