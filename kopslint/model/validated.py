"""What kops' validation says of the state store at a moment of the list.

Each command asks for as much as kops does: ``replace`` and ``create`` look at one
object, ``edit`` at the Cluster with every group, ``update`` at all of it and at what it
builds from it. The answers are remembered for each set of objects.

Sources: kops cmd/kops/replace.go, create.go, edit_cluster.go (updateCluster),
edit_instancegroup.go (updateInstanceGroup), upup/pkg/fi/cloudup/apply_cluster.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.placeholders import is_filled_in_later
from kopslint.model.initial import in_files
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.model.scenario import Scenario

_INDEX = r"\[\d+\]"
_STORES = ("create", "replace")
# What only an update comes to: its gates, and the tasks that it builds.
_LATER = ("apply_cluster.go", "pkg/model/")


def of_stored(
    plan: Scenario, registry: Manifest, stored: Cluster | InstanceGroup
) -> tuple[Rejection, ...]:
    """Why ``replace`` or ``create`` does not store one object of ``registry``."""
    name = _about(stored)
    return _flaws(plan, stored) + tuple(
        v
        for v in _rejections(plan, registry)
        if v.about == name and v.at_command in _STORES
    )


def of_edited_cluster(plan: Scenario, registry: Manifest) -> tuple[Rejection, ...]:
    """Why ``edit cluster`` or ``upgrade`` does not store the Cluster."""
    return tuple(
        v
        for v in _rejections(plan, registry)
        if v.at_command != "edit" and not any(part in v.source for part in _LATER)
    )


def of_edited_group(
    plan: Scenario, registry: Manifest, group: InstanceGroup
) -> tuple[Rejection, ...]:
    """Why ``edit ig`` does not store one group."""
    name = _about(group)
    return tuple(
        v
        for v in _rejections(plan, registry)
        if v.about == name
        and v.at_command != "edit"
        and not any(part in v.source for part in _LATER)
    )


def of_applied(plan: Scenario, registry: Manifest) -> tuple[Rejection, ...]:
    """Why ``update cluster`` applies nothing of ``registry``, dry run or not."""
    flaws = (_flaws(plan, each) for each in _objects(registry))
    return tuple(flaw for found in flaws for flaw in found) + tuple(
        v for v in _rejections(plan, registry) if v.at_command != "edit"
    )


def _flaws(plan: Scenario, stored: Cluster | InstanceGroup) -> tuple[Rejection, ...]:
    """What kops cannot decode of an object, and could of the cluster before.

    Source: kops pkg/kopscodecs/codecs.go, Decode.
    """
    key = ("flaws", id(stored))
    known = plan.memory.get(key)
    if known is None:
        # The object is kept beside the answer, so that its id stays its own.
        known = plan.memory[key] = (stored, _decoded(stored))
    found: tuple[Rejection, ...] = known[1]
    if not found:
        return ()
    before = _objects(plan.before)
    had = {flaw.message for each in before for flaw in _decoded(each)}
    return tuple(flaw for flaw in found if flaw.message not in had)


def _objects(manifest: Manifest) -> Iterator[Cluster | InstanceGroup]:
    if manifest.cluster is not None:
        yield manifest.cluster
    yield from manifest.groups.values()


def _decoded(stored: Cluster | InstanceGroup) -> tuple[Rejection, ...]:
    from kopslint.kops.decode import make_cluster, make_group

    kind = text_at(stored.node, "kind")
    if kind == "Cluster":
        flaws = make_cluster(stored.node, stored.version)[1]
    elif kind == "InstanceGroup":
        flaws = make_group(stored.node, stored.version)[1]
    else:
        return ()
    return tuple(
        flaw._replace(about=stored.name)
        for flaw in flaws
        if not is_filled_in_later(flaw.span)
    )


def _about(stored: Cluster | InstanceGroup) -> str:
    kind = "InstanceGroup" if hasattr(stored, "role") else "Cluster"
    return f"{kind}/{stored.name}"


def _rejections(plan: Scenario, registry: Manifest) -> tuple[Rejection, ...]:
    """What kops surely refuses in ``registry`` and the cluster did not have before.

    What stood in the spec before was taken by the kops that runs the cluster. What
    other rules report is in ``kopslint.kops.refusals``.
    """
    had: frozenset[tuple[str, str]] | None = plan.memory.get("had")
    if had is None:
        had = frozenset(_mistake(v) for v in _asked(plan, plan.before))
        plan.memory["had"] = had
    return tuple(v for v in _asked(plan, registry) if _mistake(v) not in had)


def _mistake(rejection: Rejection) -> tuple[str, str]:
    """What makes two rejections the same: not which of several groups it is in."""
    kind = rejection.about.partition("/")[0]
    return kind, re.sub(_INDEX, "[]", rejection.message)


def _asked(plan: Scenario, registry: Manifest) -> tuple[Rejection, ...]:
    from kopslint.kops.validation import is_of_field, rejections

    groups = tuple((n, id(g)) for n, g in sorted(registry.groups.items()))
    key = ("rejections", id(registry.cluster), groups)
    known = plan.memory.get(key)
    if known is None:
        found = rejections(in_files(registry), kops_version=plan.kops_version)
        sure = tuple(
            v
            for v in found
            if not (v.harmless or v.outgrown)
            and (is_of_field(v) or v.kind == "missing-subnet")
            and v.kind != "feature-flag"
            and not is_filled_in_later(v.span)
        )
        # The objects are kept beside the answer, so that their ids stay their own.
        known = plan.memory[key] = (registry, sure)
    answer: tuple[Rejection, ...] = known[1]
    return answer
