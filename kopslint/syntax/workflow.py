"""CI workflow files: the shell in GitHub's ``run:``, GitLab's ``script:`` and others.

Each step (GitHub) or job (GitLab) is a shell of its own that stops at the first
failure, and so does the list of them. What starts a workflow, and on which
machine, does not matter here. Of other pipelines only the names are known under
which they write shell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

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
from kopslint.syntax.workflow_yaml import (
    compose,
    entries,
    first,
    get,
    items_in,
    mappings,
    scalars,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kopslint.source.text import Source

Environment = dict[str, Assignment]

_NOT_JOBS = {"default", "include", "stages", "variables", "workflow", "cache", "image"}
_FOREIGN_SHELLS = ("pwsh", "powershell", "python", "cmd", "node")
# An action that is about a cluster by its name, or is given a command line. One that
# sets up a tool only installs it, and a path of kops's sources is no command.
_TELLING = re.compile(r"^(?!.*/(?:setup|install)-).*(?:kops|etcdctl)")
_GIVEN = re.compile(r"(?<![\w./@:-])(?:kops|etcdctl)[ \t]+[\w-]")
# Azure, Bitbucket, CodeBuild, Drone, Tekton, Task and Ansible.
_SHELL_KEYS = {"script", "bash", "inlineScript", "commands", "cmd", "cmds", "shell"}
_SHELL_KEYS |= {"command", "ansible.builtin.shell", "ansible.builtin.command"}


def read_workflow(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of a workflow file, job after job in the order written.

    A file that is no workflow has none. Raises ``InputError`` if it is not YAML.
    """
    root = compose(source)
    unread: list[Opaque] = []
    reader = _Workflow(source, root, unread, at_hand)
    if get(root, "jobs") is not None:
        steps = list(reader.github())
    else:
        steps = list(reader.gitlab()) or list(reader.others())
    if not steps:
        return Script(NOTHING)
    errexit = ErrExit(on=True, span=source.whole())
    return Script(sequence([errexit, *steps]), tuple(unread))


