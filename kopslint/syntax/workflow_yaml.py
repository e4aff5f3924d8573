"""YAML of pipelines as nodes: mappings, what they take over, and plain values.

The nodes keep their places, and nothing here knows what a job or a step is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from kopslint.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from yaml._yaml import Mark as FastMark
    from yaml.error import Mark

    from kopslint.source.text import Source

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
            hint="mend the file, or name it otherwise if it is no workflow",
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
        hint="name the workflow itself, or write it flatter",
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
                "the aliases of this script stand for too many lines",
                span=source.span(line, column, line, column + 1),
                hint="write the lines out",
            )
