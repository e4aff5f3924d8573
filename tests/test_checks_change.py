"""Risky changes and command lists: what is told, how bad it is, and where.

The examples of the rules show whole findings; here are the borders of each rule.
"""

from __future__ import annotations

import pytest
from removal_lines import removal

from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.text import Source

HEAD = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {name: demo.example.com}
spec:
  cloudProvider: aws
  configBase: s3://state/demo.example.com
  kubernetesVersion: 1.32.4
  networkCIDR: 10.0.0.0/16
  nonMasqueradeCIDR: 100.64.0.0/10
  networking: {calico: {}}
  subnets:
  - {name: a, zone: us-east-1a, cidr: 10.0.0.0/24, type: Private}
  - {name: b, zone: us-east-1b, cidr: 10.0.1.0/24, type: Private}
  - {name: c, zone: us-east-1c, cidr: 10.0.2.0/24, type: Private}
"""
ETCD = """\
  etcdClusters:
  - name: main
    etcdMembers:
    - {name: a, instanceGroup: master-a}
    - {name: b, instanceGroup: master-b}
    - {name: c, instanceGroup: master-c}
  - name: events
    etcdMembers:
    - {name: a, instanceGroup: master-a}
    - {name: b, instanceGroup: master-b}
    - {name: c, instanceGroup: master-c}
"""
ALPHA3 = """\
apiVersion: kops.k8s.io/v1alpha3
kind: Cluster
metadata: {name: demo.example.com}
spec:
  cloudProvider: {aws: {}}
  configStore: {base: s3://state/demo.example.com}
  kubernetesVersion: 1.32.4
  networking:
    calico: {}
    networkCIDR: 10.0.0.0/16
    nonMasqueradeCIDR: 100.64.0.0/10
    subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/24, type: Private}
"""


def group(name: str, role: str, subnet: str, size: int = 1) -> str:
    return f"""\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: {name}, labels: {{kops.k8s.io/cluster: demo.example.com}}}}
