"""Network ranges of a Cluster: readable, inside and apart of each other.

Source: kops pkg/apis/kops/validation/validation.go, validateNetworking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of, demands_of
from kopslint.kops.validation.values import (
    Network,
    belongs,
    cidr,
    network,
    overlap,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Violation

_NET = "validation.go, validateNetworking"
_PRIVATE = tuple(
    found
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    if (found := network(text)) is not None
)


class Ranges:
    """The ranges of a Cluster that could be read."""

    def __init__(self, declared: Declared) -> None:
        def read(path: str) -> Network | None:
            return network(declared.text(path))

        paths = ["networking.networkCIDR"]
        paths += declared.each("networking.additionalNetworkCIDRs")
        self.networks: tuple[Network, ...] = tuple(
            found for path in paths if (found := read(path)) is not None
        )
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
        yield from readable(declared, path)
        yield from _private(declared, path)
    extra = "networking.additionalNetworkCIDRs"
    if demands.one_network_cidr and declared.count(extra) and cloud_of(declared):
        if declared.since(27):
            problem = f"must not be set: {cloud_of(declared)} does not support it"
            yield declared.refuse("network-range", extra, problem, _NET)
    else:
        for item in declared.each(extra):
            yield from readable(declared, item)
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
    yield from readable(declared, path)
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
            yield from readable(declared, path)
        elif text and found is None:
            problem = f"is {quoted(text)}, which is no network range"
            yield declared.refuse("network-range", path, problem, source)
        if outer and found and declared.since(since) and not belongs(outer, found):
            problem = f"is {text}, which is not inside nonMasqueradeCIDR {outer}"
            yield declared.refuse("network-range", path, problem, source)
    yield from readable(declared, "networking.serviceClusterIPRange")


def readable(declared: Declared, path: str) -> Iterator[Violation]:
    """Whether the range at ``path`` can be read, if there is one."""
    text = declared.text(path)
    problem = cidr(text) if text else None
    if not declared.since(18) and network(text) is not None:
        problem = None
    if problem is not None:
        source = "validation.go, parseCIDR"
        yield declared.refuse("network-range", path, problem, source)
