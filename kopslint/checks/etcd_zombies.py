"""The step from etcd 3.5 to 3.6, on which removed members can come back.

Until 3.5.25 the two stores of etcd could disagree about who is a member; 3.6 believes
the one that a removal may not have reached. From 3.5.26 on etcd puts that right when it
starts. Source: https://etcd.io/blog/2025/zombie_members_upgrade/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, listed, only
from kopslint.commands import model
from kopslint.commands.kops import Reconcile, RollingUpdate, UpdateCluster
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.running_etcd import (
    REPAIRED,
    kops_for,
    kubernetes_of,
    may_run,
    needs_repair,
)
from kopslint.kops.versions import Release
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import Cluster, EtcdCluster
    from kopslint.text import Span

_NEW = Release(3, 6, 0)
# The first kops that runs an etcd which repairs. Source: kops
# pkg/model/components/etcdmanager/options.go on the release branches.
_BRINGS_REPAIR = 34


def zombie_members(context: Context) -> Iterable[Draft]:
    """Removed members may come back: etcd goes to 3.6 from an unrepaired 3.5."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    before, after = pair
    found = [
        (old, new)
        for old, new in pairs.etcd_clusters(context)
        if len(old.members) > 1  # One that was always alone has removed nobody.
        and _may_be_unrepaired(old, before, context)
        and _is_new(new, after, context)
    ]
    if not found or _is_repaired(context):
        return
    removed = _removed(found, context)
    names = [new.name for _, new in found]
    name = f"--name {context.cluster}"
    roll = f"kops rolling-update cluster {name} --instance-group-roles control-plane"
    goes = f", and {listed(removed)} {_goes(removed)} too" if removed else ""
    yield Draft(
        severity=Severity.ERROR if removed else None,
        certainty=Certainty.POSSIBLE,
        message=f"the version of etcd {listed(names)} goes to 3.6 or later from a 3.5 "
        f"that may be older than 3.5.26{goes}",
        why="Up to 3.5.25 a removed member could stay in one of the two member lists"
        " that etcd keeps. etcd 3.6 reads that list: members that were removed"
        " long ago come back, count as voters and cost quorum. etcd 3.5.26 and"
        " later repair the list at startup, and kops 1.34 and later bring one of"
        " these. A control plane that kops 1.34 or newer has already rolled is"
        " safe.",
        locations=tuple(
            Location(span, label)
            for old, new in found[:1]
            for span, label in (
                (_place(new, after), "this brings the new etcd"),
                (_place(old, before), "etcd 3.5 runs before"),
            )
        ),
        subject=",".join(names),
        etcd_cluster=only(names),
        fix=(
            "# before this change is stored, with kops 1.34 or newer:",
            f"kops update cluster {name} --yes && {roll} --yes",
            "# go on when etcdctl endpoint status shows 3.5.26 or later everywhere",
        ),
    )


def _goes(names: list[str]) -> str:
    return "goes" if len(names) == 1 else "go"


def _place(etcd: EtcdCluster, cluster: Cluster) -> Span:
    """What decides on the version: that of the etcd cluster, or that of Kubernetes."""
    named = text_at(etcd.node, "version") is not None
    return etcd.at("version") if named else cluster.at("spec", "kubernetesVersion")


def _may_run(cluster: Cluster, context: Context) -> range:
    """The releases of kops that may have brought a cluster to where it is."""
    from kopslint.kops.validation import kops_minor

    able = kops_for(kubernetes_of(cluster))
    if context.kops_version is None:
        return able
    newest = min(able[-1], kops_minor(context.kops_version, context.after))
    return range(able[0], newest + 1)


def _may_be_unrepaired(old: EtcdCluster, before: Cluster, context: Context) -> bool:
    return any(map(needs_repair, may_run(old, before, _may_run(before, context))))


def _is_new(new: EtcdCluster, after: Cluster, context: Context) -> bool:
    found = may_run(new, after, _may_run(after, context))
    return bool(found) and found[0] >= _NEW


def _removed(
    found: list[tuple[EtcdCluster, EtcdCluster]], context: Context
) -> list[str]:
    """The members that the change takes away, and those that the list removes."""
    gone = {
        f"member {member.name}"
        for old, new in found
        for member in old.members
        if new.member(member.name) is None
    }
    if not gone and context.simulation is not None:
        steps = context.simulation.steps
        if any(isinstance(s.command, model.MemberRemove) for s in steps):
            return ["a member that the list removes"]
    return sorted(gone)


def _is_repaired(context: Context) -> bool:
    """Whether the list updates and rolls the control plane while etcd is at 3.5.

    It is the kops that goes on to 3.6, so it is one that brings the repair.
    """
    from kopslint.checks.rolls import covers_control_plane

    updated = False
    for step in context.simulation.steps if context.simulation else ():
        if step.status == "refused" or not all(
            _is_still_old(state.applied.cluster, context) for state in step.after
        ):
            continue
        match step.command:
            case UpdateCluster(yes=True):
                updated = True
            case Reconcile(yes=True):
                return True
            case RollingUpdate(yes=True) as roll:
                if updated and covers_control_plane(roll, context):
                    return True
    return False


def _is_still_old(cluster: Cluster | None, context: Context) -> bool:
    """Whether a cluster runs a repaired etcd 3.5 under a kops that brings one."""
    from kopslint.kops.releases import NEWEST
    from kopslint.kops.validation import kops_minor

    known = context.kops_version
    kops = kops_minor(known, context.after) if known is not None else NEWEST
    if cluster is None or kops < _BRINGS_REPAIR:
        return False
    able = range(_BRINGS_REPAIR, NEWEST + 1) if known is None else range(kops, kops + 1)
    for etcd in cluster.etcd_clusters:
        if any(not REPAIRED <= r < _NEW for r in may_run(etcd, cluster, able)):
            return False
    return True
