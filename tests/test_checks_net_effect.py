"""What a list harms and mends weighs less, and what it makes itself is not missed.

A finding that a later step mends is one severity lower, and says from which step to
which the cluster is exposed; if anything went wrong in between, it is not lowered.
"""

from __future__ import annotations

import pytest
from removal_lines import removal

from kopslint.engine import Request, check
from kopslint.text import Source

NAME = "demo.example.com"
OBJECT = "---\napiVersion: kops.k8s.io/v1alpha2\nkind: "


def spec(names: str) -> str:
    """A cluster with a control-plane node in the zone of each letter."""
    members = "".join(
        f"    - {{name: {name}, instanceGroup: master-{name}}}\n" for name in names
    )
    subnets = "".join(
        f"  - {{name: {zone}, zone: us-east-1{zone}, cidr: 10.0.{number}.0/24,"
        " type: Private}\n"
        for number, zone in enumerate("abcdefg")
    )
    cluster = (
        f"{OBJECT}Cluster\nmetadata: {{name: {NAME}}}\nspec:\n"
        "  cloudProvider: aws\n  configBase: s3://state/demo.example.com\n"
        "  kubernetesVersion: 1.32.4\n  networkCIDR: 10.0.0.0/16\n"
        "  nonMasqueradeCIDR: 100.64.0.0/10\n  networking: {calico: {}}\n"
        f"  subnets:\n{subnets}  etcdClusters:\n"
        f"  - name: main\n    etcdMembers:\n{members}"
        f"  - name: events\n    etcdMembers:\n{members}"
    )
    groups = [f"master-{name}, ControlPlane, {name}" for name in names]
    for group in [*groups, "nodes, Node, a"]:
        name, role, zone = group.split(", ")
        cluster += (
            f"{OBJECT}InstanceGroup\nmetadata:"
            f" {{name: {name}, labels: {{kops.k8s.io/cluster: {NAME}}}}}\n"
            f"spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [{zone}]}}\n"
        )
    return cluster


def told(before: str, after: str, commands: str, *rules: str) -> list[str]:
    """Severity and message of what ``rules`` say, or of what all of them say."""
    report = check(
        Request(
            (Source("before.yaml", spec(before)),),
            (Source("after.yaml", spec(after)),),
            (Source("commands.sh", commands),),
        )
    )
    return [
        f"{finding.severity} {finding.rule} {finding.message}"
        for finding in report.findings
        if not rules or finding.rule in rules
    ]


def delete(name: str) -> str:
    return f"kops delete ig master-{name} --yes\n"


def remove(name: str, *etcd_clusters: str) -> str:
    return "".join(removal(etcd, name) for etcd in etcd_clusters or ("main", "events"))


def size(name: str, number: int) -> str:
    sets = f"--set spec.minSize={number} --set spec.maxSize={number}"
    return f"kops edit ig master-{name} {sets}\n"


UPDATE = "kops update cluster --yes\n"
VALIDATE = "kops validate cluster --wait 10m\n"
PUBLISH = f"kops replace -f after.yaml\n{UPDATE}"
AGAIN = f"kops create -f master-e.yaml\n{UPDATE}{VALIDATE}"

MENDED = {
    "members removed after their groups": (
        ("abcdefg", "abcde", delete("f") + delete("g") + remove("f") + remove("g")),
        PUBLISH,
        [
            (
                "warning KL301 master-f is deleted while etcd still counts on its"
                " member f, from step 1 (line 1) to step 4 (line 4)"
            ),
            (
                "warning KL301 master-g is deleted while etcd still counts on its"
                " member g, from step 2 (line 2) to step 6 (line 6)"
            ),
        ],
    ),
    "a group deleted and made again": (
        ("abcde", "abcde", f"# e hangs\n{delete('e')}"),
        AGAIN,
        [
            (
                "warning KL301 master-e is deleted while etcd still counts on its"
                " member e, from step 1 (line 2) to step 3 (line 4)"
            ),
            (
                "info KL902 assumed: master-e.yaml holds the group"
                " master-e: the file is not here"
            ),
        ],
    ),
    "a member out of the spec in time": (
        ("abcdefg", "abcde", "kops replace -f after.yaml\n"),
        delete("f") + remove("f") + delete("g") + remove("g") + UPDATE,
        [
            (
                "info KL304 f is dead in etcd main and events from step 2 (line 2) to"
                " step 4 (line 4)"
            ),
            (
                "info KL304 g is dead in etcd main and events from step 5 (line 5) to"
                " step 7 (line 7)"
            ),
        ],
    ),
    "scaled to zero and back": (
        ("abcde", "abcde", size("e", 0) + UPDATE + size("e", 1) + UPDATE),
        VALIDATE,
        [
            (
                "info KL304 e is dead in etcd main and events from step 2 (line 2) to"
                " step 4 (line 4)"
            )
        ],
    ),
    "members first": (
        ("abcdefg", "abcde", remove("f") + delete("f") + remove("g") + delete("g")),
        PUBLISH,
        [],
    ),
}


