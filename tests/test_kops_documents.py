"""What kopslint takes for a kops object, what it reads of it, and what it minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.kops.decode import KopsObject, empty_sections, kops_objects
from kopslint.kops.spec import Cluster, InstanceGroup, Role
from kopslint.syntax.yaml import read_yaml
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.kops.rejection import Rejection

HEAD = "apiVersion: kops.k8s.io/v1alpha2\n"
CLUSTER = HEAD + "kind: Cluster\nmetadata: {name: x.example.com}\n"
GROUP = HEAD + "kind: InstanceGroup\nmetadata: {name: nodes}\n"


def objects(text: str) -> list[KopsObject]:
    source = Source("spec.yaml", text)
    return kops_objects(source, read_yaml(source))


def the_cluster(text: str) -> Cluster:
    (found,) = objects(text)
    assert isinstance(found.value, Cluster)
    return found.value


def the_group(text: str) -> InstanceGroup:
    (found,) = objects(text)
    assert isinstance(found.value, InstanceGroup)
    return found.value


def flaws(text: str) -> list[Rejection]:
    return [flaw for found in objects(text) for flaw in found.flaws]


def where(flaw: Rejection) -> list[tuple[int, int]]:
    return [(span.line, span.column) for span, _ in flaw.places]


V1ALPHA2 = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: x.example.com
spec:
  cloudProvider: aws
  kubernetesVersion: 1.35.0
  networkCIDR: 10.0.0.0/16
  networking:
    cilium: {}
  subnets:
  - {name: a, zone: zone-a, cidr: 10.0.0.0/24, type: Public}
  - {name: b, zone: zone-b}
  etcdClusters:
  - name: main
    version: 3.6.12
    etcdMembers:
    - instanceGroup: control-plane-a
      name: a
    - instanceGroup: control-plane-b
      name: b
  - name: events
    etcdMembers:
    - {name: a, instanceGroup: control-plane-a}
"""
V1ALPHA3 = """\
apiVersion: kops.k8s.io/v1alpha3
kind: Cluster
metadata:
  name: x.example.com
spec:
  cloudProvider:
    aws: {}
  kubernetesVersion: 1.35.0
  networking:
    cilium: {}
    networkCIDR: 10.0.0.0/16
    subnets:
    - {name: a, zone: zone-a, cidr: 10.0.0.0/24, type: Public}
    - {name: b, zone: zone-b}
  etcdClusters:
  - name: main
    version: 3.6.12
    etcdMembers:
    - instanceGroup: control-plane-a
      name: a
    - instanceGroup: control-plane-b
      name: b
  - name: events
    etcdMembers:
    - {name: a, instanceGroup: control-plane-a}
"""


@pytest.mark.parametrize("text", [V1ALPHA2, V1ALPHA3], ids=["v1alpha2", "v1alpha3"])
def test_both_api_versions_give_the_same_cluster(text: str) -> None:
    cluster = the_cluster(text)
    assert flaws(text) == []
    assert (cluster.name, cluster.version) == ("x.example.com", text[24:32])
    assert (cluster.cloud, cluster.kubernetes_version) == ("aws", "1.35.0")
    assert [(s.name, s.zone, s.cidr, s.type) for s in cluster.subnets] == [
        ("a", "zone-a", "10.0.0.0/24", "Public"),
        ("b", "zone-b", None, None),
    ]
    assert [
        (etcd.name, etcd.version, [(m.name, m.group) for m in etcd.members])
        for etcd in cluster.etcd_clusters
    ] == [
        ("main", "3.6.12", [("a", "control-plane-a"), ("b", "control-plane-b")]),
        ("events", None, [("a", "control-plane-a")]),
    ]


def test_a_member_knows_its_place() -> None:
    member = the_cluster(V1ALPHA2).etcd_clusters[0].members[1]
    assert str(member.at("instanceGroup")) == "spec.yaml:20:22"
    assert str(member.at("volumeSize")) == "spec.yaml:20:7"


def test_a_group_is_read() -> None:
    group = the_group(
        HEAD
        + """\
kind: InstanceGroup
metadata:
  name: control-plane-a
  labels: {kops.k8s.io/cluster: x.example.com}
spec:
  role: Master
  minSize: 1
  maxSize: 1.0
  subnets: [a, b]
  zones: [zone-a]
"""
    )
    assert (group.name, group.cluster) == ("control-plane-a", "x.example.com")
    assert (group.role, group.is_control_plane) == (Role.CONTROL_PLANE, True)
    assert (group.min_size, group.max_size) == (1, 1)
    assert (group.subnets, group.zones) == (("a", "b"), ("zone-a",))


