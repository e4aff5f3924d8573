"""The parts of a word, and the words that ``a{b,c}d`` stands for.

Brace expansion comes first in bash: it works on what was written, before any
value is put in, so it needs to know which part of a word was quoted.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal

from kopslint.records import Record
from kopslint.syntax.shell_expansion import MOST_WORDS, brace_range
from kopslint.syntax.shell_values import Pieces, joined, text_of

# Every brace may multiply the words, and each is looked for to the end.
MOST_BRACES = 50


class Atom(Record):
    """A part of a word, by what still has to happen to it.

    "text" is subject to braces, "quoted" to nothing, a "value" to splitting;
    "items" are the words of ``"$@"``.
    """

    kind: Literal["text", "quoted", "value", "items"]
    pieces: Pieces = ()
    items: tuple[Pieces, ...] = ()


def flat(atoms: list[Atom]) -> Pieces:
    """The atoms as one value, not split."""
    return joined(
        [joined(a.items, " ") if a.kind == "items" else a.pieces for a in atoms]
    )


def braces(atoms: list[Atom]) -> list[list[Atom]]:
    """The words that ``a{b,c}d`` stands for."""
    if not any(a.kind == "text" and "{" in str(a.pieces) for a in atoms):
        return [atoms]
    tokens: list[Atom] = []
    for atom in atoms:
        if atom.kind == "text" and atom.pieces:
            parts = re.split(r"([{},])", str(atom.pieces[0]))
            tokens += [Atom("text", (part,)) for part in parts if part]
        else:
            tokens.append(atom)
    opening = sum(_is(token, "{") for token in tokens)
    if not 0 < opening <= MOST_BRACES:
        return [atoms]
    expanded = _expand(tokens)
    return expanded if expanded is not None else [atoms]


def _is(atom: Atom, char: str) -> bool:
    return atom.kind == "text" and atom.pieces == (char,)


def _expand(tokens: list[Atom]) -> list[list[Atom]] | None:
    """The words of a tokenised word; None if there are too many."""
    for start, token in enumerate(tokens):
        if not _is(token, "{"):
            continue
        depth, cuts = 0, [start]
        for index in range(start, len(tokens)):
            if _is(tokens[index], ","):
                cuts += [index] if depth == 1 else []
                continue
            depth += _is(tokens[index], "{") - _is(tokens[index], "}")
            if depth == 0:
                cuts.append(index)
                break
        if depth != 0:
            continue
        inside = tokens[start + 1 : cuts[-1]]
        choices: list[list[Atom]]
        if len(cuts) > 2:
            choices = [tokens[a + 1 : b] for a, b in pairwise(cuts)]
        else:
            literal = text_of(flat(inside)) or ""
            words = (
                brace_range(literal) if all(a.kind == "text" for a in inside) else None
            )
            if words is None:
                continue
            choices = [[Atom("text", (word,))] for word in words]
        tails = _expand(tokens[cuts[-1] + 1 :])
        middles = [_expand(choice) for choice in choices]
        if tails is None or None in middles:
            return None
        heads = [m for middle in middles if middle is not None for m in middle]
        if len(heads) * len(tails) > MOST_WORDS:
            return None
        before = tokens[:start]
        return [[*before, *head, *tail] for head in heads for tail in tails]
    return [tokens]
