"""Wrappers that run a command elsewhere: in a pod, a container, on another machine.

Where it runs often tells which etcd cluster it is about, so the place's name goes
along with the inner command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.invocation import (
    Invocation,
    arguments,
    program_name,
    skip_options,
)
from kopslint.commands.resplit import commands_in, resplit
from kopslint.kops.cli_table import table
from kopslint.syntax.script import Word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHELLS = ("sh", "bash", "ash", "dash", "zsh", "ksh")
_SSH = "i l p o F J L R D b c E e m O Q S W w B I"
_DOCKER_RUN = (
    "v volume e env env-file w workdir u user name network net entrypoint p publish"
    " mount h hostname l label platform memory m cpus add-host restart ulimit device"
    " cap-add pull log-driver"
)
_DOCKER_EXEC = "e env env-file w workdir u user detach-keys"
# The options of kubectl that take the next word.
KUBECTL = (
    "n namespace context kubeconfig cluster user c container o output l selector"
    " f filename s server token as as-group request-timeout v field-selector"
    " grace-period timeout p patch type pod-selector"
)


def _ssh(command: Invocation) -> tuple[Invocation, ...] | None:
    rest = command.words[1:]
    host = skip_options(rest, _SSH)
    after = rest[host + 1 :]
    after = after[skip_options(after, _SSH) :]
    if after:
        return resplit(command, after)
    if command.stdin is not None and host < len(rest):
        return commands_in(command._replace(stdin=None), command.stdin)
    return None


def _gcloud(command: Invocation) -> tuple[Invocation, ...] | None:
    given = arguments(command.words[1:], "command zone project")
    line = given.value("command")
    if line is None or [w.text for w in given.positionals[:2]] != ["compute", "ssh"]:
        return None
    return commands_in(command, line)


def _kubectl(command: Invocation) -> tuple[Invocation, ...] | None:
    """``kubectl exec POD [-c C] [--] COMMAND``."""
    rest = command.words[1:]
    at = skip_options(rest, KUBECTL)
    if at >= len(rest) or rest[at].text != "exec":
        return None
    rest = rest[at + 1 :]
    before, found, after = _at_separator(rest)
    pod = skip_options(before, KUBECTL)
    if pod >= len(before):
        return None
    inner = after
    if not found:
        inner = before[pod + 1 :]
        inner = inner[skip_options(inner, KUBECTL) :]
    if not inner or _is_session(command, inner):
        return None
    place = before[pod].shown
    return (command._replace(words=inner, places=(place, *command.places)),)


def _docker(command: Invocation) -> tuple[Invocation, ...] | None:
    """``docker exec CONTAINER COMMAND`` and ``docker run IMAGE COMMAND``."""
    rest = command.words[1:]
    at = skip_options(rest, "H host context n namespace")
    verb = rest[at].text if at < len(rest) else None
    rest = rest[at + 1 :]
    if verb == "exec":
        own = skip_options(rest, _DOCKER_EXEC)
        inner = rest[own + 1 :]
        if not inner or _is_session(command, inner):
            return None
        place = rest[own].shown
        return (command._replace(words=inner, places=(place, *command.places)),)
    if verb != "run":
        return None
    own = skip_options(rest, _DOCKER_RUN)
    image, inner = rest[own : own + 1], rest[own + 1 :]
    entry = arguments(rest[:own], _DOCKER_RUN).value("entrypoint")
    if entry is not None:
        return (command._replace(words=(entry, *inner)),)
    if _is_session(command, inner):
        return None
    if image and inner and program_name(inner[0]) != "kops":
        # An image of kops runs kops with the words that follow.
        name = re.sub(r"[:@].*", "", image[0].shown.rpartition("/")[2])
        if name == "kops" and inner[0].text in table().verbs[""].children:
            program = Word(("kops",), image[0].raw, image[0].span)
            return (command._replace(words=(program, *inner)),)
    return (command._replace(words=inner),) if inner else None


def _is_session(command: Invocation, words: tuple[Word, ...]) -> bool:
    """Whether this is only a shell to type into; what is typed follows in the list."""
    shell = len(words) == 1 and program_name(words[0]) in SHELLS
    return shell and command.stdin is None


def _at_separator(
    words: tuple[Word, ...],
) -> tuple[tuple[Word, ...], bool, tuple[Word, ...]]:
    for at, word in enumerate(words):
        if word.text == "--":
            return words[:at], True, words[at + 1 :]
    return words, False, ()


REMOTE: Mapping[str, Callable[[Invocation], tuple[Invocation, ...] | None]] = {
    "crictl": _docker,
    "docker": _docker,
    "gcloud": _gcloud,
    "kubectl": _kubectl,
    "nerdctl": _docker,
    "podman": _docker,
    "ssh": _ssh,
}
