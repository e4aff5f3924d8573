"""What a rule makes of the rest of the list: what came before, beside, and after.

The same command is a mistake in one list and the documented way in another. The
examples of the rules show whole findings; here are the borders.
"""

from __future__ import annotations

import pytest
from removal_lines import removal

from kopslint.engine import Request, check
from kopslint.text import Source

NAME = "demo.example.com"
NAMES = ("main", "events")
OBJECT = "---\napiVersion: kops.k8s.io/v1alpha2\nkind: "
UPDATE = "kops update cluster --yes\n"
ROLL = "kops rolling-update cluster --yes\n"
STORE = "kops replace -f after.yaml\n"


def spec(*edits: tuple[str, str], cloud: str = "aws") -> str:
    """A cluster with a control-plane node in each of three zones, and a worker."""
    subnets = "".join(
        f"  - {{name: {zone}, zone: us-east-1{zone}, cidr: 10.0.{number}.0/24,"
        " type: Private}\n"
        for number, zone in enumerate("abc")
    )
    members = "".join(
        f"    - {{name: {zone}, instanceGroup: master-{zone}}}\n" for zone in "abc"
    )
    text = (
        f"{OBJECT}Cluster\nmetadata: {{name: {NAME}}}\nspec:\n"
        f"  cloudProvider: {cloud}\n  configBase: s3://state/{NAME}\n"
        "  kubernetesVersion: 1.31.4\n  networkCIDR: 10.0.0.0/16\n"
        "  nonMasqueradeCIDR: 100.64.0.0/10\n  networking: {calico: {}}\n"
        f"  subnets:\n{subnets}  etcdClusters:\n"
        f"  - name: main\n    etcdMembers:\n{members}"
        f"  - name: events\n    etcdMembers:\n{members}"
    )
    groups = [(f"master-{zone}", "ControlPlane", zone) for zone in "abc"]
    for name, role, zone in [*groups, ("nodes", "Node", "a")]:
        text += (
            f"{OBJECT}InstanceGroup\nmetadata:"
            f" {{name: {name}, labels: {{kops.k8s.io/cluster: {NAME}}}}}\n"
            f"spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [{zone}]}}\n"
        )
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


BEFORE = spec()


def told(rule: str, commands: str, after: str = BEFORE, before: str = BEFORE) -> str:
    """What a rule says: severity, certainty where it is not sure, and the line."""
    report = check(
        Request(
            (Source("before.yaml", before),),
            (Source("after.yaml", after),),
            (Source("commands.sh", commands),) if commands else (),
        )
    )
    found = []
    for finding in report.findings:
        if finding.rule == rule:
            sure = "" if finding.certainty == "certain" else "possible "
            line = finding.locations[0].span.line
            found.append(f"{sure}{finding.severity} on line {line}")
    return ", ".join(found)


UPGRADED = spec(("1.31.4", "1.32.4"))
FIRST = "kops rolling-update cluster --instance-group master-a --yes\n"
REST = (
    "kops rolling-update cluster --instance-group master-b,master-c --cloudonly --yes\n"
)
RESTORE = "".join(
    f"etcd-manager-ctl --backup-store=s3://b/x/backups/etcd/{name} restore-backup B\n"
    for name in ("main", "events")
)
QUICK = "kops rolling-update cluster --cloudonly --control-plane-interval=1s --yes\n"
BLIND = {
    "an upgrade": (STORE + UPDATE + REST, "error on line 3"),
    "an upgrade of which one machine was validated": (
        STORE + UPDATE + FIRST + REST,
        "warning on line 4",
    ),
    "an upgrade that is applied only afterwards": (
        FIRST + STORE + UPDATE + REST,
        "error on line 4",
    ),
    "an upgrade of which one machine came back unseen": (
        STORE + UPDATE + FIRST.replace("--yes", "--validate-count=0 --yes") + REST,
        "warning on line 3, error on line 4",
    ),
    "quickly, as documents have it after a restore": (
        RESTORE + QUICK,
        "warning on line 3",
    ),
    "quickly, and then a restore": (QUICK + RESTORE, "error on line 1"),
}


