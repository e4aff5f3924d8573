"""A runbook as a shell script that can be run whole or pasted step by step.

Every step has its reason and what etcd looks like after it, and before anything
that cannot be undone the member list is asked. The commands themselves come from
the plan and are printed as they are.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.commands.model import DeleteVolumes
from kopslint.kops.clouds import CALLED_BY_VOLUME
from kopslint.report.display import pad, visible, width, wrap
from kopslint.report.quorum import members, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kopslint.findings import EtcdView
    from kopslint.planner.runbook import NoWay, Runbook, Step
    from kopslint.report.display import Style


# ------------------------------------------------------------------------------------
# What a runbook's script needs to ask etcd: the functions that reach a machine's etcd
#
# Where etcdctl and the certificates are has changed with the releases of kops, and
# the pod of etcd-manager has had no shell since 2026. So both are read from the pods
# that run, and nothing but etcdctl is run in them. Which steps ask etcd is decided
# elsewhere.

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


# ------------------------------------------------------------------------------------
# What a runbook's script needs to delete volumes: the function that finds one
#
# Volumes have no id before they are made, so a script asks the cloud for it, and
# waits until no machine uses the volume any more. Which volumes go is decided
# elsewhere.

# What the volumes are called: kops pkg/model/master_volumes.go, and for DigitalOcean
# upup/pkg/fi/cloudup/do/utils.go. By the program that deletes them: what it has to be
# told first, and how a volume is found.
_VOLUMES = {
    "aws": (
        ': "${AWS_REGION:?set it to the region of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER id
  id=$(aws ec2 describe-volumes --filters "Name=tag:Name,Values=$name" \\
    --query 'Volumes[].VolumeId' --output text)
  aws ec2 wait volume-available --volume-ids "$id"
  echo "$id"
""",
    ),
    "gcloud": (
        ': "${CLOUDSDK_CORE_PROJECT:?set it to the project of the cluster}"',
        """\
  local cluster=CLUSTER id users
  id=$(gcloud compute disks list --uri --filter \\
    "name~'^d?${2//./-}-etcd-$1-' AND labels.k8s-io-cluster-name=${cluster//./-}")
  while users=$(gcloud compute disks describe "$id" --format 'value(users)') &&
    [ -n "$users" ]; do
    sleep 5
  done
  echo "$id"
""",
    ),
    "az": (
        ': "${AZURE_DEFAULTS_GROUP:?set it to the resource group of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER
  az disk wait --name "$name" --custom "diskState=='Unattached'"
  echo "$name"
""",
    ),
    "openstack": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER status
  while status=$(openstack volume show "$name" --format value --column status) &&
    [ "$status" != available ]; do
    sleep 5
  done
  echo "$name"
""",
    ),
    "hcloud": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER volume
  while volume=$(hcloud volume describe "$name" --output json) &&
    ! grep -Eq '"server": *null' <<< "$volume"; do
    sleep 5
  done
  echo "$name"
