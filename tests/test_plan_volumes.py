"""The functions that a runbook finds a volume with, run beside stand-ins of the clouds.

Each stand-in says what the cloud's program is documented to print: that a machine uses
the volume at first, and then that none does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.plan_script import volume_function
from kopslint.commands.etcd_functions import patient_functions

if TYPE_CHECKING:
    from pathlib import Path

BASH = shutil.which("bash")
NAME = "etcd-2.etcd-main.prod.example.com"
OTHER = f"old-{NAME}"
DO_NAME = f"kops-{NAME}".replace(".", "-")

# By cloud: its program, what it prints to a list, what it prints of one volume while a
# machine uses it and afterwards, and the id that is to be found.
CLOUDS = {
    "hetzner": (
        "hcloud",
        f"9   {OTHER}\n7   {NAME}",
        '{\n  "id": 7,\n  "server": 42\n}',
        '{\n  "id": 7,\n  "server": null\n}',
        "7",
    ),
    "digitalocean": (
        "doctl",
        f"506f78a4    kops-old-{DO_NAME[5:]}\n9f1b    {DO_NAME}",
        "[386734086]",
        "",
        "9f1b",
    ),
    "linode": ("linode-cli", "1234", "5678", "None", "1234"),
    "scaleway": (
        "scw",
        f"77aa {OTHER}\n11bb {NAME}",
        '{"volume": {"server": {"id": "5e"}}}',
        '{"volume": {"server": null}}',
        "11bb",
    ),
}


@pytest.mark.skipif(BASH is None, reason="bash runs it")
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_volume_is_found_by_its_name_once_no_machine_uses_it(
    cloud: str, tmp_path: Path
) -> None:
    """The functions are the script's own, whatever plan they stand in."""
    *_, wanted = CLOUDS[cloud]
    done = called(cloud, "volume_id main etcd-2 master-2", tmp_path)

    assert done.stdout == f"{wanted}\n"
    assert (tmp_path / "waited").exists()


@pytest.mark.skipif(BASH is None, reason="bash runs it")
@pytest.mark.parametrize("cloud", [name for name in CLOUDS if name != "linode"])
def test_a_volume_is_gone_only_where_that_of_another_member_is_found(
    cloud: str, tmp_path: Path
) -> None:
    """An answer without a word in it is no proof; ``etcd-1`` has no volume here."""
    there = called(cloud, "wiped main etcd-2 etcd-2", tmp_path)
    gone = called(cloud, "wiped main etcd-1 etcd-2", tmp_path)
    neither = called(cloud, "wiped main etcd-1 etcd-0", tmp_path)

    assert (there.returncode, gone.returncode, neither.returncode) == (1, 0, 1)


def called(cloud: str, call: str, here: Path) -> subprocess.CompletedProcess[str]:
    """Call a function where the cloud's program answers as it is documented."""
    program, listed, used, free, _ = CLOUDS[cloud]
    lines = [*patient_functions(), *volume_function("prod.example.com", program)]
    stand_ins = {
        "sleep": "touch waited",
        program: (
            f'case "$*" in\n*\\ list\\ *) printf "%s\\n" {shell(listed)} ;;\n'
            f"*) if [ -e waited ]; then echo {shell(free)}; "
            f"else echo {shell(used)}; fi ;;\nesac"
        ),
    }
    for name, body in stand_ins.items():
        path = here / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    return subprocess.run(
        [BASH or "", "-uo", "pipefail", "-c", "\n".join([*lines, call])],
        cwd=here,
        env={"PATH": f"{here}:{os.environ['PATH']}", "SCW_DEFAULT_ZONE": "x"},
        capture_output=True,
        text=True,
        check=False,
    )


def shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
