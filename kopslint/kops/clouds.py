"""How the clouds that kops runs on differ for etcd; by their names in v1alpha2.

Which commands the clouds have themselves is not known here.
"""

from __future__ import annotations

import re
from base64 import b32hexencode
from typing import TYPE_CHECKING

from kopslint.kops.spec import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import InstanceGroup, Manifest


CALLED_BY_VOLUME = frozenset({"digitalocean", "hetzner", "linode", "scaleway"})
"""Where etcd calls a member by its volume, and not as the spec does.

Source: etcd-manager pkg/volumes, ``EtcdName`` of each cloud.
"""

MOUNTED_BY_GROUP = frozenset({"hetzner", "linode", "scaleway"})
"""Where a machine mounts the etcd volumes of its own group alone.

Elsewhere it mounts any of its zone. Source: kops
pkg/model/components/etcdmanager/model.go, ``VolumeNameTag``.
"""

DELETES_NO_GROUP = {
    "azure": 'kops has not implemented it there: "DeleteGroup not implemented"',
    "digitalocean": "kops has not implemented it there: "
    '"does not support deleting cloud groups at this time"',
    "linode": "kops finds no machines of a group there: the object goes, its machine "
    "runs on, and no validation passes any more",
}
"""Where ``kops delete ig`` ends no machine, and what it does instead.

Source: ``DeleteGroup`` and ``GetCloudGroups`` of each cloud, kops upup/pkg/fi/cloudup.
"""

APPLIED_BY_ROLLS = frozenset(
    {"azure", "digitalocean", "hetzner", "openstack", "scaleway"}
)
"""Where a rolling update applies the state store after every machine.

Source: kops pkg/instancegroups/instancegroups.go, ``reconcileInstanceGroup``.
"""


# ------------------------------------------------------------------------------------
# What kops renders for terraform: on which clouds, and under which addresses
#
# Nothing here knows what terraform does with it, or when. Sources: kops
# upup/pkg/fi/cloudup/apply_cluster.go (``TerraformCloudProviders``),
# pkg/model/names.go, pkg/model/gcemodel/autoscalinggroup.go and
# terraformWriter/writer.go.

REFUSED_ON = frozenset({"linode", "metal", "openstack"})
"""The clouds on which kops refuses ``update cluster --target terraform``."""

FLAGS = {"azure": "AzureTerraform", "digitalocean": "DOTerraform"}
"""The feature flag without which it is refused, by cloud."""

ROLLED_PAST_IT = APPLIED_BY_ROLLS - REFUSED_ON - {"azure"}
"""Where a rolling update makes the new machines by itself, past terraform's state.

A scale set of Azure makes its own.
"""

_GROUP = {
    "aws": "aws_autoscaling_group",
    "azure": "azurerm_linux_virtual_machine_scale_set",
    "gce": "google_compute_instance_group_manager",
}
_OBJECT = {
    "aws": "aws_s3_object",
    "azure": "azurerm_storage_blob",
    "gce": "google_storage_bucket_object",
}
_OBJECTS = "|".join(_OBJECT.values())
_INFIX: dict[Role | None, str] = {
    Role.CONTROL_PLANE: "masters",
    Role.API_SERVER: "apiservers",
}
_LONGEST = 63


def addresses(group: InstanceGroup, manifest: Manifest) -> tuple[str, ...]:
    """The addresses of a group and of what its new machines read when they start.

    A machine does not start if its configuration in the state store is another one
    than its launch template was made with: kops upup/pkg/fi/nodeup/command.go. So a
    group that is applied alone has to bring its objects along. Empty where that of the
    group is not known; launch templates come along by themselves.
    """
    cloud = manifest.cloud
    names = tuple(_names(group, manifest)) if cloud in _GROUP else ()
    if cloud is None or not names:
        return ()
    manifests = (
        f"manifests-etcdmanager-{etcd.name}-{group.name}"
        for etcd in manifest.etcd_clusters
        if group.is_control_plane
    )
    objects = (f"nodeupconfig-{group.name}", *manifests)
    return (
        *(f"{_GROUP[cloud]}.{name}" for name in names),
        *(f"{_OBJECT[cloud]}.{_resource(name)}" for name in objects),
    )


def group_at(address: str, manifest: Manifest) -> InstanceGroup | None:
    """The group of ``manifest`` that an address is about, if it names one."""
    kind, _, last = re.sub(r"\[[^\]]*\]$", "", address).rpartition(".")
    name = re.sub(r"^(nodeupconfig|manifests-etcdmanager-[a-z]+)-", "", last)
    if kind.endswith(_GROUP["gce"]):
        name = name.partition("-")[2]
    named = [
        group
        for group in manifest.groups
        if name == (resource := _resource(group)) or name.startswith(f"{resource}-")
    ]
    # The name of one group may begin with that of another.
    return manifest.groups[max(named, key=len)] if named else None


def is_object(address: str) -> bool:
    """Whether an address is that of something in the state store, and no machine's."""
    return re.search(rf"(^|\.)({_OBJECTS}|aws_s3_bucket_object)\.", address) is not None


def _names(group: InstanceGroup, manifest: Manifest) -> Iterator[str]:
    if manifest.cloud == "gce":
        for zone in manifest.zones_of(group) or ():
            name = f"{zone.rpartition('-')[2]}-{group.name}-{manifest.name}"
            yield _resource(_limited(name.replace(".", "-")))
        return
    infix = f".{_INFIX[group.role]}" if group.role in _INFIX else ""
    yield _resource(f"{group.name}{infix}.{manifest.name}")


def _resource(name: str) -> str:
    prefix = "prefix_" if name[:1].isdigit() else ""
    return prefix + name.replace(".", "-").replace("/", "--").replace(":", "_")


def _limited(name: str) -> str:
    """A name as Google takes it: cut, with a hash of the whole behind it.

    Source: kops upup/pkg/fi/cloudup/gce/instancegroups.go, ``LimitedLengthName``.
    """
    if len(name) <= _LONGEST:
        return name
    fnv = 2166136261
    for byte in name.encode():
        fnv = (fnv ^ byte) * 16777619 % 2**32
    tail = b32hexencode(fnv.to_bytes(4, "big")).decode().lower()[:6]
    return f"{name[: _LONGEST - len(tail) - 1]}-{tail}"
