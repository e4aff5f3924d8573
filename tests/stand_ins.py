"""A cluster that only exists in files, and the programs that ask it.

``kops``, ``kubectl`` and ``aws`` are functions of bash, read before a script starts, so
that a run takes no more than a fraction of a second. They know the members of every
etcd cluster and the groups, and change nothing: a call that would is not known to them.
A fault may be put at any call: it is refused, answered with nothing, or by another
cluster.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from kopslint.kops.decode import read_fleet
from kopslint.text import Source
from verify.runbooks.shells import Ran

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
    "validate cluster") echo "Your cluster CLUSTER is ready" ;;
    *) echo "kops: unknown $*" >&2; exit 9 ;;
  esac
)

aws() (
  cd "$HOME_OF_STATE" || exit 9
  fault
  [ -z "$fault" ] || { echo "aws: refused" >&2; exit 1; }
  echo "aws $*" >> asked
  case "$*" in
    *"s3 cp "*/control/etcd-cluster-spec*)
      all="$*"; etcd=${all#*backups/etcd/}; etcd=${etcd%%/*}
      echo "{\"memberCount\": $(grep -c '' "etcd-$etcd")}" ;;
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
      esac ;;
    *) echo "kubectl: unknown $*" >&2; exit 9 ;;
  esac
)
export HISTFILE=
"""


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
        for name in ("asked", "dead"):
            self._write(name, [])
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
    def asked(self) -> list[str]:
        """Every call of kops and kubectl, whatever it did."""
        return self._read("asked")

    def kill(self, *members: str) -> None:
        """Let members of every etcd cluster be dead from now on."""
        self._write("dead", (f"etcd {member}" for member in members))


def _members(name: str, text: str) -> list[tuple[str, str, str]]:
    """Etcd cluster, member and group of a spec."""
    ((_, manifest),) = read_fleet((Source(name, text),)).manifests.items()
    return [
        (etcd.name, member.name, member.group or "")
        for etcd in manifest.etcd_clusters
        for member in etcd.members
    ]
