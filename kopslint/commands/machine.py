"""What is done on a machine itself: power, services, processes, disks, firewall.

On a machine of the control plane it takes a member of etcd, or its disk. Where it is
typed is known only for programs that run it elsewhere (``ssh HOST``); else it may be
any machine, this one too. Sources: the manuals of the programs; kops
pkg/wellknownports/wellknownports.go for the ports, nodeup/pkg/model for the services,
pkg/model/components/etcdmanager/model.go for the folders.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.commands.etcd import etcd_cluster_in
from kopslint.commands.invocation import arguments
from kopslint.commands.model import (
    ForceNewCluster,
    Foreign,
    Reach,
    RestartManagers,
    StopInstances,
)
from kopslint.shell.ast import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kopslint.commands.invocation import Invocation
    from kopslint.commands.model import Command

_SERVICES = re.compile(
    r"(etcd|kubelet|containerd|docker|crio|cri-o|protokube|kops-configuration"
    r"|kube-apiserver|networking?|systemd-networkd|NetworkManager)[\w@.-]*"
)
_MANIFEST = re.compile(r"/etc/kubernetes/manifests(/(\*[\w.*-]*|etcd[\w.*-]*)?)?$")
# What etcd keeps of a member on a volume of kops; certificates are made anew.
_MEMBER_DATA = re.compile(
    r"/var/etcd|/mnt/(?:master-vol-|disks/)[^/]*(?:/\*?|/(?:data|state)\b.*)?$"
)
_OWN_FILES = re.compile(
    r"/usr/local/bin/(?:kubelet|protokube)$|/opt/kops/?|/etc/systemd/system/kubelet|"
    r"/etc/kubernetes(?:/pki.*)?/?$|/srv/kubernetes|/var/lib/kubelet/?$"
)
_COPIED_TO = re.compile(
    r"[\w.@$}-]+:(?:/etc/kubernetes/|/srv/kubernetes/|/mnt/master-vol|/var/etcd)"
)
_MOUNTED = re.compile(r"/mnt/(?:master-vol-|disks/)|^/dev/(?:xvd|sd|nvme|vd|disk)")
_DEVICE = re.compile(r"(?:of=)?/dev/(?!null|zero|std|random|urandom|tty|shm|fd)\S+")
# Peers and clients of etcd, and etcd-manager's own.
_PORTS = re.compile(r"(?<!\d)(2379|238[0-3]|400[1-4]|399[2-7])(?!\d)")
_SHUTS = re.compile(r"\b(DROP|REJECT|drop|reject|deny)\b")
_ETCD = re.compile(r"\betcd\b|etcd[.-]")
_MANAGER = "etcd-manager"


def read_machine(invocation: Invocation) -> Command:
    """What a program does to the machine that it runs on."""
    reader = _READERS.get(_family(invocation.program))
    command = reader(invocation) if reader is not None else None
    return command or _nothing(invocation)


def _family(program: str) -> str:
    return "mkfs" if program.startswith("mkfs.") else program


def _power(invocation: Invocation) -> Command | None:
    program = invocation.program
    words = [word.shown for word in invocation.words[1:]]
    if program in ("init", "telinit"):
        if words[:1] not in (["0"], ["6"]):
            return None
        return _goes_down(invocation, "reboot" if words[0] == "6" else "stop")
    if program == "shutdown" and "-c" in words:
        return None
    again = program == "reboot" or (
        program == "shutdown" and any(w in ("-r", "--reboot") for w in words)
    )
    return _goes_down(invocation, "reboot" if again else "stop")


def _goes_down(invocation: Invocation, verb: Literal["reboot", "stop"]) -> Command:
    """The machine goes down; which one, only a program that runs it there tells."""
    if invocation.hosts:
        return StopInstances(
            text=invocation.text,
            span=invocation.span,
            verb=verb,
            instances=invocation.hosts,
            many=invocation.fans_out,
        )
    program = invocation.program
    return invocation.unreadable(
        Unknown(program, "it stops the machine that it runs on"), Reach.MACHINE
    )


def _systemctl(invocation: Invocation) -> Command | None:
    given = arguments(invocation.words[1:], "H M host machine signal s kill-who")
    names = [word.shown for word in given.positionals]
    if invocation.program == "service":
        names = [*names[1:2], *names[:1]]
    verb, units = (names[0], names[1:]) if names else ("", [])
    if verb in ("reboot", "poweroff", "halt", "kexec"):
        return _goes_down(
            invocation, "reboot" if verb in ("reboot", "kexec") else "stop"
        )
    stops = verb in ("stop", "kill", "mask") or (verb == "disable" and given.has("now"))
    if verb == "isolate":
        return _unreplayed(invocation, f"`{verb}` stops services", Reach.MACHINE)
    unit = next((unit for unit in units if _SERVICES.fullmatch(unit)), None)
    if not stops or unit is None:
        return None
    if "docker" in unit and not invocation.hosts:
        # Workstations run it too.
        return None
    return _unreplayed(invocation, f"it stops {unit} on a machine", Reach.MACHINE)


def _kill(invocation: Invocation) -> Command | None:
    said = " ".join(word.shown for word in invocation.words[1:])
    in_pod = any(_MANAGER in place.shown for place in invocation.inside)
    if _MANAGER in said or (in_pod and invocation.program == "kill"):
        return _restart(invocation)
    if _ETCD.search(said) or re.search(r"\bkubelet\b|kube-apiserver", said):
        return _unreplayed(
            invocation, "it kills what runs the control plane", Reach.ETCD
        )
    return None


def _restart(invocation: Invocation) -> Command:
    """The manager is killed: kubelet starts it again, and that starts its member."""
    said = " ".join(word.shown for word in invocation.words)
    return RestartManagers(
        text=invocation.text,
        span=invocation.span,
        etcd_cluster=etcd_cluster_in(said) if "etcd-manager-" in said else None,
        places=invocation.hosts if not invocation.fans_out else (),
    )


def _disk(invocation: Invocation) -> Command | None:
    words = [word.shown for word in invocation.words[1:]]
    writes = invocation.program != "dd" or any(w.startswith("of=") for w in words)
    writes = writes and not {"-l", "--list", "print", "-p"} & {*words}
    unknown = any(word.text is None for word in invocation.words[1:])
    named = [w for w in words if _DEVICE.fullmatch(w) and not w.startswith("if=")]
    if not writes or not (named or (unknown and invocation.program != "dd")):
        return None
    what = named[-1] if named else "a disk"
    return _unreplayed(invocation, f"it overwrites {what}", Reach.VOLUME)


_ENDS_A_DISK = re.compile(
    r"nvme (?:format|sanitize|delete-ns)|hdparm .*--(?:security-erase|trim)|mdadm .*--"
    r"(?:stop|zero|fail|remove)|dmsetup (?:remove|suspend|wipe)|mount .*\bremount,ro\b"
    r"|(?:lv|vg|pv)(?:remove|reduce) |(?:xfs_repair|e?2?fsck|resize2fs) (?!.*-n\b)"
)


def _repaired(invocation: Invocation) -> Command | None:
    """A disk or its file system is taken away, repaired or made read-only."""
    words = [word.shown for word in invocation.words[1:]]
    if not _ENDS_A_DISK.match(" ".join([invocation.program, *words])):
        return None
    reason = f"`{invocation.program}` may take the disk away from a running member"
    return _unreplayed(invocation, reason, Reach.VOLUME)


def _packages(invocation: Invocation) -> Command | None:
    """Packages of a machine, where its runtime or kubelet may be among them."""
    words = [w.shown for w in invocation.words[1:] if not w.shown.startswith("-")]
    upgrades = (["dist-upgrade"], ["full-upgrade"], ["upgrade"])
    all_of_them = words[:1] in upgrades or (
        words[:1] == ["update"] and not invocation.program.startswith("a")
    )
    named = re.search(
        r"kubelet|containerd|docker|kernel|linux-image", " ".join(words[1:])
    )
    takes = words[:1] in (["remove"], ["purge"], ["autoremove"], ["erase"])
    if not invocation.hosts or not (
        (all_of_them and not words[1:]) or (takes and named)
    ):
        return None
    reason = "it changes a machine while etcd and Kubernetes run on it"
    return _unreplayed(invocation, reason, Reach.MACHINE)


def edited(invocation: Invocation) -> Command | None:
    """An editor or a copy changes what the control plane of a machine runs with."""
    program, words = invocation.program, [w.shown for w in invocation.words[1:]]
    if program in ("sed", "gsed", "perl", "yq") and not any(
        re.match(r"-\w*i|--in-?place", word) for word in words
    ):
        return None
    places = words[-1:] if program in ("cp", "install", "ln") else words
    if not any(_MANIFEST.search(w) or _RUNS_WITH.match(w) for w in places):
        return None
    reason = "it changes what the control plane of a machine runs with"
    return _unreplayed(invocation, reason, Reach.ETCD)


_RUNS_WITH = re.compile(
    r"/etc/kubernetes/(?:manifests|pki)\b|/srv/kubernetes|/opt/kops/|/var/lib/kubelet"
    r"|/usr/local/bin/(?:kubelet|etcd|protokube)|/etc/systemd/system/(?:kubelet|kops)"
)


def _umount(invocation: Invocation) -> Command | None:
    words = invocation.words[1:]
    if not any(_MOUNTED.search(word.shown) for word in words):
        return None
    return _unreplayed(
        invocation, "it takes the disk away from a running member", Reach.VOLUME
    )


def _remove(invocation: Invocation) -> Command | None:
    """Data of a member, or the manifest by which kubelet runs it."""
    program, words = invocation.program, invocation.words[1:]
    words = words[:-1] if program == "mv" else words
    if program != "mv" and any(_MEMBER_DATA.search(word.shown) for word in words):
        return invocation.unreadable(
            Unknown(program, f"which etcd data `{program}` deletes, and when"),
            Reach.VOLUME,
        )
    if any(_OWN_FILES.search(word.shown) for word in words):
        return _unreplayed(
            invocation, "it removes files that the control plane needs", Reach.MACHINE
        )
    if program == "shred" and any(_DEVICE.fullmatch(word.shown) for word in words):
        return _disk(invocation)
    if program == "mv" and any(_MEMBER_DATA.search(word.shown) for word in words):
        return _unreplayed(invocation, "it moves a member's data away", Reach.VOLUME)
    if any(_MANIFEST.search(word.shown) for word in words):
        return _unreplayed(
            invocation, "the kubelet stops etcd when its manifest is gone", Reach.ETCD
        )
    return None


def _firewall(invocation: Invocation) -> Command | None:
    words = [word.shown for word in invocation.words[1:]]
    said = " ".join(words)
    if invocation.program == "tc" and "netem" in words:
        return _unreplayed(invocation, "it degrades a machine's network", Reach.MACHINE)
    if invocation.program == "firewall-cmd":
        closed = re.search(r"--remove-(?:port|service|rich-rule)|--panic-on", said)
        if closed is None or not (_PORTS.search(said) or "panic" in said):
            return None
        return _unreplayed(
            invocation, "it cuts etcd members off from each other", Reach.MACHINE
        )
    # `-P INPUT DROP` is for every port.
    policy = "-P" in words or "--policy" in words
    ports = _PORTS.search(said) or not re.search(r"--?dports?\b|\bport\b", said)
    takes = invocation.program in ("tc", "ufw") or "-D" not in words
    if not _SHUTS.search(said) or not takes or not (policy or ports):
        return None
    return _unreplayed(
        invocation, "it cuts etcd members off from each other", Reach.MACHINE
    )


def _network(invocation: Invocation) -> Command | None:
    words = [word.shown for word in invocation.words[1:]]
    down = "down" in words and (invocation.program != "ip" or "link" in words)
    if invocation.program == "ip" and {"addr", "address", "a", "route", "r"} & {*words}:
        down = bool({"del", "delete", "flush", "replace"} & {*words})
    if invocation.program == "netplan":
        down = words[:1] in (["apply"], ["try"])
    if not down and invocation.program != "ifdown":
        return None
    return _unreplayed(invocation, "it takes a machine off the network", Reach.MACHINE)


def _reset(invocation: Invocation) -> Command | None:
    words = [word.shown for word in invocation.words[1:]]
    if words[:1] != ["reset"]:
        return None
    return _unreplayed(
        invocation, "it removes all of Kubernetes from a machine", Reach.MACHINE
    )


def _find(invocation: Invocation) -> Command | None:
    words = [word.shown for word in invocation.words[1:]]
    if not {"-delete", "rm", "shred", "unlink"} & {*words}:
        return None
    return _remove(invocation)


def _lock(invocation: Invocation) -> Command | None:
    """Rights of a member's data taken from etcd, or its volume filled up."""
    if not any(_MEMBER_DATA.search(word.shown) for word in invocation.words[1:]) and (
        invocation.program != "fallocate"
        or not any(_MOUNTED.search(word.shown) for word in invocation.words[1:])
    ):
        return None
    reason = "a member may no longer read or write its data"
    return _unreplayed(invocation, reason, Reach.VOLUME)


