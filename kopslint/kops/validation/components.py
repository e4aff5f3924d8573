"""The components of Kubernetes and their flags: API server, kubelet, DNS.

Source: kops pkg/apis/kops/validation (validation.go and legacy.go).
"""

from __future__ import annotations

from ipaddress import ip_address
from posixpath import dirname
from typing import TYPE_CHECKING

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import (
    is_ip,
    kubernetes_version,
    network,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Violation

KUBELETS = ("kubelet", "controlPlaneKubelet")
_API = "kubeAPIServer"
_API_SOURCE = "validation.go, validateKubeAPIServer"
_LEGACY = "legacy.go, ValidateCluster"
_OIDC = ("UsernameClaim", "UsernamePrefix", "GroupsClaim", "GroupsPrefix")
_OIDC_V1ALPHA2 = (*_OIDC, "IssuerURL", "ClientID", "RequiredClaim")
_OIDC_V1ALPHA3 = (
    "usernameClaim",
    "usernamePrefix",
    "groupsClaims",
    "groupsPrefix",
    "issuerURL",
    "clientID",
    "requiredClaims",
)
_MODES = ("ABAC", "Webhook", "Node", "RBAC", "AlwaysAllow", "AlwaysDeny")
_CLOUD_FLAGS = {
    "aws": "aws",
    "gce": "gce",
    "do": "external",
    "hetzner": "external",
    "openstack": "openstack",
    "azure": "azure",
    "scaleway": "external",
    "linode": "external",
}


def api_server(declared: Declared) -> Iterator[Violation]:
    """Fields of kube-apiserver that depend on each other or on the cluster."""
    if not declared.has(_API):
        return

    def refuse(field: str, problem: str) -> Violation:
        return declared.refuse("component", f"{_API}.{field}", problem, _API_SOURCE)

    config = declared.text(f"{_API}.authenticationConfigFile")
    if config and _has_oidc(declared) and declared.since(30):
        yield refuse("authenticationConfigFile", "cannot stand beside OIDC options")
    if declared.version == "v1alpha2" and declared.since(18):
        certificate = declared.has(f"{_API}.proxyClientCertFile")
        key = declared.has(f"{_API}.proxyClientKeyFile")
        if certificate is not key:
            field = "proxyClientCertFile" if certificate else "proxyClientKeyFile"
            yield refuse(field, "needs proxyClientCertFile and proxyClientKeyFile both")
    yield from _authorization(declared)
    policy = declared.text(f"{_API}.auditPolicyFile")
    webhook = declared.text(f"{_API}.auditWebhookConfigFile")
    if webhook and declared.since(25):
        if not policy:
            yield refuse("auditWebhookConfigFile", "needs an auditPolicyFile")
        elif dirname(policy) != dirname(webhook):
            problem = f"must be in the directory of the audit policy {dirname(policy)}"
            yield refuse("auditWebhookConfigFile", problem)
    range_ = declared.text(f"{_API}.serviceClusterIPRange")
    of_cluster = declared.text("networking.serviceClusterIPRange")
    if range_ and range_ != of_cluster:
        problem = f"is {range_}, and that of the cluster is {of_cluster or 'not set'}"
        yield refuse("serviceClusterIPRange", problem)


def _has_oidc(declared: Declared) -> bool:
    if declared.version == "v1alpha2":
        return any(declared.has(f"{_API}.oidc{name}") for name in _OIDC_V1ALPHA2)
    return any(declared.has(f"authentication.oidc.{name}") for name in _OIDC_V1ALPHA3)


def _authorization(declared: Declared) -> Iterator[Violation]:
    place = f"{_API}.authorizationMode"
    if not declared.has(place):
        return
    text = declared.text(place)
    modes = text.split(",")
    webhook = f"{_API}.authorizationWebhookConfigFile"
    if "Webhook" in text and not declared.has(webhook) and declared.since(18):
        problem = "is missing: authorizationMode has Webhook"
        yield declared.refuse("missing-field", webhook, problem, _API_SOURCE)
    # Since 1.36 kops takes RBAC where the spec says nothing of authorization.
    rbac = declared.has("authorization.rbac") or (
        declared.since(36) and not declared.has("authorization.alwaysAllow")
    )
    if not rbac or not declared.since(19):
        return
    for mode in modes:
        if mode not in _MODES:
            problem = f"has {quoted(mode)}, and kops takes {', '.join(_MODES)}"
            yield declared.refuse("unsupported-value", place, problem, _API_SOURCE)
    if cloud_of(declared) == "aws" and not {"Node", "RBAC"} <= set(modes):
        problem = f"is {quoted(text)}, and must have Node and RBAC on AWS"
        yield declared.refuse("component", place, problem, _API_SOURCE)


def cloud_flags(declared: Declared) -> Iterator[Violation]:
    """The cloudProvider that components are told, beside that of the cluster."""
    wanted = _CLOUD_FLAGS.get(cloud_of(declared))
    if wanted is None:
        return
    version = kubernetes_version(declared.text("kubernetesVersion")) or (1, 0, 0)
    for component in (*KUBELETS, "kubeControllerManager", _API):
        place = f"{component}.cloudProvider"
        text = declared.text(place)
        if component == _API and version >= (1, 33, 0):
            continue
        if text not in ("", "external", wanted):
            problem = f"is {quoted(text)}, and the cluster's cloud is {wanted}"
            yield declared.refuse("component", place, problem, _LEGACY)


def kubelets(declared: Declared) -> Iterator[Violation]:
    """Periods of shutdown that depend on each other."""
    source = "validation.go, validateKubelet"
    for kubelet in KUBELETS:
        critical = f"{kubelet}.shutdownGracePeriodCriticalPods"
        whole = f"{kubelet}.shutdownGracePeriod"
        if not declared.has(critical) or not declared.since(23):
            continue
        part, period = (
            go_seconds(declared.text(critical)),
            go_seconds(declared.text(whole)),
        )
        problem = None
        if not declared.has(whole):
            problem = "needs shutdownGracePeriod"
        elif part is not None and period is not None and part > period:
            problem = f"is {declared.text(critical)}, more than shutdownGracePeriod"
        if problem is not None:
            yield declared.refuse("component", critical, problem, source)


def kube_dns(declared: Declared) -> Iterator[Violation]:
    """The addresses and the provider of the cluster's DNS."""
    server = declared.text("kubeDNS.serverIP")
    services = network(declared.text("networking.serviceClusterIPRange"))
    place = "kubeDNS.serverIP"
    if server and not is_ip(server):
        problem = f"is {quoted(server)}, which is no IP address"
        yield declared.refuse("network-range", place, problem, _LEGACY)
    elif server:
        address = ip_address(server)
        if services is not None and address not in services:
            problem = f"is {server}, which is not in serviceClusterIPRange {services}"
            yield declared.refuse("network-range", place, problem, _LEGACY)
        yield from _cluster_dns(declared, server)
        if declared.flag("kubeDNS.nodeLocalDNS.enabled") and declared.since(18):
            yield from _node_local_dns(declared)
    for item in declared.each("kubeDNS.stubDomains"):
        if declared.count(item) == 0:
            problem = "names no nameserver"
            yield declared.refuse("component", item, problem, _LEGACY)


def _cluster_dns(declared: Declared, server: str) -> Iterator[Violation]:
    if not declared.has("kubeDNS.nodeLocalDNS"):
        return
    local = declared.text("kubeDNS.nodeLocalDNS.localIP")
    for kubelet in KUBELETS:
        place = f"{kubelet}.clusterDNS"
        text = declared.text(place)
        if declared.has(kubelet) and text not in (server, local):
            problem = f"is {text}, neither kubeDNS.serverIP nor nodeLocalDNS.localIP"
            yield declared.refuse("component", place, problem, _LEGACY)


def _node_local_dns(declared: Declared) -> Iterator[Violation]:
    provider = declared.text("kubeDNS.provider")
    if provider not in ("", "CoreDNS"):
        problem = f"is {provider}, and must be CoreDNS for nodeLocalDNS"
        yield declared.refuse("component", "kubeDNS.provider", problem, _LEGACY)
    place = "kubeDNS.nodeLocalDNS.localIP"
    local = declared.text(place)
    source = "validation.go, validateNodeLocalDNS"
    if local and not is_ip(local):
        problem = f"is {quoted(local)}, which is no IP address"
        yield declared.refuse("network-range", place, problem, source)
    ipvs = declared.text("kubeProxy.proxyMode") == "ipvs"
    if not ipvs and not declared.has("networking.cilium"):
        return
    for kubelet in KUBELETS:
        text = declared.text(f"{kubelet}.clusterDNS")
        if text and text != local:
            problem = f"is {text}, and must be nodeLocalDNS.localIP {local}"
            yield declared.refuse("component", f"{kubelet}.clusterDNS", problem, source)
