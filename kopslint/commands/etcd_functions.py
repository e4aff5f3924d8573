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
_ETCD = """\
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

# Chooses the group on whose machine etcd is asked. The pods there tell where
# etcdctl and the certificates are, and which cluster it is.
via() {
  again look_up "$1" && return
  echo "etcd cannot be asked on the machine of $1" >&2
  return 1
}

look_up() {
  local api pod
  NODE=$(system get nodes --selector "kops.k8s.io/instancegroup=$1" \\
    --output 'jsonpath={.items[0].metadata.name}') || return 1
  api=$(system get pod "kube-apiserver-$NODE" --output yaml) || return 1
  pod=$(system get pod "etcd-manager-main-$NODE" --output yaml) || return 1
  PKI=/rootfs$(echo "$api" | grep -o 'etcd-cafile=[^ ]*/' | tail -n 1 |
    cut -d = -f 2)
  BIN=$(echo "$pod" | grep -o '/opt/etcd-v3[.0-9]*' | sort | tail -n 1)
  case $pod in
    *'mountPath: /opt/etcd-v3'*) BIN=$BIN/usr/local/bin ;;
    */opt/etcd-v3*) ;;
    *) BIN=$(system exec "etcd-manager-main-$NODE" -- \\
      sh -c 'ls -d /opt/etcd-v3*' | tail -n 1) ;;
  esac
  echo "$pod" | awk '
    /internal[.]CLUSTER([^.0-9a-z-]|$)/ { found = 1 }
    END { exit found ? 0 : 1 }' && return
  echo "context $CONTEXT does not lead to the cluster that this is for" >&2
  return 1
}

# Runs etcdctl in one etcd cluster.
etcd() {
  local cluster=$1 port pki=$PKI client=etcd-client
  shift
  case $cluster in
    main) port=4001 ;;
    events) port=4002 ;;
    cilium) port=4003 pki=/rootfs/etc/kubernetes/pki/cilium/ client=$client-cilium ;;
    leases) port=4004 ;;
    *) echo "which port has etcd $cluster?" >&2; return 1 ;;
  esac
  system exec "etcd-manager-$cluster-$NODE" -- \\
    "$BIN/etcdctl" --endpoints "https://127.0.0.1:$port" \\
    --cacert "${pki}etcd-ca.crt" --cert "$pki$client.crt" \\
    --key "$pki$client.key" "$@"
}

system() { within 60 kubectl --context "$CONTEXT" --namespace kube-system "$@"; }

# Ends a question that has no answer within so many seconds.
within() (
  limit=$1
  shift
  "$@" < /dev/null &
  asked=$!
  { sleep "$limit"; kill "$asked"; } > /dev/null 2>&1 &
  timer=$!
  trap 'kill "$timer" 2> /dev/null' EXIT
  wait "$asked"
)
"""

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
    id=$(FIND)
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
    name=kops-$name.etcd-$cluster.CLUSTER
    echo "$name" | tr . - | cut -c 1-64
  done
}
"""

_REMOVE = """\
# Prints the id of a member in an etcd cluster.
member_id() {
  local name
  name=$(called "$2" "$1")
  etcd "$2" member list |
    awk -F ', ' -v name="$name" '$3 == name { print $1 }'
}

# Whether a member is listed no more.
gone() {
  local name list
  name=$(called "$1" "$2") || return 1
  list=$(etcd "$1" member list) || return 1
  echo "$list" | awk -F ', ' -v name="$name" '
    NF > 1 { listed++ }
    $3 == name { found = 1 }
    END { exit name != "" && listed && found == 0 ? 0 : 1 }'
}

# Takes a member out of one etcd cluster; fails unless it is listed no more.
remove() {
  etcd "$1" member remove "$(member_id "$2" "$1")"
  again gone "$1" "$2" && return
  echo "$2 is still in etcd $1: what relies on its removal is not run" >&2
  return 1
}
"""

_CONFIRM = """
# Fails unless exactly these members are in an etcd cluster within three minutes,
# all of them started, voting and healthy.
confirm() { confirm_without "$1" '' "${@:2}"; }

# The same but for the member that is named first: it may be there or not.
confirm_without() {
  again holds "$@" && return
  echo "etcd $1 does not have these members, all healthy: ${*:3}" >&2
  return 1
}

holds() {
  local cluster=$1 leaver=$2 list wanted
  shift 2
  list=$(etcd "$cluster" endpoint health --cluster >&2 &&
    etcd "$cluster" member list) || return 1
  echo "$list"
  [ -z "$leaver" ] || leaver=$(called "$cluster" "$leaver") || return 1
  wanted=$(called "$cluster" "$@") || return 1
  { echo "$list" && echo "$wanted"; } | awk -F ', ' -v leaver="$leaver" '
    NF > 1 && $3 != leaver { listed++; votes[$3] = $2 == "started" && $6 != "true" }
    NF == 1 { wanted++; missing += votes[$1] ? 0 : 1 }
    END { exit wanted && wanted == listed && missing == 0 ? 0 : 1 }'
}
"""


FUNCTIONS = frozenset(
    {"again", "called", "etcd", "gone", "look_up", "member_id", "remove", "system"}
    | {"via"}
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
    text = _ETCD.replace("CLUSTER", pattern)
    text += "\n" + _called(cluster, cloud)
    text += "\n" + _REMOVE + (_CONFIRM if confirm else "")
    yield from text.rstrip("\n").split("\n")


def asking_functions(cluster: str, cloud: str | None) -> Iterator[str]:
    """The lines that define ``look_up`` and ``etcd``, and nothing that changes etcd."""
    pattern = re.sub(r"[^\w-]", "[.]", cluster, flags=re.ASCII)
    text = _ETCD.replace("CLUSTER", pattern) + "\n" + _called(cluster, cloud)
    yield from text.rstrip("\n").split("\n")


def _called(cluster: str, cloud: str | None) -> str:
    known = cloud_named(cloud)
    if known is not None and known.members_are == "volume names":
        return _CALLED_ON_DIGITALOCEAN.replace("CLUSTER", quote(cluster))
    if known is not None and known.find_volume is not None:
        name = f'"$name.etcd-$cluster."{quote(cluster)}'
        find = known.find_volume.format(name=name)
        return _CALLED_BY_VOLUME.replace("FIND", find)
    return _CALLED
