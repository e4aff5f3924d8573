"""Which commands of other programs touch what kops made, and how.

The clouds' own command lines, those of their object stores, and what builds or
destroys whole stacks. One row for each command, by its leading words; a command
without a row is judged by its service and its verb. How the rest of such a line is
read is not known here. Sources: the programs' own references, as their ``help`` and
manuals print them; what kops makes on a cloud is in kops upup/pkg/fi/cloudup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.commands.model import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping

PROVIDERS = frozenset(
    {"aws", "az", "doctl", "gcloud", "gsutil", "hcloud", "linode-cli", "openstack"}
    | {"scw", "nova", "cinder", "swift", "azcopy"}
    | {"s3cmd", "s5cmd", "rclone", "mc", "mcli"}
    | {"pulumi", "cdk", "cdktf", "aws-nuke", "cloud-nuke"}
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
    "hcloud server rebuild": "reboot",
    "hcloud server poweroff": "stop",
    "hcloud server shutdown": "stop",
    "hcloud server reboot": "reboot",
    "hcloud server reset": "reboot",
    "hcloud server poweron": "start",
    "doctl compute droplet delete": "terminate",
    "doctl compute droplet del": "terminate",
    "doctl compute droplet rm": "terminate",
    "doctl compute droplet d": "terminate",
    "doctl compute droplet-action rebuild": "reboot",
    "doctl compute droplet-action power-off": "stop",
    "doctl compute droplet-action shutdown": "stop",
    "doctl compute droplet-action reboot": "reboot",
    "doctl compute droplet-action power-cycle": "reboot",
    "doctl compute droplet-action power-on": "start",
    "linode-cli linodes delete": "terminate",
    "linode-cli linodes rm": "terminate",
    "linode-cli linodes rebuild": "reboot",
    "linode-cli linodes shutdown": "stop",
    "linode-cli linodes reboot": "reboot",
    "linode-cli linodes boot": "start",
    "scw instance server delete": "terminate",
    "scw instance server terminate": "terminate",
    "scw instance server stop": "stop",
    "scw instance server standby": "stop",
    "scw instance server reboot": "reboot",
    "scw instance server start": "start",
    "aws autoscaling set-instance-health": "terminate",
    "aws autoscaling detach-instances": "terminate",
    "gcloud compute instances resume": "start",
    "az vmss deallocate": "stop",
    "az vmss stop": "stop",
    "az vmss restart": "reboot",
    "az vmss reimage": "reboot",
    "az vmss start": "start",
    "az vm redeploy": "reboot",
    "az vm reapply": "reboot",
    "az vm reimage": "reboot",
    "openstack server rebuild": "reboot",
    "openstack server shelve": "stop",
    "openstack server pause": "stop",
    "openstack server suspend": "stop",
    "openstack server evacuate": "reboot",
    "openstack server unshelve": "start",
    "openstack server unpause": "start",
    "openstack server resume": "start",
    "nova delete": "terminate",
    "nova force-delete": "terminate",
    "nova stop": "stop",
    "nova reboot": "reboot",
    "nova rebuild": "reboot",
    "nova start": "start",
    "doctl compute droplet-action restore": "reboot",
    "doctl compute droplet-action resize": "stop",
}
GROUP_STOPS: Mapping[str, _Stop] = {
    "aws autoscaling start-instance-refresh": "terminate",
    "gcloud compute instance-groups managed rolling-action replace": "terminate",
    "gcloud compute instance-groups managed rolling-action restart": "reboot",
    "gcloud compute instance-groups managed rolling-action start-update": "terminate",
    "gcloud compute instance-groups managed update-instances": "terminate",
    "gcloud compute instance-groups managed suspend-instances": "stop",
    "gcloud compute instance-groups managed stop-instances": "stop",
    "az vmss update-instances": "reboot",
    "az vmss rolling-upgrade start": "reboot",
}
"""What replaces or restarts every machine of a group.

