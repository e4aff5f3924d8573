"""Commands that write the state store: create, replace, edit, upgrade.

They change objects and nothing else; a control plane does not notice before the
next update. Sources: kops cmd/kops/replace.go, create.go, edit_cluster.go,
edit_instancegroup.go, create_ig.go, upgrade_cluster.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops import refusals
from kopslint.kops.decode import make_cluster
from kopslint.kops.refusals import Refusal
from kopslint.kops.spec import InstanceGroup, Role, parse_role
from kopslint.kops.state_store import Part, part_of
from kopslint.model.state import (
    ClusterState,
    Result,
    applied,
    nothing,
    refused,
    undecided,
    with_groups,
)
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.commands.model import (
        CreateFromFile,
        CreateInstanceGroup,
        DeleteBackups,
        EditCluster,
        EditInstanceGroup,
        Replace,
        UpgradeCluster,
    )
    from kopslint.kops.spec import Cluster, Manifest
    from kopslint.model.scenario import Scenario
    from kopslint.shell.ast import Word
    from kopslint.syntax.yaml import Node


# ------------------------------------------------------------------------------------
# What ``kops edit cluster --set`` writes, as far as a change goes by way of it
#
# A list may raise a version step by step, and each step is a change of its own. Only
# versions between those of both sides are followed: any other field is taken to be
# what the change under review says. How a step is judged is not known here.

_ETCD = "etcdClusters"
_SET = re.compile(
    r"(?:cluster\.)?spec\.(?:kubernetesVersion"
    rf"|{_ETCD}\[(?P<etcd>\*|\d+)\]\.version)=v?(?P<version>\d+\.\d+\.\d+)"
)


def on_the_way(
    cluster: Cluster, sets: Iterable[Word], plan: Scenario
) -> Cluster | None:
    """The Cluster that ``--set`` makes of ``cluster`` between before and after.

    The one of after, if these are its versions and others were before; None for
    whatever is no step from one to the other.
    """
    before, after = plan.before.cluster, plan.after.cluster
    if before is None or after is None or cluster.membership != after.membership:
        return None
    node: Node = cluster.node
    for word in sets:
        match = _SET.fullmatch(word.text or "")
        if match is None:
            return None
        version, which = match["version"], match["etcd"]
        value = Scalar(version, version, quoted=False, span=word.span)
        path = ("kubernetesVersion",) if which is None else (_ETCD, which, "version")
        node = _with(node, ("spec", *path), value)
    if not isinstance(node, YamlMapping):
        return None
    made, flaws = make_cluster(node, cluster.version)
    if made is None or flaws:
        return None
    ours, first, last = (_versions(each) for each in (made, before, after))
    if ours == last:
        return after if cluster is not before else None
    between = all(a <= b <= c for a, b, c in zip(first, ours, last, strict=False))
    return made if between and ours != first else None


def _with(node: Node, path: tuple[str, ...], value: Scalar) -> Node:
    """A copy of ``node`` with the value at a path that is there already."""
    if not path:
        return value
    if isinstance(node, YamlMapping):
        return node._replace(
            entries=tuple(
                entry._replace(value=_with(entry.value, path[1:], value))
                if entry.key.text == path[0]
                else entry
                for entry in node.entries
            )
        )
    if isinstance(node, YamlSequence):
        return node._replace(
            items=tuple(
                _with(item, path[1:], value) if path[0] in ("*", str(i)) else item
                for i, item in enumerate(node.items)
            )
        )
    return node


def _versions(cluster: Cluster) -> list[tuple[int, ...]]:
    """The versions that may be set, of Kubernetes and of each etcd, to compare."""
    every = (cluster.kubernetes_version, *(e.version for e in cluster.etcd_clusters))
    return [tuple(map(int, re.findall(r"\d+", version or ""))) for version in every]


def run_replace(
    command: Replace, situation: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops replace -f``: document by document, the Cluster first.

    It stops at the first refusal and keeps what it has stored before. It deletes
    nothing and does not look at groups when it stores a Cluster. A file that nobody
    knows is taken to hold the after spec.
    """
    assumed = plan.assumed_of(command.files, "the spec after")
    situation = situation.guessing(assumed)
    for word in command.files:
        given = plan.objects_of(word) or plan.taken_for(word, plan.after)
        registry, problem = _replaced(situation.registry, given, force=command.force)
        situation = situation._replace(registry=registry)
        if problem:
            return [refused(situation, *problem, assumed=assumed)]
    return [applied(situation, *assumed)]


