"""Outputs in JSON and YAML: of etcdctl, kops, kubectl and the control store.

What a document is follows from its keys alone. Sources: etcdctl printer_json.go, kops
cmd/kops/validate_cluster.go, cmd/kops/get_instances.go and pkg/validation, the API of
Kubernetes, and etcd-manager pkg/commands/vfs.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.observed import etcdctl
from kopslint.observed.etcdctl import unread
from kopslint.observed.lines import command_in
from kopslint.observed.machines import (
    INSTANCES,
    NODES,
    PODS,
    VALIDATE,
    condition,
    is_whole,
    machine_failure,
    pod,
)
from kopslint.observed.observation import (
    Machine,
    Member,
    Pod,
    Published,
    QueuedRestore,
)
from kopslint.observed.statements import (
    AlarmsTold,
    HealthTold,
    ListTold,
    MachinesTold,
    PodsTold,
    PublishedTold,
    QueueTold,
    Statement,
    StatusTold,
    cluster_at,
    etcd_id,
    hex_id,
)
from kopslint.records import Record
from kopslint.syntax.yaml import (
    Scalar,
    YamlMapping,
    YamlSequence,
    find,
    read_yaml,
    span_of,
    text_at,
)
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kopslint.observed.etcdctl import Reader
    from kopslint.observed.lines import Line, Setting
    from kopslint.observed.observation import Answer, Places
    from kopslint.syntax.yaml import Node
    from kopslint.text import Span

_BEGINS_JSON = re.compile(r'\{\s*(?:"(?!level")|\}|$)|\[\s*(?:[\[{\]]|$)')
_BEGINS_YAML = re.compile(
    r"apiVersion: v1$|kind: (?:List|NodeList|PodList|Node|Pod)$|items:$|nodes:$"
    r"|failures:$|- (?:externalIP|id|instanceGroup|internalIP|machineType|nodeName): "
)
_GOES_ON = re.compile(r"(?:- |-$|[\w.\"'/-]+:(?:\s|$)|---|\.\.\.)")
CONTROL_SPEC = "etcd-manager's control spec"
COMMANDS = "etcd-manager's commands"


class Chunk(Record):
    """A document among other lines: the lines from ``start`` up to ``end``."""

    lines: tuple[Line, ...]
    form: str
    end: int
    is_cut: bool = False

    @property
    def span(self) -> Span:
        """The place of all of it."""
        return self.lines[0].span().to(self.lines[-1].span())

    def documents(self) -> tuple[Node, ...]:
        """Its documents, with places in the source that it is a part of.

        Raises ``InputError`` for what is no YAML or JSON.
        """
        first = self.lines[0]
        text = "\n".join(" " * line.offset + line.text for line in self.lines)
        part = Source(first.source.path, "\n" * (first.number - 1) + text + "\n")
        return tuple(one.root for one in read_yaml(part) if one.root is not None)


def chunk_at(lines: Sequence[Line], start: int) -> Chunk | None:
    """The document in JSON or YAML that begins at a line; None if none does."""
    bare = lines[start].bare
    if _BEGINS_JSON.match(bare) is not None:
        return _json_at(lines, start)
    if _BEGINS_YAML.match(bare) is None:
        return None
    indent, end = lines[start].indent, start + 1
    while end < len(lines):
        line = lines[end]
        if line.bare.startswith(("```", "~~~")) or (
            line.bare
            and (
                line.indent < indent
                or command_in(line) is not None
                or (line.indent == indent and _GOES_ON.match(line.bare) is None)
            )
        ):
            break
        end += 1
    return Chunk(tuple(lines[start:end]), "yaml", end)


def _json_at(lines: Sequence[Line], start: int) -> Chunk:
    """Up to the bracket that closes the first one; cut if none does."""
    depth, quoted = 0, False
    for index in range(start, len(lines)):
        line = lines[index]
        if not quoted and index > start and _is_behind(line):
            return Chunk(tuple(lines[start:index]), "json", index, is_cut=True)
        for sign in re.findall(r'\\.|["{}\[\]]', line.text):
            if sign == '"':
                quoted = not quoted
            elif not quoted and sign in "{[":
                depth += 1
            elif not quoted and sign in "}]":
                depth -= 1
        if depth <= 0:
            return Chunk(tuple(lines[start : index + 1]), "json", index + 1)
    return Chunk(tuple(lines[start:]), "json", len(lines), is_cut=True)


def _is_behind(line: Line) -> bool:
    """Whether a line can be none of a JSON document, so that one has been cut."""
    if line.bare.startswith(("```", "~~~", "# exit ")):
        return True
    return line.bare[:1] not in '"{}[],' and command_in(line) is not None


def told_by(chunk: Chunk, setting: Setting, read: Reader) -> Iterator[Statement]:
    """What a document says; nothing if it is none of an output that is known here."""
    if chunk.is_cut:
        yield unread(
            "this JSON is incomplete: its last brackets are missing",
            chunk.lines[0].span(),
        )
        return
    source = chunk.lines[0].source

    def home(span: Span) -> Span:
        return span._replace(source=source)

    try:
        roots = chunk.documents()
    except InputError as error:
        span = home(error.span) if error.span is not None else chunk.span
        yield unread(f"this is not valid {chunk.form.upper()}: {error.message}", span)
        return
    for root in roots:
        telling = _telling(root, setting)
        if telling is not None:
            yield from telling(_Found(root, chunk, setting, read, home))


class _Found(Record):
    """A document, and what is needed to say where its parts stand."""

    root: Node
    chunk: Chunk
    setting: Setting
    read: Reader
    home: Callable[[Span], Span]

    def at(self, node: Node, *path: str | int) -> Span:
        """The place of a part."""
        return self.home(span_of(node, *path))


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, YamlSequence) else ()


def _telling(
    root: Node, setting: Setting
) -> Callable[[_Found], Iterator[Statement]] | None:
    """What reads a document, by its keys."""
    if isinstance(root, YamlSequence):
        first = root.items[0] if root.items else None
        keys = {*first.keys()} if isinstance(first, YamlMapping) else set()
        if {"Endpoint", "Status"} <= keys:
            return _statuses
        if {"endpoint", "health"} <= keys:
            return _health
        if {"instanceGroup", "machineType"} <= keys:
            return _instances
        return None
    if not isinstance(root, YamlMapping):
        return None
    keys = {*root.keys()}
    kind = text_at(root, "kind")
    if {"header", "members"} <= keys:
        return _members
    if "header" in keys and ("alarms" in keys or "alarm" in setting.asks):
        return _alarms
    if kind in ("List", "NodeList", "PodList", "Node", "Pod"):
        return _objects
    if "memberCount" in keys or "member_count" in keys:
        return _published
    if {"restoreBackup", "restore_backup"} & keys:
        return _queued
    if keys and keys <= {"failures", "nodes"}:
        return _validated
    return None


def _number(node: Node | None, *path: str) -> int | None:
    text = text_at(node, *path)
    return int(text) if text is not None and text.isdigit() else None


def _id(node: Node | None, *path: str, decimal: bool = False) -> str | None:
    """An id: a number is decimal, a text is what ``--hex`` prints.

    Etcd's own gateway writes ``decimal`` numbers as texts.
    """
    found = find(node, *path)
    if not isinstance(found, Scalar):
        return None
    if found.quoted and not decimal:
        return hex_id(found.text) if re.fullmatch("[0-9a-f]+", found.text) else None
    return etcd_id(found.text) if found.text.isdigit() else None


def _is_of_gateway(header: Node | None) -> bool:
    """Whether etcd itself wrote it: 64-bit numbers are texts in proto3's JSON."""
    told = find(header, "raft_term")
    return isinstance(told, Scalar) and told.quoted


