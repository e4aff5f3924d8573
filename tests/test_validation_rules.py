"""What kops refuses: one small change to a sound spec, and exactly what is said.

Each case lays some fields over a Cluster and a group that kops accepts, and names the
kind and the field of every rejection. A field set to None is taken out.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kopslint.kops.decode import read_fleet
from kopslint.kops.validation import is_of_field, rejections, update_rejections
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.kops.spec import Manifest

Fields = dict[str, Any]

CLUSTER: Fields = {
    "apiVersion": "kops.k8s.io/v1alpha2",
    "kind": "Cluster",
    "metadata": {"name": "demo.example.com"},
    "spec": {
        "api": {"dns": {}},
        "cloudProvider": "aws",
        "configBase": "s3://state/demo.example.com",
        "etcdClusters": [
            {"name": name, "etcdMembers": [{"name": "a", "instanceGroup": "master-a"}]}
            for name in ("main", "events")
        ],
        "kubernetesVersion": "1.37.0",
        "networkCIDR": "10.20.0.0/16",
        "networking": {"cni": {}},
        "nonMasqueradeCIDR": "100.64.0.0/10",
        "subnets": [
            {
                "name": "a",
                "zone": "eu-west-1a",
                "type": "Private",
                "cidr": "10.20.16.0/20",
            }
        ],
        "topology": {"dns": {"type": "Public"}},
    },
}


def group(name: str, role: str, **spec: object) -> Fields:
    return {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "InstanceGroup",
        "metadata": {
            "name": name,
            "labels": {"kops.k8s.io/cluster": "demo.example.com"},
        },
        "spec": {"role": role, "minSize": 1, "maxSize": 1, "subnets": ["a"], **spec},
    }


def laid_over(base: Fields, fields: Fields) -> Fields:
    """``base`` with ``fields`` over it, mapping by mapping."""
    result = copy.deepcopy(base)
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = laid_over(result[key], value)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def manifest(
    cluster: Fields | None = None, nodes: Fields | None = None, name: str = ""
) -> Manifest:
    """The sound cluster with ``cluster`` and ``nodes`` laid over the two specs."""
    objects = [
        laid_over(CLUSTER, {"spec": cluster or {}}),
        group("master-a", "Master"),
        laid_over(group("nodes", "Node"), {"spec": nodes or {}}),
    ]
    text = yaml.safe_dump_all(objects, sort_keys=False)
    if name:
        text = text.replace("demo.example.com", name)
    (found,) = read_fleet([Source("cluster.yaml", text)]).manifests.values()
    return found


def told(found: Manifest, kops: str = "1.37") -> set[str]:
    return {
        f"{v.kind} {v.path}"
        for v in rejections(found, kops_version=kops)
        if is_of_field(v)
    }


def test_a_sound_cluster_is_not_refused() -> None:
    assert told(manifest()) == set()


RANGE, VALUE, MISSING = "network-range", "unsupported-value", "missing-field"
IPV6 = {"nonMasqueradeCIDR": "::/0"}
SUBNET = CLUSTER["spec"]["subnets"][0]


def subnets(*changes: Fields) -> Fields:
    return {"subnets": [laid_over(SUBNET, change) for change in changes]}


CLUSTERS: dict[str, tuple[Fields, set[str]]] = {
    # Ranges
    "an address is no range": (
        {"sshAccess": ["10.0.0.1"]},
        {f"{RANGE} spec.sshAccess[0]"},
    ),
    "bits outside of a prefix": (
        {"kubernetesApiAccess": ["10.0.0.1/24"]},
        {f"{RANGE} spec.kubernetesApiAccess[0]"},
    ),
    "a prefix list is fine on AWS": ({"nodePortAccess": ["pl-0123"]}, set()),
    "no network": ({"networkCIDR": None}, {f"{MISSING} spec.networkCIDR"}),
    "no range for pods": (
        {"nonMasqueradeCIDR": None},
        {f"{MISSING} spec.nonMasqueradeCIDR"},
    ),
    "pods in the network": (
        {"nonMasqueradeCIDR": "10.20.0.0/17"},
        {f"{RANGE} spec.nonMasqueradeCIDR"},
    ),
    "pods in the network are fine with Amazon's plugin": (
        {
            "nonMasqueradeCIDR": "10.20.0.0/16",
            "networking": {"cni": None, "amazonvpc": {}},
        },
        set(),
    ),
    "pods outside of their range": (
        {"podCIDR": "192.168.0.0/16"},
        {f"{RANGE} spec.podCIDR"},
    ),
    "cluster range outside": (
        {"kubeControllerManager": {"clusterCIDR": "10.0.0.0/11"}},
        {f"{RANGE} spec.kubeControllerManager.clusterCIDR"},
    ),
    "IPv6 that is not all": (
        {"nonMasqueradeCIDR": "fd00::/8"},
        {f"{RANGE} spec.nonMasqueradeCIDR"},
    ),
    # Subnets
    "no subnets": ({"subnets": []}, {f"{MISSING} spec.subnets"}),
    "subnet outside": (
        subnets({"cidr": "10.30.0.0/20"}),
        {f"{RANGE} spec.subnets[0].cidr"},
    ),
    "subnet in an additional network": (
        {
            "additionalNetworkCIDRs": ["10.30.0.0/16"],
            **subnets({"cidr": "10.30.0.0/20"}),
        },
        set(),
    ),
    "subnet among services": (
        {"serviceClusterIPRange": "10.20.16.0/24", **subnets({})},
        {f"{RANGE} spec.subnets[0].cidr"},
    ),
    "two subnets of a name": (
        subnets({}, {"cidr": "10.20.32.0/20"}),
        {f"{RANGE} spec.subnets[1].name"},
    ),
    "overlapping subnets are left to the cloud": (
        subnets({}, {"name": "b", "cidr": "10.20.16.0/24"}),
        set(),
    ),
    "an id for one alone": (
        subnets({"id": "subnet-1"}, {"name": "b", "cidr": "10.20.32.0/20"}),
        {f"{RANGE} spec.subnets[1].id"},
    ),
    "two regions": (
        subnets({}, {"name": "b", "cidr": "10.20.32.0/20", "zone": "eu-west-2a"}),
        {f"{RANGE} spec.subnets[1].zone"},
    ),
    "no type": (subnets({"type": None}), {f"{MISSING} spec.subnets[0].type"}),
    "a type in lower case": (
        subnets({"type": "private"}),
        {f"{VALUE} spec.subnets[0].type"},
    ),
    "dual stack without IPv6": (
        subnets({"type": "DualStack"}),
        {f"{RANGE} spec.subnets[0].type"},
    ),
    "an egress that is none": (
        subnets({"egress": "gateway-1"}),
        {f"{RANGE} spec.subnets[0].egress"},
    ),
    "egress of a public subnet": (
        subnets({"type": "Public", "egress": "nat-1"}),
        {f"{RANGE} spec.subnets[0].egress"},
    ),
    "routes of a public subnet": (
        subnets(
            {
                "type": "Public",
                "additionalRoutes": [{"cidr": "10.99.0.0/16", "target": "vpn-1"}],
            }
        ),
        {
            f"{RANGE} spec.subnets[0].additionalRoutes",
            "cloud spec.subnets[0].additionalRoutes[0].target",
        },
    ),
    "two ways out of a zone": (
        subnets(
            {"egress": "nat-1"},
            {"name": "b", "cidr": "10.20.32.0/20", "egress": "nat-2"},
        ),
        {f"{RANGE} spec.subnets[1].egress"},
    ),
    "IPv6 notation": (subnets({"ipv6CIDR": "/64#0"}), set()),
    "IPv6 notation without a number": (
        subnets({"ipv6CIDR": "/64"}),
        {f"{RANGE} spec.subnets[0].ipv6CIDR"},
    ),
    # The API
    "gossip settings": ({"gossipConfig": {}}, {"api-or-dns spec.gossipConfig"}),
    "an internal balancer without private subnets": (
        {
            "api": {
                "dns": None,
                "loadBalancer": {"class": "Network", "type": "Internal"},
            },
            **subnets({"type": "Public"}),
        },
        {"api-or-dns spec.api.loadBalancer.type"},
    ),
    "a balancer of no class": (
        {"api": {"dns": None, "loadBalancer": {"type": "Public"}}},
        {"api-or-dns spec.api.loadBalancer.class"},
    ),
    "a classic balancer": (
        {"api": {"dns": None, "loadBalancer": {"class": "Classic", "type": "Public"}}},
        {"api-or-dns spec.api.loadBalancer.class"},
    ),
    "a type in lower case for the balancer": (
        {"api": {"dns": None, "loadBalancer": {"class": "Network", "type": "public"}}},
        {f"{VALUE} spec.api.loadBalancer.type"},
    ),
    "a certificate policy without certificate": (
        {
            "api": {
                "dns": None,
                "loadBalancer": {
                    "class": "Network",
                    "type": "Public",
                    "sslPolicy": "x",
                },
            }
        },
        {"api-or-dns spec.api.loadBalancer.sslPolicy"},
    ),
    "a private address in the wrong subnet": (
        {
            "api": {
                "dns": None,
                "loadBalancer": {
                    "class": "Network",
                    "type": "Internal",
                    "subnets": [{"name": "a", "privateIPv4Address": "10.20.99.1"}],
                },
            }
        },
        {f"{RANGE} spec.api.loadBalancer.subnets[0].privateIPv4Address"},
    ),
    "a private control plane without a balancer": (
        {"api": None},
        {"api-or-dns spec.api.loadBalancer"},
    ),
    "a discovery bucket with dots": (
        {"serviceAccountIssuerDiscovery": {"discoveryStore": "s3://a.b/c"}},
        {"api-or-dns spec.serviceAccountIssuerDiscovery.discoveryStore"},
    ),
    "a provider for OIDC without a store": (
        {"serviceAccountIssuerDiscovery": {"enableAWSOIDCProvider": True}},
        {"api-or-dns spec.serviceAccountIssuerDiscovery.enableAWSOIDCProvider"},
    ),
    # Networking
    "two plugins": (
        {"networking": {"calico": {}}},
        {"networking spec.networking.calico", "networking spec.networking.cni"},
    ),
    "a plugin that is null is none": (
        {"networking": {"cni": {}, "weave": {}}},
        {
            "networking spec.networking.weave",
            "networking spec.networking.cni",
        },
    ),
    "flannel without a backend, which is udp then": (
        {"networking": {"cni": None, "flannel": {}}},
        set(),
    ),
    "flannel in IPv6": (
        {"networking": {"cni": None, "flannel": {"backend": "udp"}}, **IPV6},
        {"networking spec.networking.flannel"},
    ),
    "GCE's plugin elsewhere": (
        {"networking": {"cni": None, "gce": {}}},
        {"networking spec.networking.gce"},
    ),
    "kube-proxy beside Calico's BPF": (
        {"networking": {"cni": None, "calico": {"bpfEnabled": True}}, "kubeProxy": {}},
        {"networking spec.kubeProxy.enabled"},
    ),
    "Calico modes that exclude each other": (
        {
            "networking": {
                "cni": None,
                "calico": {"encapsulationMode": "vxlan", "ipipMode": "Always"},
            }
        },
        {"networking spec.networking.calico.ipipMode"},
    ),
    "an address found by nothing": (
        {
            "networking": {
                "cni": None,
                "calico": {"ipv4AutoDetectionMethod": "can-reach=example.com"},
            }
        },
        {"networking spec.networking.calico.ipv4AutoDetectionMethod"},
    ),
    "Cilium with etcd but no cluster for it": (
        {"networking": {"cni": None, "cilium": {"etcdManaged": True}}},
        {"networking spec.networking.cilium.etcdManaged"},
    ),
    "Cilium identities without etcd": (
        {"networking": {"cni": None, "cilium": {"identityAllocationMode": "kvstore"}}},
        {"networking spec.networking.cilium.identityAllocationMode"},
    ),
    "the L7 proxy is on unless it is turned off": (
        {"networking": {"cni": None, "cilium": {"IPTablesRulesNoinstall": True}}},
        {"networking spec.networking.cilium.enableL7Proxy"},
    ),
    "another minor of Cilium": (
        {"networking": {"cni": None, "cilium": {"version": "v1.15.1"}}},
        {"version spec.networking.cilium.version"},
    ),
    # Components
    "a removed flag of the kubelet": (
        {"masterKubelet": {"networkPluginMTU": 0}},
        {"component spec.masterKubelet.networkPluginMTU"},
    ),
    "a kubelet of another cloud": (
        {"kubelet": {"cloudProvider": "gce"}},
        {"component spec.kubelet.cloudProvider"},
    ),
    "critical pods outlive the rest": (
        {
            "kubelet": {
                "shutdownGracePeriod": "30s",
                "shutdownGracePeriodCriticalPods": "1m",
            }
        },
        {"component spec.kubelet.shutdownGracePeriodCriticalPods"},
    ),
    "ports in the wrong order": (
        {"kubeAPIServer": {"serviceNodePortRange": "32767-30000"}},
        {"component spec.kubeAPIServer.serviceNodePortRange"},
    ),
    "audit files in two folders": (
        {
            "kubeAPIServer": {
                "auditPolicyFile": "/srv/a/policy.yaml",
                "auditWebhookConfigFile": "/srv/b/webhook.yaml",
            }
        },
        {"component spec.kubeAPIServer.auditWebhookConfigFile"},
    ),
    "modes of authorization without RBAC": (
        {"authorization": {"rbac": {}}, "kubeAPIServer": {"authorizationMode": "Node"}},
        {"component spec.kubeAPIServer.authorizationMode"},
    ),
    "a DNS server outside of the services": (
        {
            "serviceClusterIPRange": "100.64.0.0/13",
            "kubeDNS": {"serverIP": "10.0.0.10"},
        },
        {f"{RANGE} spec.kubeDNS.serverIP"},
    ),
    "a nameserver that is no address": (
        {"kubeDNS": {"stubDomains": {"example.com": ["ns.example.com"]}}},
        {f"{RANGE} spec.kubeDNS.stubDomains.example.com[0]"},
    ),
    "an old containerd": (
        {"containerd": {"version": "1.7.28"}},
        {"version spec.containerd.version"},
    ),
    "a package without its hash": (
        {"containerd": {"packages": {"urlAmd64": "https://example.com/x"}}},
        {"component spec.containerd.packages.urlAmd64"},
    ),
    "a hook that does nothing": (
        {"hooks": [{"name": "a"}]},
        {"component spec.hooks[0]"},
    ),
    "a hook that is off": ({"hooks": [{"name": "a", "disabled": True}]}, set()),
    "a mirror in another cloud": (
        {"assets": {"fileRepository": "gs://bucket/path"}},
        {"component spec.assets.fileRepository"},
    ),
    "a mirror where S3 is called otherwise": (
        {
            "assets": {"fileRepository": "s3://bucket/path"},
            **subnets({"zone": "cn-north-1a"}),
        },
        {"component spec.assets.fileRepository"},
    ),
    "a percentage without its sign": (
        {"rollingUpdate": {"maxUnavailable": "10"}},
        {"component spec.rollingUpdate.maxUnavailable"},
    ),
    "neither surge nor unavailable": (
        {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}},
        {"component spec.rollingUpdate.maxSurge"},
    ),
    # The cloud and permissions
    "an unknown cloud": (
        {"cloudProvider": "AWS"},
        {f"{VALUE} spec.cloudProvider"},
    ),
    "a policy for no role": (
        {"additionalPolicies": {"nodes": "[]"}},
        {f"{VALUE} spec.additionalPolicies.nodes"},
    ),
    "a policy of masters": ({"additionalPolicies": {"master": "[]"}}, set()),
    "a statement without effect": (
        {"additionalPolicies": {"node": '[{"Action": "s3:*"}]'}},
        {"cloud spec.additionalPolicies.node"},
    ),
    "a policy that is no ARN": (
        {"externalPolicies": {"node": ["readonly"]}},
        {"cloud spec.externalPolicies.node[0]"},
    ),
    "a policy that is a number, which is told once": (
        {"externalPolicies": {"node": [5]}},
        {"wrong-type spec.externalPolicies.node[0]"},
    ),
    "permissions without a name": (
        {"iam": {"serviceAccountExternalPermissions": [{"namespace": "a"}]}},
        {
            f"{MISSING} spec.iam.serviceAccountExternalPermissions[0].name",
            f"{MISSING} spec.iam.serviceAccountExternalPermissions[0].aws",
        },
    ),
    # Versions
    "a version that kops no longer updates": (
        {"kubernetesVersion": "1.31.9"},
        {"version spec.kubernetesVersion"},
    ),
    "a version that kops does not know yet": (
        {"kubernetesVersion": "v1.38.0"},
        {"version spec.kubernetesVersion"},
    ),
    "a version that is a word": (
        {"kubernetesVersion": "latest"},
        {"version spec.kubernetesVersion"},
    ),
    "no version": ({"kubernetesVersion": None}, {f"{MISSING} spec.kubernetesVersion"}),
    # Addons
    "a metrics server without certificates": (
        {"metricsServer": {"enabled": True}},
        {"addon spec.metricsServer.insecure"},
    ),
    "Karpenter without permissions": (
        {"karpenter": {"enabled": True}},
        {"addon spec.karpenter.enabled"},
    ),
    "the price of machines is known on GCE alone": (
        {"clusterAutoscaler": {"expander": "price"}},
        {"addon spec.clusterAutoscaler.expander"},
    ),
    "a manifest that machines cannot fetch": (
        {"addons": [{"manifest": "file:///addon.yaml"}]},
        {"addon spec.addons[0].manifest"},
    ),
    "a warm pool smaller than its least": (
        {"warmPool": {"minSize": 3, "maxSize": 1}},
        {"addon spec.warmPool.maxSize"},
    ),
    # etcd
    "no main": (
        {"etcdClusters": CLUSTER["spec"]["etcdClusters"][1:]},
        {"etcd spec.etcdClusters"},
    ),
    "a misnamed main is not a missing one": (
        {
            "etcdClusters": [
                {**CLUSTER["spec"]["etcdClusters"][0], "name": "Main"},
                CLUSTER["spec"]["etcdClusters"][1],
            ]
        },
        {f"{VALUE} spec.etcdClusters[0].name"},
    ),
    "a volume faster than its size": (
        {
            "etcdClusters": [
                {
                    "name": "main",
                    "etcdMembers": [
                        {
                            "name": "a",
                            "instanceGroup": "master-a",
                            "volumeType": "gp3",
                            "volumeThroughput": 800,
                        }
                    ],
                }
            ]
        },
        {"etcd spec.etcdClusters[0].etcdMembers[0].volumeThroughput"},
    ),
    # Labels
    "a reserved label": (
        {"cloudLabels": {"KubernetesCluster": "x"}},
        {"name-or-label spec.cloudLabels.KubernetesCluster"},
    ),
}


ARN = "arn:aws:iam::123456789012"


def balancer(**fields: object) -> Fields:
    """An API behind a balancer that kops accepts, with ``fields`` over it."""
    of_api = {"class": "Network", "type": "Public", **fields}
    return {"api": {"dns": None, "loadBalancer": of_api}}


def plugin(name: str, /, **fields: object) -> Fields:
    """Another networking option than that of the sound cluster."""
    return {"networking": {"cni": None, name: fields}}


BALANCER = "spec.api.loadBalancer"
ENDPOINTS: dict[str, tuple[Fields, set[str]]] = {
    "a balancer": (balancer(), set()),
    "no class where there is no DNS": (
        {**balancer(**{"class": None}), "topology": {"dns": {"type": "None"}}},
        {f"api-or-dns {BALANCER}.class"},
    ),
    "a class that is none": (
        balancer(**{"class": "Gateway"}),
        {f"{VALUE} {BALANCER}.class"},
    ),
    "security groups by name, and twice": (
        balancer(additionalSecurityGroups=["default", "sg-1", "sg-1"]),
        {
            f"cloud {BALANCER}.additionalSecurityGroups[0]",
            f"cloud {BALANCER}.additionalSecurityGroups[2]",
        },
    ),
    "another security group by name": (
        balancer(securityGroupOverride="default"),
        {f"cloud {BALANCER}.securityGroupOverride"},
    ),
    "a certificate on a classic balancer": (
        balancer(**{"class": "Classic", "sslCertificate": "a", "sslPolicy": "b"}),
        {
            f"api-or-dns {BALANCER}.{field}"
            for field in ("class", "sslCertificate", "sslPolicy")
        },
    ),
    "an internal balancer for the inside": (
        balancer(type="Internal", useForInternalApi=True),
        {f"api-or-dns {BALANCER}.useForInternalApi"},
    ),
    "a subnet without a name": (
        balancer(subnets=[{"allocationId": "eipalloc-1"}]),
        {f"{MISSING} {BALANCER}.subnets[0].name"},
    ),
    "a subnet that there is not": (
        balancer(subnets=[{"name": "z"}]),
        {f"api-or-dns {BALANCER}.subnets[0].name"},
    ),
    "a private address for a public balancer": (
        balancer(subnets=[{"name": "a", "privateIPv4Address": "fd00::1"}]),
        {
            f"{RANGE} {BALANCER}.subnets[0].privateIPv4Address",
            f"api-or-dns {BALANCER}.subnets[0].privateIPv4Address",
        },
    ),
    "a public address for a private balancer": (
        balancer(type="Internal", subnets=[{"name": "a", "allocationId": "e-1"}]),
        {f"api-or-dns {BALANCER}.subnets[0].allocationId"},
    ),
    "an empty public address": (
        balancer(subnets=[{"name": "a", "allocationId": ""}]),
        {f"api-or-dns {BALANCER}.subnets[0].allocationId"},
    ),
    "issuers in a file": (
        {"serviceAccountIssuerDiscovery": {"discoveryStore": "file:///a"}},
        {"api-or-dns spec.serviceAccountIssuerDiscovery.discoveryStore"},
    ),
    "issuers in two places": (
        {
            "serviceAccountIssuerDiscovery": {
                "discoveryStore": "s3://bucket",
                "discoveryService": {},
            }
        },
        {
            "api-or-dns spec.serviceAccountIssuerDiscovery.discoveryStore",
            f"{MISSING} spec.serviceAccountIssuerDiscovery.discoveryService.url",
        },
    ),
}
LOCAL_DNS = {"enabled": True, "localIP": "169.254.20.10"}
API_SERVER = "component spec.kubeAPIServer"
COMPONENTS: dict[str, tuple[Fields, set[str]]] = {
    "OIDC beside a file": (
        {"kubeAPIServer": {"authenticationConfigFile": "/a", "oidcClientID": "b"}},
        {f"{API_SERVER}.authenticationConfigFile"},
    ),
    "a file without OIDC": (
        {"kubeAPIServer": {"authenticationConfigFile": "/a"}},
        set(),
    ),
    "a certificate without its key": (
        {"kubeAPIServer": {"proxyClientCertFile": "/a"}},
        {f"{API_SERVER}.proxyClientCertFile"},
    ),
    "a key without its certificate": (
        {"kubeAPIServer": {"proxyClientKeyFile": "/a"}},
        {f"{API_SERVER}.proxyClientKeyFile"},
    ),
    "a webhook without its file": (
        {"kubeAPIServer": {"authorizationMode": "Node,RBAC,Webhook"}},
        {f"{MISSING} spec.kubeAPIServer.authorizationWebhookConfigFile"},
    ),
    "a mode that is none": (
        {
            "authorization": {"rbac": {}},
            "kubeAPIServer": {"authorizationMode": "Node,RBAC,ALL"},
        },
        {f"{VALUE} spec.kubeAPIServer.authorizationMode"},
    ),
    "audits sent by no policy": (
        {"kubeAPIServer": {"auditWebhookConfigFile": "/srv/b/webhook.yaml"}},
        {f"{API_SERVER}.auditWebhookConfigFile"},
    ),
    "services of the API server alone": (
        {"kubeAPIServer": {"serviceClusterIPRange": "100.64.0.0/13"}},
        {f"{API_SERVER}.serviceClusterIPRange"},
    ),
    "bootstrap tokens": (
        {"kubeAPIServer": {"enableBootstrapTokenAuth": True}},
        {f"{API_SERVER}.enableBootstrapTokenAuth"},
    ),
    "a plugin that was removed": (
        {"kubeAPIServer": {"enableAdmissionPlugins": ["PodSecurityPolicy"]}},
        {f"{API_SERVER}.enableAdmissionPlugins[0]"},
    ),
    "ports by their number": (
        {"kubeAPIServer": {"serviceNodePortRange": "30000+2767"}},
        set(),
    ),
    "a single port": ({"kubeAPIServer": {"serviceNodePortRange": "30000"}}, set()),
    "too many ports": (
        {"kubeAPIServer": {"serviceNodePortRange": "30000+40000"}},
        {f"{API_SERVER}.serviceNodePortRange"},
    ),
    "a period shorter than a second": (
        {"kubeControllerManager": {"attachDetachReconcileSyncPeriod": "500ms"}},
        {"component spec.kubeControllerManager.attachDetachReconcileSyncPeriod"},
    ),
    "a period of no time at all": (
        {"kubeControllerManager": {"attachDetachReconcileSyncPeriod": "0s"}},
        set(),
    ),
    "an address instead of a range": (
        {"kubeProxy": {"ipvsExcludeCidrs": ["10.0.0.0/8", "10.0.0.1"]}},
        {f"{RANGE} spec.kubeProxy.ipvsExcludeCidrs[1]"},
    ),
    "the API without a scheme": (
        {"kubeProxy": {"master": "api.example.com"}},
        {"component spec.kubeProxy.master"},
    ),
    "an API that is no URL": (
        {"kubeProxy": {"master": "https://[api"}},
        {"component spec.kubeProxy.master"},
    ),
    "the API as a URL": ({"kubeProxy": {"master": "https://api.example.com"}}, set()),
    "a kubelet that waits too long": (
        {"kubelet": {"crashLoopBackOffMaxContainerRestartPeriod": "10m"}},
        {"component spec.kubelet.crashLoopBackOffMaxContainerRestartPeriod"},
    ),
    "critical pods alone": (
        {"kubelet": {"shutdownGracePeriodCriticalPods": "1m"}},
        {"component spec.kubelet.shutdownGracePeriodCriticalPods"},
    ),
    "a DNS server that is no address": (
        {"kubeDNS": {"serverIP": "dns"}},
        {f"{RANGE} spec.kubeDNS.serverIP"},
    ),
    "a domain without nameservers": (
        {"kubeDNS": {"stubDomains": {"example.com": []}}},
        {"component spec.kubeDNS.stubDomains.example.com"},
    ),
    "a kubelet that asks somebody else": (
        {
            "kubeDNS": {"serverIP": "100.64.0.10", "nodeLocalDNS": LOCAL_DNS},
            "kubelet": {"clusterDNS": "100.64.0.11"},
        },
        {"component spec.kubelet.clusterDNS"},
    ),
    "a local DNS that is no address": (
        {
            "kubeDNS": {
                "provider": "KubeDNS",
                "serverIP": "100.64.0.10",
                "nodeLocalDNS": {"enabled": True, "localIP": "local"},
            }
        },
        {
            "component spec.kubeDNS.provider",
            f"{RANGE} spec.kubeDNS.nodeLocalDNS.localIP",
        },
    ),
    "a kubelet that asks past the local DNS": (
        {
            "kubeDNS": {"serverIP": "100.64.0.10", "nodeLocalDNS": LOCAL_DNS},
            "kubelet": {"clusterDNS": "100.64.0.10"},
            "kubeProxy": {"proxyMode": "ipvs"},
        },
        {"component spec.kubelet.clusterDNS"},
    ),
}
PACKAGE = {"urlAmd64": "https://example.com/x", "hashAmd64": "0" * 65}
MACHINES: dict[str, tuple[Fields, set[str]]] = {
    "a raw hook without a manifest": (
        {"hooks": [{"useRawManifest": True, "execContainer": {"image": "a"}}]},
        {"component spec.hooks[0]"},
    ),
    "a raw hook that also orders": (
        {"hooks": [{"useRawManifest": True, "manifest": "a", "before": ["b"]}]},
        {"component spec.hooks[0]"},
    ),
    "a hook without an image": (
        {"hooks": [{"execContainer": {}}]},
        {f"{MISSING} spec.hooks[0].execContainer.image"},
    ),
    "a file without content": (
        {"fileAssets": [{"name": "a"}]},
        {f"{MISSING} spec.fileAssets[0].content"},
    ),
    "a containerd of no version": (
        {"containerd": {"version": "latest"}},
        {"version spec.containerd.version"},
    ),
    "a hash without its package": (
        {"containerd": {"packages": {"hashArm64": "0"}}},
        {"component spec.containerd.packages.hashArm64"},
    ),
    "a hash that is too long": (
        {"containerd": {"packages": PACKAGE}},
        {"component spec.containerd.packages.hashAmd64"},
    ),
    "plugins that have no time": (
        {
            "containerd": {
                "version": "2.1.0",
                "nri": {"enabled": True, "pluginRequestTimeout": "0s"},
            }
        },
        {"component spec.containerd.nri.pluginRequestTimeout"},
    ),
    "plugins without a version": (
        {"containerd": {"nri": {"enabled": True}}},
        {"component spec.containerd.nri"},
    ),
    "gVisor everywhere": (
        {"containerd": {"gvisor": {"enabled": True}}},
        {"component spec.containerd.gvisor"},
    ),
    "a proxy beside a registry": (
        {"assets": {"containerRegistry": "a", "containerProxy": "b"}},
        {"component spec.assets.containerProxy"},
    ),
    "a mirror by FTP": (
        {"assets": {"fileRepository": "ftp://example.com"}},
        {"component spec.assets.fileRepository"},
    ),
    "a mirror that is no URL": (
        {"assets": {"fileRepository": "https://[x"}},
        {"component spec.assets.fileRepository"},
    ),
    "a mirror without a host": (
        {"assets": {"fileRepository": "https:///files"}},
        {"component spec.assets.fileRepository"},
    ),
    "fewer than none unavailable": (
        {"rollingUpdate": {"maxUnavailable": -1}},
        {"component spec.rollingUpdate.maxUnavailable"},
    ),
    "a surge that is no number": (
        {"rollingUpdate": {"maxSurge": "some"}},
        {"component spec.rollingUpdate.maxSurge"},
    ),
    "a surge of fewer than none": (
        {"rollingUpdate": {"maxSurge": "-10%"}},
        {"component spec.rollingUpdate.maxSurge"},
    ),
}
CALICO, CILIUM = "spec.networking.calico", "spec.networking.cilium"
LOCAL_IP = "spec.kubeDNS.nodeLocalDNS.localIP"
COMPLETED: dict[str, tuple[Fields, set[str]]] = {
    **{
        f"kube-proxy left out beside {name}": (
            plugin(name, **fields),
            {"networking spec.kubeProxy.enabled"},
        )
        for name, fields in (
            ("kuberouter", {}),
            ("cilium", {"enableNodePort": True}),
            ("calico", {"bpfEnabled": True}),
        )
    },
    "kube-proxy turned off beside kube-router": (
        {**plugin("kuberouter"), "kubeProxy": {"enabled": False}},
        set(),
    ),
    "Hubble without certificates": (
        plugin("cilium", hubble={}),
        {f"addon {CILIUM}.hubble"},
    ),
    "Hubble turned off": (plugin("cilium", hubble={"enabled": False}), set()),
    "Hubble with certificates": (
        {**plugin("cilium", hubble={}), "certManager": {"enabled": True}},
        set(),
    ),
    "an ingress left on": (
        plugin("cilium", ingress={"defaultLoadBalancerMode": "own"}),
        {f"{VALUE} {CILIUM}.ingress.defaultLoadBalancerMode"},
    ),
    "VXLAN in IP in IP": (
        plugin("calico", vxlanMode="Always"),
        {"networking spec.networking.calico.vxlanMode"},
    ),
    "VXLAN as it should be": (
        plugin("calico", vxlanMode="Always", encapsulationMode="vxlan"),
        set(),
    ),
    "IP in IP in IPv6": (
        {**plugin("calico", ipipMode="CrossSubnet"), **IPV6},
        {"networking spec.networking.calico.ipipMode"},
    ),
    "a DNS server outside of the services that kops fills in": (
        {"kubeDNS": {"serverIP": "10.96.0.10"}},
        {f"{RANGE} spec.kubeDNS.serverIP"},
    ),
    "a DNS server among the services that kops fills in": (
        {"kubeDNS": {"serverIP": "100.64.0.11"}},
        set(),
    ),
    "kubelets that ask a DNS server of their own": (
        {"kubelet": {"clusterDNS": "10.96.0.10"}},
        {"component spec.kubelet.clusterDNS"},
    ),
    "kubelets that ask the DNS server that kops fills in": (
        {"masterKubelet": {"clusterDNS": "100.64.0.10"}},
        set(),
    ),
    "kubelets that ask another DNS server than there is": (
        {
            "kubeDNS": {"serverIP": "100.64.0.11"},
            "kubelet": {"clusterDNS": "100.64.0.10"},
        },
        {"component spec.kubelet.clusterDNS"},
    ),
    "kubelets that ask the DNS server on their machine": (
        {
            "kubeDNS": {"nodeLocalDNS": {"enabled": True}},
            "kubelet": {"clusterDNS": "169.254.20.10"},
        },
        set(),
    ),
    "kubelets that pass the DNS server on their machine": (
        {
            **plugin("cilium"),
            "kubeDNS": {"nodeLocalDNS": {"enabled": True}},
            "kubelet": {"clusterDNS": "100.64.0.10"},
        },
        {"component spec.kubelet.clusterDNS"},
    ),
    "a DNS server on machines by an old name": (
        {
            "kubeDNS": {
                "provider": "KubeDNS",
                "nodeLocalDNS": {"enabled": True, "localIP": "here"},
            }
        },
        {"component spec.kubeDNS.provider", f"{RANGE} {LOCAL_IP}"},
    ),
    "an etcd that gets another version than the first one": (
        {
            "etcdClusters": [
                {**CLUSTER["spec"]["etcdClusters"][0], "version": "3.6.12"},
                CLUSTER["spec"]["etcdClusters"][1],
            ]
        },
        {"version spec.etcdClusters[1].version"},
    ),
    "an etcd that gets the version of the first one": (
        {
            "etcdClusters": [
                {**CLUSTER["spec"]["etcdClusters"][0], "version": "3.7.0"},
                CLUSTER["spec"]["etcdClusters"][1],
            ]
        },
        set(),
    ),
    "a claim without a value": (
        {"kubeAPIServer": {"oidcRequiredClaim": ["a=b", "admin"]}},
        {"component spec.kubeAPIServer.oidcRequiredClaim[1]"},
    ),
    "RBAC left out": (
        {"kubeAPIServer": {"authorizationMode": "RBAC"}},
        {"component spec.kubeAPIServer.authorizationMode"},
    ),
    "everything allowed": (
        {
            "authorization": {"alwaysAllow": {}},
            "kubeAPIServer": {"authorizationMode": "AlwaysAllow"},
        },
        set(),
    ),
    "a flag that is gone and off": (
        {"kubelet": {"configureCbr0": False, "networkPluginName": ""}},
        {
            "component spec.kubelet.configureCbr0",
            "component spec.kubelet.networkPluginName",
        },
    ),
    "keys in a store of another cloud": (
        {"serviceAccountIssuerDiscovery": {"discoveryStore": "do://keys/a"}},
        set(),
    ),
    "a store that kops cannot reach": (
        {"configBase": "ftp://state/demo.example.com", "keyStore": "/srv/keys"},
        {"cloud spec.configBase"},
    ),
    "permissions for all service accounts": (
        {
            "iam": {
                "useServiceAccountExternalPermissions": True,
                "serviceAccountExternalPermissions": [
                    {
                        "name": "*",
                        "namespace": "*",
                        "aws": {"policyARNs": ["arn:aws:iam::1:policy/a"]},
                    }
                ],
            }
        },
        {"cloud spec.iam.serviceAccountExternalPermissions[0].name"},
    ),
    "a container that is not named": (
        {"configBase": "azureblob://account"},
        {"etcd spec.configBase"},
    ),
    "a container of secrets that is not named": (
        {"configBase": "azureblob://account/a", "secretStore": "azureblob://account"},
        {"etcd spec.secretStore"},
    ),
    "keys in no bucket": (
        {"serviceAccountIssuerDiscovery": {"discoveryStore": "s3://"}},
        {"api-or-dns spec.serviceAccountIssuerDiscovery.discoveryStore"},
    ),
    "a provider of DNS that is turned off": (
        {
            "externalDns": {"provider": "external-dns", "disable": True},
            **balancer(),
            "topology": {"dns": {"type": "None"}},
        },
        set(),
    ),
}
PLUGINS: dict[str, tuple[Fields, set[str]]] = {
    "ranges that kindnet cannot read": (
        plugin("kindnet", masquerade={"enabled": True, "nonMasqueradeCIDRs": ["x"]}),
        {f"{RANGE} spec.networking.kindnet.masquerade.nonMasqueradeCIDRs[0]"},
    ),
    "kube-proxy beside kube-router": (
        {**plugin("kuberouter"), "kubeProxy": {}},
        {"networking spec.kubeProxy.enabled"},
    ),
    "a socket balancer that is off": (
        plugin("cilium", bpfLBSockHostNSOnly=True),
        {f"networking {CILIUM}.bpfLBSockHostNSOnly"},
    ),
    "a kind of encryption that is off": (
        plugin("cilium", encryptionType="wireguard"),
        {f"networking {CILIUM}.encryptionType"},
    ),
    "an L7 proxy without rules": (
        plugin("cilium", IPTablesRulesNoinstall=True, enableL7Proxy=True),
        {f"networking {CILIUM}.enableL7Proxy"},
    ),
    "neither an L7 proxy nor rules": (
        plugin("cilium", IPTablesRulesNoinstall=True, enableL7Proxy=False),
        set(),
    ),
    "addresses of Amazon in IPv6": (
        {**plugin("cilium", ipam="eni"), **IPV6},
        {f"networking {CILIUM}.ipam"},
    ),
    "an ingress of no mode": (
        plugin("cilium", ingress={"enabled": True, "defaultLoadBalancerMode": "own"}),
        {f"{VALUE} {CILIUM}.ingress.defaultLoadBalancerMode"},
    ),
    "Cilium without its v": (
        plugin("cilium", version="1.18.1"),
        {f"version {CILIUM}.version"},
    ),
    "Cilium of no version": (
        plugin("cilium", version="v1.18"),
        {f"version {CILIUM}.version"},
    ),
    "Hubble without certificates": (
        plugin("cilium", version="v1.18.1", hubble={"enabled": True}),
        {f"addon {CILIUM}.hubble.enabled"},
    ),
    "Amazon's check of addresses in IPv6": (
        {**plugin("calico", awsSrcDstCheck="Disable"), **IPV6},
        {f"networking {CALICO}.awsSrcDstCheck"},
    ),
    "packets in packets in IPv6": (
        {**plugin("calico", encapsulationMode="ipip"), **IPV6},
        {f"networking {CALICO}.encapsulationMode"},
    ),
    "bare packets in IPv4": (
        plugin("calico", encapsulationMode="none"),
        {f"networking {CALICO}.encapsulationMode"},
    ),
    **{
        f"an address found by {method}": (
            plugin("calico", ipv4AutoDetectionMethod=method),
            {f"networking {CALICO}.ipv4AutoDetectionMethod"} if wrong else set(),
        )
        for method, wrong in {
            "first-found": False,
            "can-reach=10.0.0.1": False,
            "can-reach=fd00::1": True,
            "interface=eth.*,ens.*": False,
            "interface=eth(": True,
            "interface=": True,
            "interface=a=b": True,
            "chance": True,
        }.items()
    },
}
HANDLER = "spec.nodeTerminationHandler"
ADDONS: dict[str, tuple[Fields, set[str]]] = {
    **{
        f"{field} without certificates": (
            {field: {"enabled": True}},
            {f"addon spec.{field}.enabled"},
        )
        for field in (
            "snapshotController",
            "awsLoadBalancerController",
            "podIdentityWebhook",
        )
    },
    "zones without permissions": (
        {"certManager": {"enabled": True, "hostedZoneIDs": ["Z1"]}},
        {"addon spec.certManager.hostedZoneIDs"},
    ),
    "users mapped by something else": (
        {
            "authentication": {
                "aws": {
                    "backendMode": "MountedFile",
                    "identityMappings": [{"arn": f"{ARN}:role/a", "username": "b"}],
                }
            }
        },
        {"addon spec.authentication.aws.backendMode"},
    ),
    "the handler beside Karpenter": (
        {
            "iam": {"useServiceAccountExternalPermissions": True},
            "karpenter": {"enabled": True},
            "nodeTerminationHandler": {"enabled": True},
        },
        {f"addon {HANDLER}"},
    ),
    "a queue of no interruptions": (
        {"nodeTerminationHandler": {"enableSpotInterruptionDraining": False}},
        {f"addon {HANDLER}.enableSpotInterruptionDraining"},
    ),
    "watching without draining": (
        {"nodeTerminationHandler": {"enableRebalanceMonitoring": True}},
        {f"addon {HANDLER}.enableRebalanceMonitoring"},
    ),
    "watching without a queue": (
        {
            "nodeTerminationHandler": {
                "enableRebalanceMonitoring": True,
                "enableSQSTerminationDraining": False,
            }
        },
        set(),
    ),
    "a warm pool of fewer than none": (
        {"warmPool": {"minSize": -1, "maxSize": -2}},
        {"addon spec.warmPool.minSize", "addon spec.warmPool.maxSize"},
    ),
    "images for every warm pool": (
        {"warmPool": {"maxSize": 1, "additionalImages": ["a"]}},
        {"addon spec.warmPool.additionalImages"},
    ),
    "names for a DNS that is off": (
        {
            **balancer(),
            "externalDns": {"provider": "external-dns"},
            "topology": {"dns": {"type": "None"}},
        },
        {"addon spec.externalDns.provider"},
    ),
}
ROUTES = "spec.subnets[0].additionalRoutes"


def routes(*routes: tuple[str, str], **subnet: str) -> Fields:
    listed = [{"cidr": cidr, "target": target} for cidr, target in routes]
    return subnets({"additionalRoutes": listed, **subnet})


NETWORK: dict[str, tuple[Fields, set[str]]] = {
    "a cluster range that is no range": (
        {"kubeControllerManager": {"clusterCIDR": "all"}},
        {f"{RANGE} spec.kubeControllerManager.clusterCIDR"},
    ),
    "an additional network that is no range": (
        {"additionalNetworkCIDRs": ["10.30.0.0"]},
        {f"{RANGE} spec.additionalNetworkCIDRs[0]"},
    ),
    "IPv6 bits outside of a prefix": (
        subnets({"ipv6CIDR": "2001:db8::1/64"}),
        {f"{RANGE} spec.subnets[0].ipv6CIDR"},
    ),
    "IPv6 that is IPv4": (
        subnets({"ipv6CIDR": "10.20.16.0/20"}),
        {f"{RANGE} spec.subnets[0].ipv6CIDR"},
    ),
    "IPv6 among services": (
        {
            **IPV6,
            "serviceClusterIPRange": "2001:db8::/108",
            **subnets({"ipv6CIDR": "2001:db8::/64"}),
        },
        {f"{RANGE} spec.subnets[0].ipv6CIDR"},
    ),
    "routes of a shared subnet": (
        routes(("10.99.0.0/16", "tgw-1"), id="subnet-1"),
        {f"{RANGE} {ROUTES}"},
    ),
    "a peer for the own network": (
        routes(("10.20.128.0/20", "pcx-1")),
        {f"cloud {ROUTES}[0].target"},
    ),
    "a range that goes two ways": (
        routes(("10.99.0.0/16", "pcx-1"), ("10.99.0.0/16", "tgw-1")),
        {f"{RANGE} {ROUTES}[1].cidr"},
    ),
    "no zone": (subnets({"zone": None}), {f"{MISSING} spec.subnets[0].zone"}),
    "a zone that a template fills in": (subnets({"zone": "ZONE"}), set()),
    "two addresses in a zone": (
        subnets(
            {"egress": "nat-1", "publicIP": "192.0.2.1"},
            {"name": "b", "cidr": "10.20.32.0/20", "egress": "nat-1"},
        ),
        {f"{RANGE} spec.subnets[1].publicIP"},
    ),
}


def etcd(**fields: object) -> Fields:
    """The two etcd clusters with ``fields`` in each of them."""
    clusters = CLUSTER["spec"]["etcdClusters"]
    return {"etcdClusters": [{**each, **fields} for each in clusters]}


def volume(**fields: object) -> Fields:
    """A main alone, whose member has a volume with ``fields``."""
    member = {"name": "a", "instanceGroup": "master-a", **fields}
    return {"etcdClusters": [{"name": "main", "etcdMembers": [member]}]}


def both(field: str) -> set[str]:
    return {f"spec.etcdClusters[{index}].{field}" for index in (0, 1)}


ETCD: dict[str, tuple[Fields, set[str]]] = {
    **{
        f"etcd {version}": (
            etcd(version=version),
            {f"version {place}" for place in both("version")} if wrong else set(),
        )
        for version, wrong in {
            "latest": True,
            "2.3.7": True,
            "3.5.99": True,
            "3.5.9-rc.1": True,
            "3.5.9": False,
            "v3.6.1": False,
        }.items()
    },
    "an image of no version": (
        etcd(image="registry.example.com/etcd:x"),
        {f"{MISSING} {place}" for place in both("version")},
    ),
    "more operations than a volume has": (
        volume(volumeType="io1", volumeSize=10, volumeIops=501),
        {"etcd spec.etcdClusters[0].etcdMembers[0].volumeIops"},
    ),
    "the least operations are too many for a small volume": (
        volume(volumeType="io1", volumeSize=1),
        {"etcd spec.etcdClusters[0].etcdMembers[0].volumeIops"},
    ),
    "a kind of volume that has no limits here": (
        volume(volumeType="gp2", volumeIops=100_000),
        set(),
    ),
    "backups in Azure, the rest elsewhere": (
        etcd(backups={"backupStore": "azureblob://one/main"}),
        {f"etcd {place}" for place in both("backups.backupStore")},
    ),
    "backups in another account": (
        {
            **etcd(backups={"backupStore": "azureblob://one/main"}),
            "configBase": "azureblob://two/demo.example.com",
        },
        {f"etcd {place}" for place in both("backups.backupStore")},
    ),
    "backups in the same account": (
        {
            **etcd(backups={"backupStore": "azureblob://one/main"}),
            "configBase": "azureblob://one/demo.example.com",
        },
        set(),
    ),
}
ACCOUNT = {"name": "a", "namespace": "b"}
IAM = "spec.iam.serviceAccountExternalPermissions"


def account(*aws: Fields) -> Fields:
    listed = [{**ACCOUNT, "aws": each} for each in aws]
    return {"iam": {"serviceAccountExternalPermissions": listed}}


PERMISSIONS: dict[str, tuple[Fields, set[str]]] = {
    "a policy that is no JSON": (
        {"additionalPolicies": {"node": "[{"}},
        {"cloud spec.additionalPolicies.node"},
    ),
    "a policy that is no list": (
        {"additionalPolicies": {"node": '{"effect": "Allow"}'}},
        {"cloud spec.additionalPolicies.node"},
    ),
    "a policy in any case": (
        {"additionalPolicies": {"node": '[{"effect": "Allow"}]'}},
        set(),
    ),
    "permissions for nothing": (account({}), {f"cloud {IAM}[0].aws"}),
    "permissions of two kinds": (
        account({"inlinePolicy": "[]", "policyARNs": ["arn:aws:iam::1:policy/x"]}),
        {f"cloud {IAM}[0].aws"},
    ),
    "permissions twice": (
        account({"inlinePolicy": "[]"}, {"inlinePolicy": "[]"}),
        {f"cloud {IAM}[1].name"},
    ),
}
AREAS = (
    ENDPOINTS,
    COMPONENTS,
    MACHINES,
    COMPLETED,
    PLUGINS,
    ADDONS,
    NETWORK,
    ETCD,
    PERMISSIONS,
)
CLUSTERS |= {name: case for area in AREAS for name, case in area.items()}


@pytest.mark.parametrize(("fields", "expected"), CLUSTERS.values(), ids=CLUSTERS)
def test_a_cluster_is_refused_for(fields: Fields, expected: set[str]) -> None:
    assert told(manifest(fields)) == expected


GROUPS: dict[str, tuple[Fields, set[str]]] = {
    "sizes the wrong way round": ({"minSize": 2}, {"group spec.maxSize"}),
    "a tenancy": ({"tenancy": "shared"}, {f"{VALUE} spec.tenancy"}),
    "negative operations": ({"rootVolumeIops": -1}, {"group spec.rootVolumeIops"}),
    "an unknown root volume": (
        {"rootVolumeType": "ssd"},
        {f"{VALUE} spec.rootVolumeType"},
    ),
    "a volume without device": (
        {"volumes": [{"size": 0}]},
        {f"{MISSING} spec.volumes[0].device", "group spec.volumes[0].size"},
    ),
    "a mount with half of it": (
        {"volumeMounts": [{"device": "/dev/xvdd", "filesystem": "zfs"}]},
        {
            f"{MISSING} spec.volumeMounts[0].path",
            f"{VALUE} spec.volumeMounts[0].filesystem",
        },
    ),
    "user data of no type": (
        {"additionalUserData": [{"name": "a", "content": "b"}]},
        {f"{MISSING} spec.additionalUserData[0].type"},
    ),
    "a profile": ({"iam": {"profile": "nodes"}}, {"group spec.iam.profile"}),
    "a whole profile": ({"iam": {"profile": f"{ARN}:instance-profile/nodes"}}, set()),
    "a taint of three parts": ({"taints": ["a:b:c"]}, {"group spec.taints[0]"}),
    "a taint twice": (
        {"taints": ["a=b:NoSchedule", "a=b:NoSchedule"]},
        {"group spec.taints[1]"},
    ),
    "a label with two slashes": (
        {"nodeLabels": {"a/b/c": "x"}},
        {"name-or-label spec.nodeLabels.a/b/c"},
    ),
    "the label of another group": (
        {"cloudLabels": {"kops.k8s.io/instancegroup": "others"}},
        {"name-or-label spec.cloudLabels.kops.k8s.io/instancegroup"},
    ),
    "a kernel setting without a value": (
        {"sysctlParameters": ["vm.swappiness"]},
        {"group spec.sysctlParameters[0]"},
    ),
    "a target group": (
        {"externalLoadBalancers": [{"targetGroupArn": f"{ARN}:loadbalancer/a/b"}]},
        {"group spec.externalLoadBalancers[0].targetGroupArn"},
    ),
    "a security group by name": (
        {"additionalSecurityGroups": ["default"]},
        {"cloud spec.additionalSecurityGroups[0]"},
    ),
    "too much on demand": (
        {"mixedInstancesPolicy": {"onDemandBase": 2, "onDemandAboveBase": 101}},
        {
            "group spec.mixedInstancesPolicy.onDemandBase",
            "group spec.mixedInstancesPolicy.onDemandAboveBase",
        },
    ),
    "too many hops": (
        {"instanceMetadata": {"httpPutResponseHopLimit": 65}},
        {"group spec.instanceMetadata.httpPutResponseHopLimit"},
    ),
    "credits": ({"cpuCredits": "some"}, {f"{VALUE} spec.cpuCredits"}),
    "half a day": ({"maxInstanceLifetime": "12h"}, {"group spec.maxInstanceLifetime"}),
    "a warm pool of spot machines": (
        {"warmPool": {}, "maxPrice": "0.1"},
        {"group spec.warmPool"},
    ),
    "Karpenter without machines": (
        {"manager": "Karpenter", "minSize": 0},
        {"group spec.minSize"},
    ),
    "a surge of workers": ({"rollingUpdate": {"maxSurge": "25%"}}, set()),
    "API servers": ({"role": "APIServer"}, {"feature-flag spec.role"}),
    "no such subnet": ({"subnets": ["z"]}, set()),
    "user data of an unknown type": (
        {"additionalUserData": [{"name": "a", "content": "b", "type": ""}]},
        {f"{VALUE} spec.additionalUserData[0].type"},
    ),
    "a volume without size": (
        {"volumes": [{"device": "/dev/xvdd"}]},
        {f"{MISSING} spec.volumes[0].size"},
    ),
    "a balancer by both of its names": (
        {
            "externalLoadBalancers": [
                {
                    "loadBalancerName": "a" * 33,
                    "targetGroupArn": f"{ARN}:targetgroup/a/b",
                }
            ]
        },
        {
            "group spec.externalLoadBalancers[0]",
            "group spec.externalLoadBalancers[0].loadBalancerName",
        },
    ),
    "a spot machine for an odd time": (
        {"spotDurationInMinutes": 90},
        {"group spec.spotDurationInMinutes"},
    ),
    "a spot machine for an hour": ({"spotDurationInMinutes": 60}, set()),
    "gVisor on a bastion": (
        {"role": "Bastion", "containerd": {"gvisor": {"enabled": True}}},
        {"group spec.containerd.gvisor"},
    ),
    "a warm pool of bastions": (
        {"role": "Bastion", "warmPool": {}},
        {"group spec.warmPool"},
    ),
    "a warm pool that is empty": ({"warmPool": {"maxSize": 0}, "maxPrice": "1"}, set()),
    "a surge of the control plane": (
        {"role": "Master", "rollingUpdate": {"maxSurge": 1}},
        {"component spec.rollingUpdate.maxSurge", "group metadata.name"},
    ),
    "plugins of machines without a version": (
        {"containerd": {"nri": {"enabled": True}}},
        {"component spec.containerd.nri"},
    ),
    "a dedicated host for a machine that shares it": (
        {"tenancy": "dedicated", "machineType": "t2.medium"},
        {"group spec.tenancy"},
    ),
    "a shared host for a machine that shares it": (
        {"tenancy": "default", "machineType": "t2.medium"},
        set(),
    ),
    "more on demand than machines that kops fills in": (
        {"maxSize": None, "minSize": 1, "mixedInstancesPolicy": {"onDemandBase": 3}},
        {"group spec.mixedInstancesPolicy.onDemandBase"},
    ),
    "as many on demand as machines that kops fills in": (
        {"maxSize": None, "minSize": 1, "mixedInstancesPolicy": {"onDemandBase": 2}},
        set(),
    ),
    "Karpenter for the control plane": (
        {"manager": "Karpenter", "role": "Master", "maxSize": 0, "minSize": 0},
        {"group spec.role", "group spec.minSize", "group spec.maxSize"}
        | {"group metadata.name"},
    ),
    **{
        f"Karpenter with {image or 'no image'}": (
            {"manager": "Karpenter", "image": image},
            {"group spec.image"} if wrong else set(),
        )
        for image, wrong in {
            "": False,
            "ami-1": False,
            "ssm:/aws/service/x": False,
            "099720109477/ubuntu": False,
            "ssm:": True,
            "/ubuntu": True,
            "https://example.com/image": True,
        }.items()
    },
}


@pytest.mark.parametrize(("fields", "expected"), GROUPS.values(), ids=GROUPS)
def test_a_group_is_refused_for(fields: Fields, expected: set[str]) -> None:
    """The subnet that does not exist is told by KL214 and therefore not here."""
    assert told(manifest(nodes=fields)) == expected


GCE = {
    "cloudProvider": "gce",
    "project": "demo",
    "networkCIDR": None,
    "subnets": [{"name": "a", "region": "europe-west1", "type": "Public"}],
}
AZURE: Fields = {
    "cloudProvider": "azure",
    "topology": {"dns": {"type": "None"}},
    **subnets({"region": "westeurope"}),
}
OPENSTACK: Fields = {"cloudProvider": "openstack"}
OCEAN: Fields = {
    "cloudProvider": "digitalocean",
    "networkCIDR": None,
    "subnets": [{"name": "a", "region": "fra1", "type": "Public"}],
}
ELSEWHERE: dict[str, tuple[Fields, set[str]]] = {
    "settings of the load balancer of AWS, though empty": (
        {
            **GCE,
            "api": {
                "dns": None,
                "loadBalancer": {
                    "type": "Public",
                    "additionalSecurityGroups": [],
                    "crossZoneLoadBalancing": False,
                    "sslCertificate": "",
                },
            },
        },
        {
            f"api-or-dns {BALANCER}.additionalSecurityGroups",
            f"api-or-dns {BALANCER}.crossZoneLoadBalancing",
        },
    ),
    "a NAT gateway of AWS on GCE": (
        {
            **GCE,
            "subnets": [
                {
                    "name": "a",
                    "region": "europe-west1",
                    "type": "Private",
                    "egress": "nat-1",
                }
            ],
        },
        {f"{RANGE} spec.subnets[0].egress"},
    ),
    "GCE has a network of its own": (
        {**GCE, "networkCIDR": "10.0.0.0/16"},
        {f"{RANGE} spec.networkCIDR"},
    ),
    "subnets on GCE have regions": (
        {**GCE, "subnets": [{"name": "a", "zone": "europe-west1-b", "type": "Public"}]},
        {f"{MISSING} spec.subnets[0].region", "cloud spec.subnets[0].zone"},
    ),
    "a setting of AWS on GCE": (
        {**GCE, "nodeTerminationHandler": {"enabled": True}},
        {"cloud spec.nodeTerminationHandler"},
    ),
    "a class of balancer on GCE": (
        {**GCE, "api": {"loadBalancer": {"class": "Network", "type": "Public"}}},
        {"api-or-dns spec.api.loadBalancer.class"},
    ),
    "no prefix lists on GCE": (
        {**GCE, "sshAccess": ["pl-0123"]},
        {f"{RANGE} spec.sshAccess[0]"},
    ),
    "no DNS on Hetzner": (
        {"cloudProvider": "hetzner"},
        {"api-or-dns spec.topology.dns.type"},
    ),
    "an additional network on GCE": (
        {**GCE, "additionalNetworkCIDRs": ["10.30.0.0/16"]},
        {f"{RANGE} spec.additionalNetworkCIDRs"},
    ),
    "two regions on GCE": (
        {
            **GCE,
            "subnets": [
                {"name": "a", "region": "europe-west1", "type": "Public"},
                {"name": "b", "region": "europe-west2", "type": "Public"},
            ],
        },
        {f"{RANGE} spec.subnets[1].region"},
    ),
    "addresses of Amazon on GCE": (
        {**GCE, **plugin("cilium", ipam="eni")},
        {f"networking {CILIUM}.ipam"},
    ),
    "IPv6 of a subnet on GCE": (
        {
            **GCE,
            "subnets": [
                {
                    "name": "a",
                    "region": "europe-west1",
                    "type": "Public",
                    "ipv6CIDR": "/64#0",
                }
            ],
        },
        {f"{RANGE} spec.subnets[0].ipv6CIDR"},
    ),
    "accelerators on GCE": (
        {**GCE, "containerd": {"nvidiaGPU": {"enabled": True}}},
        {"component spec.containerd.nvidiaGPU"},
    ),
    "accelerators of all machines on OpenStack": (
        {**OPENSTACK, "containerd": {"nvidiaGPU": {"enabled": True}}},
        {"component spec.containerd.nvidiaGPU"},
    ),
    "a public subnet without a way out on OpenStack": (
        {**OPENSTACK, **subnets({"type": "Public"})},
        {f"{RANGE} spec.subnets[0].type"},
    ),
    "storage classes that are wanted and not on OpenStack": (
        {
            **OPENSTACK,
            "cloudConfig": {
                "manageStorageClasses": True,
                "openstack": {"blockStorage": {"createStorageClass": False}},
            },
        },
        {"cloud spec.cloudConfig.manageStorageClasses"},
    ),
    "packets in packets on Azure": (
        {**AZURE, **plugin("calico", encapsulationMode="ipip")},
        {f"networking {CALICO}.encapsulationMode"},
    ),
    "a mirror without a container on Azure": (
        {**AZURE, "assets": {"fileRepository": "azureblob://account"}},
        {"component spec.assets.fileRepository"},
    ),
    "a public network on DigitalOcean": (
        {**OCEAN, "networkCIDR": "8.8.0.0/16"},
        {f"{RANGE} spec.networkCIDR"},
    ),
    "two networks on DigitalOcean": (
        {**OCEAN, "networkCIDR": "10.20.0.0/16", "networkID": "a"},
        {f"{RANGE} spec.networkCIDR"},
    ),
    "an internal balancer on Scaleway": (
        {
            "cloudProvider": "scaleway",
            "api": {"dns": None, "loadBalancer": {"type": "Internal"}},
        },
        {f"api-or-dns {BALANCER}.type"},
    ),
}


@pytest.mark.parametrize(("fields", "expected"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_every_cloud_has_rules_of_its_own(fields: Fields, expected: set[str]) -> None:
    zones = {f"{MISSING} spec.zones"} if fields["cloudProvider"] == "gce" else set()

    assert told(manifest(fields)) == expected | zones


GROUPS_IN: dict[str, tuple[Fields, Fields, set[str]]] = {
    "two subnets of a group on GCE": (
        {
            **GCE,
            "subnets": [
                {"name": name, "region": "europe-west1", "type": "Public"}
                for name in ("a", "b")
            ],
        },
        {"subnets": ["a", "b"], "zones": ["europe-west1-b"]},
        {"group spec.subnets"},
    ),
    "Karpenter on GCE": (
        GCE,
        {"manager": "Karpenter", "zones": ["europe-west1-b"]},
        {"group spec.manager"},
    ),
    "room to grow on Azure": (AZURE, {"maxSize": 3}, {"group spec.maxSize"}),
    "bastions on Azure": (AZURE, {"role": "Bastion"}, {"group spec.role"}),
    "an image of AWS on Azure": (AZURE, {"image": "ami-1"}, {"group spec.image"}),
    "an image of Azure": (AZURE, {"image": "Canonical:ubuntu:server:latest"}, set()),
    "subnets of two types": (
        subnets({}, {"name": "b", "type": "Utility", "cidr": "10.20.32.0/20"}),
        {"subnets": ["a", "b"]},
        {"group spec.subnets[1]"},
    ),
    "API servers on Azure": (AZURE, {"role": "APIServer"}, {"group spec.role"}),
    "API servers without DNS": (
        {**balancer(), "topology": {"dns": {"type": "None"}}},
        {"role": "APIServer"},
        {"group spec.role"},
    ),
    "spot machines in the warm pool of the cluster": (
        {"warmPool": {"minSize": 1}},
        {"maxPrice": "0.1"},
        {"group spec.warmPool"},
    ),
    "spot machines where the pool of the cluster is empty": (
        {"warmPool": {"maxSize": 0}},
        {"maxPrice": "0.1"},
        set(),
    ),
    "machines that Karpenter always has": (
        {"karpenter": {"featureGates": "StaticCapacity=True"}},
        {"manager": "Karpenter"},
        set(),
    ),
    "machines that Karpenter may not always have": (
        {"karpenter": {"featureGates": "SpotToSpot,StaticCapacity=false"}},
        {"manager": "Karpenter"},
        {"group spec.minSize"},
    ),
}


@pytest.mark.parametrize(
    ("cluster", "nodes", "expected"), GROUPS_IN.values(), ids=GROUPS_IN
)
def test_a_group_is_refused_beside_its_cluster(
    cluster: Fields, nodes: Fields, expected: set[str]
) -> None:
    of_nodes = {
        f"{v.kind} {v.path}"
        for v in rejections(manifest(cluster, nodes), kops_version="1.37")
        if v.about == "InstanceGroup/nodes"
    }

    assert of_nodes == expected


def test_a_value_of_a_wrong_type_is_told_once_and_not_judged() -> None:
    """A number where a text belongs, or the reverse, breaks no other rule as well."""
    cluster: Fields = {
        "additionalPolicies": {"node": ["Allow"]},
        "cloudLabels": "none",
        "kubeAPIServer": {"serviceNodePortRange": 30000},
        "kubeControllerManager": {"attachDetachReconcileSyncPeriod": 1},
        "kubeProxy": {"master": 1, "ipvsExcludeCidrs": [1]},
        "kubelet": {"crashLoopBackOffMaxContainerRestartPeriod": 1},
        "sshAccess": [10],
    }
    nodes: Fields = {
        "externalLoadBalancers": [{"loadBalancerName": 1}, {"targetGroupArn": 1}],
        "iam": {"profile": 1},
        "instanceMetadata": {"httpPutResponseHopLimit": "1"},
        "maxInstanceLifetime": 1,
        "mixedInstancesPolicy": {"onDemandBase": "1"},
        "rootVolumeIops": "1",
        "rootVolumeType": 1,
        "sysctlParameters": [1],
        "taints": [1],
    }

    found = told(manifest(cluster, nodes))

    assert {each.partition(" ")[0] for each in found} == {"wrong-type"}
    assert len(found) == 18


OLD: dict[str, Fields] = {
    "gossip": {"gossipConfig": {}, "kubernetesVersion": "1.36.1"},
    "weave": {
        "networking": {"cni": None, "weave": {}},
        "kubernetesVersion": "1.16.15",
    },
    "a classic balancer": {
        "api": {"dns": None, "loadBalancer": {"type": "Public"}},
        "kubernetesVersion": "1.20.1",
    },
    "docker": {"docker": {"logDriver": "json-file"}, "kubernetesVersion": "1.19.3"},
    "old etcd": {
        "etcdClusters": [
            {**etcd, "version": "3.4.13"} for etcd in CLUSTER["spec"]["etcdClusters"]
        ],
        "kubernetesVersion": "1.22.2",
    },
}


@pytest.mark.parametrize("fields", OLD.values(), ids=OLD)
def test_a_rule_keeps_silent_about_clusters_older_than_itself(fields: Fields) -> None:
    """By default the kops of the cluster's own minor validates; 1.37 refuses them."""
    found = manifest(fields)

    assert [v.message for v in rejections(found)] == []
    assert told(found, "1.37") != set()


