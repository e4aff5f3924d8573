"""The commands of kops: what each is asked for, how it is read, and what it changes.

A type says all of it for one command; what it does to a cluster, and what kops refuses,
is in ``kopslint.model.actions``. Source: kops cmd/kops, one file for each command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from kopslint.commands.model import (
    Command,
    Meaning,
    Reach,
    Reads,
    Unreadable,
    Unreplayed,
    listed,
    restricted,
    shown,
)
from kopslint.records import Keyed, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.commands.invocation import Invocation
    from kopslint.commands.model import Plane
    from kopslint.kops.command_line import Call
    from kopslint.kops.rejection import Rejection
    from kopslint.shell.ast import Unknown, Word
    from kopslint.text import Span

_NO_YES = "without --yes nothing happens"
_UPDATES: tuple[Plane, ...] = ("cloud", "control spec")


class _Common(Keyed):
    text: str
    span: Span
    cluster: Word | None
    problems: tuple[Rejection, ...]
    kops: str
    flags: tuple[str, ...]


class Given(Record):
    """A call of kops: its flags and arguments, what every command has, and around it.

    ``invocation`` has the environment that kops is started with.
    """

    call: Call
    common: _Common
    invocation: Invocation

    @property
    def first(self) -> Word | None:
        """The first argument: the name of a group, a machine or a keyset."""
        arguments = self.call.positionals
        return arguments[0] if arguments else None

    @property
    def editor(self) -> Word | None:
        """The editor that kops opens. Source: pkg/commands/commandutils/editor.go."""
        known = self.invocation.environment
        return known.get("KUBE_EDITOR") or known.get("EDITOR")

    @property
    def features(self) -> Word | None:
        """The feature flags that its environment sets."""
        return self.invocation.environment.get("KOPS_FEATURE_FLAGS")


class KopsCommand(Command):
    """A command of kops that changes a plane, or waits for one."""

    @classmethod
    def read(cls, given: Given) -> Self:
        """The command that a call asks for, from its flags and arguments."""
        raise NotImplementedError(f"no reader for {cls.__name__}")


# --- the state store ------------------------------------------------------------


class CreateCluster(KopsCommand):
    """``kops create cluster``: writes the objects, with ``--yes`` also the cloud."""

    yes: bool = False
    dry_run: bool = False
    target: Word | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        return cls(
            **given.common,
            yes=given.call.is_on("yes"),
            dry_run=given.call.is_on("dry-run"),
            target=given.call.value("target"),
        )

    def does(self) -> Meaning:
        """Nothing, the objects alone, or all of it."""
        if self.dry_run:
            return Meaning("prints what it would create")
        if self.yes:
            return Meaning("creates a cluster", ("registry", *_UPDATES))
        return Meaning("writes a cluster to the state store", ("registry",))


class CreateFromFile(KopsCommand):
    """``kops create -f``: creates the objects of the files, in order."""

    files: tuple[Word, ...] = ()

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        return cls(**given.common, files=given.call.all("filename"))

    def does(self) -> Meaning:
        """The objects are there."""
        return Meaning(f"creates the objects of {listed(self.files)}", ("registry",))


class CreateInstanceGroup(KopsCommand):
    """``kops create ig NAME``; ``edit`` is whether the editor opens (the default)."""

    group: Word | None = None
    role: Word | None = None
    edit: bool = True
    dry_run: bool = False
    subnets: tuple[Word, ...] = ()

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags and the group's name."""
        return cls(
            **given.common,
            group=given.first,
            role=given.call.value("role"),
            edit=given.call.is_on("edit"),
            dry_run=given.call.is_on("dry-run"),
            subnets=given.call.all("subnet"),
        )

    def does(self) -> Meaning:
        """The group's object is there, and no machine yet."""
        if self.dry_run:
            return Meaning("prints what it would create")
        how = ", after an editor" if self.edit else ""
        return Meaning(f"creates {_named(self.group)}{how}", ("registry",))


