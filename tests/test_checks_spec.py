"""The rules about one spec and about a change: one mistake, one finding.

What each rule says to the letter is held by its examples; here is which rule speaks,
where it points, and when all of them keep silent.
"""

from __future__ import annotations

import pytest

from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.findings import Certainty, Finding, Severity
from kopslint.rulebook.loader import load_rules
from kopslint.text import Source

Members = list[tuple[str, str]]

RULES = tuple(
    rule
    for rule in load_rules()
    if rule.check.startswith("spec_")
    or (
        rule.category == "change"
        and rule.id != "KL213"
        and rule.check.startswith(("etcd_clusters:", "instance_groups:"))
    )
)

THREE = [("a", "cp-a"), ("b", "cp-b"), ("c", "cp-c")]
ZONES = {"a": "z1", "b": "z2", "c": "z3"}


def cluster(
    main: Members | None = None,
    events: Members | None = None,
    zones: dict[str, str] | None = None,
) -> str:
    """A Cluster; main begins in line 7, and each member takes two lines."""
    main = THREE if main is None else main
    lists = {"main": main, "events": main if events is None else events}
    lines = [
        "apiVersion: kops.k8s.io/v1alpha2",
        "kind: Cluster",
        "metadata:",
        "  name: demo.example.com",
        "spec:",
        "  etcdClusters:",
    ]
    for etcd, members in lists.items():
        lines += [f"  - name: {etcd}", "    etcdMembers:"]
        for name, group in members:
            lines += [f"    - name: {name}", f"      instanceGroup: {group}"]
    lines += ["  subnets:"]
    for subnet, zone in (ZONES if zones is None else zones).items():
        lines += [f"  - name: {subnet}", f"    zone: {zone}"]
    return "\n".join(lines) + "\n"


def group(
    name: str,
    role: str = "Master",
    subnets: tuple[str, ...] = (),
    sizes: str = "  minSize: 1\n  maxSize: 1\n",
) -> str:
    """A group, in the subnet called like the last letter of its name by default."""
    listed = "".join(f"  - {subnet}\n" for subnet in subnets or (name[-1],))
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  name: {name}\n  labels:\n    kops.k8s.io/cluster: demo.example.com\n"
        f"spec:\n  role: {role}\n{sizes}  subnets:\n{listed}"
    )


GROUPS = (group("cp-a"), group("cp-b"), group("cp-c"))
NODES = group("nodes", "Node", ("a", "b", "c"))


def findings(
    *after: str, before: tuple[str, ...] = (), commands: str = ""
) -> tuple[Finding, ...]:
    """What the rules of this file find."""
    request = Request(
        before=(Source("before.yaml", "---\n".join(before)),) if before else None,
        after=(Source("after.yaml", "---\n".join(after)),),
        commands=(Source("commands.sh", commands),) if commands else (),
    )
    return check(request, Settings(rules=RULES)).findings


def told(found: tuple[Finding, ...]) -> list[str]:
    """Each finding as its rule and primary place."""
    return [f"{f.rule} {f.locations[0].span}" for f in found]


SILENT = {
    "a sound cluster": (cluster(), *GROUPS, NODES),
    "the Cluster alone": (cluster(),),
    "groups alone": (*GROUPS, NODES),
    "the Cluster with its workers alone": (cluster(), NODES),
    "a single member": (cluster([("a", "cp-a")]), group("cp-a")),
    "subnets that are not known": (cluster(zones={}), *GROUPS),
    "a worker group in no zone and of any size": (
        cluster(),
        *GROUPS,
        group("nodes", "Node", ("a", "b"), "  minSize: 0\n  maxSize: 9\n"),
    ),
    "five members in three zones": (
        cluster([*THREE, ("d", "cp-d"), ("e", "cp-e")]),
        *GROUPS,
        group("cp-d", subnets=("a",)),
        group("cp-e", subnets=("b",)),
    ),
    "sizes left out": (cluster(), *GROUPS[:2], group("cp-c", sizes="")),
}


@pytest.mark.parametrize("after", SILENT.values(), ids=SILENT)
def test_what_is_sound_or_not_known_is_no_finding(after: tuple[str, ...]) -> None:
    assert told(findings(*after)) == []


