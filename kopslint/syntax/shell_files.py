"""Where a name in a script leads: its own folder, the current one, a file at hand.

A script says where it lies in a few well-known ways (``$0``, ``$BASH_SOURCE``,
``$(cd "$(dirname "$0")" && pwd)``). Their values are unknown, but where they lead is
not; it travels with them as ``Unknown.path``. Only names are compared here, and no
file is looked for.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from kopslint.syntax.script import AndOr, Sequence, SimpleCommand, Unknown
from kopslint.syntax.shell_values import Pieces, Scope, Variable, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.source.text import Source
    from kopslint.syntax.script import Statement, Word

# These live beside the variables, so that functions and subshells treat them alike.
SCRIPT, FILE, FOLDER, FOLDER_BEFORE = "0", "BASH_SOURCE", "PWD", "OLDPWD"

# What a pipeline checks out is what lies before kopslint, too.
_CHECKOUT = (
    r"\$\{?(?:GITHUB_WORKSPACE|CI_PROJECT_DIR|WORKSPACE|BITBUCKET_CLONE_DIR)\}?"
    r"|\$\{\{ *github\.workspace *\}\}"
    r"|[$`]\(?git rev-parse --show-toplevel[)`]"
)


def start(scope: Scope, source: Source, folder: str | None = "") -> None:
    """Let a scope be that of a script that is started in a folder.

    The folder is empty if it is not named, and None if it is not known.
    """
    scope.set(SCRIPT, _place("$0", source.path))
    enter(scope, source)
    scope.set(FOLDER, _place("$PWD", folder))


def _place(name: str, path: str | None) -> Variable:
    reason = f"{name} depends on how the script is started"
    return Variable((Unknown(name, reason, path),))


def enter(scope: Scope, source: Source) -> None:
    """Let ``$BASH_SOURCE`` be a file that is read in."""
    scope.set(FILE, _place("$BASH_SOURCE", source.path))


def path_of(pieces: Pieces) -> str | None:
    """The path that a value spells, if it is known beside others."""
    if pieces and isinstance(pieces[0], Unknown):
        rest = text_of(pieces[1:])
        path = "." if re.fullmatch(_CHECKOUT, pieces[0].name) else pieces[0].path
        if path is None or rest is None:
            return None
        return path + rest if path else rest.lstrip("/")
    return text_of(pieces)


def found(
    word: Word, scope: Scope, beside: Source, at_hand: Mapping[str, Source]
) -> Source | None:
    """The source at hand that a word names.

    It is looked for beside the file that names it, then in the current folder; where
    that was changed by ``cd``, in both from there. ``at_hand`` has normal paths.
    """
    path = path_of(word.pieces) if at_hand else None
    if not path:
        return None
    folders = [""]
    if _from_current(word.pieces):
        current = _current(scope)
        if current is None:
            return None
        folders = [posixpath.join(posixpath.dirname(beside.path), current), current]
    for folder in folders:
        name = posixpath.normpath(posixpath.join(folder, path))
        if name in at_hand:
            return at_hand[name]
    return None


def change_folder(scope: Scope, name: str, words: Iterable[Word]) -> None:
    """``cd``, ``pushd`` and ``popd`` with their arguments."""
    arguments = _arguments(words)
    if name == "popd" or [word.text for word in arguments] == ["-"]:
        scope.set(FOLDER, scope.get(FOLDER_BEFORE) or _place("$PWD", None))
        scope.set(FOLDER_BEFORE, _place("$OLDPWD", None))
        return
    scope.set(FOLDER_BEFORE, scope.get(FOLDER) or _place("$OLDPWD", None))
    path = path_of(arguments[0].pieces) if arguments else None
    if arguments and path is not None and _from_current(arguments[0].pieces):
        current = _current(scope)
        path = posixpath.join(current, path) if current is not None else None
    scope.set(FOLDER, _place("$PWD", path))


def printed_path(body: Statement, scope: Scope) -> str | None:
    """The path that a substitution prints: ``$(cd "$(dirname "$0")/.." && pwd)``."""
    place = scope.branch()
    path = None
    for command in _commands(body):
        name, words = command.words[0].text, command.words[1:]
        arguments = _arguments(words)
        match name:
            case "cd":
                change_folder(place, name, words)
            case "pwd":
                path = _current(place)
            case "dirname" if arguments:
                path = path_of(arguments[0].pieces)
                path = (posixpath.dirname(path) or ".") if path else None
            case "readlink" | "realpath" if arguments:
                path = path_of(arguments[0].pieces)
            case _:
                return None
    return path


def _commands(body: Statement) -> Iterator[SimpleCommand]:
    """The commands of a plain list; what their substitutions run is left out."""
    match body:
        case SimpleCommand(words=words) if words:
            yield body
        case Sequence(items):
            for item in items:
                yield from _commands(item)
        case AndOr(left, "&&", right):
            yield from _commands(left)
            yield from _commands(right)


def _current(scope: Scope) -> str | None:
    held = scope.get(FOLDER)
    return path_of(held.scalar or ()) if held is not None else None


def _from_current(pieces: Pieces) -> bool:
    """Whether a path goes on from the current folder, and not from a known one."""
    first = pieces[0] if pieces else ""
    return isinstance(first, str) or first.path == ""


def _arguments(words: Iterable[Word]) -> list[Word]:
    return [w for w in words if w.text == "-" or not (w.text or "").startswith("-")]
