"""Shell scripts to statements: the one way in.

``text`` holds the text and its places, ``bash`` and ``grammar`` the syntax,
``expansion`` makes the arguments of a call, and ``evaluator`` follows the control
flow. Nothing is ever run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.shell.ast import Group, Script
from kopslint.shell.environment import joined
from kopslint.shell.evaluator import ScriptReader, errexit_of, trapped
from kopslint.shell.output import may_end, sequence
from kopslint.shell.text import pieces_text, whole_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.shell.ast import Assignment, Statement, Word
    from kopslint.shell.text import ShellText
    from kopslint.text import Source


def read_shell(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """A shell script, or a plain list of commands, one on each line.

    A script that it names and that is ``at_hand`` is read in its place. Never fails:
    what cannot be read is in ``Script.unread`` and, in its place, an ``Opaque``
    statement.
    """
    script = read_texts([whole_text(source)], at_hand=at_hand)
    return Script(sequence([*errexit_of(source), script.body]), script.unread)


def read_texts(
    texts: Iterable[ShellText],
    environment: Iterable[Assignment] = (),
    *,
    pipefail: bool = False,
    at_hand: Sequence[Source] = (),
    folder: str | None = "",
    typed: bool = False,
) -> Script:
    """Stretches of shell one after another, sharing variables and functions.

    ``environment`` is what the surroundings set; ``pipefail`` whether that option
    is on from the start; ``folder`` where they run, None if that is not known. Each is
    ``typed`` by somebody, or they are a script.
    """
    reader: ScriptReader | None = None
    ending = False
    statements: list[Statement] = []
    for text in texts:
        reader = reader or ScriptReader(
            text,
            environment,
            pipefail=pipefail,
            at_hand=at_hand,
            folder=folder,
            typed=typed,
        )
        body = reader.read(text)
        ending = ending or (typed and may_end(body))
        if ending:
            statements.append(Group(body, subshell=False, scope="block"))
        else:
            statements.append(body)
    if reader is None:
        return Script(sequence(statements))
    statements += trapped(reader)
    return Script(sequence(statements), tuple(reader.unread))


def read_words(words: Sequence[Word]) -> Script:
    """The script that arguments hold together, as in ``ssh host 'a; b' c``.

    Everything in it has the span of the words; their unknown parts stay unknown.
    """
    pieces = joined([word.pieces for word in words], " ")
    return read_texts([pieces_text(pieces, words[0].span.to(words[-1].span))])
