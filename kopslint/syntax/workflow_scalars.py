"""YAML scalars that hold shell: the value, and where each character of it stands.

Block scalars lose their indentation, folded ones their line ends and quoted ones
their escapes, so the value is laid beside the source stretch by stretch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.syntax.shell_text import Anchor, ShellText, lines_text

if TYPE_CHECKING:
    import yaml

    from kopslint.source.text import Source, Span

# Blanks before a fold belong to it; one line end becomes a blank.
_PROPERTY = re.compile(r"[&!]\S*(?:[ \t]+|$)")
_FOLD = r"(?P<fold>[ \t]*\n\s*)"
_PARTS = {
    None: re.compile(rf"{_FOLD}|(?:\S|[ \t]+(?!\s))+|[ \t]"),
    "'": re.compile(rf"{_FOLD}|(?P<one>'')|(?:[^\s']|[ \t]+(?!\s))+|[ \t']"),
    '"': re.compile(
        rf"{_FOLD}|(?P<none>\\\n[ \t]*)|(?P<one>\\(?:x..|u.{{4}}|U.{{8}}|.))"
        r"|(?:[^\s\\]|[ \t]+(?!\s))+|[ \t\\]"
    ),
}


def scalar_span(source: Source, node: yaml.ScalarNode) -> Span:
    """The place of a scalar: its value, or the first line of a block."""
    line, column = _start(source, node)
    if node.style in {"|", ">"}:
        return source.span(line, column, line, len(source.line(line).rstrip()) + 1)
    end = node.end_mark
    return source.span(line, column, end.line + 1, end.column + 1)


def _start(source: Source, node: yaml.ScalarNode) -> tuple[int, int]:
    """Where the value itself starts, behind its anchor and tag."""
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    last = node.end_mark.line + 1
    while match := _PROPERTY.match(source.line(line), column - 1):
        column = match.end() + 1
        while line < last and not source.line(line)[column - 1 :].strip():
            line, column = line + 1, 1
            column += len(source.line(line)) - len(source.line(line).lstrip())
    return line, column


def scalar_text(source: Source, node: yaml.ScalarNode, title: str | None) -> ShellText:
    """The value of a scalar as shell text."""
    if node.style == "|":
        return _literal(source, node, title)
    anchors = _folded(source, node) if node.style == ">" else _flow(source, node)
    return ShellText(source, node.value, tuple(anchors), title=title)


def _block_lines(source: Source, node: yaml.ScalarNode) -> list[tuple[int, str]]:
    """The numbered lines of a block scalar; its indentation is the first one's."""
    first = node.start_mark.line + 2
    last = node.end_mark.line + 1
    return [(number, source.line(number)) for number in range(first, last + 1)]


def _literal(source: Source, node: yaml.ScalarNode, title: str | None) -> ShellText:
    numbered = _block_lines(source, node)
    lines: list[tuple[int, int, str]] = []
    for (number, line), text in zip(
        [*numbered, (node.start_mark.line + 1, "")],
        node.value.split("\n"),
        strict=False,
    ):
        column = len(line) - len(text) + 1 if line.endswith(text) else 1
        lines.append((number, column, text))
    return lines_text(source, lines, title)


def _folded(source: Source, node: yaml.ScalarNode) -> list[Anchor]:
    anchors: list[Anchor] = []
    done = 0
    for number, line in _block_lines(source, node):
        text = line.strip()
        offset = node.value.find(text, done) if text else -1
        if offset >= 0:
            column = len(line) - len(line.lstrip()) + 1
            anchors.append(Anchor(offset if anchors else 0, number, column))
            done = offset + len(text)
    return anchors or [Anchor(0, node.start_mark.line + 1, node.start_mark.column + 1)]


def _flow(source: Source, node: yaml.ScalarNode) -> list[Anchor]:
    """Plain and quoted scalars: a new anchor behind each fold and escape."""
    (line, column), end = _start(source, node), node.end_mark
    inset = 1 if node.style in {"'", '"'} else 0
    lines = source.lines[line - 1 : end.line + 1]
    lines[-1] = lines[-1][: end.column - inset]
    raw = "\n".join(lines)[column - 1 + inset :]
    column += inset
    anchors: list[Anchor] = []
    offset = 0
    parts = _PARTS.get(node.style, _PARTS[None])
    for match in parts.finditer(raw):
        part = match[0]
        anchors.append(Anchor(offset, line, column))
        if match.lastgroup == "fold":
            # Further line ends stay line ends.
            offset += max(1, part.count("\n") - 1)
        elif match.lastgroup == "one":
            offset += 1
        elif match.lastgroup is None:
            offset += len(part)
        folds = part.count("\n")
        column = len(part) - part.rfind("\n") if folds else column + len(part)
        line += folds
    return anchors or [Anchor(0, line, column)]