spec: {{role: {role}, minSize: {size}, maxSize: {size}, subnets: [{subnet}]}}
"""


CLUSTER = HEAD + ETCD
WHOLE = (
    CLUSTER
    + "".join(group(f"master-{zone}", "ControlPlane", zone) for zone in "abc")
    + group("nodes", "Node", "a", 5)
)

Told = list[tuple[str, str]]
"""Severity and place of each finding."""


def edited(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def told(rule: str, before: str | None, after: str, commands: str = "") -> Told:
    """What a rule says about a change and a command list."""
    report = check(
        Request(
            before=(Source("before.yaml", before),) if before is not None else None,
            after=(Source("after.yaml", after),),
            commands=(Source("commands.sh", commands),) if commands else (),
        )
    )
    return [
        (finding.severity.value, str(finding.locations[0].span))
        for finding in report.findings
        if finding.rule == rule
    ]


def ran(rule: str, commands: str, before: str = WHOLE, after: str = WHOLE) -> Told:
    """What a rule says about a list of commands on the whole cluster."""
    return told(rule, before, after, commands)


MEMBER_A = "{name: a, instanceGroup: master-a"


def member(fields: str, text: str = CLUSTER) -> str:
    """The spec with more fields for the members called a."""
    return edited(text, (f"{MEMBER_A}}}", f"{MEMBER_A}, {fields}}}"))


VOLUMES = {
    "smaller": ("volumeSize: 40", "volumeSize: 39", "KL206", "warning"),
    "smaller than the default": ("", "volumeSize: 19", "KL206", "warning"),
    "the default again": ("volumeSize: 40", "", "KL206", "warning"),
    "larger": ("volumeSize: 40", "volumeSize: 41", "KL206", None),
    "the default written out": ("", "volumeSize: 20", "KL206", None),
    "encrypted": ("", "encryptedVolume: true", "KL207", "error"),
    "no longer encrypted": ("encryptedVolume: true", "", "KL207", "error"),
    "not encrypted, written out": ("", "encryptedVolume: false", "KL207", None),
    "another key": ("kmsKeyId: k1", "kmsKeyId: k2", "KL207", "error"),
    "the same key in v1alpha3": ("kmsKeyId: k1", "kmsKeyID: k1", "KL207", None),
    "another type": ("volumeType: gp2", "volumeType: gp3", "KL207", None),
}


@pytest.mark.parametrize(
    ("old", "new", "rule", "severity"), VOLUMES.values(), ids=VOLUMES
)
def test_what_cannot_be_changed_about_a_volume_that_exists(
    old: str, new: str, rule: str, severity: str | None
) -> None:
    """One mistake made in main and in events is told once, where main has it."""
    before = member(old) if old else CLUSTER
    after = member(new) if new else CLUSTER

    found = told(rule, before, after)

    assert [severity for severity, _ in found] == ([severity] if severity else [])
    if found:
        assert found[0][1].startswith("after.yaml:18:")


def test_encryption_with_its_key_is_one_finding() -> None:
    after = member("encryptedVolume: true, kmsKeyId: k1")

    assert told("KL207", CLUSTER, after) == [("error", "after.yaml:18:59")]


def test_a_new_member_may_have_any_volume() -> None:
    """Only what exists cannot be changed."""
    old = edited(CLUSTER, ("    - {name: c, instanceGroup: master-c}\n", ""))
    new = edited(CLUSTER, ("master-c}", "master-c, encryptedVolume: true}"))

    assert told("KL207", old, new) == []


ETCD_VERSIONS = {
    ("3.4.13", "3.6.4"): "error",
    ("3.5.21", "3.6.4"): None,
    ("3.5.21", "3.5.9"): None,
    ("v3.5.21", "3.5.21"): None,
    ("3.6.4", "3.5.21"): "error",
    ("2.2.1", "3.2.24"): "error",
    ("3.5.21", "latest"): None,
    ("3.5.21", ""): None,
    ("", "3.6.4"): None,
}


def with_etcd(version: str, text: str = CLUSTER) -> str:
    if not version:
        return text
    line = f"    version: {version}\n    etcdMembers:\n"
    return edited(text, ("    etcdMembers:\n", line))


@pytest.mark.parametrize(("versions", "severity"), ETCD_VERSIONS.items())
def test_etcd_goes_up_by_one_minor_release_at_most(
    versions: tuple[str, str], severity: str | None
) -> None:
    before, after = map(with_etcd, versions)

    expected = [(severity, "after.yaml:17:14")] if severity else []
    assert told("KL208", before, after) == expected


OUTAGE = (
    "kops replace -f after.yaml\n"
    "kops update cluster --yes\n"
    "kops rolling-update cluster --cloudonly --instance-group-roles master"
    " --master-interval=1s --yes\n"
)


def old_cluster(version: str, etcd: str = "") -> str:
    """The whole cluster with another Kubernetes, and a field for every etcd."""
    text = edited(WHOLE, ("kubernetesVersion: 1.32.4", f"kubernetesVersion: {version}"))
    if etcd:
        text = edited(text, ("    etcdMembers:", f"    {etcd}\n    etcdMembers:"))
    return text


def test_the_documented_outage_makes_etcd_3_a_warning() -> None:
    """It is for 2.2.1 alone, the one release that etcd-manager can start."""
    after = old_cluster("1.12.10", "version: 3.2.24")

    def severities(version: str, rule: str) -> list[str]:
        before = old_cluster("1.12.10", f"version: {version}")
        return [severity for severity, _ in told(rule, before, after, OUTAGE)]

    assert severities("2.2.1", "KL208") == ["warning"]
    assert severities("2.2.1", "KL310") == ["warning"]
    assert severities("2.3.7", "KL208") == ["error"]


PROVIDERS = {
    "with the outage": ("1.11.9", "1.12.10", OUTAGE, "warning"),
    "one by one": ("1.11.9", "1.12.10", OUTAGE.replace(" --cloudonly", ""), "error"),
    "without commands": ("1.11.9", "1.12.10", "", "warning"),
    "long ago": ("1.12.10", "1.13.9", "", None),
}


@pytest.mark.parametrize(
    ("old", "new", "commands", "severity"), PROVIDERS.values(), ids=PROVIDERS
)
def test_etcd_manager_takes_over_with_kubernetes_1_12(
    old: str, new: str, commands: str, severity: str | None
) -> None:
    """The spec need not say a word about it; the place is then the etcd cluster."""
    found = told("KL209", old_cluster(old), old_cluster(new), commands)

    assert found == ([(severity, "after.yaml:16:11")] if severity else [])


@pytest.mark.parametrize(
    ("old", "new", "severities"),
    [
        ("provider: Legacy", "provider: Manager", ["warning"]),
        ("provider: Manager", "provider: Legacy", ["error"]),
        ("", "provider: Manager", []),
        ("provider: Legacy", "{provider: Legacy, enableEtcdTLS: true}", ["warning"]),
        ("provider: Manager", "{provider: Manager, enableEtcdTLS: true}", []),
    ],
)
def test_tls_matters_only_without_etcd_manager(
    old: str, new: str, severities: list[str]
) -> None:
    lines = new.strip("{}").replace(", ", "\n    ")
    before, after = old_cluster("1.14.10", old), old_cluster("1.14.10", lines)

    assert [severity for severity, _ in told("KL209", before, after)] == severities


MAIN = "  - name: main\n"
STORE = "s3://state/demo.example.com/backups/etcd/main"


@pytest.mark.parametrize(
    ("store", "places"),
    [
        (STORE, []),
        (f"{STORE}/", []),
        ("s3://elsewhere/main", ["after.yaml:17:28"]),
    ],
)
def test_a_backup_store_written_out_is_compared_with_the_default(
    store: str, places: list[str]
) -> None:
    line = f"{MAIN}    backups: {{backupStore: {store}}}\n"
    after = edited(CLUSTER, (MAIN, line))

    assert [place for _, place in told("KL210", CLUSTER, after)] == places


def test_an_unknown_state_store_may_be_any() -> None:
    """The default is known to end with the cluster, whatever stands in front."""
    before = edited(CLUSTER, ("  configBase: s3://state/demo.example.com\n", ""))

    def moved(store: str) -> Told:
        line = f"{MAIN}    backups: {{backupStore: {store}}}\n"
        return told("KL210", before, edited(before, (MAIN, line)))

    assert moved(STORE) == []
    assert moved("s3://elsewhere/main") == [("error", "after.yaml:16:28")]


def test_the_state_store_of_v1alpha3_is_in_another_place() -> None:
    before = ALPHA3 + ETCD
    after = edited(before, ("base: s3://state/", "base: s3://state-2/"))

    assert told("KL210", before, after) == [("error", "after.yaml:6:23")]


@pytest.mark.parametrize(
    ("names", "severities"),
    [("abc", []), ("abd", []), ("ade", []), ("def", ["error"])],
)
def test_one_old_voter_has_to_stay(names: str, severities: list[str]) -> None:
    edits = [
        (f"{{name: {old}, instanceGroup: master-{old}}}", f"NEW-{new}")
        for old, new in zip("abc", names, strict=True)
    ]
    after = edited(
        edited(CLUSTER, *edits),
        *(
            (f"NEW-{new}", f"{{name: {new}, instanceGroup: master-{new}}}")
            for new in names
        ),
    )

    assert [severity for severity, _ in told("KL212", CLUSTER, after)] == severities


NETWORKS = {
    "networkCIDR": (("10.0.0.0/16", "10.0.0.0/15"), "error", "8:16"),
    "nonMasqueradeCIDR": (("100.64.0.0/10", "100.0.0.0/10"), "error", "9:22"),
    "a subnet": (("10.0.1.0/24", "10.0.8.0/24"), "error", "13:39"),
    "subnets that trade": (
        ("10.0.1.0/24, type: Private}\n", "10.0.2.0/24, type: Private}\n"),
        "warning",
        "13:39",
    ),
    "an id for a subnet": (
        ("10.0.1.0/24, type: Private", "10.0.1.0/24, type: Private, id: subnet-1"),
        "warning",
        "13:71",
    ),
    "an id for the network": (
        ("  networkCIDR:", "  networkID: vpc-1\n  networkCIDR:"),
        "warning",
        "8:14",
    ),
}


@pytest.mark.parametrize(("edit", "severity", "place"), NETWORKS.values(), ids=NETWORKS)
def test_a_range_in_use_is_not_changed(
    edit: tuple[str, str], severity: str, place: str
) -> None:
    after = edited(CLUSTER, edit)

    assert told("KL215", CLUSTER, after) == [(severity, f"after.yaml:{place}")]


@pytest.mark.parametrize(
    ("line", "severities"),
    [
        ("serviceClusterIPRange: 100.64.0.0/13", []),
        ("serviceClusterIPRange: 100.72.0.0/13", ["error"]),
        ("podCIDR: 100.96.0.0/11", []),
        ("podCIDR: 100.112.0.0/12", ["error"]),
    ],
)
def test_a_range_written_out_is_compared_with_what_kops_derives(
    line: str, severities: list[str]
) -> None:
    after = edited(CLUSTER, ("  networkCIDR:", f"  {line}\n  networkCIDR:"))

    assert [severity for severity, _ in told("KL215", CLUSTER, after)] == severities


def test_networking_of_v1alpha3_is_below_networking() -> None:
    before = ALPHA3 + ETCD
    after = edited(before, ("100.64.0.0/10", "100.0.0.0/10"))

    assert told("KL215", before, after) == [("error", "after.yaml:11:24")]


def test_the_two_api_versions_are_one_network() -> None:
    """A spec that is only converted changes nothing."""
    one_subnet = HEAD[: HEAD.index("  - {name: b")] + ETCD

    assert told("KL215", one_subnet, ALPHA3 + ETCD) == []
    assert told("KL216", one_subnet, ALPHA3 + ETCD) == []


PODS = {
    ("calico: {}", "cilium: {}"): "error",
    ("calico: {}", "kubenet: {}"): "error",
    ("kubenet: {}", "weave: {}"): "warning",
    ("amazonvpc: {}", "amazonVPC: {}"): None,
    ("gce: {}", "gcp: {}"): None,
    ("calico: {}", "calico: {mtu: 8981}"): None,
    ("cni: calico", "calico: {}"): None,
    ("cni: ", "calico: {}"): "error",
    ("calico: {}", ""): None,
}


@pytest.mark.parametrize(("providers", "severity"), PODS.items())
def test_pods_keep_their_network(
    providers: tuple[str, str], severity: str | None
) -> None:
    before, after = (edited(CLUSTER, ("calico: {}", text)) for text in providers)

    expected = [(severity, "after.yaml:10:16")] if severity else []
    assert told("KL216", before, after) == expected


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("1.29.9", "1.31.4", [("KL218", "warning")]),
        ("1.30.9", "1.31.4", []),
        ("v1.31.0", "1.31.9", []),
        ("1.31.9", "1.31.0", []),
        ("1.31.9", "1.30.9", [("KL219", "error")]),
        ("1.31.9", "https://storage.example.com/release/v1.33.0", []),
    ],
)
def test_kubernetes_goes_up_by_one_minor_release_at_most(
    old: str, new: str, found: list[tuple[str, str]]
) -> None:
    before, after = (edited(CLUSTER, ("1.32.4", version)) for version in (old, new))

    for rule in ("KL218", "KL219"):
        expected = [(s, "after.yaml:7:22") for name, s in found if name == rule]
        assert told(rule, before, after) == expected


@pytest.mark.parametrize(
    ("fields", "severities"),
    [
        ('maxPrice: "0.1"', ["warning"]),
        ("gcpProvisioningModel: SPOT", ["warning"]),
        ("gcpProvisioningModel: STANDARD", []),
        ("mixedInstancesPolicy: {onDemandAboveBase: 0}", ["warning"]),
        ("mixedInstancesPolicy: {onDemandBase: 1, onDemandAboveBase: 0}", []),
        ("mixedInstancesPolicy: {instances: [m6i.large]}", []),
    ],
)
def test_a_control_plane_machine_is_bought_on_demand(
    fields: str, severities: list[str]
) -> None:
    place = "subnets: [b]"
    after = edited(WHOLE, (place, f"{place}, {fields}"))

    assert [severity for severity, _ in told("KL220", None, after)] == severities


SIZES = "minSize: 5, maxSize: 5"


@pytest.mark.parametrize(
    ("sizes", "spec", "found"),
    [
        ("minSize: 4, maxSize: 5", "", [("warning", "after.yaml:45:29")]),
        ("minSize: 5, maxSize: 9", "", []),
        ("minSize: 1, maxSize: 5", "  clusterAutoscaler: {enabled: true}\n", []),
        (
            "minSize: 1, maxSize: 4",
            "  clusterAutoscaler: {enabled: true}\n",
            [("warning", "after.yaml:46:41")],
        ),
    ],
)
def test_workers_are_drained_before_they_go(sizes: str, spec: str, found: Told) -> None:
    """An autoscaler drains what it takes away between the bounds."""
    before = edited(WHOLE, ("  networkCIDR:", f"{spec}  networkCIDR:"))
    after = edited(before, (SIZES, sizes))

    assert told("KL222", before, after) == found
    assert told("KL222", before, after, "kubectl drain ip-1 ip-2\n") == []


DELETES = 'aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_MAIN"\n'
DELETE = "aws ec2 delete-volume --volume-id {}\n"
TERMINATE = "aws ec2 terminate-instances --instance-ids {}\n"
ASG_EMPTIED = (
    "aws autoscaling update-auto-scaling-group --min-size 0 --max-size 0 "
    "--auto-scaling-group-name master-c.masters.demo.example.com\n"
)
TAGS = 'aws ec2 create-tags --resources "$ETCD_VOL" --tags Key={},Value=x\n'
BY_ID = "etcdctl --endpoints https://127.0.0.1:{} member remove 8e9e05c52164694d\n"
IN_MAIN, IN_EVENTS = BY_ID.format(4001), BY_ID.format(4002)
VOLUME_LISTS = {
    "deleted": (DELETES, [("error", "commands.sh:1:1")]),
    "member of main removed": (f"{IN_MAIN}{DELETES}", []),
    "member of events removed": (
        f"{IN_EVENTS}{DELETES}",
        [("error", "commands.sh:2:1")],
    ),
    "before a restore": (
        (
            f"{DELETES}etcd-manager-ctl --backup-store=s3://b/backups/etcd/main"
            " restore-backup B\n"
        ),
        [("warning", "commands.sh:1:1")],
    ),
    "after the cluster": (f"kops delete cluster --yes\n{DELETES}", []),
    "of main and of events": (
        DELETE.format("$VOL_MAIN") + DELETE.format("$VOL_EVENTS"),
        [("error", "commands.sh:1:1")],
    ),
    "of main, of whatever": (DELETE.format("$MAIN_DB"), []),
    "of events alone": (DELETE.format("$C_EVENTS"), [("warning", "commands.sh:1:1")]),
    "beside a machine of the control plane": (
        TERMINATE.format("$MASTER_C") + DELETE.format("$VOL"),
        [("warning", "commands.sh:2:1")],
    ),
    "beside any machine": (
        TERMINATE.format("$OLD") + DELETE.format("$VOL"),
        [("warning", "commands.sh:2:1")],
    ),
    "of a group without a machine": (
        ASG_EMPTIED + DELETE.format("vol-0c1"),
        [("warning", "commands.sh:2:1")],
    ),
    "of anything": (DELETE.format("$VOL"), [("warning", "commands.sh:1:1")]),
    "of a persistent volume": (DELETE.format("$PVC_VOLUME"), []),
    "of something else": ('aws ec2 delete-volume --volume-id "$OLD_LOGS"\n', []),
    "found by its name": (TAGS.format("Name"), [("error", "commands.sh:1:1")]),
    "found by its etcd tag": (
        TAGS.format("k8s.io/etcd/main"),
        [("error", "commands.sh:1:1")],
    ),
    "marked for the bill": (TAGS.format("CostCenter"), []),
}


@pytest.mark.parametrize(("commands", "found"), VOLUME_LISTS.values(), ids=VOLUME_LISTS)
def test_a_volume_outlives_the_membership(commands: str, found: Told) -> None:
    assert ran("KL308", commands) == found


FILTER = "--instance-group-roles control-plane,apiserver"
CONTROL_PLANE = (
    f"kops update cluster {FILTER} --yes\nkops rolling-update cluster {FILTER} --yes\n"
)
ALL = "kops update cluster --yes\nkops rolling-update cluster --yes\n"
UPGRADES = {
    "all at once": (ALL, [("error", "commands.sh:1:1")]),
    "stored first": (f"kops edit cluster\n{ALL}", [("error", "commands.sh:2:1")]),
    "applied before it is stored": (f"{ALL}kops edit cluster\n", []),
    "control plane first": (CONTROL_PLANE + ALL, []),
    "control plane not rolled": (
        f"kops update cluster {FILTER} --yes\n{ALL}",
        [("error", "commands.sh:2:1")],
    ),
    "workers named": (
        "kops update cluster --instance-group master-a,nodes --yes\n",
        [("error", "commands.sh:1:1")],
    ),
    "reconciled": (f"kops reconcile cluster --yes\n{ALL}", []),
    "with a kubeconfig": (
        f"kops export kubeconfig --admin\n{ALL}",
        [("warning", "commands.sh:2:1")],
    ),
    "with a kubeconfig, updated once more": (f"kubectl get nodes\n{ALL}{ALL}", []),
    "perhaps with one, updated once more": (
        ALL + ALL,
        [("warning", "commands.sh:1:1")],
    ),
    "with a kubeconfig that is not asked": (
        f"kubectl get nodes\n{ALL}".replace(
            "--yes\nkops roll", "--yes --ignore-kubelet-version-skew\nkops roll"
        ),
        [("error", "commands.sh:2:1")],
    ),
    "only looked at": ("kops update cluster\n", []),
    "by terraform": (
        "kops update cluster --target terraform --out .\nterraform apply\n",
        [("error", "commands.sh:2:1")],
    ),
    "by terraform, control plane first": (
        (
            "kops update cluster --target terraform --out .\n"
            "terraform apply -target aws_autoscaling_group.master-a-demo-example-com\n"
            f"kops rolling-update cluster {FILTER} --yes\n"
            "terraform apply\n"
        ),
        [],
    ),
}


@pytest.mark.parametrize(("commands", "found"), UPGRADES.values(), ids=UPGRADES)
def test_the_control_plane_is_upgraded_first(commands: str, found: Told) -> None:
    before, after = (edited(WHOLE, ("1.32.4", v)) for v in ("1.30.9", "1.31.4"))

    assert ran("KL309", commands, before, after) == found


@pytest.mark.parametrize(
    ("old", "new"), [("1.29.9", "1.30.4"), ("1.31.0", "1.31.4"), ("1.32.4", "1.31.4")]
)
def test_the_order_matters_from_kubernetes_1_31_on(old: str, new: str) -> None:
    before, after = (edited(WHOLE, ("1.32.4", version)) for version in (old, new))

    assert ran("KL309", ALL, before, after) == []


KUBECONFIG = "kubectl get nodes\n"
IGNORED = "kops update cluster --yes --ignore-kubelet-version-skew\n"
ROLL_ALL = "kops rolling-update cluster --yes\n"
KUBELETS = {
    # kops 1.31 and later ask the API, and leave workers behind until both run again.
    "asked": (KUBECONFIG + ALL, "1.31", "1.32", "warning", "the workers stay on"),
    "asked again": (KUBECONFIG + ALL + ALL, "1.31", "1.32", None, ""),
    "reconciled": ("kops reconcile cluster --yes\n", "1.31", "1.32", None, ""),
    "older, asked": (
        KUBECONFIG + ALL,
        "1.29",
        "1.30",
        "warning",
        "the workers stay on",
    ),
    # Without an answer they say nothing and go on; older kubelets bear it.
    "not to be asked": (ALL, "1.31", "1.32", "error", "worker nodes start with"),
    "older, not to be asked": (ALL, "1.29", "1.30", None, ""),
    "told not to ask": (
        KUBECONFIG + IGNORED + ROLL_ALL,
        "1.31",
        "1.32",
        "error",
        "worker nodes start with",
    ),
    "older, told not to ask": (
        KUBECONFIG + IGNORED + ROLL_ALL,
        "1.29",
        "1.30",
        None,
        "",
    ),
}


@pytest.mark.parametrize(
    ("commands", "old", "new", "severity", "says"), KUBELETS.values(), ids=KUBELETS
)
def test_workers_get_the_kubelet_that_kops_gives_them(
    commands: str, old: str, new: str, severity: str | None, says: str
) -> None:
    """Source: kops cmd/kops/update_cluster.go, checkControlPlaneRunningVersion."""
    sides = (edited(WHOLE, ("1.32.4", f"{version}.4")) for version in (old, new))
    before, after = (Source(name, text) for name, text in zip("ba", sides, strict=True))
    for kops in (None, "1.32") if new == "1.32" else ("1.31",):
        request = Request((before,), (after,), (Source("c.sh", commands),))
        report = check(request, Settings(kops_version=kops))
        found = [f for f in report.findings if f.rule == "KL309"]

        assert [f.severity.value for f in found] == ([severity] if severity else [])
        assert all(says in f.message for f in found)


def test_a_kops_before_1_31_holds_no_kubelet_back() -> None:
    """With or without a kubeconfig all groups get the new version at once."""
    before, after = (edited(WHOLE, ("1.32.4", f"{v}.4")) for v in ("1.29", "1.30"))
    request = Request(
        (Source("b", before),),
        (Source("a", after),),
        (Source("c.sh", KUBECONFIG + ALL),),
    )

    report = check(request, Settings(kops_version="1.30"))

    assert not [f for f in report.findings if f.rule == "KL309"]


ROLL = "kops rolling-update cluster --yes"
ROLLS = {
    "": None,
    " --force": None,
    " --cloudonly": "warning",
    " --cloudonly --control-plane-interval=1s": "error",
    " --cloudonly --control-plane-interval=15s": "warning",
    " --cloudonly --force": "error",
    " --cloudonly --instance-group nodes": None,
    " --cloudonly --instance-group master-a": "warning",
    " --cloudonly --instance-group-roles node": None,
    " --control-plane-interval=1s": None,
    " --validate-count=0": "warning",
    " --validate-count=1": None,
    " --fail-on-validate-error=false": "warning",
    " --fail-on-drain-error=false": None,
}


@pytest.mark.parametrize(("flags", "severity"), ROLLS.items())
def test_a_roll_looks_before_it_goes_on(flags: str, severity: str | None) -> None:
    expected = [(severity, "commands.sh:1:1")] if severity else []

    assert ran("KL310", f"{ROLL}{flags}\n") == expected


def test_an_upgrade_without_validation_is_an_error() -> None:
    """A dry run of the upgrade upgrades nothing."""
    roll = f"{ROLL} --cloudonly\n"

    assert ran("KL310", f"kops upgrade cluster --yes\n{roll}") == [
        ("error", "commands.sh:2:1")
    ]
    assert ran("KL310", f"kops upgrade cluster\n{roll}") == [
        ("warning", "commands.sh:2:1")
    ]


CTL = "etcd-manager-ctl --backup-store=s3://b/demo.example.com/backups/etcd/"
BOTH = f"{CTL}main restore-backup B\n{CTL}events restore-backup B\n"
RESTORES = {
    "nobody reads it": (BOTH, ["commands.sh:2:1"]),
    "rolled": (f"{BOTH}{ROLL} --force\n", []),
    "only workers rolled": (
        f"{BOTH}{ROLL} --instance-group nodes\n",
        ["commands.sh:2:1"],
    ),
    "containers stopped": (
        f"{BOTH}docker stop $(docker ps -q --filter name=etcd-manager)\n",
        [],
    ),
    "events left out": (f"{CTL}main restore-backup B\n{ROLL}\n", ["commands.sh:1:1"]),
    "which one is unknown": (
        f'etcd-manager-ctl --backup-store="$STORE" restore-backup B\n{ROLL}\n',
        [],
    ),
}


@pytest.mark.parametrize(("commands", "places"), RESTORES.values(), ids=RESTORES)
def test_a_restore_is_of_both_and_carried_out(commands: str, places: list[str]) -> None:
    found = ran("KL311", commands)

    assert found == [("warning", place) for place in places]


BACKUPS = "aws s3 rm --recursive s3://state/demo.example.com/backups"
REBUILDS = {
    "at once": ("terraform destroy\nterraform apply\n", ["commands.sh:2:1"]),
    "a part of it": ("terraform destroy -target aws_x.y\nterraform apply\n", []),
    "without the backups": (
        f"terraform destroy\n{BACKUPS}\nterraform apply\n",
        [],
    ),
    "without the cluster": (
        "terraform destroy\nkops delete cluster --yes\nterraform apply\n",
        [],
    ),
    "never": ("terraform destroy\n", []),
}


@pytest.mark.parametrize(("commands", "places"), REBUILDS.values(), ids=REBUILDS)
def test_a_new_cluster_needs_an_empty_state_store(
    commands: str, places: list[str]
) -> None:
    assert ran("KL312", commands) == [("error", place) for place in places]


@pytest.mark.parametrize(
    ("commands", "places"),
    [
        (f"{BACKUPS}\n", ["commands.sh:1:23"]),
        (f"{BACKUPS}/etcd/main/\n", ["commands.sh:1:23"]),
        (f"{BACKUPS}/etcd/main/control/\n", ["commands.sh:1:23"]),
        (f"{BACKUPS}/etcd/main/2026-05-04T03:02:01Z-000001/\n", []),
        (
            "aws s3 rm --recursive s3://state/demo.example.com\n",
            ["commands.sh:1:23"],
        ),
        ("aws s3 rm --recursive s3://kops-logs/2024/\n", []),
        ("aws s3 rb s3://state --force\n", ["commands.sh:1:11"]),
        # Without its option it fails, for the bucket is not empty.
        ("aws s3 rb s3://state\n", []),
        (f"kops delete cluster --yes\n{BACKUPS}\n", []),
    ],
)
def test_the_store_of_a_living_cluster_stays(commands: str, places: list[str]) -> None:
    """A single backup may go; what etcd-manager steers by may not."""
    assert ran("KL315", commands) == [("error", place) for place in places]


@pytest.mark.parametrize(
    ("rule", "commands", "found"),
    [
        ("KL314", "kops delete ig nodes\n", [("warning", "commands.sh:1:1")]),
        ("KL314", "kops delete ig nodes --yes\n", []),
        ("KL314", "kops delete ig no-such-group\n", []),
        ("KL316", "kops delete cluster --yes\n", [("warning", "commands.sh:1:1")]),
        ("KL316", "kops delete cluster\n", []),
        ("KL316", "kops delete cluster --unregister --yes\n", []),
        (
            "KL315",
            "kops delete cluster --unregister --yes\n",
            [("error", "commands.sh:1:1")],
        ),
        ("KL404", "kops updtae cluster --yes\n", [("error", "commands.sh:1:6")]),
        ("KL404", "kops validate\n", [("warning", "commands.sh:1:6")]),
        ("KL404", "kops set cluster spec.x=1\n", [("warning", "commands.sh:1:6")]),
        ("KL404", "kops get ig --nonsense\n", [("warning", "commands.sh:1:13")]),
        ("KL404", "kops update cluster --nonsense\n", []),
    ],
)
def test_a_command_does_what_it_looks_like(
    rule: str, commands: str, found: Told
) -> None:
    """What a refused command would have changed is told by KL307, and only there."""
    assert ran(rule, commands) == found


STORED = {
    "and left": ("kops replace -f after.yaml\n", ["commands.sh:1:1"]),
    "and updated": ("kops replace -f after.yaml\nkops update cluster --yes\n", []),
    "after the update": (
        "kops update cluster --yes\nkops edit cluster\n",
        ["commands.sh:2:1"],
    ),
    "and previewed": ("kops replace -f after.yaml\nkops update cluster\n", []),
    "and rolled": (f"kops edit cluster\n{ROLL}\n", ["commands.sh:1:1"]),
    "for a script": ("kops replace -f after.yaml\n./apply.sh\n", []),
    "without a change": ("kops replace -f before.yaml\n", []),
    "and deleted with all": (
        "kops replace -f after.yaml\nkops delete -f after.yaml --yes\n",
        [],
    ),
}


@pytest.mark.parametrize(("commands", "places"), STORED.values(), ids=STORED)
def test_what_is_stored_is_applied(commands: str, places: list[str]) -> None:
    """A preview is told by KL401, and what a script does is not known."""
    after = edited(WHOLE, ("1.32.4", "1.32.6"))

    found = ran("KL406", commands, WHOLE, after)

    assert found == [("warning", place) for place in places]


def test_a_spec_without_its_other_half_raises_nothing() -> None:
    """Files that hold only the Cluster, or only groups, compare what they have."""
    groups = WHOLE.removeprefix(CLUSTER)
    rules = [f"KL{number}" for number in (*range(206, 223), 308, 309, 310)]

    for before, after in ((CLUSTER, groups), (groups, CLUSTER), (groups, groups)):
        assert [rule for rule in rules if told(rule, before, after, ALL)] == []


def renamed(name: str, text: str = WHOLE) -> str:
    return text.replace("demo.example.com", name)


REGION = WHOLE.replace("us-east-1", "us-west-2")
GCE = WHOLE.replace("cloudProvider: aws", "cloudProvider: gce")
IDENTITIES = {
    "another region": (REGION, [("error", "after.yaml:12:21")]),
    "another cloud": (GCE, [("error", "after.yaml:5:18")]),
    "another name": (
        renamed("demo-2.example.com"),
        [("warning", "after.yaml:3:18")],
    ),
    "another zone of the region": (
        edited(WHOLE, ("us-east-1c", "us-east-1d")),
        [],
    ),
    "two regions, which kops refuses": (
        edited(WHOLE, ("us-east-1c", "us-west-2c")),
        [],
    ),
}


@pytest.mark.parametrize(("after", "found"), IDENTITIES.values(), ids=IDENTITIES)
def test_a_cluster_stays_the_cluster_that_it_is(after: str, found: Told) -> None:
    assert told("KL217", WHOLE, after) == found


def test_a_cluster_that_moves_is_told_once() -> None:
    """Its groups move with it; that they are in another zone is no news then."""
    assert told("KL204", WHOLE, REGION) == []
    assert told("KL204", WHOLE, edited(WHOLE, ("us-east-1c", "us-east-1d"))) != []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (["a.yaml"], ["a.yaml"], ["a.yaml:3:18"]),
        (["old.yaml"], ["new.yaml"], ["new.yaml:3:18"]),
        (["a.yaml", "b.yaml"], ["a.yaml", "b.yaml"], ["a.yaml:3:18"]),
        (["a.yaml", "b.yaml"], ["c.yaml", "b.yaml"], []),
        (["a.yaml"], ["c.yaml", "b.yaml"], []),
    ],
)
def test_a_cluster_is_renamed_in_its_own_file(
    before: list[str], after: list[str], found: list[str]
) -> None:
    """A cluster that goes from one file and one that comes in another are two."""

    def side(paths: list[str], name: str) -> tuple[Source, ...]:
        names = [renamed("other.example.com" if p == "b.yaml" else name) for p in paths]
        return tuple(map(Source, paths, names))

    report = check(
        Request(side(before, "demo.example.com"), side(after, "demo-2.example.com"))
    )

    assert [
        str(finding.locations[0].span)
        for finding in report.findings
        if finding.rule == "KL217"
    ] == found


@pytest.mark.parametrize(
    ("kubernetes", "before", "found"),
    [
        ("1.25.9", 2, ["warning"]),
        ("1.25.9", 1, ["error"]),
        ("1.26.1", 2, ["error"]),
    ],
    ids=["has stood", "is new", "kops refuses it"],
)
def test_a_size_that_kops_took_is_no_error_of_a_change_that_leaves_it(
    kubernetes: str, before: int, found: list[str]
) -> None:
    """Since 1.26 kops refuses a control-plane group of two."""
    old, new = (
        edited(
            WHOLE,
            ("kubernetesVersion: 1.32.4", f"kubernetesVersion: {kubernetes}"),
            ("minSize: 1, maxSize: 1", f"minSize: 1, maxSize: {most}"),
        )
        for most in (before, 2)
    )

    assert [severity for severity, _ in told("KL108", old, new)] == found


@pytest.mark.parametrize(
    ("kubernetes", "kops", "severities"),
    [
        ("1.16.9", None, ["warning"]),
        ("1.16.9", "1.16", ["error"]),
        ("1.16.9", "1.18", []),
        ("1.18.9", None, []),
        ("1.7.9", None, []),
    ],
)
def test_members_come_and_go_since_kops_1_18(
    kubernetes: str, kops: str | None, severities: list[str]
) -> None:
    """A newer kops than that of the cluster's Kubernetes may be in use."""
    old = edited(CLUSTER, ("1.32.4", kubernetes))
    new = edited(old, ("    - {name: c, instanceGroup: master-c}\n", ""))
    new = edited(new, ("    - {name: b, instanceGroup: master-b}\n", ""))
    report = check(
        Request((Source("before.yaml", old),), (Source("after.yaml", new),)),
        Settings(kops_version=kops),
    )

    found = [f for f in report.findings if f.rule == "KL230"]
    assert [finding.severity.value for finding in found] == severities
    assert all("removed: b, c" in finding.message for finding in found)


