"""Scripts that a list runs and that are at hand: read in place, each at its own place.

A case is files in order, the first being the list. A command is its place and words;
a ``?`` stands before a word with an unknown part.
"""

from __future__ import annotations

import pytest

from kopslint.notations.command_list import LONGEST, read_commands, simple_commands
from kopslint.shell.ast import ErrExit, Group, Script, SimpleCommand, Statement
from kopslint.shell.evaluator import DEEPEST_FILES
from kopslint.shell.output import parts
from kopslint.text import Source

LIB = """\
set -e
NAME=a.example.com
delete() {
  # takes a group away
  kops delete ig "$1" --name $NAME --yes
}
"""
DELETED = "scripts/lib.sh:5:3 kops delete ig b --name a.example.com --yes"


def read(files: dict[str, str]) -> Script:
    first, *at_hand = (Source(path, text) for path, text in files.items())
    return read_commands(first, at_hand=at_hand)


def told(
    script: Script, programs: tuple[str, ...] = ("kops", "source", ".")
) -> list[str]:
    return [
        f"{command.span} "
        + " ".join(
            w.shown if w.text is not None else f"?{w.shown}" for w in command.words
        )
        for command in simple_commands(script.body)
        if command.words[0].text in programs
    ]


@pytest.mark.parametrize(
    "line",
    [
        "source ./lib.sh",
        ". lib.sh",
        "source scripts/lib.sh",
        "source ../scripts/lib.sh",
        "LIB=lib.sh; source ./$LIB",
        '. "$(dirname "$0")/lib.sh"',
        ". ${0%/*}/lib.sh",
        'source "${BASH_SOURCE%/*}/lib.sh"',
        'source "$(dirname "${BASH_SOURCE[0]:-$0}")/../scripts/lib.sh"',
        (
            'HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" >/dev/null 2>&1 && pwd -P)\n'
            '. "${HERE}/lib.sh"'
        ),
        "SELF=$(readlink -f $0); HERE=`dirname $SELF`; . $HERE/lib.sh",
        'cd "$(dirname "$0")" || exit 1\n. ./lib.sh',
        "cd scripts > /dev/null; source lib.sh",
        "pushd scripts > /dev/null; source $PWD/lib.sh; popd",
        "cd /; cd -; . ./lib.sh",
        '. "$(git rev-parse --show-toplevel)/scripts/lib.sh"',
        ". $GITHUB_WORKSPACE/scripts/lib.sh",
        "[ -f scripts/lib.sh ] && . scripts/lib.sh",
        "if [[ -r lib.sh ]]; then . lib.sh; else exit 1; fi",
        "for file in lib.sh; do source $file; done",
    ],
)
def test_a_sourced_script_gives_its_functions_variables_and_options(line: str) -> None:
    files = {"scripts/run.sh": f"{line}\ndelete b\n", "scripts/lib.sh": LIB}
    script = read(files)

    assert told(script) == [DELETED]
    assert any(str(s.span) == "scripts/lib.sh:1:1" for s in options(script.body))
    assert script.unread == ()


@pytest.mark.parametrize(
    "line",
    [
        ". /tmp/lib.sh",
        "cd /tmp; . ./lib.sh",
        'cd "$WHERE"; . ./lib.sh',
        "pushd scripts; popd; popd; . ./lib.sh",
        'source "$WHERE/lib.sh"',
        "source $LIB",
        'source "$(kops get ig)/lib.sh"',
        "source <(kops completion bash)",
        "source lib.bash",
    ],
)
def test_what_may_be_another_script_is_not_read(line: str) -> None:
    script = read({"scripts/run.sh": f"{line}\n", "scripts/lib.sh": LIB})

    assert [c for c in told(script) if "lib.sh:" in c] == []
    assert any(c.split()[1] in {"source", "."} for c in told(script))


def options(statement: Statement) -> list[ErrExit]:
    if isinstance(statement, ErrExit):
        return [statement]
    return [found for part in parts(statement) for found in options(part)]