@pytest.mark.parametrize(("commands", "found"), BLIND.values(), ids=BLIND)
def test_a_blind_roll_is_as_bad_as_what_came_before_it(
    commands: str, found: str
) -> None:
    assert told("KL310", commands, UPGRADED) == found


INTERNAL = spec(("  subnets:", "  api: {loadBalancer: {type: Internal}}\n  subnets:"))
FORCED = "kops rolling-update cluster --cloudonly --force --yes\n"
DOCUMENTED = {
    "for nothing that can be seen": (FORCED, BEFORE, "error on line 1"),
    "one group of three": (
        FORCED.replace("--force", "--force --instance-group master-a"),
        BEFORE,
        "warning on line 1",
    ),
    "to another load balancer of the API": (
        STORE + UPDATE + FORCED,
        INTERNAL,
        "warning on line 3",
    ),
    "quickly, to another load balancer": (
        STORE + UPDATE + FORCED.replace("--force", "--force --master-interval=1s"),
        INTERNAL,
        "error on line 3",
    ),
    "after the load balancer is gone": (
        f"aws elb delete-load-balancer --load-balancer-name api\n{UPDATE}{FORCED}",
        BEFORE,
        "warning on line 3",
    ),
    "after the keypairs are gone": (
        f"kops delete secret keypair ca\n{UPDATE}{FORCED}",
        BEFORE,
        "warning on line 3",
    ),
    "before they are gone": (
        f"{FORCED}kops delete secret keypair ca\n",
        BEFORE,
        "error on line 1",
    ),
}


@pytest.mark.parametrize(
    ("commands", "after", "found"), DOCUMENTED.values(), ids=DOCUMENTED
)
def test_a_forced_roll_is_no_error_where_the_documents_of_kops_have_it(
    commands: str, after: str, found: str
) -> None:
    """The API cannot be asked, and kops does not know that machines are outdated."""
    assert told("KL310", commands, after) == found


DELETE = "aws ec2 delete-volume --volume-id"
BY_ID = "etcdctl --endpoints https://127.0.0.1:{} member remove 8e9e05c52164694d"
VOLUMES = {
    "nothing says what it is": (f"{DELETE} vol-1\n", "possible warning on line 1"),
    "the comment has its name": (
        f"{DELETE} vol-1  # b.etcd-events.{NAME}\n",
        "error on line 1",
    ),
    "the comment has the name of a volume of workers": (
        f"{DELETE} vol-1  # logs.nodes.{NAME}\n",
        "",
    ),
    "the member of that etcd cluster was removed before": (
        (f"{BY_ID.format(4002)}\n{DELETE} vol-1  # b.etcd-events.{NAME}\n"),
        "",
    ),
    "the member of the other etcd cluster was": (
        (f"{BY_ID.format(4001)}\n{DELETE} vol-1  # b.etcd-events.{NAME}\n"),
        "error on line 2",
    ),
    "a variable is called like a group": (
        f'{DELETE} "$VOL_B"\n',
        "possible warning on line 1",
    ),
    "each turn of a loop looks for one": (
        (
            "for group in master-a master-b; do\n"
            f'  {DELETE} "$(aws ec2 describe-volumes --filters Name=tag:g,Values=$group'
            ' --query ID)"\ndone\n'
        ),
        "error on line 2",
    ),
    "each turn looks for one of workers": (
        (
            "for group in nodes-a nodes-b; do\n"
            f'  {DELETE} "$(aws ec2 describe-volumes --filters Name=tag:g,Values=$group'
            ' --query ID)"\ndone\n'
        ),
        "",
    ),
}


@pytest.mark.parametrize(("commands", "found"), VOLUMES.values(), ids=VOLUMES)
def test_an_etcd_volume_is_told_by_all_that_is_written_about_it(
    commands: str, found: str
) -> None:
    """The command, the comment behind it, and what is known of a substitution."""
    assert told("KL308", commands) == found