@pytest.mark.parametrize(("start", "rest", "expected"), MENDED.values(), ids=MENDED)
def test_what_a_later_step_mends_is_one_severity_lower(
    start: tuple[str, str, str], rest: str, expected: list[str]
) -> None:
    """The message has the steps of the timeline, and the lines of the list."""
    before, after, commands = start

    assert told(before, after, commands + rest) == expected


ZERO = size("c", 0) + UPDATE
LOST = "".join(
    f'aws ec2 delete-volume --volume-id "$MASTER_C_ETCD_{etcd}"\n'
    for etcd in ("MAIN", "EVENTS")
)
ROLL = "kops rolling-update cluster --instance-group master-a --yes"
LOWERED = {
    "one machine that is up to date, and a look": (
        f"{ROLL} --cloudonly --force\n{VALIDATE}",
        (
            "info KL310 the control plane is replaced without validation, from step 1"
            " (line 1) to step 2 (line 2)"
        ),
    ),
    "volumes, and their member after them": (
        ZERO + LOST + remove("c") + size("c", 1) + UPDATE + VALIDATE,
        (
            "warning KL308 etcd volumes are deleted while the member is still"
            " registered in etcd, from step 3 (line 3) to step 6 (line 6)"
        ),
    ),
    "volumes, and their member in main alone": (
        ZERO + LOST + remove("c", "main") + UPDATE,
        (
            "error KL308 etcd volumes are deleted while the member is still"
            " registered in etcd"
        ),
    ),
    "a roll, and a look": (
        f"{ROLL} --cloudonly\n{VALIDATE}",
        (
            "info KL310 the control plane is replaced without validation, from step 1"
            " (line 1) to step 2 (line 2)"
        ),
    ),
    "a roll, and one that looks": (
        f"{ROLL} --validate-count=0\nkops rolling-update cluster --yes\n",
        (
            "info KL310 the control plane is replaced without validation, from step 1"
            " (line 1) to step 2 (line 2)"
        ),
    ),
    "a roll, and the next update": (
        f"{ROLL} --cloudonly\n{UPDATE}{VALIDATE}",
        "warning KL310 the control plane is replaced without validation",
    ),
    "a roll that may cost quorum, and a look": (
        f"kops rolling-update cluster --cloudonly --yes\n{VALIDATE}",
        "warning KL310 the control plane is replaced without validation",
    ),
    "an aggravated roll, and a look": (
        f"kops rolling-update cluster --cloudonly --force --yes\n{VALIDATE}",
        (
            "error KL310 the control plane is replaced without validation, also"
            " machines that are up to date"
        ),
    ),
}


@pytest.mark.parametrize(("commands", "expected"), LOWERED.values(), ids=LOWERED)
def test_a_volume_or_a_roll_that_a_later_step_makes_good(
    commands: str, expected: str
) -> None:
    assert told("abcde", "abcde", commands, "KL308", "KL310") == [expected]


TERRAFORM = (
    "kops replace -f after.yaml\n"
    + delete("d")
    + delete("e")
    + "kops update cluster --target terraform --out .\nterraform apply\n"
)
LOST = (
    "KL313 terraform destroys the etcd volumes of d and e while etcd main and events "
    "still count on them"
)


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        (
            remove("d") + remove("e"),
            f"info {LOST}, from step 5 (line 5) to step 9 (line 9)",
        ),
        (remove("d"), f"warning {LOST}"),
        ("", f"warning {LOST}"),
    ],
    ids=["both are taken out", "one is", "none is"],
)
def test_a_volume_that_terraform_destroys_is_not_missed_once_its_member_is_out(
    then: str, expected: str
) -> None:
    assert told("abcde", "abc", TERRAFORM + then, "KL313") == [expected]


def test_a_volume_that_quorum_needs_is_missed_whatever_comes_after_it() -> None:
    """No member can be taken out without quorum, so these volumes are the way back."""
    commands = TERRAFORM.replace(delete("d"), delete("b"))
    commands = commands.replace(delete("e"), delete("c"))
    lost = LOST.replace("d and e", "b and c")

    assert told("abc", "a", commands, "KL313") == [f"error {lost}"]
    assert told("abc", "a", commands + remove("b") + remove("c"), "KL313") == [
        f"error {lost}"
    ]


