"""The clouds that kops runs on: one record each, with what kops makes of it there.

A new cloud is a new record. What only one cloud does beyond these fields is code where
it happens: shell that finds its volumes in ``cli.plan_script``, verbs of its program in
``commands.cloud_table``.
"""

from __future__ import annotations

import re
from base64 import b32hexencode
from typing import TYPE_CHECKING, Literal

from kopslint.kops.spec import Role
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.kops.spec import InstanceGroup, Manifest


class Terraform(Record):
    """What ``kops update cluster --target terraform`` renders on a cloud.

    ``group`` and ``object`` are the types of the resources that a group, and an object
    of the state store, are rendered as; empty where none is known. ``flag`` is the
    feature flag without which kops refuses. ``rolls_past`` is whether a rolling update
    makes the new machines by itself, past terraform's state. Sources: kops
    upup/pkg/fi/cloudup/apply_cluster.go (``TerraformCloudProviders``) and
    pkg/instancegroups/instancegroups.go; a scale set of Azure makes its own machines.
    """

    group: str = ""
    object: str = ""
    flag: str | None = None
    rolls_past: bool = False


class Cloud(Record):
    """One cloud, by its name in v1alpha2.

    - ``program`` is its own command line; None where machines are nobody's.
    - ``members_are`` says what etcd calls a member: the spec's name for it, or the name
      or the id of its volume. Source: etcd-manager pkg/volumes, ``EtcdName`` of each.
    - ``mounts_by_group``: a machine mounts the etcd volumes of its own group alone, and
      not any of its zone. Source: kops pkg/model/components/etcdmanager/model.go,
      ``VolumeNameTag``.
    - ``remakes_machines``: a group makes a machine anew that was stopped under it.
      Source: kops pkg/model/*model: AutoscalingGroup, InstanceGroupManager.
    - ``delete_group_does``: what ``kops delete ig`` does instead of ending machines,
      None where it ends them; ``delete_group_fails`` is the error that it ends with
      there, before it touches the object, None where the object goes and the machine
      stays. ``lists_empty_groups``: it does so for a group without a machine too.
      Source: ``DeleteGroup`` and ``GetCloudGroups`` of each cloud, kops
      upup/pkg/fi/cloudup, the same in 1.20 to 1.36; pkg/instancegroups/delete.go.
    - ``rolls_apply``: a rolling update applies the state store after every machine.
      Source: kops pkg/instancegroups/instancegroups.go, ``reconcileInstanceGroup``.
    - ``delete_volume`` is the call that deletes a volume ``{id}``, ``find_volume`` the
      one that prints the id of the volume ``{name}`` where etcd needs it.
    - ``asks`` is a call that reads something and fails without credentials.
    - ``terraform`` is None where kops refuses to render for it.
    """

    name: str
    program: str | None
    members_are: Literal["names", "volume names", "volume ids"] = "names"
    mounts_by_group: bool = False
    remakes_machines: bool = False
    delete_group_does: str | None = None
    delete_group_fails: str | None = None
    lists_empty_groups: bool = False
    rolls_apply: bool = False
    delete_volume: str | None = None
    find_volume: str | None = None
    asks: str | None = None
    terraform: Terraform | None = None

    @property
    def leaves_machines(self) -> bool:
        """Whether ``kops delete ig`` deletes the object alone: it finds no machines."""
        return self.delete_group_does is not None and self.delete_group_fails is None


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "aws",
            "aws",
            asks="aws sts get-caller-identity",
            remakes_machines=True,
            delete_volume="aws ec2 delete-volume --volume-id {id}",
            terraform=Terraform("aws_autoscaling_group", "aws_s3_object"),
        ),
        Cloud(
            "azure",
            "az",
            asks="az account show",
            delete_group_does="kops has not implemented it there: "
            '"DeleteGroup not implemented"',
            delete_group_fails="DeleteGroup not implemented on azureCloud",
            rolls_apply=True,
            delete_volume="az disk delete --name {id} --yes",
            terraform=Terraform(
                "azurerm_linux_virtual_machine_scale_set",
                "azurerm_storage_blob",
                flag="AzureTerraform",
            ),
        ),
        Cloud(
            "digitalocean",
            "doctl",
            asks="doctl account get",
            members_are="volume names",
            delete_group_does="kops has not implemented it there: "
            '"does not support deleting cloud groups at this time"',
            delete_group_fails="digital ocean cloud provider does not support "
            "deleting cloud groups at this time",
            rolls_apply=True,
            delete_volume="doctl compute volume delete {id} --force",
            terraform=Terraform(flag="DOTerraform", rolls_past=True),
        ),
        Cloud(
            "gce",
            "gcloud",
            asks="gcloud compute regions list --limit 1",
            remakes_machines=True,
            delete_volume="gcloud compute disks delete {id} --quiet",
            terraform=Terraform(
                "google_compute_instance_group_manager", "google_storage_bucket_object"
            ),
        ),
        Cloud(
            "hetzner",
            "hcloud",
            asks="hcloud location list",
            members_are="volume ids",
            mounts_by_group=True,
            rolls_apply=True,
            delete_volume="hcloud volume delete {id}",
            find_volume="hcloud volume describe {name} --output 'format={{{{.ID}}}}'",
            terraform=Terraform(rolls_past=True),
        ),
        Cloud(
            "linode",
            "linode-cli",
            asks="linode-cli profile view",
            members_are="volume ids",
            mounts_by_group=True,
            delete_group_does="kops finds no machines of a group there: it deletes"
            " the object, the machine keeps running, and validation fails from then"
            " on",
            delete_volume="linode-cli volumes delete {id}",
            find_volume="linode-cli volumes list --label {name} --text --no-headers "
            "--format id",
        ),
        Cloud(
            "metal",
            None,
            delete_group_does="kops has not implemented it there: "
            '"method metal.Cloud::DeleteGroup not implemented"',
            delete_group_fails="method metal.Cloud::DeleteGroup not implemented",
            lists_empty_groups=True,
        ),
        Cloud(
            "openstack",
            "openstack",
            asks="openstack token issue",
            rolls_apply=True,
            delete_volume="openstack volume delete {id}",
        ),
        Cloud(
            "scaleway",
            "scw",
            asks="scw instance volume list",
            members_are="volume ids",
            mounts_by_group=True,
            rolls_apply=True,
            delete_volume="scw instance volume delete {id}",
            # Scaleway looks for a part of a name: the whole one is asked for once more.
            find_volume="scw instance volume list name={name} --output "
            "'template={{{{.Name}}}} {{{{.ID}}}}' |\n"
            "    awk -v name={name} '$1 == name {{ print $2 }}'",
            terraform=Terraform(rolls_past=True),
        ),
    )
}
"""Every cloud that kops has. Source: kops pkg/apis/kops, CloudProviderSpec."""


