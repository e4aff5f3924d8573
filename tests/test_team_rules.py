"""Rules of a team's own: what they may say, what they see, and that they are tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.program import run
from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.errors import RuleError
from kopslint.rulebook.expressions import VARIABLES, house_rule
from kopslint.rulebook.loader import (
    load_house_rules,
    load_rules,
    with_house_rules,
)
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.findings import Report

HOUSE = Path(__file__).parent.parent / "docs" / "house-rules"

SPEC = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  etcdClusters:
  - name: main
    etcdMembers:
    - name: a
      instanceGroup: masters
  subnets:
  - {name: a, zone: eu-west-1a, cidr: 10.20.16.0/20, type: Private}
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: masters
  labels: {kops.k8s.io/cluster: demo.example.com}
spec:
  role: Master
  minSize: 1
  maxSize: 1
  subnets: [a]
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: nodes
  labels: {kops.k8s.io/cluster: demo.example.com}
spec:
  role: Node
  machineType: t3.large
  minSize: 2
  maxSize: 4
  subnets: [a]
"""

RULE = {
    "id": "ACME001",
    "name": "own",
    "summary": "A rule of our own",
    "severity": "warning",
    "for": "group",
    "when": "true",
    "message": "broken",
    "why": "We agreed on it.",
}


def write_rule(folder: Path, **fields: object) -> Path:
    """Write a rule that differs from ``RULE`` by ``fields``; None leaves one out."""
    manifest = {**RULE, **fields}
    rule = folder / f"{manifest['id']}-{manifest['name']}"
    rule.mkdir(parents=True)
    lines = (f"{k}: {json.dumps(v)}\n" for k, v in manifest.items() if v is not None)
    (rule / "rule.yaml").write_text("".join(lines), encoding="utf-8")
    return rule


def ask(
    folder: Path, *, before: str | None = None, commands: str = "", **fields: object
) -> Report:
    """What a rule with ``fields`` finds in ``SPEC``, it and KL920 alone."""
    write_rule(folder, **fields)
    rules = tuple(
        rule
        for rule in with_house_rules([folder])
        if rule.id in ("KL920", fields.get("id", "ACME001"))
    )
    return check(
        Request(
            before=None if before is None else (Source("before.yaml", before),),
            after=(Source("after.yaml", SPEC),),
            commands=(Source("plan.sh", commands),) if commands else (),
        ),
        Settings(rules=rules),
    )


def told(report: Report) -> list[str]:
    return [
        f"{f.rule} {f.locations[0].span.line}:{f.locations[0].span.column} {f.message}"
        for f in report.findings
    ]


# --- the rules that are shipped as examples -----------------------------------


def test_the_five_house_rules_find_what_their_examples_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["test-rules", str(HOUSE)]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[-1] == "5 rules, 16 examples, 0 failed"
    assert {line.split()[0] for line in lines[:-1]} == {"ok"}


@pytest.mark.parametrize("rule", load_house_rules(HOUSE), ids=lambda rule: rule.id)
def test_a_house_rule_can_be_decided_for_a_spec_that_says_little(rule: object) -> None:
    bare = SPEC.replace("  machineType: t3.large\n", "")
    rules = tuple(
        each for each in with_house_rules([HOUSE]) if each == rule or each.id == "KL920"
    )
    report = check(Request(after=(Source("a.yaml", bare),)), Settings(rules=rules))

    assert [f.message for f in report.findings if f.rule == "KL920"] == []


# --- what a rule is asked about, and what it sees -----------------------------

OLD = SPEC.replace("maxSize: 4", "maxSize: 3").replace(
    "name: a\n      inst", "name: z\n      inst"
)
PLAN = "kops edit ig nodes --set spec.maxSize=4\nkops update cluster --yes\n"

