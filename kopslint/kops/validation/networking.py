"""The networking of pods: one option, and what each option demands of the rest.

Source: kops pkg/apis/kops/validation/validation.go, validateNetworking and the
functions per option.
"""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of, demands_of, regions_demanded
from kopslint.kops.validation.values import (
    Network,
    belongs,
    cidr,
    holds,
    is_ip,
    is_ipv6,
    network,
    overlap,
    quoted,
    semver,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import FieldKind, Rejection
    from kopslint.kops.validation.declared import Declared


OPTIONS = (
    "amazonVPC",
    "calico",
    "cilium",
    "classic",
    "cni",
    "external",
    "flannel",
    "gcp",
    "kindnet",
    "kopeio",
    "kubeRouter",
    "kubenet",
    "lyftvpc",
    "romana",
    "weave",
)
_NET = "networking."
_CALICO = "networking.calico"
_CILIUM = "networking.cilium"
_CILIUM_SOURCE = "validation.go, validateNetworkingCilium"
_CALICO_SOURCE = "validation.go, validateNetworkingCalico"
# The one minor of Cilium that each minor of kops installs.
_CILIUM_MINORS = {26: 12, 27: 12, 28: 13, 29: 15, 30: 15, 31: 16, 32: 16, 33: 16}
_CILIUM_NEWEST = 18
# Before, several; 1.25 takes 1.11, and of others what has 5 for its patch or more.
_CILIUM_RANGES = {20: (6, 9), 21: (6, 10), 22: (8, 10), 23: (8, 11), 24: (8, 11)}


def networking(declared: Declared) -> Iterator[Rejection]:
    """Exactly one option at most, and proxies that fit it."""
    chosen = [option for option in OPTIONS if declared.has(_NET + option)]
    if len(chosen) > 1 and declared.since(18):
        source = "validation.go, validateNetworking"
        listed = ", ".join(chosen)
        message = f"only one networking option is permitted, but there are {listed}"
        for option in chosen:
            one = declared.refuse("networking", _NET + option, "", source)
            yield one._replace(message=message)
    yield from _cloud_controller(declared)
    yield from _proxy(declared)
    yield from _kindnet(declared)
    if declared.has(_CILIUM):
        yield from _cilium(declared)
    if declared.has(_CALICO):
        yield from _calico(declared)


def _cloud_controller(declared: Declared) -> Iterator[Rejection]:
    """IPv6 needs the controllers of the cloud outside of Kubernetes.

    Since 1.29 nothing else is there.
    """
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))
    place = "cloudControllerManager"
    if not ipv6 or declared.has(place) or not declared.since(23):
        return
    if declared.until(28):
        problem = "is missing, but an IPv6 cluster needs it"
        source = "validation.go, validateClusterSpec"
        yield declared.refuse("missing-field", place, problem, source)


def _proxy(declared: Declared) -> Iterator[Rejection]:
    """The options that replace kube-proxy, beside a kube-proxy that is on."""
    if not declared.has("kubeProxy") or declared.flag("kubeProxy.enabled") is False:
        return
    for applies, name, source, since in (
        (
            declared.has("networking.kubeRouter"),
            "kube-router",
            "validation.go, validateNetworking",
            19,
        ),
        (
            declared.flag(f"{_CILIUM}.enableNodePort") is True,
            "Cilium with enableNodePort",
            _CILIUM_SOURCE,
            18,
        ),
        (
            declared.flag(f"{_CALICO}.bpfEnabled") is True,
            "Calico with bpfEnabled",
            _CALICO_SOURCE,
            19,
        ),
    ):
        if applies and declared.since(since):
            problem = f"must be false: {name} replaces kube-proxy"
            yield declared.refuse("networking", "kubeProxy.enabled", problem, source)


def _kindnet(declared: Declared) -> Iterator[Rejection]:
    base = "networking.kindnet.masquerade"
    if declared.flag(f"{base}.enabled") is not True:
        return
    for path in declared.each(f"{base}.nonMasqueradeCIDRs"):
        text = declared.text(path)
        if text and network(text) is None:
            problem = f"is {quoted(text)}, which is not a network range"
            source = "validation.go, validateNetworkingKindnet"
            yield declared.refuse("network-range", path, problem, source)


