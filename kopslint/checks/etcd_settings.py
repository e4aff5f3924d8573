"""What a spec hands to etcd-manager and etcd besides members and versions.

Sources: etcd-manager pkg/etcd/etcdprocess.go, Start (every ETCD_ variable of the pod
overwrites what etcd-manager had worked out), kops
pkg/model/components/etcdmanager/model.go (env and image of the pod), and
docs/networking/cilium.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed, only
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.etcd_manager import bundled
from kopslint.syntax.yaml import YamlSequence, find, span_of, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, EtcdCluster
    from kopslint.text import Span

_OWN = {
    "ETCD_FORCE_NEW_CLUSTER": "every member that starts makes itself the only member:"
    " it forgets the others, and each continues with its own data",
    "ETCD_DATA_DIR": "etcd starts in an empty directory instead of its data",
    "ETCD_NAME": "all members get the same name, and only one of them can use it",
    "ETCD_INITIAL_ADVERTISE_PEER_URLS": "all members advertise the same address",
    "ETCD_ADVERTISE_CLIENT_URLS": "all members advertise the same address",
    "ETCD_LISTEN_PEER_URLS": "all members listen on the same address",
    "ETCD_INITIAL_CLUSTER": "a member that joins or is restored contacts other"
    " members than those etcd-manager lists",
    "ETCD_INITIAL_CLUSTER_STATE": "a member with an empty disk creates its own"
    " cluster instead of joining, or a new cluster is never created",
    "ETCD_INITIAL_CLUSTER_TOKEN": "a restored cluster has the same token as the old"
    " one, and members of both may connect",
}
"""What etcd-manager works out for each member, and what fixing it for all leads to."""

_ONLY_AT_FIRST = "ETCD_INITIAL_CLUSTER"
_QUOTA = "ETCD_QUOTA_BACKEND_BYTES"
_DEFAULT_QUOTA = 2 * 1024**3
"""Source: etcd server/storage/quota.go, DefaultQuotaBytes."""

_RELEASED = re.compile(r"3\.0\.(20\d{6})")


def etcd_started_otherwise(context: Context) -> Iterator[Draft]:
    """``manager.env`` sets what etcd-manager works out for every member itself."""
    found = [
        (etcd, name, value, place)
        for etcd in context.after.etcd_clusters
        for name, (value, place) in _environment(etcd).items()
        if name in _OWN and value.lower() not in ("", "false")
    ]
    for same in alike(found, lambda f: f[1:3]):
        name, value = same[0][1:3]
        names = tuple(dict.fromkeys(etcd.name for etcd, *_ in same))
        at_first = name.startswith(_ONLY_AT_FIRST)
        yield Draft(
            severity=Severity.WARNING if at_first else None,
            certainty=Certainty.POSSIBLE if at_first else Certainty.CERTAIN,
            message=f"manager.env of {listed(names)} sets {name}: {_OWN[name]}",
            why="etcd-manager works out this setting for every member, and an ETCD_"
            " variable in the spec overrides it for all. A restart of a machine"
            " or of the pod is enough.",
            locations=tuple(
                Location(place, f"{value} for every member of {etcd.name}")
                for etcd, _, _, place in same
            ),
            subject=f"{','.join(names)}/{name}",
            etcd_cluster=only(names),
            fix=(f"# remove {name} from manager.env of {listed(names)}",),
        )
    yield from _lower_quotas(context)


def _lower_quotas(context: Context) -> Iterator[Draft]:
    """A smaller database than before: a larger one that is there is read-only then."""
    found = [
        (new, before, after, _environment(new).get(_QUOTA))
        for old, new in pairs.etcd_clusters(context)
        if (after := _quota(new)) < (before := _quota(old))
    ]
    for same in alike(found, lambda f: f[1:3]):
        before, after = same[0][1:3]
        names = tuple(etcd.name for etcd, *_ in same)
        yield Draft(
            severity=Severity.WARNING,
            certainty=Certainty.POSSIBLE,
            message=f"the database quota of {listed(names)} shrinks from"
            f" {_size(before)} to {_size(after)}",
            why="A member whose database is larger raises the NOSPACE alarm when it"
            " is rolled, and etcd accepts no writes until it is compacted and"
            " defragmented and the alarm is disarmed by hand.",
            locations=tuple(
                Location(
                    place[1] if place else etcd.at("name"), f"{_size(after)} after"
                )
                for etcd, _, _, place in same
            ),
            subject=f"{','.join(names)}/{_QUOTA}",
            etcd_cluster=only(names),
            fix=(
                f"# keep {_QUOTA} at {before}, or check DB SIZE first:",
                "# etcdctl endpoint status --write-out=table",
            ),
        )


def _environment(etcd: EtcdCluster) -> dict[str, tuple[str, Span]]:
    """The variables of the etcd-manager pod, the last of a name counts."""
    node = find(etcd.node, "manager", "env")
    found = {}
    for item in node.items if isinstance(node, YamlSequence) else ():
        name = text_at(item, "name")
        if name is not None:
            found[name] = (text_at(item, "value") or "", span_of(item, "name"))
    return found


def _quota(etcd: EtcdCluster) -> int:
    """The bytes that the database may have; without a limit they are as many as any."""
    said = _environment(etcd).get(_QUOTA, ("", None))[0]
    value = int(said) if re.fullmatch(r"-?\d+", said) else 0
    return _DEFAULT_QUOTA if value == 0 else value if value > 0 else 2**63


def _size(quota: int) -> str:
    mebibytes = quota / 1024**2
    if quota >= 2**63:
        return "any size"
    return f"{mebibytes / 1024:g} GiB" if mebibytes >= 1024 else f"{mebibytes:g} MiB"


def etcd_manager_downgraded(context: Context) -> Iterator[Draft]:
    """``manager.image`` is older than the image before, or than what kops brings."""
    if pairs.cluster(context) is None:
        return
    found = []
    for old, new in pairs.etcd_clusters(context):
        after = _image(new)
        before = _image(old)
        if after is None or (before is None and text_at(old.node, "manager", "image")):
            continue
        own = bundled(context.after, context.kops_version)
        older_than = before or own
        if older_than is not None and after < older_than and after != before:
            found.append((new, f"v3.0.{older_than}", f"v3.0.{after}", before is None))
    for same in alike(found, lambda f: f[1:]):
        before_, after_, own_one = same[0][1:]
        names = tuple(etcd.name for etcd, *_ in same)
        yield Draft(
            certainty=Certainty.POSSIBLE,
            message=f"etcd-manager of {listed(names)} goes back to {after_}, from "
            + ("that of kops, at least " if own_one else "")
            + before_,
            why="An older etcd-manager does not know the newest etcd version that a"
            " newer one started ('unknown etcd version'), and lacks later fixes."
            " The first rolled machine does not rejoin etcd, and the roll stops.",
            locations=tuple(
                Location(etcd.at("manager", "image"), f"{etcd.name}: {after_}")
                for etcd, *_ in same
            ),
            subject=f"{','.join(names)}/{after_}",
            etcd_cluster=only(names),
            fix=(
                "# remove manager.image: every kops brings the one it was tested with",
            ),
        )


def _image(etcd: EtcdCluster) -> str | None:
    """The date in the tag of an etcd-manager image, which orders its releases."""
    found = _RELEASED.search(text_at(etcd.node, "manager", "image") or "")
    return found[1] if found else None


def cilium_etcd_switched(context: Context) -> Iterator[Draft]:
    """Cilium is to keep its state in an etcd that is new, or no longer in its own."""
    pair = pairs.cluster(context)
    if pair is None or _cilium(pair[0]) is None or _cilium(pair[1]) is None:
        return
    old, new = pair
    before, after = _in_etcd(old), _in_etcd(new)
    there = old.etcd_cluster("cilium") is not None
    if before == after or (after and there) or new.etcd_cluster("cilium") is None:
        return
    if after and _in_stages(context):
        return
    field = ("spec", "networking", "cilium", "etcdManaged")
    yield Draft(
        severity=None if after else Severity.WARNING,
        message="Cilium is switched to its own etcd in the same change that adds it"
        if after
        else "Cilium is switched from its own etcd back to the Kubernetes API",
        why=_NOT_THERE_YET if after else _TWO_STORES,
        locations=(
            Location(new.at(*field), f"after: {str(after).lower()}"),
            Location(
                old.at("spec", "etcdClusters") if after else old.at(*field),
                "no etcd cluster cilium before" if after else "before: true",
            ),
        ),
        subject=str(after).lower(),
        certainty=Certainty.POSSIBLE,
        etcd_cluster="cilium",
        fix=_IN_TWO_STEPS
        if after
        else ("# leave etcdManaged: true, or plan an outage for new connections",),
    )


_NOT_THERE_YET = (
    "Cilium's etcd starts only when most control-plane machines run its etcd-manager,"
    " which takes the whole roll. The agent on the first rolled machine waits for it,"
    " the machine does not become ready, and the roll stops; the same happens to"
    " every machine that the cloud adds meanwhile."
)
_TWO_STORES = (
    "Agents on rolled nodes keep identities in the API, those on other nodes in etcd:"
    " until all nodes are rolled, neither side knows the other's pods, and network"
    " policies drop their traffic."
)
_IN_TWO_STEPS = (
    "# first the etcd cluster alone: kops update cluster --yes, and",
    "# kops rolling-update cluster --force --yes; then etcdManaged: true",
)


def _in_stages(context: Context) -> bool:
    # What knows commands is only loaded where a change asks for it.
    from kopslint.checks.rolls import stored_in_stages

    return stored_in_stages(context)


def _cilium(cluster: Cluster) -> object:
    return cluster.get("spec", "networking", "cilium")


def _in_etcd(cluster: Cluster) -> bool:
    field = ("spec", "networking", "cilium", "etcdManaged")
    return text_at(cluster.node, *field) == "true"