METADATA = {
    "upper case": ({"name": "Demo.example.com"}, {"metadata.name"}),
    "not qualified": ({"name": "demo"}, {"metadata.name"}),
    "a namespace": ({"namespace": "kops"}, {"metadata.namespace"}),
    "a label with a blank": ({"labels": {"a b": "c"}}, {"metadata.labels.a b"}),
    "a value with a blank": ({"labels": {"a": "b c"}}, {"metadata.labels.a"}),
    "an annotation may say anything": ({"annotations": {"a.b/C": "d e"}}, set()),
}


@pytest.mark.parametrize(("fields", "expected"), METADATA.values(), ids=METADATA)
def test_the_metadata_of_a_cluster_is_refused_for(
    fields: Fields, expected: set[str]
) -> None:
    text = yaml.safe_dump(laid_over(CLUSTER, {"metadata": fields}))
    (found,) = read_fleet([Source("cluster.yaml", text)]).manifests.values()

    assert told(found) == {f"name-or-label {path}" for path in expected}


def test_a_name_on_linode_is_short() -> None:
    name = f"{'a' * 21}.example.com"

    found = told(manifest({"cloudProvider": "linode"}, name=name))

    assert "name-or-label metadata.name" in found
    assert "name-or-label metadata.name" not in told(manifest(name=name))