def _cilium(declared: Declared) -> Iterator[Rejection]:
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))
    yield from _cilium_version(declared)

    def refuse(field: str, problem: str) -> Rejection:
        place = f"{_CILIUM}.{field}"
        return declared.refuse("networking", place, problem, _CILIUM_SOURCE)

    managed = declared.flag(f"{_CILIUM}.etcdManaged") is True
    mode = declared.text(f"{_CILIUM}.identityAllocationMode")
    if mode == "kvstore" and not managed and declared.since(22):
        yield refuse("identityAllocationMode", "kvstore needs etcdManaged: true")
    names = [declared.text(f"{e}.name") for e in declared.each("etcdClusters")]
    if managed and "cilium" not in names and declared.since(18):
        problem = "needs an etcd cluster called cilium in spec.etcdClusters"
        yield refuse("etcdManaged", problem)
    host_only = declared.flag(f"{_CILIUM}.bpfLBSockHostNSOnly") is True
    if host_only and not declared.flag(f"{_CILIUM}.bpfLBSock") and declared.since(34):
        yield refuse("bpfLBSockHostNSOnly", "needs bpfLBSock: true")
    encryption = declared.flag(f"{_CILIUM}.enableEncryption") is True
    kind = declared.text(f"{_CILIUM}.encryptionType")
    if kind and not encryption and declared.since(26):
        yield refuse("encryptionType", "needs enableEncryption: true")
    wireguard = kind == "wireguard" and declared.since(22) and declared.until(28)
    if wireguard and declared.flag(f"{_CILIUM}.enableL7Proxy"):
        yield refuse("enableL7Proxy", "must not be true beside WireGuard")
    rules_off = _no_iptables_rules(declared)
    proxy = declared.flag(f"{_CILIUM}.enableL7Proxy")
    if rules_off and declared.since(23):
        if proxy is True:
            yield refuse("enableL7Proxy", "needs the iptables rules to be installed")
        elif proxy is None and declared.since(24):
            # kops turns the L7 proxy on when it completes the spec.
            place = f"{_CILIUM}.enableL7Proxy"
            problem = "must be false if the iptables rules are not installed"
            source = "pkg/model/components/cilium.go, BuildOptions"
            yield declared.refuse("networking", place, problem, source, at="update")
    if declared.text(f"{_CILIUM}.ipam") == "eni":
        if cloud_of(declared) not in ("", "aws"):
            yield refuse("ipam", "eni is supported only on AWS")
        if ipv6 and declared.since(22):
            yield refuse("ipam", "eni does not support IPv6")
        yield from _masquerade(declared)
    mode = declared.text(f"{_CILIUM}.ingress.defaultLoadBalancerMode")
    on = declared.flag(f"{_CILIUM}.ingress.enabled") is True
    if on and mode not in ("", "shared", "dedicated") and declared.since(29):
        place = f"{_CILIUM}.ingress.defaultLoadBalancerMode"
        problem = f"is {quoted(mode)}; kops accepts shared, dedicated"
        yield declared.refuse("unsupported-value", place, problem, _CILIUM_SOURCE)


def _masquerade(declared: Declared) -> Iterator[Rejection]:
    """What ENI asks of masquerading; v1alpha2 has it the other way round.

    It had to be off, then on, and is free since 1.36.
    """
    field, on = "masquerade", declared.flag(f"{_CILIUM}.masquerade")
    if declared.version == "v1alpha2":
        field = "disableMasquerade"
        off = declared.flag(f"{_CILIUM}.{field}")
        on = None if off is None else not off
    problem = None
    if on is True and declared.since(22) and declared.until(25):
        problem = "must not turn masquerading on for ENI"
    elif on is False and declared.since(26) and declared.until(35):
        problem = "must not turn masquerading off for ENI"
    if problem is not None:
        place = f"{_CILIUM}.{field}"
        yield declared.refuse("networking", place, problem, _CILIUM_SOURCE)


def _no_iptables_rules(declared: Declared) -> bool:
    """Whether Cilium is told to install no rules; v1alpha2 has it the other way."""
    if declared.version == "v1alpha2":
        return declared.flag(f"{_CILIUM}.IPTablesRulesNoinstall") is True
    return declared.flag(f"{_CILIUM}.installIptablesRules") is False