class Replace(KopsCommand):
    """``kops replace -f``: overwrites objects; ``--force`` creates missing ones."""

    files: tuple[Word, ...] = ()
    force: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        return cls(
            **given.common,
            files=given.call.all("filename"),
            force=given.call.is_on("force"),
        )

    def does(self) -> Meaning:
        """The objects are those of the files; none goes."""
        how = ", missing ones included" if self.force else ", if they exist"
        what = f"overwrites the objects of {listed(self.files)}{how}"
        return Meaning(what, ("registry",))


class Edit(KopsCommand):
    """``kops edit``; without ``--set`` and ``--unset`` an editor opens.

    ``sets`` and ``unsets`` are the flags' values as written (``path=value``);
    ``editor`` is the editor that its environment names.
    """

    editor: Word | None = None
    sets: tuple[Word, ...] = ()
    unsets: tuple[Word, ...] = ()

    @property
    def how(self) -> str:
        """How the object is changed, to follow which."""
        if not self.sets and not self.unsets:
            return " in an editor"
        return ": " + ", ".join(
            [*(w.shown for w in self.sets), *(f"-{w.shown}" for w in self.unsets)]
        )


class EditCluster(Edit):
    """``kops edit cluster``."""

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags and the editor of its environment."""
        return cls(
            **given.common,
            sets=given.call.all("set"),
            unsets=given.call.all("unset"),
            editor=given.editor,
        )

    def does(self) -> Meaning:
        """The Cluster object changes."""
        return Meaning(f"changes the cluster{self.how}", ("registry",))


class EditInstanceGroup(Edit):
    """``kops edit ig NAME``."""

    group: Word | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags, the group's name and the editor of its environment."""
        return cls(
            **given.common,
            group=given.first,
            sets=given.call.all("set"),
            unsets=given.call.all("unset"),
            editor=given.editor,
        )

    def does(self) -> Meaning:
        """The group's object changes."""
        return Meaning(f"changes {_named(self.group)}{self.how}", ("registry",))


class UpgradeCluster(KopsCommand):
    """``kops upgrade cluster``: writes versions and images with ``--yes``."""

    yes: bool = False
    version: Word | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        version = given.call.value("kubernetes-version")
        return cls(**given.common, yes=given.call.is_on("yes"), version=version)

    def does(self) -> Meaning:
        """The objects have newer versions."""
        if self.yes:
            return Meaning("writes newer versions to the state store", ("registry",))
        return Meaning(f"lists newer versions: {_NO_YES}")


class EncryptionConfig(KopsCommand):
    """``kops create secret encryptionconfig``: stores the keys of encrypted Secrets.

    Without ``--force`` those that are stored stay. Machines get them as they start.
    Source: cmd/kops/create_secret_encryptionconfig.go.
    """

    file: Word | None = None
    force: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        files = given.call.all("filename")
        return cls(
            **given.common,
            file=files[0] if files else None,
            force=given.call.is_on("force"),
        )

    def does(self) -> Meaning:
        """It replaces what is stored, or stores what is missing."""
        verb = "replaces" if self.force else "stores"
        return Meaning(f"{verb} the keys of encrypted Secrets")


