"""What follows from what, and what people are told at once."""

from __future__ import annotations

import pytest

from kopslint.findings import (
    Certainty,
    EtcdView,
    Finding,
    Location,
    Report,
    Severity,
    TraceLine,
)
from kopslint.report.json_report import report_object
from kopslint.report.order import causes, told
from kopslint.report.text import render_concise, render_text
from kopslint.text import Source

LIST = Source("run.sh", "kops delete ig c\nkops delete ig d\nkops update cluster\n")
SPEC = Source("after.yaml", "kind: Cluster\n")
FIVE = ("a", "b", "c", "d", "e")


def traced(*dead: str, etcd: str = "main") -> tuple[TraceLine, ...]:
    alive = tuple(name for name in FIVE if name not in dead)
    return (TraceLine(etcd, None, EtcdView(FIVE, alive, 3, 0, 5, "yes"), ""),)


def finding(
    rule: str,
    step: int | None = None,
    *,
    dead: str = "",
    severity: Severity = Severity.WARNING,
    follows: tuple[str, ...] = (),
    cluster: str | None = "prod",
    at: Source = LIST,
) -> Finding:
    line = step or 1
    return Finding(
        rule=rule,
        name="a-rule",
        severity=severity,
        certainty=Certainty.CERTAIN,
        message=f"{rule} at {step}",
        why="So it is.",
        locations=(Location(at.span(line, 1, line, 5), "here"),),
        subject=f"{rule}/{step}",
        step=step,
        cluster=cluster,
        trace=traced(*dead) if dead else (),
        follows=follows,
    )


DELETED = finding("KL301", 1, dead="c", severity=Severity.ERROR)
LOST = finding("KL302", 3, dead="ac", follows=("KL301", "KL304"))
LEFT = finding("KL304", 2, dead="c", follows=("KL301",))

FOLLOWS = {
    "a dead member in common": ([DELETED, LOST], {"KL302": "KL301"}),
    "the first of several": (
        [DELETED, LEFT, LOST],
        {"KL302": "KL301", "KL304": "KL301"},
    ),
    "the same step": (
        [finding("KL310", 3), LOST._replace(follows=("KL310",))],
        {"KL302": "KL310"},
    ),
    "the same place": (
        [
            finding("KL101", at=SPEC, severity=Severity.ERROR),
            finding("KL307", 1, at=SPEC, follows=("KL101",)),
        ],
        {"KL307": "KL101"},
    ),
    "another member": ([finding("KL301", 1, dead="e"), LOST], {}),
    "a later step": ([finding("KL304", 3, dead="c"), LOST._replace(step=2)], {}),
    "another cluster": ([DELETED._replace(cluster="test"), LOST], {}),
    "another rule": ([DELETED, LOST._replace(follows=("KL305",))], {}),
    "no place and no member": (
        [DELETED._replace(trace=()), LOST],
        {},
    ),
}


@pytest.mark.parametrize(("found", "expected"), FOLLOWS.values(), ids=FOLLOWS)
def test_a_finding_follows_from_what_made_it_possible(
    found: list[Finding], expected: dict[str, str]
) -> None:
    """However the findings arrive, and never from a finding that is not told."""
    told_causes = {f.rule: cause.rule for f, cause in causes(reversed(found)).items()}

    assert told_causes == expected


def test_one_mistake_is_told_once_with_its_places_and_what_it_leads_to() -> None:
    """What is worst decides where it stands, wherever in it that is."""
    second = DELETED._replace(step=2, subject="d", message="KL301 at 2")
    alone = finding("KL107", at=SPEC, severity=Severity.WARNING)

    groups = told([alone, LOST, second, DELETED])

    assert [(len(g.findings), [f.rule for f in g.leads_to]) for g in groups] == [
        (2, ["KL302"]),
        (1, []),
    ]
    assert groups[0].first is DELETED


def test_programs_get_every_finding_with_the_fingerprint_of_its_cause() -> None:
    findings = report_object(Report((DELETED, LOST)))["findings"]

    assert isinstance(findings, list)
    deleted, lost = findings
    assert (deleted["cause"], lost["cause"]) == (None, deleted["fingerprint"])


def test_text_tells_it_in_one_block_and_in_full_in_as_many_as_there_are() -> None:
    second = DELETED._replace(
        subject="d",
        message="KL301 at 2",
        step=2,
        locations=(Location(LIST.span(2, 1, 2, 5), "here"),),
    )
    report = Report((DELETED, second, LOST))

    text = render_text(report, color=False, width=80, unicode=True)
    full = render_text(report, color=False, width=80, unicode=True, full=True)

    assert "run.sh:1:1: error[KL301]: KL301 at 1 (2 places)\n" in text
    assert " 2 | kops delete ig d\n   | ---- likewise 2\n" in text
    assert "   then  warning[KL302] in line 3\n" in text
    assert text.count("kopslint explain") == 0
    assert full.count("kopslint explain") == 3


def test_the_concise_form_is_one_line_for_each_finding_the_worst_first() -> None:
    assert render_concise(Report((LOST, DELETED)), color=False, unicode=True) == (
        "run.sh:1:1: error[KL301]: KL301 at 1\nrun.sh:3:1: warning[KL302]: KL302 at 3\n"
    )
    assert render_concise(Report(()), color=False, unicode=True) == ""