def _replaced(
    registry: Manifest, given: Manifest, *, force: bool
) -> tuple[Manifest, tuple[Refusal, ...]]:
    """The registry once the objects of a file are in it, as far as kops goes."""
    problem = _cluster_refusals(registry, given.cluster, force=force)
    if problem:
        return registry, problem
    if given.cluster is not None:
        registry = registry.replaced(cluster=given.cluster)
    for group in given.groups.values():
        problem = tuple(refusals.of_group(group))
        if not force and group.name not in registry.groups:
            problem += (_missing("instanceGroup", group.name, group),)
        if problem:
            return registry, problem
        registry = with_groups(registry, [group])
    return registry, ()


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
    command: CreateFromFile, situation: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops create -f``: new objects only; an existing one is refused.

    A file that nobody knows is taken to hold what is missing of the after spec.
    """
    assumed = plan.assumed_of(command.files, "what is missing of the spec after")
    situation = situation.guessing(assumed)
    registry = situation.registry
    for word in command.files:
        known = plan.objects_of(word)
        given = known or plan.taken_for(word, plan.after)
        exists = _taken(given, registry) if known is not None else None
        if exists is not None:
            stored = situation._replace(registry=registry)
            return [refused(stored, exists, assumed=assumed)]
        if registry.cluster is None and given.cluster is not None:
            registry = registry.replaced(cluster=given.cluster)
        new = (g for name, g in given.groups.items() if name not in registry.groups)
        registry = with_groups(registry, new)
    return [applied(situation._replace(registry=registry), *assumed)]


def _taken(given: Manifest, registry: Manifest) -> Refusal | None:
    """Which object of ``given`` is there already, the Cluster asked for first.

    Source: kops cmd/kops/create.go, RunCreate.
    """
    label = "in the state store already"
    if given.cluster is not None and registry.cluster is not None:
        where = given.cluster.at("metadata", "name")
        said = f'cluster "{given.name}" already exists'
        return Refusal("exists", said, given.name, ((where, label),))
    for name, group in given.groups.items():
        if name in registry.groups:
            where = group.at("metadata", "name")
            said = f"error creating instanceGroup: {name} already exists"
            return Refusal("exists", said, name, ((where, label),))
    return None


def run_edit_cluster(
    command: EditCluster, situation: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops edit cluster``: the Cluster becomes that of the after spec.

    What is typed into an editor is not in the list, so the change that is under
    review is what it must be. ``--set`` says what it writes; unless it is about
    etcd members, the members stay. The edit is refused where the whole would not
    validate.
    """
    written = (*command.sets, *command.unsets)
    if written and not any("etcdMembers" in word.shown for word in written):
        old = situation.registry.cluster
        step = None
        if old is not None and not command.unsets:
            step = on_the_way(old, command.sets, plan)
        return [applied(situation)] if step is None else _stored(situation, step, ())
    return _stored(situation, plan.after.cluster, ())


def run_upgrade(
    command: UpgradeCluster, situation: ClusterState, plan: Scenario
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
    situation: ClusterState,
    cluster: Cluster | None,
    groups: Iterable[InstanceGroup],
) -> list[Result]:
    new = with_groups(situation.registry, groups)
    if cluster is not None:
        new = new.replaced(cluster=cluster)
    problem = refusals.of_edit(situation.registry, new)
    if problem:
        return [refused(situation, *problem)]
    return [applied(situation._replace(registry=new))]


def run_edit_group(
    command: EditInstanceGroup, situation: ClusterState, plan: Scenario
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
        return [unknown_group(situation, plan, name)]
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
        zero = old._replace(min_size=0, max_size=0)
        return [unchanged, _with_group(situation, zero)]
    return [unchanged]


def unknown_group(situation: ClusterState, plan: Scenario, name: str) -> Result:
    """What comes of a command about a group that is not in the state store.

    It may be there all the same where kops itself makes groups.
    """
    assumed = plan.made_by_kops(name)
    if assumed is not None:
        return applied(situation, assumed)
    gone = Refusal("unknown-group", f'InstanceGroup "{name}" not found', name)
    return refused(situation, gone)


def _with_group(situation: ClusterState, group: InstanceGroup) -> Result:
    problem = tuple(refusals.of_group(group))
    if problem:
        return refused(situation, *problem)
    registry = with_groups(situation.registry, [group])
    return applied(situation._replace(registry=registry))


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
    return group._replace(
        min_size=sizes.get("minSize", group.min_size),
        max_size=sizes.get("maxSize", group.max_size),
    )


def run_create_group(
    command: CreateInstanceGroup, situation: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops create ig``: the group of the after spec, or one as the flags say.

    With the editor open, kops asks a control-plane group for its etcd members; the
    documented way to grow a control plane creates the groups first all the same,
    so that is not held against it here.
    """
    unknown = _unknown_role(command.role)
    if unknown is not None:
        return [refused(situation, unknown)]
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
            node=YamlMapping((), command.span),
        )
    return [_with_group(situation, group)]


_RARE_ROLES = ("etcd", "scheduler", "kubecontrollermanager")
"""Roles that kops reads too, and that only an experiment uses."""


def _unknown_role(word: Word | None) -> Refusal | None:
    """What kops says to a role that there is not. Source: create_instancegroup.go."""
    said = word.text if word is not None else None
    if word is None or said is None or parse_role(said) is not None:
        return None
    if said.lower().removesuffix("s") in _RARE_ROLES:
        return None
    place = (word.span, "no role of kops")
    return Refusal("command-line", f'unknown role "{said}"', said, (place,))


def run_delete_backups(
    command: DeleteBackups, situation: ClusterState, plan: Scenario
) -> list[Result]:
    """Objects are removed from a bucket; what of it is the state store is for a rule.

    Only where nobody can tell, it is left open, if there still is a cluster.
    """
    target, cluster = command.target, plan.before.cluster
    if target is None or not situation.cloud:
        return [applied(situation)]
    part = part_of(target, cluster, plan.before.name)
    if part is Part.MAYBE:
        why = "whether this is the state store is only known at run time"
        return [undecided(situation, why)]
    if part is Part.REST:
        return [undecided(situation, "it changes the state store past kops")]
    return [applied(situation) if part is not None else nothing(situation)]
