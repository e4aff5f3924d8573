"""Which texts etcdctl takes for the id of a member."""

from __future__ import annotations

import re

# The shortest number that is taken for an id: they are 64 bits of a hash, so that one
# in four thousand million is shorter. Source: etcd server/etcdserver/api/membership.
_SHORTEST_ID = 9
_LONGEST_ID = 16


def is_id(text: str) -> bool:
    """Whether etcdctl can read a text as an id that exists.

    It takes 64 bits in hexadecimal, without a prefix. Source: etcd
    etcdctl/ctlv3/command/member_command.go, ``strconv.ParseUint(args[0], 16, 64)``.
    """
    digits = text.lstrip("0")
    return is_hexadecimal(text) and len(digits) >= _SHORTEST_ID


def is_hexadecimal(text: str) -> bool:
    """Whether etcdctl can read a text as a number, be it an id or not."""
    digits = text.lstrip("0")
    return re.fullmatch("[0-9a-fA-F]+", text) is not None and len(digits) <= _LONGEST_ID
