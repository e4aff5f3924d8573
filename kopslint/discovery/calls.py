"""Where a repository says how its templates are rendered: ``kops toolbox template``.

The calls stand in Makefiles, scripts, pipelines and runbooks. What a call leaves to a
variable is looked for among the files: ``--values $ENV.yaml`` is a call for every file
that this may mean, and the variable is the same in all of its words.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.kops.command_line import sort_words
from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.records import Record
from kopslint.shell.ast import Unknown, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from kopslint.shell.ast import SimpleCommand
    from kopslint.text import Source, Span

CALL = re.compile(rb"\btoolbox[ \t\\\r\n]+template\b")
MOST_CALLS = 500
"""Calls of all lists of a repository together that are followed."""

_DATA = (".yaml", ".yml", ".json")
_NOT_NAMED = re.compile(r"[^\w]+")


class Call(Record):
    """One call: the files by their paths in the repository, in order.

    ``complete`` is whether all that gives values is known. ``output`` is the file that
    it writes. ``bound`` is what its variables mean in this call.
    """

    templates: tuple[str, ...]
    values: tuple[str, ...]
    snippets: tuple[str, ...]
    sets: tuple[tuple[str, Span], ...]
    set_strings: tuple[tuple[str, Span], ...]
    name: str
    complete: bool
    fails_on_missing: bool
    output: str | None
    bound: tuple[tuple[str, str], ...]
    span: Span

    @property
    def inputs(self) -> tuple[str, ...]:
        """All files that it reads."""
        return (*self.templates, *self.values, *self.snippets)


class Given(Record):
    """A call as the settings say it: paths from ``folder``, and what is set.

    What it leaves open stays unknown: not all values are kept in files.
    """

    folder: str
    templates: tuple[str, ...]
    values: tuple[str, ...]
    snippets: tuple[str, ...]
    sets: tuple[str, ...]
    name: str
    span: Span


def call_given(given: Given, folder: str, files: Collection[str]) -> Call | None:
    """The call of the settings, with these files around it; None without a template."""
    ordered, known = sorted(files), frozenset(files)

    def found(names: Iterable[str]) -> tuple[str, ...]:
        paths = (p for n in names for p in files_named(n, folder, ordered, known))
        return tuple(dict.fromkeys(paths))

    templates = found(given.templates)
    if not templates:
        return None
    return Call(
        templates=templates,
        values=found(given.values),
        snippets=found(given.snippets),
        sets=tuple((text, given.span) for text in given.sets),
        set_strings=(),
        name=given.name,
        complete=False,
        fails_on_missing=True,
        output=None,
        bound=(),
        span=given.span,
    )


def files_named(
    text: str, folder: str, ordered: Sequence[str], known: Collection[str]
) -> tuple[str, ...]:
    """The files that a name means: a file, all of a folder in order, or a pattern."""
    prefix = f"{folder}/" if folder else ""
    path = posixpath.normpath(posixpath.join(folder, text))
    if path in known:
        return (path,)
    below = "" if path == "." else f"{path}/"
    inside = tuple(each for each in ordered if each.startswith(below))
    if inside or not any(sign in text for sign in "*?["):
        return inside if not path.startswith("..") else ()
    return tuple(
        each
        for each in ordered
        if each.startswith(prefix)
        and fnmatchcase(each.removeprefix(prefix), posixpath.normpath(text))
    )


def calls_in(
    source: Source, folder: str, files: Collection[str], at_hand: Iterable[Source] = ()
) -> Iterator[Call]:
    """The calls of a list that lies in ``folder``, with these files around it."""
    try:
        script = read_commands(source, at_hand=tuple(at_hand))
    except InputError:
        return
    for command in simple_commands(script.body):
        line = _toolbox(command)
        if line is not None:
            yield from _Reading(line, command, folder, files).calls()


def _toolbox(command: SimpleCommand) -> list[Word] | None:
    """The words from ``kops`` on, whatever stands in front of it."""
    words = [*command.words]
    for n in range(1, len(words) - 1):
        if (words[n].text, words[n + 1].text) == ("toolbox", "template"):
            return words[n - 1 :]
    return None


class _Reading:
    """One call with its variables, which are bound file by file."""

    def __init__(
        self,
        words: list[Word],
        command: SimpleCommand,
        folder: str,
        files: Collection[str],
    ) -> None:
        line = sort_words(words)
        self._line = line
        self._values = line.values
        self._files = sorted(files)
        self._known = frozenset(files)
        self._span = command.span
        self._output = self._output_of(command)
        parts = folder.split("/") if folder else []
        self._folders = ["/".join(parts[:n]) for n in range(len(parts), -1, -1)]

    def _output_of(self, command: SimpleCommand) -> Word | None:
        given = [*self._values.get("out", ()), *self._values.get("output", ())]
        given += [
            redirect.target
            for redirect in command.redirects
            if redirect.operator in (">", ">|", "1>") and redirect.target is not None
        ]
        return given[-1] if given else None

    def calls(self) -> Iterator[Call]:
        """The call for every meaning of its variables that the files allow."""
        for folder in self._folders:
            bindings = self._bindings(folder)
            if bindings:
                for bound in bindings[:MOST_CALLS]:
                    call = self._call(folder, bound)
                    if call is not None:
                        yield call
                return

    def _bindings(self, folder: str) -> list[Mapping[str, str]]:
        """What the variables may mean so that the files of the call are there."""
        found: list[dict[str, str]] = [{}]
        seen = False
        words = [
            *((word, True) for word in self._values.get("template", ())),
            *((word, False) for word in self._values.get("values", ())),
        ]
        for word, needed in words:
            if _is_only_unknown(word):
                continue
            widened: list[dict[str, str]] = []
            for bound in found:
                widened += self._matching(word, folder, bound)
            if widened:
                found, seen = _different(widened), seen or needed
            elif needed:
                return []
        return [*found] if seen else []

    def _matching(
        self, word: Word, folder: str, bound: dict[str, str]
    ) -> list[dict[str, str]]:
        pattern = _pattern(word, bound)
        if pattern is None:
            return []
        found = []
        for path in self._candidates(folder):
            match = pattern.fullmatch(path)
            if match is not None:
                named = {
                    name: value
                    for name, value in match.groupdict().items()
                    if value is not None
                }
                found.append({**bound, **named})
        return found

    def _candidates(self, folder: str) -> Iterator[str]:
        """Every file and every folder with files, as seen from a folder."""
        prefix = f"{folder}/" if folder else ""
        seen = set()
        for path in self._files:
            if not path.startswith(prefix):
                continue
            inner = path.removeprefix(prefix)
            yield inner
            while inner := posixpath.dirname(inner):
                if inner in seen:
                    break
                seen.add(inner)
                yield inner

    def _call(self, folder: str, bound: Mapping[str, str]) -> Call | None:
        complete = not self._line.loose
        files: dict[str, tuple[str, ...]] = {}
        for flag in ("template", "values", "snippets"):
            found: list[str] = []
            for word in self._values.get(flag, ()):
                here = self._expanded(word, folder, bound)
                complete = complete and (bool(here) or flag != "values")
                found += here
            files[flag] = tuple(dict.fromkeys(found))
        if not files["template"]:
            return None
        given = {flag: self._given(flag, bound) for flag in ("set", "set-string")}
        for flag, texts in given.items():
            complete = complete and len(texts) == len(self._values.get(flag, ()))
            # Items of a list by their numbers are left out.
            complete = complete and not any("[" in text for text, _ in texts)
        missing = self._values.get("fail-on-missing", ())
        return Call(
            templates=files["template"],
            values=files["values"],
            snippets=files["snippets"],
            sets=given["set"],
            set_strings=given["set-string"],
            name=self._name(bound),
            complete=complete,
            fails_on_missing=not (missing and missing[-1].text == "false"),
            output=_text(self._output, bound) if self._output is not None else None,
            bound=tuple(sorted(bound.items())),
            span=self._span,
        )

    def _expanded(
        self, word: Word, folder: str, bound: Mapping[str, str]
    ) -> tuple[str, ...]:
        """The files that a word means: a file, or all of a folder in order."""
        text = _text(word, bound)
        if text is None:
            return ()
        return files_named(text, folder, self._files, self._known)

    def _given(
        self, flag: str, bound: Mapping[str, str]
    ) -> tuple[tuple[str, Span], ...]:
        """What is set, unknown values as such, so that the rest of them counts."""
        found = []
        for word in self._values.get(flag, ()):
            key = word.pieces[0] if word.pieces else ""
            if isinstance(key, str) and "=" in key:
                found.append((_shown(word, bound), word.span))
        return tuple(found)

    def _name(self, bound: Mapping[str, str]) -> str:
        words = [*self._line.positionals, *self._values.get("name", ())]
        return (_text(words[-1], bound) or "") if words else ""


def _is_only_unknown(word: Word) -> bool:
    return all(isinstance(piece, Unknown) for piece in word.pieces)


def _variable(unknown: Unknown) -> str:
    """What a variable is called in every notation: ``$(ENV)`` is ``${ENV}``."""
    return f"v_{_NOT_NAMED.sub('_', unknown.name).strip('_')}"


def _pattern(word: Word, bound: Mapping[str, str]) -> re.Pattern[str] | None:
    """The paths that a word may mean. None for one that leads out of its folder."""
    text, named = "", set()
    for piece in word.pieces:
        if isinstance(piece, str):
            text += re.escape(piece)
            continue
        if piece.path is not None:
            # The folder of the script itself, or where it is started.
            text += re.escape(piece.path)
            continue
        name = _variable(piece)
        if name in bound:
            text += re.escape(bound[name])
        elif name in named:
            text += f"(?P={name})"
        elif re.fullmatch(r"\w+", name):
            named.add(name)
            text += f"(?P<{name}>[^/]+)"
        else:
            return None
    text = re.sub(r"^(?:\\?\./)+|^/+", "", text).rstrip("/")
    return re.compile(text) if ".." not in text.replace("\\", "") else None


def _text(word: Word, bound: Mapping[str, str]) -> str | None:
    """The value of a word if all its variables are bound."""
    parts = []
    for piece in word.pieces:
        if isinstance(piece, str):
            parts.append(piece)
        elif piece.path is not None:
            parts.append(piece.path)
        elif (known := bound.get(_variable(piece))) is not None:
            parts.append(known)
        else:
            return None
    # A folder that only the shell knows, in front: ``$(dirname $0)/values.yaml``.
    return "".join(parts).lstrip("/") if word.unknown is not None else "".join(parts)


def _shown(word: Word, bound: Mapping[str, str]) -> str:
    """The value of a word, what is unknown in it as a placeholder."""
    return "".join(
        piece
        if isinstance(piece, str)
        else bound.get(_variable(piece), f"${{{_variable(piece)[2:] or 'value'}}}")
        for piece in word.pieces
    )


def _different(bindings: list[dict[str, str]]) -> list[dict[str, str]]:
    return [dict(pairs) for pairs in dict.fromkeys(tuple(b.items()) for b in bindings)]


__all__ = ["CALL", "Call", "calls_in"]