def in_network(network: str, ids: str) -> str:
    """The cluster in a network and in subnets that somebody else made."""
    edits = [("  networkCIDR:", f"  networkID: {network}\n  networkCIDR:")]
    edits += [
        (f"{{name: {n}, zone", f"{{id: s-{i}, name: {n}, zone")
        for n, i in zip("abc", ids, strict=True)
    ]
    return edited(WHOLE, *edits)


MOVED = in_network("vpc-2", "456").replace(
    "instanceGroup: master-a", "encryptedVolume: true, instanceGroup: master-a"
)
ANEW = "kops delete cluster demo.example.com --yes\nkops create -f after.yaml\n"
NETWORK_IDS = {
    "compared": (MOVED, "", ["KL217 warning"]),
    "applied": (MOVED, "kops update cluster --yes\n", ["KL217 error"]),
    "deleted first": (MOVED, ANEW, []),
    "one subnet stays": (in_network("vpc-2", "156"), "", ["KL215 error"]),
    "the network stays": (in_network("vpc-1", "456"), "", ["KL215 error"]),
}


OTHER = edited(
    WHOLE,
    ("zone: us-east-1c", "zone: us-east-1d"),
    ("instanceGroup: master-a}", "instanceGroup: master-a, encryptedVolume: true}"),
    ("cidr: 10.0.", "cidr: 10.1."),
    ("10.0.0.0/16", "10.1.0.0/16"),
)
GONE = "kops delete cluster --yes\n"
ENDS = {
    "deleted": (GONE, ["KL316"]),
    "deleted and made anew": (f"{GONE}kops create -f after.yaml\n", ["KL316"]),
    "looked at": ("kops delete cluster\n", ["KL204", "KL207", "KL215"]),
    "perhaps": (f"true || {GONE}", ["KL204", "KL207", "KL215"]),
    "changed before": (
        f"kops replace -f after.yaml\nkops update cluster --yes\n{GONE}",
        ["KL204", "KL207", "KL215", "KL316"],
    ),
}


