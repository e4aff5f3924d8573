"""One spec: what is wrong with how it is written, whatever it says."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_network
from itertools import combinations
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, alike, listed
from kopslint.findings import Location, Severity
from kopslint.kops.placeholders import holds_placeholder, is_filled_in_later
from kopslint.syntax.yaml import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Network, IPv6Network

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import InstanceGroup, Subnet
    from kopslint.text import Source, Span


_REASONS: dict[str, str] = {
    "duplicate-key": "kops silently drops the first one, so part of what you wrote"
    " has no effect.",
    "wrong-type": "kops does not convert types: it refuses the whole file.",
    "missing": "kops refuses an object without this field.",
    "unknown-role": "kops refuses an unknown role; roles are case-sensitive in files.",
    "unknown-kind": "kops stops at an object of unknown kind, after it has stored"
    " those above.",
    "unsupported-version": "kops cannot read this object, and stops here.",
    "ignored-document": "kops reads the file as if the document were not there.",
    "empty-document": "kops stops there, after it has stored the objects above.",
    "unreadable": "Nothing in this file was checked. All other files were.",
}


def duplicate_key(context: Context) -> Iterator[Draft]:
    """A key of a mapping is written twice."""
    flaws = [flaw for flaw in context.after.flaws if flaw.kind == "duplicate-key"]
    for same in alike(flaws, _object_of):
        if _object_of(same[0]) is not None and len(same) > 1:
            yield _joined_objects(same[0])
        else:
            yield from map(_draft, same)


def _object_of(flaw: Rejection) -> Source | None:
    """The file whose object has the key at its top level, if that is where it is."""
    (span, _), *_ = flaw.places
    return span.source if span.column == 1 else None


def _joined_objects(flaw: Rejection) -> Draft:
    """Several keys of an object are there twice because it is really two objects."""
    return Draft(
        message="two objects run together as one, and kops drops the first",
        why=_REASONS["duplicate-key"],
        locations=tuple(Location(span, label) for span, label in flaw.places),
        subject="joined-objects",
        fix=("# write `---` on a line of its own between the two",),
    )


def malformed_object(context: Context) -> Iterator[Draft]:
    """An object cannot be read as what it should be."""
    for flaw in context.after.flaws:
        if flaw.kind == "unreadable":
            draft = _draft(flaw)
            # What may not be about kops at all is no error of it.
            yield draft._replace(severity=Severity.WARNING) if flaw.harmless else draft
        elif flaw.kind != "duplicate-key" and not is_filled_in_later(flaw.span):
            yield _draft(flaw)


def _draft(flaw: Rejection) -> Draft:
    return Draft(
        message=flaw.message,
        why=_REASONS[flaw.kind],
        locations=tuple(Location(span, label) for span, label in flaw.places),
        subject=f"{flaw.kind}/{flaw.message}",
        fix=(f"# {flaw.hint}",) if flaw.hint else (),
    )


# ------------------------------------------------------------------------------------
# What kops accepts in a spec and should not: it is stored, and hurts later

_LABEL = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
# What names of hosts, URLs and certificates bear; etcd does not mind capitals.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def events_etcd_missing(context: Context) -> Iterator[Draft]:
    """There is an etcd for the objects of Kubernetes and none for its events.

    That a change takes it away is another rule's to report, and so is one name given to
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
            why="kops accepts this, but the API servers keep events in a separate"
            " etcd on port 4002, and nothing would answer there.",
            locations=(
                Location(cluster.at("spec", "etcdClusters"), "only main, no events"),
            ),
            subject="events",
            fix=("# add an etcd cluster named events with the members of main",),
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
                why="kops stores this without a warning, and the cloud refuses to"
                " create the second subnet, half-way through the update.",
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
    found = [
        group
        for group in context.after.groups.values()
        if not (_LABEL.fullmatch(group.name) or holds_placeholder(group.name))
    ]
    if found:
        yield _groups_called(found)


def _groups_called(groups: list[InstanceGroup]) -> Draft:
    """The groups of a cluster whose names were all made in one way, reported as one."""
    names = [group.name for group in groups]
    several = len(groups) > 1
    return Draft(
        message=f"the names {listed(names)} of groups are not DNS names"
        if several
        else f"the name {names[0]} of a group is not a DNS name",
        why=f"kops stores {'them' if several else 'it'}, but kops-controller, which"
        " lets nodes join, requires a DNS name: lower-case letters, digits, dots and"
        " hyphens. Group names cannot be changed later.",
        locations=tuple(
            Location(group.at("metadata", "name"), "this name") for group in groups
        ),
        subject=",".join(names),
        fix=tuple(f"# call it {_proposed(name)} while it is new" for name in names),
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
            message=f"the name {name} of an etcd member is not a DNS name",
            why="kops stores it, names the member's volumes after it, and uses it as"
            " a host name in etcd's URLs and certificates. A slash or comma also cuts"
            " the name short in the tag by which the volume is found.",
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
                    why="kops accepts it, but the cloud refuses to create or change"
                    " the group.",
                    locations=(Location(group.at("spec", field), "below zero"),),
                    subject=f"{group.name}/{field}",
                    fix=("# write 0 for a group without machines",),
                )
