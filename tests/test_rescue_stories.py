"""What rescues a cluster that was seen broken, and what destroys it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

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


def resized(group: str, count: int) -> str:
    """The cloud's own command line sizes a group."""
    called = f"control-plane-{group}.masters.{CLUSTER}"
    return (
        f"aws autoscaling set-desired-capacity --auto-scaling-group-name {called} "
        f"--desired-capacity {count}\n"
    )


def emptied(names: str) -> str:
    """The disks of machines that are down are deleted."""
    return "".join(
        f'aws ec2 delete-volume --volume-id "$volume_of_{name}_in_{etcd}"\n'
        for name in names
        for etcd in ("main", "events")
    )


def deleted(names: str) -> str:
    return "".join(
        f"kops delete ig control-plane-{name} --name {CLUSTER} --yes\n"
        for name in names
    )


def without_machines(text: str, names: str) -> str:
    """A spec whose groups of some members have size 0."""
    documents = text.split("---\n")
    for name in names:
        documents = [
            document.replace("Size: 1", "Size: 0")
            if f"  name: control-plane-{name}\n" in document
            else document
            for document in documents
        ]
    return "---\n".join(documents)


def told_by_etcd_manager(count: int, version: str) -> str:
    """The control spec, as ``etcd-manager-ctl get`` prints it."""
    return "".join(
        f"$ etcd-manager-ctl --backup-store={STORE}/{name} get\n"
        f'member_count:{count} etcd_version:"{version}"\n'
        for name in ("main", "events")
    )


def written(
    broken: Broken,
    members: str,
    after: str = "",
    etcd: str = "",
    *,
    etcd_after: str = "",
    empty_groups: str = "",
    published: bool = False,
) -> None:
    text = without_machines(spec(members, etcd=etcd), empty_groups)
    Path("before.yaml").write_text(text, encoding="utf-8")
    text = spec(after or members, etcd=etcd_after or etcd)
    text = without_machines(text, empty_groups)
    Path("after.yaml").write_text(text, encoding="utf-8")
    seen = broken.everything(members)
    if published:
        seen += "\n" + told_by_etcd_manager(broken.published, broken.etcd)
    Path("seen.txt").write_text(seen, encoding="utf-8")


