"""What an object is called and which version it is of.

Source: kops pkg/apis/kops/validation (validation.go, legacy.go, cluster.go,
instancegroup.go) and upup/pkg/fi/cloudup/apply_cluster.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.kops.releases import NEWEST, release
from kopslint.kops.validation.clouds import cloud_of, demands_of
from kopslint.kops.validation.endpoints import dns_type
from kopslint.kops.validation.values import dns_name, kubernetes_version, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import AtCommand, Rejection
    from kopslint.kops.validation.declared import Declared
    from kopslint.syntax.yaml import Plain

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_RESERVED = ("Name", "KubernetesCluster")
_RESERVED_PREFIXES = ("kubernetes.io/cluster/", "k8s.io/role/", "kops.k8s.io/")
GROUP_LABEL = "kops.k8s.io/instancegroup"
_IMPORTED = "kops.kubernetes.io/management"


def newest_for(kubernetes: int) -> int:
    """The newest minor of kops that still updates Kubernetes 1.``kubernetes``.

    That minor itself if none is known that does not.
    """
    later = range(kubernetes, NEWEST + 1)
    fits = (m for m in later if release(m).oldest <= kubernetes)
    return max(fits, default=kubernetes)


def is_complete(declared: Declared) -> bool:
    """Whether a Cluster is meant to be all of a cluster and not an excerpt.

    An excerpt, as documentation shows it, names neither a cloud nor a version of
    Kubernetes: what it lacks is left out on purpose.
    """
    return declared.has("cloudProvider") or declared.has("kubernetesVersion")


def required(declared: Declared) -> Iterator[Rejection]:
    """What every complete Cluster must have, and any that kops is given."""
    if is_complete(declared) or declared.asked:
        yield from _required_version(declared)
    if not is_complete(declared):
        return
    here = cloud_of(declared)
    known = here or declared.has("cloudProvider")
    if not known or not (here or declared.keys("cloudProvider") or _named(declared)):
        problem = "is missing"
        source = "validation.go, validateCloudProvider"
        yield declared.refuse("missing-field", "cloudProvider", problem, source)
    demands = demands_of(here)
    filled = "kops create -f fills it in, kops replace -f does not"
    networking = "validation.go, validateNetworking"
    at: AtCommand
    for needed, place, source, at, hint in (
        (
            demands.network_cidr,
            "networking.networkCIDR",
            networking,
            "replace",
            f"add the network's range; {filled}",
        ),
        (
            demands.non_masquerade_cidr,
            "networking.nonMasqueradeCIDR",
            networking,
            "replace",
            f"add 100.64.0.0/10, the default; {filled}",
        ),
        (
            demands.subnets,
            "networking.subnets",
            "validation.go, validateSubnets",
            "create",
            "",
        ),
        (True, "etcdClusters", "validation.go, validateClusterSpec", "create", ""),
    ):
        if needed and not declared.text(place) and not declared.count(place):
            problem = "is missing"
            yield declared.refuse(
                "missing-field", place, problem, source, at=at, hint=hint
            )


def _named(declared: Declared) -> bool:
    return declared.version == "v1alpha2" and declared.text("cloudProvider") != ""


def _required_version(declared: Declared) -> Iterator[Rejection]:
    place = "kubernetesVersion"
    source = "legacy.go, ValidateCluster"
    text = declared.text(place)
    if not text and not declared.count(place):
        problem = "is missing"
        yield declared.refuse("missing-field", place, problem, source, at="replace")


def api_version(declared: Declared) -> Iterator[Rejection]:
    """Whether this kops reads the version of the API that the object is written in.

    Releases before 1.29 have the files of v1alpha3 and do not register them, but for
    1.25. Source: pkg/apis/kops/install/install.go.
    """
    if declared.version != "v1alpha3":
        return
    may_run = range(declared.kops, declared.newest + 1)
    if not any(release(kops).v1alpha3 for kops in may_run):
        problem = f"is v1alpha3, which kops 1.{declared.kops} does not read"
        source = "pkg/apis/kops/install/install.go, Install"
        hint = "write v1alpha2, or use kops 1.29 or newer"
        yield declared.refuse("version", "apiVersion", problem, source, hint=hint)


def versions(declared: Declared) -> Iterator[Rejection]:
    """Whether this kops can read and update this version of Kubernetes.

    Source: upup/pkg/fi/cloudup/apply_cluster.go, validateKubernetesVersion.
    """
    place = "kubernetesVersion"
    text = declared.text(place)
    if not text:
        return
    version = kubernetes_version(text)
    if version is None:
        problem = f"is {quoted(text)}, which is not a version"
        source = "legacy.go, ValidateCluster"
        yield declared.refuse("version", place, problem, source)
        return
    source = "upup/pkg/fi/cloudup/apply_cluster.go, validateKubernetesVersion"
    oldest = release(declared.kops).oldest
    if version >= (1, declared.kops + 1, 0):
        problem = f"is {text}, which needs a newer kops than 1.{declared.kops}"
        yield declared.refuse("version", place, problem, source, at="update")
    elif version < (1, oldest, 0) and declared.since(20):
        problem = (
            f"is {text}, but kops 1.{declared.kops} updates only 1.{oldest} and newer"
        )
        yield declared.refuse("version", place, problem, source, at="update")


def cluster_name(declared: Declared) -> Iterator[Rejection]:
    """The name of a Cluster: a fully qualified DNS name."""
    name = declared.metadata("name")
    if not isinstance(name, str) or not name:
        return
    source = "validation.go, newValidateCluster"
    problem = None
    if not dns_name(name):
        problem = f"is {quoted(name)}, which is not a lower-case DNS name"
    elif "." not in name and dns_type(declared) != "None":
        annotations = declared.metadata("annotations")
        imported = isinstance(annotations, dict) and _IMPORTED in annotations
        if is_complete(declared) and not imported:
            problem = f"is {quoted(name)}, but must be a fully qualified DNS name"
    elif cloud_of(declared) == "linode" and len(name) > 32:
        problem = f"has {len(name)} characters, and at most 32 are possible on Linode"
        source = "linode.go, linodeValidateCluster"
    if problem is not None:
        yield declared.refuse("name-or-label", "metadata.name", problem, source)


def metadata(declared: Declared) -> Iterator[Rejection]:
    """The metadata of a Cluster, as Kubernetes has it of every object.

    Source: apimachinery pkg/api/validation/objectmeta.go, ValidateObjectMeta.
    """
    source = "validation.go, newValidateCluster"
    if declared.metadata("namespace"):
        problem = "must not be set: clusters have no namespace"
        place = "metadata.namespace"
        yield declared.refuse("name-or-label", place, problem, source)
    for field in ("labels", "annotations"):
        found = declared.metadata(field)
        for key, value in found.items() if isinstance(found, dict) else ():
            problem, at_key = "", True
            # The keys of annotations may be in upper case, which is no DNS name.
            if not _is_label_key(key.lower() if field == "annotations" else key):
                problem = "is not a label: prefix/name, of letters, digits, - _ and ."
            elif field == "labels" and not _is_label_value(value):
                problem = f"is {quoted(value)}, which is not a valid label value"
                at_key = False
            if problem:
                place = f"metadata.{field}.{{{key}}}"
                refused = declared.refuse("name-or-label", place, problem, source)
                span = declared.key(place) if at_key else refused.span
                yield refused.moved(span)


def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return (not slash or dns_name(prefix)) and re.fullmatch(_NAME, name) is not None


def _is_label_value(value: Plain) -> bool:
    # Values of other types are reported as such.
    return not isinstance(value, str) or not value or bool(re.fullmatch(_NAME, value))


def labels(declared: Declared) -> Iterator[Rejection]:
    """Labels of cloud resources and of nodes."""
    # kops looks at the labels of a Cluster only when it overwrites one.
    in_cluster = declared.cluster is declared
    at: AtCommand = "replace" if in_cluster else "create"
    for key in declared.keys("cloudLabels"):
        problem, source = None, "cluster.go, validateCloudLabels"
        at_key = True
        if key == GROUP_LABEL and not in_cluster:
            value = declared.text(f"cloudLabels{{{key}}}")
            if value != declared.metadata("name") and declared.since(22):
                problem = f"is {quoted(value)}, but must be the name of the group"
                source = "instancegroup.go, validateIGCloudLabels"
                at_key = False
        elif key in _RESERVED or key.startswith(_RESERVED_PREFIXES):
            problem = "is a label that kops reserves for itself"
        if problem is not None and declared.since(20):
            place = f"cloudLabels{{{key}}}"
            refused = declared.refuse("name-or-label", place, problem, source, at=at)
            span = declared.key(place) if at_key else refused.span
            yield refused.moved(span)
    for key in declared.keys("nodeLabels"):
        if key.count("/") > 1 and declared.since(19):
            problem = "is a label with more than one slash"
            source = "instancegroup.go, validateNodeLabels"
            place = f"nodeLabels{{{key}}}"
            refused = declared.refuse("name-or-label", place, problem, source)
            yield refused.moved(declared.key(place))
