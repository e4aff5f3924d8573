"""Commands in the styles that runbooks and scripts are written in, to their meaning.

Each style is read and recognised, so the list of what it asks for is complete:
nothing more and nothing less counts. The styles are data, in fixtures/styles.yaml.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import pytest
import yaml

from kopslint.commands.parse import recognise
from kopslint.engine import Request, check
from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.text import Source


class Style(TypedDict):
    style: str
    text: str
    means: list[str]


FIXTURE = Path(__file__).parents[1] / "fixtures" / "styles.yaml"
STYLES: list[Style] = yaml.safe_load(FIXTURE.read_text(encoding="utf-8"))
TERRAFORM = """\
# command = "kops delete ig commented --yes"
resource "null_resource" "kops" {
  description = "command = kops delete ig said --yes"
  provisioner "local-exec" {
    command = "export A='s3://b/${var.n}'; kops delete ig b --name \\"x\\" --yes"
  }
  provisioner "local-exec" {
    command = <<-EOF
      AWS_PROFILE=${var.p} kops --state=s3://${var.b} \\
        update cluster ${var.c} --yes
      kops delete ig $${GROUP} --yes
    EOF
  }
}
"""


UPDATED = "brings the cloud and the control spec in line with the state store"


def told(name: str, text: str) -> list[str]:
    script = read_commands(Source(name, text))
    commands = [c for call in simple_commands(script.body) for c in recognise(call)]
    return [
        f"{c.span.line}:{c.span.column} {type(c).__name__}: {c.meaning.words}"
        for c in commands
    ] + [
        f"{part.span.line}:{part.span.column} unread: {part.reason.reason}"
        for part in script.unread
    ]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style["style"])
def test_a_style_is_understood_completely(style: Style) -> None:
    assert told("run.sh", style["text"]) == style["means"]


def test_terraform_runs_the_commands_of_local_exec() -> None:
    assert told("main.tf", TERRAFORM) == [
        "5:44 DeleteInstanceGroup: deletes instance group b at once",
        f"9:7 UpdateCluster: {UPDATED}",
        "11:7 DeleteInstanceGroup: deletes instance group $GROUP at once",
    ]


def test_what_terraform_fills_in_is_unknown() -> None:
    script = read_commands(Source("main.tf", TERRAFORM))
    commands = list(simple_commands(script.body))
    reasons = [w.unknown.reason for c in commands for w in c.words if w.unknown]

    assert reasons == [
        "${var.b} is filled in by terraform",
        "${var.c} is filled in by terraform",
        "$GROUP is not set in this file",
    ]
    assert {command.title for command in commands} == {"null_resource.kops"}


@pytest.mark.parametrize(
    "text",
    [
        'check_call("kops delete ig %s --yes" % (group,))\n',
        "subprocess.run(['kops', 'delete', 'ig', 'b', '--yes'])\n",
        'os.system(f"""kops delete ig {group} --yes""")\n',
    ],
)
def test_what_another_language_calls_in_its_strings_is_read(text: str) -> None:
    assert [line for line in told("run.py", text) if "DeleteInstance" in line]


def test_a_string_without_end_in_another_language_does_no_harm() -> None:
    assert not told("run.py", "def f():\n    return '''\n")


# Deletions that do not happen, beside one command that does.
NEVER = {
    "run.sh": (
        "# kops delete ig b --yes\n"
        "#kops delete ig b --yes\n"
        "echo kops delete ig b --yes\n"
        "echo 'then: kops delete ig b --yes' >> log\n"
        "printf '%s' \"kops delete ig b --yes\"\n"
        "cat <<EOF\nkops delete ig b --yes\nEOF\n"
        "cat <<-'EOF' > run.sh\n\tkops delete ig b --yes\n\tEOF\n"
        ": 'kops delete ig b --yes'\n"
        "grep 'kops delete ig b --yes' run.sh\n"
        "git commit -m 'kops delete ig b --yes'\n"
        "never_called() { kops delete ig b --yes; }\n"
        "kops get ig # kops delete ig b --yes\n"
    ),
    "runbook.md": (
        "# kops delete ig b --yes\n\nNot `kops delete ig b --yes`:\n\n"
        "<!-- kops delete ig b --yes -->\n\n"
        "<!-- kopslint: skip -->\n```sh\nkops delete ig b --yes\n```\n\n"
        "```yaml\n# kops delete ig b --yes\n```\n\n"
        "```sh\n# kops delete ig b --yes\n$ echo kops delete ig b --yes\n"
        "kops delete ig b --yes\n$ kops get ig\n```\n"
    ),
    "github.yml": (
        "name: kops delete ig b --yes\n"
        "jobs:\n  a:\n    # kops delete ig b --yes\n    steps:\n"
        "    - name: kops delete ig b --yes\n"
        "      run: |\n        # kops delete ig b --yes\n"
        "        echo kops delete ig b --yes\n"
        "        cat <<EOF\n        kops delete ig b --yes\n        EOF\n"
        "        kops get ig\n"
    ),
    "gitlab.yaml": (
        ".template:\n  script:\n  - kops delete ig b --yes\n"
        "a:\n  variables:\n    X: kops delete ig b --yes\n  script:\n"
        "  # - kops delete ig b --yes\n  - echo kops delete ig b --yes\n"
        "  - kops get ig\n"
    ),
    "Makefile": (
        "# kops delete ig b --yes\n"
        "X = kops delete ig b --yes\n"
        "all: ## kops delete ig b --yes\n"
        "\t# kops delete ig b --yes\n"
        "\t@echo kops delete ig b --yes\n"
        "\tkops get ig\n"
    ),
    "Jenkinsfile": (
        "// sh 'kops delete ig b --yes'\n"
        "/* sh 'kops delete ig b --yes' */\n"
        "echo 'kops delete ig b --yes'\n"
        "sh '''\n# kops delete ig b --yes\necho kops delete ig b --yes\n"
        "cat <<EOF\nkops delete ig b --yes\nEOF\nkops get ig\n'''\n"
    ),
    "main.tf": (
        '# command = "kops delete ig b --yes"\n'
        '/* command = "kops delete ig b --yes" */\n'
        'x = "command = kops delete ig b --yes"\n'
        'y = <<EOF\ncommand = "kops delete ig b --yes"\nEOF\n'
        'command = "kops delete ig b --yes"\n'
        'provisioner "local-exec" {\nwhen = "command"\n'
        "command = <<EOF\n# kops delete ig b --yes\necho kops delete ig b --yes\n"
        "kops get ig\nEOF\n}\n"
    ),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_is_commented_out_or_only_said_is_no_command(name: str) -> None:
    """In every notation: comments, echoed text, here-documents, names, strings."""
    kinds = {line.split(" ", 1)[1] for line in told(name, NEVER[name])}

    assert {kind for kind in kinds if not kind.startswith("Foreign")} == {
        "Reads: changes nothing here (kops get instancegroups)"
    }


def _spec(*groups: str) -> str:
    members = "".join(f"    - {{name: {g}, instanceGroup: {g}}}\n" for g in groups)
    etcd = "".join(
        f"  - name: {name}\n    etcdMembers:\n{members}" for name in ("main", "events")
    )
    cluster = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: c.example.com}}\nspec:\n  etcdClusters:\n{etcd}"
    )
    return cluster + "".join(
        "---\napiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\n"
        f"metadata: {{name: {g}, labels: {{kops.k8s.io/cluster: c.example.com}}}}\n"
        "spec: {role: Master, minSize: 1, maxSize: 1, machineType: m, subnets: [s]}\n"
        for g in groups
    )


@pytest.mark.parametrize(
    ("group", "named", "certainty"),
    [
        ("d", "d", "certain"),
        ("$IG", "de", "possible"),
        ("<group>", "de", "possible"),
        ('"master-${AZ}"', "de", "possible"),
    ],
)
def test_a_group_known_only_at_run_time_is_checked_as_each_it_can_be(
    group: str, named: str, certainty: str
) -> None:
    """Taken for one that the change removes, whatever the placeholder looks like."""
    report = check(
        Request(
            before=(Source("before.yaml", _spec("a", "b", "c", "d", "e")),),
            after=(Source("after.yaml", _spec("a", "b", "c")),),
            commands=(Source("run.sh", f"kops delete ig {group} --yes\n"),),
        )
    )
    deleted = {
        (finding.subject.partition("/")[0], finding.certainty.value)
        for finding in report.findings
        if finding.rule == "KL301"
    }

    assert deleted == {(name, certainty) for name in named}
