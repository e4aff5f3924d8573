"""What changed between two states of a cluster, by identity, and how it is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kopslint.change.diff import compare
from kopslint.change.membership import (
    correspondence,
    groups_removed,
    membership_changes,
)
from kopslint.cli.program import run
from kopslint.kops.decode import read_fleet
from kopslint.text import Source

if TYPE_CHECKING:
    from pathlib import Path

    from kopslint.kops.spec import EtcdMember, Manifest

Members = dict[str, str]

THREE = {"a": "cp-a", "b": "cp-b", "c": "cp-c"}


def cluster(
    main: Members = THREE, events: Members | None = None, spec: str = ""
) -> str:
    """A Cluster with its members (name: group) and further lines below ``spec``."""
    lists = {"main": main, "events": main if events is None else events}
    etcd = "".join(
        f"  - name: {name}\n    etcdMembers:\n"
        + "".join(
            f"    - name: {member}\n      instanceGroup: {group}\n"
            for member, group in members.items()
        )
        for name, members in lists.items()
    )
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata:\n  name: demo.example.com\nspec:\n  etcdClusters:\n{etcd}{spec}"
    )


def group(name: str, role: str = "Master", fields: str = "") -> str:
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  name: {name}\n  labels:\n    kops.k8s.io/cluster: demo.example.com\n"
        f"spec:\n  role: {role}\n{fields}"
    )


def control_plane(*names: str) -> list[str]:
    return [group(name) for name in names]


def manifest(*documents: str, path: str = "after.yaml") -> Manifest:
    fleet = read_fleet([Source(path, "---\n".join(documents))])
    return fleet.manifests["demo.example.com"]


WHOLE = (cluster(), *control_plane("cp-a", "cp-b", "cp-c"))


def differences(before: Manifest, after: Manifest) -> list[tuple[object, ...]]:
    """Kind, dotted path, both values, and the lines they are in."""
    return [
        (
            d.kind,
            "/".join(d.path),
            d.old,
            d.new,
            d.span_before.line if d.span_before else None,
            d.span_after.line if d.span_after else None,
        )
        for d in compare(before, after).differences
    ]


def test_the_order_in_which_things_are_written_is_no_difference() -> None:
    """Groups, members and lists of names are compared by what they are called."""
    subnets = "  subnets:\n  - name: {}\n    zone: z\n  - name: {}\n    zone: z\n"
    fields = "  subnets:\n  - {}\n  - {}\n"
    before = manifest(
        cluster(spec=subnets.format("x", "y")),
        group("nodes", "Node", fields.format("x", "y")),
        *control_plane("cp-a", "cp-b", "cp-c"),
    )
    backwards = dict(reversed(THREE.items()))
    after = manifest(
        *control_plane("cp-c", "cp-b", "cp-a"),
        group("nodes", "Node", fields.format("y", "x")),
        cluster(backwards, spec=subnets.format("y", "x")),
    )

    assert differences(before, after) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("role: Master", "role: ControlPlane"),
        ("role: Master", "role: Master\n  taints: null"),
        ("  labels:", "  creationTimestamp: 2024-01-01T00:00:00Z\n  labels:"),
    ],
    ids=["two words for the control plane", "null and absent", "a time stamp"],
)
def test_what_means_the_same_to_kops_is_no_difference(old: str, new: str) -> None:
    text = group("cp-a")

    assert differences(manifest(text), manifest(text.replace(old, new))) == []


NEWER = """\
apiVersion: kops.k8s.io/v1alpha3
kind: Cluster
metadata:
  name: demo.example.com
spec:
  networking:
    cni: {{}}
    subnets:
    - name: x
      zone: {zone}
