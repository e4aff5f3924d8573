"""Shell scripts to statements: the one way in.

The work is done by the siblings: ``shell_text`` holds the text and its places,
``shell_tree`` the syntax, ``shell_calls`` and ``shell_words`` make arguments, and
``shell_reader`` follows the control flow. Nothing is ever run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.script import ErrExit, Script
from kopslint.syntax.shell_output import sequence
from kopslint.syntax.shell_reader import ScriptReader
from kopslint.syntax.shell_text import pieces_text, whole_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.source.text import Source
    from kopslint.syntax.script import Assignment, Statement, Word
    from kopslint.syntax.shell_text import ShellText

_SHEBANG = re.compile(r"#!.*?\b(?:ba|da|k|z)?sh\b(?P<options>.*)")


def read_shell(source: Source) -> Script:
    """A shell script, or a plain list of commands, one on each line.

    Never fails: what cannot be read is in ``Script.unread`` and, in its place, an
    ``Opaque`` statement.
    """
    script = read_texts([whole_text(source)])
    shebang = _SHEBANG.match(source.line(1))
    if shebang and re.search(r"\s-\w*e", shebang["options"]):
        on = ErrExit(on=True, span=source.whole())
        return Script(sequence([on, script.body]), script.unread)
    return script


def read_texts(
    texts: Iterable[ShellText],
    environment: Iterable[Assignment] = (),
    *,
    pipefail: bool = False,
) -> Script:
    """Stretches of shell one after another, sharing variables and functions.

    ``environment`` is what the surroundings set; ``pipefail`` whether that option
    is on from the start.
    """
    reader: ScriptReader | None = None
    statements: list[Statement] = []
    for text in texts:
        reader = reader or ScriptReader(text, environment, pipefail=pipefail)
        statements.append(reader.read(text))
    return Script(sequence(statements), tuple(reader.unread) if reader else ())


def read_word(word: Word) -> Script:
    """The script that an argument holds, as in ``sh -c '...'``.

    Everything in it has the span of the word; its unknown parts stay unknown.
    """
    return read_texts([pieces_text(word.pieces, word.span)])
