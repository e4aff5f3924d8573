"""What is done to etcd's own keys: deleted, locked away, or every member blocked.

Kubernetes keeps all that it knows in etcd main, below ``/registry``. Sources: etcd's
manual (``etcdctl del``, ``auth enable``, maintenance), kops
pkg/model/components/apiserver.go: the API server has a certificate and no user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, sure
from kopslint.commands import model
from kopslint.commands.kops import DeleteCluster
from kopslint.findings import Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.model.simulation import Step

_ALL = ("", "/", "/registry", "/registry/")
_PASSING = ("/registry/events", "/registry/masterleases")
"""What expires by itself, or is written anew while its owner lives."""


def etcd_data_damaged(context: Context) -> Iterator[Draft]:
    """Keys of a living etcd are deleted past Kubernetes, or nobody may read them."""
    for step in context.simulation.steps if context.simulation is not None else ():
        if isinstance(step.command, DeleteCluster) and step.command.yes:
            return
        if isinstance(step.command, model.DamageEtcd):
            draft = _damage(step, step.command, context)
            if draft is not None:
                yield draft


def _damage(step: Step, command: model.DamageEtcd, context: Context) -> Draft | None:
    match command.verb:
        case "delete":
            return _deleted(step, command)
        case "authenticate":
            return Draft(
                message="etcd authentication is switched on, but the API server has no"
                " etcd user",
                why="From then on etcd answers only clients with a user and a role."
                " The API server and etcd-manager have only certificates: the API"
                " is down until 'etcdctl auth disable' is run as root.",
                locations=(Location(step.command.span, "the API is locked out"),),
                subject="auth",
                step=step.number,
                etcd_cluster=command.etcd_cluster,
                fix=("# leave it off: in kops, etcd authenticates by certificate",),
            )
        case "defragment":
            several = any(len(e.members) > 1 for e in context.after.etcd_clusters)
            if not several:
                return None
            return Draft(
                severity=Severity.WARNING,
                message="all etcd members are defragmented in one go",
                why="A member answers nothing while it is defragmented. Without a"
                " check in between, the next one starts before the last has"
                " caught up, and with a large database the API is down for"
                " minutes.",
                locations=(Location(step.command.span, "all members"),),
                subject="defrag",
                step=step.number,
                etcd_cluster=command.etcd_cluster,
                fix=("# one member at a time, checking its health in between",),
            )


def _deleted(step: Step, command: model.DamageEtcd) -> Draft | None:
    prefix = command.prefix
    passing = prefix is not None and prefix.startswith(_PASSING)
    if passing or command.etcd_cluster == "events":
        return None
    whole = prefix in _ALL and command.etcd_cluster in (None, "main")
    if whole:
        message = "every Kubernetes object is deleted from etcd"
        why = (
            "Nodes, pods, secrets and everything else in the API are gone at once, in"
            " every member, and only a backup brings them back."
        )
    else:
        message = "Kubernetes objects are deleted from etcd, bypassing the API"
        why = (
            "Nothing is cleaned up: no finalizer runs, and what belonged to the"
            " objects stays."
        )
    label = (
        "which ones is only known when it runs"
        if prefix is None
        else f"below {prefix}/"
    )
    return Draft(
        severity=None if whole else Severity.WARNING,
        message=message,
        why=why,
        locations=(Location(step.command.span, "all of them" if whole else label),),
        certainty=sure(prefix is not None),
        subject=f"del/{command.text}",
        step=step.number,
        etcd_cluster=command.etcd_cluster,
        fix=("# delete objects through the API: kubectl delete KIND NAME",),
    )
