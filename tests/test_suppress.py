"""Comments that silence findings: where they count, and what is wrong with them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from kopslint.config.settings import DEFAULT, Settings
from kopslint.engine import Request, check
from kopslint.rulebook.loader import load_rules
from kopslint.suppress.comments import comments_in_commands, comments_in_spec
from kopslint.suppress.directives import Directive, Malformed, read_directive
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Report

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
  minSize: 1
  minSize: 1
  maxSize: 3
  subnets: [a]
"""
"""The second ``minSize`` of the nodes, line 33, is KL109."""

FINE = SPEC.replace("  minSize: 1\n  minSize: 1\n", "  minSize: 1\n")
FIRST, SECOND = "  minSize: 1\n  minSize: 1\n", "minSize: 1\n  maxSize: 3"

PREVIEW = """\
kops edit ig nodes --set spec.maxSize=4
kops update cluster
"""
"""Line 2 is KL401: nothing is applied."""


def spec(text: str, path: str = "after.yaml") -> tuple[Source, ...]:
    return (Source(path, text),)


def told(report: Report) -> list[str]:
    """Every finding as ``rule line``."""
    return [f"{f.rule} {f.locations[0].span.line}" for f in report.findings]


def silenced(report: Report) -> list[tuple[str, str]]:
    """Every suppressed finding as its rule and the reason."""
    return [(finding.rule, why.reason) for finding, why in report.suppressed]


def on_commands(text: str, path: str = "commands.sh", **settings: object) -> Report:
    request = Request(before=spec(FINE, "before.yaml"), commands=(Source(path, text),))
    return check(request, DEFAULT._replace(**settings))  # type: ignore[arg-type]


# --- where a comment counts ------------------------------------------------------

COMMENT = "# kopslint: ignore[KL109] the generator writes it twice"

COVERING = {
    "behind the line": SPEC.replace(SECOND, f"minSize: 1  {COMMENT}\n  maxSize: 3"),
    "on the line above": SPEC.replace(SECOND, f"{COMMENT}\n  minSize: 1\n  maxSize: 3"),
    "above another comment": SPEC.replace(
        SECOND, f"{COMMENT}\n  # of two\n  minSize: 1\n  maxSize: 3"
    ),
    "for the whole file": SPEC.replace(
        "apiVersion", f"{COMMENT.replace('ignore', 'ignore-file')}\napiVersion", 1
    ),
    "by the rule's name": SPEC.replace(
        SECOND,
        f"minSize: 1 {COMMENT.replace('KL109', 'duplicate-key')}\n  maxSize: 3",
    ),
}


@pytest.mark.parametrize("text", COVERING.values(), ids=COVERING)
def test_a_comment_silences_what_is_found_on_its_line(text: str) -> None:
    """The finding is kept with the reason and does not count."""
    report = check(Request(after=spec(text)))

    assert told(report) == []
    assert silenced(report) == [("KL109", "the generator writes it twice")]


NOT_COVERING = {
    "two lines above": SPEC.replace(
        FIRST, f"  {COMMENT}\n  minSize: 1\n  minSize: 1\n"
    ),
    "behind the line above": SPEC.replace(
        FIRST, f"  minSize: 1 {COMMENT}\n  minSize: 1\n"
    ),
    "across a blank line": SPEC.replace(
        SECOND, f"{COMMENT}\n\n  minSize: 1\n  maxSize: 3"
    ),
    "about another rule": SPEC.replace(
        SECOND, f"minSize: 1  {COMMENT.replace('109', '107')}\n  maxSize: 3"
    ),
}


@pytest.mark.parametrize("text", NOT_COVERING.values(), ids=NOT_COVERING)
def test_a_comment_elsewhere_silences_nothing_and_is_told(text: str) -> None:
    report = check(Request(after=spec(text)))

    assert sorted(line.split()[0] for line in told(report)) == ["KL109", "KL910"]
    assert silenced(report) == []


def test_only_the_first_place_of_a_finding_counts() -> None:
    """KL109 is about line 33 and shows line 32, whose key gets lost."""
    text = SPEC.replace(FIRST, f"  minSize: 1 {COMMENT}\n  minSize: 1\n")
    (finding,) = check(Request(after=spec(SPEC))).findings

    assert [place.span.line for place in finding.locations] == [33, 32]
    assert told(check(Request(after=spec(text)))) == ["KL910 32", "KL109 33"]


