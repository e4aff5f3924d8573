"""From a command as written to the programs that it runs in the end.

``sudo``, ``kubectl exec``, ``ssh`` and their like run another program: this module
takes them off, one after another, and keeps the words' places. It knows how each
wrapper marks where the inner command starts, and nothing of what that one does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.invocation import (
    Invocation,
    arguments,
    is_option,
    program_name,
    skip_options,
)
from kopslint.commands.many import MANY
from kopslint.commands.provider_table import PROVIDERS
from kopslint.commands.remote import KUBECTL, REMOTE, SHELLS
from kopslint.commands.resplit import commands_in, resplit
from kopslint.kops.cli_table import table
from kopslint.syntax.script import Word
from kopslint.syntax.word_cut import cut, head

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# A wrapper's options that take the next word, and how many words of its own follow
# them before the command.
_PREFIXES: Mapping[str, tuple[str, int]] = {
    "builtin": ("", 0),
    "caffeinate": ("t w", 0),
    "chronic": ("", 0),
    "chroot": ("", 1),
    "command": ("", 0),
    "doas": ("u C", 0),
    "env": ("u C unset chdir", 0),
    "exec": ("a", 0),
    "flock": ("w E timeout", 1),
    "ionice": ("c n p", 0),
    "nice": ("n adjustment", 0),
    "nohup": ("", 0),
    "setsid": ("", 0),
    "stdbuf": ("i o e", 0),
    "sudo": ("u g h p C r t U D R T user group host", 0),
    "time": ("f o", 0),
    "timeout": ("k s kill-after signal", 1),
    "unbuffer": ("", 0),
    "watch": ("n interval", 0),
}
# What these say about a command is text, and runs nothing.
_SAYS = frozenset(
    {"cat", "grep", "egrep", "rg", "ag", "awk", "sed", "man", "which", "type", "alias"}
    | {"whereis", "hash", "test", "[", "[[", "git", "export", "readonly", "local"}
    | {"declare", "read", "set", "unset", "trap", "vi", "vim", "nano", "tee"}
    | {":", "true", "false"}
)
# So do a script's own functions with such a name: log_info, die.
_SAYING = (
    *("log", "info", "warn", "err", "debug", "print", "echo", "say", "msg"),
    *("message", "note", "title", "die", "fail"),
)
# A word sequence with one of these programs and one of its commands in it runs it,
# whatever wraps it: a function of the script, `aws-vault exec`, `retry 3`. Options
# that take the next word may stand between the two.
_TELLING: Mapping[str, tuple[str, frozenset[str]]] = {
    "etcdctl": (
        "endpoints cacert cert key w",
        frozenset({"member", "endpoint", "snapshot"}),
    ),
    "etcd-manager-ctl": (
        "backup-store",
        frozenset({"restore-backup", "list-backups"}),
    ),
    "kubectl": (
        KUBECTL,
        frozenset({"drain", "cordon", "uncordon", "delete", "exec"}),
    ),
    "terraform": ("", frozenset({"apply", "destroy", "plan"})),
    "tofu": ("", frozenset({"apply", "destroy", "plan"})),
}
_BEHIND_UNKNOWN = frozenset(
    {*_TELLING, *PROVIDERS, "kops", "crictl", "docker", "helm", "sleep", "systemctl"}
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=")
_DEPTH = 12


def peel(command: Invocation, depth: int = _DEPTH) -> tuple[Invocation, ...]:
    """The programs that a command runs in the end, in order, wrappers taken off.

    Usually one; several where a wrapper runs a command line (``ssh host "a; b"``);
    none for a command without words. An inner command that cannot be found leaves
    the wrapper itself as the program.
    """
    command = _assign(command)
    if not command.words or depth == 0:
        return (command,) if command.words else ()
    inner = _inner(command)
    if inner is None:
        return (command,)
    return tuple(last for one in inner for last in peel(one, depth - 1))


def _assign(command: Invocation) -> Invocation:
    """Take ``NAME=value`` words off the front, into the environment."""
    words, environment, at = command.words, dict(command.environment), 0
    while at < len(words) and (match := _ASSIGNMENT.match(head(words[at]))):
        environment[match[1]] = cut(words[at], match.end())
        at += 1
    return command._replace(words=words[at:], environment=environment)


def _inner(command: Invocation) -> tuple[Invocation, ...] | None:
    """What a wrapper runs, or None if this is no wrapper."""
    program, rest = command.program, command.words[1:]
    if program in _PREFIXES:
        return _prefix(command)
    if program in SHELLS:
        return _shell(command)
    reader = _READERS.get(program)
    inner = reader(command) if reader is not None and rest else None
    if inner is not None:
        return inner
    if program == "kops" or _says(program.lower()):
        return None
    if not program and rest and program_name(rest[0]) in _BEHIND_UNKNOWN:
        # ``$SUDO kubectl get nodes``: whatever stands in front runs the program.
        return (command._replace(words=rest),)
    return _telling(command)


def _says(program: str) -> bool:
    return program in _SAYS or (program.startswith(_SAYING) and program.isidentifier())


def _prefix(command: Invocation) -> tuple[Invocation, ...] | None:
    program, rest = command.program, command.words[1:]
    if program == "command" and rest and head(rest[0]) in ("-v", "-V"):
        return None
    options, own = _PREFIXES[program]
    inner = rest[skip_options(rest, options) + own :]
    if not inner:
        # `sudo -i` is a shell.
        stdin = command.stdin if program == "sudo" else None
        return commands_in(command, stdin) if stdin is not None else None
    if program == "watch" and len(inner) == 1:
        return commands_in(command, inner[0])
    return (command._replace(words=inner),)


def _shell(command: Invocation) -> tuple[Invocation, ...] | None:
    """``sh -c TEXT``, or a shell that reads its commands from standard input."""
    rest = command.words[1:]
    for at, word in enumerate(rest):
        if not is_option(word):
            return None
        letters = word.text or ""
        if not letters.startswith("--") and letters.endswith("c"):
            after = rest[at + 1 :]
            return commands_in(command, after[0]) if after else None
    if command.stdin is not None:
        return commands_in(command, command.stdin)
    return None


def _eval(command: Invocation) -> tuple[Invocation, ...] | None:
    return resplit(command, command.words[1:])


def _su(command: Invocation) -> tuple[Invocation, ...] | None:
    """``su USER -c TEXT``."""
    line = arguments(command.words[1:], "c command s shell g group").value(
        "c", "command"
    )
    return commands_in(command, line) if line is not None else None


def _tsh(command: Invocation) -> tuple[Invocation, ...] | None:
    """``tsh ssh HOST COMMAND``."""
    rest = command.words[1:]
    return (
        REMOTE["ssh"](command._replace(words=rest)) if rest[0].text == "ssh" else None
    )


def _go(command: Invocation) -> tuple[Invocation, ...] | None:
    """``go run ./cmd/kops ARGUMENTS`` in a checkout of kops."""
    rest = command.words[1:]
    if rest[0].text != "run":
        return None
    rest = rest[1:]
    at = skip_options(rest, "exec ldflags tags mod o gcflags")
    if at >= len(rest) or program_name(rest[at]) != "kops":
        return None
    package = rest[at]
    program = Word(("kops",), package.raw, package.span)
    return (command._replace(words=(program, *rest[at + 1 :])),)


def _telling(command: Invocation) -> tuple[Invocation, ...] | None:
    """A command that some other program or function is told to run."""
    words = command.words
    separator = next((i for i, w in enumerate(words) if w.text == "--"), len(words))
    if words[separator + 2 :] and program_name(words[separator + 1]) in SHELLS:
        # ``doppler run -- bash -c '...'``
        return (command._replace(words=words[separator + 1 :]),)
    for at in range(1, len(words) - 1):
        if words[at].text is None:
            continue
        valued, verbs = _telling_verbs(program_name(words[at]))
        if not verbs:
            continue
        rest = words[at + 1 :]
        if rest[0].text == "--":
            # ``dlv debug ./cmd/kops -- get ig``
            rest = rest[1:]
        verb = rest[skip_options(rest, valued) :][:1]
        if verb and verb[0].text in verbs:
            return (command._replace(words=(words[at], *rest)),)
    return None


def _telling_verbs(program: str) -> tuple[str, Collection[str]]:
    if program == "kops":
        return "state v name config", table().verbs[""].children.keys()
    return _TELLING.get(program, ("", ()))


_READERS: Mapping[str, Callable[[Invocation], tuple[Invocation, ...] | None]] = {
    **REMOTE,
    **MANY,
    "eval": _eval,
    "go": _go,
    "runuser": _su,
    "su": _su,
    "tsh": _tsh,
}
