"""``kopslint observe``: a script that collects what ``--observed`` reads.

The script only reads: it lists, gets, validates and asks etcd, each call bounded in
time. It is for one cluster, by name, and finds out whether the context leads there. All
of it runs in bash 3.2 and later. Nothing of it is run here.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.commands.etcd_functions import PORTS, asking_functions, context_lines
from kopslint.errors import InputError, NothingCheckedError, UsageError
from kopslint.kops.clouds import cloud_named
from kopslint.kops.state_store import backup_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.kops.spec import Manifest

_HEAD = """\
#!/usr/bin/env bash
# NAME: collects what can be seen of its control plane.
# It reads and changes nothing. Start it as `bash observe.sh [FOLDER]`; what it finds
# is written into the folder, by default observed, for kopslint to read:
#   kopslint check SPEC --observed observed
# Where the API does not answer, copy it to each control-plane machine, start it there
# as root as `bash observe.sh here`, and bring the folders back into one.
"""

_TAKE = """\
# Runs a command for at most so many seconds, and ends all that it started.
LIMIT=60
set -m
bounded() {
  local end=$((SECONDS + LIMIT)) child
  "$@" < /dev/null &
  child=$!
  while kill -0 "$child" 2> /dev/null; do
    [ "$SECONDS" -lt "$end" ] || { echo "stopped after $LIMIT seconds"; break; }
    sleep 0.2
  done
  kill -- "-$child" 2> /dev/null
  wait "$child" 2> /dev/null
}

# Writes into a file when and how it was asked, and what came of it.
# take FILE TITLE COMMAND...: the title says it as it can be read again.
take() {
  local file=$FOLDER/$1 title=$2 status
  shift 2
  {
    echo "# taken $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "# cluster $CLUSTER"
    echo "\\$ $title"
    bounded "$@" 2>&1
    status=$?
    echo "# exit $status"
  } > "$file"
  echo "$file" >&2
  grep -q '^# exit 0$' "$file"
}

# Asks one etcd cluster on one machine everything, with a function that runs etcdctl.
ask() {
  local asking=$1 cluster=$2 call
  call="kubectl exec etcd-manager-$cluster-$NODE -- etcdctl"
  take "$cluster-$NODE-members.txt" "$call member list" \\
    "$asking" "$cluster" member list --write-out fields ||
    take "$cluster-$NODE-members.txt" "$call member list --consistency s" \\
      "$asking" "$cluster" member list --consistency s --write-out fields ||
    [ "$asking" = etcd ] ||
    take "$cluster-$NODE-members.txt" "$call member list --write-out json" \\
      list_here "$cluster"
  take "$cluster-$NODE-status.txt" "$call endpoint status" \\
    "$asking" "$cluster" endpoint status --write-out fields
  take "$cluster-$NODE-health.txt" "$call endpoint health --cluster" \\
    "$asking" "$cluster" endpoint health --cluster
  take "$cluster-$NODE-alarms.txt" "$call alarm list" \\
    "$asking" "$cluster" alarm list
}
"""

# Without quorum only etcd itself tells its list: etcdctl 3.5 cannot ask for that.
# Source: etcd api/etcdserverpb/rpc.proto, MemberListRequest, and its JSON gateway.
_LIST = (
    """\
