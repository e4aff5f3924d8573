"""Commands that touch machines: update, roll, delete, terraform, the cloud's own.

Sources: kops cmd/kops/update_cluster.go, rolling-update_cluster.go,
reconcile_cluster.go, delete_instancegroup.go, pkg/instancegroups.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops import refusals, terraform
from kopslint.kops.clouds import APPLIED_BY_ROLLS
from kopslint.kops.refusals import Refusal
from kopslint.kops.spec import Manifest, Role, parse_role
from kopslint.records import Record
from kopslint.simulate import machines
from kopslint.simulate.assumptions import Kind, taken
from kopslint.simulate.machines import Rolling
from kopslint.simulate.result import (
    Result,
    applied,
    noted_by_job,
    nothing,
    refused,
    undecided,
)
from kopslint.simulate.situation import Situation, with_groups
from kopslint.simulate.store import unknown_group

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.commands.model import (
        DeleteCluster,
        DeleteFromFile,
        DeleteInstanceGroup,
        Reconcile,
        RollingUpdate,
        UpdateCluster,
    )
    from kopslint.simulate.assumptions import Assumption
    from kopslint.simulate.machines import Watch
    from kopslint.simulate.plan import Plan
    from kopslint.syntax.script import Word


def run_delete_group(
    command: DeleteInstanceGroup, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops delete ig``: the machine goes at once, then the object.

    A group known only at run time is every group that it may be, each a course of
    its own. Without ``--yes`` kops asks, and whoever put it in the list says yes.
    """
    word = command.group
    name = word.text if word is not None else None
    if name is not None:
        return [_deleted(situation, plan, name)]
    existing = tuple(sorted(situation.registry.groups))
    if word is None or not existing:
        return [undecided(situation, "the group to delete is not given")]
    candidates = plan.meant_groups(word, existing)
    assumed = taken(Kind.GROUP, word.shown, candidates)
    return [
        _deleted(situation, plan, name)._replace(assumed=(assumed,))
        for name in candidates
    ]


def _deleted(situation: Situation, plan: Plan, group: str) -> Result:
    if group not in situation.registry.groups:
        return unknown_group(situation, plan, group)
    problem = refusals.of_deleting(group, situation.registry)
    if problem is not None:
        return refused(situation, problem)
    registry = with_groups(situation.registry, (), removed=[group])
    return applied(machines.drop(situation._replace(registry=registry), group))


