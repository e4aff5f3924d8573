"""Mended lists are run on a cluster that refuses at any call.

Whatever fails, no group is deleted while a member of its machine is listed; and once
the fault is gone, the same list brings the cluster to where it goes, unless it stops by
itself at what it has done before.
"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import pytest

from kopslint.cli.program import run

sys.path.insert(0, str(Path(__file__).parent))
from stand_ins import FAULTS, StandIns

ROOT = Path(__file__).parents[1]
SEED = 20261130
FEW = 4
"""Faults that are tried of each list, drawn by chance."""

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None, reason="bash is not installed"
)

LISTS = {
    "fixtures/five-to-three": "prod.example.com",
    "rules/KL301-ig-deleted-before-etcd-member/examples/bad-events-forgotten": (
        "demo.example.com"
    ),
    "rules/KL301-ig-deleted-before-etcd-member/examples/bad-seven-to-five": (
        "demo.example.com"
    ),
    "rules/KL304-dead-member-left/examples/bad-lower-count-published": (
        "demo.example.com"
    ),
}
"""Lists whose mended form takes members out, and the name of their cluster."""


@pytest.fixture(params=list(LISTS))
def mended(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[StandIns, str, str]:
    """The cluster of a list, the list as it was, and as it is mended."""
    folder = ROOT / request.param
    monkeypatch.chdir(tmp_path)
    for name in ("before.yaml", "after.yaml", "commands.sh"):
        shutil.copy(folder / name, name)
    sides = ["--before", "before.yaml", "--after", "after.yaml"]
    old = Path("commands.sh").read_text(encoding="utf-8")
    run(["check", "--no-config", *sides, "--commands", "commands.sh", "--fix"])
    capsys.readouterr()
    new = Path("commands.sh").read_text(encoding="utf-8")
    specs = {
        name: Path(name).read_text(encoding="utf-8")
        for name in ("before.yaml", "after.yaml")
    }
    return StandIns(tmp_path, specs, LISTS[request.param]), old, new


def test_a_mended_list_deletes_no_group_whose_member_is_listed(
    mended: tuple[StandIns, str, str], request: pytest.FixtureRequest
) -> None:
    """The list as it was does; that is what it was mended for."""
    cluster, old, new = mended
    assert "remove() {" in new
    cluster.run(old)
    assert cluster.wrong != []

    cluster.reset()
    whole = cluster.run(new)
    assert cluster.wrong == [], whole.output
    assert cluster.arrived(), whole.output

    chance = random.Random(f"{SEED} {request.node.name}")  # noqa: S311 (no secret)
    every = [(call, kind) for call in range(1, whole.calls + 1) for kind in FAULTS]
    for call, kind in chance.sample(every, FEW):
        cluster.reset()
        cluster.break_at(call, kind)
        ran = cluster.run(new)
        told = f"{kind} from {call} on\n{ran.output}"
        assert cluster.wrong == [], told
        cluster.break_at(None)
        again = cluster.run(new)
        assert cluster.wrong == [], told
        # With set -e, a list ends at a group that it has deleted before.
        assert "set -e" in old or cluster.arrived(), f"{told}\n{again.output}"


def test_pasted_line_by_line_it_is_as_safe(
    mended: tuple[StandIns, str, str],
) -> None:
    """Nobody answers from the start: no group is deleted."""
    cluster, _, new = mended
    cluster.break_at(1)

    ran = cluster.paste(new)

    assert cluster.wrong == [], ran.output
    assert not any(" delete " in line for line in cluster.log)
