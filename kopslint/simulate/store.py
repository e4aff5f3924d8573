"""Commands that write the state store: create, replace, edit, upgrade.

They change objects and nothing else; a control plane does not notice before the
next update. Sources: kops cmd/kops/replace.go, create.go, edit_cluster.go,
edit_instancegroup.go, create_ig.go, upgrade_cluster.go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kopslint.kops import refusals
from kopslint.kops.refusals import Refusal
from kopslint.kops.spec import InstanceGroup, Role, parse_role
from kopslint.simulate.result import Result, applied, nothing, refused, undecided
from kopslint.simulate.situation import Situation, with_groups
from kopslint.syntax.yaml_tree import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.commands.model import (
        CreateFromFile,
        CreateInstanceGroup,
        EditCluster,
        EditInstanceGroup,
        Replace,
        UpgradeCluster,
    )
    from kopslint.kops.spec import Cluster, Manifest
    from kopslint.simulate.plan import Plan
    from kopslint.syntax.script import Word


def run_replace(command: Replace, situation: Situation, plan: Plan) -> list[Result]:
    """``kops replace -f``: document by document, the Cluster first.

    It stops at the first refusal and keeps what it has stored before. It deletes
    nothing and does not look at groups when it stores a Cluster.
    """
    registry = situation.registry
    for word in command.files:
        given = plan.meant_manifest(word)
        problem = _cluster_refusals(registry, given.cluster, force=command.force)
        if problem:
            return [refused(replace(situation, registry=registry), *problem)]
        if given.cluster is not None:
            registry = replace(registry, cluster=given.cluster)
        for group in given.groups.values():
            problem = tuple(refusals.of_group(group))
            if not command.force and group.name not in registry.groups:
                problem += (_missing("instanceGroup", group.name, group),)
            if problem:
                return [refused(replace(situation, registry=registry), *problem)]
            registry = with_groups(registry, [group])
    return [applied(replace(situation, registry=registry))]


def _cluster_refusals(
    registry: Manifest, new: Cluster | None, *, force: bool
) -> tuple[Refusal, ...]:
    if new is None:
        return ()
    found = tuple(refusals.of_cluster(new))
    if registry.cluster is not None:
        return found + tuple(refusals.of_cluster_change(registry.cluster, new))
    return found if force else (*found, _missing("cluster", new.name, new))


def _missing(kind: str, name: str, new: Cluster | InstanceGroup) -> Refusal:
    return Refusal(
        "missing-object",
        f"{kind}: {name} does not exist (try adding --force flag)",
        name,
        ((new.at("metadata", "name"), "not in the state store yet"),),
    )


def run_create(
    command: CreateFromFile, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops create -f``: new objects only; an existing one is refused.

    A file that is not among the inputs is taken to hold what is missing.
    """
    registry = situation.registry
    for word in command.files:
        given = plan.meant_manifest(word)
        known = plan.holds(given, word)
        taken = [name for name in given.groups if name in registry.groups]
        if known and taken:
            where = given.groups[taken[0]].at("metadata", "name")
            exists = Refusal(
                "exists",
                f"error creating instanceGroup: {taken[0]} already exists",
                taken[0],
                ((where, "in the state store already"),),
            )
            return [refused(replace(situation, registry=registry), exists)]
        if registry.cluster is None and given.cluster is not None:
            registry = replace(registry, cluster=given.cluster)
        new = (g for name, g in given.groups.items() if name not in registry.groups)
        registry = with_groups(registry, new)
    return [applied(replace(situation, registry=registry))]