@pytest.mark.parametrize(("commands", "found"), ENDS.values(), ids=ENDS)
def test_a_cluster_that_is_deleted_first_is_not_changed(
    commands: str, found: list[str]
) -> None:
    """What is new about the one after is no hazard to the one that is gone."""
    rules = ("KL204", "KL207", "KL215", "KL307", "KL316")
    report = check(
        Request(
            before=(Source("before.yaml", WHOLE),),
            after=(Source("after.yaml", OTHER),),
            commands=(Source("commands.sh", commands),),
        )
    )

    told = {finding.rule for finding in report.findings if finding.rule in rules}
    assert sorted(told) == found


@pytest.mark.parametrize(
    ("after", "commands", "found"), NETWORK_IDS.values(), ids=NETWORK_IDS
)
def test_a_cluster_in_another_network_is_another_one(
    after: str, commands: str, found: list[str]
) -> None:
    """It is told once, whatever else is different, and is worse where it is applied."""
    report = check(
        Request(
            before=(Source("before.yaml", in_network("vpc-1", "123")),),
            after=(Source("after.yaml", after),),
            commands=(Source("commands.sh", commands),) if commands else (),
        )
    )

    assert [
        f"{finding.rule} {finding.severity.value}"
        for finding in report.findings
        if finding.rule.startswith("KL2")
    ] == found


