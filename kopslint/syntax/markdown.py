"""Markdown runbooks: the shell in their code blocks, and in steps that are only code.

Prose is never a command, and neither is code within it. Prompts are taken off with
the columns kept, and what a command printed is told from what was typed. Each block
becomes a text of its own; its heading or list item is its title.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.markdown_lines import Line, Transcripts, is_call, looks_like_shell
from kopslint.syntax.shell import read_texts
from kopslint.syntax.shell_text import ShellText, lines_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

    from kopslint.source.text import Source
    from kopslint.syntax.script import Script

_LANGUAGES = {"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session"}
_LANGUAGES |= {"shellsession", "sh-session", "bash-session", "shellscript"}
_NOT_TO_RUN = {"wrong", "output", "console-output", "skip"}
_LONGEST_STEP = 2000
_AROUND_STEPS = {"text", "code_inline", "softbreak", "hardbreak"}
_AROUND_STEPS |= {"strong_open", "strong_close", "em_open", "em_close"}
_SKIP = re.compile(r"<!--\s*kopslint:\s*skip\s*-->")
_HIGHLIGHT = re.compile(r"^(\s*)\{%-?\s*(end)?highlight\b\s*(\w*).*%\}\s*$")


def read_markdown(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of all shell blocks, in order, sharing variables.

    A block is shell if its info string says so, or if it has none and its lines
    are commands. A paragraph that is nothing but inline code, as the steps of a list
    often are, counts if it calls a program known here. ``<!-- kopslint: skip -->``
    before a block leaves it out.
    """
    return read_texts(_blocks(source), at_hand=at_hand)


def _blocks(source: Source) -> Iterator[ShellText]:
    from markdown_it import MarkdownIt

    transcripts = Transcripts(source)
    title: str | None = None
    # Titles of the list items around, innermost last.
    items: list[str | None] = []
    skipped = False
    tokens = MarkdownIt("commonmark").parse("\n".join(_plain_markdown(source.lines)))
    for index, token in enumerate(tokens):
        match token.type:
            case "list_item_open":
                items.append(None)
            case "list_item_close":
                items.pop()
            case "html_block":
                skipped = _SKIP.search(token.content) is not None
            case "inline":
                text = _visible(token)
                if tokens[index - 1].type == "heading_open":
                    title, items = text, [None] * len(items)
                elif items and items[-1] is None:
                    items[-1] = text
                if tokens[index - 1].type == "paragraph_open" and not skipped:
                    yield from _steps(source, token, title)
                skipped = _SKIP.search(token.content) is not None
            case "fence" | "code_block":
                block_title = next((i for i in reversed(items) if i), title)
                if not skipped:
                    yield from _shell(source, token, block_title, transcripts)
                skipped = False


def _plain_markdown(lines: Sequence[str]) -> list[str]:
    """The lines without front matter, Jekyll's highlight tags as fences."""
    plain = [_HIGHLIGHT.sub(_fence, line) for line in lines]
    if plain and plain[0].rstrip() == "---":
        end = next((i for i, line in enumerate(plain[1:], 1) if line[:3] == "---"), 0)
        plain[: end + 1] = [""] * (end + 1)
    return plain


def _fence(tag: re.Match[str]) -> str:
    return f"{tag[1]}```" if tag[2] else f"{tag[1]}```{tag[3]}"


def _visible(token: Token) -> str:
    """The first line of an inline token as a reader sees it."""
    parts = []
    for child in token.children or []:
        if child.type in {"softbreak", "hardbreak"}:
            break
        if child.type in {"text", "code_inline"}:
            parts.append(child.content)
    return "".join(parts).strip().rstrip(":")


def _steps(source: Source, token: Token, title: str | None) -> Iterator[ShellText]:
    """The commands of a paragraph that is nothing but inline code."""
    children = token.children or []
    if token.map is None or len(token.content) > _LONGEST_STEP:
        return
    for child in children:
        if child.type == "text" and child.content.strip(" .,;"):
            return
        if child.type not in _AROUND_STEPS:
            return
    number, column = token.map[0] + 1, 0
    found = []
    for child in children:
        if child.type in {"softbreak", "hardbreak"}:
            number, column = number + 1, 0
        if child.type != "code_inline":
            continue
        ticks, code = child.markup, re.escape(child.content)
        written = re.compile(rf"{ticks} ?({code}) ?{ticks}")
        match = written.search(source.line(number), column)
        if match is None or not is_call(child.content):
            return
        column = match.end()
        found.append((number, match.start(1) + 1, child.content))
    if found:
        yield lines_text(source, found, title)


def _shell(
    source: Source, token: Token, title: str | None, transcripts: Transcripts
) -> Iterator[ShellText]:
    info = token.info.lower().replace("{", " ").replace("}", " ").split()
    if _NOT_TO_RUN & set(info) or token.map is None:
        return
    language = info[0].lstrip(".") if info else ""
    # The first line of a fence is the fence itself.
    first = token.map[0] + (2 if token.type == "fence" else 1)
    lines = [
        (number, _column(source.line(number), line), line)
        for number, line in enumerate(token.content.split("\n"), first)
    ]
    lines = _dedented(lines)
    if language in _LANGUAGES or (not language and looks_like_shell(lines)):
        typed = transcripts.typed(lines)
        if typed:
            yield lines_text(source, typed, title)


def _dedented(lines: list[Line]) -> list[Line]:
    """The lines without the blanks that all of them start with."""
    texts = [text for _, _, text in lines if text.strip()]
    size = min((len(text) - len(text.lstrip(" ")) for text in texts), default=0)
    return [(number, column + size, text[size:]) for number, column, text in lines]


def _column(line: str, content: str) -> int:
    """Where the content of a block line starts in its line of the file."""
    if line.endswith(content):
        return len(line) - len(content) + 1
    # A tab that was half indentation became blanks.
    return (
        len(line) - len(content.lstrip()) + 1 - (len(content) - len(content.lstrip()))
    )
