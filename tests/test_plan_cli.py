"""``kopslint plan`` at the command line: what is printed, written and returned.

The printed script is also run, against programs that only pretend to be kops and
kubectl, because a runbook that cannot be pasted is none.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kopslint.cli.program import run

FIXTURE = Path(__file__).parents[1] / "fixtures" / "five-to-three"
SHRINK = ["--before", "before.yaml", "--after", "after.yaml"]

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the two specs, in which everything happens."""
    for name in ("before.yaml", "after.yaml"):
        shutil.copy(FIXTURE / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of ``kopslint plan``."""
    status = run(["plan", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def edited(name: str, old: str, new: str, count: int) -> str:
    """Write ``new.yaml``: one of the specs with a text replaced."""
    text = Path(name).read_text(encoding="utf-8")
    assert text.count(old) == count
    Path("new.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return "new.yaml"


FIRST_STEPS = """\
# 1 of 7 ---------------------------------------------------------------------
# Remove etcd-4 from etcd events: etcd-manager knows only a count, and never
# removes a member whose machine is gone.
# Before it, etcd events must list 5 members, all started and voting: etcd-0
# etcd-1 etcd-2 etcd-3 etcd-4; else bring back who is missing.
step_1() {
  via master-0 master-1 &&
    confirm events etcd-0 etcd-1 etcd-2 etcd-3 -- etcd-4 &&
    remove events etcd-4
}
# main    ●●●●●  5 of 5 alive, quorum 3, two more may fail
# events  ●●●●◌  4 of 4 alive, quorum 3, one more may fail, no longer a
#                member: etcd-4
"""

LAST_LOOK = """\
last_look() {
  via master-0 master-1 &&
    confirm main etcd-0 etcd-1 etcd-2 &&
    confirm events etcd-0 etcd-1 etcd-2
}
"""


def test_every_step_has_its_reason_its_confirmation_and_its_picture(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, err = plan(capsys, *SHRINK)

    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "#!/usr/bin/env bash",
        "# prod.example.com: 7 steps; quorum is never lost, and after every step one",
        "# more member may fail.",
    ]
    assert "\nexport KOPS_STATE_STORE=s3://example-kops-state\n" in out
    assert FIRST_STEPS in out
    assert LAST_LOOK in out
    assert out.endswith('\n}\n\ngo_on "${1:-1}"\n')


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_printed_plan_passes_the_check(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check reads the commands back and has nothing at all against them."""
    _, out, _ = plan(capsys, *SHRINK, "--format", form)
    name = "plan.sh" if form == "text" else "plan.md"
    Path(name).write_text(out, encoding="utf-8")

    status = run(["check", *SHRINK, "--commands", name, "--fail-on", "info"])

    assert "no findings in 11 commands" in capsys.readouterr().out
    assert status == 0


OLD = "- --target-dir=/opt/etcd-v3.5.9 ; - --target-dir=/opt/etcd-v3.5.21"
NEW = "mountPath: /opt/etcd-v3.5.9 ; mountPath: /opt/etcd-v3.6.6"
LAYOUTS = {
    "baked in": ("", "/opt/etcd-v3.4.13/etcdctl"),
    "copied": (OLD, "/opt/etcd-v3.5.9/etcdctl"),
    "mounted": (NEW, "/opt/etcd-v3.6.6/usr/local/bin/etcdctl"),
}
"""What the pod of etcd-manager says of its etcd by the release of kops, and where
etcdctl is: before 1.28, before 1.34, and since."""


def pretend(
    folder: Path, members: int, layout: str = "mounted", sick: str = "none"
) -> dict[str, str]:
    """Programs that answer like a healthy cluster, and write down how they are used.

    ``sick`` is the port on which a member does not answer.
    """
    programs = folder / "programs"
    programs.mkdir()
    for port, name in (("4001", "etcd"), ("4002", "etcd-events")):
        lines = [
            f"{n}a{port}, started, {name}-etcd-{n}, https://{n}:2380, https://{n}:4001,"
            " false"
            for n in range(members)
        ]
        (folder / port).write_text("\n".join(lines) + "\n", encoding="utf-8")
    told, etcdctl = LAYOUTS[layout]
    scripts = {
        "kubectl": rf"""
            [ "$1 $2" = "--context prod.example.com" ] || exit 9
            shift 2
            pki=/srv/kubernetes/kube-apiserver
            certs="--cacert /rootfs$pki/etcd-ca.crt --cert /rootfs$pki/etcd-client.crt"
            case "$*" in
              *"get nodes"*)
                all="$*" group=${{all#*instancegroup=}}
                printf node-of-%s "${{group%% --output*}}" ;;
              *"get pod kube-apiserver"*) echo "- --etcd-cafile=$pki/etcd-ca.crt" ;;
              *"get pod etcd-manager"*)
                echo "- --dns-suffix=.internal.prod.example.com"
                echo "{told}" ;;
              *"ls -d"*) echo /opt/etcd-v3.4.13 ;;
              *"{etcdctl} --endpoints"*"$certs --key /rootfs$pki/etcd-client.key"*)
                all="$*" pod=$4 last=${{*: -1}}
                port=${{all#*127.0.0.1:}}
                port=${{port%% *}}
                case "$all" in
                  *"endpoint health --cluster")
                    awk -F ', ' '{{ print $5 " is healthy: yes" }}' "$port"
                    [ "$port" != {sick} ] ;;
                  *"member list") cat "$port" ;;
                  *"member remove"*)
                    echo "$pod remove $last" >> log
                    sed -i "/^$last,/d" "$port" ;;
                esac ;;
              *) exit 9 ;;
            esac""",
        "kops": r'echo "kops $*" >> log',
        "sleep": "",
    }
    for name, text in scripts.items():
        program = programs / name
        program.write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
        program.chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin"}


@bash
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_script_does_what_it_says(
    layout: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Members are found by their names and removed by their ids, one after another.

    The etcd that the API server needs is left last, and wherever etcdctl is in the
    pod, it is found.
    """
    _, out, _ = plan(capsys, *SHRINK)

    done = subprocess.run(
        ["bash"],
        input=out,
        env=pretend(folder, 5, layout),
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    main, events = (
        f"etcd-manager-{name}-node-of-master-0" for name in ("main", "events")
    )
    ends = [
        "kops validate cluster --name prod.example.com --wait 15m",
    ]
    assert (folder / "log").read_text(encoding="utf-8").splitlines() == [
        "kops get cluster --name prod.example.com",
        "kops get instances --name prod.example.com",
        f"{events} remove 4a4002",
        f"{main} remove 4a4001",
        "kops delete ig master-4 --name prod.example.com --yes",
        *ends,
        f"{events} remove 3a4002",
        f"{main} remove 3a4001",
        "kops delete ig master-3 --name prod.example.com --yes",
        *ends,
        "kops replace --force -f after.yaml",
        "kops update cluster --name prod.example.com --yes",
        *ends,
    ]


@bash
def test_where_etcd_does_not_know_the_names_the_cloud_is_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On Hetzner a member is called by the id of its volume."""
    for side in ("before.yaml", "after.yaml"):
        text = Path(side).read_text(encoding="utf-8")
        there = text.replace("cloudProvider: aws", "cloudProvider: hetzner")
        there = there.replace("      class: Network\n", "")
        Path(side).write_text(there, encoding="utf-8")
    _, out, _ = plan(capsys, *SHRINK)
    environment = pretend(folder, 5)
    program = folder / "programs" / "hcloud"
    program.write_text(
        "#!/bin/sh\nnumber=${3#etcd-}\nnumber=${number%%.*}\n"
        'case $3 in *-main.*) echo "7${number}1" ;; *) echo "7${number}2" ;; esac\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    for port, name in (("4001", "1"), ("4002", "2")):
        path = folder / port
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"etcd-(?:events-)?etcd-(\d)", rf"vol-7\g<1>{name}", text)
        path.write_text(text, encoding="utf-8")

    done = subprocess.run(
        ["bash"],
        input=out,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    log = (folder / "log").read_text(encoding="utf-8")
    removals = [line for line in log.splitlines() if " remove " in line]
    assert removals == [
        f"etcd-manager-{name}-node-of-master-0 remove {n}a{port}"
        for n in (4, 3)
        for name, port in (("events", "4002"), ("main", "4001"))
    ]


@bash
@pytest.mark.parametrize(("members", "sick"), [(3, "none"), (6, "none"), (5, "4002")])
def test_the_script_stops_before_a_step_that_is_not_as_expected(
    members: int, sick: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a member missing, unknown or down nothing is removed and nothing deleted."""
    _, out, _ = plan(capsys, *SHRINK)

    done = subprocess.run(
        ["bash"],
        input=out,
        env=pretend(folder, members, sick=sick),
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode != 0
    log = (folder / "log").read_text(encoding="utf-8")
    name = "--name prod.example.com"
    assert log == f"kops get cluster {name}\nkops get instances {name}\n"


@bash
@pytest.mark.parametrize(
    "name", ["a b", "$(touch owned)", "a'b", "`touch owned`", "-n"]
)
def test_a_name_is_never_more_than_a_word(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a group is called, the script is bash, and runs nothing of the name."""
    for side in ("before.yaml", "after.yaml"):
        text = Path(side).read_text(encoding="utf-8")
        quoted = json.dumps(name)
        Path(side).write_text(
            text.replace(
                "instanceGroup: master-0\n", f"instanceGroup: {quoted}\n"
            ).replace("name: master-0\n", f"name: {quoted}\n"),
            encoding="utf-8",
        )
    _, out, _ = plan(capsys, *SHRINK)

    done = subprocess.run(
        ["bash"],
        input=out,
        env=pretend(folder, 5),
        text=True,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0
    assert not (folder / "owned").exists()


def test_a_name_with_a_line_end_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = edited("after.yaml", "name: etcd-2\n", 'name: "etcd\\n2"\n', 2)

    status, out, err = plan(capsys, "--before", "before.yaml", "--after", name)

    assert (status, out) == (2, "")
    assert r"'etcd\n2' is no name" in err


def test_json_is_what_its_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    import jsonschema

    run(["schema", "plan"])
    schema = json.loads(capsys.readouterr().out)
    older = edited("after.yaml", "1.34.2", "1.33.9", 1)
    for after, result in (
        ("after.yaml", "plan"),
        ("before.yaml", "nothing-to-do"),
        (older, "none"),
    ):
        _, out, _ = plan(
            capsys, "--before", "before.yaml", "--after", after, "--format", "json"
        )
        jsonschema.validate(json.loads(out), schema)
        assert json.loads(out)["result"] == result


DELETES_MASTER_4 = """\
via master-0 master-1 &&
  confirm main etcd-0 etcd-1 etcd-2 etcd-3 &&
  confirm events etcd-0 etcd-1 etcd-2 etcd-3 &&
  { kops delete ig master-4 --name prod.example.com --yes || deleted master-4 master-0; } &&
  kops validate cluster --name prod.example.com --wait 15m"""  # noqa: E501


def test_json_has_the_whole_plan(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = plan(capsys, *SHRINK, "--format", "json")

    found = json.loads(out)

    assert (found["schema"], found["result"]) == ("kopslint/plan-v1", "plan")
    assert (found["tolerance"], found["outage"], found["search_cut"]) == (
        1,
        False,
        False,
    )
    assert "remove() {" in found["setup"]
    assert found["steps"][2] == {
        "number": 3,
        "kind": "delete",
        "about": "master-4",
        "etcd_cluster": None,
        "reason": (
            "Delete master-4, which no longer has an etcd member; its machine is"
            " terminated at once."
        ),
        "confirm": {
            name: ["etcd-0", "etcd-1", "etcd-2", "etcd-3"]
            for name in ("main", "events")
        },
        "checks": [
            "via master-0 master-1",
            "confirm main etcd-0 etcd-1 etcd-2 etcd-3",
            "confirm events etcd-0 etcd-1 etcd-2 etcd-3",
        ],
        "commands": [
            "kops delete ig master-4 --name prod.example.com --yes",
            "kops validate cluster --name prod.example.com --wait 15m",
        ],
        "script": DELETES_MASTER_4,
        "tolerance": 1,
        "outage": False,
        "etcd": {
            name: {
                "members": ["etcd-0", "etcd-1", "etcd-2", "etcd-3"],
                "alive": ["etcd-0", "etcd-1", "etcd-2", "etcd-3"],
                "quorum": 3,
                "tolerance": 1,
                "published": 5,
                "writable": "yes",
            }
            for name in ("main", "events")
        },
    }


def test_specs_in_between_are_written_where_they_are_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    after = edited("before.yaml", "1.34.2", "1.36.0", 1)
    arguments = ["--before", "before.yaml", "--after", after]

    status, out, err = plan(capsys, *arguments, "--out", "a/b")

    assert (status, err) == (0, "")
    cluster, *_ = yaml.safe_load_all(
        Path("a/b/step-1.yaml").read_text(encoding="utf-8")
    )
    assert cluster["spec"]["kubernetesVersion"] == "1.35.0"
    assert "kops replace --force -f step-1.yaml" in Path("a/b/plan.sh").read_text()
    assert len(out.splitlines()) < 30
    assert "It is for kops 1.35" in out
    assert out.endswith("Read it, then run it: bash a/b/plan.sh\n")
    assert plan(capsys, *arguments)[2] == (
        "kopslint: the plan needs step-1.yaml: write them with --out FOLDER\n"
    )


@pytest.mark.parametrize(
    ("form", "name"), [("text", "plan.sh"), ("markdown", "plan.md")]
)
@pytest.mark.parametrize("place", ["plans", "."])
def test_a_plan_with_specs_in_between_is_checked_as_one_list(
    form: str, name: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check finds the specs that the list names, and sees it arrive."""
    after = edited("after.yaml", "1.34.2", "1.36.0", 1)
    sides = ["--before", "before.yaml", "--after", after]
    _, out, _ = plan(capsys, *sides, "--out", place, "--format", form)

    path = Path(place, name)
    assert path.as_posix() in out.splitlines()[-1]
    names = ["step-1.yaml", "step-2.yaml"]
    assert [file.name for file in sorted(Path(place).glob("step-*"))] == names
    checked = run(["check", *sides, "--commands", str(path), "--fail-on", "info"])
    assert "no findings in" in capsys.readouterr().out
    assert checked == 0


def test_a_folder_below_this_one_is_named_from_here(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list that names files by absolute paths could not be checked elsewhere."""
    after = edited("before.yaml", "1.34.2", "1.36.0", 1)

    plan(capsys, "--before", "before.yaml", "--after", after, "--out", f"{folder}/a")

    out = Path("a/plan.sh").read_text(encoding="utf-8")
    assert "kops replace --force -f step-1.yaml" in out


def test_an_after_side_without_a_file_becomes_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path("after.yaml").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    status, out, _ = plan(
        capsys, "--before", "before.yaml", "--after", "-", "--out", "new"
    )

    assert status == 0
    assert "kops replace --force -f after.yaml" in out
    assert Path("new/after.yaml").read_bytes() == text


@bash
def test_what_is_left_to_be_filled_in_stops_the_script_before_its_first_step(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("after.yaml").read_text(encoding="utf-8")
    image = re.search(r"image: .*", text)
    assert image is not None
    Path("after.yaml").write_text(text.replace(image[0], "image: <image>"))
    _, out, _ = plan(capsys, *SHRINK)

    done = subprocess.run(
        ["bash"],
        input=out,
        env=pretend(folder, 5),
        text=True,
        capture_output=True,
        check=False,
    )

    assert "# Fill in <image> in the files first" in out
    assert done.returncode == 1
    assert "image: <image>" in done.stderr
    assert "so no step was run" in done.stderr
    assert not (folder / "log").exists()


def test_a_feature_flag_that_kops_needs_is_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without it kops refuses to update a cluster with API server groups."""
    text = Path("after.yaml").read_text(encoding="utf-8")
    head, mark, nodes = text.rpartition("---\n")
    group = nodes.replace("Node", "APIServer").replace("name: nodes", "name: api")
    Path("api.yaml").write_text(f"{text}{mark}{group}", encoding="utf-8")
    assert head
    assert "role: APIServer" in group

    status, out, _ = plan(capsys, "--before", "after.yaml", "--after", "api.yaml")

    assert status == 0
    assert "\nexport KOPS_FEATURE_FLAGS=+APIServerNodes\n" in out


def test_nothing_to_do_is_said_and_no_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, err = plan(capsys, "--before", "after.yaml", "--after", "after.yaml")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "#!/usr/bin/env bash",
        "# prod.example.com: nothing to do, both specs are the same.",
    ]


def test_without_a_safe_order_the_restore_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing of it can run by accident: every line is a comment."""
    after = edited("before.yaml", "1.34.2", "1.33.9", 1)

    status, out, _ = plan(capsys, "--before", "before.yaml", "--after", after)

    assert status == 1
    assert all(line.startswith("#") for line in out.splitlines())
    assert "# Kubernetes cannot be downgraded from 1.34 to 1.33\n" in out
    assert "It loses every write since the backup" in out
    assert (
        "#   etcd-manager-ctl --backup-store="
        "s3://example-kops-state/prod.example.com/backups/etcd/events list-backups\n"
    ) in out


def test_a_spec_that_kops_refuses_is_not_planned_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mark = "    - instanceGroup: master-2\n      name: etcd-2\n"
    after = edited("after.yaml", mark, "", 2)

    status, out, _ = plan(
        capsys, "--before", "before.yaml", "--after", after, "--format", "markdown"
    )

    assert status == 1
    assert 'etcd cluster "main" has 2 members' in out
    assert "restore-backup" not in out


REFUSED = [
    (["--before", "before.yaml", "--after", "missing.yaml"], 2, "missing.yaml"),
    (["--before", "README.md", "--after", "after.yaml"], 3, "nothing was planned"),
    (["--before", "other.yaml", "--after", "after.yaml"], 2, "about other, prod"),
    (["--before", "half.yaml", "--after", "after.yaml"], 2, "has no Cluster"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), REFUSED)
def test_a_plan_is_for_two_whole_specs_of_one_cluster(
    arguments: list[str],
    status: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = Path("before.yaml").read_text(encoding="utf-8")
    Path("README.md").write_text("# no spec\n", encoding="utf-8")
    Path("other.yaml").write_text(text.replace("prod.example.com", "other"), "utf-8")
    Path("half.yaml").write_text(text.partition("\n---\n")[2], encoding="utf-8")

    found, out, err = plan(capsys, *arguments)

    assert (found, out) == (status, "")
    assert message in err