SMALL = edited(
    CLUSTER,
    *((f"    - {{name: {name}, instanceGroup: master-{name}}}\n", "") for name in "bc"),
)
ONE_ZONE = edited(SMALL, ("us-east-1b", "us-east-1a"), ("us-east-1c", "us-east-1a"))


@pytest.mark.parametrize(
    ("before", "after", "severities"),
    [
        (None, SMALL, ["info"]),
        (None, ONE_ZONE, []),
        (None, CLUSTER, []),
        (SMALL, SMALL, []),
        (CLUSTER, SMALL, ["info"]),
        (SMALL, CLUSTER, []),
    ],
)
def test_one_member_is_told_where_there_is_room_for_three(
    before: str | None, after: str, severities: list[str]
) -> None:
    """A change tells it only if it makes the member the only one."""
    assert [severity for severity, _ in told("KL221", before, after)] == severities


SEVEN = "".join(
    f"    - {{name: {name}, instanceGroup: master-{name}}}\n" for name in "abcde"
)
TWO_LEAVE = edited(
    WHOLE,
    (
        "".join(SEVEN.splitlines(keepends=True)[:3]),
        SEVEN,
    ),
) + "".join(group(f"master-{name}", "ControlPlane", "a") for name in "de")
RENDER = "kops update cluster --target terraform --out .\n"
LEAVE = "kops delete ig master-d --yes\nkops delete ig master-e --yes\n"
OUT = "".join(removal(etcd, name) for name in "de" for etcd in ("main", "events"))
STORE_IT = "kops replace -f after.yaml\n"
TERRAFORM = {
    "still registered": (
        f"{STORE_IT}{LEAVE}{RENDER}terraform apply\n",
        [("warning", "commands.sh:5:1")],
    ),
    "removed before": (f"{OUT}{LEAVE}{STORE_IT}{RENDER}terraform apply\n", []),
    "removed after": (
        f"{STORE_IT}{LEAVE}{RENDER}terraform apply\n{OUT}",
        [("info", "commands.sh:5:1")],
    ),
    "a part of it": (f"{STORE_IT}{LEAVE}{RENDER}terraform apply -target aws_x.y\n", []),
    "applied by kops": (f"{STORE_IT}{LEAVE}kops update cluster --yes\n", []),
}


