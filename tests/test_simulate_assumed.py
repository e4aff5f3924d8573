"""What a list leaves open, and what is taken for granted instead: said, never certain.

Three control-plane nodes and a group of workers; the change, if there is one, takes
two of the three away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from removal_lines import removal

from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Finding, Report

NAME = "demo.example.com"
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: {name}, labels: {{kops.k8s.io/cluster: demo.example.com}}}}
spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [a]}}
"""


def spec(members: str, kubernetes: str = "1.32.1") -> str:
    lists = ", ".join(f"{{name: {m}, instanceGroup: master-{m}}}" for m in members)
    groups = "".join(GROUP.format(name=f"master-{m}", role="Master") for m in members)
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  kubernetesVersion: {kubernetes}\n"
        f"  etcdClusters:\n  - {{name: main, etcdMembers: [{lists}]}}\n"
        "  subnets: [{name: a, zone: eu-west-1a}]\n"
        f"{groups}{GROUP.format(name='nodes', role='Node')}"
    )


def checked(
    *commands: str,
    after: str = "abc",
    before: str | None = "abc",
    kubernetes: str = "1.32.1",
    kops: str | None = None,
) -> Report:
    old = (Source("before.yaml", spec(before, kubernetes)),) if before else None
    return check(
        Request(
            before=old,
            after=(Source("after.yaml", spec(after, kubernetes)),),
            commands=(Source("list.sh", "\n".join(commands) + "\n"),),
        ),
        Settings(kops_version=kops),
    )


def of_rule(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


def assumptions(report: Report) -> list[tuple[int, str]]:
    return [
        (finding.locations[0].span.line, finding.message)
        for finding in of_rule(report, "KL902")
    ]


TERMINATE = "aws ec2 terminate-instances --instance-ids"


@pytest.mark.parametrize(
    ("command", "outage"),
    [
        (f"{TERMINATE} i-1", False),
        (f"{TERMINATE} i-1 i-2", True),
        (f"{TERMINATE} $A", False),
        (f"{TERMINATE} $A $B", True),
        (f"{TERMINATE} $(./old.sh)", True),
        (f'{TERMINATE} "${{OLD[@]}}"', True),
        (f"./old.sh | xargs {TERMINATE}", True),
        ("kops delete instance i-1 --yes", False),
        ("./old.sh | xargs -I{} kops delete instance {} --yes", True),
        (f"{TERMINATE} $(aws ec2 x --filters Name=tag:k8s.io/role/node)", False),
        (f"{TERMINATE} $(aws ec2 x --filters Name=tag:k8s.io/role/master)", True),
        (f"{TERMINATE} $(./machines-of nodes)", False),
    ],
)
def test_ids_that_may_be_two_of_the_control_plane_may_cost_quorum(
    command: str, *, outage: bool
) -> None:
    """One id is one machine; an expression that names workers is about those."""
    found = of_rule(checked(command), "KL302")

    assert [(f.certainty, f.severity) for f in found] == (
        [("possible", "warning")] if outage else []
    )


LIST = "etcdctl member list | ./leavers | cut -d, -f1"
REMOVED = {
    "a loop over ids": f"for id in $({LIST}); do etcdctl member remove $id; done",
    "a loop over lines": f"{LIST} | while read id; do etcdctl member remove $id; done",
    "xargs": f"{LIST} | xargs -n1 etcdctl member remove",
    "xargs with a marker": f"{LIST} | xargs -I{{}} etcdctl member remove {{}}",
}
DELETED = ("kops delete ig master-b --yes", "kops delete ig master-c --yes")


@pytest.mark.parametrize("loop", REMOVED.values(), ids=REMOVED)
def test_one_id_after_another_is_all_members_that_the_change_takes_out(
    loop: str,
) -> None:
    """Nobody writes a loop for one member, nor over a member list that is empty."""
    report = checked(loop, *DELETED, after="a")

    assert of_rule(report, "KL301") == []
    assumed = [f.message for f in of_rule(report, "KL902") if f.severity == "info"]
    assert [message.endswith(" b and c") for message in assumed] == [True]


LOOK = "aws ec2 describe-volumes --filters Name={0} --output text"
EACH = 'for id in $({0}); do aws ec2 delete-volume --volume-id "$id"; done'


def test_a_loop_over_disks_that_are_looked_up_is_taken_to_find_some() -> None:
    """That is a guess, and said as one; what else a loop goes through is unknown."""
    tagged = EACH.format(LOOK.format("tag:Name,Values=b.etcd-*"))
    report = checked(removal("main", "b"), DELETED[0], tagged, after="a")

    messages = {f.message for f in of_rule(report, "KL902")}
    assert "assumed: the loop finds the disks that it searches for" in messages
    assert of_rule(report, "KL901") == []

    other = EACH.format(LOOK.format("status,Values=available"))
    report = checked(removal("main", "b"), DELETED[0], other, after="a")
    assert of_rule(report, "KL901") == []
    assert any("the disks are" in said for _, said in assumptions(report))


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("echo $x", None),
        ("kubectl get node $x", None),
        ("kops rolling-update cluster --instance-group $x --yes", "checked in part"),
        ("./more.sh $x", "not checked"),
    ],
)
def test_a_loop_is_unknown_if_something_in_it_matters(
    body: str, label: str | None
) -> None:
    """One that prints what it goes through is nobody's business."""
    report = checked(f"for x in $(kops get ig -o name); do {body}; done", after="abc")

    labels = [f.locations[0].label for f in of_rule(report, "KL901")]
    assert labels == ([label] if label else [])


