"""Stories of notations: which commands a list holds, in what order, and which at once.

A story in ``fixtures/notations`` is a file as people write it and a line that says what
is read: commands one after another with ``;``, what may run at the same time in
``[ ... | ... ]``, what runs any number of times in ``each( ... )``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from kopslint.commands.model import MemberRemove, Unreadable
from kopslint.commands.parse import recognise
from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.shell.ast import Parallel, Repeat, SimpleCommand
from kopslint.shell.output import parts
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.shell.ast import Statement


FOLDER = Path(__file__).parents[1] / "fixtures" / "notations"
PATHS = {"pipelines": "ci.yml", "runbooks": "runbook.md", "makefiles": "Makefile"}
PATHS |= {"jenkinsfiles": "Jenkinsfile", "scripts": "list.sh"}


class Story(NamedTuple):
    name: str
    path: str
    text: str
    runs: str


STORIES = [
    Story(each["story"], PATHS[file.stem], each["text"], each["runs"])
    for file in sorted(FOLDER.glob("*.yaml"))
    for each in yaml.safe_load(file.read_text("utf-8"))
]


def told(statement: Statement) -> str:
    match statement:
        case SimpleCommand():
            return " ".join(word.shown for word in statement.words)
        case Parallel(jobs=jobs):
            return f"[ {' | '.join(map(told, jobs))} ]"
        case Repeat(body=body):
            return f"each( {told(body)} )"
    return "; ".join(filter(None, map(told, parts(statement))))


@pytest.mark.parametrize("story", STORIES, ids=lambda s: f"{s.path}: {s.name}")
def test_a_list_runs_its_commands_in_order_and_at_once(story: Story) -> None:
    assert told(read_commands(Source(story.path, story.text)).body) == story.runs


def test_what_is_typed_in_a_pod_is_about_its_etcd() -> None:
    text = (
        "```console\n$ kubectl exec -it -n kube-system etcd-manager-events-a -- sh\n"
        "# etcdctl member remove 8e9e05c52164694d\n```\n"
    )
    script = read_commands(Source("runbook.md", text))
    *_, call = simple_commands(script.body)
    (command,) = recognise(call)

    assert isinstance(command, MemberRemove)
    assert command.etcd_cluster == "events"
    assert command.text == "etcdctl member remove 8e9e05c52164694d"
    assert (command.span.line, command.span.column) == (3, 3)


def test_a_machine_that_one_has_gone_to_is_a_place() -> None:
    text = "```\nssh -p 2222 admin@master-a\nsudo reboot\nexit\nkops get ig\n```\n"
    script = read_commands(Source("runbook.md", text))

    assert [c.places for c in simple_commands(script.body)] == [(), ("master-a",), ()]


def test_a_module_that_takes_machines_away_is_said() -> None:
    text = (
        "- hosts: masters\n  tasks:\n  - reboot:\n  - service: {name: nginx}\n"
        "  - ansible.builtin.systemd: {name: kubelet, state: stopped}\n"
    )
    unread = read_commands(Source("play.yml", text)).unread

    assert [(o.span.line, o.reason.name) for o in unread] == [
        (3, "reboot"),
        (5, "ansible.builtin.systemd"),
    ]


def test_a_block_in_a_language_that_is_not_read_is_said() -> None:
    text = "```python\nname = 'x'\nrun('kops delete ig ' + name, 'is')\n```\n"
    script = read_commands(Source("runbook.md", text))
    said = "```python\nrun(f'{KOPS} x', cmd + kops delete ig)\n```\n"
    (opaque,) = read_commands(Source("runbook.md", said)).unread

    assert script.unread == ()
    assert (opaque.span.line, opaque.reason.name) == (2, "python")


@pytest.mark.parametrize(
    "line", ["npm run roll", "npm-run-all -p a b", "run-p a b", "docker-compose up"]
)
def test_scripts_that_another_file_names_are_not_in_the_list(line: str) -> None:
    (call,) = simple_commands(read_commands(Source("list.sh", line)).body)
    (command,) = recognise(call)

    assert isinstance(command, Unreadable)
