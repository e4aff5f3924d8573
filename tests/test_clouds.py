"""One record for a cloud: everything that goes by cloud knows the same clouds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kopslint
from kopslint.cli.plan_script import VOLUMES
from kopslint.commands.etcd_functions import etcd_functions
from kopslint.kops.clouds import CLOUDS, Cloud

API = Path(kopslint.__file__).parent / "kops" / "api-fields.json"

WITH_VOLUMES = [cloud for cloud in CLOUDS.values() if cloud.delete_volume is not None]


def test_every_cloud_that_the_api_of_kops_names_has_a_record() -> None:
    """A cloud that kops gains is missing here until it has a record."""
    text = API.read_text(encoding="utf-8")
    named = {*json.loads(text)["v1alpha3"]["types"]["CloudProviderSpec"]}

    assert named - {"do"} | {"digitalocean"} == set(CLOUDS) - {"metal"}


@pytest.mark.parametrize("cloud", WITH_VOLUMES, ids=lambda cloud: cloud.name)
def test_a_cloud_whose_volumes_can_be_deleted_has_shell_that_finds_them(
    cloud: Cloud,
) -> None:
    """The runbook's script looks a volume up by the same program that deletes it."""
    assert cloud.delete_volume is not None
    assert cloud.program is not None
    assert cloud.delete_volume.split()[0] == cloud.program
    assert cloud.program in VOLUMES


def test_there_is_no_shell_for_clouds_without_a_record() -> None:
    assert set(VOLUMES) == {cloud.program for cloud in WITH_VOLUMES}


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_members_are_looked_up_by_what_etcd_calls_them(cloud: Cloud) -> None:
    """Where etcd knows volume ids, the script asks the cloud's program for one."""
    text = "\n".join(etcd_functions("c.example.org", cloud.name))

    assert (f" {cloud.program} " in f" {text} ".replace("$(", "$( ")) is (
        cloud.members_are == "volume ids"
    )
    assert ("kops-$name" in text) is (cloud.members_are == "volume names")
