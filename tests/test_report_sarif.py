"""SARIF for code scanning: complete rules, exact regions, stable fingerprints."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kopslint import __version__
from kopslint.findings import (
    Certainty,
    EtcdView,
    Finding,
    Location,
    Report,
    RuleInfo,
    Severity,
    Summary,
    TimelineEntry,
)
from kopslint.report.places import Repository
from kopslint.report.sarif import render_sarif
from kopslint.text import Source

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

CLUSTER = "prod.example.com"
HERE = Repository(root="/checkout", folder="/checkout/ops")
SPEC = Source("../specs/before é.yaml", "- instanceGroup: master-3\n")
COMMANDS = Source("run.sh", "set -e\nkops delete ig é --yes\nkops get ig\n")
VIEW = EtcdView(("a", "b", "c"), ("a", "b"), 2, 0, 3, "yes")
FINDING = Finding(
    rule="KL301",
    name="a-rule",
    severity=Severity.ERROR,
    certainty=Certainty.CERTAIN,
    message="é is deleted",
    why="It is gone.",
    locations=(
        Location(COMMANDS.span(2, 1, 2, 23), "the machine goes"),
        Location(SPEC.span(1, 18, 1, 26), "c [of main] runs here"),
    ),
    subject="é",
    fix=("etcdctl member remove c",),
    step=1,
    cluster=CLUSTER,
)
TIMELINE = (
    TimelineEntry(0, "(before)", None, "applied", {"main": VIEW}, CLUSTER),
    TimelineEntry(
        1,
        "kops delete ig é --yes",
        COMMANDS.span(2, 1, 2, 23),
        "applied",
        {"main": VIEW},
        CLUSTER,
    ),
    TimelineEntry(
        2, "kops get ig", COMMANDS.span(3, 1, 3, 12), "no-op", {}, CLUSTER, "reads"
    ),
)
RULES = (
    RuleInfo("KL101", "quiet", "Nothing", "spec", Severity.INFO, ""),
    RuleInfo(
        "KL301",
        "a-rule",
        "A group is deleted",
        "order",
        Severity.ERROR,
        "# Title\n\nA group goes\ntoo early.\n\n## Why\n\nBecause.\n",
    ),
)


@cache
def validator() -> Validator:
    from jsonschema import Draft202012Validator

    path = Path(__file__).parent / "schemas" / "code-scanning.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def run_of(report: Report) -> dict[str, Any]:
    log = json.loads(render_sarif(report, RULES, HERE))
    validator().validate(log)
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


def result_of(finding: Finding) -> dict[str, Any]:
    [result] = run_of(Report((finding,), TIMELINE))["results"]
    assert isinstance(result, dict)
    return result


def test_a_finding_is_a_result_with_complete_regions_and_links() -> None:
    """Columns count code points and ends are exclusive; paths start at the root."""
    command = {
        "artifactLocation": {"uri": "ops/run.sh"},
        "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 23},
    }
    result = result_of(FINDING)

    fingerprint = result["partialFingerprints"]["kopslint/v1"]
    assert result == {
        "ruleId": "KL301",
        "ruleIndex": 1,
        "level": "error",
        "message": {
            "text": "é is deleted.\nIt is gone.\nInstead:\netcdctl member remove c\n"
            "See [c \\[of main\\] runs here](1)."
        },
        "locations": [{"physicalLocation": command}],
        "relatedLocations": [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/before%20%C3%A9.yaml"},
                    "region": {
                        "startLine": 1,
                        "startColumn": 18,
                        "endLine": 1,
                        "endColumn": 26,
                    },
                },
                "message": {"text": "c [of main] runs here"},
            }
        ],
        "partialFingerprints": {"kopslint/v1": fingerprint},
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {
                                "executionOrder": 1,
                                "location": {
                                    "physicalLocation": command,
                                    "message": {
                                        "text": "step 1: kops delete ig é --yes;"
                                        " main: 2 of 3 alive, quorum 2, none may"
                                        " fail, dead: c"
                                    },
                                },
                            }
                        ]
                    }
                ]
            }
        ],
    }


def test_all_rules_are_listed_and_described_whether_they_found_something_or_not() -> (
    None
):
    run = run_of(Report(()))

    quiet, loud = run["tool"]["driver"]["rules"]
    assert run["results"] == []
    assert quiet["fullDescription"] == quiet["shortDescription"] == {"text": "Nothing"}
    assert quiet["defaultConfiguration"] == {"level": "note"}
    assert loud == {
        "id": "KL301",
        "name": "a-rule",
        "shortDescription": {"text": "A group is deleted"},
        "fullDescription": {"text": "A group goes\ntoo early."},
        "help": {"text": RULES[1].help, "markdown": RULES[1].help},
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["kops", "etcd", "order"],
            "precision": "high",
            "problem.severity": "error",
        },
    }


@pytest.mark.parametrize(
    ("clusters", "category"),
    [
        ((), "kopslint/"),
        (("prod.example.com",), "kopslint/prod.example.com/"),
        (("a/b c",), "kopslint/a%2Fb%20c/"),
        (("a", "b"), "kopslint/"),
    ],
)
def test_a_run_about_one_cluster_has_a_category_of_its_own(
    clusters: tuple[str, ...], category: str
) -> None:
    """A later upload replaces only what was uploaded about the same cluster."""
    run = run_of(Report((), (), Summary(clusters)))

    assert run["automationDetails"] == {"id": category}


def test_findings_are_no_failure_of_the_tool() -> None:
    run = run_of(Report((FINDING,)))

    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["tool"]["driver"]["semanticVersion"] == __version__


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("./a//b.yaml", "ops/a/b.yaml"),
        ("/checkout/x.yaml", "x.yaml"),
        ("../../etc/x.yaml", "file:///etc/x.yaml"),
        ("a:b,c%20#?.yaml", "ops/a%3Ab%2Cc%2520%23%3F.yaml"),
        ("line\nend.yaml", "ops/line%0Aend.yaml"),
        ("<stdin>", "%3Cstdin%3E"),
    ],
)
def test_a_path_becomes_a_uri_relative_to_the_repository(path: str, uri: str) -> None:
    place = Location(Source(path, "x").span(1, 1, 1, 2), "")

    result = result_of(FINDING._replace(locations=(place,)))

    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_the_fingerprint_does_not_change_when_lines_move() -> None:
    """It holds no position, and GitHub's own line hash is left to its uploader."""
    moved = Location(COMMANDS.span(9, 4, 9, 26), "elsewhere")

    assert (
        result_of(FINDING._replace(locations=(moved,)))["partialFingerprints"]
        == result_of(FINDING)["partialFingerprints"]
    )


