"""A list that names other files than the inputs is checked with what they hold."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from removal_lines import removal

from kopslint.cli.program import run
from kopslint.engine import Request, check
from kopslint.text import Source

if TYPE_CHECKING:
    from pathlib import Path

    from kopslint.findings import Finding, Report

NAME = "c.example.com"
APPLY = f"kops update cluster --name {NAME} --yes"


def group(name: str, cluster: str = NAME, role: str = "ControlPlane") -> str:
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  name: {name}\n  labels: {{kops.k8s.io/cluster: {cluster}}}\n"
        f"spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [a]}}\n"
    )


def cluster(members: str, version: str = "1.34.0", name: str = NAME) -> str:
    listed = "".join(f"    - {{name: {m}, instanceGroup: cp-{m}}}\n" for m in members)
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n"
        f"  name: {name}\nspec:\n  kubernetesVersion: {version}\n"
        f"  etcdClusters:\n  - name: main\n    etcdMembers:\n{listed}"
    )


def spec(members: str, version: str = "1.34.0", name: str = NAME) -> str:
    """A whole cluster in one file."""
    groups = [*(group(f"cp-{m}", name) for m in members), group("nodes", name, "Node")]
    return "---\n".join([cluster(members, version, name), *groups])


def checked(
    before: str | dict[str, str],
    after: str | dict[str, str],
    *commands: str,
    at_hand: dict[str, str] | None = None,
    path: str = "plan.sh",
) -> Report:
    def side(name: str, given: str | dict[str, str]) -> tuple[Source, ...]:
        files = {name: given} if isinstance(given, str) else given
        return tuple(Source(path, text) for path, text in files.items())

    return check(
        Request(
            side("before.yaml", before),
            side("after.yaml", after),
            (Source(path, "\n".join(commands) + "\n"),),
            at_hand=side("", at_hand or {}),
        )
    )


def of_rule(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


def published(report: Report) -> list[int]:
    """The number of members in the control spec after every step."""
    return [entry.etcd["main"].published for entry in report.timeline]


def replace(file: str) -> str:
    return f"kops replace --force -f {file}"


def test_a_third_spec_is_what_its_file_holds() -> None:
    """Three members come first, then five; without the file nobody can know."""
    commands = (replace("step-1.yaml"), APPLY, replace("after.yaml"), APPLY)
    sides = spec("a"), spec("abcde")

    known = checked(*sides, *commands, at_hand={"step-1.yaml": spec("abc")})
    unknown = checked(*sides, *commands)

    assert published(known) == [1, 1, 3, 3, 5]
    assert published(unknown) == [1, 1, 5, 5, 5]


def test_each_change_on_the_way_is_judged_by_itself() -> None:
    """One minor release after the other is no jump, and two at once are one."""
    commands = (replace("step-1.yaml"), APPLY, replace("after.yaml"), APPLY)
    sides = spec("abc", "1.32.0"), spec("abc", "1.34.0")

    def skipped(version: str) -> list[tuple[str, str]]:
        at_hand = {"step-1.yaml": spec("abc", version)}
        found = of_rule(checked(*sides, *commands, at_hand=at_hand), "KL218")
        return [(str(f.locations[0].span), f.message) for f in found]

    assert skipped("1.33.0") == []
    assert skipped("1.32.1") == [
        ("after.yaml:6:22", "Kubernetes goes from 1.32 to 1.34 and skips 1.33")
    ]


@pytest.mark.parametrize(
    ("upgrades", "step"),
    [
        (["kops reconcile cluster --yes", "kops reconcile cluster --yes"], []),
        (["kops reconcile cluster --yes", "kops update cluster --yes"], [(4, "1.33")]),
        (["kops update cluster --yes", "kops reconcile cluster --yes"], [(2, "1.32")]),
    ],
)
def test_the_control_plane_comes_first_at_every_release(
    upgrades: list[str], step: list[tuple[int, str]]
) -> None:
    """Workers must not get a release before it, not even on the way."""
    first, second = upgrades
    report = checked(
        spec("abc", "1.31.0"),
        spec("abc", "1.33.0"),
        *(replace("step-1.yaml"), first, replace("after.yaml"), second),
        at_hand={"step-1.yaml": spec("abc", "1.32.0")},
    )

    found = of_rule(report, "KL309")
    assert [(f.step, f.message.split()[5]) for f in found] == step


def test_a_name_that_comes_and_goes_on_the_way_is_known() -> None:
    """The member of a stand-in is removed by the name that only its spec has."""
    report = checked(
        spec("a"),
        spec("a", "1.34.1"),
        replace("step-1.yaml"),
        APPLY,
        f"kops validate cluster --name {NAME} --wait 10m",
        removal("main", "x").rstrip("\n"),
        f"kops delete ig cp-x --name {NAME} --yes",
        at_hand={"step-1.yaml": spec("abx")},
    )

    last = report.timeline[-1].etcd["main"]
    assert (last.members, last.alive) == (("a", "b"), ("a", "b"))
    assert of_rule(report, "KL902") == []


def test_only_what_stands_in_a_file_is_stored() -> None:
    """A group alone has no member, and kops refuses the update for it."""
    (refused,) = of_rule(
        checked(
            spec("abc"),
            spec("abc"),
            f"{replace('cp-d.yaml')}\n{APPLY}",
            at_hand={"cp-d.yaml": group("cp-d")},
        ),
        "KL307",
    )

    assert refused.step == 2
    assert 'InstanceGroup "cp-d" with role ControlPlane must have' in refused.message
    assert [str(place.span) for place in refused.locations] == [
        "plan.sh:2:1",
        "cp-d.yaml:4:9",
        "before.yaml:8:11",
    ]


@pytest.mark.parametrize(
    ("commands", "refused"),
    [
        ([replace("new/cluster.yaml"), APPLY], ["InstanceGroup not found (for etcd d"]),
        ([replace("new/groups.yaml"), APPLY], ['InstanceGroup "cp-d" with role']),
        ([f"{replace('new/groups.yaml')} -f new/cluster.yaml", APPLY], []),
        ([replace("groups.yaml"), replace("cluster.yaml"), APPLY], []),
        ([replace("$DIR/groups.yaml"), replace("$DIR/cluster.yaml"), APPLY], []),
    ],
)
def test_a_side_in_several_files_is_stored_file_by_file(
    commands: list[str], refused: list[str]
) -> None:
    groups = [group(f"cp-{m}") for m in "abcde"]
    after = {
        "new/cluster.yaml": cluster("abcde"),
        "new/groups.yaml": "---\n".join([*groups, group("nodes", role="Node")]),
    }

    found = of_rule(checked(spec("abc"), after, *commands), "KL307")

    assert [f.message.removeprefix("kops refuses this: ")[:30] for f in found] == [
        message[:30] for message in refused
    ]


def test_a_cluster_alone_is_stored_without_groups_that_its_side_only_implies() -> None:
    """The other side has the groups; storing the Cluster brings none of them back."""
    report = checked(
        spec("abc"),
        cluster("ab", "1.34.1"),
        f"kops delete ig cp-c --name {NAME} --yes",
        "kops replace -f after.yaml",
    )

    assert of_rule(report, "KL402") == []
    assert report.timeline[-1].status == "refused"
    assert 'etcd cluster "main" has 2 members' in report.timeline[-1].note


def test_a_file_of_before_is_known_by_its_name() -> None:
    report = checked(
        spec("abc"), spec("abcde"), replace("after.yaml"), replace("before.yaml"), APPLY
    )

    assert published(report)[-1] == 3


UNREADABLE = [
    (
        "metadata: {name: {{ .Name }}}\nkind: Cluster # kops\n",
        "this looks like a Go or Jinja template that was not rendered",
    ),
    ("kops: [", "this is not valid YAML: a value is missing here"),
    ("replicas: 3\n", "it holds no object of kops"),
    (
        group("cp-d").replace("labels: {kops.k8s.io/cluster: c.example.com}", "a: b"),
        "the instance group cp-d has no label kops.k8s.io/cluster",
    ),
]


@pytest.mark.parametrize(("text", "why"), UNREADABLE)
def test_a_file_that_cannot_be_read_is_assumed_to_be_the_spec_after(
    text: str, why: str
) -> None:
    report = checked(
        spec("a"), spec("abc"), replace("x.yaml"), APPLY, at_hand={"x.yaml": text}
    )

    (assumed,) = of_rule(report, "KL902")
    assert str(assumed.locations[0].span) == "plan.sh:1:1"
    assert assumed.message == f"assumed: x.yaml holds the spec after: {why}"
    assert published(report)[-1] == 3


def test_a_file_to_delete_from_that_cannot_be_read_holds_what_goes() -> None:
    report = checked(
        spec("abc"), spec("ab"), "kops delete -f x.yaml --yes", at_hand={"x.yaml": "{"}
    )

    (assumed,) = of_rule(report, "KL902")
    said = "assumed: x.yaml holds the groups that the change removes: "
    assert assumed.message.startswith(said)
    assert report.timeline[-1].etcd["main"].alive == ("a", "b")


WRITERS = [
    "kops get all -o yaml > x.yaml",
    "kops toolbox template --template t.yaml --output x.yaml",
    "envsubst < t.yaml | tee x.yaml",
    "sed -i s/1/3/ x.yaml",
    "aws s3 cp s3://specs/x.yaml x.yaml",
    "./render.sh x.yaml",
    "vi ./x.yaml",
]
READERS = ["cat x.yaml", "git diff x.yaml > y.yaml", "[ -f x.yaml ]", "kops get all"]


@pytest.mark.parametrize("command", [*WRITERS, *READERS])
def test_a_file_that_the_list_may_write_is_not_what_it_holds_now(command: str) -> None:
    report = checked(
        spec("a"),
        spec("abcde"),
        command,
        replace("x.yaml"),
        APPLY,
        at_hand={"x.yaml": spec("abc")},
    )

    assert published(report)[-1] == (5 if command in WRITERS else 3)


def test_a_file_of_another_cluster_is_none_of_this_one() -> None:
    """A list means the file beside it, though that of the other is called the same."""
    before, after = (
        tuple(
            Source(f"{name}/spec.yaml", spec(members, name=name))
            for name in ("one", "two")
        )
        for members in ("a", "abc")
    )
    plan = Source("two/plan.sh", f"{replace('spec.yaml')}\nkops update cluster --yes\n")

    report = check(Request(before, after, (plan,), at_hand=after))

    last = {entry.cluster: entry for entry in report.timeline}
    counts = {name: entry.etcd["main"].published for name, entry in last.items()}
    assert counts == {"one": 1, "two": 3}


def test_a_comment_in_a_script_at_hand_counts_and_is_not_judged() -> None:
    """Another list may need it, so it is no fault that this one does not."""
    library = (
        "bad() {\n"
        f"  kops delete ig cp-c --name {NAME} --yes  # kopslint: ignore[KL301] known\n"
        "}\n"
        "# kopslint: ignore[KL305] for others\ntrue\n"
    )

    report = checked(
        spec("abc"), spec("abc"), "source lib.sh", "bad", at_hand={"lib.sh": library}
    )

    assert "KL301" in {finding.rule for finding, _ in report.suppressed}
    assert of_rule(report, "KL910") == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one member before and five after."""
    here = tmp_path / "here"
    write(
        here,
        {
            "before.yaml": spec("a"),
            "after.yaml": spec("abcde"),
            "plans/plan.sh": '. "$(dirname "$0")/lib.sh"\nstore step-1.yaml\n',
            "plans/lib.sh": f"store() {{ {replace('$1')} && {APPLY}; }}\n",
        },
    )
    monkeypatch.chdir(here)
    return here


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def counts(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[int]:
    """What ``kopslint check`` says is published, step by step."""
    run(["check", *arguments, "--format", "json"])
    timeline = json.loads(capsys.readouterr().out)["timeline"]
    return [entry["etcd"]["main"]["published"] for entry in timeline]


SIDES = ["--before", "before.yaml", "--after", "after.yaml"]


@pytest.mark.parametrize("place", ["plans/step-1.yaml", "step-1.yaml"])
def test_check_finds_what_a_list_names(
    place: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the list or in the current folder, also where a script of it names it."""
    write(folder, {place: spec("abc")})

    assert counts(capsys, *SIDES, "--commands", "plans/plan.sh") == [1, 1, 3]


def test_check_never_opens_a_file_outside(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What lies there stays unknown, so the spec after is assumed."""
    write(folder.parent, {"step-1.yaml": spec("abc")})
    (folder / "link.yaml").symlink_to(folder.parent / "step-1.yaml")
    names = ["../step-1.yaml", str(folder.parent / "step-1.yaml"), "link.yaml"]
    for name in names:
        write(folder, {"plan.sh": f"{replace(name)}\n{APPLY}\n"})

        assert counts(capsys, *SIDES, "--commands", "plan.sh") == [1, 1, 5]


@pytest.mark.usefixtures("folder")
def test_commands_shows_what_a_script_at_hand_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["commands", "plans/plan.sh"]) == 0

    places = [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert places[1:3] == ["plans/lib.sh:1:11", "plans/lib.sh:1:41"]


def git(folder: Path, *arguments: str) -> None:
    options = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True)


@pytest.fixture
def repository(folder: Path) -> Path:
    """The current folder as a repository, with all files of it committed."""
    config = "specs: [spec.yaml]\ncommands: plans/plan.sh\n"
    (folder / "before.yaml").rename(folder / "spec.yaml")
    (folder / "after.yaml").unlink()
    write(folder, {".kopslint.yaml": config, "plans/step-1.yaml": spec("a")})
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "before")
    return folder


