"""docs/limits.md, tried through the command line: what is not followed is said.

A row is an input for a sentence of that page, the rules that say so, and the verdict.
Where the page says that nothing says so, the row has no rule: it is held to that, so
that the page is mended when the product is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from test_safe_lists import KINDS, Case, spec

from kopslint.cli.program import run
from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGE = (Path(__file__).parents[1] / "docs/limits.md").read_text(encoding="utf-8")
WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - "


class Limit(NamedTuple):
    """An input, what a report says of it, and words of the page that it is for."""

    said: str
    text: str
    rules: str = "KL901"
    path: str = "run.sh"
    after: str = ""
    kind: str = "aws3"


LIMITS: Mapping[str, Limit] = {
    "a variable": Limit(
        "A variable that the list does not set", "kops delete ig $IG --yes\n", "KL902"
    ),
    "eval": Limit("an `eval`", 'eval "$X"\nkops update cluster --yes\n'),
    "a script": Limit(
        "a script that is not at hand",
        "kops replace -f after.yaml\n./scale.sh\nkops update cluster --yes\n",
        after="patched",
    ),
    "an editor": Limit(
        "An editor is taken to make",
        "kops edit cluster prod.example.com\nkops update cluster --yes\n",
        "KL902",
        after="patched",
    ),
    "an editor that is a program": Limit(
        "is worked out\n  or said",
        "EDITOR='./change.py' kops edit cluster prod.example.com\n",
        "KL902",
        after="patched",
    ),
    "a script that another program writes": Limit(
        "What any other program makes of it is not",
        "jq -r .cmd plan.json > run2.sh\nbash run2.sh\nkops update cluster --yes\n",
    ),
    "an absolute path": Limit(
        "nothing by an absolute path",
        "kops update cluster --yes\n/opt/scale.sh\nkops rolling-update cluster --yes\n",
    ),
    "a spec that is fetched": Limit(
        "is taken to hold what it\n  holds now",
        "curl -o after.yaml https://example.org/a.yaml\nkops replace -f after.yaml\n",
        "KL902",
        after="patched",
    ),
    "a spec that is not at hand": Limit(
        "One that is not at hand",
        "kops replace -f other.yaml\nkops update cluster --yes\n",
        "KL902",
        after="patched",
    ),
    "a field of run time": Limit(
        "a value or field that only run time",
        "kops edit cluster prod.example.com --set spec.kubernetesVersion=$V\n",
        "KL902",
        after="patched",
    ),
    "kops set": Limit(
        "`kops set` of old",
        "kops set cluster prod.example.com spec.kubernetesVersion=1.34.5\n",
        "KL404",
        after="patched",
    ),
    "a loop": Limit(
        "any other is followed for three",
        'while read -r ig; do kops delete ig "$ig" --yes; done < igs.txt\n',
        "KL902",
    ),
    "disks of a loop": Limit(
        "One over disks",
        "for v in $(aws ec2 describe-volumes --filters Name=tag:k8s.io/etcd/main,"
        "Values=a --query 'Volumes[].VolumeId' --output text); do"
        " aws ec2 delete-volume --volume-id $v; done\n",
        "KL902",
    ),
    "members of a loop": Limit(
        "by ids which only run time knows",
        "for id in $IDS; do kubectl -n kube-system exec etcd-manager-main-i-0 --"
        " etcdctl --endpoints https://127.0.0.1:4001 member remove $id; done\n",
        "KL901 KL902",
        after="three-members",
        kind="aws5",
    ),
    "keys of an array": Limit(
        "In which order bash goes",
        'declare -A a=([x]=nodes [y]=nodes)\nfor k in "${!a[@]}"; do'
        " kops rolling-update cluster --instance-group ${a[$k]} --yes; done\n",
    ),
    "values of a condition": Limit(
        "A variable with several values",
        "case $1 in a) IG=nodes;; b) IG=control-plane-c;; esac\n"
        "kops delete ig $IG --yes\n",
        "KL902",
    ),
    "a secret of the network": Limit(
        "that is said",
        "kops create secret ciliumpassword -f key.yaml --force\n",
    ),
    "another command of a cloud": Limit(
        "in another way is an error",
        "aws ec2 modify-instance-attribute --instance-id i-01 --disable-api-stop\n",
    ),
    "a program without a row": Limit("a program without a\n  row", "frob\n", ""),
    "files in /proc": Limit(
        "files in `/proc`",
        "ssh control-plane-a 'echo 1000 > /proc/1234/oom_score_adj'\n",
        "",
    ),
    "machines of one's own": Limit(
        "machines of\n  one's own hypervisor", "virsh destroy control-plane-a\n"
    ),
    "names": Limit(
        "Names and load balancers", "aws route53 delete-hosted-zone --id Z1\n"
    ),
    "a load balancer": Limit(
        "Names and load balancers",
        "aws elbv2 delete-load-balancer --load-balancer-arn $LB\n",
    ),
    "an include of make": Limit(
        "`include` is not followed",
        "include cluster.mk\nroll:\n\tkops get ig\n",
        path="Makefile",
    ),
    "an include of GitLab": Limit(
        "nor is\n  that of GitLab",
        "include: other.yml\nroll:\n  script:\n    - kops get ig\n",
        path=".gitlab-ci.yml",
    ),
    "a recipe that does not run": Limit(
        "are said, and not followed",
        "all: x\n\techo hi\nx:\n\techo x\ndestroy:\n"
        "\tkops delete cluster prod.example.com --yes\n",
        path="Makefile",
    ),
    "a module of Ansible": Limit(
        "A module of Ansible",
        "- hosts: all\n  tasks:\n    - amazon.aws.ec2_instance:\n"
        "        state: absent\n        instance_ids: i-01\n"
        "    - command: kops get ig\n",
        path="play.yml",
    ),
    "a request": Limit(
        "a request by `curl`",
        "curl -X POST -d '{}' http://127.0.0.1:4001/v3/kv/deleterange\n",
    ),
    "another language": Limit(
        "A list in another language",
        "import sys, kops\nkops.delete(sys.argv[1])\n",
        path="run.py",
    ),
    "somebody's action": Limit(
        "somebody's action",
        WORKFLOW + "uses: acme/run@v1\n      - run: kops get ig\n",
        "",
        path=".github/workflows/a.yaml",
    ),
    "a matrix of run time": Limit(
        "A matrix that",
        "on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n"
        "      matrix: ${{ fromJson(needs.x.outputs.y) }}\n    steps:\n      - run:"
        " kops rolling-update cluster --instance-group ${{ matrix.ig }} --yes\n",
        "KL902",
        path=".github/workflows/a.yaml",
    ),
    "a store that is mounted": Limit(
        "mounted", "s3fs example-kops-state /mnt/s\nrm -rf /mnt/s/prod.example.com\n"
    ),
}


def reported(
    limit: Limit, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[set[str], list[str]]:
    """The rules that a check on the command line reports, and what it assumes."""
    case = Case("", "", limit.kind, "", "", limit.text, "", limit.after, limit.path)
    for source in (*case.sides, case._replace(path=limit.path).sides[0]):
        (folder / source.path).write_text(source.text, encoding="utf-8")
    commands = folder / limit.path
    commands.parent.mkdir(parents=True, exist_ok=True)
    commands.write_text(limit.text, encoding="utf-8")
    sides = ["--before", "before.yaml", "--after", "after.yaml"]
    run(["check", *sides, "--commands", limit.path, "--no-config", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    taken = [each["text"] for each in report["summary"]["assumptions"]]
    return {finding["rule"] for finding in report["findings"]}, taken


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_what_is_not_followed_is_said_as_the_page_says(
    limit: Limit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    rules, _ = reported(limit, tmp_path, capsys)

    assert limit.said in PAGE, limit.said
    if limit.rules:
        assert {*limit.rules.split()} <= rules
    else:
        assert not rules & {"KL901", "KL902"}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("kops replace -f after.yaml\nkops update cluster --yes\n", 1),
        ("kops update cluster prod.example.com --yes\n", 0),
        (
            "export KOPS_STATE_STORE=s3://x\nkops update cluster --yes\n",
            0,
        ),
        ("# --name prod.example.com\nkubectl drain node-a\nkubectl delete node a\n", 1),
        ("kubectl --context prod.example.com drain node-a\n", 0),
        ("kops get ig\nkubectl get nodes\n", 0),
    ],
)
def test_that_the_shell_is_on_this_cluster_is_assumed_once(
    text: str,
    count: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is an assumption of the verdict and no finding: every such list has it."""
    monkeypatch.chdir(tmp_path)
    limit = Limit("", text, after="patched")
    _, taken = reported(limit, tmp_path, capsys)

    assert sum("on this cluster" in each for each in taken) == count


