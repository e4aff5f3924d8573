"""What bash's own commands do to the script that is being read.

``set``, ``exit``, ``read``, ``shift``, ``export``, ``eval`` and the like change
variables or control flow; every other command is only reported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.script import (
    ErrExit,
    Exit,
    Group,
    Statement,
    Unknown,
    Word,
)
from kopslint.syntax.shell_assignments import forget_assigned
from kopslint.syntax.shell_output import NOTHING, sequence
from kopslint.syntax.shell_text import pieces_text
from kopslint.syntax.shell_values import (
    ARGUMENTS,
    PIPEFAIL,
    Pieces,
    Scope,
    Variable,
    joined,
)

if TYPE_CHECKING:
    from typing import Literal

    from kopslint.source.text import Span
    from kopslint.syntax.shell_calls import Call
    from kopslint.syntax.shell_reader import ScriptReader

_SHELLS = re.compile(r"(?:.*/)?(?:ba|z|k|da)?sh")
_READERS = {"read", "mapfile", "readarray", "getopts"}


def run(reader: ScriptReader, call: Call) -> Statement | None:
    """What a builtin does, or None if the call is a program like any other."""
    words = call.words
    texts = [word.text for word in words]
    name = texts[0]
    if name is None:
        return None
    match name:
        case "set":
            return _set(reader, call)
        case "exit" | "return" | "break" | "continue":
            return _exit(reader, name, call)
        case "shift":
            _shift(reader.scope, texts[1:])
            return NOTHING
        case "let":
            for text in texts[1:]:
                forget_assigned(reader.scope, text or "")
        case "printf" if texts[1:2] == ["-v"] and len(words) > 2:
            _forget(reader.scope, words[2])
        case "eval" if len(words) > 1:
            return _eval(reader, call)
        case "exec" if len(words) > 1:
            return sequence([reader.simple(call), Exit(call.span)])
        case _ if name in _READERS:
            for word in words[1:]:
                _forget(reader.scope, word)
        case _ if _SHELLS.fullmatch(name):
            return _shell(reader, call)
    return None


def _set(reader: ScriptReader, call: Call) -> Statement:
    statements: list[Statement] = []
    words = list(call.words[1:])
    while words:
        word = words.pop(0)
        option = word.text or ""
        if option == "--" or not re.match(r"[-+]", option):
            rest = words if option == "--" else [word, *words]
            items = tuple(w.pieces for w in rest)
            reader.scope.set(ARGUMENTS, Variable(None, items))
            break
        on = option[0] == "-"
        names = {"errexit"} if "e" in option[1:] else set()
        if option.endswith("o") and words:
            names.add(words.pop(0).text or "")
        if "errexit" in names:
            statements.append(ErrExit(on, call.span))
        if "pipefail" in names:
            reader.scope.set(PIPEFAIL, Variable(("on",) if on else ()))
    return sequence(statements)


def _exit(reader: ScriptReader, name: str, call: Call) -> Statement:
    leaves: Literal["script", "function", "loop", "turn"]
    status = call.words[1] if len(call.words) > 1 else None
    if name in {"break", "continue"}:
        if status is not None and status.text != "1":
            return reader.opaque(name, f"`{name}` leaves several loops", call.span)
        leaves, status = ("loop" if name == "break" else "turn"), None
    else:
        leaves = "function" if name == "return" and reader.in_function else "script"
    return Exit(call.span, status, leaves)


def _shift(scope: Scope, arguments: list[str | None]) -> None:
    held = scope.get(ARGUMENTS)
    count = arguments[0] if arguments else "1"
    if held is None or held.items is None:
        return
    if count is None or not count.isdigit():
        scope.forget(ARGUMENTS, "it is not known how far the arguments are shifted")
        return
    scope.set(ARGUMENTS, Variable(None, held.items[int(count[:9]) :]))


def _forget(scope: Scope, word: Word) -> None:
    name = word.text or ""
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        scope.forget(name, f"${name} is read at run time", word)


def _eval(reader: ScriptReader, call: Call) -> Statement:
    span = call.words[1].span.to(call.words[-1].span)
    return _inner(reader, joined([word.pieces for word in call.words[1:]], " "), span)


def _inner(reader: ScriptReader, code: Pieces, span: Span) -> Statement:
    """A script held in a word; nothing can be said if it is wholly unknown."""
    unknown = code[0] if code else None
    if len(code) == 1 and isinstance(unknown, Unknown):
        reason = f"what this runs is not known: {unknown.reason}"
        return reader.opaque(unknown.name, reason, span)
    return reader.read(pieces_text(code, span))


def _shell(reader: ScriptReader, call: Call) -> Statement | None:
    """``bash -c '...'``: the script in its own shell, which sees the exports."""
    words = list(call.words[1:])
    errexit: list[Statement] = []
    while words:
        option = words.pop(0)
        text = option.text or ""
        if not re.match(r"[-+]\w", text):
            return None
        if text.startswith("-") and "e" in text:
            errexit.append(ErrExit(on=True, span=option.span))
        if text.endswith("o") and words:
            words.pop(0)
        if "c" in text and words:
            break
    if not words:
        return None
    scope = Scope()
    for assignment in (*reader.scope.environment(), *call.assignments):
        value = assignment.value
        scope.set(assignment.name, Variable(value.pieces, word=value))
        scope.export(assignment.name)
    scope.set(ARGUMENTS, Variable(None, tuple(word.pieces for word in words[2:])))
    with reader.branch(scope):
        body = _inner(reader, words[0].pieces, words[0].span)
    return Group(sequence([*errexit, body]), subshell=True)
