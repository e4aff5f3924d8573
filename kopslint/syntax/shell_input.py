"""``read`` and ``mapfile``: variables from an input that is in the script.

Everything else that they read is known only at run time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.shell_values import Scope, Variable, text_of

if TYPE_CHECKING:
    from kopslint.syntax.script import Word
    from kopslint.syntax.shell_calls import Call

_NAME = r"[A-Za-z_]\w*"
_BLANKS = " \t\n"


def take_input(scope: Scope, call: Call, upstream: str = "") -> None:
    """``read``, ``mapfile``, ``readarray`` or ``getopts``: sets its variables.

    ``upstream`` is what its input comes from, if that is written.
    """
    text = text_of(call.stdin.pieces) if call.stdin is not None else None
    words = [word.text or "" for word in call.words]
    if text is not None and is_plain_read(call):
        read_line(scope, call, lines_of(text)[0])
    elif text is not None and words[0] != "getopts" and words[1:-1] == ["-t"]:
        items = tuple((line,) for line in lines_of(text))
        scope.set(words[-1], Variable(None, items))
    else:
        for word in call.words[1:]:
            forget(scope, word, upstream)


def forget(scope: Scope, word: Word, upstream: str = "") -> None:
    """Make the variable unknown that a word names."""
    name = word.text or ""
    if re.fullmatch(_NAME, name):
        scope.forget(name, f"${name} is read at run time", word, of=upstream)


def is_plain_read(call: Call) -> bool:
    """Whether a call is ``read`` with names and no option that changes much."""
    words = [word.text or "" for word in call.words]
    names = words[1:]
    while names and names[0] in {"-r", "-a", "-ra"}:
        names.pop(0)
    return words[:1] == ["read"] and all(re.fullmatch(_NAME, name) for name in names)


def lines_of(text: str) -> list[str]:
    """The lines of an input; the last one needs no line end."""
    return text.removesuffix("\n").split("\n")


def read_line(scope: Scope, call: Call, line: str) -> None:
    """Carry out a plain ``read`` of one line."""
    words = [word.text or "" for word in call.words[1:]]
    names = [word for word in words if not word.startswith("-")] or ["REPLY"]
    array = any("a" in word for word in words if word.startswith("-"))
    raw = any("r" in word for word in words if word.startswith("-"))
    if "\\" in line and not raw:
        for word in call.words[1:]:
            forget(scope, word)
        return
    separators = _separators(scope, call)
    if array:
        items = _split(line, separators, 0)
        scope.set(names[0], Variable(None, tuple((item,) for item in items)))
        return
    parts = _split(line, separators, len(names))
    parts += [""] * (len(names) - len(parts))
    for name, part in zip(names, parts, strict=True):
        scope.set(name, Variable((part,) if part else ()))


def _separators(scope: Scope, call: Call) -> str:
    for assignment in call.assignments:
        if assignment.name == "IFS":
            return assignment.value.text or ""
    held = scope.get("IFS")
    return (text_of(held.scalar or ()) or "") if held is not None else _BLANKS


def _split(line: str, separators: str, most: int) -> list[str]:
    """The fields of a line, at most so many (0: any number); the last has the rest."""
    blanks = "".join(char for char in separators if char in _BLANKS)
    line = line.strip(blanks) if blanks else line
    if not separators or most == 1:
        return [line]
    blank = f"[{re.escape(blanks)}]" if blanks else "(?!)"
    other = "".join(char for char in separators if char not in _BLANKS)
    one = f"{blank}*[{re.escape(other)}]{blank}*|{blank}+" if other else f"{blank}+"
    return re.split(one, line, maxsplit=max(0, most - 1)) if line else []
