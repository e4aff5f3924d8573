"""Inputs that could keep a check busy: ``python benchmarks/hostile.py``.

Each is checked once, by a whole process, and ends within seconds: checked, refused in a
sentence, or at the end of the budget with a finding that says so.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.inputs import GROUP, spec

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "c.example.com"
SECONDS, MEGABYTES = 10, 300
"""What each may take; the benchmark marks what takes more."""

Case = tuple[dict[str, str], list[str]]


def random_list(steps: int, *, waits: bool) -> str:
    """Commands in any order: grow and shrink, update, delete groups, roll."""
    draw = random.Random(4)  # noqa: S311 (the same list at every run)
    roll = "kops rolling-update cluster --name {name} --yes"
    kinds = [
        "kops replace -f nine.yaml --force",
        "kops replace -f five.yaml",
        "kops update cluster --name {name} --yes",
        "kops delete ig master-{group} --name {name} --yes",
        roll if waits else f"{roll} --cloudonly",
        "kops validate cluster --name {name}" + (" --wait 10m" if waits else ""),
    ]
    return "".join(
        draw.choice(kinds).format(name=NAME, group=draw.randrange(5, 9)) + "\n"
        for _ in range(steps)
    )


def cases() -> Iterator[tuple[str, Case]]:
    """What is checked: files, and the arguments of ``kopslint check``."""
    nine, five, three = spec(9, 1), spec(5, 1), spec(3, 1)
    sides = ["--before", "nine.yaml", "--after", "five.yaml", "--commands", "run.sh"]
    for steps, waits in ((10_000, True), (1_000, False)):
        files = {
            "nine.yaml": nine,
            "five.yaml": five,
            "run.sh": random_list(steps, waits=waits),
        }
        how = "" if waits else ", nobody waits"
        yield f"{steps:,} commands on nine members{how}", (files, sides)
    many = (
        f"kops update cluster --name {NAME} --yes\n"
        f"kops rolling-update cluster --name {NAME} --yes\n"
    ) * 125
    files = {"nine.yaml": spec(99, 1), "five.yaml": spec(97, 1), "run.sh": many}
    yield "250 commands on 99 members", (files, sides)
    nodes = three + "".join(
        GROUP.format(group=f"n{n}", name=NAME, role="Node", least=2, most=9, zone=0)
        for n in range(20_000)
    )
    yield "20,000 groups", ({"a.yaml": nodes}, ["a.yaml"])
    both = ["--before", "a.yaml", "--after", "b.yaml"]
    yield "20,000 groups on both sides", ({"a.yaml": nodes, "b.yaml": nodes}, both)
    keys = "".join(f"  unknown{n}: x\n" for n in range(200_000))
    cluster, _, rest = three.partition("---\n")
    odd = f"{cluster}{keys}---\n{rest}"
    yield "200,000 unknown keys", ({"a.yaml": odd}, ["a.yaml"])
    foreign = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n" * 100_000
    yield "100,000 other documents", ({"a.yaml": three + foreign}, ["a.yaml"])
    long = f'{cluster}  foo: "{"x" * 15_000_000}"\n---\n{rest}'
    yield "a value of 15 MB", ({"a.yaml": long}, ["a.yaml"])
    digits = three.replace("1.31.4", f"1.{'3' * 5_000}.4")
    yield "a version of 5,000 digits", ({"a.yaml": digits}, ["a.yaml"])
    surge = f"{cluster}  rollingUpdate:\n    maxSurge: {'3' * 5_000}\n---\n{rest}"
    yield "maxSurge of 5,000 digits", ({"a.yaml": surge}, ["a.yaml"])
    nested = f"kops update cluster --name {'${x:-' * 400}a{'}' * 400} --yes\n"
    sides = ["--before", "a.yaml", "--after", "a.yaml", "--commands", "run.sh"]
    yield "${x:-} 400 levels deep", ({"a.yaml": three, "run.sh": nested}, sides)
    for glob in ("**/" * 25 + "x", "*a" * 40 + "b"):
        settings = f'[tool.kopslint]\nspecs = ["{glob}"]\n'
        files = {f"{'a' * 60}.yaml": three, "pyproject.toml": settings}
        yield f"a glob of {len(glob)} characters", (files, [])
    swell = ".replace('a', 'aaaaaaaaaa')" * 8
    rule = (
        "id: ACME001\nname: swell\nsummary: It swells\nseverity: error\n"
        f"for: cluster\nwhen: |\n  'a'{swell} == 'b'\nmessage: swollen\nwhy: Large\n"
    )
    files = {"a.yaml": three, "house/ACME001-swell/rule.yaml": rule}
    yield "a CEL rule that swells a text", (files, ["a.yaml", "--rules", "house"])


def run(files: dict[str, str], arguments: list[str]) -> tuple[str, float, float, str]:
    """The status, processor seconds, megabytes and last line of one check."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "kopslint", "check", *arguments]
        with Path(folder, "output").open("w+b") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=folder
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            said = output.read(400).decode(errors="replace").partition("\n")[0]
    seconds = used.ru_utime + used.ru_stime
    return str(process.returncode), seconds, used.ru_maxrss / 1024, said


def main() -> None:
    """Print a row for each input; names on the command line choose some."""
    chosen = sys.argv[1:]
    print("| input | status | processor | memory |\n|---|---|---:|---:|")
    for name, (files, arguments) in cases():
        if chosen and not any(word in name for word in chosen):
            continue
        started = time.perf_counter()
        status, seconds, megabytes, said = run(files, arguments)
        over = " (!)" if seconds > SECONDS or megabytes > MEGABYTES else ""
        print(f"| {name} | {status} | {seconds:.1f} s | {megabytes:.0f} MB |{over}")
        elapsed = time.perf_counter() - started
        print(f"  {said[:100]} [{elapsed:.0f} s]", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
