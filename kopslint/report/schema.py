"""The shape of ``kopslint/v1``, the JSON report: a contract with other programs.

Whatever is here may be relied on, so a key is never renamed or removed under the
same schema name. The published JSON Schema is made from these models and checked
in beside them. Printing a report does not need this module, and with it pydantic.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Position = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{20}(-[0-9]+)?$")]


class Model(BaseModel):
    """What all of a report has in common: it says nothing that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlaceModel(Model):
    """A stretch of a file; 1-based, columns count code points, the end exclusive."""

    path: str
    line: Position
    column: Position
    end_line: Position
    end_column: Position


class LocationModel(PlaceModel):
    """A place and what it has to do with the finding."""

    label: str


class FindingModel(Model):
    """One finding; its first location is the primary one.

    ``cause`` is the fingerprint of the finding that it follows from. ``existing`` says
    that it stands on the base of a change in git as well.
    """

    rule: Annotated[str, Field(pattern=r"^[A-Z]+[0-9]+$")]
    name: str
    severity: Literal["error", "warning", "info"]
    certainty: Literal["certain", "possible"]
    message: str
    why: str
    fix: list[str]
    step: Annotated[int | None, Field(ge=0)]
    cluster: str | None
    etcd_cluster: str | None
    locations: list[LocationModel]
    fingerprint: Fingerprint
    cause: Fingerprint | None
    existing: bool


class EtcdModel(Model):
    """One etcd cluster after a step, in the worst of the possible states."""

    members: list[str]
    alive: list[str]
    quorum: Count
    tolerance: int
    published: Count
    writable: Literal["yes", "no", "maybe"]


class MomentModel(Model):
    """A moment inside a step: the machine of a group is away and not back yet."""

    group: str
    etcd: dict[str, EtcdModel]


class TimelineEntryModel(Model):
    """One step of the commands; step 0 is the state before the first one.

    ``during`` are the moments inside the step, as a rolling update has them.
    """

    step: Count
    command: str
    location: PlaceModel | None
    status: Literal["applied", "refused", "no-op", "unknown"]
    cluster: str
    etcd: dict[str, EtcdModel]
    during: list[MomentModel]


class AssumptionModel(Model):
    """What the verdict rests on that the text does not say, and where."""

    text: str
    locations: list[LocationModel]


class ObservedModel(Model):
    """One output that was read of the cluster itself, and when it was taken.

    ``taken`` is null where the output does not say when.
    """

    command: str
    format: str
    path: str
    etcd_cluster: str | None
    node: str | None
    taken: str | None


class SummaryModel(Model):
    """The verdict, how much was found, what does not count, and what was looked at.

    ``unread`` are command lists from which no command could be read, where there was
    no other list. ``observed`` are the outputs that were read of the cluster itself.
    ``existing`` are the findings that do not count because they stand on the base as
    well; ``errors``, ``warnings`` and ``infos`` are without them.
    """

    verdict: Literal["SAFE", "CAUTION", "UNSAFE", "NOT PROVEN", "NOT CHECKED"]
    assumptions: list[AssumptionModel]
    errors: Count
    warnings: Count
    infos: Count
    clusters: list[str]
    specs: Count
    commands: Count
    rules: Count
    worlds: Count
    skipped: list[str]
    unread: list[str]
    observed: list[ObservedModel]
    existing: Count
    suppressed: Count
    baselined: Count


class ReportModel(Model):
    """The whole report."""

    schema_: Literal["kopslint/v1"] = Field(alias="schema")
    summary: SummaryModel
    findings: list[FindingModel]
    timeline: list[TimelineEntryModel]


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "kopslint-v1.schema.json",
        **ReportModel.model_json_schema(mode="serialization"),
        "title": "kopslint report",
    }


# ------------------------------------------------------------------------------------
# The shape of ``kopslint/plan-v1``, a plan as JSON: a contract with other programs
#
# Whatever is here may be relied on, so a key is never renamed or removed under the
# same schema name.


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanFileModel(_Model):
    """A spec in between that the commands need."""

    path: str
    text: str


class PlanStepModel(_Model):
    """One step: its commands, and what must be seen before them and after.

    ``confirm`` has the members that each etcd cluster must list before the step;
    ``checks`` are the lines of shell that see to it, to be run before ``commands``;
    ``script`` is all of it as one command, which stops at the first failure.
    """

    number: Annotated[int, Field(ge=1)]
    kind: Literal["remove", "delete", "apply", "roll", "reconcile", "retire"]
    about: str
    etcd_cluster: str | None
    reason: str
    confirm: dict[str, list[str]]
    checks: list[str]
    commands: list[str]
    script: str
    tolerance: int
    outage: bool
    etcd: dict[str, EtcdModel]


class PlanModel(_Model):
    """The whole plan, or why there is none and the procedure that remains.

    ``tolerance`` is how many more members may fail at the worst lasting moment,
    ``outage`` whether etcd may be without quorum for a while; ``notes`` are for
    people, ``warnings`` are what the check says of the order. ``setup`` are the lines
    of bash that define what the steps call.
    """

    schema_: Literal["kopslint/plan-v1"] = Field(alias="schema")
    cluster: str
    state_store: str | None
    result: Literal["plan", "nothing-to-do", "none"]
    reasons: list[str]
    procedure: list[str]
    notes: list[str]
    warnings: list[str]
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
