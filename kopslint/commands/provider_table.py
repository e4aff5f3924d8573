"""Which commands of the clouds' own command lines touch what kops made, and how.

One row for each, by its leading words. How the rest of such a line is read is not
known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVIDERS = frozenset(
    {"aws", "az", "doctl", "gcloud", "gsutil", "hcloud", "linode-cli", "openstack"}
    | {"scw"}
)
"""The programs that the rows below begin with."""

_Stop = Literal["terminate", "stop", "reboot", "start"]
STOPS: Mapping[str, _Stop] = {
    "aws ec2 terminate-instances": "terminate",
    "aws ec2 stop-instances": "stop",
    "aws ec2 reboot-instances": "reboot",
    "aws ec2 start-instances": "start",
    "aws autoscaling terminate-instance-in-auto-scaling-group": "terminate",
    "gcloud compute instances delete": "terminate",
    "gcloud compute instances stop": "stop",
    "gcloud compute instances suspend": "stop",
    "gcloud compute instances reset": "reboot",
    "gcloud compute instances start": "start",
    "gcloud compute instance-groups managed delete-instances": "terminate",
    "gcloud compute instance-groups managed recreate-instances": "terminate",
    "az vm delete": "terminate",
    "az vm deallocate": "stop",
    "az vm stop": "stop",
    "az vm restart": "reboot",
    "az vm start": "start",
    "az vmss delete-instances": "terminate",
    "openstack server delete": "terminate",
    "openstack server stop": "stop",
    "openstack server reboot": "reboot",
    "openstack server start": "start",
    "hcloud server delete": "terminate",
    "hcloud server rebuild": "terminate",
    "hcloud server poweroff": "stop",
    "hcloud server shutdown": "stop",
    "hcloud server reboot": "reboot",
    "hcloud server reset": "reboot",
    "hcloud server poweron": "start",
    "doctl compute droplet delete": "terminate",
    "doctl compute droplet del": "terminate",
    "doctl compute droplet rm": "terminate",
    "doctl compute droplet d": "terminate",
    "doctl compute droplet-action rebuild": "terminate",
    "doctl compute droplet-action power-off": "stop",
    "doctl compute droplet-action shutdown": "stop",
    "doctl compute droplet-action reboot": "reboot",
    "doctl compute droplet-action power-cycle": "reboot",
    "doctl compute droplet-action power-on": "start",
    "linode-cli linodes delete": "terminate",
    "linode-cli linodes rm": "terminate",
    "linode-cli linodes rebuild": "terminate",
    "linode-cli linodes shutdown": "stop",
    "linode-cli linodes reboot": "reboot",
    "linode-cli linodes boot": "start",
    "scw instance server delete": "terminate",
    "scw instance server terminate": "terminate",
    "scw instance server stop": "stop",
    "scw instance server standby": "stop",
    "scw instance server reboot": "reboot",
    "scw instance server start": "start",
}
_Change = Literal["delete", "detach", "retag"]
VOLUMES: Mapping[str, _Change] = {
    "aws ec2 delete-volume": "delete",
    "aws ec2 detach-volume": "detach",
    "aws ec2 create-tags": "retag",
    "aws ec2 delete-tags": "retag",
    "gcloud compute disks delete": "delete",
    "gcloud compute instances detach-disk": "detach",
    "az disk delete": "delete",
    "az vm disk detach": "detach",
    "openstack volume delete": "delete",
    "openstack server remove volume": "detach",
    "hcloud volume delete": "delete",
    "hcloud volume detach": "detach",
    "doctl compute volume delete": "delete",
    "doctl compute volume rm": "delete",
    "doctl compute volume d": "delete",
    "doctl compute volume-action detach": "detach",
    "linode-cli volumes delete": "delete",
    "linode-cli volumes rm": "delete",
    "linode-cli volumes detach": "detach",
    "scw instance volume delete": "delete",
    "scw block volume delete": "delete",
    "scw instance server detach-volume": "detach",
}
GROUPS = (
    "aws autoscaling set-desired-capacity",
    "aws autoscaling update-auto-scaling-group",
    "aws autoscaling delete-auto-scaling-group",
    "gcloud compute instance-groups managed resize",
    "gcloud compute instance-groups managed delete",
    "az vmss scale",
    "az vmss delete",
)
REMOVES = (
    "aws s3 rm",
    "aws s3 rb",
    "aws s3 mv",
    "aws s3 sync",
    "aws s3api delete-object",
    "aws s3api delete-objects",
    "aws s3api delete-bucket",
    "gcloud storage rm",
    "gsutil rm",
    "gsutil mv",
    "gsutil rsync",
)
