"""All kops objects of one side of a change, sorted into clusters.

A cluster may be spread over files and a file may hold several clusters. This
module must not know YAML beyond handing it on, nor what is done with a manifest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.errors import defects_name
from kopslint.kops.documents import KopsObject, empty_sections, kops_objects
from kopslint.kops.spec import CLUSTER_LABEL, Cluster, Flaw, InstanceGroup, Manifest
from kopslint.records import Record
from kopslint.syntax.yaml_reader import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kopslint.source.text import Source


class Fleet(Record):
    """The clusters of one side of a change.

    ``manifests`` is by cluster name, sorted. ``skipped`` are sources that hold no
    kops object. ``flaws`` are those that belong to no cluster.
    """

    manifests: Mapping[str, Manifest]
    skipped: tuple[Source, ...] = ()
    flaws: tuple[Flaw, ...] = ()


class _Draft:
    """A manifest in the making."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None
        self.groups: dict[str, InstanceGroup] = {}
        self.repeated: list[Cluster | InstanceGroup] = []
        self.flaws: list[Flaw] = []
        # A dict keeps the order and, unlike a list, each source only once.
        self.sources: dict[Source, None] = {}

    def add(self, kops_object: Cluster | InstanceGroup) -> None:
        """Adds an object; one that had its name before is only repeated."""
        before: Cluster | InstanceGroup | None
        if isinstance(kops_object, Cluster):
            before, self.cluster = self.cluster, kops_object
        else:
            before = self.groups.pop(kops_object.name, None)
            self.groups[kops_object.name] = kops_object
        if before is not None:
            self.repeated.append(before)


def read_fleet(sources: Iterable[Source], *, whole: bool = True) -> Fleet:
    """The clusters that ``sources`` describe.

    An object belongs to the cluster that it names. One that names none belongs to
    the only cluster of its file, or else to the only cluster of all sources, or
    else to none: then its flaws say so and it is left out. A group without the
    label is a flaw in any case, because ``kops -f`` refuses it (kops
    cmd/kops/replace.go). Of objects with one name the last one counts. If these are
    not the ``whole`` fleet, there are other clusters in sources that are not here.

    Raises InputError for a source that is about kops and is not YAML. A source
    that does not even contain the word is not read, so that the other files of a
    folder may be anything.
    """
    read: list[tuple[Source, list[KopsObject]]] = []
    skipped = []
    for source in sources:
        found = []
        if "kops" in source.text:
            with defects_name(source.path):
                found = _objects_of(source)
        if found:
            read.append((source, found))
        else:
            skipped.append(source)

    everywhere = None
    if whole:
        everywhere = _only(name for _, found in read for name in _clusters(found))
    drafts: dict[str, _Draft] = {}
    homeless: list[Flaw] = []
    for source, found in read:
        home = _only(_clusters(found)) or everywhere
        unlabelled = _unlabelled(found)
        for kops_object in found:
            value, flaws = kops_object.value, kops_object.flaws
            if unlabelled and value is unlabelled[0]:
                flaws = (*flaws, _no_label(unlabelled, home))
            name = _cluster_named_by(value) or home
            if name is None:
                homeless.extend(flaws)
                continue
            draft = drafts.setdefault(name, _Draft())
            draft.sources[source] = None
            draft.flaws.extend(flaws)
            if value is not None:
                draft.add(value)
    manifests = {
        name: Manifest(
            name=name,
            cluster=draft.cluster,
            groups=draft.groups,
            repeated=tuple(draft.repeated),
            flaws=tuple(draft.flaws),
            sources=tuple(draft.sources),
        )
        for name, draft in sorted(drafts.items())
    }
    return Fleet(manifests, tuple(skipped), tuple(homeless))


def _objects_of(source: Source) -> list[KopsObject]:
    found = kops_objects(source, read_yaml(source))
    if found and (flaws := empty_sections(source)):
        found.append(KopsObject(None, flaws))
    return found


def _clusters(found: Iterable[KopsObject]) -> list[str]:
    """The names of the clusters that a Cluster or a label speaks of."""
    return [name for each in found if (name := _cluster_named_by(each.value))]


def _cluster_named_by(value: Cluster | InstanceGroup | None) -> str | None:
    if value is None:
        return None
    return value.name if isinstance(value, Cluster) else value.cluster


def _only(names: Iterable[str]) -> str | None:
    different = set(names)
    return different.pop() if len(different) == 1 else None


def _unlabelled(found: Iterable[KopsObject]) -> list[InstanceGroup]:
    """The groups of a file that do not say whose they are."""
    groups = (each.value for each in found)
    return [g for g in groups if isinstance(g, InstanceGroup) and g.cluster is None]


def _no_label(groups: list[InstanceGroup], home: str | None) -> Flaw:
    """What is wrong with all of them, told once."""
    *others, last = (group.name for group in groups)
    names = f"{', '.join(others)} and {last}" if others else last
    label = f"taken to belong to {home}" if home else "left out: nobody knows whose"
    return Flaw(
        "missing",
        f"the instance {'groups' if others else 'group'} {names} "
        f"{'have' if others else 'has'} no label {CLUSTER_LABEL}",
        tuple((group.at("metadata", "labels"), label) for group in groups),
        f"add metadata.labels: {{{CLUSTER_LABEL}: {home or '<cluster name>'}}}",
    )
