"""The release of etcd and how it is run: which steps lose data or stop everything.

Sources: etcd-manager pkg/controller/upgrade.go (prepareForUpgrade), runs of it from 3.4
to 3.6 and from 3.6 to 3.5 (all data kept, revisions start again), and kops
docs/etcd3-migration.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed, only
from kopslint.commands import model
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.etcd_manager import is_old
from kopslint.kops.versions import Release, release
from kopslint.records import Record
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, EtcdCluster
    from kopslint.text import Span

# The one release of etcd 2 that etcd-manager can start and so migrate from.
_MIGRATED = Release(2, 2, 1)


def etcd_version_jump(context: Context) -> Iterator[Draft]:
    """The version of etcd changes by more than one minor step up."""
    found = [
        (old, new, *versions, jump)
        for old, new in pairs.etcd_clusters(context)
        if (versions := _versions(old, new, context)) is not None
        if (jump := _jump(*versions)) is not None
    ]
    for same in alike(found, lambda f: f[2:]):
        before, after, jump = same[0][2:]
        names = [new.name for _, new, *_ in same]
        # With the outage that kops documents for it, 2.2.1 was migrated.
        documented = release(before) == _MIGRATED and _rolls_at_once(context)
        yield Draft(
            severity=Severity.WARNING if documented else None,
            message=f"the version of etcd {listed(names)} {jump.message}",
            why=jump.why,
            locations=_places([(old, new) for old, new, *_ in same], "version"),
            subject=f"{','.join(names)}/{before}/{after}",
            etcd_cluster=only(names),
            fix=(jump.fix,),
        )


def _versions(
    old: EtcdCluster, new: EtcdCluster, context: Context
) -> tuple[str, str] | None:
    """The versions before and after: those named, or else what surely runs.

    None where they are the same, or where kops and Kubernetes leave it open.
    """
    if old.version and new.version:
        return None if old.version == new.version else (old.version, new.version)
    from kopslint.checks.etcd_upgrades import running, said

    pair = pairs.cluster(context)
    if pair is None:
        return None
    now, then = running(old, pair[0], context), running(new, pair[1], context)
    if not now or not then:
        return None
    back = then[-1][:2] < now[0][:2]
    if not back and then[0].minor - now[-1].minor < 2:
        return None
    return old.version or said(now), new.version or said(then)


class _Jump(Record):
    """What is wrong with a step from one version to another."""

    message: str
    why: str
    fix: str


_ANEW = (
    "Nothing can be written meanwhile, and revisions start again: API servers and"
    " controllers that remember higher ones get no changes until they are restarted."
)


def _jump(before: str, after: str) -> _Jump | None:
    old, new = release(before), release(after)
    if old is None or new is None or old.series == new.series:
        return None
    if old.major != new.major:
        return _Jump(
            message=f"goes from {before} to {after}, another major version",
            why="The data is not carried over: the new etcd starts with an empty"
            " keyspace, and every object of the cluster is gone. etcd-manager"
            " migrates only from 2.2.1, by stopping every member and restoring a"
            " backup.",
            fix=f"# stay on {before} until there is a backup and a planned outage",
        )
    if new < old:
        return _Jump(
            message=f"goes back from {before} to {after}",
            why="etcd cannot go back to an older minor release in place: etcd-manager"
            f" stops all members and copies their data into a new cluster. {_ANEW}"
            " An older release may not be able to read the data at all.",
            fix=f"# stay on {before}",
        )
    steps = [f"{old.major}.{minor}" for minor in range(old.minor + 1, new.minor + 1)]
    if len(steps) == 1:
        return None
    return _Jump(
        message=f"jumps from {before} to {after} and skips {listed(steps[:-1])}",
        why="etcd-manager upgrades in place by one minor release at most. For more it"
        f" stops all members and copies their data into a new cluster. {_ANEW}",
        fix=f"# one release at a time, each updated and rolled: {', '.join(steps)}",
    )


def etcd_provider_changed(context: Context) -> Iterator[Draft]:
    """Who runs etcd changes, or whether its members speak TLS."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    found = [
        (old, new, *mode)
        for old, new in pairs.etcd_clusters(context)
        if (mode := runtime_change(old, new, pair)) is not None
    ]
    for same in alike(found, lambda f: f[2:]):
        key, before, after = same[0][2:]
        changed = [(old, new) for old, new, *_ in same]
        names = [new.name for _, new in changed]
        voters = max(len(new.members) for _, new in changed)
        back = after == "Legacy"
        one_by_one = voters > 1 and not back and _rolls_one_by_one(context)
        rolled = ", and the machines are rolled one by one" if one_by_one else ""
        yield Draft(
            severity=Severity.ERROR if back or one_by_one else None,
            message=f"{_SWITCHES[key, after]} etcd {listed(names)}{rolled}",
            why=_NO_WAY_BACK if back else _OUTAGE,
            locations=_places(changed, key),
            subject=f"{','.join(names)}/{key}/{before}/{after}",
            etcd_cluster=only(names),
            fix=("# leave out provider: Legacy" if back else _AT_ONCE,),
        )


