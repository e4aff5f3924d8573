"""The programs that printed scripts call, each acting on the machines.

``etcdctl`` is the real one: in a pod it is started with the address of the server that
runs there. The others print what theirs print, as far as a script reads it. A call
that nobody knows is noted as a mistake.
"""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

from verify.calls import Answer
from verify.servers import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.rescue.machines import Machines, Side

PROGRAMS = ("kops", "kubectl", "aws", "etcd-manager-ctl", "crictl", "curl")
"""Every program that has a stand-in; ``sleep`` has one in the shell."""

VALIDATES = 40
"""How long ``kops validate cluster --wait`` waits here, in seconds."""

_API = "Unable to connect to the server: net/http: TLS handshake timeout"


_INSTANCES = (
    *("ID", "NODE-NAME", "STATUS", "ROLES", "STATE", "INTERNAL-IP", "EXTERNAL-IP"),
    *("INSTANCE-GROUP", "MACHINE-TYPE"),
)


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns, filled with tabs. Source: kops util/pkg/tables/format.go."""
    widths = [max(len(row[i]) for row in rows) // 8 + 1 for i in range(len(rows[0]))]
    lines = [
        "".join(
            cell + "\t" * (width - len(cell) // 8)
            for cell, width in zip(row, widths, strict=True)
        )
        for row in rows
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


class Programs:
    """Carries out calls; ``etcdctl`` is the program that asks the servers.

    ``here`` is the machine on which ``crictl`` is called.
    """

    def __init__(self, machines: Machines, etcdctl: str) -> None:
        self.machines = machines
        self.etcdctl = etcdctl
        self.here = ""

    def call(self, words: Sequence[str]) -> Answer:
        """Carry out a call, or say what is refused."""
        program, *rest = words
        answers = {
            "kops": self._kops,
            "kubectl": self._kubectl,
            "aws": self._aws,
            "etcd-manager-ctl": self._etcd_manager_ctl,
            "crictl": self._crictl,
            "curl": self._curl,
        }
        try:
            answer = answers[program](rest)
        except RefusedError as refused:
            return Answer(err=f"{refused}\n", status=1)
        if answer is None:
            self.machines.wrong.append(f"nobody knows: {' '.join(words)}")
            return Answer(err=f"{program}: unknown: {' '.join(rest)}\n", status=64)
        return answer if isinstance(answer, Answer) else Answer(answer)

    # ---------------------------------------------------------------- kops, the cloud

    def _kops(self, rest: list[str]) -> str | None:
        machines = self.machines
        match [word for word in rest if not word.startswith("-")][:3]:
            case ["get", "cluster", *_]:
                return f"NAME\tCLOUD\tZONES\n{machines.cluster}\taws\tus-east-1a\n"
            case ["get", "ig", *_]:
                rows = "".join(f"{g}\tControlPlane\n" for g in sorted(machines.groups))
                return f"NAME\tROLE\n{rows}nodes-1\tNode\n"
            case ["get", "instances", *_]:
                return self._instances()
            case ["delete", "ig", group]:
                if group not in machines.groups:
                    raise RefusedError(f'InstanceGroup "{group}" not found')
                machines.groups.discard(group)
                machines.stop(group[-1])
                return f"Deleted InstanceGroup: {group}\n"
            case ["replace", *_]:
                machines.groups = {machines.group(name) for name in machines.names}
                return ""
            case ["update", "cluster", *_]:
                machines.apply()
                return "Cluster changes have been applied to the cloud.\n"
            case ["rolling-update", "cluster", *_]:
                return self._rolled()
            case ["validate", "cluster", *_]:
                return self._validated(wait="--wait" in rest)
        return None

    def _rolled(self) -> str:
        """One machine after the other is replaced, and the cluster validated."""
        for name in sorted(self.machines.up):
            self.machines.stop(name)
            self.machines.start(name)
            self.machines.reads_commands = True
            self._validated(wait=True)
        return "Rolling update completed for cluster!\n"

    def _instances(self) -> str:
        machines = self.machines
        rows = [
            (
                *(f"i-0{name * 16}", machines.node(name), "UpToDate", "control-plane"),
                *("", f"10.0.0.{ord(name)}", ""),
                *(f"{machines.group(name)}.masters.{machines.cluster}", "m6i.large"),
            )
            for name in sorted(machines.up)
        ]
        rows.append(
            (
                *("i-0123456789abcdef0", "node-w", "UpToDate", "node", "", "10.0.9.9"),
                *("", f"nodes-1.{machines.cluster}", "m6i.large"),
            )
        )
        return _table([_INSTANCES, *rows])

    def _validated(self, *, wait: bool) -> str:
        """Groups of the store have a machine each, and their members all serve."""
        machines = self.machines

        def is_valid() -> bool:
            there = [n for n in machines.names if machines.group(n) in machines.groups]
            return {*there} <= machines.up and all(
                machines._writes(side, name)  # noqa: SLF001
                for side in machines.sides.values()
                for name in there
            )

        if not machines.wait(is_valid, VALIDATES if wait else 0):
            raise RefusedError("Validation failed: the cluster is not healthy")
        return f"Your cluster {machines.cluster} is ready\n"

    def _aws(self, rest: list[str]) -> str | None:
        text = " ".join(rest)
        if rest[:2] == ["sts", "get-caller-identity"]:
            return '{"Account": "1"}\n'
        if "Volumes[].State" in text:
            (name,) = re.findall(r"vol-\w+-(\w)\b", text)
            return "in-use\n" if name in self.machines.up else "available\n"
        if "describe-volumes" in rest:
            found = re.search(r"Values=(\w)\.etcd-(\w+)\.", text)
            return f"vol-{found[2]}-{found[1]}\n" if found else "\n"
        if "volume-available" in rest:
            return ""
        if "delete-volume" in rest:
            found = re.search(r"vol-(\w+)-(\w)\b", text)
            if found is None:
                raise RefusedError("InvalidVolume.NotFound")
            self.machines.wipe(found[1], found[2])
            return ""
        return None

    # ---------------------------------------------------------------- the backup store

    def _etcd_manager_ctl(self, rest: list[str]) -> str | None:
        place, *words = rest
        (etcd,) = re.findall(r"/etcd/(\w+)$", place)
        with self.machines.lock:
            store = self.machines.sides[etcd].store
            told = f"Backup Store: {place.partition('=')[2]}\n"
            count = f"member_count:{store.published}"
            match words:
                case ["get"]:
                    return f"{told}{count}\n"
                case ["list-backups"]:
                    return told + "".join(f"{name}\n" for name in sorted(store.backups))
                case ["list-commands"]:
                    return told + "".join(
                        f'restore_backup:{{cluster_spec:{{{count}}}  backup:"{name}"}}'
                        "\n"
                        for name in store.queue
                    )
                case ["delete-command", name]:
                    store.queue = [each for each in store.queue if each != name]
                    return told
                case ["restore-backup", name]:
                    store.queue.append(name)
                    return f"{told}added restore-backup command\n"
        return None

    # ---------------------------------------------------------------- kubectl, crictl

    def _kubectl(self, rest: list[str]) -> Answer | str | None:
        machines = self.machines
        with machines.lock:
            serves = machines.serves(machines.sides["main"])
        if not serves:
            raise RefusedError(_API)
        text = " ".join(rest)
        if " get nodes" in text:
            return self._nodes(text)
        if " get pods" in text:
            return "No resources found in kube-system namespace.\n"
        if " get pod kube-apiserver-" in text:
            return "    - --etcd-cafile=/srv/kubernetes/kube-apiserver/etcd-ca.crt\n"
        if " get pod etcd-manager-" in text:
            return (
                f"    - --dns-suffix=.internal.{machines.cluster}\n"
                "    - mountPath: /opt/etcd-v3.5.30\n"
            )
        if " delete pod etcd-manager-" in text:
            return "pod deleted\n"
        pod = re.search(r"etcd-manager-(\w+)-node-(\w)\b", text)
        if " exec " in text and pod is not None:
            return self._etcdctl(machines.sides[pod[1]], pod[2], rest)
        return None

    def _nodes(self, text: str) -> str:
        machines = self.machines
        group = re.search(r"instancegroup=control-plane-(\w)", text)
        if group is not None:
            if group[1] in machines.up:
                return machines.node(group[1])
            if "items[0]" in text:
                raise RefusedError("error: array index out of bounds: index 0")
            return ""
        rows = ["NAME     STATUS   ROLES           AGE   VERSION   LABELS"]
        rows += [
            f"{machines.node(name)}   Ready    control-plane   12d   v1.34.1   "
            f"kops.k8s.io/instancegroup={machines.group(name)}"
            for name in sorted(machines.up)
        ]
        return "".join(f"{row}\n" for row in rows)

    def _crictl(self, rest: list[str]) -> Answer | str | None:
        name = self.here
        if rest[:1] == ["pods"] and "--output" in rest:
            pods = [f"etcd-manager-{e}-{self._node()}" for e in self.machines.sides]
            return "".join(f'  "name": "{pod}",\n' for pod in pods)
        if rest[:1] == ["pods"]:
            return f"{rest[-1]}\n"
        if rest[:1] == ["ps"]:
            return f"{rest[-1]}\n"
        if rest[:1] == ["inspect"]:
            return '"containerPath": "/opt/etcd-v3.5.30"\n'
        if rest[:1] == ["exec"]:
            (etcd,) = re.findall(r"etcd-manager-(\w+)-node", rest[1])
            return self._etcdctl(self.machines.sides[etcd], name, rest)
        return None

    def _curl(self, rest: list[str]) -> str | None:
        """Etcd's own JSON, on the machine itself."""
        port = re.search(r":(400[12])/v3/cluster/member/list$", rest[-1])
        if port is None:
            return None
        side = self.machines.sides["main" if port[1] == "4001" else "events"]
        try:
            return side.servers.told(side.called(self.here))
        except RefusedError:
            failed = f"curl: (7) Failed to connect to 127.0.0.1 port {port[1]}"
            raise RefusedError(f"{failed} after 0 ms: Could not connect") from None

    def _node(self) -> str:
        return self.machines.node(self.here)

    def _etcdctl(self, side: Side, name: str, rest: list[str]) -> Answer:
        """What the real etcdctl says of the server on a machine."""
        if name not in self.machines.up:
            raise RefusedError("error: unable to upgrade connection")
        (start,) = [i for i, word in enumerate(rest) if word.endswith("/etcdctl")]
        words = rest[start + 1 :]
        for option in ("--endpoints", "--cacert", "--cert", "--key"):
            place = words.index(option)
            del words[place : place + 2]
        address = side.servers.address(side.called(name))
        done = subprocess.run(  # noqa: S603 (etcdctl, on servers of this process)
            [self.etcdctl, "--endpoints", address, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={"ETCDCTL_API": "3", "ETCDCTL_COMMAND_TIMEOUT": "2s"},
        )
        time.sleep(0.1)
        return Answer(done.stdout, done.stderr, done.returncode)