SEEN = {
    "every group": (
        {"message": "{group.metadata.name}"},
        ["ACME001 17:9 masters", "ACME001 28:9 nodes"],
    ),
    "the role as kops means it": (
        {"when": "group.spec.role == 'ControlPlane'"},
        ["ACME001 17:9 broken"],
    ),
    "a field to point at": (
        {"when": "has(group.spec.machineType)", "at": "spec.machineType"},
        ["ACME001 32:16 broken"],
    ),
    "the nearest where the field is missing": (
        {"when": "!has(group.spec.machineType)", "at": "spec.machineType"},
        ["ACME001 19:1 broken"],
    ),
    "a key with dots": (
        {
            "when": "group.metadata.name == 'nodes'",
            "at": ["metadata", "labels", "kops.k8s.io/cluster"],
        },
        ["ACME001 29:33 broken"],
    ),
    "an item of a list": (
        {"for": "cluster", "at": "spec.subnets.0.zone"},
        ["ACME001 12:21 broken"],
    ),
    "the cluster and all groups": (
        {
            "for": "cluster",
            "message": "{cluster.metadata.name}: {groups.map(g, g.metadata.name)}",
        },
        ["ACME001 4:9 demo.example.com: masters, nodes"],
    ),
    "every member with its etcd cluster and group": (
        {
            "for": "member",
            "message": "{member.name} of {etcd.name} on {group.spec.role}",
        },
        ["ACME001 9:13 a of main on ControlPlane"],
    ),
    "every command among all": (
        {"for": "command", "message": "{command} ({commands.size()})"},
        [f"ACME001 {n}:1 {line} (2)" for n, line in enumerate(PLAN.splitlines(), 1)],
    ),
    "what a group was": (
        {
            "when": "before != null && before.spec.maxSize != group.spec.maxSize",
            "message": "{before.spec.maxSize} to {group.spec.maxSize}",
        },
        ["ACME001 28:9 3 to 4"],
    ),
    "that a member is new": (
        {"for": "member", "when": "before == null"},
        ["ACME001 9:13 broken"],
    ),
    "what the cluster was": (
        {
            "for": "cluster",
            "message": "{before.spec.etcdClusters[0].etcdMembers[0].name}",
        },
        ["ACME001 4:9 z"],
    ),
    "every kind of value in a message": (
        {
            "for": "cluster",
            "message": "{1} {1.5} {true} {null} {[]} {['a', 'b']} {'x'}",
        },
        ["ACME001 4:9 1 1.5 true nothing nothing a, b x"],
    ),
}


@pytest.mark.parametrize(("fields", "expected"), SEEN.values(), ids=SEEN)
def test_a_rule_sees(
    tmp_path: Path, fields: Mapping[str, object], expected: list[str]
) -> None:
    assert told(ask(tmp_path, before=OLD, commands=PLAN, **fields)) == expected


def test_without_a_change_there_is_nothing_before(tmp_path: Path) -> None:
    report = ask(tmp_path, when="before == null", message="{group.metadata.name}")

    assert told(report) == ["ACME001 17:9 masters", "ACME001 28:9 nodes"]


def test_a_finding_is_the_rule_s_own(tmp_path: Path) -> None:
    """It has the severity, the reason, the fix and the identity of what it is about."""
    fix = ["kops edit ig nodes"]
    report = ask(tmp_path, when="group.metadata.name == 'nodes'", fix=fix)
    (finding,) = report.findings

    assert (finding.severity.value, finding.why) == ("warning", "We agreed on it.")
    assert (finding.fix, finding.cluster) == (tuple(fix), "demo.example.com")
    assert finding.subject == "group nodes"


def test_a_rule_that_takes_what_is_missing_is_told_and_asked_on(tmp_path: Path) -> None:
    report = ask(tmp_path, when="group.spec.machineType.startsWith('t')")

    undecided, found = told(report)

    assert undecided.startswith(
        "KL920 17:9 ACME001 cannot be decided for group masters"
    )
    assert undecided.endswith(": there is no key 'machineType'")
    assert found == "ACME001 28:9 broken"


def test_a_message_that_has_no_value_is_told(tmp_path: Path) -> None:
    (only,) = told(ask(tmp_path, **{"for": "cluster"}, message="{1 / 0}"))

    assert only.endswith(
        "cannot be decided for cluster demo.example.com: divide by zero"
    )


def test_a_condition_must_be_true_or_false(tmp_path: Path) -> None:
    """What a field holds is only known in the spec."""
    first, *_ = told(ask(tmp_path, when="group.spec.minSize"))

    assert first.endswith("group masters: when must be true or false, but is 1")


# --- what is wrong with a rule ------------------------------------------------

WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a variable that there is not": (
        {"when": "grup.spec.role == 'Node'"},
        ":6:8: when: undeclared reference to 'grup.spec.role' (a rule for a group has",
    ),
    "a variable of another kind of rule": (
        {"when": "command == 'x'"},
        ":6:8: when: undeclared reference to 'command' (a rule for a group has",
    ),
    "types that do not fit": (
        {"when": "commands.size() + 'x' == 'y'"},
        ":6:24: when: found no matching overload for '_+_' applied to '(int, string)'",
    ),
    "an expression that ends too early": (
        {"when": "1 =="},
        ":6:12: when: Syntax error: mismatched input '<EOF>'",
    ),
    "no condition": (
        {"when": "'a' + 'b'"},
        ":6:8: when must be true or false (write a comparison that is true where",
    ),
    "a wrong expression in the message": (
        {"message": "has {nope}"},
        ":7:16: message: undeclared reference to 'nope'",
    ),
    "code": ({"check": "os:system"}, ": check: custom rules cannot name"),
    "code and no expression": (
        {"check": "os:system", "when": None},
        ": check: custom rules cannot name",
    ),
    "neither": ({"when": None}, ": when is missing (add it)"),
    "nothing to be asked about": (
        {"for": "groups"},
        ":5:1: for: Input should be 'clust",
    ),
    "a typo": (
        {"sumary": "x", "summary": None},
        ":8:1: unknown field sumary (did you mean summary?)",
    ),
    "an id of kopslint": ({"id": "KL999"}, ":1:1: id: KL is reserved for kopslint"),
    "an id that is none": ({"id": "acme-1"}, ":1:1: id: String should match pattern"),
    "a place in a command": (
        {"for": "command", "at": "spec"},
        ": a command has no fields to point at, remove at",
    ),
}


@pytest.mark.parametrize(("fields", "complaint"), WRONG.values(), ids=WRONG)
def test_a_wrong_rule_is_refused_with_its_place(
    tmp_path: Path, fields: dict[str, object], complaint: str
) -> None:
    path = write_rule(tmp_path, **fields) / "rule.yaml"

    with pytest.raises(RuleError) as refused:
        house_rule(*load_house_rules(tmp_path))

    assert str(refused.value).startswith(f"{path}{complaint}")
    assert "\n" not in str(refused.value)


FORMS = {
    "a block": ("|\n  true &&\n    grup\n", ":8:5"),
    "a folded block": (">\n  true &&\n  grup\n", ":6:7"),
    "double quotes": ('"true && grup"\n', ":6:16"),
    "no quotes": ("true && grup\n", ":6:15"),
}


@pytest.mark.parametrize(("text", "place"), FORMS.values(), ids=FORMS)
def test_a_place_is_found_however_the_expression_is_written(
    tmp_path: Path, text: str, place: str
) -> None:
    """Of a folded block only the start is known."""
    path = write_rule(tmp_path, message="m", why="w") / "rule.yaml"
    old = path.read_text(encoding="utf-8")
    path.write_text(old.replace('when: "true"\n', f"when: {text}"), encoding="utf-8")

    with pytest.raises(RuleError) as refused:
        house_rule(*load_house_rules(tmp_path))

    assert str(refused.value).startswith(f"{path}{place}: when: undeclared")


def test_every_variable_that_is_described_exists(tmp_path: Path) -> None:
    """The table of the documentation names the variables of every kind of rule."""
    table = (HOUSE / "README.md").read_text(encoding="utf-8")

    for scope, variables in VARIABLES.items():
        when = " || ".join(f"{name} == null" for name in variables if name == "before")
        folder = write_rule(tmp_path / scope, **{"for": scope, "when": when or "true"})
        assert house_rule(*load_house_rules(folder)).scope == scope
        assert [name for name in variables if f"| `{name}` |" not in table] == []


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    """A misspelt folder must not look like rules that are kept."""
    with pytest.raises(RuleError, match="contains no rule"):
        with_house_rules([tmp_path])


def test_two_rules_cannot_have_the_same_name(tmp_path: Path) -> None:
    write_rule(tmp_path, name="members-share-a-zone")

    with pytest.raises(RuleError, match="members-share-a-zone is already used by "):
        with_house_rules([tmp_path])