def test_a_script_beside_the_one_that_names_it_goes_before_the_one_at_the_top() -> None:
    files = {
        "a/run.sh": ". lib.sh\n",
        "lib.sh": "kops top\n",
        "a/lib.sh": "kops beside\n",
    }
    assert told(read(files)) == ["a/lib.sh:1:1 kops beside"]


def test_a_sourced_script_finds_its_own_folder() -> None:
    files = {
        "run.sh": '. "$(dirname "$0")/lib/a.sh"\nkops edit $HERE\n',
        "lib/a.sh": 'HERE=$(dirname "$BASH_SOURCE")\n. $HERE/b.sh; . ${0%/*}/c.sh\n',
        "lib/b.sh": "kops b\n",
        "c.sh": "kops c\n",
    }
    assert told(read(files)) == [
        "lib/b.sh:1:1 kops b",
        "c.sh:1:1 kops c",
        'run.sh:2:1 kops edit ?$(dirname "$BASH_SOURCE")',
    ]


def test_a_function_of_a_sourced_script_finds_the_folder_of_that_script() -> None:
    files = {
        "run.sh": ". lib/a.sh\nf\n",
        "lib/a.sh": "f() { . ${BASH_SOURCE%/*}/b.sh; }\n",
        "lib/b.sh": "kops b\n",
    }
    assert told(read(files)) == ["lib/b.sh:1:1 kops b"]


def test_return_leaves_the_sourced_script_only_and_arguments_are_its_own() -> None:
    files = {
        "run.sh": "set -- x\n. lib.sh y\nkops edit $1\n",
        "lib.sh": "kops edit $1 || return 1\nkops get ig\n",
    }
    script = read(files)
    (group,) = (s for s in script.body.items if isinstance(s, Group))

    assert (group.scope, group.subshell) == ("function", False)
    assert told(script) == [
        "lib.sh:1:1 kops edit y",
        "lib.sh:2:1 kops get ig",
        "run.sh:3:1 kops edit x",
    ]


def test_a_comment_belongs_to_the_command_of_its_own_file() -> None:
    files = {
        "run.sh": "# of run\n. lib.sh\nkops a\n",
        "lib.sh": "\n\nkops b\n# of lib\n",
    }
    commands = list(simple_commands(read(files).body))
    assert [command.comment for command in commands] == [None, None]


def test_the_title_of_a_runbook_goes_along() -> None:
    files = {"run.md": "# Step one\n\n```sh\n./x.sh\n```\n", "x.sh": "kops a\n"}
    (command,) = simple_commands(read(files).body)
    assert (command.title, str(command.span)) == ("Step one", "x.sh:1:1")


def test_what_a_loop_sources_is_unknown_behind_it() -> None:
    files = {
        "run.sh": "N=a\nwhile kops validate cluster; do . lib.sh; done\nkops edit $N\n",
        "lib.sh": "N=b\n",
    }
    assert told(read(files))[-1] == "run.sh:3:1 kops edit ?$N"


# --- scripts that are started ---------------------------------------------------

SCRIPT = "#!/usr/bin/env bash\nkops edit $1 $N $M\nM=changed\n"


@pytest.mark.parametrize(
    "line",
    [
        "bash x.sh a",
        "sh ./x.sh a",
        "bash -x -o pipefail x.sh a",
        "bash --norc x.sh a",
        "./x.sh a",
        '"$PWD"/x.sh a',
        "sudo ./x.sh a",
        "time ./x.sh a",
        "( ./x.sh a )",
        "exec ./x.sh a",
        "./x.sh a &",
        "./x.sh a || exit 1",
    ],
)
def test_a_script_that_is_started_sees_its_arguments_and_what_is_exported(
    line: str,
) -> None:
    script = read({"run.sh": f"export N=n\nM=m\n{line}\n", "x.sh": SCRIPT})
    assert told(script) == ["x.sh:2:1 kops edit a n ?$M"]