@pytest.mark.parametrize(("commands", "found"), TERRAFORM.values(), ids=TERRAFORM)
def test_terraform_destroys_what_kops_no_longer_renders(
    commands: str, found: Told
) -> None:
    """Left to itself, kops keeps the volume of a member that nothing lists."""
    assert ran("KL313", commands, TWO_LEAVE, WHOLE) == found


VOLUME = "aws_ebs_volume.c-etcd-main-demo-example-com"
ADDRESSES = {
    "made again": (f"terraform apply -replace={VOLUME}\n", ["error"]),
    "destroyed": (f"terraform destroy -target {VOLUME} -auto-approve\n", ["error"]),
    "once the member is out": (f"{OUT}terraform apply -replace={VOLUME}\n", []),
    "a machine": ("terraform apply -replace=aws_autoscaling_group.master-c\n", []),
    "applied alone": (f"terraform apply -target {VOLUME}\n", []),
}


@pytest.mark.parametrize(("commands", "found"), ADDRESSES.values(), ids=ADDRESSES)
def test_terraform_is_told_to_destroy_a_volume(commands: str, found: list[str]) -> None:
    assert [severity for severity, _ in ran("KL313", commands)] == found


NODES_GONE = {
    "at once": ("kops delete ig nodes --yes\n", ["commands.sh:1:1"]),
    "drained": ("kubectl drain ip-1 ip-2\nkops delete ig nodes --yes\n", []),
    "drained afterwards": (
        "kops delete ig nodes --yes\nkubectl drain ip-1 ip-2\n",
        ["commands.sh:1:1"],
    ),
    "asked first": ("kops delete ig nodes\n", []),
    "of the control plane": ("kops delete ig master-c --yes\n", []),
    "that does not exist": ("kops delete ig no-such-group --yes\n", []),
}