_SWITCHES = {
    ("provider", "Legacy"): "etcd-manager gives up",
    ("provider", "Manager"): "etcd-manager takes over",
    ("enableEtcdTLS", "true"): "TLS is switched on in",
    ("enableEtcdTLS", "false"): "TLS is switched off in",
}
_NO_WAY_BACK = (
    "kops documents how etcd-manager takes over etcd, but no way back: releases since"
    " 1.18 do not run etcd without it."
)
_OUTAGE = (
    "Old and new members cannot talk to each other. The first machine of a rolling"
    " update never becomes healthy, and etcd has no quorum until most machines are"
    " replaced: kops documents this as a planned outage."
)
_AT_ONCE = (
    "kops rolling-update cluster --yes --cloudonly --instance-group-roles master "
    "--master-interval=1s"
)


def _rolls_at_once(context: Context) -> bool:
    # What knows commands is only loaded where a change asks for it.
    from kopslint.checks.rolls import rolls_at_once

    return rolls_at_once(context)


def _rolls_one_by_one(context: Context) -> bool:
    from kopslint.checks.rolls import control_plane_rolls

    return bool(control_plane_rolls(context)) and not _rolls_at_once(context)


def runtime_change(
    old: EtcdCluster, new: EtcdCluster, pair: tuple[Cluster, Cluster]
) -> tuple[str, str, str] | None:
    """The changed field of how etcd is run, its value before, its value after.

    Under etcd-manager etcd always speaks TLS, whatever ``enableEtcdTLS`` says.
    """
    before, after = _provider(old, pair[0]), _provider(new, pair[1])
    if {before, after} == {"Legacy", "Manager"}:
        return "provider", before, after
    if after == "Manager":
        return None
    before, after = (_has_tls(etcd) for etcd in (old, new))
    return None if before == after else ("enableEtcdTLS", before, after)


def _has_tls(etcd: EtcdCluster) -> str:
    return "true" if text_at(etcd.node, "enableEtcdTLS") == "true" else "false"


def _provider(etcd: EtcdCluster, cluster: Cluster) -> str:
    """Who runs an etcd cluster: etcd-manager by default, from Kubernetes 1.12 on."""
    old = is_old(etcd, cluster)
    return text_at(etcd.node, "provider") or ("Legacy" if old else "Manager")


def members_without_manager(context: Context) -> Iterator[Draft]:
    """Members come or go where nobody adds or removes them.

    A list that does it by hand, with etcdctl, is the way that is left.
    """
    pair = pairs.cluster(context)
    if pair is None:
        return
    by_hand = _by_hand(context)
    found = []
    for old, new in pairs.etcd_clusters(context):
        if "Manager" in (_provider(old, pair[0]), _provider(new, pair[1])):
            continue
        before, after = ({m.name for m in etcd.members} for etcd in (old, new))
        joins = tuple(m.name for m in new.members if m.name not in before)
        leaves = tuple(m.name for m in old.members if m.name not in after)
        joins = () if model.MemberAdd in by_hand else joins
        leaves = () if model.MemberRemove in by_hand else leaves
        if joins or leaves:
            found.append((new, is_old(new, pair[1]), joins, leaves))
    for same in alike(found, lambda f: f[1:]):
        _, perhaps, joins, leaves = same[0]
        draft = _unmanaged([etcd for etcd, *_ in same], joins, leaves)
        if perhaps:
            draft = draft._replace(
                severity=Severity.WARNING, certainty=Certainty.POSSIBLE
            )
        yield draft


def _by_hand(context: Context) -> set[type]:
    """What the list does to members itself."""
    if context.simulation is None:
        return set()
    return {type(command) for command in context.simulation.plan.commands}


