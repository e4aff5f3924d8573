"""The verdicts of kops 1.37-alpha about real and about broken specs, one by one.

The corpus is not part of the project. ``KOPSLINT_CORPUS`` names a folder with
``mutations`` (sound specs, each broken in one place), ``specs`` (real ones) and
``updates`` (one put in the place of another), each with the ``verdicts.json`` of kops.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from kopslint.errors import InputError
from kopslint.kops.decode import Fleet, read_fleet
from kopslint.kops.validation import rejections, update_rejections
from kopslint.kops.validation.declared import in_file, named
from kopslint.text import Source

KOPS = "1.37"
CORPUS = Path(os.environ.get("KOPSLINT_CORPUS") or "no-corpus")
DIFFERENCES = Path(__file__).parent.parent / "fixtures/validation/differences.yaml"

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="KOPSLINT_CORPUS names no folder"
)

Verdict = dict[str, Any]
# What is told: where, and at which command kops refuses it.
Told = set[tuple[str, str, str]]


def verdicts(folder: str) -> Any:
    return json.loads((CORPUS / folder / "verdicts.json").read_text(encoding="utf-8"))


@cache
def fleet(path: str) -> Fleet:
    return read_fleet([Source(path, (CORPUS / path).read_text(encoding="utf-8"))])


@cache
def told(path: str) -> frozenset[tuple[str, str, str]]:
    """Everything that is refused, as field, command and message."""
    try:
        found = fleet(path)
    except InputError as error:
        return frozenset({("", "create", str(error))})
    return frozenset(
        {("", "create", flaw.message) for flaw in found.flaws}
        | {
            (rejection.path, rejection.at_command, rejection.message)
            for manifest in found.manifests.values()
            for rejection in rejections(manifest, kops_version=KOPS)
        }
    )


def breakages() -> list[tuple[Verdict, Verdict, frozenset[tuple[str, str, str]]]]:
    """Every breakage with the spec it was made from, and what is told of it alone."""
    table: list[Verdict] = verdicts("mutations")
    base = {v["spec"]: v for v in table if v["mutation"] == "BASE"}
    return [
        (
            verdict,
            base[verdict["spec"]],
            told(f"mutations/{verdict['file']}")
            - told(f"mutations/{base[verdict['spec']]['file']}"),
        )
        for verdict in table
        if verdict["mutation"] != "BASE"
    ]


def is_refused(verdict: Verdict, base: Verdict) -> bool:
    """Whether kops refuses the breakage, and not only what was refused before."""
    more = set(verdict["refused_by"]) - set(base["refused_by"])
    return bool(more or (verdict["refused_by"] and verdict["new_errors"]))


def test_what_kops_refuses_is_told() -> None:
    refused = [(v, new) for v, base, new in breakages() if is_refused(v, base)]
    missed = [v["file"] for v, new in refused if not new]

    assert len(refused) > 100
    assert len(missed) <= 0.02 * len(refused), missed


def test_what_kops_accepts_is_not_told() -> None:
    wrong = [
        (v["file"], new)
        for v, base, new in breakages()
        if not is_refused(v, base)
        if new
    ]

    assert wrong == []


def test_a_sound_spec_is_told_only_what_kops_edit_refuses() -> None:
    for verdict in verdicts("mutations"):
        if verdict["mutation"] == "BASE":
            commands = {at for _, at, _ in told(f"mutations/{verdict['file']}")}
            assert commands == ({"edit"} if verdict["refused_by"] else set())


# Where kops blames one field and kopslint another one, for the same mistake.
_BLAMED = {
    "spec.etcdClusters.backupStore": "spec.etcdClusters.name",
    "spec.metadata.name": "metadata.name",
    "objectMeta.name": "metadata.name",
    "spec.kubernetesAPIAccess": "spec.kubernetesApiAccess",
}


def blamed(error: dict[str, str], version: str) -> str | None:
    """The field of the file that kops blames, without places in lists."""
    decoded = re.search(r"Go struct field \w+\.(\S+) of type", error["message"])
    strict = re.match(r'unknown field "(.*)"', error["message"])
    field = error["field"]
    if decoded or strict:
        field = (decoded or strict)[1]  # type: ignore[index]
    elif field and field.startswith("spec.") and "metadata" not in field:
        field = named(("spec", *in_file(field.removeprefix("spec."), version)))
    plain = re.sub(r"\[\d*\]", "", field or "")
    return _BLAMED.get(plain, plain) or None


def test_the_field_that_kops_blames_is_the_one_told() -> None:
    """Or one below it, or the one it stands in."""
    elsewhere = []
    named_ = 0
    for verdict, base, new in breakages():
        version = "v1alpha3" if "v1alpha3" in verdict["spec"] else "v1alpha2"
        wanted = {
            field
            for error in verdict["new_errors"]
            if (field := blamed(error, version)) is not None
        }
        if not wanted or not is_refused(verdict, base):
            continue
        named_ += 1
        fields = {re.sub(r"\[\d*\]", "", path) for path, _, _ in new}
        # kops says that a group has no such subnet as if the Cluster had said so.
        alike = {"subnets", "spec.subnets", "spec.networking.subnets"}
        if not any(
            told_.startswith(field)
            or field.startswith(told_)
            or {told_, field} <= alike
            for told_ in fields - {""}
            for field in wanted
        ):
            elsewhere.append((verdict["file"], wanted, fields))

    assert len(elsewhere) <= 0.02 * named_, elsewhere


def test_real_specs_get_the_verdict_of_kops() -> None:
    """But for the ones that somebody has looked at and found right as they are.

    Where kops was not asked to update a cluster, what only an update refuses is left
    out of account.
    """
    table: dict[str, Verdict] = verdicts("specs")
    specs = {n: v for n, v in table.items() if not v["origin"]["templated"]}
    known = yaml.safe_load(DIFFERENCES.read_text(encoding="utf-8"))
    different = {
        name
        for name, verdict in specs.items()
        if (verdict["refused_at"] is not None)
        != any(
            at != "update" or verdict["update_ok"] is not None
            for _, at, _ in told(f"specs/{name}")
        )
    }

    assert different - set(known) == set()
    assert len(different) <= 0.02 * len(specs)


def test_updates_get_the_verdict_of_kops() -> None:
    different = []
    for verdict in verdicts("updates"):
        (before,) = fleet(f"updates/{verdict['before']}").manifests.values()
        (after,) = fleet(f"updates/{verdict['after']}").manifests.values()
        volumes = verdict["etcd_volumes_exist"]
        change = update_rejections(
            before, after, kops_version=KOPS, etcd_volumes_exist=volumes
        )
        # kops replace -f does not compare the objects of a file with each other.
        alone = [
            v
            for v in rejections(after, kops_version=KOPS)
            if v.at_command in ("create", "replace")
            or v.kind in ("even-members", "no-members")
        ]
        refused = [e for e in verdict["errors"] if "unknown field" not in e["message"]]
        if bool(refused) != bool(alone or list(change)):
            different.append((verdict["after"], volumes))

    assert different == []
