"""Commands as types: what each asks for, what it changes, and that in words.

Here are those of etcd, of machines and of the cloud, which several programs can ask
for. Those of kops are in ``kopslint.commands.kops``, with how they are read.

Every command keeps the words it was made from. An argument known only at run time is a
``Word`` without a text; it is never guessed here. Commands that change nothing kopslint
models are ``Reads``; programs it does not know are ``Foreign``; anything that may well
change the cluster and cannot be read is ``Unreadable``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from kopslint.records import Frozen, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.kops.rejection import Rejection
    from kopslint.shell.ast import Unknown, Word
    from kopslint.text import Span

Plane = Literal["registry", "cloud", "control spec", "nodes", "etcd"]


class Meaning(Record):
    """What a command does, in words that follow "this command", and what it changes.

    ``planes`` are empty if nothing changes, and None if that is not known.
    """

    words: str
    planes: tuple[Plane, ...] | None = ()


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

    works_on = Reach.KOPS
    """What it is handed, where it changes anything."""

    @property
    def meaning(self) -> Meaning:
        """What it will do when it runs and nothing in the cluster is in its way.

        A command line that its program refuses does nothing.
        """
        if not all(problem.harmless for problem in self.problems):
            return Meaning("is refused for its command line")
        return self.does()

    def does(self) -> Meaning:
        """What the command does if its line is accepted: every type says it."""
        raise NotImplementedError(f"no words for {type(self).__name__}")

    @property
    def reaches(self) -> Reach:
        """What it reaches where a part of it is known only at run time.

        One that changes nothing, whatever that part is, reaches nothing that matters.
        """
        return self.works_on if self.meaning.planes else Reach.ELSEWHERE


def most_reached(commands: Iterable[Command]) -> Reach:
    """What some commands together reach: the first that matters, a script last."""
    found = dict.fromkeys(command.reaches for command in commands)
    told = [each for each in found if each not in (Reach.ELSEWHERE, Reach.SHELL_TEXT)]
    return next(iter([*told, *({Reach.SHELL_TEXT} & {*found})]), Reach.ELSEWHERE)


def shown(word: Word | None, otherwise: str) -> str:
    """A word as people read it, or other words where the command has none."""
    return word.shown if word is not None else otherwise


def listed(words: Sequence[Word], otherwise: str = "the files") -> str:
    """Words one after the other, or other words where there are none."""
    return ", ".join(word.shown for word in words) or otherwise


def restricted(words: Sequence[Word]) -> str:
    """To what a command is restricted, to follow what it does; may be empty."""
    return f", only {listed(words)}" if words else ""


# --- etcd ----------------------------------------------------------------------


class EtcdCommand(Command):
    """What etcdctl, etcd-manager-ctl or etcd itself is asked for.

    ``etcd_cluster`` is the etcd cluster that it reaches, if the command line tells
    (the pod, the endpoint's port, the certificates); None if it does not, and a comment
    does not.
    """

    etcd_cluster: str | None = None

    works_on = Reach.ETCD

    @property
    def where(self) -> str:
        """The etcd cluster in words."""
        named = self.etcd_cluster
        return f"etcd {named}" if named is not None else "an etcd cluster not named"


class MemberRemove(EtcdCommand):
    """``etcdctl member remove ID``.

    A literal ``member`` is an id; the planner gives a member's name. ``each`` is
    whether it is run once for each of several (``xargs -n1``).
    """

    member: Word | None = None
    each: bool = False

    def does(self) -> Meaning:
        """A member leaves etcd."""
        who = shown(self.member, "that is named")
        return Meaning(f"removes the member {who} from {self.where}", ("etcd",))


class MemberAdd(EtcdCommand):
    """``etcdctl member add NAME``."""

    member: Word | None = None

    def does(self) -> Meaning:
        """A member is registered before it runs."""
        who = shown(self.member, "that is named")
        return Meaning(f"adds the member {who} to {self.where}", ("etcd",))


class MemberList(EtcdCommand):
    """``etcdctl member list`` or ``endpoint health/status``: a look at etcd.

    ``printed_as`` is the form of a member list (``simple``, ``table``, ``json``, and
    ``hex`` for JSON with hexadecimal ids), None for any other output.
    """

    printed_as: str | None = None

    def does(self) -> Meaning:
        """Nothing changes."""
        return Meaning(f"lists the members of {self.where}")


class SnapshotSave(EtcdCommand):
    """``etcdctl snapshot save``: a backup by hand."""

    def does(self) -> Meaning:
        """Nothing changes."""
        return Meaning(f"takes a snapshot of {self.where}")


class RestoreBackup(EtcdCommand):
    """``etcd-manager-ctl restore-backup``: queued until the leader re-reads."""

    def does(self) -> Meaning:
        """A backup takes the place of what etcd holds."""
        return Meaning(f"restores {self.where} from a backup", ("etcd",))


class DeleteRestore(EtcdCommand):
    """``etcd-manager-ctl delete-command``: a restore leaves the queue.

    A leader that has read it goes on holding it.
    """

    def does(self) -> Meaning:
        """A restore that no leader has read yet does not happen."""
        return Meaning(f"cancels a queued restore of {self.where}", ("etcd",))


class ForceNewCluster(EtcdCommand):
    """``etcd --force-new-cluster``: one member becomes the only one, with its data.

    ``member`` is its name where the command line says it (``--name``); ``places`` are
    the machines or pods in which it is run.
    """

    member: Word | None = None
    places: tuple[Word, ...] = ()

    def does(self) -> Meaning:
        """All other members are forgotten."""
        return Meaning(f"makes one member the only one of {self.where}", ("etcd",))


class RestartManagers(EtcdCommand):
    """The etcd-manager containers or pods are restarted by hand.

    ``places`` are the machines or pods of which it is said; empty where it is any of
    them, and taken to be all.
    """

    places: tuple[Word, ...] = ()

    def does(self) -> Meaning:
        """A new leader reads the control spec again."""
        return Meaning(f"restarts etcd-manager of {self.where}", ("etcd",))


class DamageEtcd(EtcdCommand):
    """Keys of etcd are deleted, or nobody can read them any more, past Kubernetes.

    ``prefix`` is where all keys go from (``""`` for all of etcd), None if it is not
    known.
    """

    verb: Literal["delete", "authenticate", "defragment"]
    prefix: str | None = None

    def does(self) -> Meaning:
        """Data is lost, or etcd does not answer for a while."""
        if self.verb == "authenticate":
            return Meaning(f"locks clients out of {self.where}", ("etcd",))
        if self.verb == "defragment":
            what = f"defragments every member of {self.where} one after another"
            return Meaning(what, ("etcd",))
        keys = "some keys" if self.prefix is None else f"all keys below {self.prefix!r}"
        return Meaning(f"deletes {keys} of {self.where}", ("etcd",))


# --- machines, disks and the cloud -----------------------------------------------


class NodeCommand(Command):
    """``kubectl drain``, ``cordon``, ``uncordon`` or ``delete node``."""

    verb: Literal["drain", "cordon", "uncordon", "delete"]
    nodes: tuple[Word, ...] = ()

    def does(self) -> Meaning:
        """Kubernetes moves pods; no plane changes."""
        verbs = {"drain": "drains", "delete": "takes from Kubernetes"}
        verb = verbs.get(self.verb, f"{self.verb}s")
        return Meaning(f"{verb} {listed(self.nodes, 'nodes')}")


class Terraform(Command):
    """``terraform`` or ``tofu``: ``apply`` or ``destroy``; the rest is ``Reads``.

    ``recreated`` is what an ``apply`` destroys and makes again.
    """

    verb: Literal["apply", "destroy"]
    targets: tuple[Word, ...] = ()
    recreated: tuple[Word, ...] = ()

    works_on = Reach.MACHINE

    def does(self) -> Meaning:
        """The cloud becomes what the files say."""
        what = "destroys what terraform manages"
        if self.verb == "apply":
            what = "brings the cloud and the control spec in line with the files"
        return Meaning(what + restricted(self.targets), ("cloud", "control spec"))


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

    works_on = Reach.MACHINE

    def does(self) -> Meaning:
        """Machines go or come."""
        verb = "stops" if self.verb == "stop" else f"{self.verb}s"
        any_number = ", any number of them" if self.many else ""
        who = listed(self.instances, "machines")
        return Meaning(f"{verb} {who}{any_number}", ("cloud",))


class DeleteVolumes(Command):
    """The cloud's own command line deletes or re-tags disks.

    ``note`` is what people wrote beside it: the comment, and the heading above.
    """

    verb: Literal["delete", "detach", "retag"]
    volumes: tuple[Word, ...] = ()
    note: str = ""

    works_on = Reach.VOLUME

    def does(self) -> Meaning:
        """Disks go, or are found no more."""
        verbs = {"delete": "deletes", "detach": "detaches", "retag": "re-tags"}
        return Meaning(
            f"{verbs[self.verb]} {listed(self.volumes, 'disks')}", ("cloud",)
        )


class ResizeCloudGroup(Command):
    """The cloud's own command line sets the size of a group or deletes it.

    ``size`` is None if the command does not set one; deletion is ``deletes``.
    ``later`` is whether it is only planned: it happens at some moment from here on.
    """

    group: Word | None = None
    size: Word | None = None
    deletes: bool = False
    later: bool = False

    works_on = Reach.MACHINE

    def does(self) -> Meaning:
        """A group of machines grows, shrinks or goes, past kops."""
        named = f"the cloud's group {shown(self.group, 'that is named')}"
        to = f" to {self.size.shown}" if self.size is not None else ""
        what = f"deletes {named}" if self.deletes else f"resizes {named}{to}"
        return Meaning(what + (", later" if self.later else ""), ("cloud",))


class DeleteBackups(Command):
    """Objects of the state store are removed by hand (``aws s3 rm`` and the like).

    ``below`` is whether everything below the target goes with it, ``expires`` whether
    the store is told to remove it after a time. ``others`` go with the target.
    """

    target: Word | None = None
    others: tuple[Word, ...] = ()
    below: bool = True
    expires: bool = False

    works_on = Reach.STATE_STORE

    def does(self) -> Meaning:
        """What kops or etcd-manager keeps is lost."""
        what = f"removes {shown(self.target, 'objects')} from the state store"
        return Meaning(what + (" after a time" if self.expires else ""), ("registry",))


# --- everything else -----------------------------------------------------------


class Sleep(Command):
    """``sleep``; ``seconds`` is None if the duration is not known."""

    seconds: float | None = None

    def does(self) -> Meaning:
        """Time passes."""
        known = f"{self.seconds:g} seconds" if self.seconds is not None else "some time"
        return Meaning(f"waits {known}")


class Reads(Command):
    """A kops, kubectl, etcd, terraform or cloud command that changes no plane.

    ``switches`` is the Kubernetes cluster that kubectl speaks to from here on, where
    the command is for that (``kubectl config use-context``): its context.
    """

    verb: str = ""
    switches: Word | None = None

    def does(self) -> Meaning:
        """Nothing changes."""
        return Meaning(f"changes nothing here ({self.verb})")


class Foreign(Command):
    """A program that has no business with the cluster (``echo``, ``grep``, ``cd``).

    ``status`` is its exit status where it is certain (``true``, ``false``). ``handed``
    are the arguments of a program that kopslint does not know at all.
    """

    program: str = ""
    status: bool | None = None
    handed: tuple[Word, ...] = ()

    def does(self) -> Meaning:
        """Nothing changes."""
        return Meaning(f"does not touch the cluster ({self.program})")


class Unreadable(Command):
    """A command that may change the cluster and cannot be read from here.

    Without a ``reach`` it is taken to reach machines of the control plane.
    """

    reason: Unknown
    reach: Reach = Reach.MACHINE

    @property
    def reaches(self) -> Reach:
        """What it is handed."""
        return self.reach

    def does(self) -> Meaning:
        """Nobody knows from here."""
        return Meaning(f"cannot be read: {self.reason.reason}", None)


class Unreplayed(Command):
    """A known command on machines, disks or groups that the simulation has no move for.

    It matters unless all that it is ``about`` is no part of the control plane.
    """

    reason: str
    reach: Reach = Reach.MACHINE
    about: tuple[Word, ...] = ()

    @property
    def reaches(self) -> Reach:
        """What it is handed."""
        return self.reach

    def does(self) -> Meaning:
        """Known, and not followed."""
        return Meaning(f"is not replayed: {self.reason}", None)
