"""What kops refuses about a control plane: which kind, in which words, and where."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from kopslint.kops import refusals
from kopslint.kops.fleet import read_fleet
from kopslint.kops.refusals import Refusal
from kopslint.kops.spec import Manifest
from kopslint.source.text import Source

NAME = "demo.example.com"
CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {name: demo.example.com}
spec:
  etcdClusters:
  - name: main
    etcdMembers:
    - {name: a, instanceGroup: master-a}
    - {name: b, instanceGroup: master-b}
    - {name: c, instanceGroup: master-c}
  - name: events
    etcdMembers:
    - {name: a, instanceGroup: master-a}
    - {name: b, instanceGroup: master-b}
    - {name: c, instanceGroup: master-c}
  subnets:
  - {name: zone-a, zone: us-east-1a}
  - {name: zone-b, zone: us-east-1b}
  - {name: zone-c, zone: us-east-1c}
"""
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {name: master-X, labels: {kops.k8s.io/cluster: demo.example.com}}
spec: {role: Master, minSize: 1, maxSize: 1, subnets: [zone-X]}
"""
GROUPS = {name: GROUP.replace("X", name) for name in "abcd"}
HEALTHY = CLUSTER + GROUPS["a"] + GROUPS["b"] + GROUPS["c"]
MAIN_C = "    - {name: c, instanceGroup: master-c}\n  - name: events\n"
EVENTS_C = "    - {name: c, instanceGroup: master-c}\n  subnets:\n"


def manifest(text: str, path: str = "after.yaml") -> Manifest:
    return read_fleet([Source(path, text)]).manifests[NAME]


def changed(*changes: tuple[str, str], text: str = HEALTHY) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def seen(refusal: Refusal) -> tuple[str, str, str, list[tuple[str, str]]]:
    places = [(str(span), label) for span, label in refusal.places]
    return refusal.kind, refusal.about, refusal.message, places


class Refused(NamedTuple):
    """A spec, and the one refusal of an update that it meets."""

    spec: str
    kind: str
    about: str
    message: str
    places: list[tuple[str, str]]


MOVED_C = MAIN_C.replace("master-c", "master-b")
WIDE = GROUPS["c"].replace("subnets: [zone-c]", "subnets: [zone-c, zone-a]")

UPDATES = {
    "an even number of members": Refused(
        changed((MAIN_C, "  - name: events\n"), (GROUPS["c"], "")).replace(
            EVENTS_C, "    - {name: d, instanceGroup: master-a}\n  subnets:\n"
        ),
        "even-members",
        "main",
        'etcd cluster "main" has 2 members: should be an odd number of '
        "control-plane-zones for quorum",
        [("after.yaml:7:5", "2 members")],
    ),
    "a member whose group is gone": Refused(
        changed((GROUPS["c"], "")),
        "missing-group",
        "master-c",
        'InstanceGroup not found (for etcd c/main): "master-c"',
        [("after.yaml:10:31", "no such group in the state store")],
    ),
    "a group without a member": Refused(
        HEALTHY + GROUPS["d"],
        "group-without-member",
        "master-d",
        'InstanceGroup "master-d" with role ControlPlane must have a member in etcd '
        'cluster "main"',
        [
            ("after.yaml:38:18", "this group runs no member"),
            ("after.yaml:6:11", "of main"),
        ],
    ),
    "a name that is taken": Refused(
        changed((MAIN_C, MAIN_C.replace("name: c", "name: b"))),
        "duplicate-member",
        "b",
        'EtcdMembers found with same name "b" in etcd-cluster "main"',
        [("after.yaml:9:14", "this name is taken")],
    ),
    "a group of two members": Refused(
        changed((MAIN_C, MOVED_C), (EVENTS_C, EVENTS_C)),
        "shared-group",
        "master-b",
        'EtcdMembers are in the same InstanceGroup "master-b" in etcd-cluster "main": '
        "found duplicate tasks",
        [("after.yaml:9:31", "this group has a member already")],
    ),
    "a group in two zones": Refused(
        changed((GROUPS["c"], WIDE)),
        "zones",
        "master-c",
        'must specify a unique zone for instancegroup "master-c" used by etcd c/main',
        [("after.yaml:34:53", "zones us-east-1a, us-east-1c")],
    ),
    "a group of more than one machine": Refused(
        changed((GROUPS["c"], GROUPS["c"].replace("maxSize: 1", "maxSize: 3"))),
        "control-plane-size",
        "master-c",
        "spec.maxSize: 3: controlPlane InstanceGroup must have maxSize set to 1, add "
        "more InstanceGroups instead",
        [("after.yaml:34:41", "3, and 1 is the most")],
    ),
}


@pytest.mark.parametrize("case", UPDATES.values(), ids=UPDATES)
def test_an_update_is_refused(case: Refused) -> None:
    found = [seen(refusal) for refusal in refusals.of_update(manifest(case.spec))]
    of_kind = [refusal for refusal in found if refusal[0] == case.kind]

    assert of_kind[0] == (case.kind, case.about, case.message, case.places)


def test_a_healthy_spec_is_not_refused() -> None:
    assert refusals.of_update(manifest(HEALTHY)) == ()
    assert refusals.of_edit(manifest(HEALTHY), manifest(HEALTHY)) == ()