@pytest.mark.parametrize(
    ("version", "role", "expected", "hint"),
    [
        ("v1alpha2", "Master", Role.CONTROL_PLANE, None),
        ("v1alpha2", "ControlPlane", Role.CONTROL_PLANE, None),
        ("v1alpha3", "ControlPlane", Role.CONTROL_PLANE, None),
        ("v1alpha2", "APIServer", Role.API_SERVER, None),
        ("v1alpha2", "Bastion", Role.BASTION, None),
        ("v1alpha3", "Node", Role.NODE, None),
        ("v1alpha3", "Master", None, "write ControlPlane"),
        ("v1alpha2", "node", None, "write Node"),
        ("v1alpha2", "Nodes", None, "write Node"),
        ("v1alpha2", "control-plane", None, "write ControlPlane"),
        (
            "v1alpha2",
            "Worker",
            None,
            "write one of ControlPlane, APIServer, Node, Bastion",
        ),
    ],
)
def test_a_role_is_read_to_the_letter(
    version: str, role: str, expected: Role | None, hint: str | None
) -> None:
    """Kops translates ``Master`` in v1alpha2 and nothing else."""
    text = GROUP.replace("v1alpha2", version) + f"spec:\n  role: {role}\n"
    assert the_group(text).role is expected
    assert [(flaw.kind, where(flaw), flaw.hint) for flaw in flaws(text)] == (
        [("unknown-role", [(5, 9)], hint)] if hint else []
    )


@pytest.mark.parametrize(
    ("head", "version"),
    [
        ("apiVersion: kops.k8s.io/v1alpha2", "v1alpha2"),
        ("apiVersion: kops/v1alpha2", "v1alpha2"),
        ('apiVersion: "kops.k8s.io/v1alpha3"', "v1alpha3"),
    ],
)
def test_the_api_versions_that_kops_reads(head: str, version: str) -> None:
    text = f"{head}\nkind: Cluster\nmetadata: {{name: x}}\nspec: {{}}\n"
    assert the_cluster(text).version == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n# nothing\n---\n",
        "- apiVersion: v1\n",
        "kops.k8s.io/v1alpha2",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kops}\n",
        "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\n",
        "apiVersion: {}\nkind: []\n",
        "apiVersion: v1\nkind: List\nitems: {}\n",
        "name: kops\n",
    ],
)
def test_what_is_not_of_kops_is_passed_over_in_silence(text: str) -> None:
    assert objects(text) == []


@pytest.mark.parametrize("kind", ["SSHCredential", "Keyset", "Host"])
def test_other_kinds_of_kops_are_known_and_not_read(kind: str) -> None:
    text = f"{HEAD}kind: {kind}\nmetadata: {{name: admin}}\nspec: {{}}\n"
    assert objects(text) == [KopsObject(None, ())]


def test_the_items_of_a_list_are_objects() -> None:
    items = "".join(
        f"- apiVersion: kops.k8s.io/v1alpha2\n  kind: {kind}\n"
        f"  metadata: {{name: {name}}}\n  spec: {{role: Node}}\n"
        for kind, name in (("Cluster", "x"), ("InstanceGroup", "n"), ("Keyset", "k"))
    )
    found = objects(f"apiVersion: v1\nkind: List\nitems:\n{items}")
    assert [each.value.name if each.value else None for each in found] == [
        "x",
        "n",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "kind", "places", "message"),
    [
        (
            "kind: InstanceGroup\nmetadata: {name: a}\nspec: {role: Node}\n",
            "missing",
            [(1, 7)],
            "apiVersion is missing",
        ),
        (HEAD + "metadata: {name: a}\n", "missing", [(1, 13)], "kind is missing"),
        (
            HEAD + "kind: InstanceGroups\n",
            "unknown-kind",
            [(2, 7)],
            "kops knows no kind InstanceGroups",
        ),
        (
            "kind: Cluster\napiVersion: kops/v1alpha1\n",
            "unsupported-version",
            [(2, 13)],
            "kops does not read apiVersion kops/v1alpha1",
        ),
        (
            "kind: Cluster\napiVersion: kops/v1alpha3\n",
            "unsupported-version",
            [(2, 13)],
            "kops does not read apiVersion kops/v1alpha3",
        ),
        (
            HEAD + "kind: Cluster\nspec: {}\n",
            "missing",
            [(2, 7), (2, 7)],
            "metadata is missing",
        ),
        (
            HEAD + "kind: Cluster\nmetadata: {}\nspec: {}\n",
            "missing",
            [(3, 1)],
            "metadata.name is missing",
        ),
        (
            HEAD + "kind: Cluster\nmetadata: {name: ''}\nspec: {}\n",
            "missing",
            [(3, 1)],
            "metadata.name is missing",
        ),
        (
            HEAD + "kind: Cluster\nmetadata: x\nspec: {}\n",
            "wrong-type",
            [(3, 11), (3, 1)],
            "metadata must be a mapping, but is text",
        ),
    ],
)
def test_an_object_that_kops_cannot_tell_apart_is_only_its_flaws(
    text: str, kind: str, places: list[tuple[int, int]], message: str
) -> None:
    (found,) = objects(text)
    assert found.value is None
    assert [place for flaw in found.flaws for place in where(flaw)] == places
    assert (found.flaws[0].kind, found.flaws[0].message) == (kind, message)
    assert all(flaw.hint for flaw in found.flaws)


