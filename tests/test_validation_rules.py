"""What kops refuses: one small change to a sound spec, and exactly what is said.

Each case lays some fields over a Cluster and a group that kops accepts, and names the
kind and the field of every violation. A field set to None is taken out.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kopslint.kops.fleet import read_fleet
from kopslint.kops.validation import update_violations, violations
from kopslint.source.text import Source

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
        for v in violations(found, kops_version=kops)
        if not v.covered_by
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
    "flannel without a backend": (
        {"networking": {"cni": None, "flannel": {}}},
        {f"{MISSING} spec.networking.flannel.backend"},
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


@pytest.mark.parametrize(("fields", "expected"), CLUSTERS.values(), ids=CLUSTERS)
def test_a_cluster_is_refused_for(fields: Fields, expected: set[str]) -> None:
    assert told(manifest(fields)) == expected


ARN = "arn:aws:iam::123456789012"
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
ELSEWHERE: dict[str, tuple[Fields, set[str]]] = {
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
}


@pytest.mark.parametrize(("fields", "expected"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_every_cloud_has_rules_of_its_own(fields: Fields, expected: set[str]) -> None:
    zones = {f"{MISSING} spec.zones"} if fields["cloudProvider"] == "gce" else set()

    assert told(manifest(fields)) == expected | zones


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

    assert [v.message for v in violations(found)] == []
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
    (found,) = violations(manifest({"updatePolicy": "automatc"}), kops_version="1.37")

    assert found.message == (
        'spec.updatePolicy is "automatc", and kops takes automatic, external'
    )
    assert (found.at_command, found.hint) == ("create", "write automatic")
    assert found.about == "Cluster/demo.example.com"
    assert found.source == (
        "kubernetes/kops pkg/apis/kops/validation/validation.go, validateClusterSpec"
    )


def test_violations_come_by_place() -> None:
    found = manifest(
        {"sshAccess": ["x"], "cloudLabels": {"Name": "x"}}, {"tenancy": "shared"}
    )
    places = [v.span.line for v in violations(found, kops_version="1.37")]

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
        found = update_violations(
            before,
            after,
            kops_version="1.37",
            etcd_volumes_exist=etcd_volumes_exist,
        )
        return {v.path.rpartition(".")[2] for v in found}

    assert refused(True) == expected
    assert refused(False) == set()
