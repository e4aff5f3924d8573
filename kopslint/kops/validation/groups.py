"""Instance groups: what one must have, and what its cluster allows it.

Sizes and etcd members of the control plane stand in ``kopslint.kops.refusals``. Source:
kops pkg/apis/kops/validation/instancegroup.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of, demands_of, subnet_types
from kopslint.kops.validation.endpoints import dns_type
from kopslint.kops.validation.group_clouds import in_cloud
from kopslint.kops.validation.group_rows import GROUP_ROWS
from kopslint.kops.validation.identity import labels
from kopslint.kops.validation.machines import containerd, hooks, rolling_update
from kopslint.kops.validation.rows import check_rows
from kopslint.kops.validation.values import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.spec import InstanceGroup, Manifest
    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Kind, Violation

_GROUP = "instancegroup.go, ValidateInstanceGroup"
_CROSS = "instancegroup.go, CrossValidateInstanceGroup"


def role_of(declared: Declared) -> str:
    """The role as kops sees it: ``Master`` of v1alpha2 is the control plane."""
    text = declared.text("role")
    is_master = text == "Master" and declared.version == "v1alpha2"
    return "ControlPlane" if is_master else text


def group(declared: Declared, has_member: bool) -> Iterator[Violation]:
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


def _alone(declared: Declared, has_member: bool) -> Iterator[Violation]:
    role = role_of(declared)
    least, most = declared.number("minSize"), declared.number("maxSize")
    if least is not None and most is not None and most < least:
        problem = f"is {most}, less than minSize {least}"
        smaller = declared.refuse("group", "maxSize", problem, _GROUP)
        yield smaller._replace(covered_by="KL108" if role == "ControlPlane" else "")
    if role == "ControlPlane" and not declared.count("subnets"):
        problem = "is missing: a group of the control plane needs a subnet"
        nowhere = declared.refuse("missing-field", "subnets", problem, _GROUP)
        told = has_member and not declared.count("zones")
        yield nowhere._replace(covered_by="KL111" if told else "")
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


def _volumes(declared: Declared) -> Iterator[Violation]:
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
            problem = f"is {size}, and must be more than zero"
            yield declared.refuse("group", f"{item}.size", problem, source)


def _in_cluster(declared: Declared, cluster: Declared) -> Iterator[Violation]:
    """What ``update`` asks of a group beside its cluster."""
    here, role = cloud_of(declared), role_of(declared)
    if role == "APIServer" and here:
        problem = None
        if here == "aws" and dns_type(cluster) == "None" and declared.since(26):
            problem = "cannot be APIServer where topology.dns is None"
        elif here not in ("aws", "gce") and declared.since(36):
            problem = "can be APIServer only on AWS and GCE"
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
            problem = f"is {quoted(declared.text(path))}, which is no subnet here"
            stranger = declared.refuse("group", path, problem, _CROSS, at="update")
            yield stranger._replace(covered_by="KL214" if known else "")
    yield from in_cloud(declared, cluster, role)


def together(manifest: Manifest, cluster: Declared) -> Iterator[Violation]:
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
            yield found._replace(message=problem, label=f"no group with role {role}")


def instance_profiles(
    declared: Iterable[Declared], cluster: Declared
) -> Iterator[Violation]:
    """One instance profile of AWS for groups of one role.

    Source: pkg/model/awsmodel/iam.go, Build.
    """
    if cloud_of(cluster) != "aws":
        return
    roles: dict[str, str] = {}
    for group_ in declared:
        profile, role = group_.text("iam.profile"), role_of(group_)
        if profile and roles.setdefault(profile, role) != role:
            problem = f"is that of groups with role {roles[profile]} already"
            source = "pkg/model/awsmodel/iam.go, Build"
            yield group_.refuse("group", "iam.profile", problem, source, at="update")


def bastions(manifest: Manifest, cluster: Declared) -> Iterator[Violation]:
    """The load balancer of bastions on AWS, where there are any.

    Source: pkg/model/awsmodel/bastion.go, Build.
    """
    place = "networking.topology.bastion.loadBalancer.type"
    text = cluster.text(place)
    here = any(group_.role == "Bastion" for group_ in manifest.groups.values())
    if here and text not in ("", "Public", "Internal") and cloud_of(cluster) == "aws":
        problem = f"is {quoted(text)}, and kops takes Public, Internal"
        source = "pkg/model/awsmodel/bastion.go, Build"
        kind: Kind = "unsupported-value"
        yield cluster.refuse(kind, place, problem, source, at="update")


def filled_in_load_balancer(
    manifest: Manifest, cluster: Declared
) -> Iterator[Violation]:
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
                "is missing: the control plane is in private subnets, and kops fills "
                "in a load balancer of the class Classic, which it refuses since 1.37"
            )
            source = "upup/pkg/fi/cloudup/populate_cluster_spec.go, run"
            place = "api.loadBalancer"
            hint = "write api: {loadBalancer: {class: Network, type: Public}}"
            yield cluster.refuse(
                "api-or-dns", place, problem, source, at="update", hint=hint
            )
            return