# ------------------------------------------------------------------------------------
# etcdctl


def _members(found: _Found) -> Iterator[Statement]:
    header, members = find(found.root, "header"), []
    decimal = _is_of_gateway(header)
    for item in _items(find(found.root, "members")):
        id_ = _id(item, "ID", decimal=decimal)
        if id_ is None:
            yield unread(
                "this member has no ID, so this list is not used",
                found.at(item),
            )
            return
        name = text_at(item, "name") or ""
        # What is false or empty is left out of it.
        members.append(
            Member(
                found.at(item),
                id=id_,
                name=name,
                listed="yes",
                started="yes" if name else "no",
                learner="yes" if text_at(item, "isLearner") == "true" else "no",
                peer_urls=_texts(find(item, "peerURLs")),
                client_urls=_texts(find(item, "clientURLs")),
                places=(("name", found.at(item, "name")),) if name else (),
            )
        )
    urls = [u for m in members for u in (*(m.peer_urls or ()), *(m.client_urls or ()))]
    reading = found.read(
        etcdctl.MEMBER_LIST, "json", found.chunk.span, cluster_at(urls)
    )
    yield ListTold(
        reading,
        tuple(members),
        asked=_id(header, "member_id", decimal=decimal),
        cluster_id=_id(header, "cluster_id", decimal=decimal),
        raft_term=_number(header, "raft_term"),
    )


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(item.text for item in _items(node) if isinstance(item, Scalar))


