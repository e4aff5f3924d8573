"""The one entry from a simple command to its meaning, whatever program it runs.

Each program's own module reads its arguments; here is only the choice between
them, and what becomes of programs that kopslint does not know: a bare name is a
tool (``grep``, ``jq``), while a script of one's own may do anything.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from kopslint.commands.cloud_table import PROVIDERS
from kopslint.commands.invocation import Invocation, arguments, is_option
from kopslint.commands.model import Foreign, Reach, Unreadable, Unreplayed
from kopslint.commands.wrappers import peel
from kopslint.notations.program_names import TAKES_AWAY
from kopslint.shell.ast import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kopslint.commands.model import Command
    from kopslint.shell.ast import SimpleCommand, Word


_ETCD = frozenset({"etcd-manager-ctl", "etcdctl", "etcdutl"})
_CLUSTER = frozenset(
    {"crictl", "docker", "helm", "kubectl", "kubectx", "nerdctl", "podman", "sleep"}
    | {"ctr", "terraform", "terragrunt", "tofu"}
)
_ON_A_MACHINE = frozenset(
    {"reboot", "shutdown", "poweroff", "halt", "init", "telinit", "systemctl"}
    | {"service", "initctl", "rc-service", "kill", "pkill", "killall", "dd", "mkfs"}
    | {"wipefs", "blkdiscard", "sgdisk", "mke2fs", "umount", "cryptsetup"}
    | {"rm", "shred", "mv", "truncate", "iptables", "ip6tables", "nft", "ufw"}
    | {"firewall-cmd", "tc", "ip", "ifconfig", "ifdown", "kubeadm", "parted", "fdisk"}
    | {"sfdisk", "gdisk", "find", "chmod", "chown", "tee", "fallocate", "etcd", "date"}
    | {"timedatectl", "hostnamectl", "do-release-upgrade", "scp", "rsync"}
)
_REQUESTS = frozenset({"curl", "wget", "http", "https", "xh", "grpcurl"})
_STATUS = {"true": True, "false": False, ":": True}
_SOURCES = ("source", ".")
_INTERPRETERS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "ash", "perl", "ruby", "node"}
    | {"expect", "osascript", "pwsh"}
)
_RUNNERS = (
    *("make", "gmake", "ansible-playbook", "just", "task", "rake"),
    *("at", "batch", "tmux", "screen", "npm-run-all", "run-p", "run-s", "mage"),
)
# What an interpreter is given that is not a shell is only looked through.
_TELLING = r"\b(?:kops|etcdctl|kubectl|terraform)\b"
# A program that is called in a text, or that a variable is named after; no folder.
_CALLED = re.compile(r"(?i)(?<![\w./-])(?P<program>kops|etcdctl)(?=\s|_|[\"']?,)")
_SCRIPT = re.compile(r".+\.(sh|bash|py|rb|pl|js|ps1|expect)")
_SYSTEM = r"(/usr(/local)?|/opt/homebrew|/snap)?/s?bin/[^/]+"
_EDITORS = r"EDITOR|VISUAL"


def recognise(command: SimpleCommand) -> tuple[Command, ...]:
    """What a simple command asks for: its commands in order.

    Usually one; several where a wrapper runs a whole command line; none for an
    assignment alone. Every command has the text and span of the whole. A program
    without business here is ``Foreign``; one that may change the cluster and cannot
    be read is ``Unreadable``, with the reason.
    """
    if not command.words:
        return ()
    if (quoted := _quoted_call(command)) is not None:
        return (quoted,)
    whole = Invocation(
        words=(*command.inside, *command.words),
        text=_text(command),
        span=command.span,
        environment={a.name: a.value for a in command.environment},
        places=(*command.places, *filter(None, (command.comment, command.title))),
        stdin=command.stdin,
        upstream=command.upstream,
    )
    commands = tuple(_in_context(_read(one), one) for one in peel(whole))
    # In a command line for another machine, `cd` and the like are only noise.
    telling = tuple(c for c in commands if not isinstance(c, Foreign))
    return telling or commands[-1:]


def _in_context(command: Command, invocation: Invocation) -> Command:
    """The command, with what says which cluster kubectl speaks to for it."""
    context = invocation.context
    if context is None and invocation.program == "kubectl":
        from kopslint.commands.wrappers import context_of

        context = context_of(invocation)
    return command if context is None else command.replaced(context=context)


def _quoted_call(command: SimpleCommand) -> Command | None:
    """``> kops get ig``: to a shell a file called kops, and seldom meant so."""
    for redirect in command.redirects:
        target = redirect.target
        if redirect.operator != ">" or target is None or target.text is None:
            continue
        ahead = target.span.order < command.words[0].span.order
        if ahead and target.text in ("kops", *_ETCD):
            name = target.text
            reason = f"to a shell this writes a file called {name}: is `>` a prompt?"
            return Unreadable(
                text=f"> {name} {_text(command)}",
                span=command.span,
                reason=Unknown(f"> {name}", reason),
                reach=Reach.KOPS if name == "kops" else Reach.ETCD,
            )
    return None


def _text(command: SimpleCommand) -> str:
    """The command on one line as it is written.

    Where one written word became several (``"$@"``, ``{a,b}``), their values are
    clearer than its repetition.
    """
    written = Counter(word.span for word in command.words)
    words = (w.raw if written[w.span] == 1 else w.shown for w in command.words)
    return " ".join(" ".join(words).split())


def _reader(program: str) -> Callable[[Invocation], Command] | None:
    """Who reads the arguments of a program; imported only if it is called."""
    if program == "kops":
        from kopslint.commands.kops import read_kops

        return read_kops
    if program in _ETCD:
        from kopslint.commands.etcd import read_etcd

        return read_etcd
    if program in PROVIDERS:
        from kopslint.commands.clouds import read_provider

        return read_provider
    if program in _ON_A_MACHINE or program.startswith("mkfs."):
        from kopslint.commands.machine import read_machine

        return read_machine
    if program in _REQUESTS:
        from kopslint.commands.requests import read_request

        return lambda one: read_request(one) or _foreign(one)
    if program in _CLUSTER:
        from kopslint.commands.nodes import read_cluster

        return read_cluster
    return None


def _read(invocation: Invocation) -> Command:
    program = invocation.program
    reader = _reader(program)
    if (started := _started(invocation)) is not None:
        return started
    if reader is not None and not _is_one_unknown(invocation):
        return reader(invocation)
    if (managed := _managed(invocation, program)) is not None:
        return managed
    reason = _reason(invocation, program)
    if reason is not None:
        return Unreadable(
            text=invocation.text,
            span=invocation.span,
            reason=reason,
            reach=_reach(invocation),
        )
    return _foreign(invocation)


def _foreign(invocation: Invocation) -> Command:
    return Foreign(
        text=invocation.text,
        span=invocation.span,
        program=invocation.program,
        status=_STATUS.get(invocation.program),
        handed=invocation.words[1:],
    )


def _started(invocation: Invocation) -> Command | None:
    """A Job or the like for ``kubectl apply -f -`` that calls kops or etcdctl."""
    if invocation.program != "kubectl" or invocation.stdin is None:
        return None
    verbs = {word.text for word in invocation.words[1:]}
    if not verbs & {"apply", "create", "replace"}:
        return None
    called = _CALLED.search(invocation.stdin.shown)
    if called is None:
        return None
    program = called["program"]
    return Unreadable(
        text=invocation.text,
        span=invocation.span,
        reason=Unknown(program, f"what this starts in the cluster calls {program}"),
        reach=Reach.KOPS if program == "kops" else Reach.ETCD,
    )


def _managed(invocation: Invocation, program: str) -> Command | None:
    """What a tool for many machines does to them, where that is not a command line."""
    words = [word.shown for word in invocation.words[1:]]
    if program in _TYPED_ON_ALL:
        reason = "what is typed on these machines is not in the list"
    elif program in _MANAGERS and _MANAGERS[program](words):
        reason = f"what `{program}` does on these machines is not followed"
    else:
        return None
    about = tuple(w for w in invocation.words[1:] if not is_option(w))
    return Unreplayed(
        text=invocation.text,
        span=invocation.span,
        reason=reason,
        reach=Reach.MACHINE,
        about=about[:1],
    )


def _always(words: list[str]) -> bool:
    return bool(words) and not {"--version", "--help", "-h"} & {*words}


_TYPED_ON_ALL = ("cssh", "csshx", "clusterssh", "xpanes", "tmux-cssh", "cluster-ssh")
_MANAGERS: Mapping[str, Callable[[list[str]], bool]] = {
    **dict.fromkeys(("ansible", "salt", "salt-ssh", "chef-client", "mco"), _always),
    "bolt": lambda words: "run" in words,
    "puppet": lambda words: words[:1] in (["agent"], ["apply"]),
    "salt-run": lambda words: any(word.startswith("state.") for word in words),
}
"""Tools that work on many machines, and when their words change anything there."""


# Tools that run what another file of the project names, and with which verb.
_RUNNERS_VERBS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun"), ("run", "run-script", "start")),
    "docker-compose": ("up", "run", "start", "restart"),
}


def _reason(invocation: Invocation, program: str) -> Unknown | None:
    """Why a program that kopslint does not know may change the cluster, if it may."""
    word, rest = invocation.words[0], invocation.words[1:]
    unknown = word.unknown
    if program and unknown is not None and _is_one_unknown(invocation):
        return Unknown(unknown.name, f"the program is unknown: {unknown.reason}")
    if not program:
        if unknown is None or re.search(_EDITORS, unknown.name):
            # What an editor does to a file is in the after spec.
            return None
        return Unknown(unknown.name, f"the program is unknown: {unknown.reason}")
    if program == "eval":
        return Unknown(invocation.text, "`eval` runs text known only at run time")
    if program in _SOURCES and rest and rest[0].text != "=":
        return Unknown(rest[0].shown, "the sourced script is not part of the list")
    verb = rest[0].text if rest else None
    if program in _WINDOWS and _opens_a_window(program, rest):
        return None
    if program in _RUNNERS or verb in _RUNNERS_VERBS.get(program, ()):
        return Unknown(invocation.text, f"what `{program}` runs is not in the list")
    if program in _INTERPRETERS or program.rstrip("0123456789.") == "python":
        return _interpreted(invocation)
    path = word.shown
    if _SCRIPT.fullmatch(path) or ("/" in path and not re.fullmatch(_SYSTEM, path)):
        return Unknown(path, "the script is not part of the list")
    return None


_WINDOWS = {"tmux": "s t n c x y F e S L f", "screen": "S r R x t T s p c"}
"""Programs that keep a shell open, and their options with a value."""
_WITHOUT_COMMAND = ("new", "new-session", "neww", "new-window")


def _opens_a_window(program: str, words: Sequence[Word]) -> bool:
    """Whether a shell is opened, left or looked for, and nothing is run in it.

    What is typed into it stands in the list as well.
    """
    rest = [word.text for word in arguments(words, _WINDOWS[program]).positionals]
    if program == "tmux" and rest:
        if rest[0] in _WITHOUT_COMMAND:
            return len(rest) == 1
        return rest[0] in ("a", "at", "attach", "attach-session", "ls", "list-sessions")
    return not rest


def _reach(invocation: Invocation) -> Reach:
    """What a program that cannot be followed is handed: its words, and its input."""
    said = " ".join(word.shown for word in invocation.words)
    if invocation.stdin is not None:
        said += f" {invocation.stdin.shown}"
    said += f" {invocation.upstream}"
    called = {match["program"].lower() for match in _CALLED.finditer(said)}
    if "kops" in called:
        return Reach.KOPS
    if TAKES_AWAY.search(said):
        return Reach.MACHINE
    return Reach.ETCD if "etcdctl" in called else Reach.SHELL_TEXT


def _is_one_unknown(invocation: Invocation) -> bool:
    """Whether ``$KOPS_DELETE`` is all: a whole command line, whatever its name."""
    (word, *rest) = invocation.words
    return not rest and len(word.pieces) == 1 and word.unknown is not None


def _interpreted(invocation: Invocation) -> Unknown | None:
    """What a shell or another interpreter runs; a one-liner of others is a filter."""
    program, rest = invocation.program, invocation.words[1:]
    shell = program.endswith("sh")
    for word in rest:
        if not is_option(word):
            return Unknown(word.shown, "the script is not part of the list")
        letters = word.text or ""
        if letters.startswith("--"):
            continue
        if shell and letters.endswith("c"):
            return Unknown(invocation.text, "its command line is unknown")
        if not shell and re.search("[cemnp]", letters):
            if not any(_tells(word.shown) for word in rest):
                return None
            return Unknown(program, f"what {program} runs here is not read")
    if not shell:
        if invocation.stdin is not None and _tells(invocation.stdin.shown):
            return Unknown(program, f"what {program} runs here is not read")
        return None
    return Unknown(program, "it runs whatever comes in on its standard input")


def _tells(text: str) -> bool:
    """Whether a text in another language speaks of a cluster or its machines."""
    return bool(re.search(_TELLING, text) or TAKES_AWAY.search(text))
