"""The shell functions that reach etcd: how members are listed, and taken out by name.

``etcdctl`` takes the id of a member and no name, reaches one etcd cluster only, and may
fail. So nothing that is printed calls it by itself: these functions are given the
cluster, ask for the id, and succeed only once the member is listed no more. Which
member is to go, and when, is decided elsewhere. All of it runs in bash 3.2 and later,
and but for ``confirm`` in any shell with ``local``.

Where etcdctl and the certificates are has changed with the releases of kops, and the
pod of etcd-manager has had no shell since 2026. So both are read from the pods that
run, and nothing but etcdctl is run in them where that can be.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.kops.clouds import cloud_named

if TYPE_CHECKING:
    from collections.abc import Iterator

# Sources: kops pkg/wellknownports/wellknownports.go for the ports,
# pkg/model/components/etcdmanager/model.go for the pods, where etcdctl is, and the
# DNS suffix, which has the name of the cluster in every release,
# nodeup/pkg/model/kube_apiserver.go and networking/cilium.go for the certificates.
_ASKS = """\
# Tries until it succeeds, for three minutes: a member may still be on its way,
# and behind a load balancer may be an API server whose own member has left.
again() {
  local tries=10
  while :; do
    "$@" && return
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 20
  done
}

# Ends a question that has no answer within so many seconds.
within() (
  limit=$1
  shift
  "$@" < /dev/null &
  asked=$!
  {
    end=$(($(date +%s) + limit))
    while [ "$(date +%s)" -lt "$end" ]; do sleep "$limit"; done
    kill "$asked"
  } > /dev/null 2>&1 &
  timer=$!
  trap 'kill "$timer" 2> /dev/null' EXIT
  wait "$asked"
)

# Whatever changes something takes the time that it takes.
unlimited() { shift; "$@"; }
"""

PORTS = """\
  case $cluster in
    main) port=4001 ;;
    events) port=4002 ;;
    cilium) port=4003 pki=/rootfs/etc/kubernetes/pki/cilium/ client=$client-cilium ;;
    leases) port=4004 ;;
    *) echo "which port has etcd $cluster?" >&2; return 1 ;;
  esac
"""
"""Where each etcd cluster listens, and with which certificates it is asked."""

_ETCD = (
    """
# Chooses the group on whose machine etcd is asked, the first of these that
# answers. The pods there tell where etcdctl and the certificates are, and which
# cluster it is.
via() {
  again any_of "$@" && return
  echo "etcd cannot be asked on the machine of $*" >&2
  return 1
}

any_of() {
  local group
  for group in "$@"; do
    look_up "$group" && return
  done
  return 1
}

look_up() {
  local api pod
  NODE=$(system within get nodes --selector "kops.k8s.io/instancegroup=$1" \\
    --output 'jsonpath={.items[0].metadata.name}') || return 1
  api=$(system within get pod "kube-apiserver-$NODE" --output yaml) || return 1
  pod=$(system within get pod "etcd-manager-main-$NODE" --output yaml) || return 1
  PKI=/rootfs$(echo "$api" | grep -o 'etcd-cafile=[^ ]*/' | tail -n 1 |
    cut -d = -f 2)
  BIN=$(echo "$pod" | grep -o '/opt/etcd-v3[.0-9]*' | sort | tail -n 1)
  case $pod in
    *'mountPath: /opt/etcd-v3'*) BIN=$BIN/usr/local/bin ;;
    */opt/etcd-v3*) ;;
    *) BIN=$(system within exec "etcd-manager-main-$NODE" -- \\
      sh -c 'ls -d /opt/etcd-v3*' | tail -n 1) ;;
  esac
  echo "$pod" | awk -v paths="$PKI $BIN" '
    /internal[.]CLUSTER([^.0-9a-z-]|$)/ { found = 1 }
    END { exit found && paths ~ "^/rootfs/.* /opt/etcd-v3" ? 0 : 1 }' && return
  echo "etcdctl of the cluster is not found by context $CONTEXT" >&2
  return 1
}

# Asks something of one etcd cluster, with etcdctl.
etcd() { etcdctl_in within "$@"; }

