"""``kopslint observe``: its script only reads, and what it writes is read back.

It is run against a cluster that only exists in files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kopslint.cli.inputs import read_observed
from kopslint.cli.program import run
from kopslint.kops.clouds import CLOUDS
from kopslint.kops.decode import read_fleet
from kopslint.observed.matching import matched
from kopslint.text import Source

sys.path.insert(0, str(Path(__file__).parent))
from stand_ins import StandIns

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three"
CLUSTER = "prod.example.com"
SPEC = (FIXTURE / "before.yaml").read_text(encoding="utf-8")

READS = re.compile(
    r"kops (get|validate) |aws s3 (cp \S+ -|ls )|kubectl .*\b(get (nodes|pods?)\b"
    r"|exec \S+ -- \S+/etcdctl .*(member list|endpoint (status|health)|alarm list))"
)
"""The calls that change nothing, wherever they go."""

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None, reason="bash is not installed"
)


@pytest.fixture
def script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What is printed for the spec."""
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC, encoding="utf-8")
    assert run(["observe", "spec.yaml"]) == 0
    return capsys.readouterr().out


@pytest.fixture
def cluster(tmp_path: Path) -> StandIns:
    """The cluster of the spec."""
    (tmp_path / "run").mkdir()
    return StandIns(tmp_path / "run", {"before.yaml": SPEC}, CLUSTER)


def test_its_folder_is_read_back(
    script: str, cluster: StandIns, tmp_path: Path
) -> None:
    """Every member, machine and pod of the cluster, each matched to the spec."""
    ran = cluster.run(script, str(tmp_path / "seen"))
    assert ran.status == 0, ran.output

    seen = read_observed([str(tmp_path / "seen")])
    ((_, spec),) = read_fleet((Source("spec.yaml", SPEC),)).manifests.items()
    assert seen is not None
    assert seen.cluster == CLUSTER
    assert (seen.unread, seen.contradictions) == ((), ())
    assert seen.taken is not None
    assert abs((datetime.now(UTC) - seen.taken).total_seconds()) < 600
    seen = matched(seen, [spec])
    for etcd in spec.etcd_clusters:
        one = seen.etcd_cluster(etcd.name)
        assert one is not None
        found = {m.spec_name: (m.listed, m.answered, m.healthy) for m in one.members}
        assert found == {m.name: ("yes", "yes", "yes") for m in etcd.members}
        assert {m.alarms for m in one.members} == {()}
        assert one.published is not None
        assert one.published.member_count == len(etcd.members)
        assert one.queued == ()
        for member in etcd.members:
            (machine,) = seen.machines_of(member.group)
            assert (machine.exists, machine.ready) == ("yes", "yes")
            assert seen.runs(etcd.name, machine.node or "") == "yes"


