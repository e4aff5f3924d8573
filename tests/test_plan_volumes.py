"""The function that a runbook finds a volume with, run beside stand-ins of the clouds.

Each stand-in says what the cloud's program is documented to print: that a machine uses
the volume at first, and then that none does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.plan_script import volume_function

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
        "",
        '{\n  "id": 7,\n  "server": 42\n}',
        '{\n  "id": 7,\n  "server": null\n}',
        NAME,
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
    """The function is the script's own, whatever plan it stands in."""
    program, listed, used, free, wanted = CLOUDS[cloud]
    lines = "\n".join(volume_function("prod.example.com", program))
    function = re.search(r"^volume_id\(\) \{.*?^\}", lines, re.MULTILINE | re.DOTALL)
    assert function is not None
    stand_ins = {
        "sleep": "touch waited",
        program: (
            f'case "$*" in\n*\\ list\\ *) printf "%s\\n" {shell(listed)} ;;\n'
            f"*) if [ -e waited ]; then echo {shell(free)}; "
            f"else echo {shell(used)}; fi ;;\nesac"
        ),
    }
    for name, body in stand_ins.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    done = subprocess.run(
        [
            BASH or "",
            "-euo",
            "pipefail",
            "-c",
            f"{function[0]}\nvolume_id main etcd-2 master-2",
        ],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{wanted}\n"
    assert (tmp_path / "waited").exists()


def shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