def run_edit_cluster(
    command: EditCluster, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops edit cluster``: the Cluster becomes that of the after spec.

    What is typed into an editor is not in the list, so the change that is under
    review is what it must be. ``--set`` says what it writes; unless it is about
    etcd members, the members stay. The edit is refused where the whole would not
    validate.
    """
    written = (*command.sets, *command.unsets)
    if written and not any("etcdMembers" in word.shown for word in written):
        return [applied(situation)]
    return _stored(situation, plan.after.cluster, ())


def run_upgrade(
    command: UpgradeCluster, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops upgrade cluster``: versions and images, with ``--yes``."""
    if not command.yes:
        return [nothing(situation)]
    old, new = situation.registry.cluster, plan.after.cluster
    if old is None or new is None or old.membership != new.membership:
        return [applied(situation)]
    shared = (g for n, g in plan.after.groups.items() if n in situation.registry.groups)
    return _stored(situation, new, shared)


def _stored(
    situation: Situation,
    cluster: Cluster | None,
    groups: Iterable[InstanceGroup],
) -> list[Result]:
    new = with_groups(situation.registry, groups)
    if cluster is not None:
        new = replace(new, cluster=cluster)
    problem = refusals.of_edit(situation.registry, new)
    if problem:
        return [refused(situation, *problem)]
    return [applied(replace(situation, registry=new))]


def run_edit_group(
    command: EditInstanceGroup, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops edit ig``: the group becomes that of the after spec.

    Where it is that already, the editor was opened for something that does not
    last: if the same group is edited again later, it may have been scaled to zero.
    """
    name = command.group.text if command.group is not None else None
    if name is None:
        return [undecided(situation, "the group to edit is only known at run time")]
    old = situation.registry.groups.get(name)
    if old is None:
        gone = Refusal("unknown-group", f'InstanceGroup "{name}" not found', name)
        return [refused(situation, gone)]
    sized = _sized(old, command.sets)
    if sized is not None:
        return [_with_group(situation, sized)]
    if command.sets or command.unsets:
        return [applied(situation)]
    new = plan.after.groups.get(name)
    if new is not None and new is not old:
        return [_with_group(situation, new)]
    unchanged = applied(situation)
    if old.is_control_plane and plan.edited_again(command, name):
        zero = replace(old, min_size=0, max_size=0)
        return [unchanged, _with_group(situation, zero)]
    return [unchanged]


def _with_group(situation: Situation, group: InstanceGroup) -> Result:
    problem = tuple(refusals.of_group(group))
    if problem:
        return refused(situation, *problem)
    registry = with_groups(situation.registry, [group])
    return applied(replace(situation, registry=registry))


def _sized(group: InstanceGroup, sets: tuple[Word, ...]) -> InstanceGroup | None:
    """The group with the sizes that ``--set`` gives it, or None if it gives none."""
    sizes: dict[str, int] = {}
    for word in sets:
        path, _, value = (word.text or "").partition("=")
        field = path.removeprefix("instancegroup.").removeprefix("spec.")
        if field in ("minSize", "maxSize") and value.lstrip("-").isdigit():
            sizes[field] = int(value)
    if not sizes:
        return None
    return replace(
        group,
        min_size=sizes.get("minSize", group.min_size),
        max_size=sizes.get("maxSize", group.max_size),
    )


def run_create_group(
    command: CreateInstanceGroup, situation: Situation, plan: Plan
) -> list[Result]:
    """``kops create ig``: the group of the after spec, or one as the flags say.

    With the editor open, kops asks a control-plane group for its etcd members; the
    documented way to grow a control plane creates the groups first all the same,
    so that is not held against it here.
    """
    if command.dry_run:
        return [nothing(situation)]
    name = command.group.text if command.group is not None else None
    if name is None:
        return [undecided(situation, "the group's name is only known at run time")]
    if name in situation.registry.groups:
        exists = Refusal("exists", f'instance group "{name}" already exists', name)
        return [refused(situation, exists)]
    group = plan.after.groups.get(name) or plan.before.groups.get(name)
    if group is None:
        said = command.role.text if command.role is not None else "node"
        size = 1 if parse_role(said or "") is Role.CONTROL_PLANE else 2
        group = InstanceGroup(
            name=name,
            cluster=situation.registry.name,
            version="v1alpha2",
            role=parse_role(said or ""),
            min_size=size,
            max_size=size,
            subnets=tuple(word.text for word in command.subnets if word.text),
            zones=(),
            node=Mapping((), command.span),
        )
    return [_with_group(situation, group)]
