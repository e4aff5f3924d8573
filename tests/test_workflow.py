"""Workflow files, makefiles and Jenkinsfiles: shells, failures and variables."""

from __future__ import annotations

import pytest

from kopslint.errors import InputError
from kopslint.notations.command_list import notation_of, read_commands, simple_commands
from kopslint.shell.ast import (
    AndOr,
    Choice,
    ErrExit,
    Group,
    Pipeline,
    Script,
    SimpleCommand,
    Statement,
    Statements,
)
from kopslint.text import Source


def read(text: str, path: str = "ci.yml") -> Script:
    return read_commands(Source(path, text))


def job(*steps: str) -> str:
    return "jobs:\n  a:\n    steps:\n" + "".join(f"      {step}\n" for step in steps)


def inside(statement: Statement) -> tuple[Statement, ...]:
    """The statements of a step's shell behind its ``set -e``."""
    assert isinstance(statement, Group)
    assert statement.subshell
    assert isinstance(statement.body, Statements)
    first, *rest = statement.body.items
    assert isinstance(first, ErrExit)
    return tuple(rest)


def test_a_step_is_a_shell_that_stops_at_the_first_failure() -> None:
    errexit, step = read(job("- run: kops get ig")).body.items
    assert isinstance(errexit, ErrExit)
    assert errexit.on
    (command,) = inside(step)
    assert isinstance(command, SimpleCommand)


def test_a_step_with_a_condition_may_be_skipped() -> None:
    _, step = read(job("- if: inputs.apply", "  run: kops get ig")).body.items
    assert isinstance(step, Choice)
    assert not step.exhaustive
    assert step.reason.name == "if: inputs.apply"


def test_a_job_with_a_condition_may_be_skipped_whole() -> None:
    text = (
        "jobs:\n  a:\n    if: x\n    steps:\n      - run: kops a\n      - run: kops b\n"
    )
    _, steps = read(text).body.items
    assert isinstance(steps, Choice)
    assert len(list(simple_commands(steps))) == 2


def test_a_step_that_may_fail_does_not_stop_the_job() -> None:
    _, step = read(job("- continue-on-error: true", "  run: kops a")).body.items
    assert isinstance(step, AndOr)
    assert (step.operator, step.right) == ("||", Statements(()))


@pytest.mark.parametrize(("shell", "pipefail"), [("", False), ("bash", True)])
def test_pipefail_is_on_only_if_bash_is_named(shell: str, pipefail: bool) -> None:
    lines = ["- run: kops a | tee x"] + ([f"  shell: {shell}"] if shell else [])
    _, step = read(job(*lines)).body.items
    (pipeline,) = inside(step)
    assert isinstance(pipeline, Pipeline)
    assert pipeline.pipefail is pipefail


def test_variables_reach_the_environment_of_the_command() -> None:
    text = job("- env: {A: one, B: '${{ x }}'}", "  run: kops a")
    (command,) = simple_commands(read(text).body)
    values = {a.name: a.value.shown for a in command.environment}
    assert values == {"A": "one", "B": "${{ x }}"}
    assert [a.value.text for a in command.environment] == ["one", None]


def test_a_step_name_is_the_title_and_a_job_name_stands_in() -> None:
    text = job("- name: Apply", "  run: kops a", "- run: kops b")
    assert [c.title for c in simple_commands(read(text).body)] == ["Apply", "a"]


@pytest.mark.parametrize(
    ("run", "columns"),
    [
        ("kops get x", [14, 19, 23]),
        ('"kops get x"', [15, 20, 24]),
        ("'kops get x'", [15, 20, 24]),
        ('"kops \\"get\\" x"', [15, 20, 28]),
        ("'kops ''get'' x'", [15, 20, 28]),
        ("é kops", [14, 16]),
        ('"\\u00e9 kops"', [15, 22]),
        ("kops   \n          get", [14]),
    ],
)
def test_columns_are_those_of_the_file(run: str, columns: list[int]) -> None:
    (command,) = simple_commands(read(job(f"- run: {run}")).body)
    assert [w.span.column for w in command.words if w.span.line == 4] == columns


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_a_value_over_several_lines_keeps_the_place_of_each_word(quote: str) -> None:
    text = job(f"- run: {quote}kops   ", "    get", "", f"    ig{quote}")
    found = list(simple_commands(read(text).body))
    places = [(w.span.line, w.span.column) for c in found for w in c.words]
    assert places == [(4, 14 + len(quote)), (5, 11), (7, 11)]


def test_a_folded_block_keeps_the_line_of_each_word() -> None:
    text = job("- run: >", "    kops update", "    cluster", "", "    kops get")
    places = [
        [(word.span.line, word.span.column) for word in command.words]
        for command in simple_commands(read(text).body)
    ]
    assert places == [[(5, 11), (5, 16), (6, 11)], [(8, 11), (8, 16)]]


def test_a_file_without_jobs_has_no_commands() -> None:
    assert read("kind: Cluster\nspec: {}\n").body.items == ()


def test_a_gitlab_job_that_may_fail_does_not_stop_the_list() -> None:
    text = "a:\n  allow_failure: true\n  script: [kops a]\n"
    _, group = read(text).body.items
    assert isinstance(group, AndOr)


