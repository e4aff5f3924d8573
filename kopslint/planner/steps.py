"""The steps that a runbook may have, each with its commands.

A command is written as a person pastes it, and read by the reader of everybody's
scripts, so that one simulation serves both. What only the printed script's functions
can do (``remove``, and a volume found by its name) has no line to read: these are made
here. ``search`` finds out whether a step is safe.
"""

from __future__ import annotations

from functools import cache
from shlex import quote
from typing import TYPE_CHECKING, Literal

from kopslint.commands import model
from kopslint.commands.kops import Replace
from kopslint.commands.parse import recognise
from kopslint.kops.clouds import addresses, cloud_named
from kopslint.kops.spec import Role
from kopslint.model.spec_files import key
from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.records import Record
from kopslint.shell.ast import Word
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command
    from kopslint.planner.control_plane import Unit
    from kopslint.planner.intermediate_specs import Spec
    from kopslint.text import Span

Kind = Literal["remove", "delete", "apply", "roll", "reconcile", "retire"]

GROUP_LABEL = "kops.k8s.io/instancegroup"
"""The label that kops gives every node. Source: kops pkg/nodelabels/builder.go."""


class PlannedStep(Record):
    """One step of a runbook: some commands that belong together, and why.

    ``about`` is the member, group or file; ``etcd_cluster`` is set where only one
    is concerned; ``spec`` is the spec that the step stores. ``rescues`` is whether it
    mends a broken cluster, in which not all members need be healthy before it.
    """

    kind: Kind
    about: str
    reason: str
    commands: tuple[Command, ...]
    etcd_cluster: str | None = None
    spec: Spec | None = None
    rescues: bool = False

    def without(self, *kinds: type[Command]) -> PlannedStep:
        """The same without its commands of some kinds."""
        left = tuple(c for c in self.commands if not isinstance(c, kinds))
        return self._replace(commands=left)


