"""What kops refuses about a control plane: which kind, in which words, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from kopslint.kops import refusals
from kopslint.kops.decode import read_fleet
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import Cluster, Manifest

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
NODES = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {name: nodes, labels: {kops.k8s.io/cluster: demo.example.com}}
spec: {role: Node, minSize: 2, maxSize: 9, subnets: [zone-a, zone-b]}
"""
C = "    - {name: c, instanceGroup: master-c}\n"
IN_MAIN = f"{C}  - name: events\n"
"""Member c of main, with what follows: the same line is in events."""


def manifest(text: str, path: str = "after.yaml") -> Manifest:
    return read_fleet([Source(path, text)]).manifests[NAME]


def cluster(text: str, path: str = "after.yaml") -> Cluster:
    found = manifest(text, path).cluster
    assert found is not None
    return found


def changed(old: str, new: str, text: str = HEALTHY) -> str:
    """The text with the only ``old`` in it replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


class Said(NamedTuple):
    """A refusal as people see it; places are written as ``path:line:column``."""

    kind: str
    about: str
    message: str
    places: list[tuple[str, str]]


def said(found: Iterable[Rejection]) -> list[Said]:
    return [
        Said(
            refusal.kind,
            refusal.about,
            refusal.message,
            [(str(span), label) for span, label in refusal.places],
        )
        for refusal in found
    ]


def without_member(etcd: str, line: int) -> Said:
    """Group master-d, in line 38, has no member in an etcd cluster."""
    return Said(
        "group-without-member",
        "master-d",
        'InstanceGroup "master-d" with role ControlPlane must have a member in etcd '
        f'cluster "{etcd}"',
        [
            ("after.yaml:38:18", "this group runs no member"),
            (f"after.yaml:{line}:11", f"of {etcd}"),
        ],
    )


def missing(etcd: str, line: int) -> Said:
    return Said(
        "missing-group",
        "master-c",
        f'InstanceGroup not found (for etcd c/{etcd}): "master-c"',
        [(f"after.yaml:{line}:32", "no such group in the state store")],
    )


def in_two_zones(etcd: str) -> Said:
    return Said(
        "zones",
        "master-c",
        'must specify a unique zone for instancegroup "master-c" used by etcd '
        f"c/{etcd}",
        [("after.yaml:34:46", "zones us-east-1a, us-east-1c")],
    )


UPDATES = {
    "members whose group is gone": (
        changed(GROUPS["c"], ""),
        [missing("main", 10), missing("events", 15)],
    ),
    "a control-plane group without members": (
        HEALTHY + GROUPS["d"],
        [without_member("main", 6), without_member("events", 11)],
    ),
    "a group in two zones": (
        changed("[zone-c]", "[zone-c, zone-a]"),
        [in_two_zones("main"), in_two_zones("events")],
    ),
    "a control-plane group of three machines": (
        changed(GROUPS["c"], GROUPS["c"].replace("maxSize: 1", "maxSize: 3")),
        [
            Said(
                "control-plane-size",
                "master-c",
                "spec.maxSize: 3: controlPlane InstanceGroup must have maxSize set to "
                "1, add more InstanceGroups instead",
                [("after.yaml:34:43", "3, and 1 is the most")],
            )
        ],
    ),
    "an etcd cluster without members": (
        changed("  - name: events\n    etcdMembers:\n", "  - name: events\n").replace(
            "    - {name: a, instanceGroup: master-a}\n"
            "    - {name: b, instanceGroup: master-b}\n"
            f"{C}  subnets",
            "    etcdMembers: []\n  subnets",
        ),
        [
            Said(
                "no-members",
                "events",
                'no members defined in etcd cluster "events"',
                [("after.yaml:12:5", "no members")],
            )
        ],
    ),
}


@pytest.mark.parametrize(("spec", "expected"), UPDATES.values(), ids=UPDATES)
def test_an_update_is_refused(spec: str, expected: list[Said]) -> None:
    assert said(refusals.of_update(manifest(spec))) == expected


TWICE = {
    "a member name": (
        changed(IN_MAIN, IN_MAIN.replace("name: c", "name: b")),
        Said(
            "duplicate-member",
            "b",
            'EtcdMembers found with same name "b" in etcd-cluster "main"',
            [("after.yaml:10:14", "this name is taken")],
        ),
    ),
    "a group of two members": (
        changed(IN_MAIN, IN_MAIN.replace("master-c", "master-b")),
        Said(
            "shared-group",
            "master-b",
            'EtcdMembers are in the same InstanceGroup "master-b" in etcd-cluster '
            '"main": found duplicate tasks',
            [("after.yaml:10:32", "this group has a member already")],
        ),
    ),
}


@pytest.mark.parametrize(("spec", "expected"), TWICE.values(), ids=TWICE)
def test_an_update_refuses_what_is_there_twice_and_says_so_once(
    spec: str, expected: Said
) -> None:
    found = said(refusals.of_update(manifest(spec)))

    assert [refusal for refusal in found if refusal.kind == expected.kind] == [expected]


def test_an_even_number_of_members_is_refused_everywhere() -> None:
    """In a file that is stored, in an editor, and by an update."""
    expected = Said(
        "even-members",
        "main",
        'etcd cluster "main" has 2 members: should be an odd number of '
        "control-plane-zones for quorum",
        [("after.yaml:7:5", "2 members")],
    )
    spec = changed(IN_MAIN, "  - name: events\n")

    assert said(refusals.of_cluster(cluster(spec))) == [expected]
    assert expected in said(refusals.of_edit(manifest(HEALTHY), manifest(spec)))
    assert expected in said(refusals.of_update(manifest(spec)))


def test_an_etcd_cluster_cannot_be_taken_out() -> None:
    start, end = HEALTHY.index("  - name: events"), HEALTHY.index("  subnets:")
    spec = HEALTHY[:start] + HEALTHY[end:]

    found = refusals.of_cluster_change(cluster(HEALTHY, "before.yaml"), cluster(spec))

    assert said(found) == [
        Said(
            "etcd-cluster-removed",
            "events",
            "spec.etcdClusters[events]: EtcdClusters cannot be removed",
            [
                ("after.yaml:5:3", "events is missing"),
                ("before.yaml:11:11", "it was here"),
            ],
        )
    ]


def test_a_member_cannot_move_to_another_group() -> None:
    spec = changed(IN_MAIN, IN_MAIN.replace("master-c", "master-d"))

    found = refusals.of_cluster_change(cluster(HEALTHY, "before.yaml"), cluster(spec))

    assert said(found) == [
        Said(
            "member-moved",
            "c",
            "spec.etcdClusters[main].etcdMembers[c].instanceGroup: "
            "instanceGroup cannot be changed",
            [
                ("after.yaml:10:32", "another group than before"),
                ("before.yaml:10:32", "the group before"),
            ],
        )
    ]


@pytest.mark.parametrize(
    "after",
    [
        changed(IN_MAIN, "  - name: events\n"),
        changed(IN_MAIN, f"{C}{C.replace('c', 'd')}  - name: events\n"),
        changed(IN_MAIN, IN_MAIN.replace("name: c", "name: new")),
    ],
    ids=["taken out", "added", "renamed"],
)
def test_members_may_be_taken_out_added_and_renamed(after: str) -> None:
    """No rule of kops compares the members before with those after."""
    found = refusals.of_cluster_change(cluster(HEALTHY), cluster(after))

    assert said(found) == []


@pytest.mark.parametrize(
    ("sizes", "fields"),
    [
        ("minSize: 1, maxSize: 1", []),
        ("minSize: 0, maxSize: 0", []),
        ("minSize: 3, maxSize: 3", ["minSize", "maxSize"]),
    ],
)
def test_a_control_plane_group_has_at_most_one_machine(
    sizes: str, fields: list[str]
) -> None:
    """No machine at all is accepted, which is how one loses a member."""
    spec = HEALTHY + GROUPS["d"].replace("minSize: 1, maxSize: 1", sizes)

    found = said(refusals.of_group(manifest(spec).groups["master-d"]))

    assert [message.split(":")[0] for _, _, message, _ in found] == [
        f"spec.{field}" for field in fields
    ]


def test_a_group_of_workers_may_be_of_any_size_and_in_many_zones() -> None:
    healthy = manifest(HEALTHY + NODES)

    assert said(refusals.of_group(healthy.groups["nodes"])) == []
    assert said(refusals.of_update(healthy)) == []


def test_an_editor_asks_for_the_member_of_a_group_and_not_for_the_group() -> None:
    """With kops alone neither can go first: an update asks for both."""
    no_group = manifest(changed(GROUPS["c"], ""))
    no_member = manifest(HEALTHY + GROUPS["d"])

    assert said(refusals.of_edit(manifest(HEALTHY), no_group)) == []
    assert said(refusals.of_edit(manifest(HEALTHY), no_member)) == [
        without_member("main", 6),
        without_member("events", 11),
    ]


ONE = CLUSTER + GROUPS["a"] + NODES


@pytest.mark.parametrize(
    ("group", "spec", "expected"),
    [
        ("master-c", HEALTHY, None),
        ("nodes", ONE, None),
        (
            "master-z",
            HEALTHY,
            Said("unknown-group", "master-z", 'InstanceGroup "master-z" not found', []),
        ),
        (
            "master-a",
            ONE,
            Said(
                "only-control-plane",
                "master-a",
                "cannot delete the only control plane instance group",
                [("after.yaml:23:18", "the only control-plane group")],
            ),
        ),
    ],
)
def test_deleting_a_group_asks_for_nothing_but_another_control_plane(
    group: str, spec: str, expected: Said | None
) -> None:
    """Not for members, not for quorum, not for the machine."""
    refusal = refusals.of_deleting(group, manifest(spec))

    assert said([refusal] if refusal else []) == ([expected] if expected else [])
