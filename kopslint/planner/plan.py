"""From both sides of a change to a runbook: the entry to this room.

The change is divided into stages at the specs between, the order of each stage is
searched, and the whole runbook is replayed once more, as it will be printed. No file is
opened here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands.model import DeleteVolumes
from kopslint.kops import refusals
from kopslint.kops.clouds import addresses, cloud_named
from kopslint.kops.decode import other_objects
from kopslint.kops.etcd_manager import is_managed, runs_without
from kopslint.kops.placeholders import left_for_people
from kopslint.kops.spec import Role
from kopslint.kops.state_store import backups_of
from kopslint.model.actions.machines import update_refusals
from kopslint.model.initial import aligned, healthy
from kopslint.model.scenario import Scenario
from kopslint.model.spec_files import SpecFiles
from kopslint.model.timeline import views
from kopslint.planner.execute import perform
from kopslint.planner.intermediate_specs import Spec
from kopslint.planner.milestones import (
    Stages,
    backward,
    best_way,
    copied_back,
    needs_roll,
    reconciles,
)
from kopslint.planner.releases import ends, etcd_before, kops_for_step
from kopslint.planner.runbook import NoWay, Runbook, Step
from kopslint.planner.steps import PlannedSteps, file_key
from kopslint.records import Record
from kopslint.syntax.yaml import span_of, text_at
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.kops.spec import Manifest
    from kopslint.model.state import ClusterState
    from kopslint.planner.steps import PlannedStep
    from kopslint.syntax.yaml import Plain


_UNREADABLE = ("missing", "wrong-type", "unknown-role", "unsupported-version")
"""The flaws of a spec with which kops would not even store it."""


class Options(Record):
    """How to go about it: by terraform or directly.

    ``text`` is what to write to the file of the after side, if it is in none.
    ``kops_version`` is the kops that runs the plan, if it is known.
    """

    terraform: bool = False
    text: str | None = None
    kops_version: str | None = None


def plan_route(
    before: Manifest,
    after: Manifest,
    files: tuple[str, ...],
    options: Options | None = None,
) -> Runbook | NoWay:
    """The best safe order that brings a healthy ``before`` to ``after``.

    Both must hold the Cluster and its control-plane groups; ``files`` are those of
    ``after``, as the commands are to name them, the Cluster first.
    """
    options = options or Options()
    before, after = aligned(before, after)
    store = state_store(before)
    if before.cluster is after.cluster and before.groups == after.groups:
        return Runbook(before.name, store, ())
    final = Spec(files, after, after.sources, options.text)
    wrong = tuple(_wrong(before, after, options.kops_version))
    if wrong:
        return NoWay(before.name, store, wrong)
    etcd_clusters = tuple(etcd.name for etcd in before.etcd_clusters)
    backups = tuple(backups_of(before, etcd) for etcd in before.etcd_clusters)
    no_way = NoWay(before.name, store, (), etcd_clusters, backups, files=files)
    back = backward(before, after)
    if back is not None:
        kept = copied_back(before, after)
        return no_way._replace(reasons=(back,), keeps_data=kept)
    deeds = PlannedSteps(before.name, before.cloud, terraform=options.terraform)
    if no := _not_there(before, after, deeds):
        return NoWay(before.name, store, (no,))
    leaving = [name for name in before.groups if name not in after.groups]
    if no := _not_deleted(leaving, deeds.cloud):
        return NoWay(before.name, store, (no,))
    legs = Stages(before, final, deeds)
    found, cut = best_way(legs)
    if found is None:
        return no_way._replace(reasons=(_unreachable(before, after),), cut=cut)
    retired = [d.about for d in found.deeds if d.kind in ("delete", "retire")]
    if no := _not_deleted(retired, deeds.cloud):
        return NoWay(before.name, store, (no,))
    return _runbook(before, final, found.deeds, deeds, cut=cut)


def state_store(manifest: Manifest) -> str | None:
    """The state store as ``KOPS_STATE_STORE`` wants it, if the spec says it.

    Source: kops pkg/apis/kops/registry/registry.go puts a cluster below the store.
    """
    node = manifest.cluster.node if manifest.cluster is not None else None
    base = text_at(node, "spec", "configBase")
    base = base or text_at(node, "spec", "configStore", "base")
    tail = f"/{manifest.name}"
    if base is None or not base.rstrip("/").endswith(tail):
        return None
    return base.rstrip("/").removesuffix(tail)


def _wrong(
    before: Manifest, after: Manifest, kops_version: str | None
) -> Iterator[str]:
    """What is wrong with the change itself, whatever the order."""
    for side, manifest in (("before", before), ("after", after)):
        for flaw in manifest.flaws:
            span, _ = flaw.places[0]
            if flaw.kind in _UNREADABLE:
                where = f"{span.source.path}:{span.line}:{span.column}"
                yield f"kops cannot read the spec {side}: {flaw.message} ({where})"
    yield from _without_manager(before, after)
    for refusal in refusals.of_update(before):
        yield (
            "no cluster can be running the spec before, because kops refuses it:"
            f" {refusal.message}"
        )
    for side, manifest in (("before", before), ("after", after)):
        stopped = [group.name for group in manifest.control_plane if group.size < 1]
        if stopped:
            yield _without_machines(side, stopped)
    for source in after.sources:
        for node in other_objects(source):
            span = span_of(node, "kind")
            yield (
                f"`kops replace` stops at the {text_at(node, 'kind')} in {source.path}"
                f':{span.line} with "unhandled kind", after what was stored before it: '
                "keep it in a file of its own"
            )
    # A file that leaves all nodes out must not become a plan that deletes them.
    scenario = Scenario(before=before, after=after, kops_version=kops_version)
    for refusal in update_refusals(after, scenario):
        yield f"kops refuses the spec after: {refusal.message}"
    if before.cluster is not None and after.cluster is not None:
        for refusal in refusals.of_cluster_change(before.cluster, after.cluster):
            if refusal.kind == "etcd-cluster-removed":
                yield f"kops refuses the change: {refusal.message}"


def _not_deleted(groups: Sequence[str], cloud: str | None) -> str | None:
    """Why groups cannot be deleted on this cloud."""
    known = cloud_named(cloud)
    if not groups or known is None or known.delete_group_does is None:
        return None
    return (
        f"{', '.join(groups)} would have to be deleted on {cloud}, and `kops delete"
        f" ig` does not do that: {known.delete_group_does}. It needs the cloud's own"
        " program, and no order has been tested"
    )


def _without_manager(before: Manifest, after: Manifest) -> Iterator[str]:
    """What stands against a change where no etcd-manager runs etcd."""
    names = {
        etcd.name: side
        for side in (after, before)
        for etcd in side.etcd_clusters
        if not is_managed(etcd)
    }
    legacy = f"etcd {', '.join(names)} with provider: Legacy"
    if any(not runs_without(side.cluster) for side in names.values()):
        yield f"{legacy}: no kops supports that from Kubernetes 1.18 on"
    elif any(_names_of(before, name) != _names_of(after, name) for name in names):
        yield (
            f"{legacy} has no etcd-manager, so nothing adds or removes its members;"
            " let etcd-manager take over first, in a separate change"
        )


def _names_of(side: Manifest, etcd_cluster: str) -> set[str]:
    found = (
        side.cluster.etcd_cluster(etcd_cluster) if side.cluster is not None else None
    )
    return {member.name for member in found.members} if found is not None else set()


def _not_there(before: Manifest, after: Manifest, deeds: PlannedSteps) -> str | None:
    """Why this change cannot be planned on this cloud, or not by terraform."""
    cloud = deeds.cloud
    known = cloud_named(cloud)
    if known is None or known.delete_volume is None:
        said = f"on {cloud}" if cloud is not None else "without a cloudProvider"
        return f"kopslint does not know what happens to machines and volumes {said}"
    if not deeds.terraform:
        return None
    if known.terraform is None:
        return f"kops has no terraform target for {cloud}"
    if known.terraform.rolls_past and needs_roll(before, after):
        return (
            f"on {cloud} a rolling update creates the new machines itself, outside"
            " terraform's state, and terraform would create them again: plan it"
            " without --target terraform, then update terraform's state"
        )
    if reconciles(before, after):
        for group in after.control_plane:
            if not addresses(group, after):
                return (
                    f"the nodes must wait for the control plane, but on {cloud} the"
                    f" terraform name of {group.name} is not known"
                )
    return None


def _without_machines(side: str, groups: Sequence[str]) -> str:
    """That control-plane groups of size 0 are no state to plan from or to."""
    text = f"the spec {side} asks for no machine in {', '.join(groups)}"
    if side == "before":
        return (
            f"{text}, but a plan starts from a cluster whose members all run: set"
            " minSize and maxSize to 1 there, apply that, then plan from it"
        )
    return (
        f"{text}: an etcd member without a machine counts against quorum forever. If"
        " it should stay, set minSize and maxSize to 1; otherwise remove it from"
        " every etcd cluster, and its group from the spec"
    )


def _unreachable(before: Manifest, after: Manifest) -> str:
    return (
        f"no order of kops and etcdctl commands brings {len(before.control_plane)} to"
        f" these {len(after.control_plane)} members while keeping quorum"
    )


def _runbook(
    before: Manifest,
    final: Spec,
    way: Sequence[PlannedStep],
    deeds: PlannedSteps,
    *,
    cut: bool,
) -> Runbook:
    """The way as it is printed: files named in order, every step with its trace."""
    renamed = _named(way, final, deeds)
    specs = {file: s for deed in renamed if (s := deed.spec) for file in s.files}
    objects = {file_key(file): spec.manifest for file, spec in specs.items()}
    plan = Scenario(before=before, after=final.manifest, files=SpecFiles(objects))
    state = healthy(plan)
    names = tuple(state.etcd)
    steps: list[Step] = []
    here, taken = before, ends(before, final.manifest)
    for deed in renamed:
        performed = perform(deed.commands, state, plan)
        assert performed is not None  # noqa: S101 (it was performed in the search)
        stored = deed.spec.manifest if deed.spec is not None else None
        kops = kops_for_step(here, stored, taken) if stored is not None else ()
        steps.append(
            Step(
                deed,
                views([state], names),
                views([performed.state], names),
                performed.tolerance,
                performed.outage,
                tuple(_via(state, performed.state)),
                _stays(state, performed.state),
                (_release(state), _release(performed.state)),
                kops,
                etcd_before(here, stored, kops) if stored is not None else {},
            )
        )
        state, here = performed.state, stored or here
    unfilled = tuple(dict.fromkeys(_unfilled(final.manifest)))
    leave = any(deed.kind == "remove" for deed in renamed)
    backups = tuple(backups_of(before, etcd) for etcd in before.etcd_clusters if leave)
    return Runbook(
        before.name,
        state_store(before),
        tuple(steps),
        written=tuple(spec for spec in specs.values() if spec.text is not None),
        cut=cut,
        notes=(
            *_to_fill_in(unfilled),
            *_notes(plan, renamed, deeds),
            *_no_single_kops(steps),
        ),
        features=tuple(_features(deeds, before, final.manifest)),
        backups=backups,
        unfilled=unfilled,
        cloud=deeds.cloud,
    )


_PROGRAMS = ("additionalUserData", "additionalPolicies", "fileAssets", "hooks")
"""Where such signs belong to a program that is in the spec."""


def _unfilled(manifest: Manifest) -> Iterator[str]:
    """What a spec leaves to be filled in, as it is written there."""

    def within(value: Plain) -> Iterator[str]:
        if isinstance(value, dict):
            for key, each in value.items():
                yield from within(each) if key not in _PROGRAMS else ()
        elif isinstance(value, list):
            for each in value:
                yield from within(each)
        elif isinstance(value, str) and "\n" not in value:
            yield from left_for_people(value)

    if manifest.cluster is not None:
        yield from within(manifest.cluster.node.plain)
    for group in manifest.groups.values():
        yield from within(group.node.plain)


def _to_fill_in(unfilled: Sequence[str]) -> Iterator[str]:
    if unfilled:
        yield (
            f"Fill in {', '.join(unfilled)} in the files first: the script stops while "
            "that is there."
        )


def _no_single_kops(steps: Sequence[Step]) -> Iterator[str]:
    """That no release of kops runs all of the steps that depend on it."""
    asked = [set(step.kops) for step in steps if step.kops]
    if asked and not set.intersection(*asked):
        yield (
            "No single kops release can run all of this: each step names the releases"
            " that can, and stops if another is installed."
        )


def _release(state: ClusterState) -> str:
    """The Kubernetes release in the state store, as kops prints it."""
    cluster = state.registry.cluster
    return (cluster.kubernetes_version or "").lstrip("v") if cluster is not None else ""


def _features(deeds: PlannedSteps, *manifests: Manifest) -> Iterator[str]:
    """The feature flags without which kops updates none of these specs.

    Source: kops upup/pkg/fi/cloudup/populate_instancegroup_spec.go, apply_cluster.go.
    """
    roles = {group.role for manifest in manifests for group in manifest.groups.values()}
    if Role.API_SERVER in roles:
        yield "APIServerNodes"
    cloud = cloud_named(deeds.cloud)
    if deeds.terraform and cloud is not None and cloud.terraform is not None:
        yield from filter(None, (cloud.terraform.flag,))


def _notes(
    plan: Scenario, way: Sequence[PlannedStep], deeds: PlannedSteps
) -> Iterator[str]:
    """What the steps do not say: stand-ins, volumes left behind, an unread count."""
    ends = {*plan.before.groups, *plan.after.groups}
    passed = (name for spec in plan.specs for name in spec.groups)
    if stand_ins := [name for name in dict.fromkeys(passed) if name not in ends]:
        names = ", ".join(stand_ins)
        yield f"{names}: temporary, to keep quorum; removed at the end."
    deletions = [deed for deed in way if deed.kind == "delete"]
    kept = [
        deed.about
        for deed in deletions
        if not any(isinstance(command, DeleteVolumes) for command in deed.commands)
    ]
    if kept and not deeds.terraform:
        yield (
            f"The etcd volumes of {', '.join(kept)} stay behind in the cloud: delete "
            "them before a control-plane machine starts or is replaced in their zones."
        )
    if deeds.terraform:
        yield (
            "Run it in the folder with the cluster's terraform state, after terraform"
            " init: kops writes its files there."
        )
    if deeds.terraform and deletions:
        gone = ", ".join(deed.about for deed in deletions)
        yield (
            f"terraform apply destroys the etcd volumes of {gone} with all their data."
        )
    fewer = len(plan.after.control_plane) < len(plan.before.control_plane)
    if fewer and way[-1].kind == "apply":
        yield (
            "etcd-manager reads the lower count at its next leader change; until then"
            " it does not replace a lost disk by itself."
        )


def _named(
    way: Sequence[PlannedStep], final: Spec, deeds: PlannedSteps
) -> list[PlannedStep]:
    """The steps with the specs in between called by their number."""
    renamed = []
    number = 0
    for deed in way:
        if deed.spec is None or deed.spec is final:
            renamed.append(deed)
            continue
        number += 1
        path = f"step-{number}.yaml"
        text = deed.spec.text or ""
        spec = deed.spec._replace(files=(path,), sources=(Source(path, text),))
        renamed.append(deeds.with_spec(deed, spec))
    return renamed


def _stays(before: ClusterState, after: ClusterState) -> str:
    """A group that is stored before and after, that of a control plane first."""
    there = after.registry
    names = [group.name for group in there.control_plane] + [*there.groups]
    return next((name for name in names if name in before.registry.groups), "")


def _via(before: ClusterState, after: ClusterState) -> Iterator[str]:
    """The groups that run a voting member of every etcd cluster before and after."""

    def votes(group: str, etcd_cluster: str, state: ClusterState) -> bool:
        state_set = state.etcd[etcd_cluster]
        indexes = [state_set.index(m) for m in state.listed(etcd_cluster, group)]
        return bool(indexes) and all(
            possible.names[index].votes
            for possible in state_set.settled
            for index in indexes
        )

    for group in after.registry.control_plane:
        if all(
            votes(group.name, name, state)
            for state in (before, after)
            for name in state.etcd
        ):
            yield group.name
