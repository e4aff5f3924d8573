"""The rules about single fields of a Cluster, one row each.

The rows follow the order of kops pkg/apis/kops/validation/validation.go. Those about
components and networking stand in tables of their own, which this one includes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import elsewhere, on
from kopslint.kops.validation.component_rows import COMPONENT_ROWS
from kopslint.kops.validation.enums import enum
from kopslint.kops.validation.networking_rows import NETWORKING_ROWS
from kopslint.kops.validation.rows import Row, gone
from kopslint.kops.validation.values import (
    arn_of,
    cidr,
    ip,
    is_ipv6,
    matching,
    network,
    never,
    never_filled,
    never_true,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.values import Test
    from kopslint.syntax.yaml_tree import Plain

_SPEC = "validation.go, validateClusterSpec"
# Where kops can keep its files, by the beginning of the URL, some of them in the past.
# Source: kops util/pkg/vfs/context.go, BuildVfsPath.
_STORES = (
    "(?!.*://)|(file|s3|do|linode|hos|memfs|gs|k8s|swift|azureblob|scw|oss|vault)://"
)
_GOSSIP = "gossip DNS was removed in kops 1.37"


def _readable(value: Plain) -> str | None:
    fits = isinstance(value, str) and network(value) is not None
    return None if fits else _access(value)


def _access(value: Plain) -> str | None:
    is_list = isinstance(value, str) and value.startswith("pl-")
    return None if is_list else cidr(value)


def _no_prefix_list(value: Plain) -> str | None:
    is_list = isinstance(value, str) and value.startswith("pl-")
    return "is a prefix list, which only AWS has" if is_list else None


def _ipv6(declared: Declared) -> bool:
    return is_ipv6(declared.text("networking.nonMasqueradeCIDR"))


def _external_permissions(declared: Declared) -> bool:
    field = "iam.useServiceAccountExternalPermissions"
    return on("aws")(declared) and declared.flag(field) is True


def _aws_only(field: str, *, test: Callable[[str], Test] = never) -> Row:
    return Row(
        "api-or-dns",
        f"api.loadBalancer.{field}",
        test("it is only supported on AWS"),
        _SPEC,
        since=27,
        when=elsewhere("aws"),
    )


CLUSTER_ROWS: tuple[Row, ...] = (
    Row("api-or-dns", "gossipConfig", never(_GOSSIP), _SPEC, since=37),
    Row("api-or-dns", "dnsControllerGossipConfig", never(_GOSSIP), _SPEC, since=37),
    *(
        row
        for field in ("sshAccess", "api.access", "nodePortAccess")
        for row in (
            Row("network-range", f"{field}[]", _readable, _SPEC),
            Row("network-range", f"{field}[]", _access, _SPEC, since=18),
            Row(
                "network-range",
                f"{field}[]",
                _no_prefix_list,
                _SPEC,
                when=elsewhere("aws"),
            ),
        )
    ),
    enum("updatePolicy", _SPEC, "automatic", "external", since=19),
    Row(
        "addon",
        "addons[].manifest",
        matching(r"(?!file://)", "no file:// URL: kops fetches it on the machines"),
        _SPEC,
        since=36,
    ),
    Row(
        "component",
        "nodeAuthorization",
        never("it is built in since Kubernetes 1.19"),
        _SPEC,
        since=20,
    ),
    enum("containerRuntime", _SPEC, "containerd", "docker", since=18, empty=True),
    Row(
        "component",
        "containerRuntime",
        matching("(?!docker$)", "containerd: Kubernetes 1.24 removed Docker"),
        "validation.go, validateContainerRuntime",
        since=24,
        when=gone(24, kops=29),
    ),
    Row(
        "component",
        "docker",
        never("Kubernetes 1.24 removed it"),
        _SPEC,
        since=24,
        when=gone(24, kops=29),
    ),
    Row(
        "component",
        "sysctlParameters[]",
        matching("[^=]*=", "of the form name=value"),
        _SPEC,
        since=28,
    ),
    *(_aws_only(field, test=never_filled) for field in ("class", "sslCertificate")),
    # These are refused whatever they are set to, false and an empty list included.
    *map(
        _aws_only,
        (
            "securityGroupOverride",
            "additionalSecurityGroups",
            "sslPolicy",
            "crossZoneLoadBalancing",
            "accessLog",
        ),
    ),
    Row(
        "cloud",
        "iam.legacy",
        never_true("kops no longer supports these permissions"),
        _SPEC,
        since=19,
    ),
    *COMPONENT_ROWS,
    *NETWORKING_ROWS,
    *(
        Row(
            "cloud",
            store,
            matching(_STORES, "a path of the file system or an s3://, gs://, ... URL"),
            "upup/pkg/fi/cloudup/populate_cluster_spec.go, run",
            at="update",
        )
        for store in ("configStore.base", "configStore.keypairs", "configStore.secrets")
    ),
    # DNS
    enum(
        "networking.topology.dns",
        "validation.go, validateTopology",
        "Public",
        "Private",
        "None",
        since=19,
        empty=True,
    ),
    Row(
        "network-range",
        "kubeDNS.upstreamNameservers[]",
        ip,
        "legacy.go, ValidateCluster",
    ),
    Row("network-range", "kubeDNS.stubDomains{}[]", ip, "legacy.go, ValidateCluster"),
    # Addons
    enum(
        "clusterAutoscaler.expander",
        "validation.go, validateClusterAutoscaler",
        "least-waste",
        "random",
        "most-pods",
        "price",
        "priority",
        since=19,
        empty=True,
    ),
    Row(
        "addon",
        "clusterAutoscaler",
        never("the cluster autoscaler is not supported on OpenStack"),
        "validation.go, validateClusterAutoscaler",
        since=19,
        when=on("openstack"),
    ),
    enum(
        "externalDNS.provider",
        "validation.go, validateExternalDNS",
        "dns-controller",
        "external-dns",
        "none",
        since=26,
        empty=True,
    ),
    Row(
        "addon",
        "externalDNS.watchNamespace",
        matching(r"(kube-system)?$", "empty or kube-system"),
        "validation.go, validateExternalDNS",
        since=22,
    ),
    # AWS
    enum(
        "cloudProvider.aws.nlbSecurityGroupMode",
        "aws.go, awsValidateNLBSecurityGroupMode",
        "Managed",
        since=36,
        when=on("aws"),
    ),
    Row(
        "cloud",
        "cloudProvider.aws.ebsCSIDriver.enabled",
        lambda value: "must not be false" if value is False else None,
        "aws.go, awsValidateEBSCSIDriver",
        since=29,
        when=on("aws"),
    ),
    Row(
        "cloud",
        "cloudProvider.aws.useIPBasedNodeNames",
        never_true("it is not supported on IPv6 clusters"),
        "aws.go, awsValidateUseIPBasedNodeNames",
        since=37,
        when=_ipv6,
    ),
    Row(
        "cloud",
        "authentication.aws.identityMappings[].arn",
        arn_of("role/", "user/"),
        "aws.go, awsValidateIAMAuthenticator",
        since=23,
        when=on("aws"),
    ),
    Row(
        "cloud",
        "iam.serviceAccountExternalPermissions[].name",
        matching(r"[^*]*$", "the name of one service account, without a *"),
        "pkg/model/awsmodel/iam.go, formatAWSIAMStatement",
        since=26,
        when=_external_permissions,
        at="update",
    ),
    Row(
        "cloud",
        "networking.subnets[].zone",
        never_filled("GCE subnets are regional"),
        "gce.go, gceValidateCluster",
        when=on("gce"),
    ),
    Row(
        "etcd",
        "etcdClusters[].leaderElectionTimeout",
        never("etcd-manager does not support it"),
        "pkg/model/components/etcdmanager/model.go, buildPod",
        since=18,
        at="update",
    ),
    Row(
        "etcd",
        "etcdClusters[].heartbeatInterval",
        never("etcd-manager does not support it"),
        "pkg/model/components/etcdmanager/model.go, buildPod",
        since=18,
        at="update",
    ),
    enum(
        "etcdClusters[].provider",
        "validation.go, validateEtcdClusterSpec",
        "Manager",
        since=18,
        empty=True,
    ),
    enum(
        "etcdClusters[].name",
        "validation.go, validateEtcdClusterSpec",
        "main",
        "events",
        "cilium",
        "leases",
        since=21,
    ),
)
