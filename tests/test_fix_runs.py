"""Mended lists are run on a cluster that fails at any call, for every rule's examples.

Whatever fails, no group is deleted while a member of its machine is listed. Some of the
lists are tried by default, all with KOPSLINT_EVERY_FAULT.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from kopslint.cli.program import run
from kopslint.kops.decode import read_fleet
from kopslint.text import Source

sys.path.insert(0, str(Path(__file__).parents[1]))
from verify.runbooks.faults import ENDS_SCRIPT, FOR_EVER, KINDS, Fault
from verify.runbooks.programs import VERSIONS, Programs
from verify.runbooks.shells import Shell
from verify.runbooks.world import World

ROOT = Path(__file__).parents[1]
SEED = 20261130
FEW = 3
"""Faults that are tried of each list, drawn by chance."""

EVERY = "KOPSLINT_EVERY_FAULT" in os.environ
BASH = os.environ.get("KOPSLINT_BASH") or shutil.which("bash") or ""

pytestmark = pytest.mark.skipif(not BASH, reason="bash is not installed")

REMOVES = [
    "fixtures/five-to-three",
    "rules/KL301-ig-deleted-before-etcd-member/examples/bad-events-forgotten",
    "rules/KL301-ig-deleted-before-etcd-member/examples/bad-seven-to-five",
    "rules/KL304-dead-member-left/examples/bad-lower-count-published",
]
"""Lists whose mended form takes members out."""


def examples() -> list[str]:
    """Every other example of a rule with both sides and a list of commands."""
    wanted = ("before.yaml", "after.yaml", "commands.sh")
    found = sorted(
        str(folder.relative_to(ROOT))
        for folder in ROOT.glob("rules/*/examples/bad-*")
        if all((folder / name).exists() for name in wanted)
    )
    others = [name for name in found if name not in REMOVES]
    chance = random.Random(SEED)  # noqa: S311 (nothing is kept secret)
    return others if EVERY else chance.sample(others, 6)


class Mended:
    """A list as it is mended, and the cluster that it is run on."""

    def __init__(self, folder: Path, here: Path) -> None:
        for path in folder.iterdir():
            if path.is_file():
                shutil.copy(path, here)
        sides = ["--before", "before.yaml", "--after", "after.yaml"]
        listed = here / "commands.sh"
        self.old = listed.read_text(encoding="utf-8")
        run(["check", "--no-config", *sides, "--commands", "commands.sh", "--fix"])
        self.new = listed.read_text(encoding="utf-8")
        specs = {
            name: (here / name).read_text(encoding="utf-8")
            for name in ("before.yaml", "after.yaml")
        }
        before = read_fleet((Source("before.yaml", specs["before.yaml"]),)).manifests
        (name, manifest), *_ = before.items()
        self.world = World(specs, name, manifest.cloud or "aws", None)
        programs = Programs(self.world, VERSIONS[1], strict=False)
        self.shell = Shell(here, programs, BASH)

    def broken(self, script: str, fault: Fault | None, *, pasted: bool = False) -> str:
        """What must not be, with a fault and after it; empty if all is well."""
        self.world.reset()
        self.shell.fault = fault
        ran = self.shell.paste(script) if pasted else self.shell.run(script)
        told = f"{fault}\n{ran.output}\n" + "\n".join(self.shell.said)
        if not self._killed():
            self.shell.fault = None
            self.shell.run(script)
        return f"{'; '.join(self._killed())}\n{told}" if self._killed() else ""

    def _killed(self) -> list[str]:
        return [wrong for wrong in self.world.wrong if "while" in wrong]


@pytest.fixture
def mended(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Mended:
    """The list of an example."""
    monkeypatch.chdir(tmp_path)
    found = Mended(ROOT / request.param, tmp_path)
    capsys.readouterr()
    request.addfinalizer(found.shell.close)  # noqa: PT021 (there is nothing to yield)
    return found


def faults(mended: Mended, name: str, many: int) -> list[Fault]:
    """Faults at calls that the list makes."""
    mended.broken(mended.new, None)
    calls = max(mended.shell.calls, 1)
    chance = random.Random(f"{SEED} {name}")  # noqa: S311 (nothing is kept secret)
    kinds = [kind for kind in KINDS if kind not in ENDS_SCRIPT]
    return [
        Fault(chance.choice(kinds), first, chance.choice((first, FOR_EVER)))
        for first in (chance.randint(1, calls) for _ in range(many))
    ]


@pytest.mark.parametrize("mended", REMOVES, indirect=True)
def test_a_mended_list_deletes_no_group_whose_member_is_listed(
    mended: Mended, request: pytest.FixtureRequest
) -> None:
    """The list as it was does; that is what it was mended for."""
    assert "remove() {" in mended.new
    assert mended.broken(mended.old, None) != ""

    assert mended.broken(mended.new, None) == ""
    mended.world.reset()
    mended.shell.fault = None
    ran = mended.shell.run(mended.new)
    assert mended.world.missing() == [], ran.output

    for fault in faults(mended, request.node.name, FEW):
        assert mended.broken(mended.new, fault) == ""
    assert mended.broken(mended.new, Fault("refused", 1, FOR_EVER), pasted=True) == ""


@pytest.mark.parametrize("mended", examples(), indirect=True)
def test_so_does_no_list_that_is_mended(
    mended: Mended, request: pytest.FixtureRequest
) -> None:
    if mended.new == mended.old:
        pytest.skip("it is left as it is")
    assert mended.broken(mended.new, None) == ""
    for fault in faults(mended, request.node.name, FEW):
        assert mended.broken(mended.new, fault) == ""