def test_a_disk_that_is_told_to_be_lost_is_not_told_to_be_unknown() -> None:
    """Once its member is out, what its disk is taken to be is only assumed."""
    early = f"{DELETE} $ETCD_MAIN_ID\n"
    late = f"{removal('main', 'b')}{early}"

    assert told("KL308", early) == "error on line 1"
    assert told("KL901", early) == ""
    assert told("KL308", late) == ""
    assert told("KL901", late) == ""
    assert told("KL902", late) == "info on line 2"


MOVED = spec(("subnets: [b]", "subnets: [c]"))
ENCRYPTED = spec(
    (
        "{name: b, instanceGroup: master-b}",
        "{name: b, instanceGroup: master-b, encryptedVolume: true}",
    )
)
OUT = "".join(removal(name, "b") for name in ("main", "events"))
GONE = "kops delete ig master-b --yes\n"
DISKS = "".join(f'{DELETE} "$MASTER_B_ETCD_{name}"\n' for name in ("MAIN", "EVENTS"))
BACK = f"kops replace --force -f after.yaml\n{UPDATE}"
ANEW = {
    "without commands": ("", "error on line"),
    "stored and applied": (STORE + UPDATE, "error on line"),
    "member, group and disks go first": (OUT + GONE + DISKS + BACK, ""),
    "the disks stay": (OUT + GONE + BACK, "error on line"),
    "the disk of main stays": (
        OUT + GONE + DISKS.splitlines(keepends=True)[1] + BACK,
        "error on line",
    ),
    "the member stays in events": (
        OUT.splitlines(keepends=True)[0] + GONE + DISKS + BACK,
        "error on line",
    ),
    "the disks go too late": (OUT + GONE + BACK + DISKS, "error on line"),
    "they go if somebody says so": (
        f'if [ "$1" = yes ]; then\n{OUT}{GONE}{DISKS}fi\n{BACK}',
        "possible error on line",
    ),
    "all but the disk of main go if somebody says so": (
        f'if [ "$1" = yes ]; then\n{OUT}{GONE}{DISKS.splitlines()[1]}\nfi\n{BACK}',
        "error on line",
    ),
}


@pytest.mark.parametrize(("commands", "found"), ANEW.values(), ids=ANEW)
@pytest.mark.parametrize(
    ("rule", "after"), [("KL204", MOVED), ("KL207", ENCRYPTED)], ids=["zone", "key"]
)
def test_a_member_that_starts_from_nothing_may_be_elsewhere(
    rule: str, after: str, commands: str, found: str
) -> None:
    """Its zone and its encryption are those of a disk, and it has a new one."""
    assert told(rule, commands, after).rpartition(" ")[0] == found


def test_the_roll_that_adopts_etcd_manager_is_not_told_to_validate() -> None:
    """The first machine would never become healthy, on no release."""
    old, new = (
        spec(
            ("1.31.4", "1.17.4"),
            *((f"- name: {n}\n", f"- name: {n}\n    provider: {p}\n") for n in NAMES),
        )
        for p in ("Legacy", "Manager")
    )
    commands = STORE + UPDATE + QUICK
    sides = (Source("before.yaml", old),), (Source("after.yaml", new),)
    report = check(Request(*sides, (Source("commands.sh", commands),)))
    (roll,) = [f for f in report.findings if f.rule == "KL310"]

    assert roll.severity == "warning"
    assert roll.fix == ("# kops documents this outage: plan it, with backups at hand",)


def test_a_cluster_that_is_unregistered_keeps_its_machines() -> None:
    """Only the state store forgets it: what runs is still there to be lost."""

    def timeline(options: str) -> dict[str, tuple[str, ...]]:
        commands = f"kops delete cluster {options}\nkops create -f after.yaml\n"
        sides = (Source("before.yaml", BEFORE),), (Source("after.yaml", BEFORE),)
        report = check(Request(*sides, (Source("commands.sh", commands),)))
        assert [entry.status for entry in report.timeline] == ["applied"] * 3
        return {name: view.alive for name, view in report.timeline[-1].etcd.items()}

    voters = ("a", "b", "c")
    assert timeline("--unregister --yes") == {"main": voters, "events": voters}
    assert timeline("--yes") == {}


