"""Typed commands behind which one types somewhere else: in a pod, on another machine.

``kubectl exec -it POD -- sh``, ``ssh HOST`` and ``sudo -i`` start a shell to type into.
What is typed then runs there, until ``exit`` leaves it. In a script the same lines mean
something else, so only runbooks and transcripts ask this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHELL = re.compile(r"(?:\S*/)?(?:ba|da|z|k|a|c|tc|fi)?sh")
_PODS = {"kubectl", "oc"}
_CONTAINERS = {"docker", "podman", "nerdctl", "crictl", "ctr"}
_INTERACTIVE = re.compile(r"-(?:[a-z]*[it][a-z]*|-stdin|-tty)(?:=true)?")
_SSH_VALUE = re.compile(r"-[a-zA-Z]*[BbcDEeFIiJLlmOopQRSWw]")
_NESTING = {"tmux", "screen", "zsh", "bash", "sh", "fish", "newgrp"}
# What nobody has in the pod of an etcd: whoever types it has left the pod.
OUTSIDE = frozenset(
    {"kops", "kubectl", "oc", "ssh", "aws", "gcloud", "az", "terraform", "docker"}
    | {"crictl", "git", "sudo", "helm", "openstack"}
)
LEAVES = frozenset({"exit", "logout", "return"})


class Opened(Record):
    """A shell that a command opens: in ``place``, if it is another one.

    ``size`` is how many of the command's words put a program there that follows them;
    ``pod`` whether it is a pod or container.
    """

    place: str = ""
    size: int = 0
    pod: bool = False


def opened(words: Sequence[str]) -> Opened | None:
    """The shell that a command opens for what is typed next, if it does."""
    words = [*words]
    prefix = 0
    while words[:1] == ["sudo"] and len(words) > 1 and not words[1].startswith("-"):
        words, prefix = words[1:], prefix + 1
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    if program in _PODS | _CONTAINERS:
        found = _in_container(words)
        if found is None or not found.size:
            return found
        return found._replace(size=found.size + prefix)
    if program in {"ssh", "tsh", "mosh"}:
        return _ssh(words)
    if program in {"sudo", "su", "chroot", "nsenter", "aws-vault", "doas"}:
        return _as_another(program, words)
    if words[:3] in (["gcloud", "compute", "ssh"], ["aws", "ssm", "start-session"]):
        runs = any(w.startswith(("--command", "--parameters")) for w in words)
        names = [w for w in words[3:] if not w.startswith("-")]
        return None if runs or not names else Opened(place=names[-1])
    return Opened() if program in _NESTING and len(words) == 1 else None


def _in_container(words: list[str]) -> Opened | None:
    """A shell of ``kubectl exec``, ``docker exec`` and the like."""
    verb = next((w for w in words[1:] if w in {"exec", "run", "debug", "attach"}), "")
    shell = next((n for n in (1, 2, 3) if _is_shell(words, n)), 0)
    if not verb or not any(map(_INTERACTIVE.fullmatch, words)):
        return None
    if verb == "debug" and not shell:
        return Opened(place=words[-1])
    if not shell:
        return None
    before = words[: len(words) - shell]
    if verb != "exec":
        return Opened(place=" ".join(before[-2:]))
    named = [w for w in before if w != "--"]
    return Opened(place=named[-1], size=len(before), pod=True)


def _is_shell(words: list[str], number: int) -> bool:
    """Whether the last words are a shell with nothing but options."""
    shell, *rest = words[-number:]
    plain = all(re.fullmatch(r"-[il]+|--login|--norc", word) for word in rest)
    return len(words) > number and plain and _SHELL.fullmatch(shell) is not None


def _ssh(words: list[str]) -> Opened | None:
    rest = words[1:]
    if words[0] == "tsh":
        if rest[:1] != ["ssh"]:
            return None
        rest = rest[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if _SSH_VALUE.fullmatch(rest[0]) else rest[1:]
    if not rest:
        return None
    host, *command = rest
    nested = not command or opened(command) is not None
    return Opened(place=host.rpartition("@")[2]) if nested else None


def _as_another(program: str, words: list[str]) -> Opened | None:
    """``sudo -i``, ``su -``, ``chroot /rootfs`` and ``aws-vault exec NAME``."""
    rest = words[1:]
    if program in {"sudo", "doas"}:
        if rest and rest[-1] in {"-i", "-s", "su", "-"}:
            return Opened()
        return Opened() if rest and rest[0] in {"-i", "-s"} and len(rest) == 1 else None
    if program == "su":
        return Opened() if not {"-c", "--command"} & set(rest) else None
    if program == "chroot":
        plain = len(rest) == 1 or (len(rest) == 2 and _SHELL.fullmatch(rest[1]))
        return Opened() if plain else None
    if program == "nsenter":
        last = rest[-1] if rest else ""
        return Opened() if last.startswith("-") or _SHELL.fullmatch(last) else None
    shell = bool(rest) and _SHELL.fullmatch(rest[-1]) is not None
    return Opened() if rest[:1] == ["exec"] and (len(rest) == 2 or shell) else None