# Prints the members as etcd on this machine has them, without asking the others.
list_here() {
  local cluster=$1 port pki=${PKI#/rootfs} client=etcd-client
"""
    + PORTS
    + """\
  curl --silent --show-error --fail --max-time 20 --cacert "${pki}etcd-ca.crt" \\
    --cert "$pki$client.crt" --key "$pki$client.key" \\
    --data '{"linearizable": false}' "https://127.0.0.1:$port/v3/cluster/member/list"
}
"""
)

# crictl is on every machine of kops, and shows what the pod of etcd-manager mounts.
# Sources: kops nodeup/pkg/model/crictl.go, and as for ``commands.etcd_functions``.
_HERE = (
    """\
# On a control-plane machine: the same without the API.
here() {
  local cluster pod api=/etc/kubernetes/manifests/kube-apiserver.manifest
  PKI=$(grep -o 'etcd-cafile=[^ "]*/' "$api" 2> /dev/null | tail -n 1 | cut -d = -f 2)
  PKI=/rootfs${PKI:-/srv/kubernetes/kube-apiserver/}
  for cluster in CLUSTERS; do
    pod=$(crictl pods --state ready --output json |
      grep -o "\\"etcd-manager-$cluster-[^\\"]*\\"" | head -n 1 | tr -d '"')
    if [ -z "$pod" ]; then
      echo "no pod of etcd-manager runs here for etcd $cluster" >&2
      continue
    fi
    NODE=${pod#etcd-manager-"$cluster"-}
    CONTAINER=$(crictl ps --quiet --pod "$(crictl pods --quiet --state ready \\
      --name "$pod")" | head -n 1)
    BIN=$(crictl inspect "$CONTAINER" | grep -o '/opt/etcd-v3[.0-9]*' | sort |
      tail -n 1)
    if [ -n "$BIN" ]; then
      BIN=$BIN/usr/local/bin
    else
      BIN=$(crictl exec "$CONTAINER" sh -c 'ls -d /opt/etcd-v3*' | tail -n 1)
    fi
    ask etcd_here "$cluster"
  done
}

# Runs etcdctl in one etcd cluster of this machine.
etcd_here() {
  local cluster=$1 port pki=$PKI client=etcd-client
  shift
"""
    + PORTS
    + """\
  crictl exec "$CONTAINER" "$BIN/etcdctl" --endpoints "https://127.0.0.1:$port" \\
    --cacert "${pki}etcd-ca.crt" --cert "$pki$client.crt" \\
    --key "$pki$client.key" "$@"
}
"""
)

_COLLECT = """\
# Through the API: every control-plane machine and every etcd cluster.
collect() {
  local group cluster node nodes found=''
  take instances.txt "kops get instances --name $CLUSTER" \\
    kops get instances --name "$CLUSTER"
  for group in GROUPS; do
    look_up "$group" && found=$group && break
  done
  if [ -z "$found" ]; then
    echo "Through context $CONTEXT no machine of $CLUSTER can be asked." >&2
    echo "If its API is down, go to each machine: bash observe.sh here" >&2
    return 1
  fi
  take nodes.txt "kubectl get nodes --show-labels" \\
    system within get nodes --show-labels
  take pods.txt "kubectl get pods --namespace kube-system" \\
    system within get pods --output wide
  for group in GROUPS; do
    nodes=$(system within get nodes --selector "kops.k8s.io/instancegroup=$group" \\
      --output 'jsonpath={.items[*].metadata.name}')
    [ -n "$nodes" ] || echo "no machine of $group is a node of $CLUSTER" >&2
    for node in $nodes; do
      NODE=$node
      for cluster in CLUSTERS; do
        ask etcd "$cluster"
      done
    done
  done
  take validate.txt "kops validate cluster --name $CLUSTER" \\
    kops validate cluster --name "$CLUSTER"
}
"""

_VOLUMES = """\
# The volumes by which etcd calls its members in this cloud.
volumes() {
  local id
  printf '%-10s%-20s%s\\n' ETCD MEMBER VOLUME-ID
  while read -r cluster member; do
    id=$(called "$cluster" "$member" < /dev/null) &&
      printf '%-10s%-20s%s\\n' "$cluster" "$member" "${id#vol-}"
  done <<< 'MEMBERS'
}
"""

_STORE = """\
# Prints an object of the state store.
stored() {
  case $1 in
    s3://*) aws s3 cp "$1" - ;;
    gs://*) gcloud storage cat "$1" ;;
    *) echo "how is $1 read?" >&2; return 1 ;;
  esac
}

# Prints the commands that wait for etcd-manager, below the control folder.
waiting() {
  local names name
  case $1 in
    s3://*)
      names=$(aws s3 ls --recursive "$1/") || return 1
      name=${1#s3://}
      names=$(echo "$names" | awk -v bucket="s3://${name%%/*}/" '{ print bucket $4 }')
      ;;
    gs://*) names=$(gcloud storage ls "$1/**") || return 1 ;;
    *) echo "how is $1 read?" >&2; return 1 ;;
  esac
  for name in $(echo "$names" | grep '/_command[.]json$'); do
    stored "$name" || return 1
    echo
  done
}

# The published member count of an etcd cluster, and what waits to be done.
store() {
  local cluster=$1 place=$2
  if command -v etcd-manager-ctl > /dev/null; then
    take "store-$cluster-count.txt" "etcd-manager-ctl --backup-store=$place get" \\
      etcd-manager-ctl "--backup-store=$place" get
    take "store-$cluster-queue.txt" \\
      "etcd-manager-ctl --backup-store=$place list-commands" \\
      etcd-manager-ctl "--backup-store=$place" list-commands
    return
  fi
  take "store-$cluster-count.txt" "aws s3 cp $place/control/etcd-cluster-spec -" \\
    stored "$place/control/etcd-cluster-spec"
  take "store-$cluster-queue.txt" "aws s3 cp $place/control - # list-commands" \\
    waiting "$place/control"
}
"""

_MAIN = """\
main() {
  local status=0
  FOLDER=observed
  case ${1:-} in
    here) ;;
    ?*) FOLDER=$1 ;;
  esac
  if [ -n "$(ls -A "$FOLDER" 2> /dev/null)" ]; then
    echo "$FOLDER holds what was seen before: name another one" >&2
    return 1
  fi
  mkdir -p "$FOLDER" || return 1
  if [ "${1:-}" = here ]; then
    here
  else
STEPS
  fi
  echo "Now: kopslint check SPEC --observed $FOLDER" >&2
  return "$status"
}

main "$@"
"""


def render_observe(specs: Sequence[str]) -> str:
    """The script for the one cluster that the specs describe.

    Raises ``UsageError`` for several clusters, ``NothingCheckedError`` for none, and
    ``InputError`` where a name could not be written into a script.
    """
    from kopslint.cli.inputs import read_request
    from kopslint.kops.decode import read_fleet

    request = read_request((), specs, ())
    found = read_fleet(request.after or ()).manifests
    if not found:
        raise NothingCheckedError(
            "no kops cluster was found, so there is nothing to observe",
            hint="name files that hold kind: Cluster and its instance groups",
        )
    if len(found) > 1:
        raise UsageError(
            f"a script is for one cluster, and these are {', '.join(sorted(found))}",
            hint="name the files of one of them",
        )
    (manifest,) = found.values()
    if manifest.cluster is None or not manifest.control_plane:
        what = "Cluster" if manifest.cluster is None else "control-plane group"
        raise InputError(
            f"the spec of {manifest.name} has no {what}",
            span=manifest.sources[0].whole(),
            hint="observe needs the whole spec: kops get all -o yaml",
        )
    for name in _names(manifest):
        if not name.isprintable():
            raise InputError(
                f"{name!r} is no name for an object or a member",
                span=manifest.sources[0].whole(),
                hint="it would be written into a script",
            )
    return "\n".join(_script(manifest)) + "\n"


def _names(manifest: Manifest) -> Iterator[str]:
    yield manifest.name
    yield from (group.name for group in manifest.control_plane)
    for etcd in manifest.etcd_clusters:
        yield etcd.name
        yield from (member.name for member in etcd.members)


def _script(manifest: Manifest) -> Iterator[str]:
    """The lines of the script."""
    groups = " ".join(quote(group.name) for group in manifest.control_plane)
    clusters = " ".join(quote(etcd.name) for etcd in manifest.etcd_clusters)
    cloud = cloud_named(manifest.cloud)
    by_volume = cloud is not None and cloud.find_volume is not None
    steps = ["collect || status=1"]
    if by_volume:
        steps.append("take volumes.txt volumes volumes")
    for etcd in manifest.etcd_clusters:
        place = backup_store(manifest, etcd)
        if place is not None:
            steps.append(f"store {quote(etcd.name)} {quote(place)}")
    has_store = any(step.startswith("store ") for step in steps)
    yield from _lines(_HEAD.replace("NAME", manifest.name))
    # What is called by what it is handed, shellcheck does not see.
    yield "# shellcheck disable=SC2317,SC2329"
    yield ""
    yield from context_lines(manifest.name)
    yield f"CLUSTER={quote(manifest.name)}"
    yield ""
    for line in asking_functions(manifest.name, manifest.cloud):
        # An API without quorum keeps who asks it waiting.
        yield line.replace(
            "kubectl --context", "kubectl --request-timeout 20s --context"
        )
    parts = [_TAKE, _HERE, _LIST, _COLLECT]
    parts += [_VOLUMES] if by_volume else []
    parts += [_STORE] if has_store else []
    members = "\n".join(
        f"{etcd.name} {member.name}"
        for etcd in manifest.etcd_clusters
        for member in etcd.members
    )
    told = "\n".join(f"    {step}" for step in steps)
    for part in (*parts, _MAIN):
        text = part.replace("GROUPS", groups).replace("CLUSTERS", clusters)
        text = text.replace("'MEMBERS'", quote(members)).replace("STEPS", told)
        yield ""
        yield from _lines(text)


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")
