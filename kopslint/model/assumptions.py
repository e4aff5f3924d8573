"""What the text of a list leaves open and the simulation settles: said, each time.

Whoever picks one reading where the text allows several makes an ``Assumption`` here and
hands it back with the ``Result``; a test tries every command with every argument left
open, and holds the result to all that the argument may be.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.text import Span


class Kind(StrEnum):
    """What it is that the text leaves open.

    ``SPEC`` is what a file or an editor stores, ``ETCD`` which etcd cluster a call
    reaches, ``CLUSTER`` which Kubernetes cluster, ``SUCCESS`` that a command does not
    fail, ``ORDER`` in which order things happen.
    """

    MEMBER = "member"
    GROUP = "group"
    MACHINE = "machine"
    DISK = "disk"
    SPEC = "spec"
    ETCD = "etcd"
    CLUSTER = "cluster"
    SUCCESS = "success"
    ORDER = "order"


class Assumption(Record):
    """What is taken for granted of ``about``, which is as the text has it (``$ID``).

    ``text`` is the whole of it in words, to follow "assumed:". ``severity`` is how bad
    it is to rest on it. Where ``span`` is not set it is the whole command of ``step``,
    which the simulation fills in. Made by ``assume`` or ``taken``.
    """

    kind: Kind
    about: str
    text: str
    severity: Severity = Severity.INFO
    span: Span | None = None
    step: int | None = None

    def placed(self, span: Span, step: int | None) -> Assumption:
        """The same, made by a step; at its place unless it has one of its own."""
        return self._replace(span=self.span or span, step=step)


def assume(
    kind: Kind,
    about: str,
    text: str,
    *,
    severity: Severity = Severity.INFO,
    span: Span | None = None,
) -> Assumption:
    """That ``text`` holds, where the text of the list says nothing of ``about``."""
    return Assumption(kind, about, text, severity, span)


def taken(
    kind: Kind, about: str, names: Iterable[str], *, joined: str = "or"
) -> Assumption:
    """That ``about`` stands for one of ``names``, or for all of them (``and``)."""
    *first, last = names
    listed = f"{', '.join(first)} {joined} {last}" if first else last
    return assume(kind, about, f"{about} is {listed}")
