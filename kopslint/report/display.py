"""Text measured as a terminal draws it: in cells, not in code points.

Spans count code points, but a tab, a CJK character or an emoji does not fill
exactly one cell, and a control character must never reach a terminal at all.
Everything that has to line up is measured here. Knows nothing of findings.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


TAB = 4

# Control, format (bidirectional overrides, joiners), surrogate and unassigned code
# points, and the two separators that end a line: drawn raw, they could move the
# cursor, hide text or reorder it.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_EMOJI_STYLE = "\N{VARIATION SELECTOR-16}"


def visible(text: str, *, unicode: bool = True) -> str:
    r"""The text with every unsafe character as an escape such as ``\x1b``.

    Tabs and line ends are unsafe too. Without ``unicode``, so is everything that
    is not ASCII.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char, unicode) for char in text)


def width(text: str) -> int:
    """How many cells a text without control characters fills."""
    return len(text) if text.isascii() else sum(_steps(text))


def drawn(line: str, *, unicode: bool = True) -> tuple[str, list[int]]:
    """A line of input as it is shown, and the cell at which each character starts.

    Tabs become spaces up to the next multiple of four. The list has one entry more
    than the line has characters: the cell after the last one.
    """
    if line.isascii() and line.isprintable():
        return line, list(range(len(line) + 1))
    pieces: list[str] = []
    starts = [0]
    for char, step in zip(line, _steps(line), strict=True):
        if char == "\t":
            piece = " " * (TAB - starts[-1] % TAB)
        else:
            piece = _shown(char, unicode)
        pieces.append(piece)
        starts.append(starts[-1] + (step if piece == char else len(piece)))
    return "".join(pieces), starts


def cut(text: str, limit: int, ellipsis: str) -> str:
    """The text, or as much of its start as fits into ``limit`` cells with a mark."""
    if width(text) <= limit:
        return text
    return take(text, limit - width(ellipsis)) + ellipsis


def take(text: str, limit: int) -> str:
    """The longest start of the text that fits into ``limit`` cells."""
    if text.isascii():
        return text[: max(limit, 0)]
    for end, step in enumerate(_steps(text)):
        limit -= step
        if limit < 0:
            return text[:end]
    return text


def pad(text: str, cells: int) -> str:
    """The text followed by spaces up to a width in cells."""
    return text + " " * (cells - width(text))


