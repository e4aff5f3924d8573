"""Command lists in any notation: the one entry for whoever has a source.

Which notation a source is in is known by its name, and where the name says
nothing, by its first lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.errors import InputError
from kopslint.shell.ast import SimpleCommand
from kopslint.shell.output import parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.shell.ast import Script, Statement
    from kopslint.text import Source

Notation = Literal[
    "shell", "markdown", "workflow", "makefile", "jenkins", "terraform", "code"
]

# A list is held in memory many times over, and nobody runs a longer one.
LONGEST = 2_000_000

# Languages in which a list may be written that are no shell.
_CODE = (
    "py|ipynb|m?js|cjs|tsx?|rb|go|lua|p[lm]|kts?|scala|java|php|rs|cs|exs?|clj|nix|nu"
    "|psm?1|json[c5]?|toml|hcl|cue|pp|star|bzl|bazel|jsonnet|libsonnet|dhall|tcl|just"
)
_NAMES: tuple[tuple[str, Notation], ...] = (
    (r"\.(md|markdown|mdx|mkd)(\.erb)?$", "markdown"),
    (r"\.(adoc|asciidoc|asc|rst|org|html?)$", "markdown"),
    (rf"\.({_CODE})$|(^|/)(\.?justfile|build(\.bazel)?|rakefile|vagrantfile)$", "code"),
    (r"\.ya?ml$", "workflow"),
    (r"(^|/)(gnu)?makefile(\.\w+)?$|\.(mk|make)$", "makefile"),
    (r"(^|/)jenkinsfile(\.\w+)?$|\.(groovy|jenkinsfile)$", "jenkins"),
    (r"\.tf$", "terraform"),
    (r"\.(ba|z|k)?sh$", "shell"),
)
_PROSE_AND_CODE = (
    r"(?m)^(?:[-*] |\d+[.)] |#{1,6} )?[A-Z][a-z']*(?: [\w'`,()/-]+)+[.:]?[ \t]*\n"
    r"\s*\n(?: {4}|\t)\S"
)
_CONTENTS: tuple[tuple[str, Notation], ...] = (
    (r"\A#!.*\bmake\b", "makefile"),
    (r"\A#!", "shell"),
    (r"(?m)^\s*(?:```|~~~)|^\{%-?\s*highlight\b", "markdown"),
    # Prose and then an indented block; a comment alone makes no Markdown.
    (_PROSE_AND_CODE, "markdown"),
    (r"(?m)^\s*pipeline\s*\{", "jenkins"),
    (r"(?m)^(jobs|stages|before_script):\s*(\[|$)", "workflow"),
)


def read_commands(
    source: Source,
    *,
    notation: Notation | None = None,
    at_hand: Sequence[Source] = (),
) -> Script:
    """The commands of a source, and in their places those of scripts that it runs.

    Without a ``notation`` it is guessed from the name and the content; shell is what
    remains. Scripts are read if they are ``at_hand``, the first of a name and none
    longer than ``LONGEST``: what ``source`` names, what a shell is given as a file,
    and a shell script that is started by its path. What cannot be read is in
    ``Script.unread``. Raises ``InputError`` only for a source longer than ``LONGEST``
    and if a workflow is not YAML.
    """
    if len(source.text) > LONGEST:
        raise InputError(
            f"{source.path} is too long for a list of commands: it has more than"
            f" {LONGEST:,} characters",
            hint="name the script or runbook itself, not a log or a dump",
        )
    files = [file for file in at_hand if len(file.text) <= LONGEST]
    match notation or notation_of(source):
        case "markdown":
            from kopslint.notations.markdown import read_markdown

            return read_markdown(source, files)
        case "workflow":
            from kopslint.notations.pipelines import read_workflow

            return read_workflow(source, files)
        case "makefile":
            from kopslint.notations.makefile import read_makefile

            return read_makefile(source, files)
        case "jenkins":
            from kopslint.notations.jenkinsfile import read_jenkinsfile

            return read_jenkinsfile(source, files)
        case "terraform":
            from kopslint.notations.terraform import read_terraform

            return read_terraform(source, files)
        case "code":
            from kopslint.notations.code import read_code

            return read_code(source, files)
    from kopslint.shell.read import read_shell

    return read_shell(source, files)


def notation_of(source: Source) -> Notation:
    """The notation a source seems to be in."""
    name = source.path.lower()
    for pattern, notation in _NAMES:
        if re.search(pattern, name):
            return notation
    for pattern, notation in _CONTENTS:
        if re.search(pattern, source.text[:100_000]):
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