V1ALPHA3: dict[str, tuple[Fields, set[str]]] = {
    "two clouds": (
        {"cloudProvider": {"aws": {}, "gce": {}}},
        {"cloud spec.cloudProvider.gce"},
    ),
    "a cloud that is null is none": (
        {"cloudProvider": {"aws": {}, "gce": None}},
        set(),
    ),
    "OIDC beside a file": (
        {
            "authentication": {"oidc": {"clientID": "a"}},
            "kubeAPIServer": {"authenticationConfigFile": "/b"},
        },
        {"component spec.kubeAPIServer.authenticationConfigFile"},
    ),
    "an L7 proxy without rules": (
        {
            "networking": {
                "cni": None,
                "cilium": {"installIptablesRules": False, "enableL7Proxy": True},
            }
        },
        {"networking spec.networking.cilium.enableL7Proxy"},
    ),
    "a hook that does nothing": (
        {"hooks": [{"name": "a", "enabled": True}]},
        {"component spec.hooks[0]"},
    ),
    "a hook that is off": ({"hooks": [{"name": "a", "enabled": False}]}, set()),
    "a policy of masters": (
        {"additionalPolicies": {"master": "[]"}},
        {"unsupported-value spec.additionalPolicies.master"},
    ),
}
# The sound cluster as kops writes it in the newer version of its API.
NEWER: Fields = {
    "apiVersion": "kops.k8s.io/v1alpha3",
    "kind": "Cluster",
    "metadata": {"name": "demo.example.com"},
    "spec": {
        "api": {"dns": {}},
        "cloudProvider": {"aws": {}},
        "configStore": {"base": "s3://state/demo.example.com"},
        "etcdClusters": CLUSTER["spec"]["etcdClusters"],
        "kubernetesVersion": "1.37.0",
        "networking": {
            "cni": {},
            "networkCIDR": "10.20.0.0/16",
            "nonMasqueradeCIDR": "100.64.0.0/10",
            "subnets": CLUSTER["spec"]["subnets"],
            "topology": {"dns": "Public"},
        },
    },
}


