"""The printed removal of a member means that member, to etcd and to kopslint."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kopslint.checks.context import Context
from kopslint.checks.removals import functions_for, guarded, removals
from kopslint.commands.etcd_functions import etcd_functions
from kopslint.engine import Request, check
from kopslint.kops.decode import read_fleet
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "demo.example.com"
ETCD = ("events", "cilium", "main")
MEMBERS = ("a", "new-a", "a.b", "a-b", "events-a", "etcd-a")
needs_awk = pytest.mark.skipif(shutil.which("awk") is None, reason="there is no awk")


def spec(*names: str, cloud: str = "aws") -> Source:
    """A cluster with one control-plane group for each member."""
    members = "".join(f"\n    - {{name: {n}, instanceGroup: cp-{n}}}" for n in names)
    groups = "".join(
        f"""---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: cp-{name}
  labels: {{kops.k8s.io/cluster: {NAME}}}
spec: {{role: Master, minSize: 1, maxSize: 1, subnets: [{zone}]}}
"""
        for name, zone in zip(names, "abcdef", strict=False)
    )
    return Source(
        f"{len(names)}.yaml",
        f"""apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {{name: {NAME}}}
spec:
  cloudProvider: {cloud}
  subnets:
  - {{name: a, zone: eu-west-1a, type: Public}}
  - {{name: b, zone: eu-west-1b, type: Public}}
  - {{name: c, zone: eu-west-1c, type: Public}}
  etcdClusters:
  - name: main
    etcdMembers:{members}
  - name: events
    etcdMembers:{members}
  - name: cilium
    etcdMembers:{members}
{groups}""",
    )


def lines_for(
    member: str, etcd_clusters: Iterable[str], cloud: str = "aws"
) -> tuple[str, ...]:
    """The fix that takes a member out, where there is no change to plan."""
    ((_, manifest),) = read_fleet([spec(*MEMBERS, cloud=cloud)]).manifests.items()
    return removals(Context(manifest), [(member, name) for name in etcd_clusters])


def member_list(names: Iterable[str]) -> str:
    """What etcdctl prints for members of these names: ids are 1a, 2a and so on."""
    return "".join(
        f"{number}a, started, {name}, https://{name}.internal.{NAME}:2380, "
        f"https://{name}.internal.{NAME}:4001, false\n"
        for number, name in enumerate(names, 1)
    )


def answered(
    call: str, members: str, cloud: str = "aws", asked: str = "", shell: str = "sh"
) -> str:
    """What a call of the functions prints, or that it fails.

    ``members`` is what etcd lists; ``asked`` defines the cloud's program.
    """
    functions = "\n".join(etcd_functions(NAME, cloud, confirm=shell == "bash"))
    etcd = r"""etcd() {
  case $* in
    *health*) printf %s "$LIST" | awk -F ', ' '{ print $5 " is healthy: yes" }' ;;
    *) printf %s "$LIST" ;;
  esac
}
sleep() { :; }"""
    done = subprocess.run(
        [shell, "-c", f"{functions}\n{asked}\n{etcd}\n{call}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LIST": members},
    )
    return done.stdout if done.returncode == 0 else "it fails"


@needs_awk
@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("etcd_cluster", ["main", "events", "cilium"])
@pytest.mark.parametrize("member", MEMBERS)
def test_only_the_member_itself_is_found(
    member: str, etcd_cluster: str, shell: str
) -> None:
    """A name is compared whole, and nobody has gone from a list without members."""
    front = "etcd-" if etcd_cluster == "main" else f"etcd-{etcd_cluster}-"
    everyone = [front + name for name in MEMBERS]
    others = [name for name in everyone if name != front + member]
    find, gone = f"member_id {member} {etcd_cluster}", f"gone {etcd_cluster} {member}"

    found = answered(find, member_list(everyone), shell=shell)

    assert found == f"{MEMBERS.index(member) + 1}a\n"
    assert answered(gone, member_list(everyone), shell=shell) == "it fails"
    assert answered(gone, member_list(others), shell=shell) == ""
    assert answered(gone, "", shell=shell) == "it fails"


LEARNER = "9a, started, etcd-c, https://c:2380, https://c:4001, true\n"
STARTING = "9a, unstarted, , https://c:2380, , false\n"


@needs_awk
@pytest.mark.parametrize(
    ("listed", "holds"),
    [
        (member_list(["etcd-a", "etcd-b", "etcd-c"]), True),
        (member_list(["etcd-c", "etcd-a", "etcd-b"]), True),
        (member_list(["etcd-a", "etcd-b"]), False),
        (member_list(["etcd-a", "etcd-b", "etcd-d"]), False),
        (member_list(["etcd-a", "etcd-b", "etcd-c", "etcd-d"]), False),
        (member_list(["etcd-a", "etcd-b"]) + LEARNER, False),
        (member_list(["etcd-a", "etcd-b"]) + STARTING, False),
        ("", False),
    ],
)
def test_members_are_compared_by_name_and_all_must_vote(
    listed: str, holds: bool
) -> None:
    answer = answered("confirm main a b c", listed, "aws", "", "bash")

    assert (answer != "it fails") is holds


# What the programs of the clouds print, for volumes with the ids 101, 102 and so on.
HCLOUD = """hcloud() {
  [ "$1 $2 $4 $5" = 'volume describe --output format={{.ID}}' ] && id_of "$3"
}"""
LINODE = """linode-cli() {
  shift 3; id_of "$1"
}"""
SCW = """scw() {
  [ "$1 $2 $3 $5" = 'instance volume list --output' ] &&
    [ "$6" = 'template={{.Name}} {{.ID}}' ] && volumes
}"""


@needs_awk
@pytest.mark.parametrize("etcd_cluster", ["main", "events"])
@pytest.mark.parametrize(
    ("cloud", "program"),
    [("hetzner", HCLOUD), ("linode", LINODE), ("scaleway", SCW)],
)
def test_a_member_that_is_called_by_its_volume_is_found_by_it(
    cloud: str, program: str, etcd_cluster: str
) -> None:
    """Etcd's names are made of the ids, and kops' names of the volumes are known."""
    named = [
        f"{name}.etcd-{etcd}.{NAME} {number}"
        for number, (etcd, name) in enumerate(
            ((etcd, name) for etcd in ("main", "events") for name in MEMBERS), 101
        )
    ]
    volumes = "\n".join(named)
    asked = (
        f"volumes() {{ cat <<'END'\n{volumes}\nEND\n}}\n"
        'id_of() { volumes | while read -r name id; do [ "$name" != "$1" ] ||'
        ' echo "$id"; done; }\n' + program
    )
    here = [v.split()[1] for v in named if f"etcd-{etcd_cluster}" in v]
    members = member_list(f"vol-{number}" for number in here)

    for index, member in enumerate(MEMBERS, 1):
        call = f"member_id {member} {etcd_cluster}"
        assert answered(call, members, cloud, asked, "bash") == f"{index}a\n"
        gone = f"gone {etcd_cluster} {member}"
        assert answered(gone, members, cloud, asked, "bash") == "it fails"
    unknown = f"gone {etcd_cluster} nobody"
    assert answered(unknown, members, cloud, asked, "bash") == "it fails"


@needs_awk
def test_on_digitalocean_etcd_has_the_name_of_the_volume() -> None:
    """It has no dots, and no more than 64 characters."""
    volume = "kops-a-b-etcd-events-demo-example-com"
    members = member_list([f"x{volume}", volume])
    assert answered("member_id a.b events", members, "digitalocean") == "2a\n"

    long = "a" * 50
    cut = member_list([f"kops-{long}-etcd-events-demo-example-com"[:64]])
    assert answered(f"member_id {long} events", cut, "digitalocean") == "1a\n"


@pytest.mark.parametrize("cloud", ["aws", "digitalocean", "hetzner", "scaleway"])
@pytest.mark.parametrize("member", ["a", "new-a", "events-a"])
def test_a_printed_removal_is_read_as_it_is_meant(member: str, cloud: str) -> None:
    """With its comments, as somebody pastes it."""
    commands = "\n".join(lines_for(member, ["main", "events", "cilium"], cloud))
    names = ("a", "new-a", "events-a")
    left = [name for name in names if name != member]
    specs = (spec(*names, cloud=cloud),)

    report = check(Request(specs, specs, (Source("steps.sh", f"{commands}\n"),)))

    for view in report.timeline[-1].etcd.values():
        assert [*view.members] == left
    assert [f.rule for f in report.findings if f.rule.startswith("KL9")] == []


@pytest.mark.parametrize("cloud", ["aws", "openstack", "hetzner", "scaleway"])
def test_guarded_removals_leave_nothing_to_find_on_any_cloud(cloud: str) -> None:
    sides = (spec(*"abcde", cloud=cloud),), (spec(*"abc", cloud=cloud),)
    ((_, manifest),) = read_fleet(sides[0]).manifests.items()
    lines = functions_for([manifest])
    for name in "de":
        delete = f"kops delete ig cp-{name} --name {NAME} --yes"
        lines.append(guarded("cp-a", [(name, etcd) for etcd in ETCD], delete))
    lines += [
        "kops replace --force -f 3.yaml",
        f"kops update cluster --name {NAME} --yes",
    ]

    report = check(Request(*sides, (Source("steps.sh", "\n".join(lines)),)))

    assert [f.message for f in report.findings if f.step is not None] == []


def test_a_change_is_told_to_be_planned() -> None:
    """The plan prints the whole order, so that a finding stays short."""
    sides = (spec(*"abcde"),), (spec(*"abc"),)
    commands = Source("steps.sh", f"kops delete ig cp-d --name {NAME} --yes\n")
    report = check(Request(*sides, (commands,)))

    call = "kopslint plan --before 5.yaml --after 3.yaml  # the whole order"
    fixes = {f.fix for f in report.findings if f.rule == "KL301"}
    assert fixes == {(call,)}


@pytest.mark.parametrize("cloud", ["aws", "hetzner"])
def test_a_name_that_is_none_is_no_more_than_a_word(cloud: str) -> None:
    """A spec comes from a pull request, and what is pasted is run."""
    command = lines_for("a$(reboot)", ["main"], cloud)[-1]

    assert command.startswith("via cp-a && remove main 'a$(reboot)' a new-a ")