def cloud_named(name: str | None) -> Cloud | None:
    """The cloud of a spec; None if the spec names none, or none that kops has."""
    return CLOUDS.get(name) if name is not None else None


# ------------------------------------------------------------------------------------
# Who leads the etcd-managers: the living peer with the lowest id
#
# Sources: etcd-manager pkg/controller/controller.go, and pkg/volumes of each cloud for
# the id: the member's name behind that of the etcd cluster, or the volume's name or id.
# 356 of 356 observations of the recorded runs agree. Volume ids have no known order.


def leading_order(
    cloud: str | None, cluster: str, etcd_cluster: str, names: Sequence[str]
) -> tuple[int, ...] | None:
    """The place of each member in the order in which they lead, if it is known."""
    known = cloud_named(cloud)
    if known is None or known.program is None:
        return None
    if known.members_are == "names":
        ids = list(names)
    elif known.members_are == "volume names":
        # Kops cuts a volume's name on DigitalOcean (``addDOVolume``).
        whole = (f"kops-{name}.etcd-{etcd_cluster}.{cluster}" for name in names)
        ids = [one.replace(".", "-")[:64] for one in whole]
    else:
        return None
    if len({*ids}) < len(ids):
        return None
    in_order = sorted(ids)
    return tuple(in_order.index(one) for one in ids)


# ------------------------------------------------------------------------------------
# Under which addresses terraform has what kops renders
#
# Sources: kops pkg/model/names.go, pkg/model/gcemodel/autoscalinggroup.go and
# terraformWriter/writer.go. What terraform does with it belongs to the model.

_OBJECTS = "|".join(
    cloud.terraform.object
    for cloud in CLOUDS.values()
    if cloud.terraform is not None and cloud.terraform.object
)
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
    cloud = cloud_named(manifest.cloud)
    rendered = cloud.terraform if cloud is not None else None
    if rendered is None or not rendered.group:
        return ()
    names = tuple(_names(group, manifest))
    if not names:
        return ()
    manifests = (
        f"manifests-etcdmanager-{etcd.name}-{group.name}"
        for etcd in manifest.etcd_clusters
        if group.is_control_plane
    )
    objects = (f"nodeupconfig-{group.name}", *manifests)
    return (
        *(f"{rendered.group}.{name}" for name in names),
        *(f"{rendered.object}.{_resource(name)}" for name in objects),
    )


def group_at(address: str, manifest: Manifest) -> InstanceGroup | None:
    """The group of ``manifest`` that an address is about, if it names one."""
    kind, _, last = re.sub(r"\[[^\]]*\]$", "", address).rpartition(".")
    name = re.sub(r"^(nodeupconfig|manifests-etcdmanager-[a-z]+)-", "", last)
    if kind.endswith("google_compute_instance_group_manager"):
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


def called_in_cloud(group: InstanceGroup, manifest: Manifest) -> frozenset[str]:
    """What ``kops get instances`` may call a group: its own name, or its cloud's.

    Dots are written as hyphens. Source: ``HumanName`` of each cloud's GetCloudGroups,
    kops upup/pkg/fi/cloudup.
    """
    return frozenset({_resource(group.name), *_names(group, manifest)})


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
