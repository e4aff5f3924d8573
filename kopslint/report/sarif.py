"""The report as SARIF 2.1.0, with all that GitHub code scanning asks for.

GitHub rejects a whole upload for one incomplete result, hides alerts of which it
sees no line, and compares rules and fingerprints from run to run. So all rules are
listed whether they found something or not, and nothing depends on line numbers but
the regions themselves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from kopslint import __version__
from kopslint.findings import Severity
from kopslint.report import sentences
from kopslint.report.display import Style
from kopslint.report.order import identified
from kopslint.report.quorum import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.findings import (
        Finding,
        Location,
        Report,
        RuleInfo,
        Suppression,
        TimelineEntry,
    )
    from kopslint.report.places import Repository
    from kopslint.text import Span

_LEVEL = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_PROBLEM = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "recommendation",
}
_SUPPRESSED = {"comment": "inSource", "baseline": "external"}

# GitHub refuses longer descriptions.
_LONGEST = 1024
# A reader follows the steps just before a finding; with all of them, a long list
# with many findings would make a report that is too large to upload.
_MOST_STEPS = 100

_FOLDER: dict[str, object] = {"artifactLocation": {"uri": "."}}

# The text becomes JSON in ASCII, which holds every character.
_STYLE = Style(color=False, unicode=True, width=100)


def render_sarif(
    report: Report, rules: Sequence[RuleInfo], repository: Repository
) -> str:
    """The report as a SARIF log in ASCII that ends with a line end.

    ``rules`` are all rules that were asked. ``primaryLocationLineHash`` is left
    out: ``github/codeql-action/upload-sarif`` fills it in and never corrects it.
    """
    index = {rule.id: number for number, rule in enumerate(rules)}
    writer = _Writer(report, repository)
    results = [
        writer.result(finding, index.get(finding.rule), fingerprint, suppression)
        for finding, fingerprint, suppression in identified(report)
    ]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "kopslint",
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "automationDetails": {"id": sentences.subject(report)},
                "invocations": [{"executionSuccessful": True}],
                "columnKind": "unicodeCodePoints",
                "results": results,
                "properties": {
                    "verdict": report.verdict.value,
                    **(
                        {"observed": sentences.observed(report)}
                        if report.summary.observed
                        else {}
                    ),
                },
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: RuleInfo) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary[:_LONGEST]},
        "fullDescription": {"text": _introduction(rule)[:_LONGEST]},
        "help": {
            "text": rule.help or rule.summary,
            "markdown": rule.help or rule.summary,
        },
        **({"helpUri": rule.link} if rule.link else {}),
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": {
            "tags": ["kops", "etcd", rule.category],
            "precision": "high",
            "problem.severity": _PROBLEM[rule.severity],
        },
    }


def _introduction(rule: RuleInfo) -> str:
    """The first paragraph of the rule's prose, or else its summary."""
    blocks = (block.strip() for block in rule.help.split("\n\n"))
    return next((b for b in blocks if b and not b.startswith("#")), rule.summary)


