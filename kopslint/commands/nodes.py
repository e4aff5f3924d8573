"""What is asked of nodes, containers and terraform, past kops itself.

What runs in the cluster does not change its control plane, so ``kubectl apply`` and
``helm`` are ``Reads`` here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.commands.etcd import etcd_cluster_in
from kopslint.commands.invocation import Arguments, arguments, unknown_word
from kopslint.commands.model import (
    Foreign,
    NodeCommand,
    Reach,
    Reads,
    RestartManagers,
    Sleep,
    Terraform,
)
from kopslint.commands.wrappers import KUBECTL
from kopslint.kops.duration import go_seconds
from kopslint.shell.ast import Unknown, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kopslint.commands.invocation import Invocation
    from kopslint.commands.model import Command
    from kopslint.shell.ast import Word


# ------------------------------------------------------------------------------------
# How long a command waits: Go's durations and those of ``sleep``

_SLEEP = re.compile(r"(\d+\.?\d*|\.\d+)([smhd]?)")
_SLEEP_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float | None:
    """The seconds of ``1h30m`` (Go) or ``30``, ``1d`` (``sleep``), or None."""
    known = go_seconds(text)
    if known is not None:
        return known
    match = _SLEEP.fullmatch(text)
    return float(match[1]) * _SLEEP_UNITS[match[2]] if match else None


_NODE = re.compile(r"(node|nodes|no)(/.*)?")
_MANAGER = "etcd-manager"
_ON_A_MACHINE = re.compile(r":.*(?:/etc/kubernetes/|/srv/kubernetes/|/mnt/master-vol)")
_STOPS_CONTAINERS = ("restart", "stop", "stopp", "kill", "rm", "rmp")


def _kubectl(invocation: Invocation) -> Command:
    given = arguments(invocation.words[1:], KUBECTL)
    verb = given.positionals[0].text if given.positionals else None
    rest = given.positionals[1:]
    dry_run = given.value("dry-run")
    if dry_run is not None and dry_run.text in ("client", "server"):
        return _reads(invocation, verb)
    match verb:
        case "config" if rest[:1] and rest[0].text in ("use-context", "use"):
            return _reads(invocation, "config use-context", *rest[1:2])
        case "ctx":
            return _reads(invocation, "ctx", *rest[:1])
        case "drain" | "cordon" | "uncordon":
            return _node_command(invocation, verb, rest, given)
        case _ if (stored := _past_kops(invocation, verb, rest, given)) is not None:
            return stored
        case "delete" if rest and _NODE.fullmatch(rest[0].shown):
            nodes = tuple(cut(w, w.shown.find("/") + 1) for w in rest)
            named = "/" in rest[0].shown
            return _node_command(
                invocation, "delete", nodes if named else rest[1:], given
            )
        case "cp" if rest[1:] and _ON_A_MACHINE.search(rest[-1].shown):
            reason = "it replaces what the control plane of a machine runs with"
            return invocation.unreplayed(reason, Reach.MACHINE)
        case "delete":
            selected = (*rest, *given.all("l", "selector"))
            signs = [w.shown for w in selected if _MANAGER in w.shown]
            if signs:
                return _restart(invocation, signs)
    return _reads(invocation, verb)


_KOPS_OBJECTS = re.compile(
    r"(?:instancegroups?|igs?)(?:\.kops\.k8s\.io)?(?:/.*)?|clusters?\.kops\.k8s\.io(?:/.*)?"
    r"|hosts?\.kops\.k8s\.io(?:/.*)?"
)
_OWN_CONTROLLERS = re.compile(r"(?:kops|dns)-controller\b")
_CHANGES = ("delete", "patch", "edit", "replace", "scale", "annotate", "label", "set")


def _past_kops(
    invocation: Invocation, verb: str | None, rest: tuple[Word, ...], given: Arguments
) -> Command | None:
    """Objects of kops, all nodes, kops' own controllers: changed through the API."""
    if verb not in _CHANGES:
        return None
    words = [word.shown for word in rest]
    said = " ".join(words)
    selected = " ".join(word.shown for word in given.all("l", "selector"))
    raw = any(re.match(r"/apis?/.*(?:/nodes/|kops\.k8s\.io)", word) for word in words)
    if raw or any(map(_KOPS_OBJECTS.fullmatch, words[:1])):
        reason = "it changes objects of the cluster behind kops's back"
        return invocation.unreplayed(reason, Reach.KOPS)
    nodes = words[:1] and _NODE.fullmatch(words[0])
    if verb == "delete" and nodes:
        if not given.has("all") and not re.search(r"control-plane|master", selected):
            return None
        reason = "it deletes pods of missing nodes, including control-plane nodes"
        return invocation.unreplayed(reason, Reach.MACHINE)
    if verb == "delete" and words[:1] == ["managed"]:
        return invocation.unreplayed(
            "it deletes what crossplane created", Reach.MACHINE
        )
    if verb in ("delete", "scale", "patch") and _OWN_CONTROLLERS.search(said):
        reason = "new machines need this controller to join and to be found"
        return invocation.unreplayed(reason, Reach.ELSEWHERE)
    return None


