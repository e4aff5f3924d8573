"""Where etcd-manager keeps its backups and its orders, and what becomes of them.

The store holds the control spec and the marker that the cluster was created, so
whoever loses it, moves it or keeps it too long has more at stake than backups.
Sources: kops pkg/model/components/etcdmanager/options.go, etcd-manager
pkg/controller/controller.go, kops docs/operations/etcd_backup_restore_encryption.md.
"""

from __future__ import annotations

from itertools import dropwhile
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, listed, only
from kopslint.checks.rolls import covers_control_plane
from kopslint.commands import model
from kopslint.commands.kops import (
    DeleteCluster,
    DeleteInstance,
    Reconcile,
    RollingUpdate,
)
from kopslint.findings import Location
from kopslint.kops.state_store import Part, part_of, store_of
from kopslint.syntax.yaml import find, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Cluster, EtcdCluster
    from kopslint.model.simulation import Step
    from kopslint.text import Span

_FIELD = ("backups", "backupStore")


def etcd_backup_store_moved(context: Context) -> Iterator[Draft]:
    """The backup store of an etcd cluster is another one than before."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    moved = [
        (old, new, _store(pair[0], old), _store(pair[1], new))
        for old, new in pairs.etcd_clusters(context)
        if not _same(_store(pair[0], old), _store(pair[1], new))
    ]
    if not moved:
        return
    names = [new.name for _, new, _, _ in moved]
    stores = "store" if len(names) == 1 else "stores"
    yield Draft(
        message=f"the backup {stores} of etcd {listed(names)} "
        f"{'moves' if len(names) == 1 else 'move'}",
        why="The backup store also holds the control spec and the marker that says"
        " the cluster was created. The new place has neither: when etcd-manager"
        " restarts it takes the cluster for a new one, and it does not find the"
        " old backups.",
        locations=(
            *(
                Location(_place(pair[1], new), f"{new.name}: {after}")
                for _, new, _, after in moved
            ),
            *(
                Location(_place(pair[0], old), f"before: {before}")
                for old, _, before, _ in moved[:1]
            ),
        ),
        subject=",".join(names),
        etcd_cluster=only(names),
        fix=tuple(
            f"aws s3 sync {before}/ {after}/  # {new.name}, just before the update"
            for _, new, before, after in moved
            if before.startswith("s3:") and after.startswith("s3:")
        ),
    )


def _store(cluster: Cluster, etcd: EtcdCluster) -> str:
    """The backup store, by default below the cluster's part of the state store.

    Where the spec does not say which state store that is, it starts with ``...``.
    """
    said = text_at(etcd.node, *_FIELD)
    if said:
        return said.rstrip("/")
    base = store_of(cluster) or f".../{cluster.name}"
    return f"{base.rstrip('/')}/backups/etcd/{etcd.name}"


def _base(cluster: Cluster) -> tuple[str, ...]:
    if cluster.version == "v1alpha3":
        return ("spec", "configStore", "base")
    return ("spec", "configBase")


def _same(one: str, other: str) -> bool:
    """Whether two stores are one; an unknown state store may be any."""
    if "..." in (one[:3], other[:3]):
        tail = min(one.lstrip("."), other.lstrip("."), key=len)
        return one.endswith(tail) and other.endswith(tail)
    return one == other


def _place(cluster: Cluster, etcd: EtcdCluster) -> Span:
    if find(etcd.node, *_FIELD) is not None:
        return etcd.at(*_FIELD)
    if find(cluster.node, *_base(cluster)) is not None:
        return cluster.at(*_base(cluster))
    return etcd.at("name")


def restore_incomplete(context: Context) -> Iterator[Draft]:
    """A restore is ordered for a part of etcd, or nobody is made to carry it out."""
    if context.simulation is None:
        return
    restores = [
        (step, step.command)
        for step in context.simulation.steps
        if isinstance(step.command, model.RestoreBackup)
    ]
    if not restores:
        return
    last, command = restores[-1]
    rest = dropwhile(lambda c: c is not command, context.simulation.plan.commands)
    if not _is_read(last) and not any(_makes_reread(each, context) for each in rest):
        yield Draft(
            message="a restore is queued, but nothing makes etcd-manager run it",
            why="restore-backup only writes a command into the backup store. The"
            " leader reads it when etcd-manager starts or leadership changes, not"
            " before.",
            locations=(Location(command.span, "queued here, never read"),),
            subject="never-read",
            step=last.number,
            fix=(
                "# restart etcd-manager on every control-plane machine, then",
                "kops rolling-update cluster --force --yes",
            ),
        )
    named = {command.etcd_cluster for _, command in restores}
    spec = context.before or context.after
    names = [etcd.name for etcd in spec.etcd_clusters]
    missing = [n for n in names if n in ("main", "events") and n not in named]
    if None in named or not missing:
        return
    # A list may restore an etcd cluster that the spec does not have.
    done = [name for name in names if name in named] or sorted(filter(None, named))
    yield Draft(
        message=f"etcd {listed(done)} is restored, but {listed(missing)} is not",
        why="The two then hold data from different times: events refer to objects"
        " that do not exist, or the other way round. kops documents restoring"
        " both.",
        locations=(Location(command.span, f"only {listed(done)}"),),
        subject=f"only/{','.join(done)}",
        step=last.number,
        etcd_cluster=only(missing),
        fix=tuple(
            f"etcd-manager-ctl --backup-store={quote(_store(spec.cluster, etcd))} "
            "restore-backup BACKUP"
            for etcd in spec.etcd_clusters
            if etcd.name in missing and spec.cluster is not None
        ),
    )


def _is_read(step: Step) -> bool:
    """Whether it is read without a restart: while no etcd cluster of it has quorum.

    A leader that sees no member reads the control store in each of its turns. Source:
    controller.go; seen in 14 of 14 runs.
    """
    named = getattr(step.command, "etcd_cluster", None)
    return all(
        not (each.writable or each.older_writable)
        for state in step.before
        for name, state_set in state.etcd.items()
        if named in (None, name)
        for each in state_set.settled
    )


def _makes_reread(command: Command, context: Context) -> bool:
    """Whether a command makes etcd-manager start, so that it reads its orders.

    What cannot be read may be what does.
    """
    match command:
        case RollingUpdate(yes=True):
            return covers_control_plane(command, context)
        case Reconcile(yes=True) | DeleteInstance(yes=True):
            return True
        case model.StopInstances() | model.RestartManagers() | model.Unreadable():
            return True
        case _:
            return False


def state_store_reused(context: Context) -> Iterator[Draft]:
    """A cluster is destroyed and built again on the state store of the old one."""
    destroyed: Step | None = None
    for step in context.simulation.steps if context.simulation is not None else ():
        match step.command:
            case model.Terraform(verb="destroy", targets=()):
                destroyed = step
            case model.DeleteBackups() | DeleteCluster(yes=True):
                destroyed = None
            case model.Terraform(verb="apply", targets=()) if destroyed is not None:
                yield Draft(
                    message="the cluster is built again on the state store of the"
                    " destroyed one",
                    why="The disks are gone, but the backup store still says that the"
                    " cluster was created: etcd-manager finds no member, creates"
                    " no new cluster and waits for a restore. The API never"
                    " starts.",
                    locations=(
                        Location(step.command.span, "empty disks, old control spec"),
                        Location(destroyed.command.span, "the disks go here"),
                    ),
                    subject="destroy-apply",
                    step=step.number,
                    fix=(
                        (
                            "# instead of the destroy, which leaves the state store"
                            " behind:"
                        ),
                        f"kops delete cluster {context.cluster} --yes",
                        "# or keep the data: restore a backup of main and events",
                    ),
                )
                return
            case _:
                pass


def etcd_backups_deleted(context: Context) -> Iterator[Draft]:
    """The backup store of a living cluster is deleted by hand."""
    for step, command in _removals(context):
        if isinstance(command, DeleteCluster):
            yield _forgotten(step, context)
            continue
        target = command.target
        part = _part(command, context)
        if target is None or not (
            part in (Part.WHOLE, Part.BACKUPS) or _goes_with(command, context)
        ):
            continue
        yield Draft(
            message="the bucket's lifecycle deletes etcd's backups and control spec"
            if command.expires
            else "etcd's backup store is deleted while the cluster lives",
            why="This also deletes what etcd-manager relies on: the member count and"
            " the marker that says the cluster was created. At the next leader"
            " change it takes the cluster for a new one, and there is nothing to"
            " restore from.",
            locations=(Location(target.span, "the control spec is in here"),),
            subject=target.shown,
            step=step.number,
            fix=("# delete single backups, or lower backupRetentionDays",),
        )


def _forgotten(step: Step, context: Context) -> Draft:
    """``--unregister``: the machines stay, and all that they need is deleted.

    Source: kops pkg/client/simple/vfsclientset/clientset.go, DeleteAllClusterState.
    """
    return Draft(
        message=f"the state store of cluster {context.cluster} is deleted while its"
        " machines keep running",
        why="--unregister leaves the machines running and deletes everything about"
        " them in the state store: the spec, the keys, the secrets, etcd's"
        " backups, the member count and the marker that says the cluster was"
        " created. kops can no longer change the cluster, and there is nothing to"
        " restore from.",
        locations=(Location(step.command.span, "deletes keys and backups"),),
        subject="unregister",
        step=step.number,
        fix=("# copy the state store first, or leave it alone",),
    )


def keys_deleted(context: Context) -> Iterator[Draft]:
    """The keys or the secrets of a living cluster are deleted from the state store."""
    for step, command in _removals(context):
        if (
            isinstance(command, DeleteCluster)
            or _part(command, context) is not Part.KEYS
            or command.target is None
        ):
            continue
        yield Draft(
            message="the keys of the cluster are "
            + ("expired" if command.expires else "deleted")
            + " while it lives",
            why="The next 'kops update cluster' makes new certificate authorities and"
            " secrets. A machine that starts after that does not trust the"
            " others: it cannot join etcd or reach the API, and encrypted data"
            " cannot be read.",
            locations=(Location(command.target.span, "nothing else has them"),),
            subject=command.target.shown,
            step=step.number,
            fix=(
                "# copy the folder first; keys are rotated with 'kops create keypair'",
            ),
        )


def _removals(
    context: Context,
) -> Iterator[tuple[Step, model.DeleteBackups | DeleteCluster]]:
    """What deletes objects of the state store of a cluster that goes on."""
    for step in context.simulation.steps if context.simulation is not None else ():
        match step.command:
            case model.Terraform(verb="destroy", targets=()):
                return
            case DeleteCluster(yes=True, unregister=True) as command:
                yield step, command
                return
            case DeleteCluster(yes=True):
                return
            case model.DeleteBackups() as command:
                yield step, command
            case _:
                pass


def _part(command: model.DeleteBackups, context: Context) -> Part | None:
    """The part of the state store that a removal takes away."""
    if command.target is None:
        return None
    cluster = (context.before or context.after).cluster
    words = (command.target, *command.others)
    parts = (part_of(word, cluster, context.cluster) for word in words)
    part = next(filter(None, parts), None)
    return None if part is Part.WHOLE and not command.below else part


def _goes_with(command: model.DeleteBackups, context: Context) -> bool:
    """Whether a backup store is below what is removed with all that is in it."""
    cluster = context.after.cluster
    if cluster is None or command.target is None or not command.below:
        return False
    path = command.target.shown.rstrip("/")
    stores = [_store(cluster, etcd) for etcd in cluster.etcd_clusters]
    return any(f"{store}/".startswith(f"{path}/") for store in stores)
