"""Fields that kops does not know and values of a wrong type, at their exact places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.kops.api import VERSIONS, api, has_path, paths_of
from kopslint.kops.decode import read_fleet
from kopslint.kops.validation import is_of_field, rejections
from kopslint.kops.validation.cluster_rows import CLUSTER_ROWS
from kopslint.kops.validation.declared import in_file, named
from kopslint.kops.validation.group_rows import GROUP_ROWS
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.kops.rejection import Rejection
    from kopslint.kops.validation.rows import Row

GROUP = """\
apiVersion: kops.k8s.io/{version}
kind: InstanceGroup
metadata:
  name: nodes
  labels:
    kops.k8s.io/cluster: demo.example.com
spec:
  role: Node
  {line}
"""
CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  {line}
"""


def found(text: str, kops: str = "1.37") -> list[Rejection]:
    (manifest,) = read_fleet([Source("a.yaml", text)]).manifests.values()
    return [v for v in rejections(manifest, kops_version=kops) if is_of_field(v)]


def in_group(line: str, version: str = "v1alpha2", kops: str = "1.37") -> Rejection:
    (rejection,) = found(GROUP.format(line=line, version=version), kops)
    return rejection


UNKNOWN = {
    "misspelt": ("machinType: m6i.large", "machinType", "write machineType"),
    "another case": (
        "maxsize: 3",
        "maxsize",
        "write maxSize: names are case-sensitive",
    ),
    "another level": (
        "drainAndTerminate: false",
        "drainAndTerminate",
        "move it to spec.rollingUpdate.drainAndTerminate",
    ),
    "another object": (
        "kubernetesVersion: 1.34.0",
        "kubernetesVersion",
        "it is a field of Cluster, not of InstanceGroup",
    ),
    "another version": (
        "associatePublicIP: true",
        "associatePublicIP",
        "write associatePublicIp: names are case-sensitive",
    ),
    "only begun": ("min: 3", "min", "write minSize"),
    "the word of another tool": (
        "instanceType: m6i.large",
        "instanceType",
        "write machineType",
    ),
    "nothing like it": ("colour: green", "colour", "remove it"),
}


