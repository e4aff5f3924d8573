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
from kopslint.commands.command_texts import written_by
from kopslint.commands.invocation import Invocation, arguments, is_option
from kopslint.commands.model import Foreign, Reach, Unreadable
from kopslint.commands.wrappers import peel
from kopslint.notations.program_names import TAKES_AWAY
from kopslint.shell.ast import Unknown, Word, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kopslint.commands.model import Command
    from kopslint.shell.ast import SimpleCommand


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
    | {"nmcli", "netplan", "lvremove", "vgremove", "pvremove", "lvreduce", "xfs_repair"}
    | {"fsck", "e2fsck", "resize2fs", "nvme", "hdparm", "mdadm", "dmsetup", "mount"}
    | {"apt", "apt-get", "yum", "dnf", "zypper"}
    | {"timedatectl", "hostnamectl", "do-release-upgrade", "scp", "rsync"}
)
_REQUESTS = frozenset({"curl", "wget", "http", "https", "xh", "grpcurl"})
# Where a command is about names, load balancers, power, or what starts elsewhere.
_BESIDE = frozenset(
    {"aws", "gcloud", "az", "doctl", "hcloud", "openstack", "linode-cli", "scw", "oci"}
    | {"cli53", "flarectl", "nsupdate", "octodns-sync", "dnscontrol", "lexicon", "inv"}
    | {"pdnsutil", "designate", "aliyun", "ibmcloud", "ipmitool", "racadm", "maas"}
    | {"metal", "qm", "pvesh", "xe", "virsh", "govc", "vagrant", "docker", "airflow"}
    | {"docker-compose", "nomad", "gh", "glab", "argo", "argocd", "tkn", "fly", "java"}
    | {"spacectl", "env0", "jenkins-cli", "drone", "buildkite-agent", "rundeck", "rd"}
    | {"awx", "awx-cli", "fab", "invoke", "st2", "prefect", "dagger", "circleci", "fc"}
    | {"systemctl"}
)
_EDITORS_OF_FILES = frozenset(
    {
        "sed",
        "gsed",
        "perl",
        "yq",
        "vi",
        "vim",
        "nvim",
        "nano",
        "emacs",
        "ed",
        "cp",
        "ln",
    }
    | {"install", "patch"}
)
_STATUS = {"true": True, "false": False, ":": True}
_SOURCES = ("source", ".")
_INTERPRETERS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "ash", "perl", "ruby", "node"}
    | {"expect", "osascript", "pwsh", "powershell", "powershell.exe"}
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
    later = _kept_for_later(command, whole)
    if later is not None and not isinstance(later, tuple):
        return (later,)
    inner = later or tuple(one for w in _redirected(command, whole) for one in peel(w))
    commands = tuple(_in_context(_read(one), one) for one in inner)
    # In a command line for another machine, `cd` and the like are only noise.
    telling = tuple(c for c in commands if not isinstance(c, Foreign))
    return telling or commands[-1:]


def _redirected(command: SimpleCommand, whole: Invocation) -> Iterator[Invocation]:
    """The call, and what its redirections do to files that a machine runs with."""
    yield whole
    yield from written_by(command, whole)


def _kept_for_later(
    command: SimpleCommand, whole: Invocation
) -> Command | tuple[Invocation, ...] | None:
    """What writes a cron table, a unit or a hook, which runs by itself later on."""
    from kopslint.commands.surroundings import RUNS_LATER, read_kept_for_later

    targets = [r.target.shown for r in command.redirects if r.target is not None]
    target = next((name for name in targets if RUNS_LATER.search(name)), None)
    found = None
    for one in peel(whole) if target is not None or _may_keep(whole) else ():
        found = found or read_kept_for_later(one, target)
    if not isinstance(found, tuple):
        return found
    inner = tuple(one for each in found for one in peel(each))
    if any(one.program != "crontab" for one in inner):
        return inner
    if target is not None and not re.search(r"cron|/system", target):
        return None
    return whole.unreadable(
        Unknown("cron", "the list does not show what runs there later"),
        Reach.SHELL_TEXT,
    )


def _may_keep(whole: Invocation) -> bool:
    return any(
        re.search(r"\bcron|systemd|/etc/|rc$|profile|hooks/|Launch", word.shown)
        for word in whole.words
    )


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
    if program in _BESIDE:
        from kopslint.commands.surroundings import read_beside

        if (beside := read_beside(invocation)) is not None:
            return beside
    if program in _EDITORS_OF_FILES:
        from kopslint.commands.machine import edited

        if (changed := edited(invocation)) is not None:
            return changed
    if reader is not None and not _is_one_unknown(invocation):
        command = reader(invocation)
        kept = _in_a_store(invocation) if isinstance(command, Foreign) else None
        return kept or command
    if (managed := _managed(invocation, program)) is not None:
        return managed
    reason = _reason(invocation, program)
    if reason is not None:
        return invocation.unreadable(reason, _reach(invocation))
    return _in_a_store(invocation) or _foreign(invocation)


