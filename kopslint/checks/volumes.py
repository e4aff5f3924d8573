"""The volumes that etcd members live on: what of them cannot be changed.

Growing a volume and changing its type or speed is done in place and is no finding.
Source: kops upup/pkg/fi/cloudup/awstasks/ebsvolume.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import kept
from kopslint.checks.alike import alike, only
from kopslint.checks.context import Context, Draft, listed, sure
from kopslint.findings import Location
from kopslint.syntax.yaml_tree import Scalar, find, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import EtcdMember
    from kopslint.source.text import Span

# Source: kops pkg/model/master_volumes.go, DefaultEtcdVolumeSize.
_DEFAULT_SIZE = 20


def etcd_volume_shrunk(context: Context) -> Iterator[Draft]:
    """A volume that exists is to become smaller."""
    found = [
        (name, old, new, _size(old), _size(new))
        for name, old, new in kept.members(context)
        if _size(new) < _size(old)
    ]
    for same in alike(found, lambda f: (f[3], f[4])):
        _, old, _, before, after = same[0]
        said = "" if find(old.node, "volumeSize") else " (the default)"
        pairs = [(name, old, new) for name, old, new, _, _ in same]
        yield _of_members(
            context,
            pairs,
            "volumeSize",
            message=f"{_volumes(pairs)} cannot shrink from {before} to {after} GB",
            why="No cloud makes a disk smaller. kops shows the change at every update "
            "and never gets it done; the update may fail for it.",
            labels=(f"{after} GB", f"{before} GB{said}"),
            subject=f"{before}/{after}",
            fix=(f"# leave volumeSize at {before} or more",),
        )


def etcd_volume_encryption_changed(context: Context) -> Iterator[Draft]:
    """The encryption of a volume that exists, or its key, is to change."""
    found = [
        (name, old, new, key, _value(old, key), _value(new, key))
        for name, old, new in kept.members(context)
        for key in ("encryptedVolume", "kmsKeyId")
        if _value(old, key) != _value(new, key)
    ]
    # A key that comes or goes together with encryption is the same mistake.
    toggled = {(f[0], f[2].name) for f in found if f[3] == "encryptedVolume"}
    found = [
        f
        for f in found
        if f[3] == "encryptedVolume" or (f[0], f[2].name) not in toggled
    ]
    for same in alike(found, lambda f: f[3:]):
        _, _, _, key, before, after = same[0]
        pairs = [(name, old, new) for name, old, new, *_ in same]
        what = "encryption" if key == "encryptedVolume" else "key"
        yield _of_members(
            context,
            pairs,
            key,
            message=f"the {what} of {_volumes(pairs)} cannot be changed: the "
            f"{'volume exists' if len(pairs) == 1 else 'volumes exist'}",
            why="kops refuses it: 'Field cannot be changed'. The update tries again "
            "for ten minutes and fails, at every run; with terraform the volume is "
            "replaced by an empty one, and the member's data goes with it.",
            labels=(f"{key}: {after}", f"{key}: {before}"),
            subject=f"{key}/{before}/{after}",
            fix=(f"# put {key} back; only a new member can have another one",),
        )


def _of_members(
    context: Context,
    pairs: list[tuple[str, EtcdMember, EtcdMember]],
    key: str,
    *,
    message: str,
    why: str,
    labels: tuple[str, str],
    subject: str,
    fix: tuple[str, ...],
) -> Draft:
    name, old, new = pairs[0]
    names = ",".join(sorted({f"{name}/{new.name}" for name, _, new in pairs}))
    return Draft(
        message=message,
        why=why,
        locations=(
            Location(_place(new, key), f"{labels[0]} for {new.name} of {name}"),
            Location(_place(old, key), f"before: {labels[1]}"),
        ),
        subject=f"{names}/{subject}",
        certainty=sure(kept.is_sure(context, [(n, m.name) for n, _, m in pairs])),
        etcd_cluster=only(name for name, _, _ in pairs),
        fix=fix,
    )


def _volumes(pairs: list[tuple[str, EtcdMember, EtcdMember]]) -> str:
    members = list(dict.fromkeys(new.name for _, _, new in pairs))
    clusters = list(dict.fromkeys(name for name, _, _ in pairs))
    volumes = "volume" if len(pairs) == 1 else "volumes"
    return f"the etcd {volumes} of {listed(members)} in {listed(clusters)}"


def _size(member: EtcdMember) -> int:
    node = find(member.node, "volumeSize")
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and value > 0 else _DEFAULT_SIZE


def _value(member: EtcdMember, key: str) -> str:
    """The value as kops takes it: without a value a volume is not encrypted."""
    said = text_at(member.node, _spelled(member, key))
    if key == "encryptedVolume":
        return "true" if said == "true" else "false"
    return said or "none"


def _place(member: EtcdMember, key: str) -> Span:
    """Where a field is, or else the name of the member that lacks it."""
    key = _spelled(member, key)
    return member.at("name" if find(member.node, key) is None else key)


def _spelled(member: EtcdMember, key: str) -> str:
    """The name of a field in v1alpha2, or in v1alpha3 where that one is used."""
    alpha3 = {"kmsKeyId": "kmsKeyID"}.get(key, key)
    return alpha3 if find(member.node, alpha3) is not None else key
