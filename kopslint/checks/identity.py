"""Which cluster a spec is about: its name, its cloud and its region.

kops keeps a cluster under its name and reaches its machines through the cloud and the
region; with another one of these it is at work on another cluster.
Sources: kops pkg/client/simple/vfsclientset (the state store's folders are cluster
names), upup/pkg/fi/cloudup/utils.go (BuildCloud), awsup/aws_utils.go (FindRegion).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import kept
from kopslint.checks.context import Context, Draft
from kopslint.findings import Location, Severity
from kopslint.syntax.yaml_tree import find, span_of, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, Manifest
    from kopslint.source.text import Span


def cluster_identity_changed(context: Context) -> Iterator[Draft]:
    """The cluster has another name, is in another cloud, or in another region."""
    if context.renamed_from is not None:
        yield _renamed(context.renamed_from, context.after)
    pair = kept.cluster(context)
    if pair is None:
        return
    old, new = pair
    if is_elsewhere(old, new):
        yield _moved(old, new)


def is_elsewhere(old: Cluster, new: Cluster) -> bool:
    """Whether a Cluster is in another cloud or region than before.

    What a spec does not say is no other one.
    """
    one, other = _cloud(old), _cloud(new)
    if one is None or other is None or one != other:
        return None not in (one, other)
    places = (_region(old), _region(new))
    return None not in places and places[0] != places[1]


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


def _renamed(old: Manifest, new: Manifest) -> Draft:
    places = [
        Location(side.cluster.at("metadata", "name"), f"{when}: {side.name}")
        for side, when in ((new, "after"), (old, "before"))
        if side.cluster is not None
    ]
    if not places:
        group = next(iter(new.groups.values()))
        places = [Location(group.at("metadata"), f"after: {new.name}")]
    return Draft(
        severity=Severity.WARNING,
        message=f"cluster {old.name} is called {new.name} after the change: that is "
        "another cluster",
        why="kops knows a cluster by its name. It has none of the new name to change: "
        f"{old.name} goes on as it is, under nobody's file, and what is created for "
        f"{new.name} starts with an empty etcd.",
        locations=tuple(places),
        subject=f"name/{old.name}/{new.name}",
        fix=(
            f"# keep the name {old.name}; for a new cluster, keep the old file too, or",
            f"# kops delete cluster {old.name} --yes, when nothing runs there",
        ),
    )


def _moved(old: Cluster, new: Cluster) -> Draft:
    """Cloud or region: machines, volumes and networks cannot follow."""
    clouds = _cloud(old) != _cloud(new)
    what = "cloud" if clouds else "region"
    before, after = (
        (_cloud(old), _cloud(new)) if clouds else (_region(old), _region(new))
    )
    return Draft(
        message=f"the cluster moves from {what} {before} to {after}",
        why="kops looks for machines, networks and volumes where the spec says that "
        f"they are, finds none in {after}, and builds a second set with empty etcd "
        "volumes. The backup store says that the cluster was created already, so "
        f"etcd waits for a restore; what runs in {before} is left without a spec.",
        locations=(
            Location(_place(new, clouds=clouds), f"after: {after}"),
            Location(_place(old, clouds=clouds), f"before: {before}"),
        ),
        subject=f"{what}/{before}/{after}",
        fix=(f"# a new cluster in {after}, under a name of its own",),
    )


def _place(cluster: Cluster, *, clouds: bool) -> Span:
    if clouds or not cluster.subnets:
        return cluster.at("spec", "cloudProvider")
    subnet = next((s for s in cluster.subnets if s.zone), cluster.subnets[0])
    field = "region" if find(subnet.node, "region") is not None else "zone"
    return span_of(subnet.node, field)
