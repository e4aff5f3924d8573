"""Real specs that kops accepts are never called wrong.

The corpus is not part of the project. ``KOPSLINT_CORPUS`` names a folder with
``specs/verdicts.json`` (for each spec whether kops creates and updates from it) and
``incidents/*/case.yaml`` (for each change what is to be expected of it).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from kopslint.engine import Request, check
from kopslint.findings import Severity
from kopslint.text import Source

CORPUS = Path(os.environ.get("KOPSLINT_CORPUS") or "no-corpus")

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="KOPSLINT_CORPUS names no folder"
)


def accepted_specs() -> list[str]:
    """The specs that kops both creates and updates."""
    path = CORPUS / "specs" / "verdicts.json"
    if not path.is_file():
        return []
    verdicts = json.loads(path.read_text(encoding="utf-8"))
    return [
        name
        for name, verdict in sorted(verdicts.items())
        if verdict["create_ok"] and verdict["update_ok"]
    ]


def sound_changes() -> list[str]:
    """The changes of which nothing bad is to be said."""
    return [
        path.parent.name
        for path in sorted((CORPUS / "incidents").glob("*/case.yaml"))
        if yaml.safe_load(path.read_text(encoding="utf-8"))["expected"] == "ok"
    ]


def source(path: Path) -> tuple[Source, ...] | None:
    if not path.is_file():
        return None
    return (Source(path.name, path.read_text(encoding="utf-8")),)


def errors(request: Request) -> list[str]:
    return [
        f"{finding.locations[0].span}: {finding.rule} {finding.message}"
        for finding in check(request).findings
        if finding.severity is Severity.ERROR
    ]


@pytest.mark.parametrize("name", accepted_specs())
def test_a_spec_that_kops_accepts_has_no_error(name: str) -> None:
    assert errors(Request(after=source(CORPUS / "specs" / name))) == []


@pytest.mark.parametrize("name", sound_changes())
def test_a_sound_change_has_no_error(name: str) -> None:
    folder = CORPUS / "incidents" / name
    request = Request(
        before=source(folder / "before.yaml"),
        after=source(folder / "after.yaml"),
        commands=source(folder / "commands.sh") or (),
    )

    assert errors(request) == []
