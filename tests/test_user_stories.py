"""What users reported, and what they do every day, gets the verdict that it deserves.

Each story is the smallest change and list that shows it, with the issue or page that it
comes from. However a list is written, as a script, a runbook or a pipeline, its verdict
is the same.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from removal_lines import removal

from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "prod.example.com"
ZONES = "abcdefg"
Documents = list[dict[str, Any]]
LEVELS = ("error", "warning")


def spec(
    zones: str = "abc", version: str = "1.28.9", cni: str = "calico", **etcd: str
) -> Documents:
    """A control-plane group in the zone of each letter, and a group of workers.

    ``etcd`` are fields of every etcd cluster; ``of_etcd`` is its version.
    """

    def group(name: str, role: str, size: int, subnets: str) -> dict[str, Any]:
        labels = {"kops.k8s.io/cluster": NAME}
        return {
            "apiVersion": "kops.k8s.io/v1alpha2",
            "kind": "InstanceGroup",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "role": role,
                "machineType": "m5.large",
                "image": "ubuntu-noble",
                "minSize": size,
                "maxSize": size,
                "subnets": list(subnets),
            },
        }

    members = [{"name": z, "instanceGroup": f"master-{z}"} for z in zones]
    if "of_etcd" in etcd:
        etcd["version"] = etcd.pop("of_etcd")
    cluster = {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "Cluster",
        "metadata": {"name": NAME},
        "spec": {
            "api": {"dns": {}},
            "cloudProvider": "aws",
            "configBase": f"s3://state/{NAME}",
            "etcdClusters": [
                {"name": name, "etcdMembers": deepcopy(members), **etcd}
                for name in ("main", "events")
            ],
            "kubernetesVersion": version,
            "networkCIDR": "10.0.0.0/16",
            "networking": {cni: {}},
            "nonMasqueradeCIDR": "100.64.0.0/10",
            "subnets": [
                {
                    "name": zone,
                    "zone": f"us-east-1{zone}",
                    "cidr": f"10.0.{number}.0/24",
                    "type": "Public",
                }
                for number, zone in enumerate(ZONES)
            ],
        },
    }
    masters = [group(f"master-{zone}", "Master", 1, zone) for zone in zones]
    return [cluster, *masters, group("nodes", "Node", 3, "abc")]


def having(change: Callable[[Documents], object], documents: Documents) -> Documents:
    """A copy of some documents, changed."""
    copy = deepcopy(documents)
    change(copy)
    return copy


def sized(name: str, low: int, high: int) -> Callable[[Documents], object]:
    return lambda docs: named(name, docs).update(minSize=low, maxSize=high)


def named(name: str, documents: Documents) -> dict[str, Any]:
    found: dict[str, Any] = next(d for d in documents if d["metadata"]["name"] == name)[
        "spec"
    ]
    return found


def typed(kind: str) -> Callable[[Documents], object]:
    return lambda docs: [s.update(type=kind) for s in docs[0]["spec"]["subnets"]]


def called(old: str, new: str) -> Callable[[Documents], object]:
    """The member ``old`` of every etcd cluster under another name."""
    return lambda docs: [
        member.update(name=new)
        for etcd in docs[0]["spec"]["etcdClusters"]
        for member in etcd["etcdMembers"]
        if member["name"] == old
    ]


def with_utilities(documents: Documents) -> None:
    subnets = documents[0]["spec"]["subnets"]
    for number, zone in enumerate(ZONES):
        cidr = f"10.0.{number + 100}.0/24"
        utility = {"name": f"utility-{zone}", "zone": f"us-east-1{zone}"}
        subnets.append({**utility, "cidr": cidr, "type": "Utility"})


UP = "kops update cluster --yes\n"
ROLL = "kops rolling-update cluster --yes\n"
STORE = "kops replace -f cluster.yaml\n"
APPLY = STORE + UP + ROLL
EDIT = f"kops edit cluster\n{UP}{ROLL}"
VALIDATE = "kops validate cluster --wait 15m\n"
THREE, ONE, FIVE = spec(), spec("a"), spec("abcde")
LARGE = yaml.safe_dump(having(sized("master-a", 3, 3), ONE)[1])


def grown(name: str) -> Documents:
    return having(lambda d: named(name, d).update(machineType="m5.xlarge"), THREE)


def drop(*zones: str) -> str:
    return "".join(f"kops delete ig master-{zone} --yes\n" for zone in zones)


def out(*zones: str) -> str:
    return "".join(removal(etcd, zone) for zone in zones for etcd in ("main", "events"))


def keys(*verbs: str) -> str:
    return "".join(f"kops {verb} keypair all\n{UP}{ROLL}" for verb in verbs)


@dataclass(frozen=True)
class Story:
    source: int | str
    verdict: str
    commands: str
    after: Documents = field(default_factory=spec)
    before: Documents = field(default_factory=spec)


STORIES = {
    "a group deleted by mistake and made again": Story(
        7215,
        "error",
        f"{drop('c')}kops create ig master-c --role master --subnet c\n{UP}",
    ),
    "a master moved to another zone by its subnet": Story(
        2069,
        "error",
        f"kops edit ig master-a\n{UP}{ROLL}",
        having(lambda d: named("master-a", d).update(subnets=["d"]), THREE),
    ),
    "data of etcd wiped on one machine": Story(
        6392,
        "error",
        "ssh admin@master-c sudo rm -rf /mnt/master-vol-0a1b/var/etcd/data-events\n",
    ),
    "certificates of etcd thrown away to be renewed": Story(
        8959, "ok", "ssh admin@master-c sudo rm -rf /mnt/master-vol-0a1b/pki\n"
    ),
    "a disk of etcd deleted under its member": Story(
        9264,
        "error",
        "aws ec2 delete-volume --volume-id $C_ETCD_EVENTS\n"
        "kops rolling-update cluster --instance-group master-c --force --yes\n",
    ),
    "a lost master replaced by one of another name": Story(
        7047, "error", f"kops create -f master-d.yaml\n{drop('c')}{APPLY}", spec("abd")
    ),
    "the member of a group renamed": Story(
        7047, "error", APPLY, having(called("c", "c2"), THREE)
    ),
    "a member's name that cuts the tag of its disk": Story(
        1474,
        "warning",
        f"kops create -f cluster.yaml\n{UP}",
        having(called("a", "us-east/a"), THREE),
        [],
    ),
    "two masters": Story(
        1474, "error", f"kops create -f b.yaml\n{STORE}{UP}", spec("ab"), ONE
    ),
    "members added to one etcd of two": Story(
        2579,
        "error",
        "kops create ig master-b --role master --subnet b --edit=false\n"
        f"kops create ig master-c --role master --subnet c --edit=false\n{EDIT}",
        having(
            lambda d: d[0]["spec"]["etcdClusters"][1].update(
                etcdMembers=ONE[0]["spec"]["etcdClusters"][1]["etcdMembers"]
            ),
            THREE,
        ),
        ONE,
    ),
    "masters made workers": Story(
        1496,
        "error",
        f"kops edit ig master-c\n{UP}",
        having(lambda d: named("master-c", d).update(role="Node"), THREE),
    ),
    "three masters in a group, by a text in the list": Story(
        1168, "error", f"kops replace -f - <<EOF\n{LARGE}EOF\n{UP}", ONE, ONE
    ),
    "every master scaled to nothing": Story(
        1229,
        "error",
        "for z in a b c; do\n"
        "  kops edit ig master-$z --set spec.minSize=0 --set spec.maxSize=0\n"
        f"done\n{UP}",
        having(lambda d: [sized(f"master-{z}", 0, 0)(d) for z in "abc"], THREE),
    ),
    "one master scaled to nothing and back": Story(
        1229,
        "warning",
        f"kops edit ig master-a --set spec.minSize=0 --set spec.maxSize=0\n{UP}"
        f"kops edit ig master-a --set spec.minSize=1 --set spec.maxSize=1\n{UP}",
    ),
    "public subnets made private, with no way out": Story(
        3320, "error", EDIT, having(typed("Private"), THREE)
    ),
    "public subnets made private, with a way out": Story(
        6495,
        "warning",
        APPLY,
        having(with_utilities, having(typed("Private"), THREE)),
        having(with_utilities, THREE),
    ),
    "other subnets beside the public ones": Story(
        "run_in_existing_vpc",
        "ok",
        APPLY,
        having(with_utilities, THREE),
    ),
    "subnets under other names": Story(
        4454,
        "error",
        EDIT,
        having(
            lambda d: [s.update(name=f"x{s['name']}") for s in d[0]["spec"]["subnets"]],
            THREE,
        ),
    ),
    "subnets under other names, and the groups in them": Story(
        4454,
        "error",
        APPLY,
        having(
            lambda d: [
                [s.update(name=f"x{s['name']}") for s in d[0]["spec"]["subnets"]],
                [
                    o["spec"].update(subnets=[f"x{s}" for s in o["spec"]["subnets"]])
                    for o in d[1:]
                ],
            ],
            THREE,
        ),
    ),
    "another provider of pod networks": Story(
        16766, "error", EDIT, spec(cni="cilium"), spec(cni="calico")
    ),
    "etcd 2 to 3 in one go": Story(
        6764,
        "error",
        f"kops edit cluster\n{UP}{ROLL}{EDIT}",
        spec(version="1.11.9", of_etcd="3.1.12", provider="Manager"),
        spec(version="1.11.9", of_etcd="2.2.1"),
    ),
    "etcd by two minors": Story(
        12662, "error", EDIT, spec(of_etcd="3.5.0"), spec(of_etcd="3.3.10")
    ),
    "etcd by two minors, one after the other": Story(
        12662,
        "ok",
        f"kops edit cluster --set spec.etcdClusters[*].version=3.4.13\n{UP}{ROLL}"
        f"kops edit cluster --set spec.etcdClusters[*].version=3.5.9\n{UP}{ROLL}",
        spec(of_etcd="3.5.9"),
        spec(of_etcd="3.3.17"),
    ),
    "Kubernetes by two minors, one after the other": Story(
        5512,
        "ok",
        f"for v in 1.27.14 1.28.9; do\n"
        f"  kops edit cluster --set spec.kubernetesVersion=$v\n  {UP}  {ROLL}done\n",
        THREE,
        spec(version="1.26.15"),
    ),
    "Kubernetes by two minors, the first never applied": Story(
        5512,
        "warning",
        "kops edit cluster --set spec.kubernetesVersion=1.27.14\n"
        f"kops edit cluster --set spec.kubernetesVersion=1.28.9\n{UP}{ROLL}",
        THREE,
        spec(version="1.26.15"),
    ),
    "Kubernetes by four minors": Story(
        5512, "warning", EDIT, spec(version="1.11.1"), spec(version="1.7.1")
    ),
    "etcd back to an older minor": Story(
        15471, "error", EDIT, spec(of_etcd="3.4.13"), spec(of_etcd="3.5.9")
    ),
    "etcd by a patch": Story(
        15471, "ok", EDIT, spec(of_etcd="3.5.9"), spec(of_etcd="3.5.7")
    ),
    "Kubernetes back to an older minor": Story(
        5436, "error", EDIT, spec(version="1.27.4")
    ),
    "workers before masters": Story(
        10703,
        "warning",
        f"kops edit cluster\n{UP}"
        "kops rolling-update cluster --instance-group nodes --yes\n"
        "kops rolling-update cluster --instance-group-roles master --yes\n",
        spec(version="1.29.4"),
    ),
    "workers before masters, by a patch": Story(
        10703,
        "ok",
        f"kops edit cluster\n{UP}"
        "kops rolling-update cluster --instance-group nodes --yes\n"
        "kops rolling-update cluster --instance-group-roles master --yes\n",
        spec(version="1.28.12"),
    ),
    "workers newer than 1.30 at once": Story(
        10703, "error", EDIT, spec(version="1.31.1"), spec(version="1.30.5")
    ),
    "keys distrusted before they are rolled out": Story(
        12343,
        "error",
        f"kops create keypair all\n{UP}kops promote keypair all\n"
        f"kops distrust keypair all\n{UP}{ROLL}",
    ),
    "keys rotated by the book": Story(
        "operations/rotate-secrets", "ok", keys("create", "promote", "distrust")
    ),
    "five to three, groups first": Story(
        16971, "error", f"{drop('d', 'e')}{APPLY}", THREE, FIVE
    ),
    "five to three, groups first, in a loop": Story(
        16971,
        "error",
        f"for z in d e; do\n  kops delete ig master-$z --yes\ndone\n{APPLY}",
        THREE,
        FIVE,
    ),
    "five to three, one member after the other": Story(
        "operations/etcd_administration",
        "ok",
        f"{out('d')}{drop('d')}{out('e')}{drop('e')}{APPLY}",
        THREE,
        FIVE,
    ),
    "three to one by groups": Story(
        6057, "error", f"{drop('b', 'c')}{EDIT}", ONE, THREE
    ),
    "one to three": Story(
        6057,
        "ok",
        "kops create ig master-b --role master --subnet b --edit=false\n"
        "kops create ig master-c --role master --subnet c --edit=false\n"
        f"kops edit cluster\n{UP}{VALIDATE}"
        "kops rolling-update cluster --instance-group master-a --yes\n",
        THREE,
        ONE,
    ),
    "three to five": Story(
        "single-to-multi-master",
        "ok",
        f"kops create -f d.yaml\nkops create -f e.yaml\n{STORE}{UP}{VALIDATE}",
        FIVE,
        THREE,
    ),
    "etcd of every master defragmented": Story(
        "operations/etcd_administration",
        "ok",
        "for pod in $(kubectl -n kube-system get pods -l k8s-app=etcd-manager-main"
        " -o name); do\n"
        "  kubectl -n kube-system exec $pod -- etcdctl defrag\n"
        "done\n",
    ),
    "old addresses of masters taken out of etcd": Story(
        "operations/etcd_backup_restore_encryption",
        "ok",
        "etcdctl get --prefix --keys-only /registry/masterleases\n"
        "etcdctl del --prefix /registry/masterleases/\n",
    ),
    "masters of another size, one after the other": Story(
        "tutorial/working-with-instancegroups",
        "ok",
        f"kops edit ig master-a --set spec.machineType=m5.xlarge\n{UP}"
        f"kops rolling-update cluster --instance-group master-a --yes\n{VALIDATE}",
        grown("master-a"),
    ),
    "a release by a pipe": Story(
        "manifests_and_customizing_via_api",
        "ok",
        f"kops get all {NAME} -o yaml | sed s/1.28.9/1.28.12/ | kops replace -f -\n"
        f"{UP}{ROLL}",
        spec(version="1.28.12"),
    ),
    "the completed spec stored as the one that is wanted": Story(
        1907,
        "warning",
        f"kops get cluster {NAME} --full -o yaml > full.yaml\n"
        f"sed -i s/1.28.9/1.28.12/ full.yaml\nkops replace -f full.yaml\n{UP}{ROLL}",
        spec(version="1.28.12"),
    ),
    "the completed spec looked at": Story(
        "operations/etcd_administration",
        "ok",
        f"kops get cluster {NAME} --full -o yaml > full.yaml\n"
        f"grep etcd full.yaml\n{UP}{ROLL}",
    ),
    "a release and what it leaves behind": Story(
        "releases/1.29-NOTES",
        "ok",
        f"kops edit cluster\n{UP}{ROLL}kops update cluster --prune --yes\n",
        spec(version="1.28.12"),
    ),
    "a master asked for anew": Story(
        "cli/kops_delete_instance",
        "ok",
        f"kops delete instance ip-10-0-0-9.ec2.internal --yes\n{VALIDATE}",
    ),
    "every master killed at once": Story(
        15168,
        "warning",
        "".join(f"kops delete instance master-{z} --cloudonly --yes\n" for z in "abc"),
    ),
}


def as_runbook(commands: str) -> tuple[str, str]:
    """Prose, a prompt before every line, and one of continuation within a block."""
    lines, open_, text = [], 0, "EOF" in commands
    for line in commands.splitlines():
        lines.append(line if text else f"{'> ' if open_ else '$ '}{line}")
        open_ += line.startswith("for ") - (line == "done")
    block = "\n".join(lines)
    return (
        "runbook.md",
        f"# Steps\n\nLook first.\n\n```console\n{block}\n```\n\nDone.\n",
    )


def as_workflow(commands: str) -> tuple[str, str]:
    run = "".join(f"          {line}\n" for line in commands.splitlines())
    return ".github/workflows/apply.yml", (
        "on: push\njobs:\n  apply:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: actions/checkout@v4\n      - run: |\n{run}"
    )


def as_function(commands: str) -> tuple[str, str]:
    """A script with the cluster in a variable, short flags, and a function."""
    named = "".join(
        f'  {line} --name "$NAME"\n'
        if line.startswith("kops ") and "<<" not in line and "|" not in line
        else f"{'' if 'EOF' in commands else '  '}{line}\n"
        for line in commands.replace(" --yes", " -y").splitlines()
    )
    return "apply.sh", (
        f'#!/bin/bash\nset -u\nexport NAME="${{1:-{NAME}}}"\n'
        f'apply() {{\n{named}}}\necho "applying to $NAME"\napply "$@"\n'
    )


FORMS: dict[str, Callable[[str], tuple[str, str]]] = {
    "list": lambda commands: ("commands.sh", commands),
    "runbook": as_runbook,
    "workflow": as_workflow,
    "function": as_function,
}


@pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_story_gets_its_verdict_however_it_is_written(
    story: Story, write: Callable[[str], tuple[str, str]]
) -> None:
    """That a pipeline has no editor is a matter of its own."""
    before = (Source("before.yaml", yaml.safe_dump_all(story.before)),)
    after = (Source("after.yaml", yaml.safe_dump_all(story.after)),)
    commands = (Source(*write(story.commands)),)

    report = check(Request(before if story.before else None, after, commands))

    found = {f.severity.value for f in report.findings if f.rule != "KL408"}
    told = [f"{f.severity} {f.rule} {f.message}" for f in report.findings]
    worst = next((level for level in LEVELS if level in found), "ok")
    assert worst == story.verdict, told