``gcloud`` and ``aws`` ask nothing of etcd in between: instance refresh waits for a
machine to be in service, which a machine is before its member votes.
"""
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
    "cinder delete": "delete",
    "cinder force-delete": "delete",
}
GROUPS = (
    "aws autoscaling set-desired-capacity",
    "aws autoscaling update-auto-scaling-group",
    "aws autoscaling delete-auto-scaling-group",
    "gcloud compute instance-groups managed resize",
    "gcloud compute instance-groups managed delete",
    "az vmss scale",
    "az vmss update",
    "az vmss delete",
)
SCHEDULED = (
    "aws autoscaling put-scheduled-update-group-action",
    "aws autoscaling batch-put-scheduled-update-group-action",
)
"""What sizes a group at a later time."""
REMOVES = (
    "aws s3 rm",
    "aws s3 rb",
    "aws s3 mv",
    "aws s3 sync",
    "aws s3api delete-object",
    "aws s3api delete-objects",
    "aws s3api delete-bucket",
    "gcloud storage rm",
    "gcloud storage mv",
    "gcloud storage rsync",
    "gcloud storage buckets delete",
    "gcloud storage objects delete",
    "gsutil rm",
    "gsutil rb",
    "gsutil mv",
    "gsutil rsync",
    "s3cmd del",
    "s3cmd rm",
    "s3cmd rb",
    "s3cmd mv",
    "s3cmd sync",
    "s5cmd rm",
    "s5cmd rb",
    "s5cmd mv",
    "s5cmd sync",
    "rclone delete",
    "rclone deletefile",
    "rclone purge",
    "rclone move",
    "rclone moveto",
    "rclone sync",
    "mc rm",
    "mc rb",
    "mc mv",
    "mc mirror",
    "mcli rm",
    "mcli rb",
    "swift delete",
    "azcopy remove",
    "azcopy rm",
    "azcopy sync",
    "az storage blob delete",
    "az storage blob delete-batch",
    "az storage blob sync",
    "az storage container delete",
    "az storage account delete",
    "openstack object delete",
    "openstack container delete",
    "scw object bucket delete",
    "linode-cli obj rb",
    "linode-cli obj del",
    "linode-cli obj rm",
)
EXPIRES = (
    "aws s3api put-bucket-lifecycle-configuration",
    "aws s3api put-bucket-lifecycle",
    "gsutil lifecycle set",
    "gcloud storage buckets update",
    "s3cmd expire",
    "s3cmd setlifecycle",
    "mc ilm add",
    "mc ilm rule add",
    "mc ilm import",
    "mc ilm rule import",
)
"""What makes a store remove objects after a time."""
MIRRORS: Mapping[str, tuple[str, ...]] = {
    "aws s3 sync": ("delete",),
    "gsutil rsync": ("d",),
    "gcloud storage rsync": ("delete-unmatched-destination-objects",),
    "s3cmd sync": ("delete-removed",),
    "s5cmd sync": ("delete",),
    "rclone sync": (),
    "mc mirror": ("remove",),
    "azcopy sync": ("delete-destination",),
    "az storage blob sync": ("delete-destination",),
}
"""What makes a destination like its source, and the option by which it removes.

