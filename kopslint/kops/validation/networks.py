"""Network ranges and subnets of a Cluster: readable, inside and apart of each other.

Source: kops pkg/apis/kops/validation/validation.go, validateNetworking, validateSubnets
and validateSubnet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of, demands_of, regions_demanded
from kopslint.kops.validation.values import (
    Network,
    belongs,
    cidr,
    is_ipv6,
    network,
    overlap,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Violation

_NET = "validation.go, validateNetworking"
_SUBNETS = "validation.go, validateSubnets"
_SUBNET = "validation.go, validateSubnet"
_SUBNET_TYPES = ("Public", "Private", "DualStack", "Utility")
_EGRESS = ("nat", "eipalloc", "i", "tgw", "External")
_IPV6_NOTATION = re.compile(r"/(\d+)#([a-f0-9]+)")
_PRIVATE = tuple(
    found
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    if (found := network(text)) is not None
)
_TARGETS = ("pcx-", "i-", "nat-", "tgw-", "igw-", "eigw-")


class Ranges:
    """The ranges of a Cluster that could be read."""

    def __init__(self, declared: Declared) -> None:
        def read(path: str) -> Network | None:
            return network(declared.text(path))

        paths = ["networking.networkCIDR"]
        paths += declared.each("networking.additionalNetworkCIDRs")
        self.networks = tuple(filter(None, map(read, paths)))
        self.non_masquerade = read("networking.nonMasqueradeCIDR")
        self.pods = read("networking.podCIDR")
        self.services = read("networking.serviceClusterIPRange")


def networks(declared: Declared) -> Iterator[Violation]:
    """The ranges of the cluster as a whole."""
    demands = demands_of(cloud_of(declared))
    ranges = Ranges(declared)
    text = declared.text("networking.networkCIDR")
    path = "networking.networkCIDR"
    if text and demands.no_network_cidr:
        if declared.since(28):
            problem = "must not be set: GCE networks have no range of their own"
            yield declared.refuse("network-range", path, problem, _NET)
    elif text:
        yield from _readable(declared, path)
        yield from _private(declared, path)
    extra = "networking.additionalNetworkCIDRs"
    if demands.one_network_cidr and declared.count(extra) and cloud_of(declared):
        if declared.since(27):
            problem = f"must not be set: {cloud_of(declared)} does not support it"
            yield declared.refuse("network-range", extra, problem, _NET)
    else:
        for item in declared.each(extra):
            yield from _readable(declared, item)
    yield from _non_masquerade(declared, ranges)
    yield from _inside_non_masquerade(declared, ranges)


def _private(declared: Declared, path: str) -> Iterator[Violation]:
    here, found = cloud_of(declared), network(declared.text(path))
    if here not in ("do", "linode") or not declared.since(27) or found is None:
        return
    if not any(belongs(range_, found) for range_ in _PRIVATE):
        problem = f"is {declared.text(path)}, which is no private range"
        yield declared.refuse("network-range", path, problem, _NET)
    if declared.text("networking.networkID"):
        problem = f"must not be set beside networkID on {here}"
        yield declared.refuse("network-range", path, problem, _NET)


def _non_masquerade(declared: Declared, ranges: Ranges) -> Iterator[Violation]:
    path = "networking.nonMasqueradeCIDR"
    text = declared.text(path)
    yield from _readable(declared, path)
    if ":" in text and text != "::/0" and declared.since(23):
        problem = f"is {quoted(text)}, and an IPv6 cluster must have ::/0"
        yield declared.refuse("network-range", path, problem, _NET)
    same_range = (
        declared.has("networking.amazonVPC")
        or declared.has("networking.lyftvpc")
        or declared.text("networking.cilium.ipam") == "eni"
    )
    if ranges.non_masquerade is None or same_range:
        return
    for other in ranges.networks:
        if overlap(ranges.non_masquerade, other):
            problem = f"is {text}, which overlaps the network {other}"
            yield declared.refuse("network-range", path, problem, _NET)


def _inside_non_masquerade(declared: Declared, ranges: Ranges) -> Iterator[Violation]:
    outer = ranges.non_masquerade
    # The cluster CIDR is read with bits outside of its prefix, the others are not.
    for path, found, source, since in (
        ("networking.podCIDR", ranges.pods, _NET, 28),
        (
            "kubeControllerManager.clusterCIDR",
            network(declared.text("kubeControllerManager.clusterCIDR")),
            "legacy.go, ValidateCluster",
            18,
        ),
    ):
        text = declared.text(path)
        if path.startswith("networking"):
            yield from _readable(declared, path)
        elif text and found is None:
            problem = f"is {quoted(text)}, which is no network range"
            yield declared.refuse("network-range", path, problem, source)
        if outer and found and declared.since()since and not belongs(outer, found):
            problem = f"is {text}, which is not inside nonMasqueradeCIDR {outer}"
            yield declared.refuse("network-range", path, problem, source)
    yield from _readable(declared, "networking.serviceClusterIPRange")


def _readable(declared: Declared, path: str) -> Iterator[Violation]:
    text = declared.text(path)
    problem = cidr(text) if text else None
    if problem is not None:
        source = "validation.go, parseCIDR"
        yield declared.refuse("network-range", path, problem, source)


def subnets(declared: Declared) -> Iterator[Violation]:
    """Every subnet, and the subnets beside each other."""
    ranges = Ranges(declared)
    paths = tuple(declared.each("networking.subnets"))
    for path in paths:
        yield from _range_of(declared, path, ranges)
        yield from _ipv6_range(declared, path, ranges)
        yield from _type_of(declared, path)
        yield from _egress(declared, path)
        yield from _routes(declared, path, ranges)
    yield from _together(declared, paths)


def _range_of(declared: Declared, path: str, ranges: Ranges) -> Iterator[Violation]:
    place = f"{path}.cidr"
    text = declared.text(place)
    yield from _readable(declared, place)
    found = network(text)
    if found is None:
        return
    if ranges.networks and not any(belongs(n, found) for n in ranges.networks):
        listed = " or ".join(map(str, ranges.networks))
        problem = f"is {text}, which is not inside the network {listed}"
        yield declared.refuse("network-range", place, problem, _SUBNET)
    pods = ranges.pods if not declared.has("networking.amazonVPC") else None
    for other, name in ((pods, "podCIDR"), (ranges.services, "serviceClusterIPRange")):
        if other is not None and declared.since(28) and overlap(found, other):
            problem = f"is {text}, which overlaps {name} {other}"
            yield declared.refuse("network-range", place, problem, _SUBNET)


def _ipv6_range(declared: Declared, path: str, ranges: Ranges) -> Iterator[Violation]:
    place = f"{path}.ipv6CIDR"
    text = declared.text(place)
    if not text or not declared.since(22):
        return
    source = "validation.go, validateIPv6CIDR"
    problem = None
    if cloud_of(declared) not in ("", "aws"):
        problem = "must not be set: only AWS has it"
        yield declared.refuse("network-range", place, problem, _SUBNETS)
    if text.startswith("/"):
        notation = _IPV6_NOTATION.fullmatch(text)
        if notation is None or int(notation[1]) > 128:
            problem = f"is {quoted(text)}, and must be written like /64#0"
            yield declared.refuse("network-range", place, problem, source)
        return
    problem = cidr(text)
    if problem is None and not is_ipv6(text):
        problem = f"is {text}, which is no IPv6 range"
    found = network(text)
    if problem is None and found and ranges.services:
        if overlap(found, ranges.services):
            problem = f"is {text}, which overlaps serviceClusterIPRange"
    if problem is not None:
        yield declared.refuse("network-range", place, problem, source)


def _type_of(declared: Declared, path: str) -> Iterator[Violation]:
    place = f"{path}.type"
    text = declared.text(place)
    if text not in _SUBNET_TYPES:
        if declared.since(18):
            kind = "missing-field" if not text else "unsupported-value"
            problem = f"is {quoted(text)}" if text else "is missing"
            listed = ", ".join(_SUBNET_TYPES)
            problem += f", and kops takes {listed}"
            folded = {known.lower(): known for known in _SUBNET_TYPES}
            near = folded.get(text.lower())
            hint = f"write {near}" if near else ""
            yield declared.refuse(kind, place, problem, _SUBNET, hint=hint)
        return
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))
    if text == "DualStack" and not ipv6 and declared.since(24):
        problem = "is DualStack, and only IPv6 clusters may have that"
        yield declared.refuse("network-range", place, problem, _SUBNET)
    router = "cloudProvider.openstack.router.externalNetwork"
    is_public = text == "Public" and cloud_of(declared) == "openstack"
    if is_public and not declared.has(router) and declared.since(27):
        problem = "is Public, and that needs an external network of the router"
        yield declared.refuse("network-range", place, problem, _SUBNET)


def _egress(declared: Declared, path: str) -> Iterator[Violation]:
    place = f"{path}.egress"
    text = declared.text(place)
    if not text:
        return
    if text.partition("-")[0] not in _EGRESS:
        problem = (
            f"is {quoted(text)}, and must be a NAT gateway, an Elastic IP, a NAT "
            "instance, a transit gateway, or External"
        )
        yield declared.refuse("network-range", place, problem, _SUBNET)
    kind = declared.text(f"{path}.type")
    allowed = kind in ("Private", "DualStack") or (
        kind == "Public" and declared.text(f"{path}.ipv6CIDR") != ""
    )
    if text != "External" and not allowed:
        problem = "can be set only for private or IPv6-capable public subnets"
        yield declared.refuse("network-range", place, problem, _SUBNET)


def _routes(declared: Declared, path: str, ranges: Ranges) -> Iterator[Violation]:
    place = f"{path}.additionalRoutes"
    if cloud_of(declared) != "aws" or not declared.has(place) or not declared.since(24):
        return
    if declared.text(f"{path}.id"):
        problem = "cannot be added to a subnet that is shared"
        yield declared.refuse("network-range", place, problem, _SUBNET)
    elif declared.text(f"{path}.type") != "Private":
        problem = "can be added only to private subnets"
        yield declared.refuse("network-range", place, problem, _SUBNET)
    source = "aws.go, awsValidateAdditionalRoutes"
    taken = {str(n) for n in ranges.networks}
    for route in declared.each(place):
        target, text = declared.text(f"{route}.target"), declared.text(f"{route}.cidr")
        problem = None
        found = network(text)
        if not target.startswith(_TARGETS):
            problem = f"is {quoted(target)}, and must start with one of " + ", ".join(
                _TARGETS
            )
        elif target.startswith("pcx-") and found is not None:
            if any(_holds(n, found) for n in ranges.networks):
                problem = "is a peering connection for a part of the own network"
        if problem is not None:
            yield declared.refuse("cloud", f"{route}.target", problem, source)
        problem = cidr(text)
        if problem is None and text in taken:
            problem = f"repeats the range {text}"
        taken.add(text)
        if problem is not None:
            yield declared.refuse("network-range", f"{route}.cidr", problem, source)


def _holds(outer: Network, inner: Network) -> bool:
    same = outer.version == inner.version
    return same and inner.network_address in outer


def _together(declared: Declared, paths: tuple[str, ...]) -> Iterator[Violation]:
    names: set[str] = set()
    for path in paths:
        name = declared.text(f"{path}.name")
        if name and name in names:
            problem = f"repeats {name}: subnets have different names"
            yield declared.refuse("network-range", f"{path}.name", problem, _SUBNETS)
        names.add(name)
    given = [declared.text(f"{path}.id") != "" for path in paths]
    for path, has_id in zip(paths, given, strict=True):
        if has_id != given[0]:
            problem = "must be set for all subnets or for none"
            yield declared.refuse("network-range", f"{path}.id", problem, _SUBNETS)
    if regions_demanded(declared):
        region = ""
        for path in paths:
            place = f"{path}.region"
            here = declared.text(place)
            region = region or here
            if not here:
                yield declared.refuse("missing-field", place, "is missing", _SUBNETS)
            elif here != region:
                problem = f"is {here}, and clusters cannot span regions ({region})"
                yield declared.refuse("network-range", place, problem, _SUBNETS)
    yield from _zones(declared, paths)


def _zones(declared: Declared, paths: tuple[str, ...]) -> Iterator[Violation]:
    """The zones of AWS subnets: all in one region.

    Source: kops upup/pkg/fi/cloudup/awsup/aws_utils.go, FindRegion.
    """
    if cloud_of(declared) != "aws":
        return
    source = "upup/pkg/fi/cloudup/awsup/aws_utils.go, FindRegion"
    region = ""
    for path in paths:
        place = f"{path}.zone"
        zone = declared.text(place)
        if not zone:
            if not declared.text(f"{path}.id"):
                problem = "is missing: a subnet needs a zone or the id of its own"
                yield declared.refuse("missing-field", place, problem, source)
            continue
        if len(zone) <= 2:
            problem = f"is {quoted(zone)}, which is no AWS zone"
            yield declared.refuse("network-range", place, problem, source)
            continue
        region = region or zone[:-1]
        if zone[:-1] != region:
            problem = f"is {zone}, and clusters cannot span regions ({region})"
            yield declared.refuse("network-range", place, problem, source)
