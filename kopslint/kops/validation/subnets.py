"""Subnets of a Cluster: each of them, and all beside each other.

Source: kops pkg/apis/kops/validation/validation.go, validateSubnets and validateSubnet.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of, regions_demanded
from kopslint.kops.validation.networks import Ranges, readable
from kopslint.kops.validation.values import (
    belongs,
    cidr,
    holds,
    is_ipv6,
    network,
    overlap,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Kind, Violation

_SUBNETS = "validation.go, validateSubnets"
_SUBNET = "validation.go, validateSubnet"
_TYPES = ("Public", "Private", "DualStack", "Utility")
_EGRESS = ("nat", "eipalloc", "i", "tgw", "External")
_IPV6_NOTATION = r"/(\d+)#([a-f0-9]+)"
_ZONE = re.compile(r"[a-z]+(-[a-z]+)+-\d+[a-z]")
_TARGETS = ("pcx-", "i-", "nat-", "tgw-", "igw-", "eigw-")


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
    yield from readable(declared, place)
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
        notation = re.fullmatch(_IPV6_NOTATION, text)
        if notation is None or int(notation[1]) > 128:
            problem = f"is {quoted(text)}, and must be written like /64#0"
            yield declared.refuse("network-range", place, problem, source)
        return
    problem = cidr(text)
    if problem is None and not is_ipv6(text):
        problem = f"is {text}, which is no IPv6 range"
    found = network(text)
    services = ranges.services
    if problem is None and found and services and overlap(found, services):
        problem = f"is {text}, which overlaps serviceClusterIPRange"
    if problem is not None:
        yield declared.refuse("network-range", place, problem, source)


def _type_of(declared: Declared, path: str) -> Iterator[Violation]:
    place = f"{path}.type"
    text = declared.text(place)
    if text not in _TYPES:
        if declared.since(18):
            kind: Kind = "unsupported-value" if text else "missing-field"
            problem = f"is {quoted(text)}" if text else "is missing"
            listed = ", ".join(_TYPES)
            problem += f", and kops takes {listed}"
            folded = {known.lower(): known for known in _TYPES}
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
    problem = None
    if declared.text(f"{path}.id"):
        problem = "cannot be added to a subnet that is shared"
    elif declared.text(f"{path}.type") != "Private":
        problem = "can be added only to private subnets"
    if problem is not None:
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
        elif (
            target.startswith("pcx-")
            and found is not None
            and any(holds(n, found) for n in ranges.networks)
        ):
            problem = "is a peering connection for a part of the own network"
        if problem is not None:
            yield declared.refuse("cloud", f"{route}.target", problem, source)
        problem = cidr(text)
        if problem is None and text in taken:
            problem = f"repeats the range {text}"
        taken.add(text)
        if problem is not None:
            yield declared.refuse("network-range", f"{route}.cidr", problem, source)


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
    if cloud_of(declared) == "gce":
        yield from _egress_on_gce(declared, paths)
    yield from _zones(declared, paths)
    yield from _ways_out(declared, paths)


def _egress_on_gce(declared: Declared, paths: tuple[str, ...]) -> Iterator[Violation]:
    """Private subnets on GCE that kops makes have a NAT of their own, or none."""
    for path in paths:
        place = f"{path}.egress"
        text, private = declared.text(place), declared.text(f"{path}.type")
        made = private in ("Private", "DualStack") and not declared.text(f"{path}.id")
        if made and text not in ("", "nat", "External") and declared.since(24):
            problem = f"is {quoted(text)}, and kops takes nat, External on GCE"
            source = "pkg/model/gcemodel/network.go, Build"
            yield declared.refuse("network-range", place, problem, source, at="update")


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
        # What is no name of a zone may stand for one, in an example or a template.
        if not _ZONE.fullmatch(zone):
            continue
        region = region or zone[:-1]
        if zone[:-1] != region:
            problem = f"is {zone}, and clusters cannot span regions ({region})"
            yield declared.refuse("network-range", place, problem, source)


def _ways_out(declared: Declared, paths: tuple[str, ...]) -> Iterator[Violation]:
    """Private subnets of one zone on AWS share their way to the world.

    Source: kops pkg/model/awsmodel/network.go, Build.
    """
    if cloud_of(declared) != "aws":
        return
    source = "pkg/model/awsmodel/network.go, Build"
    first: dict[str, str] = {}
    utilities = Counter(
        declared.text(f"{path}.zone")
        for path in paths
        if declared.text(f"{path}.type") == "Utility"
    )
    for path in paths:
        zone = declared.text(f"{path}.zone")
        private = declared.text(f"{path}.type") in ("Private", "DualStack")
        external = declared.text(f"{path}.egress") == "External"
        if not private or external or not zone or declared.text(f"{path}.id"):
            continue
        same = first.setdefault(zone, path)
        # Where there are none at all, the file shows a part of the subnets.
        if same == path and utilities and utilities[zone] != 1:
            many = "has more than one Utility" if utilities[zone] else "has no Utility"
            problem = f"is {zone}, which {many} subnet for the way out of a private one"
            place = f"{path}.zone"
            yield declared.refuse("network-range", place, problem, source, at="update")
        for field in ("egress", "publicIP"):
            place = f"{path}.{field}"
            if declared.text(place) != declared.text(f"{same}.{field}"):
                problem = f"is not that of the other private subnets in {zone}"
                yield declared.refuse(
                    "network-range", place, problem, source, at="update"
                )