def _cilium_version(declared: Declared) -> Iterator[Rejection]:
    place = f"{_CILIUM}.version"
    text = declared.text(place)
    if not text or not declared.since(20):
        return
    version = semver(text.removeprefix("v"))
    problem = None
    if not text.startswith("v"):
        problem = f"is {quoted(text)}, and must start with v"
    elif version is None:
        problem = f"is {quoted(text)}, which is not a version"
    elif declared.since(26):
        minor = _CILIUM_MINORS.get(declared.kops, _CILIUM_NEWEST)
        if version[1] != minor:
            problem = f"is {text}, but kops supports only 1.{minor}"
    elif declared.newest in _CILIUM_RANGES:
        first, last = _CILIUM_RANGES[declared.newest]
        if not first <= version[1] <= last:
            problem = f"is {text}, but kops supports 1.{first} to 1.{last}"
    elif declared.newest == 25 and version[1] != 11 and version[2] < 5:
        problem = f"is {text}, but kops supports 1.11.5 and newer"
    if problem is not None:
        yield declared.refuse("version", place, problem, _CILIUM_SOURCE)
    hubble = declared.flag(f"{_CILIUM}.hubble.enabled") is True
    if hubble and not declared.flag("certManager.enabled"):
        place = f"{_CILIUM}.hubble.enabled"
        problem = "needs certManager.enabled: true"
        yield declared.refuse("addon", place, problem, _CILIUM_SOURCE)


def _calico(declared: Declared) -> Iterator[Rejection]:
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))

    def refuse(field: str, problem: str) -> Rejection:
        place = f"{_CALICO}.{field}"
        return declared.refuse("networking", place, problem, _CALICO_SOURCE)

    check = declared.text(f"{_CALICO}.awsSrcDstCheck")
    if ipv6 and check in ("Enable", "Disable") and declared.since(26):
        yield refuse("awsSrcDstCheck", "must be DoNothing for an IPv6 cluster")
    mode = declared.text(f"{_CALICO}.encapsulationMode")
    if mode and declared.since(23):
        if mode != "none" and ipv6:
            yield refuse("encapsulationMode", "must be none for an IPv6 cluster")
        elif mode == "none" and not ipv6:
            yield refuse("encapsulationMode", "can be none only for IPv6 clusters")
    if (
        mode
        and mode != "vxlan"
        and cloud_of(declared) == "azure"
        and declared.since(35)
    ):
        yield refuse("encapsulationMode", "must be vxlan on Azure")
    for field, wanted, since in (("ipipMode", "ipip", 19), ("vxlanMode", "vxlan", 22)):
        value = declared.text(f"{_CALICO}.{field}")
        other = mode not in ("", wanted)
        if value not in ("", "Never") and other and declared.since(since):
            yield refuse(field, f"needs encapsulationMode: {wanted}")
    for version in (4, 6):
        field = f"ipv{version}AutoDetectionMethod"
        text = declared.text(f"{_CALICO}.{field}")
        problem = _detection(text, version) if text and declared.since(19) else None
        if problem is not None:
            yield declared.refuse(
                "networking",
                f"{_CALICO}.{field}",
                problem,
                "validation.go, validateCalicoAutoDetectionMethod",
            )


def _detection(text: str, version: int) -> str | None:
    """What is wrong about a way to find the address of a node, if anything."""
    method, *rest = text.split("=")
    if len(rest) > 1:
        return f"is {quoted(text)}, which has more than one ="
    if method == "first-found":
        return None
    if method not in ("can-reach", "interface", "skip-interface"):
        return f"is {quoted(text)}, which is not an address detection method"
    # Where nothing follows, kops itself stops with a panic.
    if not rest or not rest[0]:
        return f"is {quoted(text)}, but needs a value after {method}="
    if method == "can-reach":
        fits = is_ip(rest[0]) and ip_address(rest[0]).version == version
        return (
            None if fits else f"is {quoted(text)}, which is not an IPv{version} address"
        )
    for expression in re.split(r"\s*,\s*", rest[0]):
        try:
            re.compile(expression)
        except re.error:
            return f"is {quoted(text)}, and {expression} is not a regular expression"
    return None


# ------------------------------------------------------------------------------------
# Network ranges of a Cluster: readable, inside and apart of each other
#
# Source: kops pkg/apis/kops/validation/validation.go, validateNetworking.

_NETWORKING = "validation.go, validateNetworking"
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


def networks(declared: Declared) -> Iterator[Rejection]:
    """The ranges of the cluster as a whole."""
    demands = demands_of(cloud_of(declared))
    ranges = Ranges(declared)
    text = declared.text("networking.networkCIDR")
    path = "networking.networkCIDR"
    if text and demands.no_network_cidr:
        if declared.since(20):
            problem = "must not be set: GCE networks have no range"
            yield declared.refuse("network-range", path, problem, _NETWORKING)
    elif text:
        yield from readable(declared, path)
        yield from _private(declared, path)
    extra = "networking.additionalNetworkCIDRs"
    if demands.one_network_cidr and declared.count(extra) and cloud_of(declared):
        if declared.since(27):
            problem = f"must not be set: {cloud_of(declared)} does not support it"
            yield declared.refuse("network-range", extra, problem, _NETWORKING)
    else:
        for item in declared.each(extra):
            yield from readable(declared, item)
    yield from _non_masquerade(declared, ranges)
    yield from _inside_non_masquerade(declared, ranges)


