"""``kopslint commands`` says what was understood of a list, in every notation."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from command_kinds import kinds

from kopslint.cli.program import run
from kopslint.commands import model
from kopslint.commands.parse import recognise
from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kopslint.commands.model import Command

# What a command does, and what that changes.
MEANINGS = {
    "kops create cluster c --zones z": (
        "CreateCluster",
        "writes a cluster to the state store",
        "registry",
    ),
    "kops create cluster c --zones z --yes": (
        "CreateCluster",
        "creates a cluster",
        "registry, cloud, control spec",
    ),
    "kops create -f a.yaml -f b.yaml": (
        "CreateFromFile",
        "creates the objects of a.yaml, b.yaml",
        "registry",
    ),
    "kops create ig n --subnet s": (
        "CreateInstanceGroup",
        "creates instance group n, after an editor",
        "registry",
    ),
    "kops replace -f a.yaml --force": (
        "Replace",
        "overwrites the objects of a.yaml, missing ones included",
        "registry",
    ),
    "kops replace -f a.yaml": (
        "Replace",
        "overwrites the objects of a.yaml, if they exist",
        "registry",
    ),
    "kops edit cluster": (
        "EditCluster",
        "changes the cluster in an editor",
        "registry",
    ),
    "kops edit ig n --set spec.minSize=2 --unset spec.zones": (
        "EditInstanceGroup",
        "changes instance group n: spec.minSize=2, -spec.zones",
        "registry",
    ),
    "kops upgrade cluster": (
        "UpgradeCluster",
        "lists newer versions: without --yes nothing happens",
        "",
    ),
    "kops delete ig master-3 --yes": (
        "DeleteInstanceGroup",
        "deletes instance group master-3 at once",
        "registry, cloud",
    ),
    "kops delete ig master-3": (
        "DeleteInstanceGroup",
        "deletes instance group master-3 after somebody confirms at a terminal",
        "registry, cloud",
    ),
    "kops delete -f a.yaml --yes": (
        "DeleteFromFile",
        "deletes what a.yaml describes, at once",
        "registry, cloud",
    ),
    "kops delete cluster c --yes": (
        "DeleteCluster",
        "deletes the whole cluster",
        "registry, cloud, control spec",
    ),
    "kops delete cluster c --unregister --yes": (
        "DeleteCluster",
        "removes the cluster from the state store",
        "registry",
    ),
    "kops delete instance i-1 --yes": (
        "DeleteInstance",
        "replaces the machine i-1 at once",
        "nodes",
    ),
    "kops update cluster": (
        "UpdateCluster",
        "shows what it would change: without --yes nothing happens",
        "",
    ),
    "kops update cluster --yes": (
        "UpdateCluster",
        "brings the cloud and the control spec in line with the state store",
        "cloud, control spec",
    ),
    "kops update cluster --yes --target terraform": (
        "UpdateCluster",
        "writes files for terraform and changes nothing yet",
        "",
    ),
    "kops rolling-update cluster --yes --instance-group a": (
        "RollingUpdate",
        "replaces machines one after another, only a",
        "nodes",
    ),
    "kops reconcile cluster --yes": (
        "Reconcile",
        "updates the cloud and replaces machines, control plane first",
        "cloud, control spec, nodes",
    ),
    "kops validate cluster --wait 5m": (
        "Validate",
        "validates the cluster, but does not check etcd",
        "",
    ),
    "kops get ig": ("Reads", "changes nothing here (kops get instancegroups)", ""),
    "kops delete ig": ("DeleteInstanceGroup", "is refused for its command line", ""),
    "kubectl exec etcd-manager-main-x -- etcdctl member remove 8e9e05c52164694d": (
        "MemberRemove",
        "removes the member 8e9e05c52164694d from etcd main",
        "etcd",
    ),
    "etcdctl member add d --peer-urls http://d": (
        "MemberAdd",
        "adds the member d to an etcd cluster not named",
        "etcd",
    ),
    "etcd-manager-ctl --backup-store s3://b/backups/etcd/events restore-backup x": (
        "RestoreBackup",
        "restores etcd events from a backup",
        "etcd",
    ),
    "kubectl drain node-1": ("NodeCommand", "drains node-1", ""),
    "terraform destroy": (
        "Terraform",
        "destroys what terraform manages",
        "cloud, control spec",
    ),
    "aws ec2 terminate-instances --instance-ids i-1 i-2": (
        "StopInstances",
        "terminates i-1, i-2",
        "cloud",
    ),
    "aws ec2 delete-volume --volume-id vol-1": (
        "DeleteVolumes",
        "deletes vol-1",
        "cloud",
    ),
    "aws autoscaling set-desired-capacity --auto-scaling-group-name m"
    " --desired-capacity 0": (
        "ResizeCloudGroup",
        "resizes the cloud's group m to 0",
        "cloud",
    ),
    "aws s3 rm --recursive s3://kops/c/backups": (
        "DeleteBackups",
        "removes s3://kops/c/backups from the state store",
        "registry",
    ),
    "sleep 1m": ("Sleep", "waits 60 seconds", ""),
    "grep x y": ("Foreign", "does not touch the cluster (grep)", ""),
    "./deploy.sh": (
        "Unreadable",
        "cannot be read: the script is not part of the list",
        "unknown",
    ),
}


def only_command(line: str) -> Command:
    script = read_commands(Source("run.sh", line))
    (command,) = (c for call in simple_commands(script.body) for c in recognise(call))
    return command


@pytest.mark.parametrize("line", MEANINGS)
def test_a_command_is_told_in_words_with_the_planes_it_changes(line: str) -> None:
    command = only_command(line)
    told = command.meaning
    planes = "unknown" if told.planes is None else ", ".join(told.planes)

    assert (type(command).__name__, told.words, planes) == MEANINGS[line]


@pytest.mark.parametrize("kind", [*kinds()], ids=lambda kind: kind.__name__)
def test_there_are_words_for_every_kind_of_command(kind: type[Command]) -> None:
    """Only what a kind cannot do without is given."""
    span = Source("run.sh", "x").whole()
    needed: dict[str, object] = {"text": "x", "span": span}
    if "verb" in kind.fields and not hasattr(kind, "verb"):
        needed["verb"] = "delete"
    if kind is model.Unreadable:
        needed["reason"] = SimpleNamespace(name="x", reason="it is secret")
    if kind is model.Unreplayed:
        needed["reason"] = "it is not checked"

    make: Callable[..., Command] = kind
    told = make(**needed).meaning

    assert told.words
    unknown = kind in (model.Unreadable, model.Unreplayed)
    assert (told.planes is None) is unknown


# The same command in each notation, and where it stands.
NOTATIONS = {
    "run.sh": ("set -e\nkops delete ig b --yes\n", "2:1"),
    "run.txt": ("  kops delete ig b --yes\n", "1:3"),
    "runbook.md": ("# Now\n\n```bash\n$ kops delete ig b --yes\n```\n", "4:3"),
    "github.yml": (
        "jobs:\n  a:\n    steps:\n    - run: |\n        kops delete ig b --yes\n",
        "5:9",
    ),
    "gitlab.yaml": ("a:\n  script:\n  - kops delete ig b --yes\n", "3:5"),
    "Makefile": ("all:\n\t@kops delete ig b --yes\n", "2:3"),
    "main.tf": (
        'provisioner "local-exec" {\n  command = "kops delete ig b --yes"\n}\n',
        "2:14",
    ),
    "Jenkinsfile": ("pipeline {\n  sh 'kops delete ig b --yes'\n}\n", "2:7"),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_line_says_where_what_and_which_planes(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, place = NOTATIONS[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert run(["commands", name]) == 0
    assert capsys.readouterr().out == (
        f"{name}:{place}: deletes instance group b at once [registry, cloud]"
        " <- kops delete ig b --yes\n\n1 command\n"
    )


@pytest.fixture
def from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def show(text: str, *options: str) -> tuple[int, str, str]:
        stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        status = run(["commands", "-", *options])
        out, err = capsys.readouterr()
        return status, out, err

    return show


def test_unknown_parts_faults_and_unread_parts_are_told_with_their_reasons(
    from_stdin: Callable[..., tuple[int, str, str]],
) -> None:
    text = 'kops delete ig "$IG" --yess\nfi\n'

    assert from_stdin(text) == (
        0,
        (
            "<stdin>:1:1: is refused for its command line [nothing]"
            ' <- kops delete ig "$IG" --yess\n'
            "  ? $IG: $IG is not set in this file\n"
            "  ! `kops delete instancegroup` has no flag --yess; perhaps --yes\n"
            "<stdin>:2:1: cannot be read: `fi` is out of place <- fi\n"
            "\n1 command, 1 part cannot be read\n"
        ),
        "",
    )


def test_json_holds_the_same_for_programs(
    from_stdin: Callable[..., tuple[int, str, str]],
) -> None:
    text = "kops delete ig $IG --name c --yess\n./x.sh\nfi\n"

    status, out, _ = from_stdin(text, "--format", "json")
    told = json.loads(out)
    place = {"path": "<stdin>", "line": 1, "column": 1, "end_line": 1}

    assert status == 0
    assert list(told) == ["schema", "commands", "unread"]
    assert told["schema"] == "kopslint-commands/v1"
    assert told["commands"][0] == {
        **place,
        "end_column": 35,
        "command": "kops delete ig $IG --name c --yess",
        "kind": "DeleteInstanceGroup",
        "does": "is refused for its command line",
        "changes": [],
        "cluster": "c",
        "unknown": [{"name": "$IG", "reason": "$IG is not set in this file"}],
        "problems": [
            {
                "kind": "unknown-flag",
                "message": "`kops delete instancegroup` has no flag --yess",
                "line": 1,
                "column": 29,
                "refused": True,
                "suggestion": "--yes",
            }
        ],
    }
    assert told["commands"][1]["changes"] is None
    assert told["unread"] == [
        {
            **place,
            "line": 3,
            "end_line": 3,
            "end_column": 3,
            "text": "fi",
            "reason": "`fi` is out of place",
        }
    ]


PULL_REQUEST = """\
Scale the control plane down to three.

