"""What rescues a cluster that was seen broken, and what destroys it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kopslint.cli.program import run

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from broken_clusters import CLUSTER, IDS, Broken, spec  # noqa: E402

STORE = f"s3://state/{CLUSTER}/backups/etcd"
UPDATE = f"kops update cluster --name {CLUSTER} --yes\n"
VALIDATE = f"kops validate cluster --name {CLUSTER} --wait 15m\n"
RESTORE = "".join(
    f"etcd-manager-ctl --backup-store={STORE}/{name} restore-backup B\n"
    for name in ("main", "events")
)


def etcdctl(name: str, command: str, node: str = "a") -> str:
    pod = f"etcd-manager-{name}-node-{node}"
    return (
        f"kubectl --context {CLUSTER} -n kube-system exec {pod} -- etcdctl {command}\n"
    )


def removed(name: str) -> str:
    """A member leaves both etcd clusters by its id."""
    return "".join(
        etcdctl(etcd, f"member remove {IDS[etcd][name]}") for etcd in ("main", "events")
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(broken: Broken, members: str, after: str = "", etcd: str = "") -> None:
    Path("before.yaml").write_text(spec(members, etcd=etcd), encoding="utf-8")
    text = spec(after or members, etcd=etcd)
    Path("after.yaml").write_text(text, encoding="utf-8")
    Path("seen.txt").write_text(broken.everything(members), encoding="utf-8")


def checked(
    commands: str, capsys: pytest.CaptureFixture[str]
) -> tuple[str, dict[str, set[str]]]:
    """The verdict, and the rules that speak of the list, by their severity."""
    Path("list.sh").write_text(f"set -e\n{commands}", encoding="utf-8")
    run(
        [
            *("check", "--before", "before.yaml", "--after", "after.yaml"),
            *("--commands", "list.sh", "--observed", "seen.txt", "--format", "json"),
        ]
    )
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    found: dict[str, set[str]] = {}
    for finding in report["findings"]:
        if finding["step"] is not None:
            found.setdefault(finding["severity"], set()).add(finding["rule"])
    return report["summary"]["verdict"], found


def planned(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    run(
        [
            *("plan", "--before", "before.yaml", "--after", "after.yaml"),
            *("--observed", "seen.txt", "--format", "json"),
        ]
    )
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    return plan


WHOLE = Broken("abc", "abc", 3)
STALE = Broken("abcde", "abc", 3)
ONE_DEAD = Broken("abc", "ab", 3)
LOST = Broken("abc", "a", 3)
OLD_LOST = Broken("abc", "a", 3, etcd="3.5.1")

RESCUES = {
    "dead members that nobody wants are removed": (
        STALE,
        "abc",
        removed("d") + removed("e"),
    ),
    "the disks come back": (LOST, "abc", UPDATE + VALIDATE),
    "one machine comes back with its disk": (ONE_DEAD, "abc", UPDATE + VALIDATE),
}


@pytest.mark.parametrize(
    ("broken", "members", "commands"), RESCUES.values(), ids=RESCUES
)
def test_what_rescues_is_clean(
    broken: Broken, members: str, commands: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written(broken, members)

    _, found = checked(commands, capsys)

    assert found.get("error", set()) == set()


DESTROYS = {
    "a living member is removed beside a dead one": (
        ONE_DEAD,
        "abc",
        removed("b"),
        {"KL306", "KL307"},
    ),
    "a survivor is forced by an etcd that corrupts": (
        OLD_LOST,
        "abc",
        "ssh node-a sudo etcd --force-new-cluster --name etcd-a --data-dir /x/main\n",
        {"KL901"},
    ),
    "a member is forced while quorum holds": (
        ONE_DEAD,
        "abc",
        "ssh node-a sudo etcd --force-new-cluster --name etcd-a --data-dir /x/main\n",
        {"KL901"},
    ),
    "a restore while lost disks can still come back": (
        LOST,
        "abc",
        RESTORE + VALIDATE,
        {"KL321"},
    ),
    "a restore beside dead members while quorum holds": (
        Broken("abcde", "abc", 5),
        "abcde",
        RESTORE + f"kops rolling-update cluster --name {CLUSTER} --force --yes\n",
        {"KL321"},
    ),
    "a queued restore when a lost disk comes back": (
        Broken("abc", "a", 3, queued=(3,)),
        "abc",
        RESTORE + UPDATE + VALIDATE,
        {"KL321"},
    ),
    "a dead member is removed while others wait to be added": (
        Broken("abc", "ab", 5, machines="abde"),
        "abcde",
        removed("c"),
        {"KL322"},
    ),
    "a member is added by hand": (
        Broken("ab", "ab", 3),
        "abc",
        etcdctl("main", "member add etcd-c --peer-urls=https://etcd-c:2380"),
        {"KL322"},
    ),
    "one more machine goes": (
        ONE_DEAD,
        "abc",
        f"kops delete ig control-plane-b --name {CLUSTER} --yes\n",
        {"KL301", "KL302"},
    ),
}


@pytest.mark.parametrize(
    ("broken", "members", "commands", "rules"), DESTROYS.values(), ids=DESTROYS
)
def test_what_destroys_is_an_error(
    broken: Broken,
    members: str,
    commands: str,
    rules: set[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(broken, members)

    verdict, found = checked(commands, capsys)

    assert verdict in ("UNSAFE", "NOT PROVEN")
    assert found["error"] & rules


def test_nothing_to_mend_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    written(WHOLE, "abc")

    assert planned(capsys)["result"] == "nothing-to-do"


def test_dead_members_leave_every_etcd_cluster(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(STALE, "abc")

    plan = planned(capsys)

    steps = [(step["etcd_cluster"], step["about"]) for step in plan["steps"]]
    assert steps == [("main", "d"), ("main", "e"), ("events", "d"), ("events", "e")]
    assert plan["steps"][-1]["etcd"]["main"]["members"] == ["a", "b", "c"]


def test_a_lost_member_leaves_and_starts_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(ONE_DEAD, "abc")

    plan = planned(capsys)

    assert [step["kind"] for step in plan["steps"]] == [
        "remove",
        "remove",
        "delete",
        "apply",
    ]
    assert plan["steps"][-1]["etcd"]["events"]["alive"] == ["a", "b", "c"]


def test_without_quorum_the_disks_come_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And what is left without them: one survivor, where its etcd does that well."""
    written(LOST, "abc")

    plan = planned(capsys)

    (step,) = plan["steps"]
    assert step["commands"] == [UPDATE.strip(), VALIDATE.strip()]
    assert any("--force-new-cluster" in note for note in plan["notes"])
    assert not any("restore-backup" in note for note in plan["notes"])


def test_an_etcd_that_corrupts_is_not_forced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(OLD_LOST, "abc")

    plan = planned(capsys)

    assert not any("--force-new-cluster" in note for note in plan["notes"])
    assert any("restore-backup" in note for note in plan["notes"])


def test_empty_machines_without_quorum_leave_the_survivor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(Broken("abc", "a", 3, machines="abc"), "abc")

    plan = planned(capsys)

    assert plan["result"] == "none"
    assert "nothing is lost" in plan["reasons"][0]
    assert any("--force-new-cluster" in line for line in plan["procedure"])


def test_the_loss_is_said_where_a_backup_is_all_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(Broken("abc", "a", 3, machines="abc", etcd="3.5.1"), "abc")

    plan = planned(capsys)

    assert plan["result"] == "none"
    assert "what was written since the last backup is lost" in plan["reasons"][0]
    lines = plan["procedure"]
    gone = next(i for i, line in enumerate(lines) if line.startswith("kops delete ig"))
    queued = next(i for i, line in enumerate(lines) if "restore-backup" in line)
    assert gone < queued
