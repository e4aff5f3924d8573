"""Upgrades from one Kubernetes to the next, with every kops that a team could run.

Each story says what etcd runs before and after, what is said of going there at once,
and what `plan` prints instead; that the check accepts the plan is part of making it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from kopslint.cli.diff import render_differences
from kopslint.cli.options import Format
from kopslint.cli.plan import make_plan
from kopslint.cli.plan_options import PlanOptions
from kopslint.cli.plan_script import script
from kopslint.cli.program import run
from kopslint.config.settings import DEFAULT
from kopslint.engine import Request, check
from kopslint.findings import Severity
from kopslint.kops.decode import read_fleet
from kopslint.kops.running_etcd import kops_for, may_run_at, needs_repair, runs
from kopslint.kops.versions import Release, release
from kopslint.model.software import running_versions
from kopslint.observed.reader import Named, read_observation
from kopslint.planner.runbook import NoWay, Runbook
from kopslint.report.display import Style
from kopslint.text import Source

NAME = "demo.example.com"
FIXTURES = Path(__file__).parents[1] / "fixtures"
PLAIN = Style(color=False, unicode=False, width=100)
MINORS = range(22, 37)
ETCD = {22: "3.5.3", 24: "3.5.6", 25: "3.5.7", 27: "3.5.9", 28: "3.5.13", 30: "3.5.21"}


def spec(side: str, kubernetes: str, etcd: str | None = None) -> Source:
    """Three members on AWS, as kops of every age takes it."""
    members = [{"name": m, "instanceGroup": f"master-{m}"} for m in "abc"]
    named = {"version": etcd} if etcd is not None else {}
    cluster = {
        "apiVersion": "kops.k8s.io/v1alpha2",
        "kind": "Cluster",
        "metadata": {"name": NAME},
        "spec": {
            "cloudProvider": "aws",
            "configBase": f"s3://state/{NAME}",
            "kubernetesVersion": kubernetes,
            "networkCIDR": "10.0.0.0/16",
            "nonMasqueradeCIDR": "100.64.0.0/10",
            "networking": {"calico": {}},
            "iam": {"legacy": False},
            "etcdClusters": [
                {"name": name, **named, "etcdMembers": members}
                for name in ("main", "events")
            ],
            "subnets": [
                {
                    "name": zone,
                    "zone": f"us-east-1{zone}",
                    "cidr": f"10.0.{number}.0/24",
                    "type": "Public",
                }
                for number, zone in enumerate("abc")
            ],
        },
    }
    groups = [
        {
            "apiVersion": "kops.k8s.io/v1alpha2",
            "kind": "InstanceGroup",
            "metadata": {"name": name, "labels": {"kops.k8s.io/cluster": NAME}},
            "spec": {"role": role, "minSize": 1, "maxSize": 1, "subnets": [zone]},
        }
        for name, role, zone in (
            *((f"master-{zone}", "Master", zone) for zone in "abc"),
            ("nodes", "Node", "a"),
        )
    ]
    return Source(f"{side}.yaml", yaml.safe_dump_all([cluster, *groups]))


def planned(before: Source, after: Source) -> Runbook | NoWay:
    """What ``plan`` finds; files are found as if they were written."""
    one, other = (read_fleet([side]).manifests[NAME] for side in (before, after))
    return make_plan(one, other, PlanOptions(before=(), after=()))


def told(before: Source, after: Source, kops: str | None = None) -> set[str]:
    settings = DEFAULT._replace(kops_version=kops)
    report = check(Request((before,), (after,)), settings)
    return {finding.rule for finding in report.findings}


def passed(runbook: Runbook) -> list[tuple[Release, ...]]:
    """The etcd that may run after each step, by the kops that the step asks for."""
    found = []
    for step in runbook.steps:
        assert step.deed.spec is not None
        cluster = step.deed.spec.manifest.cluster
        assert cluster is not None
        etcd = cluster.etcd_clusters[0]
        kubernetes = release(cluster.kubernetes_version)
        found.append(may_run_at(etcd.version, kubernetes, step.kops))
    return found


@pytest.mark.parametrize("named", [False, True], ids=["implicit", "named"])
@pytest.mark.parametrize("minor", MINORS)
def test_every_upgrade_passes_one_series_of_etcd_after_another(
    minor: int, *, named: bool
) -> None:
    """Each step is for a kops that takes its spec, and no etcd is left unrepaired."""
    version = ETCD[max(m for m in ETCD if m <= minor)] if named else None
    version = "3.6.11" if named and minor >= 34 else version
    before = spec("before", f"1.{minor}.3", version)
    after = spec("after", f"1.{minor + 1}.2", version)

    runbook = planned(before, after)

    assert isinstance(runbook, Runbook), runbook
    now = may_run_at(version, Release(1, minor, 3), kops_for(Release(1, minor, 3)))
    for step, then in zip(runbook.steps, passed(runbook), strict=True):
        assert step.kops
        assert then
        assert then[-1].minor - now[0].minor <= 1
        if then[-1].minor >= 6:
            assert not any(map(needs_repair, now))
        now = then


def test_who_leaves_etcd_to_kops_gets_3_6_with_kubernetes_1_34() -> None:
    """The repairing release comes first, where every other upgrade is one step."""
    for minor in MINORS:
        before, after = (
            spec(side, f"1.{m}.1")
            for side, m in (("before", minor), ("after", minor + 1))
        )
        runbook = planned(before, after)
        assert isinstance(runbook, Runbook)
        assert len(runbook.steps) == (2 if minor == 33 else 1)
        assert ("KL234" in told(before, after)) is (minor == 33)


@pytest.mark.parametrize(
    ("kops", "kubernetes", "running"),
    [
        (22, 21, "3.4.13"),
        (22, 22, "3.5.3"),
        (28, 28, "3.5.13"),
        (33, 33, "3.5.21"),
        (34, 33, "3.5.30"),
        (34, 34, "3.6.11"),
        (37, 36, "3.6.12"),
        (37, 37, "3.7.0"),
    ],
)
def test_what_runs_is_by_kops_and_kubernetes(
    kops: int, kubernetes: int, running: str
) -> None:
    assert runs(None, Release(1, kubernetes, 0), kops) == release(running)


def test_a_long_upgrade_names_the_kops_of_each_step() -> None:
    runbook = planned(spec("before", "1.24.5"), spec("after", "1.36.0"))

    assert isinstance(runbook, Runbook)
    text = script(runbook, PLAIN)
    named = re.findall(
        r"^# It is for (kops 1\.\d+(?: to 1\.\d+)?)\.$", text, re.MULTILINE
    )
    asked = re.findall(r"^  kops_is (\d+) (\d+) &&$", text, re.MULTILINE)
    assert len(named) == len(asked) == len(runbook.steps) == 13
    assert (named[0], named[-1]) == ("kops 1.25 to 1.31", "kops 1.36 to 1.37")
    assert "# No single kops release can run all of this" in text


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (("1.33.2", "3.6.5"), ("1.33.2", None), "from 3.6.5 to 3.5.31 in place"),
        (("1.34.2", None), ("1.34.2", "3.5.21"), "from 3.6.11 to 3.5.21 in place"),
        (("1.34.2", "3.6.5"), ("1.34.2", "3.5.30"), "from 3.6.5 to 3.5.30 in place"),
    ],
)
def test_etcd_does_not_go_back_where_no_version_is_named_either(
    before: tuple[str, str | None], after: tuple[str, str | None], why: str
) -> None:
    result = planned(spec("before", *before), spec("after", *after))

    assert isinstance(result, NoWay)
    assert any(why in reason for reason in result.reasons)


def test_two_minor_releases_of_etcd_are_two_steps() -> None:
    runbook = planned(spec("before", "1.34.2", "3.4.13"), spec("after", "1.34.2"))

    assert isinstance(runbook, Runbook)
    assert [then[0].series for then in passed(runbook)] == ["3.5", "3.6"]


@pytest.mark.parametrize(
    ("version", "runs_it"),
    [
        ("Client version: 1.36.0 (git-v1.36.0)", True),
        ("Version 1.33.1 (git-4ca3c7a2b7)", False),
        ("", False),
    ],
)
def test_a_script_stops_before_a_step_for_another_kops(
    tmp_path: Path, version: str, *, runs_it: bool
) -> None:
    """Nothing is stored by a kops that the step is not for."""
    runbook = planned(spec("before", "1.34.2"), spec("after", "1.35.0"))
    assert isinstance(runbook, Runbook)
    (tmp_path / "plan.sh").write_text(script(runbook, PLAIN), encoding="utf-8")
    (tmp_path / "after.yaml").touch()
    kops = tmp_path / "kops"
    kops.write_text(
        f'#!/bin/sh\necho "kops $*" >> {tmp_path}/log\n'
        f'[ "$1" != version ] || echo "{version}"\n',
        encoding="utf-8",
    )
    kops.chmod(0o755)

    done = subprocess.run(
        ["bash", "plan.sh"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "kops version" in log
    assert ("this step is for kops 1.35 to 1.37" in done.stderr) is not runs_it
    assert runs_it or (done.returncode and "kops replace" not in log)


@pytest.mark.parametrize(
    ("before", "after", "kops", "rules"),
    [
        (("1.21.3", None), ("1.22.1", None), "1.22", {"KL240"}),
        (("1.33.3", None), ("1.34.1", None), "1.34", {"KL234", "KL240"}),
        (("1.36.3", None), ("1.37.0", None), "1.37", {"KL240"}),
        (("1.35.3", None), ("1.36.1", None), "1.36", set()),
        (("1.33.3", "3.5.21"), ("1.34.1", "3.5.21"), "1.34", set()),
        (("1.34.3", "3.4.13"), ("1.34.3", None), "1.34", {"KL208", "KL240"}),
        (("1.33.3", "3.6.5"), ("1.33.3", None), "1.34", {"KL208"}),
        (("1.33.3", "3.6.5"), ("1.33.3", None), None, {"KL208"}),
    ],
)
def test_what_is_said_of_etcd_is_by_what_runs(
    before: tuple[str, str | None],
    after: tuple[str, str | None],
    kops: str | None,
    rules: set[str],
) -> None:
    """A spec that names no version is judged by the one that its kops takes."""
    about_etcd = {"KL208", "KL234", "KL240", "KL241"}

    found = told(spec("before", *before), spec("after", *after), kops)

    assert found & about_etcd == rules


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("1.33.3", "1.34.1", "main: 3.5.21 to 3.5.31 -> 3.6.11 to 3.6.12"),
        ("1.36.3", "1.37.0", "main: 3.6.12 -> 3.7.0"),
        ("1.35.3", "1.35.4", None),
    ],
)
def test_diff_shows_the_etcd_that_no_spec_names(
    tmp_path: Path, before: str, after: str, line: str | None
) -> None:
    for side, kubernetes in (("before", before), ("after", after)):
        path = tmp_path / f"{side}.yaml"
        path.write_text(spec(side, kubernetes).text, encoding="utf-8")
    sides = [str(tmp_path / "before.yaml")], [str(tmp_path / "after.yaml")]

    text = render_differences(*sides, Format.TEXT)
    (cluster,) = json.loads(render_differences(*sides, Format.JSON))["clusters"]

    assert ("etcd version that runs" in text) is (line is not None)
    assert line is None or f"  ~ {line}\n" in text
    assert bool(cluster["etcd"]) is (line is not None)


@pytest.mark.parametrize(
    ("files", "option", "asked", "note"),
    [
        (
            {".kops-version": "1.35.1"},
            None,
            {"1.35"},
            "It is made for kops 1.35, from .kops-version:1.",
        ),
        (
            {".kops-version": "1.31.0"},
            None,
            {"1.34"},
            ".kops-version:1 names kops 1.31, and 2 of the steps need another one.",
        ),
        ({}, None, {"1.34"}, None),
        (
            {".kops-version": "1.35.1"},
            "1.36",
            {"1.36"},
            "It is made for kops 1.36, from --kops-version.",
        ),
        (
            {".kops-version": "1.35.1", ".kopslint.yaml": "kops-version: '1.37'"},
            None,
            {"1.37"},
            "It is made for kops 1.37, from .kopslint.yaml.",
        ),
        (
            {".kops-version": "1.35.1", ".tool-versions": "kops 1.36.0"},
            None,
            {"1.34"},
            "Two kops releases are named, so neither is used: .kops-version:1 (1.35)",
        ),
    ],
)
@pytest.mark.parametrize("from_git", [False, True])
def test_the_kops_of_the_repository_runs_the_steps_that_it_can(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str],
    option: str | None,
    asked: set[str],
    note: str | None,
    *,
    from_git: bool,
) -> None:
    """Otherwise a step names those that run it, as if nothing had been said."""
    monkeypatch.chdir(tmp_path)
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text(spec("before", "1.33.2").text, encoding="utf-8")
    after.write_text(spec("after", "1.34.2").text, encoding="utf-8")
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    sides = ["before.yaml", "after.yaml"]
    if from_git:
        commit = "-c user.name=t -c user.email=t@example.com commit -qm one"
        for command in ("init -q", "add before.yaml", commit):
            subprocess.run(["git", *command.split()], check=True)
        after.rename(before)
        sides = ["--base", "HEAD", "before.yaml"]

    run(["plan", *sides, *(["--kops-version", option] if option else [])])

    printed = capsys.readouterr().out
    text = " ".join(printed.replace("\n# ", " ").split())
    assert set(re.findall(r"# It is for kops (1\.\d+)", printed)) == asked
    assert note is None or note in text


def test_a_list_is_corrected_for_the_kops_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(FIXTURES / "five-to-three", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".kops-version").write_text("1.35.1", encoding="utf-8")
    sides = ["--before", "before.yaml", "--after", "after.yaml"]

    run(["check", *sides, "--commands", "commands.sh", "--fix"])

    told = capsys.readouterr()
    assert "commands.sh is corrected: " in told.err
    assumed = " ".join(told.out.split())
    assert re.search(r"assumes kops 1\.35 [^()]*\(\.kops-version:1\)", assumed)


@pytest.mark.parametrize(
    ("kubernetes", "etcd"),
    [
        (16, {"3.3.10"}),
        *((minor, {"3.4.3"}) for minor in (17, 18)),
        *((minor, {"3.4.13"}) for minor in (19, 20, 21)),
        (22, {"3.5.3", "3.5.6", "3.5.7", "3.5.9"}),
        (23, {"3.5.3", "3.5.6", "3.5.7", "3.5.9", "3.5.13"}),
        (24, {"3.5.6", "3.5.7", "3.5.9", "3.5.13"}),
        *((minor, {"3.5.7", "3.5.9", "3.5.13", "3.5.21"}) for minor in (25, 26)),
        (27, {"3.5.9", "3.5.13", "3.5.21"}),
        (28, {"3.5.13", "3.5.21"}),
        (29, {"3.5.13", "3.5.21", "3.5.30", "3.5.31"}),
        *((minor, {"3.5.21", "3.5.30", "3.5.31"}) for minor in (30, 31)),
    ],
)
def test_the_model_runs_the_etcd_of_every_kops_that_updates_a_kubernetes(
    kubernetes: int, etcd: set[str]
) -> None:
    """Source: kops pkg/model/components/etcd.go on the release branches."""
    side = spec("side", f"1.{kubernetes}.5")
    manifest = read_fleet([side]).manifests[NAME]

    assert running_versions(manifest, "main", None) == etcd


ASKED = "$ kubectl -n kube-system exec etcd-manager-main-i-0a -- etcdctl "
HOSTS = {m: f"https://etcd-{m}.internal.{NAME}" for m in "abc"}
OBSERVED = "".join(
    [
        f"{ASKED}member list\n",
        *(
            f"1f4be1c6a9d02a1{m}, started, etcd-{m}, {host}:2380, {host}:4001, false\n"
            for m, host in HOSTS.items()
        ),
        f"{ASKED}endpoint health --cluster\n",
        *(
            f"{host}:4001 is healthy: successfully committed proposal: took = 9.8ms\n"
            for m, host in HOSTS.items()
            if m != "c"
        ),
        f"{HOSTS['c']}:4001 is unhealthy: failed to commit proposal\n",
    ]
)
REPLACES = (
    "aws autoscaling set-desired-capacity --desired-capacity 0 "
    f"--auto-scaling-group-name master-c.masters.{NAME}\n"
    f"aws ec2 delete-volume --volume-id c.etcd-main.{NAME}\n"
)
GOES = (
    "kops replace -f after.yaml\n"
    f"kops update cluster --name {NAME} --yes\n"
    f"kops rolling-update cluster --name {NAME} --yes\n"
)


@pytest.mark.parametrize(
    ("first", "observed", "severity"),
    [
        ("", "", None),
        ("", OBSERVED, Severity.ERROR),
        (REPLACES, "", Severity.ERROR),
    ],
)
def test_a_newer_etcd_beside_a_dead_member_is_an_error(
    first: str, observed: str, severity: Severity | None
) -> None:
    """It is not upgraded, and whoever replaces the member is not let in."""
    request = Request(
        (spec("before", "1.33.3", "3.5.21"),),
        (spec("after", "1.34.1", "3.6.11"),),
        (Source("list.sh", first + GOES),),
        observed=read_observation([Named(Source("observed.txt", observed))])
        if observed
        else None,
    )

    report = check(request, DEFAULT._replace(kops_version="1.34"))

    found = [f.severity for f in report.findings if f.rule == "KL241"]
    assert found == ([severity] if severity else [])
