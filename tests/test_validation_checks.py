"""What kops refuses, as findings: one for each mistake, none that is told already."""

from __future__ import annotations

import pytest

from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.findings import Finding, Severity
from kopslint.text import Source

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  cloudProvider: aws
  etcdClusters:
  - name: main
    etcdMembers: [{name: a, instanceGroup: master-a}]
  - name: events
    etcdMembers: [{name: a, instanceGroup: master-a}]
  kubernetesVersion: 1.34.1
  networkCIDR: 10.20.0.0/16
  networking: {cni: {}}
  nonMasqueradeCIDR: 100.64.0.0/10
  subnets:
  - {name: a, zone: eu-west-1a, type: Public, cidr: 10.20.16.0/20}
"""
GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: {name}
  labels: {{kops.k8s.io/cluster: demo.example.com}}
spec:
  role: {role}
  minSize: 1
  maxSize: 1
  subnets: [a]
"""
MASTER = GROUP.format(name="master-a", role="Master")
NODES = GROUP.format(name="nodes", role="Node")


def findings(text: str) -> list[Finding]:
    return list(check(Request(after=(Source("a.yaml", text),))).findings)


def test_a_sound_cluster_has_no_finding() -> None:
    assert findings(CLUSTER + MASTER + NODES) == []


def test_a_mistake_that_every_group_repeats_is_one_finding_with_every_place() -> None:
    more = "".join(
        GROUP.format(name=name, role="Node") + "  machinType: m6i.large\n"
        for name in ("one", "two", "three")
    )
    (finding,) = findings(CLUSTER + MASTER + more)

    assert (finding.rule, finding.message) == (
        "KL120",
        "kops knows no field spec.machinType",
    )
    assert [location.span.line for location in finding.locations] == [40, 52, 64]
    assert finding.fix == ("# write machineType",)
    assert finding.subject == (
        "InstanceGroup/one,InstanceGroup/three,InstanceGroup/two/spec.machinType"
    )


def test_a_mistake_in_both_etcd_clusters_is_one_finding() -> None:
    text = CLUSTER.replace("- name: main", "- name: main\n    version: latest")
    text = text.replace("- name: events", "- name: events\n    version: latest")
    (finding,) = findings(text + MASTER + NODES)

    assert finding.rule == "KL129"
    assert [location.span.line for location in finding.locations] == [9, 12]


def test_two_mistakes_are_two_findings() -> None:
    text = NODES + "  tenancy: shared\n  rootVolumeIops: -1\n"

    assert [f.rule for f in findings(CLUSTER + MASTER + text)] == ["KL122", "KL127"]


TOLD_ALREADY = {
    "an even number of members": (
        "[{name: a, instanceGroup: master-a}]",
        "[{name: a, instanceGroup: master-a}, {name: b, instanceGroup: master-a}]",
        {"KL103", "KL105"},
    ),
    "versions that differ": (
        "- name: events",
        "- name: events\n    version: 3.5.21",
        {"KL211"},
    ),
    "no such subnet": ("subnets: [a]", "subnets: [z]", {"KL111", "KL214"}),
    "text for a size": ("maxSize: 1", 'maxSize: "1"', {"KL110"}),
    "a role": ("role: Node", "role: Worker", {"KL110"}),
    "sizes of the control plane": (
        "role: Master\n  minSize: 1",
        "role: Master\n  minSize: 2",
        {"KL108"},
    ),
    "a key written twice": ("role: Node", "role: Node\n  role: Node", {"KL109"}),
}


@pytest.mark.parametrize(
    ("old", "new", "rules"), TOLD_ALREADY.values(), ids=TOLD_ALREADY
)
def test_what_another_rule_tells_is_left_to_it(
    old: str, new: str, rules: set[str]
) -> None:
    text = (CLUSTER + MASTER + NODES).replace(old, new)
    found = {f.rule for f in findings(text) if f.severity is Severity.ERROR}

    assert found
    assert found <= rules


WHY = {
    "KL122": (
        "  tenancy: shared\n",
        (
            "kops create -f and kops replace -f refuse the object; objects above it"
            " in the file are already stored."
        ),
    ),
    "KL128": (
        "  additionalSecurityGroups: [x]\n",
        (
            "kops create -f and kops replace -f store the object; kops update cluster"
            " refuses it and applies nothing."
        ),
    ),
}


@pytest.mark.parametrize(("line", "why"), WHY.values(), ids=WHY)
def test_a_finding_says_which_command_refuses(line: str, why: str) -> None:
    (finding,) = findings(CLUSTER + MASTER + NODES + line)

    assert finding.why == why


def test_a_group_of_another_cluster_in_the_file_is_told() -> None:
    text = CLUSTER + MASTER + NODES
    stray = GROUP.format(name="stray", role="Node")
    stray = stray.replace("demo.example.com", "demo.example.org")
    (finding,) = findings(text + stray)

    assert (finding.rule, finding.cluster) == ("KL127", "demo.example.org")
    assert finding.message == (
        "metadata.labels.kops.k8s.io/cluster names demo.example.org, but the Cluster"
        " in this file has another name"
    )
    assert finding.locations[0].span.line == 45


