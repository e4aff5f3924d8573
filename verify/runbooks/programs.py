"""The programs that a runbook calls, each with its words, acting on one world.

What they print is what the real ones print, as far as a script reads it. A call that is
not known is a mistake of the script or of this module, and is noted.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from verify.calls import Answer
from verify.runbooks.world import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.runbooks.world import Member, World

PROGRAMS = (
    *("kops", "kubectl", "etcdctl", "terraform", "aws", "gcloud", "az", "openstack"),
    *("doctl", "hcloud", "linode-cli", "scw", "virsh", "ssh", "sleep", "aws-iam"),
)
"""Every program that stands in for itself; ``sleep`` is time."""

VERSIONS = ("3.4.13", "3.5.30", "3.6.11")
"""Releases of etcd, whose etcdctl prints in forms of their own."""


class Programs:
    """Carries out calls; ``etcd`` is the release whose etcdctl answers.

    ``strict`` is whether an unknown call is a mistake; a list that somebody wrote may
    call anything.
    """

    def __init__(self, world: World, etcd: str, *, strict: bool = True) -> None:
        self.world = world
        self.etcd = etcd
        self.kops = 34
        self.strict = strict

    def call(self, words: Sequence[str]) -> Answer:
        """Carry out a call, or say what is refused."""
        program, *rest = words
        try:
            found = getattr(self, f"_{program.replace('-', '_')}")(rest)
        except RefusedError as refused:
            return Answer(err=f"{refused}\n", status=1)
        if found is None:
            if self.strict:
                self.world.wrong.append(f"nobody knows: {' '.join(words)}")
            return Answer(err=f"{program}: unknown: {' '.join(rest)}\n", status=64)
        return found if isinstance(found, Answer) else Answer(found)

    # ---------------------------------------------------------------- kops, terraform

    def _kops(self, rest: list[str]) -> str | None:
        world = self.world
        named = _option(rest, "--name")
        if named is not None and named != world.cluster:
            raise RefusedError(f'cluster "{named}" not found')
        match rest[:2]:
            case ["version", *_]:
                return f"Client version: 1.{self.kops}.1 (git-v1.{self.kops}.1)\n"
            case ["get", "cluster" | "clusters"]:
                if "yaml" in " ".join(rest):
                    return self._cluster_yaml()
                return f"NAME\tCLOUD\tZONES\n{world.cluster}\t{world.cloud}\ta,b\n"
            case ["get", "ig" | "instancegroup" | "instancegroups" | "instances"]:
                rows = "".join(
                    f"{name}\tControlPlane\tm\t{size}\t{size}\ta\n"
                    for name, size in sorted(world.stored.groups.items())
                )
                return f"NAME\tROLE\tMACHINETYPE\tMIN\tMAX\tZONES\n{rows}"
            case ["get", *_] | ["toolbox", *_]:
                return "\n"
            case ["delete", "ig" | "instancegroup"]:
                if "--yes" in rest:
                    world.delete_group(_words(rest)[2])
                return "Deleted\n"
            case ["replace" | "create", *_]:
                files = _files(rest)
                if not files and self.strict:
                    return None
                world.replace(files)
                return ""
            case ["edit", *_]:
                world.replace(["after.yaml"])
                return ""
            case ["update", "cluster"]:
                if _option(rest, "--target") == "terraform":
                    world.update(render=True)
                elif "--yes" in rest:
                    world.update()
                return "Cluster changes have been applied to the cloud.\n"
            case ["rolling-update", "cluster"]:
                if "--yes" in rest:
                    world.roll()
                return "Rolling update completed\n"
            case ["reconcile", "cluster"]:
                if "--yes" in rest:
                    world.update()
                    world.roll()
                return ""
            case ["validate", "cluster"]:
                if not all(map(world.writable, world.etcd)):
                    raise RefusedError("Validation failed: the API cannot be reached")
                return "Your cluster is ready\n"
            case ["export", *_]:
                return ""
            case ["upgrade", *_]:
                return "" if not self.strict else None
        return None

    def _cluster_yaml(self) -> str:
        world = self.world
        version, _, etcd = world.stored.versions.partition(" ")
        lines = [
            "apiVersion: kops.k8s.io/v1alpha2",
            "kind: Cluster",
            "metadata:",
            f"  name: {world.cluster}",
            "spec:",
            f"  kubernetesVersion: {version}",
            f"  # {etcd}",
        ]
        return "\n".join(lines) + "\n"

    def _terraform(self, rest: list[str]) -> str | None:
        world = self.world
        verbs = [word for word in rest if not word.startswith("-")]
        match verbs[:1]:
            case ["init"]:
                world.initialised = True
                return "Terraform has been successfully initialized!\n"
            case ["apply"]:
                world.terraform_apply()
                return "Apply complete!\n"
            case ["plan" | "validate" | "providers" | "state" | "output"]:
                if not world.initialised:
                    raise RefusedError("Error: run terraform init")
                return "No changes.\n"
            case ["version"]:
                return "Terraform v1.9.0\n"
        return None

    # ---------------------------------------------------------------- kubectl, etcdctl

    def _kubectl(self, rest: list[str]) -> Answer | str | None:
        world = self.world
        context = _option(rest, "--context")
        if context is not None and context != world.cluster:
            raise RefusedError(f'error: context "{context}" does not exist')
        verb = next((w for w in _words(rest) if w in _VERBS), None)
        if verb != "config" and "main" in world.etcd and not world.writable("main"):
            raise RefusedError("Error from server: etcdserver: request timed out")
        text = " ".join(rest)
        match verb:
            case "config":
                return f"{world.cluster}\n"
            case "get" if " nodes" in text or " node" in text:
                return self._nodes(text)
            case "get" if "kube-apiserver-" in text:
                folder = "/srv/kubernetes/kube-apiserver"
                return f"    - --etcd-cafile={folder}/etcd-ca.crt\n"
            case "get" if "etcd-manager-" in text:
                return (
                    f"    - mkfifo x; /etcd-manager --dns-suffix=.internal."
                    f"{world.cluster} --v=6\n"
                    f"    - mountPath: /opt/etcd-v{self.etcd}\n"
                )
            case "get" if " pods" in text or " pod" in text:
                return "etcd-manager-main-node-of-x\n"
            case "cordon" | "uncordon" | "drain" | "delete" | "annotate" | "wait":
                return f"node {verb}ed\n"
            case "exec":
                pod = next(w for w in rest if w.startswith(("etcd-manager", "pod/")))
                cluster, _, node = pod.partition("etcd-manager-")[2].partition("-")
                if self.strict and not world.machines.get(node[len("node-of-") :]):
                    raise RefusedError(f'Error: pods "{pod}" not found')
                command = rest[rest.index("--") + 1 :] if "--" in rest else []
                return self._in_pod(cluster, command)
        return "" if not self.strict else None

    def _nodes(self, text: str) -> str:
        world = self.world
        group = re.search(r"instancegroup=([^ ,]*)", text)
        if group is None:
            return "".join(f"node-of-{name}\n" for name in world.machines)
        if not world.machines.get(group[1]):
            if "jsonpath" in text:
                raise RefusedError("error: array index out of bounds: index 0")
            return ""
        return f"node-of-{group[1]}"

    def _in_pod(self, etcd: str, command: list[str]) -> Answer | str | None:
        if command and command[0] == "sh":
            return f"/opt/etcd-v{self.etcd}\n"
        if etcd not in self.world.etcd:
            raise RefusedError(f'Error: pods "etcd-manager-{etcd}" not found')
        known = any(name in command[0] for name in (self.etcd, "etcdctl"))
        if not command or not known:
            return None
        return self._etcdctl_of(etcd, command[1:])

    def _etcdctl(self, _rest: list[str]) -> Answer | str | None:
        raise RefusedError("etcdctl: dial tcp 127.0.0.1:4001: connection refused")

    def _etcdctl_of(self, etcd: str, rest: list[str]) -> Answer | str | None:
        world = self.world
        words = _words(rest)
        if not world.writable(etcd) and words[:2] != ["member", "list"]:
            raise RefusedError("Error: context deadline exceeded")
        match words[:2]:
            case ["member", "list"]:
                return self.member_list(etcd, world.etcd[etcd], text=rest)
            case ["member", "remove"]:
                number = words[2] if len(words) > 2 else ""
                if not number:
                    raise RefusedError("Error: member ID is not provided")
                world.remove(etcd, number)
                return f"Member {number} removed from cluster cdf818194e3a8c32\n"
            case ["endpoint", "health"]:
                return self._health(etcd, every="--cluster" in rest)
            case ["endpoint", "status"]:
                return self._status(etcd, every="--cluster" in rest)
        return None

    def member_list(
        self, etcd: str, members: Sequence[Member], *, text: Sequence[str] = ()
    ) -> str:
        """The list as etcdctl of this release prints it."""
        if "json" in " ".join(text):
            return json.dumps(
                {"members": [{"ID": m.number, "name": m.name} for m in members]}
            )
        rows = []
        for member in members:
            host = self._host(member)
            port = _PORTS.get(etcd, 4001)
            name = member.name if member.started else ""
            state = "started" if member.started else "unstarted"
            clients = f"{host}:{port}" if member.started else ""
            cells = [member.number, state, name, f"{host}:2380", clients]
            # Learners came with 3.4; from 3.6 on the words are the same.
            cells.append("true" if member.learner else "false")
            rows.append(", ".join(cells))
        return "".join(f"{row}\n" for row in rows)

    def _health(self, etcd: str, *, every: bool) -> Answer:
        world = self.world
        out, err = [], []
        listed = world.etcd[etcd] if every else world.etcd[etcd][:1]
        for member in listed:
            host = f"{self._host(member)}:{_PORTS.get(etcd, 4001)}"
            if not every or world.is_alive(etcd, member):
                took = "took = 9.1ms"
                done = "is healthy: successfully committed proposal"
                out.append(f"{host} {done}: {took}\n")
            else:
                reason = "failed to commit proposal: context deadline exceeded"
                err.append(f"{host} is unhealthy: {reason}\n")
        if err:
            err.append("Error: unhealthy cluster\n")
        status = 1 if err else 0
        if self.etcd.startswith("3.4"):
            # Source: etcd etcdctl/ctlv3/command/printer_simple.go, until 3.5.
            return Answer("", "".join([*out, *err]), status)
        return Answer("".join(out), "".join(err), status)

    def _status(self, etcd: str, *, every: bool) -> Answer:
        world = self.world
        out, err = [], []
        for member in world.etcd[etcd] if every else world.etcd[etcd][:1]:
            host = f"{self._host(member)}:{_PORTS.get(etcd, 4001)}"
            if not world.is_alive(etcd, member):
                err.append(f"Failed to get the status of endpoint {host}\n")
                continue
            release = world.release_of(etcd, member)
            tail = "25 kB, false, false, 2, 10, 10, "
            out.append(f"{host}, {member.number}, {release}, {tail}\n")
        return Answer("".join(out), "".join(err), 1 if err else 0)

    def _host(self, member: Member) -> str:
        return f"https://m{member.number[-3:]}.internal.{self.world.cluster}"

    # ---------------------------------------------------------------- clouds

    def _volume(self, called: str) -> str | None:
        return called if called in self.world.volumes else None

    def _numbered(self, number: str) -> str:
        for called, volume in self.world.volumes.items():
            if volume.number == number.removeprefix("vol-") or called == number:
                return called
        raise RefusedError(f"volume {number!r} not found")

    def _aws(self, rest: list[str]) -> str | None:
        text = " ".join(rest)
        if rest[:2] == ["s3", "ls"]:
            today = datetime.now(UTC).date() if self.world.backed_up else "2026-01-01"
            return f"    PRE {today}T00:00:05Z-000041/\n"
        if rest[:2] == ["sts", "get-caller-identity"]:
            return '{"Account": "1"}\n'
        if "describe-volumes" in rest and "--volume-ids" in rest:
            used = self._numbered(_option(rest, "--volume-ids") or "")
            return "in-use\n" if self.world.in_use(used) else "available\n"
        if "describe-volumes" in rest:
            found = re.search(r"Values=(\S*)", text)
            called = self._volume(found[1] if found else "")
            if called is None:
                return "\n"
            return f"vol-{self.world.volumes[called].number}\n"
        if "delete-volume" in rest:
            self.world.delete_volume(self._numbered(_option(rest, "--volume-id") or ""))
            return ""
        return "" if not self.strict else None

    def _gcloud(self, rest: list[str]) -> str | None:
        text = " ".join(rest)
        if rest[:3] == ["compute", "disks", "list"]:
            found = re.search(r"name~'\^d\?([^']*)-etcd-(\w+)-'", text)
            for called in self.world.volumes:
                name, _, etcd = called.partition(".etcd-")
                dashed = name.replace(".", "-")
                if found and (dashed, etcd.partition(".")[0]) == found.groups():
                    return f"https://gce/zones/a/disks/{called}\n"
            return ""
        if rest[:3] == ["compute", "disks", "describe"]:
            called = self._numbered(rest[3].rpartition("/")[2])
            return "instances/x\n" if self.world.in_use(called) else "\n"
        if rest[:3] == ["compute", "disks", "delete"]:
            self.world.delete_volume(self._numbered(rest[3].rpartition("/")[2]))
            return ""
        if rest[:3] == ["compute", "regions", "list"]:
            return "us-east1\n"
        return "" if not self.strict else None

    def _openstack(self, rest: list[str]) -> str | None:
        match rest:
            case ["volume", "show", called, *_]:
                called = self._numbered(called)
                return "in-use\n" if self.world.in_use(called) else "available\n"
            case ["volume", "list", *_]:
                called = self._volume(_option(rest, "--name") or "") or ""
                return f"{called}\n" if called else ""
            case ["volume", "delete", called, *_]:
                self.world.delete_volume(self._numbered(called))
                return ""
            case ["token", *_]:
                return "token\n"
        return "" if not self.strict else None

    def _hcloud(self, rest: list[str]) -> str | None:
        match rest:
            case ["volume", "describe", called, *_]:
                called = self._numbered(called)
                volume = self.world.volumes[called]
                if "json" in " ".join(rest):
                    server = "7" if self.world.in_use(called) else "null"
                    return f'{{"id": {volume.number}, "server": {server}}}\n'
                return f"{volume.number}\n"
            case ["location", "list", *_]:
                return "fsn1\n"
            case ["volume", "list", *_]:
                return "".join(
                    f"{v.number} {c}\n" for c, v in self.world.volumes.items()
                )
            case ["volume", "delete", called, *_]:
                self.world.delete_volume(self._numbered(called))
                return ""
        return "" if not self.strict else None

    def _scw(self, rest: list[str]) -> str | None:
        text = " ".join(rest)
        match rest[2:4]:
            case ["list", *_]:
                part = re.search(r"name=(\S*)", text)
                rows = []
                for called, volume in self.world.volumes.items():
                    if part and part[1] in called:
                        first = f"{called} {volume.number}"
                        back = f"{volume.number} {called}"
                        rows.append(first if ".Name}} {{" in text else back)
                return "".join(f"{row}\n" for row in rows)
            case ["get", number]:
                called = self._numbered(number)
                server = '{"id": "7"}' if self.world.in_use(called) else "null"
                return f'{{"server": {server}}}\n'
            case ["delete", number]:
                self.world.delete_volume(self._numbered(number))
                return ""
        return "" if not self.strict else None

    def _doctl(self, _rest: list[str]) -> str | None:
        return "" if not self.strict else None

    def _az(self, _rest: list[str]) -> str | None:
        return "" if not self.strict else None

    _linode_cli = _virsh = _ssh = _doctl


_PORTS = {"main": 4001, "events": 4002, "cilium": 4003, "leases": 4004}
_VERBS = (
    *("config", "get", "cordon", "uncordon", "drain", "delete", "annotate", "exec"),
    *("wait", "describe", "logs"),
)
_TAKES = (
    *("--name", "--context", "--namespace", "-n", "--selector", "-l", "--output", "-o"),
    *("--endpoints", "--cacert", "--cert", "--key", "--request-timeout", "-f", "-c"),
    *("--command-timeout", "--dial-timeout", "--state", "-w", "--write-out"),
)


def _words(rest: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    found = []
    skip = False
    for word in rest:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _TAKES
        else:
            found.append(word)
    return found


def _option(rest: Sequence[str], name: str) -> str | None:
    for index, word in enumerate(rest):
        if word == name and index + 1 < len(rest):
            return rest[index + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _files(rest: Sequence[str]) -> list[str]:
    return [
        rest[index + 1]
        for index, word in enumerate(rest[:-1])
        if word in ("-f", "--filename")
    ]
