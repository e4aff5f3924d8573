"""What differs between releases of kops is data, and rules ask it."""

from __future__ import annotations

import pytest

from kopslint.kops.command_table import table
from kopslint.kops.decode import read_fleet
from kopslint.kops.releases import NEWEST, field_since, flag_since, release
from kopslint.kops.validation import Violation, violations
from kopslint.text import Source

NAME = "demo.example.com"


def refusals(
    spec: str, kops: str | None, kubernetes: str = "1.28.0", version: str = "v1alpha2"
) -> list[Violation]:
    text = (
        f"apiVersion: kops.k8s.io/{version}\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  kubernetesVersion: {kubernetes}\n{spec}"
    )
    manifest = read_fleet([Source("cluster.yaml", text)]).manifests[NAME]
    return [
        v for v in violations(manifest, kops_version=kops) if v.kind != "missing-field"
    ]


def etcd(version: str) -> str:
    return f"  etcdClusters:\n  - {{name: main, version: {version}, etcdMembers: []}}\n"


def about(found: list[Violation], field: str) -> list[str]:
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
