"""``--observed`` on check, diff and plan: what is read, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kopslint.cli.program import run
from kopslint.rulebook.loader import load_rules

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three"
SPEC = (FIXTURE / "before.yaml").read_text(encoding="utf-8")
DEAD = "context deadline exceeded"
NAMES = [f"etcd-{n}" for n in range(5)]


def line(etcd: str, name: str, *, started: bool = True) -> str:
    """A line of the member list."""
    peer, client, front = {
        "main": (2380, 4001, "etcd-"),
        "events": (2381, 4002, "etcd-events-"),
    }[etcd]
    number = f"{NAMES.index(name) + 1}{etcd.encode().hex()}"
    host = f"https://{front}{name}.internal.prod.example.com"
    if not started:
        return f"{number}, unstarted, , {host}:{peer}, , false\n"
    return f"{number}, started, {front}{name}, {host}:{peer}, {host}:{client}, false\n"


def members(etcd: str) -> str:
    """The member list of all five."""
    return "".join(line(etcd, name) for name in NAMES)


def health(etcd: str, *dead: str) -> str:
    """The health of all, some of which do not answer."""
    port, front = {"main": (4001, "etcd-"), "events": (4002, "etcd-events-")}[etcd]
    told = ""
    for name in NAMES:
        url = f"https://{front}{name}.internal.prod.example.com:{port}"
        told += (
            f"{url} is unhealthy: failed to commit proposal: {DEAD}\n"
            if name in dead
            else f"{url} is healthy: successfully committed proposal: took = 9.7ms\n"
        )
    return told


WELL = members("main") + health("main") + members("events") + health("events")


@pytest.fixture(autouse=True)
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spec of five members, in the folder where everything runs."""
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC, encoding="utf-8")