def test_one_id_is_one_member() -> None:
    """It is that of the group that goes next, and the other one stays in etcd."""
    report = checked("etcdctl member remove $ID", *DELETED, after="a")

    assert {f.certainty for f in of_rule(report, "KL301")} == {"certain"}
    (assumed,) = (f for f in of_rule(report, "KL902") if f.severity == "info")
    assert assumed.message.endswith("$ID is b")


WIPED = (
    "kops edit ig master-c --set spec.minSize=0 --set spec.maxSize=0",
    "kops update cluster --yes",
    "aws ec2 delete-volume --volume-id master-c",
    "kops edit ig master-c --set spec.minSize=1 --set spec.maxSize=1",
    "kops update cluster --yes",
)


@pytest.mark.parametrize(
    ("kubernetes", "kops", "told"),
    [
        ("1.28.1", None, ["certain"]),
        ("1.32.1", None, ["possible"]),
        ("1.36.1", None, []),
        ("1.32.1", "1.34.0", ["certain"]),
        ("1.32.1", "1.36.0", []),
    ],
)
def test_a_member_back_with_an_empty_disk_joins_where_kops_is_new(
    kubernetes: str, kops: str | None, told: list[str]
) -> None:
    """Where nobody says which kops it is, it may never join."""
    report = checked(*WIPED, kubernetes=kubernetes, kops=kops)

    assert [f.certainty for f in of_rule(report, "KL306")] == told


def test_a_group_that_kops_made_itself_need_not_be_in_any_file() -> None:
    """``kops create cluster`` makes groups that are called as its release does it."""
    report = checked(
        f"kops create cluster --name {NAME} --zones a --state s3://store",
        "kops delete ig nodes-a --yes",
        "kops edit ig control-plane-a --set spec.maxSize=1",
        "kops update cluster --yes",
        before=None,
    )

    assert not of_rule(report, "KL307")
    made = "is a group that `kops create cluster` makes"
    assert assumptions(report) == [
        (2, f"assumed: nodes-a {made}"),
        (3, f"assumed: control-plane-a {made}"),
    ]


def test_without_that_a_group_of_no_file_is_not_there() -> None:
    (refused,) = of_rule(checked("kops delete ig nodes-a --yes"), "KL307")

    assert refused.certainty == "certain"


def test_a_file_that_nobody_has_is_told_and_no_ground_for_certainty() -> None:
    """It holds the spec after; that an update fails rests on that."""
    commands = ("kops replace -f four.yaml", "kops update cluster --yes")
    guessed = checked(*commands, after="a")
    known = checked("kops replace -f after.yaml", commands[1], after="a")

    assert [f.certainty for f in of_rule(guessed, "KL307")] == ["possible"]
    assert assumptions(guessed) == [
        (
            1,
            "assumed: four.yaml holds the spec after: the file is not here",
        )
    ]
    assert [f.certainty for f in of_rule(known, "KL307")] == ["certain"]
    assert assumptions(known) == []


def test_what_the_command_line_says_wrong_is_certain_all_the_same() -> None:
    report = checked("kops replace -f x.yaml", "kops update cluster --yess", after="a")

    assert [f.certainty for f in of_rule(report, "KL307")] == ["certain"]


