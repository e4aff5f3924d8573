"""What every command has, and what can be wrong with a command line."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from kopslint.records import Frozen

if TYPE_CHECKING:
    from kopslint.kops.rejection import Rejection
    from kopslint.shell.ast import Unknown, Word
    from kopslint.text import Span


class Command(Frozen):
    """What all commands have.

    ``text`` is the command on one line, for people, wrappers included; ``span``
    is its place; ``cluster`` is the cluster it names (None: not named, so the one
    at hand). ``context`` is what it says of the Kubernetes cluster that kubectl speaks
    to: a context or a kubeconfig. ``problems`` are faults of the command line.
    ``kops`` is the name of the command of kops that it calls, and ``flags`` are those
    that it gives it, which not every release of kops has.
    """

    text: str
    span: Span
    cluster: Word | None = None
    context: Word | None = None
    problems: tuple[Rejection, ...] = ()
    kops: str = ""
    flags: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------
# The commands kopslint understands, as types: what is asked for, not what it does
#
# Every command keeps the words it was made from. An argument known only at run time
# is a ``Word`` without a text; it is never guessed here. Commands that change nothing
# kopslint models are ``Reads``; programs it does not know are ``Foreign``; anything
# that may well change the cluster and cannot be read is ``Unreadable``.

# --- kops, state store ---------------------------------------------------------


class CreateCluster(Command):
    """``kops create cluster``: writes the objects, with ``--yes`` also the cloud."""

    yes: bool = False
    dry_run: bool = False
    target: Word | None = None


class CreateFromFile(Command):
    """``kops create -f``: creates the objects of the files, in order."""

    files: tuple[Word, ...] = ()


class CreateInstanceGroup(Command):
    """``kops create ig NAME``; ``edit`` is whether the editor opens (the default)."""

    group: Word | None = None
    role: Word | None = None
    edit: bool = True
    dry_run: bool = False
    subnets: tuple[Word, ...] = ()


class Replace(Command):
    """``kops replace -f``: overwrites objects; ``--force`` creates missing ones."""

    files: tuple[Word, ...] = ()
    force: bool = False


class EditCluster(Command):
    """``kops edit cluster``; without ``--set`` and ``--unset`` an editor opens.

    ``sets`` and ``unsets`` are the flags' values as written (``path=value``);
    ``editor`` is the editor that its environment names.
    """

    editor: Word | None = None

    sets: tuple[Word, ...] = ()
    unsets: tuple[Word, ...] = ()


class EditInstanceGroup(Command):
    """``kops edit ig NAME``; without ``--set`` and ``--unset`` an editor opens.

    ``editor`` is the editor that its environment names.
    """

    editor: Word | None = None

    group: Word | None = None
    sets: tuple[Word, ...] = ()
    unsets: tuple[Word, ...] = ()


class UpgradeCluster(Command):
    """``kops upgrade cluster``: writes versions and images with ``--yes``."""

    yes: bool = False
    version: Word | None = None


class Keypair(Command):
    """``kops create``, ``promote`` or ``distrust keypair``: a step of a rotation.

    ``keyset`` may be ``all``; ``ids`` are the keypairs that are named. ``primary`` is
    whether a new one is promoted at once.
    """

    verb: Literal["create", "promote", "distrust"]
    keyset: Word | None = None
    ids: tuple[Word, ...] = ()
    primary: bool = False


# --- kops, cloud ---------------------------------------------------------------


class DeleteInstanceGroup(Command):
    """``kops delete ig NAME``: without ``--yes`` it asks at a terminal."""

    group: Word | None = None
    yes: bool = False


class DeleteFromFile(Command):
    """``kops delete -f``: deletes the objects that the files describe."""

    files: tuple[Word, ...] = ()
    yes: bool = False


class DeleteCluster(Command):
    """``kops delete cluster``: without ``--yes`` it only lists."""

    yes: bool = False
    unregister: bool = False


class DeleteInstance(Command):
    """``kops delete instance``: one machine is replaced, without validation."""

    instance: Word | None = None
    yes: bool = False
    cloudonly: bool = False


class UpdateCluster(Command):
    """``kops update cluster``: applies the state store to the cloud with ``--yes``.

    ``groups`` and ``roles`` are the filters; ``phase`` and ``target`` as given.
    ``features`` are the feature flags that its environment sets.
    """

    yes: bool = False
    target: Word | None = None
    phase: Word | None = None
    groups: tuple[Word, ...] = ()
    roles: tuple[Word, ...] = ()
    prune: bool = False
    lifecycle_overrides: tuple[Word, ...] = ()
    features: Word | None = None

    @property
    def leaves_machines(self) -> bool:
        """Whether its phase leaves machines, volumes and the control spec alone.

        Source: kops upup/pkg/fi/cloudup/apply_cluster.go, ApplyClusterCmd.Run; that
        ``iam`` is ``security`` is in cmd/kops/update_cluster.go.
        """
        phase = self.phase.shown.lower() if self.phase is not None else ""
        return phase in ("network", "security", "iam")


class RollingUpdate(Command):
    """``kops rolling-update cluster``: replaces machines one group after another.

    ``at_once`` is what runs several such commands at a time (``xargs -P 3``).
    """

    yes: bool = False
    force: bool = False
    cloudonly: bool = False
    interactive: bool = False
    fail_on_validate_error: bool = True
    fail_on_drain_error: bool = True
    validate_count: Word | None = None
    control_plane_interval: Word | None = None
    groups: tuple[Word, ...] = ()
    roles: tuple[Word, ...] = ()
    at_once: str = ""


class Reconcile(Command):
    """``kops reconcile cluster``: update and roll, control plane first.

    ``features`` are the feature flags that its environment sets.
    """

    yes: bool = False
    features: Word | None = None


class Validate(Command):
    """``kops validate cluster``; ``wait`` is the ``--wait`` duration, if given."""

    wait: Word | None = None


# --- etcd ----------------------------------------------------------------------


class MemberRemove(Command):
    """``etcdctl member remove ID``.

    ``etcd_cluster`` is the etcd cluster that etcdctl reaches, if the command line tells
    (the pod, the endpoint's port, the certificates); None if it does not, and a comment
    does not. A literal ``member`` is an id; the planner gives a member's name. ``each``
    is whether it is run once for each of several (``xargs -n1``).
    """

    member: Word | None = None
    etcd_cluster: str | None = None
    each: bool = False


class MemberAdd(Command):
    """``etcdctl member add NAME``."""

    member: Word | None = None
    etcd_cluster: str | None = None


class MemberList(Command):
    """``etcdctl member list`` or ``endpoint health/status``: a look at etcd.

    ``printed_as`` is the form of a member list (``simple``, ``table``, ``json``, and
    ``hex`` for JSON with hexadecimal ids), None for any other output.
    """

    etcd_cluster: str | None = None
    printed_as: str | None = None


class SnapshotSave(Command):
    """``etcdctl snapshot save``: a backup by hand."""

    etcd_cluster: str | None = None


class RestoreBackup(Command):
    """``etcd-manager-ctl restore-backup``: queued until the leader re-reads."""

    etcd_cluster: str | None = None


class DeleteRestore(Command):
    """``etcd-manager-ctl delete-command``: a restore leaves the queue.

    A leader that has read it goes on holding it.
    """

    etcd_cluster: str | None = None


class ForceNewCluster(Command):
    """``etcd --force-new-cluster``: one member becomes the only one, with its data.

    ``member`` is its name where the command line says it (``--name``); ``places`` are
    the machines or pods in which it is run.
    """

    etcd_cluster: str | None = None
    member: Word | None = None
    places: tuple[Word, ...] = ()


# --- nodes and cloud -----------------------------------------------------------


class RestartManagers(Command):
    """The etcd-manager containers or pods are restarted by hand.

    ``places`` are the machines or pods of which it is said; empty where it is any of
    them, and taken to be all.
    """

    etcd_cluster: str | None = None
    places: tuple[Word, ...] = ()


class NodeCommand(Command):
    """``kubectl drain``, ``cordon``, ``uncordon`` or ``delete node``."""

    verb: Literal["drain", "cordon", "uncordon", "delete"]
    nodes: tuple[Word, ...] = ()


class Terraform(Command):
    """``terraform`` or ``tofu``: ``apply`` or ``destroy``; the rest is ``Reads``.

    ``recreated`` is what an ``apply`` destroys and makes again.
    """

    verb: Literal["apply", "destroy"]
    targets: tuple[Word, ...] = ()
    recreated: tuple[Word, ...] = ()


class StopInstances(Command):
    """Machines are stopped, rebooted or terminated by another program than kops.

    ``instances`` are the machines, or the groups of which every machine is meant.
    ``many`` is whether they may be any number, whatever their words say (a filter, a
    tag, a pattern); ``for_good`` whether their group is told not to replace them.
    """

    verb: Literal["terminate", "stop", "reboot", "start"]
    instances: tuple[Word, ...] = ()
    many: bool = False
    for_good: bool = False


class DeleteVolumes(Command):
    """The cloud's own command line deletes or re-tags disks.

    ``note`` is what people wrote beside it: the comment, and the heading above.
    """

    verb: Literal["delete", "detach", "retag"]
    volumes: tuple[Word, ...] = ()
    note: str = ""


class ResizeCloudGroup(Command):
    """The cloud's own command line sets the size of a group or deletes it.

    ``size`` is None if the command does not set one; deletion is ``deletes``.
    ``later`` is whether it is only planned: it happens at some moment from here on.
    """

    group: Word | None = None
    size: Word | None = None
    deletes: bool = False
    later: bool = False


class DeleteBackups(Command):
    """Objects of the state store are removed by hand (``aws s3 rm`` and the like).

    ``below`` is whether everything below the target goes with it, ``expires`` whether
    the store is told to remove it after a time.
    """

    target: Word | None = None
    below: bool = True
    expires: bool = False


class DamageEtcd(Command):
    """Keys of etcd are deleted, or nobody can read them any more, past Kubernetes.

    ``prefix`` is where all keys go from (``""`` for all of etcd), None if it is not
    known.
    """

    verb: Literal["delete", "authenticate", "defragment"]
    prefix: str | None = None
    etcd_cluster: str | None = None


# --- everything else -----------------------------------------------------------


class Sleep(Command):
    """``sleep``; ``seconds`` is None if the duration is not known."""

    seconds: float | None = None


class Reads(Command):
    """A kops, kubectl, etcd, terraform or cloud command that changes no plane.

    ``switches`` is the Kubernetes cluster that kubectl speaks to from here on, where
    the command is for that (``kubectl config use-context``): its context.
    """

    verb: str = ""
    switches: Word | None = None


class Foreign(Command):
    """A program that has no business with the cluster (``echo``, ``grep``, ``cd``).

    ``status`` is its exit status where it is certain (``true``, ``false``). ``handed``
    are the arguments of a program that kopslint does not know at all.
    """

    program: str = ""
    status: bool | None = None
    handed: tuple[Word, ...] = ()


class Reach(StrEnum):
    """What a command that cannot be followed is handed, and so may change.

    ``KOPS`` and ``ETCD`` are these programs themselves; ``MACHINE`` is a machine or
    group of the control plane, ``VOLUME`` a disk of etcd, ``STATE_STORE`` what kops
    keeps in its bucket, ``STORED_FILE`` a file that the list stores with kops.
    ``SHELL_TEXT`` is a script or text of a shell that is not at hand: it may do
    anything, and whether it matters depends on where in the list it runs.
    ``ELSEWHERE`` is everything that leaves the control plane alone.
    """

    KOPS = "kops"
    ETCD = "etcd"
    MACHINE = "machine"
    VOLUME = "volume"
    STATE_STORE = "state-store"
    STORED_FILE = "stored-file"
    SHELL_TEXT = "shell-text"
    ELSEWHERE = "elsewhere"


class Unreadable(Command):
    """A command that may change the cluster and cannot be read from here.

    Without a ``reach`` it is taken to reach machines of the control plane.
    """

    reason: Unknown
    reach: Reach = Reach.MACHINE


class Unreplayed(Command):
    """A known command on machines, disks or groups that the simulation has no move for.

    It matters unless all that it is ``about`` is no part of the control plane.
    """

    reason: str
    reach: Reach = Reach.MACHINE
    about: tuple[Word, ...] = ()
