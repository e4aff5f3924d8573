"""What is in a file by the time a list uses it, where the list itself writes files.

Copies, here-documents, plain ``sed`` substitutions and ``yq`` assignments are worked
out, once the file is asked for; any other program that may write a file leaves it
unknown, and it is said who it was. What is in them to begin with is read elsewhere.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatch
from functools import cache
from typing import TYPE_CHECKING

from kopslint.commands.model import Foreign, Reads, Unreadable
from kopslint.errors import InputError
from kopslint.records import Record
from kopslint.syntax.yaml import Scalar, find
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kopslint.commands.model import Command
    from kopslint.shell.ast import SimpleCommand, Word
    from kopslint.syntax.yaml import Step

    Look = Callable[[str, Word], Source | None]
    """The file of a name as it is to begin with, seen from a word of a list."""

    Read = Callable[[], Source | None]
    """Works out what is in a file."""

_READERS = frozenset(
    {"[", "[[", "cat", "cd", "cmp", "diff", "echo", "export", "file", "grep", "egrep"}
    | {"head", "jq", "kopslint", "kubeconform", "ls", "mkdir", "printf", "pushd"}
    | {"sleep", "stat", "tail", "test", "wc", "yamllint", "sha256sum", "sort", "true"}
)
"""Programs that leave a file as it is; any other one may write what it names."""

_COPIERS = ("aws ", "az ", "gcloud ", "gsutil ", "kops toolbox", "openstack ")
"""What changes no plane and may write a file all the same."""

# What brings other files into the folder, whatever it names.
_GIT = frozenset(
    {"am", "apply", "checkout", "cherry-pick", "clean", "merge", "pull", "rebase"}
    | {"reset", "restore", "revert", "stash", "switch", "submodule"}
)
_UNPACKS = frozenset({"patch", "rsync", "tar", "unzip", "bsdtar", "cpio", "7z"})
_WHOLE_FOLDER = r"\s(sync|rsync|--recursive|-r|-R|--exclude|--include)\b"
_MOST = 1_000_000
"""So many characters are no spec that anybody wrote; more are not worked out."""

MOST_TEXTS = 64
"""More texts than so many are no list that anybody wrote; the others are not known."""


class Content(Record):
    """What is in a file: what ``read`` gives, None if nobody knows.

    ``why`` says who wrote it.

    ``named`` is whether the writer names the file, and not only may have brought it.
    ``said`` is all that the writer was told.
    """

    read: Read
    why: str
    named: bool = True
    said: str = ""


class Written:
    """The files that a list has written so far, call by call."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._files: dict[str, Content] = {}
        self._all: str | None = None
        self._texts = 0

    def content(self, name: str) -> Content | None:
        """What is in a file now; None if it is as it was to begin with."""
        known = self._files.get(name)
        if known is not None:
            return known
        for path, content in self._files.items():
            same = path.endswith(f"/{name}") or name.endswith(f"/{path}")
            if same or _fits(path, name):
                return content
        if self._all is None:
            return None
        return Content(_unknown, self._all, named=False)

    def run(self, call: SimpleCommand, commands: tuple[Command, ...]) -> None:
        """Go on behind a call."""
        writes = f"{_named(call)} writes it before"
        may_write = f"{_named(call)} may write it before"
        for redirect in call.redirects:
            if ">" in redirect.operator and redirect.target is not None:
                name = _name(redirect.target)
                if name is not None and not name.startswith("/dev/"):
                    plain = redirect.operator in (">", ">|", "1>")
                    read = self._printed(call) if plain else None
                    self._files[name] = Content(
                        read or _unknown, writes, said=said(call)
                    )
        exactly = self._exactly(call)
        if exactly is not None:
            for name, read in exactly.items():
                self._files[name] = Content(cache(read), writes, said=said(call))
            return
        anywhere = any(_brings_files(call, command) for command in commands)
        if anywhere or _edits_any(call):
            self._files.clear()
            self._all = may_write
        for command in commands:
            options = isinstance(command, Reads) and not command.verb.startswith(
                _COPIERS
            )
            if options or _may_write(command):
                for name in _outputs(call) if options else _names(call):
                    self._files[name] = Content(_unknown, may_write, said=said(call))

    def _given(self, call: SimpleCommand) -> Read:
        def read() -> Source | None:
            self._texts += 1
            return given_text(call) if self._texts <= MOST_TEXTS else None

        return read

    def _read(self, word: Word) -> Read:
        """What is in the file that a word names, by now."""
        name = _name(word)
        if name is None or word.text is None:
            return _unknown
        content = self.content(name)
        return content.read if content is not None else lambda: self._look(name, word)

    def _exactly(self, call: SimpleCommand) -> dict[str, Read] | None:
        """The files that a call writes, if it is one whose every step is known."""
        program = posixpath.basename(call.words[0].shown) if call.words else ""
        match program:
            case "cp" | "mv" | "install":
                return self._copied(call)
            case "tee":
                plain = [w for w in call.words[1:] if not w.shown.startswith("-")]
                if len(plain) == len(call.words) - 1:
                    given = self._given(call)
                    return {n: given for w in plain if (n := _name(w)) is not None}
            case "sed":
                return self._substituted(call)
            case "yq":
                return self._assigned(call)
        return None

    def _printed(self, call: SimpleCommand) -> Read | None:
        """What a call prints, if that is one text that is known."""
        words = [word.shown for word in call.words]
        if not words:
            return None
        if words in (["cat"], ["cat", "-"]):
            return self._given(call)
        if words[0] == "cat" and len(words) == 2:
            return self._read(call.words[1])
        if words[0] == "sed":
            found = _sed(call)
            if found is not None and not found.in_place and len(found.files) == 1:
                return _edited(self._read(found.files[0]), found.edit)
        return None

    def _copied(self, call: SimpleCommand) -> dict[str, Read] | None:
        options = [w.shown for w in call.words[1:] if w.shown.startswith("-")]
        files = [w for w in call.words[1:] if not w.shown.startswith("-")]
        if any(not re.fullmatch(r"-[afpv]+|--force|--verbose", o) for o in options):
            return None
        if len(files) != 2 or any(word.text is None for word in files):
            return None
        read = self._read(files[0])
        start, end = (_name(word) or "" for word in files)
        if (files[1].text or "").endswith("/") or end in (".", ".."):
            end = posixpath.normpath(posixpath.join(end, posixpath.basename(start)))
        written = {end: read}
        if call.words[0].text == "mv":
            written[start] = _unknown
        return written

    def _substituted(self, call: SimpleCommand) -> dict[str, Read] | None:
        found = _sed(call)
        if found is None or not found.in_place:
            return None
        return {
            name: _edited(self._read(word), found.edit)
            for word in found.files
            if (name := _name(word)) is not None
        }

    def _assigned(self, call: SimpleCommand) -> dict[str, Read] | None:
        words = [w.text for w in call.words[1:]]
        options = [w for w in words if w is not None and w.startswith("-")]
        rest = [w for w in call.words[1:] if w.text is None or w.text not in options]
        if rest and rest[0].text in ("e", "eval"):
            rest = rest[1:]
        if len(rest) != 2 or not set(options) <= {"-i", "--inplace"} or not options:
            return None
        name = _name(rest[1])
        expression = rest[0].text
        if name is None or expression is None:
            return None
        read = self._read(rest[1])
        return {name: lambda: yq_assigned(read(), expression)}