FIRST, THEN = delete("f"), remove("f") + delete("g") + remove("g") + PUBLISH
UNSURE = {
    "a step is refused in between": FIRST + UPDATE + THEN,
    "a step cannot be read": f"{FIRST}./more.sh\n{THEN}",
    "a backup is restored": (
        f"{FIRST}etcd-manager-ctl --backup-store=s3://b/x/backups/etcd/main"
        f" restore-backup B\n{THEN}"
    ),
    "the list stops before its end": f"set -e\n{FIRST}{THEN}kops delete ig no-such\n",
    "the new spec is never applied": FIRST + THEN.removesuffix(PUBLISH),
    "another member stays dead": FIRST + THEN.replace(remove("g"), ""),
}


@pytest.mark.parametrize("commands", UNSURE.values(), ids=UNSURE)
def test_what_is_not_surely_mended_is_not_called_so(commands: str) -> None:
    """What stands in the way is then a finding of its own."""
    found = told("abcdefg", "abcde", commands)

    assert [line for line in found if "KL301 master-f" in line] == []
    assert [line for line in found if not line.startswith("info")] != []


def test_a_member_left_in_one_etcd_cluster_is_an_error() -> None:
    """Removed from main and forgotten in events, it is not mended."""
    commands = delete("f") + remove("f", "main") + delete("g") + remove("g") + PUBLISH

    assert told("abcdefg", "abcde", commands, "KL301") == [
        "error KL301 master-f is deleted while etcd still counts on its member f"
    ]


def test_quorum_lost_in_between_is_never_lowered() -> None:
    """Two of three machines are gone at once; writes stop until both are back."""
    gone = delete("b") + delete("c")
    back = f"kops create -f groups.yaml\n{UPDATE}{VALIDATE}"

    assert told("abc", "abc", gone + back, "KL301", "KL302", "KL304") == [
        "warning KL302 etcd main and events have no quorum for a while"
    ]


NET_NOTHING = {
    "a group": (
        "kops create ig spare --role node --subnet a --edit=false\n"
        f"{UPDATE}{VALIDATE}kops delete ig spare --yes\n"
    ),
    "a group, and nobody is asked": (
        "kops create ig spare --role node --subnet a --edit=false\n"
        f"{UPDATE}kops delete ig spare\n"
    ),
    "a control-plane group that never ran": (
        "kops create ig spare --role control-plane --subnet a --edit=false\n"
        "kops delete ig spare --yes\n"
    ),
}
CREATED_AND_DELETED = (
    f"kops create cluster --name {NAME} --zones us-east-1a --yes\n"
    f"{VALIDATE}kops delete cluster --name {NAME} --yes\n"
)


@pytest.mark.parametrize("commands", NET_NOTHING.values(), ids=NET_NOTHING)
def test_what_the_list_makes_and_deletes_is_no_deletion(commands: str) -> None:
    assert told("abc", "abc", commands) == []


def test_a_cluster_that_stands_before_is_not_created_by_the_list() -> None:
    """That is refused, and what follows deletes the one that stands."""
    assert told("abc", "abc", CREATED_AND_DELETED, "KL316") == [
        f"warning KL316 cluster {NAME} is deleted with its etcd backups"
    ]


def test_a_cluster_that_the_list_makes_and_deletes_is_no_loss() -> None:
    after, commands = Source("after.yaml", spec("abc")), CREATED_AND_DELETED
    report = check(Request(None, (after,), (Source("commands.sh", commands),)))

    assert not [finding for finding in report.findings if finding.rule == "KL316"]


MADE_AND_REPLACED = (
    f"kops create cluster --name {NAME} --zones us-east-1a\n"
    f"kops delete ig master-a --name {NAME} --yes\n"
)


@pytest.mark.parametrize(
    ("before", "built", "told"),
    [
        (False, "", False),
        (False, "kops update cluster --yes\n", True),
        (True, "", True),
    ],
)
def test_a_group_of_a_cluster_that_is_not_built_yet_has_no_member(
    before: bool, built: str, told: bool
) -> None:
    """Whoever builds a cluster may take out groups that kops made of its own."""
    text, first = spec("abc"), MADE_AND_REPLACED.index("kops delete")
    commands = MADE_AND_REPLACED[:first] + built + MADE_AND_REPLACED[first:]
    report = check(
        Request(
            (Source("before.yaml", text),) if before else None,
            (Source("after.yaml", text),),
            (Source("commands.sh", commands),),
        )
    )

    assert ("KL301" in {finding.rule for finding in report.findings}) is told


