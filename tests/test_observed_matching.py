"""Members and machines that were seen are found in the spec on every cloud, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.kops.clouds import CLOUDS
from kopslint.kops.decode import read_fleet
from kopslint.observed.matching import matched
from kopslint.observed.reader import Named, read_observation
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.observed.observation import Observation

CLUSTER = "prod.example.com"


def spec(cloud: str, members: str = "ab") -> str:
    """A spec with a group for every member."""
    listed = "".join(f"    - {{name: {m}, instanceGroup: cp-{m}}}\n" for m in members)
    groups = "".join(
        "---\napiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\n"
        f"metadata: {{name: cp-{m}, labels: {{kops.k8s.io/cluster: {CLUSTER}}}}}\n"
        f"spec: {{role: ControlPlane, minSize: 1, subnets: [zone-{m}]}}\n"
        for m in members
    )
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {CLUSTER}}}\nspec:\n  cloudProvider: {cloud}\n"
        f"  etcdClusters:\n  - name: main\n    etcdMembers:\n{listed}"
        f"  - name: events\n    etcdMembers:\n{listed}"
        f"  subnets:\n"
        + "".join(f"  - {{name: zone-{m}, zone: zone-{m}}}\n" for m in members)
        + groups
    )


def row(number: int, name: str, *, started: bool = True, etcd: str = "main") -> str:
    """A line of a member list, whose address has the name."""
    peer, client = {"main": (2380, 4001), "events": (2381, 4002)}[etcd]
    host = f"https://{name}.internal.{CLUSTER}"
    if not started:
        return f"{number}a, unstarted, , {host}:{peer}, , false\n"
    return f"{number}a, started, {name}, {host}:{peer}, {host}:{client}, false\n"


def seen(text: str, *specs: str) -> Observation:
    """The observation of a text, matched to specs."""
    sides = [
        manifest
        for each in specs
        for manifest in read_fleet((Source("spec.yaml", each),)).manifests.values()
    ]
    return matched(read_observation([Named(Source("seen.txt", text))]), sides)


def names(observation: Observation, etcd: str = "main") -> dict[str, str | None]:
    """The spec's names of the members by etcd's, and whether the spec has them."""
    one = observation.etcd_cluster(etcd)
    assert one is not None
    return {m.said: m.spec_name if m.known == "yes" else m.known for m in one.members}


BY_NAME = sorted(
    c.name for c in CLOUDS.values() if c.members_are == "names" and c.name != "metal"
)
BY_ID = sorted(c.name for c in CLOUDS.values() if c.members_are == "volume ids")


@pytest.mark.parametrize("cloud", BY_NAME)
def test_a_member_is_found_by_its_name(cloud: str) -> None:
    """With what etcd-manager puts before it; another one is a stranger."""
    text = row(1, "etcd-a") + row(2, "etcd-b") + row(3, "etcd-c")
    text += row(4, "etcd-events-a", etcd="events")

    found = seen(text, spec(cloud))

    assert names(found) == {"etcd-a": "a", "etcd-b": "b", "etcd-c": "no"}
    assert names(found, "events") == {"etcd-events-a": "a"}


@pytest.mark.parametrize("cloud", BY_NAME)
def test_one_that_never_started_is_found_by_its_address(cloud: str) -> None:
    """Etcd has no name for it yet."""
    found = seen(row(1, "etcd-b", started=False), spec(cloud))

    assert names(found) == {"id 1a": "b"}


def test_on_digitalocean_a_member_is_called_as_its_volume() -> None:
    """Dots are hyphens there, and a long name is cut."""
    volume = f"kops-a.etcd-main.{CLUSTER}".replace(".", "-")

    assert names(seen(row(1, volume), spec("digitalocean"))) == {volume: "a"}

    long = "a" * 60
    cut = f"kops-{long}.etcd-main.{CLUSTER}".replace(".", "-")[:64]
    text = spec("digitalocean").replace("{name: a,", f"{{name: {long},")
    assert names(seen(row(1, cut), text)) == {cut: long}


@pytest.mark.parametrize("cloud", BY_ID)
def test_where_a_member_is_a_volume_it_is_found_by_that(cloud: str) -> None:
    """The ids of all volumes tell strangers apart, too."""
    volumes = "ETCD  MEMBER  VOLUME-ID\nmain  a       71\nmain  b       72\n"
    text = volumes + "\n" + row(1, "vol-71") + row(2, "vol-72") + row(3, "vol-99")

    found = seen(text, spec(cloud))

    assert names(found) == {"vol-71": "a", "vol-72": "b", "vol-99": "no"}


@pytest.mark.parametrize("cloud", BY_ID)
def test_without_the_volumes_nobody_is_a_stranger(cloud: str) -> None:
    """That a member is none of the spec is not known then."""
    assert names(seen(row(1, "vol-71"), spec(cloud))) == {"vol-71": "not seen"}


@pytest.mark.parametrize("cloud", BY_ID)
def test_where_a_machine_mounts_its_own_volumes_it_tells_the_member(
    cloud: str,
) -> None:
    """The pod of the machine was asked, and kops says whose group that is."""
    text = (
        row(1, "vol-71")
        + row(2, "vol-72")
        + "$ kubectl exec etcd-manager-main-node-7 -- etcdctl endpoint status\n"
        "https://127.0.0.1:4001, 2a, 3.6.6, 63 MB, true, false, 7, 9, 9, \n\n"
        "ID    NODE-NAME   STATUS     ROLES           INSTANCE-GROUP   MACHINE-TYPE\n"
        "901   node-7      UpToDate   control-plane   cp-b             cx32\n"
    )

    assert names(seen(text, spec(cloud))) == {"vol-71": "not seen", "vol-72": "b"}


def test_on_bare_metal_nothing_is_said_about_names() -> None:
    """Volumes are folders there, called as whoever made the machine likes."""
    found = seen(row(1, "anything"), spec("metal"))

    assert names(found) == {"anything": "not seen"}


def test_a_member_of_either_side_of_a_change_is_known() -> None:
    """One that is to go, and one that is to come."""
    text = row(1, "etcd-a") + row(2, "etcd-b") + row(3, "etcd-c") + row(4, "etcd-d")

    found = seen(text, spec("aws", "ab"), spec("aws", "ac"))

    assert names(found) == {"etcd-a": "a", "etcd-b": "b", "etcd-c": "c", "etcd-d": "no"}


@pytest.mark.parametrize(
    ("cloud", "called"),
    [
        ("aws", f"cp-a.masters.{CLUSTER}"),
        ("gce", "a-cp-a-prod-example-com"),
        ("hetzner", "cp-a"),
        ("openstack", "cp-a"),
    ],
)
def test_a_group_is_found_by_what_its_cloud_calls_it(cloud: str, called: str) -> None:
    """And one that kops lists no machine of has none."""
    text = (
        "ID    NODE-NAME   STATUS     ROLES           INSTANCE-GROUP"
        f"{' ' * 30}MACHINE-TYPE\n"
        f"901   node-7      UpToDate   control-plane   {called:<44}m5\n"
    )

    found = seen(text, spec(cloud))

    machines = {m.group: m.exists for m in found.machines or ()}
    assert machines == {"cp-a": "yes", "cp-b": "no"}


def test_where_kops_finds_no_machine_at_all_none_is_gone() -> None:
    """On Linode it lists none of any group."""
    text = (
        "ID    NODE-NAME   STATUS     ROLES   INSTANCE-GROUP   MACHINE-TYPE\n"
        "901   node-7      UpToDate   node    workers          m5\n"
    )

    found = seen(text, spec("linode"))

    assert [m.exists for m in found.machines or ()] == ["yes"]


def test_every_cloud_is_asked_here() -> None:
    """A new cloud says what its members are called."""
    asked = {*BY_NAME, *BY_ID, "digitalocean", "metal"}

    assert asked == {*CLOUDS}