def checked(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    """The JSON report of a check."""
    run(["check", "spec.yaml", *options, "--format", "json"])
    report: dict[str, object] = json.loads(capsys.readouterr().out)
    return report


def rules_of(report: dict[str, object]) -> set[str]:
    """The rules that found something."""
    findings = report["findings"]
    assert isinstance(findings, list)
    return {finding["rule"] for finding in findings}


def test_a_state_is_checked_without_any_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two of five are dead: the next one stops it, and JSON says what was read."""
    seen = members("main") + health("main", "etcd-3", "etcd-4")
    Path("seen.txt").write_text(
        f"2026-11-30T01:00:00Z\n{seen}{members('events')}{health('events')}",
        encoding="utf-8",
    )

    report = checked(capsys, "--observed", "seen.txt")

    assert rules_of(report) == {"KL501", "KL506", "KL515"}
    summary = report["summary"]
    assert isinstance(summary, dict)
    assert summary["observed"][0] == {
        "command": "etcdctl member list",
        "format": "simple",
        "path": "seen.txt",
        "etcd_cluster": "main",
        "node": None,
        "taken": "2026-11-30T01:00:00+00:00",
    }


def test_lost_quorum_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    """It is an error, and the verdict and the status say so."""
    first, *others = health("main", *NAMES).splitlines(keepends=True)
    refused = "".join(others).replace(
        "context deadline exceeded",
        "dial tcp 10.0.0.1:4001: connect: connection refused",
    )
    text = first + refused
    Path("seen.txt").write_text(members("main") + text, encoding="utf-8")

    assert run(["check", "spec.yaml", "--observed", "seen.txt"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("UNSAFE")
    assert "etcd main has no quorum: 1 of 5 can vote, 3 needed" in told


@pytest.mark.parametrize("form", ["text", "markdown", "html", "sarif"])
def test_every_report_says_what_was_seen(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("seen.txt").write_text(members("main"), encoding="utf-8")

    run(["check", "spec.yaml", "--observed", "seen.txt", "--format", form])

    assert "observed: 1 output of etcd main" in capsys.readouterr().out


def test_with_a_list_the_verdict_is_about_the_list(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is wrong before it is where it starts, and no fault of the list."""
    seen = members("main") + health("main", "etcd-3", "etcd-4")
    Path("seen.txt").write_text(
        f"{seen}{members('events')}{health('events')}", encoding="utf-8"
    )
    Path("list.sh").write_text("kops get instances --name prod.example.com\n", "utf-8")
    sides = ["--before", "spec.yaml", "--after", "spec.yaml", "--commands", "list.sh"]

    run(["check", *sides, "--observed", "seen.txt", "--format", "json"])

    report = json.loads(capsys.readouterr().out)
    told = {f["rule"]: f["severity"] for f in report["findings"]}
    assert (told["KL501"], told["KL506"]) == ("info", "info")


def test_without_observed_its_rules_say_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was not observed is not judged."""
    report = checked(capsys)

    assert rules_of(report) == set()
    assert report["summary"]["observed"] == []  # type: ignore[index]


def test_a_well_cluster_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """No rule of any kind has anything to say, but that there is no time."""
    Path("seen.txt").write_text(WELL, encoding="utf-8")

    assert run(["check", "spec.yaml", "--observed", "seen.txt"]) == 0
    assert capsys.readouterr().out.startswith("SAFE")


@pytest.mark.parametrize("name", ["main=seen.txt", "etcd-main.txt"])
def test_the_etcd_cluster_may_be_named(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm does not say of which etcd cluster it is; a name does."""
    path = Path(name.rpartition("=")[2])
    path.write_text("memberID:8 alarm:NOSPACE \n", encoding="utf-8")

    report = checked(capsys, "--observed", name)

    (alarm,) = [f for f in report["findings"] if f["rule"] == "KL512"]  # type: ignore[attr-defined]
    assert alarm["etcd_cluster"] == "main"


def test_a_name_that_the_ports_contradict_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The ports are believed."""
    Path("seen.txt").write_text(WELL, encoding="utf-8")

    report = checked(capsys, "--observed", "events=seen.txt")

    assert "KL516" in rules_of(report)
    assert "KL503" not in rules_of(report)


def test_a_folder_is_read_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Each file in it is an output, or several."""
    Path("seen").mkdir()
    Path("seen/main.log").write_text(members("main") + health("main"), "utf-8")
    Path("seen/events.md").write_text(
        f"# Events\n\n```\n{members('events')}{health('events', 'etcd-2')}```\n",
        "utf-8",
    )

    report = checked(capsys, "--observed", "seen")

    (dead,) = [f for f in report["findings"] if f["rule"] == "KL501"]  # type: ignore[attr-defined]
    assert dead["message"] == "etcd-2 is registered in etcd events but does not run"
    assert dead["locations"][0]["path"] == "seen/events.md"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing of it\n", "this text contains no known output"),
        ('{"header": {"member_id": 1},\n', "this JSON is incomplete"),
        ("memberID:8 alarm:NOSPACE\n", None),
    ],
)
def test_what_cannot_be_read_at_all_is_refused(
    text: str, told: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the place, and how to collect it; read but unplaced is no refusal."""
    Path("notes.txt").write_text(text, encoding="utf-8")

    status = run(["check", "spec.yaml", "--observed", "notes.txt"])

    printed = capsys.readouterr().err
    if told is None:
        assert status == 0
    else:
        assert status == 2
        assert f"notes.txt:1:1: the observation could not be read: {told}" in (printed)
        assert "kopslint observe" in printed


def test_no_name_in_an_output_gets_into_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is pasted at night comes from anywhere, and a name is put into a fix."""
    evil = "etcd-x\nrm -rf ~ #"
    told = {
        "header": {"cluster_id": 7, "member_id": 8},
        "members": [
            {
                "ID": 8,
                "name": evil,
                "peerURLs": ["https://etcd-x.internal.prod.example.com:2380"],
            }
        ],
    }
    Path("seen.json").write_text(json.dumps(told), encoding="utf-8")

    report = checked(capsys, "--observed", "seen.json")

    findings = report["findings"]
    assert isinstance(findings, list)
    assert "KL517" in rules_of(report)
    assert "KL503" not in rules_of(report)
    assert not any("rm -rf" in line for found in findings for line in found["fix"])


def test_of_several_clusters_it_has_to_say_which(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its addresses do; without any it is refused."""
    other = SPEC.replace("prod.example.com", "other.example.com")
    Path("spec.yaml").write_text(f"{SPEC}\n---\n{other}", encoding="utf-8")
    Path("seen.txt").write_text(WELL, encoding="utf-8")
    assert run(["check", "spec.yaml", "--observed", "seen.txt"]) == 0

    Path("alarm-main.txt").write_text("memberID:8 alarm:NOSPACE\n", encoding="utf-8")
    assert run(["check", "spec.yaml", "--observed", "alarm-main.txt"]) == 2
    assert "do not say which cluster" in capsys.readouterr().err


def test_diff_shows_how_the_members_differ(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Registered and not in the spec, in the spec and not registered, dead."""
    after = (FIXTURE / "after.yaml").read_text(encoding="utf-8")
    Path("after.yaml").write_text(after, encoding="utf-8")
    Path("seen.txt").write_text(
        members("main").replace(line("main", "etcd-0"), "")
        + health("main", "etcd-4").replace(health("main").splitlines()[0] + "\n", ""),
        encoding="utf-8",
    )
    sides = ["--before", "spec.yaml", "--after", "after.yaml", "--observed", "seen.txt"]

    assert run(["diff", *sides]) == 0

    told = capsys.readouterr().out
    assert "observed etcd main" in told
    assert "+ etcd-3: registered, but not in the spec after" in told
    assert "~ etcd-4: registered, but does not answer" in told
    assert "- etcd-0: in the spec after, but not registered" in told

    assert run(["diff", *sides, "--format", "json"]) == 0
    (cluster,) = json.loads(capsys.readouterr().out)["clusters"]
    assert {one["member"] for one in cluster["observed"]} == {
        *("etcd-0", "etcd-3", "etcd-4")
    }


def test_every_rule_about_what_was_observed_is_asked_only_then() -> None:
    """They are of a category of their own."""
    observed = [rule for rule in load_rules() if rule.id.startswith("KL5")]

    assert {rule.category for rule in observed} == {"observed"}
    for rule in observed:
        assert not rule.may_speak(change=True, commands=True, observed=False)
        assert rule.may_speak(change=False, commands=False, observed=True)
