"""A runbook as a shell script that can be run whole or pasted step by step.

Every step has its reason and what etcd looks like after it, and before anything
that cannot be undone the member list is asked. The commands themselves come from
the plan and are printed as they are.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.cli.plan_etcd import etcd_lines, kubectl_lines
from kopslint.cli.plan_volumes import volume_lines
from kopslint.report.cells import pad, visible, width, wrap
from kopslint.report.quorum import members, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kopslint.findings import EtcdView
    from kopslint.plan.runbook import NoWay, Runbook, Step
    from kopslint.report.style import Style

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
