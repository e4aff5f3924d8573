"""The grammar of bash, and what has to be done to a text before it reads it right.

It is slow on some texts, takes some lines together that bash does not, and knows no
here-document without a command. All of that is handled here, on text with
one byte for each character.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# The parser's time grows with the square of the here-documents of one line.
MOST_HEREDOCS = 50
# So it does with the parentheses of a line that are out of place.
MOST_OPEN = 500
# The end of a here-document is looked for up to the end of the text, so far at most.
MOST_LOOKED_FOR = 50_000_000
# Some comment out a stretch by a here-document for no command. The grammar does not
# know it, and bash does nothing with what is in it.
_BARE_HEREDOC = re.compile(
    rb"""(?<![\\|&]\n)^[ \t]*<<(-?)[ \t]*(["']?)(\w+)\2[ \t]*$""", re.MULTILINE
)
_HEREDOC = re.compile(rb"""<<-?[ \t]*["'\\]?([A-Za-z_]\w*)""")
# The end of a line that does not plainly go on in the next one.
_LINE_END = re.compile(rb"(?<=[^|&\\\n])(?=\n)")
MOST_REPAIRS = 4
# So many bare here-documents without an end are looked at.
MOST_OPEN_ENDED = 25
_OPEN = rb"(?<![$<>])\("


@cache
def _parser() -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(_grammar()))


def _grammar() -> object:
    """The grammar out of tree_sitter_bash, without what that package imports.

    The package itself looks for query files as well, and importing what finds them
    takes a twentieth of a whole check. Where it is built otherwise, it is asked.
    """
    from importlib.machinery import PathFinder
    from importlib.util import find_spec, module_from_spec

    package = find_spec("tree_sitter_bash")
    folders = package.submodule_search_locations if package is not None else None
    binding = PathFinder.find_spec("tree_sitter_bash._binding", folders)
    if folders is None or binding is None or binding.loader is None:
        import tree_sitter_bash

        return tree_sitter_bash.language()
    module = module_from_spec(binding)
    binding.loader.exec_module(module)
    return module.language()


def tree(code: bytes) -> tuple[Node, bytes]:
    """The tree of a text, and the text as the grammar had to be given it.

    Where a line ends a pipeline, the grammar may take the next line for more words of
    its last command. It does not do so behind a semicolon.
    """
    root = _parser().parse(code).root_node
    for _ in range(MOST_REPAIRS if b"|" in code else 0):
        ends = [
            end
            for match in _LINE_END.finditer(code)
            if (end := _end_of_command(root, code, match.start())) is not None
        ]
        if not ends:
            break
        repaired = bytearray(code)
        for end in ends:
            repaired[end] = ord(";")
        code = bytes(repaired)
        root = _parser().parse(code).root_node
    return root, code


def _end_of_command(root: Node, code: bytes, end: int) -> int | None:
    """Where a line ends that the grammar takes to go on in the next line."""
    around = root.descendant_for_byte_range(end, end + 1)
    if around is None or around.type != "command":
        return None
    last = root.descendant_for_byte_range(end - 1, end)
    if last is None or last.type != "comment":
        return end
    blank = last.start_byte - 1
    return blank if code[blank : blank + 1] in (b" ", b"\t") else None


# A line that begins with a quoted letter, `\kops get ig`, and none that goes on.
_QUOTED_START = re.compile(rb"(?m)(?<!\\\n)^([ \t]*)\\(?=[A-Za-z])")
# Braces where a command begins that make its words: `{kops,get,ig}`.
_BRACES_FIRST = re.compile(
    rb"(?m)((?:^|[;&|])[ \t]*)\{([\w./-]+(?:,[\w./=:-]*)+)\}(?=[\s;&|]|$)"
)


def with_plain_starts(code: bytes) -> bytes:
    """The text with a plain character in place of what a command begins with.

    The grammar takes a line with a quoted letter in front for more words of the line
    before, and braces there for a group. The words are read from the text itself.
    """
    code = _QUOTED_START.sub(rb"\1_", code)
    return _BRACES_FIRST.sub(rb"\1_\2_", code) if b"{" in code else code


def without_bare_heredocs(code: bytes) -> bytes:
    """The text with blanks in place of what is commented out by here-documents."""
    parts: list[bytes] = []
    done = open_ended = 0
    while open_ended < MOST_OPEN_ENDED and (match := _BARE_HEREDOC.search(code, done)):
        tabs = rb"\t*" if match[1] else b""
        last = re.compile(rb"^%b%b$" % (tabs, match[3]), re.MULTILINE)
        close = last.search(code, match.end())
        open_ended += close is None
        end = close.end() if close else match.end()
        blank = re.sub(rb"[^\n]", b" ", code[match.start() : end])
        parts += [code[done : match.start()], blank if close else match[0]]
        done = end
    return b"".join([*parts, code[done:]])


def too_slow(code: bytes) -> str | None:
    """Why the parser would take for ever; quotes do not matter to the answer."""
    for line in code.split(b"\n"):
        if line.count(b"<<") > MOST_HEREDOCS:
            return f"a line of this has more than {MOST_HEREDOCS} here-documents"
        if line.count(b"(") > MOST_OPEN and len(re.findall(_OPEN, line)) > MOST_OPEN:
            return f"a line of this has more than {MOST_OPEN} parentheses"
    if _looked_for(code) > MOST_LOOKED_FOR:
        return "too many here-documents of this are never closed"
    return None


def _looked_for(code: bytes) -> int:
    """How far the parser looks for the ends of here-documents that have none."""
    if b"<<" not in code:
        return 0
    lines = {line.lstrip(b"\t") for line in code.split(b"\n")}
    return sum(
        len(code) - match.start()
        for match in _HEREDOC.finditer(code)
        if match[1] not in lines
    )
