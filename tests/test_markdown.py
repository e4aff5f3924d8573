"""Markdown runbooks: titles, skipped blocks, and output told from commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.notations.command_list import simple_commands
from kopslint.notations.markdown import read_markdown
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.shell.ast import SimpleCommand


def commands(text: str) -> list[SimpleCommand]:
    return list(simple_commands(read_markdown(Source("run.md", text)).body))


def titles(text: str) -> list[str | None]:
    return [command.title for command in commands(text)]


def lines(text: str) -> list[int]:
    return [command.span.line for command in commands(text)]


def test_a_heading_is_the_title_of_what_is_below_it() -> None:
    text = "# Plan\n\n```sh\nkops a\n```\n\n## Apply `it`\n\n```sh\nkops b\n```\n"
    assert titles(text) == ["Plan", "Apply it"]


def test_a_list_item_is_the_title_of_its_blocks_only() -> None:
    text = (
        "# Plan\n\n"
        "1. Delete the group:\n\n   ```sh\n   kops a\n   ```\n\n"
        "```sh\nkops b\n```\n"
    )
    assert titles(text) == ["Delete the group", "Plan"]


def test_a_comment_beside_a_command_is_no_heading() -> None:
    text = "# Plan\n\n```sh\nkops a # first\n# second\nkops b\nkops c\n```\n"
    assert titles(text) == ["Plan", "Plan", "Plan"]
    assert [c.comment for c in commands(text)] == ["first", "second", None]


def test_a_block_without_heading_has_no_title() -> None:
    assert titles("```sh\nkops a\n```\n") == [None]


def test_the_directive_skips_the_next_block_and_no_other() -> None:
    text = (
        "<!-- kopslint: skip -->\n```sh\nkops a\n```\n"
        "```sh\nkops b\n```\n"
        "<!-- kopslint:skip -->\n\nSome words.\n\n```sh\nkops c\n```\n"
    )
    assert lines(text) == [6, 13]


def test_columns_count_the_prompt_and_the_indentation() -> None:
    text = "- x\n\n  ```console\n  admin@host:~$ kops get ig\n  ```\n"
    (command,) = commands(text)
    assert (command.span.line, command.span.column) == (4, 17)
    assert command.span.end_column == 28
    assert [word.span.column for word in command.words] == [17, 22, 26]


def test_output_that_could_be_a_command_is_dropped_behind_a_prompt() -> None:
    text = "```console\n$ kops get ig\nkops delete ig a\n```\n"
    assert lines(text) == [2]


def test_a_known_program_is_never_taken_for_output() -> None:
    text = "```bash\nkops get ig\nNAME ROLE\nkops delete ig a\n```\n"
    assert lines(text) == [2, 4]


def test_a_table_is_dropped_up_to_the_next_blank_line() -> None:
    text = "```bash\nkops get ig\nNAME ROLE\nnodes-a Node\n\nmy-tool apply\n```\n"
    assert lines(text) == [2, 6]


def test_commands_over_several_lines_stay_whole_without_prompts() -> None:
    text = (
        "```bash\n"
        "for ig in a b; do\n  kops delete ig $ig\ndone\n"
        "kops create -f - <<EOF\nNAME: x\nEOF\n"
        'kops edit "a\nB"\n'
        "```\n"
    )
    assert lines(text) == [3, 3, 5, 8]


def test_a_line_that_is_a_call_counts_in_a_paragraph_and_a_sentence_does_not() -> None:
    assert lines("Type\n$ kops delete ig a\nand wait.\n") == [2]
    assert lines("Never type\nkops delete ig a, for it is\nnot safe.\n") == []


def test_an_empty_document_has_no_commands() -> None:
    assert lines("") == []
