"""The shape of ``kopslint/plan-v1``, a plan as JSON: a contract with other programs.

Whatever is here may be relied on, so a key is never renamed or removed under the
same schema name.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kopslint.report.schema import EtcdModel  # noqa: TC001 - pydantic looks it up

_Count = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanFileModel(_Model):
    """A spec in between that the commands need."""

    path: str
    text: str


class PlanStepModel(_Model):
    """One step: its commands, and what must be seen before them and after.

    ``confirm`` has the members that each etcd cluster must list before the step;
    ``checks`` are the lines of shell that see to it, to be run before ``commands``.
    """

    number: Annotated[int, Field(ge=1)]
    kind: Literal["remove", "delete", "apply", "roll", "reconcile", "retire"]
    about: str
    etcd_cluster: str | None
    reason: str
    confirm: dict[str, list[str]]
    checks: list[str]
    commands: list[str]
    tolerance: int
    outage: bool
    etcd: dict[str, EtcdModel]


class PlanModel(_Model):
    """The whole plan, or why there is none and the procedure that remains.

    ``tolerance`` is how many more members may fail at the worst lasting moment,
    ``outage`` whether etcd may be without quorum for a while; ``notes`` are for
    people. ``setup`` are the lines of bash that define what the steps call.
    """

    schema_: Literal["kopslint/plan-v1"] = Field(alias="schema")
    cluster: str
    state_store: str | None
    result: Literal["plan", "nothing-to-do", "none"]
    reasons: list[str]
    procedure: list[str]
    notes: list[str]
    setup: list[str]
    tolerance: int | None
    outage: bool | None
    search_cut: bool
    files: list[PlanFileModel]
    steps: list[PlanStepModel]


def render_plan_schema() -> str:
    """The JSON Schema (draft 2020-12) of a plan."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "kopslint-plan-v1.schema.json",
        **PlanModel.model_json_schema(mode="serialization"),
        "title": "kopslint plan",
    }
    return json.dumps(schema, indent=2) + "\n"
