"""One broken cluster on its way back: observed, planned, mended and looked at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from verify.rescue.machines import Machines
from verify.rescue.programs import Programs
from verify.rescue.shell import Ran, Shell
from verify.rescue.states import BACKUP, NEW, OLD, QUIET
from verify.runbooks.transitions import spec
from verify.servers import RefusedError

if TYPE_CHECKING:
    from verify.rescue.states import Broken

CLUSTER = "rescue.example.com"
ROOT = Path(__file__).parents[2]
SETTLES = 60
"""How long a mended cluster may take until all of it serves, in seconds."""


class Release(NamedTuple):
    """An etcd of the machine: its programs and its version."""

    etcd: str
    etcdctl: str
    version: str


class Outcome(NamedTuple):
    """How a trial ended: nothing is ``wrong``, or what is, and what was printed."""

    wrong: tuple[str, ...]
    steps: int
    printed: str
    said: str
    loses: bool

    @property
    def told(self) -> str:
        """What came of it in a few words."""
        data = "what was written since the backup is lost" if self.loses else "no loss"
        return f"{self.steps} steps, {data}"


def tried(broken: Broken, release: Release, folder: Path) -> Outcome:
    """Break a cluster, carry out what is printed for it, and look at what is left."""
    room = "".join(dict.fromkeys([*broken.names, *"abcde"]))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    etcd = ("main", "events")
    (folder / "spec.yaml").write_text(_spec(broken.wanted), encoding="utf-8")
    with Machines(CLUSTER, broken.names, etcd, release.etcd, room) as machines:
        _written(machines)
        broken.goes_wrong(machines)
        machines.names = broken.wanted
        machines.groups = {machines.group(name) for name in broken.wanted}
        time.sleep(QUIET)
        with Shell(folder, Programs(machines, release.etcdctl)) as shell:
            _observed(machines, shell)
            printed = _kopslint(folder, "plan", *_SIDES)
            ran = _carried_out(printed, machines, shell)
            machines.wait(machines.is_whole, SETTLES)
            wrong = [*machines.wrong, *_looked_at(machines, broken)]
            if ran.status:
                wrong.append(f"the script ended with {ran.status}")
    steps = printed.count("\nstep_")
    return Outcome(tuple(wrong), steps, printed, ran.output, not broken.keeps)


_SIDES = ("--before", "spec.yaml", "--after", "spec.yaml", "--observed", "observed")


def _carried_out(printed: str, machines: Machines, shell: Shell) -> Ran:
    """A script is run; a procedure is done by a person, one command after the other.

    Where a script says what is left if it fails, and it fails, that is done.
    """
    said = []
    if "\nstep_" in printed:
        ran = shell.run(printed)
        if not ran.status or "this is what is left" not in printed:
            return ran
        said.append(ran.output)
    commands = [c.strip() for c in re.findall(r"^#   (.*)$", printed, re.MULTILINE)]
    for command in commands:
        if command.startswith("kops replace"):
            _wiped(machines)
        if (found := re.fullmatch(r"mv (\S+) (\S+)", command)) is not None:
            (etcd,) = re.findall(r"etcd-(\w+)\.manifest", found[1])
            machines.pause(etcd, again=found[2].startswith("/etc"))
        elif command.startswith("etcd --force-new-cluster"):
            (called,) = re.findall(r"--name (\S+)", command)
            machines.force(called)
        else:
            # Whoever does it has seen the name in the list of backups.
            ran = shell.run(command.replace("BACKUP", BACKUP))
            said.append(f"{command}\n{ran.output}")
            if ran.status:
                return ran._replace(output="\n".join(said))
    return Ran(0, "\n".join(said))


def _wiped(machines: Machines) -> None:
    """In words: the volumes of groups that are gone are deleted in the cloud."""
    for name in set(machines.names) - machines.up:
        if machines.group(name) not in machines.groups:
            for etcd in machines.sides:
                machines.wipe(etcd, name)


def _spec(names: str) -> str:
    places = [(name, Machines.group(name), f"z{name}") for name in names]
    return spec(CLUSTER, "aws", ("main", "events"), places, "1.34.1", 1)


def _written(machines: Machines) -> None:
    """A backup, and what was written since."""
    first = machines.names[0]
    for side in machines.sides.values():
        side.store.backups[BACKUP] = dict(OLD)
        for key, value in (*OLD.items(), *NEW.items()):
            side.servers.put(side.called(first), key, value)


def _observed(machines: Machines, shell: Shell) -> None:
    """What the script of ``kopslint observe`` sees, on each machine if need be."""
    script = _kopslint(shell.folder, "observe", "spec.yaml")
    shell.run(script, "observed")
    if machines.serves(machines.sides["main"]):
        return
    for name in sorted(machines.up):
        shell.programs.here = name
        alone = shell.folder / f"on-{name}"
        alone.mkdir()
        shell.run(script, "here", folder=alone)
        for found in (alone / "observed").iterdir():
            shutil.copy(found, shell.folder / "observed")


def _kopslint(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 (kopslint itself)
        [sys.executable, "-m", "kopslint", *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done.stdout or done.stderr


def _looked_at(machines: Machines, broken: Broken) -> list[str]:
    """What is not as promised: members, and the data as each of them has it."""
    wrong = []
    if not machines.is_whole():
        wrong.append(f"not whole: {_shown(machines)}")
    promised = NEW if broken.keeps else OLD
    for side in machines.sides.values():
        for name in broken.wanted:
            try:
                found = side.servers.keys(side.called(name), alone=True)
            except RefusedError as error:
                wrong.append(f"{name} of {side.name}: {error}")
                continue
            found.pop("k", None)  # Whoever asked whether it takes writes wrote this.
            if found != promised:
                wrong.append(f"{name} of {side.name} has {found}, not {promised}")
    return wrong


def _shown(machines: Machines) -> str:
    found = []
    for side in machines.sides.values():
        through = machines.through(side)
        listed = side.servers.members(side.called(through)) if through else {}
        found.append(f"{side.name} lists {sorted(listed)}")
    return ", ".join(found)
