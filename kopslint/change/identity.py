"""Where a cluster is: its cloud, its region, its network, as far as a spec says.

Machines, volumes and networks cannot follow a cluster to another place, so after such
a change nothing is left of it to be compared. Sources: kops
upup/pkg/fi/cloudup/utils.go (BuildCloud), awsup/aws_utils.go (FindRegion).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.records import Record
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.kops.spec import Cluster, Manifest


class Relocation(Record):
    """In which respect a cluster is in another place, and from where to where."""

    what: Literal["cloud", "region", "network"]
    before: str
    after: str


def move(old: Cluster, new: Cluster) -> Relocation | None:
    """How a Cluster is in another place than before; None if it is where it was.

    What a spec does not say is no other place.
    """
    one, other = _cloud(old), _cloud(new)
    if one is None or other is None or one != other:
        return Relocation("cloud", one, other) if one and other else None
    one, other = _region(old), _region(new)
    if one and other and one != other:
        return Relocation("region", one, other)
    one, other = network_id(old), network_id(new)
    if one and other and one != other and _has_none_of_the_subnets(old, new):
        return Relocation("network", one, other)
    return None


def network_id(cluster: Cluster) -> str | None:
    """The network that a Cluster is put into; None if kops makes one for it."""
    below = ("spec", "networking") if cluster.version == "v1alpha3" else ("spec",)
    return text_at(cluster.node, *below, "networkID") or None


def _has_none_of_the_subnets(old: Cluster, new: Cluster) -> bool:
    """Whether all subnets are given by their ids, and none of them was there before."""
    ids = [[text_at(s.node, "id") for s in side.subnets] for side in (old, new)]
    return all(side and all(side) for side in ids) and not set(ids[0]) & set(ids[1])


def _cloud(cluster: Cluster) -> str | None:
    return cluster.cloud.lower() if cluster.cloud else None


def _region(cluster: Cluster) -> str | None:
    """The region of the subnets, where kops reads it; None if it is not known."""
    regions = set()
    for subnet in cluster.subnets:
        if _cloud(cluster) != "aws":
            regions.add(text_at(subnet.node, "region"))
        elif subnet.zone:
            # As FindRegion has it: the zone without its last letter.
            regions.add(subnet.zone[:-1])
    return regions.pop() if len(regions) == 1 else None


# ------------------------------------------------------------------------------------
# A cluster that has another name after a change: to kops two clusters, to people one
#
# Objects are matched by name everywhere else; this is for the one name that all the
# others hang on.


def renamed(
    before: Mapping[str, Manifest], after: Mapping[str, Manifest], *, anywhere: bool
) -> dict[str, Manifest]:
    """The clusters of before that seem to have another name now, by the new name.

    The old name is gone, the new one is new, and of both kinds there is but one in the
    file that had the old one: the file of the same path, or ``anywhere`` if it may be
    called differently on the two sides.
    """
    gone = _only_here(before, after)
    new = _only_here(after, before)
    gone_at, new_at = _by_path(gone, anywhere), _by_path(new, anywhere)
    found = {}
    for manifest in new:
        paths = _paths(manifest, anywhere)
        old = {m.name: m for path in paths for m in gone_at.get(path, ())}
        others = {m.name for path in paths for m in new_at[path]}
        if len(old) == len(others) == 1:
            found[manifest.name] = old.popitem()[1]
    return found


def _only_here(
    manifests: Mapping[str, Manifest], others: Mapping[str, Manifest]
) -> list[Manifest]:
    """The clusters of one side whose names are not on the other."""
    return [
        manifest
        for name, manifest in manifests.items()
        if name not in others and (manifest.cluster is not None or manifest.groups)
    ]


def _by_path(manifests: list[Manifest], anywhere: bool) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        for path in _paths(manifest, anywhere):
            found.setdefault(path, []).append(manifest)
    return found


def _paths(manifest: Manifest, anywhere: bool) -> set[str]:
    """The paths of a cluster; all clusters are in one place if they may be anywhere."""
    return {""} if anywhere else {source.path for source in manifest.sources}