def _private(declared: Declared, path: str) -> Iterator[Rejection]:
    here, found = cloud_of(declared), network(declared.text(path))
    if here not in ("do", "linode") or not declared.since(27) or found is None:
        return
    if not any(belongs(range_, found) for range_ in _PRIVATE):
        problem = f"is {declared.text(path)}, which is not a private range"
        yield declared.refuse("network-range", path, problem, _NETWORKING)
    if declared.text("networking.networkID"):
        problem = f"must not be set together with networkID on {here}"
        yield declared.refuse("network-range", path, problem, _NETWORKING)


def _non_masquerade(declared: Declared, ranges: Ranges) -> Iterator[Rejection]:
    path = "networking.nonMasqueradeCIDR"
    text = declared.text(path)
    yield from readable(declared, path)
    if ":" in text and text != "::/0" and declared.since(23):
        problem = f"is {quoted(text)}, but an IPv6 cluster must have ::/0"
        yield declared.refuse("network-range", path, problem, _NETWORKING)
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
            yield declared.refuse("network-range", path, problem, _NETWORKING)


def _inside_non_masquerade(declared: Declared, ranges: Ranges) -> Iterator[Rejection]:
    outer = ranges.non_masquerade
    # The cluster CIDR is read with bits outside of its prefix, the others are not.
    for path, found, source, since in (
        ("networking.podCIDR", ranges.pods, _NETWORKING, 28),
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
            problem = f"is {quoted(text)}, which is not a network range"
            yield declared.refuse("network-range", path, problem, source)
        if outer and found and declared.since(since) and not belongs(outer, found):
            problem = f"is {text}, which is not inside nonMasqueradeCIDR {outer}"
            yield declared.refuse("network-range", path, problem, source)
    place = "networking.serviceClusterIPRange"
    yield from readable(declared, place)
    # kops no longer asks since 1.28; on GCE it did not before.
    found = ranges.services
    inside = outer is None or found is None or belongs(outer, found)
    if not inside and _asks_for_services(declared) and declared.until(27):
        problem = f"is {found}, which is not inside nonMasqueradeCIDR {outer}"
        yield declared.refuse("network-range", place, problem, _NETWORKING)


def _asks_for_services(declared: Declared) -> bool:
    """Whether the services must be inside what is not masqueraded, before 1.28."""
    if declared.has("networking.gcp"):
        return False
    return cloud_of(declared) != "gce" or not declared.since(27)


def readable(declared: Declared, path: str) -> Iterator[Rejection]:
    """Whether the range at ``path`` can be read, if there is one."""
    text = declared.text(path)
    problem = cidr(text) if text else None
    if not declared.since(18) and network(text) is not None:
        problem = None
    if problem is not None:
        source = "validation.go, parseCIDR"
        yield declared.refuse("network-range", path, problem, source)


# ------------------------------------------------------------------------------------
# Subnets of a Cluster: each of them, and all beside each other
#
# Source: kops pkg/apis/kops/validation/validation.go, validateSubnets and
# validateSubnet.

_SUBNETS = "validation.go, validateSubnets"
_SUBNET = "validation.go, validateSubnet"
_TYPES = ("Public", "Private", "DualStack", "Utility")
_EGRESS = ("nat", "eipalloc", "i", "tgw", "External")
_IPV6_NOTATION = r"/(\d+)#([a-f0-9]+)"
_ZONE = re.compile(r"[a-z]+(-[a-z]+)+-\d+[a-z]")
_TARGETS = ("pcx-", "i-", "nat-", "tgw-", "igw-", "eigw-")


def subnets(declared: Declared) -> Iterator[Rejection]:
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


def _range_of(declared: Declared, path: str, ranges: Ranges) -> Iterator[Rejection]:
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


def _ipv6_range(declared: Declared, path: str, ranges: Ranges) -> Iterator[Rejection]:
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
            problem = f"is {quoted(text)}, but must be written like /64#0"
            yield declared.refuse("network-range", place, problem, source)
        return
    problem = cidr(text)
    if problem is None and not is_ipv6(text):
        problem = f"is {text}, which is not an IPv6 range"
    found = network(text)
    services = ranges.services
    if problem is None and found and services and overlap(found, services):
        problem = f"is {text}, which overlaps serviceClusterIPRange"
    if problem is not None:
        yield declared.refuse("network-range", place, problem, source)


def _type_of(declared: Declared, path: str) -> Iterator[Rejection]:
    place = f"{path}.type"
    text = declared.text(place)
    if text not in _TYPES:
        if declared.since(24):
            kind: FieldKind = "unsupported-value" if text else "missing-field"
            problem = f"is {quoted(text)}" if text else "is missing"
            listed = ", ".join(_TYPES)
            problem += f"; kops accepts {listed}"
            folded = {known.lower(): known for known in _TYPES}
            near = folded.get(text.lower())
            hint = f"write {near}" if near else ""
            yield declared.refuse(kind, place, problem, _SUBNET, hint=hint)
        return
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))
    if text == "DualStack" and not ipv6 and declared.since(24):
        problem = "is DualStack, which only IPv6 clusters may use"
        yield declared.refuse("network-range", place, problem, _SUBNET)
    router = "cloudProvider.openstack.router.externalNetwork"
    is_public = text == "Public" and cloud_of(declared) == "openstack"
    if is_public and not declared.has(router) and declared.since(27):
        problem = "is Public, which needs an external network of the router"
        yield declared.refuse("network-range", place, problem, _SUBNET)


