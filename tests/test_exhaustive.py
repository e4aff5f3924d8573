"""Every sequence of operations on one etcd cluster, up to a length, not a sample.

A cluster of healthy members, one spare name and one published count after the change.
Members that were all treated alike so far are interchangeable: nothing in etcd or
etcd-manager looks at a name. So of several names in the same condition, with the same
future, an operation is tried on the first only, and worlds that differ by the order
of their names are one. That cut is itself tested, on every operation of shorter
sequences.
"""

from __future__ import annotations

from collections import deque
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import pytest

from kopslint.etcd import operations
from kopslint.etcd.explore import reachable, successors
from kopslint.etcd.moves import moves, refusal
from kopslint.etcd.world import LEAVES, MEMBERS, UP, World, initial

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LENGTH = 6
NOBODY: frozenset[int] = frozenset()
VERBS = ("stop", "start", "wipe", "remove", "add", "publish", "wait")
SIZES = [(1, 3), (3, 1), (3, 3), (3, 5), (5, 3), (5, 1)]
"""The members that vote at first, and the count that may be published."""


class Place(NamedTuple):
    """All worlds that are possible, and the published count."""

    worlds: frozenset[World]
    published: int

    @property
    def alike(self) -> Place:
        """The same for every order of the names."""
        return Place(canonical(self.worlds), self.published)
