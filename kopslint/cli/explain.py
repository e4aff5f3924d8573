"""The rulebook as people read it: a list, and one rule with its example."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.cli.prose import prose
from kopslint.report import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.report.style import Style
    from kopslint.rulebook.model import Rule


def rules_text(rules: Sequence[Rule], style: Style) -> str:
    """One line a rule, and below it what it finds."""
    lines = []
    for rule in rules:
        severity = style.severity(f"{rule.severity:<7}", rule.severity)
        lines.append(f"{rule.id}  {severity}  {style.paint(rule.name, 'bold')}")
        lines += [
            f"       {line}"
            for line in cells.wrap(style.safe(rule.summary), style.width - 7)
        ]
    lines += ["", f"{len(rules)} rules; 'kopslint explain RULE' tells all about one"]
    return "\n".join(lines) + "\n"


def rules_json(rules: Sequence[Rule]) -> str:
    """The rules' manifests as a JSON array."""
    manifests = [
        {
            "id": rule.id,
            "name": rule.name,
            "summary": rule.summary,
            "category": rule.category,
            "severity": rule.severity.value,
            "since": rule.since,
            "sources": list(rule.sources),
            "ignorable": rule.ignorable,
        }
        for rule in rules
    ]
    return json.dumps(manifests, indent=2) + "\n"


def explanation(rule: Rule, style: Style) -> str:
    """A rule's prose, and what kopslint prints for its first bad example."""
    kind = style.severity(f"{rule.severity}[{rule.id}]", rule.severity)
    lines = [f"{kind} {style.paint(rule.name, 'bold')}"]
    lines += cells.wrap(style.safe(rule.summary), style.width)
    lines += prose(rule.readme(), style)
    example = next((e for e in rule.examples() if e.bad and e.expected), None)
    if example is not None and example.expected is not None:
        lines += ["", style.paint("Example", "bold"), ""]
        # It is shown as it was printed: indented, it would no longer fit.
        lines += map(style.safe, example.expected.splitlines())
    if rule.sources:
        lines += ["", style.paint("Sources", "bold"), ""]
        lines += [f"  - {style.safe(source)}" for source in rule.sources]
    origin = f"since kopslint {rule.since}" if rule.since else str(rule.folder)
    lines += ["", f"{rule.category} rule, {style.safe(origin)}"]
    return "\n".join(lines) + "\n"
