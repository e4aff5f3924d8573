"""Scripts that a script runs: ``eval``, ``bash -c``, ``source`` and files at hand.

What ``source`` reads goes on in the same shell. Everything else that is read here
has a shell of its own, which sees only what is exported and keeps its variables,
options and ``exit`` to itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.script import (
    Choice,
    ErrExit,
    Exit,
    Group,
    Sequence,
    SimpleCommand,
    Statement,
    Unknown,
)
from kopslint.syntax.shell_files import FILE, FOLDER, SCRIPT, enter, found, start
from kopslint.syntax.shell_output import NOTHING, leaves, sequence
from kopslint.syntax.shell_text import pieces_text, whole_text
from kopslint.syntax.shell_values import ARGUMENTS, Pieces, Scope, Variable, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.source.text import Source, Span
    from kopslint.syntax.script import Opaque, Word
    from kopslint.syntax.shell_calls import Call
    from kopslint.syntax.shell_reader import ScriptReader

DEEPEST_FILES = 16
# Reading a file again costs as much as so many characters of commands.
_COMMAND = 200
_SHELLS = re.compile(r"(?:.*/)?(?:ba|z|k|da)?sh")
_SHEBANG = re.compile(r"#!.*?\b(?:ba|da|k|z)?sh\b(?P<options>.*)")
_SHELL_FILE = r".+\.(?:ba|k|z)?sh"
# What these print only sets variables of the shell.
_SETS_VARIABLES = (
    r"[$`(\s]*(?:ssh-agent|keychain|direnv|(?:docker-machine|minikube)\s[\w-]*env"
    r"|brew\s+shellenv|aws\s+configure\s+export-credentials)\b"
)
_ASKING = {"-e", "-f", "-r", "-s"}
_ENDS = {"EXIT", "0"}
_PREFIXES = {"builtin", "command", "nohup", "sudo", "time"}


def run(reader: ScriptReader, call: Call) -> Statement | None:
    """What the script that a call runs does; None if the call runs none at hand."""
    words = list(call.words)
    while len(words) > 1 and words[0].text in _PREFIXES:
        words.pop(0)
    name = words[0].text
    if name == "exec" and len(words) > 1:
        inner = call._replace(words=tuple(words[1:]))
        started = run(reader, inner)
        return sequence([started or reader.simple(call), Exit(call.span)])
    if name == "eval" and len(words) > 1:
        span = words[1].span.to(words[-1].span)
        return _inner(reader, joined([word.pieces for word in words[1:]], " "), span)
    if name in {"source", "."}:
        return _source(reader, call, words[1:])
    if name is not None and _SHELLS.fullmatch(name):
        return _shell(reader, call, words[1:])
    if "/" not in words[0].shown:
        return None
    file = found(words[0], reader.scope, reader.text.source, reader.at_hand)
    if file is None or not _is_shell(file):
        return None
    return _file(reader, call, file, words[1:], errexit_of(file))


def is_there(reader: ScriptReader, test: Statement) -> bool:
    """Whether a test asks for a file at hand (``[ -f lib.sh ]``), and so succeeds."""
    match test:
        case Sequence(items) if items:
            return is_there(reader, items[-1])
        case SimpleCommand(words=words) if len(words) in {3, 4}:
            if words[0].text not in {"[", "[[", "test"}:
                return False
            place = words[2], reader.scope, reader.text.source, reader.at_hand
            return words[1].text in _ASKING and found(*place) is not None
    return False


def trapped(reader: ScriptReader) -> list[Statement]:
    """What ``trap`` has been given for the end of the script, and for other events."""
    traps, reader.traps = reader.traps, {}
    ending = {traps[event] for event in _ENDS & traps.keys()}
    found: list[Statement] = []
    for word in dict.fromkeys(traps.values()):
        with reader.branch(), reader.copying():
            body = _inner(reader, word.pieces, word.span)
        if word not in ending:
            reason = "whether the event that this waits for happens is not known"
            body = Choice((body,), exhaustive=False, reason=Unknown("trap", reason))
        found.append(body)
    reader.traps = traps
    return found


def errexit_of(file: Source) -> list[Statement]:
    """The ``set -e`` that the first line of a script that is started may hold."""
    shebang = _SHEBANG.match(file.line(1))
    on = shebang is not None and re.search(r"\s-\w*e", shebang["options"])
    return [ErrExit(on=True, span=file.whole())] if on else []


def _is_shell(file: Source) -> bool:
    if file.text.startswith("#!"):
        return _SHEBANG.match(file.line(1)) is not None
    return re.fullmatch(_SHELL_FILE, file.path) is not None


def _inner(reader: ScriptReader, code: Pieces, span: Span) -> Statement:
    """A script held in a word; nothing can be said if it is wholly unknown."""
    unknown = code[0] if code else None
    if len(code) == 1 and isinstance(unknown, Unknown):
        if re.match(_SETS_VARIABLES, unknown.name):
            return NOTHING
        reason = f"what this runs is not known: {unknown.reason}"
        return reader.opaque(unknown.name, reason, span)
    return reader.read(pieces_text(code, span))


def _shell(reader: ScriptReader, call: Call, words: list[Word]) -> Statement | None:
    """``bash -c '...'`` and ``bash FILE``."""
    rest = words.copy()
    errexit: list[Statement] = []
    inline = False
    while rest and not inline and re.match(r"[-+]\w|--", rest[0].text or ""):
        option = rest.pop(0)
        text = option.text or ""
        if text.startswith("--"):
            continue
        if text.startswith("-") and "e" in text:
            errexit.append(ErrExit(on=True, span=option.span))
        if text.endswith("o") and rest:
            rest.pop(0)
        inline = "c" in text
    if not rest:
        return None
    if not inline:
        file = found(rest[0], reader.scope, reader.text.source, reader.at_hand)
        return _file(reader, call, file, rest[1:], errexit) if file else None
    scope = _scope(reader, call, rest[2:])
    for name in (SCRIPT, FILE, FOLDER):
        scope.restore(name, reader.scope.get(name))
    with reader.branch(scope):
        body = _inner(reader, rest[0].pieces, rest[0].span)
    return _process(call, errexit, body)


def _process(call: Call, errexit: list[Statement], body: Statement) -> Statement:
    """A shell of its own; whether failures end it is for itself to say."""
    options = errexit or [ErrExit(on=False, span=call.span)]
    return Group(sequence([*options, body]), subshell=True)


def _scope(reader: ScriptReader, call: Call, arguments: Iterable[Word]) -> Scope:
    """The variables of a new process: what is exported, and its arguments."""
    scope = Scope()
    for assignment in (*reader.scope.environment(), *call.assignments):
        value = assignment.value
        scope.set(assignment.name, Variable(value.pieces, word=value))
        scope.export(assignment.name)
    scope.set(ARGUMENTS, Variable(None, tuple(word.pieces for word in arguments)))
    return scope


def _file(
    reader: ScriptReader,
    call: Call,
    file: Source,
    arguments: Iterable[Word],
    errexit: list[Statement],
) -> Statement:
    """A script at hand that is started with some arguments."""
    refused = _refused(reader, call, file)
    if refused is not None:
        return refused
    scope = _scope(reader, call, arguments)
    start(scope, file)
    scope.restore(FOLDER, reader.scope.get(FOLDER))
    with reader.shell(scope):
        body = sequence([_read(reader, file), *trapped(reader)])
    return _process(call, errexit, body)


def _source(reader: ScriptReader, call: Call, words: list[Word]) -> Statement | None:
    """``source FILE``: its variables, functions and options stay."""
    at_hand = reader.at_hand
    file = words and found(words[0], reader.scope, reader.text.source, at_hand)
    if not file:
        return None
    refused = _refused(reader, call, file)
    if refused is not None:
        return refused
    scope = reader.scope
    outer = {name: scope.get(name) for name in (FILE, ARGUMENTS)}
    enter(scope, file)
    if words[1:]:
        scope.set(ARGUMENTS, Variable(None, tuple(w.pieces for w in words[1:])))
    else:
        del outer[ARGUMENTS]
    # ``return`` leaves such a file as it does a function.
    reader.calling.append(file.path)
    body = _read(reader, file)
    reader.calling.pop()
    for name, value in outer.items():
        scope.restore(name, value)
    if leaves(body, "function"):
        return Group(body, subshell=False, scope="function")
    return body


def _refused(reader: ScriptReader, call: Call, file: Source) -> Opaque | None:
    if file in reader.files:
        reason = f"the script `{file.path}` runs itself"
    elif len(reader.files) > DEEPEST_FILES or reader.too_many_copies:
        reason = "too many scripts run one another here to follow them"
    else:
        return None
    return reader.opaque(call.words[0].shown, reason, call.span)


def _read(reader: ScriptReader, file: Source) -> Statement:
    reader.files.append(file)
    with reader.copying(len(file.text) // _COMMAND):
        body = reader.read(whole_text(file, reader.text.title))
    reader.files.pop()
    return body
