"""Baselines: what a team begins with does not count, and everything new does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.program import run
from kopslint.engine import Request, check
from kopslint.errors import InputError
from kopslint.findings import Report, Suppression
from kopslint.report.order import identified
from kopslint.suppress.baseline import Entry, read_baseline, render_baseline
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

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
      instanceGroup: control-plane-a
  subnets:
  - {name: a, zone: eu-west-1a, cidr: 10.20.16.0/20, type: Private}
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: control-plane-a
  labels: {kops.k8s.io/cluster: demo.example.com}
spec:
  role: Master
  minSize: 1
  minSize: 1
  maxSize: 1
  subnets: [a]
"""
KNOWN = "the key minSize appears twice, and kops uses the last one"

Run = tuple[int, str, str]


@pytest.fixture
def kopslint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """Runs the command line in a folder of its own: the status and both outputs."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Run:
        status = run(arguments)
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def begun(kopslint: Callable[..., Run]) -> Callable[..., Run]:
    """The same, where ``baseline.json`` holds the one finding of ``a.yaml``."""
    Path("a.yaml").write_text(SPEC, encoding="utf-8")
    assert kopslint("check", "a.yaml", "--write-baseline", "baseline.json")[0] == 0
    return kopslint


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def test_what_is_written_does_not_count_from_then_on(
    kopslint: Callable[..., Run],
) -> None:
    Path("a.yaml").write_text(SPEC, encoding="utf-8")
    assert kopslint("check", "a.yaml")[0] == 1

    status, out, said = kopslint("check", "a.yaml", "--write-baseline", "baseline.json")

    assert (status, said) == (0, "kopslint: wrote 1 finding to baseline.json\n")
    assert out.startswith(
        "SAFE  demo.example.com\n\nno findings in 1 spec; 1 baselined\n"
    )
    status, again, said = kopslint("check", "a.yaml", "--baseline", "baseline.json")
    assert (status, again, said) == (0, out, "")


def test_a_baseline_can_be_reviewed(begun: Callable[..., Run]) -> None:
    """Beside the fingerprint stands what it is about, in the report's own words."""
    report = json.loads(begun("check", "a.yaml", "--format", "json")[1])

    assert json.loads(Path("baseline.json").read_text(encoding="utf-8")) == {
        "schema": "kopslint-baseline/v1",
        "findings": [
            {
                "path": "a.yaml",
                "rule": "KL109",
                "message": KNOWN,
                "cluster": "demo.example.com",
                "fingerprint": report["findings"][0]["fingerprint"],
            }
        ],
    }


def test_a_baseline_is_sorted_and_read_back_as_it_was() -> None:
    one = Entry("a.yaml", "KL107", "shared", "c", "0" * 20)
    two = Entry("a.yaml", "KL109", "twice", "c", "1" * 20)
    three = Entry("b.yaml", "KL101", "missing", "c", "2" * 20)

    text = render_baseline([three, two, one])

    assert read_baseline(Source("b.json", text)).entries == (one, two, three)


def test_a_baseline_survives_edits_elsewhere(begun: Callable[..., Run]) -> None:
    """A finding is recognised by what it is about and not by its line."""
    Path("a.yaml").write_text(f"# moved\n\n{SPEC}", encoding="utf-8")

    status, out, said = begun("check", "a.yaml", "--baseline", "baseline.json")

    assert (status, said) == (0, "")
    assert "1 baselined" in last_line(out)


def test_what_is_new_still_counts(begun: Callable[..., Run]) -> None:
    Path("a.yaml").write_text(SPEC + "  role: Master\n", encoding="utf-8")

    status, out, _ = begun("check", "a.yaml", "--baseline", "baseline.json", "-q")

    assert status == 1
    assert out.startswith("a.yaml:25:3: error[KL109]: the key role appears twice")
    assert KNOWN not in out


def test_what_is_fixed_is_said(begun: Callable[..., Run]) -> None:
    fixed = SPEC.replace("  minSize: 1\n  minSize: 1\n", "  minSize: 1\n")
    Path("a.yaml").write_text(fixed, encoding="utf-8")

    status, _, said = begun("check", "a.yaml", "--baseline", "baseline.json")

    assert status == 0
    assert said == (
        "kopslint: 1 finding of baseline.json is fixed: remove it with"
        " --write-baseline baseline.json\n"
    )


NOT_LOOKED_AT = {
    "another file": ("b.yaml", ()),
    "without the rule": ("a.yaml", ("--ignore", "KL109")),
}


@pytest.mark.parametrize(("path", "options"), NOT_LOOKED_AT.values(), ids=NOT_LOOKED_AT)
def test_what_was_not_looked_at_is_not_taken_for_fixed(
    begun: Callable[..., Run], path: str, options: tuple[str, ...]
) -> None:
    """A hook checks one file of many with the baseline of all."""
    fixed = SPEC.replace("  minSize: 1\n  minSize: 1\n", "  minSize: 1\n")
    Path(path).write_text(fixed, encoding="utf-8")

    status, _, said = begun("check", path, "--baseline", "baseline.json", *options)

    assert (status, said) == (0, "")


def test_a_finding_of_a_change_is_not_fixed_where_there_is_no_change(
    begun: Callable[..., Run],
) -> None:
    entry = {
        "path": "a.yaml",
        "rule": "KL205",
        "message": "gone",
        "cluster": "demo.example.com",
        "fingerprint": "0" * 20,
    }
    text = {"schema": "kopslint-baseline/v1", "findings": [entry]}
    Path("old.json").write_text(json.dumps(text), encoding="utf-8")

    state = begun("check", "a.yaml", "--baseline", "old.json")
    change = begun("check", "a.yaml", "--before", "a.yaml", "--baseline", "old.json")

    assert state[2] == ""
    assert change[2].startswith("kopslint: 1 finding of old.json is fixed")