@pytest.mark.parametrize(("commands", "places"), NODES_GONE.values(), ids=NODES_GONE)
def test_workers_are_drained_before_their_group_goes(
    commands: str, places: list[str]
) -> None:
    spec = WHOLE + group("spare", "Node", "b", 2)

    found = told("KL317", spec, spec, commands)
    assert found == [("info", place) for place in places]


@pytest.mark.parametrize(
    ("commands", "severities"),
    [
        ("kops delete ig nodes --yes\n", ["warning"]),
        ("kops delete ig nodes --yes\nkops create ig x --subnet a\n", ["warning"]),
        (
            (
                "kops create ig x --subnet a --edit=false\nkops update cluster --yes\n"
                "kops delete ig nodes --yes\n"
            ),
            ["info"],
        ),
    ],
    ids=["alone", "before the next", "after the next"],
)
def test_the_last_worker_is_not_deleted_before_there_is_another(
    commands: str, severities: list[str]
) -> None:
    assert [severity for severity, _ in ran("KL317", commands)] == severities


def test_no_worker_is_drained_before_the_cluster_is_first_applied() -> None:
    """The groups that kops makes by itself are replaced before any machine runs."""
    commands = Source("commands.sh", "kops delete ig nodes --yes\n")
    sources = (Source("spec.yaml", WHOLE),)
    request = Request(sources, sources, (commands,))

    def found(*, etcd_volumes: bool) -> list[tuple[str, ...]]:
        report = check(request, Settings(etcd_volumes=etcd_volumes))
        return [f.fix for f in report.findings if f.rule == "KL317"]

    ((_, hint),) = found(etcd_volumes=True)
    assert hint.endswith(": kopslint check --no-etcd-volumes")
    assert found(etcd_volumes=False) == []


PATCH = edited(WHOLE, ("1.32.4", "1.32.6"))
MORE_NODES = edited(WHOLE, (SIZES, "minSize: 6, maxSize: 6"))
UPDATE = "kops update cluster --yes\n"
ARRIVALS = {
    "never stored, or elsewhere": (f"{UPDATE}{ROLL}\n", PATCH, [("KL405", "info")]),
    "stored and applied": (f"{STORE_IT}{UPDATE}{ROLL}\n", PATCH, []),
    "never rolled": (f"{STORE_IT}{UPDATE}", PATCH, [("KL407", "info")]),
    "a size needs no roll": (f"{STORE_IT}{UPDATE}", MORE_NODES, []),
    "set by a flag": (
        f"kops edit cluster --set spec.kubernetesVersion=1.32.6\n{UPDATE}{ROLL}\n",
        PATCH,
        [],
    ),
    "by a script": (f"./store.sh\n{UPDATE}{ROLL}\n", PATCH, []),
    "rolled by a script": (f"{STORE_IT}{UPDATE}./roll.sh\n", PATCH, []),
    "machine by machine": (
        f"{STORE_IT}{UPDATE}kops delete instance i-1 --yes\n",
        PATCH,
        [],
    ),
    "one group of the change": (
        f"kops edit ig nodes\n{UPDATE}",
        edited(MORE_NODES, ("1.32.4", "1.32.6")),
        [("KL405", "warning")],
    ),
    "refused, which says it": (f"kops replace --wrong\n{UPDATE}", PATCH, []),
    "no kops at all": ("kubectl get nodes\n", PATCH, []),
}


@pytest.mark.parametrize(
    ("commands", "after", "found"), ARRIVALS.values(), ids=ARRIVALS
)
def test_a_list_gets_where_the_change_is_to_go(
    commands: str, after: str, found: list[tuple[str, str]]
) -> None:
    """What is not stored is not applied, and what is applied waits for machines."""
    assert [
        (rule, severity)
        for rule in ("KL405", "KL407")
        for severity, _ in ran(rule, commands, WHOLE, after)
    ] == found


def test_what_the_list_lacks_is_named() -> None:
    """Each object that differs, with its place in the spec after."""
    after = edited(MORE_NODES, ("1.32.4", "1.32.6"))
    report = check(
        Request(
            (Source("before.yaml", WHOLE),),
            (Source("after.yaml", after),),
            (Source("commands.sh", UPDATE),),
        )
    )
    (finding,) = (f for f in report.findings if f.rule == "KL405")

    assert finding.message == (
        "the list never stores group nodes and the Cluster of the spec after"
    )
    assert [str(place.span) for place in finding.locations] == [
        "commands.sh:1:1",
        "after.yaml:3:18",
        "after.yaml:44:18",
    ]


JOB = """\
on: push
jobs:
  kops:
    runs-on: ubuntu-latest
    {env}steps:
    - run: {command}
"""


@pytest.mark.parametrize(
    ("command", "env", "severities"),
    [
        ("kops edit cluster", "", ["warning"]),
        ("kops edit ig nodes", "", ["warning"]),
        ("kops create ig batch --subnet a", "", ["warning"]),
        ("kops create ig batch --subnet a --edit=false", "", []),
        ("kops edit cluster --set spec.channel=alpha", "", []),
        ("EDITOR='yq -i .spec.channel=1' kops edit cluster", "", []),
    ],
)
def test_a_pipeline_has_nobody_to_type(
    command: str, env: str, severities: list[str]
) -> None:
    def found(path: str, text: str) -> list[str]:
        report = check(
            Request(
                (Source("before.yaml", WHOLE),),
                (Source("after.yaml", WHOLE),),
                (Source(path, text),),
            )
        )
        return [f.severity.value for f in report.findings if f.rule == "KL408"]

    workflow = JOB.format(command=command, env=env)
    assert found(".github/workflows/kops.yaml", workflow) == severities
    assert found("by-hand.sh", f"{command}\n") == []


WRITTEN = {
    "and left": (f"{STORE_IT}{RENDER}", [("info", "commands.sh:2:1")]),
    "and rolled": (f"{STORE_IT}{RENDER}{ROLL}\n", [("warning", "commands.sh:2:1")]),
    "and applied": (f"{STORE_IT}{RENDER}terraform apply\n", []),
    "for a script": (f"{STORE_IT}{RENDER}./apply.sh\n", []),
}


