"""CI workflow files: the shell in GitHub's ``run:``, GitLab's ``script:`` and others.

Each step (GitHub) or job (GitLab) is a shell of its own that stops at the first
failure, and so does the list of them. Jobs that wait for each other run one after the
other; those that do not may run at the same time. What starts a workflow, and on which
machine, does not matter here. Any other YAML is searched for shell under any key.
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
from kopslint.syntax.shell_output import NOTHING, at_once, sequence
from kopslint.syntax.shell_text import pieces_of, put_in
from kopslint.syntax.workflow_jobs import (
    Job,
    Values,
    arranged,
    matrix_of,
    names_of,
    product_of,
    values_in,
)
from kopslint.syntax.workflow_scalars import scalar_span, scalar_text
from kopslint.syntax.workflow_yaml import (
    compose,
    entries,
    first,
    get,
    items_in,
    scalars,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.source.text import Source, Span
    from kopslint.syntax.shell_text import ShellText

Environment = dict[str, Assignment]

_NOT_JOBS = {"default", "include", "stages", "variables", "workflow", "cache", "image"}
_FOREIGN_SHELLS = ("pwsh", "powershell", "python", "cmd", "node")
# An action that is about a cluster by its name, or is given a command line. One that
# sets up a tool only installs it, and a path of kops's sources is no command.
_TELLING = re.compile(r"^(?!.*/(?:setup|install)-).*(?:kops|etcdctl)")
_GIVEN = re.compile(r"(?<![\w./@:-])(?:kops|etcdctl)[ \t]+[\w-]")
_STAGES = (".pre", "build", "test", "deploy", ".post")
# Objects that run as soon as they are applied, each by itself.
_RUNS = {"Job", "Pod", "CronJob"}
_MOST_STEPS = 10_000


def read_workflow(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of a workflow file, one job after another or at the same time.

    A file that is no workflow has none. Raises ``InputError`` if it is not YAML.
    """
    unread: list[Opaque] = []
    statements: list[Statement] = []
    beside: list[Statement] = []
    for root in compose(source):
        found = Workflow(source, root, unread, at_hand).statement()
        if text_of(get(root, "kind")) in _RUNS:
            beside.append(found)
        else:
            statements.append(found)
    commands = sequence([*statements, at_once(beside, source.whole())])
    if not commands.items:
        return Script(NOTHING, tuple(unread))
    errexit = ErrExit(on=True, span=source.whole())
    return Script(sequence([errexit, commands]), tuple(unread))


