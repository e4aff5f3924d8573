"""What kopslint could not read, what it took for granted, what it did not follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, alike, listed
from kopslint.checks.validation import postponed
from kopslint.findings import Location, Severity
from kopslint.kops.decode import is_completed_spec
from kopslint.kops.placeholders import names_left_open

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.commands.model import Command
    from kopslint.model.assumptions import Assumption, Kind
    from kopslint.model.simulation import Simulation, Undecided
    from kopslint.text import Span


def cannot_be_decided(context: Context) -> Iterator[Draft]:
    """Something in the list is known only at run time, or is in no file at all.

    Which disk it is matters no more where the finding is that it goes.
    """
    if context.simulation is None:
        yield from _members_elsewhere(context)
        return
    unknown = context.simulation.undecided
    told = _told_of_volumes(context, {item.step for item in unknown})
    for item in unknown:
        if item.step in told:
            continue
        followed = _is_followed(item, context.simulation)
        yield Draft(
            message=f"cannot be checked: {item.reason}",
            why="Only three rounds of the loop are followed. Write the rounds out, or"
            " make sure that it does not touch the control plane."
            if followed
            else "The rest of the list is checked as if this changed nothing. Write"
            " the commands out, or make sure that they do not touch the control"
            " plane.",
            locations=(
                Location(item.span, "checked in part" if followed else "not checked"),
            ),
            subject=item.reason,
            step=item.step,
            severity=Severity.ERROR if _matters(item, context.simulation) else None,
        )


def _members_elsewhere(context: Context) -> Iterator[Draft]:
    """Control-plane groups go, and the members in them are in no file.

    Source: etcd-manager pkg/controller/controller.go: a member whose machine is gone is
    never removed.
    """
    from kopslint.change.membership import groups_without_etcd
    from kopslint.checks.instance_groups import cluster_from_store

    before = context.before
    change = groups_without_etcd(before, context.after) if before else None
    if change is None or not change.gone:
        return
    names = listed([group.name for group in change.gone])
    one = len(change.gone) == 1
    yield Draft(
        message=f"the control plane goes from {change.old} to {change.new} groups, and "
        f"whether the {'member' if one else 'members'} of {names} left etcd cannot be "
        "told: the Cluster with its etcdClusters is not here",
        why="etcd keeps a member whose machine is gone, and counts it against quorum, "
        "until somebody removes it in every etcd cluster. Only the Cluster says which "
        "members those are.",
        locations=tuple(
            Location(group.at("metadata", "name"), "only in the spec before")
            for group in change.gone
        ),
        subject=f"groups/{names}",
        severity=Severity.ERROR,
        fix=cluster_from_store(context),
    )


def _matters(item: Undecided, simulation: Simulation) -> bool:
    """Whether the verdict on the list hangs on what cannot be followed.

    A script that is not at hand may do anything. Between two steps that change the
    cluster it meets a cluster half-way. One that runs ahead of all of them only sets
    the stage, unless they rely on it to store the change of the control plane; one
    that runs behind is like a list of its own.
    """
    from kopslint.commands.model import Reach

    if item.reach is not Reach.SHELL_TEXT:
        return item.reach is not Reach.ELSEWHERE
    changing = [step.number for step in simulation.steps if step.command.meaning.planes]
    if not changing or item.behind >= changing[-1]:
        return False
    return changing[0] <= item.behind or _leaves_storing_to_others(simulation)


def _leaves_storing_to_others(simulation: Simulation) -> bool:
    """Whether the control plane is to change, and no followed step stores that."""
    from kopslint.checks.arrival import control_plane_of

    wanted = control_plane_of(simulation.plan.after)
    return control_plane_of(simulation.plan.before) != wanted and all(
        control_plane_of(final.registry) != wanted for final in simulation.final
    )


def _is_followed(item: Undecided, simulation: Simulation) -> bool:
    """Whether commands that were followed stand in what is unknown: in a loop."""
    return item.step is None and any(
        span.source is item.span.source
        and item.span.order[1:3] < span.order[1:3]
        and span.order[3:] <= item.span.order[3:]
        for span in (step.command.span for step in simulation.steps)
    )


def _told_of_volumes(context: Context, steps: set[int | None]) -> frozenset[int]:
    """Those of some steps that delete an etcd volume, as another rule reports."""
    from kopslint.commands.model import DeleteVolumes

    if context.simulation is None or not any(
        step.number in steps and isinstance(step.command, DeleteVolumes)
        for step in context.simulation.steps
    ):
        return frozenset()
    from kopslint.checks.volumes import told_of

    return told_of(context)


_OPEN = (
    "The text does not say. If it turns out differently at run time, the result is"
    " not valid from this step on."
)
_MAY_FAIL = (
    "etcdctl can fail: missing certificates, a pod that is gone, a wrong id. Then"
    " nothing is removed, but the list continues. Put 'set -e' at the top, or compare"
    " the member list before going on."
)
_GROUNDS = {
    "": (_OPEN, "only known at run time"),
    "success": (_MAY_FAIL, "it may fail"),
}
"""Why an assumption of some kind may not hold, and what stands beside its place."""


def taken_for_granted(context: Context) -> Iterator[Draft]:
    """What the text does not say was taken to mean something, or to be right."""
    yield from _said_version(context)
    for same in alike(postponed(context), lambda span: span.source):
        names = _shown(n for span in same for n in names_left_open(span))
        what = "this value is" if len(names) == 1 else f"these {len(names)} values are"
        told = ", ".join(names[:3]) + (", and others" if len(names) > 3 else "")
        yield Draft(
            message=f"assumed: {what} right once filled in: {told}",
            why="kops has no variables in its files, so something must fill them in"
            " first. Their values are not checked: check the rendered file.",
            locations=tuple(Location(span, "a placeholder") for span in same[:3]),
            subject="placeholders",
        )
    yield from _of_completed(context)
    yield from _of_templates(context)
    yield from _of_bring_up(context)
    if context.simulation is None:
        return
    for turns in alike(context.simulation.assumptions, _about):
        # In a loop there is ever less left that something can be taken for.
        item = max(turns, key=lambda turn: len(turn.text))
        if item.kind == "etcd":
            yield _unaddressed(turns)
            continue
        why, label = _GROUNDS.get(item.kind, _GROUNDS[""])
        yield Draft(
            message=f"assumed: {item.text}",
            why=why,
            locations=(Location(item.span, label),) if item.span else (),
            subject=item.text,
            step=item.step,
            severity=item.severity,
        )


def _of_bring_up(context: Context) -> Iterator[Draft]:
    """A list that creates the cluster that stands is no way to apply a change."""
    from kopslint.commands.kops import CreateFromFile

    for own in alike(context.made_by, lambda command: command.span.source):
        create = next(c for c in own if isinstance(c, CreateFromFile))
        yield Draft(
            message="assumed: this list created the cluster and is not run again",
            why=f"{context.cluster} is already in the spec before, and kops refuses to"
            " create it a second time. So this list is not replayed.",
            locations=(Location(create.span, "creates a cluster that exists"),),
            subject=f"bring-up/{create.span.source.path}",
        )


_LONGEST = 40
"""A name of more characters, as of an encrypted value, is cut."""


def _shown(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, and no longer than one can read."""
    cut = (n if len(n) <= _LONGEST else f"{n[: _LONGEST - 3]}..." for n in names)
    return tuple(dict.fromkeys(cut))