@pytest.mark.parametrize(
    ("spec", "kind", "place", "message"),
    [
        ("cloudProvider: 1", "wrong-type", (5, 18), "cloudProvider must be text"),
        ("cloudProvider: {aws: {}}", "wrong-type", (5, 18), "but is a mapping"),
        (
            "kubernetesVersion: 1.30",
            "wrong-type",
            (5, 22),
            "spec.kubernetesVersion must be text, but is a number",
        ),
        ("etcdClusters: {}", "wrong-type", (5, 17), "must be a list"),
        ("etcdClusters: [main]", "wrong-type", (5, 18), "spec.etcdClusters[0] must be"),
        (
            "etcdClusters: [{name: main, etcdMembers: a}]",
            "wrong-type",
            (5, 44),
            "spec.etcdClusters[0].etcdMembers must be a list, but is text",
        ),
        (
            "etcdClusters: [{name: main, etcdMembers: [{name: n, instanceGroup: i}]}]",
            "wrong-type",
            (5, 52),
            "spec.etcdClusters[0].etcdMembers[0].name must be text, but is true",
        ),
        (
            "etcdClusters: [{name: main, etcdMembers: [{name: a}]}]",
            "missing",
            (5, 45),
            "spec.etcdClusters[0].etcdMembers[0].instanceGroup is missing",
        ),
        (
            "etcdClusters: [{name: main, etcdMembers: [{name: a, zone: b}]}]",
            "missing",
            (5, 45),
            "instanceGroup is missing",
        ),
        ("etcdClusters: [{}]", "missing", (5, 18), "spec.etcdClusters[0].name is"),
        ("subnets: [{zone: a}]", "missing", (5, 13), "spec.subnets[0].name is missing"),
    ],
)
def test_a_malformed_field_of_a_cluster_is_a_flaw_with_its_place(
    spec: str, kind: str, place: tuple[int, int], message: str
) -> None:
    (flaw,) = flaws(f"{CLUSTER}spec:\n  {spec}\n")
    assert (flaw.kind, where(flaw)) == (kind, [place])
    assert message in flaw.message
    assert flaw.hint


@pytest.mark.parametrize(
    ("spec", "kind", "place", "message", "hint"),
    [
        ('maxSize: "3"', "wrong-type", (6, 12), "a whole number", "without quotes"),
        ("maxSize: three", "wrong-type", (6, 12), "but is text", "a whole number"),
        ("minSize: true", "wrong-type", (6, 12), "but is true or false", "number"),
        ("minSize: 1.5", "wrong-type", (6, 12), "a whole number", "a whole number"),
        ("minSize: 3000000000", "wrong-type", (6, 12), "32 bits", "32 bits"),
        ("subnets: a", "wrong-type", (6, 12), "must be a list", "a list"),
        ("subnets: [a, 1]", "wrong-type", (6, 16), "subnets[1] must be text", "quotes"),
        ("zones: [{}]", "wrong-type", (6, 11), "spec.zones[0] must be text", "text"),
    ],
)
def test_a_malformed_field_of_a_group_is_a_flaw_with_its_place(
    spec: str, kind: str, place: tuple[int, int], message: str, hint: str
) -> None:
    text = f"{GROUP}spec:\n  role: Node\n  {spec}\n"
    (flaw,) = flaws(text)
    assert (flaw.kind, where(flaw)) == (kind, [place])
    assert message in flaw.message
    assert hint in flaw.hint
    group = the_group(text)
    assert (group.min_size, group.max_size) == (None, None)


