"""Who runs the network of pods, which kops installs and never takes away.

Source: kops docs/networking.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import kept
from kopslint.checks.context import Context, Draft
from kopslint.findings import Location, Severity
from kopslint.syntax.yaml_tree import Mapping, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster
    from kopslint.source.text import Span

_FIELD = ("spec", "networking")
_PROVIDERS = frozenset(
    {"amazonvpc", "calico", "canal", "cilium", "classic", "cni", "external", "flannel"}
    | {"gce", "gcp", "kindnet", "kopeio", "kubenet", "kuberouter", "lyftvpc", "romana"}
    | {"weave"}
)


def networking_provider_changed(context: Context) -> Iterator[Draft]:
    """The network of pods is to be run by another provider."""
    pair = kept.cluster(context)
    if pair is None:
        return
    old, new = (_provider(cluster) for cluster in pair)
    if old is None or new is None or _plain(old) == _plain(new):
        return
    mild = _plain(old) == "kubenet"
    yield Draft(
        severity=Severity.WARNING if mild else None,
        message=f"the networking provider changes from {old} to {new}",
        why="kops documents this as safe. Until all nodes are rolled some pods are in "
        "the old network and some in the new one, and nothing rolls it back."
        if mild
        else f"kops does not migrate it: {old} keeps running on every node beside "
        f"{new}, pods of old and new nodes do not reach each other, and the roll may "
        "stop half-way because the cluster does not validate.",
        locations=(
            Location(_key(pair[1], new), f"after: {new}"),
            Location(_key(pair[0], old), f"before: {old}"),
        ),
        subject=f"{old}/{new}".lower(),
        fix=("# try it on a copy of the cluster first, and plan an outage",)
        if mild
        else (f"# keep {old}, and move the workloads to a new cluster with {new}",),
    )


def _provider(cluster: Cluster) -> str | None:
    """The only networking provider of a Cluster, as it is written.

    One whose settings are a text never was: kops cannot read such a file.
    """
    node = cluster.get(*_FIELD)
    keys = list(node.keys()) if isinstance(node, Mapping) else []
    found = [
        key
        for key in keys
        if key.lower() in _PROVIDERS and not text_at(cluster.node, *_FIELD, key)
    ]
    return found[0] if len(found) == 1 else None


def _plain(provider: str) -> str:
    """The name that a provider has in both API versions."""
    name = provider.lower()
    return "gcp" if name == "gce" else name


def _key(cluster: Cluster, provider: str) -> Span:
    node = cluster.get(*_FIELD)
    entry = node.entry(provider) if isinstance(node, Mapping) else None
    return entry.key.span if entry is not None else cluster.at(*_FIELD)