def test_a_file_of_groups_alone_is_not_asked_for_a_cluster() -> None:
    assert findings((MASTER + NODES).removeprefix("---\n")) == []


def test_a_change_is_told_beside_what_is_wrong_with_its_result() -> None:
    """Both are asked of the same spec, which must not hide one behind the other."""
    text = (CLUSTER + MASTER + NODES).replace("1.34.1", "1.37.0")
    image = "- name: main\n    image: example.com/etcd:x\n    version: 3.6.12"
    after = text.replace("- name: main", image) + "  tenancy: shared\n"
    report = check(
        Request(before=(Source("b.yaml", text),), after=(Source("a.yaml", after),))
    )

    found = {f.rule for f in report.findings}
    assert {"KL122", "KL230"} <= found


@pytest.mark.parametrize(
    ("kubernetes", "etcd", "refused"),
    [
        ("1.34.1", "3.5.99", True),
        ("1.34.1", "3.5.12", False),
        ("1.34.1", "3.4.13", False),
        ("1.28.1", "3.3.17", True),
        ("1.27.1", "3.3.17", False),
        ("1.25.1", "3.4.9", True),
        ("1.12.10", "2.2.1", False),
        ("1.12.10", "2.3.7", True),
        ("1.12.10", "2.3.7, provider: Legacy", False),
        ("1.11.10", "2.3.7", False),
    ],
)
def test_etcd_has_a_version_that_some_kops_brings_for_this_kubernetes(
    kubernetes: str, etcd: str, refused: bool
) -> None:
    """A newer kops may run the cluster; what only the fitting one lacks is no error."""
    text = CLUSTER.replace(
        "kubernetesVersion: 1.34.1", f"kubernetesVersion: {kubernetes}"
    )
    for name in ("main", "events"):
        text = text.replace(
            f"  - name: {name}\n",
            f"  - name: {name}\n    version: {etcd.replace(', ', chr(10) + '    ')}\n",
        )

    assert [
        finding.rule
        for finding in findings(text + MASTER + NODES)
        if "brings" in finding.message and finding.severity is not Severity.INFO
    ] == (["KL129"] if refused else [])


@pytest.mark.parametrize(
    "secret",
    [
        "ENC[AES256_GCM,data:dHJ1ZQ==,iv:AbC=,tag:dEf=,type:bool]",
        "AQICAHh" + "RyjfcAU0BFeAevHu12" * 6 + "=",
    ],
    ids=["SOPS", "a key management service"],
)
def test_an_encrypted_value_is_not_what_kops_will_read(secret: str) -> None:
    """It is said that it was taken to be right; text that is no secret is refused."""
    hook = "  fileAssets: [{{name: a, path: /a, content: x, isBase64: {}}}]\n"
    told = {
        text: [
            (f.rule, f.severity)
            for f in findings(CLUSTER + hook.format(f"'{text}'") + MASTER + NODES)
        ]
        for text in (secret, "yes please")
    }

    assert told == {
        secret: [("KL902", Severity.INFO)],
        "yes please": [("KL121", Severity.ERROR)],
    }


@pytest.mark.parametrize(
    ("kubernetes", "cilium", "kops", "severities"),
    [
        # kops 1.28 takes Cilium 1.13 alone, 1.29 and 1.30 take 1.15, 1.31 takes 1.16.
        ("1.28.9", "v1.15.6", None, ["warning"]),
        ("1.28.9", "v1.15.6", "1.28", ["error"]),
        ("1.28.9", "v1.15.6", "1.30", []),
        ("1.28.9", "v1.14.9", None, ["error"]),
        ("1.28.9", "v1.13.1", None, []),
    ],
)
def test_what_a_newer_kops_takes_is_no_error_while_nobody_says_which_it_is(
    kubernetes: str, cilium: str, kops: str | None, severities: list[str]
) -> None:
    text = CLUSTER.replace("1.34.1", kubernetes).replace(
        "networking: {cni: {}}", f"networking: {{cilium: {{version: {cilium}}}}}"
    )
    request = Request(after=(Source("a.yaml", text + MASTER + NODES),))

    found = check(request, Settings(kops_version=kops)).findings

    told = [f.severity for f in found if f.rule == "KL129"]
    assert [each.value for each in told if each is not Severity.INFO] == severities


@pytest.mark.parametrize(
    ("kubernetes", "kops", "severities"),
    [
        ("1.16.9", None, ["warning"]),
        ("1.16.9", "1.16", ["error"]),
        ("1.16.9", "1.20", []),
        ("1.20.9", None, []),
    ],
)
def test_the_kind_of_a_volume_changes_since_kops_1_20(
    kubernetes: str, kops: str | None, severities: list[str]
) -> None:
    """Source: kops pkg/apis/kops/validation/cluster.go, validateEtcdMemberUpdate."""
    before = CLUSTER.replace("1.34.1", kubernetes) + MASTER + NODES
    after = before.replace("{name: a, inst", "{name: a, volumeType: io1, inst", 1)
    request = Request((Source("b.yaml", before),), (Source("a.yaml", after),))

    found = check(request, Settings(kops_version=kops)).findings

    told = [(f.rule, f.severity.value) for f in found if f.rule == "KL230"]
    assert told == [("KL230", severity) for severity in severities]
