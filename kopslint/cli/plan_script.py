"""A runbook as a shell script that can be run whole or pasted step by step.

Every step has its reason and what etcd looks like after it, and before anything
that cannot be undone the member list is asked. The commands themselves come from
the plan and are printed as they are.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.cli.plan_volumes import volume_lines
from kopslint.report.cells import pad, visible, wrap
from kopslint.report.quorum import members, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kopslint.findings import EtcdView
    from kopslint.plan.runbook import NoWay, Runbook, Step
    from kopslint.report.style import Style

_WIDTH = 78

# The ports, and where a control-plane machine keeps the certificates. Sources: kops
# pkg/wellknownports/wellknownports.go, docs/operations/etcd_administration.md and
# nodeup/pkg/model/networking/cilium.go.
_ETCD = """\
# Runs etcdctl in one etcd cluster, on a machine of the group $VIA.
etcd() {
  local cluster=$1 port pki=kube-apiserver client=etcd-client node pod bin
  shift
  case $cluster in
    main) port=4001 ;;
    events) port=4002 ;;
    cilium) port=4003 pki=cilium client=etcd-client-cilium ;;
    leases) port=4004 ;;
    *) echo "which port has etcd $cluster?" >&2; return 1 ;;
  esac
  node=$(kubectl get nodes --selector "kops.k8s.io/instancegroup=$VIA" \\
    --output 'jsonpath={.items[0].metadata.name}')
  pod=$(kubectl --namespace kube-system get pods \\
    --selector "k8s-app=etcd-manager-$cluster" \\
    --field-selector "spec.nodeName=$node" \\
    --output 'jsonpath={.items[0].metadata.name}')
  bin=$(kubectl --namespace kube-system exec "$pod" -- \\
    sh -c 'ls -d /opt/etcd-v3* | tail -n 1')
  kubectl --namespace kube-system exec "$pod" -- \\
    env "PATH=$bin" ETCDCTL_API=3 etcdctl \\
    --endpoints "https://127.0.0.1:$port" \\
    --cacert "/rootfs/etc/kubernetes/pki/$pki/etcd-ca.crt" \\
    --cert "/rootfs/etc/kubernetes/pki/$pki/$client.crt" \\
    --key "/rootfs/etc/kubernetes/pki/$pki/$client.key" "$@"
}

# Prints the id of a member: etcd knows it by the name of the spec, which may
# have the etcd cluster in front of it.
member_id() {
  etcd "$1" member list | awk -F ', ' -v name="$2" \\
    '$3 == name || substr($3, length($3) - length(name)) == "-" name { print $1 }'
}

# Shows the members of an etcd cluster; ends the script unless there are so many
# and all of them are started.
confirm() {
  etcd "$1" member list | awk -F ', ' -v wanted="$2" '
    { print }
    $2 == "started" { started++ }
    END { exit !(NR == wanted && started == wanted) }'
}
"""


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
        yield f"VIA={quote(last.via)}"
    for name, view in last.after.items():
        yield from comment(
            f"etcd {name} must list {len(view.members)} members, all started: "
            f"{' '.join(view.members)}."
        )
        yield f"confirm {quote(name)} {len(view.members)}"


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
        "what that one says, and go on from there."
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
    if changes_members(runbook):
        yield ""
        yield from _ETCD.rstrip("\n").split("\n")
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
        text += "; by way of other specs in between there may be a better order"
    return f"{text}."


def _body(steps: Sequence[Step], style: Style) -> Iterator[str]:
    via = None
    for number, step in enumerate(steps, 1):
        title = f"# {number} of {len(steps)} "
        yield ""
        yield title + "-" * (_WIDTH - len(title))
        checks = list(checks_before(step))
        yield from via_line(step, via)
        via = step.via if checks else via
        yield from confirmations(step)
        if not checks:
            # The comment above a command is its title wherever it is reported.
            yield ""
        yield from comment(step.deed.reason)
        yield from (command.text for command in step.deed.commands)
        yield from traces(step.after, style)


def via_line(step: Step, via: str | None) -> Iterator[str]:
    """The group whose machine is asked, where the step needs another than before."""
    if step.via not in (None, via) and any(checks_before(step)):
        yield f"VIA={quote(step.via or '')}"


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
        yield f"confirm {quote(name)} {len(view.members)}"


def traces(views: Mapping[str, EtcdView], style: Style) -> Iterator[str]:
    """Every etcd cluster as a comment: its members, and what they mean."""
    width = max(map(len, views), default=0)
    for name, view in views.items():
        picture = members(view, style)
        yield f"# {pad(style.safe(name), width)}  {picture}  {words(view, style)}"


def comment(text: str) -> Iterator[str]:
    """A text as comment lines."""
    return (f"# {line}" for line in wrap(visible(text), _WIDTH - 2))


def no_way_script(no_way: NoWay) -> str:
    """Why there is no safe order, and the procedure that remains, all in comments."""
    lines = ["#!/usr/bin/env bash"]
    lines += comment(f"{no_way.cluster}: there is no safe order.")
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
        yield "That is a matter of the spec: put it right there, then plan again."
        return
    store = (no_way.store or "STATE_STORE").rstrip("/")
    name = quote(no_way.cluster)
    yield (
        "What remains is backup and restore. It loses every write since the backup, "
        "and the API is down from the second step to the last. Try it on a copy of "
        "the cluster first."
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
    yield "4. Replace all machines, so that etcd-manager reads the command:"
    yield f"  kops rolling-update cluster --name {name} --cloudonly --force --yes"
    yield "5. See that the cluster is whole:"
    yield f"  kops validate cluster --name {name} --wait 15m"


def _backups(store: str, no_way: NoWay, etcd_cluster: str) -> str:
    return quote(f"{store}/{no_way.cluster}/backups/etcd/{etcd_cluster}")
