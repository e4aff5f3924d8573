"""Commands that write the state store: create, replace, edit, upgrade.

They change objects and nothing else; a control plane does not notice before the
next update. Sources: kops cmd/kops/replace.go, create.go, edit_cluster.go,
edit_instancegroup.go, create_ig.go, upgrade_cluster.go.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.commands.kops import CreateFromFile
from kopslint.findings import Severity
from kopslint.kops import refusals
from kopslint.kops.decode import make_cluster, make_group
from kopslint.kops.field_edits import Releases, edited
from kopslint.kops.rejection import Rejection
from kopslint.kops.spec import Cluster, InstanceGroup, Role, parse_role
from kopslint.kops.state_store import Part, part_of
from kopslint.model import validated
from kopslint.model.assumptions import Kind, assume
from kopslint.model.editors import edited_by, who_edits
from kopslint.model.spec_files import about_members
from kopslint.model.state import (
    ClusterState,
    Result,
    applied,
    nothing,
    refused,
    undecided,
    with_groups,
)
from kopslint.records import Record
from kopslint.syntax.yaml import YamlMapping, text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kopslint.commands.kops import (
        CreateInstanceGroup,
        EditCluster,
        EditInstanceGroup,
        EncryptionConfig,
        Replace,
        UpgradeCluster,
    )
    from kopslint.commands.model import DeleteBackups
    from kopslint.kops.field_edits import Kind as ObjectKind
    from kopslint.kops.spec import Manifest
    from kopslint.model.assumptions import Assumption
    from kopslint.model.scenario import Scenario
    from kopslint.shell.ast import Word


# ------------------------------------------------------------------------------------
# What ``kops edit --set`` and ``--unset`` store, object by object
#
# How a path is read and a value set is in ``kopslint.kops.field_edits``. Here an
# edited object becomes one of those that are known where it equals one, so that
# storing what stands in a file already is storing that very object.


class Change(Record):
    """What an edit makes of an object.

    ``value`` is the object after it, None if kops refuses the edit; ``assumed`` is what
    had to be taken for granted, None if nothing.
    """

    value: Cluster | InstanceGroup | None
    refusals: tuple[Rejection, ...] = ()
    assumed: tuple[Assumption, ...] = ()


def changed(
    old: Cluster | InstanceGroup,
    sets: tuple[Word, ...],
    unsets: tuple[Word, ...],
    plan: Scenario,
) -> Change:
    """What ``--set`` and ``--unset`` make of a stored object.

    A value or a field that only run time knows is taken to be what the object has in
    the spec after. The same edit of the same object gives the same result.
    """
    key = ("edit", id(old), *(id(word) for word in (*sets, *unsets)))
    known = plan.memory.get(key)
    if known is None:
        # The object is kept beside the answer, so that its id stays its own.
        known = plan.memory[key] = (old, _changed(old, sets, unsets, plan))
    found: Change = known[1]
    return found


def _changed(
    old: Cluster | InstanceGroup,
    sets: tuple[Word, ...],
    unsets: tuple[Word, ...],
    plan: Scenario,
) -> Change:
    kind: ObjectKind = "Cluster" if isinstance(old, Cluster) else "InstanceGroup"
    if text_at(old.node, "kind") != kind:
        flags = " ".join(word.shown for word in (*unsets, *sets))
        said = f"{flags} changes nothing: {old.name} is in no file"
        return Change(old, assumed=(assume(Kind.SPEC, flags, said),))
    result = edited(
        old.node, kind, old.version, (unsets, sets), _releases(plan), _meant(old, plan)
    )
    if result.refusal is not None:
        return Change(None, (result.refusal,))
    value, flaws = _made(result.node, old)
    if value is None or value.name != old.name:
        said = f"error: {kind} {old.name} cannot be stored under another name"
        return Change(None, (Rejection("edit", said, old.name),))
    if flaws:
        return Change(None, tuple(flaw._replace(about=old.name) for flaw in flaws))
    return Change(
        known_as(value, plan), assumed=tuple(_assumed(result.open, result.lost))
    )


def _made(
    node: YamlMapping, old: Cluster | InstanceGroup
) -> tuple[Cluster | InstanceGroup | None, list[Rejection]]:
    """The object of a node, and the flaws that it did not have before."""
    if isinstance(old, Cluster):
        cluster, flaws = make_cluster(node, old.version)
        had = make_cluster(old.node, old.version)[1]
        return cluster, _new(flaws, had)
    group, flaws = make_group(node, old.version)
    had = make_group(old.node, old.version)[1]
    if group is not None and group.cluster is None:
        group = group._replace(cluster=old.cluster)
    return group, _new(flaws, had)


def _new(flaws: list[Rejection], had: list[Rejection]) -> list[Rejection]:
    old = {flaw.message for flaw in had}
    return [flaw for flaw in flaws if flaw.message not in old]


def _releases(plan: Scenario) -> Releases:
    from kopslint.kops.validation import NEWEST, kops_minor

    oldest = kops_minor(plan.kops_version, plan.before)
    return Releases(oldest, oldest if plan.kops_version is not None else NEWEST)


def _meant(old: Cluster | InstanceGroup, plan: Scenario) -> YamlMapping | None:
    """The same object in the spec after, if it is written the same way."""
    after: Cluster | InstanceGroup | None = plan.after.cluster
    if not isinstance(old, Cluster):
        after = plan.after.groups.get(old.name)
    if after is None or after.version != old.version:
        return None
    return after.node


def _assumed(unknown: tuple[Word, ...], lost: tuple[Word, ...]) -> Iterator[Assumption]:
    for words, what in (
        (unknown, "to set what the spec after has"),
        (lost, "to change nothing that is checked here"),
    ):
        for word in words:
            said = f"{word.shown} is taken {what}"
            yield assume(Kind.SPEC, word.shown, said, span=word.span)


def known_as(value: Cluster | InstanceGroup, plan: Scenario) -> Cluster | InstanceGroup:
    """The object that equals ``value`` and was known before, or else ``value``."""
    known: dict[str, Cluster | InstanceGroup] = plan.memory.setdefault("objects", {})
    if not known:
        for spec in plan.specs:
            if spec.cluster is not None:
                known.setdefault(_fingerprint(spec.cluster), spec.cluster)
            for group in spec.groups.values():
                known.setdefault(_fingerprint(group), group)
    return known.setdefault(_fingerprint(value), value)


def _fingerprint(value: Cluster | InstanceGroup) -> str:
    plain = json.dumps(value.node.plain, sort_keys=True, default=str)
    return f"{value.version} {value.name} {plain}"


def run_replace(command: Replace, state: ClusterState, plan: Scenario) -> list[Result]:
    """``kops replace -f``: document by document, the Cluster first.

    It stops at the first refusal and keeps what it has stored before. It deletes
    nothing and does not look at groups when it stores a Cluster. A file that nobody
    knows is taken to hold the after spec; where a loop goes through such files and the
    list creates the others, only what is there already.
    """
    assumed = plan.assumed_of(command.files, "the spec after")
    state = state.guessing(assumed)
    for word in command.files:
        given = plan.objects_of(word)
        if given is None:
            given = plan.taken_for(word, plan.after)
            if state.each_unknown and _creates_others(plan):
                given = _of_what_is_there(given, state.registry)
        registry, problem = _replaced(state.registry, given, plan, force=command.force)
        state = state._replace(registry=registry)
        if problem:
            return [refused(state, *problem, assumed=assumed)]
    return [applied(state, *assumed)]


def _creates_others(plan: Scenario) -> bool:
    """Whether the list creates the objects of files that only run time knows."""
    return any(
        isinstance(command, CreateFromFile)
        and any(word.text is None for word in command.files)
        for command in plan.commands
    )


def _of_what_is_there(given: Manifest, registry: Manifest) -> Manifest:
    there = {n: g for n, g in given.groups.items() if n in registry.groups}
    return given.replaced(
        cluster=given.cluster if registry.cluster is not None else None, groups=there
    )


def _replaced(
    registry: Manifest, given: Manifest, plan: Scenario, *, force: bool
) -> tuple[Manifest, tuple[Rejection, ...]]:
    """The registry once the objects of a file are in it, as far as kops goes."""
    if given.cluster is not None and given.cluster is not registry.cluster:
        problem = _cluster_refusals(registry, given.cluster, plan, force=force)
        if problem:
            return registry, problem
        registry = registry.replaced(cluster=given.cluster)
    for group in given.groups.values():
        if registry.groups.get(group.name) is group:
            continue
        then = with_groups(registry, [group])
        problem = tuple(refusals.of_group(group))
        problem += validated.of_stored(plan, then, group)
        if not force and group.name not in registry.groups:
            problem += (_missing("instanceGroup", group.name, group),)
        if problem:
            return registry, problem
        registry = then
    return registry, ()


def _cluster_refusals(
    registry: Manifest, new: Cluster, plan: Scenario, *, force: bool
) -> tuple[Rejection, ...]:
    found = tuple(refusals.of_cluster(new))
    found += validated.of_stored(plan, registry.replaced(cluster=new), new)
    if registry.cluster is not None:
        return found + tuple(refusals.of_cluster_change(registry.cluster, new))
    return found if force else (*found, _missing("cluster", new.name, new))


def _missing(kind: str, name: str, new: Cluster | InstanceGroup) -> Rejection:
    return Rejection(
        "missing-object",
        f"{kind}: {name} does not exist (try adding --force flag)",
        name,
        ((new.at("metadata", "name"), "not in the state store yet"),),
    )


def run_create(
    command: CreateFromFile, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops create -f``: new objects only; an existing one is refused.

    A file that nobody knows is taken to hold what is missing of the after spec.
    """
    assumed = plan.assumed_of(command.files, "what is missing of the spec after")
    state = state.guessing(assumed)
    registry = state.registry
    for word in command.files:
        known = plan.objects_of(word)
        given = known or plan.taken_for(word, plan.after)
        exists = _taken(given, registry) if known is not None else None
        if exists is not None:
            stored = state._replace(registry=registry)
            return [refused(stored, exists, assumed=assumed)]
        new = given.replaced(
            cluster=None if registry.cluster is not None else given.cluster,
            groups={n: g for n, g in given.groups.items() if n not in registry.groups},
        )
        registry, problem = _replaced(registry, new, plan, force=True)
        if problem:
            stored = state._replace(registry=registry)
            return [refused(stored, *problem, assumed=assumed)]
    return [applied(state._replace(registry=registry), *assumed)]


