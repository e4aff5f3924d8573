"""How the API of a cluster is reached: DNS, load balancer, issuer discovery.

Source: kops pkg/apis/kops/validation (validation.go, aws.go, legacy.go) and
upup/pkg/fi/cloudup/populate_cluster_spec.go.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING

from kopslint.kops.placeholders import holds_placeholder
from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import is_ip, network, one_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import AtCommand, Rejection
    from kopslint.kops.validation.declared import Declared

_TOPOLOGY = "validation.go, validateCloudDNSTopology"
_LB = "api.loadBalancer"
_DNS = "networking.topology.dns"

# Which kinds of DNS a cloud offers, beside None, which all of them do.
_DNS_OF = {
    "aws": ("Public", "Private"),
    "do": ("Public",),
    "gce": ("Public", "Private"),
    "openstack": ("Public", "Private"),
    "scaleway": ("Public",),
}
# Stores that are S3 to kops, by another name: those of other clouds.
_LIKE_S3 = ("s3", "do", "linode", "hos", "scw")
# Where the load balancer is built by its type. Source: kops pkg/model; the models of
# OpenStack and Hetzner do not look at it.
_LOOK = ("aws", "azure", "do", "gce", "scaleway")
_class = one_of("Network", empty=True)


def dns_type(declared: Declared) -> str:
    """The DNS type of the cluster; Public if it names none."""
    return declared.text(_DNS) or "Public"


def dns(declared: Declared) -> Iterator[Rejection]:
    """Whether the cloud offers the DNS that the cluster wants.

    A file that says nothing of it wants public DNS.
    """
    here, kind = cloud_of(declared), dns_type(declared)
    if not here or kind not in ("Public", "Private", "None"):
        return
    local = str(declared.metadata("name") or "").rstrip(".").endswith(".k8s.local")
    if kind != "None" and local:
        if declared.since(37):
            problem = (
                "must be None: the name ends in .k8s.local, and gossip DNS was "
                "removed in kops 1.37"
            )
            yield declared.refuse("api-or-dns", _DNS, problem, _TOPOLOGY)
    elif kind != "None" and kind not in _DNS_OF.get(here, ()) and declared.since(36):
        problem = f"is {kind}, which {here} does not offer"
        yield declared.refuse("api-or-dns", _DNS, problem, _TOPOLOGY)


def load_balancer(declared: Declared) -> Iterator[Rejection]:
    """The load balancer of the API."""
    if not declared.has(_LB):
        return
    kind = declared.text(f"{_LB}.type")
    types = [declared.text(f"{s}.type") for s in declared.each("networking.subnets")]
    if kind == "Internal" and "Private" not in types and declared.since(25):
        problem = "is Internal, which needs at least one Private subnet"
        source = "validation.go, validateClusterSpec"
        yield declared.refuse("api-or-dns", f"{_LB}.type", problem, source)
    elif kind == "Internal" and _without_subnet(declared, types):
        # An older kops finds no subnet to put the load balancer in.
        problem = "is Internal, which needs at least one Private subnet"
        source = "upup/pkg/fi/cloudup/awstasks/network_load_balancer.go, CheckChanges"
        yield declared.refuse("api-or-dns", f"{_LB}.type", problem, source, at="update")
    elif kind not in ("", "Public", "Internal") and cloud_of(declared) in _LOOK:
        near = {"public": "Public", "internal": "Internal"}.get(kind.lower())
        yield declared.refuse(
            "unsupported-value",
            f"{_LB}.type",
            f"is {quoted(kind)}; kops accepts Public, Internal",
            "pkg/model, api_loadbalancer.go of each cloud, Build",
            at="update",
            hint=f"write {near}" if near else "",
        )
    if kind == "Internal" and cloud_of(declared) == "scaleway":
        problem = "cannot be Internal on Scaleway"
        source = "pkg/model/scalewaymodel/api_loadbalancer.go, Build"
        place = f"{_LB}.type"
        yield declared.refuse("api-or-dns", place, problem, source, at="update")
    if cloud_of(declared) == "aws":
        yield from _aws(declared)


def _without_subnet(declared: Declared, types: list[str]) -> bool:
    """Whether AWS has no subnet for an internal load balancer, and none is named.

    Source: kops pkg/model/awsmodel/api_loadbalancer.go, Build.
    """
    fit = {"Private", "DualStack"}.intersection(types) or declared.count(
        f"{_LB}.subnets"
    )
    is_open = any(map(holds_placeholder, types))
    return cloud_of(declared) == "aws" and not fit and bool(types) and not is_open


def _aws(declared: Declared) -> Iterator[Rejection]:
    place, kind = f"{_LB}.class", declared.text(f"{_LB}.class")
    source = "aws.go, awsValidateCluster"
    classic = (
        "the Classic load balancer is no longer supported since kops 1.37; write "
        "class: Network"
    )
    if kind == "Classic" and declared.since(37):
        problem = f"must not be Classic: {classic}"
        yield declared.refuse("api-or-dns", place, problem, source)
    elif not kind and declared.since(37):
        fills = "upup/pkg/fi/cloudup/populate_cluster_spec.go, run"
        problem = f"is missing, which means Classic: {classic}"
        if dns_type(declared) != "None":
            yield declared.refuse("api-or-dns", place, problem, fills, at="update")
    elif kind != "Classic" and declared.since(19):
        wrong = _class(kind)
        if wrong is not None:
            yield declared.refuse("unsupported-value", place, wrong, source)
    if dns_type(declared) == "None" and kind != "Network" and declared.since(26):
        problem = "must be Network if topology.dns is None"
        yield declared.refuse(
            "api-or-dns", place, problem, "aws.go, awsValidateTopologyDNS"
        )
    yield from _security_groups(declared)
    yield from _certificate(declared, kind)
    internal = declared.text(f"{_LB}.type") == "Internal"
    same = declared.flag(f"{_LB}.useForInternalAPI") is True
    if kind == "Network" and internal and same and declared.since(26):
        problem = "must not be true for an internal network load balancer"
        place = f"{_LB}.useForInternalAPI"
        yield declared.refuse("api-or-dns", place, problem, source)
    for path in declared.each(f"{_LB}.subnets"):
        if declared.since(20):
            yield from _subnet(declared, path, kind == "Network", internal)


def _security_groups(declared: Declared) -> Iterator[Rejection]:
    yield from security_groups(declared, f"{_LB}.additionalSecurityGroups", "create")
    place = f"{_LB}.securityGroupOverride"
    text = declared.text(place)
    if declared.has(place) and not text.startswith("sg-") and declared.since(27):
        problem = f"is {quoted(text)}, but must be a security group sg-..."
        source = "aws.go, awsValidateSecurityGroupOverride"
        yield declared.refuse("cloud", place, problem, source)
    network_class = declared.text(f"{_LB}.class") == "Network"
    held = declared.since(27) and declared.until(31)
    if text.startswith("sg-") and network_class and held:
        problem = "must not be set for a load balancer of class Network"
        source = "aws.go, awsValidateSecurityGroupOverride"
        yield declared.refuse("cloud", place, problem, source)


def security_groups(
    declared: Declared, field: str, at: AtCommand
) -> Iterator[Rejection]:
    """A list of AWS security groups: written as such, each once."""
    source = "aws.go, awsValidateAdditionalSecurityGroups"
    seen: set[str] = set()
    for path in declared.each(field):
        text = declared.text(path)
        problem = None
        if text in seen:
            problem = f"repeats {text}"
        elif not text.startswith("sg-"):
            problem = f"is {quoted(text)}, but must be a security group sg-..."
        seen.add(text)
        if problem is not None:
            yield declared.refuse("cloud", path, problem, source, at=at)


def _certificate(declared: Declared, kind: str) -> Iterator[Rejection]:
    certificate = declared.text(f"{_LB}.sslCertificate")
    asks = declared.since(24) or (declared.since(19) and declared.runs(19))
    if certificate and kind != "Network" and asks:
        problem = "requires a load balancer of class Network"
        place = f"{_LB}.sslCertificate"
        source = "aws.go, awsValidateCluster"
        yield declared.refuse("api-or-dns", place, problem, source)
    place = f"{_LB}.sslPolicy"
    if declared.has(place) and declared.since(19):
        source = "aws.go, awsValidateSSLPolicy"
        if kind != "Network":
            problem = "requires a load balancer of class Network"
            yield declared.refuse("api-or-dns", place, problem, source)
        if not certificate:
            problem = "requires an sslCertificate"
            yield declared.refuse("api-or-dns", place, problem, source)


def _subnet(
    declared: Declared, path: str, is_network: bool, internal: bool
) -> Iterator[Rejection]:
    source = "aws.go, awsValidateLoadBalancerSubnets"
    name = declared.text(f"{path}.name")
    ranges = {
        declared.text(f"{s}.name"): declared.text(f"{s}.cidr")
        for s in declared.each("networking.subnets")
    }
    if not name:
        place = f"{path}.name"
        yield declared.refuse("missing-field", place, "is missing", source)
    elif name not in ranges:
        problem = f"is {quoted(name)}, which is not a subnet of the cluster"
        yield declared.refuse("api-or-dns", f"{path}.name", problem, source)
    place = f"{path}.privateIPv4Address"
    if declared.has(place):
        text = declared.text(place)
        address = ip_address(text) if is_ip(text) else None
        range_ = network(ranges.get(name, ""))
        if not isinstance(address, IPv4Address):
            problem = f"is {quoted(text)}, which is not an IPv4 address"
            yield declared.refuse("network-range", place, problem, source)
        elif range_ is not None and address not in range_:
            problem = f"is {text}, which is not in the subnet's range {range_}"
            yield declared.refuse("network-range", place, problem, source)
        if not (is_network and internal):
            problem = "is only for internal network load balancers"
            yield declared.refuse("api-or-dns", place, problem, source)
    place = f"{path}.allocationID"
    if declared.has(place):
        if not declared.text(place):
            yield declared.refuse("api-or-dns", place, "is empty", source)
        if not is_network or internal:
            problem = "is only for public network load balancers"
            yield declared.refuse("api-or-dns", place, problem, source)


def issuer_discovery(declared: Declared) -> Iterator[Rejection]:
    """Where service account issuers are published.

    Source: kops pkg/apis/kops/validation/legacy.go,
    validateServiceAccountIssuerDiscovery.
    """
    source = "legacy.go, validateServiceAccountIssuerDiscovery"
    base = "serviceAccountIssuerDiscovery"
    store, service = f"{base}.discoveryStore", f"{base}.discoveryService"
    text = declared.text(store)
    if text and declared.since(21):
        problem = None
        scheme, _, rest = text.partition("://")
        bucket = rest.partition("/")[0]
        if scheme in _LIKE_S3:
            if "." in bucket and declared.since(25):
                problem = f"is {quoted(text)}, but the bucket's name must have no dots"
            elif not bucket:
                problem = f"is {quoted(text)}, which names no bucket"
        elif scheme not in ("gs", "memfs"):
            problem = f"is {quoted(text)}, but must be an s3:// or gs:// path"
        if problem is not None:
            yield declared.refuse("api-or-dns", store, problem, source)
    place = f"{base}.enableAWSOIDCProvider"
    if declared.flag(place) and not text and not declared.has(service):
        problem = "needs a discoveryStore or a discoveryService"
        if not declared.since(35):
            problem = "needs a discoveryStore"
        if declared.since(22):
            yield declared.refuse("api-or-dns", place, problem, source)
    if not declared.since(35):
        return
    if text and declared.has(service):
        problem = "and discoveryService must not both be set"
        yield declared.refuse("api-or-dns", store, problem, source)
    if declared.has(service) and not declared.text(f"{service}.url"):
        place = f"{service}.url"
        yield declared.refuse("missing-field", place, "is missing", source)
