"""What kops refuses and other rules report: flaws of writing, etcd and its groups.

They are found in ``kopslint.kops.documents`` and ``kopslint.kops.refusals``. Here they
become violations that say so, so that the list of all violations is whole and nothing
is reported twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.refusals import of_cluster, of_group, of_update
from kopslint.kops.validation.declared import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.kops.refusals import Refusal
    from kopslint.kops.spec import Flaw, Manifest

# Which rule reports what ``kopslint.kops.refusals`` and the reader of documents find.
_RULE_OF_REFUSAL = {
    "even-members": "KL103",
    "no-members": "KL103",
    "duplicate-member": "KL105",
    "shared-group": "KL105",
    "missing-group": "KL101",
    "group-without-member": "KL102",
    "etcd-cluster-removed": "KL201",
    "member-moved": "KL202",
    "control-plane-size": "KL108",
    "zones": "KL111",
}
_FIELD_OF_REFUSAL = {
    "even-members": "spec.etcdClusters[].etcdMembers",
    "no-members": "spec.etcdClusters[].etcdMembers",
    "duplicate-member": "spec.etcdClusters[].etcdMembers[].name",
    "shared-group": "spec.etcdClusters[].etcdMembers[].instanceGroup",
    "missing-group": "spec.etcdClusters[].etcdMembers[].instanceGroup",
    "group-without-member": "metadata.name",
    "zones": "spec.subnets",
    "etcd-cluster-removed": "spec.etcdClusters",
    "member-moved": "spec.etcdClusters[].etcdMembers[].instanceGroup",
}


def of_flaw(flaw: Flaw, manifest: Manifest) -> Violation:
    """A flaw of how an object is written."""
    span, label = flaw.places[0]
    return Violation(
        about=f"Cluster/{manifest.name}",
        kind="wrong-type" if flaw.kind == "wrong-type" else "missing-field",
        message=flaw.message,
        path=flaw.message.partition(" ")[0],
        span=span,
        at_command="create",
        source="kubernetes/kops pkg/kopscodecs/codecs.go, Decode",
        label=label,
        hint=flaw.hint,
        covered_by="KL109" if flaw.kind == "duplicate-key" else "KL110",
    )


def refusals(manifest: Manifest, kops: int) -> Iterator[Refusal]:
    """What ``kopslint.kops.refusals`` says, of as much as the manifest declares."""
    if manifest.cluster is None:
        for group in manifest.groups.values():
            yield from of_group(group)
    elif not manifest.control_plane:
        yield from of_cluster(manifest.cluster)
    else:
        yield from (
            refusal
            for refusal in of_update(manifest)
            if refusal.kind != "control-plane-size" or kops >= 26
        )


def of_refusals(found: Iterable[Refusal]) -> Iterator[Violation]:
    """Refusals as violations, each with the rule that reports it."""
    for refusal in found:
        span, label = refusal.places[0]
        field = _FIELD_OF_REFUSAL.get(refusal.kind)
        yield Violation(
            kind="etcd",
            about=refusal.about,
            message=refusal.message,
            # A message about a size starts with its field.
            path=field or refusal.message.partition(":")[0],
            span=span,
            at_command="update",
            source="kubernetes/kops pkg/apis/kops/validation",
            label=label,
            covered_by=_RULE_OF_REFUSAL.get(refusal.kind, ""),
        )
