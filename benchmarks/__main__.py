"""The table of docs/performance.md: ``make bench``, or ``python -m benchmarks``.

Every ratio is of numbers measured in this one run, side by side. yamllint and
check-jsonschema are installed into a virtual environment of their own, in
``.venv/bench``, when they are not there. kopslint itself is imported last: Linux
counts the memory of a process towards the peak of those that it starts.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import venv
from functools import partial
from pathlib import Path

from benchmarks.inputs import commands, scale_down, spec
from benchmarks.measure import cpu_seconds, exponent, megabytes_of_all, processes

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "fixtures" / "five-to-three"
OTHERS = ROOT / ".venv" / "bench"
KOPSLINT = (sys.executable, "-m", "kopslint", "check")
SIZES = (10, 100, 1000)
FLEETS = (1, 10, 100, 1000, 3000)
SHARDS = 8
COMPOSE = """\
import pathlib, sys, yaml
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    list(yaml.compose_all(path.read_bytes(), yaml.CSafeLoader))
"""
SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "kind": {"enum": ["Cluster", "InstanceGroup"]},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {"type": "object"},
    },
}


def others() -> Path:
    """Where yamllint and check-jsonschema are, installed when they are missing."""
    if not (OTHERS / "bin" / "check-jsonschema").exists():
        venv.create(OTHERS, with_pip=True)
        pip = (str(OTHERS / "bin" / "pip"), "install", "-qq")
        subprocess.run([*pip, "yamllint", "check-jsonschema"], check=True)
    return OTHERS / "bin"


def one_change(folder: Path) -> None:
    """The whole program on one change, against two linters of the same files."""
    tools = others()
    files = []
    for side in ("before", "after"):
        text = (FIXTURE / f"{side}.yaml").read_text(encoding="utf-8")
        (folder / side).mkdir()
        for number, document in enumerate(text.split("\n---\n")):
            file = folder / side / f"{number}.yaml"
            file.write_text(document, encoding="utf-8")
            files.append(str(file))
    schema = folder / "schema.json"
    schema.write_text(json.dumps(SCHEMA), encoding="utf-8")
    sides = ("--before", "before", "--after", "after")
    orders = {name: str(FIXTURE / f"{name}.sh") for name in ("fixed", "commands")}
    found = processes(
        {
            "kopslint": (*KOPSLINT, *sides, "--commands", orders["fixed"]),
            "without commands": (*KOPSLINT, *sides),
            "with a mended list": (*KOPSLINT, *sides, "--commands", orders["commands"]),
            "yamllint": (str(tools / "yamllint"), *files),
            "check-jsonschema": (
                *(str(tools / "check-jsonschema"), "--schemafile", str(schema)),
                *files,
            ),
            "python -c pass": (sys.executable, "-c", "pass"),
        },
        21,
        folder,
    )
    print(f"\none change, {len(files)} files, whole processes")
    ours = found["kopslint"]
    for name, cost in found.items():
        print(
            f"  {name:18} {cost.seconds * 1000:7.0f} ms"
            f"  {cost.cpu * 1000:7.0f} ms of processor"
            f"  kopslint takes {ours.cpu / cost.cpu:5.2f} times that"
        )


def many_clusters(folder: Path) -> None:
    """A thousand clusters of nine documents, against libyaml's own composition."""
    fleet = folder / "fleet"
    fleet.mkdir()
    for number in range(1000):
        name = f"c{number}.example.com"
        text = spec(3, 5, name)
        (fleet / f"{name}.yaml").write_text(text, encoding="utf-8")
    size = sum(path.stat().st_size for path in fleet.iterdir()) / 1e6
    shard = ("--shard", f"1/{SHARDS}", "--format", "json")
    commands = {
        "libyaml, compose": (sys.executable, "-c", COMPOSE, "fleet"),
        "kopslint": (*KOPSLINT, "fleet"),
        "kopslint --jobs 1": (*KOPSLINT, "fleet", "--jobs", "1"),
        f"one of {SHARDS} shards": (*KOPSLINT, "fleet", *shard),
    }
    found = processes(commands, 5, folder)
    print(f"\n1,000 clusters, 9,000 documents, {size:.1f} MB, whole processes")
    base = found["libyaml, compose"]
    for name, cost in found.items():
        memory = megabytes_of_all(commands[name], folder)
        print(
            f"  {name:18} {cost.seconds:6.2f} s, {cost.seconds / base.seconds:4.1f} of"
            f" libyaml  {cost.cpu:6.2f} s of processor, {cost.cpu / base.cpu:4.1f} of"
            f" libyaml  {memory:5.0f} MB in all"
        )


def growth() -> None:
    """Cost against size, in one process, by processor time.

    Python looks for cycles as often as it does in the program, no more.
    """
    from kopslint.engine import Request, pool
    from kopslint.text import Source

    gc.set_threshold(50_000, 20, 20)

    def groups(size: int) -> Request:
        return Request(after=(Source("a.yaml", spec(3, size - 3)),))

    def steps(size: int) -> Request:
        one = (Source("a.yaml", spec(3, 2)),)
        return Request(one, one, (Source("c.sh", commands(size)),))

    def fleet(size: int) -> Request:
        names = [f"c{number}.example.com" for number in range(size)]
        return Request(after=tuple(Source(n, spec(3, 5, n)) for n in names))

    def runs(size: int) -> int:
        return 1 if size >= SIZES[-1] else 3

    print("\ncost against size, ms of processor; the exponent is of the last decade")
    for name, make, sizes in (
        ("groups in a spec", groups, SIZES),
        ("steps in a list", steps, SIZES),
        ("clusters", fleet, FLEETS),
    ):
        costs = [
            cpu_seconds(partial(pool.check, make(size), jobs=1), runs(size))
            for size in sizes
        ]
        told = "  ".join(
            f"{size}: {cost * 1000:.1f}"
            for size, cost in zip(sizes, costs, strict=True)
        )
        print(f"  {name:18} {told}   exponent {exponent(sizes, costs):.2f}")


def one_simulation() -> None:
    """Twenty commands on five members in two etcd clusters."""
    from kopslint.commands.parse import recognise
    from kopslint.engine import Request, check
    from kopslint.kops.decode import read_fleet
    from kopslint.model.replay import simulate
    from kopslint.notations.command_list import read_commands
    from kopslint.text import Source

    before, after = Source("b.yaml", spec(5, 2)), Source("a.yaml", spec(3, 2))
    script = Source("c.sh", scale_down())
    old, new = (
        read_fleet([each]).manifests["c.example.com"] for each in (before, after)
    )
    scripts = [read_commands(script)]
    replayed = cpu_seconds(lambda: simulate(old, new, scripts, recognise), 9)
    checked = cpu_seconds(lambda: check(Request((before,), (after,), (script,))), 9)
    print("\n20 commands, five members to three, two etcd clusters, processor time")
    print(f"  replay alone       {replayed * 1000:7.1f} ms")
    print(f"  the whole check    {checked * 1000:7.1f} ms")
    print(f"  ratio              {replayed / checked:7.2f}")


def main() -> None:
    """Measure everything and print the table."""
    # Whoever installs a program has its bytecode.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        one_change(Path(folder))
        many_clusters(Path(folder))
    growth()
    one_simulation()


if __name__ == "__main__":
    main()