Without such an option it always removes what the source does not have.
"""

_APART = "it may cut etcd members off from each other"
UNREPLAYED: Mapping[str, tuple[Reach, str]] = {
    "aws autoscaling suspend-processes": (
        Reach.MACHINE,
        "the group no longer replaces missing machines",
    ),
    "aws autoscaling enter-standby": (
        Reach.MACHINE,
        "it takes machines out of their group",
    ),
    "aws ec2 create-network-acl-entry": (
        Reach.MACHINE,
        "it may cut etcd members off from each other",
    ),
    "aws ec2 revoke-security-group-ingress": (
        Reach.MACHINE,
        "it may cut etcd members off from each other",
    ),
    "aws iam remove-role-from-instance-profile": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws iam put-role-permissions-boundary": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws organizations close-account": (
        Reach.MACHINE,
        "it deletes everything in the account",
    ),
    "aws iam detach-role-policy": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws iam delete-role-policy": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws iam delete-role": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws iam delete-instance-profile": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws iam put-role-policy": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws s3api put-bucket-policy": (
        Reach.ELSEWHERE,
        "machines may lose access to the state store",
    ),
    "gcloud iam service-accounts delete": (
        Reach.ELSEWHERE,
        "machines may lose access to volumes and the state store",
    ),
    "aws lambda invoke": (Reach.ELSEWHERE, "what it runs is not in the list"),
    "aws stepfunctions start-execution": (
        Reach.ELSEWHERE,
        "what it runs is not in the list",
    ),
    "aws cloudcontrol delete-resource": (
        Reach.MACHINE,
        "kopslint does not know which resource this is",
    ),
    "aws ec2 create-replace-root-volume-task": (
        Reach.MACHINE,
        "it restarts a machine with another disk",
    ),
    "gcloud compute firewall-rules delete": (Reach.MACHINE, _APART),
    "az network nsg rule create": (Reach.MACHINE, _APART),
    "az network nsg rule delete": (Reach.MACHINE, _APART),
    "hcloud firewall apply-to-resource": (Reach.MACHINE, _APART),
    "doctl compute firewall delete": (Reach.MACHINE, _APART),
    "openstack port delete": (Reach.MACHINE, _APART),
    "aws kms schedule-key-deletion": (
        Reach.VOLUME,
        "volumes that are encrypted with the key are lost",
    ),
    "aws kms disable-key": (
        Reach.VOLUME,
        "volumes that are encrypted with the key cannot be mounted",
    ),
    "aws fis start-experiment": (Reach.MACHINE, "it makes machines fail"),
    "aws resourcegroupstaggingapi untag-resources": (
        Reach.MACHINE,
        "kops and etcd-manager find machines and volumes by their tags",
    ),
    "aws ec2 associate-iam-instance-profile": (
        Reach.MACHINE,
        "machines may lose access to volumes and the state store",
    ),
    "gcloud projects delete": (Reach.MACHINE, "it deletes everything in the project"),
    "gcloud deployment-manager deployments delete": (
        Reach.MACHINE,
        "it deletes everything in the deployment",
    ),
    "az group delete": (Reach.MACHINE, "it deletes everything in the resource group"),
    "az resource delete": (
        Reach.MACHINE,
        "kopslint does not know which resource this is",
    ),
    "az vm run-command": (Reach.MACHINE, "it runs commands on machines"),
    "az vmss run-command": (Reach.MACHINE, "it runs commands on machines"),
    "aws ssm send-command": (Reach.MACHINE, "it runs commands on machines"),
    "aws ssm start-automation-execution": (
        Reach.MACHINE,
        "it runs commands on machines",
    ),
    "openstack stack delete": (Reach.MACHINE, "it deletes everything in the stack"),
    "openstack project purge": (Reach.MACHINE, "it deletes everything in the project"),
    "pulumi destroy": (Reach.MACHINE, "it deletes everything in its stack"),
    "pulumi up": (Reach.MACHINE, "what its program changes is not in the list"),
    "pulumi update": (Reach.MACHINE, "what its program changes is not in the list"),
    "pulumi stack rm": (
        Reach.MACHINE,
        "it forgets or destroys everything in its stack",
    ),
    "pulumi state delete": (
        Reach.MACHINE,
        "it changes pulumi's state of what exists",
    ),
    "cdk destroy": (Reach.MACHINE, "it deletes everything in its stacks"),
    "cdk deploy": (Reach.MACHINE, "what its program changes is not in the list"),
    "cdktf destroy": (Reach.MACHINE, "it deletes everything in its stacks"),
    "cdktf deploy": (Reach.MACHINE, "what its program changes is not in the list"),
    "aws-nuke": (Reach.MACHINE, "it deletes everything in an account"),
    "cloud-nuke": (Reach.MACHINE, "it deletes everything in an account"),
}
"""Known commands that the simulation has no move for, and what they do."""

ROWS = frozenset(
    {*STOPS, *GROUP_STOPS, *VOLUMES, *GROUPS, *SCHEDULED, *REMOVES, *EXPIRES}
    | {*UNREPLAYED}
)
"""The leading words of every row above."""

SERVICES: Mapping[str, Reach] = {
    "aws ec2": Reach.MACHINE,
    "aws autoscaling": Reach.MACHINE,
    "aws cloudformation": Reach.MACHINE,
    "aws s3api": Reach.STATE_STORE,
    "az disk": Reach.VOLUME,
    "az vm": Reach.MACHINE,
    "az vm disk": Reach.VOLUME,
    "az vmss": Reach.MACHINE,
    "az deployment group": Reach.MACHINE,
    "azcopy": Reach.STATE_STORE,
    "cinder": Reach.VOLUME,
    "doctl compute droplet": Reach.MACHINE,
    "doctl compute droplet-action": Reach.MACHINE,
    "doctl compute volume": Reach.VOLUME,
    "doctl compute volume-action": Reach.VOLUME,
    "gcloud compute disks": Reach.VOLUME,
    "gcloud compute instance-groups managed": Reach.MACHINE,
    "gcloud compute instance-groups managed rolling-action": Reach.MACHINE,
    "gcloud compute instances": Reach.MACHINE,
    "gcloud storage": Reach.STATE_STORE,
    "gcloud storage buckets": Reach.STATE_STORE,
    "gsutil": Reach.STATE_STORE,
    "hcloud server": Reach.MACHINE,
    "hcloud volume": Reach.VOLUME,
    "linode-cli linodes": Reach.MACHINE,
    "linode-cli volumes": Reach.VOLUME,
    "mc": Reach.STATE_STORE,
    "nova": Reach.MACHINE,
    "openstack server": Reach.MACHINE,
    "openstack stack": Reach.MACHINE,
    "openstack volume": Reach.VOLUME,
    "pulumi": Reach.MACHINE,
    "rclone": Reach.STATE_STORE,
    "s3cmd": Reach.STATE_STORE,
    "s5cmd": Reach.STATE_STORE,
    "scw instance server": Reach.MACHINE,
    "scw instance volume": Reach.VOLUME,
}
"""The services whose other commands may reach what kops made.