class _Workflow:
    """Reads the jobs of one file."""

    def __init__(
        self,
        source: Source,
        root: yaml.Node | None,
        unread: list[Opaque],
        at_hand: Sequence[Source],
    ) -> None:
        self.source = source
        self.root = root
        self.unread = unread
        self.at_hand = at_hand

    def github(self) -> Iterator[Statement]:
        """The jobs of a GitHub workflow; CircleCI's are alike."""
        everywhere = self._environment(get(self.root, "env"), {})
        for name, job in entries(get(self.root, "jobs")):
            environment = self._environment(get(job, "env"), everywhere)
            defaults = [get(get(node, "defaults"), "run") for node in (job, self.root)]
            title = text_of(get(job, "name")) or name
            steps = [
                self._step(step, environment, defaults, title)
                for step in items_in(get(job, "steps"))
            ]
            yield self._guarded(job, sequence(steps))

    def _step(
        self,
        step: yaml.Node,
        outer: Environment,
        defaults: list[yaml.Node | None],
        title: str,
    ) -> Statement:
        run = get(step, "run")
        if isinstance(run, yaml.MappingNode):
            # CircleCI writes ``run: {name: ..., command: ...}``.
            step, run = run, get(run, "command")
        if not isinstance(run, yaml.ScalarNode):
            return self._action(step)
        shell = text_of(first([step, *defaults], "shell"))
        folder = text_of(first([step, *defaults], "working-directory"))
        title = text_of(get(step, "name")) or title
        if shell.startswith(_FOREIGN_SHELLS):
            reason = f"this step runs in {shell}, which is not read"
            return self._guarded(step, self._opaque(run, title, reason))
        environment = self._environment(get(step, "env"), outer)
        group = self._shell(
            [run],
            environment,
            title,
            # Named explicitly, bash runs with -o pipefail as well.
            pipefail=shell == "bash",
            folder=folder if "${{" not in folder else None,
        )
        if text_of(get(step, "continue-on-error")) == "true":
            group = AndOr(group, "||", NOTHING)
        return self._guarded(step, group)

    def _action(self, step: yaml.Node) -> Statement:
        """A step that runs somebody's action: what that does is not in the file."""
        action = get(step, "uses")
        given = [text_of(value) for _, value in entries(get(step, "with"))]
        if not isinstance(action, yaml.ScalarNode):
            return NOTHING
        if not _TELLING.search(action.value) and not any(map(_GIVEN.search, given)):
            return NOTHING
        reason = "what this action runs is not in the file"
        return self._guarded(step, self._opaque(action, action.value, reason))

    def gitlab(self) -> Iterator[Statement]:
        """The jobs of a GitLab pipeline; templates (``.name``) are no jobs."""
        everywhere = self._environment(get(self.root, "variables"), {})
        defaults = {
            name: first([get(self.root, "default"), self.root], name)
            for name in ("before_script", "after_script")
        }
        jobs = dict(reversed(list(entries(self.root))))
        for name, job in entries(self.root):
            nodes = _with_templates(job, jobs)
            script = first(nodes, "script")
            if name.startswith(".") or name in _NOT_JOBS or not script:
                continue
            environment = everywhere
            for node in reversed(nodes):
                environment = self._environment(get(node, "variables"), environment)
            before, after = (
                own if (own := first(nodes, part)) is not None else default
                for part, default in defaults.items()
            )
            group = self._lines([before, script], environment, name)
            if text_of(first(nodes, "allow_failure")) == "true":
                group = AndOr(group, "||", NOTHING)
            yield group
            if after is not None:
                # It has a shell of its own, and nobody asks how it ends.
                yield AndOr(self._lines([after], environment, name), "||", NOTHING)

    def others(self) -> Iterator[Statement]:
        """The shell of pipelines of which nothing else is known."""
        for mapping in mappings(self.root):
            title = text_of(first([mapping], "name")) or None
            for name, value in entries(mapping):
                if name not in _SHELL_KEYS:
                    continue
                # A list of arguments is no list of lines.
                if name in {"command", "shell"} and items_in(value):
                    continue
                group = self._lines([value], {}, title or name)
                if group != NOTHING:
                    yield group

    def _lines(
        self,
        values: Sequence[yaml.Node | None],
        environment: Environment,
        title: str,
    ) -> Statement:
        """One shell that reads the lines of some values."""
        nodes = [n for value in values for n in scalars(self.source, value, self.root)]
        return self._shell(nodes, environment, title, pipefail=True)

    def _shell(
        self,
        nodes: Sequence[yaml.ScalarNode],
        environment: Environment,
        title: str,
        *,
        pipefail: bool,
        folder: str | None = "",
    ) -> Statement:
        """One shell that reads the scalars one after another."""
        texts = [scalar_text(self.source, node, title) for node in nodes]
        script = read_texts(
            texts,
            environment.values(),
            pipefail=pipefail,
            at_hand=self.at_hand,
            folder=folder,
        )
        self.unread.extend(script.unread)
        if not script.body.items:
            return NOTHING
        errexit = ErrExit(on=True, span=texts[0].span(0, 1))
        return Group(sequence([errexit, script.body]), subshell=True)

    def _opaque(self, node: yaml.ScalarNode, name: str, reason: str) -> Opaque:
        opaque = Opaque(Unknown(name, reason), scalar_span(self.source, node))
        self.unread.append(opaque)
        return opaque

    def _guarded(self, node: yaml.Node, statement: Statement) -> Statement:
        """A step or job with an ``if:`` may be skipped."""
        condition = text_of(get(node, "if"))
        if not condition or statement == NOTHING:
            return statement
        reason = "whether this condition holds is only known when the workflow runs"
        return Choice((statement,), False, Unknown(f"if: {condition}", reason))

    def _environment(self, node: yaml.Node | None, outer: Environment) -> Environment:
        """The variables of a mapping on top of those around it."""
        environment = dict(outer)
        for name, value in entries(node):
            if isinstance(value, yaml.ScalarNode):
                span = scalar_span(self.source, value)
                word = Word(pieces_of(value.value), value.value, span)
                environment[name] = Assignment(name, word)
        return environment


def _with_templates(job: yaml.Node, jobs: Mapping[str, yaml.Node]) -> list[yaml.Node]:
    """A job and the templates that it extends, the nearest first."""
    found: list[yaml.Node] = []
    waiting: list[yaml.Node | None] = [job]
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, yaml.MappingNode) or node in found:
            continue
        found.append(node)
        extended = get(node, "extends")
        # Of several templates the last one has the say.
        names = [text_of(item) for item in reversed(items_in(extended))]
        names = names or [text_of(extended)]
        waiting = [*(jobs.get(name) for name in names), *waiting]
    return found
