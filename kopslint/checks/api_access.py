"""How the API is reached: its name, the DNS zone, and the load balancer before it.

Sources: kops pkg/model/awsmodel/dns.go and api_loadbalancer.go (records and load
balancer), nodeup/pkg/model/kube_apiserver.go (the names in the certificate),
pkg/kubeconfig/create_kubecfg.go (what a kubeconfig points at), docs/gossip.md and
permalinks/acm_nlb.md (what kops documents as a migration).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, sure
from kopslint.findings import Location, Severity
from kopslint.records import Record
from kopslint.syntax.yaml import YamlMapping, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster

_LOAD_BALANCER = ("spec", "api", "loadBalancer")
_GOSSIP, _NONE = "gossip", "None"


def public_name(cluster: Cluster) -> str:
    """The name of the API, ``api.`` and the cluster's name by default.

    Source: kops upup/pkg/fi/cloudup/populate_cluster_spec.go.
    """
    said = text_at(cluster.node, *public_name_field(cluster))
    return (said or f"api.{cluster.name}").lower()


def public_name_field(cluster: Cluster) -> tuple[str, ...]:
    """The path of the API's name in the API version of this Cluster."""
    if cluster.version == "v1alpha3":
        return ("spec", "api", "publicName")
    return ("spec", "masterPublicName")


def api_name_changed(context: Context) -> Iterator[Draft]:
    """The API gets another name, or its names are published in another way."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    kinds = _dns_kind(pair[0]), _dns_kind(pair[1])
    if kinds[0] != kinds[1]:
        yield _another_kind(pair, *kinds)
        return
    if kinds[1] != _NONE:
        yield from _another_zone(pair)
    names = public_name(pair[0]), public_name(pair[1])
    if names[0] != names[1]:
        yield _another_name(pair, *names)


def _another_name(pair: tuple[Cluster, Cluster], before: str, after: str) -> Draft:
    return Draft(
        message=f"the API's name changes from {before} to {after}",
        why=f"Running API servers have no certificate for {after}: machines get it"
        " when they are replaced. The update writes the new name into the"
        " kubeconfig, so kubectl, validation and the roll itself fail until then."
        f" Clients have to switch from {before} themselves.",
        locations=(
            Location(pair[1].at(*public_name_field(pair[1])), f"after: {after}"),
            Location(pair[0].at(*public_name_field(pair[0])), f"before: {before}"),
        ),
        subject=f"name/{before}/{after}",
        fix=(
            f"# keep {before}, and write {after} into additionalSans;",
            "# change the name when all control planes are rolled with it",
        ),
    )


def _another_zone(pair: tuple[Cluster, Cluster]) -> Iterator[Draft]:
    """Another ``dnsZone``; an id and a name may well be the same zone."""
    before, after = (
        (text_at(cluster.node, "spec", "dnsZone") or "").lower().rstrip(".")
        for cluster in pair
    )
    if not before or not after or before == after:
        return
    if ("." in before) != ("." in after):
        return
    yield Draft(
        message=f"the DNS zone changes from {before} to {after}",
        why="kops creates the records of the API in the new zone and no longer keeps"
        " those in the old one. Machines and clients that still resolve names in"
        " the old zone get addresses of machines that the next roll replaces.",
        locations=(
            Location(pair[1].at("spec", "dnsZone"), f"after: {after}"),
            Location(pair[0].at("spec", "dnsZone"), f"before: {before}"),
        ),
        subject=f"zone/{before}/{after}",
        fix=(
            f"# keep {before}; if the zone moved, first check that every machine",
            f"# finds api.internal.{pair[1].name} in {after}",
        ),
    )


_KIND_REASONS = {
    (
        _GOSSIP,
        _NONE,
    ): "kops documents this, only up to kops 1.36: the control plane is replaced"
    " machine by machine, and on AWS the API needs a load balancer of class Network"
    " first.",
    (
        "Public",
        "Private",
    ): "From the update on, the records are kept in a private zone. Nobody outside"
    " the network finds the API any more, including kops itself if it runs there;"
    " inside, every name is a placeholder until dns-controller is rolled.",
    (
        "Private",
        "Public",
    ): "From the update on, the records are kept in the public zone. A private zone"
    " of that name still answers inside the network, with addresses that nobody"
    " updates: kubelets lose api.internal as control-plane machines are replaced.",
}
_UNKNOWN_KIND = (
    "Existing machines look for the API the old way until they are replaced, and from"
    " the update on nobody maintains what they look at. kops documents no way to do"
    " this."
)


def _another_kind(pair: tuple[Cluster, Cluster], before: str, after: str) -> Draft:
    documented = (before, after) == (_GOSSIP, _NONE)
    return Draft(
        severity=Severity.INFO if documented else None,
        message=f"the cluster's DNS changes from {before} to {after}",
        why=_KIND_REASONS.get((before, after), _UNKNOWN_KIND),
        locations=(
            Location(pair[1].at(*_dns_field(pair[1])), f"after: {after}"),
            Location(pair[0].at(*_dns_field(pair[0])), f"before: {before}"),
        ),
        subject=f"dns/{before}/{after}",
        fix=(
            "# with kops 1.36, once before and once after the spec is stored:",
            f"# kops reconcile cluster {pair[1].name} --yes",
        )
        if documented
        else (f"# keep DNS {before}; a new cluster can start with {after}",),
    )


def _dns_kind(cluster: Cluster) -> str:
    """How the names are published: ``Public``, ``Private``, ``None`` or ``gossip``.

    Source: kops pkg/apis/kops/cluster.go, UsesNoneDNS and the names in .k8s.local.
    """
    said = text_at(cluster.node, *_dns_field(cluster)) or "Public"
    if cluster.name.endswith(".k8s.local") and said.lower() != "none":
        return _GOSSIP
    return said.capitalize()


def _dns_field(cluster: Cluster) -> tuple[str, ...]:
    if cluster.version == "v1alpha3":
        return ("spec", "networking", "topology", "dns")
    return ("spec", "topology", "dns", "type")


class _Exposed(Record):
    """How a Cluster exposes its API; ``balanced`` is None if it leaves it to kops.

    ``kind`` is who may reach the load balancer, ``class_`` which one it is on AWS.
    """

    balanced: bool | None
    kind: str
    class_: str


def api_load_balancer_changed(context: Context) -> Iterator[Draft]:
    """The load balancer of the API comes, goes, or becomes another one."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    old, new = _exposed(pair[0]), _exposed(pair[1])
    if old.balanced and not new.balanced:
        yield _removed(pair, certain=new.balanced is not None)
    elif new.balanced and old.balanced is False:
        yield _added(pair)
    elif old.balanced and new.balanced:
        for field, before, after in (
            ("class", old.class_, new.class_),
            ("type", old.kind, new.kind),
        ):
            if before != after:
                yield _another_balancer(pair, field, before, after)
                return