class Keypair(KopsCommand):
    """``kops create``, ``promote`` or ``distrust keypair``: a step of a rotation.

    ``keyset`` may be ``all``; ``ids`` are the keypairs that are named. ``primary`` is
    whether a new one is promoted at once.
    """

    verb: Literal["create", "promote", "distrust"]
    keyset: Word | None = None
    ids: tuple[Word, ...] = ()
    primary: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags, the keyset and the ids behind it."""
        return cls(
            **given.common,
            verb=_KEYPAIR_VERBS[given.call.path],
            keyset=given.first,
            ids=given.call.positionals[1:],
            primary=given.call.is_on("primary"),
        )

    def does(self) -> Meaning:
        """A keyset changes; machines see it when they are replaced."""
        verbs = {"create": "adds a keypair to", "promote": "promotes a keypair of"}
        what = verbs.get(self.verb, "distrusts keypairs of")
        return Meaning(f"{what} {shown(self.keyset, 'a keyset')}")


_KEYPAIR_VERBS: Mapping[str, Literal["create", "promote", "distrust"]] = {
    "create keypair": "create",
    "promote keypair": "promote",
    "distrust keypair": "distrust",
}


# --- the cloud ------------------------------------------------------------------


class DeleteInstanceGroup(KopsCommand):
    """``kops delete ig NAME``: without ``--yes`` it asks at a terminal."""

    group: Word | None = None
    yes: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags and the group's name."""
        return cls(**given.common, group=given.first, yes=given.call.is_on("yes"))

    def does(self) -> Meaning:
        """The group and its machines are gone, without a drain."""
        how = "at once" if self.yes else "after somebody confirms at a terminal"
        return Meaning(f"deletes {_named(self.group)} {how}", ("registry", "cloud"))


class DeleteFromFile(KopsCommand):
    """``kops delete -f``: deletes the objects that the files describe."""

    files: tuple[Word, ...] = ()
    yes: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        return cls(
            **given.common,
            files=given.call.all("filename"),
            yes=given.call.is_on("yes"),
        )

    def does(self) -> Meaning:
        """The objects and their machines are gone."""
        what = f"what {listed(self.files)} describes"
        if self.yes:
            return Meaning(f"deletes {what}, at once", ("registry", "cloud"))
        return Meaning(f"lists {what}: {_NO_YES}")


class DeleteCluster(KopsCommand):
    """``kops delete cluster``: without ``--yes`` it only lists."""

    yes: bool = False
    unregister: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        unregister = given.call.is_on("unregister")
        return cls(**given.common, yes=given.call.is_on("yes"), unregister=unregister)

    def does(self) -> Meaning:
        """Nothing, the objects alone, or all of it is gone."""
        if not self.yes:
            return Meaning(f"lists what it would delete: {_NO_YES}")
        if self.unregister:
            return Meaning("removes the cluster from the state store", ("registry",))
        return Meaning("deletes the whole cluster", ("registry", *_UPDATES))


class DeleteInstance(KopsCommand):
    """``kops delete instance``: one machine is replaced, without validation."""

    instance: Word | None = None
    yes: bool = False
    cloudonly: bool = False

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags and the machine's name."""
        return cls(
            **given.common,
            instance=given.first,
            yes=given.call.is_on("yes"),
            cloudonly=given.call.is_on("cloudonly"),
        )

    def does(self) -> Meaning:
        """A machine goes and its group makes another."""
        what = f"replaces the machine {shown(self.instance, 'that is named')}"
        if self.yes:
            return Meaning(f"{what} at once", ("nodes",))
        return Meaning(f"{what}: {_NO_YES}")