Done by hand, `kops delete ig a --yes` was not run yet:

```
kops delete ig b --yes
```
"""


@pytest.mark.parametrize(
    ("text", "options", "places"),
    [
        pytest.param(PULL_REQUEST, [], ["6:1"], id="pull request"),
        pytest.param("# Remove b\n\nkops delete ig b --yes\n", [], ["3:1"], id="shell"),
        pytest.param(
            "Then run this:\n\n    kops delete ig b --yes\n", [], ["3:5"], id="indented"
        ),
        pytest.param(
            "cat <<E\nPlease run this:\nE\nkops delete ig b --yes\n",
            [],
            ["1:1", "4:1"],
            id="prose in a script",
        ),
        pytest.param(
            "kops get ig\n\n    kops delete ig b --yes\n",
            ["--stdin-as", "markdown"],
            ["1:1", "3:5"],
            id="said to be Markdown",
        ),
        pytest.param(
            ": <<E\n```\nkops get ig\n```\nE\nkops delete ig b --yes\n",
            ["--stdin-as", "shell"],
            ["1:1", "6:1"],
            id="said to be shell",
        ),
    ],
)
def test_the_standard_input_may_be_shell_or_markdown(
    text: str,
    options: list[str],
    places: list[str],
    from_stdin: Callable[..., tuple[int, str, str]],
) -> None:
    status, out, _ = from_stdin(text, "--format", "json", *options)

    shown = [f"{c['line']}:{c['column']}" for c in json.loads(out)["commands"]]
    assert (status, shown) == (0, places)


def test_no_command_at_all_is_no_success(
    from_stdin: Callable[..., tuple[int, str, str]],
) -> None:
    status, out, err = from_stdin("# nothing to do\n")

    assert (status, out) == (3, "")
    assert err.startswith("kopslint: there is no command in the input\n  hint: ")


@pytest.mark.parametrize("command", ["commands", "check"])
def test_how_the_standard_input_is_written_needs_a_standard_input(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "run.sh"
    script.write_text("kops get ig\n", encoding="utf-8")
    name = ["--commands"] if command == "check" else []

    assert run([command, *name, str(script), "--stdin-as", "shell"]) == 2
    assert "none are read from there" in capsys.readouterr().err


def test_control_characters_never_reach_the_terminal(
    from_stdin: Callable[..., tuple[int, str, str]],
) -> None:
    _, out, _ = from_stdin("kops delete ig '\x1b[2J\u202e' --yes\n")

    assert out.splitlines()[0] == (
        "<stdin>:1:1: deletes instance group \\x1b[2J\\u202e at once [registry, cloud]"
        " <- kops delete ig '\\x1b[2J\\u202e' --yes"
    )