def _written(invocation: Invocation) -> Command | None:
    """``tee``: into the kernel's trigger (proc(5)), or over a manifest."""
    words = [word.shown for word in invocation.words[1:]]
    if "/proc/sysrq-trigger" in words:
        return _goes_down(invocation, "reboot")
    if any("/sys/fs/cgroup" in word for word in words):
        return _unreplayed(invocation, "it may freeze a member", Reach.ETCD)
    if any(_DEVICE.fullmatch(word) for word in words):
        return _unreplayed(invocation, "it overwrites a disk", Reach.VOLUME)
    if any(_MANIFEST.search(word) for word in words):
        reason = "the kubelet runs etcd from this manifest"
        return _unreplayed(invocation, reason, Reach.ETCD)
    if "/etc/hosts" in words:
        return _names_on_machine(invocation)
    return None


_OF_THE_CLUSTER = re.compile(
    r"(?<![\w-])(?:api|kops-controller|etcd(?:-[\w-]+)?|[\w-]*\.?internal)\b"
)


def _names_on_machine(invocation: Invocation) -> Command | None:
    """``/etc/hosts`` of a machine, by which members of etcd find each other.

    Source: etcd-manager pkg/hosts, which writes its peers there.
    """
    given = invocation.stdin
    said = f"{given.shown if given is not None else ''} {invocation.upstream}"
    own_lines = not said.strip() or _OF_THE_CLUSTER.search(said)
    if not invocation.hosts or not own_lines:
        return None
    reason = "etcd members find each other by the names in this file"
    return _unreplayed(invocation, reason, Reach.MACHINE)