def _unmanaged(
    etcds: list[EtcdCluster], joins: tuple[str, ...], leaves: tuple[str, ...]
) -> Draft:
    names = tuple(etcd.name for etcd in etcds)
    told = [
        f"{listed(joins)} never {'join' if len(joins) > 1 else 'joins'}"
        if joins
        else "",
        f"{listed(leaves)} {'stay' if len(leaves) > 1 else 'stays'} registered"
        if leaves
        else "",
    ]
    return Draft(
        severity=None if joins else Severity.WARNING,
        message=f"nothing changes the members of etcd {listed(names)}:"
        f" {', and '.join(filter(None, told))}",
        why="With provider: Legacy, as with kops before etcd-manager, protokube"
        " starts etcd with the members of the spec and does not change a running"
        " one: a machine with another member list cannot join, and one that is"
        " gone counts against quorum.",
        locations=tuple(
            Location(_place(etcd, "provider"), f"{etcd.name} has no etcd-manager")
            for etcd in etcds
        ),
        subject=f"{','.join(names)}/{','.join(joins)}/{','.join(leaves)}",
        etcd_cluster=only(names),
        fix=(
            "# let etcd-manager take over first, in a change of its own",
            "# (provider: Manager), or use etcdctl member add and member remove",
        ),
    )


def etcd_versions_differ(context: Context) -> Iterator[Draft]:
    """Two etcd clusters of one spec are given different versions.

    Where one of them is none that kops takes, that is the finding to act upon.
    """
    etcd_clusters = context.after.etcd_clusters
    first = etcd_clusters[0] if etcd_clusters else None
    if first is None or {etcd.version for etcd in etcd_clusters} == {first.version}:
        return
    if _is_refused(first, context):
        return
    if first.version:
        yield from _left_to_kops(first, [e for e in etcd_clusters if not e.version])
    for etcd in etcd_clusters[1:]:
        if etcd.version is None or etcd.version == first.version:
            continue
        if _is_refused(etcd, context):
            continue
        has = f"has {first.version}" if first.version else "sets none"
        yield Draft(
            message=f"etcd {etcd.name} has version {etcd.version} and {first.name} "
            f"{has}: they must be the same",
            why="kops compares every version with that of the first etcd cluster and"
            " refuses to store a spec in which they differ.",
            locations=(
                Location(etcd.at("version"), f"the version of {etcd.name}"),
                Location(_place(first, "version"), f"{first.name} {has}"),
            ),
            subject=etcd.name,
            etcd_cluster=etcd.name,
            fix=(f"# write version: {etcd.version} in {first.name} too",)
            if first.version is None
            else (f"# write version: {first.version} in {etcd.name} too",),
        )


def _is_refused(etcd: EtcdCluster, context: Context) -> bool:
    """Whether kops refuses the version of an etcd cluster for itself."""
    from kopslint.checks.validation import refused_versions

    return etcd.version is not None and etcd.at("version") in refused_versions(context)


def _left_to_kops(first: EtcdCluster, others: list[EtcdCluster]) -> Iterator[Draft]:
    """Etcd clusters without a version beside a first one that has it.

    Source: kops pkg/model/components/etcd.go fills in the version that its release
    takes, and upup/pkg/fi/cloudup/apply_cluster.go validates once more after that.
    """
    if not others:
        return
    names = [etcd.name for etcd in others]
    leaves = "leaves" if len(names) == 1 else "leave"
    yield Draft(
        severity=Severity.WARNING,
        certainty=Certainty.POSSIBLE,
        message=f"etcd {first.name} has version {first.version} and {listed(names)} "
        f"{leaves} it to kops: they must be the same",
        why="kops stores the spec, fills in its own default at every update, and"
        " refuses the update unless that happens to be the same version.",
        locations=(
            *(Location(etcd.at("name"), f"{etcd.name} sets none") for etcd in others),
            Location(first.at("version"), f"the version of {first.name}"),
        ),
        subject=",".join(names),
        etcd_cluster=only(names),
        fix=(f"# write version: {first.version} in {listed(names)} too",),
    )


def _place(etcd: EtcdCluster, key: str) -> Span:
    """Where a field is, or else the name of the etcd cluster that lacks it."""
    return etcd.at("name" if text_at(etcd.node, key) is None else key)


def _places(
    changed: list[tuple[EtcdCluster, EtcdCluster]], key: str
) -> tuple[Location, ...]:
    """The field after in every etcd cluster, then before in the first."""
    old = changed[0][0]
    return (
        *(
            Location(_place(new, key), f"{key} of {new.name} after")
            for _, new in changed
        ),
        Location(_place(old, key), f"{key} of {old.name} before"),
    )
