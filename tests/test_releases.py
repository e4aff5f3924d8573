"""What differs between releases of kops is data, and rules ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.config.settings import DEFAULT
from kopslint.engine import Request, check
from kopslint.kops.command_line import lacking
from kopslint.kops.command_table import table
from kopslint.kops.decode import read_fleet
from kopslint.kops.releases import NEWEST, field_since, flag_since, release
from kopslint.kops.validation import rejections
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.kops.rejection import Rejection

NAME = "demo.example.com"


def refusals(
    spec: str, kops: str | None, kubernetes: str = "1.28.0", version: str = "v1alpha2"
) -> list[Rejection]:
    text = (
        f"apiVersion: kops.k8s.io/{version}\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  kubernetesVersion: {kubernetes}\n{spec}"
    )
    manifest = read_fleet([Source("cluster.yaml", text)]).manifests[NAME]
    return [
        v for v in rejections(manifest, kops_version=kops) if v.kind != "missing-field"
    ]


def etcd(version: str) -> str:
    return f"  etcdClusters:\n  - {{name: main, version: {version}, etcdMembers: []}}\n"


def about(found: list[Rejection], field: str) -> list[str]:
    return [v.message for v in found if v.path.endswith(field)]


@pytest.mark.parametrize(
    ("kops", "version", "taken"),
    [
        ("1.27", "3.2.24", True),
        ("1.28", "3.2.24", False),
        ("1.28", "3.5.13", True),
        ("1.28", "3.5.21", False),
        ("1.28", "3.6.0", False),
        ("1.34", "3.6.5", True),
        ("1.34", "3.6.0", False),
        ("1.36", "3.6.0", True),
        ("1.36", "3.4.13", False),
        ("1.36", "3.7.0", False),
        ("1.37", "3.7.0", True),
    ],
)
def test_every_release_brings_its_own_versions_of_etcd(
    kops: str, version: str, *, taken: bool
) -> None:
    found = about(refusals(etcd(version), kops), "version")

    assert (not found) is taken
    assert all(f"kops {kops} brings" in message for message in found)


def test_where_nobody_says_which_kops_runs_every_kops_that_may_is_asked() -> None:
    """Kubernetes 1.31 runs under kops 1.31 to 1.36."""
    assert not about(refusals(etcd("3.6.12"), None, "1.31.0"), "version")
    (message,) = about(refusals(etcd("3.7.0"), None, "1.31.0"), "version")

    assert "kops 1.31 to 1.36 brings 3.4.3, 3.4.13, 3.5.0 to 3.5.31" in message


def test_what_runs_is_what_the_release_brings() -> None:
    older, newer = release(34).etcd, release(36).etcd

    assert release(33).etcd.default_for(34) == "3.5.21"
    assert (older.default_for(33), older.default_for(34)) == ("3.5.30", "3.6.11")
    assert (older.runs("3.5.9"), older.runs("3.5.30")) == ("3.5.30", "3.5.30")
    assert (newer.runs("3.5.22"), newer.runs("3.6.12")) == ("3.5.31", "3.6.12")


def test_the_table_goes_as_far_as_the_rules_do() -> None:
    assert release(NEWEST + 1) == release(NEWEST)
    assert release(NEWEST).minor == NEWEST


def test_the_commands_and_fields_of_the_table_exist() -> None:
    """A release can only lack what the newest one has."""
    verbs = table().verbs

    assert "api-server" in verbs["update cluster"].flags
    assert flag_since("update cluster", "api-server") == 32
    assert field_since("v1alpha2", "Cluster.spec.kubeProxy.cpuLimit") == 0


def test_before_1_29_kops_reads_no_v1alpha3() -> None:
    then = about(refusals("", "1.28", version="v1alpha3"), "apiVersion")

    assert then == ["apiVersion is v1alpha3, which kops 1.28 does not read"]
    assert not about(refusals("", "1.29", version="v1alpha3"), "apiVersion")
    assert not about(refusals("", None, version="v1alpha3"), "apiVersion")


CONTROLLERS = "  cloudControllerManager: {}"
NO_EBS_DRIVER = "{awsEBSCSIDriver: {enabled: false}}"
NEVER = (1, 0)
EXAMPLES = {
    "networking: {canal: {}}": (28, 37),
    "networking: {flannel: {}}": (28, 31),
    "networking: {canal: {chainInsertMode: both}}": (20, 37),
    "networking: {weave: {}}": (23, 37),
    "networking: {cilium: {ipam: eni, disableMasquerade: true}}": (26, 35),
    "networking: {cilium: {ipam: eni, disableMasquerade: false}}": (22, 25),
    "topology: {bastion: {}}": (20, 27),
    "topology: {masters: private, nodes: private, bastion: {}}": NEVER,
    "topology: {masters: secret}": (20, 27),
    "karpenter: {enabled: true}\n  iam: {useServiceAccountExternalPermissions: true}": (
        24,
        26,
    ),
    "clusterAutoscaler: {expander: price}": (20, 22),
    "networking: {calico: {encapsulationMode: none}}\n  nonMasqueradeCIDR: '::/0'\n"
    "  cloudControllerManager: {}": (20, 22),
    "externalDns: {provider: external-dns}\n  nonMasqueradeCIDR: '::/0'\n"
    "  cloudControllerManager: {}": (26, 26),
    "serviceAccountIssuerDiscovery: {enableAWSOIDCProvider: true}": (22, 37),
    "assets: {fileRepository: 's3://bucket/path'}": (36, 36),
    "nonMasqueradeCIDR: 10.0.0.0/8\n  serviceClusterIPRange: 100.64.0.0/13": (20, 27),
}
ON_AWS = {
    "{securityGroupOverride: sg-1, class: Network, type: Public}": (27, 31),
    "{sslCertificate: a, class: Classic, type: Public}": (20, 37),
}


@pytest.mark.parametrize(
    ("spec", "refusing"),
    [
        *((f"  {spec}\n", refusing) for spec, refusing in EXAMPLES.items()),
        *(
            (f"  cloudProvider: aws\n  api: {{loadBalancer: {spec}}}\n", refusing)
            for spec, refusing in ON_AWS.items()
        ),
        (
            "  cloudProvider: gce\n  api: {loadBalancer: {idleTimeoutSeconds: 9}}\n",
            (27, 36),
        ),
        ("  cloudProvider: gce\n  networkCIDR: 10.0.0.0/8\n", (20, 37)),
        ("  cloudProvider: hetzner\n  topology: {dns: {type: None}}\n", (20, 25)),
        ("  cloudProvider: digitalocean\n  topology: {dns: {type: None}}\n", (20, 26)),
        ("  cloudProvider: openstack\n  topology: {nodes: public}\n", (24, 26)),
        (
            f"  cloudProvider: aws\n  cloudConfig: {NO_EBS_DRIVER}\n{CONTROLLERS}\n",
            (22, 37),
        ),
    ],
)
def test_a_rule_begins_and_ends_with_the_releases_that_have_it(
    spec: str, refusing: tuple[int, int]
) -> None:
    """Kubernetes 1.28 runs under all of them, as far as these rules are concerned."""
    ignored = ("version", "unknown-field", "missing-field")
    refuses = [
        minor
        for minor in range(20, 38)
        if [
            v
            for v in refusals(spec, f"1.{minor}")
            if (v.kind not in ignored or "cilium.version" in v.path)
            and not ("class" in v.path and minor == 37)
        ]
    ]

    first, last = refusing
    assert refuses == [*range(first, last + 1)]


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        ("v1.9.18", range(20, 25)),
        ("v1.10.3", range(21, 25)),
        ("v1.11.4", range(23, 26)),
        ("v1.12.5", range(25, 28)),
        ("v1.13.8", range(28, 29)),
        ("v1.15.6", range(29, 31)),
        ("v1.16.9", range(31, 34)),
        ("v1.18.2", range(34, 38)),
    ],
)
def test_every_release_installs_its_own_cilium(version: str, taken: range) -> None:
    """The words of 1.25 mean 1.11.5 and newer; it takes any with such a patch."""
    spec = f"  networking: {{cilium: {{version: {version}}}}}\n"
    versions = "spec.networking.cilium.version"
    patch = int(version.rpartition(".")[2])

    assert [
        minor
        for minor in range(20, 38)
        if not [v for v in refusals(spec, f"1.{minor}") if v.path == versions]
    ] == [m for m in range(20, 38) if m in taken or (m == 25 and patch >= 5)]


def test_an_etcd_cluster_for_leases_came_with_1_36() -> None:
    spec = "  etcdClusters: [{name: leases, etcdMembers: []}]\n"

    assert about(refusals(spec, "1.35"), "name") == [
        "spec.etcdClusters[0].name is leases; kops accepts main, events, cilium"
    ]
    assert not about(refusals(spec, "1.36"), "name")


def test_a_field_that_came_later_is_dropped_by_the_kops_that_runs() -> None:
    """Where nobody says which kops runs, a newer one may."""
    spec = "  containerd: {gvisor: {enabled: true}}\n"

    (found,) = (v for v in refusals(spec, "1.34") if v.kind == "unknown-field")
    assert found.message == (
        "kops 1.34 has no field spec.containerd.gvisor: it came with 1.36"
    )
    assert found.harmless
    for kops in ("1.36", None):
        assert not [v for v in refusals(spec, kops) if v.kind == "unknown-field"]


@pytest.mark.parametrize(
    ("value", "kops", "fits"),
    [
        ("forever", "1.32", True),
        ("forever", "1.33", False),
        ("2m", "1.32", True),
        ("300", "1.32", False),
        ("forever", None, True),
    ],
)
def test_a_field_has_the_type_that_it_had_then(
    value: str, kops: str | None, *, fits: bool
) -> None:
    spec = f"  kubelet: {{imageMinimumGCAge: {value}}}\n"

    found = [v for v in refusals(spec, kops) if v.kind == "wrong-type"]

    assert (not found) is fits


@pytest.mark.parametrize(
    ("path", "flags", "kops", "why"),
    [
        (
            "reconcile cluster",
            ("yes",),
            30,
            "kops 1.30 has no command `kops reconcile`",
        ),
        ("reconcile cluster", ("yes",), 31, ""),
        ("update cluster", ("instance-group",), 30, "no flag --instance-group"),
        ("update cluster", ("ignore-kubelet-version-skew",), 30, "it came with 1.31"),
        ("update cluster", ("instance-group",), 31, ""),
        ("rolling-update cluster", ("instance-group",), 22, ""),
        ("rolling-update cluster", ("master-interval",), 22, ""),
        ("rolling-update cluster", ("use-kubeconfig",), 33, "it came with 1.34"),
        ("create cluster", ("container-runtime", "master-count"), 37, ""),
    ],
)
def test_an_older_kops_lacks_commands_and_flags(
    path: str, flags: tuple[str, ...], kops: int, why: str
) -> None:
    assert why in (lacking(path, flags, kops) or "")
    assert why or lacking(path, flags, kops) is None


GROUP = f"""\
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: nodes, labels: {{kops.k8s.io/cluster: {NAME}}}}}
spec: {{role: Node, minSize: 1, maxSize: 2, subnets: [a]}}
"""


@pytest.mark.parametrize(
    ("kops", "failing"), [("1.30.1", "1.30"), ("1.31.0", None), (None, None)]
)
def test_what_a_release_lacks_fails_and_the_list_stops(
    kops: str | None, failing: str | None
) -> None:
    lines = f"set -e\nkops reconcile cluster --name {NAME} --yes\n"
    report = check(
        Request(
            before=(Source("before.yaml", GROUP),),
            after=(Source("after.yaml", GROUP),),
            commands=(Source("commands.sh", lines),),
        ),
        DEFAULT._replace(kops_version=kops),
    )

    told = [f.message for f in report.findings if f.rule == "KL307"]
    said = f"kops refuses this: kops {failing} has no command `kops reconcile`: "
    assert [m for m in told if "no command" in m] == (
        [f"{said}it came with 1.31"] if failing else []
    )


def side(kubernetes: str, members: str, version: str = "") -> str:
    named = f"version: {version}, " if version else ""
    listed = ", ".join(f"{{name: {m}, instanceGroup: master-{m}}}" for m in members)
    groups = "".join(
        "---\n"
        + GROUP.replace("nodes", f"master-{m}")
        .replace("role: Node", "role: Master")
        .replace("maxSize: 2", "maxSize: 1")
        for m in members
    )
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  kubernetesVersion: {kubernetes}\n"
        f"  etcdClusters:\n  - {{name: main, {named}etcdMembers: [{listed}]}}\n{groups}"
    )


REPAIR = (
    "kops update cluster --yes\n"
    "kops rolling-update cluster --instance-group-roles control-plane --yes\n"
)
GO = "kops replace -f after.yaml\nkops update cluster --yes\n"


@pytest.mark.parametrize(
    ("before", "after", "commands", "kops", "told"),
    [
        (side("1.33.1", "abc"), side("1.34.1", "abc"), "", None, "warning"),
        (side("1.33.1", "abc"), side("1.34.1", "abc"), "", "1.34", "warning"),
        (side("1.33.1", "abc"), side("1.34.1", "abc"), GO, "1.34", "warning"),
        (side("1.33.1", "abc"), side("1.34.1", "abc"), REPAIR + GO, "1.34", None),
        (side("1.33.1", "abc"), side("1.34.1", "abc"), GO + REPAIR, "1.34", "warning"),
        (side("1.33.1", "abc"), side("1.34.1", "abc", "3.5.21"), "", None, None),
        (side("1.33.1", "abcde"), side("1.34.1", "abc"), "", None, "error"),
        (side("1.33.1", "abc"), side("1.33.2", "abc"), "", None, None),
        (side("1.34.1", "abc"), side("1.35.1", "abc"), "", None, None),
        (side("1.33.1", "a"), side("1.34.1", "a"), "", None, None),
        (
            side("1.33.1", "abc", "3.5.30"),
            side("1.33.1", "abc", "3.6.11"),
            "",
            None,
            None,
        ),
        (
            side("1.33.1", "abc", "3.5.25"),
            side("1.33.1", "abc", "3.6.11"),
            "",
            None,
            None,
        ),
        (
            side("1.33.1", "abc", "3.5.21"),
            side("1.33.1", "abc", "3.6.11"),
            "",
            None,
            "warning",
        ),
    ],
)
def test_removed_members_come_back_where_etcd_3_5_was_not_repaired_first(
    before: str, after: str, commands: str, kops: str | None, told: str | None
) -> None:
    """A version that only kops 1.34 and later take is run as one that repairs."""
    report = check(
        Request(
            before=(Source("before.yaml", before),),
            after=(Source("after.yaml", after),),
            commands=(Source("commands.sh", commands),) if commands else (),
        ),
        DEFAULT._replace(kops_version=kops),
    )

    found = [f.severity.value for f in report.findings if f.rule == "KL234"]
    assert found == ([told] if told else [])


def said_of_releases(spec: str, kops: str | None = None) -> list[tuple[str, str]]:
    """What KL129 says of which releases take a spec."""
    text = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  cloudProvider: aws\n{spec}"
    )
    report = check(
        Request(after=(Source("after.yaml", text),)),
        DEFAULT._replace(kops_version=kops),
    )
    return [
        (f.severity.value, f.message)
        for f in report.findings
        if f.rule == "KL129" and " accepts this" in f.message
    ]


CLASSIC = "  api: {loadBalancer: {class: Classic, type: Public}}\n"
BY_ADDRESS = "  cloudConfig: {useIPBasedNodeNames: true}\n"
COMPACTION = "  kubeAPIServer: {compactionInterval: 5m}\n"
ENI = "  networking: {cilium: {ipam: eni, disableMasquerade: true}}\n"


def test_the_newest_kops_that_takes_a_spec_is_said() -> None:
    spec = f"  kubernetesVersion: 1.34.2\n{CLASSIC}"

    ((severity, message),) = said_of_releases(spec)
    assert severity == "info"
    assert message.startswith(
        "kops 1.36 is the newest that accepts this: in 1.37 spec."
    )
    assert not said_of_releases(spec, "1.36")
    assert not said_of_releases("  kubernetesVersion: 1.34.2\n")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            f"  kubernetesVersion: 1.32.2\n{COMPACTION}",
            "kops 1.36 is the oldest that accepts this: in 1.35 kops knows no field ",
        ),
        (
            f"  kubernetesVersion: 1.34.2\n{ENI}",
            "kops 1.36 is the oldest that accepts this: in 1.35 spec.networking.cilium",
        ),
        ("  kubernetesVersion: 1.37.1\n", ""),
    ],
)
def test_the_oldest_kops_that_takes_a_spec_is_said(spec: str, said: str) -> None:
    """Where it is not Kubernetes alone that asks for it."""
    found = said_of_releases(spec)

    assert [severity for severity, _ in found] == (["info"] if said else [])
    assert all(message.startswith(said) for _, message in found)


@pytest.mark.parametrize(
    ("spec", "older", "newer"),
    [
        # Etcd 3.7 came with kops 1.37, which has no Classic load balancer any more.
        (
            f"  kubernetesVersion: 1.36.2\n{CLASSIC}" + etcd("3.7.0"),
            "spec.etcdClusters[0].version is 3.7.0",
            "spec.api.loadBalancer.class must not be Classic",
        ),
        (
            f"  kubernetesVersion: 1.33.2\n{CLASSIC}{BY_ADDRESS}",
            "kops knows no field spec.cloudConfig.useIPBasedNodeNames: 1.37 brought it",
            "spec.api.loadBalancer.class must not be Classic",
        ),
        (
            f"  kubernetesVersion: 1.28.2\n{COMPACTION}",
            "1.33 is the newest that updates Kubernetes 1.28",
            "kops knows no field spec.kubeAPIServer.compactionInterval",
        ),
    ],
)
def test_no_release_takes_what_contradicts_itself(
    spec: str, older: str, newer: str
) -> None:
    ((severity, message),) = said_of_releases(spec)

    # Kubernetes is refused by an update, and a field is dropped without a word.
    assert severity == ("warning" if "updates Kubernetes" in older else "error")
    assert message.startswith("no kops release accepts this: ")
    assert older in message
    assert newer in message


@pytest.mark.parametrize(
    ("kubernetes", "kops", "said"),
    [
        ("1.12.10", None, True),
        ("1.9.3", None, True),
        ("1.16.4", None, True),
        # kops 1.22 is the oldest of which all was read, and updates Kubernetes 1.17.
        ("1.17.1", None, False),
        ("1.12.10", "1.12", True),
        ("1.18.3", "1.21", True),
        ("1.18.3", "1.22", False),
    ],
)
def test_a_kops_before_those_that_were_read_is_said_to_be_unknown(
    kubernetes: str, kops: str | None, said: bool
) -> None:
    text = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec: {{kubernetesVersion: {kubernetes}}}\n"
    )
    report = check(
        Request(after=(Source("after.yaml", text),)),
        DEFAULT._replace(kops_version=kops),
    )

    told = [f.severity.value for f in report.findings if "does not know" in f.message]
    assert told == (["info"] if said else [])