def test_a_name_that_is_no_text_is_still_found() -> None:
    """A flaw need not hide the other things that can be said about the spec."""
    text = GROUP.replace("nodes", "12") + "spec: {role: Node}\n"
    assert the_group(text).name == "12"
    assert [flaw.kind for flaw in flaws(text)] == ["wrong-type"]


def test_a_missing_role_is_a_flaw() -> None:
    (flaw,) = flaws(GROUP + "spec:\n  minSize: 1\n")
    assert (flaw.message, where(flaw)) == ("spec.role is missing", [(4, 1)])


@pytest.mark.parametrize("value", ["", "~", "null"])
def test_a_null_is_as_good_as_nothing(value: str) -> None:
    text = f"{GROUP}spec:\n  role: Node\n  maxSize: {value}\n  subnets: {value}\n"
    assert (the_group(text).max_size, the_group(text).subnets) == (None, ())
    assert flaws(text) == []


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        ("role: Node\n  maxSize: 1\n  maxSize: 2", [(7, 3), (6, 3)]),
        ("role: Node\n  nodeLabels:\n    a: b\n    a: c", [(8, 5), (7, 5)]),
        ("role: Node\n  taints: [{a: 1, a: 2}]", [(6, 19), (6, 13)]),
        ("maxSize: 2\n  <<: {role: Node, maxSize: 1}", [(6, 7), (5, 3)]),
    ],
)
def test_a_duplicate_key_anywhere_shows_the_winner_and_the_loser(
    spec: str, places: list[tuple[int, int]]
) -> None:
    (flaw,) = flaws(f"{GROUP}spec:\n  {spec}\n")
    assert flaw.kind == "duplicate-key"
    assert where(flaw) == places
    assert [label for _, label in flaw.places] == [
        "this one counts",
        "this one is dropped",
    ]


def test_a_duplicate_key_behind_an_alias_is_said_once() -> None:
    text = GROUP + "spec:\n  role: Node\n  a: &a {b: 1, b: 2}\n  c: *a\n  d: {<<: *a}\n"
    assert [where(flaw) for flaw in flaws(text)] == [[(6, 16), (6, 10)]]


def test_a_forgotten_separator_shows_as_duplicate_keys() -> None:
    """Kops keeps the last object of the two, so that is what is read."""
    text = CLUSTER + "spec: {}\n" + GROUP + "spec: {role: Node}\n"
    assert the_group(text).name == "nodes"
    assert [where(flaw)[0] for flaw in flaws(text)] == [(5, 1), (6, 1), (7, 1), (8, 1)]


# --- how kops cuts a file ------------------------------------------------------------


@pytest.mark.parametrize(
    ("separator", "ignored"),
    [
        ("---\n", False),
        ("---\r\n", False),
        ("...\n---\n", False),
        ("---\n# next\n", False),
        ("--- \n", True),
        ("--- # next\n", True),
    ],
)
def test_a_document_that_kops_does_not_cut_off_is_ignored_by_it(
    separator: str, ignored: bool
) -> None:
    first, second = objects(
        f"--- # first\n{CLUSTER}spec: {{}}\n{separator}{GROUP}spec: {{role: Node}}\n"
    )
    assert first.flaws == ()
    assert [flaw.kind for flaw in second.flaws] == ["ignored-document"] * ignored
    assert isinstance(second.value, InstanceGroup)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: 1\n", []),
        ("---\na: 1\n---\nb: 1\n", []),
        ("# c\na: 1\n---\n# c\nb: 1\n", []),
        ("a: 1\n---\n---\nb: 1\n", []),
        ("a: 1\n---", []),
        ("a: 1\n---\n", [(2, 1)]),
        ("a: 1\r\n---\r\n", [(2, 1)]),
        ("a: 1\n---\n# c\n---\nb: 1\n", [(2, 1)]),
        ("# c\n---\na: 1\n", [(1, 1)]),
    ],
)
def test_a_part_without_an_object_makes_kops_fail(
    text: str, places: list[tuple[int, int]]
) -> None:
    found = empty_sections(Source("spec.yaml", text))
    assert [place for flaw in found for place in where(flaw)] == places
