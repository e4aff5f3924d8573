"""A plan for programs: one JSON object in the shape of ``report.plan_schema``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.cli.plan_script import (
    checks_before,
    checks_in_shell,
    preamble,
    procedure,
)
from kopslint.plan.runbook import NoWay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.findings import EtcdView
    from kopslint.plan.runbook import Runbook, Step

SCHEMA = "kopslint/plan-v1"


def plan_json(result: Runbook | NoWay) -> str:
    """The plan as a JSON object that ends with a line end."""
    return json.dumps(plan_object(result), indent=2) + "\n"


def plan_object(result: Runbook | NoWay) -> dict[str, object]:
    """The plan as the values that ``kopslint/plan-v1`` is made of."""
    shared: dict[str, object] = {
        "schema": SCHEMA,
        "cluster": result.cluster,
        "state_store": result.store,
        "search_cut": result.cut,
    }
    if isinstance(result, NoWay):
        return {
            **shared,
            "result": "none",
            "reasons": list(result.reasons),
            "procedure": [line.strip() for line in procedure(result)],
            "notes": [],
            "setup": [],
            "tolerance": None,
            "outage": None,
            "files": [],
            "steps": [],
        }
    return {
        **shared,
        "result": "plan" if result.steps else "nothing-to-do",
        "reasons": [],
        "procedure": [],
        "notes": list(result.notes),
        "setup": list(preamble(result)) if result.steps else [],
        "tolerance": result.tolerance if result.steps else None,
        "outage": result.outage,
        "files": [
            {"path": spec.files[0], "text": spec.text} for spec in result.written
        ],
        "steps": [_step(number, step) for number, step in enumerate(result.steps, 1)],
    }


def _step(number: int, step: Step) -> dict[str, object]:
    deed = step.deed
    return {
        "number": number,
        "kind": deed.kind,
        "about": deed.about,
        "etcd_cluster": deed.etcd_cluster,
        "reason": deed.reason,
        "confirm": {name: list(view.members) for name, view in checks_before(step)},
        "checks": list(checks_in_shell(step)),
        "commands": [command.text for command in deed.commands],
        "tolerance": step.tolerance,
        "outage": step.outage,
        "etcd": _views(step.after),
    }


def _views(views: Mapping[str, EtcdView]) -> dict[str, object]:
    return {
        name: {
            "members": list(view.members),
            "alive": list(view.alive),
            "quorum": view.quorum,
            "tolerance": view.tolerance,
            "published": view.published,
            "writable": view.writable,
        }
        for name, view in views.items()
    }
