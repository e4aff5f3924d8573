"""Lists in another language than a shell: what they run, as far as it stands there.

Python, JavaScript, Go, Nix, JSON, a justfile: a line that is a call, or that holds one
in its strings, counts in the order written, whatever the language makes of it. What
names kops or etcdctl in any other way, or takes machines away through the library of a
cloud, is in ``Script.unread``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.notations.markdown import calls
from kopslint.notations.program_names import TAKES_AWAY, names_a_call
from kopslint.shell.ast import Opaque, Script, Unknown
from kopslint.shell.read import read_texts
from kopslint.shell.text import lines_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.text import Source

_REMARK = re.compile(r"\s*(?:#(?!!)|//|--|/?\*|\"\"\"|;)")
_PRINTS = re.compile(
    r"\s*(?:print|puts|console\.\w+|log\w*\.\w+|fmt\.Print\w*|Write-\w+|say"
    r"|echo|throw|raise|panic|warn|die|assert)\b"
)
_BEFORE_A_CALL = re.compile(r"\s*[@&^+-]*\s*(?:\$\{[\w.]+\}[\w./-]*/)?")
# The program as a name of its own: "kops", import kops, kops.delete, Start-Process.
_NAMED = re.compile(
    r"""[\"'`](?:[\w./-]*/)?(?:kops|etcdctl)[\"'`]|\bimport\s+(?:kops|etcdctl)\b"""
    r"""|(?<![\w./-])(?:kops|etcdctl)\.(?:delete|update|edit|replace|rolling|member)"""
    r"""|(?i:start-process|exec|spawn|command)\W{1,3}(?:kops|etcdctl)\b"""
    r"""|(?<![\w./-])(?:kops|etcdctl)\s+@\w"""
)


def read_code(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The calls of a text in another language, in the order written.

    Where one is put together in a way that is not read, the first such place is in
    ``Script.unread``.
    """
    lines = []
    for number, line in enumerate(source.lines, 1):
        before = _BEFORE_A_CALL.match(line)
        skip = before.end() if before is not None else 0
        lines.append((number, skip + 1, line[skip:]))
    found = calls(lines, "")
    script = read_texts([lines_text(source, found)] if found else [], at_hand=at_hand)
    covered = {number for number, _, _ in found}
    for number, _, line in lines:
        if number in covered or _REMARK.match(line) or _PRINTS.match(line):
            continue
        if names_a_call(line) or _NAMED.search(line) or TAKES_AWAY.search(line):
            span = source.span(number, 1, number, len(source.line(number)) + 1)
            reason = "kopslint does not read how another language builds this"
            unread = Opaque(Unknown(line.strip()[:80], reason), span, reaches=True)
            return script._replace(unread=(*script.unread, unread))
    return script
