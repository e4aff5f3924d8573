"""What terraform takes away that kops itself would have left.

With a terraform target kops renders the volumes of the members that the spec lists, and
terraform destroys what is no longer rendered. Source: kops pkg/model/master_volumes.go
and upup/pkg/fi/cloudup/awstasks/ebsvolume.go (RenderTerraform).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.checks.context import Context, Draft, alike, listed, meanwhile, only, sure
from kopslint.checks.removals import removals
from kopslint.commands import model
from kopslint.findings import Location, Severity
from kopslint.model.properties.facts import etcd_clusters, reached, where
from kopslint.model.properties.recovery import absences
from kopslint.model.timeline import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.etcd.state import EtcdState
    from kopslint.model.simulation import Simulation, Step

_NeededBy = Literal["quorum", "machine", ""]


def terraform_destroys_member_volume(context: Context) -> Iterator[Draft]:
    """``terraform apply`` destroys the volume of a member that is still registered."""
    simulation = context.simulation
    removed = False
    for step in simulation.steps if simulation is not None else ():
        command = step.command
        works = step.status != "refused"
        removed = removed or (works and isinstance(command, model.MemberRemove))
        if isinstance(command, model.Terraform) and not removed:
            yield from _by_its_address(command, step)
        if (
            simulation is None
            or not isinstance(command, model.Terraform)
            or command.verb != "apply"
            or command.targets
        ):
            continue
        found = [
            (name, *leaver)
            for name in etcd_clusters(simulation)
            for leaver in _registered_leavers(simulation, step, name)
        ]
        # A member that is left in several etcd clusters has a volume for each.
        left = alike(found, lambda f: f[1:])
        for same in alike(left, lambda f: (tuple(name for name, *_ in f), f[0][2:])):
            names = [name for name, *_ in same[0]]
            members = [member for (_, member, *_), *_ in same]
            _, _, certain, needed_by = same[0][0]
            line = command.span.line
            volumes = "volume" if len(members) == 1 else "volumes"
            last = _taken_out(simulation, step, names, members)
            yield Draft(
                severity=_severity(needed_by, mended=last is not None),
                message=f"terraform destroys the etcd {volumes} of {listed(members)} "
                f"while etcd {listed(names)} still "
                f"{'counts' if len(names) == 1 else 'count'} on "
                f"{'it' if len(members) == 1 else 'them'}"
                + ("" if last is None else f", {meanwhile(step, last)}"),
                why="kops renders the volumes of the members in the spec, and"
                " terraform destroys what is no longer rendered. Without its volume a"
                " member can only be removed; bringing its machine back no longer"
                " helps" + (", even if quorum needs it." if needed_by else "."),
                locations=(
                    Location(command.span, "what is not rendered is destroyed"),
                    *(
                        [Location(last.command.span, "fixed here")]
                        if last is not None
                        else []
                    ),
                ),
                subject=f"{','.join(names)}/{','.join(members)}",
                certainty=sure(certain),
                step=step.number,
                etcd_cluster=only(names),
                fix=(f"# leave line {line} out: quorum needs these volumes",)
                if needed_by == "quorum"
                else removals(
                    context,
                    ((member, name) for member in members for name in names),
                    f", before line {line}",
                ),
                trace=trace(step, names),
            )


def _severity(needed_by: _NeededBy, *, mended: bool) -> Severity | None:
    """How bad it is, None for as bad as the rule says.

    A dead member that etcd does without is one that is left dead, disk or no disk.
    What a later step takes out of etcd is one severity lower.
    """
    if needed_by:
        return Severity.WARNING if mended else None
    return Severity.INFO if mended else Severity.WARNING


# The addresses under which kops renders the volumes of members. Source: kops
# pkg/model/master_volumes.go and the RenderTerraform of each cloud's volume.
_VOLUME = r"(aws_ebs_volume|google_compute_disk|\w*volume\w*|\w*disk\w*)\..*etcd-"


def _by_its_address(command: model.Terraform, step: Step) -> Iterator[Draft]:
    """A volume that is named to be destroyed, or to be made again without its data."""
    named = command.targets if command.verb == "destroy" else command.recreated
    words = [word for word in named if re.search(_VOLUME, word.shown)]
    if not words:
        return
    volumes = "an etcd volume" if len(words) == 1 else "etcd volumes"
    yield Draft(
        message=f"terraform destroys {volumes} while the member is still registered "
        "in etcd",
        why="The member comes back with an empty disk under a name that etcd already"
        " knows, or not at all, and counts against quorum until it is removed.",
        locations=tuple(Location(word.span, "an etcd volume") for word in words),
        subject=",".join(word.shown for word in words),
        step=step.number,
        fix=(
            "etcdctl member list  # in main and in events: shows the member's id",
            "etcdctl member remove ID  # in both, before its volume is deleted",
        ),
    )


def _registered_leavers(
    simulation: Simulation, step: Step, name: str
) -> Iterator[tuple[str, bool, _NeededBy]]:
    """Members that nothing renders any more.

    With each, whether it surely is registered, and what may still need its disk.
    """
    for index, member in enumerate(simulation.start.etcd[name].names):
        before = [
            state.etcd[name]
            for state in step.before
            if name in state.etcd
            and not any(
                etcd.member(member)
                for etcd in (state.rendered or state.applied).etcd_clusters
                if etcd.name == name
            )
        ]
        found = where(before, reached, _is_registered(index))
        if found is not None:
            certain = found[2] and len(before) == len(step.before)
            yield member, certain, _needed_by(index, before)


def _needed_by(index: int, possible: list[StateSet]) -> _NeededBy:
    """What may need the disk of a member that leaves.

    A quorum that is lost, or a machine that runs or comes back; "" if nothing does.
    """
    registered = [
        (state_set, state)
        for state_set in possible
        for state in state_set.states
        if state.names[index].listed
    ]
    if any(not state.writable for _, state in registered):
        return "quorum"
    runs = any(
        not state.names[index].dead or index in state_set.returns
        for state_set, state in registered
    )
    return "machine" if runs else ""


def _taken_out(
    simulation: Simulation, step: Step, names: list[str], members: list[str]
) -> Step | None:
    """The later step after which all these members are out of etcd, if that is sure."""
    ends = {
        (absence.etcd_cluster, member): absence.by
        for absence in absences(simulation)
        for member in absence.members
        if absence.step.number <= step.number < absence.by.number and not absence.back
    }
    found = [ends.get((name, member)) for name in names for member in members]
    last = max((by for by in found if by), key=lambda by: by.number, default=None)
    return last if all(found) else None


def _is_registered(index: int) -> Callable[[EtcdState, StateSet], bool]:
    return lambda state, _: state.names[index].listed
