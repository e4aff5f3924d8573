"""Instance groups: what one must have, and what its cluster allows it.

Sizes and etcd members of the control plane stand in ``kopslint.kops.refusals``. Source:
kops pkg/apis/kops/validation/instancegroup.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.clouds import cloud_of, demands_of, subnet_types
from kopslint.kops.validation.components import warm_pool
from kopslint.kops.validation.endpoints import dns_type, security_groups
from kopslint.kops.validation.group_rows import GROUP_ROWS
from kopslint.kops.validation.identity import labels
from kopslint.kops.validation.rows import check_rows
from kopslint.kops.validation.values import (
    quoted,
    semver,
    tolerant_version,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.rejection import AtCommand, FieldKind, Rejection
    from kopslint.kops.spec import InstanceGroup, Manifest
    from kopslint.kops.validation.declared import Declared
    from kopslint.syntax.yaml import Node


# ------------------------------------------------------------------------------------
# Instance groups on one cloud or another, and those that Karpenter makes
#
# Source: kops pkg/apis/kops/validation (instancegroup.go, aws.go, gce.go).

_CROSS_VALIDATE = "instancegroup.go, CrossValidateInstanceGroup"
_KARPENTER = "instancegroup.go, validateKarpenterInstanceGroup"
_POPULATE = (
    "upup/pkg/fi/cloudup/populate_instancegroup_spec.go, PopulateInstanceGroupSpec"
)
# Machines that cannot have a host of their own.
_SHARED_HOSTS = tuple(
    f"t2.{size}" for size in ("nano", "micro", "small", "medium", "large", "xlarge")
)


def in_cloud(declared: Declared, cluster: Declared, role: str) -> Iterator[Rejection]:
    """What ``update`` asks of a group in the cloud of its cluster."""
    here = cloud_of(declared)
    if here in ("aws", "azure", "gce", "linode"):
        yield from _subnet_types(declared, cluster)
    if here == "aws":
        yield from _on_aws(declared, cluster, role)
    elif here == "gce":
        yield from _on_gce(declared, cluster)
    elif here == "azure":
        yield from _on_azure(declared, role)
    if declared.text("manager") == "Karpenter" and declared.since(36):
        yield from _karpenter(declared, cluster, role, here)


def _subnet_types(declared: Declared, cluster: Declared) -> Iterator[Rejection]:
    """The subnets of one group: all private, or all public."""
    types = subnet_types(cluster)
    first = ""
    for path in declared.each("subnets"):
        kind = types.get(declared.text(path), "")
        first = first or kind
        if kind not in ("", first):
            problem = f"is a subnet of type {kind}, next to one of type {first}"
            source = "pkg/model/context.go, GatherSubnets"
            yield declared.refuse("group", path, problem, source, at="update")


def _on_aws(declared: Declared, cluster: Declared, role: str) -> Iterator[Rejection]:
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
        elif declared.has(policy) and declared.until(33):
            problem = "cannot be combined with a mixed instances policy"
        if problem is not None:
            yield declared.refuse("group", place, problem, _CROSS_VALIDATE, at="update")
    yield from warm_pool(declared, "warmPool")


def _on_gce(declared: Declared, cluster: Declared) -> Iterator[Rejection]:
    if declared.count("subnets") > 1:
        source = "pkg/model/gcemodel/autoscalinggroup.go, Build"
        problem = "has more than one subnet, but groups on GCE have only one"
        yield declared.refuse("group", "subnets", problem, source, at="update")
    if declared.count("zones"):
        return
    problem = "is missing: groups on GCE name their zones"
    if declared.since(35):
        source = "gce.go, gceValidateInstanceGroup"
        yield declared.refuse("missing-field", "zones", problem, source, at="update")
    elif declared.number("minSize") != 0 and not _zones_of_subnets(declared, cluster):
        # An older kops shares the machines out among no zones, and crashes.
        source = "pkg/model/gcemodel/autoscalinggroup.go, splitToZones"
        yield declared.refuse("missing-field", "zones", problem, source, at="update")


def _zones_of_subnets(declared: Declared, cluster: Declared) -> bool:
    """Whether a subnet of a group has a zone; one that is not known may have one.

    Source: kops pkg/model/context.go, FindZonesForInstanceGroup.
    """
    places = list(cluster.each("networking.subnets"))
    zones = {cluster.text(f"{at}.name"): cluster.text(f"{at}.zone") for at in places}
    named = [declared.text(at) for at in declared.each("subnets")]
    return any(zones.get(name, "?") for name in named)


def _on_azure(declared: Declared, role: str) -> Iterator[Rejection]:
    source = "pkg/model/azuremodel/vmscaleset.go"
    if role not in ("", "ControlPlane", "Node", "APIServer"):
        problem = f"is {role}, which groups on Azure cannot have"
        yield declared.refuse("group", "role", problem, source, at="update")
    if declared.count("subnets") > 1:
        problem = "has more than one subnet, but groups on Azure have only one"
        yield declared.refuse("group", "subnets", problem, source, at="update")
    image = declared.text("image")
    if image and not image.startswith("/subscriptions/") and image.count(":") != 3:
        problem = f"is {quoted(image)}, but must be publisher:offer:sku:version"
        yield declared.refuse("group", "image", problem, source, at="update")
    least, most = declared.number("minSize"), declared.number("maxSize")
    if least is not None and most is not None and least < most:
        problem = f"is {most}, but must be the same as minSize {least} on Azure"
        yield declared.refuse("group", "maxSize", problem, source, at="update")


def _karpenter(
    declared: Declared, cluster: Declared, role: str, here: str
) -> Iterator[Rejection]:
    def refuse(field: str, problem: str, function: str = "") -> Rejection:
        source = f"instancegroup.go, {function}" if function else _KARPENTER
        return declared.refuse("group", field, problem, source, at="update")

    if here not in ("", "aws"):
        yield refuse("manager", "is Karpenter, which works only on AWS")
    if role not in ("", "Node"):
        yield refuse("role", "must be Node for Karpenter")
    most, least = declared.number("maxSize"), declared.number("minSize")
    if most is not None and most <= 0:
        yield refuse("maxSize", f"is {most}, but must be more than zero")
    function = "validateKarpenterStaticCapacity"
    if least is not None and least <= 0:
        yield refuse("minSize", f"is {least}, but must be more than zero", function)
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
        problem = f"is {quoted(image)}, but must be ami-..., ssm:..., or owner/name"
        yield refuse("image", problem, "validateKarpenterAMISelectorImage")


def _static_capacity(cluster: Declared) -> bool:
    gates = cluster.text("karpenter.featureGates")
    enabled = not gates
    for gate in gates.split(",") if gates else ():
        name, mark, value = gate.partition("=")
        if mark and name.strip() == "StaticCapacity":
            enabled = value.strip().lower() == "true"
    return enabled


# ------------------------------------------------------------------------------------
# What is set up on machines: hooks, files, containerd, mirrors, and how they roll
#
# Source: kops pkg/apis/kops/validation/validation.go. Most of it stands in a Cluster
# for all its machines or in an InstanceGroup for some.


def hooks(declared: Declared) -> Iterator[Rejection]:
    """Hooks and file assets, of a cluster or a group."""
    source = "validation.go, validateHookSpec"
    for hook in declared.each("hooks"):
        v1alpha2 = declared.version == "v1alpha2"
        field = f"{hook}.disabled" if v1alpha2 else f"{hook}.enabled"
        if declared.flag(field) is v1alpha2:
            continue
        manifest = declared.text(f"{hook}.manifest")
        runs = declared.has(f"{hook}.execContainer")
        raw = declared.flag(f"{hook}.useRawManifest") is True
        problems = []
        if not runs and not manifest:
            problems.append("has neither a manifest nor an execContainer")
        elif raw and not manifest:
            problems.append("needs a manifest for useRawManifest")
        if raw and runs:
            problems.append("cannot have execContainer together with useRawManifest")
        problems += [
            f"cannot have {field} together with useRawManifest"
            for field in ("before", "requires")
            if raw and declared.has(f"{hook}.{field}")
        ]
        for problem in problems:
            yield declared.refuse("component", hook, problem, source)
        place = f"{hook}.execContainer.image"
        if runs and not declared.text(place):
            function = "validation.go, validateExecContainerAction"
            yield declared.refuse("missing-field", place, "is missing", function)
    for asset in declared.each("fileAssets"):
        for field in ("name", "content"):
            if not declared.text(f"{asset}.{field}"):
                place = f"{asset}.{field}"
                function = "validation.go, validateFileAssetSpec"
                yield declared.refuse("missing-field", place, "is missing", function)


def containerd(declared: Declared) -> Iterator[Rejection]:
    """containerd, of a cluster or a group."""
    if not declared.has("containerd"):
        return
    at: AtCommand = "create" if declared.cluster is declared else "update"
    source = "validation.go, validateContainerdConfig"
    place = "containerd.version"
    text = declared.text(place)
    version = tolerant_version(text)
    oldest = (2, 1, 0) if declared.since(37) else (1, 3, 4)
    if declared.has(place) and declared.since(20):
        problem = None
        if version is None:
            problem = f"is {quoted(text)}, which is not a version"
        elif version < oldest:
            problem = f"is {text}, but must be {'.'.join(map(str, oldest))} or newer"
        if problem is not None:
            yield declared.refuse("version", place, problem, source, at=at)
    for arch in ("Amd64", "Arm64"):
        url, sha = f"containerd.packages.url{arch}", f"containerd.packages.hash{arch}"
        pair = [declared.has(url), declared.has(sha)]
        problem, where = None, sha
        if pair == [True, False]:
            problem, where = f"needs hash{arch} beside it", url
        elif pair == [False, True]:
            problem = f"needs url{arch} beside it"
        elif all(pair) and len(declared.text(sha)) > 64:
            problem = "has more than 64 characters"
        if problem is not None and declared.since(19):
            yield declared.refuse("component", where, problem, source, at=at)
    yield from _nri(declared)
    yield from _accelerators(declared)


def _nri(declared: Declared) -> Iterator[Rejection]:
    if declared.flag("containerd.nri.enabled") is not True:
        return
    source = "validation.go, validateNriConfig"
    at: AtCommand = "create" if declared.cluster is declared else "update"
    for field in ("pluginRequestTimeout", "pluginRegistrationTimeout"):
        place = f"containerd.nri.{field}"
        period = go_seconds(declared.text(place)) if declared.has(place) else None
        if period is not None and period <= 0 and declared.since(37):
            problem = f"is {declared.text(place)}, but must be more than zero"
            yield declared.refuse("component", place, problem, source, at=at)
    version = semver(declared.text("containerd.version"))
    # Where none is named, kops itself stops with a panic.
    if declared.since(29) and (version is None or version < (1, 7, 0)):
        problem = "needs containerd.version to be set, to 1.7.0 or newer"
        yield declared.refuse("component", "containerd.nri", problem, source, at=at)


def _accelerators(declared: Declared) -> Iterator[Rejection]:
    here, in_cluster = cloud_of(declared), declared.cluster is declared
    at: AtCommand = "create" if in_cluster else "update"
    place = "containerd.nvidiaGPU"
    if declared.flag(f"{place}.enabled") and here and declared.since(22):
        source = "validation.go, validateNvidiaConfig"
        problem = None
        runtime = declared.cluster.text("containerRuntime") if declared.cluster else ""
        if here not in ("aws", "openstack"):
            problem = "is supported only on AWS and OpenStack"
        elif runtime not in ("", "containerd") and declared.until(28):
            problem = f"needs containerRuntime: containerd, but that is {runtime}"
        elif here == "openstack" and in_cluster:
            problem = "can be set only in instance groups on OpenStack"
        if problem is not None:
            yield declared.refuse("component", place, problem, source, at=at)
    if in_cluster and declared.has("containerd.gvisor") and declared.since(36):
        problem = "can be set only in instance groups"
        source = "validation.go, validateGVisorConfig"
        yield declared.refuse("component", "containerd.gvisor", problem, source)


_REPOSITORIES = {"gs": "gce", "s3": "aws", "azureblob": "azure"}


def assets(declared: Declared) -> Iterator[Rejection]:
    """Where images and files are mirrored."""
    source = "validation.go, validateClusterSpec"
    both = declared.has("assets.containerRegistry")
    if both and declared.has("assets.containerProxy") and declared.since(19):
        clash = "cannot be used together with containerRegistry"
        yield declared.refuse("component", "assets.containerProxy", clash, source)
    place = "assets.fileRepository"
    text = declared.text(place)
    if not declared.has(place) or not declared.since(36):
        return
    try:
        url = urlsplit(text)
    except ValueError:
        url = urlsplit("")
    problem = None
    needed = _REPOSITORIES.get(url.scheme)
    if url.scheme not in ("http", "https", *_REPOSITORIES):
        problem = (
            f"is {quoted(text)}, but must be a URL (http, https, s3, gs, azureblob)"
        )
    elif needed is not None and declared.until(36):
        problem = f"is {quoted(text)}, but must be an http:// or https:// URL"
    elif needed is not None and cloud_of(declared) not in ("", needed):
        problem = f"is {quoted(text)}, which works only on {needed}"
    elif not url.netloc:
        problem = f"is {quoted(text)}, which has no host"
    elif url.scheme == "s3" and _outside_partition(declared) and declared.since(37):
        problem = f"is {quoted(text)}, which kops cannot use in this region"
    elif url.scheme == "azureblob" and not url.path.strip("/"):
        problem = f"is {quoted(text)}, which has no container"
    if problem is not None:
        source = "validation.go, validateFileRepository"
        yield declared.refuse("component", place, problem, source)


def _outside_partition(declared: Declared) -> bool:
    """Whether the cluster is where S3 has another domain than amazonaws.com.

    Source: kops pkg/apis/kops/validation/aws.go, awsValidateS3FileRepositoryPartition.
    """
    zones = (declared.text(f"{s}.zone") for s in declared.each("networking.subnets"))
    return any(zone.startswith(("cn-", "us-iso", "eu-isoe-")) for zone in zones)


def rolling_update(declared: Declared, control_plane: bool) -> Iterator[Rejection]:
    """How many machines a roll may take at once."""
    source = "validation.go, validateRollingUpdate"
    unavailable: int | None = 1
    place = "rollingUpdate.maxUnavailable"
    if declared.has(place):
        unavailable = _scaled(declared.node(place), 1)
        if unavailable is None:
            unreadable = (
                f"is {quoted(declared.text(place))}, but must be a number or a"
                " percentage"
            )
            yield declared.refuse("component", place, unreadable, source)
        elif unavailable < 0:
            yield declared.refuse("component", place, "is negative", source)
    place = "rollingUpdate.maxSurge"
    if not declared.has(place) or not declared.since(18):
        return
    surge = _scaled(declared.node(place), 1000)
    problem = None
    if surge is None:
        problem = (
            f"is {quoted(declared.text(place))}, but must be a number or a percentage"
        )
    elif control_plane and surge != 0:
        problem = "must be 0: control-plane groups cannot surge"
    elif surge < 0:
        problem = "is negative"
    elif unavailable == 0 and surge == 0:
        problem = "must not be 0 if maxUnavailable is 0"
    if problem is not None:
        yield declared.refuse("component", place, problem, source)


def _scaled(node: Node | None, total: int) -> int | None:
    """A number, or a percentage of ``total``, or None if it is neither.

    Source: apimachinery pkg/util/intstr, GetScaledValueFromIntOrPercent; a percentage
    of one machine is none unless it is all, and of many it is rounded up.
    """
    value = node.plain if node is not None else None
    if isinstance(value, int | float):
        return int(value)
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+%", value):
        return None
    product = int(value[:-1]) * total
    return product // 100 if total == 1 else -(-product // 100)


_GROUP = "instancegroup.go, ValidateInstanceGroup"
_CROSS = "instancegroup.go, CrossValidateInstanceGroup"


def role_of(declared: Declared) -> str:
    """The role as kops sees it: ``Master`` of v1alpha2 is the control plane."""
    text = declared.text("role")
    is_master = text == "Master" and declared.version == "v1alpha2"
    return "ControlPlane" if is_master else text


def group(declared: Declared, has_member: bool) -> Iterator[Rejection]:
    """Everything about one instance group, with its cluster if that is known.

    ``has_member`` tells whether an etcd member of the cluster runs in the group.
    """
    yield from check_rows(GROUP_ROWS, declared)
    yield from _alone(declared, has_member)
    yield from _volumes(declared)
    yield from hooks(declared)
    yield from labels(declared)
    is_control_plane = role_of(declared) == "ControlPlane"
    yield from rolling_update(declared, is_control_plane)
    if declared.cluster is not None:
        yield from containerd(declared)
        yield from _in_cluster(declared, declared.cluster)


def _alone(declared: Declared, has_member: bool) -> Iterator[Rejection]:
    role = role_of(declared)
    least, most = declared.number("minSize"), declared.number("maxSize")
    if least is not None and most is not None and most < least:
        problem = f"is {most}, less than minSize {least}"
        smaller = declared.refuse("group", "maxSize", problem, _GROUP)
        if role == "ControlPlane":
            smaller = smaller._replace(kind="control-plane-size")
        yield smaller
    if role == "ControlPlane" and not declared.count("subnets"):
        problem = "is missing: a control-plane group needs a subnet"
        nowhere = declared.refuse("missing-field", "subnets", problem, _GROUP)
        told = has_member and not declared.count("zones")
        yield nowhere._replace(kind="zones") if told else nowhere
    renamed = declared.version == "v1alpha2" and declared.text("role") == "ControlPlane"
    if renamed and declared.until(25):
        problem = "is ControlPlane, which kops before 1.26 calls Master"
        hint = "write role: Master"
        yield declared.refuse("unsupported-value", "role", problem, _GROUP, hint=hint)
    gvisor = declared.flag("containerd.gvisor.enabled") is True
    if gvisor and role not in ("", "Node") and declared.since(36):
        problem = "can be enabled only in groups with role Node"
        yield declared.refuse("group", "containerd.gvisor", problem, _GROUP)
    seen: set[str] = set()
    for path in declared.each("taints"):
        text = declared.text(path)
        if text in seen and declared.since(22):
            problem = f"repeats {text}"
            yield declared.refuse("group", path, problem, _GROUP)
        seen.add(text)
    for path in declared.each("externalLoadBalancers"):
        both = declared.has(f"{path}.loadBalancerName")
        if both and declared.has(f"{path}.targetGroupARN") and declared.since(19):
            problem = "cannot have both a loadBalancerName and a target group"
            source = "instancegroup.go, validateExternalLoadBalancer"
            yield declared.refuse("group", path, problem, source)


def _volumes(declared: Declared) -> Iterator[Rejection]:
    """Volumes, mounts and user data: each with all that it needs."""
    for field, needed, source, since in (
        ("volumes", ("device",), "instancegroup.go, validateVolumeSpec", 12),
        (
            "volumeMounts",
            ("device", "filesystem", "path"),
            "instancegroup.go, validateVolumeMountSpec",
            12,
        ),
        (
            "additionalUserData",
            ("name", "content", "type"),
            "instancegroup.go, validateExtraUserData",
            10,
        ),
    ):
        for item in declared.each(field):
            for name in needed:
                place = f"{item}.{name}"
                if not declared.text(place) and declared.since(since):
                    if name == "type" and declared.has(place):
                        continue
                    problem = "is missing"
                    yield declared.refuse("missing-field", place, problem, source)
    for item in declared.each("volumes"):
        size = declared.number(f"{item}.size")
        source = "instancegroup.go, validateVolumeSpec"
        if not declared.has(f"{item}.size"):
            place = f"{item}.size"
            yield declared.refuse("missing-field", place, "is missing", source)
        elif size is not None and size <= 0:
            problem = f"is {size}, but must be more than zero"
            yield declared.refuse("group", f"{item}.size", problem, source)


def _in_cluster(declared: Declared, cluster: Declared) -> Iterator[Rejection]:
    """What ``update`` asks of a group beside its cluster."""
    here, role = cloud_of(declared), role_of(declared)
    if role == "APIServer" and here:
        problem = None
        if here == "aws" and dns_type(cluster) == "None" and declared.since(26):
            problem = "cannot be APIServer if topology.dns is None"
        elif here not in ("aws", "gce") and declared.since(21):
            problem = "can be APIServer only on AWS and GCE"
        elif here == "gce" and declared.since(21) and declared.until(35):
            problem = "can be APIServer only on AWS"
        if problem is not None:
            yield declared.refuse("group", "role", problem, _CROSS, at="update")
        elif declared.since(21):
            problem = "is APIServer, which needs a feature flag of kops"
            source = (
                "upup/pkg/fi/cloudup/populate_instancegroup_spec.go, "
                "PopulateInstanceGroupSpec"
            )
            yield declared.refuse(
                "feature-flag",
                "role",
                problem,
                source,
                at="update",
                hint="export KOPS_FEATURE_FLAGS=+APIServerNodes wherever kops runs",
            )
    known = subnet_types(cluster)
    # Where no subnets are there at all, that is the mistake.
    all_missing = not known and demands_of(here).subnets
    for path in declared.each("subnets"):
        if declared.text(path) not in known and not all_missing:
            problem = f"is {quoted(declared.text(path))}, which is not a subnet here"
            stranger = declared.refuse("group", path, problem, _CROSS, at="update")
            yield stranger._replace(kind="missing-subnet") if known else stranger
    yield from in_cloud(declared, cluster, role)


def together(manifest: Manifest, cluster: Declared) -> Iterator[Rejection]:
    """What ``update`` asks of all groups of a cluster.

    Asked only where there are groups, all of them readable: a file with the Cluster
    alone says nothing about them. Source: legacy.go, DeepValidate.
    """
    groups: tuple[InstanceGroup, ...] = tuple(manifest.groups.values())
    if not groups or manifest.flaws:
        return
    source = "legacy.go, DeepValidate"
    for missing, role in (
        (not manifest.control_plane, "ControlPlane"),
        (len(manifest.control_plane) == len(groups), "Node"),
    ):
        if missing:
            problem = f"the cluster has no instance group with role {role}"
            found = cluster.refuse("group", "metadata.name", "", source, at="update")
            yield found._replace(
                message=problem, places=((found.span, f"no group with role {role}"),)
            )


def instance_profiles(
    declared: Iterable[Declared], cluster: Declared
) -> Iterator[Rejection]:
    """One instance profile of AWS for groups of one role.

    Source: pkg/model/awsmodel/iam.go, Build.
    """
    if cloud_of(cluster) != "aws":
        return
    roles: dict[str, str] = {}
    for group_ in declared:
        profile, role = group_.text("iam.profile"), role_of(group_)
        if profile and roles.setdefault(profile, role) != role:
            problem = f"is already used by groups with role {roles[profile]}"
            source = "pkg/model/awsmodel/iam.go, Build"
            yield group_.refuse("group", "iam.profile", problem, source, at="update")


def bastions(manifest: Manifest, cluster: Declared) -> Iterator[Rejection]:
    """The load balancer of bastions on AWS, where there are any.

    Source: pkg/model/awsmodel/bastion.go, Build.
    """
    place = "networking.topology.bastion.loadBalancer.type"
    text = cluster.text(place)
    here = any(group_.role == "Bastion" for group_ in manifest.groups.values())
    if here and text not in ("", "Public", "Internal") and cloud_of(cluster) == "aws":
        problem = f"is {quoted(text)}; kops accepts Public, Internal"
        source = "pkg/model/awsmodel/bastion.go, Build"
        kind: FieldKind = "unsupported-value"
        yield cluster.refuse(kind, place, problem, source, at="update")


def filled_in_load_balancer(
    manifest: Manifest, cluster: Declared
) -> Iterator[Rejection]:
    """The load balancer that kops fills in for private control planes on AWS.

    kops gives it no class and takes that for Classic, which it refuses since 1.37.
    Source: upup/pkg/fi/cloudup/populate_cluster_spec.go, run.
    """
    if cluster.has("api.dns") or cluster.has("api.loadBalancer"):
        return
    if cloud_of(cluster) != "aws" or not cluster.since(37):
        return
    private = {
        cluster.text(f"{s}.name")
        for s in cluster.each("networking.subnets")
        if cluster.text(f"{s}.type") == "Private"
    }
    servers = [g for g in manifest.groups.values() if g.role == "APIServer"]
    for group_ in servers or manifest.control_plane:
        if private & set(group_.subnets):
            problem = (
                "is missing: the control plane is in private subnets, and kops fills"
                " in a Classic load balancer, which it refuses since 1.37"
            )
            source = "upup/pkg/fi/cloudup/populate_cluster_spec.go, run"
            place = "api.loadBalancer"
            hint = "write api: {loadBalancer: {class: Network, type: Public}}"
            yield cluster.refuse(
                "api-or-dns", place, problem, source, at="update", hint=hint
            )
            return
