"""The rules about single fields of a Cluster, one row each.

The rows follow the order of kops pkg/apis/kops/validation/validation.go. Those about
components and networking stand in tables of their own, which this one includes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.clouds import elsewhere, on
from kopslint.kops.validation.rows import STILL, Row, enum, gone
from kopslint.kops.validation.values import (
    arn_of,
    at_least,
    cidr,
    has_host_and_scheme,
    ip,
    is_ipv6,
    matching,
    network,
    never,
    never_filled,
    never_true,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.rows import When
    from kopslint.kops.validation.values import Test
    from kopslint.syntax.yaml import Plain


# ------------------------------------------------------------------------------------
# The rules about single fields of the components of Kubernetes, one row each
#
# The rows follow the order of kops pkg/apis/kops/validation/validation.go. Fields
# that only v1alpha2 has keep their names of v1alpha2.

_API = "validation.go, validateKubeAPIServer"
_KUBELET = "validation.go, validateKubelet"
_PSP = "PodSecurityPolicy has been removed from Kubernetes 1.25"


def _ranges(value: Plain) -> str | None:
    if not isinstance(value, str) or network(value) is not None:
        return None
    return f"is {quoted(value)}, which is not a network range"


def _url(value: Plain) -> str | None:
    if not isinstance(value, str) or not value or has_host_and_scheme(value):
        return None
    return f"is {quoted(value)}, which is not a URL with a scheme and a host"


def _restart_period(value: Plain) -> str | None:
    period = go_seconds(value) if isinstance(value, str) else None
    if period is None or 1 <= period <= 300:
        return None
    return f"is {value}; kops accepts 1s to 300s"


def _one_second(value: Plain) -> str | None:
    period = go_seconds(value) if isinstance(value, str) else None
    if period is None or period == 0 or period >= 1:
        return None
    return f"is {value}, but must be 1s or more"


def _port_range(value: Plain) -> str | None:
    """Source: apimachinery pkg/util/net, PortRange.Set and ParsePortRange."""
    if not isinstance(value, str) or not value.strip():
        return None
    first, mark, last = value.strip().partition("-")
    if mark != "-":
        first, mark, more = value.strip().partition("+")
        last = str(int(first) + int(more)) if first.isdigit() and more.isdigit() else ""
        last = last if mark else first
    inside = all(p.isdigit() and int(p) < 2**16 for p in (first, last))
    if inside and int(first) <= int(last):
        return None
    return f"is {quoted(value)}, but must be a range of ports such as 30000-32767"


def _psp(value: Plain) -> str | None:
    return f"must not be {value}: {_PSP}" if value == "PodSecurityPolicy" else None


_since_24 = gone(24, kops=29)


def _kubelet(
    field: str,
    reason: str,
    since: int,
    test: Callable[[str], Test] = never,
    when: When | None = None,
) -> tuple[Row, ...]:
    """A field that is gone, and refused whatever it is set to, false included."""
    return tuple(
        Row("component", f"{kubelet}.{field}", test(reason), _KUBELET, since, when)
        for kubelet in ("kubelet", "controlPlaneKubelet")
    )


COMPONENT_ROWS: tuple[Row, ...] = (
    # kube-apiserver
    Row(
        "component",
        "kubeAPIServer.enableBootstrapTokenAuth",
        never_true("bootstrap tokens are not supported"),
        _API,
        since=28,
    ),
    Row(
        "component",
        "kubeAPIServer.admissionControl",
        never_filled("it has been replaced with enableAdmissionPlugins"),
        _API,
        since=26,
        when=gone(26, kops=32),
    ),
    Row(
        "component",
        "kubeAPIServer.enableAdmissionPlugins[]",
        _psp,
        _API,
        since=25,
        when=gone(25, kops=32),
    ),
    Row("component", "kubeAPIServer.serviceNodePortRange", _port_range, _API, since=18),
    # kops itself stops with a panic at one that has no value.
    Row(
        "component",
        "kubeAPIServer.oidcRequiredClaim[]",
        matching("[^=]*=", "of the form claim=value"),
        "pkg/apis/kops/v1alpha2/conversion.go, "
        "Convert_v1alpha2_ClusterSpec_To_kops_ClusterSpec",
        since=27,
    ),
    enum("kubeAPIServer.logFormat", _API, "text", "json", since=22, empty=True),
    # kube-controller-manager, kube-scheduler, kube-proxy
    Row(
        "component",
        "kubeControllerManager.experimentalClusterSigningDuration",
        never("clusterSigningDuration has replaced it"),
        "validation.go, validateKubeControllerManager",
        since=29,
        when=gone(25, kops=32),
    ),
    Row(
        "component",
        "kubeControllerManager.attachDetachReconcileSyncPeriod",
        _one_second,
        "pkg/model/components/kubecontrollermanager.go, BuildOptions",
        at="update",
    ),
    Row(
        "component",
        "kubeScheduler.usePolicyConfigMap",
        never("write a KubeSchedulerConfiguration instead"),
        "validation.go, validateKubeScheduler",
        since=29,
    ),
    Row(
        "network-range",
        "kubeProxy.ipvsExcludeCIDRs[]",
        _ranges,
        "validation.go, validateKubeProxy",
        since=11,
    ),
    Row("component", "kubeProxy.master", _url, "validation.go, validateKubeProxy"),
    # kubelet
    *_kubelet("configureCbr0", "its flag was removed in Kubernetes 1.5", 24),
    *_kubelet("apiServers", "its flag was removed in Kubernetes 1.6", 10, never_filled),
    *_kubelet(
        "podInfraContainerImage",
        "its flag was removed in Kubernetes 1.35; use containerd.sandboxImage",
        35,
        never_filled,
    ),
    *_kubelet("requireKubeconfig", "its flag was removed in Kubernetes 1.10", 10),
    *_kubelet(
        "experimentalAllowedUnsafeSysctls",
        "it was renamed to allowedUnsafeSysctls in Kubernetes 1.11",
        23,
    ),
    *_kubelet(
        "bootstrapKubeconfig", "bootstrap tokens are not supported", 28, never_filled
    ),
    *_kubelet("cpuCFSQuotaPeriod", "it was removed in Kubernetes 1.20", 23),
    *_kubelet(
        "networkPluginName", "it was removed in Kubernetes 1.24", 24, when=_since_24
    ),
    *_kubelet(
        "networkPluginMTU", "it was removed in Kubernetes 1.24", 24, when=_since_24
    ),
    *_kubelet(
        "nonMasqueradeCIDR", "it was removed in Kubernetes 1.24", 24, when=_since_24
    ),
    *_kubelet("enableCadvisorJsonEndpoints", "it needs Kubernetes 1.18 to 1.20", 21),
    *(
        row
        for kubelet in ("kubelet", "controlPlaneKubelet")
        for row in (
            enum(
                f"{kubelet}.topologyManagerPolicy",
                _KUBELET,
                "none",
                "best-effort",
                "restricted",
                "single-numa-node",
                since=18,
                empty=True,
            ),
            enum(
                f"{kubelet}.logFormat", _KUBELET, "text", "json", since=22, empty=True
            ),
            enum(
                f"{kubelet}.memorySwapBehavior",
                _KUBELET,
                "LimitedSwap",
                "UnlimitedSwap",
                since=27,
                empty=True,
            ),
            Row(
                "component",
                f"{kubelet}.crashLoopBackOffMaxContainerRestartPeriod",
                _restart_period,
                _KUBELET,
                since=35,
            ),
        )
    ),
)


# ------------------------------------------------------------------------------------
# The rules about single fields of the networking of pods, one row each
#
# The rows follow kops pkg/apis/kops/validation/validation.go, validateNetworking and
# the functions per option. Fields that only v1alpha2 has keep their names of
# v1alpha2.

_NET = "validation.go, validateNetworking"
_CALICO = "validation.go, validateNetworkingCalico"
_CILIUM = "validation.go, validateNetworkingCilium"
_calico_mode = ("Always", "CrossSubnet", "Never")


def _in_ipv6(declared: Declared) -> bool:
    return is_ipv6(declared.text("networking.nonMasqueradeCIDR"))


def _runs(minor: int) -> When:
    return lambda declared: declared.runs(minor)


def _gone(
    option: str,
    reason: str,
    since: int,
    when: When | None = None,
    until: int = STILL,
) -> Row:
    place, test = f"networking.{option}", never(reason)
    return Row("networking", place, test, _NET, since, when, until=until)


NETWORKING_ROWS: tuple[Row, ...] = (
    # Options of networking that are gone
    _gone("classic", "classic networking is not supported", 10),
    _gone("external", "Kubernetes 1.26 removed it", 26, gone(26, kops=32)),
    _gone("weave", "Weave is not supported since Kubernetes 1.23", 23, _runs(23), 27),
    _gone("weave", "it does not support IPv6", 23, _in_ipv6, 27),
    _gone("weave", "Weave is no longer supported", 28),
    # The last releases to have this are 1.30.4 and 1.31.0.
    _gone(
        "flannel", "Flannel is not supported since Kubernetes 1.28", 28, _runs(28), 31
    ),
    _gone(
        "canal",
        "Canal is not supported since Kubernetes 1.28",
        28,
        gone(28, kops=34),
    ),
    _gone("canal", "it does not support IPv6", 23, _in_ipv6, 34),
    *(
        enum(
            f"networking.canal.{field}",
            "validation.go, validateNetworkingCanal",
            *values,
            since=18,
            empty=True,
            until=34,
        )
        for field, values in (
            ("defaultEndpointToHostAction", ("ACCEPT", "DROP", "RETURN")),
            ("chainInsertMode", ("insert", "append")),
            (
                "logSeveritySys",
                ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL", "NONE"),
            ),
            ("iptablesBackend", ("Auto", "Legacy", "NFT")),
        )
    ),
    _gone("romana", "support for Romana has been removed", 19),
    _gone("lyftvpc", "support for LyftVPC has been removed", 23),
    *(
        Row(
            "networking",
            f"networking.{option}",
            never("it does not support IPv6"),
            _NET,
            since=23,
            when=_in_ipv6,
        )
        for option in ("kubenet", "kopeio", "kubeRouter", "amazonVPC", "flannel", "gcp")
    ),
    Row(
        "networking",
        "networking.amazonVPC",
        never("it is supported only on AWS"),
        _NET,
        when=elsewhere("aws"),
    ),
    Row(
        "networking",
        "networking.gcp",
        never("it is supported only on GCE"),
        "validation.go, validateNetworkingGCP",
        since=28,
        when=elsewhere("gce"),
    ),
    enum(
        "networking.flannel.backend",
        "validation.go, validateNetworkingFlannel",
        "udp",
        "vxlan",
        empty=True,
    ),
    # Calico
    *(
        enum(f"networking.calico.{field}", _CALICO, *values, since=since, empty=True)
        for field, values, since in (
            ("awsSrcDstCheck", ("Enable", "Disable", "DoNothing"), 19),
            ("bpfExternalServiceMode", ("Tunnel", "DSR"), 19),
            ("bpfLogLevel", ("Off", "Info", "Debug"), 19),
            ("chainInsertMode", ("insert", "append"), 18),
            ("encapsulationMode", ("ipip", "vxlan", "none"), 19),
            ("ipipMode", _calico_mode, 19),
            ("vxlanMode", _calico_mode, 22),
            ("iptablesBackend", ("Auto", "Legacy", "NFT"), 18),
        )
    ),
    enum(
        "networking.calico.encapsulationMode",
        _CALICO,
        "ipip",
        "vxlan",
        since=19,
        empty=True,
        until=22,
    ),
    Row(
        "networking", "networking.calico.typhaReplicas", at_least(0), _CALICO, since=18
    ),
    Row(
        "networking",
        "networking.calico.wireguardEnabled",
        never_true("WireGuard is not supported on IPv6 clusters"),
        _CALICO,
        since=26,
        when=_in_ipv6,
    ),
    # Cilium
    *(
        enum(f"networking.cilium.{field}", _CILIUM, *values, since=since, empty=True)
        for field, values, since in (
            ("enablePolicy", ("default", "always", "never"), 18),
            ("tunnel", ("vxlan", "geneve", "disabled"), 18),
            ("monitorAggregation", ("low", "medium", "maximum"), 18),
            ("identityAllocationMode", ("crd", "kvstore"), 22),
            ("bpfLBAlgorithm", ("random", "maglev"), 22),
            ("encryptionType", ("ipsec", "wireguard"), 22),
            ("ipam", ("hostscope", "kubernetes", "crd", "eni"), 18),
        )
    ),
    Row(
        "networking",
        "networking.cilium.enableEncryption",
        never_true("encryption is not supported on IPv6 clusters"),
        _CILIUM,
        since=26,
        when=_in_ipv6,
    ),
)


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


def _aws_only(
    field: str, *, test: Callable[[str], Test] = never, until: int = STILL
) -> Row:
    return Row(
        "api-or-dns",
        f"api.loadBalancer.{field}",
        test("it is only supported on AWS"),
        _SPEC,
        since=27,
        when=elsewhere("aws"),
        until=until,
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
        matching(r"(?!file://)", "not a file:// URL: kops fetches it on the machines"),
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
    _aws_only("idleTimeoutSeconds", until=36),
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
    enum(
        "clusterAutoscaler.expander",
        "validation.go, validateClusterAutoscaler",
        "least-waste",
        "random",
        "most-pods",
        since=19,
        empty=True,
        until=22,
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
        since=22,
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
    Row(
        "unsupported-value",
        "etcdClusters[].name",
        lambda value: (
            f"is {value}; kops accepts main, events, cilium"
            if value == "leases"
            else None
        ),
        "validation.go, validateEtcdClusterSpec",
        since=21,
        until=35,
    ),
)
