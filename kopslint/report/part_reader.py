"""The JSON reports of shards, read back as reports.

Reports that are read together share their sources, so that it is seen what stands at
the same place. This module must not know whether they belong together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint import __version__
from kopslint.errors import InputError
from kopslint.findings import (
    Certainty,
    EtcdView,
    Finding,
    Location,
    Part,
    Report,
    Severity,
    Summary,
    Suppression,
    TimelineEntry,
    TraceLine,
)
from kopslint.source.text import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.report.part_schema import (
        EtcdRestModel,
        FindingRestModel,
        PartModel,
        ShardModel,
        StepRestModel,
        SuppressedModel,
    )
    from kopslint.report.schema import (
        EtcdModel,
        FoundModel,
        PlaceModel,
        TimelineEntryModel,
    )

_HINT = "write it with kopslint check --shard 1/8 --format json=FILE"


def read_parts(files: Sequence[Source]) -> list[Report]:
    """The reports in JSON files that ``check --shard`` wrote.

    Raises ``InputError`` for a file that is none, or that another version wrote.
    """
    models = [_model(file) for file in files]
    texts = _Texts(model.shard for model in models)
    reports = []
    for file, model in zip(files, models, strict=True):
        try:
            reports.append(_Reader(model, texts.of(model.shard)).report())
        except (LookupError, ValueError):
            raise InputError(
                f"{file.path} was changed after it was written",
                hint="merge the reports as they were written",
            ) from None
    return reports


def _model(file: Source) -> PartModel:
    from pydantic import ValidationError

    from kopslint.report.part_schema import PartModel

    try:
        model = PartModel.model_validate_json(file.text)
    except ValidationError as error:
        first = error.errors()[0]
        field = "".join(f"{step}: " for step in first["loc"])
        raise InputError(
            f"{file.path} is no report of a shard: {field}{first['msg']}", hint=_HINT
        ) from None
    shard = model.shard
    if shard.version != __version__:
        raise InputError(
            f"{file.path} was written by kopslint {shard.version},"
            f" and this is {__version__}",
            hint="check and merge with the same version",
        )
    return model


class _Texts:
    """The sources that several reports point into, each once."""

    def __init__(self, shards: Iterable[ShardModel]) -> None:
        lines: dict[tuple[str, str | None, bool], dict[int, str]] = {}
        for shard in shards:
            for text in shard.texts:
                key = (text.path, text.revision, text.past)
                lines.setdefault(key, {}).update(text.lines)
        self._sources = {
            (path, revision, past): Source(path, _numbered(found), revision, past=past)
            for (path, revision, past), found in lines.items()
        }

    def of(self, shard: ShardModel) -> list[Source]:
        """The sources by the numbers that they have in a report."""
        return [self._sources[t.path, t.revision, t.past] for t in shard.texts]


def _numbered(lines: dict[int, str]) -> str:
    """A text in which every line that is known has its number."""
    return "\n".join(lines.get(n, "") for n in range(1, max(lines, default=0) + 1))


class _Reader:
    """Reads one report, in which texts have the numbers of ``sources``."""

    def __init__(self, model: PartModel, sources: Sequence[Source]) -> None:
        self._model = model
        self._sources = sources

    def report(self) -> Report:
        """The report as it was before it was written."""
        model, shard, summary = self._model, self._model.shard, self._model.summary
        return Report(
            findings=tuple(
                self._finding(found, rest)
                for found, rest in zip(model.findings, shard.findings, strict=True)
            ),
            timeline=tuple(
                self._step(entry, rest)
                for entry, rest in zip(model.timeline, shard.timeline, strict=True)
            ),
            summary=Summary(
                clusters=tuple(summary.clusters),
                specs=summary.specs,
                commands=summary.commands,
                rules=summary.rules,
                worlds=summary.worlds,
                skipped=tuple(summary.skipped),
                before=shard.before,
                after=shard.after,
                paths=tuple(shard.paths),
            ),
            suppressed=tuple(
                (self._finding(each.finding, each.rest), self._why(each))
                for each in shard.suppressed
            ),
            part=Part(
                shard.number,
                shard.of,
                tuple(self._finding(d.finding, d.rest) for d in shard.doubtful),
            ),
        )

    def _finding(self, found: FoundModel, rest: FindingRestModel) -> Finding:
        return Finding(
            rule=found.rule,
            name=found.name,
            severity=Severity(found.severity),
            certainty=Certainty(found.certainty),
            message=found.message,
            why=found.why,
            locations=tuple(
                Location(self._span(place, text), place.label)
                for place, text in zip(found.locations, rest.texts, strict=True)
            ),
            subject=rest.subject,
            fix=tuple(found.fix),
            step=found.step,
            cluster=found.cluster,
            etcd_cluster=found.etcd_cluster,
            trace=tuple(
                TraceLine(
                    line.etcd_cluster,
                    _view(line.before, line.before) if line.before else None,
                    _view(line.after, line.after),
                    line.note,
                )
                for line in rest.trace
            ),
            story=tuple(rest.story),
        )

    def _why(self, suppressed: SuppressedModel) -> Suppression:
        span = self._place(suppressed.comment, suppressed.text)
        return Suppression(suppressed.kind, suppressed.reason, span)

    def _step(self, entry: TimelineEntryModel, rest: StepRestModel) -> TimelineEntry:
        return TimelineEntry(
            step=entry.step,
            command=entry.command,
            span=self._place(entry.location, rest.text),
            status=entry.status,
            etcd={name: _view(v, rest.etcd[name]) for name, v in entry.etcd.items()},
            cluster=entry.cluster,
            note=rest.note,
            title=rest.title,
        )

    def _place(self, place: PlaceModel | None, text: int | None) -> Span | None:
        return None if place is None or text is None else self._span(place, text)

    def _span(self, place: PlaceModel, text: int) -> Span:
        start, end = (place.line, place.column), (place.end_line, place.end_column)
        return Span(self._sources[text], *start, *end)


def _view(view: EtcdModel, rest: EtcdRestModel) -> EtcdView:
    return EtcdView(
        members=tuple(view.members),
        alive=tuple(view.alive),
        quorum=view.quorum,
        tolerance=view.tolerance,
        published=view.published,
        writable=view.writable,
        joining=tuple(rest.joining),
        expelled=tuple(rest.expelled),
    )
