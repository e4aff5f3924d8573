"""A command means the same in every style in which people write it."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.commands.model import Command, Reads, Unreadable
from kopslint.commands.recognise import recognise
from kopslint.source.text import Source
from kopslint.syntax.command_list import simple_commands
from kopslint.syntax.script import SimpleCommand, Unknown, Word
from kopslint.syntax.shell import read_shell

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMON = ("text", "span", "problems", "reason")


def commands(script: str) -> list[Command]:
    """The commands of a script, those of ``$(...)`` left out."""
    body = read_shell(Source("run.sh", script)).body
    last = list(simple_commands(body))[-1]
    return list(recognise(last))


def one(script: str) -> Command:
    (command,) = commands(script)
    return command


def meaning(command: Command) -> str:
    """The type and whatever differs from its defaults, as one line."""
    parts = []
    for field in fields(command):
        value = getattr(command, field.name)
        default = None if field.default is MISSING else field.default
        if field.name not in COMMON and value != default:
            parts.append(f"{field.name}={shown(value)}")
    return " ".join([type(command).__name__, *parts])


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(shown(item) for item in value)
    return value.shown if isinstance(value, Word) else str(value)


KOPS = [
    ("kops update cluster", "UpdateCluster"),
    ("kops update cluster -y", "UpdateCluster yes=True"),
    ("kops update cluster a.example --yes --target=terraform --out=. --phase network",
     "UpdateCluster cluster=a.example yes=True target=terraform phase=network"),
    ("kops update cluster --prune --instance-group a,b --instance-group-roles master"
     " --lifecycle-overrides IAMRole=Ignore,EBSVolume=Sync",
     "UpdateCluster groups=a+b roles=master prune=True"
     " lifecycle_overrides=IAMRole=Ignore+EBSVolume=Sync"),
    ("kops rolling-update cluster --yes --force --cloudonly -i --ig a --role master"
     " --fail-on-validate-error=false --fail-on-drain-error=false --validate-count 1"
     " --master-interval 1s",
     "RollingUpdate yes=True force=True cloudonly=True interactive=True"
     " fail_on_validate_error=False fail_on_drain_error=False validate_count=1"
     " control_plane_interval=1s groups=a roles=master"),
    ("kops reconcile cluster --yes", "Reconcile yes=True"),
    ("kops validate cluster --wait 10m", "Validate wait=10m"),
    ("kops replace -f a.yaml --force", "Replace files=a.yaml force=True"),
    ("kops replace -f - --name ignored", "Replace files=-"),
    ("kops create -f a.yaml -f b.yaml,c.yaml",
     "CreateFromFile files=a.yaml+b.yaml+c.yaml"),
    ("kops create ig m --role Master --subnet s1,s2 --edit=false",
     "CreateInstanceGroup group=m role=Master edit=False subnets=s1+s2"),
    ("kops create ig m --dry-run -oyaml", "CreateInstanceGroup group=m dry_run=True"),
    ("kops create cluster c --zones=z --yes", "CreateCluster cluster=c yes=True"),
    ("kops create cluster c --dry-run --target=terraform",
     "CreateCluster cluster=c dry_run=True target=terraform"),
    ("kops edit cluster c", "EditCluster cluster=c"),
    ("kops edit cluster --set spec.a=1 --set spec.b=2 --unset spec.c",
     "EditCluster sets=spec.a=1+spec.b=2 unsets=spec.c"),
    ("kops edit ig m --set spec.minSize=0",
     "EditInstanceGroup group=m sets=spec.minSize=0"),
    ("kops upgrade cluster --yes --kubernetes-version 1.31.0",
     "UpgradeCluster yes=True version=1.31.0"),
    ("kops delete ig m --name c", "DeleteInstanceGroup cluster=c group=m"),
    ("kops delete instancegroup --name=c m --yes",
     "DeleteInstanceGroup cluster=c group=m yes=True"),
    ("kops delete -f x.yaml --yes", "DeleteFromFile files=x.yaml yes=True"),
    ("kops delete cluster c --yes --unregister",
     "DeleteCluster cluster=c yes=True unregister=True"),
    ("kops delete instance i-1 --cloudonly --yes",
     "DeleteInstance instance=i-1 yes=True cloudonly=True"),
    ("kops set cluster c spec.a=1", "EditCluster cluster=c sets=spec.a=1"),
    ("kops unset ig m spec.image --name c",
     "EditInstanceGroup cluster=c group=m unsets=spec.image"),
    ("kops get ig -o=yaml", "Reads verb=kops get instancegroups"),
    ("kops export kubecfg --admin=8h", "Reads verb=kops export kubeconfig"),
    ("kops create keypair all", "Reads verb=kops create keypair"),
    ("kops create secret --name c sshpublickey admin -i k.pub",
     "Reads cluster=c verb=kops create secret sshpublickey"),
    ("kops delete ig m --yes --help", "Reads verb=kops delete instancegroup"),
    ("kops help delete", "Reads verb=kops help"),
    ("kops", "Reads verb=kops"),
]  # fmt: skip

ETCD = [
    ("etcdctl member remove 8e9e05c52164694d", "MemberRemove member=8e9e05c52164694d"),
    ("ETCDCTL_API=3 ./etcdctl --cacert ca --cert c --key k"
     " --endpoints https://127.0.0.1:4001 member remove 1f",
     "MemberRemove member=1f etcd_cluster=main"),
    ("etcdctl --endpoints=https://127.0.0.1:4002 member list",
     "MemberList etcd_cluster=events"),
    ("etcdctl --endpoints https://a:4003,https://b:4003 endpoint health",
     "MemberList etcd_cluster=cilium"),
    ("ETCDCTL_ENDPOINTS=https://127.0.0.1:4004 etcdctl endpoint status -w table",
     "MemberList etcd_cluster=leases"),
    ("etcdctl --endpoints http://127.0.0.1:2379 member list", "MemberList"),
    ("etcdctl --endpoints $EVENTS_ENDPOINTS member list",
     "MemberList etcd_cluster=events"),
    ("etcdctl --cacert /etc/kubernetes/pki/etcd-manager-main/ca.crt member list",
     "MemberList etcd_cluster=main"),
    ("etcdctl member remove $ID_MAIN_4",
     "MemberRemove member=$ID_MAIN_4 etcd_cluster=main"),
    ("etcdctl member remove ${ID_A_EVENTS}",
     "MemberRemove member=$ID_A_EVENTS etcd_cluster=events"),
    ("etcdctl member remove $ID  # PORT=4001 main",
     "MemberRemove member=$ID etcd_cluster=main"),
    ("etcdctl member remove $ID  # main and events", "MemberRemove member=$ID"),
    ("etcdctl member add e --peer-urls=https://e:2380", "MemberAdd member=e"),
    ("etcdctl snapshot save /tmp/s.db", "SnapshotSave"),
    ("etcdctl snapshot restore /tmp/s.db", "Unreadable"),
    ("etcdutl snapshot restore /tmp/s.db", "Unreadable"),
    ("etcdctl member promote 1f", "Unreadable"),
    ("etcdctl $VERB 1f", "Unreadable"),
    ("etcdctl get / --prefix --keys-only", "Reads verb=etcdctl get"),
    ("etcdctl defrag --cluster", "Reads verb=etcdctl defrag"),
    ("etcd-manager-ctl --backup-store=s3://b/c/backups/etcd/main restore-backup B",
     "RestoreBackup etcd_cluster=main"),
    ("etcd-manager-ctl -backup-store s3://b/c/backups/etcd/events restore-backup B",
     "RestoreBackup etcd_cluster=events"),
    ("etcd-manager-ctl --backup-store=s3://b/c/backups/etcd/main list-backups",
     "Reads verb=etcd-manager-ctl list-backups"),
    ("etcd-manager-ctl -member-count=3 -backup-store=s3://b configure-cluster",
     "Unreadable"),
]  # fmt: skip

DELETE = "DeleteInstanceGroup group=m yes=True"
WRAPPED = [
    ("sudo -E -u root kops delete ig m --yes", DELETE),
    ("sudo KOPS_STATE_STORE=s3://b kops delete ig m --yes", DELETE),
    ("env -u A B=c kops delete ig m --yes", DELETE),
    ("A=b nice -n 5 nohup time kops delete ig m --yes", DELETE),
    ("timeout -k 5 10m kops delete ig m --yes", DELETE),
    ("exec kops delete ig m --yes", DELETE),
    ("command kops delete ig m --yes", DELETE),
    ("watch -n 5 'kops validate cluster'", "Validate"),
    ("xargs -n1 kops delete ig --yes", "DeleteInstanceGroup group=standard input yes=True"),
    ("xargs -I{} kops delete ig {} --yes", "DeleteInstanceGroup group={} yes=True"),
    ("run_cmd kops delete ig m --yes", DELETE),
    ("retry 3 10 kops --name c delete ig m --yes", f"{DELETE} cluster=c"),
    ("$DRY kops delete ig m --yes", DELETE),
    ("aws-vault exec prod -- kops delete ig m --yes", DELETE),
    ("eval 'kops delete ig m --yes'", DELETE),
    ("sudo bash -c 'kops delete ig m --yes'", DELETE),
    ("./kops delete ig m --yes", DELETE),
    ("/usr/local/bin/kops-1.28 delete ig m --yes", DELETE),
    ("./kops-linux-amd64 delete ig m --yes", DELETE),
    ("./kops-${V} delete ig m --yes", DELETE),
    ('"${KOPS_B}" delete ig m --yes', DELETE),
    ("$HOME/bin/kops delete ig m --yes", DELETE),
    ("go run -v ./cmd/kops/ delete ig -v10 m --yes", DELETE),
    ("docker run --rm -v ~/.aws:/root/.aws kops/kops:1.28 kops delete ig m --yes", DELETE),
    ("docker run -it org/kops:1.28 delete ig m --yes", DELETE),
    ("docker run --entrypoint kops image delete ig m --yes", DELETE),
    ("podman exec -it box kops delete ig m --yes", DELETE),
    ("ssh -i key admin@host sudo kops delete ig m --yes", DELETE),
    ("ssh host 'cd /srv && kops delete ig m --yes 2>&1 | tee log'", DELETE),
    ("ssh host <<EOF\nkops delete ig m --yes\nEOF", DELETE),
    ("gcloud compute ssh host --zone z --command 'kops delete ig m --yes'", DELETE),
    ("ssh host kops delete ig '$GROUP' --yes", "DeleteInstanceGroup group=$GROUP yes=True"),
    ("kubectl exec -n kube-system etcd-manager-main-n1 -c etcd -- etcdctl member remove 1",
     "MemberRemove member=1 etcd_cluster=main"),
    ("kubectl -n kube-system exec etcd-manager-events-$NODE etcdctl member remove $ID",
     "MemberRemove member=$ID etcd_cluster=events"),
    ("kubectl exec -it etcd-manager-cilium-n1 -- sh -c"
     " 'ETCDCTL_API=3 etcdctl member remove 1'",
     "MemberRemove member=1 etcd_cluster=cilium"),
    ("kubectl exec $POD -- etcdctl --endpoints=https://127.0.0.1:4002 member remove 1",
     "MemberRemove member=1 etcd_cluster=events"),
    ("docker exec k8s_etcd-manager_etcd-manager-main-n1 etcdctl member list",
     "MemberList etcd_cluster=main"),
]  # fmt: skip

CLOUD = [
    ("kubectl drain n1 --ignore-daemonsets --grace-period 30",
     "NodeCommand verb=drain nodes=n1"),
    ("kubectl cordon n1 n2", "NodeCommand verb=cordon nodes=n1+n2"),
    ("kubectl --context c uncordon n1", "NodeCommand verb=uncordon nodes=n1"),
    ("kubectl delete node n1", "NodeCommand verb=delete nodes=n1"),
    ("kubectl delete node/n1 node/n2", "NodeCommand verb=delete nodes=n1+n2"),
    ("kubectl delete nodes -l role=master", "NodeCommand verb=delete nodes=role=master"),
    ("kubectl delete pod -n kube-system etcd-manager-main-n1",
     "RestartManagers etcd_cluster=main"),
    ("kubectl delete pod -l k8s-app=etcd-manager-events",
     "RestartManagers etcd_cluster=events"),
    ("kubectl delete pod web-1", "Reads verb=kubectl delete"),
    ("kubectl apply -f x.yaml", "Reads verb=kubectl apply"),
    ("helm upgrade a b", "Reads verb=helm upgrade"),
    ("crictl stop $(crictl ps -q --name etcd-manager)", "RestartManagers"),
    ("docker restart web", "Foreign program=docker"),
    ("systemctl restart kubelet", "Foreign program=systemctl"),
    ("terraform -chdir=d apply -auto-approve -target=a -target b",
     "Terraform verb=apply targets=a+b"),
    ("tofu destroy", "Terraform verb=destroy"),
    ("terraform apply -destroy", "Terraform verb=destroy"),
    ("terragrunt run-all apply", "Terraform verb=apply"),
    ("terraform plan -out p", "Reads verb=terraform plan"),
    ("terraform state list", "Reads verb=terraform state"),
    ("terraform state rm a", "Unreadable"),
    ("terraform import a b", "Unreadable"),
    ("aws --profile p ec2 terminate-instances --instance-ids i-1 i-2 --region r",
     "StopInstances verb=terminate instances=i-1+i-2"),
    ("aws ec2 reboot-instances --instance-ids $ID",
     "StopInstances verb=reboot instances=$ID"),
    ("aws ec2 describe-instances --instance-ids i-1", "Reads verb=aws ec2 describe-instances"),
    ("aws ec2 delete-volume --volume-id vol-1", "DeleteVolumes verb=delete volumes=vol-1"),
    ("aws ec2 create-tags --resources vol-1 --tags Key=a,Value=b",
     "DeleteVolumes verb=retag volumes=vol-1"),
    ("aws ec2 create-tags --resources subnet-1 --tags Key=a,Value=b",
     "Reads verb=aws ec2 create-tags"),
    ("aws autoscaling set-desired-capacity --auto-scaling-group-name g"
     " --desired-capacity 0", "ResizeCloudGroup group=g size=0"),
    ("aws autoscaling update-auto-scaling-group --auto-scaling-group-name g --min-size 0"
     " --max-size 0", "ResizeCloudGroup group=g size=0"),
    ("aws autoscaling delete-auto-scaling-group --auto-scaling-group-name g"
     " --force-delete", "ResizeCloudGroup group=g deletes=True"),
    ("aws autoscaling terminate-instance-in-auto-scaling-group --instance-id i-1",
     "StopInstances verb=terminate instances=i-1"),
    ("aws autoscaling suspend-processes --auto-scaling-group-name g",
     "Reads verb=aws autoscaling suspend-processes"),
    ("aws s3 rm --recursive s3://b/c/backups/etcd",
     "DeleteBackups target=s3://b/c/backups/etcd"),
    ("aws s3 rm $KOPS_STATE_STORE/c --recursive",
     "DeleteBackups target=$KOPS_STATE_STORE/c"),
    ("aws s3 sync d s3://kops-b --delete", "DeleteBackups target=s3://kops-b"),
    ("aws s3 sync d s3://kops-b", "Reads verb=aws s3 sync"),
    ("aws s3 rm s3://b/logs", "Reads verb=aws s3 rm"),
    ("gsutil -m rm -r gs://b/c/backups", "DeleteBackups target=gs://b/c/backups"),
    ("aws ssm send-command --instance-ids i-1", "Unreadable"),
    ("gcloud compute instances delete a b --zone z",
     "StopInstances verb=terminate instances=a+b"),
    ("gcloud compute disks delete d --zone z", "DeleteVolumes verb=delete volumes=d"),
    ("gcloud compute instance-groups managed resize g --size=0",
     "ResizeCloudGroup group=g size=0"),
    ("gcloud compute instance-groups managed delete-instances g --instances=a,b",
     "StopInstances verb=terminate instances=a+b"),
    ("az vm delete -g r -n a --yes", "StopInstances verb=terminate instances=a"),
    ("openstack server delete a b", "StopInstances verb=terminate instances=a+b"),
    ("sleep 1m 30", "Sleep seconds=90.0"),
    ("sleep $PAUSE", "Sleep"),
]  # fmt: skip

OTHERS = [
    ("true", "Foreign program=true status=True"),
    ("false", "Foreign program=false status=False"),
    ("echo kops delete ig m --yes", "Foreign program=echo"),
    ("log_info kops delete ig m --yes", "Foreign program=log_info"),
    ("grep -r kops delete .", "Foreign program=grep"),
    ("command -v kops", "Foreign program=command"),
    ("which kops", "Foreign program=which"),
    ("git commit -m 'kops delete ig m --yes'", "Foreign program=git"),
    ("jq -r .a", "Foreign program=jq"),
    ("/usr/bin/curl u", "Foreign program=curl"),
    ("$EDITOR cluster.yaml", "Foreign"),
    ("python3 -c 'print(1)'", "Foreign program=python3"),
    ("ssh host", "Foreign program=ssh"),
]

OPAQUE = [
    ("./deploy.sh --yes", "./deploy.sh"),
    ("bash deploy.sh", "deploy.sh"),
    ("python3 deploy.py", "deploy.py"),
    ("$DIR/deploy", "$DIR/deploy"),
    ("$CMD --yes", "$CMD"),
    ("make apply", "make apply"),
    ("ansible-playbook site.yml", "ansible-playbook site.yml"),
    ("sudo reboot", "reboot"),
    ("kops $VERB cluster --yes", "$VERB"),
    ("kops update cluster --yes=$YES", "$YES"),
    ("ssh host ./deploy.sh", "./deploy.sh"),
]


@pytest.mark.parametrize(
    ("script", "expected"), [*KOPS, *ETCD, *WRAPPED, *CLOUD, *OTHERS]
)
def test_what_a_command_asks_for(script: str, expected: str) -> None:
    name, *found = meaning(one(script)).split(" ")
    assert [name, *sorted(found)] == [
        expected.split(" ")[0],
        *sorted(expected.split(" ")[1:]),
    ]


@pytest.mark.parametrize(("script", "name"), OPAQUE)
def test_what_may_change_the_cluster_and_cannot_be_read_says_why(
    script: str, name: str
) -> None:
    command = one(script)
    assert isinstance(command, Unreadable)
    assert command.reason.name == name
    assert command.reason.reason


@pytest.mark.parametrize(
    "script", [script for script, _ in (*KOPS, *ETCD, *WRAPPED, *CLOUD)]
)
def test_a_good_command_line_has_no_problems(script: str) -> None:
    problems = [p for p in one(script).problems if p.kind != "removed-command"]
    assert problems == []


def test_the_text_is_the_whole_command_as_written_on_one_line() -> None:
    command = one('A=b sudo  kops \\\n  delete ig "m-$X" --yes > log 2>&1')
    assert command.text == 'sudo kops delete ig "m-$X" --yes'
    assert (command.span.line, command.span.end_line) == (1, 2)


def test_a_word_that_became_several_is_shown_by_their_values() -> None:
    command = one('run() { "$@"; }\nrun kops delete ig m')
    assert command.text == "kops delete ig m"


def test_words_keep_their_places_under_a_wrapper() -> None:
    command = one("sudo -E kops delete ig m --name=c")
    assert str(command.cluster.span if command.cluster else None) == "run.sh:1:33"


def test_problems_of_kops_point_at_their_words_under_a_wrapper() -> None:
    (problem,) = one("sudo kops update cluster --yess").problems
    assert (problem.kind, str(problem.span), problem.suggestion) == (
        "unknown-flag", "run.sh:1:26", "--yes",
    )  # fmt: skip


def test_a_command_line_for_another_machine_gives_its_commands_in_order() -> None:
    line = "cd /srv; kops delete ig a --yes; kops delete ig b --yes && ls"
    assert [meaning(c) for c in commands(f"ssh host '{line}'")] == [
        "DeleteInstanceGroup group=a yes=True",
        "DeleteInstanceGroup group=b yes=True",
    ]


def test_an_assignment_alone_is_no_command() -> None:
    whole = Source("run.sh", "A=b").whole()
    assert recognise(SimpleCommand((), whole)) == ()


@pytest.mark.parametrize(
    ("script", "cluster", "kinds"),
    [
        ("KOPS_CLUSTER_NAME=c kops delete ig m", "c", []),
        ("export KOPS_CLUSTER_NAME=c\nkops update cluster", "c", []),
        ("sudo KOPS_CLUSTER_NAME=c kops update cluster", "c", []),
        ("export KOPS_CLUSTER_NAME=c\nkops update cluster d", "d", ["name-twice"]),
    ],
)
def test_the_environment_of_a_command_names_its_cluster(
    script: str, cluster: str, kinds: list[str]
) -> None:
    command = one(script)
    assert (command.cluster.text if command.cluster else None) == cluster
    assert [problem.kind for problem in command.problems] == kinds


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("etcdctl member remove", "missing-argument"),
        ("etcdctl member remove a b", "extra-argument"),
        ("etcd-manager-ctl -backup-store=s3://b restore-backup", "missing-argument"),
    ],
)
def test_etcd_commands_take_exactly_one_argument(script: str, kind: str) -> None:
    assert [problem.kind for problem in one(script).problems] == [kind]


def test_an_unknown_kops_command_is_refused_and_changes_nothing() -> None:
    command = one("kops destroy cluster c --yes")
    assert isinstance(command, Reads)
    assert [(p.kind, p.refused, p.suggestion) for p in command.problems] == [
        ("unknown-command", True, "kops delete cluster")
    ]


VOCABULARY = (
    "kops etcdctl kubectl terraform aws docker ssh sudo env xargs sh go timeout exec"
    " update delete cluster ig member remove run -- - -c -f -I -n -y --yes --name"
    " --name= --set=a=,b A=b 'a; b' $X \"$X\" $(x) * '' -vx --=x =x – / //"
).split(" ")


def chosen() -> Iterator[st.SearchStrategy[Word]]:
    span = Source("run.sh", "x").whole()
    yield st.sampled_from(VOCABULARY).map(
        lambda raw: Word(
            (Unknown(raw, "unset"),) if raw.startswith("$") else (raw.strip("'"),),
            raw,
            span,
        )
    )
    yield st.text(max_size=8).map(lambda text: Word((text,), text, span))
    yield st.text(max_size=3).map(
        lambda text: Word((text, Unknown("$X", "unset"), text), f"{text}$X{text}", span)
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(*chosen()), min_size=1, max_size=9))
def test_no_words_whatever_are_too_odd_to_be_recognised(words: list[Word]) -> None:
    span = Source("run.sh", "x").whole()
    for command in recognise(SimpleCommand(tuple(words), span)):
        assert command.span is span
        assert "\n" not in command.text