"""
CHANGES = {
    "a field of the Cluster": (
        manifest(cluster(spec="  kubernetesVersion: 1.33.1\n")),
        manifest(cluster(spec="  channel: x\n  kubernetesVersion: 1.34.0\n")),
        [
            ("added", "cluster/channel", None, "x", None, 23),
            ("changed", "cluster/kubernetesVersion", "1.33.1", "1.34.0", 23, 24),
        ],
    ),
    "a setting with no value": (
        manifest(cluster(spec="  networking:\n    calico: {}\n")),
        manifest(cluster(spec="  networking:\n    cilium: {}\n")),
        [
            ("removed", "cluster/networking/calico", {}, None, 24, None),
            ("added", "cluster/networking/cilium", None, {}, None, 24),
        ],
    ),
    "a member less in main, another group in events": (
        manifest(cluster({"a": "cp-a", "b": "cp-b"}, {"a": "cp-a"})),
        manifest(cluster({"b": "cp-b"}, {"a": "cp-x"})),
        [
            (
                "removed",
                "etcd/main/etcdMembers/a",
                {"instanceGroup": "cp-a"},
                None,
                9,
                None,
            ),
            (
                "changed",
                "etcd/events/etcdMembers/a/instanceGroup",
                "cp-a",
                "cp-x",
                16,
                14,
            ),
        ],
    ),
    "a whole group is one difference": (
        manifest(group("nodes", "Node", "  maxSize: 3\n")),
        manifest(
            group("more", "Node", "  minSize: 2\n"),
            group("nodes", "Node", '  maxSize: "3"\n'),
        ),
        [
            (
                "added",
                "group/more",
                None,
                {
                    "apiVersion": "kops.k8s.io/v1alpha2",
                    "role": "Node",
                    "minSize": 2,
                },
                None,
                4,
            ),
            ("changed", "group/nodes/maxSize", 3, "3", 9, 19),
        ],
    ),
    "an annotation": (
        manifest(group("nodes", "Node")),
        manifest(
            group("nodes", "Node").replace(
                "spec:", "  annotations:\n    team: a\nspec:"
            )
        ),
        [("added", "group/nodes/annotations", None, {"team": "a"}, None, 7)],
    ),
    "a subnet of v1alpha3": (
        manifest(NEWER.format(zone="a")),
        manifest(NEWER.format(zone="b")),
        [("changed", "subnet/x/zone", "a", "b", 10, 10)],
    ),
    "items without a name": (
        manifest(cluster(spec="  hooks:\n  - before: [a, b]\n  - before: [a, b]\n")),
        manifest(cluster(spec="  hooks:\n  - before: [a, b]\n")),
        [
            (
                "removed",
                "cluster/hooks/{before: [a, b]} (2)",
                {"before": {"a": "a", "b": "b"}},
                None,
                25,
                None,
            )
        ],
    ),
    "an item of a list": (
        manifest(cluster(spec="  sshAccess:\n  - 10.0.0.0/8\n")),
        manifest(cluster(spec="  sshAccess:\n  - 0.0.0.0/0\n  - 10.0.0.0/8\n")),
        [("added", "cluster/sshAccess/0.0.0.0/0", None, "0.0.0.0/0", None, 24)],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES.values(), ids=CHANGES)
def test_every_difference_has_its_values_and_its_places(
    before: Manifest, after: Manifest, expected: list[tuple[object, ...]]
) -> None:
    """Only what differs, the main etcd cluster before the others, in a fixed order."""
    assert differences(before, after) == expected


def test_what_one_side_says_nothing_about_is_not_compared() -> None:
    """A file with the Cluster alone removes no group."""
    compared = compare(manifest(*WHOLE), manifest(cluster()))

    assert compared.differences == ()
    assert compared.only_before == ("group",)
    assert compared.only_after == ()


def names(members: tuple[EtcdMember, ...]) -> list[str]:
    return [member.name for member in members]


def pairs(members: tuple[tuple[EtcdMember, EtcdMember], ...]) -> list[str]:
    return [f"{o.name}@{o.group} {n.name}@{n.group}" for o, n in members]


@pytest.mark.parametrize(
    ("after", "added", "removed", "moved", "renamed"),
    [
        (THREE, [], [], [], []),
        ({"a": "cp-a"}, [], ["b", "c"], [], []),
        ({**THREE, "d": "cp-d"}, ["d"], [], [], []),
        ({**THREE, "c": "cp-d"}, [], [], ["c@cp-c c@cp-d"], []),
        ({"a": "cp-a", "b": "cp-b", "x": "cp-c"}, [], [], [], ["c@cp-c x@cp-c"]),
        ({"a": "cp-a", "b": "cp-b", "d": "cp-d"}, ["d"], ["c"], [], []),
        (
            {"a": "cp-b", "b": "cp-a", "c": "cp-c"},
            [],
            [],
            ["a@cp-a a@cp-b", "b@cp-b b@cp-a"],
            [],
        ),
    ],
    ids=["same", "removed", "added", "moved", "renamed", "replaced", "swapped"],
)
def test_members_are_added_removed_moved_or_renamed(
    after: Members,
    added: list[str],
    removed: list[str],
    moved: list[str],
    renamed: list[str],
) -> None:
    """Each etcd cluster by itself; a member is in one of the four at most."""
    main, events = membership_changes(manifest(*WHOLE), manifest(cluster(after, THREE)))

    assert (main.etcd_cluster, events.etcd_cluster) == ("main", "events")
    assert names(main.added) == added
    assert names(main.removed) == removed
    assert pairs(main.moved) == moved
    assert pairs(main.renamed) == renamed
    assert names(events.added) + names(events.removed) == []


def test_a_group_is_removed_only_if_other_groups_are_there() -> None:
    before = manifest(*WHOLE)
    fewer = manifest(cluster(), *control_plane("cp-a"))

    assert [g.name for g in groups_removed(before, fewer)] == ["cp-b", "cp-c"]
    assert groups_removed(before, manifest(cluster())) == ()


FITTING = {
    "everything fits": (WHOLE, [], []),
    "the Cluster alone": ((cluster(),), [], []),
    "groups alone": (WHOLE[1:], [], []),
    "only worker groups": ((cluster(), group("nodes", "Node")), [], []),
    "a member of no group": (
        (cluster({**THREE, "c": "''"}, THREE), *WHOLE[1:]),
        [("main", "c", "unnamed", "cp-c")],
        [("main", "cp-c", True)],
    ),
    "a misspelt group": (
        (cluster({**THREE, "c": "cp-cc"}, THREE), *WHOLE[1:]),
        [("main", "c", "no-group", "cp-c")],
        [("main", "cp-c", True)],
    ),
    "one wrong and one empty, whatever the names": (
        (cluster({**THREE, "c": "workers"}, THREE), *WHOLE[1:]),
        [("main", "c", "no-group", "cp-c")],
        [("main", "cp-c", True)],
    ),
    "a group more than members": (
        (cluster(), *control_plane("cp-a", "cp-b", "cp-c", "cp-d")),
        [],
        [("main", "cp-d", False), ("events", "cp-d", False)],
    ),
    "a worker group": (
        (cluster({"a": "nodes"}, {"a": "cp-a"}), group("cp-a"), group("nodes", "Node")),
        [("main", "a", "other-role", "cp-a")],
        [("main", "cp-a", True)],
    ),
    "two members in one group": (
        (cluster({**THREE, "c": "cp-b"}, THREE), *WHOLE[1:]),
        [("main", "c", "taken", "cp-c")],
        [("main", "cp-c", True)],
    ),
    "an object that cannot be read may be the group": (
        (cluster(), *WHOLE[1:3], WHOLE[3].replace("InstanceGroup", "InstanceGruop")),
        [],
        [],
    ),
}


@pytest.mark.parametrize(
    ("documents", "misplaced", "vacancies"), FITTING.values(), ids=FITTING
)
def test_members_and_groups_are_held_against_each_other(
    documents: tuple[str, ...],
    misplaced: list[tuple[object, ...]],
    vacancies: list[tuple[object, ...]],
) -> None:
    """A member in a wrong group accounts for the group that was meant."""
    found = correspondence(manifest(*documents))

    assert [
        (m.etcd.name, m.member.name, m.reason, m.meant.name if m.meant else None)
        for m in found.misplaced
    ] == misplaced
    assert [(v.etcd.name, v.group.name, v.explained) for v in found.vacancies] == (
        vacancies
    )
    assert found.fits == (not misplaced and not vacancies)


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A change from 3 members to 1, in ``before.yaml`` and ``after.yaml``."""
    monkeypatch.chdir(tmp_path)
    before = "---\n".join([*WHOLE, group("nodes", "Node", "  maxSize: 3\n")])
    after = "---\n".join(
        [
            cluster({"a": "cp-a"}),
            group("cp-a"),
            group("cp-b"),
            group("nodes", "Node", "  maxSize: 5\n"),
        ]
    )
    (tmp_path / "before.yaml").write_text(before, encoding="utf-8")
    (tmp_path / "after.yaml").write_text(after, encoding="utf-8")
    return tmp_path


