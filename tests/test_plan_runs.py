"""Printed scripts are run, whole and pasted, on a cluster that fails at any call.

Whatever fails, no group is deleted while a member of its machine is listed, quorum is
as promised, nothing is run behind the failure, and once the fault is gone the script
arrives from where it says that it goes on. ``make verify-plans`` tries many more.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from verify.runbooks.faults import ENDS_SCRIPT, FOR_EVER, KINDS, Fault
from verify.runbooks.programs import VERSIONS
from verify.runbooks.transitions import Transition, drawn, spec
from verify.runbooks.trial import Runbook, Trial

SEED = 20261130
FEW = 3
"""Faults that are tried of each plan, drawn by chance; KOPSLINT_EVERY_FAULT tries
every kind at every call."""

BASH = os.environ.get("KOPSLINT_BASH") or shutil.which("bash") or ""

pytestmark = pytest.mark.skipif(not BASH, reason="bash is not installed")

NAME = "prod.example.com"
ETCD = ("main", "events")


def change(
    name: str,
    before: str,
    after: str,
    *,
    cloud: str = "aws",
    etcd: tuple[str, ...] = ETCD,
    versions: tuple[str, str] = ("1.33.1", "1.33.1"),
    terraform: bool = False,
    one_zone: bool = False,
) -> Transition:
    """A change of members, a letter each; their groups are called after them."""

    def side(letters: str, version: str) -> str:
        places = [
            (x, f"cp-{x}", "za" if one_zone else f"z{'abcdefg'[ord(x) % 5]}")
            for x in letters
        ]
        return spec(NAME, cloud, etcd, places, version, 1)

    sides = side(before, versions[0]), side(after, versions[1])
    return Transition(name, *sides, NAME, cloud, terraform)


TO_ETCD_3_6 = change("etcd 3.5 to 3.6", "abc", "abc", versions=("1.33.1", "1.34.2"))
CHANGES = [
    change("five to three", "abcde", "abc"),
    change("three to five", "abc", "abcde"),
    change("three to one", "abc", "a", etcd=("main", "events", "cilium")),
    change("one for another, in its zone", "abc", "abf", one_zone=True),
    change(
        "three to five, then a release", "abc", "abcde", versions=("1.32.4", "1.33.1")
    ),
    TO_ETCD_3_6,
    change(
        "five to three, then etcd 3.6", "abcde", "abc", versions=("1.33.1", "1.34.2")
    ),
]
MORE = [
    change("volumes by number", "abc", "abf", cloud="hetzner"),
    change("volumes by number and zone", "abc", "ab" + "q", cloud="scaleway"),
    change("volumes by name", "abc", "abf", cloud="gce", one_zone=True),
    change("servers", "abcde", "abc", cloud="openstack"),
    change("terraform", "abcde", "abf", terraform=True),
]


@pytest.fixture
def runbook(request: pytest.FixtureRequest, tmp_path: Path) -> Runbook:
    """The runbook of a transition, with all files; its stand-ins end with the test."""
    found = Runbook(request.param, tmp_path / "run", BASH)
    assert found.script
    request.addfinalizer(found.shell.close)  # noqa: PT021 (there is nothing to yield)
    return found


@pytest.mark.parametrize("runbook", CHANGES, ids=lambda c: c.name, indirect=True)
def test_a_plan_arrives_and_survives_any_fault(runbook: Runbook) -> None:
    for trial in (Trial(None, etcd=etcd) for etcd in VERSIONS):
        assert runbook.held(trial) is None
    assert runbook.held(Trial(None, pasted=True)) is None

    name = runbook.transition.name
    chance = random.Random(f"{SEED} {name}")  # noqa: S311 (nothing is kept secret)
    trials = runbook.trials(chance, FEW)
    if "KOPSLINT_EVERY_FAULT" in os.environ:
        calls = runbook.once(Trial(None)).calls
        trials = [
            Trial(Fault(kind, call, last))
            for call in range(1, calls + 1)
            for kind in KINDS
            for last in {call, call if kind in ENDS_SCRIPT else FOR_EVER}
        ]
    for trial in trials:
        assert runbook.held(trial) is None


@pytest.mark.parametrize("runbook", MORE, ids=lambda c: c.name, indirect=True)
def test_so_does_one_on_every_cloud(runbook: Runbook) -> None:
    name = runbook.transition.name
    chance = random.Random(f"{SEED} {name}")  # noqa: S311 (nothing is kept secret)
    for trial in [Trial(None), *runbook.trials(chance, 2)]:
        assert runbook.held(trial) is None


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_so_does_whatever_is_drawn(seed: int, tmp_path: Path) -> None:
    runbook = Runbook(drawn(seed), tmp_path / "run", BASH)
    if not runbook.script:
        pytest.skip("there is nothing to do")
    chance = random.Random(seed)  # noqa: S311 (nothing is kept secret)
    try:
        for trial in [Trial(None), *runbook.trials(chance, 1)]:
            assert runbook.held(trial) is None
    finally:
        runbook.shell.close()


def test_there_are_at_least_25_kinds_of_fault() -> None:
    assert len(KINDS) >= 25


@pytest.mark.parametrize("runbook", CHANGES[:1], ids=lambda c: c.name, indirect=True)
def test_the_stand_ins_notice_what_must_not_be(runbook: Runbook) -> None:
    """A script that does not wait for the removal is caught."""
    careless = runbook.script.replace('again leave "$@" && return', "return 0")
    careless = careless.replace('again holds "$@" && return', "return 0")
    assert careless != runbook.script
    runbook.script = careless

    told = runbook.held(Trial(None))

    assert told is not None
    assert "cp-e was deleted while e of events was listed" in told


@pytest.mark.parametrize("runbook", MORE[-1:], ids=lambda c: c.name, indirect=True)
def test_without_terraforms_state_no_step_is_run(runbook: Runbook) -> None:
    runbook.start(Trial(None))
    runbook.world.initialised = False

    ran = runbook.shell.run(runbook.script)

    assert ran.status == 1
    assert "so no step was run" in ran.output
    assert runbook.world.log == []


@pytest.mark.parametrize("runbook", [TO_ETCD_3_6], ids=["repair"], indirect=True)
def test_etcd_3_6_is_not_stored_while_a_member_is_unrepaired(runbook: Runbook) -> None:
    """Etcd-manager has not brought the repairing release, which the spec names."""
    runbook.start(Trial(None))
    runbook.world.upgrades = False

    ran = runbook.once(Trial(None))

    assert ran.status == 1
    assert "etcd main does not run 3.5.26 or later in each of these" in ran.output
    assert "etcd-a runs etcd 3.5.21" in ran.output
    assert "bash plan.sh 2" in ran.output
    assert [line for line in runbook.world.log if "replace" in line] == [
        "replace step-1.yaml"
    ]


@pytest.mark.parametrize("runbook", CHANGES[:1], ids=lambda c: c.name, indirect=True)
def test_without_a_backup_of_today_no_step_is_run(runbook: Runbook) -> None:
    runbook.start(Trial(None))
    runbook.world.backed_up = False

    ran = runbook.shell.run(runbook.script)

    assert ran.status == 1
    assert "has no backup of today in s3://store/prod.example.com/backups" in ran.output
    assert runbook.world.log == []


@pytest.mark.parametrize("runbook", CHANGES[:1], ids=lambda c: c.name, indirect=True)
def test_the_steps_of_five_to_three_can_be_read(runbook: Runbook) -> None:
    """At most 120 lines, the functions before and behind them aside."""
    lines = runbook.script.splitlines()
    titles = [n for n, line in enumerate(lines) if line.startswith(("# 1 of", "# All"))]

    assert titles[1] - titles[0] <= 120
