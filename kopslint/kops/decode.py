"""All kops objects of one side of a change, sorted into clusters.

A cluster may be spread over files and a file may hold several clusters.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.errors import InputError, defects_name
from kopslint.kops.placeholders import holds_placeholder, may_hold_placeholders
from kopslint.kops.rejection import of_object
from kopslint.kops.spec import (
    CLUSTER_LABEL,
    Cluster,
    EtcdCluster,
    EtcdMember,
    InstanceGroup,
    Manifest,
    Role,
    Subnet,
    parse_role,
)
from kopslint.records import Record
from kopslint.syntax.yaml import (
    Scalar,
    YamlMapping,
    YamlSequence,
    each_document,
    read_yaml,
    span_of,
    text_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.kops.rejection import ObjectKind, Rejection
    from kopslint.syntax.yaml import Document, Entry, Node
    from kopslint.text import Source, Span


# ------------------------------------------------------------------------------------
# Fields of an API object, read as the types they should have
#
# Whatever does not fit becomes a flaw with its place and an absent value; reading goes
# on. The types are those that kops decodes JSON into, so a number where text belongs is
# a flaw: kops refuses the file (kops pkg/kopscodecs/codecs.go, Decode).

_INT32 = range(-(2**31), 2**31)


class Fields:
    """The fields of one mapping, and the flaws found while reading them.

    ``path`` is how people name the mapping (``spec.etcdClusters[0]``); ``where``
    shows it. A field that is absent or null has no value and is no flaw, unless
    it is asked for as required. All Fields below one object share one ``flaws``.
    """

    def __init__(
        self, node: YamlMapping | None, path: str, where: Span, flaws: list[Rejection]
    ) -> None:
        self.node = node
        self.where = where
        self._path = path
        self._flaws = flaws

    def text(self, key: str, *, required: bool = False) -> str | None:
        """The text of ``key``.

        A number or boolean is a flaw and still gives its text, so that what
        refers to it by name is found.
        """
        node = self._value(key)
        if node is None:
            if required:
                self._missing(key)
            return None
        text = self._text_of(node, self._name(key))
        if required and text == "":
            self._missing(key)
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """The items of the list ``key``, each as text."""
        return tuple(
            text
            for node, name in self._items(key)
            if (text := self._text_of(node, name)) is not None
        )

    def whole_number(self, key: str) -> int | None:
        """The whole number of ``key``; text is a flaw, even if it looks like one."""
        node = self._value(key)
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong_type(node, self._name(key), "a whole number")
            return None
        if value not in _INT32:
            self._wrong_type(node, self._name(key), "a whole number of 32 bits")
            return None
        return value

    def below(self, key: str, *, required: bool = False) -> Fields:
        """The fields of the mapping ``key``; none if it is absent or no mapping."""
        node = self._value(key)
        if node is None and required:
            self._missing(key)
        if node is not None and not isinstance(node, YamlMapping):
            self._wrong_type(node, self._name(key), "a mapping")
        entry = self.node.entry(key) if self.node is not None else None
        return Fields(
            node if isinstance(node, YamlMapping) else None,
            self._name(key),
            entry.key.span if entry is not None else self.where,
            self._flaws,
        )

    def each(self, key: str) -> tuple[tuple[YamlMapping, Fields], ...]:
        """The mappings in the list ``key``, each with its fields."""
        found = []
        for node, name in self._items(key):
            if isinstance(node, YamlMapping):
                found.append((node, Fields(node, name, node.span, self._flaws)))
            else:
                self._wrong_type(node, name, "a mapping")
        return tuple(found)

    def raw(self, key: str) -> Node | None:
        """The node of ``key``, whatever it is; None if it is absent or null."""
        return self._value(key)

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _value(self, key: str) -> Node | None:
        node = self.node.get(key) if self.node is not None else None
        is_null = isinstance(node, Scalar) and node.value is None
        return None if is_null else node

    def _items(self, key: str) -> tuple[tuple[Node, str], ...]:
        node, name = self._value(key), self._name(key)
        if node is None:
            return ()
        if not isinstance(node, YamlSequence):
            self._wrong_type(node, name, "a list")
            return ()
        return tuple(
            (item, f"{name}[{index}]") for index, item in enumerate(node.items)
        )

    def _text_of(self, node: Node, name: str) -> str | None:
        if not isinstance(node, Scalar):
            self._wrong_type(node, name, "text")
            return None
        if node.value is not None and not isinstance(node.value, str):
            self._wrong_type(node, name, "text")
        return node.text

    def _missing(self, key: str) -> None:
        self._flaws.append(
            of_object(
                "missing",
                f"{self._name(key)} is missing",
                ((self.where, f"there is no {key} here"),),
                f"add {key}",
                self._name(key),
            )
        )

    def _wrong_type(self, node: Node, name: str, expected: str) -> None:
        hint = f"write {expected}"
        if isinstance(node, Scalar) and expected == "text":
            hint = "put quotes around it"
        elif isinstance(node, Scalar) and node.quoted:
            hint = f"write {expected}, without quotes"
        self._flaws.append(
            of_object(
                "wrong-type",
                f"{name} must be {expected}, but is {_kind_of(node)}",
                ((node.span, f"this is {_kind_of(node)}"),),
                hint,
                name,
            )
        )


def _kind_of(node: Node) -> str:
    if isinstance(node, YamlMapping):
        return "a mapping"
    if isinstance(node, YamlSequence):
        return "a list"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return kinds.get(type(node.value), "nothing")


# ------------------------------------------------------------------------------------
# Typed Cluster and InstanceGroup objects from YAML mappings
#
# Both API versions become the same types here: v1alpha2 keeps subnets under spec and
# the cloud provider as text, v1alpha3 keeps them under spec.networking and as a mapping
# with one key (kops pkg/apis/kops/v1alpha2 and v1alpha3, cluster.go and
# instancegroup.go).

_ROLES = {role.value: role for role in Role}


def make_cluster(
    node: YamlMapping, version: str
) -> tuple[Cluster | None, list[Rejection]]:
    """The Cluster that ``node`` describes, and its flaws; None if it has no name."""
    flaws: list[Rejection] = []
    top = _top(node, flaws)
    name = top.below("metadata", required=True).text("name", required=True)
    spec = top.below("spec", required=True)
    networking = spec.below("networking") if version == "v1alpha3" else spec
    cluster = Cluster(
        name=name or "",
        version=version,
        kubernetes_version=spec.text("kubernetesVersion"),
        cloud=_cloud(spec, version),
        etcd_clusters=tuple(
            _etcd_cluster(item, fields) for item, fields in spec.each("etcdClusters")
        ),
        subnets=tuple(
            _subnet(item, fields) for item, fields in networking.each("subnets")
        ),
        node=node,
    )
    return (cluster if name else None), flaws


def make_group(
    node: YamlMapping, version: str
) -> tuple[InstanceGroup | None, list[Rejection]]:
    """The InstanceGroup that ``node`` describes, and its flaws; None without a name.

    The cluster label is read and not asked for: what a group without it belongs
    to depends on the rest of the input.
    """
    flaws: list[Rejection] = []
    top = _top(node, flaws)
    metadata = top.below("metadata", required=True)
    name = metadata.text("name", required=True)
    spec = top.below("spec", required=True)
    group = InstanceGroup(
        name=name or "",
        cluster=metadata.below("labels").text(CLUSTER_LABEL) or None,
        version=version,
        role=_role(spec, version, flaws),
        min_size=spec.whole_number("minSize"),
        max_size=spec.whole_number("maxSize"),
        subnets=spec.texts("subnets"),
        zones=spec.texts("zones"),
        node=node,
    )
    return (group if name else None), flaws


def _top(node: YamlMapping, flaws: list[Rejection]) -> Fields:
    where = node.entries[0].key.span if node.entries else node.span
    kind = node.entry("kind")
    return Fields(node, "", kind.value.span if kind else where, flaws)


def _cloud(spec: Fields, version: str) -> str | None:
    """The cloud by its name in v1alpha2, whichever version says it."""
    if version != "v1alpha3":
        return spec.text("cloudProvider")
    provider = spec.below("cloudProvider").node
    names = tuple(provider.keys()) if provider is not None else ()
    cloud = names[0] if len(names) == 1 else None
    return "digitalocean" if cloud == "do" else cloud


def _etcd_cluster(node: Node, fields: Fields) -> EtcdCluster:
    return EtcdCluster(
        name=fields.text("name", required=True) or "",
        members=tuple(
            EtcdMember(
                name=member.text("name", required=True) or "",
                group=member.text("instanceGroup", required=True) or "",
                node=item,
            )
            for item, member in fields.each("etcdMembers")
        ),
        version=fields.text("version"),
        node=node,
    )


def _subnet(node: Node, fields: Fields) -> Subnet:
    return Subnet(
        name=fields.text("name", required=True) or "",
        zone=fields.text("zone"),
        cidr=fields.text("cidr"),
        type=fields.text("type"),
        node=node,
    )


def _role(spec: Fields, version: str, flaws: list[Rejection]) -> Role | None:
    """The role as kops reads it: to the letter, and ``Master`` only in v1alpha2.

    Source: kops pkg/apis/kops/v1alpha2/conversion.go.
    """
    text = spec.text("role", required=spec.node is not None)
    if not text:
        return None
    if text == "Master" and version == "v1alpha2":
        return Role.CONTROL_PLANE
    if text in _ROLES:
        return _ROLES[text]
    node = spec.raw("role")
    span = node.span if isinstance(node, Scalar) else spec.where
    meant = parse_role(text)
    hint = f"write {meant}" if meant else f"write one of {', '.join(_ROLES)}"
    message = f"spec.role {text} is not a role that kops knows"
    places = ((span, "kops does not know this role"),)
    flaws.append(of_object("unknown-role", message, places, hint, "spec.role"))
    return None


# ------------------------------------------------------------------------------------
# From YAML documents to kops objects: which ones are kops's, and how it cuts files
#
# Foreign objects are passed over in silence; what claims to be kops's and cannot be
# read is a flaw.

# kops rewrites the old API group kops to kops.k8s.io, for v1alpha2 alone, and has
# not known v1alpha1 since release 1.18 (kops pkg/kopscodecs/codecs.go).
_VERSIONS = {
    "kops.k8s.io/v1alpha2": "v1alpha2",
    "kops.k8s.io/v1alpha3": "v1alpha3",
    "kops/v1alpha2": "v1alpha2",
}
_GROUPS = frozenset({"kops.k8s.io", "kops"})
_WRITE_VERSION = "write apiVersion: kops.k8s.io/v1alpha2"
_WRITE_KIND = "write Cluster or InstanceGroup"
_OTHER_KINDS = frozenset({"SSHCredential", "Keyset", "Host"})


class KopsObject(Record):
    """One object of the kops API, with what is wrong with how it is written.

    ``value`` is None for kinds that kopslint has no use for and for objects too
    broken to be told apart; their flaws are kept.
    """

    value: Cluster | InstanceGroup | None
    flaws: tuple[Rejection, ...]


def kops_objects(source: Source, documents: Iterable[Document]) -> list[KopsObject]:
    """The kops objects among the documents of ``source``, in the order written.

    Lists are taken apart. Never raises: whatever is malformed is a flaw.
    """
    found = []
    for document in documents:
        ignored = _ignored(source, document)
        for node in _objects(document.root):
            kops_object = _kops_object(node)
            if kops_object is None:
                continue
            flaws = (*ignored, *kops_object.flaws)
            found.append(KopsObject(kops_object.value, flaws))
    return found


def other_objects(source: Source) -> Iterator[YamlMapping]:
    """The objects of a file that kops does not handle: a ConfigMap, a Deployment."""
    for document in read_yaml(source):
        for node in _objects(document.root):
            version, kind = text_at(node, "apiVersion"), text_at(node, "kind")
            if version and kind and version.partition("/")[0] not in _GROUPS:
                yield node


def empty_sections(source: Source) -> tuple[Rejection, ...]:
    r"""A flaw for each part of the file that kops reads as an object that is null.

    kops cuts its files at ``\n---\n`` and refuses a part that holds nothing but
    comments, after it has written the parts before it (kops util/pkg/text/text.go and
    cmd/kops/replace.go).
    """
    flaws = []
    line = 1
    for section in source.text.replace("\r\n", "\n").split("\n---\n"):
        if all(_says_nothing(text) for text in section.split("\n")):
            number = max(line - 1, 1)
            span = source.span(number, 1, number, len(source.line(number)) + 1)
            label = "nothing but comments follows" if line > 1 else "only comments here"
            flaws.append(
                of_object(
                    "empty-document",
                    "kops -f fails at a part of the file that contains no object",
                    ((span, label),),
                    "remove the `---` between the comments and the next object"
                    if line == 1
                    else "remove this `---`",
                )
            )
        line += section.count("\n") + 2
    return tuple(flaws)


def _says_nothing(line: str) -> bool:
    text = line.strip()
    return not text or text.startswith("#") or text in {"---", "..."}


def _ignored(source: Source, document: Document) -> tuple[Rejection, ...]:
    """A flaw if kops never reaches the document, because nothing cuts it off.

    A line such as ``--- # next`` starts a document in YAML and does not cut a
    file in kops, which then reads only the first document of the uncut part.
    """
    line = source.line(document.span.line)
    if document.number == 0 or line == "---":
        return ()
    span = document.span
    place = source.span(span.line, span.column, span.line, len(line) + 1)
    return (
        of_object(
            "ignored-document",
            "kops -f silently ignores this document: there is no `---` line before it",
            ((place, "kops splits a file only at lines that are exactly `---`"),),
            "write `---` alone on its line",
        ),
    )


def _objects(node: Node | None) -> Iterator[YamlMapping]:
    """The mappings that may be objects: the document, or the items of a List.

    ``kops get -o json`` prints several objects as an array (kops cmd/kops/get.go).
    """
    if isinstance(node, YamlSequence):
        for item in node.items:
            if isinstance(item, YamlMapping):
                yield from _objects(item)
        return
    if not isinstance(node, YamlMapping):
        return
    items = node.get("items")
    if text_at(node, "kind") == "List" and isinstance(items, YamlSequence):
        for item in items.items:
            yield from _objects(item)
    else:
        yield node


def _kops_object(node: YamlMapping) -> KopsObject | None:
    """The object, or None if it is none of kops's."""
    api_version, kind = text_at(node, "apiVersion"), text_at(node, "kind")
    if api_version is None:
        if kind not in {"Cluster", "InstanceGroup"}:
            return None
        return _broken(node, "missing", "apiVersion is missing", "kind", _WRITE_VERSION)
    if api_version.partition("/")[0] not in _GROUPS:
        return None
    version = _VERSIONS.get(api_version)
    if version is None:
        message = f"kops does not read apiVersion {api_version}"
        return _broken(
            node, "unsupported-version", message, "apiVersion", _WRITE_VERSION
        )
    value: Cluster | InstanceGroup | None = None
    flaws: list[Rejection] = []
    if kind == "Cluster":
        value, flaws = make_cluster(node, version)
    elif kind == "InstanceGroup":
        value, flaws = make_group(node, version)
    elif kind is None:
        return _broken(node, "missing", "kind is missing", "apiVersion", "add kind")
    elif kind not in _OTHER_KINDS:
        message = f"kops knows no kind {kind}"
        return _broken(node, "unknown-kind", message, "kind", _WRITE_KIND)
    return KopsObject(value, (*flaws, *_duplicate_keys(node)))