etcdctl_in() {
  local how=$1 cluster=$2 port pki=$PKI client=etcd-client
  shift 2
"""
    + PORTS
    + """\
  system "$how" exec "etcd-manager-$cluster-$NODE" -- \\
    "$BIN/etcdctl" --endpoints "https://127.0.0.1:$port" \\
    --cacert "${pki}etcd-ca.crt" --cert "$pki$client.crt" \\
    --key "$pki$client.key" "$@"
}

system() {
  local how=$1
  shift
  "$how" 60 kubectl --context "$CONTEXT" --namespace kube-system "$@"
}
"""
)

# Sources: kops pkg/model/components/etcdmanager/model.go, which calls the etcd
# clusters etcd, etcd-events and so on, and etcd-manager pkg/volumes/aws/volumes.go,
# which puts that and a hyphen before the member's name.
_CALLED = """\
# Prints what etcd calls members of the spec.
called() {
  local front=etcd-$1-
  [ "$1" != main ] || front=etcd-
  shift
  printf "$front%s\\n" "$@"
}
"""

# On these clouds etcd calls a member by its volume. Sources: etcd-manager pkg/volumes,
# ``EtcdName`` of each cloud; kops pkg/model/master_volumes.go for the volume's name.
_CALLED_BY_VOLUME = """\
# Prints what etcd calls members of the spec: in this cloud, their volumes.
called() {
  local id name cluster=$1
  shift
  for name in "$@"; do
    id=$(within 60 FIND | grep -Ex '[0-9a-f-]+' | sort -u)
    echo "vol-${id:?no volume of $name is found}"
  done
}
"""

# Kops cuts a volume's name on DigitalOcean (``addDOVolume``).
_CALLED_ON_DIGITALOCEAN = """\
# Prints what etcd calls members of the spec: in this cloud, their volumes.
called() {
  local name cluster=$1
  shift
  for name in "$@"; do
    echo "kops-$name.etcd-$cluster."CLUSTER | tr . - | cut -c 1-64
  done
}
"""

_REMOVE = """\
# Prints the id of a member in an etcd cluster.
member_id() {
  local name
  name=$(called "$2" "$1")
  etcd "$2" member list |
    awk -F ', ' -v name="${name:-nobody}" '$3 == name { print $1 }'
}

# Whether a member is listed no more, and these others are. One that has not
# started has no name, and may be anybody.
gone() {
  local cluster=$1 name list others
  name=$(called "$1" "$2") || return 1
  shift 2
  others=$(for_each "$cluster" "$@") || return 1
  list=$(etcd "$cluster" member list) || return 1
  { echo "$others"; echo "$list"; } | awk -F ', ' -v name="$name" '
    NF == 1 { missing[$1] = 1 }
    NF == 6 { listed++; delete missing[$3] }
    $3 == name || $2 == "unstarted" { found = 1 }
    END {
      for (other in missing) found = 1
      exit name != "" && listed && found == 0 ? 0 : 1
    }'
}

for_each() {
  local cluster=$1
  shift
  [ $# -eq 0 ] || called "$cluster" "$@"
}

# Takes a member out of one etcd cluster; fails unless it is listed no more.
remove() {
  again leave "$@" && return
  echo "$2 is still in etcd $1: what relies on its removal is not run" >&2
  return 1
}

leave() {
  etcdctl_in unlimited "$1" member remove "$(member_id "$2" "$1")"
  gone "$@"
}
"""

_CONFIRM = """
# Fails unless these members are in an etcd cluster within three minutes, all of
# them started, voting and healthy. Those behind -- may be there or not, and
# nobody else may.
confirm() {
  again holds "$@" && return
  echo "etcd $1 does not have these members, all healthy: ${*:2}" >&2
  return 1
}

holds() {
  local cluster=$1 health list wanted
  shift
  wanted=$(expected "$cluster" "$@")
  health=$(etcd "$cluster" endpoint health --cluster 2>&1) || return 1
  list=$(etcd "$cluster" member list) || return 1
  echo "$list"
  { echo "$health" | grep ' is healthy'; echo "$wanted"; echo "$list"; } | awk -F ', ' '
    { sub(/\\r$/, "") }
    / is healthy/ { sub(/ .*/, ""); healthy[$0] = 1; next }
    $1 == "--" { some = 1; next }
    NF == 1 && some { may[$1] = 1; next }
    NF == 1 { must[$1] = 1; wanted++; next }
    NF { listed++; split($5, url, ",") }
    must[$3] && $2 == "started" && $6 == "false" && healthy[url[1]] { found++ }
    may[$3] { more++ }
    END { exit wanted && found == wanted && listed == found + more ? 0 : 1 }'
}

expected() {
  local cluster=$1 some=''
  while shift && [ $# -gt 0 ]; do
    case $1 in
      --) some=yes && echo -- ;;
      *) called "$cluster" "$1" || [ "$some" ] || echo "nobody-for-$1" ;;
    esac
  done
}
"""

_RUNS = """\
# Fails unless each of these members runs a release of etcd, or a later one,
# within three minutes.
runs() {
  again all_run "$@" && return
  echo "etcd $1 does not run $2 or later in each of these members: ${*:3}" >&2
  return 1
}