def reported(commands: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    Path("list.sh").write_text(f"set -e\n{commands}", encoding="utf-8")
    run(
        [
            *("check", "--before", "before.yaml", "--after", "after.yaml"),
            *("--commands", "list.sh", "--observed", "seen.txt", "--format", "json"),
        ]
    )
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def checked(
    commands: str, capsys: pytest.CaptureFixture[str]
) -> tuple[str, dict[str, set[str]]]:
    """The verdict, and the rules that speak of the list, by their severity."""
    report = reported(commands, capsys)
    found: dict[str, set[str]] = {}
    for finding in report["findings"]:
        if finding["step"] is not None:
            found.setdefault(finding["severity"], set()).add(finding["rule"])
    return report["summary"]["verdict"], found


def said(commands: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """The verdict, and what is said beyond what was seen, with its rule."""
    report = reported(commands, capsys)
    return report["summary"]["verdict"], [
        f"{finding['rule']}: {finding['message']}"
        for finding in report["findings"]
        if finding["severity"] in ("error", "warning")
    ]


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
    assert "everything written since the last backup is lost" in plan["reasons"][0]
    lines = plan["procedure"]
    gone = next(i for i, line in enumerate(lines) if line.startswith("kops delete ig"))
    queued = next(i for i, line in enumerate(lines) if "restore-backup" in line)
    assert gone < queued


STALE_FIVE = Broken("abcde", "abc", 3)
FIVE = Broken("abcde", "abc", 5)
TWO_OF_FIVE = Broken("abcde", "ab", 5)
REPLACE = "kops replace --force -f after.yaml\n"
LEADER_RESTARTS = "".join(
    f"kubectl --context {CLUSTER} -n kube-system delete pod etcd-manager-{etcd}-node-a"
    "\n"
    for etcd in ("main", "events")
)
SPLIT = "KL321: two etcd main clusters serve at once"
MIXED = "KL321: the backup is written over the running etcd main"
LOSES = "KL321: a queued restore rolls back etcd main although quorum is back"
WAITS = "KL321: the restore of etcd main never runs"
EXPELS = "KL305: etcd-manager expels members of etcd main and events that nobody chose"


class Row(NamedTuple):
    """A row of the runs: what was seen, what is done, and what has to be said of it."""

    broken: Broken
    commands: str
    says: str
    members: str = "abcde"
    after: str = ""
    empty_groups: str = ""


ROWS = {
    "old disks come back while a lower count is published": Row(
        STALE_FIVE, resized("d", 1) + resized("e", 1), EXPELS, empty_groups="de"
    ),
    "one old disk comes back while a lower count is published": Row(
        STALE_FIVE, resized("d", 1), EXPELS, empty_groups="de"
    ),
    "a restore for three, beside dead members": Row(
        STALE_FIVE, RESTORE + LEADER_RESTARTS, LOSES, members="abc"
    ),
    "a restore for five, with three of them": Row(
        FIVE, RESTORE + LEADER_RESTARTS, MIXED, empty_groups="de"
    ),
    "one of the expelled is emptied": Row(
        Broken("ab", "abcde", 3),
        resized("e", 0) + emptied("e") + resized("e", 1),
        EXPELS,
    ),
    "a restore first, a count that can be filled after it": Row(
        TWO_OF_FIVE,
        RESTORE + deleted("de") + REPLACE + UPDATE,
        WAITS,
        after="abc",
        empty_groups="cde",
    ),
    "a majority of the old disks comes back after a restore": Row(
        TWO_OF_FIVE._replace(published=3),
        RESTORE + resized("c", 1) + resized("d", 1) + resized("e", 1),
        SPLIT,
        empty_groups="cde",
    ),
    "two empty disks at once on an old etcd": Row(
        FIVE._replace(etcd="3.5.1"),
        emptied("de") + resized("d", 1) + resized("e", 1),
        "KL306: d and e can never join etcd main and events",
        empty_groups="de",
    ),
    "a member is added by hand beside a dead one": Row(
        ONE_DEAD,
        etcdctl("main", "member add etcd-d --peer-urls=https://etcd-d:2380"),
        "KL322: d is added to etcd main by hand and never starts",
        members="abc",
        after="abcd",
    ),
    "a dead member is removed while new ones wait": Row(
        Broken("abc", "ab", 5, machines="abde"),
        removed("c"),
        "KL322: d may get stuck while etcd-manager adds it to etcd main",
        empty_groups="c",
    ),
}


def told_of(row: Row, capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """What the list of a row comes to, from what its row was seen as."""
    written(
        row.broken,
        row.members,
        row.after,
        empty_groups=row.empty_groups,
        published=True,
    )
    return said(row.commands, capsys)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_destroyed_a_cluster_in_a_run_is_named(
    row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict, found = told_of(row, capsys)

    assert verdict == "UNSAFE"
    assert any(text.startswith(row.says) for text in found), found


WAYS_BACK = {
    "the higher count first, then the old disks": Row(
        STALE_FIVE, UPDATE + VALIDATE, "SAFE"
    ),
    "the expelled are emptied together": Row(
        Broken("ab", "abcde", 3),
        deleted("de") + resized("c", 0) + emptied("cde") + REPLACE + UPDATE + VALIDATE,
        "SAFE",
        after="abc",
    ),
    "a count that can be filled, then a restore": Row(
        TWO_OF_FIVE,
        deleted("de") + REPLACE + UPDATE + RESTORE,
        "CAUTION",
        after="abc",
        empty_groups="cde",
    ),
    "a dead member is removed before new ones start": Row(
        Broken("abc", "ab", 5),
        removed("c") + resized("d", 1) + resized("e", 1),
        "CAUTION",
        empty_groups="cde",
    ),
    "both are removed, then come back empty": Row(
        FIVE,
        removed("d") + removed("e") + emptied("de") + resized("d", 1) + resized("e", 1),
        "CAUTION",
        empty_groups="de",
    ),
}


@pytest.mark.parametrize("row", WAYS_BACK.values(), ids=WAYS_BACK)
def test_what_brought_a_cluster_back_in_a_run_is_no_error(
    row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    """Warnings may be: that a group has no machine, or that there is no spare."""
    verdict, found = told_of(row, capsys)

    assert verdict == row.says, found


def test_a_restore_without_quorum_needs_no_restart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The leader sees no member, and reads its store again by itself."""
    row = WAYS_BACK["a count that can be filled, then a restore"]
    written(row.broken, row.members, row.after, empty_groups="cde", published=True)

    _, found = said(row.commands, capsys)

    assert not any(text.startswith("KL311") for text in found)


VERSIONS = {
    "a member is dead": (ONE_DEAD, "3.5.30", "3.6.11", "", "KL241"),
    "a dead member comes back empty": (
        ONE_DEAD,
        "3.5.30",
        "3.6.11",
        emptied("c") + resized("c", 1),
        "KL306: c can never join etcd main and events",
    ),
    "two minor releases at once": (WHOLE, "3.4.23", "3.6.11", "", "KL208"),
    "an older one": (WHOLE, "3.6.11", "3.5.30", "", "KL208"),
}


@pytest.mark.parametrize(
    ("broken", "etcd", "then", "more", "says"), VERSIONS.values(), ids=VERSIONS
)
def test_an_etcd_version_published_at_the_wrong_time(
    broken: Broken,
    etcd: str,
    then: str,
    more: str,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(
        broken._replace(etcd=etcd),
        "abc",
        etcd=etcd,
        etcd_after=then,
        empty_groups="c" if more else "",
        published=True,
    )

    _, found = said(REPLACE + UPDATE + more, capsys)

    assert any(text.startswith(says) for text in found), found


def test_an_etcd_version_published_once_the_disk_is_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(ONE_DEAD, "abc", etcd="3.5.30", etcd_after="3.6.11", published=True)

    verdict, found = said(UPDATE + VALIDATE + REPLACE + UPDATE, capsys)

    assert (verdict, found) == ("SAFE", [])


ROLL = f"kops rolling-update cluster --name {CLUSTER} --yes\n"


@pytest.mark.parametrize(
    ("first", "verdict", "says"),
    [
        ("", "UNSAFE", ["KL241", "KL301", "KL301", "KL302"]),
        (removed("d") + removed("e"), "SAFE", []),
    ],
    ids=["the dead stay registered", "the dead are removed first"],
)
def test_an_etcd_version_published_together_with_a_lower_count(
    first: str, verdict: str, says: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is upgraded until the dead members are removed."""
    written(
        FIVE._replace(etcd="3.5.30"),
        "abcde",
        "abc",
        etcd="3.5.30",
        etcd_after="3.6.11",
        empty_groups="de",
        published=True,
    )

    told, found = said(first + deleted("de") + REPLACE + UPDATE + ROLL, capsys)

    assert (told, sorted(text[:5] for text in found)) == (verdict, says)
