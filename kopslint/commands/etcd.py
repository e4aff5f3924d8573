"""What ``etcdctl`` and ``etcd-manager-ctl`` are asked for, and in which etcd cluster.

One control-plane machine runs a member of every etcd cluster, so the cluster is
never in the command's name: the pod, the port, the certificates or the backup store
tell it. A comment or a variable's name does not. Where nothing tells, it is None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.ids import is_hexadecimal, is_id
from kopslint.commands.invocation import Arguments, arguments
from kopslint.commands.model import (
    Command,
    DamageEtcd,
    DeleteRestore,
    MemberAdd,
    MemberList,
    MemberRemove,
    Reach,
    Reads,
    RestoreBackup,
    SnapshotSave,
)
from kopslint.kops.rejection import of_line
from kopslint.shell.ast import Unknown

if TYPE_CHECKING:
    from kopslint.commands.invocation import Invocation
    from kopslint.kops.rejection import Rejection
    from kopslint.shell.ast import Word

_VALUED = (
    "endpoints endpoint peers C w write-out cacert cert key cert-file key-file ca-file"
    " user u username password dial-timeout command-timeout keepalive-time"
    " keepalive-timeout timeout total-timeout discovery-srv discovery-srv-name"
    " peer-urls name data-dir initial-cluster initial-cluster-token"
    " initial-advertise-peer-urls"
)

# Source: kops pkg/wellknownports/wellknownports.go.
PORTS = {"4001": "main", "4002": "events", "4003": "cilium", "4004": "leases"}
_NAMES = r"main|events|cilium|leases"
_POD = re.compile(rf"etcd-manager-({_NAMES})\b")
_PORT = re.compile(r"(?<!\d)(400[1-4])(?!\d)")
_STORE = rf"/backups/etcd/({_NAMES})(?:/|$)"


def etcd_cluster_in(text: str) -> str | None:
    """The etcd cluster that a text names: a pod, an endpoint, or in plain words.

    None if it names none or more than one.
    """
    named = {*re.findall("[a-z]+", text.lower())}
    # A member of main is called etcd-NAME and one of events etcd-events-NAME, so that a
    # pattern for either begins with the shorter one: (etcd-|etcd-events-)NAME.
    named |= {"main"} if "etcd-|" in text else set()
    found = (
        {*_POD.findall(text)}
        or {PORTS[port] for port in _PORT.findall(text)}
        or {*PORTS.values()} & named
    )
    return found.pop() if len(found) == 1 else None


def _etcd_cluster(invocation: Invocation, given: Arguments) -> str | None:
    """The etcd cluster that an etcdctl call reaches, by the surest sign that it bears.

    Pods share the network of their machine, so that the port decides; then come the
    certificates, which other etcd clusters refuse, and the pod, with its settings.
    """
    variables = invocation.environment
    endpoints = given.value("endpoints", "endpoint", "peers", "C")
    if endpoints is None:
        endpoints = variables.get("ETCDCTL_ENDPOINTS")
    if endpoints is not None:
        ports = {PORTS.get(port) for port in _PORT.findall(written(endpoints))}
        if ports:
            return ports.pop() if len(ports) == 1 else None
    names = ("ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY")
    certificates = [
        *given.all("cacert", "cert", "key", "cert-file", "key-file", "ca-file"),
        *(variables[name] for name in names if name in variables),
    ]
    for signs in (certificates, invocation.inside):
        found = {name for sign in signs for name in _named_in(written(sign))}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _named_in(text: str) -> list[str]:
    """The etcd clusters whose pods or certificates a text names."""
    return [*_POD.findall(text), *re.findall(r"/pki/(cilium)/", text)]


def written(word: Word) -> str:
    """A word without the names of its variables, which are no evidence of anything.

    What runs in ``$(...)`` is: it picks the pod by its name or label.
    """
    return "".join(
        piece if isinstance(piece, str) else _run_by(piece) for piece in word.pieces
    )


def _run_by(unknown: Unknown) -> str:
    return unknown.name if unknown.name.startswith(("$(", "`")) else " "


def read_etcd(invocation: Invocation) -> Command:
    """The command that ``etcdctl``, ``etcdutl`` or ``etcd-manager-ctl`` is given."""
    if invocation.program == "etcd-manager-ctl":
        return _etcd_manager_ctl(invocation)
    return _etcdctl(invocation)


def _etcdctl(invocation: Invocation) -> Command:
    """The command that an ``etcdctl`` or ``etcdutl`` call asks for.

    Reading and writing keys changes no membership: that is ``Reads``.
    """
    given = arguments(invocation.words[1:], _VALUED)
    names = [word.text for word in given.positionals[:2]]
    rest = given.positionals[2:]
    text, span = invocation.text, invocation.span
    match names:
        case ["member", "remove"]:
            member = rest[0] if rest else None
            return MemberRemove(
                text=text,
                span=span,
                problems=_one(invocation, rest, "the member's ID") or _no_id(member),
                member=member,
                etcd_cluster=_etcd_cluster(invocation, given),
                each=invocation.each,
            )
        case ["member", "add"]:
            member = rest[0] if rest else None
            # The etcdctl of etcd 2 takes the address behind the name.
            old = len(rest) == 2 and "://" in rest[1].shown
            old = old and not given.has("peer-urls") and not _is_v3(invocation)
            return MemberAdd(
                text=text,
                span=span,
                problems=_one(
                    invocation, rest[:1] if old else rest, "the member's name"
                ),
                member=member,
                etcd_cluster=_etcd_cluster(invocation, given),
            )
        case ["member", "list"] | ["endpoint", _] | ["cluster-health", *_]:
            return MemberList(
                text=text,
                span=span,
                etcd_cluster=_etcd_cluster(invocation, given),
                printed_as=_form(invocation, given) if names[0] == "member" else None,
            )
        case ["snapshot", "save"] | ["backup", *_]:
            cluster = _etcd_cluster(invocation, given)
            return SnapshotSave(text=text, span=span, etcd_cluster=cluster)
        case ["snapshot", "restore"]:
            return _unreadable(
                invocation, "it makes a data directory that etcd-manager does not know"
            )
        case ["member", str() as verb]:
            return _unreadable(
                invocation, f"kopslint does not replay `etcdctl member {verb}`"
            )
        case ["del" | "rm" | "rmdir", *_] | ["auth", "enable"] | ["defrag", *_]:
            damage = _damage(invocation, given, str(names[0]))
            if damage is not None:
                return damage
        case ["txn" | "downgrade" as verb, *_]:
            return _unreadable(invocation, f"kopslint does not replay `etcdctl {verb}`")
        case ["put" | "set", str() as key] if key.startswith("/registry"):
            return _unreadable(
                invocation, "it changes Kubernetes objects behind the API's back"
            )
        case [None] | [None, _] | ["member", None]:
            return _unreadable(
                invocation, "the command for etcd is known only at run time"
            )
    verb = f"{invocation.program} {names[0] if names else ''}".rstrip()
    return Reads(text=text, span=span, verb=verb)


def _damage(invocation: Invocation, given: Arguments, verb: str) -> Command | None:
    """Keys that are deleted from a prefix on, a lock-out, or all members blocked.

    One key that is deleted by its name is what a repair takes.
    """
    cluster = _etcd_cluster(invocation, given)
    text, span = invocation.text, invocation.span
    if verb == "auth":
        return DamageEtcd(
            text=text, span=span, verb="authenticate", etcd_cluster=cluster
        )
    if verb == "defrag":
        ends = given.value("endpoints")
        several = given.has("cluster") or (ends is not None and "," in ends.shown)
        if not several:
            return None
        return DamageEtcd(text=text, span=span, verb="defragment", etcd_cluster=cluster)
    keys = given.positionals[1:]
    ranged = given.has("prefix", "from-key", "recursive", "r") or len(keys) > 1
    if not keys or not ranged:
        return None
    return DamageEtcd(
        text=text, span=span, verb="delete", prefix=keys[0].text, etcd_cluster=cluster
    )


def _no_id(member: Word | None) -> tuple[Rejection, ...]:
    """The problem of a member that is given by its name, or by no id that exists.

    Both measured with etcdctl 3.5.1: "bad member ID arg ... expecting ID in Hex" with
    exit status 128, and "member not found" with 1.
    """
    text = member.text if member is not None else None
    if member is None or text is None or is_id(text):
        return ()
    said = (
        f"etcd has no member with the id `{text}`: an id has 16 hexadecimal digits"
        if is_hexadecimal(text)
        else f"`{text}` is not a hexadecimal id, and etcdctl accepts nothing else"
    )
    return (of_line("bad-value", said, member.span),)


def _form(invocation: Invocation, given: Arguments) -> str | None:
    """In which form ``member list`` is printed.

    Before etcd 3.4 it is that of the second API unless the environment asks for the
    third; that form has the id, a colon, and then the name.
    """
    version = invocation.environment.get("ETCDCTL_API")
    if version is not None and version.text != "3":
        return None
    form = given.value("write-out", "w")
    text = "simple" if form is None else form.text
    return "hex" if text == "json" and given.has("hex") else text


def _is_v3(invocation: Invocation) -> bool:
    """Whether the environment says that the third version of the API is spoken."""
    version = invocation.environment.get("ETCDCTL_API")
    return version is not None and version.text == "3"


def _etcd_manager_ctl(invocation: Invocation) -> Command:
    """The command that an ``etcd-manager-ctl`` call asks for.

    ``restore-backup`` takes the member count of the control spec, and not that of
    ``-member-count``. Source: etcd-manager cmd/etcd-manager-ctl/main.go.
    """
    options = "backup-store member-count etcd-version v"
    given = arguments(invocation.words[1:], options)
    verb = given.positionals[0].text if given.positionals else "get"
    store = given.value("backup-store")
    cluster = None
    if store is not None and (path := re.search(_STORE, store.shown)):
        cluster = path[1]
    cluster = cluster or _etcd_cluster(invocation, given)
    match verb:
        case "restore-backup":
            return RestoreBackup(
                text=invocation.text,
                span=invocation.span,
                problems=_one(invocation, given.positionals[1:], "the backup's name"),
                etcd_cluster=cluster,
            )
        case "configure-cluster":
            return _unreadable(
                invocation,
                "it writes the member count without kops and the cluster spec",
            )
        case "delete-command":
            return DeleteRestore(
                text=invocation.text,
                span=invocation.span,
                problems=_one(invocation, given.positionals[1:], "the backup's name"),
                etcd_cluster=cluster,
            )
        case None:
            return _unreadable(
                invocation, "the command for etcd-manager is known only at run time"
            )
    return Reads(
        text=invocation.text, span=invocation.span, verb=f"etcd-manager-ctl {verb}"
    )


def _one(
    invocation: Invocation, words: tuple[Word, ...], what: str
) -> tuple[Rejection, ...]:
    """The problems of a command that takes exactly one argument."""
    if not words:
        last = invocation.words[-1].span
        return (of_line("missing-argument", f"{what} is missing", last),)
    return tuple(
        of_line(
            "extra-argument",
            f"`{word.shown}` is one argument too many: only {what} is expected",
            word.span,
        )
        for word in words[1:]
        if word.text is not None
    )


def _unreadable(invocation: Invocation, reason: str) -> Command:
    return invocation.unreadable(Unknown(invocation.text, reason), Reach.ETCD)
