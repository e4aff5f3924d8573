"""Comments beside commands: ``kops edit cluster  # remove member d``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kopslint.source.text import Source, Span
    from kopslint.syntax.shell_text import ShellText


class Comments:
    """The comments met so far, by the file and line they are on.

    ``behind`` are those behind a command, ``above`` those that fill a line.
    """

    def __init__(self) -> None:
        self.behind: dict[tuple[Source, int], str] = {}
        self.above: dict[tuple[Source, int], str] = {}

    def note(self, text: ShellText, start: int, end: int) -> None:
        """Take up the comment at ``text[start:end]``."""
        written = text.text[start:end]
        if written.startswith("#!") or text.fixed is not None:
            return
        line_start = text.text.rfind("\n", 0, start) + 1
        alone = not text.text[line_start:start].strip()
        line, _ = text.position(start)
        comments = self.above if alone else self.behind
        comments[text.source, line] = written.lstrip("#").strip()

    def of(self, span: Span) -> str | None:
        """The comment behind a command, otherwise the lines right above it."""
        if behind := self.behind.get((span.source, span.end_line)):
            return behind
        lines: list[str] = []
        line = span.line - 1
        while (span.source, line) in self.above:
            lines.append(self.above[span.source, line])
            line -= 1
        return " ".join(reversed([part for part in lines if part])) or None
