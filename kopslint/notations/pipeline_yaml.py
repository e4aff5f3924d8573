"""YAML of pipelines as nodes: mappings, what they take over, and plain values.

The nodes keep their places, and nothing here knows what a job or a step is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from kopslint.errors import InputError
from kopslint.shell.text import Anchor, ShellText, lines_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from yaml._yaml import Mark as FastMark
    from yaml.error import Mark

    from kopslint.text import Source, Span


_DEEPEST = 100
# What libyaml 0.2.6 and later say by themselves, before they show the first bracket
# of a line that opens 1,000 of them.
_TOO_DEEP = "exceeded maximum nesting depth"
# Aliases may hold themselves, or each other many times over.
_MOST_NODES = 10_000


def compose(source: Source) -> tuple[yaml.Node, ...]:
    """The root node of each document.

    Raises ``InputError`` if it is not YAML, or nested too deep.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = "\n".join(source.lines)
    try:
        # Composing goes as deep as the text, and the interpreter does not.
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise _too_deep(source, event.start_mark)
        return tuple(yaml.compose_all(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        if error.problem == _TOO_DEEP:
            raise _too_deep(source, error.problem_mark) from None
        line, column = _place(error.problem_mark)
        raise InputError(
            f"this workflow is not valid YAML: {error.problem}",
            span=source.span(line, column, line, column),
            hint="correct the file, or rename it if it is not a workflow",
        ) from error
    except yaml.YAMLError as error:
        raise InputError(
            f"this workflow is not valid YAML: {error}", span=source.whole()
        ) from error


def _too_deep(source: Source, mark: Mark | FastMark | None) -> InputError:
    line, column = _place(mark)
    return InputError(
        f"this workflow is nested more than {_DEEPEST} levels deep",
        span=source.span(line, column, line, column + 1),
        hint="name the workflow itself, or nest it less",
    )


def _place(mark: Mark | FastMark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping, those that it takes over (``<<``) last."""
    waiting = [node]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, yaml.MappingNode) or id(current) in seen:
            continue
        seen.add(id(current))
        for key, value in current.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value == "<<":
                waiting += items_in(value) or [value]
            else:
                yield key.value, value


def get(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The value of a mapping under a name."""
    return next((value for key, value in entries(node) if key == name), None)


def first(nodes: Iterable[yaml.Node | None], name: str) -> yaml.Node | None:
    """The value that the first of some mappings has under a name."""
    found = (get(node, name) for node in nodes)
    return next((value for value in found if value is not None), None)


def text_of(node: yaml.Node | None) -> str:
    """The text of a scalar; empty for anything else."""
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def items_in(node: yaml.Node | None) -> list[yaml.Node]:
    """The items of a list; none for anything else."""
    return node.value if isinstance(node, yaml.SequenceNode) else []


def scalars(
    source: Source, node: yaml.Node | None, root: yaml.Node | None
) -> Iterator[yaml.ScalarNode]:
    """The scalars of a value that is one, a list of them, or lists of lists.

    GitLab's ``!reference [job, script]`` stands for a value elsewhere below ``root``.
    Raises ``InputError`` if aliases and references make too many of them.
    """
    waiting = [node]
    steps = 0
    while waiting:
        current = waiting.pop()
        if isinstance(current, yaml.ScalarNode):
            yield current
        elif current is not None and current.tag == "!reference":
            target = root
            for name in items_in(current):
                target = get(target, text_of(name))
            waiting.append(target)
        else:
            waiting.extend(reversed(items_in(current)))
        steps += 1
        if node is not None and steps > _MOST_NODES:
            line, column = _place(node.start_mark)
            raise InputError(
                "the aliases of this script expand to too many lines",
                span=source.span(line, column, line, column + 1),
                hint="write the lines out",
            )


# ------------------------------------------------------------------------------------
# YAML scalars that hold shell: the value, and where each character of it stands
#
# Block scalars lose their indentation, folded ones their line ends and quoted ones
# their escapes, so the value is laid beside the source stretch by stretch.

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