def said(call: SimpleCommand) -> str:
    """All that a program is told: its words, its input, and what is in front of it.

    kops itself is asked for objects by their names, and prints them as they are.
    """
    given = call.stdin.shown if call.stdin is not None else ""
    words = [word.shown for word in call.words]
    told = " ".join([*words, given]) if words[:1] != ["kops"] else ""
    return f"{told} {re.sub(r'(?:^|[|])[ ]*kops [^|]*', '', call.upstream)}"


def _unknown() -> None:
    """What is in a file that nobody knows."""


def given_text(call: SimpleCommand) -> Source | None:
    """The standard input of a call, in its place in the list as far as that goes.

    Lines are those of the list where the text stands there as it is.
    """
    if call.stdin is None or call.stdin.text is None:
        return None
    text, span = call.stdin.text, call.stdin.span
    source = span.source
    verbatim = source.text.find(text) if text.strip() else -1
    first = source.text.count("\n", 0, verbatim) if verbatim >= 0 else span.line - 1
    return Source(source.path, "\n" * first + text, source.revision)


def _named(call: SimpleCommand) -> str:
    """A call for people: its words and where it stands."""
    text = " ".join(" ".join(word.raw for word in call.words).split())
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return f"`{short}` in line {call.span.line}"


def _name(word: Word) -> str | None:
    """The name of a file as far as it is known: below a folder that may be unknown."""
    if word.text is not None:
        return posixpath.normpath(word.text) if word.text else None
    last = word.pieces[-1]
    if isinstance(last, str) and "/" in last:
        return last.rpartition("/")[2] or None
    return None


