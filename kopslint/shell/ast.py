"""What a list of commands looks like once it is read: statements and words.

Readers (shell, Markdown, workflow files) produce these; nothing here knows bash
or what a program does. A word is a chain of pieces, each a literal text or an
``Unknown`` with a reason: values that only exist at run time stay unknown and
are never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.text import Span


class Unknown(Record):
    """A value that cannot be read from the text, and why.

    ``name`` is the variable or expression as written (``$ID``, ``<cluster>``),
    so that the same unknown can be recognised again and shown to people. ``path``
    is for a folder or file that is known beside others, as the folder of the script
    is; it is empty for the folder that the script is started in. ``option`` is whether
    it may be an option: one of the values that it is known to take starts with ``-``.
    ``of`` is what prints it, or the list that it is taken from, where that is written.
    ``default`` is the number that an argument of the script is if it is not given.
    ``printed_by`` is what prints it, with the values that its variables have there.
    ``ways`` are the values of which it has one, where these are known, and ``choice``
    is what decides between them: two unknowns with the same one go the same way.
    """

    name: str
    reason: str
    path: str | None = None
    option: bool = False
    of: str = ""
    default: str | None = None
    printed_by: Statement | None = None
    choice: str = ""
    ways: tuple[tuple[str, ...], ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self[:2] == other[:2]

    def __hash__(self) -> int:
        return hash(self[:2])


class Word(Record):
    """One argument: its pieces, the exact text as written, and its place.

    Of a word that has one of several values, the value that is followed stands for
    what is written.
    """

    pieces: tuple[str | Unknown, ...]
    raw: str
    span: Span

    @property
    def text(self) -> str | None:
        """The value, or None if any piece of it is unknown."""
        if len(self.pieces) == 1:
            (piece,) = self.pieces
            return piece if isinstance(piece, str) else None
        known = [piece for piece in self.pieces if isinstance(piece, str)]
        return "".join(known) if len(known) == len(self.pieces) else None

    @property
    def unknown(self) -> Unknown | None:
        """The first unknown piece, if there is one."""
        return next((p for p in self.pieces if isinstance(p, Unknown)), None)

    @property
    def shown(self) -> str:
        """The value for people: known parts as they are, unknown ones as written."""
        return "".join(p if isinstance(p, str) else p.name for p in self.pieces)


class Assignment(Record):
    """``NAME=value``, alone, exported, or in front of a command."""

    name: str
    value: Word


class Redirect(Record):
    """A redirection; ``target`` is a file word, or None for a here-document."""

    operator: str
    target: Word | None


class SimpleCommand(Record):
    """One program call, with the span of the whole command.

    ``environment`` holds every variable with a known or unknown value that the
    program sees and that a reader may want: exported ones and those set in front
    of the command. ``stdin`` is the text of a here-document or here-string.
    ``title`` is the heading that it stands under; ``comment`` is what is written
    behind it or right above it. ``upstream`` is what is in front of it in its pipeline,
    as written. What is typed in a pod has in ``inside`` the words that
    run a program there (``kubectl exec POD --``), and in ``places`` the machines that
    one has gone to on the way.
    """

    words: tuple[Word, ...]
    span: Span
    environment: tuple[Assignment, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    stdin: Word | None = None
    background: bool = False
    title: str | None = None
    comment: str | None = None
    upstream: str = ""
    inside: tuple[Word, ...] = ()
    places: tuple[str, ...] = ()


class Statements(Record):
    """Statements one after another; the status is that of the last one."""

    items: tuple[Statement, ...]


class AndOr(Record):
    """``left && right`` or ``left || right``."""

    left: Statement
    operator: Literal["&&", "||"]
    right: Statement


class Pipeline(Record):
    """``a | b | c``; all run, the status is that of the last, or of any.

    ``pipefail`` says which; ``negated`` is a leading ``!``.
    """

    items: tuple[Statement, ...]
    negated: bool = False
    pipefail: bool = False


class Condition(Record):
    """``if``: runs ``test``, then one of two branches by its status."""

    test: Statement
    then: Statement
    otherwise: Statement | None


class Choice(Record):
    """``case`` and the like: exactly one branch runs and nobody knows which.

    When ``exhaustive`` is false, none of them may run either. Choices with the same
    ``key`` go the same way.
    """

    branches: tuple[Statement, ...]
    exhaustive: bool
    reason: Unknown
    key: str = ""


class Loop(Record):
    """``while`` or ``until``: runs ``body`` as long as ``test`` says so."""

    kind: Literal["while", "until"]
    test: Statement
    body: Statement


class Repeat(Record):
    """A ``for`` over items that are unknown: the body runs zero or more times."""

    items: Unknown
    body: Statement
    span: Span


class Group(Record):
    """``( ... )`` or ``{ ... }``.

    A subshell keeps ``exit`` and options to itself; a background job may not
    have finished when the next statement runs. ``scope`` marks the body of a
    function, an unrolled loop or one turn of it, which an ``Exit`` may leave. "block"
    marks what is typed in one go: what ends the shell there ends nothing behind it.
    """

    body: Statement
    subshell: bool
    background: bool = False
    scope: Literal["function", "loop", "turn", "block"] | None = None


class Parallel(Record):
    """Jobs that may run at the same time: of a stage, of a matrix, of ``make -j``.

    Each has a shell of its own. What comes behind runs once all of them are over.
    """

    jobs: tuple[Statement, ...]
    span: Span


class ErrExit(Record):
    """``set -e`` or ``set +e``: whether a failing command ends the script."""

    on: bool
    span: Span


class Exit(Record):
    """``exit``, ``return``, ``break`` or ``continue``: the rest does not run.

    ``leaves`` says the rest of what: the script (up to the enclosing subshell),
    the nearest ``Group`` whose scope is "function", the nearest loop (``Loop``,
    ``Repeat`` or a ``Group`` whose scope is "loop"), or this turn of that loop. With
    more ``levels`` than one it is a loop so many further out.
    """

    span: Span
    status: Word | None = None
    leaves: Literal["script", "function", "loop", "turn"] = "script"
    levels: int = 1


class Opaque(Record):
    """Text that could run anything and cannot be read (``eval``, a syntax error).

    ``runs`` is False for what nothing in the text runs, so that it stands beside it.
    ``reaches`` is whether it is known to be about the cluster, whatever it does there.
    """

    reason: Unknown
    span: Span
    runs: bool = True
    reaches: bool = False


Statement = (
    SimpleCommand
    | Statements
    | AndOr
    | Pipeline
    | Condition
    | Choice
    | Loop
    | Repeat
    | Group
    | Parallel
    | ErrExit
    | Exit
    | Opaque
)


class Script(Record):
    """A whole command list: its statements and what could not be read in it."""

    body: Statements
    unread: tuple[Opaque, ...] = ()


EMPTY = Statements(())


# ------------------------------------------------------------------------------------
# Parts of a word that keep their place: the value of ``--flag=value``, list items
#
# A part of a word is a word again, with its own raw text and span, so that whoever
# complains about a value can point at the value alone. Knows nothing of programs.

_QUOTES = ("'", '"')


def head(word: Word) -> str:
    """The literal text that the word starts with, up to its first unknown piece."""
    known: list[str] = []
    for piece in word.pieces:
        if isinstance(piece, Unknown):
            break
        known.append(piece)
    return "".join(known)


def is_quoted(word: Word) -> bool:
    """Whether the word starts with a quote: it is one argument whatever it holds."""
    return word.raw.startswith(_QUOTES)


def cut(word: Word, start: int, end: int | None = None) -> Word:
    """The part of a word between two offsets in ``word.shown``.

    The offsets must not fall inside an unknown piece. Where quotes inside the word
    hide which characters the part was written with, the part keeps the whole
    word's raw text and span.
    """
    shown = word.shown
    end = len(shown) if end is None else end
    pieces = tuple(_pieces(word, start, end))
    at = _written_at(word, start, end)
    if at is None:
        return Word(pieces, word.raw, word.span)
    first, last = at
    span = word.span
    if span.line != span.end_line:
        return Word(pieces, word.raw[first:last], span)
    return Word(
        pieces,
        word.raw[first:last],
        span.source.span(span.line, span.column + first, span.line, span.column + last),
    )


def split_commas(word: Word) -> tuple[Word, ...]:
    """The items of a comma-separated list, each a word.

    A list with double quotes in it is left whole: those protect commas from pflag,
    which reads such a list as a line of CSV.
    """
    if any(isinstance(p, str) and '"' in p for p in word.pieces):
        return (word,)
    commas: list[int] = []
    offset = 0
    for piece in word.pieces:
        text = piece if isinstance(piece, str) else piece.name
        if isinstance(piece, str):
            commas += [offset + i for i, char in enumerate(text) if char == ","]
        offset += len(text)
    if not commas:
        return (word,)
    starts = [0, *(comma + 1 for comma in commas)]
    ends = [*commas, offset]
    return tuple(cut(word, start, end) for start, end in zip(starts, ends, strict=True))


def _pieces(word: Word, start: int, end: int) -> Iterator[str | Unknown]:
    offset = 0
    for piece in word.pieces:
        if isinstance(piece, Unknown):
            if start <= offset < end:
                yield piece
            offset += len(piece.name)
            continue
        part = piece[max(start - offset, 0) : max(end - offset, 0)]
        if part:
            yield part
        offset += len(piece)


def _written_at(word: Word, start: int, end: int) -> tuple[int, int] | None:
    """Where in ``word.raw`` the part stands, if its spelling leaves no doubt."""
    shown, raw = word.shown, word.raw
    quoted = len(raw) > 1 and raw[0] in _QUOTES and raw[0] == raw[-1]
    body, offset = (raw[1:-1], 1) if quoted else (raw, 0)
    if body == shown:
        return start + offset, end + offset
    if end == len(shown) and body.startswith(shown[:start]):
        return start + offset, len(body) + offset
    return None