def _exposed(cluster: Cluster) -> _Exposed:
    balancer = cluster.get(*_LOAD_BALANCER)
    dns = cluster.get("spec", "api", "dns")
    balanced = isinstance(balancer, YamlMapping) or (
        False if isinstance(dns, YamlMapping) else None
    )
    on_aws = cluster.cloud == "aws"
    return _Exposed(
        balanced=balanced,
        kind=text_at(balancer, "type") or "Public",
        class_=(text_at(balancer, "class") or "Classic") if on_aws else "",
    )


def _removed(pair: tuple[Cluster, Cluster], *, certain: bool) -> Draft:
    return Draft(
        message="the load balancer of the API is removed from the spec",
        why="The API's name then points at the control-plane machines themselves:"
        " kubeconfigs and machines that use the load balancer's address lose the"
        " API, and machines in private subnets cannot be reached at all. Until"
        " dns-controller publishes the new addresses, nobody reaches the API.",
        locations=(
            Location(pair[1].at("spec", "api"), "no load balancer after"),
            Location(pair[0].at(*_LOAD_BALANCER), "it was here"),
        ),
        subject="removed",
        certainty=sure(certain),
        fix=("# put api.loadBalancer back; only a new cluster can do without it",),
    )


def _added(pair: tuple[Cluster, Cluster]) -> Draft:
    return Draft(
        severity=Severity.INFO,
        message="the API gets a load balancer that it did not have",
        why="kops creates it, points the API's name at it and attaches each"
        " control-plane machine as it is rolled. Until the first one is attached,"
        " the name leads nowhere; kubeconfigs with a machine's address still"
        " work.",
        locations=(
            Location(pair[1].at(*_LOAD_BALANCER), "the load balancer after"),
            Location(pair[0].at("spec", "api"), "none before"),
        ),
        subject="added",
        fix=(
            f"# kops validate cluster {pair[1].name} --wait 10m",
            "# between the update and the roll of the control plane",
        ),
    )


_BALANCER_REASONS = {
    "class": "kops builds a new load balancer and points the API's name at it. Clients "
    "outside lose the API for minutes, running API servers have no certificate for a "
    "new address, and the old load balancer stays until `update --prune` or somebody "
    "deletes it.",
    "type": "The load balancer is created again in other subnets. From the update on,"
    " clients on the old side no longer reach the API, including kops itself if"
    " it runs there; kubeconfigs with its address have to be exported again.",
}


def _another_balancer(
    pair: tuple[Cluster, Cluster], field: str, before: str, after: str
) -> Draft:
    name = pair[1].name
    return Draft(
        message=f"the API's load balancer changes its {field} from {before} to {after}",
        why=_BALANCER_REASONS[field],
        locations=(
            Location(pair[1].at(*_LOAD_BALANCER, field), f"after: {after}"),
            Location(pair[0].at(*_LOAD_BALANCER, field), f"before: {before}"),
        ),
        subject=f"{field}/{before}/{after}",
        fix=(
            f"# after the update: kops export kubeconfig {name} --admin",
            "# then roll the control plane, and at the end:",
            f"# kops update cluster {name} --prune --yes",
        )
        if field == "class"
        else (
            (
                f"# run kops where {after.lower()} addresses can be reached, and"
                " afterwards:"
            ),
            f"# kops export kubeconfig {name} --admin",
        ),
    )
