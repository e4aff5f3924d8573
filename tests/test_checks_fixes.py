"""What is told to run instead can be pasted, and it mends what it is told for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from removal_lines import removal

from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Finding

NAME = "demo.example.com"
OBJECT = "---\napiVersion: kops.k8s.io/v1alpha2\nkind: "


def spec(names: str) -> str:
    """A cluster with a control-plane node in the zone of each letter."""
    members = "".join(
        f"    - {{name: {n}, instanceGroup: master-{n}}}\n" for n in names
    )
    subnets = "".join(f"  - {{name: {n}, zone: us-east-1{n}}}\n" for n in "abcde")
    groups = [(f"master-{n}", "ControlPlane", n) for n in names]
    return (
        f"{OBJECT}Cluster\nmetadata: {{name: {NAME}}}\nspec:\n"
        f"  kubernetesVersion: 1.32.4\n  subnets:\n{subnets}  etcdClusters:\n"
        f"  - name: main\n    etcdMembers:\n{members}"
        f"  - name: events\n    etcdMembers:\n{members}"
    ) + "".join(
        f"{OBJECT}InstanceGroup\nmetadata:"
        f" {{name: {name}, labels: {{kops.k8s.io/cluster: {NAME}}}}}\n"
        f"spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [{zone}]}}\n"
        for name, role, zone in [*groups, ("nodes", "Node", "a")]
    )


def delete(name: str) -> str:
    return f"kops delete ig master-{name} --yes\n"


def remove(name: str) -> str:
    return "".join(removal(etcd, name) for etcd in ("main", "events"))


UPDATE = "kops update cluster --yes\n"
STORE = "kops replace --force -f after.yaml\n"
VALIDATE = "kops validate cluster --wait 10m\n"


def found(before: str, after: str, commands: str, revision: str = "") -> list[Finding]:
    """The findings; ``revision`` is where the spec before is from, if not a file."""
    report = check(
        Request(
            (Source("before.yaml", spec(before), revision=revision or None),),
            (Source("after.yaml", spec(after)),),
            (Source("commands.sh", commands),),
        )
    )
    return list(report.findings)


def fixes(rule: str, before: str, after: str, commands: str) -> list[tuple[str, ...]]:
    """What a rule says to run, for each of its findings."""
    return [f.fix for f in found(before, after, commands) if f.rule == rule]


def told(before: str, after: str, commands: str) -> set[str]:
    """The rules that find anything about the list or what it does."""
    return {f.rule for f in found(before, after, commands) if f.step is not None}


def test_a_group_that_the_spec_keeps_is_not_to_be_deleted() -> None:
    """Removing its member first would leave a machine that never joins again."""
    (fix,) = fixes("KL301", "abcde", "abcde", delete("e"))

    assert fix[:2] == (
        "# the spec after keeps master-e: leave line 1 out; or take",
        "# its member out of the spec, and out of etcd before its machine goes",
    )
    assert fix[2].startswith(f"kops delete instance NODE --name {NAME} --yes")
    assert "KL306" in told("abcde", "abcde", remove("e") + UPDATE)


def test_a_second_machine_waits_for_the_first_one_to_be_back() -> None:
    """Validation alone sees nothing: it does not ask for a group that is deleted."""
    both = delete("c"), delete("b"), STORE + UPDATE
    (fix,) = fixes("KL302", "abc", "abc", "".join(both))

    assert fix == (
        "# before this:",
        "kops replace --force -f before.yaml  # gives c a machine",
        "kops update cluster --yes",
        "kops validate cluster --wait 10m  # between one machine and the next",
    )
    pasted = "".join(f"{line}\n" for line in fix[1:])
    waiting = both[0] + VALIDATE + both[1] + both[2]
    assert "KL302" in told("abc", "abc", waiting)
    assert "KL302" not in told("abc", "abc", both[0] + pasted + both[1] + both[2])


def test_a_window_in_every_etcd_cluster_is_one_finding_until_the_last_of_them() -> None:
    """Whoever mends one etcd cluster after the other has made one mistake."""
    commands = STORE + delete("d") + delete("e") + UPDATE + remove("d") + remove("e")
    (window,) = [f for f in found("abcde", "abc", commands) if f.rule == "KL303"]

    assert window.message == (
        "from here until line 8 etcd main and events tolerate no failure: "
        "3 of 5 members vote, 3 needed"
    )
    call = "kopslint plan --before before.yaml --after after.yaml"
    assert window.fix == (f"{call}  # the whole order",)
    before = STORE + delete("d") + remove("d") + remove("e") + delete("e") + UPDATE
    assert "KL303" not in told("abcde", "abc", before)


@pytest.mark.parametrize(
    ("before", "after", "commands", "fix"),
    [
        pytest.param(
            "abcde",
            "abc",
            delete("d") + UPDATE,
            "kops replace --force -f after.yaml"
            "  # the spec without the member, before this",
            id="a group is gone and its member is listed",
        ),
        pytest.param(
            "a",
            "abc",
            "kops edit cluster\n" + UPDATE,
            "kops replace --force -f after.yaml  # creates master-b, before this",
            id="a member is listed and its group is not there yet",
        ),
        pytest.param(
            "abcde",
            "abc",
            STORE + UPDATE,
            "kopslint plan --before before.yaml --after after.yaml  # the whole order",
            id="a group is still there and its member is not listed",
        ),
        pytest.param(
            "a",
            "abc",
            "kops create ig master-b --role Master --edit=false\n" + UPDATE,
            "kops replace --force -f after.yaml  # lists its member, before this",
            id="a group is new and the spec that lists its member is not stored",
        ),
    ],
)
def test_what_kops_refuses_is_told_with_what_it_takes(
    before: str, after: str, commands: str, fix: str
) -> None:
    assert ("KL307", fix) in {
        (f.rule, f.fix[0]) for f in found(before, after, commands) if f.fix
    }


def test_a_machine_of_a_removed_member_must_stop_before_the_count_is_read() -> None:
    commands = remove("c") + STORE + UPDATE
    (fix,) = fixes("KL305", "abc", "abcde", commands)

    assert fix[:2] == (
        "# removed, but still counted as live peers: c",
        "# stop these machines, or delete their etcd volumes, before line 4",
    )


def test_a_spec_that_is_in_no_file_is_not_named_as_one() -> None:
    """What is in a revision cannot be stored by its name."""
    commands = STORE + delete("b") + delete("c") + UPDATE
    fix = [
        line
        for finding in found("abc", "a", commands, revision="main")
        if finding.rule == "KL302"
        for line in finding.fix
    ]

    assert "kops replace --force -f FILE  # gives b and c a machine" in fix


def findings(before: str, after: str, commands: str) -> list[Finding]:
    """The findings about a list, for two specs that are given whole."""
    report = check(
        Request(
            (Source("before.yaml", before),),
            (Source("after.yaml", after),),
            (Source("commands.sh", commands),),
        )
    )
    return list(report.findings)


@pytest.mark.parametrize(
    ("after", "commands", "kind"),
    [
        (
            spec("abc").replace("    - {name: c, instanceGroup: master-c}\n", ""),
            f"kops create ig master-c --role Master --edit=false\n{UPDATE}",
            "must have a member",
        ),
        (
            spec("abc").replace("{name: master-c, labels", "{name: x, labels"),
            "kops create ig master-b --role Master --edit=false\nkops edit cluster\n"
            + UPDATE,
            "InstanceGroup not found",
        ),
    ],
    ids=["a group without a member", "a member without a group"],
)
def test_a_spec_that_kops_refuses_itself_is_not_told_to_be_stored(
    after: str, commands: str, kind: str
) -> None:
    """It is mended by a rule about the spec, and storing it mends nothing."""
    refused = [f for f in findings(spec("a"), after, commands) if f.rule == "KL307"]

    assert any(kind in finding.message for finding in refused)
    assert [line for f in refused for line in f.fix] == []


def test_groups_of_one_wrong_size_are_refused_once() -> None:
    """All lines that do it are shown."""
    after = spec("abc").replace("minSize: 1, maxSize: 1", "minSize: 2, maxSize: 2")
    edits = "".join(f"kops edit ig master-{n}\n" for n in "abc")
    (refused,) = [f for f in findings(spec("abc"), after, edits) if f.rule == "KL307"]

    places = [place for place in refused.locations if place.label == "refused too"]
    assert [place.span.line for place in places] == [2, 3]


def test_a_preview_that_is_refused_is_not_told_to_be_one() -> None:
    commands = "kops edit cluster\nkops update cluster\n"
    rules = {f.rule for f in found("a", "abc", commands) if f.step == 2}

    assert "KL307" in rules
    assert "KL401" not in rules


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("kops update cluster", "--yes"),
        ("kops update cluster --out .", "--target terraform"),
        ("kops update cluster --target direct --out .", "--yes"),
    ],
)
def test_a_preview_that_is_to_write_files_is_for_terraform(
    command: str, missing: str
) -> None:
    (fix,) = fixes("KL401", "a", "abc", f"{STORE}{command}\n")

    assert fix == (f"{command} {missing}",)


def test_a_member_that_leaves_one_etcd_cluster_after_the_other_is_one_window() -> None:
    """Two lines do it, and both are shown; further apart they are two."""
    (window,) = [f for f in found("abc", "abc", remove("c")) if f.rule == "KL303"]

    assert window.etcd_cluster is None
    assert [place.label for place in window.locations] == [
        "the last spare member",
        "also in events",
    ]
    main, events = remove("c").splitlines(keepends=True)
    apart = found("abc", "abc", main + VALIDATE + events)
    assert [f.etcd_cluster for f in apart if f.rule == "KL303"] == ["main", "events"]


def test_dead_members_are_shown_where_each_machine_goes() -> None:
    commands = STORE + delete("d") + delete("e") + UPDATE
    (left,) = [f for f in found("abcde", "abc", commands) if f.rule == "KL304"]

    assert [(p.span.line, p.label) for p in left.locations] == [
        (2, "the machine is terminated here"),
        (3, "and here"),
    ]


def test_a_group_that_nobody_can_name_is_shown_dead_for_each_that_it_may_be() -> None:
    """The picture of a finding is a run in which its own member dies."""
    commands = 'kops delete ig "$GROUP" --yes\n'
    dead = {
        finding.message.split()[0]: {
            name
            for line in finding.trace
            for name in set(line.after.members) - set(line.after.alive)
        }
        for finding in found("abcde", "abc", commands)
        if finding.rule == "KL301"
    }

    assert dead == {f"master-{name}": {name} for name in "de"}


EACH_MASTER = (
    "for group in $(kops get ig -o name | grep master); do\n"
    '  kops delete ig "$group" --yes\ndone\n'
)


@pytest.mark.parametrize(
    ("commands", "severity"),
    [
        ('kops delete ig "$1" --yes\n', "warning"),
        ('kops delete ig "$MASTER_IG" --yes\n', "error"),
        (EACH_MASTER, "error"),
        ("kops get ig | grep master | xargs kops delete ig --yes\n", "error"),
        ('kops delete ig "$NODES" --yes\n', None),
    ],
)
def test_a_group_that_may_run_etcd_or_not_is_one_finding(
    commands: str, severity: str | None
) -> None:
    """It is as bad as what is said of the group, and all that it may be are shown."""
    told_ = [f for f in found("abc", "abc", commands) if f.rule == "KL301"]

    assert [f.severity.value for f in told_] == ([severity] if severity else [])
    for finding in told_:
        assert finding.message.startswith("master-a, master-b or master-c is deleted")
        assert finding.certainty == "possible"
        assert len(finding.locations) == 4


def test_what_a_loop_is_taken_to_go_through_is_said_once() -> None:
    """With every turn there is less left to be it."""
    assumed = [f.message for f in found("abc", "abc", EACH_MASTER) if f.rule == "KL902"]

    assert assumed == ["assumed: $group is master-a, master-b, master-c or nodes"]