class UpdateCluster(KopsCommand):
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

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags and the feature flags of its environment."""
        return cls(
            **given.common,
            yes=given.call.is_on("yes"),
            target=given.call.value("target"),
            phase=given.call.value("phase"),
            groups=given.call.all("instance-group"),
            roles=given.call.all("instance-group-roles"),
            prune=given.call.is_on("prune"),
            lifecycle_overrides=given.call.all("lifecycle-overrides"),
            features=given.features,
        )

    def does(self) -> Meaning:
        """The cloud becomes what the state store says; running machines do not."""
        target = self.target
        if target is not None and target.text != "direct":
            return Meaning(f"writes files for {target.shown} and changes nothing yet")
        if not self.yes:
            return Meaning(f"shows what it would change: {_NO_YES}")
        only = [*self.groups, *self.roles, *([self.phase] if self.phase else [])]
        what = "brings the cloud and the control spec in line with the state store"
        return Meaning(what + restricted(only), _UPDATES)

    @property
    def leaves_machines(self) -> bool:
        """Whether its phase leaves machines, volumes and the control spec alone.

        Source: kops upup/pkg/fi/cloudup/apply_cluster.go, ApplyClusterCmd.Run; that
        ``iam`` is ``security`` is in cmd/kops/update_cluster.go.
        """
        phase = self.phase.shown.lower() if self.phase is not None else ""
        return phase in ("network", "security", "iam")


class RollingUpdate(KopsCommand):
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

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags, and whether others run beside it."""
        return cls(
            **given.common,
            yes=given.call.is_on("yes"),
            force=given.call.is_on("force"),
            cloudonly=given.call.is_on("cloudonly"),
            interactive=given.call.is_on("interactive"),
            fail_on_validate_error=given.call.is_on("fail-on-validate-error"),
            fail_on_drain_error=given.call.is_on("fail-on-drain-error"),
            validate_count=given.call.value("validate-count"),
            control_plane_interval=given.call.value("control-plane-interval"),
            groups=given.call.all("instance-group"),
            roles=given.call.all("instance-group-roles"),
            at_once=given.invocation.at_once,
        )

    def does(self) -> Meaning:
        """Machines are replaced by such as the cloud makes now."""
        if not self.yes:
            return Meaning(f"shows which machines it would replace: {_NO_YES}")
        what = "replaces machines one after another"
        return Meaning(what + restricted([*self.groups, *self.roles]), ("nodes",))


