"""What etcd said of itself: versions, alarms, its size, and a restore that waits."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, listed
from kopslint.checks.observed import (
    at_start,
    names,
    said,
    spec_now,
    standings,
    through_etcd,
)
from kopslint.findings import Location
from kopslint.kops.state_store import backup_store
from kopslint.kops.versions import release
from kopslint.observed.standing import group_of
from kopslint.syntax.yaml import YamlSequence, find, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdCluster
    from kopslint.observed.observation import Member
    from kopslint.observed.standing import Standing
    from kopslint.text import Span


def etcd_versions_mixed(context: Context) -> Iterator[Draft]:
    """Members run different versions of etcd."""
    for one in standings(context):
        found: dict[str, list[str]] = {}
        for member in one.seen.members:
            if member.version is not None:
                found.setdefault(member.version, []).append(said(member))
        if len(found) < 2:
            continue
        told = "; ".join(f"{listed(who)} {version}" for version, who in found.items())
        blocked = one.dead or one.unstarted
        yield Draft(
            severity=at_start(context),
            message=f"the members of etcd {one.name} run different versions: {told}",
            why="etcd-manager upgrades one member after the other within seconds, so"
            " this lasts only if it stopped half-way. "
            + (
                "It does not upgrade while a member is dead or has not started."
                if blocked
                else "New features are off until all members have the new version,"
                " and after that a member with the old one cannot join."
            ),
            locations=tuple(
                Location(member.at("version"), f"{said(member)} runs {member.version}")
                for member in one.seen.members
                if member.version is not None
            ),
            subject=f"{one.name}/{','.join(sorted(found))}",
            etcd_cluster=one.name,
            fix=(
                *context.way_back,
                (
                    f"# first repair {listed(names((*one.dead, *one.unstarted)))}:"
                    " then the upgrade continues by itself"
                ),
            )
            if blocked
            else ("# check again in two minutes; then read the leader's etcd.log",),
        )


def etcd_version_stuck(context: Context) -> Iterator[Draft]:
    """Etcd runs another minor version than was published."""
    for one in standings(context):
        running = {m.version for m in one.seen.members if m.version is not None}
        wanted, place = _wanted(one)
        now, then = release(next(iter(running), None)), release(wanted)
        if len(running) != 1 or now is None or then is None or place is None:
            continue
        if now.series == then.series:
            continue
        blocked = names((*one.dead, *one.unstarted))
        version = running.pop()
        first = next(m for m in one.seen.members if m.version is not None)
        yield Draft(
            severity=at_start(context),
            message=f"etcd {one.name} runs {version}, but the spec wants {wanted}",
            why=(
                "etcd-manager does not upgrade while a member is dead or has not"
                f" started, here {listed(blocked)}. Once it is back with its old disk,"
                " or removed from etcd, the upgrade continues by itself; with an"
                " empty disk both wait for each other."
                if blocked
                else "etcd-manager upgrades when its leader reads the control spec"
                " again: when its machine is rolled or its pod is restarted."
            ),
            locations=(
                Location(first.at("version"), f"it runs {version}"),
                Location(place, f"the spec wants {wanted}"),
            ),
            subject=f"{one.name}/{version}/{wanted}",
            etcd_cluster=one.name,
            fix=context.way_back
            if blocked
            else (
                (
                    f"kops rolling-update cluster --name {context.cluster} "
                    "--instance-group-roles control-plane --yes"
                ),
            ),
        )


def _wanted(one: Standing) -> tuple[str | None, Span | None]:
    """The version that was published, or else the one in the spec."""
    published = one.seen.published
    if published is not None and published.version:
        return published.version, published.span
    if one.spec is not None and one.spec.version:
        return one.spec.version, one.spec.at("version")
    return None, None


def alarm_raised(context: Context) -> Iterator[Draft]:
    """Etcd has raised an alarm."""
    for one in standings(context):
        for alarm in ("NOSPACE", "CORRUPT"):
            those = [m for m in one.seen.members if alarm in (m.alarms or ())]
            hinted = [m for m in one.seen.members if alarm in m.reason]
            found = those or hinted
            if not found:
                continue
            who = f" by {listed(names(those))}" if those else ""
            yield Draft(
                message=f"etcd {one.name} has the alarm {alarm} raised{who}",
                why=_WHY[alarm],
                locations=tuple(
                    Location(m.at("alarms") if those else m.at("healthy"), alarm)
                    for m in found
                ),
                subject=f"{one.name}/{alarm}",
                etcd_cluster=one.name,
                fix=_without_space(context, one)
                if alarm == "NOSPACE"
                else (
                    "# do not disarm it: find out which member differs, with",
                    "# etcdctl endpoint hashkv --cluster, while nothing writes",
                    "# then empty its disk, so that it copies the data from the others",
                ),
            )


_WHY = {
    "NOSPACE": "The database has reached its quota. Until there is room again and the"
    " alarm is disarmed, etcd accepts only deletions: Kubernetes cannot store any"
    " object, and deletions that write first fail as well.",
    "CORRUPT": "etcd has found that members hold different data, and refuses writes."
    " It does not know which member is right: the wrong one has to be refilled from"
    " the others, or all of them from a backup.",
}


def _without_space(context: Context, one: Standing) -> tuple[str, ...]:
    etcd = f"etcd {one.name}"
    return through_etcd(
        context,
        one,
        [
            (
                f"revision=$({etcd} endpoint status --write-out json | "
                "grep -o '\"revision\":[0-9]*' | head -n 1 | cut -d : -f 2)"
            ),
            f'{etcd} compact "$revision"',
            f"{etcd} defrag --cluster",
            f"{etcd} alarm disarm",
        ],
        "make room, then disarm it",
    )


DEFAULT_QUOTA = 2 * 1024**3
"""What etcd takes where it is told nothing, and neither kops nor etcd-manager tell it.

