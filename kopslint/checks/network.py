"""The network under a cluster: what its machines were given and cannot give back.

Sources: kops upup/pkg/fi/cloudup/awstasks/subnet.go and vpc.go (CheckChanges),
and pkg/apis/kops/validation/instancegroup.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed
from kopslint.findings import Location, Severity
from kopslint.kops.placeholders import may_be_among
from kopslint.records import Record
from kopslint.syntax.yaml import YamlMapping, find, span_of, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network, IPv6Network

    from kopslint.kops.spec import Cluster, Subnet
    from kopslint.text import Span


# What becomes of a running cluster when one of these changes under it.
_RANGES = {
    "networkCIDR": "The network exists and keeps its range, and every machine has an"
    " address in it: the update fails.",
    "networkID": "Nothing moves to another network: kops builds a second set of"
    " machines and volumes there, without etcd's data.",
    "nonMasqueradeCIDR": "The pod range is cut from it, and in older kops releases"
    " the service range too: both shift, everything that runs keeps its old address,"
    " and routes, DNS and the API service are in the new range.",
    "serviceClusterIPRange": "Services keep their addresses, but the API server no"
    " longer serves that range; DNS and the API service itself break first.",
    "podCIDR": "Nodes keep their pod ranges and new nodes get theirs from another"
    " range, so pods on old and new nodes cannot reach each other.",
}


def networking_field(cluster: Cluster, field: str) -> tuple[str, ...]:
    """The path of a networking field in the API version of this Cluster.

    v1alpha3 has under spec.networking what v1alpha2 has under spec.
    """
    if cluster.version == "v1alpha3":
        return ("spec", "networking", field)
    return ("spec", field)


def group_without_subnet(context: Context) -> Iterator[Draft]:
    """A group names a subnet that the Cluster does not have, or no longer has."""
    cluster = context.after.cluster
    if cluster is None or not cluster.subnets:
        return
    found = [
        (name, group)
        for group in context.after.groups.values()
        for name in group.subnets
        if not may_be_among(name, (subnet.name for subnet in cluster.subnets))
    ]
    before = context.before.cluster if context.before is not None else None
    for same in alike(found, lambda f: f[0]):
        name, groups = same[0][0], [group for _, group in same]
        users = listed([group.name for group in groups])
        places = [
            Location(g.at("spec", "subnets", g.subnets.index(name)), f"of {g.name}")
            for g in groups
        ]
        was = before.subnet(name) if before is not None else None
        if was is not None:
            uses = "use" if len(groups) > 1 else "uses"
            message = f"subnet {name} is removed, but {users} still {uses} it"
            places.append(Location(_place(was, "name"), "it was here"))
            fix = f"# put {name} back until {users} {uses} another subnet"
        else:
            names = "name" if len(groups) > 1 else "names"
            message = f"{users} {names} subnet {name}, which the Cluster does not have"
            fix = _near(name, cluster)
        yield Draft(
            message=message,
            why="kops looks up every subnet of every group and updates nothing while"
            " one is missing.",
            locations=tuple(places),
            subject=name,
            fix=(fix,),
        )


def _near(name: str, cluster: Cluster) -> str:
    from difflib import get_close_matches

    names = [subnet.name for subnet in cluster.subnets]
    near = get_close_matches(name, names, 1)
    return f"# did you mean {near[0]}?" if near else f"# write one of {listed(names)}"


class _Changed(Record):
    """A field of the network before and after; ``kind`` are reported as one."""

    kind: str
    name: str
    before: str | None
    after: str | None
    places: tuple[Span, Span]


def network_range_changed(context: Context) -> Iterator[Draft]:
    """A range or an id changes that the machines of the cluster live in."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    changed = list(_range_changes(*pair))
    for field in changed:
        adopted = field.kind == "networkID" and field.before is None
        yield Draft(
            severity=Severity.WARNING if adopted else None,
            message=f"{field.kind} changes from {field.before} to {field.after}"
            if not adopted
            else f"{field.kind} is set to {field.after} on a cluster that has its own "
            "network",
            why=_RANGES[field.kind],
            locations=_places([field]),
            subject=field.kind,
            fix=(f"# put {field.kind} back; a new range needs a new cluster",)
            if field.before is not None
            else (f"# remove {field.kind}, unless it is the id of this network",),
        )
    # The subnets follow their network: to leave it alone is to leave them alone.
    if any(field.kind in ("networkCIDR", "networkID") for field in changed):
        return
    found = [
        change
        for old, new in pairs.subnets(context)
        for change in _subnet_changes(old, new, pair)
    ]
    found += _renamed_subnets(*pair)
    for same in alike(found, lambda c: c.kind):
        yield _subnets_changed(same)


def _range_changes(old: Cluster, new: Cluster) -> Iterator[_Changed]:
    for field in _RANGES:
        before, after = _range(old, field), _range(new, field)
        # A range that is nowhere written moves with the one that it is cut from.
        said = any(c.get(*networking_field(c, field)) for c in (old, new))
        known = after is not None and (before is not None or field == "networkID")
        if not said or not known or _network(before) == _network(after):
            continue
        shown = tuple(c.at(*networking_field(c, field)) for c in (new, old))
        yield _Changed(field, field, before, after, (shown[0], shown[1]))


