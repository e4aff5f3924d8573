"""Specs that a list brings along: here-documents, and files that it writes itself.

``kops replace -f - <<EOF`` and ``cat > ig.yaml <<EOF`` have the objects in the text of
the list. What a program makes of a text on its way to kops is not known here, nor what
is in a text with a variable that the list does not set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands.model import CreateFromFile, DeleteFromFile, Replace
from kopslint.source.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.commands.command import Command
    from kopslint.syntax.script import SimpleCommand, Word

STDIN = ("-", "/dev/stdin")
"""What ``-f`` calls the standard input."""

MOST_TEXTS = 64
"""More than so many are no list that anybody wrote; the others are not known."""


def from_input(
    calls: Iterable[tuple[SimpleCommand, tuple[Command, ...]]],
) -> dict[Word, Source]:
    """The text that each ``-f -`` reads, by its word; a loop may give it several.

    Those are left out, for one word stands for all turns.
    """
    found: dict[Word, Source] = {}
    several: set[Word] = set()
    for call, commands in calls:
        words = [word for word in object_files(commands) if word.text in STDIN]
        text = _given(call) if words and len(found) < MOST_TEXTS else None
        for word in words:
            old = found.setdefault(word, text or Source("", ""))
            if text is None or old.text != text.text:
                several.add(word)
    return {word: text for word, text in found.items() if word not in several}


def written_out(
    calls: Sequence[tuple[SimpleCommand, tuple[Command, ...]]],
) -> dict[str, Source]:
    """The files that the list writes from a text of its own, by name as written.

    One that it reads before is another file then.
    """
    wanted = {word.text for _, commands in calls for word in object_files(commands)}
    found: dict[str, Source] = {}
    read: set[str | None] = set()
    for call, commands in calls:
        name = _target(call)
        wanted_yet = name in wanted and name not in read
        if name is not None and wanted_yet and len(found) < MOST_TEXTS:
            text = _given(call)
            if text is not None:
                found[name] = text
        read.update(word.text for word in object_files(commands))
    return found


def object_files(commands: Iterable[Command]) -> Iterator[Word]:
    """The files that kops reads objects from."""
    for command in commands:
        if isinstance(command, Replace | CreateFromFile | DeleteFromFile):
            yield from command.files


def _target(call: SimpleCommand) -> str | None:
    """The one file that a call fills with its standard input, and does not add to."""
    words = [word.text for word in call.words]
    files = [r for r in call.redirects if r.target is not None]
    if words in (["cat"], ["cat", "-"]) and len(files) == 1:
        target = files[0].target
        plain = files[0].operator in (">", ">|", "1>")
        return target.text if plain and target is not None else None
    return words[1] if len(words) == 2 and words[0] == "tee" else None


def _given(call: SimpleCommand) -> Source | None:
    """The standard input of a call, in its place in the list as far as that goes.

    Lines are those of the list where the text stands there as it is.
    """
    if call.stdin is None or call.stdin.text is None:
        return None
    text, span = call.stdin.text, call.stdin.span
    source = span.source
    verbatim = source.text.find(text) if text.strip() else -1
    first = source.text.count("\n", 0, verbatim) if verbatim >= 0 else span.line - 1
    return Source(source.path, "\n" * first + text, source.revision)
