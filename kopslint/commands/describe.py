"""What a command will do, in a few words, and which planes that touches.

``kopslint commands`` prints this. It does not depend on the state of the cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.commands import model
from kopslint.commands.model import Reach
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.commands.model import Command
    from kopslint.shell.ast import Word

Plane = Literal["registry", "cloud", "control spec", "nodes", "etcd"]


class Meaning(Record):
    """What a command does, in words that follow "this command", and what it changes.

    ``planes`` are empty if nothing changes, and None if that is not known.
    """

    deed: str
    planes: tuple[Plane, ...] | None = ()


_NO_YES = "without --yes nothing happens"
_UPDATES: tuple[Plane, ...] = ("cloud", "control spec")


def meaning(command: Command) -> Meaning:
    """What a command will do when it runs and nothing in the cluster is in its way.

    A command line that its program refuses does nothing. Source: kops cmd/kops, one
    file for each command.
    """
    if not all(problem.harmless for problem in command.problems):
        return Meaning("is refused for its command line")
    return _of_kops(command) or _of_etcd(command) or _of_others(command)


def reach_of(command: Command) -> Reach:
    """What a command reaches where a part of it is known only at run time.

    One that changes nothing, whatever that part is, reaches nothing that matters.
    """
    if isinstance(command, model.Unreadable | model.Unreplayed):
        return command.reach
    if not meaning(command).planes:
        return Reach.ELSEWHERE
    match command:
        case model.StopInstances() | model.ResizeCloudGroup() | model.Terraform():
            return Reach.MACHINE
        case model.DeleteVolumes():
            return Reach.VOLUME
        case model.DeleteBackups():
            return Reach.STATE_STORE
    return Reach.ETCD if _of_etcd(command) is not None else Reach.KOPS


def most_reached(commands: Iterable[Command]) -> Reach:
    """What some commands together reach: the first that matters, a script last."""
    found = dict.fromkeys(map(reach_of, commands))
    told = [each for each in found if each not in (Reach.ELSEWHERE, Reach.SHELL_TEXT)]
    return next(iter([*told, *({Reach.SHELL_TEXT} & {*found})]), Reach.ELSEWHERE)


def _of_kops(command: Command) -> Meaning | None:
    match command:
        case (
            model.CreateCluster(dry_run=True) | model.CreateInstanceGroup(dry_run=True)
        ):
            return Meaning("prints what it would create")
        case model.CreateCluster(yes=yes):
            return Meaning(
                "creates a cluster" if yes else "writes a cluster to the state store",
                ("registry", *(_UPDATES if yes else ())),
            )
        case model.CreateFromFile(files=files):
            return Meaning(f"creates the objects of {_all(files)}", ("registry",))
        case model.CreateInstanceGroup(group=group, edit=edit):
            how = ", after an editor" if edit else ""
            return Meaning(f"creates {_group(group)}{how}", ("registry",))
        case model.Replace(files=files, force=force):
            how = ", missing ones included" if force else ", if they exist"
            return Meaning(
                f"overwrites the objects of {_all(files)}{how}", ("registry",)
            )
        case model.EditCluster(sets=sets, unsets=unsets):
            return Meaning(f"changes the cluster{_edits(sets, unsets)}", ("registry",))
        case model.EditInstanceGroup(group=group, sets=sets, unsets=unsets):
            how = _edits(sets, unsets)
            return Meaning(f"changes {_group(group)}{how}", ("registry",))
        case model.UpgradeCluster(yes=True):
            return Meaning("writes newer versions to the state store", ("registry",))
        case model.UpgradeCluster():
            return Meaning(f"lists newer versions: {_NO_YES}")
        case model.Keypair(verb=verb, keyset=keyset):
            verbs = {"create": "adds a keypair to", "promote": "promotes a keypair of"}
            what = verbs.get(verb, "distrusts keypairs of")
            return Meaning(f"{what} {_shown(keyset, 'a keyset')}")
        case model.DeleteInstanceGroup(group=group, yes=yes):
            how = "at once" if yes else "once somebody says yes at a terminal"
            return Meaning(f"deletes {_group(group)} {how}", ("registry", "cloud"))
        case model.DeleteFromFile(files=files, yes=True):
            what = f"deletes what {_all(files)} describes, at once"
            return Meaning(what, ("registry", "cloud"))
        case model.DeleteFromFile(files=files):
            return Meaning(f"lists what {_all(files)} describes: {_NO_YES}")
        case model.DeleteCluster(yes=False):
            return Meaning(f"lists what it would delete: {_NO_YES}")
        case model.DeleteCluster(unregister=True):
            return Meaning("takes the cluster out of the state store", ("registry",))
        case model.DeleteCluster():
            return Meaning("deletes the whole cluster", ("registry", *_UPDATES))
        case model.DeleteInstance(instance=instance, yes=yes):
            what = f"replaces the machine {_shown(instance, 'that is named')}"
            how = " at once" if yes else f": {_NO_YES}"
            return Meaning(what + how, ("nodes",) if yes else ())
        case model.UpdateCluster(target=target) if target and target.text != "direct":
            return Meaning(f"writes files for {target.shown} and changes nothing yet")
        case model.UpdateCluster(yes=False):
            return Meaning(f"shows what it would change: {_NO_YES}")
        case model.UpdateCluster(groups=groups, roles=roles, phase=phase):
            only = [*groups, *roles, *([phase] if phase else [])]
            what = "brings the cloud and the control spec in line with the state store"
            return Meaning(what + _only(only), _UPDATES)
        case model.RollingUpdate(yes=False):
            return Meaning(f"shows which machines it would replace: {_NO_YES}")
        case model.RollingUpdate(groups=groups, roles=roles):
            what = "replaces machines one after another"
            return Meaning(what + _only([*groups, *roles]), ("nodes",))
        case model.Reconcile(yes=False):
            return Meaning(f"shows what it would change: {_NO_YES}")
        case model.Reconcile():
            what = "updates the cloud and replaces machines, control plane first"
            return Meaning(what, (*_UPDATES, "nodes"))
        case model.Validate():
            return Meaning("validates the cluster, and does not look at etcd")
    return None


def _of_etcd(command: Command) -> Meaning | None:
    match command:
        case model.MemberRemove(member=member, etcd_cluster=cluster):
            what = f"removes the member {_shown(member, 'that is named')}"
            return Meaning(f"{what} from {_etcd(cluster)}", ("etcd",))
        case model.MemberAdd(member=member, etcd_cluster=cluster):
            what = f"adds the member {_shown(member, 'that is named')}"
            return Meaning(f"{what} to {_etcd(cluster)}", ("etcd",))
        case model.MemberList(etcd_cluster=cluster):
            return Meaning(f"looks at the members of {_etcd(cluster)}")
        case model.SnapshotSave(etcd_cluster=cluster):
            return Meaning(f"takes a snapshot of {_etcd(cluster)}")
        case model.RestoreBackup(etcd_cluster=cluster):
            return Meaning(f"restores {_etcd(cluster)} from a backup", ("etcd",))
        case model.DeleteRestore(etcd_cluster=cluster):
            return Meaning(
                f"takes back a queued restore of {_etcd(cluster)}", ("etcd",)
            )
        case model.ForceNewCluster(etcd_cluster=cluster):
            what = f"makes one member the only one of {_etcd(cluster)}"
            return Meaning(what, ("etcd",))
        case model.RestartManagers(etcd_cluster=cluster):
            return Meaning(f"restarts etcd-manager of {_etcd(cluster)}", ("etcd",))
        case model.DamageEtcd(verb="delete", prefix=prefix, etcd_cluster=cluster):
            which = "some keys" if prefix is None else f"all keys below {prefix!r}"
            return Meaning(f"deletes {which} of {_etcd(cluster)}", ("etcd",))
        case model.DamageEtcd(verb="authenticate", etcd_cluster=cluster):
            return Meaning(f"locks clients out of {_etcd(cluster)}", ("etcd",))
        case model.DamageEtcd(etcd_cluster=cluster):
            what = f"defragments every member of {_etcd(cluster)} one after another"
            return Meaning(what, ("etcd",))
    return None


def _of_others(command: Command) -> Meaning:
    match command:
        case model.NodeCommand(verb=verb, nodes=nodes):
            verbs = {"drain": "drains", "delete": "takes from Kubernetes"}
            return Meaning(f"{verbs.get(verb, f'{verb}s')} {_all(nodes, 'nodes')}")
        case model.Terraform(verb=verb, targets=targets):
            what = "destroys what terraform manages"
            if verb == "apply":
                what = "brings the cloud and the control spec in line with the files"
            return Meaning(what + _only(targets), _UPDATES)
        case model.StopInstances(verb=verb, instances=instances, many=many):
            verbs = {"stop": "stops"}
            what = verbs.get(verb, f"{verb}s")
            who = _all(instances, "machines")
            any_number = ", any number of them" if many else ""
            return Meaning(f"{what} {who}{any_number}", ("cloud",))
        case model.DeleteVolumes(verb=verb, volumes=volumes):
            verbs = {"delete": "deletes", "detach": "detaches", "retag": "re-tags"}
            return Meaning(f"{verbs[verb]} {_all(volumes, 'disks')}", ("cloud",))
        case model.ResizeCloudGroup(group=group, size=size, deletes=deletes):
            named = f"the cloud's group {_shown(group, 'that is named')}"
            to = f" to {size.shown}" if size is not None else ""
            what = f"deletes {named}" if deletes else f"resizes {named}{to}"
            return Meaning(what + (", later" if command.later else ""), ("cloud",))
        case model.DeleteBackups(target=target, expires=expires):
            what = f"removes {_shown(target, 'objects')} from the state store"
            return Meaning(what + (" after a time" if expires else ""), ("registry",))
        case model.Sleep(seconds=seconds):
            known = f"{seconds:g} seconds" if seconds is not None else "some time"
            return Meaning(f"waits {known}")
        case model.Reads(verb=verb):
            return Meaning(f"changes nothing here ({verb})")
        case model.Foreign(program=program):
            return Meaning(f"has no business with the cluster ({program})")
        case model.Unreadable(reason=reason):
            return Meaning(f"cannot be read: {reason.reason}", None)
        case model.Unreplayed(reason=why):
            return Meaning(f"is not replayed: {why}", None)
    raise AssertionError(f"no words for {type(command).__name__}")


def _shown(word: Word | None, otherwise: str) -> str:
    return word.shown if word is not None else otherwise


def _all(words: Sequence[Word], otherwise: str = "the files") -> str:
    return ", ".join(word.shown for word in words) or otherwise


def _group(word: Word | None) -> str:
    return f"instance group {_shown(word, '(not named)')}"


def _edits(sets: Sequence[Word], unsets: Sequence[Word]) -> str:
    if not sets and not unsets:
        return " in an editor"
    return ": " + ", ".join(
        [*(w.shown for w in sets), *(f"-{w.shown}" for w in unsets)]
    )


def _only(words: Sequence[Word]) -> str:
    return f", only {_all(words)}" if words else ""


def _etcd(cluster: str | None) -> str:
    return f"etcd {cluster}" if cluster is not None else "an etcd cluster not named"
