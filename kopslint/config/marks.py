"""By what a file is known to be about kops, and about which clusters.

Only these marks are looked at here, so that a file of somebody else's costs next to
nothing. This module must not know what kops objects mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.syntax.yaml_reader import read_yaml
from kopslint.syntax.yaml_tree import text_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.source.text import Source

_MARKS = (b"kops.k8s.io/", b"kops/v1alpha")
_APIS = ("kops.k8s.io/", "kops/")
_LABEL = "kops.k8s.io/cluster"


def looks_like_kops(data: bytes) -> bool:
    """Whether a file may hold kops objects."""
    return any(mark in data for mark in _MARKS)


def naming(names: set[str]) -> Callable[[bytes], bool]:
    """Which files may hold kops objects of clusters with these names."""
    each = "|".join(map(re.escape, sorted(names)))
    pattern = re.compile(rf"(?<![\w.-])(?:{each})(?![\w.-])".encode())
    known = [name.encode() for name in names]

    def named(data: bytes) -> bool:
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
