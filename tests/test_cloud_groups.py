"""``kops delete ig`` does on every cloud what kops does there.

Sources: ``DeleteGroup`` and ``GetCloudGroups`` of each cloud, kops upup/pkg/fi/cloudup,
and pkg/instancegroups/delete.go: the cloud's part comes first, the object after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from test_removal_stories import NAME, spec

from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Report


def checked(cloud: str, commands: str, before: str = "abcde") -> Report:
    one, other = (
        spec(members).replace("cloudProvider: aws", f"cloudProvider: {cloud}")
        for members in (before, "abc")
    )
    return check(
        Request(
            (Source("before.yaml", one),),
            (Source("after.yaml", other),),
            (Source("list.sh", "set -euo pipefail\n" + commands),),
        )
    )


def removal(group: str) -> str:
    return f"kops delete ig {group} --name {NAME} --yes\n"


def told(report: Report, rule: str) -> list[str]:
    return [f.message for f in report.findings if f.rule == rule]


@pytest.mark.parametrize(
    ("cloud", "error"),
    [
        ("azure", "DeleteGroup not implemented on azureCloud"),
        (
            "digitalocean",
            "cloud provider does not support deleting cloud groups at this time",
        ),
        ("metal", "method metal.Cloud::DeleteGroup not implemented"),
    ],
)
def test_the_deletion_ends_with_an_error_and_leaves_the_machine(
    cloud: str, error: str
) -> None:
    report = checked(cloud, removal("cp-e"))

    (finding,) = [f for f in report.findings if f.rule == "KL307"]
    assert error in finding.message
    assert finding.severity == "error"
    assert "the machine keeps running" in finding.why
    assert not told(report, "KL301")


def test_on_linode_the_machine_lives_on() -> None:
    report = checked("linode", removal("cp-e"))

    (message,) = told(report, "KL404")
    assert "deletes only the object cp-e" in message
    assert not told(report, "KL301")
    assert not told(report, "KL307")


@pytest.mark.parametrize("cloud", ["aws", "gce", "openstack", "hetzner", "scaleway"])
def test_where_kops_ends_the_machine_nothing_is_refused(cloud: str) -> None:
    report = checked(cloud, removal("cp-e"))

    assert told(report, "KL301")
    assert not told(report, "KL307")
    assert not told(report, "KL404")


@pytest.mark.parametrize(
    ("cloud", "first"),
    [
        ("digitalocean", "doctl compute droplet delete cp-e --force"),
        ("azure", "az vmss delete --resource-group rg --name cp-e.masters.prod"),
        ("linode", "linode-cli linodes delete cp-e"),
    ],
)
def test_a_group_whose_machine_is_gone_is_deleted(cloud: str, first: str) -> None:
    """Kops finds no machine in the cloud then, and deletes the object alone."""
    report = checked(cloud, f"{first}\n{removal('cp-e')}")

    assert not told(report, "KL307")
    assert not told(report, "KL404")
