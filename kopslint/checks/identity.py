"""Which cluster a spec is about: its name, its cloud, its region and its network.

kops keeps a cluster under its name and reaches its machines through the cloud and the
region; with another one of these it is at work on another cluster.
Sources: kops pkg/client/simple/vfsclientset (the state store's folders are cluster
names), upup/pkg/fi/cloudup/utils.go (BuildCloud), awsup/aws_utils.go (FindRegion).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.identity import move
from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft
from kopslint.commands.kops import CreateCluster, DeleteCluster
from kopslint.findings import Location, Severity
from kopslint.syntax.yaml import find, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.change.identity import Relocation
    from kopslint.kops.spec import Cluster, Manifest
    from kopslint.text import Span


def cluster_identity_changed(context: Context) -> Iterator[Draft]:
    """The cluster has another name, or is in another cloud, region or network."""
    if context.renamed_from is not None:
        yield _renamed(context.renamed_from, context.after)
    pair = pairs.both(context)
    moved = move(*pair) if pair is not None else None
    if pair is None or moved is None or pairs.deleted_first(context):
        return
    if moved.what == "network":
        yield _in_another_network(*pair, moved, context)
    else:
        yield _moved(*pair, moved)


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
        message=f"cluster {old.name} is renamed to {new.name}: for kops that is another"
        " cluster",
        why="kops knows a cluster by its name, and none has the new name yet:"
        f" {old.name} keeps running without a file, and {new.name} is created with"
        " an empty etcd.",
        locations=tuple(places),
        subject=f"name/{old.name}/{new.name}",
        fix=(
            f"# keep the name {old.name}; for a new cluster, keep the old file too, or",
            f"# kops delete cluster {old.name} --yes, when nothing runs there",
        ),
    )


def _moved(old: Cluster, new: Cluster, moved: Relocation) -> Draft:
    """Cloud or region: machines, volumes and networks cannot follow."""
    what, before, after = moved
    clouds = what == "cloud"
    return Draft(
        message=f"the cluster moves from {what} {before} to {after}",
        why="kops looks for machines, networks and volumes where the spec says they"
        f" are, finds none in {after}, and builds a second set with empty etcd"
        " volumes. The backup store says that the cluster was already created, so"
        f" etcd waits for a restore; what runs in {before} is left without a spec.",
        locations=(
            Location(_place(new, clouds=clouds), f"after: {after}"),
            Location(_place(old, clouds=clouds), f"before: {before}"),
        ),
        subject=f"{what}/{before}/{after}",
        fix=(f"# create a new cluster in {after}, under another name",),
    )


def _in_another_network(
    old: Cluster, new: Cluster, moved: Relocation, context: Context
) -> Draft:
    """The network and every subnet: built anew, and so the cluster is, under its name.

    Two files that are compared may be of two clusters, of which the first is gone; a
    list that applies the second one applies it to what there is.
    """
    unapplied = context.simulation is None or any(
        isinstance(command, DeleteCluster | CreateCluster)
        for command in context.simulation.plan.commands
    )
    return Draft(
        severity=Severity.WARNING if unapplied else None,
        message=f"the network and every subnet are replaced ({moved.before} by"
        f" {moved.after}): a new cluster under an old name",
        why="A machine stays in the network that it was started in. If the old"
        " cluster still runs, kops moves its groups and load balancer to the new"
        " subnets one by one, and machines in the two networks cannot reach each"
        " other. This is right only if the old cluster is gone.",
        locations=(
            Location(new.at(*_network(new)), f"after: {moved.after}"),
            Location(old.at(*_network(old)), f"before: {moved.before}"),
        ),
        subject=f"network/{moved.before}/{moved.after}",
        fix=(
            f"# put {moved.before} and its subnets back, or, when nothing runs there,",
            f"# kops delete cluster {context.cluster} --yes, before this is created",
        ),
    )


def _network(cluster: Cluster) -> tuple[str, ...]:
    if cluster.version == "v1alpha3":
        return ("spec", "networking", "networkID")
    return ("spec", "networkID")


def _place(cluster: Cluster, *, clouds: bool) -> Span:
    if clouds or not cluster.subnets:
        return cluster.at("spec", "cloudProvider")
    subnet = next((s for s in cluster.subnets if s.zone), cluster.subnets[0])
    field = "region" if find(subnet.node, "region") is not None else "zone"
    return span_of(subnet.node, field)
