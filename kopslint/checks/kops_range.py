"""Which releases of kops take a spec at all, where nobody says which one is in use.

A release takes some Kubernetes and refuses what is gone in it or not there yet. What
every one of them refuses is a mistake of the spec, which other rules report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft
from kopslint.findings import Location, Severity
from kopslint.kops.releases import OLDEST
from kopslint.kops.releases import release as release_of
from kopslint.kops.running_etcd import kops_for, kubernetes_of
from kopslint.kops.validation import rejections
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import Manifest

    Refused = Mapping[tuple[str, str], Rejection]

# What is dropped in silence, what a flag allows, and what says the range itself.
_NOT_OF_A_RELEASE = ("unknown-field", "wrong-type", "feature-flag")
_KUBERNETES = "spec.kubernetesVersion"


def releases_that_take_this(context: Context) -> Iterator[Draft]:
    """Where the range of releases ends that take a spec; that none does, is an error.

    Only the newest end is said: a newer kops is what people go to. Of a change it is
    said where that comes nearer.
    """
    if context.kops_version is not None:
        return
    unknown = _unknown(context.after)
    if unknown is not None:
        if context.before is None or _unknown(context.before) is None:
            yield unknown
        return
    minors = _minors(context.after)
    if not minors or not _refused(context.after, minors[-1]):
        # The newest takes it, as it takes nearly every spec: no end is to be told.
        return
    after = _range(context.after)
    if after is None:
        return
    before = _range(context.before) if context.before is not None else None
    if not after.taking:
        if before is None or before.taking:
            yield from _none(after)
        return
    newest = after.taking[-1]
    was = before.taking if before is not None else None
    if newest != after.minors[-1] and (not was or was[-1] > newest):
        yield _end(after, newest)


def _unknown(manifest: Manifest) -> Draft | None:
    """That a Kubernetes needs a kops that is older than all that are known."""
    kubernetes = kubernetes_of(manifest.cluster)
    if manifest.cluster is None or kubernetes is None or kubernetes.major != 1:
        return None
    if kops_for(kubernetes)[-1] >= OLDEST:
        return None
    place = manifest.cluster.at("spec", "kubernetesVersion")
    return Draft(
        severity=Severity.INFO,
        message=f"Kubernetes {kubernetes.series} needs a kops older than 1.{OLDEST},"
        " which kopslint does not know",
        why=f"kops 1.{OLDEST} updates Kubernetes 1.{release_of(OLDEST).oldest} and"
        " later. Older releases are checked as if they had the etcd versions, fields"
        f" and commands of 1.{OLDEST}.",
        locations=(Location(place, f"kops 1.{OLDEST} and later do not update this"),),
        subject="unknown",
    )


class _Range(Record):
    """The releases that were asked, those that take a spec, and what others refuse."""

    minors: tuple[int, ...]
    taking: tuple[int, ...]
    refused: Mapping[int, Refused]


def _minors(manifest: Manifest) -> tuple[int, ...]:
    """The releases that take the Kubernetes of a spec; none where only one does."""
    kubernetes = kubernetes_of(manifest.cluster)
    if kubernetes is None:
        return ()
    minors = tuple(m for m in kops_for(kubernetes) if release_of(m).minor == m)
    if len(minors) < 2 or release_of(minors[0]).oldest > kubernetes.minor:
        return ()
    return minors


def _range(manifest: Manifest) -> _Range | None:
    """What the releases say that the Kubernetes allows; None if they agree.

    Those between the first and the last are asked only where these differ.
    """
    minors = _minors(manifest)
    if not minors:
        return None
    refused = {m: _refused(manifest, m) for m in (minors[0], minors[-1])}
    if refused[minors[0]].keys() == refused[minors[-1]].keys():
        return None
    refused |= {m: _refused(manifest, m) for m in minors[1:-1]}
    always = set.intersection(*(set(found) for found in refused.values()))
    own = {
        m: {key: each for key, each in found.items() if key not in always}
        for m, found in refused.items()
    }
    return _Range(minors, tuple(m for m in minors if not own[m]), own)


def _refused(manifest: Manifest, minor: int) -> Refused:
    """What a release refuses of what is written, by its kind and place.

    What is missing, a newer release only has to be given.
    """
    return {
        (each.kind, each.path): each
        for each in rejections(manifest, kops_version=f"1.{minor}")
        if not each.harmless
        and each.kind not in _NOT_OF_A_RELEASE
        and each.path != _KUBERNETES
        and " is missing" not in each.message
    }


def _end(found: _Range, newest: int) -> Draft:
    beyond, oldest = newest + 1, found.taking[0]
    why = next(iter(found.refused[beyond].values()))
    older = f", and 1.{oldest} the oldest" if oldest != found.minors[0] else ""
    return Draft(
        severity=Severity.INFO,
        message=f"kops 1.{newest} is the newest that accepts this{older}: in"
        f" 1.{beyond} {why.message}",
        why="The kops version is not known, so every release that supports this"
        " Kubernetes was tried. Set --kops-version to check against one.",
        locations=(Location(why.span, f"kops 1.{beyond} refuses this"),),
        subject=f"newest/{why.path}",
    )


def _none(found: _Range) -> Iterator[Draft]:
    """Two things of which the one asks for an older kops than the other."""
    first, last = found.minors[0], found.minors[-1]
    older, newer = found.refused[first], found.refused[last]
    if not older or not newer:
        return
    old, new = next(iter(older.values())), next(iter(newer.values()))
    yield Draft(
        message=f"no kops release accepts this: in 1.{first} {old.message}, and in"
        f" 1.{last} {new.message}",
        why=f"Every kops from 1.{first} to 1.{last}, the releases that support this"
        " Kubernetes, refuses one or the other. Change one of the two.",
        locations=(
            Location(old.span, f"kops 1.{first} refuses this"),
            Location(new.span, f"kops 1.{last} refuses this"),
        ),
        subject=f"none/{old.path}/{new.path}",
    )