def _range(cluster: Cluster, field: str) -> str | None:
    """The value of a field, or what kops takes where it is left out, if that is known.

    Source: kops upup/pkg/fi/cloudup/populate_cluster_spec.go, assignSubnets. Which
    range services get beside another nonMasqueradeCIDR than the usual one depends on
    the release of kops.
    """
    said = text_at(cluster.node, *networking_field(cluster, field))
    if said or field not in ("podCIDR", "serviceClusterIPRange"):
        return said or None
    whole = text_at(cluster.node, *networking_field(cluster, "nonMasqueradeCIDR"))
    network = _parsed(whole)
    if network is None or network.version != 4:
        return None
    if field == "podCIDR":
        return str(list(network.subnets())[-1])
    return "100.64.0.0/13" if str(network) == "100.64.0.0/10" else None


def _network(text: str | None) -> str | None:
    """A range in its one spelling; whatever is no range is itself."""
    network = _parsed(text)
    return str(network) if network is not None else text


def _parsed(text: str | None) -> IPv4Network | IPv6Network | None:
    from ipaddress import ip_network

    try:
        return ip_network(text or "", strict=False)
    except ValueError:
        return None


def _subnet_changes(
    old: Subnet, new: Subnet, pair: tuple[Cluster, Cluster]
) -> Iterator[_Changed]:
    if old.cidr and new.cidr and _network(old.cidr) != _network(new.cidr):
        # Somebody else had the new range before, or has the old one now.
        ranges = [
            {_network(s.cidr) for s in cluster.subnets if s.name != old.name}
            for cluster in pair
        ]
        dealt_out = _network(new.cidr) in ranges[0] or _network(old.cidr) in ranges[1]
        kind = "renumbered" if dealt_out else "cidr"
        places = (_place(new, "cidr"), _place(old, "cidr"))
        yield _Changed(kind, new.name, old.cidr, new.cidr, places)
    was, is_ = text_at(old.node, "id"), text_at(new.node, "id")
    if was != is_:
        places = (_place(new, "id"), _place(old, "id"))
        kind = "adopted" if was is None else "id"
        yield _Changed(kind, new.name, was, is_, places)
    was, is_ = text_at(old.node, "type"), text_at(new.node, "type")
    if was and is_ and was != is_:
        places = (_place(new, "type"), _place(old, "type"))
        kind = "type" if _has_way_out(new, pair[1]) else "shut"
        yield _Changed(kind, new.name, was, is_, places)


def _renamed_subnets(old: Cluster, new: Cluster) -> Iterator[_Changed]:
    """Subnets under new names with ranges of others that are no longer there.

    Source: kops upup/pkg/fi/cloudup/awstasks/subnet.go, Find: by id, or else by name.
    """
    gone = [s for s in old.subnets if new.subnet(s.name) is None and s.cidr]
    for subnet in new.subnets if new.cloud == "aws" and gone else ():
        kept_by_id = text_at(subnet.node, "id") is not None
        if kept_by_id or not subnet.cidr or old.subnet(subnet.name) is not None:
            continue
        for other in gone:
            if _network(other.cidr) == _network(subnet.cidr):
                places = (_place(subnet, "name"), _place(other, "name"))
                yield _Changed("renamed", subnet.name, other.name, subnet.name, places)


def _has_way_out(subnet: Subnet, cluster: Cluster) -> bool:
    """Whether kops may find the way out that a subnet of its type takes.

    Source: kops pkg/model/awsmodel/network.go, Build: that of a private subnet is in a
    Utility subnet of its zone, unless it is somebody else's. One zone that has none
    beside others that have one is the spec's own mistake, and reported as that.
    """
    given = text_at(subnet.node, "id") or text_at(subnet.node, "egress")
    return (
        cluster.cloud != "aws"
        or text_at(subnet.node, "type") not in ("Private", "DualStack")
        or bool(given)
        or any(text_at(other.node, "type") == "Utility" for other in cluster.subnets)
    )


