"""What kops accepts in a spec and should not: it is stored, and hurts later."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_network
from itertools import combinations
from typing import TYPE_CHECKING

from kopslint.checks.alike import alike
from kopslint.checks.context import Context, Draft
from kopslint.checks.placeholders import holds_placeholder
from kopslint.findings import Location
from kopslint.syntax.yaml_tree import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network, IPv6Network

    from kopslint.kops.spec import Subnet
    from kopslint.source.text import Span

_LABEL = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
# What names of hosts, URLs and certificates bear; etcd does not mind capitals.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def events_missing(context: Context) -> Iterator[Draft]:
    """There is an etcd for the objects of Kubernetes and none for its events.

    That a change takes it away is another rule's to tell, and so is one name given to
    two etcd clusters. A Cluster without cloud and version is an excerpt.
    """
    cluster = context.after.cluster
    old = context.before.cluster if context.before is not None else None
    if cluster is None or (old is not None and old.etcd_cluster("events")):
        return
    names = [etcd.name for etcd in cluster.etcd_clusters]
    whole = cluster.cloud is not None or cluster.kubernetes_version is not None
    if whole and names.count("main") == 1 and "events" not in names:
        yield Draft(
            message="there is no etcd cluster for events",
            why="kops accepts it, and the API servers are told to keep events in an "
            "etcd of their own on port 4002, where nobody answers then.",
            locations=(
                Location(cluster.at("spec", "etcdClusters"), "main, and no events"),
            ),
            subject="events",
            fix=("# add an etcd cluster events with the members of main",),
        )


def subnets_overlap(context: Context) -> Iterator[Draft]:
    """Two subnets share addresses; the cloud refuses the second one."""
    cluster = context.after.cluster
    if cluster is None:
        return
    ranges = [(s, found) for s in cluster.subnets if (found := _range(s)) is not None]
    for (one, first), (other, second) in combinations(ranges, 2):
        if first.version == second.version and first.overlaps(second):
            yield Draft(
                message=f"subnets {one.name} and {other.name} overlap",
                why="kops stores it without a word, and the cloud refuses to make the "
                "second one, half-way through the update.",
                locations=(
                    Location(_cidr(other), f"shares addresses with {first}"),
                    Location(_cidr(one), f"the range of {one.name}"),
                ),
                subject=f"{one.name}/{other.name}",
                fix=(f"# give {other.name} a range of its own",),
            )


def _range(subnet: Subnet) -> IPv4Network | IPv6Network | None:
    """The range of a subnet; None if it has none or it is no range."""
    try:
        return _network(subnet.cidr) if subnet.cidr else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _cidr(subnet: Subnet) -> Span:
    return span_of(subnet.node, "cidr")


def name_is_no_dns_name(context: Context) -> Iterator[Draft]:
    """The name of a group, or of an etcd member, is no DNS name."""
    yield from _members_called(context)
    for group in context.after.groups.values():
        if not (_LABEL.fullmatch(group.name) or holds_placeholder(group.name)):
            yield Draft(
                message=f"the name {group.name} of a group is no DNS name",
                why="kops stores it; kops-controller, which lets the nodes join, asks "
                "for a DNS name: lower-case letters, digits, dots and hyphens. Names "
                "of groups cannot be changed later.",
                locations=(Location(group.at("metadata", "name"), "this name"),),
                subject=group.name,
                fix=(f"# call it {_proposed(group.name)} while it is new",),
            )


def _members_called(context: Context) -> Iterator[Draft]:
    """Members under a name that no host can have, nor a volume be found by.

    One that stood before the change is called as it is.
    """
    before = context.before.etcd_clusters if context.before is not None else ()
    known = {member.name for etcd in before for member in etcd.members}
    found = [
        (etcd.name, member)
        for etcd in context.after.etcd_clusters
        for member in etcd.members
        if member.name
        and member.name not in known
        and not _HOST.fullmatch(member.name)
        and not holds_placeholder(member.name)
    ]
    for same in alike(found, lambda f: f[1].name):
        name = same[0][1].name
        yield Draft(
            message=f"the name {name} of an etcd member is no DNS name",
            why="kops stores it, names the member's volumes after it, and calls its "
            "host so in the URLs and certificates of etcd. A slash or a comma there "
            "also ends the name in the tag that the volume is found by.",
            locations=tuple(
                Location(member.at("name"), f"in {etcd}") for etcd, member in same
            ),
            subject=f"member/{name}",
            fix=(f"# call it {_proposed(name, 'a')} while it is new",),
        )


def _proposed(name: str, otherwise: str = "nodes") -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.") or otherwise


def negative_size(context: Context) -> Iterator[Draft]:
    """A group of workers is to have fewer machines than none."""
    for group in context.after.groups.values():
        for field, size in (("minSize", group.min_size), ("maxSize", group.max_size)):
            if size is not None and size < 0 and not group.is_control_plane:
                yield Draft(
                    message=f"{field} of group {group.name} is {size}",
                    why="kops accepts it, and the cloud refuses the group when it is "
                    "made or changed.",
                    locations=(Location(group.at("spec", field), "below zero"),),
                    subject=f"{group.name}/{field}",
                    fix=("# write 0 for a group without machines",),
                )
