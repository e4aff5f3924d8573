"""The components of Kubernetes and their flags: API server, kubelet, DNS.

Source: kops pkg/apis/kops/validation (validation.go and legacy.go).
"""

from __future__ import annotations

from ipaddress import ip_address
from posixpath import dirname
from typing import TYPE_CHECKING

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.endpoints import dns_type
from kopslint.kops.validation.values import (
    is_ip,
    kubernetes_version,
    network,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import AtCommand, Rejection
    from kopslint.kops.validation.declared import Declared


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


def api_server(declared: Declared) -> Iterator[Rejection]:
    """Fields of kube-apiserver that depend on each other or on the cluster."""
    if not declared.has(_API):
        return

    def refuse(field: str, problem: str) -> Rejection:
        return declared.refuse("component", f"{_API}.{field}", problem, _API_SOURCE)

    config = declared.text(f"{_API}.authenticationConfigFile")
    if config and _has_oidc(declared) and declared.since(30):
        yield refuse("authenticationConfigFile", "cannot stand beside OIDC options")
    if declared.version == "v1alpha2" and declared.since(18):
        certificate = declared.has(f"{_API}.proxyClientCertFile")
        key = declared.has(f"{_API}.proxyClientKeyFile")
        if certificate is not key:
            field = "proxyClientCertFile" if certificate else "proxyClientKeyFile"
            yield refuse(field, "needs both proxyClientCertFile and proxyClientKeyFile")
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
        problem = f"is {range_}, but that of the cluster is {of_cluster or 'not set'}"
        yield refuse("serviceClusterIPRange", problem)


def _has_oidc(declared: Declared) -> bool:
    if declared.version == "v1alpha2":
        return any(declared.has(f"{_API}.oidc{name}") for name in _OIDC_V1ALPHA2)
    return any(declared.has(f"authentication.oidc.{name}") for name in _OIDC_V1ALPHA3)


def _authorization(declared: Declared) -> Iterator[Rejection]:
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
            problem = f"has {quoted(mode)}; kops accepts {', '.join(_MODES)}"
            yield declared.refuse("unsupported-value", place, problem, _API_SOURCE)
    if cloud_of(declared) == "aws" and not {"Node", "RBAC"} <= set(modes):
        problem = f"is {quoted(text)}, and must have Node and RBAC on AWS"
        yield declared.refuse("component", place, problem, _API_SOURCE)


def cloud_flags(declared: Declared) -> Iterator[Rejection]:
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
            problem = f"is {quoted(text)}, but the cluster's cloud is {wanted}"
            yield declared.refuse("component", place, problem, _LEGACY)


def kubelets(declared: Declared) -> Iterator[Rejection]:
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


def kube_dns(declared: Declared) -> Iterator[Rejection]:
    """The addresses and the provider of the cluster's DNS."""
    server = declared.text("kubeDNS.serverIP")
    services = network(declared.text("networking.serviceClusterIPRange"))
    place = "kubeDNS.serverIP"
    if server and not is_ip(server):
        problem = f"is {quoted(server)}, which is not an IP address"
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


def _cluster_dns(declared: Declared, server: str) -> Iterator[Rejection]:
    if not declared.has("kubeDNS.nodeLocalDNS"):
        return
    local = declared.text("kubeDNS.nodeLocalDNS.localIP")
    for kubelet in KUBELETS:
        place = f"{kubelet}.clusterDNS"
        text = declared.text(place)
        if declared.has(kubelet) and text not in (server, local):
            problem = f"is {text}, neither kubeDNS.serverIP nor nodeLocalDNS.localIP"
            yield declared.refuse("component", place, problem, _LEGACY)


def _node_local_dns(declared: Declared) -> Iterator[Rejection]:
    provider = declared.text("kubeDNS.provider")
    if provider not in ("", "CoreDNS"):
        problem = f"is {provider}, but must be CoreDNS for nodeLocalDNS"
        yield declared.refuse("component", "kubeDNS.provider", problem, _LEGACY)
    place = "kubeDNS.nodeLocalDNS.localIP"
    local = declared.text(place)
    source = "validation.go, validateNodeLocalDNS"
    if local and not is_ip(local):
        problem = f"is {quoted(local)}, which is not an IP address"
        yield declared.refuse("network-range", place, problem, source)
    ipvs = declared.text("kubeProxy.proxyMode") == "ipvs"
    if not ipvs and not declared.has("networking.cilium"):
        return
    for kubelet in KUBELETS:
        text = declared.text(f"{kubelet}.clusterDNS")
        if text and text != local:
            problem = f"is {text}, but must be nodeLocalDNS.localIP {local}"
            yield declared.refuse("component", f"{kubelet}.clusterDNS", problem, source)


# ------------------------------------------------------------------------------------
# Addons and what they need: a certificate manager, permissions, a cloud
#
# Source: kops pkg/apis/kops/validation/validation.go.

_AWS = "cloudProvider.aws"
_NEEDS = "needs certManager.enabled: true"


def addons(declared: Declared) -> Iterator[Rejection]:
    """Every addon of a Cluster that asks for something else in it."""
    if not declared.flag("certManager.enabled"):
        yield from _without_cert_manager(declared)
    permissions = declared.flag("iam.useServiceAccountExternalPermissions") is True
    if declared.flag("karpenter.enabled") and not permissions and declared.since(26):
        problem = "needs iam.useServiceAccountExternalPermissions: true"
        source = "validation.go, validateClusterSpec"
        yield declared.refuse("addon", "karpenter.enabled", problem, source)
    zones = declared.count("certManager.hostedZoneIDs")
    enabled = declared.flag("certManager.enabled") is True
    if enabled and zones and not permissions and declared.since(25):
        problem = "needs iam.useServiceAccountExternalPermissions: true"
        source = "validation.go, validateCertManager"
        yield declared.refuse("addon", "certManager.hostedZoneIDs", problem, source)
    yield from _termination_handler(declared)
    yield from warm_pool(declared, f"{_AWS}.warmPool")
    yield from _autoscaler(declared)
    yield from _external_dns(declared)
    yield from _storage_classes(declared)
    mode = declared.text("authentication.aws.backendMode")
    mappings = "authentication.aws.identityMappings"
    on_aws = cloud_of(declared) == "aws"
    if on_aws and declared.count(mappings) and "CRD" not in mode and declared.since(23):
        problem = "must contain CRD for identityMappings"
        source = "aws.go, awsValidateIAMAuthenticator"
        place = "authentication.aws.backendMode"
        yield declared.refuse("addon", place, problem, source)


def _without_cert_manager(declared: Declared) -> Iterator[Rejection]:
    insecure = declared.flag("metricsServer.insecure") is True
    on_aws = cloud_of(declared) == "aws"
    for holds, place, function, since in (
        (
            declared.flag("metricsServer.enabled") and not insecure,
            "metricsServer.insecure",
            "validateMetricsServer",
            20,
        ),
        (
            declared.flag("snapshotController.enabled"),
            "snapshotController.enabled",
            "validateSnapshotController",
            21,
        ),
        (
            declared.flag(f"{_AWS}.loadBalancerController.enabled") and on_aws,
            f"{_AWS}.loadBalancerController.enabled",
            "validateAWSLoadBalancerController",
            20,
        ),
        (
            declared.flag(f"{_AWS}.podIdentityWebhook.enabled") and on_aws,
            f"{_AWS}.podIdentityWebhook.enabled",
            "validatePodIdentityWebhook",
            23,
        ),
    ):
        if holds and declared.since(since):
            problem = _NEEDS
            if place == "metricsServer.insecure":
                problem = f"must be true, or the metrics server {_NEEDS}"
            yield declared.refuse("addon", place, problem, f"validation.go, {function}")


def _termination_handler(declared: Declared) -> Iterator[Rejection]:
    base = f"{_AWS}.nodeTerminationHandler"
    if cloud_of(declared) != "aws" or not declared.has(base):
        return
    source = "validation.go, validateNodeTerminationHandler"
    on = declared.flag(f"{base}.enabled") is not False
    if on and declared.flag("karpenter.enabled") and declared.since(34):
        problem = "cannot be used together with Karpenter"
        yield declared.refuse("addon", base, problem, source)
    # The handler reads a queue unless that is turned off, and is on unless it is turned
    # off itself: kops fills in both when it updates a cluster, for Karpenter neither.
    queue = declared.flag(f"{base}.enableSQSTerminationDraining") is not False
    at: AtCommand = "create" if declared.flag(f"{base}.enabled") else "update"
    filled = at == "create" or not declared.flag("karpenter.enabled")
    if not queue or not on or not filled or not declared.since(26):
        return
    if declared.flag(f"{base}.enableSpotInterruptionDraining") is False:
        place = f"{base}.enableSpotInterruptionDraining"
        problem = "must not be false in queue mode"
        yield declared.refuse("addon", place, problem, source, at=at)
    if declared.flag(f"{base}.enableScheduledEventDraining") is False:
        place = f"{base}.enableScheduledEventDraining"
        problem = "must not be false in queue mode"
        if declared.until(35):
            yield declared.refuse("addon", place, problem, source, at=at)
    draining = declared.flag(f"{base}.enableRebalanceDraining") is True
    if declared.flag(f"{base}.enableRebalanceMonitoring") and not draining:
        place = f"{base}.enableRebalanceMonitoring"
        problem = "needs enableRebalanceDraining: true in queue mode"
        yield declared.refuse("addon", place, problem, source, at=at)


def warm_pool(declared: Declared, base: str) -> Iterator[Rejection]:
    """The sizes of a warm pool. Source: validation.go, validateWarmPool."""
    if cloud_of(declared) not in ("", "aws") or not declared.since(21):
        return
    source = "validation.go, validateWarmPool"
    least = declared.number(f"{base}.minSize") or 0
    most = declared.number(f"{base}.maxSize")
    place, problem = f"{base}.maxSize", None
    if most is not None and most < 0:
        problem = f"is {most}, and must not be negative"
    elif most is not None and least > most:
        problem = f"is {most}, less than minSize {least}"
    elif (
        most is not None
        and declared.cluster is declared
        and declared.count(f"{base}.additionalImages")
        and declared.since(33)
    ):
        place = f"{base}.additionalImages"
        problem = "can be set only in instance groups"
    if problem is not None:
        yield declared.refuse("addon", place, problem, source)
    if least < 0:
        problem = f"is {least}, and must not be negative"
        yield declared.refuse("addon", f"{base}.minSize", problem, source)


def _autoscaler(declared: Declared) -> Iterator[Rejection]:
    place = "clusterAutoscaler.expander"
    elsewhere = cloud_of(declared) not in ("", "gce")
    if declared.text(place) == "price" and elsewhere and declared.since(23):
        problem = "can be price only on GCE"
        source = "validation.go, validateClusterAutoscaler"
        yield declared.refuse("addon", place, problem, source)


def _external_dns(declared: Declared) -> Iterator[Rejection]:
    place = "externalDNS.provider"
    # Turned off, as v1alpha2 has it, the provider is none, whichever one is named.
    off = declared.flag("externalDNS.disable") is True
    external = declared.text(place) == "external-dns" and not off
    if external and dns_type(declared) == "None" and declared.since(26):
        problem = "is external-dns, which needs a public or private DNS topology"
        source = "validation.go, validateExternalDNS"
        yield declared.refuse("addon", place, problem, source)


def _storage_classes(declared: Declared) -> Iterator[Rejection]:
    place = "cloudConfig.manageStorageClasses"
    storage = "cloudProvider.openstack.blockStorage.createStorageClass"
    wanted, created = declared.flag(place), declared.flag(storage)
    on_openstack = cloud_of(declared) == "openstack"
    both = wanted is not None and created is not None
    if on_openstack and both and wanted != created and declared.since(20):
        problem = "disagrees with blockStorage.createStorageClass of OpenStack"
        source = "validation.go, validateCloudConfiguration"
        yield declared.refuse("cloud", place, problem, source)
