"""Which cloud a cluster is in, and what each cloud demands of the spec.

Source: kops pkg/apis/kops/cluster.go, GetCloudProvider, and pkg/apis/kops/validation
(validation.go, aws.go, gce.go, linode.go).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from kopslint.kops.validation.values import arn_of, quoted
from kopslint.records import Record
from kopslint.syntax.yaml import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.rows import When

# By the names of v1alpha2, in the order in which kops looks for them.
CLOUDS = {
    "aws": "aws",
    "azure": "azure",
    "digitalocean": "do",
    "gce": "gce",
    "hetzner": "hetzner",
    "openstack": "openstack",
    "scaleway": "scaleway",
    "linode": "linode",
}
# The releases that a cloud came with, after 1.20.
_PROVIDER_SINCE = {"hetzner": 24, "scaleway": 26, "linode": 36}


class Demands(Record):
    """What a cloud demands of the network of a cluster (validateCloudProvider)."""

    subnets: bool = True
    network_cidr: bool = True
    no_network_cidr: bool = False
    one_network_cidr: bool = True
    non_masquerade_cidr: bool = True
    subnet_region: bool = False


_DEMANDS = {
    "aws": Demands(one_network_cidr=False),
    "azure": Demands(subnet_region=True),
    "do": Demands(subnets=False, subnet_region=True, network_cidr=False),
    "gce": Demands(
        network_cidr=False,
        subnet_region=True,
        no_network_cidr=True,
        non_masquerade_cidr=False,
    ),
    "hetzner": Demands(network_cidr=False, subnets=False),
    "openstack": Demands(network_cidr=False),
    "scaleway": Demands(network_cidr=False),
    "linode": Demands(subnets=False, subnet_region=True, network_cidr=False),
    "metal": Demands(network_cidr=False),
}
_NO_CLOUD = Demands(subnets=False, network_cidr=False)

# What the older releases of kops demanded of regions is not what the new ones do:
# regions of Azure subnets, for example, are asked for since 1.28.
_REGIONS_SINCE = {"gce": 10, "do": 28, "azure": 28, "linode": 37}


def demands_of(cloud: str) -> Demands:
    """What a cloud demands; of no cloud, nothing that depends on it."""
    return _DEMANDS.get(cloud, _NO_CLOUD)


def cloud_of(declared: Declared) -> str:
    """The cloud of the cluster, by the name of v1alpha3; empty if none is known."""
    return "" if declared.cluster is None else _cloud_of_cluster(declared.cluster)


# All rules about a cluster are asked in one go, those about its groups too.
@lru_cache(maxsize=1)
def subnet_types(cluster: Declared) -> dict[str, str]:
    """The type of each subnet of a cluster by its name; empty where none is set."""
    return {
        cluster.text(f"{subnet}.name"): cluster.text(f"{subnet}.type")
        for subnet in cluster.each("networking.subnets")
    }


@lru_cache(maxsize=1)
def _cloud_of_cluster(cluster: Declared) -> str:
    if cluster.metadata("labels", "alpha.kops.k8s.io/cloud-provider") == "metal":
        return "metal"
    if cluster.version == "v1alpha2":
        return CLOUDS.get(cluster.text("cloudProvider"), "")
    keys = cluster.keys("cloudProvider")
    named = (c for c in CLOUDS.values() if c in keys)
    return next((c for c in named if cluster.has(f"cloudProvider.{c}")), "")


def on(*clouds: str) -> When:
    """Holds for objects in these clouds."""
    return lambda declared: cloud_of(declared) in clouds


def elsewhere(*clouds: str) -> When:
    """Holds for objects of a known cloud other than these."""
    return lambda declared: cloud_of(declared) not in ("", *clouds)


def cloud(declared: Declared) -> Iterator[Rejection]:
    """The cloud provider itself: one, known, and with what belongs to it."""
    if declared.version == "v1alpha2":
        text = declared.text("cloudProvider")
        if text and text not in CLOUDS:
            yield declared.refuse(
                "unsupported-value",
                "cloudProvider",
                f"is {quoted(text)}; kops accepts {', '.join(CLOUDS)}",
                "pkg/apis/kops/v1alpha2/conversion.go, "
                "Convert_v1alpha2_ClusterSpec_To_kops_ClusterSpec",
            )
        elif not declared.until(_PROVIDER_SINCE.get(CLOUDS.get(text, ""), 0) - 1):
            if text:
                yield from _of_other_clouds(declared)
        else:
            since = _PROVIDER_SINCE[CLOUDS[text]]
            yield declared.refuse(
                "unsupported-value",
                "cloudProvider",
                f"is {quoted(text)}, which kops accepts from 1.{since} on",
                "pkg/apis/kops/v1alpha2/conversion.go, "
                "Convert_v1alpha2_ClusterSpec_To_kops_ClusterSpec",
            )
    else:
        first, *others = [
            c for c in CLOUDS.values() if declared.has(f"cloudProvider.{c}")
        ] or [""]
        for other in others:
            yield declared.refuse(
                "cloud",
                f"cloudProvider.{other}",
                f"is set together with {first}: only one cloud provider is permitted",
                "validation.go, validateCloudProvider",
            )


# Fields of v1alpha2 that kops moves into the settings of one cloud, and refuses to
# decode in another.
_MOVED = {
    "aws": (
        "cloudConfig.awsEBSCSIDriver",
        "cloudConfig.disableSecurityGroupIngress",
        "cloudConfig.elbSecurityGroup",
        "cloudConfig.useIPBasedNodeNames",
        "cloudConfig.nlbSecurityGroupMode",
        "cloudConfig.nodeIPFamilies",
        "cloudConfig.spotinstOrientation",
        "cloudConfig.spotinstProduct",
        "nodeTerminationHandler",
        "awsLoadBalancerController",
        "warmPool",
        "podIdentityWebhook",
    ),
    "gce": (
        "cloudConfig.gceServiceAccount",
        "cloudConfig.gceUseStartupScript",
        "cloudConfig.gcpPDCSIDriver",
        "cloudConfig.multizone",
        "cloudConfig.nodeTags",
        "cloudConfig.nodeInstancePrefix",
    ),
}
_MOVED_SINCE = 26


def _of_other_clouds(declared: Declared) -> Iterator[Rejection]:
    here = CLOUDS.get(declared.text("cloudProvider"), "")
    if not declared.since(_MOVED_SINCE):
        return
    for owner, paths in _MOVED.items():
        for path in paths if owner != here else ():
            if declared.has(path):
                yield declared.refuse(
                    "cloud",
                    path,
                    f"is a setting only for {owner}, but this cluster is in {here}",
                    "pkg/apis/kops/v1alpha2/conversion.go, "
                    "Convert_v1alpha2_ClusterSpec_To_kops_ClusterSpec",
                )


def regions_demanded(declared: Declared) -> bool:
    """Whether every subnet must name its region."""
    here = cloud_of(declared)
    return demands_of(here).subnet_region and declared.since(_REGIONS_SINCE[here])


def iam(declared: Declared) -> Iterator[Rejection]:
    """Permissions: additional and external policies, and service accounts."""
    for field in ("additionalPolicies", "externalPolicies"):
        yield from _policy_roles(declared, field)
    for item in declared.each("additionalPolicies"):
        yield from _statements(declared, item)
    policy = arn_of("policy/")
    for role in declared.each("externalPolicies"):
        for item in declared.each(role):
            problem = policy(declared.text(item))
            if problem and declared.since(19):
                yield declared.refuse(
                    "cloud", item, problem, "validation.go, validateExternalPolicies"
                )
    yield from _service_accounts(declared)


_ROLES = (
    "control-plane",
    "apiserver",
    "node",
    "bastion",
    "etcd",
    "scheduler",
    "kubecontrollermanager",
)


def _policy_roles(declared: Declared, field: str) -> Iterator[Rejection]:
    # Until 1.25 kops called the control plane a master here in every version.
    known = {*_ROLES}
    if declared.version == "v1alpha2" or not declared.since(26):
        known.add("master")
    for role in declared.keys(field):
        if role not in known:
            near = role.rstrip("s").lower()
            place = f"{field}{{{role}}}"
            refused = declared.refuse(
                "unsupported-value",
                place,
                f"is for a role that kops does not know; it knows {', '.join(_ROLES)}",
                "validation.go, validateAdditionalPolicy",
                hint=f"write {near}" if near in known else "",
            )
            yield refused.moved(declared.key(place))


def _statements(declared: Declared, item: str) -> Iterator[Rejection]:
    """Source: kops pkg/model/iam/iam_builder.go, ParseStatements."""
    source = "validation.go, validateAdditionalPolicy"
    if not isinstance(declared.node(item), Scalar):
        return
    text = declared.text(item)
    try:
        statements = json.loads(text)
    except ValueError as error:
        yield declared.refuse("cloud", item, f"is not valid JSON: {error}", source)
        return
    if not isinstance(statements, list):
        yield declared.refuse("cloud", item, "is no JSON list of statements", source)
        return
    for index, statement in enumerate(statements):
        effect = None
        if isinstance(statement, dict):
            # Go decodes the names of fields in any case.
            folded = {key.lower(): value for key, value in statement.items()}
            effect = folded.get("effect")
        if effect not in ("Allow", "Deny"):
            yield declared.refuse(
                "cloud",
                item,
                f"needs an Effect of Allow or Deny in statement {index}",
                source,
            )


def _service_accounts(declared: Declared) -> Iterator[Rejection]:
    source = "validation.go, validateSAExternalPermissions"
    seen: set[tuple[str, str]] = set()
    for item in declared.each("iam.serviceAccountExternalPermissions"):
        namespace = declared.text(f"{item}.namespace")
        name = declared.text(f"{item}.name")
        for field, value in (("namespace", namespace), ("name", name)):
            if not value:
                yield declared.refuse(
                    "missing-field", f"{item}.{field}", "is missing", source
                )
        if (namespace, name) in seen:
            yield declared.refuse(
                "cloud", f"{item}.name", f"repeats {namespace}/{name}", source
            )
        seen.add((namespace, name))
        inline = declared.text(f"{item}.aws.inlinePolicy")
        arns = declared.count(f"{item}.aws.policyARNs")
        if not declared.has(f"{item}.aws"):
            problem = "is missing: AWS permissions must be set"
            yield declared.refuse("missing-field", f"{item}.aws", problem, source)
        elif not inline and not arns:
            problem = "needs inlinePolicy or policyARNs"
            yield declared.refuse("cloud", f"{item}.aws", problem, source)
        elif inline and arns:
            problem = "cannot have both inlinePolicy and policyARNs"
            yield declared.refuse("cloud", f"{item}.aws", problem, source)