def _node_command(
    invocation: Invocation,
    verb: Literal["drain", "cordon", "uncordon", "delete"],
    nodes: tuple[Word, ...],
    given: Arguments,
) -> Command:
    selector = given.value("l", "selector")
    if selector is not None:
        reason = "it is only known at run time which nodes the selector matches"
        nodes = (*nodes, unknown_word(selector.shown, reason, selector))
    return NodeCommand(
        text=invocation.text, span=invocation.span, verb=verb, nodes=nodes
    )


def _containers(invocation: Invocation) -> Command:
    """``docker``, ``crictl``: only the containers of etcd matter.

    Those of etcd-manager kubelet starts again. What is meant is known by a name, by
    what prints the ids, or by what is in front of it in its pipeline.
    """
    given = arguments(
        invocation.words[1:], "H host context n namespace t time s signal"
    )
    words = given.positionals
    if invocation.program == "ctr":
        # `ctr task kill ID`
        words = words[1:]
    verb = words[0].text if words else None
    if verb in _STOPS_CONTAINERS:
        named = [_told(word) for word in words[1:]]
        named.append(invocation.upstream)
        signs = [sign for sign in (*named, *invocation.places) if _MANAGER in sign]
        if signs:
            return _restart(invocation, signs)
        on_machine = bool(invocation.hosts) or invocation.program in ("crictl", "ctr")
        every = given.has("a", "all", "fa", "af") or any(
            word.text is None for word in words[1:]
        )
        # On a workstation a container may be called so.
        etcd = any(_ETCD.search(name) for name in named) and (on_machine or every)
        other = any(_OTHER_CONTAINER.search(name) for name in named)
        if etcd or (on_machine and every and not other):
            return invocation.unreplayed(
                "it may stop the containers of etcd", Reach.ETCD, about=invocation.hosts
            )
    return Foreign(
        text=invocation.text, span=invocation.span, program=invocation.program
    )


def _told(word: Word) -> str:
    """A word with what prints it."""
    return " ".join(
        [word.shown, *(p.of for p in word.pieces if isinstance(p, Unknown))]
    )


# A name or label that people look containers up by, other than those of etcd.
_OTHER_CONTAINER = re.compile(r"(?:name|label|image|ancestor)[=\s:]+\S")
_ETCD = re.compile(r"\betcd\b|etcd[-_]")


def _restart(invocation: Invocation, signs: list[str]) -> Command:
    named = {etcd_cluster_in(sign) for sign in signs}
    return RestartManagers(
        text=invocation.text,
        span=invocation.span,
        etcd_cluster=named.pop() if len(named) == 1 else None,
    )


def _sleep(invocation: Invocation) -> Command:
    """``sleep``, which adds its arguments up."""
    texts = [word.text for word in invocation.words[1:]]
    parts = [seconds(text) if text is not None else None for text in texts]
    known = [part for part in parts if part is not None]
    return Sleep(
        text=invocation.text,
        span=invocation.span,
        seconds=sum(known) if known and len(known) == len(parts) else None,
    )


_TERRAFORM_READS = frozenset(
    {"init", "plan", "show", "output", "validate", "fmt", "version", "providers"}
    | {"graph", "get", "workspace", "console", "login", "test", "state list"}
    | {"state show", "state pull", "refresh", "untaint"}
)
"""Verbs after which the next ``apply`` does nothing else than it would have done.

``refresh`` reads what exists, as every plan does, and ``untaint`` spares a resource.
"""

