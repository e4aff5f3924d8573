"""What etcd does by its version, where releases differ.

Sources: etcd CHANGELOG-3.5 and CHANGELOG-3.6, and the tags of
server/etcdserver/util.go (``isConnectedToQuorumAfterAddingNewMemberSince``), read one
by one; for ``--force-new-cluster`` runs of 3.5.1, 3.5.30 and 3.6.
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def numbers(version: str | None) -> tuple[int, int, int] | None:
    """The numbers of a version; None if it has none."""
    found = _VERSION.match(version or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found is not None else None


def adds_beside_dead(version: str | None) -> bool | None:
    """Whether etcd takes a new member while another one is dead, if quorum allows it.

    None if the version is not known.
    """
    return _since(version, 30, 11)


def forces_cleanly(version: str | None) -> bool | None:
    """Whether ``--force-new-cluster`` leaves no removed member behind in the data.

    Older ones do, and members that join then lack keys.
    """
    return _since(version, 22, 1)


def _since(version: str | None, of_five: int, of_six: int) -> bool | None:
    found = numbers(version)
    if found is None:
        return None
    first = {5: (3, 5, of_five), 6: (3, 6, of_six)}.get(found[1], (3, 6, of_six))
    return found >= first
