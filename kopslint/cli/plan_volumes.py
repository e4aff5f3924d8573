"""What a runbook's script needs to delete volumes: the function that finds one.

Volumes have no id before they are made, so a script asks the cloud for it, and waits
until no machine uses the volume any more. Which volumes go is decided elsewhere.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.commands.model import DeleteVolumes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.plan.runbook import Runbook

# What the volumes are called: kops pkg/model/master_volumes.go, and for DigitalOcean
# upup/pkg/fi/cloudup/do/utils.go. By the program that deletes them: what it has to be
# told first, and how a volume is found.
_VOLUMES = {
    "aws": (
        ': "${AWS_REGION:?set it to the region of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER id
  id=$(aws ec2 describe-volumes --filters "Name=tag:Name,Values=$name" \\
    --query 'Volumes[].VolumeId' --output text)
  aws ec2 wait volume-available --volume-ids "$id"
  echo "$id"
""",
    ),
    "gcloud": (
        ': "${CLOUDSDK_CORE_PROJECT:?set it to the project of the cluster}"',
        """\
  local cluster=CLUSTER id users
  id=$(gcloud compute disks list --uri --filter \\
    "name~'^d?${2//./-}-etcd-$1-' AND labels.k8s-io-cluster-name=${cluster//./-}")
  while users=$(gcloud compute disks describe "$id" --format 'value(users)') &&
    [ -n "$users" ]; do
    sleep 5
  done
  echo "$id"
""",
    ),
    "az": (
        ': "${AZURE_DEFAULTS_GROUP:?set it to the resource group of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER
  az disk wait --name "$name" --custom "diskState=='Unattached'"
  echo "$name"
""",
    ),
    "openstack": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER status
  while status=$(openstack volume show "$name" --format value --column status) &&
    [ "$status" != available ]; do
    sleep 5
  done
  echo "$name"
""",
    ),
    "hcloud": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER volume
  while volume=$(hcloud volume describe "$name" --output json) &&
    ! grep -Eq '"server": *null' <<< "$volume"; do
    sleep 5
  done
  echo "$name"
""",
    ),
    "doctl": (
        None,
        """\
  local name=kops-$2.etcd-$1.CLUSTER id users
  name=${name//./-}
  id=$(doctl compute volume list --format ID,Name --no-header |
    awk -v name="${name:0:64}" '$2 == name { print $1 }')
  while users=$(doctl compute volume get "$id" --format DropletIDs --no-header) &&
    [[ $users == *[0-9]* ]]; do
    sleep 5
  done
  echo "$id"
""",
    ),
    "linode-cli": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER id user
  id=$(linode-cli volumes list --label "$name" --text --no-headers --format id)
  while user=$(linode-cli volumes view "$id" --text --no-headers \\
    --format linode_id) && [[ $user == [0-9]* ]]; do
    sleep 5
  done
  echo "$id"
""",
    ),
    "scw": (
        ': "${SCW_DEFAULT_ZONE:?set it to the zone of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER id volume
  id=$(scw instance volume list name="$name" \\
    --output template='{{ .ID }} {{ .Name }}' |
    awk -v name="$name" '$2 == name { print $1 }')
  while volume=$(scw instance volume get "$id" --output json) &&
    ! grep -Eq '"server": *null' <<< "$volume"; do
    sleep 5
  done
  echo "$id"
""",
    ),
}


def volume_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define ``volume_id``; none if the runbook deletes no volume."""
    commands = (command for step in runbook.steps for command in step.deed.commands)
    texts = (c.text for c in commands if isinstance(c, DeleteVolumes))
    program = next((text.split()[0] for text in texts), None)
    if program is None:
        return
    needed, body = _VOLUMES[program]
    yield ""
    if needed is not None:
        yield needed
        yield ""
    yield "# Prints what the volume of a member is called, once no machine uses it;"
    yield "# the group only says whose it was."
    yield "volume_id() {"
    yield from body.rstrip("\n").replace("CLUSTER", quote(runbook.cluster)).split("\n")
    yield "}"
