"""A hook runs kopslint at every commit, so it imports only what a run needs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  etcdClusters:
  - name: main
    etcdMembers:
    - name: a
      instanceGroup: control-plane-a
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: control-plane-a
  labels:
    kops.k8s.io/cluster: demo.example.com
spec:
  role: Master
  minSize: 1
  maxSize: 1
"""

COSTLY = {"cel", "cel_expr_python", "deepdiff", "jsonschema", "markdown_it", "rich"}
COSTLY |= {"tree_sitter", "tree_sitter_bash"}


def imports_of(*arguments: str) -> set[str]:
    """The packages that ``python -m kopslint`` imports, standard library included."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kopslint", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    names = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    return {name.partition(".")[0] for name in names} | {*names}


def test_the_version_is_printed_without_importing_anything() -> None:
    """Installers and hooks ask for the version often; it must not load typer."""
    loaded = imports_of("--version")

    assert "kopslint" in loaded
    assert loaded & {*COSTLY, "typer", "pydantic", "yaml", "subprocess"} == set()


def test_checking_specs_without_commands_loads_no_shell_parser(tmp_path: Path) -> None:
    """The most frequent run parses YAML and nothing else."""
    spec = tmp_path / "after.yaml"
    spec.write_text(SPEC, encoding="utf-8")

    loaded = imports_of("check", str(spec))

    assert "yaml" in loaded
    assert loaded & COSTLY == set()


def test_listing_the_rules_does_not_load_the_engine() -> None:
    """The rulebook is data: reading it needs no simulation."""
    assert imports_of("rules") & COSTLY == set()
