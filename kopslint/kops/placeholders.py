"""Values that a file leaves to be filled in: ``${NAME}``, ``CLUSTER_NAME``, a secret.

kops itself knows no such thing; whoever writes it has envsubst, sed or the like fill it
in before kops reads the file, and until then nobody can say whether the value is right.
An encrypted value is one, too: of SOPS, or the bare blob of a key management service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kopslint.text import Span

_PLACEHOLDER = (
    r"\$\{\w+\}|\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b"
    r"|\bENC\[AES256_GCM,|\bAQ(?:EC|IC)AH[\w+/]{64,}"
)


def holds_placeholder(text: str) -> bool:
    """Whether a text is not yet what kops will read."""
    return bool(re.search(_PLACEHOLDER, text))


def is_filled_in_later(span: Span) -> bool:
    """Whether the value at a place, on its first line, is still to be filled in."""
    line = span.source.line(span.line)
    end = span.end_column - 1 if span.end_line == span.line else None
    return holds_placeholder(line[span.column - 1 : end])