class Workflow:
    """Reads the jobs of one document of a file.

    ``values`` are what a matrix or a loop puts into the texts that are read now, by
    the pattern that stands for each.
    """

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
        self.values: Mapping[str, str] = {}
        self._steps_left = _MOST_STEPS

    def statement(self) -> Statement:
        """What the document runs, by the dialect that it is written in."""
        jobs = get(self.root, "jobs")
        if any(_has_steps(job) for _, job in entries(jobs)):
            if isinstance(get(self.root, "workflows"), yaml.MappingNode):
                return self._circle()
            return self._arranged(self._github())
        if steps := items_in(get(get(self.root, "runs"), "steps")):
            return sequence(self._step(step, {}, [], "") for step in steps)
        found = self._arranged(self._gitlab())
        if found != NOTHING:
            return found
        from kopslint.syntax.workflow_search import search

        return search(self)

    # --- GitHub, and CircleCI, whose jobs are alike -----------------------------

    def _github(self) -> Iterator[Job]:
        everywhere = self.environment(get(self.root, "env"), {})
        for name, job in entries(get(self.root, "jobs")):
            strategy = get(job, "strategy")
            span = self.span(job)
            group = get(job, "concurrency")
            alone = text_of(group) or text_of(get(group, "group"))

            def read(job: yaml.Node = job, name: str = name) -> Statement:
                return self._job(job, name, everywhere)

            runs = self.turns(matrix_of(get(strategy, "matrix")), _GITHUB, read)
            one = text_of(get(strategy, "max-parallel")) == "1"
            if one or (alone and "matrix." not in alone):
                run: Statement = sequence(runs)
            else:
                run = at_once(runs, span)
            yield Job(name, names_of(get(job, "needs")), run, alone)

    def _job(self, job: yaml.Node, name: str, everywhere: Environment) -> Statement:
        environment = self.environment(get(job, "env"), everywhere)
        environment = self.environment(get(job, "environment"), environment)
        defaults = [get(get(node, "defaults"), "run") for node in (job, self.root)]
        title = text_of(get(job, "name")) or name
        if get(job, "uses") is not None:
            return self._guarded(job, self._action(job))
        steps = [
            self._step(step, environment, defaults, title)
            for step in items_in(get(job, "steps"))
        ]
        return self._guarded(job, sequence(steps))

    def _circle(self) -> Statement:
        """CircleCI's workflows: each puts jobs into an order, and all start at once."""
        found = []
        for _, workflow in entries(get(self.root, "workflows")):
            jobs = items_in(get(workflow, "jobs"))
            found.append(self._arranged(self._circle_job(item) for item in jobs))
        return at_once(found, self.source.whole())

    def _circle_job(self, item: yaml.Node) -> Job:
        """One job of a workflow: a name, or a name with what it is given."""
        key, given = next(entries(item), (text_of(item), None))
        job = get(get(self.root, "jobs"), key)
        parameters = [
            (name, text)
            for name, more in entries(get(job, "parameters"))
            if (text := text_of(get(more, "default")))
        ]
        parameters += list(values_in(given))
        axes = entries(get(get(given, "matrix"), "parameters"))
        turns = product_of(axes)
        every = [tuple({**dict(parameters), **dict(t)}.items()) for t in turns or [()]]
        runs: Sequence[Statement] = ()
        if job is not None:
            found = job

            def read() -> Statement:
                return self._job(found, key, self.environment(None, {}))

            runs = self.turns(every if turns is not None else None, _CIRCLE, read)
        name = text_of(get(given, "name")) or key
        alone = text_of(get(given, "serial-group"))
        run = at_once(runs, self.span(item))
        return Job(name, names_of(get(given, "requires")), run, alone)

    def _step(
        self,
        step: yaml.Node,
        outer: Environment,
        defaults: list[yaml.Node | None],
        title: str,
    ) -> Statement:
        if (inner := self._command(step, outer, defaults, title)) is not None:
            return inner
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
            return self._guarded(step, self.opaque(run, title, reason))
        environment = self.environment(get(step, "env"), outer)
        environment = self.environment(get(step, "environment"), environment)
        group = self.shell(
            [scalar_text(self.source, run, title)],
            environment,
            # Named explicitly, bash runs with -o pipefail as well.
            pipefail=shell == "bash",
            folder=folder if "${{" not in folder else None,
        )
        if text_of(get(step, "continue-on-error")) == "true":
            group = AndOr(group, "||", NOTHING)
        return self._guarded(step, group)

    def _command(
        self,
        step: yaml.Node,
        outer: Environment,
        defaults: list[yaml.Node | None],
        title: str,
    ) -> Statement | None:
        """CircleCI's steps of several: a command of the file, or ``when``."""
        key, given = next(entries(step), (text_of(step), None))
        steps = items_in(get(get(get(self.root, "commands"), key), "steps"))
        guard = key in {"when", "unless"} and get(given, "steps") is not None
        if guard:
            steps = items_in(get(given, "steps"))
        self._steps_left -= len(steps)
        if not steps or self._steps_left < 0:
            return None
        values = {_CIRCLE.format(re.escape(k)): v for k, v in values_in(given)}
        body = self.filled(
            {} if guard else values,
            lambda: sequence(self._step(s, outer, defaults, title) for s in steps),
        )
        if not guard or body == NOTHING:
            return body
        reason = "whether this condition holds is only known when the pipeline runs"
        return Choice((body,), False, Unknown(key, reason))

    def _action(self, step: yaml.Node) -> Statement:
        """A step that runs somebody's action: what that does is not in the file."""
        action = get(step, "uses")
        given = [text_of(value) for _, value in entries(get(step, "with"))]
        if not isinstance(action, yaml.ScalarNode):
            return NOTHING
        if not _TELLING.search(action.value) and not any(map(_GIVEN.search, given)):
            return NOTHING
        reason = "what this action runs is not in the file"
        return self._guarded(step, self.opaque(action, action.value, reason))

    # --- GitLab -----------------------------------------------------------------

    def _gitlab(self) -> Iterator[Job]:
        """The jobs of a GitLab pipeline; templates (``.name``) are no jobs."""
        everywhere = self.environment(get(self.root, "variables"), {})
        jobs = dict(reversed(list(entries(self.root))))
        found: list[tuple[str, list[yaml.Node], Statement]] = []
        for name, job in entries(self.root):
            nodes = _with_templates(job, jobs)
            if name.startswith(".") or name in _NOT_JOBS or not first(nodes, "script"):
                continue
            environment = everywhere
            for node in reversed(nodes):
                environment = self.environment(get(node, "variables"), environment)
            matrix = items_in(get(first(nodes, "parallel"), "matrix"))
            turns = [t for one in matrix for t in product_of(entries(one)) or [()]]
            runs = [
                self._gitlab_job(name, nodes, self._with(environment, turn, job))
                for turn in turns or [()]
            ]
            alone = text_of(first(nodes, "resource_group"))
            run = sequence(runs) if alone else at_once(runs, self.span(job))
            found.append((name, nodes, run))
        yield from self._staged(found)

    def _staged(
        self, found: Sequence[tuple[str, list[yaml.Node], Statement]]
    ) -> Iterator[Job]:
        """Jobs by their stages: each waits for those of all stages before its own.

        Jobs that somebody starts by hand are started one after another.
        """
        order = [text_of(n) for n in items_in(get(self.root, "stages"))]
        order = order or list(_STAGES)
        stages: dict[int, list[str]] = {}
        for name, nodes, _ in found:
            stage = text_of(first(nodes, "stage")) or "test"
            place = order.index(stage) if stage in order else len(order)
            stages.setdefault(place, []).append(name)
        by_hand = {name for name, nodes, _ in found if _by_hand(nodes)}
        before: dict[str, frozenset[str]] = {}
        earlier: frozenset[str] = frozenset()
        for _, names in sorted(stages.items()):
            going = frozenset(names) - by_hand
            for name in names:
                before[name] = going if name in by_hand and going else earlier
            earlier = frozenset(names)
        for name, nodes, run in sorted(found, key=lambda job: _place(stages, job[0])):
            own = first(nodes, "needs")
            needs = names_of(own) if own is not None else before[name]
            alone = text_of(first(nodes, "resource_group"))
            if name in by_hand and not alone:
                alone = "by hand"
            yield Job(name, needs, run, alone)

    def _gitlab_job(
        self, name: str, nodes: Sequence[yaml.Node], environment: Environment
    ) -> Statement:
        before, after = (
            own
            if (own := first(nodes, part)) is not None
            else first([get(self.root, "default"), self.root], part)
            for part in ("before_script", "after_script")
        )
        group = self.lines([before, first(nodes, "script")], environment, name)
        if text_of(first(nodes, "allow_failure")) == "true":
            group = AndOr(group, "||", NOTHING)
        if after is None:
            return group
        # It has a shell of its own, and nobody asks how it ends.
        behind = AndOr(self.lines([after], environment, name), "||", NOTHING)
        return sequence([group, behind])

    def _with(
        self, environment: Environment, turn: Values, job: yaml.Node
    ) -> Environment:
        span = self.span(job)
        more = {k: Assignment(k, Word((v,), v, span)) for k, v in turn}
        return {**environment, **more}

    # --- what all dialects have in common ---------------------------------------

    def _arranged(self, jobs: Iterable[Job]) -> Statement:
        return arranged(list(jobs), self.source.whole())

    def filled(
        self, values: Mapping[str, str], read: Callable[[], Statement]
    ) -> Statement:
        """What is read with more values put in, each by the pattern for it."""
        outer, self.values = self.values, {**self.values, **values}
        statement = read()
        self.values = outer
        return statement

    def turns(
        self,
        turns: Sequence[Values] | None,
        pattern: str,
        read: Callable[[], Statement],
    ) -> list[Statement]:
        """A job once for each turn of its matrix.

        It is there twice if nobody knows the turns: they are the same job, each with
        what it does not know.
        """
        if turns is None:
            return [read()] * 2
        return [
            self.filled({pattern.format(re.escape(k)): v for k, v in turn}, read)
            for turn in turns
        ]

    def lines(
        self,
        values: Sequence[yaml.Node | None],
        environment: Environment,
        title: str | None,
    ) -> Statement:
        """One shell that reads the lines of some values."""
        nodes = [n for value in values for n in scalars(self.source, value, self.root)]
        texts = [scalar_text(self.source, node, title) for node in nodes]
        return self.shell(texts, environment, pipefail=True)

    def shell(
        self,
        texts: Sequence[ShellText],
        environment: Environment,
        *,
        pipefail: bool,
        folder: str | None = "",
        stops: bool = True,
    ) -> Statement:
        """One shell that reads texts one after another, and stops at a failure."""
        script = read_texts(
            [put_in(text, self.values) for text in texts],
            environment.values(),
            pipefail=pipefail,
            at_hand=self.at_hand,
            folder=folder,
        )
        self.unread.extend(script.unread)
        if not script.body.items:
            return NOTHING
        errexit = ErrExit(on=stops, span=texts[0].span(0, 1))
        return Group(sequence([errexit, script.body]), subshell=True)

    def opaque(self, node: yaml.ScalarNode, name: str, reason: str) -> Opaque:
        """Something that runs and cannot be read."""
        opaque = Opaque(Unknown(name, reason), scalar_span(self.source, node))
        self.unread.append(opaque)
        return opaque

    def span(self, node: yaml.Node) -> Span:
        """The place of a node's first line."""
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        end = len(self.source.line(line)) + 1
        return self.source.span(line, column, line, max(column, end))

    def _guarded(self, node: yaml.Node, statement: Statement) -> Statement:
        """A step or job with an ``if:`` may be skipped."""
        condition = text_of(get(node, "if"))
        if not condition or statement == NOTHING:
            return statement
        reason = "whether this condition holds is only known when the workflow runs"
        return Choice((statement,), False, Unknown(f"if: {condition}", reason))

    def environment(self, node: yaml.Node | None, outer: Environment) -> Environment:
        """The variables of a mapping on top of those around it."""
        environment = dict(outer)
        for name, value in entries(node):
            if isinstance(value, yaml.ScalarNode):
                span = scalar_span(self.source, value)
                text = self.put(value.value)
                word = Word(pieces_of(text), text, span)
                environment[name] = Assignment(name, word)
        return environment

    def put(self, text: str) -> str:
        """A text with the values at hand put in."""
        for pattern, value in self.values.items():
            text = re.sub(pattern, value.replace("\\", r"\\"), text)
        return text


# What stands for a value of a matrix, its name put in.
_GITHUB = r"\$\{{\{{\s*matrix\.{}\s*\}}\}}"
_CIRCLE = r"<<\s*(?:parameters|matrix)\.{}\s*>>"


def _has_steps(job: yaml.Node) -> bool:
    return get(job, "steps") is not None or get(job, "uses") is not None


def _by_hand(nodes: Sequence[yaml.Node]) -> bool:
    rules = [text_of(get(rule, "when")) for rule in items_in(first(nodes, "rules"))]
    return "manual" in (text_of(first(nodes, "when")), *rules)


def _place(stages: Mapping[int, list[str]], name: str) -> int:
    return next((place for place, names in stages.items() if name in names), 0)


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