SHOWN = """\
etcd main
  - member b: instanceGroup: cp-b (before.yaml:11)
  - member c: instanceGroup: cp-c (before.yaml:13)

etcd events
  - member b: instanceGroup: cp-b (before.yaml:19)
  - member c: instanceGroup: cp-c (before.yaml:21)

group cp-c
  - removed: apiVersion: kops.k8s.io/v1alpha2, role: ControlPlane
      (before.yaml:45)

group nodes
  ~ maxSize: 3 -> 5 (before.yaml:59 -> after.yaml:42)

etcd members and instance groups
  ! after: control-plane group cp-b has no member in main
  ! after: control-plane group cp-b has no member in events

demo.example.com: 3 -> 1 members in main and events; 6 differences
"""


@pytest.mark.usefixtures("change")
def test_differences_are_shown_by_object_with_their_places(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit status is 0: a difference is a result and no finding."""
    status = run(["diff", "--before", "before.yaml", "--after", "after.yaml"])

    assert (status, capsys.readouterr().out) == (0, SHOWN)


@pytest.mark.usefixtures("change")
def test_equal_specs_are_said_to_be_equal(capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["diff", "--before", "before.yaml", "--after", "before.yaml"])

    assert status == 0
    assert capsys.readouterr().out == "demo.example.com: no differences\n"


@pytest.mark.usefixtures("change")
def test_differences_as_json_have_paths_values_and_places(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sides = ["--before", "before.yaml", "--after", "after.yaml"]
    run(["diff", *sides, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    (told,) = document["clusters"]

    assert document["schema"] == "kopslint-diff/v1"
    assert (document["only_before"], document["only_after"]) == ([], [])
    assert told["name"] == "demo.example.com"
    assert told["members"] == {
        "main": {"before": 3, "after": 1},
        "events": {"before": 3, "after": 1},
    }
    assert told["differences"][-1] == {
        "kind": "changed",
        "path": ["group", "nodes", "maxSize"],
        "old": 3,
        "new": 5,
        "before": {"path": "before.yaml", "line": 59, "column": 12},
        "after": {"path": "after.yaml", "line": 42, "column": 12},
    }
    assert told["unmatched"]["after"] == {
        "members_without_group": [],
        "groups_without_member": [
            {"etcd_cluster": "main", "group": "cp-b"},
            {"etcd_cluster": "events", "group": "cp-b"},
        ],
    }
    assert told["not_compared"] == {"only_before": [], "only_after": []}


def test_several_clusters_are_compared_each_with_itself(
    change: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cluster that only one side has is named, and nothing more is said of it."""
    other = (change / "before.yaml").read_text(encoding="utf-8")
    for name in ("old", "new"):
        renamed = other.replace("demo.example.com", f"{name}.example.com")
        (change / f"{name}.yaml").write_text(renamed, encoding="utf-8")

    before = ["--before", "before.yaml", "--before", "old.yaml"]
    after = ["--after", "before.yaml", "--after", "new.yaml"]
    run(["diff", *before, *after])

    assert capsys.readouterr().out == (
        "demo.example.com: no differences\n\n"
        "old.example.com: only before\n\n"
        "new.example.com: only after\n"
    )


def test_two_sides_without_a_cluster_are_no_success(
    change: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (change / "else.yaml").write_text("kind: ConfigMap\n", encoding="utf-8")

    status = run(["diff", "--before", "else.yaml", "--after", "else.yaml"])

    assert status == 3
    assert "nothing was compared" in capsys.readouterr().err