def _statuses(found: _Found) -> Iterator[Statement]:
    for item in _items(found.root):
        endpoint, status = text_at(item, "Endpoint"), find(item, "Status")
        id_ = _id(status, "header", "member_id")
        if endpoint is None or id_ is None:
            yield unread(
                "this endpoint status has no Endpoint or no member_id", found.at(item)
            )
            continue
        member = Member(
            found.at(item, "Endpoint"),
            id=id_,
            version=text_at(status, "version"),
            db_size=_number(status, "dbSize"),
            db_in_use=_number(status, "dbSizeInUse"),
            quota=_number(status, "dbSizeQuota") or None,
            leader="yes" if _id(status, "leader") == id_ else "no",
            learner="yes" if text_at(status, "isLearner") == "true" else "no",
            answered="yes",
            cluster_id=_id(status, "header", "cluster_id"),
            raft_term=_number(status, "raftTerm"),
            raft_index=_number(status, "raftIndex"),
            reason=_errors(status),
            places=tuple(
                (field, found.at(item, "Status", key))
                for field, key in (("version", "version"), ("db_size", "dbSize"))
                if text_at(status, key) is not None
            ),
        )
        reading = found.read(
            etcdctl.STATUS, "json", found.at(item, "Endpoint"), cluster_at([endpoint])
        )
        yield StatusTold(reading, endpoint, member)
        yield from etcdctl.raised(member.reason, member.span, reading)


def _errors(status: Node | None) -> str:
    """What a status complains of; a leader that is 0, or not there, is none."""
    told = ", ".join(_texts(find(status, "errors")))
    is_led = text_at(status, "leader") not in (None, "0")
    return told or ("" if is_led else etcdctl.NO_LEADER)


def _health(found: _Found) -> Iterator[Statement]:
    for item in _items(found.root):
        endpoint = text_at(item, "endpoint")
        answer = etcdctl.yes_or_no(text_at(item, "health") or "")
        if endpoint is None or answer == "not seen":
            yield unread(
                "this endpoint health has no endpoint or no health", found.at(item)
            )
            continue
        place = found.at(item, "health")
        reading = found.read(etcdctl.HEALTH, "json", place, cluster_at([endpoint]))
        reason = text_at(item, "error") or ""
        yield HealthTold(reading, endpoint, answer == "yes", reason, place)


_ALARMS = {"1": "NOSPACE", "2": "CORRUPT"}
"""Source: etcd api/etcdserverpb/rpc.proto, AlarmType."""


def _alarms(found: _Found) -> Iterator[Statement]:
    alarms = []
    for item in _items(find(found.root, "alarms")):
        id_, alarm = _id(item, "memberID"), text_at(item, "alarm") or ""
        if id_ is None or not alarm:
            yield unread("this alarm has no memberID or no kind", found.at(item))
            continue
        alarms.append((id_, _ALARMS.get(alarm, alarm), found.at(item)))
    reading = found.read(etcdctl.ALARMS, "json", found.chunk.span, None)
    yield AlarmsTold(reading, tuple(alarms))


# ------------------------------------------------------------------------------------
# etcd-manager


def _published(found: _Found) -> Iterator[Statement]:
    name = "memberCount" if text_at(found.root, "memberCount") else "member_count"
    count = _number(found.root, name)
    if count is None:
        yield unread("this control spec has no member count", found.at(found.root))
        return
    version = text_at(found.root, "etcdVersion") or text_at(found.root, "etcd_version")
    reading = found.read(CONTROL_SPEC, found.chunk.form, found.chunk.span, None)
    yield PublishedTold(reading, Published(count, found.at(found.root, name), version))


def _queued(found: _Found) -> Iterator[Statement]:
    name = next(
        key for key in ("restoreBackup", "restore_backup") if find(found.root, key)
    )
    restore = find(found.root, name)
    backup = text_at(restore, "backup")
    if backup is None:
        yield unread("this command names no backup", found.at(found.root, name))
        return
    spec = find(restore, "clusterSpec") or find(restore, "cluster_spec")
    count = _number(spec, "memberCount")
    if count is None:
        count = _number(spec, "member_count")
    reading = found.read(COMMANDS, found.chunk.form, found.chunk.span, None)
    place = found.at(found.root, name, "backup")
    yield QueueTold(reading, (QueuedRestore(backup, place, count),))


# ------------------------------------------------------------------------------------
# kops