@pytest.mark.parametrize(("line", "field", "hint"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_field_is_told_with_what_may_be_meant(
    line: str, field: str, hint: str
) -> None:
    rejection = in_group(line)

    assert rejection.kind == "unknown-field"
    assert rejection.message == f"kops knows no field spec.{field}"
    assert rejection.at_command == "edit"
    assert rejection.hint == hint
    span = rejection.span
    assert (span.line, span.column, span.end_column) == (9, 3, 3 + len(field))


def test_a_field_of_the_other_api_version_is_told_with_it() -> None:
    rejection = in_group("rootVolumeSize: 64", version="v1alpha3")

    assert rejection.hint == (
        "it is a field of v1alpha2 (spec.rootVolumeSize), not of v1alpha3"
    )


def test_a_field_deep_in_a_list_is_named_by_its_whole_path() -> None:
    rejection = in_group("hooks: [{manifest: x, requries: [a]}]")

    assert rejection.message == "kops knows no field spec.hooks[0].requries"
    assert rejection.span.column == 25


def test_a_removed_field_is_known_to_the_releases_that_had_it() -> None:
    text = CLUSTER.format(line="kubeAPIServer: {targetRamMb: 512}")

    assert found(text, "1.29") == []
    (rejection,) = found(text, "1.30")
    assert rejection.message == (
        "the field spec.kubeAPIServer.targetRamMb was removed in kops 1.30"
    )


WRONG = {
    "a boolean for text": (
        "nodeLabels: {a: yes}",
        "spec.nodeLabels.a must be text, but is true or false",
        'put quotes around it: "yes"',
    ),
    "a number for text": (
        "image: 1.30",
        "spec.image must be text, but is a number",
        'put quotes around it: "1.30"',
    ),
    "text for a number": (
        'rootVolumeSize: "64"',
        "spec.rootVolumeSize must be a whole number, but is text",
        "remove the quotes: 64",
    ),
    "text for a boolean": (
        'associatePublicIp: "true"',
        "spec.associatePublicIp must be true or false, but is text",
        "remove the quotes: true",
    ),
    "half a number": (
        "rootVolumeSize: 64.5",
        "spec.rootVolumeSize must be a whole number, but is a number",
        "write a whole number",
    ),
    "too big a number": (
        "rootVolumeSize: 3000000000",
        (
            "spec.rootVolumeSize must be a whole number from -2147483648 to"
            " 2147483647, but is a number"
        ),
        "write a whole number from -2147483648 to 2147483647",
    ),
    "a duration without a unit": (
        "maxInstanceLifetime: 24",
        (
            "spec.maxInstanceLifetime must be a duration such as 10m or 1h30m, but is"
            " a number"
        ),
        "write a duration such as 10m or 1h30m",
    ),
    "one value for a list": (
        "taints: a=b:NoSchedule",
        "spec.taints must be a list, but is text",
        "write a list",
    ),
    "a list for a mapping": (
        "cloudLabels: [a]",
        "spec.cloudLabels must be a mapping, but is a list",
        "write a mapping",
    ),
    "half a machine": (
        "rollingUpdate: {maxUnavailable: 1.5}",
        (
            "spec.rollingUpdate.maxUnavailable must be a whole number or a"
            " percentage, but is a number"
        ),
        "write a whole number or a percentage",
    ),
}


@pytest.mark.parametrize(("line", "message", "hint"), WRONG.values(), ids=WRONG)
def test_a_value_of_a_wrong_type_is_told_where_it_stands(
    line: str, message: str, hint: str
) -> None:
    rejection = in_group(line)

    assert (rejection.kind, rejection.message) == ("wrong-type", message)
    assert (rejection.at_command, rejection.hint) == ("create", hint)
    assert rejection.span.line == 9


FITTING = [
    "maxInstanceLifetime: 48h",
    "rootVolumeSize: 64.0",
    "rollingUpdate: {maxUnavailable: 25%}",
    "mixedInstancesPolicy: {instanceRequirements: {memory: {min: 2Gi, max: 4}}}",
    "nodeLabels: null",
    "taints:",
    'nodeLabels: {a: "yes"}',
]


@pytest.mark.parametrize("line", FITTING)
def test_what_kops_decodes_is_not_told(line: str) -> None:
    assert found(GROUP.format(line=line, version="v1alpha2")) == []


def test_what_stands_behind_an_alias_is_told_once() -> None:
    text = GROUP.format(
        line="kubelet: &k {cpuCfsQuota: true}\n  hooks: []", version="v1alpha2"
    )
    again = text.replace("name: nodes", "name: more").replace("&k ", "")
    lines = [v.message for v in found(f"{text}---\n{again}")]

    assert lines == ["kops knows no field spec.kubelet.cpuCfsQuota"] * 2


@pytest.mark.parametrize("version", VERSIONS)
def test_every_type_of_the_api_is_known(version: str) -> None:
    """A type that the table names and does not hold would let anything through."""
    structs = api(version).structs
    scalars = {
        *(
            "string",
            "bool",
            "number",
            "duration",
            "quantity",
            "time",
            "int-or-string",
            "any",
        ),
        *("uint8", "int16", "int32", "uint32", "int64"),
    }
    named_types = {
        expression.replace("[]", "").replace("{}", "")
        for fields in structs.values()
        for expression in fields.values()
    }

    assert named_types - scalars - set(structs) == set()
    assert set(structs) - named_types == {"Cluster", "InstanceGroup"}


TABLES = [
    *(("Cluster", row) for row in CLUSTER_ROWS),
    *(("InstanceGroup", row) for row in GROUP_ROWS),
]


@pytest.mark.parametrize(
    ("kind", "row"), TABLES, ids=[f"{kind}-{row.path}" for kind, row in TABLES]
)
def test_a_row_is_about_a_field_that_there_is(kind: str, row: Row) -> None:
    """In one version of the API at least."""
    paths = {
        version: named(("spec", *in_file(row.path, version))) for version in VERSIONS
    }

    assert any(has_path(version, kind, path) for version, path in paths.items())
    assert 10 <= row.since <= 37
    assert ".go" in row.source


def test_fields_are_found_by_name_the_shortest_path_first() -> None:
    assert paths_of("v1alpha2", "Cluster", "anonymousAuth") == (
        "spec.kubeAPIServer.anonymousAuth",
        "spec.kubelet.anonymousAuth",
        "spec.masterKubelet.anonymousAuth",
    )


RENAMED = {
    "networking.subnets[2].cidr": "subnets[2].cidr",
    "networking.topology.dns": "topology.dns.type",
    "networking.cilium.ipam": "networking.cilium.ipam",
    "controlPlaneKubelet.maxPods": "masterKubelet.maxPods",
    "api.loadBalancer.subnets[1].allocationID": (
        "api.loadBalancer.subnets[1].allocationId"
    ),
    "etcdClusters[0].etcdMembers[1].volumeIOPS": (
        "etcdClusters[0].etcdMembers[1].volumeIops"
    ),
    "cloudProvider.aws.warmPool.minSize": "warmPool.minSize",
}


@pytest.mark.parametrize(("inside", "written"), RENAMED.items())
def test_a_field_is_found_under_its_name_in_v1alpha2(inside: str, written: str) -> None:
    assert named(in_file(inside, "v1alpha2")) == written
    assert named(in_file(inside, "v1alpha3")) == inside


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2016-12-10T22:42:28Z", True),
        ('"2016-12-10T22:42:28.5+01:00"', True),
        ("null", True),
        ("yesterday", False),
        ("2016-12-10", False),
        ("2016-12-10 22:42:28", False),
        ("1481409748", False),
    ],
)
def test_times_are_written_as_kubernetes_writes_them(text: str, fits: bool) -> None:
    """Source: apimachinery pkg/apis/meta/v1, Time.UnmarshalJSON."""
    source = Source(
        "group.yaml",
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  creationTimestamp: {text}\n  name: nodes\n"
        "  labels: {kops.k8s.io/cluster: demo.example.com}\nspec: {role: Node}\n",
    )
    (manifest,) = read_fleet([source]).manifests.values()
    found = [v for v in rejections(manifest) if v.kind == "wrong-type"]

    assert [(v.path, v.span.line, v.span.column) for v in found] == (
        [] if fits else [("metadata.creationTimestamp", 4, 22)]
    )
