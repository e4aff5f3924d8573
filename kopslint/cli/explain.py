"""The rulebook as people read it: a list, and one rule with its example."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.report import display

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

    from kopslint.report.display import Style
    from kopslint.rulebook.model import Rule


# ------------------------------------------------------------------------------------
# A rule's README laid out for a terminal
#
# Markdown is written to be read as it is; all that is left to do is to wrap it, to
# set off headings and to indent code. Knows nothing of rules.


def prose(markdown: str, style: Style) -> Iterator[str]:
    """The lines of a Markdown text; its first-level heading is left out."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(markdown)
    depth = 0
    bullet = ""
    for position, token in enumerate(tokens):
        indent = 2 + 3 * depth
        match token.type:
            case "heading_open":
                if token.tag != "h1":
                    yield ""
                    yield style.paint(_inline(tokens[position + 1], style), "bold")
            case "paragraph_open":
                if not token.hidden and not bullet:
                    yield ""
                text = _inline(tokens[position + 1], style)
                for line in display.wrap(text, style.width - indent):
                    yield " " * (indent - len(bullet)) + bullet + line
                    bullet = ""
            case "fence" | "code_block":
                yield ""
                for line in token.content.rstrip("\n").split("\n"):
                    shown = style.safe(line)
                    yield f"{'':{indent + 2}}{style.paint(shown, 'cyan')}".rstrip()
            case "bullet_list_open" | "ordered_list_open":
                if not depth:
                    yield ""
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
            case "list_item_open":
                bullet = f"{token.info}. " if token.info else "-  "


def _inline(token: Token, style: Style) -> str:
    """The text of a paragraph or heading: code in back-ticks, links in brackets."""
    pieces: list[str] = []
    target, start = "", 0
    for child in token.children or []:
        match child.type:
            case "text":
                pieces.append(child.content)
            case "code_inline":
                pieces.append(f"`{child.content}`")
            case "softbreak" | "hardbreak":
                pieces.append(" ")
            case "link_open":
                target, start = str(child.attrs.get("href", "")), len(pieces)
            case "link_close":
                if target != "".join(pieces[start:]):
                    pieces.append(f" ({target})")
    return style.safe("".join(pieces))


def rules_text(rules: Sequence[Rule], style: Style) -> str:
    """One line a rule, and below it what it finds."""
    lines = []
    for rule in rules:
        severity = style.severity(f"{rule.severity:<7}", rule.severity)
        lines.append(f"{rule.id}  {severity}  {style.paint(rule.name, 'bold')}")
        lines += [
            f"       {line}"
            for line in display.wrap(style.safe(rule.summary), style.width - 7)
        ]
    lines += ["", f"{len(rules)} rules; 'kopslint explain RULE' explains one in full"]
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
    lines += display.wrap(style.safe(rule.summary), style.width)
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
