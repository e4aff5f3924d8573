"""Disguises of one deletion, and of outages: none of them is ever called safe.

The cluster has five control-plane nodes, and its spec stays as it is. A row is a way to
delete groups while their etcd members are registered, or to take machines, disks, the
state store or etcd away, and what must come of it: ``error`` names the hazard,
``warning`` an outage for a while, ``undecided`` says that it cannot be followed
(KL901), and of a list that is ``unchecked`` nothing could be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from kopslint.engine import Request, check
from kopslint.findings import Verdict
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO = Path(__file__).parents[1] / "fixtures/five-to-three"
FIVE = (DEMO / "before.yaml").read_text(encoding="utf-8")
VERDICTS = {
    "error": Verdict.UNSAFE,
    "undecided": Verdict.NOT_PROVEN,
    "warning": Verdict.CAUTION,
    "unchecked": Verdict.NOT_CHECKED,
}

ROWS = yaml.safe_load((DEMO.parent / "disguises.yaml").read_text(encoding="utf-8"))

HARMLESS = {
    "a script that is written and shown": "echo 'kops get ig' > a.sh\ncat a.sh\n",
    "a request that reads": "curl -s https://api.hetzner.cloud/v1/servers\n",
    "health of etcd": "curl -s --cacert ca https://127.0.0.1:4001/health\n",
    "partitions are listed": "ssh master-0 sudo parted /dev/nvme1n1 print\n",
    "files of etcd are found": "find /mnt/master-vol-1 -name '*.snap'\n",
    "a manifest is fetched": "scp master-0:/etc/kubernetes/manifests/etcd.manifest .\n",
    "what a machine says of its time": "ssh master-0 date\n",
    "rights of a script": "chmod +x run.sh\n",
    "a log is kept": "kops get ig | tee groups.txt\n",
    "a secret is decoded": "echo c2VjcmV0 | base64 -d\n",
    "a plan is kept": "terraform plan -out=x.plan\n",
    "a state is read": "terraform refresh\nterraform untaint aws_instance.x\n",
    "a zone that nobody asks": "aws route53 create-hosted-zone --name api.example.org"
    " --caller-reference 1\n",
    "an option on a line of its own": "--state=$BUCKET\n",
    "objects of the cluster": "kubectl apply -f - <<EOF\nkind: ConfigMap\nEOF\n",
}


def verdict(commands: Source) -> Verdict:
    """The verdict on a list that is run on the cluster of five."""
    before, after = Source("before.yaml", FIVE), Source("after.yaml", FIVE)
    return check(Request((before,), (after,), (commands,))).verdict


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_disguise_is_told(row: Mapping[str, str]) -> None:
    """Whatever the words in front of it, the program, or the notation around it."""
    commands = Source(row.get("path", "list.sh"), row["list"])

    assert verdict(commands) is VERDICTS[row["must"]]


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    """The same programs, where they print something or are about something else."""
    assert verdict(Source("list.sh", f"kops validate cluster\n{text}")) is Verdict.SAFE
