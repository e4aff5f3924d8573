"""Command lists in any notation: the one entry for whoever has a source.

Which notation a source is in is told by its name, and where the name says
nothing, by its first lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.errors import InputError
from kopslint.syntax.script import SimpleCommand
from kopslint.syntax.shell_output import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.source.text import Source
    from kopslint.syntax.script import Script, Statement

Notation = Literal["shell", "markdown", "workflow", "makefile", "jenkins", "terraform"]

# A list is held in memory many times over, and nobody runs a longer one.
LONGEST = 2_000_000

_NAMES: tuple[tuple[re.Pattern[str], Notation], ...] = (
    (re.compile(r"\.(md|markdown|mdx|mkd)(\.erb)?$"), "markdown"),
    (re.compile(r"\.ya?ml$"), "workflow"),
    (re.compile(r"(^|/)(gnu)?makefile(\.\w+)?$|\.(mk|make)$"), "makefile"),
    (re.compile(r"(^|/)jenkinsfile(\.\w+)?$|\.(groovy|jenkinsfile)$"), "jenkins"),
    (re.compile(r"\.tf$"), "terraform"),
    (re.compile(r"\.(ba|z|k)?sh$"), "shell"),
)
_CONTENTS: tuple[tuple[re.Pattern[str], Notation], ...] = (
    (re.compile(r"\A#!.*\bmake\b"), "makefile"),
    (re.compile(r"\A#!"), "shell"),
    (re.compile(r"^\s*(?:```|~~~)|^\{%-?\s*highlight\b", re.MULTILINE), "markdown"),
    # Prose and then an indented block; a comment alone makes no Markdown.
    (
        re.compile(
            r"^(?:[-*] |\d+[.)] |#{1,6} )?[A-Z][a-z']*(?: [\w'`,()/-]+)+[.:]?[ \t]*\n"
            r"\s*\n(?: {4}|\t)\S",
            re.MULTILINE,
        ),
        "markdown",
    ),
    (re.compile(r"^\s*pipeline\s*\{", re.MULTILINE), "jenkins"),
    (re.compile(r"^(jobs|stages|before_script):\s*(\[|$)", re.MULTILINE), "workflow"),
)


def read_commands(source: Source, *, notation: Notation | None = None) -> Script:
    """The commands of a source.

    Without a ``notation`` it is told from the name and the content; shell is what
    remains. What cannot be read is in ``Script.unread``. Raises ``InputError``
    only for a source longer than ``LONGEST`` and if a workflow is not YAML.
    """
    if len(source.text) > LONGEST:
        raise InputError(
            f"{source.path} is too long for a list of commands: it has more than"
            f" {LONGEST:,} characters",
            hint="name the script or runbook itself, not a log or a dump",
        )
    match notation or notation_of(source):
        case "markdown":
            from kopslint.syntax.markdown import read_markdown

            return read_markdown(source)
        case "workflow":
            from kopslint.syntax.workflow import read_workflow

            return read_workflow(source)
        case "makefile":
            from kopslint.syntax.makefile import read_makefile

            return read_makefile(source)
        case "jenkins":
            from kopslint.syntax.jenkinsfile import read_jenkinsfile

            return read_jenkinsfile(source)
        case "terraform":
            from kopslint.syntax.terraform import read_terraform

            return read_terraform(source)
    from kopslint.syntax.shell import read_shell

    return read_shell(source)


def notation_of(source: Source) -> Notation:
    """The notation a source seems to be in."""
    name = source.path.lower()
    for pattern, notation in _NAMES:
        if pattern.search(name):
            return notation
    for pattern, notation in _CONTENTS:
        if pattern.search(source.text[:100_000]):
            return notation
    return "shell"


def simple_commands(statement: Statement) -> Iterator[SimpleCommand]:
    """The simple commands of a statement in the order they would run."""
    waiting = [statement]
    while waiting:
        current = waiting.pop()
        if isinstance(current, SimpleCommand):
            yield current
        else:
            waiting.extend(reversed(list(parts(current))))
