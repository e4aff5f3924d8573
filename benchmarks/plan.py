"""How much time and memory plans take, the read-back by the check included.

Run ``python benchmarks/plan.py``; it ends with status 1 if a bound or a plan is missed.
The seconds are those of the processor, so that a busy machine does not count.
"""

from __future__ import annotations

import resource
import sys
import time
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from kopslint.cli.plan import make_plan
from kopslint.cli.plan_options import PlanOptions
from kopslint.kops.decode import read_fleet
from kopslint.planner.runbook import Runbook
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.kops.spec import Manifest

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three" / "before.yaml"
DOCUMENTS = list(yaml.safe_load_all(FIXTURE.read_text(encoding="utf-8")))
MEGABYTES = 300


def side(
    name: str, numbers: range, member: str, group: str, etcd: tuple[str, ...]
) -> Manifest:
    """The fixture's cluster with a member and a group for each number."""
    cluster, template, *_, nodes = deepcopy(DOCUMENTS)
    cluster["spec"]["etcdClusters"] = [
        {
            "name": each,
            "etcdMembers": [
                {"name": f"{member}{n}", "instanceGroup": f"{group}{n}"}
                for n in numbers
            ],
        }
        for each in etcd
    ]
    groups = []
    for n in numbers:
        groups.append(deepcopy(template))
        groups[-1]["metadata"]["name"] = f"{group}{n}"
        groups[-1]["spec"]["subnets"] = [f"us-east-1{'abcde'[n % 5]}"]
    text = yaml.safe_dump_all([cluster, *groups, nodes], sort_keys=False)
    source = Source(f"{name}.yaml", text)
    (manifest,) = read_fleet([source]).manifests.values()
    return manifest


TWO = ("main", "events")
FOUR = ("main", "events", "cilium", "leases")
OLD = ("etcd-", "master-")
NEW = ("new-", "control-plane-")

CASES = [
    ("5 to 3", 1, range(5), range(3), OLD, TWO),
    ("3 to 3, all replaced", 10, range(3), range(3), NEW, TWO),
    ("5 to 5, all replaced", 10, range(5), range(5), NEW, TWO),
    ("5 to 5, members renamed", 10, range(5), range(5), ("new-", "master-"), TWO),
    ("5 to 5, groups renamed", 10, range(5), range(5), ("etcd-", "cp-"), TWO),
    ("7 to 7, all replaced", 10, range(7), range(7), NEW, TWO),
    ("5 to 5, four etcd clusters", 10, range(5), range(5), NEW, FOUR),
]


def main() -> int:
    """Run every case and print what it took."""
    late = False
    for name, seconds, before, after, (member, group), etcd in CASES:
        old = side("before", before, *OLD, etcd)
        new = side("after", after, member, group, etcd)
        started = time.process_time()
        result = make_plan(old, new, PlanOptions(before=(), after=()))
        took = time.process_time() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        steps = len(result.steps) if isinstance(result, Runbook) else "no"
        none = not isinstance(result, Runbook)
        late = late or none or took > seconds or memory > MEGABYTES
        cut = ", cut" if result.cut else ""
        print(
            f"{name:28} {took:6.2f} s of {seconds:2}  {memory:4} MB  {steps} steps{cut}"
        )
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
