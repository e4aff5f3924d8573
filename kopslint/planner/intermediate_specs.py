"""Specs between before and after: written out, and read again as any other file.

Kops takes only whole specs with an odd number of members, so a way that no single edit
can go needs files in between. Each is made of the documents of both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.decode import read_fleet
from kopslint.model.initial import aligned
from kopslint.records import Record
from kopslint.syntax.yaml import resolve
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.kops.spec import InstanceGroup, Manifest
    from kopslint.planner.control_plane import Unit
    from kopslint.syntax.yaml import Plain

Document = dict[str, "Plain"]


class Spec(Record):
    """One spec that the commands store: its files and the objects they hold.

    ``text`` is what has to be written to the only file; None if the files are
    those of the after side as they are.
    """

    files: tuple[str, ...]
    manifest: Manifest
    sources: tuple[Source, ...]
    text: str | None = None


class Versions(Record):
    """The releases that a spec in between is held at; None: as its documents say."""

    kubernetes: str | None = None
    etcd: str | None = None
    cilium_in_etcd: bool | None = None


def cluster_document(
    base: Manifest,
    units: Sequence[Unit],
    groups: Sequence[InstanceGroup],
    donors: Sequence[Manifest],
    versions: Versions,
) -> Document:
    """The Cluster of ``base`` with exactly the members of ``units``.

    Subnets that ``groups`` need and ``base`` does not have come from ``donors``.
    """
    assert base.cluster is not None  # noqa: S101 (whole specs are asked for)
    document = _mapping(base.cluster.node.plain)
    spec = _mapping(document.get("spec"))
    for etcd in _list(spec.get("etcdClusters")):
        cluster = _mapping(etcd)
        name = str(cluster.get("name"))
        cluster["etcdMembers"] = [
            member.node.plain
            for unit in units
            for owner, member in unit.members
            if owner == name
        ]
        if versions.etcd is not None:
            cluster["version"] = versions.etcd
    if versions.kubernetes is not None:
        spec["kubernetesVersion"] = versions.kubernetes
    if versions.cilium_in_etcd is False:
        cilium = _mapping(_mapping(spec.get("networking")).get("cilium"))
        cilium.pop("etcdManaged", None)
    _add_subnets(base, spec, groups, donors)
    return document


def _add_subnets(
    base: Manifest,
    spec: Document,
    groups: Iterable[InstanceGroup],
    donors: Sequence[Manifest],
) -> None:
    assert base.cluster is not None  # noqa: S101 (whole specs are asked for)
    v1alpha3 = base.cluster.version == "v1alpha3"
    home = _mapping(spec.get("networking")) if v1alpha3 else spec
    subnets = _list(home.get("subnets"))
    known = {subnet.name for subnet in base.cluster.subnets}
    for name in dict.fromkeys(name for group in groups for name in group.subnets):
        donor = next(
            (
                subnet
                for manifest in donors
                if manifest.cluster is not None
                and (subnet := manifest.cluster.subnet(name)) is not None
            ),
            None,
        )
        if name not in known and donor is not None:
            subnets.append(donor.node.plain)
            known.add(name)


def interim(unit: Unit, name: str) -> tuple[Document, dict[str, Document]]:
    """A group like that of ``unit`` and its members, all of them called ``name``."""
    group = group_document(unit.group)
    _mapping(group.get("metadata"))["name"] = name
    members = {}
    for etcd, member in unit.members:
        document = _mapping(member.node.plain)
        document.update(name=name, instanceGroup=name)
        members[etcd] = document
    return group, members


def group_document(group: InstanceGroup) -> Document:
    """The InstanceGroup as a document."""
    return _mapping(group.node.plain)


def with_members(document: Document, members: dict[str, Document]) -> None:
    """Add a member to every etcd cluster of a Cluster document."""
    for etcd in _list(_mapping(document.get("spec")).get("etcdClusters")):
        cluster = _mapping(etcd)
        more = members.get(str(cluster.get("name")))
        if more is not None:
            _list(cluster.get("etcdMembers")).append(more)


def written(
    path: str, documents: Iterable[Document], relatives: Sequence[Manifest]
) -> Spec:
    """A spec in one file; objects equal to those of ``relatives`` are those."""
    text = _text(documents)
    source = Source(path, text)
    (manifest,) = read_fleet([source]).manifests.values()
    for relative in relatives:
        _, manifest = aligned(relative, manifest)
    return Spec((path,), manifest, (source,), text)


def _text(documents: Iterable[Document]) -> str:
    """The documents as YAML that the library of kops reads as the same values."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what PyYAML takes for a text, and the library of kops does not."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = None if isinstance(resolve(value), str) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)

    Dumper.add_representer(str, text)
    return yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, explicit_start=True)


def _mapping(value: Plain) -> Document:
    return value if isinstance(value, dict) else {}


def _list(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else []