def test_a_member_that_comes_and_goes_is_no_deletion() -> None:
    """A node that is scaled to zero, taken out and put back joins again."""
    commands = (
        remove("e") + ZERO.replace("master-c", "master-e") + size("e", 1) + UPDATE
    )

    assert told("abcde", "abcde", commands, "KL301", "KL304") == []


def test_a_group_that_one_of_two_lines_deletes_is_possibly_deleted_by_each() -> None:
    """Which one it is only run time knows; that both are gone in the end is sure."""
    commands = 'kops delete ig "$ONE" --yes\nkops delete ig "$OTHER" --yes\n' + PUBLISH
    report = check(
        Request(
            (Source("before.yaml", spec("abcde")),),
            (Source("after.yaml", spec("abc")),),
            (Source("commands.sh", commands),),
        )
    )
    found = [f for f in report.findings if f.rule == "KL301"]

    assert [(f.step, f.certainty) for f in found] == [
        (step, "possible") for step in (1, 1, 2, 2)
    ]


def moved(names: str, old: str, new: str) -> str:
    """A cluster whose group of ``old`` is in the zone of another letter."""
    before, group, rest = spec(names).partition(f"{{name: master-{old}, labels")
    return before + group + rest.replace(f"subnets: [{old}]", f"subnets: [{new}]", 1)


VOLUME = 'aws ec2 delete-volume --volume-id "$MASTER_C_{0}"\n'
LOOKED_UP = (
    "for id in $(aws ec2 describe-volumes --filters"
    " 'Name=tag:Name,Values=c.etcd-*.demo.example.com' --output text); do\n"
    '  aws ec2 delete-volume --volume-id "$id"\ndone\n'
)
PUT_BACK = f"kops replace -f after.yaml --force\n{UPDATE}{VALIDATE}"
ENCRYPTED = "instanceGroup: master-c, encryptedVolume: true}"
ANEW = {
    "another zone": moved("abc", "c", "d"),
    "encrypted": spec("abc").replace("instanceGroup: master-c}", ENCRYPTED),
    "another name": spec("abc").replace("{name: c, instance", "{name: c2, instance"),
}
DISKS_GONE = {
    "each by its name": VOLUME.format("MAIN") + VOLUME.format("EVENTS"),
    "looked up by tag": LOOKED_UP,
}


@pytest.mark.parametrize("after", ANEW.values(), ids=ANEW)
@pytest.mark.parametrize("volumes", DISKS_GONE.values(), ids=DISKS_GONE)
def test_a_member_that_comes_back_from_nothing_may_be_made_otherwise(
    after: str, volumes: str
) -> None:
    """Out of every etcd cluster, its group and its disks gone: it is a new member."""
    taken_out = remove("c") + delete("c")
    assert not _errors(after, taken_out + volumes + PUT_BACK)
    assert _errors(after, taken_out + PUT_BACK)
    assert _errors(after, taken_out + VOLUME.format("MAIN") + PUT_BACK)
    assert _errors(after, remove("c", "main") + delete("c") + volumes + PUT_BACK)


def _errors(after: str, commands: str) -> list[str]:
    report = check(
        Request(
            (Source("before.yaml", spec("abc")),),
            (Source("after.yaml", after),),
            (Source("commands.sh", commands),),
        )
    )
    return [f.message for f in report.findings if f.severity == "error"]


TAKES_C = "kops delete ig master-c --yes"
EITHER_WAY = {
    "or else": (f"kops validate cluster || {TAKES_C}\n", ["possible"]),
    "if it fails": (f"if ! kops validate cluster; then {TAKES_C}; fi\n", ["possible"]),
    "if not, else": (
        f"if kops validate cluster; then kops get ig; else {TAKES_C}; fi\n",
        ["possible"],
    ),
    "or else the list ends": (
        f"kops validate cluster || exit 1\n{TAKES_C}\n",
        ["certain"],
    ),
    "or else somebody is told": (
        f"kops validate cluster || echo no\n{TAKES_C}\n",
        ["certain"],
    ),
    "and then": ("kops validate cluster && kops get ig\n", []),
}


@pytest.mark.parametrize(("commands", "sure"), EITHER_WAY.values(), ids=EITHER_WAY)
def test_a_validation_may_fail_for_reasons_that_no_file_shows(
    commands: str, sure: list[str]
) -> None:
    """What is done then is judged; that a list ends or prints is no other course."""
    source = Source("spec.yaml", spec("abc"))
    report = check(Request((source,), (source,), (Source("commands.sh", commands),)))

    assert [f.certainty for f in report.findings if f.rule == "KL301"] == sure