ONE_MISTAKE = {
    "a misspelt group": (
        (cluster([*THREE[:2], ("c", "cp-cc")]), *GROUPS),
        "KL101 after.yaml:14:22",
    ),
    "a member left in the spec": ((cluster(), *GROUPS[:2]), "KL101 after.yaml:14:22"),
    "a member left out of the spec, and its group kept": (
        (cluster(THREE[:2]), *GROUPS),
        "KL103 after.yaml:8:5",
    ),
    "a group with no member anywhere": (
        (cluster(), *GROUPS, group("cp-d", subnets=("a",))),
        "KL102 after.yaml:73:9",
    ),
    "a member forgotten in events": (
        (cluster(events=THREE[:2]), *GROUPS),
        "KL103 after.yaml:16:5",
    ),
    "a member in the workers' group": (
        (cluster([*THREE[:2], ("c", "nodes")]), *GROUPS, NODES),
        "KL104 after.yaml:14:22",
    ),
    "a member copied and only half changed": (
        (cluster([*THREE[:2], ("c", "cp-b")]), *GROUPS),
        "KL105 after.yaml:14:22",
    ),
    "a member copied and not changed": (
        (cluster([*THREE[:2], ("b", "cp-b")]), *GROUPS),
        "KL105 after.yaml:13:13",
    ),
    "a member listed once too often": (
        (cluster([*THREE, ("c", "cp-c")]), *GROUPS),
        "KL105 after.yaml:15:13",
    ),
    "a group that is there twice": (
        (cluster(), *GROUPS, NODES, NODES),
        "KL105 after.yaml:88:9",
    ),
    "an etcd cluster that is listed twice": (
        (cluster().replace("name: events", "name: main"), *GROUPS),
        "KL105 after.yaml:15:11",
    ),
    "other groups in events, and no groups to compare with": (
        (cluster(events=[*THREE[:2], ("c", "cp-d")]),),
        "KL106 after.yaml:22:22",
    ),
    "a member without a name": (
        (cluster().replace("    - name: c\n      ", "    - ", 1), *GROUPS),
        "KL110 after.yaml:13:7",
    ),
    "an InstanceGroup of a misspelt kind": (
        (cluster(), *GROUPS[:2], GROUPS[2].replace("InstanceGroup", "InstanceGruop")),
        "KL110 after.yaml:58:7",
    ),
    "a role that kops does not know": (
        (cluster(), *GROUPS[:2], GROUPS[2].replace("Master", "Mastre")),
        "KL110 after.yaml:64:9",
    ),
    "a forgotten separator": (
        (cluster(), *GROUPS[:2], GROUPS[2] + NODES),
        "KL109 after.yaml:69:1",
    ),
}


@pytest.mark.parametrize(("after", "expected"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_one_finding(after: tuple[str, ...], expected: str) -> None:
    """Main and events share it, and what follows from it is not told as well."""
    assert told(findings(*after)) == [expected]


@pytest.mark.parametrize(
    ("sizes", "severity", "lines"),
    [
        ("  minSize: 3\n  maxSize: 3\n", Severity.ERROR, [27, 28]),
        ("  minSize: 1\n  maxSize: 2\n", Severity.ERROR, [28]),
        ("  minSize: 1\n  maxSize: 0\n", Severity.ERROR, [27, 28]),
        ("  minSize: -1\n  maxSize: 1\n", Severity.ERROR, [27]),
        ("  minSize: 0\n  maxSize: 0\n", Severity.WARNING, [27, 28]),
        ("  minSize: 0\n", Severity.WARNING, [27]),
    ],
    ids=["three", "may grow", "min above max", "negative", "none", "may be none"],
)
def test_a_control_plane_group_has_one_machine(
    sizes: str, severity: Severity, lines: list[int]
) -> None:
    """The worst that can be said about a group's sizes is one finding."""
    alone = cluster([("a", "cp-a")], zones={"a": "z1"})
    (found,) = findings(alone, group("cp-a", sizes=sizes))

    assert (found.rule, found.severity) == ("KL108", severity)
    assert [place.span.line for place in found.locations] == lines


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ({"a": "z1", "b": "z2", "c": "z1"}, "2 of 3 members of main and events are"),
        ({"a": "z1", "b": "z1", "c": "z1"}, "all 3 members of main and events are"),
    ],
    ids=["two zones for three members", "one zone"],
)
def test_a_majority_in_one_zone_is_a_warning(
    zones: dict[str, str], message: str
) -> None:
    (found,) = findings(cluster(zones=zones), *GROUPS)

    assert (found.rule, found.severity) == ("KL107", Severity.WARNING)
    assert found.message == f"{message} in zone z1"


def test_a_crowded_zone_is_told_only_if_another_is_free() -> None:
    """Five members in 2, 2 and 1 are fine with three zones and not with five."""
    five = [*THREE, ("d", "cp-d"), ("e", "cp-e")]
    groups = (*GROUPS, group("cp-d", subnets=("a",)), group("cp-e", subnets=("b",)))
    more = {**ZONES, "d": "z4", "e": "z5"}

    assert told(findings(cluster(five), *groups)) == []
    assert [f.message for f in findings(cluster(five, zones=more), *groups)] == [
        "2 of 5 members of main and events are in zone z1 and 2 in zone z2",
    ]


def test_a_group_of_a_member_needs_exactly_one_zone() -> None:
    """Two subnets in one zone are one zone; workers may span as many as they like."""
    zones = {**ZONES, "c2": "z3"}
    wide = group("cp-c", subnets=("b", "c"))
    same_zone = group("cp-c", subnets=("c", "c2"))

    assert told(findings(cluster(), *GROUPS[:2], wide)) == ["KL111 after.yaml:67:3"]
    assert told(findings(cluster(zones=zones), *GROUPS[:2], same_zone)) == []


