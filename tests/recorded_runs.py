"""Runs of the real etcd-manager with real etcd, as steps that the model can follow.

``steps_of`` turns a run as it was recorded, in the words of whoever made it, into the
steps of ``fixtures/etcd`` (its README says what they are). ``KOPSLINT_ETCD_RUNS`` may
name further files with runs as they were recorded; they are replayed, too.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1] / "fixtures/etcd"
NO_SUCH_VERSION = 90
"""The harness publishes 3.6.99 for a version that no etcd-manager has."""


def recorded(*names: str) -> list[dict[str, Any]]:
    """The runs of files in fixtures/etcd."""
    return [run for name in names for run in json.loads((HERE / name).read_text())]


def further() -> list[dict[str, Any]]:
    """Those of the files that the environment names, as steps."""
    files = os.environ.get("KOPSLINT_ETCD_RUNS", "").split(os.pathsep)
    return [steps_of(run) for file in filter(None, files) for run in _raw(file)]


def _raw(file: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(Path(file).read_text())
    return runs


def steps_of(run: dict[str, Any]) -> dict[str, Any]:
    """A recorded run as steps: its members at the start, and what came after."""
    formed = next(
        (e["at"] for e in run["events"] if e.get("do", "").startswith("cluster of")), 0
    )
    started = [e for e in run["events"] if _is(e, r"start (\w)") and e["at"] <= formed]
    if not started:
        started = _first_starts(run["events"])
    members = "".join(sorted({e["do"][-1] for e in started}))
    data = _Data()
    steps: list[list[Any]] = []
    for event in run["events"]:
        if event in started:
            continue
        if "saw" in event:
            steps.append([event["at"], "saw", data.seen(event)])
            continue
        data.follow(event["do"])
        steps.extend([event["at"], *step] for step in _steps(event["do"]))
    return {
        "run": run["run"],
        "scenario": run["scenario"],
        "etcd": run["etcd"],
        "timing": "production" if run["timing"].startswith("prod") else "fast",
        "members": members,
        "steps": steps,
    }


def _first_starts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for event in events:
        if not _is(event, r"start (\w)"):
            break
        found.append(event)
    return found


def _is(event: dict[str, Any], pattern: str) -> bool:
    return re.fullmatch(pattern, event.get("do", "")) is not None


FORMS: list[tuple[str, list[list[str | int]]]] = [
    (r"start (\w)", [["start", r"\1"]]),
    (r"kill (\w)", [["stop", r"\1"]]),
    (r"(\w): disk emptied.*", [["empty", r"\1"]]),
    (r"(\w) terminated and replaced.*EMPTY disk", [["wipe", r"\1"]]),
    (r"(\w): disk wiped", [["wipe", r"\1"]]),
    (r"write control spec memberCount=(\d+)", [["publish", r"\1"]]),
    (
        r"write control spec memberCount=(\d+) etcdVersion=([\d.]+)",
        [["publish", r"\1"], ["version", r"\2"]],
    ),
    (r"leader re-reads control store.*", [["read"]]),
    (
        r"etcdctl member (remove|add) (\w) .*err=(.*) \([\d.]+s\)",
        [[r"\1", r"\2", r"\3"]],
    ),
    (r"restore-backup command .*memberCount=(\d+).*", [["restore", r"\1"]]),
    (r"etcd-manager-ctl delete-command.*", [["forget"]]),
    (r"all managers .*restarted at once: (\w+)", [["restart", r"\1"]]),
    (
        r"manager of (\w) stopped; etcd --force-new-cluster.*",
        [["stop", r"\1"], ["force", r"\1"]],
    ),
    (r"\(waited .* for (\d+) started members: .*", [["started", r"\1"]]),
    (r"writes back after .*", [["written"]]),
    (r"manager leader now: (\w) .*", [["leads", r"\1"]]),
]
UNSEEN = r"cluster of \d+ formed|put .*|\w backup is taken.*|commands still queued.*"
"""What changes nothing that the model has."""


def _steps(said: str) -> list[list[Any]]:
    for pattern, steps in FORMS:
        match = re.fullmatch(pattern, said)
        if match is not None:
            return [[_part(match.expand(str(p))) for p in step] for step in steps]
    assert re.fullmatch(UNSEEN, said), said
    return []


def _part(text: str) -> Any:
    if text == "<nil>":
        return None
    return int(text) if text.isdigit() else text


class _Data:
    """What was written to etcd, and what of it is in the backup that is restored."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}
        self._saved: dict[str, str] = {}
        self._restored = False

    def follow(self, said: str) -> None:
        put = re.fullmatch(r"put (\w+) (\w+): ok=true", said)
        if put is not None and not self._restored:
            self._written[put[1]] = put[2]
        elif said.endswith("backup is taken: true"):
            self._saved = dict(self._written)
        elif said.startswith("restore-backup"):
            self._restored = True

    def seen(self, event: dict[str, Any]) -> dict[str, Any]:
        """An observation: members, those that never started, writes, and the data."""
        unstarted = re.findall(r"\?(\w)", event["members"])
        names = set(re.sub(r"\?\w?", "", event["members"]))
        found = {
            "members": "".join(sorted(names)),
            "unstarted": "".join(sorted(unstarted)),
            "serving": "".join(sorted(event["serving"])),
            "writes": event["writes"],
            "after": event["saw"],
        }
        split = "SPLIT" in event and self._restored
        if "SPLIT" in event and not split:
            found["data"] = "diverged"
        elif event.get("data") and not split and self._written:
            found["data"] = self._judged(event["data"])
        return {**found, "split": split}

    def _judged(self, data: str) -> str:
        pairs = (part.partition("=") for part in data.split())
        there = {name: value for name, _, value in pairs}
        since = {n for n, v in self._written.items() if self._saved.get(n) != v}
        kept = {n for n in since if there.get(n, "") in (self._written[n], "")} & {
            *there
        }
        if kept == since:
            return "kept"
        return "overwritten" if kept else "rolled back"
