"""Quorum: lost for good, lost for a while, or one failure away from being lost."""

from __future__ import annotations

from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, listed, only, sure
from kopslint.checks.removals import removals
from kopslint.commands.model import MemberRemove, Terraform
from kopslint.findings import Location, Severity, TraceLine
from kopslint.kops.state_store import backup_store
from kopslint.model.properties import quorum
from kopslint.model.timeline import picture, views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.model.properties.facts import Hazard
    from kopslint.model.properties.quorum import Outage, Window
    from kopslint.model.simulation import Simulation

_ONLY_BACKUP = "# without the volumes only a backup helps; it loses every write since:"


def _restore(context: Context) -> tuple[str, ...]:
    """The commands that restore every etcd cluster from where its backups are."""
    spec = context.before or context.after
    stores = [backup_store(spec, etcd) for etcd in spec.etcd_clusters]
    known = [quote(store) for store in stores if store is not None]
    if len(known) < len(stores) or not known:
        return (
            _ONLY_BACKUP,
            "etcd-manager-ctl --backup-store=... list-backups  # for main and events",
            "etcd-manager-ctl --backup-store=... restore-backup BACKUP",
        )
    calls = [f"etcd-manager-ctl --backup-store={store}" for store in known]
    return (
        _ONLY_BACKUP,
        *(f"{call} list-backups" for call in calls),
        *(f"{call} restore-backup BACKUP" for call in calls),
    )


def etcd_quorum_lost(context: Context) -> Iterator[Draft]:
    """Etcd stops accepting writes: for good, or while a machine is away."""
    if context.simulation is None:
        return
    outages = quorum.outages(context.simulation)
    found = sorted((o for o in outages if not _is_torn_down(o)), key=_alike)
    for _, group in groupby(found, key=_alike):
        same = list(group)
        if same[0].forever:
            yield _for_good(context, same)
        else:
            yield _for_a_while(context, context.simulation, same)


def _is_torn_down(outage: Outage) -> bool:
    """Whether the whole cluster is destroyed: of which quorum is the least."""
    match outage.step.command:
        case Terraform(verb="destroy", targets=()):
            return True
        case _:
            return False


def _alike(outage: Outage) -> tuple[bool, int, bool, tuple[str, ...], int, int]:
    state = outage.state
    return (
        not outage.forever,
        outage.step.number,
        not outage.certain,
        outage.rolled,
        state.voting,
        state.members,
    )


def _for_good(context: Context, outages: list[Outage]) -> Draft:
    first = outages[0]
    state = first.state
    names = [outage.etcd_cluster for outage in outages]
    lose = "loses" if len(names) == 1 else "lose"
    return Draft(
        message=f"etcd {listed(names)} {lose} quorum for good: {state.voting} of "
        f"{state.members} members left, {state.quorum} needed",
        why="Without quorum etcd accepts no writes, and no member can be added or"
        " removed. It comes back only with the volumes of the lost members, or from a"
        " backup.",
        locations=(Location(first.step.command.span, "from here on"),),
        subject=f"forever/{','.join(names)}/{','.join(first.members)}",
        certainty=sure(first.certain),
        step=first.step.number,
        etcd_cluster=only(names),
        fix=(*context.planning, *_after_all(first, context), *_restore(context)),
        trace=tuple(line_of(outage) for outage in outages),
        story=story_of(first),
    )


def _after_all(outage: Outage, context: Context) -> tuple[str, ...]:
    """How quorum comes back without loss: as long as the disks are there."""
    members = zip(outage.state_set.names, outage.state.names, strict=True)
    kept = [n for n, member in members if member.dead and member.disk == "its own"]
    if not kept:
        return ()
    return (
        "# do not run this; if it has run, bring machines and volumes back:",
        *_revival(kept, context),
    )


def _revival(names: list[str], context: Context) -> tuple[str, ...]:
    """The commands that give members their machines again, with the disks they had."""
    old = context.before
    had = old is not None and all(
        any(etcd.member(name) for etcd in old.etcd_clusters) for name in names
    )
    storing = context.storing(old if had else context.after)
    return (
        f"{storing}  # gives {listed(names)} a machine",
        "kops update cluster --yes",
    )


def _for_a_while(
    context: Context, simulation: Simulation, outages: list[Outage]
) -> Draft:
    first = outages[0]
    state = first.state
    names = [outage.etcd_cluster for outage in outages]
    single = state.members == 1 and all(
        len(etcd.members) == 1 for etcd in simulation.plan.before.etcd_clusters
    )
    when = "for a while"
    if first.rolled:
        each = "each of " if len(first.rolled) > 1 else ""
        when = f"while {each}{listed(first.rolled)} is replaced"
    again = ""
    if first.again:
        lines = [simulation.steps[n - 1].command.span.line for n in first.again]
        again = f", and again on line {listed([str(line) for line in lines])}"
    return Draft(
        severity=Severity.INFO if single else Severity.WARNING,
        message=f"etcd {listed(names)} {'has' if len(names) == 1 else 'have'} no "
        f"quorum {when}{again}",
        why=_reason(first),
        locations=(Location(first.step.command.span, "no writes meanwhile"),),
        subject=f"while/{','.join(names)}/{first.step.command.text}",
        certainty=sure(first.certain),
        step=first.step.number,
        etcd_cluster=only(names),
        fix=() if single else _repair(context, outages, simulation),
        trace=tuple(line_of(outage) for outage in outages),
        story=story_of(first),
    )