def test_a_change_in_git_takes_the_files_of_its_own_tree(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is staged counts, and neither the last commit nor the disk."""
    write(repository, {"plans/step-1.yaml": spec("abc"), "spec.yaml": spec("abcde")})
    git(repository, "add", ".")
    write(repository, {"plans/step-1.yaml": spec("abcdefg"), "plans/lib.sh": "oops\n"})

    assert counts(capsys, "--staged") == [1, 1, 3]
    assert counts(capsys, "--changed") == [1]
    git(repository, "commit", "--quiet", "--message", "after")
    assert counts(capsys, "--base", "HEAD~1", "--head", "HEAD") == [1, 1, 3]


@pytest.mark.parametrize(
    ("change", "published"),
    [
        ({"plans/lib.sh": "store() { echo $1; }\n"}, [1]),
        ({"plans/plan.sh": ". plans/lib.sh; store plans/step-1.yaml\n"}, [1, 1, 1]),
        ({"lib.sh": "of nobody"}, None),
    ],
)
def test_a_list_changes_with_the_files_that_it_names(
    change: dict[str, str],
    published: list[int] | None,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file of the same name elsewhere is none of them."""
    write(repository, change)

    if published is not None:
        assert counts(capsys, "--changed") == published
    else:
        assert run(["check", "--changed"]) == 0
        assert "no kops spec changed" in capsys.readouterr().err


HELD = f"{cluster('abc')}---\n{group('cp-b')}---\n{group('cp-c')}"
GIVEN = {
    "a here-document": f"kops replace --force -f - <<EOF\n{HELD}EOF",
    "one that is piped": f"cat <<'EOF' | kops replace --force -f -\n{HELD}EOF",
    "a here-string": f"kops replace --force -f /dev/stdin <<< '{HELD}'",
    "one with a variable": "N=cp-b\nkops replace --force -f - <<EOF\n"
    f"{HELD.replace('name: cp-b', 'name: $N')}EOF",
    "a file that cat writes": f"cat > s.yaml <<EOF\n{HELD}EOF\n{replace('s.yaml')}",
    "a file that tee writes": f"tee s.yaml <<EOF\n{HELD}EOF\n{replace('s.yaml')}",
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_a_spec_in_the_list_itself_is_read(given: str) -> None:
    """Neither side has three members, so they come from the text and nowhere else."""
    report = checked(spec("a"), spec("abcde"), given, APPLY)

    assert published(report) == [1, 1, 3]
    assert of_rule(report, "KL902") == []


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            f"kops replace --force -f - <<EOF\n{HELD.replace('cp-b', '$B')}EOF",
            id="a variable that nobody sets",
        ),
        pytest.param(
            f"cat > s.yaml <<EOF\n{HELD}EOF\nsed -i s/a/b/ s.yaml\n{replace('s.yaml')}",
            id="a file that another program changes",
        ),
        pytest.param(
            f"cat >> s.yaml <<EOF\n{HELD}EOF\n{replace('s.yaml')}",
            id="a file that it is added to",
        ),
        pytest.param(
            f"{replace('s.yaml')}\ncat > s.yaml <<EOF\n{HELD}EOF",
            id="a file that is written afterwards",
        ),
        pytest.param(
            f"for b in x y; do kops replace --force -f - <<EOF\n"
            f"{HELD.replace('cp-b', '$b')}EOF\ndone",
            id="another text in every turn",
        ),
        pytest.param(
            f"kops replace -f - <<EOF\n{group('nodes')}EOF\n" * 64
            + f"kops replace --force -f - <<EOF\n{HELD}EOF",
            id="one of more than are followed",
        ),
    ],
)
def test_a_text_that_may_be_another_by_then_is_not_known(given: str) -> None:
    """What the change is for is assumed then, and that is said."""
    report = checked(spec("a"), spec("abcde"), given, APPLY)

    assert published(report)[-1] == 5
    assert " holds the spec after" in of_rule(report, "KL902")[0].message


def test_what_kops_refuses_in_a_here_document_is_shown_in_its_line() -> None:
    """Three machines in one group, set by a text in the list."""
    three = group("cp-a").replace("maxSize: 1", "maxSize: 3")
    given = f"kops replace -f - <<EOF\n{three}EOF"

    (found,) = of_rule(checked(spec("abc"), spec("abc"), given), "KL307")

    assert "maxSize: 3: controlPlane InstanceGroup must have maxSize" in found.message
    assert [str(place.span) for place in found.locations] == [
        "plan.sh:1:1",
        "plan.sh:7:49",
    ]


def test_a_group_that_a_here_document_names_is_deleted() -> None:
    """``kops delete -f -`` takes out what the text describes, and nothing else."""
    given = f"kops delete --yes -f - <<EOF\n{group('cp-c')}EOF"

    (found,) = of_rule(checked(spec("abc"), spec("abc"), given), "KL301")

    assert found.message == "cp-c is deleted while etcd still counts on its member c"