def _egress(declared: Declared, path: str) -> Iterator[Rejection]:
    place = f"{path}.egress"
    text = declared.text(place)
    if not text:
        return
    if text.partition("-")[0] not in _EGRESS:
        problem = (
            f"is {quoted(text)}, but must be a NAT gateway, an Elastic IP, a NAT"
            " instance, a transit gateway, or External"
        )
        yield declared.refuse("network-range", place, problem, _SUBNET)
    kind = declared.text(f"{path}.type")
    allowed = kind in ("Private", "DualStack") or (
        kind == "Public" and declared.text(f"{path}.ipv6CIDR") != ""
    )
    if text != "External" and not allowed:
        problem = "can be set only for private or IPv6-capable public subnets"
        yield declared.refuse("network-range", place, problem, _SUBNET)


def _routes(declared: Declared, path: str, ranges: Ranges) -> Iterator[Rejection]:
    place = f"{path}.additionalRoutes"
    if cloud_of(declared) != "aws" or not declared.has(place) or not declared.since(24):
        return
    problem = None
    if declared.text(f"{path}.id"):
        problem = "cannot be added to a shared subnet"
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
            problem = "is a peering connection for part of the cluster's own network"
        if problem is not None:
            yield declared.refuse("cloud", f"{route}.target", problem, source)
        problem = cidr(text)
        if problem is None and text in taken:
            problem = f"repeats the range {text}"
        taken.add(text)
        if problem is not None:
            yield declared.refuse("network-range", f"{route}.cidr", problem, source)


def _together(declared: Declared, paths: tuple[str, ...]) -> Iterator[Rejection]:
    names: set[str] = set()
    for path in paths:
        name = declared.text(f"{path}.name")
        if name and name in names:
            problem = f"repeats {name}: subnet names must differ"
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
                problem = f"is {here}, but clusters cannot span regions ({region})"
                yield declared.refuse("network-range", place, problem, _SUBNETS)
    if cloud_of(declared) == "gce":
        yield from _egress_on_gce(declared, paths)
    yield from _zones(declared, paths)
    yield from _ways_out(declared, paths)


def _egress_on_gce(declared: Declared, paths: tuple[str, ...]) -> Iterator[Rejection]:
    """Private subnets on GCE that kops makes have a NAT of their own, or none."""
    for path in paths:
        place = f"{path}.egress"
        text, private = declared.text(place), declared.text(f"{path}.type")
        made = private in ("Private", "DualStack") and not declared.text(f"{path}.id")
        if made and text not in ("", "nat", "External") and declared.since(24):
            problem = f"is {quoted(text)}; kops accepts nat, External on GCE"
            source = "pkg/model/gcemodel/network.go, Build"
            yield declared.refuse("network-range", place, problem, source, at="update")


def _zones(declared: Declared, paths: tuple[str, ...]) -> Iterator[Rejection]:
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
                problem = "is missing: a subnet needs a zone or its own id"
                yield declared.refuse("missing-field", place, problem, source)
            continue
        # What is no name of a zone may stand for one, in an example or a template.
        if not _ZONE.fullmatch(zone):
            continue
        region = region or zone[:-1]
        if zone[:-1] != region:
            problem = f"is {zone}, but clusters cannot span regions ({region})"
            yield declared.refuse("network-range", place, problem, source)


def _ways_out(declared: Declared, paths: tuple[str, ...]) -> Iterator[Rejection]:
    """Private subnets of one zone on AWS share their way to the internet.

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