@pytest.mark.parametrize(("fields", "expected"), V1ALPHA3.values(), ids=V1ALPHA3)
def test_a_cluster_in_v1alpha3_is_refused_for_the_same(
    fields: Fields, expected: set[str]
) -> None:
    text = yaml.safe_dump(laid_over(NEWER, {"spec": fields}))
    (found,) = read_fleet([Source("cluster.yaml", text)]).manifests.values()

    assert told(found) == expected


def test_gossip_names_are_refused_since_1_37() -> None:
    found = manifest(name="demo.k8s.local")

    assert told(found, "1.36") == {"version spec.kubernetesVersion"}
    assert told(found, "1.37") == {"api-or-dns spec.topology.dns.type"}


def test_an_excerpt_lacks_what_it_leaves_out() -> None:
    """Neither a cloud nor a version: what is missing is missing on purpose."""
    lacking = dict.fromkeys(
        ("cloudProvider", "kubernetesVersion", "networkCIDR", "nonMasqueradeCIDR")
    )

    assert told(manifest(lacking)) == set()


def test_a_refusal_names_command_source_and_way_out() -> None:
    (found,) = rejections(manifest({"updatePolicy": "automatc"}), kops_version="1.37")

    assert found.message == (
        'spec.updatePolicy is "automatc"; kops accepts automatic, external'
    )
    assert (found.at_command, found.hint) == ("create", "write automatic")
    assert found.about == "Cluster/demo.example.com"
    assert found.source == (
        "kubernetes/kops pkg/apis/kops/validation/validation.go, validateClusterSpec"
    )