class _Writer:
    """What every result of a report needs to know."""

    def __init__(self, report: Report, repository: Repository) -> None:
        self._repository = repository
        self._any_suppressed = bool(report.suppressed)
        self._any_existing = any(
            each.existing for each in (*report.findings, *report.existing)
        )
        self._steps: dict[str, list[TimelineEntry]] = {}
        for entry in report.timeline:
            self._steps.setdefault(entry.cluster, []).append(entry)

    def result(
        self,
        finding: Finding,
        rule: int | None,
        fingerprint: str,
        suppression: Suppression | None,
    ) -> dict[str, object]:
        anchor = self._repository.anchor(finding)
        # GitHub asks for a file even if a finding is about none in particular.
        where = _FOLDER if anchor.path is None else _physical(anchor.path, anchor.span)
        others = [
            place
            for number, place in enumerate(finding.locations)
            if number != anchor.number and self._repository.holds(place.span.source)
        ]
        result: dict[str, object] = {
            "ruleId": finding.rule,
            "level": _LEVEL[finding.severity],
            "message": {"text": _message(finding, anchor.elsewhere, others)},
            "locations": [{"physicalLocation": where}],
            "relatedLocations": [
                {
                    "id": number,
                    "physicalLocation": self.physical(other.span),
                    "message": {"text": _label(other)},
                }
                for number, other in enumerate(others, 1)
            ],
            "partialFingerprints": {"kopslint/v1": fingerprint},
        }
        if rule is not None:
            result["ruleIndex"] = rule
        if self._any_existing:
            result["baselineState"] = "unchanged" if finding.existing else "new"
        if self._any_suppressed:
            # SARIF wants it said of all results or of none.
            result["suppressions"] = [*self.suppressions(suppression)]
        if steps := list(self.steps(finding, where)):
            result["codeFlows"] = [
                {"threadFlows": [{"locations": steps[-_MOST_STEPS:]}]}
            ]
        return result

    def suppressions(
        self, suppression: Suppression | None
    ) -> Iterator[dict[str, object]]:
        """Why a result does not count, if it does not."""
        if suppression is None:
            return
        told: dict[str, object] = {
            "kind": _SUPPRESSED[suppression.kind],
            "justification": _STYLE.safe(suppression.reason),
        }
        span = suppression.span
        if span is not None and self._repository.holds(span.source):
            told["location"] = {"physicalLocation": self.physical(span)}
        yield told

    def steps(
        self, finding: Finding, where: dict[str, object]
    ) -> Iterator[dict[str, object]]:
        """The commands up to the one that the finding is about.

        A list that lies outside the repository is shown where the finding is.
        """
        if finding.step is None or finding.cluster is None:
            return
        for entry in self._steps.get(finding.cluster, ()):
            # The state before the list has no place, and GitHub asks for one.
            if entry.span is None or entry.step > finding.step:
                continue
            known = self._repository.holds(entry.span.source)
            yield {
                "executionOrder": entry.step,
                "location": {
                    "physicalLocation": self.physical(entry.span) if known else where,
                    "message": {"text": _unlinked(_told(entry))},
                },
            }

    def physical(self, span: Span) -> dict[str, object]:
        """A place, without lines if they are those of the state before."""
        path = self._repository.path(span.source)
        return _physical(path, None if span.source.past else span)


def _physical(path: str, span: Span | None) -> dict[str, object]:
    scheme = "file://" if path.startswith("/") else ""
    place: dict[str, object] = {
        "artifactLocation": {"uri": scheme + quote(path, errors="backslashreplace")}
    }
    if span is not None:
        place["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    return place


def _message(finding: Finding, elsewhere: str, others: Sequence[Location]) -> str:
    """The text of a result: the first sentence is what GitHub takes as its title.

    Braces stay as they are although SARIF reserves them for arguments: consumers
    look for placeholders only in messages that have arguments.
    """
    title = sentences.headline(finding, _STYLE)
    lines = [title if title.endswith((".", "!", "?")) else f"{title}."]
    lines += sentences.reasons(finding, _STYLE)
    if elsewhere:
        lines.append(f"Found at {_STYLE.safe(elsewhere)}.")
    if finding.fix:
        lines += ["Instead:", *sentences.fix(finding, _STYLE)]
    text = _unlinked("\n".join(lines))
    # GitHub shows related locations only where the message links to them.
    links = [
        f"[{_link_text(_label(place))}]({number})"
        for number, place in enumerate(others, 1)
    ]
    return f"{text}\nSee {', '.join(links)}." if links else text


def _label(place: Location) -> str:
    """What is to be seen at a place, and where if no line is shown."""
    source = place.span.source
    label = place.label or str(place.span)
    if source.past:
        where = f"line {place.span.line} at {source.revision}"
        label = f"{label} ({where})" if place.label else where
    return _STYLE.safe(label)


def _link_text(label: str) -> str:
    for char in "\\[]":
        label = label.replace(char, f"\\{char}")
    return label


def _unlinked(text: str) -> str:
    """The text with nothing in it that a reader of SARIF would make a link."""
    return text.replace("](", "] (")


def _told(entry: TimelineEntry) -> str:
    """A step in words: the command, what became of it, and each etcd cluster."""
    said = [_STYLE.safe(entry.command)]
    if entry.status != "applied":
        said.append(entry.status)
    if entry.note:
        said.append(_STYLE.safe(entry.note))
    said += [
        f"{_STYLE.safe(name)}: {words(view, _STYLE)}"
        for name, view in entry.etcd.items()
    ]
    return f"step {entry.step}: " + "; ".join(said)