def run_delete_file(
    command: DeleteFromFile, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops delete -f``: with ``--yes`` every group of the files goes.

    With the Cluster among them it is the whole cluster. A file that nobody knows is
    taken to hold the group that it is called like, or else those that the change
    removes, if there are any.
    """
    if not command.yes:
        return [nothing(situation)]
    assumed = plan.assumed_of(command.files, "the groups that the change removes")
    situation = situation.guessing(assumed)
    for word in command.files:
        known, called = plan.objects_of(word), plan.group_called(word)
        if known is not None and known.cluster is not None:
            return [applied(_without_cluster(situation), *assumed)]
        if known is not None:
            names = list(known.groups)
        elif called is not None:
            names = [called]
        else:
            names = sorted(situation.registry.groups.keys() - plan.after.groups.keys())
            if not names:
                return [undecided(situation, f"what {word.shown} holds")]
        for name in names:
            result = _deleted(situation, plan, name)
            if result.refusals:
                return [result._replace(assumed=assumed)]
            situation = result.situation
    return [applied(situation, *assumed)]


def run_delete_cluster(command: DeleteCluster, situation: Situation) -> Result:
    """``kops delete cluster``: nothing is left to simulate, which is the point.

    With ``--unregister`` only the state store forgets it, its keys and backups too.
    """
    if not command.yes:
        return nothing(situation)
    if command.unregister:
        return applied(_forgotten(situation))
    return applied(_without_cluster(situation))


def _without_cluster(situation: Situation) -> Situation:
    """No machine, disk or etcd is left, and nothing in the state store."""
    return _forgotten(situation)._replace(cloud={}).with_etcd({})


def _forgotten(situation: Situation) -> Situation:
    empty = Manifest(name=situation.registry.name, cluster=None, groups={})
    return situation._replace(registry=empty)


def run_update(
    command: UpdateCluster, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops update cluster``: refused as a whole, or published and applied.

    A dry run asks the same questions. A terraform target writes files; the rest
    happens when terraform applies them.
    """
    problem = update_refusals(situation.registry, plan)
    if problem:
        return [refused(situation, *problem)]
    target = command.target.text if command.target is not None else "direct"
    results = _rendered(situation) if target in ("terraform", None) else []
    if target != "terraform":
        results += _updated(command, situation)
    return results


def _rendered(situation: Situation) -> list[Result]:
    """The objects become files of terraform, where kops renders any."""
    cloud = situation.registry.cloud
    if cloud in terraform.REFUSED_ON:
        said = f"cloud provider {cloud} does not support the terraform target"
        return [refused(situation, Refusal("no-terraform", said, cloud or ""))]
    return [applied(situation._replace(rendered=situation.registry))]


def _updated(command: UpdateCluster, situation: Situation) -> list[Result]:
    """The objects are brought to the cloud, as far as the command line lets them.

    A phase and a lifecycle that only run time knows are followed both ways.
    """
    if not command.yes:
        return [nothing(situation)]
    if command.leaves_machines:
        return [applied(situation)]
    only = _selected(situation.registry, command.groups, command.roles)
    overrides = command.lifecycle_overrides
    keeps_spec = any("ManagedFile=Ignore" in word.shown for word in overrides)
    unsure = not keeps_spec and any(word.text is None for word in overrides)
    results = [
        applied(
            machines.apply(
                situation, situation.registry, groups=only.groups, publish=publish
            ),
            *only.assumed,
        )
        for publish in ((True, False) if unsure else (not keeps_spec,))
    ]
    if command.phase is not None and command.phase.text is None:
        results.append(applied(situation))
    return results


def update_refusals(registry: Manifest, plan: Plan) -> tuple[Refusal, ...]:
    """Why an update of ``registry`` is refused; groups nobody showed are not missed.

    A specification without a single group of a role says nothing about that role.
    """
    found = refusals.of_update(registry)
    workers = [g for g in plan.before.groups.values() if not g.is_control_plane]
    left = [g for g in registry.groups.values() if not g.is_control_plane]
    if workers and not left:
        none = "must configure at least one Node InstanceGroup"
        found += (Refusal("no-nodes", none, registry.name),)
    return found


class Selected(Record):
    """The groups that the filters of a command select; None: it has no filters.

    ``assumed`` is what is taken for granted where a filter is known at run time only.
    """

    groups: frozenset[str] | None
    assumed: tuple[Assumption, ...] = ()


def _selected(
    registry: Manifest, named: tuple[Word, ...], roles: tuple[Word, ...]
) -> Selected:
    """The groups that ``--instance-group`` or else the roles select.

    What only run time knows is taken to be every group that it fits.
    """
    groups: set[str] = set()
    assumed: list[Assumption] = []
    for word in named or roles:
        if word.text is None:
            found = _fitting(word, registry.groups if named else _ROLES)
            assumed.append(taken(Kind.GROUP, word.shown, found, joined="and"))
        else:
            found = [word.text]
        if roles and not named:
            wanted = {parse_role(name) for name in found}
            found = [n for n, g in registry.groups.items() if g.role in wanted]
        groups.update(found)
    filters = named or roles
    return Selected(frozenset(groups) if filters else None, tuple(assumed))


_ROLES = ("control-plane", *(role.value.lower() for role in list(Role)[1:]))


def _fitting(word: Word, names: Iterable[str]) -> list[str]:
    """The names that a word may be, by what of it is known; all if it fits none."""
    known = (re.escape(p) if isinstance(p, str) else ".*" for p in word.pieces)
    pattern = re.compile("".join(known))
    return [name for name in names if pattern.fullmatch(name)] or list(names)


def run_roll(
    command: RollingUpdate, situation: Situation, plan: Plan, watch: Watch
) -> list[Result]:
    """``kops rolling-update cluster``: one control-plane machine after another.

    Where another one runs at the same time, both find the cluster healthy before
    either has taken a machine: its validation is as good as none.
    """
    registry = situation.registry
    for word in command.groups:
        if word.text is not None and word.text not in registry.groups:
            return [unknown_group(situation, plan, word.text)]
    if not command.yes:
        return [nothing(situation)]
    only = _selected(registry, command.groups, command.roles)
    selected = [
        group.name
        for group in registry.control_plane
        if situation.cloud.get(group.name, 0) > 0
        and (only.groups is None or group.name in only.groups)
    ]
    count = command.validate_count.text if command.validate_count is not None else "2"
    after = [
        rolled
        for rechecks in ((True, False) if count is None else (count != "0",))
        for rolled in machines.roll(
            situation, selected, _rolling(command, situation, plan, rechecks), watch
        )
    ]
    results = [
        result._replace(assumed=only.assumed) for result in _ended(situation, after)
    ]
    return [noted_by_job(result) for result in results] if selected else results


def _rolling(
    command: RollingUpdate, situation: Situation, plan: Plan, rechecks: bool
) -> Rolling:
    """How the machines are replaced."""
    return Rolling(
        force=command.force,
        validates=not command.cloudonly and not _is_beside_another(command, situation),
        awaited=situation.job is None,
        insists=command.fail_on_validate_error,
        rechecks=rechecks,
        publishes=_publishes(situation.registry, plan),
    )


def _is_beside_another(command: RollingUpdate, situation: Situation) -> bool:
    """Whether another command may be replacing control-plane machines meanwhile."""
    return bool(command.at_once) or situation.replacing


def _publishes(registry: Manifest, plan: Plan) -> bool:
    return registry.cloud in APPLIED_BY_ROLLS and not update_refusals(registry, plan)


def _ended(before: Situation, after: list[Situation]) -> list[Result]:
    """Results of a roll: where validation stopped it, kops fails."""
    results = []
    for situation in after:
        if situation.ok:
            results.append(applied(situation))
            continue
        missing = machines.missing_groups(before)
        why = (
            f'InstanceGroup "{missing[0]}" is missing from the cloud provider'
            if missing
            else "the cluster does not validate, so the roll stops"
        )
        about = missing[0] if missing else before.registry.name
        results.append(refused(situation, Refusal("not-in-cloud", why, about)))
    return results


def run_reconcile(
    command: Reconcile, situation: Situation, plan: Plan, watch: Watch
) -> list[Result]:
    """``kops reconcile cluster``: update, validate and roll, control plane first."""
    problem = update_refusals(situation.registry, plan)
    if problem:
        return [refused(situation, *problem)]
    if not command.yes:
        return [nothing(situation)]
    then = machines.apply(situation, situation.registry)
    checked = machines.validate(then)
    results = _ended(situation, list(checked.failed))
    if checked.passed is not None:
        selected = [g.name for g in then.registry.control_plane if g.size > 0]
        rolled = machines.roll(checked.passed, selected, Rolling(), watch)
        results.extend(_ended(then, rolled))
    return results


def run_validate(situation: Situation) -> list[Result]:
    """``kops validate cluster``: changes nothing, and fails or not."""
    checked = machines.validate(situation)
    results = [applied(checked.passed)] if checked.passed is not None else []
    failed = Refusal(
        "not-in-cloud", "the cluster does not validate", situation.registry.name
    )
    results.extend(refused(failure, failed) for failure in checked.failed)
    return results