@pytest.mark.parametrize("file", ["master-b.yaml", "specs/ig-master-b.yml"])
def test_a_file_that_is_called_like_a_group_holds_that_group(file: str) -> None:
    """And no other group that the change removes."""
    report = checked(f"kops delete -f {file} --yes", after="a")

    alive = [entry.etcd["main"].alive for entry in report.timeline]
    assert alive == [("a", "b", "c"), ("a", "c")]
    assert assumptions(report) == [
        (
            1,
            f"assumed: {file} holds the group master-b: the file is not here",
        )
    ]


def test_a_file_to_delete_that_may_hold_anything_is_no_pass() -> None:
    """The change removes no group, so none can be taken to be in it."""
    report = checked("kops delete -f x.yaml --yes")

    (found,) = of_rule(report, "KL901")
    assert (found.severity, found.step) == ("error", 1)
    assert found.message.endswith("cannot be checked: what x.yaml holds")


def test_a_file_to_delete_that_holds_the_cluster_deletes_it() -> None:
    """And none of its groups by itself, so that no member is left behind."""
    report = checked("kops delete -f before.yaml --yes")

    (found,) = of_rule(report, "KL316")
    assert (found.severity, found.step) == ("warning", 1)
    assert of_rule(report, "KL301") == of_rule(report, "KL307") == []


def test_a_removed_member_that_is_listed_again_needs_an_empty_disk() -> None:
    """With its old data it counts towards quorum, never votes, and never joins."""
    report = checked(removal("main", "c"), "etcdctl member add c")

    view = report.timeline[-1].etcd["main"]
    assert (view.members, view.alive, view.quorum) == (("a", "b", "c"), ("a", "b"), 2)
    (stuck,) = of_rule(report, "KL306")
    assert stuck.message == "c can never join etcd main"
    assert "the data of the member that was removed" in stuck.why


STEPS = ("kops update cluster --yes", "kops rolling-update cluster --yes")

NOT_FOLLOWED = {
    "handed kops": (["kops update cluster --yes=$YES"], "error"),
    "handed kops in a text": (["./with-env.sh 'kops $WHAT'"], "error"),
    "handed etcd": (["etcdctl member promote 1f"], "error"),
    "handed the state store": (["aws s3 rm s3://b/c/instancegroup/master-a"], "error"),
    "handed machines": (["aws ssm send-command --targets Key=tag:a,Values=b"], "error"),
    "handed a disk": (["aws ec2 detach-volume --volume-id $ETCD_MAIN"], "error"),
    "which group": (["kops edit ig $GROUP --set spec.maxSize=0"], "error"),
    "which group an editor opens": (["kops edit ig $GROUP"], ""),
    "a loop that calls kops": (
        ["for g in $GROUPS; do", "  kops rolling-update cluster --yes", "done"],
        "error",
    ),
    "a loop that waits": (["for g in $GROUPS; do", "  sleep 9", "done"], ""),
    "a script alone": (["./deploy.sh"], "warning"),
    "a script ahead": (["source env.sh", *STEPS], "warning"),
    "a script behind": ([*STEPS, "./notify.sh"], "warning"),
    "a script between": ([STEPS[0], "./prepare.sh", STEPS[1]], "error"),
    "a script before what only looks": (
        [STEPS[0], "./notify.sh", "kops validate cluster --wait 10m"],
        "warning",
    ),
    "a text between": ([STEPS[0], 'eval "$THEN"', STEPS[1]], "error"),
    "a syntax error between": ([STEPS[0], "fi", STEPS[1]], "error"),
}


@pytest.mark.parametrize(
    ("commands", "severity"), NOT_FOLLOWED.values(), ids=NOT_FOLLOWED
)
def test_what_cannot_be_followed_is_as_bad_as_what_it_is_handed(
    commands: list[str], severity: str
) -> None:
    """A script may do anything, and that matters while a cluster is half-way."""
    found = of_rule(checked(*commands), "KL901")

    assert {f.severity.value for f in found} == ({severity} if severity else set())


@pytest.mark.parametrize(
    ("stores", "severity"),
    [([], "error"), (["kops replace --force -f after.yaml"], "warning")],
    ids=["nothing", "the change"],
)
def test_a_script_ahead_matters_if_only_it_can_have_stored_the_change(
    stores: list[str], severity: str
) -> None:
    """A member more is to come, and an update by itself brings none."""
    report = checked("./prepare.sh", *stores, *STEPS, after="abc", before="ab")

    assert {f.severity.value for f in of_rule(report, "KL901")} == {severity}