@pytest.mark.parametrize(("commands", "found"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_for_terraform_is_applied(commands: str, found: Told) -> None:
    """Terraform may well run elsewhere, unless the list counts on what it did."""
    assert ran("KL406", commands, WHOLE, PATCH) == found


def test_what_is_filled_in_later_is_not_judged() -> None:
    """It is taken to be right, and that is said where it would be wrong."""
    after = edited(
        WHOLE.replace("demo.example.com", '"${NAME}"'),
        (SIZES, 'minSize: "${NODES}", maxSize: 5'),
        ("cidr: 10.0.2.0/24", "cidr: 10.0.2.0/33"),
    )
    report = check(Request(after=(Source("after.yaml", after),)))

    assert [
        (f.rule, f.severity.value, str(f.locations[0].span)) for f in report.findings
    ] == [
        ("KL902", "info", "after.yaml:3:18"),
        ("KL123", "error", "after.yaml:14:39"),
    ]
    assert report.findings[0].message == (
        "assumed: these 2 values are right once filled in: ${NAME}, ${NODES}"
    )


def test_a_cluster_that_is_gone_from_the_files_is_not_judged() -> None:
    """What was wrong with it is past, but that it is gone is told."""
    broken = edited(renamed("old.example.com"), ("10.0.2.0/24", "10.0.2.0/33"))
    before = (Source("a.yaml", WHOLE), Source("b.yaml", broken))

    def rules(request: Request) -> list[str]:
        return [finding.rule for finding in check(request).findings]

    assert rules(Request(before, (Source("a.yaml", WHOLE),))) == ["KL232"]
    assert rules(Request(before)) == ["KL123"]


def test_workers_that_go_together_are_one_finding() -> None:
    """A control-plane group is a case of its own, with members to take out."""
    before = (
        WHOLE
        + group("batch", "Node", "a")
        + group("gpu", "Node", "a")
        + group("master-d", "ControlPlane", "a")
    )

    assert told("KL205", before, WHOLE) == [
        ("warning", "before.yaml:49:18"),
        ("warning", "before.yaml:59:18"),
    ]


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        (
            [("10.0.0.0/16", "10.1.0.0/16"), ("10.0.1.0/24", "10.1.1.0/24")],
            ["after.yaml:8:16"],
        ),
        ([("10.0.1.0/24", "10.0.9.0/24")], ["after.yaml:13:39"]),
    ],
)
def test_subnets_follow_their_network(
    edits: list[tuple[str, str]], found: list[str]
) -> None:
    """Another network has other subnets; that is one mistake and not two."""
    after = edited(CLUSTER, *edits)

    assert [place for _, place in told("KL215", CLUSTER, after)] == found


def fields(*lines: str) -> str:
    """The whole cluster with more fields in its spec."""
    more = "".join(f"  {line}\n" for line in lines)
    return HEAD + more + WHOLE.removeprefix(HEAD)


def severities(rule: str, before: str, after: str, commands: str = "") -> list[str]:
    return [severity for severity, _ in told(rule, before, after, commands)]


DISCOVERY = "serviceAccountIssuerDiscovery"
ISSUER = "kubeAPIServer: {serviceAccountIssuer"
PUBLIC = "kubernetesApiAccess: [0.0.0.0/0]"
ISSUERS = {
    "IRSA on a running cluster": (
        (),
        (f"{DISCOVERY}: {{discoveryStore: s3://tokens}}",),
        "error",
    ),
    "the same store, by its address": (
        (f"{DISCOVERY}: {{discoveryStore: s3://tokens/prod/}}",),
        (f"{ISSUER}: https://tokens.s3.eu-west-1.amazonaws.com/prod}}",),
        None,
    ),
    "what is the default, in words": (
        (),
        (f"{ISSUER}: https://api.internal.demo.example.com}}",),
        None,
    ),
    "an API that is closed to the world": (
        (PUBLIC, "kubeAPIServer: {anonymousAuth: true}"),
        ("kubernetesApiAccess: [10.0.0.0/8]", "kubeAPIServer: {anonymousAuth: true}"),
        "error",
    ),
    "an API that nobody asked without a name": (
        (PUBLIC,),
        ("kubernetesApiAccess: [10.0.0.0/8]",),
        None,
    ),
}


@pytest.mark.parametrize(("before", "after", "severity"), ISSUERS.values(), ids=ISSUERS)
def test_the_issuer_of_tokens_is_what_kops_makes_of_the_spec(
    before: tuple[str, ...], after: tuple[str, ...], severity: str | None
) -> None:
    found = severities("KL227", fields(*before), fields(*after))

    assert found == ([severity] if severity else [])


DNS = {
    "gossip to None, as documented": ("k8s.local", "Public", "None", ["info"]),
    "back to gossip": ("k8s.local", "None", "Public", ["warning"]),
    "None to Public": ("example.com", "None", "Public", ["warning"]),
    "the default in words": ("example.com", None, "Public", []),
}


@pytest.mark.parametrize(("zone", "before", "after", "expected"), DNS.values(), ids=DNS)
def test_another_kind_of_dns_is_told_unless_it_is_the_default(
    zone: str, before: str | None, after: str, expected: list[str]
) -> None:
    sides = [
        fields(*([f"topology: {{dns: {{type: {kind}}}}}"] if kind else [])).replace(
            "demo.example.com", f"demo.{zone}"
        )
        for kind in (before, after)
    ]

    assert severities("KL228", *sides) == expected


def test_a_zone_that_is_an_id_may_be_the_one_of_that_name() -> None:
    before, after = fields("dnsZone: example.com"), fields("dnsZone: Z2P70J7EXAMPLE")

    assert severities("KL228", before, after) == []


BALANCERS = {
    "the default class, in words": ("{type: Public}", "{type: Public, class: Classic}"),
    "another idle time": (
        "{type: Public, class: Network}",
        "{type: Public, class: Network, idleTimeoutSeconds: 300}",
    ),
}


@pytest.mark.parametrize(("before", "after"), BALANCERS.values(), ids=BALANCERS)
def test_a_load_balancer_that_stays_the_same_is_not_told(
    before: str, after: str
) -> None:
    sides = [fields(f"api: {{loadBalancer: {side}}}") for side in (before, after)]

    assert severities("KL229", *sides) == []


def test_a_load_balancer_that_is_left_to_kops_may_be_gone() -> None:
    before, after = fields("api: {loadBalancer: {type: Public}}"), fields()

    assert severities("KL229", before, after) == ["warning"]
    assert severities("KL229", after, before) == []


ENVIRONMENTS = {
    "switched off": ("ETCD_FORCE_NEW_CLUSTER", "false", []),
    "forced": ("ETCD_FORCE_NEW_CLUSTER", "true", ["error"]),
    "the state for a first start": ("ETCD_INITIAL_CLUSTER_STATE", "new", ["warning"]),
    "a quota below the default": ("ETCD_QUOTA_BACKEND_BYTES", "1000000", ["warning"]),
    "a quota above the default": ("ETCD_QUOTA_BACKEND_BYTES", "8589934592", []),
    "no quota at all": ("ETCD_QUOTA_BACKEND_BYTES", "-1", []),
    "logging": ("ETCD_LOG_LEVEL", "warn", []),
}


@pytest.mark.parametrize(
    ("name", "value", "expected"), ENVIRONMENTS.values(), ids=ENVIRONMENTS
)
def test_only_variables_that_etcd_manager_sets_itself_are_told(
    name: str, value: str, expected: list[str]
) -> None:
    variable = f"{{name: {name}, value: '{value}'}}"
    after = edited(
        WHOLE, ("- name: main\n", f"- name: main\n    manager: {{env: [{variable}]}}\n")
    )

    assert severities("KL225", WHOLE, after) == expected


NO_ZONES = [(f"zone: us-east-1{z}", "region: us-east1") for z in "abc"]


@pytest.mark.parametrize("version", ["1.28.9", "1.32.4", "1.35.1"])
def test_a_group_without_zones_breaks_every_kops_on_gce(version: str) -> None:
    """Only from 1.35 on kops has words for it; before, its update crashes."""
    on_gce = edited(WHOLE, ("cloudProvider: aws", "cloudProvider: gce"), *NO_ZONES)

    assert told("KL132", None, edited(on_gce, ("1.32.4", version)))


def test_a_group_on_gce_takes_the_zone_of_its_subnet_from_an_older_kops() -> None:
    on_gce = edited(WHOLE, ("cloudProvider: aws", "cloudProvider: gce"))
    places = [place for _, place in told("KL132", None, on_gce)]

    assert [place for place in places if not place.startswith("after.yaml:1")] == []