def test_dead_members_are_found_by_the_check(
    script: str,
    cluster: StandIns,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the printed script to the finding, without any command list."""
    name = re.findall(r"name: (etcd-\d+)", SPEC)[0]
    cluster.kill(name.rpartition("-")[2])
    assert cluster.run(script, str(tmp_path / "seen")).status == 0

    assert run(["check", "spec.yaml", "--observed", "seen", "--no-timeline"]) == 0

    told = " ".join(capsys.readouterr().out.split())
    assert f"{name} is registered in etcd main and events but does not run" in told
    assert "KL518" not in told


def test_it_only_reads(script: str, cluster: StandIns, tmp_path: Path) -> None:
    """Nothing is called that could change anything."""
    cluster.run(script, str(tmp_path / "seen"))

    assert cluster.asked
    assert [call for call in cluster.asked if READS.match(call) is None] == []
    assert not re.search(r"\b(remove|delete|replace|disarm|defrag|edit)\b", script)


def test_another_cluster_behind_the_context_is_not_asked(
    script: str, cluster: StandIns, tmp_path: Path
) -> None:
    """Its pods do not serve this cluster, so no etcd of it is asked."""
    cluster.break_at(1, "other")
    ran = cluster.run(script, str(tmp_path / "seen"))

    assert ran.status == 1
    assert "no machine of prod.example.com can be asked" in ran.output
    assert not any("etcdctl" in call for call in cluster.asked)


def test_without_an_api_it_says_where_to_go_on(
    script: str, cluster: StandIns, tmp_path: Path
) -> None:
    """Quorum of main is the API: then each machine is asked by itself."""
    cluster.break_at(1)
    ran = cluster.run(script, str(tmp_path / "seen"))

    assert ran.status == 1
    assert "bash observe.sh here" in ran.output


def test_what_was_seen_before_is_not_mixed_with_what_is_seen_now(
    script: str, cluster: StandIns, tmp_path: Path
) -> None:
    """A folder that holds anything is left alone."""
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "old.txt").write_text("old", encoding="utf-8")

    ran = cluster.run(script, str(tmp_path / "seen"))

    assert ran.status == 1
    assert "holds what was seen before" in ran.output
    assert cluster.asked == []


def test_a_store_that_does_not_answer_is_no_empty_queue(
    script: str, cluster: StandIns, tmp_path: Path
) -> None:
    """Whether a restore waits is not known then."""
    broken = script.replace("aws s3 ls --recursive", "false")
    assert broken != script
    cluster.run(broken, str(tmp_path / "seen"))

    seen = read_observed([str(tmp_path / "seen")])
    assert seen is not None
    assert [one.queued for one in seen.etcd] == [None, None]


def test_a_call_that_hangs_is_ended(script: str, tmp_path: Path) -> None:
    """With all that it started, so that the rest is still asked."""
    hangs = """
kops() { command sleep 97; }
kubectl() { echo "The connection to the server was refused" >&2; return 1; }
aws() { return 1; }
"""
    (tmp_path / "programs.sh").write_text(hangs, encoding="utf-8")
    short = script.replace("LIMIT=60", "LIMIT=1")
    assert short != script
    (tmp_path / "observe.sh").write_text(short, encoding="utf-8")
    ran = subprocess.run(
        ["bash", "observe.sh", "seen"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "BASH_ENV": "programs.sh"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ran.returncode == 1, ran.stderr
    told = (tmp_path / "seen" / "instances.txt").read_text(encoding="utf-8")
    assert "stopped after 1 seconds\n# exit 143" in told
    assert "bash observe.sh here" in ran.stderr


CRICTL = """
crictl() {
  case "$*" in
    "pods --state ready --output json")
      echo '{"items": [{"metadata": {"name": "etcd-manager-main-node-7"}},'
      echo '{"metadata": {"name": "etcd-manager-events-node-7"}}]}' ;;
    "pods --quiet"*) echo "pod-${*: -1}" ;;
    "ps --quiet"*) echo "in-${*: -1}" ;;
    inspect*) echo '"container_path": "/opt/etcd-v3.6.6"' ;;
    *etcd-manager-main*" member list"*)
      echo "1f, started, etcd-1, https://etcd-1.internal.prod.example.com:2380," \\
        "https://etcd-1.internal.prod.example.com:4001, false" ;;
    *" member list"*) echo "Error: context deadline exceeded" >&2; return 1 ;;
    *"endpoint status"*)
      case "$*" in *:4001*) echo "https://127.0.0.1:4001, 1f, 3.6.6, 1.0 MB, false," \\
        "false, 7, 9, 9, etcdserver: no leader" ;;
      esac ;;
  esac
}
curl() {
  case "$*" in
    *'"linearizable": false'*https://127.0.0.1:4002/v3/cluster/member/list)
      echo '{"header":{"cluster_id":"11","member_id":"47","raft_term":"3"},"members":' \
        '[{"ID":"47","name":"etcd-events-1","clientURLs":["https://e1:4002"]},' \
        '{"ID":"48","name":"etcd-events-2","clientURLs":["https://e2:4002"]}]}' ;;
    *) echo "curl: (7) Failed to connect to 127.0.0.1" >&2; return 7 ;;
  esac
}
"""


def test_on_a_machine_it_asks_without_the_api(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pods of the machine are found by crictl, and etcd is asked in them.

    Where etcdctl tells no list without quorum, etcd's own JSON does.
    """
    monkeypatch.chdir(tmp_path)
    Path("programs.sh").write_text(CRICTL, encoding="utf-8")
    Path("observe.sh").write_text(script, encoding="utf-8")
    ran = subprocess.run(
        ["bash", "observe.sh", "here"],
        env={"PATH": "/usr/bin:/bin", "BASH_ENV": "programs.sh"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr

    seen = read_observed(["observed"])
    assert seen is not None
    main = seen.etcd_cluster("main")
    assert main is not None
    (member,) = main.members
    assert (member.name, member.node, member.answered) == ("etcd-1", "node-7", "yes")
    assert member.reason == "etcdserver: no leader"
    events = seen.etcd_cluster("events")
    assert events is not None
    assert [(one.id, one.name) for one in events.registered] == [
        ("2f", "etcd-events-1"),
        ("30", "etcd-events-2"),
    ]


def test_it_is_clean_for_shellcheck_and_bash(script: str, tmp_path: Path) -> None:
    """Bash reads all of it; shellcheck, where it is installed, has no complaint."""
    path = tmp_path / "observe.sh"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-n", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if shutil.which("shellcheck") is not None:
        done = subprocess.run(
            ["shellcheck", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("cloud", sorted(CLOUDS))
def test_it_is_a_script_on_every_cloud(
    cloud: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where members are called by volumes, their ids are asked and read back."""
    monkeypatch.chdir(tmp_path)
    text = re.sub(r"cloudProvider: .*", f"cloudProvider: {cloud}", SPEC)
    assert f"cloudProvider: {cloud}" in text
    Path("spec.yaml").write_text(text, encoding="utf-8")
    assert run(["observe", "spec.yaml"]) == 0
    script = capsys.readouterr().out
    Path("observe.sh").write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-n", "observe.sh"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    known = CLOUDS[cloud]
    asks = "take volumes.txt volumes volumes" in script
    assert asks == (known.members_are == "volume ids")
    if not asks:
        return
    # Whatever the program is asked, it knows each volume by its name.
    program = f"""{known.program}() {{
  local all="$*" name
  name=$(grep -o '[^ =]*[.]etcd-[a-z]*[.]{CLUSTER}' <<< "$all" | head -n 1)
  local id=$(cksum <<< "$name" | cut -d ' ' -f 1)
  case "$all" in *name=*) echo "$name $id" ;; *) echo "$id" ;; esac
}}
kops() {{ return 1; }}
kubectl() {{ return 1; }}
"""
    Path("programs.sh").write_text(program, encoding="utf-8")
    subprocess.run(
        ["bash", "observe.sh"],
        env={"PATH": "/usr/bin:/bin", "BASH_ENV": "programs.sh"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    seen = read_observed(["observed/volumes.txt"])
    assert seen is not None
    told = {(volume.etcd_cluster, volume.member) for volume in seen.volumes}
    ((_, spec),) = read_fleet((Source("spec.yaml", text),)).manifests.items()
    assert told == {(e.name, m.name) for e in spec.etcd_clusters for m in e.members}
    assert len({volume.id for volume in seen.volumes}) == len(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: ConfigMap\n", "no kops cluster was found"),
        (SPEC.split("---")[0], "has no control-plane group"),
        (SPEC + "---\n" + SPEC.replace(CLUSTER, "other.example.com"), "one cluster"),
    ],
)
def test_a_spec_that_is_not_one_whole_cluster_is_refused(
    text: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one sentence, and nothing is printed."""
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(text, encoding="utf-8")

    assert run(["observe", "spec.yaml"]) in (2, 3)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err
