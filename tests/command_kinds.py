"""Every type of command, and the fields that it adds to what all commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands import kops
from kopslint.commands.model import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

# The types of kops's commands are known once their module is read.
assert kops.KopsCommand.__subclasses__()


def kinds(of: type[Command] = Command) -> Iterator[type[Command]]:
    """The types below one, without those that only others stand on."""
    for kind in of.__subclasses__():
        yield from kinds(kind) if kind.__subclasses__() else [kind]


def own_fields(kind: type[Command]) -> dict[str, str]:
    """The fields that a type has beyond those of every command, with their types."""
    above = kind.__mro__[: kind.__mro__.index(Command)]
    return {
        field: written
        for each in reversed(above)
        for field, written in each.__annotations__.items()
    }
