"""A cluster that only exists in files, and the programs that speak to it.

``kops`` and ``kubectl`` are functions of bash, read before a script or an interactive
shell starts, so that a run takes no more than a fraction of a second. They keep the
members of every etcd cluster, the groups of the state store and the machines, and a
fault may be put at any call: it is refused, answered with nothing, or by another
cluster. What must never be is written down as it happens: a group that is deleted
while a member of its machine is listed.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from kopslint.kops.decode import read_fleet
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FAULTS = ("refuse", "nothing", "other")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "AWS_REGION": "eu-central-1", "LC_ALL": "C"}

PROGRAMS = r"""
HOME_OF_STATE=FOLDER
fault() {
  local n first last kind
  read -r n < calls
  n=$((n + 1))
  echo "$n" > calls
  read -r first last kind < fault
  fault=''
  [ "$n" -lt "$first" ] || [ "$n" -gt "$last" ] || fault=$kind
}

etcd_name() {
  case $1 in
    main) echo "etcd-$2" ;;
    *) echo "etcd-$1-$2" ;;
  esac
}

# The port of an etcd cluster: 400 begins that of clients, 238 that of peers.
port() {
  local n=0
  case $1 in events) n=1 ;; cilium) n=2 ;; leases) n=3 ;; esac
  [ "$2" = 238 ] || n=$((n + 1))
  echo "$2$n"
}

at() { echo "https://$1.internal.CLUSTER:$(port "$2" "$3")"; }

sleep() { :; }
etcdctl() { echo "etcdctl: no endpoint" >&2; return 1; }

kops() (
  cd "$HOME_OF_STATE" || exit 9
  fault
  [ -z "$fault" ] || { echo "kops: refused" >&2; exit 1; }
  echo "kops $*" >> log
  echo "kops $*" >> asked
  case "$1 $2" in
    "version ") echo "Client version: 1.36.0 (git-v1.36.0)" ;;
    "get instances")
      printf '%s\t' ID NODE-NAME STATUS ROLES INSTANCE-GROUP | expand -t 40
      echo MACHINE-TYPE
      while read -r group; do
        printf '%s\t%s\tUpToDate\tcontrol-plane\t%s\tm5.large\n' \
          "i-$group" "node-of-$group" "$group.masters.CLUSTER" | expand -t 40
      done < groups ;;
    "get cluster") echo "NAME"; echo CLUSTER ;;
    "get ig") echo "NAME ROLE"; sed 's/$/ ControlPlane/' groups ;;
    "delete ig" | "delete instancegroup")
      grep -qx -- "$3" groups || { echo "no $3" >&2; exit 1; }
      while read -r etcd member group; do
        [ "$group" = "$3" ] || continue
        if grep -q -- " $(etcd_name "$etcd" "$member")$" "etcd-$etcd"; then
          echo "$3 was deleted while $member of $etcd was listed" >> wrong
        fi
      done < known
      grep -vx -- "$3" groups > new; mv new groups ;;
    "replace "*)
      file=${*: -1}; file=${file##*/}
      cp "spec-$file" stored || exit 1
      while read -r etcd member group; do
        grep -qx -- "$group" groups || echo "$group" >> groups
      done < stored ;;
    "edit cluster") cp "spec-after.yaml" stored ;;
    "update cluster")
      case "$*" in *--yes*) ;; *) exit 0 ;; esac
      while read -r group; do
        grep -q -- " $group$" stored || { echo "$group has no member" >&2; exit 1; }
      done < groups
      while read -r etcd member group; do
        name=$(etcd_name "$etcd" "$member")
        grep -qx -- "$group" groups || { echo "no group $group" >&2; exit 1; }
        grep -q -- " $name$" "etcd-$etcd" ||
          echo "$(cksum <<< "$etcd$member" | cut -d ' ' -f 1) $name" >> "etcd-$etcd"
      done < stored ;;
    "validate cluster") echo "Your cluster CLUSTER is ready" ;;
    "rolling-update cluster" | "reconcile cluster") ;;
    *) echo "kops: unknown $*" >&2; exit 9 ;;
  esac
)

aws() (
  cd "$HOME_OF_STATE" || exit 9
  fault
  [ -z "$fault" ] || { echo "aws: refused" >&2; exit 1; }
  echo "aws $*" >> log
  echo "aws $*" >> asked
  case "$*" in
    *"s3 cp "*/control/etcd-cluster-spec*)
      all="$*"; etcd=${all#*backups/etcd/}; etcd=${etcd%%/*}
      echo "{\"memberCount\": $(grep -c '' "etcd-$etcd")}" ;;
    *describe-volumes*)
      all="$*"; name=${all#*Values=}; name=${name%% *}
      grep -qx -- "$name" volumes && echo "vol-$name" || true ;;
    *"delete-volume"*)
      name=${*: -1}; name=${name#vol-}
      grep -qx -- "$name" volumes || exit 1
      grep -vx -- "$name" volumes > new; mv new volumes ;;
  esac
)

