"""From both sides of a change to a runbook: the entry to this room.

The way is cut into legs at the specs that it has to pass, each leg is searched,
and the whole is replayed once more, as it will be printed. No file is opened here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kopslint.commands.model import DeleteVolumes
from kopslint.kops import refusals
from kopslint.plan.course import Route, perform
from kopslint.plan.deeds import Deeds
from kopslint.plan.legs import Legs
from kopslint.plan.runbook import NoWay, Runbook, Stage, Step
from kopslint.plan.search import search
from kopslint.plan.specs import Spec
from kopslint.plan.units import turnover
from kopslint.plan.waypoints import backward, retiring
from kopslint.simulate.cloud import update_refusals
from kopslint.simulate.plan import Plan
from kopslint.simulate.start import aligned, healthy
from kopslint.simulate.views import views
from kopslint.source.text import Source
from kopslint.syntax.yaml_tree import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.kops.spec import Manifest
    from kopslint.plan.deeds import Deed
    from kopslint.simulate.situation import Situation


@dataclass(frozen=True)
class Options:
    """How to go about it: by terraform or directly, and where new files will be.

    ``text`` is what to write to the file of the after side, if it is in none.
    """

    terraform: bool = False
    folder: str = ""
    text: str | None = None


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
    store = _state_store(before)
    if before.cluster is after.cluster and before.groups == after.groups:
        return Runbook(before.name, store, ())
    final = Spec(files, after, after.sources, options.text)
    wrong = tuple(_wrong(before, after))
    if wrong:
        return NoWay(before.name, store, wrong)
    etcd_clusters = tuple(etcd.name for etcd in before.etcd_clusters)
    no_way = NoWay(before.name, store, (), etcd_clusters, files)
    back = backward(before, after)
    if back is not None:
        return replace(no_way, reasons=(back,))
    cloud = before.cluster.cloud if before.cluster is not None else None
    deeds = Deeds(before.name, cloud, terraform=options.terraform)
    legs = Legs(before, final, deeds)
    found, cut = None, False
    # Where a name is taken over, both volumes of that name must never meet.
    if not turnover(before, after).colliding:
        found, cut = _attempt(legs)
    if found is None and (interim := legs.interim()) is not None:
        found, again = _attempt(legs, interim)
        cut = cut or again
    if found is None:
        return replace(no_way, reasons=(_unreachable(before, after),), cut=cut)
    return _runbook(before, final, found, deeds, options, cut=cut)


def _attempt(
    legs: Legs, interim: Spec | None = None
) -> tuple[tuple[Route, list[Deed]] | None, bool]:
    """The deeds of the whole way, if there is one; and whether a search was cut."""
    route = Route(
        legs.before,
        legs.final.manifest,
        specs=legs.specs,
        interim=interim.manifest if interim is not None else None,
    )
    situation = healthy(route)
    deeds: list[Deed] = []
    cut = False
    for leg in legs.legs(interim):
        found = search(leg, situation, route)
        cut = cut or found.cut
        if found.way is None:
            return None, cut
        deeds.extend(done.deed for done in found.way)
        if found.way:
            situation = found.way[-1].performed.situation
        for group in retiring(legs.before, legs.final.manifest) if leg.retires else ():
            if group.name not in situation.registry.groups:
                continue
            deed = legs.deeds.retire(group.name)
            performed = perform(deed.commands, situation, route)
            if performed is None:
                return None, cut
            deeds.append(deed)
            situation = performed.situation
    return (route, deeds), cut


def _state_store(manifest: Manifest) -> str | None:
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


def _wrong(before: Manifest, after: Manifest) -> Iterator[str]:
    """What is wrong with the change itself, whatever the order."""
    for refusal in refusals.of_update(before):
        yield f"no cluster runs the spec before: kops refuses it: {refusal.message}"
    # A file that leaves all nodes out must not become a plan that deletes them.
    for refusal in update_refusals(after, Plan(before, after)):
        yield f"kops refuses the spec after: {refusal.message}"
    if before.cluster is not None and after.cluster is not None:
        for refusal in refusals.of_cluster_change(before.cluster, after.cluster):
            if refusal.kind == "etcd-cluster-removed":
                yield f"kops refuses the change: {refusal.message}"


def _unreachable(before: Manifest, after: Manifest) -> str:
    return (
        f"no order of kops and etcdctl commands brings {len(before.control_plane)} "
        f"to these {len(after.control_plane)} members with a quorum all the way"
    )


def _runbook(
    before: Manifest,
    final: Spec,
    found: tuple[Route, list[Deed]],
    deeds: Deeds,
    options: Options,
    *,
    cut: bool,
) -> Runbook:
    """The way as it is printed: files named in order, every step with its trace."""
    route, way = found
    renamed = _named(way, final, deeds, options.folder)
    specs = {spec.files[0]: spec for deed in renamed if (spec := deed.spec)}
    route = replace(route, specs={**route.specs, **specs})
    situation = healthy(route)
    names = tuple(situation.etcd)
    stages: list[Stage] = []
    steps: list[Step] = []
    here: tuple[Source, ...] = before.sources
    for index, deed in enumerate(renamed):
        performed = perform(deed.commands, situation, route)
        assert performed is not None  # noqa: S101 (it was performed in the search)
        steps.append(
            Step(
                deed,
                views([situation], names),
                views([performed.situation], names),
                performed.tolerance,
                performed.outage,
                _via(performed.situation),
            )
        )
        situation = performed.situation
        rest = renamed[index + 1 :]
        if deed.spec is not None and (not rest or rest[0].kind != "retire"):
            stages.append(Stage(here, deed.spec.sources, tuple(steps)))
            here, steps = deed.spec.sources, []
    if steps:
        stages.append(Stage(here, final.sources, tuple(steps)))
    return Runbook(
        before.name,
        _state_store(before),
        tuple(stages),
        written=tuple(spec for spec in specs.values() if spec.text is not None),
        cut=cut,
        notes=tuple(_notes(route, renamed, deeds)),
    )


def _notes(route: Route, way: Sequence[Deed], deeds: Deeds) -> Iterator[str]:
    """What the steps do not say: stand-ins, volumes left behind, an unread count."""
    if route.interim is not None:
        ends = {*route.before.groups, *route.after.groups}
        names = ", ".join(name for name in route.interim.groups if name not in ends)
        yield f"{names}: only there to keep quorum meanwhile, and gone in the end."
    deletions = [deed for deed in way if deed.kind == "delete"]
    kept = [
        deed.about
        for deed in deletions
        if not any(isinstance(command, DeleteVolumes) for command in deed.commands)
    ]
    if kept and not deeds.terraform:
        yield (
            f"The etcd volumes of {', '.join(kept)} stay behind in the cloud: delete "
            "them before a new control-plane machine starts in their zones."
        )
    fewer = len(route.after.control_plane) < len(route.before.control_plane)
    if fewer and way[-1].kind == "apply":
        yield (
            "etcd-manager reads the lower count when its leader changes next; until "
            "then it does not replace a lost disk by itself."
        )


def _named(way: Sequence[Deed], final: Spec, deeds: Deeds, folder: str) -> list[Deed]:
    """The deeds with the specs in between called by their number."""
    renamed = []
    number = 0
    for deed in way:
        if deed.spec is None or deed.spec is final:
            renamed.append(deed)
            continue
        number += 1
        path = f"{folder}/step-{number}.yaml" if folder else f"step-{number}.yaml"
        text = deed.spec.text or ""
        spec = replace(deed.spec, files=(path,), sources=(Source(path, text),))
        renamed.append(deeds.with_spec(deed, spec))
    return renamed


def _via(situation: Situation) -> str | None:
    """A group that runs a voting member of every etcd cluster."""

    def votes(group: str, etcd_cluster: str) -> bool:
        worlds = situation.etcd[etcd_cluster]
        indexes = [worlds.index(m) for m in situation.listed(etcd_cluster, group)]
        return bool(indexes) and all(
            world.names[index] == "L" for world in worlds.settled for index in indexes
        )

    return next(
        (
            group.name
            for group in situation.registry.control_plane
            if all(votes(group.name, name) for name in situation.etcd)
        ),
        None,
    )
