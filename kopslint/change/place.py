"""Where a cluster is: its cloud, its region, its network, as far as a spec says.

Machines, volumes and networks cannot follow a cluster to another place, so after such
a change nothing is left of it to be compared. Sources: kops
upup/pkg/fi/cloudup/utils.go (BuildCloud), awsup/aws_utils.go (FindRegion).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.records import Record
from kopslint.syntax.yaml_tree import text_at

if TYPE_CHECKING:
    from kopslint.kops.spec import Cluster


class Move(Record):
    """In which respect a cluster is in another place, and from where to where."""

    what: Literal["cloud", "region", "network"]
    before: str
    after: str


def move(old: Cluster, new: Cluster) -> Move | None:
    """How a Cluster is in another place than before; None if it is where it was.

    What a spec does not say is no other place.
    """
    one, other = _cloud(old), _cloud(new)
    if one is None or other is None or one != other:
        return Move("cloud", one, other) if one and other else None
    one, other = _region(old), _region(new)
    if one and other and one != other:
        return Move("region", one, other)
    one, other = network_id(old), network_id(new)
    if one and other and one != other and _has_none_of_the_subnets(old, new):
        return Move("network", one, other)
    return None


def network_id(cluster: Cluster) -> str | None:
    """The network that a Cluster is put into; None if kops makes one for it."""
    below = ("spec", "networking") if cluster.version == "v1alpha3" else ("spec",)
    return text_at(cluster.node, *below, "networkID") or None


def _has_none_of_the_subnets(old: Cluster, new: Cluster) -> bool:
    """Whether all subnets are given by their ids, and none of them was there before."""
    ids = [[text_at(s.node, "id") for s in side.subnets] for side in (old, new)]
    return all(side and all(side) for side in ids) and not set(ids[0]) & set(ids[1])


def _cloud(cluster: Cluster) -> str | None:
    return cluster.cloud.lower() if cluster.cloud else None


def _region(cluster: Cluster) -> str | None:
    """The region of the subnets, where kops reads it; None if it cannot be told."""
    regions = set()
    for subnet in cluster.subnets:
        if _cloud(cluster) != "aws":
            regions.add(text_at(subnet.node, "region"))
        elif subnet.zone:
            # As FindRegion has it: the zone without its last letter.
            regions.add(subnet.zone[:-1])
    return regions.pop() if len(regions) == 1 else None