def _of_completed(context: Context) -> Iterator[Draft]:
    """A Cluster as kops completes it, which is no spec that anybody hands to kops."""
    cluster = context.after.cluster
    if cluster is None or not is_completed_spec(cluster.node.span.source):
        return
    yield Draft(
        message="assumed: this Cluster is what kops made of the one in its state store",
        why="Its etcd members and networks are compared. What kops fills in itself is"
        " not judged, and the instance groups are not in it: check the spec too, or the"
        " output of 'kops get -o yaml'.",
        locations=(Location(cluster.at("kind"), "written by kops for Terraform"),),
        subject="completed",
    )


_TEMPLATE = {
    "condition": (
        "this condition of a template is true",
        "these {} conditions of a template are true",
    ),
    "otherwise": (
        "this condition of a template is false",
        "these {} conditions of a template are false",
    ),
    "range": (
        "this loop of a template runs once",
        "these {} loops of a template run once",
    ),
}


def _of_templates(context: Context) -> Iterator[Draft]:
    """What was taken to be so, because a value of a template is not known here."""
    for source in context.after.sources:
        kinds = dict.fromkeys(kind for kind, _, _ in source.assumed)
        for kind in kinds:
            same = [(name, span) for each, name, span in source.assumed if each == kind]
            one, many = _TEMPLATE[kind]
            names = ", ".join(dict.fromkeys(name for name, _ in same[:3]))
            what = one if len(same) == 1 else many.format(len(same))
            yield Draft(
                message=f"assumed: {what}: {names}"
                + (", and others" if len(same) > 3 else ""),
                why="Its value was not found in any file. Name the values file in a"
                " call of kops toolbox template, or check the rendered file.",
                locations=tuple(Location(span, "no value found") for _, span in same)[
                    :3
                ],
                subject=f"template-{kind}",
            )