def test_the_group_that_was_meant_is_shown_and_proposed() -> None:
    (found,) = findings(cluster([*THREE[:2], ("c", "cp-cc")]), *GROUPS)

    assert found.fix == ("# write instanceGroup: cp-c",)
    assert [str(place.span) for place in found.locations] == [
        "after.yaml:14:22",
        "after.yaml:22:22",
        "after.yaml:60:9",
    ]


def test_a_finding_about_one_etcd_cluster_names_it() -> None:
    main_only = cluster([*THREE[:2], ("c", "cp-cc")], THREE)

    assert [f.etcd_cluster for f in findings(main_only, *GROUPS)] == ["main"]
    assert [f.etcd_cluster for f in findings(cluster(), *GROUPS[:2])] == [None]


WHOLE = (cluster(), *GROUPS, NODES)

CHANGES = {
    "nothing": (WHOLE, WHOLE, []),
    "members added": (
        (cluster([("a", "cp-a")]), group("cp-a"), NODES),
        WHOLE,
        [],
    ),
    "a group after a Cluster alone": ((cluster(),), WHOLE, []),
    "a Cluster alone after a whole one": (WHOLE, (cluster(),), []),
    "a misspelt group put right": (
        (cluster([*THREE[:2], ("c", "cp-cc")]), *GROUPS, NODES),
        WHOLE,
        [],
    ),
    "a group misspelt": (
        WHOLE,
        (cluster([*THREE[:2], ("c", "cp-cc")]), *GROUPS, NODES),
        ["KL101 after.yaml:14:22"],
    ),
    "a group renamed": (
        WHOLE,
        (
            cluster([*THREE[:2], ("c", "new-c")]),
            *GROUPS[:2],
            group("new-c"),
            NODES,
        ),
        ["KL202 after.yaml:14:22"],
    ),
    "a member renamed": (
        WHOLE,
        (cluster([*THREE[:2], ("x", "cp-c")]), *WHOLE[1:]),
        ["KL203 after.yaml:13:13"],
    ),
    "an etcd cluster renamed": (
        WHOLE,
        (cluster().replace("name: events", "name: leases"), *WHOLE[1:]),
        ["KL201 after.yaml:6:3"],
    ),
    "a control-plane group to another zone": (
        (cluster(zones={**ZONES, "d": "z4"}), *WHOLE[1:]),
        (
            cluster(zones={**ZONES, "d": "z4"}),
            *GROUPS[:2],
            group("cp-c", subnets=("d",)),
            NODES,
        ),
        ["KL204 after.yaml:70:5"],
    ),
    "a subnet to another zone": (
        WHOLE,
        (cluster(zones={**ZONES, "c": "z4"}), *WHOLE[1:]),
        ["KL204 after.yaml:29:11"],
    ),
    "a control-plane group to two zones": (
        WHOLE,
        (cluster(), *GROUPS[:2], group("cp-c", subnets=("b", "c")), NODES),
        ["KL111 after.yaml:67:3"],
    ),
    "a group deleted and its member kept": (
        WHOLE,
        (cluster(), *GROUPS[:2], NODES),
        ["KL101 after.yaml:14:22"],
    ),
    "workers that cannot be read": (
        WHOLE,
        (*WHOLE[:-1], NODES.replace("InstanceGroup", "InstanceGruop")),
        ["KL110 after.yaml:71:7"],
    ),
    "workers left out": (
        WHOLE,
        WHOLE[:-1],
        ["KL205 before.yaml:73:9"],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_one_finding_or_none(
    before: tuple[str, ...], after: tuple[str, ...], expected: list[str]
) -> None:
    """What is wrong with the new state by itself is told rather than the change."""
    assert told(findings(*after, before=before)) == expected


@pytest.mark.parametrize(
    ("commands", "certainty"),
    [
        ("kops replace -f after.yaml\n", Certainty.CERTAIN),
        ("kops delete ig other --yes\n", Certainty.CERTAIN),
        ("kops delete ig nodes --yes\n", None),
        ('kops delete ig "$OLD" --yes\n', None),
        ("kops delete -f old.yaml --yes\n", None),
    ],
    ids=["none deletes", "another one", "by name", "by a variable", "by a file"],
)
def test_a_group_that_a_command_deletes_is_not_left_over(
    commands: str, certainty: Certainty | None
) -> None:
    """A name known only at run time may be the group's."""
    found = findings(*WHOLE[:-1], before=WHOLE, commands=commands)

    assert [(f.rule, f.certainty) for f in found] == (
        [("KL205", certainty)] if certainty else []
    )


def test_groups_that_share_a_moved_subnet_are_one_finding() -> None:
    """The subnet is the mistake, however many groups are in it."""
    in_one = tuple(group(f"cp-{x}", subnets=("a",)) for x in "ab") + GROUPS[2:]
    moved = cluster(zones={**ZONES, "a": "z4"})

    found = findings(moved, *in_one, before=(cluster(), *in_one))

    assert [f.message for f in found if f.rule == "KL204"] == [
        "control-plane groups cp-a and cp-b move from zone z1 to z4"
    ]