def _etcd(invocation: Invocation) -> Command | None:
    """An etcd that is started by hand, past etcd-manager.

    Source: etcd's flags, and its environment, in which each has a name.
    """
    words = [word.shown for word in invocation.words[1:]]
    if _forces(invocation, words):
        return _forced(invocation)
    if not any(
        word.startswith(("--force-new-cluster", "--data-dir")) for word in words
    ):
        return None
    reason = "it starts an etcd that etcd-manager does not know"
    return _unreplayed(invocation, reason, Reach.ETCD)


def _forces(invocation: Invocation, words: list[str]) -> bool:
    said = [word for word in words if word.startswith("--force-new-cluster")]
    if said:
        return not said[-1].endswith("=false")
    variable = invocation.environment.get("ETCD_FORCE_NEW_CLUSTER")
    return variable is not None and variable.text not in ("false", "")


def _forced(invocation: Invocation) -> Command:
    """The member whose data is given, as far as its name or the machine tells."""
    given = arguments(
        invocation.words[1:],
        "name data-dir wal-dir listen-peer-urls listen-client-urls"
        " initial-advertise-peer-urls advertise-client-urls initial-cluster"
        " initial-cluster-state initial-cluster-token cert-file key-file"
        " trusted-ca-file peer-cert-file peer-key-file peer-trusted-ca-file"
        " listen-metrics-urls",
    )
    environment = invocation.environment
    name = given.value("name") or environment.get("ETCD_NAME")
    data = given.value("data-dir") or environment.get("ETCD_DATA_DIR")
    places = (*invocation.hosts, *invocation.inside)
    said = " ".join(word.shown for word in (*places, *invocation.words[1:]))
    return ForceNewCluster(
        text=invocation.text,
        span=invocation.span,
        etcd_cluster=etcd_cluster_in(said),
        member=name,
        places=(*places, *([data] if data is not None else [])),
    )


