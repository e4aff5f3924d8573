"""A rule's README laid out for a terminal.

Markdown is written to be read as it is; all that is left to do is to wrap it, to
set off headings and to indent code. Knows nothing of rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.report import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from kopslint.report.style import Style


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
                for line in cells.wrap(text, style.width - indent):
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
