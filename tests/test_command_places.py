"""Where a command stands: the same lines in every notation, at known places.

Lines of commands are put into a script, a runbook, pipelines and the like at random
depths. Every command must come out at the line and column where its first word
stands, in order, and its words must be those that were put in.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WORDS = st.sampled_from(
    [
        *("get", "ig", "--yes", "-v10", "--name=a.example.com", "nodes-a", "a,b"),
        *('"two words"', "'it is'", "\u00e4\u00f6", "--set=x=1", '"a"b', "\\*"),
    ]
)
CALLS = st.lists(WORDS, max_size=5).map(lambda words: " ".join(["kops", *words]))
# A list of lines, each of them one command or several behind one another.
LINES = st.lists(
    st.lists(CALLS, min_size=1, max_size=3).flatmap(
        lambda calls: st.sampled_from([" && ", "; ", " | ", " || "]).map(
            lambda between: between.join(calls)
        )
    ),
    min_size=1,
    max_size=6,
)


class Put(NamedTuple):
    """A file, and at which line and how far right its lines of commands start."""

    name: str
    text: str
    line: int
    column: int


def script(lines: Sequence[str], depth: int) -> Put:
    body = textwrap.indent("\n".join(lines), " " * depth)
    return Put("run.sh", f"#!/bin/bash\nif true; then\n{body}\nfi\n", 3, depth)


def continued(lines: Sequence[str], depth: int) -> Put:
    text = "\n".join(" " * depth + line + " \\\n  # no more" for line in lines)
    return Put("run.sh", text + "\n", 1, depth)


def fence(lines: Sequence[str], depth: int) -> Put:
    block = "\n".join(["```bash", *lines, "```"])
    text = "# Step\n\n- item\n\n" + textwrap.indent(block, "  ") + "\n"
    del depth
    return Put("run.md", text, 6, 2)


def prompts(lines: Sequence[str], depth: int) -> Put:
    prompt = "me@host:~$ " if depth % 2 else "$ "
    block = "\n".join(f"{prompt}{line}\nNAME  ROLE" for line in lines)
    return Put("run.md", f"```console\n{block}\n```\n", 2, len(prompt))


def indented(lines: Sequence[str], depth: int) -> Put:
    body = textwrap.indent("\n".join(lines), " " * (4 + depth))
    return Put("run.md", f"Run:\n\n{body}\n", 3, 4 + depth)


def github(lines: Sequence[str], depth: int) -> Put:
    body = textwrap.indent("\n".join(lines), " " * (9 + depth))
    head = "jobs:\n  a:\n    steps:\n      - run: |\n"
    return Put("a.yml", f"{head}{body}\n", 5, 9 + depth)


def gitlab(lines: Sequence[str], depth: int) -> Put:
    body = textwrap.indent("\n".join(lines), " " * (5 + depth))
    return Put("a.yml", f"deploy:\n  script:\n    - |\n{body}\n", 4, 5 + depth)


def makefile(lines: Sequence[str], depth: int) -> Put:
    mark = "@" if depth % 2 else ""
    body = "\n".join(f"\t{mark}{line}" for line in lines)
    return Put("Makefile", f"all: ## all of it\n{body}\n", 2, 1 + len(mark))


def terraform(lines: Sequence[str], depth: int) -> Put:
    body = textwrap.indent("\n".join(lines), " " * depth)
    head = 'provisioner "local-exec" {\n  command = <<EOF\n'
    return Put("main.tf", f"{head}{body}\nEOF\n}}\n", 3, depth)


NOTATIONS = [script, continued, fence, prompts, indented, github, gitlab]
NOTATIONS += [makefile, terraform]


@given(LINES, st.sampled_from(NOTATIONS), st.integers(0, 7))
def test_every_command_stands_where_its_first_word_is(
    lines: list[str], put: Callable[[Sequence[str], int], Put], depth: int
) -> None:
    file = put(lines, depth)
    source = Source(file.name, file.text)
    script = read_commands(source)
    found = list(simple_commands(script.body))
    calls = [call for call in found if call.words[0].raw == "kops"]

    assert script.unread == ()
    places = []
    pace = 2 if put in (prompts, continued) else 1
    for index, line in enumerate(lines):
        column = -1
        for _ in range(line.count("kops")):
            column = line.index("kops", column + 1)
            places.append((file.line + index * pace, file.column + column + 1))
    assert [(call.span.line, call.span.column) for call in calls] == places
    for call in calls:
        for word in call.words:
            written = source.line(word.span.line)
            assert written[word.span.column - 1 :].startswith(word.raw)
    words = " ".join(word.raw for call in calls for word in call.words).split()
    between = {"&&", ";", "|", "||"}
    put_in = " ".join(lines).replace(";", " ; ").split()
    assert words == [word for word in put_in if word not in between]


# Statements that the grammar has taken together with those behind them, and others.
STATEMENTS = [
    "a x",
    "a x | b y | c z",
    "a x | b y | c 'z\nw'",
    "a x |\n  b y |\n  c z",
    "a x | b y | c z # note",
    "a x | b y && c z",
    "a x && b y || c z",
    "a x && b y | c z | d w",
    "a x > f 2>&1",
    "a x <<< y",
    "a x &",
    "! a x",
    "x=1",
    "X=1 IGS=(a b)",
    "export A=b C=$(d e)",
    "[[ -f x ]] && a x",
    "if a; then b; fi",
    "case $v in a) b c;; *) d;; esac",
    "while ! a x; do b 3; done",
    "(a x; b y) | c z",
    "a x <<EOF | b y\ntext | more\nEOF",
    "g() { a x; }",
]


def places(text: str) -> list[tuple[int, int, str]]:
    script = read_commands(Source("run.sh", text))
    assert script.unread == ()
    return [
        (call.span.line, call.span.column, " ".join(word.raw for word in call.words))
        for call in simple_commands(script.body)
    ]


def test_a_statement_is_the_same_behind_any_other() -> None:
    for first in STATEMENTS:
        for between in ("\n", "\n\n# note\n"):
            for second in STATEMENTS:
                start = (first + between).count("\n")
                behind = [
                    (line + start, column, words)
                    for line, column, words in places(second + "\n")
                ]
                together = places(f"{first}{between}{second}\n")
                assert together == [*places(first + "\n"), *behind], (first, second)
