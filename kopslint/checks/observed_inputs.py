"""The observation itself: how old it is, what contradicts, and what was not seen."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.checks.context import MOST_FILES, Context, Draft, alike, listed
from kopslint.checks.observed import observation, spec_now
from kopslint.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.observed.observation import Reading
    from kopslint.text import Span

OLD = 3600
"""So many seconds after it was taken, an observation is old."""


def collecting(context: Context) -> str:
    """The commands that collect everything anew."""
    sources = spec_now(context).sources
    files = [quote(source.named) for source in sources]
    named = " ".join(files if 0 < len(files) <= MOST_FILES else ["SPEC"])
    return f"kopslint observe {named} > observe.sh && bash observe.sh"


def observation_old(context: Context) -> Iterator[Draft]:
    """What was seen is old, or does not say when it was taken."""
    seen, now = observation(context), context.now
    if seen is None or now is None:
        return
    old: list[Reading] = []
    timeless: list[Reading] = []
    for reading in seen.readings:
        if reading.taken is None:
            timeless.append(reading)
        elif abs((now - reading.taken).total_seconds()) > OLD:
            old.append(reading)
    if old:
        first = min(old, key=lambda one: str(one.taken))
        assert first.taken is not None  # noqa: S101 (they were chosen by it)
        ago = (now - first.taken).total_seconds()
        said = _age(ago) if ago > 0 else "in the future"
        yield Draft(
            message=f"the observation was taken at {first.taken:%Y-%m-%d %H:%M} UTC,"
            f" {said}",
            why="Members change within seconds: everything here describes the cluster"
            " as it was then.",
            locations=tuple(Location(place, "taken then") for place in _files(old)),
            subject="old",
            fix=(collecting(context),),
        )
    if timeless:
        yield Draft(
            severity=Severity.INFO,
            message="the observation does not say when it was taken",
            why="It is treated as current. Paste the output of `date` in front of it"
            " to say when it was taken; a file's timestamp does not tell.",
            locations=tuple(Location(place, "no time") for place in _files(timeless)),
            subject="timeless",
        )


def _files(readings: list[Reading]) -> list[Span]:
    """The first place in each file."""
    return [same[0].span for same in alike(readings, lambda one: one.span.source.path)]


def _age(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min ago"
    return f"{minutes // (24 * 60)} days ago"


def observation_contradicts(context: Context) -> Iterator[Draft]:
    """What was seen contradicts itself or the spec."""
    seen = context.observed
    if seen is None:
        return
    if seen.cluster not in (None, context.cluster):
        place = spec_now(context).sources[0].whole()
        yield Draft(
            severity=Severity.ERROR,
            message=f"the observation is of {seen.cluster}, but the spec is of"
            f" {context.cluster}",
            why="An observation of one cluster says nothing about another.",
            locations=(
                *(Location(one.span, "observed") for one in seen.readings[:1]),
                Location(place, "the spec"),
            ),
            subject="cluster",
        )
        return
    for found in seen.contradictions:
        first, *others = found.spans
        yield Draft(
            message=found.message,
            why="Both cannot be true at the same time. They were taken at different"
            " times, or parts of etcd cannot reach each other.",
            locations=(
                Location(first, "this"),
                *(Location(span, "and this") for span in others),
            ),
            subject=found.subject,
            etcd_cluster=found.etcd_cluster,
            fix=(collecting(context),),
        )
    known = {etcd.name for etcd in spec_now(context).etcd_clusters}
    for etcd in seen.etcd if known else ():
        places = (
            *(one.span for one in etcd.lists),
            *(one.span for one in etcd.members),
        )
        if etcd.name not in known and places:
            yield Draft(
                message=f"etcd {etcd.name} was observed, but the spec does not have it",
                why=f"The spec has etcd {listed(sorted(known))}.",
                locations=(Location(places[0], "observed"),),
                subject=f"spec/{etcd.name}",
                etcd_cluster=etcd.name,
            )


def observation_unread(context: Context) -> Iterator[Draft]:
    """Something that was handed over could not be read."""
    seen = observation(context)
    unread = seen.unread if seen is not None else ()
    for same in alike(unread, lambda one: one.message):
        silent = same[0].silent
        label = "no answer" if silent else "not read"
        yield Draft(
            severity=Severity.INFO if silent else None,
            message=f"{label}: {same[0].message}",
            why="This part of the cluster is unknown."
            if silent
            else "What could not be read may be what matters.",
            locations=tuple(Location(one.span, label) for one in same),
            subject=same[0].message,
        )


def not_observed(context: Context) -> Iterator[Draft]:
    """An etcd cluster of the spec of which no member list was seen."""
    seen = observation(context)
    if seen is None:
        return
    unseen = [
        etcd
        for etcd in spec_now(context).etcd_clusters
        if (one := seen.etcd_cluster(etcd.name)) is None or not one.is_listed
    ]
    if unseen:
        names = [etcd.name for etcd in unseen]
        yield Draft(
            message=f"no member list of etcd {listed(names)} was observed",
            why="Its members are unknown and assumed to be those of the spec. Every"
            " etcd cluster has its own members, quorum and dead members.",
            locations=tuple(
                Location(etcd.at("name"), "the spec has it") for etcd in unseen
            ),
            subject=",".join(names),
            fix=(collecting(context),),
        )
