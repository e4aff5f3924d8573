"""CI workflow files: the shell in GitHub's ``run:`` and GitLab's ``script:``.

Each step (GitHub) or job (GitLab) is a shell of its own that stops at the first
failure, and so does the list of them. What starts a workflow, and on which
machine, does not matter here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from kopslint.errors import InputError
from kopslint.syntax.script import (
    AndOr,
    Assignment,
    Choice,
    ErrExit,
    Group,
    Opaque,
    Script,
    Statement,
    Unknown,
    Word,
)
from kopslint.syntax.shell import read_texts
from kopslint.syntax.shell_output import NOTHING, sequence
from kopslint.syntax.shell_text import pieces_of
from kopslint.syntax.workflow_scalars import scalar_span, scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from yaml._yaml import Mark as FastMark
    from yaml.error import Mark

    from kopslint.source.text import Source

Environment = dict[str, Assignment]

_NOT_JOBS = {"default", "include", "stages", "variables", "workflow", "cache", "image"}
_DEEPEST = 100
# Aliases may hold themselves, or each other many times over.
_MOST_STEPS = 10_000
_FOREIGN_SHELLS = ("pwsh", "powershell", "python", "cmd", "node")


def read_workflow(source: Source) -> Script:
    """The commands of a workflow file, job after job in the order written.

    A file that is neither kind of workflow has none. Raises ``InputError`` if it
    is not YAML.
    """
    root = _compose(source)
    steps: list[Statement] = []
    unread: list[Opaque] = []
    reader = _Workflow(source, unread)
    if _get(root, "jobs") is not None:
        steps += reader.github(root)
    else:
        steps += reader.gitlab(root)
    if not steps:
        return Script(NOTHING)
    errexit = ErrExit(on=True, span=source.whole())
    return Script(sequence([errexit, *steps]), tuple(unread))


def _compose(source: Source) -> yaml.Node | None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = "\n".join(source.lines)
    try:
        # Composing goes as deep as the text, and the interpreter does not.
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                line, column = _place(event.start_mark)
                raise InputError(
                    f"this workflow is nested more than {_DEEPEST} levels deep",
                    span=source.span(line, column, line, column + 1),
                    hint="name the workflow itself, or write it flatter",
                )
        return yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
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


def _place(mark: Mark | FastMark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value


def _get(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _entries(node) if key == name), None)


def _text(node: yaml.Node | None, name: str) -> str:
    value = _get(node, name)
    return value.value if isinstance(value, yaml.ScalarNode) else ""


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else []


class _Workflow:
    """Reads the jobs of one file."""

    def __init__(self, source: Source, unread: list[Opaque]) -> None:
        self.source = source
        self.unread = unread

    def github(self, root: yaml.Node | None) -> Iterator[Statement]:
        """The jobs of a GitHub workflow."""
        everywhere = self._environment(_get(root, "env"), {})
        for name, job in _entries(_get(root, "jobs")):
            environment = self._environment(_get(job, "env"), everywhere)
            shell = _text(_get(_get(job, "defaults"), "run"), "shell")
            shell = shell or _text(_get(_get(root, "defaults"), "run"), "shell")
            steps = [
                self._step(step, environment, shell, _text(job, "name") or name)
                for step in _items(_get(job, "steps"))
            ]
            yield self._guarded(job, sequence(steps))

    def _step(
        self, step: yaml.Node, outer: Environment, shell: str, title: str
    ) -> Statement:
        run = _get(step, "run")
        if not isinstance(run, yaml.ScalarNode):
            return NOTHING
        shell = _text(step, "shell") or shell
        title = _text(step, "name") or title
        if shell.startswith(_FOREIGN_SHELLS):
            reason = f"this step runs in {shell}, which is not read"
            span = scalar_span(self.source, run)
            opaque = Opaque(Unknown(title, reason), span)
            self.unread.append(opaque)
            return self._guarded(step, opaque)
        environment = self._environment(_get(step, "env"), outer)
        # Named explicitly, bash runs with -o pipefail as well.
        group = self._shell([run], environment, title, pipefail=shell == "bash")
        if _text(step, "continue-on-error") == "true":
            group = AndOr(group, "||", NOTHING)
        return self._guarded(step, group)

    def gitlab(self, root: yaml.Node | None) -> Iterator[Statement]:
        """The jobs of a GitLab pipeline; templates (``.name``) are no jobs."""
        everywhere = self._environment(_get(root, "variables"), {})
        before = _get(_get(root, "default"), "before_script")
        before = before or _get(root, "before_script")
        for name, job in _entries(root):
            if name.startswith(".") or name in _NOT_JOBS or not _get(job, "script"):
                continue
            environment = self._environment(_get(job, "variables"), everywhere)
            scripts = [_get(job, "before_script") or before, _get(job, "script")]
            nodes = [node for script in scripts for node in self._scalars(script)]
            group = self._shell(nodes, environment, name, pipefail=True)
            if _text(job, "allow_failure") == "true":
                group = AndOr(group, "||", NOTHING)
            yield group

    def _scalars(self, node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
        """The scalars of a value that is one, a list of them, or lists of lists."""
        waiting = [node]
        steps = 0
        while waiting:
            current = waiting.pop()
            if isinstance(current, yaml.ScalarNode):
                yield current
            else:
                waiting.extend(reversed(_items(current)))
            steps += 1
            if node is not None and steps > _MOST_STEPS:
                line, column = _place(node.start_mark)
                raise InputError(
                    "the aliases of this script stand for too many lines",
                    span=self.source.span(line, column, line, column + 1),
                    hint="write the lines out",
                )

    def _shell(
        self,
        nodes: Iterable[yaml.ScalarNode],
        environment: Environment,
        title: str,
        *,
        pipefail: bool,
    ) -> Statement:
        """One shell that reads the scalars one after another."""
        texts = [scalar_text(self.source, node, title) for node in nodes]
        script = read_texts(texts, environment.values(), pipefail=pipefail)
        self.unread.extend(script.unread)
        if not script.body.items:
            return NOTHING
        errexit = ErrExit(on=True, span=texts[0].span(0, 1))
        return Group(sequence([errexit, script.body]), subshell=True)

    def _guarded(self, node: yaml.Node, statement: Statement) -> Statement:
        """A step or job with an ``if:`` may be skipped."""
        condition = _text(node, "if")
        if not condition or statement == NOTHING:
            return statement
        reason = "whether this condition holds is only known when the workflow runs"
        return Choice((statement,), False, Unknown(f"if: {condition}", reason))

    def _environment(self, node: yaml.Node | None, outer: Environment) -> Environment:
        """The variables of a mapping on top of those around it."""
        environment = dict(outer)
        for name, value in _entries(node):
            if isinstance(value, yaml.ScalarNode):
                span = scalar_span(self.source, value)
                word = Word(pieces_of(value.value), value.value, span)
                environment[name] = Assignment(name, word)
        return environment
