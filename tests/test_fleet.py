"""Objects of any number of files become the manifests of their clusters."""

from __future__ import annotations

import pytest

from kopslint.errors import InputError
from kopslint.kops.decode import Fleet, read_fleet
from kopslint.text import Source


def cluster(name: str = "x.example.com", spec: str = "{}") -> str:
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {name}}}\nspec: {spec}\n"
    )


def group(name: str, of: str | None = "x.example.com", size: int = 1) -> str:
    labels = f"labels: {{kops.k8s.io/cluster: {of}}}, " if of else ""
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\n"
        f"metadata: {{{labels}name: {name}}}\nspec: {{role: Node, maxSize: {size}}}\n"
    )


def fleet(*files: tuple[str, ...]) -> Fleet:
    """The fleet of some files, each given by its documents."""
    return read_fleet(
        Source(f"{number}.yaml", "---\n".join(documents))
        for number, documents in enumerate(files)
    )


def shape(found: Fleet) -> dict[str, tuple[bool, list[str], list[str]]]:
    """By cluster: whether the Cluster is there, the groups, and the files."""
    return {
        name: (
            manifest.cluster is not None,
            list(manifest.groups),
            [source.path for source in manifest.sources],
        )
        for name, manifest in found.manifests.items()
    }


def test_a_file_with_a_whole_cluster() -> None:
    found = fleet((cluster(), group("b"), group("a")))
    assert shape(found) == {"x.example.com": (True, ["b", "a"], ["0.yaml"])}
    assert (found.skipped, found.flaws) == ((), ())
    assert found.manifests["x.example.com"].flaws == ()


def test_several_files_make_up_one_cluster() -> None:
    found = fleet((group("a"),), (cluster(),), (group("b"), group("c")))
    assert shape(found) == {
        "x.example.com": (True, ["a", "b", "c"], ["0.yaml", "1.yaml", "2.yaml"])
    }


def test_one_file_can_hold_several_clusters() -> None:
    found = fleet((cluster("z"), cluster("x"), group("a", of="z"), group("a", of="x")))
    assert shape(found) == {
        "x": (True, ["a"], ["0.yaml"]),
        "z": (True, ["a"], ["0.yaml"]),
    }
    assert list(found.manifests) == ["x", "z"]


def test_a_cluster_without_groups_and_groups_without_a_cluster() -> None:
    found = fleet((cluster("x"),), (group("a", of="z"),))
    assert shape(found) == {
        "x": (True, [], ["0.yaml"]),
        "z": (False, ["a"], ["1.yaml"]),
    }


@pytest.mark.parametrize(
    ("files", "home"),
    [
        ([(cluster("x"), group("g", of=None)), (cluster("z"),)], "x"),
        ([(group("a", of="x"), group("g", of=None)), (cluster("z"),)], "x"),
        ([(group("g", of=None),), (cluster("x"),)], "x"),
        ([(group("g", of=None),), (cluster("x"),), (cluster("z"),)], None),
        ([(cluster("x"), cluster("z"), group("g", of=None))], None),
        ([(group("g", of=None),)], None),
    ],
)
def test_a_group_without_the_label_belongs_to_the_only_cluster_in_reach(
    files: list[tuple[str, ...]], home: str | None
) -> None:
    """Its file comes before all files; and kops minds the label in any case."""
    found = fleet(*files)
    homes = [name for name, each in found.manifests.items() if "g" in each.groups]
    assert homes == ([home] if home else [])
    flaws = found.manifests[home].flaws if home else found.flaws
    assert [(flaw.kind, flaw.message) for flaw in flaws] == [
        ("missing", "the instance group g has no label kops.k8s.io/cluster")
    ]
    assert (home or "left out") in flaws[0].places[0][1]


def test_groups_of_a_file_that_lack_the_label_are_one_flaw() -> None:
    """They were written in one go, and each is shown."""
    found = fleet((cluster(), *(group(name, of=None) for name in "abc")))
    (flaw,) = found.manifests["x.example.com"].flaws

    assert flaw.message == (
        "the instance groups a, b and c have no label kops.k8s.io/cluster"
    )
    assert len({span for span, _ in flaw.places}) == 3


def test_of_objects_with_one_name_the_last_one_counts() -> None:
    found = fleet((cluster(), group("a", size=1), group("b")), (group("a", size=2),))
    manifest = found.manifests["x.example.com"]
    assert manifest.groups["a"].max_size == 2
    assert [(each.name, each.at().source.path) for each in manifest.repeated] == [
        ("a", "0.yaml")
    ]


def test_a_repeated_cluster_is_kept() -> None:
    found = fleet((cluster(), cluster(spec="{cloudProvider: aws}")))
    manifest = found.manifests["x.example.com"]
    assert manifest.cluster is not None
    assert manifest.cluster.cloud == "aws"
    assert [each.name for each in manifest.repeated] == ["x.example.com"]


def test_flaws_go_to_the_cluster_of_their_object_or_their_file() -> None:
    nameless = "apiVersion: kops.k8s.io/v1alpha2\nkind: Instancegroup\n"
    found = fleet(
        (cluster("x"), nameless),
        (cluster("z", spec="{kubernetesVersion: 1.30}"),),
        (nameless,),
    )
    assert {
        name: [flaw.kind for flaw in manifest.flaws]
        for name, manifest in found.manifests.items()
    } == {"x": ["unknown-kind"], "z": ["wrong-type"]}
    assert [flaw.kind for flaw in found.flaws] == ["unknown-kind"]


def test_a_part_of_a_file_without_an_object_is_a_flaw_of_its_cluster() -> None:
    found = fleet((cluster(), ""))
    (flaw,) = found.manifests["x.example.com"].flaws
    assert (flaw.kind, str(flaw.places[0][0])) == ("empty-document", "0.yaml:5:1")


def test_files_without_a_kops_object_are_skipped_and_named() -> None:
    found = read_fleet(
        [
            Source("values.yaml", "a: 1\n"),
            Source("about-kops.yaml", "name: kops\n---\n"),
            Source("chart.yaml", "{{- if .Values.x }}\na: b: c\n"),
            Source("empty.yaml", ""),
            Source("cluster.yaml", cluster()),
        ]
    )
    assert [source.path for source in found.skipped] == [
        "values.yaml",
        "about-kops.yaml",
        "chart.yaml",
        "empty.yaml",
    ]
    assert list(found.manifests) == ["x.example.com"]


def test_a_file_of_other_kops_objects_is_not_skipped() -> None:
    found = fleet(
        ("apiVersion: kops.k8s.io/v1alpha2\nkind: SSHCredential\nspec: {}\n",)
    )
    assert (found.manifests, found.skipped, found.flaws) == ({}, (), ())


def test_a_kops_file_that_is_no_yaml_is_an_error() -> None:
    with pytest.raises(InputError, match=r"^0\.yaml:3:18: this looks like a Go"):
        fleet((cluster(name="{{ .name }}"),))


def test_nothing_gives_nothing() -> None:
    assert read_fleet([]) == Fleet({})