class Reconcile(KopsCommand):
    """``kops reconcile cluster``: update and roll, control plane first.

    ``features`` are the feature flags that its environment sets.
    """

    yes: bool = False
    features: Word | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags and the feature flags of its environment."""
        features = given.features
        return cls(**given.common, yes=given.call.is_on("yes"), features=features)

    def does(self) -> Meaning:
        """What an update and a roll do, one after the other."""
        if not self.yes:
            return Meaning(f"shows what it would change: {_NO_YES}")
        what = "updates the cloud and replaces machines, control plane first"
        return Meaning(what, (*_UPDATES, "nodes"))


class Validate(KopsCommand):
    """``kops validate cluster``; ``wait`` is the ``--wait`` duration, if given."""

    wait: Word | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        """From its flags."""
        return cls(**given.common, wait=given.call.value("wait"))

    def does(self) -> Meaning:
        """Nothing changes."""
        return Meaning("validates the cluster, but does not check etcd")


# --- from a call to its type ------------------------------------------------------

_TYPES: Mapping[str, type[KopsCommand]] = {
    "create": CreateFromFile,
    "create cluster": CreateCluster,
    "create instancegroup": CreateInstanceGroup,
    "delete": DeleteFromFile,
    "delete cluster": DeleteCluster,
    "delete instance": DeleteInstance,
    "delete instancegroup": DeleteInstanceGroup,
    "edit cluster": EditCluster,
    "edit instancegroup": EditInstanceGroup,
    "reconcile cluster": Reconcile,
    "replace": Replace,
    "rolling-update cluster": RollingUpdate,
    "update cluster": UpdateCluster,
    "upgrade cluster": UpgradeCluster,
    "validate cluster": Validate,
    "create secret encryptionconfig": EncryptionConfig,
    **dict.fromkeys(_KEYPAIR_VERBS, Keypair),
}
"""The commands of kops that change a plane, by their names; the rest only read."""

# Groups of commands that change nothing that kopslint models.
_LOOKS = ("get", "export", "validate", "toolbox", "completion")


def read_kops(invocation: Invocation) -> Command:
    """The command that a kops call asks for.

    Commands that change no plane (``get``, ``export``, secrets) and every
    ``--help`` are ``Reads``. Where it is known only at run time whether the command
    acts (``--yes=$YES``), it is ``Unreadable``.
    """
    from kopslint.kops.command_line import parse

    call = parse(invocation.words, invocation.environment.get("KOPS_CLUSTER_NAME"))
    common: _Common = {
        "text": invocation.text,
        "span": invocation.span,
        "cluster": call.cluster,
        "problems": call.faults,
        "kops": call.path,
        "flags": call.flags,
    }
    reads = Reads(**common, verb=f"kops {call.path}".rstrip())
    if call.help:
        return reads
    command = _change(call, common, invocation) or reads
    if call.undecided is not None and (command is not reads or _may_change(call)):
        # A cluster that is there already is never created again.
        other = isinstance(command, CreateCluster)
        return Unreadable(
            **common,
            reason=_undecided(call, call.undecided),
            reach=Reach.ELSEWHERE if other else Reach.KOPS,
        )
    return command


def _change(call: Call, common: _Common, invocation: Invocation) -> Command | None:
    """The command, or None if it changes nothing that kopslint models."""
    kind = _TYPES.get(call.path)
    if kind is not None:
        return kind.read(Given(call, common, invocation))
    if call.path == "toolbox enroll":
        reason = "kopslint does not replay machines that are enrolled by hand"
        about = call.all("instance-group")
        return Unreplayed(**common, reason=reason, about=about)
    return _secret(call, common) or _set_or_unset(call, common)


def _may_change(call: Call) -> bool:
    """Whether a call that names only a group of commands may change something."""
    from kopslint.kops.command_table import table

    verb = table().verbs.get(call.path)
    group = verb is not None and verb.children and " " not in call.path
    return bool(group) and call.path not in _LOOKS


def _undecided(call: Call, unknown: Unknown) -> Unknown:
    from kopslint.shell.ast import Unknown

    what = f"kops {call.path}".rstrip()
    return Unknown(
        unknown.name, f"what `{what}` does depends on {unknown.name}: {unknown.reason}"
    )


# Secrets that machines start with, and that must go on being the same.
_OF_NETWORKS = ("ciliumpassword", "weavepassword")
_OF_MACHINES = ("encryptionconfig", *_OF_NETWORKS)


def _secret(call: Call, common: _Common) -> Command | None:
    """Secrets are deleted, or those of the network are replaced.

    Sources: kops cmd/kops/delete_secret.go and create_secret_ciliumpassword.go;
    nodeup/pkg/model/kube_apiserver.go, which writes the file that it finds stored.
    """
    network = call.path.removeprefix("create secret ")
    if network in _OF_NETWORKS and call.is_on("force"):
        reason = (
            "machines that start from now on encrypt their traffic with another key"
        )
        return Unreplayed(**common, reason=reason, reach=Reach.ELSEWHERE)
    named = [word.shown.lower() for word in call.positionals]
    if call.path != "delete secret" or "sshpublickey" in named:
        return None
    if any(name in _OF_MACHINES for name in named):
        reason = "it deletes what control-plane machines start with"
        return Unreplayed(**common, reason=reason, reach=Reach.KOPS)
    reason = "the list does not show who uses this secret"
    return Unreplayed(**common, reason=reason, reach=Reach.ELSEWHERE)


def _set_or_unset(call: Call, common: _Common) -> Command | None:
    """``kops set`` and ``kops unset``, which kops had before 1.22."""
    verb, _, kind = call.path.partition(" ")
    if verb not in ("set", "unset") or not kind:
        return None
    fields = tuple(w for w in call.positionals if _is_field(w))
    names = tuple(w for w in call.positionals if not _is_field(w))
    sets, unsets = (fields, ()) if verb == "set" else ((), fields)
    name = names[0] if names else None
    if kind == "instancegroup":
        return EditInstanceGroup(**common, group=name, sets=sets, unsets=unsets)
    common["cluster"] = name or common["cluster"]
    return EditCluster(**common, sets=sets, unsets=unsets)


def _is_field(word: Word) -> bool:
    return "=" in word.shown or word.shown.startswith(
        ("spec.", "cluster.", "instancegroup.")
    )


def _named(group: Word | None) -> str:
    return f"instance group {shown(group, '(not named)')}"
