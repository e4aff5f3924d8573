"""From a command as written to the programs that it runs in the end.

``sudo``, ``kubectl exec``, ``ssh`` and their like run another program: this module
takes them off, one after another, and keeps the words' places. It knows how each
wrapper marks where the inner command starts, and nothing of what that one does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.cloud_table import PROVIDERS, ROWS
from kopslint.commands.command_texts import (
    SHELL_TEXT_IN,
    commands_in,
    hidden,
    resplit,
    stands_for,
)
from kopslint.commands.invocation import (
    Invocation,
    arguments,
    is_option,
    program_name,
    skip_options,
    unknown_word,
)
from kopslint.kops.command_table import table
from kopslint.shell.ast import Unknown, Word, cut, head

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


# ------------------------------------------------------------------------------------
# Programs that run a command for each of several items: xargs, parallel, find
#
# Items that are in the text are put in; any other is known only at run time. What the
# command does is for the programs' own modules.

_XARGS = "n P I L d s E a max-args max-procs replace arg-file delimiter"
_MOST = 256
_PARALLEL = "j jobs I a arg-file delay timeout retries S sshlogin C colsep N n joblog"
_CONCURRENTLY = (
    "m max-processes n names name-separator s success p prefix c prefix-colors"
    " l prefix-length t timestamp-format restart-tries restart-after hide k-signal"
    " kill-signal default-input-target P"
)
_EXECUTES = ("-exec", "-execdir", "-ok", "-okdir")


def _parallel(command: Invocation) -> tuple[Invocation, ...] | None:
    """``parallel COMMAND {} ::: ITEM...``: the command once for each item."""
    rest = command.words[1:]
    at = skip_options(rest, _PARALLEL)
    jobs = arguments(rest[:at], _PARALLEL).value("j", "jobs")
    at_once = "parallel" if jobs is None or jobs.text != "1" else ""
    rest = rest[at:]
    texts = [word.text for word in rest]
    at = texts.index(":::") if ":::" in texts else len(rest)
    inner, items = rest[:at], rest[at + 1 :]
    if not inner:
        return None
    if not items:
        reason = "parallel reads it from standard input"
        items = (unknown_word("{}", reason, command.words[0], command.upstream),)
    found: list[Invocation] = []
    for item in items:
        if any("{}" in word.shown for word in inner):
            words = tuple(_filled(word, "{}", item) for word in inner)
        else:
            words = (*inner, item)
        found += resplit(command, words) or (command._replace(words=words),)
    return _at_once(found, at_once)


def _filled(word: Word, marker: str, value: Word) -> Word:
    """A word with a value in the place of a marker."""
    pieces: list[str | Unknown] = []
    for piece in word.pieces:
        if isinstance(piece, Unknown):
            pieces.append(piece)
            continue
        first, *more = piece.split(marker)
        pieces.append(first)
        for part in more:
            pieces += [*value.pieces, part]
    return Word(tuple(p for p in pieces if p != "") or ("",), word.raw, word.span)


def _xargs(command: Invocation) -> tuple[Invocation, ...] | None:
    rest = command.words[1:]
    at = skip_options(rest, _XARGS)
    inner = rest[at:]
    if not inner:
        return None
    reason = "xargs reads it from standard input"
    given = arguments(rest[:at], _XARGS)
    jobs = given.value("P", "max-procs")
    at_once = f"xargs -P{jobs.shown}" if jobs and jobs.text != "1" else ""
    marker = given.value("I", "replace")
    items = _items(command.stdin, lines=marker is not None)
    if not items or given.has("0", "null", "d", "delimiter", "a", "arg-file"):
        name = (marker.text if marker is not None else None) or "standard input"
        held = command.stdin.unknown if command.stdin is not None else None
        word = unknown_word(name, reason, command.words[0], command.upstream)
        if held is not None and word.unknown is not None:
            unknown = word.unknown._replace(printed_by=held.printed_by)
            word = word._replace(pieces=(unknown,))
        items = (word,)
    most = given.value("n", "max-args", "L")
    size = most.text if most is not None and marker is None else None
    step = int(size) if size and re.fullmatch(r"[1-9]\d{0,8}", size) else len(items)
    found = [(*inner, *items[at : at + step]) for at in range(0, len(items), step)]
    if marker is not None and marker.text:
        found = [tuple(_filled(w, marker.text, i) for w in inner) for i in items]
    # Without either, all items are arguments of one command.
    each = marker is not None or most is not None
    runs = [command._replace(words=w, stdin=None, each=each) for w in found]
    return _at_once(runs, at_once)


def _at_once(commands: list[Invocation], cause: str) -> tuple[Invocation, ...]:
    """The commands, with what runs them at the same time if there are several.

    One that takes unknown items may be run for any number of them.
    """
    known = all(word.text is not None for one in commands for word in one.words)
    if not cause or (len(commands) == 1 and known):
        return tuple(commands)
    return tuple(one._replace(at_once=cause) for one in commands)


def _items(stdin: Word | None, *, lines: bool) -> tuple[Word, ...]:
    """The arguments that come in through a pipe, if they are known and plain."""
    text = stdin.text if stdin is not None else None
    if stdin is None or text is None or re.search(r"['\"\\]", text):
        return ()
    parts = [part.strip() for part in text.split("\n")] if lines else text.split()
    items = tuple(Word((part,), part, stdin.span) for part in parts if part)
    return items if len(items) <= _MOST else ()


def _find(command: Invocation) -> tuple[Invocation, ...] | None:
    r"""``find . -exec COMMAND {} \;``: the files are only known when it runs."""
    texts = [word.text for word in command.words]
    at = next((i for i, text in enumerate(texts) if text in _EXECUTES), len(texts))
    ends = (i for i in range(at + 1, len(texts)) if texts[i] in (";", "+"))
    inner = command.words[at + 1 : next(ends, len(texts))]
    if not inner:
        return None
    file = unknown_word("{}", "find searches for the files", command.words[0])
    return (command._replace(words=tuple(_filled(w, "{}", file) for w in inner)),)


def _concurrently(command: Invocation) -> tuple[Invocation, ...] | None:
    """``concurrently "COMMAND" "COMMAND"``: each is a line, and all start at once."""
    rest = command.words[1:]
    given = arguments(rest, _CONCURRENTLY)
    lines = given.positionals
    most = given.value("m", "max-processes")
    found = [one for line in lines for one in commands_in(command, line) or ()]
    alone = most is not None and most.text == "1"
    return _at_once(found, "" if alone else "concurrently") if found else None


MANY: Mapping[str, Callable[[Invocation], tuple[Invocation, ...] | None]] = {
    "concurrently": _concurrently,
    "find": _find,
    "parallel": _parallel,
    "xargs": _xargs,
}


# ------------------------------------------------------------------------------------
# Wrappers that run a command elsewhere: in a pod, a container, on another machine
#
# Where it runs often tells which etcd cluster it is about, so the place's name goes
# along with the inner command.

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
    if host >= len(rest):
        return None
    after = rest[host + 1 :]
    after = after[skip_options(after, _SSH) :]
    command = command._replace(hosts=rest[host : host + 1])
    there = command.within(rest[host], after)
    if after:
        return resplit(there, after)
    if command.stdin is not None:
        return commands_in(there._replace(words=rest, stdin=None), command.stdin)
    return None


def _gcloud(command: Invocation) -> tuple[Invocation, ...] | None:
    given = arguments(command.words[1:], "command zone project")
    line = given.value("command")
    names = [w for w in given.positionals if w.text not in ("alpha", "beta")]
    if [w.text for w in names[:2]] != ["compute", "ssh"]:
        return None
    if line is None and names[3:]:
        # What stands behind ``--`` is for ssh.
        return resplit(command._replace(hosts=tuple(names[2:3])), tuple(names[3:]))
    if line is None:
        return None
    return commands_in(command._replace(hosts=tuple(names[2:3])), line)


_ON_MANY = (
    "w H h hosts host l user g x X f t timeout p par o O e m a hostlist R nodes n"
    " targets s script run-as project inventory"
)


def _on_many(command: Invocation) -> tuple[Invocation, ...] | None:
    """``pssh -H "a b" COMMAND``, ``pdsh -w a,b COMMAND``, ``clush -w a,b COMMAND``."""
    rest = command.words[1:]
    at = skip_options(rest, _ON_MANY)
    given = arguments(rest[:at], _ON_MANY)
    inner = rest[at:]
    hosts = given.all("H", "host", "w", "m", "n")
    if not inner:
        return None
    return resplit(_on(command, hosts), inner)


def _on(command: Invocation, hosts: tuple[Word, ...]) -> Invocation:
    """The command on hosts that may be any number of machines."""
    return command._replace(hosts=hosts or command.words[:1], fans_out=True)


def _ansible(command: Invocation) -> tuple[Invocation, ...] | None:
    """``ansible PATTERN -m shell -a COMMAND``: a module on machines of an inventory."""
    given = arguments(
        command.words[1:],
        "i inventory m module-name a args u user f forks l limit e extra-vars c T t"
        " become-user private-key B P M",
    )
    if not given.positionals:
        return None
    on = _on(command, (*given.positionals[:1], *given.all("l", "limit")))
    module = given.value("m", "module-name")
    name = (module.text if module is not None else "command") or ""
    line = given.value("a", "args")
    name = name.rpartition(".")[2]
    if name in ("shell", "command", "raw", "script"):
        return commands_in(on, line) if line is not None else None
    if name == "reboot":
        like = command.words[0]
        return (on._replace(words=(Word(("reboot",), like.raw, like.span),)),)
    if name in ("service", "systemd", "systemd_service") and line is not None:
        said = dict(re.findall(r"(\w+)=(\S+)", line.shown))
        verb = {"stopped": "stop", "restarted": "restart"}.get(said.get("state", ""))
        words = ("systemctl", verb or "status", said.get("name", ""))
        return (on._replace(words=tuple(Word((w,), w, line.span) for w in words)),)
    reads = name in ("ping", "setup", "debug", "stat", "gather_facts", "fetch")
    return (on._replace(words=command.words[:0]),) if reads else None


def _salt(command: Invocation) -> tuple[Invocation, ...] | None:
    """``salt TARGET cmd.run COMMAND``, and the functions that take machines down."""
    given = arguments(command.words[1:], "t timeout b batch N G E L C S out")
    words = given.positionals
    if len(words) < 2 or words[1].text is None:
        return None
    on = _on(command, words[:1])
    match words[1].text:
        case "cmd.run" | "cmd.run_all" | "cmd.shell" if len(words) > 2:
            return commands_in(on, words[2])
        case (
            "system.reboot"
            | "system.shutdown"
            | "system.poweroff"
            | "system.halt" as to
        ):
            name = to.partition(".")[2]
            return (on._replace(words=(Word((name,), name, words[1].span),)),)
        case "service.stop" | "service.disable" if len(words) > 2:
            stop = (
                Word((part,), part, words[1].span) for part in ("systemctl", "stop")
            )
            return (on._replace(words=(*stop, words[2])),)
        case "test.ping" | "test.version":
            return (on._replace(words=()),)
        case str(name) if name.startswith(
            ("grains.", "pillar.", "status.", "pkg.list")
        ):
            return (on._replace(words=()),)
    return None


def _bolt(command: Invocation) -> tuple[Invocation, ...] | None:
    """``bolt command run COMMAND --targets HOSTS``."""
    given = arguments(command.words[1:], "t targets n nodes u user p password")
    if [w.text for w in given.positionals[:2]] != ["command", "run"]:
        return None
    on = _on(command, given.all("t", "targets", "n", "nodes"))
    return commands_in(on, *given.positionals[2:3]) if given.positionals[2:] else None


def _knife(command: Invocation) -> tuple[Invocation, ...] | None:
    """``knife ssh QUERY COMMAND``."""
    given = arguments(command.words[1:], "x ssh-user a attribute i identity-file P C")
    if [w.text for w in given.positionals[:1]] != ["ssh"] or not given.positionals[2:]:
        return None
    return commands_in(_on(command, given.positionals[1:2]), given.positionals[2])


def _sshpass(command: Invocation) -> tuple[Invocation, ...] | None:
    rest = command.words[1:]
    inner = rest[skip_options(rest, "p f d P") :]
    return (command._replace(words=inner),) if inner else None


def _by_cloud(command: Invocation) -> tuple[Invocation, ...] | None:
    """``hcloud server ssh HOST C``, ``doctl compute ssh HOST --ssh-command C``."""
    given = arguments(command.words[1:], "ssh-command ssh-user u p port ssh-key-path")
    names = [w.text for w in given.positionals]
    line = given.value("ssh-command")
    if names[:2] == ["compute", "ssh"] and line is not None:
        return commands_in(command._replace(hosts=given.positionals[2:3]), line)
    if names[:2] == ["server", "ssh"] and given.positionals[3:]:
        on = command._replace(hosts=given.positionals[2:3])
        return resplit(on, given.positionals[3:])
    return None


def _aws(command: Invocation) -> tuple[Invocation, ...] | None:
    """``aws ssm send-command``: the commands that its parameters hold."""
    given = arguments(command.words[1:], many=True)
    names = [w.text for w in given.positionals]
    if not {"send-command", "start-session"} & {*names} or "ssm" not in names:
        return None
    said = " ".join(w.shown for w in given.all("parameters"))
    held = re.search(r"commands?[\"']?\s*[=:]\s*\[?(?P<list>.*)", said, re.DOTALL)
    if held is None:
        return None
    lines = re.findall(r"\"([^\"]+)\"|'([^']+)'", held["list"])
    texts = [one or other for one, other in lines] or [held["list"].strip(" ]}")]
    like = given.all("parameters")[0]
    on = _on(command, given.all("instance-ids", "targets"))
    found = [commands_in(on, Word((text,), like.raw, like.span)) for text in texts]
    return tuple(one for each in found for one in each or ()) or None


def _az(command: Invocation) -> tuple[Invocation, ...] | None:
    """``az vm run-command invoke --scripts TEXT``."""
    given = arguments(
        command.words[1:], "scripts name n resource-group g command-id ids parameters"
    )
    script = given.value("scripts")
    if [w.text for w in given.positionals[1:2]] != ["run-command"] or script is None:
        return None
    if script.shown.startswith("@"):
        return None
    return commands_in(command._replace(hosts=given.all("name", "n", "ids")), script)


def _kubectl(command: Invocation) -> tuple[Invocation, ...] | None:
    """``kubectl exec POD [-c C] [--] COMMAND``."""
    rest = command.words[1:]
    at = skip_options(rest, KUBECTL)
    if at < len(rest) and rest[at].text in ("debug", "node-shell"):
        return _on_node(command, rest[at + 1 :])
    if at >= len(rest) or rest[at].text != "exec":
        return None
    command = command._replace(context=context_of(command))
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
    return (command.within(before[pod], inner),)


def context_of(command: Invocation) -> Word | None:
    """What says which cluster ``kubectl`` speaks to, None if only its settings do."""
    before, _, _ = _at_separator(command.words[1:])
    given = arguments(before, KUBECTL)
    said = given.value("context", "cluster", "kubeconfig")
    server = given.value("server", "s")
    if said is None and server is not None and _API.match(server.shown):
        return server
    return said if said is not None else command.environment.get("KUBECONFIG")


# An address that has the name of a cluster in it; one of a load balancer may not.
_API = re.compile(r"(?:https?://)?api[.-]")


def _kubie(command: Invocation) -> tuple[Invocation, ...] | None:
    """``kubie exec CONTEXT NAMESPACE COMMAND``, with a kubeconfig of that context."""
    rest = command.words[1:]
    if not rest or rest[0].text != "exec":
        return None
    at = 1 + skip_options(rest[1:], "")
    inner = rest[at + 2 :]
    if not inner:
        return None
    environment = {**command.environment, "KUBECONFIG": rest[at]}
    return resplit(command._replace(environment=environment), inner)


def _on_node(
    command: Invocation, rest: tuple[Word, ...]
) -> tuple[Invocation, ...] | None:
    """``kubectl debug node/NAME -- COMMAND``, which has the machine's disks."""
    before, _, inner = _at_separator(rest)
    named = arguments(before, f"{KUBECTL} image profile target copy-to").positionals
    node = named[:1]
    if not inner or not node or _is_session(command, inner):
        return None
    return (command._replace(words=inner, hosts=node),)


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
        return (command.within(rest[own], inner),)
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
    **dict.fromkeys(
        ("pssh", "parallel-ssh", "pdsh", "clush", "dsh", "mpssh", "orgalorg"), _on_many
    ),
    **dict.fromkeys(("hcloud", "doctl", "scw"), _by_cloud),
    **dict.fromkeys(("autossh", "mosh"), _ssh),
    "ansible": _ansible,
    "aws": _aws,
    "az": _az,
    "bolt": _bolt,
    "crictl": _docker,
    "docker": _docker,
    "gcloud": _gcloud,
    "knife": _knife,
    "kubectl": _kubectl,
    "nerdctl": _docker,
    "podman": _docker,
    "salt": _salt,
    "sshpass": _sshpass,
    "ssh": _ssh,
}


