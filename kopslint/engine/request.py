"""What the engine is asked. It must not know what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.source.text import Source

FLEET = 300_000
"""So many characters of specs take much longer than a second process to start."""

NO_CLUSTER = "(no cluster)"
"""Stands for the cluster of objects that do not say whose they are."""


class Request(Record):
    """What to check.

    ``before`` is None if there is no change, only a state; ``after`` is None if the
    state before is all there is, as when a list of commands is tried on it.
    ``partial`` says that there are other clusters besides these, so that a command
    that names another one means that one and is no mistake. ``at_hand`` are files that
    the commands may name besides: scripts that they source, specs on the way.
    """

    before: tuple[Source, ...] | None = None
    after: tuple[Source, ...] | None = None
    commands: tuple[Source, ...] = ()
    partial: bool = False
    at_hand: tuple[Source, ...] = ()

    @property
    def is_fleet(self) -> bool:
        """Whether it may be worth dividing."""
        return sum(len(source.text) for source in self.specs) >= FLEET

    @property
    def is_one_file(self) -> bool:
        """Whether a file is compared with a file, whatever the two are called."""
        return len(self.before or ()) == len(self.after or ()) == 1

    @property
    def specs(self) -> Iterator[Source]:
        """The specs of both sides."""
        yield from self.before or ()
        yield from self.after or ()