def test_a_script_that_is_started_keeps_everything_to_itself() -> None:
    files = {
        "run.sh": "f() { kops outer; }\n./x.sh\nf\nkops edit $M\nkops get ig\n",
        "x.sh": "f() { kops inner; }\nM=m\ncd /\nf\nexit 3\n",
    }
    script = read(files)

    assert told(script) == [
        "x.sh:1:7 kops inner",
        "run.sh:1:7 kops outer",
        "run.sh:4:1 kops edit ?$M",
        "run.sh:5:1 kops get ig",
    ]
    assert isinstance(script.body.items[0], Group)
    assert script.body.items[0].subshell


@pytest.mark.parametrize(
    ("line", "shebang", "expected"),
    [
        ("./x.sh", "#!/bin/bash -eu", True),
        ("./x.sh", "#!/bin/bash", False),
        ("bash x.sh", "#!/bin/bash -e", False),
        ("bash -e x.sh", "#!/bin/bash", True),
        ("bash -c 'kops a'", "", False),
        ("bash -ec 'kops a'", "", True),
    ],
)
def test_whether_a_failure_ends_a_script_is_for_itself_to_say(
    line: str, shebang: str, expected: bool
) -> None:
    """``set -e`` of the caller does not reach a shell that it starts."""
    script = read({"run.sh": f"set -e\n{line}\n", "x.sh": f"{shebang}\nkops a\n"})
    assert [option.on for option in options(script.body)] == [True, expected]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tool.py", "#!/usr/bin/env python3\nkops\n"),
        ("tool.sh", "#!/usr/bin/python3\n"),
    ],
)
def test_a_program_that_is_no_shell_script_is_not_read(name: str, text: str) -> None:
    script = read({"run.sh": f"./{name}\n", name: text})
    assert told(script, (f"./{name}",)) == [f"run.sh:1:1 ./{name}"]


def test_a_script_without_an_ending_is_read_if_its_first_line_names_a_shell() -> None:
    assert told(read({"run.sh": "bin/x a\n", "bin/x": SCRIPT})) == [
        "bin/x:2:1 kops edit a ?$N ?$M"
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            ".github/workflows/a.yml",
            "env: {N: n}\njobs:\n  a:\n    steps:\n      - run: ./ci/x.sh a\n",
        ),
        (
            ".github/workflows/a.yml",
            (
                "env: {N: n}\njobs:\n  a:\n    steps:\n      - run: bash x.sh a\n"
                "        working-directory: ci\n"
            ),
        ),
        (
            ".github/workflows/a.yml",
            (
                "env: {N: n}\ndefaults:\n  run:\n    working-directory: ./ci\njobs:\n"
                "  a:\n    steps:\n      - run: ./x.sh a\n"
            ),
        ),
        (".gitlab-ci.yml", "variables: {N: n}\na:\n  script:\n    - sh ci/x.sh a\n"),
        ("Makefile", "A = a\nexport N = n\nall:\n\t@./ci/x.sh $(A)\n"),
        ("Jenkinsfile", "environment { N = 'n' }\nsh \"./ci/x.sh a\"\n"),
        (
            "ci/main.tf",
            (
                'provisioner "local-exec" {\n  command = "${path.module}/x.sh a"\n'
                '  environment = { N = "n" }\n}\n'
            ),
        ),
        (
            "main.tf",
            (
                'provisioner "local-exec" {\n  command = "./x.sh a"\n'
                '  working_dir = "ci"\n  environment = { N = "n" }\n}\n'
            ),
        ),
        (
            "main.tf",
            (
                'provisioner "remote-exec" {\n'
                '  inline = ["export N=n", "bash ci/x.sh a"]\n}\n'
            ),
        ),
    ],
)
def test_pipelines_run_scripts(path: str, text: str) -> None:
    script = read({path: text, "ci/x.sh": SCRIPT})
    assert told(script) == ["ci/x.sh:2:1 kops edit a n ?$M"]