def test_findings_that_cannot_be_ignored_are_not_written(
    kopslint: Callable[..., Run],
) -> None:
    Path("a.yaml").write_text(
        f"# kopslint: ignroe[KL109] why\n{SPEC}", encoding="utf-8"
    )

    status, out, said = kopslint("check", "a.yaml", "--write-baseline", "b.json", "-q")

    assert status == 1
    assert out.startswith("a.yaml:1:1: error[KL915]")
    assert "error[KL109]" not in out
    assert "KL915" not in Path("b.json").read_text(encoding="utf-8")
    assert said == ""


def test_what_a_comment_silences_is_counted_and_needs_no_baseline(
    kopslint: Callable[..., Run],
) -> None:
    text = f"# kopslint: ignore-file[KL109] why\n{SPEC}"
    Path("a.yaml").write_text(text, encoding="utf-8")

    _, out, _ = kopslint("check", "a.yaml", "--write-baseline", "b.json")

    assert out.startswith(
        "SAFE  demo.example.com\n\nno findings in 1 spec; 1 suppressed\n"
    )
    report = json.loads(kopslint("check", "a.yaml", "--format", "json")[1])
    assert report["summary"]["suppressed"] == 1
    assert kopslint("check", "a.yaml", "--no-ignores")[0] == 1
    assert json.loads(Path("b.json").read_text(encoding="utf-8"))["findings"] == []


def test_programs_are_told_how_much_does_not_count(begun: Callable[..., Run]) -> None:
    options = ("check", "a.yaml", "--baseline", "baseline.json", "--format")
    report = json.loads(begun(*options, "json")[1])
    (result,) = json.loads(begun(*options, "sarif")[1])["runs"][0]["results"]

    assert report["findings"] == []
    assert report["summary"]["baselined"] == 1
    assert report["summary"]["suppressed"] == 0
    assert result["suppressions"] == [
        {"kind": "external", "justification": "in the baseline baseline.json"}
    ]


def test_sarif_says_what_a_comment_silences_and_of_all_others_that_nothing_does(
    kopslint: Callable[..., Run],
) -> None:
    """SARIF wants suppressions of all results or of none."""
    text = SPEC.replace(
        "  minSize: 1\n  maxSize",
        "  minSize: 1 # kopslint: ignore[KL109] why\n  maxSize",
    )
    Path("a.yaml").write_text(f"{text}  role: Master\n", encoding="utf-8")

    log = json.loads(kopslint("check", "a.yaml", "--format", "sarif")[1])

    silenced, counting = log["runs"][0]["results"]
    assert counting["suppressions"] == []
    assert silenced["suppressions"] == [
        {
            "kind": "inSource",
            "justification": "why",
            "location": {
                "physicalLocation": {
                    "artifactLocation": {"uri": "a.yaml"},
                    "region": {
                        "startLine": 22,
                        "startColumn": 14,
                        "endLine": 22,
                        "endColumn": 43,
                    },
                }
            },
        }
    ]


def test_a_neighbour_that_is_silenced_does_not_change_a_fingerprint() -> None:
    """Findings about the same thing are numbered, silenced or not."""
    report = check(Request(after=(Source("a.yaml", SPEC),)))
    (first,) = report.findings
    place = first.locations[0]
    below = place._replace(span=place.span._replace(line=99, end_line=99))
    second = first._replace(locations=(below,))
    silenced = Suppression("comment", "why")

    both = identified(Report((first, second)))
    one = identified(Report((second,), suppressed=((first, silenced),)))

    marks = {finding: mark for finding, mark, _ in both}
    assert {finding: mark for finding, mark, _ in one} == marks
    assert marks[second] == f"{marks[first]}-2"


BAD = {
    "no JSON": ('{"schema":\n', "b.json:2:1: this baseline is not JSON: Expecting"),
    "a report": ('{"schema": "kopslint/v1"}', "b.json is not a baseline: it does not"),
    "a list": ("[]", "b.json is not a baseline: it does not say schema: "),
    "no findings": (
        '{"schema": "kopslint-baseline/v1", "findings": 1}',
        "b.json is not a baseline: it does not",
    ),
    "half a finding": (
        '{"schema": "kopslint-baseline/v1", "findings": [{"rule": "KL109"}]}',
        "b.json: finding 1 of this baseline lacks one of path, rule, message,",
    ),
    "a finding that is none": (
        '{"schema": "kopslint-baseline/v1", "findings": [null]}',
        "b.json: finding 1 of this baseline lacks one of path, rule, message,",
    ),
    "nested too deep": ("[" * 200_000, "b.json is not a baseline"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_a_file_that_is_no_baseline_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        read_baseline(Source("b.json", text))

    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--baseline", "none.json"], "the baseline none.json cannot be read: No such"),
        (["--write-baseline", "none/b.json"], "cannot be written"),
        (["--changed", "--write-baseline", "b.json"], "a baseline of a change"),
    ],
)
def test_a_baseline_that_cannot_be_used_gives_status_two(
    begun: Callable[..., Run], options: list[str], sentence: str
) -> None:
    inputs = [] if "--changed" in options else ["a.yaml"]
    status, out, said = begun("check", *inputs, *options)

    assert (status, out) == (2, "")
    assert sentence in said
    assert "  hint: " in said