# A wrapper's options that take the next word, and how many words of its own follow
# them before the command.
_PREFIXES: Mapping[str, tuple[str, int]] = {
    "aa-exec": ("p profile", 0),
    "builtin": ("", 0),
    "busybox": ("", 0),
    "cgexec": ("g", 0),
    "chpst": ("u U b e / n l L m d o p f c r t", 0),
    "chrt": ("T P D", 1),
    "catchsegv": ("", 0),
    "cpulimit": ("l limit p pid e exe P path", 0),
    "dbus-run-session": ("", 0),
    "dumb-init": ("", 0),
    "eatmydata": ("", 0),
    "entr": ("", 0),
    "fakeroot": ("", 0),
    "faketime": ("f", 1),
    "firejail": ("", 0),
    "gosu": ("", 1),
    "caffeinate": ("t w", 0),
    "chronic": ("", 0),
    "chroot": ("", 1),
    "command": ("", 0),
    "doas": ("u C", 0),
    "env": ("u C unset chdir", 0),
    "exec": ("a", 0),
    "flock": ("w E timeout", 1),
    "ionice": ("c n p", 0),
    "ltrace": ("o e p s", 0),
    "nice": ("n adjustment", 0),
    "nohup": ("", 0),
    "npx": ("p package", 0),
    "nsenter": ("t S G", 0),
    "numactl": ("m N C i p", 0),
    "pkexec": ("user", 0),
    "prlimit": ("p", 0),
    "proxychains": ("f", 0),
    "proxychains4": ("f", 0),
    "rlwrap": ("f H a", 0),
    "setarch": ("", 1),
    "setpriv": ("", 0),
    "setsid": ("", 0),
    "stdbuf": ("i o e", 0),
    "strace": ("o e p s", 0),
    "su-exec": ("", 1),
    "systemd-cat": ("t p identifier priority", 0),
    "systemd-inhibit": ("what who why mode", 0),
    "systemd-run": (
        "p property u unit description on-calendar on-active slice E H M",
        0,
    ),
    "taskset": ("c", 1),
    "tini": ("e", 0),
    "torsocks": ("", 0),
    "toybox": ("", 0),
    "sudo": ("u g h p C r t U D R T user group host", 0),
    "time": ("f o", 0),
    "timeout": ("k s kill-after signal", 1),
    "unbuffer": ("", 0),
    "unshare": ("R S G w", 0),
    "watch": ("n interval", 0),
    "winpty": ("", 0),
    "xvfb-run": ("n s a", 0),
}
# What these say about a command is text, and runs nothing.
_SAYS = frozenset(
    {"cat", "grep", "egrep", "fgrep", "rg", "ag", "which", "type", "alias"}
    | {"whereis", "hash", "test", "[", "[[", "export", "readonly", "local"}
    | {"declare", "typeset", "read", "set", "unset", "trap", "nano", "tee"}
    | {":", "true", "false", "curl", "wget", "gh", "hub", "glab", "jq", "yq", "mail"}
    | {"mailx", "sendmail", "logger", "wall", "figlet", "cowsay", "cut", "tr", "sort"}
    | {"uniq", "head", "tail", "wc", "diff", "comm", "ls", "cd", "mkdir", "cp", "mv"}
    | {"ln", "touch", "chmod", "chown", "rm", "column", "complete", "compgen", "dialog"}
    | {"whiptail", "zenity", "history", "open", "code", "expr", "basename", "dirname"}
    | {"date", "seq", "tput", "clear", "banner", "lolcat", "notify-send"}
    | {"slack", "slackcat", "aws-slack", "jira", "pandoc", "cmp", "file", "stat"}
    | {"apt", "apt-get", "brew", "dnf", "yum", "snap", "pip", "pip3", "choco"}
)
# So do a script's own functions with such a name: log_info, die.
_SAYING = (
    *("log", "info", "warn", "err", "debug", "print", "echo", "say", "msg"),
    *("message", "note", "title", "die", "fail", "notify", "slack", "announce"),
    *("alert", "usage", "help"),
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
    "systemctl": ("", frozenset({"stop", "kill", "disable", "mask", "reboot"})),
    "crictl": ("", frozenset({"stop", "stopp", "rm", "rmp"})),
}
# Those of which every argument is read by their own module.
_READ = frozenset({*_TELLING, *PROVIDERS, "etcdutl", "helm", "sleep", "terragrunt"})
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
    if program in SHELL_TEXT_IN:
        return hidden(command)
    if program == "kops" or _says(program.lower()):
        return None
    if (found := stands_for(command.words[0])) is not None:
        return (command._replace(words=(found, *rest)),)
    if not program and rest and program_name(rest[0]) in _BEHIND_UNKNOWN:
        # ``$SUDO kubectl get nodes``: whatever stands in front runs the program.
        return (command._replace(words=rest),)
    return _telling(command) or (None if program in _READ else hidden(command))