Everything else that these programs do reaches none of it: accounts and permissions,
names, images, registries, the clouds' own Kubernetes.
"""

_PRINTS = """
    describe list get show view ls status logs log head lookup search find cat tail du
    stat ll size info help version wait watch diff preview validate check estimate test
    tree lsd lsf lsl lsjson presign hash signurl ncdu about stack events detect synth
    doctor history ip ssh bench md5sum sha1sum hashsum checksum cryptcheck cryptdecode
    link od sql ready ping metrics neighbors kernels actions backups types stats
    request-console boot-diagnostics perfdiag package
"""
_MAKES = """
    create run import copy cp copyto copyurl allocate register mb mkdir make put upload
    download export clone snapshot generate complete record new mk touch pipe rcat boot
    select-object-content restore-object bundle image compose rewrite keypair-add
"""
_OPENS = """
    authorize add attach enable associate-address accept resume-processes exit-standby
    monitor unmonitor set-labels add-labels remove-labels add-tags remove-tags
    add-metadata tag untag label create-or-update-tags assign set-instance-protection
    open-port user identity set unset set-rdns reset-password disable-metrics-collection
"""
_OWN = """
    config configure login logout auth init completion genautocomplete selfupdate alias
    plugin whoami account context bootstrap os-login serve rcd mount hash-password
    convert env listremotes obscure admin support license idp
"""
_BESIDE = """
    acl anonymous policy iam cors web defacl notification logging kms ubla pap hmac
    type group qos service
    versioning setmeta event encrypt legalhold retention quota replicate
    accesslog multipart abortmp abort-multipart-upload settier rmdir rmdirs cleanup
    delete-key-pair delete-snapshot delete-bucket-lifecycle delete-bucket-tagging
    delete-bucket-cors delete-bucket-website delete-bucket-encryption
    delete-object-tagging delete-public-access-block delete-change-set delete-policy
    delete-notification-configuration delete-flow-logs delete-placement-group
    delete-scheduled-action cancel-spot-instance-requests cancel-spot-fleet-requests
    cancel-instance-refresh cancel-update-stack continue-update-rollback
    set-stack-policy release-address deregister-image modify-vpc-attribute
    modify-subnet-attribute modify-volume modify-instance-metadata-options
"""
_IN_USE = """
    delete-security-group delete-subnet delete-vpc delete-network-interface
    delete-internet-gateway delete-route-table delete-launch-configuration
    delete-network-acl
"""
_REASONS = {
    "it prints what there is": _PRINTS,
    "it creates something new and does not touch what exists": _MAKES,
    "it opens or adds something and removes nothing": _OPENS,
    "it is about the program's own settings": _OWN,
    "it deletes no machine, disk or object of a running cluster": _BESIDE,
    "the cloud refuses it while a machine uses it": _IN_USE,
}
HARMLESS: Mapping[str, str] = {
    verb: reason for reason, verbs in _REASONS.items() for verb in verbs.split()
}
"""Verbs of the services above that leave a running cluster alone, and why.

The whole verb, or its first part: ``describe`` of ``describe-instances``.
"""
TAGS_OF_VOLUMES = (
    r"\bName\b|k8s\.io/(etcd|role)/|kubernetes\.io/cluster/|KubernetesCluster"
)
"""The tags by which kops finds an etcd volume and etcd-manager mounts it.

Source: kops upup/pkg/fi/cloudup/awstasks/ebsvolume.go, etcd-manager pkg/volumes/aws.
"""