def wrap(text: str, limit: int, *, broken: bool = False) -> list[str]:
    """The text in lines of at most ``limit`` cells, broken at spaces.

    Line ends in the text stay. A word that is longer than a line keeps a line of
    its own, uncut, so that it can still be copied, unless it may be ``broken``.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            if line and width(line) + 1 + width(word) > limit:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            while broken and width(line) > limit and (head := take(line, limit)):
                lines.append(head)
                line = line[len(head) :]
        lines.append(line)
    return lines


_ESCAPE = re.compile("\x1b\\[[0-9;]*m|\x1b\\]8;;[^\x1b]*\x1b\\\\")


def folded(painted: str, limit: int, *, indent: int = 0, hang: int) -> Iterator[str]:
    """A painted line as lines of at most ``limit`` cells, all indented.

    Those after the first are indented by ``hang`` more. Looks and links go on from one
    line to the next, and none of them reaches into an indentation.
    """
    escapes: list[tuple[int, str]] = []
    plain = ""
    end = 0
    for match in _ESCAPE.finditer(painted):
        plain += painted[end : match.start()]
        escapes.append((len(plain), match[0]))
        end = match.end()
    plain += painted[end:]
    looks = ""
    done = 0
    room = limit - indent
    start = " " * indent
    while True:
        head = (
            plain[done:] if width(plain[done:]) <= room else _piece(plain[done:], room)
        )
        stop = done + len(head)
        line, at = start + looks, done
        while escapes and escapes[0][0] <= stop:
            place, escape = escapes.pop(0)
            line += plain[at:place] + escape
            at = place
            looks = "" if escape in _ENDS else escape
        line += plain[at:stop]
        yield line.rstrip() + (_end(looks) if looks else "")
        done = stop + (len(plain[stop:]) - len(plain[stop:].lstrip(" ")))
        if done >= len(plain):
            return
        start = " " * (indent + hang)
        room = limit - indent - hang


def _piece(text: str, room: int) -> str:
    """As much of a text as fits, up to a space if there is one."""
    head = take(text, room) or text[:1]
    if text[len(head) : len(head) + 1] == " ":
        return head
    at = head.rstrip(" ").rfind(" ")
    return head[:at] if at > 0 and head[:at].strip() else head


_ENDS = ("\x1b[0m", "\x1b]8;;\x1b\\")


def _end(look: str) -> str:
    return _ENDS[1] if look.startswith("\x1b]") else _ENDS[0]


def _shown(char: str, unicode: bool) -> str:
    if char.isascii():
        safe = char.isprintable()
    else:
        safe = unicode and unicodedata.category(char) not in _UNSAFE
    return char if safe else char.encode("unicode_escape").decode("ascii")


def _steps(text: str) -> Iterator[int]:
    """How many cells each character adds."""
    last = 0
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me"):
            # The selector turns a narrow symbol into a wide picture; all other
            # marks are drawn upon the character before them.
            last = int(char == _EMOJI_STYLE and last == 1)
        else:
            last = 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
        yield last


# ------------------------------------------------------------------------------------
# Colours and symbols: which ones a terminal can show, and how they look
#
# Only the sixteen colours that every theme redefines are used, so that a report is
# legible on dark and on light backgrounds. Without colour the text is the same, byte
# for byte, minus the escapes.

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "bold green": "1;32",
    "yellow": "33",
    "cyan": "36",
    "bold red": "1;31",
    "bold yellow": "1;33",
    "bold cyan": "1;36",
}

_SEVERITY = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFO: "bold cyan",
}


class Style(Record):
    """What the place that the report goes to can show.

    ``width`` is in cells. Without ``unicode`` only ASCII is printed. ``pages`` gives
    the address of a rule's page, where a terminal follows links (OSC 8).
    """

    color: bool
    unicode: bool
    width: int
    pages: Callable[[str], str | None] | None = None

    def linked(self, text: str, rule: str) -> str:
        """The text with a link to the page of a rule, where links are followed."""
        address = self.pages(rule) if self.pages else None
        if not address:
            return text
        return f"\x1b]8;;{visible(address, unicode=False)}\x1b\\{text}\x1b]8;;\x1b\\"

    def safe(self, text: str) -> str:
        """The text without anything that must not be printed raw (``visible``)."""
        return visible(text, unicode=self.unicode)

    def paint(self, text: str, look: str) -> str:
        """The text in one of the looks above, or as it is without colour."""
        if not self.color or not look or not text:
            return text
        return f"\x1b[{_CODES[look]}m{text}\x1b[0m"

    def severity(self, text: str, severity: Severity) -> str:
        """The text in the colour of a severity."""
        return self.paint(text, _SEVERITY[severity])

    @property
    def votes(self) -> str:
        """A registered member that is alive."""
        return "●" if self.unicode else "*"

    @property
    def dead(self) -> str:
        """A registered member that is gone and still counts against quorum."""
        return "✗" if self.unicode else "x"

    @property
    def away(self) -> str:
        """A registered member whose machine is being replaced, and comes back."""
        return "◍" if self.unicode else "-"

    @property
    def joining(self) -> str:
        """A member that is registered and has not started yet."""
        return "○" if self.unicode else "o"

    @property
    def expelled(self) -> str:
        """A member that still runs and is registered no more."""
        return "◌" if self.unicode else "~"

    @property
    def ellipsis(self) -> str:
        """What stands for text that was cut off."""
        return "…" if self.unicode else "..."