def test_a_step_says_what_became_of_it() -> None:
    result = result_of(FINDING._replace(step=2))

    [flow] = result["codeFlows"]
    [thread] = flow["threadFlows"]
    texts = [step["location"]["message"]["text"] for step in thread["locations"]]
    assert texts[1:] == ["step 2: kops get ig; no-op; reads"]


def test_a_finding_without_a_step_has_no_flow() -> None:
    assert "codeFlows" not in result_of(FINDING._replace(step=None))


def test_of_a_long_list_only_the_last_steps_are_shown() -> None:
    steps = tuple(TIMELINE[1]._replace(step=number) for number in range(1, 501))
    finding = FINDING._replace(step=500)

    [result] = run_of(Report((finding,), steps))["results"]

    [flow] = result["codeFlows"]
    shown = [s["executionOrder"] for s in flow["threadFlows"][0]["locations"]]
    assert shown == list(range(401, 501))


def test_a_doubt_and_the_way_there_are_told() -> None:
    finding = FINDING._replace(
        certainty=Certainty.POSSIBLE,
        message="is it gone?",
        why="First.\nSecond.",
        locations=FINDING.locations[:1],
        fix=(),
        story=("the leader dies", "it comes back"),
    )

    assert result_of(finding)["message"]["text"] == (
        "possible: is it gone?\nFirst.\nSecond.\n1. the leader dies\n2. it comes back"
    )


def test_a_name_cannot_make_a_link_or_break_out_of_one() -> None:
    place = Location(COMMANDS.span(1, 1, 1, 2), "x](http://evil.example)")
    finding = FINDING._replace(
        message="[a](1) is gone", why="", locations=(place, place), fix=()
    )

    assert result_of(finding)["message"]["text"] == (
        "[a] (1) is gone.\nSee [x\\](http://evil.example)](1)."
    )


def test_a_finding_about_no_file_and_no_known_rule_is_still_accepted() -> None:
    result = result_of(FINDING._replace(rule="KL999", locations=()))

    assert "ruleIndex" not in result
    assert result["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "."}}}
    ]


def test_the_log_is_ascii_and_holds_no_control_characters() -> None:
    """GitHub's store refuses a zero byte, and not every reader takes a surrogate."""
    text = render_sarif(
        Report((FINDING._replace(message="a\0\udcff\x1b"),)), RULES, HERE
    )

    assert text.isascii()
    assert r'"a\\x00\\udcff\\x1b.' in text


def test_of_all_results_or_of_none_it_is_said_whether_they_stood_before() -> None:
    """A reader takes a result that does not say it for one that was never compared."""
    old = FINDING._replace(subject="old", existing=True)
    compared = run_of(Report((FINDING,), existing=(old,)))
    alone = run_of(Report((FINDING,)))

    states = [result.get("baselineState") for result in compared["results"]]
    assert sorted(states) == ["new", "unchanged"]
    assert "baselineState" not in alone["results"][0]
