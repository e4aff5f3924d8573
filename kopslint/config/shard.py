"""Which clusters are whose, where several runs share a fleet between them.

A cluster's shard depends on its name and on nothing else, so every run finds the same
answer by itself, and a cluster keeps its shard when others come or go.
"""

from __future__ import annotations

import re
from hashlib import sha256

from kopslint.errors import UsageError
from kopslint.records import Record

MOST = 1000
"""More shards than this are a slip of the pen."""


class Shard(Record):
    """Number ``number`` of ``of`` shards, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, cluster: str) -> bool:
        """Whether a cluster belongs to this shard."""
        return self.number_of(cluster) == self.number

    def number_of(self, cluster: str) -> int:
        """The number of the shard that a cluster belongs to.

        That is the first eight bytes of the SHA-256 of the name in UTF-8, as a number
        with the highest byte first, modulo the number of shards, counted from 1.
        """
        digest = sha256(cluster.encode("utf-8", "backslashreplace")).digest()
        return int.from_bytes(digest[:8], "big") % self.of + 1


def read_shard(text: str) -> Shard:
    """The shard that ``2/8`` names. Raises ``UsageError`` for anything else."""
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if match is None:
        raise UsageError(
            f"--shard {text} is not a shard",
            hint="write the number and the total, as in --shard 2/8",
        )
    shard = Shard(int(match[1]), int(match[2]))
    if not 1 <= shard.number <= shard.of <= MOST:
        raise UsageError(
            f"--shard {text}: there is no shard {shard.number} of {shard.of}",
            hint=f"count from 1, as in --shard 1/8; there may be {MOST:,} shards",
        )
    return shard
