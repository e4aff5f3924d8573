"""Terraform files: the shell that ``local-exec`` provisioners run.

HCL is not parsed; only its comments, strings and here-documents are, which is
enough to find ``command = ...``. Each command is a shell of its own, and the first
one that fails ends the apply. In which order terraform runs them is not known
here: they count in the order written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.jenkinsfile import Places
from kopslint.syntax.script import ErrExit, Group, Script, Statement, Unknown
from kopslint.syntax.shell import read_texts
from kopslint.syntax.shell_output import NOTHING, sequence
from kopslint.syntax.shell_text import Anchor, Hole, ShellText

if TYPE_CHECKING:
    from kopslint.source.text import Source
    from kopslint.syntax.script import Opaque

_TOKEN = re.compile(
    r"""
      (?:\#|//)[^\n]* | /\*(?:[^*]|\*(?!/))*\*/
    | \bresource\s+"(?P<kind>[^"\n]*)"\s+"(?P<name>[^"\n]*)"
    | (?P<command>\bcommand\s*=\s*)?(?:<<-?(?P<mark>\w+)[ \t]*\n | (?P<quote>"))
    """,
    re.VERBOSE,
)
_PART = re.compile(r"\\.|\$\$\{|\$\{[^{}\n]*\}|[^\\$\n\"]+|.", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_terraform(source: Source) -> Script:
    """The commands of all ``local-exec`` provisioners in the order written."""
    text = "\n".join(source.lines)
    places = Places(source, text)
    statements: list[Statement] = []
    unread: list[Opaque] = []
    title: str | None = None
    index = 0
    while match := _TOKEN.search(text, index):
        index = match.end()
        if match["kind"] is not None:
            title = f"{match['kind']}.{match['name']}"
        elif match["quote"] or match["mark"]:
            end = _end(text, index, match["mark"])
            if match["command"]:
                script = _shell(places, index, end, match["mark"] is None, title)
                read = read_texts([script])
                unread += read.unread
                if read.body != NOTHING:
                    statements.append(Group(read.body, subshell=True))
            # A quote at the end of a string must not be taken for the next one.
            index = end + (match["mark"] is None)
    if statements:
        statements.insert(0, ErrExit(on=True, span=source.whole()))
    return Script(sequence(statements), tuple(unread))


def _end(text: str, start: int, mark: str | None) -> int:
    """Where a string or, if there is a ``mark``, a here-document ends."""
    if mark is not None:
        last = re.compile(rf"^[ \t]*{mark}[ \t]*$", re.MULTILINE).search(text, start)
        return last.start() if last is not None else len(text)
    index = start
    while (match := _PART.match(text, index)) and match[0] not in ('"', "\n"):
        index = match.end()
    return index


def _shell(
    places: Places, start: int, end: int, escapes: bool, title: str | None
) -> ShellText:
    """The value of a string or a here-document; what terraform puts in is unknown."""
    value = ""
    anchors: list[Anchor] = []
    holes: list[Hole] = []
    index = start
    while index < end and (match := _PART.match(places.text, index, end)):
        part = match[0]
        anchors.append(places.anchor(len(value), index))
        index = match.end()
        if part == "$${":
            part = "${"
        elif part.startswith("${"):
            unknown = Unknown(part, f"{part} is filled in by terraform")
            holes.append(Hole(len(value), len(value) + len(part), unknown))
        elif escapes and part.startswith("\\") and len(part) == 2:
            part = _ESCAPES.get(part[1], part[1])
        value += part
    return ShellText(
        places.source,
        value,
        tuple(anchors) or (places.anchor(0, start),),
        given_holes=tuple(holes),
        title=title,
    )