# What a state store is called by: its address, or a folder that it is mounted at.
_STORED = re.compile(
    r"[a-z][a-z0-9+-]*:(?://)?[\w.-]+/?.*"
    r"|/(?!(?:usr|opt|bin|etc|var|tmp|dev|proc|sys)/)[\w.-]+/.+|~/.+"
)
_MOUNTS = frozenset(
    {"s3fs", "goofys", "mount-s3", "gcsfuse", "blobfuse", "blobfuse2", "geesefs"}
)
_ONLY_READS = re.compile(r"(?:^|[,=-])(?:ro|read-?only|implicit-dirs-ro)$")
_REMOVES = re.compile(
    r"(?:-+)?(?:del(?:ete)?(?:-\w+)*|rm|remove|purge|prune|forget|wipe|expire|clean"
    r"|empty|destroy|mv|move|sync|shred|unlink|truncate)\b.*"
)


def _in_a_store(invocation: Invocation) -> Command | None:
    """What a program without a row removes from what may be the state store.

    The simulation knows which address that is; everything else is nothing to it.
    """
    program, words = invocation.program, invocation.words[1:]
    if program in _MOUNTS or (program == "rclone" and "mount" in _shown(words)[:1]):
        if any(map(_ONLY_READS.search, _shown(words))):
            return None
        reason = "kopslint does not know what changes below this folder"
        about = arguments(words, "o").positionals[:1]
    else:
        takes = program in ("rm", "mv", "shred", "truncate")
        if not takes and not any(map(_REMOVES.fullmatch, _shown(words))):
            return None
        reason = f"kopslint does not know what `{program}` removes from the state store"
        values = tuple(cut(w, w.shown.find("=") + 1) for w in words)
        about = tuple(w for w in values if w.text and _STORED.fullmatch(w.text))
    if not about:
        return None
    return invocation.unreplayed(reason, Reach.STATE_STORE, about=about)


def _shown(words: Sequence[Word]) -> list[str]:
    return [word.shown for word in words]


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
    return invocation.unreadable(
        Unknown(program, f"what this starts in the cluster calls {program}"),
        Reach.KOPS if program == "kops" else Reach.ETCD,
    )


def _managed(invocation: Invocation, program: str) -> Command | None:
    """What a tool for many machines does to them, where that is not a command line."""
    words = [word.shown for word in invocation.words[1:]]
    if program in _TYPED_ON_ALL:
        reason = "the list does not show what is typed on these machines"
    elif program in _MANAGERS and _MANAGERS[program](words):
        reason = f"kopslint does not know what `{program}` does on these machines"
    else:
        return None
    about = tuple(w for w in invocation.words[1:] if not is_option(w))
    return invocation.unreplayed(reason, Reach.MACHINE, about=about[:1])


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


# Ids that AWS gives to machines and disks, handed to who knows what.
_AWS_ID = re.compile(r"\b(?:i|vol)-[0-9a-f]{2,17}\b")
_TAKES = re.compile(
    r"(?i)^(?:delete|terminate|stop|destroy|kill|remove|rm|reboot|halt)"
)
_SENDS = ("nc", "ncat", "netcat", "telnet", "websocat", "redis-cli", "mosquitto_pub")


def _reason(invocation: Invocation, program: str) -> Unknown | None:
    """Why a program that kopslint does not know may change the cluster, if it may."""
    said = [w.shown for w in invocation.words[1:]]
    if any(map(_AWS_ID.search, said)) and any(map(_TAKES.match, said)):
        return Unknown(
            program, f"kopslint does not know what `{program}` does to these machines"
        )
    sent = invocation.upstream if program in _SENDS else ""
    if re.match(r"\s*(?:echo|printf)\b", sent) and _CALLED.search(sent):
        return Unknown(program, "whoever receives this command line may run it")
    if re.match(r"!(?:kops|etcdctl|!|-?\d)", invocation.words[0].raw):
        return Unknown(
            invocation.text, "it is not known which command of the history this is"
        )
    word, rest = invocation.words[0], invocation.words[1:]
    if word.raw.startswith("-"):
        # An option on a line of its own: no program is called so.
        return None
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
        return Unknown(invocation.text, f"the list does not show what `{program}` runs")
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
    shell = program.endswith("sh") and program != "pwsh"
    for word in rest:
        if not is_option(word):
            return Unknown(word.shown, "the script is not part of the list")
        letters = word.text or ""
        if letters.startswith("--"):
            continue
        if shell and letters.endswith("c"):
            return Unknown(invocation.text, "its command line is unknown")
        if not shell and re.search("(?i)[cemnp]", letters):
            if not any(_tells(word.shown) for word in rest):
                return None
            return Unknown(program, f"kopslint does not read what {program} runs here")
    if not shell:
        if invocation.stdin is not None and _tells(invocation.stdin.shown):
            return Unknown(program, f"kopslint does not read what {program} runs here")
        return None
    return Unknown(program, "it runs whatever it gets on standard input")


def _tells(text: str) -> bool:
    """Whether a text in another language speaks of a cluster or its machines."""
    return bool(re.search(_TELLING, text) or TAKES_AWAY.search(text))
