"""The printed removal of a member means that member, to etcd and to kopslint."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kopslint.checks.removals import removals
from kopslint.engine import Request, check
from kopslint.kops.decode import read_fleet
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "demo.example.com"
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
) -> list[str]:
    manifests = [*read_fleet([spec(*MEMBERS, cloud=cloud)]).manifests.values()]
    return [*removals(manifests, [(member, name) for name in etcd_clusters])]


def member_list(names: Iterable[str]) -> str:
    """What etcdctl prints for members of these names: ids are 1a, 2a and so on."""
    return "".join(
        f"{number}a, started, {name}, https://{name}.internal.{NAME}:2380, "
        f"https://{name}.internal.{NAME}:4001, false\n"
        for number, name in enumerate(names, 1)
    )


def taken_out(command: str, members: str, asked: str = "") -> list[str]:
    """The ids that a printed command removes; ``asked`` defines the cloud's program."""
    script = command.replace("etcdctl member list", 'printf %s "$LIST"')
    script = script.replace("etcdctl member remove", "echo")
    done = subprocess.run(
        ["sh", "-c", f"{asked}\n{script}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LIST": members},
    )
    return done.stdout.split()


@needs_awk
@pytest.mark.parametrize("etcd_cluster", ["main", "events", "cilium"])
@pytest.mark.parametrize("member", MEMBERS)
def test_only_the_member_itself_is_taken_out(member: str, etcd_cluster: str) -> None:
    """Alone, and with the other etcd clusters: the line below each one's comment."""
    front = "etcd-" if etcd_cluster == "main" else f"etcd-{etcd_cluster}-"
    members = member_list(front + name for name in MEMBERS)
    ids = [f"{MEMBERS.index(member) + 1}a"]

    _, alone = lines_for(member, [etcd_cluster])
    together = lines_for(member, ["main", "events", "cilium"])
    (here,) = [
        command
        for comment, command in zip(together[::2], together[1::2], strict=True)
        if etcd_cluster in comment
    ]

    assert taken_out(alone, members) == ids
    assert taken_out(here, members) == ids


def test_one_line_does_for_all_etcd_clusters_unless_it_fits_a_neighbour() -> None:
    """The member a of events is called like events-a of main."""
    where, command = lines_for("new-a", ["main", "events"])

    assert where == "# in main and in events:"
    assert command == (
        'etcdctl member remove "$(etcdctl member list | '
        "awk -F', ' '$3~/^(etcd-|etcd-events-)new-a$/{print $1}')\""
    )
    assert lines_for("a", ["main", "events"])[::2] == ["# in main:", "# in events:"]
    assert lines_for("a", ["main", "cilium"])[::2] == ["# in main and in cilium:"]


# What the programs of the clouds print, for volumes with the ids 101, 102 and so on.
HCLOUD = """hcloud() {
  [ "$1 $2 $4 $5" = 'volume describe -o format={{.ID}}' ] && id_of "$3"
}"""
LINODE = """linode-cli() {
  shift 3; id_of "$1"
}"""
SCW = """scw() {
  [ "$*" = 'instance volume list -o template={{.Name}} {{.ID}}' ] && volumes
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
        ' echo "$id"; done; }\n' + program.replace("linode-cli()", "linode_cli()")
    )
    here = [v.split()[1] for v in named if f"etcd-{etcd_cluster}" in v]
    members = member_list(f"vol-{number}" for number in here)

    for index, member in enumerate(MEMBERS, 1):
        where, command = lines_for(member, [etcd_cluster], cloud)

        assert where == f"# in {etcd_cluster} (etcd names it by its volume):"
        command = command.replace("linode-cli volumes", "linode_cli volumes")
        assert taken_out(command, members, asked) == [f"{index}a"]


@needs_awk
def test_on_digitalocean_etcd_has_the_name_of_the_volume() -> None:
    """It has no dots, and no more than 64 characters."""
    where, command = lines_for("a.b", ["events"], "digitalocean")
    volume = "kops-a-b-etcd-events-demo-example-com"

    assert where == "# in events (etcd names it by its volume):"
    assert taken_out(command, member_list([f"x{volume}", volume])) == ["2a"]

    long = "a" * 50
    cut = f"kops-{long}-etcd-events-demo-example-com"[:64]
    _, command = lines_for(long, ["events"], "digitalocean")
    assert taken_out(command, member_list([cut])) == ["1a"]


@pytest.mark.parametrize("cloud", ["aws", "digitalocean", "hetzner", "scaleway"])
@pytest.mark.parametrize("member", ["a", "new-a"])
def test_a_printed_removal_is_read_as_it_is_meant(member: str, cloud: str) -> None:
    """With its comments, as somebody pastes it."""
    commands = "\n".join(lines_for(member, ["main", "events", "cilium"], cloud))
    names = ("a", "new-a", "b")
    left = [name for name in names if name != member]
    specs = (spec(*names, cloud=cloud),)

    report = check(Request(specs, specs, (Source("steps.sh", f"{commands}\n"),)))

    for view in report.timeline[-1].etcd.values():
        assert [*view.members] == left
    assert [f.rule for f in report.findings if f.rule.startswith("KL9")] == []


@pytest.mark.parametrize("cloud", ["aws", "digitalocean", "hetzner", "scaleway"])
def test_the_printed_fixes_mend_the_list_on_every_cloud(cloud: str) -> None:
    """They go before the line that they name, and leave nothing to find."""
    sides = (spec(*"abcde", cloud=cloud),), (spec(*"abc", cloud=cloud),)
    lines = [f"kops delete ig cp-{n} --name {NAME} --yes" for n in "de"]
    lines += [
        "kops replace --force -f 3.yaml",
        f"kops update cluster --name {NAME} --yes",
    ]
    report = check(Request(*sides, (Source("steps.sh", "\n".join(lines)),)))
    fixes = {f.step: f.fix for f in report.findings if f.rule == "KL301"}
    assert [*fixes] == [1, 2]

    pasted = [
        line
        for step, command in enumerate(lines, 1)
        for line in (*(s for s in fixes.get(step, ()) if "etcd" in s), command)
    ]
    mended = check(Request(*sides, (Source("steps.sh", "\n".join(pasted)),)))

    assert [f.message for f in mended.findings if f.step is not None] == []


@pytest.mark.parametrize("cloud", ["aws", "hetzner"])
def test_a_name_that_is_none_is_not_written_into_a_command(cloud: str) -> None:
    """A spec comes from a pull request, and what is pasted is run."""
    (_, command) = lines_for("a$(reboot)", ["main"], cloud)

    assert command == "etcdctl member remove ID"
