"""What ``kopslint plan`` promises: the best order, in full, or none and why."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kopslint.cli.plan import read_back
from kopslint.cli.plan_script import no_way_script
from kopslint.engine import check
from kopslint.findings import Severity
from kopslint.kops.decode import read_fleet
from kopslint.planner.intermediate_specs import written
from kopslint.planner.plan import Options, plan_route
from kopslint.planner.runbook import NoWay, Runbook
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.kops.spec import Manifest
    from kopslint.planner.intermediate_specs import Document

NAME = "c.example.com"
Place = tuple[str, str, str]
"""A member, its group and its zone."""


def places(letters: str, prefix: str = "cp-") -> list[Place]:
    """A member and a group for each letter, the zones by turns."""
    return [(letter, f"{prefix}{letter}", "abc"[ord(letter) % 3]) for letter in letters]


def manifest(
    side: str,
    control_plane: list[Place],
    *,
    nodes: tuple[str, ...] = ("nodes",),
    etcd_clusters: tuple[str, ...] = ("main", "events"),
    etcd_version: str | None = None,
    provider: str | None = None,
    machine: str = "m6i.large",
    sizes: Mapping[str, int] = MappingProxyType({}),
    **spec: object,
) -> Manifest:
    """One side of a change as it is read from ``<side>.yaml``."""
    etcd = [
        {
            "name": name,
            "etcdMembers": [
                {"instanceGroup": group, "name": member}
                for member, group, _ in control_plane
            ],
            **({"version": etcd_version} if etcd_version else {}),
            **({"provider": provider} if provider else {}),
        }
        for name in etcd_clusters
    ]
    cluster = {
        "cloudProvider": "aws",
        "configBase": f"s3://store/{NAME}",
        "etcdClusters": etcd,
        "kubernetesVersion": "1.34.2",
        "networkCIDR": "10.0.0.0/16",
        "networking": {"cilium": {}},
        "nonMasqueradeCIDR": "100.64.0.0/10",
        "subnets": [
            {
                "name": zone,
                "zone": f"us-east-1{zone}",
                "type": "Public",
                "cidr": f"10.0.{number}.0/24",
            }
            for number, zone in enumerate("abc")
        ],
        **spec,
    }
    groups = [
        (group, "Master", sizes.get(group, 1), zone, machine)
        for _, group, zone in control_plane
    ] + [(name, "Node", 2, "a", "m6i.large") for name in nodes]
    documents = [
        {
            "apiVersion": "kops.k8s.io/v1alpha2",
            "kind": "Cluster",
            "metadata": {"name": NAME},
            "spec": cluster,
        },
        *(
            {
                "apiVersion": "kops.k8s.io/v1alpha2",
                "kind": "InstanceGroup",
                "metadata": {"name": name, "labels": {"kops.k8s.io/cluster": NAME}},
                "spec": {
                    "role": role,
                    "minSize": size,
                    "maxSize": size,
                    "machineType": kind,
                    "subnets": [zone],
                },
            }
            for name, role, size, zone, kind in groups
        ),
    ]
    text = yaml.safe_dump_all(documents, sort_keys=False)
    return read_fleet([Source(f"{side}.yaml", text)]).manifests[NAME]


def planned(
    before: Manifest, after: Manifest, options: Options | None = None
) -> Runbook:
    """The runbook, which the check has read back as a whole and found no error in."""
    result = plan_route(before, after, ("after.yaml",), options)
    assert isinstance(result, Runbook), result.reasons
    findings = check(read_back(before, after, result)).findings
    assert [f.message for f in findings if f.severity is Severity.ERROR] == []
    return result


def outline(runbook: Runbook) -> list[str]:
    """Every step in a few words; after a stored spec, who is in etcd main."""
    return [
        " ".join(
            filter(
                None,
                (
                    step.deed.kind,
                    step.deed.etcd_cluster,
                    "+".join(step.after["main"].members)
                    if step.deed.spec
                    else step.deed.about,
                ),
            )
        )
        for step in runbook.steps
    ]


def commands(runbook: Runbook) -> list[str]:
    return [command.text for step in runbook.steps for command in step.deed.commands]


MEMBERS = [
    ("a", "abc", ["apply a+b+c"], 0),
    ("abc", "abcde", ["apply a+b+c+d+e"], 1),
    ("a", "abcde", ["apply a+b+c+d+e"], 0),
    (
        "abcde",
        "abc",
        [
            *("remove events e", "remove main e", "delete cp-e"),
            *("remove events d", "remove main d", "delete cp-d"),
            "apply a+b+c",
        ],
        1,
    ),
    (
        "abc",
        "a",
        [
            *("remove events c", "remove main c", "delete cp-c"),
            *("remove events b", "remove main b", "delete cp-b"),
            "apply a",
        ],
        0,
    ),
    (
        "abc",
        "abd",
        [
            "apply a+b+c+d+interim1",
            *("remove events interim1", "remove main interim1", "delete interim1"),
            *("remove events c", "remove main c", "delete cp-c"),
            "apply a+b+d",
        ],
        1,
    ),
    (
        "abc",
        "def",
        [
            "apply a+b+c+d+e",
            *("remove events c", "remove main c", "delete cp-c"),
            "apply a+b+d+e+f",
            *("remove events b", "remove main b", "delete cp-b"),
            *("remove events a", "remove main a", "delete cp-a"),
            "apply d+e+f",
        ],
        1,
    ),
    (
        "a",
        "b",
        [
            "apply a+b+interim1",
            *("remove events interim1", "remove main interim1", "delete interim1"),
            *("remove events a", "remove main a", "delete cp-a"),
            "apply b",
        ],
        0,
    ),
]


@pytest.mark.parametrize(("before", "after", "steps", "tolerance"), MEMBERS)
def test_members_change_in_the_best_order(
    before: str, after: str, steps: list[str], tolerance: int
) -> None:
    """The leaver goes from every etcd cluster first, then its machine, then the spec.

    New members come first where that keeps one more failure bearable, and stand-ins
    where nothing else does.
    """
    runbook = planned(
        manifest("before", places(before)), manifest("after", places(after))
    )

    assert outline(runbook) == steps
    assert (runbook.tolerance, runbook.outage) == (tolerance, False)


def test_a_member_whose_name_is_taken_over_gets_a_stand_in() -> None:
    """The group moves, the member keeps its name: its old volume must go first."""
    before = manifest("before", places("abc"))
    after = manifest("after", [*places("ab"), ("c", "control-plane-c", "a")])

    runbook = planned(before, after)

    assert outline(runbook) == [
        "apply a+b+c+interim1+interim2",
        *("remove events c", "remove main c", "delete cp-c"),
        "apply a+b+interim1+interim2+interim3",
        *("remove events interim3", "remove main interim3", "delete interim3"),
        "apply a+b+c+interim1+interim2",
        *("remove events interim2", "remove main interim2", "delete interim2"),
        *("remove events interim1", "remove main interim1", "delete interim1"),
        "apply a+b+c",
    ]
    assert runbook.tolerance == 1
    assert commands(runbook)[7:9] == [
        'aws ec2 delete-volume --volume-id "$(volume_id main c cp-c)"',
        'aws ec2 delete-volume --volume-id "$(volume_id events c cp-c)"',
    ]


@pytest.mark.parametrize("field", ["zone", "encryption"])
def test_a_volume_that_cannot_be_changed_is_replaced(field: str) -> None:
    """A zone or encryption changes only with a new volume, so with another member."""
    old = manifest("before", places("abc"))
    place = ("c", "cp-c", "b") if field == "zone" else places("c")[0]
    new = manifest("after", [*places("ab"), place])
    if field == "encryption":
        text = new.sources[0].text
        mark = "    - instanceGroup: cp-c\n      name: c\n"
        assert text.count(mark) == 2
        encrypted = text.replace(mark, f"{mark}      encryptedVolume: true\n")
        new = read_fleet([Source("after.yaml", encrypted)]).manifests[NAME]

    steps = outline(planned(old, new))

    assert steps[:5] == [
        "apply a+b+c+interim1+interim2",
        *("remove events c", "remove main c", "delete cp-c"),
        "apply a+b+interim1+interim2+interim3",
    ]
    assert steps[-1] == "apply a+b+c"


RELEASES = [
    ("1.30.3", "1.30.9", ["roll"], ["rolling-update"]),
    ("1.28.3", "1.30.1", ["roll", "roll"], ["rolling-update", "rolling-update"]),
    ("1.30.3", "1.32.0", ["reconcile", "reconcile"], ["reconcile", "reconcile"]),
    ("1.29.3", "1.31.0", ["roll", "reconcile"], ["rolling-update", "reconcile"]),
]


@pytest.mark.parametrize(("old", "new", "kinds", "verbs"), RELEASES)
def test_kubernetes_goes_one_minor_release_at_a_time(
    old: str, new: str, kinds: list[str], verbs: list[str]
) -> None:
    """Each release has a spec of its own; from 1.31 on kops reconciles."""
    before = manifest("before", places("abc"), kubernetesVersion=old)
    after = manifest("after", places("abc"), kubernetesVersion=new)

    runbook = planned(before, after)

    assert [step.deed.kind for step in runbook.steps] == kinds
    rolling = [
        text.split()[1]
        for text in commands(runbook)
        if "reconcile" in text or "rolling-update" in text
    ]
    assert rolling == verbs
    assert len(runbook.written) == len(kinds) - 1


def test_a_spec_in_between_is_whole_and_at_its_release() -> None:
    before = manifest("before", places("abc"), kubernetesVersion="1.31.4")
    after = manifest("after", places("abc"), kubernetesVersion="1.33.2")

    (spec,) = planned(before, after).written

    assert spec.files == ("step-1.yaml",)
    cluster, *groups = yaml.safe_load_all(spec.text or "")
    assert cluster["spec"]["kubernetesVersion"] == "1.32.0"
    assert [group["metadata"]["name"] for group in groups] == [
        *("cp-a", "cp-b", "cp-c", "nodes"),
    ]


def test_members_change_before_releases() -> None:
    """A new member never has to join etcd of a release that is just changing."""
    before = manifest("before", places("abc"), kubernetesVersion="1.33.4")
    after = manifest("after", places("abcde"), kubernetesVersion="1.34.2")

    runbook = planned(before, after)

    assert outline(runbook) == [
        *("apply a+b+c+d+e", "roll a+b+c+d+e", "reconcile a+b+c+d+e"),
    ]


def test_machines_are_replaced_while_there_are_others() -> None:
    """Three members become one of another machine type without an outage."""
    before = manifest("before", places("abc"))
    after = manifest("after", places("a"), machine="m6i.xlarge")

    runbook = planned(before, after)

    assert outline(runbook)[0] == "roll a+b+c"
    assert outline(runbook)[-1] == "apply a"
    assert not runbook.outage


def test_replacing_the_only_machine_is_said_to_be_an_outage() -> None:
    before = manifest("before", places("a"))
    after = manifest("after", places("a"), machine="m6i.xlarge")

    assert planned(before, after).outage


def test_etcd_goes_one_minor_release_at_a_time() -> None:
    before = manifest("before", places("abc"), etcd_version="3.4.13")
    after = manifest("after", places("abc"), etcd_version="3.6.6")

    runbook = planned(before, after)

    assert [step.deed.kind for step in runbook.steps] == ["roll", "roll"]
    cluster = next(iter(yaml.safe_load_all(runbook.written[0].text or "")))
    versions = [etcd["version"] for etcd in cluster["spec"]["etcdClusters"]]
    assert versions == ["3.5.30", "3.5.30"]


def test_cilium_uses_its_etcd_only_once_it_is_there() -> None:
    before = manifest("before", places("abc"))
    after = manifest(
        "after",
        places("abc"),
        etcd_clusters=("main", "events", "cilium"),
        networking={"cilium": {"etcdManaged": True}},
    )

    runbook = planned(before, after)

    cluster = next(iter(yaml.safe_load_all(runbook.written[0].text or "")))
    assert [etcd["name"] for etcd in cluster["spec"]["etcdClusters"]] == [
        *("main", "events", "cilium"),
    ]
    assert cluster["spec"]["networking"] == {"cilium": {}}
    assert [step.deed.kind for step in runbook.steps] == ["roll", "roll"]


def test_nodes_are_drained_before_their_group_is_deleted() -> None:
    before = manifest("before", places("abc"), nodes=("old",))
    after = manifest("after", places("abc"), nodes=("new",))

    assert commands(planned(before, after)) == [
        "kops replace --force -f after.yaml",
        f"kops update cluster --name {NAME} --yes",
        f"kops validate cluster --name {NAME} --wait 15m",
        'kubectl --context "$CONTEXT" cordon --selector kops.k8s.io/instancegroup=old',
        (
            'kubectl --context "$CONTEXT" drain '
            "--selector kops.k8s.io/instancegroup=old "
            "--ignore-daemonsets --delete-emptydir-data"
        ),
        f"kops delete ig old --name {NAME} --yes",
        f"kops validate cluster --name {NAME} --wait 15m",
    ]


def test_subnets_go_after_the_groups_in_them() -> None:
    """Kops refuses a group whose subnet is gone, so the groups are deleted first."""
    before = manifest("before", places("bc"[:1]), nodes=("old", "kept"))
    text = before.sources[0].text
    cluster, *groups = yaml.safe_load_all(text)
    cluster["spec"]["subnets"] = cluster["spec"]["subnets"][1:]
    groups = [g for g in groups if g["metadata"]["name"] != "old"]
    groups[-1]["spec"]["subnets"] = ["b"]
    after_text = yaml.safe_dump_all([cluster, *groups], sort_keys=False)
    after = read_fleet([Source("after.yaml", after_text)]).manifests[NAME]

    runbook = planned(before, after)

    kinds = [(step.deed.kind, step.deed.about) for step in runbook.steps]
    assert kinds[-2:] == [("retire", "old"), ("apply", "after.yaml")]


def test_terraform_applies_what_kops_writes() -> None:
    before = manifest("before", places("abc"))
    after = manifest("after", places("abcde"))

    assert commands(planned(before, after, Options(terraform=True))) == [
        "kops replace --force -f after.yaml",
        f"kops update cluster --name {NAME} --target terraform --out .",
        "terraform apply",
        f"kops validate cluster --name {NAME} --wait 15m",
    ]


ADDRESSES = {
    "aws": (
        "aws_autoscaling_group.cp-a-masters-c-example-com",
        "aws_s3_object",
    ),
    "gce": (
        "google_compute_instance_group_manager.a-cp-a-c-example-com",
        "google_storage_bucket_object",
    ),
    "azure": (
        "azurerm_linux_virtual_machine_scale_set.cp-a-masters-c-example-com",
        "azurerm_storage_blob",
    ),
}


@pytest.mark.parametrize("cloud", ADDRESSES)
def test_terraform_upgrades_the_control_plane_before_the_nodes(cloud: str) -> None:
    """A node must not start with a newer kubelet than the API servers have.

    What a new machine reads goes with its group: it compares a hash.
    """
    network = [{"name": "b", "zone": "us-east1-a", "type": "Public", "region": "r"}]
    spec: dict[str, Any] = {"cloudProvider": cloud, "subnets": network}
    before = manifest("before", places("a"), kubernetesVersion="1.33.4", **spec)
    after = manifest("after", places("a"), **spec)
    group, kind = ADDRESSES[cloud]

    result = plan_route(before, after, ("after.yaml",), Options(terraform=True))

    assert isinstance(result, Runbook)
    found = check(read_back(before, after, result, "")).findings
    assert "kubelet-newer-than-control-plane" not in {f.name for f in found}
    assert commands(result) == [
        "kops replace --force -f after.yaml",
        f"kops update cluster --name {NAME} --target terraform --out .",
        (
            f"terraform apply \\\n  -target {group}"
            f" \\\n  -target {kind}.nodeupconfig-cp-a"
            f" \\\n  -target {kind}.manifests-etcdmanager-main-cp-a"
            f" \\\n  -target {kind}.manifests-etcdmanager-events-cp-a"
        ),
        (
            f"kops rolling-update cluster --name {NAME} "
            "--instance-group-roles control-plane,apiserver --yes"
        ),
        f"kops update cluster --name {NAME} --target terraform --out .",
        "terraform apply",
        f"kops rolling-update cluster --name {NAME} --yes",
        f"kops validate cluster --name {NAME} --wait 15m",
    ]


@pytest.mark.parametrize(
    ("cloud", "reason"),
    [
        ("openstack", "kops has no terraform target for openstack"),
        ("hetzner", "on hetzner a rolling update creates the new machines itself"),
    ],
)
def test_where_terraform_cannot_follow_there_is_no_plan(
    cloud: str, reason: str
) -> None:
    before = manifest("before", places("a"), cloudProvider=cloud)
    after = manifest(
        "after", places("a"), kubernetesVersion="1.35.0", cloudProvider=cloud
    )

    result = plan_route(before, after, ("after.yaml",), Options(terraform=True))

    assert isinstance(result, NoWay)
    assert result.reasons[0].startswith(reason)
    assert result.etcd_clusters == ()


def test_what_the_steps_do_not_say_is_noted() -> None:
    """Volumes are left for people to delete, and a lower count is not read at once."""
    before, after = manifest("before", places("abc")), manifest("after", places("a"))

    volumes, count = planned(before, after).notes

    assert volumes.startswith("The etcd volumes of cp-c, cp-b stay behind in the cloud")
    assert count.startswith(
        "etcd-manager reads the lower count at its next leader change"
    )


def test_a_stand_in_is_said_to_be_one() -> None:
    before, after = manifest("before", places("a")), manifest("after", places("b"))

    assert planned(before, after).notes[0] == (
        "interim1: temporary, to keep quorum; removed at the end."
    )


def test_equal_sides_need_nothing() -> None:
    side = manifest("before", places("abc"))

    assert planned(side, manifest("after", places("abc"))).steps == ()


NO_WAYS = [
    (
        manifest("after", places("ab")),
        (
            'kops refuses the spec after: etcd cluster "main" has 2 members: should be '
            "an odd number of control-plane-zones for quorum"
        ),
        False,
    ),
    (
        manifest("after", places("abc"), etcd_clusters=("main",)),
        (
            "kops refuses the change: spec.etcdClusters[events]: EtcdClusters cannot "
            "be removed"
        ),
        False,
    ),
    (
        manifest("after", places("abc"), nodes=()),
        "kops refuses the spec after: must configure at least one Node InstanceGroup",
        False,
    ),
    (
        manifest("after", places("abc"), etcd_version="3.4.13"),
        (
            "etcd cannot go from 3.5.9 to 3.4.13 in place: etcd-manager stops every"
            " member and restores a backup"
        ),
        True,
    ),
    (
        manifest("after", places("abc"), kubernetesVersion="1.33.0"),
        "Kubernetes cannot be downgraded from 1.34 to 1.33",
        True,
    ),
]


@pytest.mark.parametrize(("after", "reason", "restorable"), NO_WAYS)
def test_what_no_order_brings_about_is_said(
    after: Manifest, reason: str, restorable: bool
) -> None:
    before = manifest("before", places("abc"), etcd_version="3.5.9")

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.reasons[0] == reason
    assert bool(result.etcd_clusters) is restorable


def test_a_spec_that_kops_cannot_read_is_not_planned() -> None:
    """Unquoted, ``n`` is a boolean to kops; quoted, it is a name as any other."""
    renamed = [("n", "cp-a", "a")]
    before, after = manifest("before", places("a")), manifest("after", renamed)

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.reasons[0] == (
        "kops cannot read the spec after: spec.etcdClusters[0].etcdMembers[0].name"
        " must be text, but is true or false (after.yaml:12:13)"
    )


def test_names_in_specs_in_between_are_quoted_as_kops_needs_them() -> None:
    """PyYAML would write the text n, and 1e3, without quotes."""
    document: Document = {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "Cluster",
        "metadata": {"name": NAME},
        "spec": {"cloudLabels": {"kind": "n", "size": "1e3", "mode": "0777", "v": "1"}},
    }

    spec = written("step-1.yaml", [document], ())

    assert spec.manifest.cluster is not None
    assert spec.manifest.cluster.node.plain == document


def test_a_spec_that_no_cluster_can_run_is_no_start() -> None:
    """A plan starts from a healthy cluster, and this one cannot exist."""
    after = manifest("after", places("abc"))

    result = plan_route(manifest("before", places("ab")), after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.reasons[0].startswith(
        "no cluster can be running the spec before, because kops refuses it:"
        ' etcd cluster "main" has 2'
    )
    assert result.etcd_clusters == ()


CLOUDS = [
    ("aws", 'aws ec2 delete-volume --volume-id "$(volume_id main c cp-c)"'),
    ("gce", 'gcloud compute disks delete "$(volume_id main c cp-c)" --quiet'),
    ("openstack", 'openstack volume delete "$(volume_id main c cp-c)"'),
    ("hetzner", 'hcloud volume delete "$(volume_id main c cp-c)"'),
    ("scaleway", 'scw instance volume delete "$(volume_id main c cp-c)"'),
]


@pytest.mark.parametrize(("cloud", "command"), CLOUDS)
def test_old_volumes_are_deleted_where_a_new_machine_would_mount_them(
    cloud: str, command: str
) -> None:
    """Each cloud has its own command; all of them come after the group is gone."""
    before = manifest("before", places("abc"), cloudProvider=cloud)
    moved = [*places("ab"), ("c", "control-plane-c", "a")]
    after = manifest("after", moved, cloudProvider=cloud)

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, Runbook)
    deletion = next(s.deed for s in result.steps if s.deed.about == "cp-c")
    assert [c.text for c in deletion.commands] == [
        f"kops delete ig cp-c --name {NAME} --yes",
        f"kops validate cluster --name {NAME} --wait 15m",
        command,
        command.replace("main", "events"),
    ]


@pytest.mark.parametrize("cloud", ["azure", "digitalocean", "linode"])
def test_where_kops_deletes_no_group_the_plan_says_so(cloud: str) -> None:
    """Before any member is taken out: the deletion would be refused behind it."""
    before = manifest("before", places("abcde"), cloudProvider=cloud)
    after = manifest("after", places("abc"), cloudProvider=cloud)

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    (reason,) = result.reasons
    assert reason.startswith(f"cp-d, cp-e would have to be deleted on {cloud}")


def test_what_kops_would_not_store_ends_the_planning() -> None:
    """``kops replace`` stops at a kind that it does not know, half-way."""
    before = manifest("before", places("abcde"))
    text = manifest("after", places("abc")).sources[0].text
    other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"
    (after,) = read_fleet([Source("after.yaml", text + other)]).manifests.values()

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert "the ConfigMap in after.yaml:" in result.reasons[0]


def test_where_machines_are_not_known_nothing_is_planned() -> None:
    before = manifest("before", places("abc"), cloudProvider="metal")
    after = manifest("after", places("abd"), cloudProvider="metal")

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.reasons == (
        "kopslint does not know what happens to machines and volumes on metal",
    )
    assert result.etcd_clusters == ()


def test_a_control_plane_group_becomes_nodes_by_way_of_its_deletion() -> None:
    """In place, kops would make a second group and leave the old machine running."""
    before = manifest("before", places("abcde"))
    after = manifest("after", places("abc"), nodes=("nodes", "cp-d", "cp-e"))

    runbook = planned(before, after)

    assert outline(runbook) == [
        *("remove events e", "remove main e", "delete cp-e"),
        *("remove events d", "remove main d", "delete cp-d"),
        "apply a+b+c",
    ]
    assert "It comes back as a worker group" in runbook.steps[2].deed.reason


def test_nodes_make_way_for_a_control_plane_of_their_name() -> None:
    before = manifest("before", places("a"), nodes=("nodes", "cp-b"))
    after = manifest("after", places("abc"))

    assert outline(planned(before, after)) == ["retire cp-b", "apply a+b+c"]


SIZES = [
    (
        "after",
        (
            "the spec after asks for no machine in cp-c: an etcd member without a"
            " machine counts against quorum forever. If it should stay, set minSize"
            " and maxSize to 1; otherwise remove it from every etcd cluster, and its"
            " group from the spec"
        ),
    ),
    (
        "before",
        (
            "the spec before asks for no machine in cp-c, but a plan starts from a"
            " cluster whose members all run: set minSize and maxSize to 1 there,"
            " apply that, then plan from it"
        ),
    ),
]


@pytest.mark.parametrize(("side", "reason"), SIZES)
def test_a_member_without_a_machine_is_a_matter_of_the_spec(
    side: str, reason: str
) -> None:
    """No order and no restore gives a group of size 0 a machine."""
    sides = {name: manifest(name, places("abc")) for name in ("before", "after")}
    sides[side] = manifest(side, places("abc"), sizes={"cp-c": 0})

    result = plan_route(sides["before"], sides["after"], ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.reasons == (reason,)
    assert result.etcd_clusters == ()


def test_nothing_is_planned_for_members_that_nobody_adds() -> None:
    """Without etcd-manager no order of kops commands brings a member in."""
    before, after = (
        manifest(
            side,
            places(zones),
            provider="Legacy",
            kubernetesVersion="1.11.10",
            networking={"kubenet": {}},
        )
        for side, zones in (("before", "a"), ("after", "abc"))
    )

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert "provider: Legacy has no etcd-manager" in result.reasons[0]


def test_members_of_two_kinds_are_replaced_at_once() -> None:
    """They cannot form a quorum together: kops documents an outage, and a short one."""
    before, after = (
        manifest(
            side,
            places("abc"),
            provider=provider,
            kubernetesVersion="1.11.10",
            networking={"kubenet": {}},
        )
        for side, provider in (("before", "Legacy"), ("after", "Manager"))
    )

    runbook = planned(before, after)

    assert runbook.outage
    assert commands(runbook)[2:] == [
        (
            f"kops rolling-update cluster --name {NAME} --cloudonly "
            "--instance-group-roles master --master-interval=1s --yes"
        ),
        f"kops validate cluster --name {NAME} --wait 15m",
        f"kops rolling-update cluster --name {NAME} --yes",
        f"kops validate cluster --name {NAME} --wait 15m",
    ]


def test_a_patch_release_of_etcd_may_go_back() -> None:
    """etcd-manager swaps releases in place as long as the minor one does not fall."""
    before = manifest("before", places("abc"), etcd_version="3.5.24")
    after = manifest("after", places("abc"), etcd_version="3.5.21")

    assert outline(planned(before, after)) == ["roll a+b+c"]


def test_a_search_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not having found an order is then no proof that there is none."""
    monkeypatch.setattr("kopslint.planner.search.MAX_POSITIONS", 3)
    before, after = manifest("before", places("abcde")), manifest("after", places("a"))

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.cut