def _broken(
    node: YamlMapping, flaw: ObjectKind, message: str, field: str, hint: str
) -> KopsObject:
    """An object of which nothing can be known but what is wrong with it."""
    place = (span_of(node, field), message)
    return KopsObject(None, (of_object(flaw, message, (place,), hint),))


def _duplicate_keys(node: Node) -> Iterator[Rejection]:
    """A flaw for every key below ``node`` that a later one of its name overrides.

    What stands behind an alias or a merge is reported where it is written.
    """
    if node.anchor is not None or isinstance(node, Scalar):
        return
    if isinstance(node, YamlSequence):
        for item in node.items:
            yield from _duplicate_keys(item)
        return
    for loser, winner in node.duplicates:
        yield of_object(
            "duplicate-key",
            f"the key {loser.key.text} appears twice, and kops uses the last one",
            (
                (_place(winner), "this one counts"),
                (_place(loser), "this one is dropped"),
            ),
            "keep one of them",
        )
    for entry in node.entries:
        if entry.merged is None and not isinstance(entry.value, Scalar):
            yield from _duplicate_keys(entry.value)


def _place(entry: Entry) -> Span:
    """The key and the value if they share a line, or else the key; or the merge."""
    if entry.merged is not None:
        return entry.merged
    key, value = entry.key.span, entry.value.span
    return key.to(value) if value.end_line == key.line else key


