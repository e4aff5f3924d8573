"""How a stand-in for a program asks this process what it prints.

A call is a number of words, each ended by a zero byte; the answer is what goes to
either output and the status, in the same way.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket


class Answer(NamedTuple):
    """What a call prints and how it ends; ``hangs`` is one that never ends."""

    out: str = ""
    err: str = ""
    status: int = 0
    hangs: bool = False


def read_call(connection: socket.socket) -> list[str]:
    """The words of a call; none if whoever calls goes away before it is whole."""
    data = b""
    while True:
        words = data.split(b"\0")
        if len(words) > 1 and len(words) >= int(words[0]) + 2:
            return [word.decode("utf-8", "replace") for word in words[1:-1]]
        more = connection.recv(65536)
        if not more:
            return []
        data += more


def write_answer(connection: socket.socket, answer: Answer) -> None:
    """Answer a call; whoever has gone away meanwhile is not waited for."""
    text = f"{answer.out}\0{answer.err}\0{answer.status}\0"
    with contextlib.suppress(OSError):
        connection.sendall(text.encode())
