"""CI workflow files: the shell in GitHub's ``run:``, GitLab's ``script:`` and others.

Each step (GitHub) or job (GitLab) is a shell of its own that stops at the first
failure, and so does the list of them. Jobs that wait for each other run one after the
other; those that do not may run at the same time. What starts a workflow, and on which
machine, does not matter here. Any other YAML is searched for shell under any key.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

import yaml

from kopslint.notations.pipeline_jobs import (
    MOST_TURNS,
    Job,
    Values,
    arranged,
    matrix_of,
    names_of,
    product_of,
    values_in,
)
from kopslint.notations.pipeline_yaml import (
    compose,
    entries,
    first,
    get,
    items_in,
    scalar_span,
    scalar_text,
    scalars,
    text_of,
)
from kopslint.notations.program_names import holds_a_call, is_call, names_a_call
from kopslint.shell.ast import (
    AndOr,
    Assignment,
    Choice,
    ErrExit,
    Group,
    Opaque,
    Repeat,
    Script,
    Statement,
    Unknown,
    Word,
)
from kopslint.shell.output import NOTHING, at_once, sequence
from kopslint.shell.read import read_texts
from kopslint.shell.text import Anchor, ShellText, pieces_of, put_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.text import Source, Span


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
            pipefail=shell == "bash" or "pipefail" in shell,
            stops=_stops_at_failure(shell),
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
        reason = (
            "it is only known when the pipeline runs whether this condition is true"
        )
        return Choice((body,), False, Unknown(key, reason))

    def _action(self, step: yaml.Node) -> Statement:
        """A step that runs somebody's action: what that does is not in the file."""
        action = get(step, "uses")
        values = [value for _, value in entries(get(step, "with"))]
        given = [text_of(value) for value in values]
        if not isinstance(action, yaml.ScalarNode):
            return NOTHING
        if any(map(holds_a_call, given)):
            # What such an action runs on another machine is a text of a shell.
            shell = [value for value in values if holds_a_call(text_of(value))]
            return self._guarded(step, self.lines(shell, {}, action.value))
        for value in values:
            if isinstance(value, yaml.ScalarNode) and names_a_call(value.value):
                reason = "the file does not show what this action does with it"
                return self._guarded(step, self.opaque(value, action.value, reason))
        if not _TELLING.search(action.value) and not any(map(_GIVEN.search, given)):
            return NOTHING
        reason = "the file does not show what this action runs"
        return self._guarded(step, self.opaque(action, action.value, reason))

    # --- GitLab -----------------------------------------------------------------

    def _gitlab(self) -> Iterator[Job]:
        """The jobs of a GitLab pipeline; templates (``.name``) are no jobs."""
        everywhere = self.environment(get(self.root, "variables"), {})
        jobs = dict(reversed(list(entries(self.root))))
        if (others := get(self.root, "include")) is not None:
            reason = "the pipelines that this one includes are not read"
            included = Unknown("include", reason)
            self.unread.append(Opaque(included, self.span(others), runs=False))
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
        """Something that runs and cannot be read; its text may name a call."""
        opaque = Opaque(
            Unknown(name, reason),
            scalar_span(self.source, node),
            reaches=names_a_call(node.value),
        )
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
        reason = (
            "it is only known when the workflow runs whether this condition is true"
        )
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


def _stops_at_failure(shell: str) -> bool:
    """Whether the shell of a step ends at the first command that fails.

    A name alone, or none, is run with ``-e``; a command line is run as it is written.
    Source: GitHub's workflow syntax, "Exit codes and error action preference", and
    CircleCI's configuration reference, "Default shell options".
    """
    if shell in ("", "bash", "sh"):
        return True
    return re.search(r"(?:^|\s)-[a-z]*e|errexit", shell) is not None


# ------------------------------------------------------------------------------------
# A list of words in YAML as the text that a shell would read as these words

# What a shell leaves alone, placeholders among it.
_PLAIN = re.compile(
    r"(?:[\w@%+=:,./-]|\{\{[^{}\n]*\}\}|\$\{\{[^{}\n]*\}\}|<<[^<>\n]*>>)+"
)