def _subnets_changed(same: list[_Changed]) -> Draft:
    kind = same[0].kind
    names = listed([change.name for change in same])
    subnets = f"subnet{'' if len(same) == 1 else 's'} {names}"
    one = same[0]
    messages = {
        "cidr": f"the range of {subnets} changes: {one.before} -> {one.after}",
        "renumbered": "the ranges move between the subnets: "
        f"{names} {'changes' if len(same) == 1 else 'change'}",
        "id": f"the id of {subnets} changes: {one.before} -> {one.after or 'none'}",
        "adopted": f"{subnets} {'gets' if len(same) == 1 else 'get'} an id after the"
        " cluster was created",
        "renamed": f"{subnets} {'has' if len(same) == 1 else 'have'} the range of"
        f" {listed([str(change.before) for change in same])}, which kops does not"
        " delete",
        "type": f"the type of {subnets} changes: {one.before} -> {one.after}",
        "shut": f"{subnets} {'becomes' if len(same) == 1 else 'become'} {one.after},"
        " but there is no Utility subnet for outgoing traffic",
    }
    whys = {
        "cidr": "The range of a subnet that exists cannot be changed: the update fails "
        "with 'Field cannot be changed: CIDR'.",
        "renumbered": "Subnets that exist keep their ranges: the update fails with"
        " 'Field cannot be changed: CIDR' unless the ranges in the old file were"
        " never applied. Files that number subnets by position do this when an entry"
        " is added or removed.",
        "id": "A machine stays in the subnet that it was started in, and etcd's"
        " volumes stay in its zone: everything in it has to be rebuilt.",
        "adopted": "With an id, kops treats the subnet as not its own. If it is not"
        " the subnet that the cluster is in, range and zone must match, or the update"
        " fails with 'Field cannot be changed: CIDR'.",
        "renamed": "kops knows a subnet by its name and deletes none: the old one"
        " stays, with everything that runs in it, and the cloud refuses to create its"
        " range a second time.",
        "type": "Routes change under running machines: those with the other kind of"
        " address have no network until they are rolled, including the control plane.",
        "shut": "kops looks for a Utility subnet in the zone of every private one, and "
        "the update fails with 'could not find utility subnet in zone'.",
    }
    fixes = {
        "renamed": "# keep the name, or give the new subnet the id of the old one",
        "type": "# leave it; add subnets of the other type, and move the groups",
        "shut": "# add a subnet of type Utility in the same zone",
        "adopted": "# make sure that the id is that of the subnet in use",
        "renumbered": "# give every subnet back the range that it had",
    }
    mild = kind in ("renumbered", "adopted", "type")
    return Draft(
        severity=Severity.WARNING if mild else None,
        message=messages[kind],
        why=whys[kind],
        locations=_places(same),
        subject=f"{kind}/{','.join(change.name for change in same)}",
        fix=(fixes.get(kind, "# leave it, and add a new subnet"),),
    )


def _places(same: list[_Changed]) -> tuple[Location, ...]:
    """Every place after the change, and the first one before it."""
    one = same[0]
    return (
        *(Location(c.places[0], f"after: {c.after or 'none'}") for c in same),
        Location(one.places[1], f"before: {one.before or 'none'}"),
    )


def _place(subnet: Subnet, key: str) -> Span:
    """Where a field is, or else the name of the subnet that lacks it."""
    return span_of(subnet.node, "name" if find(subnet.node, key) is None else key)


# ------------------------------------------------------------------------------------
# Who runs the network of pods, which kops installs and never takes away
#
# Source: kops docs/networking.md.

_FIELD = ("spec", "networking")
_PROVIDERS = frozenset(
    {"amazonvpc", "calico", "canal", "cilium", "classic", "cni", "external", "flannel"}
    | {"gce", "gcp", "kindnet", "kopeio", "kubenet", "kuberouter", "lyftvpc", "romana"}
    | {"weave"}
)


def networking_provider_changed(context: Context) -> Iterator[Draft]:
    """The network of pods is to be run by another provider."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    old, new = (_provider(cluster) for cluster in pair)
    if old is None or new is None or _plain(old) == _plain(new):
        return
    mild = _plain(old) == "kubenet"
    yield Draft(
        severity=Severity.WARNING if mild else None,
        message=f"the networking provider changes from {old} to {new}",
        why="kops documents this as safe. Until all nodes are rolled, some pods are"
        " in the old network and some in the new one, and there is no rollback."
        if mild
        else f"kops does not migrate: {old} keeps running on every node beside {new},"
        " pods on old and new nodes cannot reach each other, and the roll may stop"
        " half-way because the cluster does not validate.",
        locations=(
            Location(_key(pair[1], new), f"after: {new}"),
            Location(_key(pair[0], old), f"before: {old}"),
        ),
        subject=f"{old}/{new}".lower(),
        fix=("# try it on a copy of the cluster first, and plan an outage",)
        if mild
        else (f"# keep {old}, and move the workloads to a new cluster with {new}",),
    )


def _provider(cluster: Cluster) -> str | None:
    """The only networking provider of a Cluster, as it is written.

    One whose settings are a text never was: kops cannot read such a file.
    """
    node = cluster.get(*_FIELD)
    keys = list(node.keys()) if isinstance(node, YamlMapping) else []
    found = [
        key
        for key in keys
        if key.lower() in _PROVIDERS and not text_at(cluster.node, *_FIELD, key)
    ]
    return found[0] if len(found) == 1 else None


def _plain(provider: str) -> str:
    """The name that a provider has in both API versions."""
    name = provider.lower()
    return "gcp" if name == "gce" else name


def _key(cluster: Cluster, provider: str) -> Span:
    node = cluster.get(*_FIELD)
    entry = node.entry(provider) if isinstance(node, YamlMapping) else None
    return entry.key.span if entry is not None else cluster.at(*_FIELD)
