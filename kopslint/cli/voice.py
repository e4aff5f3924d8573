"""What is said while kopslint works.

It goes to the standard error: the standard output is the report's.
"""

from __future__ import annotations

import sys

from kopslint.records import Record
from kopslint.report.cells import visible


class Voice(Record):
    """How much is said on the standard error besides errors."""

    quiet: bool = False
    verbose: bool = False

    def remark(self, sentence: str) -> None:
        """Says what a person should know unless only findings were asked for."""
        if not self.quiet:
            sys.stderr.write(visible(f"kopslint: {sentence}") + "\n")

    def detail(self, sentence: str) -> None:
        """Says what only matters to somebody who wonders what is going on."""
        if self.verbose:
            sys.stderr.write(visible(f"kopslint: {sentence}") + "\n")

    def progress(self, sentence: str) -> None:
        """Replaces the line at the end of a terminal; an empty one removes it."""
        if not self.quiet and sys.stderr.isatty():
            sys.stderr.write(f"\r{visible(sentence)}\x1b[K")
            sys.stderr.flush()
