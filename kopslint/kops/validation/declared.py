"""An object as it was declared, asked by the field names that kops uses inside.

kops converts every file to its internal type before it validates; that type has nearly
the names of v1alpha3. The rules name fields so, once, and this module finds them in
files of either version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from kopslint.kops.rejection import Rejection
from kopslint.kops.validation.values import kubernetes_version
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence, find, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import AtCommand, FieldKind
    from kopslint.syntax.yaml import Node, Plain, Step
    from kopslint.text import Span


T = TypeVar("T", str, bool, int)

# Where v1alpha2 keeps what the internal type keeps elsewhere. The longest match
# counts. Source: kops pkg/apis/kops/v1alpha2/conversion.go and the JSON names of the
# types beside it.
_V1ALPHA2 = {
    "api.access": "kubernetesApiAccess",
    "api.additionalSANs": "additionalSans",
    "api.publicName": "masterPublicName",
    "api.loadBalancer.subnets[].allocationID": (
        "api.loadBalancer.subnets[].allocationId"
    ),
    "api.loadBalancer.useForInternalAPI": "api.loadBalancer.useForInternalApi",
    "cloudProvider.aws.ebsCSIDriver": "cloudConfig.awsEBSCSIDriver",
    "cloudProvider.aws.loadBalancerController": "awsLoadBalancerController",
    "cloudProvider.aws.nlbSecurityGroupMode": "cloudConfig.nlbSecurityGroupMode",
    "cloudProvider.aws.nodeTerminationHandler": "nodeTerminationHandler",
    "cloudProvider.aws.podIdentityWebhook": "podIdentityWebhook",
    "cloudProvider.aws.useIPBasedNodeNames": "cloudConfig.useIPBasedNodeNames",
    "cloudProvider.aws.warmPool": "warmPool",
    "cloudProvider.azure": "cloudConfig.azure",
    "cloudProvider.gce.project": "project",
    "cloudProvider.openstack": "cloudConfig.openstack",
    "configStore.base": "configBase",
    "configStore.keypairs": "keyStore",
    "configStore.secrets": "secretStore",
    "controlPlaneKubelet": "masterKubelet",
    "externalDNS": "externalDns",
    "externalLoadBalancers[].targetGroupARN": "externalLoadBalancers[].targetGroupArn",
    "etcdClusters[].etcdMembers[].volumeIOPS": (
        "etcdClusters[].etcdMembers[].volumeIops"
    ),
    "kubeProxy.ipvsExcludeCIDRs": "kubeProxy.ipvsExcludeCidrs",
    "networking.additionalNetworkCIDRs": "additionalNetworkCIDRs",
    "networking.amazonVPC": "networking.amazonvpc",
    "networking.egressProxy": "egressProxy",
    "networking.gcp": "networking.gce",
    "networking.kubeRouter": "networking.kuberouter",
    "networking.networkCIDR": "networkCIDR",
    "networking.networkID": "networkID",
    "networking.nonMasqueradeCIDR": "nonMasqueradeCIDR",
    "networking.podCIDR": "podCIDR",
    "networking.serviceClusterIPRange": "serviceClusterIPRange",
    "networking.subnets": "subnets",
    "networking.topology": "topology",
    "networking.topology.dns": "topology.dns.type",
    "etcdClusters[].etcdMembers[].kmsKeyID": "etcdClusters[].etcdMembers[].kmsKeyId",
    "associatePublicIP": "associatePublicIp",
    "rootVolume.encryption": "rootVolumeEncryption",
    "rootVolume.encryptionKey": "rootVolumeEncryptionKey",
    "rootVolume.iops": "rootVolumeIops",
    "rootVolume.optimization": "rootVolumeOptimization",
    "rootVolume.size": "rootVolumeSize",
    "rootVolume.throughput": "rootVolumeThroughput",
    "rootVolume.type": "rootVolumeType",
}
_STEP = re.compile(r"[^.\[\]{}]+|\[\d*\]|\{[^{}]*\}")


@lru_cache(maxsize=8192)
def in_file(path: str, version: str) -> tuple[Step, ...]:
    """The steps below ``spec`` to the field that kops calls ``path``.

    ``[]`` and ``{}`` stand for every item of a list and of a map; ``[2]`` and ``{a/b}``
    are one of them.
    """
    if version == "v1alpha2":
        general = re.sub(r"\[\d+\]", "[]", path)
        if known := _known_beginning(general):
            path = _with_indexes(path, known, _V1ALPHA2[known])
    return tuple(_step(step) for step in _STEP.findall(path))


def internal_name(path: str) -> str:
    """What kops calls inside what v1alpha2 calls ``path``; empty if it is the same.

    ``[]`` stands for every item of a list; the longest match counts.
    """
    names = {old: new for new, old in _V1ALPHA2.items()}
    beginning = path
    while beginning and beginning not in names:
        beginning = beginning[: max(*map(beginning.rfind, ".[{"), 0)]
    return names[beginning] + path[len(beginning) :] if beginning else ""


def _known_beginning(path: str) -> str:
    """The longest beginning of a path that v1alpha2 has elsewhere, or ""."""
    while path and path not in _V1ALPHA2:
        path = path[: max(*map(path.rfind, ".[{"), 0)]
    return path


def _with_indexes(path: str, known: str, renamed: str) -> str:
    """``path`` with its beginning renamed and its list indexes kept."""
    indexes = re.findall(r"\[\d*\]", path)
    rest = path
    for part in re.split(r"(\[\])", known):
        rest = re.sub(r"^\[\d*\]", "", rest) if part == "[]" else rest[len(part) :]
    for index in indexes[: renamed.count("[]")]:
        renamed = renamed.replace("[]", index if index != "[]" else "[\0]", 1)
    return renamed.replace("\0", "") + rest


def _step(text: str) -> Step:
    if text.startswith("["):
        return int(text[1:-1]) if text != "[]" else text
    return text[1:-1] if text.startswith("{") and text != "{}" else text


class Declared:
    """One Cluster or InstanceGroup of a file.

    ``kops`` is the minor of the kops version that validates, ``newest`` that of the
    newest one that may be meant, where nobody said which; it is ``asked`` about if the
    file is meant to be given to it. A field that is absent,
    null or not of the type asked for is None, or empty for a list: the walk over the
    fields reports what has a wrong type. ``cluster`` is the Cluster that the object
    belongs to, itself for a Cluster, or None if it is not known.
    """

    def __init__(
        self,
        node: YamlMapping,
        version: str,
        kops: int,
        cluster: Declared | None = None,
        *,
        is_cluster: bool = False,
        newest: int = 0,
        asked: bool = False,
    ) -> None:
        self.root = node
        self.version = version
        spec = node.get("spec")
        entries = spec.entries if isinstance(spec, YamlMapping) else ()
        # Most fields are asked for by several rules, and found once.
        self._found: dict[str, Node | None] = {}
        self._spec: dict[Step, Node] = {e.key.text: e.value for e in entries}
        self.kops = kops
        self.newest = max(kops, newest)
        self.asked = asked
        self._is_cluster = is_cluster
        self._cluster = cluster

    @property
    def cluster(self) -> Declared | None:
        """The Cluster; an object that held itself would outlive its validation."""
        return self if self._is_cluster else self._cluster

    @property
    def about(self) -> str:
        """The object, as in ``InstanceGroup/nodes``."""
        kind = "Cluster" if self.cluster is self else "InstanceGroup"
        return f"{kind}/{self.metadata('name')}"

    def since(self, minor: int) -> bool:
        """Whether kops is 1.``minor`` or newer."""
        return self.kops >= minor

    def until(self, minor: int) -> bool:
        """Whether kops is 1.``minor`` or older, whichever is meant."""
        return self.newest <= minor

    def runs(self, minor: int) -> bool:
        """Whether the cluster's Kubernetes is 1.``minor`` or newer."""
        if self.cluster is None:
            return False
        version = kubernetes_version(self.cluster.text("kubernetesVersion"))
        return version is not None and version >= (1, minor, 0)

    def node(self, path: str) -> Node | None:
        """The node of the field that kops calls ``path``, below ``spec``."""
        try:
            return self._found[path]
        except KeyError:
            steps = in_file(path, self.version)
            node = self._spec.get(steps[0])
            if node is not None and len(steps) > 1:
                node = find(node, *steps[1:])
            is_null = isinstance(node, Scalar) and node.value is None
            found = self._found[path] = None if is_null else node
            return found

    def has(self, path: str) -> bool:
        """Whether the field is set to anything but null."""
        return self.node(path) is not None

    def text(self, path: str) -> str:
        """The text of the field; empty if it has none, as in kops."""
        node = self.node(path)
        return node.text if isinstance(node, Scalar) else ""

    def flag(self, path: str) -> bool | None:
        """The boolean of the field."""
        return self._value(path, bool)

    def number(self, path: str) -> int | None:
        """The whole number of the field."""
        value = self._value(path, int)
        return None if isinstance(value, bool) else value

    def _value(self, path: str, kind: type[T]) -> T | None:
        node = self.node(path)
        value = node.value if isinstance(node, Scalar) else None
        return value if isinstance(value, kind) else None

    def count(self, path: str) -> int:
        """How many items the list, or keys the map, has."""
        node = self.node(path)
        if isinstance(node, YamlSequence):
            return len(node.items)
        return len(node.entries) if isinstance(node, YamlMapping) else 0

    def each(self, path: str) -> Iterator[str]:
        """The paths of the items of a list, or of the keys of a map."""
        node = self.node(path)
        if isinstance(node, YamlSequence):
            yield from (f"{path}[{index}]" for index in range(len(node.items)))
        elif isinstance(node, YamlMapping):
            yield from (f"{path}{{{key}}}" for key in node.keys())  # noqa: SIM118

    def keys(self, path: str) -> tuple[str, ...]:
        """The keys of a map."""
        node = self.node(path)
        return tuple(node.keys()) if isinstance(node, YamlMapping) else ()

    def texts(self, path: str) -> tuple[str, ...]:
        """The items of a list as text."""
        return tuple(self.text(item) for item in self.each(path))

    def span(self, path: str) -> Span:
        """The narrowest span for the field, or for where it is missing."""
        return span_of(self.root, *self._steps(path))

    def key(self, path: str) -> Span:
        """The span of the key of the field, where it is the key that is wrong."""
        *above, last = self._steps(path)
        parent = find(self.root, *above)
        entry = parent.entry(str(last)) if isinstance(parent, YamlMapping) else None
        return entry.key.span if entry is not None else self.span(path)

    def name(self, path: str) -> str:
        """The field as the file names it."""
        return named(self._steps(path))

    def _steps(self, path: str) -> tuple[Step, ...]:
        """All steps of ``path``: apiVersion and metadata stand outside ``spec``."""
        if path.startswith(("metadata", "apiVersion")):
            return tuple(_step(step) for step in _STEP.findall(path))
        return ("spec", *in_file(path, self.version)) if path else ("spec",)

    def metadata(self, *steps: str) -> Plain:
        """The value below ``metadata``."""
        node = find(self.root, "metadata", *steps)
        return node.plain if node is not None else None

    def refuse(
        self,
        kind: FieldKind,
        path: str,
        problem: str,
        source: str,
        at: AtCommand = "create",
        hint: str = "",
    ) -> Rejection:
        """A rejection at ``path``; ``problem`` goes on after the name of the field."""
        name = self.name(path)
        return Rejection(
            kind=kind,
            about=self.about,
            message=f"{name} {problem}",
            places=((self.span(path), _label(name, problem, at)),),
            by="validation",
            path=name,
            at_command=at,
            source=f"kubernetes/kops pkg/apis/kops/validation/{source}"
            if "/" not in source
            else f"kubernetes/kops {source}",
            hint=hint,
        )


def _label(name: str, problem: str, at: AtCommand) -> str:
    """A few words for the place, beside a message that says it all."""
    if problem.startswith("is missing"):
        return f"this cluster has no {name.rpartition('.')[2]}"
    refuses = "kops update cluster refuses" if at == "update" else "kops refuses"
    return f"{refuses} this"


def named(steps: tuple[Step, ...]) -> str:
    """Steps as people write them: ``spec.subnets[0].cidr``."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step in ("[]", "{}"):
            text += step
        else:
            text += f".{step}" if text else step
    return text