def test_rejections_come_by_place() -> None:
    found = manifest(
        {"sshAccess": ["x"], "cloudLabels": {"Name": "x"}}, {"tenancy": "shared"}
    )
    places = [v.span.line for v in rejections(found, kops_version="1.37")]

    assert len(places) == 3
    assert places == sorted(places)


IMAGE = {"image": "registry.example.com/etcd:x", "version": "3.6.12"}


def with_etcd(**fields: str) -> Manifest:
    return manifest(
        {
            "etcdClusters": [
                {**etcd, **fields} for etcd in CLUSTER["spec"]["etcdClusters"]
            ]
        }
    )


UPDATES: dict[str, tuple[Fields, Fields, set[str]]] = {
    "an image added": ({}, IMAGE, {"image", "version"}),
    "a version changed beside an image": (
        {**IMAGE, "version": "3.6.11"},
        IMAGE,
        {"version"},
    ),
    "an image removed": (IMAGE, {}, {"image"}),
    "a version changed": ({"version": "3.6.11"}, {"version": "3.6.12"}, set()),
}


@pytest.mark.parametrize(("old", "new", "expected"), UPDATES.values(), ids=UPDATES)
def test_an_image_is_chosen_for_good(
    old: Fields, new: Fields, expected: set[str]
) -> None:
    before, after = with_etcd(**old), with_etcd(**new)

    def refused(etcd_volumes_exist: bool) -> set[str]:
        found = update_rejections(
            before,
            after,
            kops_version="1.37",
            etcd_volumes_exist=etcd_volumes_exist,
        )
        return {v.path.rpartition(".")[2] for v in found}

    assert refused(True) == expected
    assert refused(False) == set()