def _instances(found: _Found) -> Iterator[Statement]:
    machines = []
    for item in _items(found.root):
        id_, group = text_at(item, "id"), text_at(item, "instanceGroup")
        if not id_ or not group:
            yield unread(
                "this machine has no id or no instanceGroup", found.at(item, "id")
            )
            continue
        told = (text_at(item, "internalIP"), text_at(item, "externalIP"))
        machines.append(
            Machine(
                found.at(item, "id"),
                group=group,
                node=text_at(item, "nodeName") or None,
                instance=id_,
                role=", ".join(_texts(find(item, "roles"))).lower() or None,
                exists="yes",
                addresses=tuple(one for one in told if one),
                places=(("group", found.at(item, "instanceGroup")),),
            )
        )
    reading = found.read(INSTANCES, found.chunk.form, found.chunk.span, None)
    yield MachinesTold(reading, tuple(machines), is_whole(found.setting))


def _validated(found: _Found) -> Iterator[Statement]:
    machines = []
    for item in _items(find(found.root, "nodes")):
        name, ready = text_at(item, "name"), condition(text_at(item, "status") or "")
        if not name or ready == "not seen":
            yield unread("this node has no name or no status", found.at(item))
            continue
        place = found.at(item, "status")
        role = text_at(item, "role")
        machines.append(
            Machine(
                found.at(item, "name"),
                node=name,
                role=role,
                ready=ready,
                places=(("ready", place),),
            )
        )
    for item in _items(find(found.root, "failures")):
        told = machine_failure(
            text_at(item, "message") or "", found.at(item, "message")
        )
        machines += [told] if told is not None else []
    reading = found.read(VALIDATE, found.chunk.form, found.chunk.span, None)
    yield MachinesTold(reading, tuple(machines), complete=False)


# ------------------------------------------------------------------------------------
# kubectl


def _objects(found: _Found) -> Iterator[Statement]:
    root = found.root
    alone = text_at(root, "kind") in ("Node", "Pod")
    items = (root,) if alone else _items(find(root, "items"))
    kind = (text_at(root, "kind") or "").removesuffix("List")
    kinds = {text_at(item, "kind") or kind for item in items}
    whole = not alone and is_whole(found.setting)
    form, span = found.chunk.form, found.chunk.span
    if "Node" in kinds:
        machines = tuple(
            _node(item, found)
            for item in items
            if (text_at(item, "kind") or kind) == "Node"
        )
        yield MachinesTold(found.read(NODES, form, span, None), machines, whole)
    if "Pod" in kinds:
        pods = (
            _pod(item, found)
            for item in items
            if (text_at(item, "kind") or kind) == "Pod"
        )
        told = tuple(one for one in pods if one is not None)
        yield PodsTold(found.read(PODS, form, span, None), told, whole)


def _node(item: Node, found: _Found) -> Machine:
    labels = find(item, "metadata", "labels")
    ready: Answer = "not seen"
    places: Places = ()
    for one in _items(find(item, "status", "conditions")):
        if text_at(one, "type") == "Ready":
            ready = condition(text_at(one, "status") or "")
            places = (("ready", found.at(one, "status")),)
    provider = text_at(item, "spec", "providerID") or ""
    roles = [
        key.rpartition("/")[2]
        for key in (labels.keys() if isinstance(labels, YamlMapping) else ())
        if key.startswith("node-role.kubernetes.io/")
    ]
    addresses = _items(find(item, "status", "addresses"))
    ordered = sorted(addresses, key=lambda one: text_at(one, "type") != "InternalIP")
    return Machine(
        found.at(item, "metadata", "name"),
        group=text_at(labels, "kops.k8s.io/instancegroup"),
        node=text_at(item, "metadata", "name"),
        instance=provider.rpartition("/")[2] or None,
        role=",".join(roles) or None,
        ready=ready,
        addresses=tuple(
            text
            for one in ordered
            if (text_at(one, "type") or "").endswith("IP")
            and (text := text_at(one, "address"))
        ),
        places=places,
    )


def _pod(item: Node, found: _Found) -> Pod | None:
    states = _items(find(item, "status", "containerStatuses"))
    ready = bool(states) and all(text_at(one, "ready") == "true" for one in states)
    leaves = text_at(item, "metadata", "deletionTimestamp") is not None
    runs = ready and not leaves and text_at(item, "status", "phase") == "Running"
    return pod(
        text_at(item, "metadata", "name") or "",
        "yes" if runs else "no",
        found.at(item, "metadata", "name"),
        text_at(item, "spec", "nodeName"),
    )