class PlannedSteps(Record):
    """Makes the steps for one cluster, by kops directly or by way of terraform."""

    cluster: str
    cloud: str | None = None
    terraform: bool = False

    def remove(self, etcd_cluster: str, member: str) -> PlannedStep:
        """A member leaves the member list of one etcd cluster."""
        text = f"remove {quote(etcd_cluster)} {quote(member)}"
        span = _span(text)
        command = model.MemberRemove(
            text=text, span=span, member=_word(member, span), etcd_cluster=etcd_cluster
        )
        reason = (
            f"Remove {member} from etcd {etcd_cluster}: etcd-manager knows only a"
            " count, and never removes a member whose machine is gone."
        )
        return PlannedStep("remove", member, reason, (command,), etcd_cluster)

    def delete(
        self, unit: Unit, *, wipe: bool = False, nodes: bool = False
    ) -> PlannedStep:
        """A control-plane group goes, its machine at once.

        ``wipe`` says that a machine is still to come that would mount its volumes:
        etcd-manager takes any etcd volume of its zone. They are deleted then; terraform
        does so by itself. ``nodes`` says that a group of nodes takes its name.
        """
        group = unit.name
        reason = (
            f"Delete {group}, which no longer has an etcd member; its machine is"
            " terminated at once."
        )
        if nodes:
            reason += (
                " It comes back as a worker group: if only its role changed, kops"
                " would leave the old machine running."
            )
        wipes: tuple[Command, ...] = ()
        if wipe and not self.terraform:
            names = " and ".join(f"{m.name} of {etcd}" for etcd, m in unit.members)
            reason += (
                f" Delete the volumes of {names} too: a new machine in their zone"
                " would mount them and could not join."
            )
            wipes = tuple(
                self._wipe(etcd, member.name, group) for etcd, member in unit.members
            )
        commands = (self._delete(group), self._validate(), *wipes)
        return PlannedStep("delete", group, reason, commands)

    def retire(self, group: str) -> PlannedStep:
        """A group of nodes is emptied and goes; ``delete ig`` alone drains nobody."""
        selector = quote(f"{GROUP_LABEL}={group}")
        kubectl = 'kubectl --context "$CONTEXT"'
        cordon = f"{kubectl} cordon --selector {selector}"
        drain = (
            f"{kubectl} drain --selector {selector} --ignore-daemonsets "
            "--delete-emptydir-data"
        )
        commands: tuple[Command, ...] = (
            _read(cordon),
            _read(drain),
            self._delete(group),
            self._validate(),
        )
        reason = (
            f"Drain {group} before its machines are terminated: delete ig does not"
            " drain."
        )
        return PlannedStep("retire", group, reason, commands)

    def apply(self, spec: Spec, reason: str) -> PlannedStep:
        """A spec is stored, and the cloud and the control spec are brought to it."""
        commands = (self._store(spec), *self._update(), self._validate())
        return PlannedStep("apply", spec.files[0], reason, commands, spec=spec)

    def apply_and_roll(
        self, spec: Spec, reason: str, *, reconcile: bool = False, force: bool = False
    ) -> PlannedStep:
        """The same, and every machine whose configuration changes is replaced.

        ``reconcile`` keeps the kubelets behind the API servers, as Kubernetes 1.31
        and later want it; ``force`` replaces every machine. Source: kops
        docs/operations/updates_and_upgrades.md.
        """
        commands: tuple[Command, ...]
        if reconcile and not self.terraform:
            reconcile_all = self._kops("reconcile cluster", "--yes")
            commands = (self._store(spec), reconcile_all, self._validate())
            return PlannedStep("reconcile", spec.files[0], reason, commands, spec=spec)
        applies: tuple[Command, ...] = (*self._update(), self._roll(force=force))
        if reconcile:
            # Nodes must not start with a newer kubelet than the API servers' release,
            # and kops writes the old one for them as long as the API servers run it:
            # cmd/kops/update_cluster.go, checkControlPlaneRunningVersion.
            render, apply = self._update()
            applies = (
                render,
                self._apply_control_plane(spec),
                self._roll("control-plane,apiserver"),
                render,
                apply,
                self._roll(),
            )
        commands = (self._store(spec), *applies, self._validate())
        return PlannedStep("roll", spec.files[0], reason, commands, spec=spec)

    def apply_at_once(self, spec: Spec, reason: str) -> PlannedStep:
        """The same, with all of the control plane replaced at one time: an outage.

        Source: kops docs/etcd3-migration.md.
        """
        reason += (
            " Old and new members cannot form a quorum: the API is down until most "
            "machines are replaced, so all of them are replaced at once."
        )
        roll = self._kops(
            "rolling-update cluster",
            "--cloudonly --instance-group-roles master --master-interval=1s --yes",
        )
        looks = self._validate()
        rolls = (roll, looks, self._roll(), looks)
        commands = (self._store(spec), *self._update(), *rolls)
        return PlannedStep("roll", spec.files[0], reason, commands, spec=spec)

    def restart(self, reason: str) -> PlannedStep:
        """Every control-plane machine is replaced, one after the other."""
        commands = (self._roll("control-plane,apiserver", force=True), self._validate())
        return PlannedStep("roll", "", reason, commands)

    def with_spec(self, deed: PlannedStep, spec: Spec) -> PlannedStep:
        """The same step, with its spec under another name."""
        commands = tuple(
            self._store(spec) if isinstance(command, Replace) else command
            for command in deed.commands
        )
        return deed._replace(about=spec.files[0], commands=commands, spec=spec)

    def _kops(self, command: str, rest: str) -> Command:
        return _read(f"kops {command} --name {quote(self.cluster)} {rest}")

    def _delete(self, group: str) -> Command:
        return self._kops(f"delete ig {quote(group)}", "--yes")

    def _wipe(self, etcd_cluster: str, member: str, group: str) -> Command:
        which = " ".join(map(quote, (etcd_cluster, member, group)))
        cloud = cloud_named(self.cloud)
        if cloud is None or cloud.delete_volume is None:
            raise LookupError(f"kopslint cannot delete volumes on {self.cloud}")
        text = cloud.delete_volume.format(id=f'"$(volume_id {which})"')
        span = _span(text)
        words = (_word(etcd_cluster, span), _word(group, span))
        return model.DeleteVolumes(text=text, span=span, verb="delete", volumes=words)

    def _store(self, spec: Spec) -> Command:
        files = " ".join(f"-f {quote(file)}" for file in spec.files)
        # A file is known by where it is named; here it is the same in every step.
        return _read(f"kops replace --force {files}").replaced(
            files=tuple(_word(file, _span(file)) for file in spec.files)
        )

    def _update(self) -> Iterator[Command]:
        if not self.terraform:
            yield self._kops("update cluster", "--yes")
            return
        yield self._kops("update cluster", "--target terraform --out .")
        yield _read("terraform apply")

    def _apply_control_plane(self, spec: Spec) -> Command:
        """``terraform apply`` of the groups with an API server, and of what they read.

        Source: kops docs/tutorial/upgrading-kubernetes.md.
        """
        targets = [
            address
            for group in spec.manifest.groups.values()
            if group.role in (Role.CONTROL_PLANE, Role.API_SERVER)
            for address in addresses(group, spec.manifest)
        ]
        return _read(
            " \\\n  ".join(
                ["terraform apply", *(f"-target {quote(target)}" for target in targets)]
            )
        )

    def _validate(self) -> Command:
        return self._kops("validate cluster", "--wait 15m")

    def _roll(self, roles: str | None = None, *, force: bool = False) -> Command:
        some = f"--instance-group-roles {roles} " if roles else ""
        some += "--force " if force else ""
        return self._kops("rolling-update cluster", f"{some}--yes")


@cache
def _read(text: str) -> Command:
    """The command that a line of a runbook is, by the reader of everybody's scripts."""
    script = read_commands(Source("(plan)", text))
    (call,) = simple_commands(script.body)
    (command,) = recognise(call)
    return command.replaced(text=text)


def file_key(file: str) -> str:
    """How the simulation tells a file that a planned command names from others."""
    return key(_word(file, _span(file)))


def _span(text: str) -> Span:
    return Source("(plan)", text).whole()


def _word(text: str, span: Span) -> Word:
    return Word((text,), text, span)