def _said_version(context: Context) -> Iterator[Draft]:
    """The kops that the repository says, or that it says two of them."""
    if not context.kops_said:
        return
    first = {
        version.split(".")[1]: span for version, span in reversed(context.kops_said)
    }
    minors = sorted(first, key=int)
    places = tuple(Location(first[minor], f"kops 1.{minor}") for minor in minors)
    names = listed([f"1.{minor}" for minor in minors])
    if context.kops_version is not None:
        yield Draft(
            message=f"assumed: kops {names} is used, as named here",
            why="What kops refuses, which etcd it brings and which commands it has"
            " are taken from that release. Set --kops-version for another.",
            locations=places,
            subject="kops-version",
        )
        return
    yield Draft(
        severity=Severity.WARNING,
        message=f"kops {names} are named here, but only one can run",
        why="What kops refuses and which etcd it brings depends on the release, so"
        " none of them was used. Set --kops-version, or kops-version in the"
        " configuration.",
        locations=places[:4],
        subject="kops-versions",
    )


def _unaddressed(turns: Sequence[Assumption]) -> Draft:
    """Calls of etcdctl that may reach any etcd cluster, said once for a list."""
    places = dict.fromkeys(turn.span for turn in turns if turn.span is not None)
    first = turns[0]
    lines = sorted({span.line for span in places})
    return Draft(
        message=f"assumed: {first.text}"
        + (f"; lines of the same kind: {len(lines)}" if len(lines) > 1 else ""),
        why="One etcdctl call reaches one etcd cluster, and a comment does not decide"
        " which. The pod, the port in --endpoints or the certificates do. Several"
        " calls for one member are assumed to reach one etcd cluster each.",
        locations=tuple(Location(span, "which etcd?") for span in places)[:4],
        subject="etcd-cluster",
        step=first.step,
        severity=first.severity,
    )


def _about(item: Assumption) -> tuple[Span | None, Kind, str]:
    if item.kind == "etcd" or not item.about:
        # Of the whole list.
        return None, item.kind, ""
    return item.span, item.kind, item.about


def too_much_to_follow(context: Context) -> Iterator[Draft]:
    """More could happen than was followed, so silence proves nothing."""
    simulation = context.simulation
    if simulation is None:
        return
    if simulation.unfollowed is not None:
        yield _unfollowed(simulation, simulation.unfollowed)
    elif simulation.truncated and simulation.steps:
        yield _truncated(simulation)


def _unfollowed(simulation: Simulation, command: Command) -> Draft:
    """Where the work that a run may do has come to its end."""
    left = len(simulation.plan.commands) - len(simulation.steps)
    more = f" and the {left - 1:,} after it" if left > 1 else ""
    return Draft(
        severity=Severity.ERROR,
        message=f"this command{more} would take too long to follow: nothing from here"
        " on was checked",
        why="kopslint limits the work for each cluster, so that no list keeps a check"
        " busy forever. Findings before this line are valid. Put 'kops validate"
        " cluster --wait 10m' between the steps, or check the list in parts.",
        locations=(Location(command.span, "checked up to here"),),
        subject="budget",
    )


def _truncated(simulation: Simulation) -> Draft:
    from kopslint.model.etcd.explore import MAX_STATES
    from kopslint.model.interpreter import MAX_COURSES

    return Draft(
        message="this list has more possible courses than kopslint follows",
        why=f"It follows {MAX_STATES:,} states of an etcd cluster and {MAX_COURSES}"
        " courses of a list. Its findings are valid, but there may be more. Put 'kops"
        " validate cluster --wait 10m' between the steps, replace conditions by what"
        " will really run, or check the list in parts.",
        locations=(Location(simulation.steps[-1].command.span, "the list ends here"),),
        subject="too-many-worlds",
    )