def test_nothing_is_silenced_when_comments_are_passed_over() -> None:
    """``--no-ignores``: comments are not even judged."""
    text = COVERING["behind the line"].replace(
        "  role: Node", "  role: Node # kopslint: x"
    )
    report = check(Request(after=spec(text)), Settings(ignores=False))

    assert told(report) == ["KL109 33"]


def test_a_comment_in_the_text_before_a_change_counts_and_is_not_judged() -> None:
    """What was removed is shown where it stood, and nobody can mend the past."""
    group = FINE[FINE.rindex("---") :]
    kept = FINE.replace(group, "")
    note = group.replace(
        "  name: nodes",
        "  # kopslint: ignore[KL205] it is deleted by hand\n"
        "  # kopslint: ignore[KL107] of no use here\n"
        "  name: nodes",
    )
    before = spec(kept + note, "cluster.yaml")

    plain = check(
        Request(before=spec(FINE, "cluster.yaml"), after=spec(kept, "cluster.yaml"))
    )
    report = check(Request(before=before, after=spec(kept, "cluster.yaml")))

    assert [f.rule for f in plain.findings] == ["KL205"]
    assert told(report) == []
    assert silenced(report) == [("KL205", "it is deleted by hand")]


def test_a_whole_file_is_meant_before_and_after_a_change() -> None:
    kept = FINE[: FINE.rindex("---")]
    note = "# kopslint: ignore-file[KL205] pools come and go\n"
    report = check(
        Request(
            before=spec(FINE, "cluster.yaml"), after=spec(note + kept, "cluster.yaml")
        )
    )

    assert told(report) == []
    assert silenced(report) == [("KL205", "pools come and go")]


# --- notations -------------------------------------------------------------------

YAML = """\
# kopslint: one
a: "# kopslint: no"  # kopslint: two
b: | # kopslint: three
  # kopslint: no
# kopslint: four
c: plain#kopslint:no
"""
SHELL = """\
#!/bin/sh
# kopslint: one
echo "# kopslint: no" x#kopslint:no  # kopslint: two
cat <<EOF
# kopslint: no
EOF
if true; then
  # kopslint: three
  kops update cluster
fi
"""
MARKDOWN = """\
# kopslint: no

<!-- kopslint: one -->

```bash
$ kops update cluster # kopslint: two
# kopslint: three
```

```yaml
# kopslint: no
```

Write `<!-- kopslint: no -->` for that. <!-- kopslint: four -->
"""
WORKFLOW = """\
jobs:
  a:  # kopslint: one
    steps:
    - run: |
        # kopslint: two
        kops update cluster  # kopslint: three
    - run: 'echo "# kopslint: no"'
"""
MAKEFILE = """\
# kopslint: one
all:
\tkops update cluster # kopslint: two
"""
JENKINS = """\
pipeline {
  // kopslint: one
  sh '''
    # kopslint: two
    kops update cluster
  '''
}
"""
NOTATIONS = {
    "a.yaml": (YAML, ["1:1 one", "2:22 two", "3:6 three", "5:1 four"]),
    "a.sh": (SHELL, ["2:1 one", "3:38 two", "8:3 three"]),
    "a.md": (MARKDOWN, ["3:1 one", "6:23 two", "7:1 three", "14:41 four"]),
    "ci.yml": (WORKFLOW, ["2:7 one", "5:9 two", "6:30 three"]),
    "Makefile": (MAKEFILE, ["1:1 one", "3:22 two"]),
    "Jenkinsfile": (JENKINS, ["2:3 one", "4:5 two"]),
}


@pytest.mark.parametrize("path", NOTATIONS)
def test_comments_are_told_from_text_that_looks_like_one(path: str) -> None:
    """A # in a value, a string, a here-document or prose is no comment."""
    text, expected = NOTATIONS[path]
    read = comments_in_spec if path == "a.yaml" else comments_in_commands

    found = read(Source(path, text))

    assert [f"{c.span.line}:{c.span.column} {c.words}" for c in found] == expected


LINES = {
    "the command below, to its last line": (
        "a.sh",
        "# kopslint: x\nkops replace \\\n  -f a.yaml \\\n  --force\nkops get ig\n",
        range(2, 5),
    ),
    "the command that ends here, from its first line": (
        "a.sh",
        "kops get ig\nkops replace \\\n  -f a.yaml # kopslint: x\n",
        range(2, 4),
    ),
    "the code block below": (
        "a.md",
        "Text.\n\n<!-- kopslint: x -->\n\n```sh\nkops get ig\nkops get ig\n```\n",
        range(5, 9),
    ),
    "the line below, without a code block": (
        "a.md",
        "<!-- kopslint: x -->\n\nText.\n\n```sh\nkops get ig\n```\n",
        range(2, 3),
    ),
    "a line with Windows line ends": (
        "a.sh",
        "# kopslint: x\r\na\r\nb\r\n",
        range(2, 3),
    ),
}


