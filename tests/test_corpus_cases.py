"""Real incidents and measured orders give the verdict that reality gave.

The cases live outside the repository; KOPSLINT_CORPUS names their folder. Each is a
change, its commands, and what is known of how it ended.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kopslint.engine import Request, check
from kopslint.findings import Report, Severity
from kopslint.text import Source

CORPUS = Path(os.environ.get("KOPSLINT_CORPUS", "/nonexistent"))

UNDECIDABLE = {
    "k8s-70403": "a resolver kept an old address: not in any file",
    "kops-1657-comment": "both subnets are in one zone, which kops accepts today",
    "kops-2827": "a version upgrade by the book that happened to fail",
    "kops-284": "kops of 2016 rolled all groups at once; it validates now",
    "kops-489": "kops of 2016 did not wait between machines; it validates now",
    "kops-2914": "a slow machine image; kops validates between machines now",
    "kops-5410": "a validated roll by the book; the cloud did not let go of the disks",
    "kops-9464": "a forced roll that kops validates; the API flapped all the same",
}
"""Cases that no reading of the files can tell from a safe change, and why."""

LEVELS = ("ok", "warning", "error")


@dataclass(frozen=True)
class Case:
    name: str
    facts: dict[str, Any]
    report: Report

    @property
    def verdict(self) -> str:
        for severity in (Severity.ERROR, Severity.WARNING):
            if self.report.count(severity):
                return severity.value
        return "ok"

    @property
    def told(self) -> str:
        return "\n".join(
            f"{finding.message}\n{finding.why}\n" + "\n".join(finding.fix)
            for finding in self.report.findings
        )


def case(folder: Path) -> Case:
    def sources(name: str) -> tuple[Source, ...]:
        path = folder / name
        if not path.is_file():
            return ()
        return (Source(name, path.read_text(encoding="utf-8")),)

    report = check(
        Request(sources("before.yaml"), sources("after.yaml"), sources("commands.sh"))
    )
    facts = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    return Case(folder.name, facts, report)


def folders(kind: str) -> list[Any]:
    found = sorted((CORPUS / kind).glob("*/case.yaml"))
    if not found:
        skip = pytest.mark.skip(reason="KOPSLINT_CORPUS names no folder with cases")
        return [pytest.param(Path(), marks=skip, id="none")]
    return [pytest.param(path.parent, id=path.parent.name) for path in found]


@pytest.mark.parametrize("folder", folders("orders"))
def test_a_measured_order_gets_the_verdict_that_was_measured(folder: Path) -> None:
    """The verdict is one that the recorded outcome allows, and names what matters."""
    found = case(folder)

    assert found.verdict in found.facts["allowed"]
    assert [word for word in found.facts["mentions"] if word not in found.told] == []


@pytest.mark.parametrize("folder", folders("incidents"))
def test_an_incident_is_told_and_a_safe_procedure_is_not(folder: Path) -> None:
    """What hurt somebody is at least as bad here; what is safe is never an error."""
    found = case(folder)
    expected = found.facts["expected"]

    if expected == "ok":
        assert found.verdict != "error", found.told
    elif found.name in UNDECIDABLE:
        pytest.skip(UNDECIDABLE[found.name])
    else:
        assert LEVELS.index(found.verdict) >= LEVELS.index(expected), found.told