def _reason(outage: Outage) -> str:
    state = outage.state
    if state.members == 1:
        return "The only member goes down with its machine; the API comes back with it."
    members = zip(outage.state_set.names, state.names, strict=True)
    away = [n for n, member in members if member.listed and not member.takes_part]
    return (
        f"Then {state.voting} of {state.members} registered members can vote,"
        f" {state.quorum} needed: {listed(away)} {'is' if len(away) == 1 else 'are'}"
        " away. Until enough of them are back the API is down."
    )


def _repair(
    context: Context, outages: list[Outage], simulation: Simulation
) -> tuple[str, ...]:
    """What keeps quorum: no dead member in the list, and time between machines.

    A dead member that the spec keeps and whose group is gone, or asks for no machine,
    needs that machine first: waiting for it is no use.
    """
    first = outages[0]
    dead = [
        (name, line.etcd_cluster)
        for line in map(line_of, outages)
        if line.before is not None
        for name in line.before.members
        if name not in (*line.before.alive, *line.before.joining)
    ]
    leavers = [
        (name, etcd)
        for name, etcd in dead
        if name in simulation.plan.leaving.get(etcd, ())
    ]
    if leavers:
        return removals(context, leavers, ", before this")
    coming = {first.state_set.names[index] for index in first.state_set.returns}
    gone = sorted({name for name, _ in dead} - coming)
    wait = "kops validate cluster --wait 10m  # between one machine and the next"
    if gone:
        return ("# before this:", *_revival(gone, context), wait)
    return () if first.rolled else (wait,)


def no_failure_tolerated(context: Context) -> Iterator[Draft]:
    """Etcd works, and the loss of one more member would stop it."""
    if context.simulation is None:
        return
    for windows in _together(quorum.intolerances(context.simulation)):
        yield _bare(windows, context.simulation)


def _together(windows: Iterable[Window]) -> list[list[Window]]:
    """The windows that are one finding: those that several etcd clusters share.

    A list fixes one etcd cluster after another, so they may end at different steps;
    and it takes a member out of one after the other, so they may start one later.
    """
    found: list[list[Window]] = []
    for window in sorted(windows, key=lambda window: window.step.number):
        same = (group for group in found if _is_shared(group[-1], window))
        group = next(same, None)
        if group is None:
            found.append([window])
        else:
            group.append(window)
    return found


def _is_shared(one: Window, other: Window) -> bool:
    steps = (one.step, other.step)
    removed = all(isinstance(step.command, MemberRemove) for step in steps)
    later = other.step.number - one.step.number
    return later <= (one.etcd_cluster != other.etcd_cluster and removed) and (
        _kind(one) == _kind(other)
    )


def _kind(window: Window) -> tuple[bool, bool, int, int]:
    state = window.state
    return window.until is not None, window.certain, state.voting, state.members


def _bare(windows: list[Window], simulation: Simulation) -> Draft:
    first = windows[0]
    state = first.state
    names = [window.etcd_cluster for window in windows]
    ends = [w.until for w in windows if w.until is not None]
    lasts = "to the end of the list"
    if ends:
        last = max(ends, key=lambda step: step.number)
        lasts = f"until line {last.command.span.line}"
    tolerate = "tolerates" if len(names) == 1 else "tolerate"
    return Draft(
        message=f"from here {lasts} etcd {listed(names)} {tolerate} no failure: "
        f"{state.voting} of {state.members} members vote, {state.quorum} needed",
        why="Every registered member counts towards quorum, dead or alive. If one"
        " more machine is away, for a reboot or a roll, the API stops.",
        locations=(
            Location(first.step.command.span, "the last spare member"),
            *(
                Location(window.step.command.span, f"also in {window.etcd_cluster}")
                for window in windows
                if window.step is not first.step
            ),
        ),
        subject=f"{','.join(names)}/{','.join(first.members)}",
        certainty=sure(first.certain),
        step=first.step.number,
        etcd_cluster=only(names),
        fix=mending(
            windows,
            simulation,
            f", before line {first.step.command.span.line}" if ends else "",
        ),
        trace=tuple(line_of(window) for window in windows),
        story=story_of(first),
    )


def mending(
    hazards: Sequence[Hazard], simulation: Simulation, when: str = ""
) -> tuple[str, ...]:
    """How the dead members of some hazards stop counting, in lines to paste.

    A member that the change takes out of the spec is removed; ``when`` says where in
    the list. One that the spec keeps must not be removed: its disk would remember, and
    its machine could never join again.
    """
    context = Context(simulation.plan.after, simulation.plan.before)
    leavers: list[tuple[str, str]] = []
    kept: dict[str, None] = {}
    for hazard in hazards:
        leaving = simulation.plan.leaving.get(hazard.etcd_cluster, frozenset())
        for member in hazard.members:
            if member in leaving:
                leavers.append((member, hazard.etcd_cluster))
            else:
                kept[member] = None
    if not kept:
        return removals(context, leavers, when)
    back = (
        f"# the spec keeps {listed(tuple(kept))}: bring the machine back with its disk"
    )
    return (*removals(context, leavers, when), back)


def line_of(hazard: Hazard) -> TraceLine:
    """The etcd cluster of a hazard before its step, and in its example state."""
    before = views(hazard.step.before, [hazard.etcd_cluster]).get(hazard.etcd_cluster)
    return TraceLine(
        hazard.etcd_cluster, before, picture(hazard.state, hazard.state_set), ""
    )


def story_of(hazard: Hazard) -> tuple[str, ...]:
    """How a hazard comes about, if something else can happen as well."""
    if hazard.certain:
        return ()
    from kopslint.model.etcd.trace import trace_to

    return trace_to(hazard.state_set, hazard.state)