@pytest.mark.parametrize(("path", "text", "lines"), LINES.values(), ids=LINES)
def test_a_comment_is_about(path: str, text: str, lines: range) -> None:
    (comment,) = comments_in_commands(Source(path, text))

    assert comment.lines == lines


def test_yaml_that_cannot_be_read_has_no_comments() -> None:
    assert comments_in_spec(Source("a.yaml", "a: 'b # kopslint: x\n")) == ()


# --- what a comment says -----------------------------------------------------------


def directive(words: str, above: str = "") -> Directive | Malformed | None:
    (comment,) = comments_in_spec(Source("a.yaml", f"{above}# kopslint: {words}\n"))
    return read_directive(comment)


UNDERSTOOD = {
    "ignore[KL303] why": (("KL303",), "why", None),
    "ignore[KL303,KL107] why not": (("KL303", "KL107"), "why not", None),
    "ignore[ KL303 , no-failure-tolerated ]: why": (
        ("KL303", "no-failure-tolerated"),
        "why",
        None,
    ),
    "ignore[KL303] why, until=2027-01-31": (("KL303",), "why", date(2027, 1, 31)),
    "ignore[KL303] why until=2027-01-31": (("KL303",), "why", date(2027, 1, 31)),
    "ignore[KL303] replicas=3 is enough": (("KL303",), "replicas=3 is enough", None),
    "ignore[KL303] see mode=x": (("KL303",), "see mode=x", None),
    "ignore[KL303]": (("KL303",), "", None),
    "ignore[KL303], until=2027-01-31": (("KL303",), "", date(2027, 1, 31)),
}


@pytest.mark.parametrize("words", UNDERSTOOD)
def test_a_comment_is_understood(words: str) -> None:
    found = directive(words)

    assert isinstance(found, Directive)
    assert (found.rules, found.reason, found.until) == UNDERSTOOD[words]


MISUNDERSTOOD = {
    "ignroe[KL303] why": "kopslint does not know 'ignroe', did you mean ignore?",
    "disable[KL303] why": "kopslint does not know 'disable'",
    "": "kopslint does not know ''",
    "skip": "'skip' does not say which rules to ignore",
    "ignore KL303 why": "'ignore KL303 why' does not say which rules to ignore",
    "ignore[] why": "'ignore[] why' does not say which rules to ignore",
    "ignore[KL303 why": "'ignore[KL303 why' does not say which rules to ignore",
    "ignore[KL303] why, untill=2027-01-31": "there is no untill=, only until=",
    "ignore[KL303] why, expires=2027-01-31": "there is no expires=, only until=",
    "ignore[KL303] why, until=31.1.2027": "'31.1.2027' is not a date",
    "ignore[KL303] why, until=2027-02-30": "the date 2027-02-30 does not exist",
    "ignore[KL303] why, until=": "'' is not a date",
    "ignore[KL303] until=2027-01-31, why": "until= is not at the end of the comment,"
    " or has no date",
    "ignore[KL303] why, until: 2027-01-31": "until= is not at the end of the comment,"
    " or has no date",
    "ignore[KL303] until 2027-01-31": "until= is not at the end of the comment, or"
    " has no date",
}


@pytest.mark.parametrize("words", MISUNDERSTOOD)
def test_a_slip_of_the_pen_is_told_and_silences_nothing(words: str) -> None:
    found = directive(words)

    assert isinstance(found, Malformed)
    assert found.message == MISUNDERSTOOD[words]


@pytest.mark.parametrize("above", ["", "Text "], ids=["alone", "in a paragraph"])
def test_an_html_comment_ends_on_its_line(above: str) -> None:
    """Its last day may stand on the second line, so the first alone is not obeyed."""
    text = f"{above}<!-- kopslint: ignore[KL401] why,\nuntil=2027-01-31 -->\n"
    (comment,) = comments_in_commands(Source("a.md", text))

    assert isinstance(read_directive(comment), Malformed)


def test_a_block_of_a_runbook_that_is_skipped_is_no_mistake() -> None:
    (comment,) = comments_in_commands(Source("a.md", "<!-- kopslint: skip -->\n"))

    assert read_directive(comment) is None


def test_a_whole_file_is_ignored_only_at_its_top() -> None:
    words = "ignore-file[KL107] why"

    assert isinstance(directive(words, "# licence\n\n---\n"), Directive)
    below = directive(words, "a: 1\n")
    assert isinstance(below, Malformed)
    assert below.message == "ignore-file works only at the top of a file"


