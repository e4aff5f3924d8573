"""Programs other than kops: what they are read as, and what comes of it in a list.

A row of ``LINES`` is one command line and what it means: the kind of command, with what
is told of it, or for one that nobody can follow, what it reaches. ``DISGUISED`` are
lists that take a control plane down by other means, ``DAILY`` what people run on a
cluster every day with the same programs.
"""

from __future__ import annotations

import pytest

from kopslint.commands import model
from kopslint.commands.parse import recognise
from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.notations.command_list import simple_commands
from kopslint.shell.read import read_shell
from kopslint.text import Source

DELETED = "deletes instance group master-b at once"
LINES = {
    # A text of a shell inside an argument is read.
    """awk 'BEGIN{system("kops delete ig master-b --yes")}'""": DELETED,
    """awk '{print "kops delete ig master-b --yes" | "sh"}' f""": DELETED,
    'env -S "kops delete ig master-b --yes"': DELETED,
    'script -q /dev/null -c "kops delete ig master-b --yes"': DELETED,
    "parallel kops delete ig {} --yes ::: master-b": DELETED,
    'busybox sh -c "kops delete ig master-b --yes"': DELETED,
    "git -c alias.x='!kops delete ig master-b --yes' x": DELETED,
    "sed '1e kops delete ig master-b --yes' file": DELETED,
    "tar c x --checkpoint-action=exec='kops delete ig master-b --yes'": DELETED,
    "vim -c '!kops delete ig master-b --yes' -c q": DELETED,
    'nix-shell -p kops --run "kops delete ig master-b --yes"': DELETED,
    "nix develop -c kops delete ig master-b --yes": DELETED,
    "/usr/bin/k?ps delete ig master-b --yes": DELETED,
    "watch -n 5 kops delete ig master-b --yes": DELETED,
    "timeout 5m kops delete ig master-b --yes": DELETED,
    "nohup kops delete ig master-b --yes": DELETED,
    'at now <<< "kops delete ig master-b --yes"': DELETED,
    "screen -dmS x kops delete ig master-b --yes": DELETED,
    r'screen -S x -X stuff "kops delete ig master-b --yes\n"': DELETED,
    "tmux send-keys -t x 'kops delete ig master-b --yes' Enter": DELETED,
    "expect -c 'spawn kops delete ig master-b --yes; expect eof'": DELETED,
    """python3 -c 'import os; os.system("kops delete ig master-b --yes")'""": DELETED,
    "python3 -c \"subprocess.run(['kops','delete','ig','master-b','--yes'])\"": (
        DELETED
    ),
    """perl -e 'system("kops delete ig master-b --yes")'""": DELETED,
    "perl -e 'exec qw(kops delete ig master-b --yes)'": DELETED,
    "ruby -e '`kops delete ig master-b --yes`'": DELETED,
    'su - deploy -c "kops delete ig master-b --yes"': DELETED,
    "chroot /host kops delete ig master-b --yes": DELETED,
    "unshare -n kops delete ig master-b --yes": DELETED,
    "systemd-run --unit=x kops delete ig master-b --yes": DELETED,
    'flock /tmp/l -c "kops delete ig master-b --yes"': DELETED,
    "entr kops delete ig master-b --yes": DELETED,
    "docker run --rm image kops delete ig master-b --yes": DELETED,
    'socat - EXEC:"kops delete ig master-b --yes"': DELETED,
    'rsync -e "kops delete ig master-b --yes" a b': DELETED,
    'ssh admin@bastion "kops delete ig master-b --yes"': DELETED,
    """awk '{system("kops delete ig " $1 " --yes")}' groups""": (
        "deletes instance group $1 at once"
    ),
    """python3 -c 'os.system(f"kops delete ig {g} --yes")'""": (
        "deletes instance group {g} at once"
    ),
    # What a script does with it is not known.
    './with-env.sh "kops delete ig master-b --yes"': model.Reach.KOPS,
    'python3 run.py "kops delete ig master-b --yes"': model.Reach.KOPS,
    # A text for people is none.
    'git commit -m "kops delete ig master-b --yes"': "nothing",
    'slack-notify "kops delete ig master-b --yes"': "nothing",
    'hipchat "kops update cluster is done"': "nothing",
    "docker stop etcd-test": "nothing",
    """curl -d '{"text":"kops delete ig master-b --yes"}' https://x""": "nothing",
    'gh pr comment -b "run kops delete ig master-b --yes"': "nothing",
    "grep -r 'kops delete ig master-b --yes' docs": "nothing",
    "sed -i 's/kops update cluster/kops reconcile cluster/' run.sh": "nothing",
    "awk '/kops delete ig/ {print $4}' run.sh": "nothing",
    # Machines of a cloud.
    "aws ec2 terminate-instances --instance-ids i-1 i-2": "terminates i-1, i-2",
    "aws ec2 stop-instances --instance-ids i-1": "stops i-1",
    "aws autoscaling start-instance-refresh --auto-scaling-group-name g": (
        "terminates g"
    ),
    "aws autoscaling set-instance-health --instance-id i --health-status Unhealthy": (
        "terminates i"
    ),
    "aws autoscaling set-instance-health --instance-id i --health-status Healthy": (
        "nothing"
    ),
    "aws autoscaling put-scheduled-update-group-action --auto-scaling-group-name g"
    " --desired-capacity 0": "resizes the cloud's group g to 0, later",
    "gcloud compute instance-groups managed rolling-action replace g": "terminates g",
    "gcloud beta compute instances delete master-a": "terminates master-a",
    "gcloud compute instance-groups managed resize g --size 0": (
        "resizes the cloud's group g to 0"
    ),
    "az vm delete --yes --ids $(az vm list)": (
        "terminates $(az vm list), any number of them"
    ),
    "az vmss update -n g --set sku.capacity=0": "resizes the cloud's group g to 0",
    "az vmss deallocate -n g": "stops g",
    "openstack server rebuild master-a": "reboots master-a",
    "nova delete master-a": "terminates master-a",
    "doctl compute droplet delete --tag-name master": (
        "terminates master, any number of them"
    ),
    "hcloud server poweroff master-a": "stops master-a",
    "linode-cli linodes reboot 123": "reboots 123",
    "scw instance server terminate 1-2": "terminates 1-2",
    # What is typed on machines.
    "ssh master-a sudo reboot": "reboots master-a",
    "ssh master-a 'sudo shutdown -h now'": "stops master-a",
    "ssh master-a 'sudo shutdown -c'": "nothing",
    "kubectl debug node/master-a -it --image=x -- chroot /host reboot": (
        "reboots node/master-a"
    ),
    "salt 'master*' system.reboot": "reboots master*, any number of them",
    "clush -w master-[a-c] sudo reboot": "reboots master-[a-c], any number of them",
    "ansible masters -b -m reboot": "reboots masters, any number of them",
    "ansible masters -m shell -a reboot": "reboots masters, any number of them",
    "bolt command run reboot -t masters": "reboots masters, any number of them",
    "knife ssh role:master 'sudo reboot'": "reboots role:master, any number of them",
    "gcloud compute ssh master-a --command reboot": "reboots master-a",
    "hcloud server ssh master-a reboot": "reboots master-a",
    "doctl compute ssh master-a --ssh-command reboot": "reboots master-a",
    "aws ssm send-command --instance-ids i-1 --parameters 'commands=[\"reboot\"]'": (
        "reboots i-1, any number of them"
    ),
    "pkill etcd-manager": "restarts etcd-manager of an etcd cluster not named",
    "docker ps -q -f name=etcd-manager-main | xargs docker kill": (
        "restarts etcd-manager of etcd main"
    ),
    "crictl ps | grep etcd-manager | xargs crictl stop": (
        "restarts etcd-manager of an etcd cluster not named"
    ),
    # What reaches a machine, a disk or etcd and has no move in the simulation.
    "ssh master-a sudo systemctl stop kubelet": model.Reach.MACHINE,
    "ssh master-a sudo mv /etc/kubernetes/manifests/etcd.manifest /tmp": (
        model.Reach.ETCD
    ),
    "ssh master-a 'docker stop $(docker ps -qf name=etcd)'": model.Reach.ETCD,
    "ssh master-a sudo iptables -A INPUT -p tcp --dport 2380 -j DROP": (
        model.Reach.MACHINE
    ),
    "ssh master-a sudo umount -l /mnt/master-vol-0123": model.Reach.VOLUME,
    "ssh master-a sudo mkfs.ext4 /dev/xvdu": model.Reach.VOLUME,
    "ssh master-a sudo dd if=/dev/zero of=/dev/xvdu": model.Reach.VOLUME,
    "ssh master-a sudo wipefs -a /dev/xvdu": model.Reach.VOLUME,
    "ssh master-a sudo rm -rf /var/etcd/data": model.Reach.VOLUME,
    "pkill etcd": model.Reach.ETCD,
    "crictl rmp -fa": model.Reach.ETCD,
    "kubeadm reset -f": model.Reach.MACHINE,
    "ip link set eth0 down": model.Reach.MACHINE,
    "sudo reboot": model.Reach.MACHINE,
    "cssh master-a master-b": model.Reach.MACHINE,
    "puppet agent -t": model.Reach.MACHINE,
    "ansible masters -m apt -a name=x": model.Reach.MACHINE,
    "salt 'master*' state.apply": model.Reach.MACHINE,
    "aws ec2 modify-instance-attribute --instance-id i-1": model.Reach.MACHINE,
    "aws ec2 detach-network-interface --attachment-id a": model.Reach.MACHINE,
    "aws autoscaling suspend-processes --auto-scaling-group-name g": (
        model.Reach.MACHINE
    ),
    "aws cloudformation delete-stack --stack-name prod": model.Reach.MACHINE,
    "az group delete --name prod --yes": model.Reach.MACHINE,
    "openstack stack delete prod": model.Reach.MACHINE,
    "pulumi destroy --yes": model.Reach.MACHINE,
    "cdk destroy --all": model.Reach.MACHINE,
    "aws-nuke -c n.yaml --no-dry-run": model.Reach.MACHINE,
    "aws kms schedule-key-deletion --key-id k": model.Reach.VOLUME,
    "gcloud compute disks move d": model.Reach.VOLUME,
    "etcdctl txn": model.Reach.ETCD,
    "etcdctl put /registry/pods/x y": model.Reach.ETCD,
    # The state store, and what etcd holds.
    "s3cmd del -r s3://state/c/backups/": (
        "removes s3://state/c/backups/ from the state store"
    ),
    "rclone purge s3:state/c.example.com/pki": (
        "removes s3:state/c.example.com/pki from the state store"
    ),
    "mc rb --force minio/kops-state": "removes minio/kops-state from the state store",
    "mc rb minio/kops-state": "nothing",
    "az storage blob delete-batch -s kops-state": (
        "removes kops-state from the state store"
    ),
    "gsutil -m rm -r gs://kops-state/c.example.com": (
        "removes gs://kops-state/c.example.com from the state store"
    ),
    "aws s3api put-bucket-lifecycle-configuration --bucket kops-state"
    """ --lifecycle-configuration '{"Rules":[{"Expiration":{"Days":1}}]}'""": (
        "removes kops-state from the state store after a time"
    ),
    "aws s3api put-bucket-lifecycle-configuration --bucket kops-state"
    """ --lifecycle-configuration '{"Rules":[{"NoncurrentVersionExpiration":{}}]}'""": (
        "nothing"
    ),
    'etcdctl del "" --prefix': "deletes all keys below '' of an etcd cluster not named",
    "etcdctl del /registry/pods/default/x": "nothing",
    "etcdctl auth enable": "locks clients out of an etcd cluster not named",
    "etcdctl compact 12": "nothing",
    # What only looks, makes something new, or is about something else.
    "aws ec2 describe-instances": "nothing",
    "aws ec2 create-vpc --cidr-block 10.0.0.0/16": "nothing",
    "aws ec2 import-key-pair --key-name k": "nothing",
    "aws ec2 delete-key-pair --key-name k": "nothing",
    "aws ec2 authorize-security-group-ingress --group-id g": "nothing",
    "aws ec2 run-instances --image-id a --dry-run": "nothing",
    "aws s3 mb s3://kops-state": "nothing",
    "aws s3api put-bucket-versioning --bucket kops-state": "nothing",
    "aws iam create-user --user-name kops": "nothing",
    "aws route53 list-hosted-zones": "nothing",
    "aws cloudformation describe-stacks": "nothing",
    "aws-nuke -c n.yaml": "nothing",
    "gcloud container clusters delete x": "nothing",
    "gcloud compute instances list": "nothing",
    "gcloud compute disks create d": "nothing",
    "az aks delete -n x": "nothing",
    "az vm show -n x": "nothing",
    "openstack volume type list": "nothing",
    "openstack server list": "nothing",
    "hcloud server describe x": "nothing",
    "rclone copy a s3:kops-state": "nothing",
    "mc ls minio/kops-state": "nothing",
    "pulumi preview": "nothing",
    "terraform {": "nothing",
    "salt '*' test.ping": "nothing",
    "ansible masters -m ping": "nothing",
    "ssh master-a sudo systemctl restart kubelet": "nothing",
    "ssh master-a uptime": "nothing",
    "sudo systemctl start docker": "nothing",
    "docker rm -f $(docker ps -aq)": "nothing",
    "rm -rf ./out": "nothing",
    "mv kops /usr/local/bin/kops": "nothing",
    "kill %1": "nothing",
    "dd if=/dev/zero of=swapfile bs=1M count=1": "nothing",
    "iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT": "nothing",
}


