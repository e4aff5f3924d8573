"""The shape of ``kopslint/v1``, the JSON report: a contract with other programs.

Whatever is here may be relied on, so a key is never renamed or removed under the
same schema name. The published JSON Schema is made from these models and checked
in beside them. Printing a report does not need this module, and with it pydantic.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Position = Annotated[int, Field(ge=1)]
_Count = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlaceModel(_Model):
    """A stretch of a file; 1-based, columns count code points, the end exclusive."""

    path: str
    line: _Position
    column: _Position
    end_line: _Position
    end_column: _Position


class LocationModel(PlaceModel):
    """A place and what it has to do with the finding."""

    label: str


class FindingModel(_Model):
    """One finding; its first location is the primary one."""

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
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{20}(-[0-9]+)?$")]


class EtcdModel(_Model):
    """One etcd cluster after a step, in the worst of the possible worlds."""

    members: list[str]
    alive: list[str]
    quorum: _Count
    tolerance: int
    published: _Count
    writable: Literal["yes", "no", "maybe"]


class TimelineEntryModel(_Model):
    """One step of the commands; step 0 is the state before the first one."""

    step: _Count
    command: str
    location: PlaceModel | None
    status: Literal["applied", "refused", "no-op", "unknown"]
    cluster: str
    etcd: dict[str, EtcdModel]


class SummaryModel(_Model):
    """How much was found, how much does not count, and how much was looked at."""

    errors: _Count
    warnings: _Count
    infos: _Count
    clusters: list[str]
    specs: _Count
    commands: _Count
    rules: _Count
    worlds: _Count
    skipped: list[str]
    suppressed: _Count
    baselined: _Count


class ReportModel(_Model):
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
