"""Word splitting: the arguments that one word becomes once its values are put in.

Bash splits values at the characters of ``$IFS``, and never what was written or
quoted. This module knows nothing of the script around the word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.script import Unknown
from kopslint.syntax.shell_values import Pieces, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.syntax.shell_braces import Atom

_BLANKS = re.compile(r"[ \t\n]+")


def fields(atoms: list[Atom], separators: str | None) -> list[Pieces]:
    """The arguments of a word whose braces are expanded.

    ``separators`` is what ``$IFS`` holds, or None if it was never set.
    """
    if all(atom.kind in {"text", "quoted"} and atom.pieces for atom in atoms):
        return [joined([atom.pieces for atom in atoms])] if atoms else []
    found: list[Pieces] = []
    current: list[Pieces] = []
    for value in [*_parts(atoms, separators), None]:
        if value is not None:
            current.append(value)
        elif current:
            found.append(joined(current))
            current = []
    return found


def _parts(atoms: list[Atom], separators: str | None) -> Iterator[Pieces | None]:
    """The parts of the arguments; None is the end of one, if there is one to end."""
    split = _BLANKS
    if separators is not None:
        split = re.compile(f"[{re.escape(separators)}]+" if separators else r"(?!)")
    for atom in atoms:
        if atom.kind == "items":
            for number, item in enumerate(atom.items):
                if number:
                    yield None
                yield item
            continue
        if atom.kind == "quoted" and not atom.pieces:
            yield ()
        for piece in atom.pieces:
            if atom.kind != "value" or isinstance(piece, Unknown):
                yield (piece,)
                continue
            for number, part in enumerate(split.split(piece)):
                if number:
                    yield None
                if part:
                    yield (part,)
