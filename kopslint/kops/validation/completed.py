"""What kops refuses in a Cluster only after it has filled it in.

``kops update cluster`` completes the spec with defaults and validates it once more, so
that a field left out clashes with one that is written. Fields that are both written
stand in the module of their subject. Source: kops pkg/model/components, and
pkg/apis/kops/validation (validation.go and legacy.go) asked with ``strict``.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from kopslint.kops.releases import release
from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import (
    is_ip,
    is_ipv6,
    kubernetes_version,
    network,
    semver,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.validation.declared import Declared

_CILIUM = "networking.cilium"
_CALICO = "networking.calico"
_KUBELETS = ("kubelet", "controlPlaneKubelet")
_LEGACY = "legacy.go, ValidateCluster"
_CILIUM_SOURCE = "pkg/model/components/cilium.go, BuildOptions"
# The range of services that kops takes where the spec names none, since 1.28.
_SERVICES = "100.64.0.0/13"
_SERVICES_IPV6 = "fd00:5e4f:ce::/108"
_LOCAL = "169.254.20.10"
_LOCAL_IPV6 = "fd00:90de:d95::1"


def completed(declared: Declared) -> Iterator[Rejection]:
    """Everything that clashes with what kops fills in."""
    yield from _kube_proxy(declared)
    yield from _cilium(declared)
    yield from _calico(declared)
    yield from _etcd_versions(declared)
    if declared.since(28):
        yield from _dns(declared)


def _kube_proxy(declared: Declared) -> Iterator[Rejection]:
    """kube-proxy runs unless it is turned off, and some options replace it."""
    if declared.has("kubeProxy"):
        return
    for holds, name, since in (
        (declared.has("networking.kubeRouter"), "kube-router", 19),
        (
            declared.flag(f"{_CILIUM}.enableNodePort") is True,
            "Cilium with enableNodePort",
            18,
        ),
        (
            declared.flag(f"{_CALICO}.bpfEnabled") is True,
            "Calico with bpfEnabled",
            19,
        ),
    ):
        if holds and declared.since(since):
            yield declared.refuse(
                "networking",
                "kubeProxy.enabled",
                f"is missing, but must be false: {name} replaces kube-proxy",
                "pkg/model/components/kubeproxy.go, BuildOptions",
                at="update",
                hint="add kubeProxy: {enabled: false}",
            )


def _cilium(declared: Declared) -> Iterator[Rejection]:
    """Hubble and the ingress are on where they are written, unless turned off."""
    hubble = f"{_CILIUM}.hubble"
    # Where a version is written too, kops needs no completion to see the clash.
    seen = declared.text(f"{_CILIUM}.version") and declared.flag(f"{hubble}.enabled")
    on = declared.has(hubble) and declared.flag(f"{hubble}.enabled") is not False
    certificates = declared.flag("certManager.enabled") is True
    if on and not seen and not certificates and declared.since(28):
        problem = "needs certManager.enabled: true"
        yield declared.refuse("addon", hubble, problem, _CILIUM_SOURCE, at="update")
    mode = f"{_CILIUM}.ingress.defaultLoadBalancerMode"
    text = declared.text(mode)
    left_out = not declared.has(f"{_CILIUM}.ingress.enabled")
    if left_out and text not in ("", "shared", "dedicated") and declared.since(29):
        problem = f"is {text}; kops accepts shared, dedicated"
        yield declared.refuse(
            "unsupported-value", mode, problem, _CILIUM_SOURCE, at="update"
        )


def _calico(declared: Declared) -> Iterator[Rejection]:
    """The encapsulation that Calico gets where the spec names none."""
    if not declared.has(_CALICO) or declared.text(f"{_CALICO}.encapsulationMode"):
        return
    filled = "ipip"
    if cloud_of(declared) == "azure" and declared.since(36):
        filled = "vxlan"
    elif _ipv6(declared) and declared.since(24):
        filled = "none"
    for field, wanted, since in (("ipipMode", "ipip", 22), ("vxlanMode", "vxlan", 23)):
        place = f"{_CALICO}.{field}"
        if declared.text(place) not in ("Always", "CrossSubnet"):
            continue
        if wanted != filled and declared.since(since):
            problem = (
                f"needs encapsulationMode: {wanted}, and kops fills in {filled} where "
                "there is none"
            )
            source = "pkg/model/components/calico.go, BuildOptions"
            yield declared.refuse("networking", place, problem, source, at="update")


def _etcd_versions(declared: Declared) -> Iterator[Rejection]:
    """A version that only the first etcd cluster has, beside the one filled in."""
    first, *others = [*declared.each("etcdClusters")] or [""]
    kubernetes = kubernetes_version(declared.text("kubernetesVersion"))
    text = declared.text(f"{first}.version") if first else ""
    if declared.newest != declared.kops or kubernetes is None or semver(text) is None:
        return
    taken = release(declared.kops).etcd.default_for(kubernetes[1])
    for other in others:
        place = f"{other}.version"
        if not declared.text(place) and text != taken:
            problem = f"is missing, and kops fills in {taken}: the first one has {text}"
            source = "pkg/model/components/etcd.go, BuildOptions"
            yield declared.refuse("version", place, problem, source, at="update")


def _dns(declared: Declared) -> Iterator[Rejection]:
    """The DNS of the cluster beside the addresses that kops gives it."""
    services = network(declared.text("networking.serviceClusterIPRange"))
    if not declared.text("networking.serviceClusterIPRange"):
        services = network(_SERVICES_IPV6 if _ipv6(declared) else _SERVICES)
        server = declared.text("kubeDNS.serverIP")
        if services and is_ip(server) and ip_address(server) not in services:
            problem = f"is {server}, which is not in the services' range {services}"
            place = "kubeDNS.serverIP"
            yield declared.refuse("network-range", place, problem, _LEGACY, at="update")
    if services is None:
        return
    server = declared.text("kubeDNS.serverIP") or str(services.network_address + 10)
    base = "kubeDNS.nodeLocalDNS"
    on = declared.flag(f"{base}.enabled") is True
    local = declared.text(f"{base}.localIP")
    if on and not local:
        local = _LOCAL_IPV6 if _ipv6(declared) else _LOCAL
    if on and not declared.text("kubeDNS.serverIP"):
        yield from _node_local(declared, local)
    # Where the spec has both, kops compares them before it fills in anything.
    if declared.text("kubeDNS.serverIP") and declared.has(base):
        return
    for kubelet in _KUBELETS:
        place = f"{kubelet}.clusterDNS"
        text = declared.text(place)
        if text and text not in (server, local):
            either = f"{server} or {local}" if local else server
            problem = (
                f"is {text}, but must be {either}, the address of the cluster's DNS"
            )
            yield declared.refuse("component", place, problem, _LEGACY, at="update")


def _node_local(declared: Declared, local: str) -> Iterator[Rejection]:
    source = "validation.go, validateNodeLocalDNS"
    provider = declared.text("kubeDNS.provider")
    if provider not in ("", "CoreDNS"):
        problem = f"is {provider}, but must be CoreDNS for nodeLocalDNS"
        place = "kubeDNS.provider"
        yield declared.refuse("component", place, problem, _LEGACY, at="update")
    if not is_ip(local):
        problem = f"is {local}, which is not an IP address"
        place = "kubeDNS.nodeLocalDNS.localIP"
        yield declared.refuse("network-range", place, problem, source, at="update")
    ipvs = declared.text("kubeProxy.proxyMode") == "ipvs"
    for kubelet in _KUBELETS if ipvs or declared.has(_CILIUM) else ():
        place = f"{kubelet}.clusterDNS"
        text = declared.text(place)
        if text and text != local:
            problem = f"is {text}, but must be the address {local} of nodeLocalDNS"
            yield declared.refuse("component", place, problem, source, at="update")


def _ipv6(declared: Declared) -> bool:
    return is_ipv6(declared.text("networking.nonMasqueradeCIDR"))