def test_a_folder_that_only_the_workflow_knows_holds_no_script() -> None:
    text = (
        "jobs:\n  a:\n    steps:\n      - run: ./x.sh\n"
        "        working-directory: ${{ matrix.folder }}\n"
    )
    script = read({".github/workflows/a.yml": text, "x.sh": SCRIPT})
    assert told(script) == []
    assert told(script, ("./x.sh",)) == [".github/workflows/a.yml:4:14 ./x.sh"]


def test_a_block_of_a_runbook_may_start_where_the_first_did() -> None:
    """Each of its blocks goes from the top to a folder of its own."""
    runbook = "```sh\ncd terraform\n```\n\n```sh\ncd ci && ./x.sh a\n```\n"
    script = read({"docs/up.md": runbook, "ci/x.sh": SCRIPT})
    assert told(script) == ["ci/x.sh:2:1 kops edit a ?$N ?$M"]

    one_shell = read({"up.sh": "cd terraform\ncd ci && ./x.sh a\n", "ci/x.sh": SCRIPT})
    assert told(one_shell) == []


# --- limits --------------------------------------------------------------------


@pytest.mark.parametrize("line", [". {}", "bash {}", "./{}"])
def test_scripts_that_run_one_another_are_read_once_and_it_is_said(line: str) -> None:
    files = {
        "run.sh": "./a.sh\n",
        "a.sh": "kops a\n" + line.format("b.sh"),
        "b.sh": "kops b\n" + line.format("a.sh"),
    }
    script = read(files)

    assert told(script) == ["a.sh:1:1 kops a", "b.sh:1:1 kops b"]
    assert [(str(o.span), o.reason.reason) for o in script.unread] == [
        ("b.sh:2:1", "the script `a.sh` runs itself")
    ]


def test_a_list_that_runs_itself_is_read_once() -> None:
    text = "kops a\n./run.sh\n"
    source = Source("run.sh", text)
    script = read_commands(source, at_hand=[source])

    assert told(script) == ["run.sh:1:1 kops a"]
    assert [str(opaque.span) for opaque in script.unread] == ["run.sh:2:1"]


def test_scripts_are_followed_only_so_deep() -> None:
    files = {f"{n}.sh": f"kops {n}\n. {n + 1}.sh\n" for n in range(40)}
    script = read(files)

    assert len(told(script, ("kops",))) == DEEPEST_FILES + 1
    assert [(str(o.span), o.reason.reason) for o in script.unread] == [
        ("16.sh:2:1", "too many scripts run one another here to follow them")
    ]


def test_scripts_that_double_are_read_only_so_often() -> None:
    files = {f"{n}.sh": f". {n + 1}.sh\n" * 2 for n in range(14)}
    script = read({**files, "14.sh": "kops a\n"})

    assert len(told(script, ("kops",))) < 10_000
    assert script.unread


def test_a_script_that_is_too_long_is_not_at_hand() -> None:
    script = read({"run.sh": ". lib.sh\n", "lib.sh": "#" * (LONGEST + 1)})
    assert told(script) == ["run.sh:1:1 . lib.sh"]


def test_the_first_of_two_scripts_of_one_name_counts() -> None:
    first, second = Source("./lib.sh", "kops a\n"), Source("lib.sh", "kops b\n")
    script = read_commands(Source("run.sh", ". lib.sh\n"), at_hand=[first, second])
    assert [c.span.source for c in commands(script)] == [first]


def commands(script: Script) -> list[SimpleCommand]:
    return list(simple_commands(script.body))


def test_values_that_a_file_leaves_empty_are_to_be_filled_in() -> None:
    """An empty export in a file that is sourced is a gap, and no empty value."""
    values = Source("values.sh", "export NAME=\nexport KEY=\nexport STATE=s3://x\n")
    up = Source("up.sh", "source ./values.sh\nkops update cluster $NAME $STATE\n")
    (call,) = simple_commands(read_commands(up, at_hand=[values]).body)

    assert [word.shown for word in call.words[3:]] == ["$NAME", "s3://x"]
    assert call.words[3].unknown is not None