Source: etcd server/storage/quota.go, DefaultQuotaBytes."""

NEAR = 0.8


def database_near_quota(context: Context) -> Iterator[Draft]:
    """The database of a member is nearly as large as etcd lets it become."""
    for one in standings(context):
        told = max((m.quota or 0 for m in one.seen.members), default=0)
        quota = told or _quota_of(one.spec) or DEFAULT_QUOTA
        found = [m for m in one.seen.members if (m.db_size or 0) >= NEAR * quota]
        if not found or any(m.alarms for m in one.seen.members):
            continue
        first = max(found, key=lambda m: m.db_size or 0)
        size = first.db_size or 0
        used = first.db_in_use
        inside = f", of which {_size(used)} are in use" if used is not None else ""
        yield Draft(
            message=f"the database of etcd {one.name} is {_size(size)}{inside}: "
            f"{100 * size // quota} % of its quota of {_size(quota)}",
            why="At its quota etcd raises NOSPACE and refuses every write. Compacted"
            " space stays in the file until it is defragmented; if most of it is in"
            " use, something stores too much.",
            locations=tuple(
                Location(m.at("db_size"), f"{said(m)}: {_size(m.db_size or 0)}")
                for m in found
            ),
            subject=one.name,
            etcd_cluster=one.name,
            fix=through_etcd(
                context,
                one,
                _one_by_one(one, found),
                "a member does not answer while it is defragmented, so one by one",
            ),
        )


def _one_by_one(one: Standing, members: list[Member]) -> list[str]:
    """Every member defragmented on its own machine, the leader last."""
    ordered = sorted(members, key=lambda member: member.leader == "yes")
    groups = [group_of(member, one.spec) for member in ordered]
    calls = [
        call
        for group in groups
        if group is not None
        for call in (f"via {quote(group)}", f"etcd {one.name} defrag")
    ]
    return calls or [f"etcd {one.name} defrag"]


def _size(size: int) -> str:
    """A size as etcdctl prints it."""
    for unit, power in (("GB", 3), ("MB", 2), ("kB", 1)):
        if size >= 1000**power:
            return f"{size / 1000**power:.1f} {unit}"
    return f"{size} B"


def _quota_of(spec: EtcdCluster | None) -> int | None:
    """The quota that the spec hands to etcd, through the manager's environment.

    Source: etcd-manager pkg/etcd/etcdprocess.go passes on what begins with ETCD_.
    """
    env = find(spec.node, "manager", "env") if spec is not None else None
    for item in env.items if isinstance(env, YamlSequence) else ():
        if text_at(item, "name") == "ETCD_QUOTA_BACKEND_BYTES":
            text = text_at(item, "value") or ""
            return int(text) if text.isdigit() and int(text) > 0 else None
    return None


def restore_is_queued(context: Context) -> Iterator[Draft]:
    """A restore-backup command waits for etcd-manager."""
    for one in standings(context):
        for queued in one.seen.queued or ():
            wants = queued.member_count
            holds = f" for {wants} members" if wants is not None else ""
            living = len(one.alive)
            waits = wants is not None and one.voters and living < wants // 2 + 1
            yield Draft(
                severity=at_start(context),
                message=f"a restore of backup {queued.backup}{holds} waits for etcd "
                f"{one.name}",
                why=(
                    f"It waits until {(wants or 0) // 2 + 1} peers run and keeps"
                    " etcd-manager from reading another count; once enough are back,"
                    " etcd is rolled back to that backup."
                    if waits
                    else "It runs as soon as etcd-manager's leader reads it:"
                    " everything written since that backup is lost. On a running"
                    " cluster with fewer members than the restore asks for, the"
                    " backup's keys are written over the live ones."
                ),
                locations=(Location(queued.span, "it waits here"),),
                subject=f"{one.name}/{queued.backup}",
                etcd_cluster=one.name,
                fix=_unqueued(context, one, queued.backup),
            )


def _unqueued(context: Context, one: Standing, backup: str) -> tuple[str, ...]:
    """How a queued restore is taken back; addressed only where the store is known."""
    store = backup_store(spec_now(context), one.spec) if one.spec else None
    if store is None:
        return (
            "# if you do not want this, delete it before any peer returns:",
            "# etcd-manager-ctl --backup-store=... delete-command, with the store of",
            f"# etcd {one.name}; then restart etcd-manager on the leader",
        )
    return (
        "# if you do not want this, delete it before any peer returns, and then",
        "# restart etcd-manager on the leader, which has read it already:",
        (
            f"etcd-manager-ctl --backup-store={quote(store)} "
            f"delete-command {quote(backup)}"
        ),
    )