def _clock(invocation: Invocation) -> Command | None:
    words = [word.shown for word in invocation.words[1:]]
    sets = any(re.match(r"-s|--set|set-time|set-hostname", word) for word in words)
    if not invocation.hosts or not (sets or invocation.program.startswith("do-")):
        return None
    reason = "it changes a machine while etcd and Kubernetes run on it"
    return _unreplayed(invocation, reason, Reach.MACHINE)


def _copied(invocation: Invocation) -> Command | None:
    """Files copied to a machine, over those of etcd or of the control plane."""
    if not invocation.words[1:] or not _COPIED_TO.match(invocation.words[-1].shown):
        return None
    reason = "it replaces what the control plane of a machine runs with"
    return _unreplayed(invocation, reason, Reach.MACHINE)


def _unreplayed(invocation: Invocation, reason: str, reach: Reach) -> Command:
    return invocation.unreplayed(reason, reach, about=invocation.hosts)


def _nothing(invocation: Invocation) -> Command:
    return Foreign(
        text=invocation.text, span=invocation.span, program=invocation.program
    )


_READERS: Mapping[str, Callable[[Invocation], Command | None]] = {
    **dict.fromkeys(
        ("reboot", "shutdown", "poweroff", "halt", "init", "telinit"), _power
    ),
    **dict.fromkeys(("systemctl", "service", "initctl", "rc-service"), _systemctl),
    **dict.fromkeys(("kill", "pkill", "killall"), _kill),
    **dict.fromkeys(("dd", "mkfs", "wipefs", "blkdiscard", "sgdisk", "mke2fs"), _disk),
    **dict.fromkeys(("parted", "fdisk", "sfdisk", "gdisk"), _disk),
    **dict.fromkeys(("chmod", "chown", "fallocate"), _lock),
    **dict.fromkeys(
        ("date", "timedatectl", "hostnamectl", "do-release-upgrade"), _clock
    ),
    **dict.fromkeys(("scp", "rsync"), _copied),
    "find": _find,
    "tee": _written,
    "etcd": _etcd,
    **dict.fromkeys(("umount", "cryptsetup"), _umount),
    **dict.fromkeys(("rm", "shred", "mv", "truncate"), _remove),
    **dict.fromkeys(
        ("iptables", "ip6tables", "nft", "ufw", "firewall-cmd", "tc"), _firewall
    ),
    **dict.fromkeys(("ip", "ifconfig", "ifdown"), _network),
    **dict.fromkeys(("nmcli", "netplan"), _network),
    **dict.fromkeys(("lvremove", "vgremove", "pvremove", "lvreduce"), _repaired),
    **dict.fromkeys(("xfs_repair", "fsck", "e2fsck", "resize2fs"), _repaired),
    **dict.fromkeys(("nvme", "hdparm", "mdadm", "dmsetup", "mount"), _repaired),
    **dict.fromkeys(("apt", "apt-get", "yum", "dnf", "zypper"), _packages),
    "kubeadm": _reset,
}