""",
    ),
    "doctl": (
        None,
        """\
  local name=kops-$2.etcd-$1.CLUSTER id users
  name=${name//./-}
  id=$(doctl compute volume list --format ID,Name --no-header |
    awk -v name="${name:0:64}" '$2 == name { print $1 }')
  while users=$(doctl compute volume get "$id" --format DropletIDs --no-header) &&
    [[ $users == *[0-9]* ]]; do
    sleep 5
  done
  echo "$id"
""",
    ),
    "linode-cli": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER id user
  id=$(linode-cli volumes list --label "$name" --text --no-headers --format id)
  while user=$(linode-cli volumes view "$id" --text --no-headers \\
    --format linode_id) && [[ $user == [0-9]* ]]; do
    sleep 5
  done
  echo "$id"
""",
    ),
    "scw": (
        ': "${SCW_DEFAULT_ZONE:?set it to the zone of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER id volume
  id=$(scw instance volume list name="$name" \\
    --output template='{{ .ID }} {{ .Name }}' |
    awk -v name="$name" '$2 == name { print $1 }')
  while volume=$(scw instance volume get "$id" --output json) &&
    ! grep -Eq '"server": *null' <<< "$volume"; do
    sleep 5
  done
  echo "$id"
""",
    ),
}


def volume_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define ``volume_id``; none if the runbook deletes no volume."""
    commands = (command for step in runbook.steps for command in step.deed.commands)
    texts = (c.text for c in commands if isinstance(c, DeleteVolumes))
    program = next((text.split()[0] for text in texts), None)
    if program is None:
        return
    needed, body = _VOLUMES[program]
    yield ""
    if needed is not None:
        yield needed
        yield ""
    yield "# Prints what the volume of a member is called, once no machine uses it;"
    yield "# the group only says whose it was."
    yield "volume_id() {"
    yield from body.rstrip("\n").replace("CLUSTER", quote(runbook.cluster)).split("\n")
    yield "}"


_WIDTH = 78


def script(runbook: Runbook, style: Style) -> str:
    """The runbook as the text of a bash script."""
    body = _body(runbook.steps, style)
    return "\n".join([*_head(runbook), *body, *_final(runbook)]) + "\n"


def _final(runbook: Runbook) -> Iterator[str]:
    if changes_members(runbook):
        title = "# Last of all "
        yield ""
        yield title + "-" * (_WIDTH - len(title))
        yield from last_look(runbook)


def changes_members(runbook: Runbook) -> bool:
    """Whether any member list is another one at the end or on the way."""
    return any(
        view.members != step.before[name].members
        for step in runbook.steps
        for name, view in step.after.items()
    )


def last_look(runbook: Runbook) -> Iterator[str]:
    """Asks every etcd cluster for its members when all is done."""
    last = runbook.steps[-1]
    if last.via is not None:
        yield f"via {quote(last.via)}"
    for name, view in last.after.items():
        yield from comment(
            f"etcd {name} must list {len(view.members)} members, all started: "
            f"{' '.join(view.members)}."
        )
        yield _confirm(name, view)


def _head(runbook: Runbook) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    if not runbook.steps:
        yield from comment(
            f"{runbook.cluster}: nothing to do, both specs say the same."
        )
        return
    yield from comment(f"{runbook.cluster}: {summary(runbook)}")
    yield from comment(
        "Nothing of this has been run. It ends at the first command that fails: mend "
        "what that one says, paste everything above step 1 into a new bash, and go on "
        "from there."
    )
    for note in runbook.notes:
        yield from comment(note)
    if runbook.written:
        names = " ".join(spec.files[0] for spec in runbook.written)
        yield from comment(f"Specs in between, written by kopslint plan --out: {names}")
    yield from preamble(runbook)


def preamble(runbook: Runbook) -> Iterator[str]:
    """What the commands of all steps need: settings and functions."""
    yield "set -euo pipefail"
    yield ""
    if runbook.store is not None:
        yield f"export KOPS_STATE_STORE={quote(runbook.store)}"
    else:
        yield ': "${KOPS_STATE_STORE:?set it to the state store of the cluster}"'
    if runbook.features:
        flags = ",".join(f"+{feature}" for feature in runbook.features)
        yield f"export KOPS_FEATURE_FLAGS={flags}"
    asks = changes_members(runbook)
    if asks or any(step.deed.kind == "retire" for step in runbook.steps):
        yield from kubectl_lines(runbook)
    if asks:
        yield from etcd_lines(runbook)
    yield from volume_lines(runbook)


def summary(runbook: Runbook) -> str:
    """What the runbook comes to, in one sentence."""
    count = len(runbook.steps)
    text = f"{count} step{'' if count == 1 else 's'}; "
    if runbook.outage:
        text += "etcd is without quorum for a while, and comes back"
    elif runbook.tolerance > 0:
        text += "quorum is never lost, and after every step "
        spare = runbook.tolerance
        text += "one more member" if spare == 1 else f"{spare} more members"
        text += " may fail"
    else:
        text += "quorum is never lost, but after some steps no member may fail"
    if runbook.cut:
        text += "; the search was cut, so there may be a better order"
    elif runbook.written:
        what = "shorter" if runbook.spares_most else "better"
        text += f"; by way of other specs in between there may be a {what} order"
    return f"{text}."


def _body(steps: Sequence[Step], style: Style) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        title = f"# {number} of {len(steps)} "
        yield ""
        yield title + "-" * (_WIDTH - len(title))
        checks = list(checks_before(step))
        yield from via_line(step)
        yield from confirmations(step)
        if not checks:
            # The comment above a command is its title wherever it is reported.
            yield ""
        yield from comment(step.deed.reason)
        yield from (command.text for command in step.deed.commands)
        yield from traces(step.after, style)


def via_line(step: Step) -> Iterator[str]:
    """The line that chooses the machine to ask about etcd, if a step asks."""
    if step.via is not None and any(checks_before(step)):
        yield f"via {quote(step.via)}"


def checks_before(step: Step) -> Iterator[tuple[str, EtcdView]]:
    """The etcd clusters whose member list is to be confirmed before a step."""
    if step.deed.kind not in ("remove", "delete"):
        return
    for name, view in step.before.items():
        if step.deed.etcd_cluster in (None, name):
            yield name, view


def confirmations(step: Step) -> Iterator[str]:
    """What must be seen before a step, and what to do if it is not."""
    otherwise = "else stop, and bring back who is missing"
    if step.deed.kind == "delete":
        otherwise = f"else {step.deed.about} must stay"
    for name, view in checks_before(step):
        yield from comment(
            f"etcd {name} must list {len(view.members)} members, all started: "
            f"{' '.join(view.members)}; {otherwise}."
        )
        yield _confirm(name, view)


def checks_in_shell(step: Step) -> Iterator[str]:
    """The lines that confirm what must be so before a step, and set what it needs."""
    yield from via_line(step)
    yield from (_confirm(name, view) for name, view in checks_before(step))


def _confirm(etcd_cluster: str, view: EtcdView) -> str:
    return f"confirm {quote(etcd_cluster)} {len(view.members)}"


def traces(views: Mapping[str, EtcdView], style: Style) -> Iterator[str]:
    """Every etcd cluster as a comment: its members, and what they mean."""
    widest = max(map(len, views), default=0)
    for name, view in views.items():
        start = f"# {pad(style.safe(name), widest)}  {members(view, style)}  "
        room = max(_WIDTH - width(start), _WIDTH // 2)
        first, *more = wrap(words(view, style), room)
        yield start + first
        yield from (f"# {' ' * (width(start) - 2)}{line}" for line in more)


def comment(text: str) -> Iterator[str]:
    """A text as comment lines."""
    return (f"# {line}" for line in wrap(visible(text), _WIDTH - 2))


def no_way_script(no_way: NoWay) -> str:
    """Why there is no safe order, and the procedure that remains, all in comments."""
    lines = ["#!/usr/bin/env bash"]
    lines += comment(f"{no_way.cluster}: there is no plan for this change.")
    for reason in no_way.reasons:
        lines += comment(reason)
    if no_way.cut:
        lines += comment("The search was cut short, so that an order may exist.")
    lines.append("#")
    for line in procedure(no_way):
        lines += [f"# {line}"] if line.startswith("  ") else comment(line)
    return "\n".join(lines) + "\n"


def procedure(no_way: NoWay) -> Iterator[str]:
    """Backup and restore, step by step; commands are indented.

    Source: kops docs/operations/etcd_backup_restore_encryption.md.
    """
    if not no_way.etcd_clusters:
        yield (
            "A restore would not help with that. Put the specs right, or take smaller "
            "steps, then plan again."
        )
        return
    store = (no_way.store or "STATE_STORE").rstrip("/")
    name = quote(no_way.cluster)
    yield (
        "What remains is backup and restore. It loses every write since the backup, "
        "and the API is down from the fourth step until it is done. Try it on a copy "
        "of the cluster first."
    )
    yield "1. See that every etcd cluster has the backup to go back to:"
    stores = [_backups(store, no_way, etcd) for etcd in no_way.etcd_clusters]
    for backups in stores:
        yield f"  etcd-manager-ctl --backup-store={backups} list-backups"
    yield "2. Store the new spec and apply it:"
    files = " ".join(f"-f {quote(file)}" for file in no_way.files)
    yield f"  kops replace --force {files}"
    yield f"  kops update cluster --name {name} --yes"
    yield "3. Queue the restore of every etcd cluster:"
    for backups in stores:
        yield f"  etcd-manager-ctl --backup-store={backups} restore-backup BACKUP"
    yield (
        "4. Replace every control-plane machine, so that etcd-manager reads the "
        "command; restarting its containers does it too. /var/log/etcd.log and "
        "/var/log/etcd-events.log tell when the restore is done:"
    )
    roll = f"kops rolling-update cluster --name {name}"
    yield f"  {roll} --cloudonly --force --instance-group-roles master --yes"
    yield "5. See that the cluster is whole:"
    yield f"  kops validate cluster --name {name} --wait 15m"
    yield (
        "6. Take out the leases of API servers that are gone, with etcdctl in main, "
        "and replace the machines that may know more than the backup:"
    )
    yield "  etcdctl del --prefix /registry/masterleases/"
    yield f"  {roll} --force --yes"


def _backups(store: str, no_way: NoWay, etcd_cluster: str) -> str:
    return quote(f"{store}/{no_way.cluster}/backups/etcd/{etcd_cluster}")