def test_rules_without_an_expression_do_not_load_the_library(tmp_path: Path) -> None:
    """It is larger than all of kopslint, and an extra that need not be there."""
    spec = tmp_path / "a.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    code = (
        "import sys\n"
        "sys.modules['cel_expr_python'] = None\n"
        "from kopslint.cli.program import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )

    def without_library(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    plain = without_library("check", "a.yaml", "--ignore", "all")
    listed = without_library("rules", "--rules", str(HOUSE))
    asked = without_library("check", "a.yaml", "--rules", str(HOUSE))

    assert plain.returncode == 0, plain.stderr
    assert "ACME001" in listed.stdout
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr == (
        "kopslint: custom rules need a library that is not installed\n  hint: pip"
        " install cel-expr-python\n"
    )


# --- from the command line ----------------------------------------------------


def test_configured_rules_are_asked_and_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``more kopslint explain ACME001`` stands below the finding and has to work."""
    write_rule(
        tmp_path / "lint", when="has(group.spec.machineType)", at="spec.machineType"
    )
    (tmp_path / ".kopslint.yaml").write_text(
        "rule-paths: [lint]\nselect: [house]\nseverity: {ACME001: error}\n",
        encoding="utf-8",
    )
    (tmp_path / "a.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert run(["check", "a.yaml", "-q"]) == 1
    assert "a.yaml:32:16: error[ACME001]: broken\n" in capsys.readouterr().out
    assert run(["explain", "ACME001"]) == 0
    explained = capsys.readouterr().out
    assert "We agreed on it." in explained
    assert explained.endswith("house rule, lint/ACME001-own\n")
    assert run(["rules"]) == 0
    assert f"{len(load_rules()) + 1} rules; " in capsys.readouterr().out
    assert run(["check", "a.yaml", "--format", "sarif"]) == 1
    driver = json.loads(capsys.readouterr().out)["runs"][0]["tool"]["driver"]
    assert "ACME001" in [rule["id"] for rule in driver["rules"]]


def test_a_rule_of_a_team_s_own_can_be_silenced_unless_it_says_no(
    tmp_path: Path,
) -> None:
    write_rule(tmp_path, when="has(group.spec.machineType)")
    write_rule(tmp_path, id="ACME002", name="two", ignorable=False)
    note = "name: nodes # kopslint: ignore[ACME001,two] why"
    rules = with_house_rules([tmp_path])
    report = check(
        Request(after=(Source("a.yaml", SPEC.replace("name: nodes", note)),)),
        Settings(
            rules=tuple(r for r in rules if not r.id.startswith("KL1")), known=rules
        ),
    )

    assert [finding.rule for finding, _ in report.suppressed] == ["ACME001"]
    assert {f.rule for f in report.findings} == {"ACME002", "KL914"}


# --- test-rules ---------------------------------------------------------------


def example(rule: Path, name: str, **files: str) -> None:
    folder = rule / "examples" / name
    folder.mkdir(parents=True)
    for stem, text in files.items():
        suffix = ".txt" if stem == "expected" else ".yaml"
        (folder / f"{stem}{suffix}").write_text(text, encoding="utf-8")


SMALL = SPEC.replace("t3.large", "m7i.large")
TYPED = "group.spec.?machineType.orValue('').startsWith('t3')"
FAILING = {
    "a good example with a finding": (
        {"good-a": {"after": SPEC}, "bad-a": {"after": SPEC}},
        "good-a\n        expected no finding, but got\n        after.yaml:28:9: w",
    ),
    "a bad example without a finding": (
        {"good-a": {"after": SMALL}, "bad-a": {"after": SMALL}},
        "FAILED  ACME001  bad-a\n        expected a finding of ACME001, but got none\n",
    ),
    "another text than expected": (
        {"good-a": {"after": SMALL}, "bad-a": {"after": SPEC, "expected": "x\n"}},
        "        -x\n        +after.yaml:28:9: warning[ACME001]: broken\n",
    ),
    "no good example": (
        {"bad-a": {"after": SPEC}},
        "FAILED  ACME001  there is no examples/good-...\n",
    ),
    "an example that holds no cluster": (
        {"good-a": {"after": "a: 1\n"}, "bad-a": {"after": SPEC}},
        "        no kops cluster was found in the input, so nothing was checked",
    ),
}


@pytest.mark.parametrize(("examples", "told_so"), FAILING.values(), ids=FAILING)
def test_an_example_that_is_not_as_it_says_fails(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    examples: dict[str, dict[str, str]],
    told_so: str,
) -> None:
    rule = write_rule(tmp_path, when=TYPED)
    for name, files in examples.items():
        example(rule, name, **files)

    assert run(["test-rules", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert told_so in out
    assert out.endswith("example, 1 failed\n" if len(examples) == 1 else ", 1 failed\n")


def test_an_undecided_rule_fails_its_bad_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that falls over in silence would pass as one that finds something."""
    rule = write_rule(tmp_path, when="group.spec.machineType.startsWith('t3')")
    example(rule, "bad-a", after=SPEC)
    example(rule, "good-a", after=SMALL)

    assert run(["test-rules", str(tmp_path)]) == 1
    assert "error[KL920]: ACME001 cannot be decided" in capsys.readouterr().out


def test_a_rule_that_cannot_be_asked_gives_status_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_rule(tmp_path, when="grup == null") / "rule.yaml"

    assert run(["test-rules", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"kopslint: {path}:6:8: when: undeclared")
