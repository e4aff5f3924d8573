"""Addons and what they need: a certificate manager, permissions, a cloud.

Source: kops pkg/apis/kops/validation/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.endpoints import dns_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import AtCommand, Violation

_AWS = "cloudProvider.aws"
_NEEDS = "needs certManager.enabled: true"


def addons(declared: Declared) -> Iterator[Violation]:
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


def _without_cert_manager(declared: Declared) -> Iterator[Violation]:
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


def _termination_handler(declared: Declared) -> Iterator[Violation]:
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
    draining = declared.flag(f"{base}.enableRebalanceDraining") is True
    if declared.flag(f"{base}.enableRebalanceMonitoring") and not draining:
        place = f"{base}.enableRebalanceMonitoring"
        problem = "needs enableRebalanceDraining: true in queue mode"
        yield declared.refuse("addon", place, problem, source, at=at)


def warm_pool(declared: Declared, base: str) -> Iterator[Violation]:
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


def _autoscaler(declared: Declared) -> Iterator[Violation]:
    place = "clusterAutoscaler.expander"
    elsewhere = cloud_of(declared) not in ("", "gce")
    if declared.text(place) == "price" and elsewhere and declared.since(23):
        problem = "can be price only on GCE"
        source = "validation.go, validateClusterAutoscaler"
        yield declared.refuse("addon", place, problem, source)


def _external_dns(declared: Declared) -> Iterator[Violation]:
    place = "externalDNS.provider"
    # Turned off, as v1alpha2 has it, the provider is none, whichever one is named.
    off = declared.flag("externalDNS.disable") is True
    external = declared.text(place) == "external-dns" and not off
    if external and dns_type(declared) == "None" and declared.since(26):
        problem = "is external-dns, and that needs a public or private DNS topology"
        source = "validation.go, validateExternalDNS"
        yield declared.refuse("addon", place, problem, source)


def _storage_classes(declared: Declared) -> Iterator[Violation]:
    place = "cloudConfig.manageStorageClasses"
    storage = "cloudProvider.openstack.blockStorage.createStorageClass"
    wanted, created = declared.flag(place), declared.flag(storage)
    on_openstack = cloud_of(declared) == "openstack"
    both = wanted is not None and created is not None
    if on_openstack and both and wanted != created and declared.since(20):
        problem = "disagrees with blockStorage.createStorageClass of OpenStack"
        source = "validation.go, validateCloudConfiguration"
        yield declared.refuse("cloud", place, problem, source)