def test_a_zone_is_shown_where_it_is_written() -> None:
    """On GCE a group has its zone itself, and its subnet spans the region."""
    zones = [(f"subnets: [{z}]", f"subnets: [a], zones: [zone-{z}]") for z in "bc"]
    before = spec(("zone: us-east-1a, ", ""), *zones, cloud="gce")
    report = check(
        Request(
            (Source("before.yaml", before),),
            (Source("after.yaml", before.replace("zones: [zone-b]", "zones: [f]")),),
        )
    )

    (finding,) = (f for f in report.findings if f.rule == "KL204")
    lines = before.splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "zone-b" in line)
    column = lines[number - 1].index("zone-b") + 1
    assert [str(place.span) for place in finding.locations] == [
        f"after.yaml:{number}:{column}",
        f"before.yaml:{number}:{column}",
    ]


PATCH = spec(("1.31.4", "1.31.6"))
PHASES = {
    "": "",
    " --phase cluster": "",
    " --phase network": "warning on line 1",
    " --phase Security": "warning on line 1",
    " --phase iam": "warning on line 1",
}


@pytest.mark.parametrize(("flags", "found"), PHASES.items())
def test_a_phase_without_machines_applies_nothing_to_them(
    flags: str, found: str
) -> None:
    commands = f"{STORE}kops update cluster{flags} --yes\n"

    assert told("KL406", commands, PATCH) == found


API_SERVERS = spec(("role: Node", "role: APIServer"))
FLAGS = {
    "nobody sets it": (UPDATE, True),
    "exported": (f"export KOPS_FEATURE_FLAGS=APIServerNodes\n{UPDATE}", False),
    "with others": (f"KOPS_FEATURE_FLAGS=+Spotinst,+APIServerNodes {UPDATE}", False),
    "through env": (f"env KOPS_FEATURE_FLAGS=+APIServerNodes {UPDATE}", False),
    "set, and not exported": (f"KOPS_FEATURE_FLAGS=+APIServerNodes\n{UPDATE}", True),
    "another one": (f"export KOPS_FEATURE_FLAGS=+Spotinst\n{UPDATE}", True),
    "turned off": (f"export KOPS_FEATURE_FLAGS=-APIServerNodes\n{UPDATE}", True),
    "for one update of two": (
        f"KOPS_FEATURE_FLAGS=+APIServerNodes {UPDATE}{UPDATE}",
        True,
    ),
    "for something else": (f"KOPS_FEATURE_FLAGS=+APIServerNodes {ROLL}", True),
    "known at run time": (f'export KOPS_FEATURE_FLAGS="$FLAGS"\n{UPDATE}', True),
}


@pytest.mark.parametrize(("commands", "needed"), FLAGS.values(), ids=FLAGS)
def test_a_feature_flag_may_be_set_by_the_list(commands: str, needed: bool) -> None:
    assert bool(told("KL134", commands, API_SERVERS)) is needed


def rotation(*verbs: str, between: str = UPDATE + ROLL) -> str:
    return between.join(f"kops {verb} keypair all\n" for verb in verbs)


