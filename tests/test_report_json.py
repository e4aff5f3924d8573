"""What programs read: the published shape, stable fingerprints, plain ASCII."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kopslint
from kopslint.findings import (
    Certainty,
    EtcdView,
    Finding,
    Location,
    Meanwhile,
    Report,
    Severity,
    Summary,
    TimelineEntry,
    in_order,
)
from kopslint.report.json_report import render_json, render_schema
from kopslint.report.order import fingerprints
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonschema.protocols import Validator

PUBLISHED = Path(kopslint.__file__).parent / "report" / "kopslint-v1.schema.json"

COMMANDS = Source("run.sh", "kops delete ig é --yes\n")
VIEW = EtcdView(("a", "b", "c"), ("a", "b"), 2, 0, 3, "maybe", ("c",), ("d",))
FINDING = Finding(
    rule="KL301",
    name="ig-deleted-before-etcd-member",
    severity=Severity.ERROR,
    certainty=Certainty.POSSIBLE,
    message="é is deleted",
    why="It is gone.",
    locations=(
        Location(COMMANDS.span(1, 16, 1, 17), "this group"),
        Location(COMMANDS.span(1, 1, 1, 23), ""),
    ),
    subject="group é",
    fix=("etcdctl member remove c",),
    step=1,
    cluster="prod.example.com",
    etcd_cluster="main",
    story=("first",),
)
REPORT = Report(
    (FINDING, FINDING._replace(severity=Severity.INFO, locations=())),
    (
        TimelineEntry(0, "(before)", None, "applied", {}, "prod.example.com"),
        TimelineEntry(
            1,
            "kops delete ig é --yes",
            COMMANDS.span(1, 1, 1, 23),
            "no-op",
            {"main": VIEW},
            "prod.example.com",
            note="a note",
            during=(Meanwhile("nodes-b", {"main": VIEW}),),
        ),
    ),
    Summary(("prod.example.com",), 2, 1, 31, 12, ("x.yaml",), 3, 1),
)


@cache
def validator() -> Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(render_schema()))


def test_the_published_schema_is_the_one_that_the_program_prints() -> None:
    """If this fails on purpose: kopslint schema report > the published file."""
    assert PUBLISHED.read_text(encoding="utf-8") == render_schema()


def test_the_schema_is_a_valid_schema() -> None:
    validator().check_schema(json.loads(render_schema()))


def test_a_report_is_exactly_what_the_contract_says() -> None:
    """Positions are 1-based, columns count code points, ends are exclusive."""
    report = json.loads(render_json(REPORT))

    fingerprint = report["findings"][0]["fingerprint"]
    place = {"path": "run.sh", "line": 1, "column": 1, "end_line": 1, "end_column": 23}
    view = {
        "members": ["a", "b", "c"],
        "alive": ["a", "b"],
        "quorum": 2,
        "tolerance": 0,
        "published": 3,
        "writable": "maybe",
    }
    finding = {
        "rule": "KL301",
        "name": "ig-deleted-before-etcd-member",
        "severity": "error",
        "certainty": "possible",
        "message": "é is deleted",
        "why": "It is gone.",
        "fix": ["etcdctl member remove c"],
        "step": 1,
        "cluster": "prod.example.com",
        "etcd_cluster": "main",
        "locations": [
            {**place, "column": 16, "end_column": 17, "label": "this group"},
            {**place, "label": ""},
        ],
        "fingerprint": fingerprint,
        "cause": None,
        "existing": False,
    }
    assert report == {
        "schema": "kopslint/v1",
        "summary": {
            "verdict": "UNSAFE",
            "assumptions": [],
            "errors": 1,
            "warnings": 0,
            "infos": 1,
            "clusters": ["prod.example.com"],
            "specs": 2,
            "commands": 1,
            "rules": 31,
            "worlds": 12,
            "skipped": ["x.yaml"],
            "unread": [],
            "observed": [],
            "existing": 0,
            "suppressed": 0,
            "baselined": 0,
        },
        "findings": [
            {
                **finding,
                "severity": "info",
                "locations": [],
                "fingerprint": report["findings"][0]["fingerprint"],
            },
            {**finding, "fingerprint": f"{fingerprint}-2"},
        ],
        "timeline": [
            {
                "step": 0,
                "command": "(before)",
                "location": None,
                "status": "applied",
                "cluster": "prod.example.com",
                "etcd": {},
                "during": [],
            },
            {
                "step": 1,
                "command": "kops delete ig é --yes",
                "location": place,
                "status": "no-op",
                "cluster": "prod.example.com",
                "etcd": {"main": view},
                "during": [{"group": "nodes-b", "etcd": {"main": view}}],
            },
        ],
    }


def test_a_report_is_ascii_and_ends_its_line() -> None:
    text = render_json(REPORT)

    assert text.isascii()
    assert text.endswith("}\n")


def test_odd_text_is_printed_and_never_raised_about() -> None:
    """A name that no encoding can hold is still only data."""
    odd = Source("\udcff.sh", "x")
    finding = FINDING._replace(
        locations=(Location(odd.span(1, 1, 1, 2), "\x1b"),), subject="\udcff"
    )

    text = render_json(Report((finding,)))

    assert r'"path": "\udcff.sh"' in text
    assert r'"label": "\u001b"' in text


SAME = {
    "another place": FINDING._replace(
        locations=(Location(Source("b.sh", "x").span(7, 1, 7, 2), "y"),)
    ),
    "other words": FINDING._replace(message="m", why="w", fix=(), story=()),
    "another severity": FINDING._replace(severity=Severity.WARNING),
    "another step": FINDING._replace(step=9),
}
OTHER = {
    "another rule": FINDING._replace(rule="KL302"),
    "another subject": FINDING._replace(subject="group b"),
    "another cluster": FINDING._replace(cluster="stage.example.com"),
    "another etcd cluster": FINDING._replace(etcd_cluster="events"),
    "no etcd cluster": FINDING._replace(etcd_cluster=None),
}


@pytest.mark.parametrize("finding", SAME.values(), ids=SAME)
def test_a_fingerprint_survives_edits_elsewhere(finding: Finding) -> None:
    assert fingerprints([finding]) == fingerprints([FINDING])


@pytest.mark.parametrize("finding", OTHER.values(), ids=OTHER)
def test_what_is_about_something_else_has_another_fingerprint(
    finding: Finding,
) -> None:
    assert fingerprints([finding]) != fingerprints([FINDING])


def test_fingerprints_are_the_same_in_every_run_and_on_every_machine() -> None:
    """Baselines and code-scanning services keep them for years."""
    assert fingerprints([FINDING]) == ("b7010fa79263e3f426b1",)


def test_findings_that_cannot_be_told_apart_are_numbered() -> None:
    first = fingerprints([FINDING])[0]

    assert fingerprints([FINDING] * 3) == (first, f"{first}-2", f"{first}-3")


def records(
    kind: Callable[..., Any], *values: st.SearchStrategy[Any], **named: Any
) -> st.SearchStrategy[Any]:
    """Records of a kind; what is not given has its default."""

    def made(*args: object, **kwargs: object) -> object:
        return kind(*args, **kwargs)

    return st.builds(made, *values, **named)


def spans() -> st.SearchStrategy[Location]:
    position = st.integers(1, 10_000)
    return st.builds(
        lambda path, text, a, b, label: Location(
            Source(path, text).span(a, b, a, b + 1), label
        ),
        st.text(min_size=1),
        st.text(),
        position,
        position,
        st.text(),
    )


def views() -> st.SearchStrategy[EtcdView]:
    names = st.lists(st.text(), max_size=5).map(tuple)
    return records(
        EtcdView,
        members=names,
        alive=names,
        quorum=st.integers(0, 9),
        tolerance=st.integers(-9, 9),
        published=st.integers(0, 9),
        writable=st.sampled_from(["yes", "no", "maybe"]),
    )


def findings() -> st.SearchStrategy[Finding]:
    return records(
        Finding,
        rule=st.integers(100, 999).map("KL{}".format),
        name=st.text(),
        severity=st.sampled_from(Severity),
        certainty=st.sampled_from(Certainty),
        message=st.text(),
        why=st.text(),
        locations=st.lists(spans(), min_size=1, max_size=3).map(tuple),
        subject=st.sampled_from(["a", "b"]),
        fix=st.lists(st.text(), max_size=2).map(tuple),
        step=st.none() | st.integers(0, 99),
        cluster=st.none() | st.text(),
        etcd_cluster=st.none() | st.sampled_from(["main", "events"]),
    )


def entries() -> st.SearchStrategy[TimelineEntry]:
    return records(
        TimelineEntry,
        step=st.integers(0, 99),
        command=st.text(),
        span=st.none() | spans().map(lambda place: place.span),
        status=st.sampled_from(["applied", "refused", "no-op", "unknown"]),
        etcd=st.dictionaries(st.text(), views(), max_size=2),
        cluster=st.text(),
        during=st.lists(
            records(
                Meanwhile,
                group=st.text(),
                etcd=st.dictionaries(st.text(), views(), max_size=2),
            ),
            max_size=2,
        ).map(tuple),
    )


@settings(max_examples=50)
@given(
    st.lists(findings(), max_size=4).map(tuple),
    st.lists(entries(), max_size=3).map(tuple),
)
def test_every_report_satisfies_the_published_schema(
    found: tuple[Finding, ...], steps: tuple[TimelineEntry, ...]
) -> None:
    report = json.loads(render_json(Report(found, steps)))

    validator().validate(report)
    prints = [finding["fingerprint"] for finding in report["findings"]]
    assert len(set(prints)) == len(prints)


@given(st.lists(findings(), max_size=4))
def test_the_order_of_findings_does_not_depend_on_how_they_arrive(
    found: list[Finding],
) -> None:
    def key(finding: Finding) -> tuple[str, int, int, str]:
        span = finding.locations[0].span
        return (span.source.path, span.line, span.column, finding.rule)

    expected = sorted(key(finding) for finding in found)

    assert [key(finding) for finding in in_order(reversed(found))] == expected


BROKEN: dict[str, dict[str, object]] = {
    "an unknown key": {"extra": 1},
    "a position before the first": {
        "timeline": [
            {
                "step": 1,
                "command": "",
                "location": {
                    "path": "a",
                    "line": 0,
                    "column": 1,
                    "end_line": 1,
                    "end_column": 1,
                },
                "status": "applied",
                "cluster": "c",
                "etcd": {},
            }
        ]
    },
    "another schema": {"schema": "kopslint/v2"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_the_schema_refuses_what_the_contract_does_not_allow(
    change: dict[str, object],
) -> None:
    report = {**json.loads(render_json(REPORT)), **change}

    assert not validator().is_valid(report)


def test_what_stood_before_a_change_is_there_and_does_not_count() -> None:
    old = FINDING._replace(subject="old", existing=True)
    report = Report((FINDING,), existing=(old,))

    told = json.loads(render_json(report))

    validator().validate(told)
    assert sorted(f["existing"] for f in told["findings"]) == [False, True]
    assert (told["summary"]["errors"], told["summary"]["existing"]) == (1, 1)