def _taken(given: Manifest, registry: Manifest) -> Rejection | None:
    """Which object of ``given`` is there already, the Cluster asked for first.

    Source: kops cmd/kops/create.go, RunCreate.
    """
    label = "in the state store already"
    if given.cluster is not None and registry.cluster is not None:
        where = given.cluster.at("metadata", "name")
        said = f'cluster "{given.name}" already exists'
        return Rejection("exists", said, given.name, ((where, label),))
    for name, group in given.groups.items():
        if name in registry.groups:
            where = group.at("metadata", "name")
            said = f"error creating instanceGroup: {name} already exists"
            return Rejection("exists", said, name, ((where, label),))
    return None


def run_edit_cluster(
    command: EditCluster, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops edit cluster``: the Cluster becomes that of the after spec.

    What is typed into an editor is not in the list, so the change that is under
    review is what it must be. ``--set`` and ``--unset`` say what they write. The edit
    is refused where the whole would not validate.
    """
    if _is_of_old_kops(command):
        return [applied(state)]
    old = state.registry.cluster
    change = _edit(command, old, plan.after.cluster, plan) if old is not None else None
    if change is None:
        told = (_BY_HAND,) if plan.after.cluster is not old else ()
        return _stored(state, plan.after.cluster, (), plan, told)
    if not isinstance(change.value, Cluster):
        return [refused(state, *change.refusals)]
    if change.value is old:
        return [applied(state, *change.assumed)]
    return _stored(state, change.value, (), plan, change.assumed)


_BY_HAND = assume(Kind.SPEC, "", "the edit stores the spec after")
"""Said once for a list: which of its lines are edited by hand, everybody sees."""


def _edit(
    command: EditCluster | EditInstanceGroup,
    old: Cluster | InstanceGroup,
    after: Cluster | InstanceGroup | None,
    plan: Scenario,
) -> Change | None:
    """What flags, or an editor that is a program, make of a stored object.

    None where a person edits it.
    """
    if command.sets or command.unsets:
        return changed(old, command.sets, command.unsets, plan)
    who = who_edits(command.editor)
    if command.editor is None or who == "person":
        return None
    if who == "nobody":
        return Change(old)
    key = ("program", id(old), id(command))
    known = plan.memory.get(key)
    if known is None:
        known = plan.memory[key] = (old, _by_program(command.editor, old, after, plan))
    found: Change = known[1]
    return found


def _by_program(
    editor: Word,
    old: Cluster | InstanceGroup,
    after: Cluster | InstanceGroup | None,
    plan: Scenario,
) -> Change:
    made = edited_by(editor, old, editor.span)
    what = f"{old.name} as in the spec after"
    if made is not None:
        what = f"what it makes of {old.name} as kopslint prints it"
    said = f"the editor {editor.shown} stores {what}"
    takes = made is None and about_members(plan.specs).search(editor.shown)
    # Whoever takes members out of the spec may store what breaks the cluster.
    severity = Severity.WARNING if takes else Severity.INFO
    assumed = (assume(Kind.SPEC, editor.shown, said, severity=severity),)
    return Change(known_as(made or after or old, plan), assumed=assumed)


def _is_of_old_kops(command: EditCluster | EditInstanceGroup) -> bool:
    """Whether it is ``kops set`` or ``kops unset``, which kops has no longer.

    A rule of its own says so; nothing is taken to be stored.
    """
    return any(problem.kind == "removed-command" for problem in command.problems)


def run_upgrade(
    command: UpgradeCluster, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops upgrade cluster``: versions and images, with ``--yes``."""
    if not command.yes:
        return [nothing(state)]
    old, new = state.registry.cluster, plan.after.cluster
    if old is None or new is None or old.membership != new.membership:
        return [applied(state)]
    shared = (g for n, g in plan.after.groups.items() if n in state.registry.groups)
    return _stored(state, new, shared, plan)


def _stored(
    state: ClusterState,
    cluster: Cluster | None,
    groups: Iterable[InstanceGroup],
    plan: Scenario,
    assumed: tuple[Assumption, ...] = (),
) -> list[Result]:
    new = with_groups(state.registry, groups)
    if cluster is not None:
        new = new.replaced(cluster=cluster)
    problem = refusals.of_edit(state.registry, new)
    problem += validated.of_edited_cluster(plan, new)
    if problem:
        return [refused(state, *problem, assumed=assumed)]
    return [applied(state._replace(registry=new), *assumed)]


def _edited_somewhere(
    command: EditInstanceGroup, state: ClusterState, plan: Scenario
) -> Result:
    """What an editor makes of a group that only run time knows: what is under review.

    Fields that the command sets may be set on any group, and so that is not followed.
    """
    if command.sets or command.unsets or command.group is None:
        return undecided(state, "the group to edit is only known at run time")
    stored = state.registry.groups
    groups = [plan.after.groups.get(name, group) for name, group in stored.items()]
    registry = with_groups(state.registry, groups)
    shown = command.group.shown
    text = f"{shown} is the object that the change modifies"
    assumed = assume(Kind.SPEC, shown, text)
    return applied(state._replace(registry=registry), assumed)


def run_edit_group(
    command: EditInstanceGroup, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops edit ig``: the group becomes that of the after spec.

    Where it is that already, the editor was opened for something that does not
    last: if the same group is edited again later, it may have been scaled to zero.
    """
    name = command.group.text if command.group is not None else None
    if name is None:
        return [_edited_somewhere(command, state, plan)]
    old = state.registry.groups.get(name)
    if old is None:
        return [unknown_group(state, plan, name)]
    if _is_of_old_kops(command):
        return [applied(state)]
    new = plan.after.groups.get(name)
    change = _edit(command, old, new, plan)
    if change is not None:
        if not isinstance(change.value, InstanceGroup):
            return [refused(state, *change.refusals)]
        if change.value is old:
            return [applied(state, *change.assumed)]
        return [_with_group(state, change.value, plan, change.assumed)]
    if new is not None and new is not old:
        return [_with_group(state, new, plan, (_BY_HAND,))]
    unchanged = applied(state)
    if old.is_control_plane and plan.edited_again(command, name):
        zero = old._replace(min_size=0, max_size=0)
        return [unchanged, _with_group(state, zero, plan)]
    return [unchanged]


def unknown_group(state: ClusterState, plan: Scenario, name: str) -> Result:
    """What comes of a command about a group that is not in the state store.

    It may be there all the same where kops itself makes groups.
    """
    assumed = plan.made_by_kops(name)
    if assumed is not None:
        return applied(state, assumed)
    gone = Rejection("unknown-group", f'InstanceGroup "{name}" not found', name)
    return refused(state, gone)


def _with_group(
    state: ClusterState,
    group: InstanceGroup,
    plan: Scenario,
    assumed: tuple[Assumption, ...] = (),
) -> Result:
    """What comes of storing a group by ``edit ig``, which looks at its Cluster too."""
    return _group_stored(state, group, plan, validated.of_edited_group, assumed)


def _group_stored(
    state: ClusterState,
    group: InstanceGroup,
    plan: Scenario,
    validate: Callable[[Scenario, Manifest, InstanceGroup], tuple[Rejection, ...]],
    assumed: tuple[Assumption, ...],
) -> Result:
    """What comes of storing a group that kops validates beside what is stored."""
    registry = with_groups(state.registry, [group])
    problem = (*refusals.of_group(group), *validate(plan, registry, group))
    if problem:
        return refused(state, *problem, assumed=assumed)
    return applied(state._replace(registry=registry), *assumed)


def run_encryption_config(
    command: EncryptionConfig, state: ClusterState, plan: Scenario
) -> Result:
    """``kops create secret encryptionconfig``: what API servers decrypt with.

    Nobody can ask the state store which key is in use. What a list stores after that is
    held to what it stored before, by KL323.
    """
    first, keys = plan.new_keys, plan.keys_of(command)
    if not command.force or first is None or (keys is not None and not keys.every):
        return applied(state)
    if keys is not None and (first is not command or plan.rotated is not None):
        return applied(state)
    shown = command.file.shown if command.file is not None else "the file"
    said = f"{shown} has the key with which Secrets are encrypted now"
    return applied(state, assume(Kind.SPEC, shown, said, severity=Severity.WARNING))


def run_create_group(
    command: CreateInstanceGroup, state: ClusterState, plan: Scenario
) -> list[Result]:
    """``kops create ig``: the group of the after spec, or one as the flags say.

    kops looks the subnets up in the stored Cluster. With the editor open, it also asks
    a control-plane group for its etcd members; the documented way to grow a control
    plane (kops docs/single-to-multi-master.md) creates the groups first all the same,
    so neither is held against it: that the subnets are stored before is assumed.
    Source: kops cmd/kops/create_instancegroup.go, RunCreateInstanceGroup.
    """
    unknown = _unknown_role(command.role)
    if unknown is not None:
        return [refused(state, unknown)]
    if command.dry_run:
        return [nothing(state)]
    name = command.group.text if command.group is not None else None
    if name is None:
        return [undecided(state, "the group's name is only known at run time")]
    if name in state.registry.groups:
        exists = Rejection("exists", f'instance group "{name}" already exists', name)
        return [refused(state, exists)]
    group = plan.after.groups.get(name) or plan.before.groups.get(name)
    if group is None:
        said = command.role.text if command.role is not None else "node"
        size = 1 if parse_role(said or "") is Role.CONTROL_PLANE else 2
        group = InstanceGroup(
            name=name,
            cluster=state.registry.name,
            version="v1alpha2",
            role=parse_role(said or ""),
            min_size=size,
            max_size=size,
            subnets=tuple(word.text for word in command.subnets if word.text),
            zones=(),
            node=YamlMapping((), command.span),
        )
    return [_created(command, state, group, plan)]


def _created(
    command: CreateInstanceGroup,
    state: ClusterState,
    group: InstanceGroup,
    plan: Scenario,
) -> Result:
    """What comes of creating a group beside the Cluster that is stored."""
    strange = _not_stored(command, state.registry, group)
    if strange and not group.is_control_plane:
        return refused(state, strange[0])
    assumed = tuple(
        assume(
            Kind.SPEC,
            refusal.about,
            f"the subnet {refusal.about} is stored before {group.name}",
        )
        for refusal in strange
    )
    return _group_stored(state, group, plan, validated.of_stored, assumed)


def _not_stored(
    command: CreateInstanceGroup, registry: Manifest, group: InstanceGroup
) -> list[Rejection]:
    """A refusal for every subnet of a new group that the stored Cluster lacks.

    A Cluster that shows no subnets is an excerpt. Source: CrossValidateInstanceGroup
    with the editor open; without, PopulateInstanceGroupSpec looks for their zones.
    """
    cluster = registry.cluster
    if cluster is None or not cluster.subnets:
        return []
    flags = {word.text: word for word in command.subnets}
    named = tuple(flags) if flags else group.subnets
    return [
        Rejection(
            "missing-subnet",
            f'spec.networking.subnets[{index}]: Not found: "{name}"',
            name,
            (
                (
                    flags[name].span if name in flags else group.at("spec", "subnets"),
                    "no such subnet in the stored Cluster",
                ),
            ),
            by="validation",
        )
        for index, name in enumerate(named)
        if name is not None and cluster.subnet(name) is None
    ]


_RARE_ROLES = ("etcd", "scheduler", "kubecontrollermanager")
"""Roles that kops reads too, and that only an experiment uses."""


def _unknown_role(word: Word | None) -> Rejection | None:
    """What kops says to a role that there is not. Source: create_instancegroup.go."""
    said = word.text if word is not None else None
    if word is None or said is None or parse_role(said) is not None:
        return None
    if said.lower().removesuffix("s") in _RARE_ROLES:
        return None
    place = (word.span, "no role of kops")
    message = f'unknown role "{said}"'
    return Rejection("bad-value", message, said, (place,), by="command line")


def run_delete_backups(
    command: DeleteBackups, state: ClusterState, plan: Scenario
) -> list[Result]:
    """Objects are removed from a bucket; what of it is the state store is for a rule.

    Only where nobody can tell, it is left open, if there still is a cluster.
    """
    target, cluster = command.target, plan.before.cluster
    if target is None or not state.cloud:
        return [applied(state)]
    name = plan.before.name
    parts = {part_of(word, cluster, name) for word in (target, *command.others)}
    if Part.MAYBE in parts:
        why = "it is only known at run time whether this is the state store"
        return [undecided(state, why)]
    if Part.REST in parts:
        return [undecided(state, "it changes the state store behind kops's back")]
    return [applied(state) if parts - {None} else nothing(state)]