ROTATIONS = {
    "by the book": (rotation("create", "promote", "distrust"), ""),
    "by reconcile": (
        rotation("create", "promote", between="kops reconcile cluster --yes\n"),
        "",
    ),
    "by a script": (rotation("create", "promote", between="./roll.sh\n"), ""),
    "with terraform": (
        rotation(
            "create",
            "promote",
            between=f"kops update cluster --target terraform\nterraform apply\n{ROLL}",
        ),
        "",
    ),
    "in one round": (
        rotation("create", "promote", "distrust", between=""),
        "error on line 2, error on line 3",
    ),
    "updated and not rolled": (
        rotation("promote", "distrust", between=UPDATE),
        "error on line 3",
    ),
    "rolled and not updated": (
        rotation("promote", "distrust", between=ROLL),
        "error on line 3",
    ),
    "only previews": (
        rotation(
            "create",
            "promote",
            between="kops update cluster\nkops rolling-update cluster\n",
        ),
        "error on line 4",
    ),
    "only workers rolled": (
        rotation(
            "create",
            "promote",
            between=UPDATE + ROLL.replace("--yes", "--instance-group nodes --yes"),
        ),
        "error on line 4",
    ),
    "another keyset": (
        "kops create keypair etcd-peers-ca-main\nkops promote keypair kubernetes-ca\n",
        "",
    ),
    "one keyset of all": (
        "kops create keypair all\nkops promote keypair kubernetes-ca\n",
        "error on line 2",
    ),
    "a keypair by its id, which may be an older one": (
        "kops create keypair kubernetes-ca\nkops promote keypair kubernetes-ca 77\n",
        "possible error on line 2",
    ),
    "taken back at once": (
        "kops create keypair kubernetes-ca\nkops distrust keypair kubernetes-ca 77\n",
        "",
    ),
    "made primary at once": (
        (
            "kops create keypair kubernetes-ca --primary\n"
            "kops distrust keypair kubernetes-ca\n"
        ),
        "error on line 2",
    ),
}


@pytest.mark.parametrize(("commands", "found"), ROTATIONS.values(), ids=ROTATIONS)
def test_each_step_of_a_key_rotation_is_rolled_out_before_the_next(
    commands: str, found: str
) -> None:
    assert told("KL318", commands) == found


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (f"{BY_ID.format(4001)} 77", "etcdctl"),
        ("etcd-manager-ctl --backup-store=s3://b/x restore-backup", "etcd-manager-ctl"),
        ("kops delete ig", "kops"),
    ],
)
def test_a_refusal_names_the_program_that_refuses(command: str, program: str) -> None:
    report = check(
        Request(
            (Source("before.yaml", BEFORE),),
            (Source("after.yaml", BEFORE),),
            (Source("commands.sh", command),),
        )
    )
    (finding,) = (f for f in report.findings if f.rule == "KL307")

    assert finding.message.partition(":")[0] == f"{program} refuses this"


UNKNOWN = {
    "no file has it": ("kops delete ig master-d --yes\n", "error on line 1"),
    "a file that nobody has may have it": (
        "kops replace --force -f five.yaml\nkops delete ig master-d --yes\n",
        "possible warning on line 2",
    ),
}


@pytest.mark.parametrize(("commands", "found"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_group_is_unknown_as_far_as_the_files_are_known(
    commands: str, found: str
) -> None:
    assert told("KL307", commands) == found


def test_a_member_cannot_be_removed_twice() -> None:
    commands = removal("events", "c") * 2
    report = check(
        Request(
            (Source("before.yaml", BEFORE),),
            (Source("after.yaml", BEFORE),),
            (Source("commands.sh", commands),),
        )
    )
    (finding,) = (f for f in report.findings if f.rule == "KL307")

    assert finding.message == "etcd refuses this: it is no member any more (events)"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("cluster.yaml", 'cluster "demo.example.com" already exists'),
        ("group.yaml", "error creating instanceGroup: master-a already exists"),
    ],
)
def test_nothing_is_created_that_is_there_already(file: str, said: str) -> None:
    """Source: kops cmd/kops/create.go; only replace puts one thing for another.

    A list that does nothing but build is the one that made the cluster.
    """
    _, cluster, group, *_ = BEFORE.split("---\n")
    texts = {"cluster.yaml": cluster, "group.yaml": group}
    report = check(
        Request(
            (Source("before.yaml", BEFORE),),
            (Source("after.yaml", BEFORE),),
            (Source("commands.sh", f"kops create -f {file}\n{FORCED}"),),
            at_hand=(Source(file, texts[file]),),
        )
    )
    (finding,) = (f for f in report.findings if f.rule == "KL307")

    assert finding.message == f"kops refuses this: {said}"