kubectl() (
  cd "$HOME_OF_STATE" || exit 9
  here=CLUSTER extra=''
  fault
  case $fault in
    "") ;;
    nothing) exit 0 ;;
    other) here=other.example.com extra=yes ;;
    *) echo "kubectl: refused" >&2; exit 1 ;;
  esac
  [ "$1" != --request-timeout ] || shift 2
  if [ "$1" = --context ]; then
    [ "$2" = CLUSTER ] || { echo "context: $*" >&2; exit 9; }
    shift 2
  fi
  all="$*"
  echo "kubectl $*" >> asked
  case "$*" in
    *"get nodes --show-labels"*)
      printf '%-32s%-10s%-16s%-6s%-10s%s\n' NAME STATUS ROLES AGE VERSION LABELS
      while read -r group; do
        printf '%-32s%-10s%-16s%-6s%-10s%s\n' "node-of-$group" Ready control-plane \
          9d v1.33.5 "kops.k8s.io/instancegroup=$group"
      done < groups ;;
    *"get pods"*)
      printf '%-48s%-8s%-10s%-10s%s\n' NAME READY STATUS RESTARTS AGE
      while read -r etcd member group; do
        grep -qx -- "$group" groups || continue
        printf '%-48s%-8s%-10s%-10s%s\n' "etcd-manager-$etcd-node-of-$group" 1/1 \
          Running 0 9d
      done < known ;;
    *"get nodes"*)
      group=${all#*instancegroup=}; group=${group%% *}
      grep -qx -- "$group" groups || exit 1
      echo "node-of-$group" ;;
    *"get pod kube-apiserver"*)
      echo "- --etcd-cafile=/srv/kubernetes/kube-apiserver/etcd-ca.crt" ;;
    *"get pod etcd-manager"*)
      echo "- mkfifo x; /etcd-manager --dns-suffix=.internal.$here --v=6"
      echo "  mountPath: /opt/etcd-v3.6.6" ;;
    *"cordon"* | *"drain"*) ;;
    *"/opt/etcd-v3.6.6/usr/local/bin/etcdctl --endpoints"* | *" -- etcdctl "*)
      pod=${all#*etcd-manager-}; etcd=${pod%%-*}
      group=${all#*-node-of-}; group=${group%% *}
      while read -r of member its; do
        [ "$its" != "$group" ] || ! grep -qx -- "etcd ${member##*-}" dead ||
          { echo "error: unable to upgrade connection" >&2; exit 1; }
      done < known
      case "$*" in
        *"endpoint health"*)
          while read -r id name; do
            if grep -q -- " ${name##*-}\$" dead 2> /dev/null; then
              echo "$(at "$name" "$etcd" 400) is unhealthy: failed to commit" \
                "proposal: context deadline exceeded"
            else
              echo "$(at "$name" "$etcd" 400) is healthy: successfully committed" \
                "proposal: took = 9.7ms"
            fi
          done < "etcd-$etcd" ;;
        *"endpoint status"*)
          group=${all#*"etcd-manager-$etcd-node-of-"}; group=${group%% *}
          while read -r of member its; do
            [ "$of $its" = "$etcd $group" ] || continue
            id=$(grep " $(etcd_name "$etcd" "$member")\$" "etcd-$etcd") || exit 1
            echo "https://127.0.0.1:$(port "$etcd" 400), ${id%% *}, 3.6.6, 63 MB," \
              "false, false, 7, 991, 991, "
          done < known ;;
        *"alarm list"*) ;;
        *"member list"*)
          [ -z "$extra" ] || { echo "9, started, etcd-else, h, h, false"; exit; }
          while read -r id name; do
            echo "$id, started, $name, $(at "$name" "$etcd" 238)," \
              "$(at "$name" "$etcd" 400), false"
          done < "etcd-$etcd" ;;
        *"member remove"*)
          [ -z "$extra" ] || exit 1
          id=${*: -1}
          grep -q "^$id " "etcd-$etcd" || { echo "not found" >&2; exit 1; }
          echo "remove $etcd $id" >> log
          grep -v "^$id " "etcd-$etcd" > new; mv new "etcd-$etcd" ;;
      esac ;;
    *) echo "kubectl: unknown $*" >&2; exit 9 ;;
  esac
)
export HISTFILE=
"""


class Ran(NamedTuple):
    """How a script ended, what it said, and how many calls it made."""

    status: int
    output: str
    calls: int


class StandIns:
    """The pretended cluster of two specs, in a folder of its own."""

    def __init__(self, folder: Path, specs: dict[str, str], cluster: str) -> None:
        """``specs`` are texts by file name; the cluster starts as ``before.yaml``."""
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        self.programs = folder / "programs.sh"
        text = PROGRAMS.replace("FOLDER", str(self.state))
        text = text.replace("CLUSTER", cluster)
        self.programs.write_text(text, encoding="utf-8")
        self.specs = {name: _members(name, text) for name, text in specs.items()}
        for name, members in self.specs.items():
            self._write(f"spec-{name}", (" ".join(member) for member in members))
        self.reset()

    def _write(self, name: str, lines: Iterable[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        (self.state / name).write_text(text, encoding="utf-8")

    def _read(self, name: str) -> list[str]:
        path = self.state / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def reset(self) -> None:
        """The cluster as the spec before has it, and no fault."""
        before = self.specs["before.yaml"]
        everyone = dict.fromkeys(m for members in self.specs.values() for m in members)
        self._write("known", (" ".join(member) for member in everyone))
        self._write("groups", dict.fromkeys(group for *_, group in before))
        for etcd in dict.fromkeys(etcd for etcd, *_ in everyone):
            names = [name for cluster, name, _ in before if cluster == etcd]
            front = "etcd-" if etcd == "main" else f"etcd-{etcd}-"
            self._write(
                f"etcd-{etcd}",
                (
                    f"{n + 1}{etcd.encode().hex()} {front}{name}"
                    for n, name in enumerate(names)
                ),
            )
        self._write("volumes", [])
        for name in ("wrong", "log", "asked", "dead"):
            self._write(name, [])
        self._write("stored", (" ".join(member) for member in before))
        self.break_at(None)

    def break_at(
        self, call: int | None, kind: str = "refuse", *, once: bool = False
    ) -> None:
        """From this call on, counted from 1, everything fails; or only that one."""
        last = call if once else 10**9
        line = f"{call} {last} {kind}" if call is not None else f"{10**9} 0 none"
        self._write("fault", [line])
        self._write("calls", ["0"])

    def run(self, script: str, *arguments: str) -> Ran:
        """Run a script as a file, beside the specs."""
        path = self.folder / "run.sh"
        path.write_text(script, encoding="utf-8")
        return self._ran(["bash", str(path), *arguments], "", self.folder.parent)

    def paste(self, text: str) -> Ran:
        """Paste a text into a shell that was started in a shell, line by line."""
        shell = ["bash", "--noprofile", "--rcfile", str(self.programs), "-i"]
        return self._ran(shell, f"{' '.join(shell)}\n{text}", self.folder)

    def _ran(self, command: list[str], text: str, folder: Path) -> Ran:
        done = subprocess.run(
            command,
            input=text,
            cwd=folder,
            env={**ENVIRONMENT, "BASH_ENV": str(self.programs)},
            encoding="utf-8",
            errors="replace",
            capture_output=True,
            timeout=60,
            check=False,
        )
        calls = int(self._read("calls")[0])
        return Ran(done.returncode, done.stdout + done.stderr, calls)

    @property
    def wrong(self) -> list[str]:
        """Every deletion of a group whose member was listed."""
        return self._read("wrong")

    @property
    def log(self) -> list[str]:
        """What was done."""
        return self._read("log")

    @property
    def asked(self) -> list[str]:
        """Every call of kops and kubectl, whatever it did."""
        return self._read("asked")

    def kill(self, *members: str) -> None:
        """Let members of every etcd cluster be dead from now on."""
        self._write("dead", (f"etcd {member}" for member in members))

    @property
    def members(self) -> dict[str, set[str]]:
        """What every etcd cluster lists."""
        return {
            path.name.removeprefix("etcd-"): {
                line.split()[1] for line in self._read(path.name)
            }
            for path in self.state.glob("etcd-*")
        }

    def arrived(self) -> bool:
        """Whether members and groups are those of the spec after."""
        after = self.specs["after.yaml"]
        wanted: dict[str, set[str]] = {name: set() for name in self.members}
        for etcd, name, _ in after:
            front = "etcd-" if etcd == "main" else f"etcd-{etcd}-"
            wanted[etcd].add(front + name)
        groups = {group for *_, group in after}
        return self.members == wanted and {*self._read("groups")} == groups


def _members(name: str, text: str) -> list[tuple[str, str, str]]:
    """Etcd cluster, member and group of a spec."""
    ((_, manifest),) = read_fleet((Source(name, text),)).manifests.items()
    return [
        (etcd.name, member.name, member.group or "")
        for etcd in manifest.etcd_clusters
        for member in etcd.members
    ]
