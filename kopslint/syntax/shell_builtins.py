"""What bash's own commands do to the script that is being read.

``set``, ``exit``, ``read``, ``shift`` and the like change variables or control flow;
every other command is only reported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax import shell_scripts
from kopslint.syntax.script import ErrExit, Exit, Statement, Word
from kopslint.syntax.shell_assignments import forget_assigned
from kopslint.syntax.shell_files import change_folder
from kopslint.syntax.shell_input import forget, take_input
from kopslint.syntax.shell_output import NOTHING, sequence
from kopslint.syntax.shell_values import ARGUMENTS, PIPEFAIL, Scope, Variable

if TYPE_CHECKING:
    from kopslint.syntax.shell_calls import Call
    from kopslint.syntax.shell_reader import ScriptReader

_PLAIN_WORDS = r"[\w./:=@%+, -]*[\w]"
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
        case "break" | "continue":
            return _break(reader, name, call)
        case "exit" | "return":
            leaves = name == "return" and reader.in_function
            status = words[1] if len(words) > 1 else None
            if leaves:
                return Exit(call.span, status, "function")
            return sequence([*shell_scripts.trapped(reader), Exit(call.span, status)])
        case "shift":
            _shift(reader.scope, texts[1:])
            return NOTHING
        case "alias":
            for word in words[1:]:
                _alias(reader, word)
        case "trap" if len(words) > 2:
            for event in texts[2:]:
                reader.traps.pop(event or "", None)
                if texts[1] not in {"", "-", "-p", "-l"}:
                    reader.traps[event or ""] = words[1]
        case "let":
            for text in texts[1:]:
                forget_assigned(reader.scope, text or "")
        case "printf" if texts[1:2] == ["-v"] and len(words) > 2:
            forget(reader.scope, words[2])
        case "cd" | "pushd" | "popd":
            change_folder(reader.scope, name, words[1:])
        case _ if name in _READERS:
            take_input(reader.scope, call, reader.upstream)
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


def _break(reader: ScriptReader, name: str, call: Call) -> Statement:
    levels = call.words[1].text if len(call.words) > 1 else "1"
    if levels is None or not levels.isdigit():
        return reader.opaque(name, "how many loops this leaves is open", call.span)
    # Outside of a loop bash only complains; more loops than there are is all.
    if not reader.loops:
        return NOTHING
    number = min(int(levels[:9]), reader.loops)
    return Exit(call.span, None, "loop" if name == "break" else "turn", number)


def _alias(reader: ScriptReader, word: Word) -> None:
    """``alias NAME='PROGRAM ARGUMENT...'``: plain words only."""
    name, equals, value = (word.text or "").partition("=")
    if equals and re.fullmatch(_PLAIN_WORDS, value):
        parts = value.split()
        reader.aliases[name] = tuple(Word((p,), p, word.span) for p in parts)


def _shift(scope: Scope, arguments: list[str | None]) -> None:
    held = scope.get(ARGUMENTS)
    count = arguments[0] if arguments else "1"
    if held is None or held.items is None:
        return
    if count is None or not count.isdigit():
        scope.forget(ARGUMENTS, "it is not known how far the arguments are shifted")
        return
    scope.set(ARGUMENTS, Variable(None, held.items[int(count[:9]) :]))