def is_known_tool(program: str) -> bool:
    """Whether a program is known to reach no cluster, whatever it is handed.

    These show, compare, change or move texts and files, wait, or answer a question
    (coreutils, grep, jq and the like); a function with such a name talks.
    """
    known = program in _TOOLS or program in _READ or program in SHELL_TEXT_IN
    return known or _says(program.lower())


_TOOLS = frozenset(
    {"basename", "cmp", "comm", "cp", "curl", "cut", "date", "diff", "dirname", "env"}
    | {"expr", "false", "file", "find", "fold", "head", "id", "install", "jq", "join"}
    | {"less", "ln", "ls", "md5sum", "mkdir", "more", "mv", "nl", "nproc", "od"}
    | {"paste", "pwd", "readlink", "realpath", "rm", "rmdir", "seq", "sha256sum"}
    | {"shuf", "sleep", "sort", "split", "stat", "tac", "tail", "touch", "tr", "tree"}
    | {"true", "tsort", "uniq", "wait", "wc", "wget", "who", "yes", "yq", "((", "let"}
    | {"cd", "pushd", "popd", "shift", "return", "exit", "local", "printf", "shopt"}
    | {"dig", "host", "nslookup", "ping", "gh", "glab", "hub", "code", "emacs"}
    | {"vault", "op", "sops", "openssl", "base64", "xxd", "gzip", "tar", "zip"}
    | {"getopts", "mapfile", "readarray", "typeset", "unalias", "unset", "pass"}
)


