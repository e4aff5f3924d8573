# ruff: noqa: INP001 (a program of its own, and no package)
"""Look for input that makes a reader crash, hang, or point outside the text.

``python fuzz/readers.py --seconds 600`` makes up command lists and specs, byte by
byte and piece by piece, until the time is over, and stops at the first that breaks
a promise, made as small as possible. Nothing that is found is ever run.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kopslint.commands.parse import recognise
from kopslint.engine import Request, check
from kopslint.errors import KopslintError
from kopslint.inputs.decode import decode
from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.text import Span

# No input of this size takes longer on any machine that is not broken.
SLOWEST = 5.0
NAMES = ("run.sh", "a.md", "a.yml", "Makefile", "Jenkinsfile", "main.tf", "list")
SHELL = """
kops delete ig master-3 --yes|kops update cluster --name "$N" --yes|if a; then|fi|
for x in a b; do|done|while read l; do|case $x in|a) ls;;|esac|{|}|(|)|$(|`|"|'|\\|
<<EOF|EOF|EOF -|<<-'E'|E|<<<|<(|>&2|| |&&|;|&|!|$x|${x:-y}|${x%%*}|${x[@]}|"$@"|$((1+|
))|[[|]]|x=1|export K=$x|local y|f() {|f|set -e|set -- a b|shift|eval "$x"|bash -c '|
ssh h|sudo|xargs -I{}|kubectl exec p --|etcdctl member remove|aws ec2|terraform apply|
# c|<name>|{a,b}|{1..3}|...|${{ x }}|$(VAR)|\t|  |\r|\u00a0|\u2013yes|\u2028|\ufeff|
\0|\x1b|~|*|[a-z]|%|=|--|-|. lib.sh|source "$(dirname "$0")/lib.sh"|./lib.sh a|cd a|
bash lib.sh|[ -f lib.sh ]|declare -A m=([a]=1)|m[b]=2|${m[a]}|"${!m[@]}"|break 2|
continue|$(seq 3)|for ((i=0;i<3;i++)); do|while read a b; do|<<< "a b"|read -ra c|
mapfile -t d|trap f EXIT|trap 'kops get ig' INT|exit 1|return|alias k=kops|k get ig|
echo a b|xargs -n1|parallel kops get ::: a b|`# c`|ssh h 'for x in a b; do ls; done'
"""
MARKUP = """
```bash|```|~~~|# Heading|- item|1. item|    code|> quote|---|$ kops get ig|
<!-- kopslint: skip -->|{% highlight sh %}|{% endhighlight %}|jobs:|  a:|    steps:|
    - run: ||    - run: >-|      env:|script:|  - |a: &x|*x|all: b|\t@kops get ig|
\t-ls|X = 1|X += $(X)|export X|include y|sh '|sh \"\"\"|stage('s') {|command = "|
command = <<E|resource "a" "b" {|environment {|//|/*|*/|provisioner "local-exec" {|
inline = ["kops get ig", "ls"]|when = destroy|interpreter = ["bash", "-e"]|}|all: ; ls|
ifdef X|endif|  <<: *x|  extends: a|    - !reference [a, script]|  after_script: [ls]|
    - uses: a/kops@v1|commands:|  command: kops get ig|sh cmd|bat 'x'
"""
SPEC = """
apiVersion: kops.k8s.io/v1alpha2|kind: Cluster|kind: InstanceGroup|metadata:|
  name: a|  name: b|  labels: {kops.k8s.io/cluster: a}|spec:|  role: Master|
  role: Node|  minSize: 1|  maxSize: 0|  etcdClusters:|  - name: main|
  - name: events|    etcdMembers:|    - name: a|      instanceGroup: b|
    - {name: c, instanceGroup: d}|---|...|- |? |: |&x|*x|<<: *x|!!int|!x|[|]|{|}|"|'||
|>|#|~|null|true|1e9|0x1F|.nan|2001-01-01|  kubernetesVersion: 1.31.0|
  kubernetesVersion: x|  networking: {cilium: {}}|  subnets: [a]|\t|\r|\ufeff|\0
"""


def pieces(table: str) -> st.SearchStrategy[str]:
    """Texts put together from the parts of a table and the odd character."""
    parts = st.sampled_from([p.strip("\n") for p in table.split("|")])
    gaps = st.sampled_from(["\n", "\n", " ", "", "; "])
    chain = st.lists(st.tuples(parts | st.text(max_size=4), gaps), max_size=40)
    return chain.map(lambda found: "".join(part + gap for part, gap in found))


def commands_are_read(name: str, text: str) -> None:
    """Reading gives commands with words and places, or one of our errors.

    The text may run itself, and twice so.
    """
    source = Source(name, text)
    at_hand = (source, Source("lib.sh", text), Source("a/lib.sh", text))
    try:
        script = read_commands(source, at_hand=at_hand)
    except KopslintError as error:
        hold(bool(str(error)), "an error has no words")
        return
    for part in script.unread:
        inside(part.span)
    for call in simple_commands(script.body):
        inside(call.span)
        for command in recognise(call):
            inside(command.span)
            hold(bool(command.meaning.words), "a command has no words")


def specs_are_checked(before: str, after: str, commands: str) -> None:
    """A check gives a report or one of our errors."""
    request = Request(
        before=(Source("before.yaml", before),),
        after=(Source("after.yaml", after),),
        commands=(Source("run.sh", commands),),
    )
    try:
        report = check(request)
    except KopslintError as error:
        hold(bool(str(error)), "an error has no words")
        return
    for finding in report.findings:
        for location in finding.locations:
            inside(location.span)


def inside(span: Span) -> None:
    """A place is one that the text has."""
    lines = span.source.lines
    hold(1 <= span.line <= span.end_line <= len(lines), f"{span} is no line")
    hold(1 <= span.column <= len(lines[span.line - 1]) + 1, f"{span} is no column")
    last = lines[span.end_line - 1]
    hold(1 <= span.end_column <= len(last) + 1, f"{span} does not end on its line")


def hold(promise: bool, broken: str) -> None:
    """Stop the search where a promise is broken."""
    if not promise:
        raise AssertionError(broken)


def timed(promise: Callable[..., None]) -> Callable[..., None]:
    """The promise, and that it is kept soon."""

    def kept(*values: str) -> None:
        started = time.process_time()
        promise(*values)
        hold(time.process_time() - started < SLOWEST, "it takes too long")

    return kept


def bytes_are_decoded(data: bytes, name: str) -> None:
    """Any bytes are text that can be read, or one of our errors."""
    try:
        source = decode(name, data)
    except KopslintError as error:
        hold(bool(str(error)), "an error has no words")
        return
    timed(commands_are_read)(name, source.text)


TARGETS: tuple[
    tuple[str, Callable[..., None], tuple[st.SearchStrategy[object], ...]], ...
]
TARGETS = (
    ("bytes", bytes_are_decoded, (st.binary(max_size=300), st.sampled_from(NAMES))),
    ("shell", timed(commands_are_read), (st.sampled_from(NAMES), pieces(SHELL))),
    (
        "notations",
        timed(commands_are_read),
        (st.sampled_from(NAMES), pieces(SHELL.rstrip() + "|" + MARKUP.lstrip())),
    ),
    (
        "specs",
        timed(specs_are_checked),
        (pieces(SPEC), pieces(SPEC), pieces(SHELL)),
    ),
)


def unpacked(promise: Callable[..., None]) -> Callable[[tuple[object, ...]], None]:
    """The promise about values that come as one."""

    def kept(values: tuple[object, ...]) -> None:
        promise(*values)

    return kept


def main() -> int:
    """Share the time between the targets; the status is 1 if one of them fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--only", choices=[name for name, *_ in TARGETS])
    given_options = parser.parse_args()
    chosen = [t for t in TARGETS if given_options.only in (None, t[0])]
    for name, promise, strategies in chosen:
        ends = time.monotonic() + given_options.seconds / len(chosen)
        rounds = 0
        while time.monotonic() < ends:
            run = settings(
                max_examples=200,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.target, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            )(given(st.tuples(*strategies))(unpacked(promise)))
            run()
            rounds += 1
        sys.stdout.write(f"{name}: {rounds * 200} inputs\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