def test_a_gitlab_job_fails_with_any_part_of_a_pipeline() -> None:
    _, group = read("a:\n  script: ['kops a | tee x']\n").body.items
    (pipeline,) = inside(group)
    assert isinstance(pipeline, Pipeline)
    assert pipeline.pipefail


def test_a_broken_workflow_is_an_error_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        read("jobs:\n  a: [\n")
    assert caught.value.span is not None
    assert caught.value.span.line == 3
    assert "not valid YAML" in caught.value.message


def test_a_recipe_line_with_a_dash_may_fail() -> None:
    script = read("a:\n\t-kops a\n\tkops b\n", "Makefile")
    _, first, second = script.body.items
    assert isinstance(first, AndOr)
    assert isinstance(second, Group)


def test_what_make_puts_in_stands_where_its_reference_is() -> None:
    script = read("F = --name x --yes\na:\n\tkops a $(F) b\n", "Makefile")
    (command,) = simple_commands(script.body)
    assert [word.span.column for word in command.words] == [2, 7, 9, 9, 9, 14]


@pytest.mark.parametrize(
    ("path", "text", "notation"),
    [
        ("run.sh", "# ```\n", "shell"),
        ("docs/RUN.md", "", "markdown"),
        ("runbook.html.md.erb", "", "markdown"),
        (".github/workflows/a.yaml", "", "workflow"),
        ("Makefile", "", "makefile"),
        ("kops/tool.mk", "", "makefile"),
        ("Jenkinsfile", "", "jenkins"),
        ("commands.txt", "kops get ig\n", "shell"),
        ("-", "Text\n\n```sh\nkops get ig\n```\n", "markdown"),
        ("-", "pipeline {\n}\n", "jenkins"),
        ("-", "on: push\njobs:\n  a: {}\n", "workflow"),
        ("-", "#!/bin/sh\n# jobs:\n", "shell"),
    ],
)
def test_the_notation_is_told_from_name_and_content(
    path: str, text: str, notation: str
) -> None:
    assert notation_of(Source(path, text)) == notation


def provisioner(*lines: str) -> tuple[Statement, ...]:
    text = 'provisioner "local-exec" {\n' + "\n".join(lines) + "\n}\n"
    return read(text, "main.tf").body.items


def test_a_provisioner_is_a_shell_that_a_failure_does_not_end_but_the_apply() -> None:
    outer, step = provisioner('command = "kops a; kops b"')
    assert isinstance(outer, ErrExit)
    assert outer.on
    assert isinstance(step, Group)
    assert step.subshell
    assert isinstance(step.body, Statements)
    assert isinstance(step.body.items[0], ErrExit)
    assert not step.body.items[0].on


def test_the_interpreter_may_end_a_provisioner_at_a_failure() -> None:
    _, step = provisioner('interpreter = ["bash", "-ec"]', 'command = "kops a"')
    assert isinstance(step, Group)
    assert isinstance(step.body, Statements)
    assert isinstance(step.body.items[0], ErrExit)
    assert step.body.items[0].on


def test_a_provisioner_for_the_end_of_a_resource_may_not_run() -> None:
    _, step = provisioner("when = destroy", 'command = "kops a"')
    assert isinstance(step, Choice)
    assert not step.exhaustive
    assert step.reason.reason == "this only runs when terraform destroys the resource"


def test_a_provisioner_may_be_allowed_to_fail() -> None:
    _, step = provisioner('command = "kops a"', "on_failure = continue")
    assert isinstance(step, AndOr)
    assert (step.operator, step.right) == ("||", Statements(()))


def test_the_environment_of_a_provisioner_reaches_its_commands() -> None:
    text = 'environment = {\nA = "one"\nB = var.b\nC = "x${var.c}"\n}'
    (command,) = simple_commands(Statements(provisioner('command = "kops a"', text)))
    assert [(a.name, a.value.text) for a in command.environment] == [
        ("A", "one"),
        ("B", None),
        ("C", None),
    ]


@pytest.mark.parametrize(
    ("shell", "stops"),
    [
        ("", True),
        ("bash", True),
        ("sh", True),
        ("bash -e {0}", True),
        ("bash -euo pipefail {0}", True),
        ("bash -o errexit {0}", True),
        ("bash {0}", False),
        ("/bin/sh {0}", False),
    ],
)
def test_a_step_stops_at_a_failure_as_its_shell_says(shell: str, stops: bool) -> None:
    """A command line for the shell that leaves out ``-e`` goes on after a failure."""
    named = f"shell: {shell}" if shell else "name: plain"
    body = read(job(f"- {named}", "  run: kops update cluster")).body
    errexit = [s for s in _all(body) if isinstance(s, ErrExit)]

    assert errexit[-1].on is stops


def _all(statement: Statement) -> list[Statement]:
    """A statement and those in it, through groups and sequences."""
    inner: tuple[Statement, ...] = ()
    if isinstance(statement, Statements):
        inner = statement.items
    elif isinstance(statement, Group):
        inner = (statement.body,)
    return [statement, *(found for item in inner for found in _all(item))]
