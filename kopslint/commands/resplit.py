"""A command line inside a word: what ``sh -c``, ``ssh`` and ``eval`` are given.

The text is read as a script of its own, by a shell that knows nothing of the one
around it. Its commands count one after another, whatever its control flow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.invocation import unknown_word
from kopslint.syntax.command_list import simple_commands
from kopslint.syntax.shell import read_words

if TYPE_CHECKING:
    from kopslint.commands.invocation import Invocation
    from kopslint.syntax.script import Word

_SPECIAL = r"[\s;&|<>$`]"


def resplit(
    command: Invocation, words: tuple[Word, ...]
) -> tuple[Invocation, ...] | None:
    """The commands in words that a second shell joins and reads again.

    Words in which that shell finds nothing to do keep their own places.
    """
    literals = (p for word in words for p in word.pieces if isinstance(p, str))
    if any(re.search(_SPECIAL, literal) for literal in literals):
        return commands_in(command, *words)
    return (command._replace(words=words),)


def commands_in(command: Invocation, *words: Word) -> tuple[Invocation, ...] | None:
    """The commands in the text that the words make, joined by blanks.

    Every word in them has the span of the whole text, and a part that cannot be read
    is a program that is not known. None if all of it is known only at run time.
    """
    literals = (p for word in words for p in word.pieces if isinstance(p, str))
    if not "".join(literals).strip():
        return None
    script = read_words(words)
    found = [
        command._replace(
            words=call.words,
            stdin=call.stdin,
            environment={
                **command.environment,
                **{given.name: given.value for given in call.environment},
            },
        )
        for call in simple_commands(script.body)
    ]
    for part in script.unread:
        unknown = unknown_word(part.reason.name, part.reason.reason, words[0])
        found.append(command._replace(words=(unknown,)))
    return tuple(found)
