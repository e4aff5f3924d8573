"""Command lists as people write them: which commands are read, and from where.

The cases are data under ``fixtures/commands``, one file for each notation or
subject. A command is ``line:column`` and its words; a word that is not plain is
quoted as in JSON, and a ``?`` stands before a word with an unknown part.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from kopslint.notations.command_list import Notation, read_commands, simple_commands
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.shell.ast import Script, Word

FOLDER = Path(__file__).parents[1] / "fixtures" / "commands"
NOTATIONS: dict[str, Notation] = {
    "markdown": "markdown",
    "github": "workflow",
    "gitlab": "workflow",
    "makefile": "makefile",
    "pipelines": "workflow",
    "jenkins": "jenkins",
    "terraform": "terraform",
}


class Case(NamedTuple):
    subject: str
    name: str
    text: str
    commands: list[str]
    unread: list[str]

    def read(self) -> tuple[Source, Script]:
        source = Source("commands", self.text)
        notation = NOTATIONS.get(self.subject, "shell")
        return source, read_commands(source, notation=notation)


def cases() -> list[Case]:
    return [
        Case(
            path.stem,
            entry["case"],
            entry["text"],
            entry["commands"],
            entry.get("unread", []),
        )
        for path in sorted(FOLDER.glob("*.yaml"))
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


CASES = cases()
every_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.subject}: {case.name}" for case in CASES]
)


def shown(word: Word) -> str:
    if word.text is None:
        return f"?{word.shown}"
    plain = re.fullmatch(r'[^\s"?]+', word.text)
    return word.text if plain else json.dumps(word.text, ensure_ascii=False)


@every_case
def test_commands_are_read_with_their_words_and_places(case: Case) -> None:
    _, script = case.read()
    commands = [
        f"{command.span.line}:{command.span.column} "
        + " ".join(shown(word) for word in command.words)
        for command in simple_commands(script.body)
    ]
    assert commands == case.commands


@every_case
def test_what_cannot_be_read_is_said_with_its_place(case: Case) -> None:
    _, script = case.read()
    assert case.unread == [
        f"{part.span.line}:{part.span.column} {part.reason.reason}"
        for part in script.unread
    ]


@every_case
def test_a_word_on_one_line_stands_where_its_span_says(case: Case) -> None:
    source, script = case.read()
    for command in simple_commands(script.body):
        for word in command.words:
            span = word.span
            line = source.line(span.line)
            assert 1 <= span.column <= span.end_column or span.line < span.end_line
            assert span.end_column <= len(source.line(span.end_line)) + 1
            # Escapes of the notation around the shell, and a script inside a
            # word, have no text of their own in the file.
            if case.subject not in {
                *("flow", "github", "jenkins", "makefile", "terraform")
            } and (span.line == span.end_line):
                assert line[span.column - 1 : span.end_column - 1] == word.raw


def test_there_are_enough_cases() -> None:
    """A glob that finds nothing must not look like success."""
    assert len(CASES) >= 120