class Fleet(Record):
    """The clusters of one side of a change.

    ``manifests`` is by cluster name, sorted. ``skipped`` are sources that hold no
    kops object. ``flaws`` are those that belong to no cluster.
    """

    manifests: Mapping[str, Manifest]
    skipped: tuple[Source, ...] = ()
    flaws: tuple[Rejection, ...] = ()


class _Draft:
    """A manifest in the making."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None
        self.groups: dict[str, InstanceGroup] = {}
        self.repeated: list[Cluster | InstanceGroup] = []
        self.flaws: list[Rejection] = []
        # A dict keeps the order and, unlike a list, each source only once.
        self.sources: dict[Source, None] = {}

    def add(self, kops_object: Cluster | InstanceGroup) -> None:
        """Adds an object; one that had its name before is only repeated."""
        before: Cluster | InstanceGroup | None
        if isinstance(kops_object, Cluster):
            before = self.cluster
            if not _gives_way(kops_object, before):
                self.cluster = kops_object
        else:
            name = kops_object.name
            if name in self.groups and holds_placeholder(name):
                # Whatever fills in two templates gives them two names.
                places = sum(each.name == name for each in self.groups.values())
                name = f"{name} ({places + 1})"
            before = self.groups.get(name)
            if not _gives_way(kops_object, before):
                self.groups.pop(name, None)
                self.groups[name] = kops_object
        if before is not None and not (
            _is_rendered(before)
            or _is_rendered(kops_object)
            or holds_placeholder(before.name)
        ):
            self.repeated.append(before)


def _is_rendered(value: Cluster | InstanceGroup) -> bool:
    return value.node.span.source.is_rendered


def _gives_way(
    value: Cluster | InstanceGroup, before: Cluster | InstanceGroup | None
) -> bool:
    """Whether it was rendered here, and what somebody else has rendered is there."""
    return before is not None and _is_rendered(value) and not _is_rendered(before)


def read_fleet(sources: Iterable[Source], *, whole: bool = True) -> Fleet:
    """The clusters that ``sources`` describe.

    An object belongs to the cluster that it names. One that names none belongs to
    the only cluster of its file, or else to the only cluster of all sources, or
    else to none: then its flaws say so and it is left out. A group without the
    label is a flaw in any case, because ``kops -f`` refuses it (kops
    cmd/kops/replace.go). Of objects with one name the last one counts. If these are
    not the ``whole`` fleet, there are other clusters in sources that are not here.

    A source that is about kops and cannot be read is a flaw of no cluster. Raises
    InputError if there is nothing else. A source that does not even contain the word is
    not read, so that the other files of a folder may be anything.
    """
    read: list[tuple[Source, list[KopsObject]]] = []
    skipped = []
    unread: list[tuple[Source, InputError]] = []
    for source in sources:
        found = []
        try:
            if isinstance(source.unread, InputError):
                raise source.unread
            if "kops" in source.text:
                with defects_name(source.path):
                    found = _objects_of(source)
        except InputError as error:
            unread.append((source, error))
            continue
        if found:
            read.append((source, found))
        else:
            skipped.append(source)

    if unread and whole and not read:
        raise unread[0][1]
    everywhere = None
    if whole:
        everywhere = _only(name for _, found in read for name in _clusters(found))
    drafts: dict[str, _Draft] = {}
    homeless = [unreadable(source, error) for source, error in unread]
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


def unreadable(source: Source, error: InputError) -> Rejection:
    """The flaw of a file of which nothing can be said; no harm if it is no text."""
    span = error.span or source.whole()
    named = error.span is None and source.path not in error.message
    message = f"{source.path}: {error.message}" if named else error.message
    flaw = of_object(
        "unreadable", message, ((span, "not read from here on"),), error.hint or ""
    )
    return flaw._replace(harmless="kops" not in source.text)


def _objects_of(source: Source) -> list[KopsObject]:
    found = kops_objects(source, each_document(source))
    # A text for something to fill in may be put into another one before kops reads it.
    plain = source.path.endswith((".yaml", ".yml", ".json", "<stdin>"))
    is_part = source.is_part or (not plain and may_hold_placeholders(source))
    if found and not is_part and (flaws := empty_sections(source)):
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


def _no_label(groups: list[InstanceGroup], home: str | None) -> Rejection:
    """What is wrong with all of them, reported once."""
    *others, last = (group.name for group in groups)
    names = f"{', '.join(others)} and {last}" if others else last
    label = (
        f"assumed to belong to {home}" if home else "left out: its cluster is not known"
    )
    return of_object(
        "missing",
        f"the instance {'groups' if others else 'group'} {names} "
        f"{'have' if others else 'has'} no label {CLUSTER_LABEL}",
        tuple((group.at("metadata", "labels"), label) for group in groups),
        f"add metadata.labels: {{{CLUSTER_LABEL}: {home or '<cluster name>'}}}",
    )


def with_same_objects(manifest: Manifest, others: Iterable[Manifest]) -> Manifest:
    """``manifest`` with objects that are equal to one of ``others`` made that one."""
    cluster, groups = manifest.cluster, dict(manifest.groups)
    for other in reversed(tuple(others)):
        if cluster is not None and other.cluster is not None:
            same = _equal(other.cluster.node, cluster.node)
            cluster = other.cluster if same else cluster
        for name in groups.keys() & other.groups.keys():
            if _equal(other.groups[name].node, groups[name].node):
                groups[name] = other.groups[name]
    return manifest.replaced(cluster=cluster, groups=MappingProxyType(groups))


def _equal(one: Node, other: Node) -> bool:
    """Whether two nodes hold the same values, wherever they stand.

    Keys may be in any order; compared without building plain values.
    """
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return one.value == other.value
    if isinstance(one, YamlSequence) and isinstance(other, YamlSequence):
        return len(one.items) == len(other.items) and all(
            _equal(a, b) for a, b in zip(one.items, other.items, strict=True)
        )
    if isinstance(one, YamlMapping) and isinstance(other, YamlMapping):
        if len(one.entries) != len(other.entries):
            return False
        theirs = {entry.key.text: entry.value for entry in other.entries}
        return all(
            (match := theirs.get(entry.key.text)) is not None
            and _equal(entry.value, match)
            for entry in one.entries
        )
    return False


_COMPLETED = re.compile(r"(?:^|[/_])cluster-completed\.spec(?:_content)?$")


def is_completed_spec(source: Source) -> bool:
    """Whether kops wrote a file out of a Cluster, with all that it fills in itself.

    Nobody hands it to kops. It lies in the state store, and in ``data/`` beside the
    ``kubernetes.tf`` of kops (pkg/model/bootstrapscript.go writes it there as
    ``aws_s3_object_cluster-completed.spec_content``).
    """
    return _COMPLETED.search(source.path) is not None
