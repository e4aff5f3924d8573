"""What only older releases of kops refuse, and the newest one no longer.

Rules about one field that ended are rows with an ``until``, beside those that hold;
here are the ones about several fields. A release before 1.29 reads v1alpha2 alone, so
fields have the names of that. Source: kops pkg/apis/kops/validation on the release
branches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import is_ipv6, kubernetes_version, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.validation.declared import Declared

_TOPOLOGY = "networking.topology"
_SIDES = ("masters", "nodes")
_DNS = f"{_TOPOLOGY}.dns"
# Where a release runs clusters without DNS, since it can do that at all.
_WITHOUT_DNS = {
    26: ("aws", "gce", "hetzner", "openstack"),
    27: ("aws", "gce", "hetzner", "openstack", "do", "scaleway"),
}
_KUBELETS = ("kubelet", "controlPlaneKubelet")


def ended(declared: Declared) -> Iterator[Rejection]:
    """Everything about a Cluster that a release since no longer refuses."""
    if not declared.until(28):
        return
    yield from _topology(declared)
    yield from _without_dns(declared)
    yield from _outside_network(declared)
    yield from _karpenter(declared)
    yield from _snapshots(declared)
    yield from _kubelet_ranges(declared)
    yield from _bootstrap(declared)
    yield from _subnets(declared)
    yield from _cloud_controller(declared)
    yield from _external_dns(declared)
    if not declared.has("iam") and declared.until(22) and declared.since(19):
        problem = "is missing, which means iam.legacy, and that was removed"
        source = "validation.go, validateClusterSpec"
        hint = "add iam: {legacy: false}"
        yield declared.refuse("missing-field", "iam", problem, source, hint=hint)
    if (
        cloud_of(declared) == "do"
        and declared.until(22)
        and declared.text("networking.networkCIDR")
    ):
        place, problem = "networking.networkCIDR", "must not be set on DigitalOcean"
        yield declared.refuse(
            "network-range", place, problem, "legacy.go, ValidateCluster"
        )


def _topology(declared: Declared) -> Iterator[Rejection]:
    """Public or private by side, and bastions in private ones alone."""
    source = "validation.go, validateTopology"
    if not declared.has(_TOPOLOGY) or not declared.until(27):
        return
    kinds = [declared.text(f"{_TOPOLOGY}.{side}") or "public" for side in _SIDES]
    for side, kind in zip(_SIDES, kinds, strict=True):
        if kind not in ("public", "private"):
            problem = f"is {quoted(kind)}; kops accepts public, private"
            place = f"{_TOPOLOGY}.{side}"
            yield declared.refuse("unsupported-value", place, problem, source)
    if declared.has(f"{_TOPOLOGY}.bastion") and "public" in kinds:
        problem = "needs a private topology of masters and nodes before kops 1.28"
        hint = "write topology: {masters: private, nodes: private}"
        place = f"{_TOPOLOGY}.bastion"
        yield declared.refuse("api-or-dns", place, problem, source, hint=hint)
    private = kinds[1] == "private" and _ipv6(declared)
    if private and declared.since(24) and declared.until(26) and _before(declared, 22):
        problem = "must not be private in an IPv6 cluster before Kubernetes 1.22"
        yield declared.refuse("api-or-dns", f"{_TOPOLOGY}.nodes", problem, source)


def _without_dns(declared: Declared) -> Iterator[Rejection]:
    """The DNS type None, where there is none yet."""
    if declared.text(_DNS) != "None" or not declared.until(27):
        return
    problem = ""
    if declared.until(25):
        problem = "is None; kops accepts Public, Private before 1.26"
    elif cloud_of(declared) not in _WITHOUT_DNS[min(declared.newest, 27)]:
        problem = f"is None, which kops 1.{declared.newest} does not offer here"
    if problem:
        source = "validation.go, validateTopology"
        yield declared.refuse("unsupported-value", _DNS, problem, source)


def _outside_network(declared: Declared) -> Iterator[Rejection]:
    """The public topology of OpenStack, without a network that leads outside.

    kops looks at it where the spec has settings of OpenStack, since 1.24 always.
    """
    base = "cloudProvider.openstack"
    if cloud_of(declared) != "openstack" or not declared.until(26):
        return
    if not declared.has(base) and not declared.since(24):
        return
    if declared.has(f"{base}.router.externalNetwork"):
        return
    for side in _SIDES:
        place = f"{_TOPOLOGY}.{side}"
        if declared.text(place) in ("", "public"):
            problem = "must be private before kops 1.27: there is no external network"
            source = "openstack.go, openstackValidateCluster"
            yield declared.refuse("networking", place, problem, source)


def _karpenter(declared: Declared) -> Iterator[Rejection]:
    place = "karpenter.enabled"
    if declared.flag(place) and declared.since(24) and declared.until(26):
        problem = "needs a feature flag of kops before 1.27"
        source = "validation.go, validateClusterSpec"
        hint = "export KOPS_FEATURE_FLAGS=+Karpenter wherever kops runs"
        yield declared.refuse("feature-flag", place, problem, source, hint=hint)


def _snapshots(declared: Declared) -> Iterator[Rejection]:
    place = "snapshotController.enabled"
    if declared.flag(place) and declared.until(24) and _before(declared, 20):
        problem = "must not be true before Kubernetes 1.20"
        source = "validation.go, validateSnapshotController"
        yield declared.refuse("addon", place, problem, source)


def _kubelet_ranges(declared: Declared) -> Iterator[Rejection]:
    """The range of a kubelet, which is that of the cluster.

    Since 1.23 only with Docker and kubenet, and not from Kubernetes 1.24 on.
    """
    everywhere = declared.until(22)
    kubenet = declared.text("kubelet.networkPluginName") == "kubenet"
    docker = declared.text("containerRuntime") == "docker"
    if not everywhere and not (kubenet and docker and _before(declared, 24)):
        return
    of_cluster = declared.text("networking.nonMasqueradeCIDR")
    for kubelet in _KUBELETS:
        place = f"{kubelet}.nonMasqueradeCIDR"
        text = declared.text(place)
        if text and of_cluster and text != of_cluster:
            problem = f"is {text}, but that of the cluster is {of_cluster}"
            source = "legacy.go, ValidateCluster"
            yield declared.refuse("component", place, problem, source)


def _bootstrap(declared: Declared) -> Iterator[Rejection]:
    if declared.has("kubeAPIServer") or not declared.until(27):
        return
    for kubelet in _KUBELETS:
        place = f"{kubelet}.bootstrapKubeconfig"
        if declared.text(place):
            problem = "needs spec.kubeAPIServer with NodeRestriction"
            source = "validation.go, validateKubelet"
            yield declared.refuse("component", place, problem, source)


def _subnets(declared: Declared) -> Iterator[Rejection]:
    """Subnets, which every cluster had to have, whatever its cloud."""
    place = "networking.subnets"
    known = cloud_of(declared) in ("do", "hetzner") or not declared.has("cloudProvider")
    complete = declared.has("cloudProvider") or declared.has("kubernetesVersion")
    if declared.until(26) and known and complete and not declared.count(place):
        source = "validation.go, validateSubnets"
        yield declared.refuse("missing-field", place, "is missing", source)


def _cloud_controller(declared: Declared) -> Iterator[Rejection]:
    """The controllers of AWS outside of Kubernetes, beside no EBS driver."""
    place = "cloudProvider.aws.ebsCSIDriver.enabled"
    external = declared.has("cloudControllerManager")
    off = declared.flag(place) is False and cloud_of(declared) == "aws"
    if external and off and declared.since(22):
        problem = "must not be false together with cloudControllerManager"
        source = "aws.go, awsValidateExternalCloudControllerManager"
        yield declared.refuse("cloud", place, problem, source)


def _external_dns(declared: Declared) -> Iterator[Rejection]:
    place = "externalDNS.provider"
    runs = declared.text(place) == "external-dns"
    if runs and _ipv6(declared) and declared.since(26) and declared.until(26):
        problem = "must not be external-dns: it does not support IPv6 clusters"
        source = "validation.go, validateExternalDNS"
        yield declared.refuse("addon", place, problem, source)


def _ipv6(declared: Declared) -> bool:
    return is_ipv6(declared.text("networking.nonMasqueradeCIDR"))


def _before(declared: Declared, minor: int) -> bool:
    """Whether Kubernetes is older than 1.``minor``."""
    version = kubernetes_version(declared.text("kubernetesVersion"))
    return version is not None and version < (1, minor, 0)