def hooked(group: dict[str, Any]) -> None:
    group["hooks"] = [{"name": "x.service", "manifest": "ExecStart=/bin/pkill etcd"}]


UNKNOWN: Mapping[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "a machine type": (
        "a machine type or a subnet exists",
        lambda group: group.update(machineType="m99.huge"),
    ),
    "an image": (
        "whether an image",
        lambda group: group.update(image="099720109477/no-such-image"),
    ),
    "a hook": ("What `hooks`", hooked),
}


@pytest.mark.parametrize(("said", "change"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_a_spec_may_hold_unread_is_on_the_page(
    said: str, change: Callable[[dict[str, Any]], None]
) -> None:
    """Nothing says so; the page does."""
    documents = spec(KINDS["aws3"])
    for group in documents[1:]:
        change(group["spec"])
    text = yaml.safe_dump_all(documents)
    report = check(Request(None, (Source("after.yaml", text),)))

    assert said in PAGE
    assert not report.findings


def test_an_etcd_without_a_binary_is_refused_as_the_page_says() -> None:
    documents = spec(KINDS["aws3"])
    for etcd in documents[0]["spec"]["etcdClusters"]:
        etcd["version"] = "3.5.999"
    text = yaml.safe_dump_all(documents)
    report = check(Request(None, (Source("after.yaml", text),)))

    assert "An etcd without a binary" in PAGE
    assert "KL129" in {finding.rule for finding in report.findings}
