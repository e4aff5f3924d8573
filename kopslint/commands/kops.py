"""What a kops command line asks for: from kops's grammar to kopslint's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.commands.model import (
    Command,
    CreateCluster,
    CreateFromFile,
    CreateInstanceGroup,
    DeleteCluster,
    DeleteFromFile,
    DeleteInstance,
    DeleteInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    Keypair,
    Reach,
    Reads,
    Reconcile,
    Replace,
    RollingUpdate,
    Unreadable,
    Unreplayed,
    UpdateCluster,
    UpgradeCluster,
    Validate,
)
from kopslint.kops.command_line import Call, parse
from kopslint.kops.command_table import table
from kopslint.records import Keyed
from kopslint.shell.ast import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.commands.invocation import Invocation
    from kopslint.kops.rejection import Rejection
    from kopslint.shell.ast import Word
    from kopslint.text import Span


# Groups of commands that change nothing that kopslint models.
_LOOKS = ("get", "export", "validate", "toolbox", "completion")
_KEYPAIR_VERBS: Mapping[str, Literal["create", "promote", "distrust"]] = {
    "create keypair": "create",
    "promote keypair": "promote",
    "distrust keypair": "distrust",
}


class _Common(Keyed):
    text: str
    span: Span
    cluster: Word | None
    problems: tuple[Rejection, ...]
    kops: str
    flags: tuple[str, ...]


def read_kops(invocation: Invocation) -> Command:
    """The command that a kops call asks for.

    Commands that change no plane (``get``, ``export``, secrets) and every
    ``--help`` are ``Reads``. Where it is known only at run time whether the command
    acts (``--yes=$YES``), it is ``Unreadable``.
    """
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


def _may_change(call: Call) -> bool:
    """Whether a call that names only a group of commands may change something."""
    verb = table().verbs.get(call.path)
    group = verb is not None and verb.children and " " not in call.path
    return bool(group) and call.path not in _LOOKS


def _undecided(call: Call, unknown: Unknown) -> Unknown:
    what = f"kops {call.path}".rstrip()
    return Unknown(
        unknown.name, f"what `{what}` does depends on {unknown.name}: {unknown.reason}"
    )


def _change(call: Call, common: _Common, invocation: Invocation) -> Command | None:
    """The command, or None if it changes nothing that kopslint models."""
    features = invocation.environment.get("KOPS_FEATURE_FLAGS")
    yes = call.is_on("yes")
    first = call.positionals[0] if call.positionals else None
    files = call.all("filename")
    match call.path:
        case "create":
            return CreateFromFile(**common, files=files)
        case "create cluster":
            return CreateCluster(
                **common,
                yes=yes,
                dry_run=call.is_on("dry-run"),
                target=call.value("target"),
            )
        case "create keypair" | "promote keypair" | "distrust keypair":
            return Keypair(
                **common,
                verb=_KEYPAIR_VERBS[call.path],
                keyset=first,
                ids=call.positionals[1:],
                primary=call.is_on("primary"),
            )
        case "create instancegroup":
            return CreateInstanceGroup(
                **common,
                group=first,
                role=call.value("role"),
                edit=call.is_on("edit"),
                dry_run=call.is_on("dry-run"),
                subnets=call.all("subnet"),
            )
        case "delete":
            return DeleteFromFile(**common, files=files, yes=yes)
        case "delete cluster":
            return DeleteCluster(**common, yes=yes, unregister=call.is_on("unregister"))
        case "delete instance":
            return DeleteInstance(
                **common, instance=first, yes=yes, cloudonly=call.is_on("cloudonly")
            )
        case "delete instancegroup":
            return DeleteInstanceGroup(**common, group=first, yes=yes)
        case "edit cluster":
            return EditCluster(
                **common,
                sets=call.all("set"),
                unsets=call.all("unset"),
                editor=_editor(invocation),
            )
        case "edit instancegroup":
            return EditInstanceGroup(
                **common,
                group=first,
                sets=call.all("set"),
                unsets=call.all("unset"),
                editor=_editor(invocation),
            )
        case "reconcile cluster":
            return Reconcile(**common, yes=yes, features=features)
        case "replace":
            return Replace(**common, files=files, force=call.is_on("force"))
        case "rolling-update cluster":
            return RollingUpdate(
                **common,
                yes=yes,
                force=call.is_on("force"),
                cloudonly=call.is_on("cloudonly"),
                interactive=call.is_on("interactive"),
                fail_on_validate_error=call.is_on("fail-on-validate-error"),
                fail_on_drain_error=call.is_on("fail-on-drain-error"),
                validate_count=call.value("validate-count"),
                control_plane_interval=call.value("control-plane-interval"),
                groups=call.all("instance-group"),
                roles=call.all("instance-group-roles"),
                at_once=invocation.at_once,
            )
        case "update cluster":
            return UpdateCluster(
                **common,
                yes=yes,
                target=call.value("target"),
                phase=call.value("phase"),
                groups=call.all("instance-group"),
                roles=call.all("instance-group-roles"),
                prune=call.is_on("prune"),
                lifecycle_overrides=call.all("lifecycle-overrides"),
                features=features,
            )
        case "upgrade cluster":
            version = call.value("kubernetes-version")
            return UpgradeCluster(**common, yes=yes, version=version)
        case "validate cluster":
            return Validate(**common, wait=call.value("wait"))
        case "toolbox enroll":
            reason = "kopslint does not replay machines that are enrolled by hand"
            about = call.all("instance-group")
            return Unreplayed(**common, reason=reason, about=about)
        case _:
            return _secret(call, common) or _set_or_unset(call, common)


# Secrets that machines start with, and that must go on being the same.
_OF_MACHINES = ("encryptionconfig", "ciliumpassword", "weavepassword")


def _secret(call: Call, common: _Common) -> Command | None:
    """Secrets are deleted.

    Sources: kops cmd/kops/delete_secret.go; nodeup/pkg/model/kube_apiserver.go, which
    writes the file that it finds stored.
    """
    named = [word.shown.lower() for word in call.positionals]
    if call.path != "delete secret" or "sshpublickey" in named:
        return None
    if any(name in _OF_MACHINES for name in named):
        reason = "what the machines of the control plane start with is deleted"
        return Unreplayed(**common, reason=reason, reach=Reach.KOPS)
    reason = "who relies on this secret is not in the list"
    return Unreplayed(**common, reason=reason, reach=Reach.ELSEWHERE)


def _editor(invocation: Invocation) -> Word | None:
    """The editor that kops opens. Source: pkg/commands/commandutils/editor.go."""
    known = invocation.environment
    return known.get("KUBE_EDITOR") or known.get("EDITOR")


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
