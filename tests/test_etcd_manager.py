"""What the etcd-manager of a cluster can do, as far as spec and kops version tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kopslint.kops.decode import read_fleet
from kopslint.kops.etcd_manager import replaces_empty_disks
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.kops.spec import Manifest

NAME = "demo.example.com"


def side(kubernetes: str | None, image: str | None = None) -> Manifest:
    version = f"  kubernetesVersion: {kubernetes}\n" if kubernetes else ""
    manager = f", manager: {{image: {image}}}" if image else ""
    text = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\nspec:\n{version}"
        f"  etcdClusters:\n  - {{name: main{manager}, etcdMembers: []}}\n"
        "  - {name: events, etcdMembers: []}\n"
    )
    return read_fleet([Source("cluster.yaml", text)]).manifests[NAME]


@pytest.mark.parametrize(
    ("kops_version", "replaces"),
    [
        ("1.28.4", False),
        ("v1.34.3", False),
        ("1.35", None),
        ("1.36.0", True),
        ("1.37", True),
        ("latest", None),
    ],
)
def test_the_kops_that_runs_decides(
    kops_version: str, *, replaces: bool | None
) -> None:
    """Releases of 1.35 differ, whatever Kubernetes they run."""
    both = side("1.33.1"), side("1.33.1")

    assert replaces_empty_disks(both, "main", kops_version) is replaces


@pytest.mark.parametrize(
    ("kubernetes", "replaces"),
    [
        ("1.28.11", False),
        ("v1.28.11", False),
        ("1.29.0", None),
        ("1.35.2", None),
        ("1.36.1", True),
        ("https://builds.example.com/kubernetes/v1.28.3", False),
        (None, None),
    ],
)
def test_without_it_kubernetes_tells_the_oldest_kops_that_fits(
    kubernetes: str | None, *, replaces: bool | None
) -> None:
    """And kops 1.35, the first that may replace a disk, runs none before 1.29."""
    assert replaces_empty_disks((side(kubernetes),), "main") is replaces


def test_a_change_may_go_from_one_etcd_manager_to_another() -> None:
    assert replaces_empty_disks((side("1.28.0"), side("1.36.0")), "main") is None


def test_an_image_of_its_own_may_be_any_etcd_manager() -> None:
    """Each etcd cluster has its own, so the other one is still known."""
    own = (side("1.36.0", image="registry.example.com/etcd-manager"),)

    assert replaces_empty_disks(own, "main") is None
    assert replaces_empty_disks(own, "events") is True