def _names(call: SimpleCommand) -> Iterator[str]:
    """The names in the words of a call, behind ``--output=`` and ``-o`` too."""
    for word in call.words[1:]:
        name = _name(word)
        if name is None:
            continue
        yield name
        for mark in "=:":
            if mark in name:
                yield posixpath.normpath(name.partition(mark)[2] or ".")
        if re.match(r"-\w.", name):
            yield posixpath.normpath(name[2:])


def _outputs(call: SimpleCommand) -> Iterator[str]:
    """What a call that only reads is told to write: ``--output=FILE``, ``-o FILE``."""
    words = [word.shown for word in call.words]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        match = re.fullmatch(r"--out(?:put)?(?:-file|-dir)?(?:=(.+))?|-o", word)
        if match is not None:
            yield posixpath.normpath(match[1] or following or ".")


def _may_write(command: Command) -> bool:
    match command:
        case Foreign(program=program):
            return program not in _READERS and program != "git"
        case Reads(verb=verb):
            return verb.startswith(_COPIERS)
        case Unreadable():
            return True
    return False


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is one that a pattern of the shell stands for."""
    last = posixpath.basename(pattern)
    return any(c in last for c in "*?[") and fnmatch(posixpath.basename(name), last)


def _edits_any(call: SimpleCommand) -> bool:
    """Whether a call edits files in place that only run time knows.

    They are handed over by ``find`` or ``xargs``, or are in a variable.
    """
    words = [word.shown for word in call.words]
    editors = {"sed", "perl", "yq", "sops"} & {posixpath.basename(w) for w in words}
    in_place = any(re.match(r"-(p?i|-in-?place)", word) for word in words[1:])
    if not (editors and in_place):
        return False
    collects = posixpath.basename(words[0]) in ("find", "xargs", "parallel", "fd")
    return collects or (call.words[-1].text is None and _name(call.words[-1]) is None)


def _brings_files(call: SimpleCommand, command: Command) -> bool:
    """Whether a call may write files that it does not name."""
    words = [word.shown for word in call.words]
    if isinstance(command, Reads):
        copies = command.verb.startswith(_COPIERS[:4])
        return copies and re.search(_WHOLE_FOLDER, " ".join(words)) is not None
    if not isinstance(command, Foreign):
        return False
    if command.program == "git":
        verbs = [word for word in words[1:] if not word.startswith("-")]
        new = {"-b", "-B", "-c", "-C", "--orphan"} & set(words)
        verb = next((v for v in verbs if v in _GIT), None)
        if verb == "stash" and ("list" in verbs or "show" in verbs):
            return False
        return verb is not None and not (new and verb in ("checkout", "switch"))
    if command.program in ("cp", "mv"):
        return any("*" in w or w in ("-r", "-R", "-a") for w in words[1:])
    return command.program in _UNPACKS


# --- sed -----------------------------------------------------------------------


class _Sed(Record):
    """A ``sed`` that is worked out: its substitutions and its files."""

    edit: Callable[[str], str]
    files: tuple[Word, ...]
    in_place: bool


def _sed(call: SimpleCommand) -> _Sed | None:
    """A ``sed`` call of plain substitutions; None for any other."""
    return read_sed(call.words[1:])


def read_sed(words: Sequence[Word]) -> _Sed | None:
    """The arguments of a ``sed`` of plain substitutions; None for any other."""
    scripts: list[str] = []
    files: list[Word] = []
    in_place = extended = False
    waiting = iter(words)
    for word in waiting:
        text = word.text
        if text is None:
            return None
        if text in ("-e", "--expression"):
            following = next(waiting, None)
            if following is None or following.text is None:
                return None
            scripts.append(following.text)
        elif text in ("-E", "-r", "--regexp-extended"):
            extended = True
        elif re.fullmatch(r"-i\S*|--in-place(=\S*)?", text):
            in_place = True
            # What BSD calls for: a suffix of its own, here an empty one.
        elif text == "" and in_place and not scripts and not files:
            continue
        elif text.startswith("-") and text != "-":
            return None
        else:
            files.append(word)
    if not scripts and files:
        scripts.append(files.pop(0).text or "")
    edits = [sed_edit(script, extended=extended) for script in scripts]
    if not edits or any(edit is None for edit in edits):
        return None

    def edit(text: str) -> str:
        for each in edits:
            text = each(text) if each is not None else text
        return text

    return _Sed(edit, tuple(files), in_place)


def sed_edit(script: str, *, extended: bool = False) -> Callable[[str], str] | None:
    """What a ``sed`` script does to a text; None unless it only substitutes.

    Source: POSIX, sed: each substitution is tried on every line.
    """
    rules: list[tuple[re.Pattern[str], str, int]] = []
    rest = script.strip()
    while rest:
        if len(rest) < 2 or rest[0] != "s" or rest[1] in "\\\n":
            return None
        cut = _cut(rest[2:], rest[1])
        if cut is None:
            return None
        pattern, replacement, behind = cut
        flags = re.match(r"[gI]*", behind)
        letters = flags[0] if flags is not None else ""
        rest = behind[len(letters) :].lstrip()
        if rest and rest[0] not in ";\n":
            return None
        rest = rest.lstrip(";\n ")
        regex, new = _regex(pattern, extended=extended), _replacement(replacement)
        if regex is None or new is None:
            return None
        try:
            compiled = re.compile(regex, re.IGNORECASE if "I" in letters else 0)
        except re.error:
            return None
        rules.append((compiled, new, 0 if "g" in letters else 1))

    def edit(text: str) -> str:
        lines = text.split("\n")
        for regex, new, count in rules:
            lines = [regex.sub(new, line, count=count) for line in lines]
        return "\n".join(lines)

    return edit if rules else None


def _cut(text: str, delimiter: str) -> tuple[str, str, str] | None:
    """The pattern, the replacement and what stands behind, at unescaped delimiters."""
    parts: list[str] = []
    part, at = "", 0
    while at < len(text) and len(parts) < 2:
        if text[at] == "\\" and at + 1 < len(text):
            escaped = text[at + 1]
            part += escaped if escaped == delimiter else text[at : at + 2]
            at += 2
            continue
        if text[at] == delimiter:
            parts.append(part)
            part = ""
        else:
            part += text[at]
        at += 1
    return (parts[0], parts[1], text[at:]) if len(parts) == 2 else None


# Classes with a backslash or a class in them, stars of nothing, and escapes that only
# one of the two has.
_DIFFERS = r"\[[^\]]*[\\[]|\(\?|\*\*|^\*|\\[^.*/$^\[\]()|+?{}1-9sSwWb \-\"'&]"


def _regex(pattern: str, *, extended: bool) -> str | None:
    """A POSIX expression as one of Python; None for what the two take differently."""
    if re.search(_DIFFERS, pattern):
        return None
    found, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                return None
            found += pattern[at : end + 1]
            at = end + 1
            continue
        if char == "\\" and at + 1 < len(pattern):
            char = pattern[at + 1]
            operator = char in "(){}|+?"
            found += char if operator and not extended else f"\\{char}"
            at += 2
            continue
        found += f"\\{char}" if char in "(){}|+?" and not extended else char
        at += 1
    # In Python the end of a text is also before its last line end.
    return found.replace("$", r"\Z") if found.endswith("$") else found


def _replacement(text: str) -> str | None:
    found, at = "", 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            char = text[at + 1]
            at += 2
            if char.isdigit():
                found += f"\\g<{char}>"
            elif char == "n":
                found += "\n"
            elif char.isalpha():
                return None
            else:
                found += char
            continue
        found += r"\g<0>" if char == "&" else char
        at += 1
    return found


def _edited(read: Read, edit: Callable[[str], str]) -> Read:
    def edited() -> Source | None:
        source = read()
        if source is None or len(source.text) > _MOST:
            return None
        try:
            return Source(source.path, edit(source.text), source.revision)
        except (re.error, IndexError):
            return None

    return edited


# --- yq ------------------------------------------------------------------------

_PATH = r"(?P<path>(?:\.\w+(?:\[\d+\])*)+)"
_WHERE = r"select\(\s*(?P<key>(?:\.\w+)+)\s*==\s*\"(?P<is>[^\"]*)\"\s*\)"
_VALUE = r"(?P<value>\"[^\"\\$]*\"|-?\d+(?:\.\d+)?|true|false)"
_ASSIGNMENTS = tuple(
    re.compile(rf"\s*{shape}\s*=\s*{_VALUE}\s*")
    for shape in (
        _PATH,
        rf"{_WHERE}{_PATH}",
        rf"\(\s*{_WHERE}\s*\|\s*{_PATH}\s*\)",
        rf"{_WHERE}\s*\|\s*{_PATH}",
    )
)


def yq_assigned(source: Source | None, expression: str) -> Source | None:
    """A file after ``yq -i`` assigned values; None unless all of them replace one.

    Without ``select`` it is done to every document. Source: mikefarah.gitbook.io/yq.
    """
    if source is None or len(source.text) > _MOST:
        return None
    match = next((m for p in _ASSIGNMENTS if (m := p.fullmatch(expression))), None)
    if match is None:
        return None
    from kopslint.syntax.yaml import read_yaml

    steps = _steps(match["path"])
    wanted = match.groupdict()
    lines = source.text.split("\n")
    try:
        documents = read_yaml(source)
    except InputError:
        return None
    for document in documents:
        key = wanted.get("key")
        if key is not None:
            there = find(document.root, *_steps(key))
            if not isinstance(there, Scalar) or there.text != wanted["is"]:
                continue
        old = find(document.root, *steps)
        if not isinstance(old, Scalar) or old.anchor is not None:
            return None
        span = old.span
        line = lines[span.line - 1]
        if span.line != span.end_line or span.column == span.end_column:
            return None
        new = line[: span.column - 1] + match["value"] + line[span.end_column - 1 :]
        lines[span.line - 1] = new
    return Source(source.path, "\n".join(lines), source.revision)


def _steps(path: str) -> tuple[Step, ...]:
    found: Iterable[tuple[str, str]] = re.findall(r"\.(\w+)|\[(\d+)\]", path)
    return tuple(name or int(index) for name, index in found)
