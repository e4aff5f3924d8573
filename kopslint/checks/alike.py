"""One mistake, one finding: what several etcd clusters have in common.

The members of main, events and any further etcd cluster are written side by side,
so a slip is usually made in all of them; it is told once, with all its places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
K = TypeVar("K")


def alike(items: Iterable[T], key: Callable[[T], K]) -> list[list[T]]:
    """The items sorted into lists of equal ``key``, in the order of appearance."""
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())


def only(names: Iterable[str]) -> str | None:
    """The name, if all are the same one; for findings about one etcd cluster."""
    different = set(names)
    return different.pop() if len(different) == 1 else None
