"""Release numbers of etcd and Kubernetes, as specs and flags write them.

Which step from one release to another is safe is for the checks to say.
"""

from __future__ import annotations

import re

from kopslint.records import Record

# In the address of a build as well.
_MINOR = r"(?:^|/)v?1\.(\d+)(?!\d)"
_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+][\w.+-]+)?")


class Release(Record):
    """A release; they compare by age, without what follows a ``-`` or ``+``."""

    major: int
    minor: int
    patch: int

    @property
    def series(self) -> str:
        """The minor release that it belongs to: ``1.31``."""
        return f"{self.major}.{self.minor}"


def release(text: str | None) -> Release | None:
    """The release that a text names (``v1.31.2``, ``3.5.9``, ``1.31``), if it is one.

    The address of a build is none.
    """
    found = _RELEASE.fullmatch(text) if text is not None else None
    if found is None:
        return None
    return Release(int(found[1]), int(found[2]), int(found[3] or 0))


def minor_of(text: str | None) -> int | None:
    """The minor of a 1.x of Kubernetes or kops, also where a build's address has it."""
    found = re.search(_MINOR, text or "")
    return int(found[1]) if found is not None else None