all_run() {
  local cluster=$1 least=$2 list status wanted
  shift 2
  wanted=$(called "$cluster" "$@") || return 1
  list=$(etcd "$cluster" member list) || return 1
  status=$(etcd "$cluster" endpoint status --cluster) || return 1
  { echo "$wanted"; echo "$list"; echo "$status"; } | awk -F ', ' -v least="$least" '
    function number(release, part) {
      split(release, part, /[.-]/)
      return part[1] * 1000000 + part[2] * 1000 + part[3]
    }
    { sub(/\\r$/, "") }
    NF == 1 { must[$1] = 1; wanted++; next }
    NF == 6 { split($5, url, ","); name[url[1]] = $3; next }
    must[name[$1]] { print name[$1] " runs etcd " $3 }
    must[name[$1]] && number($3) >= number(least) && !seen[$1]++ { found++ }
    END { exit wanted && found == wanted ? 0 : 1 }'
}
"""


FUNCTIONS = frozenset(
    {
        "again",
        "any_of",
        "called",
        "etcd",
        "etcdctl_in",
        "for_each",
        "gone",
        "leave",
        "look_up",
    }
    | {"member_id", "remove", "system", "unlimited", "via", "within"}
)
"""The names of the functions."""


def context_lines(cluster: str) -> Iterator[str]:
    """The lines that keep kubectl from speaking to another cluster."""
    yield "# The context that kops export kubeconfig makes; change it if yours differs."
    yield f"CONTEXT={quote(cluster)}"


def etcd_functions(
    cluster: str, cloud: str | None, *, confirm: bool = False
) -> Iterator[str]:
    """The lines that define ``etcd`` and ``remove``, and ``confirm`` where asked for.

    They need ``CONTEXT``, and ``via`` to be called first.
    """
    # A name comes from a spec, and this one is put between quotes.
    pattern = re.sub(r"[^\w-]", "[.]", cluster, flags=re.ASCII)
    text = _ASKS + _ETCD.replace("CLUSTER", pattern)
    text += "\n" + _called(cluster, cloud)
    text += "\n" + _REMOVE + (_CONFIRM if confirm else "")
    yield from text.rstrip("\n").split("\n")


def asking_functions(
    cluster: str, cloud: str | None, *, confirm: bool = False
) -> Iterator[str]:
    """The lines that define ``look_up`` and ``etcd``, and nothing that changes etcd.

    They define ``confirm`` as well where asked for.
    """
    pattern = re.sub(r"[^\w-]", "[.]", cluster, flags=re.ASCII)
    text = _ASKS + _ETCD.replace("CLUSTER", pattern) + "\n" + _called(cluster, cloud)
    text += _CONFIRM if confirm else ""
    yield from text.rstrip("\n").split("\n")


def release_functions() -> Iterator[str]:
    """The lines that define ``runs``, which asks every member for its release."""
    yield from _RUNS.rstrip("\n").split("\n")


def patient_functions() -> Iterator[str]:
    """The lines that define ``again`` and ``within``, where etcd is not asked."""
    yield from _ASKS.rstrip("\n").split("\n")


def _called(cluster: str, cloud: str | None) -> str:
    known = cloud_named(cloud)
    if known is not None and known.members_are == "volume names":
        return _CALLED_ON_DIGITALOCEAN.replace("CLUSTER", quote(cluster))
    if known is not None and known.find_volume is not None:
        name = f'"$name.etcd-$cluster."{quote(cluster)}'
        find = known.find_volume.format(name=name)
        return _CALLED_BY_VOLUME.replace("FIND", find)
    return _CALLED