def _says(program: str) -> bool:
    name = program.replace("-", "_")
    return program in _SAYS or (name.startswith(_SAYING) and name.isidentifier())


def _prefix(command: Invocation) -> tuple[Invocation, ...] | None:
    program, rest = command.program, command.words[1:]
    if program == "command" and rest and head(rest[0]) in ("-v", "-V"):
        return None
    options, own = _PREFIXES[program]
    if program == "env" and (text := _split_string(rest)) is not None:
        return commands_in(command, *text)
    inner = rest[skip_options(rest, options) + own :]
    if not inner:
        # `sudo -i` is a shell.
        stdin = command.stdin if program == "sudo" else None
        return commands_in(command, stdin) if stdin is not None else None
    if program in ("watch", "entr") and len(inner) == 1:
        return commands_in(command, inner[0])
    if program == "flock" and head(inner[0]) in ("-c", "--command"):
        return commands_in(command, *inner[1:2]) if inner[1:] else None
    return (command._replace(words=inner),)


def _split_string(rest: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """The text that ``env -S`` takes for a command line, with what follows it."""
    for at, word in enumerate(rest):
        if not is_option(word):
            return None
        start = head(word)
        for option in ("--split-string=", "-S", "-vS"):
            if start.startswith(option):
                glued = start != option
                return (
                    (cut(word, len(option)), *rest[at + 1 :])
                    if glued
                    else rest[at + 1 :]
                )
        if start == "--split-string":
            return rest[at + 1 :]
    return None


def _shell(command: Invocation) -> tuple[Invocation, ...] | None:
    """``sh -c TEXT``, or a shell that reads its commands from standard input."""
    rest = command.words[1:]
    prompt = command.environment.get("PROMPT_COMMAND")
    if prompt is not None and not rest:
        return commands_in(command._replace(environment={}), prompt)
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


_ENCODED = re.compile(r"-e(?:nc?|c|nco\w*)?", re.IGNORECASE)


def _powershell(command: Invocation) -> tuple[Invocation, ...] | None:
    """``pwsh -EncodedCommand TEXT``, base64 of UTF-16 (about_PowerShell_exe)."""
    import base64
    import binascii

    words = command.words
    for at, word in enumerate(words[1:-1], 1):
        if not _ENCODED.fullmatch(word.shown):
            continue
        text = words[at + 1]
        try:
            decoded = base64.b64decode(text.shown, validate=True).decode("utf-16-le")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            decoded = None
        if decoded is None or text.text is None:
            reason = "its command line is encoded, so kopslint does not read it"
            return (
                command._replace(words=(unknown_word("powershell", reason, text),)),
            )
        return commands_in(command, Word((decoded,), text.raw, text.span))
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


def _git(command: Invocation) -> tuple[Invocation, ...] | None:
    """``git bisect run COMMAND``, ``submodule foreach`` and ``rebase --exec``."""
    rest = command.words[1:]
    names = [word.text for word in rest]
    if "rebase" in names or "filter-branch" in names:
        runs = "x exec tree-filter index-filter msg-filter env-filter commit-filter"
        text = arguments(rest, f"{runs} onto C").value(*runs.split())
        return commands_in(command, text) if text is not None else None
    for first, second in (("bisect", "run"), ("submodule", "foreach")):
        if first in names and second in names[names.index(first) :]:
            return resplit(command, rest[names.index(second) + 1 :])
    return None


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
    if program in PROVIDERS:
        services = {row.split()[1] for row in ROWS if row.startswith(f"{program} ")}
        return "profile region output project zone config context", services
    return _TELLING.get(program, ("", ()))


_READERS: Mapping[str, Callable[[Invocation], tuple[Invocation, ...] | None]] = {
    **REMOTE,
    **MANY,
    "eval": _eval,
    "git": _git,
    "kubie": _kubie,
    "go": _go,
    **dict.fromkeys(("pwsh", "powershell", "powershell.exe", "pwsh.exe"), _powershell),
    "runuser": _su,
    "su": _su,
    "tsh": _tsh,
}
