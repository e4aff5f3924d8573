"""Which releases of kops take a spec at all, where nobody says which one is in use.

A release takes some Kubernetes and refuses what is gone in it or not there yet. What
every one of them refuses is a mistake of the spec, which other rules report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft
from kopslint.findings import Location, Severity
from kopslint.kops.releases import OLDEST, OLDEST_KNOWN, fields_since
from kopslint.kops.releases import release as release_of
from kopslint.kops.running_etcd import kops_for, kubernetes_of
from kopslint.kops.validation import kops_minor, rejections
from kopslint.kops.validation.declared import named
from kopslint.records import Record
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.syntax.yaml import Node, Step
    from kopslint.text import Span

    Refused = Mapping[tuple[str, str], Rejection]

# What is dropped in silence, what a flag allows, and what says the range itself.
_NOT_OF_A_RELEASE = ("unknown-field", "wrong-type", "feature-flag")
_KUBERNETES = "spec.kubernetesVersion"


def releases_that_take_this(context: Context) -> Iterator[Draft]:
    """Where the range of releases ends that take a spec; that none does, is an error.

    Nothing is said of an end that Kubernetes alone decides on, and of a change only
    where an end comes nearer.
    """
    unknown = _unknown(context.after, context.kops_version)
    if unknown is not None:
        was = context.before is not None and _unknown(context.before, None) is not None
        if context.kops_version is not None or not was:
            yield unknown
        return
    if context.kops_version is not None:
        return
    minors = _minors(context.after)
    if not minors:
        return
    after = _range(context.after, minors)
    if after is None:
        return
    before = None
    if context.before is not None:
        before = _range(context.before, _minors(context.before))
    if not after.taking:
        if before is None or before.taking:
            yield _none(after, context.after)
        return
    yield from _ends(after, before.taking if before is not None else ())


def _unknown(manifest: Manifest, kops_version: str | None) -> Draft | None:
    """That the kops of a spec is older than all of which is known what they take."""
    if manifest.cluster is None:
        return None
    place = manifest.cluster.at("spec", "kubernetesVersion")
    why = (
        f"Which etcd, fields and commands a kops before 1.{OLDEST_KNOWN} has was not "
        f"read, or not all of it: those of 1.{OLDEST} are the oldest that are used."
    )
    if kops_version is not None:
        minor = kops_minor(kops_version, manifest)
        if minor >= OLDEST_KNOWN:
            return None
        message = f"kops 1.{minor} is older than 1.{OLDEST_KNOWN}"
    else:
        kubernetes = kubernetes_of(manifest.cluster)
        if kubernetes is None or kubernetes.major != 1:
            return None
        if kops_for(kubernetes)[-1] >= OLDEST_KNOWN:
            return None
        message = (
            f"Kubernetes {kubernetes.series} needs a kops older than 1.{OLDEST_KNOWN}"
        )
    return Draft(
        severity=Severity.INFO,
        message=f"{message}, which kopslint does not know",
        why=why,
        locations=(Location(place, "kopslint does not know the kops for this"),),
        subject="unknown",
    )


class _Why(Record):
    """Why a release does not take a spec as it is written, and which field it is.

    ``dropped`` is whether the release only drops the field, without a word.
    """

    path: str
    message: str
    span: Span
    dropped: bool = False


class _Range(Record):
    """The releases that were asked, those that take a spec, and why others do not."""

    minors: tuple[int, ...]
    taking: tuple[int, ...]
    refused: Mapping[int, Sequence[_Why]]


def _minors(manifest: Manifest) -> tuple[int, ...]:
    """The releases that take the Kubernetes of a spec; none where only one does."""
    kubernetes = kubernetes_of(manifest.cluster)
    if kubernetes is None:
        return ()
    minors = tuple(m for m in kops_for(kubernetes) if release_of(m).minor == m)
    if len(minors) < 2 or release_of(minors[0]).oldest > kubernetes.minor:
        return ()
    return minors


def _range(manifest: Manifest, minors: tuple[int, ...]) -> _Range | None:
    """What the releases say that the Kubernetes allows; None if they agree.

    Those between the first and the last are asked only where these differ. A release
    drops what came later without a word, and so does not take it as it is written.
    """
    if not minors:
        return None
    later = tuple(_later_fields(manifest, minors[0]))
    refused = {m: _refused(manifest, m) for m in (minors[0], minors[-1])}
    if refused[minors[0]].keys() == refused[minors[-1]].keys() and not later:
        return None
    refused |= {m: _refused(manifest, m) for m in minors[1:-1]}
    always = set.intersection(*(set(found) for found in refused.values()))
    own = {
        m: [
            *(
                _Why(e.path, _in_short(e), e.span)
                for k, e in found.items()
                if k not in always
            ),
            *(why for since, why in later if since > m),
        ]
        for m, found in sorted(refused.items())
    }
    return _Range(minors, tuple(m for m in minors if not own[m]), own)


def _in_short(refused: Rejection) -> str:
    """What is refused, without all the versions of etcd that the release brings."""
    head, brings, rest = refused.message.partition(", but kops 1.")
    return (
        f"{head}, which it does not bring"
        if " brings " in rest
        else head + brings + rest
    )


def _later_fields(manifest: Manifest, minor: int) -> Iterator[tuple[int, _Why]]:
    """The fields that came after a release, each with the one that brought it."""
    objects: list[tuple[str, Cluster | InstanceGroup]] = []
    if manifest.cluster is not None:
        objects.append(("Cluster", manifest.cluster))
    objects += (("InstanceGroup", group) for group in manifest.groups.values())
    for kind, each in objects:
        for path, since in fields_since(each.version, minor).items():
            steps = path.split(".")
            if steps[0] != kind:
                continue
            for place in _places(each.node, steps[1:], ()):
                here = named(place)
                text = f"kops knows no field {here}: 1.{since} brought it"
                yield since, _Why(here, text, span_of(each.node, *place), dropped=True)


def _places(
    node: Node | None, steps: Sequence[str], here: tuple[Step, ...]
) -> Iterator[tuple[Step, ...]]:
    """Where a field of the table is set, in each item of the lists on its way."""
    if isinstance(node, YamlSequence):
        for index, item in enumerate(node.items):
            yield from _places(item, steps, (*here, index))
    elif not steps:
        if node is not None and not (isinstance(node, Scalar) and node.value is None):
            yield here
    elif isinstance(node, YamlMapping):
        yield from _places(node.get(steps[0]), steps[1:], (*here, steps[0]))


def _refused(manifest: Manifest, minor: int) -> Refused:
    """What a release refuses of what is written, by its kind and place.

    What is missing, a newer release only has to be given.
    """
    return {
        (each.kind, each.path): each
        for each in rejections(manifest, kops_version=f"1.{minor}", types=False)
        if not each.harmless
        and each.kind not in _NOT_OF_A_RELEASE
        and each.path != _KUBERNETES
        and " is missing" not in each.message
    }


def _ends(found: _Range, was: tuple[int, ...]) -> Iterator[Draft]:
    """The newest and the oldest that take a spec, each where it is told."""
    oldest, newest = found.taking[0], found.taking[-1]
    if newest != found.minors[-1] and (not was or was[-1] > newest):
        older = f", and 1.{oldest} the oldest" if oldest != found.minors[0] else ""
        said = f"the newest that accepts this{older}: in"
        yield _end(f"kops 1.{newest} is {said}", newest + 1, "newest", found)
    elif oldest != found.minors[0] and (not was or was[0] < oldest):
        said = f"kops 1.{oldest} is the oldest that accepts this: in"
        yield _end(said, oldest - 1, "oldest", found)


def _end(said: str, beyond: int, which: str, found: _Range) -> Draft:
    why = found.refused[beyond][0]
    return Draft(
        severity=Severity.INFO,
        message=f"{said} 1.{beyond} {why.message}",
        why="The kops version is not known, so every release that supports this"
        " Kubernetes was tried. Set --kops-version to check against one.",
        locations=(Location(why.span, f"kops 1.{beyond} does not accept this"),),
        subject=f"{which}/{why.path}",
    )


def _none(found: _Range, manifest: Manifest) -> Draft:
    """Two things of which the one asks for an older kops than the other."""
    first, last = found.minors[0], found.minors[-1]
    old, new = (
        min(found.refused[m], key=lambda why: why.dropped) for m in (first, last)
    )
    if new.dropped and manifest.cluster is not None:
        # The last one that updates this Kubernetes is older than the field.
        kubernetes = kubernetes_of(manifest.cluster)
        series = kubernetes.series if kubernetes is not None else ""
        place = manifest.cluster.at("spec", "kubernetesVersion")
        return Draft(
            severity=Severity.WARNING,
            message=f"no kops release accepts this: 1.{last} is the newest that "
            f"updates Kubernetes {series}, and in 1.{last} {new.message}",
            why="A newer kops stores this and updates no such cluster; an older one "
            "drops the field without a word.",
            locations=(
                Location(new.span, f"kops 1.{last} drops this"),
                Location(place, f"kops 1.{last + 1} does not update this"),
            ),
            subject=f"none/{new.path}",
        )
    return Draft(
        message=f"no kops release accepts this: in 1.{first} {old.message}, and in "
        f"1.{last} {new.message}",
        why=f"No kops from 1.{first} to 1.{last}, the releases that support this"
        " Kubernetes, accepts both. Change one of the two.",
        locations=(
            Location(old.span, f"kops 1.{first} does not accept this"),
            Location(new.span, f"kops 1.{last} does not accept this"),
        ),
        subject=f"none/{old.path}/{new.path}",
    )