def test_a_cluster_does_not_take_the_place_of_another() -> None:
    found = update_rejections(
        manifest(), manifest(name="other.example.com"), kops_version="1.37"
    )

    assert [(v.path, v.at_command) for v in found] == [("metadata.name", "replace")]


def test_an_image_is_free_before_1_37_and_in_a_new_etcd_cluster() -> None:
    before, after = manifest(volume()), with_etcd(**IMAGE)

    assert told(before) == set()
    for kops, expected in (("1.36", []), ("1.37", ["spec.etcdClusters[0]"])):
        found = update_rejections(before, after, kops_version=kops)
        assert [v.path.removesuffix(".image") for v in found][:1] == expected
        assert all("etcdClusters[1]" not in v.path for v in found)


def test_one_instance_profile_is_for_groups_of_one_role() -> None:
    profile = {"iam": {"profile": "arn:aws:iam::1:instance-profile/nodes"}}
    objects = [
        CLUSTER,
        group("master-a", "Master"),
        *(group(name, "Node", **profile) for name in ("b", "c")),
        group("bastions", "Bastion", **profile),
    ]
    text = yaml.safe_dump_all(objects)
    (found,) = read_fleet([Source("cluster.yaml", text)]).manifests.values()

    (refused,) = rejections(found, kops_version="1.37")
    assert (refused.about, refused.path, refused.at_command) == (
        "InstanceGroup/bastions",
        "spec.iam.profile",
        "update",
    )


