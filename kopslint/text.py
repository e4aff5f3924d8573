"""A piece of text with a name, and places in it.

Positions are 1-based, columns count code points, and the end of a span is the
first position after it. A span keeps its source, so that whoever prints it can
show the line without reading any file again.
"""

from __future__ import annotations

from functools import cached_property

from kopslint.records import Record

INDEX = "the index"
"""What people call the state that the next commit takes."""


class Source:
    """One input text.

    ``path`` is how people name it (relative, forward slashes); ``revision`` is
    set when the text was taken from version control rather than from the disk, and
    ``past`` if it is what a change leaves behind: a service that shows the repository
    after it has other lines at this path, or none.
    Two sources are equal only if they are the same object: the same path can
    hold one text before a change and another one after it.
    """

    is_rendered = False
    """Whether it came out of a template, so that nobody has written it like this."""

    is_part = False
    """Whether it may be put into another text before kops reads it."""

    assumed: tuple[tuple[str, str, Span], ...] = ()
    """What was taken to be so when it was made: a kind, its name, and its place."""

    unread: Exception | None = None
    """Why it cannot be read, where that is known before anybody reads it."""

    def __init__(
        self,
        path: str,
        text: str,
        revision: str | None = None,
        *,
        past: bool = False,
    ) -> None:
        self.path = path
        self.text = text
        self.revision = revision
        self.past = past

    def __repr__(self) -> str:
        return f"Source({self.path!r}, revision={self.revision!r})"

    @property
    def named(self) -> str:
        """What the command line calls this text.

        The index has no name there; its files are taken from the disk.
        """
        if self.revision is None or self.revision == INDEX:
            return self.path
        return f"git:{self.revision}:{self.path}"

    @cached_property
    def lines(self) -> list[str]:
        r"""The text by lines, without line ends; ``\r\n`` counts as one end."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Line ``number`` (1-based), or an empty string outside the text."""
        lines = self.lines
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def span(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """The span between two 1-based positions of this text."""
        return Span(self, line, column, end_line, end_column)

    def written_at(self, span: Span) -> tuple[Span, ...]:
        """Where a place of this text is written, and then where its value is."""
        return (span,)

    def whole(self) -> Span:
        """The first line of this text, for statements about all of it."""
        return Span(self, 1, 1, 1, len(self.line(1)) + 1)


class Span(Record):
    """A half-open stretch of one source; prints as ``path:line:column``.

    A tuple, because every key and value of a file has one, and a tuple is made in a
    third of the time that a frozen dataclass takes.
    """

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.path}:{self.line}:{self.column}"

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other``."""
        return Span(
            self.source, self.line, self.column, other.end_line, other.end_column
        )

    @property
    def order(self) -> tuple[str, int, int, int, int]:
        """A key that sorts spans by path and position."""
        return (
            self.source.path,
            self.line,
            self.column,
            self.end_line,
            self.end_column,
        )
