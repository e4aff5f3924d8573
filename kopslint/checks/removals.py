"""The commands that take a member out of etcd, to paste.

``etcdctl`` wants the id of a member, which only the member list has, and the list has
etcd's name of it. That is made of the name in the spec or of the volume, as the cloud
has it. Which member is to go, and when, is decided elsewhere.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from kopslint.checks.context import listed
from kopslint.kops.clouds import CALLED_BY_VOLUME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.spec import Manifest

# What prints the id of a volume by its name. kops gives that name in
# pkg/model/master_volumes.go, and etcd's name is made of that id. Scaleway looks for a
# part of a name, so that the whole one is asked for once more.
_VOLUME_ID = {
    "hetzner": "hcloud volume describe {name} -o 'format={{{{.ID}}}}'",
    "linode": "linode-cli volumes list --label {name} --text --no-headers --format id",
    "scaleway": (
        "scw instance volume list -o 'template={{{{.Name}}}} {{{{.ID}}}}'"
        " | awk '$1==\"{name}\"{{print $2}}'"
    ),
}

# What may be written into a command. A spec comes from a pull request, and the shell
# would run what its names hold.
_PLAIN = r"[\w.-]+"

_LONGEST = 64
"""Kops cuts a volume's name on DigitalOcean (``addDOVolume``)."""


def removals(
    specs: Iterable[Manifest], pairs: Iterable[tuple[str, str]], when: str = ""
) -> tuple[str, ...]:
    """The commands that take members out of etcd, each below where it is to be run.

    ``pairs`` are member and etcd cluster, and ``specs`` all that may have them: the
    cloud decides what etcd calls a member, and one command does for several etcd
    clusters unless it fits another member of one of them. A comment says in which etcd
    clusters what follows it is to be run; ``when`` is added to it. For a name that is
    none, the id is to be looked up.
    """
    known = tuple(spec for spec in specs if spec.cluster is not None)
    cloud = next((spec.cloud for spec in known if spec.cloud), "")
    cluster = known[0].name if known else ""
    clusters: dict[str, list[str]] = {}
    for member, etcd_cluster in pairs:
        clusters.setdefault(member, []).append(etcd_cluster)
    lines: list[str] = []
    said = ""
    for member, names in clusters.items():
        alone = cloud in CALLED_BY_VOLUME or _ambiguous(member, names, known)
        for together in [[name] for name in names] if alone else [names]:
            where = f"# {listed([f'in {name}' for name in together])}{when}"
            if cloud in CALLED_BY_VOLUME:
                volume = f"{member}.etcd-{together[0]}.{cluster}"
                where += " (etcd names it by its volume)"
                find = _by_volume(cloud, volume)
            else:
                find = _by_name(member, together)
            remove = f'etcdctl member remove "$(etcdctl member list | {find})"'
            if not re.fullmatch(_PLAIN, member + cluster):
                remove = "etcdctl member remove ID"
            lines.extend((remove,) if where == said else (f"{where}:", remove))
            said = where
    return tuple(lines)


def _by_name(member: str, etcd_clusters: list[str]) -> str:
    """What finds the id of a member in the list by the name that the spec gives it.

    The whole name is compared: ``a`` is no ``new-a``.
    """
    fronts = [_front(name) for name in etcd_clusters]
    if len(fronts) == 1:
        return _called(fronts[0] + member)
    name = f"^({'|'.join(fronts)}){member.replace('.', '[.]')}$"
    return f"awk -F', ' '$3~/{name}/{{print $1}}'"


def _by_volume(cloud: str, volume: str) -> str:
    """What finds the id of a member in the list by its volume.

    ``volume`` is what kops calls it, before it fits that to a cloud.
    """
    if cloud in _VOLUME_ID:
        find = _VOLUME_ID[cloud].format(name=volume)
        return f'grep " vol-$({find})," | cut -d, -f1'
    return _called(f"kops-{volume.replace('.', '-')}"[:_LONGEST])


def _called(name: str) -> str:
    """What finds the id of a member in the list by etcd's name of it."""
    return f"awk -F', ' '$3==\"{name}\"{{print $1}}'"


def _front(etcd_cluster: str) -> str:
    """What etcd has before the name that the spec gives a member.

    Sources: kops pkg/model/components/etcdmanager/model.go, which calls the etcd
    clusters etcd, etcd-events and so on, and etcd-manager pkg/volumes/aws/volumes.go,
    which puts that and a hyphen before the member's name.
    """
    return "etcd-" if etcd_cluster == "main" else f"etcd-{etcd_cluster}-"


def _ambiguous(
    member: str, etcd_clusters: list[str], specs: tuple[Manifest, ...]
) -> bool:
    """Whether etcd's names of a member are those of another one elsewhere.

    ``b`` of events is called like ``events-b`` of main.
    """
    ours = {_front(name) + member for name in etcd_clusters}
    return any(
        other.name != member and _front(etcd.name) + other.name in ours
        for etcd in chain.from_iterable(spec.etcd_clusters for spec in specs)
        if etcd.name in etcd_clusters
        for other in etcd.members
    )
