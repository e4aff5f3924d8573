"""Comments addressed to kopslint, in every notation that it reads.

A ``#`` inside a YAML value or a shell string is no comment, so each notation has its
own way to tell; none of them is used for a text that never says ``kopslint:``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.notations.command_list import notation_of
from kopslint.suppress.directives import MARK, Comment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token
    from tree_sitter import Node

    from kopslint.notations.command_list import Notation
    from kopslint.text import Source

Place = tuple[int, int, int, str]
"""The line, the column, the end column and the words of a comment."""

_HASH = re.compile(r"#+\s*kopslint:[ \t]*(?P<words>.*)")
_HASH_BEHIND_BLANK = re.compile(rf"(?:^|(?<=\s)){_HASH.pattern}")
_ANY = re.compile(r"(?:^|(?<=\s))(?:#+|//+)\s*kopslint:[ \t]*(?P<words>.*)")
# One that ends on a later line has no words here, and is reported as malformed.
_HTML = re.compile(r"<!--\s*kopslint:(?:(?P<words>.*?)-->|.*$)", re.MULTILINE)
_BEFORE_ANYTHING = re.compile(r"\s*(?:(?:#|//|<!--|---|%).*)?$")
_SHELL_BLOCK = re.compile(
    r"\W*(?:(?:\w+-)?(?:ba|z|k)?sh(?:ell.*)?|console|terminal)?(?![\w-])", re.IGNORECASE
)
# A libyaml token has no style, and only these two have a header that may end in a
# comment.
_BLOCK_SCALAR = "|>"


def comments_in_spec(source: Source) -> tuple[Comment, ...]:
    """The comments of a YAML file; none if it cannot be read as YAML."""
    if MARK not in source.text:
        return ()
    return _comments(source, _in_yaml(source, scripts=False), {})


def comments_in_commands(source: Source) -> tuple[Comment, ...]:
    """The comments of a command list, in whatever notation it is."""
    if MARK not in source.text:
        return ()
    return _comments(source, *_in_commands(source, notation_of(source)))


def _in_commands(
    source: Source, notation: Notation
) -> tuple[Iterable[Place], dict[int, range]]:
    """The places of comments, and the lines of code blocks by their first line."""
    match notation:
        case "shell":
            return _in_shell(source, range(1, len(source.lines) + 1)), {}
        case "workflow":
            return _in_yaml(source, scripts=True), {}
        case "markdown":
            return _in_markdown(source)
        case "makefile" | "jenkins" | "terraform" | "code":
            return _by_line(source, _ANY), {}


def _comments(
    source: Source, places: Iterable[Place], blocks: dict[int, range]
) -> tuple[Comment, ...]:
    return tuple(
        Comment(
            span=source.span(line, column, line, end),
            words=words,
            lines=_lines_meant(source, line, column, blocks),
            at_top=all(map(_BEFORE_ANYTHING.match, source.lines[: line - 1])),
        )
        for line, column, end, words in sorted(set(places))
    )


def _lines_meant(
    source: Source, line: int, column: int, blocks: dict[int, range]
) -> range:
    lines = source.lines
    if lines[line - 1][: column - 1].strip():
        # A command goes on behind a backslash, where no comment can stand.
        first = line
        while first > 1 and lines[first - 2].endswith("\\"):
            first -= 1
        return range(first, line + 1)
    opener = lines[line - 1][column - 1]
    below = line + 1
    while below <= len(lines) and lines[below - 1].lstrip().startswith(opener):
        below += 1
    if opener == "<":
        block = below
        while block < len(lines) and not lines[block - 1].strip():
            block += 1
        if block in blocks:
            return blocks[block]
    last = below
    while last < len(lines) and lines[last - 1].endswith("\\"):
        last += 1
    return range(below, last + 1)


def _by_line(
    source: Source, pattern: re.Pattern[str], lines: range | None = None
) -> Iterator[Place]:
    for number in lines or range(1, len(source.lines) + 1):
        for match in pattern.finditer(source.line(number)):
            words = (match["words"] or "").strip()
            yield number, match.start() + 1, match.end() + 1, words


def _in_yaml(source: Source, *, scripts: bool) -> Iterator[Place]:
    """Comments between the values; with ``scripts`` also those in block scalars."""
    import yaml

    # The parser ends lines at characters where editors do not.
    text = re.sub("[\x85\u2028\u2029]", " ", "\n".join(source.lines))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values: list[tuple[tuple[int, int], tuple[int, int]]] = []
    try:
        for token in yaml.scan(text, Loader=loader):
            if not isinstance(token, yaml.ScalarToken):
                continue
            start, end = token.start_mark, token.end_mark
            if token.style and token.style in _BLOCK_SCALAR:
                # The header line may end in a comment; the text starts below it.
                values.append(((start.line + 2, 1), (end.line + 1, end.column + 1)))
                if scripts and MARK in token.value:
                    yield from _in_shell(source, range(start.line + 2, end.line + 1))
            else:
                values.append(
                    (
                        (start.line + 1, start.column + 1),
                        (end.line + 1, end.column + 1),
                    )
                )
    except yaml.YAMLError:
        return
    for place in _by_line(source, _HASH_BEHIND_BLANK):
        if not any(first <= place[:2] < last for first, last in values):
            yield place


def _in_shell(source: Source, lines: range) -> Iterator[Place]:
    """The comments of shell in some lines of a file.

    Where bash could not read it, a comment is recognised by what stands before it.
    """
    from kopslint.shell.grammar import Fault, parse
    from kopslint.shell.text import lines_text

    text = lines_text(source, [(number, 1, source.line(number)) for number in lines])
    for node in parse(text):
        if isinstance(node, Fault):
            first, last = text.position(node.start)[0], text.position(node.end)[0]
            yield from _by_line(source, _HASH_BEHIND_BLANK, range(first, last + 1))
            continue
        for comment in _comment_nodes(node):
            written = text.text[comment.start_byte : comment.end_byte]
            match = _HASH.match(written)
            if match:
                line, column = text.position(comment.start_byte)
                yield line, column, column + len(written), match["words"].strip()


def _comment_nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "comment":
            yield node
        waiting.extend(node.children)


def _in_markdown(source: Source) -> tuple[list[Place], dict[int, range]]:
    """HTML comments in the prose, and the comments of shell blocks."""
    from markdown_it import MarkdownIt

    places: list[Place] = []
    blocks: dict[int, range] = {}
    for token in MarkdownIt("commonmark").parse("\n".join(source.lines)):
        if token.map is None:
            continue
        lines = range(token.map[0] + 1, token.map[1] + 1)
        if token.type in ("fence", "code_block"):
            blocks[lines.start] = lines
            if _SHELL_BLOCK.match(token.info):
                first = lines.start + (token.type == "fence")
                size = token.content.count("\n")
                places += _in_shell(source, range(first, first + size))
        elif token.type == "html_block":
            places += _by_line(source, _HTML, lines)
        elif token.type == "inline":
            places += _in_prose(source, lines, token)
    return places, blocks


def _in_prose(source: Source, lines: range, paragraph: Token) -> Iterator[Place]:
    """The HTML comments of a paragraph, but not what looks like one in its code."""
    text = "\n".join(source.line(number) for number in lines)
    done = 0
    for child in paragraph.children or ():
        start = text.find(child.content, done)
        if start < 0:
            continue
        done = start + len(child.content)
        match = _HTML.match(child.content) if child.type == "html_inline" else None
        if match:
            above = text.count("\n", 0, start)
            column = start - (text.rfind("\n", 0, start) + 1) + 1
            words = (match["words"] or "").strip()
            yield lines.start + above, column, column + match.end(), words