_TERRAFORM_CHANGES = ("state", "import", "taint", "force-unlock")
_OF_TERRAFORM_ALONE = re.compile(
    r"(?:^|\.)(?:null_resource|terraform_data|local_(?:sensitive_)?file|template_(?:file"
    r"|dir)|archive_file|time_\w+)\."
)
"""Resources that no cloud has: files, and what only starts a program of one's own."""


def _terraform(invocation: Invocation) -> Command:
    given = arguments(
        invocation.words[1:],
        "target replace var var-file state out lock-timeout parallelism",
    )
    names = [word.text or "" for word in given.positionals]
    # terragrunt's `run-all apply` is `apply` in every folder.
    if names[:1] in (["run-all"], ["run"]):
        names = names[1:]
    verb = names[0] if names else ""
    if verb == "apply" and (name := _of_control_plane(invocation, given)) is not None:
        return invocation.unreadable(
            Unknown(name, f"the list does not show what terraform makes of {name}"),
            Reach.MACHINE,
        )
    if verb in ("apply", "destroy"):
        return Terraform(
            text=invocation.text,
            span=invocation.span,
            verb="destroy" if verb == "destroy" or given.has("destroy") else "apply",
            targets=given.all("target"),
            recreated=given.all("replace"),
        )
    both = " ".join(names[:2]).strip()
    if verb == "plan" and given.has("out") and given.has("destroy", "replace"):
        return invocation.unreplayed(
            "applying this plan destroys what is in it", Reach.MACHINE
        )
    if verb in _TERRAFORM_READS or both in _TERRAFORM_READS or not names:
        return _reads(invocation, verb)
    if verb and verb not in _TERRAFORM_CHANGES:
        # `terraform {` is a block of a file, and nothing that runs.
        return _reads(invocation, verb)
    reason = (
        f"`{both}` changes terraform's state of what exists"
        if verb
        else "its command is only known at run time"
    )
    return invocation.unreadable(
        Unknown(invocation.text, reason), _reach_of_state(verb, names[1:])
    )


def _reach_of_state(verb: str, names: list[str]) -> Reach:
    """What a change of terraform's state may come to: machines, if it has any."""
    named = [name for name in names if "." in name]
    local = verb in ("taint", "state") and bool(named)
    if verb == "force-unlock" or (
        local and all(map(_OF_TERRAFORM_ALONE.search, named))
    ):
        return Reach.ELSEWHERE
    return Reach.MACHINE


# Variables by which people say how many machines a control plane has, and which.
_PLANES = re.compile(
    r"(?i)(?:master|control_?-?plane|etcd)s?(?:[_-]?\w*(?:count|size|num|nodes|zones"
    r"|groups|igs?|instances|members|min|max|desired|type))?$|(?:masters|etcd_members)$"
)


def _of_control_plane(invocation: Invocation, given: Arguments) -> str | None:
    """The variable of a configuration that says what the control plane is, if given.

    What kops renders has no variables: such a configuration is somebody's own.
    """
    names = [word.shown.partition("=")[0] for word in given.all("var")]
    names += [n[7:] for n in invocation.environment if n.startswith("TF_VAR_")]
    return next((name for name in names if _PLANES.search(name)), None)


def _helm(invocation: Invocation) -> Command:
    first = invocation.words[1].text if len(invocation.words) > 1 else None
    return _reads(invocation, first)


def _kubectx(invocation: Invocation) -> Command:
    """``kubectx NAME``, which switches the context as ``use-context`` does."""
    names = arguments(invocation.words[1:]).positionals
    return _reads(invocation, None, *names[:1])


def _reads(
    invocation: Invocation, verb: str | None, switches: Word | None = None
) -> Command:
    return Reads(
        text=invocation.text,
        span=invocation.span,
        verb=f"{invocation.program} {verb or ''}".rstrip(),
        switches=switches,
    )


_PROGRAMS: Mapping[str, Callable[[Invocation], Command]] = {
    "helm": _helm,
    "kubectl": _kubectl,
    "kubectx": _kubectx,
    "sleep": _sleep,
    "terraform": _terraform,
    "terragrunt": _terraform,
    "tofu": _terraform,
}


def read_cluster(invocation: Invocation) -> Command:
    """The command that ``kubectl``, ``terraform``, ``docker`` and the like are given.

    Every other program is taken for one that handles containers.
    """
    return _PROGRAMS.get(invocation.program, _containers)(invocation)
