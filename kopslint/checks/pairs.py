"""What a change leaves standing: the same object before and after, by its name.

Rules about changed fields ask here for pairs. An object that is new or gone is in no
pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.change.identity import move
from kopslint.model.properties.teardown import ends_cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.checks.context import Context
    from kopslint.kops.spec import (
        Cluster,
        EtcdCluster,
        EtcdMember,
        InstanceGroup,
        Subnet,
    )


def cluster(context: Context) -> tuple[Cluster, Cluster] | None:
    """The Cluster before and after; None unless both sides have it, as one cluster.

    That a cluster is elsewhere is the finding to act upon: what else is different is
    different because it is another one. So it is with one that is deleted first.
    """
    return None if is_another(context) else both(context)


def both(context: Context) -> tuple[Cluster, Cluster] | None:
    """The Cluster before and after, wherever it is; None unless both sides have it."""
    before = context.before.cluster if context.before is not None else None
    after = context.after.cluster
    return None if before is None or after is None else (before, after)


def is_another(context: Context) -> bool:
    """Whether the cluster after is in another place, or the list deletes it first."""
    pair = both(context)
    return pair is not None and (move(*pair) is not None or deleted_first(context))


def deleted_first(context: Context) -> bool:
    """Whether the list surely deletes the whole cluster before it applies the change.

    Nothing is left then that the change could be too much for: what comes after it is
    a new cluster.
    """
    simulation = context.simulation
    if simulation is None or context.before is None:
        return False

    for number, step in enumerate(simulation.steps, 1):
        if ends_cluster(step.command, simulation.plan) and step.status == "applied":
            return all(
                state.applied.cluster is context.before.cluster
                for earlier in simulation.steps[:number]
                for state in earlier.before
            )
    return False


def etcd_clusters(context: Context) -> Iterator[tuple[EtcdCluster, EtcdCluster]]:
    """The etcd clusters of both sides, before and after."""
    pair = cluster(context)
    if pair is None:
        return
    before, after = pair
    for new in after.etcd_clusters:
        old = before.etcd_cluster(new.name)
        if old is not None:
            yield old, new


def members(context: Context) -> Iterator[tuple[str, EtcdMember, EtcdMember]]:
    """The members of both sides: the etcd cluster's name, before, after.

    One that the list takes out and lets in anew is not the same member.
    """
    anew = made_anew(context)
    for etcd, after in etcd_clusters(context):
        for new in after.members:
            old = etcd.member(new.name) if new.name else None
            if old is not None and (after.name, new.name) not in anew:
                yield after.name, old, new


def made_anew(context: Context, *, perhaps: bool = False) -> frozenset[tuple[str, str]]:
    """The members, each with its etcd cluster, that the list lets in anew.

    ``perhaps``: those instead that it lets in anew in some runs only.
    """
    if context.simulation is None:
        return frozenset()
    from kopslint.model.properties.membership import let_in_anew

    return frozenset(
        (etcd_cluster, name)
        for etcd_cluster, name, certain in let_in_anew(context.simulation)
        if certain is not perhaps
    )


def is_sure(context: Context, members: Iterable[tuple[str, str]]) -> bool:
    """Whether one of some members, given with its etcd cluster, surely is the old one.

    A fact about its disk is certain then, and otherwise holds in some runs.
    """
    return not made_anew(context, perhaps=True).issuperset(members)


def subnets(context: Context) -> Iterator[tuple[Subnet, Subnet]]:
    """The subnets of both sides, before and after."""
    pair = cluster(context)
    if pair is None:
        return
    before, after = pair
    for new in after.subnets:
        old = before.subnet(new.name)
        if old is not None:
            yield old, new


def groups(context: Context) -> Iterator[tuple[InstanceGroup, InstanceGroup]]:
    """The instance groups of both sides, before and after."""
    if context.before is None or deleted_first(context):
        return
    for name, new in context.after.groups.items():
        old = context.before.groups.get(name)
        if old is not None:
            yield old, new