def words_text(
    source: Source,
    words: Sequence[yaml.ScalarNode],
    title: str | None,
    program: str = "",
) -> ShellText:
    """The words as shell, behind a ``program`` that is not written there."""
    text = ""
    anchors: list[Anchor] = []
    if program:
        line, column = scalar_text(source, words[0], title).position(0)
        anchors.append(Anchor(0, line, column, still=True))
        text = f"{program} "
    for word in words:
        inner = scalar_text(source, word, title)
        if anchors:
            line, column = inner.position(0)
            anchors.append(Anchor(len(text), line, column))
        if _PLAIN.fullmatch(word.value):
            start = len(text)
            anchors += [a._replace(offset=start + a.offset) for a in inner.anchors]
            text += word.value
        else:
            line, column = inner.position(0)
            anchors.append(Anchor(len(text), line, column, still=True))
            text += quote(word.value)
        text += " "
    return ShellText(
        source, text.rstrip(" ") or " ", _words_in_order(anchors), title=title
    )


def _words_in_order(anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
    """The last anchor of each offset."""
    return tuple({anchor.offset: anchor for anchor in anchors}.values())


# ------------------------------------------------------------------------------------
# Shell in YAML of any kind: under the keys that pipelines have, and under any other
#
# Azure, Bitbucket, Buildkite, Cloud Build, Tekton, Argo, Concourse, Task, Compose,
# Ansible, cloud-init and objects of Kubernetes: a program with its arguments is a
# list of words, shell is a text or a list of lines. What waits for what decides which
# of them run at the same time. Of keys that are not known a text counts if it calls a
# program of a cluster.

_SCRIPTS = {
    *("script", "bash", "inlineScript", "commands", "cmd", "cmds", "shell", "command"),
    *("run", "raw", "source", "before_script", "after_script", "before_install"),
    *("install", "ansible.builtin.shell", "ansible.builtin.command"),
    *("ansible.builtin.raw", "ansible.builtin.script"),
    *("pre-script", "post-script", "preScript", "postScript", "afterScript"),
    *("after-script",),
}
# A list of words and not of lines, or nothing that runs, under a key that is neither.
_WORDS = ("path", "entrypoint", "command", "argv", "cmd", "args")
_LISTS = {"argv", "args", "entrypoint"}
_ONE_PROGRAM = {"command", "cmd", "shell", "run"}
_MACHINE_MODULES = {
    *("reboot", "shutdown", "win_reboot", "ec2_instance", "ec2_asg", "ec2_vol"),
    *("autoscaling_group", "autoscaling_instance_refresh", "gcp_compute_instance"),
    *("azure_rm_virtualmachine", "azure_rm_virtualmachinescaleset", "os_server"),
}
_BUCKET_MODULES = {"s3_object", "aws_s3", "s3_bucket", "gcp_storage_object"}
_TAKES_AWAY = re.compile(
    r"(?:absent|terminated|stopped|restarted|rebooted|killed|delete|delobj|poweredoff"
    r"|deallocated|masked)"
)
_ALWAYS_TAKES_AWAY = {
    "reboot",
    "shutdown",
    "win_reboot",
    "autoscaling_instance_refresh",
}
_NOT_CONTROL_PLANE = re.compile(r"(?:\w+[-_])?(?:nodes?|workers?|bastions?|agents?)")
_SERVICE_MODULES = {"systemd", "systemd_service", "service", "docker_container", "file"}
_ON_A_MASTER = re.compile(
    r"(?<![\w-])(?:kubelet|etcd|etcd-manager|protokube|containerd|docker|master-vol)"
)
_INIT = {"runcmd", "bootcmd"}
_FOREIGN = {"pwsh", "powershell"}
_SHELL = re.compile(
    r"(?:\S*/)?(?:ba|da|z|k|a)?sh(?:\.exe)?|pwsh|powershell|python3?|cmd"
)
_SHELL_OPTION = re.compile(r"-[a-z]*c")
_PROSE = {
    *("name", "title", "description", "displayName", "summary", "comment", "message"),
    *("msg", "help", "label", "labels", "annotations", "notes", "doc", "note", "desc"),
    *("if", "when", "image", "uses", "debug", "prompt", "apiVersion", "kind", "echo"),
}
_TITLES = (
    *("displayName", "name", "label", "title", "id", "key", "job", "stage", "task"),
    "deployment",
)
_BESIDE = {"parallel", "in_parallel", "aggregate", "containers", "include"}
_LOOPS = ("loop", "with_items", "with_list", "withItems")
_ITEM = r"\{{\{{\s*item{}\s*\}}\}}"
_KOPS_IMAGE = re.compile(r"(?:.*[/_.-])?kops(?:[:@_-].*)?")
_KOPS_OBJECT = re.compile(r"kops(?:\.k8s\.io)?/")
_KOPS_KINDS = {"Cluster", "InstanceGroup"}
# Aliases may name a node many times over.
_MOST = 10_000
# What is called again is read again.
_COPY = 10


def search(workflow: Workflow) -> Statement:
    """What the document of a workflow runs, in the order that is known."""
    return _Search(workflow).document()


class _Search:
    """Walks through one document."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.root = workflow.root
        self._left = _MOST
        self._around: list[int] = []
        self._hosts = ""

    def document(self) -> Statement:
        """The whole document, by what only one kind of pipeline has at its top."""
        root = self.root
        if isinstance(get(root, "tasks"), yaml.MappingNode):
            return self._taskfile()
        services = get(root, "services")
        if any(get(s, "image") or get(s, "build") for _, s in entries(services)):
            return self._services(services)
        templates = items_in(get(get(root, "spec"), "templates"))
        if templates:
            return self._argo(templates)
        return self.node(root, None) if root is not None else NOTHING

    # --- any node ---------------------------------------------------------------

    def node(self, node: yaml.Node, title: str | None, key: str = "") -> Statement:
        """What a node runs; ``key`` is what it stands under."""
        self._left -= 1
        if self._left < 0 or id(node) in self._around:
            return NOTHING
        self._around.append(id(node))
        if isinstance(node, yaml.MappingNode):
            found = self._mapping(node, title, key)
        elif isinstance(node, yaml.SequenceNode):
            found = self._list(node, title, key)
        elif isinstance(node, yaml.ScalarNode) and holds_a_call(node.value):
            found = self.workflow.lines([node], {}, title or key or None)
        else:
            found = NOTHING
        self._around.pop()
        return found

    def _mapping(
        self, node: yaml.MappingNode, title: str | None, key: str
    ) -> Statement:
        self._hosts = text_of(get(node, "hosts")) or self._hosts
        version = text_of(get(node, "apiVersion"))
        if _KOPS_OBJECT.match(version) or (
            not version and text_of(get(node, "kind")) in _KOPS_KINDS
        ):
            return NOTHING
        named = (text_of(get(node, name)) for name in _TITLES)
        title = next(filter(None, named), title)
        loop = next(filter(None, (get(node, name) for name in _LOOPS)), None)
        if loop is not None:
            return self._loop(node, loop, title)
        strategy = get(node, "strategy")
        if turns := [_turn(v) for _, v in entries(get(strategy, "matrix"))]:

            def read() -> Statement:
                return self._entries(node, title, key)

            found = [self.workflow.filled(turn, read) for turn in turns[:MOST_TURNS]]
            one = text_of(get(strategy, "maxParallel")) == "1"
            return sequence(found) if one else at_once(found, self.workflow.span(node))
        return self._entries(node, title, key)

    def _entries(self, node: yaml.Node, title: str | None, key: str) -> Statement:
        program = self._program(node, title)
        if program is not None:
            found, used = [program], set(_WORDS) | {"source"}
        else:
            found, used = [], set[str]()
        seen: set[str] = set()
        for name, value in _in_order(node):
            if name in seen or name in used or name in _PROSE:
                continue
            seen.add(name)
            if name in _INIT:
                found.append(self._init(value, title or name))
            elif name in _SCRIPTS and not isinstance(value, yaml.MappingNode):
                found.append(self._script(name, value, title or name))
            elif name in _FOREIGN and isinstance(value, yaml.ScalarNode):
                reason = f"this step runs in {name}, which is not read"
                found.append(self.workflow.opaque(value, title or name, reason))
            elif _is_module(name, value):
                found.append(self._module(name, value))
            else:
                beside = key in _BESIDE and name == "steps" and _unlimited(node)
                inner = key if beside else name
                found.append(self.node(value, title, inner))
        return sequence(found)

    def _module(self, name: str, value: yaml.Node) -> Statement:
        """A module of Ansible that changes machines: nothing of it is replayed.

        What it is told to take away may be the control plane's, unless the hosts of
        the play are called otherwise.
        """
        reason = f"kopslint does not know what `{name}` of Ansible does to machines"
        opaque = Opaque(
            Unknown(name, reason),
            self.workflow.span(value),
            reaches=_takes_away(name, value)
            and not _NOT_CONTROL_PLANE.fullmatch(self._hosts),
        )
        self.workflow.unread.append(opaque)
        return opaque

    def _script(self, name: str, value: yaml.Node, title: str) -> Statement:
        """Lines of shell; a list under a key for programs may be one of words."""
        items = items_in(value)
        words = [text_of(item) for item in items]
        if name in _LISTS and not items:
            return self.node(value, title, name)
        one = (
            len(words) > 1 and bool(words[0]) and not re.search(r"\s", words[0].strip())
        )
        if one and name in _ONE_PROGRAM:
            return self._words(items, title)
        if any(isinstance(item, yaml.MappingNode) for item in items):
            return self.node(value, title, "")
        if _SHELL.fullmatch(text_of(value).strip()):
            return NOTHING
        return self.workflow.lines([value], {}, title)

    def _list(self, node: yaml.SequenceNode, title: str | None, key: str) -> Statement:
        items = items_in(node)
        words = [text_of(item) for item in items]
        if len(words) > 1 and all(words) and is_call(" ".join(words[:3])):
            return self._words(items, title)
        if (jobs := self._jobs(items, key)) is not None:
            return jobs
        found = []
        for item in items:
            # Argo writes what runs at the same time as a list in the list of steps.
            inner = "parallel" if key == "steps" and items_in(item) else ""
            found.append(self.node(item, title, inner or key))
        if key in _BESIDE:
            return at_once(found, self.workflow.span(node))
        return sequence(found)

    def _init(self, node: yaml.Node, title: str) -> Statement:
        """cloud-init's commands, lines or lists of words; no failure stops them."""
        texts = []
        for item in items_in(node):
            words = [i for i in items_in(item) if isinstance(i, yaml.ScalarNode)]
            if words:
                texts.append(words_text(self.workflow.source, words, title))
            elif isinstance(item, yaml.ScalarNode):
                texts.append(scalar_text(self.workflow.source, item, title))
        return self.workflow.shell(texts, {}, pipefail=False, stops=False)

    # --- programs and their arguments -------------------------------------------

    def _program(self, node: yaml.Node, title: str | None) -> Statement | None:
        """The program that a container or a task is: words under several keys."""
        lists = {name: items_in(get(node, name)) for name in _WORDS}
        lines = lists["command"] and re.search(r"\s", text_of(lists["command"][0]))
        if lines or not any(lists.values()):
            return None
        words: list[yaml.ScalarNode] = []
        for name in _WORDS:
            value = get(node, name)
            found: list[yaml.Node | None] = [*lists[name]] or [value]
            words += [item for item in found if isinstance(item, yaml.ScalarNode)]
        source = get(node, "source")
        if isinstance(source, yaml.ScalarNode):
            return self._source(source, words, title)
        if not words:
            return None
        named = any(get(node, name) is not None for name in _WORDS[:-1])
        return self._words(words, title, "" if named else self._image(node, words))

    def _image(self, node: yaml.Node, words: Sequence[yaml.ScalarNode]) -> str | None:
        """The program of an image that is given arguments only; None: not known."""
        image = text_of(first([node], "image")) or text_of(get(node, "name"))
        if is_call(" ".join(word.value for word in words[:3])):
            return ""
        if _SHELL_OPTION.fullmatch(words[0].value):
            return "sh"
        if is_call(" ".join(["kops", *(word.value for word in words[:3])])):
            return "kops" if _KOPS_IMAGE.fullmatch(image.rpartition("/")[2]) else None
        return None

    def _words(
        self, items: Sequence[yaml.Node], title: str | None, program: str | None = ""
    ) -> Statement:
        words = [item for item in items if isinstance(item, yaml.ScalarNode)]
        if program is None or not words:
            return NOTHING
        text = words_text(self.workflow.source, words, title, program)
        return self.workflow.shell([text], {}, pipefail=False)

    def _source(
        self, source: yaml.ScalarNode, command: Sequence[yaml.Node], title: str | None
    ) -> Statement:
        """Argo's scripts: a text for the program that the container runs."""
        program = text_of(command[0]) if command else "sh"
        if not re.fullmatch(r"(?:\S*/)?(?:ba|da|z|k|a)?sh", program):
            if not names_a_call(source.value):
                return NOTHING
            reason = f"this step runs in {program}, which is not read"
            return self.workflow.opaque(source, title or program, reason)
        return self.workflow.lines([source], {}, title)

    # --- loops ------------------------------------------------------------------

    def _loop(self, node: yaml.Node, loop: yaml.Node, title: str | None) -> Statement:
        """A task for each of some items, one after another; Argo's at the same time."""

        def read() -> Statement:
            return self._entries(node, title, "")

        items = items_in(loop)
        if not items:
            body = read()
            reason = "the items of this loop are only known when it runs"
            unknown = Unknown(text_of(loop) or "loop", reason)
            if body == NOTHING:
                return NOTHING
            return Repeat(unknown, body, self.workflow.span(loop))
        found = [self.workflow.filled(_item(item), read) for item in items]
        if get(node, "withItems") is not None:
            return at_once(found, self.workflow.span(loop))
        return sequence(found)

    # --- what waits for what ----------------------------------------------------

    def _jobs(self, items: Sequence[yaml.Node], key: str) -> Statement | None:
        """A list of jobs that may say for which others they wait; None: it is none."""
        reader = None
        if any(get(item, "stage") and get(item, "jobs") for item in items):
            reader = self._azure_stages
        elif any(get(item, "job") or get(item, "deployment") for item in items):
            reader = self._azure_jobs
        elif any(get(item, "runAfter") or get(item, "taskSpec") for item in items):
            reader = self._tekton
        elif any(get(item, "waitFor") for item in items):
            reader = self._cloud_build
        elif key == "steps" and any(map(_is_buildkite, items)):
            reader = self._buildkite
        elif any(get(item, "depends_on") for item in items):
            reader = self._drone
        if reader is None:
            return None
        return arranged(list(reader(items)), self.workflow.source.whole())

    def _azure_stages(self, items: Sequence[yaml.Node]) -> Iterator[Job]:
        before: frozenset[str] = frozenset()
        for number, item in enumerate(items):
            name = text_of(get(item, "stage")) or str(number)
            own = get(item, "dependsOn")
            needs = names_of(own) if own is not None else before
            yield Job(name, needs, self.node(item, name))
            before = frozenset({name})

    def _azure_jobs(self, items: Sequence[yaml.Node]) -> Iterator[Job]:
        for number, item in enumerate(items):
            name = text_of(first([item], "job")) or text_of(get(item, "deployment"))
            needs = names_of(get(item, "dependsOn"))
            yield Job(name or str(number), needs, self.node(item, name or None))

    def _tekton(self, items: Sequence[yaml.Node]) -> Iterator[Job]:
        for item in items:
            name = text_of(get(item, "name"))
            yield Job(name, names_of(get(item, "runAfter")), self.node(item, name))

    def _cloud_build(self, items: Sequence[yaml.Node]) -> Iterator[Job]:
        """Google's steps wait for all before them, or for those they name (``-``)."""
        before: set[str] = set()
        for number, item in enumerate(items):
            name = text_of(get(item, "id")) or str(number)
            own = get(item, "waitFor")
            needs = names_of(own) if own is not None else frozenset(before)
            yield Job(name, needs, self.node(item, name))
            before.add(name)

    def _buildkite(self, items: Sequence[yaml.Node]) -> Iterator[Job]:
        """Steps run at the same time, but for what stands behind a ``wait``."""
        before: set[str] = set()
        since: set[str] = set()
        for number, item in enumerate(items):
            kind = next((name for name, _ in entries(item)), text_of(item))
            if {kind} & {"wait", "block", "input", "waiter"}:
                before |= since
                since = set()
                continue
            name = text_of(get(item, "key")) or str(number)
            needs = names_of(get(item, "depends_on")) | before
            # What is only so many times the same at once has the same group.
            alone = text_of(get(item, "concurrency_group"))
            yield Job(name, needs, self.node(item, text_of(get(item, "label"))), alone)
            since.add(name)

    def _drone(self, items: Sequence[yaml.Node]) -> Iterator[Job]:
        for number, item in enumerate(items):
            name = text_of(get(item, "name")) or str(number)
            yield Job(name, names_of(get(item, "depends_on")), self.node(item, name))

    def _services(self, services: yaml.Node | None) -> Statement:
        """Compose: services start at the same time, but for those they depend on."""
        jobs = [
            Job(name, names_of(get(service, "depends_on")), self.node(service, name))
            for name, service in entries(services)
        ]
        return arranged(jobs, self.workflow.source.whole())

    # --- Argo -------------------------------------------------------------------

    def _argo(self, templates: Sequence[yaml.Node]) -> Statement:
        """The template that a workflow of Argo starts with, and those it names."""
        known = {text_of(get(template, "name")): template for template in templates}
        start = known.get(text_of(get(get(self.root, "spec"), "entrypoint")))
        if start is None:
            return sequence(self.node(template, None) for template in templates)
        return self._template(start, known, frozenset())

    def _template(
        self,
        template: yaml.Node,
        known: Mapping[str, yaml.Node],
        around: frozenset[str],
    ) -> Statement:
        name = text_of(get(template, "name"))
        self._left -= _COPY
        if name in around or self._left < 0:
            return NOTHING
        around |= {name}
        tasks = items_in(get(get(template, "dag"), "tasks"))
        if tasks:
            jobs = [
                Job(
                    text_of(get(task, "name")),
                    names_of(get(task, "dependencies"))
                    | frozenset(re.findall(r"[\w-]+", text_of(get(task, "depends")))),
                    self._call(task, known, around),
                )
                for task in tasks
            ]
            return arranged(jobs, self.workflow.span(template))
        steps = items_in(get(template, "steps"))
        if not steps:
            return self.node(template, name)
        return sequence(
            at_once(
                [self._call(s, known, around) for s in items_in(step) or [step]],
                self.workflow.span(step),
            )
            for step in steps
        )

    def _call(
        self, step: yaml.Node, known: Mapping[str, yaml.Node], around: frozenset[str]
    ) -> Statement:
        """A step that runs a template, with what it hands over."""
        template = known.get(text_of(get(step, "template")))
        if template is None:
            return self.node(step, None)
        found = template

        def read() -> Statement:
            given = get(get(step, "arguments"), "parameters")
            values = {
                rf"\{{\{{\s*inputs\.parameters\.{re.escape(name)}\s*\}}\}}": value
                for item in items_in(given)
                if (name := text_of(get(item, "name")))
                and (value := self.workflow.put(text_of(get(item, "value"))))
            }
            return self.workflow.filled(
                values, lambda: self._template(found, known, around)
            )

        items = items_in(get(step, "withItems"))
        if not items:
            return read()
        runs = [self.workflow.filled(_item(item), read) for item in items]
        return at_once(runs, self.workflow.span(step))

    # --- Task -------------------------------------------------------------------

    def _taskfile(self) -> Statement:
        """The task ``default`` and what it calls, or all in the order written."""
        tasks = dict(entries(get(self.root, "tasks")))
        environment = self.workflow.environment(get(self.root, "env"), {})
        names = ["default"] if "default" in tasks else list(tasks)
        called = {n for t in tasks.values() for n in _called(t)}
        starts = [name for name in names if name not in called] or names
        return sequence(
            self._task(name, tasks, environment, frozenset()) for name in starts
        )

    def _task(
        self,
        name: str,
        tasks: Mapping[str, yaml.Node],
        environment: Environment,
        around: frozenset[str],
    ) -> Statement:
        task = tasks.get(name)
        self._left -= _COPY
        if task is None or name in around or self._left < 0:
            return NOTHING
        around |= {name}
        environment = self.workflow.environment(get(task, "env"), environment)
        first_of_all = at_once(
            [
                self._task(_task_name(need), tasks, environment, around)
                for need in items_in(get(task, "deps"))
            ],
            self.workflow.span(task),
        )
        found: list[Statement] = [first_of_all]
        commands = items_in(task) or items_in(get(task, "cmds"))
        commands = commands or [c for c in [get(task, "cmd")] if c is not None]
        commands = commands or ([task] if isinstance(task, yaml.ScalarNode) else [])
        for command in commands:
            if get(command, "task") is not None:
                called = _task_name(command)
                found.append(self._task(called, tasks, environment, around))
                continue
            written = get(command, "cmd") or get(command, "defer")
            line = command if isinstance(command, yaml.ScalarNode) else written

            def read(line: yaml.Node | None = line) -> Statement:
                return self.workflow.lines([line], environment, name)

            items = items_in(get(command, "for"))
            if items:
                found += [
                    self.workflow.filled({r"\{\{\s*\.ITEM\s*\}\}": text_of(item)}, read)
                    for item in items
                ]
            else:
                found.append(read())
        return sequence(found)


def _in_order(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping; what Kubernetes starts first comes first."""
    found = list(entries(node))
    yield from (entry for entry in found if entry[0] == "initContainers")
    yield from (entry for entry in found if entry[0] != "initContainers")


def _is_module(name: str, value: yaml.Node) -> bool:
    """Whether a key is a module of Ansible that takes machines or their etcd away."""
    module = name.rpartition(".")[2]
    if module in _MACHINE_MODULES:
        return "." in name or isinstance(value, yaml.MappingNode) or not text_of(value)
    if module in _BUCKET_MODULES:
        return _takes_away(name, value)
    told = _ON_A_MASTER.search(_said(value)) is not None
    return module in _SERVICE_MODULES and told and _takes_away(name, value)


def _takes_away(name: str, value: yaml.Node) -> bool:
    """Whether a module of Ansible stops or removes what it is about.

    Source: the modules' own documentation: ``state``, ``mode``, and for groups of
    machines ``replace_all_instances`` and ``lc_check``.
    """
    if name.rpartition(".")[2] in _ALWAYS_TAKES_AWAY:
        return True
    told = dict(values_in(value))
    told |= dict(re.findall(r"(\w+)=(\S+)", text_of(value)))
    state = told.get("state") or told.get("mode") or ""
    return (
        _TAKES_AWAY.fullmatch(state) is not None
        or told.get("replace_all_instances", "") in ("true", "yes", "True")
        or told.get("desired_capacity") == "0"
        or told.get("max_size") == "0"
    )


def _said(value: yaml.Node) -> str:
    return f"{text_of(value)} {' '.join(text for _, text in values_in(value))}"


def _unlimited(node: yaml.Node) -> bool:
    return text_of(get(node, "limit")) != "1"


def _turn(node: yaml.Node) -> dict[str, str]:
    """What a turn of a matrix of Azure puts in."""
    return {rf"\$\({re.escape(name)}\)": value for name, value in values_in(node)}


def _item(item: yaml.Node) -> dict[str, str]:
    """What an item of a loop puts in."""
    if isinstance(item, yaml.ScalarNode):
        return {_ITEM.format(""): item.value}
    return {_ITEM.format(rf"\.{re.escape(n)}"): v for n, v in values_in(item)}


def _is_buildkite(item: yaml.Node) -> bool:
    if text_of(item) in {"wait", "block"}:
        return True
    return any(
        get(item, name) is not None
        for name in ("wait", "block", "command", "commands", "trigger")
    ) and not any(
        get(item, name) is not None for name in ("name", "image", "task", "bash")
    )


def _task_name(node: yaml.Node) -> str:
    return text_of(node) or text_of(get(node, "task"))


def _called(task: yaml.Node) -> set[str]:
    """The tasks that a task waits for or runs."""
    inner = [*items_in(get(task, "deps")), *items_in(get(task, "cmds"))]
    names = {_task_name(n) for n in inner if not isinstance(n, yaml.ScalarNode)}
    return names | {text_of(n) for n in items_in(get(task, "deps"))}
