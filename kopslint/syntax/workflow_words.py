"""A list of words in YAML as the text that a shell would read as these words."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.syntax.shell_text import Anchor, ShellText
from kopslint.syntax.workflow_scalars import scalar_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import yaml

    from kopslint.source.text import Source

# What a shell leaves alone, placeholders among it.
_PLAIN = re.compile(
    r"(?:[\w@%+=:,./-]|\{\{[^{}\n]*\}\}|\$\{\{[^{}\n]*\}\}|<<[^<>\n]*>>)+"
)


def words_text(
    source: Source,
    words: Sequence[yaml.ScalarNode],
    title: str | None,
    program: str = "",
) -> ShellText:
    """The words as shell, behind a ``program`` that is not written there."""
    text = ""
    anchors: list[Anchor] = []
    if program:
        line, column = scalar_text(source, words[0], title).position(0)
        anchors.append(Anchor(0, line, column, still=True))
        text = f"{program} "
    for word in words:
        inner = scalar_text(source, word, title)
        if anchors:
            line, column = inner.position(0)
            anchors.append(Anchor(len(text), line, column))
        if _PLAIN.fullmatch(word.value):
            start = len(text)
            anchors += [a._replace(offset=start + a.offset) for a in inner.anchors]
            text += word.value
        else:
            line, column = inner.position(0)
            anchors.append(Anchor(len(text), line, column, still=True))
            text += quote(word.value)
        text += " "
    return ShellText(source, text.rstrip(" ") or " ", _in_order(anchors), title=title)


def _in_order(anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
    """The last anchor of each offset."""
    return tuple({anchor.offset: anchor for anchor in anchors}.values())