# --- what is told about comments ---------------------------------------------------


def commented(words: str) -> str:
    return PREVIEW.replace("cluster\n", f"cluster # kopslint: {words}\n", 1)


TODAY = date(2027, 1, 31)
JUDGED = {
    "until today": ("ignore[KL401] why, until=2027-01-31", []),
    "until yesterday": (
        "ignore[KL401] why, until=2027-01-30",
        ["KL401 2", "KL913 2"],
    ),
    "without a reason": ("ignore[KL401]", ["KL401 2", "KL911 2"]),
    "an unknown rule beside a known one": ("ignore[KL401,KL999] why", ["KL912 2"]),
    "a used rule beside an unused one": ("ignore[KL401,KL301] why", ["KL910 2"]),
    "a prefix": ("ignore[KL4] why", ["KL401 2", "KL912 2"]),
    "a rule about comments": ("ignore[KL401,KL911] why", ["KL914 2"]),
    "a misspelling": ("ignore(KL401) why", ["KL401 2", "KL915 2"]),
}


@pytest.mark.parametrize(("words", "expected"), JUDGED.values(), ids=JUDGED)
def test_what_is_wrong_with_a_comment_is_a_finding(
    words: str, expected: list[str]
) -> None:
    assert sorted(told(on_commands(commented(words), today=TODAY))) == expected


def test_nothing_expires_without_a_day() -> None:
    """The engine has no clock; whoever calls it says which day it is."""
    assert told(on_commands(commented("ignore[KL401] why, until=1999-01-01"))) == []


def test_a_rule_that_could_not_speak_leaves_no_comment_unused() -> None:
    """The same file is checked with and without a change, commands, and all rules."""
    text = FINE.replace(
        "  role: Node", "  role: Node # kopslint: ignore[KL205,KL401,KL107] why"
    )
    state = check(Request(after=spec(text)))
    change = check(Request(before=spec(text), after=spec(text)))
    commands = check(
        Request(
            before=spec(FINE, "before.yaml"),
            after=spec(text),
            commands=(Source("c.sh", "kops get ig\n"),),
        )
    )
    others = [rule for rule in load_rules() if rule.id != "KL107"]

    def unused(report: Report) -> list[str]:
        return sorted(f.subject for f in report.findings if f.rule == "KL910")

    assert unused(state) == ["KL107"]
    assert unused(change) == ["KL107", "KL205"]
    assert unused(commands) == ["KL107", "KL205", "KL401"]
    assert unused(check(Request(after=spec(text)), Settings(rules=tuple(others)))) == []
    assert unused(check(Request(after=spec(text), partial=True))) == []


def test_a_rule_that_cannot_be_ignored_is_told_all_the_same() -> None:
    rules = tuple(rule._replace(ignorable=rule.id != "KL401") for rule in load_rules())

    report = on_commands(commented("ignore[KL401] why"), rules=rules, known=rules)

    assert told(report) == ["KL401 2", "KL914 2"]


def test_a_rule_that_is_not_asked_may_be_named() -> None:
    """A configuration that leaves a rule out does not make its comments wrong."""
    rules = tuple(rule for rule in load_rules() if rule.id != "KL401")

    assert told(on_commands(commented("ignore[KL401] why"), rules=rules)) == []


def test_the_nearest_rule_is_offered() -> None:
    report = on_commands(commented("ignore[forgoten-yes] why"))
    messages = [f.message for f in report.findings if f.rule == "KL912"]

    assert messages == [
        "there is no rule forgoten-yes to ignore, did you mean KL401 (forgotten-yes)?"
    ]


def test_a_comment_is_shown_where_it_stands() -> None:
    report = on_commands(commented("ignore[KL4] why"))
    (finding,) = (f for f in report.findings if f.rule == "KL912")
    span = finding.locations[0].span

    assert (str(span), span.end_line, span.end_column) == ("commands.sh:2:21", 2, 48)
    assert finding.cluster is None


def test_texts_that_never_say_kopslint_are_not_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hook runs this on every file: one search for a word is all it may cost."""
    monkeypatch.setattr("kopslint.suppress.comments._in_shell", pytest.fail)
    monkeypatch.setattr("kopslint.suppress.comments._in_yaml", pytest.fail)

    assert comments_in_spec(Source("a.yaml", "a: 1 # ignore[KL107]\n")) == ()
    assert comments_in_commands(Source("a.sh", "true # ignore[KL107]\n")) == ()
