"""What a runbook's script needs to ask etcd: the functions that reach a machine's etcd.

Where etcdctl and the certificates are has changed with the releases of kops, and the
pod of etcd-manager has had no shell since 2026. So both are read from the pods that
run, and nothing but etcdctl is run in them. Which steps ask etcd is decided elsewhere.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.kops.clouds import CALLED_BY_VOLUME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.plan.runbook import Runbook

# Sources: kops pkg/wellknownports/wellknownports.go for the ports,
# pkg/model/components/etcdmanager/model.go for the pods and where etcdctl is,
# nodeup/pkg/model/kube_apiserver.go and networking/cilium.go for the certificates.
_ETCD = """\
# Chooses the machine of a group to ask etcd through. The pods that run there
# tell where etcdctl and the certificates are.
via() {
  NODE=$(kubectl get nodes --selector "kops.k8s.io/instancegroup=$1" \\
    --output 'jsonpath={.items[0].metadata.name}')
  PKI=$(kubectl --namespace kube-system get pod "kube-apiserver-$NODE" \\
    --output yaml | grep -o 'etcd-cafile=[^ ]*/' | tail -n 1)
  BIN=$(kubectl --namespace kube-system get pod "etcd-manager-main-$NODE" \\
    --output yaml | grep -o '/opt/etcd-v3[.0-9]*' | sort | tail -n 1) ||
    BIN=$(kubectl --namespace kube-system exec "etcd-manager-main-$NODE" -- \\
      sh -c 'ls -d /opt/etcd-v3*' | tail -n 1)
  kubectl --namespace kube-system exec "etcd-manager-main-$NODE" -- \\
    "$BIN/etcdctl" version > /dev/null 2>&1 || BIN+=/usr/local/bin
}

# Runs etcdctl in one etcd cluster.
etcd() {
  local cluster=$1 port pki=/rootfs${PKI#*=} client=etcd-client
  shift
  case $cluster in
    main) port=4001 ;;
    events) port=4002 ;;
    cilium) port=4003 pki=/rootfs/etc/kubernetes/pki/cilium/ client+=-cilium ;;
    leases) port=4004 ;;
    *) echo "which port has etcd $cluster?" >&2; return 1 ;;
  esac
  kubectl --namespace kube-system exec "etcd-manager-$cluster-$NODE" -- \\
    "$BIN/etcdctl" --endpoints "https://127.0.0.1:$port" \\
    --cacert "${pki}etcd-ca.crt" --cert "$pki$client.crt" \\
    --key "$pki$client.key" "$@"
}

"""

_BY_NAME = """\
# Prints the id of a member. Etcd calls it as the spec does, with the name of
# the etcd cluster in front.
member_id() {
  local name=etcd-$1-$2
  [ "$1" != main ] || name=etcd-$2
  etcd "$1" member list |
    awk -F ', ' -v name="$name" '$3 == name { print $1 }'
}
"""

_BY_MACHINE = """\
# Prints the id of the member on the machine of a group: in this cloud etcd calls
# a member by its volume, and the name in the spec is only for people.
member_id() {
  via "$3"
  etcd "$1" endpoint status | awk -F ', ' '{ print $2 }'
}
"""

_CONFIRM = """
# Shows the members of an etcd cluster, and whether there are so many, all of
# them started and healthy.
holds() {
  etcd "$1" endpoint health --cluster &&
    etcd "$1" member list | awk -F ', ' -v wanted="$2" '
      { print }
      $2 == "started" { started++ }
      END { exit !(NR == wanted && started == wanted) }'
}

# Ends the script unless that holds, now or in two minutes: a member may still
# be on its way, and an API server whose own member has left does not answer.
confirm() {
  holds "$@" || { sleep 120; holds "$@"; }
}
"""


def kubectl_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that keep kubectl from speaking to another cluster."""
    yield ""
    yield "# The context that kops export kubeconfig makes; change it if yours differs."
    yield f"CONTEXT={quote(runbook.cluster)}"
    yield 'kubectl() { command kubectl --context "$CONTEXT" "$@"; }'


def etcd_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define ``etcd``, ``member_id`` and ``confirm``."""
    member_id = _BY_MACHINE if runbook.cloud in CALLED_BY_VOLUME else _BY_NAME
    yield ""
    yield from (_ETCD + member_id + _CONFIRM).rstrip("\n").split("\n")
