"""Pairs of specs to plan between: clouds, sizes, names and what else people change.

Each is drawn by a seed, so that a failure is found again by its number.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOUDS = ("aws", "aws", "aws", "gce", "openstack", "hetzner", "scaleway")
"""Clouds on which kops ends machines of groups, the common one more often."""

ETCD = (("main",), ("main", "events"), ("main", "events", "cilium"))
NAMES = (
    ("{}", "master-{}"),
    ("etcd-{}", "control-plane-{}"),
    ("events-{}", "cp-{}"),
    ("main-{}", "main-{}"),
    ("us-east-1{}", "master-us-east-1{}"),
    ("{}", "{}"),
    ("m-{}-1", "cp.{}.x"),
    ("0{}", "1-{}"),
)
"""What members and their groups are called, with a letter in it."""

CLUSTERS = (
    "prod.example.com",
    "k8s-1.eu.example.org",
    "a.k8s.local",
    "very-long-name-of-a-cluster.with.many.parts.example.com",
)


class Transition(NamedTuple):
    """Both specs, and how they are planned."""

    name: str
    before: str
    after: str
    cluster: str
    cloud: str
    terraform: bool = False


def drawn(seed: int) -> Transition:
    """The transition of a seed."""
    chance = random.Random(seed)  # noqa: S311 (nothing is kept secret)
    cloud = chance.choice(CLOUDS)
    cluster = chance.choice(CLUSTERS)
    etcd = chance.choice(ETCD)
    member, group = chance.choice(NAMES)
    zones = chance.choice((1, 3, 5))
    size, then = chance.choice((1, 3, 5, 7)), chance.choice((1, 3, 5))
    old = [*"abcdefg"[:size]]
    kept = chance.sample(old, chance.randint(min(1, then), min(size, then)))
    kept = [each for each in old if each in kept]
    fresh = [*"pqrstuv"]
    new = kept + fresh[: then - len(kept)]
    terraform = cloud in ("aws", "gce") and chance.random() < 0.2
    versions = chance.choice((("1.32.4",) * 2, ("1.32.4",) * 2, ("1.32.4", "1.33.1")))
    nodes = chance.choice(((1, 1), (1, 1), (2, 1), (1, 2)))

    def text(letters: Sequence[str], side: int) -> str:
        return spec(
            cluster,
            cloud,
            etcd,
            [
                (member.format(x), group.format(x), f"z{'abcdefg'[ord(x) % zones]}")
                for x in letters
            ],
            versions[side],
            nodes[side],
        )

    ways = " by terraform" if terraform else ""
    what = f"{cloud} {''.join(old)} to {''.join(new)} ({', '.join(etcd)}){ways}"
    return Transition(
        f"{seed}: {what}, {cluster}, {member} in {group}",
        text(old, 0),
        text(new, 1),
        cluster,
        cloud,
        terraform,
    )


def spec(
    cluster: str,
    cloud: str,
    etcd: Sequence[str],
    places: Sequence[tuple[str, str, str]],
    version: str,
    nodes: int,
) -> str:
    """A whole spec: members with their groups and zones, and some groups of nodes."""
    region = {"gce": "us-east1", "hetzner": "fsn1", "scaleway": "fr-par"}.get(cloud)

    def zone(letter: str) -> str:
        if cloud == "gce":
            return f"us-east1-{letter[1]}"
        if cloud in ("hetzner", "scaleway"):
            return "fsn1" if cloud == "hetzner" else "fr-par-1"
        return f"us-east-1{letter[1]}"

    used = sorted({zone(z) for *_, z in places} | {zone("za")})
    subnets: list[dict[str, Any]] = []
    for number in range(7):
        name = zone(f"z{'abcdefg'[number]}")
        if cloud == "gce":
            name = "us-east1"
        if name in [each["name"] for each in subnets]:
            continue
        subnet = {"name": name, "type": "Private", "cidr": f"10.0.{number * 32}.0/19"}
        subnet |= {"region": region} if region else {}
        subnet |= {"zone": name} if cloud != "gce" else {}
        if cloud not in ("aws", "gce", "openstack"):
            subnet["type"] = "Public"
        subnets.append(subnet)
    cluster_spec: dict[str, Any] = {
        "channel": "stable",
        "cloudProvider": cloud,
        "configBase": f"s3://store/{cluster}",
        "etcdClusters": [
            {
                "name": name,
                "etcdMembers": [
                    {"name": member, "instanceGroup": group}
                    for member, group, _ in places
                ],
            }
            for name in etcd
        ],
        "kubernetesVersion": version,
        "networking": {"calico": {}},
        "nonMasqueradeCIDR": "100.64.0.0/10",
        "subnets": subnets,
    }
    if cloud != "gce":
        cluster_spec["networkCIDR"] = "10.0.0.0/16"
    documents: list[dict[str, Any]] = [
        {
            "apiVersion": "kops.k8s.io/v1alpha2",
            "kind": "Cluster",
            "metadata": {"name": cluster},
            "spec": cluster_spec,
        }
    ]

    def group_document(name: str, role: str, where: str) -> dict[str, Any]:
        document: dict[str, Any] = {
            "role": role,
            "machineType": "m6i.large",
            "image": "ubuntu",
            "minSize": 1,
            "maxSize": 1,
            "subnets": ["us-east1"] if cloud == "gce" else [where],
        }
        if cloud == "gce":
            document["zones"] = [where]
        return {
            "apiVersion": "kops.k8s.io/v1alpha2",
            "kind": "InstanceGroup",
            "metadata": {"name": name, "labels": {"kops.k8s.io/cluster": cluster}},
            "spec": document,
        }

    documents += [group_document(g, "Master", zone(z)) for _, g, z in places]
    documents += [
        group_document(f"nodes-{n}", "Node", used[0]) for n in range(1, nodes + 1)
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)
