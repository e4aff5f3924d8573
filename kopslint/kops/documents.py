"""From YAML documents to kops objects: which ones are kops's, and how it cuts files.

Foreign objects are passed over in silence; what claims to be kops's and cannot be
read is a flaw. This module must not know how objects of several files make up a
cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.objects import make_cluster, make_group
from kopslint.kops.spec import Flaw
from kopslint.records import Record
from kopslint.syntax.yaml_tree import Mapping, Scalar, Sequence, span_of, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.spec import Cluster, FlawKind, InstanceGroup
    from kopslint.source.text import Source, Span
    from kopslint.syntax.yaml_tree import Document, Entry, Node

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
    flaws: tuple[Flaw, ...]


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


def empty_sections(source: Source) -> tuple[Flaw, ...]:
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
                Flaw(
                    "empty-document",
                    "kops -f fails at a part of the file that holds no object",
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


def _ignored(source: Source, document: Document) -> tuple[Flaw, ...]:
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
        Flaw(
            "ignored-document",
            "kops -f silently ignores this document: no line `---` stands before it",
            ((place, "kops cuts a file only at lines that are exactly `---`"),),
            "write `---` alone on its line",
        ),
    )


def _objects(node: Node | None) -> Iterator[Mapping]:
    """The mappings that may be objects: the document, or the items of a List."""
    if not isinstance(node, Mapping):
        return
    items = node.get("items")
    if text_at(node, "kind") == "List" and isinstance(items, Sequence):
        for item in items.items:
            yield from _objects(item)
    else:
        yield node


def _kops_object(node: Mapping) -> KopsObject | None:
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
    flaws: list[Flaw] = []
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
    node: Mapping, flaw: FlawKind, message: str, field: str, hint: str
) -> KopsObject:
    """An object of which nothing can be known but what is wrong with it."""
    place = (span_of(node, field), message)
    return KopsObject(None, (Flaw(flaw, message, (place,), hint),))


def _duplicate_keys(node: Node) -> Iterator[Flaw]:
    """A flaw for every key below ``node`` that a later one of its name overrides.

    What stands behind an alias or a merge is reported where it is written.
    """
    if node.anchor is not None or isinstance(node, Scalar):
        return
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _duplicate_keys(item)
        return
    for loser, winner in node.duplicates:
        yield Flaw(
            "duplicate-key",
            f"the key {loser.key.text} is written twice, and kops takes the last one",
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
