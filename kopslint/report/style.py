"""Colours and symbols: which ones a terminal can show, and how they look.

Only the sixteen colours that every theme redefines are used, so that a report is
legible on dark and on light backgrounds. Without colour the text is the same,
byte for byte, minus the escapes.
"""

from __future__ import annotations

from kopslint.findings import Severity
from kopslint.records import Record
from kopslint.report.cells import visible

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
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

    ``width`` is in cells. Without ``unicode`` only ASCII is printed.
    """

    color: bool
    unicode: bool
    width: int

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