@pytest.mark.parametrize(
    ("handler", "command"),
    [
        ({"enabled": True, "enableSpotInterruptionDraining": False}, ["create"]),
        ({"enableSpotInterruptionDraining": False}, ["update"]),
        ({"enabled": False, "enableSpotInterruptionDraining": False}, []),
    ],
)
def test_a_handler_reads_a_queue_once_it_is_turned_on(
    handler: Fields, command: list[str]
) -> None:
    """By the file, or by kops when it updates the cluster."""
    found = manifest({"nodeTerminationHandler": handler})

    assert [v.at_command for v in rejections(found, kops_version="1.37")] == command


def test_a_cluster_that_says_nothing_of_dns_wants_it_public() -> None:
    """It is read so at once, and not only when the cluster is updated."""
    found = manifest({"topology": None}, name="demo.k8s.local")

    assert {(v.path, v.at_command) for v in rejections(found, kops_version="1.37")} == {
        ("spec.topology.dns.type", "create")
    }


@pytest.mark.parametrize(
    ("fields", "kops"),
    [
        ({"containerRuntime": "docker", "docker": {}}, "1.28"),
        ({"kubelet": {"networkPluginName": "cni"}}, "1.28"),
        ({"kubeAPIServer": {"enableAdmissionPlugins": ["PodSecurityPolicy"]}}, "1.31"),
        (plugin("external"), "1.31"),
        (plugin("canal"), "1.33"),
    ],
)
def test_kops_takes_what_the_kubernetes_of_the_cluster_still_has(
    fields: Fields, kops: str
) -> None:
    """As long as it runs one that has it; the release after that takes it no more."""
    old = manifest({**fields, "kubernetesVersion": "1.23.0"})
    new = manifest({**fields, "kubernetesVersion": "1.28.0"})
    later = f"1.{int(kops[2:]) + 1}"
    too_old = {"version spec.kubernetesVersion"}

    assert told(old, kops) - too_old == set()
    assert told(new, kops) - too_old
    assert told(old, later) - too_old


