"""Shell in YAML of any kind: under the keys that pipelines have, and under any other.

Azure, Bitbucket, Buildkite, Cloud Build, Tekton, Argo, Concourse, Task, Compose,
Ansible, cloud-init and objects of Kubernetes: a program with its arguments is a list of
words, shell is a text or a list of lines. What waits for what decides which of them run
at the same time. Of keys that are not known a text counts if it calls a program of a
cluster.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from kopslint.syntax.script import Repeat, Statement, Unknown
from kopslint.syntax.shell_output import NOTHING, at_once, sequence
from kopslint.syntax.telling import holds_a_call, is_call, names_a_call
from kopslint.syntax.workflow_jobs import (
    MOST_TURNS,
    Job,
    arranged,
    names_of,
    values_in,
)
from kopslint.syntax.workflow_scalars import scalar_text
from kopslint.syntax.workflow_words import words_text
from kopslint.syntax.workflow_yaml import entries, first, get, items_in, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kopslint.syntax.workflow import Environment, Workflow

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
    """What the document of a workflow runs, in the order that can be told."""
    return _Search(workflow).document()


class _Search:
    """Walks through one document."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.root = workflow.root
        self._left = _MOST
        self._around: list[int] = []

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
            else:
                beside = key in _BESIDE and name == "steps" and _unlimited(node)
                inner = key if beside else name
                found.append(self.node(value, title, inner))
        return sequence(found)

    def _script(self, name: str, value: yaml.Node, title: str) -> Statement:
        """Lines of shell; a list under a key for programs may be one of words."""
        items = items_in(value)
        words = [text_of(item) for item in items]
        if name in _LISTS and not items:
            return self.node(value, title, name)
        one = (
            len(words) > 1 and bool(words[0]) and not re.search(r"\s", words[0].strip())
        )
        if one and name in ("command", "cmd", "shell", "run"):
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
            reason = "what this goes through is only known when it runs"
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
