"""Instance groups on one cloud or another, and those that Karpenter makes.

Source: kops pkg/apis/kops/validation (instancegroup.go, aws.go, gce.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.addons import warm_pool
from kopslint.kops.validation.clouds import cloud_of, subnet_types
from kopslint.kops.validation.endpoints import security_groups
from kopslint.kops.validation.values import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Violation

_CROSS = "instancegroup.go, CrossValidateInstanceGroup"
_KARPENTER = "instancegroup.go, validateKarpenterInstanceGroup"
_POPULATE = (
    "upup/pkg/fi/cloudup/populate_instancegroup_spec.go, PopulateInstanceGroupSpec"
)
# Machines that cannot have a host of their own.
_SHARED_HOSTS = tuple(
    f"t2.{size}" for size in ("nano", "micro", "small", "medium", "large", "xlarge")
)


def in_cloud(declared: Declared, cluster: Declared, role: str) -> Iterator[Violation]:
    """What ``update`` asks of a group in the cloud of its cluster."""
    here = cloud_of(declared)
    if here in ("aws", "azure", "gce", "linode"):
        yield from _subnet_types(declared, cluster)
    if here == "aws":
        yield from _on_aws(declared, cluster, role)
    elif here == "gce":
        yield from _on_gce(declared)
    elif here == "azure":
        yield from _on_azure(declared, role)
    if declared.text("manager") == "Karpenter" and declared.since(36):
        yield from _karpenter(declared, cluster, role, here)


def _subnet_types(declared: Declared, cluster: Declared) -> Iterator[Violation]:
    """The subnets of one group: all private, or all public."""
    types = subnet_types(cluster)
    first = ""
    for path in declared.each("subnets"):
        kind = types.get(declared.text(path), "")
        first = first or kind
        if kind not in ("", first):
            problem = f"is a subnet of type {kind}, beside one of type {first}"
            source = "pkg/model/context.go, GatherSubnets"
            yield declared.refuse("group", path, problem, source, at="update")


def _on_aws(declared: Declared, cluster: Declared, role: str) -> Iterator[Violation]:
    machine = declared.text("machineType")
    dedicated = declared.text("tenancy") not in ("", "default")
    if dedicated and machine in _SHARED_HOSTS and declared.since(22):
        shared = f"is {declared.text('tenancy')}, which {machine} cannot have"
        yield declared.refuse("group", "tenancy", shared, _POPULATE, at="update")
    yield from security_groups(declared, "additionalSecurityGroups", "update")
    policy = "mixedInstancesPolicy"
    base, most = declared.number(f"{policy}.onDemandBase"), declared.number("maxSize")
    if not declared.has("maxSize") and role:
        most = 2 if role == "Node" else 1
    if base is not None and most is not None and base > most:
        excess = f"is {base}, more than maxSize {most}"
        source = "aws.go, awsValidateMixedInstancesPolicy"
        place = f"{policy}.onDemandBase"
        yield declared.refuse("group", place, excess, source, at="update")
    if not declared.since(21):
        return
    # A group inherits the warm pool of its cluster, unless it is of the control plane
    # or a bastion.
    inherits = role not in ("ControlPlane", "Bastion")
    of_cluster = cluster.has("cloudProvider.aws.warmPool") and inherits
    if not declared.has("warmPool") and not of_cluster:
        return
    size = declared.number("warmPool.maxSize")
    if size is None and of_cluster:
        size = cluster.number("cloudProvider.aws.warmPool.maxSize")
    place = "warmPool"
    if size != 0:
        problem = None
        if role not in ("Node", "APIServer"):
            problem = "can be set only in groups with role Node or APIServer"
        elif declared.has("maxPrice"):
            problem = "cannot be used with spot instances"
        if problem is not None:
            yield declared.refuse("group", place, problem, _CROSS, at="update")
    yield from warm_pool(declared, "warmPool")


def _on_gce(declared: Declared) -> Iterator[Violation]:
    if declared.count("subnets") > 1:
        source = "pkg/model/gcemodel/autoscalinggroup.go, Build"
        problem = "has more than one subnet, and groups on GCE have one"
        yield declared.refuse("group", "subnets", problem, source, at="update")
    if not declared.count("zones") and declared.since(35):
        source = "gce.go, gceValidateInstanceGroup"
        problem = "is missing: groups on GCE name their zones"
        yield declared.refuse("missing-field", "zones", problem, source, at="update")


def _on_azure(declared: Declared, role: str) -> Iterator[Violation]:
    source = "pkg/model/azuremodel/vmscaleset.go"
    if role not in ("", "ControlPlane", "Node", "APIServer"):
        problem = f"is {role}, which groups on Azure cannot have"
        yield declared.refuse("group", "role", problem, source, at="update")
    if declared.count("subnets") > 1:
        problem = "has more than one subnet, and groups on Azure have one"
        yield declared.refuse("group", "subnets", problem, source, at="update")
    image = declared.text("image")
    if image and not image.startswith("/subscriptions/") and image.count(":") != 3:
        problem = f"is {quoted(image)}, and must be publisher:offer:sku:version"
        yield declared.refuse("group", "image", problem, source, at="update")
    least, most = declared.number("minSize"), declared.number("maxSize")
    if least is not None and most is not None and least < most:
        problem = f"is {most}, and must be the same as minSize {least} on Azure"
        yield declared.refuse("group", "maxSize", problem, source, at="update")


def _karpenter(
    declared: Declared, cluster: Declared, role: str, here: str
) -> Iterator[Violation]:
    def refuse(field: str, problem: str, function: str = "") -> Violation:
        source = f"instancegroup.go, {function}" if function else _KARPENTER
        return declared.refuse("group", field, problem, source, at="update")

    if here not in ("", "aws"):
        yield refuse("manager", "is Karpenter, which works only on AWS")
    if role not in ("", "Node"):
        yield refuse("role", "must be Node for Karpenter")
    most, least = declared.number("maxSize"), declared.number("minSize")
    if most is not None and most <= 0:
        yield refuse("maxSize", f"is {most}, and must be more than zero")
    function = "validateKarpenterStaticCapacity"
    if least is not None and least <= 0:
        yield refuse("minSize", f"is {least}, and must be more than zero", function)
    elif least is not None and not _static_capacity(cluster):
        problem = "needs StaticCapacity=true in karpenter.featureGates"
        yield refuse("minSize", problem, function)
    image = declared.text("image").strip()
    owner, slash, name = image.partition("/")
    if image.startswith(("ami-",)):
        return
    is_parameter = image.startswith("ssm:") and "://" not in image
    if (
        image == "ssm:"
        or "://" in image
        or (slash and not is_parameter and (not owner or not name))
    ):
        problem = f"is {quoted(image)}, and must be ami-..., ssm:..., or owner/name"
        yield refuse("image", problem, "validateKarpenterAMISelectorImage")


def _static_capacity(cluster: Declared) -> bool:
    gates = cluster.text("karpenter.featureGates")
    enabled = not gates
    for gate in gates.split(",") if gates else ():
        name, mark, value = gate.partition("=")
        if mark and name.strip() == "StaticCapacity":
            enabled = value.strip().lower() == "true"
    return enabled