@pytest.mark.parametrize(
    ("base", "store"),
    [(f"s3://store/{NAME}", "s3://store"), ("s3://other/place", None)],
)
def test_the_state_store_is_what_the_cluster_lies_in(
    base: str, store: str | None
) -> None:
    before = manifest("before", places("a"), configBase=base)
    after = manifest("after", places("abc"), configBase=base)

    assert planned(before, after).store == store


@pytest.mark.parametrize(
    ("machine", "wiped"), [("m6i.large", False), ("m7i.large", True)]
)
def test_a_machine_that_is_replaced_must_not_find_the_volume_of_one_that_left(
    machine: str, wiped: bool
) -> None:
    """On AWS it mounts any etcd volume of its zone: those go before it does."""
    before = manifest(
        "before", [*places("abc"), ("d", "cp-d", "a"), ("e", "cp-e", "b")]
    )
    after = manifest("after", places("abc"), machine=machine)

    texts = commands(planned(before, after))

    assert any("delete-volume" in text for text in texts) is wiped


def test_from_etcd_36_to_35_the_procedure_loses_nothing() -> None:
    """etcd-manager copies key by key: no loss in the recorded runs of that step."""
    before = manifest("before", places("abc"), etcd_version="3.6.5")
    after = manifest("after", places("abc"), etcd_version="3.5.21")

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    text = no_way_script(result)
    assert "No test run lost a write" in " ".join(text.replace("#", " ").split())
    assert "restore-backup" not in text
    assert "loses every write" not in text


def test_a_restore_is_queued_in_the_store_that_the_spec_names() -> None:
    own = manifest("before", places("abc")).sources[0].text
    own = own.replace("name: main", "name: main\n    backups: {backupStore: s3://own}")
    (before,) = read_fleet([Source("before.yaml", own)]).manifests.values()
    after = manifest("after", places("abc"), kubernetesVersion="1.33.0")

    result = plan_route(before, after, ("after.yaml",))

    assert isinstance(result, NoWay)
    assert result.backups[0] == "s3://own"
    text = no_way_script(result)
    assert "--backup-store=s3://own restore-backup" in text


def test_five_groups_under_other_names_are_planned_and_read_back() -> None:
    """The longest script that people ask for: the check has to follow all of it."""
    before = manifest("before", places("abcde"))
    after = manifest("after", places("abcde", "other-"))

    runbook = planned(before, after)
    told = check(read_back(before, after, runbook)).findings

    assert len(runbook.steps) == 36
    assert not {f.rule for f in told} & {"KL901"}