def told(line: str) -> set[str]:
    """What is told of the commands of a line that may change anything."""
    found = set()
    calls = simple_commands(read_shell(Source("run.sh", f"{line}\n")).body)
    for command in (c for call in calls for c in recognise(call)):
        if isinstance(command, model.Unreadable | model.Unreplayed):
            found.add(command.reach.value)
        elif command.meaning.planes:
            found.add(command.meaning.words)
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_is_read_for_what_it_reaches(line: str) -> None:
    """One that reaches none of the cluster is nothing, whatever it is called."""
    expected = LINES[line]
    value = expected.value if isinstance(expected, model.Reach) else expected

    assert told(line) == ({value} if value != "nothing" else set())


NAME = "prod.example.com"
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: {name}, labels: {{kops.k8s.io/cluster: prod.example.com}}}}
spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [{zone}]}}
"""


def spec(cloud: str) -> str:
    """A control plane of three in three zones, and a group of workers."""
    lists = ", ".join(f"{{name: {m}, instanceGroup: master-{m}}}" for m in "abc")
    zones = ", ".join(f"{{name: {z}, zone: z1{z}}}" for z in "abc")
    groups = "".join(
        GROUP.format(name=f"master-{m}", role="Master", zone=m) for m in "abc"
    )
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  kubernetesVersion: 1.32.1\n"
        f"  cloudProvider: {cloud}\n  configBase: s3://state/{NAME}\n"
        f"  etcdClusters:\n  - {{name: main, etcdMembers: [{lists}]}}\n"
        f"  - {{name: events, etcdMembers: [{lists}]}}\n"
        f"  subnets: [{zones}]\n"
        f"{groups}{GROUP.format(name='nodes', role='Node', zone='a')}"
    )


def checked(commands: str, cloud: str) -> list[tuple[str, str]]:
    """What is found in a list that goes with an unchanged spec, worst first."""
    text = spec(cloud)
    report = check(
        Request(
            before=(Source("before.yaml", text),),
            after=(Source("after.yaml", text),),
            commands=(Source("list.sh", commands),),
        ),
        Settings(),
    )
    order = ["error", "warning", "info"]
    # What such a short spec lacks is no matter here.
    found = [(f.severity.value, f.rule) for f in report.findings if f.rule > "KL2"]
    return sorted(found, key=lambda one: order.index(one[0]))


DESCRIBE = "aws ec2 describe-instances --filters Name=tag:k8s.io/role/{0},Values=1"
BOTH = "kops delete ig master-{0} --name prod.example.com --yes"
DISGUISED = {
    "in an awk program": (
        (
            f"awk 'BEGIN{{system(\"{BOTH.format('b')}\")}}'\n"
            f"awk 'BEGIN{{system(\"{BOTH.format('c')}\")}}'\n"
        ),
        "aws",
        "error KL301",
    ),
    "in a session of its own": (
        f"tmux new-session -d '{BOTH.format('b')}'\nscreen -dmS x {BOTH.format('c')}\n",
        "aws",
        "error KL301",
    ),
    "later": (
        f'echo "{BOTH.format("b")}" | at now\necho "{BOTH.format("c")}" | at now\n',
        "aws",
        "error KL301",
    ),
    "by another language": (
        (
            f"python3 -c 'import os; os.system(\"{BOTH.format('b')}\")'\n"
            f"perl -e 'system(\"{BOTH.format('c')}\")'\n"
        ),
        "aws",
        "error KL301",
    ),
    "by a pattern for its name": (
        f"/usr/local/bin/k?ps {BOTH.format('b')[5:]}\n",
        "aws",
        "error KL301",
    ),
    "with git": (f"git -c alias.x='!{BOTH.format('b')}' x\n", "aws", "error KL301"),
    "a group that run time knows": (
        'while read -r g; do nix-shell --run "kops delete ig $g --yes"; done < old\n',
        "aws",
        "error KL302",
    ),
    "every machine that is looked up": (
        (
            f"IDS=$({DESCRIBE.format('master')})\n"
            "for i in $IDS; do aws ec2 terminate-instances --instance-ids $i; done\n"
        ),
        "aws",
        "warning KL302",
    ),
    "every node that kubectl lists": (
        (
            "kubectl get nodes -o name |"
            " xargs -I{} kubectl debug {} --image=x -- chroot /host reboot\n"
        ),
        "aws",
        "warning KL302",
    ),
    "ids that somebody has set": (
        "aws ec2 stop-instances --instance-ids $MASTER_IDS\n",
        "aws",
        "warning KL302",
    ),
    "every machine that is read": (
        (
            f"{DESCRIBE.format('control-plane')} | jq -r x | while read -r i; do\n"
            "  aws ec2 stop-instances --instance-ids $i\ndone\n"
        ),
        "aws",
        "warning KL302",
    ),
    "every instance that kops lists": (
        (
            "kops get instances | grep master | while read -r i _; do\n"
            "  kops delete instance $i --cloudonly --yes\ndone\n"
        ),
        "aws",
        "warning KL302",
    ),
    "every group to zero": (
        (
            "for g in $(aws autoscaling describe-auto-scaling-groups); do\n"
            "  aws autoscaling update-auto-scaling-group --auto-scaling-group-name $g"
            " --min-size 0 --max-size 0 --desired-capacity 0\ndone\n"
        ),
        "aws",
        "error KL302",
    ),
    "every group to zero at night": (
        (
            "for m in a b c; do\n  aws autoscaling put-scheduled-update-group-action"
            f" --auto-scaling-group-name master-$m.masters.{NAME}"
            " --scheduled-action-name n --max-size 0 --desired-capacity 0\n"
            "done\n"
        ),
        "aws",
        "error KL302",
    ),
    "every group refreshed": (
        (
            "for m in a b c; do\n  aws autoscaling start-instance-refresh"
            f" --auto-scaling-group-name master-$m.masters.{NAME}\ndone\n"
        ),
        "aws",
        "warning KL302",
    ),
    "servers that nobody brings back": (
        "hcloud server delete master-a\nhcloud server delete master-b\n",
        "hetzner",
        "error KL302",
    ),
    "droplets by their tag": (
        "doctl compute droplet delete --force --tag-name master\n",
        "digitalocean",
        "error KL302",
    ),
    "machines by their ids": (
        "az vm delete --yes --ids $(az vm list -g prod --query x -o tsv)\n",
        "azure",
        "error KL302",
    ),
    "a group of Azure to zero": (
        "for m in a b; do az vmss update -n master-$m --set sku.capacity=0; done\n",
        "azure",
        "error KL302",
    ),
    "all reboot": (
        "for h in 10.0.1.1 10.0.2.1 10.0.3.1; do ssh $h sudo reboot; done\n",
        "aws",
        "warning KL302",
    ),
    "all reboot at once": (
        "clush -w master-[a-c] sudo reboot\n",
        "aws",
        "warning KL302",
    ),
    "all are shut down for good": (
        "ansible masters -b -m shell -a 'shutdown -h now'\n",
        "openstack",
        "error KL302",
    ),
    "all services are stopped": (
        "for h in a b c; do ssh $h 'sudo systemctl stop kubelet; pkill etcd'; done\n",
        "aws",
        "error KL901",
    ),
    "their manifests are gone": (
        (
            "for h in a b; do ssh $h sudo mv /etc/kubernetes/manifests/etcd.manifest /;"
            " done\n"
        ),
        "aws",
        "error KL901",
    ),
    "they cannot reach each other": (
        (
            "for h in a b; do\n"
            "  ssh $h sudo iptables -A INPUT -p tcp --dport 2380 -j DROP\ndone\n"
        ),
        "aws",
        "error KL901",
    ),
    "their disks are formatted": (
        "for h in a b; do ssh $h sudo mkfs.ext4 -F /dev/xvdu; done\n",
        "aws",
        "error KL901",
    ),
    "their stack is deleted": (
        "aws cloudformation delete-stack --stack-name prod\n",
        "aws",
        "error KL901",
    ),
    "a disk that run time knows": (
        "aws ec2 delete-volume --volume-id $VOL\n",
        "aws",
        "warning KL308",
    ),
    "the state store with another program": (
        f"s3cmd del --recursive --force s3://state/{NAME}/\n",
        "aws",
        "error KL315",
    ),
    "the backups after a day": (
        (
            "aws s3api put-bucket-lifecycle-configuration --bucket state"
            """ --lifecycle-configuration '{"Rules":[{"Expiration":{"Days":1}}]}'\n"""
        ),
        "aws",
        "error KL315",
    ),
    "all but the machines": (
        f"kops delete cluster {NAME} --unregister --yes\n",
        "aws",
        "error KL315",
    ),
    "its keys": (
        f"aws s3 rm --recursive s3://state/{NAME}/pki\n",
        "aws",
        "error KL319",
    ),
    "all keys of etcd": ('etcdctl del "" --prefix\n', "aws", "error KL320"),
    "a lock on etcd": (
        "etcdctl user add root:x\netcdctl auth enable\n",
        "aws",
        "error KL320",
    ),
}


@pytest.mark.parametrize(
    ("commands", "cloud", "worst"), DISGUISED.values(), ids=DISGUISED
)
def test_what_takes_a_control_plane_down_is_told(
    commands: str, cloud: str, worst: str
) -> None:
    """By whatever program, it is told by the rule that tells of its effect."""
    found = checked(commands, cloud)

    assert tuple(worst.split()) in found
    assert found[0][0] == worst.split(maxsplit=1)[0]


DAILY = {
    "workers that are looked up": (
        (
            f"IDS=$({DESCRIBE.format('node')})\n"
            "for i in $IDS; do aws ec2 terminate-instances --instance-ids $i; done\n"
            "aws ec2 terminate-instances --instance-ids $IDS\n"
        ),
        "aws",
    ),
    "workers that are read": (
        (
            """kops get instances -o json | jq -r '.[] | select(.roles[]=="node")' |"""
            " while read -r i; do kops delete instance $i --yes; done\n"
        ),
        "aws",
    ),
    "workers are refreshed": (
        (
            "aws autoscaling start-instance-refresh --auto-scaling-group-name"
            f" nodes.{NAME}\n"
        ),
        "aws",
    ),
    "workers go to sleep": (
        (
            "aws autoscaling put-scheduled-update-group-action --desired-capacity 0"
            f" --auto-scaling-group-name nodes.{NAME} --scheduled-action-name night\n"
            "aws autoscaling suspend-processes"
            f" --auto-scaling-group-name nodes.{NAME}\n"
        ),
        "aws",
    ),
    "workers reboot": (
        (
            "for h in worker-1 worker-2; do ssh $h sudo reboot; done\n"
            "ansible workers -b -m reboot\nssh worker-3 sudo systemctl stop kubelet\n"
        ),
        "aws",
    ),
    "one machine of the control plane reboots": (
        (
            "kubectl drain master-a --ignore-daemonsets\nssh master-a sudo reboot\n"
            f"kops validate cluster {NAME} --wait 10m\nkubectl uncordon master-a\n"
        ),
        "aws",
    ),
    "kubelet is restarted": (
        "for h in a b c; do ssh $h sudo systemctl restart kubelet; done\n",
        "aws",
    ),
    "etcd-manager is restarted": (
        "ssh master-a 'docker ps -q -f name=etcd-manager | xargs docker kill'\n",
        "aws",
    ),
    "a look at everything": (
        (
            "aws ec2 describe-instances\naws autoscaling describe-auto-scaling-groups\n"
            f"aws s3 ls s3://state/{NAME}/\nkubectl get nodes\netcdctl member list\n"
            "gcloud compute instances list\nopenstack server list\nsalt '*' test.ping\n"
            "ansible masters -m ping\nssh master-a uptime\nrclone ls s3:state\n"
        ),
        "aws",
    ),
    "what a cluster is made with": (
        (
            "aws iam create-user --user-name kops\naws s3 mb s3://state\n"
            "aws s3api put-bucket-versioning --bucket state"
            " --versioning-configuration Status=Enabled\n"
            "aws ec2 import-key-pair --key-name k --public-key-material file://k.pub\n"
            "aws ec2 create-vpc --cidr-block 10.0.0.0/16\n"
        ),
        "aws",
    ),
    "tools are installed": (
        (
            "curl -LO https://example.com/kops && chmod +x kops\n"
            "sudo mv kops /usr/local/bin/kops\nsudo apt-get install -y docker.io\n"
            "sudo systemctl start docker\nrm -rf ./tmp\n"
        ),
        "aws",
    ),
    "people are told": (
        (
            'slack-notify "kops rolling-update cluster --yes starts"\n'
            'git commit -m "kops delete ig master-b --yes"\n'
            'gh pr comment -b "run kops update cluster --yes"\n'
        ),
        "aws",
    ),
    "other things in buckets": (
        (
            "aws s3 rm --recursive s3://artifacts/app/\nrclone purge s3:artifacts/old\n"
            f"aws s3 rm --recursive s3://state/{NAME}/backups/etcd/main/2026-01-01/\n"
            "mc rb --force minio/scratch\n"
        ),
        "aws",
    ),
    "uploads that nobody finished": (
        (
            "aws s3api put-bucket-lifecycle-configuration --bucket state"
            " --lifecycle-configuration"
            """ '{"Rules":[{"AbortIncompleteMultipartUpload":{"x":7}}]}'\n"""
        ),
        "aws",
    ),
    "disks of persistent volumes": (
        (
            "for v in $(aws ec2 describe-volumes --filters"
            " Name=tag-key,Values=kubernetes.io/created-for/pvc/name); do\n"
            "  aws ec2 delete-volume --volume-id $v\ndone\n"
        ),
        "aws",
    ),
    "etcd is tidied up": (
        (
            "etcdctl compact 1234\netcdctl --endpoints=https://127.0.0.1:4001 defrag\n"
            "etcdctl del /registry/pods/default/stuck\netcdctl alarm disarm\n"
        ),
        "aws",
    ),
    "a server is started again": (
        "hcloud server reboot master-a\nhcloud server poweron master-a\n",
        "hetzner",
    ),
    "other stacks are looked at": (
        (
            "pulumi preview\nterraform plan\naws cloudformation describe-stacks\n"
            "gcloud container clusters delete other --quiet\n"
        ),
        "aws",
    ),
}


@pytest.mark.parametrize(("commands", "cloud"), DAILY.values(), ids=DAILY)
def test_what_people_do_every_day_is_no_error(commands: str, cloud: str) -> None:
    """Where the programs reach no control plane, or one machine of it at a time."""
    assert [one for one in checked(commands, cloud) if one[0] == "error"] == []


def test_what_works_on_a_machine_is_named_once_for_each_reader() -> None:
    """The names that are looked up at every call are those that somebody reads."""
    from kopslint.commands import machine, parse

    assert machine._READERS.keys() == parse._ON_A_MACHINE
