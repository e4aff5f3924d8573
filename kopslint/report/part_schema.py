"""The shape of ``shard``, which the JSON report of a shard has besides.

Only ``kopslint merge`` of the same version reads it, so it is no contract as
``kopslint.report.schema`` is: it may change with every version.
"""

from __future__ import annotations

from typing import Literal

from kopslint.report.schema import (
    Count,
    EtcdModel,
    FoundModel,
    Model,
    PlaceModel,
    Position,
    ReportModel,
)


class EtcdRestModel(Model):
    """What else is known of an etcd cluster."""

    joining: list[str]
    expelled: list[str]


class EtcdWholeModel(EtcdModel, EtcdRestModel):
    """All that is known of an etcd cluster."""


class TraceModel(Model):
    """What a step does to one etcd cluster."""

    etcd_cluster: str
    before: EtcdWholeModel | None
    after: EtcdWholeModel
    note: str


class FindingRestModel(Model):
    """What else is known of a finding; ``texts`` are those of its locations."""

    subject: str
    story: list[str]
    trace: list[TraceModel]
    texts: list[Count]


class DoubtfulModel(Model):
    """A finding that holds if all shards have it."""

    finding: FoundModel
    rest: FindingRestModel


class SuppressedModel(DoubtfulModel):
    """A finding that does not count, and why; ``text`` is that of the comment."""

    kind: Literal["comment", "baseline"]
    reason: str
    comment: PlaceModel | None
    text: Count | None


class StepRestModel(Model):
    """What else is known of a step; ``text`` is that of its location."""

    note: str
    title: str | None
    text: Count | None
    etcd: dict[str, EtcdRestModel]


class TextModel(Model):
    """A file, with those of its lines that findings show."""

    path: str
    revision: str | None
    past: bool
    lines: dict[Position, str]


class ShardModel(Model):
    """What the report of a shard says besides.

    ``findings`` and ``timeline`` say what else is known of those of the report, in the
    same order. Texts are named by their number in ``texts``, from 0.
    """

    number: Position
    of: Position
    version: str
    before: int | None
    after: int | None
    paths: list[str]
    texts: list[TextModel]
    findings: list[FindingRestModel]
    doubtful: list[DoubtfulModel]
    suppressed: list[SuppressedModel]
    timeline: list[StepRestModel]


class PartModel(ReportModel):
    """The whole report of a shard."""

    shard: ShardModel  # type: ignore[assignment]