def test_bits_outside_of_a_range_are_told_since_1_18() -> None:
    found = manifest({"kubernetesVersion": "1.17.0", "sshAccess": ["1.1.1.1/0", "x"]})

    assert told(found, "1.17") == {f"{RANGE} spec.sshAccess[1]"}
    assert f"{RANGE} spec.sshAccess[0]" in told(found, "1.18")


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("Bastion", {f"{VALUE} spec.topology.bastion.loadBalancer.type"}),
        ("Node", set()),
    ],
)
def test_the_load_balancer_of_bastions_is_made_where_there_are_some(
    role: str, refused: set[str]
) -> None:
    topology = {"bastion": {"loadBalancer": {"type": "public"}}}
    objects = [
        laid_over(CLUSTER, {"spec": {"topology": topology}}),
        group("master-a", "Master"),
        group("nodes", "Node"),
        group("more", role),
    ]
    text = yaml.safe_dump_all(objects)
    (found,) = read_fleet([Source("cluster.yaml", text)]).manifests.values()

    assert told(found) == refused


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"cloudLabels": {"Name": "x"}}, "Name"),
        ({"cloudLabels": {"kops.k8s.io/instancegroup": "other"}}, "other"),
        ({"nodeLabels": {"a/b/c": "x"}}, "a/b/c"),
    ],
)
def test_a_label_is_shown_where_it_is_wrong(fields: Fields, written: str) -> None:
    """At its key, or at its value."""
    (found,) = rejections(manifest(nodes=fields), kops_version="1.37")
    line = found.span.source.line(found.span.line)

    assert line[found.span.column - 1 : found.span.end_column - 1] == written


@pytest.mark.parametrize(
    ("zones", "refused"),
    [
        (["eu-west-1a"], False),
        (["eu-west-1b"], True),
        (["eu-west-1a", "eu-west-1a"], True),
        ([], False),
    ],
)
def test_a_private_subnet_has_one_utility_subnet_in_its_zone(
    zones: list[str], refused: bool
) -> None:
    """Where the file shows any; a file that shows none may be a part of a spec."""
    utility = [
        {
            "name": f"utility-{number}",
            "zone": zone,
            "type": "Utility",
            "cidr": f"10.20.{number}.0/24",
        }
        for number, zone in enumerate(zones)
    ]
    found = manifest({"subnets": [SUBNET, *utility]})

    assert told(found) == ({f"{RANGE} spec.subnets[0].zone"} if refused else set())
