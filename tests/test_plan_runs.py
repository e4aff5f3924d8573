"""Printed scripts are run, whole and pasted, on a cluster that refuses at any call.

Whatever fails, no group is deleted while a member of its machine is listed, nothing is
run behind the failure, and once the fault is gone the script arrives from where it
says that it goes on.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

from kopslint.cli.program import run

sys.path.insert(0, str(Path(__file__).parent))
from stand_ins import FAULTS, Ran, StandIns

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three"
CLUSTER = "prod.example.com"
SEED = 20261130
FEW = 2
"""Faults that are tried of each plan, drawn by chance; KOPSLINT_EVERY_FAULT tries
them all."""

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None, reason="bash is not installed"
)


def without(text: str, *names: str) -> str:
    """A spec without the groups and members of these numbers."""
    documents = text.split("---\n")
    for name in names:
        documents = [d for d in documents if f"name: master-{name}\n" not in d]
        member = rf"    - instanceGroup: master-{name}\n      name: etcd-{name}\n"
        documents = [re.sub(member, "", document) for document in documents]
    return "---\n".join(documents)


def changes() -> dict[str, tuple[str, str]]:
    """Both specs of every change that is planned."""
    five = (FIXTURE / "before.yaml").read_text(encoding="utf-8")
    three = (FIXTURE / "after.yaml").read_text(encoding="utf-8")
    renamed = re.sub(r"master-2\b", "control-2", three)
    renamed = re.sub(r"etcd-2\b", "other-2", renamed)
    return {
        "five to three": (five, three),
        "three to five": (three, five),
        "three to one": (three, without(three, "1", "2")),
        "a renamed group": (three, renamed),
    }


CHANGES = changes()


@pytest.fixture(params=list(CHANGES))
def planned(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[StandIns, str]:
    """The cluster of a change, and the script of its plan, with all files."""
    sides = CHANGES[request.param]
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("before.yaml", "after.yaml"), sides, strict=True):
        Path(name).write_text(text, encoding="utf-8")
    arguments = ["--before", "before.yaml", "--after", "after.yaml", "--out", "."]
    assert run(["plan", *arguments]) == 0
    script = capsys.readouterr().out
    specs = {
        path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.yaml")
    }
    return StandIns(tmp_path, specs, CLUSTER), script


def faults(calls: int, name: str) -> list[tuple[int, str, bool]]:
    """Where the calls fail, how, and whether only once."""
    every = [
        (call, kind, once)
        for call in range(1, calls + 1)
        for kind in FAULTS
        for once in (True, False)
    ]
    if "KOPSLINT_EVERY_FAULT" in os.environ:
        return every
    chance = random.Random(f"{SEED} {name}")  # noqa: S311 (nothing is kept secret)
    return chance.sample(every, FEW)


def next_step(ran: Ran) -> str:
    """From which step a script that has stopped says that it goes on."""
    found = re.findall(r"bash plan\.sh (\d+)", ran.output)
    return str(found[-1]) if found else "1"


def test_a_plan_arrives_and_survives_any_fault(
    planned: tuple[StandIns, str], request: pytest.FixtureRequest
) -> None:
    """Run as a script, and run again from the step that it names."""
    cluster, script = planned
    whole = cluster.run(script)
    assert (whole.status, cluster.wrong) == (0, []), whole.output
    assert cluster.arrived(), whole.output

    for call, kind, once in faults(whole.calls, request.node.name):
        cluster.reset()
        cluster.break_at(call, kind, once=once)
        ran = cluster.run(script)
        told = f"{kind} at {call}, once: {once}\n{ran.output}"
        assert cluster.wrong == [], told
        if ran.status == 0:
            assert cluster.arrived(), told
            continue
        cluster.break_at(None)
        again = cluster.run(script, next_step(ran))
        assert (again.status, cluster.wrong) == (0, []), f"{told}\n{again.output}"
        assert cluster.arrived(), f"{told}\n{again.output}"


def test_a_plan_can_be_pasted_line_by_line(
    planned: tuple[StandIns, str], request: pytest.FixtureRequest
) -> None:
    """Nothing behind a failure is run, and the shell that it is pasted into lives."""
    cluster, script = planned
    whole = cluster.paste(script)
    assert cluster.wrong == [], whole.output
    assert cluster.arrived(), whole.output

    for call, kind, _ in faults(whole.calls, request.node.name)[:1]:
        cluster.reset()
        cluster.break_at(call, kind)
        ran = cluster.paste(script)
        told = f"{kind} from {call} on\n{ran.output}"
        assert cluster.wrong == [], told
        done = cluster.log
        cluster.break_at(None)
        step = next_step(ran)
        again = cluster.paste(script.replace('go_on "${1:-1}"', f"go_on {step}"))
        assert cluster.wrong == [], told
        assert cluster.arrived(), f"{told}\n{again.output}"
        assert cluster.log[: len(done)] == done
